"""Golden vectors of the proof: the database, the service and the standalone verifier agree on bytes
that were written once, and that never change again.

They are written by the database and the service when the file is not there, which happened once.
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from archive_exemple import coherence_de, inclusion_de, manifester, racine_de
from bases import base_neuve
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import Connection
from psycopg.types.json import Jsonb

from oi_service.preuve.arbre import Arbre, Niveaux
from oi_service.preuve.archive import verifier
from oi_service.preuve.forme import ENREGISTREMENT, SCEAU_INITIAL, sceau
from oi_service.preuve.point import Point, octets_publics, origine_de
from projections.export import entre

FICHIER = Path(__file__).with_name("vecteurs.json")
GRAINE = bytes(range(32))
#: The payload of one megabyte, which the file only describes.
MOTIF, FOIS = '« été » / e\u0301 \\\\ \\" ', 50_000
CHARGE = MOTIF * FOIS
REPERE = "<charge>"
INSTANT = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)

COMPOSE, DECOMPOSE = "\u00e9t\u00e9, \u00e7a, \u0152uvre", "e\u0301te\u0301, c\u0327a"

Cas = dict[str, Any]

#: What each event is there for, and the columns in which it differs from a plain one.
CAS: list[tuple[str, Cas]] = [
    (
        "écrit avant le sceau : schéma 0, sans empreinte, sans motif ni pièce, premier jour",
        {
            "seal_scheme": 0,
            "fingerprint": None,
            "motif": None,
            "date_effet": date(1, 1, 1),
            "enregistre_le": datetime(1, 1, 1, tzinfo=UTC),
        },
    ),
    (
        "schéma 0 : un motif vide n’est pas l’absence de motif",
        {"seal_scheme": 0, "fingerprint": None, "motif": ""},
    ),
    ("schéma 1, sans motif", {"motif": None}),
    ("accents composés (NFC)", {"acteur": COMPOSE, "motif": COMPOSE, "data": {COMPOSE: COMPOSE}}),
    (
        "accents décomposés (NFD)",
        {"acteur": DECOMPOSE, "motif": DECOMPOSE, "data": {DECOMPOSE: DECOMPOSE}},
    ),
    (
        "guillemets, barres et tout ce qui délimite une ligne",
        {
            "acteur": '", "role" : "autre',
            "role": "\\",
            "oi_id": '\\", "pieces" : [], "data" : {}}',
            "reglement": "{[,:]} / ' ; | \u2019 « »",
            "motif": '\\\\"\\"',
            "data": {'", "data" : {}}': '\\"}\n{"position" : 1'},
        },
    ),
    (
        "caractères de commande, DEL, séparateurs Unicode, hors du plan de base",
        {
            "motif": "\u0001\b\t\n\u000b\f\r\u001f\u007f\u0080\u2028\u2029\ufeff\ufffd\U0001f4b6",
            "data": {"c": "\u0001\b\t\n\u000b\f\r\u001f\u007f\u0080\u2028\u2029\ufeff\U0001f4b6"},
        },
    ),
    (
        "nombres : longs, avec des zéros de fin, très grands, très petits, négatifs",
        {
            "data": '{"long": 123456789012345678901234567890, "zeros": 1.10, "grand": 1e400, '
            '"petit": 1E-20, "moins": -0, "fraction": 0.1000, "entier": 9007199254740993}'
        },
    ),
    (
        "clés : l’ordre de jsonb, la dernière de deux égales, vides, et d’autres objets",
        {"data": '{"bb":1,"a" : [ ] ,"":{"z":null,"y":[true,false,{"x":{}}]},"a":"dernier","A":2}'},
    ),
    (
        "deux pièces",
        {
            "pieces": [
                {
                    "sha256": sha256(b"une").hexdigest(),
                    "libelle": f"Facture « {COMPOSE} »",
                    "type": "facture",
                    "date_piece": "2024-02-29",
                },
                {
                    "sha256": sha256(b"deux").hexdigest(),
                    "libelle": f'Relevé "{DECOMPOSE}", "data" : {{}}',
                    "type": "releve",
                    "date_piece": None,
                },
            ]
        },
    ),
    ("empreinte vide, qui n’est pas son absence", {"fingerprint": b""}),
    ("textes vides", {"acteur": "", "role": "", "oi_id": "", "reglement": "", "motif": ""}),
    (
        "une cause, et des identifiants extrêmes",
        {"cause_id": UUID(int=0), "command_id": UUID(int=(1 << 128) - 1)},
    ),
    ("un mégaoctet", {"data": f'{{"texte": "{CHARGE}"}}'}),
    (
        "veille de l’an 2000, à une microseconde près",
        {
            "date_effet": date(1999, 12, 31),
            "enregistre_le": datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        },
    ),
    (
        "dernier jour et dernière microseconde",
        {
            "date_effet": date(9999, 12, 31),
            "enregistre_le": datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        },
    ),
]
#: One that is not of the log of the others: a very large place, the largest version.
HORS_SERIE: Cas = {"position": 9_223_372_036_854_775, "version": 2_147_483_647}


def identifiant(quoi: str, n: int) -> UUID:
    return UUID(bytes=sha256(f"{quoi} {n}".encode()).digest()[:16])


def colonnes(n: int, cas: Cas) -> Cas:
    """Return the columns of an event of the vectors, as they are inserted."""
    colonnes = {
        "position": n,
        "stream_id": identifiant("flux", n),
        "version": 1,
        "event_id": identifiant("evenement", n),
        "name": "convention.paiement_emis.v1",
        "data": {},
        "date_effet": date(2024, 2, 29),
        "enregistre_le": datetime(2024, 2, 29, 12, 30, 45, 123_456, tzinfo=UTC),
        "acteur": "gestionnaire-1",
        "role": "gestionnaire",
        "oi_id": "oi-fictif",
        "reglement": "2021-2027",
        "motif": "motif",
        "pieces": [],
        "command_id": identifiant("commande", n),
        "fingerprint": sha256(b"demande").digest(),
        "correlation_id": identifiant("commande", n),
        "cause_id": None,
        "seal_scheme": 1,
        **cas,
    }
    for nom in ("data", "pieces"):
        if not isinstance(colonnes[nom], str):
            colonnes[nom] = Jsonb(colonnes[nom])
    return colonnes


def inserer(conn: Connection[Any], evenement: Cas, precedent: bytes) -> bytes:
    """Write an event with the seal that the service gives it; return the seal."""
    conn.execute("CREATE TEMPORARY TABLE IF NOT EXISTS brouillon (LIKE oi.event)")
    conn.execute("TRUNCATE brouillon")
    _ecrire(conn, "brouillon", {**evenement, "seal": None})
    suivant = sceau(precedent, enregistrement(conn, "brouillon"))
    _ecrire(conn, "oi.event", {**evenement, "seal": suivant})
    return suivant


def _ecrire(conn: Connection[Any], table: str, evenement: Cas) -> None:
    champs = ", ".join(
        f"%({nom})s::jsonb" if nom in {"data", "pieces"} else f"%({nom})s" for nom in evenement
    )
    conn.execute(
        f"INSERT INTO {table} ({', '.join(evenement)}) VALUES ({champs})",  # noqa: S608 - our names
        evenement,
    )


def enregistrement(conn: Connection[Any], table: str, position: int | None = None) -> bytes:
    """Return what the database sends of a record."""
    row = conn.execute(
        f"SELECT {ENREGISTREMENT} FROM {table} AS e "  # noqa: S608 - our names
        "WHERE e.position = coalesce(%s, e.position)",
        (position,),
    ).fetchone()
    assert row is not None
    octets: bytes = row[0]
    return octets


@pytest.fixture(scope="module")
def conn(serveur: str, modele: str) -> Iterator[Connection[Any]]:
    """Lend a base whose log is that of the vectors."""
    with (
        base_neuve(serveur, modele) as base,
        psycopg.connect(base, autocommit=True) as conn,
    ):
        precedent = SCEAU_INITIAL
        for n, (_, cas) in enumerate(CAS, 1):
            precedent = inserer(conn, colonnes(n, cas), precedent)
        inserer(conn, colonnes(0, HORS_SERIE), SCEAU_INITIAL)
        yield conn


def produire(conn: Connection[Any]) -> dict[str, Any]:
    """Return the vectors as the database and the service make them."""
    evenements, precedent, sceaux = [], SCEAU_INITIAL, []
    quoi = [*(dit for dit, _ in CAS), "hors série : une très grande place, la plus grande version"]
    positions = [*range(1, len(CAS) + 1), HORS_SERIE["position"]]
    for dit, n in zip(quoi, positions, strict=True):
        precedent = SCEAU_INITIAL if n > len(CAS) else precedent
        octets = enregistrement(conn, "oi.event", n)
        (ligne,) = entre(conn, n, n)
        court = ligne.decode().replace(CHARGE, REPERE)
        suivant = sceau(precedent, octets)
        evenements.append(
            {
                "quoi": dit,
                "ligne": court,
                "precedent": precedent.hex(),
                "enregistrement": octets.hex() if REPERE not in court else None,
                "octets": len(octets),
                "enregistrement_sha256": sha256(octets).hexdigest(),
                "sceau": suivant.hex(),
            }
        )
        precedent = suivant
        sceaux.append(suivant)
    sceaux.pop()
    niveaux, cle = Niveaux(sceaux), Ed25519PrivateKey.from_private_bytes(GRAINE)
    point = Point(
        origine=origine_de(identifiant("evenement", 1)),
        taille=len(CAS),
        racine=niveaux.racine(),
        instant=INSTANT,
        sceau=sceaux[-1],
    )
    return {
        "charge": {"repere": REPERE, "motif": MOTIF, "fois": FOIS},
        "evenements": evenements,
        "racines": [niveaux.racine(n).hex() for n in range(1, len(CAS) + 1)],
        "inclusion": {
            "position": 6,
            "taille": len(CAS),
            "preuve": [h.hex() for h in niveaux.inclusion(5, len(CAS))],
        },
        "coherence": {
            "de": 6,
            "a": len(CAS),
            "preuve": [h.hex() for h in niveaux.coherence(6, len(CAS))],
        },
        "cle": {
            "secrete": GRAINE.hex(),
            "publique": base64.b64encode(octets_publics(cle.public_key())).decode(),
        },
        "point": point.signe(cle).texte,
    }


def lire() -> dict[str, Any]:
    vecteurs: dict[str, Any] = json.loads(FICHIER.read_text("utf-8"))
    return vecteurs


def ligne_de(vecteur: dict[str, Any]) -> bytes:
    return str(vecteur["ligne"]).replace(REPERE, CHARGE).encode()


def test_the_database_and_the_service_make_the_stored_vectors(conn: Connection[Any]) -> None:
    faits = produire(conn)
    if not FICHIER.exists():
        ecrits = json.dumps(faits, ensure_ascii=True, indent=1) + "\n"
        FICHIER.write_text(ecrits, "utf-8")
    assert faits == lire()


def test_the_standalone_verifier_makes_the_stored_vectors() -> None:
    vecteurs = lire()
    for vecteur in vecteurs["evenements"]:
        champs, octets, _ = verifier.lire_ligne(ligne_de(vecteur))
        assert vecteur["enregistrement"] in {None, octets.hex()}
        assert len(octets) == vecteur["octets"]
        assert sha256(octets).hexdigest() == vecteur["enregistrement_sha256"]
        suivant = sha256(bytes.fromhex(vecteur["precedent"]) + octets).hexdigest()
        assert (suivant, champs["seal"]) == (vecteur["sceau"], vecteur["sceau"])


def test_the_trees_of_the_service_and_of_the_definition_have_the_stored_roots() -> None:
    vecteurs = lire()
    sceaux = [bytes.fromhex(v["sceau"]) for v in vecteurs["evenements"][:-1]]
    arbre, racines = Arbre(), []
    for donnee in sceaux:
        arbre.ajouter(donnee)
        racines.append(arbre.racine().hex())
    assert racines == vecteurs["racines"]
    assert racines == [racine_de(sceaux[:n]).hex() for n in range(1, len(sceaux) + 1)]
    inclusion, coherence = vecteurs["inclusion"], vecteurs["coherence"]
    assert inclusion["preuve"] == [h.hex() for h in inclusion_de(inclusion["position"] - 1, sceaux)]
    assert coherence["preuve"] == [h.hex() for h in coherence_de(coherence["de"], sceaux)]


def test_the_vectors_are_an_archive_that_the_standalone_verifier_finds_intact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    vecteurs = lire()
    evenements = vecteurs["evenements"][:-1]
    dossier = tmp_path / "archive"
    (dossier / "points").mkdir(parents=True)
    (dossier / "evenements.jsonl").write_bytes(b"".join(map(ligne_de, evenements)))
    (dossier / "points" / "ancre.txt").write_text(vecteurs["point"], "utf-8")
    (dossier / "coherence.json").write_text("[]", "utf-8")
    cle = {"cle": vecteurs["cle"]["publique"], "depuis": 0, "signature": None}
    (dossier / "cles.json").write_text(json.dumps([cle]), "utf-8")
    citees = {sha256(octets).hexdigest() for octets in (b"une", b"deux")}
    manifester(
        dossier,
        {
            "format": "oi-archive/1",
            "demande": {},
            "journal": {
                "origine": vecteurs["point"].split("\n")[0],
                "taille": len(evenements),
                "point": "points/ancre.txt",
            },
            "complet": True,
            "evenements": len(evenements),
            "pieces_absentes": sorted(citees),
        },
    )
    monkeypatch.setattr("sys.argv", ["verifier.py", str(dossier)])
    assert verifier.principal() == 0
    assert "ANOMALIE" not in capsys.readouterr().out


def test_the_document_of_the_format_shows_a_vector_as_it_is() -> None:
    texte = (Path(__file__).parents[2] / "docs" / "format-de-la-preuve.md").read_text("utf-8")
    vecteurs = lire()
    premier = vecteurs["evenements"][0]
    blocs = ["".join(bloc.split()) for bloc in texte.split("```")[1::2]]
    assert premier["enregistrement"] in blocs
    assert f"\n```\n{vecteurs['point']}```\n" in texte
    for ecrit in (premier["sceau"], vecteurs["racines"][0], vecteurs["cle"]["publique"]):
        assert f"`{ecrit}`" in texte
    for morceau in re.findall(r"`(\{\"position\" : 1, [^…]*)…`", texte):
        assert premier["ligne"].startswith(morceau)
