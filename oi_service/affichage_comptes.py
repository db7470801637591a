"""What the terminal shows of accounts, of how to come in, and of the traces."""

from collections.abc import Iterable, Iterator

from api.filters import instant
from oi_service.acces.acces import DUREE_ACTIVATION, ROLES_A_SECOND_FACTEUR, Fiche
from oi_service.acces.traces import NATURES, PageTraces, Trace
from oi_service.comptes import Attribue, CompteNeuf, Entree
from oi_service.francais import compter
from projections.histoire import ROLES

_STATUTS = {"ouvert": "ouvert", "suspendu": "suspendu", "ferme": "fermé"}


def afficher_code(compte: CompteNeuf) -> Iterator[str]:
    """Yield how the person of a new account comes in; the code is not shown again."""
    heures = round(DUREE_ACTIVATION.total_seconds() / 3600)
    yield f"Compte {compte.identifiant}, {compte.courriel}."
    yield f"Code d’activation, à remettre en main propre : {compte.code}"
    yield (
        f"Il sert une fois, avant {heures} heures, à choisir un mot de passe sur la page "
        "/activation. Il n’est pas conservé : perdu, « oi reactiver » en donne un autre."
    )


def afficher_comptes(fiches: Iterable[Fiche]) -> Iterator[str]:
    """Yield two lines an account: who, then what they are and how they come in."""
    nombre = 0
    for fiche in fiches:
        nombre += 1
        yield f"{fiche.identifiant}  {fiche.nom}, {fiche.courriel}"
        roles = ", ".join(ROLES.get(role, role) for role in fiche.roles) or "aucun rôle"
        vue = fiche.derniere_connexion
        parties = (
            f"{_etat(fiche)} ; {roles}",
            f"second facteur : {'oui' if fiche.second_facteur else 'non'}",
            "jamais entré" if vue is None else f"entré le {instant(vue)}",
        )
        yield f"    {' ; '.join(parties)}"
    yield f"{compter(nombre, 'compte(s)')}."


def _etat(fiche: Fiche) -> str:
    if fiche.statut is None:
        return "absent du journal"
    dit = _STATUTS[fiche.statut]
    if fiche.actif or fiche.statut != "ouvert":
        return dit
    if fiche.activation_expire_le is None:
        return f"{dit}, code d’activation expiré"
    return f"{dit}, à activer avant le {instant(fiche.activation_expire_le)}"


def afficher_entree(entree: Entree, page: str | None) -> Iterator[str]:
    """Yield how to come in the demonstration; the password is shown once."""
    ou = "/connexion" if page is None else f"{page}/connexion"
    yield ""
    yield f"Pour entrer : {ou}, mot de passe {entree.mot_de_passe}, avec l’un de ces courriels :"
    for courriel, attribues in entree.types:
        yield f"  {courriel:<32} {', '.join(map(_role, attribues))}"
    if entree.autres:
        yield f"Entrent de même : {', '.join(entree.autres)}."
    sensibles = ", ".join(ROLES[role] for role in ROLES if role in ROLES_A_SECOND_FACTEUR)
    yield (
        f"À la première entrée, il faut un second facteur aux rôles {sensibles} : une application "
        "de codes (FreeOTP, Aegis, KeePassXC…)."
    )


def _role(attribue: Attribue) -> str:
    dit = ROLES.get(attribue.role, attribue.role)
    return f"{dit} ({', '.join(attribue.plies)})" if attribue.plies else dit


def afficher_traces(page: PageTraces) -> Iterator[str]:
    """Yield a line a trace, the last ones first."""
    for trace in page.traces:
        yield _ligne(trace)
    if not page.traces:
        yield "Aucune trace."
    if page.suivant is not None:
        yield f"Les traces d’avant : --avant {page.suivant}"


def _ligne(trace: Trace) -> str:
    faits = ", ".join(f"{nom} : {valeur}" for nom, valeur in trace.objet.items())
    parties = (
        instant(trace.instant),
        NATURES[trace.nature],
        trace.identifiant or "inconnu",
        ROLES.get(trace.role or "", trace.role or ""),
        trace.adresse or "",
        faits,
    )
    return "  ".join(partie for partie in parties if partie)
