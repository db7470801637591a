"""The pieces of a small life: bodies of commands, and the way to a given moment."""

from typing import Any

from porte import VALIDEUR, Api

PERIODE = {"debut": "2021-01-01", "fin": "2021-12-31"}
LIGNE = {"annee": 2021, "axe": "3", "objectif_specifique": "OS1", "dispositif": "parcours"}

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
    "plie": [{"plie_id": "A", "nom": "PLIE A"}, {"plie_id": "B", "nom": "PLIE B"}],
    "objectifs_specifiques": [{"code": "OS1", "libelle": "Parcours"}],
    "nature_des_donnees": "fictives",
}
TRANCHE = {
    "date_effet": "2021-01-01",
    "annee": 2021,
    "lignes": [
        LIGNE
        | {
            "fse": "500000.00",
            "contreparties_publiques": "500000.00",
            "contreparties_privees": "0.00",
        }
    ],
}
ENVELOPPE = {
    "date_effet": "2021-01-01",
    "ligne": LIGNE,
    "plie_id": "A",
    "fse": "100000.00",
    "cout_total": "200000.00",
}
APPEL = {
    "date_effet": "2021-12-01",
    "numero": "3",
    "intitule": "Appel d’essai",
    "date_ouverture": "2021-12-01",
    "date_cloture": "2021-12-31",
    "fiches": [
        {
            "code": "A1",
            "titre": "Fiche d’essai",
            "plie_id": "A",
            "axe": "3",
            "objectif_specifique": "OS1",
            "dispositif": "parcours",
            "type_soutien": "personnes",
            "cible": "Participants",
            "periode": PERIODE,
            "indicateurs": [{"libelle": "Entrées", "cible": "12", "unite": "personnes"}],
        }
    ],
}


def plan(fse: str = "50000.00", autres: str = "50000.00", total: str = "100000.00") -> Any:
    """Return a plan de financement with one poste and one other funder."""
    return {
        "postes": [{"code": "personnel", "montant": total}],
        "fse": fse,
        "ressources": [{"type": "publique_epci", "financeur": "EPCI", "montant": autres}],
    }


def dossier(appel: str, rang: int = 1, **changes: Any) -> Any:
    """Return the body of a deposit."""
    return {
        "date_effet": "2021-12-15",
        "appel_a_projets_id": appel,
        "fiche_code": "A1",
        "numero_mdfse": f"2021{rang:05d}",
        "beneficiaire": {
            "siret": "73282932000074",
            "nom": f"Bénéficiaire fictif n° {rang:02d}",
            "type": "association",
        },
        "intitule": "Opération d’essai",
        "objet": "Accompagner des participants",
        "annee_tranche": 2021,
        "periode": PERIODE,
        "plan": plan(),
        **changes,
    }


def depense(rang: int, montant: str = "10000.00") -> Any:
    """Return what is declared of a dépense."""
    return {
        "poste": "personnel",
        "nature": "Salaires",
        "tiers_ref": "salarie-1",
        "piece_ref": f"piece-{rang}",
        "date_piece": "2021-05-31",
        "date_realisation": "2021-05-31",
        "date_acquittement": "2021-06-01",
        "montant_impute": montant,
    }


def ouvrir(api: Api, enveloppe: str = "100000.00") -> tuple[str, str]:
    """Record a grant with its enveloppe and a call; return their identifiers."""
    sg = api.faire("/subventions-globales", SUBVENTION)["id"]
    chemin = f"/subventions-globales/{sg}"
    api.faire(f"{chemin}/tranches", TRANCHE, 1)
    api.faire(f"{chemin}/enveloppes", ENVELOPPE | {"fse": enveloppe}, 2)
    return sg, api.faire(f"{chemin}/appels-a-projets", APPEL)["id"]


def instruire(api: Api, appel: str, rang: int = 1, le_plan: Any = None) -> tuple[str, int]:
    """Bring a dossier to the committee; return its identifier and its version."""
    corps = dossier(appel, rang, plan=le_plan or plan())
    acte = api.faire("/operations", corps)
    chemin = f"/operations/{acte['id']}"
    jour = {"date_effet": "2021-12-16"}
    acte = api.faire(f"{chemin}/recevabilite", jour, acte["version"])
    acte = api.faire(f"{chemin}/instruction", jour, acte["version"])
    acte = api.faire(
        f"{chemin}/plan-de-financement", jour | {"plan": corps["plan"]}, acte["version"]
    )
    rapport = jour | {"avis": "favorable", "instructeur": "gestionnaire-1", "synthese": "Conforme"}
    acte = api.faire(f"{chemin}/rapport", rapport, acte["version"], VALIDEUR)
    return acte["id"], acte["version"]


def programmation(fse: str = "50000.00", cout_total: str = "100000.00") -> Any:
    """Return the decision of the committee."""
    return {
        "date_effet": "2022-01-20",
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-1",
        "fse": fse,
        "cout_total": cout_total,
    }


CONVENTION = {
    "date_effet": "2022-01-25",
    "numero": "C1",
    "signataires": ["president-oi", "beneficiaire"],
    "bilans_prevus": [{"numero": 1, "type": "final", "date_limite": "2022-06-30"}],
}


def conventionner(api: Api, operation: str, version: int, **jour: str) -> tuple[int, int]:
    """Bring a dossier under convention; return the versions of operation and convention.

    ``date_effet``: the day of each act, instead of their own.
    """
    chemin = f"/operations/{operation}"
    api.faire(f"{chemin}/programmation", programmation() | jour, version)
    api.faire(f"{chemin}/convention", CONVENTION | jour)
    notifiee = {"date_effet": "2022-01-26"} | jour
    acte = api.faire(f"{chemin}/convention/notification", notifiee, 1)
    # The operation took note of its programming and of its convention.
    demarrage = {"date_effet": "2022-01-26", "attestation_ref": "attestation-1"}
    demarree = api.faire(f"{chemin}/demarrage", demarrage | jour, version + 2)
    return demarree["version"], acte["version"]
