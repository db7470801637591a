"""Chapters of an operation: the convention, what is spent, and the bilans."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from aggregates.contrepartie import affectation
from aggregates.convention import avenants, bilans, paiements, signature
from aggregates.depense import declaration
from aggregates.operation import execution
from api import actions
from oi_service.dates import add_months
from oi_service.demo.appel import RECONDUITE, REELLE, fiches
from oi_service.demo.generateur import (
    Plan,
    hasard,
    inventer_depenses,
    saisir_ressources,
)
from oi_service.demo.instruction import attend_la_seance
from oi_service.demo.recit import COMPTABLE, ORDONNATEUR, Lot, RecitDossier, identifiant
from oi_service.money import euros

_INSTANCE = "conseil_administration_oi"
#: Dépenses are sent by batches of that many; some dossiers send the first ones one by one.
TAILLE_LOT = 30


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
    )
    r.passe(3)
    r.sur_dossier(
        "convention-notifiee",
        r.gestionnaire,
        actions.notifier_convention,
        signature.NotifierConvention,
    )
    for type_ressource, montant in r.plan.externes.items():
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


def demarre(r: RecitDossier) -> None:
    """The attestation of start arrives; those who asked for it get their avance."""
    r.passe(2)
    r.sur_operation(
        "demarrage",
        r.gestionnaire,
        execution.demarrer,
        execution.Demarrer,
        attestation_ref=f"Attestation de démarrage {r.dossier.numero_mdfse}",
    )
    if r.dossier.avec("avance"):
        r.passe(5)
        paie(r, "avance", "avance", r.lu(paiements.plafond_avance), None)


def paie(r: RecitDossier, nom: str, type_: str, montant: object, csf_id: UUID | None) -> None:
    """Order a payment, then send it."""
    ordonnance(r, nom, type_, montant, csf_id)
    r.passe(6)
    r.sur_convention(
        f"{nom}/virement",
        COMPTABLE,
        paiements.effectuer,
        paiements.EffectuerPaiement,
        paiement_id(r, nom),
        ref_virement=f"V-{r.dossier.numero_mdfse}-{nom}",
        iban_masque="FR76••••000",
    )


def ordonnance(r: RecitDossier, nom: str, type_: str, montant: object, csf_id: UUID | None) -> None:
    """Order a payment."""
    r.sur_dossier(
        nom,
        ORDONNATEUR,
        actions.ordonnancer_paiement,
        paiements.OrdonnancerPaiement,
        type=type_,
        montant=montant,
        csf_id=csf_id,
    )


def paiement_id(r: RecitDossier, nom: str) -> UUID:
    """Return the identifier of a payment: derived from its order."""
    return uuid5(r.cle(nom), "paiement")


def lots(r: RecitDossier, plan: Plan | None = None) -> list[Lot]:
    """Return the bilans of the operation with what each one declares."""
    h = hasard(r.graine, r.dossier.numero_mdfse, "execution")
    execute = 1041 if r.dossier.avec("depassement") else h.randint(880, 990)
    if r.dossier.annee == 2022:
        return [_lot(r, plan, 1, "intermediaire", (date(2022, 1, 1), 8), execute * 52 // 100)]
    if r.dossier.avec("deux_bilans"):
        return [
            _lot(r, plan, 1, "intermediaire", (date(2021, 1, 1), 6), execute * 49 // 100),
            _lot(r, plan, 2, "final", (date(2021, 7, 1), 6), execute * 51 // 100),
        ]
    return [_lot(r, plan, 1, "final", (date(2021, 1, 1), 12), execute)]


def _lot(
    r: RecitDossier,
    plan: Plan | None,
    numero: int,
    type_: str,
    mois: tuple[date, int],
    milliemes: int,
) -> Lot:
    debut, nb_mois = mois
    plan = plan or r.plan
    h = hasard(r.graine, r.dossier.numero_mdfse, "depenses", numero)
    prefixe = f"{r.dossier.numero_mdfse}-B{numero}"
    lignes = inventer_depenses(h, plan, debut, nb_mois, milliemes, prefixe)
    fin = add_months(debut, nb_mois) - timedelta(days=1)
    recu = 1180 if r.dossier.avec("surfinance") else 1000
    return Lot(
        numero=numero,
        type=type_,
        periode={"debut": debut.isoformat(), "fin": fin.isoformat()},
        lignes=lignes,
        ids=[_depense_id(r, numero, rang) for rang in range(len(lignes))],
        ressources={
            t: m * milliemes // 1000 * (recu if t == "publique_epci" else 1000) // 1000
            for t, m in plan.externes.items()
        },
    )


def _une_par_une(r: RecitDossier) -> int:
    """Return how many dépenses of the first bilan come alone."""
    return 3 if r.dossier.rang % 3 == 0 or r.dossier.avec("erreur") else 0


def _depense_id(r: RecitDossier, numero: int, rang: int) -> UUID:
    """Return the identifier of a dépense: its own, or derived from the key of its batch."""
    seules = _une_par_une(r) if numero == 1 else 0
    if rang < seules:
        return uuid5(r.cle(f"depense-{rang + 1}"), "id")
    tranche, place = divmod(rang - seules, TAILLE_LOT)
    return uuid5(r.cle(f"bilan-{numero}/depenses-{tranche + 1}"), f"depense/{place}")


def declare(r: RecitDossier, lot: Lot) -> None:
    """Declare what was spent: some dépenses one by one, the others by batches."""
    seules = _une_par_une(r) if lot.numero == 1 else 0
    for rang, ligne in enumerate(lot.lignes[:seules], 1):
        fautive = r.dossier.avec("erreur") and rang == 2
        detail = ligne.saisie
        if fautive:
            detail = detail | {"montant_impute": euros(ligne.montant + 9_000)}
        _declare_une(r, f"depense-{rang}", detail)
        if fautive:
            r.agit(
                f"depense-{rang}/correction",
                r.gestionnaire,
                actions.corriger_depense,
                lot.ids[rang - 1],
                declaration.CorrigerDepense,
                detail=ligne.saisie,
                motif="Deux chiffres intervertis à la saisie",
            )
    for tranche, debut in enumerate(range(seules, len(lot.lignes), TAILLE_LOT), 1):
        lignes = lot.lignes[debut : debut + TAILLE_LOT]
        r.sur_dossier(
            lot.nom(f"depenses-{tranche}"),
            r.gestionnaire,
            actions.declarer_depenses,
            declaration.DeclarerDepenses,
            depenses=[ligne.saisie for ligne in lignes],
        )
    if r.dossier.avec("doublon") and lot.numero == 1:
        _declare_une(r, "doublon", lot.lignes[-1].saisie)
        r.passe(1)
        r.agit(
            "doublon/annulation",
            r.gestionnaire,
            actions.annuler_depense,
            uuid5(r.cle("doublon"), "id"),
            declaration.AnnulerDepense,
            motif="Dépense déclarée deux fois",
        )


def _declare_une(r: RecitDossier, nom: str, detail: dict[str, Any]) -> None:
    r.agit(
        nom,
        r.gestionnaire,
        actions.declarer_depense,
        uuid5(r.cle(nom), "id"),
        declaration.DeclarerDepense,
        r.operation,
        detail=detail,
    )


def constate_la_fin(r: RecitDossier) -> None:
    """The period is over; what was reached is counted against what was promised."""
    r.passe(1)
    r.sur_operation("fin", r.gestionnaire, execution.constater_fin, execution.ConstaterFin)
    h = hasard(r.graine, r.dossier.numero_mdfse, "indicateurs")
    for rang, indicateur in enumerate(fiches()[r.dossier.fiche]["indicateurs"], 1):
        entier, _, decimales = indicateur["cible"].partition(".")
        pour_cent = h.randint(86, 118)
        realise = int(entier) * pour_cent // 100
        r.sur_operation(
            f"indicateur-{rang}",
            r.gestionnaire,
            execution.renseigner_indicateur,
            execution.RenseignerIndicateur,
            indicateur=rang,
            realise=f"{realise}.{decimales}" if decimales else str(realise),
        )


def rend_son_bilan(r: RecitDossier, lot: Lot, envoi: str = "depot") -> None:
    """File the bilan with its dépenses and what others paid."""
    r.sur_dossier(
        lot.nom(envoi),
        r.gestionnaire,
        actions.deposer_bilan,
        bilans.DeposerBilan,
        numero=lot.numero,
        type=lot.type,
        periode=lot.periode,
        depenses=lot.ids,
        ressources=saisir_ressources(lot.ressources),
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
        ORDONNATEUR,
        actions.programmer_avenant,
        avenants.ProgrammerAvenant,
        numero=1,
        instance=_INSTANCE,
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
