"""What time costs, and what is wrong with it: the day, the month, the year, the proof."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_service.money import round_cents
from rules.constat import Constat
from rules.parametres import Parametre, parametre
from rules.temps import (
    JUSTIFICATIFS_ACCEPTES,
    JUSTIFICATIFS_TEMPS,
    METHODES,
    Cle,
    JourTravaille,
    Temps,
    TempsAilleurs,
    constats_de_temps,
    heures,
    montant_calcule,
)

REGLEMENT = "2021-2027"
LE = date(2022, 5, 31)


def seuil(nom: str) -> Parametre:
    return parametre(nom, le=LE, reglement=REGLEMENT)


def lisible(texte: str) -> str:
    return texte.replace("\u202f", " ").replace("\u00a0", " ")


def taux_horaire(heures_operation: str = "612.50", **changes: Any) -> Temps:
    return Temps(
        **{
            "methode": "taux_horaire",
            "cout_centimes": 4_321_560,
            "annee": 2022,
            "heures_operation": Decimal(heures_operation),
            "heures_base": Decimal(1720),
            "justificatif": "releve_signe",
            **changes,
        }
    )


def mensuel(heures_operation: str, heures_base: str = "150", **changes: Any) -> Temps:
    return Temps(
        **{
            "methode": "temps_travaille",
            "cout_centimes": 300_000,
            "annee": 2022,
            "mois": 5,
            "heures_operation": Decimal(heures_operation),
            "heures_base": Decimal(heures_base),
            "justificatif": "logiciel_temps",
            **changes,
        }
    )


def fixe(pourcentage: str = "40", **changes: Any) -> Temps:
    return Temps(
        **{
            "methode": "pourcentage_fixe",
            "cout_centimes": 250_000,
            "annee": 2022,
            "mois": 5,
            "pourcentage": Decimal(pourcentage),
            "justificatif": "lettre_mission",
            "accepte_le": date(2021, 12, 1),
            **changes,
        }
    )


def jours(*releve: tuple[int, str]) -> tuple[JourTravaille, ...]:
    return tuple(
        JourTravaille(jour=date(2022, 5, jour), heures=Decimal(combien)) for jour, combien in releve
    )


def constats(
    temps: Temps | None, *ailleurs: Temps | TempsAilleurs, **changes: Any
) -> dict[str, Constat]:
    """Return the findings by test; a bare time elsewhere is that of another operation."""
    autres = [
        a if isinstance(a, TempsAilleurs) else TempsAilleurs(operation="Opération 2", temps=a)
        for a in ailleurs
    ]
    trouves = constats_de_temps(
        temps,
        autres,
        **{
            "reglement": REGLEMENT,
            "periode_debut": date(2022, 1, 1),
            "personnel": True,
            "regularisation": False,
            "heures_par_jour_max": seuil("heures_par_jour_max"),
            "heures_annuelles": seuil("heures_annuelles"),
            **changes,
        },
    )
    return {constat.test: constat for constat in trouves}


def statuts(trouves: dict[str, Constat]) -> dict[str, str]:
    return {test: constat.statut for test, constat in trouves.items()}


def valeurs(constat: Constat) -> dict[str, str]:
    return {v.nom: lisible(v.valeur) for v in constat.valeurs}


# What it costs.


def test_csf_29_the_hourly_rate_is_not_rounded() -> None:
    assert montant_calcule(taux_horaire(), None) == 1_538_928
    assert montant_calcule(taux_horaire(), None, "troncature") == 1_538_927


def test_csf_28_a_key_shares_its_cost() -> None:
    cle = Cle(numerateur=725, denominateur=4250, libelle="ETP", assiette_centimes=18_000_000)
    assert montant_calcule(None, cle) == 3_070_588


def test_other_methods() -> None:
    assert montant_calcule(mensuel("60"), None) == 120_000
    assert montant_calcule(fixe("33.33"), None) == 83_325
    plein = Temps(methode="plein_temps", cout_centimes=250_000, annee=2022)
    assert montant_calcule(plein, None) == 250_000


def test_nothing_computes_an_amount_out_of_nothing() -> None:
    assert montant_calcule(None, None) is None
    assert montant_calcule(None, Cle(numerateur=1, denominateur=2, libelle="m²")) is None
    assert taux_horaire(heures_base=None).part == 0


def test_what_is_taken_back_is_rounded_as_what_was_given() -> None:
    assert montant_calcule(taux_horaire(), None, regularisation=True) == -1_538_928


@given(
    st.integers(1, 10**11),
    st.decimals("0.01", 2000, places=2),
    st.decimals("0.01", 2000, places=2),
    st.sampled_from(["demi_superieur", "troncature"]),
)
def test_the_amount_is_one_rounding_away_from_the_exact_product(
    cout: int, faites: Decimal, base: Decimal, arrondi: Any
) -> None:
    temps = taux_horaire(cout_centimes=cout, heures_operation=faites, heures_base=base)
    exact = Fraction(cout) * Fraction(faites) / Fraction(base)
    found = montant_calcule(temps, None, arrondi)
    assert found == round_cents(exact, arrondi)
    assert abs(found - exact) < 1


@pytest.mark.parametrize(
    ("valeur", "ecrit"),
    [("1720", "1 720 h"), ("612.50", "612,5 h"), ("7", "7 h"), ("0.25", "0,25 h")],
)
def test_hours_are_written_for_a_french_reader(valeur: str, ecrit: str) -> None:
    assert lisible(heures(Decimal(valeur))) == ecrit


# Its proof.


def test_every_method_has_a_name_and_known_proofs() -> None:
    assert set(METHODES) == set(JUSTIFICATIFS_ACCEPTES)
    for acceptes in JUSTIFICATIFS_ACCEPTES.values():
        assert acceptes
        assert set(acceptes) <= set(JUSTIFICATIFS_TEMPS)


def test_time_without_proof_is_a_defect() -> None:
    trouve = constats(mensuel("60", justificatif=None))["temps_justifie"]
    assert (trouve.statut, trouve.motif_code) == ("anomalie", "TEMPS_NON_JUSTIFIE")
    assert "logiciel de suivi du temps" in trouve.message


@pytest.mark.parametrize(
    ("temps", "statut"),
    [
        (mensuel("60", justificatif="feuilles_emargement"), "conforme"),
        (mensuel("60", justificatif="contrat_travail"), "anomalie"),
        (taux_horaire(justificatif="fiche_poste"), "anomalie"),
        (fixe(justificatif="fiche_poste"), "conforme"),
        (fixe(justificatif="logiciel_temps"), "anomalie"),
        (fixe(methode="plein_temps", justificatif="lettre_mission"), "conforme"),
        (fixe(methode="plein_temps", justificatif="fiche_poste"), "anomalie"),
    ],
)
def test_the_proof_must_suit_the_method(temps: Temps, statut: str) -> None:
    assert constats(temps)["temps_justifie"].statut == statut


def test_staff_without_time_is_for_a_person_to_judge() -> None:
    assert statuts(constats(None)) == {
        "temps_justifie": "a_apprecier",
        "temps_accepte": "conforme",
        "temps_jour": "conforme",
        "temps_mois": "conforme",
        "temps_annee": "conforme",
    }
    sans_objet = constats(None, personnel=False)["temps_justifie"]
    assert (sans_objet.statut, sans_objet.message) == (
        "conforme",
        "Sans objet : aucun temps n’est déclaré.",
    )


def test_a_fixed_share_is_accepted_beforehand() -> None:
    assert constats(fixe())["temps_accepte"].statut == "conforme"
    assert constats(fixe(accepte_le=date(2022, 5, 1)))["temps_accepte"].statut == "conforme"
    tard = constats(fixe(accepte_le=date(2022, 5, 2)))["temps_accepte"]
    assert (tard.statut, valeurs(tard)["Accord du gestionnaire"]) == ("a_apprecier", "02/05/2022")
    jamais = constats(fixe(accepte_le=None))["temps_accepte"]
    assert (jamais.statut, valeurs(jamais)["Pourcentage"]) == ("anomalie", "40 %")
    assert constats(mensuel("60"))["temps_accepte"].message.startswith("Sans objet")


def test_a_yearly_fixed_share_is_accepted_before_the_operation_starts() -> None:
    annuel = fixe(mois=None, accepte_le=date(2022, 3, 1))
    ouvert = constats(annuel, periode_debut=date(2022, 3, 1))["temps_accepte"]
    assert ouvert.statut == "conforme"
    assert constats(annuel)["temps_accepte"].statut == "a_apprecier"
    lendemain = fixe(mois=None, accepte_le=date(2022, 1, 2))
    assert constats(lendemain)["temps_accepte"].statut == "a_apprecier"


# The day.


def test_a_day_beyond_capacity_is_a_defect_to_the_quarter_of_an_hour() -> None:
    juste = mensuel("10", jours=jours((3, "10")))
    assert constats(juste)["temps_jour"].statut == "conforme"
    trouve = constats(mensuel("10.25", jours=jours((3, "10.25"))))["temps_jour"]
    assert trouve.statut == "anomalie"
    assert valeurs(trouve) == {"Maximum par jour": "10 h", "03/05/2022": "10,25 h"}
    assert "L3121-18" in trouve.article


def test_a_day_adds_up_over_the_operations_of_the_employer() -> None:
    ici = mensuel("14", jours=jours((3, "7"), (4, "7")))
    ailleurs = mensuel("10", jours=jours((3, "3"), (4, "4"), (5, "3")))
    trouve = constats(ici, ailleurs)["temps_jour"]
    assert trouve.statut == "anomalie"
    assert "04/05/2022" in trouve.message
    assert "03/05/2022" not in trouve.message
    assert valeurs(trouve)["04/05/2022"] == "11 h"


def test_every_day_beyond_capacity_is_shown() -> None:
    trouve = constats(mensuel("36", jours=jours((3, "12"), (4, "12"), (5, "12"))))["temps_jour"]
    assert len(trouve.valeurs) == 4


def test_days_that_are_not_those_of_the_time_are_a_defect() -> None:
    total = constats(mensuel("8", jours=jours((3, "7"))))["temps_jour"]
    assert (total.statut, valeurs(total)["Total des jours"]) == ("anomalie", "7 h")
    hors = constats(mensuel("7", mois=6, jours=jours((3, "7"))))["temps_jour"]
    assert (hors.statut, "03/05/2022" in hors.message) == ("anomalie", True)
    autre_annee = constats(taux_horaire("7", annee=2021, jours=jours((3, "7"))))["temps_jour"]
    assert autre_annee.statut == "anomalie"


def test_hours_without_days_are_looked_at_on_the_sheet() -> None:
    assert constats(mensuel("60"))["temps_jour"].statut == "a_apprecier"
    for sans_heures in (fixe(), fixe(methode="plein_temps")):
        assert constats(sans_heures)["temps_jour"].message.startswith("Sans objet")


def test_what_the_texts_do_not_set_is_for_a_person_to_judge() -> None:
    releve = mensuel("7", jours=jours((3, "7")))
    sans = constats(releve, heures_par_jour_max=None, heures_annuelles=None)
    assert (sans["temps_jour"].statut, sans["temps_annee"].statut) == ("a_apprecier",) * 2
    assert (sans["temps_jour"].message, sans["temps_annee"].message) == (
        "Aucun maximum d’heures par jour n’est en vigueur. Vérifiez les journées du relevé.",
        "Aucun maximum d’heures par an n’est en vigueur. Vérifiez les heures de la personne.",
    )


def test_a_salary_and_its_charges_are_one_time_on_the_same_operation() -> None:
    salaire = mensuel("9", jours=jours((3, "9")))
    charges = TempsAilleurs(
        operation="Cette opération",
        temps=mensuel("9", jours=jours((3, "9")), cout_centimes=126_000),
    )
    trouve = constats(salaire, charges)["temps_jour"]
    assert trouve.statut == "a_apprecier"
    assert "salaire et charges" in trouve.message
    ailleurs = TempsAilleurs(operation="Opération 2", temps=charges.temps)
    assert constats(salaire, ailleurs)["temps_jour"].statut == "anomalie"


# The month.


def test_a_person_over_a_hundred_per_cent_is_a_defect() -> None:
    assert constats(mensuel("90"), mensuel("60"))["temps_mois"].statut == "conforme"
    trouve = constats(mensuel("90"), mensuel("60.15"))["temps_mois"]
    assert trouve.statut == "anomalie"
    assert "mai 2022" in trouve.message
    assert "100,1 %" in lisible(trouve.message)
    assert valeurs(trouve) == {"Cette opération": "60 %", "Opération 2": "40,1 %"}


def test_other_months_and_years_do_not_count() -> None:
    assert constats(mensuel("150"), mensuel("150", mois=6))["temps_mois"].statut == "conforme"
    assert constats(mensuel("150"), mensuel("150", annee=2023))["temps_mois"].statut == "conforme"


def test_methods_add_up() -> None:
    assert constats(fixe("40"), mensuel("90"))["temps_mois"].statut == "conforme"
    assert constats(fixe("40.01"), mensuel("90"))["temps_mois"].statut == "anomalie"
    plein = fixe(methode="plein_temps")
    assert constats(plein)["temps_mois"].statut == "conforme"
    assert constats(plein, fixe("0.01"))["temps_mois"].statut == "anomalie"


def test_time_counted_over_the_year_may_or_may_not_add_to_a_month() -> None:
    annuel = taux_horaire("860")
    assert constats(mensuel("75"), annuel)["temps_mois"].statut == "conforme"
    assert constats(mensuel("76"), annuel)["temps_mois"].statut == "a_apprecier"
    assert constats(annuel, mensuel("76"))["temps_mois"].statut == "a_apprecier"
    for mois in (1, 12):
        assert constats(annuel, mensuel("76", mois=mois))["temps_mois"].statut == "a_apprecier"
    juin = mensuel("150", mois=6)
    assert constats(mensuel("75"), annuel, juin)["temps_mois"].statut == "conforme"
    trop = constats(annuel, taux_horaire("861"))["temps_mois"]
    assert (trop.statut, "l’année 2022" in trop.message) == ("anomalie", True)


def test_a_regularisation_takes_its_time_back() -> None:
    repris = TempsAilleurs(operation="Opération 2", temps=mensuel("60"), regularisation=True)
    autres = (mensuel("60"), mensuel("60"))
    assert constats(mensuel("90"), *autres)["temps_mois"].statut == "anomalie"
    assert constats(mensuel("90"), *autres, repris)["temps_mois"].statut == "conforme"
    assert constats(mensuel("91"), *autres, repris)["temps_mois"].statut == "anomalie"
    moins = constats(mensuel("60"), mensuel("150"), regularisation=True)
    assert moins["temps_mois"].statut == "conforme"


def test_a_salary_and_its_charges_are_one_share() -> None:
    ici = [
        TempsAilleurs(operation="Cette opération", temps=mensuel("90", cout_centimes=126_000)),
    ]
    assert constats(mensuel("90"), *ici)["temps_mois"].statut == "a_apprecier"
    # Two lines of the very same cost are two times.
    deux = [TempsAilleurs(operation="Cette opération", temps=mensuel("90"))]
    assert constats(mensuel("90"), *deux)["temps_mois"].statut == "anomalie"


def test_two_times_of_one_operation_add_up_whatever_they_cost() -> None:
    autre = mensuel("75", cout_centimes=126_000)
    ici = TempsAilleurs(operation="Cette opération", temps=autre)
    trouve = constats(mensuel("90"), ici)["temps_mois"]
    assert (trouve.statut, valeurs(trouve)) == ("anomalie", {"Cette opération": "110 %"})
    ailleurs = constats(mensuel("90"), mensuel("30"), mensuel("20"))["temps_mois"]
    assert valeurs(ailleurs)["Opération 2"] == "33,33 %"


# The year.


def test_more_hours_than_the_year_counts_is_a_defect() -> None:
    juste = constats(taux_horaire("1107.50"), taux_horaire("612.50"))["temps_annee"]
    assert juste.statut == "conforme"
    trouve = constats(taux_horaire("1107.75"), taux_horaire("612.50"))["temps_annee"]
    assert trouve.statut == "anomalie"
    assert valeurs(trouve) == {
        "Maximum de l’année": "1 720 h",
        "Total 2022": "1 720,25 h",
        "Cette opération": "1 107,75 h",
        "Opération 2": "612,5 h",
    }
    assert "art. 55" in trouve.article


def test_hours_of_every_method_count_in_the_year() -> None:
    assert constats(taux_horaire("1700"), mensuel("21"))["temps_annee"].statut == "anomalie"
    assert constats(taux_horaire("1700"), mensuel("20"))["temps_annee"].statut == "conforme"
    assert constats(fixe(), taux_horaire("1800"))["temps_annee"].message.startswith("Sans objet")


def test_a_smaller_divisor_is_a_smaller_maximum() -> None:
    """Half-time: the hourly rate divides by 860 h, no more can be declared."""
    mi_temps = taux_horaire("860", heures_base=Decimal(860))
    assert constats(mi_temps)["temps_annee"].statut == "conforme"
    trouve = constats(taux_horaire("861", heures_base=Decimal(860)))["temps_annee"]
    assert (trouve.statut, valeurs(trouve)["Maximum de l’année"]) == ("anomalie", "860 h")


def test_quarters_of_one_rate_add_up() -> None:
    trimestres = [
        TempsAilleurs(operation="Cette opération", temps=taux_horaire("450")) for _ in range(3)
    ]
    assert constats(taux_horaire("450"), *trimestres)["temps_annee"].statut == "anomalie"
    autres_couts = [
        TempsAilleurs(
            operation="Cette opération", temps=taux_horaire("450", cout_centimes=1_000 + rang)
        )
        for rang in range(3)
    ]
    assert constats(taux_horaire("450"), *autres_couts)["temps_annee"].statut == "a_apprecier"


_TEMPS = st.one_of(
    st.builds(taux_horaire, st.integers(1, 3000).map(str)),
    st.builds(mensuel, st.integers(1, 300).map(str), mois=st.integers(1, 12)),
    st.builds(fixe, st.integers(1, 100).map(str)),
)


@given(_TEMPS, st.lists(_TEMPS, max_size=5))
def test_more_time_elsewhere_never_makes_a_defect_disappear(
    temps: Temps, ailleurs: list[Temps]
) -> None:
    rang = {"conforme": 0, "a_apprecier": 1, "anomalie": 2}
    seul, avec = constats(temps), constats(temps, *ailleurs)
    assert list(seul) == list(avec)
    for test in ("temps_jour", "temps_mois", "temps_annee"):
        assert rang[avec[test].statut] >= rang[seul[test].statut]
