"""The end of a control: the beneficiary is heard, the certificate fixes what the Fund owes."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee
from aggregates.convention.bilans import declares
from aggregates.convention.echantillons import echantillon, validees_avec_la_strate
from aggregates.convention.events import (
    ConclusionsFinalesNotifiees,
    ConclusionsIntermediairesNotifiees,
    CsfPropose,
    CsfRenvoye,
    CsfValide,
    EntreesCalcul,
    Intervention,
    ObservationsRecues,
    PosteRetenu,
)
from aggregates.convention.service_fait import csf_de, exiger_apres_reouverture
from aggregates.convention.state import Bilan, Convention, Csf
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from aggregates.separation import (
    Acteurs,
    ControleurEgalValideur,
    InstructeurValideService,
    reunir,
)
from oi_service.dates import Jour
from oi_service.errors import RuleBroken
from rules import VERSION_REGLES
from rules.calcul import (
    Apports,
    LignesMarche,
    LignesPoste,
    LivrableVu,
    Resultat,
    TauxDecide,
    Unites,
    service_fait,
)


class LignesNonControlees(RuleBroken):
    """Il manque la décision de {nombre:dépense(s)} du bilan : le contrôle ne peut pas être
    validé.
    """


class RessourcesNonControlees(RuleBroken):
    """Les ressources du bilan n’ont pas encore été contrôlées."""


class RealisationsNonControlees(RuleBroken):
    """Les unités et les livrables du bilan n’ont pas encore été contrôlés."""


class RecettesNonControlees(RuleBroken):
    """Le bilan déclare {montant:euros} de recettes nettes : décidez de ce qui en est retenu."""


class ContributionSansContrepartie(RuleBroken):
    """{depense:euros} de dépenses « {poste} » sont retenues pour {ressource:euros} de ressources
    correspondantes : une contribution en nature ou d’un tiers se retient pour le même montant des
    deux côtés.
    """

    article = "Règlement (UE) n° 1303/2013, art. 69 §1 ; règlement (UE) 2021/1060, art. 67 §1"


class DelaiContradictoireTropCourt(RuleBroken):
    """Le bénéficiaire a {jours} jours pour répondre : la date limite ne peut pas précéder le
    {limite}.
    """


class ContradictoireManquant(RuleBroken):
    """Des montants sont écartés, ou le FSE retenu ({retenu:euros}) est inférieur à celui qui était
    attendu ({attendu:euros}) : notifiez les conclusions intermédiaires, attendez la réponse du
    bénéficiaire ou la fin du délai ({limite}), puis notifiez les conclusions finales.
    """

    article = "fse.gouv.fr, « Bilan, contrôle de service fait et paiement »"


class ConclusionsAvantReponse(RuleBroken):
    """Les conclusions finales suivent les conclusions intermédiaires, puis les observations du
    bénéficiaire ou la fin du délai ({limite}).
    """


class ConclusionsDepassees(RuleBroken):
    """Le FSE retenu est passé de {annonce:euros}, annoncés au bénéficiaire, à {retenu:euros} :
    notifiez-lui de nouvelles conclusions intermédiaires.
    """


class CsfRenvoyeAuControle(RuleBroken):
    """Ce contrôle a été renvoyé à qui contrôle le {le} : il se propose de nouveau avant d’être
    validé.
    """


class PropositionDepassee(RuleBroken):
    """Le contrôle a changé depuis qu’il est proposé : {propose:euros} de FSE dû étaient proposés,
    il en donne maintenant {retenu:euros}. Faites-le proposer de nouveau.
    """


class CsfNonPropose(RuleBroken):
    """Ce contrôle n’est pas proposé à la validation : il n’y a rien à renvoyer."""


class BilanAnterieurNonControle(RuleBroken):
    """Le bilan n° {numero} doit être contrôlé d’abord : les montants se cumulent dans l’ordre."""


Depenses = Mapping[UUID, Depense]


class NotifierConclusions(Commande):
    """Tell the beneficiary what would be kept, and until when to answer.

    Without a ``date_limite_reponse``, the delay of the grant counts from ``date_effet``.
    """

    date_limite_reponse: Jour | None = None


def notifier_conclusions(
    convention: Convention, commande: NotifierConclusions, csf_id: UUID, depenses: Depenses
) -> list[ConclusionsIntermediairesNotifiees]:
    """Open the phase contradictoire, with what is asked and what would be kept."""
    bilan, csf = csf_de(convention, csf_id)
    jours = convention.parametres.delai_contradictoire_jours
    limite = commande.date_effet + timedelta(days=jours)
    if commande.date_limite_reponse is not None and commande.date_limite_reponse < limite:
        raise DelaiContradictoireTropCourt(jours=jours, limite=limite)
    return [
        ConclusionsIntermediairesNotifiees(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            date_limite_reponse=commande.date_limite_reponse or limite,
            fse_demande_centimes=demande_du_bilan(convention, bilan, csf, depenses).fse_du_centimes,
            fse_retenu_centimes=calculer_csf(convention, bilan, csf, depenses)[1].fse_du_centimes,
        )
    ]


class RecevoirObservations(Commande):
    """Record the beneficiary's answer."""


