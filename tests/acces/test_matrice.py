"""Who gets what: every route, asked by every kind of account, with real sessions and tokens.

What must be answered is computed from the table of the rules and from what each account holds,
never from what the door says. Nothing of a PLIE may be found in what somebody of the other one is
given.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import msgspec
import pytest
from bases import base_neuve
from comptes_joues import acces_leger
from comptes_reels import Compte, Guichet, ouvrir_les_comptes
from fabrique import commande
from fastapi.routing import APIRoute, iter_route_contexts
from httpx2 import Response
from monde import ALPHA, BETA, PLIES, Cote, jouer_l_oi, jouer_le_commun, jouer_un_cote
from psycopg import Connection
from starlette.testclient import TestClient
from vie import Vie

from aggregates.commande import Commande
from api.app import create_app
from api.droits import DROITS, Regle
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.errors import french_euros
from oi_service.ids import convention_of, new_id
from oi_service.lieux import Lieux
from oi_service.money import euros

pytestmark = pytest.mark.xdist_group("matrice")

#: What reads, on which nobody writes.
LECTURES = frozenset({"GET", "HEAD"})
#: Where a page sends whom it does not show itself to, by the reason.
VERS = {
    "non_connecte": "/connexion",
    "jeton_refuse": "/connexion",
    "second_facteur_a_installer": "/compte/second-facteur",
    "renforcement_requis": "/renforcement",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Route:
    """An address, and what is asked there."""

    nom: str
    methode: str
    chemin: str
    corps: type[Commande] | None
    filtres: tuple[tuple[str, Any], ...]

    @property
    def regle(self) -> Regle:
        return DROITS[self.nom]

    @property
    def parametres(self) -> list[str]:
        return re.findall(r"{(\w+)", self.chemin)

    def adresse(self, valeurs: dict[str, Any]) -> str:
        return re.sub(r"{(\w+)(?::\w+)?}", lambda m: str(valeurs[m[1]]), self.chemin)


def _routes() -> list[Route]:
    app = create_app(MagicMock())
    decrits = app.openapi()["paths"]
    found = []
    for contexte in iter_route_contexts(app.routes):
        chemin, nom = contexte.path, contexte.name
        if chemin is None or chemin == "/static":
            continue
        for methode in contexte.methods or {"GET"}:
            if methode == "HEAD":
                continue
            decrit = decrits.get(chemin, {}).get(methode.lower(), {})
            filtres = tuple(
                (p["name"], p["schema"]) for p in decrit.get("parameters", []) if p["in"] == "query"
            )
            found.append(Route(str(nom), methode, chemin, _corps(contexte), filtres))
    return sorted(found, key=lambda route: (route.chemin, route.methode))


def _corps(contexte: Any) -> type[Commande] | None:
    """Return the command that a route reads."""
    route = contexte.original_route
    if not isinstance(route, APIRoute):
        return None
    attendus = route.dependant.body_params
    kind = attendus[0].field_info.annotation if len(attendus) == 1 else None
    return kind if isinstance(kind, type) and issubclass(kind, Commande) else None


ROUTES = _routes()
LISANT = [route for route in ROUTES if route.methode in LECTURES]
ECRIVANT = [route for route in ROUTES if route.methode not in LECTURES]


def par_nom(routes: list[Route]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=lambda route: route.nom)


# --- The world -----------------------------------------------------------------------------------


@dataclass
class Monde:
    """A database where two PLIE live, and the accounts that look at it."""

    service: Service
    guichet: Guichet
    conn: Connection[Any]
    comptes: dict[str, Compte]
    valeurs: dict[str, dict[str, Any]]
    marques: dict[str, list[str]]
    avant: dict[str, Response]
    apres: dict[str, Response]

    @property
    def position(self) -> int:
        row = self.conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        return int(row[0])

    def demander(
        self, qui: str | Compte | None, methode: str, chemin: str, **envoi: Any
    ) -> Response:
        compte = self.comptes[qui] if isinstance(qui, str) else qui
        return self.guichet.demander(compte, methode, chemin, **envoi)

    def fuites(self, reponse: Response, plie: str) -> list[str]:
        """Return what an answer holds of a PLIE."""
        texte = _texte(reponse)
        return [marque for marque in self.marques[plie] if marque in texte]


def _texte(reponse: Response) -> str:
    """Return all that an answer says, as a reader would see it."""
    entetes = " ".join(f"{nom}: {valeur}" for nom, valeur in reponse.headers.items())
    corps = reponse.content.decode("utf-8", "replace")
    # A director reads the totals of the OI, by design: they are no leak of any PLIE.
    corps = _TOTAUX_OI.sub("", corps)
    return f"{entetes}\n{corps}".replace("\u00a0", " ").replace("&nbsp;", " ").lower()


_TOTAUX_OI = re.compile(
    r'"oi_entier":{[^}]*}|<tr[^>]*>(?:(?!</tr>).)*?Total OI\b.*?</tr>', re.DOTALL
)


@pytest.fixture(scope="module")
def monde(serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monde]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with base_neuve(serveur, modele) as base, _monde(base, lieux) as found:
        yield found


@contextmanager
def _monde(base: str, lieux: Lieux) -> Iterator[Monde]:
    with open_service(base, lieux) as ouvert:
        service = replace(ouvert, acces=acces_leger(ouvert, lieux.cles))
        app = create_app(service)
        with (
            TestClient(
                app,
                base_url="https://testserver",
                follow_redirects=False,
                raise_server_exceptions=False,
            ) as http,
            service.journal.pool.connection() as conn,
        ):
            conn.autocommit = True
            yield _peupler(service, http, conn)


def _peupler(service: Service, http: TestClient, conn: Connection[Any]) -> Monde:
    vie, cotes = Vie(service), [Cote(plie) for plie in PLIES]
    guichet = Guichet(service, http, frozenset(PLIES))
    jouer_l_oi(vie)
    comptes = ouvrir_les_comptes(guichet, ALPHA, BETA)
    guichet.ouvrir("cible")
    monde = Monde(service, guichet, conn, comptes, {}, {}, {}, {})
    commun = _commun(monde, vie)
    for cote in cotes:
        jouer_un_cote(vie, service, cote)
        monde.valeurs[cote.plie] = commun | _valeurs(monde, vie, cote)
        if cote.plie == ALPHA:
            monde.avant = _ce_que_lit(monde, "direction-1", ALPHA)
    monde.apres = _ce_que_lit(monde, "direction-1", ALPHA)
    jouer_le_commun(vie, cotes)
    _auditer(monde)
    monde.valeurs["inconnu"] = {nom: _inconnue(v) for nom, v in monde.valeurs[ALPHA].items()}
    flux = {cote.plie: _flux(vie, conn, cote) for cote in cotes}
    for cote in cotes:
        autre = BETA if cote.plie == ALPHA else ALPHA
        monde.marques[cote.plie] = _marques(conn, cote, flux[cote.plie], flux[autre])
    return monde


def _inconnue(valeur: Any) -> Any:
    """Return a value of the same form, which names nothing."""
    if isinstance(valeur, UUID):
        return new_id()
    if isinstance(valeur, int):
        return 999_999
    return "0" * 64 if len(valeur) == 64 else "inconnu-0"


def _commun(monde: Monde, vie: Vie) -> dict[str, Any]:
    """Return what belongs to no PLIE."""
    return {
        "subvention_globale_id": vie.id("SG"),
        "appel_a_projets_id": vie.id("AAP"),
        "identifiant": "cible",
        "code": "non_connecte",
        "reprise_id": new_id(),
        "taille": 1,
        "attribution_id": new_id(),
        "mise_id": new_id(),
        "session_id": new_id(),
        "jeton_id": new_id(),
        "dossier_id": new_id(),
        "population_id": new_id(),
        "echantillon_id": new_id(),
        "numero": 1,
    }


def _valeurs(monde: Monde, vie: Vie, cote: Cote) -> dict[str, Any]:
    """Return what is of one side, by the name that addresses give it."""
    entier = cote.operations[0]
    convention = vie.convention(entier)
    [bilan] = convention.bilans.values()
    controle = vie.controle_op(cote.nom("CTL"))
    flux = convention_of(vie.id(entier))
    row = monde.conn.execute(
        "SELECT max(position) FROM oi.event WHERE stream_id = %s", (flux,)
    ).fetchone()
    assert row is not None
    assert bilan.csf is not None
    return {
        "operation_id": vie.id(entier),
        "numero_mdfse": entier,
        "bilan_id": bilan.bilan_id,
        "csf_id": bilan.csf.csf_id,
        "paiement_id": list(convention.paiements)[-1],
        "ordre_id": list(vie.convention(cote.operations[1]).ordres)[-1],
        "depense_id": bilan.depenses[0],
        "contrepartie_id": vie.id(cote.nom("CP")),
        "controle_id": vie.id(cote.nom("CTL")),
        "suite_id": next(iter(controle.suites)),
        "position": row[0],
        "sha256": hashlib.sha256(cote.documents[0]).hexdigest(),
        "personne_id": _contact(monde, vie, cote),
    }


def _contact(monde: Monde, vie: Vie, cote: Cote) -> UUID:
    """Record the contact of a dossier, as people do."""
    corps = {
        "date_effet": "2022-02-01",
        "subvention_globale_id": str(vie.id("SG")),
        "identite": {
            "nature": "contact_beneficiaire",
            "nom": f"Contact fictif {cote.plie}",
            "courriel": f"contact-{cote.plie}@beneficiaire.example",
        },
    }
    acte = _ecrire(monde, "gestionnaire", "/api/v1/personnes", corps)
    personne = acte.json()["id"]
    _ecrire(
        monde,
        "gestionnaire",
        f"/api/v1/operations/{vie.id(cote.operations[2])}/contacts",
        {"date_effet": "2022-02-01", "personne_id": personne},
        1,
    )
    return UUID(personne)


def _ecrire(
    monde: Monde, qui: str, chemin: str, corps: Any, version: int | None = None
) -> Response:
    reponse = monde.demander(qui, "POST", chemin, json=corps, headers=_entetes(version))
    assert reponse.is_success, reponse.text
    return reponse


def _entetes(version: int | None) -> dict[str, str]:
    attendue = {} if version is None else {"If-Match": f'"{version}"'}
    return {"Idempotency-Key": str(new_id()), **attendue}


def _auditer(monde: Monde) -> None:
    """Open the working file of an auditor, and anchor the log."""
    sg = monde.valeurs[ALPHA]["subvention_globale_id"]
    jour = {"date_effet": "2022-10-24"}
    ouverture = commande_de("ouvrir_dossier_audit")
    dossier = _ecrire(
        monde, "auditeur", f"/api/v1/audit/subventions-globales/{sg}/dossiers", ouverture | jour
    ).json()["id"]
    racine = f"/api/v1/audit/dossiers/{dossier}"
    toutes = {"definition": {"portee": "toutes"}, "montant": "declare"}
    figee = _ecrire(monde, "auditeur", f"{racine}/populations", jour | toutes, 1).json()
    tirage = {"population_id": figee["id"], "methode": "simple", "taille": 3}
    tire = _ecrire(monde, "auditeur", f"{racine}/echantillons", jour | tirage, 2).json()
    _ecrire(monde, "auditeur", "/api/v1/ancrages", jour)
    [ancre, *_] = monde.demander("auditeur", "GET", "/api/v1/ancrages").json()["lignes"]
    for plie in PLIES:
        monde.valeurs[plie] |= {
            "dossier_id": UUID(dossier),
            "population_id": UUID(figee["id"]),
            "echantillon_id": UUID(tire["id"]),
            "taille": ancre["taille"],
        }


def commande_de(nom: str) -> dict[str, Any]:
    """Return the body of a command as its route reads it."""
    kind = next(route.corps for route in ROUTES if route.nom == nom)
    assert kind is not None
    corps: dict[str, Any] = msgspec.to_builtins(
        commande(kind).model_dump(mode="json", exclude_unset=True)
    )
    return corps


# --- What tells a PLIE ---------------------------------------------------------------------------


def _flux(vie: Vie, conn: Connection[Any], cote: Cote) -> list[UUID]:
    """Return every stream of a side."""
    operations = [vie.id(nom) for nom in cote.operations]
    depenses = conn.execute(
        "SELECT id FROM projection.depense WHERE operation_id = ANY(%s)", (operations,)
    ).fetchall()
    return [
        *operations,
        *(convention_of(operation) for operation in operations),
        *(row[0] for row in depenses),
        vie.id(cote.nom("CP")),
        vie.id(cote.nom("CTL")),
    ]


def _marques(conn: Connection[Any], cote: Cote, siens: list[UUID], autres: list[UUID]) -> list[str]:
    """Return what, found in an answer, says that it holds something of this side.

    Names hold the code of the PLIE; identifiers and amounts are those that its facts hold and that
    those of the other side do not.
    """
    dits, dits_ailleurs = (_dits(conn, flux) for flux in (siens, autres))
    documents = {hashlib.sha256(contenu).hexdigest() for contenu in cote.documents}
    return sorted({cote.plie, *documents, *(dits - dits_ailleurs)})


def _dits(conn: Connection[Any], flux: list[UUID]) -> set[str]:
    rows = conn.execute(
        "SELECT stream_id, data FROM oi.event WHERE stream_id = ANY(%s)", (flux,)
    ).fetchall()
    shared = conn.execute(
        "SELECT data::text FROM oi.event WHERE name LIKE 'subvention_globale.%%' "
        "OR name LIKE 'appel_a_projets.%%' OR name LIKE 'compte.%%'"
    ).fetchall()
    communs = set(_UUID.findall(" ".join(row[0] for row in shared)))
    communs |= {
        str(row[0])
        for row in conn.execute(
            "SELECT DISTINCT stream_id FROM oi.event WHERE name LIKE 'subvention_globale.%%' "
            "OR name LIKE 'appel_a_projets.%%'"
        )
    }
    identifiants = {str(row[0]) for row in rows} | set(
        _UUID.findall(" ".join(json.dumps(row[1]) for row in rows))
    )
    montants = {c for row in rows for c in _centimes(row[1]) if c % 100}
    ecrits = {t for c in montants for t in (f'"{euros(c)}"', _vu(c))}
    return (identifiants - communs) | ecrits


def _vu(centimes: int) -> str:
    return french_euros(centimes).replace("\u00a0", " ").lower()


def _centimes(valeur: Any, nom: str = "") -> Iterator[int]:
    if isinstance(valeur, dict):
        for cle, dessous in valeur.items():
            yield from _centimes(dessous, cle)
    elif isinstance(valeur, list):
        for dessous in valeur:
            yield from _centimes(dessous, nom)
    elif isinstance(valeur, int) and nom.endswith("_centimes"):
        yield abs(valeur)


# --- What must be answered -----------------------------------------------------------------------


def refus_attendu(qui: Compte | None, regle: Regle, methode: str) -> tuple[int, str] | None:
    """Return the status and the code that an account must get; ``None`` when it is let in."""
    if regle.publique:
        return None
    if qui is None or not qui.entre:
        return 401, "jeton_refuse" if _bearer(qui) else "non_connecte"
    if qui.sans_second_facteur and not regle.sans_second_facteur:
        return 403, "second_facteur_a_installer"
    if regle.roles is not None and not qui.roles & set(regle.roles):
        return 403, "role_insuffisant"
    if qui.lecture_seule and methode not in LECTURES:
        return 403, "lecture_seule"
    if regle.renforcee and not qui.renforce:
        return 403, "renforcement_requis"
    return None


def _bearer(qui: Compte | None) -> bool:
    return qui is not None and "Authorization" in qui.preuve


def comptes_de(monde: Monde) -> list[Compte | None]:
    return [None, *monde.comptes.values()]


@par_nom(ROUTES)
def test_who_may_not_is_refused_before_anything_is_done(monde: Monde, route: Route) -> None:
    chemin = route.adresse(monde.valeurs[ALPHA])
    position = monde.position
    for qui in comptes_de(monde):
        attendu = refus_attendu(qui, route.regle, route.methode)
        if attendu is None:
            continue
        reponse = monde.demander(qui, route.methode, chemin)
        nom = "personne" if qui is None else qui.nom
        if reponse.is_redirect and not chemin.startswith("/api/"):
            assert reponse.headers["Location"].partition("?")[0] == VERS[attendu[1]], nom
        else:
            assert reponse.status_code == attendu[0], (nom, reponse.text)
            if reponse.headers["Content-Type"] == "application/problem+json":
                assert reponse.json()["code"] == attendu[1], nom
            else:
                assert not chemin.startswith("/api/"), nom
        _exiger_territoire(monde, qui, None, reponse, chemin)
        if route.methode == "GET" and nom in _TETES:
            assert monde.demander(qui, "HEAD", chemin).status_code == reponse.status_code, nom
    assert monde.position == position


#: Who also asks without a body: the answer is the same by construction, some are enough.
_TETES = {"personne", "sans-role", "direction-1", "administrateur"}
#: What acts on the session that asks: each account would lose its own.
_SUR_SOI = frozenset(nom for nom, regle in DROITS.items() if regle.roles is None)


@par_nom(ROUTES)
def test_who_may_is_let_in(monde: Monde, route: Route) -> None:
    """A writing is sent empty: its rule lets it in, and it is then refused as malformed."""
    position = monde.position
    lit = route.methode in LECTURES
    for qui in comptes_de(monde):
        if refus_attendu(qui, route.regle, route.methode) is not None:
            continue
        if (not lit and route.nom in _SUR_SOI) or (route.regle.publique and qui is not None):
            continue
        plie = _chez(qui)
        chemin = route.adresse(_valeurs_de(monde, route, plie))
        reponse = monde.demander(qui, route.methode, chemin)
        nom = "personne" if qui is None else qui.nom
        assert reponse.status_code not in {401, 403}, (nom, reponse.text)
        assert reponse.status_code < 500, (nom, reponse.text)
        if lit and route.nom not in _SANS_REPONSE:
            assert reponse.is_success or reponse.is_redirect, (nom, chemin, reponse.text)
            if qui is not None and not route.regle.publique:
                _exiger_territoire(monde, qui, route.regle.roles, reponse, chemin)
    assert monde.position == position


#: What nothing can be shown of here: queries that ask for a choice, things that the world lacks,
#: persons, whom a reader of some PLIE does not see (their facts are of no PLIE).
_SANS_REPONSE = frozenset(
    {"expliquer_chiffre", "telecharger_archive", "lire_reprise", "lire_personne"}
)


def _exiger_territoire(
    monde: Monde, qui: Compte | None, roles: Any, reponse: Response, chemin: str
) -> None:
    """Require an answer to hold nothing of where some roles of an account do not reach."""
    territoire = frozenset[str]() if qui is None else qui.territoire(roles)
    for plie in PLIES:
        if territoire is not None and plie not in territoire:
            dits = [m for m in monde.fuites(reponse, plie) if m not in chemin.lower()]
            assert not dits, (qui and qui.nom, reponse.text)


def _chez(qui: Compte | None) -> str:
    territoire = qui.territoire(None) if qui else None
    return BETA if territoire == frozenset({BETA}) else ALPHA


def _valeurs_de(monde: Monde, route: Route, plie: str) -> dict[str, Any]:
    """Return what the parameters of an address are on one side, each of what it is nested in."""
    valeurs = monde.valeurs[plie]
    if "ordre_id" in route.parametres and plie in PLIES:
        return valeurs | {"operation_id": Vie.id(Cote(plie).operations[1])}
    if route.nom == "lister_personnes_de_l_operation" and plie in PLIES:
        return valeurs | {"operation_id": Vie.id(Cote(plie).operations[2])}
    return valeurs


# --- Nothing of the other PLIE -------------------------------------------------------------------


def _ce_que_lit(monde: Monde, qui: str, plie: str) -> dict[str, Response]:
    """Return what an account reads at every address that it may read."""
    compte = monde.comptes[qui]
    lus = {}
    for route in LISANT:
        if refus_attendu(compte, route.regle, "GET") is None and not route.regle.publique:
            chemin = route.adresse(_valeurs_de(monde, route, plie))
            lus[route.nom] = monde.demander(compte, "GET", chemin)
    return lus


#: Those who see one PLIE, and the PLIE that they do not see.
ETROITS = (
    ("direction-1", ALPHA, BETA),
    ("direction-2", BETA, ALPHA),
    ("gestion-1", ALPHA, BETA),
    ("jeton-de-directeur", ALPHA, BETA),
)
#: What an address is about, when it names something of one PLIE.
_DE_PLIE = frozenset(
    {
        "operation_id",
        "numero_mdfse",
        "depense_id",
        "contrepartie_id",
        "controle_id",
        "position",
        "sha256",
        "personne_id",
    }
)


@par_nom([route for route in LISANT if _DE_PLIE & set(route.parametres)])
def test_what_is_of_another_plie_is_answered_as_what_does_not_exist(
    monde: Monde, route: Route
) -> None:
    for nom, sien, autre in ETROITS:
        qui = monde.comptes[nom]
        if refus_attendu(qui, route.regle, "GET") is not None:
            continue
        inconnus = monde.valeurs["inconnu"]
        ailleurs = _valeurs_de(monde, route, autre)
        vu = monde.demander(qui, "GET", route.adresse(ailleurs))
        inexistant = monde.demander(qui, "GET", route.adresse(inconnus))
        assert vu.status_code == 404, (nom, vu.text)
        assert _sans(vu, ailleurs) == _sans(inexistant, inconnus), nom
        # What is nested in something of theirs, and is not of it.
        melange = _valeurs_de(monde, route, sien) | {
            parametre: ailleurs[parametre] for parametre in route.parametres[1:]
        }
        if melange != _valeurs_de(monde, route, sien) and len(route.parametres) > 1:
            vu = monde.demander(qui, "GET", route.adresse(melange))
            faux = {**melange, **{p: inconnus[p] for p in route.parametres[1:]}}
            inexistant = monde.demander(qui, "GET", route.adresse(faux))
            assert _sans(vu, melange) == _sans(inexistant, faux), nom
            assert not _hors_demande(monde, vu, autre, melange), nom


def _sans(reponse: Response, demandes: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Return an answer without what was asked, which it may quote."""
    texte = reponse.text
    entetes = {n: v for n, v in reponse.headers.items() if n not in {"date", "content-length"}}
    for valeur in sorted({str(v) for v in demandes.values()}, key=len, reverse=True):
        if len(valeur) > 1:
            texte = texte.replace(valeur, "…")
    return reponse.status_code, entetes, _INSTANT.sub("…", texte)


