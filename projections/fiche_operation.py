"""The sheet of an operation: everything that its two streams say, without any decision."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention import events as ce
from aggregates.convention.state import CONVENTION, Convention, ConventionAbsente
from aggregates.operation import events as oe
from aggregates.operation.state import OPERATION, Operation, OperationAbsente
from aggregates.parametres import Parametres
from aggregates.plan import PlanFinancement, Ressource
from oi_service.clock import jour, today
from oi_service.codec import Evenement
from oi_service.dates import Periode
from oi_service.errors import french_euros
from oi_service.ids import convention_of
from projections.bilans_attendus import BilanAttendu, bilans_de_la_convention
from projections.contreparties import Affectation, affectations
from projections.controles import Decisions, decisions
from projections.dossiers import LigneOperation, exiger_operation, operations
from projections.histoire import CONTRAINTES
from projections.journal import EvenementLu, faits_d_ailleurs, lire_flux
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.calcul import Apports
from rules.couts import Derogation
from rules.indicateurs import atteinte
from rules.mutualisation import Couverture, couverture
from rules.nomenclature import POSTES, RESSOURCES

E = TypeVar("E", bound=Evenement)
Origine = Literal["depot", "instruction", "convention", "avenant"]


@dataclass(frozen=True, slots=True)
class VersionDuPlan:
    """A plan de financement, and the act that set it.

    The instruction says why simplified costs are not mandatory, and what else it found.
    """

    origine: Origine
    avenant: int | None
    date_effet: date
    position: int
    plan: PlanFinancement
    derogation_couts_simplifies: Derogation | None = None
    avertissements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndicateurSuivi:
    """A promise of the operation and what was reached; ``taux`` is an exact share of the target."""

    numero: int
    libelle: str
    unite: str
    cible: Decimal
    comparateur: str
    pieces: tuple[str, ...]
    mode: str
    realise: Decimal | None
    taux: Fraction | None
    atteint: bool | None


@dataclass(frozen=True, slots=True)
class AvisVu:
    """An opinion: of the instruction, of the PLIE, of the managing authority."""

    de: Literal["instruction", "plie", "agd"]
    avis: str
    auteur: str
    date_effet: date
    texte: str | None


@dataclass(frozen=True, slots=True)
class DecisionVue:
    """A decision of the programming body; amounts are cents, absent when it awards nothing."""

    decision: Literal["programmee", "ajournee", "refusee", "deprogrammee"]
    instance: str
    pv_ref: str
    date_effet: date
    motif: str | None
    fse: int | None
    cout_total: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What an avenant changes in one field, as people read it."""

    champ: str
    avant: str
    apres: str


@dataclass(frozen=True, slots=True)
class AvenantVu:
    """An avenant and how far it went; gaps are cents, known once it is signed."""

    numero: int
    statut: Literal["demande", "programme", "signe", "abandonne"]
    demande_le: date
    motif: str | None
    programme_le: date | None
    pv_ref: str | None
    signe_le: date | None
    ecart_fse: int | None
    ecart_cout_total: int | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CsfVu:
    """A contrôle de service fait, one version; ``resultat`` once it is valid.

    ``fse_demande`` and ``fse_annonce``: what the beneficiary asked for and was told, in cents.
    ``controle_ref``: the audit for which this version was opened again.
    """

    csf_id: UUID
    version: int
    controleur: str
    modalite: str
    ouvert_le: date
    decisions: Decisions
    conclusions_le: date | None
    fse_demande: int | None
    fse_annonce: int | None
    date_limite_reponse: date | None
    observations_le: date | None
    conclusions_finales_le: date | None
    valide_le: date | None
    rouvert_le: date | None
    motif_reouverture: str | None
    controle_ref: str | None
    resultat: ce.CsfValide | None

    @property
    def contrainte(self) -> str | None:
        """What limited the Fund, as people say it."""
        return None if self.resultat is None else CONTRAINTES.get(self.resultat.contrainte_active)


