"""What a control says and computes, where a change of one operator once went unseen."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    BILAN_ID,
    CSF,
    CSF_ID,
    DEPENSE_ID,
    DETAIL,
    ENTENDU,
    INDICATEUR,
    NOTIFIEE,
    OPERATION_ID,
    PAR,
    commande,
    convention,
    depense,
    euros,
    fait,
    livrables,
    operation,
    parcours,
    plan,
    poste,
    ressource,
    signee,
)

from aggregates.convention.cloture_office import (
    BilanPasEnRetard,
    CloreOffice,
    ClotureOfficeBilanEnAttente,
    ClotureOfficeSansReclamation,
    ReclamerBilan,
    clore_office,
    reclamer_bilan,
)
from aggregates.convention.constatations import (
    ControlerRealisations,
    ControlerRessources,
    CorrectionAuDelaDuTexte,
    CorrigerFse,
    RessourceNonAcquise,
    UnitesOubliees,
    UnitesSuperieures,
    controler_realisations,
    controler_ressources,
    corriger_fse,
)
from aggregates.convention.echantillons import (
    DeciderExtrapolation,
    EchantillonDejaTire,
    ExtrapolationSansIrregularite,
    TirageNonControle,
    TirerEchantillon,
    decider_extrapolation,
    echantillon,
    tirer_echantillon,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    BilanPrevu,
    BilanReclame,
    ConclusionsFinalesNotifiees,
    ConventionNotifiee,
    CsfOuvert,
    CsfValide,
    EchantillonTire,
    FseCorrige,
    MarcheCorrige,
    PosteRetenu,
    RealisationsControlees,
    RessourceRetenue,
    RessourcesControlees,
    UnitesControlees,
    UnitesDeclarees,
)
from aggregates.convention.state import CONVENTION
from aggregates.convention.validation import (
    ContributionSansContrepartie,
    DelaiContradictoireTropCourt,
    NotifierConclusions,
    NotifierConclusionsFinales,
    ValiderCsf,
    notifier_conclusions,
    notifier_conclusions_finales,
    valider_csf,
)
from aggregates.depense.controle import (
    ControlerDepenses,
    DepenseHorsBilan,
    EcarteSuperieurAuDeclare,
    EcarteSuperieurAuReste,
    MotifObligatoire,
    MotifSansEcart,
    PosteForfaitise,
    PosteNonConventionne,
    RegularisationRetenueEntiere,
    controler,
    valider_hors_tirage,
)
from aggregates.depense.events import (
    DepenseControlee,
    DepenseDeclaree,
    DepenseRegularisee,
)
from aggregates.depense.state import DEPENSE, Depense
from aggregates.parametres import Refaction
from rules.calcul import Unites

EPCI = ressource("publique_epci", 60_000)


def under_control(signature: Any = None, **bilan: Any) -> list[Any]:
    """Return a convention whose bilan is under control."""
    return [
        signature or signee(),
        fait(ConventionNotifiee),
        fait(BilanDepose, **bilan),
        fait(BilanJugeRecevable),
        fait(CsfOuvert),
    ]


def validate(facts: Any, *depenses: Depense) -> Decision:
    lines = {UUID(int=70 + rang): d for rang, d in enumerate(depenses)}
    return Given(CONVENTION, facts).when(
        valider_csf, commande(ValiderCsf), CSF_ID, "valideur-1", lines, operation()
    )


def kept(kind: str, declare: int, retenu: int) -> RessourceRetenue:
    return RessourceRetenue(
        type=kind,
        financeur="Financeur fictif",
        montant_declare_centimes=euros(declare),
        montant_retenu_centimes=euros(retenu),
    )


# --- The certificate -----------------------------------------------------------------------------


def test_the_certificate_says_what_each_poste_lost_and_each_resource_brought() -> None:
    retained = kept("publique_epci", 60_000, 50_000)
    facts = [
        *under_control(ressources=(EPCI,)),
        fait(RessourcesControlees, ressources=(retained,)),
        *ENTENDU,
    ]
    validate(facts, depense(80_000, ecarte=500)).then_one(
        CsfValide,
        operation_id=OPERATION_ID,
        fse_max_centimes=euros(50_000),
        cout_total_eligible_centimes=euros(100_000),
        postes=(
            PosteRetenu(
                code="personnel",
                declare_centimes=euros(80_000),
                ecarte_centimes=euros(500),
                retenu_centimes=euros(79_500),
            ),
        ),
        ressources=(retained,),
    )
    # Nothing declared, nothing to decide: an empty list, and not an absence.
    validate(CSF, depense(80_000, ecarte=0)).then_one(CsfValide, ressources=())


def test_the_certificate_counts_what_this_bilan_sets_aside_and_not_the_former_one() -> None:
    first, first_csf = UUID(int=60), UUID(int=61)
    facts = [
        *NOTIFIEE,
        fait(BilanDepose, bilan_id=first, type="intermediaire", depenses=()),
        fait(CsfOuvert, bilan_id=first, csf_id=first_csf),
        fait(
            CsfValide,
            bilan_id=first,
            csf_id=first_csf,
            type="intermediaire",
            postes=(
                PosteRetenu(
                    code="personnel",
                    declare_centimes=euros(30_000),
                    ecarte_centimes=euros(1_000),
                    retenu_centimes=euros(29_000),
                ),
            ),
            depenses_ecartees_centimes=euros(1_000),
        ),
        fait(BilanDepose, numero=2),
        fait(CsfOuvert),
        *ENTENDU,
    ]
    validate(facts, depense(40_000, ecarte=250)).then_one(
        CsfValide, depenses_ecartees_centimes=euros(250)
    )


def test_a_contract_of_several_lines_is_corrected_on_what_each_line_keeps() -> None:
    """25 % of 3 000 + (2 000 less 400)."""
    facts = [*CSF, fait(MarcheCorrige), *ENTENDU]
    lines = [
        depense(3_000, ecarte=0, marche_ref="M-1"),
        depense(2_000, ecarte=400, marche_ref="M-1"),
    ]
    fact = validate(facts, *lines).then_one(CsfValide, cout_net_cumule_centimes=euros(3_450))
    [corrected] = fact.resultat.marches
    assert (corrected.base_centimes, corrected.correction_centimes) == (euros(4_600), euros(1_150))


def test_the_inputs_keep_the_units_declared_beside_those_retained() -> None:
    proven = UnitesControlees(
        poste="parcours", declarees=Decimal(112), retenues=Decimal(112), motif_code=None
    )
    facts = [
        *under_control(
            signee(plan(54_000, ressource("privee", 36_000), p=parcours())),
            depenses=(),
            unites=(UnitesDeclarees(poste="parcours", quantite=Decimal(112)),),
        ),
        fait(RealisationsControlees, unites=(proven,)),
    ]
    fact = validate(facts).then_one(CsfValide)
    assert fact.entrees.bilans[0].unites == (
        Unites(poste="parcours", declarees=Decimal(112), retenues=Decimal(112)),
    )


def test_at_the_end_the_other_funders_count_whole_whatever_the_grant_says_before() -> None:
    """Before the end, 50 000 of 100 000 € would have counted for 40 000 of 80 000 €."""
    signature = signee(
        plan(50_000, ressource("publique_epci", 50_000), personnel=100_000),
        ressources_intermediaires="prorata",
    )
    whole = fait(RessourcesControlees, ressources=(kept("publique_epci", 60_000, 60_000),))
    facts = [*under_control(signature, ressources=(EPCI,)), whole]
    # What was asked is computed in the same way, so that nothing was lost and nobody is heard.
    validate(facts, depense(80_000, ecarte=0)).then_one(
        CsfValide,
        ressources_externes_centimes=euros(60_000),
        fse_du_cumule_centimes=euros(20_000),
    )


@pytest.mark.parametrize("kind", ["nature", "tiers"])
def test_a_resource_without_its_expenditure_is_refused(kind: str) -> None:
    signature = signee(
        plan(
            30_000,
            ressource(kind, 20_000),
            personnel=30_000,
            contribution=poste(kind, 20_000),
        )
    )
    facts = [
        *under_control(signature, ressources=(ressource(kind, 20_000),)),
        fait(RessourcesControlees, ressources=(kept(kind, 20_000, 20_000),)),
        *ENTENDU,
    ]
    validate(facts, depense(22_000, ecarte=0)).refuses(
        ContributionSansContrepartie,
        f"0,00 € de dépenses « {kind} » sont retenues pour 20 000,00 € de ressources",
    )


# --- The hearing ---------------------------------------------------------------------------------


def test_the_day_before_which_nobody_has_to_answer_is_said() -> None:
    asked = commande(NotifierConclusions, date_limite_reponse="2022-01-13")
    Given(CONVENTION, CSF).when(notifier_conclusions, asked, CSF_ID, {}).refuses(
        DelaiContradictoireTropCourt, "ne peut pas précéder le 14/01/2022"
    )


def test_the_end_may_be_said_again_before_the_delay_is_over() -> None:
    said = commande(NotifierConclusionsFinales, date_effet="2022-05-15")
    Given(CONVENTION, [*CSF, *ENTENDU]).when(notifier_conclusions_finales, said, CSF_ID).then(
        fait(ConclusionsFinalesNotifiees, date_effet=date(2022, 5, 15))
    )


# --- What is found beyond the lines --------------------------------------------------------------


def test_the_funder_that_has_not_paid_is_named() -> None:
    above = {
        "type": "publique_epci",
        "financeur": "Financeur fictif",
        "montant_declare": "60000.00",
        "montant_retenu": "60000.01",
    }
    Given(CONVENTION, under_control(ressources=(EPCI,))).when(
        controler_ressources,
        commande(ControlerRessources, ressources=[above]),
        CSF_ID,
        PAR,
    ).refuses(RessourceNonAcquise, "La ressource « Financeur fictif » est retenue")


AU_FORFAIT = under_control(
    signee(
        plan(24_000, ressource("privee", 46_000), mf=livrables(L1=35_000, L2=25_000, L3=10_000))
    ),
    depenses=(),
    livrables=("L1", "L2", "L3"),
)


def prove(facts: Any, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts).when(
        controler_realisations, commande(ControlerRealisations, **saisie), CSF_ID, PAR
    )


def reached(*noms: str) -> list[dict[str, Any]]:
    return [{"id": nom, "atteint": True} for nom in noms]


def test_only_what_is_left_undecided_is_named_in_order() -> None:
    prove(AU_FORFAIT, livrables=reached("L1")).refuses(
        UnitesOubliees, "laisse sans décision : « L2 », « L3 »."
    )
    prove(AU_FORFAIT, livrables=reached("L1", "L2", "L3", "L4")).refuses(
        UnitesOubliees, "laisse sans décision : « L4 »."
    )


def test_the_units_that_were_declared_are_said() -> None:
    a_l_unite = under_control(
        signee(plan(54_000, ressource("privee", 36_000), p=parcours())),
        depenses=(),
        unites=(UnitesDeclarees(poste="parcours", quantite=Decimal("112.5")),),
    )
    prove(a_l_unite, unites=[{"poste": "parcours", "retenues": "113"}]).refuses(
        UnitesSuperieures, "pour « parcours », déclaré pour 112.5."
    )


def test_the_rate_beyond_the_text_is_said() -> None:
    cadre = msgspec.structs.replace(signee().cadre, reglement="2021-2027")
    facts = under_control(msgspec.structs.replace(signee(), cadre=cadre))
    asked = commande(CorrigerFse, taux_pct="3.01")
    Given(CONVENTION, facts).when(corriger_fse, asked, CSF_ID, operation(), PAR).refuses(
        CorrectionAuDelaDuTexte, "3.01 % le dépasse"
    )


def test_an_indicator_of_which_nothing_was_said_reached_nothing() -> None:
    """The target is one: a single unit, supposed done, would hide it."""
    clause = signee(refaction=Refaction(seuil_pct=Decimal(80), taux_pct=Decimal(5)))
    one = msgspec.structs.replace(INDICATEUR, cible=Decimal(1))
    asked = commande(CorrigerFse, nature="refaction_indicateurs")
    Given(CONVENTION, under_control(clause)).when(
        corriger_fse, asked, CSF_ID, operation(indicateurs=(one,), realise={}), PAR
    ).then_one(FseCorrige, taux_pct=Decimal(5))


# --- Samples -------------------------------------------------------------------------------------

AU_TIRAGE = [
    signee(echantillon_taille_min=1, extrapolation=True),
    *CSF[1:-1],
    fait(CsfOuvert, modalite="echantillon"),
]
TIRE = [*AU_TIRAGE, fait(EchantillonTire)]


def lines(*depenses: Depense) -> dict[UUID, Depense]:
    return dict(zip((DEPENSE_ID, AUTRE_DEPENSE_ID), depenses, strict=False))


def extrapolate(*depenses: Depense) -> Decision:
    asked = commande(DeciderExtrapolation)
    context = (CSF_ID, lines(*depenses), PAR)
    return Given(CONVENTION, TIRE).when(decider_extrapolation, asked, *context)


def test_a_refusal_about_a_sample_names_its_poste() -> None:
    Given(CONVENTION, TIRE).when(
        tirer_echantillon, commande(TirerEchantillon), CSF_ID, lines(depense(10)), PAR
    ).refuses(EchantillonDejaTire, "du poste « personnel » est déjà tiré")
    extrapolate(depense(10)).refuses(TirageNonControle, "1 pièce tirée du poste « personnel »")
    extrapolate(depense(10, ecarte=0)).refuses(
        ExtrapolationSansIrregularite, "Le tirage du poste « personnel » ne révèle aucun écart"
    )


def test_a_piece_of_one_cent_is_a_piece_like_another() -> None:
    cent = depense("0,01")
    Given(CONVENTION, AU_TIRAGE).when(
        tirer_echantillon,
        commande(TirerEchantillon),
        CSF_ID,
        lines(depense(10), cent),
        PAR,
    ).then_one(EchantillonTire, population_nombre=2, population_centimes=euros("10,01"))
    csf = convention(TIRE).bilans[BILAN_ID].csf
    assert csf is not None
    assert echantillon(csf, "personnel", lines(depense(10, ecarte=1), cent)).base_centimes == 1


# --- A bilan that never comes --------------------------------------------------------------------

DEUX_ATTENDUS = [
    msgspec.structs.replace(
        signee(),
        bilans_prevus=(
            BilanPrevu(numero=1, type="intermediaire", date_limite=date(2021, 9, 30)),
            BilanPrevu(numero=2, type="final", date_limite=date(2022, 6, 30)),
        ),
    ),
    fait(ConventionNotifiee),
]


def close(facts: Any) -> Decision:
    asked = commande(CloreOffice, numero=2, date_effet="2022-09-02")
    return Given(CONVENTION, facts).when(clore_office, asked)


def test_the_bilan_that_is_late_or_was_not_asked_for_is_named() -> None:
    asked = commande(ReclamerBilan, numero=2, date_effet="2022-06-30")
    Given(CONVENTION, DEUX_ATTENDUS).when(reclamer_bilan, asked).refuses(
        BilanPasEnRetard, "Le bilan n° 2 est attendu jusqu’au 30/06/2022"
    )
    close(DEUX_ATTENDUS).refuses(ClotureOfficeSansReclamation, "le bilan n° 2 n’a pas été réclamé")


def test_a_bilan_found_admissible_is_controlled_before_the_file_is_closed() -> None:
    waiting = [
        *DEUX_ATTENDUS,
        fait(BilanDepose, type="intermediaire"),
        fait(BilanJugeRecevable),
        fait(BilanReclame, numero=2, date_limite_reponse=date(2022, 9, 1)),
    ]
    close(waiting).refuses(ClotureOfficeBilanEnAttente, "Le bilan n° 1 attend son contrôle")


# --- The decision on a line ----------------------------------------------------------------------

DECLAREE = [fait(DepenseDeclaree)]
REPRISE = [
    fait(
        DepenseDeclaree,
        detail=msgspec.structs.replace(
            DETAIL,
            piece_ref="AV-07",
            montant_impute_centimes=-euros(400),
            regularise=AUTRE_DEPENSE_ID,
        ),
    )
]
REGULARISEE = [
    *DECLAREE,
    fait(DepenseRegularisee, regularisation_id=DEPENSE_ID, montant_centimes=-euros(400)),
]


def decide(facts: Sequence[Any] = DECLAREE, signature: Any = None, **ligne: Any) -> Decision:
    state = convention(under_control(signature))
    bilan = state.bilans[BILAN_ID]
    asked = commande(
        ControlerDepenses,
        lignes=[{"depense_id": DEPENSE_ID, "montant_ecarte": "0.00"} | ligne],
    )
    return Given(DEPENSE, facts).when(
        controler, asked, asked.lignes[0], bilan, bilan.csf, state, PAR
    )


def test_a_decision_keeps_what_the_controller_wrote_and_looked_at() -> None:
    decide(commentaire="Vu sur place.", pieces_vues=["Relevé de mai"]).then_one(
        DepenseControlee, commentaire="Vu sur place.", pieces_vues=("Relevé de mai",)
    )


@pytest.mark.parametrize(
    ("facts", "ligne", "refusal", "words"),
    [
        (
            DECLAREE,
            {"depense_id": AUTRE_DEPENSE_ID},
            DepenseHorsBilan,
            "La dépense BS-2021-05 ne figure pas",
        ),
        (
            DECLAREE,
            {"montant_ecarte": "1000.01", "motif_code": "HORS_PERIODE"},
            EcarteSuperieurAuDeclare,
            "1 000,01 € ne peuvent pas être écartés de la dépense BS-2021-05",
        ),
        (
            REGULARISEE,
            {"montant_ecarte": "600.01", "motif_code": "HORS_PERIODE"},
            EcarteSuperieurAuReste,
            "dépense BS-2021-05 : une régularisation en a déjà repris 400,00 €, il en reste 600",
        ),
        (DECLAREE, {"montant_ecarte": "0.01"}, MotifObligatoire, "partie de la dépense BS-2021-05"),
        (DECLAREE, {"motif_code": "HORS_PERIODE"}, MotifSansEcart, "La dépense BS-2021-05 est"),
        (
            REPRISE,
            {"montant_ecarte": "0.01", "motif_code": "HORS_PERIODE"},
            RegularisationRetenueEntiere,
            "La régularisation AV-07 se retient",
        ),
        (REPRISE, {"motif_code": "HORS_PERIODE"}, MotifSansEcart, "La dépense AV-07 est retenue"),
    ],
)
def test_a_refusal_about_a_line_names_its_piece(
    facts: Any, ligne: Any, refusal: Any, words: str
) -> None:
    decide(facts, **ligne).refuses(refusal, words)


def test_a_poste_that_is_not_paid_at_real_cost_is_said_in_words() -> None:
    elsewhere = signee(plan(prestations=100_000))
    decide(signature=elsewhere).refuses(
        PosteNonConventionne,
        "Le poste « Dépenses directes de personnel » n’est pas dans le plan de la convention : la "
        "dépense BS-2021-05 ne peut pas être retenue. Écartez-la en entier (1 000,00 €)",
    )
    by_unit = signee(plan(personnel=poste("personnel", 100_000, mode="cout_unitaire")))
    decide(signature=by_unit).refuses(
        PosteForfaitise, "Le poste « Dépenses directes de personnel » est à coût simplifié"
    )


def test_a_poste_that_the_nomenclature_no_longer_knows_is_named_by_its_code() -> None:
    former = [fait(DepenseDeclaree, detail=msgspec.structs.replace(DETAIL, poste="deplacements"))]
    decide(former).refuses(PosteNonConventionne, "Le poste « deplacements » n’est pas dans le plan")


def test_a_piece_that_was_not_drawn_is_retained_whole_with_its_stratum() -> None:
    bilan = convention(CSF).bilans[BILAN_ID]
    Given(DEPENSE, DECLAREE).when(valider_hors_tirage, date(2022, 11, 15), bilan, bilan.csf).then(
        fait(
            DepenseControlee,
            date_effet=date(2022, 11, 15),
            commentaire="Hors tirage : validée avec la strate.",
        )
    )
