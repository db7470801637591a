"""The reports: what is found, what is answered, what is kept, and the letters that correct them."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import (
    Commande,
    CommandeMotivee,
    Numero,
    Saisie,
    Texte,
)
from aggregates.controle_operation.events import (
    Auteur,
    ConstatPropose,
    ConstatRectifie,
    ConstatTranche,
    DelaiReponseProlonge,
    Issue,
    RapportDefinitifRecu,
    RapportProvisoireRecu,
    Reponse,
    ReponseFaite,
    Resultat,
)
from aggregates.controle_operation.notification import (
    ConstatHorsPerimetre,
    Depenses,
    ProposeAuDelaDuControle,
    exiger_de_l_operation,
    sans_repetition,
)
from aggregates.controle_operation.state import Constat, ControleOperation, Statut
from aggregates.controle_operation.transitions import (
    exiger,
    exiger_apres_tout,
    exiger_limite,
    exiger_prolongation,
)
from oi_service.dates import Jour
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant
from rules.controle_operation import ISSUES, RESULTATS, CodeNature, limite_reponse, limite_suites


class ConstatAbsent(NotFound):
    """Aucun constat de ce contrôle ne porte le n° {numero}."""


class DepenseNonExaminee(RuleBroken):
    """La dépense {piece} du constat n° {numero} n’est pas parmi celles que le contrôle examine."""


class FseAuDelaDuCout(RuleBroken):
    """Le constat n° {numero} porte sur {fse:euros} de FSE pour {cout_total:euros} de coût total :
    le FSE n’en finance qu’une part.
    """


class DetecteApresLeRapport(RuleBroken):
    """Le constat n° {numero} est dit détecté le {detecte_le}, après le rapport du {jour}."""


class AucuneReponseAttendue(RuleBroken):
    """Le rapport provisoire n’a aucun constat : aucune réponse n’est attendue."""


class ConstatsNonTranches(RuleBroken):
    """Le rapport définitif tranche chaque constat du rapport provisoire : il manque {numeros}."""


class ConstatAggrave(RuleBroken):
    """Le constat n° {numero} ne peut pas retenir {cout_total:euros} de coût total et {fse:euros} de
    FSE : le rapport provisoire en proposait {cout_total_propose:euros} et {fse_propose:euros}, sur
    lesquels il a été répondu.
    """


class IssueIncoherente(RuleBroken):
    """Le constat n° {numero} est dit « {issue} », avec {cout_total:euros} de coût total et
    {fse:euros} de FSE retenus pour {cout_total_propose:euros} et {fse_propose:euros} proposés.
    """


class ResultatIncoherent(RuleBroken):
    """Le résultat « {resultat} » ne va pas avec {cout_total:euros} de coût total et {fse:euros} de
    FSE retenus.
    """


class ConstatDejaSuivi(RuleBroken):
    """Le constat n° {numero} a une suite exécutée pour ce qu’il retenait : annulez-la avant de
    retenir davantage.
    """


class ConstatSaisi(Saisie):
    """A finding of the provisional report."""

    numero: Numero
    operation_id: UUID
    nature: CodeNature
    constatation: Texte = Field(description="Ce qui est constaté et pourquoi c’est irrégulier.")
    cout_total: Montant = Field(description="Coût total à retirer, en euros.")
    fse: Montant = Field(description="FSE à retirer, en euros.")
    depenses: tuple[UUID, ...] = Field((), description="Dépenses concernées.")
    assiette: Texte | None = Field(
        None, description="Ce qui est concerné, quand aucune dépense n’est nommée."
    )
    extrapole: bool = Field(
        default=False, description="La correction va au-delà de ce qui a été examiné."
    )
    detecte_le: Jour | None = Field(
        None, description="Jour du premier constat écrit ; celui du rapport, à défaut."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a finding about nothing, or twice the same dépense."""
        sans_repetition(self.depenses, "une dépense")
        if not self.depenses and self.assiette is None:
            raise ValueError("dites sur quoi porte le constat : des dépenses, ou une assiette")


