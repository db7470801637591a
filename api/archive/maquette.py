"""The maquette of an archive, cell by cell."""

from collections.abc import Iterator
from decimal import Decimal

from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.tableur import Cellule, Montant, table
from oi_service.money import percent
from projections.maquette import QUANTITES, Maquette, charger, subventions
from projections.mesures import DERIVES, libelle, unite
from projections.perimetre import Perimetre
from projections.situation import Situation

_LIEU = ("Subvention globale", "PLIE", "Tranche", "Axe", "Objectif spécifique", "Dispositif")
_CHIFFRES = (*QUANTITES, *DERIVES)


def maquette(conn: Connection[TupleRow], perimetre: Perimetre, situation: Situation) -> bytes:
    """Write the maquettes of a perimeter in a situation, the first grant first."""
    connues = reversed(subventions(conn, perimetre, situation))
    lues = [charger(conn, perimetre, s.id, situation) for s in connues]
    entete = (*_LIEU, *(_titre(nom) for nom in _CHIFFRES))
    return table(entete, (ligne for m in lues if m is not None for ligne in _lignes(m)))


def _titre(nom: str) -> str:
    return libelle(nom) + (" (%)" if unite(nom) == "pourcent" else "")


def _lignes(lue: Maquette) -> Iterator[tuple[Cellule, ...]]:
    for x in lue.lignes:
        lieu = (lue.numero, x.plie_nom, x.annee, x.axe, x.objectif_specifique, x.dispositif)
        yield (*lieu, *_chiffres(x.chiffres))
    yield (lue.numero, "Total", *(None,) * (len(_LIEU) - 2), *_chiffres(lue.total))


def _chiffres(chiffres: object) -> Iterator[Cellule]:
    for nom in _CHIFFRES:
        valeur = getattr(chiffres, nom)
        match unite(nom):
            case "pourcent":
                ecrit = percent(valeur)
                yield None if ecrit is None else Decimal(ecrit)
            case "nombre":
                yield valeur
            case "euros":
                yield Montant(valeur)
