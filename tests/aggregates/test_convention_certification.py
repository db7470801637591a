"""What the State did with controlled expenditure: sent, certified, withdrawn."""

from typing import Any

import pytest
from dsl import Decision, Given
from fabrique import CERTIFIE, commande, euros, fait

from aggregates.convention.certification import (
    CertifieAuDelaDuTransmis,
    EnregistrerCertification,
    EnregistrerRetrait,
    RetireAuDelaDuCertifie,
    TransmettreEtat,
    TransmisAuDelaDuRetenu,
    certifier,
    retirer,
    transmettre,
)
from aggregates.convention.events import DepenseCertifiee, DepenseRetiree, EtatDepensesTransmis
from aggregates.convention.state import CONVENTION

A_MOITIE = {"fse_centimes": euros(20_000), "cout_total_centimes": euros(40_000)}
TRANSMIS = [*CERTIFIE, fait(EtatDepensesTransmis, **A_MOITIE)]
CERTIFIES = [*TRANSMIS, fait(DepenseCertifiee, **A_MOITIE)]


def act(decision: Any, kind: Any, facts: Any, fse: str, cout_total: str) -> Decision:
    return Given(CONVENTION, facts).when(decision, commande(kind, fse=fse, cout_total=cout_total))


def test_the_chain_is_recorded() -> None:
    act(transmettre, TransmettreEtat, CERTIFIE, "20000.00", "40000.00").then(
        fait(EtatDepensesTransmis, **A_MOITIE)
    )
    act(certifier, EnregistrerCertification, TRANSMIS, "20000.00", "40000.00").then(
        fait(DepenseCertifiee, **A_MOITIE)
    )
    act(retirer, EnregistrerRetrait, CERTIFIES, "20000.00", "40000.00").then(
        fait(DepenseRetiree, **A_MOITIE, motif="Motif de l’essai")
    )


@pytest.mark.parametrize(("fse", "cout_total"), [("20000.01", "0.00"), ("0.00", "40000.01")])
def test_nothing_is_sent_beyond_what_was_retained(fse: str, cout_total: str) -> None:
    act(transmettre, TransmettreEtat, TRANSMIS, fse, cout_total).refuses(
        TransmisAuDelaDuRetenu, "il reste 20 000,00 € de FSE et 40 000,00 € de coût total"
    )


@pytest.mark.parametrize(("fse", "cout_total"), [("20000.01", "0.00"), ("0.00", "40000.01")])
def test_nothing_is_certified_beyond_what_was_sent(fse: str, cout_total: str) -> None:
    act(certifier, EnregistrerCertification, TRANSMIS, fse, cout_total).refuses(
        CertifieAuDelaDuTransmis, "il reste 20 000,00 € de FSE"
    )


@pytest.mark.parametrize(("fse", "cout_total"), [("20000.01", "0.00"), ("0.00", "40000.01")])
def test_nothing_is_withdrawn_beyond_what_is_certified(fse: str, cout_total: str) -> None:
    act(retirer, EnregistrerRetrait, CERTIFIES, fse, cout_total).refuses(
        RetireAuDelaDuCertifie, "20 000,00 € de FSE, 40 000,00 € de coût total"
    )


def test_what_was_withdrawn_may_be_certified_again() -> None:
    again = [*CERTIFIES, fait(DepenseRetiree, **A_MOITIE)]
    act(certifier, EnregistrerCertification, again, "20000.00", "40000.00").then_one(
        DepenseCertifiee
    )
