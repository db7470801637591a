"""Audits of operations: their list, the late ones first, and one with its life and what is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Protocol, get_args
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.controle_operation.events import Organisme
from aggregates.controle_operation.state import LIBELLES, Statut
from api.deps import Lecture, LectureOuverte
from api.filters import entier, euros, jour
from api.pages.ecriture import majuscule, phrase
from api.pages.formulaires import page
from api.pages.liens_actes import TITRES, lien_acte, permis
from api.pages.releves import releve_de_maintenant
from api.tableaux import Cellule, Colonne, Format, Ligne, Tableau, liens, repondre
from api.tableaux.modele import Niveau
from oi_service.clock import today
from projections.controles_operation import (
    Attente,
    ConstatDuControle,
    ControleVu,
    FiltresControles,
    LigneControle,
    SuiteDuControle,
    controle,
    controles,
)
from projections.curseurs import LIMITE_MAXIMALE
from projections.histoire import ROLES
from projections.instantane import instantane
from projections.journal import EvenementLu, journal
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE
from rules.controle_operation import ORGANISMES

router = APIRouter(prefix="/audit/controles")

_FINIS: tuple[Statut, ...] = ("clos", "annule")


# --- The list ------------------------------------------------------------------------------------

_COLONNES = (
    Colonne("reference", "Référence"),
    Colonne("organisme", "Organisme"),
    Colonne("statut", "État"),
    Colonne("operations", "Opérations", "nombre"),
    Colonne("controle", "Coût total contrôlé", "euros"),
    Colonne("constats", "Constats", "nombre"),
    Colonne("fse_propose", "FSE proposé", "euros"),
    Colonne("fse_retenu", "FSE retenu", "euros"),
    Colonne("echeance", "Prochaine échéance", "jour"),
    Colonne("retard", "Retard"),
)


def _ligne(c: LigneControle) -> Ligne:
    retard = f"{entier(c.retard_jours)}\u00a0j" if c.retard_jours else None
    return Ligne(
        {
            "reference": Cellule(
                c.reference,
                lien=f"/audit/controles/{c.id}",
                precision=f"notifié le {jour(c.notifie_le)}",
            ),
            "organisme": Cellule(c.organisme_libelle),
            "statut": Cellule(
                majuscule(c.statut_libelle),
                niveau="bien" if c.statut == "clos" else "information",
                precision=c.resultat_libelle,
            ),
            "operations": Cellule(c.nb_operations),
            "controle": Cellule(c.cout_total_controle),
            "constats": Cellule(c.nb_constats),
            "fse_propose": Cellule(c.fse_propose),
            "fse_retenu": Cellule(c.fse_retenu),
            "echeance": Cellule(c.prochaine_echeance),
            "retard": Cellule(retard, niveau="attention" if retard else None),
        }
    )


@dataclass(frozen=True, slots=True)
class Demande:
    """Which controls, as an address says it."""

    organisme: Organisme | None
    statut: Statut | None
    en_retard: bool

    @property
    def filtres(self) -> FiltresControles:
        """What the query takes."""
        return FiltresControles(
            organisme=self.organisme, statut=self.statut, en_retard=self.en_retard
        )

    @property
    def requete(self) -> dict[str, str]:
        """What an address must repeat."""
        demande = {
            "organisme": self.organisme or "",
            "statut": self.statut or "",
            "en_retard": "oui" if self.en_retard else "",
        }
        return {nom: valeur for nom, valeur in demande.items() if valeur}


def _demande(organisme: str, statut: str, en_retard: str) -> Demande:
    """Read filters; an address that names what does not exist asks for everything."""
    return Demande(
        organisme=next((o for o in get_args(Organisme) if o == organisme), None),
        statut=next((s for s in get_args(Statut) if s == statut), None),
        en_retard=en_retard == "oui",
    )


def _lire(
    conn: Connection[TupleRow], perimetre: Perimetre, demande: Demande
) -> list[LigneControle]:
    """Return every control that is asked: there are some tens in the life of a grant."""
    lus: list[LigneControle] = []
    apres: str | None = None
    while True:
        lot = controles(
            conn,
            perimetre,
            demande.filtres,
            ACTUELLE,
            le=today(),
            limite=LIMITE_MAXIMALE,
            apres=apres,
        )
        lus.extend(lot.lignes)
        apres = lot.suivant
        if apres is None:
            # What is late, the latest first; then what is open, the last one first.
            return sorted(lus, key=lambda c: (-c.retard_jours, c.statut in _FINIS, -c.position))


def _tableau(lus: Iterable[LigneControle]) -> Tableau:
    return Tableau("Contrôles d’opération", _COLONNES, [_ligne(c) for c in lus])


@router.get("", name="page_controles_operation")
def page_controles_operation(
    request: Request,
    lecture: Lecture,
    organisme: Annotated[str, Query(max_length=64)] = "",
    statut: Annotated[str, Query(max_length=64)] = "",
    en_retard: Annotated[str, Query(max_length=3)] = "",
) -> HTMLResponse:
    """Affiche les contrôles d’opération, ceux en retard d’abord."""
    demande = _demande(organisme, statut, en_retard)
    lus = _lire(lecture.conn, lecture.perimetre, demande)
    return page(
        request,
        "audit_controles.html",
        tableau=_tableau(lus) if lus else None,
        demande=demande,
        organismes=list(ORGANISMES.items()),
        statuts=[(code, majuscule(mots)) for code, mots in LIBELLES.items()],
        fichiers=[
            *liens("/audit/controles/export", demande.requete),
            *(
                (f"Ce qui est dû, {libelle}", adresse)
                for libelle, adresse in liens("/exports/suites_attendues", {})[:1]
            ),
        ],
        nouveau=lien_acte("notifier_controle", retour="/audit/controles"),
    )


@router.get("/export", name="exporter_controles_operation")
def exporter_controles_operation(
    lecture: Lecture,
    organisme: Annotated[str, Query(max_length=64)] = "",
    statut: Annotated[str, Query(max_length=64)] = "",
    en_retard: Annotated[str, Query(max_length=3)] = "",
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Exporte les contrôles d’opération."""
    demande = _demande(organisme, statut, en_retard)
    with instantane(lecture.conn):
        tableau = _tableau(_lire(lecture.conn, lecture.perimetre, demande))
        releve = releve_de_maintenant(
            lecture.conn,
            ("Organisme", demande.organisme and ORGANISMES[demande.organisme]),
            ("État", demande.statut and majuscule(LIBELLES[demande.statut])),
            ("En retard", "oui" if demande.en_retard else None),
        )
    return repondre(tableau, releve, format, "controles-operation")


