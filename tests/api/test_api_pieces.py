"""Documents through the JSON door: deposited by streaming, read back as they were, or refused."""

import asyncio
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import pytest
from corps import dossier, ouvrir
from fichiers import EXEMPLES, PDF
from httpx2 import Response
from porte import AUDITEUR, GESTIONNAIRE, Api
from starlette.types import Message, Receive, Send
from structlog.testing import capture_logs

from api.deps import perimetre
from api.enceinte import CORPS_MAX
from api.web import POLITIQUE_DOCUMENT
from oi_service.clock import now
from projections.perimetre import Perimetre
from projections.pieces import orphelines, pieces_nommees, verifier_pieces

SHA = hashlib.sha256(PDF).hexdigest()


def deposer(api: Api, nom: str, contenu: bytes | Iterator[bytes], **en_tetes: str) -> Response:
    headers = GESTIONNAIRE | {"OI-Nom-Fichier": quote(nom)} | en_tetes
    return api.http.post("/api/v1/pieces", content=contenu, headers=headers)


def joindre(sha256: str, libelle: str = "Facture") -> dict[str, str]:
    return {"sha256": sha256, "libelle": libelle, "type": "facture"}


@pytest.mark.parametrize("nom", EXEMPLES)
def test_a_document_comes_back_byte_for_byte(api: Api, nom: str) -> None:
    contenu = EXEMPLES[nom]
    depot = deposer(api, nom, contenu)
    assert depot.status_code == 201, depot.text
    recu = depot.json()
    assert (recu["sha256"], recu["octets"], recu["deja_connue"]) == (
        hashlib.sha256(contenu).hexdigest(),
        len(contenu),
        False,
    )
    lu = api.http.get(depot.headers["Location"])
    assert (lu.status_code, lu.content) == (200, contenu)
    assert lu.headers["Content-Length"] == str(len(contenu))
    assert lu.headers["X-Content-Type-Options"] == "nosniff"
    extension = {"csv": "txt", "jpeg": "jpg", "tiff": "tif"}.get(recu["type"], recu["type"])
    assert lu.headers["Content-Disposition"] == (
        f'attachment; filename="{recu["sha256"][:16]}.{extension}"'
    )
    assert lu.headers["Content-Security-Policy"] == POLITIQUE_DOCUMENT
    tete = api.http.head(depot.headers["Location"])
    assert (tete.status_code, tete.headers["Content-Length"]) == (200, str(len(contenu)))
    assert api.position == 0, "a deposit is no event"


def test_the_same_document_twice_is_one_file(api: Api) -> None:
    assert deposer(api, "a.pdf", PDF).json()["deja_connue"] is False
    encore = deposer(api, "b.pdf", PDF)
    assert (encore.status_code, encore.json()["deja_connue"]) == (201, True)
    assert [r.sha256 for r in api.service.pieces.rangees()] == [SHA]


