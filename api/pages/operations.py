"""The list of operations: every dossier of the territory, what it waits for, where its money is.

What is asked is all in the address: filters, sort, columns, place in the list. A link to a list is
then a link to what was seen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from http import HTTPStatus
from operator import add
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from aggregates.appel_a_projets.events import Fiche
from aggregates.operation.state import LIBELLES, Statut
from api.deps import PRESENT, Dates, DatesDemandees, Lecture
from api.filters import entier, euros_ronds, jour, largeur, pourcent
from api.pages.actes import lien_acte, permis
from api.pages.barres import Segment
from api.pages.dates import SituationVue, situation_vue
from api.pages.definitions import DEFINITIONS
from api.pages.ecriture import majuscule
from api.pages.gabarits import templates
from api.pages.parcours import STATUTS_D_ARRET
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from oi_service.money import ratio
from projections.appels_a_projets import LigneAppel, appels_a_projets, fiche_appel
from projections.curseurs import LIMITE_MAXIMALE, Page
from projections.dossiers import (
    ATTENTES,
    Attend,
    ChoixDeListe,
    LigneOperation,
    Ordre,
    Sommes,
    Tri,
    choix_de_liste,
    noms_des_plies,
    operations,
    sommes_par_statut,
)
from rules.cofinancement import ConditionCofinancement

router = APIRouter()

#: Every column that the list may show, in its order. The first one is always there.
COLONNES = (
    Colonne("numero", "Dossier", "code", tri=True),
    Colonne("beneficiaire", "Bénéficiaire et opération", tri=True),
    Colonne("plie", "PLIE", tri=True),
    Colonne("statut", "État", tri=True),
    Colonne("attend", "Attend", aide="Ce que le dossier attend maintenant."),
    Colonne("annee", "Tranche", "code"),
    Colonne("os", "Objectif spécifique", "code"),
    Colonne("dispositif", "Dispositif", "code"),
    Colonne("depose_le", "Déposé le", "jour", tri=True),
    Colonne("debut", "Début", "jour"),
    Colonne("fin", "Fin", "jour", tri=True),
    Colonne(
        "fse",
        "FSE",
        "euros",
        "Subvention programmée ; celle qui est demandée tant que rien n’est programmé.",
        tri=True,
    ),
    Colonne("avancement", "Avancement"),
    Colonne("fse_conventionne", "Conventionné", "euros", DEFINITIONS["fse_conventionne"].sens),
    Colonne("fse_declare", "Déclaré", "euros", DEFINITIONS["fse_declare"].sens),
    Colonne("fse_retenu_csf", "Retenu CSF", "euros", DEFINITIONS["fse_retenu_csf"].sens),
    Colonne("fse_paye", "Payé", "euros", DEFINITIONS["fse_paye"].sens),
)
PAR_DEFAUT = (
    "numero",
    "beneficiaire",
    "plie",
    "statut",
    "attend",
    "fse",
    "avancement",
    "fse_retenu_csf",
    "fse_paye",
)
_TRIS = {"plie": "plie", "depose_le": "depose_le"} | {c.nom: c.nom for c in COLONNES if c.tri}
#: Sorted the first time that they are asked, amounts begin with the largest.
_D_ABORD_GRANDS = frozenset({"fse"})
#: States after which nothing is expected any more.
_ETEINTS = STATUTS_D_ARRET - {"abandonne", "resilie"}


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemandeDeListe:
    """What an address of the list asks; it writes the address of the same list, changed."""

    recherche: str = ""
    plie: str = ""
    statut: Statut | None = None
    attend: Attend | None = None
    annee: int | None = None
    os: str = ""
    tri: Tri = "numero"
    ordre: Ordre = "asc"
    colonnes: tuple[str, ...] = PAR_DEFAUT
    apres: str | None = None
    dates: Dates = PRESENT

    @property
    def filtres(self) -> dict[str, Any]:
        """The filters that every state passes, as the queries take them."""
        return {
            "plie": self.plie or None,
            "objectif_specifique": self.os or None,
            "annee": self.annee,
            "recherche": self.recherche or None,
        }

    @property
    def statuts(self) -> tuple[Statut, ...] | None:
        """The states asked for; ``None`` for all."""
        attendent = None if self.attend is None else ATTENTES[self.attend][1]
        if self.statut is None:
            return attendent
        return (self.statut,) if attendent is None or self.statut in attendent else ()

    @property
    def filtree(self) -> bool:
        """Tell whether something keeps dossiers out of the list."""
        return self.statuts is not None or any(self.filtres.values())

    def champs(self, *sauf: str) -> tuple[tuple[str, str], ...]:
        """Say what is asked as fields of a form, the default left out."""
        dits: list[tuple[str, str]] = [
            ("recherche", self.recherche),
            ("plie", self.plie),
            ("statut", self.statut or ""),
            ("attend", self.attend or ""),
            ("annee", str(self.annee or "")),
            ("os", self.os),
            ("tri", "" if self.tri == "numero" else self.tri),
            ("ordre", "" if self.ordre == "asc" else self.ordre),
            ("apres", self.apres or ""),
            *self.dates.requete.items(),
        ]
        if self.colonnes != PAR_DEFAUT:
            dits += [("colonne", nom) for nom in self.colonnes]
        return tuple((nom, valeur) for nom, valeur in dits if valeur and nom not in sauf)

    @property
    def requete_d_export(self) -> dict[str, object]:
        """What the file of the same list asks."""
        return {
            **self.filtres,
            "statut": self.statut,
            "attend": self.attend,
            "tri": self.tri,
            "ordre": self.ordre,
            "effet_au": self.dates.au,
            "connu_le": self.dates.connu_le,
        }

    def lien(self, **changements: Any) -> str:
        """Return the address of the list, changed, from its beginning unless said otherwise."""
        asked = replace(self, **{"apres": None, **changements})
        return f"?{urlencode(asked.champs())}"


def _annee(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) == len("2021") else None


def _choisi(text: str, parmi: Iterable[str]) -> Any:
    """Read a closed choice; an address that names what does not exist asks for nothing."""
    return text if text in set(parmi) else None


def demande_de_liste(
    dates: DatesDemandees,
    recherche: Annotated[str, Query(max_length=200)] = "",
    plie: Annotated[str, Query(max_length=64)] = "",
    statut: str = "",
    attend: str = "",
    annee: str = "",
    os: Annotated[str, Query(max_length=64)] = "",
    tri: str = "",
    ordre: Literal["asc", "desc", ""] = "",
    colonne: Annotated[list[str] | None, Query(max_length=40)] = None,
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> DemandeDeListe:
    """Read what an address asks of the list."""
    choisies = set(colonne or ())
    noms = tuple(c.nom for c in COLONNES if c.nom in choisies or c.nom == "numero")
    return DemandeDeListe(
        recherche=" ".join(recherche.replace("\0", "").split()),
        plie=plie.replace("\0", ""),
        statut=_choisi(statut, get_args(Statut)),
        attend=_choisi(attend, ATTENTES),
        annee=_annee(annee),
        os=os.replace("\0", ""),
        tri=_choisi(tri, get_args(Tri)) or "numero",
        ordre=ordre or "asc",
        colonnes=noms if choisies else PAR_DEFAUT,
        apres=apres or None,
        dates=dates,
    )


DemandeLue = Annotated[DemandeDeListe, Depends(demande_de_liste)]


def lire_liste(lecture: Lecture, demande: DemandeDeListe, **page: Any) -> Page[LigneOperation]:
    """Return a page of the list as it is asked; ``page`` is what `operations` takes of a page."""
    return operations(
        lecture.conn,
        lecture.perimetre,
        demande.dates.situation,
        **demande.filtres,
        statut=demande.statut,
        attend=demande.attend,
        tri=demande.tri,
        ordre=demande.ordre,
        **page,
    )


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BarreDOperation:
    """How far the money of an operation is, on the width of what was programmed."""

    segments: tuple[Segment, ...]
    phrase: str


@dataclass(frozen=True, slots=True)
class TriVu:
    """A link that sorts by a column, and the direction of the sort when it is the one in force."""

    lien: str
    sens: Literal["ascending", "descending"] | None


@dataclass(frozen=True, slots=True)
class AttenteVue:
    """One thing that dossiers wait for, and how many do."""

    libelle: str
    nombre: int
    lien: str
    active: bool


@dataclass(frozen=True, slots=True)
class ChoixVu:
    """The choices of a filter: value and words, and the one that is made."""

    nom: str
    libelle: str
    vide: str
    options: tuple[tuple[str, str], ...]
    choisi: str


@dataclass(frozen=True, slots=True)
class VueOperations:
    """All that the page shows."""

    situation: SituationVue
    nombre: int
    phrase: str
    recherche: str
    choix: tuple[ChoixVu, ...]
    caches: tuple[tuple[str, str], ...]  #: what the form of the filters repeats
    attentes: tuple[AttenteVue, ...]
    colonnes: tuple[tuple[str, str, bool], ...]  #: of the choice: code, words, whether it is shown
    caches_colonnes: tuple[tuple[str, str], ...]
    tableau: Tableau
    barres: Mapping[str, BarreDOperation | None]  #: by the anchor of each line
    tris: Mapping[str, TriVu]
    debut: str | None
    suite: str | None
    filtree: bool
    sans_filtre: str
    fichiers: Sequence[tuple[str, str]]  #: the same list, whole


def vue(
    demande: DemandeDeListe,
    page: Page[LigneOperation],
    sommes: Mapping[Statut, Sommes],
    choix: ChoixDeListe,
) -> VueOperations:
    """Prepare the page."""
    gardes = get_args(Statut) if demande.statuts is None else demande.statuts
    total = reduce(add, (s for statut, s in sommes.items() if statut in gardes), Sommes())
    return VueOperations(
        situation=situation_vue(
            demande.dates, dict(demande.champs("au", "connu_le", "apres", "colonne"))
        ),
        nombre=total.nombre,
        phrase=_phrase(total),
        recherche=demande.recherche,
        choix=_choix(demande, choix),
        caches=demande.champs("recherche", "plie", "statut", "annee", "os", "apres"),
        attentes=_attentes(demande, sommes),
        colonnes=tuple((c.nom, c.libelle, c.nom in demande.colonnes) for c in COLONNES[1:]),
        caches_colonnes=demande.champs("colonne", "apres"),
        tableau=tableau(demande.colonnes, page.lignes, total, demande.dates),
        barres={o.numero_mdfse: barre(o) for o in page.lignes},
        tris=_tris(demande),
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=page.suivant) if page.suivant else None,
        filtree=demande.filtree,
        sans_filtre=demande.lien(
            recherche="", plie="", statut=None, attend=None, annee=None, os=""
        ),
        fichiers=liens("/exports/operations", demande.requete_d_export),
    )


def _phrase(total: Sommes) -> str:
    return f"{_dossiers(total.nombre)}, {euros_ronds(total.fse)} de FSE"


def _dossiers(nombre: int) -> str:
    return f"{entier(nombre)} {'dossiers' if nombre > 1 else 'dossier'}"


def _choix(demande: DemandeDeListe, choix: ChoixDeListe) -> tuple[ChoixVu, ...]:
    return (
        ChoixVu("plie", "PLIE", "Tous", choix.plies, demande.plie),
        ChoixVu(
            "statut",
            "État",
            "Tous",
            tuple((statut, majuscule(mots)) for statut, mots in LIBELLES.items()),
            demande.statut or "",
        ),
        ChoixVu(
            "annee",
            "Tranche",
            "Toutes",
            tuple((str(annee), str(annee)) for annee in choix.annees),
            str(demande.annee or ""),
        ),
        ChoixVu(
            "os",
            "Objectif",
            "Tous",
            tuple((os, os) for os in choix.objectifs_specifiques),
            demande.os,
        ),
    )


def _attentes(demande: DemandeDeListe, sommes: Mapping[Statut, Sommes]) -> tuple[AttenteVue, ...]:
    """Say what dossiers wait for, and how many; what nobody waits for is left out."""
    vues = []
    for code, (mots, statuts) in ATTENTES.items():
        nombre = sum(sommes[statut].nombre for statut in statuts if statut in sommes)
        active = demande.attend == code
        if nombre or active:
            lien = demande.lien(attend=None if active else code, statut=None)
            vues.append(AttenteVue(mots, nombre, lien, active))
    return tuple(vues)


def _tris(demande: DemandeDeListe) -> Mapping[str, TriVu]:
    found = {}
    for colonne in COLONNES:
        if not colonne.tri:
            continue
        courant = demande.tri == colonne.nom
        premier: Ordre = "desc" if colonne.nom in _D_ABORD_GRANDS else "asc"
        autre: Ordre = "asc" if demande.ordre == "desc" else "desc"
        sens: Literal["ascending", "descending"] = (
            "ascending" if demande.ordre == "asc" else "descending"
        )
        found[colonne.nom] = TriVu(
            demande.lien(tri=colonne.nom, ordre=autre if courant else premier),
            sens if courant else None,
        )
    return found


def tableau(
    noms: Iterable[str],
    lignes: Iterable[LigneOperation],
    total: Sommes | None = None,
    dates: Dates = PRESENT,
) -> Tableau:
    """Return the list as a table, whoever shows it."""
    gardees = set(noms)
    requete = f"?{urlencode(dates.requete)}" if dates.requete else ""
    return Tableau(
        titre="Opérations",
        colonnes=tuple(c for c in COLONNES if c.nom in gardees),
        lignes=(_ligne(o, requete) for o in lignes),
        total=None if total is None else _total(total),
    )


def _ligne(o: LigneOperation, requete: str) -> Ligne:
    demande = "demandé" if o.fse and not o.fse_programme else None
    cellules = {
        "numero": Cellule(
            o.numero_mdfse,
            lien=f"/dossiers/{o.numero_mdfse}{requete}",
            precision=o.numero_convention,
        ),
        "beneficiaire": Cellule(o.beneficiaire, precision=o.intitule),
        "plie": Cellule(o.plie_nom),
        "statut": Cellule(
            majuscule(o.statut_libelle),
            niveau="attention" if o.statut in STATUTS_D_ARRET else "information",
        ),
        "attend": Cellule(o.attend),
        "annee": Cellule(str(o.annee)),
        "os": Cellule(o.objectif_specifique),
        "dispositif": Cellule(o.dispositif),
        "depose_le": Cellule(o.depose_le),
        "debut": Cellule(o.debut),
        "fin": Cellule(o.fin),
        "fse": Cellule(o.fse or None, precision=demande),
        "avancement": Cellule(None),
    }
    for mesure in ("fse_conventionne", "fse_declare", "fse_retenu_csf", "fse_paye"):
        montant = getattr(o, mesure)
        cellules[mesure] = Cellule(montant or None)
    return Ligne(cellules, ancre=o.numero_mdfse)


def _total(total: Sommes) -> Ligne:
    return Ligne(
        {
            "numero": Cellule(_dossiers(total.nombre)),
            "fse": Cellule(total.fse),
            "fse_conventionne": Cellule(total.fse_conventionne),
            "fse_declare": Cellule(total.fse_declare),
            "fse_retenu_csf": Cellule(total.fse_retenu_csf),
            "fse_paye": Cellule(total.fse_paye),
        }
    )


def barre(o: LigneOperation) -> BarreDOperation | None:
    """Draw an operation on the width of its programming; nothing before it is programmed."""
    if o.fse_programme <= 0 or o.statut in _ETEINTS:
        return None
    rendu = o.fse_programme - o.fse_programme_ajuste
    full = max(o.fse_programme, o.fse_conventionne, o.fse_retenu_csf, o.fse_paye)
    segments: list[Segment] = []
    start = 0
    for nature, libelle, fin in (
        ("paye", "Payé", min(o.fse_paye, o.fse_retenu_csf)),
        ("retenu", "Retenu après CSF, à payer", o.fse_retenu_csf),
        ("avance", "Avances au-delà du retenu", o.fse_paye),
        ("conventionne", "Conventionné, à contrôler", o.fse_conventionne - rendu),
        ("programme", "Programmé, à conventionner", o.fse_programme - rendu),
        ("libre", "Rendu à l’enveloppe au solde", o.fse_programme),
    ):
        if fin > start:
            segments.append(
                Segment(
                    nature,
                    libelle,
                    fin - start,
                    largeur(Fraction(start, full)),
                    largeur(Fraction(fin - start, full)),
                )
            )
            start = fin
    parts = (
        (nom, pourcent(ratio(montant, o.fse_programme)))
        for nom, montant in (
            ("conventionné", o.fse_conventionne),
            ("retenu", o.fse_retenu_csf),
            ("payé", o.fse_paye),
        )
    )
    dit = ", ".join(f"{nom} {part}" for nom, part in parts)
    return BarreDOperation(tuple(segments), f"Part du programmé\u00a0: {dit}")


# --- The route -----------------------------------------------------------------------------------


@router.get("/operations", name="page_operations", response_class=HTMLResponse)
def page(request: Request, lecture: Lecture, demande: DemandeLue) -> HTMLResponse:
    """Affiche les opérations du territoire : filtres, tri, colonnes, ce que chacune attend."""
    with lecture.conn.transaction():
        # One snapshot: the lines add up to their total.
        lecture.conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        lignes = lire_liste(lecture, demande, apres=demande.apres)
        sommes = sommes_par_statut(
            lecture.conn, lecture.perimetre, demande.dates.situation, **demande.filtres
        )
        choix = choix_de_liste(lecture.conn, lecture.perimetre)
    return templates().TemplateResponse(
        request,
        "operations.html",
        {
            "vue": vue(demande, lignes, sommes, choix),
            "peut_deposer": permis(request, "deposer_dossier"),
            "peut_comite": permis(request, "tenir_seance"),
        },
        status_code=HTTPStatus.OK if demande.dates.lisibles else HTTPStatus.UNPROCESSABLE_ENTITY,
    )


# --- A new operation: which call, which fiche, then its form -------------------------------------


@dataclass(frozen=True, slots=True)
class AppelVu:
    """A call that may be answered."""

    titre: str
    precision: str
    lien: str
    choisi: bool


@dataclass(frozen=True, slots=True)
class FicheVue:
    """A fiche of the call, and the form of the deposit that answers it."""

    code: str
    titre: str
    plie: str
    ligne: str
    periode: str
    condition: str | None
    lien: str


@router.get("/operations/nouvelle", name="page_nouvelle_operation", response_class=HTMLResponse)
def nouvelle(request: Request, lecture: Lecture, appel: str = "") -> HTMLResponse:
    """Affiche les appels à projets, puis les fiches de celui qui est choisi."""
    ouverts = [
        a
        for a in appels_a_projets(lecture.conn, lecture.perimetre, limite=LIMITE_MAXIMALE).lignes
        if not a.clos
    ][::-1]
    # One call: nothing to choose.
    choisi = next((a for a in ouverts if str(a.id) == appel or len(ouverts) == 1), None)
    fiches: tuple[FicheVue, ...] = ()
    if choisi is not None:
        noms = dict(noms_des_plies(lecture.conn, lecture.perimetre))
        lue = fiche_appel(lecture.conn, lecture.perimetre, choisi.id)
        fiches = tuple(_fiche(choisi.id, fiche, noms) for fiche in lue.fiches)
    return templates().TemplateResponse(
        request,
        "operation_nouvelle.html",
        {
            "appels": [_appel(a, choisi) for a in ouverts],
            "choisi": None if choisi is None else _appel(choisi, choisi),
            "fiches": fiches,
        },
    )


def _appel(ligne: LigneAppel, choisi: LigneAppel | None) -> AppelVu:
    return AppelVu(
        titre=f"Appel n°\u00a0{ligne.numero}, {ligne.intitule}",
        precision=f"ouvert du {jour(ligne.date_ouverture)} au {jour(ligne.date_cloture)}, "
        f"{ligne.nb_fiches} fiches",
        lien=f"/operations/nouvelle?{urlencode({'appel': ligne.id})}",
        choisi=ligne == choisi,
    )


_CONDITIONS = {
    "condition_de_recevabilite": "Condition de recevabilité",
    "condition_de_financement": "Condition de financement",
    "critere_de_selection": "Critère de sélection",
}


def dire_condition(condition: ConditionCofinancement) -> str:
    """Say what a fiche asks of the financing plan."""
    exigences = []
    if condition.cofinancement_requis:
        exigences.append("un cofinancement")
    if condition.taux_min_contreparties is not None:
        taux = pourcent(Fraction(condition.taux_min_contreparties))
        exigences.append(f"au moins {taux} de contreparties")
    if condition.taux_max_fse is not None:
        exigences.append(f"au plus {pourcent(Fraction(condition.taux_max_fse))} de FSE")
    return f"{_CONDITIONS[condition.statut]}\u00a0: {', '.join(exigences) or 'aucune'}"


def _fiche(appel_id: UUID, fiche: Fiche, noms: Mapping[str, str]) -> FicheVue:
    return FicheVue(
        code=fiche.code,
        titre=fiche.titre,
        plie=noms.get(fiche.plie_id, fiche.plie_id),
        ligne=f"Axe {fiche.axe} · {fiche.objectif_specifique} · {fiche.dispositif}",
        periode=f"du {jour(fiche.periode.debut)} au {jour(fiche.periode.fin)}",
        condition=None if fiche.condition is None else dire_condition(fiche.condition),
        lien=lien_acte(
            "deposer_dossier",
            retour=f"/operations/nouvelle?appel={appel_id}",
            appel_a_projets_id=str(appel_id),
            fiche_code=fiche.code,
            annee_tranche=str(fiche.periode.debut.year),
            **{
                "periode.debut": fiche.periode.debut.isoformat(),
                "periode.fin": fiche.periode.fin.isoformat(),
            },
        ),
    )
