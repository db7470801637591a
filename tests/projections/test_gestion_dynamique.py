"""The review of a maquette: what will not be used, what is missing, and the transfers proposed."""

from datetime import date
from typing import Any

import pytest
from dsl import Given
from fabrique import CADRE, LIGNE, fait
from hypothesis import given
from hypothesis import strategies as st
from vie import Vie

from aggregates.cadre import RESERVE, Cellule
from aggregates.subvention_globale import events as se
from aggregates.subvention_globale.maquette import (
    DeciderTransfert,
    TransfertSousLeProgramme,
    transferer,
)
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from oi_service.application import Service
from oi_service.money import euros, percent
from projections.gestion_dynamique import (
    GestionDynamique,
    Proposition,
    charger,
    proposer,
)
from projections.maquette import Chiffres, LigneDeMaquette
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import ACTUELLE, Situation

LE = date(2022, 6, 30)


def lire(
    vie: Vie, situation: Situation = ACTUELLE, le: date = LE, perimetre: Perimetre = OI_ENTIER
) -> GestionDynamique:
    with vie.reads.connection() as conn:
        return charger(conn, perimetre, vie.id("SG"), situation, le=le)


def par_plie(vie: Vie, *args: Any, **named: Any) -> dict[str, Any]:
    return {p.plie_id: p for p in lire(vie, *args, **named).par_plie}


def dites(vie: Vie) -> list[tuple[str, str, str]]:
    return [(p.de.plie_id, p.vers.plie_id, euros(p.fse)) for p in lire(vie).propositions]


def ouvrir(service: Service, total: str, **enveloppes: str) -> Vie:
    """Open a grant of one line, shared between PLIE, with a fiche for each."""
    vie = Vie(service)
    vie.subvention(plie=list(enveloppes), fse_total=total)
    vie.tranche(total, contreparties=total)
    for plie, fse in enveloppes.items():
        vie.enveloppe(plie, fse)
    vie.appel(fiches=[{"code": f"F{plie}", "plie": plie} for plie in enveloppes])
    return vie


def programmer(vie: Vie, plie: str, fse: str, nom: str | None = None) -> None:
    depose(vie, plie, fse, nom)
    vie.instruction(nom or f"OP-{plie}")
    vie.programmation(nom or f"OP-{plie}")


def depose(vie: Vie, plie: str, fse: str, nom: str | None = None) -> None:
    total = euros(2 * int(fse.replace(".", "")))
    vie.depot(nom or f"OP-{plie}", fiche=f"F{plie}", fse=fse, cout_total=total)


# The worked cases.


def test_maq_04_money_is_shared_again_and_none_is_made(service: Service) -> None:
    vie = ouvrir(
        service,
        "2600000.00",
        P1="900000.00",
        P2="700000.00",
        P3="600000.00",
        P4="400000.00",
    )
    programmer(vie, "P3", "420000.00")
    vie.transfert("P3", "P1", "90000.00")
    vie.transfert("P3", "reserve", "60000.00")
    vie.transfert("reserve", "P2", "25000.00")
    with pytest.raises(TransfertSousLeProgramme, match="au plus 30"):
        vie.transfert("P3", "P4", "31000.00")
    revue = par_plie(vie)
    assert {plie: euros(p.chiffres.fse_maquette) for plie, p in revue.items()} == {
        "P1": "990000.00",
        "P2": "725000.00",
        "P3": "450000.00",
        "P4": "400000.00",
        "reserve": "35000.00",
    }
    assert sum(p.chiffres.fse_maquette for p in revue.values()) == 2_600_000_00
    assert euros(revue["P3"].disponible_a_programmer) == "30000.00"


def test_m_06_what_the_state_may_take_back_of_a_year(service: Service) -> None:
    vie = ouvrir(service, "1000000.00", A="1000000.00")
    vie.depot("UN", fiche="FA", fse="920000.00", cout_total="1840000.00", le=date(2021, 12, 1))
    vie.instruction("UN", le=date(2021, 12, 2))
    vie.programmation("UN", le=date(2021, 12, 31))
    depose(vie, "A", "80000.00", "DEUX")
    vie.instruction("DEUX")
    vie.programmation("DEUX", le=date(2022, 1, 1))  # a day too late for the tranche
    vie.conventionnement("UN")
    vie.bilan("UN", ["1740000.00"])
    vie.controle("UN")
    [tranche] = lire(vie).ajustements
    assert (tranche.annee, tranche.limite) == (2021, date(2022, 4, 30))
    assert (euros(tranche.dotation), euros(tranche.programme)) == ("1000000.00", "920000.00")
    assert euros(tranche.sur_programmation) == "80000.00"
    assert (euros(tranche.justifie), euros(tranche.sur_justification)) == (
        "870000.00",
        "130000.00",
    )


