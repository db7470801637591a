"""The control of a bilan through HTTP, step by step, until after the solde."""

from typing import Any

import pytest
from corps import CONVENTION, depense, dossier, ouvrir, plan, programmation
from porte import COMPTABLE, GESTIONNAIRE, ORDONNATEUR, VALIDEUR, Api

PLAN = {
    "postes": [
        {"code": "personnel", "montant": "60000.00"},
        {"code": "prestations", "montant": "31000.00"},
        {
            "code": "indirectes",
            "montant": "9000.00",
            "mode": "forfait",
            "option": "forfait_15_personnel",
            "taux_pct": "15",
            "assiette": ["personnel"],
        },
    ],
    "fse": "50000.00",
    "ressources": [{"type": "publique_epci", "financeur": "EPCI", "montant": "50000.00"}],
}
BILANS_PREVUS = [
    {"numero": 1, "type": "intermediaire", "date_limite": "2021-09-30"},
    {"numero": 2, "type": "final", "date_limite": "2022-06-30"},
]


class Convention:
    """Commands on one operation and its convention; each follows the version of the last."""

    def __init__(self, api: Api, le_plan: Any, **convention: Any) -> None:
        self.api = api
        _, appel = ouvrir(api)
        acte = api.faire("/operations", dossier(appel, plan=le_plan))
        self.chemin = f"/operations/{acte['id']}"
        self.operation, self.version = acte["version"], 0
        self.jour = "2022-05-02"  # of what a test does not date
        jour = {"date_effet": "2021-12-16"}
        self.op("recevabilite", jour)
        self.op("instruction", jour)
        self.op("plan-de-financement", jour | {"plan": le_plan})
        rapport = {"avis": "favorable", "instructeur": "gestionnaire-1", "synthese": "Conforme"}
        self.op("rapport", jour | rapport, VALIDEUR)
        self.op("programmation", programmation())
        api.faire(f"{self.chemin}/convention", CONVENTION | convention)
        self.version = 1
        self.faire("convention/notification", {"date_effet": "2022-01-26"})
        self.operation += 1  # It took note of its convention.
        self.op("demarrage", {"date_effet": "2022-01-26", "attestation_ref": "attestation-1"})

    def op(self, suite: str, corps: Any, personne: Any = None) -> Any:
        """Send a command on the operation."""
        acte = self.api.faire(f"{self.chemin}/{suite}", corps, self.operation, personne)
        self.operation = acte["version"]
        return acte

    def faire(self, suite: str, corps: Any = None, personne: Any = None) -> Any:
        """Send a command on the convention."""
        corps = {"date_effet": self.jour} | (corps or {})
        acte = self.api.faire(f"{self.chemin}/{suite}", corps, self.version, personne)
        self.version = acte["version"]
        return acte

    def refuser(self, code: str, suite: str, corps: Any = None, personne: Any = None) -> Any:
        """Send a command that must be refused."""
        corps = {"date_effet": self.jour} | (corps or {})
        answer = self.api.demander(f"{self.chemin}/{suite}", corps, self.version, personne)
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
        return answer.json()

    def bilan(self, lignes: list[Any], **corps: Any) -> str:
        """Declare dépenses and file them; return the address of the control that opens."""
        declares = {"date_effet": "2022-03-01", "depenses": lignes}
        lot = self.api.faire(f"{self.chemin}/depenses/lots", declares, personne=COMPTABLE)
        self.depenses = [e["flux"] for e in lot["evenements"]]
        depose = self.faire(
            "bilans",
            {
                "date_effet": "2022-04-01",
                "numero": 1,
                "type": "final",
                "periode": {"debut": "2021-01-01", "fin": "2021-12-31"},
                "depenses": self.depenses,
            }
            | corps,
        )
        self.bilan_id = depose["id"]
        self.refuser("csf_sans_bilan", "csf", {"bilan_id": self.bilan_id})
        self.faire(f"bilans/{self.bilan_id}/recevabilite", {"date_effet": "2022-04-05"})
        return self.ouvrir()

    def ouvrir(self, modalite: str = "echantillon") -> str:
        """Open a control and return its address."""
        csf = self.faire("csf", {"bilan_id": self.bilan_id, "modalite": modalite})
        return f"csf/{csf['id']}"

    def decider(self, csf: str, **ecarts: tuple[str, str]) -> None:
        """Decide on dépenses, named by their rank: ``d0``."""
        lignes = [
            {
                "depense_id": self.depenses[int(nom[1:])],
                "montant_ecarte": e,
                "motif_code": m or None,
            }
            for nom, (e, m) in ecarts.items()
        ]
        self.faire(f"{csf}/lignes", {"lignes": lignes})


