"""Imports that take too long for somebody to wait in front of a page: done in the background.

The work does the same act as the page would, under the same key, for the same person; what stands
when it is done is what decides.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aggregates.lot.importation import ImporterLot, Nature
from api import actions_lots
from api.filters import entier, euros
from api.imports import Demande, regarder
from api.porte import Personne
from oi_service.application import Acte, Service, fingerprint
from oi_service.brouillons import Brouillon, Brouillons
from oi_service.travaux import Suivi, nature
from projections.lots import lot, lot_du_fichier
from projections.perimetre import OI_ENTIER, Perimetre

#: Rows above which an import is done in the background.
SEUIL = 2_000


def demander(
    service: Service, qui: Personne, brouillon: Brouillon, nature_: Nature, commande: ImporterLot
) -> UUID:
    """Ask for an import that the person confirmed.

    Raises: TropDeTravaux.
    """
    travail_id = service.travaux.lancer(
        f"import_{nature_}",
        {
            "brouillon_id": str(brouillon.id),
            "corps": commande.model_dump(mode="json", exclude_unset=True),
            "acteur": qui.acteur,
            "role": qui.role,
            "plies": None if qui.plies is None else sorted(qui.plies),
            "detachee_par": sorted(qui.detachee_par),
            "objet": brouillon.fichier_nom,
        },
        qui.acteur,
        qui.role,
        qui.plies,
    )
    Brouillons(service.journal.pool).confier(brouillon.id, travail_id)
    return travail_id


@nature("import_depenses", libelle="Import de dépenses", route="importer_lot_depenses")
def importer_depenses(service: Service, demande: Mapping[str, Any], suivi: Suivi) -> dict[str, Any]:
    """Import a workbook of dépenses."""
    return _importer(service, demande, suivi, "depenses")


@nature("import_indicateurs", libelle="Import d’indicateurs", route="importer_lot_indicateurs")
def importer_indicateurs(
    service: Service, demande: Mapping[str, Any], suivi: Suivi
) -> dict[str, Any]:
    """Import a workbook of indicators."""
    return _importer(service, demande, suivi, "indicateurs")


@nature(
    "import_contreparties", libelle="Import de contreparties", route="importer_lot_contreparties"
)
def importer_contreparties(
    service: Service, demande: Mapping[str, Any], suivi: Suivi
) -> dict[str, Any]:
    """Import a workbook of contreparties."""
    return _importer(service, demande, suivi, "contreparties")


def _importer(
    service: Service, demande: Mapping[str, Any], suivi: Suivi, nature_: Nature
) -> dict[str, Any]:
    commande = ImporterLot.model_validate(demande["corps"])
    brouillon_id = UUID(demande["brouillon_id"])
    plies = None if demande["plies"] is None else frozenset(demande["plies"])
    suivi.avancer(0, 3, "Le classeur est relu.")
    with service.journal.pool.connection() as conn:
        lot_id, _ = lot_du_fichier(conn, nature_, commande.fichier_sha256)
        depot = regarder(
            service.pieces,
            conn,
            Perimetre(plies),
            Demande(nature_, commande.fichier_sha256, commande.fichier_nom, commande.operation_id),
        )
    suivi.avancer(1, 3, f"{entier(depot.apercu.nb)} lignes sont enregistrées, toutes ou aucune.")
    outcome = service.journal.execute(
        Acte(
            acteur=demande["acteur"],
            role=demande["role"],
            # One draft is imported once, by the page or by a work that is done again.
            command_id=brouillon_id,
            fingerprint=fingerprint("import", nature_, commande.model_dump_json()),
            plies=plies,
            detachee_par=frozenset(demande["detachee_par"]),
        ),
        lambda unit: actions_lots.importer_lot(unit, lot_id, commande, nature_, depot),
    )
    lot_id = next((e.stream_id for e in outcome.events if e.name.startswith("lot.")), lot_id)
    Brouillons(service.journal.pool).conclure(brouillon_id, lot_id)
    with service.reads.connection() as conn:
        fait = lot(conn, OI_ENTIER, lot_id)
    return {
        "phrase": f"Le classeur est importé : lot n°\u00a0{fait.numero}.",
        "chiffres": [
            ["Lignes enregistrées", entier(fait.lignes)],
            ["Total", euros(fait.total)],
            ["Laissées de côté", entier(fait.ecartees)],
        ],
        "lien": {"adresse": f"/lots/{lot_id}", "libelle": f"Voir le lot n°\u00a0{fait.numero}"},
    }
