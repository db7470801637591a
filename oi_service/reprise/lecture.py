"""Reading a list of operations: every line ends as an operation or as what is wrong with it.

Pure: bytes in, lines out. A faulty line never stops the others; only a file that is not such a list
is refused whole.
"""

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from aggregates.reprise.reprise import OperationListee
from api.errors import defauts
from oi_service.errors import Refusal
from rules.parametres import ParametreHorsVigueur
from rules.reprise import LIBELLES, Anomalie, CodeAnomalie, examiner

#: The columns of a list, in any order, and what each one fills.
COLONNES = {
    "programme": "programme",
    "intitule": "intitule",
    "beneficiaire": "beneficiaire",
    "code_postal": "code_postal",
    "date_debut": "date_debut",
    "date_fin": "date_fin",
    "total_depenses_eligibles": "cout_total_eligible",
    "montant_ue_programme": "fse",
    "pays": "pays",
    "date_programmation": "date_programmation",
    "categorie_intervention": "categorie_intervention",
    "fonds": "fonds",
}
#: The number that a list may give to its lines.
REFERENCE = "ligne"
_COLONNE_DE = {champ: colonne for colonne, champ in COLONNES.items()} | {"reference": REFERENCE}
_MONTANTS = ("total_depenses_eligibles", "montant_ue_programme")
_DATES = ("date_debut", "date_fin", "date_programmation")

_SEPARATEURS = ",;"
#: Lines of the file that one operation may take, when a text of it holds line breaks.
_LIGNES_AU_PLUS = 10
_MONTANT = re.compile(r"([0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+|[0-9]+)(?:[.,]([0-9]{1,2}))?")
_JOUR_FRANCAIS = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
#: Characters of a received value that are worth repeating.
_ABREGE = 60


class ListeVide(Refusal):
    """Le fichier {fichier} est vide. Colonnes attendues, dans l’ordre qu’on veut : {attendues}."""


class ListeIllisible(Refusal):
    """Le fichier {fichier} n’est pas du texte UTF-8 ni Windows-1252 : enregistrez la liste au
    format CSV, en UTF-8.
    """


class ColonnesInattendues(Refusal):
    """Les colonnes de {fichier} ne sont pas celles d’une liste d’opérations ({ecarts}). Colonnes
    attendues, dans l’ordre qu’on veut, séparées par des virgules ou des points-virgules :
    {attendues} ; la colonne « ligne » peut s’y ajouter.
    """


@dataclass(frozen=True, slots=True)
class Defaut:
    """Why a line is refused, where, what was read there, and what to do."""

    remede: str
    colonne: str | None = None
    valeur: str | None = None

    def __str__(self) -> str:
        """Say it in one line."""
        ou = f"{self.colonne} : " if self.colonne else ""
        lu = f"« {abreger(self.valeur)} » ; " if self.valeur is not None else ""
        return f"{ou}{lu}{self.remede}"


@dataclass(frozen=True, slots=True)
class LigneLue:
    """A line: the operation if it could be read, what is improbable in it, why it is refused."""

    numero: int  #: place in the file; the line of the columns is the first
    operation: OperationListee | None = None
    anomalies: tuple[Anomalie, ...] = ()
    defauts: tuple[Defaut, ...] = ()

    @property
    def refusee(self) -> bool:
        """Tell whether the line is not taken over."""
        return bool(self.defauts)


@dataclass(frozen=True, slots=True)
class Liste:
    """A list as it was read."""

    fichier: str
    sha256: str
    lignes: tuple[LigneLue, ...]

    @property
    def admises(self) -> tuple[tuple[LigneLue, OperationListee], ...]:
        """The lines that may be taken over."""
        return tuple((x, x.operation) for x in self.lignes if x.operation and not x.refusee)


def lire(fichier: str, contenu: bytes) -> Liste:
    """Read a list.

    Raises: ListeVide, ListeIllisible, ColonnesInattendues.
    """
    nom = "".join(c if c.isprintable() else "?" for c in fichier)
    sha256 = hashlib.sha256(contenu).hexdigest()
    lignes = _decoder(nom, contenu).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lignes[-1] == "":
        lignes.pop()
    if not lignes:
        raise ListeVide(fichier=nom, attendues=", ".join(COLONNES))
    separateur, colonnes = _colonnes(nom, lignes[0])
    lues = [
        _ligne(numero, cellules, colonnes, {"fichier": nom, "sha256": sha256, "ligne": numero})
        for numero, cellules in _enregistrements(lignes, separateur, len(colonnes))
    ]
    return Liste(nom, sha256, tuple(_sans_doublons(lues)))


def _decoder(fichier: str, contenu: bytes) -> str:
    for codage in ("utf-8-sig", "cp1252"):
        try:
            # One way of writing an accent: the same list in another encoding is the same list.
            return unicodedata.normalize("NFC", contenu.decode(codage))
        except UnicodeDecodeError:
            continue
    raise ListeIllisible(fichier=fichier)


def _colonnes(fichier: str, entete: str) -> tuple[str, list[str]]:
    """Return the separator and the columns of a list."""
    lues = {s: [c.strip() for c in _cellules([entete], s) or ()] for s in _SEPARATEURS}
    separateur = max(lues, key=lambda s: len(set(lues[s]) & COLONNES.keys()))
    colonnes = lues[separateur]
    ecarts = [
        *(f"« {c} » manque" for c in COLONNES if c not in colonnes),
        *(f"« {abreger(c)} » n’est pas connue" for c in colonnes if c not in _CONNUES),
        *(f"« {c} » figure deux fois" for c in COLONNES if colonnes.count(c) > 1),
        *(f"« {REFERENCE} » figure deux fois" for _ in range(colonnes.count(REFERENCE) > 1)),
    ]
    if ecarts:
        raise ColonnesInattendues(
            fichier=fichier, ecarts=", ".join(ecarts), attendues=", ".join(COLONNES)
        )
    return separateur, colonnes


