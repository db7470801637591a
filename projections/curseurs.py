"""Long lists by pages: a keyset cursor, opaque to who reads it, that no insertion can shift."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from oi_service.errors import Refusal

LIMITE_PAR_DEFAUT = 50
#: Bounds the memory of one answer and the time that it holds a connection.
LIMITE_MAXIMALE = 200
#: Largest bigint.
_ENTIER_MAXIMAL = 2**63 - 1

T = TypeVar("T")


class CurseurInvalide(Refusal):
    """Le curseur « {apres} » n’est pas celui d’une page de cette liste : reprenez la valeur de
    « suivant » sans la modifier, avec le même tri et le même ordre.
    """


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; ``suivant`` is the cursor of the next one, ``None`` at the end."""

    lignes: tuple[T, ...]
    suivant: str | None


def paginer(
    lignes: Sequence[T], limite: int, liste: str, cle: Callable[[T], tuple[str | int, ...]]
) -> Page[T]:
    """Make a page of rows asked with ``LIMIT limite + 1``: the row too many says "there is more".

    ``liste`` names the list and its order, so that a cursor never serves another one.
    """
    gardees = tuple(lignes[:limite])
    reste = len(lignes) > limite
    return Page(gardees, ecrire(liste, cle(gardees[-1])) if reste else None)


def ecrire(liste: str, cle: tuple[str | int, ...]) -> str:
    """Write the place of a row in a list."""
    texte = json.dumps([liste, *cle], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(texte.encode()).decode().rstrip("=")


def lire(apres: str | None, liste: str, *types: type) -> tuple[str | int | None, ...]:
    """Return the place where the page begins; as many ``None`` as ``types`` for the first page.

    Raises: CurseurInvalide.
    """
    if apres is None:
        return (None,) * len(types)
    try:
        texte = base64.urlsafe_b64decode(apres + "=" * (-len(apres) % 4)).decode()
        nom, *cle = json.loads(texte)
    except (binascii.Error, ValueError, TypeError):
        raise CurseurInvalide(apres=apres) from None
    if nom != liste or [type(part) for part in cle] != list(types):
        raise CurseurInvalide(apres=apres)
    # What the database could not even compare was not written by us.
    if any("\0" in part if isinstance(part, str) else abs(part) > _ENTIER_MAXIMAL for part in cle):
        raise CurseurInvalide(apres=apres)
    return tuple(cle)
