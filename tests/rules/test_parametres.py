"""The numbers of the texts, by date."""

import itertools
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import parametres as salle
from rules.parametres import (
    REGIMES,
    Palier,
    Parametre,
    ParametreHorsVigueur,
    ParametreInconnu,
    Theme,
    ValeurDatee,
    parametre,
    parametres_ecrits,
    parametres_en_vigueur,
    themes,
)

EN_2022 = date(2022, 6, 15)
#: The day from which the simplified costs of 2014-2020 are those of the règlement « omnibus ».
OMNIBUS = date(2018, 8, 2)
LU_LE = date(2026, 11, 22)

DEBUTS: Mapping[str | None, date] = {
    None: date(2014, 1, 1),
    "2014-2020": date(2014, 1, 1),
    "2021-2027": date(2021, 1, 1),
}
CPR21 = date(2021, 7, 1)


def de(debut: date, valeur: object, *, lu: bool = False) -> tuple[date, object, bool]:
    return debut, valeur, lu


def palier(mois: int, au_moins: int, au_plus: int | None = None) -> Palier:
    return Palier(jusqu_a_mois=mois, intermediaires_min=au_moins, intermediaires_max=au_plus)


#: Every number, in its order: regulation, then each value with its first day and whether its text
#: was read. The value before the first is none; the last one holds until further notice.
CONNUS: dict[str, dict[str | None, list[tuple[date, object, bool]]]] = {
    "forfait_15_personnel_taux_max": {
        "2014-2020": [de(DEBUTS["2014-2020"], 15)],
        "2021-2027": [de(DEBUTS["2021-2027"], 15, lu=True)],
    },
    "forfait_20_national_taux_max": {"2014-2020": [de(date(2016, 4, 1), 20, lu=True)]},
    "forfait_20_national_plafond_annuel": {
        "2014-2020": [de(date(2016, 4, 1), "500000.00", lu=True)]
    },
    "forfait_40_taux_max": {
        "2014-2020": [de(DEBUTS["2014-2020"], 40), de(OMNIBUS, 40)],
        "2021-2027": [de(DEBUTS["2021-2027"], 40)],
    },
    "forfait_7_taux_max": {"2021-2027": [de(DEBUTS["2021-2027"], 7, lu=True)]},
    "forfait_25_taux_max": {
        "2014-2020": [de(DEBUTS["2014-2020"], 25)],
        "2021-2027": [de(DEBUTS["2021-2027"], 25, lu=True)],
    },
    "forfait_personnel_20_taux_max": {
        "2014-2020": [de(OMNIBUS, 20)],
        "2021-2027": [de(DEBUTS["2021-2027"], 20)],
    },
    "heures_annuelles": {
        "2014-2020": [de(DEBUTS["2014-2020"], 1720), de(OMNIBUS, 1720)],
        "2021-2027": [de(DEBUTS["2021-2027"], 1720)],
    },
    "couts_simplifies_soutien_public_max": {
        "2014-2020": [de(DEBUTS["2014-2020"], "50000.00", lu=True), de(OMNIBUS, "100000.00")]
    },
    "couts_simplifies_cout_total_max": {
        "2021-2027": [de(DEBUTS["2021-2027"], "200000.00", lu=True)]
    },
    "correction_publicite_taux_max": {"2021-2027": [de(DEBUTS["2021-2027"], 3)]},
    "correction_marche_bareme": {
        None: [de(DEBUTS[None], (5, 10, 25, 100)), de(date(2019, 5, 14), (5, 10, 25, 100))]
    },
    "renonciation_recouvrement_max": {"2014-2020": [de(DEBUTS["2014-2020"], "250.00")]},
    "recettes_exoneration_cout_max": {
        "2014-2020": [de(DEBUTS["2014-2020"], "50000.00"), de(OMNIBUS, "100000.00")]
    },
    "tva_eligible_cout_max": {"2021-2027": [de(DEBUTS["2021-2027"], "5000000.00")]},
    "conservation_seuil_cout": {"2014-2020": [de(DEBUTS["2014-2020"], "1000000.00")]},
    "declaration_irregularite_seuil": {
        "2014-2020": [de(DEBUTS["2014-2020"], "10000.00")],
        "2021-2027": [de(DEBUTS["2021-2027"], "10000.00")],
    },
    "convention_organisme_prive_seuil": {None: [de(DEBUTS[None], "23000.00")]},
    "de_minimis_plafond": {
        None: [de(DEBUTS[None], "200000.00"), de(date(2024, 1, 1), "300000.00")]
    },
    "de_minimis_sieg_plafond": {
        None: [de(DEBUTS[None], "500000.00"), de(date(2024, 1, 1), "750000.00")]
    },
    "heures_par_jour_max": {None: [de(DEBUTS[None], 10), de(date(2016, 8, 10), 10)]},
    "mise_en_concurrence_seuil": {None: [de(DEBUTS[None], "1000.00")]},
    "conservation_annees": {
        "2014-2020": [de(DEBUTS["2014-2020"], 3, lu=True)],
        "2021-2027": [de(DEBUTS["2021-2027"], 5)],
    },
    "conservation_annees_derniere_depense": {"2014-2020": [de(DEBUTS["2014-2020"], 2)]},
    "conservation_aide_etat_annees": {None: [de(DEBUTS[None], 10)]},
    "conservation_participants_jusqu_au": {
        "2014-2020": [de(DEBUTS["2014-2020"], date(2033, 12, 31), lu=True)]
    },
    "delai_reponse_mois": {None: [de(DEBUTS[None], 2, lu=True)]},
    "delai_bilan_final_mois": {None: [de(DEBUTS[None], 6, lu=True)]},
    "delai_saisie_sortie_mois": {None: [de(DEBUTS[None], 1, lu=True)]},
    "delai_contradictoire_jours": {None: [de(DEBUTS[None], 30)]},
    "controle_operation_reponse_jours": {None: [de(DEBUTS[None], 30)]},
    "controle_operation_suites_jours": {None: [de(DEBUTS[None], 90)]},
    "delai_paiement_jours": {
        "2014-2020": [de(DEBUTS["2014-2020"], 90, lu=True)],
        "2021-2027": [de(CPR21, 80, lu=True)],
    },
    "delai_signature_electronique_heures": {"2021-2027": [de(DEBUTS["2021-2027"], 144, lu=True)]},
    "bilans_par_duree": {
        "2014-2020": [de(DEBUTS["2014-2020"], (palier(24, 0), palier(36, 1)), lu=True)],
        "2021-2027": [
            de(
                DEBUTS["2021-2027"],
                (palier(12, 0, 0), palier(24, 0, 1), palier(36, 1), palier(48, 2)),
                lu=True,
            )
        ],
    },
    "liste_operations_mois": {
        "2014-2020": [de(DEBUTS["2014-2020"], 6)],
        "2021-2027": [de(DEBUTS["2021-2027"], 4, lu=True)],
    },
    "declaration_irregularite_mois": {
        "2014-2020": [de(DEBUTS["2014-2020"], 3)],
        "2021-2027": [de(DEBUTS["2021-2027"], 3)],
    },
    "resultat_immediat_semaines": {
        "2014-2020": [de(DEBUTS["2014-2020"], 4, lu=True)],
        "2021-2027": [de(DEBUTS["2021-2027"], 4)],
    },
    "resultat_long_terme_mois": {
        "2014-2020": [de(DEBUTS["2014-2020"], 6)],
        "2021-2027": [de(DEBUTS["2021-2027"], 6)],
    },
    "taux_ue_max_regions_developpees": {"2014-2020": [de(DEBUTS["2014-2020"], 50)]},
    "taux_ue_max_regions_transition": {"2014-2020": [de(DEBUTS["2014-2020"], 60)]},
    "taux_ue_max_idf_rhone_alpes": {"2021-2027": [de(DEBUTS["2021-2027"], 40, lu=True)]},
    "taux_ue_max_autres_regions": {"2021-2027": [de(DEBUTS["2021-2027"], 60, lu=True)]},
    "taux_ue_max_outre_mer": {"2021-2027": [de(DEBUTS["2021-2027"], 85, lu=True)]},
    "taux_ue_max_priorites_particulieres": {
        "2021-2027": [de(DEBUTS["2021-2027"], (90, 95), lu=True)]
    },
    "csf_couverture_bilans_pct": {"2014-2020": [de(DEBUTS["2014-2020"], 100, lu=True)]},
    "eligibilite_debut": {
        "2014-2020": [de(DEBUTS["2014-2020"], date(2014, 1, 1))],
        "2021-2027": [de(DEBUTS["2021-2027"], date(2021, 1, 1))],
    },
    "eligibilite_fin": {
        "2014-2020": [de(DEBUTS["2014-2020"], date(2023, 12, 31))],
        "2021-2027": [de(DEBUTS["2021-2027"], date(2029, 12, 31), lu=True)],
    },
    "avance_pct": {
        "2014-2020": [de(DEBUTS["2014-2020"], 30)],
        "2021-2027": [de(DEBUTS["2021-2027"], 30, lu=True)],
    },
    "avance_plafond": {"2014-2020": [de(DEBUTS["2014-2020"], "50000.00")]},
    "types_beneficiaires_sans_avance": {
        "2014-2020": [de(DEBUTS["2014-2020"], ())],
        "2021-2027": [de(DEBUTS["2021-2027"], ("collectivite", "opco", "etat"), lu=True)],
    },
    "imputation_avance": {None: [de(DEBUTS[None], "immediate")]},
    "taux_mode": {None: [de(DEBUTS[None], "exact")]},
    "fongibilite": {None: [de(DEBUTS[None], "libre")]},
    "tolerance_poste_pct": {None: [de(DEBUTS[None], 0)]},
    "ressources_intermediaires": {None: [de(DEBUTS[None], "percues")]},
    "contreparties_non_percues": {None: [de(DEBUTS[None], "attestation")]},
    "echantillon_taille_min": {None: [de(DEBUTS[None], 30)]},
    "echantillon_couverture_min_pct": {None: [de(DEBUTS[None], 30)]},
    "extrapolation_prevue": {None: [de(DEBUTS[None], "non")]},
    "alerte_delai_paiement_bareme": {None: [de(DEBUTS[None], (50, 75, 100))]},
    "arrondi_mode": {None: [de(DEBUTS[None], "demi_superieur")]},
    "sur_programmation_autorisee_pct": {None: [de(DEBUTS[None], 0)]},
    "seuil_alerte_programmation_pct": {None: [de(DEBUTS[None], 80)]},
    "levier_reference_pct": {None: [de(DEBUTS[None], 340)]},
    "seuil_alerte_programmation_jour": {None: [de(DEBUTS[None], "06-30")]},
    "degagement_office_annees": {
        "2014-2020": [de(DEBUTS["2014-2020"], 3)],
        "2021-2027": [de(DEBUTS["2021-2027"], 3)],
    },
    "degagement_office_dernier_jour": {"2021-2027": [de(DEBUTS["2021-2027"], date(2029, 12, 31))]},
    "ajustement_dotation_jour": {None: [de(DEBUTS[None], "04-30")]},
    "reprise_programmee_apres_fin": {None: [de(DEBUTS[None], "signaler")]},
    "reprise_programmee_avant_debut": {None: [de(DEBUTS[None], "signaler")]},
    "reprise_fin_avant_debut": {None: [de(DEBUTS[None], "refuser")]},
    "reprise_taux_au_dela_du_maximum": {None: [de(DEBUTS[None], "signaler")]},
    "reprise_taux_max_pct": {None: [de(DEBUTS[None], 80)]},
}


