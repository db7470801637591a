"""An act done from a page: the route of the JSON door is called, under its own rule."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import ValidationError

from aggregates.commande import Commande
from api.deps import ActeOut, EcritureOuverte
from api.droits import DROITS
from api.errors import defauts
from api.pages.actes.catalogue import ActeDesPages, acte
from api.pages.formulaires import Defaut, SaisieRefusee
from api.porte import EN_TETE_ROLE, NonConnecte, Personne, Portier, habiliter
from oi_service.application import Service
from oi_service.ids import new_id

__all__ = ["acteur", "flux_vise", "jouer", "valider"]


def acteur(request: Request, nom: str) -> Personne:
    """Return as whom a person does an act.

    Raises: Unauthenticated, Forbidden.
    """
    regle = DROITS[nom]
    portier: Portier = request.app.state.portier
    identite = portier.identifier(request, regle)
    if identite is None:
        raise NonConnecte
    return habiliter(identite, regle, request.headers.get(EN_TETE_ROLE), request.method)


def valider(fait: ActeDesPages, corps: Mapping[str, Any]) -> Commande:
    """Make the command that a body asks.

    Raises: SaisieRefusee, each defect at the dotted name of its field.
    """
    try:
        return fait.modele.model_validate(corps)
    except ValidationError as refus:
        found = [{**d, "loc": ("body", *d["loc"])} for d in refus.errors()]
        raise SaisieRefusee(
            [
                Defaut(d.message, d.pointer.removeprefix("#/").replace("/", "."))
                for d in defauts(found)
            ]
        ) from None


def jouer(
    request: Request,
    service: Service,
    nom: str,
    cibles: Sequence[str | UUID | int],
    corps: Mapping[str, Any],
    cle: UUID,
    version: int | None,
    qui: Personne | None = None,
) -> ActeOut:
    """Do an act.

    Args:
        request: where it comes from; its address and its body are what its key stands for.
        service: what to record in.
        nom: the act, by the name of its route.
        cibles: what it is about, in the order of the address of that route.
        corps: what it asks, as the JSON door takes it.
        cle: the idempotency key.
        version: that of the aggregate when the person saw it; ``None`` when the act makes it.
        qui: as whom, when `acteur` was just asked.

    Raises: Refusal, SaisieRefusee.
    """
    fait = acte(nom)
    lues = fait.cibles([str(cible) for cible in cibles])
    plume = EcritureOuverte(
        journal=service.journal,
        personne=qui or acteur(request, nom),
        cle=cle,
        request=request,
        response=Response(),
        if_match=None if fait.cree else version,
    )
    return fait.route(**lues, acte=valider(fait, corps), ecriture=plume)


class _Vise(Exception):
    """The stream that an act is about."""

    def __init__(self, flux: UUID) -> None:
        super().__init__()
        self.flux = flux


class _Sonde(EcritureOuverte):
    """A pen that writes nothing: it tells what the route would write on."""

    __slots__ = ()

    def decide(self, _aggregate: object, stream_id: UUID, *_: object) -> ActeOut:
        raise _Vise(stream_id)

    def run(  # type: ignore[override]
        self, _action: object, stream_id: UUID, *_: object, **vise: Any
    ) -> ActeOut:
        raise _Vise(vise.get("target") or stream_id)

    def une_fois(self, _commande: object, target: UUID, _faire: object) -> ActeOut:
        raise _Vise(target)


def flux_vise(
    request: Request, service: Service, fait: ActeDesPages, cibles: Mapping[str, Any], qui: Personne
) -> UUID | None:
    """Return the stream whose version counts, as the route says it; ``None`` when it makes one.

    Only the route knows whether an act on an operation stands on the operation or its convention.
    """
    if fait.cree:
        return None
    sonde = _Sonde(
        journal=service.journal, personne=qui, cle=new_id(), request=request, response=Response()
    )
    # Nothing is typed yet: a route only compares what is asked with its own address.
    demande = SimpleNamespace(**cibles)
    try:
        fait.route(**cibles, acte=demande, ecriture=sonde)
    except _Vise as vise:
        return vise.flux
    raise AssertionError(fait.nom)
