"""The page of the maquette: where the money of each PLIE stands, and what to look at first.

``vue`` turns the figures of the projection into exactly what the template shows: every sum,
difference, width and sentence is made here, so that the template only loops.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Literal, Protocol
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from api.deps import (
    PRESENT,
    Dates,
    DatesDemandees,
    Lecture,
    maquette_courante,
    subventions_au_choix,
)
from api.filters import entier, instant, largeur, pourcent
from api.graphiques import Graphique
from api.pages.alertes import (
    GRAVITE,
    Alerte,
    Badge,
    Niveau,
    alertes,
    badges,
    programmation_attendue,
)
from api.pages.barres import Barre, Unite, barre, echelle, legende
from api.pages.courbes import graphiques
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.definitions import (
    CONTREPARTIES,
    DEFINITIONS,
    DIVISIONS,
    FONDS,
    MONTANTS,
    SOLDES,
    TAUX,
    Definition,
)
from api.pages.gabarits import templates
from api.tableaux import liens
from oi_service.clock import jour
from oi_service.money import ratio
from projections.difference import Difference, difference
from projections.livre import Choix as ChoixDeLignes
from projections.maquette import HORS_PLIE, Chiffres, Maquette, ParFinanceur
from projections.situation import ACTUELLE
from projections.tableau_de_bord import Preuve, TableauDeBord, tableau_de_bord

router = APIRouter()

Ordre = Literal["asc", "desc"]


#: Figures of the head of the page and columns of the main table.
_EN_TETE = ("fse_maquette", "fse_programme", "fse_conventionne", "fse_retenu_csf", "fse_paye")
_EN_TABLE = (*_EN_TETE, "disponible_a_programmer")
_LIBELLES_COURTS = {"fse_retenu_csf": "Retenu CSF", "disponible_a_programmer": "Disponible"}


#: Which lines of the ledger a figure sums, and when, as the address that explains it says it.
Origine = Mapping[str, object]


# --- What the template shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cellule:
    """An amount and its share of the enveloppe; ``share`` is absent for the enveloppe itself."""

    nom: str
    libelle: str
    montant: int
    part: str | None
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Ligne:
    """A line of the main table."""

    nom: str
    lien: str | None
    nb_operations: int
    barre: Barre | None
    cellules: tuple[Cellule, ...]
    badges: tuple[Badge, ...]
    origine: Origine | None  #: none for figures of facts that the reader does not see


@dataclass(frozen=True, slots=True)
class Colonne:
    """A header of the main table: a link that sorts by it, or sorts it the other way."""

    nom: str
    libelle: str
    sens: str
    lien: str
    action: str
    tri: Literal["ascending", "descending"] | None


@dataclass(frozen=True, slots=True)
class Choix:
    """One of several links, of which one is the page being read."""

    libelle: str
    lien: str
    actif: bool


@dataclass(frozen=True, slots=True)
class ChiffreCle:
    """One of the five figures of the head."""

    nom: str
    definition: Definition
    montant: int
    part: str | None
    largeur: str | None


@dataclass(frozen=True, slots=True)
class LigneDeDetail:
    """A line of the detail: a tranche of an OS, the sum of an OS, or the sum of all."""

    libelle: str
    precision: str
    nb_operations: int
    montants: tuple[int, ...]
    soldes: tuple[int, ...]
    taux: tuple[Fraction | None, ...]
    origine: Origine


@dataclass(frozen=True, slots=True)
class Groupe:
    """The tranches of one objectif spécifique and their sum."""

    somme: LigneDeDetail
    lignes: tuple[LigneDeDetail, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """The detail by objectif spécifique and tranche, of one PLIE or of the whole OI."""

    nom: str
    choix: tuple[Choix, ...]
    groupes: tuple[Groupe, ...]
    total: LigneDeDetail


@dataclass(frozen=True, slots=True)
class LigneDeFinanceur:
    """What one funder, or all of them, brings beside the Fund."""

    nom: str
    type: str
    montants: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contreparties:
    """What others than the Fund bring: expected by the maquette, then funder by funder."""

    attendues: int
    lignes: tuple[LigneDeFinanceur, ...]
    total: LigneDeFinanceur


@dataclass(frozen=True, slots=True)
class PreuveVue:
    """What is known of the integrity of the figures, in one line."""

    niveau: Niveau
    phrase: str
    empreinte: str | None


@dataclass(frozen=True, slots=True)
class LigneDEcart:
    """A figure in the situation shown, and now; cents."""

    nom: str
    libelle: str
    alors: int
    maintenant: int
    ecart: int


@dataclass(frozen=True, slots=True)
class EcartVue:
    """What separates the situation shown from now, figure by figure and cause by cause."""

    lignes: tuple[LigneDEcart, ...]
    causes: tuple[str, ...]
    evenements: int


@dataclass(frozen=True, slots=True)
class VueMaquette:
    """All that the page shows."""

    situation: SituationVue
    numero: str
    reglement: str
    fonds: str
    oi_nom: str
    fictive: bool
    nb_plie: int
    subventions: tuple[Choix, ...]
    chiffres_cles: tuple[ChiffreCle, ...]
    a_repartir: int  #: the grant of the convention minus what the cells share out
    alertes: tuple[Alerte, ...]
    unites: tuple[Choix, ...]
    legende: tuple[tuple[str, str], ...]
    colonnes: tuple[Colonne, ...]
    lignes: tuple[Ligne, ...]
    hors_plie: tuple[Ligne, ...]
    totaux: tuple[Ligne, ...]  #: of what the reader sees, then of the OI when that is less
    ensemble: str  #: how what the reader sees is called
    detail: Detail
    contreparties: Contreparties | None
    position: int
    calculee_le: datetime
    filtres: tuple[Choix, ...]  #: every PLIE, or those in alert only
    masques: int  #: how many PLIE the filter leaves out
    graphiques: tuple[Graphique, ...]
    preuve: PreuveVue | None
    ecart: EcartVue | None  #: from the situation shown to now, when they are not the same
    lien_a_faire: str
    lien_transfert: str
    fichiers: tuple[tuple[str, str], ...]  #: of the table
    fichiers_detail: tuple[tuple[str, str], ...]
    subvention_id: UUID
    origine: Origine  #: of all that the reader sees


# --- What the reader asks ------------------------------------------------------------------------


class SubventionAuChoix(Protocol):
    """A subvention globale that the reader may open."""

    @property
    def id(self) -> UUID:
        """Which one."""

    @property
    def numero(self) -> str:
        """The number of its convention."""


@dataclass(frozen=True, slots=True)
class Tri:
    """Column and direction of the sort; no column is the order of the maquette."""

    colonne: str = "nom"
    ordre: Ordre = "asc"


@dataclass(frozen=True, slots=True)
class Demande:
    """What an address of the page asks for; it writes the address of the same page, changed."""

    subvention: str | None = None
    tri: Tri = Tri()
    unite: Unite = "part"
    plie: str | None = None
    dates: Dates = PRESENT
    en_alerte: bool = False

    @property
    def hors_dates(self) -> dict[str, str | None]:
        """What it asks for besides the two dates."""
        return {
            "subvention": self.subvention,
            "tri": self.tri.colonne,
            "ordre": self.tri.ordre,
            "unite": self.unite,
            "plie": self.plie,
            "alerte": "oui" if self.en_alerte else None,
        }

    @property
    def origine(self) -> dict[str, object]:
        """Where the figures of all the lines come from."""
        return {"subvention": self.subvention, **self.dates.requete}

    def lien(self, ancre: str) -> str:
        """Return the address that asks for this."""
        asked = {**self.hors_dates, **self.dates.requete}
        return f"?{urlencode({k: v for k, v in asked.items() if v is not None})}#{ancre}"

    def ailleurs(self, chemin: str) -> str:
        """Return the address of another page about the same subvention globale, at these dates."""
        asked = {"subvention": self.subvention, **self.dates.requete}
        dits = {k: v for k, v in asked.items() if v is not None}
        return f"{chemin}?{urlencode(dits)}" if dits else chemin


def jour_des_figures(maquette: Maquette, dates: Dates) -> date:
    """Return the day where the reader stands: that of its dates, else that of what is known."""
    return dates.jour or jour(
        maquette.calculee_le
        if dates.connu is None or maquette.connue_le is None
        else maquette.connue_le
    )


def vue(
    maquette: Maquette,
    tri: Tri | None = None,
    unite: Unite = "part",
    plie: str | None = None,
    subventions: Sequence[SubventionAuChoix] = (),
    dates: Dates = PRESENT,
    *,
    tableau: TableauDeBord | None = None,
    ecart: Difference | None = None,
    en_alerte: bool = False,
) -> VueMaquette:
    """Prepare the page.

    Args:
        maquette: the figures, at a position of the journal.
        tri: order of the PLIE; réserve and total keep their place.
        unite: scale of the bars, each on its own enveloppe or all on the same euros.
        plie: whose detail is shown; the whole OI when absent.
        subventions: the subventions globales that the reader may choose from.
        dates: the two dates of the figures.
        tableau: what stands beside the figures; neither targets nor curve without it.
        ecart: what leads from them to those of now, when they are not the same.
        en_alerte: only show the PLIE that something is wrong with.
    """
    demande = Demande(
        subvention=str(maquette.subvention_globale_id) if len(subventions) > 1 else None,
        tri=tri or Tri(),
        unite=unite,
        plie=plie,
        dates=dates,
        en_alerte=en_alerte,
    )
    par_plie = maquette.par_plie()
    plies = [p for p in par_plie if p[0] not in HORS_PLIE]
    total = maquette.total
    largeur_de = echelle([c for _, _, c in plies], unite)
    ensembles = _ensembles(maquette)
    part_de = echelle([*(c for _, c in ensembles), *(c for _, _, c in plies)], "part")
    # Alerts are those of the day where the reader stands.
    attendu_le = jour_des_figures(maquette, dates)
    lignes = {
        plie_id: _ligne(
            nom,
            chiffres,
            demande.ailleurs(f"/plie/{quote(plie_id, safe='')}"),
            barre(nom, chiffres, largeur_de(chiffres)),
            badges(
                chiffres,
                programmation_attendue(maquette.lignes, plie_id, attendu_le),
                attendu_le,
                plie_id,
                tableau,
            ),
            {"plie": plie_id, **demande.origine},
        )
        for plie_id, nom, chiffres in plies
    }
    montrees = [
        plie_id
        for plie_id in _tries(plies, lignes, demande.tri)
        if not en_alerte or _en_alerte(lignes[plie_id])
    ]
    return VueMaquette(
        situation=situation_vue(dates, demande.hors_dates, maquette.position, maquette.connue_le),
        numero=maquette.numero,
        reglement=maquette.reglement,
        fonds=FONDS[maquette.reglement],
        oi_nom=maquette.oi_nom,
        fictive=maquette.fictive,
        nb_plie=len(plies),
        subventions=_choix_de_subvention(
            subventions, maquette.subvention_globale_id, dates.requete
        ),
        chiffres_cles=chiffres_cles(total),
        # Against every cell, those that the reader does not see included.
        a_repartir=maquette.fse_total - (maquette.oi_entier or total).fse_maquette,
        alertes=alertes(
            [(plie_id, ligne.nom, ligne.lien, ligne.badges) for plie_id, ligne in lignes.items()],
            tableau,
            lambda: demande.lien("courbe"),
            dates.requete,
        ),
        unites=(
            Choix(
                "Part de l’enveloppe",
                replace(demande, unite="part").lien("avancement"),
                unite == "part",
            ),
            Choix("Euros", replace(demande, unite="euros").lien("avancement"), unite == "euros"),
        ),
        legende=legende(plies),
        colonnes=_colonnes(demande),
        lignes=tuple(lignes[plie_id] for plie_id in montrees),
        hors_plie=tuple(
            _ligne(
                nom,
                chiffres,
                replace(demande, plie=plie_id).lien("detail"),
                None,
                (),
                {"plie": plie_id, **demande.origine},
                hors_plie=True,
            )
            for plie_id, nom, chiffres in par_plie
            if plie_id in HORS_PLIE
        ),
        totaux=tuple(
            _ligne(
                nom,
                chiffres,
                None,
                barre(nom, chiffres, part_de(chiffres)),
                (),
                None if chiffres is maquette.oi_entier else demande.origine,
            )
            for nom, chiffres in ensembles
        ),
        ensemble=_ensemble(maquette),
        detail=_detail(maquette, demande),
        contreparties=_contreparties(maquette.financeurs, total.cp_maquette),
        position=maquette.position,
        calculee_le=maquette.calculee_le,
        filtres=(
            Choix(
                "Tous les PLIE",
                replace(demande, en_alerte=False).lien("avancement"),
                not en_alerte,
            ),
            Choix(
                "En alerte seulement",
                replace(demande, en_alerte=True).lien("avancement"),
                en_alerte,
            ),
        ),
        masques=len(plies) - len(montrees),
        graphiques=graphiques(maquette, tableau),
        preuve=_preuve(tableau.preuve) if tableau and tableau.preuve else None,
        ecart=_ecart(ecart) if ecart else None,
        lien_a_faire=demande.ailleurs("/maquette/a-faire"),
        lien_transfert=demande.ailleurs("/maquette/transfert"),
        fichiers=_fichiers(maquette, dates, "plie"),
        fichiers_detail=_fichiers(maquette, dates, "detail"),
        subvention_id=maquette.subvention_globale_id,
        origine=demande.origine,
    )


def _fichiers(maquette: Maquette, dates: Dates, niveau: str) -> tuple[tuple[str, str], ...]:
    """Return the files of the maquette, at the dates of the page."""
    requete = {
        "subvention_globale_id": maquette.subvention_globale_id,
        "niveau": niveau,
        "effet_au": dates.situation.effet_au,
        "connu_le": dates.connu_le,
    }
    return tuple(liens("/exports/maquette", requete))


def _en_alerte(ligne: Ligne) -> bool:
    return any(badge.niveau != "information" for badge in ligne.badges)


def _preuve(preuve: Preuve) -> PreuveVue:
    quand, combien = instant(preuve.le), entier(preuve.evenements)
    if preuve.nature == "ancre":
        phrase = f"Journal ancré le {quand} : {combien} événements scellés"
        return PreuveVue("information", phrase, preuve.empreinte)
    if preuve.intacte:
        return PreuveVue(
            "information", f"Intégrité vérifiée le {quand} sur {combien} événements", None
        )
    return PreuveVue("grave", f"La vérification du {quand} a trouvé des écarts", None)


def _ecart(difference: Difference) -> EcartVue:
    """Say what happened between the situation shown and now."""
    return EcartVue(
        lignes=tuple(
            LigneDEcart(c.mesure, DEFINITIONS[c.mesure].libelle, c.avant, c.apres, c.ecart)
            for c in difference.chiffres
        ),
        causes=tuple(
            f"{cause.libelle} : {entier(cause.evenements)} "
            f"{'événements' if cause.evenements > 1 else 'événement'}"
            for cause in difference.causes
        ),
        evenements=sum(cause.evenements for cause in difference.causes),
    )


def _ensemble(maquette: Maquette) -> str:
    """Return how all that the reader sees is called."""
    return "Tout l’OI" if maquette.oi_entier is None else "Votre périmètre"


def _ensembles(maquette: Maquette) -> list[tuple[str, Chiffres]]:
    """Return what is summed up at the foot of the table."""
    if maquette.oi_entier is None:
        return [("Total OI", maquette.total)]
    return [("Total de votre périmètre", maquette.total), ("Total OI", maquette.oi_entier)]


def _choix_de_subvention(
    subventions: Sequence[SubventionAuChoix], courante: UUID, dates: dict[str, str]
) -> tuple[Choix, ...]:
    if len(subventions) < 2:
        return ()
    return tuple(
        Choix(s.numero, f"?{urlencode({'subvention': s.id, **dates})}", s.id == courante)
        for s in subventions
    )


# --- Lines and alerts ----------------------------------------------------------------------------


def _ligne(
    nom: str,
    chiffres: Chiffres,
    lien: str | None,
    barre: Barre | None,
    badges: tuple[Badge, ...],
    origine: Origine | None,
    *,
    hors_plie: bool = False,
) -> Ligne:
    return Ligne(
        nom=nom,
        lien=lien,
        nb_operations=chiffres.nb_operations,
        barre=barre,
        cellules=tuple(
            Cellule(
                nom=q,
                libelle=_LIBELLES_COURTS.get(q, DEFINITIONS[q].libelle),
                montant=getattr(chiffres, q),
                part=None
                if q == "fse_maquette" or (hors_plie and not getattr(chiffres, q))
                else pourcent(ratio(getattr(chiffres, q), chiffres.fse_maquette)),
                grave=q in {"fse_programme", "disponible_a_programmer"}
                and chiffres.disponible_a_programmer < 0,
            )
            for q in _EN_TABLE
        ),
        badges=badges,
        origine=origine,
    )


def chiffres_cles(total: Chiffres) -> tuple[ChiffreCle, ...]:
    """Return the five figures of the head of a page."""
    return tuple(_chiffre_cle(nom, total) for nom in _EN_TETE)


def _chiffre_cle(nom: str, total: Chiffres) -> ChiffreCle:
    montant: int = getattr(total, nom)
    share = ratio(montant, total.fse_maquette)
    return ChiffreCle(
        nom=nom,
        definition=DEFINITIONS[nom],
        montant=montant,
        part=None if nom == "fse_maquette" else pourcent(share),
        largeur=None if share is None else largeur(max(Fraction(0), min(share, Fraction(1)))),
    )


# --- Sorting -------------------------------------------------------------------------------------

_TRIS = ("nom", "avancement", *_EN_TABLE, "alerte")


def _colonnes(demande: Demande) -> tuple[Colonne, ...]:
    libelles = {
        "nom": ("PLIE", "Nom du PLIE."),
        "avancement": (
            "Avancement",
            "Du payé à l’enveloppe ; le tri suit le taux de consommation.",
        ),
        "alerte": ("Alerte", "Ce qu’il faut regarder d’abord."),
    } | {
        q: (_LIBELLES_COURTS.get(q, DEFINITIONS[q].libelle), DEFINITIONS[q].sens) for q in _EN_TABLE
    }
    return tuple(_colonne(demande, nom, *libelles[nom]) for nom in _TRIS)


def _colonne(demande: Demande, nom: str, libelle: str, sens: str) -> Colonne:
    actuel = demande.tri if demande.tri.colonne == nom else None
    if actuel is None:
        ordre: Ordre = "asc" if nom == "nom" else "desc"
    else:
        ordre = "asc" if actuel.ordre == "desc" else "desc"
    return Colonne(
        nom=nom,
        libelle=libelle,
        sens=sens,
        lien=replace(demande, tri=Tri(nom, ordre)).lien("avancement"),
        action="trier par ordre croissant" if ordre == "asc" else "trier par ordre décroissant",
        tri=None if actuel is None else ("ascending" if actuel.ordre == "asc" else "descending"),
    )


def _tries(
    plies: Sequence[tuple[str, str, Chiffres]], lignes: dict[str, Ligne], tri: Tri
) -> list[str]:
    """Return the PLIE in the order asked; equals stay by name."""

    def valeur(plie: tuple[str, str, Chiffres]) -> Fraction:
        plie_id, _, chiffres = plie
        if tri.colonne == "alerte":
            return Fraction(max((GRAVITE[b.niveau] for b in lignes[plie_id].badges), default=0))
        if tri.colonne == "avancement":
            return chiffres.taux_consommation or Fraction(0)
        return Fraction(getattr(chiffres, tri.colonne))

    par_nom = sorted(plies, key=lambda p: _territoire(p[1]))
    if tri.colonne == "nom":
        ordered = par_nom if tri.ordre == "asc" else par_nom[::-1]
    else:
        # ``reverse`` would keep equals in place: only the value is turned round, not the names.
        sign = 1 if tri.ordre == "asc" else -1
        ordered = sorted(par_nom, key=lambda p: sign * valeur(p))
    return [plie_id for plie_id, _, _ in ordered]


def _territoire(nom: str) -> str:
    """Return what a PLIE is filed under: « PLIE de l’Écluse » is found at E."""
    plain = "".join(c for c in unicodedata.normalize("NFD", nom) if not unicodedata.combining(c))
    return re.sub(r"^plie (?:de la |de l['’]|des |de |du )?", "", plain.casefold())


# --- Detail --------------------------------------------------------------------------------------


def _detail(maquette: Maquette, demande: Demande) -> Detail:
    ensemble = _ensemble(maquette)
    noms = {plie_id: nom for plie_id, nom, _ in maquette.par_plie()}
    retenues = [ligne for ligne in maquette.lignes if demande.plie in {None, ligne.plie_id}]
    division = DIVISIONS[maquette.reglement]
    origine = {"plie": demande.plie, **demande.origine}
    groupes: dict[tuple[str, str], dict[tuple[int, str], Chiffres]] = {}
    for ligne in retenues:
        cellules = groupes.setdefault((ligne.axe, ligne.objectif_specifique), {})
        key = (ligne.annee, ligne.dispositif)
        cellules[key] = cellules.get(key, Chiffres()) + ligne.chiffres
    return Detail(
        nom=ensemble if demande.plie is None else noms.get(demande.plie, demande.plie),
        choix=(
            Choix(ensemble, replace(demande, plie=None).lien("detail"), demande.plie is None),
            *(
                Choix(nom, replace(demande, plie=p).lien("detail"), demande.plie == p)
                for p, nom in sorted(
                    noms.items(), key=lambda item: (item[0] in HORS_PLIE, _territoire(item[1]))
                )
            ),
        ),
        groupes=tuple(
            Groupe(
                somme=_ligne_de_detail(
                    os_,
                    f"{division} {axe}",
                    Chiffres.somme(cellules.values()),
                    {"axe": axe, "os": os_, **origine},
                ),
                lignes=tuple(
                    _ligne_de_detail(
                        f"Tranche {annee}",
                        dispositif,
                        chiffres,
                        {
                            "annee": annee,
                            "axe": axe,
                            "os": os_,
                            "dispositif": dispositif,
                            **origine,
                        },
                    )
                    for (annee, dispositif), chiffres in sorted(cellules.items())
                ),
            )
            for (axe, os_), cellules in sorted(groupes.items())
        ),
        total=_ligne_de_detail("Total", "", Chiffres.somme(x.chiffres for x in retenues), origine),
    )


def _ligne_de_detail(
    libelle: str, precision: str, chiffres: Chiffres, origine: Origine
) -> LigneDeDetail:
    return LigneDeDetail(
        libelle=libelle,
        precision=precision,
        nb_operations=chiffres.nb_operations,
        montants=tuple(getattr(chiffres, d.nom) for d in MONTANTS),
        soldes=tuple(getattr(chiffres, d.nom) for d in SOLDES),
        taux=tuple(getattr(chiffres, d.nom) for d in TAUX),
        origine=origine,
    )


# --- Contreparties -------------------------------------------------------------------------------


def _contreparties(financeurs: Sequence[ParFinanceur], attendues: int) -> Contreparties | None:
    """Return what each funder brings; nothing when no one does yet."""
    if not financeurs:
        return None
    lignes = tuple(
        LigneDeFinanceur(f.financeur, f.type_libelle, _montants_du_financeur(f)) for f in financeurs
    )
    sommes = tuple(map(sum, zip(*(ligne.montants for ligne in lignes), strict=True)))
    return Contreparties(attendues, lignes, LigneDeFinanceur("Total", "", sommes))


def _montants_du_financeur(financeur: ParFinanceur) -> tuple[int, ...]:
    return tuple(getattr(financeur, d.nom) for d in CONTREPARTIES)


# --- The route -----------------------------------------------------------------------------------


def tableau_courant(
    lecture: Lecture,
    dates: DatesDemandees,
    maquette: Annotated[Maquette | None, Depends(maquette_courante)],
) -> TableauDeBord | None:
    """Return what stands beside the maquette asked for; ``None`` when there is none."""
    if maquette is None or not dates.lisibles:
        return None
    return tableau_de_bord(
        lecture.conn, lecture.perimetre, maquette, le=jour_des_figures(maquette, dates)
    )


def ecart_courant(
    lecture: Lecture,
    dates: DatesDemandees,
    maquette: Annotated[Maquette | None, Depends(maquette_courante)],
) -> Difference | None:
    """Return what leads from the situation asked for to now; ``None`` when it is the present."""
    if maquette is None or not dates.lisibles or dates.situation.actuelle:
        return None
    return difference(
        lecture.conn,
        lecture.perimetre,
        ChoixDeLignes(subvention_globale_id=maquette.subvention_globale_id),
        dates.situation,
        ACTUELLE,
        mesures=_EN_TETE,
        limite=1,
    )


@router.get("/maquette", name="page_maquette", response_class=HTMLResponse)
def page(
    request: Request,
    dates: DatesDemandees,
    maquette: Annotated[Maquette | None, Depends(maquette_courante)],
    subventions: Annotated[Sequence[SubventionAuChoix], Depends(subventions_au_choix)],
    tableau: Annotated[TableauDeBord | None, Depends(tableau_courant)],
    ecart: Annotated[Difference | None, Depends(ecart_courant)],
    tri: str = "nom",
    ordre: str = "asc",
    unite: str = "part",
    plie: str | None = None,
    subvention: str | None = None,
    alerte: str = "",
) -> HTMLResponse:
    """Affiche l’avancement de chaque PLIE : enveloppe, programmé, conventionné, retenu, payé."""
    if maquette is None and not subventions:
        return templates().TemplateResponse(request, "maquette_vide.html")
    if maquette is None or not dates.lisibles:
        asked = {"subvention": subvention, "tri": tri, "ordre": ordre, "unite": unite, "plie": plie}
        return sans_situation(
            request, dates, asked, page="page_maquette", titre="Maquette", quoi=_SUBVENTION
        )
    context = {
        "vue": vue(
            maquette,
            # An address that names what does not exist (any more) shows the page as it opens.
            Tri(tri if tri in _TRIS else "nom", "desc" if ordre == "desc" else "asc"),
            "euros" if unite == "euros" else "part",
            plie,
            subventions,
            dates,
            tableau=tableau,
            ecart=ecart,
            en_alerte=alerte == "oui",
        ),
        "definitions": {"montants": MONTANTS, "soldes": SOLDES, "taux": TAUX},
        "contreparties": CONTREPARTIES,
    }
    return templates().TemplateResponse(request, "maquette.html", context)


_SUBVENTION = "Cette subvention globale n’existe pas encore dans cette situation"
