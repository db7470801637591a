"""The worked cases lived by real dossiers: dépôt, convention, bilans, controls, payments, solde.

What the calculator gets at once comes here by facts, and must give the same cents. A case says
nothing of who asks or when: what is added below is what a dossier cannot do without.
"""

import itertools
import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fabrique import euros
from vie import Vie

from aggregates.convention.events import ClotureOfficePrononcee, CsfValide
from aggregates.convention.paiements import PaiementSuperieurAuReste, reste_a_regler
from aggregates.convention.reversements import IndusSuperieur
from oi_service.application import Service
from oi_service.money import euros as en_euros
from oi_service.money import percent, round_cents
from oi_service.verification import verifier
from projections.fiche_operation import fiche_operation
from projections.perimetre import OI_ENTIER
from rules.echantillon import tirer

RECUEILS = [
    json.loads(p.read_text("utf-8"))
    for p in sorted((Path(__file__).parents[1] / "rules" / "cas").glob("*.json"))
]
CAS: list[dict[str, Any]] = [c for r in RECUEILS for c in r.get("cases", ()) if "bilans" in c]
[MUTUALISE] = [c for r in RECUEILS for c in r.get("cases_multi_operations", ())]

#: Postes as the cases name them, where the closed list names them otherwise.
POSTES = {"autres_couts_40": "autres_couts", "indirectes_reelles": "indirectes"}
#: The option of a flat rate, by what it pays and its rate.
OPTIONS = {
    ("indirectes", "15"): "forfait_15_personnel",
    ("indirectes", "20"): "forfait_20_national",
    ("indirectes", "7"): "forfait_7",
    ("autres_couts", "40"): "forfait_40",
    ("personnel", "20"): "forfait_personnel_20",
}
CONTRAINTES = {
    "plafond": "plafond_conventionne",
    "taux": "taux",
    "besoin": "besoin_de_financement",
    "hors_nature": "hors_nature",
}
#: Small operations of 2021-2027 with costs outside any flat rate: a public buyer, at real cost.
DEROGATIONS = {"CSF-17": "commande_publique"}


def centimes(montant: str) -> int:
    """Return cents of the decimal string of a case, which may be negative."""
    return -euros(montant[1:]) if montant.startswith("-") else euros(montant)


