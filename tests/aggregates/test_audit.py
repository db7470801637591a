"""The working file of an auditor: a population frozen, draws never lost, notes, a result."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Decision, Given
from fabrique import CADRE, commande, euros, fait
from fabrique_audit import ECHANTILLON_ID, POPULATION_ID
from pydantic import ValidationError

from aggregates.audit import events as ae
from aggregates.audit.constats import (
    ArreterResultat,
    ConstatAuditAbsent,
    ConstatAuditDejaNote,
    ConstatsAuditManquants,
    CorrigerConstat,
    DepenseNonTiree,
    EchantillonSuivi,
    ErreurSuperieureAuMontant,
    NoterConstats,
    arreter,
    corriger,
    noter,
)
from aggregates.audit.dossier import (
    CloreDossierAudit,
    DossierAuditDejaClos,
    DossierAuditDejaOuvert,
    OuvrirDossierAudit,
    ResultatAuditManquant,
    clore,
    ouvrir,
)
from aggregates.audit.echantillons import (
    EchantillonAuditAbsent,
    EchantillonDejaSuivi,
    ExtensionImpossible,
    PopulationDejaTiree,
    TirerEchantillonAudit,
    tirer_echantillon,
)
from aggregates.audit.populations import (
    FigerPopulation,
    PopulationAbsente,
    PopulationAlteree,
    PopulationVide,
    figer,
)
from aggregates.audit.state import AUDIT
from aggregates.chronologie import ActeAvantLePrecedent
from oi_service.codec import Evenement
from rules.tirages import TailleSuperieureALaPopulation, Unite, empreinte

SECOND_ID, AUTRE_POPULATION_ID = UUID(int=0xA3), UUID(int=0xA4)


def unite(rang: int, montant: int) -> Unite:
    return Unite(
        id=str(UUID(int=0xD00 + rang)),
        montant=montant,
        operation="o",
        plie="A",
        poste="personnel" if rang % 2 else "achats",
    )


#: Eight dépenses of 100 € to 800 €, one of nothing, one that takes back.
POPULATION = [*(unite(r, r * 100_00) for r in range(1, 9)), unite(9, 0), unite(10, -50_00)]
IDS = [UUID(u.id) for u in POPULATION]

OUVERT: list[Evenement] = [fait(ae.DossierAuditOuvert, date_effet=date(2021, 12, 1))]
FIGE: list[Evenement] = [
    *OUVERT,
    fait(ae.PopulationFigee, empreinte=empreinte(POPULATION), position=77),
]


def apres(
    passe: Sequence[Evenement], decision: Any, saisie: Any, *contexte: Any
) -> list[Evenement]:
    """Return a past with what a decision adds to it."""
    return [*passe, *Given(AUDIT, passe).when(decision, saisie, *contexte).facts()]


def tirage(passe: Sequence[Evenement], nouveau: UUID = ECHANTILLON_ID, **saisie: Any) -> Decision:
    return Given(AUDIT, passe).when(
        tirer_echantillon, commande(TirerEchantillonAudit, **saisie), nouveau, POPULATION
    )


#: The four first of eight in the order of SHA-256("graine:" + id).
TIRE: list[Evenement] = [*FIGE, *tirage(FIGE, graine="graine").facts()]
TIREES = [u.depense_id for u in TIRE[-1].tirage]  # type: ignore[attr-defined]
MONTANTS = {UUID(u.id): u.montant for u in POPULATION}


def constats(*erreurs: str, ids: Sequence[UUID] = TIREES) -> NoterConstats:
    lignes = [
        {"depense_id": i, "erreur": erreur, "commentaire": "Vu"}
        for i, erreur in zip(ids, erreurs, strict=False)
    ]
    return commande(NoterConstats, constats=lignes)


NOTE = apres(TIRE, noter, constats("10.00", "0.00", "0.00", "0.00"), ECHANTILLON_ID)
ARRETE = apres(NOTE, arreter, commande(ArreterResultat), ECHANTILLON_ID)
CLOS = apres(ARRETE, clore, commande(CloreDossierAudit))


# --- Opening, closing ----------------------------------------------------------------------------


def test_a_working_file_is_opened_under_a_subvention_globale() -> None:
    given = Given(AUDIT)
    given.when(ouvrir, commande(OuvrirDossierAudit), CADRE).then(
        fait(ae.DossierAuditOuvert, date_effet=date(2021, 12, 15))
    )


def test_a_working_file_is_opened_once() -> None:
    given = Given(AUDIT, OUVERT)
    given.when(ouvrir, commande(OuvrirDossierAudit), CADRE).refuses(
        DossierAuditDejaOuvert, "déjà ouvert"
    )


def test_a_file_is_closed_once_every_sample_has_a_result() -> None:
    Given(AUDIT, NOTE).when(clore, commande(CloreDossierAudit)).refuses(
        ResultatAuditManquant, "il manque le résultat arrêté de 1 échantillon"
    )
    Given(AUDIT, ARRETE).when(clore, commande(CloreDossierAudit)).then_one(
        ae.DossierAuditClos, conclusion="Erreur projetée de 3,33 %."
    )


def test_a_sample_that_another_follows_needs_no_result() -> None:
    suite = tirage(NOTE, SECOND_ID, etend=ECHANTILLON_ID, taille=5).facts()
    [reste] = [u.depense_id for u in suite[0].tirage if u.depense_id not in TIREES]
    passe = apres([*NOTE, *suite], noter, constats("0.00", ids=[reste]), SECOND_ID)
    Given(AUDIT, passe).when(clore, commande(CloreDossierAudit)).refuses(
        ResultatAuditManquant, "1 échantillon"
    )
    passe = apres(passe, arreter, commande(ArreterResultat), SECOND_ID)
    Given(AUDIT, passe).when(clore, commande(CloreDossierAudit)).then_one(ae.DossierAuditClos)


@pytest.mark.parametrize(
    "acte",
    [
        (figer, FigerPopulation, AUTRE_POPULATION_ID, 80, POPULATION),
        (tirer_echantillon, TirerEchantillonAudit, SECOND_ID, POPULATION),
        (noter, NoterConstats, ECHANTILLON_ID),
        (corriger, CorrigerConstat, ECHANTILLON_ID, TIREES[0]),
        (arreter, ArreterResultat, ECHANTILLON_ID),
        (clore, CloreDossierAudit),
    ],
    ids=lambda acte: acte[0].__name__,
)
def test_a_closed_file_takes_nothing_more_and_no_act_is_dated_before_its_opening(
    acte: Any,
) -> None:
    decision, kind, *contexte = acte
    Given(AUDIT, CLOS).when(decision, commande(kind), *contexte).refuses(
        DossierAuditDejaClos, "clos depuis le 15/12/2021"
    )
    trop_tot = commande(kind, date_effet="2021-11-30")
    Given(AUDIT, OUVERT).when(decision, trop_tot, *contexte).refuses(
        ActeAvantLePrecedent, "ce dossier de travail a été ouvert le"
    )


# --- Populations ---------------------------------------------------------------------------------


def fige(population: Sequence[Unite], **saisie: Any) -> Decision:
    return Given(AUDIT, OUVERT).when(
        figer, commande(FigerPopulation, **saisie), POPULATION_ID, 77, population
    )


def test_a_population_is_frozen_with_its_number_its_total_and_its_digest() -> None:
    fige(POPULATION).then(
        fait(
            ae.PopulationFigee,
            date_effet=date(2021, 12, 15),
            definition=ae.DefinitionPopulation(portee="toutes"),
            position=77,
            nombre=10,
            total_centimes=euros(3_550),
            a_part_nombre=2,
            a_part_centimes=euros(-50),
            empreinte=empreinte(POPULATION),
        )
    )


def test_a_population_without_a_positive_amount_is_refused() -> None:
    for rien in ([], POPULATION[-2:]):
        fige(rien).refuses(PopulationVide, "à l’événement n° 77")


def test_a_definition_names_what_its_scope_wants_and_nothing_else() -> None:
    for juste in (
        {"portee": "toutes"},
        {"portee": "plie", "plie_id": "A"},
        {"portee": "operation", "operation_id": IDS[0]},
        {"portee": "etat_depenses", "etat_no": "ED-1"},
    ):
        [fact] = fige(POPULATION, definition=juste).facts()
        assert fact.definition == ae.DefinitionPopulation(**juste)
    for fausse in (
        {"portee": "toutes", "plie_id": "A"},
        {"portee": "plie"},
        {"portee": "plie", "etat_no": "ED-1"},
        {"portee": "operation", "operation_id": IDS[0], "plie_id": "A"},
    ):
        with pytest.raises(ValidationError, match="se donne"):
            commande(FigerPopulation, definition=fausse)


# --- Draws ---------------------------------------------------------------------------------------


def test_a_draw_says_its_method_its_seed_and_each_one_drawn() -> None:
    fact = tirage(FIGE, graine="graine", graine_origine="Tirage public").then_one(
        ae.EchantillonAuditTire,
        echantillon_id=ECHANTILLON_ID,
        population_id=POPULATION_ID,
        rang=1,
        methode="simple",
        algorithme="simple-sha256-v1",
        parametres=ae.ParametresTirage(taille=4),
        graine="graine",
        graine_origine="Tirage public",
        remplace=None,
        etend=None,
    )
    [strate] = fact.strates
    assert (strate.nombre, strate.total_centimes) == (8, euros(3_600))
    assert (strate.tirees_nombre, strate.base_centimes) == (4, euros(3_600))
    assert [u.montant_centimes for u in fact.tirage] == [
        MONTANTS[u.depense_id] for u in fact.tirage
    ]
    assert fact.tirage_centimes == sum(u.montant_centimes for u in fact.tirage)


def test_without_a_seed_the_identifier_of_the_sample_is_one() -> None:
    tirage(FIGE).then_one(ae.EchantillonAuditTire, graine=str(ECHANTILLON_ID))


def test_a_stratified_draw_keeps_all_that_it_was_asked_with_its_defaults() -> None:
    fact = tirage(FIGE, methode="stratifie", critere="montant", bornes=["300.00", "600.00"])
    un = fact.then_one(
        ae.EchantillonAuditTire,
        parametres=ae.ParametresTirage(
            taille=4,
            critere="montant",
            bornes_centimes=(300_00, 600_00),
            repartition="nombre",
            selection="simple",
        ),
    )
    assert [s.code for s in un.strates] == ["tranche-0", "tranche-1", "tranche-2"]
    assert {u.strate for u in un.tirage} == {"tranche-0", "tranche-1", "tranche-2"}


def test_monetary_units_say_what_is_taken_whole_and_where_the_draw_starts() -> None:
    # 3 600 € in 6: 600 € takes 600, 700 and 800; then 1 500 € in 3: 500 € takes 500; then
    # 1 000 € in 2: 500 €, which nothing reaches.
    un = tirage(FIGE, methode="mus", taille=6).then_one(ae.EchantillonAuditTire, methode="mus")
    [strate] = un.strates
    assert (strate.exhaustives_nombre, strate.tirees_nombre) == (4, 2)
    assert strate.base_centimes == euros(1_000)
    assert strate.depart is not None
    assert sorted(u.montant_centimes for u in un.tirage if u.exhaustive) == [
        euros(m) for m in (500, 600, 700, 800)
    ]


def test_a_draw_on_what_was_never_frozen_is_refused() -> None:
    tirage(OUVERT).refuses(PopulationAbsente, str(POPULATION_ID))


def test_a_draw_on_a_list_that_changed_since_is_refused() -> None:
    change = [unite(1, 100_01), *POPULATION[1:]]
    Given(AUDIT, FIGE).when(
        tirer_echantillon, commande(TirerEchantillonAudit), ECHANTILLON_ID, change
    ).refuses(PopulationAlteree, f"son empreinte était {empreinte(POPULATION)}")


def test_a_draw_larger_than_its_population_is_refused() -> None:
    tirage(FIGE, taille=9).refuses(TailleSuperieureALaPopulation, "en compte 8")


@pytest.mark.parametrize(
    ("saisie", "dit"),
    [
        ({"critere": "poste"}, "que pour la méthode stratifie"),
        ({"selection": "mus"}, "que pour la méthode stratifie"),
        ({"methode": "stratifie"}, "demande un critere"),
        ({"methode": "stratifie", "critere": "montant"}, "bornes"),
        ({"methode": "stratifie", "critere": "poste", "bornes": ["1.00"]}, "bornes"),
        ({"methode": "stratifie", "critere": "montant", "bornes": ["2.00", "2.00"]}, "croissant"),
        ({"methode": "stratifie", "critere": "montant", "bornes": ["0.00"]}, "positives"),
        ({"etend": SECOND_ID, "remplace": SECOND_ID, "motif": "M"}, "pas les deux"),
        ({"remplace": SECOND_ID}, "donnez le motif"),
        ({"etend": SECOND_ID, "graine": "g"}, "garde sa graine"),
        ({"taille": 0}, "greater than or equal to 1"),
        ({"graine": "é"}, "pattern"),
        ({"graine": " g"}, "pattern"),
    ],
)
def test_a_draw_that_contradicts_itself_is_refused(saisie: Any, dit: str) -> None:
    with pytest.raises(ValidationError, match=dit):
        commande(TirerEchantillonAudit, **saisie)


# --- A second draw -------------------------------------------------------------------------------


def test_a_population_is_not_drawn_again_until_a_draw_pleases() -> None:
    tirage(TIRE, SECOND_ID).refuses(PopulationDejaTiree, "déjà été tirée 1 fois")


def test_a_draw_is_replaced_for_a_reason_and_both_are_kept() -> None:
    second = tirage(TIRE, SECOND_ID, remplace=ECHANTILLON_ID, motif="Strates demandées")
    second.then_one(
        ae.EchantillonAuditTire, rang=2, remplace=ECHANTILLON_ID, motif="Strates demandées"
    )
    state = second.state()
    assert state.tirages_de(POPULATION_ID) == [ECHANTILLON_ID, SECOND_ID]
    assert state.echantillons[ECHANTILLON_ID].suivi_par == SECOND_ID


def test_a_simple_draw_is_extended_with_its_seed_and_its_notes() -> None:
    plus = tirage(NOTE, SECOND_ID, etend=ECHANTILLON_ID, taille=6)
    fact = plus.then_one(ae.EchantillonAuditTire, graine="graine", rang=2, etend=ECHANTILLON_ID)
    assert [u.depense_id for u in fact.tirage][:4] == TIREES
    assert plus.state().echantillons[SECOND_ID].sans_constat == [
        u.depense_id for u in fact.tirage[4:]
    ]
    # A draw that replaces another starts without notes.
    autre = tirage(NOTE, SECOND_ID, remplace=ECHANTILLON_ID, motif="M", graine="graine").state()
    assert len(autre.echantillons[SECOND_ID].sans_constat) == 4


@pytest.mark.parametrize(
    ("premier", "second"),
    [
        ({}, {"taille": 4}),
        ({}, {"taille": 3}),
        ({}, {"taille": 6, "methode": "mus"}),
        ({"methode": "mus"}, {"taille": 6}),
        ({"methode": "mus"}, {"taille": 6, "methode": "mus"}),
    ],
)
def test_only_a_larger_simple_draw_extends_one(premier: Any, second: Any) -> None:
    passe = [*FIGE, *tirage(FIGE, **premier).facts()]
    tirage(passe, SECOND_ID, etend=ECHANTILLON_ID, **second).refuses(
        ExtensionImpossible, "une taille supérieure à 4"
    )


def test_a_draw_follows_one_of_its_own_population_that_nothing_follows_yet() -> None:
    tirage(TIRE, SECOND_ID, etend=SECOND_ID, taille=6).refuses(
        EchantillonAuditAbsent, str(SECOND_ID)
    )
    deux = [*TIRE, *tirage(TIRE, SECOND_ID, etend=ECHANTILLON_ID, taille=6).facts()]
    tirage(deux, UUID(int=0xA9), remplace=ECHANTILLON_ID, motif="M").refuses(
        EchantillonDejaSuivi, f"étendu ou remplacé par {SECOND_ID}"
    )
    ailleurs = [
        *TIRE,
        fait(
            ae.PopulationFigee,
            population_id=AUTRE_POPULATION_ID,
            empreinte=empreinte(POPULATION),
        ),
    ]
    tirage(
        ailleurs, SECOND_ID, population_id=AUTRE_POPULATION_ID, remplace=ECHANTILLON_ID, motif="M"
    ).refuses(EchantillonAuditAbsent, str(ECHANTILLON_ID))
    tirage(ailleurs, SECOND_ID, population_id=AUTRE_POPULATION_ID).then_one(
        ae.EchantillonAuditTire, rang=1
    )


# --- Notes ---------------------------------------------------------------------------------------


def note(
    passe: Sequence[Evenement], saisie: NoterConstats, cible: UUID = ECHANTILLON_ID
) -> Decision:
    return Given(AUDIT, passe).when(noter, saisie, cible)


def test_findings_are_noted_on_what_was_drawn() -> None:
    note(TIRE, constats("10.00", "0.00")).then(
        *(
            fait(
                ae.ConstatAuditNote,
                date_effet=date(2021, 12, 15),
                depense_id=i,
                montant_centimes=MONTANTS[i],
                erreur_centimes=erreur,
                commentaire="Vu",
            )
            for i, erreur in ((TIREES[0], 10_00), (TIREES[1], 0))
        )
    )


def test_what_was_not_drawn_has_no_finding() -> None:
    [dehors, *_] = [i for i in IDS if i not in TIREES]
    note(TIRE, constats("0.00", ids=[dehors])).refuses(DepenseNonTiree, str(dehors))


def test_an_error_is_at_most_the_amount_of_its_own() -> None:
    montant = MONTANTS[TIREES[0]]
    note(TIRE, constats(f"{montant // 100}.00")).then_one(ae.ConstatAuditNote)
    note(TIRE, constats(f"{montant // 100}.01")).refuses(
        ErreurSuperieureAuMontant, "dépasse son montant"
    )


def test_a_finding_is_noted_once_and_the_same_again_changes_nothing() -> None:
    note(NOTE, constats("10.00")).then()
    note(NOTE, constats("11.00")).refuses(ConstatAuditDejaNote, "corrigez-le")
    note(TIRE, constats("1.00", "2.00", ids=[TIREES[0]] * 2)).refuses(
        ConstatAuditDejaNote, str(TIREES[0])
    )


def test_nothing_is_noted_on_a_sample_that_another_follows() -> None:
    suivi = [*TIRE, *tirage(TIRE, SECOND_ID, etend=ECHANTILLON_ID, taille=6).facts()]
    note(suivi, constats("0.00")).refuses(EchantillonSuivi, str(SECOND_ID))
    note(TIRE, constats("0.00"), SECOND_ID).refuses(EchantillonAuditAbsent, str(SECOND_ID))


def correction(passe: Sequence[Evenement], rang: int = 0, **saisie: Any) -> Decision:
    return Given(AUDIT, passe).when(
        corriger, commande(CorrigerConstat, **saisie), ECHANTILLON_ID, TIREES[rang]
    )


def test_a_finding_is_corrected_and_the_former_stays() -> None:
    correction(NOTE).then(
        fait(
            ae.ConstatAuditCorrige,
            date_effet=date(2021, 12, 15),
            motif="Motif de l’essai",
            depense_id=TIREES[0],
            erreur_avant_centimes=10_00,
            erreur_apres_centimes=0,
            commentaire_avant="Vu",
            commentaire_apres="Feuille de temps produite",
        )
    )
    correction(NOTE, erreur="10.00", commentaire="Vu").then()


def test_a_correction_corrects_something_and_is_not_dated_before_it() -> None:
    correction(TIRE).refuses(ConstatAuditAbsent, str(TIREES[0]))
    tard = apres(
        TIRE,
        noter,
        constats("0.00").model_copy(update={"date_effet": date(2022, 1, 10)}),
        ECHANTILLON_ID,
    )
    correction(tard, date_effet="2022-01-09").refuses(
        ActeAvantLePrecedent, "ce constat a été noté le 10/01/2022"
    )
    correction(tard, date_effet="2022-01-10").then_one(ae.ConstatAuditCorrige)


# --- Results -------------------------------------------------------------------------------------


def resultat(passe: Sequence[Evenement], **saisie: Any) -> Decision:
    return Given(AUDIT, passe).when(arreter, commande(ArreterResultat, **saisie), ECHANTILLON_ID)


def test_a_result_projects_what_was_found_exactly() -> None:
    tires = sum(MONTANTS[i] for i in TIREES)
    fact = resultat(NOTE).then_one(
        ae.ResultatAuditArrete,
        total_centimes=euros(3_600),
        erreur_constatee_centimes=10_00,
    )
    # 10 € over the amount drawn, over 3 600 €.
    assert tires == euros(1_700)
    assert fact.erreur_projetee_exacte == "36000/17"
    assert fact.erreur_projetee_centimes == 21_18
    [strate] = fact.strates
    assert strate.erreur_projetee_exacte == "36000/17"


def test_the_result_of_every_method_is_that_of_its_fact() -> None:
    """What was stored of a draw is enough to project it, without the population."""
    for saisie in (
        {"methode": "mus", "taille": 6},
        {"methode": "stratifie", "critere": "poste"},
        {"methode": "stratifie", "critere": "montant", "bornes": ["400.00"], "selection": "mus"},
    ):
        passe = [*FIGE, *tirage(FIGE, **saisie).facts()]
        tirees = [u.depense_id for u in passe[-1].tirage]  # type: ignore[attr-defined]
        tout_faux = [f"{MONTANTS[i] // 100}.00" for i in tirees]
        passe = apres(passe, noter, constats(*tout_faux, ids=tirees), ECHANTILLON_ID)
        resultat(passe).then_one(ae.ResultatAuditArrete, erreur_projetee_centimes=euros(3_600))


def test_a_result_waits_for_a_finding_on_every_one() -> None:
    trois = apres(TIRE, noter, constats("0.00", "0.00", "0.00"), ECHANTILLON_ID)
    resultat(trois).refuses(ConstatsAuditManquants, "le constat de 1 dépense tirée")


def test_a_result_is_fixed_once_and_again_after_a_correction() -> None:
    resultat(ARRETE).then()
    corrige = apres(ARRETE, corriger, commande(CorrigerConstat), ECHANTILLON_ID, TIREES[0])
    Given(AUDIT, corrige).when(clore, commande(CloreDossierAudit)).refuses(
        ResultatAuditManquant, "1 échantillon"
    )
    resultat(corrige).then_one(ae.ResultatAuditArrete, erreur_projetee_centimes=0)


@pytest.mark.parametrize(
    ("passe", "decision", "kind", "contexte", "dit"),
    [
        (FIGE, tirer_echantillon, TirerEchantillonAudit, (SECOND_ID, POPULATION), "a été figée"),
        (TIRE, noter, NoterConstats, (ECHANTILLON_ID,), "l’échantillon a été tiré"),
        (NOTE, arreter, ArreterResultat, (ECHANTILLON_ID,), "le dernier constat a été noté"),
        (ARRETE, clore, CloreDossierAudit, (), "un constat y a été noté"),
    ],
)
def test_no_act_is_dated_before_what_it_follows(
    passe: Any, decision: Any, kind: Any, contexte: Any, dit: str
) -> None:
    veille = commande(kind, date_effet="2021-12-14")
    Given(AUDIT, passe).when(decision, veille, *contexte).refuses(ActeAvantLePrecedent, dit)


def test_a_draw_that_follows_another_is_not_dated_before_it() -> None:
    tard = [*FIGE, *tirage(FIGE, date_effet="2022-01-10").facts()]
    tirage(tard, SECOND_ID, etend=ECHANTILLON_ID, taille=5, date_effet="2022-01-09").refuses(
        ActeAvantLePrecedent, "le précédent a été tiré le 10/01/2022"
    )
