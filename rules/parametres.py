"""Every number of a text, by date, with its article; the numbers are in the files ``*.toml``."""

import itertools
import tomllib
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import msgspec

from oi_service.errors import NotFound, RuleBroken
from oi_service.money import cents

#: Who says the number: a text that can be quoted, the trade, or us until somebody confirms.
Etiquette = Literal["source", "pratique", "notre choix"]
Regime = Literal["2014-2020", "2021-2027"]
REGIMES: tuple[Regime, ...] = get_args(Regime)
Unite = Literal[
    "heures",
    "jours",
    "semaines",
    "mois",
    "annees",
    "pieces",
    "pourcent",
    "euros",
    "date",
    "jour de l’année",
    "mode",
    "codes",
    "bilans",
]

_NOMBRES = frozenset(("heures", "jours", "semaines", "mois", "annees", "pieces"))


class ParametreInconnu(NotFound):
    """Le paramètre « {nom} » n’existe pas : vérifiez son nom."""


class ParametreHorsVigueur(RuleBroken):
    """Aucune valeur du paramètre « {nom} » n’est en vigueur le {le} ({reglement})."""


class Palier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Intermediate bilans of an operation of at most ``jusqu_a_mois``, besides the final one."""

    jusqu_a_mois: int
    intermediaires_min: int
    #: ``None`` when the text sets no maximum.
    intermediaires_max: int | None = None


Valeur = str | int | date | Fraction | tuple[str, ...] | tuple[Fraction, ...] | tuple[Palier, ...]


class Parametre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of a text as it stands on a day. Percentages are fractions of a hundred."""

    nom: str
    valeur: Valeur
    unite: Unite
    reference: str
    etiquette: Etiquette
    a_compter_du: date
    jusqu_au: date | None = None
    regime: Regime | None = None
    #: The day somebody last read the text at its source. Without it, the number may inform; it
    #: has to be read again before anything is refused because of it.
    verifie_le: date | None = None
    libelle: str = ""

    @property
    def entier(self) -> int:
        """The value of a count of hours, days, months, years or pieces."""
        if not isinstance(self.valeur, int):
            raise self._autre_nature("a whole number")
        return self.valeur

    @property
    def jour(self) -> date:
        """The value of a date."""
        if not isinstance(self.valeur, date):
            raise self._autre_nature("a date")
        return self.valeur

    @property
    def taux(self) -> Fraction:
        """The value of a percentage as an exact rate: 30 % gives 3/10."""
        if not isinstance(self.valeur, Fraction):
            raise self._autre_nature("a percentage")
        return self.valeur / 100

    @property
    def pourcent(self) -> Decimal:
        """The value of a percentage as it is written: 30 % gives 30."""
        return decimale(self.taux * 100)

    @property
    def bareme(self) -> tuple[Fraction, ...]:
        """The rates of a scale of percentages: 5, 10 % give 1/20, 1/10."""
        if self.unite != "pourcent" or not isinstance(self.valeur, tuple):
            raise self._autre_nature("a scale of percentages")
        return tuple(taux / 100 for taux in self.valeur if isinstance(taux, Fraction))

    @property
    def centimes(self) -> int:
        """The value of an amount, which the files write as ``"50000.00"``."""
        if self.unite != "euros" or not isinstance(self.valeur, str):
            raise self._autre_nature("an amount")
        return cents(self.valeur)

    @property
    def mode(self) -> str:
        """The value of a choice between ways of doing."""
        if self.unite != "mode" or not isinstance(self.valeur, str):
            raise self._autre_nature("a mode")
        return self.valeur

    @property
    def codes(self) -> tuple[str, ...]:
        """The value of a list of codes."""
        if self.unite != "codes" or not isinstance(self.valeur, tuple):
            raise self._autre_nature("a list of codes")
        return tuple(code for code in self.valeur if isinstance(code, str))

    @property
    def paliers(self) -> tuple[Palier, ...]:
        """The value of a number of bilans, which depends on how long the operation lasts."""
        if self.unite != "bilans" or not isinstance(self.valeur, tuple):
            raise self._autre_nature("a number of bilans by duration")
        return tuple(palier for palier in self.valeur if isinstance(palier, Palier))

    def _autre_nature(self, voulue: str) -> TypeError:
        return TypeError(f"{self.nom} is not {voulue} but {self.valeur!r}")


