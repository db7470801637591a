"""The audits of operations: what controlling bodies find, what is answered, what follows.

They move no money: those that correct something name what the dossiers had already done about it.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from aggregates.commande import Commande
from aggregates.controle_operation import notification, rapports, suites
from aggregates.controle_operation.state import CONTROLE_OPERATION
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.state import DEPENSE
from api import actions
from oi_service.application import Unit
from oi_service.demo.recit import Qui, Recit, identifiant, ne_de
from oi_service.demo.reglement import AUTOMNE, ETE
from oi_service.ids import convention_of
from oi_service.money import euros

#: Who keeps the register of controls, whoever the controlling body is.
_GESTIONNAIRE = Qui("gestionnaire-2", "gestionnaire_oi")
#: The dossiers under control; what each lives is told by its destiny.
_SOLDE, _AVANT_SOLDE, _RETRAIT = "F20210046", "F20210039", "F20210026"
_SANS_SUITE, _AUTRE_PLIE = "F20210005", "F20210024"
_APPEL_DU_RETRAIT = "AF-2022-12"


class RecitControle(Recit):
    """The story of one control."""

    def __init__(self, graine: int, reference: str, jour: date, *numeros: str) -> None:
        """Begin on the day of the letter; ``numeros`` are the dossiers under control."""
        super().__init__(graine, f"controle/{reference}", jour)
        self.reference = reference
        self.controle = identifiant(graine, self.racine)
        self.operations = [identifiant(graine, numero) for numero in numeros]

    def seul(
        self,
        nom: str,
        decision: Callable[..., list[Any]],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add a command on the control alone."""
        self.decide(
            nom, _GESTIONNAIRE, CONTROLE_OPERATION, self.controle, decision, modele, *contexte,
            **champs,
        )  # fmt: skip

    def avec(
        self,
        nom: str,
        faire: Callable[..., object],
        modele: type[Commande],
        *contexte: object,
        **champs: Any,
    ) -> None:
        """Add an action that looks at the dossiers."""

        def travail(unit: Unit, commande: Commande) -> object:
            return faire(unit, self.controle, commande, *contexte)

        self.raconte(nom, _GESTIONNAIRE, travail, modele, champs)

    def convention(self, unit: Unit, rang: int = 0) -> Convention:
        """Return the convention of a dossier under control, on the day."""
        return unit.get(CONVENTION, convention_of(self.operations[rang]))

    def lu(self, lire: Callable[[Unit, Convention], object]) -> Callable[[Unit], object]:
        """Return something of the first dossier, to be read when the day comes."""
        return lambda unit: lire(unit, self.convention(unit))

    def perimetre(self, **champs: object) -> Callable[[Unit], dict[str, Any]]:
        """Return all that the dossiers declared, on the day."""

        def lire(unit: Unit) -> dict[str, Any]:
            return {
                "operations": [
                    {
                        "operation_id": operation,
                        "cout_total_controle": euros(
                            self.convention(unit, rang).cout_total_declare
                        ),
                    }
                    for rang, operation in enumerate(self.operations)
                ],
                **champs,
            }

        return lire

    def est_notifie(self, organisme: str, *, commence: bool = True, **champs: Any) -> None:
        """Begin with the letter, and unless said the visit."""
        self.avec(
            "notification",
            actions.notifier_controle,
            notification.NotifierControle,
            organisme=organisme,
            reference=self.reference,
            **({"perimetre": self.perimetre()} | champs),
        )
        if commence:
            self.passe(4)
            self.commence("sur_place")

    def commence(self, modalite: str) -> None:
        """The controllers come, or open the pieces."""
        self.seul(
            "debut", notification.commencer, notification.CommencerControle, modalite=modalite
        )

    def rapporte(self, constats: object, limite: date | None = None) -> None:
        """The provisional report comes."""
        self.avec(
            "rapport-provisoire",
            actions.recevoir_rapport_provisoire,
            rapports.RecevoirRapportProvisoire,
            rapport_ref=f"{self.reference}-RP",
            constats=constats,
            date_limite_reponse=limite,
        )

    def repond(self, numero: int, auteur: str, reponse: str, observations: str) -> None:
        """Somebody answers a finding."""
        self.seul(
            f"reponse-{numero}-{auteur}",
            rapports.repondre,
            rapports.RepondreConstat,
            constat_numero=numero,
            auteur=auteur,
            reponse=reponse,
            observations=observations,
        )

    def conclut(self, constats: object, resultat: str, limite: date | None = None) -> None:
        """The final report comes."""
        self.seul(
            "rapport-definitif",
            rapports.recevoir_rapport_definitif,
            rapports.RecevoirRapportDefinitif,
            rapport_ref=f"{self.reference}-RD",
            constats=constats,
            resultat=resultat,
            date_limite_suites=limite,
        )

    def decide_une_suite(self, mesure: str, action: str, echeance: date, qui: str = "oi") -> UUID:
        """Decide what is done about the first finding; return the follow-up."""
        nom = f"suite-{mesure}"
        self.avec(
            nom,
            actions.decider_suite_controle,
            suites.DeciderSuite,
            constat_numero=1,
            mesure=mesure,
            responsable=qui,
            action=action,
            echeance=echeance,
        )
        return uuid5(self.cle(nom), "suite")

    def execute(self, mesure: str, suite_id: UUID, **cite: Any) -> None:
        """The follow-up is done: it names what did it."""
        self.avec(
            f"execution-{mesure}",
            actions.executer_suite_controle,
            suites.ExecuterSuite,
            suite_id,
            **cite,
        )

    def finit(self) -> None:
        """Everything was done: the body says that its control is over."""
        self.avec("suites-closes", actions.clore_suites_controle, suites.CloreSuitesDuControle)
        self.passe(3)
        self.clot()

    def clot(self) -> None:
        """The letter that ends the control."""
        self.seul(
            "cloture", suites.clore, suites.CloreControle, cloture_ref=f"{self.reference}-FIN"
        )


