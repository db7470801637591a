"""`oi archive`: the archive composed before the person who asks for it."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from api.archive.lectures import lectures
from api.filters import entier, instant
from api.v1.archives import ecrire_fiche
from oi_service.application import Service
from oi_service.errors import Refusal
from oi_service.preuve.archive.composer import Composee, composer
from oi_service.preuve.archive.demande import Demande


class ArchiveNonEcrite(Refusal):
    """L’archive n’a pas pu être écrite dans {fichier} : ce dossier n’existe pas, est plein, ou
    l’accès en est refusé.
    """


def composer_devant(console: Console, service: Service, demande: Demande, sortie: Path) -> Composee:
    """Compose, showing how far it is. Raises: ArchiveNonEcrite, and what `composer` raises."""
    columns = (
        TextColumn("{task.description:<40}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Préparation")

        def dire(etape: str, fait: int, total: int) -> None:
            progress.update(task, description=etape, completed=fait, total=total)

        try:
            return composer(service, demande, sortie, lectures(ecrire_fiche), progres=dire)
        except OSError as refus:
            raise ArchiveNonEcrite(fichier=sortie) from refus


def dire_l_archive(composee: Composee) -> Iterator[str]:
    """Yield what a person must know of an archive, to hand it over."""
    point = composee.point.point
    yield f"Archive écrite : {composee.fichier}"
    yield (
        f"Événements : {entier(composee.evenements)}. Pièces jointes : {entier(composee.pieces)} ; "
        f"jamais déposées : {entier(composee.pieces_absentes)} ; altérées depuis leur dépôt : "
        f"{entier(composee.pieces_alterees)}."
    )
    yield (
        f"Elle s’arrête au point signé le {instant(point.instant)}, de "
        f"{entier(point.taille)} événements."
    )
    yield f"Empreinte SHA-256 du fichier : {composee.sha256}"
    yield f"Empreinte SHA-256 de son manifeste, à confirmer à l’auditeur : {composee.manifeste}"
    yield "Pour la vérifier : la décompresser, lire LISEZMOI.txt, puis « python3 verifier.py »."