def recevoir_observations(
    convention: Convention, commande: RecevoirObservations, csf_id: UUID
) -> list[ObservationsRecues]:
    """Record the answer."""
    csf_de(convention, csf_id)
    return [
        ObservationsRecues(date_effet=commande.date_effet, pieces=commande.jointes(), csf_id=csf_id)
    ]


class NotifierConclusionsFinales(Commande):
    """Close the phase contradictoire."""


def notifier_conclusions_finales(
    convention: Convention, commande: NotifierConclusionsFinales, csf_id: UUID
) -> list[ConclusionsFinalesNotifiees]:
    """Close, once the beneficiary answered or had the time to."""
    _, csf = csf_de(convention, csf_id)
    if not _entendu(csf, commande.date_effet):
        raise ConclusionsAvantReponse(limite=csf.date_limite_reponse or "conclusions à notifier")
    return [
        ConclusionsFinalesNotifiees(
            date_effet=commande.date_effet, pieces=commande.jointes(), csf_id=csf_id
        )
    ]


def _entendu(csf: Csf, jour: date) -> bool:
    """Tell whether the beneficiary answered what it was told, or had the time to."""
    if csf.date_limite_reponse is None:
        return False
    return csf.statut in {"observations", "finales"} or jour > csf.date_limite_reponse


class ValiderCsf(Commande):
    """Validate the control: it becomes the certificate of service fait."""


def valider_csf(
    convention: Convention,
    commande: ValiderCsf,
    csf_id: UUID,
    valideur: str,
    depenses: Depenses,
    operation: Operation,
) -> list[CsfValide]:
    """Validate, and fix what the Fund owes since the start of the operation.

    The fact carries every input and every operand, so that the calculation can be redone years
    later without looking anything up.
    Source: domain rule of the minimum, rules/calcul.py.
    """
    bilan, csf = csf_de(convention, csf_id)
    _exiger_anterieurs(convention, bilan)
    controleurs = controleurs_de(bilan, depenses)
    exiger_autre_personne(bilan, controleurs, operation, valideur)
    _exiger_dernier(convention, bilan, commande, "Valider le contrôle de service fait")
    entrees, du = _exiger_complet(convention, bilan, csf, depenses)
    _exiger_proposition(csf, du, depenses)
    return [
        CsfValide(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            csf_id=csf_id,
            bilan_id=bilan.bilan_id,
            version=csf.version,
            type=bilan.type,
            version_regles=VERSION_REGLES,
            valideur=valideur,
            postes=_postes_retenus(entrees.bilans[entrees.rang]),
            ressources=csf.ressources or (),
            postes_cumules={p.code: p.retenu_centimes for p in du.postes},
            ressources_cumulees=tuple(r for b in entrees.bilans for r in b.ressources),
            fse_max_centimes=convention.fse_max,
            cout_total_eligible_centimes=convention.cout_total_eligible,
            arrondi=convention.arrondi,
            cout_net_cumule_centimes=du.cout_net_centimes,
            ressources_externes_centimes=du.ressources_externes_centimes,
            c1_plafond_centimes=du.c1_centimes,
            c2_taux_centimes=du.c2_centimes,
            c3_besoin_centimes=du.c3_centimes,
            c4_hors_nature_centimes=du.c4_centimes,
            contrainte_active=du.contrainte_active,
            fse_du_cumule_centimes=du.fse_du_centimes,
            fse_du_periode_centimes=du.fse_du_centimes - convention.fse_du,
            cout_total_retenu_periode_centimes=du.cout_net_centimes - convention.cout_total_retenu,
            depenses_declarees_centimes=du.declare_centimes - convention.depenses_controlees,
            depenses_ecartees_centimes=du.ecarte_centimes - convention.depenses_ecartees,
            autofinancement_constate_centimes=du.autofinancement_constate_centimes,
            surfinancement_ecarte_centimes=du.surfinancement_ecarte_centimes,
            entrees=entrees,
            resultat=du,
            controleurs=tuple(
                Intervention(qui=qui, acte=controle.acte, le=controle.le)
                for qui, controle in sorted(controleurs.items())
            ),
        )
    ]


