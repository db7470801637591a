"""Passwords: what is accepted, and how they are kept.

Length and not composition, and none that an attacker tries first: NIST SP 800-63B §3.1.1, ANSSI
« Recommandations relatives à l’authentification multifacteur et aux mots de passe » (2021). Kept by
argon2id with the second recommended parameters of RFC 9106 §4, those of argon2-cffi.
"""

import re
import threading
import unicodedata
from functools import cache, cached_property
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from oi_service.acces.refus import MotDePasseRefuse

LONGUEUR_MIN = 12
LONGUEUR_MAX = 128
#: A shorter word of a name is found in any sentence.
_MOT_COURT = 4
#: Fewer different characters are a key held down.
_VARIETE_MIN = 4
#: Each computation takes 64 MiB: more at once would let strangers fill the memory.
_A_LA_FOIS = 4


class MotsDePasse:
    """Digests and checks; as much work when there is nothing to compare with."""

    def __init__(self, hacheur: PasswordHasher | None = None) -> None:
        self._hacheur = hacheur or PasswordHasher()
        self._file = threading.BoundedSemaphore(_A_LA_FOIS)

    @cached_property
    def _leurre(self) -> str:
        return self._hacheur.hash("leurre")

    def hacher(self, mot_de_passe: str) -> str:
        """Return what is kept of a password."""
        with self._file:
            return self._hacheur.hash(_normal(mot_de_passe))

    def verifier(self, garde: str | None, mot_de_passe: str) -> bool:
        """Tell whether it is the password kept; without one, work as long and say no."""
        if len(mot_de_passe) > LONGUEUR_MAX:
            # No password is so long: it is not worth reading, and the work stays the same.
            garde, mot_de_passe = None, ""
        with self._file:
            # Made at the first check, whoever it is about: a restart tells nothing.
            leurre = self._leurre
            try:
                self._hacheur.verify(garde or leurre, _normal(mot_de_passe))
            except (VerificationError, InvalidHashError):
                return False
        return garde is not None

    def a_rehacher(self, garde: str) -> bool:
        """Tell whether it was kept with other parameters than those of today."""
        return self._hacheur.check_needs_rehash(garde)


def exiger_acceptable(mot_de_passe: str, courriel: str, nom: str) -> None:
    """Refuse a password that an attacker tries first.

    Raises: MotDePasseRefuse.
    """
    if len(mot_de_passe) > LONGUEUR_MAX:
        raise MotDePasseRefuse(raison=f"{LONGUEUR_MAX} caractères suffisent")
    if len(_normal(mot_de_passe)) < LONGUEUR_MIN:
        raise MotDePasseRefuse(raison=f"il en faut au moins {LONGUEUR_MIN} caractères")
    plie = _plier(mot_de_passe)
    if any(mot in plie for mot in _mots(courriel, nom)):
        raise MotDePasseRefuse(raison="il contient votre nom ou votre courriel")
    if plie in _courants() or len(set(mot_de_passe.casefold())) < _VARIETE_MIN:
        raise MotDePasseRefuse(raison="il est de ceux qu’on essaie en premier")


def _mots(courriel: str, nom: str) -> set[str]:
    avant_arobase = courriel.split("@", maxsplit=1)[0]
    entiers = [courriel, avant_arobase, *re.split(r"[\W_]+", avant_arobase)]
    mots = {_plier(mot) for mot in (*entiers, *re.split(r"[\W_]+", nom))}
    return {mot for mot in mots if len(mot) >= _MOT_COURT}


def _normal(mot_de_passe: str) -> str:
    # The same letter is typed in one or two code points, after the keyboard.
    return unicodedata.normalize("NFC", mot_de_passe).encode("utf-8", "replace").decode()


def _plier(texte: str) -> str:
    sans_accent = unicodedata.normalize("NFKD", texte.casefold())
    return "".join(c for c in sans_accent if c.isalnum())


@cache
def _courants() -> frozenset[str]:
    texte = files("oi_service.acces").joinpath("mots_de_passe_courants.txt").read_text("utf-8")
    return frozenset(_plier(ligne) for ligne in texte.splitlines() if ligne)
