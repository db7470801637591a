"""The ledger as people read it: its sums in a situation, its lines with the event of each.

What makes a figure is what separates it from nothing: one query serves the difference between two
situations and the origin of a figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from oi_service.codec import Evenement, Piece
from projections.causes import CAUSES, PARAMETRES, RANGS, cause_de_rang
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.dossiers import exiger_operation
from projections.histoire import INSTANCES, ROLES
from projections.journal import EvenementLu, evenements
from projections.maquette import subventions
from projections.mesures import MESURES, exiger_mesure
from projections.perimetre import Perimetre
from projections.situation import Situation

#: The situation of an empty log.
RIEN = Situation(connu_le=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choix:
    """Which lines of the ledger: one cell, or any sum of cells; ``None`` chooses all."""

    subvention_globale_id: UUID | None = None  #: that of the operation, else the last one recorded
    plie: str | None = None
    annee: int | None = None
    axe: str | None = None
    objectif_specifique: str | None = None
    dispositif: str | None = None
    operation_id: UUID | None = None
    financeur: str | None = None


@dataclass(frozen=True, slots=True)
class Lignes:
    """The lines chosen, within a perimeter and one subvention globale: what every query reads."""

    choix: Choix
    perimetre: Perimetre
    subvention_globale_id: UUID

    @property
    def parametres(self) -> dict[str, Any]:
        """The parameters of `_CHOISIES`."""
        choix = self.choix
        return {
            "sg": self.subvention_globale_id,
            "plies": self.perimetre.liste,
            "plie": choix.plie,
            "annee": choix.annee,
            "axe": choix.axe,
            "objectif": choix.objectif_specifique,
            "dispositif": choix.dispositif,
            "operation": choix.operation_id,
            "financeur": choix.financeur,
        }


_CHOISIES = sql.SQL(
    """
    m.sg_id = %(sg)s AND (%(plies)s::text[] IS NULL OR m.plie_id = ANY(%(plies)s::text[]))
        AND (%(plie)s::text IS NULL OR m.plie_id = %(plie)s)
        AND (%(annee)s::integer IS NULL OR m.annee = %(annee)s)
        AND (%(axe)s::text IS NULL OR m.axe = %(axe)s)
        AND (%(objectif)s::text IS NULL OR m.objectif_specifique = %(objectif)s)
        AND (%(dispositif)s::text IS NULL OR m.dispositif = %(dispositif)s)
        AND (%(operation)s::uuid IS NULL OR m.operation_id = %(operation)s)
        AND (%(financeur)s::text IS NULL OR m.financeur = %(financeur)s)
    """
)
#: The lines of one situation that the other does not count, each with the cause of its fact. Facts
#: are looked up one by one, by their number: whatever else the log holds costs nothing, and no
#: estimate can lead to read it whole.
_SEPARENT = sql.SQL(
    """
    WITH ecart AS MATERIALIZED (
        SELECT
            m.position, {colonne},
            CASE WHEN m.position <= %(a_connu_le)s AND m.date_effet <= %(a_effet_au)s
                THEN m.centimes ELSE -m.centimes END AS centimes,
            CASE WHEN e.name = %(csf)s AND (e.data ->> 'version')::integer > 1
                THEN %(correction)s::integer
                ELSE (%(rangs)s::integer[])[array_position(%(noms)s::text[], e.name)]
                END AS cause
        FROM projection.mouvement AS m,
            LATERAL (
                SELECT v.name, v.data FROM oi.event AS v WHERE v.position = m.position
                -- Of a fact that the reader shares with others, its kind.
                UNION ALL
                SELECT f.name, f.data FROM oi.fait_partage(m.position) AS f
                LIMIT 1
            ) AS e
        WHERE {choisies}
            AND (m.position <= %(a_connu_le)s AND m.date_effet <= %(a_effet_au)s)
            <> (m.position <= %(de_connu_le)s AND m.date_effet <= %(de_effet_au)s)
            AND (%(mesures)s::text[] IS NULL OR m.mesure = ANY(%(mesures)s::text[]))
    )
    """
)


def choisir(
    conn: Connection[TupleRow], perimetre: Perimetre, choix: Choix, *situations: Situation
) -> Lignes | None:
    """Find where the lines chosen are; ``None`` when no situation knows such a subvention globale.

    Raises: OperationAbsente.
    """
    connues = [s.id for vue in situations for s in subventions(conn, perimetre, vue)]
    if choix.subvention_globale_id is not None:
        choisie: UUID | None = choix.subvention_globale_id
    elif choix.operation_id is not None:
        choisie = _subvention_de(conn, perimetre, choix.operation_id)
    else:
        choisie = next(iter(connues), None)
    if choisie is None or choisie not in connues:
        return None
    return Lignes(choix, perimetre, choisie)


def _subvention_de(conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID) -> UUID:
    exiger_operation(conn, perimetre, operation_id)
    row = conn.execute(
        "SELECT o.sg_id FROM projection.operation AS o WHERE o.id = %s", (operation_id,)
    ).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def est_fictive(conn: Connection[TupleRow], lignes: Lignes) -> bool:
    """Tell whether the amounts are invented (demonstration): whoever shows them says so."""
    row = conn.execute(
        "SELECT s.fictive FROM projection.subvention_globale AS s WHERE s.id = %s",
        (lignes.subvention_globale_id,),
    ).fetchone()
    return row is not None and bool(row[0])


def sommes(conn: Connection[TupleRow], lignes: Lignes, situation: Situation) -> dict[str, int]:
    """Return every measure of the lines chosen in a situation, in cents or in number."""
    query = sql.SQL(
        """
        SELECT m.mesure, sum(m.centimes)::bigint
        FROM projection.mouvement AS m
        WHERE {choisies} AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
        GROUP BY m.mesure
        """
    ).format(choisies=_CHOISIES)
    rows = conn.execute(query, {**lignes.parametres, **situation.parametres})
    return dict.fromkeys(MESURES, 0) | dict(rows.fetchall())


@dataclass(frozen=True, slots=True)
class Cause:
    """What one cause moved, measure by measure, and by how many events."""

    code: str
    evenements: int
    montants: dict[str, int]

    @property
    def libelle(self) -> str:
        """The cause as people say it."""
        return CAUSES[self.code]


def par_cause(
    conn: Connection[TupleRow],
    lignes: Lignes,
    de: Situation,
    a: Situation,
    mesures: Sequence[str] = (),
) -> tuple[Cause, ...]:
    """Return what leads from a situation to another, cause by cause; all measures by default."""
    query = sql.SQL(
        """
        {separent}
        SELECT x.cause, x.mesure, sum(x.centimes)::bigint, count(DISTINCT x.position)
        FROM ecart AS x
        GROUP BY GROUPING SETS ((x.cause, x.mesure), (x.cause))
        ORDER BY x.cause, x.mesure
        """
    ).format(separent=_separent("mesure"))
    montants: dict[int, dict[str, int]] = defaultdict(dict)
    nombres: dict[int, int] = {}
    for rang, mesure, total, nombre in conn.execute(query, _entre(lignes, de, a, mesures)):
        if mesure is None:
            nombres[rang] = nombre
        else:
            montants[rang][mesure] = total
    return tuple(Cause(cause_de_rang(r), n, montants[r]) for r, n in sorted(nombres.items()))


def _separent(colonne: str) -> sql.Composed:
    return _SEPARENT.format(choisies=_CHOISIES, colonne=sql.Identifier("m", colonne))


def _entre(lignes: Lignes, de: Situation, a: Situation, mesures: Sequence[str]) -> dict[str, Any]:
    for mesure in mesures:
        exiger_mesure(mesure, derivees=False)
    return {
        **lignes.parametres,
        **{f"de_{nom}": valeur for nom, valeur in de.parametres.items()},
        **{f"a_{nom}": valeur for nom, valeur in a.parametres.items()},
        **PARAMETRES,
        "mesures": list(mesures) or None,
    }


# --- Line by line --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FaitLu:
    """The event of a movement, as far as the perimeter lets it be told.

    ``lu`` is ``None`` when the event is about another PLIE too: its amount on the reader's own
    lines is shown, its sentence is not.
    """

    position: int
    nom: str
    date_effet: date
    enregistre_le: datetime
    acteur: str
    role: str
    cause: str
    lu: EvenementLu | None

    @property
    def fait(self) -> Evenement | None:
        """The fact."""
        return None if self.lu is None else self.lu.fait

    @property
    def role_libelle(self) -> str:
        """The role as people say it."""
        return ROLES.get(self.role, self.role)

    @property
    def phrase(self) -> str:
        """What happened, in one sentence."""
        if self.lu is None:
            return f"{CAUSES[self.cause]}. Ce fait porte aussi sur d’autres PLIE."
        return self.lu.phrase

    @property
    def motif(self) -> str | None:
        """Why, where the fact says it."""
        return None if self.lu is None else self.lu.motif

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The documents of the fact, by their digest."""
        return () if self.fait is None else self.fait.pieces

    @property
    def instance(self) -> str | None:
        """Who decided, where a body did."""
        instance = getattr(self.fait, "instance", None)
        return None if instance is None else INSTANCES.get(instance, instance)

    @property
    def decision_ref(self) -> str | None:
        """The minutes, or the decision, that the fact names."""
        return getattr(self.fait, "pv_ref", None) or getattr(self.fait, "decision_ref", None)

    @property
    def csf_id(self) -> UUID | None:
        """The control that the fact validates, or that founds it."""
        return getattr(self.fait, "csf_id", None)

    @property
    def paiement_id(self) -> UUID | None:
        """The payment that the fact moves."""
        return getattr(self.fait, "paiement_id", None)

    @property
    def version_regles(self) -> str | None:
        """The version of the rules under which the fact was computed."""
        return getattr(self.fait, "version_regles", None)


