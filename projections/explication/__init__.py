"""A control explained: the calculation line by line, each operand with the event that says it."""

from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from projections.dossiers import exiger_operation
from projections.explication import couts, fse
from projections.explication.lecture import lire
from projections.explication.valeurs import Explication, LigneCalcul, Operande, Section
from projections.perimetre import Perimetre

__all__ = ["Explication", "LigneCalcul", "Operande", "Section", "expliquer"]


def expliquer(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> Explication:
    """Explain a validated control from what its fact carries.

    Raises: OperationAbsente, CsfNonValideEncore.
    """
    exiger_operation(conn, perimetre, operation_id)
    lecture = lire(conn, perimetre, operation_id, csf_id)
    fait = lecture.fait
    sections = (
        Section("Dépenses au coût réel", tuple(couts.reels(lecture))),
        Section("Coûts simplifiés", tuple(couts.simplifies(lecture))),
        Section("Coût total", tuple(couts.cout(lecture))),
        Section("Ressources des autres financeurs", tuple(fse.ressources(lecture))),
        Section("Plafonds du FSE", tuple(fse.plafonds(lecture))),
        Section("FSE dû", tuple(fse.du(lecture))),
        Section("Règlement", tuple(fse.reglement(lecture))),
    )
    return Explication(
        csf_id=csf_id,
        bilan_numero=lecture.convention.bilans[fait.bilan_id].numero,
        version=fait.version,
        version_regles=fait.version_regles,
        valide_le=fait.date_effet,
        position=lecture.position,
        sections=tuple(s for s in sections if s.lignes),
    )
