"""The convention: signature by both parties, then notification, which puts it in force."""

from collections import Counter
from decimal import Decimal
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec
from pydantic import Field

from aggregates.commande import Code, CodePoste, Commande, Numero, Pourcentage, Saisie, Texte
from aggregates.convention.events import (
    BilanPrevu,
    ConventionNotifiee,
    ConventionSignee,
    PlafondPoste,
)
from aggregates.convention.state import Convention
from aggregates.operation.state import Operation
from aggregates.parametres import ParametresSaisis, surcharger
from aggregates.subvention_globale.state import SubventionGlobale
from oi_service.dates import Jour
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Arrondi, Montant
from rules.delais import date_limite_bilan_final


class ConventionDejaSignee(Conflict):
    """La convention {numero} est déjà signée : elle évolue par avenant."""


class ConventionSigneeARespecter(RuleBroken):
    """La convention {numero} est signée : l’opération ne se retire ni ne se déprogramme plus, elle
    s’abandonne ou se résilie après notification.
    """


class ConventionDejaNotifiee(Conflict):
    """La convention {numero} est déjà notifiée."""


class ConventionAvantProgrammation(RuleBroken):
    """La convention ne peut pas être signée : l’opération {numero} n’est pas programmée."""


class SignaturesManquantes(RuleBroken):
    """La convention porte deux signatures, celle de l’organisme intermédiaire et celle du
    bénéficiaire : {nombre} est indiquée.
    """


class BilanFinalAbsent(RuleBroken):
    """La convention prévoit exactement un bilan final."""


class BilanFinalTropTard(RuleBroken):
    """Le bilan final est prévu le {prevu}, après la limite du {limite}."""


class PlafondSansPoste(RuleBroken):
    """Le poste « {poste} » n’est pas au coût réel dans le plan de l’opération, ou il est plafonné
    deux fois : un plafond porte sur un poste au coût réel, une seule fois.
    """


class BilanPrevuSaisi(Saisie):
    """A bilan that the convention expects."""

    numero: Numero
    type: Literal["intermediaire", "final"]
    date_limite: Jour


class PlafondSaisi(Saisie):
    """A poste that the convention caps."""

    code: CodePoste
    montant: Montant
    tolerance_pct: Pourcentage = "0"


class SignerConvention(Commande):
    """Record both signatures. ``date_effet`` is the last one.

    ``parametres``: what this convention decides otherwise than its fiche and its grant.
    """

    numero: Code
    signataires: Annotated[tuple[Texte, ...], Field(max_length=10)]
    bilans_prevus: Annotated[tuple[BilanPrevuSaisi, ...], Field(min_length=1, max_length=10)]
    parametres: ParametresSaisis | None = None
    plafonds_poste: Annotated[tuple[PlafondSaisi, ...], Field(max_length=20)] = ()


def signer(
    convention: Convention | None,
    commande: SignerConvention,
    operation: Operation,
    operation_id: UUID,
    subvention: SubventionGlobale,
) -> list[ConventionSignee]:
    """Sign, for what the committee programmed and nothing else.

    Source: fse.gouv.fr, « La convention »; deadline of the final bilan, rules/delais.py.
    """
    if convention is not None:
        raise ConventionDejaSignee(numero=convention.numero)
    if operation.statut != "programme":
        raise ConventionAvantProgrammation(numero=operation.numero_mdfse)
    if len(set(commande.signataires)) < 2:
        raise SignaturesManquantes(nombre=len(set(commande.signataires)))
    finals = [b for b in commande.bilans_prevus if b.type == "final"]
    if len(finals) != 1:
        raise BilanFinalAbsent
    limite = date_limite_bilan_final(operation.periode.fin)
    if finals[0].date_limite > limite:
        raise BilanFinalTropTard(prevu=finals[0].date_limite, limite=limite)
    parametres = surcharger(
        subvention.parametres,
        operation.parametres,
        commande.parametres.surcharge() if commande.parametres else None,
    )
    plafonds = _plafonds(commande, operation)
    sans_avance = operation.beneficiaire.type in parametres.types_beneficiaires_sans_avance
    if sans_avance:
        parametres = msgspec.structs.replace(parametres, avance_pct=Decimal(0))
    return [
        ConventionSignee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=operation.cadre,
            operation_id=operation_id,
            numero=commande.numero,
            type_beneficiaire=operation.beneficiaire.type,
            signataires=commande.signataires,
            objet=operation.objet,
            periode=operation.periode,
            plan=operation.plan,
            fse_max_centimes=operation.plan.fse_centimes,
            cout_total_eligible_centimes=operation.plan.cout_total_centimes,
            avance_pct=parametres.avance_pct,
            avance_plafond_centimes=parametres.avance_plafond_centimes,
            plafond_avant_solde_pct=parametres.plafond_avant_solde_pct,
            arrondi=cast("Arrondi", parametres.arrondi),
            bilans_prevus=tuple(
                BilanPrevu(numero=b.numero, type=b.type, date_limite=b.date_limite)
                for b in commande.bilans_prevus
            ),
            date_limite_acquittement=limite,
            parametres=parametres,
            plafonds_poste=plafonds,
        )
    ]


def _plafonds(commande: SignerConvention, operation: Operation) -> tuple[PlafondPoste, ...]:
    """Return the caps of the convention, on postes at real cost of its plan only."""
    reels = {p.code for p in operation.plan.postes if p.mode == "reel"}
    for code, fois in Counter(p.code for p in commande.plafonds_poste).items():
        if code not in reels or fois > 1:
            raise PlafondSansPoste(poste=code)
    return tuple(
        PlafondPoste(
            code=p.code, montant_centimes=p.montant, tolerance_pct=Decimal(p.tolerance_pct)
        )
        for p in commande.plafonds_poste
    )


def exiger_non_signee(convention: Convention | None) -> None:
    """Refuse to undo a programming that a signed convention already stands on."""
    if convention is not None:
        raise ConventionSigneeARespecter(numero=convention.numero)


class NotifierConvention(Commande):
    """Send the convention signed by both: it is in force from that day."""


def notifier(convention: Convention, commande: NotifierConvention) -> list[ConventionNotifiee]:
    """Put the convention in force."""
    if convention.notifiee_le is not None:
        raise ConventionDejaNotifiee(numero=convention.numero)
    return [
        ConventionNotifiee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            operation_id=convention.operation_id,
            fse_max_centimes=convention.fse_max,
            cout_total_eligible_centimes=convention.cout_total_eligible,
            ressources=convention.plan.ressources,
        )
    ]
