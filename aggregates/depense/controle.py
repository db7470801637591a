"""The controller decides on each dépense: retain it or reject it, wholly or in part."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.commande import Commande, MotifIneligibilite, Saisie, Texte
from aggregates.convention.state import Bilan, Csf
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import Depense
from oi_service.errors import RuleBroken
from oi_service.money import Montant


class EcarteSuperieurAuDeclare(RuleBroken):
    """{ecarte:euros} ne peuvent pas être écartés de la dépense {piece}, déclarée pour
    {declare:euros}.
    """


class MotifObligatoire(RuleBroken):
    """Écarter tout ou partie de la dépense {piece} demande un motif de la liste."""


class MotifSansEcart(RuleBroken):
    """La dépense {piece} est retenue en entier : un motif d’inéligibilité n’a pas lieu d’être."""


class DepenseHorsBilan(RuleBroken):
    """La dépense {piece} ne figure pas dans le bilan contrôlé."""


class LigneControlee(Saisie):
    """The decision on one dépense."""

    depense_id: UUID
    montant_ecarte: Montant
    motif_code: MotifIneligibilite | None = None
    commentaire: Texte | None = None
    pieces_vues: tuple[Texte, ...] = ()


class ControlerDepenses(Commande):
    """Decide on dépenses of the bilan under control; a later decision replaces an earlier one."""

    lignes: Annotated[tuple[LigneControlee, ...], Field(min_length=1, max_length=1000)]


def controler(
    depense: Depense, commande: ControlerDepenses, ligne: LigneControlee, bilan: Bilan, csf: Csf
) -> list[DepenseControlee]:
    """Retain or reject, with a reason of the closed list."""
    piece = depense.detail.piece_ref
    if ligne.depense_id not in bilan.depenses:
        raise DepenseHorsBilan(piece=piece)
    if ligne.montant_ecarte > depense.montant:
        raise EcarteSuperieurAuDeclare(
            piece=piece, ecarte=ligne.montant_ecarte, declare=depense.montant
        )
    if ligne.montant_ecarte and ligne.motif_code is None:
        raise MotifObligatoire(piece=piece)
    if not ligne.montant_ecarte and ligne.motif_code is not None:
        raise MotifSansEcart(piece=piece)
    return [
        DepenseControlee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=depense.operation_id,
            bilan_id=bilan.bilan_id,
            csf_id=csf.csf_id,
            montant_declare_centimes=depense.montant,
            montant_retenu_centimes=depense.montant - ligne.montant_ecarte,
            montant_ecarte_centimes=ligne.montant_ecarte,
            motif_code=ligne.motif_code,
            commentaire=ligne.commentaire,
            pieces_vues=ligne.pieces_vues,
        )
    ]
