"""« D’où vient ce chiffre ? »: a figure, what it means, and every fact that makes it.

One page for any figure of the maquette, on any of its lines, and one for a payment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from aggregates.operation.state import OperationAbsente
from api.deps import PRESENT, Dates, DatesDemandees, Lecture, LectureOuverte
from api.filters import entier, euros, pourcent
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.definitions import DEFINITIONS
from api.pages.ecriture import majuscule, phrase, poste
from api.pages.gabarits import templates
from api.pages.lignes_paiement import lien_de_provenance, lien_du_fait
from api.tableaux import Cellule, Colonne, Format, Ligne, Releve, Tableau, liens, repondre
from oi_service import clock
from oi_service.errors import NotFound
from projections import paiements as projection_paiements
from projections import provenance as projection
from projections.causes import CAUSES
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, CurseurInvalide
from projections.instantane import instantane
from projections.livre import Choix, Mouvement
from projections.mesures import DERIVES, MESURES, MesureInconnue, libelle, unite
from projections.perimetre import OI_ENTIER, Perimetre
from projections.provenance import Provenance
from projections.provenance_paiement import (
    LigneProuvee,
    ProvenancePaiement,
    provenance_du_paiement,
)
from projections.situation import Situation

router = APIRouter()

_ICI = "/provenance"


class LigneHorsTerritoire(NotFound):
    """Les chiffres de « {plie} » ne sont pas de votre territoire : ils ne valent pas zéro, vous ne
    les voyez pas.
    """


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demande:
    """A figure, on lines of the ledger, at two dates; it writes the address of the same, changed.

    A text that is not what its field holds asks for nothing.
    """

    mesure: str = ""
    subvention: str = ""
    plie: str = ""
    annee: str = ""
    axe: str = ""
    os: str = ""
    dispositif: str = ""
    operation: str = ""
    financeur: str = ""
    cause: str = ""
    apres: str = ""
    dates: Dates = PRESENT

    def champs(self, *sauf: str) -> dict[str, str]:
        """Say what is asked as fields of a form."""
        dits = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "dates"}
        return {n: v for n, v in {**dits, **self.dates.requete}.items() if v and n not in sauf}

    def lien(self, **changements: str) -> str:
        """Return the address of the page, changed, from its beginning unless said otherwise."""
        asked = replace(self, **{"apres": "", **changements})  # type: ignore[arg-type] # texts
        return f"{_ICI}?{urlencode(asked.champs())}"

    def choix(self, operation_id: UUID | None) -> Choix:
        """Return the lines asked, as the queries take them."""
        return Choix(
            subvention_globale_id=_uuid(self.subvention),
            plie=self.plie or None,
            annee=int(self.annee) if self.annee else None,
            axe=self.axe or None,
            objectif_specifique=self.os or None,
            dispositif=self.dispositif or None,
            operation_id=operation_id,
            financeur=self.financeur or None,
        )


def _uuid(texte: str) -> UUID | None:
    try:
        return UUID(texte) if texte else None
    except ValueError:
        return None


_Mot = Annotated[str, Query(max_length=200)]


def demande(
    dates: DatesDemandees,
    mesure: _Mot = "",
    subvention: _Mot = "",
    plie: _Mot = "",
    annee: _Mot = "",
    axe: _Mot = "",
    os: _Mot = "",
    dispositif: _Mot = "",
    operation: _Mot = "",
    financeur: _Mot = "",
    cause: _Mot = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> Demande:
    """Read what an address asks."""
    textes = {
        "plie": plie,
        "axe": axe,
        "os": os,
        "dispositif": dispositif,
        "financeur": financeur,
        "operation": operation,
    }
    return Demande(
        mesure=mesure,
        subvention=subvention if _uuid(subvention) else "",
        annee=annee if annee.isascii() and annee.isdigit() and len(annee) == len("2021") else "",
        cause=cause if cause in CAUSES else "",
        apres=apres,
        dates=dates,
        **{nom: texte.replace("\0", "") for nom, texte in textes.items()},
    )


DemandeLue = Annotated[Demande, Depends(demande)]


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CauseVue:
    """What a cause brought to the figure."""

    libelle: str
    evenements: int
    valeur: str
    lien: str
    active: bool


@dataclass(frozen=True, slots=True)
class OperandeVue:
    """A figure that a derived one reads."""

    signe: str
    libelle: str
    valeur: str
    lien: str


@dataclass(frozen=True, slots=True)
class MouvementVu:
    """A line of the ledger, with the way to its fact."""

    position: int
    le: Any
    phrase: str
    cause: str
    qui: str
    valeur: str
    negatif: bool
    dossier: str | None
    lien: str | None
    lien_paiement: str | None
    ligne: str


@dataclass(frozen=True, slots=True)
class VueProvenance:
    """All that the page shows."""

    situation: SituationVue
    titre: str
    portee: str
    valeur: str
    definition: str | None
    formule: str | None
    operandes: tuple[OperandeVue, ...]
    causes: tuple[CauseVue, ...]
    cause: str | None
    sans_cause: str
    nombre: int
    mouvements: tuple[MouvementVu, ...]
    debut: str | None
    suite: str | None
    fictive: bool
    fichiers: tuple[tuple[str, str], ...]
    position: int


def dire(mesure: str, valeur: int | Fraction | None) -> str:
    """Write a figure in its own unit."""
    match unite(mesure):
        case "pourcent":
            return pourcent(valeur if isinstance(valeur, Fraction) else None)
        case "nombre":
            return entier(int(valeur or 0))
        case _:
            return euros(int(valeur or 0))


def vue(
    demande: Demande,
    lue: Provenance,
    noms: Mapping[str, str],
    position: int,
    perimetre: Perimetre = OI_ENTIER,
) -> VueProvenance:
    """Prepare the page; ``perimetre``: what the reader sees, hence what is summed."""
    mesure = lue.mesure
    sens = DEFINITIONS.get(mesure)
    derive = DERIVES.get(mesure)
    signe = {"moins": "−", "sur": "÷"}[derive.operation] if derive else ""
    suivant = lue.mouvements.suivant
    return VueProvenance(
        situation=situation_vue(demande.dates, demande.champs("au", "connu_le", "apres"), position),
        titre=sens.libelle if sens else libelle(mesure),
        portee=_portee(demande, noms, lue, perimetre),
        valeur=dire(mesure, lue.valeur),
        definition=phrase(sens.sens) if sens else None,
        formule=None if lue.formule is None else phrase(lue.formule),
        operandes=tuple(
            OperandeVue(
                signe if rang else "",
                o.libelle,
                dire(o.mesure, o.valeur),
                demande.lien(mesure=o.mesure, cause=""),
            )
            for rang, o in enumerate(lue.operandes)
        ),
        causes=tuple(
            CauseVue(
                c.libelle,
                c.evenements,
                dire(mesure, c.montants.get(mesure, 0)),
                demande.lien(cause="" if demande.cause == c.code else c.code),
                demande.cause == c.code,
            )
            for c in lue.causes
        ),
        cause=CAUSES.get(demande.cause),
        sans_cause=demande.lien(cause=""),
        nombre=sum(
            c.evenements for c in lue.causes if not demande.cause or c.code == demande.cause
        ),
        mouvements=tuple(_mouvement(x, demande.dates) for x in lue.mouvements.lignes),
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=suivant) if suivant else None,
        fictive=lue.fictive,
        fichiers=() if lue.formule else tuple(liens(f"{_ICI}/export", demande.champs("apres"))),
        position=position,
    )


#: Lines of the maquette that are no PLIE's.
_HORS_PLIE = {
    "reserve": "Réserve de l’OI",
    "non_reparti": "Non réparti",
    "mutualise": "Contreparties mutualisées",
    "reprise": "Opérations reprises",
}


def _portee(
    demande: Demande, noms: Mapping[str, str], lue: Provenance, perimetre: Perimetre
) -> str:
    """Say which lines are summed."""
    # Asked by its number, it is known without a movement.
    demande_par_numero = None if _uuid(demande.operation) else demande.operation
    dossier = demande_par_numero or next(
        (x.numero_mdfse for x in lue.mouvements.lignes if x.numero_mdfse), None
    )
    entier_ou_non = "" if perimetre.plie_ids is None else "votre périmètre"
    dits = (
        _nom_du_plie(demande.plie, noms) if demande.plie else entier_ou_non,
        demande.annee and f"tranche {demande.annee}",
        demande.axe and f"axe {demande.axe}",
        demande.os and f"objectif spécifique {demande.os}",
        demande.dispositif and f"dispositif {demande.dispositif}",
        demande.operation and (f"dossier n°\u00a0{dossier}" if dossier else "un dossier"),
        demande.financeur and f"financeur {demande.financeur}",
    )
    retenus = [dit for dit in dits if dit]
    return majuscule(", ".join(retenus)) if retenus else "Tout l’organisme intermédiaire"


def _nom_du_plie(code: str, noms: Mapping[str, str]) -> str:
    return noms.get(code) or _HORS_PLIE.get(code, code)


def _mouvement(x: Mouvement, dates: Dates) -> MouvementVu:
    fait = x.evenement
    lien = None
    if x.numero_mdfse is not None and fait.lu is not None:
        lien = lien_du_fait(x.numero_mdfse, x.position, dates)
    paiement = None
    if x.operation_id is not None and fait.paiement_id is not None:
        paiement = f"/paiements/{x.operation_id}/{fait.paiement_id}"
    return MouvementVu(
        position=x.position,
        le=fait.date_effet,
        phrase=phrase(fait.phrase),
        cause=x.cause_libelle,
        qui=f"{fait.acteur}, {fait.role_libelle}",
        valeur=dire(x.mesure, x.centimes),
        negatif=x.centimes < 0,
        dossier=x.numero_mdfse,
        lien=lien,
        lien_paiement=paiement,
        ligne=phrase(
            " · ".join(
                dit
                for dit in (str(x.annee), x.objectif_specifique, x.dispositif, x.financeur)
                if dit
            )
        ),
    )


@router.get(_ICI, name="page_provenance")
def page_provenance(request: Request, demande: DemandeLue, lecture: Lecture) -> HTMLResponse:
    """Affiche d’où vient un chiffre : sa définition, ses causes, chacun de ses mouvements."""
    if not demande.mesure:
        return templates().TemplateResponse(request, "provenance_choix.html", {"choix": _mesures()})
    if not demande.dates.lisibles:
        return _sans_situation(request, demande)
    try:
        lue, noms, position = _lire(lecture, demande)
    except CurseurInvalide:
        demande = replace(demande, apres="")
        lue, noms, position = _lire(lecture, demande)
    except (MesureInconnue, OperationAbsente):
        return templates().TemplateResponse(
            request,
            "provenance_choix.html",
            {"choix": _mesures(), "inconnue": demande.mesure},
            status_code=HTTPStatus.NOT_FOUND,
        )
    if lue is None:
        return _sans_situation(request, demande)
    return templates().TemplateResponse(
        request, "provenance.html", {"vue": vue(demande, lue, noms, position, lecture.perimetre)}
    )


def _sans_situation(request: Request, demande: Demande) -> HTMLResponse:
    return sans_situation(
        request,
        demande.dates,
        demande.champs("au", "connu_le"),
        page="page_provenance",
        titre="D’où vient ce chiffre\u00a0?",
        quoi="Aucune subvention globale n’est enregistrée dans cette situation",
    )


def _mesures() -> list[tuple[str, str, str | None]]:
    """Return every figure that can be explained: address, words, meaning."""
    return [
        (
            lien_de_provenance(nom),
            libelle(nom),
            sens.sens if (sens := DEFINITIONS.get(nom)) else None,
        )
        for nom in (*MESURES, *DERIVES)
    ]


def _lire(
    lecture: LectureOuverte,
    demande: Demande,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> tuple[Provenance | None, Mapping[str, str], int]:
    """Read a figure.

    Raises: LigneHorsTerritoire, MesureInconnue, OperationAbsente, CurseurInvalide.
    """
    conn, perimetre = lecture.conn, lecture.perimetre
    if demande.plie and not perimetre.contient(demande.plie):
        raise LigneHorsTerritoire(plie=demande.plie)
    situation: Situation = demande.dates.situation
    with instantane(conn):
        operation_id = _uuid(demande.operation)
        if demande.operation and operation_id is None:
            operation_id = projection_paiements.operation_du_numero(
                conn, perimetre, demande.operation
            )
        return (
            projection.provenance(
                conn,
                perimetre,
                demande.mesure,
                demande.choix(operation_id),
                situation,
                cause=demande.cause or None,
                limite=limite,
                apres=apres or demande.apres or None,
            ),
            dict(projection_paiements.plies(conn, perimetre)),
            projection_paiements.position(conn, situation),
        )


# --- File ----------------------------------------------------------------------------------------

_COLONNES = (
    Colonne("position", "Événement", "nombre"),
    Colonne("le", "Date d’effet", "jour"),
    Colonne("enregistre_le", "Enregistré le", "instant"),
    Colonne("cause", "Cause"),
    Colonne("phrase", "Fait"),
    Colonne("acteur", "Par", "code"),
    Colonne("dossier", "Dossier", "code"),
    Colonne("plie", "PLIE"),
    Colonne("annee", "Tranche", "code"),
    Colonne("os", "Objectif spécifique", "code"),
    Colonne("dispositif", "Dispositif", "code"),
    Colonne("financeur", "Financeur"),
    Colonne("montant", "Mouvement", "euros"),
)


@router.get(f"{_ICI}/export", name="exporter_provenance")
def exporter(
    request: Request,
    demande: DemandeLue,
    lecture: Lecture,
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Écrit tous les mouvements d’un chiffre dans un fichier."""
    mouvements: list[Mouvement] = []
    with instantane(lecture.conn):
        lue, noms, position = _lire(lecture, demande, limite=LIMITE_MAXIMALE)
        if lue is None:
            return _sans_situation(request, demande)
        mouvements += lue.mouvements.lignes
        while lue is not None and lue.mouvements.suivant is not None:
            lue, _, _ = _lire(
                lecture, demande, limite=LIMITE_MAXIMALE, apres=lue.mouvements.suivant
            )
            mouvements += lue.mouvements.lignes if lue else ()
    nombre = unite(demande.mesure) == "nombre"
    colonnes = tuple(
        replace(c, genre="nombre") if nombre and c.nom == "montant" else c for c in _COLONNES
    )
    total = Ligne(
        {"position": Cellule(None), "montant": Cellule(sum(x.centimes for x in mouvements))}
    )
    releve = Releve(
        position=position,
        releve_le=clock.now(),
        effet_au=demande.dates.situation.effet_au,
        connu_le=demande.dates.connu_le or None,
        filtres=tuple(demande.champs("apres", "au", "connu_le").items()),
    )
    tableau = Tableau(
        f"D’où vient : {libelle(demande.mesure)}",
        colonnes,
        [_ecrit(x, noms) for x in mouvements],
        total,
    )
    return repondre(tableau, releve, format, f"provenance-{demande.mesure}")


