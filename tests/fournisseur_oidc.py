"""An OpenID Connect provider on this machine: real HTTP, real keys, PKCE checked, codes once.

It signs with `cryptography` and not with what the service verifies with: neither hides the faults
of the other. A test makes it lie by replacing one of its steps.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from oi_service import clock

CLIENT = "pivot-fse"
SECRET = "un secret: 100%25 partagé/fictif+"  # noqa: S105 - with what must be escaped
#: Seconds that a code lives.
_CODE = 30
Claims = dict[str, Any]


class Cle:
    """A key of the provider, under a name."""

    def __init__(self, kid: str, alg: str = "RS256") -> None:
        self.kid, self.alg = kid, alg
        self.rsa = rsa.generate_private_key(65537, 2048) if alg == "RS256" else None
        self.ec = ec.generate_private_key(ec.SECP256R1()) if alg == "ES256" else None

    def publique(self) -> Claims:
        """Return it as it is published."""
        commun = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if self.rsa is not None:
            n = self.rsa.public_key().public_numbers()
            return {**commun, "kty": "RSA", "n": _entier(n.n, 256), "e": _entier(n.e, 3)}
        assert self.ec is not None
        p = self.ec.public_key().public_numbers()
        return {**commun, "kty": "EC", "crv": "P-256", "x": _entier(p.x), "y": _entier(p.y)}

    def pem(self) -> bytes:
        """Return the public half as bytes, that a confused verifier might take for a secret."""
        assert self.rsa is not None
        return self.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signer(self, claims: Claims, **entete: Any) -> str:
        """Write a signed token."""
        a_signer = _a_signer({"typ": "JWT", "alg": self.alg, "kid": self.kid, **entete}, claims)
        if self.rsa is not None:
            signature = self.rsa.sign(a_signer.encode(), padding.PKCS1v15(), SHA256())
        else:
            assert self.ec is not None
            r, s = decode_dss_signature(self.ec.sign(a_signer.encode(), ec.ECDSA(SHA256())))
            signature = r.to_bytes(32) + s.to_bytes(32)
        return f"{a_signer}.{_b64(signature)}"


def sans_signature(claims: Claims) -> str:
    """Write a token that says itself that it is not signed."""
    return _a_signer({"typ": "JWT", "alg": "none"}, claims) + "."


def par_secret(claims: Claims, secret: bytes, kid: str) -> str:
    """Write a token signed by a secret that both sides know."""
    a_signer = _a_signer({"typ": "JWT", "alg": "HS256", "kid": kid}, claims)
    return f"{a_signer}.{_b64(hmac.digest(secret, a_signer.encode(), 'sha256'))}"


@dataclass
class _Code:
    client: str
    retour: str
    defi: str
    nonce: str
    sujet: str
    ne_le: datetime


class FournisseurDEssai:
    """What the provider knows, and the steps that a test may replace."""

    def __init__(self, port: int) -> None:
        self.emetteur = f"http://127.0.0.1:{port}/oidc"
        #: Making keys is long: they are kept from one test to the next.
        self._cles = (Cle("rsa-1"), Cle("ec-1", "ES256"))
        self.oublier()

    def oublier(self) -> None:
        """Be again as it was in the beginning, and honest."""
        self.cles = list(self._cles)
        self.retours: set[str] = set()
        self.apres_la_fin: set[str] = set()
        self.personnes: dict[str, Claims] = {}
        #: Who is in front of the browser; nobody refuses.
        self.present: str | None = None
        #: Claims that it puts in the identity token, the rest being asked for apart.
        self.dans_le_jeton = frozenset({"email", "email_verified"})
        self.demandes: list[str] = []
        self.codes: dict[str, _Code] = {}
        self.acces: dict[str, str] = {}
        self.lenteur = 0.0
        self.changer_description: Callable[[Claims], Any] = lambda d: d
        self.changer_identite: Callable[[Claims], Claims] = lambda c: c
        self.publier_les_cles: Callable[[list[Claims]], Any] = lambda cles: cles
        self.signer: Callable[[Claims], str] = lambda c: self.cle.signer(c)  # noqa: PLW0108
        self.dire_infos: Callable[[Claims], tuple[str, str]] = lambda i: (
            "application/json",
            json.dumps(i),
        )
        self.changer_retour: Callable[[dict[str, str]], dict[str, str]] = lambda r: r
        #: A form to press, as people see one, rather than an immediate return.
        self.avec_page = False

    @property
    def cle(self) -> Cle:
        """The key of the day."""
        return self.cles[0]

    # Steps.

    def description(self) -> Any:
        """Return what it publishes of itself."""
        return self.changer_description(
            {
                "issuer": self.emetteur,
                "authorization_endpoint": f"{self.emetteur}/autoriser",
                "token_endpoint": f"{self.emetteur}/jetons",
                "userinfo_endpoint": f"{self.emetteur}/infos",
                "jwks_uri": f"{self.emetteur}/cles",
                "end_session_endpoint": f"{self.emetteur}/fin",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "claims_parameter_supported": True,
            }
        )

    def autoriser(self, demande: Mapping[str, str]) -> str:
        """Return where the browser goes back."""
        assert demande["response_type"] == "code"
        assert demande["client_id"] == CLIENT
        assert demande["redirect_uri"] in self.retours, demande["redirect_uri"]
        assert "openid" in demande["scope"].split()
        assert demande["code_challenge_method"] == "S256"
        assert min(len(demande["state"]), len(demande["nonce"])) >= 32
        retour = {"state": demande["state"], "iss": self.emetteur}
        if self.present is None:
            retour["error"] = "access_denied"
        else:
            retour["code"] = secrets.token_urlsafe(16)
            self.codes[retour["code"]] = _Code(
                CLIENT,
                demande["redirect_uri"],
                demande["code_challenge"],
                demande["nonce"],
                self.present,
                clock.now(),
            )
        return f"{demande['redirect_uri']}?{urlencode(self.changer_retour(retour))}"

    def echanger(self, demande: Mapping[str, str], entete: str) -> tuple[int, Claims]:
        """Return tokens for a code."""
        if not self._est_le_client(demande, entete):
            return 401, {"error": "invalid_client"}
        code = self.codes.pop(demande.get("code", ""), None)
        digest = hashlib.sha256(demande.get("code_verifier", "").encode()).digest()
        if (
            demande.get("grant_type") != "authorization_code"
            or code is None
            or (clock.now() - code.ne_le).total_seconds() > _CODE
            or code.retour != demande.get("redirect_uri")
            or code.defi != _b64(digest)
        ):
            return 400, {"error": "invalid_grant"}
        acces = secrets.token_urlsafe(16)
        self.acces[acces] = code.sujet
        maintenant = int(clock.now().timestamp())
        personne = self.personnes[code.sujet]
        identite = {
            "iss": self.emetteur,
            "sub": code.sujet,
            "aud": CLIENT,
            "exp": maintenant + 60,
            "iat": maintenant,
            "nonce": code.nonce,
            "acr": "eidas1",
            "amr": ["pwd", "totp"],
            "at_hash": _b64(hashlib.sha256(acces.encode()).digest()[:16]),
            **{k: v for k, v in personne.items() if k in self.dans_le_jeton},
        }
        return 200, {
            "access_token": acces,
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": self.signer(self.changer_identite(identite)),
        }

    @staticmethod
    def _est_le_client(demande: Mapping[str, str], entete: str) -> bool:
        if entete.startswith("Basic "):
            client, _, secret = base64.b64decode(entete[6:]).decode().partition(":")
            return (unquote(client), unquote(secret)) == (CLIENT, SECRET)
        return (demande.get("client_id"), demande.get("client_secret")) == (CLIENT, SECRET)

    def infos(self, entete: str) -> tuple[int, str, str]:
        """Return what it tells of the bearer of a token."""
        sujet = self.acces.get(entete.removeprefix("Bearer "))
        if sujet is None:
            return 401, "application/json", "{}"
        media, corps = self.dire_infos({"sub": sujet, **self.personnes[sujet]})
        return 200, media, corps


def _porte(fournisseur: Callable[[], FournisseurDEssai]) -> type[BaseHTTPRequestHandler]:
    class Porte(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            chez, adresse = fournisseur(), urlsplit(self.path)
            chez.demandes.append(adresse.path)
            demande = dict(parse_qsl(adresse.query, keep_blank_values=True))
            match adresse.path.removeprefix("/oidc"):
                case "/.well-known/openid-configuration":
                    self._json(chez.description())
                case "/cles":
                    cles = [cle.publique() for cle in chez.cles]
                    self._json({"keys": chez.publier_les_cles(cles)})
                case "/autoriser" if chez.avec_page:
                    page = (
                        '<link rel="icon" href="data:,">'
                        '<form method="post"><button>Continuer</button></form>'
                    )
                    self._repondre(200, "text/html", page)
                case "/autoriser":
                    self._rediriger(chez.autoriser(demande))
                case "/infos":
                    self._repondre(*chez.infos(self.headers.get("Authorization", "")))
                case "/fin":
                    assert demande["id_token_hint"].count(".") == 2
                    assert len(demande["state"]) >= 32
                    retour = demande["post_logout_redirect_uri"]
                    assert retour in chez.apres_la_fin
                    self._rediriger(f"{retour}?{urlencode({'state': demande['state']})}")
                case _:
                    self._repondre(404, "text/plain", "")

        def do_POST(self) -> None:
            chez, adresse = fournisseur(), urlsplit(self.path)
            chez.demandes.append(adresse.path)
            corps = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if adresse.path == "/oidc/autoriser":
                self._rediriger(chez.autoriser(dict(parse_qsl(adresse.query))))
                return
            demande = {nom: valeurs[0] for nom, valeurs in parse_qs(corps).items()}
            statut, lu = chez.echanger(demande, self.headers.get("Authorization", ""))
            self._json(lu, statut)

        def _json(self, lu: Any, statut: int = 200) -> None:
            texte = lu if isinstance(lu, str) else json.dumps(lu)
            self._repondre(statut, "application/json", texte)

        def _rediriger(self, ou: str) -> None:
            self.send_response(302)
            self.send_header("Location", ou)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _repondre(self, statut: int, media: str, corps: str) -> None:
            octets = corps.encode()
            self.send_response(statut)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            lenteur = fournisseur().lenteur
            if not lenteur:
                self.wfile.write(octets)
                return
            try:
                for octet in octets:
                    self.wfile.write(bytes([octet]))
                    time.sleep(lenteur)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Porte


@contextmanager
def fournisseur_ouvert() -> Iterator[FournisseurDEssai]:
    """Lend a provider that listens on a port of its own."""
    ouverts: list[FournisseurDEssai] = []
    serveur = ThreadingHTTPServer(("127.0.0.1", 0), _porte(lambda: ouverts[0]))
    serveur.daemon_threads = True
    ouverts.append(FournisseurDEssai(serveur.server_address[1]))
    fil = threading.Thread(target=serveur.serve_forever, kwargs={"poll_interval": 0.02})
    fil.start()
    try:
        yield ouverts[0]
    finally:
        serveur.shutdown()
        fil.join()
        serveur.server_close()


@contextmanager
def application_servie(app: FastAPI) -> Iterator[str]:
    """Serve on a port of its own; return the address, under a name that is not the provider's."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    fil = threading.Thread(target=server.run)
    fil.start()
    try:
        while not server.started:
            assert fil.is_alive()
            time.sleep(0.02)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        fil.join()


def _a_signer(entete: Claims, claims: Claims) -> str:
    return ".".join(_b64(json.dumps(partie).encode()) for partie in (entete, claims))


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _entier(n: int, octets: int = 32) -> str:
    return _b64(n.to_bytes(octets))