SONDE = {
    "extrapolation": True,
    "echantillon_taille_min": 3,
    "echantillon_couverture_min_pct": "0",
}


@pytest.fixture
def conv(api: Api) -> Convention:
    """Lend a convention in force, which allows samples."""
    return Convention(api, PLAN, parametres=SONDE)


def test_a_sample_a_contract_and_the_phase_contradictoire(conv: Convention, api: Api) -> None:
    marche = depense(9, "10000.00") | {"poste": "prestations", "marche_ref": "M-1"}
    csf = conv.bilan([*(depense(rang, "10000.00") for rang in range(4)), marche])
    tirage = {"poste": "personnel", "justification": "Pièces nombreuses.", "graine": "graine-1"}
    conv.faire(f"{csf}/echantillons", tirage)
    [tire] = [e for e in _evenements(api) if e["nom"] == "convention.echantillon_tire.v1"]
    tirees = [conv.depenses.index(d) for d in tire["data"]["tirage"]]
    decisions = {f"d{rang}": ("0.00", "") for rang in tirees}
    decisions[f"d{tirees[0]}"] = ("300.00", "TEMPS_NON_JUSTIFIE")
    conv.decider(csf, **decisions, d4=("0.00", ""))
    conv.faire(f"{csf}/marches", {"marche_ref": "M-1", "taux_pct": "25", "motif": "Publicité"})
    conv.faire(f"{csf}/grille", {"points": [{"numero": 9, "reponse": "non_conforme"}]})
    conv.faire(f"{csf}/extrapolations", {"poste": "personnel", "fondement": "convention"})
    conv.refuser("contradictoire_manquant", f"{csf}/validation", personne=VALIDEUR)
    conv.faire(f"{csf}/conclusions")
    conv.refuser("conclusions_avant_reponse", f"{csf}/conclusions-finales")
    conv.faire(f"{csf}/observations")
    conv.faire(f"{csf}/conclusions-finales")
    # Whoever controlled holds the role as well: they are still not the other person.
    controleur = GESTIONNAIRE | {"OI-Role": "valideur_oi"}
    refus = conv.refuser("controleur_egal_valideur", f"{csf}/validation", personne=controleur)
    assert refus["detail"].startswith("Vous avez contrôlé ce bilan n° 1 (contrôle ouvert le")
    conv.faire(f"{csf}/validation", personne=VALIDEUR)
    # 40 000 - 300 - 1 % of 10 000, and 15 % of it, and three quarters of the contract.
    assert _fse_du(api) == (39_600_00 + 5_940_00 + 7_500_00) // 2

    # Each decision of the control says whose it is.
    noms = ("echantillon_tire", "marche_corrige", "grille_remplie", "extrapolation_decidee")
    decisions = [e for e in _evenements(api) if e["nom"].split(".")[1] in noms]
    assert [e["data"]["controleur"] for e in decisions] == ["gestionnaire-1"] * len(noms)

    conv.refuser("csf_clos", f"{csf}/grille", {"points": [{"numero": 1, "reponse": "conforme"}]})


def _evenements(api: Api) -> list[Any]:
    with api.service.reads.connection() as conn:
        rows = conn.execute("SELECT name, data FROM oi.event ORDER BY position").fetchall()
    return [{"nom": nom, "data": data} for nom, data in rows]


def _fse_du(api: Api) -> Any:
    return api.somme(
        "SELECT sum(centimes)::bigint FROM projection.mouvement WHERE mesure = 'fse_retenu_csf'"
    )


def test_an_audit_opens_the_control_again_after_the_solde(conv: Convention, api: Api) -> None:
    csf = conv.bilan([depense(0, "40000.00")])
    conv.decider(csf, d0=("0.00", ""))
    conv.faire(f"{csf}/validation", personne=VALIDEUR)
    _payer(conv, "23000.00", csf)
    conv.operation += 1  # It took note of its final bilan.
    conv.op("solde", {"date_effet": "2022-06-15"})

    conv.jour = "2022-09-01"
    conv.faire(f"{csf}/reouverture", {"motif": "Contrôle d’opération", "controle_ref": "CICC-12"})
    csf = conv.ouvrir("exhaustif")
    conv.decider(csf, d0=("4000.00", "CORRECTION_AUDIT"))
    conv.faire(f"{csf}/conclusions")
    conv.faire(f"{csf}/observations")
    conv.faire(f"{csf}/conclusions-finales")
    conv.faire(f"{csf}/validation", personne=VALIDEUR)
    assert _fse_du(api) == 20_700_00
    ordre = conv.faire(
        "ordres-de-reversement",
        {"motif": "Dépense écartée", "montant": "2300.00", "echeance": "2022-12-31"},
    )
    encaisse = {"montant": "2300.00", "ref": "TITRE-1"}
    conv.faire(f"ordres-de-reversement/{ordre['id']}/encaissements", encaisse, COMPTABLE)
    conv.operation += 1  # It took note that consequences are under way.
    conv.op("suites/cloture", {"date_effet": "2022-12-31"})
    assert api.somme("SELECT sum(programme_centimes)::bigint FROM projection.enveloppe") == 2070000


