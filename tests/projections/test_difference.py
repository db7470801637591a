"""What separates two situations, on a played life: sums, causes, pages, perimeters."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from choix_au_hasard import choisies, des_choix
from deux_dates import exemples, memoire
from hypothesis import given, settings
from hypothesis import strategies as st
from pliage import additionner
from psycopg import Connection
from psycopg.rows import TupleRow
from vie_complete import Vie

from aggregates.operation.state import OperationAbsente
from oi_service.ids import new_id
from oi_service.money import ratio
from projections.causes import CAUSE_DE, CAUSES, CORRECTION
from projections.curseurs import CurseurInvalide
from projections.difference import Difference, difference
from projections.livre import RIEN, Choix
from projections.maquette import QUANTITES, TAUX, Chiffres, charger
from projections.mesures import DERIVES, MESURES, MesureInconnue, unite
from projections.perimetre import OI_ENTIER, Perimetre
from projections.provenance import provenance
from projections.situation import ACTUELLE, Situation

Conn = Connection[TupleRow]
ALPHA, BETA = (Perimetre(frozenset({plie_id})) for plie_id in "AB")
FIN_2021 = Situation(effet_au=date(2021, 12, 31))
FIN_2022 = Situation(effet_au=date(2022, 12, 31))


def lire(
    conn: Conn, de: Situation, a: Situation, choix: Choix | None = None, **options: Any
) -> Difference:
    found = difference(conn, OI_ENTIER, choix or Choix(), de, a, **options)
    assert found is not None
    return found


def sommes_des_causes(found: Difference) -> dict[str, int]:
    total: Counter[str] = Counter()
    for cause in found.causes:
        total.update(cause.montants)
    return {mesure: montant for mesure, montant in total.items() if montant}


def page_a_page(
    conn: Conn, de: Situation, a: Situation, choix: Choix, limite: int
) -> Iterator[Any]:
    apres = None
    while True:
        found = lire(conn, de, a, choix, limite=limite, apres=apres)
        yield from found.mouvements.lignes
        apres = found.mouvements.suivant
        if apres is None:
            return


def tous_les_mouvements(conn: Conn, found: Difference, choix: Choix) -> list[Any]:
    return list(page_a_page(conn, found.de, found.a, choix, 200))


# --- To the cent, whatever the dates and the cells ------------------------------------------------


def test_causes_add_up_to_what_separates_any_two_situations_on_any_cells(
    conn: Conn, vie: Vie
) -> None:
    lue = memoire(conn)
    comptes = list(additionner(lue.changes, ACTUELLE))

    @settings(deadline=None, max_examples=exemples(60), database=None)
    @given(lue.situations(), lue.situations(), des_choix(vie.sg, comptes))
    def property_holds(de: Situation, a: Situation, choix: Choix) -> None:
        avant, apres = (choisies(additionner(lue.changes, s), choix) for s in (de, a))
        found = difference(conn, OI_ENTIER, choix, de, a)
        if found is None:
            assert not avant
            assert not apres
            return
        attendu = {m: apres[m] - avant[m] for m in MESURES if apres[m] != avant[m]}
        assert sommes_des_causes(found) == attendu
        assert {c.mesure: c.avant for c in found.chiffres if c.avant} == dict(+avant) | {
            m: v for m, v in avant.items() if v < 0
        }
        lignes = tous_les_mouvements(conn, found, choix)
        listes: Counter[tuple[str, str]] = Counter()
        for ligne in lignes:
            listes[ligne.cause, ligne.mesure] += ligne.centimes
        assert listes == Counter(
            {(c.code, m): montant for c in found.causes for m, montant in c.montants.items()}
        )
        assert len({(x.position, x.rang) for x in lignes}) == len(lignes)
        assert sum(c.evenements for c in found.causes) == len({x.position for x in lignes})

    property_holds()


def test_causes_add_up_to_the_difference_of_the_two_maquettes_cell_by_cell(
    conn: Conn, vie: Vie
) -> None:
    lue = memoire(conn)

    @settings(deadline=None, max_examples=exemples(15), database=None)
    @given(lue.situations(), lue.situations())
    def property_holds(de: Situation, a: Situation) -> None:
        cases: dict[tuple[Any, ...], list[Chiffres]] = {}
        for rang, situation in enumerate((de, a)):
            maquette = charger(conn, OI_ENTIER, vie.sg, situation)
            for x in maquette.lignes if maquette else ():
                cle = (x.plie_id, x.annee, x.axe, x.objectif_specifique, x.dispositif)
                cases.setdefault(cle, [Chiffres(), Chiffres()])[rang] = x.chiffres
        for cle, (avant, apres) in cases.items():
            plie, annee, axe, objectif, dispositif = cle
            choix = Choix(
                subvention_globale_id=vie.sg,
                plie=plie,
                annee=annee,
                axe=axe,
                objectif_specifique=objectif,
                dispositif=dispositif,
            )
            found = lire(conn, de, a, choix, limite=1)
            causes = sommes_des_causes(found)
            for quantite in QUANTITES:
                ecart = getattr(apres, quantite) - getattr(avant, quantite)
                assert causes.get(quantite, 0) == ecart, (cle, quantite)

    property_holds()


def test_the_other_way_round_every_line_changes_its_sign(conn: Conn, vie: Vie) -> None:
    aller = lire(conn, FIN_2021, ACTUELLE)
    retour = lire(conn, ACTUELLE, FIN_2021)
    assert sommes_des_causes(retour) == {m: -v for m, v in sommes_des_causes(aller).items()}
    assert sommes_des_causes(aller)
    assert [c.code for c in aller.causes] == [c.code for c in retour.causes]


def test_nothing_separates_a_situation_from_itself(conn: Conn, vie: Vie) -> None:
    found = lire(conn, FIN_2021, FIN_2021)
    assert (found.causes, found.mouvements.lignes) == ((), ())
    assert all(c.ecart == 0 for c in found.chiffres)


def test_both_bounds_are_included(conn: Conn, vie: Vie) -> None:
    """What counts on the last day, or is the last event known, is in; the day before, it is not."""
    [paye, *_] = [
        x for x in page_a_page(conn, RIEN, ACTUELLE, Choix(), 200) if x.mesure == "fse_paye"
    ]
    jour, position = paye.evenement.date_effet, paye.position
    du_jour = lire(conn, Situation(date.fromordinal(jour.toordinal() - 1)), Situation(jour))
    assert paye.position in {x.position for x in du_jour.mouvements.lignes}
    un_seul = lire(conn, Situation(connu_le=position - 1), Situation(connu_le=position))
    assert {x.position for x in un_seul.mouvements.lignes} == {position}
    assert sommes_des_causes(un_seul) == {"fse_paye": paye.centimes}


def test_a_late_correction_separates_what_was_known_not_what_counted(conn: Conn, vie: Vie) -> None:
    """The same day of effect, known at two places of the log: only what was learnt meanwhile."""
    moitie = Situation(effet_au=date(2021, 12, 31), connu_le=60)
    found = lire(conn, moitie, FIN_2021)
    assert found.causes
    assert all(x.position > 60 for x in found.mouvements.lignes)
    assert all(x.evenement.date_effet <= date(2021, 12, 31) for x in found.mouvements.lignes)


# --- What each line says --------------------------------------------------------------------------


def test_a_line_tells_its_event_its_decision_and_who_took_it(conn: Conn, vie: Vie) -> None:
    found = lire(conn, FIN_2021, FIN_2022, mesures=["fse_retenu_csf"])
    assert [c.code for c in found.causes] == ["controle"]
    [premier, second] = found.mouvements.lignes
    assert (premier.centimes, second.centimes) == (15_675_00, 11_000_00)
    fait = premier.evenement
    assert (fait.nom, fait.acteur, fait.role_libelle) == (
        "convention.csf_valide.v1",
        "valideur-1",
        "gestionnaire de l’OI",
    )
    assert (fait.version_regles, fait.csf_id is not None) == ("2026.2", True)
    assert fait.phrase.startswith("Contrôle de service fait, version 1, validé par valideur-1")
    assert fait.enregistre_le.tzinfo is not None
    programmes = lire(conn, RIEN, ACTUELLE, mesures=["nb_operations"], cause="programmation")
    [une, *_] = programmes.mouvements.lignes
    assert une.evenement.instance == "conseil d’administration de l’OI"
    assert une.evenement.decision_ref == "pv-2021-1"


def test_a_cause_only_filters_the_list(conn: Conn, vie: Vie) -> None:
    entier = lire(conn, FIN_2021, ACTUELLE)
    payes = lire(conn, FIN_2021, ACTUELLE, cause="paiement")
    assert {x.cause for x in payes.mouvements.lignes} == {"paiement"}
    assert payes.causes == entier.causes


def test_pages_follow_and_sums_stay_whole(conn: Conn, vie: Vie) -> None:
    entier = lire(conn, FIN_2021, ACTUELLE, limite=200)
    petites = list(page_a_page(conn, FIN_2021, ACTUELLE, Choix(), 5))
    assert petites == list(entier.mouvements.lignes)
    assert len(petites) > 15
    premiere = lire(conn, FIN_2021, ACTUELLE, limite=5)
    assert premiere.causes == entier.causes
    with pytest.raises(CurseurInvalide):
        lire(conn, FIN_2021, ACTUELLE, apres="n’importe quoi")


def test_a_ratio_moves_by_its_two_terms(conn: Conn, vie: Vie) -> None:
    found = lire(conn, FIN_2021, ACTUELLE, mesures=["taux_consommation"])
    [taux] = found.taux
    assert (taux.avant, taux.apres) == (Fraction(0), Fraction(26_675_00, 500_000_00))
    assert taux.formule == "FSE retenu après contrôle / FSE alloué"
    assert taux.numerateur.ecart == sommes_des_causes(found)["fse_retenu_csf"]
    assert (taux.denominateur.avant, taux.denominateur.ecart) == (500_000_00, 0)
    assert {c.mesure for c in found.chiffres} == {"fse_maquette", "fse_retenu_csf"}
    # Without denominator there is no ratio, in either situation.
    [absent] = lire(conn, RIEN, FIN_2021, mesures=["taux_paiement"]).taux
    assert (absent.avant, absent.apres) == (None, None)


def test_what_is_left_moves_by_what_it_is_made_of(conn: Conn, vie: Vie) -> None:
    found = lire(conn, FIN_2021, ACTUELLE, mesures=["disponible_a_programmer"])
    [libre] = found.derives
    assert (libre.ecart, libre.formule) == (28_325_00, "FSE alloué − FSE programmé ajusté")
    assert [(c.code, c.montants) for c in found.causes] == [
        ("solde", {"fse_programme_ajuste": -28_325_00})
    ]


def test_a_measure_that_does_not_exist_is_refused(conn: Conn, vie: Vie) -> None:
    with pytest.raises(MesureInconnue, match="« fse_perdu » n’est pas un chiffre"):
        lire(conn, FIN_2021, ACTUELLE, mesures=["fse_perdu"])


def test_an_unknown_grant_separates_nothing(conn: Conn, vie: Vie) -> None:
    inconnue = Choix(subvention_globale_id=new_id())
    assert difference(conn, OI_ENTIER, inconnue, RIEN, ACTUELLE) is None
    assert difference(conn, OI_ENTIER, Choix(), RIEN, RIEN) is None


# --- Who sees what --------------------------------------------------------------------------------


def test_a_plie_reads_its_own_lines_only(conn: Conn, vie: Vie) -> None:
    alpha = difference(conn, ALPHA, Choix(), RIEN, ACTUELLE, limite=200)
    assert alpha is not None
    assert {x.plie_id for x in alpha.mouvements.lignes} == {"A"}
    maquette = charger(conn, ALPHA, vie.sg)
    assert maquette is not None
    shown = {c.mesure: c.apres for c in alpha.chiffres}
    assert shown["fse_maquette"] == maquette.total.fse_maquette
    conventionnee = Choix(operation_id=vie.operations["conventionnée"])
    with pytest.raises(OperationAbsente):
        difference(conn, ALPHA, conventionnee, RIEN, ACTUELLE)
    assert difference(conn, BETA, conventionnee, RIEN, ACTUELLE) is not None


def test_a_fact_shared_with_another_plie_shows_its_amount_and_not_its_words(
    conn: Conn, vie: Vie
) -> None:
    """The contrepartie of the whole OI is not this PLIE's: what its operation holds of it is."""
    found = difference(
        conn,
        ALPHA,
        Choix(financeur="Région fictive"),
        RIEN,
        ACTUELLE,
        cause="contrepartie_affectee",
    )
    assert found is not None
    [affectee] = found.mouvements.lignes
    assert (affectee.centimes, affectee.evenement.lu) == (10_000_00, None)
    assert affectee.evenement.phrase == (
        "Contrepartie affectée. Ce fait porte aussi sur d’autres PLIE."
    )
    assert (affectee.evenement.motif, affectee.evenement.pieces) == (None, ())
    entier = lire(
        conn, RIEN, ACTUELLE, Choix(financeur="Région fictive"), cause="contrepartie_affectee"
    )
    assert "10" in entier.mouvements.lignes[0].evenement.phrase


