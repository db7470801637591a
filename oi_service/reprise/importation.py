"""Recording a list: what it belongs to, then every admitted line in one command."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.cadre import Cadre, Reglement
from aggregates.reprise.reprise import OperationListee, reprendre
from aggregates.reprise.state import REPRISE
from oi_service.application import Acte, Outcome, Service, Unit
from oi_service.errors import Refusal
from oi_service.ids import hors_subvention, reprise_of
from oi_service.reprise.lecture import LigneLue, Liste
from projections.reprises import etats

_ACTEUR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Whose log it is, where a list belongs to no subvention globale.
HORS_SUBVENTION = "hors-subvention-globale"


class RattachementManquant(Refusal):
    """Dites de quoi la liste est l’histoire : --subvention NUMERO si ses opérations relèvent d’une
    subvention globale enregistrée ici, ou --hors-subvention 2014-2020 (ou 2021-2027) si elles ne
    relèvent d’aucune, comme une liste publique. --apercu montre la liste sans rien enregistrer.
    """


class RattachementDouble(Refusal):
    """Une liste relève d’une subvention globale ou d’aucune : donnez --subvention ou
    --hors-subvention, pas les deux.
    """


class ActeurInvalide(Refusal):
    """« {acteur} » n’est pas l’identifiant d’un acteur : lettres, chiffres et « _ . - », 64
    caractères au plus, le premier étant une lettre ou un chiffre.
    """


class SubventionInconnue(Refusal):
    """Aucune subvention globale ne porte le numéro « {numero} ». Numéros enregistrés : {connus}."""


class SubventionAmbigue(Refusal):
    """Plusieurs subventions globales portent le numéro « {numero} » : donnez l’identifiant de celle
    dont la liste relève : {identifiants}.
    """


@dataclass(frozen=True, slots=True)
class Deja:
    """Lines that were already taken over, and those of them annulled since, by their place."""

    reprises: frozenset[int] = frozenset()
    annulees: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Resultat:
    """What became of a list. ``outcome`` is absent when nothing was to be written."""

    liste: Liste
    deja: Deja = Deja()
    rattachee: bool = True
    outcome: Outcome | None = None

    def a_reprendre(self) -> list[tuple[LigneLue, OperationListee]]:
        """Return the lines that are taken over, or would be."""
        return [(x, o) for x, o in self.liste.admises if x.numero not in self.deja.reprises]


def exiger_acteur(acteur: str) -> None:
    """Refuse what the journal would not take for a person."""
    if _ACTEUR.fullmatch(acteur) is None:
        raise ActeurInvalide(acteur=acteur)


def exiger_rattachement(subvention: str | None, hors: Reglement | None, *, apercu: bool) -> bool:
    """Tell whether somebody said what a list belongs to; it may be missing from an overview only.

    Raises: RattachementManquant, RattachementDouble.
    """
    dits = (subvention is not None) + (hors is not None)
    if dits > 1:
        raise RattachementDouble
    if not dits and not apercu:
        raise RattachementManquant
    return bool(dits)


def cadre_de(conn: Connection[TupleRow], subvention: str | None, hors: Reglement | None) -> Cadre:
    """Return what a list belongs to: a subvention globale, or none under a regulation.

    Raises: SubventionInconnue, SubventionAmbigue.
    """
    if hors is not None:
        return cadre_hors_subvention(hors)
    known = conn.execute(
        "SELECT id, oi_id, reglement, numero FROM projection.subvention_globale ORDER BY position"
    ).fetchall()
    found = [row for row in known if subvention in {row[3], str(row[0])}]
    if not found:
        connus = ", ".join(row[3] for row in known) or "aucun"
        raise SubventionInconnue(numero=subvention, connus=connus)
    if len(found) > 1:
        raise SubventionAmbigue(
            numero=subvention, identifiants=", ".join(str(row[0]) for row in found)
        )
    [(identity, oi_id, reglement, _)] = found
    return Cadre(subvention_globale_id=identity, oi_id=oi_id, reglement=reglement)


def cadre_hors_subvention(reglement: Reglement) -> Cadre:
    """Return the frame of the lists that belong to no subvention globale."""
    return Cadre(
        subvention_globale_id=hors_subvention(reglement),
        oi_id=HORS_SUBVENTION,
        reglement=reglement,
    )


def prevoir(conn: Connection[TupleRow], liste: Liste, cadre: Cadre) -> Resultat:
    """Say what would become of a list, and write nothing."""
    flux = _flux(liste, cadre)
    connus = etats(conn, flux.values())
    return Resultat(liste, _deja((n, connus.get(i)) for n, i in flux.items()))


def importer(service: Service, liste: Liste, cadre: Cadre, acte: Acte) -> Resultat:
    """Take over every admitted line that is not there yet, all in one transaction."""
    deja = Deja()

    def travail(unit: Unit) -> None:
        nonlocal deja
        deja = reprendre_la_liste(unit, liste, cadre)

    outcome = service.journal.execute(acte, travail)
    return Resultat(liste, deja, outcome=outcome)


def reprendre_la_liste(unit: Unit, liste: Liste, cadre: Cadre) -> Deja:
    """Decide on every admitted line; return those that were already there."""
    flux = _flux(liste, cadre)
    # Unpinned: a stream that a rival begins meanwhile takes the version that ours asks for.
    connus = dict(zip(flux, unit.find_all(REPRISE, flux.values(), pinned=False), strict=True))
    for ligne, operation in liste.admises:
        facts = reprendre(connus[ligne.numero], operation, cadre)
        unit.record(REPRISE, flux[ligne.numero], facts)
    return _deja((n, None if s is None else s.annulee_le is not None) for n, s in connus.items())


def _flux(liste: Liste, cadre: Cadre) -> dict[int, UUID]:
    """Return the stream of each admitted line, by its place."""
    return {
        ligne.numero: reprise_of(cadre.subvention_globale_id, operation.contenu)
        for ligne, operation in liste.admises
    }


def _deja(etats: Iterable[tuple[int, bool | None]]) -> Deja:
    """Sort what is there, from whether each line is annulled; ``None`` is not there."""
    connus = {numero: annulee for numero, annulee in etats if annulee is not None}
    return Deja(frozenset(connus), frozenset(n for n, annulee in connus.items() if annulee))