# --- One control ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Etape:
    """A step of a control: done on a day, or expected before one."""

    libelle: str
    le: date | None
    etat: str


@dataclass(frozen=True, slots=True)
class ActePossible:
    """A link to the form of an act."""

    libelle: str
    lien: str


@dataclass(frozen=True, slots=True)
class SuiteVue:
    """A follow-up, and what may be done about it."""

    mesure: str
    responsable: str
    action: str
    echeance: date
    statut: str
    niveau: Niveau
    precision: str | None
    liens: tuple[str, ...]
    actes: tuple[ActePossible, ...]


@dataclass(frozen=True, slots=True)
class ConstatVu:
    """A finding, its answers, what was kept of it, its follow-ups."""

    numero: int
    nature: str
    dossier: str
    issue: str
    niveau: Niveau
    constatation: str
    assiette: str | None
    precisions: tuple[str, ...]
    montants: tuple[tuple[str, int | None, int | None], ...]
    suites: tuple[SuiteVue, ...]
    actes: tuple[ActePossible, ...]


@dataclass(frozen=True, slots=True)
class FaitDuControle:
    """An act of the life of a control."""

    position: int
    le: date
    acteur: str
    role: str
    phrase: str


@dataclass(frozen=True, slots=True)
class VueControle:
    """All that the page of a control shows."""

    reference: str
    organisme: str
    statut: str
    niveau: Niveau
    resultat: str | None
    identite: tuple[tuple[str, str], ...]
    etapes: tuple[Etape, ...]
    dus: tuple[tuple[str, date, int], ...]
    operations: Tableau
    constats: tuple[ConstatVu, ...]
    faits: tuple[FaitDuControle, ...]
    actes: tuple[ActePossible, ...]