def test_a_document_may_be_larger_than_a_command(api: Api) -> None:
    def flux() -> Iterator[bytes]:
        yield PDF
        for _ in range(2 * CORPS_MAX // 2**16):
            yield bytes(2**16)

    depot = deposer(api, "scan.pdf", flux())
    assert depot.status_code == 201, depot.text
    assert depot.json()["octets"] > 2 * CORPS_MAX
    assert len(api.http.get(depot.headers["Location"]).content) == depot.json()["octets"]


def test_a_document_too_large_is_refused_whole(api: Api) -> None:
    def flux() -> Iterator[bytes]:
        yield PDF
        for _ in range(api.service.pieces.maximum // 2**16 + 1):
            yield bytes(2**16)

    depot = deposer(api, "film.pdf", flux())
    assert (depot.status_code, depot.json()["code"]) == (413, "piece_trop_lourde")
    assert depot.json()["detail"].startswith("« film.pdf » dépasse 50\u00a0Mo")
    assert list(api.service.pieces.dossier.iterdir()) == []


@pytest.mark.parametrize(
    ("nom", "contenu", "en_tetes", "code"),
    [
        ("archive.zip", b"PK", {}, "format_non_admis"),
        ("Facture n° 12.pdf", EXEMPLES["capture.png"], {}, "contenu_inattendu"),
        ("facture.pdf", PDF, {"Content-Type": "image/png"}, "type_contredit"),
        ("facture.pdf", b"", {}, "piece_vide"),
    ],
)
def test_a_document_that_is_not_what_it_says_is_refused_in_french(
    api: Api, nom: str, contenu: bytes, en_tetes: dict[str, str], code: str
) -> None:
    refuse = deposer(api, nom, contenu, **en_tetes)
    assert (refuse.status_code, refuse.json()["code"]) == (415, code)
    assert refuse.headers["Content-Type"] == "application/problem+json"
    assert f"« {nom} »" in refuse.json()["detail"]
    assert list(api.service.pieces.rangees()) == []


def test_what_is_deposited_has_a_name(api: Api) -> None:
    refuse = api.http.post("/api/v1/pieces", content=PDF)
    assert (refuse.status_code, refuse.json()["code"]) == (422, "saisie_invalide")
    assert list(api.service.pieces.rangees()) == []


def test_a_disk_that_refuses_is_said_in_french(api: Api) -> None:
    api.service.pieces.dossier.parent.mkdir(parents=True, exist_ok=True)
    api.service.pieces.dossier.write_text("un fichier, là où irait le dossier")
    refuse = deposer(api, "a.pdf", PDF)
    assert (refuse.status_code, refuse.json()["code"]) == (507, "depot_impossible")


@pytest.mark.parametrize("sha256", ["0" * 64, "f" * 64])
def test_a_document_never_deposited_is_absent(api: Api, sha256: str) -> None:
    absente = api.http.get(f"/api/v1/pieces/{sha256}")
    assert (absente.status_code, absente.json()["code"]) == (404, "piece_non_deposee")


@pytest.mark.parametrize("nom", ["..%2F..%2Fetc%2Fpasswd", "ABC", "A" * 64])
def test_nothing_but_a_digest_is_an_address(api: Api, nom: str) -> None:
    assert api.http.get(f"/api/v1/pieces/{nom}").status_code in {404, 422}


def test_an_altered_document_is_never_served(api: Api) -> None:
    deposer(api, "a.pdf", PDF)
    place = api.service.pieces.dossier / SHA[:2] / SHA
    place.chmod(0o640)
    place.write_bytes(PDF.replace(b"1.4", b"1.5"))
    with capture_logs() as dit:
        refuse = api.http.get(f"/api/v1/pieces/{SHA}")
    assert (refuse.status_code, refuse.json()["code"]) == (500, "piece_alteree")
    assert SHA in refuse.json()["detail"]
    assert PDF[:4] not in refuse.content
    assert [d["event"] for d in dit] == ["piece_alteree"]


def _demander(api: Api, portee: dict[str, object], receive: Receive, send: Send) -> None:
    """Ask as a server does, with a reader of our own."""
    en_tetes = GESTIONNAIRE | {"Host": "testserver", "OI-Nom-Fichier": "a.pdf"}
    portee |= {
        "type": "http",
        "query_string": b"",
        "headers": [(nom.lower().encode(), valeur.encode()) for nom, valeur in en_tetes.items()],
        "app": api.http.app,
    }

    async def demander() -> None:
        await api.http.app(portee, receive, send)

    # In a thread of its own: a browser test may have left a loop in this one.
    with ThreadPoolExecutor(1) as fil:
        fil.submit(asyncio.run, demander()).result()


def test_who_goes_away_in_the_middle_leaves_nothing_and_is_no_bug(api: Api) -> None:
    recus: list[Message] = []
    envois: list[Message] = [
        {"type": "http.request", "body": PDF, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return envois.pop(0)

    async def send(message: Message) -> None:
        recus.append(message)

    lieu = {"method": "POST", "path": "/api/v1/pieces", "raw_path": b"/api/v1/pieces"}
    _demander(api, lieu, receive, send)
    assert recus[0]["status"] == 400
    assert list(api.service.pieces.dossier.iterdir()) == []


@pytest.mark.parametrize("avant", ["http.response.start", "http.response.body"])
@pytest.mark.parametrize("vu", ["/api/v1/pieces/", "/pieces/"])
def test_who_goes_away_before_the_end_leaves_no_file_open(
    api: Api, vu: str, avant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deposer(api, "a.pdf", PDF)
    ouverts: list[BinaryIO] = []

    def ouvrir_et_retenir(place: Path) -> BinaryIO:
        ouverts.append(place.open("rb"))
        return ouverts[-1]

    monkeypatch.setattr("oi_service.pieces._ouvrir", ouvrir_et_retenir)

    envois: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        return envois.pop() if envois else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == avant:
            await asyncio.sleep(60)  # A reader who takes nothing any more, until they are gone.

    lieu = {"method": "GET", "path": vu + SHA, "raw_path": (vu + SHA).encode()}
    _demander(api, lieu, receive, send)
    assert [fichier.closed for fichier in ouverts] == [True]


# What the log names.


def test_a_document_is_shown_to_those_who_read_an_event_that_names_it(api: Api) -> None:
    _, appel = ouvrir(api)
    lien = deposer(api, "a.pdf", PDF).headers["Location"]

    def lue_par(*plie: str) -> int:
        api.http.app.dependency_overrides[perimetre] = lambda: Perimetre(frozenset(plie))  # type: ignore[attr-defined]
        statut: int = api.http.get(lien).status_code
        api.http.app.dependency_overrides.clear()  # type: ignore[attr-defined]
        return statut

    assert [lue_par("A"), lue_par("B")] == [404, 404], "no event names it yet"
    assert api.http.get(lien).status_code == 200, "the whole OI reads the whole store"
    api.faire("/operations", dossier(appel, pieces=[joindre(SHA)]))
    assert [lue_par("A"), lue_par("B"), lue_par("A", "B"), lue_par()] == [200, 404, 200, 404]


def test_what_only_an_auditor_names_is_for_auditors(api: Api) -> None:
    sg, appel = ouvrir(api)
    lien = deposer(api, "a.pdf", PDF).headers["Location"]
    ouverture = {
        "date_effet": "2022-10-24",
        "mission": "Audit d’opérations",
        "organisme": "Autorité d’audit",
        "reference": "AUD-1",
        "perimetre": "Dépenses de 2021",
        "pieces": [joindre(SHA)],
    }
    api.faire(f"/audit/subventions-globales/{sg}/dossiers", ouverture, personne=AUDITEUR)

    def statuts() -> list[int]:
        return [api.http.get(lien, headers=h).status_code for h in ({}, GESTIONNAIRE, AUDITEUR)]

    assert statuts() == [404, 404, 200]
    api.faire("/operations", dossier(appel, pieces=[joindre(SHA)]))
    assert statuts() == [200, 200, 200]


def test_every_document_that_the_log_names_is_told_in_its_order(api: Api) -> None:
    _, appel = ouvrir(api)
    contenus = {nom: f"pièce {nom}".encode() for nom in "abcde"}
    shas = {nom: hashlib.sha256(contenu).hexdigest() for nom, contenu in contenus.items()}
    for nom in "abce":
        deposer(api, f"{nom}.txt", contenus[nom])
    api.faire("/operations", dossier(appel, 1, pieces=[joindre(shas["b"]), joindre(shas["d"])]))
    jointes = [joindre(shas["b"], "Autre nom"), joindre(shas["a"], "Attestation")]
    api.faire("/operations", dossier(appel, 2, pieces=jointes))
    place = api.service.pieces.dossier / shas["a"][:2] / shas["a"]
    place.chmod(0o640)
    place.write_bytes(b"autre chose")
    with api.service.reads.connection() as conn:
        vues = [
            (v.nommee.position, v.nommee.sha256, v.nommee.libelle, v.etat)
            for v in verifier_pieces(conn, api.service.pieces)
        ]
        assert list(pieces_nommees(conn)) == [
            v.nommee for v in verifier_pieces(conn, api.service.pieces)
        ]
        seules = [o.sha256 for o in orphelines(conn, api.service.pieces, now())]
        recentes = list(orphelines(conn, api.service.pieces, now() - timedelta(days=1)))
    premier = api.position - 1
    assert vues == [
        (premier, shas["b"], "Facture", "presente"),
        (premier, shas["d"], "Facture", "absente"),
        (premier + 1, shas["a"], "Attestation", "alteree"),
    ]
    assert seules == sorted([shas["c"], shas["e"]])
    assert recentes == []
