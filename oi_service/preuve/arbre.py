"""Merkle tree of the log, after RFC 9162 §2.1: SHA-256, leaves and nodes told apart by a byte.

What it gives: the root that a point signs, the short proof that an event is under a root, and the
short proof that a root continues an earlier one.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

#: Bytes of a hash.
TAILLE_HACHE = 32
#: Root of the tree of nothing.
VIDE = sha256().digest()


def feuille(donnee: bytes) -> bytes:
    """Hash what stands at a leaf."""
    return sha256(b"\x00" + donnee).digest()


def noeud(gauche: bytes, droite: bytes) -> bytes:
    """Hash two subtrees."""
    return sha256(b"\x01" + gauche + droite).digest()


class Arbre:
    """The tree as the log passes: one hash per bit of its size, whatever its length."""

    def __init__(self, taille: int = 0, sommets: Sequence[bytes] = ()) -> None:
        """Start empty, or where an earlier passage stopped."""
        if len(sommets) != taille.bit_count():
            raise ValueError(f"{len(sommets)} peaks for a tree of {taille}")
        self.taille = taille
        self.sommets = list(sommets)  #: roots of the complete subtrees, largest first

    def ajouter(self, donnee: bytes) -> None:
        """Put one more leaf."""
        sommet = feuille(donnee)
        taille = self.taille
        while taille & 1:
            sommet = noeud(self.sommets.pop(), sommet)
            taille >>= 1
        self.sommets.append(sommet)
        self.taille += 1

    def racine(self) -> bytes:
        """Return the root of all the leaves so far."""
        if not self.sommets:
            return VIDE
        racine = self.sommets[-1]
        for sommet in reversed(self.sommets[:-1]):
            racine = noeud(sommet, racine)
        return racine


class Niveaux:
    """All the complete subtrees in memory, 64 bytes a leaf: proofs of any leaf, at any size."""

    def __init__(self, donnees: Iterable[bytes]) -> None:
        self._niveaux = [bytearray(b"".join(feuille(donnee) for donnee in donnees))]
        while len(self._niveaux[-1]) >= 2 * TAILLE_HACHE:
            dessous = self._niveaux[-1]
            pas = 2 * TAILLE_HACHE
            complet = len(dessous) // pas * pas
            self._niveaux.append(
                bytearray(
                    b"".join(
                        sha256(b"\x01" + dessous[i : i + pas]).digest()
                        for i in range(0, complet, pas)
                    )
                )
            )

    @property
    def taille(self) -> int:
        """Return how many leaves there are."""
        return len(self._niveaux[0]) // TAILLE_HACHE

    def racine(self, taille: int | None = None) -> bytes:
        """Return the root of the first leaves."""
        taille = self.taille if taille is None else taille
        return self._racine(0, taille) if taille else VIDE

    def inclusion(self, index: int, taille: int) -> list[bytes]:
        """Return the proof that a leaf is under the root of the first ``taille`` (§2.1.3.1).

        ``index`` counts from 0: event n of the log is leaf n - 1.
        """
        if not 0 <= index < taille <= self.taille:
            raise ValueError(f"leaf {index} of {taille}, in a tree of {self.taille}")
        return self._chemin(index, 0, taille)

    def coherence(self, ancienne: int, nouvelle: int) -> list[bytes]:
        """Return the proof that the root of a size continues that of an earlier one (§2.1.4.1)."""
        if not 0 < ancienne <= nouvelle <= self.taille:
            raise ValueError(f"from {ancienne} to {nouvelle}, in a tree of {self.taille}")
        return self._prefixe(ancienne, 0, nouvelle, entier=True)

    def _racine(self, debut: int, fin: int) -> bytes:
        """Return the root of leaves debut..fin-1, which start on a boundary of their size."""
        nombre = fin - debut
        niveau = (nombre - 1).bit_length()
        if nombre == 1 << niveau:
            i = (debut >> niveau) * TAILLE_HACHE
            return bytes(self._niveaux[niveau][i : i + TAILLE_HACHE])
        milieu = debut + _coupe(nombre)
        return noeud(self._racine(debut, milieu), self._racine(milieu, fin))

    def _chemin(self, index: int, debut: int, fin: int) -> list[bytes]:
        if fin - debut == 1:
            return []
        milieu = debut + _coupe(fin - debut)
        if index < milieu:
            return [*self._chemin(index, debut, milieu), self._racine(milieu, fin)]
        return [*self._chemin(index, milieu, fin), self._racine(debut, milieu)]

    def _prefixe(self, ancienne: int, debut: int, fin: int, *, entier: bool) -> list[bytes]:
        if ancienne == fin:
            return [] if entier else [self._racine(debut, fin)]
        milieu = debut + _coupe(fin - debut)
        if ancienne <= milieu:
            dessous = self._prefixe(ancienne, debut, milieu, entier=entier)
            return [*dessous, self._racine(milieu, fin)]
        dessous = self._prefixe(ancienne, milieu, fin, entier=False)
        return [*dessous, self._racine(debut, milieu)]


def _coupe(nombre: int) -> int:
    """Return the largest power of two that is less than a number greater than one."""
    return 1 << ((nombre - 1).bit_length() - 1)
