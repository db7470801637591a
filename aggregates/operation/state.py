"""What decisions on an operation ask of its past."""

from datetime import date
from decimal import Decimal
from typing import Literal, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.appel_a_projets.events import Indicateur
from aggregates.cadre import Cadre, Cellule
from aggregates.operation.events import (
    Avis,
    AvisAgdRendu,
    AvisPlieRendu,
    Beneficiaire,
    BilanFinalDepose,
    BilanFinalRenvoye,
    ComplementDemande,
    ComplementRecu,
    ContactDesigne,
    ContactRetire,
    DecisionNotifiee,
    DossierArchive,
    DossierDepose,
    DossierRectifie,
    DossierRetire,
    Fait,
    IndicateurRenseigne,
    IndicateurRetire,
    InstructionOuverte,
    InstructionRouverte,
    IrrecevabilitePrononcee,
    OperationAbandonnee,
    OperationAjournee,
    OperationCloturee,
    OperationConventionnee,
    OperationDemarree,
    OperationDeprogrammee,
    OperationProgrammee,
    OperationRefusee,
    OperationResiliee,
    OperationSoldee,
    PlanFinancementInstruit,
    ProgrammationModifiee,
    RapportInstructionValide,
    RealisationTerminee,
    RecevabilitePrononcee,
    SuitesCloses,
    SuitesOuvertes,
)
from aggregates.parametres import Surcharge
from aggregates.plan import PlanFinancement
from aggregates.separation import Acteurs, noter
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.errors import NotFound
from rules.cofinancement import ConditionCofinancement
from rules.couts import Derogation

Statut = Literal[
    "depose",
    "complement_demande",
    "irrecevable",
    "recevable",
    "en_instruction",
    "instruit_favorable",
    "instruit_defavorable",
    "ajourne",
    "programme",
    "refuse",
    "retire",
    "deprogramme",
    "conventionne",
    "en_execution",
    "realisation_terminee",
    "bilan_final_depose",
    "solde",
    "cloture",
    "archive",
    "abandonne",
    "resilie",
]


class OperationAbsente(NotFound):
    """Aucune opération ne porte l’identifiant {id}."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A dossier and the operation that it became. Amounts are cents."""

    cadre: Cadre
    statut: Statut
    numero_mdfse: str
    appel_a_projets_id: UUID
    beneficiaire: Beneficiaire
    cellule: Cellule
    intitule: str
    objet: str
    periode: Periode
    plan: PlanFinancement
    fse_demande: int
    cout_total_demande: int
    condition: ConditionCofinancement | None
    indicateurs: tuple[Indicateur, ...]
    depose_le: date | None = None
    plan_instruit: bool = False
    avis: Avis | None = None  #: of the last report; an adjournment does not change it
    fse_programme: int = 0
    cout_total_programme: int = 0
    programmee_le: date | None = None
    demarree_le: date | None = None
    realise: dict[int, Decimal] = {}
    #: Every value of an indicator that was not taken back, with its day; the last one counts.
    realisations: dict[int, tuple[tuple[date, Decimal], ...]] = {}
    parametres: Surcharge | None = None  #: what the fiche decides otherwise than the grant
    derogation: Derogation | None = None
    soldee_pour: tuple[int, int] = (0, 0)  #: FSE due and total cost retained when last settled
    soldee_le: date | None = None  #: when it was last settled
    suites: frozenset[UUID] = frozenset()  #: controls opened again after the solde
    suites_le: date | None = None  #: when the last of them was opened again
    contacts: dict[UUID, date] = {}  #: persons of the beneficiary, each since when
    instructeurs: Acteurs = {}  #: who fixed a plan, or was named so by the report
    instructeur: str | None = None  #: who fixed the plan last
    deports: Acteurs = {}  #: who stood back at a committee
    conserve_jusqu_au: date | None = None  #: last day of the retention, once the file is archived

    @property
    def conventionnee(self) -> bool:
        """Tell whether a convention was notified."""
        return self.statut in APRES_CONVENTION


#: States that follow the notification of the convention.
APRES_CONVENTION = frozenset[Statut](
    (
        "conventionne",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
        "solde",
        "cloture",
        "archive",
        "abandonne",
        "resilie",
    )
)


def _deports(
    state: Operation,
    fait: OperationProgrammee | OperationAjournee | OperationRefusee | OperationDeprogrammee,
) -> Acteurs:
    deports = state.deports
    for qui in fait.deports:
        deports = noter(deports, qui, "deport", fait.date_effet)
    return deports


