"""The audits of a dossier on its page: where each stands, its findings, what is due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.filters import jour
from api.pages.ecriture import Lien, lien, majuscule, phrase
from projections.controles_operation import (
    Attente,
    ConstatDuControle,
    ControleVu,
    SuiteDuControle,
)
from projections.journal import EvenementLu

#: The acts of a control that lead to its findings, by the end of their name.
_ACTES: Mapping[str, str] = {
    "notifie.v1": "Notifié",
    "perimetre_rectifie.v1": "Périmètre rectifié",
    "commence.v1": "Commencé",
    "rapport_provisoire_recu.v1": "Rapport provisoire reçu",
    "delai_reponse_prolonge.v1": "Délai de réponse prolongé",
    "rapport_definitif_recu.v1": "Rapport définitif reçu",
    "suites_closes.v1": "Suites closes",
    "clos.v1": "Clos",
    "annule.v1": "Annulé",
}


@dataclass(frozen=True, slots=True)
class ConstatVu:
    """A finding; what is kept is absent until the final report."""

    titre: str
    constatation: str
    precision: str
    cout_total_propose: int
    fse_propose: int
    cout_total_retenu: int | None
    fse_retenu: int | None
    suites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DuVu:
    """Something that is due."""

    libelle: str
    echeance: date
    retard_jours: int


@dataclass(frozen=True, slots=True)
class ControleDeLaPage:
    """An audit of the dossier."""

    titre: str
    ancre: str
    statut: str
    niveau: str
    cout_total_controle: int
    actes: tuple[Lien, ...]
    constats: tuple[ConstatVu, ...]
    dus: tuple[DuVu, ...]


def controles_de_la_page(
    controles: Iterable[ControleVu], histoire: Sequence[EvenementLu]
) -> tuple[ControleDeLaPage, ...]:
    """Prepare the audits of a dossier, the last one first."""
    return tuple(_controle(vu, histoire) for vu in sorted(controles, key=_rang, reverse=True))


def _rang(vu: ControleVu) -> int:
    return vu.ligne.position


def _controle(vu: ControleVu, histoire: Sequence[EvenementLu]) -> ControleDeLaPage:
    ligne = vu.ligne
    resultat = f", {ligne.resultat_libelle}" if ligne.resultat_libelle else ""
    return ControleDeLaPage(
        titre=f"{ligne.reference}, {ligne.organisme_libelle}",
        ancre=f"controle-{ligne.position}",
        statut=f"{majuscule(ligne.statut_libelle)}{resultat}",
        niveau="attention" if any(due.retard_jours for due in vu.attentes) else "information",
        cout_total_controle=sum(o.cout_total_controle for o in vu.operations),
        actes=tuple(
            lien(lu, _ACTES[acte])
            for lu in histoire
            if lu.stream_id == ligne.id and (acte := lu.name.partition(".")[2]) in _ACTES
        ),
        constats=tuple(_constat(constat, vu.suites) for constat in vu.constats),
        dus=tuple(_du(due) for due in vu.attentes),
    )


def _constat(constat: ConstatDuControle, suites: Iterable[SuiteDuControle]) -> ConstatVu:
    issue = "" if constat.issue_libelle is None else f", {constat.issue_libelle}"
    return ConstatVu(
        titre=phrase(f"n° {constat.numero}, {constat.nature_libelle}{issue}"),
        constatation=constat.constatation,
        precision=" ; ".join(constat.reponses_libelles),
        cout_total_propose=constat.cout_total_propose,
        fse_propose=constat.fse_propose,
        cout_total_retenu=constat.cout_total_retenu,
        fse_retenu=constat.fse_retenu,
        suites=tuple(_suite(s) for s in suites if s.constat_numero == constat.numero),
    )


def _suite(suite: SuiteDuControle) -> str:
    quand = {
        "a_faire": f"à faire avant le {jour(suite.echeance)}",
        "executee": suite.executee_le and f"exécutée le {jour(suite.executee_le)}",
        "annulee": suite.annulee_le and f"annulée le {jour(suite.annulee_le)}",
    }[suite.statut]
    return f"{majuscule(suite.mesure_libelle)}, {quand}"


def _du(due: Attente) -> DuVu:
    quoi = due.action or majuscule(due.objet_libelle)
    return DuVu(
        libelle=phrase(f"Constat n° {due.constat_numero} : {quoi}"),
        echeance=due.echeance,
        retard_jours=due.retard_jours,
    )
