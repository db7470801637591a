"""The page of a dossier: its plan, its bilans, what the Fund owes and why, what was paid.

``vue`` turns what the queries say into exactly what the template shows: every sum, sentence and
link is made here, so that the template only loops. Each fact of the dossier has its line in the
history, at `ancre(position)`; whatever is shown above links to the line that it comes from.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import CsfValide, PaiementOrdonnance, PaiementPrepare
from aggregates.depense.events import DepenseControlee
from api.deps import PRESENT, Dates, DatesDemandees, Lecture, ServiceOuvert
from api.pages.actes_du_dossier import AUCUN, ActesDuDossier, Permis, actes_du_dossier
from api.pages.controles import ControleDeLaPage, controles_de_la_page
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.definitions import DEFINITIONS, DIVISIONS, FONDS, Definition
from api.pages.depuis import Depuis, depuis
from api.pages.dossier_details import (
    AvenantDeLaPage,
    ContrepartieDeLaPage,
    DepenseRejouee,
    DepensesDeLaPage,
    IndicateurDeLaPage,
    avenants_de_la_page,
    contreparties_de_la_page,
    depenses_de_la_page,
    indicateurs_de_la_page,
    rejouees,
)
from api.pages.dossier_histoire import (
    TOUT,
    DemandeDHistoire,
    FiltreHistoire,
    demande_d_histoire,
    filtre_de_l_histoire,
)
from api.pages.ecriture import Lien, ancre, lien, majuscule, phrase, poste, siret, taux
from api.pages.gabarits import templates
from api.pages.liens_actes import permis
from api.pages.parcours import STATUTS_D_ARRET, Etape, etapes
from api.pages.plan import PlanVu, noms_des_postes, plan_en_vigueur
from oi_service.clock import PARIS, today
from oi_service.codec import Evenement
from oi_service.money import ratio
from projections.avant_apres import Changement, avant_apres
from projections.controles_operation import ControleVu as ControleOperationVu
from projections.controles_operation import controles_de_l_operation
from projections.difference import Difference
from projections.difference import difference as lire_difference
from projections.explication import Explication, LigneCalcul, expliquer
from projections.fiche_operation import (
    BilanVu,
    ConventionVue,
    CsfVu,
    FicheOperation,
    ReversementVu,
    fiche_operation,
)
from projections.histoire import ROLES, TYPES_DE_BILAN
from projections.journal import EvenementLu, histoire_du_dossier
from projections.livre import Choix
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE
from projections.subventions_globales import LigneSubvention, exiger_subvention
from rules.eligibilite import MOTIFS

router = APIRouter()

#: What a number of dossier, or an identifier, can be; nothing else is worth a query.
_NUMERO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

#: Facts of one act that are shown folded on a screen when there are more.
REPLI = 8


# --- What the queries say ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier and its whole story, all as they were at the same instant, in one situation."""

    fiche: FicheOperation
    subvention: LigneSubvention
    histoire: tuple[EvenementLu, ...]
    explications: tuple[Explication, ...]  #: of every valid control, the last one first
    dates: Dates = PRESENT
    #: What each fact changed, by its position.
    changements: Mapping[int, tuple[Changement, ...]] = field(default_factory=dict)
    difference: Difference | None = None  #: with today, when the situation is another one
    controles: tuple[ControleOperationVu, ...] = ()


def dossier_demande(lecture: Lecture, numero_mdfse: str, dates: DatesDemandees) -> Dossier | None:
    """Read a dossier by its number; nothing when the situation or the perimeter holds none."""
    if not _NUMERO.fullmatch(numero_mdfse):
        return None
    conn, perimetre = lecture.conn, lecture.perimetre
    with conn.transaction():
        # One snapshot for all the queries of the page, those that open their own included.
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        situation = dates.situation
        histoire = histoire_du_dossier(conn, perimetre, numero_mdfse, situation)
        if not histoire:
            return None
        operation_id = histoire[0].stream_id
        fiche = fiche_operation(conn, perimetre, operation_id, situation, le=dates.jour)
        return Dossier(
            fiche=fiche,
            subvention=exiger_subvention(
                conn, perimetre, fiche.resume.subvention_globale_id, situation
            ),
            histoire=tuple(histoire),
            explications=tuple(_explications(conn, perimetre, operation_id, fiche.convention)),
            dates=dates,
            changements=avant_apres(conn, perimetre, operation_id, histoire, situation),
            difference=None
            if situation.actuelle
            else lire_difference(
                conn, perimetre, Choix(operation_id=operation_id), situation, ACTUELLE
            ),
            controles=controles_de_l_operation(
                conn, perimetre, operation_id, situation, le=dates.jour or today()
            ),
        )


