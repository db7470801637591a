"""The standalone verifier, piece by piece: signatures, trees and lines, against other sources."""

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pytest
from archive_exemple import (
    coherence_de,
    faits,
    inclusion_de,
    racine_de,
)
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from oi_service.preuve.arbre import Niveaux
from oi_service.preuve.archive.verifier import (
    ORDRE,
    Anomalie,
    P,
    lire_ligne,
    par_coherence,
    par_inclusion,
    signature_valide,
)

# --- Ed25519 --------------------------------------------------------------------------------------

#: RFC 8032 §7.1: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


@pytest.mark.parametrize(("secrete", "cle", "message", "signature"), RFC_8032)
def test_the_signatures_of_the_rfc_are_valid(
    secrete: str, cle: str, message: str, signature: str
) -> None:
    octets, lu = bytes.fromhex(signature), bytes.fromhex(message)
    privee = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secrete))
    assert privee.sign(lu) == octets
    assert privee.public_key().public_bytes_raw().hex() == cle
    assert signature_valide(bytes.fromhex(cle), lu, octets)
    assert not signature_valide(bytes.fromhex(cle), lu + b"\x00", octets)


def d_apres_la_bibliotheque(cle: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(cle).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@settings(max_examples=60)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.data())
def test_a_signature_is_judged_as_a_library_judges_it(
    secrete: bytes, message: bytes, data: st.DataObject
) -> None:
    privee = Ed25519PrivateKey.from_private_bytes(secrete)
    cle, signature = privee.public_key().public_bytes_raw(), privee.sign(message)
    assert signature_valide(cle, message, signature)
    octets = bytearray(cle + signature)
    octets[data.draw(st.integers(0, 95))] ^= 1 << data.draw(st.integers(0, 7))
    fausse = bytes(octets[:32]), message, bytes(octets[32:])
    assert signature_valide(*fausse) == d_apres_la_bibliotheque(*fausse)


NEUTRE = (1).to_bytes(32, "little")


def test_a_second_writing_of_a_signature_is_refused() -> None:
    assert signature_valide(NEUTRE, b"", NEUTRE + bytes(32))
    assert not signature_valide(NEUTRE, b"", NEUTRE + ORDRE.to_bytes(32, "little"))
    _, cle, message, signature = (bytes.fromhex(x) for x in RFC_8032[1])
    s = int.from_bytes(signature[32:], "little")
    autre = signature[:32] + (s + ORDRE).to_bytes(32, "little")
    assert not d_apres_la_bibliotheque(cle, message, autre)
    assert not signature_valide(cle, message, autre)


@pytest.mark.parametrize(
    "cle",
    [
        b"",
        bytes(31),
        bytes(33),
        P.to_bytes(32, "little"),  # zero, written otherwise
        (P + 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),  # minus zero
        (2).to_bytes(32, "little"),  # on no point of the curve
    ],
)
def test_a_key_that_is_none_signs_nothing(cle: bytes) -> None:
    assert not signature_valide(cle, b"", bytes.fromhex(RFC_8032[0][3]))
    # A signature of any message by the neutral point, of one in four by a point of order four: so
    # it would be by another writing of them.
    partout = b"\x58" + b"\x66" * 31 + (1).to_bytes(32, "little")
    assert signature_valide(NEUTRE, b"n'importe quoi", partout)
    assert not any(signature_valide(cle, bytes([n]), partout) for n in range(40))


@pytest.mark.parametrize("longueur", [0, 32, 63, 65, 96])
def test_a_signature_has_one_length(longueur: int) -> None:
    _, cle, message, signature = (bytes.fromhex(x) for x in RFC_8032[0])
    assert not signature_valide(cle, message, (signature + bytes(32))[:longueur])


# --- The tree -------------------------------------------------------------------------------------

DONNEES = [sha256(bytes([n])).digest() for n in range(130)]
NIVEAUX = Niveaux(DONNEES)


def inclusion_valide(
    donnee: int, taille: int, preuve: list[bytes], racine: bytes, rang: int | None = None
) -> bool:
    feuille = sha256(b"\x00" + DONNEES[donnee]).digest()
    try:
        return par_inclusion(feuille, donnee if rang is None else rang, taille, preuve) == racine
    except Anomalie:
        return False


def coherence_valide(
    ancienne: int, nouvelle: int, avant: bytes, apres: bytes, preuve: list[bytes]
) -> bool:
    try:
        return par_coherence(avant, ancienne, nouvelle, preuve) == (avant, apres)
    except Anomalie:
        return False


