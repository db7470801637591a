"""Who reads some PLIE: the queries keep to them, and the database says the same a second time."""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any, get_type_hints
from urllib.parse import parse_qsl

import pytest
from fastapi import FastAPI
from portier import PortierDEssai
from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow
from starlette.testclient import TestClient
from test_lectures import OBLIGATOIRES, chemins
from vie_complete import Vie

import projections
from aggregates.operation.state import OperationAbsente
from api.app import create_app
from api.deps import LectureOuverte, lecture, perimetre
from oi_service import database
from oi_service.application import Service
from oi_service.database import DIRECTEUR, application_pool
from projections.depenses_tirees import depenses_tirees
from projections.journal import journal
from projections.livre import Lignes
from projections.maquette import charger
from projections.paiements import dossier, operation_du_numero
from projections.perimetre import OI_ENTIER, Perimetre, limiter
from projections.rebuild import tables

ALPHA, BETA = Perimetre(frozenset("A")), Perimetre(frozenset("B"))
TOUS_LES_PLIE = Perimetre(frozenset("AB"))

# --- The first say: a query without a perimeter does not exist -----------------------------------

#: Public functions that take a connection and no perimeter, each with the reason.
SANS_PERIMETRE = {
    "comparaison.comparer_projections": "a check of the whole base: it tells digests, never a row",
    "comptes.administrateurs": "accounts are the administrator's, who reads no money",
    "comptes.compte": "the same",
    "comptes.comptes": "the same",
    "comptes.plies_connus": "which PLIE an account may be given",
    "export.entre": "the sealed log, whole or of an archive: for roles without a territory",
    "export.exporter": "the same",
    "export.parmi": "the same",
    "instantane.instantane": "reads nothing",
    "lots.faits_du_lot": "what undoing a lot writes from, whole; the act let in who undoes it",
    "lots.lot_du_fichier": "a file that the whole OI knows is no new one for a PLIE",
    "paiements.position": "the head of the log: a number",
    "pieces.orphelines": "a check of the operator",
    "pieces.pieces_nommees": "the same",
    "pieces.verifier_pieces": "the same",
    "populations.derniere_position": "the head of the log: a number",
    "populations.exiger_passee": "the same",
    "populations.population": "what an auditor of the whole OI draws from",
    "rebuild.beside": "run by the owner",
    "rebuild.digests": "the same",
    "rebuild.play": "the same",
    "rebuild.tables": "the same",
    "reprises.etats": "what an import of the whole OI recorded already",
    "situation.situation": "the place of an instant in the log: a number",
    "verification.violations": "a check of the operator",
}


def _publiques() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(projections.__path__, "projections."):
        lu = import_module(module.name)
        for nom, fonction in inspect.getmembers(lu, inspect.isfunction):
            if fonction.__module__ == lu.__name__ and not nom.startswith("_"):
                yield f"{module.name.removeprefix('projections.')}.{nom}", fonction


def _types(fonction: Callable[..., Any]) -> dict[str, Any]:
    types = get_type_hints(inspect.unwrap(fonction))
    types.pop("return", None)
    return types


def test_every_query_takes_a_perimeter_and_none_has_a_default() -> None:
    sans = set()
    for nom, fonction in _publiques():
        types = _types(fonction)
        if not any(getattr(t, "__origin__", t) is Connection for t in types.values()):
            continue
        donnes = [n for n, t in types.items() if t in {Perimetre, Lignes}]
        if not donnes:
            sans.add(nom)
        parametres = inspect.signature(fonction).parameters
        assert [n for n in donnes if parametres[n].default is not inspect.Parameter.empty] == []
    assert sans == set(SANS_PERIMETRE)


# --- The second say: a role that sees the rows of some PLIE --------------------------------------

#: Projections of which no limited reader reads anything, with the reason.
RESERVEES = {
    "compte": "who may act is the administrator's",
    "compte_role": "the same",
    "compte_mise_a_disposition": "the same",
}


@contextmanager
def limitee(service: Service, qui: Perimetre) -> Iterator[Connection[TupleRow]]:
    """Lend a connection of a limited reader."""
    with service.reads_limites.connection() as conn:
        limiter(conn, qui)
        yield conn


