"""The archive that an auditor takes away: events, proofs, pieces, rules, readings, a verifier.

The same request gives the same bytes: only what was known at its place in the log is read, under
the first point that covers it, and nothing says the day on which it was made. A piece that is
deposited afterwards, or a time-stamp that comes late, does change them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service.application import Service
from oi_service.errors import Busy
from oi_service.ids import new_id
from oi_service.pieces import PieceAlteree, PieceNonDeposee, Pieces
from oi_service.preuve.ancrage import ancrer
from oi_service.preuve.archive.demande import Demande
from oi_service.preuve.archive.paquet import Paquet
from oi_service.preuve.archive.points import PointGarde, points_gardes, premier_couvrant
from oi_service.preuve.archive.portee import positions
from oi_service.preuve.archive.preuves import (
    arbre_du_journal,
    coherences,
    exiger_points,
    inclusions,
)
from oi_service.preuve.cles import lire_origine
from projections.echantillons import Document, documents_des_audits, documents_des_controles
from projections.export import entre, parmi
from projections.instantane import instantane
from projections.perimetre import OI_ENTIER
from rules import VERSION_REGLES

FORMAT = "oi-archive/1"

#: Told as the work goes: what is done, how many, out of how many.
Progres = Callable[[str, int, int], None]

#: Events between two tellings.
_PAS = 1_000


class PointNonGarde(Busy):
    """L’archive n’est pas composée : le point du journal qui vient d’être signé n’a pas pu être
    écrit dans {dossier}. Rendez ce dossier accessible, puis redemandez l’archive.
    """


class Lectures(Protocol):
    """What writes the reading aids: paths and contents."""

    def __call__(
        self, conn: Connection[TupleRow], demande: Demande, progres: Progres, /
    ) -> Iterator[tuple[str, bytes]]:
        """Yield the files."""


@dataclass(frozen=True, slots=True)
class Composee:
    """An archive that was written."""

    fichier: Path
    sha256: str
    manifeste: str  #: SHA-256 of the manifest, which the verifier shows
    octets: int
    evenements: int
    pieces: int
    pieces_absentes: int  #: named by an event, never deposited
    pieces_alterees: int  #: deposited, and no longer what they were
    point: PointGarde


def composer(
    service: Service,
    demande: Demande,
    sortie: Path,
    lectures: Lectures,
    *,
    progres: Progres = lambda _etape, _fait, _total: None,
) -> Composee:
    """Write an archive; the file is there whole, or not at all.

    When no point covers the request yet, one is signed, and sent where points are sent.
    Raises: PointNonGarde, JournalContredit, and what `ancrer` and `points_gardes` raise.
    """
    origine, points = _points(service, demande, progres)
    point = premier_couvrant(points, demande.jusqu_a)
    if point is None:  # It was sent elsewhere, and the folder did not take it.
        raise PointNonGarde(dossier=service.lieux.ancres)
    essai = sortie.with_name(f".{sortie.name}.{new_id().hex}")
    try:
        with (
            service.reads.connection() as conn,
            instantane(conn),
            essai.open("xb") as fichier,
            Paquet(fichier) as paquet,
        ):
            archive = _Archive(
                conn,
                service.pieces,
                demande,
                point,
                [p for p in points if p.point.taille <= point.point.taille],
                paquet,
                progres,
            )
            archive.ecrire(origine, lectures)
        composee = archive.composee(sortie, essai)
        essai.replace(sortie)
    finally:
        essai.unlink(missing_ok=True)
    return composee


def _points(service: Service, demande: Demande, progres: Progres) -> tuple[str, list[PointGarde]]:
    """Return the name of the log and its points, one of which covers the request."""
    with service.reads.connection() as conn:
        origine = lire_origine(conn)
    points = points_gardes(service.lieux.ancres, origine)
    if premier_couvrant(points, demande.jusqu_a) is None:
        progres("Signature d’un point du journal", 0, 1)
        ancrer(service, a_la_demande=True)
        points = points_gardes(service.lieux.ancres, origine)
    return origine, points


class _Archive:
    """One archive as it is written."""

    def __init__(
        self,
        conn: Connection[TupleRow],
        pieces: Pieces,
        demande: Demande,
        point: PointGarde,
        points: list[PointGarde],
        paquet: Paquet,
        progres: Progres,
    ) -> None:
        self.conn = conn
        self.pieces = pieces
        self.demande = demande
        self.point = point
        self.points = points
        self.paquet = paquet
        self.progres = progres
        self.complete = demande.portee == "tout"
        self.jusqua = point.point.taille
        #: Events of the archive; a complete one holds all of them up to its point.
        self.positions: list[int] | range = (
            range(1, self.jusqua + 1) if self.complete else positions(conn, demande, self.jusqua)
        )
        self.absentes: list[str] = []
        self.alterees: list[str] = []
        self.nb_pieces = 0

    def ecrire(self, origine: str, lectures: Lectures) -> None:
        """Write everything, the manifest last."""
        ici = files("oi_service.preuve.archive")
        # As the plainest editor of any system shows it.
        page = ici.joinpath("LISEZMOI.txt").read_text("utf-8").replace("\n", "\r\n")
        self.paquet.ecrire("LISEZMOI.txt", page.encode("utf-8-sig"))
        self.paquet.ecrire("verifier.py", ici.joinpath("verifier.py").read_bytes())
        self._evenements()
        self._preuves()
        for point in self.points:
            for chemin, contenu in point.fichiers():
                self.paquet.ecrire(chemin, contenu)
        self.paquet.ecrire_json("cles.json", cles(self.conn, self.jusqua))
        self._pieces()
        self._regles()
        for document in self._echantillons():
            self.paquet.ecrire_json(document.chemin, document.contenu)
        for chemin, contenu in lectures(self.conn, self.demande, self.progres):
            self.paquet.ecrire(chemin, contenu)
        self.paquet.clore(
            {
                "format": FORMAT,
                "demande": self.demande.en_json(),
                "journal": {
                    "origine": origine,
                    "taille": self.jusqua,
                    "point": self.point.chemin,
                },
                "complet": self.complete,
                "evenements": len(self.positions),
                "pieces_absentes": self.absentes,
                "pieces_alterees": self.alterees,
            }
        )

    def _evenements(self) -> None:
        lignes = (
            entre(self.conn, 1, self.jusqua)
            if isinstance(self.positions, range)
            else parmi(self.conn, self.positions)
        )
        self.paquet.ecrire("evenements.jsonl", self._suivies("Événements", lignes))

    def _preuves(self) -> None:
        signes = [p.point for p in self.points]
        if isinstance(self.positions, range):
            self.progres("Comparaison avec les points signés", 0, 1)
            exiger_points(self.conn, signes)
            self.paquet.ecrire_json("coherence.json", [])
            return
        self.progres("Arbre du journal", 0, 1)
        arbre = arbre_du_journal(self.conn, self.point.point, signes)
        preuves = inclusions(self.conn, arbre, self.positions)
        self.paquet.ecrire("preuves.jsonl", self._suivies("Preuves", preuves))
        tailles = [point.taille for point in signes]
        self.paquet.ecrire_json("coherence.json", coherences(arbre, tailles))

    def _suivies(self, etape: str, lignes: Iterable[bytes]) -> Iterator[bytes]:
        total = len(self.positions)
        for fait, ligne in enumerate(lignes, 1):
            yield ligne
            if fait % _PAS == 0 or fait == total:
                self.progres(etape, fait, total)

    def _filtre(self) -> dict[str, Any]:
        """Return what chooses the events of the archive in a query."""
        return {
            "parmi": None if isinstance(self.positions, range) else self.positions,
            "jusqua": self.jusqua,
        }

    def _pieces(self) -> None:
        nommees = [
            sha
            for (sha,) in self.conn.execute(
                """
                SELECT DISTINCT p.piece ->> 'sha256' AS empreinte
                FROM oi.event AS e, jsonb_array_elements(e.pieces) AS p (piece)
                WHERE e.position <= %(jusqua)s
                    AND (%(parmi)s::bigint[] IS NULL OR e.position = ANY(%(parmi)s::bigint[]))
                ORDER BY empreinte
                """,
                self._filtre(),
            )
        ]
        for fait, empreinte in enumerate(nommees, 1):
            self._piece(empreinte)
            self.progres("Pièces", fait, len(nommees))

    def _piece(self, empreinte: str) -> None:
        try:
            lue = self.pieces.lire(empreinte)
        except PieceNonDeposee:
            self.absentes.append(empreinte)
        except PieceAlteree:
            # Its bytes are not those that the events name: the archive says so, and leaves it out.
            self.alterees.append(empreinte)
        else:
            self.paquet.ecrire(f"pieces/{empreinte}", lue.morceaux(), compresser=False)
            self.nb_pieces += 1

    def _regles(self) -> None:
        regles = files("rules")
        for nom in sorted(f.name for f in regles.iterdir() if f.name.endswith(".toml")):
            self.paquet.ecrire(f"regles/{nom}", regles.joinpath(nom).read_bytes())
        controles = self.conn.execute(
            """
            SELECT e.position, e.data ->> 'csf_id', e.data ->> 'version_regles'
            FROM oi.event AS e
            WHERE e.name = 'convention.csf_valide.v1' AND e.position <= %(jusqua)s
                AND (%(parmi)s::bigint[] IS NULL OR e.position = ANY(%(parmi)s::bigint[]))
            ORDER BY e.position
            """,
            self._filtre(),
        )
        self.paquet.ecrire_json(
            "regles/versions.json",
            {
                "version_code": version("oi-service"),
                "version_regles": VERSION_REGLES,
                "controles": [
                    {"position": position, "csf_id": csf_id, "version_regles": appliquee}
                    for position, csf_id, appliquee in controles
                ],
            },
        )

    def _echantillons(self) -> Iterator[Document]:
        """Yield what draws each sample again; those of auditors leave with the whole log only."""
        if self.complete:
            yield from documents_des_audits(self.conn, OI_ENTIER, jusqu_a=self.jusqua)
        yield from documents_des_controles(
            self.conn,
            OI_ENTIER,
            jusqu_a=self.jusqua if self.complete else self.demande.jusqu_a,
            operations=None if self.complete else [d.id for d in self.demande.dossiers],
        )

    def composee(self, sortie: Path, ecrit: Path) -> Composee:
        """Tell what was written."""
        digest = sha256()
        with ecrit.open("rb") as fichier:
            while morceau := fichier.read(1 << 20):
                digest.update(morceau)
        return Composee(
            fichier=sortie,
            sha256=digest.hexdigest(),
            manifeste=self.paquet.fichiers[-1].sha256,
            octets=ecrit.stat().st_size,
            evenements=len(self.positions),
            pieces=self.nb_pieces,
            pieces_absentes=len(self.absentes),
            pieces_alterees=len(self.alterees),
            point=self.point,
        )


def cles(conn: Connection[TupleRow], jusqua: int) -> list[dict[str, Any]]:
    """Return the public keys that signed points, the first one first, each with its handover."""
    rows = conn.execute(
        """
        SELECT e.data ->> 'cle', coalesce((e.data ->> 'depuis')::bigint, 0), e.data ->> 'signature'
        FROM oi.event AS e
        WHERE e.name IN ('registre.cle_etablie.v1', 'registre.cle_changee.v1')
            AND e.position <= %s
        ORDER BY e.position
        """,
        (jusqua,),
    )
    return [
        {"cle": cle, "depuis": depuis, "signature": signature} for cle, depuis, signature in rows
    ]
