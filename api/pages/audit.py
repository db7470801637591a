"""The entry of the auditor: is the log whole, and what did a dossier look like on a day.

A replay sets a dossier as it was known beside what it is today; each fact that came in between is
told, and whoever reads can stand at it in turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.registre.events import LivresVerifies
from api.deps import Dates, DatesDemandees, Lecture, ServiceOuvert
from api.filters import entier, euros, jour
from api.pages.dates import SituationVue, situation_vue
from api.pages.ecriture import majuscule, phrase, taux
from api.pages.formulaires import Defaut, SaisieRefusee, page
from api.pages.liens_actes import permis
from api.pages.lignes_paiement import lien_de_provenance
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from api.tableaux.modele import Niveau
from oi_service.application import Service
from oi_service.clock import PARIS, today
from oi_service.codec import REGISTRY
from oi_service.preuve.ancres import AncreListee, lister
from projections.audit import dossiers_audit
from projections.avant_apres import avant_apres
from projections.controles_operation import attentes
from projections.curseurs import LIMITE_MAXIMALE
from projections.difference import Difference, difference
from projections.fiche_operation import FicheOperation, fiche_operation
from projections.histoire import ROLES
from projections.instantane import instantane
from projections.journal import EvenementLu, histoire_du_dossier, journal
from projections.livre import Choix, Mouvement
from projections.mesures import MESURES, unite
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE

router = APIRouter()

#: Longest number of a dossier.
NUMERO_MAX = 64
NumeroDemande = Annotated[str, Query(max_length=NUMERO_MAX)]
#: Facts of a replay shown in its page; the story of the dossier has them all.
FAITS_MONTRES = 300


# --- The state of the log ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Integrite:
    """What the last verification noted in the log found, and the last anchor."""

    niveau: Niveau
    phrase: str
    precision: str | None
    ancre: str | None


def integrite(
    conn: Connection[TupleRow], perimetre: Perimetre, ancres: Sequence[AncreListee]
) -> Integrite:
    """Say whether the log was found whole, when, and up to where."""
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    derniere = _derniere_verification(conn, perimetre)
    ancre = next((a for a in reversed(ancres) if a.taille is not None), None)
    dite = None if ancre is None else _dire_l_ancre(ancre, row[0])
    if derniere is None:
        return Integrite(
            "attention",
            "Aucune vérification n’est encore notée.",
            f"{entier(row[0])} événements au journal.",
            dite,
        )
    lu, fait = derniere
    rompus = [p.code for p in fait.points if p.ecarts]
    quand = (
        f"vérifié le {lu.enregistre_le.astimezone(PARIS):%d/%m/%Y à %H:%M} jusqu’à l’événement "
        f"n°\u00a0{entier(fait.jusqua_position)}"
    )
    depuis = row[0] - fait.jusqua_position - 1
    precision = (
        f"{entier(row[0])} événements au journal, dont {entier(depuis)} depuis."
        if depuis > 0
        else f"{entier(row[0])} événements au journal."
    )
    if rompus:
        return Integrite(
            "grave", f"Journal rompu, {quand} : points {', '.join(rompus)}.", precision, dite
        )
    return Integrite("bien", f"Journal intact, {quand}.", precision, dite)


def _derniere_verification(
    conn: Connection[TupleRow], perimetre: Perimetre
) -> tuple[EvenementLu, LivresVerifies] | None:
    found = journal(conn, perimetre, nom=REGISTRY.names[LivresVerifies], limite=1).lignes
    if not found:
        return None
    fait = found[0].fait
    assert isinstance(fait, LivresVerifies)
    return found[0], fait


def _dire_l_ancre(ancre: AncreListee, tete: int) -> str:
    assert ancre.taille is not None
    le = "" if ancre.instant is None else _jour_et_heure(ancre.instant)
    apres = tete - ancre.taille
    suite = f" ; {_compter(apres, 'est venu', 'sont venus')} depuis" if apres > 0 else ""
    etat = ETATS_D_ANCRE[ancre.etat]
    return f"Dernière ancre{le} : {entier(ancre.taille)} événements, {etat}{suite}."


def _jour_et_heure(instant: str) -> str:
    lu = datetime.fromisoformat(instant).astimezone(PARIS)
    return f" du {lu:%d/%m/%Y à %H:%M}"


#: What became of the file of an anchor, as people say it.
ETATS_D_ANCRE: Mapping[str, str] = {
    "presente": "fichier présent et conforme",
    "absente": "fichier absent du dossier",
    "differente": "fichier différent de ce que le journal note",
    "non_ecrite": "fichier non écrit ce jour-là",
    "non_notee": "fichier que le journal ne note pas",
    "inaccessible": "dossier inaccessible",
}
NIVEAUX_D_ANCRE: Mapping[str, Niveau] = {
    "presente": "bien",
    "absente": "grave",
    "differente": "grave",
    "non_ecrite": "attention",
    "non_notee": "attention",
    "inaccessible": "attention",
}


# --- The entry -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attend:
    """Something that waits for somebody, and where to see it."""

    niveau: Niveau
    phrase: str
    lien: str
    libelle: str


@router.get("/audit", name="page_audit")
def page_audit(request: Request, lecture: Lecture, service: ServiceOuvert) -> HTMLResponse:
    """Affiche l’entrée de l’audit."""
    conn, perimetre = lecture.conn, lecture.perimetre
    return page(
        request,
        "audit.html",
        integrite=integrite(conn, perimetre, _ancres(conn, service)),
        attend=list(_attend(request, conn, perimetre)),
        numero="",
        situation=situation_vue(Dates(), {}),
        connus=dossiers_connus(conn, perimetre),
    )


def _ancres(conn: Connection[TupleRow], service: Service) -> list[AncreListee]:
    return lister(conn, service.lieux.ancres)


def _attend(request: Request, conn: Connection[TupleRow], perimetre: Perimetre) -> Iterable[Attend]:
    retards = [a.retard_jours for a in attentes(conn, perimetre, le=today()) if a.retard_jours]
    if retards:
        dues = _compter(
            len(retards), "réponse ou suite de contrôle", "réponses ou suites de contrôle"
        )
        yield Attend(
            "attention",
            f"{dues} en retard, au pire de {_compter(max(retards), 'jour', 'jours')}.",
            "/audit/controles?en_retard=oui",
            "Voir les contrôles d’opération en retard",
        )
    if permis(request, "lire_dossier_audit"):
        ouverts = sum(d.clos_le is None for d in dossiers_audit(conn, perimetre))
        if ouverts:
            dits = _compter(
                ouverts, "dossier de travail est ouvert", "dossiers de travail sont ouverts"
            )
            yield Attend("information", f"{dits}.", "/audit/dossiers", "Reprendre")


def _compter(nombre: int, un: str, plusieurs: str) -> str:
    return f"{entier(nombre)} {plusieurs if nombre > 1 else un}"


def dossiers_connus(conn: Connection[TupleRow], perimetre: Perimetre) -> list[tuple[str, str]]:
    """Return the numbers to choose from, the last dossiers first: a hint, not the whole list."""
    rows = conn.execute(
        """
        SELECT o.numero_mdfse, o.beneficiaire FROM projection.operation AS o
        WHERE %(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s)
        ORDER BY o.numero_mdfse DESC LIMIT 400
        """,
        {"plies": perimetre.liste},
    )
    return [(row[0], row[1]) for row in rows]


# --- A replay ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rejeu:
    """A dossier then and now; ``alors`` is ``None`` before it was known."""

    numero: str
    dates: Dates
    alors: FicheOperation | None
    maintenant: FicheOperation
    difference: Difference | None
    mouvements: tuple[Mouvement, ...]
    faits: tuple[EvenementLu, ...]  #: those of today that the situation does not count
    total_faits: int


@dataclass(frozen=True, slots=True)
class LigneRejouee:
    """Something of the dossier, then and now; ``faits`` are the events that moved it."""

    libelle: str
    alors: str
    aujourd_hui: str
    ecart: str | None
    change: bool
    montant: bool
    faits: tuple[int, ...] = ()
    autres_faits: int = 0
    origine_alors: str | None = None
    origine: str | None = None


@dataclass(frozen=True, slots=True)
class FaitRejoue:
    """A fact that came after the situation, or that it does not count yet."""

    position: int
    phrase: str
    montants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActeRejoue:
    """An act, and the facts that it made; ``repli`` stands for them when they are many."""

    effet: date
    enregistre: datetime
    acteur: str
    role: str
    faits: tuple[FaitRejoue, ...]
    montants: tuple[str, ...]  #: what the act moved in all
    repli: str | None
    rejouer: str


@dataclass(frozen=True, slots=True)
class VueRejeu:
    """What the page shows."""

    numero: str
    titre: str
    situation: SituationVue
    connue: bool
    datee: bool
    etats: tuple[LigneRejouee, ...]
    montants: tuple[LigneRejouee, ...]
    causes: tuple[str, ...]
    actes: tuple[ActeRejoue, ...]
    nb_faits: int
    tus: int
    lien_dossier: str
    lien_dossier_alors: str
    lien_histoire: str
    lien_archive: str


def lire_rejeu(
    conn: Connection[TupleRow], perimetre: Perimetre, numero: str, dates: Dates
) -> Rejeu | None:
    """Read a dossier at two dates and now, all in one snapshot; ``None`` when there is none."""
    with instantane(conn):
        histoire = histoire_du_dossier(conn, perimetre, numero)
        if not histoire:
            return None
        operation_id = histoire[0].stream_id
        alors = histoire_du_dossier(conn, perimetre, numero, dates.situation)
        comptes = {lu.position for lu in alors}
        nouveaux = [lu for lu in histoire if lu.position not in comptes]
        choix = Choix(operation_id=operation_id)
        ecart, mouvements = _difference(conn, perimetre, choix, dates)
        maintenant = fiche_operation(conn, perimetre, operation_id)
        return Rejeu(
            numero=maintenant.resume.numero_mdfse,
            dates=dates,
            alors=fiche_operation(conn, perimetre, operation_id, dates.situation, le=dates.jour)
            if alors
            else None,
            maintenant=maintenant,
            difference=ecart,
            mouvements=mouvements,
            faits=tuple(nouveaux[:FAITS_MONTRES]),
            total_faits=len(nouveaux),
        )


def _difference(
    conn: Connection[TupleRow], perimetre: Perimetre, choix: Choix, dates: Dates
) -> tuple[Difference | None, tuple[Mouvement, ...]]:
    """Return the difference and every movement that makes it; none when the page is of now."""
    if dates.situation.actuelle:
        return None, ()
    tous: list[Mouvement] = []
    apres, premiere = None, None
    while True:
        lue = difference(
            conn, perimetre, choix, dates.situation, ACTUELLE, limite=LIMITE_MAXIMALE, apres=apres
        )
        if lue is None:
            return None, ()
        premiere = premiere or lue
        tous.extend(lue.mouvements.lignes)
        apres = lue.mouvements.suivant
        if apres is None:
            return premiere, tuple(tous)


def vue_rejeu(rejeu: Rejeu) -> VueRejeu:
    """Prepare the page of a replay."""
    ici = {"dossier": rejeu.numero}
    archive = {"dossier": rejeu.numero, "au": rejeu.dates.au, "connu_le": rejeu.dates.connu_le}
    dossier = f"/dossiers/{rejeu.numero}"
    return VueRejeu(
        numero=rejeu.numero,
        titre=rejeu.maintenant.resume.intitule,
        situation=situation_vue(rejeu.dates, ici, rejeu.dates.situation.connu_le),
        connue=rejeu.alors is not None,
        datee=not rejeu.dates.situation.actuelle,
        etats=_changes_d_abord(_etats(rejeu.alors, rejeu.maintenant)),
        montants=_changes_d_abord(_montants(rejeu)),
        causes=()
        if rejeu.difference is None
        else tuple(
            f"{c.libelle} ({_compter(c.evenements, 'événement', 'événements')})"
            for c in rejeu.difference.causes
        ),
        actes=tuple(_actes(rejeu)),
        nb_faits=rejeu.total_faits,
        tus=rejeu.total_faits - len(rejeu.faits),
        lien_dossier=dossier,
        lien_dossier_alors=f"{dossier}?{urlencode(rejeu.dates.requete)}",
        lien_histoire=f"/audit/histoire?{urlencode(ici)}",
        lien_archive=f"/audit/archives?{urlencode({n: v for n, v in archive.items() if v})}",
    )


def _changes_d_abord(lignes: Iterable[LigneRejouee]) -> tuple[LigneRejouee, ...]:
    return tuple(sorted(lignes, key=lambda ligne: not ligne.change))


_RIEN = "–"


def _etats(alors: FicheOperation | None, maintenant: FicheOperation) -> Iterable[LigneRejouee]:
    avant = {} if alors is None else _decrire(alors)
    for libelle, valeur in _decrire(maintenant).items():
        ancien = avant.get(libelle, _RIEN)
        yield LigneRejouee(
            libelle, phrase(ancien), phrase(valeur), None, ancien != valeur, montant=False
        )


def _decrire(fiche: FicheOperation) -> dict[str, str]:
    resume, convention = fiche.resume, fiche.convention
    plan = fiche.versions_du_plan[-1] if fiche.versions_du_plan else None
    periode = (
        (resume.debut, resume.fin)
        if convention is None
        else (convention.periode.debut, convention.periode.fin)
    )
    dits = {
        "État": majuscule(resume.statut_libelle),
        "Intitulé": resume.intitule,
        "Bénéficiaire": resume.beneficiaire,
        "Convention": resume.numero_convention or _RIEN,
        "Période": f"du {jour(periode[0])} au {jour(periode[1])}",
        "Plan en vigueur": _RIEN if plan is None else f"fixé le {jour(plan.date_effet)}",
    }
    if convention is not None:
        dits |= {
            "Coût total conventionné": euros(convention.cout_total_eligible),
            "FSE maximal": euros(convention.fse_max),
            "Taux du fonds": taux(convention.taux_fse),
            "Avenants": entier(len(convention.avenants)),
            "Bilans déposés": entier(len(convention.bilans)),
            "Contrôles de service fait validés": entier(
                sum(csf.resultat is not None for b in convention.bilans for csf in b.csf)
            ),
            "Paiements": entier(len(convention.paiements)),
            "Ordres de reversement": entier(len(convention.reversements)),
        }
    dits["Dépenses déclarées"] = entier(fiche.nb_depenses)
    dits["Événements du dossier"] = entier(fiche.nb_evenements)
    return dits


#: Facts named beside an amount; the list below has them all.
_FAITS_CITES = 4


def _montants(rejeu: Rejeu) -> Iterable[LigneRejouee]:
    if rejeu.difference is None:
        return
    positions: dict[str, dict[int, None]] = {}
    for mouvement in rejeu.mouvements:
        positions.setdefault(mouvement.mesure, {})[mouvement.position] = None
    for chiffre in rejeu.difference.chiffres:
        faits = sorted(positions.get(chiffre.mesure, ()))
        ecrire = entier if chiffre.unite == "nombre" else euros
        yield LigneRejouee(
            chiffre.libelle,
            ecrire(chiffre.avant),
            ecrire(chiffre.apres),
            _signe(ecrire(chiffre.ecart), chiffre.ecart) if chiffre.ecart else None,
            bool(chiffre.ecart),
            montant=True,
            faits=tuple(faits[:_FAITS_CITES]),
            autres_faits=max(0, len(faits) - _FAITS_CITES),
            origine_alors=None
            if rejeu.alors is None
            else lien_de_provenance(chiffre.mesure, rejeu.dates, operation=rejeu.numero),
            origine=lien_de_provenance(chiffre.mesure, operation=rejeu.numero),
        )


def _signe(ecrit: str, valeur: int) -> str:
    return f"+{ecrit}" if valeur > 0 else ecrit


#: Facts of one act that are shown one by one.
_REPLI = 3


def _actes(rejeu: Rejeu) -> Iterable[ActeRejoue]:
    mouvements: dict[int, dict[str, int]] = {}
    for m in rejeu.mouvements:
        sommes = mouvements.setdefault(m.position, {})
        sommes[m.mesure] = sommes.get(m.mesure, 0) + m.centimes
    for _, groupe in groupby(rejeu.faits, lambda lu: lu.command_id):
        lus = list(groupe)
        premier, dernier = lus[0], lus[-1]
        totaux: dict[str, int] = {}
        for lu in lus:
            for mesure, centimes in mouvements.get(lu.position, {}).items():
                totaux[mesure] = totaux.get(mesure, 0) + centimes
        yield ActeRejoue(
            effet=premier.date_effet,
            enregistre=premier.enregistre_le,
            acteur=premier.acteur,
            role=ROLES.get(premier.role, premier.role),
            faits=tuple(
                FaitRejoue(
                    lu.position,
                    phrase(lu.phrase),
                    _dire(mouvements.get(lu.position, {})) if len(lus) > 1 else (),
                )
                for lu in lus
            ),
            montants=_dire(totaux),
            repli=f"{entier(len(lus))} faits, du n°\u00a0{entier(premier.position)} au "
            f"n°\u00a0{entier(dernier.position)}"
            if len(lus) > _REPLI
            else None,
            rejouer=_rejouer(rejeu.numero, dernier.position),
        )


def _dire(montants: Mapping[str, int]) -> tuple[str, ...]:
    """Say what moved, in the order of the measures."""
    return tuple(
        phrase(f"{libelle} : {_signe(_ecrire(mesure, montants[mesure]), montants[mesure])}")
        for mesure, libelle in MESURES.items()
        if montants.get(mesure)
    )


def _ecrire(mesure: str, valeur: int) -> str:
    return entier(valeur) if unite(mesure) == "nombre" else euros(valeur)


def _rejouer(numero: str, position: int) -> str:
    return f"/audit/rejeu?{urlencode({'dossier': numero, 'connu_le': position})}"


@router.get("/audit/rejeu", name="page_rejeu")
def page_rejeu(
    request: Request, lecture: Lecture, dates: DatesDemandees, dossier: NumeroDemande = ""
) -> HTMLResponse:
    """Affiche un dossier tel qu’il était, à côté de ce qu’il est."""
    conn, perimetre = lecture.conn, lecture.perimetre
    numero = dossier.strip()
    refus = _refus(dates)
    rejeu = None if refus or not numero else lire_rejeu(conn, perimetre, numero, dates)
    if rejeu is not None:
        return page(request, "audit_rejeu.html", vue=vue_rejeu(rejeu))
    if numero and not refus:
        refus.append(
            Defaut(f"Aucun dossier ne porte le numéro « {numero} » : vérifiez-le.", "dossier")
        )
    return page(
        request,
        "audit_rejeu_demande.html",
        SaisieRefusee(refus) if refus else None,
        numero=numero,
        situation=situation_vue(dates, {}),
        connus=dossiers_connus(conn, perimetre),
    )


def _refus(dates: Dates) -> list[Defaut]:
    dits = (("au", dates.refus_au), ("connu_le", dates.refus_connu_le))
    return [Defaut(dit, champ) for champ, dit in dits if dit]


# --- The story of a dossier ----------------------------------------------------------------------

_COLONNES = (
    Colonne("numero", "N°", "nombre"),
    Colonne("effet", "Effet", "jour"),
    Colonne("enregistre", "Enregistré le", "instant"),
    Colonne("qui", "Par"),
    Colonne("fait", "Fait"),
    Colonne("change", "Avant → après"),
)


def tableau_de_l_histoire(
    conn: Connection[TupleRow], perimetre: Perimetre, numero: str
) -> tuple[str, Tableau] | None:
    """Return the story of a dossier, one line a fact, and its number as the log writes it."""
    with instantane(conn):
        histoire = histoire_du_dossier(conn, perimetre, numero)
        if not histoire:
            return None
        changements = avant_apres(conn, perimetre, histoire[0].stream_id, histoire)
        resume = fiche_operation(conn, perimetre, histoire[0].stream_id).resume
    exact = resume.numero_mdfse
    lignes = [
        Ligne(
            {
                "numero": Cellule(lu.position, lien=f"/evenements/{lu.position}"),
                "effet": Cellule(lu.date_effet),
                "enregistre": Cellule(lu.enregistre_le.astimezone(PARIS)),
                "qui": Cellule(lu.acteur, precision=ROLES.get(lu.role, lu.role)),
                "fait": Cellule(phrase(lu.phrase), lien=_rejouer(exact, lu.position)),
                "change": Cellule(
                    phrase(" ; ".join(c.phrase for c in changements.get(lu.position, ()))) or None
                ),
            },
            ancre=f"fait-{lu.position}",
        )
        for lu in histoire
    ]
    return exact, Tableau(f"Histoire du dossier n°\u00a0{exact}", _COLONNES, lignes)


@router.get("/audit/histoire", name="page_histoire")
def page_histoire(request: Request, lecture: Lecture, dossier: NumeroDemande = "") -> HTMLResponse:
    """Affiche l’histoire d’un dossier, un fait par ligne."""
    conn, perimetre = lecture.conn, lecture.perimetre
    numero = dossier.strip()
    lue = tableau_de_l_histoire(conn, perimetre, numero) if numero else None
    refus = (
        SaisieRefusee([Defaut(f"Aucun dossier ne porte le numéro « {numero} ».", "dossier")])
        if numero and lue is None
        else None
    )
    exact, tableau = lue or (numero, None)
    return page(
        request,
        "audit_histoire.html",
        refus,
        numero=exact,
        tableau=tableau,
        connus=dossiers_connus(conn, perimetre),
        fichiers=liens("/exports/histoire", {"dossier": exact}),
    )
