"""Whose operations a person may not handle, whatever the act: their employer's, those on which they
stood back at a committee, those outside the territory of their role.

One rule over everything that a command is about to record: a decision written tomorrow is under it
too.
Source: règlement (UE) 1303/2013, art. 125 §7; règlement (UE) 2021/1060, art. 74 §3.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from aggregates.contrepartie.events import (
    AffectationAnnulee,
    ContrepartieAffectee,
    ContrepartieAttribuee,
)
from aggregates.contrepartie.state import Contrepartie
from aggregates.controle_operation.events import PerimetreRectifie
from aggregates.controle_operation.state import ControleOperation
from aggregates.convention.state import Convention
from aggregates.depense.state import Depense
from aggregates.lot.state import Lot
from aggregates.operation.events import AvisPlieRendu
from aggregates.operation.state import OPERATION, Operation
from aggregates.personne.state import Personne
from aggregates.separation import SEPARATION
from aggregates.subvention_globale.events import (
    EnveloppeLiberee,
    EnveloppeReservee,
    PrevisionDeposee,
)
from oi_service.aggregate import Lecteur, Touche
from oi_service.errors import RuleBroken

#: The role of what acts by itself, for nobody; no account holds it.
SYSTEME = "systeme"
DIRECTEUR = "directeur_plie"


class OperationDeSonPlie(RuleBroken):
    """Vous êtes mis à disposition par le PLIE {plie}, qui porte l’opération {numero} : une autre
    personne fait cet acte.
    """

    article = SEPARATION


class OperationDeportee(RuleBroken):
    """Votre déport sur l’opération {numero} a été noté par l’instance du {le} : une autre personne
    fait cet acte.
    """

    article = SEPARATION


class HorsTerritoire(RuleBroken):
    """Hors de votre territoire : cet acte porte sur le PLIE {plie}, votre rôle se limite à
    {territoire}.
    """


class HorsTerritoireEntier(RuleBroken):
    """Hors de votre territoire : cet acte engage l’organisme intermédiaire entier, votre rôle se
    limite à {territoire}.
    """


class Qui(Protocol):
    """Who acts: in which role, on which territory (``None``: the whole OI), employed by whom."""

    @property
    def acteur(self) -> str: ...  # noqa: D102
    @property
    def role(self) -> str: ...  # noqa: D102
    @property
    def plies(self) -> frozenset[str] | None: ...  # noqa: D102
    @property
    def detachee_par(self) -> frozenset[str]: ...  # noqa: D102


def exiger_libre(qui: Qui, touches: Sequence[Touche], lecteur: Lecteur) -> None:
    """Refuse a command on what the person may not handle.

    Operations that the command did not read are read here, in one round trip.
    """
    if qui.role == SYSTEME:
        return
    nommees = list(dict.fromkeys(i for touche in touches for i in _operations(touche)))
    # Not pinned: its PLIE never changes, and committees are over when its other streams begin.
    for operation in lecteur.find_all(OPERATION, nommees, pinned=False):
        if operation is not None:
            _exiger_operation(qui, touches, operation)
    if qui.plies is not None:
        for touche in touches:
            for plie in _plies(touche):
                _exiger_plie(plie, qui.plies)


def exiger_lisible(qui: Qui, touche: Touche, lecteur: Lecteur) -> None:
    """Refuse to look at what is outside the territory of a role, whatever is then decided of it."""
    if qui.role == SYSTEME or qui.plies is None:
        return
    match touche.etat:
        case Operation():
            _exiger_plie(touche.etat.cellule.plie_id, qui.plies)
        case Contrepartie(plie_id=str(plie)):
            _exiger_plie(plie, qui.plies)
        case _:
            # Each is looked at here in turn, as it is read.
            lecteur.find_all(OPERATION, list(_operations(touche)), pinned=False)


def _exiger_operation(qui: Qui, touches: Sequence[Touche], operation: Operation) -> None:
    plie = operation.cellule.plie_id
    if plie in qui.detachee_par and not _avis_de_son_directeur(qui, touches):
        raise OperationDeSonPlie(plie=plie, numero=operation.numero_mdfse)
    deport = operation.deports.get(qui.acteur)
    if deport is not None:
        raise OperationDeportee(numero=operation.numero_mdfse, le=deport.le)
    if qui.plies is not None:
        _exiger_plie(plie, qui.plies)


def _exiger_plie(plie: str | None, territoire: frozenset[str]) -> None:
    if plie is None:
        raise HorsTerritoireEntier(territoire=_liste(territoire))
    if plie not in territoire:
        raise HorsTerritoire(plie=plie, territoire=_liste(territoire))


def _liste(territoire: frozenset[str]) -> str:
    return ", ".join(f"PLIE {plie}" for plie in sorted(territoire))


def _avis_de_son_directeur(qui: Qui, touches: Sequence[Touche]) -> bool:
    """Tell whether the act is the opinion of a PLIE, given by who directs it: theirs by nature."""
    faits = (fait for touche in touches for fait in touche.faits)
    return qui.role == DIRECTEUR and all(isinstance(fait, AvisPlieRendu) for fait in faits)


def _operations(touche: Touche) -> Iterator[UUID]:
    """Yield the operations that facts are about."""
    match touche.etat:
        case Operation():
            yield touche.stream_id
        case Convention() | Depense():
            yield touche.etat.operation_id
        case Personne() | Lot():
            yield from sorted(touche.etat.operations)
        case ControleOperation():
            perimetres = [touche.etat.perimetre]
            perimetres += [f.avant for f in touche.faits if isinstance(f, PerimetreRectifie)]
            for perimetre in perimetres:
                yield from (o.operation_id for o in perimetre.operations)
        case Contrepartie():
            for fait in touche.faits:
                if isinstance(fait, ContrepartieAffectee | AffectationAnnulee):
                    yield fait.operation_id
        case _:
            pass


def _plies(touche: Touche) -> Iterator[str | None]:
    """Yield the PLIE that facts which are of no operation are about; ``None``: the whole OI."""
    if isinstance(touche.etat, Operation | Convention | Depense | Personne | ControleOperation):
        return
    if isinstance(touche.etat, Lot):
        yield from touche.etat.plies or (None,)
        return
    for fait in touche.faits:
        match fait:
            case ContrepartieAffectee() | AffectationAnnulee():
                pass
            case ContrepartieAttribuee() | PrevisionDeposee():
                yield fait.plie_id
            case EnveloppeReservee() | EnveloppeLiberee():
                yield fait.cellule.plie_id
            case _:
                yield touche.etat.plie_id if isinstance(touche.etat, Contrepartie) else None
