"""Samples of an auditor: drawn again by anybody, fair to every dépense or every monetary unit."""

import hashlib
from collections import Counter
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.convention.echantillons import ExtrapolationNonPrevue
from rules.tirages import (
    ALGORITHMES,
    CONDITION_DE_L_EXTRAPOLATION,
    Parametres,
    TailleInferieureAuxStrates,
    TailleSuperieureALaPopulation,
    Tirage,
    Unite,
    empreinte,
    extrapoler,
    liste_canonique,
    repartir,
    strate_de,
    systematique,
    tirer,
)


def unite(rang: int, montant: int, poste: str = "personnel", **lieu: str) -> Unite:
    lieu = {"operation": f"o{rang % 3}", "plie": f"P{rang % 2}"} | lieu
    return Unite(id=f"d{rang:02d}", montant=montant, poste=poste, **lieu)


#: Twelve dépenses: one that reaches every interval, a régularisation, one of nothing.
DOUZE = [
    *(unite(r, r * 100_00) for r in range(1, 10)),
    unite(10, 9_000_00, "achats"),
    unite(11, -250_00, "achats"),
    unite(12, 0, "deplacements"),
]


def simple(taille: int, **choix: Any) -> Parametres:
    return Parametres(methode="simple", taille=taille, **choix)


def mus(taille: int) -> Parametres:
    return Parametres(methode="mus", taille=taille)


def stratifie(taille: int, **choix: Any) -> Parametres:
    return Parametres(methode="stratifie", taille=taille, **choix)


# --- Golden draws: what was drawn once is drawn so for ever -----------------------------------


def test_names_of_algorithms_never_move() -> None:
    assert ALGORITHMES == {
        "simple": "simple-sha256-v1",
        "mus": "mus-sha256-v1",
        "stratifie": "stratifie-sha256-v1",
    }


def ordre_a_la_main(ids: list[str], graine: str) -> list[str]:
    return sorted(ids, key=lambda i: hashlib.sha256(f"{graine}:{i}".encode()).hexdigest())


def test_a_simple_draw_takes_the_first_in_the_order_of_the_digests() -> None:
    tirage = tirer(DOUZE, "2026-11-21", simple(4))
    positives = [u.id for u in DOUZE if u.montant > 0]
    assert tirage.ids == tuple(ordre_a_la_main(positives, "2026-11-21")[:4])
    assert tirage.ids == ("d07", "d02", "d10", "d08")
    assert tirer(DOUZE, "autre", simple(4)).ids == ("d08", "d09", "d03", "d07")


def test_amounts_of_zero_or_less_are_put_apart_and_listed() -> None:
    for demande in (simple(10), mus(10), stratifie(10)):
        tirage = tirer(DOUZE, "graine", demande)
        assert tirage.a_part == ("d11", "d12")
        assert not set(tirage.a_part) & set(tirage.ids)


def test_a_draw_by_monetary_units_takes_whole_what_reaches_the_interval() -> None:
    # 13 500 € in 5: the interval is 2 700 €, which 9 000 € passes; then 4 500 € in 4: 1 125 €,
    # which nothing reaches.
    [strate] = tirer(DOUZE, "2026-11-21", mus(5)).strates
    assert strate.exhaustives == ("d10",)
    assert (strate.base, len(strate.tirees)) == (4_500_00, 4)
    assert strate.intervalle == 1_125_00
    graine = hashlib.sha256(b"2026-11-21:depart").hexdigest()
    assert strate.depart == int(graine, 16) % 4_500_00
    assert strate.tirees == ("d08", "d05", "d09", "d04")


def test_the_interval_is_computed_again_until_nothing_reaches_it() -> None:
    # 100 in 3: 33.3 takes 60; 40 in 2: 20 takes 21; 19 in 1 is left, where 19 is not reached.
    population = [unite(1, 60), unite(2, 21), unite(3, 10), unite(4, 9)]
    [strate] = tirer(population, "g", mus(3)).strates
    assert set(strate.exhaustives) == {"d01", "d02"}
    assert (strate.base, len(strate.tirees)) == (19, 1)


def test_what_is_exactly_the_interval_is_taken_whole() -> None:
    [strate] = tirer([unite(r, 25) for r in range(4)], "g", mus(4)).strates
    assert set(strate.exhaustives) == {"d00", "d01", "d02", "d03"}
    assert (strate.tirees, strate.base, strate.depart, strate.intervalle) == ((), 0, None, None)
    # One cent less than the interval, 50, is left to chance.
    [strate] = tirer([unite(1, 49), unite(2, 51)], "g", mus(1)).strates
    assert strate.exhaustives == ()


