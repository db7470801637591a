"""The second factor: one-time codes of RFC 6238, under a key that the database does not hold."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

import pyotp
import segno

from oi_service.ids import compte_of
from oi_service.personnes.coffre import Coffre
from oi_service.personnes.donnee import DonneeChiffree

#: What the application of the person shows beside the code.
EMETTEUR = "Registre OI"
#: Steps before and after this one that are accepted: clocks differ by half a minute.
_ECART = 1
#: Where the secret is, for the cipher: moved elsewhere, it does not open.
_LIEU = ("acces.compte", "second_facteur")


@dataclass(frozen=True, slots=True)
class SecondFacteurPrepare:
    """What a person puts in their application, by the image or by hand."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


def preparer(secret: str, courriel: str) -> SecondFacteurPrepare:
    """Return a secret in the forms that applications read."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=courriel, issuer_name=EMETTEUR)
    return SecondFacteurPrepare(
        secret=secret, uri=uri, qr_svg=segno.make(uri, error="m").svg_inline(scale=4)
    )


def pas_du_code(secret: str, code: str, instant: datetime) -> int | None:
    """Return the step of time that a code belongs to, ``None`` when it is not one of now."""
    totp = pyotp.TOTP(secret)
    pas = totp.timecode(instant)
    recu = "".join(code.split()).encode("utf-8", "surrogatepass")
    convient = [
        p
        for p in range(pas - _ECART, pas + _ECART + 1)
        if hmac.compare_digest(totp.generate_otp(p).encode(), recu)
    ]
    return max(convient, default=None)


class CoffreDesSeconds:
    """The secrets of second factors, each under the key of its account."""

    def __init__(self, coffre: Coffre) -> None:
        self._coffre = coffre

    def fermer(self, identifiant: str, secret: str) -> str:
        """Cipher a secret; what is returned opens nothing without the folder of keys."""
        personne = compte_of(identifiant)
        self._coffre.creer(personne)
        return self._coffre.chiffrer(personne, *_LIEU, secret.encode()).texte

    def ouvrir(self, identifiant: str, texte: str) -> str:
        """Open a secret.

        Raises: CleAbsente, DonneeIllisible.
        """
        donnee = DonneeChiffree(personne=compte_of(identifiant), texte=texte)
        return self._coffre.dechiffrer(donnee, *_LIEU).decode()

    def detruire(self, identifiant: str) -> None:
        """Destroy the key of an account."""
        self._coffre.detruire(compte_of(identifiant))
