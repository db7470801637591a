"""What a work does: a function under a name, which says how far it is and leaves files."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

#: Given the service, what was asked and the follow-up, does the work and returns its result.
Fonction = Callable[[Any, Mapping[str, Any], "Suivi"], dict[str, Any]]
F = TypeVar("F", bound=Fonction)

#: Seconds between two tellings of the same step: a page asks every two seconds.
_RYTHME = 0.4
_NOM_DE_FICHIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")


class Annule(Exception):
    """Somebody asked the work to stop; it never leaves the worker."""


class Arrete(Exception):
    """The service stops; it never leaves the worker."""


@dataclass(frozen=True, slots=True)
class Nature:
    """A kind of work. ``route``: the route whose rule says who may ask for it."""

    nom: str
    libelle: str
    route: str
    faire: Fonction


#: Every kind of work that this process can do.
NATURES: dict[str, Nature] = {}


def nature(nom: str, *, libelle: str, route: str) -> Callable[[F], F]:
    """Register what does a kind of work.

    Args:
        nom: the name that is kept with each work.
        libelle: what people call it.
        route: the route, of `api.droits`, whose rule says who may ask for it, and do it again.
    """

    def enregistrer(faire: F) -> F:
        assert nom not in NATURES or NATURES[nom].faire.__qualname__ == faire.__qualname__
        NATURES[nom] = Nature(nom, libelle, route, faire)
        return faire

    return enregistrer


class Carnet(Protocol):
    """Where a work says how far it is."""

    def noter(self, fait: int, total: int, phrase: str) -> bool:
        """Keep it; return whether somebody asked to stop."""


class Suivi:
    """The follow-up of one work."""

    def __init__(self, carnet: Carnet, dossier: Path, arret: threading.Event) -> None:
        """Tell ``carnet``, put files in ``dossier``, and give up when ``arret`` is set."""
        self._carnet = carnet
        self._dossier = dossier
        self._arret = arret
        self._phrase = ""
        self._dit_a = 0.0
        self.fichiers: dict[str, str] = {}  #: media type of each file, by its name

    def avancer(self, fait: int, total: int, phrase: str) -> None:
        """Say how far the work is; ``total`` is 0 while nobody knows.

        Between two calls the work is not cut: call it often, it only writes now and then.
        Raises: what ends the work, when somebody or the service wants it to stop.
        """
        if self._arret.is_set():
            raise Arrete
        maintenant = time.monotonic()
        if phrase == self._phrase and maintenant - self._dit_a < _RYTHME and fait != total:
            return
        self._phrase, self._dit_a = phrase, maintenant
        if self._carnet.noter(fait, total, phrase):
            raise Annule

    def fichier(self, nom: str, media: str) -> Path:
        """Return where to write a file that the person will download."""
        assert _NOM_DE_FICHIER.fullmatch(nom), nom
        self._dossier.mkdir(parents=True, exist_ok=True)
        self.fichiers[nom] = media
        return self._dossier / nom
