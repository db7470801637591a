"""The story as played: the counts of the issue, its promises, and the invariants of the books."""

from datetime import date

import pytest
from demo_jouee import Jeu

from aggregates.operation.state import LIBELLES
from oi_service.codec import REGISTRY
from oi_service.demo.vie import deja_jouee, jouer
from oi_service.verification import verifier

pytestmark = pytest.mark.xdist_group("demo")


def test_the_counts_promised(jeu: Jeu) -> None:
    bilan = jeu.bilan
    assert (bilan.plie, bilan.fiches, bilan.indicateurs) == (7, 27, 86)
    assert bilan.dossiers >= 40
    assert bilan.depenses >= 1_500
    assert bilan.evenements >= 5_000
    assert jeu.valeurs("SELECT nb_fiches FROM projection.appel_a_projets ORDER BY 1")[-1] == 27
    assert "27 fiches opération, 86 indicateurs" in str(bilan)


def test_it_says_how_far_it_is(jeu: Jeu) -> None:
    faits = [fait for _, fait, _ in jeu.progres]
    assert faits == list(range(1, jeu.bilan.actes + 1))
    assert {total for _, _, total in jeu.progres} == {jeu.bilan.actes}
    assert jeu.progres[0][0] == "Subvention globale et enveloppes"
    assert jeu.progres[-1][0] == "Clôtures et archives"


def test_played_again_it_adds_nothing(jeu: Jeu) -> None:
    assert deja_jouee(jeu.service)
    assert jouer(jeu.service, progres=lambda *_: None) == jeu.bilan


def test_every_kind_of_event_happens(jeu: Jeu) -> None:
    # What the register does of itself is no act of the story; accounts open once it is told.
    acts = {name for name in REGISTRY.classes if not name.startswith(("registre.", "compte."))}
    assert set(jeu.valeurs("SELECT DISTINCT name FROM oi.event")) == acts


def test_a_dossier_stands_at_every_state(jeu: Jeu) -> None:
    assert set(jeu.valeurs("SELECT DISTINCT statut FROM projection.operation")) == set(LIBELLES)


def test_every_invariant_of_the_books_holds(jeu: Jeu) -> None:
    assert [(c.code, c.ecarts) for c in verifier(jeu.base) if c.ecarts] == []


def test_amounts_are_said_to_be_invented(jeu: Jeu) -> None:
    assert jeu.valeurs("SELECT fictive FROM projection.subvention_globale") == [True]
    reels = (
        "SELECT beneficiaire, siret FROM projection.operation "
        "WHERE beneficiaire NOT LIKE 'Bénéficiaire fictif n° __' OR siret NOT LIKE '000%'"
    )
    assert jeu.lignes(reels) == []


def test_the_journal_follows_the_calendar(jeu: Jeu) -> None:
    jours = jeu.valeurs("SELECT date_effet FROM oi.event ORDER BY position")
    assert jours == sorted(jours)
    assert (jours[0], jours[-1]) == (date(2018, 2, 12), date(2022, 12, 20))


def test_nothing_is_programmed_above_its_enveloppe_at_any_time(jeu: Jeu) -> None:
    depassements = jeu.lignes(
        """
        WITH mouvements AS (
            SELECT position, data -> 'cellule' AS cellule, (data ->> 'fse_centimes')::bigint
                * CASE name WHEN 'subvention_globale.enveloppe_reservee.v1' THEN -1 ELSE 1 END
                AS centimes
            FROM oi.event WHERE name IN (
                'subvention_globale.enveloppe_plie_notifiee.v1',
                'subvention_globale.enveloppe_reservee.v1',
                'subvention_globale.enveloppe_liberee.v1')
            UNION ALL
            SELECT e.position, t.cellule, t.sens * (e.data ->> 'fse_centimes')::bigint
            FROM oi.event AS e, LATERAL (
                VALUES (e.data -> 'de', -1), (e.data -> 'vers', 1)) AS t (cellule, sens)
            WHERE e.name = 'subvention_globale.transfert_enveloppe_decide.v1'
                AND t.cellule ->> 'plie_id' <> 'reserve'
        )
        SELECT * FROM (
            SELECT cellule, sum(centimes) OVER (PARTITION BY cellule ORDER BY position) AS reste
            FROM mouvements
        ) AS m WHERE reste < 0
        """
    )
    assert depassements == []


