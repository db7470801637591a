"""Search from anywhere, in a perimeter: dossiers, conventions, beneficiaries, dépenses, payments.

Numbers and references are found by their beginning, names by any part of them, amounts exactly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from projections.instantane import instantane
from projections.perimetre import Perimetre

#: Shorter than this, everything would be found.
LONGUEUR_MIN = 2
LONGUEUR_MAX = 200
LIMITE = 20


@dataclass(frozen=True, slots=True)
class DossierTrouve:
    """A dossier, or its convention."""

    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    intitule: str
    beneficiaire: str
    plie_nom: str
    statut: str
    exact: bool  #: the number that was asked is its own


@dataclass(frozen=True, slots=True)
class BeneficiaireTrouve:
    """A beneficiary, by its SIRET."""

    siret: str
    nom: str
    dossiers: int
    exact: bool


@dataclass(frozen=True, slots=True)
class DepenseTrouvee:
    """A dépense; ``montant`` is in cents of total cost."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    nature: str
    piece_ref: str
    tiers_ref: str
    date_piece: date
    montant: int
    exact: bool


@dataclass(frozen=True, slots=True)
class PaiementTrouve:
    """A payment, by the reference of its transfer or by its amount, in cents."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    type: str
    montant: int
    reference: str | None
    le: date
    exact: bool


@dataclass(frozen=True, slots=True)
class Resultats:
    """What was found, kind by kind, the exact ones first; at most ``LIMITE`` of each."""

    dossiers: tuple[DossierTrouve, ...] = ()
    conventions: tuple[DossierTrouve, ...] = ()
    beneficiaires: tuple[BeneficiaireTrouve, ...] = ()
    depenses: tuple[DepenseTrouvee, ...] = ()
    paiements: tuple[PaiementTrouve, ...] = ()

    @property
    def nombre(self) -> int:
        """How many lines there are to show."""
        return sum(
            len(groupe)
            for groupe in (
                self.dossiers,
                self.conventions,
                self.beneficiaires,
                self.depenses,
                self.paiements,
            )
        )


_MONTANT = re.compile(r"(\d{1,3}(?:[ .\u00a0\u202f]\d{3})+|\d+)(?:[.,](\d{1,2}))?\s*€?")
#: What people type without its accent finds what is written with it.
_ACCENTS = "àâäáéèêëîïíôöóûüùúçñ"
_SANS_ACCENTS = "aaaaeeeeiiiooouuuucn"
_SANS = str.maketrans(_ACCENTS + "’", _SANS_ACCENTS + "'")


def montant_lu(texte: str) -> int | None:
    """Read an amount as people type it, in cents: « 1 234,56 », « 1234.56 », « 1 234 € »."""
    lu = _MONTANT.fullmatch(texte.strip())
    if lu is None:
        return None
    entiers = re.sub(r"\D", "", lu[1])
    centimes = int(entiers) * 100 + int((lu[2] or "0").ljust(2, "0"))
    return centimes if centimes < 2**63 else None


def plier(texte: str) -> str:
    """Write a text as names are compared: no capital, no accent, spaces one by one."""
    return " ".join(texte.lower().translate(_SANS).split())


def _debut(texte: str) -> str:
    """Write a text as the beginning that LIKE looks for."""
    return re.sub(r"([\\%_])", r"\\\1", texte) + "%"


def rechercher(
    conn: Connection[TupleRow], perimetre: Perimetre, texte: str, limite: int = LIMITE
) -> Resultats:
    """Return what a text finds; nothing when it is too short to look for anything."""
    # No text of the database holds a zero byte.
    demande = " ".join(texte.replace("\0", "").split())[:LONGUEUR_MAX]
    if len(demande) < LONGUEUR_MIN:
        return Resultats()
    chiffres = re.sub(r"[ \u00a0\u202f.]", "", demande)
    parametres = {
        "plies": perimetre.liste,
        "texte": demande.lower(),
        "debut": _debut(demande.lower()),
        # A number is no part of a name: those are not read for it.
        "plie": plier(demande) if any(c.isalpha() for c in demande) else None,
        "accents": _ACCENTS + "’",
        "sans_accents": _SANS_ACCENTS + "'",
        "siret": chiffres if chiffres.isdecimal() and chiffres.isascii() else None,
        "montant": montant_lu(demande),
        "limite": limite,
    }
    with instantane(conn):
        return Resultats(
            dossiers=_dossiers(conn, parametres),
            conventions=_conventions(conn, parametres),
            beneficiaires=_beneficiaires(conn, parametres),
            depenses=_depenses(conn, parametres),
            paiements=_paiements(conn, parametres),
        )


def _dossiers(conn: Connection[TupleRow], parametres: dict[str, Any]) -> tuple[DossierTrouve, ...]:
    return tuple(
        conn.cursor(row_factory=class_row(DossierTrouve))
        .execute(
            """
            SELECT
                o.id AS operation_id, o.numero_mdfse, o.numero_convention, o.intitule,
                o.beneficiaire, coalesce(p.nom, o.plie_id) AS plie_nom, o.statut,
                lower(o.numero_mdfse) = %(texte)s AS exact
            FROM projection.operation AS o
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (lower(o.numero_mdfse) LIKE %(debut)s
                    OR strpos(translate(lower(o.intitule), %(accents)s, %(sans_accents)s),
                        %(plie)s) > 0)
            ORDER BY exact DESC, lower(o.numero_mdfse) LIKE %(debut)s DESC, o.numero_mdfse
            LIMIT %(limite)s
            """,
            parametres,
        )
        .fetchall()
    )


def _conventions(
    conn: Connection[TupleRow], parametres: dict[str, Any]
) -> tuple[DossierTrouve, ...]:
    return tuple(
        conn.cursor(row_factory=class_row(DossierTrouve))
        .execute(
            """
            SELECT
                o.id AS operation_id, o.numero_mdfse, o.numero_convention, o.intitule,
                o.beneficiaire, coalesce(p.nom, o.plie_id) AS plie_nom, o.statut,
                lower(o.numero_convention) = %(texte)s AS exact
            FROM projection.operation AS o
            LEFT JOIN projection.plie AS p ON o.sg_id = p.sg_id AND o.plie_id = p.plie_id
            WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND strpos(lower(o.numero_convention), %(texte)s) > 0
            ORDER BY exact DESC, o.numero_convention
            LIMIT %(limite)s
            """,
            parametres,
        )
        .fetchall()
    )


def _beneficiaires(
    conn: Connection[TupleRow], parametres: dict[str, Any]
) -> tuple[BeneficiaireTrouve, ...]:
    return tuple(
        conn.cursor(row_factory=class_row(BeneficiaireTrouve))
        .execute(
            """
            SELECT
                o.siret, min(o.beneficiaire) AS nom, count(*)::integer AS dossiers,
                o.siret = coalesce(%(siret)s::text, '') AS exact
            FROM projection.operation AS o
            WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
                AND (o.siret LIKE %(siret)s::text || '%%'
                    OR strpos(translate(lower(o.beneficiaire), %(accents)s, %(sans_accents)s),
                        %(plie)s) > 0)
            GROUP BY o.siret
            ORDER BY exact DESC, nom, o.siret
            LIMIT %(limite)s
            """,
            parametres,
        )
        .fetchall()
    )


#: By its piece, by its third party, by its amount: each has its index.
_TROUVEES = """
    SELECT
        d.id, d.operation_id, o.numero_mdfse, d.nature, d.piece_ref, d.tiers_ref, d.date_piece,
        d.montant_impute_centimes AS montant, lower(d.piece_ref) = %(texte)s AS exact
    FROM projection.depense AS d
    INNER JOIN projection.operation AS o ON d.operation_id = o.id
    WHERE d.statut <> 'annulee'
        AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        AND {critere}
    LIMIT %(limite)s
