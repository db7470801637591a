"""The cascade: from the enveloppe to what is paid, what each step of the work keeps back."""

from dataclasses import dataclass
from typing import Any

from api.graphiques.modele import (
    CIEL,
    ENCRE,
    FILET,
    MARINE,
    ROUGE,
    Echelle,
    Graphique,
    echelle,
)
from api.graphiques.moteur import dessiner
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from projections.maquette import Chiffres

_LARGEUR, _HAUTEUR = 600, 270


@dataclass(frozen=True, slots=True)
class Marche:
    """A step: an amount that is reached, or what is lost between two of them; cents."""

    libelle: str
    montant: int  #: of a loss, what is taken away; negative when something is added
    debut: int
    fin: int
    palier: bool
    perdu: bool = False  #: nobody will find it again


def marches(chiffres: Chiffres, a_controler: int) -> tuple[Marche, ...]:
    """Return the steps. What is declared and neither retained nor waiting was rejected."""
    found: list[Marche] = []

    def palier(libelle: str, montant: int) -> None:
        found.append(Marche(libelle, montant, 0, montant, palier=True))

    def ecart(libelle: str, de: int, a: int, *, perdu: bool = False, inverse: str = "") -> None:
        dit = inverse if inverse and a > de else libelle
        found.append(Marche(dit, de - a, de, a, palier=False, perdu=perdu))

    c = chiffres
    controle = c.fse_declare - a_controler
    palier("Enveloppe", c.fse_maquette)
    ecart("À programmer", c.fse_maquette, c.fse_programme, inverse="Au-delà")
    palier("Programmé", c.fse_programme)
    ecart("À conventionner", c.fse_programme, c.fse_conventionne)
    palier("Conventionné", c.fse_conventionne)
    ecart("Non déclaré", c.fse_conventionne, c.fse_declare)
    ecart("À contrôler", c.fse_declare, controle)
    ecart("Écarté au CSF", controle, c.fse_retenu_csf, perdu=True)
    palier("Retenu CSF", c.fse_retenu_csf)
    ecart("À payer", c.fse_retenu_csf, c.fse_paye, inverse="Avances")
    palier("Payé", c.fse_paye)
    return tuple(found)


def cascade(chiffres: Chiffres, a_controler: int) -> Graphique | None:
    """Draw the cascade; nothing without an enveloppe."""
    if chiffres.fse_maquette <= 0:
        return None
    etapes = marches(chiffres, a_controler)
    unite = echelle(max(max(m.debut, m.fin) for m in etapes))
    conclusion = _conclure(etapes, unite)
    return Graphique(
        nom="cascade",
        conclusion=conclusion,
        legende=f"De l’enveloppe au paiement, en {unite.unite}. Barres claires : ce qui reste à "
        "faire à chaque étape ; « non déclaré » compte aussi ce que les opérations soldées "
        "n’emploieront pas.",
        svg=dessiner(_specification(etapes, unite), conclusion),
        tableau=_tableau(etapes),
    )


def _conclure(etapes: tuple[Marche, ...], unite: Echelle) -> str:
    """Name the step that keeps most money back."""
    retenues = [m for m in etapes if not m.palier and m.montant > 0]
    if not retenues:
        return "Toute l’enveloppe est payée"
    premiere = max(retenues, key=lambda m: m.montant)
    return f"{unite.montant(premiere.montant)} {_SUITES[premiere.libelle]}"


_SUITES = {
    "À programmer": "restent à programmer",
    "À conventionner": "restent à conventionner",
    "Non déclaré": "conventionnés ne sont pas encore déclarés",
    "À contrôler": "attendent leur contrôle de service fait",
    "Écarté au CSF": "ont été écartés par les contrôles",
    "À payer": "retenus restent à payer",
}


def _dire(marche: Marche, unite: Echelle) -> str:
    """Write a step: what is reached, or what is taken away or added, with its sign."""
    if marche.palier:
        return unite.nombre(marche.montant)
    return f"{'+' if marche.montant < 0 else ''}{unite.nombre(-marche.montant)}"


def _specification(etapes: tuple[Marche, ...], unite: Echelle) -> dict[str, Any]:
    plus_haut = max(max(m.debut, m.fin) for m in etapes)
    valeurs = [
        {
            "rang": rang,
            "etape": m.libelle,
            "bas": min(m.debut, m.fin),
            "haut": max(m.debut, m.fin),
            "couleur": MARINE if m.palier else ROUGE if m.perdu else CIEL,
            "texte": _dire(m, unite),
            "gras": "bold" if m.palier else "normal",
        }
        for rang, m in enumerate(etapes)
        if m.palier or m.montant
    ]
    noms = [v["etape"] for v in valeurs]
    x = {
        "field": "etape",
        "type": "nominal",
        "sort": noms,
        "axis": {
            "labelAngle": 0,
            "labelExpr": "split(datum.label, ' ')",
            "labelFontSize": 11,
            "labelLineHeight": 13,
            "domain": True,
            "domainColor": FILET,
        },
        "scale": {"paddingInner": 0.18, "paddingOuter": 0.05},
    }
    domaine = [min(0, *(v["bas"] for v in valeurs)), plus_haut * 108 // 100]
    y = {
        "field": "bas",
        "type": "quantitative",
        "scale": {"domain": domaine},
        "axis": None,
    }
    return {
        "width": _LARGEUR,
        "height": _HAUTEUR,
        "data": {"values": valeurs},
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "x": x,
                    "y": y,
                    "y2": {"field": "haut"},
                    "color": {"field": "couleur", "type": "nominal", "scale": None},
                },
            },
            {
                "mark": {"type": "text", "dy": -9, "color": ENCRE, "fontWeight": 600},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "haut"},
                    "text": {"field": "texte"},
                },
            },
        ],
    }


def _tableau(etapes: tuple[Marche, ...]) -> Tableau:
    return Tableau(
        titre="De l’enveloppe au paiement",
        colonnes=(
            Colonne("etape", "Étape"),
            Colonne("montant", "Atteint", "euros"),
            Colonne("ecart", "Retenu par l’étape", "euros"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "etape": Cellule(m.libelle),
                    "montant": Cellule(m.montant if m.palier else None),
                    "ecart": Cellule(None if m.palier else m.montant),
                }
            )
            for m in etapes
        ),
    )
