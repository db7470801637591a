"""The levier of each PLIE against the reference of the network, and its coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from api.filters import pourcent
from api.graphiques.modele import BLEU, CIEL, ENCRE, FILET, ROUGE, Graphique, echelle
from api.graphiques.moteur import dessiner
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from oi_service.money import ratio, round_cents

_LARGEUR, _PAS = 420, 34


# --- Levier --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effet:
    """What a PLIE gathers: euros of the Fund for one direct euro of its territory; cents.

    ``levier`` is ``None`` where nothing was brought.
    """

    nom: str
    levier: Fraction | None
    fse: int
    directs: int


def leviers(effets: Sequence[Effet], ensemble: Effet, reference: Fraction) -> Graphique | None:
    """Draw the levier of each; nothing where none is defined."""
    if ensemble.levier is None:
        return None
    place = "au-dessus" if ensemble.levier >= reference else "en dessous"
    conclusion = (
        f"Un euro du territoire appelle {_decimal(ensemble.levier)} € de FSE, {place} de "
        f"{_decimal(reference)}"
    )
    barres = [_Barre(e.nom, e.levier or Fraction(0), _dit(e.levier)) for e in effets]
    return Graphique(
        nom="leviers",
        conclusion=conclusion,
        legende="Levier par PLIE : FSE retenu pour un euro apporté directement par les communes et "
        f"EPCI. Trait rouge : {_decimal(reference)}, moyenne longue du réseau (Alliance Villes "
        "Emploi).",
        svg=dessiner(_specification(barres, reference, BLEU, "#fff", ROUGE), conclusion),
        tableau=_tableau_levier(effets, ensemble),
    )


def _dit(levier: Fraction | None) -> str:
    return "n. d." if levier is None else _decimal(levier)


def _decimal(valeur: Fraction) -> str:
    centiemes = round_cents(valeur * 100)
    return f"{centiemes // 100},{centiemes % 100:02d}"


def _tableau_levier(effets: Sequence[Effet], ensemble: Effet) -> Tableau:
    def ligne(e: Effet) -> Ligne:
        return Ligne(
            {
                "plie": Cellule(e.nom),
                "levier": Cellule(None if e.levier is None else _decimal(e.levier)),
                "fse": Cellule(e.fse),
                "directs": Cellule(e.directs),
            }
        )

    return Tableau(
        titre="Levier par PLIE",
        colonnes=(
            Colonne("plie", "PLIE"),
            Colonne("levier", "Levier FSE"),
            Colonne("fse", "FSE retenu", "euros"),
            Colonne("directs", "Communes et EPCI", "euros", aide="Apports directs affectés."),
        ),
        lignes=tuple(ligne(e) for e in effets),
        total=ligne(ensemble),
    )


# --- Coverage ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Couvert:
    """What the Fund leaves to pay in a PLIE, and what funders attested of it; cents.

    ``manque``: what funders of the plans were awaited for, and may still bring.
    """

    nom: str
    besoin: int
    attestee: int
    manque: int

    @property
    def taux(self) -> Fraction | None:
        """Attested over needed."""
        return ratio(self.attestee, self.besoin)


def couverture(couverts: Sequence[Couvert], ensemble: Couvert) -> Graphique | None:
    """Draw the coverage of each; nothing where nothing is needed."""
    if ensemble.taux is None:
        return None
    conclusion = f"{pourcent(ensemble.taux)} du besoin en contreparties est attesté"
    if ensemble.manque:
        conclusion += f", {echelle(ensemble.manque).montant(ensemble.manque)} manquent"
    barres = [_Barre(c.nom, c.taux or Fraction(0), pourcent(c.taux)) for c in couverts]
    return Graphique(
        nom="couverture",
        conclusion=conclusion,
        legende="Part du besoin (coût total moins FSE) que des financeurs ont attestée. Trait : "
        "tout le besoin. Le reste est autofinancé, ou manque.",
        svg=dessiner(_specification(barres, Fraction(1), CIEL, ENCRE, FILET), conclusion),
        tableau=Tableau(
            titre="Couverture par PLIE",
            colonnes=(
                Colonne("plie", "PLIE"),
                Colonne("besoin", "Besoin", "euros", aide="Coût total moins FSE."),
                Colonne("attestee", "Attesté", "euros"),
                Colonne("couverture", "Couverture", "taux"),
                Colonne("manque", "Manque encore", "euros"),
            ),
            lignes=tuple(_ligne_couverte(c) for c in couverts),
            total=_ligne_couverte(ensemble),
        ),
    )


def _ligne_couverte(c: Couvert) -> Ligne:
    return Ligne(
        {
            "plie": Cellule(c.nom),
            "besoin": Cellule(c.besoin),
            "attestee": Cellule(c.attestee),
            "couverture": Cellule(c.taux),
            "manque": Cellule(c.manque or None),
        }
    )


# --- Bars ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Barre:
    nom: str
    valeur: Fraction
    dit: str


def _specification(
    barres: Sequence[_Barre], repere: Fraction, couleur: str, dedans: str, trait: str
) -> dict[str, Any]:
    """Draw one bar a PLIE and a mark; the value is inside a bar that is long enough for it."""
    bout = max(repere, *(b.valeur for b in barres))
    x = {
        "field": "valeur",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, float(bout * Fraction(112, 100))], "nice": False},
    }
    y = {
        "field": "plie",
        "type": "nominal",
        "sort": [b.nom for b in barres],
        "scale": {"paddingInner": 0.35, "paddingOuter": 0.2},
        "axis": {"labelLimit": 190, "grid": False, "labelColor": ENCRE},
    }
    return {
        "width": _LARGEUR,
        "height": {"step": _PAS},
        "data": {
            "values": [{"plie": b.nom, "valeur": float(b.valeur), "dit": b.dit} for b in barres]
        },
        "layer": [
            {"mark": {"type": "bar", "color": couleur}, "encoding": {"y": y, "x": x}},
            {
                "data": {"values": [{"repere": float(repere)}]},
                "mark": {"type": "rule", "color": trait, "strokeWidth": 2},
                "encoding": {"x": {**x, "field": "repere"}},
            },
            *(
                {
                    "transform": [{"filter": f"datum.valeur {test} {float(bout / 4)}"}],
                    "mark": {"type": "text", "align": cote, "dx": dx, "color": encre},
                    "encoding": {"y": y, "x": x, "text": {"field": "dit"}},
                }
                for test, cote, dx, encre in (
                    (">=", "right", -6, dedans),
                    ("<", "left", 6, ENCRE),
                )
            ),
        ],
    }
