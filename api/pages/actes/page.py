"""The form of an act: shown, read, done; then back to where the person came from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.deps import Lecture, LectureOuverte, ServiceOuvert
from api.pages.actes.catalogue import ActeDesPages, acte
from api.pages.actes.champs import PIECES, forme
from api.pages.actes.execution import acteur, flux_vise, jouer
from api.pages.actes.preparations import Preparation, preparation
from api.pages.actes.saisie import Plat, aplatir, construire, de_l_adresse, rangs, resserrer
from api.pages.actes.sujets import Sujet, sujet_de
from api.pages.actes.vue import Formes, nommer
from api.pages.ecriture import phrase
from api.pages.formulaires import (
    Defaut,
    SaisieRefusee,
    nombre_cache,
    page,
    suite_locale,
    vers,
    version_vue,
)
from api.pages.pieces_jointes import deposer_jointes
from api.porte import Personne
from oi_service.application import Service
from oi_service.clock import today
from oi_service.errors import (
    Forbidden,
    IdempotencyKeyReused,
    Refusal,
    StaleVersion,
    Unauthenticated,
)
from oi_service.ids import new_id
from projections.journal import EvenementLu, derniers_du_flux

router = APIRouter()

#: A plan of twenty postes has some three hundred fields.
_CHAMPS_MAX = 3000
_FICHIERS_MAX = 20
#: Names of the form itself, that no command has.
_CLE, _VERSION, _RETOUR, _AJOUTER, _OTER = "_cle", "_version", "_retour", "_ajouter", "_oter"


@dataclass(frozen=True, slots=True)
class Piece:
    """A document already deposited, that goes with the act."""

    sha256: str
    libelle: str
    type: str


@dataclass(frozen=True, slots=True)
class Recue:
    """What a browser sent."""

    plat: Plat = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()
    refus: Refusal | None = None  #: of a document

    def dit(self, nom: str) -> str:
        """Return a value of the form itself."""
        return _premiere(self.plat, nom)


@dataclass(frozen=True, slots=True)
class Cadre:
    """An act that somebody is about to do."""

    acte: ActeDesPages
    cibles: Mapping[str, Any]
    qui: Personne
    preparation: Preparation
    sujet: Sujet | None
    flux: UUID | None


@dataclass(frozen=True, slots=True)
class Depuis:
    """What was recorded on the same thing while the form was being filled."""

    le: date
    acteur: str
    phrase: str


async def saisie(request: Request, adresse: str, service: ServiceOuvert) -> Recue:
    """Read a form and deposit its documents; who may send it is asked first."""
    nom = adresse.partition("/")[0]
    acte(nom)
    await run_in_threadpool(acteur, request, nom)
    plat: Plat = {}
    async with request.form(max_files=_FICHIERS_MAX, max_fields=_CHAMPS_MAX) as recus:
        fichiers = [recu for _, recu in recus.multi_items() if isinstance(recu, UploadFile)]
        for cle, valeur in recus.multi_items():
            if isinstance(valeur, str):
                plat.setdefault(cle, []).append(valeur.replace("\r\n", "\n"))
        gardees = _gardees(plat)
        try:
            deposees = await deposer_jointes(service, [f for f in fichiers if f.filename])
        except Refusal as refus:
            return Recue(plat, gardees, refus)
    toutes = (*gardees, *(Piece(**deposee) for deposee in deposees))
    return Recue(plat, tuple({piece.sha256: piece for piece in toutes}.values()))


def _gardees(plat: Plat) -> tuple[Piece, ...]:
    """Return the documents that a former sending of the form deposited."""
    return tuple(
        Piece(*(_premiere(plat, f"{PIECES}.{rang}.{nom}") for nom in ("sha256", "libelle", "type")))
        for rang in rangs(plat, PIECES)
        if plat.get(f"{PIECES}.{rang}.garder") == ["oui"]
    )


def _premiere(plat: Plat, nom: str) -> str:
    return next(iter(plat.get(nom, ())), "")


@router.get("/actes/{adresse:path}", name="page_acte", response_class=HTMLResponse)
def montrer(
    request: Request, adresse: str, lecture: Lecture, service: ServiceOuvert
) -> HTMLResponse:
    """Affiche le formulaire d’un acte."""
    cadre = _cadre(request, adresse, lecture, service)
    racine = forme(cadre.acte.modele)
    initial: Plat = {"date_effet": [today().isoformat()]}
    initial |= aplatir(racine, cadre.preparation.initiales)
    initial |= {nom: [str(valeur)] for nom, valeur in cadre.cibles.items() if _demande(cadre, nom)}
    demande = request.query_params
    # What the form is checked with is never given by who made the link.
    initial |= de_l_adresse(
        racine, {n: v for n, v in demande.items() if n != "retour" and not n.startswith("_")}
    )
    return _formulaire(request, cadre, Recue(initial), lecture, retour=demande.get("retour"))


@router.post("/actes/{adresse:path}", name="faire_acte", response_class=HTMLResponse)
def faire(
    request: Request,
    adresse: str,
    lecture: Lecture,
    service: ServiceOuvert,
    recue: Annotated[Recue, Depends(saisie)],
) -> Response:
    """Fait l’acte que demande un formulaire."""
    cadre = _cadre(request, adresse, lecture, service)
    racine = forme(cadre.acte.modele)
    retour = recue.dit(_RETOUR)
    if recue.dit(_AJOUTER) or recue.dit(_OTER):
        return _formulaire(request, cadre, _lignes_changees(recue), lecture, retour=retour)
    propres = {nom: valeurs for nom, valeurs in recue.plat.items() if nom.startswith("_")}
    recue = replace(recue, plat=propres | resserrer(racine, recue.plat))
    try:
        if recue.refus is not None:
            raise recue.refus
        _executer(request, service, lecture, cadre, recue)
    except (Unauthenticated, Forbidden):
        raise
    except (SaisieRefusee, Refusal) as refus:
        return _formulaire(request, cadre, recue, lecture, retour=retour, refus=refus)
    suite = _page_faite(cadre, recue) or suite_locale(retour) or _accueil(cadre)
    return vers_la_suite(suite, cadre.acte.nom)


def vers_la_suite(retour: str, nom: str) -> Response:
    """Go back to a page, which then says what was done."""
    lue = urlsplit(retour)
    requete = "&".join(part for part in (lue.query, urlencode({"fait": nom})) if part)
    return vers(urlunsplit(("", "", lue.path, requete, lue.fragment)))


def _cadre(request: Request, adresse: str, lecture: LectureOuverte, service: Service) -> Cadre:
    nom, *donnees = adresse.split("/")
    fait = acte(nom)
    qui = acteur(request, nom)
    cibles = fait.cibles(donnees)
    prete = preparation(nom, lecture, cibles)
    return Cadre(
        acte=fait,
        cibles=cibles,
        qui=qui,
        preparation=prete,
        sujet=prete.sujet or sujet_de(lecture, cibles),
        flux=flux_vise(request, service, fait, cibles, qui),
    )


def _demande(cadre: Cadre, nom: str) -> bool:
    """Tell whether what the address points at is also asked in the form."""
    return nom in cadre.acte.modele.model_fields


def _executer(
    request: Request, service: Service, lecture: LectureOuverte, cadre: Cadre, recue: Recue
) -> None:
    racine = forme(cadre.acte.modele)
    illisibles: list[Defaut] = []
    corps = construire(racine, recue.plat, illisibles)
    if illisibles:
        raise SaisieRefusee(illisibles)
    premier = construire(racine, aplatir(racine, cadre.preparation.initiales), [])
    for nom in cadre.preparation.inchanges:
        if corps.get(nom) == premier.get(nom):
            corps.pop(nom, None)
    if recue.pieces:
        corps[PIECES] = [asdict(piece) for piece in recue.pieces]
    jouer(
        request,
        service,
        cadre.acte.nom,
        list(cadre.cibles.values()),
        corps,
        _cle(recue),
        version_vue(recue.dit(_VERSION)) if _derniers(lecture, cadre.flux) else None,
        cadre.qui,
    )


def _cle(recue: Recue) -> UUID:
    try:
        return UUID(recue.dit(_CLE))
    except ValueError:
        return new_id()


def _lignes_changees(recue: Recue) -> Recue:
    """Add an empty line to a list, or take one off; everything else stays as it was typed."""
    plat = {n: v for n, v in recue.plat.items() if n not in {_AJOUTER, _OTER}}
    if liste := recue.dit(_AJOUTER):
        suivant = max(rangs(plat, liste), default=-1) + 1
        plat[f"{liste}.{suivant}._"] = [""]
    if ligne := recue.dit(_OTER):
        plat = {n: v for n, v in plat.items() if not n.startswith(f"{ligne}.")}
    return replace(recue, plat=plat)


def _formulaire(
    request: Request,
    cadre: Cadre,
    recue: Recue,
    lecture: LectureOuverte,
    *,
    retour: str | None,
    refus: Refusal | SaisieRefusee | None = None,
) -> HTMLResponse:
    """Show the form as it was typed, with what is wrong."""
    derniers = _derniers(lecture, cadre.flux)
    dits = refus.defauts if isinstance(refus, SaisieRefusee) else ()
    formes = Formes(
        plat=recue.plat,
        options=cadre.preparation.options,
        caches=cadre.preparation.caches | frozenset(n for n in cadre.cibles if _demande(cadre, n)),
        fautifs=frozenset(d.champ for d in dits if d.champ),
    )
    champs = formes.champs(forme(cadre.acte.modele))
    if isinstance(refus, SaisieRefusee):
        refus = SaisieRefusee(nommer(dits, champs))
    perimee = isinstance(refus, StaleVersion)
    vue = nombre_cache(recue.dit(_VERSION))
    return page(
        request,
        "acte.html",
        refus=refus,
        acte=cadre.acte,
        champs=champs,
        pieces=recue.pieces,
        sujet=cadre.sujet,
        preparation=cadre.preparation,
        action=request.url.path,
        # A key that served for another demand is of no more use.
        cle=new_id() if isinstance(refus, IdempotencyKeyReused) else _cle(recue),
        version=vue if vue is not None and not perimee else _version(derniers),
        depuis=[
            Depuis(lu.date_effet, lu.acteur, phrase(lu.phrase))
            for lu in derniers
            if perimee and vue is not None and lu.version > vue
        ],
        retour=suite_locale(retour) or _accueil(cadre),
    )


def _derniers(lecture: LectureOuverte, flux: UUID | None) -> list[EvenementLu]:
    if flux is None:
        return []
    return derniers_du_flux(lecture.conn, lecture.perimetre, flux)


def _version(derniers: list[EvenementLu]) -> int | str:
    return derniers[0].version if derniers else ""


def _page_faite(cadre: Cadre, recue: Recue) -> str | None:
    """Return the page of what an act made, when it has one."""
    saisis = {nom: quote(_premiere(recue.plat, nom).strip(), safe="") for nom in recue.plat}
    suite = cadre.preparation.suite
    return None if suite is None else suite.format_map(saisis)


def _accueil(cadre: Cadre) -> str:
    return cadre.sujet.lien if cadre.sujet else "/"
