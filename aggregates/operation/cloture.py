"""The end: solde, clôture, archive."""

from datetime import date

from aggregates.commande import Commande, Texte
from aggregates.operation.events import DossierArchive, OperationCloturee, OperationSoldee
from aggregates.operation.state import Operation
from aggregates.operation.suites import exiger_sans_suites
from aggregates.operation.transitions import exiger
from oi_service.dates import Jour
from rules.delais import date_limite_conservation


def solder(
    operation: Operation, *, fse_du: int, cout_total_retenu: int, date_effet: date
) -> list[OperationSoldee]:
    """Take note that all money is settled; what was programmed and is not due is freed."""
    exiger(operation, "Solder l’opération", "bilan_final_depose", "abandonne", "resilie")
    return [
        OperationSoldee(
            date_effet=date_effet,
            fse_programme_centimes=operation.fse_programme,
            fse_du_centimes=fse_du,
            cout_total_programme_centimes=operation.cout_total_programme,
            cout_total_retenu_centimes=cout_total_retenu,
            reliquat_centimes=operation.fse_programme - fse_du,
        )
    ]


class Cloturer(Commande):
    """Close the operation."""


def cloturer(operation: Operation, commande: Cloturer) -> list[OperationCloturee]:
    """Close: nothing is due either way, nothing is under way."""
    exiger(operation, "Clôturer l’opération", "solde")
    exiger_sans_suites(operation)
    return [OperationCloturee(date_effet=commande.date_effet, pieces=commande.jointes())]


class Archiver(Commande):
    """Archive the file. ``reference`` is the day from which the law counts the retention:
    declaration to the Commission (2014-2020), last payment (2021-2027).
    """

    lieu_archivage: Texte
    reference: Jour


def archiver(operation: Operation, commande: Archiver) -> list[DossierArchive]:
    """Archive, with the day until which everything must be kept."""
    exiger(operation, "Archiver le dossier", "cloture")
    exiger_sans_suites(operation)
    reglement = operation.cadre.reglement
    return [
        DossierArchive(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            lieu_archivage=commande.lieu_archivage,
            date_limite_conservation=date_limite_conservation(reglement, commande.reference),
            base_calcul=reglement,
            reference=commande.reference,
        )
    ]
