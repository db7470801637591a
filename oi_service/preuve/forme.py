"""The bytes that a seal covers: a record of the log as PostgreSQL sends a composite value.

A count of fields, then for each its type, its length and its bytes: nothing to quote, nothing that
two records could share. The server writes them with functions of its own (``pg_catalog``), which a
function of ours in the database could not replace.
"""

from hashlib import sha256

#: What the first record follows.
SCEAU_INITIAL = bytes(32)

#: The sealed columns of `oi.event`, in their order; text and JSON as their UTF-8 bytes.
COLONNES = (
    "seal_scheme",
    "position",
    "stream_id",
    "version",
    "event_id",
    "name",
    "data",
    "date_effet",
    "enregistre_le",
    "acteur",
    "role",
    "oi_id",
    "reglement",
    "motif",
    "pieces",
    "command_id",
    "fingerprint",
    "correlation_id",
    "cause_id",
)
_TEXTES = frozenset({"name", "acteur", "role", "oi_id", "reglement", "motif"})
_JSON = frozenset({"data", "pieces"})


def _champ(colonne: str) -> str:
    if colonne in _TEXTES:
        return f"pg_catalog.convert_to(e.{colonne}, 'UTF8')"
    if colonne in _JSON:
        return f"pg_catalog.convert_to(e.{colonne}::text, 'UTF8')"
    return f"e.{colonne}"


#: SQL of the record of an event ``e``.
ENREGISTREMENT = f"pg_catalog.record_send(ROW({', '.join(map(_champ, COLONNES))}))"


def sceau(precedent: bytes, enregistrement: bytes) -> bytes:
    """Return the seal of a record: it binds all that came before."""
    return sha256(precedent + enregistrement).digest()
