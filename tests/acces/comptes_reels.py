"""Accounts of every kind, with sessions and tokens opened through the facade: nobody is believed on
what they say of themselves.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyotp
from comptes_joues import ADMIN, AGENT, ICI, PHRASE
from httpx2 import Response
from starlette.testclient import TestClient

from aggregates.compte import ouverture, roles
from aggregates.compte.state import COMPTE
from oi_service import clock
from oi_service.acces.identite import Identite
from oi_service.application import Acte, Service
from oi_service.ids import compte_of, new_id

#: Long enough ago for a role to have ended, or to start no sooner.
LONGTEMPS = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Compte:
    """Who asks: what they hold today, and what they show to prove it.

    It says what the service must find by itself: nothing here is sent but ``preuve``.
    """

    nom: str
    #: The roles in force, with their PLIE (none: the whole OI).
    tenus: tuple[tuple[str, frozenset[str]], ...] = ()
    preuve: dict[str, str] = field(default_factory=dict, repr=False)
    entre: bool = True  #: the proof opens something
    lecture_seule: bool = False
    renforce: bool = False
    sans_second_facteur: bool = False  #: and must install one

    @property
    def roles(self) -> frozenset[str]:
        """The roles held."""
        return frozenset(role for role, _ in self.tenus)

    def territoire(self, roles: Any) -> frozenset[str] | None:
        """Return what some roles give to see; ``None`` is the whole OI."""
        siens = [plies for role, plies in self.tenus if roles is None or role in roles]
        if frozenset() in siens:
            return None
        return frozenset().union(*siens)


class Guichet:
    """Opens accounts on a service, and asks at its door in their name."""

    def __init__(self, service: Service, http: TestClient, plies: frozenset[str]) -> None:
        self.service = service
        self.acces = service.acces
        self.http = http
        self._plies = plies
        self._secours: dict[str, list[str]] = {}

    def ouvrir(self, identifiant: str) -> None:
        """Open an account without a role, with a password."""
        commande = ouverture.OuvrirCompte(date_effet=clock.today(), identifiant=identifiant)
        self.service.journal.execute(
            Acte(ADMIN.acteur, ADMIN.role),
            lambda unit: unit.create(COMPTE, compte_of(identifiant), ouverture.ouvrir, commande),
        )
        courriel = f"{identifiant}@oi.example"
        code = self.acces.enregistrer(identifiant, courriel, f"Compte fictif {identifiant}")
        self.acces.activer(courriel, code, PHRASE, adresse=ICI)

    def attribuer(
        self,
        identifiant: str,
        role: str,
        *plies: str,
        du: date | None = None,
        au: date | None = None,
    ) -> None:
        """Give a role; in force from today by default."""
        commande = roles.AttribuerRole.model_validate(
            {
                "date_effet": clock.today(),
                "role": role,
                "plies": plies,
                "du": du or clock.today(),
                "au": au,
            }
        )
        self.service.journal.execute(
            Acte(ADMIN.acteur, ADMIN.role),
            lambda unit: unit.execute(
                COMPTE,
                compte_of(identifiant),
                roles.attribuer,
                commande,
                new_id(),
                ADMIN.acteur,
                self._plies,
            ),
        )

    def suspendre(self, identifiant: str) -> None:
        """Suspend an account."""
        commande = ouverture.ChangerEtatCompte(date_effet=clock.today(), motif="Départ")
        self.service.journal.execute(
            Acte(ADMIN.acteur, ADMIN.role),
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

    def session(self, identifiant: str) -> dict[str, str]:
        """Come in by a password, and a recovery code when there is a second factor."""
        codes = self._secours.get(identifiant)
        ouverte = self.acces.connecter(
            f"{identifiant}@oi.example",
            PHRASE,
            codes.pop() if codes else None,
            adresse=ICI,
            agent=AGENT,
        )
        return {"Cookie": f"__Host-oi={ouverte.jeton}"}

    def identite(self, preuve: dict[str, str]) -> Identite:
        """Return who a session is."""
        found = self.acces.identite_de_session(preuve["Cookie"].partition("=")[2], ICI)
        assert found is not None
        return found

    def installer(self, identifiant: str) -> None:
        """Install a second factor; sessions opened from then on are those of two proofs."""
        identite = self.identite(self.session(identifiant))
        secret = self.acces.preparer_second_facteur(identite).secret
        codes = self.acces.installer_second_facteur(identite, pyotp.TOTP(secret).now())
        self._secours[identifiant] = list(codes)

    def jeton(self, identifiant: str, *tenus: str, lecture_seule: bool = False) -> dict[str, str]:
        """Make a token for some of the roles of an account."""
        jeton = self.acces.creer_jeton(
            self.identite(self.session(identifiant)),
            "Programme fictif",
            tenus,
            timedelta(days=30),
            lecture_seule=lecture_seule,
        )
        return {"Authorization": f"Bearer {jeton}"}

    def demander(self, qui: Compte | None, methode: str, chemin: str, **envoi: Any) -> Response:
        """Send a request with the proof of somebody, and nothing else of theirs."""
        preuve = {} if qui is None else qui.preuve
        en_tetes = {**preuve, **envoi.pop("headers", {})}
        # What an answer puts in the browser is not for the next one who asks.
        self.http.cookies.clear()
        return self.http.request(methode, chemin, headers=en_tetes, **envoi)


def ouvrir_les_comptes(guichet: Guichet, alpha: str, beta: str) -> dict[str, Compte]:
    """Open an account of each kind; return who asks, by name. ``None`` asks without an account."""
    entiers = {
        "gestionnaire": ("gestionnaire_oi",),
        "comptable": ("comptable_oi",),
        "valideur": ("valideur_oi",),
        "ordonnateur": ("ordonnateur_oi",),
        "auditeur": ("auditeur",),
        "administrateur": ("administrateur",),
        "deux-roles": ("gestionnaire_oi", "comptable_oi"),
    }
    limites = {
        "direction-1": ("directeur_plie", alpha),
        "direction-2": ("directeur_plie", beta),
        "direction-12": ("directeur_plie", alpha, beta),
        "gestion-1": ("gestionnaire_oi", alpha),
        "compta-1": ("comptable_oi", alpha),
        "validation-1": ("valideur_oi", alpha),
        "ordre-1": ("ordonnateur_oi", alpha),
    }
    a_deux_facteurs = {"valideur_oi", "ordonnateur_oi", "comptable_oi", "administrateur"}
    comptes: dict[str, Compte] = {}
    tous: dict[str, list[tuple[str, tuple[str, ...]]]] = {
        **{nom: [(role, ()) for role in tenus] for nom, tenus in entiers.items()},
        **{nom: [(role, tuple(plies))] for nom, (role, *plies) in limites.items()},
        "sans-role": [],
    }
    for nom, tenus in tous.items():
        guichet.ouvrir(nom)
        for role, plies in tenus:
            guichet.attribuer(nom, role, *plies)
        renforce = any(role in a_deux_facteurs for role, _ in tenus)
        if renforce:
            guichet.installer(nom)
        comptes[nom] = Compte(
            nom=nom,
            tenus=tuple((role, frozenset(plies)) for role, plies in tenus),
            preuve=guichet.session(nom),
            renforce=renforce,
        )
    return comptes | _particuliers(guichet, comptes)


def _particuliers(guichet: Guichet, comptes: dict[str, Compte]) -> dict[str, Compte]:
    """Return who is refused for another reason than their role, and who shows a token."""
    hier, bientot = clock.today() - LONGTEMPS, clock.today() + LONGTEMPS
    for nom in ("suspendu", "echu", "a-venir", "sans-code"):
        guichet.ouvrir(nom)
    guichet.attribuer("suspendu", "gestionnaire_oi")
    guichet.attribuer("echu", "gestionnaire_oi", du=hier, au=hier + timedelta(days=9))
    guichet.attribuer("a-venir", "gestionnaire_oi", du=bientot)
    guichet.attribuer("sans-code", "ordonnateur_oi")
    suspendu = guichet.session("suspendu")
    guichet.suspendre("suspendu")
    gestion = (("gestionnaire_oi", frozenset[str]()),)
    compta = (("comptable_oi", frozenset[str]()),)
    ordre = (("ordonnateur_oi", frozenset[str]()),)
    faits = (
        Compte(nom="suspendu", preuve=suspendu, entre=False),
        Compte(nom="echu", preuve=guichet.session("echu")),
        Compte(nom="a-venir", preuve=guichet.session("a-venir")),
        Compte(
            nom="sans-code",
            tenus=ordre,
            preuve=guichet.session("sans-code"),
            sans_second_facteur=True,
        ),
        Compte(
            nom="jeton-en-lecture",
            tenus=gestion,
            preuve=guichet.jeton("gestionnaire", "gestionnaire_oi", lecture_seule=True),
            lecture_seule=True,
        ),
        Compte(
            nom="jeton-d-un-role",
            tenus=compta,
            preuve=guichet.jeton("deux-roles", "comptable_oi"),
        ),
        # A token gives no second factor, whoever made it.
        Compte(
            nom="jeton-d-ordonnateur",
            tenus=ordre,
            preuve=guichet.jeton("ordonnateur", "ordonnateur_oi"),
        ),
        Compte(
            nom="jeton-de-directeur",
            tenus=comptes["direction-1"].tenus,
            preuve=guichet.jeton("direction-1", "directeur_plie"),
        ),
        Compte(nom="cookie-forge", preuve={"Cookie": "__Host-oi=forge"}, entre=False),
        Compte(
            nom="cookie-sans-tls",
            preuve={"Cookie": comptes["gestionnaire"].preuve["Cookie"].replace("__Host-", "")},
            entre=False,
        ),
        Compte(nom="jeton-forge", preuve={"Authorization": "Bearer oi_forge"}, entre=False),
        # What a request says of itself proves nothing.
        Compte(
            nom="en-tetes",
            preuve={"OI-Acteur": "gestionnaire", "OI-Role": "gestionnaire_oi"},
            entre=False,
        ),
    )
    return {compte.nom: compte for compte in faits}
