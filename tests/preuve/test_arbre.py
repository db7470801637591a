"""The tree of RFC 9162, against a recursion written apart and known answers."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_service.preuve.arbre import (
    VIDE,
    Arbre,
    Niveaux,
    feuille,
    noeud,
)

#: The leaves and roots that implementations of certificate transparency test themselves with.
FEUILLES = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
RACINES = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(donnees: list[bytes]) -> bytes:
    """The definition of RFC 9162 §2.1.1, word for word."""
    if not donnees:
        return sha256().digest()
    if len(donnees) == 1:
        return sha256(b"\x00" + donnees[0]).digest()
    k = max(1 << i for i in range(len(donnees)) if 1 << i < len(donnees))
    return sha256(b"\x01" + naive(donnees[:k]) + naive(donnees[k:])).digest()


def test_the_roots_are_the_known_ones() -> None:
    arbre, niveaux = Arbre(), Niveaux(FEUILLES)
    for taille, racine in enumerate(RACINES):
        assert arbre.racine().hex() == racine
        assert niveaux.racine(taille).hex() == racine
        if taille < len(FEUILLES):
            arbre.ajouter(FEUILLES[taille])
    assert bytes.fromhex(RACINES[0]) == VIDE


def test_every_size_every_leaf_every_prefix() -> None:
    donnees = [bytes([i]) for i in range(70)]
    niveaux = Niveaux(donnees)
    for taille in range(1, len(donnees) + 1):
        racine = niveaux.racine(taille)
        assert racine == naive(donnees[:taille])
        for index in range(taille):
            preuve = niveaux.inclusion(index, taille)
            assert len(preuve) <= (taille - 1).bit_length()
            assert verifier_inclusion(donnees[index], index, taille, preuve, racine)
            assert not verifier_inclusion(b"autre", index, taille, preuve, racine)
            ailleurs = (index + 1) % taille
            assert ailleurs == index or not verifier_inclusion(
                donnees[index], ailleurs, taille, preuve, racine
            )
        for ancienne in range(1, taille + 1):
            avant, preuve = niveaux.racine(ancienne), niveaux.coherence(ancienne, taille)
            assert verifier_coherence(ancienne, taille, avant, racine, preuve)
            assert not verifier_coherence(ancienne, taille, feuille(avant), racine, preuve)
            assert not verifier_coherence(ancienne, taille, avant, feuille(racine), preuve)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_a_proof_that_was_touched_proves_nothing(donnees: list[bytes], data: st.DataObject) -> None:
    niveaux, taille = Niveaux(donnees), len(donnees)
    index = data.draw(st.integers(0, taille - 1))
    preuve = niveaux.inclusion(index, taille)
    place = data.draw(st.integers(0, len(preuve)))
    rallongee = [*preuve[:place], sha256(b"de trop").digest(), *preuve[place:]]
    assert not verifier_inclusion(donnees[index], index, taille, rallongee, niveaux.racine())
    if preuve:
        autre = data.draw(st.integers(0, len(preuve) - 1))
        sans = preuve[:autre] + preuve[autre + 1 :]
        assert not verifier_inclusion(donnees[index], index, taille, sans, niveaux.racine())


def test_a_tree_goes_on_from_its_peaks() -> None:
    entier, coupe = Arbre(), Arbre()
    for rang in range(45):
        entier.ajouter(bytes([rang]))
        coupe.ajouter(bytes([rang]))
        coupe = Arbre(coupe.taille, coupe.sommets)
    assert coupe.racine() == entier.racine()
    assert len(coupe.sommets) == (45).bit_count()
    with pytest.raises(ValueError, match="peaks"):
        Arbre(3, [b""])


def test_what_lies_outside_the_tree_has_no_proof() -> None:
    niveaux = Niveaux([b"a", b"b"])
    with pytest.raises(ValueError, match="leaf"):
        niveaux.inclusion(2, 2)
    with pytest.raises(ValueError, match="leaf"):
        niveaux.inclusion(0, 3)
    with pytest.raises(ValueError, match="from"):
        niveaux.coherence(0, 2)
    assert not verifier_inclusion(b"a", 2, 2, [], niveaux.racine())
    assert not verifier_coherence(0, 2, VIDE, niveaux.racine(), [])
    assert not verifier_coherence(2, 1, niveaux.racine(), VIDE, [])


def test_a_leaf_is_never_taken_for_a_node() -> None:
    gauche, droite = feuille(b"a"), feuille(b"b")
    assert noeud(gauche, droite) != feuille(gauche + droite)


# What an auditor's own tool does with the proofs, as the RFC writes it.


def verifier_inclusion(
    donnee: bytes, index: int, taille: int, preuve: Sequence[bytes], racine: bytes
) -> bool:
    """Tell whether a proof puts what it says at that place of that tree (§2.1.3.2)."""
    if not 0 <= index < taille:
        return False
    rang, dernier, hache = index, taille - 1, feuille(donnee)
    for voisin in preuve:
        if dernier == 0:
            return False
        if rang & 1 or rang == dernier:
            hache = noeud(voisin, hache)
            while not rang & 1 and rang:
                rang, dernier = rang >> 1, dernier >> 1
        else:
            hache = noeud(hache, voisin)
        rang, dernier = rang >> 1, dernier >> 1
    return dernier == 0 and hache == racine


def verifier_coherence(
    ancienne: int,
    nouvelle: int,
    racine_ancienne: bytes,
    racine_nouvelle: bytes,
    preuve: Sequence[bytes],
) -> bool:
    """Tell whether a proof shows that a root continues an earlier one (§2.1.4.2)."""
    if not 0 < ancienne <= nouvelle:
        return False
    if ancienne == nouvelle:
        return not preuve and racine_ancienne == racine_nouvelle
    # A complete tree is its own first node: the proof leaves it out.
    suite = list(preuve) if ancienne & (ancienne - 1) else [racine_ancienne, *preuve]
    if not suite:
        return False
    rang, dernier = ancienne - 1, nouvelle - 1
    while rang & 1:
        rang, dernier = rang >> 1, dernier >> 1
    avant = apres = suite[0]
    for voisin in suite[1:]:
        if dernier == 0:
            return False
        if rang & 1 or rang == dernier:
            avant, apres = noeud(voisin, avant), noeud(voisin, apres)
            while not rang & 1 and rang:
                rang, dernier = rang >> 1, dernier >> 1
        else:
            apres = noeud(apres, voisin)
        rang, dernier = rang >> 1, dernier >> 1
    return dernier == 0 and avant == racine_ancienne and apres == racine_nouvelle
