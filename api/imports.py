"""What an import looks at: a workbook of the store, beside what the register knows of it.

Nothing is written here. The same reading serves the page that shows it and the act that takes it,
which reads again: what stands when the act is done is what decides.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import cast
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.cadre import Cadre, Reglement
from aggregates.contrepartie.events import ContrepartieAttribuee
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.convention.state import CONVENTION
from aggregates.depense.state import DEPENSE
from aggregates.operation.state import OPERATION, Statut
from api.classeurs import (
    MODELES,
    Apercu,
    Classeur,
    Contexte,
    ContrepartieConnue,
    DepenseConnue,
    Nature,
    OperationConnue,
    SubventionConnue,
    apercu,
    lire,
    numeros_cites,
)
from api.classeurs.cellules import montrer, vide
from api.classeurs.contexte import cle_texte
from api.classeurs.refus import FichierRefuse
from api.classeurs.reperage import identite, reperer
from oi_service.clock import today
from oi_service.ids import convention_of
from oi_service.pieces import Pieces
from projections.curseurs import LIMITE_MAXIMALE
from projections.dossiers import exiger_operation
from projections.journal import lire_flux
from projections.lots import DejaImporte, lot_du_fichier, lots_des_depenses
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE
from projections.subventions_globales import subventions_globales

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: States in which a row may be recorded for an operation: those that a template offers.
OUVERTES: tuple[Statut, ...] = (
    "conventionne",
    "en_execution",
    "realisation_terminee",
    "bilan_final_depose",
    "abandonne",
    "resilie",
)
#: Workbooks read a moment ago that are kept: a page is asked several times of the same one.
_GARDES = 4


@dataclass(frozen=True, slots=True)
class Demande:
    """Which workbook is looked at, and as what. ``attendue``: the operation that it is for."""

    nature: Nature
    sha256: str
    nom: str
    attendue: UUID | None = None


@dataclass(frozen=True, slots=True)
class Depot:
    """A workbook that was looked at, and the bytes that it weighs."""

    apercu: Apercu
    octets: int


def regarder(
    pieces: Pieces, conn: Connection[TupleRow], perimetre: Perimetre, demande: Demande
) -> Depot:
    """Look at a workbook of the store.

    Raises: PieceNonDeposee, PieceAlteree, and what refuses the whole file.
    """
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    # As long as nothing was recorded since, and no night passed, the answer is the same.
    cle = (pieces, perimetre, demande, int(row[0]), today())
    vu = _VUS.get(cle)
    if vu is None:
        classeur = _lu(pieces, demande.sha256, demande.nom)
        vu = Depot(_apercu(conn, perimetre, demande, classeur), pieces.octets(demande.sha256))
        _VUS.garder(cle, vu)
    return vu


class _DerniersVus:
    """The last workbooks that were looked at: a large one takes seconds, its pages ask it often."""

    def __init__(self) -> None:
        self._vus: OrderedDict[Hashable, Depot] = OrderedDict()
        self._verrou = Lock()

    def get(self, cle: Hashable) -> Depot | None:
        with self._verrou:
            return self._vus.get(cle)

    def garder(self, cle: Hashable, vu: Depot) -> None:
        with self._verrou:
            self._vus[cle] = vu
            while len(self._vus) > _GARDES:
                self._vus.popitem(last=False)


_VUS = _DerniersVus()


def regarder_octets(
    conn: Connection[TupleRow], perimetre: Perimetre, demande: Demande, lus: bytes
) -> Depot:
    """Look at a workbook before it is kept.

    Raises: what refuses the whole file.
    """
    return Depot(_apercu(conn, perimetre, demande, lire(demande.nom, lus)), len(lus))


def _apercu(
    conn: Connection[TupleRow], perimetre: Perimetre, demande: Demande, classeur: Classeur
) -> Apercu:
    connu = contexte(
        conn,
        perimetre,
        demande.nature,
        attendue=demande.attendue,
        numeros=numeros_cites(classeur, demande.nature),
        reprises=_pieces_reprises(classeur, demande.nature),
    )
    return apercu(classeur, demande.nature, connu)


def _pieces_reprises(classeur: Classeur, nature: Nature) -> frozenset[str]:
    """Return the documents that a workbook takes back from."""
    if nature != "depenses":
        return frozenset()
    return frozenset(
        cle_texte(valeur)
        for _, _, cellules in rangees(classeur, nature, ("@regularise",))
        for valeur in cellules
        if valeur
    )


#: Columns that are enough to know a row again, by nature.
_MONTREES: Mapping[Nature, tuple[str, ...]] = {
    "depenses": ("@dossier", "piece_ref", "date_piece", "poste", "montant_impute"),
    "ressources": ("@dossier", "type", "financeur", "montant"),
    "indicateurs": ("@dossier", "indicateur", "@libelle", "date_effet", "realise"),
    "contreparties": ("@financeur", "@annee", "date_effet", "montant"),
}
#: The same column under the name that another sheet of the workbook gives it.
_AUSSI = {"@financeur": "financeur", "@annee": "annee"}


def cellules_montrees(
    vu: Apercu,
) -> tuple[tuple[str, ...], list[tuple[str, int, tuple[str, ...]]]]:
    """Return a few columns of a workbook, and what was typed there on each of its rows."""
    cles = _MONTREES[vu.nature]
    titres = {c.cle: c.titre for f in MODELES[vu.nature].feuilles for c in f.colonnes}
    lignes = list(rangees(vu.classeur, vu.nature, cles))
    presentes = [
        rang
        for rang in range(len(cles))
        if cles[rang] != "@dossier" or any(cellules[rang] for _, _, cellules in lignes)
    ]
    return (
        tuple(titres[cles[rang]] for rang in presentes),
        [(f, n, tuple(cellules[rang] for rang in presentes)) for f, n, cellules in lignes],
    )


def rangees(
    classeur: Classeur, nature: Nature, cles: Sequence[str]
) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield the rows that say something: sheet, Excel number, what was typed in some columns.

    A workbook that cannot be read as this template has none.
    """
    try:
        tableaux = reperer(classeur, MODELES[nature], identite(classeur), avec_dossier=False)
    except FichierRefuse:
        return
    for tableau in tableaux:
        places = {c.cle: rang for rang, c in tableau.colonnes}
        rangs = [places.get(cle, places.get(_AUSSI.get(cle, ""), -1)) for cle in cles]
        suivantes = tableau.feuille.lignes[tableau.ligne_des_titres :]
        for numero, brutes in enumerate(suivantes, start=tableau.ligne_des_titres + 1):
            if all(vide(valeur) for valeur in brutes):
                continue
            yield (
                tableau.feuille.nom,
                numero,
                tuple(montrer(brutes[rang]) if 0 <= rang < len(brutes) else "" for rang in rangs),
            )


