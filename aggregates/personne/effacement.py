"""A person is erased: this records the decision; the destruction of their key follows it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import CommandeMotivee
from aggregates.operation.state import Operation
from aggregates.personne.enregistrement import exiger_non_effacee
from aggregates.personne.events import Demandeur, PersonneEffacee
from aggregates.personne.state import Personne
from oi_service.errors import RuleBroken


class ConservationEnCours(RuleBroken):
    """Les données de cette personne documentent {dossiers} : elles ne s’effacent pas avant la fin
    de la conservation. Si l’effacement s’impose pourtant, le délégué à la protection des données en
    donne le motif, avec l’option « malgre_conservation ».
    """

    article = (
        "Règlement (UE) 2016/679, art. 17 §3 b) ; règlement (UE) n° 1303/2013, art. 140 ; "
        "règlement (UE) 2021/1060, art. 82"
    )


class EffacerPersonne(CommandeMotivee):
    """Erase a person."""

    demandeur: Demandeur
    malgre_conservation: Annotated[bool, Field(strict=True)] = Field(
        default=False,
        description="Effacer avant la fin de la conservation d’un dossier : le délégué à la "
        "protection des données en donne le motif.",
    )


def effacer(
    personne: Personne, commande: EffacerPersonne, operations: Iterable[Operation]
) -> list[PersonneEffacee]:
    """Erase a person, unless an operation that they document must still be kept.

    The managing body must keep the evidence of what it declared: this is a legal obligation, before
    which the right to erasure gives way. When nobody has fixed until when, it is not over.
    Source: règlement (UE) 2016/679, art. 17 §1 and §3 b).
    """
    exiger_non_effacee(personne)
    exiger_pas_avant(
        commande.date_effet,
        "Effacer cette personne",
        personne.connue_le,
        "ce qui est connu d’elle a été enregistré",
    )
    conserves = [
        _dit(operation)
        for operation in operations
        if operation.conserve_jusqu_au is None or commande.date_effet <= operation.conserve_jusqu_au
    ]
    if conserves and not commande.malgre_conservation:
        raise ConservationEnCours(dossiers=", ".join(conserves))
    return [
        PersonneEffacee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            demandeur=commande.demandeur,
            malgre_conservation=bool(conserves),
        )
    ]


def _dit(operation: Operation) -> str:
    limite = operation.conserve_jusqu_au
    terme = "à une date qui n’est pas fixée" if limite is None else f"au {limite:%d/%m/%Y}"
    return f"le dossier {operation.numero_mdfse} (à conserver jusqu’{terme})"
