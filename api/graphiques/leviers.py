"""The levier of each PLIE against the reference of the network, and its coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from api.graphiques.modele import BLEU, CIEL, ENCRE, FILET, ROUGE, Graphique
from api.graphiques.moteur import dessiner
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from oi_service.money import round_cents

_LARGEUR, _PAS = 250, 40


@dataclass(frozen=True, slots=True)
class Effet:
    """What a PLIE gathers: euros of the Fund for one direct euro, and coverage; cents.

    Ratios are ``None`` where nothing was brought, or nothing needed.
    """

    nom: str
    levier: Fraction | None
    fse: int
    directs: int
    couverture: Fraction | None
    besoin: int
    attestee: int


def leviers(effets: Sequence[Effet], ensemble: Effet, reference: Fraction) -> Graphique | None:
    """Draw both; nothing where no levier is defined."""
    if ensemble.levier is None:
        return None
    dit = _decimal(ensemble.levier)
    place = "au-dessus" if ensemble.levier >= reference else "en dessous"
    conclusion = f"Un euro du territoire appelle {dit} € de FSE, {place} de la référence"
    return Graphique(
        nom="leviers",
        conclusion=conclusion,
        legende=f"À gauche, levier FSE par PLIE ; trait rouge : moyenne longue du réseau, "
        f"{_decimal(reference)} (Alliance Villes Emploi). À droite, part du besoin en "
        "contreparties qui est attestée ; trait : le besoin.",
        svg=dessiner(_specification(effets, reference), conclusion),
        tableau=_tableau(effets, ensemble),
    )


def _decimal(valeur: Fraction) -> str:
    centiemes = round_cents(valeur * 100)
    return f"{centiemes // 100},{centiemes % 100:02d}"


def _pour_cent(valeur: Fraction) -> str:
    return f"{round_cents(valeur * 100)}\u00a0%"


def _specification(effets: Sequence[Effet], reference: Fraction) -> dict[str, Any]:
    noms = [e.nom for e in effets]
    valeurs = [
        {
            "plie": e.nom,
            "levier": float(e.levier) if e.levier is not None else 0,
            "levier_dit": "n. d." if e.levier is None else _decimal(e.levier),
            "couverture": float(e.couverture) if e.couverture is not None else 0,
            "couverture_dite": "n. d." if e.couverture is None else _pour_cent(e.couverture),
        }
        for e in effets
    ]
    y = {
        "field": "plie",
        "type": "nominal",
        "sort": noms,
        "scale": {"paddingInner": 0.35, "paddingOuter": 0.2},
    }
    plus_long = max(reference, *(e.levier or Fraction(0) for e in effets))

    def panneau(
        champ: str, couleur: str, repere: Fraction, trait: str, bout: Fraction, axe: Any
    ) -> Any:
        x = {
            "field": champ,
            "type": "quantitative",
            "axis": None,
            "scale": {"domain": [0, float(bout * Fraction(122, 100))], "nice": False},
        }
        dit = {"levier": "levier_dit", "couverture": "couverture_dite"}[champ]
        return {
            "width": _LARGEUR,
            "height": {"step": _PAS},
            "layer": [
                {
                    "mark": {"type": "bar", "color": couleur},
                    "encoding": {"y": {**y, "axis": axe}, "x": x},
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 6, "color": ENCRE},
                    "encoding": {
                        "y": {**y, "axis": axe},
                        "x": x,
                        "text": {"field": dit},
                    },
                },
                {
                    "data": {"values": [{"repere": float(repere)}]},
                    "mark": {"type": "rule", "color": trait, "strokeWidth": 2},
                    "encoding": {"x": {**x, "field": "repere"}},
                },
            ],
        }

    couverte = max(Fraction(1), *(e.couverture or Fraction(0) for e in effets))
    return {
        "data": {"values": valeurs},
        "spacing": 24,
        "hconcat": [
            panneau("levier", BLEU, reference, ROUGE, plus_long, {"labelLimit": 190}),
            panneau("couverture", CIEL, Fraction(1), FILET, couverte, None),
        ],
    }


def _tableau(effets: Sequence[Effet], ensemble: Effet) -> Tableau:
    def ligne(e: Effet) -> Ligne:
        return Ligne(
            {
                "plie": Cellule(e.nom),
                "levier": Cellule(None if e.levier is None else _decimal(e.levier)),
                "fse": Cellule(e.fse),
                "directs": Cellule(e.directs),
                "besoin": Cellule(e.besoin),
                "attestee": Cellule(e.attestee),
                "couverture": Cellule(e.couverture),
            }
        )

    return Tableau(
        titre="Levier et couverture par PLIE",
        colonnes=(
            Colonne("plie", "PLIE"),
            Colonne("levier", "Levier FSE"),
            Colonne("fse", "FSE retenu", "euros"),
            Colonne("directs", "Communes et EPCI", "euros", aide="Apports directs affectés."),
            Colonne("besoin", "Besoin", "euros", aide="Coût total moins FSE."),
            Colonne("attestee", "Attesté", "euros"),
            Colonne("couverture", "Couverture", "taux"),
        ),
        lignes=tuple(ligne(e) for e in effets),
        total=ligne(ensemble),
    )
