"""No name, address, account or social security number is readable in what the service writes.

A life with persons is lived through a real server, which logs all that it can; then every byte that
the service wrote is searched.
"""

import base64
import io
import json
import logging
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import normalize

import httpx2
import psycopg
import pytest
import uvicorn
from bases import base_neuve
from fuites import ecritures, fuites
from portier import PortierDEssai
from psycopg import sql

from api.app import create_app
from oi_service.app import open_service
from oi_service.application import Service
from oi_service.effacement import rapprocher
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.preuve.journal import verifier_journal
from oi_service.verification import verifier
from projections.export import exporter
from projections.perimetre import OI_ENTIER
from projections.personnes import toutes
from projections.rebuild import digests, rebuild

IBAN, NIR = "FR76 3000 6000 0112 3456 7890 189", "2 95 10 99 126 111 93"
#: Nobody's, and met nowhere else.
NOMS = [
    "Élodie-Fictive Contactée n° 4711",
    "Salarié-Fictif Ÿvon n° 4712",
    "Rectifiée Fictiveß 4713",
]
COURRIEL, TELEPHONE, MATRICULE = (
    "contact.4711@exemple.invalid",
    "01 99 00 47 11",
    "MATRICULE-ÉÀ-4712",
)
TEXTES = [*NOMS, COURRIEL, TELEPHONE, MATRICULE, IBAN, NIR]
JOUR = "2022-02-01"


@pytest.mark.parametrize(
    "cache",
    [
        str.encode,
        lambda t: t.upper().encode(),
        lambda t: normalize("NFD", t).lower().encode(),
        lambda t: json.dumps({"nom": t}).encode(),
        lambda t: t.encode().hex().encode(),
        lambda t: b"\\x" + t.encode("utf-16-le").hex().upper().encode(),
        *(
            lambda t, n=n: base64.b64encode(
                b"x" * n + json.dumps({"n": t}, ensure_ascii=False).encode()
            )
            for n in range(3)
        ),
    ],
)
def test_the_search_finds_a_text_however_it_is_written(cache: Any) -> None:
    for texte in TEXTES:
        assert fuites({"ici": b"avant " + cache(texte) + b" apr\xc3\xa8s"}, [texte])
    assert not fuites({"ici": b"avant " + cache("Autre Personne n\xc2\xb0 1") + b"."}, TEXTES)
    assert all(len(e) >= 6 for e in ecritures(NIR))


# --- A life ---------------------------------------------------------------------------------------