def raconte_les_controles(graine: int) -> Iterable[Recit]:
    """Six controls: corrected after and before the solde, withdrawn, quiet, annulled, under way."""
    return (
        _apres_le_solde(graine),
        _avant_le_solde(graine),
        _avec_retrait(graine),
        _sans_incidence(graine),
        _annule(graine),
        _en_cours(graine),
    )


def _apres_le_solde(graine: int) -> Recit:
    """Settled, certified, closed: the control has it opened again, paid back and withdrawn."""
    r = RecitControle(graine, "AUDIT-FICTIF-2022-7", date(2022, 8, 31), _SOLDE)
    r.est_notifie("autorite_audit", perimetre=r.perimetre(etat_no=ETE.etat_no))
    r.attend(date(2022, 9, 13))
    r.rapporte(r.lu(_deux_bulletins), date(2022, 9, 21))
    r.passe(6)
    r.repond(1, "beneficiaire", "conteste", "Les relevés de temps ont été perdus")
    r.repond(1, "oi", "accepte", "Deux bulletins restent sans relevé de temps")
    r.attend(date(2022, 9, 23))
    r.conclut(
        [{"numero": 1, "issue": "maintenu", "mesure_recommandee": "Recalculer le FSE dû"}],
        "correction_individuelle",
        date(2022, 12, 15),
    )
    r.passe(3)
    recalcul = r.decide_une_suite(
        "recalcul_csf", "Rouvrir le contrôle de service fait", date(2022, 11, 30)
    )
    ordre = r.decide_une_suite(
        "ordre_reversement", "Réclamer l’indu au bénéficiaire", date(2022, 11, 30), "beneficiaire"
    )
    retrait = r.decide_une_suite(
        "retrait_certification",
        "Retirer les dépenses du prochain appel de fonds",
        date(2022, 12, 15),
        "autorite_gestion",
    )
    r.attend(date(2022, 10, 25))
    r.execute("recalcul_csf", recalcul, csf=r.lu(_dernier_csf))
    r.attend(date(2022, 11, 17))
    r.execute("ordre_reversement", ordre, ordres=r.lu(lambda _, c: [list(c.ordres)[-1]]))
    r.attend(date(2022, 12, 6))
    r.execute("retrait_certification", retrait, appels_de_fonds=[_APPEL_DU_RETRAIT])
    r.passe(2)
    r.finit()
    return r


