"""Avenants: asked, examined again by the OI's body, signed; versions kept as differences."""

from datetime import date

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee, Instance, Numero, PeriodeSaisie, Texte
from aggregates.convention.events import (
    AvenantAbandonne,
    AvenantDemande,
    AvenantProgramme,
    AvenantSigne,
    Termes,
)
from aggregates.convention.state import Avenant, Convention
from aggregates.operation.instruction import verifier_couts
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from aggregates.plan import PlanFinancement, PlanSaisi, Poste
from aggregates.subvention_globale.maquette import exiger_instance_oi
from oi_service.errors import RuleBroken
from rules.cofinancement import verifier_cofinancement
from rules.delais import date_limite_bilan_final


class AvenantAvantConvention(RuleBroken):
    """La convention n’est pas encore notifiée : il n’y a rien à modifier par avenant."""


class AvenantDejaEnCours(RuleBroken):
    """L’avenant n° {numero} est déjà en cours : menez-le à terme ou abandonnez-le."""


class AvenantNonDemande(RuleBroken):
    """L’avenant n° {numero} n’a pas été demandé."""


class AvenantNonProgramme(RuleBroken):
    """L’avenant n° {numero} doit d’abord être réexaminé par l’instance de l’organisme
    intermédiaire.
    """

    article = "Appel à projets AGAPE 2021 n° 3, modifications"


class AvenantApresBilanFinal(RuleBroken):
    """Le bilan final est déposé : la convention ne se modifie plus."""


class AvenantHorsValidite(RuleBroken):
    """L’avenant du {jour} arrive après la fin de la période de réalisation, le {fin} : il se signe
    tant que la convention est valide.
    """


class AvenantSansObjet(RuleBroken):
    """L’avenant ne change rien : indiquez l’objet, la période ou le plan de financement."""


class AvenantSousLePaye(RuleBroken):
    """L’avenant ramènerait le FSE à {demande:euros}, alors que {paye:euros} sont déjà payés,
    ordonnancés, préparés, dus après contrôle ou déclarés.
    """


class FormeFigee(RuleBroken):
    """La forme et le taux du poste « {poste} » sont figés par la convention : un avenant change son
    montant, pas la manière de le rembourser.
    """


def exiger_aucun_avenant(convention: Convention) -> None:
    """Refuse while an avenant is on its way."""
    if convention.avenant_en_cours is not None:
        raise AvenantDejaEnCours(numero=convention.avenant_en_cours.numero)


def _exiger_modifiable(convention: Convention) -> None:
    """Refuse to change a convention whose final bilan is in."""
    if convention.bilan_final is not None:
        raise AvenantApresBilanFinal


def _exiger_au_dessus(convention: Convention, plan: PlanFinancement | None) -> None:
    """Refuse a plan below the money that is already promised to the beneficiary."""
    if plan is None:
        return
    promis = max(convention.engage, convention.fse_du, convention.fse_declare)
    if plan.fse_centimes < promis:
        raise AvenantSousLePaye(demande=plan.fse_centimes, paye=promis)


def _exiger_formes_figees(convention: Convention, plan: PlanFinancement) -> None:
    """Refuse to change how a poste is reimbursed, or at which rate, once it is under convention."""
    avant = {p.code: p for p in convention.plan.postes}
    for poste in plan.postes:
        ancien = avant.get(poste.code)
        if ancien is not None and _forme(ancien) != _forme(poste):
            raise FormeFigee(poste=poste.code)


def _forme(poste: Poste) -> tuple[object, ...]:
    return (poste.mode, poste.option, poste.taux_pct, poste.assiette, poste.cout_unite_centimes)


def _exiger_suite(convention: Convention, avenant: Avenant, jour: date, acte: str) -> None:
    """Refuse an avenant dated before what it modifies: its amounts are differences with it."""
    acte = f"{acte} l’avenant n° {avenant.numero}"
    exiger_pas_avant(jour, acte, avenant.programme_le, "il a été programmé")
    exiger_pas_avant(jour, acte, convention.notifiee_le, "la convention a été notifiée")
    exiger_pas_avant(
        jour,
        acte,
        convention.avenant_signe_le,
        f"l’avenant n° {convention.avenants} a été signé",
    )
    exiger_pas_avant(
        jour, acte, convention.avenant_abandonne_le, "l’avenant précédent a été abandonné"
    )


class DemanderAvenant(CommandeMotivee):
    """Ask to change the object, the period or the plan. What is left out stays."""

    numero: Numero
    objet: Texte | None = None
    periode: PeriodeSaisie | None = None
    plan: PlanSaisi | None = None


