"""The door: in which role somebody takes a route, on which territory, or why they do not."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.droits import DROITS, ROLES, Regle, Role
from api.porte import (
    SANS_ROLE,
    LectureSeule,
    Personne,
    RenforcementRequis,
    RoleInsuffisant,
    RoleNonTenu,
    SecondFacteurAInstaller,
    habiliter,
)
from oi_service.acces.identite import Attribution, Identite
from oi_service.errors import Forbidden
from projections.histoire import ROLES as LIBELLES
from projections.perimetre import OI_ENTIER, Perimetre

PLIES = ("A", "B", "C")
LECTURE, ECRITURE = ("GET", "HEAD"), ("POST", "PUT", "DELETE", "PATCH", "")

territoires = st.frozensets(st.sampled_from(PLIES))
attributions = st.lists(st.builds(Attribution, st.sampled_from(ROLES), territoires), max_size=5)
identites = st.builds(
    Identite,
    identifiant=st.just("gestionnaire-1"),
    nom=st.just("Compte fictif n° 01"),
    attributions=attributions.map(tuple),
    detachee_par=territoires,
    lecture_seule=st.booleans(),
    renforcee=st.booleans(),
    second_facteur_a_installer=st.booleans(),
)
regles = st.builds(
    Regle,
    roles=st.none() | st.lists(st.sampled_from(ROLES), min_size=1, unique=True).map(tuple),
    renforcee=st.booleans(),
    sans_second_facteur=st.booleans(),
)
demandes = st.none() | st.sampled_from((*ROLES, "systeme", "", "GESTIONNAIRE_OI"))
methodes = st.sampled_from((*LECTURE, *ECRITURE))


def compte(*tenues: Attribution, **etat: Any) -> Identite:
    return Identite(identifiant="compte-1", nom="Compte fictif", attributions=tenues, **etat)


def role(nom: str, *plies: str) -> Attribution:
    return Attribution(nom, frozenset(plies))


GESTION = Regle(("gestionnaire_oi",))
LECTEURS = Regle(("gestionnaire_oi", "comptable_oi", "directeur_plie"))


# --- Never outside of what is held ---------------------------------------------------------------


@given(identites, regles, demandes, methodes)
def test_nobody_acts_in_a_role_that_they_do_not_hold_or_that_the_rule_does_not_name(
    qui: Identite, regle: Regle, demande: str | None, methode: str
) -> None:
    try:
        entree = habiliter(qui, regle, demande, methode)
    except Forbidden:
        return
    tenus = {a.role for a in qui.attributions}
    assert entree.acteur == qui.identifiant
    assert entree.detachee_par == qui.detachee_par
    if regle.roles is None and demande is None and not tenus:
        assert (entree.role, entree.plies) == (SANS_ROLE, frozenset())
    else:
        assert entree.role in tenus
    assert regle.roles is None or entree.role in regle.roles
    assert demande is None or entree.role == demande


@given(identites, regles, demandes, methodes)
def test_who_is_refused_lacks_something_and_who_enters_lacks_nothing(
    qui: Identite, regle: Regle, demande: str | None, methode: str
) -> None:
    permis = ROLES if regle.roles is None else regle.roles
    bons = [a for a in qui.attributions if a.role in permis and demande in {None, a.role}]
    manques = {
        SecondFacteurAInstaller: qui.second_facteur_a_installer and not regle.sans_second_facteur,
        RoleNonTenu: demande is not None and not bons,
        RoleInsuffisant: demande is None and regle.roles is not None and not bons,
        LectureSeule: qui.lecture_seule and methode not in LECTURE,
        RenforcementRequis: regle.renforcee and not qui.renforcee,
    }
    attendus = {refus for refus, manque in manques.items() if manque}
    if attendus:
        with pytest.raises(tuple(attendus)) as refus:
            habiliter(qui, regle, demande, methode)
        assert "{" not in str(refus.value)
    else:
        habiliter(qui, regle, demande, methode)


@given(identites, regles, demandes, st.sampled_from(ECRITURE))
def test_the_territory_of_a_writing_is_that_of_the_acting_role_alone(
    qui: Identite, regle: Regle, demande: str | None, methode: str
) -> None:
    try:
        entree = habiliter(qui, regle, demande, methode)
    except Forbidden:
        return
    de_ce_role = [a.plies for a in qui.attributions if a.role == entree.role]
    if entree.plies is None:
        assert frozenset() in de_ce_role
    else:
        assert frozenset() not in de_ce_role
        assert entree.plies == frozenset().union(*de_ce_role)


@given(identites, regles, demandes, st.sampled_from(LECTURE))
def test_the_reading_perimeter_is_the_union_of_the_roles_that_read(
    qui: Identite, regle: Regle, demande: str | None, methode: str
) -> None:
    try:
        entree = habiliter(qui, regle, demande, methode)
    except Forbidden:
        return
    permis = ROLES if regle.roles is None else regle.roles
    lisent = [a.plies for a in qui.attributions if a.role in permis and demande in {None, a.role}]
    entier = frozenset() in lisent
    assert entree.plies == (None if entier else frozenset().union(*lisent))
    assert entree.perimetre == (OI_ENTIER if entier else Perimetre(frozenset().union(*lisent)))


@given(identites, regles, demandes, methodes)
def test_the_order_of_the_attributions_says_nothing(
    qui: Identite, regle: Regle, demande: str | None, methode: str
) -> None:
    def suite(identite: Identite) -> Personne | type[Forbidden]:
        try:
            return habiliter(identite, regle, demande, methode)
        except Forbidden as refus:
            return type(refus)

    inverse = replace(qui, attributions=tuple(reversed(qui.attributions)))
    assert suite(inverse) == suite(qui)


@given(identites, regles, demandes, st.sampled_from(LECTURE), attributions)
def test_one_more_attribution_never_hides_what_was_read(
    qui: Identite, regle: Regle, demande: str | None, methode: str, de_plus: list[Attribution]
) -> None:
    try:
        avant = habiliter(qui, regle, demande, methode)
    except Forbidden:
        return
    plus = replace(qui, attributions=(*qui.attributions, *de_plus))
    apres = habiliter(plus, regle, demande, methode)
    if avant.plies is None:
        assert apres.plies is None
    else:
        assert apres.plies is None or avant.plies <= apres.plies


# --- One by one ----------------------------------------------------------------------------------


def test_a_role_of_the_whole_oi_is_not_narrowed_by_another_attribution() -> None:
    qui = compte(role("gestionnaire_oi", "A"), role("gestionnaire_oi"))
    assert habiliter(qui, GESTION, None, "POST").plies is None
    assert habiliter(qui, GESTION, None, "GET").plies is None


def test_a_director_who_also_manages_reads_everything_and_writes_in_one_role() -> None:
    qui = compte(role("directeur_plie", "A"), role("gestionnaire_oi"))
    assert habiliter(qui, LECTEURS, None, "GET").plies is None
    assert habiliter(qui, LECTEURS, "directeur_plie", "GET").plies == frozenset("A")
    assert habiliter(qui, LECTEURS, "directeur_plie", "POST").plies == frozenset("A")
    assert habiliter(qui, LECTEURS, None, "POST") == Personne("compte-1", "gestionnaire_oi", None)


def test_what_another_role_may_reach_is_not_reached_by_this_one() -> None:
    qui = compte(role("gestionnaire_oi", "A"), role("comptable_oi", "B"))
    assert habiliter(qui, LECTEURS, None, "POST").plies == frozenset("A")
    assert habiliter(qui, LECTEURS, "comptable_oi", "POST").plies == frozenset("B")
    assert habiliter(qui, LECTEURS, None, "GET").plies == frozenset("AB")
    # A role that the route does not admit adds nothing to what it shows.
    assert habiliter(qui, GESTION, None, "GET").plies == frozenset("A")


def test_the_first_role_that_the_route_names_acts_even_on_a_smaller_territory() -> None:
    qui = compte(role("comptable_oi"), role("gestionnaire_oi", "A"))
    entree = habiliter(qui, LECTEURS, None, "POST")
    assert entree == Personne("compte-1", "gestionnaire_oi", frozenset("A"))


def test_the_header_names_a_role_that_is_held_and_that_the_route_admits() -> None:
    qui = compte(role("gestionnaire_oi"), role("valideur_oi"))
    with pytest.raises(RoleNonTenu, match=LIBELLES["comptable_oi"]):
        habiliter(qui, LECTEURS, "comptable_oi", "GET")
    with pytest.raises(RoleNonTenu, match=LIBELLES["valideur_oi"]):
        habiliter(qui, GESTION, "valideur_oi", "GET")
    with pytest.raises(RoleNonTenu):
        habiliter(compte(), Regle(), "systeme", "GET")


def test_without_a_role_only_what_is_for_every_account_opens_and_it_shows_nothing() -> None:
    with pytest.raises(RoleInsuffisant, match=LIBELLES["gestionnaire_oi"]):
        habiliter(compte(), GESTION, None, "GET")
    entree = habiliter(compte(), Regle(), None, "GET")
    assert entree.perimetre == Perimetre(frozenset())
    assert entree.perimetre.liste == []


def test_a_read_only_token_reads() -> None:
    qui = compte(role("gestionnaire_oi"), lecture_seule=True)
    for methode in LECTURE:
        assert habiliter(qui, GESTION, None, methode).role == "gestionnaire_oi"
    for methode in ECRITURE:
        with pytest.raises(LectureSeule):
            habiliter(qui, GESTION, None, methode)


def test_what_is_signed_takes_a_second_factor_given_a_moment_ago() -> None:
    regle = Regle(("ordonnateur_oi",), renforcee=True)
    with pytest.raises(RenforcementRequis):
        habiliter(compte(role("ordonnateur_oi")), regle, None, "POST")
    assert habiliter(compte(role("ordonnateur_oi"), renforcee=True), regle, None, "POST").role


def test_until_the_second_factor_is_there_only_its_own_pages_open() -> None:
    qui = compte(role("ordonnateur_oi"), second_facteur_a_installer=True)
    for regle in (Regle(), Regle(("ordonnateur_oi",)), GESTION):
        with pytest.raises(SecondFacteurAInstaller):
            habiliter(qui, regle, None, "GET")
    assert habiliter(qui, Regle(sans_second_facteur=True), None, "POST").acteur == "compte-1"


# --- The mapping ---------------------------------------------------------------------------------


def test_every_rule_names_roles_that_exist() -> None:
    assert set(ROLES) == set(get_args(Role))
    assert set(ROLES) <= set(LIBELLES)
    for nom, regle in DROITS.items():
        assert regle.roles is None or (regle.roles and set(regle.roles) <= set(ROLES)), nom


def test_a_public_rule_asks_for_nothing_else() -> None:
    for nom, regle in DROITS.items():
        if regle.publique:
            assert regle == Regle(publique=True), nom