@dataclass(frozen=True, slots=True)
class InterruptionVue:
    """A stop of the clock of payment of a bilan; ``reprise_le`` once it runs again."""

    cause: str
    notification_ref: str
    depuis_le: date
    reprise_le: date | None


@dataclass(frozen=True, slots=True)
class BilanVu:
    """A bilan d'exécution and its controls; amounts are cents.

    ``apports``: what it declares, as the calculation reads it; absent from the oldest bilans.
    """

    bilan_id: UUID
    numero: int
    type: str
    statut: str
    periode: Periode
    depose_le: date
    recevable_le: date | None
    nb_depenses: int
    cout_total_declare: int
    fse_declare: int
    ressources: tuple[Ressource, ...]
    unites: tuple[ce.UnitesDeclarees, ...]
    livrables: tuple[str, ...]
    recettes_nettes: int
    apports: Apports | None
    interruptions: tuple[InterruptionVue, ...]
    csf: tuple[CsfVu, ...]


@dataclass(frozen=True, slots=True)
class PaiementVu:
    """A payment, in cents.

    ``compense``: part of it that settled what is owed on another operation, without any transfer.
    ``remplace``: the payment sent back by the bank that this one pays again. Before payments were
    prepared, the order came first.
    """

    paiement_id: UUID
    type: str
    statut: str
    montant: int
    compense: int
    csf_id: UUID | None
    remplace: UUID | None
    prepare_le: date | None
    ordonnance_le: date | None
    annule_le: date | None
    effectue_le: date | None
    ref_virement: str | None
    acquitte_le: date | None
    rejete_le: date | None


@dataclass(frozen=True, slots=True)
class ReversementVu:
    """An order to pay back, in cents.

    ``encaisse`` is what came back; ``compense``, the part of it that no transfer brought.
    ``perdu``: irrecoverable.
    """

    ordre_id: UUID
    statut: str
    montant: int
    encaisse: int
    compense: int
    perdu: int
    reste: int
    emis_le: date
    notifie_le: date | None
    conteste_le: date | None
    annule_le: date | None
    echeance: date
    motif: str | None


@dataclass(frozen=True, slots=True)
class CertificationVue:
    """What was sent to the managing authority, certified, taken back; amounts are cents."""

    acte: Literal["transmise", "certifiee", "retiree"]
    ref: str
    exercice_comptable: str | None
    date_effet: date
    fse: int
    cout_total: int


@dataclass(frozen=True, slots=True)
class ConventionVue:
    """The convention in its version in force, and the money that runs under it, in cents."""

    id: UUID
    version: int
    numero: str
    signee_le: date
    notifiee_le: date | None
    signataires: tuple[str, ...]
    objet: str
    periode: Periode
    fse_max: int
    cout_total_eligible: int
    avance_pct: Decimal
    avance_plafond: int | None
    plafond_avant_solde_pct: Decimal | None
    parametres: Parametres
    plafonds_poste: tuple[ce.PlafondPoste, ...]
    bilans_prevus: tuple[ce.BilanPrevu, ...]
    bilans_attendus: tuple[BilanAttendu, ...]
    cloture_office: ce.ClotureOfficePrononcee | None
    date_limite_acquittement: date
    fse_du: int
    cout_total_retenu: int
    paye: int
    a_encaisser: int
    perdu: int
    avenants: tuple[AvenantVu, ...]
    bilans: tuple[BilanVu, ...]
    paiements: tuple[PaiementVu, ...]
    reversements: tuple[ReversementVu, ...]
    certifications: tuple[CertificationVue, ...]

    @property
    def taux_fse(self) -> Fraction:
        """Exact share of the Fund."""
        return Fraction(self.fse_max, self.cout_total_eligible)


@dataclass(frozen=True, slots=True)
class SuiteVue:
    """A control opened again after the solde; ``close_le`` once its money was settled."""

    csf_id: UUID
    controle_ref: str | None
    ouverte_le: date
    close_le: date | None