def _exiger_anterieurs(convention: Convention, bilan: Bilan) -> None:
    """Refuse while an earlier bilan waits for its control."""
    for autre in convention.bilans.values():
        if autre.numero < bilan.numero and autre.statut in {"depose", "recevable", "en_controle"}:
            raise BilanAnterieurNonControle(numero=autre.numero)


def _exiger_complet(
    convention: Convention,
    bilan: Bilan,
    csf: Csf,
    depenses: Depenses,
    avec_la_strate: Collection[UUID] = (),
) -> tuple[EntreesCalcul, Resultat]:
    """Refuse what is not decided yet, or was not heard; return what the Fund would owe.

    ``avec_la_strate``: pieces that the validation will decide with their stratum.
    """
    _exiger_decisions(bilan, csf, depenses, avec_la_strate)
    entrees, du = calculer_csf(convention, bilan, csf, depenses)
    _exiger_contributions(entrees.bilans, du)
    _exiger_contradictoire(convention, bilan, csf, depenses, du)
    return entrees, du


def _exiger_proposition(csf: Csf, du: Resultat, depenses: Depenses) -> None:
    """Refuse a control sent back and not proposed again, or that changed since it was proposed."""
    if csf.renvoye_le is not None:
        raise CsfRenvoyeAuControle(le=csf.renvoye_le)
    proposition = csf.propose
    if proposition is None:
        return
    propose = (
        proposition.fse_du_cumule_centimes,
        proposition.cout_net_cumule_centimes,
        proposition.depenses_ecartees_centimes,
    )
    if propose != (du.fse_du_centimes, du.cout_net_centimes, _ecarte(depenses)):
        raise PropositionDepassee(
            propose=proposition.fse_du_cumule_centimes, retenu=du.fse_du_centimes
        )


def _ecarte(depenses: Depenses) -> int:
    return sum(d.ecarte for d in depenses.values())


class ProposerCsf(Commande):
    """Say that the control is done: it waits for another person, who validates it."""


def proposer_csf(
    convention: Convention,
    commande: ProposerCsf,
    csf_id: UUID,
    controleur: str,
    depenses: Depenses,
) -> list[CsfPropose]:
    """Propose a control on which nothing is left to decide nor to hear."""
    bilan, csf = csf_de(convention, csf_id)
    _exiger_anterieurs(convention, bilan)
    _exiger_dernier(convention, bilan, commande, "Proposer le contrôle de service fait")
    strate = validees_avec_la_strate(csf, depenses)
    _, du = _exiger_complet(convention, bilan, csf, depenses, strate)
    return [
        CsfPropose(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            csf_id=csf_id,
            controleur=controleur,
            fse_du_cumule_centimes=du.fse_du_centimes,
            cout_net_cumule_centimes=du.cout_net_centimes,
            depenses_ecartees_centimes=_ecarte(depenses),
        )
    ]


class RenvoyerCsf(CommandeMotivee):
    """Send a proposed control back to whoever controls, and say what to take up again."""


def renvoyer_csf(
    convention: Convention, commande: RenvoyerCsf, csf_id: UUID, valideur: str
) -> list[CsfRenvoye]:
    """Send back a control that waits for its validation."""
    _, csf = csf_de(convention, csf_id)
    if csf.propose is None:
        raise CsfNonPropose
    exiger_pas_avant(
        commande.date_effet,
        "Renvoyer le contrôle de service fait",
        csf.propose.date_effet,
        "le contrôle a été proposé",
    )
    return [
        CsfRenvoye(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            csf_id=csf_id,
            valideur=valideur,
        )
    ]


