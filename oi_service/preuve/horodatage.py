"""An RFC 3161 time-stamp of a point: a third party says that it existed at an instant.

What is dated is the file of the point, to the byte, and what is kept is the whole answer: anybody
checks one against the other with the usual tools (``openssl ts -verify``).
"""

import time
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from oi_service.errors import Refusal

#: Seconds that the whole exchange may last: a point does not wait for a third party.
DELAI = 20.0
#: Largest answer that is read; real ones have a few kilobytes.
_OCTETS_MAX = 2**20
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


class HorodatageManque(Refusal):
    """Le serveur d’horodatage {serveur} n’a pas daté le point : {raison}."""


@dataclass(frozen=True, slots=True)
class Jeton:
    """The answer of the server, as it came, and the instant that it says."""

    octets: bytes
    instant: datetime


@dataclass(frozen=True, slots=True)
class Horodateur:
    """A server of time-stamps; ``autorites``: file of the certificates that it must descend from.

    Without that file, the answer is known to be about our point and our request; that its
    signature is the server's is left to whoever checks the token.
    """

    url: str
    autorites: Path | None = None
    delai: float = DELAI

    @property
    def serveur(self) -> str:
        """The server as it may be shown: an address holds secrets, a name does not."""
        return urlsplit(self.url).hostname or "sans nom"

    def dater(self, donnee: bytes) -> Jeton:
        """Have bytes dated.

        Raises: HorodatageManque.
        """
        demande = TimestampRequestBuilder().data(donnee).hash_algorithm(HashAlgorithm.SHA256)
        requete = demande.build()
        octets = self._demander(requete.as_bytes())
        try:
            reponse = decode_timestamp_response(octets)
            if reponse.status != PKIStatus.GRANTED:
                raise self._manque(f"il la refuse (état {reponse.status})")
            self._exiger_le_meme(requete, reponse, sha256(donnee).digest())
            if self.autorites is not None:
                self._exiger_la_chaine(self.autorites, requete, reponse, donnee)
            return Jeton(octets, reponse.tst_info.gen_time)
        except ValueError as illisible:
            raise self._manque("sa réponse n’est pas un horodatage RFC 3161") from illisible

    def _demander(self, corps: bytes) -> bytes:
        if urlsplit(self.url).scheme not in {"http", "https"}:
            raise self._manque("son adresse doit commencer par http:// ou https://")
        requete = Request(  # noqa: S310 - http and https only, as the line above says
            self.url, data=corps, headers={"Content-Type": "application/timestamp-query"}
        )
        limite = time.monotonic() + self.delai
        try:
            with _client().open(requete, timeout=self.delai) as reponse:
                return self._lire(reponse, limite)
        except HTTPError as refus:
            refus.close()
            raise self._manque(f"il répond {refus.code}") from refus
        except TimeoutError as lent:
            raise self._manque(self._trop_lent) from lent
        except URLError as absent:
            raison = self._trop_lent if isinstance(absent.reason, TimeoutError) else _ABSENT
            raise self._manque(raison) from absent
        except (OSError, HTTPException, ValueError) as absent:
            raise self._manque(_ABSENT) from absent

    def _lire(self, reponse: HTTPResponse, limite: float) -> bytes:
        """Read an answer that may come in drops: each one resets the clock of the socket."""
        octets = b""
        while morceau := reponse.read1(2**16):
            octets += morceau
            if len(octets) > _OCTETS_MAX:
                raise self._manque("sa réponse est trop longue")
            if time.monotonic() > limite:
                raise self._manque(self._trop_lent)
        return octets

    def _exiger_le_meme(
        self, requete: TimeStampRequest, reponse: TimeStampResponse, empreinte: bytes
    ) -> None:
        """Refuse the date of something else, or an old answer sent again."""
        dit = reponse.tst_info.message_imprint
        if (dit.hash_algorithm, dit.message) != (_SHA256, empreinte):
            raise self._manque("il a daté autre chose que le point")
        if reponse.tst_info.nonce != requete.nonce:
            raise self._manque("il répond à une autre demande que la nôtre")

    def _exiger_la_chaine(
        self,
        autorites: Path,
        requete: TimeStampRequest,
        reponse: TimeStampResponse,
        donnee: bytes,
    ) -> None:
        try:
            certificats = x509.load_pem_x509_certificates(autorites.read_bytes())
        except (OSError, ValueError) as illisible:
            raise self._manque(
                "le fichier de certificats OI_HORODATAGE_AC ne peut pas être lu"
            ) from illisible
        construction = VerifierBuilder.from_request(requete)
        for certificat in certificats:
            racine = certificat.issuer == certificat.subject
            ajouter = (
                construction.add_root_certificate
                if racine
                else construction.add_intermediate_certificate
            )
            construction = ajouter(certificat)
        try:
            construction.build().verify_message(reponse, donnee)
        except (VerificationError, ValueError) as refus:
            raise self._manque(
                "sa signature n’est pas celle des autorités de OI_HORODATAGE_AC"
            ) from refus

    @property
    def _trop_lent(self) -> str:
        return f"il n’a pas répondu en {self.delai:g} secondes"

    def _manque(self, raison: str) -> HorodatageManque:
        return HorodatageManque(serveur=self.serveur, raison=raison)


_ABSENT = "il ne répond pas"


def _client() -> OpenerDirector:
    """Return a client of the web that goes where it is told: no file, no FTP, no redirection."""
    client = OpenerDirector()
    client.add_handler(ProxyHandler())
    client.add_handler(HTTPHandler())
    client.add_handler(HTTPSHandler())
    client.add_handler(HTTPErrorProcessor())
    client.add_handler(HTTPDefaultErrorHandler())
    return client
