"""Dépenses typed on a keyboard: a grid that is looked at as a workbook is, and saved as one act.

What is typed is read by the same code as an imported workbook, with the same words for what is
wrong, the same doubles, the same warnings. A grid is recorded whole, or not at all.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter

from aggregates.operation.state import OperationAbsente
from api.classeurs import (
    MODELES,
    Apercu,
    Classeur,
    DefautDeCellule,
    Feuille,
    FichierRefuse,
    OperationConnue,
    apercu,
)
from api.deps import Lecture, LectureOuverte, ServiceOuvert
from api.imports import contexte, operation_du_numero
from api.pages.actes import jouer, vers_la_suite
from api.pages.formulaires import Defaut, SaisieRefusee, page
from api.pages.pieces_jointes import FormulaireAvecPieces, FormulaireAvecPiecesRecu, deposer_jointes
from oi_service.application import Service
from oi_service.clock import today
from oi_service.errors import Forbidden, IdempotencyKeyReused, Refusal, Unauthenticated
from oi_service.ids import new_id
from rules.eligibilite import PREUVES_ACQUITTEMENT

router = APIRouter(prefix="/dossiers/{numero_mdfse}/depenses/saisie")

#: Lines of an empty grid, those that a button adds, and the most that there are.
LIGNES, _AJOUTEES, LIGNES_MAX = 12, 10, 60

_FEUILLE = MODELES["depenses"].feuilles[0]
_TITRES = {c.cle: c.titre for c in _FEUILLE.colonnes}


@dataclass(frozen=True, slots=True)
class ColonneDeGrille:
    """A column of the grid, the same as that of the workbook."""

    cle: str
    libelle: str
    genre: str
    aide: str | None = None


#: What an accountant has under the eyes, in the order of a document.
COLONNES = (
    ColonneDeGrille("piece_ref", "N° pièce", "texte"),
    ColonneDeGrille("date_piece", "Date pièce", "jour"),
    ColonneDeGrille("poste", "Poste", "choix"),
    ColonneDeGrille("nature", "Nature", "texte"),
    ColonneDeGrille("tiers_ref", "Tiers", "texte", "Fournisseur ou référence d’un salarié."),
    ColonneDeGrille("date_realisation", "Réalisée le", "jour", "Vide : le jour de la pièce."),
    ColonneDeGrille("date_acquittement", "Acquittée le", "jour"),
    ColonneDeGrille("preuve_acquittement", "Preuve d’acquittement", "choix"),
    ColonneDeGrille("montant_impute", "Montant imputé", "euros"),
)
_CLES = tuple(c.cle for c in COLONNES)

#: A line of the grid, as it was typed.
Rangee = dict[str, str]


# --- What was typed ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recue:
    """What the form sent: lines, documents for all of them, and what to do with them."""

    rangees: Sequence[Rangee]
    date_effet: str
    cle: UUID
    geste: str
    vus: str
    pieces: Sequence[Mapping[str, str]] = ()
    refus: Refusal | None = None


async def saisie(service: ServiceOuvert, saisi: FormulaireAvecPiecesRecu) -> Recue:
    """Read the form, and put its documents in the store."""
    recue = Recue(
        rangees=tuple(_rangees(saisi)),
        date_effet=saisi.texte("date_effet"),
        cle=_cle(saisi.texte("_cle")),
        geste=saisi.texte("geste") or "verifier",
        vus=saisi.texte("vus"),
    )
    gardees = tuple(_gardees(saisi))
    try:
        deposees = await deposer_jointes(service, saisi.fichiers("fichiers"))
    except Refusal as refus:
        return replace(recue, pieces=gardees, refus=refus)
    pieces = {p["sha256"]: p for p in (*gardees, *deposees)}
    return replace(recue, pieces=tuple(pieces.values()))


def _rangees(saisi: FormulaireAvecPieces) -> Iterator[Rangee]:
    nombre = saisi.texte("lignes")
    demandees = int(nombre) if nombre.isdecimal() and len(nombre) < 4 else LIGNES
    for rang in range(min(demandees, LIGNES_MAX)):
        yield {cle: saisi.texte(f"l{rang}.{cle}") for cle in _CLES}


def _gardees(saisi: FormulaireAvecPieces) -> Iterator[Mapping[str, str]]:
    """Yield the documents that a former sending of the form deposited."""
    for brute in saisi.liste("piece"):
        sha256, _, libelle = brute.partition(" ")
        yield {"sha256": sha256, "libelle": libelle, "type": "justificatif"}


def _cle(texte: str) -> UUID:
    try:
        lue: UUID = TypeAdapter(UUID).validate_python(texte)
    except ValueError:
        return new_id()
    return lue


# --- The grid as a workbook ----------------------------------------------------------------------


def _classeur(rangees: Sequence[Rangee]) -> Classeur:
    """Return the grid as a sheet whose line of titles is the first: line 2 is line 1 of the grid.

    The poste may say nothing else and be there already: it makes no line by itself.
    """
    lignes = [
        tuple(_completee(r)[cle] or None for cle in _CLES) if _remplie(r) else (None,) * len(_CLES)
        for r in rangees
    ]
    titres = tuple(_TITRES[cle] for cle in _CLES)
    return Classeur("saisie", "csv", "", (Feuille(_FEUILLE.nom, (titres, *lignes)),))


def _remplie(rangee: Rangee) -> bool:
    return any(valeur for cle, valeur in rangee.items() if cle != "poste")


def _completee(rangee: Rangee) -> Rangee:
    if rangee["date_realisation"] or not rangee["date_piece"]:
        return rangee
    return {**rangee, "date_realisation": rangee["date_piece"]}


@dataclass(frozen=True, slots=True)
class Examinee:
    """A grid that was looked at; ``vue`` is nothing when no line says anything."""

    vue: Apercu | None

    @property
    def empreinte(self) -> str:
        """What the warnings are: a person who saw these did not see others."""
        avertis = self.vue.avertissements if self.vue else ()
        dits = "\n".join(f"{d.ligne} {d.titre} {d.code} {d.message}" for d in avertis)
        return hashlib.sha256(dits.encode()).hexdigest() if avertis else ""


def _examiner(
    lecture: LectureOuverte, operation_id: UUID, rangees: Sequence[Rangee]
) -> tuple[OperationConnue, Examinee]:
    connu = contexte(lecture.conn, lecture.perimetre, "depenses", attendue=operation_id, numeros=())
    operation = connu.operation_attendue
    assert operation is not None
    if not any(map(_remplie, rangees)):
        return operation, Examinee(None)
    try:
        return operation, Examinee(apercu(_classeur(rangees), "depenses", connu))
    except FichierRefuse as refus:
        raise SaisieRefusee([Defaut(str(refus))]) from None


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dit:
    """What is wrong with a cell of the grid, or worth a look."""

    champ: str
    message: str
    grave: bool


@dataclass(frozen=True, slots=True)
class RangeeVue:
    """A line of the grid, and what is said of it."""

    rang: int
    valeurs: Rangee
    dits: tuple[Dit, ...]

    @property
    def numero(self) -> int:
        """The number of the line, as people count."""
        return self.rang + 1

    def faux(self, cle: str) -> bool:
        """Tell whether a cell holds an error."""
        return any(d.grave and d.champ == f"l{self.rang}.{cle}" for d in self.dits)


def _dits(examinee: Examinee | None, rangees: Sequence[Rangee]) -> dict[int, tuple[Dit, ...]]:
    """Return what is said of each line of the grid, by its rank."""
    trouves: dict[int, list[Dit]] = defaultdict(list)
    defauts = examinee.vue.defauts if examinee and examinee.vue else ()
    for defaut in defauts:
        rang = defaut.ligne - 2
        if defaut.gravite == "erreur" and _recopiee(defaut, rangees[rang]):
            continue
        trouves[rang].append(
            Dit(_champ(defaut, rang), _phrase(defaut), grave=defaut.gravite == "erreur")
        )
    return {rang: tuple(dits) for rang, dits in trouves.items()}


def _recopiee(defaut: DefautDeCellule, rangee: Rangee) -> bool:
    """Tell whether a defect is that of the day of the document, said once already."""
    realisation = defaut.titre == _TITRES["date_realisation"]
    return realisation and not rangee["date_realisation"] and bool(rangee["date_piece"])


def _champ(defaut: DefautDeCellule, rang: int) -> str:
    cle = next((c for c in _CLES if _TITRES[c] == defaut.titre), _CLES[0])
    return f"l{rang}.{cle}"


def _phrase(defaut: DefautDeCellule) -> str:
    colonne = next((c.libelle for c in COLONNES if _TITRES[c.cle] == defaut.titre), "")
    lu = f" « {defaut.valeur} »" if defaut.valeur and defaut.gravite == "erreur" else ""
    tete = f"{colonne}{lu} : " if colonne else ""
    # A line is called by its place in the grid, and not by that of the sheet, under its titles.
    dit = re.sub(r"(?<=ligne )\d+", lambda numero: str(int(numero[0]) - 1), defaut.message)
    remede = _REMEDES.get(defaut.code, defaut.remede)
    return f"{tete}{dit} {remede}".strip()


#: What to do in a grid, where that differs from a workbook.
_REMEDES = {"doublon": "Videz la ligne, à moins que ce soit bien une autre dépense."}


@router.get("", name="page_saisir_depenses")
def page_saisir_depenses(request: Request, numero_mdfse: str, lecture: Lecture) -> HTMLResponse:
    """Affiche une grille vide où saisir les dépenses d’un dossier."""
    operation, _ = _examiner(lecture, _operation(lecture, numero_mdfse), ())
    vide = dict.fromkeys(_CLES, "")
    return _grille(
        request, operation, Recue([vide] * LIGNES, f"{today():%d/%m/%Y}", new_id(), "", "")
    )


def _operation(lecture: LectureOuverte, numero: str) -> UUID:
    trouvee = operation_du_numero(lecture.conn, lecture.perimetre, numero)
    if trouvee is None:
        raise OperationAbsente(id=numero)
    return trouvee


def _grille(
    request: Request,
    operation: OperationConnue,
    recue: Recue,
    examinee: Examinee | None = None,
    refus: Refusal | SaisieRefusee | None = None,
) -> HTMLResponse:
    dits = _dits(examinee, recue.rangees)
    lue = examinee.vue if examinee else None
    if refus is None and lue is not None and lue.erreurs:
        refus = SaisieRefusee(
            [
                Defaut(f"Ligne {rang + 1}. {d.message}", d.champ)
                for rang, de_la_ligne in sorted(dits.items())
                for d in de_la_ligne
                if d.grave
            ]
        )
    return page(
        request,
        "depenses_saisie.html",
        refus,
        numero=operation.numero,
        intitule=operation.operation.intitule,
        colonnes=COLONNES,
        options={
            "poste": operation.postes,
            "preuve_acquittement": tuple(PREUVES_ACQUITTEMENT.items()),
        },
        rangees=[
            RangeeVue(rang, valeurs, dits.get(rang, ()))
            for rang, valeurs in enumerate(recue.rangees)
        ],
        recue=recue,
        lignes_max=LIGNES_MAX,
        bilan=lue,
        avertissements=sum(not d.grave for ds in dits.values() for d in ds),
        empreinte=examinee.empreinte if examinee and lue and not lue.erreurs else "",
    )


# --- The act -------------------------------------------------------------------------------------


@router.post("", name="saisir_depenses")
def saisir_depenses(
    request: Request,
    numero_mdfse: str,
    lecture: Lecture,
    service: ServiceOuvert,
    recue: Annotated[Recue, Depends(saisie)],
) -> Response:
    """Vérifie la grille, ou enregistre toutes ses dépenses d’un seul acte."""
    operation_id = _operation(lecture, numero_mdfse)
    if recue.geste == "ajouter":
        plus = [dict.fromkeys(_CLES, "")] * min(_AJOUTEES, LIGNES_MAX - len(recue.rangees))
        plus_longue = replace(recue, rangees=[*recue.rangees, *plus])
        operation, _ = _examiner(lecture, operation_id, ())
        return _grille(request, operation, plus_longue)
    try:
        operation, examinee = _examiner(lecture, operation_id, recue.rangees)
    except SaisieRefusee as illisible:
        operation, _ = _examiner(lecture, operation_id, ())
        return _grille(request, operation, recue, refus=illisible)
    try:
        if not _prete(recue, examinee):
            return _grille(request, operation, recue, examinee, _vide(recue, examinee))
        _enregistrer(request, service, operation_id, recue, examinee)
    except (Unauthenticated, Forbidden):
        raise
    except IdempotencyKeyReused:
        suite = SaisieRefusee([Defaut(_DEJA_SERVIE)])
        return _grille(request, operation, replace(recue, cle=new_id()), examinee, suite)
    except (SaisieRefusee, Refusal) as refus:
        return _grille(request, operation, recue, examinee, refus)
    return vers_la_suite(f"/depenses?operation={operation.numero}", "declarer_depenses")


_DEJA_SERVIE = (
    "Cette grille a déjà été enregistrée : vérifiez la liste des dépenses, puis envoyez-la de "
    "nouveau si ces lignes sont bien d’autres dépenses."
)


def _prete(recue: Recue, examinee: Examinee) -> bool:
    """Tell whether everything was read, looked at and seen."""
    if recue.refus is not None:
        raise recue.refus
    return (
        recue.geste == "enregistrer"
        and examinee.vue is not None
        and not examinee.vue.erreurs
        and recue.vus == examinee.empreinte
    )


def _vide(recue: Recue, examinee: Examinee) -> SaisieRefusee | None:
    if examinee.vue is not None or not recue.geste:
        return None
    return SaisieRefusee([Defaut("Aucune ligne n’est remplie : il n’y a rien à enregistrer.")])


def _enregistrer(
    request: Request, service: Service, operation_id: UUID, recue: Recue, examinee: Examinee
) -> None:
    assert examinee.vue is not None
    corps = {
        "date_effet": _jour(recue.date_effet),
        "depenses": [dict(ligne.commande) for ligne in examinee.vue.lignes],
        "pieces": list(recue.pieces),
    }
    jouer(request, service, "declarer_depenses", [operation_id], corps, recue.cle, None)


def _jour(texte: str) -> str:
    """Read the day of the act, written the French way or not."""
    parties = texte.split("/")
    if len(parties) == 3 and all(p.isdecimal() for p in parties):
        texte = f"{parties[2]}-{parties[1]:0>2}-{parties[0]:0>2}"
    try:
        return date.fromisoformat(texte).isoformat()
    except ValueError:
        raise SaisieRefusee(
            [Defaut(f"« {texte} » n’est pas un jour : 31/12/2021, par exemple.", "date_effet")]
        ) from None
