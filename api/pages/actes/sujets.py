"""What a form is about, and the page to go back to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.deps import LectureOuverte
from projections.sujets import Repere, reperes


@dataclass(frozen=True, slots=True)
class Sujet:
    """What an act is about: words, and the page that shows it."""

    libelle: str
    lien: str
    precision: str | None = None


def sujet_de(lecture: LectureOuverte, cibles: Mapping[str, Any]) -> Sujet | None:
    """Return the dossier that the address of a form points at, by itself or by a part of it."""
    ids = [cible for cible in cibles.values() if isinstance(cible, UUID)]
    trouve = reperes(lecture.conn, lecture.perimetre, ids)
    return _dossier(trouve[0]) if trouve else None


def _dossier(repere: Repere) -> Sujet:
    return Sujet(
        f"Dossier n°\u00a0{repere.numero_mdfse}, {repere.intitule}",
        f"/dossiers/{repere.numero_mdfse}",
        repere.beneficiaire,
    )
