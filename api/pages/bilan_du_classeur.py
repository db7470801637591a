"""The bilan that a workbook of ressources is filed with: its fields, on the page of the preview.

They are those of the form of a bilan, made from the same command and prepared in the same way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from aggregates.lot.importation import ImporterLotRessources
from api.deps import LectureOuverte
from api.pages.actes.champs import Groupe, forme
from api.pages.actes.preparations import preparation
from api.pages.actes.saisie import Plat, aplatir, construire, rangs
from api.pages.actes.sujets import Sujet, sujet_de
from api.pages.actes.vue import Champ, Formes
from api.pages.formulaires import Defaut, SaisieRefusee

_NOM = "bilan"
_UNITES = f"{_NOM}.unites"


def _groupe() -> Groupe:
    [groupe] = (e for e in forme(ImporterLotRessources).enfants if e.nom == _NOM)
    assert isinstance(groupe, Groupe)
    return groupe


@dataclass(frozen=True, slots=True)
class BilanVu:
    """What the page shows of the bilan: its dossier, its fields, what to look at."""

    sujet: Sujet
    champs: tuple[Champ, ...]
    avertissements: tuple[str, ...]
    resume: tuple[tuple[str, str], ...]


def bilan_vu(
    lecture: LectureOuverte,
    operation_id: UUID,
    saisi: Plat | None,
    defauts: Sequence[Defaut] = (),
) -> BilanVu:
    """Return the fields as they were typed; before that, as the next bilan of the dossier."""
    cibles = {"operation_id": operation_id}
    prete = preparation("deposer_bilan", lecture, cibles)
    sujet = sujet_de(lecture, cibles)
    assert sujet is not None
    groupe = _groupe()
    plat = aplatir(groupe, prete.initiales, _NOM) if saisi is None else saisi
    formes = Formes(
        plat=plat,
        options={f"{_NOM}.{nom}": options for nom, options in prete.options.items()},
        caches=frozenset(),
        fautifs=frozenset(d.champ for d in defauts if d.champ),
    )
    # A list without anything to choose from is not asked for; units have a field each.
    montres = replace(
        groupe,
        enfants=tuple(
            e
            for e in groupe.enfants
            if e.nom != "unites" and (e.nom not in prete.options or prete.options[e.nom])
        ),
    )
    return BilanVu(
        sujet=sujet,
        champs=(
            *formes.champs(montres, _NOM, _NOM),
            *_unites(prete.options.get("unites.poste", ()), plat),
        ),
        avertissements=prete.avertissements,
        resume=prete.resume,
    )


def _unites(postes: Sequence[tuple[str, str]], plat: Plat) -> Iterator[Champ]:
    for rang, (code, libelle) in enumerate(postes):
        ici = f"{_UNITES}.{rang}"
        yield Champ("feuille", f"{ici}.poste", libelle, genre="cache", valeurs=(code,))
        yield Champ(
            "feuille",
            f"{ici}.quantite",
            f"Unités réalisées, {libelle}",
            genre="nombre",
            valeurs=tuple(plat.get(f"{ici}.quantite", ())),
        )


def bilan_saisi(plat: Plat) -> Mapping[str, Any]:
    """Return the bilan that was typed, as the JSON door takes it.

    Raises: SaisieRefusee.
    """
    vides = tuple(
        f"{_UNITES}.{rang}."
        for rang in rangs(plat, _UNITES)
        if not any(x.strip() for x in plat.get(f"{_UNITES}.{rang}.quantite", ()))
    )
    dit = {nom: valeurs for nom, valeurs in plat.items() if not nom.startswith(vides)}
    illisibles: list[Defaut] = []
    corps: Mapping[str, Any] = construire(_groupe(), dit, illisibles, _NOM)
    if illisibles:
        raise SaisieRefusee(illisibles)
    return corps
