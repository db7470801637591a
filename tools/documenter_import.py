# ruff: noqa: INP001 - a command of the checkout, never imported by it
"""Write docs/import.md: the templates, what a file may be, and every message of the corpus."""

import sys
import tomllib
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from api.classeurs import LIMITES, MODELES
from api.classeurs.feuilles import lettre
from api.filters import entier

RACINE = Path(__file__).parents[1]
DOCUMENT = RACINE / "docs" / "import.md"
ATTENDUS = RACINE / "tests" / "classeurs" / "attendus.toml"
_MO = 1024 * 1024


def document() -> str:
    """Return the whole document."""
    attendus = tomllib.loads(ATTENDUS.read_text(encoding="utf-8"))
    return "\n".join([*_tete(), *_modeles(), *_corpus(attendus)]) + "\n"


def _tete() -> list[str]:
    taille = (
        f"Limites : {LIMITES.octets // _MO} Mo, {LIMITES.octets_decompresses // _MO} Mo une fois "
        f"décompressé, {LIMITES.taux_de_compression} fois la taille compressée, "
        f"{entier(LIMITES.lignes)} lignes et {LIMITES.colonnes} colonnes par feuille, "
        f"{LIMITES.feuilles} feuilles."
    )
    return ["# Importer un classeur", "", *_TETE[:4], taille, "", *_TETE[4:], ""]


_TETE = """\
Ce document est écrit par `tools/documenter_import.py`, à partir des modèles et du corpus de \
classeurs de `tests/classeurs/` : ne le modifiez pas à la main.

Sont lus les classeurs `.xlsx` et `.ods`, et les fichiers `.csv` : séparés par des \
points-virgules, des tabulations ou des virgules, en UTF-8, UTF-16 ou Windows-1252, \
à virgule décimale, dates JJ/MM/AAAA.

Rien n’est enregistré par la lecture : une erreur écarte sa ligne, un avertissement se lit avant \
de confirmer. Le fichier annoté rend les mêmes lignes, avec les colonnes « Erreurs » et \
« Avertissements » et les cases fautives colorées.
""".splitlines()


def _modeles() -> list[str]:
    lignes = ["## Les modèles", ""]
    for modele in MODELES.values():
        for feuille in modele.feuilles:
            lignes += [
                f"### {modele.titre}, feuille « {feuille.nom} », version {modele.version}",
                "",
                "| | Titre | Obligatoire | Contenu | Depuis |",
                "|---|---|---|---|---|",
            ]
            for rang, colonne in enumerate(feuille.colonnes, start=1):
                anciens = ", ".join(
                    f"« {titre} » jusqu’à la version {version}"
                    for version, titre in (colonne.anciens or {}).items()
                )
                depuis = "; ".join(
                    x for x in (f"version {colonne.depuis}" * (colonne.depuis > 1), anciens) if x
                )
                lignes.append(
                    f"| {lettre(rang)} | {colonne.titre} | {'oui' if colonne.obligatoire else ''} "
                    f"| {_GENRES[colonne.genre]}. {colonne.aide}".rstrip()
                    + f" | {depuis} |"
                )
            lignes.append("")
    return lignes


_GENRES = {
    "texte": "Texte",
    "code": "Code",
    "jour": "Date",
    "montant": "Montant",
    "nombre": "Nombre",
    "pourcentage": "Pourcentage",
    "entier": "Nombre entier",
    "choix": "Liste",
    "identifiant": "Identifiant",
}


def _corpus(attendus: dict[str, dict[str, Any]]) -> list[str]:
    refuses = {nom: a for nom, a in attendus.items() if "refus" in a}
    lus = {nom: a for nom, a in attendus.items() if "refus" not in a}
    lignes = [
        "## Fichiers refusés en entier",
        "",
        "| Fichier du corpus | Message |",
        "|---|---|",
        *(f"| {_cellule(a['titre'])} | {_cellule(a['phrase'])} |" for a in refuses.values()),
        "",
        "## Fichiers lus",
        "",
        "| Fichier du corpus | Lignes | Retenues | Où | Message | Remède |",
        "|---|---|---|---|---|---|",
    ]
    for attendu in lus.values():
        debut = (
            f"| {_cellule(attendu['titre'])} | {entier(attendu['lignes'])} "
            f"| {entier(attendu['retenues'])} "
        )
        if not attendu.get("defauts"):
            lignes.append(f"{debut}| | | |")
        for defaut in attendu.get("defauts", ()):
            grave = "" if defaut["gravite"] == "erreur" else "Avertissement : "
            lignes.append(
                f"{debut}| {_cellule(defaut['ou'])} | {grave}{_cellule(defaut['message'])} "
                f"| {_cellule(defaut['remede'])} |"
            )
            debut = "| | | "
    return lignes


def _cellule(texte: str) -> str:
    return texte.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
