"""What the terminal shows of persons, to whoever holds the vault."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from aggregates.personne.events import NATURES
from api.filters import jour
from oi_service.francais import compter
from projections.personnes import PersonneLue

_SANS_IDENTITE = "illisible : sa clé manque au coffre, ou ne l’ouvre pas"


def afficher_personnes(personnes: Sequence[PersonneLue]) -> Iterator[RenderableType]:
    """Yield two lines a person: who, then what they document."""
    for personne in personnes:
        yield Text(f"{personne.id}  {NATURES[personne.nature]} : {_identite(personne)}")
        operations = ", ".join(map(str, personne.operations)) or "aucune"
        yield Text(f"    opérations : {operations}")
    yield Text(f"{compter(len(personnes), 'personne(s)')}.")


def _identite(personne: PersonneLue) -> str:
    if personne.effacement is not None:
        return f"effacée le {jour(personne.effacement.le)}"
    identite = personne.identite
    if identite is None:
        return _SANS_IDENTITE
    dits = (
        identite.nom,
        identite.fonction,
        identite.reference,
        identite.courriel,
        identite.telephone,
    )
    return ", ".join(dit for dit in dits if dit)
