"""The controller decides on each dépense: retain it or reject it, wholly or in part."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.commande import Commande, MotifIneligibilite, Saisie, Texte
from aggregates.convention.state import Bilan, Convention, Csf
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import Depense
from oi_service.errors import RuleBroken
from oi_service.money import Montant
from rules.nomenclature import POSTES

#: Motifs that a régularisation, retained whole, may carry: where the correction comes from.
MOTIFS_DE_REGULARISATION = frozenset(("REGULARISATION_BILAN_ANTERIEUR", "CORRECTION_AUDIT"))


class EcarteSuperieurAuDeclare(RuleBroken):
    """{ecarte:euros} ne peuvent pas être écartés de la dépense {piece}, déclarée pour
    {declare:euros}.
    """


class MotifObligatoire(RuleBroken):
    """Écarter tout ou partie de la dépense {piece} demande un motif de la liste."""


class MotifSansEcart(RuleBroken):
    """La dépense {piece} est retenue en entier : un motif d’inéligibilité n’a pas lieu d’être."""


class EcarteSuperieurAuReste(RuleBroken):
    """{ecarte:euros} ne peuvent pas être écartés de la dépense {piece} : une régularisation en a
    déjà repris {regularise:euros}, il en reste {reste:euros}.
    """


class RegularisationRetenueEntiere(RuleBroken):
    """La régularisation {piece} se retient en entier : elle reprend de l’argent, en écarter une
    part en rendrait. Si elle est erronée, faites renvoyer le bilan et corrigez-la.
    """


class PosteNonConventionne(RuleBroken):
    """Le poste « {poste} » n’est pas dans le plan de la convention : la dépense {piece} ne peut pas
    être retenue. Écartez-la en entier ({reste:euros}), motif POSTE_NON_CONVENTIONNE, ou faites
    d’abord signer un avenant qui ajoute le poste.
    """


class PosteForfaitise(RuleBroken):
    """Le poste « {poste} » est à coût simplifié dans la convention, qui le paie déjà sans pièce :
    la dépense {piece} ne peut pas être retenue. Écartez-la en entier ({reste:euros}), motif
    DOUBLE_FINANCEMENT.
    """

    article = "Règlement (UE) n° 1303/2013, art. 67 §1 ; règlement (UE) 2021/1060, art. 53 §1"


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
    depense: Depense,
    commande: ControlerDepenses,
    ligne: LigneControlee,
    bilan: Bilan,
    csf: Csf,
    convention: Convention,
    controleur: str,
) -> list[DepenseControlee]:
    """Retain or reject, with a reason of the closed list.

    A line whose poste the plan does not count at real cost is rejected whole; a régularisation is
    retained whole.
    """
    if ligne.depense_id not in bilan.depenses:
        raise DepenseHorsBilan(piece=depense.detail.piece_ref)
    if depense.detail.regularise is not None:
        _exiger_retenue_entiere(depense, ligne)
    else:
        _exiger_ecart_possible(depense, ligne)
        _exiger_poste_au_reel(depense, ligne, convention)
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
            controleur=controleur,
        )
    ]


def _exiger_retenue_entiere(depense: Depense, ligne: LigneControlee) -> None:
    piece = depense.detail.piece_ref
    if ligne.montant_ecarte:
        raise RegularisationRetenueEntiere(piece=piece)
    if ligne.motif_code is not None and ligne.motif_code not in MOTIFS_DE_REGULARISATION:
        raise MotifSansEcart(piece=piece)


def _exiger_ecart_possible(depense: Depense, ligne: LigneControlee) -> None:
    piece, ecarte = depense.detail.piece_ref, ligne.montant_ecarte
    if ecarte > depense.montant:
        raise EcarteSuperieurAuDeclare(piece=piece, ecarte=ecarte, declare=depense.montant)
    if ecarte > depense.reste:
        raise EcarteSuperieurAuReste(
            piece=piece, ecarte=ecarte, regularise=-depense.regularise, reste=depense.reste
        )
    if ecarte and ligne.motif_code is None:
        raise MotifObligatoire(piece=piece)
    if not ecarte and ligne.motif_code is not None:
        raise MotifSansEcart(piece=piece)


def _exiger_poste_au_reel(depense: Depense, ligne: LigneControlee, convention: Convention) -> None:
    """Refuse to retain anything of a poste that the plan does not count at real cost."""
    if ligne.montant_ecarte == depense.reste:
        return
    code = depense.detail.poste
    modes = {poste.code: poste.mode for poste in convention.plan.postes}
    details = {
        "poste": POSTES.get(code, code),
        "piece": depense.detail.piece_ref,
        "reste": depense.reste,
    }
    if code not in modes:
        raise PosteNonConventionne(**details)
    if modes[code] != "reel":
        raise PosteForfaitise(**details)


def valider_hors_tirage(
    depense: Depense, date_effet: date, bilan: Bilan, csf: Csf
) -> list[DepenseControlee]:
    """Retain whole a piece that the draw left out: its stratum is validated with it.

    Source: DGEFP, annexe « échantillonnage » de la convention type.
    """
    return [
        DepenseControlee(
            date_effet=date_effet,
            operation_id=depense.operation_id,
            bilan_id=bilan.bilan_id,
            csf_id=csf.csf_id,
            montant_declare_centimes=depense.montant,
            montant_retenu_centimes=depense.montant,
            montant_ecarte_centimes=0,
            motif_code=None,
            commentaire="Hors tirage : validée avec la strate.",
            pieces_vues=(),
        )
    ]