# --- Known values ---------------------------------------------------------------------------------


@pytest.mark.parametrize("nom", CONNUS)
def test_each_number_holds_from_its_day_and_until_the_next(nom: str) -> None:
    for regime, suite in CONNUS[nom].items():
        with pytest.raises(ParametreHorsVigueur):
            parametre(nom, le=suite[0][0] - timedelta(days=1), reglement=regime)
        fins = [debut - timedelta(days=1) for debut, _, _ in suite[1:]]
        for (debut, valeur, lu), fin in itertools.zip_longest(suite, fins):
            for jour in (debut, fin or date(2035, 12, 31)):
                trouve = parametre(nom, le=jour, reglement=regime)
                assert (trouve.valeur, trouve.a_compter_du, trouve.jusqu_au) == (valeur, debut, fin)
                assert trouve.verifie_le == (LU_LE if lu else None)


def test_every_number_is_checked_above() -> None:
    assert set(CONNUS) == set(themes())
    for nom, theme in themes().items():
        ecrits = {(v.regime, v.a_compter_du) for v in theme.valeurs}
        assert ecrits == {(r, debut) for r, suite in CONNUS[nom].items() for debut, _, _ in suite}


@pytest.mark.parametrize(
    ("nom", "regime"),
    [
        ("forfait_20_national_taux_max", "2021-2027"),
        ("forfait_20_national_plafond_annuel", "2021-2027"),
        ("couts_simplifies_soutien_public_max", "2021-2027"),
        ("recettes_exoneration_cout_max", "2021-2027"),
        ("renonciation_recouvrement_max", "2021-2027"),
        ("conservation_seuil_cout", "2021-2027"),
        ("avance_plafond", "2021-2027"),
        ("forfait_7_taux_max", "2014-2020"),
        ("couts_simplifies_cout_total_max", "2014-2020"),
        ("correction_publicite_taux_max", "2014-2020"),
        ("tva_eligible_cout_max", "2014-2020"),
        ("conservation_annees_derniere_depense", "2021-2027"),
        ("csf_couverture_bilans_pct", "2021-2027"),
        ("degagement_office_dernier_jour", "2014-2020"),
        ("taux_ue_max_regions_developpees", "2021-2027"),
        ("taux_ue_max_autres_regions", "2014-2020"),
        ("delai_signature_electronique_heures", "2014-2020"),
    ],
)
def test_a_number_of_one_regulation_is_never_found_under_the_other(nom: str, regime: str) -> None:
    for jour in (date(2014, 1, 1), OMNIBUS, date(2021, 7, 1), date(2026, 11, 22)):
        with pytest.raises(ParametreHorsVigueur, match=regime):
            parametre(nom, le=jour, reglement=regime)