def controleurs_de(bilan: Bilan, depenses: Depenses) -> Acteurs:
    """Return who opened a version of the control, or decided on a dépense in one of them."""
    return reunir(bilan.controleurs, *(d.controleurs for d in depenses.values()))


def exiger_autre_personne(
    bilan: Bilan, controleurs: Acteurs, operation: Operation, valideur: str
) -> None:
    """Refuse whoever instructed the operation or controlled the bilan."""
    if (controle := controleurs.get(valideur)) is not None:
        raise ControleurEgalValideur(bilan=bilan.numero, acte=controle.mots, le=controle.le)
    if (instruction := operation.instructeurs.get(valideur)) is not None:
        raise InstructeurValideService(acte=instruction.mots, le=instruction.le)


def _exiger_dernier(convention: Convention, bilan: Bilan, commande: Commande, acte: str) -> None:
    """Refuse a date before the last validation: what is due moves by the difference with it."""
    exiger_apres_reouverture(bilan, commande, acte)
    exiger_apres_controles(convention, commande.date_effet, acte)


def exiger_apres_controles(convention: Convention, jour: date, acte: str) -> None:
    """Refuse a date before the last day on which a control fixed what is due."""
    if convention.dernier_controle is not None:
        numero, le = convention.dernier_controle
        exiger_pas_avant(jour, acte, le, f"le contrôle du bilan n° {numero} a été validé")


def _exiger_decisions(
    bilan: Bilan, csf: Csf, depenses: Depenses, avec_la_strate: Collection[UUID]
) -> None:
    """Refuse while something declared has no decision; a new version keeps the former ones."""
    sans_decision = [
        i for i, d in depenses.items() if d.statut != "controlee" and i not in avec_la_strate
    ]
    if sans_decision:
        raise LignesNonControlees(nombre=len(sans_decision))
    if bilan.ressources and csf.ressources is None:
        raise RessourcesNonControlees
    if (bilan.unites or bilan.livrables) and not csf.realisations_vues:
        raise RealisationsNonControlees
    if bilan.recettes_nettes and csf.recettes is None:
        raise RecettesNonControlees(montant=bilan.recettes_nettes)


def _exiger_contributions(bilans: tuple[Apports, ...], du: Resultat) -> None:
    """Refuse a contribution in kind or of a third party that its resource does not match."""
    retenus = {p.code: p.retenu_centimes for p in du.postes}
    for code in ("nature", "tiers"):
        ressource = sum(m for b in bilans for t, m in b.ressources if t == code)
        if retenus.get(code, 0) != ressource:
            raise ContributionSansContrepartie(
                poste=code, depense=retenus.get(code, 0), ressource=ressource
            )


def _exiger_contradictoire(
    convention: Convention, bilan: Bilan, csf: Csf, depenses: Depenses, du: Resultat
) -> None:
    """Refuse to lower the Fund's share, or to set amounts aside, before the beneficiary was heard.

    A new version is heard on what it takes from the former one. What the beneficiary was told may
    improve after its answer; it may not get worse unsaid.
    """
    attendu, ecarte = convention.fse_du, False
    if csf.version == 1:
        demande = demande_du_bilan(convention, bilan, csf, depenses)
        attendu = demande.fse_du_centimes
        ecarte = du.cout_net_centimes < demande.cout_net_centimes
        ecarte = ecarte or any(d.ecarte for d in depenses.values())
    if not ecarte and du.fse_du_centimes >= attendu:
        return
    if csf.statut != "finales":
        raise ContradictoireManquant(
            retenu=du.fse_du_centimes,
            attendu=attendu,
            limite=csf.date_limite_reponse or "conclusions à notifier",
        )
    if csf.fse_annonce is not None and du.fse_du_centimes < csf.fse_annonce:
        raise ConclusionsDepassees(annonce=csf.fse_annonce, retenu=du.fse_du_centimes)