def test_m_07_a_transfer_between_two_plie_and_the_one_that_is_refused(service: Service) -> None:
    allocations = {
        "A": "600000.00",
        "B": "900000.00",
        "ET": "400000.00",
        "GP": "450000.00",
        "HP": "200000.00",
        "PS": "250000.00",
        "S": "200000.00",
    }
    vie = ouvrir(service, "3000000.00", **allocations)
    programmer(vie, "A", "580000.00")
    programmer(vie, "B", "820000.00")
    depose(vie, "HP", "230000.00")
    vie.instruction("OP-HP")
    with pytest.raises(TransfertSousLeProgramme, match="au plus 80"):
        vie.transfert("B", "HP", "80000.01")
    # What HP lacks is proposed from who has most without use.
    assert dites(vie) == [("GP", "HP", "30000.00")]
    vie.transfert("B", "HP", "50000.00")
    assert dites(vie) == []
    vie.programmation("OP-HP")
    revue = par_plie(vie)
    assert sum(p.chiffres.fse_maquette for p in revue.values()) == 3_000_000_00
    assert [
        (
            euros(revue[plie].chiffres.fse_maquette),
            percent(revue[plie].chiffres.taux_programmation),
            euros(revue[plie].disponible_a_programmer),
        )
        for plie in ("B", "HP")
    ] == [("850000.00", "96.47", "30000.00"), ("250000.00", "92.00", "20000.00")]


# What will not be used.


def test_what_an_operation_over_will_not_use_is_foreseen(service: Service) -> None:
    """Its period ended on 31 December 2021: what no bilan declares may still be declared."""
    vie = ouvrir(service, "500000.00", A="200000.00", B="300000.00")
    vie.jusqu_au_demarrage("UN", fiche="FA", fse="50000.00", cout_total="100000.00")
    vie.jusqu_au_demarrage("DEUX", fiche="FB", fse="80000.00", cout_total="160000.00")

    def lu(le: date = LE) -> list[tuple[str, str, str, str]]:
        return [
            (x.numero_mdfse, euros(x.montant), euros(x.encore_justifiable), euros(x.acquise))
            for x in lire(vie, le=le).sous_realisations
        ]

    assert lu(date(2021, 12, 31)) == []
    assert lu() == [
        ("DEUX", "80000.00", "80000.00", "0.00"),
        ("UN", "50000.00", "50000.00", "0.00"),
    ]
    vie.bilan("UN", ["80000.00"])
    assert lu()[1] == ("UN", "50000.00", "40000.00", "10000.00")
    vie.controle("UN", ecarte="4000.00")
    assert lu()[1] == ("UN", "12000.00", "0.00", "12000.00")
    revue = par_plie(vie)["A"]
    assert euros(revue.sous_realisation_previsible) == "12000.00"
    assert (revue.reliquats, euros(revue.disponible_a_programmer)) == (0, "150000.00")
    # The solde frees it: a foreseen sous-réalisation becomes a reliquat, on the same line.
    vie.paiement("UN", "38000.00")
    vie.solde("UN")
    revue = par_plie(vie)["A"]
    assert revue.sous_realisation_previsible == 0
    assert euros(revue.reliquats) == "12000.00"
    assert euros(revue.disponible_a_programmer) == "162000.00"
    # On the eve it was still foreseen.
    veille = par_plie(vie, Situation(effet_au=date(2022, 6, 14)))["A"]
    assert (euros(veille.sous_realisation_previsible), veille.reliquats) == ("12000.00", 0)


def test_an_operation_prolonged_is_not_over(service: Service) -> None:
    vie = ouvrir(service, "200000.00", A="200000.00")
    vie.jusqu_au_demarrage("UN", fiche="FA", instruite_le=date(2021, 12, 18))
    assert len(lire(vie).sous_realisations) == 1
    vie.avenant("UN", periode={"debut": "2021-01-01", "fin": "2022-06-30"})
    assert lire(vie).sous_realisations == ()
    [finie] = lire(vie, le=date(2022, 7, 1)).sous_realisations
    assert finie.fin == date(2022, 6, 30)


def test_an_operation_abandoned_is_over_whatever_its_period(service: Service) -> None:
    vie = ouvrir(service, "200000.00", A="200000.00")
    vie.jusqu_au_demarrage("UN", fiche="FA")
    vie.abandon("UN")
    [finie] = lire(vie, le=date(2021, 6, 1)).sous_realisations
    assert euros(finie.montant) == "50000.00"


