"""Two dates on every query: what a past situation says is what a log cut there says today."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from portier import PortierDEssai
from psycopg import Connection, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from starlette.testclient import TestClient
from vie_complete import Vie

from aggregates.appel_a_projets.state import AppelAProjetsAbsent
from aggregates.contrepartie.state import ContrepartieAbsente
from aggregates.convention.state import ConventionAbsente
from aggregates.depense.state import DepenseAbsente
from aggregates.operation.state import OperationAbsente
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from api.app import create_app
from oi_service.app import open_service
from oi_service.errors import NotFound
from oi_service.ids import new_id
from projections.appels_a_projets import appels_a_projets, fiche_appel
from projections.contreparties import affectations, contrepartie, contreparties
from projections.depenses import depense, depenses
from projections.dossiers import operations
from projections.fiche_operation import ConventionVue, fiche_convention, fiche_operation
from projections.journal import histoire_du_dossier, journal
from projections.maquette import charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.rebuild import rebuild
from projections.situation import ACTUELLE, Situation
from projections.subventions_globales import enveloppes, fiche_subvention, subventions_globales

Conn = Connection[TupleRow]
LE = date(2022, 8, 1)

#: Share of the log that is known, and last day of effect.
COUPES = (
    (1.0, None),
    (0.2, None),
    (0.3, None),  # a convention, and no bilan yet
    (0.51, None),  # the final bilan was sent back, and came again
    (0.6, None),
    (1.0, date(2021, 3, 31)),
    (1.0, date(2021, 12, 31)),
    (1.0, date(2022, 2, 1)),
    (0.85, date(2022, 4, 4)),
)


@contextmanager
def journal_copie(
    serveur: str, modele: str, conn: Conn, retouche: str, situation: Situation = ACTUELLE
) -> Iterator[Conn]:
    """Lend a database that was told a part of the log, touched up; a grant stays in any case."""
    name = f"copie_{new_id().hex}"
    with psycopg.connect(serveur, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(modele)
            )
        )
    conninfo = make_conninfo(serveur, dbname=name)
    with psycopg.connect(conninfo, autocommit=True) as copie:
        copie.execute("SET session_replication_role = replica")  # The log refuses to be forged.
        with (
            conn.cursor().copy(
                "COPY (SELECT * FROM oi.event WHERE position <= %(connu_le)s AND (version = 1 "
                "AND name = 'subvention_globale.conventionnee.v1' OR date_effet <= %(effet_au)s))"
                " TO STDOUT",
                situation.parametres,
            ) as source,
            copie.cursor().copy("COPY oi.event FROM STDIN") as target,
        ):
            for block in source:
                target.write(block)
        copie.execute(retouche)
        copie.execute("UPDATE oi.head SET position = (SELECT max(position) FROM oi.event)")
        copie.execute("SET session_replication_role = DEFAULT")
        rebuild(conninfo)
        yield copie
    with psycopg.connect(serveur, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def fin_d_acte(conn: Conn, part: float) -> int:
    """Return the last position of the act that stands at a part of the log."""
    row = conn.execute(
        """
        SELECT max(e.position) FROM oi.event AS e WHERE e.command_id = (
            SELECT f.command_id FROM oi.event AS f
            WHERE f.position = (SELECT (h.position * %s)::bigint FROM oi.head AS h))
        """,
        (part,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def tout(conn: Conn, vie: Vie, situation: Situation, perimetre: Perimetre) -> Iterator[Any]:
    """Yield what every query says; a refusal is what it says too."""

    def dit(query: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return query(conn, perimetre, *args, **kwargs)
        except NotFound as absent:
            return type(absent)

    yield dit(subventions_globales, situation)
    yield dit(fiche_subvention, vie.sg, situation)
    yield dit(enveloppes, vie.sg, situation)
    yield dit(contreparties, vie.sg, situation)
    for contrepartie_id in vie.contreparties:
        yield dit(contrepartie, contrepartie_id, situation)
        yield dit(affectations, situation, contrepartie_id=contrepartie_id)
    yield dit(appels_a_projets, situation)
    yield dit(fiche_appel, vie.appel, situation)
    yield dit(operations, situation, tri="fse", ordre="desc")
    yield dit(journal, situation, limite=200)
    for operation_id in vie.operations.values():
        fiche = dit(fiche_operation, operation_id, situation, le=LE)
        if not isinstance(fiche, type):
            fiche = replace(fiche, convention=sans_statut(fiche.convention))
        yield fiche
        yield sans_statut(dit(fiche_convention, operation_id, situation, le=LE))
        yield dit(depenses, operation_id, situation)
        yield dit(affectations, situation, operation_id=operation_id)
        yield dit(histoire_du_dossier, str(operation_id), situation)
    for depense_id in vie.depenses:
        yield dit(depense, depense_id, situation)
    maquette = charger(conn, perimetre, vie.sg, situation)
    yield None if maquette is None else (maquette.lignes, maquette.financeurs, maquette.fse_total)


def sans_statut(convention: Any) -> Any:
    """Leave out where the operation of an awaited bilan stands: that is always said of now."""
    if not isinstance(convention, ConventionVue):
        return convention
    attendus = tuple(replace(b, statut="") for b in convention.bilans_attendus)
    return replace(convention, bilans_attendus=attendus)


@pytest.mark.parametrize(("part", "effet_au"), COUPES)
def test_a_past_situation_says_what_a_log_cut_there_says(
    serveur: str, modele: str, conn: Conn, vie: Vie, part: float, effet_au: date | None
) -> None:
    situation = Situation(effet_au, fin_d_acte(conn, part))
    with journal_copie(serveur, modele, conn, "", situation) as cut:
        for perimetre in (OI_ENTIER, Perimetre(frozenset({"A"}))):
            then = list(tout(conn, vie, situation, perimetre))
            assert then == list(tout(cut, vie, ACTUELLE, perimetre))


#: Days of effect that no order of the acts explains, the same at each run.
_JOURS_MELES = """
    UPDATE oi.event SET date_effet = date '2021-01-01' + (hashtext(position::text) % 180 + 180)
    WHERE version > 1
