"""Who gets what: every route, asked by every kind of account, with real sessions and tokens.

What must be answered is computed from the table of the rules and from what each account holds,
never from what the door says. Nothing of a PLIE may be found in what somebody of the other one is
given.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from comptes_reels import Compte
from fabrique import commande
from httpx2 import Response
from monde import ALPHA, BETA, PLIES, Cote
from monde_habite import (
    LECTURES,
    TOTAUX_OI,
    UUID_ECRIT,
    Monde,
    Route,
    ce_que_lit,
    chez,
    commande_de,
    comptes_de,
    parties,
    refus_attendu,
    routes,
    valeurs_de,
)

from api.droits import DROITS
from oi_service.ids import convention_of, new_id

pytestmark = [pytest.mark.longue, pytest.mark.xdist_group("matrice")]

ROUTES = routes()
LISANT = [route for route in routes() if route.methode in LECTURES]
ECRIVANT = [route for route in routes() if route.methode not in LECTURES]


def par_nom(routes: list[Route]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=lambda route: route.nom)


#: Where a page sends whom it does not show itself to, by the reason.
VERS = {
    "non_connecte": "/connexion",
    "jeton_refuse": "/connexion",
    "second_facteur_a_installer": "/compte/second-facteur",
    "renforcement_requis": "/renforcement",
}


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
        plie = chez(qui)
        chemin = route.adresse(valeurs_de(monde, route, plie))
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
#: persons, whom a reader of some PLIE does not see (their facts are of no PLIE), templates of which
#: each role has its own.
_SANS_REPONSE = frozenset(
    {
        "expliquer_chiffre",
        "telecharger_archive",
        "lire_reprise",
        "lire_personne",
        "lire_travail",
        "lire_lot",
        "lister_lignes_du_lot",
        "page_lot",
        "regarder_classeur",
        "page_modele",
        "page_apercu_import",
        "telecharger_annote",
        "page_travail",
        "telecharger_fichier_de_travail",
        "telecharger_mon_fichier",
    }
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


# --- Nothing of the other PLIE -------------------------------------------------------------------


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
        "plie_id",
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
        ailleurs = valeurs_de(monde, route, autre)
        vu = monde.demander(qui, "GET", route.adresse(ailleurs))
        inexistant = monde.demander(qui, "GET", route.adresse(inconnus))
        assert vu.status_code == 404, (nom, vu.text)
        assert _sans(vu, route.nommes(ailleurs)) == _sans(inexistant, route.nommes(inconnus)), nom
        # What is nested in something of theirs, and is not of it.
        melange = valeurs_de(monde, route, sien) | {
            parametre: ailleurs[parametre] for parametre in route.parametres[1:]
        }
        if melange != valeurs_de(monde, route, sien) and len(route.parametres) > 1:
            vu = monde.demander(qui, "GET", route.adresse(melange))
            faux = {**melange, **{p: inconnus[p] for p in route.parametres[1:]}}
            inexistant = monde.demander(qui, "GET", route.adresse(faux))
            assert _sans(vu, route.nommes(melange)) == _sans(inexistant, route.nommes(faux)), nom
            assert not _hors_demande(monde, vu, autre, melange), nom


def _sans(reponse: Response, demandes: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Return an answer without what was asked, which it may quote."""
    texte = reponse.text
    entetes = {n: v for n, v in reponse.headers.items() if n not in {"date", "content-length"}}
    for valeur in sorted({str(v) for v in demandes.values()}, key=len, reverse=True):
        if len(valeur) > 1:
            # Whole: a short number is in many others, and in the addresses of the styles.
            texte = re.sub(rf"(?<!\w){re.escape(valeur)}(?!\w)", "…", texte)
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
        chemin = route.adresse(valeurs_de(monde, route, sien))
        requis = route.requis(valeurs_de(monde, route, sien))
        chemin = chemin.partition("?")[0]
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
    # Of a workbook, its first sheet: the other one says when it was made, up to which event.
    corps = parties(reponse.content)[:1]
    texte = TOTAUX_OI.sub("", b"\n".join(corps).decode("utf-8", "replace"))
    texte = re.sub(r"connu_le=\d+|événement n°\s\d[\d\s]*|\d\d:\d\d", "…", texte)
    # Each form has a key of its own.
    texte = re.sub(r'name="_?cle" value="[0-9a-f-]{36}"', "…", texte)
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
    vus = ce_que_lit(monde, "direction-12", BETA)
    muets = {nom for nom, vu in vus.items() if not monde.fuites(vu, BETA)}
    assert muets == MUETS, " ".join(sorted(muets))


#: What a director reads that names no PLIE, by nature, or that is not of this world.
MUETS = {
    "accueil",
    "ce_qui_attend",
    "exporter_liste_appels_a_projets",
    "exporter_liste_lots",
    "exporter_reversements",
    "lire_lot",
    "lire_travail",
    "lister_lignes_du_lot",
    "lister_lots",
    "lister_travaux",
    "suggerer",
    "telecharger_fichier_de_travail",
    "lire_parametres",
    "lister_appels_a_projets",
    "lister_jetons",
    "lister_personnes_de_l_operation",
    "lister_sessions",
    "lister_subventions_globales",
}


