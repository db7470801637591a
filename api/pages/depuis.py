"""What became of a dossier since the situation that its page shows."""

from dataclasses import dataclass

from projections.difference import Difference


@dataclass(frozen=True, slots=True)
class LigneDepuis:
    """A figure then and today, in cents or in number."""

    libelle: str
    alors: int
    aujourd_hui: int
    nombre: bool

    @property
    def ecart(self) -> int:
        """What it gained, or lost."""
        return self.aujourd_hui - self.alors


@dataclass(frozen=True, slots=True)
class Depuis:
    """The figures that moved, and why."""

    lignes: tuple[LigneDepuis, ...]
    causes: tuple[str, ...]


def depuis(difference: Difference | None) -> Depuis | None:
    """Prepare what is shown; ``None`` when the page is the current one."""
    if difference is None:
        return None
    return Depuis(
        lignes=tuple(
            LigneDepuis(c.libelle, c.avant, c.apres, c.unite == "nombre")
            for c in difference.chiffres
            if c.avant != c.apres
        ),
        causes=tuple(
            c.libelle if c.evenements == 1 else f"{c.libelle} ({c.evenements} événements)"
            for c in difference.causes
        ),
    )
