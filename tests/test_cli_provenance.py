"""``oi difference`` and ``oi provenance``: causes and events in French, with their sums."""

import re

import pytest
from terminal import Oi, ligne_de_commande
from vie import Vie

from oi_service.affichage_provenance import OperationIntrouvable, PlieIntrouvable
from oi_service.application import Service
from oi_service.cli import AucuneSubvention
from projections.mesures import MesureInconnue


@pytest.fixture
def oi(base: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Oi:
    """Lend the command line on the database of the test: exit code and what is printed."""
    return ligne_de_commande(base, capsys, monkeypatch, 120)


def phrase(refus: type[Exception]) -> str:
    """Return the beginning of a refusal, up to its first fact."""
    return " ".join((refus.__doc__ or "").split("{")[0].split())


def test_the_terminal_explains_a_difference_and_a_figure(oi: Oi, service: Service) -> None:
    code, shown = oi("difference", "--de", "2021-12-31")
    assert (code, phrase(AucuneSubvention) in shown) == (2, True)

    vie = Vie(service)
    vie.subvention()
    vie.tranche("500000.00", "500000.00")
    vie.enveloppe("A", "100000.00")
    vie.enveloppe("B", "50000.00")
    vie.transfert("B", "A", "7000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1")
    for rang in range(10):
        vie.transfert("A", "reserve", f"{rang + 1}.00")

    code, shown = oi(
        "difference", "--de", "2021-12-31", "--a", "2022-12-31", "--plie", "plie a",
        "--mesure", "fse_maquette", "--mesure", "fse_programme",
    )  # fmt: skip
    assert code == 0, shown
    rows = [re.split(r"\s{2,}", row.strip()) for row in shown.splitlines()]
    assert ["FSE alloué", "100 000,00 €", "106 945,00 €", "+6 945,00 €"] in rows
    assert "Transfert d’enveloppe : 11 événements" in shown
    assert "FSE alloué +6 945,00 €" in shown
    assert "et 3 événements de plus (--tout les montre)." in shown
    assert "A 2021 OS1, dossier OP-1 : FSE programmé +50 000,00 €" in shown
    assert "FSE programmé : +50 000,00 € = +50 000,00 €" in shown
    assert "gestionnaire-1 (gestionnaire de l’OI) : Transfert de 7 000,00 € de FSE" in shown
    assert "inventés" not in shown  # only a demonstration says so

    _, tout = oi("difference", "--de", "2021-12-31", "--mesure", "fse_maquette", "--tout")
    assert "de plus" not in tout
    assert tout.count("Transfert de ") == 11

    _, meme = oi("difference", "--de", "2021-12-31", "--a", "2021-12-31")
    assert "Rien ne sépare ces deux situations." in meme

    code, shown = oi("provenance", "--mesure", "taux_programmation", "--plie", "A")
    assert code == 0, shown
    assert "Taux de programmation (tout ce qui est connu) : 46,8 %" in shown
    assert "= FSE programmé / FSE alloué" in shown
    assert "FSE programmé : 50 000,00 €   (--mesure fse_programme)" in shown

    _, shown = oi("provenance", "--mesure", "fse_conventionne", "--dossier", "OP-1")
    assert "FSE conventionné (tout ce qui est connu) : 50 000,00 €" in shown
    assert "Conventionnement : 1 événement\n" in shown
    _, shown = oi("provenance", "--mesure", "fse_conventionne", "--au", "2022-01-01")
    assert "FSE conventionné (effet au 01/01/2022) : 0,00 €" in shown

    for arguments, refus in (
        (("--mesure", "fse_perdu"), MesureInconnue),
        (("--mesure", "fse_paye", "--plie", "Z"), PlieIntrouvable),
        (("--mesure", "fse_paye", "--dossier", "OP-9"), OperationIntrouvable),
    ):
        code, shown = oi("provenance", *arguments)
        assert code == 2, shown
        assert phrase(refus) in shown
