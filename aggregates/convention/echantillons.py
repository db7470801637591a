"""Control of a sample: drawn with a recorded seed, extrapolated only where that was agreed."""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

from aggregates.commande import Code, Commande, Texte
from aggregates.convention.events import EchantillonTire, ExtrapolationDecidee
from aggregates.convention.service_fait import csf_de
from aggregates.convention.state import Convention, Csf
from aggregates.depense.state import Depense
from oi_service.errors import RuleBroken
from rules.calcul import Echantillon
from rules.echantillon import ALGORITHME, tirer


class ControleExhaustif(RuleBroken):
    """Ce contrôle est exhaustif : il a été ouvert sur toutes les pièces, sans échantillon."""


class EchantillonDejaTire(RuleBroken):
    """L’échantillon du poste « {poste} » est déjà tiré : un tirage ne se recommence pas."""


class EchantillonAbsent(RuleBroken):
    """Aucun échantillon n’est tiré sur le poste « {poste} » : il n’y a rien à extrapoler."""


class ExtrapolationNonPrevue(RuleBroken):
    """L’extrapolation n’est possible que si la convention ou un avenant la prévoit, ou par un
    accord écrit signé par le bénéficiaire avant le contrôle : contrôlez toutes les pièces du poste
    « {poste} ».
    """

    article = "Annexe « échantillonnage » de la convention type DGEFP"


class ExtrapolationSansIrregularite(RuleBroken):
    """Le tirage du poste « {poste} » ne révèle aucun écart : la strate est validée entière, il n’y
    a rien à extrapoler.
    """


class TirageNonControle(RuleBroken):
    """Il manque la décision de {nombre:pièce(s) tirée(s)} du poste « {poste} »."""


class TirerEchantillon(Commande):
    """Draw a sample of a poste. Without a seed, the control's own identifier is the seed."""

    poste: Code
    justification: Texte
    graine: Texte | None = None


def tirer_echantillon(
    convention: Convention,
    commande: TirerEchantillon,
    csf_id: UUID,
    depenses: Mapping[UUID, Depense],
    controleur: str,
) -> list[EchantillonTire]:
    """Draw the pieces to control; a regularisation is always controlled, so it is never drawn.

    Source: DGEFP, annexe « échantillonnage »; sizes, parameters of the grant.
    """
    _, csf = csf_de(convention, csf_id)
    if csf.modalite != "echantillon":
        raise ControleExhaustif
    if commande.poste in csf.tirages:
        raise EchantillonDejaTire(poste=commande.poste)
    population = {
        depense_id: d.montant
        for depense_id, d in depenses.items()
        if d.detail.poste == commande.poste and d.montant > 0
    }
    graine = commande.graine or str(csf_id)
    tirage = tirer(
        population,
        graine,
        taille_min=convention.parametres.echantillon_taille_min,
        couverture_min_pct=convention.parametres.echantillon_couverture_min_pct,
    )
    return [
        EchantillonTire(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            poste=commande.poste,
            population_nombre=len(population),
            population_centimes=sum(population.values()),
            tirage=tirage,
            tirage_centimes=sum(population[piece] for piece in tirage),
            graine=graine,
            algorithme=ALGORITHME,
            justification=commande.justification,
        )
    ]


class DeciderExtrapolation(Commande):
    """Apply the rate of irregularity of the draw to what was not drawn."""

    poste: Code
    fondement: Literal["convention", "accord_ecrit"]
    accord_ref: Texte | None = None


def decider_extrapolation(
    convention: Convention,
    commande: DeciderExtrapolation,
    csf_id: UUID,
    depenses: Mapping[UUID, Depense],
    controleur: str,
) -> list[ExtrapolationDecidee]:
    """Extrapolate, if the convention or an agreement written before the control allows it.

    Source: DGEFP, annexe « échantillonnage » de la convention type.
    """
    _, csf = csf_de(convention, csf_id)
    poste = commande.poste
    if poste not in csf.tirages:
        raise EchantillonAbsent(poste=poste)
    prevue = convention.parametres.extrapolation
    accord = commande.fondement == "accord_ecrit" and commande.accord_ref is not None
    if not accord and not (prevue and commande.fondement == "convention"):
        raise ExtrapolationNonPrevue(poste=poste)
    sans_decision = [i for i in csf.tirages[poste] if depenses[i].statut != "controlee"]
    if sans_decision:
        raise TirageNonControle(poste=poste, nombre=len(sans_decision))
    if not echantillon(csf, poste, depenses).tirage_ecarte_centimes:
        raise ExtrapolationSansIrregularite(poste=poste)
    return [
        ExtrapolationDecidee(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            poste=poste,
            fondement=commande.fondement,
            accord_ref=commande.accord_ref,
        )
    ]


def echantillon(csf: Csf, poste: str, depenses: Mapping[UUID, Depense]) -> Echantillon:
    """Return what the draw of a poste said, and the base that was not drawn.

    What a piece that was not drawn loses on its own is no part of that base: it would be corrected
    twice.
    """
    tirees = [depenses[i] for i in csf.tirages[poste]]
    return Echantillon(
        poste=poste,
        tirage_declare_centimes=sum(d.montant for d in tirees),
        tirage_ecarte_centimes=sum(d.ecarte for d in tirees),
        base_centimes=sum(
            depenses[i].montant - depenses[i].ecarte for i in non_tirees(csf, poste, depenses)
        ),
    )


def non_tirees(csf: Csf, poste: str, depenses: Mapping[UUID, Depense]) -> Sequence[UUID]:
    """Return the pieces of a sampled poste that the draw left out."""
    tirees = set(csf.tirages[poste])
    return [
        i
        for i, d in depenses.items()
        if d.detail.poste == poste and i not in tirees and d.montant > 0
    ]


def validees_avec_la_strate(csf: Csf, depenses: Mapping[UUID, Depense]) -> tuple[UUID, ...]:
    """Return the pieces that no one looked at and that the draw validates with their stratum.

    A draw without irregularity validates the whole stratum; one with irregularities does so only
    when its rate is extrapolated. Otherwise every piece asks for its own decision.
    """
    return tuple(
        i
        for poste in csf.tirages
        if poste in csf.extrapolations
        or not echantillon(csf, poste, depenses).tirage_ecarte_centimes
        for i in non_tirees(csf, poste, depenses)
        if depenses[i].statut != "controlee"
    )
