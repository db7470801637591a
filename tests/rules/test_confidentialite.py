"""The numbers of accounts and of persons are told from other numbers, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from rules.confidentialite import contient_un_iban, contient_un_nir

IBAN = "FR7630006000011234567890189"
NIR = "295109912611193"


@pytest.mark.parametrize(
    "texte",
    [
        IBAN,
        IBAN.lower(),
        "FR76 3000 6000 0112 3456 7890 189",
        "Virement vers FR76 3000 6000 0112 3456 7890 189 pour le loyer de mai",
        "IBANFR76-3000-6000-0112-3456-7890-189.",
        "FR76\u00a03000\u202f6000 0112\n3456 7890 189",
        "FR76\u200b30006000011234567890189",
        "\uff26\uff3276 3000 6000 0112 3456 7890 189",
        "deux : GB00 puis GB82WEST12345698765432",
        "BE31 4354 1116 1155",
        "NO9386011117947",
    ],
)
def test_an_iban_is_seen(texte: str) -> None:
    assert contient_un_iban(texte)


@pytest.mark.parametrize(
    "texte",
    [
        "FR76••••189",
        "FR7630006000011234567890188",
        "FR76 3000 6000 0112 3456 7890",
        "Convention C-2022-01, BS-2021-05, 73282932000074",
        "ZZ7630006000011234567890189",
        "",
    ],
)
def test_what_is_no_whole_iban_is_let_through(texte: str) -> None:
    assert not contient_un_iban(texte)


@pytest.mark.parametrize(
    "texte",
    [
        NIR,
        "2 95 10 99 126 111 93",
        "n° 2.95.10.99.126.111.93, salariée",
        "2-95-10-99-126-111-93",
        "2\u00a095\u202f10 99 126 111 93",
        "mai 2021 : 295109912611193.",
        "253072B07300470",
        "253072b07300470",
        "1 234 puis 2 95 10 99 126 111 93",
    ],
)
def test_a_social_security_number_is_seen(texte: str) -> None:
    assert contient_un_nir(texte)


@pytest.mark.parametrize(
    "texte",
    [
        "295109912611194",  # its key is wrong
        "2951099126111",  # it has no key
        "2951099126111930",  # a longer number
        "9295109912611193",
        "732 829 320 00074",
        "2021-05-31, 1 234,56 €, 15 000 000 €",
        "",
    ],
)
def test_what_is_no_social_security_number_is_let_through(texte: str) -> None:
    assert not contient_un_nir(texte)


@given(
    st.text(st.characters(exclude_categories=("Nd", "Nl", "No"), codec="utf-8")),
    st.from_regex(r"\A[12][0-9]{12}\Z"),
    st.text(st.characters(exclude_categories=("Nd", "Nl", "No"), codec="utf-8")),
    st.sampled_from(("", " ", "\u00a0")),
)
def test_any_number_with_its_key_is_seen_in_any_text(
    avant: str, treize: str, apres: str, blanc: str
) -> None:
    entier = treize + nir.calc_check_digits(treize)
    groupes = (entier[:1], entier[1:3], entier[3:5], entier[5:7], entier[7:10], entier[10:])
    assert contient_un_nir(f"{avant} {blanc.join(groupes)} {apres}")
