"""Controls tried at random: they only go forward, and never keep more than what was looked at."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fabrique import BILAN, CERTIFIE, OPERATION_ID, commande, convention, euros, fait, operation
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from aggregates.controle_operation import notification as kn
from aggregates.controle_operation import rapports as kr
from aggregates.controle_operation import suites as ks
from aggregates.controle_operation.state import CONTROLE_OPERATION, ControleOperation
from aggregates.convention import events as ce
from oi_service.errors import Refusal

DECLARE = replace(BILAN[-1], cout_total_declare_centimes=euros(10_000))
V2 = UUID(int=24)
#: 1 000,00 € of cost and 500,00 € of FSE taken away by a second version, an order, a withdrawal.
PASSE = [
    *CERTIFIE,
    fait(ce.CsfRouvert),
    fait(ce.CsfOuvert, csf_id=V2, version=2),
    fait(
        ce.CsfValide,
        csf_id=V2,
        version=2,
        cout_total_retenu_periode_centimes=euros(-1_000),
        fse_du_periode_centimes=euros(-500),
        depenses_ecartees_centimes=euros(900),
    ),
    fait(ce.OrdreReversementEmis, montant_centimes=euros(400)),
    fait(ce.DepenseCertifiee),
    fait(ce.DepenseRetiree, cout_total_centimes=euros(700), fse_centimes=euros(350)),
]
RETIRE = {"csf": (100_000, 50_000), "ordre": (None, 40_000), "retrait": (70_000, 35_000)}
CONVENTION = convention(PASSE)
DOSSIERS = {OPERATION_ID: (operation(), convention([*BILAN[:-1], DECLARE]))}
PERMIS = {
    "notifie": {"en_cours", "annule"},
    "en_cours": {"rapport_provisoire", "annule"},
    "rapport_provisoire": {"contradictoire", "rapport_definitif", "annule"},
    "contradictoire": {"rapport_definitif", "annule"},
    "rapport_definitif": {"suites_a_donner", "clos", "annule"},
    "suites_a_donner": {"suites_closes", "clos", "annule"},
    "suites_closes": {"clos"},
    "clos": set(),
    "annule": set(),
}

#: What usually comes next: most of the acts are that one, or lives would not go far.
SUIVANT = {
    "notifie": "commence",
    "en_cours": "provisoire",
    "rapport_provisoire": "repond",
    "contradictoire": "definitif",
    "rapport_definitif": "decide",
}


def _euros(centimes: int) -> str:
    return f"{centimes // 100}.{centimes % 100:02d}"


@st.composite
def actes(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw an act, likely or not."""
    numero = draw(st.integers(1, 3))
    decalage = draw(st.sampled_from([-1, 0, 1, 1, 2]))
    saisie: dict[str, Any] = {"decalage": decalage, "numero": numero}
    nom = draw(
        st.sampled_from(
            [
                "perimetre",
                "commence",
                "provisoire",
                "repond",
                "definitif",
                "rectifie",
                "decide",
                "execute",
                "annule_suite",
                "clot_suites",
                "clot",
                "annule",
            ]
        )
    )
    saisie["naturel"] = draw(st.sampled_from([True, True, True, False]))
    cout_total = draw(st.integers(0, 50_000))
    saisie["cout_total"] = _euros(cout_total)
    saisie["fse"] = _euros(draw(st.integers(0, cout_total + 1_000)))
    saisie["extrapole"] = draw(st.booleans())
    saisie["issues"] = draw(st.tuples(*[st.sampled_from(["maintenu", "reduit", "abandonne"])] * 3))
    saisie["mesure"] = draw(
        st.sampled_from(["recalcul_csf", "ordre_reversement", "retrait_certification"])
    )
    saisie["resultat"] = draw(st.sampled_from(["sans_incidence", "correction_individuelle"]))
    return nom, saisie


def _tranches(etat: ControleOperation, s: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"numero": numero, "issue": issue}
        | ({"cout_total": s["cout_total"], "fse": s["fse"]} if issue == "reduit" else {})
        for numero, issue in zip(sorted(etat.constats), s["issues"], strict=False)
    ]


