"""Importing a workbook: drop it, read what was understood, confirm, or give up.

Nothing is recorded before the last step, which reads the workbook again on what stands then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from starlette.datastructures import UploadFile

from aggregates.lot.importation import ImporterLot, exiger_confirmation
from api.classeurs import (
    LIMITES,
    MODELES,
    Apercu,
    DefautDeCellule,
    Nature,
    annoter,
    gabarit,
)
from api.deps import Lecture, ServiceOuvert, personne
from api.imports import (
    XLSX,
    Demande,
    Depot,
    cellules_montrees,
    contexte,
    deja_importe,
    octets,
    operation_du_numero,
    regarder,
    regarder_octets,
)
from api.natures_imports import SEUIL, demander
from api.pages.actes import jouer, permis
from api.pages.actes.catalogue import acte
from api.pages.actes.execution import acteur, valider
from api.pages.actes.saisie import Plat
from api.pages.actes.vue import nommer
from api.pages.bilan_du_classeur import BilanVu, bilan_saisi, bilan_vu
from api.pages.formulaires import (
    Defaut,
    Formulaire,
    SaisieRefusee,
    nombre_cache,
    page,
    vers,
)
from api.pages.montants import lire_centimes
from api.pages.pieces_jointes import FormulaireAvecPiecesRecu, deposer_jointes
from api.porte import Personne
from api.web import telechargement
from oi_service import clock
from oi_service.application import Service
from oi_service.brouillons import Brouillon, Brouillons
from oi_service.errors import NotFound, Refusal
from oi_service.money import euros
from oi_service.pieces import nom_lisible, taille
from oi_service.travaux import Travail, TravailAbsent
from projections.lots import DejaImporte

router = APIRouter()

#: The act that takes each nature.
ACTES: Mapping[Nature, str] = {
    "depenses": "importer_lot_depenses",
    "indicateurs": "importer_lot_indicateurs",
    "contreparties": "importer_lot_contreparties",
    "ressources": "importer_lot_ressources",
}
#: Rows of a page of the preview, and of each list that is shown whole.
_PAR_PAGE = 100
_AU_PLUS = 200

Voir = Literal["toutes", "erreurs", "doublons"]
_DITS: Mapping[Voir, str] = {"toutes": "Toutes", "erreurs": "En erreur", "doublons": "Doublons"}


# --- First screen: drop --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModeleVu:
    """A nature that the reader may import."""

    nature: str
    titre: str
    version: int
    quoi: str


_QUOI: Mapping[Nature, str] = {
    "depenses": "Une ligne par dépense : poste, pièce, dates, montant imputé, temps ou clé.",
    "indicateurs": "Une ligne par valeur réalisée d’un indicateur.",
    "contreparties": "Ce que les financeurs attribuent, et ce qu’ils versent.",
    "ressources": "Ce que d’autres financeurs ont payé pendant la période d’un bilan, déposé avec "
    "elles : un classeur par dossier.",
}


def _mes_modeles(request: Request) -> list[ModeleVu]:
    return [
        ModeleVu(nature, MODELES[nature].titre, MODELES[nature].version, _QUOI[nature])
        for nature, acte_ in ACTES.items()
        if permis(request, acte_)
    ]


QuiImporte = Annotated[Personne, Depends(personne)]


@router.get("/depenses/import", name="page_import")
def page_import(
    request: Request,
    service: ServiceOuvert,
    qui: QuiImporte,
    nature: Annotated[str, Query(max_length=20)] = "",
    dossier: Annotated[str, Query(max_length=64)] = "",
) -> HTMLResponse:
    """Affiche ce qu’il faut pour déposer un classeur."""
    return _deposer(request, service, qui, nature=nature, dossier=dossier)


def _deposer(
    request: Request,
    service: ServiceOuvert,
    qui: Personne,
    refus: Refusal | SaisieRefusee | None = None,
    *,
    nature: str = "",
    dossier: str = "",
) -> HTMLResponse:
    modeles = _mes_modeles(request)
    natures = [m.nature for m in modeles]
    return page(
        request,
        "import_deposer.html",
        refus,
        modeles=modeles,
        choix_de_modele=[(m.nature, m.titre) for m in modeles],
        choisie=nature if nature in natures else natures[0] if natures else "",
        dossier=dossier,
        attente=[_attente(b) for b in Brouillons(service.journal.pool).en_attente(qui.acteur)],
        lignes_max=LIMITES.lignes,
        poids_max=f"{LIMITES.octets // 2**20}\u00a0Mo",
    )


@dataclass(frozen=True, slots=True)
class AttenteVue:
    """An import that was begun."""

    lien: str
    nom: str
    nature: str
    brouillon: Brouillon
    poids: str


def _attente(brouillon: Brouillon) -> AttenteVue:
    return AttenteVue(
        lien=f"/imports/{brouillon.id}",
        nom=brouillon.fichier_nom,
        nature=_titre(brouillon.nature),
        brouillon=brouillon,
        poids=taille(brouillon.fichier_octets),
    )


def _titre(nature: str) -> str:
    return next((m.titre for cle, m in MODELES.items() if cle == nature), nature)


@router.get("/depenses/import/modele", name="page_modele")
def page_modele(
    request: Request,
    lecture: Lecture,
    service: ServiceOuvert,
    qui: QuiImporte,
    nature: Annotated[str, Query(max_length=20)] = "depenses",
    dossier: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Donne le modèle d’une nature, pour un dossier ou pour tous."""
    try:
        choisie = _nature(request, nature)
        attendue = _operation(lecture, dossier)
    except (SaisieRefusee, Refusal) as refus:
        return _deposer(request, service, qui, refus, nature=nature, dossier=dossier)
    connu = contexte(lecture.conn, lecture.perimetre, choisie, attendue=attendue)
    de = f"-{dossier.strip()}" if attendue else ""
    return Response(
        gabarit(choisie, connu),
        media_type=XLSX,
        headers=telechargement(f"modele-{choisie}{de}.xlsx"),
    )


