"""What the forms of payments know before anything is typed: the amount comes from the control."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from api.deps import LectureOuverte
from api.filters import euros, jour
from api.pages.actes.preparations import Preparation, prepare
from api.pages.ecriture import phrase
from oi_service.money import euros as decimales
from projections import paiements as projection
from projections import reversements as projection_reversements
from projections.curseurs import LIMITE_MAXIMALE
from projections.paiements import APreparer, LignePaiement
from projections.reversements import LigneOrdre
from projections.trop_percus import trop_percus

_TERMES = {
    "fse_du": "FSE dû après contrôle",
    "retenu_jusqu_au_solde": "Retenu jusqu’au solde",
    "avances": "Avance versée",
    "verse": "Déjà versé, net des retours",
    "en_cours": "Déjà préparé ou ordonnancé",
    "avance_au_solde": "Avance, imputée sur le solde seulement",
}


@prepare("preparer_paiement")
def preparer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Fill in what is due: nobody types it. What the bank sent back is paid again first."""
    dus = projection.a_preparer(lecture.conn, lecture.perimetre, operation_id=operation_id)
    if not dus:
        return _avance(lecture, operation_id)
    [du] = dus
    resume = tuple((_TERMES[t.code], euros(t.montant)) for t in du.termes)
    refait = next(iter(du.a_refaire), None)
    if refait is not None:
        return Preparation(
            initiales=_corps(refait.type, refait.montant, refait.csf_id, refait.paiement_id),
            caches=_FIXES,
            resume=(
                *resume,
                ("Reste à payer", euros(du.montant)),
                ("Virement rejeté, à payer de nouveau", euros(refait.montant)),
            ),
        )
    return Preparation(
        initiales=_corps(du.type, du.montant, du.csf_id),
        caches=_FIXES,
        resume=(("Fondement", _fondement(du)), *resume, ("À payer", euros(du.montant))),
    )


#: What the control decides is sent without being typed.
_FIXES = frozenset(("type", "montant", "csf_id", "remplace"))


def _corps(
    type_paiement: str, montant: int, csf_id: UUID | None, remplace: UUID | None = None
) -> dict[str, Any]:
    corps = {"type": type_paiement, "montant": decimales(montant)}
    if csf_id is not None:
        corps["csf_id"] = str(csf_id)
    if remplace is not None:
        corps["remplace"] = str(remplace)
    return corps


def _fondement(du: APreparer) -> str:
    return phrase(
        f"{projection.TYPES[du.type]} : contrôle du bilan n° {du.bilan_numero}, validé le "
        f"{jour(du.valide_le)} par {du.valide_par}"
    )