class Dossier:
    """One operation that lives a case; figures are compared at each of its bilans."""

    nom = "OP"

    def __init__(self, cas: dict[str, Any], service: Service) -> None:
        self.cas = cas
        self.convention = cas["convention"]
        self.vie = Vie(service)

    # Until the start.

    def demarrer(self, bilans_prevus: list[dict[str, Any]]) -> None:
        """Bring the operation to its start, its avance paid."""
        vie, fse = self.vie, self.convention["fse_max"]
        vie.subvention(
            le=date(2021, 1, 4), reglement=self.cas["reglement"], parametres=self._parametres()
        )
        vie.tranche(fse)
        vie.enveloppe("A", fse, self.convention["cout_total_eligible"])
        vie.appel()
        plafonds = self.convention.get("plafonds_poste", {})
        vie.jusqu_au_demarrage(
            self.nom,
            plan=self._plan(),
            derogation=DEROGATIONS.get(self.cas["id"]),
            convention={
                "bilans_prevus": bilans_prevus,
                "plafonds_poste": [{"code": code, **plafond} for code, plafond in plafonds.items()],
            },
        )
        for paiement in self.cas["paiements_avant"]:
            if paiement["type"] == "avance":
                vie.paiement(self.nom, paiement["montant"], type="avance")

    def _parametres(self) -> dict[str, Any]:
        """Return what the grant of the case decides."""
        choix: dict[str, Any] = {
            "plafond_avant_solde_pct": self.convention.get("plafond_avant_solde_pct")
        }
        for bilan in self.cas["bilans"]:
            if "extrapolation" in bilan:
                taille = len(bilan["extrapolation"]["tirage"])
                choix |= {
                    "extrapolation": True,
                    "echantillon_taille_min": taille,
                    "echantillon_couverture_min_pct": "0",
                }
            for correction in bilan.get("corrections_fse", ()):
                if correction["nature"] == "refaction_indicateurs":
                    clause = {"seuil_pct": "80", "taux_pct": correction["taux_pct"]}
                    choix["refaction"] = clause
        return choix

    def _plan(self) -> dict[str, Any]:
        postes = [self._poste(p) for p in self.convention["postes"]]
        nature = sum(euros(p["montant"]) for p in postes if p["code"] == "nature")
        total, fse = (euros(self.convention[m]) for m in ("cout_total_eligible", "fse_max"))
        apports = {"nature": nature, "publique_epci": total - fse - nature}
        return {
            "postes": postes,
            "fse": self.convention["fse_max"],
            "ressources": [
                {"type": kind, "financeur": "Financeur fictif", "montant": en_euros(montant)}
                for kind, montant in apports.items()
                if montant
            ],
        }

    def _poste(self, poste: dict[str, Any]) -> dict[str, Any]:
        code = POSTES.get(poste["code"], poste["code"])
        saisie = {"code": code, "montant": poste["montant_conventionne"], "mode": poste["mode"]}
        if poste["mode"] == "forfait":
            saisie |= {
                "option": OPTIONS[code, poste["taux_pct"]],
                "taux_pct": poste["taux_pct"],
                "assiette": poste["assiette"],
            }
        elif poste["mode"] == "cout_unitaire":
            saisie |= {
                "cout_unite": poste["cout_unite"],
                "unites": poste["unites_prevues"],
                "unite": code,
                "couvre": ["personnel", "fonctionnement"],
            }
        elif poste["mode"] == "montant_forfaitaire":
            vus = [x for b in self.cas["bilans"] for x in b["livrables"]]
            saisie |= {
                "livrables": [
                    {"id": x["id"], "libelle": x["id"], "montant": x["montant"]} for x in vus
                ],
                "couvre": ["personnel", "prestations"],
            }
        return saisie

    # A bilan.

    def deposer(self, bilan: dict[str, Any]) -> None:
        """File a bilan with its lines, units, deliverables, revenue and resources."""
        # A line of nothing is no dépense.
        lignes = [d for d in bilan["depenses"] if centimes(d["montant_declare"])]
        self.vie.bilan(
            self.nom,
            [self._depense(d, bilan) for d in lignes],
            numero=bilan["numero"],
            type=bilan["type"],
            ressources=[
                {
                    "type": r["type"],
                    "financeur": r["financeur"],
                    "montant": r["montant_retenu"],
                }
                for r in bilan["ressources"]
            ],
            unites=[
                {"poste": u["poste"], "quantite": u["unites_declarees"]}
                for u in bilan.get("unites", ())
            ],
            livrables=[x["id"] for x in bilan.get("livrables", ())],
            recettes_nettes=bilan.get("recettes_nettes", "0.00"),
        )
        deposes = self.vie.convention(self.nom).bilans.values()
        [depose] = [b for b in deposes if b.numero == bilan["numero"]]
        declares = sum(m.declare_centimes for m in depose.declares.lignes)
        # Hours and keys gave the amounts of the case.
        assert declares == sum(centimes(d["montant_declare"]) for d in lignes)

    def _depense(self, depense: dict[str, Any], bilan: dict[str, Any]) -> dict[str, Any]:
        saisie = {
            "piece_ref": depense["id"],
            "poste": POSTES.get(depense["poste"], depense["poste"]),
            "montant_impute": depense["montant_declare"],
            "marche_ref": depense.get("marche"),
        }
        if "cle" in depense:
            cle = depense["cle"] | {"libelle": "Équivalents temps plein"}
            saisie |= {"cle": cle, "montant_impute": None}
        if "temps" in depense:
            temps = {
                "methode": "taux_horaire",
                "cout": depense["temps"]["cout_annuel_brut"],
                "heures_operation": depense["temps"]["heures_operation"],
                "heures_base": depense["temps"]["base_heures"],
            }
            saisie |= {"temps": temps, "montant_impute": None}
        if centimes(depense["montant_declare"]) < 0:
            saisie["regularise"] = self._la_plus_grande(depense["poste"], bilan["numero"])
        return saisie

    def _la_plus_grande(self, poste: str, avant: int) -> str:
        """Return the largest line of a poste among earlier bilans: one that can give back."""
        lignes = [
            d
            for b in self.cas["bilans"]
            if b["numero"] < avant
            for d in b["depenses"]
            if d["poste"] == poste
        ]
        return str(max(lignes, key=lambda d: centimes(d["montant_declare"]))["id"])

    def controler(self, bilan: dict[str, Any]) -> None:
        """Control a bilan as the case says, and validate it."""
        vie, numero = self.vie, bilan["numero"]
        sonde = bilan.get("extrapolation")
        vie.ouverture_controle(self.nom, numero, modalite="echantillon" if sonde else "exhaustif")
        hors_tirage: set[str] = set()
        if sonde:
            hors_tirage = self._tirer(bilan)
        decisions = {
            vie.piece(self.nom, d["id"]): {
                "montant_ecarte": d["montant_ecarte"],
                "motif_code": d.get("motif"),
            }
            for d in bilan["depenses"]
            if centimes(d["montant_declare"]) and d["id"] not in hors_tirage
        }
        vie.lignes(self.nom, numero, decisions)
        if sonde:
            vie.extrapolation(self.nom, sonde["poste"], numero)
        vie.controle_ressources(self.nom, numero)
        vie.controle_realisations(
            self.nom,
            numero,
            unites={
                u["poste"]: {"retenues": u["unites_retenues"], "motif_code": "UNITE_NON_PROUVEE"}
                for u in bilan.get("unites", ())
            },
            livrables={
                x["id"]: {
                    "atteint": x["atteint"],
                    "motif_code": None if x["atteint"] else "LIVRABLE_NON_ATTEINT",
                }
                for x in bilan.get("livrables", ())
            },
        )
        # At 100 000,00 € just, the text of today would exempt what the case deducts.
        vie.controle_recettes(self.nom, numero, traitement="deduites")
        for correction in bilan.get("corrections_marche", ()):
            vie.correction_marche(self.nom, correction["marche"], correction["taux_pct"], numero)
        for correction in bilan.get("corrections_fse", ()):
            if correction["nature"] == "refaction_indicateurs":
                vie.indicateur(self.nom, "27")
                vie.correction_fse(self.nom, correction["nature"], numero=numero)
            else:
                vie.correction_fse(self.nom, correction["nature"], correction["taux_pct"], numero)
        vie.fin_du_controle(self.nom, numero)

    def _tirer(self, bilan: dict[str, Any]) -> set[str]:
        """Draw with a seed that gives the draw of the case; return what it leaves out."""
        vie, sonde = self.vie, bilan["extrapolation"]
        du_poste = [d for d in bilan["depenses"] if d["poste"] == sonde["poste"]]
        population = {vie.piece(self.nom, d["id"]): euros(d["montant_declare"]) for d in du_poste}
        vise = {vie.piece(self.nom, nom) for nom in sonde["tirage"]}
        graine = next(
            graine
            for graine in map(str, itertools.count())
            if vise == set(tirer(population, graine, taille_min=3, couverture_min_pct=Decimal(0)))
        )
        vie.tirage(self.nom, sonde["poste"], bilan["numero"], graine)
        return {d["id"] for d in du_poste} - set(sonde["tirage"])

    # Figures and money.

    def comparer(self, attendu: dict[str, Any], *sauf: str) -> None:
        """Compare everything that the case expects, but what is left out on purpose."""
        fait = next(f for f in reversed(self.vie.faits(self.nom)) if isinstance(f, CsfValide))
        lus = chiffres(fait) | self._reglement(final=attendu["type"] == "final")
        lus |= {"numero": attendu["numero"], "type": attendu["type"]}
        for nom, valeur in attendu.items():
            if nom not in sauf:
                assert lus[nom] == _lisible(valeur), nom
        facultatifs = {"c4_hors_nature", "ecretement_postes", "extrapolation", "corrections_marche"}
        for nom in facultatifs - attendu.keys():
            assert not lus[nom], nom

    def _reglement(self, *, final: bool) -> dict[str, Any]:
        state = self.vie.convention(self.nom)
        regle = reste_a_regler(state, state.paye, final=final)
        return {
            "fse_paye_avant": en_euros(state.paye),
            "a_payer": en_euros(regle.a_payer_centimes),
            "a_reverser": en_euros(regle.a_reverser_centimes),
            "avance_non_couverte": en_euros(regle.avance_non_couverte_centimes),
            "retenu_jusqu_au_solde": en_euros(regle.retenu_jusqu_au_solde_centimes),
        }

    def regler(self, attendu: dict[str, Any]) -> None:
        """Pay what is to pay and not a cent more; claim and cash what comes back, likewise."""
        a_payer, a_reverser = (centimes(attendu[nom]) for nom in ("a_payer", "a_reverser"))
        kind = "solde" if attendu["type"] == "final" else "acompte"
        numero = min(attendu["numero"], len(self.vie.convention(self.nom).bilans))
        with pytest.raises(PaiementSuperieurAuReste):
            self.vie.paiement(self.nom, en_euros(a_payer + 1), type=kind, numero=numero)
        if a_payer:
            self.vie.paiement(self.nom, en_euros(a_payer), type=kind, numero=numero)
        if a_reverser:
            self.reverser(a_reverser)

    def reverser(self, montant: int) -> None:
        """Claim back and cash, in two times, what is not due."""
        with pytest.raises(IndusSuperieur):
            self.vie.ordre_reversement(self.nom, en_euros(montant + 1))
        self.vie.ordre_reversement(self.nom, en_euros(montant))
        self.vie.notification_ordre(self.nom)
        self.vie.encaissement(self.nom, en_euros(montant - 1))
        self.vie.encaissement(self.nom, "0.01")

    def solder(self) -> None:
        """Settle: paid, less recovered, is what is due."""
        self.vie.solde(self.nom)
        self.exiger_regle()

    def exiger_regle(self) -> None:
        """Check that what left and did not come back is what is due, and what the OI holds."""
        state = self.vie.convention(self.nom)
        assert state.paye == state.fse_du == state.engage
        assert state.a_encaisser == 0
        with self.vie.reads.connection() as conn:
            [(programme,)] = conn.execute(
                "SELECT sum(programme_centimes)::bigint FROM projection.enveloppe"
            ).fetchall()
        assert programme == state.fse_du


