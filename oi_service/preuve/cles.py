"""The key that signs the points: a file, never in the database, whose public half the log knows.

Each step leaves a state that the next start understands: a key is whole on the disk before the log
names it, and the one before goes away after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from psycopg.rows import TupleRow

from aggregates.registre import cles as decisions
from aggregates.registre.cles import CleJamaisEtablie, message
from aggregates.registre.events import CleChangee, CleEtablie
from aggregates.registre.state import REGISTRE, REGISTRE_ID, Registre
from oi_service import clock
from oi_service.application import Acte, Service, Unit
from oi_service.codec import REGISTRY
from oi_service.durable import sync_folder, write_new
from oi_service.errors import Conflict
from oi_service.preuve.point import (
    cle_de_verification,
    de_base64,
    en_base64,
    octets_de_cle,
    octets_publics,
    origine_de,
    signature_vraie,
)
from oi_service.preuve.verrou import seul

#: The key that signs.
FICHIER = "signature.pem"
#: The next one, between the moment when it is drawn and the moment when it signs.
SUIVANTE = "signature.suivante.pem"

_SYSTEME = ("systeme", "systeme")


class CleDeSignatureAbsente(Conflict):
    """La clé de signature du journal manque : {chemin} n’existe pas. Restaurez ce fichier depuis sa
    sauvegarde. S’il est perdu, « oi changer-cle --perdue --motif … » en établit une autre : le
    journal gardera que la précédente ne l’a pas signée, et un auditeur en demandera la raison.
    """


class CleDeSignatureEtrangere(Conflict):
    """{chemin} n’est pas la clé de signature de ce journal. Remettez la bonne depuis sa
    sauvegarde ; si elle est perdue, retirez ce fichier, puis « oi changer-cle --perdue --motif … »
    en établit une autre.
    """


class CleDeSignatureIllisible(Conflict):
    """La clé de signature {chemin} ne peut pas être lue : {raison}. Restaurez ce fichier depuis sa
    sauvegarde, ou donnez au service le droit de le lire.
    """


class CleNonEcrite(Conflict):
    """La clé de signature ne peut pas être écrite dans {dossier} : {raison}."""


class CleEnPlace(Conflict):
    """La clé de signature n’est pas perdue, elle est dans {chemin} : changez-la sans --perdue, pour
    qu’elle signe celle qui la remplace.
    """


def registre_de(service: Service) -> Registre:
    """Return what the register knows of itself."""
    return Unit(service.journal, Acte(*_SYSTEME)).find(REGISTRE, REGISTRE_ID) or Registre()


def etablir(service: Service) -> Ed25519PrivateKey:
    """Return the key that signs: drawn at the first start, and the one that the log knows after.

    A change that a stop interrupted is finished here.

    Raises: CleDeSignatureAbsente, CleDeSignatureEtrangere, CleDeSignatureIllisible, CleNonEcrite.
    """
    dossier, registre = service.lieux.cles, registre_de(service)
    cle = _lire(dossier / FICHIER)
    if registre.cle is None:
        cle = cle or _tirer(dossier / FICHIER)
        _noter_la_premiere(service, publique(cle))
        return cle
    if cle is not None and publique(cle) == registre.cle:
        return cle
    suivante = _lire(dossier / SUIVANTE)
    remplacable = cle is None or publique(cle) in {c.cle for c in registre.cles}
    if suivante is not None and publique(suivante) == registre.cle and remplacable:
        installer(dossier)
        return suivante
    refus = CleDeSignatureAbsente if cle is None else CleDeSignatureEtrangere
    raise refus(chemin=dossier / FICHIER)


def changer(service: Service, *, perdue: bool = False, motif: str | None = None) -> str:
    """Replace the key, signed by the one before unless it is lost; return the new one, public.

    Raises: CleEnPlace, CleJamaisEtablie, MotifDeLaPerte, and what `etablir` raises.
    """
    with seul(service) as conn:
        ancienne = _ancienne(service, perdue=perdue)
        nouvelle = preparer(service.lieux.cles)
        noter_le_changement(service, conn, ancienne, nouvelle, motif)
        installer(service.lieux.cles)
    return publique(nouvelle)


def _ancienne(service: Service, *, perdue: bool) -> Ed25519PrivateKey | None:
    if registre_de(service).cle is None:
        raise CleJamaisEtablie
    try:
        ancienne = etablir(service)
    except CleDeSignatureAbsente:
        if perdue:
            return None
        raise
    if perdue:
        raise CleEnPlace(chemin=service.lieux.cles / FICHIER)
    return ancienne


def preparer(dossier: Path) -> Ed25519PrivateKey:
    """First step of a change: the next key is on the disk, and nobody knows it.

    One that an interrupted change left there never signed anything: it serves.
    """
    return _lire(dossier / SUIVANTE) or _tirer(dossier / SUIVANTE)


def noter_le_changement(
    service: Service,
    conn: psycopg.Connection[TupleRow],
    ancienne: Ed25519PrivateKey | None,
    nouvelle: Ed25519PrivateKey,
    motif: str | None,
) -> None:
    """Second step: the log knows the next key, handed over by the one before."""
    cle, origine = publique(nouvelle), lire_origine(conn)

    def work(unit: Unit) -> None:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        signature = None
        if ancienne is not None:
            signature = en_base64(ancienne.sign(message(origine, row[0], cle)))
        registre = unit.find(REGISTRE, REGISTRE_ID)
        faits = decisions.changer(registre, cle, row[0], signature, motif, le=clock.today())
        unit.record(REGISTRE, REGISTRE_ID, faits)

    service.journal.execute(Acte(*_SYSTEME), work)


def installer(dossier: Path) -> None:
    """Last step: the next key takes the place of the one before, whose file is no more."""
    try:
        for reste in dossier.glob(f".{FICHIER}.*"):  # A stop may have left one there.
            reste.unlink()
        (dossier / SUIVANTE).replace(dossier / FICHIER)
        sync_folder(dossier)
    except OSError as refus:
        raise CleNonEcrite(dossier=dossier, raison=refus.strerror) from refus


@dataclass(frozen=True, slots=True)
class Passation:
    """A change of key, as the log keeps it; ``signee`` is ``None`` when the one before was lost."""

    position: int
    signee: bool | None
    motif: str | None


def passations(conn: psycopg.Connection[TupleRow]) -> Iterator[Passation]:
    """Yield each change of key, and whether the one before handed over."""
    rows = conn.execute(
        """
        SELECT position, name, data::text, date_effet::text, motif, pieces::text FROM oi.event
        WHERE stream_id = %s AND name = ANY(%s) ORDER BY position
        """,
        (REGISTRE_ID, [REGISTRY.names[CleEtablie], REGISTRY.names[CleChangee]]),
    ).fetchall()
    ancienne = ""
    for position, *stored in rows:
        fait = REGISTRY.decode(*stored)
        assert isinstance(fait, CleEtablie | CleChangee)
        if isinstance(fait, CleChangee):
            yield Passation(position, _signee(lire_origine(conn), ancienne, fait), fait.motif)
        ancienne = fait.cle


def _signee(origine: str, ancienne: str, fait: CleChangee) -> bool | None:
    if fait.signature is None:
        return None
    signature = de_base64(fait.signature) or b""
    return signature_vraie(
        octets_de_cle(ancienne), signature, message(origine, fait.depuis, fait.cle)
    )


def lire_origine(conn: psycopg.Connection[TupleRow]) -> str:
    """Return the name of the log; it has a first event since it has a key."""
    row = conn.execute("SELECT event_id FROM oi.event WHERE position = 1").fetchone()
    assert row is not None
    return origine_de(row[0])


def verification(service: Service, conn: psycopg.Connection[TupleRow]) -> str | None:
    """Return what a third party keeps to know the key that signs now."""
    cle = registre_de(service).cle
    return cle and cle_de_verification(lire_origine(conn), octets_de_cle(cle))


def publique(cle: Ed25519PrivateKey) -> str:
    """Return the public half, as the log keeps it."""
    return en_base64(octets_publics(cle.public_key()))


def _noter_la_premiere(service: Service, cle: str) -> None:
    def work(unit: Unit) -> None:
        registre = unit.find(REGISTRE, REGISTRE_ID)
        unit.record(REGISTRE, REGISTRE_ID, decisions.etablir(registre, cle, le=clock.today()))

    service.journal.execute(Acte(*_SYSTEME), work)


def _lire(chemin: Path) -> Ed25519PrivateKey | None:
    """Read a key; ``None`` when there is no file."""
    try:
        cle = load_pem_private_key(chemin.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except OSError as refus:
        raise CleDeSignatureIllisible(chemin=chemin, raison=refus.strerror) from refus
    except (ValueError, TypeError) as illisible:
        raise CleDeSignatureIllisible(
            chemin=chemin, raison="ce n’est pas une clé privée PKCS8 sans mot de passe"
        ) from illisible
    if not isinstance(cle, Ed25519PrivateKey):
        raise CleDeSignatureIllisible(chemin=chemin, raison="ce n’est pas une clé Ed25519")
    return cle


def _tirer(chemin: Path) -> Ed25519PrivateKey:
    """Draw a key and put its file there, whole; if somebody just did, theirs is the one."""
    cle = Ed25519PrivateKey.generate()
    texte = cle.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        chemin.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        pris = not write_new(chemin, texte, 0o600)
    except OSError as refus:
        raise CleNonEcrite(dossier=chemin.parent, raison=refus.strerror) from refus
    return (pris and _lire(chemin)) or cle
