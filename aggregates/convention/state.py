"""What decisions on a convention ask of its past."""

from datetime import date
from decimal import Decimal
from typing import Literal, assert_never, cast, get_args
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.convention.events import (
    AvenantAbandonne,
    AvenantDemande,
    AvenantProgramme,
    AvenantSigne,
    BilanDepose,
    BilanJugeRecevable,
    BilanPrevu,
    BilanReclame,
    BilanRenvoye,
    ClotureOfficePrononcee,
    CompensationImputee,
    CompensationOperee,
    ConclusionsFinalesNotifiees,
    ConclusionsIntermediairesNotifiees,
    ContestationTranchee,
    ConventionNotifiee,
    ConventionSignee,
    CreanceIrrecouvrable,
    CreanceRetablie,
    CsfOuvert,
    CsfPropose,
    CsfRenvoye,
    CsfRouvert,
    CsfValide,
    DelaiPaiementInterrompu,
    DelaiPaiementRepris,
    DepenseCertifiee,
    DepenseRetiree,
    EchantillonTire,
    EtatDepensesTransmis,
    ExtrapolationDecidee,
    Fait,
    FseCorrige,
    GrilleRemplie,
    LivrableControle,
    MarcheCorrige,
    ObservationsRecues,
    OrdreReversementAnnule,
    OrdreReversementConteste,
    OrdreReversementEmis,
    OrdreReversementNotifie,
    PaiementAcquitte,
    PaiementAnnule,
    PaiementEffectue,
    PaiementOrdonnance,
    PaiementPrepare,
    PaiementRejete,
    PlafondPoste,
    PointControle,
    RealisationsControlees,
    RecettesControlees,
    RessourceRetenue,
    RessourcesControlees,
    ReversementEncaisse,
    Termes,
    TypeBilan,
    TypePaiement,
    UnitesControlees,
    UnitesDeclarees,
)
from aggregates.parametres import Parametres
from aggregates.plan import AUTOFINANCEMENT, PlanFinancement, Poste, Ressource
from aggregates.separation import ActeAnterieur, Acteurs, noter, reunir
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.errors import NotFound
from oi_service.money import Arrondi
from rules.calcul import Apports, Conditions, LignesPoste, PosteConvenu


class ConventionAbsente(NotFound):
    """Cette opération n’a pas encore de convention."""


class Csf(msgspec.Struct, frozen=True, kw_only=True):
    """A contrôle de service fait: one version of the control of one bilan, and its decisions."""

    csf_id: UUID
    version: int
    controleur: str
    modalite: Literal["exhaustif", "echantillon"] = "exhaustif"
    statut: Literal["en_controle", "conclusions", "observations", "finales", "valide"] = (
        "en_controle"
    )
    valide_le: date | None = None  #: when it, or the version before it, was last validated
    date_limite_reponse: date | None = None
    #: What the beneficiary was told that the Fund would owe; ``None`` when it was not said.
    fse_annonce: int | None = None
    ressources: tuple[RessourceRetenue, ...] | None = None
    unites: tuple[UnitesControlees, ...] = ()
    livrables: tuple[LivrableControle, ...] = ()
    realisations_vues: bool = False
    recettes: RecettesControlees | None = None
    tirages: dict[str, tuple[UUID, ...]] = {}
    extrapolations: frozenset[str] = frozenset()
    corrections_marche: dict[str, Decimal] = {}
    corrections_fse: dict[str, Decimal] = {}
    grille: tuple[PointControle, ...] = ()
    propose: CsfPropose | None = None  #: while it waits for its validation
    renvoye_le: date | None = None  #: when a valideur sent it back, until it is proposed again

    @property
    def hors_tirage(self) -> frozenset[str]:
        """Postes of which only a sample is controlled."""
        return frozenset(self.tirages)


