"""Search from anywhere: a page of results by kind, a few suggestions as somebody types.

One exact number that is one thing's own leads to it at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from aggregates.operation.state import LIBELLES, Statut
from api.deps import Lecture
from api.filters import entier, euros, jour
from api.pages.ecriture import phrase, siret
from api.pages.formulaires import vers
from api.pages.gabarits import templates
from projections import recherche as projection
from projections.paiements import TYPES
from projections.recherche import (
    BeneficiaireTrouve,
    DepenseTrouvee,
    DossierTrouve,
    PaiementTrouve,
    Resultats,
)

router = APIRouter(prefix="/recherche")

#: Lines of each kind among the suggestions.
_SUGGESTIONS = 3

Demande = Annotated[str, Query(max_length=projection.LONGUEUR_MAX)]


@dataclass(frozen=True, slots=True)
class Trouve:
    """Something found: what it is, where it is, what tells it from the others."""

    libelle: str
    lien: str
    precision: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Groupe:
    """What was found of a kind; ``suite``: there may be more than what is shown."""

    titre: str
    trouves: tuple[Trouve, ...]
    suite: str | None


@dataclass(frozen=True, slots=True)
class VueRecherche:
    """All that the page shows."""

    demande: str
    groupes: tuple[Groupe, ...]
    nombre: int
    trop_court: bool


def vue(demande: str, lus: Resultats) -> VueRecherche:
    """Prepare the results, kind by kind."""
    ailleurs = urlencode({"recherche": demande})
    groupes = (
        Groupe(
            "Dossiers",
            tuple(_dossier(d) for d in lus.dossiers),
            _suite(lus.dossiers, f"/operations?{ailleurs}"),
        ),
        Groupe(
            "Conventions",
            tuple(_convention(d) for d in lus.conventions),
            _suite(lus.conventions, f"/operations?{ailleurs}"),
        ),
        Groupe(
            "Bénéficiaires",
            tuple(_beneficiaire(b) for b in lus.beneficiaires),
            _suite(lus.beneficiaires, f"/operations?{ailleurs}"),
        ),
        Groupe(
            "Dépenses",
            tuple(_depense(d) for d in lus.depenses),
            _suite(lus.depenses, f"/depenses?{ailleurs}"),
        ),
        Groupe("Paiements", tuple(_paiement(p) for p in lus.paiements), None),
    )
    return VueRecherche(
        demande=demande,
        groupes=tuple(g for g in groupes if g.trouves),
        nombre=lus.nombre,
        trop_court=len(demande) < projection.LONGUEUR_MIN,
    )


def _suite(trouves: tuple[object, ...], adresse: str) -> str | None:
    return adresse if len(trouves) >= projection.LIMITE else None


def _dossier(d: DossierTrouve) -> Trouve:
    return Trouve(
        f"{d.numero_mdfse}, {d.intitule}",
        f"/dossiers/{d.numero_mdfse}",
        phrase(f"{d.beneficiaire} · {d.plie_nom} · {LIBELLES[cast('Statut', d.statut)]}"),
        d.exact,
    )


def _convention(d: DossierTrouve) -> Trouve:
    return Trouve(
        f"Convention {d.numero_convention}",
        f"/dossiers/{d.numero_mdfse}",
        phrase(f"dossier {d.numero_mdfse}, {d.intitule} · {d.beneficiaire}"),
        d.exact,
    )


def _beneficiaire(b: BeneficiaireTrouve) -> Trouve:
    dossiers = f"{entier(b.dossiers)} {'dossiers' if b.dossiers > 1 else 'dossier'}"
    return Trouve(
        b.nom,
        f"/operations?{urlencode({'recherche': b.nom})}",
        phrase(f"SIRET {siret(b.siret)} · {dossiers}"),
        b.exact,
    )


def _depense(d: DepenseTrouvee) -> Trouve:
    return Trouve(
        phrase(f"Pièce {d.piece_ref}, {euros(d.montant)}"),
        f"/depenses/{d.id}",
        phrase(f"{d.nature} · {d.tiers_ref} · {jour(d.date_piece)} · dossier {d.numero_mdfse}"),
        d.exact,
    )


def _paiement(p: PaiementTrouve) -> Trouve:
    reference = f"virement {p.reference}, " if p.reference else ""
    return Trouve(
        phrase(f"{TYPES[p.type]} de {euros(p.montant)}"),  # type: ignore[index] # one of them
        f"/paiements/{p.operation_id}/{p.id}",
        phrase(f"{reference}{jour(p.le)} · {p.beneficiaire} · dossier {p.numero_mdfse}"),
        p.exact,
    )


def _seul(vue: VueRecherche) -> str | None:
    """Return where the only thing that bears exactly what was asked is."""
    exacts = {t.lien for t in _tous(vue) if t.exact}
    return exacts.pop() if len(exacts) == 1 else None


def _tous(vue: VueRecherche) -> Iterable[Trouve]:
    return (t for groupe in vue.groupes for t in groupe.trouves)


@router.get("", name="page_recherche", response_model=None)
def page(request: Request, lecture: Lecture, q: Demande = "") -> Response:
    """Affiche ce qu’un texte trouve, ou y mène quand un seul porte exactement ce numéro."""
    demande = " ".join(q.replace("\0", "").split())
    shown = vue(demande, projection.rechercher(lecture.conn, lecture.perimetre, demande))
    seul = _seul(shown)
    if seul is not None:
        return vers(seul)
    return templates().TemplateResponse(request, "recherche.html", {"vue": shown})


@router.get("/suggestions", name="suggerer")
def suggerer(request: Request, lecture: Lecture, q: Demande = "") -> HTMLResponse:
    """Donne quelques réponses pendant la saisie : un fragment de page."""
    demande = " ".join(q.replace("\0", "").split())
    lus = projection.rechercher(lecture.conn, lecture.perimetre, demande, _SUGGESTIONS)
    # A dossier and its convention are one page: few lines are better than two that lead there.
    deja = {d.operation_id for d in lus.dossiers}
    lus = replace(lus, conventions=tuple(c for c in lus.conventions if c.operation_id not in deja))
    return templates().TemplateResponse(
        request, "_recherche_suggestions.html", {"vue": vue(demande, lus)}
    )
