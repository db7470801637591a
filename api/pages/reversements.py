"""Money asked back, and what is certified: the other two pages of payments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.deps import PRESENT, Dates, DatesDemandees, Lecture, LectureOuverte
from api.filters import entier, euros, jour
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.ecriture import majuscule, phrase
from api.pages.gabarits import templates
from api.pages.lignes_paiement import (
    Bouton,
    Delai,
    Fait,
    Lecteur,
    LigneDeSomme,
    LigneVue,
    Onglet,
    lien_de_provenance,
    lien_du_fait,
)
from api.tableaux import Cellule, Colonne, Format, Ligne, Releve, Tableau, liens, repondre
from oi_service import clock
from projections import paiements as projection_paiements
from projections import reversements as projection
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, CurseurInvalide, Page
from projections.instantane import instantane
from projections.reversements import EtatOrdre, LigneCertification, LigneOrdre
from projections.trop_percus import TropPercu, trop_percus

router = APIRouter(prefix="/paiements")

Liste = Literal["a-emettre", "emis", "contestes", "soldes", "avances"]

LISTES: Mapping[Liste, tuple[str, tuple[EtatOrdre, ...]]] = {
    "a-emettre": ("À émettre", ()),
    "emis": ("Émis", projection.EN_COURS),
    "contestes": ("Contestés", ("conteste",)),
    "soldes": ("Soldés", projection.FINIS),
    "avances": ("Avances en cours", ()),
}
_PHRASES: Mapping[Liste, str] = {
    "a-emettre": "Payé au-delà de ce qui est dû, une fois le dernier contrôle rendu : à réclamer.",
    "emis": "Ordres de reversement en cours. Ils s’encaissent, ou se compensent avec un paiement "
    "ordonnancé du même bénéficiaire.",
    "contestes": "Ordres que le bénéficiaire conteste : l’ordonnateur tranche.",
    "soldes": "Ordres encaissés, compensés, irrécouvrables ou annulés.",
    "avances": "Avances qu’aucun bilan contrôlé ne fonde encore : rien n’est à réclamer.",
}
_VIDES: Mapping[Liste, tuple[str, str]] = {
    "a-emettre": (
        "Rien n’est à réclamer.",
        (
            "Un trop-perçu apparaît ici quand un contrôle final, un abandon ou une résiliation "
            "laisse dû moins que ce qui est payé."
        ),
    ),
    "emis": ("Aucun ordre n’est en cours.", "Les ordres émis apparaissent ici, par échéance."),
    "contestes": ("Aucun ordre n’est contesté.", "Une contestation enregistrée apparaît ici."),
    "soldes": ("Aucun ordre n’est soldé.", "Les ordres réglés ou abandonnés apparaissent ici."),
    "avances": (
        "Aucune avance ne court.",
        "Une avance versée apparaît ici jusqu’à ce que des dépenses contrôlées la couvrent.",
    ),
}


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demande:
    """What an address of these pages asks; it writes the address of the same page, changed."""

    ici: str
    liste: Liste = "a-emettre"
    recherche: str = ""
    plie: str = ""
    tout: bool = False
    apres: str | None = None
    dates: Dates = PRESENT
    nommee: bool = True  #: the list was asked; else the page chooses where there is work

    def champs(self, *sauf: str) -> dict[str, str]:
        """Say what is asked as fields of a form, the default left out."""
        dits = {
            "liste": "" if self.liste == "a-emettre" else self.liste,
            "recherche": self.recherche,
            "plie": self.plie,
            "tout": "oui" if self.tout else "",
            "apres": self.apres or "",
            **self.dates.requete,
        }
        return {nom: valeur for nom, valeur in dits.items() if valeur and nom not in sauf}

    def lien(self, **changements: Any) -> str:
        """Return the address of the page, changed, from its beginning unless said otherwise."""
        asked = replace(self, **{"apres": None, **changements}).champs()
        return f"{self.ici}?{urlencode(asked)}" if asked else self.ici

    @property
    def filtree(self) -> bool:
        """Tell whether something keeps lines out of the list."""
        return bool(self.recherche or self.plie)

    @property
    def filtres(self) -> dict[str, Any]:
        """The filters, as the queries take them."""
        return {"plie": self.plie or None, "recherche": self.recherche or None}


def demande(
    request: Request,
    dates: DatesDemandees,
    liste: str = "",
    recherche: Annotated[str, Query(max_length=200)] = "",
    plie: Annotated[str, Query(max_length=64)] = "",
    tout: str = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> Demande:
    """Read what an address asks; what it names and does not exist asks for nothing."""
    return Demande(
        ici=request.url.path.removesuffix("/export"),
        liste=next((x for x in LISTES if x == liste), "a-emettre"),
        recherche=" ".join(recherche.replace("\0", "").split()),
        plie=plie.replace("\0", ""),
        tout=tout == "oui",
        apres=apres or None,
        dates=dates,
        nommee=liste in LISTES,
    )


DemandeLue = Annotated[Demande, Depends(demande)]


# --- Lines ---------------------------------------------------------------------------------------


def _trop_percu(t: TropPercu, lecteur: Lecteur, plie: str) -> LigneVue:
    dates = lecteur.dates
    paye = lien_de_provenance("fse_paye", dates, operation=t.operation_id)
    du = lien_de_provenance("fse_retenu_csf", dates, operation=t.operation_id)
    retires = (
        ("irrécouvrable", t.irrecouvrable),
        ("déjà réclamé", t.a_encaisser),
    )
    fin = (
        LigneDeSomme("=", "à réclamer", t.a_reclamer, total=True)
        if t.nature == "indu"
        else LigneDeSomme("=", "payé et pas encore dû", t.montant - t.a_encaisser, total=True)
    )
    return LigneVue(
        ancre=f"trop-percu-{t.operation_id}",
        titre="Trop-perçu à reverser" if t.nature == "indu" else "Avance à couvrir par un bilan",
        beneficiaire=t.beneficiaire,
        dossier=t.numero_mdfse,
        lien=lien_du_fait(t.numero_mdfse, None, dates),
        plie=plie,
        somme=(
            LigneDeSomme("", "payé, net des retours", t.paye, paye),
            LigneDeSomme("−", "FSE dû après contrôle", t.du, du),
            *(LigneDeSomme("−", mots, montant) for mots, montant in retires if montant),
            fin,
        ),
        faits=(),
        attend="le comptable" if t.a_reclamer else None,
        boutons=lecteur.bouton(
            "Émettre un ordre de reversement",
            "emettre_ordre_reversement",
            t.operation_id,
            principal=True,
        )
        if t.a_reclamer
        else (),
    )


def _ordre(o: LigneOrdre, lecteur: Lecteur, le: date) -> LigneVue:
    dates = lecteur.dates
    retires = (
        ("encaissé", o.encaisse),
        ("compensé", o.compense),
        ("irrécouvrable", o.perdu),
        ("annulé", o.montant - o.encaisse - o.compense - o.perdu - o.reste),
    )
    return LigneVue(
        ancre=f"ordre-{o.id}",
        titre=f"Ordre de reversement, {o.etat_libelle}",
        beneficiaire=o.beneficiaire,
        dossier=o.numero_mdfse,
        lien=lien_du_fait(o.numero_mdfse, None, dates),
        plie=o.plie_nom,
        somme=(
            LigneDeSomme("", "réclamé", o.montant, lien_du_fait(o.numero_mdfse, o.position, dates)),
            *(LigneDeSomme("−", mots, montant) for mots, montant in retires if montant),
            LigneDeSomme("=", "reste à recouvrer", o.reste, total=True),
        ),
        faits=tuple(_faits(o, dates)),
        delai=_echeance(o, le),
        precision=None if o.motif is None else phrase(o.motif),
        attend={"conteste": "l’ordonnateur"}.get(o.etat, "le bénéficiaire") if o.reste else None,
        boutons=tuple(_boutons(o, lecteur)),
    )


def _faits(o: LigneOrdre, dates: Dates) -> Iterable[Fait]:
    numero = o.numero_mdfse
    yield Fait("émis", o.emis_par, o.emis_le, lien_du_fait(numero, o.position, dates))
    for libelle, le in (("notifié", o.notifie_le), ("contesté", o.conteste_le)):
        if le is not None:
            yield Fait(libelle, None, le, lien_du_fait(numero, None, dates))
    if o.etat in projection.FINIS:
        yield Fait(o.etat_libelle, None, o.le, lien_du_fait(numero, o.dernier, dates))


def _echeance(o: LigneOrdre, le: date) -> Delai | None:
    if not o.reste:
        return None
    retard = (le - o.echeance).days
    if retard > 0:
        jours = f"{entier(retard)}\u00a0{'jours' if retard > 1 else 'jour'}"
        return Delai(f"En retard de {jours}", "grave", f"à verser avant le {jour(o.echeance)}")
    return Delai(f"À verser avant le {jour(o.echeance)}", "information", "")


def _boutons(o: LigneOrdre, lecteur: Lecteur) -> Iterable[Bouton]:
    cibles = (o.operation_id, o.id)
    if not o.reste:
        if o.perdu:
            yield from lecteur.bouton("Rétablir la créance", "retablir_creance", *cibles)
        return
    if o.etat == "conteste":
        yield from lecteur.bouton(
            "Trancher la contestation", "trancher_contestation", *cibles, principal=True
        )
        yield from lecteur.bouton("Annuler l’ordre", "annuler_ordre_reversement", *cibles)
        return
    if o.etat == "emis":
        yield from lecteur.bouton("Notifier", "notifier_ordre_reversement", *cibles, principal=True)
    yield from lecteur.bouton(
        "Encaisser", "encaisser_reversement", *cibles, principal=o.etat == "notifie"
    )
    yield from lecteur.bouton("Compenser", "compenser_ordre_reversement", *cibles)
    if o.etat == "notifie":
        yield from lecteur.bouton("Contestation reçue", "contester_ordre_reversement", *cibles)
    yield from lecteur.bouton("Irrécouvrable", "declarer_irrecouvrable", *cibles)
    yield from lecteur.bouton("Annuler l’ordre", "annuler_ordre_reversement", *cibles)


# --- The page of orders --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VueListe:
    """All that a page shows."""

    situation: SituationVue
    titre: str
    phrase: str
    resume: str
    onglets: tuple[Onglet, ...]
    lignes: tuple[LigneVue, ...]
    recherche: str
    plies: tuple[tuple[str, str], ...]
    plie: str
    caches: tuple[tuple[str, str], ...]
    filtree: bool
    sans_filtre: str
    vide: tuple[str, str]
    debut: str | None
    suite: str | None
    fichiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Releves:
    """What the queries say, all at the same instant."""

    nombres: Mapping[str, int]
    trop_percus: tuple[TropPercu, ...]
    page: Page[LigneOrdre]
    plies: tuple[tuple[str, str], ...]
    position: int


def lire(
    lecture: LectureOuverte,
    demande: Demande,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Releves:
    """Read what the page shows. Raises: CurseurInvalide."""
    conn, perimetre, situation = lecture.conn, lecture.perimetre, demande.dates.situation
    with instantane(conn):
        return Releves(
            nombres=projection.nombres_par_etat(conn, perimetre, situation),
            trop_percus=tuple(trop_percus(conn, perimetre, situation)),
            page=_ordres(lecture, demande, limite, apres),
            plies=projection_paiements.plies(conn, perimetre),
            position=projection_paiements.position(conn, situation),
        )


def _ordres(
    lecture: LectureOuverte, demande: Demande, limite: int, apres: str | None
) -> Page[LigneOrdre]:
    etats = LISTES[demande.liste][1]
    if not etats:
        return Page((), None)
    return projection.ordres(
        lecture.conn,
        lecture.perimetre,
        demande.dates.situation,
        etats=etats,
        **demande.filtres,
        limite=limite,
        apres=apres or demande.apres,
    )


def _du_trop_percu(releves: Releves, liste: Liste) -> list[TropPercu]:
    """Return what was paid above its due that belongs to a list, whatever its filters."""
    if liste == "a-emettre":
        return [t for t in releves.trop_percus if t.a_reclamer]
    if liste == "avances":
        return [t for t in releves.trop_percus if t.nature == "avance"]
    return []


def _garde(demande: Demande, t: TropPercu) -> bool:
    mots = f"{t.numero_mdfse} {t.beneficiaire}".lower()
    return (not demande.plie or t.plie_id == demande.plie) and demande.recherche.lower() in mots


def vue(demande: Demande, releves: Releves, lecteur: Lecteur) -> VueListe:
    """Prepare the page."""
    noms = dict(releves.plies)
    le = demande.dates.jour or clock.today()
    payes = [t for t in _du_trop_percu(releves, demande.liste) if _garde(demande, t)]
    lignes = (
        *(_trop_percu(t, lecteur, noms.get(t.plie_id, t.plie_id)) for t in payes),
        *(_ordre(o, lecteur, le) for o in releves.page.lignes),
    )
    suivant = releves.page.suivant
    return VueListe(
        situation=situation_vue(
            demande.dates, demande.champs("au", "connu_le", "apres"), releves.position
        ),
        titre=LISTES[demande.liste][0],
        phrase=phrase(_PHRASES[demande.liste]),
        resume=_resume(lignes, partiel=bool(suivant or demande.apres)),
        onglets=tuple(
            Onglet(
                libelle,
                demande.lien(liste=liste),
                liste == demande.liste,
                sum(releves.nombres.get(e, 0) for e in etats)
                if etats
                else len(_du_trop_percu(releves, liste)),
            )
            for liste, (libelle, etats) in LISTES.items()
        ),
        lignes=lignes,
        recherche=demande.recherche,
        plies=releves.plies,
        plie=demande.plie,
        caches=tuple(demande.champs("recherche", "plie", "apres").items()),
        filtree=demande.filtree,
        sans_filtre=demande.lien(recherche="", plie=""),
        vide=_VIDES[demande.liste],
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=suivant) if suivant else None,
        fichiers=tuple(liens(f"{demande.ici}/export", demande.champs("apres"))),
    )


def _resume(lignes: tuple[LigneVue, ...], *, partiel: bool) -> str:
    """Say how many lines are shown, and the sum of what closes them."""
    suite = " sur cette page" if partiel else ""
    accord = "" if len(lignes) < 2 else "s"
    total = sum(ligne.somme[-1].montant for ligne in lignes)
    return f"{entier(len(lignes))} ligne{accord}{suite}, {euros(total)}"


@router.get("/reversements", name="page_reversements")
def page_reversements(request: Request, demande: DemandeLue, lecture: Lecture) -> HTMLResponse:
    """Affiche les ordres de reversement : à émettre, émis, contestés, soldés."""
    if not demande.dates.lisibles:
        return _illisible(request, demande, "page_reversements", "Reversements")
    with instantane(lecture.conn):
        try:
            releves = lire(lecture, demande)
        except CurseurInvalide:
            demande = replace(demande, apres=None)
            releves = lire(lecture, demande)
        if not demande.nommee and _rien_a_emettre(releves):
            demande = replace(demande, liste="emis")
            ordres = _ordres(lecture, demande, LIMITE_PAR_DEFAUT, None)
            releves = replace(releves, page=ordres)
    lecteur = Lecteur(request, demande.dates, demande.lien())
    return templates().TemplateResponse(
        request, "reversements.html", {"vue": vue(demande, releves, lecteur)}
    )


def _rien_a_emettre(releves: Releves) -> bool:
    """Tell whether nothing is to ask back, and something that was asked is to come."""
    en_cours = any(releves.nombres.get(etat) for etat in LISTES["emis"][1])
    return en_cours and not _du_trop_percu(releves, "a-emettre")


def _illisible(request: Request, demande: Demande, page: str, titre: str) -> HTMLResponse:
    return sans_situation(
        request,
        demande.dates,
        demande.champs("au", "connu_le"),
        page=page,
        titre=titre,
        quoi="Rien n’existe encore dans cette situation",
    )


_COLONNES = (
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("dossier", "Dossier", "code"),
    Colonne("plie", "PLIE"),
    Colonne("etat", "État"),
    Colonne("paye", "Payé", "euros"),
    Colonne("du", "FSE dû", "euros"),
    Colonne("montant", "Réclamé", "euros"),
    Colonne("encaisse", "Encaissé", "euros"),
    Colonne("compense", "Compensé", "euros"),
    Colonne("perdu", "Irrécouvrable", "euros"),
    Colonne("reste", "Reste", "euros"),
    Colonne("echeance", "Échéance", "jour"),
    Colonne("emis_le", "Émis le", "jour"),
    Colonne("notifie_le", "Notifié le", "jour"),
    Colonne("motif", "Motif"),
)


@router.get("/reversements/export", name="exporter_reversements")
def exporter_reversements(
    demande: DemandeLue,
    lecture: Lecture,
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Écrit la liste affichée, entière, dans un fichier."""
    with instantane(lecture.conn):
        releves = lire(lecture, demande, limite=LIMITE_MAXIMALE)
        lignes = list(_a_ecrire(lecture, demande, releves))
    titre = LISTES[demande.liste][0]
    releve = _releve(demande, releves.position, releves.plies, titre)
    return repondre(
        Tableau(f"Reversements, {titre.lower()}", _COLONNES, lignes),
        releve,
        format,
        f"reversements-{demande.liste}",
    )