def _ecrit(x: Mouvement, noms: Mapping[str, str]) -> Ligne:
    fait = x.evenement
    valeurs: dict[str, Any] = {
        "position": x.position,
        "le": fait.date_effet,
        "enregistre_le": fait.enregistre_le,
        "cause": x.cause_libelle,
        "phrase": fait.phrase,
        "acteur": fait.acteur,
        "dossier": x.numero_mdfse,
        "plie": _nom_du_plie(x.plie_id, noms),
        "annee": str(x.annee),
        "os": x.objectif_specifique,
        "dispositif": x.dispositif,
        "financeur": x.financeur,
        "montant": x.centimes,
    }
    return Ligne({n: Cellule(v) for n, v in valeurs.items() if v is not None})


# --- A payment -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LigneDeCalcul:
    """A line of the arithmetic of a payment."""

    libelle: str
    calcul: str | None
    montant: int | None
    article: str | None
    faits: tuple[tuple[str, str, str | None], ...]  #: words, value, way to the fact


@dataclass(frozen=True, slots=True)
class DepenseVue:
    """A dépense behind the payment."""

    bilan: int
    nature: str
    piece: str
    date_piece: Any
    poste: str
    declare: int
    ecarte: int
    retenu: int
    motif: str | None
    lien: str


@dataclass(frozen=True, slots=True)
class PosteVu:
    """What a poste brought."""

    libelle: str
    nombre: int
    declare: int
    ecarte: int
    retenu: int


