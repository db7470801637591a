"""An OpenID Connect provider as seen from here: its description, its keys, what it says of people.

Whatever it answers is bounded in time and in size, and believed only when it is signed by a key
that it publishes itself, at an address that nobody can stand in front of.
"""

import asyncio
import base64
import hashlib
import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeGuard, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from oi_service import clock
from oi_service.acces.refus import AccesRefuse
from oi_service.errors import Busy, Refusal

log = structlog.get_logger()

#: Signatures by a private key that the provider alone holds: neither ``none`` nor a shared secret.
ALGORITHMES = ("ES256", "PS256", "RS256")
#: Seconds by which two clocks may differ.
TOLERANCE = 60
#: Seconds for a whole answer, however slowly it comes.
DELAI = 5.0
#: Bytes of the longest answer that is read.
TAILLE_MAX = 2**18
#: Seconds during which a description and a set of keys are not asked for again.
FRAICHEUR = 3600.0
#: Seconds before asking again for what failed, or for keys that may have changed.
REPIT = 10.0
#: Characters of the longest subject that the protocol admits.
_SUJET_MAX = 255

T = TypeVar("T")
Claims = Mapping[str, Any]


class FournisseurInjoignable(Busy):
    """Le service de connexion {nom} ne répond pas comme prévu : {raison}. Réessayez dans un
    instant ; si cela dure, prévenez l’administrateur.
    """


class ReponseNonVerifiee(AccesRefuse):
    """La réponse de {nom} n’a pas pu être vérifiée : {raison}. Recommencez ; si cela se répète,
    prévenez l’administrateur.
    """


class ConnexionRefusee(AccesRefuse):
    """{nom} n’a pas ouvert la connexion : {raison}. Recommencez."""


