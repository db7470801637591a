"""Where a personal text could hide, and in which writing: what a search of leaks looks for."""

import base64
import json
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

#: A shorter piece would be found in any noise.
_ASSEZ = 6


def ecritures(texte: str) -> set[bytes]:
    """Return every way in which bytes may hold a text, in clear or hardly hidden."""
    return {octets for octets in _ecritures(texte) if len(octets) >= _ASSEZ}


def _ecritures(texte: str) -> Iterator[bytes]:
    for forme in ("NFC", "NFD"):
        normal = unicodedata.normalize(forme, texte)
        sans_blanc = "".join(normal.split())
        for dit in {normal, normal.upper(), normal.lower(), sans_blanc, sans_blanc.lower()}:
            yield json.dumps(dit)[1:-1].encode()
            yield quote(dit).encode()
            yield quote_plus(dit).encode()
            for code in ("utf-8", "utf-16-le", "latin-1"):
                octets = dit.encode(code, "replace")
                yield octets
                yield octets.hex().encode()
                yield octets.hex().upper().encode()
                yield from _base64(octets)


def _base64(octets: bytes) -> Iterator[bytes]:
    """Yield what the base64 of any longer text holds of these bytes, at each of three places."""
    for place in range(3):
        utile = octets[(3 - place) % 3 :]
        utile = utile[: len(utile) // 3 * 3]
        yield base64.b64encode(utile)
        yield base64.urlsafe_b64encode(utile)


def fuites(lieux: dict[str, bytes], textes: list[str]) -> list[str]:
    """Say which text is found where."""
    return [
        f"{texte!r} dans {nom}"
        for texte in textes
        for ecriture in sorted(ecritures(texte))
        for nom, contenu in lieux.items()
        if ecriture in contenu
    ]