@pytest.mark.parametrize(
    ("nom", "le", "regime", "article"),
    [
        ("forfait_40_taux_max", OMNIBUS - timedelta(1), "2014-2020", "n° 1304/2013, art. 14 §2"),
        ("forfait_40_taux_max", OMNIBUS, "2014-2020", "n° 1303/2013, art. 68 ter"),
        ("forfait_40_taux_max", OMNIBUS, None, None),
        ("forfait_40_taux_max", EN_2022, "2021-2027", "2021/1060, art. 56"),
        ("heures_annuelles", OMNIBUS - timedelta(1), "2014-2020", "n° 1303/2013, art. 68 §2"),
        ("heures_annuelles", OMNIBUS, "2014-2020", "n° 1303/2013, art. 68 bis §2"),
        ("heures_par_jour_max", date(2016, 8, 9), None, "L3121-34"),
        ("heures_par_jour_max", date(2016, 8, 10), "2014-2020", "L3121-18"),
        ("de_minimis_plafond", date(2023, 12, 31), "2021-2027", "n° 1407/2013"),
        ("de_minimis_plafond", date(2024, 1, 1), "2014-2020", "2023/2831"),
        ("correction_marche_bareme", date(2019, 5, 13), "2014-2020", "C(2013) 9527"),
        ("correction_marche_bareme", date(2019, 5, 14), "2014-2020", "C(2019) 3452"),
    ],
)
def test_the_article_is_that_of_the_day_and_of_the_regulation(
    nom: str, le: date, regime: str | None, article: str | None
) -> None:
    if article is None:
        with pytest.raises(ParametreHorsVigueur, match="règlement non précisé"):
            parametre(nom, le=le, reglement=regime)
        return
    assert article in parametre(nom, le=le, reglement=regime).reference