def dossier_existe(lecture: Lecture, numero_mdfse: str) -> bool:
    """Tell whether the perimeter holds a dossier of that number today."""
    return _NUMERO.fullmatch(numero_mdfse) is not None and bool(
        histoire_du_dossier(lecture.conn, lecture.perimetre, numero_mdfse)
    )


def _explications(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    convention: ConventionVue | None,
) -> list[Explication]:
    """Explain every valid control, the last one first."""
    bilans = () if convention is None else convention.bilans
    valides = [csf.csf_id for b in bilans for csf in b.csf if csf.resultat is not None]
    explications = [expliquer(conn, perimetre, operation_id, csf_id) for csf_id in valides]
    return sorted(explications, key=lambda e: e.position, reverse=True)


# --- What the template shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chiffre:
    """One of the five figures, and where it comes from."""

    libelle: str
    definition: Definition
    montant: int
    precision: str | None
    lien: str


@dataclass(frozen=True, slots=True)
class LigneDePoste:
    """What a control kept of a poste."""

    libelle: str
    declare: int
    ecarte: int
    retenu: int


@dataclass(frozen=True, slots=True)
class ControleVu:
    """A valid control: what it kept, what the Fund owes after it."""

    titre: str
    remplace: bool
    lien: str | None
    calcul: str | None
    postes: tuple[LigneDePoste, ...]
    total: LigneDePoste
    fse_du_cumule: int
    fse_du_periode: int
    contrainte: str | None


@dataclass(frozen=True, slots=True)
class Ecart:
    """A dépense of which something was set aside."""

    libelle: str
    piece: str
    poste: str
    declare: int
    ecarte: int
    motif: str
    lien: str | None


@dataclass(frozen=True, slots=True)
class BilanDeLaPage:
    """A bilan, its acts in order, its controls."""

    titre: str
    ancre: str
    statut: str
    niveau: str
    debut: date
    fin: date
    nb_depenses: int
    cout_total_declare: int
    fse_declare: int
    actes: tuple[Lien, ...]
    controles: tuple[ControleVu, ...]
    ecarts: tuple[Ecart, ...]


@dataclass(frozen=True, slots=True)
class Attente:
    """A bilan that the convention expects and that is not there."""

    titre: str
    etat: str
    niveau: str
    date_limite: date
    reponse_jusqu_au: date | None


@dataclass(frozen=True, slots=True)
class LigneDePaiement:
    """A payment, shown as a sum: due, less already paid, leaves so much; so much was ordered."""

    type: str
    statut: str
    niveau: str
    fse_du: int | None
    deja_verse: int | None
    reste: int | None
    montant: int
    actes: tuple[Lien, ...]
    reference: str | None


@dataclass(frozen=True, slots=True)
class LigneDeReversement:
    """An order to pay back: asked, less what came in, less what is lost or cancelled."""

    libelle: str
    montant: int
    rentre: int
    perdu: int
    reste: int
    echeance: date
    motif: str | None
    actes: tuple[Lien, ...]


@dataclass(frozen=True, slots=True)
class LigneDeCompte:
    """A line of the sum that ends the payments."""

    signe: str
    libelle: str
    montant: int
    total: bool = False


@dataclass(frozen=True, slots=True)
class FaitVu:
    """A fact of the history, and what it changed."""

    ancre: str
    numero: int
    phrase: str
    changements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PieceJointe:
    """A document of an act."""

    libelle: str
    sha256: str
    deposee: bool  #: its file can be downloaded here


@dataclass(frozen=True, slots=True)
class Acte:
    """An act: who, when, and the facts that it made; when it was typed if that is another day."""

    le: date
    connu: datetime | None
    saisi_le: date | None
    acteur: str
    role: str
    faits: tuple[FaitVu, ...]
    repli: str | None  #: what stands for the facts while they are folded
    pieces: tuple[PieceJointe, ...]
    rejouer: str  #: the same page, as it was known just after this act
    montre: bool  #: whether the filter keeps it


