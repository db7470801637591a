"""What the auditor finds in what was drawn, and what it says of the whole population."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from aggregates.audit.dossier import exiger_en_cours
from aggregates.audit.echantillons import echantillon_de
from aggregates.audit.events import (
    ConstatAuditCorrige,
    ConstatAuditNote,
    ResultatAuditArrete,
    ResultatStrate,
)
from aggregates.audit.state import Constat, DossierAudit, Echantillon
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, CommandeMotivee, Saisie, Texte
from oi_service.errors import Conflict, NotFound, RuleBroken
from oi_service.money import Montant
from rules.tirages import ALGORITHMES, Extrapolation, Strate, Tirage, extrapoler


class EchantillonSuivi(RuleBroken):
    """Cet échantillon est étendu ou remplacé par {suivi_par} : notez et arrêtez sur ce dernier."""


class DepenseNonTiree(RuleBroken):
    """La dépense {depense_id} n’est pas de cet échantillon : elle n’a pas été tirée."""


class ErreurSuperieureAuMontant(RuleBroken):
    """L’erreur notée sur la dépense {depense_id}, {erreur:euros}, dépasse son montant de
    {montant:euros}.
    """


class ConstatAuditDejaNote(Conflict):
    """Un autre constat est déjà noté sur la dépense {depense_id} : corrigez-le, il restera dans le
    dossier de travail.
    """


class ConstatAuditAbsent(NotFound):
    """Aucun constat n’est noté sur la dépense {depense_id} dans cet échantillon."""


class ConstatsAuditManquants(RuleBroken):
    """Le résultat ne s’arrête pas encore : il manque le constat de {nombre:dépense(s) tirée(s)}.
    Une dépense sans erreur se note aussi, à zéro.
    """


class ConstatSaisi(Saisie):
    """The error found in a dépense, zero included."""

    depense_id: UUID
    erreur: Montant
    commentaire: Texte


class NoterConstats(Commande):
    """Note what was found. Texts name no person: the log keeps them for ever."""

    constats: Annotated[tuple[ConstatSaisi, ...], Field(min_length=1, max_length=500)]


def noter(
    dossier: DossierAudit, commande: NoterConstats, echantillon_id: UUID
) -> list[ConstatAuditNote]:
    """Note findings on dépenses drawn; one that is noted already, in the same words, stays."""
    exiger_en_cours(dossier, "Noter un constat", commande.date_effet)
    echantillon = _dernier(dossier, echantillon_id)
    exiger_pas_avant(
        commande.date_effet, "Noter un constat", echantillon.tire_le, "l’échantillon a été tiré"
    )
    montants = {u.depense_id: u.montant_centimes for u in echantillon.tirage}
    faits: dict[UUID, ConstatAuditNote] = {}
    for saisi in commande.constats:
        _exiger_possible(montants, saisi.depense_id, saisi.erreur)
        deja = echantillon.constats.get(saisi.depense_id)
        if saisi.depense_id in faits:
            raise ConstatAuditDejaNote(depense_id=saisi.depense_id)
        if deja is not None:
            if (deja.erreur, deja.commentaire) != (saisi.erreur, saisi.commentaire):
                raise ConstatAuditDejaNote(depense_id=saisi.depense_id)
            continue
        faits[saisi.depense_id] = ConstatAuditNote(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            echantillon_id=echantillon_id,
            depense_id=saisi.depense_id,
            montant_centimes=montants[saisi.depense_id],
            erreur_centimes=saisi.erreur,
            commentaire=saisi.commentaire,
        )
    return list(faits.values())


class CorrigerConstat(CommandeMotivee):
    """Note otherwise; what was noted before stays in the file."""

    erreur: Montant
    commentaire: Texte


def corriger(
    dossier: DossierAudit, commande: CorrigerConstat, echantillon_id: UUID, depense_id: UUID
) -> list[ConstatAuditCorrige]:
    """Correct a finding; a result that stood on it is to be fixed again."""
    exiger_en_cours(dossier, "Corriger un constat", commande.date_effet)
    echantillon = _dernier(dossier, echantillon_id)
    montants = {u.depense_id: u.montant_centimes for u in echantillon.tirage}
    _exiger_possible(montants, depense_id, commande.erreur)
    avant = _constat_de(echantillon, depense_id)
    if (avant.erreur, avant.commentaire) == (commande.erreur, commande.commentaire):
        return []
    exiger_pas_avant(
        commande.date_effet, "Corriger un constat", avant.note_le, "ce constat a été noté"
    )
    return [
        ConstatAuditCorrige(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            echantillon_id=echantillon_id,
            depense_id=depense_id,
            erreur_avant_centimes=avant.erreur,
            erreur_apres_centimes=commande.erreur,
            commentaire_avant=avant.commentaire,
            commentaire_apres=commande.commentaire,
        )
    ]


class ArreterResultat(Commande):
    """Fix the projected error of a sample."""


def arreter(
    dossier: DossierAudit, commande: ArreterResultat, echantillon_id: UUID
) -> list[ResultatAuditArrete]:
    """Project what was found, once something is said of every dépense drawn."""
    exiger_en_cours(dossier, "Arrêter un résultat", commande.date_effet)
    echantillon = _dernier(dossier, echantillon_id)
    if echantillon.sans_constat:
        raise ConstatsAuditManquants(nombre=len(echantillon.sans_constat))
    if echantillon.arrete:
        return []
    exiger_pas_avant(
        commande.date_effet,
        "Arrêter un résultat",
        max(c.note_le for c in echantillon.constats.values()),
        "le dernier constat a été noté",
    )
    projection = projeter(echantillon)
    return [
        ResultatAuditArrete(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            echantillon_id=echantillon_id,
            total_centimes=projection.base,
            erreur_constatee_centimes=projection.constatee,
            erreur_projetee_exacte=str(projection.exacte),
            erreur_projetee_centimes=projection.projetee,
            strates=tuple(
                ResultatStrate(
                    code=s.code,
                    total_centimes=s.base,
                    erreur_constatee_centimes=s.constatee,
                    erreur_projetee_exacte=str(s.projetee),
                )
                for s in projection.strates
            ),
        )
    ]


def projeter(echantillon: Echantillon) -> Extrapolation:
    """Project the findings of a sample on its population."""
    return extrapoler(
        _tirage(echantillon),
        {str(u.depense_id): u.montant_centimes for u in echantillon.tirage},
        {str(i): constat.erreur for i, constat in echantillon.constats.items()},
    )


def _tirage(echantillon: Echantillon) -> Tirage:
    """Return the draw as its fact kept it."""
    return Tirage(
        algorithme=ALGORITHMES[echantillon.methode],
        strates=tuple(
            Strate(
                code=s.code,
                selection=s.selection,
                nombre=s.nombre,
                centimes=s.total_centimes,
                exhaustives=_ids(echantillon, s.code, exhaustive=True),
                tirees=_ids(echantillon, s.code, exhaustive=False),
                base=s.base_centimes,
                depart=s.depart,
            )
            for s in echantillon.strates
        ),
        a_part=(),
    )


def _ids(echantillon: Echantillon, strate: str, *, exhaustive: bool) -> tuple[str, ...]:
    return tuple(
        str(u.depense_id)
        for u in echantillon.tirage
        if u.strate == strate and u.exhaustive == exhaustive
    )


def _dernier(dossier: DossierAudit, echantillon_id: UUID) -> Echantillon:
    echantillon = echantillon_de(dossier, echantillon_id)
    if echantillon.suivi_par is not None:
        raise EchantillonSuivi(suivi_par=echantillon.suivi_par)
    return echantillon


def _exiger_possible(montants: dict[UUID, int], depense_id: UUID, erreur: int) -> None:
    if depense_id not in montants:
        raise DepenseNonTiree(depense_id=depense_id)
    if erreur > montants[depense_id]:
        raise ErreurSuperieureAuMontant(
            depense_id=depense_id, erreur=erreur, montant=montants[depense_id]
        )


def _constat_de(echantillon: Echantillon, depense_id: UUID) -> Constat:
    if depense_id not in echantillon.constats:
        raise ConstatAuditAbsent(depense_id=depense_id)
    return echantillon.constats[depense_id]
