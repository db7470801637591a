"""The long works of the service, each under its name.

A work is asked by a route that has already refused what it must; it is done later, as the service,
which reads everything: what it was asked is all that it may use of the person.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from api.archive.demande import DemandeArchive, lire_accordee
from api.archive.lectures import lectures
from api.filters import entier, instant
from api.v1.archives import ecrire_fiche
from oi_service import clock
from oi_service.application import Service
from oi_service.preuve.ancres import lister
from oi_service.preuve.archive.composer import composer
from oi_service.preuve.point import en_base64
from oi_service.travaux import Suivi, nature
from oi_service.verification import noter, verifier_le_tout
from projections.comparaison import comparer_projections
from projections.export import entre

#: What a result keeps of each point that does not hold: enough to look, not the whole base.
_ECARTS_DITS = 50
#: Lines between two tellings of an export.
_LOT = 2_000


@nature("verification", libelle="Vérification du journal", route="lancer_verification")
def verifier(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
    """Check the books, the seals, the anchors and the documents; note it if there is news."""
    del demande
    faite = verifier_le_tout(service, suivi.avancer)
    note = noter(service, faite) if faite.nouveau else None
    with service.reads.connection() as conn:
        ancres = lister(conn, service.lieux.ancres)
    return {
        "intacte": faite.intacte,
        "jusqua_position": faite.jusqua_position,
        "relus": faite.examen.taille - faite.examen.depuis + 1,
        "racine": en_base64(faite.examen.racine),
        "premiere": faite.examen.premiere,
        "points": [
            {
                "code": c.code,
                "enonce": c.enonce,
                "nb_ecarts": len(c.ecarts),
                "ecarts": c.ecarts[:_ECARTS_DITS],
            }
            for c in faite.controles
        ],
        "ancres_continuees": faite.examen.ancres,
        "ancres": len(ancres),
        "derniere_ancre": next((a.instant for a in reversed(ancres) if a.instant), None),
        "notee": note is not None,
        "duree_ms": faite.duree_ms,
        "le": clock.now().isoformat(),
    }


@nature("archive", libelle="Archive pour l’auditeur", route="lancer_archive")
def archiver(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
    """Compose the archive of a dossier, of a PLIE or of everything."""
    lue = lire_accordee(service, DemandeArchive.model_validate(demande))
    sortie = suivi.fichier(f"{lue.nom}.zip", "application/zip")
    composee = composer(
        service, lue, sortie, lectures(ecrire_fiche), progres=_par_etape(suivi.avancer)
    )
    point = composee.point.point
    return {
        "fichier": sortie.name,
        "sha256": composee.sha256,
        "manifeste": composee.manifeste,
        "evenements": composee.evenements,
        "pieces": composee.pieces,
        "pieces_absentes": composee.pieces_absentes,
        "pieces_alterees": composee.pieces_alterees,
        "point": point.taille,
        "point_le": point.instant.isoformat(),
        "phrase": (
            f"Elle s’arrête au point signé le {instant(point.instant)}, de "
            f"{entier(point.taille)} événements."
        ),
    }


def _par_etape(avancer: Callable[[int, int, str], None]) -> Callable[[str, int, int], None]:
    return lambda etape, fait, total: avancer(fait, total, etape)


@nature("export_journal", libelle="Export du journal", route="lancer_export_journal")
def exporter_le_journal(
    service: Service, demande: Mapping[str, Any], suivi: Suivi
) -> dict[str, Any]:
    """Write the whole log, one event a line, all its columns."""
    depuis, jusqua = int(demande["depuis"]), int(demande["jusqua"])
    total = max(0, jusqua - depuis + 1)
    sortie = suivi.fichier(f"journal-{depuis}-{jusqua}.jsonl", "application/x-ndjson")
    ecrits = 0
    with service.reads.connection() as conn, sortie.open("wb") as fichier:
        lignes = entre(conn, depuis, jusqua)
        while lot := list(islice(lignes, _LOT)):
            fichier.write(b"".join(lot))
            ecrits += len(lot)
            suivi.avancer(ecrits, total, "Les événements sont écrits")
    return {"fichier": sortie.name, "evenements": ecrits, "depuis": depuis, "jusqua": jusqua}


@nature("comparaison", libelle="Rejeu et comparaison", route="lancer_comparaison")
def comparer(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
    """Play the log again beside what is shown, and compare; nothing is put right."""
    del demande
    with service.journal.pool.connection() as conn:
        comparees = comparer_projections(
            conn, lambda fait, total, table: suivi.avancer(fait, total, f"Comparaison : {table}")
        )
    return {
        "evenements": comparees.evenements,
        "identiques": not comparees.differentes,
        "empreinte": comparees.empreinte,
        "tables": [
            {"projection": c.projection, "lignes": c.lignes, "identique": c.identique}
            for c in comparees.tables
        ],
        "le": clock.now().isoformat(),
    }
