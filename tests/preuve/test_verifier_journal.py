"""`oi verifier-journal`, as a person runs it: what it prints of a whole log, and of one altered."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alterations import ALTERATIONS_DES_PIECES
from psycopg import Connection
from terminal import Oi, ligne_de_commande
from vie import Vie

from aggregates.registre.events import LivresVerifies
from aggregates.registre.state import REGISTRE, REGISTRE_ID
from oi_service.application import Acte, Service
from oi_service.codec import Piece
from oi_service.preuve.ancrage import ancrer
from oi_service.preuve.examen import ETAPE
from oi_service.preuve.journal import Etape, verifier_journal
from oi_service.preuve.point import en_base64

PIECES = (b"Une facture.\n", b"Une autre facture.\n")


@pytest.fixture
def vecue(service: Service) -> Service:
    """Lend a log of some acts, that names one document kept here, and was anchored twice."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("300000.00")
    ancrer(service, a_la_demande=True)
    vie.enveloppe("A", "90000.00")
    for contenu in PIECES:
        service.pieces.deposer("facture.txt", [contenu])
    note = LivresVerifies(
        date_effet=date(2022, 1, 1),
        pieces=tuple(
            Piece(sha256=sha256, libelle="Facture", type="facture")
            for sha256 in sorted(hashlib.sha256(contenu).hexdigest() for contenu in PIECES)
        ),
        jusqua_position=1,
        points=(),
        duree_ms=1,
        version_code="0",
    )
    service.journal.execute(
        Acte("systeme", "systeme"), lambda unit: unit.record(REGISTRE, REGISTRE_ID, [note])
    )
    ancrer(service, a_la_demande=True)
    return service


