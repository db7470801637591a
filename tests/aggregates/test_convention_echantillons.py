"""Control of a sample: drawn by a seed, extrapolated only where that was agreed."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from dsl import Decision, Given
from fabrique import (
    CSF_ID,
    PAR,
    commande,
    depense,
    euros,
    fait,
    signee,
)

from aggregates.convention.echantillons import (
    ControleExhaustif,
    DeciderExtrapolation,
    EchantillonAbsent,
    EchantillonDejaTire,
    ExtrapolationNonPrevue,
    ExtrapolationSansIrregularite,
    TirageNonControle,
    TirerEchantillon,
    decider_extrapolation,
    echantillon,
    tirer_echantillon,
    validees_avec_la_strate,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    ConventionNotifiee,
    CsfOuvert,
    EchantillonTire,
    ExtrapolationDecidee,
)
from aggregates.convention.state import CONVENTION, Csf
from aggregates.depense.state import Depense
from rules.calcul import Echantillon
from rules.echantillon import ALGORITHME, PopulationTropPetite, tirer

P1, P2, P3, P4, AVOIR, LOYER = (UUID(int=rang) for rang in range(21, 27))


def pieces(**ecarts: str | int | None) -> dict[UUID, Depense]:
    """Return the pieces of CSF-15, with a credit note and a rent; ``ecarts`` decide on some."""
    montants = {"p1": 6_000, "p2": 5_500, "p3": 7_000, "p4": 41_500}
    lues = {
        UUID(int=20 + int(nom[1])): depense(montant, ecarte=ecarts.get(nom))
        for nom, montant in montants.items()
    }
    return lues | {
        AVOIR: reprise(),
        LOYER: depense(15_000, poste="fonctionnement"),
    }


def reprise() -> Depense:
    avoir = depense(1)
    detail = msgspec.structs.replace(avoir.detail, montant_impute_centimes=-100, regularise=P1)
    return msgspec.structs.replace(avoir, detail=detail)


def under_sampling(**choix: Any) -> list[Any]:
    return [
        signee(echantillon_taille_min=3, **choix),
        fait(ConventionNotifiee),
        fait(BilanDepose, depenses=tuple(pieces())),
        fait(BilanJugeRecevable),
        fait(CsfOuvert, modalite="echantillon"),
    ]


def draw(facts: Any = None, depenses: Any = None, **saisie: Any) -> Decision:
    return Given(CONVENTION, facts or under_sampling()).when(
        tirer_echantillon,
        commande(TirerEchantillon, **saisie),
        CSF_ID,
        pieces() if depenses is None else depenses,
        PAR,
    )


# --- The draw ------------------------------------------------------------------------------------


def test_a_draw_says_its_seed_its_procedure_and_what_it_was_drawn_from() -> None:
    fact = draw(graine="graine-1").then_one(
        EchantillonTire,
        poste="personnel",
        population_nombre=4,
        population_centimes=euros(60_000),
        graine="graine-1",
        algorithme=ALGORITHME,
        justification="Pièces nombreuses.",
    )
    population = {p: pieces()[p].montant for p in (P1, P2, P3, P4)}
    again = tirer(population, "graine-1", taille_min=3, couverture_min_pct=Decimal(0))
    assert fact.tirage == again
    assert fact.tirage_centimes == sum(population[p] for p in again)


def test_without_a_seed_the_control_itself_is_the_seed() -> None:
    draw().then_one(EchantillonTire, graine=str(CSF_ID))


def test_the_grant_says_how_many_pieces_and_how_much() -> None:
    # Whatever is drawn first, 70 % is out of reach without the piece of 41 500 €.
    facts = under_sampling(echantillon_couverture_min_pct=Decimal(70))
    assert P4 in draw(facts).then_one(EchantillonTire).tirage


def test_a_regularisation_is_always_controlled_and_never_drawn() -> None:
    everything = under_sampling(echantillon_couverture_min_pct=Decimal(100))
    assert set(draw(everything).then_one(EchantillonTire).tirage) == {P1, P2, P3, P4}


def test_an_exhaustive_control_draws_nothing() -> None:
    facts = [*under_sampling()[:-1], fait(CsfOuvert)]
    draw(facts).refuses(ControleExhaustif, "Ce contrôle est exhaustif")


def test_a_draw_is_not_done_again_until_it_pleases() -> None:
    facts = [*under_sampling(), fait(EchantillonTire)]
    draw(facts, graine="une autre").refuses(EchantillonDejaTire, "un tirage ne se recommence pas")


def test_few_pieces_are_all_controlled() -> None:
    draw(poste="fonctionnement").refuses(PopulationTropPetite, "1 pièce seulement")


# --- The extrapolation ---------------------------------------------------------------------------

TIRE = fait(EchantillonTire, tirage=(P1, P2, P3))
#: 375 € set aside of 18 500 € drawn: 3/148.
CONTROLE = pieces(p1=0, p2=275, p3=100)


def extrapolate(
    depenses: Any = None, *, prevue: bool = True, tire: bool = True, **saisie: Any
) -> Decision:
    facts = [*under_sampling(extrapolation=prevue), *([TIRE] if tire else [])]
    return Given(CONVENTION, facts).when(
        decider_extrapolation,
        commande(DeciderExtrapolation, **saisie),
        CSF_ID,
        CONTROLE if depenses is None else depenses,
        PAR,
    )


def test_the_convention_allows_it() -> None:
    extrapolate().then(fait(ExtrapolationDecidee, controleur=PAR))


def test_without_the_clause_it_takes_a_written_agreement() -> None:
    extrapolate(prevue=False).refuses(
        ExtrapolationNonPrevue, "contrôlez toutes les pièces du poste « personnel »"
    )
    extrapolate(prevue=False, fondement="accord_ecrit").refuses(
        ExtrapolationNonPrevue, "un accord écrit signé par le bénéficiaire"
    )
    extrapolate(prevue=False, fondement="accord_ecrit", accord_ref="ACCORD-7").then_one(
        ExtrapolationDecidee, fondement="accord_ecrit", accord_ref="ACCORD-7"
    )
    # A reference of an agreement does not make the clause that the convention lacks.
    extrapolate(prevue=False, fondement="convention", accord_ref="ACCORD-7").refuses(
        ExtrapolationNonPrevue, "personnel"
    )


def test_nothing_is_extrapolated_from_nothing() -> None:
    extrapolate(tire=False).refuses(EchantillonAbsent, "Aucun échantillon n’est tiré")
    extrapolate(poste="fonctionnement").refuses(EchantillonAbsent, "« fonctionnement »")


def test_every_drawn_piece_is_decided_first() -> None:
    extrapolate(pieces(p2=275)).refuses(TirageNonControle, "2 pièces tirées")


def test_a_draw_without_irregularity_validates_its_stratum() -> None:
    extrapolate(pieces(p1=0, p2=0, p3=0)).refuses(
        ExtrapolationSansIrregularite, "la strate est validée entière"
    )


def csf_after(*facts: Any) -> Csf:
    state = CONVENTION.replay([*under_sampling(extrapolation=True), TIRE, *facts])
    assert state is not None
    bilan = state.bilan_du_csf(CSF_ID)
    assert bilan is not None
    assert bilan.csf is not None
    return bilan.csf


def test_the_rate_is_that_of_the_draw_and_its_base_what_was_not_drawn() -> None:
    seen = echantillon(csf_after(), "personnel", CONTROLE)
    assert seen == Echantillon(
        poste="personnel",
        tirage_declare_centimes=euros(18_500),
        tirage_ecarte_centimes=euros(375),
        base_centimes=euros(41_500),
    )
    assert str(seen.taux) == "3/148"


def test_a_piece_set_aside_on_its_own_is_not_corrected_twice() -> None:
    outside = pieces(p1=0, p2=275, p3=100, p4=1_000)
    assert echantillon(csf_after(), "personnel", outside).base_centimes == euros(40_500)
    kept = pieces(p1=0, p2=275, p3=100, p4=0)
    assert echantillon(csf_after(), "personnel", kept).base_centimes == euros(41_500)


@pytest.mark.parametrize(
    ("decides", "facts", "validees"),
    [
        (pieces(p1=0, p2=0, p3=0), (), (P4,)),
        (CONTROLE, (fait(ExtrapolationDecidee),), (P4,)),
        (CONTROLE, (), ()),
        (pieces(p1=0, p2=0, p3=0, p4=5), (), ()),
    ],
    ids=["no irregularity", "extrapolated", "neither: exhaustive", "decided on its own"],
)
def test_what_a_draw_validates_with_its_stratum(
    decides: Any, facts: Any, validees: tuple[UUID, ...]
) -> None:
    assert validees_avec_la_strate(csf_after(*facts), decides) == validees
