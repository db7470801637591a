"""A control is announced, its perimeter corrected, it begins; or it is annulled."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import Code, Commande, CommandeMotivee, Saisie, Texte
from aggregates.controle_operation.events import (
    ControleAnnule,
    ControleCommence,
    ControleNotifie,
    OperationControlee,
    Organisme,
    PerimetreControle,
    PerimetreRectifie,
)
from aggregates.controle_operation.state import ControleOperation
from aggregates.controle_operation.transitions import exiger, exiger_apres_tout
from aggregates.convention.bilans import DepenseDuneAutreOperation
from aggregates.convention.state import Convention
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from oi_service.dates import Jour
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Montant

#: What a decision looks at beside the control: each operation with its convention, the dépenses.
Dossiers = Mapping[UUID, tuple[Operation, Convention]]
Depenses = Mapping[UUID, Depense]


class ControleDejaNotifie(Conflict):
    """Ce contrôle d’opération est déjà enregistré."""


class ControleSurPlusieursSubventions(RuleBroken):
    """Un contrôle porte sur des opérations d’une seule subvention globale : enregistrez-en un pour
    chacune, sous la même référence.
    """


class ControleAuDelaDuDeclare(RuleBroken):
    """{demande:euros} contrôlés dépassent le coût total déclaré de l’opération {numero},
    {declare:euros}.
    """


class ConstatHorsPerimetre(RuleBroken):
    """Le constat n° {numero} porte sur une opération que ce contrôle n’examine pas."""


class ProposeAuDelaDuControle(RuleBroken):
    """Les constats proposent de corriger {propose:euros} de coût total sur une opération dont
    {controle:euros} sont contrôlés. Si l’un d’eux va au-delà de ce qui a été examiné, dites-le
    extrapolé.
    """


class SuitesDejaExecutees(RuleBroken):
    """Des suites de ce contrôle sont exécutées : il ne s’annule plus, il se clôt."""


def sans_repetition(valeurs: Iterable[object], quoi: str) -> None:
    """Refuse a value said twice in a command."""
    liste = list(valeurs)
    if len(set(liste)) != len(liste):
        raise ValueError(f"{quoi} ne se répète pas")


class OperationAControler(Saisie):
    """What is controlled of an operation; no ``depenses`` is all of them."""

    operation_id: UUID
    cout_total_controle: Montant = Field(description="Coût total examiné, en euros.")
    depenses: tuple[UUID, ...] = Field(
        (), description="Dépenses examinées ; toutes celles de l’opération, à défaut."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse the same dépense twice."""
        sans_repetition(self.depenses, "une dépense")


class PerimetreSaisi(Saisie):
    """What is controlled."""

    operations: Annotated[tuple[OperationAControler, ...], Field(min_length=1, max_length=200)]
    etat_no: Code | None = Field(None, description="État de dépenses dont le contrôle part.")
    echantillon_id: UUID | None = Field(None, description="Échantillon tiré, s’il y en a un.")

    def model_post_init(self, _context: object, /) -> None:
        """Refuse the same operation twice."""
        sans_repetition((o.operation_id for o in self.operations), "une opération")

    def perimetre(self) -> PerimetreControle:
        """Return the value that facts carry."""
        return PerimetreControle(
            operations=tuple(
                OperationControlee(
                    operation_id=o.operation_id,
                    cout_total_controle_centimes=o.cout_total_controle,
                    depenses=o.depenses,
                )
                for o in self.operations
            ),
            etat_no=self.etat_no,
            echantillon_id=self.echantillon_id,
        )


