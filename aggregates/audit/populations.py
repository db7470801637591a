"""Freezing a population: the list of dépenses that draws are made from, for ever the same."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.audit.dossier import exiger_en_cours
from aggregates.audit.events import DefinitionPopulation, MontantAudite, PopulationFigee
from aggregates.audit.state import DossierAudit, Population
from aggregates.commande import Code, Commande, Saisie
from oi_service.errors import NotFound, RuleBroken
from rules.tirages import Unite, empreinte


class PopulationAbsente(NotFound):
    """Ce dossier de travail n’a figé aucune population d’identifiant {id}."""


class PopulationVide(RuleBroken):
    """Aucune dépense d’un montant positif ne répond à cette définition à l’événement n°
    {position} : il n’y a rien à tirer.
    """


class PopulationAlteree(RuleBroken):
    """La liste relue à l’événement n° {position} n’est plus celle qui a été figée : son empreinte
    était {figee}, elle est {relue}. Vérifiez le journal et les projections avant de tirer.
    """


class DefinitionSaisie(Saisie):
    """Which dépenses: of an operation, of a PLIE, of an état de dépenses, or all of them."""

    portee: Literal["operation", "plie", "etat_depenses", "toutes"]
    operation_id: UUID | None = None
    plie_id: Code | None = None
    etat_no: Code | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a definition that names another thing than its ``portee``."""
        attendu = _CHAMP.get(self.portee)
        donnes = {champ for champ in _CHAMP.values() if getattr(self, champ) is not None}
        if donnes != ({attendu} if attendu else set()):
            demande = f"avec {attendu}, et lui seul" if attendu else "sans autre champ"
            raise ValueError(f"la portée « {self.portee} » se donne {demande}")


_CHAMP = {"operation": "operation_id", "plie": "plie_id", "etat_depenses": "etat_no"}


class FigerPopulation(Commande):
    """Freeze a population at a position of the log: the last one, when none is asked for."""

    definition: DefinitionSaisie
    montant: MontantAudite
    position: Annotated[int, Field(strict=True, ge=1)] | None = None


def figer(
    dossier: DossierAudit,
    commande: FigerPopulation,
    population_id: UUID,
    position: int,
    population: Sequence[Unite],
) -> list[PopulationFigee]:
    """Freeze what a reading of the log, up to a position, gave."""
    exiger_en_cours(dossier, "Figer une population", commande.date_effet)
    if not any(u.montant > 0 for u in population):
        raise PopulationVide(position=position)
    a_part = [u.montant for u in population if u.montant <= 0]
    return [
        PopulationFigee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            population_id=population_id,
            definition=DefinitionPopulation(**commande.definition.model_dump()),
            montant=commande.montant,
            position=position,
            nombre=len(population),
            total_centimes=sum(u.montant for u in population),
            a_part_nombre=len(a_part),
            a_part_centimes=sum(a_part),
            empreinte=empreinte(population),
        )
    ]


def population_de(dossier: DossierAudit, population_id: UUID) -> Population:
    """Return a population of the file. Raises: PopulationAbsente."""
    if population_id not in dossier.populations:
        raise PopulationAbsente(id=population_id)
    return dossier.populations[population_id]


def exiger_intacte(figee: Population, relue: Sequence[Unite]) -> None:
    """Refuse to draw from another list than the one that was frozen."""
    trouvee = empreinte(relue)
    if trouvee != figee.empreinte:
        raise PopulationAlteree(position=figee.position, figee=figee.empreinte, relue=trouvee)