class ValeurDatee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value as a file writes it. Without ``regime`` it holds for both programming periods."""

    a_compter_du: date
    valeur: Any
    unite: Unite
    reference: str
    etiquette: Etiquette
    regime: Regime | None = None
    jusqu_au: date | None = None
    #: The day somebody last read the text at its source; ``None`` when nobody here has yet.
    verifie_le: date | None = None

    def __post_init__(self) -> None:
        """Refuse a value that cannot be read in its unit."""
        self.lue()

    def vaut(self, le: date, reglement: str | None) -> bool:
        """Tell whether the value applies on a day, both ends included."""
        en_vigueur = self.a_compter_du <= le and (self.jusqu_au is None or le <= self.jusqu_au)
        return en_vigueur and self.regime in {None, reglement}

    def chevauche(self, autre: "ValeurDatee") -> bool:
        """Tell whether both values would apply on some day, under some regulation."""
        meme_regime = self.regime == autre.regime or None in {self.regime, autre.regime}
        return (
            meme_regime
            and self.a_compter_du <= (autre.jusqu_au or date.max)
            and autre.a_compter_du <= (self.jusqu_au or date.max)
        )

    def lue(self) -> Valeur:
        """Return the value in its own kind.

        Raises: ValueError when it is not written as its unit wants.
        """
        brute = self.valeur
        liste = isinstance(brute, list) and bool(brute)
        match self.unite:
            case "pourcent" if liste:
                return tuple(_pourcentage(taux) for taux in brute)
            case "pourcent":
                return _pourcentage(brute)
            case "euros" if isinstance(brute, str):
                cents(brute)
                return brute
            case "date" if type(brute) is date:
                return brute
            case "mode" | "jour de l’année" if isinstance(brute, str):
                return brute
            case "codes" if isinstance(brute, list) and all(isinstance(c, str) for c in brute):
                return tuple(brute)
            case "bilans" if liste:
                return msgspec.convert(brute, tuple[Palier, ...])
            case nombre if nombre in _NOMBRES and type(brute) is int:
                return brute
        raise ValueError(f"{brute!r} is not a value in {self.unite!r}")


class Theme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that is written of one number: what it is, and what it was from which day."""

    libelle: str
    valeurs: tuple[ValeurDatee, ...]

    def __post_init__(self) -> None:
        """Refuse two answers to one question: the older value says until when it held."""
        for une, autre in itertools.combinations(self.valeurs, 2):
            if une.chevauche(autre):
                raise ValueError(
                    f"two values hold on one day: from {une.a_compter_du} and from "
                    f"{autre.a_compter_du}"
                )


@cache
def fichiers() -> dict[str, dict[str, Theme]]:
    """Read every file of the room once.

    Raises: msgspec.ValidationError on a field that no reader knows, a value that its unit does not
    admit or two values for one day.
    """
    lus = {
        fichier.name: tomllib.loads(fichier.read_text("utf-8"), parse_float=Decimal)
        for fichier in files("rules").iterdir()
        if fichier.name.endswith(".toml")
    }
    return {nom: msgspec.convert(lu, dict[str, Theme]) for nom, lu in sorted(lus.items())}


@cache
def themes() -> dict[str, Theme]:
    """Return every number by its name.

    Raises: ValueError on a name written in two files: a text has one home.
    """
    tous: dict[str, Theme] = {}
    for fichier, ecrits in fichiers().items():
        for nom, theme in ecrits.items():
            if nom in tous:
                raise ValueError(f"{nom} is written twice, the second time in {fichier}")
            tous[nom] = theme
    return tous


def parametre(nom: str, *, le: date, reglement: str | None = None) -> Parametre:
    """Return the value of a parameter on a day, under a regulation when it depends on one.

    Raises: ParametreInconnu, ParametreHorsVigueur.
    """
    theme = themes().get(nom)
    if theme is None:
        raise ParametreInconnu(nom=nom)
    for datee in theme.valeurs:
        if datee.vaut(le, reglement):
            return _parametre(nom, theme, datee)
    raise ParametreHorsVigueur(nom=nom, le=le, reglement=reglement or "règlement non précisé")


def parametres_ecrits() -> Iterator[Parametre]:
    """Return every value ever written, of every day and both regulations, file by file."""
    for nom, theme in themes().items():
        for datee in theme.valeurs:
            yield _parametre(nom, theme, datee)


def parametres_en_vigueur(le: date, reglement: str | None = None) -> tuple[Parametre, ...]:
    """Return what holds on a day under a regulation, under each of them without ``reglement``."""
    return tuple(
        _parametre(nom, theme, datee)
        for nom, theme in themes().items()
        for datee in theme.valeurs
        if datee.vaut(le, reglement or datee.regime)
    )


def _parametre(nom: str, theme: Theme, datee: ValeurDatee) -> Parametre:
    return Parametre(
        nom=nom,
        libelle=theme.libelle,
        valeur=datee.lue(),
        unite=datee.unite,
        reference=datee.reference,
        etiquette=datee.etiquette,
        a_compter_du=datee.a_compter_du,
        jusqu_au=datee.jusqu_au,
        regime=datee.regime,
        verifie_le=datee.verifie_le,
    )


def _pourcentage(brut: object) -> Fraction:
    if type(brut) is not int and not isinstance(brut, Decimal):
        raise ValueError(f"{brut!r} is not a percentage")
    return Fraction(brut)


def decimale(exact: Fraction) -> Decimal:
    """Write a fraction that came from a decimal number as that number again."""
    return Decimal(exact.numerator) / Decimal(exact.denominator)
