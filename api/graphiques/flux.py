"""The flow: where the programmed money goes, from the OI to each PLIE, then to each objective."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.filters import pourcent
from api.graphiques.modele import ENCRE, MARINE, Graphique, echelle
from api.graphiques.moteur import dessiner
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from oi_service.money import ratio
from projections.maquette import LigneDeMaquette

_LARGEUR, _HAUTEUR = 600, 300
#: Colours of the PLIE, of one lightness: text stays readable on them.
_TEINTES = ("#9fb4cc", "#a3c6e6", "#a9d3cc", "#c9d6a8", "#e6cfa0", "#dfb9c8", "#c3c2e2", "#b9c4cf")
#: Blank between two nodes of a column, in thousandths of what flows.
_BLANC = 25
#: Where a ribbon is drawn: at the start, then along a curve that leaves and arrives flat.
_PAS = 8


@dataclass(frozen=True, slots=True)
class _Noeud:
    nom: str
    bas: int
    haut: int

    @property
    def milieu(self) -> int:
        return (self.bas + self.haut) // 2


def flux(lignes: Sequence[LigneDeMaquette]) -> Graphique | None:
    """Draw the flow of what is programmed; nothing while nothing is."""
    paires: dict[tuple[str, str], int] = {}
    for ligne in lignes:
        montant = ligne.chiffres.fse_programme
        if montant > 0:
            cle = (ligne.plie_nom, ligne.objectif_specifique)
            paires[cle] = paires.get(cle, 0) + montant
    if not paires:
        return None
    plies = _sommes((plie, m) for (plie, _), m in paires.items())
    objectifs = _sommes((os_, m) for (_, os_), m in paires.items())
    total = sum(plies.values())
    premier = max(objectifs, key=lambda o: objectifs[o])
    part = pourcent(ratio(objectifs[premier], total))
    conclusion = f"{part} du programmé va à l’objectif {premier}"
    unite = echelle(total)
    return Graphique(
        nom="flux",
        conclusion=conclusion,
        legende=f"Où va la subvention programmée : de l’OI aux PLIE, puis aux objectifs "
        f"spécifiques, en {unite.unite}.",
        svg=dessiner(_specification(paires, plies, objectifs, total), conclusion),
        tableau=_tableau(paires, plies, objectifs),
    )


def _sommes(montants: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up by name, the largest first."""
    sommes: dict[str, int] = {}
    for nom, montant in montants:
        sommes[nom] = sommes.get(nom, 0) + montant
    return dict(sorted(sommes.items(), key=lambda item: (-item[1], item[0])))


def _colonne(montants: dict[str, int], total: int, hauteur: int) -> dict[str, _Noeud]:
    """Stack nodes from the top, blanks between them, in the middle of the height."""
    blanc = total * _BLANC // 1000
    haut = hauteur - (hauteur - total - blanc * (len(montants) - 1)) // 2
    noeuds = {}
    for nom, montant in montants.items():
        noeuds[nom] = _Noeud(nom, haut - montant, haut)
        haut -= montant + blanc
    return noeuds