@pytest.fixture
def oi(
    base: str,
    vecue: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    for nom in ("pieces", "cles", "ancres"):
        monkeypatch.setenv(f"OI_{nom.upper()}_DIR", str(getattr(vecue.lieux, nom)))
    return ligne_de_commande(base, capsys, monkeypatch, 100)


@contextmanager
def plein_pouvoir(base: str) -> Iterator[Connection[Any]]:
    """Lend what somebody with full control of the database can do."""
    with psycopg.connect(base) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


def defauts(dit: str) -> dict[str, list[str]]:
    """Return what was found wrong, by the code of the check."""
    trouves: dict[str, list[str]] = {}
    code = ""
    for ligne in dit.splitlines():
        if trouve := re.match(r"[✓✗] ([A-Z]\d)  ", ligne):
            code = trouve[1]
        elif ligne.startswith("      "):
            trouves.setdefault(code, []).append(ligne.strip())
    return trouves


def test_a_log_that_nobody_touched(oi: Oi) -> None:
    code, dit = oi("verifier-journal")
    assert (code, defauts(dit)) == (0, {})
    assert "✓ S1  Chaque événement porte le sceau de ses octets" in dit
    assert "Ancres que le journal continue : 2." in dit
    assert "ni que rien n’a été refait depuis la dernière ancre" in dit
    assert dit.endswith("Le journal est intact.\n")


def test_an_altered_event_is_named_first(oi: Oi, base: str) -> None:
    with plein_pouvoir(base) as conn:
        conn.execute("UPDATE oi.event SET acteur = 'quelqu-un-d-autre' WHERE position = 2")
    code, dit = oi("verifier-journal")
    assert code == 1
    [ecart] = defauts(dit)["S1"]
    assert ecart.startswith("événement n° 2 : son contenu n’est pas celui qui a été scellé")
    assert "acteur : la commande acceptée en nomme un autre" in ecart
    assert "Premier événement en cause : n° 2." in dit
    assert dit.endswith("Le journal n’est PAS intact.\n")


def test_a_projection_changed_behind_is_shown_with_what_it_should_be(oi: Oi, base: str) -> None:
    with plein_pouvoir(base) as conn:
        conn.execute(
            "UPDATE projection.mouvement SET centimes = 1 WHERE position = 2 AND centimes > 1"
        )
    code, dit = oi("verifier-journal")
    assert code == 1
    trouves = defauts(dit)
    assert set(trouves) == {"P1"}
    assert re.search(
        r"projection mouvement : \(2,.*,1,.* affiché, \(2,.* recalculé", trouves["P1"][0]
    )


@pytest.mark.parametrize("comment", ALTERATIONS_DES_PIECES)
def test_the_file_of_a_document_altered_on_disk(oi: Oi, vecue: Service, comment: str) -> None:
    fautives = ALTERATIONS_DES_PIECES[comment](
        [place for _, place in sorted((f.name, f) for f in vecue.lieux.pieces.glob("??/*"))]
    )
    code, dit = oi("verifier-journal")
    assert code == 1
    ecarts = defauts(dit)["S5"]
    assert [e[e.index("(") + 1 : -1] for e in ecarts] == [f.name for f in fautives]
    with vecue.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.event WHERE pieces <> '[]'").fetchone()
    assert row is not None
    debut = f"événement n° {row[0]}, pièce « Facture » : son fichier n’est plus "
    assert all(ecart.startswith(debut) for ecart in ecarts)


def test_a_tail_that_was_cut_is_told_by_the_anchor_that_a_third_party_held(
    oi: Oi, base: str, vecue: Service, tmp_path: Path
) -> None:
    """Whoever holds the database and the folder cuts both: the point sent by e-mail remains."""
    derniere = max(vecue.lieux.ancres.glob("ancre-*.txt"))
    tenue = tmp_path / "recue.txt"
    derniere.rename(tenue)
    premiere = int(min(vecue.lieux.ancres.glob("ancre-*.txt")).stem.split("-")[1])
    with plein_pouvoir(base) as conn:
        fin = premiere + 2  # The event that notes the first anchor is left.
        conn.execute("DELETE FROM oi.event WHERE position > %s", (fin,))
        conn.execute("DELETE FROM oi.command WHERE last_position > %s", (fin,))
        conn.execute(
            "UPDATE oi.head SET (position, enregistre_le, seal) = "
            "(SELECT position, enregistre_le, seal FROM oi.event ORDER BY position DESC LIMIT 1)"
        )
    oi("rebuild")
    code, dit = oi("verifier-journal")
    assert (code, defauts(dit)) == (0, {})  # Consistent with all that is left: nothing shows.
    code, dit = oi("verifier-journal", "--ancre", str(tenue))
    assert code == 1
    [ecart] = defauts(dit)["S2"]
    # The log went on after the cut, as `oi rebuild` noted itself in it.
    assert f"événement n° {premiere + 1} : l’ancre" in ecart
    assert "quelque chose a été changé ou retiré, puis la suite scellée de nouveau" in ecart


def test_anchors_of_another_log_or_that_nobody_signed(
    oi: Oi, vecue: Service, tmp_path: Path
) -> None:
    derniere = max(vecue.lieux.ancres.glob("ancre-*.txt"))
    texte = derniere.read_text("utf-8")
    etrangere = tmp_path / "etrangere.txt"
    etrangere.write_text(re.sub(r"journal/[0-9a-f]{8}", "journal/00000000", texte), "utf-8")
    code, dit = oi("verifier-journal", "--ancre", str(etrangere))
    assert (code, defauts(dit)["S2"]) == (
        1,
        ["etrangere.txt : cette ancre est celle d’un autre journal"],
    )
    fausse = tmp_path / "fausse.txt"
    fausse.write_text(re.sub(r"instant \d{4}", "instant 2020", texte), "utf-8")
    code, dit = oi("verifier-journal", "--ancre", str(fausse))
    assert (code, defauts(dit)["S2"]) == (
        1,
        ["fausse.txt : cette ancre n’est pas signée par la clé que dit le journal"],
    )
    code, dit = oi("verifier-journal", "--ancre", str(tmp_path / "nulle-part.txt"))
    assert code == 2
    assert "nulle-part.txt ne peut pas être lue" in dit


def test_an_anchor_taken_out_of_the_folder_is_missed(oi: Oi, vecue: Service) -> None:
    derniere = max(vecue.lieux.ancres.glob("ancre-*.txt"))
    derniere.unlink()
    code, dit = oi("verifier-journal")
    assert code == 1
    assert defauts(dit)["S2"] == [
        f"{derniere.name} : le journal note cette ancre et le dossier ne la contient plus"
    ]


def test_it_goes_on_from_where_it_stopped(oi: Oi, vecue: Service) -> None:
    code, dit = oi("verifier-journal", "--reprendre")
    assert code == 2
    assert "aucune vérification n’a laissé de point" in dit
    oi("verifier-journal")
    Vie(vecue).enveloppe("B", "80000.00")
    code, dit = oi("verifier-journal", "--reprendre")
    assert code == 0
    assert "1 événements recalculés" in dit
    assert "vérifiés une autre fois, n’ont pas été relus" in dit
    (vecue.lieux.ancres / ETAPE).write_text("{}")
    code, dit = oi("verifier-journal", "--reprendre")
    assert code == 2
    assert "est illisible" in dit


@pytest.mark.parametrize("position", [1, 4, 5])
def test_an_event_of_the_register_that_no_longer_reads_stops_nothing(
    oi: Oi, base: str, position: int
) -> None:
    with plein_pouvoir(base) as conn:
        conn.execute(
            "UPDATE oi.event SET data = data || '{\"x\": 1}', event_id = gen_random_uuid() "
            "WHERE position = %s",
            (position,),
        )
    code, dit = oi("verifier-journal")
    assert code == 1
    assert f"Premier événement en cause : n° {position}." in dit


def test_a_folder_of_anchors_that_takes_nothing_does_not_stop_it(
    oi: Oi, vecue: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plein(_etape: Etape, _fichier: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Etape, "ecrire", plein)
    code, dit = oi("verifier-journal")
    assert (code, defauts(dit)) == (0, {})
    assert not (vecue.lieux.ancres / ETAPE).exists()


def test_the_root_is_written_as_the_anchors_write_it(oi: Oi, vecue: Service) -> None:
    _, dit = oi("verifier-journal")
    [racine] = re.findall(r"comme les ancres l’écrivent : (\S+)", dit)
    with vecue.reads.connection() as conn:
        assert racine == en_base64(verifier_journal(conn).racine)