class Journaux(logging.Handler):
    """All that any module logs, with its traces."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.lignes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lignes.append(self.format(record))


@contextmanager
def serveur_http(service: Service, journaux: Journaux) -> Iterator[httpx2.Client]:
    """Serve on a port, with every log that the server may write."""
    racine = logging.getLogger()
    avant = racine.level
    racine.setLevel(logging.DEBUG)
    # Another server of this process may have cut the loggers of uvicorn from the root.
    ecoutes = [racine, *map(logging.getLogger, ("uvicorn", "uvicorn.access", "uvicorn.error"))]
    for ecoute in ecoutes:
        ecoute.addHandler(journaux)
    config = uvicorn.Config(
        create_app(service, PortierDEssai()),
        host="127.0.0.1",
        port=0,
        log_config=None,
        log_level="trace",
        access_log=True,
    )
    server = uvicorn.Server(config)
    fil = threading.Thread(target=server.run)
    fil.start()
    try:
        while not server.started:
            assert fil.is_alive(), journaux.lignes
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        # The server closes a connection on which it failed.
        seule = {"Connection": "close"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=seule) as http:
            yield http
    finally:
        server.should_exit = True
        fil.join()
        for ecoute in ecoutes:
            ecoute.removeHandler(journaux)
        racine.setLevel(avant)


@dataclass
class Porte:
    """Sends commands, and keeps what came back."""

    http: httpx2.Client
    statuts: list[int]

    def poster(self, chemin: str, corps: Any, version: int = 1, cle: object = None) -> Any:
        """Send a command, whatever becomes of it."""
        answer = self.http.post(
            f"/api/v1{chemin}",
            json=corps,
            headers={
                "OI-Acteur": "gestionnaire-1",
                "OI-Role": "gestionnaire_oi",
                "Idempotency-Key": str(cle or new_id()),
                "If-Match": f'"{version}"',
            },
        )
        self.statuts.append(answer.status_code)
        return answer

    def faire(self, *args: Any, **kwargs: Any) -> Any:
        """Send a command that must be accepted."""
        answer = self.poster(*args, **kwargs)
        assert answer.is_success, answer.text
        return answer.json()

    def lire(self, chemin: str, role: str = "gestionnaire_oi") -> Any:
        """Read."""
        answer = self.http.get(chemin, headers={"OI-Role": role})
        self.statuts.append(answer.status_code)
        return answer


@dataclass
class Vecue:
    """What the life left."""

    base: str
    service: Service
    personnes: list[str]
    avant: dict[str, Any]  #: digests of the projections before anybody was erased
    lieux: dict[str, bytes]
    statuts: list[int]


@pytest.fixture(scope="module")
def vecue(
    serveur: str,
    modele: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Vecue]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    journaux = Journaux()
    capture = pytest.MonkeyPatch()
    ecrit: list[str] = []
    with base_neuve(serveur, modele) as base, open_service(base, lieux) as service:
        # What structlog and uncaught errors print.
        for flux in ("stdout", "stderr"):
            capture.setattr(f"sys.{flux}", _Copie(ecrit))
        try:
            with serveur_http(service, journaux) as http:
                porte = Porte(http, [])
                ids = _vivre(porte)
                with service.reads.connection() as conn:
                    avant = digests(conn)
                _effacer(porte, service, ids)
                rapprocher(service)
                archive = _archive(porte)
        finally:
            capture.undo()
        trouves = {
            "journaux": "\n".join(journaux.lignes).encode(),
            "terminal": "".join(ecrit).encode(),
        }
        trouves |= _base(base, serveur) | _dossiers(lieux) | archive
        with service.reads.connection() as conn:
            trouves["oi exporter"] = b"".join(exporter(conn))
        yield Vecue(base, service, ids, avant, trouves, porte.statuts)


class _Copie:
    """A stream that keeps what is written."""

    def __init__(self, ecrit: list[str]) -> None:
        self._ecrit = ecrit

    def write(self, texte: str) -> int:
        self._ecrit.append(texte)
        return len(texte)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


SUBVENTION = {
    "date_effet": "2018-02-12",
    "oi_id": "oi-essai",
    "oi_nom": "Organisme intermédiaire fictif",
    "reglement": "2014-2020",
    "numero": "SG1",
    "agd": "DREETS",
    "programme_cci": "2014FR05SFOP001",
    "programme": "PON FSE",
    "programmation": {"debut": "2018-01-01", "fin": "2022-12-31"},
    "realisation": {"debut": "2018-01-01", "fin": "2023-12-31"},
    "fse_total": "1000000.00",
    "plie": [{"plie_id": "A", "nom": "PLIE A"}],
    "objectifs_specifiques": [{"code": "OS1", "libelle": "Parcours"}],
    "nature_des_donnees": "fictives",
}


def _vivre(porte: Porte) -> list[str]:
    """Record persons, rectify one, and be refused in every way; return who they are."""
    sg = porte.faire("/subventions-globales", SUBVENTION)["id"]
    contact = {
        "nature": "contact_beneficiaire",
        "nom": NOMS[0],
        "fonction": NOMS[0],
        "courriel": COURRIEL,
        "telephone": TELEPHONE,
    }
    salarie = {"nature": "salarie", "nom": NOMS[1], "reference": MATRICULE}

    def corps(identite: Any) -> Any:
        return {"date_effet": JOUR, "subvention_globale_id": sg, "identite": identite}

    cle = new_id()
    ids = [
        porte.faire("/personnes", corps(contact), cle=cle)["id"],
        porte.faire("/personnes", corps(salarie))["id"],
    ]
    porte.faire("/personnes", corps(contact), cle=cle)
    rectifiee = {"date_effet": JOUR, "motif": "Nom mal lu"}
    porte.faire(
        f"/personnes/{ids[0]}/rectifications",
        rectifiee | {"identite": contact | {"nom": NOMS[2]}},
    )
    for qui in ("gestionnaire_oi", "directeur_plie"):
        porte.lire(f"/api/v1/personnes/{ids[0]}", qui)
    essai = {"chemin": "/api/v1/personnes", "corps": corps(contact)}
    porte.poster(
        "/essais", {"commandes": [essai, essai | {"corps": corps(salarie | {"x": NOMS[0]})}]}
    )

    # Refused: malformed, contrary to a rule, stale, unknown, under a key that served.
    for faux in (
        corps(contact | {"telephone": NOMS[0]}),
        corps(contact | {"courriel": NOMS[1]}),
        corps(contact | {"iban": IBAN}),
        corps(contact | {"fonction": f"compte {IBAN}"}),
        corps(salarie | {"reference": NIR}),
        corps(NOMS[0]),
        corps(contact) | {"subvention_globale_id": str(new_id())},
        corps(contact) | {"subvention_globale_id": NOMS[0]},
        [NOMS[0]],
    ):
        assert porte.poster("/personnes", faux).status_code in {404, 422}
    porte.poster("/personnes", corps(salarie), cle=cle)
    chemin = f"/personnes/{ids[0]}/rectifications"
    porte.poster(chemin, rectifiee | {"identite": salarie}, 2)
    porte.poster(chemin, rectifiee | {"identite": contact}, 1)
    porte.poster(f"/personnes/{new_id()}/rectifications", rectifiee | {"identite": contact})
    for motif in (f"Virer sur {IBAN}", f"N° {NIR}"):
        effacee = {"date_effet": JOUR, "motif": motif, "demandeur": "personne_concernee"}
        assert porte.poster(f"/personnes/{ids[0]}/effacements", effacee, 2).status_code == 422
        attribuee = {"date_effet": JOUR, "motif": motif, "annee": 2021}
        assert porte.poster(f"/subventions-globales/{sg}/tranches", attribuee).status_code == 422
    porte.http.post("/api/v1/personnes", content=f'{{"nom": "{NOMS[0]}"'.encode())
    return ids


def _effacer(porte: Porte, service: Service, ids: list[str]) -> None:
    """Break the vault for a while, then erase everybody."""
    coffre = service.coffre.dossier
    ailleurs = coffre.with_name("ailleurs")
    coffre.rename(ailleurs)
    # Not a folder any more: every act on persons is a bug of the service, with its trace.
    coffre.write_bytes(b"")
    contact = {"nature": "contact_beneficiaire", "nom": NOMS[0], "courriel": COURRIEL}
    corps = {"date_effet": JOUR, "motif": "Erreur", "identite": contact}
    assert porte.poster(f"/personnes/{ids[0]}/rectifications", corps, 2).status_code == 500
    assert porte.lire(f"/api/v1/personnes/{ids[0]}").status_code == 500
    coffre.unlink()
    ailleurs.rename(coffre)
    effacement = {"date_effet": JOUR, "motif": "Demande", "demandeur": "personne_concernee"}
    for personne, version in zip(ids, (2, 1), strict=True):
        porte.faire(f"/personnes/{personne}/effacements", effacement, version)
        assert porte.lire(f"/api/v1/personnes/{personne}").json()["acces"] == "effacee"
    assert porte.poster(f"/personnes/{ids[0]}/rectifications", corps, 3).status_code == 409
    for page in ("/api/v1/journal", "/api/v1/export", "/maquette"):
        assert porte.lire(page, role="auditeur").status_code == 200


def _base(base: str, serveur: str) -> dict[str, bytes]:
    """Return every table as text, as a dump writes it, and the log of the server if it is ours."""
    found = {}
    with psycopg.connect(base) as conn:
        tables = conn.execute(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
            with conn.cursor().copy(query) as lignes:
                found[f"{schema}.{table}"] = b"".join(bytes(ligne) for ligne in lignes)
    assert {"oi.event", "oi.command", "projection.mouvement"} <= set(found)
    with psycopg.connect(serveur) as conn:
        row = conn.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    for fichier in Path(row[0]).parent.glob("*.log"):
        found[fichier.name] = fichier.read_bytes()
    return found


def _archive(porte: Porte) -> dict[str, bytes]:
    """Return each file of what the auditor takes away."""
    answer = porte.lire("/api/v1/archives?tout=true", role="auditeur")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as paquet:
        return {f"archive/{nom}": paquet.read(nom) for nom in paquet.namelist()}


def _dossiers(lieux: Lieux) -> dict[str, bytes]:
    racine = lieux.cles.parent
    return {str(f.relative_to(racine)): f.read_bytes() for f in racine.rglob("*") if f.is_file()}


# --- What it left ---------------------------------------------------------------------------------


def test_nothing_that_the_service_wrote_holds_a_person(vecue: Vecue) -> None:
    assert fuites(vecue.lieux, TEXTES) == []


def test_the_life_went_through_every_kind_of_answer_and_was_logged(vecue: Vecue) -> None:
    assert {200, 201, 404, 409, 412, 422, 500} <= set(vecue.statuts)
    logs = vecue.lieux["journaux"].decode()
    assert "POST /api/v1/personnes" in logs
    assert "NotADirectoryError" in logs
    assert b"personne.rectifiee.v1" in vecue.lieux["oi.event"]
    assert b"personne.effacee.v1" in vecue.lieux["oi exporter"]
    assert b"personne.effacee.v1" in vecue.lieux["archive/evenements.jsonl"]
    assert "effacements_termines" not in vecue.lieux["terminal"].decode()


def test_nobody_can_be_read_any_more(vecue: Vecue) -> None:
    assert vecue.service.coffre.personnes() == frozenset()
    assert not any(nom.endswith(".cle") for nom in vecue.lieux)
    with vecue.service.reads.connection() as conn:
        assert {p.acces for p in toutes(conn, OI_ENTIER, vecue.service.coffre)} == {"effacee"}


def test_the_seal_holds_and_the_money_did_not_move(vecue: Vecue) -> None:
    with psycopg.connect(vecue.base, autocommit=True) as conn:
        assert verifier_journal(conn).anomalies == []
        assert digests(conn) == vecue.avant
    assert [c.code for c in verifier(vecue.base) if c.ecarts] == []
    assert rebuild(vecue.base, replace=False).different == ()