# What could be moved.


def test_the_reserve_gives_first_then_who_has_most_without_use(service: Service) -> None:
    vie = Vie(service)
    vie.subvention(plie=["A", "B", "C", "D"], fse_total="1000000.00")
    vie.tranche("500000.00", contreparties="500000.00")
    vie.tranche("500000.00", contreparties="500000.00", os="OS2")
    for plie, fse in (("A", "50000.00"), ("B", "60000.00"), ("C", "90000.00"), ("D", "70000.00")):
        vie.enveloppe(plie, fse)
    vie.reserve("20000.00")
    vie.enveloppe("B", "500000.00", os="OS2")  # rich, on another line
    vie.appel(fiches=[{"code": f"F{plie}", "plie": plie} for plie in "ABCD"])
    depose(vie, "A", "150000.00")
    depose(vie, "C", "30000.00")
    depose(vie, "D", "71000.00")
    revue = lire(vie)
    assert [(p.de.plie_id, p.vers.plie_id, euros(p.fse)) for p in revue.propositions] == [
        ("reserve", "A", "20000.00"),
        ("B", "A", "60000.00"),
        # C keeps what its own dossier asks for.
        ("C", "A", "20000.00"),
        ("C", "D", "1000.00"),
    ]
    premiere = revue.propositions[1]
    assert euros(premiere.cout_total) == "120000.00"
    assert premiere.raison.replace("\u202f", " ").replace("\xa0", " ") == (
        "PLIE A : 150 000,00 € demandés par des dossiers en attente, pour 50 000,00 € disponibles. "
        "PLIE B dispose de 60 000,00 €."
    )
    assert "garde 30" in revue.propositions[2].raison


def test_what_nobody_can_give_is_said_with_what_is_not_shared_yet(service: Service) -> None:
    vie = Vie(service)
    vie.subvention(fse_total="500000.00")
    vie.tranche("100000.00", contreparties="100000.00")
    vie.enveloppe("A", "30000.00")
    vie.enveloppe("B", "10000.00")
    vie.appel()
    vie.depot("UN", fse="50000.00")
    [proposition] = lire(vie).propositions
    assert euros(proposition.fse) == "10000.00"
    [besoin] = lire(vie).besoins_non_couverts
    assert (besoin.cellule.plie_id, euros(besoin.montant)) == ("A", "10000.00")
    assert euros(besoin.non_reparti) == "60000.00"


def test_a_dossier_weighs_what_its_instruction_keeps_until_a_committee_decides(
    service: Service,
) -> None:
    vie = ouvrir(service, "200000.00", A="40000.00", B="100000.00")
    depose(vie, "A", "60000.00")
    assert dites(vie) == [("B", "A", "20000.00")]
    vie.instruction("OP-A", fse="45000.00")
    assert dites(vie) == [("B", "A", "5000.00")]
    vie.ajournement("OP-A")
    assert dites(vie) == [("B", "A", "5000.00")]
    vie.retrait("OP-A", le=date(2022, 2, 1))
    assert dites(vie) == []


def test_an_unfavourable_report_asks_for_nothing(service: Service) -> None:
    vie = ouvrir(service, "200000.00", A="40000.00", B="100000.00")
    depose(vie, "A", "60000.00")
    vie.instruction("OP-A", avis="defavorable")
    assert dites(vie) == []
    assert lire(vie).besoins_non_couverts == ()


def test_nothing_is_proposed_outside_the_programming_period(service: Service) -> None:
    vie = ouvrir(service, "200000.00", A="40000.00", B="100000.00")
    depose(vie, "A", "60000.00")
    apres = lire(vie, le=date(2023, 1, 1))
    assert apres.propositions == ()
    assert "du 01/01/2018 au 31/12/2022" in (apres.empechement or "")
    assert [euros(b.montant) for b in apres.besoins_non_couverts] == ["20000.00"]
    assert len(lire(vie, le=date(2022, 12, 31)).propositions) == 1


def test_a_plie_is_proposed_nothing_of_its_neighbours(service: Service) -> None:
    vie = ouvrir(service, "200000.00", A="40000.00", B="100000.00")
    depose(vie, "A", "60000.00")
    vus = lire(vie, perimetre=Perimetre(frozenset({"A"})))
    assert (vus.propositions, [p.plie_id for p in vus.par_plie]) == ((), ["A"])
    assert "à l’OI" in (vus.empechement or "")


