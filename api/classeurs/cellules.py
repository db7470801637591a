"""From what a cell shows to what a command takes: exact, or refused with a remedy."""

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID

from api.classeurs.classeur import ErreurDeCellule, Valeur
from oi_service.money import euros

Genre = Literal[
    "texte", "code", "jour", "montant", "nombre", "pourcentage", "entier", "choix", "identifiant"
]

FORMULE_NON_CALCULEE = "formule non calculée"


class CelluleRefusee(Exception):
    """A cell that cannot be read as what its column holds."""

    def __init__(self, code: str, message: str, remede: str) -> None:
        """Say what is wrong, and what to do."""
        super().__init__(code)
        self.code = code
        self.message = message
        self.remede = remede


#: Blanks that people and spreadsheets put between the digits of a number.
_BLANCS = str.maketrans(dict.fromkeys("\u00a0\u202f\u2009\t", " "))
_MOINS = str.maketrans({"\u2212": "-", "\u2013": "-"})
_FRANCAIS = re.compile(r"(-?)(\d{1,3}(?: \d{3})+|\d+)(?:,(\d+))?")
_POINT = re.compile(r"(-?)(\d+)\.(\d+)")
_DEVISE = re.compile(r"^(?:€|EUR)\s*|\s*(?:€|EUR)$", re.IGNORECASE)
#: Beyond, amounts leave what a program reads exactly.
_EUROS_MAX = Decimal("9999999999999.99")
_NOMBRE_MAX = Decimal(999_999_999)
#: Beyond fifteen digits, a spreadsheet has already lost some.
_ENTIER_SUR = 10**15


def normal(texte: str) -> str:
    """Compose the accents, and keep one kind of line break."""
    if not texte.isascii():
        texte = unicodedata.normalize("NFC", texte)
    return texte.replace("\r\n", "\n").strip()


def vide(valeur: Valeur) -> bool:
    """Tell whether a cell says nothing."""
    return valeur is None or (isinstance(valeur, str) and not valeur.strip())


def montrer(valeur: Valeur) -> str:
    """Write what a cell shows, as a person reads it in a French spreadsheet."""
    match valeur:
        case None:
            return ""
        case ErreurDeCellule():
            return valeur.code
        case bool():
            return "VRAI" if valeur else "FAUX"
        case float():
            return _nombre_lisible(Decimal(repr(valeur)))
        case datetime():
            return valeur.strftime("%d/%m/%Y %H:%M")
        case date():
            return valeur.strftime("%d/%m/%Y")
        case _:
            return str(valeur)


def _nombre_lisible(nombre: Decimal) -> str:
    if not nombre.is_finite():
        return str(nombre)
    if nombre == nombre.to_integral_value() and abs(nombre) < _ENTIER_SUR:
        return str(int(nombre))
    return str(nombre).replace(".", ",")


def _refuser_erreur(valeur: Valeur) -> None:
    if not isinstance(valeur, ErreurDeCellule):
        return
    if valeur.code == FORMULE_NON_CALCULEE:
        raise CelluleRefusee(
            "formule_non_calculee",
            "La formule n’a jamais été calculée : le fichier n’en donne pas le résultat.",
            "Ouvrez le classeur dans Excel ou LibreOffice, enregistrez-le, puis déposez-le ; ou "
            "remplacez la formule par sa valeur.",
        )
    raise CelluleRefusee(
        "erreur_de_formule",
        f"La formule donne l’erreur « {valeur.code} ».",
        "Corrigez la formule, ou remplacez-la par sa valeur.",
    )


def _refuser_booleen(valeur: Valeur, attente: str) -> None:
    if isinstance(valeur, bool):
        raise CelluleRefusee(
            "booleen",
            f"La cellule contient {montrer(valeur)}, {attente}.",
            "Remplacez cette valeur logique.",
        )


# --- Numbers -------------------------------------------------------------------------------------


def _exact(valeur: Valeur, exemple: str) -> Decimal:
    """Return the exact number that a cell shows."""
    _refuser_erreur(valeur)
    _refuser_booleen(valeur, "un nombre est attendu")
    if isinstance(valeur, int | float) and math.isfinite(valeur):
        # Fifteen digits are all that a spreadsheet shows or promises: beyond them is the dust that
        # its sums leave, 1234.5600000000002 for 1234.56.
        return Decimal(f"{valeur:.15g}")
    if isinstance(valeur, date | datetime | time | timedelta):
        raise CelluleRefusee(
            "date_pour_nombre",
            "La cellule contient une date, un nombre est attendu.",
            "Mettez la cellule au format Nombre et saisissez la valeur.",
        )
    texte = _DEVISE.sub("", str(valeur).translate(_BLANCS).translate(_MOINS).strip()).strip()
    if trouve := _FRANCAIS.fullmatch(texte):
        signe, entier, decimales = trouve.groups()
        return Decimal(f"{signe}{entier.replace(' ', '')}.{decimales or '0'}")
    if "," in texte and "." in texte:
        raise CelluleRefusee(
            "nombre_ambigu",
            "Ce nombre mêle la virgule et le point : il se lit de deux façons.",
            f"Écrivez-le sans séparateur de milliers, avec une virgule : {exemple}.",
        )
    if trouve := _POINT.fullmatch(texte):
        signe, entier, decimales = trouve.groups()
        if len(decimales) == 3 and len(entier) <= 3 and entier != "0":
            raise CelluleRefusee(
                "nombre_ambigu",
                "Ce point peut séparer des milliers ou des décimales : le nombre se lit de deux "
                "façons.",
                f"Écrivez-le sans séparateur de milliers, avec une virgule : {exemple}.",
            )
        return Decimal(f"{signe}{entier}.{decimales}")
    raise CelluleRefusee(
        "nombre_illisible",
        "Ce n’est pas un nombre.",
        f"Écrivez seulement des chiffres et une virgule : {exemple}.",
    )


