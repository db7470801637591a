"""What every test of eligibility says of a dépense, looked at against all the others.

The rules know nothing of the log: here they are given the convention and its avenants, the other
times of the same person for the same employer, and where else the same pieces are presented. A
piece is looked for everywhere, even beyond the perimeter of the reader; the operation found there
is not named.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from aggregates.convention.events import AvenantDemande, AvenantSigne
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import DepenseCorrigee as CorrectionDeclaree
from aggregates.depense.events import DepenseDeclaree, DepensePiecesJointes, Detail
from aggregates.depense.state import DEPENSE, Depense, DepenseAbsente
from aggregates.operation.events import RealisationTerminee
from oi_service.codec import REGISTRY, Evenement
from oi_service.errors import NotFound
from oi_service.ids import convention_of
from projections.dossiers import exiger_operation
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from rules.constat import Constat, Statut
from rules.doubles import Presentation
from rules.eligibilite import ACHATS, Contexte, DepenseCorrigee, DepenseExaminee, examiner
from rules.temps import ICI, TempsAilleurs


class BilanInconnu(NotFound):
    """Cette opération n’a pas de bilan {id}."""


@dataclass(frozen=True, slots=True)
class ConstatsDepense:
    """A dépense and the outcome of every test; the amount is cents of total cost."""

    depense_id: UUID
    operation_id: UUID
    poste: str
    nature: str
    piece_ref: str
    montant_impute: int
    constats: tuple[Constat, ...]

    def nombre(self, statut: Statut) -> int:
        """Count the outcomes of one kind."""
        return sum(constat.statut == statut for constat in self.constats)


def constats_de_la_depense(
    conn: Connection[TupleRow], perimetre: Perimetre, depense_id: UUID
) -> ConstatsDepense:
    """Return every finding on one dépense.

    Raises: DepenseAbsente.
    """
    row = conn.execute(
        """
        SELECT d.operation_id
        FROM projection.depense AS d INNER JOIN projection.operation AS o ON d.operation_id = o.id
        WHERE d.id = %(id)s AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        """,
        {"id": depense_id, "plies": perimetre.liste},
    ).fetchone()
    if row is None:
        raise DepenseAbsente(id=depense_id)
    dossier = _dossier(conn, perimetre, row[0])
    assert dossier is not None, "a dépense is declared under a convention"
    return _examiner(conn, perimetre, dossier, [depense_id])[0]


def constats_des_depenses(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, ids: Iterable[UUID]
) -> dict[UUID, ConstatsDepense]:
    """Return every finding on some dépenses of one operation under convention.

    Raises: OperationAbsente.
    """
    exiger_operation(conn, perimetre, operation_id)
    dossier = _dossier(conn, perimetre, operation_id)
    assert dossier is not None, "a dépense is declared under a convention"
    return {e.depense_id: e for e in _examiner(conn, perimetre, dossier, list(dict.fromkeys(ids)))}


def constats_du_bilan(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, bilan_id: UUID
) -> tuple[ConstatsDepense, ...]:
    """Return every finding on every dépense of a bilan, in the order of the bilan.

    Raises: OperationAbsente, BilanInconnu.
    """
    exiger_operation(conn, perimetre, operation_id)
    dossier = _dossier(conn, perimetre, operation_id)
    bilan = None if dossier is None else dossier.convention.bilans.get(bilan_id)
    if dossier is None or bilan is None:
        raise BilanInconnu(id=bilan_id)
    return _examiner(conn, perimetre, dossier, list(bilan.depenses))


# What the rules look at, read in a few queries whatever the number of dépenses.


@dataclass(frozen=True, slots=True)
class _Dossier:
    """The operation, its convention in force, and what its life says to the rules."""

    operation_id: UUID
    siret: str
    type_beneficiaire: str
    depose_le: date
    fin_materielle: date | None
    convention: Convention
    postes_ajoutes: dict[str, date]


def _dossier(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID
) -> _Dossier | None:
    """Return the dossier, or ``None`` when it has no convention: then it has no bilan either."""
    row = conn.execute(
        """
        SELECT o.siret, o.type_beneficiaire, o.depose_le
        FROM projection.operation AS o WHERE o.id = %s
        """,
        (operation_id,),
    ).fetchone()
    assert row is not None
    convention_id = convention_of(operation_id)
    flux = lire_flux(conn, perimetre, [operation_id, convention_id])
    convenu = [lu.fait for lu in flux.get(convention_id, ())]
    convention = CONVENTION.replay(convenu)
    if convention is None:
        return None
    vecu = (lu.fait for lu in flux[operation_id])
    fins = [fait.fin for fait in vecu if isinstance(fait, RealisationTerminee)]
    siret, type_beneficiaire, depose_le = row
    return _Dossier(
        operation_id=operation_id,
        siret=siret,
        type_beneficiaire=type_beneficiaire,
        depose_le=depose_le,
        fin_materielle=fins[-1] if fins else None,
        convention=convention,
        postes_ajoutes=_postes_ajoutes(convenu),
    )


def _postes_ajoutes(convenu: Iterable[Evenement]) -> dict[str, date]:
    """Return each poste that an avenant added, with the day on which it was asked for."""
    demandes: dict[int, date] = {}
    ajoutes: dict[str, date] = {}
    for fait in convenu:
        if isinstance(fait, AvenantDemande):
            demandes[fait.numero] = fait.date_effet
        if isinstance(fait, AvenantSigne) and fait.avant.plan and fait.apres.plan:
            avant = {poste.code for poste in fait.avant.plan.postes}
            for poste in fait.apres.plan.postes:
                if poste.code not in avant:
                    ajoutes[poste.code] = demandes[fait.numero]
    return ajoutes


@dataclass(frozen=True, slots=True)
class _Autre:
    """A dépense that may bear on another one, as the database finds it."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    siret: str
    documents: list[str]
    name: str
    data: str
    date_effet: str

    @property
    def detail(self) -> Detail:
        """What the beneficiary declared, once corrected."""
        fait = REGISTRY.decode(self.name, self.data, self.date_effet, None, None)
        assert isinstance(fait, DepenseDeclaree | CorrectionDeclaree)
        return fait.detail if isinstance(fait, DepenseDeclaree) else fait.apres