@dataclass(frozen=True, slots=True)
class FicheOperation:
    """Everything about an operation."""

    resume: LigneOperation
    version: int
    objet: str
    beneficiaire: oe.Beneficiaire
    demarree_le: date | None
    plan: PlanFinancement
    versions_du_plan: tuple[VersionDuPlan, ...]
    indicateurs: tuple[IndicateurSuivi, ...]
    avis: tuple[AvisVu, ...]
    decisions: tuple[DecisionVue, ...]
    convention: ConventionVue | None
    contreparties: tuple[Affectation, ...]
    couverture: Couverture
    suites: tuple[SuiteVue, ...]
    a_conserver_jusqu_au: date | None
    nb_depenses: int
    nb_evenements: int

    @property
    def suites_en_cours(self) -> bool:
        """Whether a control opened again after the solde is not settled yet."""
        return any(suite.close_le is None for suite in self.suites)

    @property
    def derogation_couts_simplifies(self) -> Derogation | None:
        """Why simplified costs are not mandatory, as last instructed."""
        instruites = [v for v in self.versions_du_plan if v.origine == "instruction"]
        return instruites[-1].derogation_couts_simplifies if instruites else None

    @property
    def avertissements(self) -> tuple[str, ...]:
        """What the last instruction of the plan found and let pass."""
        instruites = [v for v in self.versions_du_plan if v.origine == "instruction"]
        return instruites[-1].avertissements if instruites else ()


def fiche_operation(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date | None = None,
) -> FicheOperation:
    """Return the sheet of an operation, all its figures taken at the same instant.

    ``le``: the day on which a bilan is found awaited or late; if not said, the last day of the
    situation, which is today for the current one.
    Raises: OperationAbsente.
    """
    convention_id = convention_of(operation_id)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        resume = _resume(conn, perimetre, operation_id, situation)
        flux = lire_flux(conn, perimetre, [operation_id, convention_id], situation)
        nb_depenses, nb_de_depenses = _comptes(conn, operation_id, situation)
        ailleurs = faits_d_ailleurs(conn, perimetre, operation_id, situation)
        contreparties = affectations(conn, perimetre, situation, operation_id=operation_id)
        attendus = bilans_de_la_convention(
            conn, perimetre, operation_id, situation, le=le or _dernier_jour(conn, situation)
        )
    lus, signes = flux[operation_id], flux.get(convention_id, [])
    operation = OPERATION.replay(lu.fait for lu in lus)
    convention = CONVENTION.replay(lu.fait for lu in signes)
    assert operation is not None
    plan = operation.plan if convention is None else convention.plan
    archive = [f for _, f in _de(lus, oe.DossierArchive)]
    return FicheOperation(
        resume=resume,
        version=lus[-1].version,
        objet=operation.objet if convention is None else convention.objet,
        beneficiaire=operation.beneficiaire,
        demarree_le=operation.demarree_le,
        plan=plan,
        versions_du_plan=_versions_du_plan(lus, signes),
        indicateurs=_indicateurs(operation),
        avis=_avis(lus),
        decisions=_decisions(lus),
        convention=(
            None if convention is None else _convention(convention_id, convention, signes, attendus)
        ),
        contreparties=tuple(contreparties),
        couverture=_couverture(plan, contreparties),
        suites=_suites(lus),
        a_conserver_jusqu_au=archive[-1].date_limite_conservation if archive else None,
        nb_depenses=nb_depenses,
        nb_evenements=len(lus) + len(signes) + nb_de_depenses + len(ailleurs),
    )


def _couverture(plan: PlanFinancement, affectees: Iterable[Affectation]) -> Couverture:
    """Tell what counterparts cover: attested, once affected to the operation; expected, planned."""
    return couverture(
        plan.cout_total_centimes,
        plan.fse_centimes,
        sum(a.montant for a in affectees),
        plan.contreparties_centimes,
    )


