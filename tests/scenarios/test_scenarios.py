"""Scenarios for the instructeurs: acts in, lines of the maquette out, on the real database.

A scenario is a TOML file in French. ``[[actes]]`` are the methods of `tests/vie.py`, by name, in
the order of the life; one that says ``refus`` must be refused with that code. ``[[attendu]]`` is a
line of the maquette by PLIE, ``[attendu_total]`` the whole OI: amounts are euros, rates are
percentages as the page shows them, and what a line does not say is not compared.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from vie import Vie

from oi_service.application import Service
from oi_service.errors import Refusal
from oi_service.money import euros, percent
from projections.maquette import Chiffres
from projections.verification import violations

FICHIERS = sorted(Path(__file__).parent.glob("*.toml"))


def jouer(vie: Vie, acte: dict[str, Any]) -> str | None:
    """Play an act; return the code of its refusal, ``None`` when it is accepted."""
    saisie = {nom: valeur for nom, valeur in acte.items() if nom not in {"acte", "refus"}}
    try:
        getattr(vie, acte["acte"])(**saisie)
    except Refusal as refus:
        return refus.code()
    return None


def lire(chiffres: Chiffres, attendu: dict[str, Any]) -> dict[str, Any]:
    """Return what the maquette says of what the scenario names, in its words."""
    lus: dict[str, Any] = {}
    for nom in attendu:
        valeur = getattr(chiffres, nom)
        if nom.startswith("taux_"):
            lus[nom] = percent(valeur) or "n. d."
        else:
            lus[nom] = valeur if nom == "nb_operations" else euros(valeur)
    return lus


@pytest.mark.parametrize("fichier", FICHIERS, ids=lambda fichier: fichier.stem)
def test_scenario(fichier: Path, service: Service) -> None:
    scenario = tomllib.loads(fichier.read_text("utf-8"))
    vie = Vie(service)
    for rang, acte in enumerate(scenario["actes"], start=1):
        assert jouer(vie, acte) == acte.get("refus"), f"acte n° {rang} : {acte}"
    maquette = vie.maquette()
    par_plie = {plie_id: chiffres for plie_id, _nom, chiffres in maquette.par_plie()}
    for ligne in scenario.get("attendu", []):
        attendu = {nom: valeur for nom, valeur in ligne.items() if nom != "plie"}
        assert lire(par_plie[ligne["plie"]], attendu) == attendu, ligne["plie"]
    total = scenario.get("attendu_total", {})
    assert lire(maquette.total, total) == total
    with service.reads.connection() as conn:
        assert [str(v) for _, found in violations(conn) for v in found] == []


def test_a_scenario_says_what_it_is_about() -> None:
    assert len(FICHIERS) >= 5
    for fichier in FICHIERS:
        scenario = tomllib.loads(fichier.read_text("utf-8"))
        assert scenario["titre"]
        assert scenario["recit"]
        assert "attendu_total" in scenario
