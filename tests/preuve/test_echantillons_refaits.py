"""The second writing of the draws, alone in its file: same draws, and whatever changes is said."""

import importlib.util
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Given
from fabrique import commande, fait
from fabrique_audit import ECHANTILLON_ID, POPULATION_ID
from hypothesis import given
from hypothesis import strategies as st

import oi_service.preuve.archive
from aggregates.audit import events as ae
from aggregates.audit.echantillons import TirerEchantillonAudit, tirer_echantillon
from aggregates.audit.populations import FigerPopulation, figer
from aggregates.audit.state import AUDIT
from oi_service.money import euros
from rules.echantillon import ALGORITHME
from rules.echantillon import tirer as tirer_du_controle
from rules.tirages import COLONNES, Unite, empreinte


def _verifier() -> ModuleType:
    """Load the file by its path, as a person runs it: nothing of ours is imported by it."""
    chemin = Path(oi_service.preuve.archive.__file__).with_name("verifier.py")
    spec = importlib.util.spec_from_file_location("verifier_seul", chemin)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERIFIER = _verifier()
OUVERT = [fait(ae.DossierAuditOuvert)]


def document(population: list[Unite], **saisie: Any) -> tuple[dict[str, Any], dict[int, Any]]:
    """Draw by the decisions; return the document of the sample and what its events say."""
    figer_ = commande(FigerPopulation)
    [figee] = Given(AUDIT, OUVERT).when(figer, figer_, POPULATION_ID, 41, population).facts()
    demande = commande(TirerEchantillonAudit, **saisie)
    [tire] = (
        Given(AUDIT, [*OUVERT, figee])
        .when(tirer_echantillon, demande, ECHANTILLON_ID, population)
        .facts()
    )
    dit = {n: json.loads(msgspec.json.encode(f)) for n, f in ((42, figee), (43, tire))}
    communs = ("echantillon_id", "methode", "algorithme", "graine", "parametres", "population_id")
    return {
        **{nom: dit[43][nom] for nom in communs},
        "position": 41,
        "evenements": {"population": 42, "tirage": 43},
        "empreinte": empreinte(population),
        "colonnes": list(COLONNES),
        "population": [[u.id, u.montant, u.operation, u.plie, u.poste] for u in population],
        "tirage": dit[43]["tirage"],
    }, dit


def controle(population: list[Unite], pct: str, taille: int) -> dict[str, Any]:
    """Return the document of a sample of a control of the delivered service."""
    montants = {UUID(u.id): u.montant for u in population if u.montant > 0}
    tirage = tirer_du_controle(
        montants, "graine", taille_min=taille, couverture_min_pct=Decimal(pct)
    )
    return {
        "algorithme": ALGORITHME,
        "graine": "graine",
        "parametres": {
            "taille": max(1, taille),
            "couverture_millioniemes": int(Decimal(pct) * 10_000),
            "critere": None,
            "bornes_centimes": [],
            "repartition": None,
        },
        "colonnes": list(COLONNES),
        "population": [[u.id, u.montant, u.operation, u.plie, u.poste] for u in population],
        "tirage": [str(i) for i in tirage],
    }


populations = st.lists(
    st.builds(
        Unite,
        id=st.uuids().map(str),
        montant=st.one_of(st.integers(-500, 500), st.integers(1, 10**8)),
        operation=st.sampled_from("xyz"),
        plie=st.sampled_from("AB"),
        poste=st.sampled_from(("personnel", "achats", "nature")),
    ),
    min_size=3,
    max_size=40,
    unique_by=lambda u: u.id,
).filter(lambda p: sum(u.montant > 0 for u in p) >= 3)


@st.composite
def demandes(draw: st.DrawFn) -> dict[str, Any]:
    if (methode := draw(st.sampled_from(("simple", "mus", "stratifie")))) != "stratifie":
        return {"methode": methode}
    critere = draw(st.sampled_from(("poste", "plie", "operation", "montant")))
    bornes = draw(st.sets(st.integers(1, 10**6), min_size=1, max_size=2))
    return {
        "methode": methode,
        "critere": critere,
        "bornes": [euros(b) for b in sorted(bornes)] if critere == "montant" else [],
        "repartition": draw(st.sampled_from(("nombre", "montant"))),
        "selection": draw(st.sampled_from(("simple", "mus"))),
    }


@given(populations, demandes(), st.text("abc:9-", min_size=1, max_size=9), st.data())
def test_both_writings_draw_the_same(
    population: list[Unite], demande: dict[str, Any], graine: str, data: st.DataObject
) -> None:
    # Three strata at most, and three positive amounts at least.
    taille = data.draw(st.integers(3, sum(u.montant > 0 for u in population)))
    doc, _ = document(population, taille=taille, graine=graine, **demande)
    assert VERIFIER.tirer(doc) == doc["tirage"]
    doc["population"].reverse()
    assert VERIFIER.tirer(doc) == doc["tirage"]


@given(
    populations,
    st.decimals(0, 100, places=4).map(lambda part: f"{part:f}"),
    st.data(),
)
def test_both_writings_draw_the_same_for_a_control(
    population: list[Unite], pct: str, data: st.DataObject
) -> None:
    taille = data.draw(st.integers(0, sum(u.montant > 0 for u in population) - 1))
    doc = controle(population, pct, taille)
    assert VERIFIER.tirer(doc) == doc["tirage"]