#: When an answer was computed.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


def _hors_demande(
    monde: Monde, reponse: Response, plie: str, demandes: dict[str, Any]
) -> list[str]:
    """Return what an answer holds of a PLIE, but for what was asked."""
    dits = {str(v).lower() for v in demandes.values()}
    return [m for m in monde.fuites(reponse, plie) if not any(m in dit for dit in dits)]


@par_nom([route for route in LISANT if route.filtres])
def test_no_filter_finds_what_is_of_another_plie(monde: Monde, route: Route) -> None:
    """A filter that names what is of the other PLIE finds as much as one that names nothing."""
    for nom, sien, autre in ETROITS[:3]:
        qui = monde.comptes[nom]
        if refus_attendu(qui, route.regle, "GET") is not None:
            continue
        chemin = route.adresse(_valeurs_de(monde, route, sien))
        requis = _REQUIS.get(route.nom, {})
        for filtre, schema in route.filtres:
            for vise, rien in _essais_de(monde, filtre, schema, autre):
                if nom != ETROITS[0][0] and vise in _choix(schema):
                    # A choice that is the same for everybody, tried once.
                    continue
                vu = monde.demander(qui, "GET", chemin, params={**requis, filtre: vise})
                assert not _hors_demande(monde, vu, autre, {filtre: vise}), (nom, filtre, vise)
                if rien is None:
                    continue
                inexistant = monde.demander(qui, "GET", chemin, params={**requis, filtre: rien})
                assert _sans(vu, {filtre: vise}) == _sans(inexistant, {filtre: rien}), (
                    nom,
                    filtre,
                    vise,
                )


