"""The archive of an auditor: what it holds, what makes its bytes, what catches a change."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bases import base_neuve
from fichiers import PDF
from hypothesis import given
from hypothesis import strategies as st
from portier import PortierDEssai
from starlette.testclient import TestClient
from terminal import Oi, ligne_de_commande

from aggregates.operation.events import IndicateurRenseigne
from aggregates.operation.state import OPERATION
from api.app import create_app
from api.archive.demande import ArchiveReservee, ArchiveSansObjet
from api.archive.lectures import lectures
from api.archive.tableur import Montant, cellule, table
from api.deps import perimetre
from api.v1.archives import ecrire_fiche
from oi_service import clock
from oi_service.affichage_archive import ArchiveNonEcrite
from oi_service.app import open_service
from oi_service.application import Acte, Service
from oi_service.codec import Piece
from oi_service.demo.vie import jouer
from oi_service.lieux import Lieux
from oi_service.preuve import cles
from oi_service.preuve.ancrage import Destinations, ancrer
from oi_service.preuve.ancres import ancres_du_dossier, nom_de_fichier
from oi_service.preuve.archive.composer import Composee, PointNonGarde, composer
from oi_service.preuve.archive.demande import (
    Demande,
    DossierAArchiverInconnu,
    JournalVide,
    PlieAArchiverInconnu,
    lire_demande,
)
from oi_service.preuve.archive.preuves import JournalContredit
from oi_service.preuve.point import Point
from projections.export import exporter
from projections.fiche_operation import fiche_operation
from projections.maquette import charger
from projections.perimetre import OI_ENTIER, Perimetre
from projections.situation import ACTUELLE, Situation, situation

PAGE = Path("oi_service/preuve/archive/LISEZMOI.txt")
PORTEES: dict[str, dict[str, str]] = {
    "dossier": {"dossier": "202100001"},
    "plie": {"plie": "plie-1"},
    "tout": {},
}


@pytest.fixture(scope="module")
def base(serveur: str, modele: str) -> Iterator[str]:
    """Lend the database of this file."""
    with base_neuve(serveur, modele) as adresse:
        yield adresse


@pytest.fixture(scope="module")
def joue(base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Play the demonstration, with a document that an event names and another that it lacks."""
    lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
    with open_service(base, lieux) as service:
        jouer(service, progres=lambda *_: None)
        PORTEES["dossier"]["dossier"], PORTEES["plie"]["plie"] = _un_dossier_paye(service)
        deposee = service.pieces.deposer("attestation.pdf", [PDF])
        _nommer(service, deposee.sha256, hashlib.sha256(b"jamais").hexdigest())
        yield service


@dataclass(frozen=True)
class Faite:
    """An archive composed once for the tests that only read it."""

    demande: Demande
    fichier: Path
    composee: Composee


@pytest.fixture(scope="module")
def faites(joue: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Faite]:
    """Compose one of each."""
    dossier = tmp_path_factory.mktemp("archives")
    demandes = {portee: demander(joue, portee) for portee in PORTEES}
    return {
        portee: Faite(demande, fichier, faire(joue, demande, fichier))
        for portee, demande in demandes.items()
        for fichier in [dossier / f"{portee}.zip"]
    }