def test_the_proofs_of_the_service_are_those_of_the_definition() -> None:
    for taille in range(1, 40):
        assert NIVEAUX.racine(taille) == racine_de(DONNEES[:taille])
        for n in range(taille):
            assert NIVEAUX.inclusion(n, taille) == inclusion_de(n, DONNEES[:taille])
            assert NIVEAUX.coherence(n + 1, taille) == coherence_de(n + 1, DONNEES[:taille])


def test_every_proof_of_the_service_is_valid() -> None:
    racines = [NIVEAUX.racine(taille) for taille in range(len(DONNEES) + 1)]
    for taille in range(1, len(DONNEES) + 1):
        for n in range(taille):
            assert inclusion_valide(n, taille, NIVEAUX.inclusion(n, taille), racines[taille])
            assert coherence_valide(
                n + 1, taille, racines[n + 1], racines[taille], NIVEAUX.coherence(n + 1, taille)
            )


def alterees(preuve: list[bytes]) -> list[list[bytes]]:
    """Return proofs that differ: shortened, lengthened, a hash changed, two swapped."""
    autres = [
        [*preuve, bytes(32)],
        [bytes(32), *preuve],
        *([preuve[1:], preuve[:-1]] if preuve else []),
    ]
    for rang, hache in enumerate(preuve):
        autres.append([*preuve[:rang], hache[:-1] + bytes([hache[-1] ^ 1]), *preuve[rang + 1 :]])
    if len(preuve) > 1:
        autres.append([preuve[1], preuve[0], *preuve[2:]])
    return autres


def test_another_proof_is_refused() -> None:
    for taille in range(1, 35):
        racine = NIVEAUX.racine(taille)
        for n in range(taille):
            vraie = NIVEAUX.inclusion(n, taille)
            assert not any(inclusion_valide(n, taille, autre, racine) for autre in alterees(vraie))
            assert not inclusion_valide(n, taille, vraie, NIVEAUX.racine(taille + 1))
            assert not any(
                inclusion_valide(n, taille, vraie, racine, rang)
                for rang in range(-1, 40)
                if rang != n
            )
            suite = NIVEAUX.coherence(n + 1, taille)
            avant = NIVEAUX.racine(n + 1)
            assert not any(
                coherence_valide(n + 1, taille, avant, racine, autre) for autre in alterees(suite)
            )
            if n + 1 < taille:
                assert not coherence_valide(n + 1, taille, bytes(32), racine, suite)
                assert not coherence_valide(n + 1, taille, avant, bytes(32), suite)


@pytest.mark.parametrize(("ancienne", "nouvelle"), [(0, 5), (-1, 5), (6, 5), (0, 0)])
def test_impossible_sizes_prove_nothing(ancienne: int, nouvelle: int) -> None:
    racine = NIVEAUX.racine(5)
    for preuve in ([], [racine], [racine] * 3):
        assert not coherence_valide(ancienne, nouvelle, racine, racine, preuve)


# --- A line ---------------------------------------------------------------------------------------

ECRITS = faits(12, {4: b"facture"})
TEXTES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))


@given(TEXTES, st.none() | TEXTES, st.none() | st.binary(max_size=40))
def test_any_text_is_read_as_it_was_sealed(
    acteur: str, motif: str | None, fingerprint: bytes | None
) -> None:
    ecrit = replace(ECRITS[3], acteur=acteur, motif=motif, fingerprint=fingerprint)
    assert lire_ligne(ecrit.ligne(bytes(32)))[1] == ecrit.enregistrement()


@given(st.integers(0, 11), st.data())
def test_a_byte_of_a_line_changes_what_is_sealed_or_makes_it_unreadable(
    rang: int, data: st.DataObject
) -> None:
    ligne = bytearray(ECRITS[rang].ligne(bytes(32)))
    place = data.draw(st.integers(0, len(ligne) - 1))
    # The seal itself is compared, not sealed.
    debut = ligne.index(b'"seal" : "') + 10
    if debut <= place < debut + 64:
        return
    ligne[place] = data.draw(st.integers(0, 255).filter(lambda octet: octet != ligne[place]))
    with suppress(Anomalie, ValueError, KeyError, TypeError):
        assert lire_ligne(bytes(ligne))[1] != ECRITS[rang].enregistrement()