def test_a_stratified_draw_draws_each_stratum_with_a_seed_of_its_own() -> None:
    tirage = tirer(DOUZE, "2026-11-21", stratifie(4))
    achats, personnel = tirage.strates
    assert (achats.code, achats.tirees) == ("achats", ("d10",))
    personnels = [u.id for u in DOUZE if u.poste == "personnel"]
    attendus = ordre_a_la_main(personnels, "2026-11-21:personnel")[:3]
    assert (personnel.code, list(personnel.tirees)) == ("personnel", attendus)
    assert attendus == ["d05", "d09", "d01"]


def test_strata_are_made_by_poste_plie_operation_or_amount() -> None:
    une = unite(1, 500, "achats", operation="o7", plie="A")
    assert strate_de(une, stratifie(1)) == "achats"
    assert strate_de(une, stratifie(1, critere="plie")) == "A"
    assert strate_de(une, stratifie(1, critere="operation")) == "o7"
    codes = [
        strate_de(unite(1, m), stratifie(1, critere="montant", bornes=(500, 1000)))
        for m in (1, 499, 500, 999, 1000, 1001)
    ]
    assert codes == [f"tranche-{n}" for n in (0, 0, 1, 1, 2, 2)]


# --- Shares ------------------------------------------------------------------------------------


def strates(**tailles: int) -> dict[str, dict[str, int]]:
    return {code: {f"{code}{r}": 1 for r in range(n)} for code, n in tailles.items()}


def test_a_size_is_shared_by_the_largest_remainders() -> None:
    # 10 × 47/100 = 4.7; 1.6; 1.58 twice… the two missing go to 0.7 and 0.6.
    assert repartir(strates(a=47, b=16, c=21, d=16), 10, "nombre") == {
        "a": 5,
        "b": 2,
        "c": 2,
        "d": 1,
    }


def test_each_stratum_gets_one_at_least_and_all_that_it_holds_at_most() -> None:
    assert repartir(strates(a=100, b=1, c=1), 5, "nombre") == {"a": 3, "b": 1, "c": 1}
    lourds = {"a": {"a1": 10**9, "a2": 10**9}, "b": {f"b{r}": 1 for r in range(9)}}
    assert repartir(lourds, 5, "montant") == {"a": 2, "b": 3}
    assert repartir(lourds, 5, "nombre") == {"a": 1, "b": 4}


def test_a_draw_that_the_population_cannot_give_is_refused() -> None:
    for demande in (simple(11), mus(11), stratifie(11)):
        with pytest.raises(TailleSuperieureALaPopulation) as refus:
            tirer(DOUZE, "g", demande)
        assert "11 dépenses" in str(refus.value)
        assert "en compte 10" in str(refus.value)
    with pytest.raises(TailleInferieureAuxStrates, match="2 strates"):
        tirer(DOUZE, "g", stratifie(1))


# --- Properties ----------------------------------------------------------------------------------