def _autres(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    siret: str,
    details: Iterable[Detail],
    documents: Iterable[str],
) -> list[_Autre]:
    """Return every dépense of the same persons, or of the same pieces wherever they are.

    What was cancelled, or rejected whole, bears on nothing. An employee's reference means something
    to one employer only: a person is looked for under one SIRET. What another PLIE presents is
    for who sees both: a reader of one is not told its hours, nor its amounts.
    """
    vus = list(details)
    return (
        conn.cursor(row_factory=class_row(_Autre))
        .execute(
            """
            WITH fichiers AS MATERIALIZED (
                SELECT e.stream_id AS id, array_agg(DISTINCT p.piece ->> 'sha256') AS documents
                FROM oi.event AS e, jsonb_array_elements(e.pieces) AS p (piece)
                WHERE e.name IN (
                    'depense.declaree.v1', 'depense.corrigee.v1', 'depense.pieces_jointes.v1')
                    AND p.piece ->> 'sha256' = ANY(%(documents)s)
                GROUP BY e.stream_id
            ),

            -- The same persons, the same pieces, the same documents: each found on its own way.
            trouvees AS MATERIALIZED (
                SELECT d.id
                FROM projection.depense AS d
                INNER JOIN projection.operation AS o ON d.operation_id = o.id
                WHERE o.siret = %(siret)s AND d.tiers_ref = ANY(%(personnes)s)
                UNION
                SELECT d.id
                FROM projection.depense AS d
                INNER JOIN unnest(%(tiers)s::text[], %(pieces)s::text[], %(dates)s::date[])
                    AS u (tiers_ref, piece_ref, date_piece)
                    ON d.tiers_ref = u.tiers_ref AND d.piece_ref = u.piece_ref
                        AND d.date_piece = u.date_piece
                UNION
                SELECT f.id FROM fichiers AS f
            )

            SELECT
                d.id, d.operation_id, o.numero_mdfse, o.siret,
                coalesce(f.documents, '{}') AS documents, x.name, x.data, x.date_effet
            FROM trouvees AS t
            INNER JOIN projection.depense AS d ON t.id = d.id
            INNER JOIN projection.operation AS o ON d.operation_id = o.id
            LEFT JOIN fichiers AS f ON d.id = f.id
            CROSS JOIN LATERAL (
                SELECT e.name, e.data::text AS data, e.date_effet::text AS date_effet
                FROM oi.event AS e
                -- Not by name, whose index would be read whole for each stream.
                WHERE e.stream_id = d.id AND (e.data ? 'detail' OR e.data ? 'apres')
                ORDER BY e.version DESC
                LIMIT 1
            ) AS x
            WHERE d.statut <> 'annulee' AND d.retenu_centimes IS DISTINCT FROM 0
                AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            ORDER BY d.position
            """,
            {
                "plies": perimetre.liste,
                "documents": sorted(set(documents)),
                "tiers": [detail.tiers_ref for detail in vus],
                "pieces": [detail.piece_ref for detail in vus],
                "dates": [detail.date_piece for detail in vus],
                "siret": siret,
                "personnes": sorted({detail.tiers_ref for detail in vus if detail.temps}),
            },
        )
        .fetchall()
    )


