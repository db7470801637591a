"""What each act changed: the last « après » is what every other reading shows."""

from collections.abc import Sequence
from datetime import date

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from oi_service.errors import french_euros
from projections.avant_apres import Changement, avant_apres
from projections.fiche_operation import fiche_operation
from projections.journal import EvenementLu, histoire_du_dossier
from projections.livre import Choix, choisir, sommes
from projections.mesures import MESURES, unite
from projections.perimetre import OI_ENTIER
from projections.situation import ACTUELLE, Situation

Conn = Connection[TupleRow]
Changements = dict[int, tuple[Changement, ...]]
SITUATIONS = (ACTUELLE, Situation(connu_le=63), Situation(date(2021, 12, 31)))


def lire(
    conn: Conn, vie: Vie, situation: Situation = ACTUELLE
) -> tuple[list[EvenementLu], Changements]:
    operation = vie.operations["entière"]
    histoire = histoire_du_dossier(conn, OI_ENTIER, str(operation), situation)
    return histoire, avant_apres(conn, OI_ENTIER, operation, histoire, situation)


def phrases(histoire: Sequence[EvenementLu], found: Changements, name: str) -> list[str]:
    """Return what the last fact of a name changed."""
    position = [lu.position for lu in histoire if lu.name == name][-1]
    return [c.phrase.replace("\u202f", " ").replace("\u00a0", " ") for c in found[position]]


def test_an_act_tells_the_state_and_the_amounts_that_it_moves(conn: Conn, vie: Vie) -> None:
    histoire, found = lire(conn, vie)
    assert phrases(histoire, found, "operation.dossier_depose.v1") == [
        "État du dossier : – → déposé",
        "FSE déposé : 0,00 € → 50 000,00 €",
        "Coût total déposé : 0,00 € → 100 000,00 €",
    ]
    assert phrases(histoire, found, "convention.avenant_signe.v1") == [
        "Convention, FSE : 50 000,00 € → 55 000,00 €",
        "Convention, ressource, Intercommunalité (EPCI) (EPCI fictive) : 50 000,00 € → 45 000,00 €",
        "Avenants signés : 0 → 1",
        "Avenant en cours : n° 1, programmé → aucun",
        "FSE conventionné : 50 000,00 € → 55 000,00 €",
        "Contreparties conventionnées : 50 000,00 € → 45 000,00 €",
    ]
    assert phrases(histoire, found, "depense.corrigee.v1") == [
        "Dépense, montant imputé : 700,00 € → 750,00 €"
    ]
    assert phrases(histoire, found, "contrepartie.affectation_annulee.v1") == [
        "Contreparties affectées : 40 000,00 € → 35 000,00 €"
    ]


def test_adjusted_amounts_are_told_when_they_leave_the_others(conn: Conn, vie: Vie) -> None:
    histoire, found = lire(conn, vie)
    assert not any("ajusté" in p for p in phrases(histoire, found, "operation.programmee.v1"))
    assert phrases(histoire, found, "operation.soldee.v1") == [
        "État du dossier : bilan final déposé → soldé",
        "FSE programmé ajusté : 55 000,00 € → 26 675,00 €",
        "Coût total programmé ajusté : 100 000,00 € → 48 500,00 €",
    ]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_last_after_is_the_figure_of_the_situation(
    conn: Conn, vie: Vie, situation: Situation
) -> None:
    operation = vie.operations["entière"]
    lignes = choisir(conn, OI_ENTIER, Choix(operation_id=operation), situation)
    assert lignes is not None
    histoire, found = lire(conn, vie, situation)
    derniers = {c.quoi: c.apres for lu in histoire for c in found.get(lu.position, ())}
    for mesure, somme in sommes(conn, lignes, situation).items():
        if not mesure.endswith("_ajuste") and somme:
            ecrit = str(somme) if unite(mesure) == "nombre" else french_euros(somme)
            assert derniers[MESURES[mesure]] == ecrit
    resume = fiche_operation(conn, OI_ENTIER, operation, situation).resume
    assert derniers["État du dossier"] == resume.statut_libelle


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_change_starts_where_the_one_before_it_ended(
    conn: Conn, vie: Vie, situation: Situation
) -> None:
    histoire, found = lire(conn, vie, situation)
    assert found.keys() <= {lu.position for lu in histoire}
    connus: dict[tuple[object, str], str | None] = {}
    for lu in histoire:
        for c in found.get(lu.position, ()):
            # A dépense has its own « retenu »: each stream is followed by itself.
            suivi = (lu.stream_id if c.quoi.startswith("Dépense") else None, c.quoi)
            if suivi in connus:
                assert c.avant == connus[suivi], c.phrase
            assert c.avant != c.apres
            connus[suivi] = c.apres


def test_the_life_of_other_dossiers_changes_nothing_here(conn: Conn, vie: Vie) -> None:
    for operation in vie.operations.values():
        histoire = histoire_du_dossier(conn, OI_ENTIER, str(operation))
        propres = {lu.stream_id for lu in histoire if lu.version == 1}
        for lu in histoire:
            if lu.stream_id not in propres:
                found = avant_apres(conn, OI_ENTIER, operation, histoire)[lu.position]
                assert {c.quoi for c in found} <= set(MESURES.values())
