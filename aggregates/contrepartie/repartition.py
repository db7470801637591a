"""Sharing a contrepartie between operations once their needs are known, at the solde.

Source: AVE, fiche 20 (contreparties mutualisées); the key, our choice until it is confirmed.
"""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from pydantic import Field

from aggregates.commande import CommandeMotivee, Texte
from aggregates.contrepartie.affectation import exiger_admise, exiger_apres_affectation
from aggregates.contrepartie.events import (
    AffectationAnnulee,
    ContrepartieAffectee,
    OperandesRepartition,
)
from aggregates.contrepartie.state import Contrepartie
from aggregates.convention.state import Bilan, Convention
from aggregates.operation.state import Operation
from aggregates.operation.transitions import exiger
from oi_service.errors import RuleBroken
from rules import mutualisation
from rules.nomenclature import RESSOURCES_EXTERNES

#: An operation, and its convention when it has one.
Dossier: TypeAlias = tuple[UUID, Operation, Convention | None]


class OperationRepetee(RuleBroken):
    """L’opération {numero} figure deux fois dans la répartition : un même euro n’appuie jamais deux
    fois la même dépense.
    """


class BesoinInconnu(RuleBroken):
    """Le besoin de l’opération {numero} n’est pas encore connu : le contrôle de service fait de son
    bilan final n’est pas validé, ou un autre bilan attend le sien.
    """


class AttestationNonAdmise(RuleBroken):
    """L’opération {numero} ne compte que ce qui est perçu : l’attestation du financeur n’y vaut pas
    versement. Enregistrez la perception, puis répartissez.
    """


class RienARepartir(RuleBroken):
    """Il n’y a rien à répartir de la contrepartie de {financeur} : {disponible:euros} sont perçus
    ou attestés sur {attribue:euros} attribués, et {ailleurs:euros} appuient déjà d’autres
    opérations.
    """


class RepartirContrepartie(CommandeMotivee):
    """Share the contrepartie between these operations; the others keep what they hold.

    ``attestation_ref``: the funder firmly attests that it will pay all that it granted. Without it,
    only what was received is shared.
    """

    operations: tuple[UUID, ...] = Field(min_length=1, max_length=500)
    attestation_ref: Texte | None = None


def repartir(
    contrepartie: Contrepartie, commande: RepartirContrepartie, dossiers: Sequence[Dossier]
) -> list[AffectationAnnulee | ContrepartieAffectee]:
    """Set what each operation holds to its share, pro rata of the needs, to the cent.

    What an operation gives back comes before what another receives: the sum of what they hold never
    passes what was granted, even between two facts.
    """
    besoins: dict[UUID, int] = {}
    for operation_id, operation, convention in dossiers:
        exiger(operation, "Répartir une contrepartie", "bilan_final_depose")
        exiger_admise(contrepartie, operation)
        if operation_id in besoins:
            raise OperationRepetee(numero=operation.numero_mdfse)
        besoins[operation_id] = _besoin(contrepartie, operation_id, operation, convention)
    disponible = _disponible(contrepartie, commande, dossiers)
    tenues = contrepartie.affectations
    ailleurs = sum(m for operation_id, m in tenues.items() if operation_id not in besoins)
    if disponible <= ailleurs:
        raise RienARepartir(
            financeur=contrepartie.financeur,
            disponible=disponible,
            attribue=contrepartie.attribue,
            ailleurs=ailleurs,
        )
    parts = mutualisation.repartir(disponible - ailleurs, besoins)
    ecarts = {o: part - tenues.get(o, 0) for o, part in parts.items()}
    for o, ecart in ecarts.items():
        if ecart < 0:
            exiger_apres_affectation(
                contrepartie, o, commande.date_effet, "Répartir la contrepartie"
            )
    operandes = {
        o: OperandesRepartition(
            enveloppe_centimes=disponible - ailleurs,
            besoin_centimes=besoins[o],
            besoins_centimes=sum(besoins.values()),
            attestation_ref=commande.attestation_ref,
        )
        for o in parts
    }
    rendues = [
        AffectationAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=o,
            montant_centimes=-ecart,
            repartition=operandes[o],
        )
        for o, ecart in ecarts.items()
        if ecart < 0
    ]
    recues = [
        ContrepartieAffectee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=o,
            montant_centimes=ecart,
            repartition=operandes[o],
        )
        for o, ecart in ecarts.items()
        if ecart > 0
    ]
    return [*rendues, *recues]


def _besoin(
    contrepartie: Contrepartie,
    operation_id: UUID,
    operation: Operation,
    convention: Convention | None,
) -> int:
    """Return what the Fund and the other funders leave to pay of what was retained."""
    final = convention.bilan_final if convention is not None else None
    if convention is None or final is None or any(_attend(b) for b in convention.bilans.values()):
        raise BesoinInconnu(numero=operation.numero_mdfse)
    externes = sum(
        montant
        for _, apports in convention.apports()
        for type_ressource, montant in apports.ressources
        if type_ressource in RESSOURCES_EXTERNES
    )
    # The control may have retained this very funding, as it was affected until now. More than that
    # from the same funder is another funding: it stays among the other resources.
    meme = min(
        _retenu_du_financeur(contrepartie, convention),
        contrepartie.affectations.get(operation_id, 0),
    )
    return mutualisation.besoin(convention.cout_total_retenu, convention.fse_du, externes - meme)


def _attend(bilan: Bilan) -> bool:
    return bilan.statut not in {"controle", "renvoye"}


def _retenu_du_financeur(contrepartie: Contrepartie, convention: Convention) -> int:
    return sum(
        r.montant_retenu_centimes
        for bilan in convention.bilans.values()
        if bilan.statut == "controle" and bilan.csf is not None
        for r in bilan.csf.ressources or ()
        if r.type == contrepartie.type and _nom(r.financeur) == _nom(contrepartie.financeur)
    )


def _nom(financeur: str) -> str:
    return " ".join(financeur.split()).casefold()


def _disponible(
    contrepartie: Contrepartie, commande: RepartirContrepartie, dossiers: Sequence[Dossier]
) -> int:
    """Return what is firm: received, or attested where the conventions admit it; never more than
    what was granted.
    """
    if commande.attestation_ref is None:
        return min(contrepartie.percu, contrepartie.attribue)
    for _, operation, convention in dossiers:
        if (
            convention is not None
            and convention.parametres.contreparties_non_percues == "percu_seulement"
        ):
            raise AttestationNonAdmise(numero=operation.numero_mdfse)
    return contrepartie.attribue