@dataclass(frozen=True, slots=True)
class VueDossier:
    """All that the page shows."""

    situation: SituationVue
    numero: str
    numero_convention: str | None
    intitule: str
    objet: str
    beneficiaire: str
    siret: str
    plie: str
    lien_maquette: str
    demande_archive: str  #: what the address of the archive asks, in the same situation
    ligne: str
    reglement: str
    fonds: str
    subvention: str
    oi_nom: str
    fictive: bool
    statut: str
    niveau: str
    suites_en_cours: bool  #: a control was opened again after the solde
    debut: date
    fin: date
    etapes: tuple[Etape, ...]
    chiffres: tuple[Chiffre, ...]
    plan: PlanVu
    bilans: tuple[BilanDeLaPage, ...]
    attentes: tuple[Attente, ...]
    explications: tuple[Explication, ...]  #: the one in force first
    paiements: tuple[LigneDePaiement, ...]
    controles: tuple[ControleDeLaPage, ...]
    reversements: tuple[LigneDeReversement, ...]
    compte: tuple[LigneDeCompte, ...]
    depuis: Depuis | None
    actes: tuple[Acte, ...]
    nb_faits: int
    position: int
    positions: frozenset[int]  #: those that have a line in the history
    sous_convention: bool  #: a convention was signed: money may run
    possibles: ActesDuDossier
    depenses: DepensesDeLaPage
    indicateurs: tuple[IndicateurDeLaPage, ...]
    contreparties: tuple[ContrepartieDeLaPage, ...]
    avenants: tuple[AvenantDeLaPage, ...]
    filtre: FiltreHistoire


class _Histoire:
    """The facts of a dossier, found by what they are about."""

    def __init__(self, lus: Sequence[EvenementLu]) -> None:
        self.lus = [(lu, lu.fait) for lu in lus]
        self.depenses = rejouees(self.lus)

    def dernier(
        self, nom: str, champ: str | None = None, valeur: UUID | None = None
    ) -> Lien | None:
        """Return the last fact of a name, about something if said."""
        found = [
            lu
            for lu, fait in self.lus
            if lu.name == nom and (champ is None or getattr(fait, champ, None) == valeur)
        ]
        return lien(found[-1]) if found else None

    def de(self, champ: str, *valeurs: UUID) -> list[tuple[EvenementLu, Evenement]]:
        """Return the facts about some things, a dépense's own left out."""
        return [
            (lu, fait)
            for lu, fait in self.lus
            if not lu.name.startswith("depense.") and getattr(fait, champ, None) in valeurs
        ]


def vue(
    dossier: Dossier,
    deposee: Callable[[str], bool] = lambda _sha256: False,
    permis: Permis = lambda _acte: False,
    demande: DemandeDHistoire = TOUT,
) -> VueDossier:
    """Prepare the page.

    Args:
        dossier: what it is about.
        deposee: tells whether the file of a document is here.
        permis: tells whether whoever reads may do an act.
        demande: which acts of the history are shown.
    """
    fiche, resume = dossier.fiche, dossier.fiche.resume
    histoire = _Histoire(dossier.histoire)
    division = DIVISIONS[dossier.subvention.reglement]
    return VueDossier(
        situation=situation_vue(
            dossier.dates, dict(demande.champs), dossier.dates.situation.connu_le
        ),
        numero=resume.numero_mdfse,
        numero_convention=resume.numero_convention,
        intitule=resume.intitule,
        objet=fiche.objet,
        beneficiaire=resume.beneficiaire,
        siret=siret(resume.siret),
        plie=resume.plie_nom,
        lien_maquette=urlencode(
            {
                "subvention": resume.subvention_globale_id,
                "plie": resume.plie_id,
                **dossier.dates.requete,
            }
        ),
        demande_archive=_demande_archive(resume.numero_mdfse, dossier.dates),
        ligne=(
            f"Tranche {resume.annee} · {division} {resume.axe} · {resume.objectif_specifique} · "
            f"{resume.dispositif}"
        ),
        reglement=dossier.subvention.reglement,
        fonds=FONDS[dossier.subvention.reglement],
        subvention=dossier.subvention.numero,
        oi_nom=dossier.subvention.oi_nom,
        fictive=dossier.subvention.fictive,
        statut=majuscule(resume.statut_libelle),
        niveau="grave" if resume.statut in STATUTS_D_ARRET else "information",
        suites_en_cours=fiche.suites_en_cours,
        debut=fiche.convention.periode.debut if fiche.convention else resume.debut,
        fin=fiche.convention.periode.fin if fiche.convention else resume.fin,
        etapes=etapes(resume.statut, resume.statut_libelle, dossier.histoire),
        chiffres=_chiffres(fiche, histoire),
        plan=plan_en_vigueur(fiche, FONDS[dossier.subvention.reglement]),
        bilans=_bilans(dossier, histoire),
        attentes=_attentes(fiche.convention),
        explications=tuple(_lisible(e) for e in dossier.explications),
        paiements=_paiements(fiche.convention, histoire),
        controles=controles_de_la_page(dossier.controles, dossier.histoire),
        reversements=_reversements(fiche.convention, histoire),
        compte=_compte(fiche.convention),
        depuis=depuis(dossier.difference),
        actes=_actes(dossier, deposee, demande),
        nb_faits=len(dossier.histoire),
        position=dossier.histoire[-1].position,
        positions=frozenset(lu.position for lu in dossier.histoire),
        sous_convention=fiche.convention is not None,
        # Nobody acts on the past.
        possibles=actes_du_dossier(fiche, permis, today())
        if dossier.dates.situation.actuelle
        else AUCUN,
        depenses=depenses_de_la_page(resume.numero_mdfse, histoire.lus, dossier.dates.requete),
        indicateurs=indicateurs_de_la_page(fiche.indicateurs, histoire.lus, deposee),
        contreparties=contreparties_de_la_page(fiche.contreparties),
        avenants=avenants_de_la_page(fiche.convention),
        filtre=filtre_de_l_histoire(demande, dossier.histoire, dossier.dates.requete),
    )


