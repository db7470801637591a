"""Chapters of a dossier, up to the convention: each function tells one, and moves the calendar."""

from datetime import date, timedelta

from aggregates.operation import depot, instruction, programmation
from api import actions
from oi_service.demo.appel import RECONDUITE, REELLE, fiches
from oi_service.demo.generateur import beneficiaire
from oi_service.demo.recit import VALIDEUR, Qui, RecitDossier, identifiant
from oi_service.money import euros

#: Sessions of the board of the OI, the only body that awards the Fund's money.
SEANCES = tuple(
    map(
        date.fromisoformat,
        ("2022-03-24", "2022-04-21", "2022-06-16", "2022-10-20", "2022-12-08"),
    )
)
INSTANCE = "conseil_administration_oi"


def appel(graine: int, annee: int) -> str:
    """Return the identifier of a call of the story."""
    return str(identifiant(graine, f"appel-{annee}"))


def depose(r: RecitDossier) -> None:
    """The beneficiary answers a fiche; the manager asks for what is missing."""
    d = r.dossier
    r.sur_dossier(
        "depot",
        r.gestionnaire,
        actions.deposer_dossier,
        depot.DeposerDossier,
        appel_a_projets_id=appel(r.graine, d.annee),
        fiche_code=d.fiche,
        numero_mdfse=d.numero_mdfse,
        beneficiaire=beneficiaire(d.beneficiaire),
        intitule=fiches()[d.fiche]["titre"],
        objet=f"Réponse à la fiche {d.fiche}",
        annee_tranche=d.annee,
        periode=REELLE if d.annee == 2021 else RECONDUITE,
        plan=r.demande.saisie(),
    )
    r.attend(date(2022, 1, 10))
    r.passe(3 + d.rang % 4)
    if d.avec("complement") or d.avec("complement_sans_reponse"):
        demande_un_complement(r)
    if d.avec("complement"):
        r.passe(9)
        r.sur_operation(
            "complement-recu",
            r.gestionnaire,
            depot.recevoir_complement,
            depot.RecevoirComplement,
            pieces_recues=["Délibération de l’organe compétent", "Attestation de cofinancement"],
        )
        r.passe(2)


def demande_un_complement(r: RecitDossier) -> None:
    """Pieces are missing."""
    r.sur_operation(
        "complement-demande",
        r.gestionnaire,
        depot.demander_complement,
        depot.DemanderComplement,
        pieces_attendues=["Délibération de l’organe compétent", "Attestation de cofinancement"],
        echeance=r.jour + timedelta(days=15),
    )


def est_juge_recevable(r: RecitDossier) -> None:
    """The dossier is complete, and its plan meets the condition of its fiche."""
    r.sur_operation(
        "recevabilite",
        r.gestionnaire,
        instruction.prononcer_recevabilite,
        instruction.PrononcerRecevabilite,
    )


def ouvre_l_instruction(r: RecitDossier) -> None:
    """The analysis begins; it fixes the plan, and sometimes the words of the dossier."""
    r.passe(2)
    r.sur_operation(
        "instruction",
        r.gestionnaire,
        instruction.ouvrir_instruction,
        instruction.OuvrirInstruction,
    )
    r.passe(8)
    if r.dossier.avec("rectifie"):
        r.sur_operation(
            "rectification",
            r.gestionnaire,
            instruction.rectifier_dossier,
            instruction.RectifierDossier,
            objet=f"Réponse à la fiche {r.dossier.fiche}, action précisée avec le bénéficiaire",
            motif="L’objet ne disait pas le public visé",
        )
    instruit_le_plan(r, "plan")


def instruit_le_plan(r: RecitDossier, nom: str) -> None:
    """Fix the plan de financement."""
    r.sur_operation(
        nom,
        r.gestionnaire,
        instruction.instruire_plan,
        instruction.InstruirePlan,
        r.gestionnaire.acteur,
        plan=r.plan.saisie(),
        derogation_couts_simplifies="aide_etat" if r.dossier.avec("derogation") else None,
    )


