"""Persons as a reader may see them: nothing is kept in clear, each is opened when it is asked for.

They have no past situation: what is no longer true of somebody is shown to nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.operation.state import OPERATION
from aggregates.personne.events import IDENTITE, Demandeur, Nature, PersonneEffacee
from aggregates.personne.state import PERSONNE, Personne, PersonneAbsente
from oi_service.personnes.coffre import CleAbsente, Coffre, DonneeIllisible
from projections.dossiers import exiger_operation
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre

#: Why the identity of a person is shown, or is not.
Acces = Literal["clair", "reserve", "effacee", "illisible"]


class Identite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a person; no trace shows it."""

    nom: str
    fonction: str | None = None
    courriel: str | None = None
    telephone: str | None = None
    reference: str | None = None

    def __repr__(self) -> str:
        return "Identite(…)"


@dataclass(frozen=True, slots=True)
class Effacement:
    """When and why a person was erased."""

    le: date
    demandeur: Demandeur
    motif: str | None
    malgre_conservation: bool


@dataclass(frozen=True, slots=True)
class PersonneLue:
    """A person. ``identite`` is there when ``acces`` says so."""

    id: UUID
    version: int
    nature: Nature
    enregistree_le: date
    operations: tuple[UUID, ...]
    effacement: Effacement | None
    acces: Acces
    identite: Identite | None


@dataclass(frozen=True, slots=True)
class PersonneDeLOperation:
    """A person that documents an operation; ``contact``: somebody to write to today."""

    personne: PersonneLue
    contact: bool


def personne(
    conn: Connection[TupleRow], perimetre: Perimetre, personne_id: UUID, coffre: Coffre | None
) -> PersonneLue:
    """Return a person; without the vault, what anybody may know of them.

    Raises: PersonneAbsente.
    """
    found = personnes(conn, perimetre, [personne_id], coffre)
    if not found:
        raise PersonneAbsente(id=personne_id)
    return found[0]


def personnes(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    ids: Iterable[UUID],
    coffre: Coffre | None,
) -> list[PersonneLue]:
    """Return the persons that the perimeter holds, in the order asked."""
    wanted = list(ids)
    flux = lire_flux(conn, perimetre, wanted)
    return [_lue(i, flux[i], coffre) for i in wanted if i in flux and _est_une(flux[i])]


def _est_une(flux: list[EvenementLu]) -> bool:
    return flux[0].name.startswith(f"{PERSONNE.name}.")


def _lue(personne_id: UUID, flux: list[EvenementLu], coffre: Coffre | None) -> PersonneLue:
    state = PERSONNE.replay(lu.fait for lu in flux)
    assert state is not None
    acces, identite = _ouvrir(state, coffre)
    return PersonneLue(
        id=personne_id,
        version=state.version,
        nature=state.nature,
        enregistree_le=flux[0].date_effet,
        operations=tuple(sorted(state.operations)),
        effacement=_effacement(flux),
        acces=acces,
        identite=identite,
    )


def _ouvrir(state: Personne, coffre: Coffre | None) -> tuple[Acces, Identite | None]:
    if state.effacee_le is not None:
        return "effacee", None
    if coffre is None:
        return "reserve", None
    try:
        clair = coffre.dechiffrer(state.identite, state.fait, IDENTITE)
    except (CleAbsente, DonneeIllisible):
        return "illisible", None
    return "clair", msgspec.json.decode(clair, type=Identite)


def _effacement(flux: list[EvenementLu]) -> Effacement | None:
    fait = flux[-1].fait
    if not isinstance(fait, PersonneEffacee):
        return None
    return Effacement(fait.date_effet, fait.demandeur, fait.motif, fait.malgre_conservation)


def personnes_de_l_operation(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, coffre: Coffre | None
) -> list[PersonneDeLOperation]:
    """Return who documents an operation: its contacts, past ones too, and its employees.

    Raises: OperationAbsente.
    """
    exiger_operation(conn, perimetre, operation_id)
    rows = conn.execute(
        """
        SELECT e.stream_id FROM oi.event AS e
        WHERE e.name = 'personne.rattachee.v1' AND e.data ->> 'operation_id' = %s
        ORDER BY e.position
        """,
        (str(operation_id),),
    ).fetchall()
    flux = lire_flux(conn, perimetre, [operation_id]).get(operation_id, [])
    operation = OPERATION.replay(lu.fait for lu in flux)
    contacts = {} if operation is None else operation.contacts
    return [
        PersonneDeLOperation(lue, lue.id in contacts)
        for lue in personnes(conn, perimetre, [row[0] for row in rows], coffre)
    ]


def toutes(
    conn: Connection[TupleRow], perimetre: Perimetre, coffre: Coffre | None
) -> list[PersonneLue]:
    """Return everybody, in the order in which they were recorded."""
    rows = conn.execute(
        "SELECT e.stream_id FROM oi.event AS e WHERE e.name = 'personne.enregistree.v1' "
        "ORDER BY e.position"
    ).fetchall()
    return personnes(conn, perimetre, [row[0] for row in rows], coffre)
