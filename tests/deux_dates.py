"""What the database answers in a situation, beside what the naive fold of the events says."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import settings
from hypothesis import strategies as st
from pliage import (
    Changement,
    Connu,
    additionner,
    changements,
    depenses,
    flux,
    lire,
    operations,
    regrouper,
    subvention_en_vigueur,
)
from psycopg import Connection
from psycopg.rows import dict_row

from aggregates.operation.events import DossierDepose
from aggregates.subvention_globale.events import SubventionGlobaleConventionnee
from oi_service.ids import convention_of
from projections.maquette import QUANTITES, charger, subventions
from projections.perimetre import OI_ENTIER
from projections.situation import ACTUELLE, Situation

#: What `oi.montants` gives of an operation: the measures of the maquette that one can hold.
MONTANTS = tuple(q for q in QUANTITES if q not in {"fse_maquette", "ct_maquette", "nb_operations"})
_FINANCEURS = {
    "cp_programmee": "programmee",
    "cp_conventionnee": "conventionnee",
    "cp_affectee": "affectee",
    "cp_retenue": "retenue",
}
_CASE = ("sg_id", "plie_id", "annee", "axe", "objectif_specifique", "dispositif")


@dataclass
class Memoire:
    """A log, read once and folded apart."""

    histoire: list[Connu]
    changes: list[Changement] = field(init=False)

    def __post_init__(self) -> None:
        self.changes = changements(self.histoire)

    @cached_property
    def flux(self) -> dict[UUID, list[Connu]]:
        return flux(self.histoire)

    @cached_property
    def subventions(self) -> list[Connu]:
        """Return the signatures of the grants, the last one recorded first."""
        found = [c for c in self.histoire if isinstance(c.fait, SubventionGlobaleConventionnee)]
        return found[::-1]

    @cached_property
    def operations(self) -> list[UUID]:
        return [c.stream_id for c in self.histoire if isinstance(c.fait, DossierDepose)]

    def situations(self) -> st.SearchStrategy[Situation]:
        """Draw the two dates: around real days, anywhere in the log, or without any bound."""
        jours = sorted({c.date_effet for c in self.histoire})
        bornes = st.sampled_from(jours).flatmap(
            lambda jour: st.sampled_from([jour + timedelta(days=n) for n in (0, -1, 1)])
        )
        return st.builds(
            Situation,
            effet_au=st.none() | bornes,
            connu_le=st.none() | st.integers(0, len(self.histoire)),
        )


def exemples(ordinaires: int) -> int:
    """Return how many situations to draw: these, or as many times more as the profile asks."""
    return max(3, ordinaires * settings().max_examples // 100)


def memoire(conn: Connection[Any]) -> Memoire:
    return Memoire(lire(conn))


def jours_au_hasard(lue: Memoire, dice: Random) -> list[date]:
    """Draw a day of effect for each event, whatever happened before it."""
    jours = sorted({c.date_effet for c in lue.histoire})
    return [dice.choice(jours) for _ in lue.histoire]


def jours_par_flux(lue: Memoire, dice: Random) -> list[date]:
    """Draw days of effect that never go back inside a stream, and ignore the other streams."""
    jours = sorted({c.date_effet for c in lue.histoire})
    found = {}
    for connus in lue.flux.values():
        tires = sorted(dice.choice(jours) for _ in connus)
        found |= {c.position: jour for c, jour in zip(connus, tires, strict=True)}
    return [found[c.position] for c in lue.histoire]


def recopier(source: str, cible: str, jours: list[date]) -> None:
    """Copy a log to an empty database, as if each event counted from another day, and project it.

    Only the owner can, around every guard of the log.
    """
    with psycopg.connect(source) as lecture, psycopg.connect(cible) as conn:
        conn.execute("SET LOCAL search_path = projection, oi, pg_temp")
        with (
            lecture.cursor().copy("COPY oi.event TO STDOUT") as sortie,
            conn.cursor().copy("COPY oi.event FROM STDIN") as entree,
        ):
            for bloc in sortie:
                entree.write(bloc)
        conn.execute("ALTER TABLE oi.event DISABLE TRIGGER USER")
        conn.execute(
            "UPDATE oi.event AS e SET date_effet = j.jour "
            "FROM unnest(%s::date[]) WITH ORDINALITY AS j (jour, position) "
            "WHERE e.position = j.position",
            (jours,),
        )
        conn.execute("ALTER TABLE oi.event ENABLE TRIGGER USER")
        conn.execute("UPDATE oi.head SET position = %s", (len(jours),))
        conn.execute("SELECT oi.project(1, %s)", (len(jours),))


def exiger_grand_livre(conn: Connection[Any], lue: Memoire) -> None:
    """Each event moves exactly what it changes: no measure, no cell, no funder aside."""
    rows = conn.execute(
        "SELECT position, date_effet, sg_id, plie_id, annee, axe, objectif_specifique, dispositif, "
        "operation_id, financeur_type, financeur, mesure, sum(centimes)::bigint "
        "FROM projection.mouvement GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"
    ).fetchall()
    attendu = {
        (change.connu.position, change.connu.date_effet, *compte.case, *compte[1:]): montant
        for change in lue.changes
        for compte, montant in change.ecarts.items()
    }
    _exiger({tuple(cle): montant for *cle, montant in rows if montant}, attendu)


def exiger_memes_chiffres(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    """The maquette, its funders and the amounts of each operation are those of the fold."""
    figures = additionner(lue.changes, situation)
    connues = [c for c in lue.subventions if c.position <= situation.parametres["connu_le"]]
    assert [s.id for s in subventions(conn, OI_ENTIER, situation)] == [c.stream_id for c in connues]
    for signature in connues:
        _exiger_maquette(conn, lue, figures, signature.stream_id, situation)

    attendu = {
        (operation, mesure): montant
        for (operation, mesure), montant in regrouper(figures, "operation", "mesure").items()
        if mesure in MONTANTS and operation is not None
    }
    cursor = conn.cursor(row_factory=dict_row)
    rows = cursor.execute("SELECT * FROM oi.montants(%(connu_le)s, %(effet_au)s)", _(situation))
    _exiger({(row["operation_id"], m): row[m] for row in rows for m in MONTANTS if row[m]}, attendu)


def _exiger_maquette(
    conn: Connection[Any],
    lue: Memoire,
    figures: dict[Any, int],
    sg: UUID,
    situation: Situation,
) -> None:
    found = charger(conn, OI_ENTIER, sg, situation)
    assert found is not None
    montants = regrouper(figures, "case", "mesure").items()
    siens = {(c, m): montant for (c, m), montant in montants if c.sg == sg and m in QUANTITES}
    cases = {
        ((sg, x.plie_id, x.annee, x.axe, x.objectif_specifique, x.dispositif), mesure): montant
        for x in found.lignes
        for mesure in QUANTITES
        if (montant := getattr(x.chiffres, mesure))
    }
    _exiger(cases, siens)
    # A cell of nothing is not shown.
    assert len({case for case, _ in cases}) == len(found.lignes)
    du_financeur = regrouper(figures, "case", "type", "financeur", "mesure").items()
    apports: dict[tuple[str, str, str], int] = {}
    for (case, kind, financeur, mesure), montant in du_financeur:
        if case.sg == sg and mesure in _FINANCEURS:
            cle = (kind, financeur, mesure)
            apports[cle] = apports.get(cle, 0) + montant
    apportes = {
        (f.type, f.financeur, mesure): getattr(f, nom)
        for f in found.financeurs
        for mesure, nom in _FINANCEURS.items()
    }
    _exiger(_sans_zero(apportes), _sans_zero(apports))
    assert found.fse_total == subvention_en_vigueur(lue.histoire, sg, situation)
    assert found.position == min(len(lue.histoire), situation.parametres["connu_le"])


def exiger_memes_dossiers(conn: Connection[Any], lue: Memoire, situation: Situation) -> None:
    """Each operation is where its stream, folded by the house itself, leaves it."""
    cursor = conn.cursor(row_factory=dict_row)
    query = "SELECT * FROM oi.operations_au(%(connu_le)s, %(effet_au)s)"
    rows = cursor.execute(query, _(situation)).fetchall()
    attendu = {}
    for operation_id, (state, numero) in operations(lue.flux, situation).items():
        ligne, premier = state.cellule.ligne, lue.flux[operation_id][0].fait
        attendu[operation_id] = {
            "id": operation_id,
            "sg_id": state.cadre.subvention_globale_id,
            "appel_a_projets_id": state.appel_a_projets_id,
            "fiche_code": premier.fiche_code,
            "numero_mdfse": state.numero_mdfse,
            "siret": state.beneficiaire.siret,
            "beneficiaire": state.beneficiaire.nom,
            "type_beneficiaire": state.beneficiaire.type,
            "plie_id": state.cellule.plie_id,
            "annee": ligne.annee,
            "axe": ligne.axe,
            "objectif_specifique": ligne.objectif_specifique,
            "dispositif": ligne.dispositif,
            "intitule": state.intitule,
            "objet": state.objet,
            "debut": state.periode.debut,
            "fin": state.periode.fin,
            "depose_le": premier.date_effet,
            "statut": state.statut,
            "numero_convention": numero,
        }
    _exiger({row["id"]: row for row in rows}, attendu)
    assert len(rows) == len(attendu)


_DEPENSES = """
    SELECT d.* FROM unnest(%(operations)s::uuid[], %(conventions)s::uuid[]) AS o (id, convention),
        LATERAL oi.depenses_au(o.id, o.convention, %(connu_le)s, %(effet_au)s) AS d
