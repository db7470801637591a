"""A table as an Excel workbook: typed cells, and a sheet that says what the figures stand for.

The same table at the same position of the log gives the same bytes: nothing of the file depends on
when or where it is written. Lines go to the disk as they come, however many there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import IO, Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_range
from xlsxwriter.worksheet import Worksheet

from api.filters import entier, instant, jour
from api.tableaux.formules import est_formule
from api.tableaux.modele import Cellule, Colonne, Genre, Ligne, Releve, Tableau, Valeur
from api.tableaux.papier import hauteur, mettre_en_page
from oi_service.clock import PARIS
from oi_service.money import round_cents

#: Lines of a sheet, its head included: the rest goes on the next one.
LIGNES_MAX = 2**20
#: Characters of a cell, the last of which says that there was more.
_TEXTE_MAX = 32_767
#: Characters of the name of a sheet, and those that it cannot hold.
_FEUILLE_MAX = 31
_INTERDITS = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))

_FORMATS: dict[Genre, dict[str, Any]] = {
    "texte": {"valign": "top"},
    "code": {"valign": "top", "num_format": "@"},
    "jour": {"valign": "top", "align": "left", "num_format": "dd/mm/yyyy"},
    "instant": {"valign": "top", "align": "left", "num_format": "dd/mm/yyyy hh:mm:ss"},
    "euros": {"valign": "top", "num_format": '#,##0.00\\ "€"'},
    "nombre": {"valign": "top", "num_format": "#,##0"},
    "taux": {"valign": "top", "num_format": "0.00%"},
}
_TETE = {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EEF5"}
_TOTAL = {"bold": True, "top": 1}
#: Where a text looks like a formula, Excel is told that it is one that was typed as a text.
_TEL_QUEL = {"quote_prefix": True}

#: Columns are as wide as what they hold, within reason, in characters.
_LARGEUR_MIN = 9
_LARGEUR_MAX = 60
_LARGEURS: dict[Genre, int] = {"jour": 11, "instant": 19}


def ecrire(tableau: Tableau, releve: Releve, sortie: IO[bytes]) -> None:
    """Write a workbook: the table, then what its figures stand for."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(sortie, options) as classeur:
        # A workbook without a date of its own would be another one at each asking.
        fait_le = releve.releve_le.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        classeur.set_properties({"title": tableau.titre, "created": fait_le})
        plume = _Plume(classeur, tableau, releve)
        nombre = plume.lignes(tableau.lignes)
        if tableau.total is not None:
            plume.ligne(tableau.total, total=True)
        plume.finir()
        _a_propos(classeur, tableau, releve, nombre)


