"""The grant and its maquette: shared by tranches, enveloppes, réserve and transfers."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_ID,
    CADRE,
    CELLULE,
    CELLULE_B,
    CELLULE_RESERVE,
    ENVELOPPE,
    LIGNE,
    LIGNE_SAISIE,
    OPERATION_ID,
    SUBVENTION,
    SUBVENTION_ID,
    TRANCHE,
    commande,
    euros,
    fait,
)
from pydantic import ValidationError

from aggregates.cadre import Cellule, LigneMaquette
from aggregates.parametres import (
    Parametres,
    Refaction,
    RefactionInutile,
    parametres_des_textes,
)
from aggregates.subvention_globale.conventionnement import (
    AvenantSansCellule,
    AvenantSousLAlloue,
    AvenantSousLeProgramme,
    AvenantSousLeReparti,
    CelluleEnDouble,
    ConventionnerSubventionGlobale,
    NumeroAvenantInattendu,
    PlieEnDouble,
    SignerAvenantSubventionGlobale,
    SubventionGlobaleDejaConventionnee,
    conventionner,
    signer_avenant,
)
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    EnveloppeLiberee,
    EnveloppePlieNotifiee,
    EnveloppeReservee,
    ReserveConstituee,
    SubventionGlobaleConventionnee,
    TrancheOuverte,
    TransfertEnveloppeDecide,
)
from aggregates.subvention_globale.maquette import (
    ConstituerReserve,
    CoutTotalInferieurAuFse,
    DeciderTransfert,
    EnveloppeDepassee,
    InstanceIncompetente,
    LigneDuneAutreAnnee,
    LigneNonOuverte,
    NotifierEnveloppePlie,
    OuvrirTranche,
    PlieInconnu,
    SubventionGlobaleNonEnVigueur,
    TrancheDejaOuverte,
    TranchesAuDelaDeLaSubvention,
    TransfertEntreLignes,
    TransfertSansEffet,
    TransfertSousLeProgramme,
    constituer_reserve,
    notifier_enveloppe,
    ouvrir_tranche,
    transferer,
)
from aggregates.subvention_globale.reservations import (
    DisponibleInsuffisant,
    EnveloppeJustePrise,
    liberer,
    reserver,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, SubventionGlobaleAbsente

MOTIF = "Motif de l’essai"
AUTRE_LIGNE = LIGNE_SAISIE | {"objectif_specifique": "OS2"}


def ask(decision: Any, kind: Any, facts: Any, **saisie: Any) -> Decision:
    return Given(SUBVENTION_GLOBALE, facts).when(decision, commande(kind, **saisie))


def grant(facts: Any = (), **saisie: Any) -> Decision:
    return Given(SUBVENTION_GLOBALE, facts).when(
        conventionner, commande(ConventionnerSubventionGlobale, **saisie), SUBVENTION_ID
    )


def test_a_grant_is_recorded_once() -> None:
    grant().then_one(
        SubventionGlobaleConventionnee,
        cadre=CADRE,
        numero="SG-1",
        date_effet=date(2018, 2, 12),
        fictive=False,
    )
    grant(SUBVENTION).refuses(SubventionGlobaleDejaConventionnee, "SG-1 est déjà enregistrée")


def test_where_the_grant_says_nothing_the_texts_of_its_day_hold() -> None:
    fact = grant().then_one(SubventionGlobaleConventionnee)
    assert fact.parametres == parametres_des_textes("2014-2020", date(2018, 2, 12))
    assert fact.parametres.avance_pct == Decimal(30)
    assert fact.parametres.avance_plafond_centimes is None
    assert fact.parametres.types_beneficiaires_sans_avance == ()
    suivante = grant(reglement="2021-2027", date_effet="2022-02-12").then_one(
        SubventionGlobaleConventionnee
    )
    assert suivante.parametres.types_beneficiaires_sans_avance == ("collectivite", "opco", "etat")


def test_the_grant_decides_one_by_one() -> None:
    choix: dict[str, Any] = {
        "avance_pct": "20",
        "avance_plafond": "50000.00",
        "types_beneficiaires_sans_avance": ["etat"],
        "plafond_avant_solde_pct": "80",
        "delai_contradictoire_jours": 15,
        "arrondi": "troncature",
        "taux_mode": "affiche",
        "imputation_avance": "sur_solde",
        "fongibilite": "tolerance",
        "tolerance_poste_pct": "12.5",
        "ressources_intermediaires": "prorata",
        "contreparties_non_percues": "percu_seulement",
        "extrapolation": True,
        "echantillon_taille_min": 12,
        "echantillon_couverture_min_pct": "40",
        "refaction": {"seuil_pct": "80", "taux_pct": "5"},
    }
    textes = parametres_des_textes("2014-2020", date(2018, 2, 12))
    lus = {
        "avance_pct": Decimal(20),
        "avance_plafond_centimes": euros(50_000),
        "types_beneficiaires_sans_avance": ("etat",),
        "plafond_avant_solde_pct": Decimal(80),
        "delai_contradictoire_jours": 15,
        "arrondi": "troncature",
        "taux_mode": "affiche",
        "imputation_avance": "sur_solde",
        "fongibilite": "tolerance",
        "tolerance_poste_pct": Decimal("12.5"),
        "ressources_intermediaires": "prorata",
        "contreparties_non_percues": "percu_seulement",
        "extrapolation": True,
        "echantillon_taille_min": 12,
        "echantillon_couverture_min_pct": Decimal(40),
        "refaction": Refaction(seuil_pct=Decimal(80), taux_pct=Decimal(5)),
    }
    assert lus.keys() == set(Parametres.__struct_fields__)
    for (nom, saisi), (champ, lu) in zip(choix.items(), lus.items(), strict=True):
        fact = grant(parametres={nom: saisi}).then_one(SubventionGlobaleConventionnee)
        assert fact.parametres == msgspec.structs.replace(textes, **{champ: lu}), nom


def test_a_refaction_takes_something_away() -> None:
    for rien in ("0", "0.0000"):
        grant(parametres={"refaction": {"seuil_pct": "80", "taux_pct": rien}}).refuses(
            RefactionInutile, "ne retire rien"
        )


def test_invented_amounts_are_said_so_from_the_first_event() -> None:
    grant(nature_des_donnees="fictives").then_one(SubventionGlobaleConventionnee, fictive=True)


def test_a_plie_is_named_once_and_not_as_the_reserve() -> None:
    twice = [{"plie_id": "A", "nom": "PLIE A"}, {"plie_id": "A", "nom": "PLIE A bis"}]
    grant(plie=twice).refuses(PlieEnDouble, "Le PLIE « A » figure deux fois")
    for taken in ("reserve", "non_reparti", "mutualise", "reprise"):
        with pytest.raises(ValidationError, match="réservé"):
            grant(plie=[{"plie_id": taken, "nom": "PLIE"}])


@pytest.mark.parametrize("pct", ["101", "-1", "1e1", "٣", 30, "30 %"])
def test_a_percentage_is_a_decimal_string_up_to_a_hundred(pct: object) -> None:
    with pytest.raises(ValidationError):
        grant(parametres={"avance_pct": pct})


def amend(facts: Any = TRANCHE, **saisie: Any) -> Decision:
    return ask(signer_avenant, SignerAvenantSubventionGlobale, facts, **saisie)


def test_an_avenant_of_the_grant_keeps_what_it_does_not_name() -> None:
    amend(fse_total="1200000.00").then_one(
        AvenantSubventionGlobaleSigne,
        fse_total_avant_centimes=euros(1_000_000),
        fse_total_apres_centimes=euros(1_200_000),
        programmation_apres=fait(AvenantSubventionGlobaleSigne).programmation_avant,
    )
    after = amend(programmation={"debut": "2018-01-01", "fin": "2023-06-30"}).state()
    assert (after.fse_total, after.avenants) == (euros(1_000_000), 1)
    assert after.en_vigueur(date(2023, 6, 30))
    assert not after.en_vigueur(date(2023, 7, 1))


def test_avenants_of_the_grant_follow_one_another() -> None:
    amend(numero_avenant=2).refuses(
        NumeroAvenantInattendu, "L’avenant n° 1 est attendu, et non le n° 2"
    )


def test_avenant_of_the_grant_below_its_open_tranches_is_refused_to_the_cent() -> None:
    amend(fse_total="399999.99").refuses(AvenantSousLeReparti, "à 399 999,99 €")
    amend(fse_total="400000.00").then_one(AvenantSubventionGlobaleSigne)


def ecart(plie_id: str, fse: str, cout_total: str | None = None, **ligne: Any) -> dict[str, Any]:
    return {
        "cellule": {"ligne": LIGNE_SAISIE | ligne, "plie_id": plie_id},
        "fse": fse,
        "cout_total": cout_total or fse,
    }


def test_an_avenant_moves_the_maquette_between_lines_which_no_transfer_may() -> None:
    decided = amend(
        ENVELOPPE,
        ecarts=[
            ecart("A", "-5000.00", "-10000.00"),
            ecart("A", "5000.00", "10000.00", objectif_specifique="OS2"),
        ],
    )
    [avenant] = decided.facts()
    assert [e.fse_centimes for e in avenant.ecarts] == [euros(-5_000), euros(5_000)]
    after = decided.state()
    autre = Cellule(ligne=LigneMaquette(**AUTRE_LIGNE), plie_id="A")
    assert after.alloue[autre] == after.tranches[autre.ligne] == euros(5_000)
    assert after.fse_total == euros(1_000_000)


def test_an_avenant_brings_what_the_grant_gained_to_a_line() -> None:
    brought = [ecart("non_reparti", "600000.01")]
    amend(ecarts=brought).refuses(AvenantSousLeReparti, "1 000 000,01 €")
    after = amend(fse_total="1100000.00", ecarts=brought).state()
    assert after.tranches[LIGNE] == euros("1 000 000,01")
    assert after.reparti(LIGNE) == 0


def test_an_avenant_takes_no_euro_that_is_programmed_or_shared() -> None:
    held = [*ENVELOPPE, fait(EnveloppeReservee, fse_centimes=euros(60_000))]
    amend(held, ecarts=[ecart("A", "-40000.01")]).refuses(
        AvenantSousLeProgramme, "avec 59 999,99 €, alors que 60 000,00 € y sont déjà programmés"
    )
    amend(held, ecarts=[ecart("A", "-40000.00")]).then_one(AvenantSubventionGlobaleSigne)
    state = Given(SUBVENTION_GLOBALE, held).state
    place = (state.tranches[LIGNE] - state.reparti(LIGNE)) // 100
    amend(held, ecarts=[ecart("non_reparti", f"-{place}.01")]).refuses(
        AvenantSousLAlloue, "il y manquerait 0,01 €"
    )
    amend(held, ecarts=[ecart("non_reparti", f"-{place}.00")]).then_one(
        AvenantSubventionGlobaleSigne
    )


def test_an_avenant_names_a_cell_once_and_changes_it() -> None:
    amend(ecarts=[ecart("A", "1.00"), ecart("A", "2.00")]).refuses(CelluleEnDouble, "PLIE A")
    amend(ecarts=[ecart("non_reparti", "0.00")]).refuses(AvenantSansCellule, "part non répartie")
    amend(ecarts=[ecart("Z", "1.00")]).refuses(PlieInconnu, "« Z »")


@pytest.mark.parametrize("montant", ["--1.00", "-", "-0", "+1.00", "- 1.00", "-1", 1])
def test_a_difference_is_euros_with_at_most_a_minus_sign(montant: object) -> None:
    with pytest.raises(ValidationError):
        amend(ecarts=[ecart("A", "1.00") | {"fse": montant}])


def opening(facts: Any = SUBVENTION, **saisie: Any) -> Decision:
    return ask(ouvrir_tranche, OuvrirTranche, facts, **saisie)


def line(fse: str, **changes: Any) -> dict[str, Any]:
    return (
        LIGNE_SAISIE
        | {"fse": fse, "contreparties_publiques": "0.00", "contreparties_privees": "0.00"}
        | changes
    )


def test_a_tranche_is_opened_within_the_grant_to_the_cent() -> None:
    opening().then(fait(TrancheOuverte))
    opening(lignes=[line("1000000.01")]).refuses(
        TranchesAuDelaDeLaSubvention, "1 000 000,01 €, au-delà des 1 000 000,00 €"
    )
    opening(lignes=[line("1000000.00")]).then_one(TrancheOuverte)


def test_tranches_add_up() -> None:
    opening(TRANCHE, lignes=[line("600000.01", objectif_specifique="OS2")]).refuses(
        TranchesAuDelaDeLaSubvention, "1 000 000,01 €"
    )


def test_a_line_is_opened_once() -> None:
    opening(TRANCHE, lignes=[line("1.00")]).refuses(TrancheDejaOuverte, "axe 3, OS1, parcours")
    opening(lignes=[line("1.00"), line("2.00")]).refuses(TrancheDejaOuverte, "axe 3, OS1")


def test_a_tranche_holds_lines_of_its_year() -> None:
    opening(lignes=[line("1.00", annee=2022)]).refuses(
        LigneDuneAutreAnnee, "tranche 2022, axe 3, OS1, parcours, n’est pas de la tranche 2021"
    )


AVANT_LA_SUBVENTION: dict[str, tuple[Any, Any, Any]] = {
    "tranche": (ouvrir_tranche, OuvrirTranche, SUBVENTION),
    "enveloppe": (notifier_enveloppe, NotifierEnveloppePlie, TRANCHE),
    "reserve": (constituer_reserve, ConstituerReserve, TRANCHE),
    "transfert": (transferer, DeciderTransfert, ENVELOPPE),
}


@pytest.mark.parametrize("act", AVANT_LA_SUBVENTION)
@pytest.mark.parametrize("jour", ["2017-12-31", "2023-01-01"])
def test_allocating_without_a_grant_in_force_is_refused(act: str, jour: str) -> None:
    decision, kind, facts = AVANT_LA_SUBVENTION[act]
    ask(decision, kind, facts, date_effet=jour).refuses(
        SubventionGlobaleNonEnVigueur, "du 01/01/2018 au 31/12/2022"
    )
    for dernier in ("2018-01-01", "2022-12-31"):
        assert ask(decision, kind, facts, date_effet=dernier).facts()


def test_an_unknown_grant_is_named() -> None:
    assert str(AUTRE_ID) in str(SubventionGlobaleAbsente(id=AUTRE_ID))


def allocate(facts: Any = TRANCHE, **saisie: Any) -> Decision:
    return ask(notifier_enveloppe, NotifierEnveloppePlie, facts, **saisie)


def test_an_enveloppe_is_allocated_within_its_line() -> None:
    allocate().then(fait(EnveloppePlieNotifiee))


def test_allocations_above_the_line_by_a_cent_are_refused() -> None:
    allocate(fse="400000.01", cout_total="800000.00").refuses(
        EnveloppeDepassee, "dispose encore de 400 000,00 € : 400 000,01 €"
    )
    allocate(fse="400000.00", cout_total="800000.00").then_one(EnveloppePlieNotifiee)


def test_allocations_add_up_over_the_plie_and_the_reserve() -> None:
    shared = [*ENVELOPPE, fait(ReserveConstituee, fse_centimes=euros(100_000))]
    allocate(shared, plie_id="B", fse="200000.01", cout_total="400000.00").refuses(
        EnveloppeDepassee, "encore de 200 000,00 €"
    )
    ask(
        constituer_reserve, ConstituerReserve, shared, fse="200000.01", cout_total="400000.00"
    ).refuses(EnveloppeDepassee, "encore de 200 000,00 €")
    allocate(shared, plie_id="B", fse="200000.00", cout_total="400000.00").then_one(
        EnveloppePlieNotifiee
    )


def test_a_line_that_is_not_open_gives_nothing() -> None:
    allocate(ligne=AUTRE_LIGNE).refuses(LigneNonOuverte, "OS2, parcours n’est pas ouverte")
    ask(constituer_reserve, ConstituerReserve, SUBVENTION).refuses(LigneNonOuverte, "OS1")


def test_a_plie_that_the_grant_does_not_name_gets_nothing() -> None:
    allocate(plie_id="C").refuses(PlieInconnu, "Le PLIE « C » ne fait pas partie")
    # The réserve is set aside by its own act.
    allocate(plie_id="reserve").refuses(PlieInconnu, "« reserve »")


@pytest.mark.parametrize("act", ["enveloppe", "reserve", "transfert"])
def test_the_total_cost_holds_the_fund(act: str) -> None:
    decision, kind, facts = AVANT_LA_SUBVENTION[act]
    ask(decision, kind, facts, fse="50000.00", cout_total="49999.99").refuses(
        CoutTotalInferieurAuFse, "Le coût total (49 999,99 €) doit contenir le FSE (50 000,00 €)"
    )
    assert ask(decision, kind, facts, fse="50000.00", cout_total="50000.00").facts()


def test_money_is_set_aside() -> None:
    ask(constituer_reserve, ConstituerReserve, TRANCHE).then(fait(ReserveConstituee))


def transfer(facts: Any = ENVELOPPE, **saisie: Any) -> Decision:
    return ask(transferer, DeciderTransfert, facts, **saisie)


def cell(plie_id: str, **changes: Any) -> dict[str, Any]:
    return {"ligne": LIGNE_SAISIE | changes, "plie_id": plie_id}


def test_a_transfer_moves_money_without_making_any() -> None:
    transfer().then(fait(TransfertEnveloppeDecide, motif=MOTIF))
    after = transfer().state()
    assert after.alloue == {CELLULE: euros(50_000), CELLULE_B: euros(50_000)}
    assert after.reparti(LIGNE) == euros(100_000)


def test_transfer_from_the_reserve() -> None:
    shared = [*ENVELOPPE, fait(ReserveConstituee, fse_centimes=euros(30_000))]
    transfer(shared, de=cell("reserve"), vers=cell("A"), fse="30000.01").refuses(
        TransfertSousLeProgramme, "réserve, tranche 2021"
    )
    after = transfer(shared, de=cell("reserve"), vers=cell("A"), fse="30000.00").state()
    assert after.disponible(CELLULE_RESERVE) == 0


def test_transfer_below_what_the_plie_has_programmed_is_refused_to_the_cent() -> None:
    held = [*ENVELOPPE, fait(EnveloppeReservee, fse_centimes=euros(60_000))]
    transfer(held, fse="40000.01").refuses(
        TransfertSousLeProgramme, "au plus 40 000,00 € peuvent en partir"
    )
    transfer(held, fse="40000.00").then_one(TransfertEnveloppeDecide)


def test_transfer_between_lines_needs_an_avenant_of_the_grant() -> None:
    for changed in ({"objectif_specifique": "OS2"}, {"annee": 2022}, {"dispositif": "emploi"}):
        transfer(vers=cell("B", **changed)).refuses(
            TransfertEntreLignes, "il faut un avenant à la subvention globale"
        )


def test_transfer_of_nothing_or_to_itself_is_refused() -> None:
    transfer(fse="0.00").refuses(TransfertSansEffet, "un montant positif")
    transfer(vers=cell("A")).refuses(TransfertSansEffet, "vers une autre")


def test_transfer_to_an_unknown_plie_is_refused() -> None:
    transfer(vers=cell("C")).refuses(PlieInconnu, "« C »")
    transfer(de=cell("non_reparti")).refuses(PlieInconnu, "« non_reparti »")


def test_transfer_by_the_committee_of_the_plie_is_refused() -> None:
    transfer(instance="comite_pilotage_plie").refuses(InstanceIncompetente, "Seule l’instance")


# What programming holds.


def hold(fse: str, facts: Any = ENVELOPPE, jour: date = date(2022, 1, 20)) -> Decision:
    return Given(SUBVENTION_GLOBALE, facts).when(
        reserver,
        operation_id=OPERATION_ID,
        cellule=CELLULE,
        fse_centimes=euros(fse),
        date_effet=jour,
    )


def free(fse: str, facts: Any) -> Decision:
    return Given(SUBVENTION_GLOBALE, facts).when(
        liberer,
        operation_id=OPERATION_ID,
        cellule=CELLULE,
        fse_centimes=euros(fse),
        date_effet=date(2022, 1, 20),
        motif=MOTIF,
    )


def test_programming_above_what_is_available_is_refused_to_the_cent() -> None:
    hold("100 000,01").refuses(
        DisponibleInsuffisant,
        "100 000,01 € de FSE ne peuvent pas être programmés sur PLIE A, tranche 2021, axe 3, OS1, "
        "parcours : il y reste 100 000,00 €",
    )
    hold("100 000,00").then_one(EnveloppeReservee, fse_centimes=euros(100_000))


def test_what_is_held_is_no_longer_available() -> None:
    held = [*ENVELOPPE, fait(EnveloppeReservee, fse_centimes=euros(60_000))]
    hold("40 000,01", held).refuses(DisponibleInsuffisant, "il y reste 40 000,00 €")
    freed = [*held, fait(EnveloppeLiberee, fse_centimes=euros(60_000))]
    hold("100 000,00", freed).then_one(EnveloppeReservee)


def test_programming_without_a_grant_in_force_is_refused() -> None:
    hold("1,00", jour=date(2023, 1, 1)).refuses(SubventionGlobaleNonEnVigueur, "le 01/01/2023")


def test_holding_or_freeing_nothing_is_no_fact() -> None:
    hold("0,00").then()
    free("0,00", ENVELOPPE).then()


def test_freeing_says_why() -> None:
    held = [*ENVELOPPE, fait(EnveloppeReservee, fse_centimes=euros(60_000))]
    free("60 000,00", held).then_one(
        EnveloppeLiberee, fse_centimes=euros(60_000), motif=MOTIF, operation_id=OPERATION_ID
    )
    # More than what is held is a bug of ours, never a refusal.
    with pytest.raises(AssertionError):
        free("60 000,01", held).facts()


def test_the_loser_of_a_race_is_told_so() -> None:
    assert "vient d’être prise par une autre décision" in str(EnveloppeJustePrise())