@dataclass(frozen=True, slots=True)
class VuePaiement:
    """All that the page of a payment shows."""

    titre: str
    numero: str
    dossier: str
    beneficiaire: str
    statut: str
    montant: int
    compense: int
    calcul: tuple[LigneDeCalcul, ...]
    faits: tuple[tuple[Any, str, str, str], ...]  #: day, sentence, who, way to the fact
    lien_calcul: str | None
    postes: tuple[PosteVu, ...]
    depenses: tuple[DepenseVue, ...]
    debut: str | None
    suite: str | None


def vue_du_paiement(
    lu: ProvenancePaiement, numero: str, beneficiaire: str, apres: str
) -> VuePaiement:
    """Prepare the page of a payment."""
    ici = f"/paiements/{lu.operation_id}/{lu.paiement_id}"
    suivant = lu.depenses.suivant
    return VuePaiement(
        titre=phrase(lu.libelle),
        numero=numero,
        dossier=lien_du_fait(numero, None),
        beneficiaire=beneficiaire,
        statut=majuscule(projection_paiements.STATUTS.get(lu.statut, lu.statut)),  # type: ignore[call-overload]
        montant=lu.montant,
        compense=lu.compense,
        calcul=tuple(
            LigneDeCalcul(
                libelle=phrase(ligne.libelle),
                calcul=None if ligne.calcul is None else phrase(ligne.calcul),
                montant=ligne.centimes,
                article=None if ligne.article is None else phrase(ligne.article),
                faits=tuple(
                    (
                        phrase(o.libelle),
                        phrase(o.valeur),
                        None if o.position is None else lien_du_fait(numero, o.position),
                    )
                    for o in ligne.operandes
                ),
            )
            for ligne in lu.calcul
        ),
        faits=tuple(
            (x.date_effet, phrase(x.phrase), x.acteur, lien_du_fait(numero, x.position))
            for x in lu.evenements
        ),
        lien_calcul=None
        if lu.explication is None
        else f"{lien_du_fait(numero, None)}#calcul-{lu.explication.csf_id}",
        postes=tuple(
            PosteVu(poste(p.code), p.nombre, p.declare, p.ecarte, p.retenu) for p in lu.postes
        ),
        depenses=tuple(_depense(x, numero) for x in lu.depenses.lignes),
        debut=ici if apres else None,
        suite=f"{ici}?{urlencode({'apres': suivant})}" if suivant else None,
    )


