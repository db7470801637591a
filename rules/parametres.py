"""Every number of a text, by date, with its article; the numbers are in the files ``*.toml``."""

import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from oi_service.errors import NotFound, RuleBroken
from oi_service.money import cents

#: Who says the number: a text that can be quoted, the trade, or us until somebody confirms.
Etiquette = Literal["source", "pratique", "notre choix"]
Unite = Literal["jours", "mois", "annees", "pourcent", "euros", "date", "jour de l’année", "mode"]


class ParametreInconnu(NotFound):
    """Le paramètre « {nom} » n’existe pas : vérifiez son nom."""


class ParametreHorsVigueur(RuleBroken):
    """Aucune valeur du paramètre « {nom} » n’est en vigueur le {le} ({reglement})."""


class Parametre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of a text as it stands on a day. Percentages are fractions of a hundred."""

    nom: str
    valeur: str | int | Fraction | date
    unite: Unite
    reference: str
    etiquette: Etiquette
    a_compter_du: date

    @property
    def entier(self) -> int:
        """The value of a count of days, months or years."""
        if not isinstance(self.valeur, int):
            raise TypeError(f"{self.nom} is not a whole number but {self.valeur!r}")
        return self.valeur

    @property
    def jour(self) -> date:
        """The value of a date."""
        if not isinstance(self.valeur, date):
            raise TypeError(f"{self.nom} is not a date but {self.valeur!r}")
        return self.valeur

    @property
    def taux(self) -> Fraction:
        """The value of a percentage as an exact rate: 30 % gives 3/10."""
        if not isinstance(self.valeur, Fraction):
            raise TypeError(f"{self.nom} is not a percentage but {self.valeur!r}")
        return self.valeur / 100

    @property
    def centimes(self) -> int:
        """The value of an amount, which the files write as ``"50000.00"``."""
        if self.unite != "euros" or not isinstance(self.valeur, str):
            raise TypeError(f"{self.nom} is not an amount but {self.valeur!r}")
        return cents(self.valeur)


class ValeurDatee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value as a file writes it. Without ``regime`` it holds for both programming periods."""

    a_compter_du: date
    valeur: Any
    unite: Unite
    reference: str
    etiquette: Etiquette
    regime: Literal["2014-2020", "2021-2027"] | None = None
    jusqu_au: date | None = None
    #: The day somebody last read the text at its source; ``None`` when nobody here has yet.
    verifie_le: date | None = None

    def vaut(self, le: date, reglement: str | None) -> bool:
        """Tell whether the value applies on a day, both ends included."""
        en_vigueur = self.a_compter_du <= le and (self.jusqu_au is None or le <= self.jusqu_au)
        return en_vigueur and self.regime in {None, reglement}


class _Theme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    valeurs: tuple[ValeurDatee, ...]


@cache
def valeurs_datees() -> dict[str, tuple[ValeurDatee, ...]]:
    """Read every file of the room once.

    Raises: msgspec.ValidationError on a field that no reader knows, ValueError on a name written
    in two files: a text has one home.
    """
    toutes: dict[str, tuple[ValeurDatee, ...]] = {}
    for fichier in files("rules").iterdir():
        if not fichier.name.endswith(".toml"):
            continue
        lu = tomllib.loads(fichier.read_text("utf-8"), parse_float=Decimal)
        for nom, theme in msgspec.convert(lu, dict[str, _Theme]).items():
            if nom in toutes:
                raise ValueError(f"{nom} is written twice, the second time in {fichier.name}")
            toutes[nom] = theme.valeurs
    return toutes


def parametre(nom: str, *, le: date, reglement: str | None = None) -> Parametre:
    """Return the value of a parameter on a day, under a regulation when it depends on one.

    The most recent value in force wins.
    Raises: ParametreInconnu, ParametreHorsVigueur.
    """
    valeurs = valeurs_datees().get(nom)
    if valeurs is None:
        raise ParametreInconnu(nom=nom)
    en_vigueur = [v for v in valeurs if v.vaut(le, reglement)]
    if not en_vigueur:
        raise ParametreHorsVigueur(nom=nom, le=le, reglement=reglement or "règlement non précisé")
    choisie = max(en_vigueur, key=lambda v: v.a_compter_du)
    return Parametre(
        nom=nom,
        valeur=Fraction(choisie.valeur) if choisie.unite == "pourcent" else choisie.valeur,
        unite=choisie.unite,
        reference=choisie.reference,
        etiquette=choisie.etiquette,
        a_compter_du=choisie.a_compter_du,
    )
