"""Coverage of contreparties: awaited, attested, received, affected, retained; and what is missing.

What the Fund leaves of the cost of an operation is its need. Other funders are awaited for a part
of it, as the plan in force says (the convention, or the programming while there is none); the rest
is autofinancement. A contrepartie is recorded with the attestation of its funder: what an operation
holds of it is attested.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from fractions import Fraction
from typing import Any, Literal, NamedTuple, Self, cast
from uuid import UUID

from psycopg import Connection, sql
from psycopg.rows import TupleRow, args_row

from aggregates.operation.state import LIBELLES, Statut
from oi_service.ids import convention_of
from oi_service.money import ratio
from projections.consolidation import MUTUALISE, Consolidation, consolider
from projections.dossiers import exiger_operation
from projections.instantane import instantane
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.nomenclature import RESSOURCES, RESSOURCES_EXTERNES

Par = Literal["operation", "plie", "oi"]
ActeFondateur = Literal["convention", "programmation"]

#: States in which an operation may still be backed by a contrepartie.
ENCORE_AFFECTABLE: frozenset[Statut] = frozenset(
    ("programme", "conventionne", "en_execution", "realisation_terminee", "bilan_final_depose")
)

_MESURES = (
    "ct_programme",
    "fse_programme",
    "cp_programmee",
    "ct_conventionne",
    "fse_conventionne",
    "cp_conventionnee",
    "cp_attribuee",
    "cp_percue",
    "cp_affectee",
    "cp_retenue",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiffresCouverture:
    """The quantities of the coverage, in cents, and the rates computed on them.

    Rates are exact, ``None`` when nothing is needed, and pass 1 when more was found than needed.
    ``percue`` is of the contrepartie, whatever operations hold it: ``None`` for an operation.
    """

    cout_total: int = 0
    fse: int = 0
    attendue: int = 0  #: external funders of the plan in force
    attestee: int = 0
    percue: int | None = None
    affectee: int = 0
    affectee_mutualisee: int = 0  #: part of ``affectee`` that comes from what the OI shares
    retenue: int = 0
    decouvert: int = 0  #: sum of the `Manque`
    decouvert_clos: int = 0  #: part of ``decouvert`` that nothing can cover any more
    hors_plan: int = 0  #: affected beyond what the plan awaits of the funder

    def __add__(self, other: Self) -> Self:
        """Add quantity by quantity."""
        sommes: dict[str, Any] = {
            nom: _somme(getattr(self, nom), getattr(other, nom)) for nom in QUANTITES
        }
        return type(self)(**sommes)

    @property
    def vide(self) -> bool:
        """Whether every movement left again, or none came."""
        return not any(getattr(self, nom) for nom in QUANTITES)

    @property
    def besoin(self) -> int:
        """What the Fund leaves to pay."""
        return self.cout_total - self.fse

    @property
    def autofinancement(self) -> int:
        """What nobody else is awaited for: it stays with the beneficiary."""
        return self.besoin - self.attendue

    @property
    def taux_previsionnel(self) -> Fraction | None:
        """Awaited over needed."""
        return ratio(self.attendue, self.besoin)

    @property
    def taux_atteste(self) -> Fraction | None:
        """Attested over needed."""
        return ratio(self.attestee, self.besoin)

    @property
    def taux_affecte(self) -> Fraction | None:
        """Affected over needed; for an operation, it is what is attested."""
        return ratio(self.affectee, self.besoin)


QUANTITES = tuple(f.name for f in fields(ChiffresCouverture))


def _somme(un: int | None, autre: int | None) -> int | None:
    if un is None or autre is None:
        return autre if un is None else un
    return un + autre


@dataclass(frozen=True, slots=True)
class Manque:
    """What a funder of the plan does not cover of an operation yet, in cents.

    A funder covers what is affected of it, or what the control retained of it if that is more.
    ``depuis``: the day on which the plan in force first awaited this funder. ``echeance``: the last
    day of the operation. ``ouvert``: an affectation is still possible.
    """

    subvention_globale_id: UUID
    operation_id: UUID
    numero_mdfse: str
    intitule: str
    beneficiaire: str
    statut: str
    plie_id: str
    plie_nom: str
    type: str
    financeur: str
    attendu: int
    affecte: int
    retenu: int
    manque: int
    acte: ActeFondateur
    depuis: date
    echeance: date

    @property
    def ouvert(self) -> bool:
        """Whether an affectation is still possible."""
        return self.statut in ENCORE_AFFECTABLE

    @property
    def statut_libelle(self) -> str:
        """The state as people say it."""
        return LIBELLES[cast("Statut", self.statut)]

    @property
    def type_libelle(self) -> str:
        """The kind of funder as people say it."""
        return RESSOURCES[self.type]


@dataclass(frozen=True, slots=True)
class LigneCouverture:
    """An operation, a PLIE or an OI. By operation, a line without any holds what none holds."""

    code: str
    nom: str
    oi_id: str
    oi_nom: str
    plie_id: str | None
    operation_id: UUID | None
    chiffres: ChiffresCouverture


@dataclass(frozen=True, slots=True)
class Couverture:
    """The coverage of one or several grants, in a situation."""

    par: Par
    consolidation: Consolidation
    lignes: tuple[LigneCouverture, ...]
    manques: tuple[Manque, ...]  #: those that may still be covered first, by deadline

    @property
    def total(self) -> ChiffresCouverture:
        """The sum of the lines; its rates are computed on it, never averaged."""
        return sum((ligne.chiffres for ligne in self.lignes), ChiffresCouverture())


@dataclass(slots=True)
class _Financeur:
    """What the ledger says of one funder and one operation, in cents."""

    nom: str
    attendu: int = 0
    depuis: date = date.max
    affecte: int = 0
    mutualise: int = 0
    retenu: int = 0

    @property
    def manque(self) -> int:
        return max(0, self.attendu - max(self.affecte, self.retenu))

    @property
    def hors_plan(self) -> int:
        return max(0, self.affecte - self.attendu)


@dataclass(frozen=True, slots=True)
class _Dossier:
    """What a line and a `Manque` say of an operation."""

    numero_mdfse: str
    intitule: str
    beneficiaire: str
    statut: str
    echeance: date


#: Grant, PLIE, and operation; no operation for what none holds.
_Cle = tuple[UUID, str, UUID | None]


class _Cumul(NamedTuple):
    """Movements of one measure, one operation (or none) and one funder, summed.

    ``source``: the PLIE of the contrepartie, for what is affected. ``premier``: first day.
    """

    sg_id: UUID
    plie_id: str
    operation_id: UUID | None
    mesure: str
    type: str | None
    financeur: str | None
    source: str | None
    centimes: int
    premier: date

    @property
    def cle(self) -> _Cle:
        return (self.sg_id, self.plie_id, self.operation_id)


def couverture(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    situation: Situation = ACTUELLE,
    *,
    par: Par = "plie",
    subventions: Collection[UUID] = (),
    plie: str | None = None,
    operation_id: UUID | None = None,
) -> Couverture:
    """Return the coverage of these grants, of all those of the perimeter when none is named.

    Raises: SubventionGlobaleAbsente, OperationAbsente.
    """
    with instantane(conn):
        consolidation = consolider(conn, perimetre, subventions, situation)
        if operation_id is not None:
            exiger_operation(conn, perimetre, operation_id)
        cumuls = _cumuls(conn, perimetre, consolidation, plie, operation_id)
        plans = _plans(cumuls)
        # A dossier is read when its line is shown, or when something of it is missing.
        lus = {o for (_, _, o), plan in plans.items() if o and (par == "operation" or plan.manque)}
        dossiers = _dossiers(conn, lus, situation)
    cellules: dict[_Cle, ChiffresCouverture] = {}
    manques: list[Manque] = []
    for cle, plan in plans.items():
        dossier = dossiers.get(cle[2]) if cle[2] else None
        cellules[cle] = plan.chiffres(dossier)
        if dossier:
            manques += plan.manques(cle, dossier, consolidation)
    if operation_id is None:
        # What the OI shares is for who sees the whole OI.
        entier = perimetre.plie_ids is None and plie is None
        _retirer_affectees(cellules, cumuls, entier=entier)
    return Couverture(
        par=par,
        consolidation=consolidation,
        lignes=_lignes(par, cellules, dossiers, consolidation),
        manques=tuple(sorted(manques, key=_rang)),
    )


def _rang(manque: Manque) -> tuple[object, ...]:
    return (
        not manque.ouvert,
        manque.echeance,
        manque.numero_mdfse,
        manque.type,
        manque.financeur,
    )


def _retirer_affectees(
    cellules: dict[_Cle, ChiffresCouverture], cumuls: Iterable[_Cumul], *, entier: bool
) -> None:
    """Leave, outside operations, what is attested and that none of them holds.

    What is attested counts once: where an operation holds it, else where it was granted.
    """
    repris: dict[_Cle, int] = defaultdict(int)
    for cumul in cumuls:
        source = cumul.source or cumul.plie_id
        if source != MUTUALISE or entier:
            affecte = cumul.mesure == "cp_affectee"
            repris[cumul.sg_id, source, None] += cumul.centimes if affecte else 0
    for cle, centimes in repris.items():
        reste = ChiffresCouverture(attestee=-centimes, percue=0)
        cellules[cle] = cellules[cle] + reste if cle in cellules else reste


class _Plan:
    """What the ledger says of one operation, or of what a PLIE or the OI holds for none."""

    def __init__(self, cumuls: Collection[_Cumul], *, sans_operation: bool) -> None:
        self._sans_operation = sans_operation
        self._totaux: dict[str, int] = defaultdict(int)
        for cumul in cumuls:
            self._totaux[cumul.mesure] += cumul.centimes
        self._acte: ActeFondateur = (
            "convention" if "ct_conventionne" in self._totaux else "programmation"
        )
        suffixe = "conventionne" if self._acte == "convention" else "programme"
        self._fse, self._cout_total = f"fse_{suffixe}", f"ct_{suffixe}"
        self._attendue = f"cp_{suffixe}e"
        self._financeurs: dict[tuple[str, str], _Financeur] = {}
        for cumul in cumuls:
            if cumul.type is not None and cumul.financeur is not None:
                self._compter(cumul, cumul.type, cumul.financeur)

    def _compter(self, cumul: _Cumul, kind: str, nom: str) -> None:
        # Names are compared as a sharing between operations compares them.
        cle = (kind, " ".join(nom.split()).casefold())
        financeur = self._financeurs.setdefault(cle, _Financeur(nom))
        if cumul.mesure == self._attendue:
            financeur.nom = nom
            financeur.attendu += cumul.centimes
            financeur.depuis = min(financeur.depuis, cumul.premier)
        elif cumul.mesure == "cp_affectee":
            financeur.affecte += cumul.centimes
            financeur.mutualise += cumul.centimes if cumul.source == MUTUALISE else 0
        elif cumul.mesure == "cp_retenue":
            financeur.retenu += cumul.centimes

    @property
    def manque(self) -> int:
        """What the funders of the plan do not cover, all together."""
        return sum(f.manque for f in self._financeurs.values())

    def chiffres(self, dossier: _Dossier | None) -> ChiffresCouverture:
        """Return the figures; the dossier tells whether what is missing may still be covered."""
        financeurs = self._financeurs.values()
        affectee = sum(f.affecte for f in financeurs)
        ferme = dossier is not None and dossier.statut not in ENCORE_AFFECTABLE
        return ChiffresCouverture(
            cout_total=self._totaux[self._cout_total],
            fse=self._totaux[self._fse],
            attendue=sum(f.attendu for f in financeurs),
            attestee=self._totaux["cp_attribuee"] + affectee,
            percue=self._totaux["cp_percue"] if self._sans_operation else None,
            affectee=affectee,
            affectee_mutualisee=sum(f.mutualise for f in financeurs),
            retenue=sum(f.retenu for f in financeurs),
            decouvert=self.manque,
            decouvert_clos=self.manque if ferme else 0,
            hors_plan=sum(f.hors_plan for f in financeurs),
        )

    def manques(
        self, cle: _Cle, dossier: _Dossier, consolidation: Consolidation
    ) -> Iterator[Manque]:
        """Yield what each funder of the plan does not cover."""
        sg, plie_id, operation_id = cle
        assert operation_id is not None
        for (kind, _), financeur in self._financeurs.items():
            if financeur.manque:
                yield Manque(
                    subvention_globale_id=sg,
                    operation_id=operation_id,
                    numero_mdfse=dossier.numero_mdfse,
                    intitule=dossier.intitule,
                    beneficiaire=dossier.beneficiaire,
                    statut=dossier.statut,
                    plie_id=plie_id,
                    plie_nom=consolidation.nom_du_plie(sg, plie_id),
                    type=kind,
                    financeur=financeur.nom,
                    attendu=financeur.attendu,
                    affecte=financeur.affecte,
                    retenu=financeur.retenu,
                    manque=financeur.manque,
                    acte=self._acte,
                    depuis=financeur.depuis,
                    echeance=dossier.echeance,
                )


def _plans(cumuls: Iterable[_Cumul]) -> dict[_Cle, _Plan]:
    par_cle: dict[_Cle, list[_Cumul]] = defaultdict(list)
    for cumul in cumuls:
        par_cle[cumul.cle].append(cumul)
    return {cle: _Plan(groupe, sans_operation=cle[2] is None) for cle, groupe in par_cle.items()}


def _cumuls(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    consolidation: Consolidation,
    plie: str | None,
    operation_id: UUID | None,
) -> list[_Cumul]:
    return (
        conn.cursor(row_factory=args_row(_Cumul))
        .execute(
            """
            SELECT
                m.sg_id, m.plie_id, m.operation_id, m.mesure, m.financeur_type AS type,
                m.financeur,
                CASE WHEN m.mesure = 'cp_affectee' THEN coalesce(c.plie_id, %(mutualise)s) END
                    AS source,
                sum(m.centimes)::bigint AS centimes, min(m.date_effet) AS premier
            FROM projection.mouvement AS m
            -- Where what is affected was taken: from a PLIE's own, or from what the OI shares.
            LEFT JOIN oi.event AS e
                ON CASE WHEN m.mesure = 'cp_affectee' THEN m.position END = e.position
                    AND e.name IN (
                        'contrepartie.affectee.v1', 'contrepartie.affectation_annulee.v1')
            LEFT JOIN projection.contrepartie AS c ON e.stream_id = c.id
            WHERE m.sg_id = ANY(%(sg)s) AND m.mesure = ANY(%(mesures)s)
                AND (m.financeur_type IS NULL OR m.financeur_type = ANY(%(externes)s))
                AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
                AND (%(plies)s::text[] IS NULL OR m.plie_id = ANY(%(plies)s))
                AND (%(plie)s::text IS NULL OR m.plie_id = %(plie)s)
                AND (%(operation)s::uuid IS NULL OR m.operation_id = %(operation)s)
            GROUP BY 1, 2, 3, 4, 5, 6, 7
            """,
            {
                "sg": consolidation.ids,
                "mesures": list(_MESURES),
                "externes": sorted(RESSOURCES_EXTERNES),
                "plies": perimetre.liste,
                "plie": plie,
                "operation": operation_id,
                "mutualise": MUTUALISE,
                **consolidation.situation.parametres,
            },
        )
        .fetchall()
    )


def _dossiers(
    conn: Connection[TupleRow], operations: Collection[UUID], situation: Situation
) -> dict[UUID, _Dossier]:
    """Return what is known of these operations; the last avenant that says a period sets its end.

    An operation whose money counts is there, even when its dossier has no effect yet.
    """
    ids = list(operations)
    query = sql.SQL(
        """
        SELECT
            p.id, p.numero_mdfse, p.intitule, p.beneficiaire, coalesce(o.statut, 'depose'),
            coalesce(f.fin, o.fin, p.fin)
        FROM unnest(%(ids)s::uuid[], %(conventions)s::uuid[]) AS d (operation_id, convention_id)
        INNER JOIN projection.operation AS p ON d.operation_id = p.id
        LEFT JOIN {operations} AS o ON d.operation_id = o.id
        LEFT JOIN LATERAL (
            SELECT coalesce(e.data -> 'apres' -> 'periode' ->> 'fin',
                e.data -> 'periode' ->> 'fin')::date AS fin
            FROM oi.event AS e
            WHERE e.stream_id = d.convention_id
                AND e.position <= %(connu_le)s AND e.date_effet <= %(effet_au)s
                AND (e.name = 'convention.signee.v1'
                    OR (e.name = 'convention.avenant_signe.v1'
                        AND e.data -> 'apres' -> 'periode' ->> 'fin' IS NOT NULL))
            ORDER BY e.version DESC LIMIT 1
        ) AS f ON true
        """
    ).format(
        # What stands now is kept ready; what stood is read again from the log.
        operations=sql.SQL(
            "projection.operation"
            if situation.actuelle
            else "oi.operations_au(%(connu_le)s, %(effet_au)s)"
        )
    )
    rows = conn.execute(
        query,
        {"ids": ids, "conventions": [convention_of(i) for i in ids], **situation.parametres},
    )
    return {identity: _Dossier(*reste) for identity, *reste in rows}


def _lignes(
    par: Par,
    cellules: Mapping[_Cle, ChiffresCouverture],
    dossiers: Mapping[UUID, _Dossier],
    consolidation: Consolidation,
) -> tuple[LigneCouverture, ...]:
    """Sum the cells by what is asked; a line of nothing is left out."""
    trouvees: dict[tuple[str, str], LigneCouverture] = {}
    for (sg, plie_id, operation_id), chiffres in cellules.items():
        subvention = consolidation.par_id[sg]
        operation = operation_id if par == "operation" else None
        if par == "oi":
            code, nom = subvention.oi_id, subvention.oi_nom
        elif operation is not None:
            code, nom = dossiers[operation].numero_mdfse, dossiers[operation].intitule
        else:
            code, nom = plie_id, consolidation.nom_du_plie(sg, plie_id)
        # A PLIE is the PLIE of an OI, whatever the grant; two OI may use the same code.
        cle = (subvention.oi_id, str(operation or code))
        deja = trouvees.get(cle)
        trouvees[cle] = LigneCouverture(
            code=code,
            nom=nom,
            oi_id=subvention.oi_id,
            oi_nom=subvention.oi_nom,
            plie_id=None if par == "oi" else plie_id,
            operation_id=operation,
            chiffres=chiffres if deja is None else deja.chiffres + chiffres,
        )
    return tuple(
        sorted(
            (ligne for ligne in trouvees.values() if not ligne.chiffres.vide),
            key=lambda ligne: (
                ligne.oi_nom,
                ligne.plie_id == MUTUALISE,
                ligne.plie_id or "",
                ligne.operation_id is None,
                ligne.code,
            ),
        )
    )
