"""Plays the story, act after act in the order of the calendar, through the commands of the API.

Every act has an idempotency key of its own: an interrupted play goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from uuid import UUID

from oi_service.application import Acte, Service, fingerprint
from oi_service.demo.appel import donnees, fiches
from oi_service.demo.audit import raconte_l_audit
from oi_service.demo.controles_operation import raconte_les_controles
from oi_service.demo.destins import DESTINS
from oi_service.demo.distribution import dossiers
from oi_service.demo.lots import raconte_les_lots
from oi_service.demo.recit import Etape, RecitDossier, command_id
from oi_service.demo.reprises import raconte_les_reprises
from oi_service.demo.subvention import (
    raconte_la_repartition,
    raconte_la_subvention,
    raconte_le_pilotage,
    raconte_les_appels,
    raconte_les_contreparties,
)
from oi_service.effacement import rapprocher

Progres = Callable[[str, int, int], None]

#: The dossier whose archive is the last act of the story, whatever the seed.
DERNIER = next(dossier.numero_mdfse for dossier in dossiers() if dossier.avec("dernier"))
#: What people see while it plays: the chapter that each day belongs to.
_CHAPITRES = (
    (date(2018, 1, 1), "Subvention globale et enveloppes"),
    (date(2021, 12, 1), "Appel à projets et dépôts"),
    (date(2022, 1, 10), "Recevabilité et instruction"),
    (date(2022, 3, 24), "Programmation et conventions"),
    (date(2022, 5, 9), "Dépenses et bilans"),
    (date(2022, 6, 24), "Contrôles de service fait et paiements"),
    (date(2022, 10, 17), "Soldes, certification et avenants"),
    (date(2022, 11, 20), "Clôtures et archives"),
)


@dataclass(frozen=True, slots=True)
class Bilan:
    """How much was played."""

    plie: int
    fiches: int
    indicateurs: int
    dossiers: int
    operations_programmees: int
    depenses: int
    bilans: int
    paiements: int
    actes: int
    evenements: int

    def __str__(self) -> str:
        return (
            f"{self.plie} PLIE, {self.fiches} fiches opération, {self.indicateurs} indicateurs ; "
            f"{self.dossiers} dossiers, {self.operations_programmees} opérations programmées, "
            f"{self.depenses} dépenses, {self.bilans} bilans, {self.paiements} paiements : "
            f"{self.actes} actes, {self.evenements} événements."
        )


def raconter(graine: int) -> list[Etape]:
    """Return every act of the story, in the order of the calendar."""
    cast = dossiers()
    recits = [
        raconte_la_subvention(graine, cast),
        raconte_les_reprises(graine),
        raconte_le_pilotage(graine, cast),
        *raconte_les_contreparties(graine, cast),
        raconte_les_appels(graine),
        raconte_la_repartition(graine, cast),
        raconte_l_audit(graine),
        raconte_les_lots(graine, cast),
    ]
    for dossier in cast:
        recit = RecitDossier(graine, dossier)
        DESTINS[dossier.destin](recit)
        recits.append(recit)
    # After the dossiers: on the same day, a control names what they have just done.
    recits.extend(raconte_les_controles(graine))
    etapes = [etape for recit in recits for etape in recit.etapes]
    # A story never goes back in time, and the sort is stable: acts of a day stay in their order.
    return sorted(etapes, key=lambda etape: etape.jour)


def jouer(service: Service, *, graine: int = 2021, progres: Progres) -> Bilan:
    """Play what has not been played yet; ``progres`` hears the chapter, acts done, acts in all."""
    etapes = raconter(graine)
    jouees = _cles_acceptees(service)
    for rang, etape in enumerate(etapes, 1):
        cle = command_id(graine, etape.nom)
        if cle not in jouees:
            for document in etape.documents:
                service.pieces.deposer(document.nom, [document.contenu])
            demande = fingerprint("demo", str(graine), etape.nom)
            service.journal.execute(Acte(*etape.qui, cle, demande), etape.faire)
        progres(_chapitre(etape.jour), rang, len(etapes))
    # Those whom the story erases: what a door does after each act, the play does after the last.
    rapprocher(service)
    return _bilan(service, len(etapes))


def deja_jouee(service: Service) -> bool:
    """Tell whether the story was played to its last act, whatever its seed."""
    with service.reads.connection() as conn:
        row = conn.execute(
            """
            SELECT 1 FROM projection.operation AS o
            INNER JOIN projection.subvention_globale AS s ON o.sg_id = s.id
            WHERE s.fictive AND o.numero_mdfse = %s AND o.statut = 'archive'
            """,
            (DERNIER,),
        ).fetchone()
    return row is not None


def _chapitre(jour: date) -> str:
    return next(nom for (_, nom), (fin, _) in pairwise((*_CHAPITRES, (date.max, ""))) if jour < fin)


def _cles_acceptees(service: Service) -> frozenset[UUID]:
    with service.reads.connection() as conn:
        return frozenset(r[0] for r in conn.execute("SELECT command_id FROM oi.command"))


def _bilan(service: Service, actes: int) -> Bilan:
    with service.reads.connection() as conn:
        noms: dict[str, int] = dict(
            conn.execute("SELECT name, count(*) FROM oi.event GROUP BY name").fetchall()
        )
    return Bilan(
        plie=len(donnees()["plie"]),
        fiches=len(fiches()),
        indicateurs=sum(len(fiche["indicateurs"]) for fiche in fiches().values()),
        dossiers=noms["operation.dossier_depose.v1"],
        operations_programmees=noms["operation.programmee.v1"],
        depenses=noms["depense.declaree.v1"],
        bilans=noms["convention.bilan_depose.v1"],
        paiements=noms["convention.paiement_effectue.v1"],
        actes=actes,
        evenements=sum(noms.values()),
    )
