"""What funders granted, paid, and what operations hold of it; each line leads to its acts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from api.deps import DatesDemandees, Lecture, subventions_au_choix
from api.pages.dates import SituationVue, situation_vue
from api.pages.formulaires import nombre_cache
from api.pages.gabarits import templates
from api.pages.liens_actes import lien_acte, permis
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from projections.contreparties import (
    LigneContrepartie,
    TotauxContreparties,
    contreparties,
    totaux_des_contreparties,
)
from projections.curseurs import LIMITE_PAR_DEFAUT, Page
from projections.dossiers import noms_des_plies
from projections.maquette import Subvention

router = APIRouter()

_COLONNES = (
    Colonne("financeur", "Financeur"),
    Colonne("plie", "PLIE"),
    Colonne("annee", "Année", "code"),
    Colonne("attribue", "Attribué", "euros", "Ce que la décision du financeur accorde."),
    Colonne("percu", "Perçu", "euros", "Ce qui est arrivé sur le compte."),
    Colonne("affecte", "Affecté", "euros", "Ce que des opérations en tiennent."),
    Colonne("reste", "À affecter", "euros"),
)


def _actes(ligne: LigneContrepartie) -> Iterator[tuple[str, str]]:
    """Yield what may be done on a contrepartie, as it stands: a word, and its act."""
    if ligne.percu < ligne.attribue:
        yield "Percevoir", "percevoir_contrepartie"
    if ligne.reste > 0:
        yield "Affecter", "affecter_contrepartie"
    if ligne.affecte > 0:
        yield "Reprendre", "annuler_affectation"
    if ligne.plie_id is None:
        yield "Répartir", "repartir_contrepartie"


@dataclass(frozen=True, slots=True)
class VueContreparties:
    """All that the page shows."""

    situation: SituationVue
    tableau: Tableau
    actes: dict[str, tuple[tuple[str, str], ...]]  #: by the anchor of each line
    nombre: int
    plies: tuple[tuple[str, str], ...]
    plie: str
    recherche: str
    caches: tuple[tuple[str, str], ...]
    fichiers: Sequence[tuple[str, str]]
    annee: str
    suite: str | None
    debut: str | None
    attribuer: str | None


def _ligne(ligne: LigneContrepartie, noms: dict[str, str]) -> Ligne:
    plie = "Toute l’OI" if ligne.plie_id is None else noms.get(ligne.plie_id, ligne.plie_id)
    return Ligne(
        {
            "financeur": Cellule(ligne.financeur, precision=ligne.type_libelle),
            "plie": Cellule(plie),
            "annee": Cellule(str(ligne.annee)),
            "attribue": Cellule(ligne.attribue),
            "percu": Cellule(ligne.percu or None),
            "affecte": Cellule(ligne.affecte or None),
            "reste": Cellule(ligne.reste),
        },
        ancre=str(ligne.id),
    )


def _total(totaux: TotauxContreparties) -> Ligne:
    return Ligne(
        {
            "financeur": Cellule("Total de la liste"),
            "attribue": Cellule(totaux.attribue),
            "percu": Cellule(totaux.percu),
            "affecte": Cellule(totaux.affecte),
            "reste": Cellule(totaux.reste),
        }
    )


@router.get("/contreparties", name="page_contreparties", response_class=HTMLResponse)
def page(
    request: Request,
    lecture: Lecture,
    dates: DatesDemandees,
    subventions: Annotated[Sequence[Subvention], Depends(subventions_au_choix)],
    subvention: str = "",
    plie: Annotated[str, Query(max_length=64)] = "",
    annee: Annotated[str, Query(max_length=4)] = "",
    recherche: Annotated[str, Query(max_length=200)] = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> HTMLResponse:
    """Affiche les contreparties : attribuées, perçues, affectées, et ce qui en reste."""
    choisie = next((s for s in subventions if str(s.id) == subvention), None) or (
        subventions[0] if subventions else None
    )
    plie, recherche = plie.replace("\0", ""), " ".join(recherche.replace("\0", "").split())
    noms = dict(noms_des_plies(lecture.conn, lecture.perimetre))
    lues: Page[LigneContrepartie] = Page((), None)
    totaux = TotauxContreparties(0, 0, 0)
    # What is not a year filters nothing.
    an = nombre_cache(annee)
    annee = "" if an is None else annee
    if choisie is not None:
        de = (lecture.conn, lecture.perimetre, choisie.id, dates.situation)
        filtres: dict[str, Any] = {
            "plie": plie or None,
            "annee": an,
            "recherche": recherche or None,
        }
        lues = contreparties(*de, **filtres, limite=LIMITE_PAR_DEFAUT, apres=apres or None)
        totaux = totaux_des_contreparties(*de, **filtres)
    # The address of a list that is not the last recorded grant's says which one.
    reste = {
        nom: valeur
        for nom, valeur in {
            "subvention": subvention if choisie and str(choisie.id) == subvention else "",
            "plie": plie,
            "annee": annee,
            "recherche": recherche,
            **dates.requete,
        }.items()
        if valeur
    }
    # An act done, one goes on in the same list, where one was.
    la = {**reste, "apres": apres} if apres else reste
    ici = f"/contreparties?{urlencode(la)}" if la else "/contreparties"
    vue = VueContreparties(
        situation=situation_vue(dates, {n: v for n, v in reste.items() if n not in dates.requete}),
        tableau=Tableau(
            "Contreparties",
            _COLONNES,
            tuple(_ligne(x, noms) for x in lues.lignes),
            total=_total(totaux),
        ),
        actes={
            str(x.id): tuple(
                (mot, lien_acte(nom, x.id, retour=f"{ici}#{x.id}"))
                for mot, nom in _actes(x)
                if dates.situation.actuelle and permis(request, nom)
            )
            for x in lues.lignes
        },
        nombre=len(lues.lignes),
        plies=tuple(sorted(noms.items(), key=lambda p: p[1])),
        plie=plie,
        recherche=recherche,
        annee=annee,
        caches=tuple((n, v) for n, v in reste.items() if n not in {"plie", "annee", "recherche"}),
        fichiers=liens(
            "/exports/contreparties",
            {
                "subvention_globale_id": choisie and choisie.id,
                "plie": plie,
                "annee": annee,
                "recherche": recherche,
                "effet_au": dates.au,
                "connu_le": dates.connu_le,
            },
        ),
        suite=f"?{urlencode({**reste, 'apres': lues.suivant})}" if lues.suivant else None,
        debut=f"?{urlencode(reste)}" if apres else None,
        attribuer=lien_acte("attribuer_contrepartie", choisie.id, retour=ici)
        if choisie is not None and permis(request, "attribuer_contrepartie")
        else None,
    )
    return templates().TemplateResponse(
        request,
        "contreparties.html",
        {"vue": vue},
        status_code=HTTPStatus.OK if dates.lisibles else HTTPStatus.UNPROCESSABLE_ENTITY,
    )
