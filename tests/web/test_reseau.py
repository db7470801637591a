"""The settings of the network: understood, or refused in a sentence before anything listens."""

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from oi_service.reseau import AdresseExposee, MandataireTropLarge, ReglageIllisible, Reseau

Reglages = Callable[..., Reseau]


def test_by_default_the_service_is_alone_on_its_machine(reglages: Reglages) -> None:
    lu = reglages()
    assert lu.adresse == ip_address("127.0.0.1")
    assert (lu.mandataires, lu.origines) == ((), ())
    assert lu.hotes == {"localhost", "127.0.0.1", "[::1]"}
    assert str(lu.debit) == "1200 per 1 minute"


@pytest.mark.parametrize("adresse", ["0.0.0.0", "192.168.1.10", "::"])  # noqa: S104
def test_it_listens_further_only_behind_a_proxy(reglages: Reglages, adresse: str) -> None:
    with pytest.raises(AdresseExposee) as refus:
        reglages(ADRESSE=adresse)
    assert adresse in str(refus.value)
    assert "OI_MANDATAIRES" in str(refus.value)
    assert reglages(ADRESSE=adresse, MANDATAIRES="192.168.1.2").adresse == ip_address(adresse)


@pytest.mark.parametrize(
    ("variables", "nom"),
    [
        ({"ADRESSE": "localhost"}, "OI_ADRESSE"),
        ({"MANDATAIRES": "192.168.1.2, proxy"}, "OI_MANDATAIRES"),
        ({"MANDATAIRES": "*"}, "OI_MANDATAIRES"),
        ({"ORIGINES": "http://en-clair.example"}, "OI_ORIGINES"),
        ({"ORIGINES": "https://un.example/chemin"}, "OI_ORIGINES"),
        ({"ORIGINES": "https://*"}, "OI_ORIGINES"),
        ({"ORIGINES": "*"}, "OI_ORIGINES"),
        ({"DEBIT": "beaucoup"}, "OI_DEBIT"),
    ],
)
def test_a_setting_that_is_not_understood_is_refused(
    reglages: Reglages, variables: dict[str, str], nom: str
) -> None:
    with pytest.raises(ReglageIllisible, match=nom):
        reglages(**variables)


@pytest.mark.parametrize("monde", ["0.0.0.0/0", "::/0", "127.0.0.1, 0.0.0.0/0"])
def test_the_whole_world_is_no_proxy(reglages: Reglages, monde: str) -> None:
    with pytest.raises(MandataireTropLarge):
        reglages(MANDATAIRES=monde)


def test_lists_are_read_with_their_spaces(reglages: Reglages) -> None:
    lu = reglages(
        MANDATAIRES="10.0.0.7/24, 2001:db8::1",
        HOTES="FSE.Exemple.fr , localhost",
        ORIGINES="https://a.example,https://b.example:8443",
    )
    assert [str(p) for p in lu.mandataires] == ["10.0.0.0/24", "2001:db8::1/128"]
    assert lu.hotes == {"fse.exemple.fr", "localhost"}
    assert lu.origines == ("https://a.example", "https://b.example:8443")