def _nature(request: Request, nature: str) -> Nature:
    """Return a nature that the reader may import.

    Raises: SaisieRefusee.
    """
    for connue, nom in ACTES.items():
        if connue == nature and permis(request, nom):
            return connue
    raise SaisieRefusee([Defaut("Choisissez ce que le classeur contient.", "nature")])


def _operation(lecture: Lecture, dossier: str) -> UUID | None:
    """Return the operation that a number names; ``None`` without a number.

    Raises: SaisieRefusee.
    """
    if not dossier.strip():
        return None
    trouvee = operation_du_numero(lecture.conn, lecture.perimetre, dossier)
    if trouvee is None:
        dit = f"Aucun dossier ne porte le numéro « {dossier.strip()} » : vérifiez-le."
        raise SaisieRefusee([Defaut(dit, "dossier")])
    return trouvee


def _exiger_fichier(recus: Sequence[UploadFile]) -> None:
    if not recus:
        raise SaisieRefusee([Defaut("Choisissez le classeur à déposer.", "fichier")])


@router.post("/depenses/import", name="deposer_classeur")
async def deposer_classeur(
    request: Request,
    lecture: Lecture,
    service: ServiceOuvert,
    qui: QuiImporte,
    saisi: FormulaireAvecPiecesRecu,
) -> Response:
    """Garde un classeur déposé, et mène à son aperçu."""
    nature, dossier = saisi.texte("nature"), saisi.texte("dossier")
    try:
        recus = saisi.fichiers("fichier")
        _exiger_fichier(recus)
        choisie = _nature(request, nature)
        attendue = await run_in_threadpool(_operation, lecture, dossier)
        nom = nom_lisible((recus[0].filename or "").replace("\\", "/").rpartition("/")[2])
        lus = await recus[0].read(LIMITES.octets + 1)
        demande = Demande(choisie, "", nom, attendue)
        # Read before it is kept: what is no workbook of ours is not even a document.
        await run_in_threadpool(regarder_octets, lecture.conn, lecture.perimetre, demande, lus)
        await recus[0].seek(0)
        [piece] = await deposer_jointes(service, recus[:1])
    except (SaisieRefusee, Refusal) as refus:
        return await run_in_threadpool(
            _deposer, request, service, qui, refus, nature=nature, dossier=dossier
        )
    brouillon_id = await run_in_threadpool(
        Brouillons(service.journal.pool).garder,
        qui.acteur,
        choisie,
        attendue,
        (piece["sha256"], nom, len(lus)),
    )
    return vers(f"/imports/{brouillon_id}")


# --- Second screen: what was understood ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probleme:
    """What is wrong with a cell, and what to do."""

    ou: str
    valeur: str
    message: str
    remede: str
    grave: bool


@dataclass(frozen=True, slots=True)
class RangeeVue:
    """A row of the workbook, as it was typed, with what is wrong with it."""

    feuille: str
    ligne: int
    cellules: tuple[str, ...]
    problemes: tuple[Probleme, ...]
    etat: Literal["valide", "erreur", "doublon"]

    @property
    def place(self) -> str:
        """What a box that ticks it is worth."""
        return f"{self.ligne}|{self.feuille}"


