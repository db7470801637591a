"""Who sees what: every query takes a perimeter, and a query without one does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Perimetre:
    """The territory that a reader may see: the whole OI, or a closed list of PLIE.

    Until persons sign in, every reader has the whole OI.
    """

    plie_ids: frozenset[str] | None = None  #: ``None`` is the whole OI


OI_ENTIER = Perimetre()
