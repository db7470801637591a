"""Dossiers for the tests of their page: one that saw everything, one that just came, one refused,
one abandoned that pays back.

Amounts and names are invented.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from fabrique import commande
from psycopg import sql
from psycopg.conninfo import make_conninfo
from vie import VALIDEUR, Vie

from aggregates.operation import depot, instruction
from aggregates.operation.state import OPERATION
from api import actions
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import new_id

NUMERO, NOUVEAU, REFUSE, ABANDON = "202100007", "202100008", "202100009", "202100010"

PLAN: dict[str, Any] = {
    "postes": [
        {"code": "personnel", "montant": "60000.00"},
        {"code": "fonctionnement", "montant": "25000.00"},
        {"code": "prestations", "montant": "15000.00"},
    ],
    "fse": "50000.00",
    "ressources": [
        {
            "type": "publique_epci",
            "financeur": "Communauté d’agglomération fictive",
            "montant": "30000.00",
        },
        {"type": "publique_departement", "financeur": "Département fictif", "montant": "10000.00"},
        {"type": "autofinancement", "financeur": "Bénéficiaire", "montant": "10000.00"},
    ],
}
PLAN_REVU = PLAN | {"fse": "48000.00", "ressources": [*PLAN["ressources"][:2]]}
PLAN_REVU["ressources"].append(PLAN["ressources"][2] | {"montant": "12000.00"})


def jouer(service: Service) -> Vie:
    """Play the lives."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel()
    _deposer(vie, NUMERO, "Accompagnement renforcé vers l’emploi")
    _deposer(vie, NOUVEAU, "Ateliers <numériques> & mobilité")
    vie.depot(REFUSE)
    vie.instruction(REFUSE)
    vie.refus(REFUSE)
    _vie_entiere(vie)
    vie.jusqu_au_demarrage(ABANDON)
    vie.paiement(ABANDON, "15000.00", type="avance")
    vie.abandon(ABANDON)
    vie.ordre_reversement(ABANDON, "15000.00")
    vie.encaissement(ABANDON, "4000.00")
    return vie


def _deposer(vie: Vie, numero: str, intitule: str) -> None:
    asked = commande(
        depot.DeposerDossier,
        date_effet="2021-12-15",
        appel_a_projets_id=vie.id("AAP"),
        fiche_code="A1",
        annee_tranche=2021,
        plan=PLAN,
        numero_mdfse=numero,
        intitule=intitule,
        objet=(
            "Accompagner vers l’emploi durable des participants du PLIE, par un suivi individuel "
            "et des ateliers collectifs."
        ),
    )
    vie.acte(actions.deposer_dossier, vie.id(numero), asked)


def _instruire(vie: Vie, numero: str) -> None:
    for decide, kind, champs in (
        (instruction.prononcer_recevabilite, instruction.PrononcerRecevabilite, {}),
        (instruction.ouvrir_instruction, instruction.OuvrirInstruction, {}),
        (instruction.instruire_plan, instruction.InstruirePlan, {"plan": PLAN}),
    ):
        asked = commande(kind, date_effet="2022-01-05", **champs)
        vie.decision(OPERATION, vie.id(numero), decide, asked)
    report = commande(instruction.ValiderRapport, date_effet="2022-01-05", avis="favorable")
    vie.decision(
        OPERATION, vie.id(numero), instruction.valider_rapport, report, VALIDEUR, acteur=VALIDEUR
    )


def _vie_entiere(vie: Vie) -> None:
    """Play avance, avenant, two bilans, écarts, a rejected transfer, a control done again."""
    _instruire(vie, NUMERO)
    vie.programmation(NUMERO)
    vie.conventionnement(NUMERO)
    vie.paiement(NUMERO, "15000.00", type="avance")
    vie.bilan(
        NUMERO,
        [f"{1000 + 250 * rang}.{rang:02d}" for rang in range(12)],
        numero=1,
        type="intermediaire",
        ressources=[{"type": "publique_epci", "montant": "9000.00"}],
    )
    vie.controle(NUMERO, 1, ecarte="512.34")
    vie.avenant(NUMERO, plan=PLAN_REVU)
    vie.bilan(
        NUMERO,
        ["18000.00", "22000.50"],
        numero=2,
        ressources=[{"type": "publique_departement", "montant": "8000.00"}],
    )
    vie.controle(NUMERO, 2, ecarte="1000.00")
    vie.ordonnancement(NUMERO, "10000.00", numero=2)
    vie.virement(NUMERO)
    vie.rejet(NUMERO)
    vie.paiement(NUMERO, "10000.00", numero=2)
    vie.reouverture_controle(NUMERO, 2)
    vie.controle(NUMERO, 2, ecarte="1500.00")


@contextmanager
def service_joue(serveur: str, modele: str) -> Iterator[Service]:
    """Lend the service on a database of its own, where the lives were played."""
    name = f"dossiers_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    with open_service(make_conninfo(serveur, dbname=name)) as service:
        jouer(service)
        yield service
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