def _demande_archive(numero: str, dates: Dates) -> str:
    demande = {"dossier": numero, "effet_au": dates.au, "connu_le": dates.connu_le}
    return urlencode({nom: valeur for nom, valeur in demande.items() if valeur})


# --- Figures ----------------------------------------------------------------------------


def _chiffres(fiche: FicheOperation, histoire: _Histoire) -> tuple[Chiffre, ...]:
    resume = fiche.resume
    programmee = histoire.dernier("operation.programmee.v1")
    notifiee = histoire.dernier("convention.notifiee.v1")
    return tuple(
        Chiffre(libelle, DEFINITIONS[nom], montant, precision, lien or "#plan")
        for libelle, nom, montant, precision, lien in (
            (
                "Programmé",
                "fse_programme",
                resume.fse_programme,
                None,
                programmee.lien if programmee else None,
            ),
            (
                "Conventionné",
                "fse_conventionne",
                resume.fse_conventionne,
                _part(resume.fse_conventionne, resume.fse_programme, "du programmé"),
                notifiee.lien if notifiee else None,
            ),
            (
                "Déclaré",
                "fse_declare",
                resume.fse_declare,
                _part(resume.fse_declare, resume.fse_conventionne, "du conventionné"),
                "#bilans",
            ),
            (
                "FSE dû",
                "fse_retenu_csf",
                resume.fse_retenu_csf,
                _part(resume.fse_retenu_csf, resume.fse_declare, "du déclaré"),
                "#calcul",
            ),
            (
                "Payé",
                "fse_paye",
                resume.fse_paye,
                _part(resume.fse_paye, resume.fse_retenu_csf, "du FSE dû"),
                "#paiements",
            ),
        )
    )


def _part(montant: int, total: int, de_quoi: str) -> str | None:
    share = ratio(montant, total)
    return None if share is None else f"{taux(share)} {de_quoi}"


# --- Bilans and their controls -------------------------------------------------------------------

_STATUTS_BILAN = {
    "depose": ("déposé", "information"),
    "recevable": ("recevable", "information"),
    "renvoye": ("renvoyé au bénéficiaire", "attention"),
    "en_controle": ("en contrôle", "attention"),
    "controle": ("contrôlé", "information"),
}


def _statut(connus: dict[str, tuple[str, str]], statut: str) -> tuple[str, str]:
    return connus.get(statut, (statut.replace("_", " "), "information"))


def _bilans(dossier: Dossier, histoire: _Histoire) -> tuple[BilanDeLaPage, ...]:
    convention = dossier.fiche.convention
    return (
        ()
        if convention is None
        else tuple(_bilan(bilan, dossier, histoire) for bilan in convention.bilans)
    )


