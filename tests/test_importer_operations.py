"""``oi importer-operations``: an overview that writes nothing, then one transaction."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from dsl import lisible
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from liste_fictive import csv
from vie import Vie

from aggregates.reprise.reprise import AnnulerReprise, annuler
from aggregates.reprise.state import REPRISE
from oi_service import cli
from oi_service.application import Acte, Service
from oi_service.ids import hors_subvention, reprise_of
from oi_service.reprise.importation import (
    ActeurInvalide,
    RattachementDouble,
    RattachementManquant,
    SubventionAmbigue,
    SubventionInconnue,
    cadre_de,
    cadre_hors_subvention,
    exiger_acteur,
    exiger_rattachement,
    importer,
    prevoir,
)
from oi_service.reprise.lecture import lire
from oi_service.verification import verifier
from projections.perimetre import OI_ENTIER, Perimetre
from projections.reprises import FiltresReprises, reprises, totaux
from projections.situation import Situation

HORS = ("--hors-subvention", "2014-2020")
#: Six lines: two ordinary, two improbable, one refused by a rule, one unreadable.
LISTE = csv(
    {},
    {"ligne": "2", "intitule": "Programmée trop tard", "date_programmation": "2017-02-01"},
    {
        "ligne": "3",
        "intitule": "Presque tout au Fonds",
        "montant_ue_programme": "800.01",
        "date_debut": "2016-04-01",
    },
    {"ligne": "4", "intitule": "Finit avant", "date_fin": "2015-12-31"},
    {"ligne": "5", "intitule": "Sans montant", "montant_ue_programme": "beaucoup"},
    {"ligne": "6", "intitule": "Sans FSE", "montant_ue_programme": "0.00"},
)


class Commande:
    """Runs the command in this process, on a database of its own."""

    def __init__(
        self, base: str, dossier: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
    ) -> None:
        self.base = base
        self._dossier = dossier
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("OI_DATABASE_URL", base)

    def __call__(self, contenu: str, *options: str) -> tuple[int, str]:
        """Import a list; the exit code and what was printed."""
        fichier = self._dossier / "liste.csv"
        fichier.write_bytes(contenu.encode())
        return self.lancer("importer-operations", str(fichier), *options)

    def lancer(self, *arguments: str) -> tuple[int, str]:
        """Run a command."""
        self._monkeypatch.setattr(sys, "argv", ["oi", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        code = left.value.code
        return (code if isinstance(code, int) else 0), lisible(self._capsys.readouterr().out)

    def lignes(self, requete: str) -> list[Any]:
        """Return the rows of a query."""
        with psycopg.connect(self.base) as conn:
            return conn.execute(requete.encode()).fetchall()


@pytest.fixture
def oi(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commande:
    return Commande(base, tmp_path, capsys, monkeypatch)


_SOMMES = (
    "SELECT mesure, count(*), sum(centimes)::bigint FROM projection.mouvement "
    "GROUP BY mesure ORDER BY mesure"
)


def test_an_overview_needs_no_database_and_says_both_totals(
    oi: Commande, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_DATABASE_URL", "postgresql://127.0.0.1:1/rien")
    code, dit = oi(LISTE, "--apercu")
    assert code == 1
    assert "Lues                   6              5 000,00 €            2 300,01 €" in dit
    assert "À reprendre            4              4 000,00 €            1 800,01 €" in dit
    assert "  signalées            2              2 000,00 €            1 300,01 €" in dit
    assert "Refusées               2              1 000,00 €              500,00 €" in dit
    assert "1 ligne illisible compte zéro." in dit
    assert "Programmée après sa fin (programmee_apres_fin, à signaler) : 2 lignes\n  n° 3, 5" in dit
    assert "Finit avant de commencer (fin_avant_debut, à refuser) : 1 ligne\n  n° 5" in dit
    assert "  ligne 6, montant_ue_programme : « beaucoup » ; un montant s’écrit en euros" in dit
    assert "Déjà reprises  " not in dit
    assert "ne sont pas cherchées" in dit
    assert "Aperçu : rien n’est enregistré ; 4 opérations à reprendre, 1 800,01 € de FSE" in dit


def test_an_overview_on_the_database_writes_nothing(oi: Commande) -> None:
    code, dit = oi(LISTE, "--apercu", *HORS)
    assert (code, oi.lignes("SELECT position FROM oi.head")) == (1, [(0,)])
    assert "Déjà reprises          0" in dit


def test_it_is_recorded_once_in_one_transaction_whatever_is_refused(oi: Commande) -> None:
    code, dit = oi(LISTE, *HORS)
    assert code == 1
    assert (
        "Reprise enregistrée : 4 opérations, 1 800,01 € de FSE, événements n° 1 à 4, "
        "2 lignes refusées." in dit
    )
    assert oi.lignes("SELECT first_position, last_position, acteur FROM oi.command") == [
        (1, 4, "importation")
    ]
    # The operation without money of the Fund moves its cost only.
    assert oi.lignes(_SOMMES) == [("ct_repris", 4, 4_000_00), ("fse_repris", 3, 1_800_01)]
    code, dit = oi(LISTE, *HORS)
    assert code == 1
    assert "Déjà reprises          4              4 000,00 €            1 800,01 €" in dit
    assert "Rien de nouveau à reprendre : rien n’est enregistré, 2 lignes refusées." in dit
    assert oi.lignes("SELECT position FROM oi.head") == [(4,)]


def test_a_later_edition_of_the_list_adds_only_what_is_new(oi: Commande) -> None:
    assert oi(csv({}), *HORS)[0] == 0
    code, dit = oi(csv({"ligne": "12", "fonds": "FSE+"}, {"ligne": "13"}), *HORS)
    assert (code, "1 opération, 500,00 € de FSE, événements n° 2 à 2" in dit) == (0, True)


def test_movements_are_dated_and_placed_by_the_list(oi: Commande) -> None:
    oi(csv({"date_debut": "2015-09-01", "date_fin": "2018-12-31"}), *HORS)
    [ligne] = oi.lignes(
        "SELECT DISTINCT sg_id, plie_id, annee, axe, objectif_specifique, dispositif, "
        "operation_id, date_effet::text FROM projection.mouvement"
    )
    hors = hors_subvention("2014-2020")
    assert ligne == (hors, "reprise", 2016, "PO_FICTIF", "", "reprise", None, "2016-03-15")
    [enveloppe] = oi.lignes("SELECT oi_id, reglement, role FROM oi.event")
    assert enveloppe == ("hors-subvention-globale", "2014-2020", "systeme")


def test_all_the_lines_are_shown_when_asked(oi: Commande) -> None:
    tardives = [{"intitule": f"n° {n}", "date_programmation": "2017-02-01"} for n in range(12)]
    faux = [{"intitule": f"n° {n}", "pays": ""} for n in range(12)]
    _, dit = oi(csv(*tardives, *faux), "--apercu")
    assert "  n° 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 et 2 autres (--tout les montre)" in dit
    assert dit.count("ce champ est obligatoire") == 10
    assert "  et 2 autres (--tout les montre)" in dit
    _, dit = oi(csv(*tardives, *faux), "--apercu", "--tout")
    assert "  n° 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13\n" in dit
    assert dit.count("ce champ est obligatoire") == 12
    assert "--tout" not in dit


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ((), "Dites de quoi la liste est l’histoire : --subvention NUMERO"),
        ((*HORS, "--subvention", "SG1"), "pas les deux"),
        (("--hors-subvention", "2007-2013"), "n’est pas un règlement connu"),
        (("--subvention", "SG9"), "Aucune subvention globale ne porte le numéro « SG9 »"),
        ((*HORS, "--acteur", "Une Personne"), "n’est pas l’identifiant d’un acteur"),
    ],
)
def test_a_list_refused_whole_says_what_to_do(
    oi: Commande, options: tuple[str, ...], fragment: str
) -> None:
    code, dit = oi(LISTE, *options)
    assert (code, fragment in dit, dit.count("\n")) == (2, True, 1)
    assert oi.lignes("SELECT position FROM oi.head") == [(0,)]


def test_a_file_that_is_not_there_or_not_a_list_is_refused(oi: Commande, tmp_path: Path) -> None:
    code, dit = oi.lancer("importer-operations", str(tmp_path / "rien.csv"), "--apercu")
    assert (code, "ne peut pas être lu" in dit) == (2, True)
    code, dit = oi.lancer("importer-operations", str(tmp_path), "--apercu")
    assert (code, "ne peut pas être lu" in dit) == (2, True)
    code, dit = oi("a,b\n1,2\n", "--apercu")
    assert (code, "Colonnes attendues" in dit) == (2, True)


def test_a_demonstration_never_erases_a_list(oi: Commande) -> None:
    oi(csv({}), *HORS)
    code, dit = oi.lancer("demo", "--no-servir")
    assert (code, "données réelles, subvention globale ou liste reprise" in dit) == (2, True)


# --- Under a subvention globale ------------------------------------------------------------------


def test_a_list_goes_under_the_grant_of_that_number_or_identifier(
    service: Service, base: str
) -> None:
    vie = Vie(service)
    vie.subvention(numero="SG1")
    with service.reads.connection() as conn:
        cadre = cadre_de(conn, "SG1", None)
        assert cadre.subvention_globale_id == vie.id("SG")
        assert cadre_de(conn, str(vie.id("SG")), None) == cadre
        with pytest.raises(SubventionInconnue, match="SG1"):
            cadre_de(conn, "SG2", None)
    liste = lire("liste.csv", LISTE.encode())
    resultat = importer(service, liste, cadre, Acte("gestionnaire-1", "gestionnaire_oi"))
    assert resultat.outcome is not None
    assert len(resultat.outcome.events) == 4
    # Nothing of it is programmed, and no enveloppe is touched.
    assert [(c.code, c.ecarts) for c in verifier(base) if c.ecarts] == []


def test_a_number_borne_by_two_grants_asks_for_the_identifier(base: str) -> None:
    with psycopg.connect(base) as conn:
        conn.execute(
            """
            INSERT INTO projection.subvention_globale
            SELECT gen_random_uuid(), 'oi', 'OI', '2014-2020', 'SG1', 'PON', 1,
                '2018-01-01', '2022-12-31', true, n FROM generate_series(1, 2) AS n
            """
        )
        with pytest.raises(SubventionAmbigue):
            cadre_de(conn, "SG1", None)
        conn.rollback()


def test_what_must_be_said_of_a_list() -> None:
    assert exiger_rattachement("SG1", None, apercu=False)
    assert exiger_rattachement(None, "2014-2020", apercu=True)
    assert not exiger_rattachement(None, None, apercu=True)
    with pytest.raises(RattachementManquant):
        exiger_rattachement(None, None, apercu=False)
    with pytest.raises(RattachementDouble):
        exiger_rattachement("SG1", "2014-2020", apercu=True)
    exiger_acteur("gestionnaire-1")
    with pytest.raises(ActeurInvalide):
        exiger_acteur("")


# --- Whatever the list holds ---------------------------------------------------------------------

_CELLULES = st.fixed_dictionaries(
    {},
    optional={
        "intitule": st.sampled_from(["A", "B", "", "C\nD", '"'])
        | st.text(st.characters(codec="utf-8"), max_size=8),
        "date_programmation": st.sampled_from(["2016-03-15", "2017-01-01", "31/12/2015", "hier"]),
        "date_fin": st.sampled_from(["2016-12-31", "2015-12-31", ""]),
        "montant_ue_programme": st.sampled_from(["0", "500,00", "900.00", "-1", "1 000,00"]),
        "fonds": st.sampled_from(["FSE", "FSE+", "FEDER"]),
    },
)
CADRE = cadre_hors_subvention("2014-2020")
LE_15 = date(2016, 3, 15)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(contenus=st.lists(_CELLULES, max_size=8))
def test_every_line_has_one_end_and_the_totals_add_up(
    service: Service, contenus: list[dict[str, str]]
) -> None:
    """One base for all the examples: lists follow each other in it, and meet what is there."""
    liste = lire("liste.csv", csv(*contenus).encode())
    with service.reads.connection() as conn:
        prevu = prevoir(conn, liste, CADRE)
        avant = totaux(conn, OI_ENTIER)
    fait = importer(service, liste, CADRE, Acte("importation", "systeme"))
    assert fait.deja == prevu.deja
    reprises_ = {x.numero for x, _ in fait.a_reprendre()}
    refusees = {x.numero for x in liste.lignes if x.refusee}
    places = {x.numero for x in liste.lignes}
    assert reprises_ | fait.deja.reprises | refusees == places
    assert len(reprises_) + len(fait.deja.reprises) + len(refusees) == len(places)
    assert fait.outcome is not None
    assert len(fait.outcome.events) == len(reprises_)
    with service.reads.connection() as conn:
        apres = totaux(conn, OI_ENTIER)
        poste = dict(
            conn.execute(
                "SELECT mesure, sum(centimes)::bigint FROM projection.mouvement GROUP BY mesure"
            ).fetchall()
        )
        assert prevoir(conn, liste, CADRE).deja.reprises == places - refusees
    assert apres.nombre - avant.nombre == len(reprises_)
    assert apres.fse - avant.fse == sum(o.fse for _, o in fait.a_reprendre())
    assert (apres.fse, apres.cout_total_eligible) == (
        poste.get("fse_repris", 0),
        poste.get("ct_repris", 0),
    )


def test_two_people_who_take_over_one_list_together_record_it_once(service: Service) -> None:
    lignes = [{"intitule": f"Opération fictive n° {n}"} for n in range(600)]
    liste = lire("liste.csv", csv(*lignes).encode())
    depart = threading.Barrier(2)

    def reprendre(acteur: str) -> int:
        depart.wait()
        outcome = importer(service, liste, CADRE, Acte(acteur, "gestionnaire_oi")).outcome
        return len(outcome.events) if outcome else 0

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(reprendre, ["gestionnaire-1", "gestionnaire-2"])) == [0, 600]
    with service.reads.connection() as conn:
        assert totaux(conn, OI_ENTIER).nombre == 600


# --- Reading them --------------------------------------------------------------------------------


def _reprendre(service: Service, *lignes: dict[str, str]) -> list[UUID]:
    liste = lire("liste.csv", csv(*lignes).encode())
    importer(service, liste, CADRE, Acte("importation", "systeme"))
    return [reprise_of(CADRE.subvention_globale_id, o.contenu) for _, o in liste.admises]


def test_they_are_read_at_two_dates_and_by_nobody_of_a_restricted_perimeter(
    service: Service,
) -> None:
    _reprendre(service, {}, {"date_programmation": "2016-06-01", "programme": "PO_AUTRE"})
    with service.reads.connection() as conn:
        assert totaux(conn, OI_ENTIER).nombre == 2
        assert totaux(conn, OI_ENTIER, situation=Situation(connu_le=1)).nombre == 1
        le_15 = Situation(effet_au=LE_15)
        assert [r.programme for r in reprises(conn, OI_ENTIER, situation=le_15).lignes] == [
            "PO_FICTIF"
        ]
        choix = FiltresReprises(programme="PO_AUTRE")
        assert [r.position for r in reprises(conn, OI_ENTIER, choix).lignes] == [2]
        plie = Perimetre(frozenset({"A"}))
        assert (reprises(conn, plie).lignes, totaux(conn, plie).nombre) == ((), 0)


def test_what_is_annulled_leaves_the_ledger_on_its_day(service: Service, base: str) -> None:
    annulee, _ = _reprendre(service, {}, {"fonds": "FSE+"})
    demande = AnnulerReprise(date_effet="2016-12-31", motif="Ligne d’une autre région")
    service.journal.execute(
        Acte("gestionnaire-1", "gestionnaire_oi"),
        lambda unit: unit.execute(REPRISE, annulee, annuler, demande),
    )
    with service.reads.connection() as conn:
        postes = conn.execute(
            "SELECT mesure, date_effet, sum(centimes)::bigint FROM projection.mouvement "
            "WHERE position IN (1, 3) GROUP BY position, mesure, date_effet ORDER BY 2, 1"
        ).fetchall()
    fin = date(2016, 12, 31)
    assert postes == [
        ("ct_repris", LE_15, 1_000_00),
        ("fse_repris", LE_15, 500_00),
        ("ct_repris", fin, -1_000_00),
        ("fse_repris", fin, -500_00),
    ]
    assert [(c.code, c.ecarts) for c in verifier(base) if c.ecarts] == []


def test_the_ledger_is_compared_with_the_streams(service: Service, base: str) -> None:
    _reprendre(service, {}, {"fonds": "FSE+"})
    assert [(c.code, c.ecarts) for c in verifier(base) if c.ecarts] == []
    for faute in (
        "UPDATE projection.mouvement SET centimes = 1 WHERE mesure = 'fse_repris' AND position = 1",
        "UPDATE projection.reprise SET annulee_le = '2016-03-15' WHERE position = 2",
    ):
        with psycopg.connect(base) as conn:
            conn.execute(faute.encode())
        assert "R2" in {c.code for c in verifier(base) if c.ecarts}