def test_both_writings_stop_where_the_share_is_exactly_reached() -> None:
    dix = [Unite(str(UUID(int=r)), 1, "o", "A", "p") for r in range(10)]
    for pct, nombre in (("50", 5), ("50.0001", 6), ("0", 1), ("100", 10)):
        doc = controle(dix, pct, 1)
        assert len(VERIFIER.tirer(doc)) == nombre
        assert VERIFIER.tirer(doc) == doc["tirage"]


# --- What was changed ----------------------------------------------------------------------------

POPULATION = [
    Unite(str(UUID(int=0xD00 + r)), r * 100_00 - 100_00, "o", "AB"[r % 2], "personnel")
    for r in range(14)
]
STRATIFIE = {
    "methode": "stratifie",
    "taille": 5,
    "critere": "plie",
    "selection": "mus",
    "graine": "graine",
}


def juger(tmp_path: Path, doc: Any, dit: dict[int, Any]) -> str:
    """Return what the verifier says of an archive that holds one sample."""
    (tmp_path / "echantillons").mkdir(exist_ok=True)
    (tmp_path / "echantillons" / "un.json").write_text(json.dumps(doc), "utf-8")
    manifeste = {
        "format": "oi-archive/1",
        "complet": True,
        "journal": {"taille": 43, "origine": "essai", "point": "points/essai.txt"},
    }
    (tmp_path / "manifeste.json").write_text(json.dumps(manifeste), "utf-8")
    verification = VERIFIER.Verification(VERIFIER.Archive(tmp_path), [], None)
    verification.dits = dit
    verification.controler("Tirages", verification.echantillons)
    return "anomalie" if verification.echecs else "intact"


def test_a_sample_as_it_was_sealed_is_drawn_again(tmp_path: Path) -> None:
    for saisie in (STRATIFIE, {"methode": "mus", "taille": 9}, {"methode": "simple", "taille": 2}):
        assert juger(tmp_path, *document(POPULATION, **saisie)) == "intact"


def autre(valeur: Any) -> Any:
    """Return another value of the same kind."""
    match valeur:
        case bool():
            return not valeur
        case int():
            return valeur + 1
        case str():
            return valeur + "x"
        case [premier, *reste]:
            return [*reste, autre(premier)]
        case dict():
            return {nom: autre(v) for nom, v in valeur.items()}
        case _:
            return "x"


@pytest.mark.parametrize("champ", document(POPULATION, **STRATIFIE)[0])
def test_whatever_changes_in_a_sample_is_said(tmp_path: Path, champ: str) -> None:
    doc, dit = document(POPULATION, **STRATIFIE)
    assert juger(tmp_path, {**doc, champ: autre(doc[champ])}, dit) == "anomalie"


def _refait(doc: dict[str, Any], **champs: Any) -> dict[str, Any]:
    """Return a document that holds together, on other data."""
    change = {**doc, **champs}
    lignes = [change["colonnes"], *sorted(change["population"])]
    csv = "".join(";".join(map(str, ligne)) + "\n" for ligne in lignes)
    change["empreinte"] = VERIFIER.sha256(csv.encode()).hexdigest()
    return {**change, "tirage": VERIFIER.tirer(change)}


def _sans_effet(doc: dict[str, Any]) -> list[Any]:
    """Return the population with an amount changed that cannot be drawn."""
    [negatif] = [ligne for ligne in doc["population"] if ligne[1] < 0]
    return [[ligne[0], ligne[1] - (ligne == negatif), *ligne[2:]] for ligne in doc["population"]]


Changement = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.mark.parametrize(
    "change",
    [
        lambda doc: _refait(doc, graine="autre"),
        lambda doc: _refait(doc, parametres={**doc["parametres"], "taille": 6}),
        lambda doc: _refait(doc, parametres={**doc["parametres"], "selection": "simple"}),
        lambda doc: _refait(doc, population=doc["population"][:-1]),
        lambda doc: _refait(doc, population=[*doc["population"], [str(UUID(int=1)), 5, *"oAp"]]),
        # An amount that no draw shows: the digest sees it, written again or not.
        lambda doc: _refait(doc, population=_sans_effet(doc)),
        lambda doc: {**doc, "population": _sans_effet(doc)},
        lambda doc: {**doc, "evenements": {"population": 42, "tirage": 42}},
        lambda doc: {**doc, "evenements": {"population": 43, "tirage": 43}},
        lambda doc: {**doc, "evenements": {"population": None, "tirage": 43}},
        lambda doc: {**doc, "evenements": {"population": 42, "tirage": 99}},
        lambda doc: {**doc, "evenements": {}},
        lambda doc: {nom: doc[nom] for nom in doc if nom != "evenements"},
    ],
)
def test_a_sample_that_holds_together_and_was_not_sealed_is_said(
    tmp_path: Path, change: Changement
) -> None:
    doc, dit = document(POPULATION, **STRATIFIE)
    assert juger(tmp_path, change(doc), dit) == "anomalie"


def test_a_sample_whose_events_are_not_in_the_archive_is_said(tmp_path: Path) -> None:
    doc, _ = document(POPULATION, **STRATIFIE)
    assert juger(tmp_path, doc, {}) == "anomalie"


def test_a_sample_of_a_control_is_compared_with_its_event(tmp_path: Path) -> None:
    doc = {**controle(POPULATION, "30", 3), "evenements": {"population": None, "tirage": 7}}
    dit = {nom: doc[nom] for nom in ("algorithme", "graine", "tirage")} | {
        "population_nombre": len(POPULATION)
    }
    assert juger(tmp_path, doc, {7: dit}) == "intact"
    for champ in dit:
        assert juger(tmp_path, doc, {7: {**dit, champ: autre(dit[champ])}}) == "anomalie", champ
