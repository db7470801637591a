"""What the forms of lots know before anything is typed: which lot, and what undoing it undoes."""

from uuid import UUID

from api.deps import LectureOuverte
from api.filters import entier, euros, jour
from api.pages.actes.preparations import Preparation, prepare
from api.pages.actes.sujets import Sujet
from projections.lots import lot

_ENTIER = {
    "depenses": "Chaque ligne est annulée, ou aucune : une seule dépense portée par un bilan "
    "déposé suffit à refuser.",
    "ressources": "Le bilan déposé avec ces ressources est renvoyé, et ses dépenses redeviennent "
    "libres ; si son contrôle a commencé, rien n’est annulé.",
    "indicateurs": "Chaque valeur est retirée, ou aucune : un seul indicateur renseigné de nouveau "
    "depuis suffit à refuser.",
    "contreparties": "Chaque ligne est annulée, ou aucune : une seule attribution qui appuie une "
    "opération suffit à refuser.",
}


@prepare(
    "annuler_lot_depenses",
    "annuler_lot_ressources",
    "annuler_lot_indicateurs",
    "annuler_lot_contreparties",
)
def annuler_un_lot(lecture: LectureOuverte, lot_id: UUID) -> Preparation:
    """Say which lot, and that all of its rows go with it."""
    vu = lot(lecture.conn, lecture.perimetre, lot_id)
    total = () if vu.nature == "indicateurs" else (("Total", euros(vu.total)),)
    return Preparation(
        sujet=Sujet(
            f"Lot n°\u00a0{vu.numero}, {vu.nature_libelle}",
            f"/lots/{lot_id}",
            f"importé le {jour(vu.importe_le)} par {vu.acteur}",
        ),
        resume=(("Lignes à annuler", entier(vu.lignes)), *total),
        avertissements=(_ENTIER[vu.nature],),
    )
