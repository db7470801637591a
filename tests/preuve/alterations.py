"""The tamper matrix: everything that somebody with full control of the database could alter.

``python tests/preuve/alterations.py`` plays it on a demonstration of its own and prints the table.

Each alteration is made as the database's superuser, triggers disabled, in a transaction that is
undone: the log examined is that of the same connection.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection, sql
from rich.console import Console
from rich.table import Table

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.database import ensure_database, migrate
from oi_service.demo.vie import jouer
from oi_service.lieux import Lieux
from oi_service.postgres import embedded_server
from oi_service.preuve.arbre import Arbre
from oi_service.preuve.forme import ENREGISTREMENT
from oi_service.preuve.journal import Examen, verifier_journal
from oi_service.preuve.point import Point, origine_de
from projections.pieces import pieces_nommees, verifier_pieces
from projections.rebuild import rebuild, tables

Geste = Callable[[Connection[Any]], int | None]
"""Alters; returns the first record that is then bad, ``None`` when the alteration has none."""


class SansObjet(Exception):
    """There is nothing to alter so: every row holds the same value."""


@dataclass(frozen=True)
class Alteration:
    """``par_ancre_seule``: the log is consistent with itself; only a point kept outside tells."""

    table: str
    colonne: str
    operation: str
    geste: Geste
    par_ancre_seule: bool = False

    @property
    def nom(self) -> str:
        return f"{self.table}.{self.colonne} {self.operation}"


#: What makes another value of a column, by its type.
AUTREMENT = {
    "bigint": "coalesce({c}, 0) + 100000",
    "integer": "coalesce({c}, 0) + 100000",
    "smallint": "(coalesce({c}, 0) + 1)::smallint",
    "uuid": "gen_random_uuid()",
    "text": "coalesce({c}, '') || 'x'",
    "jsonb": "CASE jsonb_typeof({c}) WHEN 'array' THEN {c} || '[1]' ELSE {c} || '{{\"x\": 1}}' END",
    "date": "coalesce({c}, DATE '2020-01-01') + 1",
    "timestamp with time zone": "CASE WHEN isfinite({c}) THEN {c} + interval '1 second' "
    "ELSE clock_timestamp() END",
    "bytea": "sha256(coalesce({c}, ''))",
    "boolean": "{c} IS NOT TRUE",
    "ARRAY": "array_append({c}, NULL)",
}


def types(conn: Connection[Any], schema: str, table: str) -> dict[str, str]:
    """Return the type of each column of a table, in their order."""
    rows = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (schema, table),
    )
    return dict(rows.fetchall())


def desarmer(conn: Connection[Any]) -> None:
    """Take away, as a superuser can, what refuses to alter the log."""
    conn.execute("SET LOCAL session_replication_role = replica")
    contraintes = conn.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint "
        "WHERE conrelid IN ('oi.event'::regclass, 'oi.command'::regclass) AND contype <> 'n'"
    ).fetchall()
    for table, contrainte in contraintes:
        conn.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(
                sql.SQL(table), sql.Identifier(contrainte)
            )
        )


def tete(conn: Connection[Any]) -> int:
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def modifier(conn: Connection[Any], colonne: str, genre: str, debut: int, fin: int) -> None:
    """Give a column of some events another value."""
    conn.execute(
        sql.SQL("UPDATE oi.event SET {c} = {valeur} WHERE position BETWEEN %s AND %s").format(
            c=sql.Identifier(colonne),
            valeur=sql.SQL(AUTREMENT[genre].format(c=colonne)),
        ),
        (debut, fin),
    )


def une_commande(conn: Connection[Any], au_moins: int = 1) -> tuple[int, int]:
    """Return the positions of a command of the second half of the log, of so many events."""
    row = conn.execute(
        "SELECT first_position, last_position FROM oi.command WHERE first_position > %s "
        "AND last_position - first_position + 1 >= %s ORDER BY first_position LIMIT 1",
        (mi_chemin(conn), au_moins),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def resceller(conn: Connection[Any], depuis: int) -> None:
    """Seal again what follows, and the head: what somebody with full control would do."""
    conn.execute(
        f"""
        UPDATE oi.event AS c SET seal = s.seal FROM (
            SELECT e.position, oi.seal_chain({ENREGISTREMENT}, coalesce(
                (SELECT a.seal FROM oi.event AS a WHERE a.position = %(depuis)s - 1),
                decode(repeat('00', 32), 'hex'))) OVER (ORDER BY e.position) AS seal
            FROM oi.event AS e WHERE e.position >= %(depuis)s
        ) AS s WHERE c.position = s.position
        """,  # noqa: S608 - our own columns
        {"depuis": depuis},
    )
    conn.execute(
        "UPDATE oi.head AS h SET (position, enregistre_le, seal) = "
        "(SELECT e.position, e.enregistre_le, e.seal FROM oi.event AS e "
        "ORDER BY e.position DESC LIMIT 1)"
    )
    conn.execute("DELETE FROM oi.command")
    conn.execute(
        "INSERT INTO oi.command SELECT command_id, coalesce(min(fingerprint), ''), min(acteur), "
        "min(position), max(position), min(enregistre_le) FROM oi.event GROUP BY command_id"
    )


def _editer(colonne: str, genre: str) -> Geste:
    def geste(conn: Connection[Any]) -> int | None:
        position = tete(conn) // 3
        modifier(conn, colonne, genre, position, position)
        return position

    return geste


def _echanger(colonne: str) -> Geste:
    def geste(conn: Connection[Any]) -> int | None:
        c = sql.Identifier(colonne)
        row = conn.execute(
            sql.SQL(
                "SELECT a.position, b.position FROM oi.event AS a, oi.event AS b "
                "WHERE a.position < b.position AND a.{c} IS DISTINCT FROM b.{c} "
                "ORDER BY abs(a.position - %s), b.position DESC LIMIT 1"
            ).format(c=c),
            (tete(conn) // 3,),
        ).fetchone()
        if row is None:
            raise SansObjet
        conn.execute(
            sql.SQL(
                "UPDATE oi.event AS e SET {c} = autre.{c} FROM oi.event AS autre "
                "WHERE (e.position, autre.position) IN ((%(a)s, %(b)s), (%(b)s, %(a)s))"
            ).format(c=c),
            {"a": row[0], "b": row[1]},
        )
        return int(row[0])

    return geste


def _recrire(colonne: str, genre: str) -> Geste:
    def geste(conn: Connection[Any]) -> int | None:
        debut, fin = une_commande(conn)
        if colonne == "position":
            # A place changes for another one only: two events of one command.
            debut, _ = une_commande(conn, au_moins=2)
            _intervertir(conn, debut, debut + 1)
        else:
            modifier(conn, colonne, genre, debut, debut if colonne == "event_id" else fin)
        resceller(conn, debut)
        return mi_chemin(conn) + 1

    return geste


def mi_chemin(conn: Connection[Any]) -> int:
    """Return the size at which the first of the two points was signed."""
    row = conn.execute("SELECT taille FROM mi_chemin").fetchone()
    assert row is not None
    return int(row[0])


def _supprimer(choisir: Callable[[int], int]) -> Geste:
    def geste(conn: Connection[Any]) -> int | None:
        position = choisir(tete(conn))
        conn.execute("DELETE FROM oi.event WHERE position = %s", (position,))
        return position

    return geste


def _supprimer_et_decaler(conn: Connection[Any]) -> int:
    """Delete, and close the gap: without sealing again."""
    position = tete(conn) // 3
    conn.execute("DELETE FROM oi.event WHERE position = %s", (position,))
    conn.execute("UPDATE oi.event SET position = position - 1 WHERE position > %s", (position,))
    conn.execute("UPDATE oi.head SET position = position - 1")
    return position


def _inserer(conn: Connection[Any]) -> int:
    """Make room in the middle, and put there a copy of another event."""
    position = tete(conn) // 3
    conn.execute("UPDATE oi.event SET position = position + 1 WHERE position >= %s", (position,))
    conn.execute("UPDATE oi.head SET position = position + 1")
    _copier(conn, position - 1, position)
    return position


def _ajouter(conn: Connection[Any]) -> int:
    """Put a copy of an event after the last one, and move the head."""
    position = tete(conn) + 1
    conn.execute("UPDATE oi.head SET position = %s", (position,))
    _copier(conn, position - 1, position)
    return position


def _doubler(conn: Connection[Any]) -> int:
    """Put a copy of an event at its own place."""
    position = tete(conn) // 3
    _copier(conn, position, position)
    return position


def _copier(conn: Connection[Any], modele: int, place: int) -> None:
    conn.execute(
        "CREATE TEMPORARY TABLE copie AS SELECT * FROM oi.event WHERE position = %s", (modele,)
    )
    conn.execute("UPDATE copie SET position = %s, event_id = gen_random_uuid()", (place,))
    conn.execute("INSERT INTO oi.event SELECT * FROM copie")


def _echanger_deux(conn: Connection[Any]) -> int:
    """Let two events take each other's place."""
    a, b = tete(conn) // 3, tete(conn) // 2
    _intervertir(conn, a, b)
    return a


