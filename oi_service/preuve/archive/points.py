"""The points that an archive carries: signed texts kept in the folder of the anchors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oi_service.preuve.point import Point, PointIllisible, PointSigne, lire_point

#: Where a time-stamp stands, beside its point.
_JETON = ".tsr"


@dataclass(frozen=True, slots=True)
class PointGarde:
    """A point of the folder, and the time-stamp beside it, if any."""

    signe: PointSigne
    jeton: bytes | None

    @property
    def point(self) -> Point:
        """What is signed."""
        return self.signe.point

    @property
    def nom(self) -> str:
        """Return its name in the archive, the same whatever it was called in the folder."""
        return f"points/{self.point.taille:012d}-{self.point.instant:%Y%m%dT%H%M%SZ}"

    def fichiers(self) -> Iterator[tuple[str, bytes]]:
        """Yield what is written of it."""
        yield f"{self.nom}.txt", self.signe.texte.encode()
        if self.jeton is not None:
            yield f"{self.nom}{_JETON}", self.jeton


def points_gardes(dossier: Path, origine: str) -> list[PointGarde]:
    """Return the points of a log, the smallest first; what else is in the folder is left there."""
    trouves: dict[str, PointGarde] = {}
    for chemin in sorted(dossier.rglob("*.txt")):
        try:
            signe = lire_point(chemin.read_bytes())
        except (PointIllisible, OSError):
            continue
        if signe.point.origine == origine:
            jeton = chemin.with_suffix(_JETON)
            garde = PointGarde(signe, jeton.read_bytes() if jeton.is_file() else None)
            trouves.setdefault(garde.nom, garde)
    return sorted(trouves.values(), key=lambda p: (p.point.taille, p.point.instant))


def premier_couvrant(points: Sequence[PointGarde], position: int) -> PointGarde | None:
    """Return the first point that signs an event: always the same one, whatever came after."""
    return next((p for p in points if p.point.taille >= position), None)
