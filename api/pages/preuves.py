"""Verification, anchors and archives: what proves that nothing was changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.demande import DemandeArchive
from api.deps import Dates, DatesDemandees, Lecture, ServiceOuvert
from api.filters import entier
from api.pages import travaux as pages_travaux
from api.pages.audit import (
    ETATS_D_ANCRE,
    NIVEAUX_D_ANCRE,
    NumeroDemande,
    dossiers_connus,
    integrite,
)
from api.pages.dates import situation_vue
from api.pages.ecriture import majuscule
from api.pages.formulaires import Defaut, Formulaire, FormulaireRecu, SaisieRefusee, page, vers
from api.pages.liens_actes import permis
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from api.travaux import MesTravauxOuverts
from oi_service.clock import PARIS
from oi_service.errors import Refusal
from oi_service.preuve.ancres import AncreListee, lister
from projections.comptes import plies_connus

router = APIRouter(prefix="/audit")

#: Works of one kind shown under the page that asks for them.
_RECENTS = 5

_DESTINATIONS: Mapping[str, str] = {
    "fichier": "fichier",
    "courriel": "courriel",
    "horodatage": "horodatage",
}


# --- Verification --------------------------------------------------------------------------------


def tableau_des_ancres(ancres: list[AncreListee]) -> Tableau:
    """Prepare the list of the anchors, the last one first."""
    return Tableau(
        "Ancres du journal",
        (
            Colonne("ancre", "Ancre"),
            Colonne("le", "Signée le", "instant"),
            Colonne("taille", "Événements", "nombre"),
            Colonne("etat", "État"),
            Colonne("envois", "Envois"),
            Colonne("note", "Notée par", "nombre"),
        ),
        [_ancre(a) for a in reversed(ancres)],
    )


def _ancre(ancre: AncreListee) -> Ligne:
    le = None if ancre.instant is None else datetime.fromisoformat(ancre.instant).astimezone(PARIS)
    envois = [
        f"{_DESTINATIONS.get(d.nature, d.nature)} ({d.ou}) {'réussi' if d.reussi else 'échoué'}"
        for d in ancre.destinations
    ]
    lisible = ancre.taille is not None and ancre.etat in {"presente", "non_notee"}
    return Ligne(
        {
            "ancre": Cellule(
                ancre.nom, lien=f"/api/v1/ancrages/{ancre.taille}" if lisible else None
            ),
            "le": Cellule(le),
            "taille": Cellule(ancre.taille),
            "etat": Cellule(
                majuscule(ETATS_D_ANCRE[ancre.etat]), niveau=NIVEAUX_D_ANCRE[ancre.etat]
            ),
            "envois": Cellule(" ; ".join(envois) or None),
            "note": Cellule(
                ancre.position,
                lien=None if ancre.position is None else f"/evenements/{ancre.position}",
            ),
        }
    )


@router.get("/verification", name="page_verification")
def page_verification(
    request: Request, lecture: Lecture, service: ServiceOuvert, travaux: MesTravauxOuverts
) -> HTMLResponse:
    """Affiche la dernière vérification du journal et ses ancres."""
    ancres = lister(lecture.conn, service.lieux.ancres)
    verifications = travaux.lister("verification")
    derniere = next((t for t in verifications if t.resultat is not None), None)
    recents = [*verifications, *travaux.lister("comparaison")]
    recents.sort(key=lambda t: t.demande_le, reverse=True)
    return page(
        request,
        "audit_verification.html",
        integrite=integrite(lecture.conn, lecture.perimetre, ancres),
        ancres=tableau_des_ancres(ancres) if ancres else None,
        derniere=None if derniere is None else pages_travaux.vue(derniere),
        recents=pages_travaux.tableau(recents[:_RECENTS]) if recents else None,
        vivants=any(t.vivant for t in recents[:_RECENTS]),
    )


# --- Archives ------------------------------------------------------------------------------------


@router.get("/archives", name="page_archives")
def page_archives(
    request: Request,
    lecture: Lecture,
    travaux: MesTravauxOuverts,
    dates: DatesDemandees,
    dossier: NumeroDemande = "",
    plie: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """Affiche de quoi demander une archive, et celles que l’on a demandées."""
    saisi = {"objet": "plie" if plie else "dossier", "dossier": dossier, "plie": plie}
    return _page_des_archives(request, lecture.conn, travaux, dates, saisi)


def _page_des_archives(
    request: Request,
    conn: Connection[TupleRow],
    travaux: MesTravauxOuverts,
    dates: Dates,
    saisi: Mapping[str, str],
    refus: Refusal | SaisieRefusee | None = None,
) -> HTMLResponse:
    demandees = travaux.lister("archive")[:_RECENTS]
    return page(
        request,
        "audit_archives.html",
        refus,
        saisi=saisi,
        situation=situation_vue(dates, {}),
        connus=dossiers_connus(conn, travaux.qui.perimetre),
        plies=[(p.plie_id, p.nom) for p in plies_connus(conn)],
        tout=permis(request, "lancer_export_journal"),
        entiere=travaux.qui.plies is None,
        tableau=pages_travaux.tableau(demandees) if demandees else None,
        vivants=any(t.vivant for t in demandees),
        tete=_tete(conn),
    )


def _tete(conn: Connection[TupleRow]) -> str:
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return entier(row[0])


@router.post("/archives", name="page_lancer_archive")
def page_lancer_archive(
    request: Request, lecture: Lecture, travaux: MesTravauxOuverts, saisi: FormulaireRecu
) -> Response:
    """Demande une archive."""
    try:
        travail_id = travaux.archiver(_lire_demande(saisi))
    except (Refusal, SaisieRefusee) as refus:
        recu = {nom: saisi.texte(nom) for nom in ("objet", "dossier", "plie")}
        dates = Dates(au=saisi.texte("au"), connu_le=saisi.texte("connu_le"))
        return _page_des_archives(request, lecture.conn, travaux, dates, recu, refus)
    return vers(f"/travaux/{travail_id}")


def _lire_demande(saisi: Formulaire) -> DemandeArchive:
    objet = saisi.texte("objet")
    if objet == "dossier" and not saisi.texte("dossier"):
        raise SaisieRefusee([Defaut("Donnez le numéro du dossier à archiver.", "dossier")])
    if objet == "plie" and not saisi.texte("plie"):
        raise SaisieRefusee([Defaut("Choisissez le PLIE à archiver.", "plie")])
    try:
        return saisi.lire(
            DemandeArchive,
            dossier=saisi.texte("dossier") if objet == "dossier" else None,
            plie=saisi.texte("plie") if objet == "plie" else None,
            tout="true" if objet == "tout" else None,
            effet_au=saisi.texte("au"),
            connu_le=saisi.texte("connu_le"),
        )
    except SaisieRefusee as refus:
        # The pages call the day of effect otherwise.
        raise SaisieRefusee(
            [Defaut(d.message, "au" if d.champ == "effet_au" else d.champ) for d in refus.defauts]
        ) from None
