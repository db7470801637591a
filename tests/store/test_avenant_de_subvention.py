"""An avenant of the grant that moves the maquette: who sees it, what the page of the past says."""

from datetime import date

from fabrique import LIGNE_SAISIE, commande, euros
from vie import Vie

from aggregates.subvention_globale.conventionnement import (
    SignerAvenantSubventionGlobale,
    signer_avenant,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Acte, Service
from projections.journal import journal
from projections.maquette import charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import Situation


def test_a_plie_reads_the_avenant_that_changes_its_enveloppe_and_no_other(service: Service) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00", "300000.00")
    vie.enveloppe("A", "100000.00")
    vie.enveloppe("B", "100000.00")
    asked = commande(
        SignerAvenantSubventionGlobale,
        date_effet="2022-02-01",
        ecarts=[
            {
                "cellule": {"ligne": LIGNE_SAISIE, "plie_id": plie_id},
                "fse": fse,
                "cout_total": fse,
            }
            for plie_id, fse in (("A", "-20000.00"), ("non_reparti", "20000.00"))
        ],
    )
    vie.journal.execute(
        Acte("ordonnateur-1", "ordonnateur_oi"),
        lambda unit: unit.execute(SUBVENTION_GLOBALE, vie.id("SG"), signer_avenant, asked),
    )
    nom = "subvention_globale.avenant_signe.v1"
    with service.reads.connection() as conn:
        vus = {
            plie_id: len(journal(conn, Perimetre(frozenset({plie_id})), nom=nom).lignes)
            for plie_id in ("A", "B")
        }
        assert vus == {"A": 1, "B": 0}
        for jour, alloue in ((date(2022, 1, 31), 100_000), (date(2022, 2, 1), 80_000)):
            maquette = charger(conn, OI_ENTIER, situation=Situation(effet_au=jour))
            assert maquette is not None
            enveloppes = {p: c.fse_maquette for p, _, c in maquette.par_plie()}
            assert enveloppes["A"] == euros(alloue)
            assert maquette.total.fse_maquette == euros(300_000)
