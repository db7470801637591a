"""`oi verifier-journal`: the log recomputed from its rows, and compared with what was kept outside.

The server hands over the bytes of each row; everything else is computed here. A row is checked
against the seal *stored* before it, so that what was changed is named, and nothing else.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import psycopg

from oi_service.errors import Refusal
from oi_service.preuve.arbre import Arbre
from oi_service.preuve.forme import ENREGISTREMENT, SCEAU_INITIAL, sceau
from projections.instantane import instantane

Par = Literal["journal", "ancre", "commande"]

#: Told, as the verification goes: events read, events to read.
Progres = Callable[[int, int], None]

#: Events between two tellings, and between two notes of where the verification is.
_PAS = 20_000
#: Bad records told in full; the others are counted.
_DITES = 20


class RepriseImpossible(Refusal):
    """La vérification ne peut pas reprendre où elle s’était arrêtée : {raison}. Relancez-la sans
    l’option --reprendre, depuis le premier événement.
    """


class Ancre(Protocol):
    """What the log is compared with: its size and its root, as they were signed on a day."""

    @property
    def taille(self) -> int:
        """Return how many events the log had."""

    @property
    def racine(self) -> bytes:
        """Return the root of its tree."""


@dataclass(frozen=True, slots=True)
class Anomalie:
    """Something that does not hold; ``position`` is the event that it is about, when there is one.

    ``par``: what shows it: the rows of the log, a point kept outside, the commands accepted.
    """

    phrase: str
    position: int | None = None
    par: Par = "journal"

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            self.phrase
            if self.position is None
            else f"événement n° {self.position} : {self.phrase}"
        )


@dataclass(slots=True)
class Examen:
    """What a verification of the log found, the first bad record first."""

    taille: int = 0  #: events of the log
    sceau: bytes = SCEAU_INITIAL  #: seal of the last one, as stored
    racine: bytes = b""  #: root of the tree of all
    depuis: int = 1  #: first event that was recomputed
    ancres: int = 0  #: points that the log continues
    anomalies: list[Anomalie] = field(default_factory=list)
    tues: int = 0  #: anomalies found beyond those told

    def noter(self, phrase: str, position: int | None = None, par: Par = "journal") -> None:
        """Keep an anomaly."""
        if len(self.anomalies) < _DITES:
            self.anomalies.append(Anomalie(phrase, position, par))
        else:
            self.tues += 1

    @property
    def premiere(self) -> int | None:
        """Return the first bad record: what the log says of itself goes before its commands."""
        return next((a.position for a in self.anomalies if a.position is not None), None)

    @property
    def intact(self) -> bool:
        """Tell whether everything holds."""
        return not self.anomalies


class Etape(NamedTuple):
    """Where a verification has got to: enough to go on from there."""

    position: int
    sceau: bytes
    sommets: tuple[bytes, ...]

    @classmethod
    def lire(cls, fichier: Path) -> "Etape":
        """Read what an earlier verification left. Raises: RepriseImpossible."""
        try:
            lu = json.loads(fichier.read_text("ascii"))
            sommets = tuple(base64.b64decode(s, validate=True) for s in lu["sommets"])
            etape = cls(int(lu["position"]), bytes.fromhex(lu["sceau"]), sommets)
        except FileNotFoundError:
            raise RepriseImpossible(raison="aucune vérification n’a laissé de point") from None
        except (OSError, ValueError, KeyError, TypeError) as illisible:
            raise RepriseImpossible(raison=f"{fichier} est illisible ({illisible})") from illisible
        if len(etape.sommets) != etape.position.bit_count():
            raise RepriseImpossible(raison=f"{fichier} est incomplet")
        return etape

    def ecrire(self, fichier: Path) -> None:
        """Keep it, whole or not at all."""
        texte = json.dumps(
            {
                "position": self.position,
                "sceau": self.sceau.hex(),
                "sommets": [base64.b64encode(s).decode() for s in self.sommets],
            }
        )
        fichier.parent.mkdir(parents=True, exist_ok=True)
        essai = fichier.with_suffix(".tmp")
        essai.write_text(texte, "ascii")
        essai.replace(fichier)


#: From the first event.
DEBUT = Etape(0, SCEAU_INITIAL, ())


def verifier_journal(
    conn: psycopg.Connection[Any],
    ancres: Sequence[Ancre] = (),
    *,
    depuis: Etape = DEBUT,
    progres: Progres = lambda _fait, _total: None,
    noter: Callable[[Etape], None] = lambda _etape: None,
) -> Examen:
    """Recompute the seals and the tree from the rows, and compare with the head and the points.

    ``depuis`` goes on from where an earlier verification was; ``noter`` is told where this one is,
    as long as all holds. Raises: RepriseImpossible.
    """
    with instantane(conn):
        row = conn.execute(
            "SELECT h.position, h.seal, h.enregistre_le IS DISTINCT FROM coalesce(("
            "SELECT e.enregistre_le FROM oi.event AS e WHERE e.position = h.position), '-infinity')"
            " FROM oi.head AS h"
        ).fetchone()
        assert row is not None
        _exiger_reprise(conn, depuis)
        examen = Examen(taille=row[0], depuis=depuis.position + 1)
        marche = _Marche(examen, depuis, ancres)
        for position, inscrit, enregistrement in _lignes(conn, depuis.position):
            marche.avancer(position, inscrit or b"", enregistrement)
            if position % _PAS == 0:
                progres(position, examen.taille)
                if marche.sans_doute:
                    noter(marche.etape())
        marche.finir(tete=row[0], sceau_de_la_tete=row[1])
        if row[2] and examen.intact:
            examen.noter("la tête du journal ne porte pas l’instant du dernier événement")
        progres(examen.taille, examen.taille)
        if marche.sans_doute:
            noter(marche.etape())
        _comparer_les_commandes(conn, examen)
        examen.anomalies = [_avec_indices(conn, a) for a in examen.anomalies]
    examen.anomalies.sort(key=lambda a: (a.par == "commande", a.position is None, a.position or 0))
    return examen


def _exiger_reprise(conn: psycopg.Connection[Any], depuis: Etape) -> None:
    if depuis.position == 0:
        return
    row = conn.execute(
        "SELECT seal FROM oi.event WHERE position = %s", (depuis.position,)
    ).fetchone()
    if row is None or row[0] != depuis.sceau:
        raise RepriseImpossible(
            raison=f"l’événement n° {depuis.position} n’est plus celui qui avait été vérifié"
        )


def _lignes(
    conn: psycopg.Connection[Any], depuis: int
) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Yield position, seal and record of the rows, in binary, without holding them."""
    demande = (
        f"COPY (SELECT e.position, e.seal, {ENREGISTREMENT} FROM oi.event AS e "  # noqa: S608
        f"WHERE e.position > {depuis:d} ORDER BY e.position) TO STDOUT (FORMAT binary)"
    )
    with conn.cursor().copy(demande.encode()) as copie:
        copie.set_types(["int8", "bytea", "bytea"])
        yield from copie.rows()


