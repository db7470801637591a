"""A control explained and computed again, on the real log."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pytest
from vie import Vie

from oi_service.application import Service
from oi_service.ids import convention_of
from projections.explication import Explication, LigneCalcul, expliquer
from projections.journal import flux_du_dossier, lire_flux
from projections.perimetre import OI_ENTIER, Perimetre
from projections.recalcul import CsfNonValideEncore, Recalculs, recalculer, sous
from rules import versions
from rules.calcul import Conditions, Resultat, service_fait
from rules.versions import VersionInconnue, calcul_de

PLAN: dict[str, Any] = {
    "postes": [
        {"code": "personnel", "montant": "60000.00"},
        {"code": "prestations", "montant": "31000.00"},
        {
            "code": "indirectes",
            "montant": "9000.00",
            "mode": "forfait",
            "option": "forfait_15_personnel",
            "taux_pct": "15",
            "assiette": ["personnel"],
        },
    ],
    "fse": "50000.00",
    "ressources": [
        {"type": "publique_epci", "financeur": "EPCI", "montant": "30000.00"},
        {"type": "autofinancement", "financeur": "Porteur", "montant": "20000.00"},
    ],
}


@pytest.fixture
def vie(service: Service) -> Vie:
    """A dossier with staff at 15 %, a contract, an avance, one line set aside in its only bilan."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1", plan=PLAN)
    vie.paiement("OP-1", "15000.00", type="avance")
    vie.bilan(
        "OP-1",
        [
            {"montant_impute": "54812.37", "piece_ref": "BS-1"},
            {"montant_impute": "9999.99", "poste": "prestations", "piece_ref": "F-1"},
        ],
        ressources=[{"type": "publique_epci", "montant": "20000.00", "financeur": "EPCI"}],
    )
    vie.controle(
        "OP-1",
        ecarts={"BS-1": {"montant_ecarte": "1250.40", "motif_code": "TEMPS_NON_JUSTIFIE"}},
    )
    return vie


def csf_id(vie: Vie) -> Any:
    """Return the control of the only bilan."""
    (bilan,) = vie.convention("OP-1").bilans.values()
    assert bilan.csf is not None
    return bilan.csf.csf_id


def explique(vie: Vie, perimetre: Perimetre = OI_ENTIER) -> Explication:
    """Explain the only control."""
    with vie.reads.connection() as conn:
        return expliquer(conn, perimetre, vie.id("OP-1"), csf_id(vie))


def lignes(explication: Explication) -> Mapping[str, LigneCalcul]:
    """Return every line by its code."""
    return {ligne.code: ligne for section in explication.sections for ligne in section.lignes}


def test_each_line_says_how_it_was_computed(vie: Vie) -> None:
    lu = lignes(explique(vie))
    assert lu["reel.personnel"].centimes == 53_561_97
    assert "54\u202f812,37\u00a0€ déclarés − 1\u202f250,40\u00a0€ écartés" in (
        lu["reel.personnel"].calcul or ""
    )
    assert lu["forfait.indirectes"].centimes == 8_034_30
    assert "15\u00a0%" in (lu["forfait.indirectes"].calcul or "")
    assert lu["cout_net"].centimes == 53_561_97 + 9_999_99 + 8_034_30
    assert (lu["c1"].retenue, lu["c2"].retenue, lu["c3"].retenue) == (False, True, False)
    assert lu["fse_du_cumule"].centimes == lu["c2"].centimes
    assert lu["paye_avant"].centimes == 15_000_00
    du = lu["fse_du_cumule"].centimes
    assert du is not None
    assert lu["a_payer"].centimes == du - 15_000_00


def test_each_operand_is_an_event_of_the_dossier(vie: Vie) -> None:
    explication = explique(vie)
    with vie.reads.connection() as conn:
        flux = flux_du_dossier(conn, OI_ENTIER, vie.id("OP-1"))
        known = {
            lu.position: lu.name for lus in lire_flux(conn, OI_ENTIER, flux).values() for lu in lus
        }
    cited = {
        operande.position: ligne.code
        for ligne in lignes(explication).values()
        for operande in ligne.operandes
        if operande.position is not None
    }
    assert cited
    assert cited.keys() <= known.keys()
    (ecart,) = [o for o in lignes(explication)["reel.personnel"].operandes if "BS-1" in o.libelle]
    assert ecart.position is not None
    assert known[ecart.position] == "depense.controlee.v1"
    assert "Temps passé non justifié" in ecart.libelle


def test_the_articles_are_those_of_one_regulation(vie: Vie) -> None:
    articles = [ligne.article or "" for ligne in lignes(explique(vie)).values()]
    assert any("1303/2013" in article for article in articles)
    assert not any("2021/1060" in article for article in articles)


def test_another_territory_reads_nothing(vie: Vie) -> None:
    with pytest.raises(Exception, match="Aucune opération"):
        explique(vie, Perimetre(frozenset({"B"})))