def calculer_csf(
    convention: Convention, bilan: Bilan, csf: Csf, depenses: Depenses
) -> tuple[EntreesCalcul, Resultat]:
    """Compute on every controlled bilan and on this one as it is controlled so far."""
    return _sur(convention, bilan, _retenus(bilan, csf, depenses))


def demande_du_bilan(
    convention: Convention, bilan: Bilan, csf: Csf, depenses: Depenses
) -> Resultat:
    """Compute as if this bilan were kept as it is declared, its revenue treated as decided."""
    recettes, ressources = _recettes(csf, bilan.recettes_nettes)
    demandes = msgspec.structs.replace(
        declares(convention, bilan.type, list(depenses.values()), bilan.unites, bilan.livrables),
        recettes_nettes_centimes=recettes,
        ressources=(*((r.type, r.montant_centimes) for r in bilan.ressources), *ressources),
    )
    return _sur(convention, bilan, demandes)[1]


def _recettes(csf: Csf, montant: int) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Return what revenue takes from the cost, and what it adds to the resources."""
    traitement = csf.recettes.traitement if csf.recettes else None
    if traitement == "deduites":
        return montant, ()
    return 0, (("recettes", montant),) if traitement == "ressource" else ()


def _sur(convention: Convention, bilan: Bilan, apports: Apports) -> tuple[EntreesCalcul, Resultat]:
    autres = convention.apports(sauf=bilan.bilan_id)
    rang = sum(numero < bilan.numero for numero, _ in autres)
    bilans = [a for _, a in autres]
    bilans.insert(rang, apports)
    entrees = EntreesCalcul(conditions=convention.conditions(), bilans=tuple(bilans), rang=rang)
    return entrees, service_fait(entrees.conditions, entrees.bilans)


def _retenus(bilan: Bilan, csf: Csf, depenses: Depenses) -> Apports:
    """Return what the control keeps of a bilan so far, as the calculation reads it."""
    lignes: dict[str, Counter[str]] = {}
    marches: Counter[tuple[str, str]] = Counter()
    for depense in depenses.values():
        poste = lignes.setdefault(depense.detail.poste, Counter())
        poste["declare"] += depense.montant
        poste["ecarte"] += depense.ecarte
        if depense.detail.marche_ref is not None:
            marches[depense.detail.marche_ref, depense.detail.poste] += (
                depense.montant - depense.ecarte
            )
    recettes, ressources = _recettes(csf, csf.recettes.retenues_centimes if csf.recettes else 0)
    return Apports(
        final=bilan.type == "final",
        lignes=tuple(
            LignesPoste(
                code=code,
                declare_centimes=lignes[code]["declare"],
                ecarte_centimes=lignes[code]["ecarte"],
            )
            for code in sorted(lignes)
        ),
        echantillons=tuple(
            echantillon(csf, poste, depenses) for poste in sorted(csf.extrapolations)
        ),
        marches=tuple(
            LignesMarche(marche=marche, poste=poste, retenu_centimes=retenu)
            for (marche, poste), retenu in sorted(marches.items())
        ),
        corrections_marche=_taux(csf.corrections_marche),
        unites=tuple(
            Unites(poste=u.poste, declarees=u.declarees, retenues=u.retenues) for u in csf.unites
        ),
        livrables=tuple(
            LivrableVu(
                poste=x.poste, id=x.id, montant_centimes=x.montant_centimes, atteint=x.atteint
            )
            for x in csf.livrables
        ),
        recettes_nettes_centimes=recettes,
        ressources=(
            *((r.type, r.montant_retenu_centimes) for r in csf.ressources or ()),
            *ressources,
        ),
        corrections_fse=_taux(csf.corrections_fse),
    )


def _taux(decides: Mapping[str, Decimal]) -> tuple[TauxDecide, ...]:
    return tuple(TauxDecide(objet=objet, taux_pct=taux) for objet, taux in decides.items())


def _postes_retenus(apports: Apports) -> tuple[PosteRetenu, ...]:
    """Return what the lines of this bilan come to, poste by poste."""
    return tuple(
        PosteRetenu(
            code=x.code,
            declare_centimes=x.declare_centimes,
            ecarte_centimes=x.ecarte_centimes,
            retenu_centimes=x.declare_centimes - x.ecarte_centimes,
        )
        for x in apports.lignes
    )
