"""A grant of two PLIE for the tests of the maquette: targets, forecasts, what is late, what is not.

PLIE A controls and certifies; PLIE B waits for a control. Amounts are invented.
"""

from datetime import date

from vie import Vie

from oi_service.application import Service

#: The programming ends then: transfers can still be tried.
LE = date(2022, 6, 1)


def jouer(service: Service) -> Vie:
    """Play; operations « A1 » and « A2 » are of PLIE A, « B1 » of PLIE B."""
    vie = Vie(service)
    vie.subvention(fse_total="400000.00")
    vie.tranche("400000.00", contreparties="400000.00")
    vie.enveloppe("A", "200000.00")
    vie.enveloppe("B", "150000.00")
    vie.reserve("50000.00")
    vie.objectif("60000.00", plie_id=None, date_limite=date(2022, 3, 31))
    vie.objectif("90000.00", plie_id=None, date_limite=date(2022, 12, 31))
    vie.objectif("50000.00", plie_id="A", date_limite=date(2022, 12, 31))
    vie.appel(fiches=[{}, {"code": "B1", "plie": "B"}])
    vie.previsions(
        "A",
        [
            {"annee": 2022, "trimestre": 3, "montant": "10000.00", "mesure": "fse_certifie"},
            {"annee": 2022, "trimestre": 4, "montant": "15000.00", "mesure": "fse_certifie"},
        ],
    )
    for nom, fiche in (("A1", "A1"), ("A2", "A1"), ("B1", "B1")):
        vie.jusqu_au_demarrage(nom, fse="50000.00", cout_total="100000.00", fiche=fiche)
    vie.bilan("A1", ["80000.00"])
    vie.controle("A1")
    vie.paiement("A1", "40000.00")
    vie.transmission("A1", "30000.00", "60000.00")
    vie.certification("A1", "30000.00", "60000.00")
    vie.bilan("B1", ["60000.00"])
    return vie