class _Marche:
    """Walks the rows in order: positions, seals, and the root at the size of each point."""

    def __init__(self, examen: Examen, depuis: Etape, ancres: Sequence[Ancre]) -> None:
        self.examen = examen
        self.arbre = Arbre(depuis.position, depuis.sommets)
        self.position = depuis.position
        self.inscrit = depuis.sceau  #: seal stored in the last row
        #: Last row whose seal is not that of its bytes, and the seal that it should have.
        self._doute: tuple[int, bytes] | None = None
        self._entier = True  #: no row is missing: the tree is that of the points
        self._ancres = [a for a in ancres if a.taille > depuis.position]
        self._tailles = {a.taille for a in self._ancres}
        self._continue = max((a.taille for a in ancres if a.taille <= depuis.position), default=0)

    @property
    def sans_doute(self) -> bool:
        """Tell whether all holds so far."""
        return self.examen.intact and self._doute is None

    def etape(self) -> Etape:
        """Return what is needed to go on from here."""
        return Etape(self.position, self.inscrit, tuple(self.arbre.sommets))

    def avancer(self, position: int, inscrit: bytes, enregistrement: bytes) -> None:
        """Check one more row."""
        if position == self.position + 1:
            bon = self._suit(inscrit, enregistrement)
        else:
            self._noter_trou(position)
            bon = True  # What came before is not there: nothing to check it against.
        if not bon:
            self._doute = (position, sceau(self.inscrit, enregistrement))
        self.position, self.inscrit = position, inscrit
        self.arbre.ajouter(inscrit)
        if self.arbre.taille in self._tailles and self._entier:
            self._comparer_les_ancres()

    def _suit(self, inscrit: bytes, enregistrement: bytes) -> bool:
        """Tell whether a row bears its seal; judge the row before, if it did not."""
        bon = sceau(self.inscrit, enregistrement) == inscrit
        if self._doute is not None:
            # The next row was sealed after the true seal: it says which of the two was changed.
            bon = (
                self._juger(contenu_intact=sceau(self._doute[1], enregistrement) == inscrit) or bon
            )
        return bon

    def _juger(self, *, contenu_intact: bool) -> bool:
        assert self._doute is not None
        position, _ = self._doute
        self._doute = None
        if contenu_intact:
            self.examen.noter(
                "son sceau a été changé ; son contenu est celui qui avait été scellé", position
            )
        else:
            self.examen.noter(
                "son contenu n’est pas celui qui a été scellé, ou l’événement qui le précède a été "
                "changé et scellé de nouveau",
                position,
            )
        return contenu_intact

    def _noter_trou(self, position: int) -> None:
        if self._doute is not None:
            self._juger(contenu_intact=False)
        manque = self.position + 1
        if position <= self.position:
            self.examen.noter("il figure deux fois dans le journal", position)
        elif position == manque + 1:
            self.examen.noter("il manque", manque)
        else:
            self.examen.noter(f"il manque, et les suivants jusqu’au n° {position - 1}", manque)
        self._entier = False

    def _comparer_les_ancres(self) -> None:
        racine = self.arbre.racine()
        for ancre in self._ancres:
            if ancre.taille != self.arbre.taille:
                continue
            if ancre.racine == racine:
                self._continue = ancre.taille
                self.examen.ancres += 1
            elif not self.sans_doute:
                self.examen.noter(f"l’ancre de {ancre.taille} événements ne concorde plus")
            else:
                self.examen.noter(
                    f"l’ancre de {ancre.taille} événements atteste un autre journal : du "
                    f"n° {self._continue + 1} au n° {ancre.taille}, quelque chose a été changé "
                    "ou retiré, puis la suite scellée de nouveau",
                    self._continue + 1,
                    "ancre",
                )

    def finir(self, *, tete: int, sceau_de_la_tete: bytes) -> None:
        """Compare the last row with the head of the log, and with the points that go beyond."""
        if self._doute is not None:
            self._juger(contenu_intact=self._doute[1] == sceau_de_la_tete)
        elif self.position < tete:
            self.examen.noter(
                f"il manque : la fin du journal, jusqu’au n° {tete}, a été coupée",
                self.position + 1,
            )
        elif self.position > tete:
            self.examen.noter("il est après la fin du journal", tete + 1)
        elif self.inscrit != sceau_de_la_tete:
            self.examen.noter("la tête du journal ne porte pas le sceau du dernier événement")
        au_dela = [a for a in self._ancres if a.taille > self.position]
        if au_dela and self._entier:
            derniere = max(a.taille for a in au_dela)
            self.examen.noter(
                f"il manque : une ancre atteste {derniere} événements, le journal n’en a que "
                f"{self.position}, sa fin a été coupée",
                self.position + 1,
                "ancre",
            )
        self.examen.sceau = self.inscrit
        self.examen.racine = self.arbre.racine()


