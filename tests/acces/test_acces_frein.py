"""The brake: an attacker waits, a person does not stay outside."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from comptes_joues import AGENT, AILLEURS, ICI, PHRASE, Maison, acces_leger
from hypothesis import given
from hypothesis import strategies as st

from oi_service.acces import frein
from oi_service.acces.frein import ATTENTE_MAXIMALE, attente_apres, reseau
from oi_service.acces.refus import ActivationRefusee, CodeRefuse, IdentifiantsRefuses, TropDEssais


def essayer(maison: Maison, courriel: str, adresse: str) -> int | None:
    """Try a wrong password; return the seconds to wait, ``None`` when it was judged."""
    try:
        maison.acces.connecter(courriel, "ce n’est pas cela", adresse=adresse, agent=AGENT)
    except TropDEssais as trop:
        return int(trop.details["secondes"])
    except IdentifiantsRefuses:
        return None
    pytest.fail("a wrong password came in")


def jusqu_au_frein(maison: Maison, courriel: str, adresse: str) -> int:
    """Return how many wrong passwords are judged before one must wait."""
    for juges in range(100):
        if essayer(maison, courriel, adresse) is not None:
            return juges
    pytest.fail("no brake")


def test_waits_grow_and_are_told(maison: Maison) -> None:
    courriel = maison.compte()
    assert jusqu_au_frein(maison, courriel, ICI) == 5
    attentes = []
    for _ in range(6):
        attente = essayer(maison, courriel, ICI)
        assert attente is not None
        attentes.append(attente)
        with pytest.raises(TropDEssais, match=f"dans {attente} secondes"):
            maison.entrer(courriel)
        maison.horloge.avancer(seconds=attente - 1)
        assert essayer(maison, courriel, ICI) == 1  # What is refused adds nothing.
        maison.horloge.avancer(seconds=1)
        assert essayer(maison, courriel, ICI) is None
    # Longer each time, but for what fades meanwhile.
    assert attentes == [30, 60, 120, 240, 240, 480]


def test_the_right_password_waits_too_and_then_washes(maison: Maison) -> None:
    courriel = maison.compte()
    jusqu_au_frein(maison, courriel, ICI)
    with pytest.raises(TropDEssais):
        maison.entrer(courriel)
    maison.horloge.avancer(seconds=30)
    assert maison.entrer(courriel)
    assert jusqu_au_frein(maison, courriel, ICI) == 5


def test_an_account_that_does_not_exist_is_braked_alike(maison: Maison) -> None:
    assert jusqu_au_frein(maison, "inconnue@oi.example", ICI) == 5
    assert essayer(maison, "inconnue@oi.example", ICI) == 30


def test_a_stranger_elsewhere_does_not_hold_a_person_here(maison: Maison) -> None:
    courriel = maison.compte()
    maison.entrer(courriel)  # Known here from now on.
    for rang in range(60):
        essayer(maison, courriel, f"198.51.100.{rang}")
    with pytest.raises(TropDEssais):  # From where nobody knows them, all wait.
        maison.entrer(courriel, adresse="203.0.113.5")
    assert maison.entrer(courriel, adresse=ICI)


def test_many_networks_share_the_count_of_an_account(maison: Maison) -> None:
    courriel = maison.compte()
    juges = sum(essayer(maison, courriel, f"198.51.100.{rang}") is None for rang in range(100))
    assert juges == frein.GRATUITS_COMPTE


def test_nobody_is_kept_out_for_ever(maison: Maison) -> None:
    courriel = maison.compte()
    for rang in range(100):
        essayer(maison, courriel, f"198.51.100.{rang}")
        maison.horloge.avancer(seconds=100)
    maison.horloge.avancer(seconds=ATTENTE_MAXIMALE.total_seconds())
    assert maison.entrer(courriel, adresse="203.0.113.5")


def test_one_password_on_every_account_is_seen(maison: Maison) -> None:
    juges = sum(
        essayer(maison, f"compte-{rang}@oi.example", AILLEURS) is None for rang in range(80)
    )
    assert juges == frein.GRATUITS_RESEAU
    # Those who come from elsewhere do not suffer.
    assert maison.entrer(maison.compte(), adresse=ICI)


def test_coming_in_does_not_wash_what_one_tries_on_others(maison: Maison) -> None:
    sien = maison.compte()
    juges = 0
    for rang in range(80):
        juges += essayer(maison, f"compte-{rang}@oi.example", ICI) is None
        if rang < 45:
            maison.entrer(sien)
    assert juges == frein.GRATUITS_RESEAU


def test_a_whole_office_comes_in_from_one_address(maison: Maison) -> None:
    courriels = [maison.compte(f"gestionnaire-{rang}") for rang in range(12)]
    for _ in range(6):
        for courriel in courriels:
            assert maison.entrer(courriel, adresse=ICI)


def test_failures_fade(maison: Maison) -> None:
    courriel = maison.compte()
    for _ in range(10):
        for _ in range(4):
            assert essayer(maison, courriel, ICI) is None
        maison.horloge.avancer(hours=1)


def test_the_count_survives_a_restart_and_is_shared(maison: Maison) -> None:
    courriel = maison.compte()
    jusqu_au_frein(maison, courriel, ICI)
    service = maison.service
    autre = acces_leger(service, service.lieux.cles)
    with pytest.raises(TropDEssais):
        autre.connecter(courriel, PHRASE, adresse=ICI, agent=AGENT)


def test_attempts_at_once_are_all_counted(maison: Maison) -> None:
    courriel = maison.compte()
    depart = Barrier(8)

    def rafale() -> int:
        depart.wait()
        return sum(essayer(maison, courriel, ICI) is None for _ in range(5))

    with ThreadPoolExecutor(8) as fils:
        juges = sum(f.result() for f in [fils.submit(rafale) for _ in range(8)])
    assert juges == 5


def test_many_come_in_at_once(maison: Maison) -> None:
    courriels = [maison.compte(f"gestionnaire-{rang}") for rang in range(4)] * 2
    depart = Barrier(8)

    def entrer(courriel: str) -> int:
        depart.wait()
        return sum(bool(maison.entrer(courriel).jeton) for _ in range(10))

    with ThreadPoolExecutor(8) as fils:
        assert sum(fils.map(entrer, courriels)) == 80


def test_codes_are_braked_wherever_they_come_from(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    juges = 0
    for rang in range(100):
        attente = maison.entrer(courriel, adresse=f"198.51.100.{rang}")
        try:
            maison.acces.terminer_connexion(attente.jeton, "12345", adresse=f"198.51.100.{rang}")
        except IdentifiantsRefuses:
            juges += 1
        except TropDEssais:
            pass
    assert juges == frein.GRATUITS_COMPTE
    assert maison.entrer(courriel, telephone.neuf(), adresse=ICI)


def test_every_secret_that_is_asked_is_braked(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    identite = maison.identite(ouverte)
    maison.acces.preparer_second_facteur(identite)
    acces = maison.acces
    gestes: dict[str, Callable[[], object]] = {
        "renforcer": lambda: acces.renforcer(ouverte.session_id, "1", adresse=ICI),
        "installer": lambda: acces.installer_second_facteur(identite, "1", adresse=ICI),
        "activer": lambda: acces.activer(courriel, "1", PHRASE, adresse=ICI),
        "changer": lambda: acces.changer_mot_de_passe(identite, "faux", PHRASE, adresse=ICI),
    }
    for geste in gestes.values():
        for _ in range(5):
            with pytest.raises((CodeRefuse, IdentifiantsRefuses, ActivationRefusee)):
                geste()
        with pytest.raises(TropDEssais):
            geste()
        maison.horloge.avancer(hours=2)  # The same brake holds all codes.


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(1, 100))
def test_a_wait_grows_with_failures_and_is_bounded(un: float, autre: float, libres: int) -> None:
    moins, plus = sorted((un, autre))
    assert timedelta(0) <= attente_apres(moins, libres) <= attente_apres(plus, libres)
    assert attente_apres(plus, libres) <= ATTENTE_MAXIMALE
    assert attente_apres(libres - 1, libres) == timedelta(0) < attente_apres(libres, libres)


@pytest.mark.parametrize(
    ("adresse", "lu"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_network_is_what_one_subscriber_holds(adresse: str, lu: str) -> None:
    assert reseau(adresse) == lu