#: What a query must choose.
_REQUIS: dict[str, dict[str, str]] = {
    "expliquer_chiffre": {"mesure": "fse_programme"},
    "telecharger_archive": {},
}


def _essais_de(
    monde: Monde, filtre: str, schema: dict[str, Any], autre: str
) -> Iterator[tuple[Any, Any]]:
    """Yield values of a filter that aim at a PLIE, each with one of the same form for nothing."""
    valeurs, cote = monde.valeurs[autre], Cote(autre)
    yield from ((choix, None) for choix in _choix(schema))
    if filtre in {"operation_id", "bilan_id"}:
        yield valeurs[filtre], new_id()
    elif filtre == "flux":
        for aimed in ("operation_id", "depense_id", "contrepartie_id", "controle_id"):
            yield valeurs[aimed], new_id()
        yield convention_of(valeurs["operation_id"]), new_id()
    elif filtre == "plie":
        yield autre, "inconnu"
    elif filtre == "dossier":
        yield valeurs["numero_mdfse"], "inconnu"
    elif filtre in {"recherche", "financeur"}:
        yield autre, "introuvable"
        yield cote.operations[0], "introuvable"
        yield f"EPCI fictif {autre}", "introuvable"
    elif filtre == "annee":
        yield 2021, None
    elif filtre in {"effet_au", "au", "du", "le", "de_effet_au", "a_effet_au"}:
        yield from (("2022-05-31", None), ("2099-01-01", None))
    elif filtre in {"connu_le", "de_connu_le", "a_connu_le"}:
        yield from ((monde.valeurs[BETA]["position"], None), (1, None))
    elif filtre == "limite":
        yield from ((1, None), (200, None))