# What a command left of itself, beside its events, must be what they say.
_COMMANDES = """
    SELECT coalesce(d.premiere, c.first_position), c.command_id IS NULL, d.command_id IS NULL
    FROM oi.command AS c
    FULL JOIN (
        SELECT
            e.command_id, min(e.position) AS premiere, max(e.position) AS derniere,
            count(*) AS nombre, min(e.acteur) AS acteur, max(e.acteur) AS acteur_max,
            min(e.enregistre_le) AS enregistre_le, min(e.fingerprint) AS fingerprint
        FROM oi.event AS e GROUP BY e.command_id
    ) AS d ON d.command_id = c.command_id
    WHERE (c.first_position, c.last_position, c.acteur, c.acteur, c.enregistre_le)
        IS DISTINCT FROM (d.premiere, d.derniere, d.acteur, d.acteur_max, d.enregistre_le)
        OR d.nombre <> d.derniere - d.premiere + 1
        OR d.fingerprint IS NOT NULL AND c.fingerprint <> d.fingerprint
    ORDER BY 1
"""


def _comparer_les_commandes(conn: psycopg.Connection[Any], examen: Examen) -> None:
    for position, sans_commande, sans_evenement in conn.execute(_COMMANDES).fetchall():
        if sans_commande:
            examen.noter("aucune commande acceptée ne lui correspond", position, "commande")
        elif sans_evenement:
            phrase = "la commande qui l’annonce n’a aucun événement dans le journal"
            examen.noter(phrase, position, "commande")
        else:
            examen.noter(
                "la commande acceptée qui lui correspond (oi.command) dit autre chose que lui : "
                "sa clé, sa demande, sa personne, son instant ou ses numéros",
                position,
                "commande",
            )


