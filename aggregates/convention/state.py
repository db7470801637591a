"""What decisions on a convention ask of its past."""

from datetime import date
from decimal import Decimal
from typing import Literal, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.convention.events import (
    AvenantAbandonne,
    AvenantDemande,
    AvenantProgramme,
    AvenantSigne,
    BilanDepose,
    BilanPrevu,
    BilanRenvoye,
    ConclusionsIntermediairesNotifiees,
    ConventionNotifiee,
    ConventionSignee,
    CsfOuvert,
    CsfRouvert,
    CsfValide,
    DepenseCertifiee,
    DepenseRetiree,
    EtatDepensesTransmis,
    Fait,
    ObservationsRecues,
    OrdreReversementEmis,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementRejete,
    RessourceRetenue,
    RessourcesControlees,
    ReversementEncaisse,
    Termes,
    TypeBilan,
    TypePaiement,
)
from aggregates.plan import PlanFinancement, Ressource
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.errors import NotFound


class ConventionAbsente(NotFound):
    """Cette opération n’a pas encore de convention."""


class Csf(msgspec.Struct, frozen=True, kw_only=True):
    """A contrôle de service fait: one version of the control of one bilan."""

    csf_id: UUID
    version: int
    controleur: str
    statut: Literal["en_controle", "conclusions", "observations", "valide"] = "en_controle"
    date_limite_reponse: date | None = None
    ressources: tuple[RessourceRetenue, ...] | None = None


class Bilan(msgspec.Struct, frozen=True, kw_only=True):
    """A bilan d'exécution, the request for payment; ``retenu`` is kept by its last valid CSF."""

    bilan_id: UUID
    numero: int
    type: TypeBilan
    periode: Periode
    depenses: tuple[UUID, ...]
    ressources: tuple[Ressource, ...]
    cout_total_declare: int
    statut: Literal["depose", "renvoye", "en_controle", "controle"] = "depose"
    csf: Csf | None = None
    postes_retenus: dict[str, int] = {}
    depenses_ecartees: int = 0
    depenses_controlees: int = 0
    ressources_retenues: tuple[tuple[str, int], ...] = ()


class Paiement(msgspec.Struct, frozen=True, kw_only=True):
    """A payment, from its order to the bank's word."""

    type: TypePaiement
    montant: int
    csf_id: UUID | None
    statut: Literal["ordonnance", "effectue", "rejete"]


class Ordre(msgspec.Struct, frozen=True, kw_only=True):
    """An order to pay back."""

    montant: int
    encaisse: int = 0


class Avenant(msgspec.Struct, frozen=True, kw_only=True):
    """An avenant on its way."""

    numero: int
    apres: Termes
    programme: bool = False


