"""A world that accounts of every kind look at, and what each of them must be answered."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import urlencode
from uuid import UUID

import msgspec
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

#: What reads, on which nobody writes.
LECTURES = frozenset({"GET", "HEAD"})
UUID_ECRIT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


#: What a query must choose: a value, or the name of one.
REQUIS: dict[str, dict[str, str]] = {
    "expliquer_chiffre": {"mesure": "fse_programme"},
    "exporter_provenance": {"mesure": "fse_programme"},
    "exporter_liste_histoire": {"dossier": "numero_mdfse"},
    "page_provenance": {"mesure": "fse_programme"},
    "page_recherche": {"q": "fictif"},
    "page_rejeu": {"dossier": "numero_mdfse"},
    "page_histoire": {"dossier": "numero_mdfse"},
    "page_releve_de_decisions": {
        "le": "2022-01-20",
        "instance": "conseil_administration_oi",
        "pv": "PV-2022-01",
    },
}
#: The act whose form stands for all of them.
ACTE_DES_PAGES = "demander_complement"


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
        # The form of an act is under the rule of that act.
        return DROITS[ACTE_DES_PAGES if "{adresse" in self.chemin else self.nom]

    @property
    def parametres(self) -> list[str]:
        return re.findall(r"{(\w+)", self.chemin)

    def nommes(self, valeurs: dict[str, Any]) -> dict[str, Any]:
        """Return those of some values that the address names."""
        return {nom: valeurs[nom] for nom in self.parametres}

    def adresse(self, valeurs: dict[str, Any]) -> str:
        """Write the address, with what it must ask."""
        chemin = re.sub(r"{(\w+)(?::\w+)?}", lambda m: str(valeurs[m[1]]), self.chemin)
        requis = self.requis(valeurs)
        return f"{chemin}?{urlencode(requis)}" if requis else chemin

    def requis(self, valeurs: dict[str, Any]) -> dict[str, str]:
        """Return what a query must choose."""
        return {nom: str(valeurs.get(v, v)) for nom, v in REQUIS.get(self.nom, {}).items()}


@cache
def routes() -> list[Route]:
    """Return every route of the two doors."""
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
    corps = b"\n".join(parties(reponse.content)).decode("utf-8", "replace")
    # A director reads the totals of the OI, by design: they are no leak of any PLIE.
    corps = TOTAUX_OI.sub("", corps)
    return f"{entetes}\n{corps}".replace("\u00a0", " ").replace("&nbsp;", " ").lower()


def parties(contenu: bytes) -> list[bytes]:
    """Return what a file holds: the cells of a workbook, what an archive holds, or the file itself.

    The rest of a workbook says the same in all of them, among which words of its own.
    """
    if not contenu.startswith(b"PK\x03\x04"):
        return [contenu]
    with zipfile.ZipFile(io.BytesIO(contenu)) as archive:
        noms = sorted(archive.namelist())
        cellules = [n for n in noms if n.startswith(("xl/worksheets/", "xl/sharedStrings"))]
        return [archive.read(nom) for nom in cellules or noms]


TOTAUX_OI = re.compile(
    r'"oi_entier":{[^}]*}|<tr[^>]*>(?:(?!</tr>).)*?Total OI\b.*?</tr>', re.DOTALL
)


@contextmanager
def monde_de(base: str, lieux: Lieux) -> Iterator[Monde]:
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
            monde.avant = ce_que_lit(monde, "direction-1", ALPHA)
    monde.apres = ce_que_lit(monde, "direction-1", ALPHA)
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
        "travail_id": new_id(),
        "lot_id": new_id(),
        "brouillon_id": new_id(),
        "nature": "depenses",
        "nom": "rapport.json",
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
        "adresse": f"{ACTE_DES_PAGES}/{vie.id(entier)}",
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
        "plie_id": cote.plie,
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
    kind = next(route.corps for route in routes() if route.nom == nom)
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
    communs = set(UUID_ECRIT.findall(" ".join(row[0] for row in shared)))
    communs |= {
        str(row[0])
        for row in conn.execute(
            "SELECT DISTINCT stream_id FROM oi.event WHERE name LIKE 'subvention_globale.%%' "
            "OR name LIKE 'appel_a_projets.%%'"
        )
    }
    identifiants = {str(row[0]) for row in rows} | set(
        UUID_ECRIT.findall(" ".join(json.dumps(row[1]) for row in rows))
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


# --- What is asked of whom -----------------------------------------------------------------------


def ce_que_lit(monde: Monde, qui: str, plie: str) -> dict[str, Response]:
    """Return what an account reads at every address that it may read."""
    compte = monde.comptes[qui]
    lus = {}
    for route in routes():
        if route.methode not in LECTURES:
            continue
        if refus_attendu(compte, route.regle, "GET") is None and not route.regle.publique:
            chemin = route.adresse(valeurs_de(monde, route, plie))
            lus[route.nom] = monde.demander(compte, "GET", chemin)
    return lus


def chez(qui: Compte | None) -> str:
    territoire = qui.territoire(None) if qui else None
    return BETA if territoire == frozenset({BETA}) else ALPHA


def valeurs_de(monde: Monde, route: Route, plie: str) -> dict[str, Any]:
    """Return what the parameters of an address are on one side, each of what it is nested in."""
    valeurs = monde.valeurs[plie]
    if "ordre_id" in route.parametres and plie in PLIES:
        return valeurs | {"operation_id": Vie.id(Cote(plie).operations[1])}
    if route.nom == "lister_personnes_de_l_operation" and plie in PLIES:
        return valeurs | {"operation_id": Vie.id(Cote(plie).operations[2])}
    return valeurs
