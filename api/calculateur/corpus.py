"""A corpus of cases replayed: what each expects beside what is computed."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from api.calculateur.cas import CasCouverture, CasMutualise, TousLesCas
from api.calculateur.reponse import en_json, un_cas

_ABSENT = "absent"


class Ecart(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that differs; ``lieu`` is its path in what is expected."""

    lieu: str
    attendu: str
    calcule: str


class Ligne(msgspec.Struct, frozen=True, kw_only=True):
    """A case replayed; the two figures are what it is about, in euros as they are written."""

    id: str
    titre: str
    attendu: str
    calcule: str
    ecarts: tuple[Ecart, ...]


def rejouer(cas: Sequence[TousLesCas]) -> Iterator[Ligne]:
    """Compute each case and compare, figure by figure and field by field, nothing left out."""
    for rang, un in enumerate(cas, 1):
        calcule = dict(_feuilles(en_json(un_cas(un))))
        attendu = dict(_feuilles(un.attendu))
        # Figures are compared in the order of what is computed; what is only expected comes last.
        lieux = dict.fromkeys([*calcule, *attendu])
        figure = _figure(un)
        yield Ligne(
            id=un.id or f"n° {rang}",
            titre=un.titre or "",
            attendu=attendu.get(figure, _ABSENT).strip('"'),
            calcule=calcule[figure].strip('"'),
            ecarts=tuple(
                Ecart(
                    lieu=lieu,
                    attendu=attendu.get(lieu, _ABSENT),
                    calcule=calcule.get(lieu, _ABSENT),
                )
                for lieu in lieux
                if attendu.get(lieu) != calcule.get(lieu)
            ),
        )


def _figure(cas: TousLesCas) -> str:
    """Return the path of the figure that a case is about."""
    if isinstance(cas, CasMutualise):
        return "#/pool_affecte"
    if isinstance(cas, CasCouverture):
        return "#/besoin_contrepartie"
    return f"#/{len(cas.bilans) - 1}/fse_du_cumule"


def _feuilles(valeur: Any, lieu: str = "#") -> Iterator[tuple[str, str]]:
    """Return every single value with its path; an empty list or object is a value."""
    if isinstance(valeur, dict) and valeur:
        for nom, contenu in valeur.items():
            yield from _feuilles(contenu, f"{lieu}/{nom}")
    elif isinstance(valeur, list) and valeur:
        for rang, contenu in enumerate(valeur):
            yield from _feuilles(contenu, f"{lieu}/{rang}")
    else:
        yield lieu, json.dumps(valeur, ensure_ascii=False)