def _un_dossier_paye(service: Service) -> tuple[str, str]:
    with service.reads.connection() as conn:
        row = conn.execute(
            """
            SELECT o.numero_mdfse, o.plie_id FROM projection.operation AS o
            WHERE EXISTS (
                SELECT FROM projection.mouvement AS m
                WHERE m.operation_id = o.id AND m.mesure = 'cp_affectee')
            AND EXISTS (
                SELECT FROM projection.mouvement AS m
                WHERE m.operation_id = o.id AND m.mesure = 'fse_paye')
            ORDER BY o.numero_mdfse LIMIT 1
            """
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def _nommer(service: Service, *empreintes: str) -> None:
    """Record a fact of the dossier that names documents."""
    with service.reads.connection() as conn:
        [dossier] = demander(service, "dossier").dossiers
        numero = len(fiche_operation(conn, OI_ENTIER, dossier.id).indicateurs)
    fait = IndicateurRenseigne(
        date_effet=date(2023, 6, 30),
        indicateur=numero,
        realise=Decimal(12),
        remplace=None,
        pieces=tuple(
            Piece(sha256=e, libelle="Attestation", type="attestation") for e in empreintes
        ),
    )
    acte = Acte("gestionnaire-1", "gestionnaire_oi")
    service.journal.execute(acte, lambda unit: unit.record(OPERATION, dossier.id, [fait]))


def demander(service: Service, portee: str, quand: Situation = ACTUELLE) -> Demande:
    with service.reads.connection() as conn:
        return lire_demande(conn, quand, **PORTEES[portee])


def faire(service: Service, demande: Demande, fichier: Path) -> Composee:
    return composer(service, demande, fichier, lectures(ecrire_fiche))


def verifier(fichier: Path, *options: str) -> tuple[int, str]:
    """Run the file that the archive ships, on nothing but Python."""
    programme = fichier.with_suffix(".py")
    with zipfile.ZipFile(fichier) as archive:
        programme.write_bytes(archive.read("verifier.py"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(programme), str(fichier), *options],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "utf-8", "PATH": ""},
        cwd=fichier.parent,
    )
    return done.returncode, done.stdout + done.stderr


def lire(fichier: Path, chemin: str) -> bytes:
    with zipfile.ZipFile(fichier) as archive:
        return archive.read(chemin)


def manifeste(fichier: Path) -> Any:
    return json.loads(lire(fichier, "manifeste.json"))


def positions(fichier: Path) -> list[int]:
    return [json.loads(x)["position"] for x in lire(fichier, "evenements.jsonl").splitlines()]


def chemins(fichier: Path) -> list[str]:
    with zipfile.ZipFile(fichier) as archive:
        return archive.namelist()


def lignes(octets: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(octets.decode("utf-8-sig"), newline=""), delimiter=";"))


def changer(fichier: Path, ou: Path, **remplaces: Callable[[bytes], bytes]) -> Path:
    """Write an archive again with some files changed, and a manifest that agrees with them."""
    with zipfile.ZipFile(fichier) as source, zipfile.ZipFile(ou, "w") as cible:
        dit = json.loads(source.read("manifeste.json"))
        for f in dit["fichiers"]:
            contenu = source.read(f["chemin"])
            contenu = remplaces.get(f["chemin"], lambda octets: octets)(contenu)
            f["octets"], f["sha256"] = len(contenu), hashlib.sha256(contenu).hexdigest()
            cible.writestr(f["chemin"], contenu)
        cible.writestr("manifeste.json", json.dumps(dit))
    return ou


# --- What it holds -------------------------------------------------------------------------------


@pytest.mark.parametrize("portee", PORTEES)
def test_the_file_that_it_ships_finds_it_whole(
    joue: Service, faites: dict[str, Faite], portee: str
) -> None:
    fichier, composee = faites[portee].fichier, faites[portee].composee
    code, dit = verifier(fichier)
    assert code == 0, dit
    ancre = joue.lieux.ancres / composee.point.ancre.nom
    code, dit = verifier(fichier, "--ancre", str(ancre))
    assert code == 0, dit
    lu = manifeste(fichier)
    assert lu["format"] == "oi-archive/1"
    assert lu["complet"] is (portee == "tout")
    assert lu["demande"]["portee"] == portee
    assert lu["journal"] == {
        "origine": composee.point.point.origine,
        "taille": composee.point.point.taille,
        "point": f"points/{composee.point.ancre.nom}",
    }
    assert lu["evenements"] == composee.evenements == len(positions(fichier))
    assert composee.sha256 == hashlib.sha256(fichier.read_bytes()).hexdigest()
    assert {f["chemin"] for f in lu["fichiers"]} == set(chemins(fichier)) - {"manifeste.json"}
    for f in lu["fichiers"]:
        contenu = lire(fichier, f["chemin"])
        assert (len(contenu), hashlib.sha256(contenu).hexdigest()) == (f["octets"], f["sha256"])