#: The acts on a control, by where it stands; decisions say the rest.
_ACTES: Mapping[Statut, tuple[str, ...]] = {
    "notifie": ("commencer_controle", "rectifier_perimetre_controle", "annuler_controle"),
    "en_cours": (
        "recevoir_rapport_provisoire",
        "rectifier_perimetre_controle",
        "annuler_controle",
    ),
    "rapport_provisoire": (
        "recevoir_rapport_definitif",
        "prolonger_delai_reponse",
        "rectifier_perimetre_controle",
        "annuler_controle",
    ),
    "contradictoire": (
        "recevoir_rapport_definitif",
        "prolonger_delai_reponse",
        "rectifier_perimetre_controle",
        "annuler_controle",
    ),
    "rapport_definitif": ("clore_controle", "annuler_controle"),
    "suites_a_donner": ("clore_suites_controle", "annuler_controle"),
    "suites_closes": ("clore_controle",),
    "clos": (),
    "annule": (),
}
_CONTRADICTOIRE: tuple[Statut, ...] = ("rapport_provisoire", "contradictoire")
_SUITES: tuple[Statut, ...] = ("rapport_definitif", "suites_a_donner")


class _Actes(Protocol):
    """Makes the links to acts on the control of the page."""

    def __call__(
        self, noms: Iterable[str], /, *cibles: UUID, **valeurs: str
    ) -> tuple[ActePossible, ...]:
        """Return those that whoever reads may do."""


def vue(vu: ControleVu, histoire: Iterable[EvenementLu], faisables: frozenset[str]) -> VueControle:
    """Prepare the page; ``faisables`` are the acts that whoever reads may do."""
    ligne = vu.ligne
    ici = f"/audit/controles/{ligne.id}"

    def actes(noms: Iterable[str], /, *cibles: UUID, **valeurs: str) -> tuple[ActePossible, ...]:
        return tuple(
            ActePossible(TITRES[nom], lien_acte(nom, ligne.id, *cibles, retour=ici, **valeurs))
            for nom in noms
            if nom in faisables
        )

    return VueControle(
        reference=ligne.reference,
        organisme=ligne.organisme_libelle,
        statut=majuscule(ligne.statut_libelle),
        niveau="attention"
        if ligne.retard_jours
        else ("bien" if ligne.statut == "clos" else "information"),
        resultat=ligne.resultat_libelle,
        identite=tuple(_identite(ligne)),
        etapes=tuple(_etapes(ligne)),
        dus=tuple((_du(due), due.echeance, due.retard_jours) for due in vu.attentes),
        operations=_operations(vu),
        constats=tuple(_constat(constat, vu, actes) for constat in vu.constats),
        faits=tuple(
            FaitDuControle(
                lu.position,
                lu.date_effet,
                lu.acteur,
                ROLES.get(lu.role, lu.role),
                phrase(lu.phrase),
            )
            for lu in histoire
        ),
        actes=actes(_ACTES[ligne.statut]),
    )