class Convention(msgspec.Struct, frozen=True, kw_only=True):
    """The legal act and the money that runs under it. Amounts are cents."""

    cadre: Cadre
    operation_id: UUID
    numero: str
    type_beneficiaire: str
    objet: str
    periode: Periode
    plan: PlanFinancement
    avance_pct: Decimal
    avance_plafond: int | None
    plafond_avant_solde_pct: Decimal | None
    arrondi: Literal["demi_superieur", "troncature"]
    bilans_prevus: tuple[BilanPrevu, ...]
    date_limite_acquittement: date
    notifiee_le: date | None = None
    avenants: int = 0
    avenant_en_cours: Avenant | None = None
    bilans: dict[UUID, Bilan] = {}
    fse_declare: int = 0
    cout_total_declare: int = 0
    fse_du: int = 0
    cout_total_retenu: int = 0
    paiements: dict[UUID, Paiement] = {}
    ordres: dict[UUID, Ordre] = {}
    fse_transmis: int = 0
    cout_total_transmis: int = 0
    fse_certifie: int = 0
    cout_total_certifie: int = 0

    @property
    def fse_max(self) -> int:
        """Maximum of the Fund under the version in force."""
        return self.plan.fse_centimes

    @property
    def cout_total_eligible(self) -> int:
        """Total eligible cost under the version in force."""
        return self.plan.cout_total_centimes

    @property
    def paye(self) -> int:
        """Paid, less what came back; a payment that the bank rejected was never paid."""
        sent = sum(p.montant for p in self.paiements.values() if p.statut == "effectue")
        return sent - sum(o.encaisse for o in self.ordres.values())

    @property
    def engage(self) -> int:
        """Paid or ordered: what the next payment adds to."""
        ordered = sum(p.montant for p in self.paiements.values() if p.statut == "ordonnance")
        return self.paye + ordered

    @property
    def a_encaisser(self) -> int:
        """Ordered back and not cashed yet."""
        return sum(o.montant - o.encaisse for o in self.ordres.values())

    @property
    def bilan_final(self) -> Bilan | None:
        """The final bilan that stands."""
        finals = (b for b in self.bilans.values() if b.type == "final" and b.statut != "renvoye")
        return next(finals, None)

    def bilan_du_csf(self, csf_id: UUID) -> Bilan | None:
        """The bilan that a CSF controls."""
        found = (b for b in self.bilans.values() if b.csf is not None and b.csf.csf_id == csf_id)
        return next(found, None)

    def depenses_rattachees(self) -> frozenset[UUID]:
        """Dépenses already in a bilan that stands."""
        return frozenset(
            d for b in self.bilans.values() if b.statut != "renvoye" for d in b.depenses
        )


def _with_bilan(state: Convention, bilan: Bilan) -> dict[UUID, Bilan]:
    return {**state.bilans, bilan.bilan_id: bilan}


def _with_csf(state: Convention, csf_id: UUID, **changes: object) -> Convention:
    bilan = state.bilan_du_csf(csf_id)
    assert bilan is not None
    assert bilan.csf is not None
    csf = msgspec.structs.replace(bilan.csf, **changes)
    bilan = msgspec.structs.replace(bilan, csf=csf)
    return msgspec.structs.replace(state, bilans=_with_bilan(state, bilan))


def _with_paiement(state: Convention, paiement_id: UUID, statut: str) -> Convention:
    paiement = msgspec.structs.replace(state.paiements[paiement_id], statut=statut)
    return msgspec.structs.replace(state, paiements={**state.paiements, paiement_id: paiement})


