"""Accounts as they are looked up at the door: who is open, which roles, lent by which PLIE."""

from collections.abc import Callable
from datetime import date
from typing import Any

from psycopg import sql

from aggregates.compte import ouverture, roles
from aggregates.compte.state import COMPTE
from oi_service.application import Acte, Service, Unit
from oi_service.ids import compte_of, new_id
from projections.rebuild import rebuild

ADMIN = "administrateur-1"
PLIES = frozenset({"A", "B"})
JOUR = {"date_effet": "2026-01-05"}
MOTIF = {**JOUR, "motif": "Départ"}


class Comptes:
    """Accounts of a service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def acte(self, work: Callable[[Unit], object]) -> None:
        self.service.journal.execute(Acte(ADMIN, "administrateur"), work)

    def ouvrir(self, identifiant: str) -> None:
        asked = ouverture.OuvrirCompte.model_validate({**JOUR, "identifiant": identifiant})
        self.acte(lambda u: u.create(COMPTE, compte_of(identifiant), ouverture.ouvrir, asked))

    def donner(self, identifiant: str, **saisie: Any) -> Any:
        attribution, asked = new_id(), roles.AttribuerRole.model_validate({**JOUR, **saisie})
        self.decider(identifiant, roles.attribuer, asked, attribution, ADMIN, PLIES)
        return attribution

    def decider(self, identifiant: str, decision: Any, *args: Any, **named: Any) -> None:
        self.acte(lambda u: u.execute(COMPTE, compte_of(identifiant), decision, *args, **named))

    def lire(self, table: str, colonnes: str) -> list[Any]:
        with self.service.reads.connection() as conn:
            noms = sql.SQL(", ").join(map(sql.Identifier, colonnes.split(", ")))
            query = sql.SQL("SELECT {} FROM {} ORDER BY position").format(
                noms, sql.Identifier("projection", table)
            )
            return conn.execute(query).fetchall()


def test_accounts_are_projected_and_rebuilt_the_same(service: Service, base: str) -> None:
    comptes = Comptes(service)
    for identifiant in ("compte-1", "compte-2"):
        comptes.ouvrir(identifiant)
    garde = comptes.donner(
        "compte-1", role="directeur_plie", plies=["B", "A"], du="2026-01-05", au="2026-12-31"
    )
    rendu = comptes.donner("compte-1", role="gestionnaire_oi", du="2026-01-05")
    retrait = roles.RetirerRole.model_validate(MOTIF)
    comptes.decider("compte-1", roles.retirer, retrait, rendu, ADMIN, dernier_administrateur=False)
    mise = new_id()
    notee = roles.NoterMiseADisposition.model_validate({**JOUR, "plie_id": "A", "du": "2026-01-05"})
    comptes.decider("compte-2", roles.noter_mise_a_disposition, notee, mise, ADMIN, PLIES)

    assert comptes.lire("compte", "identifiant, stream_id, statut") == [
        ("compte-1", compte_of("compte-1"), "ouvert"),
        ("compte-2", compte_of("compte-2"), "ouvert"),
    ]
    assert comptes.lire("compte_role", "attribution_id, identifiant, role, plies, du, au") == [
        (garde, "compte-1", "directeur_plie", ["A", "B"], date(2026, 1, 5), date(2026, 12, 31))
    ]
    assert comptes.lire("compte_mise_a_disposition", "mise_id, identifiant, plie_id, au") == [
        (mise, "compte-2", "A", None)
    ]

    etat = ouverture.ChangerEtatCompte.model_validate(MOTIF)
    comptes.decider("compte-1", ouverture.suspendre, etat, ADMIN, dernier_administrateur=False)
    comptes.decider("compte-2", ouverture.suspendre, etat, ADMIN, dernier_administrateur=False)
    comptes.decider("compte-2", ouverture.retablir, etat, ADMIN)
    levee = roles.LeverMiseADisposition.model_validate(MOTIF)
    comptes.decider("compte-2", roles.lever_mise_a_disposition, levee, mise, ADMIN)
    comptes.decider("compte-2", ouverture.fermer, etat, ADMIN, dernier_administrateur=False)
    assert [s for (s,) in comptes.lire("compte", "statut")] == ["suspendu", "ferme"]
    assert comptes.lire("compte_mise_a_disposition", "mise_id") == []

    assert rebuild(base, replace=False).different == ()