def _choix(schema: dict[str, Any]) -> list[str]:
    formes = schema.get("anyOf", [schema])
    return [c for forme in formes for c in (forme | forme.get("items", {})).get("enum", ())]


#: What a reader of one PLIE may see move when another PLIE acts: where the log has come to, how
#: often the grant that they share was written, when, and the totals of the OI.
_MOUVANTS = ("position", "version", "connu_le", "vue_le", "calculee_le", "connue_le", "oi_entier")


def test_what_a_plie_does_changes_nothing_of_what_another_reads(monde: Monde) -> None:
    """The same questions, asked before the other PLIE did anything and after it did all."""
    for nom, avant in monde.avant.items():
        apres = monde.apres[nom]
        assert _fixe(apres) == _fixe(avant), nom


def _fixe(reponse: Response) -> Any:
    """Return what an answer says, without what moves at each answer."""
    if reponse.headers.get("Content-Type", "").startswith("application/json"):
        return reponse.status_code, dict(_feuilles(reponse.json()))
    texte = _TOTAUX_OI.sub("", reponse.text)
    texte = re.sub(r"connu_le=\d+|événement n° \d+|\d\d:\d\d", "…", texte)
    return reponse.status_code, texte.splitlines()


def _feuilles(valeur: Any, chemin: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of an answer by its path."""
    if isinstance(valeur, dict):
        for nom, dessous in valeur.items():
            if nom not in _MOUVANTS:
                yield from _feuilles(dessous, f"{chemin}/{nom}")
    elif isinstance(valeur, list):
        for rang, dessous in enumerate(valeur):
            yield from _feuilles(dessous, f"{chemin}/{rang}")
    else:
        yield chemin, valeur


def test_the_search_for_leaks_finds_what_is_there(monde: Monde) -> None:
    """Who sees both PLIE is given what the search looks for: it would find a leak."""
    vus = _ce_que_lit(monde, "direction-12", BETA)
    muets = {nom for nom, vu in vus.items() if not monde.fuites(vu, BETA)}
    assert muets == MUETS, " ".join(sorted(muets))


#: What a director reads that names no PLIE, by nature.
MUETS = {
    "accueil",
    "expliquer_chiffre",
    "lire_parametres",
    "lister_appels_a_projets",
    "lister_jetons",
    "lister_personnes_de_l_operation",
    "lister_sessions",
    "lister_subventions_globales",
}