@dataclass(frozen=True, slots=True)
class Mouvement:
    """A line of the ledger; ``centimes`` bears the sign of what it does to the difference."""

    position: int
    rang: int
    mesure: str
    centimes: int
    plie_id: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    operation_id: UUID | None
    numero_mdfse: str | None
    financeur_type: str | None
    financeur: str | None
    cause: str
    evenement: FaitLu

    @property
    def cause_libelle(self) -> str:
        """The cause as people say it."""
        return CAUSES[self.cause]


@dataclass(frozen=True, slots=True)
class _Ligne:
    position: int
    rang: int
    mesure: str
    centimes: int
    plie_id: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    operation_id: UUID | None
    numero_mdfse: str | None
    financeur_type: str | None
    financeur: str | None
    date_effet: date
    name: str
    enregistre_le: datetime
    acteur: str
    role: str
    cause: int


def mouvements(
    conn: Connection[TupleRow],
    lignes: Lignes,
    de: Situation,
    a: Situation,
    *,
    mesures: Sequence[str] = (),
    cause: str | None = None,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[Mouvement]:
    """Return the lines that one situation counts and the other does not, cause by cause.

    Those that the second counts come with their sign; those that it does not, with the other.
    """
    rang_cause, position, rang = lire(apres, "mouvements", int, int, int)
    query = sql.SQL(
        """
        {separent}
        , page AS (
            SELECT x.position, x.rang, x.centimes, x.cause
            FROM ecart AS x
            WHERE (%(cause)s::integer IS NULL OR x.cause = %(cause)s)
                AND (%(position)s::bigint IS NULL OR (x.cause, x.position, x.rang)
                    > (%(rang_cause)s::integer, %(position)s::bigint, %(rang)s::integer))
            ORDER BY x.cause, x.position, x.rang
            LIMIT %(limite)s
        )

        SELECT
            p.position, p.rang, m.mesure, p.centimes, m.plie_id, m.annee, m.axe,
            m.objectif_specifique, m.dispositif, m.operation_id, o.numero_mdfse, m.financeur_type,
            m.financeur, m.date_effet, e.name, e.enregistre_le, e.acteur, e.role, p.cause
        FROM page AS p
        INNER JOIN projection.mouvement AS m ON p.position = m.position AND p.rang = m.rang
        CROSS JOIN LATERAL (
            SELECT v.name, v.enregistre_le, v.acteur, v.role
            FROM oi.event AS v WHERE v.position = p.position
            UNION ALL
            SELECT f.name, f.enregistre_le, f.acteur, f.role
            FROM oi.fait_partage(p.position) AS f
            LIMIT 1
        ) AS e
        LEFT JOIN projection.operation AS o ON m.operation_id = o.id
        ORDER BY p.cause, p.position, p.rang
        """
    ).format(separent=_separent("rang"))
    parameters = {
        **_entre(lignes, de, a, mesures),
        "cause": None if cause is None else RANGS[cause],
        "rang_cause": rang_cause,
        "position": position,
        "rang": rang,
        "limite": limite + 1,
    }
    rows = conn.cursor(row_factory=class_row(_Ligne)).execute(query, parameters).fetchall()
    page = paginer(rows, limite, "mouvements", lambda x: (x.cause, x.position, x.rang))
    return Page(tuple(_raconter(conn, lignes.perimetre, page.lignes)), page.suivant)


def _raconter(
    conn: Connection[TupleRow], perimetre: Perimetre, lignes: Sequence[_Ligne]
) -> Iterable[Mouvement]:
    lus = evenements(conn, perimetre, {x.position for x in lignes})
    for x in lignes:
        cause = cause_de_rang(x.cause)
        yield Mouvement(
            position=x.position,
            rang=x.rang,
            mesure=x.mesure,
            centimes=x.centimes,
            plie_id=x.plie_id,
            annee=x.annee,
            axe=x.axe,
            objectif_specifique=x.objectif_specifique,
            dispositif=x.dispositif,
            operation_id=x.operation_id,
            numero_mdfse=x.numero_mdfse,
            financeur_type=x.financeur_type,
            financeur=x.financeur,
            cause=cause,
            evenement=FaitLu(
                position=x.position,
                nom=x.name,
                date_effet=x.date_effet,
                enregistre_le=x.enregistre_le,
                acteur=x.acteur,
                role=x.role,
                cause=cause,
                lu=lus.get(x.position),
            ),
        )