def evolve(state: Operation | None, fact: Evenement) -> Operation:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, DossierDepose):
        return Operation(
            cadre=fait.cadre,
            statut="depose",
            numero_mdfse=fait.numero_mdfse,
            appel_a_projets_id=fait.appel_a_projets_id,
            beneficiaire=fait.beneficiaire,
            cellule=fait.cellule,
            intitule=fait.intitule,
            objet=fait.objet,
            periode=fait.periode,
            plan=fait.plan,
            fse_demande=fait.fse_demande_centimes,
            cout_total_demande=fait.cout_total_centimes,
            condition=fait.condition,
            indicateurs=fait.indicateurs,
            parametres=fait.parametres,
            depose_le=fait.date_effet,
        )
    assert state is not None
    replace = msgspec.structs.replace
    match fait:
        case ComplementDemande():
            return replace(state, statut="complement_demande")
        case ComplementRecu():
            return replace(state, statut="depose")
        case RecevabilitePrononcee():
            return replace(state, statut="recevable")
        case IrrecevabilitePrononcee():
            return replace(state, statut="irrecevable")
        case InstructionOuverte() | InstructionRouverte():
            return replace(state, statut="en_instruction")
        case DossierRectifie():
            return replace(
                state,
                intitule=fait.intitule_apres,
                objet=fait.objet_apres,
                periode=fait.periode_apres,
            )
        case PlanFinancementInstruit():
            return replace(
                state,
                plan=fait.plan,
                plan_instruit=True,
                derogation=fait.derogation_couts_simplifies,
                instructeur=fait.instructeur,
                instructeurs=noter(
                    state.instructeurs, fait.instructeur, "plan_fixe", fait.date_effet
                ),
            )
        case RapportInstructionValide():
            favorable = fait.avis == "favorable"
            return replace(
                state,
                statut="instruit_favorable" if favorable else "instruit_defavorable",
                avis=fait.avis,
                instructeurs=noter(
                    state.instructeurs, fait.instructeur, "rapport_signe", fait.date_effet
                ),
            )
        case AvisPlieRendu() | AvisAgdRendu() | DecisionNotifiee():
            return state
        case OperationProgrammee():
            return replace(
                state,
                statut="programme",
                fse_programme=fait.fse_centimes,
                cout_total_programme=fait.cout_total_centimes,
                programmee_le=fait.date_effet,
                deports=_deports(state, fait),
            )
        case OperationAjournee():
            return replace(state, statut="ajourne", deports=_deports(state, fait))
        case OperationRefusee():
            return replace(state, statut="refuse", deports=_deports(state, fait))
        case DossierRetire():
            return replace(state, statut="retire", fse_programme=0, cout_total_programme=0)
        case OperationDeprogrammee():
            return replace(
                state,
                statut="deprogramme",
                fse_programme=0,
                cout_total_programme=0,
                deports=_deports(state, fait),
            )
        case OperationConventionnee():
            return replace(state, statut="conventionne")
        case OperationDemarree():
            return replace(state, statut="en_execution", demarree_le=fait.date_effet)
        case ProgrammationModifiee():
            return replace(
                state,
                fse_programme=state.fse_programme + fait.ecart_fse_centimes,
                cout_total_programme=state.cout_total_programme + fait.ecart_cout_total_centimes,
            )
        case RealisationTerminee():
            return replace(state, statut="realisation_terminee")
        case IndicateurRenseigne():
            valeurs = state.realisations.get(fait.indicateur, ())
            return _realiser(state, fait.indicateur, (*valeurs, (fait.date_effet, fait.realise)))
        case IndicateurRetire():
            valeurs = state.realisations.get(fait.indicateur, ())
            return _realiser(state, fait.indicateur, valeurs[:-1])
        case BilanFinalDepose():
            return replace(state, statut="bilan_final_depose")
        case BilanFinalRenvoye():
            return replace(state, statut="realisation_terminee")
        case OperationAbandonnee():
            return replace(state, statut="abandonne")
        case OperationResiliee():
            return replace(state, statut="resilie")
        case OperationSoldee():
            return replace(
                state,
                statut="solde",
                soldee_pour=(fait.fse_du_centimes, fait.cout_total_retenu_centimes),
                soldee_le=fait.date_effet,
            )
        case SuitesOuvertes():
            return replace(state, suites=state.suites | {fait.csf_id}, suites_le=fait.date_effet)
        case SuitesCloses():
            return replace(
                state,
                suites=frozenset(),
                soldee_pour=(fait.fse_du_apres_centimes, fait.cout_total_retenu_apres_centimes),
                soldee_le=fait.date_effet,
            )
        case OperationCloturee():
            return replace(state, statut="cloture")
        case DossierArchive():
            return replace(state, statut="archive", conserve_jusqu_au=fait.date_limite_conservation)
        case ContactDesigne():
            return replace(state, contacts={**state.contacts, fait.personne_id: fait.date_effet})
        case ContactRetire():
            restants = {i: le for i, le in state.contacts.items() if i != fait.personne_id}
            return replace(state, contacts=restants)
        case _:
            assert_never(fait)


def _realiser(
    state: Operation, indicateur: int, valeurs: tuple[tuple[date, Decimal], ...]
) -> Operation:
    """Set the values of an indicator; without any, nothing was reached that is known."""
    realise = {rang: valeur for rang, valeur in state.realise.items() if rang != indicateur}
    if valeurs:
        realise[indicateur] = valeurs[-1][1]
    return msgspec.structs.replace(
        state, realise=realise, realisations={**state.realisations, indicateur: valeurs}
    )


OPERATION = Aggregate("operation", evolve, OperationAbsente)

#: How each state is said to a person.
LIBELLES: dict[Statut, str] = {
    "depose": "déposé",
    "complement_demande": "en attente de compléments",
    "irrecevable": "irrecevable",
    "recevable": "recevable",
    "en_instruction": "en instruction",
    "instruit_favorable": "instruit, avis favorable",
    "instruit_defavorable": "instruit, avis défavorable",
    "ajourne": "ajourné",
    "programme": "programmé",
    "refuse": "refusé",
    "retire": "retiré",
    "deprogramme": "déprogrammé",
    "conventionne": "conventionné",
    "en_execution": "en exécution",
    "realisation_terminee": "réalisation terminée",
    "bilan_final_depose": "bilan final déposé",
    "solde": "soldé",
    "cloture": "clôturé",
    "archive": "archivé",
    "abandonne": "abandonné",
    "resilie": "résilié",
}