# Whatever the figures: the rules of a transfer accept every proposal.

_PLIE = ("A", "B", "C", RESERVE)
_MONTANTS = st.integers(0, 50_000_00)


@st.composite
def _maquettes(draw: st.DrawFn) -> tuple[list[LigneDeMaquette], dict[Cellule, int]]:
    lignes, demandes = [], {}
    for plie_id in _PLIE:
        alloue = draw(_MONTANTS)
        programme = 0 if plie_id == RESERVE else draw(st.integers(0, alloue))
        chiffres = Chiffres(
            fse_maquette=alloue,
            ct_maquette=alloue + draw(_MONTANTS),
            fse_programme=programme,
            fse_programme_ajuste=programme,
        )
        place = Cellule(ligne=LIGNE, plie_id=plie_id)
        lignes.append(
            LigneDeMaquette(plie_id, f"PLIE {plie_id}", 2021, "3", "OS1", "parcours", chiffres)
        )
        if plie_id != RESERVE:
            demandes[place] = draw(_MONTANTS)
    return lignes, demandes


def _etat(lignes: list[LigneDeMaquette]) -> list[Any]:
    faits: list[Any] = [
        fait(
            se.SubventionGlobaleConventionnee,
            cadre=CADRE,
            numero="SG-1",
            plie=tuple(se.Plie(plie_id=p, nom=p) for p in _PLIE if p != RESERVE),
        ),
        *fait_de_tranche(sum(x.chiffres.fse_maquette for x in lignes)),
    ]
    for x in lignes:
        alloue = {"fse_centimes": x.chiffres.fse_maquette, "cout_total_centimes": 1}
        place = Cellule(ligne=LIGNE, plie_id=x.plie_id)
        if x.plie_id == RESERVE:
            faits.append(fait(se.ReserveConstituee, **alloue))
            continue
        faits.append(fait(se.EnveloppePlieNotifiee, cellule=place, **alloue))
        held = x.chiffres.fse_programme_ajuste
        faits.append(fait(se.EnveloppeReservee, cellule=place, fse_centimes=held))
    return faits


def fait_de_tranche(total: int) -> list[Any]:
    ligne = se.LigneTranche(
        ligne=LIGNE,
        fse_centimes=total,
        contreparties_publiques_centimes=0,
        contreparties_privees_centimes=0,
    )
    return [fait(se.TrancheOuverte, lignes=(ligne,))]


def _commande(p: Proposition) -> DeciderTransfert:
    ligne = {"annee": 2021, "axe": "3", "objectif_specifique": "OS1", "dispositif": "parcours"}
    return DeciderTransfert(
        date_effet="2022-06-30",
        motif=p.raison,
        de={"ligne": ligne, "plie_id": p.de.plie_id},
        vers={"ligne": ligne, "plie_id": p.vers.plie_id},
        fse=euros(p.fse),
        cout_total=euros(p.cout_total),
        instance="conseil_administration_oi",
        pv_ref="PV-1",
    )


@given(_maquettes())
def test_every_proposal_is_a_transfer_that_the_rules_accept(
    cas: tuple[list[LigneDeMaquette], dict[Cellule, int]],
) -> None:
    lignes, demandes = cas
    propositions = proposer(lignes, demandes)
    assert propositions == proposer(lignes[::-1], demandes)
    faits = _etat(lignes)
    for p in propositions:
        faits += Given(SUBVENTION_GLOBALE, faits).when(transferer, _commande(p)).facts()
    avant = Given(SUBVENTION_GLOBALE, _etat(lignes)).state
    apres = Given(SUBVENTION_GLOBALE, faits).state
    assert sum(apres.alloue.values()) == sum(avant.alloue.values())
    bouge = {p.de for p in propositions} | {p.vers for p in propositions}
    for cellule in bouge:
        # A giver keeps what its own dossiers ask for; a receiver gets no cent beyond its need.
        demande = demandes.get(cellule, 0)
        if cellule in {p.de for p in propositions}:
            assert apres.disponible(cellule) >= demande
        else:
            assert avant.disponible(cellule) < apres.disponible(cellule) <= demande
    # Nobody goes without while somebody has money that nobody asks for.
    manque = any(apres.disponible(c) < d for c, d in demandes.items())
    inutile = any(
        apres.disponible(Cellule(ligne=LIGNE, plie_id=plie_id))
        > demandes.get(Cellule(ligne=LIGNE, plie_id=plie_id), 0)
        for plie_id in _PLIE
    )
    assert not (manque and inutile)