class Bilan(msgspec.Struct, frozen=True, kw_only=True):
    """A bilan d'exécution, the request for payment; ``apports``: what its last valid CSF kept."""

    bilan_id: UUID
    numero: int
    type: TypeBilan
    periode: Periode
    depose_le: date
    depenses: tuple[UUID, ...]
    ressources: tuple[Ressource, ...]
    cout_total_declare: int
    unites: tuple[UnitesDeclarees, ...] = ()
    livrables: tuple[str, ...] = ()
    recettes_nettes: int = 0
    statut: Literal["depose", "recevable", "renvoye", "en_controle", "controle"] = "depose"
    csf: Csf | None = None
    controleurs: Acteurs = {}  #: of any version of its control
    valideurs: Acteurs = {}
    rouvert_le: date | None = None  #: when its control was last opened again
    declares: Apports = Apports(final=False)
    apports: Apports | None = None
    delai_interrompu: bool = False
    delai_le: date | None = None  #: when the clock of its payment last stopped or went on


class Paiement(msgspec.Struct, frozen=True, kw_only=True):
    """A payment, from its preparation to the bank's word.

    ``compense``: paid without any transfer. Who prepared and ordered it is unknown when it was
    before the log said so.
    """

    type: TypePaiement
    montant: int
    csf_id: UUID | None
    statut: Literal["prepare", "ordonnance", "annule", "effectue", "acquitte", "rejete"]
    le: date | None = None  #: day of its last act: prepared, ordered, sent, sent back
    compense: int = 0
    remplace: UUID | None = None  #: the payment sent back by the bank that it pays again
    prepare_par: str | None = None
    ordonnance_par: str | None = None

    @property
    def paye(self) -> int:
        """What the beneficiary has; a compensation stays when the bank sends the rest back."""
        return self.montant if self.statut in {"effectue", "acquitte"} else self.compense

    @property
    def engage(self) -> int:
        """What the beneficiary has or is about to have: prepared, ordered or sent."""
        return self.montant if self.statut in {"prepare", "ordonnance"} else self.paye


class Ordre(msgspec.Struct, frozen=True, kw_only=True):
    """An order to pay back. ``rentre``: cashed or compensated; ``perdu``: irrecoverable."""

    montant: int
    statut: Literal["emis", "notifie", "conteste", "annule"] = "emis"
    rentre: int = 0
    perdu: int = 0
    emis_le: date | None = None
    perdu_le: date | None = None  #: last time that a part of it was given up
    retabli_le: date | None = None  #: last time that what was given up was asked again
    emis_par: str | None = None

    @property
    def reste(self) -> int:
        """What is still asked."""
        return 0 if self.statut == "annule" else self.montant - self.rentre - self.perdu


