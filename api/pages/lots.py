"""Lots: the list of the workbooks that were imported, and one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from aggregates.convention.events import BilanDepose
from aggregates.lot.events import LotAnnule, LotImporte
from aggregates.plan import Ressource
from api.deps import Lecture, ServiceOuvert
from api.filters import jour
from api.pages.actes import lien_acte, permis
from api.pages.ecriture import Lien, phrase, poste
from api.pages.formulaires import page
from api.pages.presence import qui_lit
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from oi_service.brouillons import Brouillons
from oi_service.pieces import taille
from projections.histoire import ROLES, TYPES_DE_BILAN
from projections.journal import EvenementLu
from projections.lots import (
    LigneDuLot,
    LigneLot,
    faits_du_lot,
    histoire_du_lot,
    lignes_du_lot,
    lot,
    lots,
)
from rules.nomenclature import RESSOURCES

router = APIRouter()

#: The act that undoes a lot of each nature.
ANNULATIONS = {
    "depenses": "annuler_lot_depenses",
    "ressources": "annuler_lot_ressources",
    "indicateurs": "annuler_lot_indicateurs",
    "contreparties": "annuler_lot_contreparties",
}
_FAITS = {
    "importe": "Le classeur est importé : toutes ses lignes retenues sont enregistrées.",
    **dict.fromkeys(ANNULATIONS.values(), "Le lot est annulé, et avec lui chacune de ses lignes."),
    "annuler_lot_ressources": "Le lot est annulé, et le bilan déposé avec lui renvoyé.",
}
_DEPOSE = "Le classeur est importé, et le bilan qui porte ses ressources est déposé."
_STATUTS = {"declaree": "déclarée", "annulee": "annulée", "controlee": "contrôlée"}
_FILTRES = {
    "": "Toutes",
    "depenses": "Dépenses",
    "ressources": "Ressources",
    "indicateurs": "Indicateurs",
    "contreparties": "Contreparties",
}
#: Rows left out that are shown.
_AU_PLUS = 500
_RAISONS = {"doublon": "déjà connue, non cochée"}
#: What a code, which is ASCII, has lost.
_ACCENTS = {
    "abregee": "abrégée",
    "annee": "année",
    "calculee": "calculée",
    "decimales": "décimales",
    "depense": "dépense",
    "fusionnees": "fusionnées",
    "masquee": "masquée",
    "operation": "opération",
    "regularisation": "régularisation",
}

_COLONNES = (
    Colonne("numero", "Lot", "code"),
    Colonne("nature", "Nature"),
    Colonne("importe_le", "Importé le", "jour"),
    Colonne("qui", "Par", "code"),
    Colonne("lignes", "Lignes", "nombre"),
    Colonne("ecartees", "Laissées de côté", "nombre"),
    Colonne("total", "Total", "euros"),
    Colonne("etat", "État"),
)


def tableau_des_lots(lignes: Sequence[LigneLot]) -> Tableau:
    """Return the list as every page and file shows it."""
    return Tableau("Lots importés", _COLONNES, tuple(map(_ligne, lignes)))


def _ligne(vu: LigneLot) -> Ligne:
    return Ligne(
        {
            "numero": Cellule(f"n°\u00a0{vu.numero}", f"/lots/{vu.id}"),
            "nature": Cellule(vu.nature_libelle),
            "importe_le": Cellule(vu.importe_le),
            "qui": Cellule(vu.acteur),
            "lignes": Cellule(vu.lignes),
            "ecartees": Cellule(vu.ecartees or None),
            "total": Cellule(None if vu.nature == "indicateurs" else vu.total),
            "etat": Cellule("Annulé", niveau="attention")
            if vu.annule_le
            else Cellule("Enregistré", niveau="bien"),
        }
    )


@router.get("/lots", name="page_lots")
def page_lots(
    request: Request,
    lecture: Lecture,
    nature: Annotated[str, Query(max_length=20)] = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> HTMLResponse:
    """Affiche les lots importés, du dernier au premier."""
    choisie = nature if nature in _FILTRES else ""
    lus = lots(lecture.conn, lecture.perimetre, nature=choisie or None, apres=apres or None)
    filtre = {"nature": choisie} if choisie else {}
    return page(
        request,
        "lots.html",
        tableau=tableau_des_lots(lus.lignes),
        filtres=[
            (dit, f"?nature={n}" if n else "/lots", n == choisie) for n, dit in _FILTRES.items()
        ],
        suivante=f"?{urlencode({**filtre, 'apres': lus.suivant})}" if lus.suivant else None,
        debut=f"?{urlencode(filtre)}" if apres else None,
        fichiers=liens("/exports/lots", {"nature": choisie}),
    )


# --- One of them ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EcarteeVue:
    """A row that was left out."""

    feuille: str
    ligne: int
    raisons: str


@dataclass(frozen=True, slots=True)
class LotVu:
    """What the page of a lot shows."""

    lot: LigneLot
    qui: str
    poids: str
    nom: str | None
    operations: tuple[Lien, ...]
    bilan: str | None  #: the one that was filed with it
    ecartees: tuple[EcarteeVue, ...]
    autres_ecartees: int
    histoire: tuple[EvenementLu, ...]
    annulation: EvenementLu | None
    annuler: str | None  #: where it is undone, for who may
    tableau: Tableau
    suivante: str | None
    debut: str | None


@router.get("/lots/{lot_id}", name="page_lot")
def page_lot(
    request: Request,
    lot_id: UUID,
    lecture: Lecture,
    service: ServiceOuvert,
    fait: Annotated[str, Query(max_length=60)] = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> HTMLResponse:
    """Affiche un lot : ses lignes, son classeur, qui l’a importé, et de quoi l’annuler."""
    vu = lot(lecture.conn, lecture.perimetre, lot_id)
    histoire = histoire_du_lot(lecture.conn, lecture.perimetre, lot_id)
    lignes = lignes_du_lot(lecture.conn, lecture.perimetre, lot_id, apres=apres or None)
    identite = qui_lit(request)
    nom = (
        None
        if identite is None
        else Brouillons(service.journal.pool).nom_du_fichier(identite.identifiant, lot_id)
    )
    acte = ANNULATIONS.get(vu.nature, "")
    peut_annuler = vu.annule_le is None and acte and permis(request, acte)
    importe = histoire[0].fait
    assert isinstance(importe, LotImporte)
    ecartees = importe.ecartees
    # Who reads the lot was let in: its facts are of the operations that it is about.
    depose = next(
        (f for f in faits_du_lot(lecture.conn, lot_id) if isinstance(f, BilanDepose))
        if importe.bilan_id is not None
        else iter(()),
        None,
    )
    return page(
        request,
        "lot.html",
        fait=_DEPOSE if fait == "importe" and depose is not None else _FAITS.get(fait),
        vu=LotVu(
            lot=vu,
            qui=f"{vu.acteur} ({ROLES.get(histoire[0].role, histoire[0].role)})",
            poids=taille(vu.fichier_octets),
            nom=nom,
            operations=tuple(_operations(lignes.lignes)),
            bilan=None if depose is None else _bilan(depose),
            ecartees=tuple(
                EcarteeVue(e.feuille, e.ligne, ", ".join(map(_raison, e.raisons)))
                for e in ecartees[:_AU_PLUS]
            ),
            autres_ecartees=max(0, len(ecartees) - _AU_PLUS),
            histoire=tuple(histoire),
            annulation=next((lu for lu in histoire if isinstance(lu.fait, LotAnnule)), None),
            annuler=lien_acte(acte, lot_id, retour=f"/lots/{lot_id}") if peut_annuler else None,
            tableau=_tableau_des_lignes(vu, lignes.lignes, _ressources(importe, depose)),
            suivante=f"?{urlencode({'apres': lignes.suivant})}#lignes" if lignes.suivant else None,
            debut="#lignes" if apres else None,
        ),
        phrase=phrase,
    )


def _raison(code: str) -> str:
    """Say the code of a defect in words."""
    return _RAISONS.get(code) or " ".join(_ACCENTS.get(mot, mot) for mot in code.split("_"))


def _bilan(depose: BilanDepose) -> str:
    debut, fin = depose.periode.debut, depose.periode.fin
    return (
        f"n°\u00a0{depose.numero}, {TYPES_DE_BILAN[depose.type]}, du {jour(debut)} au {jour(fin)}, "
        f"avec {len(depose.depenses)} {'dépenses' if len(depose.depenses) > 1 else 'dépense'}"
    )


def _ressources(
    importe: LotImporte, depose: BilanDepose | None
) -> Mapping[tuple[str, int], Ressource]:
    """Return what each row said, as the bilan keeps it: one a row, in order."""
    if depose is None:
        return {}
    places = ((x.feuille, x.ligne) for x in importe.lignes)
    return dict(zip(places, depose.ressources, strict=True))


def _operations(lignes: Sequence[LigneDuLot]) -> Iterator[Lien]:
    vus: set[str] = set()
    for ligne in lignes:
        if ligne.numero_mdfse is not None and ligne.numero_mdfse not in vus:
            vus.add(ligne.numero_mdfse)
            yield Lien(ligne.numero_mdfse, f"/dossiers/{ligne.numero_mdfse}")


def _tableau_des_lignes(
    vu: LigneLot,
    lignes: Sequence[LigneDuLot],
    ressources: Mapping[tuple[str, int], Ressource],
) -> Tableau:
    colonnes = [Colonne("ligne", "Ligne", "code"), Colonne("dossier", "Dossier", "code")]
    if vu.nature == "depenses":
        colonnes += [
            Colonne("piece", "N° de pièce", "code"),
            Colonne("date", "Date de la pièce", "jour"),
            Colonne("poste", "Poste"),
        ]
    if ressources:
        colonnes += [Colonne("type", "Type"), Colonne("financeur", "Financeur")]
    if vu.nature != "indicateurs":
        colonnes.append(Colonne("montant", "Montant", "euros"))
    if vu.nature == "depenses":
        colonnes.append(Colonne("etat", "État"))
    return Tableau(
        f"Lignes du lot n° {vu.numero}",
        tuple(colonnes),
        tuple(
            _ligne_du_lot(ligne, ressources.get((ligne.feuille, ligne.ligne))) for ligne in lignes
        ),
    )


def _ligne_du_lot(vue: LigneDuLot, ressource: Ressource | None) -> Ligne:
    precision = "admise bien que déjà connue" if vue.doublon else None
    dossier = f"/dossiers/{vue.numero_mdfse}" if vue.numero_mdfse else None
    return Ligne(
        {
            "ligne": Cellule(f"{vue.feuille}, {vue.ligne}", precision=precision),
            "dossier": Cellule(vue.numero_mdfse, dossier),
            "piece": Cellule(vue.piece_ref, f"/depenses/{vue.flux}"),
            "date": Cellule(vue.date_piece),
            "poste": Cellule(poste(vue.poste) if vue.poste else None),
            "type": Cellule(RESSOURCES.get(ressource.type, ressource.type) if ressource else None),
            "financeur": Cellule(ressource.financeur if ressource else None),
            "montant": Cellule(vue.montant),
            "etat": Cellule(
                _STATUTS.get(vue.statut or "", vue.statut),
                precision="dans un bilan" if vue.bilan_id else None,
            ),
        },
        ancre=f"ligne-{vue.ligne}",
    )