def _releve(
    demande: Demande, position: int, plies: tuple[tuple[str, str], ...], liste: str
) -> Releve:
    filtres = [("Liste", liste)]
    if demande.plie:
        filtres.append(("PLIE", dict(plies).get(demande.plie, demande.plie)))
    if demande.recherche:
        filtres.append(("Recherche", demande.recherche))
    return Releve(
        position=position,
        releve_le=clock.now(),
        effet_au=demande.dates.situation.effet_au,
        connu_le=demande.dates.connu_le or None,
        filtres=tuple(filtres),
    )


def _a_ecrire(lecture: LectureOuverte, demande: Demande, releves: Releves) -> Iterable[Ligne]:
    noms = dict(releves.plies)
    for t in _du_trop_percu(releves, demande.liste):
        if _garde(demande, t):
            yield _cellules(
                {
                    "beneficiaire": t.beneficiaire,
                    "dossier": t.numero_mdfse,
                    "plie": noms.get(t.plie_id, t.plie_id),
                    "etat": "à émettre" if t.a_reclamer else "avance en cours",
                    "paye": t.paye,
                    "du": t.du,
                    "perdu": t.irrecouvrable,
                    "montant": t.a_encaisser,
                    "reste": t.a_reclamer or t.montant - t.a_encaisser,
                }
            )
    page = releves.page
    while True:
        for o in page.lignes:
            valeurs = {c.nom: getattr(o, c.nom) for c in _COLONNES if hasattr(o, c.nom)}
            valeurs |= {"dossier": o.numero_mdfse, "plie": o.plie_nom, "etat": o.etat_libelle}
            yield _cellules(valeurs)
        if page.suivant is None:
            return
        page = lire(lecture, demande, limite=LIMITE_MAXIMALE, apres=page.suivant).page