def _specification(
    paires: dict[tuple[str, str], int],
    plies: dict[str, int],
    objectifs: dict[str, int],
    total: int,
) -> dict[str, Any]:
    blanc = total * _BLANC // 1000
    hauteur = total + blanc * (max(len(plies), len(objectifs)) - 1)
    gauche = _colonne({"OI": total}, total, hauteur)
    milieu = _colonne(plies, total, hauteur)
    droite = _colonne(objectifs, total, hauteur)
    teintes = {nom: _TEINTES[rang % len(_TEINTES)] for rang, nom in enumerate(plies)}
    unite = echelle(total)
    rubans: list[dict[str, Any]] = []
    depart = gauche["OI"].haut
    for nom, montant in plies.items():
        rubans += _ruban(nom, 0, depart, 100, milieu[nom].haut, montant, teintes[nom])
        depart -= montant
    departs = {nom: noeud.haut for nom, noeud in milieu.items()}
    arrivees = {nom: noeud.haut for nom, noeud in droite.items()}
    for os_ in objectifs:
        for plie in plies:
            montant = paires.get((plie, os_), 0)
            if montant:
                rubans += _ruban(
                    f"{plie}|{os_}", 102, departs[plie], 200, arrivees[os_], montant, teintes[plie]
                )
                departs[plie] -= montant
                arrivees[os_] -= montant
    noeuds = [
        {"x": x, "x2": x + 2, "bas": n.bas, "haut": n.haut}
        for x, colonne in ((-2, gauche), (100, milieu), (200, droite))
        for n in colonne.values()
    ]
    noms = [
        {"x": 104, "y": n.milieu, "texte": f"{n.nom} {unite.nombre(plies[n.nom])}"}
        for n in milieu.values()
    ] + [
        {"x": 205, "y": n.milieu, "texte": f"{n.nom} {unite.nombre(objectifs[n.nom])}"}
        for n in droite.values()
    ]
    x = {"type": "quantitative", "axis": None, "scale": {"domain": [-2, 240], "nice": False}}
    y = {"type": "quantitative", "axis": None, "scale": {"domain": [0, hauteur], "nice": False}}
    return {
        "width": _LARGEUR,
        "height": _HAUTEUR,
        "layer": [
            {
                "data": {"values": rubans},
                "mark": {"type": "area", "interpolate": "monotone", "opacity": 0.8},
                "encoding": {
                    "x": {**x, "field": "x"},
                    "y": {**y, "field": "bas"},
                    "y2": {"field": "haut"},
                    "detail": {"field": "ruban"},
                    "color": {"field": "teinte", "type": "nominal", "scale": None},
                },
            },
            {
                "data": {"values": noeuds},
                "mark": {"type": "rect", "color": MARINE},
                "encoding": {
                    "x": {**x, "field": "x"},
                    "x2": {"field": "x2"},
                    "y": {**y, "field": "bas"},
                    "y2": {"field": "haut"},
                },
            },
            {
                "data": {"values": noms},
                "mark": {"type": "text", "align": "left", "baseline": "middle", "color": ENCRE},
                "encoding": {
                    "x": {**x, "field": "x"},
                    "y": {**y, "field": "y"},
                    "text": {"field": "texte"},
                },
            },
        ],
    }


def _ruban(
    nom: str, x0: int, haut0: int, x1: int, haut1: int, montant: int, teinte: str
) -> list[dict[str, Any]]:
    """Return the points of a ribbon: a cubic that leaves and arrives flat."""
    points = []
    for pas in range(_PAS + 1):
        avance = 3 * pas**2 * _PAS - 2 * pas**3  # of _PAS ** 3
        haut = haut0 + (haut1 - haut0) * avance // _PAS**3
        points.append(
            {
                "ruban": nom,
                "x": x0 + (x1 - x0) * pas / _PAS,
                "haut": haut,
                "bas": haut - montant,
                "teinte": teinte,
            }
        )
    return points


def _tableau(
    paires: dict[tuple[str, str], int], plies: dict[str, int], objectifs: dict[str, int]
) -> Tableau:
    def ligne(nom: str, montants: dict[str, int], total: int) -> Ligne:
        return Ligne(
            {
                "plie": Cellule(nom),
                **{f"os-{rang}": Cellule(montants.get(o)) for rang, o in enumerate(objectifs)},
                "total": Cellule(total),
            }
        )

    return Tableau(
        titre="Subvention programmée, par PLIE et par objectif spécifique",
        colonnes=(
            Colonne("plie", "PLIE"),
            *(Colonne(f"os-{rang}", o, "euros") for rang, o in enumerate(objectifs)),
            Colonne("total", "Total", "euros"),
        ),
        lignes=tuple(
            ligne(plie, {o: m for (p, o), m in paires.items() if p == plie}, total)
            for plie, total in plies.items()
        ),
        total=ligne("Total", objectifs, sum(plies.values())),
    )