@dataclass(slots=True)
class _Plume:
    """Writes lines, from sheet to sheet."""

    classeur: Workbook
    tableau: Tableau
    releve: Releve
    rang: int = 0
    feuilles: list[Worksheet] = field(default_factory=list)
    largeurs: list[int] = field(default_factory=list)
    styles: dict[tuple[Genre, bool, bool], Format] = field(default_factory=dict)
    derniere: int = 0

    def __post_init__(self) -> None:
        self.largeurs = [_largeur_de_depart(c) for c in self.tableau.colonnes]
        self._feuille()

    def lignes(self, lignes: Iterable[Ligne]) -> int:
        """Write lines, and return how many there were."""
        nombre = 0
        for ligne in lignes:
            self.ligne(ligne)
            nombre += 1
        self.derniere = self.rang - 1
        return nombre

    def ligne(self, ligne: Ligne, *, total: bool = False) -> None:
        """Write a line."""
        if self.rang == LIGNES_MAX:
            self._filtrer(self.rang - 1)
            self._feuille()
        for place, colonne in enumerate(self.tableau.colonnes):
            valeur = ligne.cellules.get(colonne.nom, _VIDE).valeur
            self._cellule(place, colonne.genre, valeur, total=total)
        self.rang += 1

    def finir(self) -> None:
        """Set what depends on all the lines."""
        self._filtrer(max(self.derniere, 1))
        largeurs = [min(largeur, _LARGEUR_MAX) + 1 for largeur in self.largeurs]
        pied = f"{self.tableau.titre} · {_situation_courte(self.releve)}"
        for feuille in self.feuilles:
            for place, largeur in enumerate(largeurs):
                feuille.set_column(place, place, largeur)
            mettre_en_page(feuille, sum(largeurs), pied=pied)

    def _feuille(self) -> None:
        numero = len(self.feuilles) + 1
        feuille = self.classeur.add_worksheet(nom_de_feuille(self.tableau.titre, numero))
        colonnes = self.tableau.colonnes
        tetes = {
            montant: self.classeur.add_format({**_TETE, **({"align": "right"} if montant else {})})
            for montant in (False, True)
        }
        # Before its first cell: a row that is written is on the disk.
        feuille.set_row(0, max(hauteur(c.libelle, _largeur_de_depart(c)) for c in colonnes))
        for place, colonne in enumerate(colonnes):
            feuille.write_string(0, place, _texte(colonne.libelle), tetes[colonne.montant])
        feuille.freeze_panes(1, 1)
        # A SIRET is a text: Excel is told not to remark upon each of them.
        partout = xl_range(0, 0, LIGNES_MAX - 1, len(colonnes) - 1)
        feuille.ignore_errors({"number_stored_as_text": partout})
        self.feuilles.append(feuille)
        self.rang = 1

    def _filtrer(self, derniere: int) -> None:
        self.feuilles[-1].autofilter(0, 0, derniere, len(self.tableau.colonnes) - 1)

    def _cellule(self, place: int, genre: Genre, valeur: Valeur, *, total: bool) -> None:
        feuille, rang = self.feuilles[-1], self.rang
        match valeur:
            case None:
                if total:
                    feuille.write_blank(rang, place, None, self._style("texte", total=True))
            case str():
                texte = _texte(valeur)
                style = self._style_de_texte(genre, tel_quel=est_formule(valeur), total=total)
                feuille.write_string(rang, place, texte, style)
                self._elargir(place, max(map(len, texte.splitlines()), default=0))
            case datetime():
                local = valeur.astimezone(PARIS).replace(tzinfo=None, microsecond=0)
                feuille.write_datetime(rang, place, local, self._style("instant", total=total))
            case date():
                feuille.write_datetime(rang, place, valeur, self._style("jour", total=total))
            case Fraction():
                exact = Decimal(round_cents(valeur * 10_000)).scaleb(-4)
                feuille.write_number(rang, place, exact, self._style("taux", total=total))
            case int() if genre == "euros":
                # Decimal digits all the way to the file: no amount is ever a float here.
                euros = Decimal(valeur).scaleb(-2)
                feuille.write_number(rang, place, euros, self._style("euros", total=total))
                self._elargir(place, len(f"{euros:,}") + 2)
            case int() if genre == "nombre":
                feuille.write_number(rang, place, valeur, self._style("nombre", total=total))
            case int():
                style = self._style_de_texte(genre, total=total)
                feuille.write_string(rang, place, str(valeur), style)

    def _elargir(self, place: int, largeur: int) -> None:
        self.largeurs[place] = max(self.largeurs[place], largeur)

    def _style_de_texte(
        self, genre: Genre, *, tel_quel: bool = False, total: bool = False
    ) -> Format:
        return self._style("code" if genre == "code" else "texte", tel_quel=tel_quel, total=total)

    def _style(self, genre: Genre, *, tel_quel: bool = False, total: bool = False) -> Format:
        """Return a format, made once: each one that is added weighs in the file."""
        cle = (genre, tel_quel, total)
        if cle not in self.styles:
            self.styles[cle] = self.classeur.add_format(
                {**_FORMATS[genre], **(_TEL_QUEL if tel_quel else {}), **(_TOTAL if total else {})}
            )
        return self.styles[cle]


