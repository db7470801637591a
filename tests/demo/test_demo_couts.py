"""What the story shows of the FSE due: each form of cost, each correction, each way money ends."""

import pytest
from demo_jouee import Jeu

from rules.couts import OPTIONS

pytestmark = pytest.mark.xdist_group("demo")

_POSTES = (
    "FROM oi.event, LATERAL jsonb_array_elements(data #> '{plan,postes}') AS p "
    "WHERE name = 'convention.signee.v1' AND p ->> "
)
_RESULTATS = (
    "FROM oi.event, LATERAL jsonb_array_elements(data #> '{resultat,postes}') AS p "
    "WHERE name = 'convention.csf_valide.v1' AND "
)


def _evenement(nom: str, condition: str = "true") -> str:
    return f"SELECT count(*) FROM oi.event WHERE name = '{nom}' AND {condition}"  # noqa: S608


def _suite(premier: str, second: str, condition: str = "true") -> str:
    """Count the streams where a fact follows another."""
    return (
        "SELECT count(DISTINCT a.stream_id) FROM oi.event AS a "  # noqa: S608
        "INNER JOIN oi.event AS b USING (stream_id) "
        f"WHERE a.name = '{premier}' AND b.name = '{second}' AND b.position > a.position "
        f"AND {condition}"
    )


#: Each a query that must find at least that much.
PROMESSES = {
    "flat rates of 15, 20, 25 and 40 %, and staff at 20 %": (
        5,
        f"SELECT count(DISTINCT p ->> 'option') {_POSTES} 'mode' = 'forfait'",
    ),
    "unit costs": (2, f"SELECT count(*) {_POSTES} 'mode' = 'cout_unitaire'"),
    "lump sums": (1, f"SELECT count(*) {_POSTES} 'mode' = 'montant_forfaitaire'"),
    "real indirect costs": (
        1,
        f"SELECT count(*) {_POSTES} 'code' = 'indirectes' AND p ->> 'option' IS NULL",
    ),
    "indirect costs charged by a key, with the cost that it shares": (
        10,
        _evenement(
            "depense.declaree.v1",
            "data #>> '{detail,poste}' = 'indirectes' "
            "AND (data #>> '{detail,cle,assiette_centimes}')::bigint > 0",
        ),
    ),
    "staff charged by the hour, from time sheets": (
        12,
        _evenement(
            "depense.declaree.v1",
            "data #>> '{detail,temps,methode}' = 'taux_horaire' "
            "AND jsonb_array_length(data #> '{detail,temps,jours}') > 15",
        ),
    ),
    "contributions in kind, matched by their resource": (
        1,
        (
            f"SELECT count(*) {_RESULTATS} p ->> 'code' = 'nature' AND EXISTS ("  # noqa: S608
            "SELECT FROM jsonb_array_elements(data -> 'ressources_cumulees') AS r "
            "WHERE r ->> 0 = 'nature' AND r -> 1 = p -> 'retenu_centimes')"
        ),
    ),
    "units that nothing proves": (
        1,
        _evenement(
            "convention.realisations_controlees.v1",
            "data #>> '{unites,0,motif_code}' = 'UNITE_NON_PROUVEE'",
        ),
    ),
    "a deliverable missed among others reached": (
        1,
        _evenement(
            "convention.realisations_controlees.v1",
            "jsonb_path_exists(data, '$.livrables[*] ? (@.atteint == false)') "
            "AND jsonb_path_exists(data, '$.livrables[*] ? (@.atteint == true)')",
        ),
    ),
    "net revenue deducted": (
        1,
        _evenement(
            "convention.csf_valide.v1", "(data #>> '{resultat,recettes_nettes_centimes}')::int > 0"
        ),
    ),
    "a contract corrected by a quarter": (
        1,
        _evenement(
            "convention.csf_valide.v1",
            "jsonb_path_exists(data, '$.resultat.marches[*] ? (@.correction_centimes > 0)') "
            "AND (data #>> '{resultat,marches,0,taux_pct}')::numeric = 25",
        ),
    ),
    "a sample that is extrapolated": (
        1,
        _evenement(
            "convention.csf_valide.v1",
            "jsonb_path_exists(data, '$.resultat.extrapolations[*] ? (@.correction_centimes > 0)')",
        ),
    ),
    "pieces that a draw left out, validated with their stratum": (
        15,
        _evenement("depense.controlee.v1", "data ->> 'commentaire' LIKE 'Hors tirage%'"),
    ),
    "a régularisation of an earlier bilan": (
        1,
        _evenement("depense.controlee.v1", "(data ->> 'montant_retenu_centimes')::bigint < 0"),
    ),
    "a clause of réfaction applied": (
        1,
        _evenement(
            "convention.csf_valide.v1",
            "jsonb_path_exists(data, "
            "'$.resultat.corrections_fse[*] ? (@.correction_centimes > 0)')",
        ),
    ),
    "a poste capped": (
        1,
        f"SELECT count(*) {_RESULTATS} (p ->> 'ecrete_centimes')::bigint > 0",
    ),
    "a cost that a flat rate already covers": (
        1,
        (
            "SELECT count(*) FROM projection.depense WHERE motif_code = 'DOUBLE_FINANCEMENT' "
            "AND retenu_centimes = 0"
        ),
    ),
    "small operations excused from simplified costs": (
        1,
        _evenement(
            "operation.plan_financement_instruit.v1",
            "data ->> 'derogation_couts_simplifies' IS NOT NULL",
        ),
    ),
    "beneficiaries who answered the conclusions": (
        5,
        _suite("convention.observations_recues.v1", "convention.conclusions_finales_notifiees.v1"),
    ),
    "beneficiaries who let the time to answer go by": (
        5,
        (
            "SELECT count(*) FROM oi.event AS f WHERE f.name = "
            "'convention.conclusions_finales_notifiees.v1' AND NOT EXISTS ("
            "SELECT FROM oi.event AS o WHERE o.name = 'convention.observations_recues.v1' "
            "AND o.data -> 'csf_id' = f.data -> 'csf_id')"
        ),
    ),
    "a bilan never filed, and what was paid given back": (
        1,
        _suite("convention.cloture_office_prononcee.v1", "convention.reversement_encaisse.v1"),
    ),
    "an audit after the solde, whose suites are closed": (
        1,
        _suite(
            "operation.suites_ouvertes.v1",
            "operation.suites_closes.v1",
            "(b.data ->> 'fse_du_apres_centimes')::bigint "
            "< (b.data ->> 'fse_du_avant_centimes')::bigint",
        ),
    ),
    "a payment that the bank rejected, paid again": (
        1,
        _evenement("convention.paiement_ordonnance.v1", "data ->> 'remplace' IS NOT NULL"),
    ),
    "a payment that settles what is owed elsewhere, and the rest transferred": (
        1,
        _suite(
            "convention.compensation_imputee.v1",
            "convention.paiement_effectue.v1",
            "(b.data ->> 'compense_centimes')::bigint > 0 AND "
            "(b.data ->> 'compense_centimes')::bigint < (b.data ->> 'montant_centimes')::bigint",
        ),
    ),
    "an irrecoverable debt, of which a part comes back": (
        1,
        _suite("convention.creance_retablie.v1", "convention.reversement_encaisse.v1"),
    ),
    "a clock of payment stopped, then going on": (
        1,
        _suite("convention.delai_paiement_interrompu.v1", "convention.delai_paiement_repris.v1"),
    ),
    "a contrepartie shared by need between operations": (
        2,
        (
            "SELECT count(DISTINCT data ->> 'operation_id') FROM oi.event "
            "WHERE name IN ('contrepartie.affectee.v1', 'contrepartie.affectation_annulee.v1') "
            "AND jsonb_typeof(data -> 'repartition') = 'object'"
        ),
    ),
    "an acompte held back by the ceiling before the solde": (
        1,
        _evenement("convention.signee.v1", "data ->> 'plafond_avant_solde_pct' IS NOT NULL"),
    ),
}