@dataclass(frozen=True, slots=True)
class ApercuVu:
    """What the second screen shows."""

    brouillon: Brouillon
    nature: Nature
    titre: str
    version: int
    poids: str
    valides: int
    en_erreur: int
    doublons: int
    avertissements: int
    total: int | None  #: cents of the valid rows; ``None`` for a nature without amounts
    nb_lignes: int
    voir: Voir
    filtres: tuple[tuple[str, str, int, bool], ...]  #: label, address, rows, whether it is shown
    colonnes: tuple[str, ...]
    montants: frozenset[str]  #: titles of the columns that hold numbers
    rangees: tuple[RangeeVue, ...]
    a_cocher: tuple[RangeeVue, ...]
    generaux: tuple[Probleme, ...]
    suivante: str | None
    precedente: str | None
    deja: DejaImporte | None

    @property
    def acte(self) -> str:
        """The act that takes it."""
        return ACTES[self.nature]

    @property
    def lien(self) -> str:
        """Its address."""
        return f"/imports/{self.brouillon.id}"

    @property
    def nouvelles(self) -> int:
        """How many rows are taken when no double is ticked."""
        return self.valides - self.doublons

    @property
    def pret(self) -> bool:
        """Tell whether something can be imported."""
        return self.valides > 0 and self.deja is None


def vue(
    brouillon: Brouillon,
    depot: Depot,
    deja: DejaImporte | None,
    *,
    voir: Voir | None = None,
    debut: int = 0,
) -> ApercuVu:
    """Turn a workbook that was looked at into what the second screen shows.

    What is wrong comes first, unless something else is asked.
    """
    apercu = depot.apercu
    problemes = _problemes(apercu)
    doubles = {(d.feuille, d.ligne) for d in apercu.doublons}
    fautives = {(d.feuille, d.ligne) for d in apercu.erreurs}
    titres, lignes = cellules_montrees(apercu)

    def rangees(choix: Voir) -> Iterator[RangeeVue]:
        for feuille, ligne, cellules in lignes:
            place = (feuille, ligne)
            etat: Literal["valide", "erreur", "doublon"] = (
                "erreur" if place in fautives else "doublon" if place in doubles else "valide"
            )
            if choix == "erreurs" and etat != "erreur":
                continue
            if choix == "doublons" and etat != "doublon":
                continue
            yield RangeeVue(feuille, ligne, cellules, tuple(problemes.get(place, ())), etat)

    voir = voir or ("erreurs" if fautives & {(f, n) for f, n, _ in lignes} else "toutes")
    toutes = list(rangees(voir))
    a_cocher = list(rangees("doublons"))
    lien = f"/imports/{brouillon.id}"
    nombres = {
        "toutes": len(lignes),
        "erreurs": len(fautives),
        "doublons": len(a_cocher),
    }
    sans_montant = apercu.nature == "indicateurs"
    connus = {(feuille, ligne) for feuille, ligne, _ in lignes}
    return ApercuVu(
        brouillon=brouillon,
        nature=apercu.nature,
        titre=_titre(apercu.nature),
        version=apercu.version,
        poids=taille(brouillon.fichier_octets),
        valides=apercu.nb,
        en_erreur=apercu.lignes_en_erreur,
        doublons=len(a_cocher),
        avertissements=len(apercu.avertissements),
        total=None if sans_montant else apercu.total,
        nb_lignes=apercu.nb_lignes,
        voir=voir,
        filtres=tuple(
            (dit, _adresse(lien, choix, 0), nombres[choix], choix == voir)
            for choix, dit in _DITS.items()
        ),
        colonnes=titres,
        montants=frozenset(t for t in titres if t.startswith(("Montant", "Valeur"))),
        rangees=tuple(toutes[debut : debut + _PAR_PAGE]),
        a_cocher=tuple(a_cocher[:_AU_PLUS]),
        generaux=tuple(
            islice(
                (p for place, dits in problemes.items() if place not in connus for p in dits),
                _AU_PLUS,
            )
        ),
        suivante=_adresse(lien, voir, debut + _PAR_PAGE)
        if debut + _PAR_PAGE < len(toutes)
        else None,
        precedente=_adresse(lien, voir, max(0, debut - _PAR_PAGE)) if debut else None,
        deja=deja,
    )


def _adresse(lien: str, voir: Voir, debut: int) -> str:
    dits: dict[str, str | int] = {"voir": voir}
    if debut:
        dits["debut"] = debut
    return f"{lien}?{urlencode(dits)}#lignes"


