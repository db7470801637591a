"""What the terminal shows of a difference between two situations, and of where a figure is from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from api.filters import entier, euros, insecable, instant, jour, pourcent
from oi_service.errors import Refusal
from projections.causes import CAUSES
from projections.curseurs import Page
from projections.difference import Chiffre, Difference
from projections.dossiers import operations
from projections.livre import Cause, Mouvement
from projections.maquette import charger
from projections.mesures import libelle, unite
from projections.perimetre import Perimetre
from projections.provenance import Provenance
from projections.situation import Situation

#: Events named under each cause, unless all are asked for.
_PREMIERS = 8


class PlieIntrouvable(Refusal):
    """Aucun PLIE ne s’appelle « {nom} » dans cette maquette : indiquez l’un de {connus}."""


class OperationIntrouvable(Refusal):
    """Aucune opération ne porte le numéro {numero}."""


def lire_plie(conn: Connection[TupleRow], perimetre: Perimetre, nom: str) -> str:
    """Return the identifier of a PLIE, of the réserve or of what nobody has, from what is typed.

    Raises: PlieIntrouvable.
    """
    maquette = charger(conn, perimetre)
    connus = {} if maquette is None else {p: n for p, n, _ in maquette.par_plie()}
    for plie_id, dit in connus.items():
        if nom.casefold() in {plie_id.casefold(), dit.casefold()}:
            return plie_id
    raise PlieIntrouvable(nom=nom, connus=", ".join(connus))


def lire_operation(conn: Connection[TupleRow], perimetre: Perimetre, numero: str) -> UUID:
    """Return the identifier of an operation from its number. Raises: OperationIntrouvable."""
    for ligne in operations(conn, perimetre, recherche=numero).lignes:
        if ligne.numero_mdfse == numero:
            return ligne.id
    raise OperationIntrouvable(numero=numero)


#: Reads the next page of movements from its cursor.
Suite = Callable[[str], Page[Mouvement]]


def afficher_difference(
    difference: Difference, suite: Suite, *, tout: bool
) -> Iterator[RenderableType]:
    """Yield the figures that differ, then each cause with its events and its sums."""
    de, a = _dire(difference.de), _dire(difference.a)
    table = Table(title=f"De « {de} » à « {a} »", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for titre in ("Avant", "Après", "Écart"):
        table.add_column(titre, justify="right", no_wrap=True)
    for chiffre in (*difference.chiffres, *difference.derives):
        if chiffre.ecart or len(difference.chiffres) == 1:
            table.add_row(chiffre.libelle, *_cellules(chiffre))
    for taux in difference.taux:
        if taux.avant != taux.apres:
            table.add_row(taux.libelle, pourcent(taux.avant), pourcent(taux.apres), "")
    yield table
    if not difference.causes:
        yield Text("Rien ne sépare ces deux situations.")
    yield from _causes(difference.causes, _tous(difference.mouvements, suite), tout=tout)
    yield Text("")
    for chiffre in difference.chiffres:
        causes = [c.montants.get(chiffre.mesure, 0) for c in difference.causes]
        if any(causes):
            termes = " ".join(_signe(chiffre.mesure, montant) for montant in causes if montant)
            yield Text(f"{chiffre.libelle} : {termes} = {_signe(chiffre.mesure, sum(causes))}")
    yield from _pied(difference.fictive)


def afficher_provenance(
    provenance: Provenance, suite: Suite, *, tout: bool
) -> Iterator[RenderableType]:
    """Yield a figure, then what it is made of: other figures, or movements cause by cause."""
    mesure, valeur = provenance.mesure, provenance.valeur
    dite = (
        pourcent(valeur) if valeur is None or isinstance(valeur, Fraction) else _dit(mesure, valeur)
    )
    yield Text(f"{provenance.libelle} ({_dire(provenance.situation)}) : {dite}", style="bold")
    if provenance.formule is not None:
        yield Text(f"= {provenance.formule}")
    for operande in provenance.operandes:
        yield Text(
            f"  {operande.libelle} : {_dit(operande.mesure, operande.valeur)}   "
            f"(--mesure {operande.mesure})"
        )
    yield from _causes(provenance.causes, _tous(provenance.mouvements, suite), tout=tout)
    yield from _pied(provenance.fictive)


def _tous(premiere: Page[Mouvement], suite: Suite) -> Iterator[Mouvement]:
    """Yield the movements of every page."""
    page = premiere
    yield from page.lignes
    while page.suivant is not None:
        page = suite(page.suivant)
        yield from page.lignes


def _causes(
    causes: Sequence[Cause], mouvements: Iterable[Mouvement], *, tout: bool
) -> Iterator[RenderableType]:
    """Yield each cause with its sums, then its events; movements come cause by cause."""
    sommes = {c.code: c for c in causes}
    for code, siens in groupby(mouvements, key=lambda x: x.cause):
        cause = sommes[code]
        yield Text("")
        yield Text(f"{CAUSES[code]} : {_evenements(cause.evenements)}", style="bold")
        for mesure, montant in cause.montants.items():
            yield Text(f"  {libelle(mesure)} {_signe(mesure, montant)}")
        par_evenement = (list(lignes) for _, lignes in groupby(siens, key=lambda x: x.position))
        for rang, lignes in enumerate(par_evenement):
            if tout or rang < _PREMIERS:
                yield from _evenement(lignes)
        if not tout and cause.evenements > _PREMIERS:
            restent = _evenements(cause.evenements - _PREMIERS)
            yield Text(f"    et {restent} de plus (--tout les montre).")


def _evenement(lignes: Sequence[Mouvement]) -> Iterator[RenderableType]:
    fait = lignes[0].evenement
    regles = "" if fait.version_regles is None else f" Règles {fait.version_regles}."
    yield Text(
        f"    n° {entier(fait.position)}, {jour(fait.date_effet)}, enregistré le "
        f"{instant(fait.enregistre_le)} par {fait.acteur} ({fait.role_libelle}) : "
        f"{insecable(fait.phrase)}{regles}"
    )
    # A transfer moves two cells, and a programming every funder of one: cell by cell, then summed.
    par_cellule: dict[str, Counter[str]] = {}
    for ligne in lignes:
        par_cellule.setdefault(_cellule(ligne), Counter())[ligne.mesure] += ligne.centimes
    for cellule, montants in par_cellule.items():
        dits = " ; ".join(f"{libelle(m)} {_signe(m, montant)}" for m, montant in montants.items())
        yield Text(f"        {cellule} : {dits}")


def _cellule(ligne: Mouvement) -> str:
    lieu = f"{ligne.plie_id} {ligne.annee} {ligne.objectif_specifique}".rstrip()
    return lieu if ligne.numero_mdfse is None else f"{lieu}, dossier {ligne.numero_mdfse}"


def _cellules(chiffre: Chiffre) -> list[str]:
    return [
        _dit(chiffre.mesure, chiffre.avant),
        _dit(chiffre.mesure, chiffre.apres),
        _signe(chiffre.mesure, chiffre.ecart),
    ]


def _dit(mesure: str, quantite: int) -> str:
    return entier(quantite) if unite(mesure) == "nombre" else euros(quantite)


def _signe(mesure: str, quantite: int) -> str:
    return f"{'+' if quantite > 0 else ''}{_dit(mesure, quantite)}"


def _evenements(nombre: int) -> str:
    return f"{entier(nombre)} événement{'s' if nombre > 1 else ''}"


def _dire(situation: Situation) -> str:
    """Say the two dates."""
    if situation.actuelle:
        return "tout ce qui est connu"
    effet = "" if situation.effet_au is None else f"effet au {jour(situation.effet_au)}"
    connu = "" if situation.connu_le is None else f"connu à l’événement n° {situation.connu_le}"
    return ", ".join(dit for dit in (effet, connu) if dit)


def _pied(fictive: bool) -> Iterator[Text]:  # noqa: FBT001 - the only thing it is told
    if fictive:
        yield Text("")
        yield Text("Démonstration : tous les montants et tous les bénéficiaires sont inventés.")