def fiche_convention(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
    *,
    le: date | None = None,
) -> ConventionVue:
    """Return the convention of an operation; ``le`` as in `fiche_operation`.

    Raises: OperationAbsente, ConventionAbsente.
    """
    convention_id = convention_of(operation_id)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        exiger_operation(conn, perimetre, operation_id, situation)
        lus = lire_flux(conn, perimetre, [convention_id], situation).get(convention_id, [])
        attendus = bilans_de_la_convention(
            conn, perimetre, operation_id, situation, le=le or _dernier_jour(conn, situation)
        )
    convention = CONVENTION.replay(lu.fait for lu in lus)
    if convention is None:
        raise ConventionAbsente(id=convention_id)
    return _convention(convention_id, convention, lus, attendus)


def _dernier_jour(conn: Connection[TupleRow], situation: Situation) -> date:
    """Return the day at which a situation stops: of effect, else of what was known, else today."""
    if situation.effet_au is not None or situation.connu_le is None:
        return situation.effet_au or today()
    row = conn.execute("SELECT oi.instant_de(%s)", (situation.connu_le,)).fetchone()
    return today() if row is None or row[0] is None else jour(row[0])


def _resume(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, situation: Situation
) -> LigneOperation:
    found = operations(conn, perimetre, situation, operation_id=operation_id, limite=1).lignes
    if not found:
        raise OperationAbsente(id=operation_id)
    return found[0]


def _comptes(
    conn: Connection[TupleRow], operation_id: UUID, situation: Situation
) -> tuple[int, int]:
    """Count the dépenses that stand, and the events of all of them."""
    if situation.actuelle:
        query = """
            SELECT count(*) FILTER (WHERE d.statut <> 'annulee'),
                coalesce(sum(d.version), 0)::bigint
            FROM projection.depense AS d WHERE d.operation_id = %(operation)s
            """
    else:
        query = """
            SELECT count(*) FILTER (WHERE NOT f.annulee), coalesce(sum(f.nombre), 0)::bigint
            FROM projection.depense AS d
            CROSS JOIN LATERAL (
                SELECT
                    count(*) AS nombre, min(e.version) AS premiere,
                    bool_or(e.name = 'depense.annulee.v1') AS annulee
                FROM oi.event AS e
                WHERE e.stream_id = d.id AND e.position <= %(connu_le)s
                    AND e.date_effet <= %(effet_au)s
            ) AS f
            WHERE d.operation_id = %(operation)s AND f.premiere = 1
            """
    row = conn.execute(query, {"operation": operation_id, **situation.parametres}).fetchone()
    assert row is not None
    return row[0], row[1]


def _de(lus: Iterable[EvenementLu], kind: type[E]) -> list[tuple[EvenementLu, E]]:
    """Keep the events of one kind, with what the log knows of them."""
    return [(lu, fait) for lu in lus if isinstance(fait := lu.fait, kind)]


# --- The dossier ---------------------------------------------------------------------------------


def _versions_du_plan(
    lus: list[EvenementLu], signes: list[EvenementLu]
) -> tuple[VersionDuPlan, ...]:
    versions = []
    for lu in [*lus, *signes]:
        fait = lu.fait
        match fait:
            case oe.DossierDepose():
                versions.append(_version("depot", lu, fait.plan))
            case oe.PlanFinancementInstruit():
                instruite = _version("instruction", lu, fait.plan)
                versions.append(
                    replace(
                        instruite,
                        derogation_couts_simplifies=fait.derogation_couts_simplifies,
                        avertissements=fait.avertissements,
                    )
                )
            case ce.ConventionSignee():
                versions.append(_version("convention", lu, fait.plan))
            case ce.AvenantSigne(apres=ce.Termes(plan=PlanFinancement() as plan)):
                versions.append(_version("avenant", lu, plan, fait.numero))
            case _:
                pass
    return tuple(sorted(versions, key=lambda version: version.position))


def _version(
    origine: Origine, lu: EvenementLu, plan: PlanFinancement, avenant: int | None = None
) -> VersionDuPlan:
    return VersionDuPlan(origine, avenant, lu.date_effet, lu.position, plan)


