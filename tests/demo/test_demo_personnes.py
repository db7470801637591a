"""The story names persons by an identifier; the vault has their data, and one of them is gone."""

import pytest
from demo_jouee import Jeu

from projections.perimetre import OI_ENTIER
from projections.personnes import toutes

pytestmark = pytest.mark.xdist_group("demo")


def test_a_contact_was_erased_and_the_others_are_read(jeu: Jeu) -> None:
    with jeu.service.reads.connection() as conn:
        lues = toutes(conn, OI_ENTIER, jeu.service.coffre)
    assert [(p.acces, p.identite.nom if p.identite else None) for p in lues] == [
        ("effacee", None),
        ("clair", "Salarié fictif n° 07"),
        ("clair", "Contact fictif n° 08"),
    ]
    presentes = jeu.service.coffre.personnes()
    assert [p.id in presentes for p in lues] == [False, True, True]


def test_no_name_of_a_person_is_in_the_log(jeu: Jeu) -> None:
    for mot in ("Contact fictif", "Salari_ fictif", "contact-07", "MATRICULE", "01 99 00"):
        assert (
            jeu.valeurs(
                f"SELECT position FROM oi.event AS e WHERE row_to_json(e)::text LIKE '%{mot}%'"  # noqa: S608
            )
            == []
        )


def test_the_payslips_of_an_employee_bear_an_identifier(jeu: Jeu) -> None:
    assert jeu.lignes(
        """
        SELECT DISTINCT d.data -> 'detail' ->> 'tiers_ref' = 'salarie-' || p.stream_id
        FROM oi.event AS d
        LEFT JOIN oi.event AS p
            ON d.data -> 'detail' ->> 'salarie_id' = p.stream_id::text
                AND p.name = 'personne.enregistree.v1'
        WHERE d.name = 'depense.declaree.v1' AND d.data -> 'detail' ->> 'salarie_id' IS NOT NULL
        """
    ) == [(True,)]
