"""The working file of the story: frozen, drawn, found, sealed, taken away, and kept apart."""

import json
from pathlib import Path

import pytest
from demo_jouee import Jeu

from aggregates.audit.events import DefinitionPopulation
from oi_service.preuve.archive import verifier
from projections.audit import DossierAudite, dossiers_audit
from projections.dossiers import operations
from projections.echantillons import documents_des_audits, documents_des_controles
from projections.journal import journal
from projections.perimetre import OI_ENTIER, Perimetre
from projections.populations import population
from projections.situation import ACTUELLE
from rules.tirages import empreinte


@pytest.fixture(scope="module")
def audite(jeu: Jeu) -> DossierAudite:
    with jeu.service.reads.connection() as conn:
        [dossier] = dossiers_audit(conn, OI_ENTIER)
    return dossier


def test_the_story_draws_by_each_method_extends_a_draw_and_replaces_another(
    audite: DossierAudite,
) -> None:
    assert {e.methode for e in audite.echantillons} == {"simple", "mus", "stratifie"}
    assert sum(e.etend is not None for e in audite.echantillons) == 1
    assert sum(e.remplace is not None for e in audite.echantillons) == 1
    finals = [e for e in audite.echantillons if e.suivi_par is None]
    assert len(finals) == len(audite.populations) == 3
    for echantillon in finals:
        assert echantillon.resultat is not None
        assert 0 < echantillon.resultat.erreur_constatee < echantillon.resultat.erreur_projetee
    assert audite.conclusion is not None


def test_a_population_read_again_at_its_position_is_the_one_that_was_frozen(
    jeu: Jeu, audite: DossierAudite
) -> None:
    """Hundreds of acts came since; the list and its digest are the same."""
    with jeu.service.reads.connection() as conn:
        for figee in audite.populations:
            relue = population(
                conn,
                audite.subvention_globale_id,
                figee.definition,
                figee.montant,
                figee.position,
            )
            assert empreinte(relue) == figee.empreinte
            assert (len(relue), sum(u.montant for u in relue)) == (figee.nombre, figee.total)


def test_a_population_of_today_is_what_the_lists_show(jeu: Jeu, audite: DossierAudite) -> None:
    """Declared, not cancelled; retained by a control that was validated."""
    declarees = (
        "SELECT id::text, montant_impute_centimes FROM projection.depense WHERE statut <> 'annulee'"
    )
    retenues = (
        "SELECT d.id::text, d.retenu_centimes FROM projection.depense AS d WHERE EXISTS ("
        "SELECT FROM oi.event AS v WHERE v.name = 'convention.csf_valide.v1' "
        "AND v.data ->> 'csf_id' = d.csf_id::text)"
    )
    tout = DefinitionPopulation(portee="toutes")
    with jeu.service.reads.connection() as conn:
        for montant, requete in (("declare", declarees), ("retenu", retenues)):
            lue = population(conn, audite.subvention_globale_id, tout, montant, 2**62)  # type: ignore[arg-type]
            assert {(u.id, u.montant) for u in lue} == set(jeu.lignes(requete))


def test_the_lines_of_a_statement_are_those_controlled_since_the_one_before(
    jeu: Jeu, audite: DossierAudite
) -> None:
    """Statements share the dépenses: none is in two, and each has its controls before it."""
    transmis = set(
        jeu.lignes(
            "SELECT data ->> 'etat_no', data ->> 'operation_id' FROM oi.event "
            "WHERE name = 'convention.etat_depenses_transmis.v1'"
        )
    )
    numeros = sorted({str(numero) for numero, _ in transmis})
    assert len(numeros) == 2
    with jeu.service.reads.connection() as conn:
        listes = [
            {
                u.id: u.operation
                for u in population(
                    conn,
                    audite.subvention_globale_id,
                    DefinitionPopulation(portee="etat_depenses", etat_no=numero),
                    "retenu",
                    2**62,
                )
            }
            for numero in numeros
        ]
    assert all(listes)
    assert not set(listes[0]) & set(listes[1])
    for numero, liste in zip(numeros, listes, strict=True):
        assert {(numero, operation) for operation in liste.values()} <= transmis


def test_the_journal_and_the_lists_of_the_oi_know_nothing_of_it(
    jeu: Jeu, audite: DossierAudite
) -> None:
    with jeu.service.reads.connection() as conn:
        for perimetre in (OI_ENTIER, Perimetre(frozenset({"sources"}))):
            apres = None
            while True:
                page = journal(conn, perimetre, limite=200, apres=apres)
                assert not [lu for lu in page.lignes if lu.name.startswith("audit.")]
                assert not [lu for lu in page.lignes if lu.role == "auditeur"]
                if (apres := page.suivant) is None:
                    break
        assert not journal(conn, OI_ENTIER, flux=audite.id).lignes
        vues = operations(conn, OI_ENTIER, ACTUELLE, limite=200).lignes
    assert str(audite.id) not in str(vues)
    assert jeu.valeurs("SELECT count(*) FROM oi.event WHERE name LIKE 'audit.%'") != [0]
    # No figure comes of it.
    assert jeu.valeurs(
        "SELECT count(*) FROM projection.mouvement AS m INNER JOIN oi.event AS e "
        "ON m.position = e.position WHERE e.name LIKE 'audit.%'"
    ) == [0]


def test_every_sample_is_drawn_again_from_its_document_by_who_knows_nothing_of_ours(
    jeu: Jeu, tmp_path: Path
) -> None:
    with jeu.service.reads.connection() as conn:
        documents = [
            *documents_des_audits(conn, OI_ENTIER),
            *documents_des_controles(conn, OI_ENTIER),
        ]
        partiels = list(documents_des_controles(conn, OI_ENTIER, operations=[]))
    assert sorted(d.contenu["algorithme"] for d in documents) == [
        "mus-sha256-v1",
        "sha256-v1",
        *["simple-sha256-v1"] * 2,
        *["stratifie-sha256-v1"] * 2,
    ]
    assert partiels == []
    (tmp_path / "echantillons").mkdir()
    for document in documents:
        (tmp_path / document.chemin).write_text(json.dumps(document.contenu), "utf-8")
    manifeste = {
        "format": "oi-archive/1",
        "complet": True,
        "journal": {"taille": 1, "origine": "essai", "point": "points/essai.txt"},
    }
    (tmp_path / "manifeste.json").write_text(json.dumps(manifeste), "utf-8")
    verification = verifier.Verification(verifier.Archive(tmp_path), [], None)
    verification.dits = dict(
        jeu.lignes(
            "SELECT position, data FROM oi.event "
            "WHERE name LIKE '%.echantillon_tire.v1' OR name = 'audit.population_figee.v1'"
        )
    )
    assert verification.echantillons().startswith("6 joints, refaits")