_CONNUES = {*COLONNES, REFERENCE}


def _enregistrements(
    lignes: Sequence[str], separateur: str, largeur: int
) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each record after the columns: its line, and its cells, ``None`` when unreadable.

    A quote left open would swallow all that follows: a record may go on over a few lines only if
    it then has the right number of cells, else its first line alone is at fault.
    """
    debut = 1
    while debut < len(lignes):
        cellules, fin = _cellules(lignes[debut : debut + 1], separateur), debut + 1
        if cellules is None:
            for suivante in range(debut + 2, min(debut + _LIGNES_AU_PLUS, len(lignes)) + 1):
                ensemble = _cellules(lignes[debut:suivante], separateur)
                if ensemble is not None and len(ensemble) == largeur:
                    cellules, fin = ensemble, suivante
                    break
        yield debut + 1, cellules
        debut = fin


def _cellules(lignes: Sequence[str], separateur: str) -> list[str] | None:
    """Return the cells of one record; ``None`` when its quotes do not match."""
    try:
        lus = list(csv.reader([f"{x}\n" for x in lignes], delimiter=separateur, strict=True))
    except csv.Error:
        return None
    return lus[0] if len(lus) == 1 else None


def _ligne(
    numero: int, cellules: list[str] | None, colonnes: list[str], source: dict[str, Any]
) -> LigneLue:
    """Read a line, with everything that is wrong in it."""
    if cellules is None:
        remede = (
            "illisible : un guillemet est mal fermé (doublez ceux du texte, ou retirez-les) ou une "
            "cellule est démesurée"
        )
        return LigneLue(numero, defauts=(Defaut(remede),))
    if not any(c.strip() for c in cellules):
        return LigneLue(numero, defauts=(Defaut("ligne vide : retirez-la"),))
    if len(cellules) != len(colonnes):
        remede = (
            f"{len(cellules)} cellules au lieu de {len(colonnes)} : mettez entre guillemets le "
            "texte ou le montant qui contient un séparateur"
        )
        return LigneLue(numero, defauts=(Defaut(remede),))
    lues = {nom: brute.strip() for nom, brute in zip(colonnes, cellules, strict=True)}
    try:
        operation = OperationListee(
            source=source | {"reference": lues.get(REFERENCE) or None},
            **{COLONNES[c]: _valeur(c, lues[c]) for c in COLONNES if lues[c]},
        )
    except ValidationError as refusee:
        return LigneLue(numero, defauts=tuple(_defauts(refusee, lues)))
    return _examinee(LigneLue(numero, operation), operation, lues)


def _valeur(colonne: str, lue: str) -> str:
    """Write a French amount or day as the doors want it; anything else is for them to refuse."""
    if colonne in _MONTANTS and (montant := _MONTANT.fullmatch(lue)):
        entiers = re.sub(r"[^0-9]", "", montant[1]).lstrip("0") or "0"
        return f"{entiers}.{montant[2] or '':0<2}"
    if colonne in _DATES and (jour := _JOUR_FRANCAIS.fullmatch(lue)):
        return f"{jour[3]}-{jour[2]}-{jour[1]}"
    return lue


def _defauts(refusee: ValidationError, lues: dict[str, str]) -> Iterator[Defaut]:
    """Say what is wrong of each cell, under the name of its column."""
    trouves = [{**d, "loc": ("body", *d["loc"])} for d in refusee.errors()]
    for defaut in defauts(trouves):
        colonne = _COLONNE_DE[defaut.pointer.rsplit("/", 1)[1]]
        yield Defaut(defaut.message, colonne, lues[colonne])


def _examinee(ligne: LigneLue, operation: OperationListee, lues: dict[str, str]) -> LigneLue:
    """Look at a line that could be read under the rules of its day."""
    try:
        anomalies = examiner(operation.ligne())
    except ParametreHorsVigueur:
        remede = (
            "aucune règle de reprise ne vaut ce jour-là : corrigez la date, ou retirez une "
            "opération d’avant 2014-2020"
        )
        defaut = Defaut(remede, "date_programmation", lues["date_programmation"])
        return replace(ligne, defauts=(defaut,))
    refusees = tuple(
        Defaut(f"{LIBELLES[a.code]} : corrigez la ligne à sa source", c, lues[c])
        for a in anomalies
        if a.mode == "refuser"
        for c in [_EN_CAUSE[a.code]]
    )
    return replace(ligne, anomalies=anomalies, defauts=refusees)


#: The column that each anomaly is about.
_EN_CAUSE: Mapping[CodeAnomalie, str] = {
    "programmee_apres_fin": "date_programmation",
    "programmee_avant_debut": "date_programmation",
    "fin_avant_debut": "date_fin",
    "taux_au_dela_du_maximum": "montant_ue_programme",
}


def _sans_doublons(lignes: Sequence[LigneLue]) -> Iterator[LigneLue]:
    """Refuse a line that repeats one that is admitted above."""
    vues: dict[tuple[str, ...], int] = {}
    for ligne in lignes:
        if ligne.operation is None or ligne.refusee:
            yield ligne
            continue
        premiere = vues.setdefault(ligne.operation.contenu, ligne.numero)
        if premiere == ligne.numero:
            yield ligne
            continue
        remede = f"identique à la ligne {premiere} : retirez l’une des deux"
        yield replace(ligne, defauts=(Defaut(remede),))


def abreger(texte: str) -> str:
    """Return a value as it can be shown on one line."""
    montre = "".join(c if c.isprintable() else "�" for c in texte)
    return montre if len(montre) <= _ABREGE else f"{montre[:_ABREGE]}…"
