"""The S-curve: what was retained and certified month by month, against what must be certified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from api.graphiques.modele import (
    BLEU,
    BRUME,
    ENCRE_DOUCE,
    FILET,
    MARINE,
    ROUGE,
    Graphique,
    echelle,
)
from api.graphiques.moteur import dessiner
from api.tableaux import Cellule, Colonne, Ligne, Tableau

_LARGEUR, _HAUTEUR = 560, 270
#: Parts of the whole width: room after the last day, and half the tick of a target.
_MARGE, _DEMI_SEUIL = 0.14, 0.025


@dataclass(frozen=True, slots=True)
class Etape:
    """What must be certified by a day, and what is missing of it; cents."""

    jour: date
    a_certifier: int
    manque: int


@dataclass(frozen=True, slots=True)
class Suivi:
    """What the curve is made of: sums at the end of months, cents.

    ``prevision`` starts where the certified line ends. ``au``: the day at which lines stop.
    """

    retenu: Sequence[tuple[date, int]]
    certifie: Sequence[tuple[date, int]]
    prevision: Sequence[tuple[date, int]]
    etapes: Sequence[Etape]
    enveloppe: int
    au: date


def courbe(suivi: Suivi, conclusion: str, legende: str) -> Graphique | None:
    """Draw the curve; nothing where nothing moved and nothing is awaited."""
    if not (suivi.retenu or suivi.certifie or suivi.etapes):
        return None
    return Graphique(
        nom="courbe",
        conclusion=conclusion,
        legende=legende,
        svg=dessiner(_specification(suivi), conclusion),
        tableau=_tableau(suivi),
    )


def _bornes(suivi: Suivi) -> tuple[date, date]:
    jours = [
        *(jour for serie in (suivi.retenu, suivi.certifie, suivi.prevision) for jour, _ in serie),
        *(etape.jour for etape in suivi.etapes),
    ]
    premiers = [jour for jour, _ in (*suivi.retenu, *suivi.certifie)] or jours
    return date(min(premiers).year, 1, 1), max(*jours, suivi.au)


def _specification(suivi: Suivi) -> dict[str, Any]:
    debut, fin = _bornes(suivi)
    # Room on the right for the amount of the last target.
    fin += (fin - debut) * _MARGE
    demi_seuil = (fin - debut) * _DEMI_SEUIL
    plus_grand = max(
        suivi.enveloppe, *(e.a_certifier for e in suivi.etapes), _dernier(suivi.retenu), 1
    )
    unite = echelle(plus_grand)
    x: dict[str, Any] = {
        "field": "jour",
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {
            "tickCount": {"interval": "year", "step": 1},
            "labelExpr": "utcFormat(datum.value, '%Y')",
            "labelAlign": "left",
            "ticks": True,
            "tickColor": FILET,
            "domain": True,
            "domainColor": FILET,
        },
    }
    y: dict[str, Any] = {
        "field": "montant",
        "type": "quantitative",
        "scale": {"domain": [0, plus_grand * 108 // 100]},
        "axis": {"labelExpr": unite.graduation, "tickCount": 6},
    }

    def serie(points: Sequence[tuple[date, int]]) -> dict[str, Any]:
        return {"values": [{"jour": _instant(j), "montant": m} for j, m in points]}

    def bout(points: Sequence[tuple[date, int]], texte: str, couleur: str, dy: int) -> Any:
        return {
            "data": serie(points[-1:]),
            "layer": [
                {"mark": {"type": "point", "filled": True, "size": 45, "color": couleur}},
                {
                    "mark": {
                        "type": "text",
                        "align": "right",
                        "dx": -8,
                        "dy": dy,
                        "fontWeight": 600,
                        "color": couleur,
                    },
                    "encoding": {"text": {"value": texte}},
                },
            ],
            "encoding": {"x": x, "y": y},
        }

    retenu = _prolonger(suivi.retenu, suivi.au)
    certifie = _prolonger(suivi.certifie, suivi.au)
    couches: list[Any] = [
        {
            "data": {"values": [{"montant": suivi.enveloppe}]},
            "mark": {"type": "rule", "color": FILET, "strokeDash": [2, 3]},
            "encoding": {"y": y},
        },
        {
            "data": {"values": [{"jour": _instant(debut), "montant": suivi.enveloppe}]},
            "mark": {"type": "text", "align": "left", "dx": 4, "dy": -8, "color": ENCRE_DOUCE},
            "encoding": {
                # The bounds of all the layers, said once.
                "x": {**x, "scale": {"type": "utc", "domain": [_instant(debut), _instant(fin)]}},
                "y": y,
                "text": {"value": f"Enveloppe {unite.montant(suivi.enveloppe)}"},
            },
        },
    ]
    if retenu:
        couches += [
            {
                "data": serie(retenu),
                "mark": {"type": "area", "color": BRUME},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": serie(retenu),
                "mark": {
                    "type": "line",
                    "color": MARINE,
                    "strokeWidth": 2.5,
                },
                "encoding": {"x": x, "y": y},
            },
        ]
    if certifie:
        couches.append(
            {
                "data": serie(certifie),
                "mark": {
                    "type": "line",
                    "color": BLEU,
                    "strokeWidth": 2,
                },
                "encoding": {"x": x, "y": y},
            }
        )
    if len(suivi.prevision) > 1:
        couches.append(
            {
                "data": serie(suivi.prevision),
                "mark": {
                    "type": "line",
                    "color": BLEU,
                    "strokeWidth": 2,
                    "strokeDash": [5, 4],
                },
                "encoding": {"x": x, "y": y},
            }
        )
    bouts = [
        (points, f"{unite.montant(points[-1][1])} {quoi}", couleur)
        for points, quoi, couleur in (
            (retenu, "retenus", MARINE),
            (suivi.prevision[1:], "prévus", BLEU),
            ([] if suivi.prevision[1:] else certifie, "certifiés", BLEU),
        )
        if points
    ]
    hauts = max((points[-1][1] for points, _, _ in bouts), default=0)
    couches += [
        bout(points, texte, couleur, -13 if points[-1][1] == hauts else 17)
        for points, texte, couleur in bouts
    ]
    couches += _seuils(suivi.etapes, demi_seuil, unite.montant, x, y)
    return {"width": _LARGEUR, "height": _HAUTEUR, "layer": couches}


def _seuils(etapes: Sequence[Etape], demi: timedelta, ecrire: Any, x: Any, y: Any) -> list[Any]:
    """Draw the targets: a tick at their day, and their amount beside it."""
    if not etapes:
        return []
    valeurs = [
        {
            "jour": _instant(e.jour),
            "du": _instant(e.jour - demi),
            "au": _instant(e.jour + demi),
            "montant": e.a_certifier,
            "texte": ecrire(e.a_certifier),
        }
        for e in etapes
    ]
    return [
        {
            "data": {"values": valeurs},
            "layer": [
                {
                    "mark": {"type": "rule", "color": ROUGE, "strokeWidth": 3},
                    "encoding": {"x": {**x, "field": "du"}, "x2": {"field": "au"}},
                },
                {
                    "mark": {
                        "type": "text",
                        "color": ROUGE,
                        "fontWeight": 600,
                        "align": "left",
                        "dx": 5,
                    },
                    "encoding": {"x": {**x, "field": "au"}, "text": {"field": "texte"}},
                },
            ],
            "encoding": {"y": y},
        }
    ]


def _instant(jour: date) -> int:
    """Return a day as the renderer counts time: milliseconds, in UTC."""
    return (jour - date(1970, 1, 1)).days * 86_400_000


def _dernier(serie: Sequence[tuple[date, int]]) -> int:
    return serie[-1][1] if serie else 0


def _prolonger(serie: Sequence[tuple[date, int]], au: date) -> list[tuple[date, int]]:
    """Start a line at nothing, and carry it to the day at which the figures stop."""
    if not serie:
        return []
    depart = (serie[0][0].replace(day=1) - timedelta(days=1), 0)
    fin = [(au, serie[-1][1])] if serie[-1][0] < au else []
    return [depart, *serie, *fin]


def _tableau(suivi: Suivi) -> Tableau:
    series = {
        "retenu": dict(suivi.retenu),
        "certifie": dict(suivi.certifie),
        "prevision": dict(suivi.prevision[1:]),
        "seuil": {e.jour: e.a_certifier for e in suivi.etapes},
        "manque": {e.jour: e.manque for e in suivi.etapes if e.manque},
    }
    jours = sorted({*_qui_bougent(suivi), *(jour for nom in _PREVUS for jour in series[nom])})
    return Tableau(
        titre="Cumuls à la fin de chaque mois où quelque chose a bougé",
        colonnes=(
            Colonne("jour", "Au", "jour"),
            Colonne("retenu", "Retenu après CSF", "euros"),
            Colonne("certifie", "Certifié", "euros"),
            Colonne("prevision", "Certifié, prévu", "euros"),
            Colonne("seuil", "À certifier", "euros", aide="Objectif moins préfinancements."),
            Colonne("manque", "Il manque", "euros"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "jour": Cellule(jour),
                    **{nom: Cellule(serie.get(jour)) for nom, serie in series.items()},
                }
            )
            for jour in jours
        ),
    )


_PREVUS = ("prevision", "seuil")


def _qui_bougent(suivi: Suivi) -> set[date]:
    """Return the days whose sums are not those of the day before in their series."""
    found = set()
    for serie in (suivi.retenu, suivi.certifie):
        avant = 0
        for jour, somme in serie:
            if somme != avant:
                found.add(jour)
            avant = somme
    return found
