"""What the forms of the grant know before anything is typed: its PLIE, its lines, what is left."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from aggregates.cadre import RESERVE
from aggregates.subvention_globale.state import SubventionGlobaleAbsente
from api.deps import LectureOuverte
from api.filters import euros
from api.pages.actes.preparations import Preparation, prepare
from api.pages.actes.sujets import Sujet
from api.pages.ecriture import majuscule
from oi_service.money import euros as decimales
from projections.histoire import INSTANCES, MESURES_PREVUES
from projections.maquette import NON_REPARTI, Maquette, charger
from projections.subventions_globales import FicheSubvention, fiche_subvention

Options = Mapping[str, Sequence[tuple[str, str]]]

_CONSEIL = "conseil_administration_oi"


# --- What is read --------------------------------------------------------------------------------


def _lue(lecture: LectureOuverte, subvention_id: UUID) -> tuple[FicheSubvention, Maquette]:
    """Return a grant of the perimeter and its maquette.

    Raises: SubventionGlobaleAbsente.
    """
    fiche = fiche_subvention(lecture.conn, lecture.perimetre, subvention_id)
    maquette = charger(lecture.conn, lecture.perimetre, subvention_id)
    if maquette is None:
        raise SubventionGlobaleAbsente(id=subvention_id)
    return fiche, maquette


def _sujet(fiche: FicheSubvention) -> Sujet:
    resume = fiche.resume
    return Sujet(
        f"Subvention globale {resume.numero}",
        f"/maquette?subvention={resume.id}",
        f"{resume.programme}, {resume.oi_nom}",
    )


def _plies(fiche: FicheSubvention) -> list[tuple[str, str]]:
    return [(plie.plie_id, plie.nom) for plie in fiche.plie]


def _lignes(fiche: FicheSubvention, maquette: Maquette, prefixe: str) -> Options:
    """Return the choices of a line, at the place where a form holds it."""
    objectifs = [(o.code, f"{o.code}, {o.libelle}") for o in fiche.objectifs_specifiques]
    return {
        f"{prefixe}annee": _valeurs(str(x.annee) for x in maquette.lignes),
        f"{prefixe}axe": _valeurs(x.axe for x in maquette.lignes),
        f"{prefixe}objectif_specifique": objectifs,
        f"{prefixe}dispositif": _valeurs(x.dispositif for x in maquette.lignes),
    }


def _valeurs(valeurs: Iterable[str]) -> list[tuple[str, str]]:
    return [(valeur, valeur) for valeur in sorted(set(valeurs))]


def _derniere(maquette: Maquette) -> dict[str, str | int]:
    """Return the line that is most often worked on: one of the last tranche."""
    ligne = max(maquette.lignes, key=lambda x: x.annee, default=None)
    if ligne is None:
        return {}
    return {
        "annee": ligne.annee,
        "axe": ligne.axe,
        "objectif_specifique": ligne.objectif_specifique,
        "dispositif": ligne.dispositif,
    }


def _disponibles(maquette: Maquette) -> tuple[tuple[str, str], ...]:
    """Say what each PLIE, the réserve, and what is not shared yet, may still be awarded."""
    return tuple(
        (f"Disponible, {nom}", euros(chiffres.disponible_a_programmer))
        for _, nom, chiffres in maquette.par_plie()
    )


def _non_reparti(maquette: Maquette) -> tuple[tuple[str, str], ...]:
    """Say what is open and not shared yet, line by line."""
    return tuple(
        (
            f"À répartir, {x.annee} {x.objectif_specifique} {x.dispositif} (axe {x.axe})",
            euros(x.chiffres.fse_maquette),
        )
        for x in maquette.lignes
        if x.plie_id == NON_REPARTI and x.chiffres.fse_maquette
    )


# --- The forms -----------------------------------------------------------------------------------


@prepare("decider_transfert")
def transferer(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """Both sides are chosen among what exists; the body that decides is that of the OI."""
    fiche, maquette = _lue(lecture, subvention_id)
    places = [*_plies(fiche), (RESERVE, "Réserve de l’OI")]
    ligne = _derniere(maquette)
    return Preparation(
        sujet=_sujet(fiche),
        initiales={"de": {"ligne": ligne}, "vers": {"ligne": ligne}, "instance": _CONSEIL},
        options={
            "de.plie_id": places,
            "vers.plie_id": places,
            "instance": [
                (code, majuscule(INSTANCES[code])) for code in (_CONSEIL, "comite_programmation_oi")
            ],
            **_lignes(fiche, maquette, "de.ligne."),
            **_lignes(fiche, maquette, "vers.ligne."),
        },
        resume=_disponibles(maquette),
    )


@prepare("notifier_enveloppe")
def notifier(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """What can be notified is what the tranche opened and nobody holds."""
    fiche, maquette = _lue(lecture, subvention_id)
    return Preparation(
        sujet=_sujet(fiche),
        initiales={"ligne": _derniere(maquette)},
        options={"plie_id": _plies(fiche), **_lignes(fiche, maquette, "ligne.")},
        resume=_non_reparti(maquette),
    )


@prepare("constituer_reserve")
def reserver(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """The réserve is taken from what nobody holds."""
    fiche, maquette = _lue(lecture, subvention_id)
    return Preparation(
        sujet=_sujet(fiche),
        initiales={"ligne": _derniere(maquette)},
        options=_lignes(fiche, maquette, "ligne."),
        resume=_non_reparti(maquette),
    )


@prepare("ouvrir_tranche")
def ouvrir(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """A tranche has the lines of the one before, its amounts left to be written."""
    fiche, maquette = _lue(lecture, subvention_id)
    annee = max((x.annee for x in maquette.lignes), default=fiche.programmation.debut.year - 1) + 1
    lignes = sorted(
        {
            (x.axe, x.objectif_specifique, x.dispositif)
            for x in maquette.lignes
            if x.annee == annee - 1
        }
    )
    ouvert = sum(x.chiffres.fse_maquette for x in maquette.lignes)
    return Preparation(
        sujet=_sujet(fiche),
        initiales={
            "annee": annee,
            "lignes": [
                {"annee": annee, "axe": axe, "objectif_specifique": os_, "dispositif": dispositif}
                for axe, os_, dispositif in lignes
            ],
        },
        options={
            "lignes.objectif_specifique": [
                (o.code, f"{o.code}, {o.libelle}") for o in fiche.objectifs_specifiques
            ]
        },
        resume=(
            ("FSE de la convention", euros(maquette.fse_total)),
            ("Déjà ouvert", euros(ouvert)),
            ("Reste à ouvrir", euros(maquette.fse_total - ouvert)),
        ),
    )


@prepare("fixer_objectif_certification")
def fixer(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """What is left out takes every PLIE, axe and objective together."""
    fiche, maquette = _lue(lecture, subvention_id)
    lignes = _lignes(fiche, maquette, "")
    return Preparation(
        sujet=_sujet(fiche),
        options={
            "plie_id": _plies(fiche),
            "axe": lignes["axe"],
            "objectif_specifique": lignes["objectif_specifique"],
        },
        resume=(("Certifié à ce jour", euros(maquette.total.fse_certifie)),),
    )


@prepare("deposer_previsions_plie")
def prevoir(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """The grid of the page of the PLIE is easier; this form does the same."""
    fiche, _ = _lue(lecture, subvention_id)
    return Preparation(
        sujet=_sujet(fiche),
        options={
            "plie_id": _plies(fiche),
            "trimestres.mesure": [(m, majuscule(dit)) for m, dit in MESURES_PREVUES.items()],
        },
    )


@prepare("signer_avenant_subvention_globale")
def avenant(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """What an avenant changes starts from what is in force."""
    fiche, _ = _lue(lecture, subvention_id)
    return Preparation(
        sujet=_sujet(fiche),
        initiales={
            "numero_avenant": max((a.numero for a in fiche.avenants), default=0) + 1,
            "fse_total": decimales(fiche.resume.fse_total),
            "programmation": _periode(fiche.programmation.debut, fiche.programmation.fin),
            "realisation": _periode(fiche.realisation.debut, fiche.realisation.fin),
        },
        resume=(("FSE en vigueur", euros(fiche.resume.fse_total)),),
    )


def _periode(debut: object, fin: object) -> dict[str, str]:
    return {"debut": str(debut), "fin": str(fin)}


@prepare("publier_appel_a_projets")
def publier(lecture: LectureOuverte, subvention_id: UUID) -> Preparation:
    """An appel is of a grant: its fiches take its PLIE and its lines."""
    fiche, maquette = _lue(lecture, subvention_id)
    return Preparation(
        sujet=_sujet(fiche),
        options={
            "fiches.plie_id": _plies(fiche),
            **_lignes(fiche, maquette, "fiches.ligne."),
        },
    )
