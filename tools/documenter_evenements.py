# ruff: noqa: INP001 - a command of the checkout, never imported
"""Write docs/evenements.md, the catalogue of the events, from what the code registers.

Run: ``uv run python tools/documenter_evenements.py``; with ``--verifier``, only tell by the exit
code whether the file is up to date.
"""

import re
import sys
import types
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from oi_service.codec import REGISTRY, Evenement
from projections.histoire import PHRASES
from projections.maquette import QUANTITES
from projections.mouvements import MESURES_CONTREPARTIES
from projections.reprises import MESURES as MESURES_REPRISES

RACINE = Path(__file__).parent.parent
CATALOGUE = RACINE / "docs" / "evenements.md"
REGLES = tuple(RACINE / "projections" / nom for nom in ("mouvements.sql", "reprises.sql"))

_TYPES = {
    str: "texte",
    int: "entier",
    bool: "oui ou non",
    date: "jour",
    Decimal: "nombre décimal",
    UUID: "identifiant",
    type(None): "rien",
}

#: What a field that may be absent holds when it is.
_ABSENT = frozenset((type(None), msgspec.UnsetType))

_MESURES = (*QUANTITES, *MESURES_CONTREPARTIES, *MESURES_REPRISES)

_AGREGATS = {
    "subvention_globale": "Subvention globale",
    "appel_a_projets": "Appel à projets",
    "audit": "Audit : dossiers de travail",
    "operation": "Opération",
    "convention": "Convention",
    "depense": "Dépense",
    "contrepartie": "Contrepartie",
    "controle_operation": "Contrôle d’opération",
    "lot": "Lot importé d’un classeur",
    "registre": "Registre",
    "personne": "Personne",
    "compte": "Compte",
    "reprise": "Opération reprise",
}

_ENTETE = """\
# Catalogue des événements

Ce fichier est produit par `tools/documenter_evenements.py` : ne le modifiez pas à la main.

Le journal tient {nombre} événements différents. Chacun porte, outre les champs de sa ligne, les
colonnes de l’enveloppe : `date_effet` (jour où l’acte compte, à Paris), `enregistre_le` (instant où
le service l’a su, UTC), `acteur`, `role`, `motif`, `pieces` (par empreinte SHA-256), `oi_id`,
`reglement`, `command_id`, `correlation_id`, `cause_id`, et son rang `position` dans le journal.
Les champs en `_centimes` sont des centimes d’euro, entiers. Un champ suivi de « ? » peut manquer.

La phrase citée est celle du journal ; entre accolades, les champs qu’elle reprend. Les mouvements
sont les mesures du grand livre que l’événement fait bouger (`projections/mouvements.sql`, et
`projections/reprises.sql` pour les opérations reprises).
"""


def mesures() -> dict[str, list[str]]:
    """Return the measures that the posting rules move, by event: each SELECT names both."""
    found: dict[str, set[str]] = defaultdict(set)
    sql = " UNION ALL ".join(re.sub(r"--.*", "", f.read_text("utf-8")) for f in REGLES)
    for block in re.split(r"\bUNION ALL\b|\),\s+\w+ \(|\),\s+lignes AS", sql):
        quoted = re.findall(r"'([^']*)'", block)
        for name in quoted:
            if name in REGISTRY.classes:
                found[name] |= set(quoted) & set(_MESURES)
    return {name: [q for q in _MESURES if q in moved] for name, moved in found.items()}


def libelle(kind: Any) -> str:
    """Say a type as a reader of the log sees it."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in _TYPES:
        return _TYPES[kind]
    if origin is Literal:
        return " ou ".join(f"`{value}`" for value in args)
    if origin in {Union, types.UnionType}:
        present = [libelle(a) for a in args if a not in _ABSENT]
        return " ou ".join(present)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return f"liste ({libelle(args[0])})"
        return "couple (" + ", ".join(libelle(a) for a in args) + ")"
    if origin is dict:
        return f"table ({libelle(args[0])} → {libelle(args[1])})"
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def champs(cls: type[msgspec.Struct], *, sauf: tuple[str, ...] = ()) -> list[str]:
    """Return one cell per field: name, ``?`` when it may be absent, type."""
    hints = get_type_hints(cls)
    return [
        f"`{field}`{'' if _ABSENT.isdisjoint(get_args(hints[field])) else '?'} : "
        f"{libelle(hints[field])}"
        for field in cls.__struct_fields__
        if field not in sauf
    ]


def structures() -> dict[str, type[msgspec.Struct]]:
    """Return every value that an event carries, at any depth, by name."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting: list[Any] = list(REGISTRY.classes.values())
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if not issubclass(kind, Evenement):
                if kind.__name__ in found:
                    continue
                found[kind.__name__] = kind
            waiting.extend(get_type_hints(kind).values())
    return dict(sorted(found.items()))


def catalogue() -> str:
    """Return the whole file."""
    moved = mesures()
    communs = Evenement.__struct_fields__
    lines = [_ENTETE.format(nombre=len(REGISTRY.classes))]
    for prefix, titre in _AGREGATS.items():
        lines += [f"## {titre}", ""]
        for name, cls in REGISTRY.classes.items():
            if name.partition(".")[0] != prefix:
                continue
            lines += [
                f"### `{name}`",
                "",
                f"Classe `{cls.__name__}`.",
                "",
                f"> {PHRASES[name]}.",
                "",
            ]
            lines += [f"- {champ}" for champ in champs(cls, sauf=communs)] or ["Aucun champ."]
            quantites = ", ".join(f"`{q}`" for q in moved.get(name, ()))
            lines += ["", f"Mouvements : {quantites}." if quantites else "Aucun mouvement.", ""]
    lines += ["## Valeurs", ""]
    for nom, structure in structures().items():
        lines += [f"### {nom}", "", *(f"- {champ}" for champ in champs(structure)), ""]
    if REGISTRY.upcasts:
        lines += ["## Anciennes versions", "", "Elles restent au journal et se lisent ainsi :", ""]
        lines += [f"- `{old}` → `{new}`" for old, (new, _) in sorted(REGISTRY.upcasts.items())]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Write the file, or say whether it is up to date."""
    text = catalogue()
    if "--verifier" not in sys.argv[1:]:
        CATALOGUE.write_text(text, "utf-8")
        return 0
    return int(not CATALOGUE.exists() or CATALOGUE.read_text("utf-8") != text)


if __name__ == "__main__":
    sys.exit(main())
