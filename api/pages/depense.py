"""The page of a dépense: what was declared, where it counts, what tests say of it, its story."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePath
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from aggregates.convention.state import CONVENTION, Bilan, Convention
from aggregates.depense.events import DepenseControlee, Detail
from api.deps import Dates, DatesDemandees, Lecture, LectureOuverte, ServiceOuvert
from api.enceinte import POLITIQUE
from api.filters import euros, jour
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.ecriture import majuscule, nombre, phrase
from api.pages.formulaires import page
from api.pages.liens_actes import lien_acte, permis
from oi_service.clock import PARIS, today
from oi_service.ids import convention_of, new_id
from projections.avant_apres import changements
from projections.constats import ConstatsDepense, constats_de_la_depense
from projections.depenses import LigneDepense, depense
from projections.dossiers import LigneOperation, operations
from projections.effet_depense import DepenseNonControlee, effet
from projections.histoire import ROLES, TYPES_DE_BILAN
from projections.instantane import instantane
from projections.journal import EvenementLu, lire_flux
from projections.toutes_depenses import STATUTS
from rules.constat import STATUTS as STATUTS_DES_CONSTATS
from rules.constat import Constat, Statut
from rules.eligibilite import MOTIFS, PREUVES_ACQUITTEMENT, TESTS
from rules.nomenclature import POSTES
from rules.temps import METHODES

router = APIRouter()

#: Documents of these kinds are shown in the page.
IMAGES, CADRES = frozenset((".png", ".jpg", ".jpeg")), frozenset((".pdf",))
#: A page that shows a document in a frame of its own.
_POLITIQUE_AVEC_CADRE = f"{POLITIQUE}; frame-src 'self'"

Apercu = Literal["image", "cadre"]


# --- What the queries say ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DepenseLue:
    """A dépense, its story and what it counts in, in one situation."""

    ligne: LigneDepense
    operation: LigneOperation
    histoire: Sequence[EvenementLu]
    convention: Convention | None
    constats: ConstatsDepense | None  #: of now only
    effet: str | None


def lire_depense(lecture: LectureOuverte, depense_id: UUID, dates: Dates) -> DepenseLue:
    """Read a dépense.

    Raises: DepenseAbsente.
    """
    conn, perimetre, situation = lecture.conn, lecture.perimetre, dates.situation
    with instantane(conn):
        ligne = depense(conn, perimetre, depense_id, situation)
        [operation] = operations(conn, perimetre, operation_id=ligne.operation_id).lignes
        convention_id = convention_of(ligne.operation_id)
        flux = lire_flux(conn, perimetre, [depense_id, convention_id], situation)
        return DepenseLue(
            ligne=ligne,
            operation=operation,
            histoire=flux[depense_id],
            convention=CONVENTION.replay(lu.fait for lu in flux.get(convention_id, ())),
            constats=constats_de_la_depense(conn, perimetre, depense_id)
            if situation.actuelle
            else None,
            effet=_effet(lecture, ligne) if situation.actuelle else None,
        )


def _effet(lecture: LectureOuverte, ligne: LigneDepense) -> str | None:
    if not ligne.ecarte:
        return None
    try:
        return effet(lecture.conn, lecture.perimetre, ligne.id).phrase
    except DepenseNonControlee:
        return None


# --- What the template shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terme:
    """Something that is said of the dépense."""

    libelle: str
    texte: str
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class Compte:
    """Something that the dépense counts in."""

    titre: str
    texte: str
    lien: str | None = None
    libelle: str | None = None


@dataclass(frozen=True, slots=True)
class ConstatVu:
    """What a test says."""

    intitule: str
    statut: str
    niveau: str
    message: str
    article: str
    valeurs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PieceVue:
    """A document: seen here, downloaded, or kept elsewhere."""

    libelle: str
    sha256: str
    jointe_le: date
    par: str
    deposee: bool
    apercu: Apercu | None

    @property
    def empreinte(self) -> str:
        """The digest as it is shown: enough of it to compare by eye."""
        return f"{self.sha256[:12]}…{self.sha256[-6:]}"


@dataclass(frozen=True, slots=True)
class FaitVu:
    """A line of the story."""

    position: int
    le: date
    saisi_le: date | None
    connu: datetime
    acteur: str
    role: str
    phrase: str
    motif: str | None
    changements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VueDepense:
    """All that the page shows."""

    situation: SituationVue
    id: UUID
    version: int
    nature: str
    piece_ref: str
    numero: str
    beneficiaire: str
    plie: str
    lien_dossier: str
    lien_liste: str
    statut: str
    niveau: str
    declare: int
    retenu: int | None
    ecarte: int | None
    reste: str | None
    termes: tuple[Terme, ...]
    comptes: tuple[Compte, ...]
    anomalies: tuple[ConstatVu, ...]
    a_apprecier: tuple[ConstatVu, ...]
    conformes: tuple[ConstatVu, ...]
    constats_lus: bool
    pieces: tuple[PieceVue, ...]
    histoire: tuple[FaitVu, ...]
    modifiable: bool
    annulee: bool
    pourquoi_fige: str | None


_NIVEAUX = {"declaree": "attention", "controlee": "bien", "annulee": "information"}
_NIVEAUX_DES_CONSTATS: dict[Statut, str] = {
    "anomalie": "grave",
    "a_apprecier": "attention",
    "conforme": "bien",
}


def vue(lue: DepenseLue, dates: Dates, deposee: Callable[[str], bool]) -> VueDepense:
    """Prepare the page."""
    ligne, operation = lue.ligne, lue.operation
    suite = f"?{urlencode(dates.requete)}" if dates.requete else ""
    bilan = _bilan(lue)
    constats = lue.constats.constats if lue.constats else ()
    return VueDepense(
        situation=situation_vue(dates, {}, dates.situation.connu_le),
        id=ligne.id,
        version=ligne.version,
        nature=ligne.detail.nature,
        piece_ref=ligne.detail.piece_ref,
        numero=operation.numero_mdfse,
        beneficiaire=operation.beneficiaire,
        plie=operation.plie_nom,
        lien_dossier=f"/dossiers/{operation.numero_mdfse}{suite}",
        lien_liste="/depenses?" + urlencode({"operation": operation.numero_mdfse, **dates.requete}),
        statut=STATUTS[ligne.statut],  # type: ignore[index]
        niveau=_NIVEAUX[ligne.statut],
        declare=ligne.montant_impute,
        retenu=ligne.retenu,
        ecarte=ligne.ecarte,
        reste=ligne.motif_libelle,
        termes=tuple(_termes(ligne, lue.convention)),
        comptes=tuple(_comptes(lue, bilan, suite)),
        anomalies=tuple(_constat(c) for c in constats if c.statut == "anomalie"),
        a_apprecier=tuple(_constat(c) for c in constats if c.statut == "a_apprecier"),
        conformes=tuple(_constat(c) for c in constats if c.statut == "conforme"),
        constats_lus=lue.constats is not None,
        pieces=_pieces(lue.histoire, deposee),
        histoire=_histoire(lue.histoire),
        modifiable=ligne.statut == "declaree" and bilan is None,
        annulee=ligne.statut == "annulee",
        pourquoi_fige=_pourquoi_figee(ligne, bilan),
    )


def _bilan(lue: DepenseLue) -> Bilan | None:
    bilans = lue.convention.bilans if lue.convention else {}
    return bilans.get(lue.ligne.bilan_id) if lue.ligne.bilan_id else None


def _pourquoi_figee(ligne: LigneDepense, bilan: Bilan | None) -> str | None:
    if ligne.statut == "annulee":
        return "Cette dépense est annulée : elle ne se modifie plus. Déclarez-en une nouvelle."
    if ligne.statut == "controlee":
        return (
            "Cette dépense est contrôlée : elle se corrige par une nouvelle version du contrôle de "
            "service fait."
        )
    if bilan is not None:
        return (
            f"Cette dépense est dans le bilan n° {bilan.numero} : faites renvoyer le bilan pour la "
            "modifier."
        )
    return None


# --- What was declared ---------------------------------------------------------------------------


def _termes(ligne: LigneDepense, convention: Convention | None) -> Iterator[Terme]:
    detail = ligne.detail
    yield Terme("Poste", _poste(detail.poste, convention))
    yield Terme("Tiers", detail.tiers_ref)
    yield Terme("Pièce", detail.piece_ref, f"du {jour(detail.date_piece)}")
    yield Terme("Réalisée le", jour(detail.date_realisation))
    if detail.date_engagement:
        yield Terme("Engagée le", jour(detail.date_engagement))
    if detail.date_acquittement:
        preuve = detail.preuve_acquittement
        yield Terme(
            "Acquittée le",
            jour(detail.date_acquittement),
            PREUVES_ACQUITTEMENT.get(preuve, preuve) if preuve else "sans preuve d’acquittement",
        )
    else:
        yield Terme("Acquittée le", "non acquittée")
    yield from _montants(detail)
    if detail.cle is not None:
        cle = detail.cle
        assiette = (
            None
            if cle.assiette_centimes is None
            else f"sur une assiette de {euros(cle.assiette_centimes)}"
        )
        yield Terme("Clé", f"{cle.libelle} ({cle.numerateur}/{cle.denominateur})", assiette)
    if detail.temps is not None:
        yield _temps(detail)
    if detail.marche_ref:
        yield Terme("Marché", detail.marche_ref)
    if detail.mise_en_concurrence_ref:
        yield Terme("Mise en concurrence", detail.mise_en_concurrence_ref)


def _poste(code: str, convention: Convention | None) -> str:
    dits = {p.code: p.libelle for p in convention.plan.postes} if convention else {}
    return dits.get(code) or POSTES.get(code, code)


def _montants(detail: Detail) -> Iterator[Terme]:
    tva = detail.tva_recuperable_centimes
    if detail.montant_ht_centimes is not None:
        yield Terme("Montant hors taxes", euros(detail.montant_ht_centimes))
    if detail.montant_ttc_centimes is not None:
        dite = None if tva is None else f"dont TVA récupérable {euros(tva)}"
        yield Terme("Montant toutes taxes comprises", euros(detail.montant_ttc_centimes), dite)


def _temps(detail: Detail) -> Terme:
    temps = detail.temps
    assert temps is not None
    heures = [
        f"{nombre(temps.heures_operation)} h sur l’opération" if temps.heures_operation else "",
        f"{nombre(temps.heures_base)} h de base" if temps.heures_base else "",
        f"{nombre(temps.pourcentage)}\u00a0% du temps" if temps.pourcentage else "",
    ]
    return Terme(
        "Temps",
        majuscule(METHODES[temps.methode]),
        ", ".join(filter(None, [*heures, f"coût {euros(temps.cout_centimes)}"])),
    )


# --- Where it counts -----------------------------------------------------------------------------


def _comptes(lue: DepenseLue, bilan: Bilan | None, suite: str) -> Iterator[Compte]:
    ligne = lue.ligne
    if ligne.statut == "annulee":
        yield Compte("Nulle part", "Annulée, elle ne compte plus dans aucun total.")
        return
    yield _dans_le_bilan(lue, bilan, suite)
    if bilan is not None:
        yield _au_controle(lue, bilan)
    if lue.effet:
        yield Compte("Effet de l’écart", phrase(lue.effet))
    corrigee = ligne.detail.regularise
    if corrigee is not None:
        yield Compte(
            "Régularisation",
            "Elle reprend de l’argent à une autre dépense.",
            f"/depenses/{corrigee}{suite}",
            "Voir la dépense corrigée",
        )
    if lue.convention is not None and bilan is not None:
        yield _certification(lue.convention)


def _dans_le_bilan(lue: DepenseLue, bilan: Bilan | None, suite: str) -> Compte:
    if bilan is None:
        return Compte(
            "Bilan", "Dans aucun bilan déposé : elle attend le prochain bilan de l’opération."
        )
    numero = lue.operation.numero_mdfse
    return Compte(
        "Bilan",
        phrase(
            f"Bilan n° {bilan.numero} ({TYPES_DE_BILAN.get(bilan.type, bilan.type)}), déposé le "
            f"{jour(bilan.depose_le)}."
        ),
        f"/dossiers/{numero}{suite}#bilan-{bilan.bilan_id}",
        "Voir le bilan",
    )


def _au_controle(lue: DepenseLue, bilan: Bilan) -> Compte:
    titre = "Contrôle de service fait"
    decisions = [lu for lu in lue.histoire if isinstance(lu.fait, DepenseControlee)]
    if bilan.csf is None:
        return Compte(titre, "Il n’est pas ouvert : rien n’est encore décidé.")
    lien = f"/controles/{bilan.csf.csf_id}"
    if not decisions:
        return Compte(titre, "En cours : rien n’est encore décidé sur cette dépense.", lien, "Voir")
    derniere = decisions[-1]
    fait = derniere.fait
    assert isinstance(fait, DepenseControlee)
    decide = f"par {fait.controleur or derniere.acteur}, le {jour(derniere.date_effet)}"
    valide = (
        f"Contrôle validé le {jour(bilan.csf.valide_le)}."
        if bilan.csf.statut == "valide" and bilan.csf.valide_le
        else "Contrôle non validé."
    )
    if not fait.montant_ecarte_centimes:
        texte = f"Retenue en entier {decide}. {valide}"
    else:
        motif = MOTIFS.get(fait.motif_code or "", "sans motif")
        commentaire = f" « {fait.commentaire} »" if fait.commentaire else ""
        texte = (
            f"{euros(fait.montant_ecarte_centimes)} écartés {decide} : {motif}.{commentaire} "
            f"{valide}"
        )
    return Compte(titre, phrase(texte), lien, "Voir le contrôle")


def _certification(convention: Convention) -> Compte:
    transmis, certifie = convention.cout_total_transmis, convention.cout_total_certifie
    if not transmis:
        texte = "Rien de cette opération n’est encore transmis à l’autorité de gestion."
    else:
        texte = (
            f"Les états de dépenses portent sur l’opération entière : {euros(transmis)} de coût "
            f"total transmis, dont {euros(certifie)} certifiés."
        )
    return Compte("Certification", phrase(texte))


# --- Findings, documents, story ------------------------------------------------------------------


def _constat(constat: Constat) -> ConstatVu:
    return ConstatVu(
        intitule=TESTS[constat.test],
        statut=STATUTS_DES_CONSTATS[constat.statut],
        niveau=_NIVEAUX_DES_CONSTATS[constat.statut],
        message=phrase(constat.message),
        article=constat.article,
        valeurs=tuple((v.nom, v.valeur) for v in constat.valeurs),
    )


def _pieces(
    histoire: Sequence[EvenementLu], deposee: Callable[[str], bool]
) -> tuple[PieceVue, ...]:
    """Return the documents of every fact, each once, the first time that it was joined."""
    vues: dict[str, PieceVue] = {}
    for lu in histoire:
        for piece in lu.fait.pieces:
            ici = deposee(piece.sha256)
            vues.setdefault(
                piece.sha256,
                PieceVue(
                    libelle=phrase(piece.libelle),
                    sha256=piece.sha256,
                    jointe_le=lu.date_effet,
                    par=lu.acteur,
                    deposee=ici,
                    apercu=_apercu(piece.libelle) if ici else None,
                ),
            )
    return tuple(vues.values())


def _apercu(libelle: str) -> Apercu | None:
    """Tell how a document can be shown, by its name; its bytes decide when it is asked for."""
    extension = PurePath(libelle).suffix.lower()
    if extension in IMAGES:
        return "image"
    return "cadre" if extension in CADRES else None


def _histoire(lus: Sequence[EvenementLu]) -> tuple[FaitVu, ...]:
    changes = changements(lus, {})
    vus = []
    for lu in lus:
        connu = lu.enregistre_le.astimezone(PARIS)
        vus.append(
            FaitVu(
                position=lu.position,
                le=lu.date_effet,
                saisi_le=None if connu.date() == lu.date_effet else connu.date(),
                connu=lu.enregistre_le,
                acteur=lu.acteur,
                role=ROLES.get(lu.role, lu.role),
                phrase=phrase(lu.phrase),
                motif=lu.motif,
                changements=(
                    *(phrase(c.phrase) for c in changes.get(lu.position, ())),
                    *(phrase(f"Pièce : {piece.libelle}") for piece in lu.fait.pieces),
                ),
            )
        )
    return tuple(vus)


# --- The route -----------------------------------------------------------------------------------


@router.get("/depenses/{depense_id:uuid}", name="page_une_depense")
def page_une_depense(
    request: Request,
    depense_id: UUID,
    dates: DatesDemandees,
    lecture: Lecture,
    service: ServiceOuvert,
) -> HTMLResponse:
    """Affiche une dépense : déclaration, pièces, constats, histoire."""
    if not dates.lisibles:
        return sans_situation(
            request,
            dates,
            {},
            page="page_depenses",
            titre="Dépense",
            quoi="Cette dépense n’existe pas encore dans cette situation",
        )
    montree = vue(lire_depense(lecture, depense_id, dates), dates, service.pieces.contient)
    ici = request.url.path
    joindre = "joindre_pieces_depense"
    present = dates.situation.actuelle
    reponse = page(
        request,
        "depense.html",
        vue=montree,
        joindre=lien_acte(joindre, depense_id)
        if present and not montree.annulee and permis(request, joindre)
        else None,
        cle=new_id(),
        retour=f"{ici}#pieces",
        aujourdhui=today().isoformat(),
        actes=[
            (titre, lien_acte(nom, depense_id, retour=ici))
            for nom, titre in (("corriger_depense", "Corriger"), ("annuler_depense", "Annuler"))
            if montree.modifiable and present and permis(request, nom)
        ],
    )
    if any(p.apercu == "cadre" for p in montree.pieces):
        reponse.headers["Content-Security-Policy"] = _POLITIQUE_AVEC_CADRE
    return reponse