def est_instruit(r: RecitDossier, avis: str = "favorable", nom: str = "rapport") -> None:
    """Somebody else validates the report; the PLIE and the State give their opinions."""
    r.passe(7)
    acteur, _ = VALIDEUR
    r.sur_operation(
        nom,
        VALIDEUR,
        instruction.valider_rapport,
        instruction.ValiderRapport,
        acteur,
        avis=avis,
        instructeur=r.gestionnaire.acteur,
        synthese="Plan équilibré, capacité suffisante"
        if avis == "favorable"
        else "Capacité financière insuffisante",
    )
    r.passe(6)
    directeur = Qui(f"directeur-{r.dossier.plie}", "directeur_plie")
    r.sur_operation(
        f"{nom}/avis-plie",
        directeur,
        instruction.rendre_avis_plie,
        instruction.RendreAvis,
        avis="favorable",
        instance="Comité de pilotage du PLIE",
    )
    r.passe(5)
    r.sur_operation(
        f"{nom}/avis-agd",
        r.gestionnaire,
        instruction.rendre_avis_agd,
        instruction.RendreAvis,
        avis=avis,
        instance="Autorité de gestion déléguée",
        reserves=None if avis == "favorable" else "Trésorerie à consolider",
    )


def attend_la_seance(r: RecitDossier) -> str:
    """Wait for the next session; return the reference of its minutes."""
    r.attend(next(s for s in SEANCES if s > r.jour))
    return f"CA du {r.jour:%d/%m/%Y}"


def sans_programmer(r: RecitDossier, nom: str, motif: str) -> None:
    """The board adjourns or refuses."""
    seance = attend_la_seance(r)
    decision = programmation.ajourner if nom == "ajournement" else programmation.refuser
    r.sur_operation(
        nom,
        r.gestionnaire,
        decision,
        programmation.DeciderSansProgrammer,
        instance=INSTANCE,
        pv_ref=seance,
        motif=motif,
    )


def est_ajourne_puis_repris(r: RecitDossier) -> None:
    """The board asks for more; the instruction is opened again."""
    sans_programmer(r, "ajournement", "Le plan de charge du personnel est à préciser")
    r.passe(5)
    r.sur_operation(
        "reprise",
        r.gestionnaire,
        instruction.rouvrir_instruction,
        instruction.RouvrirInstruction,
        motif="Le bénéficiaire a précisé le plan de charge",
    )
    instruit_le_plan(r, "plan-repris")
    est_instruit(r, nom="rapport-repris")


def est_programme(r: RecitDossier) -> None:
    """The board awards the grant; the enveloppe holds its money."""
    seance = attend_la_seance(r)
    contre_avis = r.dossier.avec("contre_avis")
    r.sur_dossier(
        "programmation",
        r.gestionnaire,
        actions.programmer,
        programmation.Programmer,
        instance=INSTANCE,
        pv_ref=seance,
        fse=euros(r.plan.fse),
        cout_total=euros(r.plan.cout_total),
        deports=(["administrateur-2"] if r.dossier.rang % 6 == 0 else []),
        motif="Seule réponse sur ce territoire, tutorat renforcé" if contre_avis else None,
    )
    r.passe(4)


def est_deprogramme(r: RecitDossier, motif: str) -> None:
    """The board takes its approval back, before any convention."""
    seance = attend_la_seance(r)
    r.sur_dossier(
        "deprogrammation",
        r.gestionnaire,
        actions.deprogrammer,
        programmation.DeciderSansProgrammer,
        instance=INSTANCE,
        pv_ref=seance,
        motif=motif,
    )


def arrive_au_comite(r: RecitDossier) -> None:
    """From the deposit to the day before the session."""
    depose(r)
    est_juge_recevable(r)
    ouvre_l_instruction(r)
    defavorable = r.dossier.avec("contre_avis") or r.dossier.avec("defavorable")
    est_instruit(r, "defavorable" if defavorable else "favorable")
    if r.dossier.avec("ajourne"):
        est_ajourne_puis_repris(r)


def est_retenu(r: RecitDossier) -> None:
    """From the deposit to the award, told to the beneficiary."""
    arrive_au_comite(r)
    est_programme(r)
    r.sur_operation(
        "notification",
        r.gestionnaire,
        programmation.notifier_decision,
        programmation.NotifierDecision,
    )