def _avant_le_solde(graine: int) -> Recit:
    """The managing authority comes before the solde; what it recommends is still to be done."""
    r = RecitControle(graine, "VISITE-FICTIVE-2022-3", date(2022, 8, 29), _AVANT_SOLDE)
    r.est_notifie("autorite_gestion", date_annoncee=date(2022, 9, 2))
    r.attend(date(2022, 9, 8))
    r.rapporte(r.lu(_deux_bulletins), date(2022, 9, 16))
    r.passe(5)
    r.repond(1, "oi", "accepte", "Le contrôle de service fait sera rouvert")
    r.attend(date(2022, 9, 19))
    r.conclut([{"numero": 1, "issue": "maintenu"}], "correction_individuelle", date(2022, 11, 30))
    recalcul = r.decide_une_suite(
        "recalcul_csf", "Rouvrir le contrôle de service fait", date(2022, 10, 31)
    )
    r.decide_une_suite(
        "mesure_administrative",
        "Rappeler aux bénéficiaires la tenue des relevés de temps",
        date(2022, 11, 30),
    )
    r.attend(date(2022, 10, 24))
    r.execute("recalcul_csf", recalcul, csf=r.lu(_dernier_csf))
    return r


def _avec_retrait(graine: int) -> Recit:
    """Drawn by the audit authority, discussed, corrected by letters, withdrawn by the State."""
    r = RecitControle(graine, "CICC-FICTIVE-2022-12", date(2022, 11, 2), _RETRAIT)
    r.est_notifie("autorite_audit", commence=False)
    r.passe(1)
    tirage = ne_de(graine, "audit/etat/tirage", "echantillon")
    r.avec(
        "perimetre",
        actions.rectifier_perimetre_controle,
        notification.RectifierPerimetre,
        perimetre=r.perimetre(etat_no=AUTOMNE.etat_no, echantillon_id=tirage),
        motif="La lettre ne disait ni l’état de dépenses ni l’échantillon",
    )
    r.passe(4)
    r.commence("sur_pieces")
    r.attend(date(2022, 11, 14))
    r.rapporte(r.lu(lambda _, c: _deux_constats(r.operations[0], c)), date(2022, 11, 21))
    r.passe(2)
    r.seul(
        "rectification",
        rapports.rectifier_constat,
        rapports.RectifierConstat,
        constat_numero=2,
        rectification_ref="Courrier fictif du 15 novembre 2022",
        cout_total="400.00",
        fse="200.00",
        motif="Une facture avait été comptée deux fois par le rapport",
    )
    r.passe(1)
    r.seul(
        "prolongation",
        rapports.prolonger_reponse,
        rapports.ProlongerDelaiReponse,
        date_limite=date(2022, 11, 28),
        accord_ref="Courriel fictif du 16 novembre 2022",
    )
    r.passe(6)
    r.repond(1, "oi", "accepte", "Les pièces manquent")
    r.repond(2, "beneficiaire", "conteste", "La mise en concurrence est jointe")
    r.attend(date(2022, 11, 30))
    r.conclut(
        r.lu(
            lambda _, c: [
                {"numero": 1, "issue": "reduit", **_part(c, 2)},
                {"numero": 2, "issue": "abandonne", "motivation": "Trois devis sont joints"},
            ]
        ),
        "correction_forfaitaire",
        date(2022, 12, 9),
    )
    r.passe(1)
    erreur = r.decide_une_suite(
        "ordre_reversement", "Réclamer l’indu au bénéficiaire", date(2022, 12, 9)
    )
    r.passe(1)
    r.seul(
        "suite-annulee",
        suites.annuler_suite,
        suites.AnnulerSuite,
        erreur,
        motif="Rien n’est dû par le bénéficiaire : l’État retire la dépense certifiée",
    )
    retrait = r.decide_une_suite(
        "retrait_certification", "Confirmer le retrait", date(2022, 12, 9), "autorite_gestion"
    )
    r.passe(3)
    r.seul(
        "suite-prolongee",
        suites.prolonger_suite,
        suites.ProlongerDelaiSuite,
        retrait,
        echeance=date(2022, 12, 16),
        accord_ref="Courriel fictif du 5 décembre 2022",
    )
    r.passe(5)
    r.execute("retrait_certification", retrait, appels_de_fonds=[_APPEL_DU_RETRAIT])
    r.passe(1)
    r.finit()
    return r