def _depense(x: LigneProuvee, numero: str) -> DepenseVue:
    return DepenseVue(
        bilan=x.bilan_numero,
        nature=x.nature,
        piece=x.piece_ref,
        date_piece=x.date_piece,
        poste=poste(x.poste),
        declare=x.declare,
        ecarte=x.ecarte,
        retenu=x.retenu,
        motif=x.motif_libelle,
        lien=lien_du_fait(numero, x.controlee_position),
    )


@router.get("/paiements/{operation_id}/{paiement_id}", name="page_paiement")
def page_paiement(
    request: Request,
    operation_id: UUID,
    paiement_id: UUID,
    lecture: Lecture,
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> HTMLResponse:
    """Affiche un paiement, du virement aux dépenses et à leurs pièces."""
    with instantane(lecture.conn):
        try:
            lu = _lire_paiement(lecture, operation_id, paiement_id, apres)
        except CurseurInvalide:
            apres = ""
            lu = _lire_paiement(lecture, operation_id, paiement_id, apres)
        numero, beneficiaire = projection_paiements.dossier(
            lecture.conn, lecture.perimetre, operation_id
        )
    return templates().TemplateResponse(
        request,
        "paiement.html",
        {"vue": vue_du_paiement(lu, numero, beneficiaire, apres)},
    )


def _lire_paiement(
    lecture: LectureOuverte, operation_id: UUID, paiement_id: UUID, apres: str
) -> ProvenancePaiement:
    return provenance_du_paiement(
        lecture.conn, lecture.perimetre, operation_id, paiement_id, apres=apres or None
    )
