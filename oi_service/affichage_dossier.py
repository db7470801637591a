"""What the terminal shows of the state of a dossier, before its story."""

from collections.abc import Iterator, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from api.filters import euros, insecable
from projections.dossiers import operations
from projections.journal import EvenementLu
from projections.perimetre import Perimetre
from projections.situation import Situation


def etat_du_dossier(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    histoire: Sequence[EvenementLu],
    situation: Situation,
) -> list[str]:
    """Return who, in which state, with which amounts; nothing of a dossier without a story."""
    if not histoire:
        return []
    return list(_etat(conn, perimetre, histoire, situation))


def _etat(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    histoire: Sequence[EvenementLu],
    situation: Situation,
) -> Iterator[str]:
    [resume] = operations(
        conn, perimetre, situation, operation_id=histoire[0].stream_id, limite=1
    ).lignes
    yield insecable(
        f"Dossier n° {resume.numero_mdfse}, « {resume.intitule} », {resume.beneficiaire}, "
        f"{resume.plie_nom} : {resume.statut_libelle}."
    )
    yield insecable(
        f"FSE déposé {euros(resume.fse_depose)}, programmé {euros(resume.fse_programme)}, "
        f"conventionné {euros(resume.fse_conventionne)}, retenu {euros(resume.fse_retenu_csf)}, "
        f"payé {euros(resume.fse_paye)}."
    )
