"""A point of the log was signed: the fact that keeps where it went."""

from aggregates.commande import Commande
from aggregates.registre.events import DestinationAncre, JournalAncre
from aggregates.registre.state import Registre


class AncrerJournal(Commande):
    """Sign a point of the log as it stands, and put it out of reach of who runs the database."""


def noter(
    _registre: Registre | None,
    commande: AncrerJournal,
    taille: int,
    racine: str,
    instant: str,
    cle: str,
    destinations: tuple[DestinationAncre, ...],
) -> list[JournalAncre]:
    """Keep what was signed and where it went; what failed is kept too."""
    return [
        JournalAncre(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            taille=taille,
            racine=racine,
            instant=instant,
            cle=cle,
            destinations=destinations,
        )
    ]
