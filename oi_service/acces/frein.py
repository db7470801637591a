"""The brake: each failure makes the next attempt wait longer, and failures fade with time.

Three counts. One for an account seen from one network: it protects the password. One for a
network, whatever the accounts: it protects from whoever tries one password on all of them. One for
an account from wherever: it protects from whoever has many networks, and does not hold those who
came in from theirs before, so that nobody is kept out of their own account by somebody else.

An attempt counts as a failure before it is judged, and is forgiven if it was none: a thousand of
them at once are a thousand failures. The counts are in the database: a restart, or another process,
forgets nothing.
"""

import hashlib
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import TupleRow

from oi_service import clock
from oi_service.acces.refus import TropDEssais
from oi_service.recorder import Connections

#: One failure is forgotten in that time.
_OUBLI = timedelta(minutes=15)
#: What the first attempt that waits, waits; it doubles each time.
_PREMIERE = timedelta(seconds=30)
#: Nobody waits longer, and what is refused meanwhile adds nothing.
ATTENTE_MAXIMALE = timedelta(minutes=15)
#: Failures without wait: an account from one network, an account from all, a network.
GRATUITS_PAIRE = 5
GRATUITS_COMPTE = 20
GRATUITS_RESEAU = 50
#: Longest prefix that one subscriber is given, in IPv6.
_PREFIXE_V6 = 64

_COMPTER = """
    INSERT INTO acces.frein AS f (cle, echecs, dernier_le, jusqu_a)
    VALUES (%(cle)s, 1, %(instant)s, %(instant)s)
    ON CONFLICT (cle) DO UPDATE SET
        echecs = 1 + greatest(
            0, f.echecs - extract(epoch FROM %(instant)s - f.dernier_le) / %(oubli)s),
        dernier_le = %(instant)s
    WHERE f.jusqu_a <= %(instant)s
    RETURNING f.echecs
"""

# The person is the right one: what others failed at their door is over.
_OUBLIER = "DELETE FROM acces.frein WHERE cle = %(cle)s"
# Its own count only: a person who comes in does not wash the network of others.
_DEDUIRE = """
    UPDATE acces.frein SET
        echecs = greatest(0, echecs - 1),
        jusqu_a = CASE WHEN dernier_le = %(instant)s THEN dernier_le ELSE jusqu_a END
    WHERE cle = %(cle)s
"""


@dataclass(frozen=True, slots=True)
class Tentative:
    """An attempt that was let through, and the counts that it added to."""

    paire: bytes
    autres: tuple[bytes, ...]
    instant: datetime
    attente: timedelta  #: what the next one waits, if this one is a failure


class Frein:
    """Counts failures, and says who waits."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool

    def prendre(self, quoi: str, compte: str, adresse: str, *, connu: bool) -> Tentative:
        """Count an attempt; ``connu``: the account was entered from that network before.

        Raises: TropDEssais, with nothing counted.
        """
        lieu = reseau(adresse)
        paire = _cle(quoi, "paire", compte, lieu)
        comptes = [(paire, GRATUITS_PAIRE), (_cle(quoi, "reseau", lieu), GRATUITS_RESEAU)]
        if not connu:
            comptes.append((_cle(quoi, "compte", compte), GRATUITS_COMPTE))
        instant = clock.now()
        with self._pool.connection() as conn, conn.transaction():
            # Always in the same order: two attempts wait for one another, never both.
            attentes = [_compter(conn, cle, gratuits, instant) for cle, gratuits in sorted(comptes)]
        autres = tuple(cle for cle, _ in comptes if cle != paire)
        return Tentative(paire, autres, instant, max(attentes))

    def rendre(self, tentative: Tentative) -> None:
        """Forgive an attempt that was no failure."""
        with self._pool.connection() as conn, conn.transaction():
            for cle in sorted((tentative.paire, *tentative.autres)):
                conn.execute(
                    _OUBLIER if cle == tentative.paire else _DEDUIRE,
                    {"cle": cle, "instant": tentative.instant},
                )


def _compter(conn: Connection[TupleRow], cle: bytes, gratuits: int, instant: datetime) -> timedelta:
    found = conn.execute(
        _COMPTER, {"cle": cle, "instant": instant, "oubli": _OUBLI.total_seconds()}
    ).fetchone()
    if found is None:
        row = conn.execute("SELECT jusqu_a FROM acces.frein WHERE cle = %s", (cle,)).fetchone()
        jusqu_a = instant + _PREMIERE if row is None else row[0]
        raise TropDEssais(secondes=max(1, math.ceil((jusqu_a - instant).total_seconds())))
    attente = attente_apres(found[0], gratuits)
    if attente:
        conn.execute("UPDATE acces.frein SET jusqu_a = %s WHERE cle = %s", (instant + attente, cle))
    return attente


def attente_apres(echecs: float, gratuits: int) -> timedelta:
    """Return what the next attempt waits after so many failures."""
    # Rounded: a failure of a moment ago has hardly faded.
    de_trop = round(echecs) - gratuits
    if de_trop < 0:
        return timedelta(0)
    # The bound on the exponent keeps a large count from overflowing.
    return min(ATTENTE_MAXIMALE, _PREMIERE * (1 << min(de_trop, 10)))


def reseau(adresse: str) -> str:
    """Return what one subscriber holds: the address, or its /64 in IPv6."""
    try:
        lue = ipaddress.ip_address(adresse)
    except ValueError:
        return adresse
    if isinstance(lue, ipaddress.IPv6Address):
        if lue.ipv4_mapped is not None:
            return str(lue.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(lue), _PREFIXE_V6), strict=False))
    return str(lue)


def _cle(*parties: str) -> bytes:
    digest = hashlib.sha256()
    for partie in parties:
        octets = partie.encode("utf-8", "surrogatepass")
        digest.update(len(octets).to_bytes(4, "big") + octets)
    return digest.digest()
