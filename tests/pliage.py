"""A naive fold of the events in plain Python, apart from the SQL: what each figure must be.

It says each quantity as docs/glossaire.md defines it, as a level: what a grant, a dossier or a
contrepartie stands at once some events happened. It knows nothing of movements. What an event
changes is the difference between two levels, before it and after it, in the order of the log; and
the figure of a situation is the sum of what the events that count there changed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from aggregates.cadre import NON_REPARTI, RESERVE, Cellule
from aggregates.contrepartie import events as xe
from aggregates.convention import events as ce
from aggregates.depense import events as de
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation import events as oe
from aggregates.operation.state import OPERATION, Operation
from aggregates.reprise import events as re
from aggregates.subvention_globale import events as se
from oi_service.codec import REGISTRY, Evenement
from oi_service.ids import convention_of
from oi_service.money import Arrondi, round_cents
from projections.situation import Situation


@dataclass(frozen=True, slots=True)
class Connu:
    """An event at its place."""

    position: int
    stream_id: UUID
    version: int
    fait: Evenement

    @property
    def date_effet(self) -> date:
        return self.fait.date_effet

    def compte(self, situation: Situation) -> bool:
        """Tell whether a situation counts it: known by then, and of effect by then."""
        connu, effet = situation.connu_le, situation.effet_au
        return (connu is None or self.position <= connu) and (
            effet is None or self.date_effet <= effet
        )


def lire(conn: Connection[Any]) -> list[Connu]:
    """Return the whole log, decoded."""
    rows = conn.execute(
        "SELECT position, stream_id, version, name, data::text, to_char(date_effet, 'YYYY-MM-DD'), "
        "motif, pieces::text FROM oi.event ORDER BY position"
    )
    return [Connu(p, s, v, REGISTRY.decode(*stored)) for p, s, v, *stored in rows]


class Case(NamedTuple):
    """A cell of the maquette."""

    sg: UUID
    plie: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str


class Compte(NamedTuple):
    """What an amount is about: a measure of a cell, and who holds it or brings it."""

    case: Case
    operation: UUID | None
    type: str | None
    financeur: str | None
    mesure: str


def _case(sg: UUID, cellule: Cellule) -> Case:
    ligne = cellule.ligne
    return Case(
        sg, cellule.plie_id, ligne.annee, ligne.axe, ligne.objectif_specifique, ligne.dispositif
    )


Niveaux = Counter[Compte]
Financeur = tuple[str, str]


@dataclass
class Subvention:
    """What each cell of a grant was given."""

    sg: UUID
    alloue: Counter[tuple[Cellule, str]] = field(default_factory=Counter)

    def donner(self, cellule: Cellule, fse: int, ct: int, fois: int = 1) -> None:
        self.alloue[cellule, "fse_maquette"] += fois * fse
        self.alloue[cellule, "ct_maquette"] += fois * ct

    def appliquer(self, fait: Evenement) -> None:
        match fait:
            case se.TrancheOuverte():
                for ouverte in fait.lignes:
                    publiques = ouverte.contreparties_publiques_centimes
                    privees = ouverte.contreparties_privees_centimes
                    libre = Cellule(ligne=ouverte.ligne, plie_id=NON_REPARTI)
                    fse = ouverte.fse_centimes
                    self.donner(libre, fse, fse + publiques + privees)
            case se.EnveloppePlieNotifiee():
                self._repartir(fait.cellule, fait)
            case se.ReserveConstituee():
                self._repartir(Cellule(ligne=fait.ligne, plie_id=RESERVE), fait)
            case se.TransfertEnveloppeDecide():
                self.donner(fait.de, fait.fse_centimes, fait.cout_total_centimes, -1)
                self.donner(fait.vers, fait.fse_centimes, fait.cout_total_centimes)
            case se.AvenantSubventionGlobaleSigne():
                for ecart in fait.ecarts:
                    self.donner(ecart.cellule, ecart.fse_centimes, ecart.cout_total_centimes)

    def _repartir(
        self, cellule: Cellule, fait: se.EnveloppePlieNotifiee | se.ReserveConstituee
    ) -> None:
        """Give to a cell what its line had opened for nobody yet."""
        libre = Cellule(ligne=cellule.ligne, plie_id=NON_REPARTI)
        self.donner(libre, fait.fse_centimes, fait.cout_total_centimes, -1)
        self.donner(cellule, fait.fse_centimes, fait.cout_total_centimes)

    def niveaux(self) -> Niveaux:
        return Counter(
            {
                Compte(_case(self.sg, cellule), None, None, None, mesure): montant
                for (cellule, mesure), montant in self.alloue.items()
            }
        )


@dataclass
class Dossier:
    """An operation, its convention, and the contreparties that it holds."""

    case: Case
    operation_id: UUID
    depose: tuple[int, int] = (0, 0)
    programme: tuple[int, int] | None = None
    programmees: tuple[Any, ...] = ()
    solde: tuple[int, int] | None = None
    conventionne: tuple[int, int] = (0, 0)
    conventionnees: tuple[Any, ...] = ()
    arrondi: Arrondi = "demi_superieur"
    declare: tuple[int, int] = (0, 0)
    du: tuple[int, int] = (0, 0)
    controles: dict[UUID, ce.CsfValide] = field(default_factory=dict)
    vues: tuple[int, int] = (0, 0)  #: dépenses declared and rejected in the controls
    transmis: tuple[int, int] = (0, 0)
    certifie: tuple[int, int] = (0, 0)
    virements: dict[UUID, int] = field(default_factory=dict)
    compense: int = 0  #: settled by compensation, received minus given
    rentre: int = 0
    irrecouvrable: int = 0
    affecte: Counter[Financeur] = field(default_factory=Counter)

    def appliquer(self, fait: Evenement) -> None:
        match fait:
            case oe.DossierDepose():
                self.depose = (fait.plan.fse_centimes, fait.plan.cout_total_centimes)
            case oe.IrrecevabilitePrononcee():
                self.depose = (0, 0)
            case oe.DossierRetire():
                self.depose, self.programme, self.programmees = (0, 0), None, ()
            case oe.OperationProgrammee():
                self.programme = (fait.fse_centimes, fait.cout_total_centimes)
                self.programmees = fait.ressources
            case oe.OperationDeprogrammee():
                self.programme, self.programmees = None, ()
            case oe.ProgrammationModifiee():
                ecart = (fait.ecart_fse_centimes, fait.ecart_cout_total_centimes)
                self.programme = _plus(self.programme or (0, 0), ecart)
                self.programmees = fait.ressources_apres
            case oe.OperationSoldee():
                self.solde = (fait.fse_du_centimes, fait.cout_total_retenu_centimes)
            case oe.SuitesCloses():
                self.solde = (fait.fse_du_apres_centimes, fait.cout_total_retenu_apres_centimes)
            case ce.ConventionNotifiee():
                self.conventionne = (fait.fse_max_centimes, fait.cout_total_eligible_centimes)
                self.conventionnees = fait.ressources
            case ce.AvenantSigne():
                plan = fait.apres.plan
                if plan is not None:
                    self.conventionne = (plan.fse_centimes, plan.cout_total_centimes)
                    self.conventionnees = plan.ressources
            case ce.ConventionSignee():
                self.arrondi = fait.arrondi
            case ce.BilanDepose():
                self._declarer(fait.cout_total_declare_centimes)
            case ce.BilanRenvoye():
                self._declarer(-fait.cout_total_declare_centimes)
            case ce.CsfValide():
                self.du = (fait.fse_du_cumule_centimes, fait.cout_net_cumule_centimes)
                self.controles[fait.bilan_id] = fait
                assert fait.resultat is not None
                self.vues = (fait.resultat.declare_centimes, fait.resultat.ecarte_centimes)
            case ce.ClotureOfficePrononcee():
                self.du = (fait.fse_du_apres_centimes, fait.cout_total_retenu_apres_centimes)
            case ce.EtatDepensesTransmis():
                montants = (fait.fse_centimes, fait.cout_total_centimes)
                self.transmis = _plus(self.transmis, montants)
            case ce.DepenseCertifiee():
                montants = (fait.fse_centimes, fait.cout_total_centimes)
                self.certifie = _plus(self.certifie, montants)
            case ce.DepenseRetiree():
                montants = (-fait.fse_centimes, -fait.cout_total_centimes)
                self.certifie = _plus(self.certifie, montants)
            case ce.PaiementEffectue():
                vire = fait.montant_centimes - fait.compense_centimes
                self.virements[fait.paiement_id] = vire
            case ce.PaiementRejete():
                del self.virements[fait.paiement_id]
            case ce.ReversementEncaisse():
                self.rentre += fait.montant_centimes
            case ce.CompensationOperee():
                sens = 1 if fait.par_operation_id == self.operation_id else -1
                self.compense += sens * fait.montant_centimes
            case ce.CreanceIrrecouvrable():
                self.irrecouvrable += fait.montant_centimes
            case ce.CreanceRetablie():
                self.irrecouvrable -= fait.montant_centimes

    def _declarer(self, cout: int) -> None:
        """The rate of the convention applies to all that is declared, and its maximum caps it."""
        fse_max, eligible = self.conventionne
        declare = self.declare[1] + cout
        part = round_cents(Fraction(fse_max, eligible) * declare, self.arrondi)
        self.declare = (min(fse_max, part), declare)

    def niveaux(self) -> Niveaux:
        found: Niveaux = Counter()
        programme = self.programme or (0, 0)
        deux = {
            "depose": self.depose,
            "programme": programme,
            "programme_ajuste": programme if self.solde is None else self.solde,
            "conventionne": self.conventionne,
            "declare": self.declare,
            "retenu_csf": self.du,
            "transmis": self.transmis,
            "certifie": self.certifie,
        }
        for nom, (fse, ct) in deux.items():
            found[self._compte(f"fse_{nom}")] = fse
            found[self._compte(f"ct_{nom}")] = ct
        paye = sum(self.virements.values()) + self.compense - self.rentre
        found[self._compte("fse_paye")] = paye
        found[self._compte("fse_irrecouvrable")] = self.irrecouvrable
        found[self._compte("depenses_declarees")], found[self._compte("depenses_ecartees")] = (
            self.vues
        )
        found[self._compte("nb_operations")] = int(self.programme is not None)
        retenues = [r for controle in self.controles.values() for r in controle.ressources]
        par_mesure: dict[str, Iterable[tuple[str, str, int]]] = {
            "cp_programmee": _montants(self.programmees),
            "cp_conventionnee": _montants(self.conventionnees),
            "cp_affectee": ((*qui, montant) for qui, montant in self.affecte.items()),
            "cp_retenue": ((r.type, r.financeur, r.montant_retenu_centimes) for r in retenues),
        }
        for mesure, apports in par_mesure.items():
            for kind, financeur, montant in apports:
                found[self._compte(mesure, kind, financeur)] += montant
        return found

    def _compte(self, mesure: str, kind: str | None = None, financeur: str | None = None) -> Compte:
        return Compte(self.case, self.operation_id, kind, financeur, mesure)


def _plus(*paires: tuple[int, int]) -> tuple[int, int]:
    return sum(a for a, _ in paires), sum(b for _, b in paires)


def _montants(ressources: Iterable[Any]) -> Iterator[tuple[str, str, int]]:
    return ((r.type, r.financeur, r.montant_centimes) for r in ressources)


@dataclass
class Apport:
    """A contrepartie: what a funder granted, and paid."""

    case: Case
    type: str
    financeur: str
    attribuee: int = 0
    percue: int = 0

    def appliquer(self, fait: Evenement) -> None:
        match fait:
            case xe.ContrepartieAttribuee():
                self.attribuee = fait.montant_centimes
            case xe.ContrepartiePercue():
                self.percue += fait.montant_centimes
            case xe.PerceptionAnnulee():
                self.percue -= fait.montant_centimes
            case xe.AttributionAnnulee():
                self.attribuee -= fait.montant_centimes

    def niveaux(self) -> Niveaux:
        return Counter(
            {
                Compte(self.case, None, self.type, self.financeur, "cp_attribuee"): self.attribuee,
                Compte(self.case, None, self.type, self.financeur, "cp_percue"): self.percue,
            }
        )


@dataclass
class Reprise:
    """A past operation taken over from a list; cancelled, it brings nothing."""

    case: Case
    montants: tuple[int, int] = (0, 0)

    def appliquer(self, fait: Evenement) -> None:
        match fait:
            case re.OperationReprise():
                self.montants = (fait.fse_centimes, fait.cout_total_eligible_centimes)
            case re.RepriseAnnulee():
                self.montants = (0, 0)

    def niveaux(self) -> Niveaux:
        fse, ct = self.montants
        return Counter(
            {
                Compte(self.case, None, None, None, "fse_repris"): fse,
                Compte(self.case, None, None, None, "ct_repris"): ct,
            }
        )


Tenant = Subvention | Dossier | Apport | Reprise


class Pliage:
    """Folds events, of a log that it knows whole: who is who does not depend on the situation."""

    def __init__(self, histoire: Iterable[Connu]) -> None:
        self.tenants: dict[UUID, Tenant] = {}
        self._operation_de: dict[UUID, UUID] = {}
        for connu in histoire:
            self._situer(connu.stream_id, connu.fait)

    def _situer(self, stream: UUID, fait: Evenement) -> None:
        match fait:
            case se.SubventionGlobaleConventionnee():
                self.tenants[stream] = Subvention(stream)
            case oe.DossierDepose():
                case = _case(fait.cadre.subvention_globale_id, fait.cellule)
                self.tenants[stream] = Dossier(case, stream)
                self._operation_de[convention_of(stream)] = stream
            case xe.ContrepartieAttribuee():
                sg = fait.cadre.subvention_globale_id
                case = Case(sg, fait.plie_id or "mutualise", fait.annee, "", "", "")
                self.tenants[stream] = Apport(case, fait.type, fait.financeur)
            case re.OperationReprise():
                sg, annee = fait.cadre.subvention_globale_id, fait.date_programmation.year
                case = Case(sg, "reprise", annee, fait.programme, "", "reprise")
                self.tenants[stream] = Reprise(case)

    def concernes(self, connu: Connu) -> list[Tenant]:
        """Return what an event may change."""
        ids = {self._operation_de.get(connu.stream_id, connu.stream_id)}
        if isinstance(connu.fait, xe.ContrepartieAffectee | xe.AffectationAnnulee):
            ids = {connu.fait.operation_id}
        if isinstance(connu.fait, ce.CompensationOperee):
            ids.add(connu.fait.par_operation_id)
        return [self.tenants[i] for i in ids if i in self.tenants]

    def appliquer(self, connu: Connu) -> None:
        """Let an event happen."""
        fait = connu.fait
        if isinstance(fait, xe.ContrepartieAffectee | xe.AffectationAnnulee):
            apport, dossier = self.tenants[connu.stream_id], self.tenants[fait.operation_id]
            assert isinstance(apport, Apport)
            assert isinstance(dossier, Dossier)
            sens = 1 if isinstance(fait, xe.ContrepartieAffectee) else -1
            dossier.affecte[apport.type, apport.financeur] += sens * fait.montant_centimes
            return
        for tenant in self.concernes(connu):
            tenant.appliquer(fait)

    def niveaux(self) -> Niveaux:
        """Return what everything stands at."""
        found: Niveaux = Counter()
        for tenant in self.tenants.values():
            found.update(tenant.niveaux())
        return found


def sans_zero(niveaux: Niveaux) -> dict[Compte, int]:
    """Return the amounts that are not nothing."""
    return {compte: montant for compte, montant in niveaux.items() if montant}


@dataclass(frozen=True, slots=True)
class Changement:
    """What one event changes, and when it counts."""

    connu: Connu
    ecarts: dict[Compte, int]


def changements(histoire: Sequence[Connu]) -> list[Changement]:
    """Return what each event changes, in the order of the log."""
    pliage = Pliage(histoire)
    found = []
    for connu in histoire:
        tenants = pliage.concernes(connu)
        ecarts: Niveaux = Counter()
        for tenant in tenants:
            ecarts.subtract(tenant.niveaux())
        pliage.appliquer(connu)
        for tenant in tenants:
            ecarts.update(tenant.niveaux())
        if changes := sans_zero(ecarts):
            found.append(Changement(connu, changes))
    return found


def additionner(changes: Iterable[Changement], situation: Situation) -> dict[Compte, int]:
    """Return the figures of a situation: the sum of what the events that count changed."""
    total: Niveaux = Counter()
    for change in changes:
        if change.connu.compte(situation):
            total.update(change.ecarts)
    return sans_zero(total)


def plier(histoire: Sequence[Connu], situation: Situation) -> dict[Compte, int]:
    """Return the same by letting happen nothing but the events that count.

    It has a sense only where no event counts without those of its stream that it follows.
    """
    pliage = Pliage(histoire)
    for connu in histoire:
        if connu.compte(situation):
            pliage.appliquer(connu)
    return sans_zero(pliage.niveaux())


def regrouper(figures: dict[Compte, int], *champs: str) -> dict[tuple[Any, ...], int]:
    """Sum figures by some fields of their accounts; nothing is left of what sums to zero."""
    total: Counter[tuple[Any, ...]] = Counter()
    for compte, montant in figures.items():
        total[tuple(getattr(compte, champ) for champ in champs)] += montant
    return {cle: montant for cle, montant in total.items() if montant}


def subvention_en_vigueur(histoire: Iterable[Connu], sg: UUID, situation: Situation) -> int:
    """Return the amount of a grant: of its last avenant that counts, else of its signature."""
    montant = 0
    for connu in histoire:
        fait = connu.fait
        if connu.stream_id != sg:
            continue
        if isinstance(fait, se.SubventionGlobaleConventionnee):
            montant = fait.fse_total_centimes
        elif isinstance(fait, se.AvenantSubventionGlobaleSigne) and connu.compte(situation):
            montant = fait.fse_total_apres_centimes
    return montant


def flux(histoire: Iterable[Connu]) -> dict[UUID, list[Connu]]:
    """Return the streams, each in its order."""
    found: dict[UUID, list[Connu]] = defaultdict(list)
    for connu in histoire:
        found[connu.stream_id].append(connu)
    return found


def operations(
    streams: dict[UUID, list[Connu]], situation: Situation
) -> dict[UUID, tuple[Operation, str | None]]:
    """Return each operation that a situation knows, with the number of its convention."""
    found = {}
    for stream, connus in streams.items():
        if not isinstance(connus[0].fait, oe.DossierDepose) or not connus[0].compte(situation):
            continue
        faits = [c.fait for c in connus if c.compte(situation)]
        numeros = [f.numero_convention for f in faits if isinstance(f, oe.OperationConventionnee)]
        state = OPERATION.replay(faits)
        assert state is not None
        found[stream] = (state, numeros[-1] if numeros else None)
    return found


class DepenseVue(NamedTuple):
    """A dépense in a situation; ``motif_code`` is the last one said, ``bilan_id`` its bilan."""

    etat: Depense
    bilan_id: UUID | None
    motif_code: str | None
    version: int


def depenses(
    streams: dict[UUID, list[Connu]], situation: Situation
) -> dict[UUID, dict[UUID, DepenseVue]]:
    """Return the dépenses that a situation knows, by operation."""
    bilans: dict[UUID, UUID | None] = {}
    for connus in streams.values():
        for connu in connus:
            fait = connu.fait
            if not connu.compte(situation):
                continue
            if isinstance(fait, ce.BilanDepose):
                bilans.update(dict.fromkeys(fait.depenses, fait.bilan_id))
            elif isinstance(fait, ce.BilanRenvoye):
                bilans |= {d: None for d, b in bilans.items() if b == fait.bilan_id}
    found: dict[UUID, dict[UUID, DepenseVue]] = defaultdict(dict)
    for stream, connus in streams.items():
        if not isinstance(connus[0].fait, de.DepenseDeclaree) or not connus[0].compte(situation):
            continue
        vus = [c for c in connus if c.compte(situation)]
        motifs = [c.fait.motif_code for c in vus if isinstance(c.fait, de.DepenseControlee)]
        state = DEPENSE.replay(c.fait for c in vus)
        assert state is not None
        found[state.operation_id][stream] = DepenseVue(
            state, bilans.get(stream), motifs[-1] if motifs else None, vus[-1].version
        )
    return found