def _resultat(etat: ControleOperation, s: dict[str, Any]) -> str:
    """Return the result that goes with what would be kept."""
    propose = {n: c.cout_total_propose + c.fse_propose for n, c in etat.constats.items()}
    reduit = euros(s["cout_total"]) + euros(s["fse"])
    garde = {"maintenu": propose.get, "reduit": lambda _: reduit, "abandonne": lambda _: 0}
    retenus = (garde[t["issue"]](t["numero"]) for t in _tranches(etat, s))
    return "correction_individuelle" if any(retenus) else "sans_incidence"


def _suite(etat: ControleOperation) -> UUID:
    return next(reversed(etat.suites), UUID(int=99))


def tenter(etat: ControleOperation, nom: str, s: dict[str, Any], jour: date) -> list[Any]:
    """Ask for an act on a day."""
    le = {"date_effet": jour}
    trouves = [*etat.constats][: s["numero"]] if s["naturel"] else [s["numero"]]
    constat = {"constat_numero": trouves[-1] if trouves else s["numero"]}
    sommes = {"cout_total": s["cout_total"], "fse": s["fse"]}
    match nom:
        case "perimetre":
            une = {"operation_id": OPERATION_ID, "cout_total_controle": s["cout_total"]}
            asked = commande(kn.RectifierPerimetre, **le, perimetre={"operations": [une]})
            return kn.rectifier_perimetre(etat, asked, DOSSIERS, {})
        case "commence":
            return kn.commencer(etat, commande(kn.CommencerControle, **le))
        case "provisoire":
            constats = [
                {
                    "numero": n,
                    "operation_id": OPERATION_ID,
                    "nature": "autre",
                    "constatation": "x",
                    "assiette": "x",
                    "extrapole": s["extrapole"],
                    **sommes,
                }
                for n in range(1, s["numero"])
            ]
            asked = commande(kr.RecevoirRapportProvisoire, **le, constats=constats)
            return kr.recevoir_rapport_provisoire(etat, asked, {})
        case "repond":
            return kr.repondre(etat, commande(kr.RepondreConstat, **le, **constat))
        case "definitif":
            if s["naturel"]:
                s = s | {"resultat": _resultat(etat, s)}
            asked = commande(
                kr.RecevoirRapportDefinitif,
                **le,
                constats=_tranches(etat, s),
                resultat=s["resultat"],
            )
            return kr.recevoir_rapport_definitif(etat, asked)
        case "rectifie":
            asked = commande(kr.RectifierConstat, **le, **constat, **sommes, resultat=s["resultat"])
            return kr.rectifier_constat(etat, asked)
        case "decide":
            asked = commande(ks.DeciderSuite, **le, **constat, mesure=s["mesure"])
            return ks.decider_suite(etat, asked, UUID(int=100 + len(etat.suites)))
        case "execute":
            suite = etat.suites.get(_suite(etat))
            mesure = suite.mesure if suite else s["mesure"]
            cite = {
                "recalcul_csf": {"csf": [V2]},
                "ordre_reversement": {"ordres": list(CONVENTION.ordres)},
                "retrait_certification": {"appels_de_fonds": list(CONVENTION.retraits)},
            }[mesure]
            asked = commande(ks.ExecuterSuite, **le, **cite)
            return ks.executer_suite(etat, asked, _suite(etat), CONVENTION)
        case "annule_suite":
            return ks.annuler_suite(etat, commande(ks.AnnulerSuite, **le), _suite(etat))
        case "clot_suites":
            asked = commande(ks.CloreSuitesDuControle, **le)
            return ks.clore_suites(etat, asked, {OPERATION_ID: CONVENTION})
        case "clot":
            return ks.clore(etat, commande(ks.CloreControle, **le))
        case _:
            return kn.annuler(etat, commande(kn.AnnulerControle, **le))


