"""The facts of the real call, and the commands that they fill.

`agape_2021.json` holds what the call AGAPE 2021 n° 3 states: PLIE, fiches opération, indicators
with their documents, cofinancing conditions. It states no euro: see `generateur`.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

#: The lines of the maquette are those of the three specific objectives.
DISPOSITIFS = {"OS1": "parcours", "OS2": "employeurs", "OS3": "coordination"}
ANNEES = (2021, 2022)
REGLEMENT = "2014-2020"
REELLE = {"debut": "2021-01-01", "fin": "2021-12-31"}
#: The second call is invented, so that the maquette has two years: some fiches of the real one,
#: for a later period, answered all year round.
RECONDUITE = {"debut": "2022-01-01", "fin": "2023-06-30"}
RECONDUITES = ("A1", "A4", "B1", "B4", "ET1", "GP1", "HP1", "PS1", "S1", "S4")


@cache
def donnees() -> dict[str, Any]:
    """Return the facts of the call, as carried."""
    text = files("oi_service.demo").joinpath("agape_2021.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def fiches() -> dict[str, dict[str, Any]]:
    """Return the fiches of the call by code."""
    return {fiche["code"]: fiche for fiche in donnees()["fiches"]}


def ligne(annee: int, objectif: str) -> dict[str, Any]:
    """Return a line of the maquette."""
    return {
        "annee": annee,
        "axe": donnees()["programme"]["axe"],
        "objectif_specifique": objectif,
        "dispositif": DISPOSITIFS[objectif],
    }


def subvention_globale(fse_total: str) -> dict[str, Any]:
    """Return the convention of subvention globale, before its avenant."""
    faits = donnees()
    return {
        "oi_id": faits["oi"]["id"],
        "oi_nom": faits["oi"]["sigle"],
        "reglement": REGLEMENT,
        "numero": "SG-FICTIVE-2018",
        "agd": "DREETS (convention fictive)",
        "programme_cci": faits["programme"]["cci"],
        "programme": faits["programme"]["nom"],
        "programmation": {"debut": "2018-01-01", "fin": "2020-12-31"},
        "realisation": {"debut": "2018-01-01", "fin": "2022-12-31"},
        "fse_total": fse_total,
        "plie": [{"plie_id": plie["id"], "nom": plie["nom"]} for plie in faits["plie"]],
        "objectifs_specifiques": [
            {"code": code, "libelle": libelle}
            for code, libelle in faits["objectifs_specifiques"].items()
        ],
        "parametres": {
            "avance_plafond": "50000.00",
            "types_beneficiaires_sans_avance": ["collectivite"],
        },
        "nature_des_donnees": "fictives",
    }


def appel_reel() -> dict[str, Any]:
    """Return the call AGAPE 2021 n° 3 with its 27 fiches."""
    appel = donnees()["appel"]
    return {
        "numero": f"{appel['annee']}-{appel['numero']}",
        "intitule": f"Appel à projets AGAPE {appel['annee']} n° {appel['numero']}",
        "date_ouverture": appel["ouverture"],
        "date_cloture": appel["cloture"],
        "fiches": [_fiche(fiche, REELLE) for fiche in fiches().values()],
    }


def appel_reconduit() -> dict[str, Any]:
    """Return the invented call of 2022."""
    return {
        "numero": "2022-fictif",
        "intitule": "Appel à projets fictif 2022, au fil de l’eau",
        "date_ouverture": "2022-01-10",
        "date_cloture": "2022-12-09",
        "fiches": [_fiche(fiches()[code], RECONDUITE) for code in RECONDUITES],
    }


def _fiche(fiche: dict[str, Any], periode: dict[str, str]) -> dict[str, Any]:
    return {
        "code": fiche["code"],
        "titre": fiche["titre"],
        "plie_id": fiche["plie"],
        "axe": donnees()["programme"]["axe"],
        "objectif_specifique": fiche["objectif_specifique"],
        "dispositif": DISPOSITIFS[fiche["objectif_specifique"]],
        "type_soutien": fiche["type_soutien"],
        "cible": fiche["cible"],
        "periode": periode,
        "condition": fiche["condition"],
        "indicateurs": fiche["indicateurs"],
    }