def test_the_whole_grant_is_shared_and_its_parts_add_up(jeu: Jeu) -> None:
    restes = "SELECT sum(centimes) FROM projection.mouvement WHERE plie_id = 'non_reparti'"
    assert jeu.valeurs(restes + " GROUP BY mesure") == [0, 0]
    total = "SELECT fse_total_centimes FROM projection.subvention_globale"
    alloue = "SELECT sum(alloue_centimes) FROM projection.enveloppe"
    assert jeu.valeurs(total) == jeu.valeurs(alloue)


def test_plie_are_not_all_at_the_same_point(jeu: Jeu) -> None:
    chiffres = {
        str(plie): (int(str(programme)) / int(str(alloue)), retenu, paye)
        for plie, programme, alloue, retenu, paye in jeu.lignes(
            """
            SELECT plie_id, sum(centimes) FILTER (WHERE mesure = 'fse_programme'),
                sum(centimes) FILTER (WHERE mesure = 'fse_maquette'),
                sum(centimes) FILTER (WHERE mesure = 'fse_retenu_csf'),
                sum(centimes) FILTER (WHERE mesure = 'fse_paye')
            FROM projection.mouvement
            WHERE plie_id NOT IN ('non_reparti', 'reserve', 'reprise')
            GROUP BY plie_id
            """
        )
    }
    assert sum(taux > 0.97 for taux, _, _ in chiffres.values()) >= 2
    assert [plie for plie, (taux, _, _) in chiffres.items() if taux < 0.8] == ["portes_du_sud"]
    _, retenu, paye = chiffres["haut_perigord"]
    assert int(str(paye)) > int(str(retenu)) > 0


