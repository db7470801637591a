"""What the forms of bilans and of their control know before anything is typed."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from aggregates.convention.events import UnitesControlees, UnitesDeclarees
from api.deps import LectureOuverte
from api.filters import entier, euros, jour
from api.pages.actes.preparations import Preparation, prepare
from api.pages.actes.sujets import Sujet
from api.pages.csf import lien_du_controle
from api.pages.csf_calcul import projeter
from api.pages.ecriture import poste
from oi_service.clock import today
from oi_service.money import euros as decimales
from projections.bilans_attendus import BilanAttendu, bilans_de_la_convention
from projections.csf import (
    BilanLu,
    ControleLu,
    lire_bilan,
    lire_bilans,
    lire_controle_de,
    operation_controlee,
)
from projections.histoire import CORRECTIONS_FSE, TYPES_DE_BILAN
from rules.eligibilite import MOTIFS
from rules.nomenclature import RESSOURCES
from rules.parametres import ParametreHorsVigueur, parametre
from rules.recettes import traitement_des_recettes


def _sujet_du_controle(lu: ControleLu) -> Sujet:
    numero = lu.operation.numero_mdfse
    return Sujet(
        f"Contrôle du bilan n°\u00a0{lu.bilan.numero}, dossier n°\u00a0{numero}",
        lien_du_controle(numero, lu.csf.csf_id),
        lu.operation.beneficiaire,
    )


# --- Bilans --------------------------------------------------------------------------------------


@prepare("juger_recevable", "renvoyer_bilan")
def bilan(lecture: LectureOuverte, operation_id: UUID, bilan_id: UUID) -> Preparation:
    """Recall the bilan: its period, what it declares."""
    lu = lire_bilan(lecture.conn, lecture.perimetre, operation_id, bilan_id)
    return Preparation() if lu is None else Preparation(resume=tuple(_bilan(lu)))


def _bilan(lu: BilanLu) -> Iterable[tuple[str, str]]:
    yield "Bilan", _nom(lu)
    yield "Période", f"du {jour(lu.debut)} au {jour(lu.fin)}"
    yield "Dépenses", entier(lu.nb_depenses)
    yield "FSE demandé", euros(lu.fse_declare)


def _nom(lu: BilanLu) -> str:
    return f"n° {lu.numero}, {TYPES_DE_BILAN[lu.type]}, déposé le {jour(lu.depose_le)}"


@prepare("ouvrir_csf")
def ouvrir(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Choose among the bilans that wait for their control."""
    lus = lire_bilans(lecture.conn, lecture.perimetre, operation_id)
    if not lus:
        return Preparation(impossible="Aucun bilan de ce dossier n’attend de contrôle.")
    operation = operation_controlee(lecture.conn, lecture.perimetre, operation_id=operation_id)
    assert operation is not None
    return Preparation(
        # The control has no identifier before it is opened: its bilan leads to it.
        suite=f"/dossiers/{quote(operation.numero_mdfse, safe='')}/csf/{{bilan_id}}",
        initiales={"bilan_id": str(lus[0].bilan_id), "modalite": "exhaustif"},
        options={"bilan_id": [(str(lu.bilan_id), _nom(lu)) for lu in lus]},
    )