class OidcMalRegle(Refusal):
    """La connexion par OpenID Connect est mal réglée : {raison}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reglages:
    """What an operator agreed with a provider.

    ``courriels_verifies``: it verifies every address, and does not say so in its answers.
    """

    emetteur: str
    client: str
    secret: str = field(repr=False)
    portees: str
    nom: str
    courriels_verifies: bool


@dataclass(frozen=True, slots=True)
class Description:
    """What a provider publishes of itself."""

    autorisation: str
    jetons: str
    cles: str
    infos: str | None
    fin_de_session: str | None
    #: The secret goes in the body, for this provider admits it in no header.
    secret_dans_le_corps: bool
    #: It names itself in the answers that go through the browser (RFC 9207).
    se_nomme: bool
    #: It says how the person proved who they are only to whom asks (ProConnect does).
    admet_les_demandes: bool


@dataclass(frozen=True, slots=True)
class Jetons:
    """What a code is worth."""

    identite: str = field(repr=False)
    acces: str = field(repr=False)


class _Garde(Generic[T]):
    """A value kept a while; one thread at a time asks for it, and a failure is kept a moment."""

    def __init__(self, demander: Callable[[], T]) -> None:
        self._demander = demander
        self._verrou = Lock()
        self._valeur: T | None = None
        self._echec: FournisseurInjoignable | None = None
        self._instant = 0.0

    def lire(self) -> T:
        with self._verrou:
            age = time.monotonic() - self._instant
            if self._echec is not None and age < REPIT:
                raise type(self._echec)(**self._echec.details)
            if self._valeur is not None and age < FRAICHEUR:
                return self._valeur
            return self._relire()

    def relire(self) -> T:
        """Ask again, unless that was done a moment ago."""
        with self._verrou:
            if self._valeur is not None and time.monotonic() - self._instant < REPIT:
                return self._valeur
            return self._relire()

    def _relire(self) -> T:
        self._valeur = self._echec = None
        try:
            self._valeur = self._demander()
        except FournisseurInjoignable as echec:
            self._echec = echec
            raise
        finally:
            self._instant = time.monotonic()
        return self._valeur


class Fournisseur:
    """The provider of the settings."""

    def __init__(self, reglages: Reglages) -> None:
        self.reglages = reglages
        self._description = _Garde(self._demander_description)
        self._cles = _Garde(self._demander_cles)
        # Reading the authorities of the machine is long, and done once.
        self._tls = httpx2.create_ssl_context()

    def description(self) -> Description:
        """Return what the provider publishes of itself.

        Raises: FournisseurInjoignable.
        """
        return self._description.lire()

    def adresse_autorisation(self, *, etat: str, nonce: str, defi: str, retour: str) -> str:
        """Return where the browser goes to prove who the person is."""
        description = self.description()
        demande = {
            "response_type": "code",
            "client_id": self.reglages.client,
            "redirect_uri": retour,
            "scope": self.reglages.portees,
            "state": etat,
            "nonce": nonce,
            "code_challenge": defi,
            "code_challenge_method": "S256",
        }
        if description.admet_les_demandes:
            demande["claims"] = '{"id_token":{"amr":{"essential":true}}}'
        return _avec(description.autorisation, demande)

    def adresse_fin_de_session(self, *, identite: str, etat: str, retour: str) -> str | None:
        """Return where the browser goes to end the session at the provider, if that exists."""
        fin = self.description().fin_de_session
        if fin is None:
            return None
        demande = {"id_token_hint": identite, "post_logout_redirect_uri": retour, "state": etat}
        return _avec(fin, demande)

    def echanger(self, *, code: str, verificateur: str, retour: str) -> Jetons:
        """Give a code for what it is worth, once.

        Raises: ConnexionRefusee, FournisseurInjoignable.
        """
        description = self.description()
        corps = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": retour,
            "code_verifier": verificateur,
        }
        entetes = {"Accept": "application/json"}
        client, secret = self.reglages.client, self.reglages.secret
        if description.secret_dans_le_corps:
            corps |= {"client_id": client, "client_secret": secret}
        else:
            # Each is escaped before the two are joined (RFC 6749 §2.3.1).
            paire = f"{quote(client, safe='')}:{quote(secret, safe='')}".encode()
            entetes["Authorization"] = f"Basic {base64.b64encode(paire).decode()}"
        reponse = self._http("POST", description.jetons, entetes, corps)
        lu = self._json(reponse)
        if reponse.statut != httpx2.codes.OK:
            erreur = lu.get("error")
            log.warning("oidc_code_refuse", statut=reponse.statut, erreur=str(erreur)[:100])
            if erreur == "invalid_grant":
                raise ConnexionRefusee(
                    nom=self.reglages.nom, raison="le code qu’il a donné a expiré ou a déjà servi"
                )
            raise self._injoignable("il refuse d’échanger le code")
        identite, acces = lu.get("id_token"), lu.get("access_token")
        if not (est_un_texte(identite) and est_un_texte(acces)):
            raise self._injoignable("il ne donne pas de jeton d’identité")
        return Jetons(identite, acces)

    def lire_identite(self, jetons: Jetons, nonce: str) -> Claims:
        """Read who came, after every check of OpenID Connect Core §3.1.3.7.

        Raises: ReponseNonVerifiee, FournisseurInjoignable.
        """
        client = self.reglages.client
        claims = self._lire_signe(jetons.identite)
        self._valider(
            claims,
            iss={"essential": True, "value": self.reglages.emetteur},
            aud={"essential": True, "value": client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        if not est_un_texte(claims["sub"]) or len(claims["sub"]) > _SUJET_MAX:
            raise self._refuse("son sujet est illisible")
        plusieurs = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if plusieurs else client) != client:
            raise self._refuse("il est destiné à un autre service")
        if "at_hash" in claims and claims["at_hash"] != _demi_empreinte(jetons.acces):
            raise self._refuse("il ne va pas avec le jeton d’accès")
        return claims

    def lire_infos(self, jetons: Jetons, sujet: str) -> Claims:
        """Ask what the provider tells of a person, signed or not; nothing when it tells nothing.

        Raises: ReponseNonVerifiee, FournisseurInjoignable.
        """
        adresse = self.description().infos
        if adresse is None:
            return {}
        entetes = {"Authorization": f"Bearer {jetons.acces}"}
        reponse = self._http("GET", adresse, entetes)
        if reponse.statut != httpx2.codes.OK:
            raise self._injoignable("il ne dit rien de la personne")
        if reponse.type == "application/jwt":
            infos = self._lire_signe(reponse.corps.decode("latin-1"))
            self._valider(
                infos,
                iss={"value": self.reglages.emetteur},
                aud={"value": self.reglages.client},
            )
        else:
            infos = self._json(reponse)
        # Without this, the description of another person could stand for that of the first.
        if infos.get("sub") != sujet:
            raise self._refuse("il parle d’une autre personne")
        return infos

    # Signatures.

    def _lire_signe(self, jeton: str) -> Claims:
        try:
            return _verifie(jeton, self._cles.lire())
        except (JoseError, ValueError):
            # The provider may have changed its keys since they were read.
            try:
                return _verifie(jeton, self._cles.relire())
            except (JoseError, ValueError) as faute:
                log.warning("oidc_jeton_refuse", faute=type(faute).__name__)
                raise self._refuse("sa signature n’est pas la sienne") from None

    def _valider(self, claims: Claims, **attendus: Any) -> None:
        maintenant = int(clock.now().timestamp())
        registre = jwt.JWTClaimsRegistry(now=maintenant, leeway=TOLERANCE, **attendus)
        try:
            registre.validate(dict(claims))
        except JoseError as faute:
            log.warning("oidc_jeton_refuse", faute=str(faute)[:200])
            raise self._refuse(f"« {_champ(faute)} » n’est pas ce qui est attendu") from None

    # What the provider publishes.

    def _demander_description(self) -> Description:
        emetteur = self.reglages.emetteur
        adresse = emetteur.rstrip("/") + "/.well-known/openid-configuration"
        lu = self._json(self._lire(adresse))
        if lu.get("issuer") != emetteur:
            raise self._injoignable("il se donne un autre nom que celui du réglage")
        pkce = lu.get("code_challenge_methods_supported", ["S256"])
        if not isinstance(pkce, list) or "S256" not in pkce:
            raise self._injoignable("il n’admet pas PKCE avec S256")
        # The protocol's own default, when nothing is said.
        secret = lu.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Description(
            autorisation=self._adresse(lu, "authorization_endpoint"),
            jetons=self._adresse(lu, "token_endpoint"),
            cles=self._adresse(lu, "jwks_uri"),
            infos=self._adresse(lu, "userinfo_endpoint") if "userinfo_endpoint" in lu else None,
            fin_de_session=(
                self._adresse(lu, "end_session_endpoint") if "end_session_endpoint" in lu else None
            ),
            secret_dans_le_corps="client_secret_basic" not in secret,
            se_nomme=lu.get("authorization_response_iss_parameter_supported") is True,
            admet_les_demandes=lu.get("claims_parameter_supported") is True,
        )

    def _adresse(self, lu: Claims, nom: str) -> str:
        adresse = lu.get(nom)
        if not isinstance(adresse, str) or not adresse_sure(adresse):
            raise self._injoignable(f"« {nom} » n’est pas une adresse https")
        return adresse

    def _demander_cles(self) -> KeySet:
        lu = self._json(self._lire(self.description().cles)).get("keys")
        publiees = [cle for cle in lu if isinstance(cle, dict)] if isinstance(lu, list) else []
        # A shared secret has no place in what is published, and other kinds sign nothing for us.
        utiles = [cle for cle in publiees if cle.get("kty") in {"RSA", "EC"}]
        try:
            return KeySet.import_key_set({"keys": utiles})
        except (JoseError, TypeError, ValueError) as faute:
            raise self._injoignable("ses clés ne se lisent pas") from faute

    # HTTP.

    def _lire(self, adresse: str) -> "_Reponse":
        reponse = self._http("GET", adresse, {"Accept": "application/json"})
        if reponse.statut != httpx2.codes.OK:
            raise self._injoignable(f"il répond {reponse.statut}")
        return reponse

    def _json(self, reponse: "_Reponse") -> Claims:
        try:
            lu = json.loads(reponse.corps)
        except (ValueError, RecursionError):
            lu = None
        if not isinstance(lu, dict):
            raise self._injoignable("sa réponse ne se lit pas")
        return lu

    def _http(
        self,
        methode: str,
        adresse: str,
        entetes: Mapping[str, str],
        corps: Mapping[str, str] | None = None,
    ) -> "_Reponse":
        try:
            return asyncio.run(_demander(self._tls, methode, adresse, entetes, corps))
        except TimeoutError:
            raise self._injoignable("il ne répond pas à temps") from None
        except _TropLong:
            raise self._injoignable("sa réponse est trop longue") from None
        except httpx2.HTTPError as panne:
            log.warning("oidc_injoignable", panne=type(panne).__name__)
            raise self._injoignable("la liaison est coupée") from None

    def _injoignable(self, raison: str) -> FournisseurInjoignable:
        return FournisseurInjoignable(nom=self.reglages.nom, raison=raison)

    def _refuse(self, raison: str) -> ReponseNonVerifiee:
        return ReponseNonVerifiee(nom=self.reglages.nom, raison=raison)


def est_un_texte(recu: object) -> TypeGuard[str]:
    """Tell whether that is printable ASCII, as everything is that the protocol has us keep."""
    return isinstance(recu, str) and recu != "" and recu.isascii() and recu.isprintable()


def adresse_sure(adresse: str) -> bool:
    """Tell whether nobody can stand in front of an address: TLS, or this machine."""
    try:
        parties = urlsplit(adresse)
        hote = parties.hostname or ""
    except ValueError:
        return False
    if parties.username or parties.fragment:
        return False
    return bool(hote) and (
        parties.scheme == "https" or (parties.scheme == "http" and _est_ici(hote))
    )


def _est_ici(hote: str) -> bool:
    if hote == "localhost":
        return True
    try:
        return ipaddress.ip_address(hote).is_loopback
    except ValueError:
        return False


class _TropLong(Exception):
    """More bytes than will be read."""


@dataclass(frozen=True, slots=True)
class _Reponse:
    statut: int
    type: str
    corps: bytes = field(repr=False)


async def _demander(
    tls: ssl.SSLContext,
    methode: str,
    adresse: str,
    entetes: Mapping[str, str],
    corps: Mapping[str, str] | None,
) -> _Reponse:
    # Nothing compressed, so that what is counted is what is kept; no redirection is followed.
    entetes = {**entetes, "Accept-Encoding": "identity"}
    async with (
        asyncio.timeout(DELAI),
        httpx2.AsyncClient(timeout=DELAI, verify=tls) as http,
        http.stream(methode, adresse, headers=entetes, data=corps) as reponse,
    ):
        lu = bytearray()
        async for morceau in reponse.aiter_raw():
            lu += morceau
            if len(lu) > TAILLE_MAX:
                raise _TropLong
        media = reponse.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _Reponse(reponse.status_code, media, bytes(lu))


#: Headers that we know nothing of are ignored, as the RFC wants, unless they are said critical.
_SIGNATURES = JWSRegistry(algorithms=ALGORITHMES, strict_check_header=False)


def _verifie(jeton: str, cles: KeySet) -> Claims:
    return jwt.decode(jeton, cles, registry=_SIGNATURES).claims


def _champ(faute: JoseError) -> str:
    return str(getattr(faute, "claim", None) or faute.error)


def _demi_empreinte(jeton: str) -> str:
    """Half the digest of a token, with the hash of every algorithm that we admit."""
    moitie = hashlib.sha256(jeton.encode("ascii", "replace")).digest()[:16]
    return base64.urlsafe_b64encode(moitie).decode().rstrip("=")


def _avec(adresse: str, demande: Mapping[str, str]) -> str:
    lien = "&" if urlsplit(adresse).query else "?"
    return f"{adresse}{lien}{urlencode(demande, quote_via=quote)}"
