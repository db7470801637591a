"""What the log keeps of a personal datum: bytes that only the key of its person opens."""

from uuid import UUID

import msgspec


class DonneeChiffree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A personal datum, ciphered.

    ``texte`` is base64url: a byte that numbers the scheme, then what the scheme says (`coffre`).
    """

    personne: UUID
    texte: str
