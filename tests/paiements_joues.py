"""Six operations whose money stands at every step of a payment; amounts and names are invented."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from bases import base_neuve
from vie import Vie

from oi_service.app import open_service
from oi_service.application import Service

#: Due and not prepared, after an avance; prepared; ordered; sent and not confirmed; sent back by
#: the bank; paid above its due, and asked back in part.
DU, PREPARE, ORDONNE, VIRE, REJETE, INDU = (
    "202200001",
    "202200002",
    "202200003",
    "202200004",
    "202200005",
    "202200006",
)
#: Of another PLIE, and paid in full.
AILLEURS = "202200007"


def jouer(vie: Vie) -> None:
    """Play the six lives, and one elsewhere."""
    vie.subvention(fse_total="9000000.00")
    vie.tranche("1500000.00", "1500000.00")
    vie.enveloppe("A", "1000000.00")
    vie.enveloppe("B", "100000.00")
    vie.appel([{}, {"code": "B1", "plie": "B"}])
    for operation in (DU, PREPARE, ORDONNE, VIRE, REJETE, INDU):
        vie.jusqu_au_demarrage(operation)
    vie.jusqu_au_demarrage(AILLEURS, fiche="B1")
    for operation in (DU, INDU):
        vie.paiement(operation, "15000.00", type="avance", le=date(2022, 2, 1))
    for operation in (DU, PREPARE, ORDONNE, VIRE, REJETE, AILLEURS):
        vie.bilan(operation)
        vie.controle(operation)
    vie.bilan(INDU, ("20000.00",))
    vie.controle(INDU)
    vie.preparation(PREPARE, "40000.00")
    vie.ordonnancement(ORDONNE, "40000.00")
    for operation in (VIRE, REJETE):
        vie.ordonnancement(operation, "40000.00")
        vie.virement(operation)
    vie.rejet(REJETE)
    vie.paiement(AILLEURS, "40000.00")
    vie.ordre_reversement(INDU, "3000.00")
    vie.transmission(VIRE, "30000.00", "60000.00")


@contextmanager
def paiements_joues(serveur: str, modele: str) -> Iterator[tuple[Service, Vie]]:
    """Lend the service on a database of its own, where the lives were played."""
    with base_neuve(serveur, modele) as conninfo, open_service(conninfo) as service:
        vie = Vie(service)
        jouer(vie)
        yield service, vie
