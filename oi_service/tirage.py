"""`oi tirer`: a working file is opened, a population frozen, a sample drawn, by an auditor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import ValidationError

from aggregates.audit.dossier import OuvrirDossierAudit
from aggregates.audit.echantillons import TirerEchantillonAudit
from aggregates.audit.populations import FigerPopulation
from aggregates.commande import Commande
from api import actions_audit as actions
from api.errors import defauts
from oi_service.application import Acte, Service
from oi_service.clock import today
from oi_service.errors import Refusal
from oi_service.ids import new_id
from projections.audit import DossierAudite, EchantillonAudite, PopulationAuditee, dossier_audit
from projections.maquette import subventions
from projections.perimetre import OI_ENTIER
from projections.populations import population
from rules.tirages import liste_canonique

C = TypeVar("C", bound=Commande)


class PopulationADefinir(Refusal):
    """Une population est celle d’un dossier, d’un PLIE ou d’un état de dépenses : donnez-en un
    seul, ou aucun pour toutes les dépenses.
    """


class TirageMalDecrit(Refusal):
    """Le tirage est refusé : {defauts}."""


class SubventionADesigner(Refusal):
    """Cette base tient {nombre:subvention(s) globale(s)} : désignez la vôtre par son numéro."""


@dataclass(frozen=True, slots=True)
class Tire:
    """What was drawn; ``liste`` is the canonical list of the population."""

    dossier: DossierAudite
    population: PopulationAuditee
    echantillon: EchantillonAudite
    liste: str


def definir(
    *, operation_id: UUID | None, plie_id: str | None, etat_no: str | None
) -> dict[str, Any]:
    """Define a population by the only thing that is named, by everything when nothing is.

    Raises: PopulationADefinir.
    """
    nommes = {
        nom: valeur
        for nom, valeur in (
            ("operation_id", operation_id),
            ("plie_id", plie_id),
            ("etat_no", etat_no),
        )
        if valeur is not None
    }
    if len(nommes) > 1:
        raise PopulationADefinir
    portees = {"operation_id": "operation", "plie_id": "plie", "etat_no": "etat_depenses"}
    return {"portee": next((portees[nom] for nom in nommes), "toutes"), **nommes}


def tirer(
    service: Service,
    acteur: str,
    *,
    travail: UUID | None,
    subvention: str | None,
    ouverture: Mapping[str, Any],
    figee: UUID | None,
    definition: Mapping[str, Any],
    tirage: Mapping[str, Any],
) -> Tire:
    """Draw from a population that is frozen, or freeze it first; open the working file if need be.

    Each act that was accepted stays when the next one is refused.
    Raises: TirageMalDecrit, SubventionADesigner, and what the acts refuse.
    """
    ouvrir = _lire(OuvrirDossierAudit, ouverture) if travail is None else None
    figer = _lire(FigerPopulation, definition) if figee is None else None
    # Read before anything is recorded; what it draws from is named afterwards.
    demande = _lire(TirerEchantillonAudit, {**tirage, "population_id": figee or new_id()})
    dossier_id, population_id, echantillon_id = travail or new_id(), figee or new_id(), new_id()

    def executer(travailler: Any, *arguments: Any) -> None:
        acte = Acte(acteur, "auditeur")
        service.journal.execute(acte, lambda unit: travailler(unit, dossier_id, *arguments))

    if ouvrir is not None:
        with service.reads.connection() as conn:
            cible = _subvention(conn, subvention)
        executer(actions.ouvrir_dossier, ouvrir, cible)
    if figer is not None:
        executer(actions.figer_population, figer, population_id)
    demande = demande.model_copy(update={"population_id": population_id})
    executer(actions.tirer_echantillon, demande, echantillon_id)
    with service.reads.connection() as conn:
        dossier = dossier_audit(conn, OI_ENTIER, dossier_id)
        lue = dossier.population(population_id)
        liste = liste_canonique(
            population(
                conn, dossier.subvention_globale_id, lue.definition, lue.montant, lue.position
            )
        )
    return Tire(dossier, lue, dossier.echantillon(echantillon_id), liste)


def _lire(kind: type[C], saisie: Mapping[str, Any]) -> C:
    """Read a command as it was typed; what was not typed has its default."""
    donnes = {nom: valeur for nom, valeur in saisie.items() if valeur is not None}
    try:
        return kind(**{"date_effet": today().isoformat(), **donnes})
    except ValidationError as refuse:
        trouves = defauts([{**d, "loc": ("body", *d["loc"])} for d in refuse.errors()])
        dits = (f"{d.pointer} : {d.message}" for d in trouves)
        raise TirageMalDecrit(defauts=" ; ".join(dits)) from refuse


def _subvention(conn: Connection[TupleRow], numero: str | None) -> UUID:
    connues = subventions(conn, OI_ENTIER)
    voulues = [s.id for s in connues if numero in {None, s.numero}]
    if len(voulues) != 1:
        raise SubventionADesigner(nombre=len(connues))
    return voulues[0]
