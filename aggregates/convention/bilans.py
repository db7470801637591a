"""Bilans d'exécution: the requests for payment."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from pydantic import Field

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import (
    Code,
    Commande,
    CommandeMotivee,
    Numero,
    PeriodeSaisie,
    Quantite,
    Saisie,
)
from aggregates.convention.events import (
    BilanDepose,
    BilanJugeRecevable,
    BilanRenvoye,
    TypeBilan,
    UnitesDeclarees,
)
from aggregates.convention.state import Bilan, Convention
from aggregates.depense.state import Depense
from aggregates.plan import Ressource, RessourceSaisie
from oi_service.errors import Conflict, NotFound, RuleBroken
from oi_service.money import Montant, round_cents
from rules.calcul import Apports, LignesPoste, LivrableVu, Unites, service_fait


class BilanAbsent(NotFound):
    """Aucun bilan ne porte l’identifiant {id}."""


class BilanAvantConvention(RuleBroken):
    """La convention n’est pas notifiée : aucun bilan ne peut être déposé."""


class BilanApresClotureOffice(RuleBroken):
    """Le dossier a été clos d’office : plus aucun bilan n’est attendu."""


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


class RegularisationAvantSaDepense(RuleBroken):
    """La régularisation {piece} reprend une dépense qui n’est dans aucun bilan : déposez-les
    ensemble, ou la dépense d’abord.
    """


class BilanRegularise(RuleBroken):
    """La dépense {piece} de ce bilan est régularisée dans un autre bilan déposé : faites d’abord
    renvoyer celui-là.
    """


class BilanEnControle(RuleBroken):
    """Le bilan n° {numero} est déjà en contrôle : il ne se renvoie plus."""


class UnitesNonPrevues(RuleBroken):
    """La convention ne prévoit pas de coût unitaire « {poste} », ou le bilan le déclare deux
    fois.
    """


class LivrableNonPrevu(RuleBroken):
    """La convention ne prévoit pas de livrable « {id} »."""


class LivrableDejaDeclare(RuleBroken):
    """Le livrable « {id} » est déjà déclaré atteint : un livrable ne se paie qu’une fois."""


class BilanDejaRecevable(RuleBroken):
    """Le bilan n° {numero} est déjà jugé recevable ou contrôlé."""


class BilanHorsConvention(RuleBroken):
    """La période du bilan, du {debut} au {fin}, sort de celle de la convention."""


class UnitesSaisies(Saisie):
    """Units of a poste at unit cost, achieved in the period of the bilan."""

    poste: Code
    quantite: Quantite


#: Ressources that a bilan declares at most.
RESSOURCES_MAX = 100


class DeposerBilan(Commande):
    """File a bilan. ``date_effet`` is the day on which the signed bilan arrived.

    ``ressources``: what other funders paid in the period of this bilan. ``livrables``: those that
    it declares reached. ``recettes_nettes``: net revenue of the period.
    """

    numero: Numero
    type: Literal["intermediaire", "final"]
    periode: PeriodeSaisie
    depenses: Annotated[tuple[UUID, ...], Field(max_length=5000)]
    ressources: Annotated[tuple[RessourceSaisie, ...], Field(max_length=RESSOURCES_MAX)] = ()
    unites: Annotated[tuple[UnitesSaisies, ...], Field(max_length=50)] = ()
    livrables: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    recettes_nettes: Montant = 0


def deposer_bilan(
    convention: Convention, commande: DeposerBilan, bilan_id: UUID, depenses: Sequence[Depense]
) -> list[BilanDepose]:
    """File the bilan with its dépenses; the FSE declared is capped by the convention."""
    exiger_attendu(convention)
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
        corrigee = depense.detail.regularise
        if corrigee is not None and corrigee not in already.union(commande.depenses):
            raise RegularisationAvantSaDepense(piece=piece)
    unites = tuple(
        UnitesDeclarees(poste=u.poste, quantite=Decimal(u.quantite)) for u in commande.unites
    )
    _exiger_prevus(convention, unites, commande.livrables)
    apports = declares(convention, commande.type, depenses, unites, commande.livrables)
    cout_total = cout_declare(convention, ajoute=apports)
    fse = _fse_declare(convention, cout_total)
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
            cout_total_declare_centimes=cout_total - convention.cout_total_declare,
            fse_declare_centimes=fse - convention.fse_declare,
            unites=unites,
            livrables=commande.livrables,
            recettes_nettes_centimes=commande.recettes_nettes,
            apports=apports,
        )
    ]


def exiger_attendu(convention: Convention) -> None:
    """Refuse any bilan of a convention that takes none now."""
    if convention.notifiee_le is None:
        raise BilanAvantConvention
    if convention.cloturee_office:
        raise BilanApresClotureOffice
    if convention.bilan_final is not None:
        raise BilanFinalDejaDepose


def _exiger_prevus(
    convention: Convention, unites: Sequence[UnitesDeclarees], livrables: Sequence[str]
) -> None:
    """Refuse units and deliverables that the convention does not know, or that come twice."""
    baremes = {p.code for p in convention.plan.postes if p.mode == "cout_unitaire"}
    for poste, fois in Counter(u.poste for u in unites).items():
        if poste not in baremes or fois > 1:
            raise UnitesNonPrevues(poste=poste)
    prevus = {x.id for p in convention.plan.postes for x in p.livrables}
    deja = {x for b in convention.bilans.values() if b.statut != "renvoye" for x in b.livrables}
    for livrable, fois in Counter(livrables).items():
        if livrable not in prevus:
            raise LivrableNonPrevu(id=livrable)
        if fois > 1 or livrable in deja:
            raise LivrableDejaDeclare(id=livrable)


def declares(
    convention: Convention,
    type_bilan: TypeBilan,
    depenses: Sequence[Depense],
    unites: Sequence[UnitesDeclarees],
    livrables: Sequence[str],
) -> Apports:
    """Return what a bilan declares, as the calculation reads it."""
    montants: Counter[str] = Counter()
    for depense in depenses:
        montants[depense.detail.poste] += depense.montant
    return Apports(
        final=type_bilan == "final",
        lignes=tuple(
            LignesPoste(code=code, declare_centimes=montants[code], ecarte_centimes=0)
            for code in sorted(montants)
        ),
        unites=tuple(
            Unites(poste=u.poste, declarees=u.quantite, retenues=u.quantite) for u in unites
        ),
        livrables=tuple(
            LivrableVu(poste=p.code, id=x.id, montant_centimes=x.montant_centimes, atteint=True)
            for p in convention.plan.postes
            for x in p.livrables
            if x.id in livrables
        ),
    )


def cout_declare(
    convention: Convention, *, ajoute: Apports | None = None, sauf: UUID | None = None
) -> int:
    """Return the total cost that the bilans declare, flat rates included, no poste capped."""
    bilans = [
        b.declares
        for b in convention.bilans.values()
        if b.statut != "renvoye" and b.bilan_id != sauf
    ]
    if ajoute is not None:
        bilans.append(ajoute)
    terms = convention.conditions()
    libres = tuple(msgspec.structs.replace(p, plafond_centimes=None) for p in terms.postes)
    terms = msgspec.structs.replace(terms, postes=libres)
    return service_fait(terms, bilans).cout_brut_centimes


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


class JugerRecevable(Commande):
    """Find the bilan complete and signed: its control may begin."""


def juger_recevable(
    convention: Convention, commande: JugerRecevable, bilan_id: UUID
) -> list[BilanJugeRecevable]:
    """Find a bilan that was just filed admissible."""
    bilan = bilan_de(convention, bilan_id)
    if bilan.statut != "depose":
        raise BilanDejaRecevable(numero=bilan.numero)
    return [
        BilanJugeRecevable(
            date_effet=commande.date_effet, pieces=commande.jointes(), bilan_id=bilan_id
        )
    ]


class RenvoyerBilan(CommandeMotivee):
    """Send a bilan back to the beneficiary for an error of form."""


def renvoyer_bilan(
    convention: Convention, commande: RenvoyerBilan, bilan_id: UUID, depenses: Sequence[Depense]
) -> list[BilanRenvoye]:
    """Send back a bilan that nobody controls yet; its dépenses are free again."""
    bilan = bilan_de(convention, bilan_id)
    if bilan.statut not in {"depose", "recevable"} or bilan.csf is not None:
        raise BilanEnControle(numero=bilan.numero)
    exiger_pas_avant(
        commande.date_effet,
        "Renvoyer le bilan",
        bilan.depose_le,
        f"le bilan n° {bilan.numero} a été déposé",
    )
    ailleurs = convention.depenses_rattachees().difference(bilan.depenses)
    for depense in depenses:
        if not ailleurs.isdisjoint(depense.regularisations):
            raise BilanRegularise(piece=depense.detail.piece_ref)
    # Not what the bilan added: its flat rates and its share may have been rounded or capped.
    reste = cout_declare(convention, sauf=bilan_id)
    return [
        BilanRenvoye(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            bilan_id=bilan_id,
            cout_total_declare_centimes=convention.cout_total_declare - reste,
            fse_declare_centimes=convention.fse_declare - _fse_declare(convention, reste),
        )
    ]
