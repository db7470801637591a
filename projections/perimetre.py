"""Who sees what: every query takes a perimeter, and a query without one does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Perimetre:
    """The territory that a reader may see: the whole OI, or a closed list of PLIE.

    Until persons sign in, every reader has the whole OI.
    """

    plie_ids: frozenset[str] | None = None  #: ``None`` is the whole OI

    @property
    def liste(self) -> list[str] | None:
        """The PLIE as a parameter of SQL; ``None`` when there is no restriction."""
        return None if self.plie_ids is None else sorted(self.plie_ids)


OI_ENTIER = Perimetre()
