"""What each fact of an auditor's working file says, in a French sentence."""

from typing import Any
from uuid import UUID

import pytest
from dsl import lisible
from fabrique import fait

from aggregates.audit import events as ae
from projections.histoire import phrase

_UN = UUID(int=0xA8)


@pytest.mark.parametrize(
    ("kind", "champs", "dit"),
    [
        (
            ae.DossierAuditOuvert,
            {},
            (
                "Dossier de travail AUD-2022-07 ouvert (Autorité d’audit, Audit d’opérations "
                "2022) : Dépenses déclarées en 2021."
            ),
        ),
        (
            ae.PopulationFigee,
            {},
            "Population figée à l’événement n° 1842, état de dépenses n° ED-1, montant déclaré : "
            "12 dépenses, 13 250,00 €, dont 2 mises à part (−250,00 €) ; empreinte "
            + "ab" * 32
            + ".",
        ),
        (
            ae.EchantillonAuditTire,
            {"graine_origine": None},
            (
                "Échantillon tiré, stratifié (tirage n° 1 de sa population) : 2 dépenses, "
                "9 500,00 €, graine « 2022-11-21 » (stratifie-sha256-v1)."
            ),
        ),
        (
            ae.EchantillonAuditTire,
            {"methode": "mus", "rang": 2, "remplace": _UN, "motif": "Strates demandées"},
            (
                f"Échantillon tiré, par unités monétaires (tirage n° 2 de sa population, remplace "
                f"le tirage {_UN}) : 2 dépenses, 9 500,00 €, graine « 2022-11-21 » (Tirage "
                "public du 21 novembre 2022) (stratifie-sha256-v1). Motif : Strates demandées."
            ),
        ),
        (
            ae.ConstatAuditNote,
            {},
            (
                "Constat noté sur la dépense 00000000-0000-0000-0000-000000000009 : 50,00 € en "
                "erreur sur 500,00 € (Une journée n’est pas justifiée)."
            ),
        ),
        (
            ae.ConstatAuditCorrige,
            {},
            (
                "Constat corrigé sur la dépense 00000000-0000-0000-0000-000000000009 : 0,00 € en "
                "erreur, La feuille de temps a été produite ; avant : 50,00 €, Une journée n’est "
                "pas justifiée."
            ),
        ),
        (
            ae.ResultatAuditArrete,
            {},
            (
                "Résultat arrêté : 50,00 € en erreur dans le tirage, 450,00 € projetés sur "
                "13 500,00 € pour l’information de l’auditeur, sans correction d’un bénéficiaire."
            ),
        ),
        (ae.DossierAuditClos, {}, "Dossier de travail clos : Erreur projetée de 3,33 %."),
    ],
)
def test_a_fact_of_an_auditor_is_a_sentence(kind: Any, champs: Any, dit: str) -> None:
    assert lisible(phrase(fait(kind, **champs))) == dit


@pytest.mark.parametrize(
    ("definition", "dit"),
    [
        ({"portee": "toutes"}, "toutes les dépenses"),
        ({"portee": "plie", "plie_id": "A"}, "PLIE A"),
        ({"portee": "operation", "operation_id": _UN}, f"opération {_UN}"),
        ({"portee": "etat_depenses", "etat_no": "ED-2"}, "état de dépenses n° ED-2"),
    ],
)
def test_a_population_says_what_it_is_of(definition: Any, dit: str) -> None:
    figee = fait(ae.PopulationFigee, definition=ae.DefinitionPopulation(**definition))
    assert f"n° 1842, {dit}, montant déclaré" in lisible(phrase(figee))