@pytest.mark.parametrize("plies", [{"A"}, {"A", "B"}, set()])
def test_the_reader_of_a_route_says_to_the_database_what_it_may_show(
    ouvert: Service, plies: set[str]
) -> None:
    """The queries hide it when this is too wide: it is looked at where the connection is lent."""
    with ExitStack() as stack:
        conn = LectureOuverte(ouvert, stack, Perimetre(frozenset(plies))).conn
        row = conn.execute("SELECT current_user, current_setting('oi.plies')::text[]").fetchone()
    assert row == (DIRECTEUR, sorted(plies))


def test_a_limited_reader_only_reads(ouvert: Service, vie: Vie) -> None:
    with limitee(ouvert, ALPHA) as conn:
        assert conn.execute("SELECT current_user, oi.lecteur_limite()").fetchone() == (
            DIRECTEUR,
            True,
        )
        for interdit in (
            "SELECT FROM oi.command",
            "SELECT FROM oi.projection_state",
            "SELECT seal FROM oi.head",
            "SELECT nb_fiches FROM projection.appel_a_projets",
            "SELECT FROM oi.montants_operation",
            "UPDATE oi.head SET position = 0",
            *(f"SELECT FROM projection.{table}" for table in RESERVEES),
        ):
            with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
                conn.execute(interdit.encode())


def test_every_projection_has_a_policy_for_limited_readers_or_nothing_for_them(
    conn: Connection[TupleRow],
) -> None:
    """A new table adds its policy to its migration, or is named above."""
    toutes = set(tables(conn))
    proteges = conn.execute(
        "SELECT c.relname, array_agg(p.polname::text ORDER BY p.polname) "
        "FROM pg_class AS c LEFT JOIN pg_policy AS p ON c.oid = p.polrelid "
        "WHERE c.relnamespace = 'projection'::regnamespace AND c.relrowsecurity "
        "GROUP BY c.relname"
    ).fetchall()
    assert dict(proteges) == {
        table: ["oi_entier"] if table in RESERVEES else ["oi_entier", "plies_du_lecteur"]
        for table in toutes
    }
    lisibles = conn.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relkind IN ('r', 'v', 'm') "
        "AND c.relnamespace IN ('oi'::regnamespace, 'projection'::regnamespace) "
        "AND has_any_column_privilege(%s, c.oid, 'SELECT')",
        (DIRECTEUR,),
    ).fetchall()
    assert {nom for (nom,) in lisibles} == toutes - set(RESERVEES) | {"event", "head"}


def test_without_a_plie_there_is_nothing(
    ouvert: Service, vie: Vie, conn: Connection[TupleRow]
) -> None:
    toutes = [("oi", "event"), *(("projection", t) for t in set(tables(conn)) - set(RESERVEES))]
    with ouvert.reads_limites.connection() as sienne:
        for quoi in (None, OI_ENTIER, Perimetre(frozenset({"inconnu"}))):
            if quoi is not None:
                limiter(sienne, quoi)
            for table in toutes:
                query = sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(*table))
                assert sienne.execute(query).fetchone() is None, (table, quoi)


@pytest.mark.parametrize("qui", [ALPHA, BETA, TOUS_LES_PLIE])
def test_the_database_shows_the_events_that_the_query_shows(
    ouvert: Service, vie: Vie, conn: Connection[TupleRow], qui: Perimetre
) -> None:
    lus = {e.position for e in journal(conn, qui, limite=10_000).lignes}
    with limitee(ouvert, qui) as sienne:
        montres = {p for (p,) in sienne.execute("SELECT position FROM oi.event").fetchall()}
    assert montres == lus != set()


def test_a_dossier_is_found_by_its_number_or_named_only_within_the_perimeter(
    vie: Vie, conn: Connection[TupleRow]
) -> None:
    """On a connection that is not limited: the queries say it by themselves."""
    de_beta = vie.operations["conventionnée"]
    numero, _ = dossier(conn, BETA, de_beta)
    assert operation_du_numero(conn, BETA, numero) == de_beta
    with pytest.raises(OperationAbsente):
        dossier(conn, ALPHA, de_beta)
    with pytest.raises(OperationAbsente):
        operation_du_numero(conn, ALPHA, numero)
    une = vie.depenses[0]
    assert set(depenses_tirees(conn, ALPHA, [une])) == {une}
    assert depenses_tirees(conn, BETA, [une]) == {}


