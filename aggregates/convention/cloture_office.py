"""A bilan that never comes: asked for, then the file is closed and what was paid comes back."""

from typing import Literal

from aggregates.commande import Commande, CommandeMotivee, Numero
from aggregates.convention.events import BilanReclame, ClotureOfficePrononcee
from aggregates.convention.state import Convention
from aggregates.convention.validation import exiger_apres_controles
from oi_service.errors import RuleBroken
from rules.delais import date_limite_reponse


class BilanNonAttendu(RuleBroken):
    """Le bilan n° {numero} n’est pas prévu par la convention, ou il est déjà déposé, ou le bilan
    final l’est : il n’y a rien à réclamer.
    """


class BilanPasEnRetard(RuleBroken):
    """Le bilan n° {numero} est attendu jusqu’au {limite} : il ne se réclame qu’ensuite."""


class ClotureOfficeSansReclamation(RuleBroken):
    """Le dossier ne peut pas être clos d’office : le bilan n° {numero} n’a pas été réclamé, ou la
    réponse est encore attendue ({limite}).
    """

    article = "Obligations liées à un cofinancement par le FSE, appel à projets AGAPE 2021 n° 3"


class ClotureOfficeBilanEnAttente(RuleBroken):
    """Le bilan n° {numero} attend son contrôle : le dossier ne peut pas être clos d’office."""


class ClotureOfficeDejaPrononcee(RuleBroken):
    """Le dossier est déjà clos d’office."""


class ReclamerBilan(Commande):
    """Ask for a bilan that is late."""

    numero: Numero


def _attendu(convention: Convention, numero: int) -> None:
    deposes = {b.numero for b in convention.bilans.values() if b.statut != "renvoye"}
    prevus = {b.numero for b in convention.bilans_prevus}
    if numero in deposes or numero not in prevus or convention.bilan_final is not None:
        raise BilanNonAttendu(numero=numero)


def reclamer_bilan(convention: Convention, commande: ReclamerBilan) -> list[BilanReclame]:
    """Ask for it; without an answer in time, the file may be closed."""
    _attendu(convention, commande.numero)
    limite = next(b.date_limite for b in convention.bilans_prevus if b.numero == commande.numero)
    if commande.date_effet <= limite:
        raise BilanPasEnRetard(numero=commande.numero, limite=limite)
    return [
        BilanReclame(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            numero=commande.numero,
            date_limite_reponse=date_limite_reponse(commande.date_effet),
        )
    ]


class CloreOffice(CommandeMotivee):
    """Close without the bilan. ``montants_controles``: whether what earlier bilans proved is kept.

    With ``ecartes`` nothing is due and everything that was paid comes back.
    """

    numero: Numero
    montants_controles: Literal["conserves", "ecartes"]


def clore_office(convention: Convention, commande: CloreOffice) -> list[ClotureOfficePrononcee]:
    """Close, two months after the bilan was asked for in vain.

    Source: obligations liées à un cofinancement par le FSE, appel à projets AGAPE 2021.
    """
    if convention.cloturee_office:
        raise ClotureOfficeDejaPrononcee
    _attendu(convention, commande.numero)
    limite = convention.reclames.get(commande.numero)
    if limite is None or commande.date_effet <= limite:
        raise ClotureOfficeSansReclamation(
            numero=commande.numero, limite=limite or "bilan à réclamer"
        )
    for bilan in convention.bilans.values():
        if bilan.statut in {"depose", "recevable", "en_controle"}:
            raise ClotureOfficeBilanEnAttente(numero=bilan.numero)
    exiger_apres_controles(convention, commande.date_effet, "Clore le dossier d’office")
    conserves = commande.montants_controles == "conserves"
    return [
        ClotureOfficePrononcee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            numero=commande.numero,
            fse_du_avant_centimes=convention.fse_du,
            fse_du_apres_centimes=convention.fse_du if conserves else 0,
            cout_total_retenu_avant_centimes=convention.cout_total_retenu,
            cout_total_retenu_apres_centimes=convention.cout_total_retenu if conserves else 0,
        )
    ]
