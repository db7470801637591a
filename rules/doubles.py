"""The same piece presented twice: in two operations, or twice in one.

A cost is paid by one operation only, and once. A piece may still be shared between operations, each
taking its part by a key or by the time spent: then the parts may not exceed the whole.
Source: règlement (UE) n° 1303/2013, art. 65 §11; règlement (UE) 2021/1060, art. 63 §9.
"""

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from oi_service.francais import compter
from rules.constat import Constat, Essai, Valeur, montant, pourcentage

_ARTICLE = "Règlement (UE) n° 1303/2013, art. 65 §11 ; règlement (UE) 2021/1060, art. 63 §9"
_FICHIER = Essai(test="meme_fichier", motif_code="DOUBLE_FINANCEMENT", article=_ARTICLE)
_PIECE = Essai(test="meme_piece", motif_code="DOUBLE_FINANCEMENT", article=_ARTICLE)


class Presentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cost that presents a piece: where, for how much, and which part of it.

    ``montant_piece_centimes`` is the total of the piece when it is known; ``part`` the exact share
    that a key or the time spent charges, ``None`` when the cost claims the piece without sharing.
    """

    operation: str
    ici: bool
    piece_ref: str
    montant_centimes: int
    montant_piece_centimes: int | None = None
    part: Fraction | None = None

    @property
    def total(self) -> int:
        """What the piece amounts to, as far as this cost says."""
        if self.montant_piece_centimes is None:
            return self.montant_centimes
        return self.montant_piece_centimes


def constats_de_doubles(
    depense: Presentation,
    memes_fichiers: Sequence[Presentation],
    memes_pieces: Sequence[Presentation],
) -> tuple[Constat, Constat]:
    """Return both tests: the same document, then the same supplier, number and date.

    ``ici`` of the others tells whether they are in the same operation.
    """
    return _meme_fichier(depense, memes_fichiers), _meme_piece(depense, memes_pieces)


def _meme_fichier(depense: Presentation, autres: Sequence[Presentation]) -> Constat:
    if not autres:
        return _FICHIER.conforme("Aucun document joint ne figure dans une autre dépense.")
    if all(autre.ici and autre.piece_ref != depense.piece_ref for autre in autres):
        return _FICHIER.a_apprecier(
            f"Le même document est joint à {compter(len(autres), 'autre(s) dépense(s)')} "
            "de cette opération, sous d’autres références. Vérifiez qu’il s’agit d’un document "
            "d’ensemble (état récapitulatif, relevé) et non d’une même pièce comptée deux fois.",
            *_valeurs(depense, autres),
        )
    return _juger(_FICHIER, "Le même document", depense, autres)


def _meme_piece(depense: Presentation, autres: Sequence[Presentation]) -> Constat:
    if not autres:
        return _PIECE.conforme(
            "Aucune autre dépense ne porte le même tiers, le même numéro et la même date de pièce."
        )
    quoi = f"La pièce {depense.piece_ref} (même tiers, même numéro, même date)"
    if all(autre.total != depense.total for autre in autres):
        return _PIECE.a_apprecier(
            f"{quoi} est présentée aussi {_ou(autres)}, pour d’autres montants. Comparez leur "
            "total à celui de la pièce.",
            *_valeurs(depense, autres),
        )
    return _juger(_PIECE, quoi, depense, autres)


def _juger(
    essai: Essai, quoi: str, depense: Presentation, autres: Sequence[Presentation]
) -> Constat:
    valeurs = _valeurs(depense, autres)
    parts = [p.part for p in (depense, *autres)]
    connues = [part for part in parts if part is not None]
    somme = sum(connues, Fraction(0))
    if len(connues) == len(parts) and somme <= 1:
        return essai.a_apprecier(
            f"{quoi} est présentée aussi {_ou(autres)} : {pourcentage(somme)} en sont imputés au "
            "total. Vérifiez que les clés ou les temps se rapportent au même coût.",
            *valeurs,
        )
    if len(connues) == len(parts):
        return essai.anomalie(
            f"{quoi} est présentée aussi {_ou(autres)} : {pourcentage(somme)} en sont imputés au "
            "total. Écartez ce qui dépasse la pièce.",
            *valeurs,
        )
    return essai.anomalie(
        f"{quoi} est présentée aussi {_ou(autres)}. Gardez-la dans une seule opération, une seule "
        "fois, et écartez-la ailleurs.",
        *valeurs,
    )


def _ou(autres: Sequence[Presentation]) -> str:
    ailleurs = ", ".join(dict.fromkeys(a.operation for a in autres if not a.ici))
    if not ailleurs:
        return "ailleurs dans cette opération"
    aussi_ici = any(autre.ici for autre in autres)
    return f"{'ailleurs dans cette opération et ' if aussi_ici else ''}dans une autre ({ailleurs})"


#: Presentations shown with a finding; a list attached to a whole batch has hundreds.
_MONTREES = 20


def _valeurs(depense: Presentation, autres: Sequence[Presentation]) -> tuple[Valeur, ...]:
    montrees = [
        montant(f"{presentation.operation}, pièce {presentation.piece_ref}", presentation.total)
        for presentation in (depense, *autres[:_MONTREES])
    ]
    if len(autres) > _MONTREES:
        montrees.append(Valeur("Autres présentations", f"{len(autres) - _MONTREES} de plus"))
    return tuple(montrees)
