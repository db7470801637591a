"""Documents that come with a form: how much is read of it, what the store keeps."""

import asyncio
import hashlib
import io
from collections.abc import Callable

import pytest
from fichiers import PDF
from petite import Petite, formulaire
from starlette.datastructures import Headers, UploadFile
from starlette.testclient import TestClient

from api import enceinte
from api.pages.pieces_jointes import deposer_jointes
from oi_service.application import Service
from oi_service.pieces import ContenuInattendu, FormatNonAdmis, PieceDangereuse, PieceVide
from oi_service.reseau import Reseau

EMPREINTE = hashlib.sha256(PDF).hexdigest()


def envoye(nom: str, contenu: bytes, media: str = "application/pdf") -> UploadFile:
    return UploadFile(io.BytesIO(contenu), filename=nom, headers=Headers({"content-type": media}))


def deposer(service: Service, *fichiers: UploadFile) -> list[dict[str, str]]:
    return asyncio.run(deposer_jointes(service, fichiers))


@pytest.mark.parametrize(
    ("nom", "libelle"),
    [
        ("Facture n° 12.pdf", "Facture n° 12.pdf"),
        (r"C:\Users\moi\Facture.pdf", "Facture.pdf"),
        ("../../etc/facture.pdf", "facture.pdf"),
        ("fac\x1b[2Jture.pdf", "fac\ufffd[2Jture.pdf"),
    ],
)
def test_a_document_is_named_as_its_sender_calls_it(
    service: Service, nom: str, libelle: str
) -> None:
    jointe = {"sha256": EMPREINTE, "libelle": libelle, "type": "justificatif"}
    assert deposer(service, envoye(nom, PDF)) == [jointe]
    assert service.pieces.etat(EMPREINTE) == "presente"


def test_the_same_document_twice_is_kept_once(service: Service) -> None:
    premiere, seconde = deposer(service, envoye("a.pdf", PDF), envoye("b.pdf", PDF))
    assert premiere["sha256"] == seconde["sha256"]
    assert [r.sha256 for r in service.pieces.rangees()] == [EMPREINTE]


@pytest.mark.parametrize(
    ("nom", "contenu", "media", "refus"),
    [
        ("facture.exe", PDF, "application/pdf", FormatNonAdmis),
        ("facture.png", PDF, "image/png", ContenuInattendu),
        ("facture.pdf", b"", "application/pdf", PieceVide),
        ("facture.pdf", b"<html>%PDF-1.4", "application/pdf", PieceDangereuse),
    ],
)
def test_what_the_store_refuses_is_refused(
    service: Service, nom: str, contenu: bytes, media: str, refus: type[Exception]
) -> None:
    with pytest.raises(refus):
        deposer(service, envoye(nom, contenu, media))
    assert list(service.pieces.rangees()) == []


@pytest.fixture
def http(reglages: Callable[..., Reseau], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(enceinte, "JOINTES_MAX", 2**20)
    petite = Petite(reglages())
    for chemin in ("/actes/preparer", "/depenses/import", "/ailleurs"):
        petite.add_api_route(chemin, formulaire, methods=["POST"])
    return TestClient(petite, base_url="http://localhost")


@pytest.mark.parametrize(
    ("chemin", "cookie", "octets", "statut"),
    [
        ("/actes/preparer", True, enceinte.FORMULAIRE_MAX, 200),
        ("/depenses/import", True, enceinte.FORMULAIRE_MAX, 200),
        ("/actes/preparer", True, 2**20, 413),
        ("/actes/preparer", False, enceinte.FORMULAIRE_MAX, 413),
        ("/ailleurs", True, enceinte.FORMULAIRE_MAX, 413),
    ],
)
def test_a_form_with_documents_is_larger_where_some_are_taken(
    http: TestClient, chemin: str, *, cookie: bool, octets: int, statut: int
) -> None:
    reponse = http.post(
        chemin,
        data={"nom": "a"},
        files={"pieces": ("a.pdf", b"a" * octets)},
        headers={"Cookie": "session=a"} if cookie else {},
    )
    assert reponse.status_code == statut, reponse.text


def test_a_form_of_fields_is_small_everywhere(http: TestClient) -> None:
    reponse = http.post(
        "/actes/preparer",
        data={"nom": "a" * enceinte.FORMULAIRE_MAX},
        headers={"Cookie": "session=a"},
    )
    assert reponse.status_code == 413