def test_a_control_under_way_has_no_calculation_yet(vie: Vie) -> None:
    vie.reouverture_controle("OP-1")
    vie.ouverture_controle("OP-1")
    with vie.reads.connection() as conn, pytest.raises(CsfNonValideEncore):
        expliquer(conn, OI_ENTIER, vie.id("OP-1"), csf_id(vie))


def refait(vie: Vie) -> Recalculs:
    """Compute the only control again."""
    with vie.reads.connection() as conn:
        return recalculer(conn, OI_ENTIER, vie.id("OP-1"), csf_id(vie))


def test_a_control_computed_again_gives_the_same_cents(vie: Vie) -> None:
    du = refait(vie)
    assert du.regles_de_l_epoque.fse_du == du.fse_du == vie.convention("OP-1").fse_du
    assert du.regles_de_l_epoque.differences == du.regles_actuelles.differences == ()


def test_the_rules_of_tomorrow_show_a_difference_and_touch_nothing(
    vie: Vie, monkeypatch: pytest.MonkeyPatch
) -> None:
    def demain(conditions: Conditions, bilans: Any) -> Resultat:
        return service_fait(msgspec.structs.replace(conditions, arrondi="troncature"), bilans)

    monkeypatch.setattr(versions, "VERSIONS", {**versions.VERSIONS, "2099.1": demain})
    monkeypatch.setattr("projections.recalcul.VERSION_REGLES", "2099.1")
    avant = vie.convention("OP-1")
    du = refait(vie)
    assert du.regles_de_l_epoque.differences == ()
    assert {d.chiffre: d.recalcule - d.enregistre for d in du.regles_actuelles.differences}[
        "Coût total retenu"
    ] == -1
    assert vie.convention("OP-1") == avant


def test_a_version_that_never_was_is_refused() -> None:
    with pytest.raises(VersionInconnue, match=r"« 1999\.1 »"):
        calcul_de("1999.1")


def test_a_control_of_the_first_rules_is_computed_from_its_own_fields(vie: Vie) -> None:
    """What 2026.1 stored at real cost reads into the same calculation."""
    convention_id = convention_of(vie.id("OP-1"))
    with vie.reads.connection() as conn:
        lus = lire_flux(conn, OI_ENTIER, [convention_id])[convention_id]
    fait: Any = next(lu.fait for lu in lus if lu.name == "convention.csf_valide.v1")
    ancien = msgspec.structs.replace(fait, version_regles="2026.1", entrees=None, resultat=None)
    assert sous(ancien, "2026.1").differences == ()


A_L_UNITE: dict[str, Any] = {
    "postes": [
        {
            "code": "parcours",
            "libelle": "Parcours menés à leur terme",
            "montant": "90000.00",
            "mode": "cout_unitaire",
            "unite": "parcours",
            "cout_unite": "750.00",
            "unites": "120",
            "couvre": ["personnel"],
        },
        {
            "code": "livrables",
            "montant": "10000.00",
            "mode": "montant_forfaitaire",
            "couvre": ["prestations"],
            "livrables": [
                {"id": "L1", "libelle": "Guide", "montant": "6000.00"},
                {"id": "L2", "libelle": "Colloque", "montant": "4000.00"},
            ],
        },
    ],
    "fse": "50000.00",
    "ressources": [{"type": "autofinancement", "financeur": "Porteur", "montant": "50000.00"}],
}
NON_PROUVEES = {"retenues": "103", "motif_code": "UNITE_NON_PROUVEE"}


def test_units_and_deliverables_are_those_of_the_version_that_counts(service: Service) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1", plan=A_L_UNITE)
    vie.bilan(
        "OP-1",
        [],
        unites=[{"poste": "parcours", "quantite": "112"}],
        livrables=["L1", "L2"],
    )
    vie.controle("OP-1")
    vie.reouverture_controle("OP-1")
    vie.ouverture_controle("OP-1", le=date(2022, 9, 2))
    vie.controle_realisations(
        "OP-1",
        unites={"parcours": NON_PROUVEES},
        livrables={"L2": {"atteint": False, "motif_code": "LIVRABLE_NON_ATTEINT"}},
        le=date(2022, 9, 3),
    )
    vie.fin_du_controle("OP-1", le=date(2022, 10, 15))
    lu = lignes(explique(vie))
    unites = lu["cout_unitaire.parcours"]
    assert (unites.libelle, unites.centimes) == ("Parcours menés à leur terme", 77_250_00)
    assert [(o.libelle, o.valeur) for o in unites.operandes[1:]] == [
        ("Bilan n° 1, unités justifiées sur 112 déclarées", "103")
    ]
    livrables = lu["montant_forfaitaire.livrables"]
    assert livrables.centimes == 6_000_00
    assert [o.valeur for o in livrables.operandes] == [
        "atteint",
        "non atteint : Livrable non atteint",
    ]