def _attentes(convention: ConventionVue | None) -> tuple[Attente, ...]:
    """Return the bilans that nobody filed, unless nobody waits for them any more."""
    attendus = () if convention is None else convention.bilans_attendus
    return tuple(
        Attente(
            titre=_titre(a.numero, a.type),
            etat=majuscule(a.etat_libelle),
            niveau=_NIVEAUX_ATTENTE.get(a.etat, "information"),
            date_limite=a.date_limite,
            reponse_jusqu_au=a.reponse_jusqu_au,
        )
        for a in attendus
        if a.etat not in {"depose", "sans_objet"}
    )


_NIVEAUX_ATTENTE = {"en_retard": "grave", "reclame": "grave", "clos_office": "attention"}


def _titre(numero: int, type_bilan: str) -> str:
    return f"Bilan n°\u00a0{numero}, {TYPES_DE_BILAN.get(type_bilan, type_bilan)}"


def _bilan(bilan: BilanVu, dossier: Dossier, histoire: _Histoire) -> BilanDeLaPage:
    statut, niveau = _statut(_STATUTS_BILAN, bilan.statut)
    csf_ids = [csf.csf_id for csf in bilan.csf]
    lus = {
        lu.position: lu
        for lu, _ in (
            *histoire.de("bilan_id", bilan.bilan_id),
            *histoire.de("csf_id", *csf_ids),
        )
        # What was paid on the control has its own table; the final bilan is told once.
        if not lu.name.startswith(("convention.paiement", "operation."))
    }
    return BilanDeLaPage(
        titre=_titre(bilan.numero, bilan.type),
        ancre=f"bilan-{bilan.bilan_id}",
        statut=majuscule(statut),
        niveau=niveau,
        debut=bilan.periode.debut,
        fin=bilan.periode.fin,
        nb_depenses=bilan.nb_depenses,
        cout_total_declare=bilan.cout_total_declare,
        fse_declare=bilan.fse_declare,
        actes=tuple(lien(lus[position]) for position in sorted(lus)),
        controles=tuple(
            _controle(csf, resultat, dossier, histoire)
            for csf in bilan.csf
            if (resultat := csf.resultat) is not None
        ),
        ecarts=tuple(
            _ecart(depense, depense.controle)
            for depense in histoire.depenses
            if depense.controle is not None
            and depense.controle.bilan_id == bilan.bilan_id
            and depense.etat.ecarte > 0
        ),
    )


def _controle(csf: CsfVu, resultat: CsfValide, dossier: Dossier, histoire: _Histoire) -> ControleVu:
    noms = noms_des_postes(dossier.fiche.plan)
    postes = tuple(
        LigneDePoste(
            noms.get(p.code) or poste(p.code),
            p.declare_centimes,
            p.ecarte_centimes,
            p.retenu_centimes,
        )
        for p in resultat.postes
    )
    valide = histoire.dernier("convention.csf_valide.v1", "csf_id", csf.csf_id)
    explique = any(e.csf_id == csf.csf_id for e in dossier.explications)
    return ControleVu(
        titre=f"Contrôle de service fait, version {csf.version}",
        remplace=csf.rouvert_le is not None,
        lien=valide.lien if valide else None,
        calcul=f"#calcul-{csf.csf_id}" if explique else None,
        postes=postes,
        total=LigneDePoste(
            "Total",
            sum(p.declare for p in postes),
            sum(p.ecarte for p in postes),
            sum(p.retenu for p in postes),
        ),
        fse_du_cumule=resultat.fse_du_cumule_centimes,
        fse_du_periode=resultat.fse_du_periode_centimes,
        contrainte=csf.contrainte,
    )


def _ecart(depense: DepenseRejouee, controle: DepenseControlee) -> Ecart:
    detail = depense.etat.detail
    return Ecart(
        libelle=detail.nature,
        piece=detail.piece_ref,
        poste=poste(detail.poste),
        declare=depense.etat.montant,
        ecarte=depense.etat.ecarte,
        motif=MOTIFS.get(controle.motif_code or "", controle.motif_code or ""),
        lien=f"#{ancre(depense.dernier.position)}",
    )


def _lisible(explication: Explication) -> Explication:
    """Write what the calculation says as the rest of the page is written."""
    return replace(
        explication,
        sections=tuple(
            replace(section, lignes=tuple(_ligne_lisible(ligne) for ligne in section.lignes))
            for section in explication.sections
        ),
    )


