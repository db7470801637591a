"""Every list leaves whole, as a file, for who may read it, and leaves a trace."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from dossier_exemple import NUMERO
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient

from api.droits import DROITS
from api.exports.catalogue import FILTRES, LISTES
from api.exports.listes import _HORS_FILTRES
from oi_service.acces.traces import FiltresTraces
from oi_service.application import Service

NOMS = [liste.nom for liste in LISTES]
OBLIGATOIRES = {"histoire": {"dossier": NUMERO}}


def demander(http: TestClient, nom: str, **demande: Any) -> bytes:
    params = {**OBLIGATOIRES.get(nom, {}), **demande}
    reponse = http.get(f"/exports/{nom}", params=params)
    assert reponse.status_code == 200, reponse.text
    return reponse.content


def lire(http: TestClient, nom: str, **demande: Any) -> list[dict[str, str]]:
    contenu = demander(http, nom, format="rfc4180", **demande)
    return list(csv.DictReader(io.StringIO(contenu.decode(), newline=""), strict=True))


def classeur(http: TestClient, nom: str, **demande: Any) -> dict[str, list[list[Any]]]:
    lu = CalamineWorkbook.from_filelike(io.BytesIO(demander(http, nom, **demande)))
    return {feuille: lu.get_sheet_by_name(feuille).to_python() for feuille in lu.sheet_names}


def toutes(http: TestClient, chemin: str, **demande: Any) -> Iterator[dict[str, Any]]:
    suite: dict[str, str] = {}
    while True:
        page = http.get(f"/api/v1{chemin}", params={**demande, "limite": 5, **suite}).json()
        yield from page["lignes"]
        if page["suivant"] is None:
            return
        suite = {"apres": page["suivant"]}


@pytest.mark.parametrize("nom", NOMS)
@pytest.mark.parametrize("forme", ["xlsx", "csv", "rfc4180"])
def test_each_list_leaves_in_each_format(http: TestClient, nom: str, forme: str) -> None:
    reponse = http.get(f"/exports/{nom}", params={"format": forme, **OBLIGATOIRES.get(nom, {})})
    assert reponse.status_code == 200, reponse.text
    assert reponse.headers["content-disposition"].startswith(f'attachment; filename="{nom}')
    assert reponse.content


@pytest.mark.parametrize("nom", sorted(set(NOMS) - {"traces"}))
def test_the_same_question_gives_the_same_file(http: TestClient, nom: str) -> None:
    assert demander(http, nom) == demander(http, nom)


@pytest.mark.parametrize(
    ("nom", "chemin"), [("operations", "/operations"), ("depenses", "/depenses")]
)
def test_a_file_is_the_whole_list_and_not_a_page(http: TestClient, nom: str, chemin: str) -> None:
    lues = lire(http, nom)
    attendues = list(toutes(http, chemin))
    cle = "id" if nom == "depenses" else "numero_mdfse"
    assert [ligne[cle] for ligne in lues] == [ligne[cle] for ligne in attendues]
    assert len(lues) > 5 or nom == "operations"


def test_a_file_of_depenses_adds_up_as_the_page_does(http: TestClient) -> None:
    for filtres in ({}, {"ecartees": "true"}, {"operation": NUMERO}):
        totaux = http.get("/api/v1/depenses", params={"totaux": "true", **filtres}).json()["totaux"]
        feuille = classeur(http, "depenses", **filtres)["Dépenses"]
        entete, *lignes, total = feuille
        montants = [
            (entete.index(nom), quoi)
            for nom, quoi in (
                ("Montant imputé", "declare"),
                ("Retenu au contrôle", "retenu"),
                ("Écarté au contrôle", "ecarte"),
            )
        ]
        assert total[0] == "Total"
        for place, quoi in montants:
            assert f"{total[place]:.2f}" == totaux[quoi]
        assert len(lignes) == totaux["nombre"]


def test_a_rate_of_a_total_is_that_of_the_sums(http: TestClient) -> None:
    for niveau in ("detail", "plie", "annee", "objectif_specifique"):
        feuille = classeur(http, "maquette", niveau=niveau)["Maquette"]
        total = dict(zip(feuille[0], feuille[-1], strict=True))
        assert total["Taux de programmation"] == pytest.approx(
            total["FSE programmé"] / total["FSE alloué"], abs=5e-5
        )
        maquette = http.get("/api/v1/maquette").json()["total"]
        assert f"{total['FSE programmé']:.2f}" == maquette["fse_programme"]


def test_filters_and_dates_are_kept_and_said(http: TestClient) -> None:
    demande = {"poste": "personnel", "effet_au": "2022-03-31", "montant_min": "1500.00"}
    lues = lire(http, "depenses", **demande)
    attendues = list(toutes(http, "/depenses", **demande))
    assert [x["id"] for x in lues] == [x["id"] for x in attendues]
    assert 0 < len(lues) < len(lire(http, "depenses"))
    dits = dict(classeur(http, "depenses", **demande)["À propos"])
    assert dits["Situation au"] == "31/03/2022"
    assert dits["Filtre : Poste"] == "Dépenses directes de personnel"
    assert dits["Filtre : Montant minimal"] == "1\u00a0500,00\u00a0€"


def test_a_file_of_the_past_stays_the_same_while_the_log_grows(
    http: TestClient, joue: Service
) -> None:
    avant = demander(http, "depenses", connu_le="50")
    dits = dict(classeur(http, "depenses", connu_le="50")["À propos"])
    assert dits["Journal lu jusqu’à"] == "événement n° 50"
    assert demander(http, "depenses", connu_le="50") == avant


def test_the_story_of_a_dossier_leaves_with_it(http: TestClient) -> None:
    lues = lire(http, "histoire")
    assert lues[0]["name"] == "operation.dossier_depose.v1"
    assert [int(x["position"]) for x in lues] == sorted(int(x["position"]) for x in lues)
    assert any("Paiement" in x["phrase"] or "paiement" in x["phrase"] for x in lues)


def test_who_may_not_read_a_list_may_not_take_it(http: TestClient) -> None:
    directeur = {"OI-Role": "directeur_plie", "OI-Acteur": "directeur-1"}
    assert http.get("/exports/comptes", headers=directeur).status_code == 403
    assert http.get("/exports/traces", headers=directeur).status_code == 403
    administrateur = {"OI-Role": "administrateur", "OI-Acteur": "administrateur-1"}
    assert http.get("/exports/depenses", headers=administrateur).status_code == 403


def test_a_file_leaves_a_trace(http: TestClient, joue: Service) -> None:
    demander(http, "depenses", plie="A")
    [trace, *_] = joue.acces.traces(FiltresTraces(nature="export"), avant=None, limite=1).traces
    assert trace.objet["chemin"] == "/exports/depenses"
    assert "plie=A" in trace.objet["requete"]


@pytest.mark.parametrize(
    ("nom", "demande"),
    [
        ("depenses", {"format": "pdf"}),
        ("depenses", {"postes": "personnel"}),
        ("depenses", {"connu_le": "hier"}),
        ("histoire", {"dossier": ""}),
    ],
)
def test_what_cannot_be_read_is_refused(
    http: TestClient, nom: str, demande: dict[str, str]
) -> None:
    assert http.get(f"/exports/{nom}", params=demande).status_code == 422


def test_each_list_has_its_rule_and_each_filter_its_words() -> None:
    for liste in LISTES:
        assert DROITS[f"exporter_liste_{liste.nom}"].trace == "export"
        filtres = liste.filtres.model_fields.keys() - _HORS_FILTRES - {"tri", "ordre"}
        assert filtres <= FILTRES.keys(), liste.nom