def _decimales(nombre: Decimal) -> int:
    exposant = nombre.normalize().as_tuple().exponent
    return max(0, -exposant) if isinstance(exposant, int) else 0


_SIMPLE = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")


def montant(valeur: Valeur) -> str:
    """Return the decimal string of an amount, signed: ``"-1234.50"``."""
    if type(valeur) is float:
        # Most amounts are whole or have their two decimals: no arithmetic is due.
        ecrit = f"{valeur:.15g}"
        simple = _SIMPLE.fullmatch(ecrit)
        if simple:
            return ecrit + (".00", "", "0", "")[len(simple[1] or "")]
    exact = _exact(valeur, "1234,56")
    if abs(exact) > _EUROS_MAX:
        raise CelluleRefusee(
            "montant_trop_grand",
            "Ce montant dépasse 9 999 999 999 999,99 €.",
            "Vérifiez la saisie : un numéro est peut-être dans la colonne d’un montant.",
        )
    if _decimales(exact) > 2:
        raise CelluleRefusee(
            "plus_de_deux_decimales",
            f"Ce montant a plus de deux décimales : {_nombre_lisible(exact)}.",
            "Arrondissez-le au centime ; dans une formule, avec ARRONDI( … ; 2).",
        )
    return euros(int(exact * 100))


def _positif(exact: Decimal) -> Decimal:
    if exact < 0:
        raise CelluleRefusee(
            "nombre_negatif", "Ce nombre est négatif.", "Saisissez un nombre positif."
        )
    return exact


def montant_positif(valeur: Valeur) -> str:
    """Return the decimal string of an amount without a sign."""
    lu = montant(valeur)
    if lu.startswith("-"):
        raise CelluleRefusee(
            "montant_negatif",
            "Ce montant est négatif.",
            "Saisissez un montant positif ; une dépense se reprend par une régularisation.",
        )
    return lu


def nombre(valeur: Valeur) -> str:
    """Return the decimal string of a quantity, with four decimals at most."""
    exact = _positif(_exact(valeur, "612,5"))
    if exact > _NOMBRE_MAX:
        raise CelluleRefusee(
            "nombre_trop_grand", "Ce nombre dépasse 999 999 999.", "Vérifiez la saisie."
        )
    if _decimales(exact) > 4:
        raise CelluleRefusee(
            "plus_de_quatre_decimales",
            f"Ce nombre a plus de quatre décimales : {_nombre_lisible(exact)}.",
            "Arrondissez-le ; dans une formule, avec ARRONDI( … ; 4).",
        )
    return f"{exact.normalize():f}"


def pourcentage(valeur: Valeur) -> str:
    """Return the decimal string of a percentage: ``"40"``, from ``40`` or from ``40 %``."""
    if isinstance(valeur, str):
        valeur = valeur.translate(_BLANCS).strip().removesuffix("%").strip()
    lu = nombre(valeur)
    if isinstance(valeur, float) and 0 < valeur <= 1:
        raise CelluleRefusee(
            "pourcentage_ambigu",
            f"{montrer(valeur)} se lit {_nombre_lisible(Decimal(lu) * 100)} % ou {montrer(valeur)} "
            "%.",
            "Mettez la cellule au format Nombre et écrivez 40 pour 40 %.",
        )
    return lu


def entier(valeur: Valeur) -> int:
    """Return a whole number."""
    exact = _positif(_exact(valeur, "12"))
    if exact != exact.to_integral_value():
        raise CelluleRefusee(
            "nombre_non_entier", "Un nombre entier est attendu.", "Retirez les décimales."
        )
    if exact > _NOMBRE_MAX:
        raise CelluleRefusee(
            "nombre_trop_grand", "Ce nombre dépasse 999 999 999.", "Vérifiez la saisie."
        )
    return int(exact)


# --- Days ----------------------------------------------------------------------------------------

_JOUR = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_JOUR_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_JOUR_COURT = re.compile(r"\d{1,2}/\d{1,2}/\d{2}")
_UNE_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}|\d{4}-\d{2}-\d{2}")
_ANNEES = range(1950, 2151)
_ECRIRE_JOUR = "Écrivez la date JJ/MM/AAAA, par exemple 31/12/2021."


