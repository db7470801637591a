"""Grants, enveloppes and calls: complete, and agreeing with the maquette."""

from datetime import date

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.appel_a_projets.state import AppelAProjetsAbsent
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from oi_service.ids import new_id
from projections.appels_a_projets import appels_a_projets, fiche_appel
from projections.maquette import charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.subventions_globales import (
    enveloppes,
    fiche_subvention,
    subventions_globales,
)

Conn = Connection[TupleRow]
ALPHA, AILLEURS = (Perimetre(frozenset({plie_id})) for plie_id in "AZ")


def test_an_enveloppe_leaves_what_the_maquette_says(conn: Conn, vie: Vie) -> None:
    maquette = charger(conn, OI_ENTIER)
    assert maquette is not None
    attendus = {
        ligne.plie_id: (
            ligne.plie_nom,
            ligne.chiffres.fse_maquette,
            ligne.chiffres.fse_programme_ajuste,
            ligne.chiffres.disponible_a_programmer,
        )
        for ligne in maquette.lignes
    }
    page = enveloppes(conn, OI_ENTIER, vie.sg, limite=2)
    suite = enveloppes(conn, OI_ENTIER, vie.sg, limite=2, apres=page.suivant)
    lignes = (*page.lignes, *suite.lignes)
    assert [v.plie_id for v in lignes] == ["A", "B", "reserve"]
    assert suite.suivant is None
    for v in lignes:
        assert (v.plie_nom, v.alloue, v.programme, v.disponible) == attendus[v.plie_id]


def test_a_plie_sees_its_enveloppe_only(conn: Conn, vie: Vie) -> None:
    assert [v.plie_id for v in enveloppes(conn, ALPHA, vie.sg).lignes] == ["A"]
    assert enveloppes(conn, ALPHA, vie.sg, plie="B").lignes == ()
    with pytest.raises(SubventionGlobaleAbsente):
        enveloppes(conn, AILLEURS, vie.sg)


def test_a_grant_shows_what_its_avenant_changed(conn: Conn, vie: Vie) -> None:
    [ligne] = subventions_globales(conn, OI_ENTIER).lignes
    fiche = fiche_subvention(conn, OI_ENTIER, vie.sg)
    assert fiche.resume == ligne
    assert ligne.fictive
    avenant, complement = fiche.avenants
    assert complement.fse_total_avant == complement.fse_total_apres
    assert (avenant.fse_total_avant, avenant.fse_total_apres) == (100_000_000, 110_000_000)
    assert ligne.fse_total == avenant.fse_total_apres
    assert fiche.programmation.fin == ligne.programmation_fin == date(2022, 12, 31)
    assert [t.annee for t in fiche.tranches] == [2021]
    assert [p.nom for p in fiche.plie] == ["PLIE Alpha", "PLIE Bêta"]


def test_a_plie_sees_the_grant_but_not_its_neighbours(conn: Conn, vie: Vie) -> None:
    fiche = fiche_subvention(conn, ALPHA, vie.sg)
    assert [p.nom for p in fiche.plie] == ["PLIE Alpha"]
    assert fiche.tranches == ()
    assert subventions_globales(conn, AILLEURS).lignes == ()
    with pytest.raises(SubventionGlobaleAbsente):
        fiche_subvention(conn, AILLEURS, vie.sg)


def test_a_call_shows_the_fiches_of_the_perimeter(conn: Conn, vie: Vie) -> None:
    entier = fiche_appel(conn, OI_ENTIER, vie.appel)
    assert [f.code for f in entier.fiches] == ["A1", "B1"]
    assert (entier.resume.nb_fiches, entier.resume.clos, entier.resume.version) == (2, True, 2)
    restreint = fiche_appel(conn, ALPHA, vie.appel)
    assert [f.code for f in restreint.fiches] == ["A1"]
    assert appels_a_projets(conn, ALPHA).lignes == (restreint.resume,)
    assert appels_a_projets(conn, AILLEURS).lignes == ()
    for perimetre, appel in ((AILLEURS, vie.appel), (OI_ENTIER, new_id())):
        with pytest.raises(AppelAProjetsAbsent):
            fiche_appel(conn, perimetre, appel)
