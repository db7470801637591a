"""What follows a final report: decided, done, checked against the convention, closed.

Nothing is corrected here. A follow-up is executed by naming the facts of the convention that take
the money away (`LienSuite`), and it is refused while they do not take away at least what the
finding keeps. What one fact takes away answers several findings only as far as it goes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, Commande, CommandeMotivee, Numero, Texte
from aggregates.controle_operation.events import (
    ControleClos,
    DelaiSuiteProlonge,
    LienSuite,
    Mesure,
    Responsable,
    SuiteAnnulee,
    SuiteDecidee,
    SuiteExecutee,
    SuitesDuControleCloses,
)
from aggregates.controle_operation.notification import sans_repetition
from aggregates.controle_operation.rapports import constat_de
from aggregates.controle_operation.state import (
    LIBELLES_SUITE,
    Constat,
    ControleOperation,
    Suite,
)
from aggregates.controle_operation.transitions import (
    exiger,
    exiger_apres_tout,
    exiger_limite,
    exiger_prolongation,
)
from aggregates.convention.reversements import OrdreAbsent
from aggregates.convention.service_fait import CsfAbsent
from aggregates.convention.state import Convention
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken
from rules.controle_operation import MESURES


class SuiteAbsente(NotFound):
    """Aucune suite de ce contrôle ne porte l’identifiant {id}."""


class ConstatSansEffet(RuleBroken):
    """Le constat n° {numero} est abandonné : il n’appelle pas de suite."""


class SuiteSansMontant(RuleBroken):
    """Le constat n° {numero} ne retient aucun montant : sa suite est une mesure administrative."""


class SuiteHorsDeSonOrdre(RuleBroken):
    """Cette suite est « {statut} » : l’acte demandé n’est pas possible."""


class LienInattendu(RuleBroken):
    """Une suite « {mesure} » s’exécute en citant {attendu}, et rien d’autre."""


class PremierControle(RuleBroken):
    """Ce contrôle de service fait est le premier de son bilan, pas un recalcul : citez la version
    validée après sa réouverture.
    """


class RecalculNonValide(RuleBroken):
    """Le contrôle du bilan n° {numero} n’est pas validé, ou il est rouvert : validez d’abord sa
    nouvelle version.
    """


class RecalculAnterieur(RuleBroken):
    """La version n° {version} du contrôle de service fait a été validée le {valide_le}, avant
    l’annonce de ce contrôle d’opération, le {notifie_le} : elle n’en est pas la suite.
    """


class RecalculInsuffisant(RuleBroken):
    """Le constat n° {numero} retient {cout_total:euros} de coût total et {fse:euros} de FSE : le
    recalcul cité n’en retire que {cout_total_retire:euros} et {fse_retire:euros}, une fois
    comptées les autres suites qui le citent.
    """


class OrdreSansEffet(RuleBroken):
    """L’ordre de reversement cité est annulé : il ne réclame plus rien."""


class ReversementInsuffisant(RuleBroken):
    """Le constat n° {numero} retient {fse:euros} de FSE : les ordres de reversement cités n’en
    réclament que {fse_retire:euros}, une fois comptées les autres suites qui les citent.
    """


class RetraitAbsent(NotFound):
    """Aucun retrait n’est enregistré sur l’appel de fonds n° {appel_de_fonds_no} pour cette
    opération.
    """


class RetraitInsuffisant(RuleBroken):
    """Le constat n° {numero} retient {cout_total:euros} de coût total et {fse:euros} de FSE : les
    retraits cités n’en portent que {cout_total_retire:euros} et {fse_retire:euros}, une fois
    comptées les autres suites qui les citent.
    """


class SuitesEnAttente(RuleBroken):
    """Ce contrôle attend encore {nombre:suite(s)} : exécutez ce qui est décidé, ou annulez-le."""


class ConstatSansSuite(RuleBroken):
    """Le constat n° {numero} est retenu et aucune suite {quoi} n’y répond."""


class ConstatsRetenus(RuleBroken):
    """Le rapport définitif retient {nombre:constat(s)} : achevez d’abord ce qui doit y répondre."""


class DeciderSuite(Commande):
    """Decide who does what about a finding, and until when."""

    constat_numero: Numero
    mesure: Mesure
    responsable: Responsable
    action: Texte = Field(description="Ce qui est à faire.")
    echeance: Jour | None = Field(None, description="Celle du rapport définitif, à défaut.")


def decider_suite(
    controle: ControleOperation, commande: DeciderSuite, suite_id: UUID
) -> list[SuiteDecidee]:
    """Decide a follow-up of a finding that is kept."""
    acte = "Décider une suite"
    exiger(controle, acte, "rapport_definitif", "suites_a_donner")
    constat = constat_de(controle, commande.constat_numero)
    if not constat.retenu:
        raise ConstatSansEffet(numero=constat.numero)
    if commande.mesure != "mesure_administrative" and not constat.corrige:
        raise SuiteSansMontant(numero=constat.numero)
    exiger_pas_avant(
        commande.date_effet, acte, controle.definitif_le, "le rapport définitif a été reçu"
    )
    echeance = commande.echeance or controle.date_limite_suites
    assert echeance is not None
    exiger_limite(echeance, commande.date_effet)
    return [
        SuiteDecidee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            suite_id=suite_id,
            constat_numero=constat.numero,
            mesure=commande.mesure,
            responsable=commande.responsable,
            action=commande.action,
            echeance=echeance,
        )
    ]


def suite_de(controle: ControleOperation, suite_id: UUID, acte: str) -> Suite:
    """Return a follow-up that is still to be done, or refuse."""
    exiger(controle, acte, "suites_a_donner")
    suite = controle.suites.get(suite_id)
    if suite is None:
        raise SuiteAbsente(id=suite_id)
    if suite.statut != "a_faire":
        raise SuiteHorsDeSonOrdre(statut=LIBELLES_SUITE[suite.statut])
    return suite


def _exiger_apres_decision(suite: Suite, jour: date, acte: str) -> None:
    exiger_pas_avant(jour, acte, suite.le, "cette suite a été décidée, ou prolongée,")


class ProlongerDelaiSuite(Commande):
    """The body gives more time for a follow-up."""

    echeance: Jour
    accord_ref: Texte


def prolonger_suite(
    controle: ControleOperation, commande: ProlongerDelaiSuite, suite_id: UUID
) -> list[DelaiSuiteProlonge]:
    """Record a later deadline."""
    acte = "Prolonger le délai d’une suite"
    suite = suite_de(controle, suite_id, acte)
    _exiger_apres_decision(suite, commande.date_effet, acte)
    exiger_prolongation(suite.echeance, commande.echeance)
    return [
        DelaiSuiteProlonge(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            suite_id=suite_id,
            constat_numero=suite.constat_numero,
            echeance_avant=suite.echeance,
            echeance_apres=commande.echeance,
            accord_ref=commande.accord_ref,
        )
    ]


class ExecuterSuite(Commande):
    """The follow-up is done: it names the facts of the convention that did it, by its measure."""

    csf: Annotated[tuple[UUID, ...], Field(max_length=50)] = Field(
        (), description="Versions recalculées du contrôle de service fait."
    )
    ordres: Annotated[tuple[UUID, ...], Field(max_length=50)] = Field(
        (), description="Ordres de reversement."
    )
    appels_de_fonds: Annotated[tuple[Code, ...], Field(max_length=50)] = Field(
        (), description="Appels de fonds dont les dépenses ont été retirées."
    )
    compte_rendu: Texte | None = Field(None, description="Ce qui a été fait.")

    def model_post_init(self, _context: object, /) -> None:
        """Refuse the same fact twice."""
        for nommes in (self.csf, self.ordres, self.appels_de_fonds):
            sans_repetition(nommes, "ce qu’une suite cite")


#: What the execution of each measure names, in the words of its refusal.
_ATTENDUS: Mapping[Mesure, tuple[str, str]] = {
    "recalcul_csf": ("csf", "au moins une version recalculée du contrôle de service fait"),
    "ordre_reversement": ("ordres", "au moins un ordre de reversement"),
    "retrait_certification": ("appels_de_fonds", "au moins un appel de fonds"),
    "mesure_administrative": ("compte_rendu", "son compte rendu"),
}
_LIENS = ("csf", "ordres", "appels_de_fonds")


def executer_suite(
    controle: ControleOperation, commande: ExecuterSuite, suite_id: UUID, convention: Convention
) -> list[SuiteExecutee]:
    """Name what did it, once that takes away at least what the finding keeps.

    ``convention``: that of the operation of the finding.
    """
    acte = "Enregistrer l’exécution d’une suite"
    suite = suite_de(controle, suite_id, acte)
    _exiger_apres_decision(suite, commande.date_effet, acte)
    champ, attendu = _ATTENDUS[suite.mesure]
    autres = (nom for nom in _LIENS if nom != champ)
    if not getattr(commande, champ) or any(getattr(commande, nom) for nom in autres):
        raise LienInattendu(mesure=MESURES[suite.mesure], attendu=attendu)
    constat = constat_de(controle, suite.constat_numero)
    effets = [*_effets(controle, convention, commande)]
    for effet in effets:
        exiger_pas_avant(commande.date_effet, acte, effet.le, effet.precedent)
    return [
        SuiteExecutee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            suite_id=suite_id,
            constat_numero=constat.numero,
            mesure=suite.mesure,
            operation_id=constat.operation_id,
            compte_rendu=commande.compte_rendu,
            liens=_imputer(controle, constat, suite.mesure, effets),
        )
    ]


# --- What the facts of a convention take away ----------------------------------------------------

#: Which fact of a convention a link names.
_Cle = tuple[UUID | None, UUID | None, str | None]


@dataclass(frozen=True, slots=True)
class _Effet:
    """What one fact of the convention takes away, in cents; ``precedent`` says its day."""

    cle: _Cle
    version: int | None
    cout_total: int
    fse: int
    le: date | None
    precedent: str


def _effets(
    controle: ControleOperation, convention: Convention, commande: ExecuterSuite
) -> Iterator[_Effet]:
    for csf_id in commande.csf:
        effet = _recalcul(convention, csf_id)
        if effet.le is not None and effet.le < controle.notifie_le:
            raise RecalculAnterieur(
                version=effet.version, valide_le=effet.le, notifie_le=controle.notifie_le
            )
        yield effet
    for ordre_id in commande.ordres:
        yield _ordre(convention, ordre_id)
    for appel in commande.appels_de_fonds:
        yield _retrait(convention, appel)


def _recalcul(convention: Convention, csf_id: UUID) -> _Effet:
    """Return what a version took away and no later version of the same control gave back."""
    version = convention.versions_csf.get(csf_id)
    bilan = convention.bilan_du_csf(csf_id)
    if version is not None:
        bilan = convention.bilans[version.bilan_id]
    if bilan is None:
        raise CsfAbsent(id=csf_id)
    if version is None or bilan.statut != "controle":
        raise RecalculNonValide(numero=bilan.numero)
    if version.version == 1:
        raise PremierControle
    depuis = [
        v
        for v in convention.versions_csf.values()
        if v.bilan_id == version.bilan_id and v.version >= version.version
    ]
    return _Effet(
        cle=(csf_id, None, None),
        version=version.version,
        # A line set aside is taken away even where a cap had already taken as much.
        cout_total=max(
            min(version.cout_total, sum(v.cout_total for v in depuis)),
            min(version.ecarte, sum(v.ecarte for v in depuis)),
        ),
        fse=min(version.fse, sum(v.fse for v in depuis)),
        le=version.valide_le,
        precedent=f"la version n° {version.version} du contrôle de service fait a été validée",
    )


def _ordre(convention: Convention, ordre_id: UUID) -> _Effet:
    ordre = convention.ordres.get(ordre_id)
    if ordre is None:
        raise OrdreAbsent(id=ordre_id)
    if ordre.statut == "annule":
        raise OrdreSansEffet
    return _Effet(
        cle=(None, ordre_id, None),
        version=None,
        cout_total=0,
        fse=ordre.montant,
        le=ordre.emis_le,
        precedent="cet ordre de reversement a été émis",
    )


def _retrait(convention: Convention, appel_de_fonds_no: str) -> _Effet:
    retrait = convention.retraits.get(appel_de_fonds_no)
    if retrait is None:
        raise RetraitAbsent(appel_de_fonds_no=appel_de_fonds_no)
    return _Effet(
        cle=(None, None, appel_de_fonds_no),
        version=None,
        cout_total=retrait.cout_total,
        fse=retrait.fse,
        le=retrait.le,
        precedent="ce retrait a été enregistré",
    )


def _imputer(
    controle: ControleOperation, constat: Constat, mesure: Mesure, effets: list[_Effet]
) -> tuple[LienSuite, ...]:
    """Share what a finding keeps between what takes it away; refuse when that is not enough."""
    reste_cout = 0 if mesure == "ordre_reversement" else constat.cout_total_retenu
    reste_fse = constat.fse_retenu
    liens: list[LienSuite] = []
    disponibles = [(effet, *_disponible(controle, effet)) for effet in effets]
    for effet, cout_total, fse in disponibles:
        liens.append(_lien(effet, min(reste_cout, cout_total), min(reste_fse, fse)))
        reste_cout -= liens[-1].cout_total_impute_centimes
        reste_fse -= liens[-1].fse_impute_centimes
    if effets and (reste_cout or reste_fse):
        raise _insuffisant(
            constat,
            mesure,
            sum(cout_total for _, cout_total, _ in disponibles),
            sum(fse for _, _, fse in disponibles),
        )
    return tuple(liens)


def _insuffisant(constat: Constat, mesure: Mesure, cout_total: int, fse: int) -> RuleBroken:
    """Say what a finding keeps, and the less that is taken away."""
    if mesure == "ordre_reversement":
        return ReversementInsuffisant(numero=constat.numero, fse=constat.fse_retenu, fse_retire=fse)
    if mesure == "retrait_certification":
        return RetraitInsuffisant(
            numero=constat.numero,
            cout_total=constat.cout_total_retenu,
            fse=constat.fse_retenu,
            cout_total_retire=cout_total,
            fse_retire=fse,
        )
    return RecalculInsuffisant(
        numero=constat.numero,
        cout_total=constat.cout_total_retenu,
        fse=constat.fse_retenu,
        cout_total_retire=cout_total,
        fse_retire=fse,
    )


def _disponible(controle: ControleOperation, effet: _Effet) -> tuple[int, int]:
    """Return what a fact takes away less what other follow-ups of this control already count."""
    cout_total, fse = _compte(controle, effet.cle)
    return max(0, effet.cout_total - cout_total), max(0, effet.fse - fse)


def _compte(controle: ControleOperation, cle: _Cle) -> tuple[int, int]:
    """Return what the follow-ups of this control count of one fact."""
    liens = [
        lien
        for suite in controle.suites.values()
        if suite.statut == "executee"
        for lien in suite.liens
        if _cle(lien) == cle
    ]
    return (
        sum(lien.cout_total_impute_centimes for lien in liens),
        sum(lien.fse_impute_centimes for lien in liens),
    )


def _cle(lien: LienSuite) -> _Cle:
    return lien.csf_id, lien.ordre_id, lien.appel_de_fonds_no


def _lien(effet: _Effet, cout_total: int, fse: int) -> LienSuite:
    csf_id, ordre_id, appel_de_fonds_no = effet.cle
    return LienSuite(
        csf_id=csf_id,
        ordre_id=ordre_id,
        appel_de_fonds_no=appel_de_fonds_no,
        csf_version=effet.version,
        cout_total_retire_centimes=effet.cout_total,
        fse_retire_centimes=effet.fse,
        cout_total_impute_centimes=cout_total,
        fse_impute_centimes=fse,
    )


# --- The end -------------------------------------------------------------------------------------


class AnnulerSuite(CommandeMotivee):
    """A follow-up was decided by mistake, or what did it was undone since."""


def annuler_suite(
    controle: ControleOperation, commande: AnnulerSuite, suite_id: UUID
) -> list[SuiteAnnulee]:
    """Take a follow-up back, done or not; another one may be decided."""
    acte = "Annuler une suite"
    exiger(controle, acte, "suites_a_donner")
    suite = controle.suites.get(suite_id)
    if suite is None:
        raise SuiteAbsente(id=suite_id)
    if suite.statut == "annulee":
        raise SuiteHorsDeSonOrdre(statut=LIBELLES_SUITE[suite.statut])
    _exiger_apres_decision(suite, commande.date_effet, acte)
    exiger_pas_avant(commande.date_effet, acte, suite.executee_le, "cette suite a été exécutée")
    return [
        SuiteAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            suite_id=suite_id,
            constat_numero=suite.constat_numero,
        )
    ]


class CloreSuitesDuControle(Commande):
    """Everything that the final report asked for is done."""


def clore_suites(
    controle: ControleOperation,
    commande: CloreSuitesDuControle,
    conventions: Mapping[UUID, Convention],
) -> list[SuitesDuControleCloses]:
    """Close once each finding that is kept is followed up, and what did it still stands.

    ``conventions``: those of the operations of the findings.
    """
    acte = "Clore les suites du contrôle"
    exiger(controle, acte, "suites_a_donner")
    _exiger_rien_en_attente(controle)
    for constat in controle.constats.values():
        if constat.retenu:
            _exiger_suivi(controle, constat, conventions[constat.operation_id])
    exiger_apres_tout(controle, commande.date_effet, acte)
    cout_total, fse = controle.retenu
    return [
        SuitesDuControleCloses(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cout_total_corrige_centimes=cout_total,
            fse_corrige_centimes=fse,
        )
    ]


def _exiger_rien_en_attente(controle: ControleOperation) -> None:
    en_attente = sum(suite.statut == "a_faire" for suite in controle.suites.values())
    if en_attente:
        raise SuitesEnAttente(nombre=en_attente)


def _exiger_suivi(controle: ControleOperation, constat: Constat, convention: Convention) -> None:
    executees = [s for s in controle.suites_du(constat.numero) if s.statut == "executee"]
    if constat.corrige:
        executees = [s for s in executees if s.mesure != "mesure_administrative"]
    if not executees:
        quoi = "qui retire ce montant" if constat.corrige else "exécutée"
        raise ConstatSansSuite(numero=constat.numero, quoi=quoi)
    for suite in executees:
        _exiger_tient(controle, constat, suite, convention)


def _exiger_tient(
    controle: ControleOperation, constat: Constat, suite: Suite, convention: Convention
) -> None:
    """Refuse to close on what was undone since: an order cancelled, a version given back."""
    effets = [_effet_de(lien, convention) for lien in suite.liens]
    for effet in effets:
        cout_total, fse = _compte(controle, effet.cle)
        if effet.cout_total < cout_total or effet.fse < fse:
            raise _insuffisant(
                constat,
                suite.mesure,
                max(0, sum(e.cout_total for e in effets)),
                max(0, sum(e.fse for e in effets)),
            )


def _effet_de(lien: LienSuite, convention: Convention) -> _Effet:
    if lien.csf_id is not None:
        return _recalcul(convention, lien.csf_id)
    if lien.ordre_id is not None:
        return _ordre(convention, lien.ordre_id)
    assert lien.appel_de_fonds_no is not None
    return _retrait(convention, lien.appel_de_fonds_no)


class CloreControle(Commande):
    """The controlling body says that its control is over."""

    cloture_ref: Texte


def clore(controle: ControleOperation, commande: CloreControle) -> list[ControleClos]:
    """Close a control whose follow-ups are closed, or that kept nothing."""
    acte = "Clore le contrôle"
    exiger(controle, acte, "rapport_definitif", "suites_a_donner", "suites_closes")
    retenus = sum(constat.retenu for constat in controle.constats.values())
    if controle.statut != "suites_closes" and retenus:
        raise ConstatsRetenus(nombre=retenus)
    _exiger_rien_en_attente(controle)
    exiger_apres_tout(controle, commande.date_effet, acte)
    return [
        ControleClos(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cloture_ref=commande.cloture_ref,
        )
    ]
