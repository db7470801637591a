"""Help, the glossary, and what is said of accessibility."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.droits import DROITS
from api.pages.gabarits import templates
from api.pages.glossaire import CHAPITRES
from api.pages.presence import qui_lit
from projections.histoire import ROLES

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Rubrique:
    """What a page is for; shown to whoever may open it."""

    route: str
    titre: str
    sens: str


_PAGES: tuple[Rubrique, ...] = (
    Rubrique(
        "page_maquette",
        "Maquette",
        "Où en est l’argent : enveloppes, programmé, conventionné, retenu, payé, par PLIE. Les "
        "alertes disent quoi faire et y mènent.",
    ),
    Rubrique(
        "page_operations",
        "Opérations",
        "Tous les dossiers, du dépôt à l’archive. Un dossier montre sa ligne de vie, son plan, "
        "ses dépenses, ses contrôles, ses paiements et toute son histoire.",
    ),
    Rubrique(
        "page_depenses",
        "Dépenses",
        "Saisie au clavier ou import d’un classeur ; chaque dépense avec ses pièces.",
    ),
    Rubrique(
        "page_controles",
        "Contrôles",
        "Contrôles de service fait : retenir ou écarter ligne par ligne, proposer, valider.",
    ),
    Rubrique(
        "page_paiements",
        "Paiements",
        "Ce qui est dû, ce qui attend l’ordonnateur ou le virement, ce que la banque a rejeté, les "
        "délais qui courent ; les reversements et la certification à côté.",
    ),
    Rubrique(
        "page_audit",
        "Audit",
        "L’état d’alors et celui d’aujourd’hui, la vérification du journal, l’archive, les "
        "échantillons.",
    ),
    Rubrique(
        "page_provenance",
        "D’où vient ce chiffre ?",
        "Un montant souligné mène à ses mouvements : chacun est un fait, avec sa date et son "
        "auteur.",
    ),
    Rubrique("page_comptes", "Comptes", "Ouvrir un compte, donner ou retirer un rôle."),
    Rubrique("page_traces", "Traces", "Qui est entré, qui a été refusé, ce qui est sorti."),
)

_ROLES: Mapping[str, tuple[str, ...]] = {
    "comptable_oi": (
        "Saisissez ou importez les dépenses, puis déposez les bilans (Dépenses).",
        (
            "Préparez ce que les contrôles rendent dû (Paiements, À préparer) : le montant est "
            "déjà rempli."
        ),
        "Après l’ordonnancement, enregistrez le virement, puis l’avis de la banque.",
    ),
    "gestionnaire_oi": (
        "Menez les dossiers de la recevabilité à la convention (Opérations).",
        (
            "Contrôlez les bilans, du plus urgent au moins urgent (Contrôles), et proposez-les à "
            "la validation."
        ),
        "Interrompez le délai de paiement quand une pièce manque (Paiements, Délais).",
    ),
    "valideur_oi": (
        "Validez ou renvoyez les contrôles qu’un gestionnaire propose (Contrôles).",
        "Validez les rapports d’instruction (dossier, Ce qu’il attend).",
    ),
    "ordonnateur_oi": (
        (
            "Ordonnancez les paiements préparés (Paiements, À ordonnancer) : votre second facteur "
            "est redemandé."
        ),
        "Signez les conventions et les avenants ; tranchez les contestations.",
    ),
    "directeur_plie": (
        "Suivez votre PLIE : ses cinq chiffres, ses opérations, ses contrôles qui attendent.",
        "Tenez ses prévisions à jour, trimestre par trimestre.",
    ),
    "auditeur": (
        "Rejouez un dossier à une date, comparez avec aujourd’hui (Audit).",
        "Vérifiez le journal, tirez un échantillon, emportez l’archive et son vérificateur.",
    ),
    "administrateur": (
        "Ouvrez les comptes, donnez les rôles, remettez les codes d’activation (Comptes).",
        "Lisez qui est entré et ce qui est sorti (Traces).",
    ),
}


@router.get("/aide", name="page_aide")
def page_aide(request: Request) -> HTMLResponse:
    """Affiche l’aide : à quoi sert chaque page, que faire selon son rôle, le clavier."""
    identite = qui_lit(request)
    tenus = [a.role for a in identite.attributions] if identite else []
    return templates().TemplateResponse(
        request,
        "aide.html",
        {
            "roles": [(ROLES[r], _ROLES[r]) for r in dict.fromkeys(tenus) if r in _ROLES],
            "pages": [p for p in _PAGES if _ouverte(p.route, tenus)],
        },
    )


def _ouverte(route: str, tenus: list[str]) -> bool:
    """Tell whether one of these roles opens a page that this service has."""
    regle = DROITS.get(route)
    return regle is not None and (regle.roles is None or bool(set(regle.roles) & set(tenus)))


@router.get("/glossaire", name="page_glossaire")
def page_glossaire(request: Request) -> HTMLResponse:
    """Affiche le glossaire."""
    return templates().TemplateResponse(request, "glossaire.html", {"chapitres": CHAPITRES})


@router.get("/accessibilite", name="page_accessibilite")
def page_accessibilite(request: Request) -> HTMLResponse:
    """Affiche la déclaration d’accessibilité."""
    return templates().TemplateResponse(request, "accessibilite.html", {})