def demander_avenant(
    convention: Convention, commande: DemanderAvenant, operation: Operation
) -> list[AvenantDemande]:
    """Ask, within the condition of the fiche and above what is already paid."""
    if convention.notifiee_le is None:
        raise AvenantAvantConvention
    _exiger_modifiable(convention)
    exiger(operation, "Demander un avenant", "conventionne", "en_execution", "realisation_terminee")
    exiger_aucun_avenant(convention)
    if commande.numero != convention.avenants + 1:
        raise AvenantNonDemande(numero=commande.numero)
    plan = commande.plan.plan() if commande.plan else None
    apres = Termes(
        objet=commande.objet,
        periode=commande.periode.periode() if commande.periode else None,
        plan=plan,
    )
    if apres == Termes():
        raise AvenantSansObjet
    if plan is not None:
        verifier_cofinancement(
            operation.condition,
            cout_total_centimes=plan.cout_total_centimes,
            fse_centimes=plan.fse_centimes,
            contreparties_centimes=plan.contreparties_centimes,
        )
        _exiger_au_dessus(convention, plan)
        _exiger_formes_figees(convention, plan)
        periode = apres.periode or convention.periode
        verifier_couts(plan, operation, periode, commande.date_effet, operation.derogation)
    return [
        AvenantDemande(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            numero=commande.numero,
            apres=apres,
        )
    ]


def _en_cours(convention: Convention, numero: int) -> Avenant:
    avenant = convention.avenant_en_cours
    if avenant is None or avenant.numero != numero:
        raise AvenantNonDemande(numero=numero)
    return avenant


class ProgrammerAvenant(Commande):
    """The OI's body examines the avenant again and approves it."""

    numero: Numero
    instance: Instance
    pv_ref: Texte


def programmer_avenant(
    convention: Convention, commande: ProgrammerAvenant
) -> list[AvenantProgramme]:
    """Approve; the money of the enveloppe follows in the same transaction."""
    exiger_instance_oi(commande.instance)
    avenant = _en_cours(convention, commande.numero)
    if avenant.programme:
        raise AvenantDejaEnCours(numero=avenant.numero)
    _exiger_modifiable(convention)
    _exiger_au_dessus(convention, avenant.apres.plan)
    _exiger_suite(convention, avenant, commande.date_effet, "Programmer")
    return [
        AvenantProgramme(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            numero=commande.numero,
            instance=commande.instance,
            pv_ref=commande.pv_ref,
        )
    ]


class SignerAvenant(Commande):
    """Both parties sign the avenant."""

    numero: Numero


def signer_avenant(convention: Convention, commande: SignerAvenant) -> list[AvenantSigne]:
    """Put the new version in force; the fact carries what changed, before and after."""
    avenant = _en_cours(convention, commande.numero)
    if not avenant.programme:
        raise AvenantNonProgramme(numero=avenant.numero)
    _exiger_modifiable(convention)
    apres = avenant.apres
    if commande.date_effet > convention.periode.fin:
        raise AvenantHorsValidite(jour=commande.date_effet, fin=convention.periode.fin)
    _exiger_au_dessus(convention, apres.plan)
    _exiger_suite(convention, avenant, commande.date_effet, "Signer")
    avant = Termes(
        objet=convention.objet if apres.objet else None,
        periode=convention.periode if apres.periode else None,
        plan=convention.plan if apres.plan else None,
    )
    plan = apres.plan or convention.plan
    return [
        AvenantSigne(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            numero=commande.numero,
            avant=avant,
            apres=apres,
            ecart_fse_centimes=plan.fse_centimes - convention.fse_max,
            ecart_cout_total_centimes=plan.cout_total_centimes - convention.cout_total_eligible,
            ressources_avant=convention.plan.ressources if apres.plan else (),
            ressources_apres=plan.ressources if apres.plan else (),
            date_limite_acquittement=(
                date_limite_bilan_final(apres.periode.fin) if apres.periode else None
            ),
        )
    ]


class AbandonnerAvenant(CommandeMotivee):
    """Give up an avenant that is not signed yet."""

    numero: Numero


def abandonner_avenant(
    convention: Convention, commande: AbandonnerAvenant
) -> list[AvenantAbandonne]:
    """Give up; what a programmed avenant moved goes back in the same transaction."""
    avenant = _en_cours(convention, commande.numero)
    _exiger_suite(convention, avenant, commande.date_effet, "Abandonner")
    return [
        AvenantAbandonne(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            numero=commande.numero,
        )
    ]
