"""Commands of an auditor that read the log: what is frozen is read at a position, for ever."""

from uuid import UUID

from aggregates.audit import dossier, echantillons, populations
from aggregates.audit.events import DefinitionPopulation
from aggregates.audit.state import AUDIT
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Unit
from projections.populations import exiger_passee, population


def ouvrir_dossier(
    unit: Unit, dossier_id: UUID, commande: dossier.OuvrirDossierAudit, subvention_id: UUID
) -> None:
    """Open a working file under a subvention globale, which it does not move."""
    subvention = unit.get(SUBVENTION_GLOBALE, subvention_id, pinned=False)
    unit.create(AUDIT, dossier_id, dossier.ouvrir, commande, subvention.cadre)


def figer_population(
    unit: Unit, dossier_id: UUID, commande: populations.FigerPopulation, population_id: UUID
) -> None:
    """Freeze the dépenses of a definition, as the log was at a position."""
    cadre = unit.get(AUDIT, dossier_id).cadre
    definition = DefinitionPopulation(**commande.definition.model_dump())
    with unit.lecture() as conn:
        position = exiger_passee(conn, commande.position)
        lue = population(conn, cadre.subvention_globale_id, definition, commande.montant, position)
    unit.execute(AUDIT, dossier_id, populations.figer, commande, population_id, position, lue)


def tirer_echantillon(
    unit: Unit,
    dossier_id: UUID,
    commande: echantillons.TirerEchantillonAudit,
    echantillon_id: UUID,
) -> None:
    """Draw from a population read again at its position."""
    ouvert = unit.get(AUDIT, dossier_id)
    figee = populations.population_de(ouvert, commande.population_id)
    with unit.lecture() as conn:
        relue = population(
            conn,
            ouvert.cadre.subvention_globale_id,
            figee.definition,
            figee.montant,
            figee.position,
        )
    unit.execute(AUDIT, dossier_id, echantillons.tirer_echantillon, commande, echantillon_id, relue)
