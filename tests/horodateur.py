"""A time-stamp server on this machine, which really signs, and can be made to misbehave."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oi_service import clock

_POLITIQUE = "1.3.6.1.4.1.99999.1"
_DEBUT = datetime(2020, 1, 1, tzinfo=UTC)
_FIN = datetime(2120, 1, 1, tzinfo=UTC)


def _nom(nom: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, nom)])


@dataclass
class Autorite:
    """A root, and the certificate of a time-stamp server under it."""

    racine: x509.Certificate
    feuille: x509.Certificate
    cle: ec.EllipticCurvePrivateKey

    @classmethod
    def nouvelle(cls, nom: str = "Autorité fictive n° 1") -> "Autorite":
        """Make one."""
        cle_racine, cle = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

        def certificat(
            sujet: str, publique: ec.EllipticCurvePublicKey, *, ca: bool
        ) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(_nom(sujet))
                .issuer_name(_nom(nom))
                .public_key(publique)
                .serial_number(x509.random_serial_number())
                .not_valid_before(_DEBUT)
                .not_valid_after(_FIN)
                .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            )

        racine = certificat(nom, cle_racine.public_key(), ca=True)
        feuille = certificat("Horodateur fictif", cle.public_key(), ca=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
        )
        return cls(
            racine=racine.sign(cle_racine, hashes.SHA256()),
            feuille=feuille.sign(cle_racine, hashes.SHA256()),
            cle=cle,
        )

    def ecrire(self, chemin: Path) -> Path:
        """Write the root as an operator would give it."""
        chemin.write_bytes(self.racine.public_bytes(Encoding.PEM))
        return chemin

    def repondre(self, demande: bytes, changer: Callable[[dict[str, Any]], None]) -> bytes:
        """Answer a request as the RFC says, once the token is changed as a test wants."""
        lue = tsp.TimeStampReq.load(demande)
        dit: dict[str, Any] = {
            "version": "v1",
            "policy": _POLITIQUE,
            "message_imprint": lue["message_imprint"],
            "serial_number": 7,
            "gen_time": clock.now().replace(microsecond=0),
            "nonce": lue["nonce"].native,
        }
        changer(dit)
        jeton = self._signer(tsp.TSTInfo(dit).dump())
        return cast(
            "bytes", tsp.TimeStampResp({"status": {"status": 0}, "time_stamp_token": jeton}).dump()
        )

    def _signer(self, contenu: bytes) -> cms.ContentInfo:
        der = self.feuille.public_bytes(Encoding.DER)
        certificat = asn1_x509.Certificate.load(der)
        sha = algos.DigestAlgorithm({"algorithm": "sha256"})
        attributs = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [sha256(contenu).digest()]}),
                cms.CMSAttribute(
                    {
                        "type": "signing_certificate_v2",
                        "values": [{"certs": [{"cert_hash": sha256(der).digest()}]}],
                    }
                ),
            ]
        )
        signataire = cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(
                    "issuer_and_serial_number",
                    {
                        "issuer": certificat.issuer,
                        "serial_number": certificat.serial_number,
                    },
                ),
                "digest_algorithm": sha,
                "signed_attrs": attributs,
                "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                "signature": self.cle.sign(attributs.dump(), ec.ECDSA(hashes.SHA256())),
            }
        )
        return cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData(
                    {
                        "version": "v3",
                        "digest_algorithms": [sha],
                        "encap_content_info": {
                            "content_type": "tst_info",
                            "content": core.ParsableOctetString(contenu),
                        },
                        "certificates": [
                            certificat,
                            asn1_x509.Certificate.load(self.racine.public_bytes(Encoding.DER)),
                        ],
                        "signer_infos": [signataire],
                    }
                ),
            }
        )


@dataclass
class ServeurHorodatage:
    """How the server answers: change what it is, and ask it again."""

    autorite: Autorite
    url: str = ""
    statut: int = 200
    demandes: list[bytes] = field(default_factory=list)
    #: What becomes of the fields of the token before it is signed.
    changer: Callable[[dict[str, Any]], None] = lambda _: None
    #: The whole body, when it is not an answer of the RFC.
    corps: bytes | None = None
    #: Seconds between two bytes.
    lenteur: float = 0

    def repondre(self, demande: bytes) -> bytes:
        """Answer."""
        self.demandes.append(demande)
        return self.autorite.repondre(demande, self.changer) if self.corps is None else self.corps


#: The answer of a server that rejects: a status, and no token.
REFUS = bytes.fromhex("30053003020102")


@contextmanager
def serveur_horodatage(autorite: Autorite | None = None) -> Iterator[ServeurHorodatage]:
    """Lend a server that listens on this machine."""
    reglage = ServeurHorodatage(autorite or Autorite.nouvelle())
    fini = threading.Event()

    class Reponse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            demande = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            corps = reglage.repondre(demande)
            self.send_response(reglage.statut)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            for debut in range(0, len(corps), 1 if reglage.lenteur else len(corps)):
                if fini.wait(reglage.lenteur):
                    return
                try:
                    self.wfile.write(corps[debut : debut + 1] if reglage.lenteur else corps)
                except OSError:
                    return

        def log_message(self, *_: object) -> None:
            pass

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Reponse)
    serveur.daemon_threads = True
    reglage.url = f"http://127.0.0.1:{serveur.server_port}/tsa"
    fil = threading.Thread(target=serveur.serve_forever, kwargs={"poll_interval": 0.02})
    fil.start()
    try:
        yield reglage
    finally:
        fini.set()
        serveur.shutdown()
        fil.join()
        serveur.server_close()
