"""``oi maquette`` and ``oi dossier`` at two dates."""

import re
from collections.abc import Iterator

import pytest
from dossier_exemple import NUMERO, service_joue
from psycopg.conninfo import make_conninfo
from terminal import Oi, ligne_de_commande

from api.deps import ConnuLeIllisible
from oi_service.application import Service
from oi_service.cli import DossierIntrouvable, DossierPasEncoreConnu, JourIllisible
from oi_service.errors import Refusal
from projections.journal import histoire_du_dossier
from projections.perimetre import OI_ENTIER


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[Service]:
    with service_joue(serveur, modele) as service:
        yield service


@pytest.fixture
def oi(
    serveur: str,
    joue: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    """Lend the command line on the played database: exit code and what is printed."""
    with joue.reads.connection() as conn:
        base = make_conninfo(serveur, dbname=conn.info.dbname)
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def sentence(refusal: type[Refusal], **details: object) -> str:
    return re.sub("[\u00a0\u202f]", " ", str(refusal(**details)))


def test_the_maquette_is_printed_as_it_was(oi: Oi) -> None:
    code, now = oi("maquette")
    assert (code, "Situation" in now) == (0, False)
    code, then = oi("maquette", "--au", "2021-12-31", "--connu-le", "3")
    assert code == 0
    assert re.search(
        r"\nSituation au 31/12/2021, telle que connue à l’événement n° 3, enregistré le "
        r"\d\d/\d\d/\d{4} à \d\d:\d\d\.\n",
        then,
    )
    assert "jusqu’à l’événement n° 3." in then
    assert re.search(r"Total OI +300 000 +0 +0 +0 +0 +300 000", then)


def test_before_the_grant_there_is_no_maquette_and_the_dates_say_why(oi: Oi) -> None:
    code, shown = oi("maquette", "--connu-le", "0")
    assert code == 0
    assert shown == (
        "Aucune subvention globale n’existe encore. "
        "Situation telle que connue à l’événement n° 0.\n"
    )


def test_a_dossier_is_told_up_to_then(oi: Oi, joue: Service) -> None:
    with joue.reads.connection() as conn:
        histoire = histoire_du_dossier(conn, OI_ENTIER, NUMERO)
    code, whole = oi("dossier", NUMERO)
    assert code == 0
    qui, argent, *reste = whole.splitlines()
    assert qui.startswith(f"Dossier n° {NUMERO}, « ")
    assert qui.endswith(" : bilan final déposé.")
    assert re.fullmatch(r"FSE déposé [\d ,]+ €, programmé .+, payé [\d ,]+ €\.", argent)
    faits = [line for line in reste if not line.startswith(" " * 21)]
    assert [int(line.split()[0]) for line in faits] == [lu.position for lu in histoire]
    assert f"{'':21}État du dossier : déposé → recevable" in whole.splitlines()
    code, part = oi("dossier", NUMERO, "--connu-le", str(histoire[2].position))
    first, qui, argent, *told = part.splitlines()
    assert first == f"Situation telle que connue à l’événement n° {histoire[2].position}."
    assert qui.endswith(" : en instruction.")
    assert argent.endswith("programmé 0,00 €, conventionné 0,00 €, retenu 0,00 €, payé 0,00 €.")
    assert told == reste[: len(told)]
    assert sum(not line.startswith(" " * 21) for line in told) == 3


def test_a_dossier_that_comes_later_is_refused_with_its_reason(oi: Oi) -> None:
    code, shown = oi("dossier", NUMERO, "--au", "2019-12-31")
    dite = "Situation au 31/12/2019, telle que connue aujourd’hui"
    assert code == 2
    assert shown.strip() == sentence(DossierPasEncoreConnu, numero=NUMERO, situation=dite)
    code, shown = oi("dossier", "inconnu", "--au", "2019-12-31")
    assert (code, shown.strip()) == (2, sentence(DossierIntrouvable, numero="inconnu"))


def test_dates_that_cannot_be_read_are_refused(oi: Oi) -> None:
    code, shown = oi("maquette", "--connu-le", "hier")
    assert (code, shown.strip()) == (2, sentence(ConnuLeIllisible, recu="hier"))
    code, shown = oi("dossier", NUMERO, "--au", "2021-02-30")
    raison = "le jour 2021-02-30 n’existe pas dans le calendrier"
    assert (code, shown.strip()) == (2, sentence(JourIllisible, texte="2021-02-30", raison=raison))