def _intervertir(conn: Connection[Any], a: int, b: int) -> None:
    conn.execute(
        "UPDATE oi.event SET position = %(a)s + %(b)s - position WHERE position IN (%(a)s, %(b)s)",
        {"a": a, "b": b},
    )


def _couper(conn: Connection[Any]) -> int:
    """Cut the last events, with their commands, and say that the log always stopped there."""
    fin = 2 * tete(conn) // 3
    conn.execute("DELETE FROM oi.event WHERE position > %s", (fin,))
    resceller(conn, fin)
    return fin + 1


def _couper_sans_la_tete(conn: Connection[Any]) -> int:
    fin = tete(conn) - 3
    conn.execute("DELETE FROM oi.event WHERE position > %s", (fin,))
    return fin + 1


def _inserer_et_resceller(conn: Connection[Any]) -> int:
    position, _ = une_commande(conn)
    conn.execute("UPDATE oi.event SET position = position + 1 WHERE position >= %s", (position,))
    _copier(conn, position - 1, position)
    conn.execute(
        "UPDATE oi.event SET command_id = gen_random_uuid() WHERE position = %s", (position,)
    )
    resceller(conn, position)
    return mi_chemin(conn) + 1


def _supprimer_et_resceller(conn: Connection[Any]) -> int:
    _supprimer_et_decaler(conn)
    resceller(conn, 1)
    return 1


