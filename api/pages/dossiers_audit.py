"""The working files of auditors: populations, draws, findings line by line, projected error.

Findings are typed in a grid: an amount and a comment for each dépense drawn, saved together. What
is noted already is corrected one by one, with a reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from api.deps import Lecture, LectureOuverte, ServiceOuvert
from api.filters import entier, euros, jour, pourcent
from api.pages.actes.execution import jouer
from api.pages.ecriture import majuscule, phrase
from api.pages.formulaires import Defaut, Formulaire, SaisieRefusee, page, vers, version_vue
from api.pages.liens_actes import TITRES, lien_acte
from api.pages.montants import lire_centimes
from api.pages.releves import releve_de_maintenant
from api.tableaux import Cellule, Colonne, Format, Ligne, Tableau, liens, repondre
from oi_service.clock import today
from oi_service.errors import Refusal, StaleVersion
from oi_service.ids import new_id
from oi_service.money import euros as decimal
from oi_service.money import round_cents
from projections.audit import (
    DossierAudite,
    EchantillonAudite,
    PopulationAuditee,
    UniteAuditee,
    dossier_audit,
    dossiers_audit,
)
from projections.depenses_tirees import DepenseTiree, depenses_tirees
from projections.histoire import ROLES
from projections.journal import EvenementLu, journal_de_l_audit
from projections.subventions_globales import subventions_globales
from rules.nomenclature import POSTES

router = APIRouter(prefix="/audit/dossiers")

#: Lines of the grid in one page: what a form may hold, and what eyes may follow.
PAR_PAGE = 50
#: What is noted when no error is found and nothing else is said.
SANS_ANOMALIE = "Sans anomalie"

_METHODES: Mapping[str, str] = {
    "simple": "tirage simple",
    "mus": "unités monétaires (MUS)",
    "stratifie": "tirage stratifié",
}
_PORTEES: Mapping[str, str] = {
    "operation": "les dépenses d’une opération",
    "plie": "les dépenses d’un PLIE",
    "etat_depenses": "les dépenses d’un état",
    "toutes": "toutes les dépenses",
}
_MONTANTS: Mapping[str, str] = {"declare": "montants déclarés", "retenu": "montants retenus"}


@dataclass(frozen=True, slots=True)
class ActePossible:
    """A link to the form of an act."""

    libelle: str
    lien: str


# --- The list ------------------------------------------------------------------------------------


def _ligne(d: DossierAudite) -> Ligne:
    arretes = sum(e.resultat is not None for e in d.echantillons)
    return Ligne(
        {
            "reference": Cellule(d.reference, lien=f"/audit/dossiers/{d.id}", precision=d.mission),
            "organisme": Cellule(d.organisme),
            "ouvert": Cellule(d.ouvert_le),
            "etat": Cellule("Clos", niveau="bien", precision=f"le {jour(d.clos_le)}")
            if d.clos_le
            else Cellule("Ouvert", niveau="information"),
            "populations": Cellule(len(d.populations)),
            "tirages": Cellule(len(d.echantillons)),
            "resultats": Cellule(arretes),
        }
    )


@router.get("", name="page_dossiers_audit")
def page_dossiers_audit(request: Request, lecture: Lecture) -> HTMLResponse:
    """Affiche les dossiers de travail des auditeurs."""
    lus = sorted(
        dossiers_audit(lecture.conn, lecture.perimetre),
        key=lambda d: (d.clos_le is not None, -d.ouvert_le.toordinal()),
    )
    sgs = subventions_globales(lecture.conn, lecture.perimetre)
    return page(
        request,
        "audit_dossiers.html",
        tableau=Tableau(
            "Dossiers d’audit",
            (
                Colonne("reference", "Référence"),
                Colonne("organisme", "Organisme"),
                Colonne("ouvert", "Ouvert le", "jour"),
                Colonne("etat", "État"),
                Colonne("populations", "Populations", "nombre"),
                Colonne("tirages", "Tirages", "nombre"),
                Colonne("resultats", "Résultats arrêtés", "nombre"),
            ),
            [_ligne(d) for d in lus],
        )
        if lus
        else None,
        ouvrir=[
            ActePossible(
                f"Ouvrir un dossier sur {sg.numero}",
                lien_acte("ouvrir_dossier_audit", sg.id, retour="/audit/dossiers"),
            )
            for sg in sgs.lignes
        ],
    )


# --- One working file ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PopulationVue:
    """A frozen population."""

    titre: str
    precision: str
    total: int
    a_part: str | None
    empreinte: str
    liste: str
    tirer: ActePossible | None


@dataclass(frozen=True, slots=True)
class TirageVu:
    """A draw, in the list of a working file."""

    titre: str
    lien: str
    etat: str
    niveau: str
    precision: str
    montant: int


@dataclass(frozen=True, slots=True)
class ActeVu:
    """An act of the working file, and its facts; ``repli`` stands for them when they are many."""

    le: date
    acteur: str
    role: str
    faits: tuple[tuple[int, str], ...]
    repli: str | None


@router.get("/{dossier_id}", name="page_dossier_audit")
def page_dossier_audit(request: Request, dossier_id: UUID, lecture: Lecture) -> HTMLResponse:
    """Affiche un dossier de travail."""
    lu = _lire(lecture, dossier_id)
    ici = f"/audit/dossiers/{lu.id}"
    ouvert = lu.clos_le is None
    noms = _noms(lecture, lu)
    histoire = journal_de_l_audit(lecture.conn, lecture.perimetre, dossier_id=dossier_id)
    return page(
        request,
        "audit_dossier.html",
        dossier=lu,
        populations=[_population(p, lu, noms, ici) for p in lu.populations],
        tirages=[_tirage(e, lu) for e in lu.echantillons],
        actes=[
            ActePossible(TITRES[nom], lien_acte(nom, lu.id, retour=ici))
            for nom in ("figer_population", "clore_dossier_audit")
        ]
        if ouvert
        else [],
        histoire=[_acte(list(lus)) for _, lus in groupby(histoire, lambda lu: lu.command_id)],
    )


#: Facts of one act that are shown one by one.
_REPLI = 3


def _acte(lus: Sequence[EvenementLu]) -> ActeVu:
    premier = lus[0]
    return ActeVu(
        premier.date_effet,
        premier.acteur,
        ROLES.get(premier.role, premier.role),
        tuple((lu.position, phrase(lu.phrase)) for lu in lus),
        f"{entier(len(lus))} faits, du n°\u00a0{entier(premier.position)} au "
        f"n°\u00a0{entier(lus[-1].position)}"
        if len(lus) > _REPLI
        else None,
    )


def _lire(lecture: LectureOuverte, dossier_id: UUID) -> DossierAudite:
    return dossier_audit(lecture.conn, lecture.perimetre, dossier_id)


def _noms(lecture: LectureOuverte, lu: DossierAudite) -> dict[UUID, str]:
    """Return the numbers of the operations that populations name."""
    nommees = [
        p.definition.operation_id for p in lu.populations if p.definition.operation_id is not None
    ]
    rows = lecture.conn.execute(
        "SELECT o.id, o.numero_mdfse FROM projection.operation AS o WHERE o.id = ANY(%s)",
        (nommees,),
    )
    return {row[0]: row[1] for row in rows}


def _quoi(population: PopulationAuditee, noms: Mapping[UUID, str]) -> str:
    definition = population.definition
    dit = (
        (noms.get(definition.operation_id, "") if definition.operation_id else None)
        or definition.plie_id
        or definition.etat_no
    )
    quoi = majuscule(_PORTEES[definition.portee])
    return f"{quoi} ({dit})" if dit else quoi


def _population(
    population: PopulationAuditee, lu: DossierAudite, noms: Mapping[UUID, str], ici: str
) -> PopulationVue:
    a_part = (
        f"{entier(population.a_part_nombre)} montants nuls ou négatifs à part, "
        f"{euros(population.a_part)}"
        if population.a_part_nombre
        else None
    )
    return PopulationVue(
        titre=_quoi(population, noms),
        precision=(
            f"{entier(population.nombre)} dépenses, {_MONTANTS[population.montant]}, telles que "
            f"connues à l’événement n°\u00a0{entier(population.position)} ; figée le "
            f"{jour(population.figee_le)}"
        ),
        total=population.total,
        a_part=a_part,
        empreinte=population.empreinte,
        liste=f"/api/v1/audit/dossiers/{lu.id}/populations/{population.id}/liste",
        tirer=ActePossible(
            "Tirer un échantillon",
            lien_acte(
                "tirer_echantillon_audit", lu.id, retour=ici, population_id=str(population.id)
            ),
        )
        if lu.clos_le is None
        else None,
    )


def _tirage(e: EchantillonAudite, lu: DossierAudite) -> TirageVu:
    notes = sum(u.erreur is not None for u in e.tirage)
    if e.suivi_par is not None:
        etat, niveau = "Étendu ou remplacé", "attention"
    elif e.resultat is not None:
        etat, niveau = "Résultat arrêté", "bien"
    else:
        etat, niveau = f"{entier(notes)} sur {entier(len(e.tirage))} notées", "information"
    return TirageVu(
        titre=f"Tirage n°\u00a0{e.rang}, {_METHODES[e.methode]}, {entier(len(e.tirage))} dépenses",
        lien=f"/audit/dossiers/{lu.id}/echantillons/{e.id}",
        etat=etat,
        niveau=niveau,
        precision=f"tiré le {jour(e.tire_le)}, graine {e.graine}",
        montant=e.tirage_montant,
    )


# --- One sample, and its grid --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneDeGrille:
    """A dépense drawn, as it stands in the grid."""

    rang: int
    id: UUID
    piece: str
    precision: str
    dossier: str | None
    montant: int
    strate: str
    exhaustive: bool
    erreur: int | None
    commentaire: str | None
    saisie_erreur: str
    saisie_commentaire: str
    defaut: str | None
    corriger: str | None


@dataclass(frozen=True, slots=True)
class StrateVue:
    """A stratum: what it holds, what was drawn, what it projects."""

    code: str
    nombre: int
    total: int
    exhaustives: int
    tirees: int
    constatee: int | None
    projetee: int | None


@dataclass(frozen=True, slots=True)
class VueEchantillon:
    """All that the page of a sample shows."""

    titre: str
    reference: str
    lien_dossier: str
    ici: str
    identite: tuple[tuple[str, str], ...]
    strates: tuple[StrateVue, ...]
    stratifie: bool
    lignes: tuple[LigneDeGrille, ...]
    pages: tuple[tuple[str, str, bool], ...]
    notees: int
    total: int
    erreur_constatee: int
    modifiable: bool
    version: int
    cle: UUID
    actes: tuple[ActePossible, ...]
    suivi_par: str | None
    resultat: tuple[tuple[str, str], ...]
    condition: str | None
    document: str
    fichiers: list[tuple[str, str]]


#: What was typed in the grid, by dépense: error, comment.
Saisies = Mapping[UUID, tuple[str, str]]


def _vue(
    lecture: LectureOuverte,
    lu: DossierAudite,
    e: EchantillonAudite,
    debut: int,
    saisies: Saisies | None = None,
    defauts: Sequence[Defaut] = (),
) -> VueEchantillon:
    ici = f"/audit/dossiers/{lu.id}/echantillons/{e.id}"
    modifiable = lu.clos_le is None and e.suivi_par is None
    montrees = e.tirage[debut : debut + PAR_PAGE]
    connues = depenses_tirees(lecture.conn, lecture.perimetre, [u.depense_id for u in montrees])
    dits = {d.champ: d.message for d in defauts if d.champ}
    notees = sum(u.erreur is not None for u in e.tirage)
    return VueEchantillon(
        titre=f"Tirage n°\u00a0{e.rang}, {_METHODES[e.methode]}",
        reference=lu.reference,
        lien_dossier=f"/audit/dossiers/{lu.id}",
        ici=ici,
        identite=tuple(_identite(e, lu)),
        strates=_strates(e),
        stratifie=any(s.code for s in e.strates) or any(u.exhaustive for u in e.tirage),
        lignes=tuple(
            _ligne_de_grille(rang, u, connues.get(u.depense_id), lu, e, saisies or {}, dits)
            for rang, u in enumerate(montrees, debut + 1)
        ),
        pages=tuple(_pages(len(e.tirage), debut, ici)),
        notees=notees,
        total=len(e.tirage),
        erreur_constatee=sum(u.erreur or 0 for u in e.tirage),
        modifiable=modifiable,
        version=lu.version,
        cle=new_id(),
        actes=tuple(_actes(lu, e, ici, notees)) if modifiable else (),
        suivi_par=None
        if e.suivi_par is None
        else f"/audit/dossiers/{lu.id}/echantillons/{e.suivi_par}",
        resultat=tuple(_resultat(e)),
        condition=None if e.resultat is None else e.resultat.condition,
        document=f"/api/v1{ici}/document",
        fichiers=liens(f"{ici}/export", {}),
    )


def _identite(e: EchantillonAudite, lu: DossierAudite) -> Iterable[tuple[str, str]]:
    population = lu.population(e.population_id)
    yield "Population", f"{entier(population.nombre)} dépenses, {euros(population.total)}"
    yield "Tiré le", jour(e.tire_le)
    yield "Taille demandée", entier(e.parametres.taille)
    yield "Montant tiré", euros(e.tirage_montant)
    yield "Graine", e.graine
    if e.graine_origine:
        yield "Origine de la graine", e.graine_origine
    yield "Procédé", e.algorithme
    if e.motif:
        yield "Motif du nouveau tirage", e.motif
    yield "Tirages de cette population", entier(e.tirages)


def _strate(e: EchantillonAudite, code: str) -> str:
    """Name a stratum: a poste by its words, anything else by its code."""
    return POSTES.get(code, code) if e.parametres.critere == "poste" else code


def _strates(e: EchantillonAudite) -> tuple[StrateVue, ...]:
    resultats = {} if e.resultat is None else {r.code: r for r in e.resultat.strates}
    vues = []
    for s in e.strates:
        resultat = resultats.get(s.code)
        vues.append(
            StrateVue(
                code=_strate(e, s.code) or "Toute la population",
                nombre=s.nombre,
                total=s.total_centimes,
                exhaustives=s.exhaustives_nombre,
                tirees=s.tirees_nombre,
                constatee=None if resultat is None else resultat.erreur_constatee_centimes,
                projetee=None
                if resultat is None
                else round_cents(Fraction(resultat.erreur_projetee_exacte)),
            )
        )
    return tuple(vues)


def _ligne_de_grille(
    rang: int,
    unite: UniteAuditee,
    depense: DepenseTiree | None,
    lu: DossierAudite,
    e: EchantillonAudite,
    saisies: Saisies,
    dits: Mapping[str, str],
) -> LigneDeGrille:
    erreur, commentaire = saisies.get(unite.depense_id, ("", ""))
    return LigneDeGrille(
        rang=rang,
        id=unite.depense_id,
        piece=str(unite.depense_id) if depense is None else depense.piece_ref,
        precision=""
        if depense is None
        else f"{depense.nature}, {depense.poste_libelle}, {jour(depense.date_piece)}",
        dossier=None if depense is None else depense.numero_mdfse,
        montant=unite.montant,
        strate=_strate(e, unite.strate),
        exhaustive=unite.exhaustive,
        erreur=unite.erreur,
        commentaire=unite.commentaire,
        saisie_erreur=erreur,
        saisie_commentaire=commentaire,
        defaut=dits.get(f"erreur-{unite.depense_id}"),
        corriger=None
        if unite.erreur is None
        else lien_acte(
            "corriger_constat",
            lu.id,
            e.id,
            unite.depense_id,
            retour=f"/audit/dossiers/{lu.id}/echantillons/{e.id}",
        ),
    )


def _pages(total: int, debut: int, ici: str) -> Iterable[tuple[str, str, bool]]:
    if total <= PAR_PAGE:
        return
    for premier in range(0, total, PAR_PAGE):
        dernier = min(premier + PAR_PAGE, total)
        yield f"{premier + 1} à {dernier}", f"{ici}?debut={premier}", premier == debut


def _actes(
    lu: DossierAudite, e: EchantillonAudite, ici: str, notees: int
) -> Iterable[ActePossible]:
    if notees == len(e.tirage) and e.resultat is None:
        yield ActePossible(
            TITRES["arreter_resultat"], lien_acte("arreter_resultat", lu.id, e.id, retour=ici)
        )
    retour = f"/audit/dossiers/{lu.id}"
    population = str(e.population_id)
    if e.methode == "simple":
        yield ActePossible(
            "Étendre ce tirage",
            lien_acte(
                "tirer_echantillon_audit",
                lu.id,
                retour=retour,
                population_id=population,
                methode="simple",
                etend=str(e.id),
            ),
        )
    yield ActePossible(
        "Le remplacer par un autre",
        lien_acte(
            "tirer_echantillon_audit",
            lu.id,
            retour=retour,
            population_id=population,
            methode=e.methode,
            remplace=str(e.id),
        ),
    )


def _resultat(e: EchantillonAudite) -> Iterable[tuple[str, str]]:
    if e.resultat is None:
        return
    lu = e.resultat
    yield "Arrêté le", jour(lu.arrete_le)
    yield "Erreur constatée", euros(lu.erreur_constatee)
    yield "Erreur projetée sur la population", euros(lu.erreur_projetee)
    if lu.total:
        yield "Taux d’erreur projeté", pourcent(Fraction(lu.erreur_projetee, lu.total))
    yield "Valeur exacte", f"{lu.erreur_projetee_exacte} centimes"


Debut = Annotated[int, Query(ge=0, le=10_000)]
_CHEMIN = "/{dossier_id}/echantillons/{echantillon_id}"


@router.get(_CHEMIN, name="page_echantillon")
def page_echantillon(
    request: Request, dossier_id: UUID, echantillon_id: UUID, lecture: Lecture, debut: Debut = 0
) -> HTMLResponse:
    """Affiche un tirage : ce qui est tiré, ce qui y est trouvé, ce que cela dit du tout."""
    lu = _lire(lecture, dossier_id)
    e = lu.echantillon(echantillon_id)
    place = _au_debut(debut, e)
    vue = _vue(lecture, lu, e, place)
    return page(request, "audit_echantillon.html", vue=vue, debut=place)


def _au_debut(debut: int, e: EchantillonAudite) -> int:
    """Return where the page begins: at a multiple, inside the draw."""
    return min(debut, len(e.tirage) - 1) // PAR_PAGE * PAR_PAGE


async def grille(request: Request) -> Formulaire:
    """Read the grid, which holds more fields than any other form."""
    return Formulaire(await request.form(max_files=0, max_fields=2 * PAR_PAGE + 10))


@router.post(f"{_CHEMIN}/constats", name="noter_la_grille")
def noter_la_grille(
    request: Request,
    dossier_id: UUID,
    echantillon_id: UUID,
    service: ServiceOuvert,
    lecture: Lecture,
    saisi: Annotated[Formulaire, Depends(grille)],
) -> Response:
    """Note les constats saisis dans la grille ; les lignes vides restent à noter."""
    lu = _lire(lecture, dossier_id)
    e = lu.echantillon(echantillon_id)
    debut = saisi.texte("debut")
    place = _au_debut(int(debut) if debut.isdecimal() and len(debut) < 6 else 0, e)
    saisies = {
        u.depense_id: (
            saisi.texte(f"erreur-{u.depense_id}"),
            saisi.texte(f"commentaire-{u.depense_id}"),
        )
        for u in e.tirage[place : place + PAR_PAGE]
    }
    try:
        constats = _constats(saisies)
        jouer(
            request,
            service,
            "noter_constats",
            (dossier_id, echantillon_id),
            {"date_effet": today().isoformat(), "constats": constats},
            _cle(saisi.texte("cle")),
            version_vue(saisi.texte("version")),
        )
    except SaisieRefusee as refus:
        return _refusee(request, lecture, lu, e, place, saisies, refus)
    except StaleVersion:
        depuis = SaisieRefusee([Defaut(_DEPUIS)])
        return _refusee(request, lecture, lu, e, place, saisies, depuis, http=412)
    except Refusal as refus:
        return _refusee(request, lecture, lu, e, place, saisies, refus)
    return vers(
        f"/audit/dossiers/{dossier_id}/echantillons/{echantillon_id}",
        fait="noter_constats",
        debut=str(place) if place else None,
    )


_DEPUIS = (
    "Ce dossier de travail a changé depuis que cette page est ouverte : ce qui est noté depuis est "
    "montré ci-dessous, et ce que vous avez saisi est gardé. Relisez, puis enregistrez de nouveau."
)


def _refusee(
    request: Request,
    lecture: LectureOuverte,
    lu: DossierAudite,
    e: EchantillonAudite,
    debut: int,
    saisies: Saisies,
    refus: Refusal | SaisieRefusee,
    http: int = 200,
) -> HTMLResponse:
    dits = refus.defauts if isinstance(refus, SaisieRefusee) else ()
    shown = _vue(lecture, lu, e, debut, saisies, dits)
    answer = page(request, "audit_echantillon.html", refus, vue=shown, debut=debut)
    if http != 200:
        answer.status_code = http
    return answer


def _constats(saisies: Saisies) -> list[dict[str, str]]:
    """Return the findings of a grid.

    Raises: SaisieRefusee.
    """
    defauts: list[Defaut] = []
    constats: list[dict[str, str]] = []
    for depense_id, (erreur, commentaire) in saisies.items():
        if not erreur and not commentaire:
            continue
        if not erreur:
            dit = "Donnez aussi le montant de l’erreur ; 0 s’il n’y en a pas."
            defauts.append(Defaut(dit, f"erreur-{depense_id}"))
            continue
        try:
            centimes = lire_centimes(erreur)
        except ValueError as illisible:
            defauts.append(Defaut(f"{illisible}.", f"erreur-{depense_id}"))
            continue
        if centimes and not commentaire:
            dit = "Dites en quelques mots d’où vient cette erreur."
            defauts.append(Defaut(dit, f"erreur-{depense_id}"))
        constats.append(
            {
                "depense_id": str(depense_id),
                "erreur": decimal(centimes),
                "commentaire": commentaire or SANS_ANOMALIE,
            }
        )
    if not defauts and not constats:
        defauts.append(Defaut("Rien n’est saisi : notez au moins une ligne, 0 compris."))
    if defauts:
        raise SaisieRefusee(defauts)
    return constats


def _cle(ecrite: str) -> UUID:
    try:
        return TypeAdapter(UUID).validate_python(ecrite)
    except ValueError:
        return new_id()


@router.get(f"{_CHEMIN}/export", name="exporter_echantillon")
def exporter_echantillon(
    dossier_id: UUID,
    echantillon_id: UUID,
    lecture: Lecture,
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Exporte un tirage, avec ses constats."""
    lu = _lire(lecture, dossier_id)
    e = lu.echantillon(echantillon_id)
    connues = depenses_tirees(lecture.conn, lecture.perimetre, [u.depense_id for u in e.tirage])
    tableau = Tableau(
        f"{lu.reference}, tirage n°\u00a0{e.rang}",
        (
            Colonne("rang", "Rang", "nombre"),
            Colonne("piece", "Pièce", "code"),
            Colonne("dossier", "Dossier", "code"),
            Colonne("beneficiaire", "Bénéficiaire"),
            Colonne("nature", "Nature"),
            Colonne("date", "Date de la pièce", "jour"),
            Colonne("montant", "Montant", "euros"),
            Colonne("strate", "Strate", "code"),
            Colonne("exhaustive", "Prise entière"),
            Colonne("erreur", "Erreur", "euros"),
            Colonne("commentaire", "Commentaire"),
            Colonne("id", "Identifiant", "code"),
        ),
        [_exportee(rang, u, connues.get(u.depense_id)) for rang, u in enumerate(e.tirage, 1)],
    )
    releve = releve_de_maintenant(
        lecture.conn,
        ("Dossier d’audit", lu.reference),
        ("Méthode", _METHODES[e.methode]),
        ("Graine", e.graine),
        ("Procédé", e.algorithme),
    )
    return repondre(tableau, releve, format, f"tirage-{lu.reference}-{e.rang}")


def _exportee(rang: int, u: UniteAuditee, depense: DepenseTiree | None) -> Ligne:
    return Ligne(
        {
            "rang": Cellule(rang),
            "piece": Cellule(None if depense is None else depense.piece_ref),
            "dossier": Cellule(None if depense is None else depense.numero_mdfse),
            "beneficiaire": Cellule(None if depense is None else depense.beneficiaire),
            "nature": Cellule(None if depense is None else depense.nature),
            "date": Cellule(None if depense is None else depense.date_piece),
            "montant": Cellule(u.montant),
            "strate": Cellule(u.strate),
            "exhaustive": Cellule("oui" if u.exhaustive else "non"),
            "erreur": Cellule(u.erreur),
            "commentaire": Cellule(u.commentaire),
            "id": Cellule(str(u.depense_id)),
        }
    )