def _problemes(apercu: Apercu) -> dict[tuple[str, int], list[Probleme]]:
    dits: dict[tuple[str, int], list[Probleme]] = {}
    for defaut in apercu.defauts:
        dits.setdefault((defaut.feuille, defaut.ligne), []).append(_probleme(defaut))
    return dits


def _probleme(defaut: DefautDeCellule) -> Probleme:
    ou = f"{defaut.colonne}{defaut.ligne or ''}" if defaut.colonne else ""
    if defaut.titre:
        ou = f"{ou}, {defaut.titre}" if ou else defaut.titre
    return Probleme(
        ou=ou,
        valeur=defaut.valeur,
        message=defaut.message,
        remede=defaut.remede,
        grave=defaut.gravite == "erreur",
    )


@router.get("/imports/{brouillon_id}", name="page_apercu_import")
def page_apercu_import(
    request: Request,
    brouillon_id: UUID,
    lecture: Lecture,
    service: ServiceOuvert,
    qui: QuiImporte,
    voir: Annotated[str, Query(max_length=20)] = "",
    debut: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """Affiche ce qui a été compris d’un classeur ; rien n’est enregistré."""
    brouillon = Brouillons(service.journal.pool).lire(qui.acteur, brouillon_id)
    if brouillon.lot_id is not None:
        return vers(f"/lots/{brouillon.lot_id}")
    choix = next((v for v in _DITS if v == voir), None)
    return _apercu(request, lecture, service, brouillon, voir=choix, debut=debut)


def _apercu(
    request: Request,
    lecture: Lecture,
    service: ServiceOuvert,
    brouillon: Brouillon,
    refus: Refusal | SaisieRefusee | None = None,
    saisi: "Confirmation | None" = None,
    *,
    voir: Voir | None = None,
    debut: int = 0,
) -> HTMLResponse:
    depot = _regarder(lecture, service, brouillon)
    with service.reads.connection() as conn:
        deja = deja_importe(conn, brouillon.nature, brouillon.fichier_sha256)
    vu = vue(brouillon, depot, deja, voir=voir, debut=debut)
    peut = permis(request, vu.acte)
    bilan: BilanVu | None = None
    if vu.nature == "ressources" and vu.pret and peut:
        dits = refus.defauts if isinstance(refus, SaisieRefusee) else ()
        bilan = bilan_vu(
            lecture, depot.apercu.lignes[0].cible, saisi.plat() if saisi else None, dits
        )
        if isinstance(refus, SaisieRefusee):
            refus = SaisieRefusee(nommer(refus.defauts, bilan.champs))
    return page(
        request,
        "import_apercu.html",
        refus,
        vu=vu,
        permis=peut,
        bilan=bilan,
        travail=_travail(service, brouillon),
        aujourd_hui=clock.today().isoformat(),
        total_saisi=saisi.texte("total") if saisi else "",
        date_saisie=saisi.texte("date_effet") if saisi else clock.today().isoformat(),
        cochees=saisi.liste("doublons") if saisi else [],
        partiel=saisi is not None and saisi.texte("partiel") == "oui",
    )


def _travail(service: Service, brouillon: Brouillon) -> Travail | None:
    """Return the work that imports a draft, when it is still to come or under way."""
    if brouillon.travail_id is None:
        return None
    try:
        travail = service.travaux.lire(brouillon.travail_id)
    except TravailAbsent:
        return None
    return travail if travail.vivant else None


def _regarder(lecture: Lecture, service: ServiceOuvert, brouillon: Brouillon) -> Depot:
    return regarder(service.pieces, lecture.conn, lecture.perimetre, _demande(brouillon))


def _demande(brouillon: Brouillon) -> Demande:
    return Demande(
        _nature_de(brouillon),
        brouillon.fichier_sha256,
        brouillon.fichier_nom,
        brouillon.operation_id,
    )


def _nature_de(brouillon: Brouillon) -> Nature:
    nature: Nature = next(n for n in ACTES if n == brouillon.nature)
    return nature


@router.get("/imports/{brouillon_id}/annote", name="telecharger_annote")
def telecharger_annote(
    brouillon_id: UUID, lecture: Lecture, service: ServiceOuvert, qui: QuiImporte
) -> Response:
    """Rend le classeur déposé, avec ses erreurs et ses avertissements sur chaque ligne."""
    brouillon = Brouillons(service.journal.pool).lire(qui.acteur, brouillon_id)
    depot = _regarder(lecture, service, brouillon)
    nom = brouillon.fichier_nom.rpartition(".")[0] or brouillon.fichier_nom
    return Response(
        annoter(octets(service.pieces, brouillon.fichier_sha256), depot.apercu),
        media_type=XLSX,
        headers=telechargement(f"{nom}-annote.xlsx"),
    )


# --- Third screen: confirm, or give up -----------------------------------------------------------

#: Two hundred doubles may be ticked, and as many dépenses as a bilan is offered.
_CHAMPS_MAX = 3000


class Confirmation(Formulaire):
    """What was typed to confirm an import."""

    def plat(self) -> Plat:
        """Return what was typed of the bilan that goes with it."""
        plat: Plat = {}
        for nom, recu in self._recus.multi_items():
            if nom.startswith("bilan.") and isinstance(recu, str):
                plat.setdefault(nom, []).append(recu)
        return plat


async def confirmation(request: Request) -> Confirmation:
    """Read the form of the second screen."""
    return Confirmation(await request.form(max_files=0, max_fields=_CHAMPS_MAX))


@router.post("/imports/{brouillon_id}/confirmation", name="confirmer_import")
def confirmer_import(
    request: Request,
    brouillon_id: UUID,
    lecture: Lecture,
    service: ServiceOuvert,
    qui: QuiImporte,
    saisi: Annotated[Confirmation, Depends(confirmation)],
) -> Response:
    """Importe les lignes valides d’un classeur, toutes ou aucune."""
    brouillons = Brouillons(service.journal.pool)
    brouillon = brouillons.lire(qui.acteur, brouillon_id)
    if brouillon.lot_id is not None:
        return vers(f"/lots/{brouillon.lot_id}")
    try:
        depot = _regarder(lecture, service, brouillon)
        # What does not fit in a bilan is refused before it is long.
        if depot.apercu.nb_lignes > SEUIL and brouillon.nature != "ressources":
            return vers(f"/travaux/{_confier(request, service, brouillon, depot, saisi)}")
        fait = jouer(
            request,
            service,
            ACTES[_nature_de(brouillon)],
            [],
            _corps(brouillon, saisi),
            # One draft is imported once, however often its button is pressed.
            brouillon.id,
            None,
        )
    except (SaisieRefusee, Refusal) as refus:
        if isinstance(refus, NotFound):
            raise
        return _apercu(request, lecture, service, brouillon, refus, saisi)
    brouillons.conclure(brouillon.id, fait.id)
    return vers(f"/lots/{fait.id}", fait="importe")


def _confier(
    request: Request, service: Service, brouillon: Brouillon, depot: Depot, saisi: Confirmation
) -> UUID:
    """Have a long import done in the background; what can be refused at once is.

    Raises: Refusal, SaisieRefusee.
    """
    nature = _nature_de(brouillon)
    qui = acteur(request, ACTES[nature])
    commande = valider(acte(ACTES[nature]), _corps(brouillon, saisi))
    assert isinstance(commande, ImporterLot)
    vu = depot.apercu
    exiger_confirmation(commande, nature, total=vu.total, erreurs=vu.lignes_en_erreur)
    return demander(service, qui, brouillon, nature, commande)


def _corps(brouillon: Brouillon, saisi: Confirmation) -> dict[str, Any]:
    corps: dict[str, Any] = {
        "date_effet": saisi.texte("date_effet") or clock.today().isoformat(),
        "fichier_sha256": brouillon.fichier_sha256,
        "fichier_nom": brouillon.fichier_nom,
        "partiel": saisi.texte("partiel") == "oui",
        "doublons": [_designee(place) for place in saisi.liste("doublons")],
    }
    if brouillon.operation_id is not None:
        corps["operation_id"] = str(brouillon.operation_id)
    if saisi.texte("total"):
        corps["total_controle"] = _montant(saisi.texte("total"))
    if brouillon.nature == "ressources":
        corps["bilan"] = bilan_saisi(saisi.plat())
    return corps


def _designee(place: str) -> dict[str, Any]:
    ligne, _, feuille = place.partition("|")
    return {"ligne": nombre_cache(ligne) or 0, "feuille": feuille}


def _montant(saisi: str) -> str:
    """Write an amount as the doors take it: people write « 1 204 118,32 € ».

    Raises: SaisieRefusee.
    """
    try:
        return euros(lire_centimes(saisi, negatif=True))
    except ValueError as illisible:
        raise SaisieRefusee([Defaut(f"{illisible}.", "total")]) from None


@router.post("/imports/{brouillon_id}/abandon", name="abandonner_import")
def abandonner_import(brouillon_id: UUID, service: ServiceOuvert, qui: QuiImporte) -> Response:
    """Oublie un classeur déposé ; rien n’avait été enregistré."""
    Brouillons(service.journal.pool).oublier(qui.acteur, brouillon_id)
    return vers("/depenses/import")
