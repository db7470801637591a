"""``oi tirer``: a population frozen, a sample drawn, how to draw it again, from the terminal."""

import hashlib
import re
from pathlib import Path
from uuid import UUID

import pytest
from terminal import Oi, ligne_de_commande
from vie import Vie

from oi_service.application import Service
from oi_service.tirage import PopulationADefinir, SubventionADesigner, TirageMalDecrit
from projections.audit import dossiers_audit
from projections.perimetre import OI_ENTIER

MISSION = (
    *("--mission", "Audit d’opérations", "--organisme", "Autorité d’audit"),
    *("--reference", "AUD-1", "--perimetre", "Dépenses de 2021", "--acteur", "auditeur-1"),
)
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def oi(base: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Oi:
    """Lend the command line on the database of the test: exit code and what is printed."""
    return ligne_de_commande(base, capsys, monkeypatch, 110)


@pytest.fixture
def depenses(service: Service) -> list[UUID]:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("500000.00", "500000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel([{"code": "A1", "plie": "A"}])
    vie.jusqu_au_demarrage("OP-1")
    return vie.depenses("OP-1", [f"{rang}000.00" for rang in range(1, 9)])


def test_a_sample_is_drawn_and_drawn_again_by_hand(
    oi: Oi, service: Service, depenses: list[UUID], tmp_path: Path
) -> None:
    liste = tmp_path / "population.csv"
    code, dit = oi(
        *("tirer", "--taille", "3", "--montant", "declare", "--graine", "2022-10-24"),
        *("--liste", str(liste), *MISSION),
    )
    assert code == 0, dit
    attendus = sorted(
        map(str, depenses), key=lambda i: hashlib.sha256(f"2022-10-24:{i}".encode()).digest()
    )
    assert re.findall(rf"^ +\d  ({_UUID})", dit, re.MULTILINE) == attendus[:3]
    assert "8 dépenses, 36 000,00 €" in dit
    assert "tirage n° 1 de cette population, aléatoire simple." in dit
    assert "3 sur 8." in dit
    assert "l’algorithme simple-sha256-v1" in dit
    assert "elle n’est pas une correction" in dit
    assert hashlib.sha256(liste.read_bytes()).hexdigest() in dit

    with service.reads.connection() as conn:
        [dossier] = dossiers_audit(conn, OI_ENTIER)
        rows = conn.execute(
            "SELECT DISTINCT acteur, role FROM oi.event WHERE stream_id = %s", (dossier.id,)
        ).fetchall()
    assert rows == [("auditeur-1", "auditeur")]
    assert (dossier.reference, dossier.version) == ("AUD-1", 3)

    # The same file, the same population: a draw that follows the first.
    [population], [echantillon] = dossier.populations, dossier.echantillons
    ensuite = ("--travail", str(dossier.id), "--population", str(population.id))
    code, dit = oi("tirer", "--taille", "5", *ensuite)
    assert code == 2
    assert "a déjà été tirée 1 fois" in dit
    code, dit = oi("tirer", "--taille", "5", *ensuite, "--etend", str(echantillon.id))
    assert code == 0, dit
    assert "Cette population a été tirée 2 fois ; tout est conservé." in dit
    assert [i for i in re.findall(_UUID, dit) if i in attendus] == attendus[:5]


def test_what_is_taken_whole_and_the_interval_are_said(oi: Oi, depenses: list[UUID]) -> None:
    # 36 000 € in 5: 7 200 € takes 8 000; 28 000 in 4: 7 000 takes 7 000; 21 000 in 3: 7 000.
    declare = ("--montant", "declare", *MISSION)
    code, dit = oi("tirer", "--taille", "5", "--methode", "mus", *declare)
    assert code == 0, dit
    assert dit.count("prise d’office") == 2
    assert "5 sur 8, dont 2 d’office ; intervalle de 7 000,00 € (21 000,00 € / 3)" in dit
    code, dit = oi(
        *("tirer", "--taille", "4", "--methode", "stratifie", "--critere", "montant"),
        *("--borne", "4000.00", "--borne", "7000.00", "--plie", "A", *declare),
    )
    assert code == 0, dit
    for strate, compte in (("0", "2 sur 3"), ("1", "1 sur 3"), ("2", "1 sur 2")):
        assert f"Strate tranche-{strate} : {compte}." in dit, dit


def test_what_cannot_be_drawn_is_refused_with_nothing_recorded(
    oi: Oi, service: Service, depenses: list[UUID]
) -> None:
    for arguments, refus in (
        (("--taille", "3"), TirageMalDecrit),
        (("--taille", "0", *MISSION), TirageMalDecrit),
        (("--taille", "3", "--methode", "stratifie", *MISSION), TirageMalDecrit),
        (("--taille", "3", "--plie", "A", "--etat", "ED-1", *MISSION), PopulationADefinir),
        (("--taille", "3", "--subvention", "autre", *MISSION), SubventionADesigner),
    ):
        code, dit = oi("tirer", *arguments)
        debut = " ".join((refus.__doc__ or "").split()).split("{")[0]
        assert code == 2, arguments
        assert debut in dit, (arguments, dit)
        with service.reads.connection() as conn:
            assert dossiers_audit(conn, OI_ENTIER) == []
    # Nothing is retained before a control: the file is open, and waits.
    code, dit = oi("tirer", "--taille", "3", *MISSION)
    assert code == 2
    assert "Aucune dépense d’un montant positif" in dit