def _lisible(valeur: Any) -> Any:
    """Return what a case expects in the words of a dossier, without the postes of nothing."""
    if not isinstance(valeur, dict):
        return valeur
    lus = {POSTES.get(nom, nom): _lisible(v) for nom, v in valeur.items()}
    return {nom: lu for nom, lu in lus.items() if lu not in ("0.00", {})}


def chiffres(fait: CsfValide) -> dict[str, Any]:
    """Return what a certificate fixed, in the words of the cases."""
    resultat = fait.resultat
    assert resultat is not None
    tronque = round_cents(
        Fraction(fait.fse_max_centimes, fait.cout_total_eligible_centimes)
        * fait.cout_net_cumule_centimes,
        "troncature",
    )
    montants = {
        "montant_declare_periode": fait.depenses_declarees_centimes,
        "montant_ecarte_periode": fait.depenses_ecartees_centimes,
        "cout_total_retenu_brut": resultat.cout_brut_centimes,
        "recettes_nettes_deduites": resultat.recettes_nettes_centimes,
        "cout_total_retenu": fait.cout_net_cumule_centimes,
        "ressources_externes_retenues": fait.ressources_externes_centimes,
        "c1_plafond_conventionne": fait.c1_plafond_centimes,
        "c2_taux": fait.c2_taux_centimes,
        "c3_besoin_de_financement": fait.c3_besoin_centimes,
        "fse_du_avant_corrections": resultat.fse_brut_centimes,
        "corrections_sur_fse": sum(c.correction_centimes for c in resultat.corrections_fse),
        "fse_du_cumule": fait.fse_du_cumule_centimes,
        "fse_du_periode": fait.fse_du_periode_centimes,
        "autofinancement_constate": fait.autofinancement_constate_centimes,
        "surfinancement_ecarte": fait.surfinancement_ecarte_centimes,
        "variante_c2_round_down": tronque,
    }
    hors_nature = fait.c4_hors_nature_centimes
    sondes = [
        {
            "taux_irregularite": e.taux,
            "base_non_tiree": en_euros(e.base_centimes),
            "correction_extrapolee": en_euros(e.correction_centimes),
        }
        for e in resultat.extrapolations
    ]
    return {nom: en_euros(montant) for nom, montant in montants.items()} | {
        "contrainte_active": CONTRAINTES[fait.contrainte_active],
        "postes_retenus_cumules": {p: en_euros(m) for p, m in fait.postes_cumules.items() if m},
        "forfaits": {
            p.code: {
                "assiette": en_euros(p.assiette_centimes or 0),
                "montant": en_euros(p.retenu_centimes),
            }
            for p in resultat.postes
            if p.mode == "forfait" and p.retenu_centimes
        },
        "c4_hors_nature": None if hors_nature is None else en_euros(hors_nature),
        "ecretement_postes": {
            p.code: en_euros(p.ecrete_centimes) for p in resultat.postes if p.ecrete_centimes
        },
        "extrapolation": sondes[0] if sondes else None,
        "corrections_marche": [
            {
                "marche": m.marche,
                "base": en_euros(m.base_centimes),
                "correction": en_euros(m.correction_centimes),
            }
            for m in resultat.marches
        ],
    }


