"""The page that instructeurs read names every act, and each of the fields that it takes."""

import inspect
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from test_scenarios import jouer, lire
from vie import Vie

from oi_service.application import Service

PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
#: What is said once for every act, or is no field of a file.
COMMUNS = {"self", "le", "numero", "saisie", "termes"}
#: Tools of the tests, which a file cannot call.
OUTILS = {
    "id",
    "acte",
    "decision",
    "operation",
    "convention",
    "controle_op",
    "maquette",
    "piece",
    "lignes",
    "faits",
}


def actes() -> dict[str, Callable[..., object]]:
    return {
        nom: fonction
        for nom, fonction in vars(Vie).items()
        if not nom.startswith("_") and nom not in OUTILS and inspect.isfunction(fonction)
    }


def documentes() -> dict[str, str]:
    """Return the fields of each act, as the tables of the page say them."""
    lignes = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return dict(lignes)


def test_every_act_is_on_the_page_and_nothing_else() -> None:
    assert set(documentes()) == set(actes())


def test_every_field_of_an_act_is_on_its_line() -> None:
    page = documentes()
    for nom, fonction in actes().items():
        champs = set(inspect.signature(fonction).parameters) - COMMUNS
        # « plan » of `instruction` stands for its three fields.
        champs -= {"plan"} if nom == "instruction" else set()
        assert {c for c in champs if not re.search(rf"\b{c}\b", page[nom])} == set(), nom


def test_every_act_of_the_scenarios_is_on_the_page() -> None:
    joues = {
        acte
        for fichier in Path(__file__).parent.glob("*.toml")
        for acte in re.findall(r'^acte = "(\w+)"$', fichier.read_text("utf-8"), re.MULTILINE)
    }
    assert joues <= set(documentes())


def test_the_example_of_the_page_is_true(service: Service) -> None:
    exemple = re.search(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert exemple is not None
    scenario = tomllib.loads(exemple[1])
    vie = Vie(service)
    assert [jouer(vie, acte) for acte in scenario["actes"]] == [
        acte.get("refus") for acte in scenario["actes"]
    ]
    total = scenario["attendu_total"]
    assert lire(vie.maquette().total, total) == total