def evolve(state: Convention | None, fact: Evenement) -> Convention:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, ConventionSignee):
        return Convention(
            cadre=fait.cadre,
            operation_id=fait.operation_id,
            numero=fait.numero,
            type_beneficiaire=fait.type_beneficiaire,
            objet=fait.objet,
            periode=fait.periode,
            plan=fait.plan,
            avance_pct=fait.avance_pct,
            avance_plafond=fait.avance_plafond_centimes,
            plafond_avant_solde_pct=fait.plafond_avant_solde_pct,
            arrondi=fait.arrondi,
            bilans_prevus=fait.bilans_prevus,
            date_limite_acquittement=fait.date_limite_acquittement,
        )
    assert state is not None
    replace = msgspec.structs.replace
    match fait:
        case ConventionNotifiee():
            return replace(state, notifiee_le=fait.date_effet)
        case AvenantDemande():
            avenant = Avenant(numero=fait.numero, apres=fait.apres)
            return replace(state, avenant_en_cours=avenant)
        case AvenantProgramme():
            assert state.avenant_en_cours is not None
            return replace(state, avenant_en_cours=replace(state.avenant_en_cours, programme=True))
        case AvenantSigne():
            return replace(
                state,
                avenants=fait.numero,
                avenant_en_cours=None,
                objet=fait.apres.objet or state.objet,
                periode=fait.apres.periode or state.periode,
                plan=fait.apres.plan or state.plan,
                date_limite_acquittement=(
                    fait.date_limite_acquittement or state.date_limite_acquittement
                ),
            )
        case AvenantAbandonne():
            return replace(state, avenant_en_cours=None)
        case BilanDepose():
            bilan = Bilan(
                bilan_id=fait.bilan_id,
                numero=fait.numero,
                type=fait.type,
                periode=fait.periode,
                depenses=fait.depenses,
                ressources=fait.ressources,
                cout_total_declare=fait.cout_total_declare_centimes,
            )
            return replace(
                state,
                bilans=_with_bilan(state, bilan),
                fse_declare=state.fse_declare + fait.fse_declare_centimes,
                cout_total_declare=state.cout_total_declare + fait.cout_total_declare_centimes,
            )
        case BilanRenvoye():
            bilan = replace(state.bilans[fait.bilan_id], statut="renvoye")
            return replace(
                state,
                bilans=_with_bilan(state, bilan),
                fse_declare=state.fse_declare - fait.fse_declare_centimes,
                cout_total_declare=state.cout_total_declare - fait.cout_total_declare_centimes,
            )
        case CsfOuvert():
            bilan = replace(
                state.bilans[fait.bilan_id],
                statut="en_controle",
                csf=Csf(csf_id=fait.csf_id, version=fait.version, controleur=fait.controleur),
            )
            return replace(state, bilans=_with_bilan(state, bilan))
        case RessourcesControlees():
            return _with_csf(state, fait.csf_id, ressources=fait.ressources)
        case ConclusionsIntermediairesNotifiees():
            return _with_csf(
                state,
                fait.csf_id,
                statut="conclusions",
                date_limite_reponse=fait.date_limite_reponse,
            )
        case ObservationsRecues():
            return _with_csf(state, fait.csf_id, statut="observations")
        case CsfValide():
            state = _with_csf(state, fait.csf_id, statut="valide")
            bilan = replace(
                state.bilans[fait.bilan_id],
                statut="controle",
                postes_retenus={p.code: p.retenu_centimes for p in fait.postes},
                depenses_ecartees=sum(p.ecarte_centimes for p in fait.postes),
                depenses_controlees=sum(p.declare_centimes for p in fait.postes),
                ressources_retenues=tuple(
                    (r.type, r.montant_retenu_centimes) for r in fait.ressources
                ),
            )
            return replace(
                state,
                bilans=_with_bilan(state, bilan),
                fse_du=fait.fse_du_cumule_centimes,
                cout_total_retenu=fait.cout_net_cumule_centimes,
            )
        case CsfRouvert():
            bilan = replace(state.bilans[fait.bilan_id], statut="depose")
            return replace(state, bilans=_with_bilan(state, bilan))
        case PaiementOrdonnance():
            paiement = Paiement(
                type=fait.type,
                montant=fait.montant_centimes,
                csf_id=fait.csf_id,
                statut="ordonnance",
            )
            return replace(state, paiements={**state.paiements, fait.paiement_id: paiement})
        case PaiementEffectue():
            return _with_paiement(state, fait.paiement_id, "effectue")
        case PaiementRejete():
            return _with_paiement(state, fait.paiement_id, "rejete")
        case OrdreReversementEmis():
            ordre = Ordre(montant=fait.montant_centimes)
            return replace(state, ordres={**state.ordres, fait.ordre_id: ordre})
        case ReversementEncaisse():
            ordre = state.ordres[fait.ordre_id]
            ordre = replace(ordre, encaisse=ordre.encaisse + fait.montant_centimes)
            return replace(state, ordres={**state.ordres, fait.ordre_id: ordre})
        case EtatDepensesTransmis():
            return replace(
                state,
                fse_transmis=state.fse_transmis + fait.fse_centimes,
                cout_total_transmis=state.cout_total_transmis + fait.cout_total_centimes,
            )
        case DepenseCertifiee():
            return replace(
                state,
                fse_certifie=state.fse_certifie + fait.fse_centimes,
                cout_total_certifie=state.cout_total_certifie + fait.cout_total_centimes,
            )
        case DepenseRetiree():
            return replace(
                state,
                fse_certifie=state.fse_certifie - fait.fse_centimes,
                cout_total_certifie=state.cout_total_certifie - fait.cout_total_centimes,
            )
        case _:
            assert_never(fait)


CONVENTION = Aggregate("convention", evolve, ConventionAbsente)
