"""The list of controls: what waits for whoever reads, then each bilan by how far it went."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from api.deps import PRESENT, Dates, DatesDemandees, Lecture
from api.droits import GESTIONNAIRE, VALIDEUR
from api.filters import entier, euros, euros_ronds, jour
from api.pages.actes import lien_acte, permis
from api.pages.dates import SituationVue, situation_vue
from api.pages.gabarits import templates
from api.pages.presence import qui_lit
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from api.tableaux.modele import Niveau
from oi_service.clock import today
from projections.bilans_attendus import BilanAttendu, bilans_attendus
from projections.csf import (
    ETAPES,
    BilanEnControle,
    Etape,
    bilans_en_controle,
    plies_des_bilans,
)
from projections.histoire import TYPES_DE_BILAN

router = APIRouter()

#: What nobody waits for any more comes after the rest.
_ATTENDUES: tuple[Etape, ...] = (
    "recevabilite",
    "ouverture",
    "controle",
    "contradictoire",
    "validation",
)
COLONNES = (
    Colonne("bilan", "Bilan", "code"),
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("plie", "PLIE"),
    Colonne("age", "Âge", "nombre", "Jours depuis le dépôt du bilan signé."),
    Colonne("echeance", "À payer avant le", "jour", "Fin du délai de paiement du bilan."),
    Colonne("declare", "FSE demandé", "euros"),
    Colonne("avancement", "Avancement"),
    Colonne("faire", "À faire"),
    Colonne("autre", "Ou"),
)
_ATTENDUS = (
    Colonne("bilan", "Bilan attendu", "code"),
    Colonne("beneficiaire", "Bénéficiaire"),
    Colonne("plie", "PLIE"),
    Colonne("date_limite", "Attendu le", "jour"),
    Colonne("retard", "Jours de retard", "nombre"),
    Colonne("etat", "État"),
    Colonne("faire", "À faire"),
)
#: Bilans that have not come, shown at once.
_ATTENDUS_MONTRES = 50


# --- What an address asks ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DemandeDeControles:
    """What an address of the list asks; it writes the address of the same list, changed."""

    plie: str = ""
    etape: Etape | None = None
    miens: bool = False
    retard: bool = False
    dates: Dates = PRESENT

    @property
    def filtree(self) -> bool:
        """Tell whether something is kept out of the list."""
        return bool(self.plie or self.etape or self.miens or self.retard)

    def champs(self, *sauf: str) -> tuple[tuple[str, str], ...]:
        """Say what is asked as fields of a form."""
        dits = (
            ("plie", self.plie),
            ("etape", self.etape or ""),
            ("miens", "oui" if self.miens else ""),
            ("retard", "oui" if self.retard else ""),
            *self.dates.requete.items(),
        )
        return tuple((nom, valeur) for nom, valeur in dits if valeur and nom not in sauf)

    def lien(self, **changements: object) -> str:
        """Return the address of the list, changed."""
        return f"?{urlencode(replace(self, **changements).champs())}"  # type: ignore[arg-type]


def demande_de_controles(
    dates: DatesDemandees,
    plie: Annotated[str, Query(max_length=64)] = "",
    etape: str = "",
    miens: str = "",
    retard: str = "",
) -> DemandeDeControles:
    """Read what an address asks of the list; what names nothing asks for nothing."""
    return DemandeDeControles(
        plie=plie.replace("\0", ""),
        etape=next((e for e in ETAPES if e == etape), None),
        miens=miens == "oui",
        retard=retard == "oui",
        dates=dates,
    )


# --- What the page shows -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuiLit:
    """Who reads the list, and what the decisions would let them do."""

    identifiant: str | None
    roles: frozenset[str]
    peut: Callable[[str], bool]

    def attend(self, bilan: BilanEnControle) -> bool:
        """Tell whether a bilan waits for this person.

        A validator is not waited for where they controlled; a control under way is of who opened
        it.
        """
        if VALIDEUR in self.roles and bilan.etape == "validation":
            return self.identifiant not in {bilan.controleur, bilan.propose_par}
        if GESTIONNAIRE not in self.roles:
            return False
        if bilan.etape in {"recevabilite", "ouverture"}:
            return True
        return bilan.controleur == self.identifiant and (
            bilan.etape == "controle" or _peut_conclure(bilan)
        )


def _peut_conclure(bilan: BilanEnControle) -> bool:
    """Tell whether a contradictory phase may end: the beneficiary answered, or had the time to."""
    return bilan.etape == "contradictoire" and (
        bilan.observations_le is not None or bilan.reponse_depassee
    )


@dataclass(frozen=True, slots=True)
class Section:
    """Bilans that stand at the same place."""

    ancre: str
    titre: str
    tableau: Tableau


@dataclass(frozen=True, slots=True)
class CompteDEtape:
    """How many bilans stand at a place."""

    libelle: str
    nombre: int
    lien: str
    actif: bool


@dataclass(frozen=True, slots=True)
class VueControles:
    """All that the page shows."""

    situation: SituationVue
    phrase: str
    etapes: tuple[CompteDEtape, ...]
    plies: tuple[tuple[str, str], ...]
    demande: DemandeDeControles
    caches: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    attendus: Section | None
    rien: bool
    sans_filtre: str
    fichiers: list[tuple[str, str]]


def vue(
    demande: DemandeDeControles,
    bilans: Iterable[BilanEnControle],
    attendus: Iterable[BilanAttendu],
    qui: QuiLit,
) -> VueControles:
    """Prepare the page: the oldest first in each part, what waits for the reader before all."""
    tous = list(bilans)
    choisis = [b for b in tous if _retenu(b, demande, qui)]
    gardes = [b for b in choisis if demande.etape in {None, b.etape}]
    miens = [b for b in gardes if demande.dates.situation.actuelle and qui.attend(b)]
    vus = {b.bilan_id for b in miens}
    sections = [_section("miens", "Ce qui vous attend", miens, demande, qui)] if miens else []
    for etape, titre in ETAPES.items():
        ici = [b for b in gardes if b.etape == etape and b.bilan_id not in vus]
        if etape == "valide":
            ici.sort(key=lambda b: (b.valide_le or b.depose_le, b.numero_mdfse), reverse=True)
        if ici:
            sections.append(_section(etape, titre, ici, demande, qui))
    manquants = _attendus(list(attendus), qui)
    return VueControles(
        situation=situation_vue(demande.dates, dict(demande.champs("au", "connu_le"))),
        phrase=_phrase(choisis),
        etapes=_comptes(demande, choisis),
        plies=tuple(plies_des_bilans(tous)),
        demande=demande,
        caches=demande.champs("plie", "miens", "retard"),
        sections=tuple(sections),
        attendus=manquants if demande.etape is None and not demande.miens else None,
        rien=not gardes,
        sans_filtre=DemandeDeControles(dates=demande.dates).lien(),
        fichiers=liens("/exports/csf", _requete_d_export(demande, qui)),
    )


def _requete_d_export(demande: DemandeDeControles, qui: QuiLit) -> dict[str, object]:
    return {
        "plie": demande.plie,
        "etape": demande.etape,
        "en_retard": "true" if demande.retard else None,
        "suivi_par": qui.identifiant if demande.miens else None,
        "effet_au": demande.dates.au,
        "connu_le": demande.dates.connu_le,
    }


def _retenu(bilan: BilanEnControle, demande: DemandeDeControles, qui: QuiLit) -> bool:
    if demande.plie and bilan.plie_id != demande.plie:
        return False
    suivi_par = qui.identifiant if demande.miens else None
    return bilan.repond(None, suivi_par, tard=demande.retard)


def _phrase(bilans: list[BilanEnControle]) -> str:
    en_cours = [b for b in bilans if b.etape in _ATTENDUES]
    if not en_cours:
        return "Aucun bilan n’attend de contrôle"
    nombre = f"{entier(len(en_cours))} {'bilans' if len(en_cours) > 1 else 'bilan'} sur le chemin"
    retards = sum(b.delai_depasse for b in en_cours)
    tard = f", dont {entier(retards)} au-delà du délai de paiement" if retards else ""
    return f"{nombre} du contrôle{tard} · {euros_ronds(sum(b.declare for b in en_cours))} de FSE"


def _comptes(
    demande: DemandeDeControles, bilans: list[BilanEnControle]
) -> tuple[CompteDEtape, ...]:
    nombres = {e: sum(b.etape == e for b in bilans) for e in ETAPES}
    tout = CompteDEtape("Tous", len(bilans), demande.lien(etape=None), demande.etape is None)
    return (
        tout,
        *(
            CompteDEtape(titre, nombres[e], demande.lien(etape=e), demande.etape == e)
            for e, titre in ETAPES.items()
            if nombres[e] or demande.etape == e
        ),
    )


def _section(
    ancre: str,
    titre: str,
    bilans: list[BilanEnControle],
    demande: DemandeDeControles,
    qui: QuiLit,
) -> Section:
    sans_acte = not demande.dates.situation.actuelle
    lignes = tuple(_ligne(b, qui, agir=not sans_acte) for b in bilans)
    vides = {
        c.nom
        for c in COLONNES
        if all(ligne.cellules.get(c.nom, Cellule()).valeur is None for ligne in lignes)
    }
    colonnes = tuple(c for c in COLONNES if c.nom not in vides)
    return Section(ancre, titre, Tableau(titre, colonnes, lignes))


def _ligne(bilan: BilanEnControle, qui: QuiLit, *, agir: bool) -> Ligne:
    en_cours = bilan.etape != "valide"
    cellules = {
        "bilan": Cellule(
            f"{bilan.numero_mdfse} · n° {bilan.numero}",
            lien=lien_du_bilan(bilan),
            precision=f"bilan {TYPES_DE_BILAN[bilan.type]}, déposé le {jour(bilan.depose_le)}",
        ),
        "beneficiaire": Cellule(bilan.beneficiaire),
        "plie": Cellule(bilan.plie_nom),
        "age": Cellule(bilan.age if en_cours else None),
        "echeance": _echeance(bilan) if en_cours else Cellule(),
        "declare": Cellule(bilan.declare),
        "avancement": _avancement(bilan),
    }
    if agir:
        faire, autre = _actes(bilan, qui)
        cellules |= {"faire": faire} | ({"autre": autre} if autre else {})
    return Ligne(cellules, ancre=f"bilan-{bilan.bilan_id}")


def _echeance(bilan: BilanEnControle) -> Cellule:
    if bilan.echeance is None:
        return Cellule("délai interrompu", niveau="information")
    consommes = bilan.horloge.jours_consommes
    precision = f"{entier(consommes)} jours sur {bilan.delai_jours}"
    return Cellule(
        bilan.echeance, precision=f"{'dépassé : ' if bilan.delai_depasse else ''}{precision}"
    )


def _avancement(bilan: BilanEnControle) -> Cellule:
    match bilan.etape:
        case "recevabilite":
            return Cellule(f"{_depenses(bilan.nb_depenses)} à contrôler")
        case "ouverture":
            precision = f"{_depenses(bilan.nb_depenses)} à contrôler"
            if bilan.rouvert_le is not None:
                return Cellule(f"rouvert le {jour(bilan.rouvert_le)}", precision=precision)
            return Cellule(precision)
        case "controle":
            return Cellule(
                f"{entier(bilan.decidees)} sur {_depenses(bilan.nb_depenses)}",
                precision=_precision_du_controle(bilan),
            )
        case "contradictoire":
            return _contradictoire(bilan)
        case "validation":
            return Cellule(
                f"proposé le {jour(bilan.propose_le or bilan.depose_le)}",
                precision=f"par {bilan.propose_par}",
            )
        case "valide":
            return Cellule(
                f"{euros(bilan.du or 0)} de FSE dû",
                precision=f"validé le {jour(bilan.valide_le or bilan.depose_le)} "
                f"par {bilan.valideur}",
            )


def _depenses(nombre: int) -> str:
    return f"{entier(nombre)} {'dépenses' if nombre > 1 else 'dépense'}"


def _precision_du_controle(bilan: BilanEnControle) -> str:
    dits = [f"contrôlé par {bilan.controleur}"]
    if bilan.renvoye_le is not None:
        dits.append(f"renvoyé le {jour(bilan.renvoye_le)} : {bilan.motif_renvoi}")
    elif bilan.finales_le is not None:
        dits.append(f"conclusions finales du {jour(bilan.finales_le)} : à proposer")
    elif bilan.ecartees:
        dits.append(f"{_depenses(bilan.ecartees)} avec écart")
    return " ; ".join(dits)


def _contradictoire(bilan: BilanEnControle) -> Cellule:
    if bilan.observations_le is not None:
        return Cellule(f"réponse reçue le {jour(bilan.observations_le)}", precision="à conclure")
    assert bilan.reponse_jusqu_au is not None
    limite = jour(bilan.reponse_jusqu_au)
    if bilan.reponse_depassee:
        return Cellule(f"sans réponse depuis le {limite}", precision="à conclure")
    return Cellule(f"réponse attendue jusqu’au {limite}")


def lien_du_bilan(bilan: BilanEnControle) -> str:
    """Return the page of its control once it is open, its place in the dossier before."""
    if bilan.csf_id is None or bilan.etape in {"recevabilite", "ouverture"}:
        return f"/dossiers/{bilan.numero_mdfse}#bilan-{bilan.bilan_id}"
    return lien_du_controle(bilan.numero_mdfse, bilan.csf_id)


def lien_du_controle(numero: str, csf_id: object) -> str:
    """Return the address of the page of a control."""
    return f"/dossiers/{numero}/csf/{csf_id}"


def _actes(bilan: BilanEnControle, qui: QuiLit) -> tuple[Cellule, Cellule | None]:
    """Return what there is to do, and what may be done instead."""
    ici = (bilan.operation_id, bilan.bilan_id)
    renvoi = (
        Cellule(
            "Renvoyer au bénéficiaire", lien=lien_acte("renvoyer_bilan", *ici, retour="/controles")
        )
        if qui.peut("renvoyer_bilan") and bilan.csf_id is None
        else None
    )
    match bilan.etape:
        case "recevabilite" if qui.peut("juger_recevable"):
            lien = lien_acte("juger_recevable", *ici, retour="/controles")
            return Cellule("Juger recevable", lien=lien), renvoi
        case "ouverture" if qui.peut("ouvrir_csf"):
            lien = lien_acte(
                "ouvrir_csf",
                bilan.operation_id,
                retour="/controles",
                bilan_id=str(bilan.bilan_id),
            )
            return Cellule("Ouvrir le contrôle", lien=lien), renvoi
        case "recevabilite" | "ouverture":
            return Cellule("Voir le bilan", lien=lien_du_bilan(bilan)), None
        case "controle" if qui.peut("controler_depenses"):
            return Cellule("Contrôler", lien=lien_du_bilan(bilan)), None
        case "contradictoire" if qui.peut("notifier_conclusions_finales"):
            dit = "Conclure" if _peut_conclure(bilan) else "Suivre la réponse"
            return Cellule(dit, lien=f"{lien_du_bilan(bilan)}?onglet=contradictoire"), None
        case "validation" if qui.attend(bilan):
            return Cellule("Valider", lien=f"{lien_du_bilan(bilan)}?onglet=conclusion"), None
        case _:
            return Cellule("Voir le contrôle", lien=lien_du_bilan(bilan)), None


def _attendus(attendus: list[BilanAttendu], qui: QuiLit) -> Section | None:
    if not attendus:
        return None
    titre = "Bilans qui ne sont pas venus"
    return Section(
        "attendus", titre, Tableau(titre, _ATTENDUS, [_attendu(a, qui) for a in attendus])
    )


def _attendu(attendu: BilanAttendu, qui: QuiLit) -> Ligne:
    reponse = attendu.reponse_jusqu_au
    niveau: Niveau = "attention" if attendu.etat == "en_retard" else "information"
    faire = None
    if attendu.reponse_depassee and qui.peut("clore_office"):
        faire = Cellule(
            "Clôturer d’office",
            lien=lien_acte(
                "clore_office",
                attendu.operation_id,
                retour="/controles#attendus",
                numero=str(attendu.numero),
            ),
        )
    if attendu.etat == "en_retard" and qui.peut("reclamer_bilan"):
        faire = Cellule(
            "Réclamer",
            lien=lien_acte(
                "reclamer_bilan",
                attendu.operation_id,
                retour="/controles#attendus",
                numero=str(attendu.numero),
            ),
        )
    return Ligne(
        {
            "bilan": Cellule(
                f"{attendu.numero_mdfse} · n° {attendu.numero}",
                lien=f"/dossiers/{attendu.numero_mdfse}#bilans",
                precision=f"bilan {TYPES_DE_BILAN[attendu.type]}",
            ),
            "beneficiaire": Cellule(attendu.beneficiaire),
            "plie": Cellule(attendu.plie_nom),
            "date_limite": Cellule(attendu.date_limite),
            "retard": Cellule(attendu.jours_de_retard),
            "etat": Cellule(
                attendu.etat_libelle,
                niveau=niveau,
                precision=f"réponse attendue jusqu’au {jour(reponse)}" if reponse else None,
            ),
            "faire": faire or Cellule(),
        }
    )


# --- The route -----------------------------------------------------------------------------------


@router.get("/controles", name="page_controles", response_class=HTMLResponse)
def controles(
    request: Request,
    lecture: Lecture,
    demande: Annotated[DemandeDeControles, Depends(demande_de_controles)],
) -> HTMLResponse:
    """Affiche les bilans à contrôler, en contrôle, à valider."""
    le = demande.dates.jour or today()
    situation = demande.dates.situation
    bilans = bilans_en_controle(lecture.conn, lecture.perimetre, le, situation)
    attendus = [
        attendu
        for attendu in bilans_attendus(
            lecture.conn,
            lecture.perimetre,
            le=le,
            plie=demande.plie or None,
            limite=_ATTENDUS_MONTRES,
        ).lignes
        if situation.actuelle and attendu.etat in {"en_retard", "reclame"}
    ]
    contexte = {"vue": vue(demande, bilans, attendus, qui_lit_la_liste(request))}
    return templates().TemplateResponse(request, "controles.html", contexte)


def qui_lit_la_liste(request: Request) -> QuiLit:
    """Return who reads, and what they may do."""
    identite = qui_lit(request)
    attributions = () if identite is None else identite.attributions
    return QuiLit(
        identifiant=None if identite is None else identite.identifiant,
        roles=frozenset(a.role for a in attributions),
        peut=lambda nom: permis(request, nom),
    )
