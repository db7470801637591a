"""What `oi degagement` and `oi propositions` show, and the file that `oi essayer` takes from it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import StringIO

import pytest
from rich.console import Console, RenderableType
from vie import Vie

from api.v1.pilotage import transfert_propose
from oi_service.affichage_pilotage import afficher_degagement, afficher_propositions
from oi_service.application import Service
from projections import degagement, gestion_dynamique
from projections.perimetre import OI_ENTIER

LE = date(2022, 6, 30)


def ecrit(parties: Iterator[RenderableType], largeur: int = 80) -> str:
    sortie = StringIO()
    console = Console(file=sortie, width=largeur, highlight=False)
    for partie in parties:
        console.print(partie, soft_wrap=True)
    return sortie.getvalue().replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def vie(service: Service) -> Vie:
    """Two PLIE, a bilan to control, a dossier short of money, targets reached, missed, to come."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00", "200000.00")
    vie.enveloppe("A", "60000.00")
    vie.enveloppe("B", "15000.00")
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}])
    vie.jusqu_au_demarrage("UN", fse="50000.00", cout_total="100000.00")
    vie.bilan("UN", ["80000.00"])
    vie.depot("DEUX", fse="30000.00", cout_total="60000.00")
    vie.objectif("10000.00", date_limite="2021-12-31")
    vie.objectif("70000.00", annee_engagement=2019, prefinancements="1000.00")
    vie.objectif("0.00", annee_engagement=2019, plie_id="B", objectif_specifique="OS1")
    return vie


def test_the_targets_the_plan_and_what_nothing_covers(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        vu = degagement.charger(conn, OI_ENTIER, vie.id("SG"), le=LE)
    dit = ecrit(afficher_degagement(vu, 80))
    assert "Tout l’OI, au 31/12/2021 : objectif manqué de 10 000,00 €." in dit
    assert (
        "Tout l’OI, au 31/12/2022 (dans 184 jours ; dégagement d’office le 31/12/2022, Règlement "
        "(UE) n° 1303/2013, art. 136) : 69 000,00 € restent à certifier." in dit
    )
    assert (
        "  UN, bilan n° 1 : 40 000,00 € à contrôler depuis le 01/04/2022 (90 jours), cumul "
        "40 000,00 €" in dit
    )
    assert "Rien de connu ne couvrirait 29 000,00 €." in dit
    assert "PLIE B, OS1 " in dit
    assert "…" not in dit
    large = ecrit(afficher_degagement(vu, 140), 140)
    assert "70 000,00 €" in large
    assert "(euros)" in large


def test_a_grant_without_any_target_says_so(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        vu = degagement.charger(conn, OI_ENTIER, vie.id("SG"), le=LE)
    dit = ecrit(afficher_degagement(replace(vu, lignes=(), fictive=True), 80))
    assert "aucun objectif de certification n’est fixé" in dit
    assert "Les montants sont inventés" in dit


def test_the_review_its_proposals_and_the_file_to_try(vie: Vie) -> None:
    with vie.reads.connection() as conn:
        revue = gestion_dynamique.charger(conn, OI_ENTIER, vie.id("SG"), le=LE)
        close = gestion_dynamique.charger(conn, OI_ENTIER, vie.id("SG"), le=date(2023, 1, 1))
    dit = ecrit(afficher_propositions(revue, 80))
    assert (
        "Proposition n° 1 : 15 000,00 € de FSE, de « PLIE B » vers « PLIE A » (tranche 2021, "
        "axe 3, OS1, parcours)." in dit
    )
    assert (
        "Besoin non couvert : 5 000,00 €, PLIE A (tranche 2021, axe 3, OS1, parcours) ; "
        "125 000,00 € restent à répartir." in dit
    )
    assert "Tranche 2021, ajustement jusqu’au 30/04/2022" in dit
    assert "…" not in dit
    assert "aucun transfert ne peut être décidé le 01/01/2023" in ecrit(
        afficher_propositions(close, 80)
    )
    [proposition] = revue.propositions
    commande = json.loads(json.dumps(transfert_propose(revue, proposition)))
    assert commande["chemin"].endswith("/transferts")
    assert (commande["corps"]["fse"], commande["corps"]["date_effet"]) == (
        "15000.00",
        "2022-06-30",
    )
    vie.retrait("DEUX", le=date(2022, 2, 1))
    with vie.reads.connection() as conn:
        vide = gestion_dynamique.charger(conn, OI_ENTIER, vie.id("SG"), le=LE)
    assert "Aucun transfert à proposer." in ecrit(afficher_propositions(vide, 80))
