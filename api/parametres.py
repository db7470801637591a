"""The numbers of the texts, as a person reads them, at the command line and in the documents."""

from fractions import Fraction

from babel.numbers import format_decimal

from api.filters import entier, euros, jour
from rules.parametres import Palier, Parametre, Unite, decimale

#: One, then several, of a unit that is counted.
_COMPTES: dict[Unite, tuple[str, str]] = {
    "heures": ("heure", "heures"),
    "jours": ("jour", "jours"),
    "semaines": ("semaine", "semaines"),
    "mois": ("mois", "mois"),
    "annees": ("an", "ans"),
    "pieces": ("pièce", "pièces"),
}

#: What the choices and the codes mean: they are kept in ASCII.
MOTS = {
    "demi_superieur": "demi-centime au centime supérieur",
    "immediate": "sur les premières sommes dues",
    "exact": "fraction exacte",
    "libre": "libre dans la limite du total",
    "percues": "montants perçus",
    "attestation": "comptées sur attestation du financeur",
    "non": "non",
    "signaler": "reprise et signalée",
    "refuser": "non reprise",
    "collectivite": "collectivités",
    "opco": "OPCO",
    "etat": "opérateurs de l’État",
}


def valeur_lisible(parametre: Parametre) -> str:
    """Write a value with its unit: ``15 %``, ``500 000,00 €``, ``1 720 heures``."""
    match parametre.valeur, parametre.unite:
        case _, "euros":
            return euros(parametre.centimes)
        case Fraction() as pourcent, _:
            return _pourcent(pourcent)
        case _, "pourcent":
            return ", ".join(_pourcent(100 * taux) for taux in parametre.bareme)
        case _, "date":
            return jour(parametre.jour)
        case _, "codes":
            return ", ".join(MOTS[code] for code in parametre.codes) or "aucun"
        case _, "bilans":
            return " ; ".join(_palier(palier) for palier in parametre.paliers)
        case _, "mode":
            return MOTS[parametre.mode]
        case int() as nombre, unite if unite in _COMPTES:
            return f"{entier(nombre)}\u00a0{_COMPTES[unite][nombre > 1]}"
        case str() as mois_et_jour, _:
            return "/".join(reversed(mois_et_jour.split("-")))
        case _:
            raise TypeError(f"{parametre.nom} is not a value of {parametre.unite!r}")


def valeur_ecrite(parametre: Parametre) -> str | list[str] | list[Palier]:
    """Write a value for a program: ``"15"``, ``"500000.00"``, ``"2029-12-31"``."""
    match parametre.valeur:
        case Fraction():
            return str(parametre.pourcent)
        case tuple() if parametre.unite == "pourcent":
            return [str(decimale(100 * taux)) for taux in parametre.bareme]
        case tuple() if parametre.unite == "codes":
            return list(parametre.codes)
        case tuple():
            return list(parametre.paliers)
        case scalaire:
            return str(scalaire)


def _palier(palier: Palier) -> str:
    """Say how many intermediate bilans come before the final one, up to a duration."""
    minimum, maximum = palier.intermediaires_min, palier.intermediaires_max
    if maximum is None:
        combien = f"au moins {minimum}" if minimum else "aucun n’est exigé"
    elif minimum:
        combien = f"de {minimum} à {maximum}"
    else:
        combien = f"au plus {maximum}" if maximum else "aucun"
    return f"jusqu’à {palier.jusqu_a_mois}\u00a0mois, {combien}"


def _pourcent(pourcent: Fraction) -> str:
    return f"{format_decimal(decimale(pourcent), '#,##0.####', locale='fr_FR')}\u00a0%"
