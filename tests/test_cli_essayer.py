"""``oi essayer``: a file of commands in, the maquette before and after out, nothing recorded."""

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fabrique import LIGNE_SAISIE
from terminal import Oi, ligne_de_commande
from vie import Vie

from oi_service.application import Service
from oi_service.cli import EssaiMalDecrit


@pytest.fixture
def oi(base: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Oi:
    """Lend the command line on the database of the test: exit code and what is printed."""
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def transfert(sg: object, fse: str) -> Any:
    corps = {
        "date_effet": "2022-02-01",
        "motif": "Gestion dynamique",
        "de": {"ligne": LIGNE_SAISIE, "plie_id": "A"},
        "vers": {"ligne": LIGNE_SAISIE, "plie_id": "B"},
        "fse": fse,
        "cout_total": fse,
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-3",
    }
    return {"chemin": f"/api/v1/subventions-globales/{sg}/transferts", "corps": corps}


def test_a_file_is_tried(oi: Oi, base: str, service: Service, tmp_path: Path) -> None:
    vie = Vie(service)
    vie.subvention()
    vie.tranche("500000.00", "500000.00")
    vie.enveloppe("A", "100000.00")
    sg = vie.id("SG")
    fichier = tmp_path / "essai.json"

    def ecrire(**demande: Any) -> None:
        fichier.write_text(json.dumps(demande), encoding="utf-8")

    ecrire(commandes=[transfert(sg, "1000.00")])
    code, shown = oi("essayer", str(fichier), "--acteur", "gestionnaire-1")
    assert code == 0, shown
    assert f"✓ n° 1  /api/v1/subventions-globales/{sg}/transferts" in shown
    assert "      Transfert de 1 000,00 € de FSE" in shown, shown
    rows = [re.split(r"\s{2,}", row.strip()) for row in shown.splitlines()]
    assert ["PLIE A", "Enveloppe", "100 000,00 €", "99 000,00 €", "−1 000,00 €"] in rows
    assert ["PLIE B", "Enveloppe", "0,00 €", "1 000,00 €", "+1 000,00 €"] in rows
    assert ["Total OI", "Enveloppe", "500 000,00 €", "500 000,00 €", "="] in rows
    assert shown.endswith("Rien n’est enregistré : le journal reste à l’événement n° 3.\n")

    ecrire(commandes=[transfert(sg, "100000.01"), transfert("$1.id", "1.00") | {"corps": {}}])
    code, shown = oi("essayer", str(fichier))
    assert code == 1
    assert "✗ n° 1" in shown
    assert "au plus 100 000,00 € peuvent en partir." in shown
    assert "« $1.id » désigne ce que ferait la commande n° 1" in shown
    assert "Commandes refusées : 2 sur 2" in shown

    ecrire(commandes=[transfert(sg, "1.00") | {"corps": {}}])
    assert "        #/date_effet : ce champ est obligatoire\n" in oi("essayer", str(fichier))[1]

    for demande, place in (
        ({"commandes": []}, "#/commandes : il en faut au moins 1"),
        (
            {"commandes": [{"chemin": "/api/v1/essais", "corps": {}}]},
            "#/commandes/0/chemin : cette",
        ),
    ):
        ecrire(**demande)
        code, shown = oi("essayer", str(fichier))
        assert (code, place in shown) == (2, True), shown
        assert shown.startswith(str(EssaiMalDecrit(fichier=fichier, defauts="…"))[:30])
    with psycopg.connect(base) as conn:
        assert conn.execute("SELECT position FROM oi.head").fetchone() == (3,)
