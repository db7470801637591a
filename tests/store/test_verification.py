"""`oi verifier`: silent on sound books, and naming what is broken in those that are not."""

import psycopg
import pytest
from fabrique import DETAIL_SAISI, commande
from vie import Vie

from aggregates.depense.declaration import DeclarerDepenses
from api import actions
from oi_service.application import Service
from oi_service.verification import verifier
from projections.verification import INVARIANTS

_SANS_GARDE = "ALTER TABLE oi.event DISABLE TRIGGER event_append_only"

#: What somebody with every right could break, and the invariants that say so.
CASSES = {
    "an event taken away": (
        """DELETE FROM oi.event
        WHERE position = (SELECT max(position) - 3 FROM oi.event)""",
        {"J1", "J2", "J3"},
    ),
    "an event that says something else": (
        """UPDATE oi.event SET data = jsonb_set(data, '{fse_du_cumule_centimes}', '1')
        WHERE name = 'convention.csf_valide.v1'""",
        {"R2"},
    ),
    "an event that cannot be read": (
        "UPDATE oi.event SET data = '{}' WHERE name = 'convention.signee.v1'",
        {"R1"},
    ),
    "an instant that goes back": (
        "UPDATE oi.event SET enregistre_le = '2000-01-01' WHERE position = 5",
        {"J4"},
    ),
    "a line of the ledger": (
        """UPDATE projection.mouvement SET centimes = centimes + 1
        WHERE mesure = 'fse_programme'""",
        {"O1", "R2", "P1"},
    ),
    "an allocation beyond the tranches": (
        """UPDATE projection.mouvement SET centimes = centimes + 1
        WHERE mesure = 'fse_maquette' AND plie_id = 'A'""",
        {"M1", "M3", "P1"},
    ),
    "a movement of an operation that is not there": (
        """UPDATE projection.mouvement SET operation_id = gen_random_uuid()
        WHERE mesure = 'fse_declare'""",
        {"M4", "R2", "P1"},
    ),
    "a movement of a PLIE that is not there": (
        "UPDATE projection.mouvement SET plie_id = 'Z' WHERE mesure = 'fse_paye'",
        {"M2", "M4", "P1"},
    ),
    "a contrepartie that the ledger counts twice": (
        "UPDATE projection.mouvement SET centimes = centimes * 2 WHERE mesure = 'cp_affectee'",
        {"C2", "P1"},
    ),
    "a guard row": (
        """UPDATE projection.enveloppe SET programme_centimes = programme_centimes - 1
        WHERE plie_id = 'A'""",
        {"M3", "R2", "P1"},
    ),
    "a payment beyond the convention": (
        "UPDATE projection.mouvement SET centimes = 99999999 WHERE mesure = 'fse_paye'",
        {"O4", "R2", "P1"},
    ),
    "more under convention than programmed": (
        """UPDATE projection.mouvement SET centimes = centimes * 2
        WHERE mesure = 'fse_conventionne'""",
        {"O1", "O2", "R2", "P1"},
    ),
    "more retained than declared": (
        """UPDATE projection.mouvement SET centimes = centimes * 3
        WHERE mesure IN ('fse_retenu_csf', 'ct_retenu_csf')""",
        {"O3", "O4", "R2", "P1"},
    ),
    "a control whose due is not what its inputs give": (
        """UPDATE oi.event
        SET data = jsonb_set(data, '{fse_du_cumule_centimes}', to_jsonb(1))
        WHERE name = 'convention.csf_valide.v1'""",
        {"R3", "R2"},
    ),
    "a dépense whose parts do not add up": (
        """UPDATE projection.depense SET retenu_centimes = retenu_centimes + 1
        WHERE statut = 'controlee'""",
        {"D1", "P1"},
    ),
    "a régularisation that takes back more than it noted": (
        """UPDATE projection.depense SET montant_impute_centimes = montant_impute_centimes - 1
        WHERE montant_impute_centimes < 0""",
        {"D2", "P1"},
    ),
    "a contrepartie affected twice": (
        "UPDATE projection.contrepartie SET affecte_centimes = attribue_centimes + 1",
        {"C1", "R2", "P1"},
    ),
    "a finding that keeps more than it proposed": (
        "UPDATE projection.controle_constat SET ct_retenu_centimes = ct_propose_centimes + 1",
        {"K1", "R2", "P1"},
    ),
    "a follow-up whose withdrawal is another one": (
        """UPDATE oi.event SET data = jsonb_set(data, '{appel_de_fonds_no}', '"AF-9"')
        WHERE name = 'convention.depense_retiree.v1'""",
        {"K2"},
    ),
    "a follow-up to be done of a control that is closed": (
        "UPDATE projection.controle_suite SET statut = 'a_faire'",
        {"K3", "R2", "P1"},
    ),
}


@pytest.fixture
def livres(service: Service, base: str) -> str:
    """Lend sound books: an operation from its deposit to its solde, its contrepartie, its audit."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.jusqu_au_demarrage("un")
    vie.contrepartie("epci", "40000.00")
    vie.affectation("epci", "un", "30000.00")
    _regulariser(vie)
    vie.bilan("un")
    vie.controle("un")
    vie.paiement("un", _du(vie))
    vie.solde("un")
    _controler(vie)
    return base


def _controler(vie: Vie) -> None:
    vie.transmission("un", "1000.00", "2000.00")
    vie.certification("un", "1000.00", "2000.00")
    vie.retrait_certification("un", "100.00", "200.00")
    vie.controle_notifie("CICC-1", {"un": "2000.00"})
    vie.controle_commence("CICC-1")
    constat = {"numero": 1, "operation": "un", "cout_total": "200.00", "fse": "100.00"}
    vie.rapport_provisoire("CICC-1", [constat])
    vie.rapport_definitif("CICC-1", [{"numero": 1, "issue": "maintenu"}])
    vie.suite_controle("CICC-1", mesure="retrait_certification")
    vie.execution_suite("CICC-1", appels_de_fonds=["AF-1"])
    vie.suites_controle_closes("CICC-1")


def _regulariser(vie: Vie) -> None:
    [depense_id] = vie.depenses("un", ["500.00"])
    avoir = DETAIL_SAISI | {"montant_impute": "-200.00", "regularise": depense_id}
    vie.acte(
        actions.declarer_depenses,
        vie.id("un"),
        commande(DeclarerDepenses, depenses=[avoir]),
    )


def _du(vie: Vie) -> str:
    due = vie.convention("un").fse_du
    assert due > 0
    return f"{due // 100}.{due % 100:02d}"


def test_sound_books_hold(livres: str) -> None:
    checked = list(verifier(livres))
    assert [str(c) for c in checked if c.ecarts] == []
    assert {i.code for i in INVARIANTS} | {"R1", "R2", "R3", "P1"} == {c.code for c in checked}


@pytest.mark.parametrize("what", CASSES)
def test_what_is_broken_is_named(livres: str, what: str) -> None:
    breaking, expected = CASSES[what]
    with psycopg.connect(livres) as conn:
        conn.execute(_SANS_GARDE)
        assert conn.execute(breaking).rowcount > 0
    assert {c.code for c in verifier(livres) if c.ecarts} >= expected


def test_every_invariant_can_fail() -> None:
    caught = set().union(*(expected for _, expected in CASSES.values()))
    assert {i.code for i in INVARIANTS} | {"R1", "R2", "R3", "P1"} == caught
