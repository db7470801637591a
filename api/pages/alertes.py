"""What is to be looked at first: on a line of the maquette a badge, above it a sentence and a way.

Every alert says what is wrong, by how much, and leads to where somebody can do something about it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal
from urllib.parse import urlencode

from api.filters import entier, euros_ronds, pourcent
from api.filters import jour as jour_court
from api.graphiques.modele import jour_long
from oi_service.money import ratio
from projections.maquette import Chiffres, LigneDeMaquette
from projections.tableau_de_bord import BilanAControler, Seuil, TableauDeBord
from rules.parametres import parametre

Niveau = Literal["grave", "attention", "information"]
GRAVITE: Mapping[Niveau, int] = {"information": 1, "attention": 2, "grave": 3}


@dataclass(frozen=True, slots=True)
class Badge:
    """What is to be looked at on a line."""

    code: str
    niveau: Niveau
    libelle: str
    fait: str
    bref: str = ""  #: the same in a word or two, where many PLIE are named


@dataclass(frozen=True, slots=True)
class Action:
    """Where something can be done about it."""

    libelle: str
    lien: str


@dataclass(frozen=True, slots=True)
class Alerte:
    """All the lines that one rule points at, in one sentence each, and where to go."""

    niveau: Niveau
    libelle: str
    faits: tuple[tuple[str | None, str | None, str], ...]  #: name, link, fact
    action: Action | None = None


# --- Badges of a line ----------------------------------------------------------------------------


def badges(
    chiffres: Chiffres,
    programmation_attendue: Fraction | None,
    le: date,
    plie_id: str = "",
    tableau: TableauDeBord | None = None,
) -> tuple[Badge, ...]:
    """Return what is to be looked at on a PLIE, on a day, the gravest first."""
    found = (
        *_de_programmation(chiffres, programmation_attendue, le),
        *(_de_seuil(plie_id, tableau.seuils) if tableau else ()),
        *(_de_controle(plie_id, tableau.a_controler) if tableau else ()),
        *_d_avances(chiffres),
    )
    return tuple(sorted(found, key=lambda badge: GRAVITE[badge.niveau], reverse=True))


def programmation_attendue(
    lignes: Iterable[LigneDeMaquette], plie_id: str, le: date
) -> Fraction | None:
    """Return the programming ratio of the tranches whose programming is expected on that day."""
    attendues = (
        ligne.chiffres
        for ligne in lignes
        if ligne.plie_id == plie_id and _attendue_au(ligne.annee) <= le
    )
    return Chiffres.somme(attendues).taux_programmation


def _attendue_au(annee: int) -> date:
    """Return the day from which a tranche is expected to be programmed."""
    month_and_day = parametre("seuil_alerte_programmation_jour", le=date(annee, 1, 1)).valeur
    return date.fromisoformat(f"{annee}-{month_and_day}")


def _de_programmation(chiffres: Chiffres, attendue: Fraction | None, le: date) -> Iterable[Badge]:
    seuil = parametre("seuil_alerte_programmation_pct", le=le).taux
    if chiffres.disponible_a_programmer < 0:
        yield Badge(
            "surprogrammation",
            "grave",
            "Surprogrammation",
            f"{pourcent(ratio(chiffres.fse_programme_ajuste, chiffres.fse_maquette))} "
            f"programmés, {euros_ronds(-chiffres.disponible_a_programmer)} au-delà de "
            "l’enveloppe",
            euros_ronds(-chiffres.disponible_a_programmer),
        )
    if attendue is not None and attendue < seuil:
        yield Badge(
            "sous_programmation",
            "attention",
            f"Programmation < {pourcent(seuil).replace(',0', '')}",
            f"{pourcent(attendue)} des tranches échues, "
            f"{euros_ronds(chiffres.disponible_a_programmer)} disponibles",
            pourcent(attendue),
        )


def _de_seuil(plie_id: str, seuils: Iterable[Seuil]) -> Iterable[Badge]:
    for seuil in principaux(s for s in seuils if s.plie_id == plie_id):
        yield Badge(
            f"seuil_{seuil.ligne.etat}",
            "grave" if seuil.ligne.etat == "manque" else "attention",
            "Seuil manqué" if seuil.ligne.etat == "manque" else "Seuil à risque",
            f"{_dire_le_seuil(seuil)} (seuil du {jour_court(seuil.date_limite)})",
            euros_ronds(seuil.manque_prevu),
        )


def principaux(seuils: Iterable[Seuil]) -> list[Seuil]:
    """Keep the targets to speak of: the last one missed, the next one that forecasts do not cover.

    Targets add up from the start: the last one missed holds what the former ones lacked.
    """
    groupes: dict[tuple[str | None, str | None], list[Seuil]] = defaultdict(list)
    for seuil in seuils:
        vise = seuil.ligne.objectif
        groupes[vise.axe, vise.objectif_specifique].append(seuil)
    found = []
    for groupe in groupes.values():
        manques = [s for s in groupe if s.ligne.etat == "manque"]
        risques = [s for s in groupe if s.ligne.etat == "a_couvrir" and s.manque_prevu]
        found += manques[-1:] + risques[:1]
    return found


def _dire_le_seuil(seuil: Seuil) -> str:
    attendu = euros_ronds(seuil.a_certifier)
    if seuil.ligne.etat == "manque":
        manque = f"il manquait {euros_ronds(seuil.manque)}"
        return f"{manque}, {euros_ronds(seuil.ligne.certifie)} certifiés pour {attendu} attendus"
    manque = f"il manque {euros_ronds(seuil.manque_prevu)}"
    if seuil.prevu is None:
        return f"{manque}, {euros_ronds(seuil.ligne.certifie)} certifiés pour {attendu} attendus"
    return f"{manque}, prévision {euros_ronds(seuil.prevu)} pour {attendu} attendus"


def _de_controle(plie_id: str, bilans: Iterable[BilanAControler]) -> Iterable[Badge]:
    retards = [b for b in bilans if b.plie_id == plie_id and b.en_retard]
    if retards:
        nombre = len(retards)
        yield Badge(
            "csf_en_retard",
            "attention",
            "CSF en retard",
            f"{nombre} contrôle{'s' if nombre > 1 else ''} de service fait au-delà du délai de "
            f"paiement, {euros_ronds(sum(b.declare for b in retards))} déclarés, le plus ancien "
            f"depuis {entier(max(b.jours for b in retards))} jours",
            f"{nombre} contrôle{'s' if nombre > 1 else ''}",
        )


def _d_avances(chiffres: Chiffres) -> Iterable[Badge]:
    if chiffres.fse_paye > chiffres.fse_retenu_csf:
        yield Badge(
            "avances",
            "information",
            "Avances > retenu",
            f"{euros_ronds(chiffres.fse_paye - chiffres.fse_retenu_csf)} payés avant contrôle "
            "de service fait",
        )


# --- Alerts of a page ----------------------------------------------------------------------------

#: Where each rule leads: what the link says, and the list, which may be of one PLIE.
_ACTIONS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "surprogrammation": ("Voir les opérations programmées", "/operations", {}),
    "sous_programmation": (
        "Voir les dossiers à instruire",
        "/operations",
        {"attend": "instruction"},
    ),
    "seuil_manque": ("Voir les contrôles à produire", "/controles", {}),
    "seuil_a_couvrir": ("Voir les contrôles à produire", "/controles", {}),
    "csf_en_retard": ("Voir les contrôles en retard", "/controles", {"retard": "oui"}),
}


_SANS_DATE: Mapping[str, str] = {}
#: How many PLIE an alert tells the whole story of.
_EN_ENTIER = 2


def action(
    code: str, plie_id: str | None = None, dates: Mapping[str, str] = _SANS_DATE
) -> Action | None:
    """Return where a rule leads, for one PLIE or for all, at the dates of the page."""
    if code not in _ACTIONS:
        return None
    libelle, chemin, requete = _ACTIONS[code]
    demande = {**requete, **({"plie": plie_id} if plie_id else {}), **dates}
    return Action(libelle, f"{chemin}?{urlencode(demande)}" if demande else chemin)


def alertes(
    lignes: Sequence[tuple[str, str, str | None, Sequence[Badge]]],
    tableau: TableauDeBord | None = None,
    lien_courbe: Callable[[], str] = lambda: "#courbe",
    dates: Mapping[str, str] = _SANS_DATE,
) -> tuple[Alerte, ...]:
    """Group the badges by rule, the gravest first; advances are a badge, not an alert.

    Args:
        lignes: identifier, name, link and badges of each PLIE.
        tableau: what stands beside the figures, for the targets of the whole OI.
        lien_courbe: where the targets are drawn.
        dates: those of the page, as its addresses say them.
    """
    found: list[Alerte] = [_du_seuil(s, lien_courbe, dates) for s in _de_l_oi(tableau)]
    groupes: dict[tuple[Niveau, str, str], list[tuple[str, str, str | None, Badge]]] = {}
    for plie_id, nom, lien, siens in lignes:
        for badge in siens:
            if badge.niveau != "information":
                cle = (badge.niveau, badge.code, badge.libelle)
                groupes.setdefault(cle, []).append((plie_id, nom, lien, badge))
    for (niveau, code, libelle), vus in groupes.items():
        faits = tuple(
            (nom, lien, badge.fait if len(vus) <= _EN_ENTIER else badge.bref)
            for _, nom, lien, badge in vus
        )
        seul = vus[0][0] if len(vus) == 1 else None
        found.append(Alerte(niveau, libelle, faits, action(code, seul, dates)))
    return tuple(sorted(found, key=lambda a: GRAVITE[a.niveau], reverse=True))


def _de_l_oi(tableau: TableauDeBord | None) -> list[Seuil]:
    return principaux(s for s in tableau.seuils if s.plie_id is None) if tableau else []


def _du_seuil(seuil: Seuil, lien_courbe: Callable[[], str], dates: Mapping[str, str]) -> Alerte:
    """Say that a target of the whole OI is, or would be, missed."""
    vise = seuil.ligne.objectif
    objet = "" if seuil.entier else f", {vise.objectif_specifique or f'axe {vise.axe}'}"
    manque = seuil.ligne.etat == "manque"
    return Alerte(
        "grave",
        f"Seuil de certification du {jour_long(seuil.date_limite)}{objet}"
        f"{' manqué' if manque else ''}",
        ((None, lien_courbe(), _dire_le_seuil(seuil)),),
        action("seuil_manque", dates=dates),
    )