def test_a_connection_never_keeps_the_perimeter_of_the_former_reader(
    ouvert: Service, vie: Vie, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "POOL_SIZE", 1)
    with ouvert.reads.connection() as conn:
        base = conn.info.dsn
    with application_pool(base, role=DIRECTEUR, read_only=True) as pool:
        seules = set()
        for qui in (ALPHA, BETA, TOUS_LES_PLIE, ALPHA):
            # A reader who fails leaves nothing behind either.
            with suppress(ZeroDivisionError), pool.connection() as sienne:
                assert sienne.execute("SELECT oi.plies_lus()").fetchone() == ([],)
                limiter(sienne, qui)
                rows = sienne.execute("SELECT DISTINCT plie_id FROM projection.operation")
                assert {p for (p,) in rows.fetchall()} == qui.plie_ids
                seules.add(sienne.info.backend_pid)
                raise ZeroDivisionError
        assert len(seules) == 1


# --- Both together, at the doors -----------------------------------------------------------------


@pytest.fixture
def app(ouvert: Service, vie: Vie) -> FastAPI:
    """Assemble the doors."""
    return create_app(ouvert, PortierDEssai())


@contextmanager
def lecteur(app: FastAPI, qui: Perimetre, sur: Perimetre | None) -> Iterator[TestClient]:
    """Lend a client that reads as ``qui`` on a connection limited to ``sur``; ``None``: not."""
    service: Service = app.state.service

    class Autre(LectureOuverte):
        @property
        def conn(self) -> Connection[TupleRow]:  # type: ignore[override]
            pool = service.reads if sur is None else service.reads_limites
            if not hasattr(self, "_prise"):
                self._prise = self._stack.enter_context(pool.connection())
                limiter(self._prise, sur or OI_ENTIER)
            return self._prise

    def ouvrir() -> Iterator[LectureOuverte]:
        with ExitStack() as stack:
            yield Autre(service, stack, qui)

    app.dependency_overrides[lecture] = ouvrir
    app.dependency_overrides[perimetre] = lambda: qui
    with TestClient(app, headers={"OI-Role": "auditeur"}) as client:
        yield client
    app.dependency_overrides.clear()


#: What changes from one reading to the next.
_INSTANTS = re.compile(r'"calculee_le":"[^"]*"')
SITUATIONS: list[dict[str, str]] = [
    {},
    {"effet_au": "2021-06-30"},
    {"effet_au": "2022-12-31"},
    {"connu_le": "60"},
    {"effet_au": "2022-03-31", "connu_le": "90"},
]


def repondre(http: TestClient, adresses: list[str], **dates: str) -> dict[str, tuple[int, str]]:
    """Ask every address; none may fail. No reader of some PLIE is let into the export."""
    found = {}
    # An event has no other date than its own.
    seuls = [] if dates else [f"/evenements/{position}" for position in range(1, 130)]
    for adresse in (a for a in [*adresses, *seuls] if a != "/export"):
        chemin, _, demande = adresse.partition("?")
        filtres = (
            OBLIGATOIRES.get(chemin, {}) | {"limite": "200"} | dates | dict(parse_qsl(demande))
        )
        answer = http.get(f"/api/v1{chemin}", params=filtres)
        if answer.status_code == 422:
            answer = http.get(
                f"/api/v1{chemin}",
                params={n: v for n, v in filtres.items() if n not in {"limite", *dates}},
            )
        assert answer.status_code in {200, 404}, (adresse, answer.text)
        found[adresse] = answer.status_code, _INSTANTS.sub("", answer.text)
    return found


@pytest.fixture
def adresses(app: FastAPI, vie: Vie) -> list[str]:
    """Return every address that an identifier opens, of dossiers of both PLIE."""
    with TestClient(app, headers={"OI-Role": "auditeur"}) as http:
        toutes = list(chemins(http, vie).values())
    for nom in ("conventionnée", "abandonnée", "retirée"):
        une = f"/operations/{vie.operations[nom]}"
        toutes += [une, *(f"{une}/{s}" for s in ("convention", "depenses", "contreparties"))]
    return [
        *toutes,
        *(f"/controles-operation/{i}" for i in vie.controles.values()),
        *(f"/contreparties/{i}" for i in vie.contreparties),
        *(
            f"/maquette/mouvements?mesure={mesure}"
            for mesure in ("cp_affectee", "cp_attribuee", "fse_maquette", "fse_programme")
        ),
        "/couverture?par=operation",
        "/levier?par=annee",
    ]


