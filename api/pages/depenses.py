"""The list of dépenses: those of every operation, what they add up to, where they stand.

What is asked is all in the address: a link to a list is a link to what was seen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from operator import add
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter

from aggregates.operation.state import Statut
from api.deps import PRESENT, Dates, DatesDemandees, Lecture
from api.filters import entier, euros_ronds
from api.pages.dates import SituationVue, situation_vue
from api.pages.formulaires import Defaut, SaisieRefusee, page, vers
from api.pages.liens_actes import permis
from api.pages.montants import lire_centimes
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from oi_service.dates import Jour
from projections.curseurs import Page
from projections.dossiers import LigneOperation, noms_des_plies, operations
from projections.instantane import instantane
from projections.toutes_depenses import (
    DepenseListee,
    EtatDesDepenses,
    FiltresDesDepenses,
    TotauxDesDepenses,
    Tri,
    totaux_par_etat,
    toutes_depenses,
)
from rules.nomenclature import POSTES

router = APIRouter()

COLONNES = (
    Colonne("piece", "Pièce"),
    Colonne("date_piece", "Date", "jour", "Date de la pièce.", tri=True),
    Colonne("operation", "Dossier", "code", tri=True),
    Colonne("poste", "Poste et tiers"),
    Colonne("montant", "Imputé", "euros", "Coût total imputé à l’opération.", tri=True),
    Colonne("retenu", "Retenu", "euros", "Retenu au contrôle de service fait."),
    Colonne("ecarte", "Écarté", "euros", "Écarté au contrôle de service fait, et pourquoi."),
    Colonne("etat", "État"),
)
#: Sorted the first time that they are asked, the largest amounts and the last days come first.
_D_ABORD_GRANDS = frozenset(("montant", "date_piece"))

Etape = Literal["a_rattacher", "a_controler", "controlees", "ecartees", "annulees"]


@dataclass(frozen=True, slots=True)
class _Etape:
    """A part of the way of dépenses: what it is called, and the filters that keep it."""

    libelle: str
    filtres: Mapping[str, Any]

    def retient(self, etat: EtatDesDepenses) -> bool:
        """Tell whether dépenses of a state are on it."""
        return all(getattr(etat, nom) == valeur for nom, valeur in self.filtres.items())


ETAPES: Mapping[Etape, _Etape] = {
    "a_rattacher": _Etape("À mettre au bilan", {"statut": "declaree", "rattachee": False}),
    "a_controler": _Etape("À contrôler", {"statut": "declaree", "rattachee": True}),
    "controlees": _Etape("Contrôlées", {"statut": "controlee"}),
    "ecartees": _Etape("Écartées, même en partie", {"ecartees": True}),
    "annulees": _Etape("Annulées", {"statut": "annulee"}),
}
_NIVEAUX = {"declaree": "attention", "controlee": "bien", "annulee": "information"}


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemandeDeDepenses:
    """What an address of the list asks; it writes the address of the same list, changed.

    Texts are kept as they were typed; ``defauts`` says what of them cannot be read.
    """

    recherche: str = ""
    plie: str = ""
    operation: str = ""
    poste: str = ""
    etape: Etape | None = None
    date_piece_du: str = ""
    date_piece_au: str = ""
    montant_min: str = ""
    montant_max: str = ""
    tri: Tri = "saisie"
    ordre: Literal["asc", "desc"] = "desc"
    apres: str | None = None
    dates: Dates = PRESENT

    def lue(self) -> tuple[FiltresDesDepenses, list[Defaut]]:
        """Return the filters, those of the part of the way left out, and what cannot be read."""
        defauts: list[Defaut] = []
        return (
            FiltresDesDepenses(
                recherche=self.recherche or None,
                plie=self.plie or None,
                operation=self.operation or None,
                poste=self.poste or None,
                date_piece_du=_jour("date_piece_du", self.date_piece_du, defauts),
                date_piece_au=_jour("date_piece_au", self.date_piece_au, defauts),
                montant_min=_montant("montant_min", self.montant_min, defauts),
                montant_max=_montant("montant_max", self.montant_max, defauts),
            ),
            defauts,
        )

    @property
    def filtree(self) -> bool:
        """Tell whether something keeps dépenses out of the list."""
        return bool({nom for nom, _ in self.champs()} & _FILTRANTS)

    @property
    def precise(self) -> bool:
        """Tell whether one of the filters that are folded is used."""
        return bool({nom for nom, _ in self.champs()} & _REPLIES)

    def champs(self, *sauf: str) -> tuple[tuple[str, str], ...]:
        """Say what is asked as fields of a form, the default left out."""
        dits = [
            ("recherche", self.recherche),
            ("plie", self.plie),
            ("operation", self.operation),
            ("poste", self.poste),
            ("etape", self.etape or ""),
            ("date_piece_du", self.date_piece_du),
            ("date_piece_au", self.date_piece_au),
            ("montant_min", self.montant_min),
            ("montant_max", self.montant_max),
            ("tri", "" if self.tri == "saisie" else self.tri),
            ("ordre", "" if self.ordre == "desc" else self.ordre),
            ("apres", self.apres or ""),
            *self.dates.requete.items(),
        ]
        return tuple((nom, valeur) for nom, valeur in dits if valeur and nom not in sauf)

    def lien(self, **changements: Any) -> str:
        """Return the address of the list, changed, from its beginning unless said otherwise."""
        asked = replace(self, **{"apres": None, **changements})
        return f"?{urlencode(asked.champs())}"


_REPLIES = frozenset(("date_piece_du", "date_piece_au", "montant_min", "montant_max", "operation"))
_FILTRANTS = _REPLIES | {"recherche", "plie", "poste", "etape"}
_SANS_FILTRE = {**dict.fromkeys(_FILTRANTS - {"etape"}, ""), "etape": None}
_JOUR = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")


def _jour(champ: str, texte: str, defauts: list[Defaut]) -> date | None:
    """Read a day typed as people or as browsers write it."""
    if not texte:
        return None
    lu = _JOUR.fullmatch(texte)
    try:
        lue: date = TypeAdapter(Jour).validate_python(
            f"{lu[3]}-{lu[2]:0>2}-{lu[1]:0>2}" if lu else texte
        )
    except ValueError:
        defauts.append(Defaut(f"« {texte} » n’est pas un jour : 31/12/2021, par exemple.", champ))
        return None
    return lue


def _montant(champ: str, texte: str, defauts: list[Defaut]) -> int | None:
    """Read an amount typed the French way, as cents."""
    if not texte:
        return None
    try:
        return lire_centimes(texte, negatif=True)
    except ValueError as illisible:
        defauts.append(Defaut(f"{illisible}.", champ))
        return None


def _choisi(texte: str, parmi: Iterable[str]) -> Any:
    """Read a closed choice; an address that names what does not exist asks for nothing."""
    return texte if texte in set(parmi) else None


Court = Annotated[str, Query(max_length=64)]


def demande_de_depenses(
    dates: DatesDemandees,
    recherche: Annotated[str, Query(max_length=200)] = "",
    plie: Court = "",
    operation: Court = "",
    poste: Court = "",
    etape: Court = "",
    date_piece_du: Court = "",
    date_piece_au: Court = "",
    montant_min: Court = "",
    montant_max: Court = "",
    tri: Court = "",
    ordre: Court = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> DemandeDeDepenses:
    """Read what an address asks of the list."""
    return DemandeDeDepenses(
        recherche=_propre(recherche),
        plie=_propre(plie),
        operation=_propre(operation),
        poste=_choisi(poste, POSTES) or "",
        etape=_choisi(etape, ETAPES),
        date_piece_du=_propre(date_piece_du),
        date_piece_au=_propre(date_piece_au),
        montant_min=_propre(montant_min),
        montant_max=_propre(montant_max),
        tri=_choisi(tri, get_args(Tri)) or "saisie",
        ordre=_choisi(ordre, ("asc", "desc")) or "desc",
        apres=apres or None,
        dates=dates,
    )


def _propre(texte: str) -> str:
    return " ".join(texte.replace("\0", "").split())


DemandeLue = Annotated[DemandeDeDepenses, Depends(demande_de_depenses)]


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EtapeVue:
    """A part of the way of dépenses, and how many are on it."""

    libelle: str
    nombre: int
    lien: str
    active: bool


@dataclass(frozen=True, slots=True)
class TriVu:
    """A link that sorts by a column, and the direction of the sort when it is the one in force."""

    lien: str
    sens: Literal["ascending", "descending"] | None


@dataclass(frozen=True, slots=True)
class VueDepenses:
    """All that the page shows."""

    situation: SituationVue
    demande: DemandeDeDepenses
    phrase: str
    nombre: int
    plies: tuple[tuple[str, str], ...]
    postes: tuple[tuple[str, str], ...]
    caches: tuple[tuple[str, str], ...]
    etapes: tuple[EtapeVue, ...]
    tableau: Tableau
    tris: Mapping[str, TriVu]
    debut: str | None
    suite: str | None
    sans_filtre: str
    fichiers: tuple[tuple[str, str], ...]


def vue(
    demande: DemandeDeDepenses,
    lues: Page[DepenseListee],
    par_etat: Mapping[EtatDesDepenses, TotauxDesDepenses],
    plies: Mapping[str, str],
) -> VueDepenses:
    """Prepare the page."""
    total = _somme(par_etat, demande.etape)
    return VueDepenses(
        situation=situation_vue(demande.dates, dict(demande.champs("au", "connu_le", "apres"))),
        demande=demande,
        phrase=_phrase(total),
        nombre=total.nombre,
        plies=tuple(sorted(plies.items(), key=lambda p: p[1])),
        postes=tuple(POSTES.items()),
        caches=demande.champs("apres", *(_FILTRANTS - {"etape"})),
        etapes=_etapes(demande, par_etat),
        tableau=_tableau(demande, lues.lignes, total),
        tris={c.nom: _tri(demande, c.nom) for c in COLONNES if c.tri},
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=lues.suivant) if lues.suivant else None,
        sans_filtre=demande.lien(**_SANS_FILTRE),
        fichiers=tuple(liens("/exports/depenses", _export(demande))),
    )


def _somme(
    par_etat: Mapping[EtatDesDepenses, TotauxDesDepenses], etape: Etape | None
) -> TotauxDesDepenses:
    retenus = (t for etat, t in par_etat.items() if etape is None or ETAPES[etape].retient(etat))
    return reduce(add, retenus, TotauxDesDepenses())


def _phrase(total: TotauxDesDepenses) -> str:
    mots = "dépenses" if total.nombre > 1 else "dépense"
    suite = (
        f", dont {entier(total.annulees)} {'annulées' if total.annulees > 1 else 'annulée'}"
        if 0 < total.annulees < total.nombre
        else ""
    )
    montants = [f"{euros_ronds(total.declare)} imputés"]
    if total.retenu or total.ecarte:
        montants += [f"{euros_ronds(total.retenu)} retenus", f"{euros_ronds(total.ecarte)} écartés"]
    return " · ".join([f"{entier(total.nombre)} {mots}{suite}", *montants])


def _etapes(
    demande: DemandeDeDepenses, par_etat: Mapping[EtatDesDepenses, TotauxDesDepenses]
) -> tuple[EtapeVue, ...]:
    """Return the parts of the way that hold something, after the whole of it."""
    toutes = _somme(par_etat, None).nombre
    vues = [EtapeVue("Toutes", toutes, demande.lien(etape=None), demande.etape is None)]
    for etape, dite in ETAPES.items():
        nombre = _somme(par_etat, etape).nombre
        if nombre or demande.etape == etape:
            active = demande.etape == etape
            vues.append(EtapeVue(dite.libelle, nombre, demande.lien(etape=etape), active))
    return tuple(vues)


def _tableau(
    demande: DemandeDeDepenses, lues: Iterable[DepenseListee], total: TotauxDesDepenses
) -> Tableau:
    return Tableau(
        titre="Dépenses",
        colonnes=COLONNES,
        lignes=tuple(_ligne(d, demande.dates) for d in lues),
        total=Ligne(
            {
                "piece": Cellule("Total de la liste"),
                "montant": Cellule(total.declare),
                "retenu": Cellule(total.retenu),
                "ecarte": Cellule(total.ecarte),
            }
        ),
    )


def _ligne(d: DepenseListee, dates: Dates) -> Ligne:
    suite = f"?{urlencode(dates.requete)}" if dates.requete else ""
    return Ligne(
        {
            "piece": Cellule(d.piece_ref, f"/depenses/{d.id}{suite}", d.nature),
            "date_piece": Cellule(d.date_piece),
            "operation": Cellule(
                d.numero_mdfse,
                f"/dossiers/{d.numero_mdfse}{suite}",
                f"{d.beneficiaire} · {d.plie_nom}",
            ),
            "poste": Cellule(d.poste_libelle, precision=d.tiers_ref),
            "montant": Cellule(d.montant_impute),
            "retenu": Cellule(d.retenu),
            "ecarte": Cellule(d.ecarte or None, precision=d.motif_libelle if d.ecarte else None),
            "etat": Cellule(
                d.statut_libelle,
                precision=f"bilan n°\u00a0{d.bilan_numero}" if d.bilan_numero else None,
                niveau=_NIVEAUX[d.statut],  # type: ignore[arg-type]
            ),
        },
        ancre=f"depense-{d.id}",
    )


def _tri(demande: DemandeDeDepenses, nom: str) -> TriVu:
    if demande.tri == nom:
        inverse = "asc" if demande.ordre == "desc" else "desc"
        sens: Literal["ascending", "descending"] = (
            "ascending" if demande.ordre == "asc" else "descending"
        )
        return TriVu(demande.lien(ordre=inverse), sens)
    ordre = "desc" if nom in _D_ABORD_GRANDS else "asc"
    return TriVu(demande.lien(tri=nom, ordre=ordre), None)


def _export(demande: DemandeDeDepenses) -> dict[str, Any]:
    """Say what is asked as the file of the list takes it."""
    filtres, _ = demande.lue()
    etape = {} if demande.etape is None else ETAPES[demande.etape].filtres
    asked: dict[str, Any] = {
        **{nom: getattr(filtres, nom) for nom in _FILTRANTS - {"etape"}},
        **{nom: str(valeur).lower() for nom, valeur in etape.items()},
        "tri": demande.tri,
        "ordre": demande.ordre,
        "effet_au": demande.dates.situation.effet_au,
        "connu_le": demande.dates.connu_le,
    }
    for nom in ("montant_min", "montant_max"):
        if asked[nom] is not None:
            asked[nom] = _decimal(asked[nom])
    return asked


def _decimal(centimes: int) -> str:
    signe = "-" if centimes < 0 else ""
    return f"{signe}{abs(centimes) // 100}.{abs(centimes) % 100:02d}"


@router.get("/depenses", name="page_depenses")
def page_depenses(request: Request, demande: DemandeLue, lecture: Lecture) -> HTMLResponse:
    """Affiche les dépenses du territoire."""
    filtres, defauts = demande.lue()
    if not demande.dates.lisibles:
        defauts.append(Defaut("Les dates de la situation ne se lisent pas.", "situation-au"))
    situation = demande.dates.situation
    etape = {} if demande.etape is None else ETAPES[demande.etape].filtres
    with instantane(lecture.conn):
        lues = toutes_depenses(
            lecture.conn,
            lecture.perimetre,
            situation,
            replace(filtres, **etape),
            tri=demande.tri,
            ordre=demande.ordre,
            apres=demande.apres,
        )
        par_etat = totaux_par_etat(lecture.conn, lecture.perimetre, situation, filtres)
        plies = noms_des_plies(lecture.conn, lecture.perimetre)
    return page(
        request,
        "depenses.html",
        SaisieRefusee(defauts) if defauts else None,
        vue=vue(demande, lues, par_etat, plies),
        peut_saisir=permis(request, "declarer_depenses"),
    )


# --- Where to enter dépenses ---------------------------------------------------------------------

#: States in which an operation takes dépenses.
OUVERTES: tuple[Statut, ...] = (
    "conventionne",
    "en_execution",
    "realisation_terminee",
    "abandonne",
    "resilie",
)


@router.get("/depenses/saisie", name="page_choisir_dossier")
def page_choisir_dossier(
    request: Request,
    lecture: Lecture,
    recherche: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Affiche les dossiers où saisir des dépenses ; y va tout droit quand il n’y en a qu’un."""
    cherche = _propre(recherche)
    trouves = operations(
        lecture.conn,
        lecture.perimetre,
        parmi=OUVERTES,
        recherche=cherche or None,
        tri="depose_le",
        ordre="desc",
        limite=_DOSSIERS_MONTRES,
    )
    if cherche and len(trouves.lignes) == 1:
        return vers(_saisie(trouves.lignes[0]))
    return page(
        request,
        "depenses_choix.html",
        recherche=cherche,
        dossiers=[(o, _saisie(o)) for o in trouves.lignes],
        autres=trouves.suivant is not None,
    )


_DOSSIERS_MONTRES = 30


def _saisie(operation: LigneOperation) -> str:
    return f"/dossiers/{operation.numero_mdfse}/depenses/saisie"
