"""Long works as people follow them: the list of one's own, one of them, and asking for one.

What a kind of work gives is shown by its function in ``_RESULTATS``; any other work is shown by
what its result says of itself: ``phrase``, ``chiffres`` (pairs of texts), ``lien`` (``adresse``,
``libelle``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from api.filters import entier, jour
from api.pages.formulaires import page, vers
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from api.tableaux.modele import Niveau
from api.travaux import DemandeExport, MesTravauxOuverts
from api.web import telechargement
from oi_service.clock import PARIS
from oi_service.travaux import NATURES, Etat, Travail

router = APIRouter(prefix="/travaux")

_NIVEAUX: Mapping[Etat, Niveau] = {
    "attend": "information",
    "en_cours": "information",
    "fini": "bien",
    "echoue": "grave",
    "interrompu": "attention",
    "annule": "attention",
}


# --- What a work is about, what it gave ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resultat:
    """What a work gave: a sentence, figures, a table, where to go on."""

    phrase: str | None = None
    niveau: Niveau = "bien"
    chiffres: tuple[tuple[str, str], ...] = ()
    tableau: Tableau | None = None
    lien: tuple[str, str] | None = None  #: address, words
    hors_ligne: bool = False  #: it is an archive: how to check it is said beside


def objet(travail: Travail) -> str | None:
    """Say what a work is about, when its kind does not say it all."""
    demande = travail.demande
    if travail.nature == "archive":
        if demande.get("tout"):
            quoi = "tout le journal"
        elif plie := demande.get("plie"):
            quoi = f"PLIE {plie}"
        else:
            quoi = f"dossier n°\u00a0{demande.get('dossier')}"
        au = demande.get("effet_au")
        connu = demande.get("connu_le")
        dates = [
            *([f"situation au {jour(date.fromisoformat(au))}"] if au else ()),
            *([f"jusqu’à l’événement n°\u00a0{entier(int(connu))}"] if connu else ()),
        ]
        return ", ".join([quoi, *dates])
    if travail.nature == "export_journal":
        return (
            f"événements n°\u00a0{entier(demande['depuis'])} à n°\u00a0{entier(demande['jusqua'])}"
        )
    dit = demande.get("objet")
    return str(dit) if dit else None


def _verification(lu: Mapping[str, Any]) -> Resultat:
    premiere = lu.get("premiere")
    phrase = (
        "Tout est intact : les livres sont justes, chaque événement porte son sceau, et le journal "
        "continue ses ancres."
        if lu["intacte"]
        else "Quelque chose ne tient pas : lisez les points en rouge, et prévenez qui administre "
        "le service avant toute autre opération."
    )
    return Resultat(
        phrase=phrase,
        niveau="bien" if lu["intacte"] else "grave",
        chiffres=(
            ("Vérifié jusqu’à l’événement", f"n°\u00a0{entier(lu['jusqua_position'])}"),
            ("Événements recalculés", entier(lu["relus"])),
            ("Ancres que le journal continue", entier(lu["ancres_continuees"])),
            *((("Premier événement en cause", f"n°\u00a0{entier(premiere)}"),) if premiere else ()),
            ("Racine du journal", str(lu["racine"])),
            ("Durée", f"{entier(round(lu['duree_ms'] / 1000))}\u00a0s"),
        ),
        tableau=Tableau(
            "Points vérifiés",
            (
                Colonne("enonce", "Ce qui est vérifié"),
                Colonne("code", "Point", "code"),
                Colonne("etat", "Constat"),
                Colonne("ecarts", "Écarts", "nombre"),
            ),
            [_point(point) for point in lu["points"]],
        ),
    )


def _point(point: Mapping[str, Any]) -> Ligne:
    tient = not point["nb_ecarts"]
    dits = " · ".join(point["ecarts"][:5])
    return Ligne(
        {
            "enonce": Cellule(point["enonce"], precision=dits or None),
            "code": Cellule(point["code"]),
            "etat": Cellule(
                "Tient" if tient else "Ne tient pas", niveau="bien" if tient else "grave"
            ),
            "ecarts": Cellule(point["nb_ecarts"]),
        }
    )


def _archive(lu: Mapping[str, Any]) -> Resultat:
    manques = [
        f"{entier(lu[champ])} {mots}"
        for champ, mots in (
            ("pieces_absentes", "jamais déposées"),
            ("pieces_alterees", "altérées depuis leur dépôt"),
        )
        if lu[champ]
    ]
    return Resultat(
        phrase=str(lu["phrase"]),
        niveau="attention" if lu["pieces_alterees"] else "bien",
        chiffres=(
            ("Événements", entier(lu["evenements"])),
            (
                "Pièces jointes",
                entier(lu["pieces"]) + (f" ({', '.join(manques)})" if manques else ""),
            ),
            ("Empreinte SHA-256 du fichier", str(lu["sha256"])),
            ("Empreinte SHA-256 du manifeste, à confirmer à l’auditeur", str(lu["manifeste"])),
        ),
        hors_ligne=True,
    )


#: What each projection holds, as people call it.
PROJECTIONS = {
    "affectation": "Contreparties affectées aux opérations",
    "appel_a_projets": "Appels à projets",
    "compte": "Comptes",
    "compte_mise_a_disposition": "Mises à disposition des comptes",
    "compte_role": "Rôles des comptes",
    "contrepartie": "Contreparties attribuées",
    "controle_constat": "Constats des contrôles d’opération",
    "controle_operation": "Contrôles d’opération",
    "controle_perimetre": "Opérations contrôlées",
    "controle_suite": "Suites des contrôles d’opération",
    "depense": "Dépenses",
    "enveloppe": "Enveloppes des PLIE",
    "lot": "Lots importés",
    "lot_ligne": "Lignes des lots importés",
    "mouvement": "Mouvements des montants",
    "operation": "Dossiers",
    "plie": "PLIE",
    "reprise": "Reprises d’un ancien registre",
    "subvention_globale": "Subventions globales",
}


def _comparaison(lu: Mapping[str, Any]) -> Resultat:
    return Resultat(
        phrase=(
            "Ce qui est affiché est exactement ce que le journal donne quand on le rejoue."
            if lu["identiques"]
            else "Ce qui est affiché n’est pas ce que le journal donne : demandez à qui administre "
            "le service de refaire les projections (« oi rebuild »)."
        ),
        niveau="bien" if lu["identiques"] else "grave",
        chiffres=(
            ("Événements rejoués", entier(lu["evenements"])),
            ("Empreinte de ce que le journal donne", str(lu["empreinte"])),
        ),
        tableau=Tableau(
            "Ce qui a été comparé",
            (
                Colonne("projection", "Ce qui est affiché"),
                Colonne("lignes", "Lignes affichées", "nombre"),
                Colonne("etat", "Constat"),
            ),
            [
                Ligne(
                    {
                        "projection": Cellule(PROJECTIONS.get(t["projection"], t["projection"])),
                        "lignes": Cellule(t["lignes"]),
                        "etat": Cellule(
                            "Identique" if t["identique"] else "Différente",
                            niveau="bien" if t["identique"] else "grave",
                        ),
                    }
                )
                for t in lu["tables"]
            ],
        ),
    )


def _export(lu: Mapping[str, Any]) -> Resultat:
    return Resultat(
        phrase="Le journal est écrit, un événement par ligne, toutes ses colonnes.",
        chiffres=(("Événements", entier(lu["evenements"])),),
    )


_RESULTATS: Mapping[str, Callable[[Mapping[str, Any]], Resultat]] = {
    "verification": _verification,
    "archive": _archive,
    "comparaison": _comparaison,
    "export_journal": _export,
}


def resultat(travail: Travail) -> Resultat | None:
    """Return what a work gave, once it has."""
    if travail.resultat is None:
        return None
    montrer = _RESULTATS.get(travail.nature, _sans_facon)
    return montrer(travail.resultat)


def _sans_facon(lu: Mapping[str, Any]) -> Resultat:
    lien = lu.get("lien")
    return Resultat(
        phrase=lu.get("phrase"),
        chiffres=tuple((str(nom), str(valeur)) for nom, valeur in lu.get("chiffres", ())),
        lien=(lien["adresse"], lien["libelle"]) if lien else None,
    )


# --- What the pages show -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FichierVu:
    """A file to take."""

    nom: str
    lien: str
    poids: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VueTravail:
    """One work."""

    lien: str
    libelle: str
    objet: str | None
    etat: str
    niveau: Niveau
    vivant: bool
    attend: bool
    annulable: bool
    phrase: str
    fait: int
    total: int  #: 0 while nobody knows
    avancement: str | None
    instants: tuple[tuple[str, datetime], ...]
    duree: str | None
    resultat: Resultat | None
    fichiers: tuple[FichierVu, ...]
    fichiers_jusqu_au: datetime | None
    reprend: str | None


_UNITES = ((10**9, "Go"), (10**6, "Mo"), (10**3, "ko"))


def poids(octets: int) -> str:
    """Write a size of file."""
    for taille, nom in _UNITES:
        if octets >= taille:
            return f"{octets / taille:.1f}".replace(".", ",") + f"\u00a0{nom}"
    return f"{octets}\u00a0octets"


def vue(travail: Travail) -> VueTravail:
    """Prepare the page of a work."""
    nature = NATURES.get(travail.nature)
    en_cours = travail.etat == "en_cours"
    return VueTravail(
        lien=f"/travaux/{travail.id}",
        libelle=travail.nature if nature is None else nature.libelle,
        objet=objet(travail),
        etat=travail.etat_libelle,
        niveau=_NIVEAUX[travail.etat],
        vivant=travail.vivant,
        attend=travail.etat == "attend",
        annulable=travail.vivant and not travail.a_annuler,
        phrase=travail.phrase,
        fait=travail.fait,
        total=travail.total,
        avancement=_avancement(travail) if en_cours else None,
        instants=tuple(
            (mots, moment)
            for mots, moment in (
                ("Demandé le", travail.demande_le),
                ("Commencé le", travail.commence_le),
                ("Terminé le", travail.fini_le),
            )
            if moment is not None
        ),
        duree=_duree(travail),
        resultat=resultat(travail),
        fichiers=tuple(
            FichierVu(f.nom, f"/travaux/{travail.id}/fichiers/{f.nom}", poids(f.octets), f.sha256)
            for f in travail.fichiers
        ),
        fichiers_jusqu_au=travail.fichiers_jusqu_au,
        reprend=None if travail.reprend is None else f"/travaux/{travail.reprend}",
    )


def _avancement(travail: Travail) -> str | None:
    return f"{entier(travail.fait)} sur {entier(travail.total)}" if travail.total else None


def _duree(travail: Travail) -> str | None:
    if travail.commence_le is None or travail.fini_le is None:
        return None
    secondes = (travail.fini_le - travail.commence_le).total_seconds()
    if secondes < 1:
        return "moins d’une seconde"
    minutes, reste = divmod(round(secondes), 60)
    return f"{minutes}\u00a0min {reste}\u00a0s" if minutes else f"{reste}\u00a0s"


def tableau(travaux: list[Travail]) -> Tableau:
    """Prepare a list of works."""
    return Tableau(
        "Travaux",
        (
            Colonne("travail", "Travail"),
            Colonne("etat", "État"),
            Colonne("demande", "Demandé le", "instant"),
            Colonne("fini", "Terminé le", "instant"),
            Colonne("fichiers", "Fichiers", "nombre"),
        ),
        [_ligne(travail) for travail in travaux],
    )


def _ligne(travail: Travail) -> Ligne:
    shown = vue(travail)
    return Ligne(
        {
            "travail": Cellule(shown.libelle, lien=shown.lien, precision=shown.objet),
            "etat": Cellule(shown.etat, niveau=shown.niveau, precision=shown.avancement),
            "demande": Cellule(travail.demande_le.astimezone(PARIS)),
            "fini": Cellule(travail.fini_le and travail.fini_le.astimezone(PARIS)),
            "fichiers": Cellule(len(travail.fichiers) or None),
        }
    )


# --- The routes ----------------------------------------------------------------------------------


@router.get("", name="page_travaux")
def page_travaux(request: Request, travaux: MesTravauxOuverts) -> HTMLResponse:
    """Affiche ses travaux."""
    lus = travaux.lister()
    return page(
        request,
        "travaux.html",
        tableau=tableau(lus) if lus else None,
        vivants=any(t.vivant for t in lus),
    )


@router.get("/{travail_id:uuid}", name="page_travail")
def page_travail(request: Request, travail_id: UUID, travaux: MesTravauxOuverts) -> HTMLResponse:
    """Affiche un travail : où il en est, ce qu’il a produit."""
    return page(request, "travail.html", vue=vue(travaux.lire(travail_id)))


@router.post("/verifications", name="page_lancer_verification")
def page_lancer_verification(travaux: MesTravauxOuverts) -> Response:
    """Demande une vérification."""
    return vers(f"/travaux/{travaux.verifier()}")


@router.post("/comparaisons", name="page_lancer_comparaison")
def page_lancer_comparaison(travaux: MesTravauxOuverts) -> Response:
    """Demande de rejouer le journal et de comparer."""
    return vers(f"/travaux/{travaux.comparer()}")


@router.post("/exports-du-journal", name="page_lancer_export_journal")
def page_lancer_export_journal(travaux: MesTravauxOuverts) -> Response:
    """Demande l’export du journal entier."""
    return vers(f"/travaux/{travaux.exporter_journal(DemandeExport(depuis=1))}")


@router.post("/{travail_id}/annulation", name="annuler_mon_travail")
def annuler_mon_travail(travail_id: UUID, travaux: MesTravauxOuverts) -> Response:
    """Annule un travail."""
    travaux.annuler(travail_id)
    return vers(f"/travaux/{travail_id}")


@router.post("/{travail_id}/relance", name="relancer_mon_travail")
def relancer_mon_travail(travail_id: UUID, travaux: MesTravauxOuverts) -> Response:
    """Relance un travail."""
    return vers(f"/travaux/{travaux.relancer(travail_id)}")


@router.get("/{travail_id}/fichiers/{nom}", name="telecharger_mon_fichier")
def telecharger_mon_fichier(
    travail_id: UUID, nom: Annotated[str, Path(max_length=160)], travaux: MesTravauxOuverts
) -> FileResponse:
    """Télécharge un fichier d’un travail."""
    travail = travaux.lire(travail_id)
    return FileResponse(
        travaux.service.travaux.chemin(travail, nom),
        media_type=travail.fichier(nom).media,
        headers=telechargement(nom),
    )
