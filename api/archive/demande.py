"""What may be asked of an archive, by whom, whichever the door."""

from pydantic import BaseModel, ConfigDict, Field

from api.deps import CONNU_LE, CONNU_LE_EXEMPLES, CONNU_LE_MAX, EFFET_AU, lire_connu_le
from oi_service.application import Service
from oi_service.dates import Jour
from oi_service.errors import Forbidden, RuleBroken
from oi_service.preuve.archive.demande import Demande, lire_demande
from projections.perimetre import Perimetre
from projections.situation import situation

#: Longest number of a dossier, or code of a PLIE.
_CODE_MAX = 64


class ArchiveSansObjet(RuleBroken):
    """Dites ce que l’archive contient : un dossier, un PLIE, ou tout le journal, et un seul des
    trois.
    """


class ArchiveReservee(Forbidden):
    """Une archive contient des faits de tout l’organisme intermédiaire : elle n’est pas offerte à
    un périmètre restreint.
    """


class ArchiveDeToutReservee(Forbidden):
    """L’archive de tout contient les dossiers de travail d’audit : elle est pour un auditeur."""


class DemandeArchive(BaseModel):
    """What is asked. Unknown names are refused: a typing error never passes for a filter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dossier: str | None = Field(
        None, max_length=_CODE_MAX, description="Numéro d’un dossier, ou son identifiant."
    )
    plie: str | None = Field(None, max_length=_CODE_MAX, description="Code d’un PLIE.")
    tout: bool = Field(
        default=False, description="Tout le journal, dossiers d’audit compris : pour un auditeur."
    )
    effet_au: Jour | None = Field(None, description=EFFET_AU)
    connu_le: str | None = Field(
        None, max_length=CONNU_LE_MAX, description=CONNU_LE, examples=CONNU_LE_EXEMPLES
    )


def exiger_accordable(demandee: DemandeArchive, role: str, perimetre: Perimetre) -> None:
    """Refuse what is unclear, and what the reader may not take away.

    Raises: ArchiveSansObjet, ArchiveReservee, ArchiveDeToutReservee.
    """
    if sum((demandee.dossier is not None, demandee.plie is not None, demandee.tout)) != 1:
        raise ArchiveSansObjet
    if perimetre.plie_ids is not None:
        raise ArchiveReservee
    if demandee.tout and role != "auditeur":
        raise ArchiveDeToutReservee


def lire_accordee(service: Service, demandee: DemandeArchive) -> Demande:
    """Read a request, on a connection given back before the archive takes another."""
    connu = None if demandee.connu_le is None else lire_connu_le(demandee.connu_le)
    with service.reads.connection() as conn:
        quand = situation(conn, demandee.effet_au, connu)
        return lire_demande(conn, quand, dossier=demandee.dossier, plie=demandee.plie)
