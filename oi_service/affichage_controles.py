"""What the terminal shows of the audits of operations: where each stands, what is due and late."""

from collections.abc import Iterator, Sequence
from datetime import date

from rich.console import RenderableType
from rich.text import Text

from api.filters import entier, euros, jour
from oi_service.francais import compter
from projections.controles_operation import Attente, ControleVu, en_jeu


def afficher_controles(
    vus: Sequence[ControleVu], le: date, *, en_retard: bool
) -> Iterator[RenderableType]:
    """Yield each control with what is due about it, then what is at stake in all."""
    if not vus:
        quoi = "n’a d’échéance passée" if en_retard else "n’est connu"
        yield Text(f"Aucun contrôle d’opération {quoi} au {jour(le)}.")
        return
    for vu in vus:
        yield from _controle(vu, en_retard=en_retard)
    dues = [due for vu in vus for due in _gardees(vu, en_retard=en_retard)]
    if not dues:
        yield Text(f"Rien n’est dû au {jour(le)}.")
        return
    retards = sum(due.retard_jours > 0 for due in dues)
    enjeu = en_jeu(dues)
    yield Text(
        f"{compter(len(dues), 'attente(s)')} au {jour(le)}, dont {entier(retards)} en retard : "
        f"{euros(enjeu.cout_total)} de coût total et {euros(enjeu.fse)} de FSE en jeu."
    )


def _controle(vu: ControleVu, *, en_retard: bool) -> Iterator[Text]:
    ligne = vu.ligne
    resultat = f", {ligne.resultat_libelle}" if ligne.resultat_libelle else ""
    numeros = ", ".join(o.numero_mdfse for o in vu.operations)
    yield Text(
        f"{ligne.reference}, {ligne.organisme_libelle}, {numeros} : "
        f"{ligne.statut_libelle}{resultat}",
        style="bold",
    )
    yield Text(
        f"  Coût total contrôlé {euros(ligne.cout_total_controle)}, proposé "
        f"{euros(ligne.cout_total_propose)}, retenu {euros(ligne.cout_total_retenu)} ; FSE proposé "
        f"{euros(ligne.fse_propose)}, retenu {euros(ligne.fse_retenu)}"
    )
    for due in _gardees(vu, en_retard=en_retard):
        yield Text(f"  {_attente(due)}", style="red" if due.retard_jours else "")


def _gardees(vu: ControleVu, *, en_retard: bool) -> list[Attente]:
    return [due for due in vu.attentes if due.retard_jours or not en_retard]


def _attente(due: Attente) -> str:
    retard = f", en retard de {compter(due.retard_jours, 'jour(s)')}" if due.retard_jours else ""
    action = f" ({due.action})" if due.action else ""
    enjeu = f" : {euros(due.cout_total)} de coût total et {euros(due.fse)} de FSE"
    return (
        f"Constat n° {due.constat_numero}, {due.numero_mdfse}, {due.objet_libelle}{action} "
        f"avant le {jour(due.echeance)}{retard}{enjeu if due.cout_total or due.fse else ''}"
    )