graines = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
populations = st.lists(
    st.builds(
        Unite,
        id=st.uuids().map(str),
        montant=st.one_of(st.integers(-500, 500), st.integers(1, 10**9)),
        operation=st.sampled_from("xyz"),
        plie=st.sampled_from("AB"),
        poste=st.sampled_from(("personnel", "achats", "nature")),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda u: u.id,
).filter(lambda p: any(u.montant > 0 for u in p))


@st.composite
def demandes(draw: st.DrawFn) -> tuple[list[Unite], str, Parametres]:
    population = draw(populations)
    demande = Parametres(
        methode=draw(st.sampled_from(("simple", "mus", "stratifie"))),
        taille=1,
        critere=draw(st.sampled_from(("poste", "plie", "operation", "montant"))),
        bornes=tuple(sorted(draw(st.sets(st.integers(1, 10**6), max_size=4)))),
        repartition=draw(st.sampled_from(("nombre", "montant"))),
        selection=draw(st.sampled_from(("simple", "mus"))),
    )
    positives = [u for u in population if u.montant > 0]
    moins = len({strate_de(u, demande) for u in positives}) if demande.methode == "stratifie" else 1
    taille = draw(st.integers(moins, len(positives)))
    return population, draw(graines), Parametres(**{**_champs(demande), "taille": taille})


def _champs(demande: Parametres) -> dict[str, Any]:
    return {nom: getattr(demande, nom) for nom in demande.__slots__}


@given(demandes(), st.randoms(use_true_random=False))
def test_a_draw_does_not_look_at_the_order_in_which_they_came(
    cas: tuple[list[Unite], str, Parametres], hasard: Random
) -> None:
    population, graine, demande = cas
    melange = list(population)
    hasard.shuffle(melange)
    assert tirer(melange, graine, demande) == tirer(population, graine, demande)
    assert empreinte(melange) == empreinte(population)


@given(demandes())
def test_a_draw_takes_exactly_what_was_asked_each_once(
    cas: tuple[list[Unite], str, Parametres],
) -> None:
    population, graine, demande = cas
    tirage = tirer(population, graine, demande)
    par_id = {u.id: u for u in population}
    assert len(tirage.ids) == len(set(tirage.ids)) == demande.taille
    assert {i for i in tirage.ids if par_id[i].montant <= 0} == set()
    assert sum(s.taille for s in tirage.strates) == demande.taille
    # Strata and what is put apart are the whole population, to the cent.
    assert sum(s.nombre for s in tirage.strates) + len(tirage.a_part) == len(population)
    assert sum(s.centimes for s in tirage.strates) == sum(max(u.montant, 0) for u in population)


@given(demandes())
def test_monetary_units_take_every_large_one_whole_and_no_other(
    cas: tuple[list[Unite], str, Parametres],
) -> None:
    population, graine, demande = cas
    montants = {u.id: u.montant for u in population}
    for strate in tirer(population, graine, demande).strates:
        if strate.intervalle is not None:
            assert all(montants[i] >= strate.intervalle for i in strate.exhaustives)
            assert all(montants[i] < strate.intervalle for i in strate.tirees)
            dedans = strate.base + sum(montants[i] for i in strate.exhaustives)
            assert dedans == strate.centimes


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3),
        st.lists(st.integers(1, 10**7), min_size=1, max_size=20),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(("nombre", "montant")),
    st.data(),
)
def test_a_share_is_never_an_item_away_where_no_bound_holds_it(
    listes: dict[str, list[int]], repartition: Any, data: st.DataObject
) -> None:
    groupes = {c: {f"{c}-{r}": m for r, m in enumerate(ms)} for c, ms in listes.items()}
    taille = data.draw(st.integers(len(groupes), sum(map(len, groupes.values()))))
    donne = repartir(groupes, taille, repartition)
    assert sum(donne.values()) == taille
    assert all(1 <= donne[c] <= len(groupes[c]) for c in groupes)
    poids = {c: len(g) if repartition == "nombre" else sum(g.values()) for c, g in groupes.items()}
    parts = {c: Fraction(taille * p, sum(poids.values())) for c, p in poids.items()}
    if all(1 <= parts[c] <= len(groupes[c]) for c in groupes):
        entieres = {c: int(p) for c, p in parts.items()}
        restes = sorted(groupes, key=lambda c: (entieres[c] - parts[c], c))
        plus = set(restes[: taille - sum(entieres.values())])
        assert donne == {c: entieres[c] + (c in plus) for c in groupes}


@given(st.lists(st.integers(1, 60), min_size=2, max_size=12), st.integers(1, 8))
def test_every_monetary_unit_has_the_same_chance(montants: list[int], taille: int) -> None:
    """Over every start once, a dépense is drawn as many times as it bears units, times the size."""
    population = {str(r): m for r, m in enumerate(montants)}
    base = sum(montants)
    if any(m * taille >= base for m in montants):
        return  # Taken whole: chance has no part in it.
    fois = Counter(
        i
        for depart in range(base)
        for i in systematique(list(population), population, taille, depart)
    )
    assert fois == Counter({i: m * taille for i, m in population.items()})


def test_over_many_seeds_each_is_drawn_as_often_as_its_amount_says() -> None:
    """The start comes from the seed: nothing, but chance, may favour a place or an amount."""
    population = [unite(r, 100 + 40 * r) for r in range(12)]
    total, essais = sum(u.montant for u in population), 4000
    par_montant, au_nombre = Counter[str](), Counter[str]()
    for graine in range(essais):
        par_montant.update(tirer(population, f"graine-{graine}", mus(4)).ids)
        au_nombre.update(tirer(population, f"graine-{graine}", simple(4)).ids)
    for u in population:
        for compte, part in (
            (par_montant, Fraction(4 * u.montant, total)),
            (au_nombre, Fraction(1, 3)),
        ):
            attendu = essais * part
            # Five standard deviations of a binomial: once in a million by chance; seeds are fixed.
            assert (compte[u.id] - attendu) ** 2 <= 25 * attendu * (1 - part), u


# --- Extrapolation -------------------------------------------------------------------------------


def montants_de(population: list[Unite]) -> dict[str, int]:
    return {u.id: u.montant for u in population}