def _ligne_lisible(ligne: LigneCalcul) -> LigneCalcul:
    return replace(
        ligne,
        libelle=phrase(ligne.libelle),
        calcul=ligne.calcul and phrase(ligne.calcul),
        valeur=ligne.valeur and phrase(ligne.valeur),
        article=ligne.article and phrase(ligne.article),
        operandes=tuple(
            replace(o, libelle=phrase(o.libelle), valeur=phrase(o.valeur)) for o in ligne.operandes
        ),
    )


# --- Payments ------------------------------------------------------------------------------------

_TYPES_PAIEMENT = {"avance": "Avance", "acompte": "Acompte", "solde": "Solde"}
_STATUTS_PAIEMENT = {
    "prepare": ("préparé", "attention"),
    "ordonnance": ("ordonnancé", "attention"),
    "annule": ("annulé", "attention"),
    "effectue": ("versé", "information"),
    "acquitte": ("acquitté", "information"),
    "rejete": ("rejeté par la banque", "grave"),
}


def _paiements(
    convention: ConventionVue | None, histoire: _Histoire
) -> tuple[LigneDePaiement, ...]:
    if convention is None:
        return ()
    lignes = []
    for paiement in convention.paiements:
        faits = histoire.de("paiement_id", paiement.paiement_id)
        # What was due and paid when it was ordered; when it was prepared, as long as it is not.
        calculs = [f for _, f in faits if isinstance(f, PaiementPrepare | PaiementOrdonnance)]
        calcul = calculs[-1]
        # An avance is paid before any control: there is nothing due to set against.
        du = None if paiement.csf_id is None else calcul.fse_du_cumule_centimes
        deja = None if paiement.csf_id is None else calcul.paye_avant_centimes
        statut, niveau = _statut(_STATUTS_PAIEMENT, paiement.statut)
        lignes.append(
            LigneDePaiement(
                type=_TYPES_PAIEMENT.get(paiement.type, majuscule(paiement.type)),
                statut=majuscule(statut),
                niveau=niveau,
                fse_du=du,
                deja_verse=deja,
                reste=None if du is None or deja is None else du - deja,
                montant=paiement.montant,
                actes=tuple(_acte_court(lu) for lu, _ in faits),
                reference=paiement.ref_virement,
            )
        )
    return tuple(lignes)


_ACTES_COURTS = {
    "convention.paiement_prepare.v1": "préparé",
    "convention.paiement_ordonnance.v1": "ordonnancé",
    "convention.paiement_effectue.v1": "versé",
    "convention.paiement_rejete.v1": "rejeté",
    "convention.paiement_annule.v1": "annulé",
    "convention.paiement_acquitte.v1": "acquitté",
    "convention.compensation_imputee.v1": "compensé",
    "convention.ordre_reversement_emis.v1": "émis",
    "convention.ordre_reversement_notifie.v1": "notifié",
    "convention.ordre_reversement_conteste.v1": "contesté",
    "convention.contestation_tranchee.v1": "contestation tranchée",
    "convention.ordre_reversement_annule.v1": "annulé",
    "convention.creance_irrecouvrable.v1": "irrécouvrable",
    "convention.creance_retablie.v1": "créance rétablie",
    "convention.compensation_operee.v1": "compensé",
    "convention.reversement_encaisse.v1": "encaissé",
}


def _acte_court(lu: EvenementLu) -> Lien:
    """Name an act in a word, or by its stored name when it has none yet."""
    return lien(lu, _ACTES_COURTS.get(lu.name) or lu.name.split(".")[1].replace("_", " "))


def _reversements(
    convention: ConventionVue | None, histoire: _Histoire
) -> tuple[LigneDeReversement, ...]:
    return (
        ()
        if convention is None
        else tuple(
            _reversement(rang, ordre, histoire)
            for rang, ordre in enumerate(convention.reversements, 1)
        )
    )


def _reversement(rang: int, ordre: ReversementVu, histoire: _Histoire) -> LigneDeReversement:
    return LigneDeReversement(
        libelle=f"Ordre n°\u00a0{rang}",
        montant=ordre.montant,
        rentre=ordre.encaisse,
        perdu=ordre.perdu,
        reste=ordre.reste,
        echeance=ordre.echeance,
        motif=ordre.motif,
        actes=tuple(_acte_court(lu) for lu, _ in histoire.de("ordre_id", ordre.ordre_id)),
    )


