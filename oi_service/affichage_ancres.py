"""How the terminal shows anchors: the one that was just made, and the list of all."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from rich import box
from rich.table import Table

from aggregates.registre.events import DestinationAncre
from api.filters import entier, instant
from oi_service.preuve.ancrage import Ancrage
from oi_service.preuve.ancres import AncreListee, Etat
from oi_service.preuve.point import en_base64

ETATS: dict[Etat, str] = {
    "presente": "présente",
    "absente": "ABSENTE du dossier",
    "differente": "DIFFÉRENTE de ce que le journal note",
    "non_ecrite": "n’a pas pu être écrite",
    "non_notee": "le journal ne la note pas",
    "inaccessible": "dossier inaccessible",
}
_NATURES = {"fichier": "fichier", "courriel": "courriel à", "horodatage": "horodatage par"}


def afficher_ancrage(fait: Ancrage) -> Iterator[str]:
    """Yield what was signed, and where it went."""
    point = fait.ancre.point
    yield (
        f"Journal ancré le {instant(point.instant)} : {entier(point.taille)} événements, racine "
        f"{en_base64(point.racine)}"
    )
    for destination in fait.destinations:
        yield f"  {_dite(destination)}"


def _dite(destination: DestinationAncre) -> str:
    detail = f" : {destination.detail}" if destination.detail else ""
    marque = "✓" if destination.reussi else "✗"
    return f"{marque} {_NATURES[destination.nature]} {destination.ou}{detail}"


def table_des_ancres(ancres: Iterable[AncreListee]) -> Table:
    """Return the anchors, the oldest first."""
    table = Table(title="Ancres du journal", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Événements", justify="right", no_wrap=True)
    table.add_column("Signée le", no_wrap=True)
    table.add_column("Fichier", no_wrap=True)
    table.add_column("État")
    table.add_column("Envoyée", overflow="fold")
    for ancre in ancres:
        ailleurs = [d for d in ancre.destinations if d.nature != "fichier"]
        table.add_row(
            "" if ancre.taille is None else entier(ancre.taille),
            "" if ancre.instant is None else instant(datetime.fromisoformat(ancre.instant)),
            ancre.nom,
            ETATS[ancre.etat],
            "\n".join(_dite(d) for d in ailleurs),
        )
    return table
