"""Identifiers: random for facts, derived where one thing has exactly one other."""

import json
from collections.abc import Sequence
from uuid import UUID, uuid4, uuid5  # noqa: TID251 - here and nowhere else

_CONVENTION = UUID("6f1a3c52-7f0b-5d5e-9a86-2f1a54f5c6d1")
_COMPTE = UUID("7c1de0a4-3d7e-5a0b-9c55-1b6f0f2d8e63")
_REPRISE = UUID("0c9d0a1b-5f4e-5b7c-8a3d-6e2f41b7d905")
_LOT = UUID("d1f6a5b2-8c1d-5a47-bb0e-93f7c2a4e610")


def new_id() -> UUID:
    """Return a fresh random identifier."""
    return uuid4()


def convention_of(operation_id: UUID) -> UUID:
    """Return the identifier of the convention of an operation: one operation, one convention."""
    return uuid5(_CONVENTION, str(operation_id))


def compte_of(identifiant: str) -> UUID:
    """Return the stream of an account, from what the log calls the person."""
    return uuid5(_COMPTE, identifiant)


def hors_subvention(reglement: str) -> UUID:
    """Return what stands for a subvention globale where a list belongs to none, by regulation."""
    return uuid5(_REPRISE, f"hors subvention {reglement}")


def lot_of(nature: str, fichier_sha256: str, rang: int) -> UUID:
    """Return the identifier of a lot: its file, and how many times it was taken before and undone.

    The same file confirmed twice at the same moment is one stream: the second is refused.
    """
    return uuid5(_LOT, f"{nature} {fichier_sha256} {rang}")


def ligne_de_lot(lot_id: UUID, feuille: str, ligne: int) -> UUID:
    """Return the identifier of what a row of a lot makes."""
    return uuid5(lot_id, json.dumps([feuille, ligne], ensure_ascii=False))


def reprise_of(subvention_globale_id: UUID, contenu: Sequence[str]) -> UUID:
    """Return the identifier of an operation taken over: its content, under what it belongs to.

    A list read again, or published again with more lines, finds what is already there.
    """
    return uuid5(subvention_globale_id, json.dumps(["reprise", *contenu], ensure_ascii=False))
