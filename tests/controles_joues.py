"""Dossiers and the audits of them, played once for the tests that read them.

CICC-1 goes to its end on OP-1, whose control of service fait is opened again after the solde; on
OP-2, of the other PLIE, VISITE-1 waits for answers and follow-ups; MISSION-1 is about both.
"""

from datetime import date

from vie import Vie

CONSTATS_CICC = (
    {
        "numero": 1,
        "operation": "OP-1",
        "cout_total": "5000.00",
        "fse": "2500.00",
        "pieces": ["P-0"],
    },
    {"numero": 2, "operation": "OP-1", "cout_total": "600.00", "fse": "300.00"},
)
CONSTATS_VISITE = (
    {"numero": 1, "operation": "OP-2", "cout_total": "200.00", "fse": "100.00"},
    {"numero": 2, "operation": "OP-2", "cout_total": "0.00", "fse": "50.00"},
)
CONSTATS_MISSION = (
    {"numero": 1, "operation": "OP-1", "cout_total": "70.00", "fse": "35.00"},
    {"numero": 2, "operation": "OP-2", "cout_total": "80.00", "fse": "40.00"},
)


def jouer_les_controles(vie: Vie) -> None:
    """Play every act of an audit, and every way it ends."""
    vie.subvention()
    vie.tranche("500000.00", "500000.00")
    for plie in ("A", "B"):
        vie.enveloppe(plie, "150000.00")
    vie.appel(({}, {"code": "B1", "plie": "B"}))
    for operation, fiche in (("OP-1", "A1"), ("OP-2", "B1")):
        vie.jusqu_au_demarrage(operation, fiche=fiche)
        vie.bilan(operation, ["60000.00", "20000.00"])
        vie.controle(operation)
        vie.paiement(operation, "40000.00")
    vie.solde("OP-1")
    _va_au_bout(vie)
    _attend(vie)
    _de_deux_plie(vie)
    vie.controle_notifie("ANNULE-1", {"OP-1": "10.00"}, organisme="cour_des_comptes")
    vie.controle_annule("ANNULE-1")


def _va_au_bout(vie: Vie) -> None:
    vie.controle_notifie("CICC-1", {"OP-1": "70000.00"})
    vie.perimetre_controle("CICC-1", {"OP-1": "80000.00"}, {"OP-1": ["P-0", "P-1"]})
    vie.controle_commence("CICC-1")
    vie.rapport_provisoire("CICC-1", CONSTATS_CICC, date_limite_reponse=date(2022, 10, 14))
    vie.rectification_constat("CICC-1", "500.00", "250.00", constat=2, le=date(2022, 10, 5))
    vie.prolongation_reponse("CICC-1", date(2022, 10, 21), le=date(2022, 10, 6))
    vie.reponse_constat("CICC-1", 1)
    vie.reponse_constat("CICC-1", 2, auteur="beneficiaire", reponse="conteste")
    vie.rapport_definitif(
        "CICC-1",
        [
            {"numero": 1, "issue": "reduit", "cout_total": "1000.00", "fse": "500.00"},
            {"numero": 2, "issue": "abandonne"},
        ],
        date_limite_suites=date(2022, 12, 31),
    )
    vie.suite_controle("CICC-1", mesure="mesure_administrative", le=date(2022, 10, 24))
    vie.annulation_suite("CICC-1", le=date(2022, 10, 25))
    vie.suite_controle("CICC-1", echeance=date(2022, 11, 15))
    vie.prolongation_suite("CICC-1", date(2022, 12, 10), le=date(2022, 10, 27))
    vie.reouverture_controle("OP-1", controle_ref="CICC-1", le=date(2022, 10, 28))
    vie.controle("OP-1", ecarte="1000.00", le=date(2022, 11, 3))
    vie.execution_suite("CICC-1", bilans=[1])
    vie.suites_controle_closes("CICC-1")
    vie.controle_clos("CICC-1")


def _attend(vie: Vie) -> None:
    vie.controle_notifie(
        "VISITE-1", {"OP-2": "500.00"}, organisme="autorite_gestion", le=date(2022, 9, 7)
    )
    vie.controle_commence("VISITE-1", modalite="sur_pieces")
    vie.rapport_provisoire("VISITE-1", CONSTATS_VISITE, date_limite_reponse=date(2022, 10, 20))
    vie.reponse_constat("VISITE-1", 1)
    vie.rapport_definitif(
        "VISITE-1",
        [{"numero": n, "issue": "maintenu"} for n in (1, 2)],
        date_limite_suites=date(2022, 12, 1),
    )
    vie.suite_controle("VISITE-1", mesure="ordre_reversement", echeance=date(2022, 11, 15))


def _de_deux_plie(vie: Vie) -> None:
    vie.controle_notifie(
        "MISSION-1",
        {"OP-1": "1000.00", "OP-2": "2000.00"},
        organisme="commission_europeenne",
        le=date(2022, 9, 8),
    )
    vie.controle_commence("MISSION-1")
    vie.rapport_provisoire("MISSION-1", CONSTATS_MISSION, date_limite_reponse=date(2022, 11, 30))
    vie.reponse_constat("MISSION-1", 2, reponse="conteste")
