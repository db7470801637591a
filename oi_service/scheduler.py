"""What the calendar does by itself: it notices that a période de réalisation is over, checks the
books, anchors the log, ends the erasures that something cut, and drops old sessions, traces, files
of works and imports that nobody confirmed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID, uuid5

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from aggregates.operation import execution
from aggregates.operation.state import OPERATION
from oi_service import clock
from oi_service.application import Acte, Service
from oi_service.brouillons import Brouillons
from oi_service.effacement import rapprocher
from oi_service.errors import Refusal
from oi_service.preuve.ancrage import ancrer
from oi_service.settings import Settings
from oi_service.verification import noter_verification

log = structlog.get_logger()

#: One process at a time runs the jobs, whichever takes the lock.
_LOCK = 6_011_958
#: Hour, in Paris, of the daily jobs: before people come in.
_HOUR = 6
#: Hour, in Paris, of the check of the books: nobody works.
_NIGHT = 3


@contextmanager
def scheduler(service: Service) -> Iterator[BackgroundScheduler]:
    """Run the daily jobs while the service serves."""
    jobs = BackgroundScheduler(timezone=clock.PARIS)
    jobs.add_job(
        lambda: constater_fins(service, clock.today()),
        CronTrigger(hour=_HOUR, timezone=clock.PARIS),
        id="constater_fins",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        lambda: verifier_la_nuit(service),
        CronTrigger(hour=_NIGHT, timezone=clock.PARIS),
        id="verifier_livres",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        lambda: rapprocher(service),
        CronTrigger(hour=_NIGHT, timezone=clock.PARIS),
        id="rapprocher_cles",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        service.acces.purger,
        CronTrigger(hour=_NIGHT, timezone=clock.PARIS),
        id="purger_acces",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        service.travaux.purger,
        CronTrigger(hour=_NIGHT, timezone=clock.PARIS),
        id="purger_travaux",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        Brouillons(service.journal.pool).purger,
        CronTrigger(hour=_NIGHT, timezone=clock.PARIS),
        id="purger_brouillons",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    jobs.add_job(
        lambda: ancrer_au_rythme(service),
        CronTrigger(hour=Settings().ancre_heures, timezone=clock.PARIS),
        id="ancrer_journal",
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    # A key whose person is erased does not wait for the night: a cut, or a backup, left it there.
    rapprocher(service)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.shutdown(wait=True)


def verifier_la_nuit(service: Service) -> None:
    """Check the books, keep the result in the log, and say loudly what does not hold."""
    with seul(service) as leader:
        fait = noter_verification(service) if leader else None
    if fait is not None:
        rompus = {p.code: p.ecarts for p in fait.points if p.ecarts}
        tell = log.error if rompus else log.info
        tell("livres_verifies", jusqua_position=fait.jusqua_position, ecarts=rompus)


def ancrer_au_rythme(service: Service) -> None:
    """Anchor the log if it moved, and say loudly why it could not be."""
    try:
        fait = ancrer(service, a_la_demande=False)
    except Refusal as refus:  # It is tried again at the next hour, and somebody must look.
        # A refusal is a sentence: where it was raised says no more.
        log.error("journal_non_ancre", code=refus.code(), raison=str(refus))  # noqa: TRY400
        return
    if fait is not None:
        log.info("journal_ancre", taille=fait.ancre.point.taille, complet=fait.complet)


@contextmanager
def seul(service: Service) -> Iterator[bool]:
    """Tell whether this process runs the jobs, and keep the others away meanwhile."""
    with service.reads.connection() as conn:
        leader = conn.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone() == (True,)
        try:
            yield leader
        finally:
            if leader:
                conn.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def constater_fins(service: Service, le: date) -> int:
    """Record that operations whose period ended before that day are over.

    Returns: how many. Run twice, on one day or in two processes, it records each end once: the key
    of the command is derived from the operation and its end.
    """
    done = 0
    with seul(service) as leader:
        if not leader:
            return 0
        with service.reads.connection() as conn:
            ended = conn.execute(
                "SELECT id, fin FROM projection.operation "
                "WHERE statut = 'en_execution' AND fin < %s ORDER BY fin, id",
                (le,),
            ).fetchall()
        for operation_id, fin in ended:
            done += _constater_fin(service, operation_id, fin, le)
    return done


def _constater_fin(service: Service, operation_id: UUID, fin: date, le: date) -> bool:
    acte = Acte("systeme", "systeme", command_id=uuid5(operation_id, f"fin/{fin}"))
    commande = execution.ConstaterFin(date_effet=le)
    try:
        service.journal.execute(
            acte,
            lambda unit: unit.execute(OPERATION, operation_id, execution.constater_fin, commande),
        )
    except Refusal as refused:  # Somebody moved the dossier meanwhile: the next day will tell.
        log.warning("fin_non_constatee", operation=str(operation_id), raison=str(refused))
        return False
    return True
