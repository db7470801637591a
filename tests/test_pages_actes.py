"""The forms of acts: every command has one, it reads as people write, it loses nothing."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from fichiers import PDF
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from portier import PortierDEssai
from starlette.testclient import TestClient
from vie import Vie

from aggregates.operation.instruction import InstruirePlan
from api.app import create_app
from api.pages.actes.catalogue import actes
from api.pages.actes.champs import Feuille, Groupe, Liste, Noeud, forme
from api.pages.actes.execution import valider
from api.pages.actes.saisie import Plat, aplatir, construire, resserrer
from api.pages.actes.vue import Champ, Formes
from api.pages.formulaires import Defaut
from api.pages.liens_actes import TITRES, lien_acte
from oi_service.application import Service
from oi_service.ids import convention_of
from projections.journal import lire_flux
from projections.perimetre import OI_ENTIER

TOUS = sorted(actes())


def _feuilles(noeud: Noeud) -> Iterator[Feuille]:
    if isinstance(noeud, Groupe):
        for enfant in noeud.enfants:
            yield from _feuilles(enfant)
    elif isinstance(noeud, Liste):
        yield from _feuilles(noeud.element)
    else:
        yield noeud


# --- Every command has a form --------------------------------------------------------------------


def test_every_act_has_a_title_and_no_title_stands_for_nothing() -> None:
    assert set(TITRES) == set(TOUS)


@pytest.mark.parametrize("nom", TOUS)
def test_a_form_says_every_field_and_every_choice_in_french(nom: str) -> None:
    for feuille in _feuilles(forme(actes()[nom].modele)):
        assert feuille.libelle != feuille.nom, f"{feuille.nom} has no label"
        muets = [code for code, dit in feuille.options if code == dit and not code[0].isdigit()]
        assert not muets, f"{feuille.nom}: {muets}"


def test_what_an_act_is_said_to_do_is_for_people() -> None:
    assert not [fait.nom for fait in actes().values() if "`" in fait.sens or not fait.sens]


def test_a_field_that_its_model_makes_optional_is_optional_in_the_form() -> None:
    racine = forme(actes()["rectifier_dossier"].modele)
    exiges = {noeud.nom for noeud in racine.enfants if noeud.requis}
    assert exiges == {"date_effet", "motif"}


# --- What is typed -------------------------------------------------------------------------------

PLAN = forme(InstruirePlan)


def _lire(**tapes: str | list[str]) -> tuple[object, list[Defaut]]:
    plat: Plat = {
        nom.replace("__", "."): [valeur] if isinstance(valeur, str) else valeur
        for nom, valeur in tapes.items()
    }
    defauts: list[Defaut] = []
    return construire(PLAN, resserrer(PLAN, plat), defauts), defauts


@pytest.mark.parametrize(
    ("tape", "lu"),
    [
        ("1234,56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,5 €", "1234.50"),
        ("1\u202f234", "1234.00"),
        ("0012.30", "12.30"),
        ("0", "0.00"),
    ],
)
def test_an_amount_is_read_as_people_write_it(tape: str, lu: str) -> None:
    corps, defauts = _lire(plan__fse=tape)
    assert corps["plan"]["fse"] == lu  # type: ignore[index]
    assert defauts == []


@pytest.mark.parametrize(
    "tape", ["1,234.56", "12,345", "douze", "1.234,56", "12 €€", "٣", "9" * 5000]
)
def test_an_amount_that_may_mean_two_things_is_refused(tape: str) -> None:
    _, [defaut] = _lire(plan__fse=tape)
    assert defaut.champ == "plan.fse"
    assert tape in defaut.message
    assert "1\u00a0234,56" in defaut.message


@given(st.integers(min_value=0, max_value=10**14))
def test_an_amount_shown_and_sent_again_is_the_same(centimes: int) -> None:
    ecrit = f"{centimes // 100}.{centimes % 100:02d}"
    montre = aplatir(PLAN, {"plan": {"fse": ecrit}})
    defauts: list[Defaut] = []
    assert construire(PLAN, montre, defauts)["plan"]["fse"] == ecrit
    assert defauts == []


def test_empty_lines_are_left_out_and_the_others_keep_their_order() -> None:
    corps, _ = _lire(
        date_effet="14/03/2022",
        plan__fse="50",
        plan__postes__0__code="",
        plan__postes__2__code="personnel",
        plan__postes__2__montant="60",
        plan__postes__7__code="fonctionnement",
        plan__postes__7__montant="40",
    )
    assert corps == {
        "date_effet": "2022-03-14",
        "plan": {
            "postes": [
                {"code": "personnel", "montant": "60.00"},
                {"code": "fonctionnement", "montant": "40.00"},
            ],
            "fse": "50.00",
        },
    }


# --- In the pages --------------------------------------------------------------------------------

OPERATION = Vie.id("UN")
COMPLEMENT = lien_acte("demander_complement", OPERATION)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "60000.00")
    vie.appel()
    vie.depot("UN")
    with TestClient(create_app(service, PortierDEssai()), follow_redirects=False) as made:
        yield made


def _caches(page: str) -> dict[str, str]:
    trouves = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {nom: html.unescape(valeur) for nom, valeur in trouves}


def _envoyer(
    client: TestClient, adresse: str, page: str, fichier: bytes | None = None, **tapes: str
) -> Response:
    fichiers = {"fichiers": ("demande.pdf", fichier, "application/pdf")} if fichier else {}
    return client.post(adresse, data=_caches(page) | tapes, files=fichiers or None)


def _faits(service: Service, flux: UUID = OPERATION) -> list[str]:
    with service.reads.connection() as conn:
        return [lu.name for lu in lire_flux(conn, OI_ENTIER, [flux]).get(flux, [])]


def test_every_form_opens(client: TestClient) -> None:
    for fait in actes().values():
        cibles = [1 if nom == "numero" else OPERATION for nom in fait.parametres]
        reponse = client.get(lien_acte(fait.nom, *cibles))
        # What it points at may not exist; nothing else is a reason not to open.
        assert reponse.status_code in {200, 404}, (fait.nom, reponse.text)
        if reponse.status_code == 200:
            assert f"<h1>{fait.titre}</h1>" in reponse.text


def test_an_act_is_done_and_the_person_comes_back(client: TestClient, service: Service) -> None:
    page = client.get(f"{COMPLEMENT}?retour=/dossiers/UN%23histoire").text
    assert "Dossier n°\u00a0UN" in page
    reponse = _envoyer(
        client,
        COMPLEMENT,
        page,
        date_effet="2021-09-20",
        pieces_attendues="Statuts\nRIB signé",
        echeance="2021-10-20",
    )
    assert reponse.status_code == 303, reponse.text
    assert reponse.headers["location"] == "/dossiers/UN?fait=demander_complement#histoire"
    assert _faits(service)[-1] == "operation.complement_demande.v1"
    suite = client.get(reponse.headers["location"]).text
    assert "C’est enregistré&nbsp;: Demander des compléments." in suite


def test_a_form_sent_twice_records_once(client: TestClient, service: Service) -> None:
    page = client.get(COMPLEMENT).text
    tape = {
        "date_effet": "2021-09-20",
        "pieces_attendues": "Statuts",
        "echeance": "2021-10-20",
    }
    for _ in range(2):
        assert _envoyer(client, COMPLEMENT, page, **tape).status_code == 303
    assert _faits(service).count("operation.complement_demande.v1") == 1


def test_what_is_wrong_is_said_by_its_field_and_what_was_typed_stays(
    client: TestClient, service: Service
) -> None:
    avant = _faits(service)
    reponse = _envoyer(
        client,
        COMPLEMENT,
        client.get(COMPLEMENT).text,
        date_effet="2021-09-20",
        pieces_attendues="Statuts & RIB",
        echeance="jamais",
    )
    assert reponse.status_code == 422
    assert 'href="#echeance"' in reponse.text
    assert "Échéance" in reponse.text
    assert "Statuts &amp; RIB" in reponse.text
    assert 'value="jamais"' in reponse.text
    assert _faits(service) == avant


def test_a_form_that_another_act_overtook_says_what_it_did(
    client: TestClient, service: Service
) -> None:
    ouvert = client.get(COMPLEMENT).text
    tape = {"date_effet": "2021-09-20", "echeance": "2021-10-20"}
    autre = client.get(COMPLEMENT).text
    assert _envoyer(client, COMPLEMENT, autre, pieces_attendues="RIB", **tape).status_code == 303
    reponse = _envoyer(client, COMPLEMENT, ouvert, pieces_attendues="Statuts", **tape)
    assert reponse.status_code == 412
    assert "Ce qui a changé depuis que vous avez ouvert ce formulaire" in reponse.text
    assert "RIB" in reponse.text
    assert ">Statuts</textarea>" in reponse.text
    # The same, read again and sent again, is accepted or refused for what it says.
    relu = _envoyer(client, COMPLEMENT, reponse.text, pieces_attendues="Statuts", **tape)
    assert relu.status_code != 412


@pytest.mark.parametrize("version", ["", "deux", "9" * 5000])
def test_a_form_that_does_not_say_what_it_saw_is_shown_again(
    client: TestClient, service: Service, version: str
) -> None:
    avant = _faits(service)
    tape = {"date_effet": "2021-09-20", "pieces_attendues": "Statuts", "echeance": "2021-10-20"}
    page = client.get(COMPLEMENT).text
    reponse = _envoyer(client, COMPLEMENT, page, _version=version, **tape)
    assert reponse.status_code == 428
    assert "ne dit plus quel état du dossier vous aviez sous les yeux" in reponse.text
    assert ">Statuts</textarea>" in reponse.text
    assert _faits(service) == avant
    assert _envoyer(client, COMPLEMENT, reponse.text, **tape).status_code == 303


def test_an_address_fills_the_fields_of_a_form_and_not_what_it_is_checked_with(
    client: TestClient,
) -> None:
    cle = "0197f3a0-0000-7000-8000-000000000001"
    page = client.get(f"{COMPLEMENT}?_cle={cle}&_version=1&echeance=2021-10-20").text
    assert 'value="2021-10-20"' in page
    assert _caches(page)["_cle"] != cle
    assert _caches(page)["_version"] == _caches(client.get(COMPLEMENT).text)["_version"]


def test_a_line_that_no_browser_numbers_is_no_line() -> None:
    _, defauts = _lire(**{f"plan__postes__{'9' * 5000}__code": "personnel"})
    assert defauts == _lire()[1]


def test_lines_are_added_and_taken_off_without_losing_the_others(client: TestClient) -> None:
    adresse = lien_acte("instruire_plan", OPERATION)
    page = client.get(adresse).text
    tape = {"plan.postes.0.code": "personnel", "plan.postes.0.montant": "60,00"}
    plus = _envoyer(client, adresse, page, _ajouter="plan.postes", **tape).text
    assert 'name="plan.postes.1.code"' in plus
    assert 'value="60,00"' in plus
    moins = _envoyer(client, adresse, plus, _oter="plan.postes.0", **tape).text
    assert 'value="60,00"' not in moins


def test_a_document_sent_with_an_act_is_deposited_and_named_by_it(
    client: TestClient, service: Service
) -> None:
    page = client.get(COMPLEMENT).text
    tape = {"date_effet": "2021-09-20", "pieces_attendues": "Statuts"}
    refuse = _envoyer(client, COMPLEMENT, page, PDF, echeance="jamais", **tape)
    assert refuse.status_code == 422
    assert "demande" in refuse.text, "the document is kept while the rest is mended"
    garde = {"pieces.0.garder": "oui", "echeance": "2021-10-20"}
    assert _envoyer(client, COMPLEMENT, refuse.text, **garde, **tape).status_code == 303
    with service.reads.connection() as conn:
        dernier = lire_flux(conn, OI_ENTIER, [OPERATION])[OPERATION][-1]
    assert [p.libelle for p in dernier.fait.pieces] == ["demande.pdf"]
    assert service.pieces.contient(dernier.fait.pieces[0].sha256)


def test_a_trap_among_the_documents_is_refused_and_nothing_is_lost(client: TestClient) -> None:
    page = client.get(COMPLEMENT).text
    reponse = client.post(
        COMPLEMENT,
        data=_caches(page) | {"pieces_attendues": "Statuts"},
        files={"fichiers": ("virus.exe", b"MZ\x90\x00", "application/octet-stream")},
    )
    assert reponse.status_code in {415, 422}
    assert ">Statuts</textarea>" in reponse.text


def test_who_has_not_the_role_of_an_act_does_not_even_see_its_form(client: TestClient) -> None:
    auditeur = {"OI-Role": "auditeur", "OI-Acteur": "auditeur-1"}
    assert client.get(COMPLEMENT, headers=auditeur).status_code == 403
    assert client.post(COMPLEMENT, headers=auditeur, data={}).status_code == 403


@pytest.mark.parametrize(
    "adresse",
    ["/actes/absent", "/actes/demander_complement", "/actes/demander_complement/x", "/actes/"],
)
def test_an_address_that_points_at_nothing_says_so(client: TestClient, adresse: str) -> None:
    reponse = client.get(adresse, headers={"accept": "text/html"})
    assert reponse.status_code == 404
    assert "<h1>" in reponse.text


def test_the_version_is_that_of_what_the_route_writes_on(
    client: TestClient, service: Service
) -> None:
    """An act on the convention of an operation waits for the version of the convention."""
    vie = Vie(service)
    vie.jusqu_au_demarrage("DEUX")
    page = client.get(lien_acte("demander_avenant", vie.id("DEUX"))).text
    attendue = len(_faits(service, convention_of(vie.id("DEUX"))))
    assert _caches(page)["_version"] == str(attendue)
    assert attendue != len(_faits(service, vie.id("DEUX")))


def test_an_avenant_that_comes_too_late_is_said_before_it_is_asked(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    vie = Vie(service)
    vie.jusqu_au_demarrage("DEUX")
    fin = vie.convention("DEUX").periode.fin
    for aujourdhui, tard in ((fin, False), (fin + timedelta(days=1), True)):
        monkeypatch.setattr(
            "api.pages.actes.preparations.operations.today", lambda jour=aujourdhui: jour
        )
        page = client.get(lien_acte("demander_avenant", vie.id("DEUX"))).text
        assert ("signé aujourd’hui serait refusé" in page) is tard


def test_the_day_of_effect_is_today_until_somebody_says_otherwise(client: TestClient) -> None:
    page = client.get(COMPLEMENT).text
    [jour] = re.findall(r'name="date_effet" value="([^"]+)"', page)
    assert date.fromisoformat(jour)
    autre = client.get(f"{COMPLEMENT}?date_effet=2021-09-20").text
    assert 'name="date_effet" value="2021-09-20"' in autre


VIREMENT = forme(actes()["effectuer_paiement"].modele)


@pytest.mark.parametrize(
    "tape",
    [
        "FR76 3000 6000 0112 3456 7890 189",
        "fr7630006000011234567890189",
        "FR76••••189",
        "FR76 •••• 189",
        "FR76****189",
        "FR76 … 189",
    ],
)
def test_an_iban_is_masked_before_it_is_kept(tape: str) -> None:
    defauts: list[Defaut] = []
    corps = construire(VIREMENT, {"iban_masque": [tape]}, defauts)
    assert defauts == []
    assert corps["iban_masque"] == "FR76••••189"
    valider(
        actes()["effectuer_paiement"], corps | {"date_effet": "2022-07-01", "ref_virement": "V"}
    )


@pytest.mark.parametrize(
    ("tape", "dit"),
    [
        ("FR76 3000 6000 0112 3456 7890 188", "cet IBAN n’est pas valide"),
        ("mon compte", "écrivez l’IBAN"),
        ("30006000011", "écrivez l’IBAN"),
    ],
)
def test_an_iban_that_cannot_be_one_is_refused(tape: str, dit: str) -> None:
    defauts: list[Defaut] = []
    construire(VIREMENT, {"iban_masque": [tape]}, defauts)
    [defaut] = defauts
    assert defaut.champ == "iban_masque"
    assert dit in defaut.message
    # An account is not shown again by a page that says what is wrong with it.
    assert tape not in defaut.message


# --- What a browser asks before it sends ---------------------------------------------------------


def _bloquants(champs: tuple[Champ, ...], *, libre: bool = False) -> Iterator[str]:
    """Yield the fields that a browser would refuse to leave empty, though all around may be."""
    for champ in champs:
        if champ.nature == "feuille" and champ.exige and libre:
            yield champ.chemin
        laisse = libre or (champ.nature in {"groupe", "liste"} and not champ.requis)
        yield from _bloquants(champ.enfants, libre=laisse)


@pytest.mark.parametrize("nom", TOUS)
def test_what_may_be_left_out_never_keeps_a_form_from_being_sent(nom: str) -> None:
    """A browser does not send a form whose closed fold has an empty field, and says nothing."""
    racine = forme(actes()[nom].modele)
    vides: Plat = {f"{n.nom}.0._": [""] for n in racine.enfants if isinstance(n, Liste)}
    champs = Formes(vides, {}, frozenset(), frozenset()).champs(racine)
    assert list(_bloquants(champs)) == []
    # What must be given still is asked at once.
    assert next(c for c in champs if c.chemin == "date_effet").exige
