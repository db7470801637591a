"""A point of the log: its size and its root at an instant, signed, in a text that stands alone.

The text is a signed note after C2SP (`tlog-checkpoint`, `signed-note`): five lines, an empty line,
one line of signature. Nothing of ours is needed to check one: SHA-256 and Ed25519.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oi_service.errors import Refusal

#: What a log is called, before the identifier of its first event.
NOM_JOURNAL = "oi_service/journal/"
#: Longest text that may be a point; ours have less than five hundred bytes.
OCTETS_MAX = 4096

_ED25519 = b"\x01"  #: The type of signature, in C2SP's list.
_OCTETS_ID = 4
_OCTETS_HACHE = 32
_OCTETS_SIGNATURE = 64
_ORIGINE = re.compile(re.escape(NOM_JOURNAL) + r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAILLE = re.compile(r"[1-9][0-9]{0,17}")
_INSTANT = re.compile(r"instant ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z")
_SCEAU = re.compile(r"sceau ([0-9a-f]{64})")


class PointIllisible(Refusal):
    """Ce texte n’est pas un point du journal : {raison}."""


@dataclass(frozen=True, slots=True)
class Point:
    """What is signed. ``instant`` is UTC, to the second; ``sceau`` is that of the last event."""

    origine: str
    taille: int
    racine: bytes
    instant: datetime
    sceau: bytes

    @property
    def texte(self) -> str:
        """The five lines that the signature covers."""
        return (
            f"{self.origine}\n{self.taille}\n{en_base64(self.racine)}\n"
            f"instant {ecrire_instant(self.instant)}\nsceau {self.sceau.hex()}\n"
        )

    def signe(self, cle: Ed25519PrivateKey) -> "PointSigne":
        """Sign."""
        return PointSigne(
            point=self,
            cle_id=id_de_cle(self.origine, octets_publics(cle.public_key())),
            signature=cle.sign(self.texte.encode()),
        )


@dataclass(frozen=True, slots=True)
class PointSigne:
    """A point and its signature, by a key known by four bytes only: look the key up, then check."""

    point: Point
    cle_id: bytes
    signature: bytes

    @property
    def texte(self) -> str:
        """The whole note, as it is kept and sent."""
        signature = en_base64(self.cle_id + self.signature)
        return f"{self.point.texte}\n— {self.point.origine} {signature}\n"

    def est_de(self, cle_publique: bytes) -> bool:
        """Tell whether that key signed this point."""
        if self.cle_id != id_de_cle(self.point.origine, cle_publique):
            return False
        return signature_vraie(cle_publique, self.signature, self.point.texte.encode())


def origine_de(premier_event_id: object) -> str:
    """Return the name of the log whose first event has that identifier."""
    return f"{NOM_JOURNAL}{premier_event_id}"


def id_de_cle(origine: str, cle_publique: bytes) -> bytes:
    """Return the four bytes that a note knows a key by."""
    return sha256(origine.encode() + b"\n" + _ED25519 + cle_publique).digest()[:_OCTETS_ID]


def cle_de_verification(origine: str, cle_publique: bytes) -> str:
    """Return what a third party keeps to check notes, in the usual form ``name+id+key``."""
    identifiant = id_de_cle(origine, cle_publique).hex()
    return f"{origine}+{identifiant}+{en_base64(_ED25519 + cle_publique)}"


def octets_de_cle(cle: str) -> bytes:
    """Return the bytes of a public key as the log keeps it; none when it is not base64."""
    return de_base64(cle) or b""


def octets_publics(cle: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return cle.public_bytes(Encoding.Raw, PublicFormat.Raw)


def signature_vraie(cle_publique: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether a key signed a message; bytes that are no key signed nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(cle_publique).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def en_base64(octets: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(octets).decode()


def de_base64(texte: str) -> bytes | None:
    """Read base64 in its one canonical form; ``None`` when it is not."""
    try:
        octets = base64.b64decode(texte, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if en_base64(octets) == texte else None


def ecrire_instant(instant: datetime) -> str:
    """Write an UTC instant, to the second."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"


def lire_point(octets: bytes) -> PointSigne:
    """Read a signed point; its signature is not checked here, as its key is not known.

    One point has one text: what differs by a space from what we would write is refused.

    Raises: PointIllisible.
    """
    if len(octets) > OCTETS_MAX:
        _illisible(f"il compte plus de {OCTETS_MAX} octets")
    try:
        texte = octets.decode()
    except UnicodeDecodeError:
        _illisible("il n’est pas codé en UTF-8")
    lignes = texte.split("\n")
    if len(lignes) != len(_LIGNES) + 3 or lignes[-1]:
        _illisible("il doit compter cinq lignes, une ligne vide et une ligne de signature")
    for rang, ((quoi, forme), ligne) in enumerate(zip(_LIGNES, lignes, strict=False), 1):
        if forme is not None and not forme.fullmatch(ligne):
            _illisible(f"la ligne {rang} n’est pas {quoi}")
    racine = _octets(lignes[2], _OCTETS_HACHE, f"la ligne 3 n’est pas {_LIGNES[2][0]}")
    marque, nom, signature = _signature(lignes[6])
    if (lignes[5], marque, nom) != ("", "—", lignes[0]):
        _illisible("la signature n’est pas celle de ce journal")
    scelle = _octets(
        signature, _OCTETS_ID + _OCTETS_SIGNATURE, "la signature n’a pas la forme Ed25519"
    )
    try:
        instant = datetime.fromisoformat(lignes[3].removeprefix("instant "))
    except ValueError:
        _illisible("la ligne 4 n’est pas un instant qui existe")
    return PointSigne(
        point=Point(
            origine=lignes[0],
            taille=int(lignes[1]),
            racine=racine,
            instant=instant,
            sceau=bytes.fromhex(lignes[4].removeprefix("sceau ")),
        ),
        cle_id=scelle[:_OCTETS_ID],
        signature=scelle[_OCTETS_ID:],
    )


_LIGNES: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    ("l’origine d’un journal", _ORIGINE),
    ("un nombre d’événements", _TAILLE),
    ("une racine de 32 octets en base64", None),
    ("un instant UTC à la seconde", _INSTANT),
    ("un sceau de 64 chiffres hexadécimaux", _SCEAU),
)


def _signature(ligne: str) -> tuple[str, str, str]:
    parties = ligne.split(" ")
    if len(parties) != 3:
        _illisible("la dernière ligne n’est pas une signature")
    return parties[0], parties[1], parties[2]


def _octets(texte: str, nombre: int, raison: str) -> bytes:
    octets = de_base64(texte)
    if octets is None or len(octets) != nombre:
        _illisible(raison)
    return octets


def _illisible(raison: str) -> NoReturn:
    raise PointIllisible(raison=raison)