def test_a_complete_archive_is_the_log_up_to_its_point(
    joue: Service, faites: dict[str, Faite]
) -> None:
    fichier = faites["tout"].fichier
    taille = faites["tout"].composee.point.point.taille
    with joue.reads.connection() as conn:
        attendu = b"".join(ligne for _, ligne in zip(range(taille), exporter(conn), strict=False))
    assert lire(fichier, "evenements.jsonl") == attendu
    assert json.loads(lire(fichier, "coherence.json")) == []
    assert "preuves.jsonl" not in chemins(fichier)


def test_a_dossier_comes_without_the_life_of_the_others(faites: dict[str, Faite]) -> None:
    demande, fichier = faites["dossier"].demande, faites["dossier"].fichier
    assert demande.dossier is not None
    lus = [json.loads(x) for x in lire(fichier, "evenements.jsonl").splitlines()]
    assert [e["position"] for e in lus] == sorted({e["position"] for e in lus})
    noms = {e["name"].split(".")[0] for e in lus}
    assert {"subvention_globale", "appel_a_projets", "operation", "convention", "depense"} <= noms
    assert {"contrepartie", "registre"} <= noms
    ailleurs = {
        e["data"]["operation_id"]
        for e in lus
        if e["name"].startswith(("depense.", "contrepartie")) and "operation_id" in e["data"]
    }
    assert ailleurs == {str(demande.dossier.id)}
    assert {e["stream_id"] for e in lus if e["name"].startswith("operation.")} == {
        str(demande.dossier.id)
    }


def test_the_archive_of_a_plie_holds_all_of_its_dossiers(faites: dict[str, Faite]) -> None:
    demande, fichier = faites["plie"].demande, faites["plie"].fichier
    assert set(positions(faites["dossier"].fichier)) <= set(positions(fichier))
    dossiers = {c.split("/")[1] for c in chemins(fichier) if c.count("/") == 2}
    assert dossiers == {d.numero for d in demande.dossiers}
    assert len(dossiers) > 1


@pytest.mark.parametrize("portee", ["dossier", "plie"])
def test_the_readings_rest_on_events_that_are_there(faites: dict[str, Faite], portee: str) -> None:
    fichier = faites[portee].fichier
    la = set(positions(fichier))
    for chemin in chemins(fichier):
        if chemin.endswith("histoire.csv"):
            assert {int(x[0]) for x in lignes(lire(fichier, chemin))[1:]} <= la
        if chemin.endswith("provenance.csv"):
            assert {int(x[3]) for x in lignes(lire(fichier, chemin))[1:] if x[3]} <= la
        if chemin.endswith("calculs.csv"):
            cites = re.findall(r"\(n° (\d+)\)", lire(fichier, chemin).decode())
            assert {int(n) for n in cites} <= la, chemin


def test_the_documents_that_were_deposited_come_and_the_others_are_named(
    faites: dict[str, Faite],
) -> None:
    fichier, composee = faites["dossier"].fichier, faites["dossier"].composee
    deposee = hashlib.sha256(PDF).hexdigest()
    assert lire(fichier, f"pieces/{deposee}") == PDF
    assert manifeste(fichier)["pieces_absentes"] == [hashlib.sha256(b"jamais").hexdigest()]
    la = [c for c in chemins(fichier) if c.startswith("pieces/")]
    assert (composee.pieces, composee.pieces_absentes, composee.pieces_alterees) == (len(la), 1, 0)


