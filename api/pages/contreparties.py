"""What funders granted, paid, and what operations hold of it; each line leads to its acts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from api.deps import DatesDemandees, Lecture, subventions_au_choix
from api.pages.dates import SituationVue, situation_vue
from api.pages.gabarits import templates
from api.pages.liens_actes import lien_acte, permis
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from projections.contreparties import LigneContrepartie, contreparties
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


@router.get("/contreparties", name="page_contreparties", response_class=HTMLResponse)
def page(
    request: Request,
    lecture: Lecture,
    dates: DatesDemandees,
    subventions: Annotated[Sequence[Subvention], Depends(subventions_au_choix)],
    subvention: str = "",
    plie: Annotated[str, Query(max_length=64)] = "",
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
    if choisie is not None:
        lues = contreparties(
            lecture.conn,
            lecture.perimetre,
            choisie.id,
            dates.situation,
            plie=plie or None,
            recherche=recherche or None,
            limite=LIMITE_PAR_DEFAUT,
            apres=apres or None,
        )
    # The address of a list that is not the last recorded grant's says which one.
    reste = {
        nom: valeur
        for nom, valeur in {
            "subvention": subvention if choisie and str(choisie.id) == subvention else "",
            "plie": plie,
            "recherche": recherche,
            **dates.requete,
        }.items()
        if valeur
    }
    vue = VueContreparties(
        situation=situation_vue(dates, {n: v for n, v in reste.items() if n not in dates.requete}),
        tableau=Tableau("Contreparties", _COLONNES, tuple(_ligne(x, noms) for x in lues.lignes)),
        actes={
            str(x.id): tuple(
                (mot, lien_acte(nom, x.id, retour="/contreparties"))
                for mot, nom in _actes(x)
                if dates.situation.actuelle and permis(request, nom)
            )
            for x in lues.lignes
        },
        nombre=len(lues.lignes),
        plies=tuple(sorted(noms.items(), key=lambda p: p[1])),
        plie=plie,
        recherche=recherche,
        caches=tuple((n, v) for n, v in reste.items() if n not in {"plie", "recherche"}),
        fichiers=liens(
            "/exports/contreparties",
            {
                "subvention_globale_id": choisie and choisie.id,
                "plie": plie,
                "recherche": recherche,
                "effet_au": dates.au,
                "connu_le": dates.connu_le,
            },
        ),
        suite=f"?{urlencode({**reste, 'apres': lues.suivant})}" if lues.suivant else None,
        debut=f"?{urlencode(reste)}" if apres else None,
        attribuer=lien_acte("attribuer_contrepartie", choisie.id, retour="/contreparties")
        if choisie is not None and permis(request, "attribuer_contrepartie")
        else None,
    )
    return templates().TemplateResponse(
        request,
        "contreparties.html",
        {"vue": vue},
        status_code=HTTPStatus.OK if dates.lisibles else HTTPStatus.UNPROCESSABLE_ENTITY,
    )