def prevus(bilans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the bilans that the convention expects."""
    return [
        {
            "numero": b["numero"],
            "type": b["type"],
            "date_limite": "2022-06-30" if b["type"] == "final" else "2021-09-30",
        }
        for b in bilans
    ]


#: Lived in their own way, below.
A_PART = {"CSF-24", "CSF-25"}


@pytest.mark.parametrize(
    "cas", [c for c in CAS if c["id"] not in A_PART], ids=lambda cas: cas["id"]
)
def test_a_case_is_lived_to_the_cent(cas: dict[str, Any], service: Service, base: str) -> None:
    dossier = Dossier(cas, service)
    dossier.demarrer(prevus(cas["bilans"]))
    for bilan, attendu in zip(cas["bilans"], cas["attendu"], strict=True):
        dossier.deposer(bilan)
        dossier.controler(bilan)
        dossier.comparer(attendu)
        dossier.regler(attendu)
    dossier.solder()
    dossier.vie.cloture(dossier.nom)
    assert [c.code for c in verifier(base) if c.ecarts] == []


def un_cas(identifiant: str) -> dict[str, Any]:
    [cas] = [c for c in CAS if c["id"] == identifiant]
    return cas


def test_an_audit_after_the_solde_opens_the_control_again(service: Service, base: str) -> None:
    """CSF-24: the negative line of the case is an écart, in a new version of the control."""
    cas = un_cas("CSF-24")
    (bilan, audit), (premier, second) = cas["bilans"], cas["attendu"]
    dossier = Dossier(cas, service)
    vie, nom = dossier.vie, dossier.nom
    dossier.demarrer(prevus([bilan]))
    dossier.deposer(bilan)
    dossier.controler(bilan)
    dossier.comparer(premier)
    dossier.regler(premier)
    dossier.solder()
    vie.cloture(nom)

    vie.reouverture_controle(nom, controle_ref="CICC-2024-12")
    vie.ouverture_controle(nom)
    [reprise] = audit["depenses"]
    [touchee] = [d for d in bilan["depenses"] if d["poste"] == reprise["poste"]]
    ecart = {
        "montant_ecarte": reprise["montant_declare"].removeprefix("-"),
        "motif_code": reprise["motif"],
    }
    # What the first version decided of the other lines and of the resources still stands.
    vie.lignes(nom, 1, {vie.piece(nom, touchee["id"]): ecart})
    vie.fin_du_controle(nom)
    dossier.comparer(second, "montant_declare_periode", "montant_ecarte_periode")
    dossier.regler(second)
    vie.suites_closes(nom)
    dossier.exiger_regle()
    assert [c.code for c in verifier(base) if c.ecarts] == []


def test_a_dossier_without_its_bilan_is_closed_and_everything_comes_back(
    service: Service, base: str
) -> None:
    """CSF-25: its acompte was founded by the control of an intermediate bilan."""
    cas = un_cas("CSF-25")
    [attendu] = cas["attendu"]
    avance, acompte = (p["montant"] for p in cas["paiements_avant"])
    dossier = Dossier(cas, service)
    vie, nom = dossier.vie, dossier.nom
    dossier.demarrer(
        prevus([{"numero": 1, "type": "intermediaire"}, {"numero": 2, "type": "final"}])
    )
    verse = euros(avance) + euros(acompte)
    # Twice what was paid, at half: what is due is what was paid.
    depense = {"poste": "fonctionnement", "montant_impute": en_euros(2 * verse)}
    vie.bilan(nom, [depense], type="intermediaire")
    vie.controle(nom)
    assert vie.convention(nom).fse_du == verse
    vie.paiement(nom, acompte, type="acompte")

    vie.reclamation(nom, 2)
    vie.cloture_office(nom, 2)
    clos = vie.faits(nom)[-1]
    assert isinstance(clos, ClotureOfficePrononcee)
    assert en_euros(clos.fse_du_apres_centimes) == attendu["fse_du_cumule"]
    assert en_euros(clos.cout_total_retenu_apres_centimes) == attendu["cout_total_retenu"]
    lus = dossier._reglement(final=True)
    for figure in ("fse_paye_avant", "a_payer", "a_reverser"):
        assert lus[figure] == attendu[figure], figure
    assert vie.operation(nom).statut == "resilie"
    dossier.reverser(centimes(attendu["a_reverser"]))
    dossier.solder()
    assert [c.code for c in verifier(base) if c.ecarts] == []


def test_one_funding_is_shared_between_three_dossiers(service: Service, base: str) -> None:
    """CSF-30: the controls say the needs; each share is then a resource of its operation."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("400000.00")
    vie.enveloppe("A", "200000.00")
    vie.appel()
    pool = MUTUALISE["pool"]
    vie.contrepartie("POOL", pool["montant"], financeur=pool["financeur"])
    vie.perception("POOL", pool["montant"])
    noms = [o["operation"] for o in MUTUALISE["operations"]]
    for o in MUTUALISE["operations"]:
        vie.jusqu_au_demarrage(
            o["operation"], fse=o["fse_max"], cout_total=o["cout_total_eligible"]
        )
        autre = {"type": "publique_region", "montant": o["autres_ressources"]}
        vie.bilan(o["operation"], [o["cout_total_retenu"]], ressources=[autre])
        vie.controle(o["operation"])

    done = vie.repartition("POOL", noms)
    parts = {e.stream_id: e for e in done.events}
    assert parts.keys() == {vie.id("POOL")}
    for o, attendu in zip(MUTUALISE["operations"], MUTUALISE["attendu"]["operations"], strict=True):
        nom = o["operation"]
        part = attendu["contrepartie_mutualisee_affectee"]
        before = vie.convention(nom)
        assert en_euros(before.fse_du) == attendu["fse_du"]
        _ajouter_ressource(vie, nom, o["autres_ressources"], pool["financeur"], part)
        fait = next(f for f in reversed(vie.faits(nom)) if isinstance(f, CsfValide))
        assert fait.version == 2
        assert en_euros(fait.fse_du_cumule_centimes) == attendu["fse_du"]
        constate = en_euros(fait.autofinancement_constate_centimes)
        assert constate == attendu["autofinancement_constate"]
        vie.paiement(nom, attendu["fse_du"])
        vie.solde(nom)
        after = vie.convention(nom)
        assert after.paye == after.fse_du
    with vie.reads.connection() as conn:
        [(affecte, attribue)] = conn.execute(
            "SELECT affecte_centimes, attribue_centimes FROM projection.contrepartie"
        ).fetchall()
    assert en_euros(affecte) == MUTUALISE["attendu"]["pool_affecte"]
    assert en_euros(attribue - affecte) == MUTUALISE["attendu"]["pool_restant"]
    assert [c.code for c in verifier(base) if c.ecarts] == []


def _ajouter_ressource(vie: Vie, nom: str, autres: str, financeur: str, part: str) -> None:
    """Open the control again and count the share of the pool beside the other resources."""
    vie.reouverture_controle(nom)
    vie.ouverture_controle(nom)
    vie.controle_ressources(
        nom,
        decidees=[
            {
                "type": "publique_region",
                "financeur": "Financeur fictif",
                "montant_declare": autres,
                "montant_retenu": autres,
            },
            {
                "type": "publique_epci",
                "financeur": financeur,
                "montant_declare": "0.00",
                "montant_retenu": part,
                "motif": "Part de la contrepartie mutualisée",
            },
        ],
    )
    vie.fin_du_controle(nom)


def test_every_case_is_lived() -> None:
    identifiants = {c["id"] for c in CAS} | {MUTUALISE["id"]}
    assert identifiants == {f"CSF-{n:02}" for n in range(1, 33)}
    assert identifiants >= A_PART


def test_maq_05_what_counterparts_cover_of_a_dossier(service: Service) -> None:
    [cas] = [c for r in RECUEILS for c in r.get("cases", ()) if c["id"] == "MAQ-05"]
    plan, attendu = cas["entree"], cas["attendu"]
    vie = Vie(service)
    vie.subvention()
    vie.tranche("200000.00")
    vie.enveloppe("A", "100000.00")
    vie.appel()
    vie.depot(
        "OP-1",
        fse=plan["fse"],
        cout_total=plan["cout_total"],
        contreparties=plan["contreparties_previsionnelles"],
    )
    vie.instruction("OP-1", contreparties=plan["contreparties_previsionnelles"])
    vie.programmation("OP-1")
    vie.contrepartie("epci", plan["contreparties_attestees"])
    vie.affectation("epci", "OP-1", plan["contreparties_attestees"])
    with vie.reads.connection() as conn:
        couvert = fiche_operation(conn, OI_ENTIER, vie.id("OP-1")).couverture
    assert {
        "besoin_contrepartie": en_euros(couvert.besoin_centimes),
        "couverture_attestee_pct": percent(couvert.attestee),
        "couverture_previsionnelle_pct": percent(couvert.previsionnelle),
        "autofinancement_previsionnel": en_euros(couvert.autofinancement_previsionnel_centimes),
    } == attendu
