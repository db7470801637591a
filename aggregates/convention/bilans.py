"""Bilans d'exécution: the requests for payment."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import Commande, CommandeMotivee, Numero, PeriodeSaisie
from aggregates.convention.events import BilanDepose, BilanRenvoye
from aggregates.convention.state import Bilan, Convention
from aggregates.depense.state import Depense
from aggregates.plan import Ressource, RessourceSaisie
from oi_service.errors import Conflict, NotFound, RuleBroken
from oi_service.money import round_cents


class BilanAbsent(NotFound):
    """Aucun bilan ne porte l’identifiant {id}."""


class BilanAvantConvention(RuleBroken):
    """La convention n’est pas notifiée : aucun bilan ne peut être déposé."""


class NumeroBilanDejaPris(Conflict):
    """Le bilan n° {numero} est déjà déposé."""


class BilanFinalDejaDepose(RuleBroken):
    """Le bilan final est déjà déposé : aucun autre bilan n’est attendu."""


class DepenseDejaDansUnBilan(RuleBroken):
    """La dépense {piece} figure déjà dans un bilan."""


class DepenseDuneAutreOperation(RuleBroken):
    """La dépense {piece} appartient à une autre opération."""


class DepenseAnnuleeAuBilan(RuleBroken):
    """La dépense {piece} est annulée : retirez-la du bilan."""


class BilanEnControle(RuleBroken):
    """Le bilan n° {numero} est déjà en contrôle : il ne se renvoie plus."""


class BilanHorsConvention(RuleBroken):
    """La période du bilan, du {debut} au {fin}, sort de celle de la convention."""


class DeposerBilan(Commande):
    """File a bilan. ``date_effet`` is the day on which the signed bilan arrived.

    ``ressources``: what other funders paid in the period of this bilan.
    """

    numero: Numero
    type: Literal["intermediaire", "final"]
    periode: PeriodeSaisie
    depenses: Annotated[tuple[UUID, ...], Field(max_length=5000)]
    ressources: Annotated[tuple[RessourceSaisie, ...], Field(max_length=100)] = ()


def deposer_bilan(
    convention: Convention, commande: DeposerBilan, bilan_id: UUID, depenses: Sequence[Depense]
) -> list[BilanDepose]:
    """File the bilan with its dépenses; the FSE declared is capped by the convention."""
    if convention.notifiee_le is None:
        raise BilanAvantConvention
    if convention.bilan_final is not None:
        raise BilanFinalDejaDepose
    standing = [b for b in convention.bilans.values() if b.statut != "renvoye"]
    if commande.numero in {b.numero for b in standing}:
        raise NumeroBilanDejaPris(numero=commande.numero)
    periode = commande.periode.periode()
    if not convention.periode.inclut(periode):
        raise BilanHorsConvention(debut=periode.debut, fin=periode.fin)
    already = convention.depenses_rattachees()
    twice = {d for d, times in Counter(commande.depenses).items() if times > 1}
    for depense_id, depense in zip(commande.depenses, depenses, strict=True):
        piece = depense.detail.piece_ref
        if depense.operation_id != convention.operation_id:
            raise DepenseDuneAutreOperation(piece=piece)
        if depense.statut == "annulee":
            raise DepenseAnnuleeAuBilan(piece=piece)
        if depense_id in already or depense_id in twice:
            raise DepenseDejaDansUnBilan(piece=piece)
    declare = sum(depense.montant for depense in depenses)
    fse_cumul = _fse_declare(convention, convention.cout_total_declare + declare)
    return [
        BilanDepose(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            bilan_id=bilan_id,
            numero=commande.numero,
            type=commande.type,
            periode=periode,
            depenses=commande.depenses,
            ressources=tuple(
                Ressource(type=r.type, financeur=r.financeur, montant_centimes=r.montant)
                for r in commande.ressources
            ),
            cout_total_declare_centimes=declare,
            fse_declare_centimes=fse_cumul - convention.fse_declare,
        )
    ]


def _fse_declare(convention: Convention, cout_total: int) -> int:
    """The Fund's share of all that is declared: the rate of the convention, capped by it."""
    share = round_cents(convention.plan.taux_fse * cout_total, convention.arrondi)
    return min(convention.fse_max, share)


def bilan_de(convention: Convention, bilan_id: UUID) -> Bilan:
    """Return a bilan that stands, or refuse."""
    bilan = convention.bilans.get(bilan_id)
    if bilan is None or bilan.statut == "renvoye":
        raise BilanAbsent(id=bilan_id)
    return bilan


class RenvoyerBilan(CommandeMotivee):
    """Send a bilan back to the beneficiary for an error of form."""


def renvoyer_bilan(
    convention: Convention, commande: RenvoyerBilan, bilan_id: UUID
) -> list[BilanRenvoye]:
    """Send back a bilan that nobody controls yet; its dépenses are free again."""
    bilan = bilan_de(convention, bilan_id)
    if bilan.statut != "depose" or bilan.csf is not None:
        raise BilanEnControle(numero=bilan.numero)
    reste = convention.cout_total_declare - bilan.cout_total_declare
    return [
        BilanRenvoye(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            bilan_id=bilan_id,
            cout_total_declare_centimes=bilan.cout_total_declare,
            # Not what the bilan added: it may have been capped by those that stay.
            fse_declare_centimes=convention.fse_declare - _fse_declare(convention, reste),
        )
    ]
