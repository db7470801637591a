"""`oi verifier`: the books against their invariants, the ledger against the aggregates.

Two computations that share no code must agree: the movements, posted in SQL, and the states of the
aggregates, folded in Python from the same events.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.audit.state import AUDIT
from aggregates.cadre import Cellule, LigneMaquette
from aggregates.compte.state import COMPTE
from aggregates.contrepartie.state import CONTREPARTIE, Contrepartie
from aggregates.controle_operation.state import CONTROLE_OPERATION, ControleOperation
from aggregates.convention.events import CsfValide
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.state import DEPENSE
from aggregates.lot.state import LOT, Lot
from aggregates.operation.state import OPERATION, Operation
from aggregates.personne.state import PERSONNE
from aggregates.registre.events import JournalAncre, LivresVerifies, PointVerifie
from aggregates.registre.state import REGISTRE, REGISTRE_ID
from aggregates.reprise.state import REPRISE, Reprise
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE, SubventionGlobale
from oi_service import clock
from oi_service.aggregate import Aggregate
from oi_service.application import Acte, Service, Unit
from oi_service.codec import REGISTRY
from oi_service.errors import french_euros
from oi_service.preuve.examen import examiner
from oi_service.preuve.journal import Examen
from projections.instantane import instantane
from projections.rebuild import rebuild
from projections.recalcul import sous
from projections.verification import INVARIANTS, Controle, violations

#: Every kind of stream, by the prefix of its events.
AGGREGATES: dict[str, Aggregate[Any]] = {
    aggregate.name: aggregate
    for aggregate in (
        SUBVENTION_GLOBALE,
        APPEL_A_PROJETS,
        AUDIT,
        OPERATION,
        CONVENTION,
        DEPENSE,
        CONTREPARTIE,
        PERSONNE,
        CONTROLE_OPERATION,
        REPRISE,
        LOT,
        REGISTRE,
        COMPTE,
    )
}


#: What a night writes of itself, and the next one has not to check.
_NUITS = [REGISTRY.names[note] for note in (LivresVerifies, JournalAncre)]


def verifier(conninfo: str) -> Iterator[Controle]:
    """Check everything; run as the owner, who may compute the projections beside."""
    with psycopg.connect(conninfo, autocommit=True) as conn:
        yield from verifier_livres(conn)
    yield verifier_projections(conninfo)


def verifier_projections(conninfo: str) -> Controle:
    """Compare what is shown with what the log gives when it is played again. Run as the owner."""
    return Controle(
        "P1",
        "Les projections sont celles que le journal donne quand on le rejoue",
        [
            f"projection {e.projection} : {e.affiche or 'rien'} affiché, "
            f"{e.recalcule or 'rien'} recalculé"
            for e in rebuild(conninfo, replace=False).ecarts
        ],
    )


def verifier_livres(conn: psycopg.Connection[Any]) -> Iterator[Controle]:
    """Check all that a reader can check, on one moment of the log, while others write."""
    with instantane(conn):
        for invariant, found in violations(conn):
            yield Controle(invariant.code, invariant.enonce, [str(v) for v in found])
        yield from _rejouer(conn)
        yield _recalculer(conn)


#: Told, as the work goes: what is done, out of how much, and what it is.
Progres = Callable[[int, int, str], None]
#: Points that `verifier_livres` adds to the invariants.
_REJEUX = 3
_SCEAUX = "Les sceaux : chaque événement est recalculé"


@dataclass(frozen=True, slots=True)
class Verifiee:
    """What a verification of everything found; ``nouveau``: facts came since the last one noted."""

    jusqua_position: int
    nouveau: bool
    controles: tuple[Controle, ...]
    examen: Examen
    duree_ms: int

    @property
    def intacte(self) -> bool:
        """Tell whether everything holds."""
        return not any(c.ecarts for c in self.controles)


def noter_verification(service: Service) -> LivresVerifies | None:
    """Check the books and the seals, and note the result; ``None`` when nothing is new since."""
    with service.reads.connection() as conn:
        _, nouveau = _tete(service, conn)
    return noter(service, verifier_le_tout(service)) if nouveau else None


def verifier_le_tout(
    service: Service, dire: Progres = lambda _fait, _total, _phrase: None
) -> Verifiee:
    """Check the books, then the seals, the anchors and the documents, telling how far it is."""
    started = time.monotonic()
    with service.reads.connection() as conn, instantane(conn):
        position, nouveau = _tete(service, conn)
        livres: list[Controle] = []
        total = len(INVARIANTS) + _REJEUX
        for controle in verifier_livres(conn):
            livres.append(controle)
            dire(len(livres), total, f"Les livres : {controle.enonce}")
    preuve = examiner(service, progres=lambda fait, total: dire(fait, total, _SCEAUX))
    return Verifiee(
        jusqua_position=position,
        nouveau=nouveau,
        controles=(*livres, *preuve.controles),
        examen=preuve.examen,
        duree_ms=round((time.monotonic() - started) * 1000),
    )


def noter(service: Service, verifiee: Verifiee) -> LivresVerifies:
    """Note in the log what a verification found."""
    fait = LivresVerifies(
        date_effet=clock.today(),
        jusqua_position=verifiee.jusqua_position,
        points=tuple(PointVerifie(code=c.code, ecarts=len(c.ecarts)) for c in verifiee.controles),
        duree_ms=verifiee.duree_ms,
        version_code=version("oi-service"),
    )
    service.journal.execute(
        Acte("systeme", "systeme"), lambda unit: unit.record(REGISTRE, REGISTRE_ID, [fait])
    )
    return fait


def _tete(service: Service, conn: psycopg.Connection[Any]) -> tuple[int, bool]:
    """Return the last position, and whether facts came since the last verification noted."""
    unit = Unit(service.journal, Acte("systeme", "systeme"))
    known = unit.find(REGISTRE, REGISTRE_ID)
    row = conn.execute(
        """
        SELECT h.position, EXISTS (
            SELECT FROM oi.event AS e WHERE e.position > %s AND e.name <> ALL(%s))
        FROM oi.head AS h
        """,
        (0 if known is None else known.verifie_jusqua, _NUITS),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _rejouer(conn: psycopg.Connection[Any]) -> Iterator[Controle]:
    """Fold every stream, then compare each state with what the projections show."""
    lisible = Controle("R1", "Chaque événement se relit et chaque flux se rejoue")
    accord = Controle("R2", "Les agrégats rejoués et le grand livre donnent les mêmes montants")
    ledger, repris = _ledger(conn), _repris(conn)
    for stream_id, state in _states(conn, lisible):
        match state:
            case Operation():
                shown = ledger.get(stream_id, {})
                _compare(accord, state.numero_mdfse, shown, _of_operation(state))
            case Convention():
                shown = ledger.get(state.operation_id, {})
                _compare(accord, f"convention {state.numero}", shown, _of_convention(state))
            case SubventionGlobale():
                _compare(accord, state.numero, _guards(conn, stream_id), _of_subvention(state))
            case Contrepartie():
                shown = _contrepartie(conn, stream_id)
                held = {"percu": state.percu, "affecte": state.affecte}
                _compare(accord, f"contrepartie {stream_id}", shown, held)
            case Reprise():
                shown = repris.get(stream_id, {})
                _compare(accord, f"reprise {stream_id}", shown, _of_reprise(state))
            case Lot():
                _compare(accord, f"lot {stream_id}", _lot(conn, stream_id), _of_lot(state))
            case ControleOperation():
                shown = _controle_operation(conn, stream_id)
                _compare(accord, f"contrôle {state.reference}", shown, _of_controle(state))
            case _:
                pass
    yield lisible
    yield accord


def _recalculer(conn: psycopg.Connection[Any]) -> Controle:
    """Compute every validated control again, under the rules that it says it applied."""
    controle = Controle(
        "R3", "Chaque contrôle validé se recalcule au centime sous les règles de son époque"
    )
    with conn.transaction(), conn.cursor(name="controles") as cursor:
        cursor.execute(
            "SELECT position, name, data::text, date_effet::text, motif, pieces::text "
            "FROM oi.event WHERE name = 'convention.csf_valide.v1' ORDER BY position"
        )
        for position, *stored in cursor:
            fact = REGISTRY.decode(*stored)
            assert isinstance(fact, CsfValide)
            controle.ecarts.extend(
                f"événement n° {position}, {d.chiffre} : {french_euros(d.enregistre)} enregistrés, "
                f"{french_euros(d.recalcule)} recalculés"
                for d in sous(fact, fact.version_regles).differences
            )
    return controle


def _states(conn: psycopg.Connection[Any], lisible: Controle) -> Iterator[tuple[UUID, Any]]:
    """Fold the streams one after the other, without holding the log in memory."""
    with conn.transaction(), conn.cursor(name="journal") as cursor:
        cursor.itersize = 2000
        cursor.execute(
            "SELECT stream_id, position, name, data::text, date_effet::text, motif, pieces::text "
            "FROM oi.event ORDER BY stream_id, version"
        )
        current: UUID | None = None
        state: Any = None
        for stream_id, position, name, data, date_effet, motif, pieces in cursor:
            if stream_id != current:
                if current is not None:
                    yield current, state
                current, state = stream_id, None
            try:
                fact = REGISTRY.decode(name, data, date_effet, motif, pieces)
                state = AGGREGATES[name.partition(".")[0]].evolve(state, fact)
            except Exception as unreadable:  # noqa: BLE001 - whatever it is, it is what we look for
                lisible.ecarts.append(f"événement n° {position} ({name}) : {unreadable}")
        if current is not None:
            yield current, state


def _ledger(conn: psycopg.Connection[Any]) -> dict[UUID, dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT o.statut, m.* FROM projection.operation AS o "
            "LEFT JOIN oi.montants(9223372036854775807, 'infinity') AS m ON o.id = m.operation_id"
        ).fetchall()
    return {row["operation_id"]: row for row in rows if row["operation_id"] is not None}


def _of_operation(state: Operation) -> dict[str, Any]:
    return {
        "statut": state.statut,
        "fse_programme": state.fse_programme,
        "ct_programme": state.cout_total_programme,
    }


def _of_convention(state: Convention) -> dict[str, Any]:
    in_force = state.notifiee_le is not None
    return {
        "fse_conventionne": state.fse_max if in_force else 0,
        "ct_conventionne": state.cout_total_eligible if in_force else 0,
        "fse_declare": state.fse_declare,
        "ct_declare": state.cout_total_declare,
        "fse_retenu_csf": state.fse_du,
        "ct_retenu_csf": state.cout_total_retenu,
        "fse_transmis": state.fse_transmis,
        "fse_certifie": state.fse_certifie,
        "fse_paye": state.paye,
        "fse_irrecouvrable": state.perdu,
    }


def _of_subvention(state: SubventionGlobale) -> dict[str, Any]:
    return {
        f"{what} {cellule.libelle}": amount
        for what, amounts in (("alloué", state.alloue), ("programmé", state.programme))
        for cellule, amount in amounts.items()
    }


def _guards(conn: psycopg.Connection[Any], subvention_id: UUID) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    rows = conn.execute(
        "SELECT annee, axe, objectif_specifique, dispositif, plie_id, alloue_centimes, "
        "programme_centimes FROM projection.enveloppe WHERE sg_id = %s",
        (subvention_id,),
    )
    for annee, axe, objectif, dispositif, plie_id, alloue, programme in rows:
        ligne = LigneMaquette(
            annee=annee, axe=axe, objectif_specifique=objectif, dispositif=dispositif
        )
        cellule = Cellule(ligne=ligne, plie_id=plie_id)
        shown[f"alloué {cellule.libelle}"] = alloue
        shown[f"programmé {cellule.libelle}"] = programme
    return shown


def _contrepartie(conn: psycopg.Connection[Any], contrepartie_id: UUID) -> dict[str, Any]:
    row = conn.execute(
        "SELECT percu_centimes, affecte_centimes FROM projection.contrepartie WHERE id = %s",
        (contrepartie_id,),
    ).fetchone()
    return {} if row is None else {"percu": row[0], "affecte": row[1]}


def _repris(conn: psycopg.Connection[Any]) -> dict[UUID, dict[str, Any]]:
    """Return what the ledger and the list say of each operation taken over."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            """
            SELECT e.stream_id, r.annulee_le, r.ct_centimes, r.fse_centimes,
                coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'ct_repris'), 0) AS ct_repris,
                coalesce(sum(m.centimes) FILTER (WHERE m.mesure = 'fse_repris'), 0) AS fse_repris
            FROM oi.event AS e
            LEFT JOIN projection.reprise AS r ON r.id = e.stream_id
            LEFT JOIN projection.mouvement AS m ON m.position = e.position
            WHERE e.name LIKE 'reprise.%'
            GROUP BY e.stream_id, r.annulee_le, r.ct_centimes, r.fse_centimes
            """
        ).fetchall()
    return {row["stream_id"]: row for row in rows}


def _of_reprise(state: Reprise) -> dict[str, Any]:
    compte = state.annulee_le is None
    return {
        "annulee_le": state.annulee_le,
        "ct_centimes": state.cout_total_eligible,
        "fse_centimes": state.fse,
        "ct_repris": state.cout_total_eligible if compte else 0,
        "fse_repris": state.fse if compte else 0,
    }


def _lot(conn: psycopg.Connection[Any], lot_id: UUID) -> dict[str, Any]:
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            """
            SELECT l.total_centimes, l.annule_le, x.lignes, x.somme
            FROM projection.lot AS l
            CROSS JOIN LATERAL (
                SELECT count(*) AS lignes, coalesce(sum(y.montant_centimes), 0) AS somme
                FROM projection.lot_ligne AS y WHERE y.lot_id = l.id
            ) AS x
            WHERE l.id = %s
            """,
            (lot_id,),
        ).fetchone()
    return row or {}


def _of_lot(state: Lot) -> dict[str, Any]:
    return {
        "total_centimes": state.total,
        "annule_le": state.annule_le,
        "lignes": len(state.lignes),
        "somme": sum(ligne.montant_centimes for ligne in state.lignes),
    }


def _controle_operation(conn: psycopg.Connection[Any], controle_id: UUID) -> dict[str, Any]:
    """Return what is shown of an audit of operations."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            """
            SELECT c.statut, c.resultat, c.date_limite_reponse, k.*, s.*, p.controle
            FROM projection.controle_operation AS c
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(x.ct_propose_centimes), 0) AS ct_propose,
                    coalesce(sum(x.fse_propose_centimes), 0) AS fse_propose,
                    coalesce(sum(x.ct_retenu_centimes), 0) AS ct_retenu,
                    coalesce(sum(x.fse_retenu_centimes), 0) AS fse_retenu
                FROM projection.controle_constat AS x WHERE x.controle_id = c.id
            ) AS k
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE x.statut = 'a_faire') AS a_faire,
                    count(*) FILTER (WHERE x.statut = 'executee') AS executees,
                    min(x.echeance) FILTER (WHERE x.statut = 'a_faire') AS echeance
                FROM projection.controle_suite AS x WHERE x.controle_id = c.id
            ) AS s
            CROSS JOIN LATERAL (
                SELECT sum(x.ct_controle_centimes) AS controle
                FROM projection.controle_perimetre AS x WHERE x.controle_id = c.id
            ) AS p
            WHERE c.id = %s
            """,
            (controle_id,),
        ).fetchone()
    return row or {}


def _of_controle(state: ControleOperation) -> dict[str, Any]:
    constats, suites = state.constats.values(), state.suites.values()
    a_faire = [s for s in suites if s.statut == "a_faire"]
    return {
        "statut": state.statut,
        "resultat": state.resultat,
        "date_limite_reponse": state.date_limite_reponse,
        "controle": state.cout_total_controle,
        "ct_propose": sum(c.cout_total_propose for c in constats),
        "fse_propose": sum(c.fse_propose for c in constats),
        "ct_retenu": sum(c.cout_total_retenu for c in constats),
        "fse_retenu": sum(c.fse_retenu for c in constats),
        "a_faire": len(a_faire),
        "executees": sum(s.statut == "executee" for s in suites),
        "echeance": min((s.echeance for s in a_faire), default=None),
    }


def _compare(controle: Controle, sujet: str, shown: dict[str, Any], folded: dict[str, Any]) -> None:
    for what, expected in folded.items():
        if shown.get(what) != expected:
            controle.ecarts.append(
                f"{sujet}, {what} : {shown.get(what)} affiché, {expected} rejoué"
            )
