"""Dossiers for the tests of their page: one that saw everything, one that just came, one refused,
one abandoned that pays back, one whose amounts are very large.

Amounts and names are invented.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from vie import Vie

from oi_service.app import open_service
from oi_service.application import Service
from oi_service.ids import new_id
from oi_service.lieux import Lieux

NUMERO, NOUVEAU, REFUSE, ABANDON = "202100007", "202100008", "202100009", "202100010"
#: Amounts as large as they may become: they must still fit on a phone.
GRAND = "202100011"

#: Every form of cost: real, flat rate, units, lump sum.
PLAN: dict[str, Any] = {
    "postes": [
        {"code": "personnel", "montant": "60000.00"},
        {
            "code": "indirectes",
            "montant": "9000.00",
            "mode": "forfait",
            "option": "forfait_15_personnel",
            "taux_pct": "15",
            "assiette": ["personnel"],
        },
        {
            "code": "ateliers",
            "libelle": "Ateliers collectifs",
            "montant": "15000.00",
            "mode": "cout_unitaire",
            "unite": "demi-journée animée",
            "cout_unite": "150.00",
            "unites": "100",
            "couvre": ["prestations"],
        },
        {
            "code": "forum",
            "libelle": "Forum de l’emploi",
            "montant": "16000.00",
            "mode": "montant_forfaitaire",
            "livrables": [
                {"id": "L1", "libelle": "Forum tenu au printemps", "montant": "10000.00"},
                {"id": "L2", "libelle": "Bilan du forum publié", "montant": "6000.00"},
            ],
            "couvre": ["participants"],
        },
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
PLAN_REVU = PLAN | {
    "fse": "48000.00",
    "ressources": [*PLAN["ressources"][:2], PLAN["ressources"][2] | {"montant": "12000.00"}],
}


def jouer(service: Service) -> Vie:
    """Play the lives."""
    vie = Vie(service)
    vie.subvention(fse_total="900000000.00")
    vie.tranche("300000000.00", "300000000.00")
    vie.enveloppe("A", "200000000.00")
    vie.appel()
    decrit: dict[str, Any] = {
        "plan": PLAN,
        "objet": (
            "Accompagner vers l’emploi durable des participants du PLIE, par un suivi individuel "
            "et des ateliers collectifs."
        ),
    }
    vie.depot(NUMERO, intitule="Accompagnement renforcé vers l’emploi", **decrit)
    vie.depot(NOUVEAU, intitule="Ateliers <numériques> & mobilité", **decrit)
    vie.depot(REFUSE)
    vie.instruction(REFUSE)
    vie.refus(REFUSE)
    _vie_entiere(vie)
    vie.jusqu_au_demarrage(ABANDON)
    vie.paiement(ABANDON, "15000.00", type="avance")
    vie.abandon(ABANDON)
    vie.ordre_reversement(ABANDON, "15000.00")
    vie.encaissement(ABANDON, "4000.00")
    vie.jusqu_au_demarrage(GRAND, fse="123456789.99", cout_total="246913579.98")
    vie.bilan(GRAND, ["123456789.99", "123456789.98"])
    vie.controle(GRAND, ecarte="12345678.90")
    vie.paiement(GRAND, "100000000.01")
    return vie


def _vie_entiere(vie: Vie) -> None:
    """Play avance, avenant, two bilans, écarts, a rejected transfer, a control done again."""
    le = date(2021, 12, 18)
    vie.instruction(NUMERO, le=le)
    vie.programmation(NUMERO, le=le)
    vie.conventionnement(NUMERO, le=le)
    vie.paiement(NUMERO, "15000.00", type="avance")
    vie.bilan(
        NUMERO,
        [f"{1000 + 250 * rang}.{rang:02d}" for rang in range(12)],
        numero=1,
        type="intermediaire",
        ressources=[{"type": "publique_epci", "montant": "9000.00"}],
        unites=[{"poste": "ateliers", "quantite": "38.5"}],
        livrables=["L1"],
    )
    vie.controle(NUMERO, 1, ecarte="512.34")
    vie.avenant(NUMERO, plan=PLAN_REVU)
    vie.bilan(
        NUMERO,
        ["18000.00", "12000.50"],
        numero=2,
        ressources=[{"type": "publique_departement", "montant": "8000.00"}],
        unites=[{"poste": "ateliers", "quantite": "50"}],
    )
    vie.controle(NUMERO, 2, ecarte="1000.00")
    vie.ordonnancement(NUMERO, "10000.00", numero=2)
    vie.virement(NUMERO)
    vie.rejet(NUMERO)
    vie.paiement(NUMERO, "10000.00", numero=2)
    vie.reouverture_controle(NUMERO, 2)
    vie.controle(NUMERO, 2, ecarte="1500.00")


@contextmanager
def service_joue(serveur: str, modele: str, lieux: Lieux | None = None) -> Iterator[Service]:
    """Lend the service on a database of its own, where the lives were played.

    ``lieux``: folders of its own, for who anchors or verifies.
    """
    name = f"dossiers_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    with open_service(make_conninfo(serveur, dbname=name), lieux) as service:
        jouer(service)
        yield service
    with psycopg.connect(serveur, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