# --- Nothing done to the other PLIE --------------------------------------------------------------

#: Those who write for one PLIE only.
_LIMITES = ("direction-1", "gestion-1", "compta-1", "validation-1", "ordre-1")


def _corps_de(route: Route, valeurs: dict[str, Any]) -> Any:
    """Return a body that is well formed, which names what is of one side wherever it names."""
    assert route.corps is not None
    defauts = {
        "plie_id": valeurs["plie"],
        "fiche_code": f"F-{valeurs['plie']}",
        "appel_a_projets_id": valeurs["appel_a_projets_id"],
        "personne_id": valeurs["personne_id"],
        "par_operation_id": valeurs["operation_id"],
        "par_paiement_id": valeurs["paiement_id"],
        "operations": [valeurs["operation_id"]],
        "identite": {"nature": "contact_beneficiaire", "nom": "Contact fictif"},
        "demandeur": "personne_concernee",
        "decision_ref": "DEC-1",
        "cause": "piece_manquante",
        "notification_ref": "COURRIER-1",
    }
    if route.nom == "controler_depenses":
        defauts["lignes"] = [{"depense_id": valeurs["depense_id"], "montant_ecarte": "0.00"}]
    requis = {n for n, champ in route.corps.model_fields.items() if champ.is_required()}
    saisie = {nom: v for nom, v in defauts.items() if nom in requis}
    corps = commande(route.corps, **saisie).model_dump(mode="json", exclude_unset=True)
    return _viser(corps, valeurs)


#: What a body names otherwise than addresses do.
_NOMS = {
    "depenses": "depense_id",
    "operations": "operation_id",
    "par_operation_id": "operation_id",
    "par_paiement_id": "paiement_id",
    "csf": "csf_id",
    "ordres": "ordre_id",
}


def _viser(valeur: Any, valeurs: dict[str, Any], nom: str = "") -> Any:
    if isinstance(valeur, dict):
        return {k: _viser(v, valeurs, k) for k, v in valeur.items()}
    if isinstance(valeur, list):
        return [_viser(v, valeurs, nom) for v in valeur]
    vise = _NOMS.get(nom, nom)
    if isinstance(valeur, str) and UUID_ECRIT.fullmatch(valeur) and vise in valeurs:
        return str(valeurs[vise])
    return valeurs["plie"] if nom == "plie_id" and valeur in {"A", "B"} else valeur


@par_nom([r for r in ECRIVANT if r.corps is not None and _DE_PLIE & set(r.parametres)])
def test_nobody_acts_on_what_is_of_another_plie(monde: Monde, route: Route) -> None:
    """Whatever is asked, and at whatever version: nothing is said of it, and nothing written."""
    position = monde.position
    for nom in _LIMITES:
        qui = monde.comptes[nom]
        if refus_attendu(qui, route.regle, "POST") is not None:
            continue
        valeurs = valeurs_de(monde, route, BETA) | {"plie": BETA}
        for version in (1, 2):
            reponse = monde.demander(
                qui,
                "POST",
                route.adresse(valeurs),
                json=_corps_de(route, valeurs),
                headers={"Idempotency-Key": str(new_id()), "If-Match": f'"{version}"'},
            )
            assert reponse.status_code in {404, 409}, (nom, reponse.text)
            assert reponse.json()["code"] in _NE_DIT_RIEN, (nom, reponse.text)
            dits = _hors_demande(monde, reponse, BETA, valeurs)
            assert not dits, (nom, reponse.text)
    assert monde.position == position


#: What is answered of what is not one's own: that it is not, or that nothing like it exists.
_NE_DIT_RIEN = {"hors_territoire", "personne_absente"}


def test_a_trial_reaches_no_further_than_who_tries(monde: Monde) -> None:
    """Trying in the name of somebody else gives no territory, and opens no account."""
    beta = monde.valeurs[BETA]
    chemin = f"/api/v1/operations/{beta['operation_id']}/indicateurs"
    corps = commande_de("renseigner_indicateur")
    autre = {"acteur": "gestionnaire-9", "role": "gestionnaire_oi"}
    position = monde.position
    for qui in (None, autre):
        essai = {"commandes": [{"chemin": chemin, "corps": corps, "personne": qui}]}
        reponse = monde.demander("gestion-1", "POST", "/api/v1/essais", json=essai)
        assert reponse.status_code == 200, reponse.text
        [jouee] = reponse.json()["commandes"]
        assert jouee["refus"]["code"] == "hors_territoire", reponse.text
        assert not _hors_demande(monde, reponse, BETA, beta | {"plie": BETA})
    compte = {"chemin": "/api/v1/comptes", "corps": {"identifiant": "intrus"}}
    reponse = monde.demander("gestion-1", "POST", "/api/v1/essais", json={"commandes": [compte]})
    assert reponse.status_code == 422
    assert monde.position == position