@pytest.mark.parametrize("promesse", PROMESSES)
def test_the_story_keeps_its_promise(jeu: Jeu, promesse: str) -> None:
    au_moins, requete = PROMESSES[promesse]
    (trouve,) = jeu.valeurs(requete)
    assert int(str(trouve)) >= au_moins


def test_every_option_of_the_regulation_of_the_grant_is_used(jeu: Jeu) -> None:
    options = jeu.valeurs(f"SELECT DISTINCT p ->> 'option' {_POSTES} 'mode' = 'forfait'")
    # The flat rate of 7 % came with 2021-2027.
    assert set(options) == set(OPTIONS) - {"forfait_7"}


def test_what_is_retained_never_passes_what_is_declared_nor_the_grant_what_is_programmed(
    jeu: Jeu,
) -> None:
    assert (
        jeu.lignes(
            "SELECT operation_id FROM oi.montants_operation WHERE fse_retenu_csf > fse_conventionne"
        )
        == []
    )
    assert (
        jeu.lignes(
            "SELECT stream_id FROM oi.event WHERE name = 'convention.csf_valide.v1' "
            "AND (data -> 'fse_du_cumule_centimes') > (data -> 'fse_max_centimes')"
        )
        == []
    )


def test_what_was_paid_and_neither_came_back_nor_is_lost_is_due_once_settled(jeu: Jeu) -> None:
    restes = jeu.lignes(
        """
        SELECT m.numero_mdfse, m.fse_paye, m.fse_irrecouvrable, m.fse_retenu_csf
        FROM oi.montants_operation AS m
        WHERE m.statut IN ('solde', 'cloture', 'archive')
            AND m.fse_paye - m.fse_irrecouvrable <> m.fse_retenu_csf
        """
    )
    assert restes == []
    perdus = "SELECT count(*) FROM oi.montants_operation WHERE fse_irrecouvrable > 0"
    assert jeu.valeurs(perdus) == [1]