# Where a sealed record no longer is what it was, what else in the base still tells its columns.
_INDICES = """
    SELECT indice FROM oi.event AS e
    LEFT JOIN oi.command AS c ON c.command_id = e.command_id
    LEFT JOIN oi.event AS avant ON avant.position = e.position - 1
    LEFT JOIN oi.event AS apres ON apres.position = e.position + 1
    LEFT JOIN oi.event AS frere
        ON frere.command_id = e.command_id AND frere.position <> e.position
    CROSS JOIN LATERAL (VALUES
        ('command_id : aucune commande acceptée ne le porte', c.command_id IS NULL),
        ('acteur : la commande acceptée en nomme un autre', c.acteur <> e.acteur),
        ('fingerprint : la commande acceptée en porte une autre',
            c.fingerprint <> e.fingerprint),
        ('role, oi_id, reglement, correlation_id ou cause_id : ceux de la même commande diffèrent',
            (frere.role, frere.oi_id, frere.reglement, frere.correlation_id, frere.cause_id)
            IS DISTINCT FROM (e.role, e.oi_id, e.reglement, e.correlation_id, e.cause_id)
            AND frere.position IS NOT NULL),
        ('enregistre_le : il n’est pas entre ceux de ses voisins',
            e.enregistre_le < avant.enregistre_le OR e.enregistre_le > apres.enregistre_le),
        ('stream_id ou version : ils ne suivent pas la version précédente du flux',
            e.version > 1 AND NOT EXISTS (
                SELECT FROM oi.event AS v
                WHERE v.stream_id = e.stream_id AND v.version = e.version - 1)),
        ('date_effet : le grand livre en porte une autre', EXISTS (
            SELECT FROM projection.mouvement AS m
            WHERE m.position = e.position AND m.date_effet <> e.date_effet))
    ) AS i (indice, vrai)
    WHERE e.position = %s AND i.vrai
    GROUP BY indice ORDER BY indice
"""


def _avec_indices(conn: psycopg.Connection[Any], anomalie: Anomalie) -> Anomalie:
    """Add what tells which column was changed."""
    if anomalie.position is None or anomalie.par != "journal":
        return anomalie
    indices = [ligne for (ligne,) in conn.execute(_INDICES, (anomalie.position,)).fetchall()]
    if not indices:
        return anomalie
    return Anomalie(f"{anomalie.phrase} ({' ; '.join(indices)})", anomalie.position)