def _indicateurs(operation: Operation) -> tuple[IndicateurSuivi, ...]:
    suivis = []
    for numero, promis in enumerate(operation.indicateurs, 1):
        realise = operation.realise.get(numero)
        taux, atteint = (
            (None, None) if realise is None else atteinte(promis.cible, realise, promis.comparateur)
        )
        suivis.append(
            IndicateurSuivi(
                numero=numero,
                libelle=promis.libelle,
                unite=promis.unite,
                cible=promis.cible,
                comparateur=promis.comparateur,
                pieces=promis.pieces,
                mode=promis.mode,
                realise=realise,
                taux=taux,
                atteint=atteint,
            )
        )
    return tuple(suivis)


def _avis(lus: list[EvenementLu]) -> tuple[AvisVu, ...]:
    rendus = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case oe.RapportInstructionValide():
                rendus.append(
                    AvisVu(
                        "instruction", fait.avis, fait.instructeur, fait.date_effet, fait.synthese
                    )
                )
            case oe.AvisPlieRendu():
                rendus.append(
                    AvisVu("plie", fait.avis, fait.instance, fait.date_effet, fait.reserves)
                )
            case oe.AvisAgdRendu():
                rendus.append(
                    AvisVu("agd", fait.avis, fait.instance, fait.date_effet, fait.reserves)
                )
            case _:
                pass
    return tuple(rendus)


def _decisions(lus: list[EvenementLu]) -> tuple[DecisionVue, ...]:
    prises = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case oe.OperationProgrammee():
                prises.append(
                    _decision("programmee", fait, fait.fse_centimes, fait.cout_total_centimes)
                )
            case oe.OperationDeprogrammee():
                prises.append(
                    _decision("deprogrammee", fait, fait.fse_centimes, fait.cout_total_centimes)
                )
            case oe.OperationAjournee():
                prises.append(_decision("ajournee", fait))
            case oe.OperationRefusee():
                prises.append(_decision("refusee", fait))
            case _:
                pass
    return tuple(prises)


def _decision(
    decision: Literal["programmee", "ajournee", "refusee", "deprogrammee"],
    fait: (
        oe.OperationProgrammee
        | oe.OperationDeprogrammee
        | oe.OperationAjournee
        | oe.OperationRefusee
    ),
    fse: int | None = None,
    cout_total: int | None = None,
) -> DecisionVue:
    return DecisionVue(
        decision, fait.instance, fait.pv_ref, fait.date_effet, fait.motif, fse, cout_total
    )


def _suites(lus: list[EvenementLu]) -> tuple[SuiteVue, ...]:
    suites: list[SuiteVue] = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case oe.SuitesOuvertes():
                suites.append(SuiteVue(fait.csf_id, fait.controle_ref, fait.date_effet, None))
            case oe.SuitesCloses():
                suites = [
                    replace(s, close_le=fait.date_effet) if s.close_le is None else s
                    for s in suites
                ]
            case _:
                pass
    return tuple(suites)


# --- The convention ------------------------------------------------------------------------------


def _convention(
    convention_id: UUID,
    convention: Convention,
    lus: list[EvenementLu],
    attendus: tuple[BilanAttendu, ...],
) -> ConventionVue:
    signee = lus[0].fait
    assert isinstance(signee, ce.ConventionSignee)
    clotures = [fait for _, fait in _de(lus, ce.ClotureOfficePrononcee)]
    return ConventionVue(
        id=convention_id,
        version=lus[-1].version,
        numero=convention.numero,
        signee_le=signee.date_effet,
        notifiee_le=convention.notifiee_le,
        signataires=signee.signataires,
        objet=convention.objet,
        periode=convention.periode,
        fse_max=convention.fse_max,
        cout_total_eligible=convention.cout_total_eligible,
        avance_pct=convention.parametres.avance_pct,
        avance_plafond=convention.parametres.avance_plafond_centimes,
        plafond_avant_solde_pct=convention.parametres.plafond_avant_solde_pct,
        parametres=convention.parametres,
        plafonds_poste=convention.plafonds_poste,
        bilans_prevus=convention.bilans_prevus,
        bilans_attendus=attendus,
        cloture_office=clotures[-1] if clotures else None,
        date_limite_acquittement=convention.date_limite_acquittement,
        fse_du=convention.fse_du,
        cout_total_retenu=convention.cout_total_retenu,
        paye=convention.paye,
        a_encaisser=convention.a_encaisser,
        perdu=convention.perdu,
        avenants=_avenants(lus),
        bilans=_bilans(convention, lus),
        paiements=_paiements(convention, lus),
        reversements=_reversements(convention, lus),
        certifications=_certifications(lus),
    )


