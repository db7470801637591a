"""The sheet of an operation: what its streams say, agreeing with the ledger."""

from fractions import Fraction

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.convention.state import ConventionAbsente
from aggregates.operation.state import OperationAbsente
from oi_service.ids import new_id
from projections.fiche_operation import (
    ConventionVue,
    FicheOperation,
    fiche_convention,
    fiche_operation,
)
from projections.journal import histoire_du_dossier
from projections.perimetre import OI_ENTIER, Perimetre

Conn = Connection[TupleRow]


def entiere(conn: Conn, vie: Vie) -> tuple[FicheOperation, ConventionVue]:
    fiche = fiche_operation(conn, OI_ENTIER, vie.operations["entière"])
    assert fiche.convention is not None
    return fiche, fiche.convention


def test_a_sheet_says_the_identity_and_the_counts(conn: Conn, vie: Vie) -> None:
    fiche, _ = entiere(conn, vie)
    assert fiche.resume.statut == "archive"
    assert fiche.resume.intitule == "Opération entière bis"
    assert fiche.beneficiaire.nom == "Bénéficiaire fictif n° 01"
    assert fiche.nb_depenses == 6
    assert fiche.nb_evenements == len(histoire_du_dossier(conn, OI_ENTIER, "202100001"))
    assert fiche.a_conserver_jusqu_au is not None
    assert [a.de for a in fiche.avis] == ["instruction", "plie", "agd", "instruction"]
    assert [(d.decision, d.fse) for d in fiche.decisions] == [
        ("ajournee", None),
        ("programmee", 5_000_000),
    ]


def test_each_version_of_the_plan_names_the_act_that_set_it(conn: Conn, vie: Vie) -> None:
    fiche, _ = entiere(conn, vie)
    assert [(v.origine, v.avenant, v.plan.fse_centimes) for v in fiche.versions_du_plan] == [
        ("depot", None, 5_000_000),
        ("instruction", None, 5_000_000),
        ("convention", None, 5_000_000),
        ("avenant", 1, 5_500_000),
    ]
    assert fiche.plan == fiche.versions_du_plan[-1].plan


def test_an_indicator_just_missed_is_not_reached(conn: Conn, vie: Vie) -> None:
    fiche, _ = entiere(conn, vie)
    premier, second = fiche.indicateurs
    assert (premier.taux, premier.atteint) == (Fraction(39_999, 40_000), False)
    assert (second.realise, second.taux, second.atteint) == (None, None, None)


def test_a_convention_shows_its_avenants_as_differences(conn: Conn, vie: Vie) -> None:
    _, convention = entiere(conn, vie)
    [avenant] = convention.avenants
    assert (avenant.statut, avenant.ecart_fse, avenant.ecart_cout_total) == ("signe", 500_000, 0)
    dites = [
        (d.champ, *(x.replace("\u202f", " ").replace("\u00a0", " ") for x in (d.avant, d.apres)))
        for d in avenant.differences
    ]
    assert dites == [
        ("FSE", "50 000,00 €", "55 000,00 €"),
        (
            "Ressource, Intercommunalité (EPCI) (EPCI fictive)",
            "50 000,00 €",
            "45 000,00 €",
        ),
    ]


def test_a_convention_shows_its_bilans_and_what_limited_the_fund(conn: Conn, vie: Vie) -> None:
    _, convention = entiere(conn, vie)
    assert [(b.numero, b.type, b.statut, len(b.csf)) for b in convention.bilans] == [
        (1, "intermediaire", "controle", 1),
        (2, "final", "renvoye", 0),
        (2, "final", "controle", 1),
    ]
    [csf] = convention.bilans[0].csf
    assert csf.resultat is not None
    assert csf.contrainte == "taux de la convention"
    assert csf.resultat.fse_du_cumule_centimes == 1_567_500
    assert csf.conclusions_le is not None
    assert csf.observations_le is not None
    assert csf.rouvert_le is None


def test_the_money_of_a_convention_is_that_of_the_ledger(conn: Conn, vie: Vie) -> None:
    for nom in ("entière", "conventionnée", "abandonnée"):
        fiche = fiche_operation(conn, OI_ENTIER, vie.operations[nom])
        convention = fiche.convention
        assert convention is not None
        assert convention.fse_max == fiche.resume.fse_conventionne
        assert convention.fse_du == fiche.resume.fse_retenu_csf
        assert convention.cout_total_retenu == fiche.resume.ct_retenu_csf
        assert convention.paye == fiche.resume.fse_paye
        payes = sum(p.montant for p in convention.paiements if p.statut == "effectue")
        assert payes - sum(r.encaisse for r in convention.reversements) == convention.paye


def test_a_reversement_says_what_is_still_expected(conn: Conn, vie: Vie) -> None:
    convention = fiche_convention(conn, OI_ENTIER, vie.operations["abandonnée"])
    [ordre] = convention.reversements
    assert (ordre.montant, ordre.encaisse, ordre.reste) == (900_000, 400_000, 500_000)
    assert convention.a_encaisser == ordre.reste


def test_certification_follows(conn: Conn, vie: Vie) -> None:
    _, convention = entiere(conn, vie)
    assert [(c.acte, c.fse) for c in convention.certifications] == [
        ("transmise", 900_000),
        ("certifiee", 800_000),
        ("retiree", 50_000),
    ]


def test_every_dossier_has_a_sheet(conn: Conn, vie: Vie) -> None:
    for operation in vie.operations.values():
        fiche = fiche_operation(conn, OI_ENTIER, operation)
        assert fiche.resume.id == operation
        assert fiche.versions_du_plan[0].origine == "depot"


def test_a_dossier_without_convention_says_so(conn: Conn, vie: Vie) -> None:
    operation = vie.operations["refusée"]
    assert fiche_operation(conn, OI_ENTIER, operation).convention is None
    with pytest.raises(ConventionAbsente):
        fiche_convention(conn, OI_ENTIER, operation)


def test_outside_the_perimeter_there_is_no_sheet(conn: Conn, vie: Vie) -> None:
    beta = Perimetre(frozenset({"B"}))
    for operation in (vie.operations["entière"], new_id()):
        with pytest.raises(OperationAbsente):
            fiche_operation(conn, beta, operation)
        with pytest.raises(OperationAbsente):
            fiche_convention(conn, beta, operation)
    assert fiche_operation(conn, beta, vie.operations["conventionnée"]).convention is not None
