"""Contrôle de service fait: from the opening to the certificate, version by version."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import Commande, CommandeMotivee, Saisie, Texte, TypeRessource
from aggregates.convention.events import (
    ConclusionsIntermediairesNotifiees,
    CsfOuvert,
    CsfRouvert,
    CsfValide,
    ObservationsRecues,
    PosteRetenu,
    RessourceRetenue,
    RessourcesControlees,
)
from aggregates.convention.state import Bilan, Convention, Csf
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant
from rules import VERSION_REGLES
from rules.fse_du import Entrees, calculer


class CsfSansBilan(RuleBroken):
    """Aucun contrôle de service fait ne peut être ouvert : ce bilan n’est pas déposé, ou il est
    déjà contrôlé.
    """

    article = "Contrôle de service fait : il commence à la réception du bilan signé"


class CsfAbsent(NotFound):
    """Aucun contrôle de service fait ne porte l’identifiant {id}."""


class CsfClos(RuleBroken):
    """Ce contrôle de service fait est validé : il ne se modifie plus, il se rouvre en une nouvelle
    version.
    """


class CsfNonValide(RuleBroken):
    """Ce contrôle de service fait n’est pas validé : il n’y a rien à rouvrir."""


class LignesNonControlees(RuleBroken):
    """{nombre} dépense(s) du bilan n’ont pas encore de décision : le contrôle ne peut pas être
    validé.
    """


class RessourcesNonControlees(RuleBroken):
    """Les ressources du bilan n’ont pas encore été contrôlées."""


class RessourceOubliee(RuleBroken):
    """La ressource « {financeur} » a déclaré {montant:euros} dans ce bilan : décidez de toutes les
    ressources déclarées, une ressource non retenue se retient pour 0,00 €.
    """


class ContradictoireManquant(RuleBroken):
    """{ecarte:euros} sont écartés : les conclusions intermédiaires doivent être notifiées au
    bénéficiaire, et sa réponse reçue ou le délai du {limite} écoulé, avant la validation.
    """


class ControleurEgalValideur(RuleBroken):
    """La personne qui a contrôlé ne valide pas son propre contrôle de service fait."""

    article = "Règlement (UE) 1303/2013, art. 125 §7 ; règlement (UE) 2021/1060, art. 74 §3"


class BilanAnterieurNonControle(RuleBroken):
    """Le bilan n° {numero} doit être contrôlé d’abord : les montants se cumulent dans l’ordre."""


def csf_de(convention: Convention, csf_id: UUID) -> tuple[Bilan, Csf]:
    """Return the open CSF and its bilan, or refuse."""
    bilan = convention.bilan_du_csf(csf_id)
    if bilan is None or bilan.csf is None:
        raise CsfAbsent(id=csf_id)
    if bilan.csf.statut == "valide":
        raise CsfClos
    return bilan, bilan.csf


class OuvrirCsf(Commande):
    """Begin the control of a bilan."""

    bilan_id: UUID
    modalite: Literal["exhaustif"] = "exhaustif"


def ouvrir_csf(
    convention: Convention, commande: OuvrirCsf, csf_id: UUID, controleur: str
) -> list[CsfOuvert]:
    """Begin, on a bilan that was received and is not under control."""
    bilan = convention.bilans.get(commande.bilan_id)
    if bilan is None or bilan.statut != "depose":
        raise CsfSansBilan
    return [
        CsfOuvert(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
            version=bilan.csf.version + 1 if bilan.csf else 1,
            controleur=controleur,
            modalite=commande.modalite,
        )
    ]


class RessourceControlee(Saisie):
    """What is kept of a resource."""

    type: TypeRessource
    financeur: Texte
    montant_declare: Montant
    montant_retenu: Montant


class ControlerRessources(Commande):
    """Decide on the resources of the bilan, all of them at once.

    What a funder definitively acquired for the operation counts, even above what was declared.
    """

    ressources: Annotated[tuple[RessourceControlee, ...], Field(max_length=100)]


def controler_ressources(
    convention: Convention, commande: ControlerRessources, csf_id: UUID
) -> list[RessourcesControlees]:
    """Keep what is definitively acquired and affected to the operation."""
    bilan, _ = csf_de(convention, csf_id)
    decidees = Counter((r.type, r.financeur, r.montant_declare) for r in commande.ressources)
    for ressource in bilan.ressources:
        declaree = (ressource.type, ressource.financeur, ressource.montant_centimes)
        if decidees[declaree] == 0:
            raise RessourceOubliee(
                financeur=ressource.financeur, montant=ressource.montant_centimes
            )
        decidees[declaree] -= 1
    return [
        RessourcesControlees(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            ressources=tuple(
                RessourceRetenue(
                    type=r.type,
                    financeur=r.financeur,
                    montant_declare_centimes=r.montant_declare,
                    montant_retenu_centimes=r.montant_retenu,
                )
                for r in commande.ressources
            ),
        )
    ]


class NotifierConclusions(Commande):
    """Tell the beneficiary what would be rejected, and until when to answer."""

    date_limite_reponse: Jour


def notifier_conclusions(
    convention: Convention, commande: NotifierConclusions, csf_id: UUID
) -> list[ConclusionsIntermediairesNotifiees]:
    """Open the phase contradictoire."""
    csf_de(convention, csf_id)
    return [
        ConclusionsIntermediairesNotifiees(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            date_limite_reponse=commande.date_limite_reponse,
        )
    ]


class RecevoirObservations(Commande):
    """Record the beneficiary's answer."""