def _cellules(valeurs: Mapping[str, Any]) -> Ligne:
    return Ligne({nom: Cellule(valeur) for nom, valeur in valeurs.items() if valeur is not None})


# --- Certification -------------------------------------------------------------------------------

_CERTIFIEES = (
    Colonne("dossier", "Dossier", "code"),
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("plie", "PLIE"),
    Colonne(
        "fse_retenu", "Retenu CSF", "euros", "FSE dû après le dernier contrôle de service fait."
    ),
    Colonne(
        "fse_transmis",
        "Transmis",
        "euros",
        "Envoyé à l’autorité de gestion dans un état de dépenses.",
    ),
    Colonne(
        "fse_certifie", "Certifié", "euros", "Inclus dans un appel de fonds, retraits déduits."
    ),
    Colonne("a_transmettre", "À transmettre", "euros"),
    Colonne("a_certifier", "À certifier", "euros"),
    Colonne("a_retirer", "À retirer", "euros"),
)
_TRANSMISES = (
    *_CERTIFIEES,
    Colonne("ct_retenu", "Coût total retenu", "euros"),
    Colonne("ct_transmis", "Coût total transmis", "euros"),
    Colonne("ct_certifie", "Coût total certifié", "euros"),
)


@dataclass(frozen=True, slots=True)
class VueCertification:
    """All that the page shows; the acts of each line, by the anchor of the line."""

    situation: SituationVue
    tableau: Tableau
    nombre: int
    actes: Mapping[str, tuple[Bouton, ...]]
    recherche: str
    plies: tuple[tuple[str, str], ...]
    plie: str
    tout: bool
    caches: tuple[tuple[str, str], ...]
    filtree: bool
    sans_filtre: str
    lien_tout: str
    debut: str | None
    suite: str | None
    fichiers: tuple[tuple[str, str], ...]


