# ruff: noqa: INP001 - a command of the checkout, never imported
"""Write docs/droits.md, who may do what, from the rules that the doors apply.

Run: ``uv run python tools/documenter_droits.py``; with ``--verifier``, only tell by the exit code
whether the file is up to date.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.droits import DROITS, ROLES, Regle
from projections.histoire import ROLES as LIBELLES

TABLEAU = Path(__file__).parent.parent / "docs" / "droits.md"

_COLONNES = (
    "Gestionnaire",
    "Comptable",
    "Valideur",
    "Ordonnateur",
    "Directeur de PLIE",
    "Auditeur",
    "Administrateur",
)
_TRACES = {
    "export": "chaque export est tracé",
    "archive": "chaque archive est tracée",
    "telechargement": "chaque téléchargement est tracé",
}
#: What the description of the JSON door says nothing of.
_PAGES = "Pages"
_SANS_TEXTE = {"accueil": "Mène à la maquette", "openapi": "Décrit la porte JSON"}

_ENTETE = """\
# Qui a droit à quoi

Ce fichier est produit par `tools/documenter_droits.py` à partir de `api/droits.py`, que les portes
appliquent : ne le modifiez pas à la main. Une adresse sans règle empêche le service de démarrer.

Il compte {adresses} adresses : {publiques} ouvertes à tous, {comptes} à tout compte (chacun pour ce
qui est à lui), {roles} à des rôles. Une case cochée (✓) dit que le rôle y a accès ; vide, que la
demande est refusée (`401` sans session ni jeton, `403` sinon) avant que rien ne soit lu ni écrit.

Les rôles :

{libelles}

Une personne peut en tenir plusieurs, entre des dates, chacun pour l’OI entier ou pour des PLIE
nommés ; un auditeur n’est qu’auditeur.

- **Territoire.** Qui ne tient un rôle que pour des PLIE ne lit que ce qui est d’eux, et les totaux
  de l’OI ; ce qui est d’un autre PLIE lui est répondu comme ce qui n’existe pas. Il n’écrit que sur
  eux. Un directeur n’a jamais que des PLIE nommés.
- **Lire** additionne ce que montrent tous les rôles tenus ; **écrire** se fait dans un seul.
- **Signature** : l’adresse demande un code du second facteur, donné depuis quelques minutes.
- Un jeton d’accès n’a que les rôles choisis à sa création, parmi ceux de son compte ; en lecture
  seule, il n’enregistre rien.
- Ce qu’une personne ne peut pas faire après un autre de ses actes (valider ce qu’elle a instruit,
  payer ce qu’elle a préparé…) n’est pas ici : les décisions le refusent une par une.
"""


@dataclass(frozen=True, slots=True)
class Adresse:
    """A line of the table."""

    chapitre: str
    methode: str
    chemin: str
    quoi: str
    regle: Regle


def adresses() -> list[Adresse]:
    """Return every address of the doors, in the order of its chapter."""
    # Rules ask nothing of what the doors open on.
    rien: Any = object()
    app = create_app(rien, portier=rien)
    decrites = app.openapi()["paths"]
    return list(_lire(iter_route_contexts(app.routes), decrites))


def _lire(contextes: Any, decrites: dict[str, Any]) -> Iterator[Adresse]:
    for contexte in contextes:
        if contexte.path is None or contexte.path == "/static":
            continue
        methodes = sorted(set(contexte.methods or {"GET"}) - {"HEAD"})
        for methode in methodes:
            decrite = decrites.get(contexte.path, {}).get(methode.lower())
            dite = (contexte.endpoint.__doc__ or "").strip().partition("\n")[0]
            yield Adresse(
                chapitre=decrite["tags"][0] if decrite else _PAGES,
                methode=methode,
                chemin=contexte.path,
                quoi=decrite["summary"]
                if decrite
                else dite.rstrip(".") or _SANS_TEXTE[contexte.name],
                regle=DROITS[contexte.name],
            )


def tableau() -> str:
    """Return the text of the file."""
    toutes = adresses()
    par_chapitre: dict[str, list[Adresse]] = defaultdict(list)
    for adresse in toutes:
        par_chapitre[adresse.chapitre].append(adresse)
    regles = [adresse.regle for adresse in toutes]
    parts = [
        _ENTETE.format(
            adresses=len(toutes),
            publiques=sum(regle.publique for regle in regles),
            comptes=sum(not regle.publique and regle.roles is None for regle in regles),
            roles=sum(regle.roles is not None for regle in regles),
            libelles="\n".join(f"- `{role}` : {LIBELLES[role]}" for role in ROLES),
        )
    ]
    for chapitre, lignes in par_chapitre.items():
        parts.append(f"\n## {chapitre}\n\n")
        parts.append(f"| Adresse | Ce qu’on y fait | {' | '.join(_COLONNES)} | Condition |\n")
        parts.append(f"|---|---|{':-:|' * len(_COLONNES)}---|\n")
        parts.extend(_ligne(ligne) for ligne in lignes)
    return "".join(parts)


def _ligne(adresse: Adresse) -> str:
    cases = ["✓" if _ouverte(adresse.regle, role) else "" for role in ROLES]
    colonnes = [
        f"`{adresse.methode} {adresse.chemin}`",
        adresse.quoi,
        *cases,
        _condition(adresse.regle),
    ]
    return "| " + " | ".join(colonnes) + " |\n"


def _ouverte(regle: Regle, role: str) -> bool:
    return regle.publique or regle.roles is None or role in regle.roles


def _condition(regle: Regle) -> str:
    dites = []
    if regle.publique:
        dites.append("ouverte à tous, sans compte")
    elif regle.roles is None:
        dites.append("tout compte, même sans rôle")
    if regle.renforcee:
        dites.append("**signature** : second facteur récent")
    if regle.trace is not None:
        dites.append(_TRACES[regle.trace])
    if regle.sans_second_facteur:
        dites.append("même avant d’installer le second facteur")
    return " ; ".join(dites)


def main() -> int:
    """Write the file, or say whether it is up to date."""
    text = tableau()
    if "--verifier" not in sys.argv[1:]:
        TABLEAU.write_text(text, "utf-8")
        return 0
    return int(not TABLEAU.exists() or TABLEAU.read_text("utf-8") != text)


if __name__ == "__main__":
    sys.exit(main())
