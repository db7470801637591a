"""Each workbook of the corpus gives its messages, where they are expected, and nothing else."""

import pytest
from corpus import ATTENDUS, CORPUS, Cas, attendus, constat, ecrire

from api.classeurs import refus
from api.classeurs.refus import FichierRefuse


@pytest.mark.parametrize("un", CORPUS.values(), ids=CORPUS)
def test_a_workbook_gives_its_messages_and_nothing_else(un: Cas) -> None:
    attendu = attendus()[un.nom]
    assert attendu.pop("titre") == un.titre
    assert {"defauts": [], **constat(un)} == {"defauts": [], **attendu}


def test_expectations_are_those_of_the_corpus() -> None:
    assert list(attendus()) == list(CORPUS)


def test_every_refusal_of_a_file_is_in_the_corpus() -> None:
    classes = {
        nom
        for nom, objet in vars(refus).items()
        if isinstance(objet, type)
        and issubclass(objet, FichierRefuse)
        and objet is not FichierRefuse
    }
    assert classes == {a["refus"] for a in attendus().values() if "refus" in a}


def test_no_message_repeats_an_identifier_that_the_register_may_not_hold() -> None:
    text = ATTENDUS.read_text(encoding="utf-8")
    assert "3000 6000" not in text
    assert "1 85 05 78" not in text


def test_the_file_of_expectations_is_as_its_script_writes_it() -> None:
    assert ecrire() == ATTENDUS.read_text(encoding="utf-8")
