"""What was typed in the form of a command: read the French way, kept as it was, made a demand.

A form is flat: each value has a dotted name, ``plan.postes.0.montant``. What it makes is the body
that the JSON door takes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from babel.numbers import format_decimal
from stdnum import iban

from api.pages.actes.champs import Feuille, Groupe, Liste, Noeud
from api.pages.formulaires import Defaut, nombre_cache
from api.pages.montants import lire_centimes
from oi_service.money import euros

#: Flat values of a form, by dotted name.
Plat = dict[str, list[str]]

_BLANCS = re.compile(r"[\s\u00a0\u202f]+")
#: An amount as the JSON door writes it.
_MONTANT = re.compile(r"-?\d+\.\d{2}")
_NOMBRE = re.compile(r"\d+(?:[.,]\d+)?")
#: An account, whole or with anything for its middle.
_IBAN = re.compile(r"([A-Z]{2}[0-9]{2})(?:[A-Z0-9]{8,27}|[•*.…_-]+)([0-9]{3})")
_JOUR = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")


class _Absent:
    """Nothing was typed there."""


ABSENT = _Absent()


# --- From a body to a form -----------------------------------------------------------------------


def aplatir(noeud: Noeud, corps: object, chemin: str = "") -> Plat:
    """Write a body, or a part of one, as the form shows it."""
    if corps is None:
        return {}
    if isinstance(noeud, Groupe) and isinstance(corps, Mapping):
        plat: Plat = {}
        for enfant in noeud.enfants:
            plat |= aplatir(enfant, corps.get(enfant.nom), joindre(chemin, enfant.nom))
        return plat
    if isinstance(noeud, Liste) and isinstance(corps, Sequence):
        plat = {}
        for rang, element in enumerate(corps):
            plat |= aplatir(noeud.element, element, joindre(chemin, str(rang)))
        return plat
    assert isinstance(noeud, Feuille)
    valeurs = corps if noeud.plusieurs and isinstance(corps, list | tuple) else [corps]
    return {chemin: [_montrer(noeud, valeur) for valeur in valeurs]}


def de_l_adresse(racine: Groupe, valeurs: Mapping[str, str]) -> Plat:
    """Write the values that an address gives by name, as the form shows them."""
    feuilles = {n.nom: n for n in racine.enfants if isinstance(n, Feuille)}
    return {
        nom: [_montrer(feuilles[nom], valeur) if nom in feuilles else valeur]
        for nom, valeur in valeurs.items()
    }


def _montrer(feuille: Feuille, valeur: object) -> str:
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    texte = str(valeur)
    if feuille.genre == "euros" and _MONTANT.fullmatch(texte):
        return format_decimal(texte, "#,##0.00", locale="fr_FR").replace("\u202f", "\u00a0")
    return texte.replace(".", ",") if feuille.genre == "nombre" else texte


# --- From a form to a body -----------------------------------------------------------------------


def resserrer(noeud: Noeud, plat: Plat, chemin: str = "") -> Plat:
    """Drop the empty lines of lists and number the others again: a defect then finds its field."""
    if isinstance(noeud, Groupe):
        return {
            nom: valeurs
            for enfant in noeud.enfants
            for nom, valeurs in resserrer(enfant, plat, joindre(chemin, enfant.nom)).items()
        }
    if isinstance(noeud, Feuille):
        return {chemin: plat[chemin]} if chemin in plat else {}
    serre: Plat = {}
    rang = 0
    for place in rangs(plat, chemin):
        ligne = resserrer(noeud.element, plat, joindre(chemin, str(place)))
        if not any(map(_remplie, ligne.values())):
            continue
        avant, apres = joindre(chemin, str(place)), joindre(chemin, str(rang))
        serre |= {apres + nom.removeprefix(avant): valeurs for nom, valeurs in ligne.items()}
        rang += 1
    return serre


def _remplie(valeurs: Sequence[str]) -> bool:
    return any(v.strip() not in {"", "non"} for v in valeurs)


def rangs(plat: Mapping[str, object], chemin: str) -> list[int]:
    """Return the numbers of the lines that a list has, in order."""
    debut = f"{chemin}."
    trouves = {nom[len(debut) :].partition(".")[0] for nom in plat if nom.startswith(debut)}
    return sorted(rang for t in trouves if (rang := nombre_cache(t)) is not None)


def construire(
    noeud: Noeud, plat: Plat, defauts: list[Defaut], chemin: str = "", *, voulu: bool = True
) -> Any:
    """Make the body that was typed; what cannot be read is told in ``defauts``.

    Returns: a JSON value, or `ABSENT`.
    """
    if isinstance(noeud, Feuille):
        return _valeur(noeud, plat.get(chemin, []), defauts, chemin, voulu=voulu)
    if isinstance(noeud, Liste):
        lignes = [
            construire(noeud.element, plat, defauts, joindre(chemin, str(rang)))
            for rang in rangs(plat, chemin)
        ]
        return lignes or ([] if noeud.requis else ABSENT)
    corps: dict[str, Any] = {}
    demande = voulu and (noeud.requis or _touche(noeud, plat, chemin))
    for enfant in noeud.enfants:
        lu = construire(enfant, plat, defauts, joindre(chemin, enfant.nom), voulu=demande)
        if lu is not ABSENT:
            corps[enfant.nom] = lu
    return corps if demande else ABSENT


def _touche(groupe: Groupe, plat: Plat, chemin: str) -> bool:
    """Tell whether something was typed in a group that may be left out."""
    debut = f"{chemin}."
    fixes = {joindre(chemin, n.nom) for n in groupe.enfants if _fixe(n)}
    return any(
        _remplie(valeurs)
        for nom, valeurs in plat.items()
        if nom.startswith(debut) and nom not in fixes
    )


def _fixe(noeud: Noeud) -> bool:
    return isinstance(noeud, Feuille) and noeud.genre == "constante"


def _valeur(
    feuille: Feuille, recus: Sequence[str], defauts: list[Defaut], chemin: str, *, voulu: bool
) -> Any:
    if feuille.plusieurs:
        textes = [t for recu in recus for t in _parties(feuille, recu) if t]
        lus = [_lire(feuille, texte, defauts, chemin) for texte in textes]
        return lus or ([] if feuille.requis else ABSENT)
    if feuille.genre == "constante":
        return feuille.constante if voulu else ABSENT
    texte = recus[0].strip() if recus else ""
    if feuille.genre == "case":
        return texte == "oui" if voulu else ABSENT
    return _lire(feuille, texte, defauts, chemin) if texte else ABSENT


def _parties(feuille: Feuille, recu: str) -> Iterator[str]:
    """Yield the values of a field that takes several, one a line."""
    yield from ([recu] if feuille.options else (ligne.strip() for ligne in recu.splitlines()))


def _lire(feuille: Feuille, texte: str, defauts: list[Defaut], chemin: str) -> Any:
    lecteurs = {
        "euros": _euros,
        "nombre": _nombre,
        "entier": _entier,
        "jour": _jour,
        "iban": _iban,
    }
    if feuille.genre == "oui_ou_non":
        return texte == "oui"
    lecteur = lecteurs.get(feuille.genre)
    if lecteur is None:
        return texte
    try:
        return lecteur(texte)
    except ValueError as illisible:
        defauts.append(Defaut(str(illisible), chemin))
        return texte


def _euros(texte: str) -> str:
    return euros(lire_centimes(texte, negatif=True))


def _nombre(texte: str) -> str:
    nu = _BLANCS.sub("", texte).removesuffix("%")
    if _NOMBRE.fullmatch(nu) is None:
        raise ValueError(
            f"« {texte} » n’est pas un nombre : écrivez-le en chiffres, par exemple 12,5"
        )
    return nu.replace(",", ".")


def _entier(texte: str) -> int:
    nu = _BLANCS.sub("", texte)
    if not nu.isdecimal() or len(nu) > 18:
        raise ValueError(f"« {texte} » n’est pas un nombre entier : écrivez-le en chiffres")
    return int(nu)


def _jour(texte: str) -> str:
    lu = _JOUR.fullmatch(texte)
    return f"{lu[3]}-{lu[2]:0>2}-{lu[1]:0>2}" if lu else texte


def _iban(texte: str) -> str:
    """Keep the two ends of an account: nobody types the dots, and its middle is kept nowhere."""
    nu = _BLANCS.sub("", texte).upper()
    bouts = _IBAN.fullmatch(nu)
    if bouts is None:
        raise ValueError(
            "écrivez l’IBAN en entier, ou ses quatre premiers et ses trois derniers caractères : "
            "FR76…189"
        )
    if nu.isalnum() and not iban.is_valid(nu):
        raise ValueError("cet IBAN n’est pas valide : vérifiez-le, sa clé ne tombe pas juste")
    return f"{bouts[1]}••••{bouts[2]}"


def joindre(chemin: str, nom: str) -> str:
    """Return the dotted name of a part."""
    return f"{chemin}.{nom}" if chemin else nom