def _achats(conn: Connection[TupleRow], operation_id: UUID) -> dict[str, int]:
    """Return what the operation buys from each supplier."""
    rows = conn.execute(
        """
        SELECT d.tiers_ref, sum(d.montant_impute_centimes)::bigint
        FROM projection.depense AS d
        WHERE d.operation_id = %s AND d.statut <> 'annulee' AND d.poste = ANY(%s)
        GROUP BY d.tiers_ref
        """,
        (operation_id, sorted(ACHATS)),
    )
    return dict(rows.fetchall())


def _documents(flux: Iterable[EvenementLu]) -> tuple[str, ...]:
    """Return the documents ever attached to what was declared, each once."""
    faits = (lu.fait for lu in flux)
    return tuple(
        dict.fromkeys(
            piece.sha256
            for fait in faits
            if isinstance(fait, DepenseDeclaree | CorrectionDeclaree | DepensePiecesJointes)
            for piece in fait.pieces
        )
    )


def _examiner(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    dossier: _Dossier,
    ids: list[UUID],
) -> tuple[ConstatsDepense, ...]:
    flux = lire_flux(conn, perimetre, ids)
    states = {i: _etat(flux[i]) for i in ids}
    documents = {i: _documents(flux[i]) for i in ids}
    corrigees = {s.detail.regularise for s in states.values()} - {None}
    corrigees_lues = lire_flux(conn, perimetre, (i for i in corrigees if i is not None))
    autres = _autres(
        conn,
        perimetre,
        dossier.siret,
        (s.detail for s in states.values()),
        (sha for shas in documents.values() for sha in shas),
    )
    voisinage = _Voisinage(
        dossier=dossier,
        autres=autres,
        noms=_noms(dossier.operation_id, autres),
        achats=_achats(conn, dossier.operation_id),
        corrigees={i: _etat(lus) for i, lus in corrigees_lues.items()},
    )
    return tuple(
        ConstatsDepense(
            depense_id=i,
            operation_id=dossier.operation_id,
            poste=states[i].detail.poste,
            nature=states[i].detail.nature,
            piece_ref=states[i].detail.piece_ref,
            montant_impute=states[i].montant,
            constats=examiner(
                _examinee(states[i].detail, documents[i]),
                voisinage.contexte(i, states[i].detail, documents[i]),
            ),
        )
        for i in ids
    )


def _etat(flux: Iterable[EvenementLu]) -> Depense:
    state = DEPENSE.replay(lu.fait for lu in flux)
    assert state is not None
    return state


def _noms(ici: UUID, autres: Iterable[_Autre]) -> dict[UUID, str]:
    """Say each operation to the reader."""
    return {autre.operation_id: f"Opération {autre.numero_mdfse}" for autre in autres} | {ici: ICI}