class RecevoirRapportProvisoire(Commande):
    """Record a provisional report; without findings, no answer is expected."""

    rapport_ref: Texte
    constats: Annotated[tuple[ConstatSaisi, ...], Field(max_length=200)] = ()
    date_limite_reponse: Jour | None = Field(
        None, description="Celle du rapport ; à défaut, comptée depuis son jour."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse two findings under one number."""
        sans_repetition((c.numero for c in self.constats), "un numéro de constat")


def recevoir_rapport_provisoire(
    controle: ControleOperation, commande: RecevoirRapportProvisoire, depenses: Depenses
) -> list[RapportProvisoireRecu]:
    """Record findings on what is controlled, for at most what is controlled unless extrapolated."""
    acte = "Recevoir le rapport provisoire"
    exiger(controle, acte, "en_cours")
    exiger_apres_tout(controle, commande.date_effet, acte)
    controlees = {o.operation_id: o for o in controle.perimetre.operations}
    proposes = dict.fromkeys(controlees, 0)
    for saisi in commande.constats:
        controlee = controlees.get(saisi.operation_id)
        if controlee is None:
            raise ConstatHorsPerimetre(numero=saisi.numero)
        exiger_de_l_operation(saisi.operation_id, saisi.depenses, depenses)
        if controlee.depenses and not saisi.extrapole:
            _exiger_examinees(saisi, frozenset(controlee.depenses), depenses)
        _exiger_constat(saisi, commande)
        if not saisi.extrapole:
            proposes[saisi.operation_id] += saisi.cout_total or saisi.fse
    for operation_id, controlee in controlees.items():
        if proposes[operation_id] > controlee.cout_total_controle_centimes:
            raise ProposeAuDelaDuControle(
                propose=proposes[operation_id], controle=controlee.cout_total_controle_centimes
            )
    limite = commande.date_limite_reponse or limite_reponse(commande.date_effet)
    exiger_limite(limite, commande.date_effet)
    return [
        RapportProvisoireRecu(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            rapport_ref=commande.rapport_ref,
            constats=tuple(
                ConstatPropose(
                    numero=c.numero,
                    operation_id=c.operation_id,
                    nature=c.nature,
                    detecte_le=c.detecte_le or commande.date_effet,
                    constatation=c.constatation,
                    cout_total_centimes=c.cout_total,
                    fse_centimes=c.fse,
                    depenses=c.depenses,
                    assiette=c.assiette,
                    extrapole=c.extrapole,
                )
                for c in sorted(commande.constats, key=lambda c: c.numero)
            ),
            date_limite_reponse=limite if commande.constats else None,
        )
    ]


def _exiger_examinees(saisi: ConstatSaisi, examinees: frozenset[UUID], depenses: Depenses) -> None:
    for depense_id in saisi.depenses:
        if depense_id not in examinees:
            raise DepenseNonExaminee(
                piece=depenses[depense_id].detail.piece_ref, numero=saisi.numero
            )


def _exiger_constat(saisi: ConstatSaisi, commande: RecevoirRapportProvisoire) -> None:
    exiger_part_du_fse(saisi.numero, saisi.cout_total, saisi.fse)
    if saisi.detecte_le is not None and saisi.detecte_le > commande.date_effet:
        raise DetecteApresLeRapport(
            numero=saisi.numero, detecte_le=saisi.detecte_le, jour=commande.date_effet
        )


def exiger_part_du_fse(numero: int, cout_total: int, fse: int) -> None:
    """Refuse more of the Fund than of the cost that it pays a share of.

    A correction of the Fund alone, such as for publicity, has no cost.
    """
    if cout_total and fse > cout_total:
        raise FseAuDelaDuCout(numero=numero, cout_total=cout_total, fse=fse)


def constat_de(controle: ControleOperation, numero: int) -> Constat:
    """Return a finding, or refuse."""
    constat = controle.constats.get(numero)
    if constat is None:
        raise ConstatAbsent(numero=numero)
    return constat


class RepondreConstat(Commande):
    """The OI or the beneficiary answers a finding; the last answer of each is the one that counts.

    An answer that comes late is recorded on its day.
    """

    constat_numero: Numero
    auteur: Auteur
    reponse: Reponse
    observations: Texte | None = None


def repondre(controle: ControleOperation, commande: RepondreConstat) -> list[ReponseFaite]:
    """Record the answer to a finding of the provisional report."""
    acte = "Répondre à un constat"
    exiger(controle, acte, "rapport_provisoire", "contradictoire")
    constat_de(controle, commande.constat_numero)
    _exiger_apres_le_provisoire(controle, commande, acte)
    return [
        ReponseFaite(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            constat_numero=commande.constat_numero,
            auteur=commande.auteur,
            reponse=commande.reponse,
            observations=commande.observations,
        )
    ]


def _exiger_apres_le_provisoire(controle: ControleOperation, commande: Commande, acte: str) -> None:
    exiger_pas_avant(
        commande.date_effet, acte, controle.provisoire_le, "le rapport provisoire a été reçu"
    )


class ProlongerDelaiReponse(Commande):
    """The body gives more time to answer."""

    date_limite: Jour
    accord_ref: Texte


def prolonger_reponse(
    controle: ControleOperation, commande: ProlongerDelaiReponse
) -> list[DelaiReponseProlonge]:
    """Record a later deadline; nothing is late in between."""
    acte = "Prolonger le délai de réponse"
    exiger(controle, acte, "rapport_provisoire", "contradictoire")
    if controle.date_limite_reponse is None:
        raise AucuneReponseAttendue
    _exiger_apres_le_provisoire(controle, commande, acte)
    exiger_pas_avant(
        commande.date_effet, acte, controle.prolonge_le, "ce délai a déjà été prolongé"
    )
    exiger_prolongation(controle.date_limite_reponse, commande.date_limite)
    return [
        DelaiReponseProlonge(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            date_limite_avant=controle.date_limite_reponse,
            date_limite_apres=commande.date_limite,
            accord_ref=commande.accord_ref,
        )
    ]


class ConstatTrancheSaisi(Saisie):
    """What the final report keeps: all or nothing is said by ``issue`` alone."""

    numero: Numero
    issue: Issue
    cout_total: Montant | None = Field(None, description="Coût total retenu, si réduit.")
    fse: Montant | None = Field(None, description="FSE retenu, si réduit.")
    mesure_recommandee: Texte | None = None
    motivation: Texte | None = None


class RecevoirRapportDefinitif(Commande):
    """Record a final report."""

    rapport_ref: Texte
    constats: tuple[ConstatTrancheSaisi, ...] = ()
    resultat: Resultat
    date_limite_suites: Jour | None = Field(
        None, description="Celle du rapport ; à défaut, comptée depuis son jour."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse two outcomes of one finding."""
        sans_repetition((c.numero for c in self.constats), "un numéro de constat")


def recevoir_rapport_definitif(
    controle: ControleOperation, commande: RecevoirRapportDefinitif
) -> list[RapportDefinitifRecu]:
    """Record what is kept of each finding, never more than was proposed."""
    acte = "Recevoir le rapport définitif"
    exiger(controle, acte, "rapport_provisoire", "contradictoire")
    exiger_apres_tout(controle, commande.date_effet, acte)
    tranches = [_trancher(constat_de(controle, c.numero), c) for c in commande.constats]
    oublies = sorted(controle.constats.keys() - {c.numero for c in commande.constats})
    if oublies:
        raise ConstatsNonTranches(numeros=", ".join(f"n° {numero}" for numero in oublies))
    exiger_resultat(
        commande.resultat,
        sum(c.cout_total_centimes for c in tranches),
        sum(c.fse_centimes for c in tranches),
    )
    limite = commande.date_limite_suites or limite_suites(commande.date_effet)
    exiger_limite(limite, commande.date_effet)
    return [
        RapportDefinitifRecu(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            rapport_ref=commande.rapport_ref,
            constats=tuple(sorted(tranches, key=lambda c: c.numero)),
            resultat=commande.resultat,
            date_limite_suites=(limite if any(c.issue != "abandonne" for c in tranches) else None),
        )
    ]


def _trancher(constat: Constat, saisi: ConstatTrancheSaisi) -> ConstatTranche:
    """Return what is kept of a finding; what its outcome leaves unsaid follows from it."""
    tout = (constat.cout_total_propose, constat.fse_propose)
    defaut = (0, 0) if saisi.issue == "abandonne" else tout
    cout_total = defaut[0] if saisi.cout_total is None else saisi.cout_total
    fse = defaut[1] if saisi.fse is None else saisi.fse
    exiger_pas_aggrave(constat, cout_total, fse)
    coherent = (cout_total, fse) != tout if saisi.issue == "reduit" else (cout_total, fse) == defaut
    if not coherent:
        raise IssueIncoherente(
            numero=constat.numero,
            issue=ISSUES[saisi.issue],
            cout_total=cout_total,
            fse=fse,
            cout_total_propose=constat.cout_total_propose,
            fse_propose=constat.fse_propose,
        )
    exiger_part_du_fse(constat.numero, cout_total, fse)
    return ConstatTranche(
        numero=constat.numero,
        issue=saisi.issue,
        cout_total_centimes=cout_total,
        fse_centimes=fse,
        mesure_recommandee=saisi.mesure_recommandee,
        motivation=saisi.motivation,
    )


def exiger_pas_aggrave(constat: Constat, cout_total: int, fse: int) -> None:
    """Refuse to keep more than what was answered upon."""
    if cout_total > constat.cout_total_propose or fse > constat.fse_propose:
        raise ConstatAggrave(
            numero=constat.numero,
            cout_total=cout_total,
            fse=fse,
            cout_total_propose=constat.cout_total_propose,
            fse_propose=constat.fse_propose,
        )


def exiger_resultat(resultat: Resultat, cout_total: int, fse: int) -> None:
    """Refuse a result that the amounts deny; a systemic breach may have no amount of its own."""
    corrige = cout_total > 0 or fse > 0
    if resultat == "irregularite_systemique" or (resultat == "sans_incidence") is not corrige:
        return
    raise ResultatIncoherent(resultat=RESULTATS[resultat], cout_total=cout_total, fse=fse)


class RectifierConstat(CommandeMotivee):
    """The body corrects the amounts of a finding: proposed, or kept once its report is final."""

    constat_numero: Numero
    rectification_ref: Texte = Field(description="Courrier qui rectifie.")
    cout_total: Montant
    fse: Montant
    resultat: Resultat | None = Field(None, description="Nouveau résultat, s’il change.")


def rectifier_constat(
    controle: ControleOperation, commande: RectifierConstat
) -> list[ConstatRectifie]:
    """Replace the amounts of a finding, naming what they were."""
    acte = "Rectifier un constat"
    final = controle.definitif_le is not None
    attendus = _APRES_LE_DEFINITIF if final else _AVANT_LE_DEFINITIF
    exiger(controle, acte, *attendus)
    constat = constat_de(controle, commande.constat_numero)
    exiger_pas_avant(commande.date_effet, acte, constat.le, "ce constat a été arrêté")
    exiger_part_du_fse(constat.numero, commande.cout_total, commande.fse)
    avant = constat.retenu_ou_propose
    apres = (commande.cout_total, commande.fse)
    resultat = commande.resultat or controle.resultat if final else None
    if apres == avant and resultat == controle.resultat:
        return []
    if final:
        _exiger_retenu(controle, constat, apres, resultat)
    else:
        _exiger_propose(controle, constat, apres)
    return [
        ConstatRectifie(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            constat_numero=constat.numero,
            rectification_ref=commande.rectification_ref,
            cout_total_avant_centimes=avant[0],
            cout_total_apres_centimes=apres[0],
            fse_avant_centimes=avant[1],
            fse_apres_centimes=apres[1],
            issue_avant=constat.issue,
            issue_apres=_issue(constat, apres) if final else None,
            resultat_avant=controle.resultat,
            resultat_apres=resultat,
        )
    ]


_AVANT_LE_DEFINITIF: tuple[Statut, ...] = ("rapport_provisoire", "contradictoire")
_APRES_LE_DEFINITIF: tuple[Statut, ...] = ("rapport_definitif", "suites_a_donner")


def _issue(constat: Constat, apres: tuple[int, int]) -> Issue | None:
    """Return what becomes of a finding whose amounts are these."""
    if apres == constat.retenu_ou_propose:
        return constat.issue
    if not any(apres):
        return "abandonne"
    tout = (constat.cout_total_propose, constat.fse_propose)
    return "maintenu" if apres == tout else "reduit"


def _exiger_propose(controle: ControleOperation, constat: Constat, apres: tuple[int, int]) -> None:
    """Refuse to propose more than what is controlled."""
    if constat.extrapole:
        return
    propose = controle.propose(constat.operation_id, sauf=constat.numero) + (apres[0] or apres[1])
    for controlee in controle.perimetre.operations:
        maximum = controlee.cout_total_controle_centimes
        if controlee.operation_id == constat.operation_id and propose > maximum:
            raise ProposeAuDelaDuControle(propose=propose, controle=maximum)


def _exiger_retenu(
    controle: ControleOperation,
    constat: Constat,
    apres: tuple[int, int],
    resultat: Resultat | None,
) -> None:
    """Refuse to keep more than was proposed, or than what was already done about it."""
    cout_total, fse = apres
    exiger_pas_aggrave(constat, cout_total, fse)
    davantage = cout_total > constat.cout_total_retenu or fse > constat.fse_retenu
    suivi = any(s.statut == "executee" for s in controle.suites_du(constat.numero))
    if davantage and suivi:
        raise ConstatDejaSuivi(numero=constat.numero)
    assert resultat is not None
    autres_cout, autres_fse = controle.retenu
    exiger_resultat(
        resultat,
        autres_cout - constat.cout_total_retenu + cout_total,
        autres_fse - constat.fse_retenu + fse,
    )