def recevoir_observations(
    convention: Convention, commande: RecevoirObservations, csf_id: UUID
) -> list[ObservationsRecues]:
    """Record the answer."""
    csf_de(convention, csf_id)
    return [
        ObservationsRecues(date_effet=commande.date_effet, pieces=commande.jointes(), csf_id=csf_id)
    ]


class ValiderCsf(Commande):
    """Validate the control: it becomes the certificate of service fait."""


def valider_csf(
    convention: Convention,
    commande: ValiderCsf,
    csf_id: UUID,
    valideur: str,
    depenses: Sequence[Depense],
) -> list[CsfValide]:
    """Validate, and fix what the Fund owes since the start of the operation.

    The fact carries every input and every ceiling, so that the calculation can be redone years
    later without looking anything up.
    Source: domain rule of the minimum, rules/fse_du.py.
    """
    bilan, csf = csf_de(convention, csf_id)
    for autre in convention.bilans.values():
        if autre.numero < bilan.numero and autre.statut in {"depose", "en_controle"}:
            raise BilanAnterieurNonControle(numero=autre.numero)
    if csf.controleur == valideur:
        raise ControleurEgalValideur
    sans_decision = [d for d in depenses if d.csf_id != csf_id]
    if sans_decision:
        raise LignesNonControlees(nombre=len(sans_decision))
    if bilan.ressources and csf.ressources is None:
        raise RessourcesNonControlees
    ecarte = sum(d.ecarte for d in depenses)
    _exiger_contradictoire(csf, commande, ecarte)

    postes = _postes_retenus(depenses)
    ressources = csf.ressources or ()
    cumul_postes = Counter({p.code: p.retenu_centimes for p in postes})
    cumul_ressources = [(r.type, r.montant_retenu_centimes) for r in ressources]
    for autre in convention.bilans.values():
        if autre.bilan_id != bilan.bilan_id and autre.statut != "renvoye":
            cumul_postes.update(autre.postes_retenus)
            cumul_ressources.extend(autre.ressources_retenues)
    entrees = Entrees(
        fse_max_centimes=convention.fse_max,
        cout_total_eligible_centimes=convention.cout_total_eligible,
        postes=dict(cumul_postes),
        ressources=tuple(cumul_ressources),
        arrondi=convention.arrondi,
    )
    du = calculer(entrees)
    return [
        CsfValide(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
            version=csf.version,
            type=bilan.type,
            version_regles=VERSION_REGLES,
            valideur=valideur,
            postes=postes,
            ressources=ressources,
            postes_cumules=dict(entrees.postes),
            ressources_cumulees=entrees.ressources,
            fse_max_centimes=convention.fse_max,
            cout_total_eligible_centimes=convention.cout_total_eligible,
            arrondi=convention.arrondi,
            cout_net_cumule_centimes=du.cout_net_centimes,
            ressources_externes_centimes=du.ressources_externes_centimes,
            c1_plafond_centimes=du.c1_centimes,
            c2_taux_centimes=du.c2_centimes,
            c3_besoin_centimes=du.c3_centimes,
            c4_hors_nature_centimes=du.c4_centimes,
            contrainte_active=du.contrainte_active,
            fse_du_cumule_centimes=du.fse_du_centimes,
            fse_du_periode_centimes=du.fse_du_centimes - convention.fse_du,
            cout_total_retenu_periode_centimes=du.cout_net_centimes - convention.cout_total_retenu,
            depenses_declarees_centimes=(
                sum(p.declare_centimes for p in postes) - bilan.depenses_controlees
            ),
            depenses_ecartees_centimes=ecarte - bilan.depenses_ecartees,
            autofinancement_constate_centimes=du.autofinancement_constate_centimes,
            surfinancement_ecarte_centimes=du.surfinancement_ecarte_centimes,
        )
    ]


def _exiger_contradictoire(csf: Csf, commande: ValiderCsf, ecarte: int) -> None:
    """Refuse to reject money before the beneficiary was heard, or had the time to speak."""
    if ecarte == 0 or csf.statut == "observations":
        return
    limite = csf.date_limite_reponse
    if limite is None or commande.date_effet <= limite:
        raise ContradictoireManquant(ecarte=ecarte, limite=limite or "contradictoire")


def _postes_retenus(depenses: Sequence[Depense]) -> tuple[PosteRetenu, ...]:
    codes = sorted({d.detail.poste for d in depenses})
    return tuple(
        PosteRetenu(
            code=code,
            declare_centimes=sum(d.montant for d in depenses if d.detail.poste == code),
            ecarte_centimes=sum(d.ecarte for d in depenses if d.detail.poste == code),
            retenu_centimes=sum(d.retenu for d in depenses if d.detail.poste == code),
        )
        for code in codes
    )


class RouvrirCsf(CommandeMotivee):
    """Open a new version of a validated control."""


def rouvrir_csf(
    convention: Convention, commande: RouvrirCsf, csf_id: UUID, operation: Operation
) -> list[CsfRouvert]:
    """Take the control up again; the validated version stays as it is in the journal."""
    exiger(
        operation,
        "Rouvrir le contrôle de service fait",
        "en_execution",
        "realisation_terminee",
        "bilan_final_depose",
        "abandonne",
        "resilie",
    )
    bilan = convention.bilan_du_csf(csf_id)
    if bilan is None or bilan.csf is None:
        raise CsfAbsent(id=csf_id)
    if bilan.statut != "controle":
        raise CsfNonValide
    return [
        CsfRouvert(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
        )
    ]
