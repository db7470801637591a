"""Chapters of what is spent: the dépenses of each bilan, declared, corrected, then filed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from aggregates.convention import bilans
from aggregates.depense import declaration
from api import actions
from oi_service.dates import add_months
from oi_service.demo.execution import PLAFONNE
from oi_service.demo.generateur import Plan, hasard, saisir_ressources
from oi_service.demo.personnes import emploie
from oi_service.demo.pieces import Ligne, inventer_depenses
from oi_service.demo.recit import COMPTABLE, Lot, RecitDossier
from oi_service.money import euros

#: Dépenses are sent by batches of that many; some dossiers send the first ones one by one.
TAILLE_LOT = 30
MARCHE = "MP-FICTIF-2021-1"
RECETTES = 17  #: net revenue of an operation that has some, in thousandths of its cost
LOCATION = 138_600
#: Of the poste that a convention caps, what is spent, in thousandths of what is executed.
DEPASSEMENT = 1_280


def lots(r: RecitDossier) -> list[Lot]:
    """Return the bilans of the operation with what each one declares."""
    h = hasard(r.graine, r.dossier.numero_mdfse, "execution")
    execute = 1041 if r.dossier.avec("depassement") else h.randint(880, 990)
    if r.dossier.annee == 2022:
        return [_lot(r, 1, "intermediaire", (date(2022, 1, 1), 8), execute * 52 // 100)]
    if r.dossier.avec("deux_bilans"):
        premier = _lot(r, 1, "intermediaire", (date(2021, 1, 1), 6), execute * 49 // 100)
        second = _lot(r, 2, "final", (date(2021, 7, 1), 6), execute * 51 // 100)
        if r.dossier.avec("regularise"):
            second = _ajoute(r, second, _regularisation(premier))
        return [premier, second]
    lot = _lot(r, 1, "final", (date(2021, 1, 1), 12), execute)
    return [_ajoute(r, lot, _deja_forfaitisee(lot)) if r.dossier.avec("forfaitise") else lot]


def _lot(
    r: RecitDossier,
    numero: int,
    type_: str,
    mois: tuple[date, int],
    milliemes: int,
) -> Lot:
    debut, nb_mois = mois
    h = hasard(r.graine, r.dossier.numero_mdfse, "depenses", numero)
    prefixe = f"{r.dossier.numero_mdfse}-B{numero}"
    lignes = inventer_depenses(h, _execute(r), debut, nb_mois, milliemes, prefixe)
    if r.dossier.avec("personnes"):
        emploie(r, lignes)
    if r.dossier.avec("marche"):
        for ligne in lignes:
            if ligne.poste == "prestations":
                ligne.saisie["marche_ref"] = MARCHE
    fin = add_months(debut, nb_mois) - timedelta(days=1)
    recu = 1_600 if r.dossier.avec("surfinance") else 1000
    return Lot(
        numero=numero,
        type=type_,
        periode={"debut": debut.isoformat(), "fin": fin.isoformat()},
        lignes=lignes,
        ids=[_depense_id(r, numero, rang) for rang in range(len(lignes))],
        ressources={
            t: m * milliemes // 1000 * (recu if t == "publique_epci" else 1000) // 1000
            for t, m in r.plan.externes.items()
        },
        parcours=r.plan.parcours * milliemes // 1000,
        livrables=r.plan.livrables if type_ == "final" else (),
        recettes=r.plan.cout_total * RECETTES // 1000 if r.dossier.avec("recettes") else 0,
    )


def _execute(r: RecitDossier) -> Plan:
    """Return what is executed: the plan, but for a poste that goes far above its ceiling."""
    if not r.dossier.avec("plafonne"):
        return r.plan
    depasse = r.plan.postes[PLAFONNE] * DEPASSEMENT // 1000
    return replace(r.plan, postes=r.plan.postes | {PLAFONNE: depasse})


def _ajoute(r: RecitDossier, lot: Lot, ligne: Ligne) -> Lot:
    numero = len(lot.lignes) + 1
    piece = {"piece_ref": f"{r.dossier.numero_mdfse}-B{lot.numero}-{numero}"}
    lignes = [*lot.lignes, replace(ligne, saisie=ligne.saisie | piece)]
    ids = [*lot.ids, _depense_id(r, lot.numero, numero - 1)]
    return replace(lot, lignes=lignes, ids=ids)


def _regularisation(lot: Lot) -> Ligne:
    """Take back a part of what an earlier bilan was paid for: charges that were relieved."""
    rang = next(i for i, x in enumerate(lot.lignes) if x.poste == "personnel" and not x.ecarte)
    repris = lot.lignes[rang].montant * 13 // 100
    saisie = lot.lignes[rang].saisie | {
        "nature": "Régularisation : allègement de charges obtenu depuis",
        "montant_impute": f"-{euros(repris)}",
        "date_piece": "2022-01-31",
        "regularise": str(lot.ids[rang]),
    }
    for inutile in ("temps", "date_acquittement", "preuve_acquittement"):
        saisie.pop(inutile)
    return Ligne(saisie, -repris, 0, "REGULARISATION_BILAN_ANTERIEUR")


def _deja_forfaitisee(lot: Lot) -> Ligne:
    """Declare what the flat rate already covers, which the control then rejects whole."""
    saisie = lot.lignes[-1].saisie | {
        "poste": "fonctionnement",
        "nature": "Location d’une salle",
        "tiers_ref": "fictif-fonctionnement-1",
        "preuve_acquittement": "facture_acquittee",
        "montant_impute": euros(LOCATION),
    }
    saisie.pop("temps", None)
    return Ligne(saisie, LOCATION, LOCATION, "DOUBLE_FINANCEMENT")


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
                COMPTABLE,
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
            COMPTABLE,
            actions.declarer_depenses,
            declaration.DeclarerDepenses,
            depenses=[ligne.saisie for ligne in lignes],
        )
    if r.dossier.avec("doublon") and lot.numero == 1:
        _declare_une(r, "doublon", lot.lignes[-1].saisie)
        r.passe(1)
        r.agit(
            "doublon/annulation",
            COMPTABLE,
            actions.annuler_depense,
            uuid5(r.cle("doublon"), "id"),
            declaration.AnnulerDepense,
            motif="Dépense déclarée deux fois",
        )


def _declare_une(r: RecitDossier, nom: str, detail: dict[str, Any]) -> None:
    r.agit(
        nom,
        COMPTABLE,
        actions.declarer_depense,
        uuid5(r.cle(nom), "id"),
        declaration.DeclarerDepense,
        r.operation,
        detail=detail,
    )


def depose_son_bilan(r: RecitDossier, lot: Lot, envoi: str = "depot") -> None:
    """File the bilan with its dépenses, what it reached, and what others paid."""
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
        unites=[{"poste": "parcours", "quantite": str(lot.parcours)}] if lot.parcours else [],
        livrables=lot.livrables,
        recettes_nettes=euros(lot.recettes),
    )


def rend_son_bilan(r: RecitDossier, lot: Lot, envoi: str = "depot") -> None:
    """File the bilan, signed and complete."""
    depose_son_bilan(r, lot, envoi)
    r.passe(2)
    r.sur_convention(
        lot.nom(f"{envoi}/recevabilite"),
        r.controleur,
        bilans.juger_recevable,
        bilans.JugerRecevable,
        bilan_de(r, lot, envoi),
    )


def bilan_de(r: RecitDossier, lot: Lot, envoi: str = "depot") -> UUID:
    """Return the identifier of a bilan as it was filed."""
    return uuid5(r.cle(lot.nom(envoi)), "bilan")