def _identite(ligne: LigneControle) -> Iterable[tuple[str, str]]:
    yield "Organisme", ligne.organisme_libelle
    if ligne.modalite_libelle:
        yield "Modalité", majuscule(ligne.modalite_libelle)
    if ligne.date_annoncee:
        yield "Annoncé pour le", jour(ligne.date_annoncee)
    if ligne.etat_no:
        yield "État de dépenses", ligne.etat_no
    yield "Coût total contrôlé", euros(ligne.cout_total_controle)
    yield "FSE proposé", euros(ligne.fse_propose)
    yield "FSE retenu", euros(ligne.fse_retenu)
    for nom, reference in (
        ("Rapport provisoire", ligne.rapport_provisoire_ref),
        ("Rapport définitif", ligne.rapport_definitif_ref),
        ("Lettre de clôture", ligne.cloture_ref),
    ):
        if reference:
            yield nom, reference


def _etapes(ligne: LigneControle) -> Iterable[Etape]:
    """Return the life line: what is done, where it stands, what is to come."""
    dates = (
        ("Notifié", ligne.notifie_le),
        ("Commencé", ligne.commence_le),
        ("Rapport provisoire", ligne.rapport_provisoire_le),
        ("Rapport définitif", ligne.rapport_definitif_le),
        ("Suites closes", ligne.suites_closes_le),
        ("Clos", ligne.clos_le),
    )
    faites = [rang for rang, (_, le) in enumerate(dates) if le is not None]
    derniere = max(faites)
    for rang, (libelle, le) in enumerate(dates):
        if le is not None:
            courante = rang == derniere and ligne.statut not in _FINIS
            yield Etape(libelle, le, "courante" if courante else "faite")
        elif ligne.annule_le is None and rang > derniere and ligne.clos_le is None:
            yield Etape(libelle, None, "a_venir")
    if ligne.annule_le is not None:
        yield Etape("Annulé", ligne.annule_le, "arret")


def _du(due: Attente) -> str:
    quoi = due.action or majuscule(due.objet_libelle)
    return phrase(f"Constat n° {due.constat_numero} : {quoi}")


def _operations(vu: ControleVu) -> Tableau:
    return Tableau(
        "Opérations contrôlées",
        (
            Colonne("numero", "Dossier", "code"),
            Colonne("plie", "PLIE", "code"),
            Colonne("controle", "Coût total contrôlé", "euros"),
            Colonne("depenses", "Dépenses examinées"),
        ),
        [
            Ligne(
                {
                    "numero": Cellule(o.numero_mdfse, lien=f"/dossiers/{o.numero_mdfse}#controles"),
                    "plie": Cellule(o.plie_id),
                    "controle": Cellule(o.cout_total_controle),
                    "depenses": Cellule(entier(len(o.depenses)) if o.depenses else "toutes"),
                }
            )
            for o in vu.operations
        ],
    )


def _constat(constat: ConstatDuControle, vu: ControleVu, actes: _Actes) -> ConstatVu:
    statut, numero = vu.ligne.statut, str(constat.numero)
    noms: list[str] = []
    if statut in _CONTRADICTOIRE:
        noms.append("repondre_constat")
    if statut in _SUITES and constat.issue in {"maintenu", "reduit"}:
        noms.append("decider_suite_controle")
    if statut not in {"notifie", "en_cours", *_FINIS}:
        noms.append("rectifier_constat")
    issue = majuscule(constat.issue_libelle) if constat.issue_libelle else "En discussion"
    precisions = [majuscule(dite) for dite in constat.reponses_libelles]
    if constat.extrapole:
        precisions.append("Correction extrapolée au-delà de ce qui a été examiné.")
    if constat.au_dela_du_seuil_ims:
        precisions.append("Au-delà du montant à partir duquel une irrégularité se déclare.")
    if constat.motivation:
        precisions.append(constat.motivation)
    if constat.mesure_recommandee:
        precisions.append(f"Recommandé : {constat.mesure_recommandee}")
    return ConstatVu(
        numero=constat.numero,
        nature=constat.nature_libelle,
        dossier=constat.numero_mdfse,
        issue=issue,
        niveau="information" if constat.issue is None else _NIVEAUX_ISSUE[constat.issue],
        constatation=constat.constatation,
        assiette=constat.assiette,
        precisions=tuple(phrase(p) for p in precisions),
        montants=(
            ("Coût total", constat.cout_total_propose, constat.cout_total_retenu),
            ("FSE", constat.fse_propose, constat.fse_retenu),
        ),
        suites=tuple(
            _suite(s, statut, actes) for s in vu.suites if s.constat_numero == constat.numero
        ),
        actes=actes(noms, constat_numero=numero),
    )


