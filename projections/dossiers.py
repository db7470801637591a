"""Dossiers and operations: the list, with the amounts of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, class_row

from aggregates.operation.state import LIBELLES, OperationAbsente, Statut
from projections.curseurs import LIMITE_PAR_DEFAUT, Page, lire, paginer
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation

Tri = Literal["numero", "plie", "statut", "depose_le", "fse", "beneficiaire", "fin"]
Ordre = Literal["asc", "desc"]

#: What a dossier waits for, and the states in which it does.
Attend = Literal[
    "recevabilite",
    "complements",
    "instruction",
    "comite",
    "convention",
    "demarrage",
    "execution",
    "bilan_final",
    "dernier_controle",
    "fermeture",
    "archivage",
    "reglement",
]
ATTENTES: Mapping[Attend, tuple[str, tuple[Statut, ...]]] = {
    "recevabilite": ("Recevabilité à prononcer", ("depose",)),
    "complements": ("Compléments du bénéficiaire", ("complement_demande",)),
    "instruction": ("Instruction à conduire", ("recevable", "en_instruction")),
    "comite": ("Décision du comité", ("instruit_favorable", "instruit_defavorable", "ajourne")),
    "convention": ("Convention à signer et notifier", ("programme",)),
    "demarrage": ("Attestation de démarrage", ("conventionne",)),
    "execution": ("Réalisation en cours", ("en_execution",)),
    "bilan_final": ("Bilan final du bénéficiaire", ("realisation_terminee",)),
    "dernier_controle": ("Contrôle, paiement et solde", ("bilan_final_depose",)),
    "fermeture": ("Clôture", ("solde",)),
    "archivage": ("Archivage", ("cloture",)),
    "reglement": ("Règlement après arrêt", ("abandonne", "resilie")),
}
_ATTENTE_DE: Mapping[Statut, Attend] = {
    statut: attend for attend, (_, statuts) in ATTENTES.items() for statut in statuts
}


@dataclass(frozen=True, slots=True)
class LigneOperation:
    """An operation and its amounts, in cents; measures are those of the maquette.

    ``fse`` is what the operation weighs for a reader: programmed, else asked for.
    """

    id: UUID
    subvention_globale_id: UUID
    appel_a_projets_id: UUID
    fiche_code: str
    numero_mdfse: str
    numero_convention: str | None
    siret: str
    beneficiaire: str
    type_beneficiaire: str
    plie_id: str
    plie_nom: str
    annee: int
    axe: str
    objectif_specifique: str
    dispositif: str
    intitule: str
    debut: date
    fin: date
    depose_le: date
    statut: str
    fse: int
    fse_depose: int
    fse_programme: int
    fse_programme_ajuste: int
    fse_conventionne: int
    fse_declare: int
    fse_retenu_csf: int
    fse_paye: int
    fse_irrecouvrable: int
    ct_depose: int
    ct_programme: int
    ct_programme_ajuste: int
    ct_conventionne: int
    ct_declare: int
    ct_retenu_csf: int
    cle: str  #: the sort key, as text

    @property
    def statut_libelle(self) -> str:
        """The state as people say it."""
        return LIBELLES[cast("Statut", self.statut)]

    @property
    def attend(self) -> str | None:
        """What the dossier waits for, as people say it; ``None`` when nothing is left to do."""
        attend = _ATTENTE_DE.get(cast("Statut", self.statut))
        return None if attend is None else ATTENTES[attend][0]


@dataclass(frozen=True, slots=True)
class Sommes:
    """What dossiers add up to; cents. ``fse`` is programmed, else asked for."""

    nombre: int = 0
    fse: int = 0
    fse_conventionne: int = 0
    fse_declare: int = 0
    fse_retenu_csf: int = 0
    fse_paye: int = 0

    def __add__(self, autre: "Sommes") -> "Sommes":
        """Add up two sets of dossiers that share none."""
        return Sommes(
            self.nombre + autre.nombre,
            self.fse + autre.fse,
            self.fse_conventionne + autre.fse_conventionne,
            self.fse_declare + autre.fse_declare,
            self.fse_retenu_csf + autre.fse_retenu_csf,
            self.fse_paye + autre.fse_paye,
        )


@dataclass(frozen=True, slots=True)
class ChoixDeListe:
    """What the list of a perimeter may be filtered by: codes and names of PLIE, tranches, OS."""

    plies: tuple[tuple[str, str], ...]
    annees: tuple[int, ...]
    objectifs_specifiques: tuple[str, ...]


#: Which dossiers pass the filters; `_parametres` gives their values.
_FILTRES = """
                (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (%(id)s::uuid IS NULL OR o.id = %(id)s)
                AND (%(sg)s::uuid IS NULL OR o.sg_id = %(sg)s)
                AND (%(plie)s::text IS NULL OR o.plie_id = %(plie)s)
                AND (%(statut)s::text IS NULL OR o.statut = %(statut)s)
                AND (%(parmi)s::text[] IS NULL OR o.statut = ANY(%(parmi)s))
                AND (%(os)s::text IS NULL OR o.objectif_specifique = %(os)s)
                AND (%(annee)s::integer IS NULL OR o.annee = %(annee)s)
                AND (%(recherche)s::text IS NULL OR strpos(
                    lower(concat_ws(' ', o.numero_mdfse, o.numero_convention, o.beneficiaire,
                        o.intitule)),
                    lower(%(recherche)s)) > 0)
"""


def _source(situation: Situation) -> sql.SQL:
    """What stands now is kept ready; what stood is read again from the log."""
    return sql.SQL(
        "projection.operation"
        if situation.actuelle
        else "oi.operations_au(%(connu_le)s, %(effet_au)s)"
    )


def _parametres(
    perimetre: Perimetre,
    situation: Situation,
    *,
    operation_id: UUID | None = None,
    subvention_globale_id: UUID | None = None,
    plie: str | None = None,
    statut: Statut | None = None,
    parmi: Sequence[Statut] | None = None,
    objectif_specifique: str | None = None,
    annee: int | None = None,
    recherche: str | None = None,
) -> dict[str, Any]:
    return {
        "plies": perimetre.liste,
        "id": operation_id,
        "sg": subvention_globale_id,
        "plie": plie,
        "statut": statut,
        "parmi": None if parmi is None else list(parmi),
        "os": objectif_specifique,
        "annee": annee,
        "recherche": recherche,
        **situation.parametres,
    }


def operations(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    operation_id: UUID | None = None,
    subvention_globale_id: UUID | None = None,
    plie: str | None = None,
    statut: Statut | None = None,
    parmi: Sequence[Statut] | None = None,
    attend: Attend | None = None,
    objectif_specifique: str | None = None,
    annee: int | None = None,
    recherche: str | None = None,
    tri: Tri = "numero",
    ordre: Ordre = "asc",
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Page[LigneOperation]:
    """Return the dossiers that pass every filter given, as the situation knows them.

    ``recherche`` looks for a text, whatever its case, in the numbers, the beneficiary and the
    title; ``parmi`` keeps several states, ``attend`` those that wait for one thing. States sort in
    the order of the life of a dossier.
    """
    liste = f"operations {tri} {ordre}"
    cle, numero = lire(apres, liste, str, str)
    croissant = ordre == "asc"
    query = sql.SQL(
        """
        WITH cles AS (
            SELECT
                o.*,
                coalesce(p.nom, o.plie_id) AS plie_nom,
                CASE %(tri)s::text
                    WHEN 'numero' THEN o.numero_mdfse
                    WHEN 'plie' THEN coalesce(p.nom, o.plie_id)
                    WHEN 'statut' THEN to_char(array_position(%(statuts)s, o.statut), 'FM00')
                    WHEN 'depose_le' THEN to_char(o.depose_le, 'YYYYMMDD')
                    WHEN 'fin' THEN to_char(o.fin, 'YYYYMMDD')
                    WHEN 'beneficiaire' THEN lower(o.beneficiaire)
                    WHEN 'fse' THEN (
                        SELECT to_char(coalesce(nullif(a.fse_programme, 0), a.fse_depose),
                            'FM000000000000000000')
                        FROM oi.montants(%(connu_le)s, %(effet_au)s) AS a
                        WHERE a.operation_id = o.id)
                END AS cle
            FROM {operations} AS o
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            WHERE {filtres}
        ),

        page AS (
            SELECT c.* FROM cles AS c
            WHERE %(cle)s::text IS NULL
                OR (c.cle, c.numero_mdfse) {au_dela} (%(cle)s::text, %(numero)s::text)
            ORDER BY c.cle {sens}, c.numero_mdfse {sens}
            LIMIT %(limite)s
        )

        SELECT
            o.id, o.sg_id AS subvention_globale_id, o.appel_a_projets_id, o.fiche_code,
            o.numero_mdfse, o.numero_convention, o.siret, o.beneficiaire, o.type_beneficiaire,
            o.plie_id, o.plie_nom, o.annee, o.axe, o.objectif_specifique, o.dispositif,
            o.intitule, o.debut, o.fin, o.depose_le, o.statut,
            coalesce(nullif(a.fse_programme, 0), a.fse_depose) AS fse,
            a.fse_depose, a.fse_programme, a.fse_programme_ajuste, a.fse_conventionne,
            a.fse_declare, a.fse_retenu_csf, a.fse_paye, a.fse_irrecouvrable, a.ct_depose,
            a.ct_programme, a.ct_programme_ajuste, a.ct_conventionne, a.ct_declare,
            a.ct_retenu_csf, o.cle
        FROM page AS o
        -- OFFSET keeps the sums to the operations of the page.
        CROSS JOIN LATERAL (
            SELECT m.* FROM oi.montants(%(connu_le)s, %(effet_au)s) AS m
            WHERE m.operation_id = o.id OFFSET 0
        ) AS a
        ORDER BY o.cle {sens}, o.numero_mdfse {sens}
        """
    ).format(
        operations=_source(situation),
        filtres=sql.SQL(_FILTRES),
        au_dela=sql.SQL(">" if croissant else "<"),
        sens=sql.SQL("ASC" if croissant else "DESC"),
    )
    parameters = {
        **_parametres(
            perimetre,
            situation,
            operation_id=operation_id,
            subvention_globale_id=subvention_globale_id,
            plie=plie,
            statut=statut,
            parmi=parmi if attend is None else ATTENTES[attend][1],
            objectif_specifique=objectif_specifique,
            annee=annee,
            recherche=recherche,
        ),
        "tri": tri,
        "statuts": list(get_args(Statut)),
        "cle": cle,
        "numero": numero,
        "limite": limite + 1,
    }
    rows = conn.cursor(row_factory=class_row(LigneOperation)).execute(query, parameters).fetchall()
    return paginer(rows, limite, liste, lambda o: (o.cle, o.numero_mdfse))


def sommes_par_statut(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    plie: str | None = None,
    objectif_specifique: str | None = None,
    annee: int | None = None,
    recherche: str | None = None,
) -> Mapping[Statut, Sommes]:
    """Add up the dossiers that pass the filters, state by state."""
    query = sql.SQL(
        """
        SELECT
            o.statut, count(*) AS nombre,
            coalesce(sum(coalesce(nullif(a.fse_programme, 0), a.fse_depose)), 0)::bigint AS fse,
            coalesce(sum(a.fse_conventionne), 0)::bigint AS fse_conventionne,
            coalesce(sum(a.fse_declare), 0)::bigint AS fse_declare,
            coalesce(sum(a.fse_retenu_csf), 0)::bigint AS fse_retenu_csf,
            coalesce(sum(a.fse_paye), 0)::bigint AS fse_paye
        FROM {operations} AS o
        LEFT JOIN oi.montants(%(connu_le)s, %(effet_au)s) AS a ON o.id = a.operation_id
        WHERE {filtres}
        GROUP BY o.statut
        """
    ).format(operations=_source(situation), filtres=sql.SQL(_FILTRES))
    parameters = _parametres(
        perimetre,
        situation,
        plie=plie,
        objectif_specifique=objectif_specifique,
        annee=annee,
        recherche=recherche,
    )
    return {statut: Sommes(*reste) for statut, *reste in conn.execute(query, parameters)}


def choix_de_liste(conn: Connection[TupleRow], perimetre: Perimetre) -> ChoixDeListe:
    """Return what the dossiers of a perimeter may be filtered by."""
    rows = conn.execute(
        """
        SELECT DISTINCT o.plie_id, coalesce(p.nom, o.plie_id), o.annee, o.objectif_specifique
        FROM projection.operation AS o
        LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
        WHERE %(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s)
        """,
        {"plies": perimetre.liste},
    ).fetchall()
    return ChoixDeListe(
        plies=tuple(sorted({row[0]: row[1] for row in rows}.items(), key=lambda p: p[1])),
        annees=tuple(sorted({row[2] for row in rows})),
        objectifs_specifiques=tuple(sorted({row[3] for row in rows})),
    )


def noms_des_plies(conn: Connection[TupleRow], perimetre: Perimetre) -> Mapping[str, str]:
    """Return the names of the PLIE of a perimeter, by their code."""
    rows = conn.execute(
        """
        SELECT p.plie_id, max(p.nom) FROM projection.plie AS p
        WHERE %(plies)s::text[] IS NULL OR p.plie_id = ANY(%(plies)s)
        GROUP BY p.plie_id
        """,
        {"plies": perimetre.liste},
    )
    return dict(rows.fetchall())


def exiger_operation(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    situation: Situation = ACTUELLE,
) -> None:
    """Refuse an operation that the perimeter does not hold, as one that does not exist (yet).

    Raises: OperationAbsente.
    """
    row = conn.execute(
        """
        SELECT 1 FROM projection.operation AS o
        WHERE o.id = %(id)s AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (%(actuelle)s OR EXISTS (
                SELECT FROM oi.event AS d
                WHERE d.stream_id = o.id AND d.version = 1
                    AND d.position <= %(connu_le)s AND d.date_effet <= %(effet_au)s))
        """,
        {
            "id": operation_id,
            "plies": perimetre.liste,
            "actuelle": situation.actuelle,
            **situation.parametres,
        },
    ).fetchone()
    if row is None:
        raise OperationAbsente(id=operation_id)