def test_under_a_regulation_only_its_texts_are_quoted() -> None:
    autres = {"2014-2020": "2021/10", "2021-2027": "/2013"}
    for ecrit in parametres_ecrits():
        if ecrit.regime is not None:
            assert autres[ecrit.regime] not in ecrit.reference, ecrit.nom


def test_a_value_says_where_it_comes_from() -> None:
    trouve = parametre("delai_paiement_jours", le=EN_2022, reglement="2021-2027")
    assert trouve == Parametre(
        nom="delai_paiement_jours",
        libelle="Paiement du bénéficiaire, à compter du dépôt du bilan",
        valeur=80,
        unite="jours",
        reference="Règlement (UE) 2021/1060, art. 74 §1 b)",
        etiquette="source",
        a_compter_du=CPR21,
        regime="2021-2027",
        verifie_le=LU_LE,
    )


def test_every_number_quotes_something_and_says_what_it_is() -> None:
    for ecrit in parametres_ecrits():
        assert themes()[ecrit.nom].libelle == ecrit.libelle
        assert ecrit.reference.strip(), ecrit.nom
        assert ecrit.libelle.strip(), ecrit.nom
        assert ecrit.unite, ecrit.nom
        assert not isinstance(ecrit.valeur, float | Decimal), ecrit.nom