def _echanger_et_resceller(conn: Connection[Any]) -> int:
    a, _ = une_commande(conn, au_moins=2)
    _intervertir(conn, a, a + 1)
    resceller(conn, 1)
    return mi_chemin(conn) + 1


def _recrire_tout(conn: Connection[Any]) -> int:
    conn.execute("UPDATE oi.event SET acteur = acteur || 'x'")
    resceller(conn, 1)
    return 1


def _commande(requete: str) -> Geste:
    """Alter the row of a command; its first event is the one named."""

    def geste(conn: Connection[Any]) -> int | None:
        premiere = conn.execute(
            "SELECT first_position FROM oi.command WHERE first_position <= %s "
            "ORDER BY first_position DESC LIMIT 1",
            (tete(conn) // 3,),
        ).fetchone()
        assert premiere is not None
        if not conn.execute(requete.format(p=premiere[0]).encode()).rowcount:
            raise SansObjet
        return int(premiere[0])

    return geste


def _tete(colonne: str, genre: str) -> Geste:
    def geste(conn: Connection[Any]) -> int | None:
        derniere = tete(conn)
        conn.execute(
            sql.SQL("UPDATE oi.head SET {} = {}").format(
                sql.Identifier(colonne), sql.SQL(AUTREMENT[genre].format(c=colonne))
            )
        )
        return derniere + 1 if colonne == "position" else None

    return geste


def alterations(conn: Connection[Any]) -> Iterator[Alteration]:
    """Every alteration of the log, of its commands and of its head."""
    colonnes = types(conn, "oi", "event")
    for colonne, genre in colonnes.items():
        yield Alteration("event", colonne, "modifiée", _editer(colonne, genre))
        yield Alteration("event", colonne, "échangée entre deux lignes", _echanger(colonne))
        if colonne != "seal":
            yield Alteration(
                "event",
                colonne,
                "modifiée, tout rescellé",
                _recrire(colonne, genre),
                par_ancre_seule=True,
            )
    for operation, geste in {
        "supprimée, au début": _supprimer(lambda _: 1),
        "supprimée, au milieu": _supprimer(lambda n: n // 3),
        "supprimée, à la fin": _supprimer(lambda n: n),
        "supprimée, les suivantes renumérotées": _supprimer_et_decaler,
        "insérée au milieu": _inserer,
        "ajoutée à la fin": _ajouter,
        "doublée": _doubler,
        "échangée avec une autre": _echanger_deux,
        "fin coupée sans changer la tête": _couper_sans_la_tete,
    }.items():
        yield Alteration("event", "(ligne)", operation, geste)
    for operation, geste in {
        "fin coupée, la tête et les commandes aussi": _couper,
        "supprimée, tout rescellé": _supprimer_et_resceller,
        "insérée, tout rescellé": _inserer_et_resceller,
        "échangée avec une autre, tout rescellé": _echanger_et_resceller,
        "toutes réécrites et rescellées": _recrire_tout,
    }.items():
        yield Alteration("event", "(ligne)", operation, geste, par_ancre_seule=True)
    for colonne, genre in types(conn, "oi", "command").items():
        autre = AUTREMENT[genre].format(c=colonne).replace("{", "{{").replace("}", "}}")
        yield Alteration(
            "command",
            colonne,
            "modifiée",
            _commande(f"UPDATE oi.command SET {colonne} = {autre} WHERE first_position = {{p}}"),  # noqa: S608
        )
        yield Alteration(
            "command",
            colonne,
            "échangée entre deux lignes",
            _commande(
                "WITH autre AS (SELECT max(o.first_position) AS p FROM oi.command AS o, "  # noqa: S608
                f"oi.command AS u WHERE u.first_position = {{p}} AND o.{colonne} <> u.{colonne}) "
                f"UPDATE oi.command AS c SET {colonne} = a.{colonne} FROM oi.command AS a, autre "
                "WHERE (c.first_position, a.first_position) IN (({p}, autre.p), (autre.p, {p}))"
            ),
        )
    yield Alteration(
        "command",
        "(ligne)",
        "supprimée",
        _commande("DELETE FROM oi.command WHERE first_position = {p}"),
    )
    yield Alteration(
        "command",
        "(ligne)",
        "insérée",
        _commande(
            "INSERT INTO oi.command SELECT gen_random_uuid(), fingerprint, acteur, first_position, "
            "last_position, enregistre_le FROM oi.command WHERE first_position = {p}"
        ),
    )
    for colonne, genre in types(conn, "oi", "head").items():
        if colonne != "only_row":
            yield Alteration("head", colonne, "modifiée", _tete(colonne, genre))


def points(conn: Connection[Any]) -> list[Point]:
    """Return two points of the log as it is: half-way, and at its end."""
    arbre, faits = Arbre(), []
    rows = conn.execute(
        "SELECT position, event_id, seal FROM oi.event ORDER BY position"
    ).fetchall()
    moitie = len(rows) // 2
    for position, _, sceau in rows:
        arbre.ajouter(sceau)
        if position in {moitie, len(rows)}:
            faits.append(
                Point(
                    origine=origine_de(rows[0][1]),
                    taille=position,
                    racine=arbre.racine(),
                    instant=datetime(2026, 1, 1, tzinfo=UTC),
                    sceau=sceau,
                )
            )
    return faits


@dataclass(frozen=True)
class Vu:
    """What the verification said of an alteration, with the points and without."""

    alteration: Alteration
    attendu: int | None
    avec: Examen
    sans: Examen


def essayer(conn: Connection[Any], alteration: Alteration, ancres: list[Point]) -> Vu:
    """Alter, verify, undo. Raises: SansObjet."""
    with conn.transaction(force_rollback=True):
        conn.execute("CREATE TEMPORARY TABLE mi_chemin AS SELECT %s AS taille", (ancres[0].taille,))
        desarmer(conn)
        attendu = alteration.geste(conn)
        return Vu(alteration, attendu, verifier_journal(conn, ancres), verifier_journal(conn))


# --- What is shown, and the documents ------------------------------------------------------------


def colonnes_des_projections(conn: Connection[Any]) -> dict[str, dict[str, str]]:
    """Return the columns of each projection that holds something, with their types."""
    return {
        table: types(conn, "projection", table)
        for table in tables(conn)
        if conn.execute(
            sql.SQL("SELECT EXISTS (SELECT FROM projection.{})").format(sql.Identifier(table))
        ).fetchone()
        == (True,)
    }


def modifier_les_projections(conn: Connection[Any], rang: int) -> set[tuple[str, str]]:
    """Change the column of that rank in a row of every projection; return which were changed."""
    changees = set()
    for table, colonnes in colonnes_des_projections(conn).items():
        if rang >= len(colonnes):
            continue
        colonne, genre = list(colonnes.items())[rang]
        requete = sql.SQL("UPDATE {t} SET {c} = {autre} WHERE ctid = {une}").format(
            t=sql.Identifier("projection", table),
            c=sql.Identifier(colonne),
            autre=sql.SQL(AUTREMENT[genre].format(c=colonne)),
            une=_une(table),
        )
        if _ecrire_derriere(conn, requete):
            changees.add((table, colonne))
    return changees


def supprimer_des_projections(conn: Connection[Any]) -> set[tuple[str, str]]:
    """Take a row out of every projection."""
    return {
        (table, "(ligne)")
        for table in colonnes_des_projections(conn)
        if _ecrire_derriere(
            conn,
            sql.SQL("DELETE FROM {t} WHERE ctid = {une}").format(
                t=sql.Identifier("projection", table), une=_une(table)
            ),
        )
    }


def _une(table: str) -> sql.Composed:
    return sql.SQL("(SELECT ctid FROM {} ORDER BY ctid DESC LIMIT 1)").format(
        sql.Identifier("projection", table)
    )


def _ecrire_derriere(conn: Connection[Any], requete: sql.Composed) -> bool:
    """Alter one row as the superuser; tell whether the base let it be."""
    try:
        with conn.transaction():
            conn.execute("SET LOCAL session_replication_role = replica")
            conn.execute(requete)
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        return False
    return True


def _ecrire(fichier: Path, octets: bytes) -> None:
    fichier.chmod(0o640)
    fichier.write_bytes(octets)


def _modifier_un_octet(fichiers: list[Path]) -> list[Path]:
    octets = bytearray(fichiers[0].read_bytes())
    octets[-1] ^= 1
    _ecrire(fichiers[0], bytes(octets))
    return fichiers[:1]


def _tronquer(fichiers: list[Path]) -> list[Path]:
    _ecrire(fichiers[0], fichiers[0].read_bytes()[:-1])
    return fichiers[:1]


def _vider(fichiers: list[Path]) -> list[Path]:
    _ecrire(fichiers[0], b"")
    return fichiers[:1]


def _echanger_les_fichiers(fichiers: list[Path]) -> list[Path]:
    un, deux = (fichier.read_bytes() for fichier in fichiers[:2])
    _ecrire(fichiers[0], deux)
    _ecrire(fichiers[1], un)
    return fichiers[:2]


def _supprimer_le_fichier(fichiers: list[Path]) -> list[Path]:
    fichiers[0].unlink()
    return fichiers[:1]


#: Each alteration of documents on disk; it returns the files that are no longer right.
ALTERATIONS_DES_PIECES: dict[str, Callable[[list[Path]], list[Path]]] = {
    "un octet modifié": _modifier_un_octet,
    "tronquée": _tronquer,
    "vidée": _vider,
    "échangée avec une autre": _echanger_les_fichiers,
    "supprimée": _supprimer_le_fichier,
}


# --- The table -----------------------------------------------------------------------------------


def _nommer(position: int | None) -> str:
    return "—" if position is None else f"n° {position}"


def main() -> None:
    """Play the whole matrix on a demonstration, and print it."""
    table = Table("Table", "Ce qui est altéré", "Comment", "Vu", "Premier en cause", "Sans ancre")
    manques = 0

    def dire(quoi: tuple[str, str, str], vu: bool, premier: str, sans: str) -> None:  # noqa: FBT001
        nonlocal manques
        manques += not vu
        table.add_row(*quoi, "oui" if vu else "NON", premier, sans)

    with (
        tempfile.TemporaryDirectory(prefix="oi-alterations-") as dossier,
        # Directly in the temporary folder: as root, the server runs under another account.
        embedded_server(
            Path(tempfile.gettempdir()) / f"oi-alterations-{os.getpid()}", durable=False
        ) as serveur,
    ):
        base = ensure_database(serveur, "oi")
        migrate(base)
        with (
            open_service(base, Lieux.sous(Path(dossier))) as service,
            psycopg.connect(base, autocommit=True) as conn,
        ):
            jouer(service, graine=2021, progres=lambda *_: None)
            ancres = points(conn)
            for alteration in alterations(conn):
                quoi = (f"oi.{alteration.table}", alteration.colonne, alteration.operation)
                try:
                    vu = essayer(conn, alteration, ancres)
                except SansObjet:
                    table.add_row(*quoi, "sans objet", "", "")
                    continue
                juste = not vu.avec.intact and vu.avec.premiere == vu.attendu
                sans = "rien ne se voit" if vu.sans.intact else "vu"
                dire(quoi, juste, _nommer(vu.avec.premiere), sans)
            for quoi, vue in _projections(conn):
                dire(quoi, vue, "la ligne", "vu")
            for comment, fautives, vues in _pieces(service):
                premier = vues[0][:12] if vues else "—"
                dire(("pièces", "(fichier)", comment), vues == fautives, premier, "vu")
    console = Console(width=150)
    console.print(table)
    console.print(f"{table.row_count} altérations, {manques} non vues ou mal nommées.")
    sys.exit(1 if manques else 0)


def _projections(conn: Connection[Any]) -> Iterator[tuple[tuple[str, str, str], bool]]:
    conninfo = conn.info.dsn
    largeur = max(map(len, colonnes_des_projections(conn).values()))
    gestes = [
        (partial(modifier_les_projections, conn, rang), "modifiée") for rang in range(largeur)
    ]
    gestes.append((partial(supprimer_des_projections, conn), "supprimée"))
    for geste, comment in gestes:
        changees = geste()
        vues = {ecart.projection for ecart in rebuild(conninfo, replace=False).ecarts}
        for nom, colonne in sorted(changees):
            yield (f"projection.{nom}", colonne, comment), nom in vues
        rebuild(conninfo)


def _pieces(service: Service) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each alteration of documents: the digests that are then wrong, those that are seen."""
    with service.reads.connection() as conn:
        gardees = [n.sha256 for n in pieces_nommees(conn) if service.pieces.contient(n.sha256)]
        fichiers = [f for g in gardees for f in service.lieux.pieces.rglob(g)]
        intacts = {f: f.read_bytes() for f in fichiers[:2]}
        for comment, geste in ALTERATIONS_DES_PIECES.items():
            fautives = [f.name for f in geste(fichiers)]
            vues = [
                v.nommee.sha256
                for v in verifier_pieces(conn, service.pieces)
                if v.etat in {"alteree", "disparue"}
            ]
            yield comment, fautives, vues
            for fichier, octets in intacts.items():
                if fichier.exists():
                    fichier.chmod(0o640)
                fichier.write_bytes(octets)


if __name__ == "__main__":
    main()
