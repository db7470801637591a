"""The trial of a transfer: the maquette before and after, with nothing recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import TypeAdapter

from api import essai
from api.deps import Lecture, ServiceOuvert, perimetre
from api.filters import euros_ronds, pourcent
from api.pages import formulaires
from api.pages.actes import lien_acte, permis
from api.pages.formulaires import Defaut, FormulaireRecu, SaisieRefusee, vers
from api.pages.maquette import Choix
from api.pages.montants import lire_centimes
from oi_service.clock import today
from oi_service.dates import Jour
from oi_service.money import euros as decimal
from oi_service.money import ratio, round_cents
from projections.maquette import NON_REPARTI, Chiffres, LigneDeMaquette, Maquette, charger
from projections.perimetre import Perimetre

router = APIRouter()

_MOTIF_D_ESSAI = "Essai, rien n’est enregistré"


# --- What the template shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saisie:
    """What the form holds, as it was typed."""

    ligne: str = ""
    de: str = ""
    vers: str = ""
    fse: str = ""
    le: str = ""


@dataclass(frozen=True, slots=True)
class LigneComparee:
    """A PLIE, or what none holds, before and after."""

    nom: str
    enveloppe_avant: int
    enveloppe_apres: int
    disponible_avant: int
    disponible_apres: int
    taux_avant: str
    taux_apres: str
    change: bool


@dataclass(frozen=True, slots=True)
class Resultat:
    """What the trial showed: a sentence, and either the maquette or why it is refused."""

    accepte: bool
    phrase: str
    refus: str | None
    article: str | None
    lignes: tuple[LigneComparee, ...]
    lien: str | None  #: the form that would record it


@dataclass(frozen=True, slots=True)
class VueTransfert:
    """All that the page shows."""

    numero: str
    subvention: str | None
    saisie: Saisie
    lignes: tuple[tuple[str, str], ...]
    donneurs: tuple[tuple[str, str], ...]
    receveurs: tuple[tuple[str, str], ...]
    disponibles: tuple[Choix, ...]


def vue(maquette: Maquette, saisie: Saisie, subvention: str | None) -> VueTransfert:
    """Prepare the form: the lines of the maquette, and the enveloppes of each."""
    lignes: dict[str, str] = {}
    noms: dict[str, str] = {}
    for cellule in maquette.lignes:
        lignes[_code(cellule)] = (
            f"{cellule.annee} · {cellule.objectif_specifique} · {cellule.dispositif} "
            f"(axe {cellule.axe})"
        )
        if cellule.plie_id != NON_REPARTI:
            noms[cellule.plie_id] = cellule.plie_nom
    return VueTransfert(
        numero=maquette.numero,
        subvention=subvention,
        saisie=saisie,
        lignes=tuple(sorted(lignes.items(), reverse=True)),
        donneurs=tuple(noms.items()),
        receveurs=tuple(noms.items()),
        disponibles=_disponibles(maquette.lignes, saisie.ligne),
    )


def _code(cellule: LigneDeMaquette) -> str:
    parties = (cellule.annee, cellule.axe, cellule.objectif_specifique, cellule.dispositif)
    return "|".join(map(str, parties))


def _disponibles(lignes: Sequence[LigneDeMaquette], code: str) -> tuple[Choix, ...]:
    """Say what each enveloppe of the chosen line may still give."""
    return tuple(
        Choix(
            f"{cellule.plie_nom} : {euros_ronds(cellule.chiffres.disponible_a_programmer)}",
            "",
            actif=False,
        )
        for cellule in lignes
        if _code(cellule) == code
    )


# --- What is tried -------------------------------------------------------------------------------


def commande(maquette: Maquette, saisie: Saisie) -> dict[str, Any]:
    """Write the decision that would record the transfer; its total cost follows the giver's rate.

    Raises: SaisieRefusee.
    """
    defauts = []
    ligne = next((x for x in maquette.lignes if _code(x) == saisie.ligne), None)
    if ligne is None:
        defauts.append(Defaut("Choisissez la ligne de la maquette", "ligne"))
    if not _jour_lisible(saisie.le):
        defauts.append(Defaut(f"« {saisie.le} » n’est pas un jour", "le"))
    connus = {x.plie_id for x in maquette.lignes} - {NON_REPARTI}
    for champ, dit, quoi in (
        ("de", saisie.de, "Choisissez qui donne"),
        ("vers", saisie.vers, "Choisissez qui reçoit"),
    ):
        if dit not in connus:
            defauts.append(Defaut(quoi, champ))
    fse = 0
    try:
        fse = lire_centimes(saisie.fse)
    except ValueError as illisible:
        defauts.append(Defaut(str(illisible), "fse"))
    if defauts or ligne is None:
        raise SaisieRefusee(defauts)
    return {
        "date_effet": saisie.le or today().isoformat(),
        "motif": _MOTIF_D_ESSAI,
        "de": {"plie_id": saisie.de, "ligne": _ligne_saisie(ligne)},
        "vers": {"plie_id": saisie.vers, "ligne": _ligne_saisie(ligne)},
        "fse": decimal(fse),
        "cout_total": decimal(_cout_total(maquette.lignes, saisie, fse)),
        "instance": "conseil_administration_oi",
        "pv_ref": _MOTIF_D_ESSAI,
    }


def _jour_lisible(texte: str) -> bool:
    try:
        TypeAdapter(Jour).validate_python(texte or today().isoformat())
    except ValueError:
        return False
    return True


def _ligne_saisie(ligne: LigneDeMaquette) -> dict[str, Any]:
    return {
        "annee": ligne.annee,
        "axe": ligne.axe,
        "objectif_specifique": ligne.objectif_specifique,
        "dispositif": ligne.dispositif,
    }


def _cout_total(lignes: Sequence[LigneDeMaquette], saisie: Saisie, fse: int) -> int:
    donneuse = sum(
        (x.chiffres for x in lignes if _code(x) == saisie.ligne and x.plie_id == saisie.de),
        Chiffres(),
    )
    taux = ratio(donneuse.ct_maquette, donneuse.fse_maquette) or Fraction(1)
    return max(fse, round_cents(fse * taux))


def resultat(
    essaye: essai.Essai, corps: Mapping[str, Any], subvention_id: UUID, *, decider: bool
) -> Resultat:
    """Say what the trial showed; ``decider``: who reads may record it."""
    (jouee,) = essaye.commandes
    if jouee.refus is not None:
        return Resultat(
            accepte=False,
            phrase="Ce transfert serait refusé",
            refus=jouee.refus.detail or jouee.refus.title,
            article=jouee.refus.article,
            lignes=(),
            lien=None,
        )
    comparees = next(
        m for m in essaye.maquettes if m.subvention_globale_id == subvention_id
    ).par_plie
    return Resultat(
        accepte=True,
        phrase="Ce transfert serait accepté ; rien n’est enregistré",
        refus=None,
        article=None,
        lignes=tuple(_comparer(c) for c in comparees),
        lien=_lien(corps, subvention_id) if decider else None,
    )


def _lien(corps: Mapping[str, Any], subvention_id: UUID) -> str:
    """Lead to the form of the decision, filled with what was tried."""
    champs: dict[str, str] = {nom: corps[nom] for nom in ("date_effet", "fse", "cout_total")}
    for cote in ("de", "vers"):
        champs[f"{cote}.plie_id"] = corps[cote]["plie_id"]
        champs |= {f"{cote}.ligne.{nom}": str(v) for nom, v in corps[cote]["ligne"].items()}
    return lien_acte("decider_transfert", subvention_id, retour="/maquette", **champs)


def _comparer(compare: essai.ComparaisonPlie) -> LigneComparee:
    avant, apres = compare.chiffres.avant, compare.chiffres.apres
    return LigneComparee(
        nom=compare.plie_nom,
        enveloppe_avant=avant.fse_maquette,
        enveloppe_apres=apres.fse_maquette,
        disponible_avant=avant.disponible_a_programmer,
        disponible_apres=apres.disponible_a_programmer,
        taux_avant=pourcent(avant.taux_programmation),
        taux_apres=pourcent(apres.taux_programmation),
        change=avant.fse_maquette != apres.fse_maquette,
    )


# --- The routes ----------------------------------------------------------------------------------


@router.get("/maquette/transfert", name="page_transfert", response_model=None)
def page(
    request: Request,
    lecture: Lecture,
    subvention: str | None = None,
    ligne: str = "",
    de: str = "",
    receveur: Annotated[str, Query(alias="vers")] = "",
    fse: str = "",
    le: str = "",
) -> HTMLResponse | RedirectResponse:
    """Affiche le formulaire d’essai d’un transfert entre enveloppes d’une même ligne."""
    maquette = _maquette(lecture, subvention)
    if maquette is None:
        return vers("/maquette")
    saisie = Saisie(ligne=ligne, de=de, vers=receveur, fse=fse, le=le or today().isoformat())
    preparee = vue(maquette, saisie, subvention)
    return formulaires.page(request, "transfert.html", vue=preparee, resultat=None)


def _maquette(lecture: Lecture, subvention: str | None) -> Maquette | None:
    try:
        voulue = UUID(subvention) if subvention else None
    except ValueError:
        voulue = None
    return charger(lecture.conn, lecture.perimetre, voulue)


@router.post("/maquette/transfert", name="page_essayer_transfert", response_model=None)
async def essayer(
    request: Request,
    recu: FormulaireRecu,
    service: ServiceOuvert,
    territoire: Annotated[Perimetre, Depends(perimetre)],
    subvention: str | None = None,
) -> HTMLResponse | RedirectResponse:
    """Essaie un transfert : la maquette avant et après, sans rien enregistrer."""
    saisie = Saisie(*(recu.texte(nom) for nom in ("ligne", "de", "vers", "fse", "le")))

    def lire() -> Maquette | None:
        with service.reads.connection() as conn:
            return charger(conn, territoire, UUID(subvention) if subvention else None)

    maquette = await to_thread.run_sync(lire)
    if maquette is None:
        return vers("/maquette")
    preparee = vue(maquette, saisie, subvention)
    try:
        corps = commande(maquette, saisie)
    except SaisieRefusee as refus:
        return formulaires.page(request, "transfert.html", refus=refus, vue=preparee, resultat=None)
    sg = maquette.subvention_globale_id
    demande = essai.DemandeEssai(
        commandes=(
            essai.CommandeAEssayer(
                chemin=f"/api/v1/subventions-globales/{sg}/transferts", corps=corps
            ),
        ),
        subvention_globale_id=sg,
    )
    async with request.app.state.essais:
        essaye = await to_thread.run_sync(
            essai.essayer, request.app, service, demande, request.state.identite, territoire
        )
    montre = resultat(essaye, corps, sg, decider=permis(request, "decider_transfert"))
    return formulaires.page(request, "transfert.html", vue=preparee, resultat=montre)