def test_only_a_text_is_verified_at_its_source() -> None:
    for ecrit in parametres_ecrits():
        assert ecrit.etiquette == "source" or ecrit.verifie_le is None, ecrit.nom


@given(
    le=st.dates(date(2010, 1, 1), date(2040, 1, 1)),
    regime=st.sampled_from([None, *REGIMES]),
    nom=st.sampled_from(sorted(CONNUS)),
)
def test_one_day_has_one_answer_at_most(le: date, regime: str | None, nom: str) -> None:
    valeurs = [v for v in themes()[nom].valeurs if v.vaut(le, regime)]
    assert len(valeurs) <= 1
    if regime is not None:
        listes = [p for p in parametres_en_vigueur(le, regime) if p.nom == nom]
        assert len(listes) == len(valeurs)
        for liste in listes:
            assert liste == parametre(nom, le=le, reglement=regime)


def test_the_document_shows_every_value() -> None:
    racine = Path(__file__).parents[2]
    outil = racine / "tools" / "documenter_regles.py"
    done = subprocess.run([sys.executable, str(outil), "--verifier"], cwd=racine, check=False)
    assert done.returncode == 0, "run: python tools/documenter_regles.py"
    texte = (racine / "docs" / "regles.md").read_text("utf-8")
    assert all(f"<br>`{nom}` |" in texte for nom in themes())


# --- Reading --------------------------------------------------------------------------------------


def test_values_are_read_in_their_own_kind() -> None:
    assert parametre("delai_reponse_mois", le=EN_2022).entier == 2
    fin = parametre("eligibilite_fin", le=EN_2022, reglement="2014-2020")
    assert fin.jour == date(2023, 12, 31)
    avance = parametre("avance_pct", le=EN_2022, reglement="2014-2020")
    assert (avance.taux, avance.pourcent) == (Fraction(3, 10), Decimal(30))
    plafond = parametre("avance_plafond", le=EN_2022, reglement="2014-2020")
    assert plafond.centimes == 50_000_00
    assert parametre("arrondi_mode", le=EN_2022).mode == "demi_superieur"
    bareme = parametre("correction_marche_bareme", le=EN_2022).bareme
    assert bareme == (Fraction(1, 20), Fraction(1, 10), Fraction(1, 4), Fraction(1))
    sans_avance = parametre("types_beneficiaires_sans_avance", le=EN_2022, reglement="2021-2027")
    assert sans_avance.codes == ("collectivite", "opco", "etat")


