"""The vault: a file per person, with the key of all that the log keeps of them.

Erasing a person is destroying their key. The log does not move: what it holds of them becomes
noise, and the seal goes on covering it.
"""

import base64
import hmac
import os
import re
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

from oi_service.durable import sync_folder, write_new
from oi_service.errors import Conflict
from oi_service.personnes.donnee import DonneeChiffree

#: Scheme 1: nonce, then AES-256-GCM of the padded text and its tag.
SCHEMA = 1
_CLE_BITS = 256
_NONCE_OCTETS = 12
#: A text takes a whole number of blocks of that size: its length says little about a name.
_BLOC_BITS = 8 * 128
_FICHIER = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.cle")


class CleAbsente(Conflict):
    """La clé de la personne {personne} n’est pas dans le coffre : ses données ne se lisent plus et
    ne se rectifient plus. Si elle n’a pas été effacée, l’administrateur restaure la clé depuis la
    sauvegarde du coffre.
    """


class DonneeIllisible(Conflict):
    """Une donnée de la personne {personne} ne s’ouvre pas avec sa clé : l’une ou l’autre a été
    altérée. L’administrateur compare le coffre à sa sauvegarde.
    """


class Coffre:
    """The keys of persons, in a folder that nobody but the service opens.

    A datum is bound to its person, to the fact that carries it and to its field: moved elsewhere,
    it does not open.
    """

    def __init__(self, dossier: Path) -> None:
        self.dossier = dossier

    # Keys.

    def creer(self, personne: UUID) -> None:
        """Give a person a key, durable when this returns; one that has a key keeps it."""
        if self._lire(personne) is None:
            self._poser(personne, AESGCM.generate_key(_CLE_BITS))

    def contient(self, personne: UUID) -> bool:
        """Tell whether a person has a key."""
        return self._lire(personne) is not None

    def detruire(self, personne: UUID) -> bool:
        """Destroy a key, for ever; return whether there was one."""
        place = self._place(personne)
        try:
            descripteur = os.open(place, os.O_WRONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        # Worth what the disk makes of it; it also blinds any other name that the file may have.
        _ecrire(descripteur, os.urandom(_CLE_BITS // 8))
        place.unlink(missing_ok=True)
        sync_folder(self.dossier)
        return True

    def personnes(self) -> frozenset[UUID]:
        """Return whose keys are here."""
        if not self.dossier.is_dir():
            return frozenset()
        noms = (_FICHIER.fullmatch(place.name) for place in self.dossier.iterdir())
        return frozenset(UUID(nom[1]) for nom in noms if nom)

    def a_l_essai(self) -> "CoffreDEssai":
        """Return a vault that opens what this one opens, and changes nothing here."""
        return CoffreDEssai(self.dossier)

    # Data.

    def chiffrer(self, personne: UUID, fait: str, champ: str, clair: bytes) -> DonneeChiffree:
        """Cipher a datum for the field of a fact, told by its stored name.

        Raises: CleAbsente.
        """
        remplissage = PKCS7(_BLOC_BITS).padder()
        rempli = remplissage.update(clair) + remplissage.finalize()
        nonce = os.urandom(_NONCE_OCTETS)
        chiffre = AESGCM(self._cle(personne)).encrypt(nonce, rempli, _lieu(personne, fait, champ))
        octets = bytes([SCHEMA]) + nonce + chiffre
        return DonneeChiffree(
            personne=personne, texte=base64.urlsafe_b64encode(octets).decode().rstrip("=")
        )

    def dechiffrer(self, donnee: DonneeChiffree, fait: str, champ: str) -> bytes:
        """Open a datum, where it was put.

        Raises: CleAbsente, DonneeIllisible.
        """
        cle = self._cle(donnee.personne)
        try:
            octets = base64.urlsafe_b64decode(donnee.texte + "=" * (-len(donnee.texte) % 4))
            if octets[:1] != bytes([SCHEMA]):
                raise DonneeIllisible(personne=donnee.personne)
            nonce, chiffre = octets[1 : 1 + _NONCE_OCTETS], octets[1 + _NONCE_OCTETS :]
            rempli = AESGCM(cle).decrypt(nonce, chiffre, _lieu(donnee.personne, fait, champ))
        except (ValueError, InvalidTag):
            # What failed says nothing more, and might quote what it read.
            raise DonneeIllisible(personne=donnee.personne) from None
        vidage = PKCS7(_BLOC_BITS).unpadder()
        return vidage.update(rempli) + vidage.finalize()

    def secret(self, personne: UUID) -> bytes:
        """Return what keys the digest of a demand about a person; it goes with their key.

        A plain digest of a name can be guessed: whoever has a list of names tries them all.
        Raises: CleAbsente.
        """
        return hmac.digest(self._cle(personne), b"empreinte", "sha256")

    def secret_neuf(self, personne: UUID) -> bytes:
        """Return the secret of a person, who gets a key for it."""
        self.creer(personne)
        return self.secret(personne)

    def _cle(self, personne: UUID) -> bytes:
        cle = self._lire(personne)
        if cle is None:
            raise CleAbsente(personne=personne)
        return cle

    # Files.

    def _place(self, personne: UUID) -> Path:
        return self.dossier / f"{personne}.cle"

    def _lire(self, personne: UUID) -> bytes | None:
        try:
            # A link put there instead of the file would lead anywhere on the machine.
            descripteur = os.open(self._place(personne), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with os.fdopen(descripteur, "rb") as fichier:
            cle = fichier.read(_CLE_BITS)
        if len(cle) != _CLE_BITS // 8:
            raise DonneeIllisible(personne=personne)
        return cle

    def _poser(self, personne: UUID, cle: bytes) -> None:
        self._ouvrir_le_dossier()
        # Two who begin together share the first key.
        write_new(self._place(personne), cle, 0o600)

    def _ouvrir_le_dossier(self) -> None:
        absents = [d for d in (self.dossier, *self.dossier.parents) if not d.exists()]
        for dossier in reversed(absents):
            dossier.mkdir(mode=0o700, exist_ok=True)
            sync_folder(dossier.parent)


class CoffreDEssai(Coffre):
    """The vault of a trial: new keys and destroyed ones are forgotten with it."""

    def __init__(self, dossier: Path) -> None:
        super().__init__(dossier)
        self._changees: dict[UUID, bytes | None] = {}

    def detruire(self, personne: UUID) -> bool:
        """Destroy a key for the rest of the trial."""
        avait = self.contient(personne)
        self._changees[personne] = None
        return avait

    def _lire(self, personne: UUID) -> bytes | None:
        if personne in self._changees:
            return self._changees[personne]
        return super()._lire(personne)

    def _poser(self, personne: UUID, cle: bytes) -> None:
        self._changees[personne] = cle


def _lieu(personne: UUID, fait: str, champ: str) -> bytes:
    # No part holds a zero: what they make together is unambiguous.
    return f"{SCHEMA}\0{personne}\0{fait}\0{champ}".encode()


def _ecrire(descripteur: int, octets: bytes) -> None:
    with os.fdopen(descripteur, "wb") as fichier:
        fichier.write(octets)
        fichier.flush()
        os.fsync(fichier.fileno())