def _avenants(lus: list[EvenementLu]) -> tuple[AvenantVu, ...]:
    """Follow each avenant; the terms in force tell what one that is not signed would change."""
    signee = lus[0].fait
    assert isinstance(signee, ce.ConventionSignee)
    en_vigueur = ce.Termes(objet=signee.objet, periode=signee.periode, plan=signee.plan)
    vus: list[AvenantVu] = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case ce.AvenantDemande():
                vus.append(
                    AvenantVu(
                        numero=fait.numero,
                        statut="demande",
                        demande_le=fait.date_effet,
                        motif=fait.motif,
                        programme_le=None,
                        pv_ref=None,
                        signe_le=None,
                        ecart_fse=None,
                        ecart_cout_total=None,
                        differences=_differences(en_vigueur, fait.apres),
                    )
                )
            case ce.AvenantProgramme():
                vus[-1] = replace(
                    vus[-1], statut="programme", programme_le=fait.date_effet, pv_ref=fait.pv_ref
                )
            case ce.AvenantSigne():
                vus[-1] = replace(
                    vus[-1],
                    statut="signe",
                    signe_le=fait.date_effet,
                    ecart_fse=fait.ecart_fse_centimes,
                    ecart_cout_total=fait.ecart_cout_total_centimes,
                    differences=_differences(fait.avant, fait.apres),
                )
                en_vigueur = ce.Termes(
                    objet=fait.apres.objet or en_vigueur.objet,
                    periode=fait.apres.periode or en_vigueur.periode,
                    plan=fait.apres.plan or en_vigueur.plan,
                )
            case ce.AvenantAbandonne():
                vus[-1] = replace(vus[-1], statut="abandonne")
            case _:
                pass
    return tuple(vus)


def _differences(avant: ce.Termes, apres: ce.Termes) -> tuple[Difference, ...]:
    found = []
    if apres.objet is not None:
        found.append(Difference("Objet", avant.objet or "", apres.objet))
    if apres.periode is not None and avant.periode is not None:
        found.append(
            Difference("Période de réalisation", _periode(avant.periode), _periode(apres.periode))
        )
    if apres.plan is not None and avant.plan is not None:
        before, after = montants_du_plan(avant.plan), montants_du_plan(apres.plan)
        found += [
            Difference(champ, french_euros(before.get(champ, 0)), french_euros(after.get(champ, 0)))
            for champ in {**before, **after}
        ]
    return tuple(d for d in found if d.avant != d.apres)


def _periode(periode: Periode) -> str:
    return f"du {periode.debut:%d/%m/%Y} au {periode.fin:%d/%m/%Y}"


def montants_du_plan(plan: PlanFinancement) -> dict[str, int]:
    """Name each amount of a plan as people do; two lines of the same funder add up."""
    montants = {
        "FSE": plan.fse_centimes,
        "Coût total éligible": plan.cout_total_centimes,
        **{
            f"Dépenses, {POSTES.get(p.code) or p.libelle or p.code}": p.montant_centimes
            for p in plan.postes
        },
    }
    for r in plan.ressources:
        nom = f"Ressource, {RESSOURCES[r.type]} ({r.financeur})"
        montants[nom] = montants.get(nom, 0) + r.montant_centimes
    return montants


