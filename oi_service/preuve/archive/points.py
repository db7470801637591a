"""The points that an archive carries: those of the folder of the anchors, under their own names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oi_service.preuve.ancres import AncreLue, ancres_du_dossier, nom_du_jeton
from oi_service.preuve.point import Point


@dataclass(frozen=True, slots=True)
class PointGarde:
    """An anchor, and the time-stamp beside it, if any."""

    ancre: AncreLue
    jeton: bytes | None

    @property
    def point(self) -> Point:
        """What is signed."""
        return self.ancre.point

    @property
    def chemin(self) -> str:
        """Its path in the archive."""
        return f"points/{self.ancre.nom}"

    def fichiers(self) -> Iterator[tuple[str, bytes]]:
        """Yield what is written of it."""
        yield self.chemin, self.ancre.signe.texte.encode()
        if self.jeton is not None:
            yield nom_du_jeton(self.chemin), self.jeton


def points_gardes(dossier: Path, origine: str) -> list[PointGarde]:
    """Return the points of a log, the smallest first.

    Raises: AncreIllisible, DossierDesAncresInaccessible.
    """
    return [
        PointGarde(ancre, _jeton(dossier / nom_du_jeton(ancre.nom)))
        for ancre in ancres_du_dossier(dossier)
        if ancre.point.origine == origine
    ]


def _jeton(chemin: Path) -> bytes | None:
    return chemin.read_bytes() if chemin.is_file() else None


def premier_couvrant(points: Sequence[PointGarde], position: int) -> PointGarde | None:
    """Return the first point that signs an event: always the same one, whatever came after."""
    return next((p for p in points if p.point.taille >= position), None)
