"""What the terminal shows of who pays beside the Fund: coverage of contreparties, and levier."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from rich.console import RenderableType
from rich.text import Text

from api.filters import entier, euros, jour, pourcent
from oi_service.terminal import ecriture, tableau
from projections.consolidation import Consolidation
from projections.couverture import ChiffresCouverture, Couverture, Manque
from projections.levier import BASES, Contributions, Formule, Levier, une_decimale
from projections.levier import deux_decimales as decimales

#: Columns from which the coverage is printed to the cent: it has many.
_LARGE_COUVERTURE = 160
_INDEFINI = "indéfini"
_MONTANTS_INVENTES = "Une partie des montants est inventée (démonstration)."


def afficher_levier(levier: Levier, largeur: int) -> Iterator[RenderableType]:
    """Yield the table by PLIE and its total, then how the total was found."""
    montant, unite = ecriture(largeur)
    tranche = "toutes tranches" if levier.annee is None else f"tranche {levier.annee}"
    base = BASES[levier.base]
    table = tableau(
        f"Levier : {base.fse_libelle}, apports {base.contreparties_libelle} ({tranche}, {unite})",
        ("FSE", "Directs", "Autres p.", "Privés", "Lev. FSE", "Lev. autres"),
    )
    for ligne in levier.lignes:
        nom = _nom(ligne.nom, ligne.oi_nom, levier.consolidation)
        table.add_row(nom, *_cellules_levier(ligne.contributions, ligne.formules, montant))
    table.add_section()
    table.add_row("Total", *_cellules_levier(levier.total, levier.formules, montant), style="bold")
    yield table
    yield Text(levier.definition)
    for formule in levier.formules:
        suite = (
            "" if formule.valeur is None else f" (soit {_virgule(une_decimale(formule.valeur))})"
        )
        yield Text(f"{formule.texte}{suite}.")
    yield Text("")
    for part in levier.total.parts:
        yield Text(f"  {part.type_libelle:<32}{euros(part.montant):>20}{pourcent(part.part):>10}")
    yield from _pied(levier.consolidation)


def _cellules_levier(
    trouvees: Contributions, formules: Iterable[Formule], montant: Callable[[int], str]
) -> list[str]:
    valeurs = {f.nom: f.valeur for f in formules}
    leviers = [_levier(valeurs["fse"]), _levier(valeurs["autres_publics"])] if valeurs else ["", ""]
    montants = (trouvees.fse, trouvees.directs, trouvees.autres_publics, trouvees.prives)
    return [*(montant(centimes) for centimes in montants), *leviers]


def _levier(valeur: Fraction | None) -> str:
    return _INDEFINI if valeur is None else _virgule(decimales(valeur))


def _virgule(nombre: str) -> str:
    return nombre.replace(".", ",")


def afficher_couverture(couverture: Couverture, largeur: int) -> Iterator[RenderableType]:
    """Yield the table and its total, then what is missing, funder by funder."""
    montant, unite = ecriture(largeur, _LARGE_COUVERTURE)
    table = tableau(
        f"Couverture des contreparties ({unite})",
        ("Besoin", "Attendu", "Attesté", "Perçu", "Affecté", "Retenu", "Prév.", "Aff."),
    )
    for ligne in couverture.lignes:
        nom = _nom(ligne.nom, ligne.oi_nom, couverture.consolidation)
        if couverture.par == "operation":
            nom = ligne.code if ligne.operation_id else f"{nom}, non affecté"
        table.add_row(nom, *_cellules_couverture(ligne.chiffres, montant))
    table.add_section()
    total = couverture.total
    table.add_row("Total", *_cellules_couverture(total, montant), style="bold")
    yield table
    yield Text(
        f"Autofinancement prévisionnel : {euros(total.autofinancement)}. "
        f"Découvert : {euros(total.decouvert)}, dont {euros(total.decouvert_clos)} d’opérations "
        "qui ne reçoivent plus d’affectation."
    )
    for manque in couverture.manques:
        yield Text(_phrase(manque))
    yield from _pied(couverture.consolidation)


def _cellules_couverture(chiffres: ChiffresCouverture, montant: Callable[[int], str]) -> list[str]:
    return [
        montant(chiffres.besoin),
        montant(chiffres.attendue),
        montant(chiffres.attestee),
        "" if chiffres.percue is None else montant(chiffres.percue),
        montant(chiffres.affectee),
        montant(chiffres.retenue),
        pourcent(chiffres.taux_previsionnel),
        pourcent(chiffres.taux_affecte),
    ]


def _phrase(manque: Manque) -> str:
    attente = "la convention" if manque.acte == "convention" else "la programmation"
    etat = "" if manque.ouvert else f", {manque.statut_libelle}"
    return (
        f"{manque.numero_mdfse}{etat} : il manque {euros(manque.manque)}, attendus de "
        f"« {manque.financeur} » ({manque.type_libelle}) depuis le {jour(manque.depuis)} selon "
        f"{attente}, pour le {jour(manque.echeance)} au plus tard."
    )


def _nom(nom: str, oi_nom: str | None, consolidation: Consolidation) -> str:
    """Say whose PLIE it is where there are several OI."""
    plusieurs = len({s.oi_id for s in consolidation.subventions}) > 1
    return f"{nom} ({oi_nom})" if plusieurs and oi_nom and oi_nom != nom else nom


def _pied(consolidation: Consolidation) -> Iterator[Text]:
    situation = consolidation.situation
    jusqu_au = "" if situation.effet_au is None else f", à effet du {jour(situation.effet_au)}"
    subventions = ", ".join(f"{s.oi_nom} {s.numero}" for s in consolidation.subventions)
    yield Text("")
    yield Text(
        f"{subventions or 'Aucune subvention globale'}. "
        f"Compté jusqu’à l’événement n° {entier(consolidation.position)}{jusqu_au}."
    )
    if consolidation.fictive:
        yield Text(_MONTANTS_INVENTES)
