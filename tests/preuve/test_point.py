"""Points: one text for one point, refused when a byte of it differs, checked by anybody."""

import base64
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oi_service.preuve.point import (
    Point,
    PointIllisible,
    cle_de_verification,
    de_base64,
    id_de_cle,
    lire_point,
    octets_publics,
    origine_de,
)

_ORIGINE = "oi_service/journal/0d1f0a7e-3c55-4d0e-9a51-5b2c1f7f3a10"
_CLE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_PUBLIQUE = octets_publics(_CLE.public_key())
_AUTRE = Ed25519PrivateKey.from_private_bytes(bytes(32))
_POINT = Point(
    origine=_ORIGINE,
    taille=6_040,
    racine=sha256(b"racine").digest(),
    instant=datetime(2026, 8, 2, 2, 0, 7, tzinfo=UTC),
    sceau=sha256(b"sceau").digest(),
)


def note() -> str:
    return _POINT.signe(_CLE).texte


def test_the_text_is_that_of_a_signed_note() -> None:
    origine, taille, racine, instant, sceau, vide, signature, fin = note().split("\n")
    assert (origine, taille, instant) == (_ORIGINE, "6040", "instant 2026-08-02T02:00:07Z")
    assert racine == base64.b64encode(sha256(b"racine").digest()).decode()
    assert sceau == f"sceau {sha256(b'sceau').hexdigest()}"
    assert (vide, fin) == ("", "")
    marque, nom, scelle = signature.split(" ")
    assert (marque, nom) == ("\u2014", _ORIGINE)
    octets = base64.b64decode(scelle)
    assert octets[:4] == sha256(_ORIGINE.encode() + b"\n\x01" + _PUBLIQUE).digest()[:4]
    signe = f"{origine}\n{taille}\n{racine}\n{instant}\n{sceau}\n"
    _CLE.public_key().verify(octets[4:], signe.encode())


def test_a_point_is_read_back_and_known_by_its_key() -> None:
    lu = lire_point(note().encode())
    assert lu == _POINT.signe(_CLE)
    assert lu.point == _POINT
    assert lu.est_de(_PUBLIQUE)
    assert not lu.est_de(octets_publics(_AUTRE.public_key()))
    assert not lu.est_de(b"not a key")


def test_what_a_third_party_keeps_names_the_log_and_the_key() -> None:
    nom, identifiant, cle = cle_de_verification(_ORIGINE, _PUBLIQUE).split("+", 2)
    assert nom == _ORIGINE
    assert bytes.fromhex(identifiant) == id_de_cle(_ORIGINE, _PUBLIQUE)
    assert base64.b64decode(cle) == b"\x01" + _PUBLIQUE


@pytest.mark.parametrize(
    ("ancien", "nouveau", "raison"),
    [
        ("oi_service", "OI_service", "ligne 1"),
        ("0d1f0a7e", "0D1F0A7E", "ligne 1"),
        ("\n6040\n", "\n06040\n", "ligne 2"),
        ("\n6040\n", "\n0\n", "ligne 2"),
        ("\n6040\n", "\n-6040\n", "ligne 2"),
        ("\n6040\n", "\n\u0666040\n", "ligne 2"),
        ("\n6040\n", "\n6040 \n", "ligne 2"),
        ("=\ninstant", "\ninstant", "ligne 3"),
        ("=\ninstant", "==\ninstant", "ligne 3"),
        ("instant 2026", "Instant 2026", "ligne 4"),
        ("02:00:07Z", "02:00:07+00:00", "ligne 4"),
        ("02:00:07Z", "02:00:07.5Z", "ligne 4"),
        ("2026-08-02", "2026-02-30", "ligne 4"),
        ("sceau ", "sceau  ", "ligne 5"),
        ("sceau ", "sceau 0", "ligne 5"),
        ("\n\n", "\n", "cinq lignes"),
        ("\n\n", "\n \n", "signature"),
        ("\n\n", "\n\n\n", "cinq lignes"),
        ("\u2014 ", "- ", "signature"),
        ("\u2014 ", "\u2014  ", "signature"),
        ("\u2014 oi_service", "\u2014 io_service", "signature"),
        ("\n", "\r\n", "ligne 1"),
    ],
    ids=repr,
)
def test_another_way_of_writing_is_refused(ancien: str, nouveau: str, raison: str) -> None:
    assert ancien in note()
    with pytest.raises(PointIllisible) as refused:
        lire_point(note().replace(ancien, nouveau).encode())
    assert raison in str(refused.value)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\n" * 8, b"\xff\xfe", b"x" * 5000, note().encode()[:-1], note().encode() + b"\n"],
    ids=lambda octets: repr(octets[:8]),
)
def test_what_is_no_point_is_refused(octets: bytes) -> None:
    with pytest.raises(PointIllisible):
        lire_point(octets)


def test_a_longer_signature_is_refused() -> None:
    avant, _, scelle = note().rstrip("\n").rpartition(" ")
    plus = base64.b64encode(base64.b64decode(scelle) + b"x").decode()
    with pytest.raises(PointIllisible, check=lambda r: "Ed25519" in str(r)):
        lire_point(f"{avant} {plus}\n".encode())


def test_no_bit_of_a_point_can_change() -> None:
    vrai = note().encode()
    for position in range(len(vrai)):
        for bit in range(8):
            octets = bytearray(vrai)
            octets[position] ^= 1 << bit
            try:
                lu = lire_point(bytes(octets))
            except PointIllisible:
                continue
            assert not lu.est_de(_PUBLIQUE), (position, bit)


def test_the_name_of_a_log_is_its_first_event() -> None:
    assert origine_de("0d1f0a7e-3c55-4d0e-9a51-5b2c1f7f3a10") == _ORIGINE


def test_base64_has_one_form() -> None:
    assert de_base64("AA==") == b"\x00"
    assert de_base64("AB==") is None
    assert de_base64("AA=") is None
    assert de_base64("\u00e9A==") is None
