"""How a draw is shown in the terminal, and what to do to make it again."""

from collections.abc import Iterator
from fractions import Fraction

from rich import box
from rich.console import RenderableType
from rich.table import Table

from api.filters import entier, euros
from oi_service.errors import french_euros
from oi_service.francais import compter
from oi_service.money import round_cents
from oi_service.tirage import Tire
from projections.audit import EchantillonAudite
from projections.histoire import METHODES_DE_TIRAGE
from rules.tirages import CONDITION_DE_L_EXTRAPOLATION


def afficher_tirage(tire: Tire) -> Iterator[RenderableType]:
    """Yield the parts of a draw: where it is kept, what it took, how to make it again."""
    figee, echantillon = tire.population, tire.echantillon
    yield f"Dossier de travail {tire.dossier.id} ({tire.dossier.reference})."
    yield (
        f"Population {figee.id}, figée à l’événement n° {entier(figee.position)} : "
        f"{compter(figee.nombre, 'dépense(s)')}, {french_euros(figee.total)}, dont "
        f"{compter(figee.a_part_nombre, 'mise(s) à part, de montant nul ou négatif')} "
        f"({french_euros(figee.a_part)})."
    )
    yield (
        f"Échantillon {echantillon.id} : tirage n° {echantillon.rang} de cette population, "
        f"{METHODES_DE_TIRAGE[echantillon.methode]}."
    )
    if echantillon.tirages > 1:
        yield f"Cette population a été tirée {echantillon.tirages} fois ; tout est conservé."
    yield _table(echantillon)
    yield from _strates(echantillon)
    yield (
        f"Pour le refaire : la liste figée a pour SHA-256 {figee.empreinte} ; la graine est "
        f"« {echantillon.graine} », l’algorithme {echantillon.algorithme}, que docs/tirages.md "
        "décrit pas à pas."
    )
    yield (
        "L’archive complète (« oi archive --tout ») contient ce tirage, et le programme qui le "
        "refait seul."
    )
    yield CONDITION_DE_L_EXTRAPOLATION


def _table(echantillon: EchantillonAudite) -> Table:
    made = Table(title="Dépenses tirées", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    made.add_column("N°", justify="right")
    made.add_column("Dépense", no_wrap=True)
    made.add_column("Montant", justify="right", no_wrap=True)
    made.add_column("Strate")
    made.add_column("")
    for rang, unite in enumerate(echantillon.tirage, 1):
        prise = "prise d’office" if unite.exhaustive else ""
        made.add_row(str(rang), str(unite.depense_id), euros(unite.montant), unite.strate, prise)
    made.add_section()
    total = euros(echantillon.tirage_montant)
    made.add_row(str(len(echantillon.tirage)), "Total", total, "", "", style="bold")
    return made


def _strates(echantillon: EchantillonAudite) -> Iterator[str]:
    """Say how each stratum was drawn."""
    for strate in echantillon.strates:
        nom = f"Strate {strate.code} : " if strate.code else ""
        tirees = strate.exhaustives_nombre + strate.tirees_nombre
        compte = f"{nom}{tirees} sur {entier(strate.nombre)}"
        if strate.depart is None:
            yield f"{compte}."
            continue
        intervalle = round_cents(Fraction(strate.base_centimes, strate.tirees_nombre))
        yield (
            f"{compte}, dont {strate.exhaustives_nombre} d’office ; intervalle de "
            f"{french_euros(intervalle)} ({french_euros(strate.base_centimes)} / "
            f"{strate.tirees_nombre}), départ {strate.depart}."
        )