def _payer(conv: Convention, montant: str, csf: str) -> None:
    corps = {"type": "solde", "montant": montant, "csf_id": csf.removeprefix("csf/")}
    paiement = conv.faire("paiements", corps, COMPTABLE)
    conv.faire(f"paiements/{paiement['id']}/ordonnancement", None, ORDONNATEUR)
    vire = {"ref_virement": "V1", "iban_masque": "FR76••••189"}
    conv.faire(f"paiements/{paiement['id']}/execution", vire, COMPTABLE)


def test_units_deliverables_and_revenue_are_decided(api: Api) -> None:
    simplifie = {
        "postes": [
            {
                "code": "parcours",
                "montant": "75000.00",
                "mode": "cout_unitaire",
                "cout_unite": "750.00",
                "unites": "100",
                "unite": "parcours achevé",
                "couvre": ["personnel", "fonctionnement"],
            },
            {
                "code": "rapport",
                "montant": "25000.00",
                "mode": "montant_forfaitaire",
                "livrables": [{"id": "L1", "libelle": "Rapport", "montant": "25000.00"}],
                "couvre": ["prestations"],
            },
        ],
        "fse": "50000.00",
        "ressources": [{"type": "privee", "financeur": "Fondation", "montant": "50000.00"}],
    }
    conv = Convention(api, simplifie)
    depose = conv.faire(
        "bilans",
        {
            "numero": 1,
            "type": "final",
            "periode": {"debut": "2021-01-01", "fin": "2021-12-31"},
            "depenses": [],
            "unites": [{"poste": "parcours", "quantite": "100"}],
            "livrables": ["L1"],
            "recettes_nettes": "1000.00",
        },
    )
    conv.bilan_id = depose["id"]
    conv.faire(f"bilans/{conv.bilan_id}/recevabilite")
    csf = conv.ouvrir("exhaustif")
    conv.refuser("realisations_non_controlees", f"{csf}/validation", personne=VALIDEUR)
    unites = [{"poste": "parcours", "retenues": "80", "motif_code": "UNITE_NON_PROUVEE"}]
    livrables = [{"id": "L1", "atteint": True}]
    conv.faire(f"{csf}/realisations", {"unites": unites, "livrables": livrables})
    conv.refuser("recettes_non_controlees", f"{csf}/validation", personne=VALIDEUR)
    conv.faire(f"{csf}/recettes", {"montant_retenu": "1000.00"})
    conv.refuser(
        "refaction_non_prevue",
        f"{csf}/corrections-fse",
        {"nature": "refaction_indicateurs", "motif": "Sous-réalisation"},
    )
    conv.refuser("correction_hors_regime", f"{csf}/corrections-fse", PUBLICITE)
    conv.faire(f"{csf}/conclusions")
    conv.faire(f"{csf}/observations")
    conv.faire(f"{csf}/conclusions-finales")
    conv.faire(f"{csf}/validation", personne=VALIDEUR)
    assert _fse_du(api) == 42_500_00


PUBLICITE = {"nature": "publicite", "motif": "Aucune affiche"}


def test_a_bilan_that_never_comes_is_asked_for_then_the_file_is_closed(api: Api) -> None:
    conv = Convention(api, plan(), bilans_prevus=BILANS_PREVUS)
    conv.refuser(
        "bilan_pas_en_retard", "bilans/reclamations", {"date_effet": "2022-06-30", "numero": 2}
    )
    conv.faire("bilans/reclamations", {"date_effet": "2022-07-01", "numero": 2})
    clore = {"numero": 2, "motif": "Sans réponse", "montants_controles": "ecartes"}
    conv.refuser(
        "cloture_office_sans_reclamation", "cloture-office", clore | {"date_effet": "2022-09-01"}
    )
    conv.faire("cloture-office", clore | {"date_effet": "2022-09-02"})
    assert api.somme("SELECT statut FROM projection.operation") == "resilie"
    # It took note of its convention, of its start and of its end.
    conv.operation += 1
    conv.op("solde", {"date_effet": "2022-09-02"})
    assert api.somme("SELECT sum(programme_centimes)::bigint FROM projection.enveloppe") == 0