"""


def test_no_order_of_the_days_breaks_a_sheet_or_its_page(
    serveur: str, modele: str, conn: Conn, vie: Vie
) -> None:
    with journal_copie(serveur, modele, conn, _JOURS_MELES) as melee:
        rows = melee.execute("SELECT DISTINCT date_effet FROM oi.event").fetchall()
        with open_service(make_conninfo(serveur, dbname=melee.info.dbname)) as service:
            pages = TestClient(create_app(service, PortierDEssai()))
            for (jour,) in rows[::9]:
                assert all(
                    fait is not None for fait in tout(melee, vie, Situation(jour), OI_ENTIER)
                )
                for operation_id in vie.operations.values():
                    answer = pages.get(f"/dossiers/{operation_id}", params={"au": str(jour)})
                    assert answer.status_code in {200, 404}


def test_what_is_not_known_or_has_no_effect_yet_is_absent(conn: Conn, vie: Vie) -> None:
    operation = vie.operations["entière"]
    for situation in (Situation(connu_le=0), Situation(date(2020, 1, 1))):
        for absente, query, cible in (
            (AppelAProjetsAbsent, fiche_appel, vie.appel),
            (ContrepartieAbsente, contrepartie, vie.contreparties[0]),
            (OperationAbsente, fiche_operation, operation),
            (OperationAbsente, fiche_convention, operation),
            (OperationAbsente, depenses, operation),
            (DepenseAbsente, depense, vie.depenses[0]),
        ):
            with pytest.raises(absente):
                query(conn, OI_ENTIER, cible, situation)
        with pytest.raises(OperationAbsente):
            affectations(conn, OI_ENTIER, situation, operation_id=operation)
        assert histoire_du_dossier(conn, OI_ENTIER, "202100001", situation) == []
        assert operations(conn, OI_ENTIER, situation).lignes == ()
        assert appels_a_projets(conn, OI_ENTIER, situation).lignes == ()
    with pytest.raises(SubventionGlobaleAbsente):
        fiche_subvention(conn, OI_ENTIER, vie.sg, Situation(connu_le=0))
    assert subventions_globales(conn, OI_ENTIER, Situation(connu_le=0)).lignes == ()
    with pytest.raises(ConventionAbsente):
        fiche_convention(conn, OI_ENTIER, operation, Situation(date(2021, 4, 9)))


def test_a_grant_is_there_before_its_day_and_its_avenants_are_not(conn: Conn, vie: Vie) -> None:
    avant = fiche_subvention(conn, OI_ENTIER, vie.sg, Situation(date(2017, 12, 31)))
    assert (avant.resume.fse_total, avant.avenants, avant.tranches) == (100_000_000, (), ())
    ensuite = fiche_subvention(conn, OI_ENTIER, vie.sg, Situation(date(2020, 12, 15)))
    assert (ensuite.resume.fse_total, len(ensuite.avenants)) == (110_000_000, 1)
    assert ensuite.resume.programmation_fin == ensuite.programmation.fin == date(2022, 12, 31)


def test_the_life_is_told_day_after_day(conn: Conn, vie: Vie) -> None:
    def le(jour: date) -> tuple[str, int, int, int, int]:
        fiche = fiche_operation(conn, OI_ENTIER, vie.operations["entière"], Situation(jour))
        resume = fiche.resume
        return (
            resume.statut,
            resume.fse_programme,
            resume.fse_retenu_csf,
            fiche.nb_depenses,
            0 if fiche.convention is None else len(fiche.convention.bilans),
        )

    assert le(date(2021, 3, 19)) == ("depose", 0, 0, 0, 0)
    assert le(date(2021, 4, 1))[:2] == ("programme", 5_000_000)
    assert le(date(2021, 12, 31))[1:] == (5_500_000, 0, 6, 0)
    assert le(date(2022, 3, 31))[2:] == (2_667_500, 6, 3)
    assert le(date(2022, 7, 1))[0] == "archive"


def test_a_late_correction_changes_a_day_of_effect_and_never_what_was_known(
    conn: Conn, vie: Vie
) -> None:
    corrigee = vie.depenses[5]
    [correction] = journal(conn, OI_ENTIER, flux=corrigee, nom="depense.corrigee.v1").lignes
    jour, avant = correction.date_effet, correction.position - 1

    def montant(effet_au: date | None, connu_le: int | None) -> int:
        ligne = depense(conn, OI_ENTIER, corrigee, Situation(effet_au, connu_le))
        assert ligne.montant_impute == ligne.detail.montant_impute_centimes
        return ligne.montant_impute

    assert montant(jour, None) == montant(None, correction.position) == 75_000
    assert montant(jour, avant) == montant(None, avant) == 70_000