#: What the story promises, each a query that must find at least that much.
PROMESSES = {
    "two dossiers on one fiche": (
        5,
        (
            "SELECT count(*) FROM (SELECT FROM projection.operation WHERE annee = 2021 "
            "GROUP BY fiche_code HAVING count(*) > 1) AS f"
        ),
    ),
    "withdrawn before being programmed": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'operation.dossier_retire.v1' "
            "AND data ->> 'fse_programme_centimes' = '0'"
        ),
    ),
    "withdrawn once programmed": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'operation.dossier_retire.v1' "
            "AND data ->> 'fse_programme_centimes' <> '0'"
        ),
    ),
    "adjourned then programmed": (
        2,
        (
            "SELECT count(*) FROM oi.event AS a INNER JOIN oi.event AS p USING (stream_id) "
            "WHERE a.name = 'operation.ajournee.v1' AND p.name = 'operation.programmee.v1'"
        ),
    ),
    "programmed against an unfavourable report": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'operation.programmee.v1' "
            "AND motif IS NOT NULL"
        ),
    ),
    "a transfer between PLIE": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name LIKE '%.transfert_enveloppe_decide.v1' "
            "AND data #>> '{de,plie_id}' <> 'reserve'"
        ),
    ),
    "a transfer from the réserve": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name LIKE '%.transfert_enveloppe_decide.v1' "
            "AND data #>> '{de,plie_id}' = 'reserve'"
        ),
    ),
    "an avenant that raises the plan": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.avenant_signe.v1' "
            "AND (data ->> 'ecart_fse_centimes')::bigint > 0"
        ),
    ),
    "an avenant that lowers the plan": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.avenant_signe.v1' "
            "AND (data ->> 'ecart_fse_centimes')::bigint < 0"
        ),
    ),
    "an avenant that moves the period": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.avenant_signe.v1' "
            "AND data #>> '{apres,periode,fin}' IS NOT NULL"
        ),
    ),
    "intermediate bilans": (
        5,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.bilan_depose.v1' "
            "AND data ->> 'type' = 'intermediaire'"
        ),
    ),
    "final bilans": (
        25,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.bilan_depose.v1' "
            "AND data ->> 'type' = 'final'"
        ),
    ),
    "dépenses declared one by one": (
        30,
        (
            "SELECT count(*) FROM oi.command AS c INNER JOIN oi.event AS e USING (command_id) "
            "WHERE c.first_position = c.last_position AND e.name = 'depense.declaree.v1'"
        ),
    ),
    "dépenses corrected": (
        2,
        "SELECT count(*) FROM oi.event WHERE name = 'depense.corrigee.v1'",
    ),
    "dépenses rejected in part": (
        20,
        "SELECT count(*) FROM projection.depense WHERE ecarte_centimes > 0 AND retenu_centimes > 0",
    ),
    "dépenses rejected wholly": (
        20,
        "SELECT count(*) FROM projection.depense WHERE ecarte_centimes > 0 AND retenu_centimes = 0",
    ),
    "motifs of the closed list": (
        7,
        "SELECT count(DISTINCT motif_code) FROM projection.depense",
    ),
    "ceilings of the Fund that decided": (
        3,
        (
            "SELECT count(DISTINCT data ->> 'contrainte_active') FROM oi.event "
            "WHERE name = 'convention.csf_valide.v1'"
        ),
    ),
    "a control taken up again that asks money back": (
        1,
        (
            "SELECT count(*) FROM oi.event WHERE name = 'convention.csf_valide.v1' "
            "AND data ->> 'version' = '2' AND (data ->> 'fse_du_periode_centimes')::bigint < 0"
        ),
    ),
    "controls proposed by one person, then validated by another": (
        25,
        (
            "SELECT count(*) FROM oi.event AS p INNER JOIN oi.event AS v USING (stream_id) "
            "WHERE p.name = 'convention.csf_propose.v1' AND v.name = 'convention.csf_valide.v1' "
            "AND p.data ->> 'csf_id' = v.data ->> 'csf_id' AND p.position < v.position "
            "AND p.data ->> 'controleur' <> v.data ->> 'valideur'"
        ),
    ),
    "a control sent back, proposed again with a document, then validated": (
        1,
        (
            "SELECT count(*) FROM oi.event AS r INNER JOIN oi.event AS p USING (stream_id) "
            "INNER JOIN oi.event AS v USING (stream_id) "
            "WHERE r.name = 'convention.csf_renvoye.v1' "
            "AND p.name = 'convention.csf_propose.v1' AND v.name = 'convention.csf_valide.v1' "
            "AND r.position < p.position AND p.position < v.position "
            "AND EXISTS (SELECT FROM oi.event AS j "
            "WHERE j.name = 'depense.pieces_jointes.v1' "
            "AND j.data ->> 'operation_id' = v.data ->> 'operation_id' "
            "AND j.position BETWEEN r.position AND p.position)"
        ),
    ),
    "a control that waits for its validation": (
        1,
        (
            "SELECT count(*) FROM oi.event AS p WHERE p.name = 'convention.csf_propose.v1' "
            "AND NOT EXISTS (SELECT FROM oi.event AS v WHERE v.stream_id = p.stream_id "
            "AND v.name IN ('convention.csf_valide.v1', 'convention.csf_renvoye.v1') "
            "AND v.position > p.position)"
        ),
    ),
    "documents that come after the dépense that they prove": (
        5,
        "SELECT count(*) FROM oi.event WHERE name = 'depense.pieces_jointes.v1'",
    ),
    "avances, acomptes, soldes": (
        3,
        (
            "SELECT count(DISTINCT data ->> 'type') FROM oi.event "
            "WHERE name = 'convention.paiement_effectue.v1'"
        ),
    ),
    "a payment sent again after the bank rejected it": (
        1,
        (
            "SELECT count(*) FROM (SELECT FROM oi.event "
            "WHERE name = 'convention.paiement_effectue.v1' AND data ->> 'type' = 'solde' "
            "GROUP BY stream_id HAVING count(*) = 2) AS p"
        ),
    ),
    "an operation abandoned and settled at nothing": (
        1,
        (
            "SELECT count(*) FROM oi.montants_operation AS m WHERE statut = 'solde' "
            "AND fse_paye = 0 AND EXISTS (SELECT FROM oi.event AS e "
            "WHERE e.stream_id = m.operation_id AND e.name = 'operation.abandonnee.v1')"
        ),
    ),
    "a termination settled": (
        1,
        (
            "SELECT count(*) FROM oi.event AS r INNER JOIN oi.event AS s USING (stream_id) "
            "WHERE r.name = 'operation.resiliee.v1' AND s.name = 'operation.soldee.v1'"
        ),
    ),
    "operations archived": (
        8,
        "SELECT count(*) FROM projection.operation WHERE statut = 'archive'",
    ),
    "indicators reached and missed": (
        80,
        "SELECT count(*) FROM oi.event WHERE name = 'operation.indicateur_renseigne.v1'",
    ),
    "tranches": (
        2,
        "SELECT count(DISTINCT annee) FROM projection.enveloppe",
    ),
}


@pytest.mark.parametrize("promesse", PROMESSES)
def test_the_story_keeps_its_promise(jeu: Jeu, promesse: str) -> None:
    au_moins, requete = PROMESSES[promesse]
    (trouve,) = jeu.valeurs(requete)
    assert int(str(trouve)) >= au_moins
