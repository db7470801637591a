"""Each sample as a document with which anybody draws it again: « oi-echantillon/1 ».

Two kinds: those of the auditors' working files (docs/tirages.md), and those of the controls of the
delivered service, drawn under `sha256-v1`. A document holds the whole population, the seed and
the parameters, what the draw gave, and the numbers of the events that sealed it; what it repeats of
them bears the same name and the same value.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from msgspec import to_builtins
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.audit.events import DossierAuditOuvert, EchantillonAuditTire, PopulationFigee
from aggregates.cadre import Cadre
from aggregates.convention.events import EchantillonTire
from aggregates.convention.state import CONVENTION
from oi_service.ids import convention_of
from projections.journal import EvenementLu, journal_de_l_audit, lire_flux
from projections.perimetre import Perimetre
from projections.populations import population
from projections.situation import Situation
from rules.tirages import (
    COLONNES,
    CONDITION_DE_L_EXTRAPOLATION,
    Unite,
    empreinte,
)

FORMAT = "oi-echantillon/1"


@dataclass(frozen=True, slots=True)
class Document:
    """A sample, as an archive keeps it."""

    id: UUID
    contenu: dict[str, Any]

    @property
    def chemin(self) -> str:
        """Where an archive keeps it."""
        return f"echantillons/{self.id}.json"


def documents_des_audits(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    jusqu_a: int | None = None,
    echantillon_id: UUID | None = None,
) -> Iterator[Document]:
    """Yield the samples of the auditors, or one of them, in the order of the log."""
    figees: dict[UUID, tuple[EvenementLu, PopulationFigee]] = {}
    cadres: dict[UUID, Cadre] = {}
    for lu in journal_de_l_audit(conn, perimetre, connu_le=jusqu_a):
        match fait := lu.fait:
            case PopulationFigee():
                figees[fait.population_id] = lu, fait
            case EchantillonAuditTire() if echantillon_id in {None, fait.echantillon_id}:
                origine, figee = figees[fait.population_id]
                yield _de_l_audit(conn, cadres[lu.stream_id], origine, figee, lu, fait)
            case DossierAuditOuvert():
                cadres[lu.stream_id] = fait.cadre
            case _:
                pass


def _de_l_audit(
    conn: Connection[TupleRow],
    cadre: Cadre,
    origine: EvenementLu,
    figee: PopulationFigee,
    lu: EvenementLu,
    tire: EchantillonAuditTire,
) -> Document:
    lignes = population(
        conn, cadre.subvention_globale_id, figee.definition, figee.montant, figee.position
    )
    demande = tire.parametres
    return Document(
        id=tire.echantillon_id,
        contenu=_contenu(
            tire.echantillon_id,
            methode=tire.methode,
            algorithme=tire.algorithme,
            graine=tire.graine,
            graine_origine=tire.graine_origine,
            rang=tire.rang,
            population_id=str(tire.population_id),
            definition=to_builtins(figee.definition),
            montant=figee.montant,
            position=figee.position,
            evenements={"population": origine.position, "tirage": lu.position},
            parametres={
                "taille": demande.taille,
                "critere": demande.critere,
                "bornes_centimes": list(demande.bornes_centimes),
                "repartition": demande.repartition,
                "selection": demande.selection,
            },
            lignes=lignes,
            tirage=[to_builtins(u) for u in tire.tirage],
        ),
    )


def documents_des_controles(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    *,
    jusqu_a: int | None = None,
    operations: Collection[UUID] | None = None,
) -> Iterator[Document]:
    """Yield the samples of the controls of the delivered service, in the order of the log."""
    conventions = None if operations is None else [convention_of(i) for i in operations]
    rows = conn.execute(
        """
        SELECT e.stream_id, e.position
        FROM oi.event AS e
        WHERE e.name = 'convention.echantillon_tire.v1'
            AND (%(jusqu_a)s::bigint IS NULL OR e.position <= %(jusqu_a)s)
            AND (%(conventions)s::uuid[] IS NULL OR e.stream_id = ANY(%(conventions)s))
        ORDER BY e.position
        """,
        {"jusqu_a": jusqu_a, "conventions": conventions},
    ).fetchall()
    for convention_id, position in rows:
        lus = lire_flux(conn, perimetre, [convention_id], Situation(connu_le=position))
        if convention_id in lus:
            yield _du_controle(conn, convention_id, lus[convention_id])


def _du_controle(
    conn: Connection[TupleRow], convention_id: UUID, lus: list[EvenementLu]
) -> Document:
    lu = lus[-1]
    tire = lu.fait
    convention = CONVENTION.replay(e.fait for e in lus)
    assert isinstance(tire, EchantillonTire)
    assert convention is not None
    bilan = convention.bilan_du_csf(tire.csf_id)
    assert bilan is not None
    rows = conn.execute(
        """
        SELECT d.id, d.montant_impute_centimes, d.operation_id, o.plie_id, d.poste
        FROM oi.depenses_au(
            %(operation)s, %(convention)s, %(connu_le)s, %(effet_au)s) AS d
        INNER JOIN projection.operation AS o ON d.operation_id = o.id
        WHERE d.id = ANY(%(depenses)s) AND d.poste = %(poste)s AND d.montant_impute_centimes > 0
        """,
        {
            "operation": convention.operation_id,
            "convention": convention_id,
            "depenses": list(bilan.depenses),
            "poste": tire.poste,
            **Situation(connu_le=lu.position).parametres,
        },
    )
    lignes = tuple(
        sorted(Unite(str(i), montant, str(o), plie, poste) for i, montant, o, plie, poste in rows)
    )
    return Document(
        id=lu.event_id,
        contenu=_contenu(
            lu.event_id,
            methode="service_fait",
            algorithme=tire.algorithme,
            graine=tire.graine,
            csf_id=str(tire.csf_id),
            poste=tire.poste,
            position=lu.position,
            evenements={"population": None, "tirage": lu.position},
            parametres={
                "taille": max(1, convention.parametres.echantillon_taille_min),
                "couverture_millioniemes": int(
                    convention.parametres.echantillon_couverture_min_pct * 10_000
                ),
                "critere": None,
                "bornes_centimes": [],
                "repartition": None,
                "selection": None,
            },
            lignes=lignes,
            tirage=[str(i) for i in tire.tirage],
        ),
    )


def _contenu(
    echantillon_id: UUID,
    *,
    lignes: tuple[Unite, ...],
    tirage: list[Any],
    **reste: Any,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "echantillon_id": str(echantillon_id),
        **reste,
        "empreinte": empreinte(lignes),
        "colonnes": list(COLONNES),
        "population": [[u.id, u.montant, u.operation, u.plie, u.poste] for u in lignes],
        "tirage": tirage,
        "condition": CONDITION_DE_L_EXTRAPOLATION,
    }