class _Voisinage:
    """Everything around the dépenses under examination, read once and sorted by what it shares."""

    def __init__(
        self,
        dossier: _Dossier,
        autres: Iterable[_Autre],
        noms: Mapping[UUID, str],
        achats: Mapping[str, int],
        corrigees: Mapping[UUID, Depense],
    ) -> None:
        self._dossier = dossier
        self._achats = achats
        self._corrigees = corrigees
        self._temps: dict[str, list[tuple[UUID, TempsAilleurs]]] = defaultdict(list)
        self._fichiers: dict[str, dict[UUID, Presentation]] = defaultdict(dict)
        self._pieces: dict[_Reference, dict[UUID, Presentation]] = defaultdict(dict)
        for autre in autres:
            self._ranger(autre, noms[autre.operation_id])

    def _ranger(self, autre: _Autre, nom: str) -> None:
        detail = autre.detail
        if autre.siret == self._dossier.siret and detail.temps is not None:
            ailleurs = TempsAilleurs(
                operation=nom, temps=detail.temps, regularisation=detail.regularise is not None
            )
            self._temps[detail.tiers_ref].append((autre.id, ailleurs))
        if detail.regularise is not None:
            return  # It gives money back, it claims none.
        ici = autre.operation_id == self._dossier.operation_id
        presentation = _examinee(detail, ()).presentation(nom, ici=ici)
        for document in autre.documents:
            self._fichiers[document][autre.id] = presentation
        for reference in _references(detail, autre.siret):
            self._pieces[reference][autre.id] = presentation

    def contexte(self, depense_id: UUID, detail: Detail, documents: tuple[str, ...]) -> Contexte:
        """Return what the rules look at one dépense against."""
        convention = self._dossier.convention
        fichiers: dict[UUID, Presentation] = {}
        pieces: dict[UUID, Presentation] = {}
        if detail.regularise is None:
            for document in documents:
                fichiers |= self._fichiers.get(document, {})
            for reference in _references(detail, self._dossier.siret):
                pieces |= self._pieces.get(reference, {})
        return Contexte(
            reglement=convention.cadre.reglement,
            periode=convention.periode,
            limite_acquittement=convention.date_limite_acquittement,
            depose_le=self._dossier.depose_le,
            fin_materielle=self._dossier.fin_materielle,
            cout_total_centimes=convention.cout_total_eligible,
            type_beneficiaire=self._dossier.type_beneficiaire,
            arrondi=convention.arrondi,
            modes={poste.code: poste.mode for poste in convention.plan.postes},
            postes_ajoutes=self._dossier.postes_ajoutes,
            fournisseur_centimes=self._achats.get(detail.tiers_ref),
            temps_ailleurs=tuple(
                temps for i, temps in self._temps.get(detail.tiers_ref, ()) if i != depense_id
            ),
            memes_fichiers=tuple(p for i, p in fichiers.items() if i != depense_id),
            memes_pieces=tuple(p for i, p in pieces.items() if i != depense_id),
            corrigee=self._corrigee(detail),
        )

    def _corrigee(self, detail: Detail) -> DepenseCorrigee | None:
        if detail.regularise is None:
            return None
        corrigee = self._corrigees[detail.regularise]
        controlee = corrigee.statut == "controlee"
        return DepenseCorrigee(
            piece_ref=corrigee.detail.piece_ref,
            plafond_centimes=corrigee.retenu if controlee else corrigee.montant,
            regularise_centimes=corrigee.regularise,
        )


#: What tells a piece from another: who issued it, its number, its date, and whose payslip it is.
_Reference = tuple[str, str, date, str | None]


def _references(detail: Detail, siret: str) -> tuple[_Reference, ...]:
    """Return under what a piece is known: to its employer, and to everybody if it is a bill.

    Payslips of two employers may bear the same references; a bill is the same wherever it goes.
    """
    piece = (detail.tiers_ref, detail.piece_ref, detail.date_piece)
    if detail.poste == "personnel":
        return ((*piece, siret),)
    return ((*piece, siret), (*piece, None))


def _examinee(detail: Detail, documents: tuple[str, ...]) -> DepenseExaminee:
    """Return a dépense as the rules read it."""
    return DepenseExaminee(
        poste=detail.poste,
        nature=detail.nature,
        tiers_ref=detail.tiers_ref,
        piece_ref=detail.piece_ref,
        realisation=detail.date_realisation,
        engagement=detail.date_engagement,
        acquittement=detail.date_acquittement,
        preuve_acquittement=detail.preuve_acquittement,
        montant_ht_centimes=detail.montant_ht_centimes,
        montant_ttc_centimes=detail.montant_ttc_centimes,
        tva_recuperable_centimes=detail.tva_recuperable_centimes,
        montant_centimes=detail.montant_impute_centimes,
        cle=detail.cle,
        temps=detail.temps,
        marche_ref=detail.marche_ref,
        mise_en_concurrence_ref=detail.mise_en_concurrence_ref,
        regularisation=detail.regularise is not None,
        documents=documents,
    )
