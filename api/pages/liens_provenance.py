"""The address of « D’où vient ce chiffre ? », for any amount of any page."""

from functools import lru_cache
from urllib.parse import urlencode


def provenance_url(mesure: str, **choix: object) -> str:
    """Return where a figure is explained.

    Args:
        mesure: the figure, by its name in `projections.mesures`.
        choix: which lines (``plie``, ``annee``, ``axe``, ``os``, ``dispositif``, ``operation``,
            ``financeur``, ``subvention``) and which dates (``au``, ``connu_le``); what is empty is
            left out.
    """
    dits = tuple((nom, str(valeur)) for nom, valeur in choix.items() if valeur not in (None, ""))
    return f"{_figure(mesure)}{_lignes(dits)}"


@lru_cache(maxsize=1 << 8)
def _figure(mesure: str) -> str:
    return f"/provenance?{urlencode({'mesure': mesure})}"


@lru_cache(maxsize=1 << 12)
def _lignes(dits: tuple[tuple[str, str], ...]) -> str:
    """Write which lines: a page asks it of each, for every amount of it."""
    return f"&{urlencode(dits)}" if dits else ""