def _certification(c: LigneCertification, dates: Dates) -> Ligne:
    """Return a line; each figure leads to its movements."""
    mesures = {
        "fse_retenu": "fse_retenu_csf",
        "fse_transmis": "fse_transmis",
        "fse_certifie": "fse_certifie",
    }
    cellules = {
        "dossier": Cellule(c.numero_mdfse, lien_du_fait(c.numero_mdfse, None, dates)),
        "beneficiaire": Cellule(c.beneficiaire),
        "plie": Cellule(c.plie_nom),
        **{
            nom: Cellule(
                getattr(c, nom), lien_de_provenance(mesure, dates, operation=c.operation_id)
            )
            for nom, mesure in mesures.items()
        },
        "a_transmettre": Cellule(c.a_transmettre or None),
        "a_certifier": Cellule(c.a_certifier or None),
        "a_retirer": Cellule(c.a_retirer or None),
        "ct_retenu": Cellule(c.ct_retenu),
        "ct_transmis": Cellule(c.ct_transmis),
        "ct_certifie": Cellule(c.ct_certifie),
    }
    return Ligne(cellules, ancre=f"certification-{c.operation_id}")


def _a_certifier(c: LigneCertification, lecteur: Lecteur) -> Iterable[Bouton]:
    cible = c.operation_id
    if c.a_transmettre > 0:
        yield from lecteur.bouton("Transmettre", "transmettre_etat", cible, principal=True)
    if c.a_certifier > 0:
        yield from lecteur.bouton("Certifier", "enregistrer_certification", cible)
    if c.fse_certifie > 0:
        yield from lecteur.bouton("Retirer", "enregistrer_retrait", cible)


