"""The whole story explained: every figure, every payment, every écart, two year ends."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from choix_au_hasard import choisies, des_choix
from demo_jouee import Jeu
from deux_dates import exemples, memoire
from hypothesis import given, settings
from pliage import additionner
from psycopg import Connection
from psycopg.rows import TupleRow

from projections.causes import CAUSES
from projections.difference import difference
from projections.effet_depense import effet
from projections.livre import RIEN, Choix
from projections.maquette import QUANTITES, charger
from projections.mesures import MESURES
from projections.perimetre import OI_ENTIER
from projections.provenance import provenance
from projections.provenance_paiement import provenance_du_paiement
from projections.situation import ACTUELLE, Situation

Conn = Connection[TupleRow]


@pytest.fixture
def conn(jeu: Jeu) -> Iterator[Conn]:
    with jeu.service.reads.connection() as conn:
        yield conn


def test_every_figure_of_every_cell_is_the_sum_of_its_movements(conn: Conn) -> None:
    maquette = charger(conn, OI_ENTIER)
    assert maquette is not None
    for x in maquette.lignes:
        choix = Choix(
            plie=x.plie_id,
            annee=x.annee,
            axe=x.axe,
            objectif_specifique=x.objectif_specifique,
            dispositif=x.dispositif,
        )
        found = difference(conn, OI_ENTIER, choix, RIEN, ACTUELLE, limite=1)
        assert found is not None
        explique: Counter[str] = Counter()
        for cause in found.causes:
            explique.update(cause.montants)
        for mesure in QUANTITES:
            assert explique[mesure] == getattr(x.chiffres, mesure), (x, mesure)


def test_two_year_ends_differ_by_what_happened_between(conn: Conn) -> None:
    fins = [Situation(effet_au=date(annee, 12, 31)) for annee in (2021, 2022)]
    avant, apres = (charger(conn, OI_ENTIER, situation=fin) for fin in fins)
    assert avant is not None
    assert apres is not None
    found = difference(conn, OI_ENTIER, Choix(), *fins)
    assert found is not None
    for mesure in QUANTITES:
        explique = sum(c.montants.get(mesure, 0) for c in found.causes)
        assert explique == getattr(apres.total, mesure) - getattr(avant.total, mesure), mesure
    assert {"programmation", "controle", "paiement"} <= {c.code for c in found.causes}


def test_the_story_goes_through_every_cause_but_two(conn: Conn) -> None:
    found = difference(conn, OI_ENTIER, Choix(), RIEN, ACTUELLE, limite=1)
    assert found is not None
    absentes = {"avenant_subvention", "cloture_office"}
    assert set(CAUSES) - {c.code for c in found.causes} <= absentes


def test_causes_add_up_to_what_separates_any_two_situations_on_any_cells(conn: Conn) -> None:
    lue = memoire(conn)
    comptes = list(additionner(lue.changes, ACTUELLE))
    [sg] = {compte.case.sg for compte in comptes if compte.mesure == "fse_maquette"}

    @settings(deadline=None, max_examples=exemples(15), database=None)
    @given(lue.situations(), lue.situations(), des_choix(sg, comptes))
    def property_holds(de: Situation, a: Situation, choix: Choix) -> None:
        avant, apres = (choisies(additionner(lue.changes, s), choix) for s in (de, a))
        found = difference(conn, OI_ENTIER, choix, de, a, limite=1)
        if found is None:
            assert not avant
            assert not apres
            return
        explique: Counter[str] = Counter()
        for cause in found.causes:
            explique.update(cause.montants)
        for mesure in MESURES:
            assert explique[mesure] == apres[mesure] - avant[mesure], mesure

    property_holds()


def identifiants(conn: Conn, requete: str) -> list[tuple[Any, ...]]:
    return conn.execute(requete.encode()).fetchall()


def test_every_payment_goes_down_to_lines_that_add_up_to_its_calculation(conn: Conn) -> None:
    payes = identifiants(
        conn,
        "SELECT (data ->> 'operation_id')::uuid, (data ->> 'paiement_id')::uuid FROM oi.event "
        "WHERE name = 'convention.paiement_effectue.v1' ORDER BY position",
    )
    assert len(payes) > 20
    for operation_id, paiement_id in payes:
        found = provenance_du_paiement(conn, OI_ENTIER, operation_id, paiement_id, limite=200)
        lu = {ligne.code: ligne for ligne in found.calcul}
        assert lu["montant"].centimes == found.montant
        if found.type == "avance":
            assert found.montant <= (lu["plafond_avance"].centimes or 0)
            continue
        assert (lu["reste_apres"].centimes or 0) >= 0
        assert found.explication is not None
        lignes = {x.code: x for section in found.explication.sections for x in section.lignes}
        assert lignes["fse_du_cumule"].centimes == lu["fse_du_cumule"].centimes
        for poste in found.postes:
            siennes = [x for x in found.depenses.lignes if x.poste == poste.code]
            if found.depenses.suivant is None:
                assert (poste.nombre, poste.retenu) == (
                    len(siennes),
                    sum(x.retenu for x in siennes),
                )


def test_every_ecart_has_its_effect(conn: Conn) -> None:
    ecartees = identifiants(
        conn,
        # A control that runs has no effect yet.
        "SELECT id FROM projection.depense AS d WHERE ecarte_centimes > 0 AND EXISTS ("
        "SELECT FROM oi.event AS e WHERE e.name = 'convention.csf_valide.v1' "
        "AND (e.data ->> 'bilan_id')::uuid = d.bilan_id) ORDER BY position",
    )
    assert len(ecartees) > 50
    for (depense_id,) in ecartees:
        found = effet(conn, OI_ENTIER, depense_id)
        assert found.recomptes is not None
        cout = {v.code: v for v in found.recomptes.cout}
        assert cout["cout_net"].effet <= 0
        assert str(found.ligne.piece_ref) in found.phrase


def test_every_measure_of_the_ledger_is_explained(conn: Conn) -> None:
    for mesure in MESURES:
        found = provenance(conn, OI_ENTIER, mesure, Choix(), limite=3)
        assert found is not None
        assert sum(c.montants[mesure] for c in found.causes) == found.valeur