"""


def exiger_memes_depenses(
    conn: Connection[Any], lue: Memoire, situation: Situation, de: Iterable[UUID]
) -> None:
    """Each dépense of some operations is what its stream and the bilans of its convention say."""
    ids = list(de)
    parameters = {"operations": ids, "conventions": [convention_of(i) for i in ids]}
    cursor = conn.cursor(row_factory=dict_row)
    rows = cursor.execute(_DEPENSES, parameters | _(situation)).fetchall()
    attendu = {}
    toutes = depenses(lue.flux, situation)
    for operation_id in ids:
        for depense_id, vue in toutes.get(operation_id, {}).items():
            etat, detail = vue.etat, vue.etat.detail
            controlee = etat.csf_id is not None
            attendu[depense_id] = {
                "id": depense_id,
                "operation_id": operation_id,
                "poste": detail.poste,
                "nature": detail.nature,
                "tiers_ref": detail.tiers_ref,
                "piece_ref": detail.piece_ref,
                "date_piece": detail.date_piece,
                "date_realisation": detail.date_realisation,
                "date_acquittement": detail.date_acquittement,
                "montant_impute_centimes": detail.montant_impute_centimes,
                "statut": etat.statut,
                "bilan_id": vue.bilan_id,
                "csf_id": etat.csf_id,
                "retenu_centimes": etat.retenu if controlee else None,
                "ecarte_centimes": etat.ecarte if controlee else None,
                "motif_code": vue.motif_code,
                "version": vue.version,
                "position": lue.flux[depense_id][0].position,
            }
    _exiger({row["id"]: row for row in rows}, attendu)
    assert len(rows) == len(attendu)


def exiger_tout(
    conn: Connection[Any], lue: Memoire, situation: Situation, de: Iterable[UUID]
) -> None:
    """Everything that a situation answers, the dépenses of some operations included."""
    exiger_memes_chiffres(conn, lue, situation)
    exiger_memes_dossiers(conn, lue, situation)
    exiger_memes_depenses(conn, lue, situation, de)


def exiger_tables_vivantes(conn: Connection[Any]) -> None:
    """In the situation of today, what is computed is what the tables hold."""
    parametres = _(ACTUELLE)
    operations_lues = conn.execute(
        "SELECT * FROM oi.operations_au(%(connu_le)s, %(effet_au)s) ORDER BY id", parametres
    ).fetchall()
    tables = conn.execute("SELECT * FROM projection.operation ORDER BY id").fetchall()
    assert operations_lues == tables
    ids = [row[0] for row in tables]
    conventions = {"operations": ids, "conventions": [convention_of(i) for i in ids]}
    vues = conn.execute(f"{_DEPENSES} ORDER BY d.id".encode(), conventions | parametres).fetchall()
    assert vues == conn.execute("SELECT * FROM projection.depense ORDER BY id").fetchall()
    total = conn.execute(
        "SELECT sg_id, plie_id, annee, axe, objectif_specifique, dispositif, mesure, "
        "sum(centimes)::bigint FROM projection.mouvement GROUP BY 1, 2, 3, 4, 5, 6, 7"
    )
    lues = {tuple(cle): montant for *cle, montant in total if montant and cle[-1] in QUANTITES}
    found = {}
    for subvention in subventions(conn, OI_ENTIER):
        maquette = charger(conn, OI_ENTIER, subvention.id)
        assert maquette is not None
        assert maquette.fse_total == _fse_total(conn, subvention.id)
        for x in maquette.lignes:
            case = (x.plie_id, x.annee, x.axe, x.objectif_specifique, x.dispositif)
            found |= {(subvention.id, *case, m): getattr(x.chiffres, m) for m in QUANTITES}
    _exiger(_sans_zero(found), lues)


def _exiger(trouve: dict[Any, Any], attendu: dict[Any, Any]) -> None:
    """Refuse two answers that differ, and show where: found, then expected."""
    ecarts = {
        cle: (trouve.get(cle), attendu.get(cle))
        for cle in trouve.keys() | attendu.keys()
        if trouve.get(cle) != attendu.get(cle)
    }
    assert not ecarts, ecarts


def _sans_zero(montants: dict[Any, int]) -> dict[Any, int]:
    return {cle: montant for cle, montant in montants.items() if montant}


def _fse_total(conn: Connection[Any], sg: UUID) -> int:
    row = conn.execute(
        "SELECT fse_total_centimes FROM projection.subvention_globale WHERE id = %s", (sg,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _(situation: Situation) -> dict[str, int | date]:
    return situation.parametres