@router.get("/certification", name="page_certification")
def page_certification(request: Request, demande: DemandeLue, lecture: Lecture) -> HTMLResponse:
    """Affiche ce qui est à transmettre, à certifier, à retirer, opération par opération."""
    if not demande.dates.lisibles:
        return _illisible(request, demande, "page_certification", "Certification")
    try:
        page, plies, position = _lire_certifications(lecture, demande)
    except CurseurInvalide:
        demande = replace(demande, apres=None)
        page, plies, position = _lire_certifications(lecture, demande)
    lecteur = Lecteur(request, demande.dates, demande.lien())
    shown = VueCertification(
        situation=situation_vue(demande.dates, demande.champs("au", "connu_le", "apres"), position),
        tableau=Tableau(
            "Certification",
            _CERTIFIEES,
            [_certification(c, demande.dates) for c in page.lignes],
        ),
        nombre=len(page.lignes),
        actes={
            f"certification-{c.operation_id}": tuple(_a_certifier(c, lecteur)) for c in page.lignes
        },
        recherche=demande.recherche,
        plies=plies,
        plie=demande.plie,
        tout=demande.tout,
        caches=tuple(demande.champs("recherche", "plie", "apres").items()),
        filtree=demande.filtree,
        sans_filtre=demande.lien(recherche="", plie=""),
        lien_tout=demande.lien(tout=not demande.tout),
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=page.suivant) if page.suivant else None,
        fichiers=tuple(liens(f"{demande.ici}/export", demande.champs("apres"))),
    )
    return templates().TemplateResponse(request, "certification.html", {"vue": shown})


