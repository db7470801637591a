"""A contrepartie shared between three real dossiers, from their dépôt to the last cent."""

from uuid import UUID

import pytest
from fabrique import commande, euros
from vie import Vie

from aggregates.contrepartie.events import OperandesRepartition
from aggregates.contrepartie.repartition import (
    BesoinInconnu,
    RepartirContrepartie,
    RienARepartir,
)
from aggregates.contrepartie.state import CONTREPARTIE, Contrepartie
from aggregates.operation.state import OperationAbsente
from api import actions
from oi_service.application import Acte, Outcome, Service, Unit
from oi_service.verification import verifier
from projections.contreparties import affectations, contrepartie
from projections.perimetre import OI_ENTIER

#: Conventioned cost and Fund's maximum; cost retained; what other funders bring.
OPERATIONS = {
    "OP-A": ("100000.00", "50000.00", "90000.00", "10000.00"),
    "OP-B": ("50000.00", "25000.00", "47312.40", "5000.00"),
    "OP-C": ("30000.00", "15000.00", "30000.00", "12000.00"),
}
PARTS = {"OP-A": euros("33976,87"), "OP-B": euros("18110,83"), "OP-C": euros("2912,30")}


@pytest.fixture
def vie(service: Service) -> Vie:
    """Three operations executed, their final bilans filed, and 55 000,00 € granted by an EPCI."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00", "400000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel()
    vie.contrepartie("EPCI", "55000.00", financeur="EPCI fictif")
    for nom, (cout, fse, retenu, autres) in OPERATIONS.items():
        vie.jusqu_au_demarrage(nom, fse=fse, cout_total=cout)
        autre = {"type": "publique_region", "financeur": "Région fictive", "montant": autres}
        vie.bilan(nom, [retenu], ressources=[autre])
    return vie


def repartir(vie: Vie, *operations: str, **saisie: str) -> Outcome:
    asked = commande(
        RepartirContrepartie,
        date_effet="2022-06-01",
        operations=tuple(map(vie.id, operations)),
        **saisie,
    )
    return vie.acte(actions.repartir_contrepartie, vie.id("EPCI"), asked)


def tenues(vie: Vie) -> dict[UUID, int]:
    with vie.reads.connection() as conn:
        held = affectations(conn, OI_ENTIER, contrepartie_id=vie.id("EPCI"))
        shown = contrepartie(conn, OI_ENTIER, vie.id("EPCI"))
    assert shown.affecte == sum(a.montant for a in held)
    state: Contrepartie = Unit(vie.journal, Acte("lecteur", "auditeur")).get(
        CONTREPARTIE, vie.id("EPCI")
    )
    assert {o: m for o, m in state.affectations.items() if m} == {
        a.operation_id: a.montant for a in held
    }
    return {a.operation_id: a.montant for a in held}


def test_an_epci_backs_three_operations_at_their_solde(vie: Vie, base: str) -> None:
    vie.affectation("EPCI", "OP-A", "20000.00")
    vie.affectation("EPCI", "OP-C", "8000.00")
    for nom in ("OP-A", "OP-B"):
        vie.controle(nom)
    with pytest.raises(BesoinInconnu, match="OP-C"):
        repartir(vie, *OPERATIONS)
    vie.controle("OP-C")
    with pytest.raises(RienARepartir, match=r"0,00\s€ sont perçus"):
        repartir(vie, *OPERATIONS)
    with pytest.raises(OperationAbsente):
        repartir(vie, *OPERATIONS, "OP-Z")
    assert tenues(vie) == {vie.id("OP-A"): euros(20_000), vie.id("OP-C"): euros(8_000)}

    vie.perception("EPCI", "55000.00")
    dus = {nom: vie.convention(nom).fse_du for nom in OPERATIONS}
    assert dus == {"OP-A": euros(45_000), "OP-B": euros("23656,20"), "OP-C": euros(15_000)}
    done = repartir(vie, *OPERATIONS)
    # OP-C gives back before the others receive, all in one act.
    assert [e.name for e in done.events] == [
        "contrepartie.affectation_annulee.v1",
        "contrepartie.affectee.v1",
        "contrepartie.affectee.v1",
    ]
    assert tenues(vie) == {vie.id(nom): part for nom, part in PARTS.items()}
    assert sum(PARTS.values()) == euros(55_000)
    for nom, (_, _, retenu, autres) in OPERATIONS.items():
        apporte = dus[nom] + euros(autres.replace(".", ",")) + PARTS[nom]
        assert apporte <= euros(retenu.replace(".", ","))

    assert repartir(vie, *reversed(OPERATIONS)).events == ()
    assert [c.code for c in verifier(base) if c.ecarts] == []


def test_the_operands_of_a_sharing_are_in_its_facts(vie: Vie) -> None:
    for nom in OPERATIONS:
        vie.controle(nom)
    done = repartir(vie, *OPERATIONS, attestation_ref="ATT-2022-3")
    stored = vie.journal.recorder.select_streams([vie.id("EPCI")])[vie.id("EPCI")]
    faits = [vie.journal.decode(s) for s in stored][-len(done.events) :]
    assert [getattr(f, "repartition", None) for f in faits] == [
        OperandesRepartition(
            enveloppe_centimes=euros(55_000),
            besoin_centimes=besoin,
            besoins_centimes=euros("56656,20"),
            attestation_ref="ATT-2022-3",
        )
        for besoin in (euros(35_000), euros("18656,20"), euros(3_000))
    ]


def test_what_the_control_retained_of_the_pool_is_shared_again(vie: Vie) -> None:
    # The control of an operation kept 20 000,00 € of the EPCI, as they were affected until then.
    vie.jusqu_au_demarrage("OP-D", fse="50000.00", cout_total="100000.00")
    vie.affectation("EPCI", "OP-D", "20000.00")
    epci = {"type": "publique_epci", "financeur": "EPCI fictif", "montant": "20000.00"}
    vie.bilan("OP-D", ["80000.00"], ressources=[epci])
    vie.controle("OP-D")
    vie.perception("EPCI", "55000.00")
    repartir(vie, "OP-D")
    # 80 000,00 € retained, 40 000,00 € due by the Fund: the EPCI may bring the other half.
    assert tenues(vie) == {vie.id("OP-D"): euros(40_000)}