def operation_du_numero(
    conn: Connection[TupleRow], perimetre: Perimetre, numero: str
) -> UUID | None:
    """Return the operation that bears a number, for a reader who sees it."""
    found = _operations(conn, perimetre, None, [numero])
    return found[0] if found else None


def deja_importe(conn: Connection[TupleRow], nature: str, sha256: str) -> DejaImporte | None:
    """Return the lot that a file already made and that stands, whoever reads."""
    return lot_du_fichier(conn, nature, sha256)[1]


def exiger_operation_lisible(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> None:
    """Refuse an operation that the reader does not see.

    Raises: OperationAbsente.
    """
    exiger_operation(conn, perimetre, operation_id, ACTUELLE)


def nom_du_modele(nature: Nature, connu: Contexte) -> str:
    """Return what a template is called when it is kept."""
    attendue = connu.operation_attendue
    return f"modele-{nature}{f'-{attendue.numero}' if attendue else ''}.xlsx"


def octets(pieces: Pieces, sha256: str) -> bytes:
    """Return a document of the store, whole.

    Raises: PieceNonDeposee, PieceAlteree.
    """
    return b"".join(pieces.lire(sha256).morceaux())


@lru_cache(maxsize=_GARDES)
def _lu(pieces: Pieces, sha256: str, nom: str) -> Classeur:
    return lire(nom, octets(pieces, sha256))


# --- What is known -------------------------------------------------------------------------------


def contexte(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    nature: Nature,
    *,
    attendue: UUID | None = None,
    numeros: Iterable[str] | None = None,
    reprises: frozenset[str] = frozenset(),
) -> Contexte:
    """Return what the register knows that a workbook may speak of.

    ``numeros``: the operations that it names; without them, those for which rows may be recorded,
    as a template offers them. ``reprises``: the documents that it takes back from.
    """
    ids = _operations(conn, perimetre, attendue, numeros)
    return Contexte(
        jour=today(),
        operations=_etats(conn, perimetre, ids),
        attendue=attendue,
        depenses=_depenses(conn, perimetre, ids, reprises)
        if nature == "depenses" and numeros is not None
        else (),
        contreparties=_contreparties(conn, perimetre) if nature == "contreparties" else (),
        subventions=_subventions(conn, perimetre),
        plies=_plies(conn, perimetre),
    )


def _operations(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    attendue: UUID | None,
    numeros: Iterable[str] | None,
) -> list[UUID]:
    cites = None if numeros is None else [" ".join(n.split()).lower() for n in numeros]
    if attendue is not None and cites is None:
        cites = []
    rows = conn.execute(
        """
        SELECT o.id FROM projection.operation AS o
        WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (o.id = %(attendue)s OR lower(o.numero_mdfse) = ANY(%(cites)s)
                OR (%(cites)s::text[] IS NULL AND o.statut = ANY(%(ouvertes)s)))
        ORDER BY o.numero_mdfse
        """,
        {
            "plies": perimetre.liste,
            "attendue": attendue,
            "cites": cites,
            "ouvertes": list(OUVERTES),
        },
    )
    return [row[0] for row in rows]


def _etats(
    conn: Connection[TupleRow], perimetre: Perimetre, ids: Sequence[UUID]
) -> tuple[OperationConnue, ...]:
    flux = lire_flux(conn, perimetre, [*ids, *(convention_of(i) for i in ids)])
    connues = []
    for operation_id in ids:
        operation = OPERATION.replay(lu.fait for lu in flux.get(operation_id, ()))
        convention = CONVENTION.replay(lu.fait for lu in flux.get(convention_of(operation_id), ()))
        if operation is not None:
            connues.append(OperationConnue(operation_id, operation, convention))
    return tuple(connues)


def _depenses(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operations: Sequence[UUID],
    reprises: frozenset[str],
) -> tuple[DepenseConnue, ...]:
    rows = conn.execute(
        """
        SELECT
            d.id, d.operation_id, d.piece_ref, d.date_piece, d.montant_impute_centimes, d.poste
        FROM projection.depense AS d
        INNER JOIN projection.operation AS o ON d.operation_id = o.id
        WHERE d.operation_id = ANY(%(operations)s) AND d.statut <> 'annulee'
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        ORDER BY d.position
        """,
        {"operations": list(operations), "plies": perimetre.liste},
    ).fetchall()
    lots = lots_des_depenses(conn, perimetre, [row[0] for row in rows])
    flux = lire_flux(conn, perimetre, [row[0] for row in rows if cle_texte(row[2]) in reprises])
    return tuple(
        DepenseConnue(
            id=depense_id,
            operation_id=operation_id,
            piece_ref=piece_ref,
            date_piece=date_piece,
            montant=montant,
            poste=poste,
            lot=str(lots[depense_id][1]) if depense_id in lots else None,
            etat=DEPENSE.replay(lu.fait for lu in flux.get(depense_id, ())),
        )
        for depense_id, operation_id, piece_ref, date_piece, montant, poste in rows
    )


def _contreparties(
    conn: Connection[TupleRow], perimetre: Perimetre
) -> tuple[ContrepartieConnue, ...]:
    ids = [
        row[0]
        for row in conn.execute(
            """
            SELECT c.id FROM projection.contrepartie AS c
            WHERE %(plies)s::text[] IS NULL OR c.plie_id = ANY(%(plies)s)
            ORDER BY c.position
            """,
            {"plies": perimetre.liste},
        )
    ]
    flux = lire_flux(conn, perimetre, ids)
    connues = []
    for contrepartie_id in ids:
        faits = [lu.fait for lu in flux.get(contrepartie_id, ())]
        attribuee = next((f for f in faits if isinstance(f, ContrepartieAttribuee)), None)
        etat = CONTREPARTIE.replay(faits)
        if attribuee is None or etat is None or etat.annulee_le is not None:
            continue
        connues.append(
            ContrepartieConnue(
                id=contrepartie_id,
                financeur=attribuee.financeur,
                type=attribuee.type,
                annee=attribuee.annee,
                attestation_ref=attribuee.attestation_ref,
                montant=attribuee.montant_centimes,
                plie_id=attribuee.plie_id,
                perceptions=tuple(ref for (ref, _), jours in etat.perceptions.items() if jours),
            )
        )
    return tuple(connues)


def _subventions(conn: Connection[TupleRow], perimetre: Perimetre) -> tuple[SubventionConnue, ...]:
    page = subventions_globales(conn, perimetre, limite=LIMITE_MAXIMALE)
    return tuple(
        SubventionConnue(
            s.numero,
            Cadre(
                subvention_globale_id=s.id,
                oi_id=s.oi_id,
                reglement=cast("Reglement", s.reglement),
            ),
        )
        for s in page.lignes
    )


def _plies(conn: Connection[TupleRow], perimetre: Perimetre) -> dict[str, str]:
    rows = conn.execute(
        """
        SELECT p.plie_id, max(p.nom) FROM projection.plie AS p
        WHERE %(plies)s::text[] IS NULL OR p.plie_id = ANY(%(plies)s)
        GROUP BY p.plie_id ORDER BY p.plie_id
        """,
        {"plies": perimetre.liste},
    )
    return dict(rows.fetchall())