def _lire_certifications(
    lecture: LectureOuverte,
    demande: Demande,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> tuple[Page[LigneCertification], tuple[tuple[str, str], ...], int]:
    conn, perimetre, situation = lecture.conn, lecture.perimetre, demande.dates.situation
    with instantane(conn):
        return (
            projection.certifications(
                conn,
                perimetre,
                situation,
                **demande.filtres,
                tout=demande.tout,
                limite=limite,
                apres=apres or demande.apres,
            ),
            projection_paiements.plies(conn, perimetre),
            projection_paiements.position(conn, situation),
        )


@router.get("/certification/export", name="exporter_certification")
def exporter_certification(
    demande: DemandeLue,
    lecture: Lecture,
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Écrit la liste affichée, entière, dans un fichier."""
    lignes: list[Ligne] = []
    with instantane(lecture.conn):
        page, plies, position = _lire_certifications(lecture, demande, LIMITE_MAXIMALE)
        lignes += [_certification(c, demande.dates) for c in page.lignes]
        while page.suivant is not None:
            page, _, _ = _lire_certifications(lecture, demande, LIMITE_MAXIMALE, page.suivant)
            lignes += [_certification(c, demande.dates) for c in page.lignes]
    quoi = "toutes les opérations contrôlées" if demande.tout else "ce qui n’est pas certifié"
    return repondre(
        Tableau("Certification", _TRANSMISES, lignes),
        _releve(demande, position, plies, majuscule(quoi)),
        format,
        "certification",
    )