def _suivant(etat: ControleOperation, voulu: str) -> str:
    if etat.statut == "suites_a_donner":
        a_faire = any(suite.statut == "a_faire" for suite in etat.suites.values())
        return "execute" if a_faire else "decide"
    if etat.statut == "rapport_provisoire" and not etat.constats:
        return "definitif"
    return SUIVANT.get(etat.statut, voulu)


def vivre(demandes: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[Any, ControleOperation]]:
    """Play what is accepted; yield each state with the one before."""
    jour = date(2021, 12, 15)
    une = {"operation_id": OPERATION_ID, "cout_total_controle": "1000.00"}
    asked = commande(kn.NotifierControle, date_effet=jour, perimetre={"operations": [une]})
    etat = CONTROLE_OPERATION.replay(kn.notifier(None, asked, DOSSIERS, {}))
    assert etat is not None
    yield None, etat
    for voulu, saisie in demandes:
        nom = _suivant(etat, voulu) if saisie["naturel"] else voulu
        jour += timedelta(days=saisie["decalage"])
        try:
            facts = tenter(etat, nom, saisie, jour)
        except Refusal:
            continue
        for fact in facts:
            avant, etat = etat, CONTROLE_OPERATION.evolve(etat, fact)
            yield avant, etat


@settings(max_examples=60, deadline=None)
@given(st.lists(actes(), min_size=8, max_size=25))
def test_a_control_tried_at_random_stays_sound(demandes: list[tuple[str, Any]]) -> None:
    for avant, etat in vivre(demandes):
        if avant is not None and avant.statut != etat.statut:
            assert etat.statut in PERMIS[avant.statut]
        controles = {
            o.operation_id: o.cout_total_controle_centimes for o in etat.perimetre.operations
        }
        for operation_id, controle in controles.items():
            assert etat.propose(operation_id) <= controle
        for constat in etat.constats.values():
            assert 0 <= constat.cout_total_retenu <= constat.cout_total_propose
            assert 0 <= constat.fse_retenu <= constat.fse_propose
            assert not constat.cout_total_propose or (
                constat.fse_propose <= constat.cout_total_propose
            )
            if not constat.retenu:
                assert constat.cout_total_retenu == constat.fse_retenu == 0
        if etat.resultat == "sans_incidence":
            assert etat.retenu == (0, 0)
        _exiger_imputations(etat)
        if etat.statut in {"suites_closes", "clos"}:
            assert all(suite.statut != "a_faire" for suite in etat.suites.values())
            for constat in etat.constats.values():
                suivie = any(s.statut == "executee" for s in etat.suites_du(constat.numero))
                assert suivie or not constat.retenu


def _exiger_imputations(etat: ControleOperation) -> None:
    """What a fact takes away is never counted twice."""
    executees = [s for s in etat.suites.values() if s.statut == "executee"]
    for quoi, (cout_total, fse) in RETIRE.items():
        liens = [
            lien
            for suite in executees
            for lien in suite.liens
            if {"csf": lien.csf_id, "ordre": lien.ordre_id, "retrait": lien.appel_de_fonds_no}[quoi]
        ]
        assert sum(lien.cout_total_impute_centimes for lien in liens) <= (cout_total or 0)
        assert sum(lien.fse_impute_centimes for lien in liens) <= fse


def test_the_lives_tried_reach_the_end() -> None:
    """The property above is not about controls that go nowhere."""
    s = {
        "decalage": 1,
        "naturel": False,
        "numero": 2,
        "cout_total": "600.00",
        "fse": "300.00",
        "extrapole": False,
        "issues": ("maintenu",) * 3,
        "mesure": "recalcul_csf",
        "resultat": "correction_individuelle",
    }
    noms = ["commence", "provisoire", "definitif"]
    suite = ["decide", "execute", "clot_suites", "clot"]
    demandes = [(nom, s) for nom in noms] + [(nom, s | {"numero": 1}) for nom in suite]
    *_, (_, fin) = vivre(demandes)
    assert fin.statut == "clos"