class VersionCsf(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid version of a control took away from what stood before it; negative: added.

    ``ecarte``: of the lines themselves, which a cap may keep from lowering the cost.
    """

    bilan_id: UUID
    version: int
    valide_le: date
    cout_total: int
    ecarte: int
    fse: int


class Retrait(msgspec.Struct, frozen=True, kw_only=True):
    """What the State withdrew under one payment application; ``le``: the last time."""

    cout_total: int
    fse: int
    le: date


class Avenant(msgspec.Struct, frozen=True, kw_only=True):
    """An avenant on its way."""

    numero: int
    apres: Termes
    programme: bool = False
    programme_le: date | None = None


class Convention(msgspec.Struct, frozen=True, kw_only=True):
    """The legal act and the money that runs under it. Amounts are cents."""

    cadre: Cadre
    operation_id: UUID
    numero: str
    type_beneficiaire: str
    objet: str
    periode: Periode
    plan: PlanFinancement
    parametres: Parametres
    plafonds_poste: tuple[PlafondPoste, ...]
    bilans_prevus: tuple[BilanPrevu, ...]
    date_limite_acquittement: date
    signee_le: date
    notifiee_le: date | None = None
    avenants: int = 0
    avenant_signe_le: date | None = None
    avenant_abandonne_le: date | None = None
    avenant_en_cours: Avenant | None = None
    bilans: dict[UUID, Bilan] = {}
    fse_declare: int = 0
    cout_total_declare: int = 0
    fse_du: int = 0
    cout_total_retenu: int = 0
    depenses_controlees: int = 0
    depenses_ecartees: int = 0
    reclames: dict[int, date] = {}  #: bilans asked for, and until when to answer
    cloturee_office: bool = False
    paiements: dict[UUID, Paiement] = {}
    ordres: dict[UUID, Ordre] = {}
    fse_transmis: int = 0
    cout_total_transmis: int = 0
    fse_certifie: int = 0
    cout_total_certifie: int = 0
    certifie_au: dict[date, tuple[int, int]] = {}  #: FSE and total cost, less what was withdrawn
    versions_csf: dict[UUID, VersionCsf] = {}  #: every valid version, by CSF
    retraits: dict[str, Retrait] = {}  #: by payment application

    @property
    def fse_max(self) -> int:
        """Maximum of the Fund under the version in force."""
        return self.plan.fse_centimes

    @property
    def cout_total_eligible(self) -> int:
        """Total eligible cost under the version in force."""
        return self.plan.cout_total_centimes

    @property
    def arrondi(self) -> Arrondi:
        """How computed amounts are rounded."""
        return cast("Arrondi", self.parametres.arrondi)

    def conditions(self) -> Conditions:
        """Return what the calculation reads of the version in force."""
        return conditions(self.plan, self.parametres, self.plafonds_poste)

    def apports(self, *, sauf: UUID | None = None) -> tuple[tuple[int, Apports], ...]:
        """Return what each controlled bilan kept, by number; ``sauf`` is left out."""
        return tuple(
            sorted(
                (
                    (b.numero, b.apports)
                    for b in self.bilans.values()
                    if b.apports is not None and b.bilan_id != sauf and b.statut != "renvoye"
                ),
                key=lambda x: x[0],
            )
        )

    @property
    def paye(self) -> int:
        """Paid, less what came back; a payment that the bank rejected was never paid."""
        sent = sum(p.paye for p in self.paiements.values())
        return sent - sum(o.rentre for o in self.ordres.values())

    @property
    def perdu(self) -> int:
        """Not due, and irrecoverable."""
        return sum(o.perdu for o in self.ordres.values())

    @property
    def avances(self) -> int:
        """Part of what was paid that no control founds."""
        return sum(p.paye for p in self.paiements.values() if p.type == "avance")

    @property
    def engage(self) -> int:
        """Paid, ordered or prepared: what the next payment adds to."""
        return self.paye + sum(p.engage - p.paye for p in self.paiements.values())

    @property
    def a_encaisser(self) -> int:
        """Ordered back and not settled yet."""
        return sum(o.reste for o in self.ordres.values())

    def certifie_depuis(self, fse: int, cout_total: int) -> date | None:
        """First day from which that much stays certified; ``None`` when it does not today."""
        depuis, reste_fse, reste_ct = None, self.fse_certifie, self.cout_total_certifie
        for jour in sorted(self.certifie_au, reverse=True):
            if fse > reste_fse or cout_total > reste_ct:
                break
            depuis = jour
            reste_fse -= self.certifie_au[jour][0]
            reste_ct -= self.certifie_au[jour][1]
        return depuis

    @property
    def bilan_final(self) -> Bilan | None:
        """The final bilan that stands."""
        finals = (b for b in self.bilans.values() if b.type == "final" and b.statut != "renvoye")
        return next(finals, None)

    @property
    def dernier_controle(self) -> tuple[int, date] | None:
        """Number of the bilan whose control was validated on the last day, and that day."""
        valides = (
            (b.csf.valide_le, b.numero)
            for b in self.bilans.values()
            if b.csf is not None and b.csf.valide_le is not None
        )
        jour, numero = max(valides, default=(None, 0))
        return None if jour is None else (numero, jour)

    def bilan_du_csf(self, csf_id: UUID) -> Bilan | None:
        """The bilan that a CSF controls."""
        found = (b for b in self.bilans.values() if b.csf is not None and b.csf.csf_id == csf_id)
        return next(found, None)

    def depenses_rattachees(self) -> frozenset[UUID]:
        """Dépenses already in a bilan that stands."""
        return frozenset(
            d for b in self.bilans.values() if b.statut != "renvoye" for d in b.depenses
        )


def conditions(
    plan: PlanFinancement, parametres: Parametres, plafonds: tuple[PlafondPoste, ...]
) -> Conditions:
    """Return what the calculation reads of a plan and of the choices that go with it.

    A cap of the convention comes before the rule of fongibilité, which caps every real poste.
    """
    return Conditions(
        fse_max_centimes=plan.fse_centimes,
        cout_total_eligible_centimes=plan.cout_total_centimes,
        postes=tuple(_convenu(p, parametres, plafonds) for p in plan.postes),
        arrondi=cast("Arrondi", parametres.arrondi),
        taux_mode=parametres.taux_mode,
        ressources_intermediaires=parametres.ressources_intermediaires,
        ressources_prevues=tuple(
            (r.type, r.montant_centimes) for r in plan.ressources if r.type != AUTOFINANCEMENT
        ),
    )


def _convenu(
    poste: Poste, parametres: Parametres, plafonds: tuple[PlafondPoste, ...]
) -> PosteConvenu:
    plafond: int | None = None
    tolerance = Decimal(0)
    if poste.mode == "reel" and parametres.fongibilite != "libre":
        plafond = poste.montant_centimes
        if parametres.fongibilite == "tolerance":
            tolerance = parametres.tolerance_poste_pct
    for explicite in plafonds:
        if explicite.code == poste.code:
            plafond, tolerance = explicite.montant_centimes, explicite.tolerance_pct
    return PosteConvenu(
        code=poste.code,
        mode=poste.mode,
        taux_pct=poste.taux_pct,
        assiette=poste.assiette,
        cout_unite_centimes=poste.cout_unite_centimes,
        plafond_centimes=plafond,
        tolerance_pct=tolerance,
    )


def _parametres(fait: ConventionSignee) -> Parametres:
    """Return the choices of a convention; those signed before they were all written say a few."""
    if fait.parametres is not None:
        return fait.parametres
    return Parametres(
        avance_pct=fait.avance_pct,
        avance_plafond_centimes=fait.avance_plafond_centimes,
        types_beneficiaires_sans_avance=(),
        plafond_avant_solde_pct=fait.plafond_avant_solde_pct,
        delai_contradictoire_jours=0,
        arrondi=fait.arrondi,
    )


def _declares(fait: BilanDepose) -> Apports:
    """Return what a bilan at real cost declared, all postes together."""
    lignes = LignesPoste(
        code="depenses", declare_centimes=fait.cout_total_declare_centimes, ecarte_centimes=0
    )
    return Apports(final=fait.type == "final", lignes=(lignes,))


def _apports(fait: CsfValide) -> Apports:
    """Return what a control kept; one under rules 2026.1 kept real lines and resources only."""
    if fait.entrees is not None:
        return fait.entrees.bilans[fait.entrees.rang]
    return Apports(
        final=fait.type == "final",
        lignes=tuple(
            LignesPoste(
                code=p.code, declare_centimes=p.declare_centimes, ecarte_centimes=p.ecarte_centimes
            )
            for p in fait.postes
        ),
        ressources=tuple((r.type, r.montant_retenu_centimes) for r in fait.ressources),
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


def _ouvert(ancien: Csf | None, fait: CsfOuvert) -> Csf:
    """Open a control; a new version starts from the decisions of the former one."""
    csf = ancien or Csf(csf_id=fait.csf_id, version=fait.version, controleur=fait.controleur)
    return msgspec.structs.replace(
        csf,
        csf_id=fait.csf_id,
        version=fait.version,
        controleur=fait.controleur,
        modalite=fait.modalite,
        statut="en_controle",
        date_limite_reponse=None,
        fse_annonce=None,
        propose=None,
        renvoye_le=None,
    )


def _bilan(state: Convention, csf_id: UUID) -> Bilan:
    bilan = state.bilan_du_csf(csf_id)
    assert bilan is not None
    return bilan


def _csf(state: Convention, csf_id: UUID) -> Csf:
    csf = _bilan(state, csf_id).csf
    assert csf is not None
    return csf


def _paiement(
    fait: PaiementPrepare | PaiementOrdonnance, statut: Literal["prepare", "ordonnance"]
) -> Paiement:
    return Paiement(
        type=fait.type,
        montant=fait.montant_centimes,
        csf_id=fait.csf_id,
        statut=statut,
        le=fait.date_effet,
        remplace=fait.remplace,
    )


def _with_paiement(state: Convention, paiement_id: UUID, **changes: object) -> Convention:
    paiement = msgspec.structs.replace(state.paiements[paiement_id], **changes)
    return msgspec.structs.replace(state, paiements={**state.paiements, paiement_id: paiement})


def _with_ordre(state: Convention, ordre_id: UUID, **changes: object) -> Convention:
    ordre = msgspec.structs.replace(state.ordres[ordre_id], **changes)
    return msgspec.structs.replace(state, ordres={**state.ordres, ordre_id: ordre})


def _certifie(
    state: Convention, jour: date, fse: int, cout_total: int
) -> dict[date, tuple[int, int]]:
    avant = state.certifie_au.get(jour, (0, 0))
    return {**state.certifie_au, jour: (avant[0] + fse, avant[1] + cout_total)}


def _version_csf(fait: CsfValide) -> VersionCsf:
    return VersionCsf(
        bilan_id=fait.bilan_id,
        version=fait.version,
        valide_le=fait.date_effet,
        cout_total=-fait.cout_total_retenu_periode_centimes,
        ecarte=fait.depenses_ecartees_centimes,
        fse=-fait.fse_du_periode_centimes,
    )


def _retrait(state: Convention, fait: DepenseRetiree) -> Retrait:
    avant = state.retraits.get(fait.appel_de_fonds_no)
    return Retrait(
        cout_total=fait.cout_total_centimes + (avant.cout_total if avant else 0),
        fse=fait.fse_centimes + (avant.fse if avant else 0),
        le=max(fait.date_effet, avant.le if avant else fait.date_effet),
    )


#: Decisions of a control on something else than its dépenses.
_DecisionDeControle = (
    EchantillonTire
    | ExtrapolationDecidee
    | MarcheCorrige
    | FseCorrige
    | RealisationsControlees
    | RecettesControlees
    | GrilleRemplie
    | RessourcesControlees
)
_DECISIONS_DE_CONTROLE = get_args(_DecisionDeControle)


def _decide(state: Convention, fait: _DecisionDeControle) -> Convention:
    bilan = state.bilan_du_csf(fait.csf_id)
    assert bilan is not None
    controleurs = noter(bilan.controleurs, fait.controleur, "decision_de_controle", fait.date_effet)
    bilan = msgspec.structs.replace(bilan, controleurs=controleurs)
    return msgspec.structs.replace(state, bilans=_with_bilan(state, bilan))


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
            parametres=_parametres(fait),
            plafonds_poste=fait.plafonds_poste,
            bilans_prevus=fait.bilans_prevus,
            signee_le=fait.date_effet,
            date_limite_acquittement=fait.date_limite_acquittement,
        )
    assert state is not None
    if isinstance(fait, _DECISIONS_DE_CONTROLE):
        state = _decide(state, fait)
    replace = msgspec.structs.replace
    match fait:
        case ConventionNotifiee():
            return replace(state, notifiee_le=fait.date_effet)
        case AvenantDemande():
            avenant = Avenant(numero=fait.numero, apres=fait.apres)
            return replace(state, avenant_en_cours=avenant)
        case AvenantProgramme():
            assert state.avenant_en_cours is not None
            programmed = replace(
                state.avenant_en_cours, programme=True, programme_le=fait.date_effet
            )
            return replace(state, avenant_en_cours=programmed)
        case AvenantSigne():
            return replace(
                state,
                avenants=fait.numero,
                avenant_signe_le=fait.date_effet,
                avenant_en_cours=None,
                objet=fait.apres.objet or state.objet,
                periode=fait.apres.periode or state.periode,
                plan=fait.apres.plan or state.plan,
                date_limite_acquittement=(
                    fait.date_limite_acquittement or state.date_limite_acquittement
                ),
            )
        case AvenantAbandonne():
            return replace(state, avenant_en_cours=None, avenant_abandonne_le=fait.date_effet)
        case BilanDepose():
            bilan = Bilan(
                bilan_id=fait.bilan_id,
                numero=fait.numero,
                type=fait.type,
                periode=fait.periode,
                depenses=fait.depenses,
                ressources=fait.ressources,
                cout_total_declare=fait.cout_total_declare_centimes,
                depose_le=fait.date_effet,
                unites=fait.unites,
                livrables=fait.livrables,
                recettes_nettes=fait.recettes_nettes_centimes,
                declares=fait.apports or _declares(fait),
            )
            return replace(
                state,
                bilans=_with_bilan(state, bilan),
                fse_declare=state.fse_declare + fait.fse_declare_centimes,
                cout_total_declare=state.cout_total_declare + fait.cout_total_declare_centimes,
            )
        case BilanJugeRecevable():
            bilan = replace(state.bilans[fait.bilan_id], statut="recevable")
            return replace(state, bilans=_with_bilan(state, bilan))
        case BilanReclame():
            reclames = {**state.reclames, fait.numero: fait.date_limite_reponse}
            return replace(state, reclames=reclames)
        case ClotureOfficePrononcee():
            return replace(
                state,
                cloturee_office=True,
                fse_du=fait.fse_du_apres_centimes,
                cout_total_retenu=fait.cout_total_retenu_apres_centimes,
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
            bilan = state.bilans[fait.bilan_id]
            bilan = replace(
                bilan,
                statut="en_controle",
                csf=_ouvert(bilan.csf, fait),
                controleurs=noter(
                    bilan.controleurs, fait.controleur, "controle_ouvert", fait.date_effet
                ),
            )
            return replace(state, bilans=_with_bilan(state, bilan))
        case EchantillonTire():
            csf = _csf(state, fait.csf_id)
            return _with_csf(state, fait.csf_id, tirages={**csf.tirages, fait.poste: fait.tirage})
        case ExtrapolationDecidee():
            csf = _csf(state, fait.csf_id)
            decided = csf.extrapolations | {fait.poste}
            return _with_csf(state, fait.csf_id, extrapolations=decided)
        case MarcheCorrige():
            csf = _csf(state, fait.csf_id)
            rates = {**csf.corrections_marche, fait.marche_ref: fait.taux_pct}
            return _with_csf(state, fait.csf_id, corrections_marche=rates)
        case FseCorrige():
            csf = _csf(state, fait.csf_id)
            rates = {**csf.corrections_fse, fait.nature: fait.taux_pct}
            return _with_csf(state, fait.csf_id, corrections_fse=rates)
        case RealisationsControlees():
            return _with_csf(
                state,
                fait.csf_id,
                unites=fait.unites,
                livrables=fait.livrables,
                realisations_vues=True,
            )
        case RecettesControlees():
            return _with_csf(state, fait.csf_id, recettes=fait)
        case GrilleRemplie():
            return _with_csf(state, fait.csf_id, grille=fait.points)
        case RessourcesControlees():
            return _with_csf(state, fait.csf_id, ressources=fait.ressources)
        case ConclusionsIntermediairesNotifiees():
            return _with_csf(
                state,
                fait.csf_id,
                statut="conclusions",
                date_limite_reponse=fait.date_limite_reponse,
                fse_annonce=fait.fse_retenu_centimes,
            )
        case ObservationsRecues():
            return _with_csf(state, fait.csf_id, statut="observations")
        case ConclusionsFinalesNotifiees():
            return _with_csf(state, fait.csf_id, statut="finales")
        case CsfPropose():
            noted = noter(
                _bilan(state, fait.csf_id).controleurs,
                fait.controleur,
                "controle_propose",
                fait.date_effet,
            )
            state = _with_csf(state, fait.csf_id, propose=fait, renvoye_le=None)
            bilan = replace(_bilan(state, fait.csf_id), controleurs=noted)
            return replace(state, bilans=_with_bilan(state, bilan))
        case CsfRenvoye():
            return _with_csf(state, fait.csf_id, propose=None, renvoye_le=fait.date_effet)
        case CsfValide():
            state = _with_csf(state, fait.csf_id, statut="valide", valide_le=fait.date_effet)
            bilan = replace(
                state.bilans[fait.bilan_id],
                statut="controle",
                apports=_apports(fait),
                controleurs=reunir(
                    state.bilans[fait.bilan_id].controleurs,
                    {i.qui: ActeAnterieur(i.acte, i.le) for i in fait.controleurs},
                ),
                valideurs=noter(
                    state.bilans[fait.bilan_id].valideurs,
                    fait.valideur,
                    "controle_valide",
                    fait.date_effet,
                ),
            )
            return replace(
                state,
                versions_csf=state.versions_csf | {fait.csf_id: _version_csf(fait)},
                bilans=_with_bilan(state, bilan),
                fse_du=fait.fse_du_cumule_centimes,
                cout_total_retenu=fait.cout_net_cumule_centimes,
                depenses_controlees=(state.depenses_controlees + fait.depenses_declarees_centimes),
                depenses_ecartees=state.depenses_ecartees + fait.depenses_ecartees_centimes,
            )
        case CsfRouvert():
            bilan = replace(
                state.bilans[fait.bilan_id], statut="recevable", rouvert_le=fait.date_effet
            )
            return replace(state, bilans=_with_bilan(state, bilan))
        case PaiementPrepare():
            paiement = replace(_paiement(fait, "prepare"), prepare_par=fait.preparateur)
            return replace(state, paiements={**state.paiements, fait.paiement_id: paiement})
        case PaiementOrdonnance():
            # Before payments were prepared, the order came first.
            paiement = replace(_paiement(fait, "ordonnance"), ordonnance_par=fait.ordonnateur)
            return replace(state, paiements={**state.paiements, fait.paiement_id: paiement})
        case PaiementAnnule():
            return _with_paiement(state, fait.paiement_id, statut="annule")
        case PaiementEffectue():
            return _with_paiement(state, fait.paiement_id, statut="effectue", le=fait.date_effet)
        case PaiementAcquitte():
            return _with_paiement(state, fait.paiement_id, statut="acquitte")
        case PaiementRejete():
            return _with_paiement(state, fait.paiement_id, statut="rejete", le=fait.date_effet)
        case CompensationImputee():
            compense = state.paiements[fait.paiement_id].compense + fait.montant_centimes
            return _with_paiement(state, fait.paiement_id, compense=compense)
        case OrdreReversementEmis():
            ordre = Ordre(
                montant=fait.montant_centimes, emis_le=fait.date_effet, emis_par=fait.emetteur
            )
            return replace(state, ordres={**state.ordres, fait.ordre_id: ordre})
        case OrdreReversementNotifie() | ContestationTranchee():
            return _with_ordre(state, fait.ordre_id, statut="notifie")
        case OrdreReversementConteste():
            return _with_ordre(state, fait.ordre_id, statut="conteste")
        case OrdreReversementAnnule():
            return _with_ordre(state, fait.ordre_id, statut="annule")
        case ReversementEncaisse() | CompensationOperee():
            rentre = state.ordres[fait.ordre_id].rentre + fait.montant_centimes
            return _with_ordre(state, fait.ordre_id, rentre=rentre)
        case CreanceIrrecouvrable():
            perdu = state.ordres[fait.ordre_id].perdu + fait.montant_centimes
            return _with_ordre(state, fait.ordre_id, perdu=perdu, perdu_le=fait.date_effet)
        case CreanceRetablie():
            perdu = state.ordres[fait.ordre_id].perdu - fait.montant_centimes
            return _with_ordre(state, fait.ordre_id, perdu=perdu, retabli_le=fait.date_effet)
        case DelaiPaiementInterrompu():
            bilan = replace(
                state.bilans[fait.bilan_id], delai_interrompu=True, delai_le=fait.date_effet
            )
            return replace(state, bilans=_with_bilan(state, bilan))
        case DelaiPaiementRepris():
            bilan = replace(
                state.bilans[fait.bilan_id], delai_interrompu=False, delai_le=fait.date_effet
            )
            return replace(state, bilans=_with_bilan(state, bilan))
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
                certifie_au=_certifie(
                    state, fait.date_effet, fait.fse_centimes, fait.cout_total_centimes
                ),
            )
        case DepenseRetiree():
            return replace(
                state,
                retraits=state.retraits | {fait.appel_de_fonds_no: _retrait(state, fait)},
                fse_certifie=state.fse_certifie - fait.fse_centimes,
                cout_total_certifie=state.cout_total_certifie - fait.cout_total_centimes,
                certifie_au=_certifie(
                    state, fait.date_effet, -fait.fse_centimes, -fait.cout_total_centimes
                ),
            )
        case _:
            assert_never(fait)


CONVENTION = Aggregate("convention", evolve, ConventionAbsente)
