"""Secrets that the service draws: strong enough that their digest tells nothing of them."""

import hashlib
import secrets
import unicodedata

#: What starts a token: whoever finds one in a file knows what it is, and so do the programs that
#: look for secrets left in sources.
PREFIXE_JETON = "oi_"
_OCTETS = 32
#: No letter that is read for another, no vowel that would write a word.
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
#: 24 letters, 114 bits: from 112 on, a plain digest is enough (OWASP ASVS 5.0.0, 6.5.2).
_GROUPES = 4
_PAR_GROUPE = 6


def tirer_jeton(prefixe: str = "") -> str:
    """Draw what a program keeps: 256 bits."""
    return prefixe + secrets.token_urlsafe(_OCTETS)


def tirer_code() -> str:
    """Draw what a person copies: 114 bits, in four groups."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_PAR_GROUPE)) for _ in range(_GROUPES)
    )


def tirer_identifiant() -> str:
    """Draw what the log will call a person; it says nothing of them."""
    return "agent-" + "".join(secrets.choice(_ALPHABET) for _ in range(8)).lower()


def empreinte(secret: str) -> bytes:
    """Digest a secret that was drawn here: nobody goes through 114 bits, salt or not."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def empreinte_de_code(code: str) -> bytes:
    """Digest a code as it was copied: spaces, dashes and case do not count."""
    lu = unicodedata.normalize("NFKC", code).upper()
    return empreinte("".join(c for c in lu if c.isalnum()))