def _bilans(convention: Convention, lus: list[EvenementLu]) -> tuple[BilanVu, ...]:
    controles = _csf(lus)
    recevables = {f.bilan_id: f.date_effet for _, f in _de(lus, ce.BilanJugeRecevable)}
    return tuple(
        BilanVu(
            bilan_id=depose.bilan_id,
            numero=depose.numero,
            type=depose.type,
            statut=convention.bilans[depose.bilan_id].statut,
            periode=depose.periode,
            depose_le=depose.date_effet,
            recevable_le=recevables.get(depose.bilan_id),
            nb_depenses=len(depose.depenses),
            cout_total_declare=depose.cout_total_declare_centimes,
            fse_declare=depose.fse_declare_centimes,
            ressources=depose.ressources,
            unites=depose.unites,
            livrables=depose.livrables,
            recettes_nettes=depose.recettes_nettes_centimes,
            apports=depose.apports,
            interruptions=_interruptions(lus, depose.bilan_id),
            csf=tuple(controles.get(depose.bilan_id, ())),
        )
        for _, depose in _de(lus, ce.BilanDepose)
    )


def _interruptions(lus: list[EvenementLu], bilan_id: UUID) -> tuple[InterruptionVue, ...]:
    vues: list[InterruptionVue] = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case ce.DelaiPaiementInterrompu() if fait.bilan_id == bilan_id:
                vues.append(
                    InterruptionVue(fait.cause, fait.notification_ref, fait.date_effet, None)
                )
            case ce.DelaiPaiementRepris() if fait.bilan_id == bilan_id:
                vues[-1] = replace(vues[-1], reprise_le=fait.date_effet)
            case _:
                pass
    return tuple(vues)


def _csf(lus: list[EvenementLu]) -> dict[UUID, list[CsfVu]]:
    conclusions = {f.csf_id: f for _, f in _de(lus, ce.ConclusionsIntermediairesNotifiees)}
    observations = {f.csf_id: f.date_effet for _, f in _de(lus, ce.ObservationsRecues)}
    finales = {f.csf_id: f.date_effet for _, f in _de(lus, ce.ConclusionsFinalesNotifiees)}
    valides = {f.csf_id: f for _, f in _de(lus, ce.CsfValide)}
    rouverts = {f.csf_id: f for _, f in _de(lus, ce.CsfRouvert)}
    prises = decisions(lu.fait for lu in lus)
    found: dict[UUID, list[CsfVu]] = {}
    for _, ouvert in _de(lus, ce.CsfOuvert):
        csf_id = ouvert.csf_id
        versions = found.setdefault(ouvert.bilan_id, [])
        reouverture = rouverts.get(versions[-1].csf_id) if versions else None
        conclusion, valide = conclusions.get(csf_id), valides.get(csf_id)
        rouvert = rouverts.get(csf_id)
        versions.append(
            CsfVu(
                csf_id=csf_id,
                version=ouvert.version,
                controleur=ouvert.controleur,
                modalite=ouvert.modalite,
                ouvert_le=ouvert.date_effet,
                decisions=prises[csf_id],
                conclusions_le=None if conclusion is None else conclusion.date_effet,
                fse_demande=None if conclusion is None else conclusion.fse_demande_centimes,
                fse_annonce=None if conclusion is None else conclusion.fse_retenu_centimes,
                date_limite_reponse=None if conclusion is None else conclusion.date_limite_reponse,
                observations_le=observations.get(csf_id),
                conclusions_finales_le=finales.get(csf_id),
                valide_le=None if valide is None else valide.date_effet,
                rouvert_le=None if rouvert is None else rouvert.date_effet,
                motif_reouverture=None if reouverture is None else reouverture.motif,
                controle_ref=None if reouverture is None else reouverture.controle_ref,
                resultat=valide,
            )
        )
    return found