def test_a_document_that_changed_on_the_disk_is_left_out_and_said(
    joue: Service, tmp_path: Path
) -> None:
    deposee = hashlib.sha256(PDF).hexdigest()
    place = joue.lieux.pieces / deposee[:2] / deposee
    place.chmod(0o640)
    place.write_bytes(b"%PDF-1.4 autre chose")
    try:
        composee = faire(joue, demander(joue, "dossier"), tmp_path / "a.zip")
    finally:
        place.write_bytes(PDF)
    assert composee.pieces_alterees == 1
    assert manifeste(tmp_path / "a.zip")["pieces_alterees"] == [deposee]
    assert f"pieces/{deposee}" not in chemins(tmp_path / "a.zip")


def test_the_rules_are_those_of_the_service_and_each_control_says_its_own(
    faites: dict[str, Faite],
) -> None:
    fichier = faites["dossier"].fichier
    la = {c.removeprefix("regles/") for c in chemins(fichier) if c.endswith(".toml")}
    assert la == {f.name for f in Path("rules").glob("*.toml")}
    versions = json.loads(lire(fichier, "regles/versions.json"))
    lus = [json.loads(x) for x in lire(fichier, "evenements.jsonl").splitlines()]
    assert (
        [
            (e["position"], e["data"]["version_regles"])
            for e in lus
            if e["name"] == "convention.csf_valide.v1"
        ]
        == [(c["position"], c["version_regles"]) for c in versions["controles"]]
        != []
    )


def test_every_sample_is_drawn_again_by_the_file_that_it_ships(
    joue: Service, faites: dict[str, Faite]
) -> None:
    with joue.reads.connection() as conn:
        row = conn.execute(
            """
            SELECT count(*) FROM oi.event AS e WHERE e.position <= %s AND e.name IN (
                'convention.echantillon_tire.v1', 'audit.echantillon_tire.v1')
            """,
            (faites["tout"].composee.point.point.taille,),
        ).fetchone()
    assert row is not None
    tirages = [c for c in chemins(faites["tout"].fichier) if c.startswith("echantillons/")]
    assert len(tirages) == row[0] > 0
    assert f"Tirages : {row[0]} joints, refaits" in verifier(faites["tout"].fichier)[1]


# --- To read -------------------------------------------------------------------------------------


