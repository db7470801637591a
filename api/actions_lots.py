"""Taking a workbook, and undoing it: every row and the lot itself in one act, or nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from aggregates.cadre import Cadre
from aggregates.contrepartie import affectation
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention.state import CONVENTION
from aggregates.depense import declaration
from aggregates.depense.state import DEPENSE
from aggregates.lot import annulation, importation
from aggregates.lot.events import LigneEcartee
from aggregates.lot.importation import LigneAPrendre
from aggregates.lot.state import LOT, Lot, LotAbsent
from aggregates.operation import execution
from aggregates.operation.state import OPERATION
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from api.classeurs import LigneLue
from api.imports import Depot
from oi_service.application import Unit
from oi_service.errors import Refusal, RuleBroken
from oi_service.ids import convention_of, ligne_de_lot

#: What makes a stream of its own; the other rows are facts of a stream that is there.
_CREENT = frozenset(("declarer_depense", "attribuer_contrepartie"))


class LigneDuLotRefusee(RuleBroken):
    """Ligne {ligne} de la feuille « {feuille} » : {raison} Rien n’est importé."""


# --- Taking --------------------------------------------------------------------------------------


def importer_lot(
    unit: Unit,
    lot_id: UUID,
    commande: importation.ImporterLot,
    nature: importation.Nature,
    depot: Depot,
) -> None:
    """Take the rows of a workbook.

    What was looked at before the act is only a reading: each row is decided on what stands now.
    """
    unit.find(LOT, lot_id)
    contenu = _contenu(unit, lot_id, nature, depot)
    lot = unit.create(LOT, lot_id, importation.importer, commande, contenu)
    lues = {(lue.feuille, lue.ligne): lue for lue in depot.apercu.lignes}
    _lire_d_avance(unit, lot, lues.values())
    for ligne in lot.lignes:
        lue = lues[ligne.feuille, ligne.ligne]
        try:
            _ACTES[lue.acte](unit, ligne.flux, lue, commande.date_effet)
        except Refusal as refus:
            raise LigneDuLotRefusee(
                feuille=lue.feuille, ligne=lue.ligne, raison=str(refus)
            ) from refus


def _contenu(
    unit: Unit, lot_id: UUID, nature: importation.Nature, depot: Depot
) -> importation.Contenu:
    apercu = depot.apercu
    portees = _portees(unit, apercu.lignes)
    fautives: dict[tuple[str, int], list[str]] = {}
    for defaut in apercu.erreurs:
        fautives.setdefault((defaut.feuille, defaut.ligne), []).append(defaut.code)
    plies = {portee.plie_id for portee in portees.values()}
    return importation.Contenu(
        nature=nature,
        modele_version=apercu.version,
        format=apercu.classeur.format,
        octets=depot.octets,
        nb_lignes=apercu.nb_lignes,
        lues=tuple(
            LigneAPrendre(
                feuille=lue.feuille,
                ligne=lue.ligne,
                flux=ligne_de_lot(lot_id, lue.feuille, lue.ligne)
                if lue.acte in _CREENT
                else lue.cible,
                montant=lue.montant,
                doublon=lue.doublon,
            )
            for lue in apercu.lignes
        ),
        en_erreur=tuple(
            LigneEcartee(feuille=feuille, ligne=ligne, raisons=tuple(dict.fromkeys(codes)))
            for (feuille, ligne), codes in fautives.items()
        ),
        cadres=frozenset(portee.cadre for portee in portees.values()),
        operations=tuple(p.operation_id for p in portees.values() if p.operation_id is not None),
        plies=tuple(sorted(p for p in plies if p is not None)) if None not in plies else (),
    )


@dataclass(frozen=True, slots=True)
class _Portee:
    """What a row is about: a grant, a PLIE (``None``: the whole OI), an operation."""

    cadre: Cadre
    plie_id: str | None
    operation_id: UUID | None = None


def _portees(unit: Unit, lignes: Iterable[LigneLue]) -> Mapping[tuple[UUID, str | None], _Portee]:
    """Return what each target is about, in the order of the rows."""
    portees: dict[tuple[UUID, str | None], _Portee] = {}
    for lue in lignes:
        # What a grant of a contrepartie is about is in its row; otherwise in its target.
        plie = lue.commande.get("plie_id") if lue.acte == "attribuer_contrepartie" else None
        if (lue.cible, plie) not in portees:
            portees[lue.cible, plie] = _portee(unit, lue, plie)
    return portees


def _portee(unit: Unit, lue: LigneLue, plie: str | None) -> _Portee:
    match lue.acte:
        case "attribuer_contrepartie":
            return _Portee(unit.get(SUBVENTION_GLOBALE, lue.cible, pinned=False).cadre, plie)
        case "percevoir_contrepartie":
            contrepartie = unit.get(CONTREPARTIE, lue.cible)
            return _Portee(contrepartie.cadre, contrepartie.plie_id)
        case _:
            operation = unit.get(OPERATION, lue.cible)
            return _Portee(operation.cadre, operation.cellule.plie_id, lue.cible)


def _lire_d_avance(unit: Unit, lot: Lot, lues: Iterable[LigneLue]) -> None:
    """Read in one round trip what the rows will ask for one by one."""
    unit.prefetch(
        *((CONVENTION, convention_of(operation_id)) for operation_id in lot.operations),
        *(
            (DEPENSE, flux)
            for flux, lue in zip((x.flux for x in lot.lignes), lues, strict=False)
            if lue.acte == "declarer_depense"
        ),
    )


def _declarer(unit: Unit, flux: UUID, lue: LigneLue, jour: date) -> None:
    commande = declaration.DeclarerDepense.model_validate(
        {"date_effet": jour, "detail": lue.commande}
    )
    actions.declarer_depense(unit, flux, commande, lue.cible)


def _renseigner(unit: Unit, flux: UUID, lue: LigneLue, jour: date) -> None:
    commande = execution.RenseignerIndicateur.model_validate({"date_effet": jour, **lue.commande})
    unit.execute(OPERATION, flux, execution.renseigner_indicateur, commande)


def _attribuer(unit: Unit, flux: UUID, lue: LigneLue, jour: date) -> None:
    commande = affectation.AttribuerContrepartie.model_validate(
        {"date_effet": jour, **lue.commande}
    )
    actions.attribuer_contrepartie(unit, flux, commande, lue.cible)


def _percevoir(unit: Unit, flux: UUID, lue: LigneLue, jour: date) -> None:
    commande = affectation.PercevoirContrepartie.model_validate(
        {"date_effet": jour, **lue.commande}
    )
    unit.execute(CONTREPARTIE, flux, affectation.percevoir, commande)


_ACTES: Mapping[str, Callable[[Unit, UUID, LigneLue, date], None]] = {
    "declarer_depense": _declarer,
    "renseigner_indicateur": _renseigner,
    "attribuer_contrepartie": _attribuer,
    "percevoir_contrepartie": _percevoir,
}


# --- Undoing -------------------------------------------------------------------------------------


def annuler_lot(
    unit: Unit, lot_id: UUID, commande: annulation.AnnulerLot, nature: importation.Nature
) -> None:
    """Undo each row of a lot, the last one first; what one refuses keeps all of them.

    ``nature``: what the person may undo; who undoes dépenses is not who undoes contreparties.
    """
    lot = unit.get(LOT, lot_id)
    if lot.nature != nature:
        raise LotAbsent(id=lot_id)
    annulation.exiger_annulable(lot, commande)
    annulees, deja, obstacles = _annuler_les_depenses(unit, lot, commande)
    unit.execute(LOT, lot_id, annulation.annuler, commande, annulees, deja, obstacles)


def _annuler_les_depenses(
    unit: Unit, lot: Lot, commande: annulation.AnnulerLot
) -> tuple[list[UUID], list[UUID], list[annulation.Obstacle]]:
    unit.prefetch(
        *((DEPENSE, ligne.flux) for ligne in lot.lignes),
        *((CONVENTION, convention_of(operation_id)) for operation_id in lot.operations),
    )
    annulees: list[UUID] = []
    deja: list[UUID] = []
    obstacles: list[annulation.Obstacle] = []
    acte = declaration.AnnulerDepense(date_effet=commande.date_effet, motif=commande.motif)
    for ligne in reversed(lot.lignes):
        if unit.get(DEPENSE, ligne.flux).statut == "annulee":
            deja.append(ligne.flux)
            continue
        try:
            actions.annuler_depense(unit, ligne.flux, acte)
        except RuleBroken as refus:
            obstacles.append(annulation.Obstacle(ligne.ligne, str(refus)))
        else:
            annulees.append(ligne.flux)
    obstacles.reverse()
    return annulees, deja, obstacles
