"""What the State expects to be certified by when, and what each PLIE foresees."""

from collections import Counter
from datetime import date
from typing import Annotated

from pydantic import Field

from aggregates.commande import Annee, Code, Commande, Saisie, Texte
from aggregates.subvention_globale.events import (
    MesurePrevue,
    ObjectifCertificationFixe,
    PrevisionDeposee,
    PrevisionTrimestre,
)
from aggregates.subvention_globale.maquette import exiger_plie
from aggregates.subvention_globale.state import LigneObjectif, SubventionGlobale
from oi_service.dates import Jour, fin_de_trimestre
from oi_service.errors import RuleBroken
from oi_service.money import Montant
from rules.degagement import echeance_degagement


class ObjectifSansLigne(RuleBroken):
    """Aucune ligne ouverte de la maquette n’a pour axe « {axe} » et pour objectif spécifique
    « {objectif_specifique} » : ouvrez d’abord la tranche, ou corrigez l’objectif de certification.
    """


class ObjectifAuDelaDeLaSubvention(RuleBroken):
    """L’objectif de {demande:euros} dépasse les {plafond:euros} de FSE de la subvention globale :
    un objectif se compte en FSE, depuis le début.
    """


class PrefinancementsSuperieurs(RuleBroken):
    """Les préfinancements ({prefinancements:euros}) dépassent l’objectif ({objectif:euros}) qu’ils
    couvrent.
    """


class DateLimiteAvantLEngagement(RuleBroken):
    """La date limite du {jour} précède l’année d’engagement, {annee} : vérifiez les deux."""


class ObjectifSousLePrecedent(RuleBroken):
    """L’objectif se compte depuis le début : au {jour}, {demande:euros} seraient moins que les
    {precedent:euros} déjà fixés au {jour_precedent}.
    """


class ObjectifAuDelaDuSuivant(RuleBroken):
    """L’objectif se compte depuis le début : au {jour}, {demande:euros} seraient plus que les
    {suivant:euros} déjà fixés au {jour_suivant}. Relevez d’abord celui-ci.
    """


class TrimestreRevolu(RuleBroken):
    """Le trimestre {trimestre} de {annee} est fini depuis le {fin} : une prévision porte sur un
    trimestre en cours ou à venir.
    """


class PrevisionEnDouble(RuleBroken):
    """Le trimestre {trimestre} de {annee} est prévu deux fois pour la même mesure ({mesure})."""


class FixerObjectifCertification(Commande):
    """Record a target received from the State. Left out, ``date_limite`` is that of the text.

    Left out, ``plie_id``, ``axe`` and ``objectif_specifique`` take them all together. A second
    target of the same line at the same day replaces the first.
    """

    plie_id: Code | None = None
    axe: Code | None = None
    objectif_specifique: Code | None = None
    annee_engagement: Annee
    date_limite: Jour | None = Field(
        None, description="Celle du dégagement d’office de cet engagement, à défaut."
    )
    montant_cumule: Montant = Field(description="FSE à certifier depuis le début, en euros.")
    prefinancements: Montant = Field(0, description="Part déjà couverte, en euros.")
    source: Texte = Field(description="Courrier ou acte qui fixe l’objectif.")


def fixer_objectif(
    subvention: SubventionGlobale, commande: FixerObjectifCertification
) -> list[ObjectifCertificationFixe]:
    """Record a target that only grows with its day, on a line of the grant."""
    if commande.plie_id is not None:
        exiger_plie(subvention, commande.plie_id)
    _exiger_ligne(subvention, commande)
    demande = commande.montant_cumule
    if demande > subvention.fse_total:
        raise ObjectifAuDelaDeLaSubvention(demande=demande, plafond=subvention.fse_total)
    if commande.prefinancements > demande:
        raise PrefinancementsSuperieurs(prefinancements=commande.prefinancements, objectif=demande)
    jour = commande.date_limite
    if jour is None:
        jour = echeance_degagement(commande.annee_engagement, subvention.cadre.reglement).jour
    if jour < date(commande.annee_engagement, 1, 1):
        raise DateLimiteAvantLEngagement(jour=jour, annee=commande.annee_engagement)
    _exiger_croissance(subvention, commande, jour)
    return [
        ObjectifCertificationFixe(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            plie_id=commande.plie_id,
            axe=commande.axe,
            objectif_specifique=commande.objectif_specifique,
            annee_engagement=commande.annee_engagement,
            date_limite=jour,
            montant_cumule_centimes=demande,
            prefinancements_centimes=commande.prefinancements,
            source=commande.source,
        )
    ]


def _exiger_ligne(subvention: SubventionGlobale, commande: FixerObjectifCertification) -> None:
    """A target that no expenditure could ever reach is a typing error."""
    if not any(
        commande.axe in {None, ligne.axe}
        and commande.objectif_specifique in {None, ligne.objectif_specifique}
        for ligne in subvention.tranches
    ):
        raise ObjectifSansLigne(
            axe=commande.axe or "tous",
            objectif_specifique=commande.objectif_specifique or "tous",
        )


def _exiger_croissance(
    subvention: SubventionGlobale, commande: FixerObjectifCertification, jour: date
) -> None:
    ligne = LigneObjectif(commande.plie_id, commande.axe, commande.objectif_specifique)
    demande = commande.montant_cumule
    for autre, montant in sorted(subvention.objectifs.get(ligne, {}).items()):
        if autre < jour and montant > demande:
            raise ObjectifSousLePrecedent(
                jour=jour, demande=demande, precedent=montant, jour_precedent=autre
            )
        if autre > jour and montant < demande:
            raise ObjectifAuDelaDuSuivant(
                jour=jour, demande=demande, suivant=montant, jour_suivant=autre
            )


class PrevisionSaisie(Saisie):
    """What a quarter should add to a measure of the maquette."""

    annee: Annee
    trimestre: Annotated[int, Field(strict=True, ge=1, le=4)]
    mesure: MesurePrevue
    montant: Montant


class DeposerPrevisions(Commande):
    """Say what a PLIE foresees; it replaces what it foresaw of the same quarters and measures."""

    plie_id: Code
    trimestres: tuple[PrevisionSaisie, ...] = Field(min_length=1, max_length=100)


def deposer_previsions(
    subvention: SubventionGlobale, commande: DeposerPrevisions
) -> list[PrevisionDeposee]:
    """Record what is still to come, once for each quarter and measure."""
    exiger_plie(subvention, commande.plie_id)
    for prevue in commande.trimestres:
        fin = fin_de_trimestre(prevue.annee, prevue.trimestre)
        if fin < commande.date_effet:
            raise TrimestreRevolu(trimestre=prevue.trimestre, annee=prevue.annee, fin=fin)
    prevues = Counter((p.annee, p.trimestre, p.mesure) for p in commande.trimestres)
    for (annee, trimestre, mesure), fois in prevues.items():
        if fois > 1:
            raise PrevisionEnDouble(annee=annee, trimestre=trimestre, mesure=mesure)
    return [
        PrevisionDeposee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            plie_id=commande.plie_id,
            trimestres=tuple(
                PrevisionTrimestre(
                    annee=p.annee,
                    trimestre=p.trimestre,
                    mesure=p.mesure,
                    montant_centimes=p.montant,
                )
                for p in commande.trimestres
            ),
        )
    ]
