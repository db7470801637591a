"""Sign-in at an OpenID Connect provider: a browser leaves with a question, returns with a code.

The provider says who the person is; which account is theirs, and what it may do, is decided here.
An administrator opened the account first: nobody comes in by being known elsewhere.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from oi_service import clock
from oi_service.acces.fournisseur import (
    Claims,
    ConnexionRefusee,
    Fournisseur,
    Jetons,
    OidcMalRegle,
    Reglages,
    ReponseNonVerifiee,
    adresse_sure,
    est_un_texte,
)
from oi_service.acces.refus import AccesRefuse
from oi_service.acces.secrets import empreinte, tirer_jeton
from oi_service.acces.traces import lisible
from oi_service.errors import Forbidden, NotFound
from oi_service.recorder import Connections
from oi_service.settings import Settings

log = structlog.get_logger()

#: How long a browser may stay at the provider.
DUREE_TENTATIVE = timedelta(minutes=10)
#: Of what it says of a proof, characters and items that the traces keep.
_PREUVE_MAX = 100


class TentativeInconnue(AccesRefuse):
    """Cette demande de connexion a expiré, a déjà servi ou vient d’un autre navigateur.
    Recommencez depuis la page de connexion.
    """


class CourrielNonVerifie(Forbidden):
    """{nom} ne donne pour vous aucune adresse de courriel vérifiée : faites-la vérifier chez {nom},
    ou demandez à l’administrateur de ce service un mot de passe.
    """


class PersonneInconnue(Forbidden):
    """{nom} vous reconnaît à l’adresse {courriel}, mais aucun compte n’est ouvert ici à cette
    adresse. Demandez à l’administrateur de ce service d’en ouvrir un ; rien n’a été créé.
    """


class CompteDejaLie(Forbidden):
    """Le compte ouvert à votre adresse est déjà lié à une autre identité de {nom}. Si c’est bien
    vous, demandez à l’administrateur de ce service de défaire ce lien.
    """


class FournisseurAbsent(NotFound):
    """Aucun fournisseur d’identité n’est réglé : OI_OIDC_EMETTEUR n’est pas donné."""


#: What a provider answers instead of a code (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). Its
#: own words are for its developers, and come through the browser.
_RAISONS = {
    "access_denied": "la demande a été refusée ou abandonnée",
    "temporarily_unavailable": "il est momentanément indisponible",
    "server_error": "il est en panne",
    "login_required": "il faut d’abord s’y identifier",
    "interaction_required": "il faut d’abord s’y identifier",
}


@dataclass(frozen=True, slots=True)
class Depart:
    """Where the browser goes, and what it keeps to be known when it comes back."""

    adresse: str
    navigateur: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Retour:
    """What the browser brings back, as it says it."""

    etat: str
    navigateur: str = field(repr=False)
    code: str = field(repr=False, default="")
    emetteur: str | None = None
    erreur: str | None = None


@dataclass(frozen=True, slots=True)
class Arrivee:
    """Who came: their account, where they were going, and how they proved who they are."""

    identifiant: str
    suite: str
    preuve: dict[str, Any]
    identite: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Tentative:
    nonce: str
    verificateur: str
    suite: str


def reglages_de(settings: Settings) -> Reglages | None:
    """Return what an operator agreed with a provider, if they did.

    Raises: OidcMalRegle.
    """
    if settings.oidc_emetteur is None:
        return None
    if not adresse_sure(settings.oidc_emetteur):
        raise OidcMalRegle(raison="OI_OIDC_EMETTEUR n’est pas une adresse https")
    if not settings.oidc_client:
        raise OidcMalRegle(raison="OI_OIDC_CLIENT manque")
    if "openid" not in settings.oidc_portees.split():
        raise OidcMalRegle(raison="OI_OIDC_PORTEES ne contient pas « openid »")
    return Reglages(
        emetteur=settings.oidc_emetteur,
        client=settings.oidc_client,
        secret=_secret(settings),
        portees=settings.oidc_portees,
        nom=settings.oidc_nom,
        courriels_verifies=settings.oidc_courriels_verifies == "oui",
    )


def _secret(settings: Settings) -> str:
    if settings.oidc_secret is not None:
        return settings.oidc_secret.get_secret_value()
    if settings.oidc_secret_fichier is None:
        raise OidcMalRegle(raison="OI_OIDC_SECRET ou OI_OIDC_SECRET_FICHIER manque")
    try:
        return settings.oidc_secret_fichier.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as refus:
        raison = f"{settings.oidc_secret_fichier} ne se lit pas"
        raise OidcMalRegle(raison=raison) from refus


class Oidc:
    """Sign-in at the provider of the settings."""

    def __init__(self, pool: Connections, reglages: Reglages) -> None:
        """Work on the pool of the accesses."""
        self._pool = pool
        self._fournisseur = Fournisseur(reglages)

    @property
    def nom(self) -> str:
        """What people call the provider."""
        return self._fournisseur.reglages.nom

    def commencer(self, suite: str, retour: str) -> Depart:
        """Send a browser to the provider; it comes back to ``retour``, on its way to ``suite``.

        Raises: FournisseurInjoignable.
        """
        etat, nonce, verificateur, navigateur = (tirer_jeton() for _ in range(4))
        adresse = self._fournisseur.adresse_autorisation(
            etat=etat, nonce=nonce, defi=_defi(verificateur), retour=retour
        )
        maintenant = clock.now()
        with self._pool.connection() as conn, conn.transaction():
            conn.execute("DELETE FROM acces.oidc_tentative WHERE expire_le <= %s", (maintenant,))
            conn.execute(
                "INSERT INTO acces.oidc_tentative VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (
                    empreinte(etat),
                    empreinte(navigateur),
                    self._emetteur,
                    nonce,
                    verificateur,
                    suite,
                    maintenant + DUREE_TENTATIVE,
                ),
            )
        return Depart(adresse, navigateur)

    def conclure(self, retour: Retour, adresse_de_retour: str) -> Arrivee:
        """Find who came back, once.

        Raises: TentativeInconnue, ConnexionRefusee, ReponseNonVerifiee, FournisseurInjoignable,
            CourrielNonVerifie, PersonneInconnue, CompteDejaLie.
        """
        tentative = self._reprendre(retour)
        self._verifier_qui_repond(retour.emetteur)
        if retour.erreur is not None or not retour.code:
            log.warning("oidc_refus", erreur=(retour.erreur or "sans code")[:100])
            raison = _RAISONS.get(retour.erreur or "", "il n’a pas dit pourquoi")
            raise ConnexionRefusee(nom=self.nom, raison=raison)
        jetons = self._fournisseur.echanger(
            code=retour.code, verificateur=tentative.verificateur, retour=adresse_de_retour
        )
        identite = self._fournisseur.lire_identite(jetons, tentative.nonce)
        connu = self._compte_lie(identite["sub"])
        identifiant = connu or self._lier(identite["sub"], self._courriel(identite, jetons))
        return Arrivee(
            identifiant=identifiant,
            suite=tentative.suite,
            preuve={**_preuve(identite), "premiere_venue": connu is None},
            identite=jetons.identite,
        )

    def _reprendre(self, retour: Retour) -> _Tentative:
        """Take back what was begun: whatever comes of it, it is not there any more."""
        with self._pool.connection() as conn:
            row = conn.execute(
                """
                DELETE FROM acces.oidc_tentative WHERE etat = %s
                RETURNING nonce, verificateur, suite,
                    navigateur = %s AND emetteur = %s AND expire_le > %s
                """,
                (
                    empreinte(retour.etat),
                    empreinte(retour.navigateur),
                    self._emetteur,
                    clock.now(),
                ),
            ).fetchone()
        if row is None or not row[3]:
            raise TentativeInconnue
        return _Tentative(*row[:3])

    def _verifier_qui_repond(self, emetteur: str | None) -> None:
        """Refuse the code of another provider (RFC 9207)."""
        muet = emetteur is None and not self._fournisseur.description().se_nomme
        if not muet and emetteur != self._emetteur:
            raise ReponseNonVerifiee(
                nom=self.nom, raison="elle vient d’un autre service de connexion"
            )

    # Whose account it is.

    def _compte_lie(self, sujet: str) -> str | None:
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT identifiant FROM acces.oidc_lien WHERE emetteur = %s AND sujet = %s",
                (self._emetteur, sujet),
            ).fetchone()
        return None if row is None else str(row[0])

    def _courriel(self, identite: Claims, jetons: Jetons) -> str:
        """Return the verified address of a person, from where it is."""
        if "email" not in identite:
            identite = self._fournisseur.lire_infos(jetons, identite["sub"])
        courriel = identite.get("email")
        verifie = self._fournisseur.reglages.courriels_verifies or (
            identite.get("email_verified") is True
        )
        # Outside ASCII, two addresses may become one in lower case: « K », the sign of the kelvin.
        if not (verifie and est_un_texte(courriel)):
            raise CourrielNonVerifie(nom=self.nom)
        return courriel.strip().lower()

    def _lier(self, sujet: str, courriel: str) -> str:
        """Give a person who comes for the first time the account that awaits them."""
        with self._pool.connection() as conn:
            row = conn.execute(
                "SELECT identifiant FROM acces.compte WHERE courriel = %s", (courriel,)
            ).fetchone()
            if row is None:
                raise PersonneInconnue(nom=self.nom, courriel=courriel)
            conn.execute(
                "INSERT INTO acces.oidc_lien VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (self._emetteur, sujet, row[0], clock.now()),
            )
        # Two first sign-ins at once make one link; a link of another person stays as it is.
        if self._compte_lie(sujet) != row[0]:
            raise CompteDejaLie(nom=self.nom)
        return str(row[0])

    def delier(self, identifiant: str) -> bool:
        """Forget which identity of the provider an account has; tell whether it had one."""
        with self._pool.connection() as conn:
            fait = conn.execute(
                "DELETE FROM acces.oidc_lien WHERE identifiant = %s AND emetteur = %s",
                (identifiant, self._emetteur),
            )
        return fait.rowcount > 0

    # The end.

    def retenir(self, session_id: UUID, arrivee: Arrivee) -> None:
        """Keep what ends the session at the provider, as long as ours lasts."""
        with self._pool.connection() as conn, conn.transaction():
            conn.execute(
                """
                DELETE FROM acces.oidc_session AS o USING acces.session AS s
                WHERE s.id = o.session_id AND (s.fermee_le IS NOT NULL OR s.expire_le <= %s)
                """,
                (clock.now(),),
            )
            conn.execute(
                "INSERT INTO acces.oidc_session VALUES (%s, %s)", (session_id, arrivee.identite)
            )

    def adresse_de_deconnexion(self, session_id: UUID, retour: str) -> str | None:
        """Return where a browser ends its session at the provider too, once, if that exists.

        Raises: FournisseurInjoignable.
        """
        with self._pool.connection() as conn:
            row = conn.execute(
                "DELETE FROM acces.oidc_session WHERE session_id = %s RETURNING identite",
                (session_id,),
            ).fetchone()
        if row is None:
            return None
        return self._fournisseur.adresse_fin_de_session(
            identite=row[0], etat=tirer_jeton(), retour=retour
        )

    @property
    def _emetteur(self) -> str:
        return self._fournisseur.reglages.emetteur


def _preuve(identite: Claims) -> dict[str, Any]:
    """Return how the provider says that the person proved who they are, for who reads traces."""
    acr, amr = identite.get("acr"), identite.get("amr")
    dit: dict[str, Any] = {}
    if isinstance(acr, str):
        dit["acr"] = lisible(acr, _PREUVE_MAX)
    if isinstance(amr, list):
        dits = [lisible(moyen, _PREUVE_MAX) for moyen in amr if isinstance(moyen, str)]
        dit["amr"] = dits[:_PREUVE_MAX]
    return dit


def _defi(verificateur: str) -> str:
    """Return the challenge of a verifier (RFC 7636 §4.2, S256)."""
    digest = hashlib.sha256(verificateur.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
