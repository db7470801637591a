"""What every request crosses before the doors: names, proxies, origins, limits, headers."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from httpx2 import Response
from petite import DEPOT, Petite
from starlette.testclient import TestClient

from api.enceinte import (
    ADRESSE_MAX,
    CORPS_MAX,
    ENTETES_MAX,
    FORMULAIRE_MAX,
    HSTS,
    POLITIQUE,
    SECURITE,
)
from api.web import POLITIQUE_DOCUMENT
from oi_service.reseau import Reseau

Reglages = Callable[..., Reseau]
LOCAL = "http://localhost"


def client(reseau: Reseau, adresse: str = "127.0.0.1", base: str = LOCAL) -> TestClient:
    return TestClient(
        Petite(reseau), base_url=base, client=(adresse, 50_000), raise_server_exceptions=False
    )


@pytest.fixture
def http(reglages: Reglages) -> TestClient:
    return client(reglages())


def refuse(reponse: Response, statut: int, code: str) -> None:
    assert (reponse.status_code, reponse.json()["code"]) == (statut, code), reponse.text
    assert reponse.headers["content-type"] == "application/problem+json"
    # A refusal of the enclosure carries the headers too.
    assert reponse.headers["Content-Security-Policy"] == POLITIQUE


# --- Origins -------------------------------------------------------------------------------------

ECRITURES = ("POST", "PUT", "PATCH", "DELETE")
AILLEURS = {"Origin": "https://ailleurs.example"}


@pytest.mark.parametrize("methode", ECRITURES)
@pytest.mark.parametrize(
    "entetes",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://autre.localhost"},
        AILLEURS,
        AILLEURS | {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1234"},
        {"Origin": "http://localhost.ailleurs.example"},
    ],
)
def test_a_page_of_another_site_writes_nothing(
    http: TestClient, methode: str, entetes: dict[str, str]
) -> None:
    reponse = http.request(methode, "/ecrit", json={}, headers=entetes)
    refuse(reponse, 403, "origine_etrangere")
    assert "autre site" in reponse.json()["detail"]
    assert http.app.recus == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "entetes",
    [
        {},  # curl, and any program
        {"Sec-Fetch-Site": "same-origin", "Origin": LOCAL},
        {"Sec-Fetch-Site": "none"},  # typed in the address bar
        {"Origin": LOCAL},  # a browser without Fetch Metadata
    ],
)
def test_our_own_pages_and_programs_write(http: TestClient, entetes: dict[str, str]) -> None:
    assert http.post("/ecrit", json={}, headers=entetes).status_code == 200


def test_a_link_from_elsewhere_still_opens_a_page(http: TestClient) -> None:
    assert http.get("/lu", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_an_origin_of_the_settings_writes_and_no_other(reglages: Reglages) -> None:
    http = client(reglages(ORIGINES="https://ami.example"))
    croise = {"Sec-Fetch-Site": "cross-site"}
    ami = croise | {"Origin": "https://ami.example"}
    assert http.post("/ecrit", json={}, headers=ami).status_code == 200
    for autre in ("http://ami.example", "https://ami.example:8443", "https://pas-ami.example"):
        refuse(
            http.post("/ecrit", json={}, headers=croise | {"Origin": autre}),
            403,
            "origine_etrangere",
        )


# --- Names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("hote", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_the_service_answers_to_its_names(http: TestClient, hote: str) -> None:
    assert http.get("/lu", headers={"Host": hote}).status_code == 200


@pytest.mark.parametrize(
    "hote",
    [
        "ailleurs.example",
        "localhost.ailleurs.example",
        "",
        "localhost:80:80",
        "[::1",
        "localhost/x",
    ],
)
def test_a_name_that_only_resolves_here_reads_nothing(http: TestClient, hote: str) -> None:
    refuse(http.get("/lu", headers={"Host": hote}), 421, "hote_inconnu")


def test_two_names_are_none(http: TestClient) -> None:
    deux = [("Host", "localhost"), ("Host", "ailleurs.example")]
    refuse(http.get("/lu", headers=deux), 421, "hote_inconnu")


def test_the_names_are_those_of_the_settings(reglages: Reglages) -> None:
    http = client(reglages(HOTES="fse.exemple.fr"))
    assert http.get("/lu", headers={"Host": "fse.exemple.fr"}).status_code == 200
    refuse(http.get("/lu"), 421, "hote_inconnu")


# --- Proxies -------------------------------------------------------------------------------------

FORGES = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=203.0.113.9;proto=https",
    "X-Real-IP": "203.0.113.9",
    "X-Forwarded-Host": "ailleurs.example",
}


def test_what_anybody_says_of_their_address_is_not_believed(reglages: Reglages) -> None:
    http = client(reglages())
    assert http.get("/lu", headers=FORGES).json() == {"adresse": "127.0.0.1", "schema": "http"}


def test_a_declared_proxy_is_believed(reglages: Reglages) -> None:
    http = client(reglages(MANDATAIRES="10.0.0.0/24"), "10.0.0.7")
    assert http.get("/lu", headers=FORGES).json() == {
        "adresse": "203.0.113.9",
        "schema": "https",
    }


def test_a_client_of_the_proxy_cannot_pass_for_another(reglages: Reglages) -> None:
    http = client(reglages(MANDATAIRES="10.0.0.7"), "10.0.0.7")
    chaine = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert http.get("/lu", headers=chaine).json()["adresse"] == "203.0.113.9"


def test_past_the_proxy_only_this_machine_comes_in(reglages: Reglages) -> None:
    reseau = reglages(MANDATAIRES="10.0.0.7")
    refuse(client(reseau, "203.0.113.9").get("/lu", headers=FORGES), 403, "acces_direct")
    # From this machine, but not from the proxy: it is answered, not believed.
    local = client(reseau, "127.0.0.1").get("/lu", headers=FORGES).json()
    assert local == {"adresse": "127.0.0.1", "schema": "http"}


def test_one_address_is_written_one_way(reglages: Reglages) -> None:
    http = client(reglages(MANDATAIRES="10.0.0.7"), "10.0.0.7")

    def vue(donnee: str) -> str:
        adresse: str = http.get("/lu", headers={"X-Forwarded-For": donnee}).json()["adresse"]
        return adresse

    assert vue("::ffff:203.0.113.9") == "203.0.113.9"
    assert vue("2001:DB8:0:0::1") == "2001:db8::1"
    assert vue('nom" onmouseover=alert(1)') == "inconnue"


# --- Headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chemin", "statut"), [("/lu", 200), ("/static/page.css", 200), ("/absente", 404)]
)
def test_every_answer_carries_the_headers(http: TestClient, chemin: str, statut: int) -> None:
    reponse = http.get(chemin)
    assert reponse.status_code == statut
    for nom, valeur in SECURITE.items():
        assert reponse.headers[nom] == valeur
    assert reponse.headers["Content-Security-Policy"] == POLITIQUE
    assert "unsafe" not in POLITIQUE
    assert "script-src 'self';" in POLITIQUE, "our own files, and none written in a page"
    assert "Strict-Transport-Security" not in reponse.headers


def test_nothing_that_may_be_personal_is_kept_by_a_browser(http: TestClient) -> None:
    assert http.get("/lu").headers["Cache-Control"] == "no-store"
    assert http.get("/absente").headers["Cache-Control"] == "no-store"
    assert http.get("/static/page.css").headers["Cache-Control"] == "no-cache"


def test_tls_is_asked_for_ever_once_it_was_used(reglages: Reglages) -> None:
    direct = client(reglages(), base="https://localhost").get("/lu")
    assert direct.headers["Strict-Transport-Security"] == HSTS
    par_mandataire = client(reglages(MANDATAIRES="10.0.0.7"), "10.0.0.7")
    vu = par_mandataire.get("/lu", headers={"X-Forwarded-Proto": "https"})
    assert vu.headers["Strict-Transport-Security"] == HSTS


@pytest.mark.parametrize(
    ("nom", "attendue"),
    [
        ("piece.pdf", '"piece.pdf"'),
        ("Reçu n° 3.pdf", "\"Re_u_n_3.pdf\"; filename*=UTF-8''Re%C3%A7u%20n%C2%B0%203.pdf"),
        ('a"; x="b.pdf', "\"a_x_b.pdf\"; filename*=UTF-8''a%3B%20x%3Db.pdf"),
        ("../../etc/passwd", '"etcpasswd"'),
        ("a\r\nSet-Cookie: x.pdf", "\"aSet-Cookie_x.pdf\"; filename*=UTF-8''aSet-Cookie%20x.pdf"),
        ("\u202efdp.exe", '"fdp.exe"'),
        ("...", '"fichier"'),
    ],
)
def test_a_download_keeps_a_name_and_no_path(http: TestClient, nom: str, attendue: str) -> None:
    reponse = http.get(f"/fichier?nom={quote(nom)}")
    assert reponse.headers["Content-Disposition"] == f"attachment; filename={attendue}"
    assert "set-cookie" not in reponse.headers
    assert reponse.headers["Content-Security-Policy"] == POLITIQUE_DOCUMENT
    assert reponse.headers["X-Content-Type-Options"] == "nosniff"


# --- Sizes ---------------------------------------------------------------------------------------


def test_an_endless_address_is_refused(http: TestClient) -> None:
    refuse(http.get("/lu?" + "a" * ADRESSE_MAX), 414, "adresse_trop_longue")
    assert http.get("/lu?" + "a" * (ADRESSE_MAX - 100)).status_code == 200


def test_endless_headers_are_refused(http: TestClient) -> None:
    long = {"X-Long": "a" * ENTETES_MAX}
    refuse(http.get("/lu", headers=long), 431, "entetes_trop_longs")
    beaucoup = [(f"X-{n}", "a") for n in range(ENTETES_MAX // 4)]
    refuse(http.get("/lu", headers=beaucoup), 431, "entetes_trop_longs")


def test_a_body_is_read_up_to_a_limit(http: TestClient) -> None:
    preuve = {"Authorization": "Bearer jeton"}
    assez = http.post("/ecrit", json={"texte": "a" * (CORPS_MAX - 100)}, headers=preuve)
    assert assez.status_code == 200
    trop = http.post("/ecrit", json={"texte": "a" * CORPS_MAX}, headers=preuve)
    refuse(trop, 413, "corps_trop_grand")
    # Where documents are deposited, the store counts.
    assert http.post(DEPOT, content=b"a" * (CORPS_MAX + 1)).status_code == 200


def test_without_any_proof_of_who_asks_little_is_read(http: TestClient) -> None:
    refuse(http.post("/ecrit", json={"texte": "a" * FORMULAIRE_MAX}), 413, "corps_trop_grand")


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
def test_a_form_is_much_smaller(http: TestClient, media: str) -> None:
    corps = b"nom=" + b"a" * FORMULAIRE_MAX
    entetes = {"Content-Type": media, "Cookie": "session=a"}
    envoi = http.post("/formulaire", content=corps, headers=entetes)
    refuse(envoi, 413, "corps_trop_grand")


def test_a_form_has_few_fields(http: TestClient) -> None:
    champs = "&".join(f"c{n}=1" for n in range(1100))
    envoi = http.post(
        "/formulaire",
        content=f"nom=a&{champs}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    refuse(envoi, 400, "corps_illisible")


@pytest.mark.parametrize(
    "corps",
    [
        b'{"liste": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"liste": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"nombre": ' + b"9" * 100_000 + b"}",
        b'{"nombre": 1e999999999}',
        b'{"nombre": NaN}',
        b"\xff\xfe{}",
        b"[" * 100_000,
    ],
    ids=["lists", "objects", "digits", "exponent", "nan", "utf-16", "open"],
)
def test_a_bomb_of_json_is_a_malformed_request(http: TestClient, corps: bytes) -> None:
    entetes = {"Content-Type": "application/json", "Authorization": "Bearer jeton"}
    envoi = http.post("/ecrit", content=corps, headers=entetes)
    assert envoi.status_code in {400, 422}, envoi.text
    assert envoi.headers["content-type"] == "application/problem+json"
    assert len(envoi.content) < 2_000
    assert http.app.recus == []  # type: ignore[attr-defined]


# --- Rates ---------------------------------------------------------------------------------------


def test_an_address_without_an_account_is_bounded(reglages: Reglages) -> None:
    reseau = reglages(DEBIT="5/minute", MANDATAIRES="10.0.0.7")
    http = client(reseau, "10.0.0.7")
    un, autre = ({"X-Forwarded-For": a} for a in ("203.0.113.9", "203.0.113.10"))
    assert [http.get("/lu", headers=un).status_code for _ in range(6)] == [200] * 5 + [429]
    refus = http.get("/lu", headers=un)
    refuse(refus, 429, "too_many_requests")
    assert 1 <= int(refus.headers["Retry-After"]) <= 60
    assert http.get("/lu", headers=autre).status_code == 200
    # What is not there counts too; files of the pages do not.
    assert [http.get("/absente", headers=autre).status_code for _ in range(5)][-1] == 429
    assert http.get("/static/page.css", headers=un).status_code == 200


def test_a_subscriber_in_ipv6_is_a_whole_64(reglages: Reglages) -> None:
    http = client(reglages(DEBIT="3/minute", MANDATAIRES="10.0.0.7"), "10.0.0.7")
    vus = [
        http.get("/lu", headers={"X-Forwarded-For": f"2001:db8::{n}"}).status_code for n in range(5)
    ]
    assert vus == [200, 200, 200, 429, 429]


def test_who_is_signed_in_counts_for_themselves(reglages: Reglages) -> None:
    http = client(reglages(DEBIT="3/minute"))

    def appel(compte: str) -> int:
        return http.get("/lu", headers={"X-Compte": compte}).status_code

    # A whole office behind one address: four times three requests, and nobody is held.
    assert {appel(f"gestionnaire-{n}") for n in range(4) for _ in range(3)} == {200}
    assert appel("gestionnaire-0") == 429
    assert appel("gestionnaire-9") == 200
    assert http.get("/lu").status_code == 200