_NIVEAUX_ISSUE: Mapping[str, Niveau] = {
    "maintenu": "attention",
    "reduit": "attention",
    "abandonne": "bien",
}
_NIVEAUX_SUITE: Mapping[str, Niveau] = {
    "a_faire": "information",
    "executee": "bien",
    "annulee": "attention",
}


def _suite(suite: SuiteDuControle, statut: Statut, actes: _Actes) -> SuiteVue:
    noms: list[str] = []
    if statut == "suites_a_donner" and suite.statut == "a_faire":
        noms = ["executer_suite_controle", "prolonger_suite_controle"]
    if statut == "suites_a_donner" and suite.statut != "annulee":
        noms.append("annuler_suite_controle")
    quand = suite.executee_le or suite.annulee_le
    retard = (today() - suite.echeance).days if suite.statut == "a_faire" else 0
    return SuiteVue(
        mesure=majuscule(suite.mesure_libelle),
        responsable=suite.responsable_libelle,
        action=suite.action,
        echeance=suite.echeance,
        statut=f"En retard de {entier(retard)}\u00a0j"
        if retard > 0
        else majuscule(suite.statut_libelle) + (f" le {jour(quand)}" if quand else ""),
        niveau="attention" if retard > 0 else _NIVEAUX_SUITE[suite.statut],
        precision=suite.compte_rendu,
        liens=tuple(
            phrase(
                f"{_quoi(lien.csf_version, lien.appel_de_fonds_no)} : "
                f"{euros(lien.cout_total_impute_centimes)} de coût total, "
                f"{euros(lien.fse_impute_centimes)} de FSE"
            )
            for lien in suite.liens
        ),
        actes=actes(noms, suite.suite_id),
    )


def _quoi(csf_version: int | None, appel_de_fonds_no: str | None) -> str:
    if csf_version is not None:
        return f"Contrôle de service fait, version {csf_version}"
    if appel_de_fonds_no is not None:
        return f"Retrait de l’appel de fonds n° {appel_de_fonds_no}"
    return "Ordre de reversement"


@router.get("/{controle_id}", name="page_controle_operation")
def page_controle_operation(request: Request, controle_id: UUID, lecture: Lecture) -> HTMLResponse:
    """Affiche un contrôle d’opération : sa vie, ses constats, leurs suites, ce qui est dû."""
    vu, histoire = _charger(lecture, controle_id)
    faisables = frozenset(nom for nom in _TOUS_LES_ACTES if permis(request, nom))
    return page(request, "audit_controle.html", vue=vue(vu, histoire, faisables))


def _charger(lecture: LectureOuverte, controle_id: UUID) -> tuple[ControleVu, list[EvenementLu]]:
    conn, perimetre = lecture.conn, lecture.perimetre
    with instantane(conn):
        vu = controle(conn, perimetre, controle_id, le=today())
        histoire = journal(
            conn, perimetre, flux=controle_id, ordre="asc", limite=LIMITE_MAXIMALE
        ).lignes
    return vu, list(histoire)


_TOUS_LES_ACTES = frozenset(
    (
        *(nom for noms in _ACTES.values() for nom in noms),
        "repondre_constat",
        "decider_suite_controle",
        "rectifier_constat",
        "executer_suite_controle",
        "prolonger_suite_controle",
        "annuler_suite_controle",
    )
)
