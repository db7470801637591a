"""The file that is handed over: a ZIP whose bytes depend on what it holds, and on nothing else."""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, BinaryIO, Self

#: The first instant that a ZIP can write: an archive says nothing of the day it was made.
_SANS_DATE = (1980, 1, 1, 0, 0, 0)
_LISIBLE = 0o644 << 16
_UNIX = 3

MANIFESTE = "manifeste.json"


@dataclass(frozen=True, slots=True)
class Fichier:
    """A file of the archive, as the manifest lists it."""

    chemin: str
    octets: int
    sha256: str


class Paquet:
    """Written from the first file to the last, without holding any of them; then the manifest."""

    def __init__(self, sortie: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(sortie, "w")
        self.fichiers: list[Fichier] = []

    def ecrire(
        self, chemin: str, contenu: bytes | Iterable[bytes], *, compresser: bool = True
    ) -> None:
        """Put a file; what comes piece by piece may be larger than the memory."""
        entier = isinstance(contenu, bytes)
        morceaux = [contenu] if isinstance(contenu, bytes) else contenu
        info = zipfile.ZipInfo(chemin, _SANS_DATE)
        info.create_system = _UNIX
        info.external_attr = _LISIBLE
        info.compress_type = zipfile.ZIP_DEFLATED if compresser else zipfile.ZIP_STORED
        digest, octets = sha256(), 0
        with self._zip.open(info, "w", force_zip64=not entier) as fichier:
            for morceau in morceaux:
                digest.update(morceau)
                octets += len(morceau)
                fichier.write(morceau)
        self.fichiers.append(Fichier(chemin, octets, digest.hexdigest()))

    def ecrire_json(self, chemin: str, contenu: Any) -> None:
        """Put a file of JSON, the same for the same content."""
        self.ecrire(chemin, en_json(contenu))

    def clore(self, manifeste: dict[str, Any]) -> None:
        """Put the manifest, which lists every other file."""
        fichiers = [
            {"chemin": f.chemin, "octets": f.octets, "sha256": f.sha256}
            for f in sorted(self.fichiers, key=lambda f: f.chemin)
        ]
        self.ecrire_json(MANIFESTE, {**manifeste, "fichiers": fichiers})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()


def en_json(contenu: Any) -> bytes:
    """Write JSON that people may read."""
    return json.dumps(contenu, ensure_ascii=False, indent=1).encode() + b"\n"