@prepare("reclamer_bilan")
def reclamer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Choose among the bilans that have not come."""
    attendus: list[BilanAttendu] = [
        a
        for a in bilans_de_la_convention(lecture.conn, lecture.perimetre, operation_id, le=today())
        if a.etat in {"en_retard", "reclame"}
    ]
    if not attendus:
        return Preparation(avertissements=("Aucun bilan de ce dossier n’est en retard.",))
    return Preparation(
        initiales={"numero": attendus[0].numero},
        options={
            "numero": [
                (
                    str(a.numero),
                    f"n° {a.numero}, {TYPES_DE_BILAN[a.type]}, attendu le {jour(a.date_limite)}",
                )
                for a in attendus
            ]
        },
    )


# --- The control ---------------------------------------------------------------------------------


def _lire(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> ControleLu | None:
    return lire_controle_de(lecture.conn, lecture.perimetre, operation_id, csf_id)


@prepare(
    "notifier_conclusions",
    "recevoir_observations",
    "notifier_conclusions_finales",
    "proposer_csf",
    "valider_csf",
    "renvoyer_csf",
    "rouvrir_csf",
)
def conclure(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Recall what the control comes to."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    return Preparation(sujet=_sujet_du_controle(lu), resume=tuple(_totaux(lu)))


def _totaux(lu: ControleLu) -> Iterable[tuple[str, str]]:
    totaux, _ = projeter(lu)
    yield "Dépenses décidées", f"{entier(totaux.decidees)} sur {entier(totaux.nombre)}"
    yield "Déclaré", euros(totaux.declare)
    yield "Écarté", euros(totaux.ecarte)
    yield "FSE demandé depuis le début", euros(totaux.fse_demande)
    yield "FSE dû depuis le début", f"{euros(totaux.fse_du)}, {totaux.phrase}"
    yield "dont pour ce bilan", euros(totaux.fse_periode)
    if lu.csf.date_limite_reponse is not None:
        yield "Réponse attendue jusqu’au", jour(lu.csf.date_limite_reponse)


@prepare("controler_ressources")
def ressources(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Start from what was decided, else from what is declared, kept whole."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    decidees = lu.csf.ressources
    if decidees is None:
        lignes: list[dict[str, Any]] = [
            {
                "type": r.type,
                "financeur": r.financeur,
                "montant_declare": decimales(r.montant_centimes),
                "montant_retenu": decimales(r.montant_centimes),
            }
            for r in lu.bilan.ressources
        ]
    else:
        lignes = [
            {
                "type": r.type,
                "financeur": r.financeur,
                "montant_declare": decimales(r.montant_declare_centimes),
                "montant_retenu": decimales(r.montant_retenu_centimes),
                "attestation_ref": r.attestation_ref,
                "motif": r.motif,
            }
            for r in decidees
        ]
    return Preparation(
        sujet=_sujet_du_controle(lu),
        initiales={"ressources": lignes},
        options={"ressources.type": [(c, m) for c, m in RESSOURCES.items() if c != "fse"]},
        resume=(
            ("Retenez", "toutes les ressources déclarées, 0,00 € pour celles qui ne le sont pas"),
        ),
    )


@prepare("controler_realisations")
def realisations(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Start from what was decided, else from what is declared, kept whole."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    unites = {u.poste: u for u in lu.csf.unites}
    livrables = {x.id: x for x in lu.csf.livrables}
    noms = {x.id: x.libelle or x.id for p in lu.convention.plan.postes for x in p.livrables}
    return Preparation(
        sujet=_sujet_du_controle(lu),
        initiales={
            "unites": [
                {
                    "poste": u.poste,
                    "retenues": f"{_retenues(unites, u):f}",
                    "motif_code": unites[u.poste].motif_code if u.poste in unites else None,
                }
                for u in lu.bilan.unites
            ],
            "livrables": [
                {
                    "id": i,
                    "atteint": livrables[i].atteint if i in livrables else True,
                    "motif_code": livrables[i].motif_code if i in livrables else None,
                }
                for i in lu.bilan.livrables
            ],
        },
        options={
            "unites.poste": [(u.poste, _poste(lu, u.poste)) for u in lu.bilan.unites],
            "unites.motif_code": list(MOTIFS.items()),
            "livrables.id": [(i, noms[i]) for i in lu.bilan.livrables],
            "livrables.motif_code": list(MOTIFS.items()),
        },
        resume=tuple(
            (f"Déclaré, {_poste(lu, u.poste)}", f"{u.quantite:f} unités".replace(".", ","))
            for u in lu.bilan.unites
        ),
    )


def _retenues(unites: Mapping[str, UnitesControlees], declarees: UnitesDeclarees) -> Decimal:
    decidees = unites.get(declarees.poste)
    return declarees.quantite if decidees is None else decidees.retenues


def _poste(lu: ControleLu, code: str) -> str:
    return next(
        (p.libelle for p in lu.convention.plan.postes if p.code == code and p.libelle),
        poste(code),
    )


@prepare("controler_recettes")
def recettes(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Start from what was decided, else from what is declared; say what the texts do with it."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    decidees = lu.csf.recettes
    retenues = lu.bilan.recettes_nettes if decidees is None else decidees.retenues_centimes
    _, fondement = traitement_des_recettes(
        reglement=lu.convention.cadre.reglement,
        cout_total_eligible=lu.convention.cout_total_eligible,
        au_reel=any(p.mode == "reel" for p in lu.convention.plan.postes),
        le=lu.convention.signee_le,
    )
    return Preparation(
        sujet=_sujet_du_controle(lu),
        initiales={"montant_retenu": decimales(retenues)},
        resume=(
            ("Recettes nettes déclarées", euros(lu.bilan.recettes_nettes)),
            ("Sans traitement choisi", f"celui des textes : {fondement}"),
        ),
    )


@prepare("tirer_echantillon", "decider_extrapolation")
def echantillon(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Choose among the postes that have lines."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    codes = dict.fromkeys(d.detail.poste for d in lu.etats.values())
    prevue = lu.convention.parametres.extrapolation
    return Preparation(
        sujet=_sujet_du_controle(lu),
        options={"poste": [(code, _poste(lu, code)) for code in codes]},
        resume=(
            (
                "La convention",
                "prévoit l’extrapolation" if prevue else "ne prévoit pas l’extrapolation",
            ),
        ),
    )


@prepare("corriger_marche")
def marche(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Choose a contract of the bilan, and a rate of the scale."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    refs = sorted({d.detail.marche_ref for d in lu.etats.values() if d.detail.marche_ref})
    bareme = parametre(
        "correction_marche_bareme", le=today(), reglement=lu.convention.cadre.reglement
    ).bareme
    return Preparation(
        sujet=_sujet_du_controle(lu),
        options={
            "marche_ref": [(ref, ref) for ref in refs],
            "taux_pct": [
                ("0", "0 % : aucune correction"),
                *((f"{taux * 100}", f"{taux * 100} %") for taux in bareme if taux),
            ],
        },
    )


@prepare("corriger_fse")
def fse(lecture: LectureOuverte, operation_id: UUID, csf_id: UUID) -> Preparation:
    """Say which corrections the regulation and the convention allow, and how far."""
    lu = _lire(lecture, operation_id, csf_id)
    if lu is None:
        return Preparation()
    return Preparation(
        sujet=_sujet_du_controle(lu),
        options={"nature": [(code, mots.capitalize()) for code, mots in CORRECTIONS_FSE.items()]},
        resume=tuple(_corrections(lu)),
    )


def _corrections(lu: ControleLu) -> Iterable[tuple[str, str]]:
    try:
        maximum = parametre(
            "correction_publicite_taux_max", le=today(), reglement=lu.convention.cadre.reglement
        ).pourcent
        yield "Défaut de publicité", f"au plus {maximum} % du soutien"
    except ParametreHorsVigueur:
        yield (
            "Défaut de publicité",
            f"n’existe pas sous le règlement {lu.convention.cadre.reglement}",
        )
    clause = lu.convention.parametres.refaction
    yield (
        "Réfaction",
        "la convention n’en prévoit pas"
        if clause is None
        else f"{clause.taux_pct} % sous {clause.seuil_pct} % de la cible d’un indicateur",
    )
    for nature, taux in lu.csf.corrections_fse.items():
        yield f"Décidé, {CORRECTIONS_FSE[nature]}", f"{taux} %"
