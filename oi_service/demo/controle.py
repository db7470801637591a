"""Chapters of the control of the delivered service, from its opening to its validation."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from aggregates.convention import (
    bilans,
    constatations,
    echantillons,
    horloge,
    service_fait,
    validation,
)
from aggregates.depense import controle, pieces
from aggregates.depense.state import DEPENSE
from api import actions
from oi_service.demo.depenses import MARCHE, bilan_de
from oi_service.demo.execution import ECHANTILLON
from oi_service.demo.generateur import NOMS_FINANCEURS
from oi_service.demo.pieces import Ligne
from oi_service.demo.recit import VALIDEUR, Lot, RecitDossier, jour_ouvre
from oi_service.money import euros
from rules.echantillon import tirer
from rules.grille import POINTS

_COMMENTAIRE = "Au vu des pièces du bilan"
#: Points of the checklist that operations of this call have nothing to say about.
_SANS_OBJET = frozenset((10, 15))
#: Units that nothing proves, one in that many; the deliverable that was not reached.
_PARCOURS_NON_PROUVES = 14
_LIVRABLE_MANQUE = "evaluation"
#: The statements of account that come late are those of what was paid from here on.
_SECOND_SEMESTRE = "2021-07-01"
#: What a drawn piece loses, in thousandths, when the draw must show something.
_ECART_DU_TIRAGE = 310


def est_renvoye(r: RecitDossier, lot: Lot) -> None:
    """The bilan is not signed: it goes back, and comes again."""
    r.passe(2)
    r.sur_dossier(
        lot.nom("renvoi"),
        r.controleur,
        actions.renvoyer_bilan,
        bilans.RenvoyerBilan,
        bilan_de(r, lot),
        motif="Le bilan n’est pas signé par le représentant légal",
    )
    r.passe(4)


def ouvre_le_controle(r: RecitDossier, lot: Lot, envoi: str = "depot", version: int = 1) -> UUID:
    """Begin the control; return its identifier."""
    nom = lot.nom(f"csf-{version}")
    r.sur_dossier(
        nom,
        r.controleur,
        actions.ouvrir_csf,
        service_fait.OuvrirCsf,
        bilan_id=bilan_de(r, lot, envoi),
        modalite="echantillon" if r.dossier.avec("echantillon") else "exhaustif",
    )
    return uuid5(r.cle(nom), "csf")


def est_controle(r: RecitDossier, lot: Lot, envoi: str = "depot") -> UUID:
    """From the opening of the control to its validation; return its identifier."""
    r.passe(2)
    csf_id = ouvre_le_controle(r, lot, envoi)
    if r.dossier.avec("interrompu"):
        _attend_une_piece(r, lot, envoi)
    conclut(r, lot, csf_id)
    est_valide(r, lot, csf_id)
    return csf_id


def conclut(r: RecitDossier, lot: Lot, csf_id: UUID) -> None:
    """Decide on everything, and hear the beneficiary on what is not kept."""
    if constate(r, lot, csf_id):
        notifie_ses_conclusions(r, lot, csf_id)
        entend_le_beneficiaire(r, lot, csf_id)


def _attend_une_piece(r: RecitDossier, lot: Lot, envoi: str) -> None:
    """A piece is missing: the clock of the payment stops until it comes."""
    r.passe(4)
    r.sur_convention(
        lot.nom("interruption"),
        r.controleur,
        horloge.interrompre,
        horloge.InterrompreDelai,
        bilan_de(r, lot, envoi),
        cause="piece_manquante",
        notification_ref=f"LETTRE-{r.dossier.numero_mdfse}-1",
        motif="Les relevés de compte du second semestre manquent",
    )
    r.passe(41)
    for rang, (depense_id, ligne) in enumerate(zip(lot.ids, lot.lignes, strict=True), 1):
        if ligne.poste == "personnel" and ligne.saisie["date_piece"] >= _SECOND_SEMESTRE:
            _joint(r, lot.nom(f"releve-{rang}"), depense_id)
    r.sur_convention(
        lot.nom("reprise"),
        r.controleur,
        horloge.reprendre,
        horloge.ReprendreDelai,
        bilan_de(r, lot, envoi),
    )


def _joint(r: RecitDossier, nom: str, depense_id: UUID) -> None:
    """A document comes after the dépense that it proves."""
    r.decide(nom, r.controleur, DEPENSE, depense_id, pieces.joindre, pieces.JoindrePieces)


def constate(r: RecitDossier, lot: Lot, csf_id: UUID) -> bool:
    """Decide on all that the bilan declares; tell whether less is kept than what it asks for."""
    r.passe(6)
    vues = _regarde(r, lot, csf_id)
    ecarte = _decide(r, lot, csf_id, "csf-1/lignes", vues)
    if r.dossier.avec("echantillon"):
        r.sur_dossier(
            lot.nom("csf-1/extrapolation"),
            r.controleur,
            actions.decider_extrapolation,
            echantillons.DeciderExtrapolation,
            csf_id,
            poste="personnel",
            fondement="convention",
        )
    r.passe(1)
    _controle_les_ressources(r, lot, csf_id)
    moins = _controle_les_realisations(r, lot, csf_id)
    moins |= _controle_les_recettes(r, lot, csf_id)
    moins |= _corrige_le_marche(r, lot, csf_id)
    moins |= _applique_la_refaction(r, lot, csf_id)
    _remplit_la_grille(r, lot, csf_id, conforme=not ecarte)
    return ecarte or moins


def _regarde(r: RecitDossier, lot: Lot, csf_id: UUID) -> dict[UUID, Ligne]:
    """Return the lines that the control looks at: all of them, or those that a draw keeps."""
    vues = dict(zip(lot.ids, lot.lignes, strict=True))
    if not r.dossier.avec("echantillon"):
        return vues
    r.sur_dossier(
        lot.nom("csf-1/tirage"),
        r.controleur,
        actions.tirer_echantillon,
        echantillons.TirerEchantillon,
        csf_id,
        poste="personnel",
        justification="Plus de trente bulletins de paie de même nature",
        graine=r.dossier.numero_mdfse,
    )
    strate = {i: ligne.montant for i, ligne in vues.items() if ligne.poste == "personnel"}
    tirage = tirer(strate, r.dossier.numero_mdfse, **ECHANTILLON)
    vues = {i: ligne for i, ligne in vues.items() if i not in strate or i in tirage}
    if not any(vues[i].ecarte for i in tirage):
        fautive = vues[tirage[0]]
        ecarte = fautive.montant * _ECART_DU_TIRAGE // 1000
        vues[tirage[0]] = replace(fautive, ecarte=ecarte, motif="TEMPS_NON_JUSTIFIE")
    return vues


def _decide(r: RecitDossier, lot: Lot, csf_id: UUID, nom: str, lignes: dict[UUID, Ligne]) -> bool:
    """Decide on lines; tell whether something is set aside."""
    decisions = []
    for depense_id, ligne in lignes.items():
        decision: dict[str, Any] = {
            "depense_id": depense_id,
            "montant_ecarte": euros(ligne.ecarte),
        }
        if ligne.motif:
            decision |= {"motif_code": ligne.motif, "commentaire": _COMMENTAIRE}
        decisions.append(decision)
    if decisions:
        r.sur_dossier(
            lot.nom(nom),
            r.controleur,
            actions.controler_depenses,
            controle.ControlerDepenses,
            csf_id,
            lignes=decisions,
        )
    return any(ligne.ecarte for ligne in lignes.values())


def _controle_les_ressources(r: RecitDossier, lot: Lot, csf_id: UUID) -> None:
    """Keep what was received; a contribution in kind is kept as its dépenses are."""
    en_moins = sum(ligne.ecarte for ligne in lot.lignes if ligne.poste == "nature")
    r.sur_convention(
        lot.nom("csf-1/ressources"),
        r.controleur,
        constatations.controler_ressources,
        constatations.ControlerRessources,
        csf_id,
        r.controleur.acteur,
        ressources=[
            {
                "type": t,
                "financeur": NOMS_FINANCEURS[t],
                "montant_declare": euros(m),
                "montant_retenu": euros(m - (en_moins if t == "nature" else 0)),
            }
            for t, m in lot.ressources.items()
        ],
    )


def _controle_les_realisations(r: RecitDossier, lot: Lot, csf_id: UUID) -> bool:
    """Keep the units that are proven and the deliverables that are reached."""
    prouves = lot.parcours - lot.parcours // _PARCOURS_NON_PROUVES
    unites = {"poste": "parcours", "retenues": str(prouves), "motif_code": "UNITE_NON_PROUVEE"}
    if not lot.parcours and not lot.livrables:
        return False
    r.sur_convention(
        lot.nom("csf-1/realisations"),
        r.controleur,
        constatations.controler_realisations,
        constatations.ControlerRealisations,
        csf_id,
        r.controleur.acteur,
        unites=[unites] if lot.parcours else [],
        livrables=[
            {"id": x, "atteint": False, "motif_code": "LIVRABLE_NON_ATTEINT"}
            if x == _LIVRABLE_MANQUE
            else {"id": x, "atteint": True}
            for x in lot.livrables
        ],
    )
    return True


def _controle_les_recettes(r: RecitDossier, lot: Lot, csf_id: UUID) -> bool:
    if not lot.recettes:
        return False
    r.sur_convention(
        lot.nom("csf-1/recettes"),
        r.controleur,
        constatations.controler_recettes,
        constatations.ControlerRecettes,
        csf_id,
        r.controleur.acteur,
        montant_retenu=euros(lot.recettes),
    )
    return True


def _corrige_le_marche(r: RecitDossier, lot: Lot, csf_id: UUID) -> bool:
    """A contract was awarded without the publicity that it asked for."""
    if not r.dossier.avec("marche"):
        return False
    r.sur_dossier(
        lot.nom("csf-1/marche"),
        r.controleur,
        actions.corriger_marche,
        constatations.CorrigerMarche,
        csf_id,
        marche_ref=MARCHE,
        taux_pct="25",
        motif="Publicité insuffisante avant la passation du marché",
    )
    return True


def _applique_la_refaction(r: RecitDossier, lot: Lot, csf_id: UUID) -> bool:
    """An indicator is far below its target, and the convention has a clause for that."""
    if not r.dossier.avec("refaction"):
        return False
    r.sur_dossier(
        lot.nom("csf-1/refaction"),
        r.controleur,
        actions.corriger_fse,
        constatations.CorrigerFse,
        csf_id,
        nature="refaction_indicateurs",
        motif="Moins de participants que la convention n’en demande",
    )
    return True


def _remplit_la_grille(r: RecitDossier, lot: Lot, csf_id: UUID, *, conforme: bool) -> None:
    """Answer the checklist: what was rejected shows at the dépenses and at the conclusion."""
    non_conformes = frozenset[int]() if conforme else frozenset((6,))
    r.sur_convention(
        lot.nom("csf-1/grille"),
        r.controleur,
        constatations.remplir_grille,
        constatations.RemplirGrille,
        csf_id,
        r.controleur.acteur,
        points=[
            {"numero": n, "reponse": "non_conforme", "commentaire": "Dépenses écartées en partie"}
            if n in non_conformes
            else {"numero": n, "reponse": "sans_objet" if n in _SANS_OBJET else "conforme"}
            for n in POINTS
        ],
    )


def ecarte_apres_audit(r: RecitDossier, lot: Lot, csf_id: UUID, version: int) -> None:
    """Reject whole the first two payslips that the control had kept."""
    retenues = [(i, x) for i, x in zip(lot.ids, lot.lignes, strict=True) if not x.ecarte][:2]
    lignes = {i: replace(x, ecarte=x.montant, motif="CORRECTION_AUDIT") for i, x in retenues}
    r.passe(6)
    _decide(r, lot, csf_id, f"csf-{version}/lignes", lignes)


def notifie_ses_conclusions(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """Tell the beneficiary what would be rejected, and until when to answer."""
    r.passe(2)
    r.sur_dossier(
        lot.nom(f"csf-{version}/conclusions"),
        r.controleur,
        actions.notifier_conclusions,
        validation.NotifierConclusions,
        csf_id,
    )


def entend_le_beneficiaire(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """The beneficiary answers, or the time to answer goes by; the phase is then closed."""
    if lot.type == "final" and version == 1 and r.dossier.rang % 3 == 1:
        r.passe(32)
    else:
        r.passe(10)
        r.sur_convention(
            lot.nom(f"csf-{version}/observations"),
            r.controleur,
            validation.recevoir_observations,
            validation.RecevoirObservations,
            csf_id,
        )
        r.passe(4)
    r.sur_convention(
        lot.nom(f"csf-{version}/conclusions-finales"),
        r.controleur,
        validation.notifier_conclusions_finales,
        validation.NotifierConclusionsFinales,
        csf_id,
    )


def propose(r: RecitDossier, lot: Lot, csf_id: UUID, nom: str = "csf-1/proposition") -> None:
    """Say that the control is done: somebody else has to validate it."""
    r.sur_dossier(lot.nom(nom), r.controleur, actions.proposer_csf, validation.ProposerCsf, csf_id)


def _est_repris(r: RecitDossier, lot: Lot, csf_id: UUID) -> None:
    """Sent back for a proof of payment that is not in the dossier, then proposed with it."""
    rang, ligne = next((i, x) for i, x in enumerate(lot.lignes) if not x.ecarte)
    r.passe(1)
    r.sur_convention(
        lot.nom("csf-1/renvoi"),
        VALIDEUR,
        validation.renvoyer_csf,
        validation.RenvoyerCsf,
        csf_id,
        VALIDEUR.acteur,
        motif=(
            f"Joindre le relevé de compte qui prouve le paiement de la pièce "
            f"{ligne.saisie['piece_ref']}"
        ),
    )
    r.passe(1)
    _joint(r, lot.nom("csf-1/renvoi/releve"), lot.ids[rang])
    propose(r, lot, csf_id, "csf-1/proposition-2")


def est_valide(r: RecitDossier, lot: Lot, csf_id: UUID, version: int = 1) -> None:
    """The control is proposed; somebody else validates it: what the Fund owes is fixed."""
    validation_le = jour_ouvre(r.jour + timedelta(days=3))
    propose(r, lot, csf_id, f"csf-{version}/proposition")
    if r.dossier.avec("controle_repris"):
        _est_repris(r, lot, csf_id)
    r.attend(validation_le)
    r.sur_dossier(
        lot.nom(f"csf-{version}/validation"),
        VALIDEUR,
        actions.valider_csf,
        validation.ValiderCsf,
        csf_id,
    )
