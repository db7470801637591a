"""Accounts for the tests of accesses: opened in the log, recorded, with or without a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
import pytest
from argon2 import PasswordHasher

from aggregates.compte import ouverture, roles
from aggregates.compte.state import COMPTE
from oi_service import clock
from oi_service.acces.acces import Acces, Ouverture, Reglages
from oi_service.acces.identite import Identite
from oi_service.acces.mots_de_passe import MotsDePasse
from oi_service.app import open_service
from oi_service.application import Acte, Service
from oi_service.ids import compte_of, new_id
from oi_service.lieux import Lieux
from oi_service.personnes.coffre import Coffre

#: As little work as argon2 accepts: the real parameters are in one test of their own.
LEGER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PHRASE = "quatre chevaux dans la brume"
DEBUT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ICI = "192.0.2.7"
AILLEURS = "198.51.100.9"
AGENT = "Navigateur fictif"
ADMIN = Acte("administrateur-0", "administrateur")


class Horloge:
    """The clock of a test: it moves when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.instant = DEBUT
        monkeypatch.setattr(clock, "now", lambda: self.instant)

    def avancer(self, **duree: float) -> None:
        self.instant += timedelta(**duree)


class Maison:
    """A service, and the acts of its administrator."""

    def __init__(self, service: Service, acces: Acces, horloge: Horloge) -> None:
        self.service = replace(service, acces=acces)
        self.acces = acces
        self.horloge = horloge

    def ouvrir_au_journal(self, identifiant: str, *tenus: str) -> None:
        ouvrir = ouverture.OuvrirCompte(date_effet=clock.today(), identifiant=identifiant)
        self.service.journal.execute(
            replace(ADMIN, command_id=new_id()),
            lambda unit: unit.create(COMPTE, compte_of(identifiant), ouverture.ouvrir, ouvrir),
        )
        for role in tenus:
            self.attribuer(identifiant, role)

    def attribuer(
        self, identifiant: str, role: str, plies: tuple[str, ...] = (), **dates: Any
    ) -> UUID:
        attribution_id = new_id()
        commande = roles.AttribuerRole.model_validate(
            {
                "date_effet": clock.today(),
                "role": role,
                "plies": plies,
                "du": clock.today(),
                **dates,
            }
        )
        self.service.journal.execute(
            replace(ADMIN, command_id=new_id()),
            lambda unit: unit.execute(
                COMPTE,
                compte_of(identifiant),
                roles.attribuer,
                commande,
                attribution_id,
                ADMIN.acteur,
                frozenset({"agenais", "albret"}),
            ),
        )
        return attribution_id

    def retirer(self, identifiant: str, attribution_id: UUID) -> None:
        commande = roles.RetirerRole(date_effet=clock.today(), motif="Départ")
        self.service.journal.execute(
            replace(ADMIN, command_id=new_id()),
            lambda unit: unit.record(
                COMPTE,
                compte_of(identifiant),
                roles.retirer(
                    unit.get(COMPTE, compte_of(identifiant)),
                    commande,
                    attribution_id,
                    ADMIN.acteur,
                    dernier_administrateur=False,
                ),
            ),
        )

    def suspendre(self, identifiant: str) -> None:
        commande = ouverture.ChangerEtatCompte(date_effet=clock.today(), motif="Départ")
        self.service.journal.execute(
            replace(ADMIN, command_id=new_id()),
            lambda unit: unit.record(
                COMPTE,
                compte_of(identifiant),
                ouverture.suspendre(
                    unit.get(COMPTE, compte_of(identifiant)),
                    commande,
                    ADMIN.acteur,
                    dernier_administrateur=False,
                ),
            ),
        )

    def compte(self, identifiant: str = "gestionnaire-1", *tenus: str) -> str:
        """Open an account that has its password; return its e-mail address."""
        courriel = f"{identifiant}@oi.example"
        self.ouvrir_au_journal(identifiant, *(tenus or ("gestionnaire_oi",)))
        code = self.acces.enregistrer(identifiant, courriel, "Agente fictive")
        self.acces.activer(courriel, code, PHRASE, adresse=ICI)
        return courriel

    def entrer(self, courriel: str, code: str | None = None, adresse: str = ICI) -> Ouverture:
        return self.acces.connecter(courriel, PHRASE, code, adresse=adresse, agent=AGENT)

    def identite(self, ouverture: Ouverture) -> Identite:
        identite = self.acces.identite_de_session(ouverture.jeton, ICI)
        assert identite is not None
        return identite

    def installer(self, courriel: str) -> "Telephone":
        """Install a second factor; return what then gives its codes."""
        identite = self.identite(self.entrer(courriel))
        prepare = self.acces.preparer_second_facteur(identite)
        telephone = Telephone(prepare.secret, self.horloge)
        telephone.secours = self.acces.installer_second_facteur(identite, telephone.code())
        return telephone


class Telephone:
    """The application of a person: it knows the secret and the hour."""

    def __init__(self, secret: str, horloge: Horloge) -> None:
        self.secret = secret
        self.horloge = horloge
        self.secours: tuple[str, ...] = ()

    def code(self, decalage: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(self.horloge.instant, counter_offset=decalage)

    def neuf(self) -> str:
        """Wait for a code that did not serve."""
        self.horloge.avancer(seconds=30)
        return self.code()


@contextmanager
def maison_ouverte(base: str, lieux: Lieux, horloge: Horloge, **reglages: Any) -> Iterator[Maison]:
    with open_service(base, lieux) as service:
        yield Maison(service, acces_leger(service, lieux.cles, **reglages), horloge)


def acces_leger(service: Service, cles: Path, **reglages: Any) -> Acces:
    """Return accesses that work fast, on the connections of a service."""
    return Acces(
        service.journal.pool, Coffre(cles / "comptes"), Reglages(**reglages), MotsDePasse(LEGER)
    )