@pytest.mark.parametrize(
    ("nom", "lisible"),
    [
        ("arrondi_mode", {"mode"}),
        ("avance_plafond", {"centimes"}),
        ("avance_pct", {"taux", "pourcent"}),
        ("correction_marche_bareme", {"bareme"}),
        ("types_beneficiaires_sans_avance", {"codes"}),
        ("delai_reponse_mois", {"entier"}),
        ("eligibilite_fin", {"jour"}),
        ("bilans_par_duree", {"paliers"}),
        ("seuil_alerte_programmation_jour", set()),
    ],
)
def test_a_value_read_in_another_kind_is_a_bug(nom: str, lisible: set[str]) -> None:
    lu = parametre(nom, le=EN_2022, reglement="2014-2020")
    natures = {
        *("entier", "jour", "taux", "pourcent", "bareme"),
        *("centimes", "mode", "codes", "paliers"),
    }
    for nature in sorted(natures - lisible):
        with pytest.raises(TypeError, match=nom):
            getattr(lu, nature)
    for nature in lisible:
        getattr(lu, nature)


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ParametreInconnu, match="« delai_imaginaire » n’existe pas"):
        parametre("delai_imaginaire", le=EN_2022)


@pytest.mark.parametrize(
    ("le", "reglement", "dit"),
    [
        (date(2013, 12, 31), "2014-2020", r"le 31/12/2013 \(2014-2020\)"),
        (date(2021, 6, 30), "2021-2027", r"le 30/06/2021 \(2021-2027\)"),
        (EN_2022, None, "règlement non précisé"),
        (EN_2022, "2007-2013", "2007-2013"),
    ],
)
def test_a_parameter_outside_its_dates_or_regulation_is_refused(
    le: date, reglement: str | None, dit: str
) -> None:
    with pytest.raises(ParametreHorsVigueur, match=dit):
        parametre("delai_paiement_jours", le=le, reglement=reglement)


def test_everything_in_force_is_listed() -> None:
    anciens = parametres_en_vigueur(date(2018, 8, 1), "2014-2020")
    noms = [p.nom for p in anciens]
    assert len(set(noms)) == len(noms)
    assert {p.regime for p in anciens} == {None, "2014-2020"}
    assert "forfait_personnel_20_taux_max" not in noms
    assert "forfait_personnel_20_taux_max" in {
        p.nom for p in parametres_en_vigueur(OMNIBUS, "2014-2020")
    }
    assert parametres_en_vigueur(date(2013, 12, 31)) == ()
    # Without a regulation, the day alone chooses: the payment delay of each one is there.
    delais = [p for p in parametres_en_vigueur(EN_2022) if p.nom == "delai_paiement_jours"]
    assert [p.valeur for p in delais] == [90, 80]


# --- Writing --------------------------------------------------------------------------------------


def valeur(debut: date, fin: date | None = None, regime: salle.Regime | None = None) -> ValeurDatee:
    return ValeurDatee(
        a_compter_du=debut,
        jusqu_au=fin,
        regime=regime,
        valeur=1,
        unite="jours",
        reference="R",
        etiquette="source",
    )


def test_both_ends_of_a_value_are_included() -> None:
    datee = valeur(date(2022, 1, 1), date(2022, 12, 31))
    jours = [date(2021, 12, 31), date(2022, 1, 1), date(2022, 12, 31), date(2023, 1, 1)]
    assert [datee.vaut(jour, None) for jour in jours] == [False, True, True, False]


