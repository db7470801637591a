"""What a controller decides beyond the lines: samples, contracts, units, revenue, checklist."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar
from uuid import UUID

from aggregates.convention import events as ce
from oi_service.codec import Evenement
from rules.grille import POINTS

F = TypeVar("F", bound=Evenement)


@dataclass(frozen=True, slots=True)
class PointVu:
    """An answer of the checklist, with the words of its point."""

    numero: int
    libelle: str
    reponse: Literal["conforme", "non_conforme", "sans_objet"]
    commentaire: str | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions of one version of a control, each as it last stood.

    A new version starts from the decisions of the former one. ``ressources`` is ``None`` until they
    are decided; a contract or a correction at 0 % was lifted.
    """

    tirages: tuple[ce.EchantillonTire, ...] = ()
    extrapolations: tuple[ce.ExtrapolationDecidee, ...] = ()
    marches: tuple[ce.MarcheCorrige, ...] = ()
    corrections_fse: tuple[ce.FseCorrige, ...] = ()
    ressources: tuple[ce.RessourceRetenue, ...] | None = None
    unites: tuple[ce.UnitesControlees, ...] = ()
    livrables: tuple[ce.LivrableControle, ...] = ()
    recettes: ce.RecettesControlees | None = None
    grille: tuple[PointVu, ...] = ()


def decisions(faits: Iterable[Evenement]) -> dict[UUID, Decisions]:
    """Return the decisions of every control of a convention, by version of control."""
    prises: dict[UUID, Decisions] = {}
    derniers: dict[UUID, UUID] = {}
    for fait in faits:
        match fait:
            case ce.CsfOuvert():
                precedent = derniers.get(fait.bilan_id)
                prises[fait.csf_id] = Decisions() if precedent is None else prises[precedent]
                derniers[fait.bilan_id] = fait.csf_id
            case (
                ce.EchantillonTire()
                | ce.ExtrapolationDecidee()
                | ce.MarcheCorrige()
                | ce.FseCorrige()
                | ce.RessourcesControlees()
                | ce.RealisationsControlees()
                | ce.RecettesControlees()
                | ce.GrilleRemplie()
            ):
                prises[fait.csf_id] = _decider(prises[fait.csf_id], fait)
            case _:
                pass
    return prises


def _decider(
    avant: Decisions,
    fait: (
        ce.EchantillonTire
        | ce.ExtrapolationDecidee
        | ce.MarcheCorrige
        | ce.FseCorrige
        | ce.RessourcesControlees
        | ce.RealisationsControlees
        | ce.RecettesControlees
        | ce.GrilleRemplie
    ),
) -> Decisions:
    match fait:
        case ce.EchantillonTire():
            return replace(avant, tirages=_la_derniere(avant.tirages, fait, "poste"))
        case ce.ExtrapolationDecidee():
            return replace(avant, extrapolations=_la_derniere(avant.extrapolations, fait, "poste"))
        case ce.MarcheCorrige():
            return replace(avant, marches=_la_derniere(avant.marches, fait, "marche_ref"))
        case ce.FseCorrige():
            return replace(
                avant, corrections_fse=_la_derniere(avant.corrections_fse, fait, "nature")
            )
        case ce.RessourcesControlees():
            return replace(avant, ressources=fait.ressources)
        case ce.RealisationsControlees():
            return replace(avant, unites=fait.unites, livrables=fait.livrables)
        case ce.RecettesControlees():
            return replace(avant, recettes=fait)
        case ce.GrilleRemplie():
            return replace(avant, grille=tuple(_point(p) for p in fait.points))


def _la_derniere(deja: tuple[F, ...], fait: F, objet: str) -> tuple[F, ...]:
    """Keep the last decision about each thing."""
    autres = (f for f in deja if getattr(f, objet) != getattr(fait, objet))
    return (*autres, fait)


def _point(point: ce.PointControle) -> PointVu:
    libelle = POINTS.get(point.numero, f"Point n° {point.numero}")
    return PointVu(point.numero, libelle, point.reponse, point.commentaire)
