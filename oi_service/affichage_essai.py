"""What the terminal shows of a trial: what became of each command, the maquette, the log."""

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.essai import CommandeJouee, Comparaison, Essai, MaquetteComparee
from api.filters import entier, euros
from api.pages.definitions import MONTANTS, SOLDES

#: Shown of each PLIE even when they do not change.
_TOUJOURS = {"fse_maquette", "disponible_a_programmer"}
_INCHANGE = "="


def afficher_essai(essai: Essai) -> Iterator[RenderableType]:
    """Yield a line for each command, a table for each maquette, and where the log stands."""
    for jouee in essai.commandes:
        yield from _commande(jouee)
    for maquette in essai.maquettes:
        yield _table(maquette)
    refusees = len(essai.regles_enfreintes)
    if refusees:
        yield Text(
            f"Commandes refusées : {refusees} sur {len(essai.commandes)} ; les chiffres sont ceux "
            "des autres."
        )
    yield Text(_journal(essai))


def _commande(jouee: CommandeJouee) -> Iterator[Text]:
    yield Text(f"{'✗' if jouee.refus else '✓'} n° {jouee.rang}  {jouee.chemin}")
    for fait in jouee.evenements:
        yield Text(f"      {fait.phrase}")
    if jouee.refus is None:
        return
    article = f" ({jouee.refus.article})" if jouee.refus.article else ""
    yield Text(f"      {jouee.refus.detail}{article}")
    for defaut in jouee.refus.errors or ():
        yield Text(f"        {defaut.pointer} : {defaut.message}")


def _table(maquette: MaquetteComparee) -> Table:
    fictive = ", montants inventés" if maquette.fictive else ""
    table = Table(
        title=f"{maquette.oi_nom}, subvention globale {maquette.numero} (euros{fictive})",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("")
    table.add_column("FSE", no_wrap=True)
    for titre in ("Avant", "Après", "Écart"):
        table.add_column(titre, justify="right", no_wrap=True)
    for plie in maquette.par_plie:
        _ajouter(table, plie.plie_nom, plie.chiffres)
    table.add_section()
    _ajouter(table, "Total OI", maquette.total)
    return table


def _ajouter(table: Table, nom: str, chiffres: Comparaison) -> None:
    """Add a row for each quantity that moves, and for those that are always looked at."""
    for definition in (*MONTANTS, *SOLDES):
        ecart = chiffres.ecarts.get(definition.nom, 0)
        if not ecart and definition.nom not in _TOUJOURS:
            continue
        table.add_row(
            nom,
            definition.libelle,
            euros(getattr(chiffres.avant, definition.nom)),
            euros(getattr(chiffres.apres, definition.nom)),
            f"{'+' if ecart > 0 else ''}{euros(ecart)}" if ecart else _INCHANGE,
        )
        nom = ""


def _journal(essai: Essai) -> str:
    avant, apres = (entier(p) for p in (essai.position_avant, essai.position_apres))
    if avant == apres:
        return f"Rien n’est enregistré : le journal reste à l’événement n° {avant}."
    return (
        f"Rien de l’essai n’est enregistré : le journal en était à l’événement n° {avant} ; il est "
        f"à l’événement n° {apres}, par d’autres que lui."
    )