# --- Lists that must stay whole -------------------------------------------------------------------

RACINE = Path(__file__).parents[2]


def _posts() -> set[str]:
    """Return the events that the posting rules name."""
    texts = [
        (RACINE / "projections" / f).read_text("utf-8") for f in ("mouvements.sql", "reprises.sql")
    ]
    code = "\n".join(line.split("--")[0] for text in texts for line in text.splitlines())
    return set(re.findall(r"'([a-z_]+\.[a-z_]+\.v\d+)'", code))


def test_every_event_that_posts_has_exactly_one_cause() -> None:
    assert set(CAUSE_DE) == _posts()
    assert {*CAUSE_DE.values(), CORRECTION} == set(CAUSES)


def test_every_measure_that_is_posted_has_its_words(conn: Conn, vie: Vie) -> None:
    texts = [
        (RACINE / "projections" / f).read_text("utf-8") for f in ("mouvements.sql", "reprises.sql")
    ]
    posted = set(re.findall(r"'((?:fse|ct|cp|nb|depenses)_[a-z_]+)'", "\n".join(texts)))
    assert {m for m in posted if not m.endswith("_centimes")} == set(MESURES)
    assert set(QUANTITES) <= set(MESURES)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=len(QUANTITES), max_size=len(QUANTITES)))