@pytest.mark.parametrize("dates", SITUATIONS)
@pytest.mark.parametrize("qui", [ALPHA, BETA])
def test_both_say_the_same(
    app: FastAPI, adresses: list[str], qui: Perimetre, dates: dict[str, str]
) -> None:
    """What the queries leave out, and what the database hides, are the same things."""
    with lecteur(app, qui, None) as http:
        par_les_requetes = repondre(http, adresses, **dates)
    with lecteur(app, qui, qui) as http:
        par_les_deux = repondre(http, adresses, **dates)
    assert par_les_deux == par_les_requetes


_MONTANT = re.compile(r'(?<=")\d+\.\d\d(?=")')


def montants_de(reponses: dict[str, tuple[int, str]]) -> set[str]:
    """Return every amount that answers show."""
    return {m for _, texte in reponses.values() for m in _MONTANT.findall(texte)}


@pytest.mark.parametrize("dates", SITUATIONS)
def test_a_query_that_forgot_its_perimeter_leaks_nothing(
    app: FastAPI, vie: Vie, adresses: list[str], dates: dict[str, str]
) -> None:
    """As if each query forgot: neither an identifier, nor a name, nor an amount of the other."""
    with lecteur(app, ALPHA, ALPHA) as http:
        permis = repondre(http, adresses, **dates)
    with lecteur(app, BETA, BETA) as http:
        de_l_autre = repondre(http, adresses, **dates)
    with lecteur(app, OI_ENTIER, ALPHA) as http:
        oublieux = repondre(http, adresses, **dates)
    ailleurs = [
        "PLIE Bêta",
        '"plie_id":"B"',
        "B1",
        *(str(vie.operations[nom]) for nom in ("conventionnée", "retirée", "abandonnée")),
        *(f"Bénéficiaire fictif n° {rang:02d}" for rang in (2, 4, 6, 7)),
    ]
    montants = montants_de(de_l_autre) - montants_de(permis)
    assert montants
    for adresse, (statut, texte) in oublieux.items():
        if statut == 404 or "transfert_enveloppe_decide" in texte:
            continue  # An echo of the address; a transfer, which both sides see.
        assert [secret for secret in ailleurs if secret in texte] == [], adresse
        assert not montants & montants_de({adresse: (200, texte)}), adresse


PAGES = ["/maquette", *(f"/dossiers/2021{rang:05d}" for rang in range(1, 12))]
_INSTANT_DE_PAGE = re.compile(r"Chiffres calculés le [^\n]*? jusqu’à")


@pytest.mark.parametrize("dates", [{}, {"au": "2022-03-31", "connu_le": "90"}])
def test_pages_too(app: FastAPI, vie: Vie, dates: dict[str, str]) -> None:
    def feuilleter(qui: Perimetre, sur: Perimetre | None) -> dict[str, tuple[int, str]]:
        with lecteur(app, qui, sur) as http:
            lues = {page: http.get(page, params=dates) for page in PAGES}
        return {p: (x.status_code, _INSTANT_DE_PAGE.sub("", x.text)) for p, x in lues.items()}

    sienne = feuilleter(ALPHA, ALPHA)
    assert feuilleter(ALPHA, None) == sienne
    assert {statut for statut, _ in sienne.values()} == {200, 404}
    for page, (statut, texte) in feuilleter(OI_ENTIER, ALPHA).items():
        assert (statut, "PLIE Bêta" in texte) == (sienne[page][0], False), page


def test_a_director_knows_what_the_whole_grant_comes_to(
    ouvert: Service, vie: Vie, conn: Connection[TupleRow]
) -> None:
    entiere = charger(conn, OI_ENTIER, vie.sg)
    assert entiere is not None
    assert entiere.oi_entier is None
    with limitee(ouvert, ALPHA) as sienne:
        lue = charger(sienne, ALPHA, vie.sg)
        assert lue is not None
        assert lue.oi_entier == entiere.total != lue.total
        assert {ligne.plie_id for ligne in lue.lignes} == {"A"}
        # Of a grant in which they have no PLIE, nothing.
        limiter(sienne, Perimetre(frozenset({"inconnu"})))
        rows = sienne.execute("SELECT oi.totaux_de(%s, 1000, '2030-01-01')", (vie.sg,))
        assert rows.fetchall() == []