_VIDE = Cellule()


def nom_de_feuille(titre: str, numero: int = 1) -> str:
    """Return what a sheet may be called: short, without what Excel refuses."""
    fin = "" if numero == 1 else f" ({numero})"
    propre = " ".join(titre.translate(_INTERDITS).split()) or "Tableau"
    return propre[: _FEUILLE_MAX - len(fin)].rstrip() + fin


def _largeur_de_depart(colonne: Colonne) -> int:
    # A heading may take two lines, but never cuts a word.
    mots = max((len(mot) for mot in colonne.libelle.split()), default=0)
    tete = max(mots, -(-len(colonne.libelle) // 2)) + 3  # the arrow of the filter
    return max(_LARGEUR_MIN, _LARGEURS.get(colonne.genre, 0), tete)


def _longueur(texte: str) -> int:
    """Count characters as Excel does: an emoji is two."""
    return len(texte.encode("utf-16-le")) // 2


def _texte(valeur: str) -> str:
    if _longueur(valeur) > _TEXTE_MAX:
        coupe = valeur.encode("utf-16-le")[: 2 * (_TEXTE_MAX - 1)]
        valeur = f"{coupe.decode('utf-16-le', 'ignore')}…"
    # What XML cannot hold; and what the library would take for XML written by itself.
    propre = valeur.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return f"{propre} " if propre.startswith("<r>") and propre.endswith("</r>") else propre


# --- What the figures stand for ------------------------------------------------------------------


def _situation_courte(releve: Releve) -> str:
    au = "" if releve.effet_au is None else f"situation au {jour(releve.effet_au)}, "
    return f"{au}événement n° {entier(releve.position)}"


def provenance(releve: Releve, nombre: int) -> Sequence[tuple[str, str]]:
    """Say what figures stand for: their place in the log, the two dates, the filters."""
    effet = "tous les jours d’effet" if releve.effet_au is None else jour(releve.effet_au)
    return (
        ("Journal lu jusqu’à", f"événement n° {entier(releve.position)}"),
        ("Enregistré le", instant(releve.releve_le)),
        ("Situation au", effet),
        ("Telle que connue le", releve.connu_le or "tout le journal"),
        *((f"Filtre : {libelle}", valeur) for libelle, valeur in releve.filtres),
        *([] if releve.filtres else [("Filtres", "aucun : la liste est entière")]),
        ("Lignes", entier(nombre)),
    )


_LARGEURS_A_PROPOS = (34, 80)


def _a_propos(classeur: Workbook, tableau: Tableau, releve: Releve, nombre: int) -> None:
    feuille = classeur.add_worksheet("À propos")
    gras = classeur.add_format({"bold": True, "valign": "top", "text_wrap": True})
    texte = classeur.add_format({"valign": "top", "text_wrap": True})
    for place, largeur in enumerate(_LARGEURS_A_PROPOS):
        feuille.set_column(place, place, largeur)
    mettre_en_page(feuille, sum(_LARGEURS_A_PROPOS), titres=None, pied=tableau.titre)
    aides = [(c.libelle, c.aide) for c in tableau.colonnes if c.aide]
    rangees = [
        ("Tableau", tableau.titre),
        *provenance(releve, nombre),
        ("Montants", "en euros, au centime ; aucune cellule ne contient de formule"),
        *([("", ""), ("Colonnes", "")] if aides else []),
        *aides,
    ]
    for rang, (libelle, valeur) in enumerate(rangees):
        dits = zip((libelle, valeur), _LARGEURS_A_PROPOS, strict=True)
        feuille.set_row(rang, max(hauteur(dit, largeur) for dit, largeur in dits))
        feuille.write_string(rang, 0, _texte(libelle), gras)
        feuille.write_string(rang, 1, _texte(valeur), texte)
