"""« D’où vient ce chiffre ? »: every amount of the maquette leads to a page that says the same."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from bases import base_neuve
from pilotage_joue import jouer
from portier import PortierDEssai
from starlette.requests import Request
from starlette.testclient import TestClient

from api.app import create_app
from api.droits import Regle
from oi_service.acces.identite import Attribution, Identite
from oi_service.app import open_service
from oi_service.application import Service

_EUROS = re.compile(r"[\d\u202f\u00a0 ]\d[\u202f\u00a0 ]€")


class Montants(HTMLParser):
    """The amounts of the tables of a page: what each says, and where its figure is explained."""

    def __init__(self, texte: str) -> None:
        super().__init__()
        self.lus: list[tuple[str, str, str | None]] = []
        self._cellule: list[str] | None = None
        self._lien: str | None = None
        self._titre = ""
        self.feed(texte)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        dits = dict(attrs)
        if tag == "td" and "montant" in (dits.get("class") or "").split():
            self._cellule, self._lien, self._titre = [], None, dits.get("title") or ""
        elif tag == "a" and self._cellule is not None:
            self._lien = dits.get("href")
        if self._cellule is not None and tag in {"a", "span"}:
            self._titre = dits.get("title") or self._titre

    def handle_data(self, data: str) -> None:
        if self._cellule is not None:
            self._cellule.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self._cellule is not None:
            dit = "".join(self._cellule)
            if _EUROS.search(dit) or _EUROS.search(self._titre):
                self.lus.append((self._titre, dit, self._lien))
            self._cellule = None


@pytest.fixture(scope="module")
def joue(serveur: str, modele: str) -> Iterator[Service]:
    with base_neuve(serveur, modele) as base, open_service(base) as service:
        jouer(service)
        yield service


@pytest.fixture(scope="module")
def http(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, PortierDEssai())) as made:
        yield made


def lire(http: TestClient, adresse: str) -> str:
    recue = http.get(adresse)
    assert recue.status_code == 200, recue.text
    return recue.text


def section(texte: str, ancre: str) -> str:
    """Return a section of a page by its anchor."""
    [dite] = re.findall(rf'<section[^>]* id="{ancre}".*?</section>', texte, flags=re.DOTALL)
    return str(dite)


def explique(http: TestClient, lien: str | None) -> str:
    """Return the figure of the page that explains it."""
    assert lien is not None, "no way to the facts"
    texte = lire(http, html.unescape(lien))
    [valeur] = re.findall(r'<p class="provenance-valeur">([^<]*)</p>', texte)
    return str(valeur)


def plat(montant: str) -> str:
    return re.sub(r"[\u202f\u00a0 ]", " ", montant).strip()


@pytest.mark.parametrize("dates", ["", "?au=2022-04-10"])
@pytest.mark.parametrize("ancre", ["avancement", "detail", "contreparties"])
def test_each_amount_of_the_maquette_is_the_one_explained(
    http: TestClient, ancre: str, dates: str
) -> None:
    montants = Montants(section(lire(http, f"/maquette{dates}"), ancre)).lus
    assert len(montants) >= 8
    for titre, dit, lien in montants:
        assert lien, (titre, dit)
        exact = plat(titre or dit)
        assert plat(explique(http, lien)) == exact, (dit, lien)


def test_each_amount_of_a_difference_is_the_one_explained(http: TestClient) -> None:
    montants = Montants(section(lire(http, "/maquette?au=2022-04-10"), "ecart")).lus
    for (_, alors, lien_alors), (_, depuis, lien_depuis), _ in zip(
        montants[::3], montants[1::3], montants[2::3], strict=True
    ):
        assert plat(explique(http, lien_alors)) == plat(alors)
        assert plat(explique(http, lien_depuis)) == plat(depuis)


class DirectionDeA:
    """A keeper of the door who only knows the director of PLIE A."""

    def identifier(self, _request: Request, _regle: Regle) -> Identite | None:
        """Return the director."""
        attribution = Attribution("directeur_plie", frozenset({"A"}))
        return Identite(identifiant="directeur-a", nom="directeur-a", attributions=(attribution,))


@pytest.fixture
def direction(joue: Service) -> Iterator[TestClient]:
    with TestClient(create_app(joue, DirectionDeA())) as made:
        yield made


def test_a_director_is_explained_what_is_theirs(direction: TestClient) -> None:
    texte = section(lire(direction, "/maquette"), "avancement")
    assert "Total de votre périmètre" in texte
    for titre, dit, lien in Montants(texte.partition("Total OI")[0]).lus:
        assert plat(explique(direction, lien)) == plat(titre or dit)
    # The sum of the OI is of facts that they do not read: no way in.
    assert not [lien for _, _, lien in Montants(texte.partition("Total OI")[2]).lus if lien]


@pytest.mark.parametrize("dates", ["", "?au=2022-04-10"])
def test_each_amount_of_the_operations_of_a_plie_is_the_one_explained(
    http: TestClient, dates: str
) -> None:
    montants = Montants(section(lire(http, f"/plie/A{dates}"), "operations")).lus
    assert montants
    for titre, dit, lien in montants:
        assert plat(explique(http, lien)) == plat(titre or dit)


def test_a_figure_of_a_dossier_names_it_even_without_a_fact(http: TestClient) -> None:
    with_nothing = lire(http, "/provenance?mesure=fse_irrecouvrable&operation=B1")
    assert "Dossier n°\u00a0B1" in with_nothing
    assert re.search(r'href="/evenements/\d+"', lire(http, "/provenance?mesure=fse_maquette"))


def test_a_director_is_told_what_a_figure_leaves_out(direction: TestClient) -> None:
    texte = lire(direction, "/provenance?mesure=fse_paye")
    assert "Votre périmètre" in texte
    assert "Tout l’organisme intermédiaire" not in texte
    # What they do not see is not zero.
    for ligne in ("B", "reserve"):
        refus = direction.get(
            f"/provenance?mesure=fse_paye&plie={ligne}", headers={"Accept": "text/html"}
        )
        assert refus.status_code == 404
        assert "pas de votre territoire" in refus.text
