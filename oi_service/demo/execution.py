"""Chapters of an operation: its convention, its start, its payments, its end, its avenants."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from aggregates.contrepartie import affectation
from aggregates.convention import avenants, paiements, signature
from aggregates.convention.state import Convention
from aggregates.operation import execution
from api import actions
from oi_service.dates import add_months
from oi_service.demo.appel import RECONDUITE, REELLE, fiches
from oi_service.demo.generateur import hasard
from oi_service.demo.instruction import INSTANCE, attend_la_seance
from oi_service.demo.recit import COMPTABLE, ORDONNATEUR, RecitDossier, identifiant
from oi_service.money import euros

#: How the convention of the operation that is controlled by sample fixes the draw.
ECHANTILLON: dict[str, Any] = {"taille_min": 12, "couverture_min_pct": Decimal(30)}
PLAFONNE = "fonctionnement"  #: the poste that a convention caps, where one does
#: Percentage of its target that an indicator reaches under a clause of réfaction.
REALISE_SOUS_LA_CIBLE = 64


def nom_contrepartie(annee: int, plie: str, type_ressource: str) -> str:
    """Return the name of what a kind of funder grants to a PLIE for a year."""
    return f"contrepartie/{annee}/{plie}/{type_ressource}"


def signe_sa_convention(r: RecitDossier) -> None:
    """Both parties sign; the notification puts the convention in force; funders back it."""
    fin = date.fromisoformat((REELLE if r.dossier.annee == 2021 else RECONDUITE)["fin"])
    limite = add_months(fin, 6)
    prevus = [{"numero": 1, "type": "final", "date_limite": limite}]
    if r.dossier.annee == 2022 or r.dossier.avec("deux_bilans"):
        prevus[0]["numero"] = 2
        intermediaire = date(2022, 5, 31) if r.dossier.annee == 2021 else date(2022, 10, 31)
        prevus.insert(0, {"numero": 1, "type": "intermediaire", "date_limite": intermediaire})
    r.passe(8)
    r.sur_dossier(
        "convention",
        ORDONNATEUR,
        actions.signer_convention,
        signature.SignerConvention,
        numero=f"C-{r.dossier.numero_mdfse}",
        signataires=["organisme-intermediaire", f"beneficiaire-{r.dossier.beneficiaire:02d}"],
        bilans_prevus=prevus,
        **_choix(r),
    )
    r.passe(3)
    r.sur_dossier(
        "convention-notifiee",
        r.gestionnaire,
        actions.notifier_convention,
        signature.NotifierConvention,
    )
    for type_ressource, montant in r.plan.contreparties.items():
        nom = nom_contrepartie(r.dossier.annee, r.dossier.plie, type_ressource)
        r.agit(
            f"affectation/{type_ressource}",
            r.gestionnaire,
            actions.affecter_contrepartie,
            identifiant(r.graine, nom),
            affectation.AffecterContrepartie,
            operation_id=r.operation,
            montant=euros(montant),
        )


def _choix(r: RecitDossier) -> dict[str, object]:
    """Return what this convention decides otherwise than the grant."""
    if r.dossier.avec("echantillon"):
        taille, couverture = ECHANTILLON["taille_min"], str(ECHANTILLON["couverture_min_pct"])
        return {
            "parametres": {
                "extrapolation": True,
                "echantillon_taille_min": taille,
                "echantillon_couverture_min_pct": couverture,
            }
        }
    if r.dossier.avec("refaction"):
        return {"parametres": {"refaction": {"seuil_pct": "80", "taux_pct": "5"}}}
    if r.dossier.avec("plafonne"):
        plafond = {"code": PLAFONNE, "montant": euros(r.plan.postes[PLAFONNE])}
        return {"plafonds_poste": [plafond | {"tolerance_pct": "2"}]}
    if r.dossier.avec("deux_bilans"):
        return {"parametres": {"plafond_avant_solde_pct": "80"}}
    return {}


def demarre(r: RecitDossier) -> None:
    """The attestation of start arrives; those who asked for it get their avance."""
    r.passe(2)
    r.sur_operation(
        "demarrage",
        r.gestionnaire,
        execution.demarrer,
        execution.Demarrer,
        attestation_ref=f"ATT-{r.dossier.numero_mdfse}",
    )
    if r.dossier.avec("avance"):
        r.passe(5)
        paie(r, "avance", "avance", r.lu(paiements.plafond_avance), None)
        acquitte(r, "avance")


def paie(
    r: RecitDossier,
    nom: str,
    type_: str,
    montant: object,
    csf_id: UUID | None,
    remplace: UUID | None = None,
) -> None:
    """Prepare a payment and order it, then send it."""
    ordonnance(r, nom, type_, montant, csf_id, remplace)
    r.passe(6)
    vire(r, nom)


def ordonnance(
    r: RecitDossier,
    nom: str,
    type_: str,
    montant: object,
    csf_id: UUID | None,
    remplace: UUID | None = None,
) -> None:
    """One person prepares a payment, another one orders it the same day."""
    r.sur_dossier(
        nom,
        COMPTABLE,
        actions.preparer_paiement,
        paiements.PreparerPaiement,
        type=type_,
        montant=montant,
        csf_id=csf_id,
        remplace=remplace,
    )
    r.sur_dossier(
        f"{nom}/ordonnancement",
        ORDONNATEUR,
        actions.ordonnancer_paiement,
        paiements.OrdonnancerPaiement,
        uuid5(r.cle(nom), "paiement"),
    )


def annule(r: RecitDossier, nom: str, motif: str) -> None:
    """Take an order back before the transfer."""
    r.sur_convention(
        f"{nom}/annulation",
        ORDONNATEUR,
        paiements.annuler,
        paiements.AnnulerPaiement,
        uuid5(r.cle(nom), "paiement"),
        motif=motif,
    )


def vire(r: RecitDossier, nom: str) -> None:
    """The transfer leaves."""
    r.sur_convention(
        f"{nom}/virement",
        COMPTABLE,
        paiements.effectuer,
        paiements.EffectuerPaiement,
        uuid5(r.cle(nom), "paiement"),
        COMPTABLE.acteur,
        ref_virement=f"V-{r.dossier.numero_mdfse}-{nom}",
        iban_masque="FR76••••000",
    )


def acquitte(r: RecitDossier, nom: str) -> None:
    """The bank confirms that the money arrived."""
    r.passe(2)
    r.sur_convention(
        f"{nom}/acquittement",
        COMPTABLE,
        paiements.acquitter,
        paiements.AcquitterPaiement,
        uuid5(r.cle(nom), "paiement"),
        ref=f"RELEVE-{r.dossier.numero_mdfse}-{nom}",
    )


def reste(type_: str) -> Callable[[Convention], int]:
    """Return how to read what is left to pay under a kind of payment."""

    def lire(convention: Convention) -> int:
        final = type_ == "solde"
        return paiements.reste_a_regler(convention, convention.engage, final=final).a_payer_centimes

    return lire


def constate_la_fin(r: RecitDossier) -> None:
    """The period is over; what was reached is counted against what was promised."""
    r.passe(1)
    r.sur_operation("fin", r.gestionnaire, execution.constater_fin, execution.ConstaterFin)
    h = hasard(r.graine, r.dossier.numero_mdfse, "indicateurs")
    for rang, indicateur in enumerate(fiches()[r.dossier.fiche]["indicateurs"], 1):
        entier, _, decimales = indicateur["cible"].partition(".")
        pour_cent = h.randint(86, 118)
        if rang == 1 and r.dossier.avec("refaction"):
            pour_cent = REALISE_SOUS_LA_CIBLE
        realise = int(entier) * pour_cent // 100
        r.sur_operation(
            f"indicateur-{rang}",
            r.gestionnaire,
            execution.renseigner_indicateur,
            execution.RenseignerIndicateur,
            indicateur=rang,
            realise=f"{realise}.{decimales}" if decimales else str(realise),
        )


def demande_un_avenant(r: RecitDossier, motif: str, **changements: object) -> None:
    """Ask to change what the convention says."""
    r.attend(date(2022, 9, 30))
    r.sur_dossier(
        "avenant",
        r.gestionnaire,
        actions.demander_avenant,
        avenants.DemanderAvenant,
        numero=1,
        motif=motif,
        **changements,
    )


def signe_son_avenant(r: RecitDossier) -> None:
    """The board examines it again, then both parties sign."""
    seance = attend_la_seance(r)
    r.sur_dossier(
        "avenant/programmation",
        r.gestionnaire,
        actions.programmer_avenant,
        avenants.ProgrammerAvenant,
        numero=1,
        instance=INSTANCE,
        pv_ref=seance,
    )
    r.passe(9)
    r.sur_dossier(
        "avenant/signature",
        ORDONNATEUR,
        actions.signer_avenant,
        avenants.SignerAvenant,
        numero=1,
    )
