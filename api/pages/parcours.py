"""The life line of a dossier: what happened, where it stands, what is left to happen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from api.pages.ecriture import lien, majuscule
from projections.journal import EvenementLu

Etat = Literal["faite", "courante", "arret", "a_venir"]


@dataclass(frozen=True, slots=True)
class Etape:
    """A step; without a day it is ahead, or its fact has no day of its own."""

    libelle: str
    etat: Etat
    le: date | None = None
    lien: str | None = None


#: What happens to a dossier that goes to its end: fact, state that it leads to, words.
_CHEMIN = (
    ("operation.dossier_depose.v1", "depose", "Déposé"),
    ("operation.recevabilite_prononcee.v1", "recevable", "Recevable"),
    ("operation.rapport_instruction_valide.v1", "instruit", "Instruit"),
    ("operation.programmee.v1", "programme", "Programmé"),
    ("convention.notifiee.v1", "conventionne", "Conventionné"),
    ("operation.demarree.v1", "en_execution", "En exécution"),
    ("operation.realisation_terminee.v1", "realisation_terminee", "Réalisation terminée"),
    ("operation.bilan_final_depose.v1", "bilan_final_depose", "Bilan final déposé"),
    ("operation.soldee.v1", "solde", "Soldé"),
    ("operation.cloturee.v1", "cloture", "Clôturé"),
    ("operation.dossier_archive.v1", "archive", "Archivé"),
)
#: What stops a dossier, for good or until its money is settled.
_ARRETS = (
    ("operation.irrecevabilite_prononcee.v1", "irrecevable", "Irrecevable"),
    ("operation.refusee.v1", "refuse", "Refusé"),
    ("operation.dossier_retire.v1", "retire", "Retiré"),
    ("operation.deprogrammee.v1", "deprogramme", "Déprogrammé"),
    ("operation.abandonnee.v1", "abandonne", "Abandonné"),
    ("operation.resiliee.v1", "resilie", "Résilié"),
)
STATUTS_D_ARRET = frozenset(statut for _, statut, _ in _ARRETS)
#: States where a dossier waits between two steps, and the facts that lead to them.
_ATTENTES: Mapping[str, tuple[str, ...]] = {
    "complement_demande": ("operation.complement_demande.v1",),
    "en_instruction": ("operation.instruction_ouverte.v1", "operation.instruction_rouverte.v1"),
    "ajourne": ("operation.ajournee.v1",),
}
#: How far each state has come; one that stopped before its convention has no way left to go.
_RANGS: Mapping[str, int] = {statut: rang for rang, (_, statut, _) in enumerate(_CHEMIN)} | {
    "complement_demande": 0,
    "en_instruction": 1,
    "ajourne": 2,
    "abandonne": 7,
    "resilie": 7,
}
_TERME = len(_CHEMIN) - 1


def etapes(statut: str, libelle: str, lus: Sequence[EvenementLu]) -> tuple[Etape, ...]:
    """Return the steps in order; ``libelle`` is how the state of the dossier is said.

    A step that a later fact undid (an instruction opened again, a bilan sent back) is ahead again.
    """
    atteint = "instruit" if statut in {"instruit_favorable", "instruit_defavorable"} else statut
    rang = _RANGS.get(atteint, _TERME)
    derniers = {lu.name: lu for lu in lus}
    passees: list[tuple[int, str, Etape]] = []
    for nom, vers, mots in (*_CHEMIN[: rang + 1], *_ARRETS):
        if nom in derniers:
            etat: Etat = "arret" if vers in STATUTS_D_ARRET else "faite"
            passees.append((derniers[nom].position, vers, _etape(derniers[nom], mots, etat)))
    passees.sort(key=lambda passee: passee[0])
    faites = [etape for _, _, etape in passees]
    if passees[-1][1] != atteint:
        attente = [derniers[nom] for nom in _ATTENTES.get(statut, ()) if nom in derniers]
        faites.append(
            _etape(max(attente, key=lambda lu: lu.position), majuscule(libelle), "courante")
            if attente
            else Etape(majuscule(libelle), "courante")
        )
    elif faites[-1].etat == "faite":
        dernier = faites.pop()
        faites.append(Etape(majuscule(libelle), "courante", dernier.le, dernier.lien))
    return (*faites, *(Etape(mots, "a_venir") for _, _, mots in _CHEMIN[rang + 1 :]))


def _etape(lu: EvenementLu, mots: str, etat: Etat) -> Etape:
    vers = lien(lu, mots)
    return Etape(mots, etat, vers.le, vers.lien)