def _paiements(convention: Convention, lus: list[EvenementLu]) -> tuple[PaiementVu, ...]:
    prepares = {f.paiement_id: f.date_effet for _, f in _de(lus, ce.PaiementPrepare)}
    ordonnances = {f.paiement_id: f.date_effet for _, f in _de(lus, ce.PaiementOrdonnance)}
    effectues = {f.paiement_id: f for _, f in _de(lus, ce.PaiementEffectue)}
    annules = {f.paiement_id: f.date_effet for _, f in _de(lus, ce.PaiementAnnule)}
    acquittes = {f.paiement_id: f.date_effet for _, f in _de(lus, ce.PaiementAcquitte)}
    rejetes = {f.paiement_id: f.date_effet for _, f in _de(lus, ce.PaiementRejete)}
    vus = []
    for paiement_id, etat in convention.paiements.items():
        effectue = effectues.get(paiement_id)
        vus.append(
            PaiementVu(
                paiement_id=paiement_id,
                type=etat.type,
                statut=etat.statut,
                montant=etat.montant,
                compense=etat.compense,
                csf_id=etat.csf_id,
                remplace=etat.remplace,
                prepare_le=prepares.get(paiement_id),
                ordonnance_le=ordonnances.get(paiement_id),
                annule_le=annules.get(paiement_id),
                effectue_le=None if effectue is None else effectue.date_effet,
                ref_virement=None if effectue is None else effectue.ref_virement,
                acquitte_le=acquittes.get(paiement_id),
                rejete_le=rejetes.get(paiement_id),
            )
        )
    return tuple(vus)


def _reversements(convention: Convention, lus: list[EvenementLu]) -> tuple[ReversementVu, ...]:
    notifies = {f.ordre_id: f.date_effet for _, f in _de(lus, ce.OrdreReversementNotifie)}
    contestes = {f.ordre_id: f.date_effet for _, f in _de(lus, ce.OrdreReversementConteste)}
    annules = {f.ordre_id: f.date_effet for _, f in _de(lus, ce.OrdreReversementAnnule)}
    compensations = [fait for _, fait in _de(lus, ce.CompensationOperee)]
    vus = []
    for _, ordre in _de(lus, ce.OrdreReversementEmis):
        etat = convention.ordres[ordre.ordre_id]
        vus.append(
            ReversementVu(
                ordre_id=ordre.ordre_id,
                statut=etat.statut,
                montant=ordre.montant_centimes,
                encaisse=etat.rentre,
                compense=sum(
                    c.montant_centimes for c in compensations if c.ordre_id == ordre.ordre_id
                ),
                perdu=etat.perdu,
                reste=etat.reste,
                emis_le=ordre.date_effet,
                notifie_le=notifies.get(ordre.ordre_id),
                conteste_le=contestes.get(ordre.ordre_id),
                annule_le=annules.get(ordre.ordre_id),
                echeance=ordre.echeance,
                motif=ordre.motif,
            )
        )
    return tuple(vus)


def _certifications(lus: list[EvenementLu]) -> tuple[CertificationVue, ...]:
    vues = []
    for lu in lus:
        fait = lu.fait
        match fait:
            case ce.EtatDepensesTransmis():
                vues.append(_certification("transmise", fait.etat_no, None, fait))
            case ce.DepenseCertifiee():
                vues.append(
                    _certification(
                        "certifiee", fait.appel_de_fonds_no, fait.exercice_comptable, fait
                    )
                )
            case ce.DepenseRetiree():
                vues.append(
                    _certification("retiree", fait.appel_de_fonds_no, fait.exercice_comptable, fait)
                )
            case _:
                pass
    return tuple(vues)


def _certification(
    acte: Literal["transmise", "certifiee", "retiree"],
    ref: str,
    exercice: str | None,
    fait: ce.EtatDepensesTransmis | ce.DepenseCertifiee | ce.DepenseRetiree,
) -> CertificationVue:
    return CertificationVue(
        acte, ref, exercice, fait.date_effet, fait.fse_centimes, fait.cout_total_centimes
    )