class NotifierControle(Commande):
    """Record the letter that announces a control. An unlisted body (« autre ») gives its name."""

    organisme: Organisme
    organisme_nom: Texte | None = None
    reference: Texte = Field(description="Référence que l’organisme donne à son contrôle.")
    perimetre: PerimetreSaisi
    date_annoncee: Jour | None = Field(None, description="Jour annoncé du contrôle.")

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a body that nothing names."""
        if self.organisme == "autre" and self.organisme_nom is None:
            raise ValueError("nommez l’organisme qui contrôle")


def notifier(
    controle: ControleOperation | None,
    commande: NotifierControle,
    dossiers: Dossiers,
    depenses: Depenses,
) -> list[ControleNotifie]:
    """Record the announcement of a control on operations of one grant."""
    if controle is not None:
        raise ControleDejaNotifie
    perimetre = commande.perimetre.perimetre()
    _exiger_perimetre(perimetre, dossiers, depenses)
    premiere, _ = dossiers[perimetre.operations[0].operation_id]
    return [
        ControleNotifie(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=premiere.cadre,
            organisme=commande.organisme,
            organisme_nom=commande.organisme_nom,
            reference=commande.reference,
            perimetre=perimetre,
            date_annoncee=commande.date_annoncee,
        )
    ]


def _exiger_perimetre(perimetre: PerimetreControle, dossiers: Dossiers, depenses: Depenses) -> None:
    """Refuse to control what is not of the operation, or more than it declared."""
    if len({o.cadre.subvention_globale_id for o, _ in dossiers.values()}) > 1:
        raise ControleSurPlusieursSubventions
    for controlee in perimetre.operations:
        operation, convention = dossiers[controlee.operation_id]
        exiger_de_l_operation(controlee.operation_id, controlee.depenses, depenses)
        demande = controlee.cout_total_controle_centimes
        if demande > convention.cout_total_declare:
            raise ControleAuDelaDuDeclare(
                demande=demande,
                numero=operation.numero_mdfse,
                declare=convention.cout_total_declare,
            )


def exiger_de_l_operation(operation_id: UUID, nommees: Iterable[UUID], depenses: Depenses) -> None:
    """Refuse a dépense of another operation."""
    for depense_id in nommees:
        if depenses[depense_id].operation_id != operation_id:
            raise DepenseDuneAutreOperation(piece=depenses[depense_id].detail.piece_ref)


class RectifierPerimetre(CommandeMotivee):
    """Correct or extend what is controlled: the whole perimeter, as it is now."""

    perimetre: PerimetreSaisi


def rectifier_perimetre(
    controle: ControleOperation,
    commande: RectifierPerimetre,
    dossiers: Dossiers,
    depenses: Depenses,
) -> list[PerimetreRectifie]:
    """Replace the perimeter, until the final report; findings stay inside."""
    acte = "Rectifier le périmètre"
    exiger(controle, acte, "notifie", "en_cours", "rapport_provisoire", "contradictoire")
    exiger_apres_tout(controle, commande.date_effet, acte)
    apres = commande.perimetre.perimetre()
    if apres == controle.perimetre:
        return []
    _exiger_perimetre(apres, dossiers, depenses)
    premiere, _ = dossiers[apres.operations[0].operation_id]
    if premiere.cadre.subvention_globale_id != controle.cadre.subvention_globale_id:
        raise ControleSurPlusieursSubventions
    exiger_constats_dans(controle, apres)
    return [
        PerimetreRectifie(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            avant=controle.perimetre,
            apres=apres,
        )
    ]


def exiger_constats_dans(controle: ControleOperation, perimetre: PerimetreControle) -> None:
    """Refuse findings on what is not controlled, or for more than what is."""
    controle_de = {o.operation_id: o.cout_total_controle_centimes for o in perimetre.operations}
    for constat in controle.constats.values():
        if constat.operation_id not in controle_de:
            raise ConstatHorsPerimetre(numero=constat.numero)
        propose = controle.propose(constat.operation_id)
        if propose > controle_de[constat.operation_id]:
            raise ProposeAuDelaDuControle(
                propose=propose, controle=controle_de[constat.operation_id]
            )


class CommencerControle(Commande):
    """The control begins, on the spot or on pieces."""

    modalite: Literal["sur_place", "sur_pieces"]


def commencer(controle: ControleOperation, commande: CommencerControle) -> list[ControleCommence]:
    """Begin a control that was announced."""
    acte = "Commencer le contrôle"
    exiger(controle, acte, "notifie")
    exiger_apres_tout(controle, commande.date_effet, acte)
    return [
        ControleCommence(
            date_effet=commande.date_effet, pieces=commande.jointes(), modalite=commande.modalite
        )
    ]


class AnnulerControle(CommandeMotivee):
    """The body gives up its control, or it was recorded by mistake."""


def annuler(controle: ControleOperation, commande: AnnulerControle) -> list[ControleAnnule]:
    """Annul a control that nothing was done about yet."""
    acte = "Annuler le contrôle"
    exiger(
        controle,
        acte,
        "notifie",
        "en_cours",
        "rapport_provisoire",
        "contradictoire",
        "rapport_definitif",
        "suites_a_donner",
    )
    if any(suite.statut == "executee" for suite in controle.suites.values()):
        raise SuitesDejaExecutees
    exiger_apres_tout(controle, commande.date_effet, acte)
    return [
        ControleAnnule(
            date_effet=commande.date_effet, motif=commande.motif, pieces=commande.jointes()
        )
    ]
