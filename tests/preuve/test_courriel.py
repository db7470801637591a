"""E-mail to who audits: a real server on this machine, ciphered or not, kind or not."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from messagerie import Boite, serveur_courriel

from oi_service.preuve.courriel import Messagerie, masquee, message_de
from oi_service.preuve.point import Point, cle_de_verification, octets_publics

_CLE = Ed25519PrivateKey.from_private_bytes(bytes(32))
_PUBLIQUE = octets_publics(_CLE.public_key())
_ANCRE = Point(
    origine="oi_service/journal/0d1f0a7e-3c55-4d0e-9a51-5b2c1f7f3a10",
    taille=6_040,
    racine=sha256(b"racine").digest(),
    instant=datetime(2026, 8, 2, 2, 0, 7, tzinfo=UTC),
    sceau=sha256(b"sceau").digest(),
).signe(_CLE)
_FICHIER = "ancre-000000006040.txt"
_PIECES = {_FICHIER: _ANCRE.texte.encode(), "ancre-000000006040.tsr": b"\x30\x00\r\n\n"}
AUDITEURS = ("auditeur-1@controle.example", "auditeur-2@controle.example")


def _authentifier(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, donnees: Any
) -> AuthResult:
    assert isinstance(donnees, LoginPassword)
    connu = (donnees.login, donnees.password) == (b"registre", b"mot:de/passe")
    return AuthResult(success=connu, handled=False)


@pytest.fixture(scope="module")
def certificat(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make the certificate of a server on this machine; its file, and that of its key."""
    cle = ec.generate_private_key(ec.SECP256R1())
    nom = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Courriel fictif")])
    fait = (
        x509.CertificateBuilder()
        .subject_name(nom)
        .issuer_name(nom)
        .public_key(cle.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(cle, hashes.SHA256())
    )
    dossier = tmp_path_factory.mktemp("courriel")
    (dossier / "serveur.pem").write_bytes(fait.public_bytes(Encoding.PEM))
    (dossier / "cle.pem").write_bytes(
        cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return dossier / "serveur.pem", dossier / "cle.pem"


@pytest.fixture
def tls(certificat: tuple[Path, Path]) -> ssl.SSLContext:
    contexte = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexte.load_cert_chain(*certificat)
    return contexte


@pytest.fixture
def connu(certificat: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the machine trust the server, as an administrator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificat[0]))


Ouvrir = Callable[..., Boite]


@pytest.fixture
def ouvrir() -> Iterator[Ouvrir]:
    """Lend a way to open servers."""
    with ExitStack() as pile:

        def ouvert(boite: Boite | None = None, **reglages: Any) -> Boite:
            return pile.enter_context(serveur_courriel(boite, **reglages))

        yield ouvert


def envoyer(url: str | None, **changes: Any) -> dict[str, str | None]:
    reglages: dict[str, Any] = {
        "expediteur": "registre@oi.example",
        "destinataires": AUDITEURS,
        "delai": 5,
    }
    messagerie = Messagerie(url, **(reglages | changes))
    return dict(messagerie.envoyer(message_de(_ANCRE, _PUBLIQUE, _PIECES)))


PARTI: dict[str, str | None] = dict.fromkeys(AUDITEURS)


def tous(raison: str) -> dict[str, str | None]:
    return dict.fromkeys(AUDITEURS, raison)


def test_the_auditors_receive_the_point_to_the_byte_and_a_text_to_read(ouvrir: Ouvrir) -> None:
    boite = ouvrir()
    assert envoyer(f"smtp://127.0.0.1:{boite.port}") == PARTI
    assert boite.recus[0].rcpt_tos == list(AUDITEURS)
    message = boite.message()
    assert message["From"] == "registre@oi.example"
    assert message["To"] == ", ".join(AUDITEURS)
    assert message["Subject"] == "Ancre du journal : 6\u202f040 événements au 02/08/2026"
    assert message["Date"] == "Sun, 02 Aug 2026 02:00:07 +0000"
    joints = {piece.get_filename(): piece.get_content() for piece in message.iter_attachments()}
    assert joints == _PIECES
    corps = message.get_body()
    assert corps is not None
    texte = corps.get_content()
    assert "6\u202f040 événements le 02/08/2026 à 04:00 (heure de Paris)" in texte
    assert _FICHIER in texte
    assert "CE QU’IL NE PROUVE PAS" in texte
    assert cle_de_verification(_ANCRE.point.origine, _PUBLIQUE) in texte


@pytest.mark.usefixtures("connu")
def test_starttls_is_taken_when_it_is_offered(ouvrir: Ouvrir, tls: ssl.SSLContext) -> None:
    boite = ouvrir(tls_context=tls)
    assert envoyer(f"smtp://127.0.0.1:{boite.port}") == PARTI
    assert boite.chiffres == [True]


@pytest.mark.usefixtures("connu")
def test_smtps_is_ciphered_from_the_first_byte(ouvrir: Ouvrir, tls: ssl.SSLContext) -> None:
    boite = ouvrir(ssl_context=tls)
    assert envoyer(f"smtps://127.0.0.1:{boite.port}") == PARTI
    assert len(boite.recus) == 1


@pytest.mark.parametrize("acces", ["smtp", "smtps"])
def test_a_server_that_nobody_vouches_for_gets_nothing(
    ouvrir: Ouvrir, tls: ssl.SSLContext, acces: str
) -> None:
    boite = ouvrir(**({"tls_context": tls} if acces == "smtp" else {"ssl_context": tls}))
    assert envoyer(f"{acces}://127.0.0.1:{boite.port}") == tous(
        "la liaison chiffrée avec le serveur de courriel ne s’établit pas"
    )
    assert boite.recus == []


@pytest.mark.usefixtures("connu")
def test_an_account_is_given_under_cipher_only(ouvrir: Ouvrir, tls: ssl.SSLContext) -> None:
    compte = {"authenticator": _authentifier, "auth_required": True}
    boite = ouvrir(tls_context=tls, require_starttls=True, **compte)
    assert envoyer(f"smtp://registre:mot%3Ade%2Fpasse@127.0.0.1:{boite.port}") == PARTI
    assert envoyer(f"smtp://registre:faux@127.0.0.1:{boite.port}") == tous(
        "le serveur de courriel refuse le compte (535)"
    )
    clair = ouvrir()
    assert envoyer(f"smtp://registre:mot%3Ade%2Fpasse@127.0.0.1:{clair.port}") == tous(
        "le serveur de courriel n’offre pas STARTTLS, et un mot de passe ne s’envoie pas en clair"
    )
    assert (len(boite.recus), len(clair.recus)) == (1, 0)


def test_each_recipient_has_its_own_answer(ouvrir: Ouvrir) -> None:
    un, deux = AUDITEURS
    refus = "le serveur de courriel refuse ce destinataire (550)"
    boite = ouvrir(Boite(refuses=(deux,)))
    assert envoyer(f"smtp://127.0.0.1:{boite.port}") == {un: None, deux: refus}
    boite = ouvrir(Boite(refuses=AUDITEURS))
    assert envoyer(f"smtp://127.0.0.1:{boite.port}") == tous(refus)


def test_a_refused_message_is_said(ouvrir: Ouvrir) -> None:
    boite = ouvrir(Boite(reponse="552 5.3.4 auditeur-1@controle.example: trop long"))
    assert envoyer(f"smtp://127.0.0.1:{boite.port}") == tous(
        "le serveur de courriel refuse le message (552)"
    )


@contextmanager
def _muet() -> Iterator[int]:
    """Lend the port of a server that takes the call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as serveur:
        pris: list[socket.socket] = []
        fil = threading.Thread(target=lambda: pris.append(serveur.accept()[0]))
        fil.start()
        try:
            yield serveur.getsockname()[1]
        finally:
            fil.join()
            for appel in pris:
                appel.close()


def test_a_server_that_is_away_or_mute_is_not_waited_for() -> None:
    with socket.socket() as libre:
        libre.bind(("127.0.0.1", 0))
        port = libre.getsockname()[1]
        assert envoyer(f"smtp://127.0.0.1:{port}") == tous("le serveur de courriel ne répond pas")
    with _muet() as port:
        [raison] = set(envoyer(f"smtp://127.0.0.1:{port}", delai=0.3).values())
    assert raison is not None
    assert "répond" in raison


@pytest.mark.parametrize(
    ("url", "raison"),
    [
        ("127.0.0.1:25", "OI_SMTP_URL doit avoir la forme"),
        ("http://127.0.0.1", "OI_SMTP_URL doit avoir la forme"),
        ("smtp://", "OI_SMTP_URL doit avoir la forme"),
        (None, "n’est pas réglé"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(url: str | None, raison: str) -> None:
    for dite in envoyer(url).values():
        assert dite is not None
        assert raison in dite


def test_an_address_that_is_none_is_said(ouvrir: Ouvrir) -> None:
    boite = ouvrir()
    rendu = envoyer(f"smtp://127.0.0.1:{boite.port}", expediteur="registre\nBcc: x@y.example")
    assert rendu == tous("une adresse de courriel est mal écrite")
    assert boite.recus == []


def test_what_is_kept_of_an_address_names_nobody() -> None:
    assert masquee("prenom.nom@controle.example") == "…@controle.example"
