"""Secrets: nowhere in clear, useless to who reads the database, used once even by two at once."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from comptes_joues import AGENT, ICI, LEGER, PHRASE, Maison, Telephone, acces_leger
from personnes.fuites import fuites
from psycopg import sql

from oi_service.acces.acces import Acces
from oi_service.acces.mots_de_passe import MotsDePasse, exiger_acceptable
from oi_service.acces.refus import (
    ActivationRefusee,
    CodeRefuse,
    IdentifiantsRefuses,
    MotDePasseRefuse,
)
from oi_service.acces.secrets import tirer_code, tirer_identifiant, tirer_jeton
from oi_service.errors import Refusal
from oi_service.personnes.coffre import CleAbsente, Coffre


def contenu_de(base: str) -> dict[str, bytes]:
    """Return all that the database holds, table by table, as a dump would write it."""
    with psycopg.connect(base) as conn:
        tables = conn.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname IN ('acces', 'oi', 'projection', 'public')"
        ).fetchall()
        return {
            f"{schema}.{table}": _copie(conn, sql.Identifier(schema, table))
            for schema, table in tables
        }


def _copie(conn: psycopg.Connection, table: sql.Identifier) -> bytes:
    with conn.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as copie:
        return b"".join(bytes(morceau) for morceau in copie)


def test_no_secret_is_anywhere(
    maison: Maison, base: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    courriel = "agente@oi.example"
    maison.ouvrir_au_journal("gestionnaire-1", "gestionnaire_oi")
    activation = maison.acces.enregistrer("gestionnaire-1", courriel, "Agente fictive")
    maison.acces.activer(courriel, activation, PHRASE, adresse=ICI)
    telephone = maison.installer(courriel)
    attente = maison.entrer(courriel)
    code = telephone.neuf()
    ouverte = maison.acces.terminer_connexion(attente.jeton, code, adresse=ICI)
    jeton = maison.acces.creer_jeton(
        maison.identite(ouverte), "x", ["gestionnaire_oi"], timedelta(days=9), lecture_seule=True
    )
    prepare = maison.acces.preparer_second_facteur(maison.identite(ouverte))
    reactivation = maison.acces.reactiver("gestionnaire-1")
    dits = [
        repr(attente),
        repr(ouverte),
        repr(prepare),
        repr(maison.acces),
        repr(maison.acces._mots),
    ]
    for geste in (
        lambda: maison.acces.connecter(courriel, "faux " + PHRASE, adresse=ICI, agent=AGENT),
        lambda: maison.acces.connecter(PHRASE, PHRASE, adresse=ICI, agent=AGENT),
        lambda: maison.acces.activer(courriel, activation, PHRASE, adresse=ICI),
        lambda: maison.acces.activer(courriel, reactivation, courriel, adresse=ICI),
        lambda: maison.acces.enregistrer("gestionnaire-2", courriel, "Agente fictive"),
    ):
        with pytest.raises(Refusal) as refus:
            geste()
        dits += [str(refus.value), repr(refus.value), str(refus.value.details)]
        dits += traceback.format_exception(refus.value)  # As the technical log would write it.
    lieux = contenu_de(base)
    assert courriel.encode() in lieux["acces.compte"]  # The search finds what is there.
    dit, erreurs = capfd.readouterr()
    lieux["paroles"] = "\n".join([*dits, caplog.text, dit, erreurs]).encode()
    secrets = [
        PHRASE,
        activation,
        activation.replace("-", ""),
        reactivation,
        telephone.secret,
        prepare.secret,
        *telephone.secours,
        *(secours.replace("-", "") for secours in telephone.secours),
        attente.jeton,
        ouverte.jeton,
        jeton,
    ]
    assert fuites(lieux, secrets) == []
    assert courriel.encode() not in lieux["paroles"]
    assert [nom for nom, octets in lieux.items() if courriel.encode() in octets] == ["acces.compte"]


def test_a_dump_of_the_database_opens_nothing(maison: Maison, base: str, tmp_path: Path) -> None:
    courriel = maison.compte()
    maison.installer(courriel)
    ouverte = maison.entrer(courriel, None)
    with psycopg.connect(base) as conn:
        rows = conn.execute(
            "SELECT empreinte, encode(empreinte, 'hex') FROM acces.session"
        ).fetchall()
        [ferme] = conn.execute("SELECT second_facteur FROM acces.compte").fetchall()
        [hache] = conn.execute("SELECT mot_de_passe FROM acces.compte").fetchall()
    assert rows
    for octets, hexa in rows:
        for vole in (hexa, bytes(octets).decode("latin-1")):
            assert maison.acces.identite_de_session(vole) is None
            with pytest.raises(IdentifiantsRefuses):
                maison.acces.terminer_connexion(vole, "000000", adresse=ICI)
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.connecter(courriel, hache[0], adresse=ICI, agent=AGENT)
    # The second factor does not open without the folder of keys.
    ailleurs = Acces(
        maison.service.journal.pool, Coffre(tmp_path / "autres"), None, MotsDePasse(LEGER)
    )
    with pytest.raises(CleAbsente):
        ailleurs.terminer_connexion(ouverte.jeton, "000000", adresse=ICI)
    assert len(ferme[0]) > 100


def test_a_second_factor_moved_to_another_account_does_not_open(maison: Maison, base: str) -> None:
    victime = maison.compte()
    attaquant = maison.compte("gestionnaire-2")
    maison.installer(victime)
    telephone = maison.installer(attaquant)
    with psycopg.connect(base) as conn:
        conn.execute(
            "UPDATE acces.compte SET second_facteur = (SELECT second_facteur FROM acces.compte "
            "WHERE identifiant = 'gestionnaire-2') WHERE identifiant = 'gestionnaire-1'"
        )
    with pytest.raises(Refusal, match="ne s’ouvre pas"):
        maison.entrer(victime, telephone.neuf())


def en_meme_temps(gestes: list[Callable[[], object]]) -> tuple[int, list[Refusal]]:
    """Do them all at once; return how many went through, and the refusals."""
    depart = Barrier(len(gestes))

    def un(geste: Callable[[], object]) -> Refusal | None:
        depart.wait()
        try:
            geste()
        except Refusal as refus:
            return refus
        return None

    with ThreadPoolExecutor(len(gestes)) as fils:
        refus = [r for r in fils.map(un, gestes) if r is not None]
    return len(gestes) - len(refus), refus


def entre(maison: Maison, courriel: str, phrase: str) -> bool:
    try:
        maison.acces.connecter(courriel, phrase, adresse=ICI, agent=AGENT)
    except IdentifiantsRefuses:
        return False
    return True


@pytest.mark.parametrize("_fois", range(3))
def test_a_code_used_twice_at_once_serves_once(maison: Maison, _fois: int) -> None:
    courriel = "agente@oi.example"
    maison.ouvrir_au_journal("gestionnaire-1", "gestionnaire_oi")
    activation = maison.acces.enregistrer("gestionnaire-1", courriel, "Agente fictive")
    phrases = [f"{PHRASE} {rang}" for rang in range(4)]
    faits, refus = en_meme_temps(
        [lambda p=p: maison.acces.activer(courriel, activation, p, adresse=ICI) for p in phrases]
    )
    assert faits == 1
    assert {type(r) for r in refus} == {ActivationRefusee}
    [juste] = [phrase for phrase in phrases if entre(maison, courriel, phrase)]
    ouverte = maison.acces.connecter(courriel, juste, adresse=ICI, agent=AGENT)
    identite = maison.identite(ouverte)
    prepare = maison.acces.preparer_second_facteur(identite)
    telephone = Telephone(prepare.secret, maison.horloge)
    [secours, *_] = maison.acces.installer_second_facteur(identite, telephone.code())
    session, code = ouverte.session_id, telephone.neuf()
    faits, refus = en_meme_temps([lambda: maison.acces.renforcer(session, code, adresse=ICI)] * 4)
    assert faits == 1
    assert {type(r) for r in refus} == {CodeRefuse}
    maison.horloge.avancer(hours=1)  # The failures of before fade.
    attentes = [
        maison.acces.connecter(courriel, juste, adresse=ICI, agent=AGENT).jeton for _ in range(4)
    ]
    faits, refus = en_meme_temps(
        [lambda j=j: maison.acces.terminer_connexion(j, secours, adresse=ICI) for j in attentes]
    )
    assert faits == 1
    assert {type(r) for r in refus} == {IdentifiantsRefuses}


def test_codes_and_tokens_do_not_repeat_and_are_long() -> None:
    assert len({tirer_jeton() for _ in range(1000)}) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", tirer_jeton()) for _ in range(100))
    assert all(re.fullmatch(r"([2-9B-Z]{6}-){3}[2-9B-Z]{6}", tirer_code()) for _ in range(100))
    assert all(re.fullmatch(r"agent-[2-9b-z]{8}", tirer_identifiant()) for _ in range(100))


# Passwords.


@pytest.mark.parametrize(
    ("mot", "raison"),
    [
        ("", "au moins 12"),
        ("onze lettres", None),
        ("onzelettres", "au moins 12"),
        ("e\u0301" * 6 + "abcde", "au moins 12"),  # eleven letters, of which six in two points
        ("x" * 129, "128 caractères suffisent"),
        ("aaaaaaaaaaaaaaa", "en premier"),
        ("abababababababab", "en premier"),
        ("Mot De Passe 123", "en premier"),
        ("MotDePasse2026!", "en premier"),
        ("azertyuiop123", "en premier"),
        ("prenom.nom@oi.example", "votre nom"),
        ("PRENOM-NOM en 2026", "votre nom"),
        ("la petite fictive", "votre nom"),
        ("quatre chevaux dans la brume", None),
        ("🐎" * 3 + "🐎🐄🐖🐏🐐🐓🐇🐕🐈", None),
        ("7KXNM-RT4QZ-99BVD", None),
    ],
)
def test_long_and_not_guessed_first(mot: str, raison: str | None) -> None:
    if raison is None:
        exiger_acceptable(mot, "prenom.nom@oi.example", "Agente Fictive")
        return
    with pytest.raises(MotDePasseRefuse, match=raison) as refus:
        exiger_acceptable(mot, "prenom.nom@oi.example", "Agente Fictive")
    assert not mot or mot not in str(refus.value)


def test_the_real_parameters_are_those_of_the_rfc() -> None:
    garde = MotsDePasse().hacher(PHRASE)
    assert garde.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (RFC_9106_LOW_MEMORY.memory_cost, RFC_9106_LOW_MEMORY.time_cost) == (65536, 3)
    assert MotsDePasse().verifier(garde, PHRASE)
    assert not MotsDePasse().verifier(garde, PHRASE + " ")
    assert not MotsDePasse().verifier("illisible", PHRASE)
    # What is compared with when there is nothing is nobody's password.
    assert not MotsDePasse(LEGER).verifier(None, "leurre")


def test_a_password_is_kept_again_with_the_parameters_of_today(maison: Maison, base: str) -> None:
    courriel = maison.compte()
    forts = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    service = maison.service
    demain = Acces(
        service.journal.pool, Coffre(service.lieux.cles / "comptes"), None, MotsDePasse(forts)
    )

    def parametres() -> str:
        with psycopg.connect(base) as conn:
            [(garde,)] = conn.execute("SELECT mot_de_passe FROM acces.compte").fetchall()
        return str(garde).split("$")[3]

    assert parametres() == "m=8,t=1,p=1"
    with pytest.raises(IdentifiantsRefuses):
        demain.connecter(courriel, "faux", adresse=ICI, agent=AGENT)
    assert parametres() == "m=8,t=1,p=1"
    assert demain.connecter(courriel, PHRASE, adresse=ICI, agent=AGENT)
    assert parametres() == "m=16,t=2,p=1"
    assert acces_leger(service, service.lieux.cles).connecter(
        courriel, PHRASE, adresse=ICI, agent=AGENT
    )


class Compteur(PasswordHasher):
    """Counts the work done."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verifications = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.verifications += 1
        return super().verify(hash, password)  # type: ignore[arg-type,return-value]


@pytest.fixture
def compteur(maison: Maison) -> Iterator[Compteur]:
    compteur = Compteur()
    maison.acces._mots = MotsDePasse(compteur)
    return compteur


def test_as_much_work_for_an_account_that_does_not_exist(
    maison: Maison, compteur: Compteur
) -> None:
    courriel = maison.compte()
    maison.acces.enregistrer("inactive-1", "inactive@oi.example", "Jamais activée")
    for qui in (courriel, "inconnue@oi.example", "inactive@oi.example"):
        compteur.verifications = 0
        with pytest.raises(IdentifiantsRefuses):
            maison.acces.connecter(qui, "une phrase fausse", adresse=ICI, agent=AGENT)
        assert compteur.verifications == 1