def _avance(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Without any control that founds a payment, only an avance can be prepared."""
    plafond = projection.plafond_avance(lecture.conn, lecture.perimetre, operation_id)
    if not plafond:
        return Preparation(
            impossible="Rien n’est dû à cette opération, et sa convention ne prévoit pas d’avance."
        )
    return Preparation(
        initiales=_corps("avance", plafond, None),
        caches=_FIXES - {"montant"},
        resume=(("Avance prévue par la convention, au plus", euros(plafond)),),
    )


@prepare("ordonnancer_paiement", "effectuer_paiement", "annuler_paiement")
@prepare("acquitter_paiement", "rejeter_paiement")
def suivre(lecture: LectureOuverte, operation_id: UUID, paiement_id: UUID) -> Preparation:
    """Recall the payment: whose it is, how much, who prepared and ordered it."""
    paiement = projection.paiement(lecture.conn, lecture.perimetre, operation_id, paiement_id)
    if paiement is None:
        return Preparation()
    iban = projection.dernier_iban(lecture.conn, lecture.perimetre, operation_id)
    return Preparation(
        initiales={"iban_masque": iban} if iban else {},
        resume=tuple(_resume(paiement, iban)),
    )


def _resume(p: LignePaiement, iban: str | None) -> Iterable[tuple[str, str]]:
    yield "Bénéficiaire", p.beneficiaire
    suite = "" if p.bilan_numero is None else f" après le bilan n° {p.bilan_numero}"
    yield "Paiement", phrase(f"{p.type_libelle}{suite}")
    if p.csf_id is not None and p.fse_du is not None and p.paye_avant is not None:
        yield "FSE dû après contrôle", euros(p.fse_du)
        yield "Déjà versé, net des retours", euros(p.paye_avant)
    yield "Montant", euros(p.montant)
    if p.compense:
        yield "Dont réglé par compensation", euros(p.compense)
        yield "Virement", euros(p.a_virer)
    if p.prepare_par and p.prepare_le:
        yield "Préparé par", f"{p.prepare_par}, le {jour(p.prepare_le)}"
    if p.ordonnance_par and p.ordonnance_le:
        yield "Ordonnancé par", f"{p.ordonnance_par}, le {jour(p.ordonnance_le)}"
    if iban:
        yield "Compte du dernier virement", iban


# --- Money asked back ----------------------------------------------------------------------------


@prepare("emettre_ordre_reversement")
def emettre(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Fill in what was paid and is not due."""
    trouve = next(
        (t for t in trop_percus(lecture.conn, lecture.perimetre) if t.operation_id == operation_id),
        None,
    )
    if trouve is None or not trouve.a_reclamer:
        return Preparation(impossible="Rien n’est à réclamer à cette opération.")
    return Preparation(
        initiales={"montant": decimales(trouve.a_reclamer)},
        caches=frozenset(("montant",)),
        resume=(
            ("Payé, net des retours", euros(trouve.paye)),
            ("FSE dû après contrôle", euros(trouve.du)),
            ("Déjà réclamé", euros(trouve.a_encaisser)),
            ("À réclamer", euros(trouve.a_reclamer)),
        ),
    )


@prepare("notifier_ordre_reversement", "contester_ordre_reversement", "trancher_contestation")
@prepare("annuler_ordre_reversement", "retablir_creance")
def recouvrer(lecture: LectureOuverte, operation_id: UUID, ordre_id: UUID) -> Preparation:
    """Recall the order."""
    ordre = projection_reversements.ordre(lecture.conn, lecture.perimetre, operation_id, ordre_id)
    return Preparation() if ordre is None else Preparation(resume=tuple(_de_l_ordre(ordre)))


@prepare("encaisser_reversement", "declarer_irrecouvrable")
def solder(lecture: LectureOuverte, operation_id: UUID, ordre_id: UUID) -> Preparation:
    """Recall the order, and begin with all that is still asked."""
    ordre = projection_reversements.ordre(lecture.conn, lecture.perimetre, operation_id, ordre_id)
    if ordre is None:
        return Preparation()
    return Preparation(
        initiales={"montant": decimales(ordre.reste)}, resume=tuple(_de_l_ordre(ordre))
    )


def _de_l_ordre(o: LigneOrdre) -> Iterable[tuple[str, str]]:
    yield "Bénéficiaire", o.beneficiaire
    yield "Réclamé", euros(o.montant)
    retires = (
        ("Encaissé", o.encaisse),
        ("Compensé", o.compense),
        ("Irrécouvrable", o.perdu),
    )
    yield from ((mots, euros(montant)) for mots, montant in retires if montant)
    yield "Reste à recouvrer", euros(o.reste)
    yield "Échéance", jour(o.echeance)


@prepare("compenser_ordre_reversement")
def compenser(lecture: LectureOuverte, operation_id: UUID, ordre_id: UUID) -> Preparation:
    """Offer the payments of the same beneficiary that are ordered and did not leave."""
    conn, perimetre = lecture.conn, lecture.perimetre
    ordre = projection_reversements.ordre(conn, perimetre, operation_id, ordre_id)
    if ordre is None:
        return Preparation()
    paiements = [
        p
        for p in projection.paiements(
            conn, perimetre, statuts=["ordonnance"], siret=ordre.siret, limite=LIMITE_MAXIMALE
        ).lignes
        if p.operation_id != operation_id
    ]
    if not paiements:
        return Preparation(
            resume=tuple(_de_l_ordre(ordre)),
            impossible="Aucun paiement ordonnancé d’une autre opération de ce bénéficiaire "
            "n’attend son virement : la compensation n’est pas possible aujourd’hui.",
        )
    premier = paiements[0]
    return Preparation(
        initiales={
            "montant": decimales(min(ordre.reste, premier.a_virer)),
            "par_operation_id": str(premier.operation_id),
            "par_paiement_id": str(premier.id),
        },
        options={
            "par_operation_id": [
                (str(p.operation_id), f"{p.numero_mdfse}, {p.intitule}")
                for p in {p.operation_id: p for p in paiements}.values()
            ],
            "par_paiement_id": [
                (str(p.id), f"{p.numero_mdfse}, {p.type_libelle}, {euros(p.a_virer)}")
                for p in paiements
            ],
        },
        resume=tuple(_de_l_ordre(ordre)),
    )


# --- Certification -------------------------------------------------------------------------------


@prepare("transmettre_etat")
def transmettre(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Begin with all that controls kept and that was not sent."""
    ligne = projection_reversements.certification(lecture.conn, lecture.perimetre, operation_id)
    if ligne is None:
        return Preparation()
    return Preparation(
        initiales=_deux(ligne.a_transmettre, ligne.ct_retenu - ligne.ct_transmis),
        resume=(
            ("FSE retenu après contrôle", euros(ligne.fse_retenu)),
            ("Déjà transmis", euros(ligne.fse_transmis)),
        ),
    )


@prepare("enregistrer_certification", "enregistrer_retrait")
def certifier(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Begin with all that was sent and is not certified."""
    ligne = projection_reversements.certification(lecture.conn, lecture.perimetre, operation_id)
    if ligne is None:
        return Preparation()
    return Preparation(
        initiales=_deux(ligne.a_certifier, ligne.ct_transmis - ligne.ct_certifie),
        resume=(
            ("FSE transmis", euros(ligne.fse_transmis)),
            ("FSE certifié", euros(ligne.fse_certifie)),
        ),
    )


def _deux(fse: int, cout_total: int) -> dict[str, str]:
    return {"fse": decimales(max(0, fse)), "cout_total": decimales(max(0, cout_total))}