def test_the_story_says_number_days_who_act_before_and_after(faites: dict[str, Faite]) -> None:
    demande, fichier = faites["dossier"].demande, faites["dossier"].fichier
    assert demande.dossier is not None
    dossier = f"lecture/{demande.dossier.numero}"
    entete, *faits = lignes(lire(fichier, f"{dossier}/histoire.csv"))
    assert entete[:7] == [
        "N°",
        "Date d’effet",
        "Enregistré le (Paris)",
        "Acteur",
        "Rôle",
        "Acte",
        "Avant → après",
    ]
    premier = faits[0]
    assert re.fullmatch(r"\d{2}/\d{2}/\d{4}", premier[1])
    assert re.fullmatch(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", premier[2])
    assert "État du dossier : – → déposé" in premier[6]
    page = lire(fichier, f"{dossier}/histoire.html").decode()
    assert "<script" not in page
    assert "http" not in page
    deposee = hashlib.sha256(PDF).hexdigest()
    assert f'href="../../pieces/{deposee}"' in page
    for fait in faits:
        assert f'id="n{fait[0]}"' in page
    assert set(re.findall(r'href="#n(\d+)"', page)) <= {f[0] for f in faits}


def test_the_state_and_the_origin_of_the_figures_are_those_that_the_service_shows(
    joue: Service, faites: dict[str, Faite]
) -> None:
    demande, fichier = faites["dossier"].demande, faites["dossier"].fichier
    assert demande.dossier is not None
    dossier = f"lecture/{demande.dossier.numero}"
    with TestClient(create_app(joue, PortierDEssai())) as http:
        montre = http.get(
            f"/api/v1/operations/{demande.dossier.id}", params={"connu_le": str(demande.jusqu_a)}
        ).json()
    assert json.loads(lire(fichier, f"{dossier}/etat.json")) == montre
    totaux = {x[0]: x[1] for x in lignes(lire(fichier, f"{dossier}/provenance.csv")) if not x[3]}
    assert totaux["FSE payé : total"] == montre["resume"]["fse_paye"].replace(".", ",")


def test_the_maquette_of_a_plie_is_its_own(joue: Service, faites: dict[str, Faite]) -> None:
    demande, fichier = faites["plie"].demande, faites["plie"].fichier
    entete, *cellules, total = lignes(lire(fichier, "lecture/maquette.csv"))
    with joue.reads.connection() as conn:
        attendue = charger(conn, demande.perimetre, situation=demande.situation)
    assert attendue is not None
    assert len(cellules) == len(attendue.lignes)
    assert total[entete.index("FSE payé")] == cellule(Montant(attendue.total.fse_paye))


def test_a_past_archive_knows_the_past_only(joue: Service, tmp_path: Path) -> None:
    with joue.reads.connection() as conn:
        [dossier] = demander(joue, "dossier").dossiers
        programmee = conn.execute(
            "SELECT position, date_effet FROM oi.event WHERE stream_id = %s AND name = %s",
            (dossier.id, "operation.programmee.v1"),
        ).fetchone()
    assert programmee is not None
    position, le = programmee
    quand = Situation(date(le.year, le.month, le.day), position)
    fichier = tmp_path / "a.zip"
    composee = faire(joue, demander(joue, "dossier", quand), fichier)
    assert manifeste(fichier)["demande"]["connu_le"] == position
    assert manifeste(fichier)["demande"]["effet_au"] == le.isoformat()
    faits = [json.loads(x) for x in lire(fichier, "evenements.jsonl").splitlines()]
    connus = [e["position"] for e in faits if not e["name"].startswith("registre.cle_")]
    assert max(connus) <= position < composee.point.point.taille
    etat = json.loads(lire(fichier, f"lecture/{dossier.numero}/etat.json"))
    assert etat["resume"]["statut"] == "programme"
    assert etat["convention"] is None
    assert f"lecture/{dossier.numero}/difference.csv" in chemins(fichier)
    assert verifier(fichier)[0] == 0


# --- The same bytes ------------------------------------------------------------------------------


@pytest.mark.parametrize("portee", PORTEES)
def test_the_same_request_gives_the_same_bytes_whatever_comes_after(
    joue: Service, faites: dict[str, Faite], tmp_path: Path, portee: str
) -> None:
    premiere = faites[portee]
    _nommer(joue, hashlib.sha256(b"plus tard").hexdigest())
    ancrer(joue, a_la_demande=True, destinations=Destinations())
    seconde = faire(joue, demander(joue, portee, premiere.demande.situation), tmp_path / "b.zip")
    assert seconde.sha256 == premiere.composee.sha256
    assert premiere.fichier.read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_every_point_up_to_its_own_comes_with_it_each_continuing_the_one_before(
    joue: Service, faites: dict[str, Faite], tmp_path: Path
) -> None:
    fichier = tmp_path / "a.zip"
    premier = joue.lieux.ancres / faites["dossier"].composee.point.ancre.nom
    jeton = premier.with_suffix(".tsr")
    jeton.write_bytes(b"jeton " + hashlib.sha256(premier.read_bytes()).digest())
    _nommer(joue, hashlib.sha256(b"encore").hexdigest())
    try:
        composee = faire(joue, demander(joue, "dossier"), fichier)
    finally:
        jeton.unlink()
    tailles = [
        a.point.taille
        for a in ancres_du_dossier(joue.lieux.ancres)
        if a.point.taille <= composee.point.point.taille
    ]
    assert len(tailles) > 1
    points = [c for c in chemins(fichier) if c.startswith("points/")]
    assert points == [
        f"points/{nom}"
        for taille in tailles
        for nom in (nom_de_fichier(taille), *([jeton.name] if taille == tailles[0] else []))
    ]
    suites = json.loads(lire(fichier, "coherence.json"))
    assert [(s["de"], s["a"]) for s in suites] == list(pairwise(tailles))
    code, dit = verifier(fichier, "--ancre", str(premier))
    assert code == 0, dit
    rompues = changer(fichier, tmp_path / "b.zip", **{"coherence.json": lambda _: b"[]"})
    assert verifier(rompues)[0] == 1


def test_a_day_and_the_last_event_of_that_day_are_the_same_request(joue: Service) -> None:
    with joue.reads.connection() as conn:
        du_jour = situation(conn, None, clock.today())
        lue = lire_demande(conn, du_jour, **PORTEES["dossier"])
        assert lue == lire_demande(conn, Situation(None, lue.jusqu_a), **PORTEES["dossier"])
        assert lue == lire_demande(
            conn, Situation(None, 10**15), dossier=str(lue.dossiers[0].id).upper()
        )


def test_asking_again_signs_nothing_and_gives_the_same_file(joue: Service, tmp_path: Path) -> None:
    premiere = faire(joue, demander(joue, "dossier"), tmp_path / "a.zip")
    ancres = len(ancres_du_dossier(joue.lieux.ancres))
    seconde = faire(joue, demander(joue, "dossier"), tmp_path / "b.zip")
    assert seconde.sha256 == premiere.sha256
    assert len(ancres_du_dossier(joue.lieux.ancres)) == ancres


def test_neither_the_clock_nor_the_environment_shows(
    joue: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demande = demander(joue, "dossier", Situation(date(2022, 12, 31)))
    premiere = faire(joue, demande, tmp_path / "a.zip")

    def jamais() -> None:
        raise AssertionError("an archive has no clock")

    monkeypatch.setattr(clock, "now", jamais)
    assert faire(joue, demande, tmp_path / "b.zip").sha256 == premiere.sha256


def test_another_process_elsewhere_makes_the_same_file(
    base: str, joue: Service, faites: dict[str, Faite], tmp_path: Path
) -> None:
    empreintes = set()
    for n, (graine, fuseau) in enumerate((("1", "Pacific/Auckland"), ("2", "America/Lima"))):
        fichier = tmp_path / f"{n}.zip"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "oi_service", "archive"),
                *("--dossier", PORTEES["dossier"]["dossier"], "--sortie", str(fichier)),
            ],
            env={
                **os.environ,
                "OI_DATABASE_URL": base,
                "OI_ANCRES_DIR": str(joue.lieux.ancres),
                "OI_PIECES_DIR": str(joue.lieux.pieces),
                "OI_CLES_DIR": str(joue.lieux.cles),
                "PYTHONHASHSEED": graine,
                "TZ": fuseau,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        empreintes.add(hashlib.sha256(fichier.read_bytes()).hexdigest())
    assert len(empreintes) == 1
    assert empreintes == {faire(joue, demander(joue, "dossier"), tmp_path / "ici.zip").sha256}


# --- What catches a change -----------------------------------------------------------------------


def _un_euro_de_plus(octets: bytes) -> bytes:
    """Change an amount of a payment."""
    trouve = re.search(rb'"montant_centimes": (\d)', octets)
    assert trouve is not None
    debut = trouve.start(1)
    chiffre = b"1" if octets[debut : debut + 1] != b"1" else b"2"
    return octets[:debut] + chiffre + octets[debut + 1 :]


@pytest.mark.parametrize("portee", ["dossier", "tout"])
@pytest.mark.parametrize(
    ("chemin", "geste"),
    [
        ("evenements.jsonl", _un_euro_de_plus),
        ("evenements.jsonl", lambda octets: octets.split(b"\n", 1)[1]),
        ("evenements.jsonl", lambda octets: octets[: octets[:-1].rindex(b"\n") + 1]),
        ("cles.json", lambda _: b"[]"),
    ],
)
def test_an_archive_that_was_altered_is_caught_though_its_manifest_agrees(
    faites: dict[str, Faite],
    tmp_path: Path,
    portee: str,
    chemin: str,
    geste: Callable[[bytes], bytes],
) -> None:
    altere = changer(faites[portee].fichier, tmp_path / "b.zip", **{chemin: geste})
    code, dit = verifier(altere)
    assert code == 1, dit
    assert "ANOMALIE" in dit


def test_no_archive_is_made_of_a_log_that_a_point_contradicts(
    joue: Service, tmp_path: Path
) -> None:
    demande = demander(joue, "dossier")
    cle = cles.etablir(joue)
    with joue.reads.connection() as conn:
        origine = cles.lire_origine(conn)
    vrai = ancres_du_dossier(joue.lieux.ancres)[-1].point
    faux = Point(origine, 3, bytes(32), vrai.instant, bytes(32)).signe(cle)
    place = joue.lieux.ancres / nom_de_fichier(3)
    place.write_text(faux.texte)
    try:
        for portee in ("dossier", "tout"):
            with pytest.raises(JournalContredit):
                faire(joue, demander(joue, portee, demande.situation), tmp_path / "a.zip")
    finally:
        place.unlink()
    assert list(tmp_path.iterdir()) == []


def test_there_is_nothing_to_archive_of_what_is_not_known(joue: Service) -> None:
    with joue.reads.connection() as conn:
        for inconnu in ("absent", "'; --", ""):
            with pytest.raises(DossierAArchiverInconnu):
                lire_demande(conn, ACTUELLE, dossier=inconnu)
            with pytest.raises(PlieAArchiverInconnu):
                lire_demande(conn, ACTUELLE, plie=inconnu)
        with pytest.raises(DossierAArchiverInconnu):
            lire_demande(conn, Situation(None, 1), **PORTEES["dossier"])
        with pytest.raises(JournalVide):
            lire_demande(conn, Situation(None, 0))


# --- Tables and page -----------------------------------------------------------------------------


def test_a_table_is_french_and_holds_no_formula() -> None:
    octets = table(
        ["Montant", "Texte"],
        [[Montant(-123456), '=HYPERLINK("x")'], [12, "@SUM(A1)"], [None, "a;b\n-c"]],
    )
    assert (
        octets
        == (
            '\ufeffMontant;Texte\r\n-1234,56;"\'=HYPERLINK(""x"")"\r\n'
            '12;\'@SUM(A1)\r\n;"a;b\n-c"\r\n'
        ).encode()
    )


@given(st.text())
def test_no_text_becomes_a_formula(texte: str) -> None:
    ecrit = cellule(texte)
    assert ecrit.removeprefix("'") == texte or ecrit == texte
    assert not re.match(r"[=+\-@\t\r\n]|\s+[=+\-@]", ecrit)


def test_the_page_for_the_auditor_is_one_page() -> None:
    dit = PAGE.read_text("utf-8")
    assert len(dit.splitlines()) <= 60
    assert max(map(len, dit.splitlines())) <= 90
    phrase = " ".join(dit.split())
    for promesse in (
        "après la dernière ancre détenue par un tiers est détectée par quiconque détient cette",
        "avant l’ancre suivante, par quelqu’un qui a tous les droits sur le système, n’est pas",
        "Qu’un fait soit enregistré ne prouve pas qu’il est vrai",
        "le sceau ne couvre que ceux-ci",
        "par un autre chemin",
        "--ancre",
        "--cle",
        "Effacer une personne détruit sa clé",
    ):
        assert promesse in phrase


# --- The doors -----------------------------------------------------------------------------------


def test_the_archive_is_downloaded_under_its_name_and_its_digest(
    joue: Service, tmp_path: Path
) -> None:
    attendue = faire(joue, demander(joue, "dossier"), tmp_path / "a.zip")
    with TestClient(create_app(joue, PortierDEssai())) as http:
        recu = http.get("/api/v1/archives", params=PORTEES["dossier"])
        page = http.get(f"/dossiers/{PORTEES['dossier']['dossier']}").text
    assert recu.status_code == 200, recu.text
    assert recu.headers["content-type"] == "application/zip"
    assert recu.headers["etag"] == f'"{attendue.sha256}"'
    nom = demander(joue, "dossier").nom
    assert recu.headers["content-disposition"] == f'attachment; filename="{nom}.zip"'
    assert recu.content == (tmp_path / "a.zip").read_bytes()
    assert f'href="/api/v1/archives?dossier={PORTEES["dossier"]["dossier"]}"' in page


def test_an_archive_is_of_one_thing_and_for_who_sees_the_whole_oi(joue: Service) -> None:
    app = create_app(joue, PortierDEssai())
    with TestClient(app) as http:
        for params in ({}, {"dossier": "1", "plie": "A"}, {"plie": "A", "tout": "true"}):
            refuse = http.get("/api/v1/archives", params=params)
            assert refuse.json()["code"] == ArchiveSansObjet.code()
        absent = http.get("/api/v1/archives", params={"dossier": "absent"})
        assert (absent.status_code, absent.json()["code"]) == (404, "dossier_a_archiver_inconnu")
        refuse = http.get("/api/v1/archives", params={"tout": "true"})
        assert (refuse.status_code, refuse.json()["code"]) == (403, "archive_de_tout_reservee")
        app.dependency_overrides[perimetre] = lambda: Perimetre(frozenset({"A"}))
        refuse = http.get("/api/v1/archives", params={"tout": "true"})
        assert (refuse.status_code, refuse.json()["code"]) == (403, ArchiveReservee.code())


def test_a_point_that_the_folder_did_not_take_makes_no_archive(
    joue: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have left by e-mail: whoever asks is told what to mend, and no file is left."""
    monkeypatch.setattr("oi_service.preuve.archive.composer.ancrer", lambda *_, **__: None)
    ailleurs = replace(joue, lieux=Lieux.sous(tmp_path / "lieux"))
    with pytest.raises(PointNonGarde, match="n’a pas pu être écrit"):
        faire(ailleurs, demander(joue, "dossier"), tmp_path / "archive.zip")
    assert [f.name for f in tmp_path.iterdir()] == []


@pytest.fixture
def oi(
    base: str,
    joue: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    """Lend the command line on the played database."""
    for nom in ("ancres", "pieces", "cles"):
        monkeypatch.setenv(f"OI_{nom.upper()}_DIR", str(getattr(joue.lieux, nom)))
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def test_the_command_writes_the_file_and_says_its_digest(
    oi: Oi, joue: Service, tmp_path: Path
) -> None:
    fichier = tmp_path / "pour-l-auditeur.zip"
    code, dit = oi("archive", "--dossier", PORTEES["dossier"]["dossier"], "--sortie", str(fichier))
    assert code == 0, dit
    assert hashlib.sha256(fichier.read_bytes()).hexdigest() in dit
    assert hashlib.sha256(lire(fichier, "manifeste.json")).hexdigest() in dit
    assert re.search(r"jamais déposées : [1-9]", dit)
    assert verifier(fichier)[0] == 0


def test_the_command_refuses_what_it_cannot_do(oi: Oi, tmp_path: Path) -> None:
    assert oi("archive") == (2, f"{ArchiveSansObjet()}\n")
    fichier = tmp_path / "absent" / "a.zip"
    code, dit = oi("archive", "--tout", "--sortie", str(fichier))
    assert (code, dit.strip()) == (2, str(ArchiveNonEcrite(fichier=fichier)))
