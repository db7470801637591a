"""A session of the programming committee: what is ready, what is decided, one record of it all.

The form says what was seen: the amounts that a decision carries are those that stood on the page,
so that a plan changed meanwhile is refused and never programmed unseen.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter, ValidationError

from aggregates.operation.events import (
    OperationAjournee,
    OperationDeprogrammee,
    OperationProgrammee,
    OperationRefusee,
)
from aggregates.operation.seance import SeanceRefusee
from api.deps import Lecture, ServiceOuvert, subventions_au_choix
from api.filters import jour
from api.pages.actes import jouer, permis
from api.pages.ecriture import majuscule, phrase
from api.pages.formulaires import Defaut, Formulaire, SaisieRefusee, nombre_cache, page, vers
from api.pages.gabarits import templates
from oi_service.clock import today
from oi_service.dates import Jour
from oi_service.errors import Forbidden, Refusal, Unauthenticated
from oi_service.ids import new_id
from oi_service.money import euros, ratio
from projections.histoire import INSTANCES
from projections.maquette import Subvention
from projections.seances import (
    DecisionRendue,
    DossierADecider,
    EnveloppeDeCellule,
    Seance,
    decisions_de_la_seance,
    dossiers_a_decider,
    enveloppes_des_cellules,
    seances,
)

router = APIRouter()

#: Only a body of the OI awards: another one would be refused on every dossier.
INSTANCES_OI = ("comite_programmation_oi", "conseil_administration_oi")
#: A session has some thirty dossiers, each with five fields.
_CHAMPS_MAX = 2000
_AVIS = {"favorable": "bien", "defavorable": "attention"}

Decision = Literal["", "programmer", "ajourner", "refuser"]


# --- What a form says ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choix:
    """What was chosen on a dossier, as it was typed; the amounts are those that the page showed."""

    decision: str = ""
    motif: str = ""
    deports: str = ""
    fse: str = ""
    cout_total: str = ""


@dataclass(frozen=True, slots=True)
class SeanceSaisie:
    """A session as its form says it."""

    le: str
    instance: str
    pv_ref: str
    cle: str
    choix: Mapping[str, Choix] = field(default_factory=dict)  #: by the key of each dossier


def cle_de(dossier: DossierADecider) -> str:
    """Return what names a dossier, or an avenant of it, in the form."""
    suffixe = "" if dossier.avenant is None else f".{dossier.avenant}"
    return f"{dossier.operation_id}{suffixe}"


async def saisie(request: Request) -> SeanceSaisie:
    """Read the form of a session."""
    recue = Formulaire(await request.form(max_files=0, max_fields=_CHAMPS_MAX))
    return SeanceSaisie(
        le=recue.texte("date_effet"),
        instance=recue.texte("instance"),
        pv_ref=recue.texte("pv_ref"),
        cle=recue.texte("cle"),
        choix={
            cle: Choix(
                decision=recue.texte(f"decision-{cle}"),
                motif=recue.texte(f"motif-{cle}"),
                deports=recue.texte(f"deports-{cle}"),
                fse=recue.texte(f"fse-{cle}"),
                cout_total=recue.texte(f"cout-{cle}"),
            )
            for cle in recue.liste("dossier")
        },
    )


SeanceRecue = Annotated[SeanceSaisie, Depends(saisie)]


def decisions(recue: SeanceSaisie) -> dict[str, dict[str, Any]]:
    """Return the decisions that the form asks, by the key of their dossier, in its order."""
    return {
        cle: _decision(cle, choix)
        for cle, choix in recue.choix.items()
        if choix.decision in {"programmer", "ajourner", "refuser"}
    }


def _decision(cle: str, choix: Choix) -> dict[str, Any]:
    operation_id, _, numero = cle.partition(".")
    dite: dict[str, Any] = {
        "operation_id": operation_id,
        "decision": choix.decision,
        "motif": choix.motif or None,
    }
    if numero:
        return dite | {"avenant": numero if (lu := nombre_cache(numero)) is None else lu}
    montants = {"fse": choix.fse, "cout_total": choix.cout_total}
    return {
        **dite,
        **(montants if choix.decision == "programmer" else {}),
        "deports": [qui for qui in re.split(r"[\s,;]+", choix.deports) if qui],
    }


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneDeSeance:
    """A dossier, or an avenant, and what is decided on it."""

    cle: str
    numero: str
    lien: str
    titre: str
    beneficiaire: str
    precision: str
    fse: int
    cout_total: int
    taux: Any
    avis: tuple[tuple[str, str], ...]
    avenant: bool
    options: tuple[tuple[str, str], ...]
    montants: tuple[str, str]
    choix: Choix
    refus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupeDePlie:
    """The dossiers of a PLIE."""

    nom: str
    lignes: tuple[LigneDeSeance, ...]


@dataclass(frozen=True, slots=True)
class EnveloppeVue:
    """An enveloppe before and after the session; cents."""

    libelle: str
    ligne: str
    enveloppe: int
    programme: int
    avant: int
    seance: int
    apres: int
    depassee: bool


@dataclass(frozen=True, slots=True)
class VueSeance:
    """All that the page shows."""

    subventions: tuple[tuple[str, str], ...]
    subvention: str
    le: str
    instance: str
    instances: tuple[tuple[str, str], ...]
    pv_ref: str
    cle: str
    groupes: tuple[GroupeDePlie, ...]
    nombre: int
    enveloppes: tuple[EnveloppeVue, ...]
    decidees: int
    passees: tuple["SeancePassee", ...]


@dataclass(frozen=True, slots=True)
class SeancePassee:
    """A session of the past, and the address of its decisions."""

    le: date
    instance: str
    pv_ref: str
    decisions: int
    programmees: int
    fse: int
    lien: str


def vue(
    recue: SeanceSaisie,
    dossiers: Sequence[DossierADecider],
    enveloppes: Sequence[EnveloppeDeCellule],
    passees: Sequence[Seance],
    subventions: Sequence[Subvention],
    subvention: UUID,
    refus: Mapping[str, Sequence[str]],
) -> VueSeance:
    """Prepare the page; ``refus``: what is wrong, by the key of each dossier."""
    choisis = {cle_de(d): recue.choix.get(cle_de(d), Choix()) for d in dossiers}
    return VueSeance(
        subventions=tuple((str(s.id), s.numero) for s in subventions),
        subvention=str(subvention),
        le=recue.le,
        instance=recue.instance,
        instances=tuple((code, majuscule(INSTANCES[code])) for code in INSTANCES_OI),
        pv_ref=recue.pv_ref,
        cle=recue.cle,
        groupes=tuple(
            GroupeDePlie(
                nom,
                tuple(_ligne(d, choisis[cle_de(d)], refus.get(cle_de(d), ())) for d in ensemble),
            )
            for nom, ensemble in groupby(
                sorted(dossiers, key=lambda d: (d.plie_nom, d.avenant or 0, d.numero_mdfse)),
                key=lambda d: d.plie_nom,
            )
        ),
        nombre=len(dossiers),
        enveloppes=_enveloppes(dossiers, enveloppes, choisis),
        decidees=sum(bool(c.decision) for c in choisis.values()),
        passees=tuple(_passee(s) for s in passees),
    )


def _ligne(dossier: DossierADecider, choix: Choix, refus: Sequence[str]) -> LigneDeSeance:
    avis = (
        ("Instruction", dossier.avis_instruction),
        ("PLIE", dossier.avis_plie),
        ("AGD", dossier.avis_agd),
    )
    ligne = dossier.cellule.ligne
    precision = (
        f"Tranche {ligne.annee} · axe {ligne.axe} · {ligne.objectif_specifique} · "
        f"{ligne.dispositif} · {dossier.statut_libelle}"
        if dossier.avenant is None
        else f"Avenant n° {dossier.avenant}\u00a0: {dossier.motif or 'sans motif'}"
    )
    return LigneDeSeance(
        cle=cle_de(dossier),
        numero=dossier.numero_mdfse,
        lien=f"/dossiers/{dossier.numero_mdfse}",
        titre=dossier.intitule,
        beneficiaire=dossier.beneficiaire,
        precision=phrase(precision),
        fse=dossier.fse,
        cout_total=dossier.cout_total,
        taux=ratio(dossier.fse, dossier.cout_total),
        avis=tuple(
            (f"{qui}\u00a0: {'favorable' if rendu == 'favorable' else 'défavorable'}", _AVIS[rendu])
            for qui, rendu in avis
            if rendu is not None
        ),
        avenant=dossier.avenant is not None,
        options=_options(dossier),
        montants=(euros(dossier.fse), euros(dossier.cout_total)),
        choix=choix,
        refus=tuple(refus),
    )


def _options(dossier: DossierADecider) -> tuple[tuple[str, str], ...]:
    """Return what may be decided: an adjourned dossier is programmed, or taken up again first."""
    laisser, programmer = ("", "Laisser"), ("programmer", "Programmer")
    if dossier.avenant is not None:
        return (laisser, programmer, ("refuser", "Refuser"))
    if dossier.statut == "ajourne":
        return (laisser, programmer)
    return (laisser, programmer, ("ajourner", "Ajourner"), ("refuser", "Refuser"))


def _enveloppes(
    dossiers: Sequence[DossierADecider],
    enveloppes: Sequence[EnveloppeDeCellule],
    choisis: Mapping[str, Choix],
) -> tuple[EnveloppeVue, ...]:
    """Set what the session programmes against the enveloppes of the dossiers that it looks at."""
    vues = []
    for enveloppe in enveloppes:
        siens = [d for d in dossiers if enveloppe.est(d.cellule)]
        if not siens:
            continue
        seance = sum(d.engage for d in siens if choisis[cle_de(d)].decision == "programmer")
        avant = enveloppe.alloue - enveloppe.programme
        vues.append(
            EnveloppeVue(
                libelle=enveloppe.plie_nom,
                ligne=f"Tranche {enveloppe.annee} · {enveloppe.objectif_specifique} · "
                f"{enveloppe.dispositif}",
                enveloppe=enveloppe.alloue,
                programme=enveloppe.programme,
                avant=avant,
                seance=seance,
                apres=avant - seance,
                depassee=seance > avant,
            )
        )
    return tuple(vues)


def _passee(seance: Seance) -> SeancePassee:
    demande = {"le": seance.le, "instance": seance.instance, "pv": seance.pv_ref}
    return SeancePassee(
        le=seance.le,
        instance=majuscule(INSTANCES.get(seance.instance, seance.instance)),
        pv_ref=seance.pv_ref,
        decisions=seance.decisions,
        programmees=seance.programmees,
        fse=seance.fse,
        lien=f"/comite/releve?{urlencode(demande)}",
    )


# --- The routes ----------------------------------------------------------------------------------

Subventions = Annotated[Sequence[Subvention], Depends(subventions_au_choix)]


def _montrer(
    request: Request,
    lecture: Lecture,
    subventions: Sequence[Subvention],
    recue: SeanceSaisie,
    *,
    refus: Refusal | SaisieRefusee | None = None,
    par_dossier: Mapping[str, Sequence[str]] | None = None,
) -> HTMLResponse:
    asked = request.query_params.get("subvention")
    choisie = next((s for s in subventions if str(s.id) == asked), None) or (
        subventions[0] if subventions else None
    )
    if choisie is None:
        return page(request, "comite.html", refus, vue=None)
    conn, perimetre = lecture.conn, lecture.perimetre
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        prepare = vue(
            recue,
            dossiers_a_decider(conn, perimetre, choisie.id),
            enveloppes_des_cellules(conn, perimetre, choisie.id),
            seances(conn, perimetre),
            subventions,
            choisie.id,
            par_dossier or {},
        )
    return page(request, "comite.html", refus, vue=prepare)


@router.get("/comite", name="page_comite", response_class=HTMLResponse)
def preparer(
    request: Request, lecture: Lecture, subventions: Subventions, le: str = ""
) -> HTMLResponse:
    """Affiche les dossiers prêts à être décidés, et ce que les enveloppes contiennent encore."""
    vierge = SeanceSaisie(
        le=le or today().isoformat(), instance=INSTANCES_OI[0], pv_ref="", cle=str(new_id())
    )
    return _montrer(request, lecture, subventions, vierge)


@router.post("/comite/effet", name="page_effet_seance", response_class=HTMLResponse)
def calculer(
    request: Request, lecture: Lecture, subventions: Subventions, recue: SeanceRecue
) -> HTMLResponse:
    """Affiche les enveloppes après les décisions choisies, sans rien enregistrer."""
    return _montrer(request, lecture, subventions, recue)


@router.post("/comite", name="tenir_une_seance", response_class=HTMLResponse)
def tenir(
    request: Request,
    lecture: Lecture,
    service: ServiceOuvert,
    subventions: Subventions,
    recue: SeanceRecue,
) -> Response:
    """Enregistre toutes les décisions de la séance, ou aucune."""
    prises = decisions(recue)
    if not prises:
        rien = SaisieRefusee([Defaut("Aucune décision n’est choisie : rien n’est à enregistrer.")])
        return _montrer(request, lecture, subventions, recue, refus=rien)
    try:
        corps = {
            "date_effet": recue.le,
            "instance": recue.instance,
            "pv_ref": recue.pv_ref,
            "decisions": list(prises.values()),
        }
        jouer(request, service, "tenir_seance", (), corps, _cle(recue), None)
    except (Unauthenticated, Forbidden):
        raise
    except SeanceRefusee as refus:
        dits = {list(prises)[rang]: [str(partie)] for rang, partie in refus.parties}
        return _montrer(request, lecture, subventions, recue, refus=refus, par_dossier=dits)
    except SaisieRefusee as refus:
        generaux, dits = _ranger(refus, list(prises))
        return _montrer(
            request, lecture, subventions, recue, refus=SaisieRefusee(generaux), par_dossier=dits
        )
    except Refusal as refus:
        return _montrer(request, lecture, subventions, recue, refus=refus)
    return vers("/comite/releve", le=recue.le, instance=recue.instance, pv=recue.pv_ref)


def _cle(recue: SeanceSaisie) -> UUID:
    try:
        return UUID(recue.cle)
    except ValueError:
        return new_id()


def _ranger(refus: SaisieRefusee, cles: Sequence[str]) -> tuple[list[Defaut], dict[str, list[str]]]:
    """Put each defect by its dossier; the head leads there."""
    generaux: list[Defaut] = []
    dits: dict[str, list[str]] = {}
    for defaut in refus.defauts:
        du_dossier = re.match(r"decisions\.(\d+)(?:\.|$)", defaut.champ or "")
        message = majuscule(defaut.message)
        if du_dossier and int(du_dossier[1]) < len(cles):
            cle = cles[int(du_dossier[1])]
            dits.setdefault(cle, []).append(message)
            generaux.append(Defaut(message, f"dossier-{cle}"))
        else:
            generaux.append(Defaut(message, defaut.champ))
    return generaux, dits


# --- What a session decided ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneDeReleve:
    """A decision, as the minutes write it."""

    numero: str
    lien: str
    beneficiaire: str
    titre: str
    plie: str
    decision: str
    niveau: str
    fse: int | None
    cout_total: int | None
    motif: str | None
    deports: str


@dataclass(frozen=True, slots=True)
class Releve:
    """The decisions of a session."""

    le: date
    instance: str
    pv_ref: str
    lignes: tuple[LigneDeReleve, ...]
    programmes: int
    fse: int
    cout_total: int
    acteurs: str


_DECISIONS = {
    "programmee": ("Programmée", "bien"),
    "ajournee": ("Ajournée", "attention"),
    "refusee": ("Refusée", "grave"),
    "deprogrammee": ("Déprogrammée", "grave"),
    "avenant_programme": ("Avenant programmé", "bien"),
}


@router.get("/comite/releve", name="page_releve_de_decisions", response_class=HTMLResponse)
def releve(
    request: Request, lecture: Lecture, le: str = "", instance: str = "", pv: str = ""
) -> HTMLResponse:
    """Affiche le relevé des décisions d’une séance, à imprimer."""
    try:
        seance = TypeAdapter(Jour).validate_python(le)
    except ValidationError:
        seance = today()
    rendues = decisions_de_la_seance(
        lecture.conn,
        lecture.perimetre,
        le=seance,
        instance=instance.replace("\0", ""),
        pv_ref=pv.replace("\0", ""),
    )
    return templates().TemplateResponse(
        request,
        "comite_releve.html",
        {
            "releve": vue_du_releve(seance, instance, pv, rendues),
            "peut_comite": permis(request, "tenir_seance"),
            "jour_dit": jour(seance),
        },
        status_code=200 if rendues else 404,
    )


def vue_du_releve(
    le: date, instance: str, pv_ref: str, rendues: Sequence[DecisionRendue]
) -> Releve:
    """Prepare the minutes."""
    lignes = tuple(_rendue(rendue) for rendue in rendues)
    programmees = [ligne for ligne in lignes if ligne.fse is not None]
    return Releve(
        le=le,
        instance=majuscule(INSTANCES.get(instance, instance)),
        pv_ref=pv_ref,
        lignes=lignes,
        programmes=len(programmees),
        fse=sum(ligne.fse or 0 for ligne in programmees),
        cout_total=sum(ligne.cout_total or 0 for ligne in programmees),
        acteurs=", ".join(dict.fromkeys(rendue.lu.acteur for rendue in rendues)),
    )


def _rendue(rendue: DecisionRendue) -> LigneDeReleve:
    fait = rendue.lu.fait
    libelle, niveau = _DECISIONS[rendue.decision]
    deports: tuple[str, ...] = ()
    if isinstance(
        fait, OperationProgrammee | OperationAjournee | OperationRefusee | OperationDeprogrammee
    ):
        deports = fait.deports
    programmee = fait if isinstance(fait, OperationProgrammee) else None
    return LigneDeReleve(
        numero=rendue.numero_mdfse,
        lien=f"/dossiers/{rendue.numero_mdfse}#evenement-{rendue.lu.position}",
        beneficiaire=rendue.beneficiaire,
        titre=rendue.intitule,
        plie=rendue.plie_nom,
        decision=libelle,
        niveau=niveau,
        fse=None if programmee is None else programmee.fse_centimes,
        cout_total=None if programmee is None else programmee.cout_total_centimes,
        motif=rendue.lu.motif,
        deports=", ".join(deports),
    )