def jour(valeur: Valeur) -> date:
    """Return the day of a date cell, or of a text written JJ/MM/AAAA or AAAA-MM-JJ."""
    if isinstance(valeur, datetime):
        return _annee(valeur.date())
    if isinstance(valeur, date):
        return _annee(valeur)
    _refuser_erreur(valeur)
    _refuser_booleen(valeur, "une date est attendue")
    if isinstance(valeur, int | float | time | timedelta):
        raise CelluleRefusee(
            "nombre_pour_date",
            "La cellule contient un nombre, une date est attendue.",
            f"Mettez la cellule au format Date. {_ECRIRE_JOUR}",
        )
    assert isinstance(valeur, str)
    return _jour_ecrit(valeur.translate(_BLANCS).strip())


def _jour_ecrit(texte: str) -> date:
    if trouve := _JOUR.fullmatch(texte):
        j, m, a = (int(x) for x in trouve.groups())
    elif trouve := _JOUR_ISO.fullmatch(texte):
        a, m, j = (int(x) for x in trouve.groups())
    elif len(_UNE_DATE.findall(texte)) > 1:
        raise CelluleRefusee(
            "deux_dates",
            "La cellule contient deux dates.",
            "Gardez-en une ; une dépense de deux dates se déclare sur deux lignes.",
        )
    elif _JOUR_COURT.fullmatch(texte):
        raise CelluleRefusee(
            "annee_abregee", "L’année de cette date n’a que deux chiffres.", _ECRIRE_JOUR
        )
    else:
        raise CelluleRefusee("date_illisible", "Ce n’est pas une date.", _ECRIRE_JOUR)
    try:
        return _annee(date(a, m, j))
    except ValueError:
        raise CelluleRefusee(
            "date_impossible", "Ce jour n’existe pas dans le calendrier.", _ECRIRE_JOUR
        ) from None


def _annee(lu: date) -> date:
    if lu.year not in _ANNEES:
        raise CelluleRefusee(
            "annee_hors_limites",
            f"L’année {lu.year} est hors du calendrier du registre, de {_ANNEES.start} à "
            f"{_ANNEES.stop - 1}.",
            _ECRIRE_JOUR,
        )
    return lu


# --- Texts ---------------------------------------------------------------------------------------

_FORMULE = re.compile(r"[=@]|[+\-](?![\d ])")


def texte(valeur: Valeur) -> str:
    """Return the text of a cell; a whole number is written with its digits."""
    if isinstance(valeur, str):
        return _texte_ecrit(valeur)
    _refuser_erreur(valeur)
    _refuser_booleen(valeur, "un texte est attendu")
    if isinstance(valeur, date | datetime | time | timedelta):
        raise CelluleRefusee(
            "date_pour_texte",
            "La cellule contient une date, un texte est attendu : le tableur a peut-être converti "
            "une référence.",
            "Mettez la cellule au format Texte et saisissez de nouveau la référence.",
        )
    assert isinstance(valeur, int | float)
    exact = Decimal(repr(valeur))
    if not exact.is_finite() or abs(exact) >= _ENTIER_SUR:
        raise CelluleRefusee(
            "chiffres_perdus",
            "Ce nombre a plus de quinze chiffres : le tableur en a perdu.",
            "Mettez la cellule au format Texte et saisissez de nouveau la référence.",
        )
    return _nombre_lisible(exact)


def _texte_ecrit(valeur: str) -> str:
    lu = normal(valeur)
    if _FORMULE.match(lu):
        raise CelluleRefusee(
            "texte_en_formule",
            "Ce texte commence comme une formule : un tableur l’exécuterait.",
            "Retirez le signe =, +, - ou @ du début.",
        )
    return lu


def identifiant(valeur: Valeur) -> str:
    """Return an identifier of the register."""
    lu = texte(valeur)
    try:
        return str(UUID(lu))
    except ValueError:
        raise CelluleRefusee(
            "identifiant_illisible",
            "Ce n’est pas un identifiant du registre.",
            "Recopiez l’identifiant donné par l’application, sans rien y changer.",
        ) from None


def cle_titre(texte_lu: str) -> str:
    """Return what a title or a choice is compared by: no accent, no case, no star, one space."""
    plat = texte_lu.replace("’", "'").replace("*", " ")
    if plat.isascii():
        return " ".join(plat.split()).casefold()
    plat = unicodedata.normalize("NFKD", plat)
    sans_accent = "".join(c for c in plat if not unicodedata.combining(c))
    return " ".join(sans_accent.split()).casefold()


def choix(valeur: Valeur, codes: Mapping[str, str], libelles: Collection[str]) -> str:
    """Return the code of a choice, given by its label or by itself; ``codes`` is by `cle_titre`."""
    lu = texte(valeur)
    code = codes.get(cle_titre(lu))
    if code is None:
        raise CelluleRefusee(
            "hors_liste",
            "Cette valeur n’est pas dans la liste.",
            f"Choisissez parmi : {' ; '.join(libelles)}.",
        )
    return code


LECTURES: Mapping[Genre, Callable[[Valeur], object]] = {
    "texte": texte,
    "code": texte,
    "jour": jour,
    "montant": montant_positif,
    "nombre": nombre,
    "pourcentage": pourcentage,
    "entier": entier,
    "identifiant": identifiant,
}
