"""Traces: who came in, who was refused, what left the house. They are added, never changed.

Nothing of what was typed is kept: neither a password, nor a code, nor the name of an account that
does not exist, which is often a password typed in the wrong place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from oi_service import clock

Nature = Literal[
    "connexion",
    "connexion_refusee",
    "deconnexion",
    "session_fermee",
    "renforcement",
    "renforcement_refuse",
    "acces_enregistre",
    "acces_rectifie",
    "acces_efface",
    "activation",
    "activation_refusee",
    "reactivation",
    "mot_de_passe_change",
    "mot_de_passe_refuse",
    "second_facteur_installe",
    "second_facteur_retire",
    "codes_secours_tires",
    "jeton_cree",
    "jeton_revoque",
    "identite_deliee",
    "refus",
    "export",
    "archive",
    "telechargement",
]

#: How each kind is said to whoever reads the traces.
NATURES: Mapping[Nature, str] = {
    "connexion": "connexion",
    "connexion_refusee": "connexion refusée",
    "deconnexion": "déconnexion",
    "session_fermee": "session fermée",
    "renforcement": "identité confirmée",
    "renforcement_refuse": "confirmation refusée",
    "acces_enregistre": "accès enregistré",
    "acces_rectifie": "nom ou courriel rectifié",
    "acces_efface": "accès effacé",
    "activation": "compte activé",
    "activation_refusee": "activation refusée",
    "reactivation": "nouveau code d’activation",
    "mot_de_passe_change": "mot de passe changé",
    "mot_de_passe_refuse": "changement de mot de passe refusé",
    "second_facteur_installe": "second facteur installé",
    "second_facteur_retire": "second facteur retiré",
    "codes_secours_tires": "nouveaux codes de secours",
    "jeton_cree": "jeton créé",
    "jeton_revoque": "jeton révoqué",
    "identite_deliee": "identité du fournisseur déliée",
    "refus": "refus",
    "export": "export",
    "archive": "archive",
    "telechargement": "téléchargement",
}

#: An address or a program may say anything of itself, at any length.
LONGUEUR_ADRESSE = 64
_PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened, and to whom."""

    id: int
    instant: datetime
    nature: Nature
    identifiant: str | None
    role: str | None
    adresse: str | None
    objet: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiltresTraces:
    """Which traces; all of them by default.

    ``identifiant``: what an account did, or what was done to it. ``du``, ``au``: instants, the
    second one excluded.
    """

    nature: Nature | None = None
    identifiant: str | None = None
    du: datetime | None = None
    au: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageTraces:
    """Some traces, the last ones first; ``suivant`` asks for those before them."""

    traces: tuple[Trace, ...]
    suivant: int | None


def ecrire(
    conn: Connection[TupleRow],
    nature: Nature,
    identifiant: str | None,
    *,
    role: str | None = None,
    adresse: str | None = None,
    objet: Mapping[str, object] | None = None,
) -> None:
    """Add a trace."""
    conn.execute(
        "INSERT INTO acces.trace (instant, nature, identifiant, role, adresse, objet) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        (
            clock.now(),
            nature,
            identifiant,
            role,
            lisible(adresse, LONGUEUR_ADRESSE) if adresse else None,
            Jsonb(dict(objet or {})),
        ),
    )


def lire(
    conn: Connection[TupleRow], filtres: FiltresTraces, avant: int | None, limite: int
) -> PageTraces:
    """Read a page of traces."""
    limite = max(1, min(limite, _PAGE_MAX))
    with conn.cursor(row_factory=class_row(Trace)) as cursor:
        found = cursor.execute(
            """
            SELECT t.id, t.instant, t.nature, t.identifiant, t.role, t.adresse, t.objet
            FROM acces.trace AS t
            WHERE (%(nature)s::text IS NULL OR t.nature = %(nature)s)
                AND (
                    %(identifiant)s::text IS NULL OR t.identifiant = %(identifiant)s
                    OR t.objet ->> 'compte' = %(identifiant)s)
                AND (%(du)s::timestamptz IS NULL OR t.instant >= %(du)s)
                AND (%(au)s::timestamptz IS NULL OR t.instant < %(au)s)
                AND (%(avant)s::bigint IS NULL OR t.id < %(avant)s)
            ORDER BY t.id DESC
            LIMIT %(limite)s
            """,
            {
                "nature": filtres.nature,
                "identifiant": filtres.identifiant,
                "du": filtres.du,
                "au": filtres.au,
                "avant": avant,
                "limite": limite + 1,
            },
        ).fetchall()
    page = tuple(found[:limite])
    return PageTraces(page, page[-1].id if len(found) > limite else None)


def purger(conn: Connection[TupleRow], garde: timedelta) -> int:
    """Drop what is older than that; the database itself keeps the last six months."""
    row = conn.execute("SELECT acces.purger_traces(%s)", (clock.now() - garde,)).fetchone()
    assert row is not None
    return int(row[0])


def lisible(texte: str, longueur: int) -> str:
    """Return what a stranger said, without what would break a line or a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in texte[:longueur])
