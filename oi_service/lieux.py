"""Where the service keeps what is not in the database: pieces, keys, anchors, files of works."""

from dataclasses import dataclass
from pathlib import Path

from oi_service.postgres import default_base
from oi_service.settings import Settings


@dataclass(frozen=True, slots=True)
class Lieux:
    """Four folders; each may be on another disk, or another machine's.

    ``pieces``: supporting documents, by their SHA-256. ``cles``: secrets, that of the signature and
    those of persons. ``ancres``: signed points of the log, worth the most out of reach of whoever
    administers the database. ``travaux``: files that long works made, kept for some days.
    """

    pieces: Path
    cles: Path
    ancres: Path
    travaux: Path

    @classmethod
    def sous(cls, base: Path) -> "Lieux":
        """Put the folders under one."""
        return cls(base / "pieces", base / "cles", base / "ancres", base / "travaux")


def lieux_de(settings: Settings) -> Lieux:
    """Return the folders that the operator chose, else those beside the embedded database."""
    ensemble = Lieux.sous(settings.data_dir or default_base())
    return Lieux(
        pieces=settings.pieces_dir or ensemble.pieces,
        cles=settings.cles_dir or ensemble.cles,
        ancres=settings.ancres_dir or ensemble.ancres,
        travaux=settings.travaux_dir or ensemble.travaux,
    )
