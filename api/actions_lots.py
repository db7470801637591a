"""Taking a workbook, and undoing it: every row and the lot itself in one act, or nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from aggregates.cadre import Cadre
from aggregates.contrepartie import affectation
from aggregates.contrepartie import annulation as du_financeur
from aggregates.contrepartie.events import ContrepartiePercue
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention.bilans import RenvoyerBilan
from aggregates.convention.state import CONVENTION
from aggregates.depense import declaration
from aggregates.depense.state import DEPENSE
from aggregates.lot import annulation, importation
from aggregates.lot.annulation import LotTenuParSonBilan
from aggregates.lot.events import LigneDuLot, LigneEcartee
from aggregates.lot.importation import LigneAPrendre
from aggregates.lot.state import LOT, Lot, LotAbsent
from aggregates.operation import execution, indicateurs
from aggregates.operation.events import IndicateurRenseigne
from aggregates.operation.state import OPERATION
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from api.classeurs import LigneLue
from api.imports import Depot
from oi_service.application import Unit
from oi_service.codec import Evenement
from oi_service.errors import Refusal, RuleBroken
from oi_service.ids import convention_of, ligne_de_lot
from oi_service.money import euros
from projections.lots import faits_du_lot

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
    if isinstance(commande, importation.ImporterLotRessources):
        _deposer_le_bilan(unit, lot, commande, lues)
        return
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
                flux=_flux(lot_id, lue),
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
        bilan_id=unit.new_id("bilan") if nature == "ressources" else None,
    )


def _flux(lot_id: UUID, lue: LigneLue) -> UUID:
    """Return the stream where the fact of a row is."""
    if lue.acte in _CREENT:
        return ligne_de_lot(lot_id, lue.feuille, lue.ligne)
    return convention_of(lue.cible) if lue.acte == "ressource" else lue.cible


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


def _deposer_le_bilan(
    unit: Unit,
    lot: Lot,
    commande: importation.ImporterLotRessources,
    lues: Mapping[tuple[str, int], LigneLue],
) -> None:
    """File the bilan that the rows are the ressources of: they are one fact, its own."""
    # The rows of another dossier are errors: a bilan is of one.
    [operation_id] = lot.operations
    ressources = [lues[ligne.feuille, ligne.ligne].commande for ligne in lot.lignes]
    actions.deposer_bilan(unit, operation_id, commande.depot(ressources))


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
    if nature == "ressources":
        annules = _renvoyer_le_bilan(unit, lot, commande)
    else:
        annules = _annuler_les_lignes(lot, commande, _ANNULATIONS[nature](unit, lot, lot_id))
    unit.execute(
        LOT,
        lot_id,
        annulation.annuler,
        commande,
        annules.maintenant,
        annules.deja,
        annules.obstacles,
    )


@dataclass(slots=True)
class _Annules:
    """What became of each row: undone now, undone before one by one, in the way."""

    maintenant: list[UUID] = field(default_factory=list)
    deja: list[UUID] = field(default_factory=list)
    obstacles: list[annulation.Obstacle] = field(default_factory=list)


#: Undoes a row by the decision of its kind; ``False`` when it was undone before.
_AnnulerUne = Callable[[LigneDuLot, annulation.AnnulerLot], bool]


def _annuler_les_lignes(
    lot: Lot, commande: annulation.AnnulerLot, annuler_une: _AnnulerUne
) -> _Annules:
    annules = _Annules()
    for ligne in reversed(lot.lignes):
        try:
            fait = annuler_une(ligne, commande)
        except RuleBroken as refus:
            annules.obstacles.insert(0, annulation.Obstacle(ligne.ligne, str(refus)))
            continue
        (annules.maintenant if fait else annules.deja).append(ligne.flux)
    return annules


def _renvoyer_le_bilan(unit: Unit, lot: Lot, commande: annulation.AnnulerLot) -> _Annules:
    """Send back the bilan that a lot of ressources filed: its rows are one fact, undone as one.

    Raises: LotTenuParSonBilan.
    """
    assert lot.bilan_id is not None
    [operation_id] = lot.operations
    convention_id = convention_of(operation_id)
    if unit.get(CONVENTION, convention_id).bilans[lot.bilan_id].statut == "renvoye":
        return _Annules(deja=[convention_id])
    acte = RenvoyerBilan(date_effet=commande.date_effet, motif=commande.motif)
    try:
        actions.renvoyer_bilan(unit, operation_id, acte, lot.bilan_id)
    except RuleBroken as refus:
        raise LotTenuParSonBilan(raison=str(refus)) from refus
    return _Annules(maintenant=[convention_id])


def _des_depenses(unit: Unit, lot: Lot, _lot_id: UUID) -> _AnnulerUne:
    unit.prefetch(
        *((DEPENSE, ligne.flux) for ligne in lot.lignes),
        *((CONVENTION, convention_of(operation_id)) for operation_id in lot.operations),
    )

    def annuler_une(ligne: LigneDuLot, commande: annulation.AnnulerLot) -> bool:
        if unit.get(DEPENSE, ligne.flux).statut == "annulee":
            return False
        acte = declaration.AnnulerDepense(date_effet=commande.date_effet, motif=commande.motif)
        actions.annuler_depense(unit, ligne.flux, acte)
        return True

    return annuler_une


def _des_indicateurs(unit: Unit, lot: Lot, lot_id: UUID) -> _AnnulerUne:
    faits = _faits(unit, lot, lot_id)

    def annuler_une(ligne: LigneDuLot, commande: annulation.AnnulerLot) -> bool:
        fait = faits[ligne.feuille, ligne.ligne]
        assert isinstance(fait, IndicateurRenseigne)
        acte = indicateurs.RetirerIndicateur(
            date_effet=commande.date_effet,
            motif=commande.motif,
            indicateur=fait.indicateur,
            realise=f"{fait.realise:f}",
        )
        unit.execute(OPERATION, ligne.flux, indicateurs.retirer_indicateur, acte)
        return True

    return annuler_une


def _des_contreparties(unit: Unit, lot: Lot, lot_id: UUID) -> _AnnulerUne:
    faits = _faits(unit, lot, lot_id)

    def annuler_une(ligne: LigneDuLot, commande: annulation.AnnulerLot) -> bool:
        fait = faits[ligne.feuille, ligne.ligne]
        jour, motif = commande.date_effet, commande.motif
        if isinstance(fait, ContrepartiePercue):
            contrepartie = unit.get(CONTREPARTIE, ligne.flux)
            if not contrepartie.perceptions.get((fait.ref, fait.montant_centimes)):
                return False
            acte = du_financeur.AnnulerPerception.model_validate(
                {
                    "date_effet": jour,
                    "motif": motif,
                    "montant": euros(fait.montant_centimes),
                    "ref": fait.ref,
                }
            )
            unit.execute(CONTREPARTIE, ligne.flux, du_financeur.annuler_perception, acte)
            return True
        if unit.get(CONTREPARTIE, ligne.flux).annulee_le is not None:
            return False
        unit.execute(
            CONTREPARTIE,
            ligne.flux,
            du_financeur.annuler_attribution,
            du_financeur.AnnulerAttribution(date_effet=jour, motif=motif),
        )
        return True

    return annuler_une


def _faits(unit: Unit, lot: Lot, lot_id: UUID) -> Mapping[tuple[str, int], Evenement]:
    """Return the fact that each row of a lot made, as the log keeps it: one a row, in order."""
    with unit.lecture() as conn:
        faits = faits_du_lot(conn, lot_id)
    return {(x.feuille, x.ligne): fait for x, fait in zip(lot.lignes, faits, strict=True)}


_ANNULATIONS: Mapping[importation.Nature, Callable[[Unit, Lot, UUID], _AnnulerUne]] = {
    "depenses": _des_depenses,
    "indicateurs": _des_indicateurs,
    "contreparties": _des_contreparties,
}
