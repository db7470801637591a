"""What a workbook gives once it was looked at: rows ready for a command, and defects by cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

from api.classeurs.classeur import Classeur

Nature = Literal["depenses", "ressources", "indicateurs", "contreparties"]
Gravite = Literal["erreur", "avertissement"]
#: What a row asks, by the name of the API route that takes its body; ``ressource`` is one of the
#: ``ressources`` of the body of ``deposer_bilan``.
Acte = Literal[
    "declarer_depense",
    "ressource",
    "renseigner_indicateur",
    "attribuer_contrepartie",
    "percevoir_contrepartie",
]


@dataclass(frozen=True, slots=True)
class DefautDeCellule:
    """What is wrong, where a person finds it. ``ligne`` is the Excel number, 0 for the whole sheet;
    ``colonne`` its letter, empty for the whole row; ``code`` is stable.
    """

    feuille: str
    ligne: int
    colonne: str
    titre: str
    valeur: str
    code: str
    message: str
    remede: str
    gravite: Gravite = "erreur"


@dataclass(frozen=True, slots=True)
class Doublon:
    """A row that is already elsewhere: in the file, at ``autre_ligne``, or in the register."""

    feuille: str
    ligne: int
    autre_ligne: int | None = None
    depense_id: UUID | None = None
    lot: str | None = None


class LigneLue(NamedTuple):
    """A row without error. ``commande`` is the body that the API takes, or the part of it that a
    row carries; ``cible`` the operation or the contrepartie that it is for; ``montant`` in cents.
    """

    feuille: str
    ligne: int
    acte: Acte
    cible: UUID
    commande: Mapping[str, Any]
    montant: int = 0
    doublon: bool = False


@dataclass(frozen=True, slots=True)
class Apercu:
    """A workbook looked at; nothing is written. ``total`` and ``nb`` are those of the rows without
    error, doubles included; ``nb_lignes`` counts every row that says something.
    """

    nature: Nature
    version: int
    classeur: Classeur
    lignes: tuple[LigneLue, ...]
    defauts: tuple[DefautDeCellule, ...]
    doublons: tuple[Doublon, ...]
    total: int
    nb: int
    nb_lignes: int

    @property
    def erreurs(self) -> tuple[DefautDeCellule, ...]:
        """What keeps a row, or the file, from being taken."""
        return tuple(d for d in self.defauts if d.gravite == "erreur")

    @property
    def avertissements(self) -> tuple[DefautDeCellule, ...]:
        """What a person reads before confirming."""
        return tuple(d for d in self.defauts if d.gravite == "avertissement")

    @property
    def lignes_en_erreur(self) -> int:
        """How many rows are left out."""
        return self.nb_lignes - self.nb
