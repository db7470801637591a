"""Deposit of a dossier, complements, withdrawal."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from stdnum.fr import siret as siret_number

from aggregates.appel_a_projets.state import AppelAProjets
from aggregates.cadre import Cellule, LigneMaquette
from aggregates.commande import (
    Annee,
    Code,
    Commande,
    CommandeMotivee,
    PeriodeSaisie,
    Saisie,
    Texte,
)
from aggregates.operation.events import (
    Beneficiaire,
    ComplementDemande,
    ComplementRecu,
    DossierDepose,
    DossierRetire,
)
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger, exiger_apres_les_decisions
from aggregates.plan import PlanSaisi
from oi_service.dates import Jour, Periode
from oi_service.errors import Conflict, RuleBroken
from rules.delais import depot_dans_les_delais, operation_achevee_avant_depot


class DossierDejaDepose(Conflict):
    """Ce dossier est déjà déposé sous le numéro {numero}."""


class NumeroMdfseDejaPris(Conflict):
    """Un autre dossier porte déjà ce numéro « Ma démarche FSE » : un numéro désigne un seul
    dossier.
    """


class DepotHorsDelai(RuleBroken):
    """Le dépôt du {depot} est hors délai : l’appel à projets se clôt le {cloture} inclus."""


class DepotAvantOuverture(RuleBroken):
    """Le dépôt du {depot} précède l’ouverture de l’appel à projets, le {ouverture}."""


class AppelClos(RuleBroken):
    """L’appel à projets n° {numero} est clos : il ne reçoit plus de dossier."""


class FicheInconnue(RuleBroken):
    """L’appel à projets n° {numero} ne comporte pas de fiche opération « {code} »."""


class OperationAcheveeAvantDepot(RuleBroken):
    """L’opération s’est achevée matériellement le {fin}, avant le dépôt du {depot} : elle ne peut
    plus être soutenue.
    """

    article = "Règlement (UE) 1303/2013, art. 65 §6 ; règlement (UE) 2021/1060, art. 63 §6"


class PeriodeHorsSubvention(RuleBroken):
    """La période de réalisation, du {debut} au {fin}, sort de celle de la subvention globale."""


class PeriodeHorsFiche(RuleBroken):
    """La fiche opération {code} finance des opérations du {debut} au {fin} : la période demandée en
    sort.
    """


#: Database constraint that holds a rule across streams.
GARDES = {"operation_numero_mdfse": NumeroMdfseDejaPris}


def _valid_siret(number: str) -> str:
    if not siret_number.is_valid(number):
        raise ValueError(
            "un SIRET a 14 chiffres dont le dernier est une clé : celui-ci n’est pas valide"
        )
    return str(siret_number.compact(number))


Siret = Annotated[str, Field(max_length=20), AfterValidator(_valid_siret)]


class BeneficiaireSaisi(Saisie):
    """The legal person that answers the call."""

    siret: Siret
    nom: Texte
    type: Literal["association", "entreprise", "collectivite", "etat", "opco", "autre"]


class DeposerDossier(Commande):
    """Answer a fiche of a call. ``date_effet`` is the day of the deposit."""

    appel_a_projets_id: UUID
    fiche_code: Code
    numero_mdfse: Code
    beneficiaire: BeneficiaireSaisi
    intitule: Texte
    objet: Texte
    annee_tranche: Annee
    periode: PeriodeSaisie
    fin_materielle: Jour | None = Field(
        default=None, description="Jour où l’opération s’est achevée, si elle l’est déjà."
    )
    plan: PlanSaisi


def deposer(
    operation: Operation | None,
    commande: DeposerDossier,
    appel: AppelAProjets,
    realisation: Periode,
) -> list[DossierDepose]:
    """Receive a dossier in time, for an operation that still runs.

    ``realisation``: période de réalisation of the grant.
    Source: règlement (UE) 1303/2013, art. 65 §6.
    """
    if operation is not None:
        raise DossierDejaDepose(numero=operation.numero_mdfse)
    depot = commande.date_effet
    if appel.clos:
        raise AppelClos(numero=appel.numero)
    if depot < appel.date_ouverture:
        raise DepotAvantOuverture(depot=depot, ouverture=appel.date_ouverture)
    if not depot_dans_les_delais(appel.date_cloture, depot):
        raise DepotHorsDelai(depot=depot, cloture=appel.date_cloture)
    fiche = appel.fiches.get(commande.fiche_code)
    if fiche is None:
        raise FicheInconnue(numero=appel.numero, code=commande.fiche_code)
    periode = commande.periode.periode()
    fin_materielle = commande.fin_materielle or periode.fin
    if operation_achevee_avant_depot(fin_materielle, depot):
        raise OperationAcheveeAvantDepot(fin=fin_materielle, depot=depot)
    if not realisation.inclut(periode):
        raise PeriodeHorsSubvention(debut=periode.debut, fin=periode.fin)
    if not fiche.periode.inclut(periode):
        raise PeriodeHorsFiche(
            debut=fiche.periode.debut, fin=fiche.periode.fin, code=commande.fiche_code
        )
    plan = commande.plan.plan()
    return [
        DossierDepose(
            date_effet=depot,
            pieces=commande.jointes(),
            cadre=appel.cadre,
            appel_a_projets_id=commande.appel_a_projets_id,
            fiche_code=fiche.code,
            numero_mdfse=commande.numero_mdfse,
            beneficiaire=Beneficiaire(**commande.beneficiaire.model_dump()),
            cellule=Cellule(
                plie_id=fiche.plie_id,
                ligne=LigneMaquette(
                    annee=commande.annee_tranche,
                    axe=fiche.axe,
                    objectif_specifique=fiche.objectif_specifique,
                    dispositif=fiche.dispositif,
                ),
            ),
            intitule=commande.intitule,
            objet=commande.objet,
            periode=periode,
            plan=plan,
            cout_total_centimes=plan.cout_total_centimes,
            fse_demande_centimes=plan.fse_centimes,
            condition=fiche.condition,
            indicateurs=fiche.indicateurs,
            parametres=fiche.parametres,
        )
    ]


class DemanderComplement(Commande):
    """Ask the beneficiary for what is missing."""

    pieces_attendues: tuple[Texte, ...] = Field(min_length=1, max_length=100)
    echeance: Jour


def demander_complement(
    operation: Operation, commande: DemanderComplement
) -> list[ComplementDemande]:
    """Ask for what is missing."""
    exiger(operation, "Demander un complément", "depose")
    return [
        ComplementDemande(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            pieces_attendues=commande.pieces_attendues,
            echeance=commande.echeance,
        )
    ]


class RecevoirComplement(Commande):
    """Record what the beneficiary sent."""

    pieces_recues: tuple[Texte, ...] = Field(min_length=1, max_length=100)


def recevoir_complement(operation: Operation, commande: RecevoirComplement) -> list[ComplementRecu]:
    """Record what arrived; the dossier goes back to its examination."""
    exiger(operation, "Recevoir un complément", "complement_demande")
    return [
        ComplementRecu(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            pieces_recues=commande.pieces_recues,
        )
    ]


class RetirerDossier(CommandeMotivee):
    """The beneficiary withdraws, before any convention."""


def retirer(operation: Operation, commande: RetirerDossier) -> list[DossierRetire]:
    """Withdraw; what was programmed is given back."""
    exiger(
        operation,
        "Retirer le dossier",
        "depose",
        "complement_demande",
        "recevable",
        "en_instruction",
        "instruit_favorable",
        "instruit_defavorable",
        "ajourne",
        "programme",
    )
    exiger_apres_les_decisions(operation, commande.date_effet, "Retirer le dossier")
    programmed = operation.statut == "programme"
    return [
        DossierRetire(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            cout_total_centimes=operation.cout_total_demande,
            fse_demande_centimes=operation.fse_demande,
            fse_programme_centimes=operation.fse_programme,
            cout_total_programme_centimes=operation.cout_total_programme,
            ressources=operation.plan.ressources if programmed else (),
        )
    ]