def projeter(tirage: Tirage, population: list[Unite], **erreurs: int) -> Any:
    return extrapoler(tirage, montants_de(population), {i: erreurs.get(i, 0) for i in tirage.ids})


def test_a_simple_draw_projects_its_rate_of_error() -> None:
    # d07, d02, d10, d08 are 10 700 € of 13 500 €; 50 € wrong are 1/214.
    tirage = tirer(DOUZE, "2026-11-21", simple(4))
    projection = projeter(tirage, DOUZE, d02=50_00)
    assert projection.taux == Fraction(1, 214)
    assert projection.exacte == Fraction(13_500_00, 214)
    assert (projection.constatee, projection.projetee) == (50_00, 63_08)
    assert projection.base == 13_500_00


def test_monetary_units_project_each_rate_over_one_interval_and_what_is_whole_as_it_is() -> None:
    # d10 is whole: 90 € are 90 €. A tenth of d04 is a tenth of 1 125 €.
    tirage = tirer(DOUZE, "2026-11-21", mus(5))
    projection = projeter(tirage, DOUZE, d10=90_00, d04=40_00)
    assert projection.exacte == 90_00 + Fraction(1_125_00, 10)
    assert (projection.constatee, projection.projetee) == (130_00, 202_50)


def test_strata_add_up_and_the_sum_is_rounded_once() -> None:
    population = [Unite(f"{poste}{r}", 3, "o", "P", poste) for poste in "ab" for r in range(3)]
    tirage = tirer(population, "g", stratifie(4))
    assert [s.taille for s in tirage.strates] == [2, 2]
    fautives = {s.tirees[0]: 1 for s in tirage.strates}
    projection = projeter(tirage, population, **fautives)
    # 1 cent on 6, over 9: 1.5 cent a stratum, 3 in all, not twice 2.
    assert [s.projetee for s in projection.strates] == [Fraction(3, 2), Fraction(3, 2)]
    assert projection.projetee == 3
    assert (projection.exacte, projection.taux) == (3, Fraction(1, 6))


def test_what_was_all_drawn_is_projected_to_what_was_found() -> None:
    for demande in (simple(10), mus(10), stratifie(10), stratifie(10, selection="mus")):
        tirage = tirer(DOUZE, "g", demande)
        projection = projeter(tirage, DOUZE, d01=12_34, d10=56_78)
        assert projection.exacte == projection.constatee == 69_12, demande


@given(demandes(), st.data())
def test_no_error_projects_none_and_errors_of_all_project_all(
    cas: tuple[list[Unite], str, Parametres], data: st.DataObject
) -> None:
    population, graine, demande = cas
    tirage, montants = tirer(population, graine, demande), montants_de(population)
    assert extrapoler(tirage, montants, dict.fromkeys(tirage.ids, 0)).exacte == 0
    entiere = extrapoler(tirage, montants, montants)
    assert entiere.exacte == entiere.base
    erreurs = {i: data.draw(st.integers(0, montants[i])) for i in tirage.ids}
    projection = extrapoler(tirage, montants, erreurs)
    assert 0 <= projection.constatee <= projection.base
    assert 0 <= projection.exacte <= projection.base
    assert abs(projection.projetee - projection.exacte) <= Fraction(1, 2)


def test_a_projection_says_when_it_may_be_imposed() -> None:
    """The same condition as the control's, in the same words."""
    regle = (
        "l’extrapolation n’est possible que si la convention ou un avenant la prévoit, ou par un "
        "accord écrit signé par le bénéficiaire avant le contrôle"
    )
    for morceau in (regle, "annexe « échantillonnage » de la convention type DGEFP"):
        refus = f"{ExtrapolationNonPrevue(poste='x')} ({ExtrapolationNonPrevue.article})"
        assert morceau.casefold() in refus.casefold()
        assert morceau in CONDITION_DE_L_EXTRAPOLATION
    assert "n’est pas une correction" in CONDITION_DE_L_EXTRAPOLATION
    assert projeter(tirer(DOUZE, "g", simple(1)), DOUZE).condition == CONDITION_DE_L_EXTRAPOLATION


# --- The canonical list --------------------------------------------------------------------------


def test_a_population_is_written_as_a_csv_in_the_order_of_identifiers() -> None:
    population = [unite(2, -5, "nature"), unite(1, 1_234_56)]
    assert liste_canonique(population) == (
        "id;montant_centimes;operation;plie;poste\n"
        "d01;123456;o1;P1;personnel\n"
        "d02;-5;o2;P0;nature\n"
    )
    assert empreinte(population) == hashlib.sha256(liste_canonique(population).encode()).hexdigest()
