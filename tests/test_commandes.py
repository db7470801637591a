"""Doors of the domain: what every command refuses before any rule is asked."""

from typing import Any

import pytest
from fabrique import commande
from pydantic import ValidationError

from aggregates.commande import Commande, CommandeMotivee
from aggregates.operation.programmation import Programmer
from aggregates.subvention_globale.maquette import NotifierEnveloppePlie


class Dire(CommandeMotivee):
    """A command with a reason."""


@pytest.mark.parametrize(
    "montant",
    [
        "-1.00",
        "1.000",
        "1",
        "1.0",
        ".50",
        "01.00",
        "1,234.56",
        "1 000.00",
        "NaN",
        "Infinity",
        "1e5",
        "",
        " 1.00",
        "1.00 ",
        "1.00\n",
        "+1.00",
        "1\u0665.00",
        "\uff11.00",
        "12345678901234.00",
        1,
        1.0,
        True,
        None,
        ["1.00"],
    ],
    ids=repr,
)
def test_a_malformed_amount_is_refused(montant: object) -> None:
    with pytest.raises(ValidationError) as refused:
        commande(NotifierEnveloppePlie, fse=montant)
    [error] = refused.value.errors()
    assert error["loc"] == ("fse",)
    assert "montant" in error["msg"]


@pytest.mark.parametrize(
    "jour",
    [
        "2021-02-30",
        "2021-13-01",
        "2021-00-01",
        "30/12/2021",
        "2021-12-31T00:00:00",
        "20211231",
        "2021-W01-1",
        "",
        " 2021-12-31",
        "0000-01-01",
        "\uff12\uff10\uff12\uff11-12-31",
        0,
        1640908800,
        20211231,
        1.5,
        True,
        None,
    ],
    ids=repr,
)
def test_a_day_that_does_not_exist_is_refused(jour: object) -> None:
    with pytest.raises(ValidationError) as refused:
        commande(Dire, date_effet=jour)
    [error] = refused.value.errors()
    assert error["loc"] == ("date_effet",)


def test_the_leap_day_exists_on_leap_years_only() -> None:
    assert commande(Dire, date_effet="2020-02-29").date_effet.day == 29
    with pytest.raises(ValidationError, match="n’existe pas dans le calendrier"):
        commande(Dire, date_effet="2021-02-29")


@pytest.mark.parametrize(
    "motif", ["", "   ", "\n", "x" * 2001, "a\x00b", None, 3], ids=lambda m: repr(m)[:12]
)
def test_a_reason_is_a_text_that_can_be_stored(motif: object) -> None:
    with pytest.raises(ValidationError):
        commande(Dire, motif=motif)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="montantt"):
        commande(Programmer, montantt="1.00")


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64])
def test_a_document_is_known_by_its_digest(sha256: str) -> None:
    with pytest.raises(ValidationError):
        commande(Dire, pieces=[piece(sha256=sha256)])


def piece(**changes: Any) -> dict[str, Any]:
    return {"sha256": "0" * 64, "libelle": "Attestation", "type": "attestation"} | changes


def test_documents_go_with_the_fact() -> None:
    [kept] = commande(Dire, pieces=[piece(date_piece="2021-12-31")]).jointes()
    assert (kept.sha256, kept.libelle, kept.type) == ("0" * 64, "Attestation", "attestation")


def _commandes(base: type[Commande] = Commande) -> list[type[Commande]]:
    return [c for s in base.__subclasses__() for c in [s, *_commandes(s)]]


@pytest.mark.parametrize("kind", _commandes(), ids=lambda kind: kind.__name__)
def test_every_command_forbids_unknown_fields(kind: type[Commande]) -> None:
    assert kind.model_config["extra"] == "forbid"
    assert kind.model_config["frozen"] is True