"""


def _depenses(conn: Connection[TupleRow], parametres: dict[str, Any]) -> tuple[DepenseTrouvee, ...]:
    criteres = ["lower(d.piece_ref) LIKE %(debut)s", "lower(d.tiers_ref) LIKE %(debut)s"]
    if parametres["montant"] is not None:
        criteres.append("d.montant_impute_centimes = %(montant)s")
    return _union(conn, DepenseTrouvee, _TROUVEES, criteres, parametres)


#: By its amount, by the reference of its transfer.
_PAYES = """
    SELECT
        (e.data ->> 'paiement_id')::uuid AS id, o.id AS operation_id, o.numero_mdfse,
        o.beneficiaire, e.data ->> 'type' AS type,
        (e.data ->> 'montant_centimes')::bigint AS montant, e.data ->> 'ref_virement' AS reference,
        e.date_effet AS le,
        coalesce(lower(e.data ->> 'ref_virement') = %(texte)s, false) AS exact
    FROM oi.event AS e
    INNER JOIN oi.event AS c ON e.stream_id = c.stream_id AND c.version = 1
    INNER JOIN projection.operation AS o ON (c.data ->> 'operation_id')::uuid = o.id
    WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s)) AND {critere}
    LIMIT %(limite)s
"""


def _paiements(
    conn: Connection[TupleRow], parametres: dict[str, Any]
) -> tuple[PaiementTrouve, ...]:
    criteres = [
        (
            "e.name = 'convention.paiement_effectue.v1'"
            " AND lower(e.data ->> 'ref_virement') LIKE %(debut)s"
        )
    ]
    if parametres["montant"] is not None:
        criteres.append(
            "e.name = 'convention.paiement_prepare.v1'"
            " AND (e.data ->> 'montant_centimes')::bigint = %(montant)s"
        )
    return _union(conn, PaiementTrouve, _PAYES, criteres, parametres)


def _union(
    conn: Connection[TupleRow],
    sorte: Any,
    requete: str,
    criteres: Iterable[str],
    parametres: dict[str, Any],
) -> tuple[Any, ...]:
    """Ask a query once for each criterion, that its index serves; each thing found comes once."""
    texte = " UNION ALL ".join(f"({requete.format(critere=critere)})" for critere in criteres)
    rows = conn.cursor(row_factory=class_row(sorte)).execute(texte, parametres).fetchall()
    trouves = {row.id: row for row in sorted(rows, key=lambda row: row.exact)}
    uns = sorted(trouves.values(), key=lambda row: (not row.exact, row.numero_mdfse, str(row.id)))
    return tuple(uns[: parametres["limite"]])
