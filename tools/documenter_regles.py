# ruff: noqa: INP001 - a command of the checkout, never imported
"""Write the table of docs/regles.md, every number of the texts, from rules/*.toml.

Run: ``uv run python tools/documenter_regles.py``; with ``--verifier``, only tell by the exit code
whether the file is up to date.
"""

import sys
from pathlib import Path

from api.filters import jour
from api.parametres import valeur_lisible
from rules.parametres import Parametre, fichiers, parametres_ecrits, themes

DOCUMENT = Path(__file__).parent.parent / "docs" / "regles.md"
_DEBUT = "<!-- valeurs : produit par tools/documenter_regles.py, ne pas modifier à la main -->\n"
_TETE = (
    "| Nombre | Valeur | Règlement | Vaut | Texte | Origine | Relu le |",
    "|---|---|---|---|---|---|---|",
)


def ligne(lu: Parametre, nombre: str) -> str:
    """Return the line of a value; ``nombre`` says what it is, once for all its values."""
    fin = f" au {jour(lu.jusqu_au)}" if lu.jusqu_au else ""
    cellules = (
        nombre,
        valeur_lisible(lu),
        lu.regime or "les deux",
        f"du {jour(lu.a_compter_du)}{fin}",
        lu.reference,
        lu.etiquette,
        jour(lu.verifie_le) if lu.verifie_le else "",
    )
    return f"| {' | '.join(cellules)} |"


def table() -> str:
    """Return every value ever written, file by file, number by number."""
    lus = list(parametres_ecrits())
    relus = sum(lu.verifie_le is not None for lu in lus)
    textes = sum(lu.etiquette == "source" for lu in lus)
    compte = f"{len(themes())} nombres, {len(lus)} valeurs datées : {textes} viennent d’un texte, "
    lines = [f"{compte}{relus} y ont été relues.", ""]
    for fichier, ecrits in fichiers().items():
        lines += [f"### `rules/{fichier}`", "", *_TETE]
        for nom in ecrits:
            premiere, *suite = (lu for lu in lus if lu.nom == nom)
            lines.append(ligne(premiere, f"{premiere.libelle}<br>`{nom}`"))
            lines += [ligne(lu, "") for lu in suite]
        lines.append("")
    return "\n".join(lines)


def document(present: str) -> str:
    """Return the document with its table as it must be; what people wrote above is theirs."""
    avant, marque, _ = present.partition(_DEBUT)
    if not marque:
        raise ValueError(f"{DOCUMENT.name} has lost the line {_DEBUT!r}")
    return f"{avant}{_DEBUT}\n{table()}"


def main() -> int:
    """Write the file, or say whether it is up to date."""
    present = DOCUMENT.read_text("utf-8")
    voulu = document(present)
    if "--verifier" in sys.argv[1:]:
        return int(present != voulu)
    DOCUMENT.write_text(voulu, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
