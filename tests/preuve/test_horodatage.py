"""Time-stamps: accepted when they are of our point and our request, from a server that signs."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from horodateur import REFUS, Autorite, ServeurHorodatage, serveur_horodatage

from oi_service import clock
from oi_service.preuve.horodatage import HorodatageManque, Horodateur

_POINT = "Un point du journal, à l’octet près\n".encode()


@pytest.fixture(scope="module")
def autorite() -> Autorite:
    return Autorite.nouvelle()


@pytest.fixture
def serveur(autorite: Autorite) -> Iterator[ServeurHorodatage]:
    with serveur_horodatage(autorite) as ouvert:
        yield ouvert


def manque(horodateur: Horodateur) -> str:
    with pytest.raises(HorodatageManque) as refused:
        horodateur.dater(_POINT)
    return str(refused.value)


@pytest.mark.parametrize("avec_ac", [False, True])
def test_a_point_is_dated(serveur: ServeurHorodatage, tmp_path: Path, *, avec_ac: bool) -> None:
    ac = serveur.autorite.ecrire(tmp_path / "ac.pem") if avec_ac else None
    jeton = Horodateur(serveur.url, ac).dater(_POINT)
    assert abs(jeton.instant - clock.now()) < timedelta(minutes=1)
    assert sha256(_POINT).digest() in jeton.octets
    assert len(serveur.demandes) == 1


def test_the_file_kept_is_checked_by_the_usual_tool(
    serveur: ServeurHorodatage, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on this machine")
    point, jeton = tmp_path / "ancre.txt", tmp_path / "ancre.tsr"
    point.write_bytes(_POINT)
    jeton.write_bytes(Horodateur(serveur.url).dater(_POINT).octets)
    ac = serveur.autorite.ecrire(tmp_path / "ac.pem")
    verifier = [openssl, "ts", "-verify", "-data", str(point), "-in", str(jeton)]
    assert subprocess.run([*verifier, "-CAfile", str(ac)], check=False).returncode == 0
    point.write_bytes(_POINT + b"x")
    assert subprocess.run([*verifier, "-CAfile", str(ac)], check=False).returncode != 0


def test_each_request_is_its_own(serveur: ServeurHorodatage) -> None:
    for _ in range(2):
        Horodateur(serveur.url).dater(_POINT)
    assert serveur.demandes[0] != serveur.demandes[1]


def _autre_point(jeton: dict[str, Any]) -> None:
    jeton["message_imprint"] = {
        "hash_algorithm": {"algorithm": "sha256"},
        "hashed_message": sha256(b"autre").digest(),
    }


def _autre_algorithme(jeton: dict[str, Any]) -> None:
    jeton["message_imprint"]["hash_algorithm"] = {"algorithm": "sha3_256"}


def _autre_demande(jeton: dict[str, Any]) -> None:
    jeton["nonce"] += 1


def _sans_demande(jeton: dict[str, Any]) -> None:
    jeton["nonce"] = None


@pytest.mark.parametrize(
    ("changer", "raison"),
    [
        (_autre_point, "autre chose que le point"),
        (_autre_algorithme, "autre chose que le point"),
        (_autre_demande, "une autre demande que la nôtre"),
        (_sans_demande, "une autre demande que la nôtre"),
    ],
)
def test_the_date_of_something_else_is_refused(
    serveur: ServeurHorodatage, changer: Any, raison: str
) -> None:
    serveur.changer = changer
    assert raison in manque(Horodateur(serveur.url))


@pytest.mark.parametrize(
    ("corps", "raison"),
    [
        (REFUS, "il la refuse (état 2)"),
        (b"<html>bienvenue</html>", "pas un horodatage"),
        (b"", "pas un horodatage"),
        (b"0\x050\x03\x02\x01\x00", "pas un horodatage"),
        (b"x" * (2**20 + 1), "trop longue"),
    ],
    ids=lambda valeur: repr(valeur[:16]),
)
def test_what_is_no_time_stamp_is_refused(
    serveur: ServeurHorodatage, corps: bytes, raison: str
) -> None:
    serveur.corps = corps
    assert raison in manque(Horodateur(serveur.url))


def test_an_answer_to_another_request_is_refused(serveur: ServeurHorodatage) -> None:
    Horodateur(serveur.url).dater(_POINT)
    serveur.corps = serveur.autorite.repondre(serveur.demandes[0], lambda _: None)
    assert "une autre demande" in manque(Horodateur(serveur.url))


def test_a_server_that_is_down_away_or_angry_is_named(
    serveur: ServeurHorodatage,
) -> None:
    serveur.statut = 503
    assert manque(Horodateur(serveur.url)) == (
        "Le serveur d’horodatage 127.0.0.1 n’a pas daté le point : il répond 503."
    )
    serveur.statut = 302
    assert "il répond 302" in manque(Horodateur(serveur.url)), "a token is not looked for elsewhere"
    with socket.socket() as libre:
        libre.bind(("127.0.0.1", 0))
        assert "il ne répond pas" in manque(
            Horodateur(f"http://127.0.0.1:{libre.getsockname()[1]}/tsa")
        )


@pytest.mark.parametrize("lenteur", [0.02, 30])
def test_a_slow_server_is_not_waited_for(serveur: ServeurHorodatage, lenteur: float) -> None:
    serveur.lenteur = lenteur
    debut = time.monotonic()
    assert "en 0.5 secondes" in manque(Horodateur(serveur.url, delai=0.5))
    assert time.monotonic() - debut < 5


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/", "horodateur", ""])
def test_an_address_is_of_the_web(url: str) -> None:
    assert "doit commencer par http:// ou https://" in manque(Horodateur(url))


def test_what_an_address_keeps_secret_is_not_shown() -> None:
    horodateur = Horodateur("ftp://compte:secret@horodateur.example/tsa?cle=secret")
    assert horodateur.serveur == "horodateur.example"
    assert "secret" not in manque(horodateur)


def test_with_authorities_the_signature_must_be_theirs(
    serveur: ServeurHorodatage, tmp_path: Path
) -> None:
    autres = Autorite.nouvelle("Autorité fictive n° 2").ecrire(tmp_path / "autres.pem")
    assert "OI_HORODATAGE_AC" in manque(Horodateur(serveur.url, autres))
    assert "ne peut pas être lu" in manque(Horodateur(serveur.url, tmp_path / "absent.pem"))
    vide = tmp_path / "vide.pem"
    vide.write_text("rien")
    assert "ne peut pas être lu" in manque(Horodateur(serveur.url, vide))


def test_with_authorities_a_token_that_was_touched_is_refused(
    serveur: ServeurHorodatage, tmp_path: Path
) -> None:
    ac = serveur.autorite.ecrire(tmp_path / "ac.pem")
    # Signed by a key that is not that of the certificate it shows.
    etrangere = Autorite.nouvelle()
    serveur.autorite = Autorite(serveur.autorite.racine, serveur.autorite.feuille, etrangere.cle)
    assert "n’est pas celle des autorités" in manque(Horodateur(serveur.url, ac))
