"""Who does the works: one thread of the service, one work at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import psycopg
import structlog

from oi_service.errors import Refusal
from oi_service.travaux.file import Travaux
from oi_service.travaux.nature import NATURES, Annule, Arrete, Suivi
from oi_service.travaux.travail import Travail

log = structlog.get_logger()

#: Seconds between two looks at the queue when nothing wakes the worker: another process may ask.
_REGARD = 5
#: Seconds before asking again for a queue that another process holds, or a base that is away.
_PATIENCE = 15
#: Seconds given to the work under way when the service stops; past that, it is found cut.
_DELAI_ARRET = 10


class ServiceOccupe(Protocol):
    """A service that has works to do; each nature asks more of it."""

    @property
    def travaux(self) -> Travaux:
        """The queue."""


@dataclass(frozen=True, slots=True)
class _Carnet:
    travaux: Travaux
    travail_id: UUID

    def noter(self, fait: int, total: int, phrase: str) -> bool:
        return self.travaux.noter(self.travail_id, fait, total, phrase)


def faire_un(service: ServiceOccupe, arret: threading.Event | None = None) -> UUID | None:
    """Do the work that has waited longest, to its end; ``None`` when none waits."""
    travail = service.travaux.prendre()
    if travail is None:
        return None
    _faire(service, travail, arret or threading.Event())
    return travail.id


def _faire(service: ServiceOccupe, travail: Travail, arret: threading.Event) -> None:
    travaux = service.travaux
    suivi = Suivi(_Carnet(travaux, travail.id), travaux.dossier_de(travail.id), arret)
    nature = NATURES.get(travail.nature)
    if nature is None:
        travaux.cesser(
            travail.id, "echoue", "Cette version du service ne sait plus faire ce travail."
        )
        return
    try:
        suivi.avancer(0, 0, "Le travail commence.")
        resultat = nature.faire(service, travail.demande, suivi)
        travaux.finir(travail.id, "Le travail est terminé.", resultat, suivi.fichiers)
    except Annule:
        travaux.cesser(travail.id, "annule", "Le travail a été annulé.")
    except Arrete:
        travaux.cesser(travail.id, "interrompu", "Le service s’est arrêté pendant le travail.")
    except Refusal as refus:
        travaux.cesser(travail.id, "echoue", str(refus))
    except Exception:
        # Whatever it is, the person hears that it failed, and the operator reads why.
        log.exception("travail_echoue", travail=str(travail.id), nature=travail.nature)
        travaux.cesser(
            travail.id,
            "echoue",
            "Une erreur du service a interrompu ce travail. Elle est notée dans son journal "
            "technique ; relancez-le.",
        )


class Ouvrier:
    """The thread that does the works of a service until it is told to stop."""

    def __init__(self, service: ServiceOccupe) -> None:
        """Get ready; nothing is done before `demarrer`."""
        self._service = service
        self._arret = threading.Event()
        # A stop that takes too long must not keep the process: the work will be found cut.
        self._fil = threading.Thread(target=self._travailler, name="travaux", daemon=True)

    @classmethod
    @contextmanager
    def au_travail(cls, service: ServiceOccupe) -> Iterator["Ouvrier"]:
        """Work while the service serves."""
        ouvrier = cls(service)
        ouvrier._fil.start()
        try:
            yield ouvrier
        finally:
            ouvrier.arreter()

    def arreter(self) -> None:
        """Ask the work under way to stop at its next step, and wait for it a little."""
        self._arret.set()
        self._service.travaux.reveil.set()
        self._fil.join(_DELAI_ARRET)

    def _travailler(self) -> None:
        travaux = self._service.travaux
        while not self._arret.is_set():
            try:
                with travaux.seul() as seul:
                    if seul:
                        # Who holds the queue now knows that nobody else works.
                        travaux.constater_coupures()
                        self._vider(travaux)
                        continue
            except psycopg.Error:
                log.warning("travaux_base_absente", exc_info=True)
            self._arret.wait(_PATIENCE)

    def _vider(self, travaux: Travaux) -> None:
        while not self._arret.is_set():
            travaux.reveil.clear()
            if faire_un(self._service, self._arret) is None:
                travaux.reveil.wait(_REGARD)