@pytest.mark.parametrize(
    ("une", "autre", "dispute"),
    [
        (valeur(date(2014, 1, 1)), valeur(date(2022, 1, 1)), True),
        (valeur(date(2022, 1, 1)), valeur(date(2014, 1, 1)), True),
        (valeur(date(2014, 1, 1), date(2022, 1, 1)), valeur(date(2022, 1, 1)), True),
        (valeur(date(2022, 1, 1)), valeur(date(2014, 1, 1), date(2022, 1, 1)), True),
        (valeur(date(2014, 1, 1), date(2021, 12, 31)), valeur(date(2022, 1, 1)), False),
        (valeur(date(2022, 1, 1)), valeur(date(2014, 1, 1), date(2021, 12, 31)), False),
        (valeur(date(2014, 1, 1), regime="2014-2020"), valeur(date(2021, 1, 1)), True),
        (valeur(date(2014, 1, 1)), valeur(date(2021, 1, 1), regime="2021-2027"), True),
        (
            valeur(date(2014, 1, 1), regime="2014-2020"),
            valeur(date(2014, 1, 1), regime="2021-2027"),
            False,
        ),
    ],
)
def test_two_answers_to_one_question_are_refused(
    une: ValeurDatee, autre: ValeurDatee, *, dispute: bool
) -> None:
    if not dispute:
        Theme(libelle="Essai", valeurs=(une, autre))
        return
    with pytest.raises(ValueError, match="two values hold on one day"):
        Theme(libelle="Essai", valeurs=(une, autre))


PRESQUE = """
[essai]
libelle = "Essai"

[[essai.valeurs]]
a_compter_du = 2014-01-01
valeur = {valeur}
unite = "{unite}"
reference = "R"
etiquette = "{etiquette}"
"""


@pytest.fixture
def dossier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("rules.parametres.files", lambda _: tmp_path)
    monkeypatch.setattr("rules.parametres.fichiers", salle.fichiers.__wrapped__)
    return tmp_path


def ecrire(dossier: Path, valeur: str, unite: str, etiquette: str = "source") -> dict[str, Theme]:
    texte = PRESQUE.format(valeur=valeur, unite=unite, etiquette=etiquette)
    (dossier / "un.toml").write_text(texte, "utf-8")
    return themes.__wrapped__()


def test_a_decimal_is_read_exactly(dossier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lus = ecrire(dossier, "12.1", "pourcent")
    monkeypatch.setattr("rules.parametres.themes", lambda: lus)
    lu = parametre("essai", le=EN_2022)
    assert (lu.taux, lu.pourcent) == (Fraction(121, 1000), Decimal("12.1"))


def test_the_number_of_bilans_is_read_by_duration(dossier: Path) -> None:
    texte = "[{ jusqu_a_mois = 12, intermediaires_min = 1 }]"
    (lue,) = ecrire(dossier, texte, "bilans")["essai"].valeurs
    assert lue.lue() == (Palier(jusqu_a_mois=12, intermediaires_min=1),)


@pytest.mark.parametrize(
    ("valeur", "unite"),
    [
        ("50000.00", "euros"),
        ("50000", "euros"),
        ('"50 000"', "euros"),
        ('"30"', "pourcent"),
        ("true", "pourcent"),
        ("[]", "pourcent"),
        ('["5"]', "pourcent"),
        ("30.5", "jours"),
        ("true", "mois"),
        ('"2"', "heures"),
        ("2022-01-01T00:00:00", "date"),
        ('"2022-01-01"', "date"),
        ("1", "mode"),
        ('"collectivite"', "codes"),
        ("[1]", "codes"),
        ("[]", "bilans"),
        ("[{ jusqu_a_mois = 12 }]", "bilans"),
        ("1", "années-lumière"),
    ],
)
def test_a_value_that_its_unit_does_not_admit_is_refused(
    dossier: Path, valeur: str, unite: str
) -> None:
    with pytest.raises(msgspec.ValidationError):
        ecrire(dossier, valeur, unite)


def test_a_number_is_written_in_one_file_only(dossier: Path) -> None:
    texte = PRESQUE.format(valeur="1", unite="jours", etiquette="source")
    (dossier / "deux.toml").write_text(texte, "utf-8")
    with pytest.raises(ValueError, match=r"essai is written twice, the second time in un\.toml"):
        ecrire(dossier, "1", "jours")


def test_a_label_outside_the_three_is_refused(dossier: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match="etiquette"):
        ecrire(dossier, "1", "jours", "certain")


def test_a_field_that_no_reader_knows_is_refused(dossier: Path) -> None:
    with pytest.raises(msgspec.ValidationError, match="jusquau"):
        ecrire(dossier, "1\njusquau = 2022-01-01", "jours")
