"""Chapters of what is spent: the dépenses of each bilan, declared, corrected, then filed."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from aggregates.convention import bilans
from aggregates.depense import declaration
from api import actions
from oi_service.dates import add_months
from oi_service.demo.generateur import hasard, inventer_depenses, saisir_ressources
from oi_service.demo.recit import Lot, RecitDossier
from oi_service.money import euros

#: Dépenses are sent by batches of that many; some dossiers send the first ones one by one.
TAILLE_LOT = 30


def lots(r: RecitDossier) -> list[Lot]:
    """Return the bilans of the operation with what each one declares."""
    h = hasard(r.graine, r.dossier.numero_mdfse, "execution")
    execute = 1041 if r.dossier.avec("depassement") else h.randint(880, 990)
    if r.dossier.annee == 2022:
        return [_lot(r, 1, "intermediaire", (date(2022, 1, 1), 8), execute * 52 // 100)]
    if r.dossier.avec("deux_bilans"):
        return [
            _lot(r, 1, "intermediaire", (date(2021, 1, 1), 6), execute * 49 // 100),
            _lot(r, 2, "final", (date(2021, 7, 1), 6), execute * 51 // 100),
        ]
    return [_lot(r, 1, "final", (date(2021, 1, 1), 12), execute)]


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
    lignes = inventer_depenses(h, r.plan, debut, nb_mois, milliemes, prefixe)
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