def _sans_incidence(graine: int) -> Recit:
    """Two operations of two PLIE in one mission, which finds nothing."""
    r = RecitControle(graine, "CCE-FICTIVE-2022-1", date(2022, 9, 12), _SANS_SUITE, _AUTRE_PLIE)
    r.est_notifie("cour_des_comptes_europeenne")
    r.attend(date(2022, 10, 17))
    r.rapporte([])
    r.attend(date(2022, 11, 16))
    r.conclut([], "sans_incidence")
    r.passe(8)
    r.clot()
    return r


def _annule(graine: int) -> Recit:
    """Announced, then given up."""
    r = RecitControle(graine, "MISSION-FICTIVE-2022-4", date(2022, 10, 3), _SANS_SUITE)
    r.est_notifie("autre", commence=False, organisme_nom="Mission fictive d’inspection")
    r.passe(9)
    r.seul(
        "annulation",
        notification.annuler,
        notification.AnnulerControle,
        motif="La mission porte finalement sur un autre programme",
    )
    return r


def _en_cours(graine: int) -> Recit:
    """The Commission waits for an answer."""
    r = RecitControle(graine, "COMMISSION-FICTIVE-2022-2", date(2022, 11, 7), _AUTRE_PLIE)
    r.est_notifie("commission_europeenne")
    r.attend(date(2022, 12, 5))
    r.rapporte(
        [
            {
                "numero": 1,
                "operation_id": r.operations[0],
                "nature": "publicite",
                "constatation": "L’affiche manque à l’entrée du second site",
                "cout_total": "0.00",
                "fse": "250.00",
                "assiette": "FSE de l’opération",
            }
        ],
        date(2023, 1, 6),
    )
    return r


# --- What the reports say, read on their day -----------------------------------------------------


def _deux_bulletins(unit: Unit, convention: Convention) -> list[dict[str, Any]]:
    """Find the first two lines kept whole: the opening again of the control rejects them.

    What the Fund pays of them, at the rate of the convention and in whole euros.
    """
    premier = next(iter(convention.bilans.values()))
    lignes = zip(premier.depenses, unit.get_all(DEPENSE, premier.depenses), strict=True)
    retenues = [(i, d) for i, d in lignes if d.montant > 0 and not d.ecarte][:2]
    cout_total = sum(d.montant for _, d in retenues)
    fse = cout_total * convention.fse_max // convention.cout_total_eligible // 100 * 100
    return [
        {
            "numero": 1,
            "operation_id": convention.operation_id,
            "nature": "temps_de_travail",
            "constatation": "Deux bulletins de paie sans relevé de temps probant",
            "cout_total": euros(cout_total),
            "fse": euros(fse),
            "depenses": [i for i, _ in retenues],
        }
    ]


def _dernier_csf(_unit: Unit, convention: Convention) -> list[UUID]:
    csf = next(iter(convention.bilans.values())).csf
    assert csf is not None
    return [csf.csf_id]


def _deux_constats(operation_id: UUID, convention: Convention) -> list[dict[str, Any]]:
    commun = {"operation_id": operation_id, "nature": "commande_publique"}
    return [
        {
            **commun,
            "numero": 1,
            "constatation": "Marché passé sans publicité suffisante",
            "assiette": "Prestations d’un marché",
            "cout_total": euros(convention.cout_total_transmis // 10),
            "fse": euros(convention.fse_transmis // 10),
        },
        {
            **commun,
            "numero": 2,
            "constatation": "Mise en concurrence non prouvée",
            "assiette": "Achats de petit matériel",
            "cout_total": "500.00",
            "fse": "250.00",
        },
    ]


def _part(convention: Convention, diviseur: int) -> dict[str, str]:
    """Return a part of what the State withdrew."""
    retrait = convention.retraits[_APPEL_DU_RETRAIT]
    return {
        "cout_total": euros(retrait.cout_total // diviseur),
        "fse": euros(retrait.fse // diviseur),
    }