def _compte(convention: ConventionVue | None) -> tuple[LigneDeCompte, ...]:
    """Set what is due against what was paid, as a sum that anybody can do again."""
    if convention is None:
        return ()
    rentre = sum(r.encaisse for r in convention.reversements)
    reste = convention.fse_du - convention.paye
    lignes = [
        LigneDeCompte("", "FSE dû depuis le début, au dernier contrôle validé", convention.fse_du),
        LigneDeCompte("−", "Avances, acomptes et soldes versés", convention.paye + rentre),
    ]
    if rentre:
        lignes.append(LigneDeCompte("+", "Reversements encaissés ou compensés", rentre))
    if convention.perdu:
        lignes.append(LigneDeCompte("+", "Déclaré irrécouvrable", convention.perdu))
        reste += convention.perdu
    mots = "Reste à verser" if reste >= 0 else "Trop versé"
    lignes.append(LigneDeCompte("=", mots, reste, total=True))
    autres = -reste - convention.a_encaisser
    if convention.a_encaisser:
        lignes.append(LigneDeCompte("", "dont réclamé et attendu", -convention.a_encaisser))
    if reste < 0 < autres:
        lignes.append(LigneDeCompte("", "dont ni réclamé ni attendu", -autres))
    return tuple(lignes)


# --- History -------------------------------------------------------------------------------------


def _actes(
    dossier: Dossier, deposee: Callable[[str], bool], demande: DemandeDHistoire
) -> tuple[Acte, ...]:
    return tuple(
        _acte(list(faits), dossier.changements, deposee, demande)
        for _, faits in groupby(dossier.histoire, lambda lu: lu.command_id)
    )


def _acte(
    lus: list[EvenementLu],
    changements: Mapping[int, tuple[Changement, ...]],
    deposee: Callable[[str], bool],
    demande: DemandeDHistoire,
) -> Acte:
    premier = lus[0]
    saisi_le = premier.enregistre_le.astimezone(PARIS).date()
    tard = saisi_le != premier.date_effet
    return Acte(
        le=premier.date_effet,
        connu=premier.enregistre_le if tard else None,
        saisi_le=saisi_le if tard else None,
        acteur=premier.acteur,
        role=ROLES.get(premier.role, premier.role),
        faits=tuple(
            FaitVu(
                ancre(lu.position),
                lu.position,
                phrase(lu.phrase),
                tuple(phrase(c.phrase) for c in changements.get(lu.position, ())),
            )
            for lu in lus
        ),
        repli=f"{len(lus)} faits, du n°\u00a0{premier.position} au n°\u00a0{lus[-1].position}"
        if len(lus) > REPLI
        else None,
        pieces=_pieces(lus, deposee),
        rejouer=f"?{urlencode({'connu_le': lus[-1].position})}",
        montre=demande.garde(lus),
    )


def _pieces(lus: list[EvenementLu], deposee: Callable[[str], bool]) -> tuple[PieceJointe, ...]:
    """Return the documents of an act, each once whatever the number of its facts."""
    jointes = {piece.sha256: piece for lu in lus for piece in lu.fait.pieces}
    return tuple(
        PieceJointe(phrase(piece.libelle), sha256, deposee(sha256))
        for sha256, piece in jointes.items()
    )


# --- The route -----------------------------------------------------------------------------------


@router.get("/dossiers/{numero_mdfse}", name="page_dossier", response_class=HTMLResponse)
def page(
    request: Request,
    numero_mdfse: str,
    dates: DatesDemandees,
    dossier: Annotated[Dossier | None, Depends(dossier_demande)],
    lecture: Lecture,
    service: ServiceOuvert,
    demande: Annotated[DemandeDHistoire, Depends(demande_d_histoire)],
) -> HTMLResponse:
    """Affiche un dossier : plan, dépenses, bilans, calcul du FSE dû, paiements, histoire."""
    if dossier is not None and dates.lisibles:
        shown = vue(dossier, service.pieces.contient, partial(permis, request), demande)
        return templates().TemplateResponse(request, "dossier.html", {"vue": shown})
    if not dates.lisibles or dossier_existe(lecture, numero_mdfse):
        return sans_situation(
            request,
            dates,
            {},
            page="page_dossier",
            titre=f"Dossier n°\u00a0{numero_mdfse[:64]}",
            quoi="Ce dossier n’existe pas encore dans cette situation",
        )
    return templates().TemplateResponse(
        request,
        "dossier_introuvable.html",
        {"numero": numero_mdfse[:64]},
        status_code=HTTPStatus.NOT_FOUND,
    )
