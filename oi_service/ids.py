"""Identifiers: random for facts, derived where one thing has exactly one other."""

from uuid import UUID, uuid4, uuid5  # noqa: TID251 - here and nowhere else

_CONVENTION = UUID("6f1a3c52-7f0b-5d5e-9a86-2f1a54f5c6d1")


def new_id() -> UUID:
    """Return a fresh random identifier."""
    return uuid4()


def convention_of(operation_id: UUID) -> UUID:
    """Return the identifier of the convention of an operation: one operation, one convention."""
    return uuid5(_CONVENTION, str(operation_id))
