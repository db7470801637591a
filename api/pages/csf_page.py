"""The page of one control: read in two panes, decided line by line, concluded.

Without scripts each line is a link and each decision a form; with them the right pane, the totals
and the line just decided come alone (`FRAGMENT`), at the same addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from api.deps import PRESENT, Dates, DatesDemandees, Lecture, LectureOuverte, ServiceOuvert
from api.enceinte import POLITIQUE
from api.errors import statut_de
from api.pages.actes import jouer, permis
from api.pages.actes.champs import Feuille
from api.pages.actes.saisie import construire
from api.pages.csf import lien_du_controle
from api.pages.csf_calcul import projeter, sections
from api.pages.csf_controle import (
    CHOIX,
    ONGLETS,
    REPONSES,
    Adresse,
    Choix,
    DetailVu,
    LigneVue,
    Onglet,
    actes_de_conclusion,
    actes_faits,
    contradictoire,
    detail,
    en_tete,
    filtrer,
    liens_des_totaux,
    ligne,
    lignes,
    marches,
    points,
    postes_echantillonnables,
    realisations,
    recettes,
    ressources,
    sans_constat,
    taches,
)
from api.pages.dates import sans_situation, situation_vue
from api.pages.formulaires import (
    Defaut,
    Formulaire,
    FormulaireRecu,
    SaisieRefusee,
    vers,
    version_vue,
)
from api.pages.gabarits import templates
from api.pages.presence import qui_lit
from oi_service.application import Service
from oi_service.clock import today
from oi_service.errors import Conflict, Refusal, StaleVersion
from oi_service.ids import convention_of, new_id
from projections.constats import ConstatsDepense, constats_des_depenses, constats_du_bilan
from projections.csf import ControleLu, lire_controle
from projections.explication import Explication, expliquer
from projections.histoire import MODALITES
from projections.journal import EvenementLu, derniers_du_flux
from rules.eligibilite import MOTIFS

router = APIRouter(prefix="/dossiers/{numero_mdfse}/csf/{csf_id}")

#: What the scripts replace when another line is looked at.
FRAGMENT = "div#csf-ligne"
#: Acts that the page offers, besides the decisions.
_ACTES = (
    "controler_depenses",
    "controler_ressources",
    "controler_realisations",
    "controler_recettes",
    "tirer_echantillon",
    "decider_extrapolation",
    "corriger_marche",
    "corriger_fse",
    "remplir_grille",
    "notifier_conclusions",
    "recevoir_observations",
    "notifier_conclusions_finales",
    "proposer_csf",
    "valider_csf",
    "renvoyer_csf",
    "rouvrir_csf",
)
#: Dépenses that one command may decide together.
_ENSEMBLE = 1000
#: A document is seen in a frame of the page, which nothing but ourselves may fill.
_ENTETES = {
    "Vary": "HX-Target",
    "Content-Security-Policy": f"{POLITIQUE}; frame-src 'self'",
}
_EN_GROUPE = "Retenue avec les lignes sans anomalie."


class LigneDecideeEntreTemps(Conflict):
    """La dépense {piece} a changé pendant que vous l’examiniez : voyez ce qui est enregistré, puis
    décidez de nouveau.
    """


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demande:
    """What an address of the page asks."""

    adresse: Adresse
    ligne: UUID | None
    decidee: UUID | None
    confirmer: bool
    dates: Dates = PRESENT

    @property
    def actuelle(self) -> bool:
        """Tell whether the control is shown as it stands: only then is anything done on it."""
        return self.dates.situation.actuelle


def _uuid(texte: str) -> UUID | None:
    try:
        return UUID(texte)
    except ValueError:
        return None


def demande(
    numero_mdfse: str,
    csf_id: UUID,
    onglet: str = "",
    voir: str = "",
    ligne: str = "",
    decidee: str = "",
    confirmer: str = "",
) -> Demande:
    """Read what an address asks; what names nothing asks for nothing."""
    choisi: Onglet = next((o for o in ONGLETS if o == onglet), "depenses")
    montrees: Choix = next((c for c in CHOIX if c == voir), "toutes")
    return Demande(
        Adresse(lien_du_controle(numero_mdfse, csf_id), choisi, montrees),
        _uuid(ligne),
        _uuid(decidee),
        confirmer == "sans-anomalie",
    )


DemandeLue = Annotated[Demande, Depends(demande)]


# --- Reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panneaux:
    """The two panes: the lines, those that are shown, the one that is looked at."""

    toutes: tuple[LigneVue, ...]
    montrees: tuple[LigneVue, ...]
    choix: tuple[tuple[str, str, int, bool], ...]
    detail: DetailVu | None
    groupe: tuple[LigneVue, ...]


def _panneaux(
    lu: ControleLu,
    constats: Mapping[UUID, ConstatsDepense],
    demande: Demande,
    deposee: Callable[[str], bool],
    saisie: Mapping[str, Any] | None = None,
) -> Panneaux:
    adresse = demande.adresse
    toutes = lignes(lu, constats, adresse)
    montrees = filtrer(toutes, adresse.voir)
    ids = [x.id for x in montrees]
    choisie = demande.ligne if demande.ligne in lu.depenses else None
    if choisie is None:
        choisie = next((x.id for x in montrees if x.etat == "a_decider"), None)
        choisie = choisie or next(iter(ids), None)
    return Panneaux(
        toutes=toutes,
        montrees=montrees,
        choix=tuple(
            (libelle, replace(adresse, voir=choix).de(), nombre, choix == adresse.voir)
            for choix, libelle in CHOIX.items()
            if (nombre := len(filtrer(toutes, choix))) or choix == adresse.voir
        ),
        detail=None
        if choisie is None
        else detail(lu, lu.depenses[choisie], constats.get(choisie), ids, adresse, deposee, saisie),
        groupe=sans_constat(toutes),
    )


def _constats(
    lecture: LectureOuverte, lu: ControleLu, *, actuelle: bool = True
) -> dict[UUID, ConstatsDepense]:
    """Examine every line; the tests look at the present only."""
    if not actuelle:
        return {}
    examinees = constats_du_bilan(
        lecture.conn, lecture.perimetre, lu.operation.id, lu.bilan.bilan_id
    )
    return {examinee.depense_id: examinee for examinee in examinees}


@router.get("", name="page_csf", response_class=HTMLResponse)
def page_csf(
    request: Request,
    numero_mdfse: str,
    csf_id: UUID,
    lecture: Lecture,
    demande: DemandeLue,
    dates: DatesDemandees,
) -> Response:
    """Affiche le contrôle de service fait d’un bilan."""
    lu = lire_controle(lecture.conn, lecture.perimetre, numero_mdfse, csf_id, dates.situation)
    if lu is None or not dates.lisibles:
        if not dates.requete:
            return _introuvable(request, numero_mdfse)
        return sans_situation(
            request,
            dates,
            {},
            page="page_controles",
            titre="Contrôle de service fait",
            quoi="Ce contrôle n’est pas ouvert dans cette situation",
        )
    adresse = replace(demande.adresse, dates=tuple(dates.requete.items()))
    demande = replace(demande, adresse=adresse, dates=dates)
    if lu.csf.csf_id != csf_id:
        return vers(lien_du_controle(numero_mdfse, lu.csf.csf_id), **request.query_params)
    if request.headers.get("HX-Target") == FRAGMENT and demande.ligne in lu.depenses:
        return _fragment(request, lecture, lu, demande)
    if _vient_valider(request, lu):
        # Who validates looks first at what was set aside, and at what was kept anyway.
        voir = demande.adresse.voir if "voir" in request.query_params else "a_revoir"
        adresse = replace(demande.adresse, voir=voir, defaut="a_revoir")
        demande = replace(demande, adresse=adresse)
    return _page(request, lecture, lu, demande)


def _vient_valider(request: Request, lu: ControleLu) -> bool:
    """Tell whether the control waits for whoever reads to validate it."""
    return (
        lu.csf.propose is not None
        and lu.csf.statut != "valide"
        and permis(request, "valider_csf")
        and not permis(request, "controler_depenses")
    )


def _introuvable(request: Request, numero: str) -> HTMLResponse:
    return templates().TemplateResponse(
        request,
        "csf_introuvable.html",
        {"numero": numero},
        status_code=HTTPStatus.NOT_FOUND,
    )


def _fragment(
    request: Request,
    lecture: LectureOuverte,
    lu: ControleLu,
    demande: Demande,
    saisie: Mapping[str, Any] | None = None,
    refus: Refusal | SaisieRefusee | None = None,
) -> HTMLResponse:
    """Answer the right pane alone, with the totals and the line that was just decided."""
    assert demande.ligne is not None
    adresse, ids = demande.adresse, list(lu.depenses)
    decidee = lu.depenses.get(demande.decidee) if demande.decidee else None
    vues = [demande.ligne, *([decidee.id] if decidee else [])]
    constats = (
        constats_des_depenses(lecture.conn, lecture.perimetre, lu.operation.id, vues)
        if demande.actuelle
        else {}
    )
    totaux, _ = projeter(lu)
    contexte = {
        "detail": detail(
            lu,
            lu.depenses[demande.ligne],
            constats.get(demande.ligne),
            ids,
            adresse,
            _deposee(request),
            saisie,
        ),
        "totaux": totaux,
        "decidee": None
        if decidee is None
        else ligne(lu, decidee, constats.get(decidee.id), adresse),
        **_communs(request, lu, demande),
        **_refus(lecture, lu, refus),
    }
    return _rendre(request, "_csf_fragment.html", contexte, refus)


def _page(
    request: Request,
    lecture: LectureOuverte,
    lu: ControleLu,
    demande: Demande,
    *,
    saisie: Mapping[str, Any] | None = None,
    refus: Refusal | SaisieRefusee | None = None,
    grille: Mapping[int, tuple[str, str]] | None = None,
) -> HTMLResponse:
    totaux, resultat = projeter(lu)
    faites = taches(lu, totaux, demande.adresse)
    contexte: dict[str, Any] = {
        "tete": en_tete(lu, totaux, demande.adresse, faites),
        "totaux": totaux,
        "taches": faites,
        **_communs(request, lu, demande),
        **_refus(lecture, lu, refus),
    }
    retour = demande.adresse.de()
    ouvert = lu.csf.statut != "valide" and demande.actuelle
    match demande.adresse.onglet:
        case "depenses":
            constats = _constats(lecture, lu, actuelle=demande.actuelle)
            panneaux = _panneaux(lu, constats, demande, _deposee(request), saisie)
            decidee = lu.depenses.get(demande.decidee) if demande.decidee else None
            contexte |= {
                "panneaux": panneaux,
                "detail": panneaux.detail,
                "decidee": None if decidee is None else ligne(lu, decidee, None, demande.adresse),
                "confirmer": demande.confirmer and ouvert,
            }
        case "ressources":
            contexte |= {
                "ressources": ressources(lu),
                "realisations": realisations(lu),
                "recettes": recettes(lu),
            }
        case "echantillon":
            contexte |= {
                "postes": postes_echantillonnables(lu, retour),
                "marches": marches(lu, retour),
                "corrections": resultat.corrections_fse,
                "modalite": MODALITES[lu.csf.modalite],
            }
        case "grille":
            contexte |= {"points": points(lu.csf, grille), "reponses": REPONSES}
        case "contradictoire":
            peut = contexte["peut_faire"]
            le = demande.dates.jour or today()
            contexte |= {"etapes": contradictoire(lu, totaux, le, peut, retour)}
        case "calcul":
            explication = _explication(lecture, lu)
            contexte |= {
                "explication": explication,
                "sections": None if explication else sections(lu, resultat),
                "positions": (),
            }
        case "conclusion":
            identite = qui_lit(request)
            qui = "" if identite is None else identite.identifiant
            contexte |= {
                "actes": actes_de_conclusion(lu, qui, today(), contexte["peut_faire"], retour)
                if demande.actuelle
                else (),
                "histoire": actes_faits(lu),
            }
    return _rendre(request, "csf.html", contexte, refus)


def _deposee(request: Request) -> Callable[[str], bool]:
    """Return what tells whether the store of the service holds a document."""
    service: Service = request.app.state.service
    return service.pieces.contient


def _explication(lecture: LectureOuverte, lu: ControleLu) -> Explication | None:
    if lu.csf.statut != "valide":
        return None
    return expliquer(lecture.conn, lecture.perimetre, lu.operation.id, lu.csf.csf_id)


def _communs(request: Request, lu: ControleLu, demande: Demande) -> dict[str, Any]:
    """Return what every answer shows."""
    ouvert = lu.csf.statut != "valide" and demande.actuelle
    peut = {nom for nom in _ACTES if permis(request, nom) and demande.actuelle}
    return {
        "lu": lu,
        "adresse": demande.adresse,
        "ouvert": ouvert,
        "confirmer": False,
        "peut_faire": peut,
        "decide": ouvert and "controler_depenses" in peut,
        "cle": new_id(),
        "retour": demande.adresse.de(),
        "liens": liens_des_totaux(demande.adresse),
        "situation": situation_vue(
            demande.dates,
            {"onglet": demande.adresse.onglet},
        ),
    }


def _refus(
    lecture: LectureOuverte, lu: ControleLu, refus: Refusal | SaisieRefusee | None
) -> dict[str, Any]:
    """Say what is wrong, and what was recorded meanwhile when the page was too old."""
    depuis: Sequence[EvenementLu] = ()
    if isinstance(refus, StaleVersion):
        convention_id = convention_of(lu.operation.id)
        derniers = derniers_du_flux(lecture.conn, lecture.perimetre, convention_id, 5)
        depuis = [e for e in derniers if e.version > refus.details["attendue"]]
    defauts: Sequence[Defaut] = ()
    if isinstance(refus, SaisieRefusee):
        defauts = refus.defauts
    elif refus is not None:
        defauts = [Defaut(str(refus))]
    return {"defauts": defauts, "depuis": depuis}


def _rendre(
    request: Request,
    gabarit: str,
    contexte: dict[str, Any],
    refus: Refusal | SaisieRefusee | None,
) -> HTMLResponse:
    http: int = HTTPStatus.OK
    if isinstance(refus, SaisieRefusee):
        http = HTTPStatus.UNPROCESSABLE_ENTITY
    elif refus is not None:
        http = statut_de(type(refus))[0]
    return templates().TemplateResponse(
        request, gabarit, contexte, status_code=http, headers=_ENTETES
    )


# --- Deciding ------------------------------------------------------------------------------------


@router.post("/lignes", name="decider_lignes", response_class=HTMLResponse)
def decider_lignes(
    request: Request,
    numero_mdfse: str,
    csf_id: UUID,
    lecture: Lecture,
    service: ServiceOuvert,
    recu: FormulaireRecu,
) -> Response:
    """Enregistre la décision d’une dépense, ou retient celles qu’aucun test ne met en cause."""
    lu = lire_controle(lecture.conn, lecture.perimetre, numero_mdfse, csf_id)
    if lu is None:
        return _introuvable(request, numero_mdfse)
    asked = demande(numero_mdfse, csf_id, voir=recu.texte("voir"), ligne=recu.texte("ligne"))
    if recu.texte("groupe"):
        return _retenir_le_groupe(request, lecture, service, lu, asked, recu)
    saisie = _saisie(recu)
    try:
        corps = _corps(lu, asked.ligne, recu)
        _jouer(request, service, lu, "controler_depenses", corps, recu)
    except (Refusal, SaisieRefusee) as refus:
        lu = _relu(lecture, lu)
        if request.headers.get("HX-Target") == FRAGMENT and asked.ligne in lu.depenses:
            return _fragment(request, lecture, lu, asked, saisie, refus)
        return _page(request, lecture, lu, asked, saisie=saisie, refus=refus)
    suivante = _suivante(lecture, lu, asked)
    return vers(asked.adresse.de(ligne=suivante, decidee=str(asked.ligne)))


def _relu(lecture: LectureOuverte, lu: ControleLu) -> ControleLu:
    """Read the control again: what refused an act may be newer than what the act was decided on."""
    relu = lire_controle(lecture.conn, lecture.perimetre, lu.operation.numero_mdfse, lu.csf.csf_id)
    assert relu is not None
    return relu


def _saisie(recu: Formulaire) -> dict[str, Any]:
    return {
        "choix": recu.texte("choix"),
        "montant": recu.texte("montant"),
        "motif": recu.texte("motif"),
        "commentaire": recu.secret("commentaire"),
        "pieces_vues": tuple(recu.liste("pieces_vues")),
    }


def _corps(lu: ControleLu, depense_id: UUID | None, recu: Formulaire) -> dict[str, Any]:
    """Make the command of one line. Raises: SaisieRefusee, LigneDecideeEntreTemps."""
    lue = None if depense_id is None else lu.depenses.get(depense_id)
    if lue is None:
        raise SaisieRefusee([Defaut("Choisissez une dépense du bilan dans la liste.")])
    if recu.texte("vue") != str(lue.version):
        raise LigneDecideeEntreTemps(piece=lue.etat.detail.piece_ref)
    decision: dict[str, Any] = {"depense_id": str(depense_id), "montant_ecarte": "0.00"}
    match recu.texte("choix"):
        case "retenir":
            pass
        case "ecarter":
            decision["montant_ecarte"] = _ecarte(recu)
            decision["motif_code"] = recu.texte("motif") or None
        case _:
            raise SaisieRefusee([Defaut("Choisissez de retenir ou d’écarter.", "choix-retenir")])
    if commentaire := recu.secret("commentaire").strip():
        decision["commentaire"] = commentaire
    decision["pieces_vues"] = recu.liste("pieces_vues")
    return {"date_effet": today().isoformat(), "lignes": [decision]}


_MONTANT = Feuille("montant", "Montant écarté", "euros", requis=True)


def _ecarte(recu: Formulaire) -> str:
    illisibles: list[Defaut] = []
    lu = construire(_MONTANT, {"montant": [recu.texte("montant")]}, illisibles, "montant")
    if illisibles:
        raise SaisieRefusee(illisibles)
    if not isinstance(lu, str) or lu == "0.00":
        raise SaisieRefusee(
            [Defaut("Indiquez le montant à écarter, ou retenez la dépense.", "montant")]
        )
    ecarte: str = lu
    if not recu.texte("motif"):
        raise SaisieRefusee([Defaut("Choisissez le motif de l’écart.", "motif")])
    return ecarte


def _exiger(juste: object, defaut: Defaut) -> None:
    if not juste:
        raise SaisieRefusee([defaut])


def _jouer(
    request: Request,
    service: ServiceOuvert,
    lu: ControleLu,
    nom: str,
    corps: Mapping[str, Any],
    recu: Formulaire,
) -> None:
    cle = _uuid(recu.texte("cle")) or new_id()
    jouer(
        request,
        service,
        nom,
        [lu.operation.id, lu.csf.csf_id],
        corps,
        cle,
        version_vue(recu.texte("version")),
    )


def _suivante(lecture: LectureOuverte, lu: ControleLu, asked: Demande) -> UUID:
    """Return the line to look at next: the next one without a decision, among those shown."""
    assert asked.ligne is not None
    if asked.adresse.voir in {"anomalies", "a_revoir"}:
        toutes = lignes(lu, _constats(lecture, lu), asked.adresse)
    else:
        toutes = lignes(lu, {}, asked.adresse)
    montrees = filtrer(toutes, asked.adresse.voir)
    rang = next((r for r, x in enumerate(montrees) if x.id == asked.ligne), -1)
    apres = [*montrees[rang + 1 :], *montrees[: max(rang, 0)]]
    return next((x.id for x in apres if x.etat == "a_decider"), asked.ligne)


def _retenir_le_groupe(
    request: Request,
    lecture: LectureOuverte,
    service: ServiceOuvert,
    lu: ControleLu,
    asked: Demande,
    recu: Formulaire,
) -> Response:
    """Retain every line that no test finds defective, if they are those that were shown."""
    groupe = sans_constat(lignes(lu, _constats(lecture, lu), asked.adresse))[:_ENSEMBLE]
    corps = {
        "date_effet": today().isoformat(),
        "lignes": [
            {"depense_id": str(x.id), "montant_ecarte": "0.00", "commentaire": _EN_GROUPE}
            for x in groupe
        ],
    }
    try:
        _exiger(
            groupe and recu.texte("groupe") == str(len(groupe)),
            Defaut("Les lignes sans anomalie ont changé : relisez leur nombre."),
        )
        _jouer(request, service, lu, "controler_depenses", corps, recu)
    except (Refusal, SaisieRefusee) as refus:
        return _page(
            request, lecture, _relu(lecture, lu), replace(asked, confirmer=True), refus=refus
        )
    return vers(asked.adresse.de(fait="controler_depenses"))


@router.post("/grille", name="remplir_la_grille", response_class=HTMLResponse)
def remplir_la_grille(
    request: Request,
    numero_mdfse: str,
    csf_id: UUID,
    lecture: Lecture,
    service: ServiceOuvert,
    recu: FormulaireRecu,
) -> Response:
    """Enregistre les réponses de la grille de contrôle."""
    lu = lire_controle(lecture.conn, lecture.perimetre, numero_mdfse, csf_id)
    if lu is None:
        return _introuvable(request, numero_mdfse)
    asked = demande(numero_mdfse, csf_id, onglet="grille")
    saisis = {
        point.numero: (
            recu.texte(f"reponse-{point.numero}"),
            recu.secret(f"commentaire-{point.numero}").strip(),
        )
        for point in points(lu.csf)
    }
    corps = {
        "date_effet": today().isoformat(),
        "points": [
            {"numero": numero, "reponse": reponse}
            | ({"commentaire": commentaire} if commentaire else {})
            for numero, (reponse, commentaire) in saisis.items()
            if reponse
        ],
    }
    try:
        _exiger(corps["points"], Defaut("Répondez à un point au moins.", "reponse-1-conforme"))
        _jouer(request, service, lu, "remplir_grille", corps, recu)
    except (Refusal, SaisieRefusee) as refus:
        return _page(request, lecture, _relu(lecture, lu), asked, refus=refus, grille=saisis)
    return vers(asked.adresse.de(fait="remplir_grille"))


# --- On paper ------------------------------------------------------------------------------------


@router.get("/rapport", name="page_rapport_csf", response_class=HTMLResponse)
def page_rapport_csf(
    request: Request, numero_mdfse: str, csf_id: UUID, lecture: Lecture
) -> Response:
    """Affiche le rapport de contrôle de service fait, à imprimer et à signer."""
    lu = lire_controle(lecture.conn, lecture.perimetre, numero_mdfse, csf_id)
    if lu is None:
        return _introuvable(request, numero_mdfse)
    adresse = Adresse(lien_du_controle(numero_mdfse, lu.csf.csf_id))
    totaux, resultat = projeter(lu)
    toutes = lignes(lu, {}, adresse)
    contexte = {
        "tete": en_tete(lu, totaux, adresse, taches(lu, totaux, adresse)),
        "lu": lu,
        "totaux": totaux,
        "lignes": toutes,
        "ecarts": [(x, detail_ecart(lu, x.id)) for x in toutes if x.ecarte],
        "ressources": ressources(lu),
        "realisations": realisations(lu),
        "recettes": recettes(lu),
        "points": points(lu.csf),
        "explication": _explication(lecture, lu),
        "sections": sections(lu, resultat),
        "histoire": actes_faits(lu),
        "le": today(),
        "positions": (),
    }
    return templates().TemplateResponse(request, "csf_rapport.html", contexte)


def detail_ecart(lu: ControleLu, depense_id: UUID) -> tuple[str, str | None]:
    """Return why a line was set aside, and what was written about it."""
    fait = lu.depenses[depense_id].controlee
    assert fait is not None
    return MOTIFS.get(fait.motif_code or "", "sans motif"), fait.commentaire
