"""A database that holds the whole story, and how tests read it."""

from oi_service.application import Service
from oi_service.demo.vie import Bilan, jouer


class Jeu:
    """A played story: the service on it, what the play returned, what it said meanwhile."""

    def __init__(self, base: str, service: Service) -> None:
        self.base = base
        self.service = service
        self.progres: list[tuple[str, int, int]] = []
        self.bilan: Bilan = jouer(service, progres=lambda *dit: self.progres.append(dit))

    def lignes(self, requete: str) -> list[tuple[object, ...]]:
        """Return the rows of a query."""
        with self.service.reads.connection() as conn:
            return conn.execute(requete.encode()).fetchall()

    def valeurs(self, requete: str) -> list[object]:
        """Return the first column of a query."""
        return [row[0] for row in self.lignes(requete)]