def test_a_derived_figure_is_the_one_of_the_maquette(montants: list[int]) -> None:
    sommes = dict(zip(QUANTITES, montants, strict=True))
    chiffres = Chiffres(**sommes)
    for code, derive in DERIVES.items():
        assert derive.valeur(sommes) == getattr(chiffres, code), code
    proprietes = {n for n, v in vars(Chiffres).items() if isinstance(v, property)}
    assert proprietes == set(DERIVES)
    assert {c for c, d in DERIVES.items() if d.operation == "sur"} == set(TAUX)
    assert unite("taux_paiement") == "pourcent"
    assert ratio(1, 0) is None


def test_a_derived_figure_is_explained_by_its_terms(conn: Conn, vie: Vie) -> None:
    found = provenance(conn, OI_ENTIER, "taux_programmation", Choix(plie="A"))
    assert found is not None
    assert found.mouvements.lignes == ()
    assert [(o.mesure, o.valeur) for o in found.operandes] == [
        ("fse_programme", 55_000_00),
        ("fse_maquette", 220_000_00),
    ]
    assert found.valeur == Fraction(1, 4)
    for operande in found.operandes:
        terme = provenance(conn, OI_ENTIER, operande.mesure, Choix(plie="A"))
        assert terme is not None
        assert terme.valeur == operande.valeur
        assert sum(x.centimes for x in terme.mouvements.lignes) == operande.valeur
