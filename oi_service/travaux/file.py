"""The queue of works, in the database, and the folder of their files."""

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from oi_service import clock
from oi_service.ids import new_id
from oi_service.recorder import Connections
from oi_service.travaux.nature import NATURES
from oi_service.travaux.travail import (
    VIVANTS,
    Etat,
    Fichier,
    FichierDeTravailAbsent,
    NatureDeTravailInconnue,
    Travail,
    TravailAbsent,
    TravailTermine,
    TravailVivant,
    TropDeTravaux,
)

#: Works that one account may have waiting or under way.
PAR_COMPTE = 5
#: How long a work is remembered.
MEMOIRE = timedelta(days=90)
#: One process at a time does the works; a demand looks at the queue of its account alone.
_VERROU, _VERROU_DEMANDE = 6_011_960, 6_011_961
_LOT = 2**20


@dataclass(frozen=True, slots=True)
class Purge:
    """What was dropped."""

    travaux: int
    fichiers: int


class Travaux:
    """Asks for works, reads them, keeps their files."""

    def __init__(self, pool: Connections, dossier: Path, garde: timedelta) -> None:
        """Keep files under ``dossier`` for the time of ``garde``."""
        self._pool = pool
        self._dossier = dossier
        self._garde = garde
        #: Set when there may be something to do.
        self.reveil = threading.Event()

    # --- For the doors ---------------------------------------------------------------------------

    def lancer(
        self,
        nature: str,
        demande: Mapping[str, Any],
        identifiant: str,
        role: str,
        plies: frozenset[str] | None = None,
        *,
        reprend: UUID | None = None,
    ) -> UUID:
        """Ask for a work; the same demand, still waiting or under way, is that one.

        Raises: NatureDeTravailInconnue, TropDeTravaux.
        """
        if nature not in NATURES:
            raise NatureDeTravailInconnue(nature=nature)
        territoire = None if plies is None else sorted(plies)
        with self._pool.connection() as conn, conn.transaction():
            conn.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))",
                (_VERROU_DEMANDE, identifiant),
            )
            vivants = conn.execute(
                """
                SELECT t.id, t.nature = %(nature)s AND t.demande = %(demande)s
                    AND t.role = %(role)s AND t.plies IS NOT DISTINCT FROM %(plies)s
                    AND NOT t.a_annuler
                FROM travaux.travail AS t
                WHERE t.identifiant = %(identifiant)s AND t.etat = ANY(%(vivants)s)
                """,
                {
                    "nature": nature,
                    "demande": Jsonb(dict(demande)),
                    "role": role,
                    "plies": territoire,
                    "identifiant": identifiant,
                    "vivants": list(VIVANTS),
                },
            ).fetchall()
            deja = next((row[0] for row in vivants if row[1]), None)
            if deja is not None:
                return UUID(str(deja))
            if len(vivants) >= PAR_COMPTE:
                raise TropDeTravaux(nombre=len(vivants))
            travail_id = new_id()
            conn.execute(
                """
                INSERT INTO travaux.travail
                    (id, nature, demande, identifiant, role, plies, reprend, demande_le)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                (
                    travail_id,
                    nature,
                    Jsonb(dict(demande)),
                    identifiant,
                    role,
                    territoire,
                    reprend,
                    clock.now(),
                ),
            )
        self.reveil.set()
        return travail_id

    def lire(self, travail_id: UUID) -> Travail:
        """Read a work; who may read it is asked elsewhere.

        Raises: TravailAbsent.
        """
        with self._pool.connection() as conn:
            found = _lire(conn, "WHERE t.id = %(id)s", id=travail_id)
        if not found:
            raise TravailAbsent
        return found[0]

    def lister(
        self, identifiant: str, *, nature: str | None = None, limite: int = 100
    ) -> list[Travail]:
        """Return the works of an account, the last ones first."""
        with self._pool.connection() as conn:
            return _lire(
                conn,
                "WHERE t.identifiant = %(identifiant)s "
                "AND (%(nature)s::text IS NULL OR t.nature = %(nature)s) "
                "ORDER BY t.demande_le DESC LIMIT %(limite)s",
                identifiant=identifiant,
                nature=nature,
                limite=limite,
            )

    def annuler(self, travail_id: UUID) -> None:
        """Ask a work to stop: at once if it waits, at its next step if it is under way.

        Raises: TravailTermine.
        """
        with self._pool.connection() as conn:
            row = conn.execute(
                """
                UPDATE travaux.travail SET a_annuler = true,
                    etat = CASE etat WHEN 'attend' THEN 'annule' ELSE etat END,
                    fini_le = CASE etat WHEN 'attend' THEN %(instant)s END
                WHERE id = %(id)s AND etat = ANY(%(vivants)s)
                RETURNING 1
                """,
                {"id": travail_id, "instant": clock.now(), "vivants": list(VIVANTS)},
            ).fetchone()
        if row is None:
            raise TravailTermine

    def relancer(
        self, travail: Travail, identifiant: str, role: str, plies: frozenset[str] | None
    ) -> UUID:
        """Ask again for what a work that is over was asked.

        Raises: TravailVivant, NatureDeTravailInconnue, TropDeTravaux.
        """
        if travail.vivant:
            raise TravailVivant
        return self.lancer(
            travail.nature, travail.demande, identifiant, role, plies, reprend=travail.id
        )

    def chemin(self, travail: Travail, nom: str) -> Path:
        """Return where a file of a work is.

        Raises: FichierDeTravailAbsent.
        """
        chemin = self._dossier / str(travail.id) / travail.fichier(nom).nom
        if not chemin.is_file():
            raise FichierDeTravailAbsent
        return chemin

    def purger(self) -> Purge:
        """Drop the files that were kept long enough, then the works themselves."""
        instant = clock.now()
        with self._pool.connection() as conn:
            rows = conn.execute(
                "UPDATE travaux.travail SET fichiers = '[]', fichiers_jusqu_au = NULL "
                "WHERE fichiers_jusqu_au < %s RETURNING id",
                (instant,),
            ).fetchall()
            travaux = conn.execute(
                "DELETE FROM travaux.travail WHERE fini_le < %s", (instant - MEMOIRE,)
            ).rowcount
            gardes = {
                str(row[0])
                for row in conn.execute(
                    "SELECT id FROM travaux.travail "
                    "WHERE fichiers_jusqu_au IS NOT NULL OR etat = ANY(%s)",
                    (list(VIVANTS),),
                )
            }
        if self._dossier.is_dir():
            for dossier in self._dossier.iterdir():
                if dossier.name not in gardes:
                    shutil.rmtree(dossier, ignore_errors=True)
        return Purge(travaux, len(rows))

    # --- For the worker --------------------------------------------------------------------------

    @contextmanager
    def seul(self) -> Iterator[bool]:
        """Tell whether this process does the works, and keep the others away meanwhile."""
        with self._pool.connection() as conn:
            found = conn.execute("SELECT pg_try_advisory_lock(%s)", (_VERROU,)).fetchone()
            tenu = found == (True,)
            try:
                yield tenu
            finally:
                if tenu:
                    conn.execute("SELECT pg_advisory_unlock(%s)", (_VERROU,))

    def constater_coupures(self) -> int:
        """Say cut what nobody does any more; return how many."""
        with self._pool.connection() as conn:
            rows = conn.execute(
                "UPDATE travaux.travail SET etat = 'interrompu', fini_le = %s "
                "WHERE etat = 'en_cours' RETURNING id",
                (clock.now(),),
            ).fetchall()
        for (travail_id,) in rows:
            self.oublier(travail_id)
        return len(rows)

    def prendre(self) -> Travail | None:
        """Take the work that has waited longest; ``None`` when none waits."""
        with self._pool.connection() as conn:
            row = conn.execute(
                """
                UPDATE travaux.travail SET etat = 'en_cours', commence_le = %s
                WHERE id = (
                    SELECT t.id FROM travaux.travail AS t WHERE t.etat = 'attend'
                    ORDER BY t.demande_le LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id
                """,
                (clock.now(),),
            ).fetchone()
        return None if row is None else self.lire(row[0])

    def noter(self, travail_id: UUID, fait: int, total: int, phrase: str) -> bool:
        """Keep how far a work is; return whether somebody asked it to stop."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "UPDATE travaux.travail SET fait = %s, total = %s, phrase = %s "
                "WHERE id = %s RETURNING a_annuler",
                (fait, total, phrase, travail_id),
            ).fetchone()
        return row is not None and bool(row[0])

    def finir(
        self, travail_id: UUID, phrase: str, resultat: dict[str, Any], medias: Mapping[str, str]
    ) -> None:
        """Keep what a work made."""
        dossier = self._dossier / str(travail_id)
        fichiers = [_decrire(dossier / nom, media) for nom, media in medias.items()]
        maintenant = clock.now()
        self._conclure(
            travail_id,
            "fini",
            phrase,
            resultat=Jsonb(resultat),
            fichiers=Jsonb([asdict(f) for f in fichiers]),
            jusqu_au=maintenant + self._garde if fichiers else None,
        )

    def cesser(self, travail_id: UUID, etat: Etat, phrase: str) -> None:
        """Say that a work ended without its result, and forget what it had begun to write."""
        self.oublier(travail_id)
        self._conclure(travail_id, etat, phrase)

    def dossier_de(self, travail_id: UUID) -> Path:
        """Return where a work puts its files."""
        return self._dossier / str(travail_id)

    def oublier(self, travail_id: UUID) -> None:
        """Drop the files of a work."""
        shutil.rmtree(self.dossier_de(travail_id), ignore_errors=True)

    def _conclure(
        self,
        travail_id: UUID,
        etat: Etat,
        phrase: str,
        *,
        resultat: Jsonb | None = None,
        fichiers: Jsonb | None = None,
        jusqu_au: Any = None,
    ) -> None:
        with self._pool.connection() as conn:
            conn.execute(
                """
                UPDATE travaux.travail SET etat = %s, phrase = %s, resultat = %s,
                    fichiers = coalesce(%s, '[]'::jsonb), fichiers_jusqu_au = %s, fini_le = %s
                WHERE id = %s
                """,
                (etat, phrase, resultat, fichiers, jusqu_au, clock.now(), travail_id),
            )


def _decrire(chemin: Path, media: str) -> Fichier:
    empreinte, octets = hashlib.sha256(), 0
    with chemin.open("rb") as fichier:
        while lot := fichier.read(_LOT):
            empreinte.update(lot)
            octets += len(lot)
    return Fichier(chemin.name, media, octets, empreinte.hexdigest())


_TRAVAUX: LiteralString = """
    SELECT t.id, t.nature, t.demande, t.identifiant, t.role, t.plies, t.etat, t.fait, t.total,
        t.phrase, t.resultat, t.fichiers, t.fichiers_jusqu_au, t.a_annuler, t.reprend, t.demande_le,
        t.commence_le, t.fini_le
    FROM travaux.travail AS t
    """


def _lire(conn: Connection[TupleRow], suite: LiteralString, **parametres: Any) -> list[Travail]:
    rows = (
        conn.cursor(row_factory=dict_row)
        .execute(
            sql.SQL(_TRAVAUX + suite),
            parametres,
        )
        .fetchall()
    )
    return [
        Travail(
            **{
                **row,
                "plies": None if row["plies"] is None else frozenset(row["plies"]),
                "fichiers": tuple(Fichier(**f) for f in row["fichiers"]),
            }
        )
        for row in rows
    ]
