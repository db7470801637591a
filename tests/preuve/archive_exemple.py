"""Small archives made by hand, to be altered: a third writing of the format, for the tests only."""

import base64
import json
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oi_service.preuve.archive import verifier

DEBUT = datetime(2023, 2, 1, 8, 0, tzinfo=UTC)


def identifiant(*quoi: object) -> UUID:
    """Return an identifier that depends on nothing but what it identifies."""
    return UUID(bytes=sha256(repr(quoi).encode()).digest()[:16])


@dataclass(frozen=True, kw_only=True)
class Ecrit:
    """An event as the columns of the log hold it; ``data`` and ``pieces`` are the text of jsonb."""

    position: int
    stream_id: UUID
    version: int
    event_id: UUID
    name: str
    date_effet: date
    enregistre_le: datetime
    acteur: str = "gestionnaire-1"
    role: str = "gestionnaire"
    oi_id: str = "oi-fictif"
    reglement: str = "2021-2027"
    motif: str | None = None
    command_id: UUID
    fingerprint: bytes | None = None
    correlation_id: UUID
    cause_id: UUID | None = None
    seal_scheme: int = 1
    pieces: str = "[]"
    data: str = "{}"

    def enregistrement(self) -> bytes:
        """Return the bytes that are sealed."""
        jours = (self.date_effet - date(2000, 1, 1)).days
        instant = (self.enregistre_le - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(
            microseconds=1
        )
        champs: list[tuple[int, bytes | None]] = [
            (21, pack(">h", self.seal_scheme)),
            (20, pack(">q", self.position)),
            (2950, self.stream_id.bytes),
            (23, pack(">i", self.version)),
            (2950, self.event_id.bytes),
            (17, self.name.encode()),
            (17, self.data.encode()),
            (1082, pack(">i", jours)),
            (1184, pack(">q", instant)),
            (17, self.acteur.encode()),
            (17, self.role.encode()),
            (17, self.oi_id.encode()),
            (17, self.reglement.encode()),
            (17, None if self.motif is None else self.motif.encode()),
            (17, self.pieces.encode()),
            (2950, self.command_id.bytes),
            (17, self.fingerprint),
            (2950, self.correlation_id.bytes),
            (2950, None if self.cause_id is None else self.cause_id.bytes),
        ]
        return pack(">i", len(champs)) + b"".join(
            pack(">ii", numero, -1 if octets is None else len(octets)) + (octets or b"")
            for numero, octets in champs
        )

    def ligne(self, sceau: bytes) -> bytes:
        """Return the line of the export."""
        simples: dict[str, Any] = {
            "position": self.position,
            "stream_id": str(self.stream_id),
            "version": self.version,
            "event_id": str(self.event_id),
            "name": self.name,
            "date_effet": self.date_effet.isoformat(),
            "enregistre_le": f"{self.enregistre_le:%Y-%m-%dT%H:%M:%S.%f}Z",
            "acteur": self.acteur,
            "role": self.role,
            "oi_id": self.oi_id,
            "reglement": self.reglement,
            "motif": self.motif,
            "command_id": str(self.command_id),
            "fingerprint": None if self.fingerprint is None else self.fingerprint.hex(),
            "correlation_id": str(self.correlation_id),
            "cause_id": None if self.cause_id is None else str(self.cause_id),
            "seal_scheme": self.seal_scheme,
            "seal": sceau.hex(),
        }
        ecrits = [
            f'"{nom}" : {json.dumps(valeur, ensure_ascii=False)}' for nom, valeur in simples.items()
        ]
        ecrits += [f'"pieces" : {self.pieces}', f'"data" : {self.data}']
        return ("{" + ", ".join(ecrits) + "}\n").encode()


# --- RFC 9162, written from its definitions, as plainly as they are -------------------------------


def racine_de(donnees: Sequence[bytes]) -> bytes:
    """Return MTH(D[n])."""
    if len(donnees) == 1:
        return sha256(b"\x00" + donnees[0]).digest()
    k = _coupe(len(donnees))
    return sha256(b"\x01" + racine_de(donnees[:k]) + racine_de(donnees[k:])).digest()


def inclusion_de(index: int, donnees: Sequence[bytes]) -> list[bytes]:
    """Return PATH(m, D[n])."""
    if len(donnees) == 1:
        return []
    k = _coupe(len(donnees))
    if index < k:
        return [*inclusion_de(index, donnees[:k]), racine_de(donnees[k:])]
    return [*inclusion_de(index - k, donnees[k:]), racine_de(donnees[:k])]


def coherence_de(ancienne: int, donnees: Sequence[bytes], *, entier: bool = True) -> list[bytes]:
    """Return PROOF(m, D[n])."""
    if ancienne == len(donnees):
        return [] if entier else [racine_de(donnees)]
    k = _coupe(len(donnees))
    if ancienne <= k:
        return [*coherence_de(ancienne, donnees[:k], entier=entier), racine_de(donnees[k:])]
    reste = coherence_de(ancienne - k, donnees[k:], entier=False)
    return [*reste, racine_de(donnees[:k])]


def _coupe(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


# --- An archive -----------------------------------------------------------------------------------


def cle_numero(numero: int) -> Ed25519PrivateKey:
    """Return a signing key of the tests."""
    return Ed25519PrivateKey.from_private_bytes(sha256(f"cle {numero}".encode()).digest())


def publique(cle: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of its public half."""
    return cle.public_key().public_bytes_raw()


def faits(nombre: int = 21, pieces: Mapping[int, bytes] | None = None) -> list[Ecrit]:
    """Return events of a few streams; some name a document, two are of before the seal."""
    versions: dict[int, int] = {}
    ecrits = []
    for position in range(1, nombre + 1):
        flux = position % 4
        versions[flux] = versions.get(flux, 0) + 1
        piece = (pieces or {}).get(position)
        ecrits.append(
            Ecrit(
                position=position,
                stream_id=identifiant("flux", flux),
                version=versions[flux],
                event_id=identifiant("evenement", position),
                name="convention.paiement_emis.v1" if flux else "operation.dossier_depose.v1",
                date_effet=date(2023, 1, 31) + timedelta(days=position % 5),
                enregistre_le=DEBUT + timedelta(microseconds=position // 2 * 1_001),
                motif=None if position % 3 else f"Motif n° {position} : « à revoir »",
                command_id=identifiant("commande", position // 2),
                fingerprint=None if position < 3 else sha256(b"demande").digest(),
                correlation_id=identifiant("commande", position // 2),
                cause_id=None if position % 2 else identifiant("evenement", position - 1),
                seal_scheme=0 if position < 3 else 1,
                pieces="[]"
                if piece is None
                else f'[{{"type": "facture", "sha256": "{sha256(piece).hexdigest()}", '
                '"libelle": "Bénéficiaire fictif n° 07"}]',
                data=f'{{"libelle": "Dépense n° {position}", "montant_centimes": {position}00}}',
            )
        )
    return ecrits


@dataclass(kw_only=True)
class Recette:
    """What an archive is made of; ``depuis``: from which sizes the keys after the first sign."""

    ecrits: list[Ecrit] = field(default_factory=faits)
    tailles: Sequence[int] = (5, 13, 21)
    depuis: Sequence[int] = ()
    choisis: Sequence[int] | None = None
    pieces: Sequence[bytes] = ()
    absentes: Sequence[str] = ()
    cles: Callable[[int], Ed25519PrivateKey] = cle_numero

    @property
    def origine(self) -> str:
        """The name of the log."""
        return f"oi_service/journal/{self.ecrits[0].event_id}"

    def sceaux(self) -> list[bytes]:
        """Return the seals."""
        sceaux, sceau = [], bytes(32)
        for ecrit in self.ecrits:
            sceau = sha256(sceau + ecrit.enregistrement()).digest()
            sceaux.append(sceau)
        return sceaux

    def point(self, taille: int, cle: Ed25519PrivateKey | None = None) -> bytes:
        """Return a signed point."""
        sceaux = self.sceaux()[:taille]
        instant = self.ecrits[taille - 1].enregistre_le + timedelta(seconds=taille)
        rang = sum(taille > depuis for depuis in self.depuis)
        return signer(
            self.origine, taille, racine_de(sceaux), instant, sceaux[-1], cle or self.cles(rang)
        )

    def trousseau(self) -> list[dict[str, object]]:
        """Return what ``cles.json`` says."""
        cles: list[dict[str, object]] = []
        for rang, depuis in enumerate((0, *self.depuis)):
            ecrite = base64.b64encode(publique(self.cles(rang))).decode()
            annonce = f"oi_service/cle/1\n{self.origine}\n{depuis}\n{ecrite}\n".encode()
            signature = self.cles(rang - 1).sign(annonce) if rang else None
            cles.append(
                {
                    "cle": ecrite,
                    "depuis": depuis,
                    "signature": signature and base64.b64encode(signature).decode(),
                }
            )
        return cles

    def ecrire(self, dossier: Path) -> Path:
        """Write the archive in a folder."""
        sceaux, taille = self.sceaux(), max(self.tailles)
        donnees = sceaux[:taille]
        choisis = range(1, taille + 1) if self.choisis is None else self.choisis
        for sous in ("points", "pieces", "regles", "lecture"):
            (dossier / sous).mkdir(parents=True)
        (dossier / "LISEZMOI.txt").write_text("À lire d’abord.\n", "utf-8")
        (dossier / "regles" / "taux.toml").write_text("taux = 1\n", "utf-8")
        (dossier / "lecture" / "histoire.html").write_text("<p>Histoire</p>\n", "utf-8")
        shutil.copy(verifier.__file__, dossier / "verifier.py")
        lignes = [self.ecrits[n - 1].ligne(sceaux[n - 1]) for n in choisis]
        (dossier / "evenements.jsonl").write_bytes(b"".join(lignes))
        for point in self.tailles:
            (dossier / "points" / f"ancre-{point:012d}.txt").write_bytes(self.point(point))
        coherence: list[dict[str, object]] = []
        if self.choisis is not None:
            preuves = [
                {
                    "position": n,
                    "sceau_precedent": [bytes(32), *sceaux][n - 1].hex(),
                    "inclusion": [h.hex() for h in inclusion_de(n - 1, donnees)],
                }
                for n in choisis
            ]
            ecrites = "".join(json.dumps(preuve) + "\n" for preuve in preuves)
            (dossier / "preuves.jsonl").write_text(ecrites, "utf-8")
            coherence = [
                {"de": de, "a": a, "preuve": [h.hex() for h in coherence_de(de, sceaux[:a])]}
                for de, a in zip(self.tailles, self.tailles[1:], strict=False)
            ]
        (dossier / "coherence.json").write_text(json.dumps(coherence), "utf-8")
        (dossier / "cles.json").write_text(json.dumps(self.trousseau()), "utf-8")
        for piece in self.pieces:
            (dossier / "pieces" / sha256(piece).hexdigest()).write_bytes(piece)
        manifester(
            dossier,
            {
                "format": "oi-archive/1",
                "demande": {"portee": "tout"},
                "journal": {
                    "origine": self.origine,
                    "taille": taille,
                    "point": f"points/ancre-{taille:012d}.txt",
                },
                "complet": self.choisis is None,
                "evenements": len(lignes),
                "pieces_absentes": list(self.absentes),
            },
        )
        return dossier

    def changee(self, position: int, **champs: Any) -> "Recette":
        """Return the same log with an event rewritten, and all that follows sealed again."""
        ecrits = list(self.ecrits)
        ecrits[position - 1] = replace(ecrits[position - 1], **champs)
        return replace(self, ecrits=ecrits)


def signer(
    origine: str,
    taille: int,
    racine: bytes,
    instant: datetime,
    sceau: bytes,
    cle: Ed25519PrivateKey,
) -> bytes:
    """Return the text of a point."""
    texte = (
        f"{origine}\n{taille}\n{base64.b64encode(racine).decode()}\n"
        f"instant {instant:%Y-%m-%dT%H:%M:%S}Z\nsceau {sceau.hex()}\n"
    )
    cle_id = sha256(origine.encode() + b"\n\x01" + publique(cle)).digest()[:4]
    signature = base64.b64encode(cle_id + cle.sign(texte.encode())).decode()
    return f"{texte}\n— {origine} {signature}\n".encode()


def manifester(dossier: Path, dit: Mapping[str, Any] | None = None) -> None:
    """Write the manifest of a folder as it is; by default, what the former one said besides."""
    manifeste = dossier / "manifeste.json"
    dit = dit or json.loads(manifeste.read_text("utf-8"))
    manifeste.unlink(missing_ok=True)
    fichiers = [
        {
            "chemin": fichier.relative_to(dossier).as_posix(),
            "octets": fichier.stat().st_size,
            "sha256": sha256(fichier.read_bytes()).hexdigest(),
        }
        for fichier in sorted(dossier.rglob("*"))
        if fichier.is_file()
    ]
    manifeste.write_text(json.dumps({**dit, "fichiers": fichiers}, ensure_ascii=False), "utf-8")


def zipper(dossier: Path, sortie: Path, seulement: Iterable[str] | None = None) -> Path:
    """Write a folder as a zip."""
    with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as paquet:
        for fichier in sorted(dossier.rglob("*")):
            nom = fichier.relative_to(dossier).as_posix()
            if fichier.is_file() and (seulement is None or nom in seulement):
                paquet.write(fichier, nom)
    return sortie
