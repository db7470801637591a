"""The facts of the real call are all there, and its conditions decide as the call says."""

from collections import Counter

import pytest

from aggregates.appel_a_projets.publication import ConditionSaisie, PublierAppelAProjets
from oi_service.demo.appel import appel_reconduit, appel_reel, donnees, fiches
from oi_service.errors import RuleBroken
from oi_service.money import cents
from rules.cofinancement import verifier_cofinancement

INDICATEURS = [i for fiche in fiches().values() for i in fiche["indicateurs"]]


def test_the_call_has_its_27_fiches_for_7_plie() -> None:
    assert len(fiches()) == 27
    assert Counter(fiche["plie"] for fiche in fiches().values()) == {
        "agenais": 5,
        "bordeaux": 5,
        "espace_technowest": 3,
        "grand_perigueux": 5,
        "haut_perigord": 2,
        "portes_du_sud": 3,
        "sources": 4,
    }
    assert {plie["id"] for plie in donnees()["plie"]} == {f["plie"] for f in fiches().values()}


def test_objectives_and_kinds_of_support_are_those_of_the_call() -> None:
    objectifs = Counter(fiche["objectif_specifique"] for fiche in fiches().values())
    assert objectifs == {"OS1": 10, "OS2": 10, "OS3": 7}
    soutiens = Counter(fiche["type_soutien"] for fiche in fiches().values())
    assert soutiens == {"structures": 17, "personnes": 10}


def test_the_86_indicators_have_a_target_and_the_documents_that_prove_it() -> None:
    assert len(INDICATEURS) == 86
    assert all(i["pieces"] and i["mode"] and i["unite"] for i in INDICATEURS)


def test_the_hours_of_insertion_add_up_to_410_000() -> None:
    heures = [i["cible"] for i in INDICATEURS if i["unite"].startswith("heure")]
    assert sum(map(int, heures)) == 410_000


def test_every_period_is_the_year_2021() -> None:
    periodes = {(f["periode"]["debut"], f["periode"]["fin"]) for f in fiches().values()}
    assert periodes == {("2021-01-01", "2021-12-31")}


def test_only_four_fiches_state_a_share() -> None:
    chiffrees = {c for c, f in fiches().items() if (f["condition"] or {}).get("taux_max_fse")}
    assert chiffrees == {"HP1", "S1", "S2", "S3"}


@pytest.mark.parametrize(
    ("code", "cout_total", "fse", "contreparties", "acceptee"),
    [
        ("HP1", "100000.00", "80000.00", "20000.00", True),
        ("HP1", "100000.00", "80000.01", "19999.99", False),
        ("S1", "100000.00", "90000.00", "10000.00", True),
        ("S2", "33333.33", "30000.00", "3333.33", False),
        ("S3", "33333.30", "29999.97", "3333.33", True),
        ("PS1", "50000.00", "50000.00", "0.00", False),
        ("PS2", "50000.00", "49999.99", "0.01", True),
        ("S4", "50000.00", "50000.00", "0.00", True),
        ("A1", "50000.00", "50000.00", "0.00", True),
    ],
)
def test_the_condition_of_each_fiche_decides_to_the_cent(
    code: str, cout_total: str, fse: str, contreparties: str, *, acceptee: bool
) -> None:
    carried = fiches()[code]["condition"]
    condition = ConditionSaisie(**carried).condition() if carried else None

    def decide() -> None:
        verifier_cofinancement(
            condition,
            cout_total_centimes=cents(cout_total),
            fse_centimes=cents(fse),
            contreparties_centimes=cents(contreparties),
        )

    if acceptee:
        decide()
    else:
        with pytest.raises(RuleBroken):
            decide()


def test_both_calls_are_valid_commands_and_the_second_says_that_it_is_invented() -> None:
    reel = PublierAppelAProjets(date_effet="2021-12-01", **appel_reel())
    fictif = PublierAppelAProjets(date_effet="2022-01-10", **appel_reconduit())
    assert (len(reel.fiches), reel.date_cloture.isoformat()) == (27, "2021-12-31")
    assert "fictif" in fictif.numero
    assert "fictif" in fictif.intitule
