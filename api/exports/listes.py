"""What a list that leaves as a file is: its filters, its columns, how it is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import BaseModel

from api.deps import LectureOuverte
from api.filters import euros, jour
from api.gestion_comptes import Entrees
from api.tableaux import Cellule, Colonne, Genre, Ligne, Releve, Tableau
from api.tableaux.modele import Valeur
from projections.curseurs import Page
from projections.perimetre import Perimetre
from projections.situation import Situation

T = TypeVar("T")
#: The sums of a list, by the name of the column.
Sommes = Mapping[str, int]

#: Lines of a list that are asked for at a time.
_LOT = 2_000


@dataclass(frozen=True, slots=True)
class Demande:
    """Who asks for a list, with which filters, in which situation."""

    lecture: LectureOuverte
    entrees: Entrees
    situation: Situation
    filtres: Any

    @property
    def conn(self) -> Connection[TupleRow]:
        """The connection that reads."""
        return self.lecture.conn

    @property
    def perimetre(self) -> Perimetre:
        """The territory of the reader."""
        return self.lecture.perimetre

    def arguments(self, *sans: str) -> dict[str, Any]:
        """Return the filters as a query takes them: by name, neither dates nor pages."""
        noms = type(self.filtres).model_fields.keys() - _HORS_FILTRES - set(sans)
        return {nom: getattr(self.filtres, nom) for nom in noms}


#: What an address says that keeps no line out.
_HORS_FILTRES = frozenset(("format", "limite", "apres", "effet_au", "connu_le"))


@dataclass(frozen=True, slots=True)
class Champ:
    """A column, how a line fills it, and what it says in the total; nothing by default."""

    colonne: Colonne
    lire: Callable[[Any], Valeur]
    total: Callable[[Sommes], Valeur] | None = None


def champ(
    nom: str,
    libelle: str,
    genre: Genre = "texte",
    lire: Callable[[Any], Valeur] | None = None,
    *,
    aide: str | None = None,
    somme: bool = False,
) -> Champ:
    """Return a column filled by the attribute of its name, unless said otherwise.

    ``somme``: its values add up.
    """
    return Champ(
        Colonne(nom, libelle, genre, aide),
        lire or (lambda ligne: getattr(ligne, nom)),
        (lambda sommes: sommes[nom]) if somme else None,
    )


@dataclass(frozen=True, slots=True)
class Liste:
    """A list that leaves as a file.

    ``nom``: of its address and of its file. ``champs``: of what is asked. ``compte``: whether a
    line counts in the total.
    """

    nom: str
    titre: str
    filtres: type[BaseModel]
    champs: Callable[[Any], Sequence[Champ]]
    lignes: Callable[[Demande], Iterable[Any]]
    compte: Callable[[Any], bool] = field(default=lambda _ligne: True)

    def tableau(self, demande: Demande) -> Tableau:
        """Return the whole list as a table; its lines are read as it is written."""
        champs = self.champs(demande.filtres)
        # The total is filled as the lines go, and read once they have gone.
        total: dict[str, Cellule] = {}
        sommable = any(c.total for c in champs)
        return Tableau(
            titre=self.titre,
            colonnes=tuple(c.colonne for c in champs),
            lignes=self._lignes(champs, self.lignes(demande), total),
            total=Ligne(total) if sommable else None,
        )

    def _lignes(
        self, champs: Sequence[Champ], lues: Iterable[Any], total: dict[str, Cellule]
    ) -> Iterator[Ligne]:
        sommes = {c.colonne.nom: 0 for c in champs if c.colonne.genre in {"euros", "nombre"}}
        for lue in lues:
            valeurs = {c.colonne.nom: c.lire(lue) for c in champs}
            if self.compte(lue):
                for nom in sommes:
                    valeur = valeurs[nom]
                    sommes[nom] += valeur if isinstance(valeur, int) else 0
            yield Ligne({nom: Cellule(valeur) for nom, valeur in valeurs.items()})
        total[champs[0].colonne.nom] = Cellule("Total")
        total.update({c.colonne.nom: Cellule(c.total(sommes)) for c in champs if c.total})


def fixes(*champs: Champ) -> Callable[[Any], Sequence[Champ]]:
    """Return columns that do not depend on what is asked."""
    return lambda _filtres: champs


def pages(lire: Callable[..., Page[T]], *args: Any, **filtres: Any) -> Iterator[T]:
    """Yield a whole list, page by page."""
    apres, reste = None, True
    while reste:
        page = lire(*args, **filtres, limite=_LOT, apres=apres)
        yield from page.lignes
        apres = page.suivant
        reste = apres is not None


# --- What its figures stand for ------------------------------------------------------------------


def releve(demande: Demande, libelles: Mapping[str, str], valeurs: Mapping[str, str]) -> Releve:
    """Say where the log is read up to, and what was asked.

    Args:
        demande: what was asked.
        libelles: of each filter; those that are not there are told by nobody.
        valeurs: how codes are said.
    """
    row = demande.conn.execute(
        "SELECT h.position, oi.instant_de(h.position) FROM "
        "(SELECT least(position, %(connu_le)s) AS position FROM oi.head) AS h",
        demande.situation.parametres,
    ).fetchone()
    assert row is not None
    position, instant = row
    donnes = {
        nom: valeur
        for nom in type(demande.filtres).model_fields
        if nom in libelles and (valeur := getattr(demande.filtres, nom)) not in (None, [], "")
    }
    return Releve(
        position=position,
        releve_le=instant,
        effet_au=demande.situation.effet_au,
        connu_le=getattr(demande.filtres, "connu_le", None),
        filtres=tuple((libelles[n], _dire(n, v, valeurs)) for n, v in donnes.items()),
    )


def _dire(nom: str, valeur: object, valeurs: Mapping[str, str]) -> str:
    match valeur:
        case bool():
            return "oui" if valeur else "non"
        case date():
            return jour(valeur)
        case int() if nom.startswith("montant"):
            return euros(valeur)
        case list():
            return ", ".join(_dire(nom, v, valeurs) for v in valeur)
        case UUID():
            return str(valeur)
        case _:
            return valeurs.get(str(valeur), str(valeur))
