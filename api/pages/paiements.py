"""The payments of the whole territory: what is due, what waits for whom, what the bank said.

An amount is never typed here: it comes from the control, less what was paid, and shows as a sum.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.deps import PRESENT, Dates, DatesDemandees, Lecture, LectureOuverte
from api.droits import COMPTABLE, ORDONNATEUR
from api.filters import entier, euros, jour
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.ecriture import phrase
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
from api.pages.presence import qui_lit
from api.tableaux import Cellule, Colonne, Format, Ligne, Releve, Tableau, liens, repondre
from oi_service import clock
from projections import horloges as projection_horloges
from projections import paiements as projection
from projections.curseurs import LIMITE_MAXIMALE, LIMITE_PAR_DEFAUT, CurseurInvalide, Page
from projections.horloges import HorlogeDeBilan
from projections.instantane import instantane
from projections.paiements import APreparer, LignePaiement, Nombre, StatutPaiement, Terme

router = APIRouter(prefix="/paiements")

Etape = Literal["a-preparer", "a-ordonnancer", "a-virer", "envoyes", "rejetes", "delais"]
Tri = projection.Tri

#: The steps in which a payment is looked for, and the states of each.
ETAPES: Mapping[Etape, tuple[str, tuple[StatutPaiement, ...]]] = {
    "a-preparer": ("À préparer", ()),
    "a-ordonnancer": ("À ordonnancer", ("prepare",)),
    "a-virer": ("À virer", ("ordonnance",)),
    "envoyes": ("Envoyés", ("effectue", "acquitte")),
    "rejetes": ("Rejetés, annulés", ("rejete", "annule")),
    "delais": ("Délais de paiement", ()),
}
_PHRASES: Mapping[Etape, str] = {
    "a-preparer": "Ce qui est dû après un contrôle de service fait validé, et que rien ne paie "
    "encore. Le montant vient du contrôle : il ne se saisit pas.",
    "a-ordonnancer": "Paiements préparés. Une autre personne que celle qui a préparé les "
    "ordonnance, avec son second facteur.",
    "a-virer": "Paiements ordonnancés. Le virement s’enregistre à sa date de valeur, avec sa "
    "référence.",
    "envoyes": "Virements partis. Chacun attend la confirmation de la banque, ou son rejet.",
    "rejetes": "Virements que la banque a renvoyés, paiements annulés avant leur départ.",
    "delais": "Bilans déposés et pas encore payés : le délai court du dépôt au virement.",
}
_VIDES: Mapping[Etape, tuple[str, str]] = {
    "a-preparer": (
        "Rien n’est à préparer.",
        (
            "Tout ce que les contrôles validés rendent dû est déjà versé, ordonnancé ou préparé. "
            "Un paiement apparaît ici dès qu’un contrôle de service fait est validé."
        ),
    ),
    "a-ordonnancer": (
        "Rien n’attend l’ordonnateur.",
        "Un paiement apparaît ici dès qu’un comptable l’a préparé.",
    ),
    "a-virer": (
        "Rien n’est à virer.",
        "Un paiement apparaît ici dès que l’ordonnateur l’a signé.",
    ),
    "envoyes": ("Aucun virement n’est parti.", "Les virements enregistrés apparaissent ici."),
    "rejetes": (
        "Aucun virement n’a été rejeté.",
        "Un rejet de la banque, ou l’annulation d’un paiement, apparaît ici.",
    ),
    "delais": ("Aucun bilan n’attend son paiement.", "Un bilan apparaît ici dès son dépôt."),
}
_TRIS: Mapping[str, Tri] = {
    "le": "le",
    "montant": "montant",
    "beneficiaire": "beneficiaire",
    "numero": "numero",
}


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demande:
    """What an address of the page asks; it writes the address of the same page, changed."""

    etape: Etape = "a-preparer"
    recherche: str = ""
    plie: str = ""
    type: str = ""
    tri: Tri = "le"
    ordre: projection.Ordre = "desc"
    apres: str | None = None
    dates: Dates = PRESENT
    nommee: bool = True  #: the step was asked; else the page chooses where there is work

    def champs(self, *sauf: str) -> dict[str, str]:
        """Say what is asked as fields of a form, the default left out."""
        dits = {
            "etape": self.etape,
            "recherche": self.recherche,
            "plie": self.plie,
            "type": self.type,
            "tri": "" if self.tri == "le" else self.tri,
            "ordre": "" if self.ordre == "desc" else self.ordre,
            "apres": self.apres or "",
            **self.dates.requete,
        }
        return {nom: valeur for nom, valeur in dits.items() if valeur and nom not in sauf}

    def lien(self, **changements: Any) -> str:
        """Return the address of the page, changed, from its beginning unless said otherwise."""
        asked = replace(self, **{"apres": None, **changements})
        return f"{_ICI}?{urlencode(asked.champs())}"

    @property
    def filtree(self) -> bool:
        """Tell whether something keeps lines out of the list."""
        return bool(self.recherche or self.plie or self.type)

    def garde(self, ligne: APreparer | HorlogeDeBilan) -> bool:
        """Tell whether a line that the database did not filter passes the filters."""
        convention = ligne.numero_convention if isinstance(ligne, APreparer) else ""
        mots = f"{ligne.numero_mdfse} {convention} {ligne.beneficiaire}".lower()
        return (not self.plie or ligne.plie_id == self.plie) and self.recherche.lower() in mots


_ICI = "/paiements"


def demande(
    request: Request,
    dates: DatesDemandees,
    etape: str = "",
    recherche: Annotated[str, Query(max_length=200)] = "",
    plie: Annotated[str, Query(max_length=64)] = "",
    type: Annotated[str, Query(max_length=16)] = "",  # noqa: A002 - what people call it
    tri: str = "",
    ordre: str = "",
    apres: Annotated[str, Query(max_length=2000)] = "",
) -> Demande:
    """Read what an address asks; what it names and does not exist asks for nothing."""
    choisie = next((e for e in ETAPES if e == etape), None)
    return Demande(
        etape=choisie or _premiere(request),
        nommee=choisie is not None,
        recherche=" ".join(recherche.replace("\0", "").split()),
        plie=plie.replace("\0", ""),
        type=type if type in projection.TYPES else "",
        tri=_TRIS.get(tri, "le"),
        ordre="asc" if ordre == "asc" else "desc",
        apres=apres or None,
        dates=dates,
    )


DemandeLue = Annotated[Demande, Depends(demande)]


def _premiere(request: Request) -> Etape:
    """Return the step at which somebody works first."""
    identite = qui_lit(request)
    tenus = {a.role for a in identite.attributions} if identite else set()
    return "a-ordonnancer" if ORDONNATEUR in tenus and COMPTABLE not in tenus else "a-preparer"


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VuePaiements:
    """All that the page shows."""

    situation: SituationVue
    etape: Etape
    titre: str
    phrase: str
    resume: str
    onglets: tuple[Onglet, ...]
    lignes: tuple[LigneVue, ...]
    recherche: str
    plies: tuple[tuple[str, str], ...]
    plie: str
    types: tuple[tuple[str, str], ...]
    type: str
    tris: tuple[tuple[str, str, bool], ...]
    caches: tuple[tuple[str, str], ...]
    filtree: bool
    sans_filtre: str
    vide: tuple[str, str]
    debut: str | None
    suite: str | None
    fichiers: tuple[tuple[str, str], ...]


# --- What is to prepare --------------------------------------------------------------------------


_TERMES: Mapping[str, str] = {
    "retenu_jusqu_au_solde": "retenu jusqu’au solde",
    "avances": "avance versée",
    "verse": "déjà versé, net des retours",
    "en_cours": "déjà préparé ou ordonnancé",
    "avance_au_solde": "avance, imputée sur le solde seulement",
}


def _a_preparer(
    du: APreparer, lecteur: Lecteur, horloge: HorlogeDeBilan | None, plie: str
) -> LigneVue:
    dates = lecteur.dates
    return LigneVue(
        ancre=f"du-{du.operation_id}",
        titre=f"{projection.TYPES[du.type]} après le bilan n°\u00a0{du.bilan_numero}",
        beneficiaire=du.beneficiaire,
        dossier=_dossier(du.numero_mdfse, du.intitule),
        lien=lien_du_fait(du.numero_mdfse, None, dates),
        plie=plie,
        somme=(
            *(_terme(t, du, dates) for t in du.termes),
            LigneDeSomme("=", "à payer", du.montant, total=True),
        ),
        faits=(
            Fait(
                "contrôle validé",
                du.valide_par,
                du.valide_le,
                lien_du_fait(du.numero_mdfse, du.position, dates),
            ),
        ),
        marque=("Virement rejeté à refaire", "grave") if du.a_refaire else None,
        attend="le comptable",
        delai=None if horloge is None else _delai(horloge),
        boutons=_boutons_du(du, lecteur),
    )


def _terme(terme: Terme, du: APreparer, dates: Dates) -> LigneDeSomme:
    if terme.code == "fse_du":
        return LigneDeSomme(
            "",
            f"FSE dû, CSF du bilan n°\u00a0{du.bilan_numero}",
            terme.montant,
            lien_du_fait(du.numero_mdfse, du.position, dates),
        )
    paye = terme.code in {"avances", "verse"}
    return LigneDeSomme(
        "−" if terme.montant < 0 else "+",
        _TERMES[terme.code],
        abs(terme.montant),
        lien_de_provenance("fse_paye", dates, operation=du.operation_id) if paye else None,
    )


def _boutons_du(du: APreparer, lecteur: Lecteur) -> tuple[Bouton, ...]:
    """Offer to prepare it; what the bank sent back goes first (`preparations.paiements`)."""
    refait = next(iter(du.a_refaire), None)
    return lecteur.bouton(
        f"Préparer {_LE[du.type]}"
        if refait is None
        else f"Préparer de nouveau {euros(refait.montant)}",
        "preparer_paiement",
        du.operation_id,
        raison="Vous avez validé ce contrôle : une autre personne prépare le paiement."
        if lecteur.est(du.valide_par)
        else None,
        principal=True,
    )


_LE = {"avance": "l’avance", "acompte": "l’acompte", "solde": "le solde"}


# --- What was prepared ---------------------------------------------------------------------------


def _paiement(p: LignePaiement, lecteur: Lecteur) -> LigneVue:
    suite = "" if p.bilan_numero is None else f" après le bilan n°\u00a0{p.bilan_numero}"
    return LigneVue(
        ancre=f"paiement-{p.id}",
        titre=f"{p.type_libelle}{suite}",
        beneficiaire=p.beneficiaire,
        dossier=_dossier(p.numero_mdfse, p.intitule),
        lien=lien_du_fait(p.numero_mdfse, None, lecteur.dates),
        plie=p.plie_nom,
        somme=_somme(p, lecteur.dates),
        faits=tuple(_faits(p, lecteur.dates)),
        marque=_marque(p),
        precision=_precision(p),
        attend=_ATTEND.get(p.statut),
        boutons=_boutons(p, lecteur),
    )


_ATTEND: Mapping[str, str] = {
    "prepare": "l’ordonnateur",
    "ordonnance": "le comptable",
    "effectue": "la banque",
}


def _somme(p: LignePaiement, dates: Dates) -> tuple[LigneDeSomme, ...]:
    """Say an amount as the sum that it was made of when it was ordered, or prepared."""
    ici = f"{_ICI}/{p.operation_id}/{p.id}"
    lignes = list(_fondement(p, dates))
    lignes.append(
        LigneDeSomme("=" if lignes else "", "montant du paiement", p.montant, ici, total=True)
    )
    if p.compense:
        lignes.append(LigneDeSomme("−", "réglé par compensation", p.compense, ici))
        lignes.append(LigneDeSomme("=", "virement", p.a_virer, ici, total=True))
    return tuple(lignes)


def _fondement(p: LignePaiement, dates: Dates) -> Iterable[LigneDeSomme]:
    """What was due, less what was paid: nothing for an avance, which no control founds."""
    if p.csf_id is None or p.fse_du is None or p.paye_avant is None:
        return
    paye = lien_de_provenance("fse_paye", dates, operation=p.operation_id)
    position = p.ordonnance_position or p.prepare_position
    yield LigneDeSomme(
        "", "FSE dû après contrôle", p.fse_du, lien_du_fait(p.numero_mdfse, position, dates)
    )
    avances = min(p.avances_avant, max(p.paye_avant, 0))
    if avances:
        yield LigneDeSomme("−", "avance versée", avances, paye)
    if verse := p.paye_avant - avances:
        yield LigneDeSomme(_signe(-verse), "déjà versé, net des retours", abs(verse), paye)
    # Prepared or ordered beside, held back until the solde, compensated on what it replaces.
    if autre := p.montant - (p.fse_du - p.paye_avant):
        yield LigneDeSomme(_signe(autre), "réglé ou retenu à part", abs(autre))


def _signe(centimes: int) -> str:
    return "−" if centimes < 0 else "+"


def _faits(p: LignePaiement, dates: Dates) -> Iterable[Fait]:
    dits = (
        ("préparé", p.prepare_par, p.prepare_le, p.prepare_position),
        ("ordonnancé", p.ordonnance_par, p.ordonnance_le, p.ordonnance_position),
        ("viré", None, p.effectue_le, p.effectue_position),
        ("acquitté", None, p.acquitte_le, p.acquitte_position),
        ("rejeté", None, p.rejete_le, p.rejete_position),
    )
    for libelle, qui, le, position in dits:
        if le is not None:
            yield Fait(libelle, qui, le, lien_du_fait(p.numero_mdfse, position, dates))
    if p.statut == "annule":
        yield Fait("annulé", None, p.le, lien_du_fait(p.numero_mdfse, p.position, dates))


def _marque(p: LignePaiement) -> tuple[str, str] | None:
    match p.statut:
        case "effectue":
            return "Confirmation attendue", "attention"
        case "acquitte":
            return "Acquitté", "information"
        case "rejete" if p.remplace_depuis:
            return "Rejeté, payé de nouveau", "information"
        case "rejete":
            return "Rejeté, à refaire", "grave"
        case "annule":
            return "Annulé", "information"
        case _:
            return ("Remplace un rejet", "attention") if p.remplace else None


def _precision(p: LignePaiement) -> str | None:
    if p.motif:
        return phrase(f"Motif : {p.motif}")
    if p.reference:
        return phrase(f"Virement {p.reference} vers {p.iban_masque}")
    return None


def _boutons(p: LignePaiement, lecteur: Lecteur) -> tuple[Bouton, ...]:
    match p.statut:
        case "prepare":
            raison = (
                f"Vous avez préparé ce paiement le {jour(p.prepare_le)} : une autre personne "
                "l’ordonnance."
                if p.prepare_le and lecteur.est(p.prepare_par)
                else None
            )
            return (
                *_acte(lecteur, p, "Ordonnancer", "ordonnancer_paiement", raison, principal=True),
                *_acte(lecteur, p, "Annuler", "annuler_paiement"),
            )
        case "ordonnance":
            raison = (
                f"Vous avez ordonnancé ce paiement le {jour(p.ordonnance_le)} : une autre "
                "personne enregistre son virement."
                if p.ordonnance_le and lecteur.est(p.ordonnance_par)
                else None
            )
            return (
                *_acte(
                    lecteur,
                    p,
                    "Enregistrer le virement",
                    "effectuer_paiement",
                    raison,
                    principal=True,
                ),
                *_acte(lecteur, p, "Annuler", "annuler_paiement"),
            )
        case "effectue":
            return (
                *_acte(lecteur, p, "Acquitter", "acquitter_paiement", principal=True),
                *_acte(lecteur, p, "Rejeté par la banque", "rejeter_paiement"),
            )
        case "rejete" if not p.remplace_depuis and p.a_virer:
            return lecteur.bouton(
                "Préparer de nouveau", "preparer_paiement", p.operation_id, principal=True
            )
        case _:
            return ()


def _acte(
    lecteur: Lecteur,
    p: LignePaiement,
    libelle: str,
    nom: str,
    raison: str | None = None,
    *,
    principal: bool = False,
) -> tuple[Bouton, ...]:
    return lecteur.bouton(
        libelle,
        nom,
        p.operation_id,
        p.id,
        raison=None if raison is None else phrase(raison),
        principal=principal,
    )


# --- Clocks --------------------------------------------------------------------------------------


def _delai(h: HorlogeDeBilan) -> Delai:
    """Say how much of the delay of a bilan is left."""
    ecoules = f"{_jours(h.jours_consommes)} sur {entier(h.delai_jours)} depuis le dépôt"
    if h.interrompue:
        return Delai("Interrompu", "information", phrase(f"{h.cause_libelle} ; {ecoules}"))
    assert h.echeance is not None
    reste = h.delai_jours - h.jours_consommes
    if reste < 0:
        dit, niveau = f"Dépassé de {_jours(-reste)}", "grave"
    else:
        dit = "Dernier jour" if reste == 0 else f"Reste {_jours(reste)}"
        niveau = "attention" if (h.alerte or 0) >= _ALERTE_PCT else "information"
    return Delai(dit, niveau, phrase(f"à payer au plus tard le {jour(h.echeance)} ; {ecoules}"))


#: Share of the delay from which the time that is left stands out.
_ALERTE_PCT = 75


def _jours(nombre: int) -> str:
    return f"{entier(nombre)}\u00a0{'jours' if nombre > 1 else 'jour'}"


def _horloge(h: HorlogeDeBilan, lecteur: Lecteur, plie: str) -> LigneVue:
    final = "final" if h.type == "final" else "intermédiaire"
    cibles = (h.operation_id, h.bilan_id)
    acte = (
        lecteur.bouton("Laisser repartir le délai", "reprendre_delai", *cibles)
        if h.interrompue
        else lecteur.bouton("Interrompre le délai", "interrompre_delai", *cibles)
    )
    return LigneVue(
        ancre=f"delai-{h.bilan_id}",
        titre=f"Bilan {final} n°\u00a0{h.numero}",
        beneficiaire=h.beneficiaire,
        dossier=h.numero_mdfse,
        lien=lien_du_fait(h.numero_mdfse, None, lecteur.dates),
        plie=plie,
        somme=(
            LigneDeSomme(
                "",
                "FSE demandé par le bilan",
                h.fse_declare,
                lien_de_provenance("fse_declare", lecteur.dates, operation=h.operation_id),
            ),
        ),
        faits=(
            Fait("déposé", None, h.depose_le, lien_du_fait(h.numero_mdfse, None, lecteur.dates)),
        ),
        delai=_delai(h),
        boutons=acte,
    )


def _dossier(numero: str, intitule: str) -> str:
    return f"{numero}, {intitule}"


# --- The page ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Releves:
    """What the queries say, all at the same instant."""

    nombres: Mapping[str, Nombre]
    a_preparer: tuple[APreparer, ...]
    page: Page[LignePaiement]
    horloges: tuple[HorlogeDeBilan, ...]
    plies: tuple[tuple[str, str], ...]
    position: int


def lire(
    lecture: LectureOuverte,
    demande: Demande,
    *,
    limite: int = LIMITE_PAR_DEFAUT,
    apres: str | None = None,
) -> Releves:
    """Read what the page shows; the lines of a step only where that step is asked."""
    conn, perimetre, situation = lecture.conn, lecture.perimetre, demande.dates.situation
    with instantane(conn):
        dus = projection.a_preparer(conn, perimetre, situation)
        le = demande.dates.jour or clock.today()
        operations = None if demande.etape == "delais" else {d.operation_id for d in dus}
        attendues = demande.etape == "delais" or (demande.etape == "a-preparer" and bool(dus))
        return Releves(
            nombres=projection.nombres_par_statut(conn, perimetre, situation),
            a_preparer=dus,
            page=_page(lecture, demande, limite, apres),
            horloges=projection_horloges.horloges(conn, perimetre, le, operations=operations)
            if attendues
            else (),
            plies=projection.plies(conn, perimetre),
            position=projection.position(conn, situation),
        )


def _page(
    lecture: LectureOuverte, demande: Demande, limite: int, apres: str | None
) -> Page[LignePaiement]:
    statuts = ETAPES[demande.etape][1]
    if not statuts:
        return Page((), None)
    return projection.paiements(
        lecture.conn,
        lecture.perimetre,
        demande.dates.situation,
        statuts=statuts,
        plie=demande.plie or None,
        type_paiement=demande.type or None,  # type: ignore[arg-type] # one of TYPES
        recherche=demande.recherche or None,
        tri=demande.tri,
        ordre=demande.ordre,
        limite=limite,
        apres=apres or demande.apres,
    )


def vue(demande: Demande, releves: Releves, lecteur: Lecteur) -> VuePaiements:
    """Prepare the page."""
    titre, _ = ETAPES[demande.etape]
    lignes, total = _lignes(demande, releves, lecteur)
    suivant = releves.page.suivant
    return VuePaiements(
        situation=situation_vue(
            demande.dates, demande.champs("au", "connu_le", "apres"), releves.position
        ),
        etape=demande.etape,
        titre=titre,
        phrase=phrase(_PHRASES[demande.etape]),
        resume=_resume(demande, len(lignes), total, partiel=bool(suivant or demande.apres)),
        onglets=tuple(_onglets(demande, releves)),
        lignes=lignes,
        recherche=demande.recherche,
        plies=releves.plies,
        plie=demande.plie,
        types=tuple(projection.TYPES.items()),
        type=demande.type,
        tris=_tris(demande),
        caches=tuple(demande.champs("recherche", "plie", "type", "apres").items()),
        filtree=demande.filtree,
        sans_filtre=demande.lien(recherche="", plie="", type=""),
        vide=_VIDES[demande.etape],
        debut=demande.lien() if demande.apres else None,
        suite=demande.lien(apres=suivant) if suivant else None,
        fichiers=tuple(liens(f"{_ICI}/export", demande.champs("apres"))),
    )


def _lignes(
    demande: Demande, releves: Releves, lecteur: Lecteur
) -> tuple[tuple[LigneVue, ...], int]:
    """Return the lines of the step, and what they add up to, in cents."""
    noms = dict(releves.plies)
    if demande.etape == "a-preparer":
        horloges = {h.bilan_id: h for h in releves.horloges}
        dus = _gardes(demande, releves.a_preparer)
        return (
            tuple(
                _a_preparer(d, lecteur, horloges.get(d.bilan_id), noms.get(d.plie_id, d.plie_id))
                for d in dus
            ),
            sum(d.montant for d in dus),
        )
    if demande.etape == "delais":
        attendus = [h for h in releves.horloges if demande.garde(h)]
        return (
            tuple(_horloge(h, lecteur, noms.get(h.plie_id, h.plie_id)) for h in attendus),
            sum(h.fse_declare for h in attendus),
        )
    page = releves.page.lignes
    return tuple(_paiement(p, lecteur) for p in page), sum(p.montant for p in page)


def _gardes(demande: Demande, dus: Sequence[APreparer]) -> list[APreparer]:
    return [d for d in dus if demande.garde(d) and demande.type in {"", d.type}]


def _resume(demande: Demande, nombre: int, total: int, *, partiel: bool) -> str:
    """Say how many lines are shown, and their sum."""
    choses = "bilan" if demande.etape == "delais" else "paiement"
    accord = "" if nombre < 2 else "s"
    suite = " sur cette page" if partiel else ""
    return f"{entier(nombre)} {choses}{accord}{suite}, {euros(total)}"


def _onglets(demande: Demande, releves: Releves) -> Iterable[Onglet]:
    for etape, (libelle, statuts) in ETAPES.items():
        nombre: int | None = sum(releves.nombres[s].nombre for s in statuts if s in releves.nombres)
        if etape == "a-preparer":
            nombre = len(releves.a_preparer)
        elif etape == "delais":
            nombre = len(releves.horloges) if demande.etape == "delais" else None
        yield Onglet(libelle, demande.lien(etape=etape, type=""), demande.etape == etape, nombre)


def _tris(demande: Demande) -> tuple[tuple[str, str, bool], ...]:
    """Offer the orders of a list that the database sorts, the one in force marked."""
    if not ETAPES[demande.etape][1]:
        return ()
    choix: tuple[tuple[str, Tri, projection.Ordre], ...] = (
        ("les derniers d’abord", "le", "desc"),
        ("les premiers d’abord", "le", "asc"),
        ("les plus grands montants", "montant", "desc"),
        ("par bénéficiaire", "beneficiaire", "asc"),
        ("par dossier", "numero", "asc"),
    )
    return tuple(
        (libelle, demande.lien(tri=tri, ordre=ordre), (demande.tri, demande.ordre) == (tri, ordre))
        for libelle, tri, ordre in choix
    )


@router.get("", name="page_paiements")
def page(request: Request, demande: DemandeLue, lecture: Lecture) -> HTMLResponse:
    """Affiche les paiements : à préparer, à ordonnancer, à virer, envoyés, rejetés, délais."""
    if not demande.dates.lisibles:
        return sans_situation(
            request,
            demande.dates,
            demande.champs("au", "connu_le"),
            page="page_paiements",
            titre="Paiements",
            quoi="Aucun paiement n’existe encore dans cette situation",
        )
    with instantane(lecture.conn):
        try:
            releves = lire(lecture, demande)
        except CurseurInvalide:
            # An address that was cut: the list from its beginning.
            demande = replace(demande, apres=None)
            releves = lire(lecture, demande)
        if not demande.nommee and _rien_a_preparer(demande, releves):
            demande = replace(demande, etape="a-virer")
            releves = replace(releves, page=_page(lecture, demande, LIMITE_PAR_DEFAUT, None))
    lecteur = Lecteur(request, demande.dates, demande.lien())
    return templates().TemplateResponse(
        request, "paiements.html", {"vue": vue(demande, releves, lecteur)}
    )


def _rien_a_preparer(demande: Demande, releves: Releves) -> bool:
    """Tell whether the accountant, who prepares then pays, has only to pay."""
    return (
        demande.etape == "a-preparer" and not releves.a_preparer and "ordonnance" in releves.nombres
    )


# --- Files ---------------------------------------------------------------------------------------

_COLONNES = (
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("dossier", "Dossier", "code"),
    Colonne("convention", "Convention", "code"),
    Colonne("plie", "PLIE"),
    Colonne("type", "Type"),
    Colonne("bilan", "Bilan", "nombre"),
    Colonne("etat", "État"),
    Colonne("fse_du", "FSE dû", "euros"),
    Colonne("avances", "Avances versées", "euros"),
    Colonne("verse", "Déjà versé", "euros"),
    Colonne("montant", "Montant", "euros"),
    Colonne("compense", "Compensé", "euros"),
    Colonne("prepare_par", "Préparé par", "code"),
    Colonne("prepare_le", "Préparé le", "jour"),
    Colonne("ordonnance_par", "Ordonnancé par", "code"),
    Colonne("ordonnance_le", "Ordonnancé le", "jour"),
    Colonne("effectue_le", "Viré le", "jour"),
    Colonne("reference", "Virement", "code"),
    Colonne("acquitte_le", "Acquitté le", "jour"),
    Colonne("rejete_le", "Rejeté le", "jour"),
    Colonne("motif", "Motif"),
)
_COLONNES_DU = (
    *_COLONNES[:6],
    Colonne("valide_le", "Contrôle validé le", "jour"),
    Colonne("valide_par", "Contrôle validé par", "code"),
    Colonne("fse_du", "FSE dû", "euros"),
    Colonne("retenu_jusqu_au_solde", "Retenu jusqu’au solde", "euros"),
    Colonne("avances", "Avances versées", "euros"),
    Colonne("verse", "Déjà versé", "euros"),
    Colonne("en_cours", "Préparé ou ordonnancé", "euros"),
    Colonne("avance_au_solde", "Avance imputée au solde", "euros"),
    Colonne("montant", "À payer", "euros"),
)
_COLONNES_DELAI = (
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("dossier", "Dossier", "code"),
    Colonne("plie", "PLIE"),
    Colonne("bilan", "Bilan", "nombre"),
    Colonne("depose_le", "Déposé le", "jour"),
    Colonne("fse_declare", "FSE demandé", "euros"),
    Colonne("delai", "Délai, en jours", "nombre"),
    Colonne("consomme", "Jours écoulés", "nombre"),
    Colonne("echeance", "À payer au plus tard le", "jour"),
    Colonne("cause", "Interruption"),
)


@router.get("/export", name="exporter_paiements")
def exporter(
    demande: DemandeLue,
    lecture: Lecture,
    format: Format = "xlsx",  # noqa: A002 - what people call it
) -> Response:
    """Écrit la liste affichée, entière, dans un fichier."""
    with instantane(lecture.conn):
        releves = lire(lecture, demande, limite=LIMITE_MAXIMALE)
        lignes = list(_a_ecrire(lecture, demande, releves))
    colonnes = {"a-preparer": _COLONNES_DU, "delais": _COLONNES_DELAI}.get(demande.etape, _COLONNES)
    releve = Releve(
        position=releves.position,
        releve_le=clock.now(),
        effet_au=demande.dates.situation.effet_au,
        connu_le=demande.dates.connu_le or None,
        filtres=tuple(_filtres_dits(demande, dict(releves.plies))),
    )
    titre = f"Paiements, {ETAPES[demande.etape][0].lower()}"
    return repondre(Tableau(titre, colonnes, lignes), releve, format, f"paiements-{demande.etape}")


def _filtres_dits(demande: Demande, plies: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    yield "Liste", ETAPES[demande.etape][0]
    if demande.plie:
        yield "PLIE", plies.get(demande.plie, demande.plie)
    if demande.type:
        yield "Type", dict(projection.TYPES).get(demande.type, demande.type)  # type: ignore[call-overload]
    if demande.recherche:
        yield "Recherche", demande.recherche


def _a_ecrire(lecture: LectureOuverte, demande: Demande, releves: Releves) -> Iterable[Ligne]:
    noms = dict(releves.plies)
    if demande.etape == "a-preparer":
        yield from (_ligne_due(d, noms) for d in _gardes(demande, releves.a_preparer))
    elif demande.etape == "delais":
        yield from (_ligne_de_delai(h, noms) for h in releves.horloges if demande.garde(h))
    else:
        page = releves.page
        while True:
            yield from (_ligne_payee(p) for p in page.lignes)
            if page.suivant is None:
                return
            page = lire(lecture, demande, limite=LIMITE_MAXIMALE, apres=page.suivant).page


def _cellules(valeurs: Mapping[str, Any]) -> Ligne:
    return Ligne({nom: Cellule(valeur) for nom, valeur in valeurs.items() if valeur is not None})


def _ligne_due(d: APreparer, noms: Mapping[str, str]) -> Ligne:
    return _cellules(
        {
            "beneficiaire": d.beneficiaire,
            "dossier": d.numero_mdfse,
            "convention": d.numero_convention,
            "plie": noms.get(d.plie_id, d.plie_id),
            "type": projection.TYPES[d.type],
            "bilan": d.bilan_numero,
            "valide_le": d.valide_le,
            "valide_par": d.valide_par,
            **{t.code: t.montant for t in d.termes},
            "montant": d.montant,
        }
    )


def _ligne_de_delai(h: HorlogeDeBilan, noms: Mapping[str, str]) -> Ligne:
    return _cellules(
        {
            "beneficiaire": h.beneficiaire,
            "dossier": h.numero_mdfse,
            "plie": noms.get(h.plie_id, h.plie_id),
            "bilan": h.numero,
            "depose_le": h.depose_le,
            "fse_declare": h.fse_declare,
            "delai": h.delai_jours,
            "consomme": h.jours_consommes,
            "echeance": h.echeance,
            "cause": h.cause_libelle,
        }
    )


def _ligne_payee(p: LignePaiement) -> Ligne:
    verse = None if p.paye_avant is None else p.paye_avant - p.avances_avant
    return _cellules(
        {
            "beneficiaire": p.beneficiaire,
            "dossier": p.numero_mdfse,
            "convention": p.numero_convention,
            "plie": p.plie_nom,
            "type": p.type_libelle,
            "bilan": p.bilan_numero,
            "etat": p.statut_libelle,
            "fse_du": p.fse_du if p.csf_id else None,
            "avances": p.avances_avant if p.csf_id else None,
            "verse": verse if p.csf_id else None,
            "montant": p.montant,
            "compense": p.compense or None,
            "prepare_par": p.prepare_par,
            "prepare_le": p.prepare_le,
            "ordonnance_par": p.ordonnance_par,
            "ordonnance_le": p.ordonnance_le,
            "effectue_le": p.effectue_le,
            "reference": p.reference,
            "acquitte_le": p.acquitte_le,
            "rejete_le": p.rejete_le,
            "motif": p.motif,
        }
    )
