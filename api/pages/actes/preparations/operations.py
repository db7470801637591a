"""What the forms of operations and conventions know before anything is typed.

What was said once is not typed again: the plan that is revised, the plan that was programmed, the
terms of the convention that an avenant changes.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from aggregates.convention.state import CONVENTION, Convention, ConventionAbsente
from aggregates.operation.state import OPERATION, Operation, OperationAbsente
from aggregates.parametres import surcharger
from aggregates.plan import PlanFinancement, Poste
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api.deps import LectureOuverte
from api.filters import euros, jour, pourcent
from api.pages.actes.preparations import Preparation, prepare
from api.pages.ecriture import majuscule, nombre, phrase, poste
from oi_service.clock import today
from oi_service.dates import Periode
from oi_service.ids import convention_of
from oi_service.money import euros as decimales
from projections.appels_a_projets import appels_a_projets, fiche_appel
from projections.contreparties import contrepartie
from projections.curseurs import LIMITE_MAXIMALE
from projections.dossiers import noms_des_plies, operations
from projections.fiche_operation import fiche_convention
from projections.histoire import INSTANCES
from projections.journal import lire_flux
from projections.seances import enveloppes_des_cellules
from rules.delais import bilans_attendus, date_limite_bilan_final
from rules.nomenclature import POSTES

Resume = tuple[tuple[str, str], ...]

_INSTANCES_OI = tuple(
    (code, majuscule(INSTANCES[code]))
    for code in ("comite_programmation_oi", "conseil_administration_oi")
)
#: What the plan of a form offers; a poste of its own keeps the code that it has.
_POSTES = tuple(POSTES.items())


# --- What is read --------------------------------------------------------------------------------


def _operation(lecture: LectureOuverte, operation_id: UUID) -> Operation:
    """Return an operation of the perimeter.

    Raises: OperationAbsente.
    """
    flux = lire_flux(lecture.conn, lecture.perimetre, [operation_id])
    state = OPERATION.replay(lu.fait for lu in flux.get(operation_id, ()))
    if state is None:
        raise OperationAbsente(id=operation_id)
    return state


def _dossier(lecture: LectureOuverte, operation_id: UUID) -> tuple[Operation, Convention]:
    """Return an operation and its convention.

    Raises: OperationAbsente, ConventionAbsente.
    """
    convention_id = convention_of(operation_id)
    flux = lire_flux(lecture.conn, lecture.perimetre, [operation_id, convention_id])
    operation = OPERATION.replay(lu.fait for lu in flux.get(operation_id, ()))
    if operation is None:
        raise OperationAbsente(id=operation_id)
    convention = CONVENTION.replay(lu.fait for lu in flux.get(convention_id, ()))
    if convention is None:
        raise ConventionAbsente(id=convention_id)
    return operation, convention


def _du_plan(plan: PlanFinancement) -> Resume:
    """Say a plan in three lines."""
    return (
        ("Coût total", euros(plan.cout_total_centimes)),
        ("FSE", f"{euros(plan.fse_centimes)}, soit {pourcent(plan.taux_fse)}"),
        ("Autres ressources", euros(plan.ressources_centimes)),
    )


def _periode(periode: Periode) -> str:
    return f"du {jour(periode.debut)} au {jour(periode.fin)}"


def _sans_vides(corps: Mapping[str, Any]) -> dict[str, Any]:
    return {nom: valeur for nom, valeur in corps.items() if valeur not in (None, [], "")}


def plan_saisi(plan: PlanFinancement) -> dict[str, Any]:
    """Return a plan as the JSON door takes it."""
    return {
        "postes": [_poste_saisi(p) for p in plan.postes],
        "fse": decimales(plan.fse_centimes),
        "ressources": [
            {"type": r.type, "financeur": r.financeur, "montant": decimales(r.montant_centimes)}
            for r in plan.ressources
        ],
    }


def _poste_saisi(ligne: Poste) -> dict[str, Any]:
    return _sans_vides(
        {
            "code": ligne.code,
            "montant": decimales(ligne.montant_centimes),
            "mode": ligne.mode,
            "libelle": ligne.libelle,
            "option": ligne.option,
            "taux_pct": None if ligne.taux_pct is None else f"{ligne.taux_pct.normalize():f}",
            "assiette": list(ligne.assiette),
            "methode_ref": ligne.methode_ref,
            "couvre": list(ligne.couvre),
            "unite": ligne.unite,
            "cout_unite": None
            if ligne.cout_unite_centimes is None
            else decimales(ligne.cout_unite_centimes),
            "unites": None if ligne.unites is None else f"{ligne.unites.normalize():f}",
            "livrables": [
                {"id": x.id, "libelle": x.libelle, "montant": decimales(x.montant_centimes)}
                for x in ligne.livrables
            ],
        }
    )


# --- Deposit and instruction ---------------------------------------------------------------------


@prepare("deposer_dossier")
def deposer(lecture: LectureOuverte) -> Preparation:
    """Offer the calls that are open, and their fiches."""
    conn, perimetre = lecture.conn, lecture.perimetre
    ouverts = [
        a for a in appels_a_projets(conn, perimetre, limite=LIMITE_MAXIMALE).lignes if not a.clos
    ]
    noms = noms_des_plies(conn, perimetre)
    fiches = [
        (fiche.code, f"{fiche.code}, {fiche.titre} ({noms.get(fiche.plie_id, fiche.plie_id)})")
        for appel in ouverts
        for fiche in fiche_appel(conn, perimetre, appel.id).fiches
    ]
    return Preparation(
        # A first line of funding, empty: a plan without any is rare.
        initiales={"plan": {"ressources": [{"type": ""}]}},
        options={
            "appel_a_projets_id": [
                (str(a.id), f"N°\u00a0{a.numero}, {a.intitule}") for a in ouverts[::-1]
            ],
            "fiche_code": sorted(set(fiches)),
            "plan.postes.code": _POSTES,
        },
        suite="/dossiers/{numero_mdfse}",
        avertissements=()
        if ouverts
        else ("Aucun appel à projets n’est ouvert : un dossier ne peut pas être déposé.",),
    )


@prepare(
    "demander_complement",
    "recevoir_complement",
    "prononcer_recevabilite",
    "prononcer_irrecevabilite",
    "retirer_dossier",
    "ouvrir_instruction",
    "rouvrir_instruction",
)
def du_dossier(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Recall what the dossier asks for."""
    operation = _operation(lecture, operation_id)
    return Preparation(resume=_demande(operation))


def _demande(operation: Operation) -> Resume:
    depot = () if operation.depose_le is None else (("Déposé le", jour(operation.depose_le)),)
    return (
        ("Bénéficiaire", operation.beneficiaire.nom),
        *depot,
        ("Période", _periode(operation.periode)),
        *_du_plan(operation.plan),
    )


@prepare("rectifier_dossier")
def rectifier(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Show what the dossier says; only what changed is recorded as such."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales={
            "intitule": operation.intitule,
            "objet": operation.objet,
            "periode": _bornes(operation.periode),
        },
        inchanges=frozenset({"intitule", "objet", "periode"}),
    )


def _bornes(periode: Periode) -> dict[str, str]:
    return {"debut": periode.debut.isoformat(), "fin": periode.fin.isoformat()}


@prepare("instruire_plan")
def instruire(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Begin with the last plan: that of the deposit, then that of the last instruction."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales=_sans_vides(
            {
                "plan": plan_saisi(operation.plan),
                "derogation_couts_simplifies": operation.derogation,
            }
        ),
        options={"plan.postes.code": _POSTES},
        resume=(
            ("Plan repris", "le dernier instruit" if operation.plan_instruit else "celui du dépôt"),
            *_du_plan(operation.plan),
            ("Demandé au dépôt", f"{euros(operation.fse_demande)} de FSE"),
        ),
    )


@prepare("valider_rapport")
def rapport(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Recall the plan, and who instructed it: somebody else validates."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales=_sans_vides({"instructeur": operation.instructeur}),
        resume=_du_plan(operation.plan),
        impossible=None
        if operation.plan_instruit
        else "Aucun plan n’est instruit : le rapport ne peut pas être validé.",
    )


@prepare("rendre_avis_agd")
def avis_agd(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """The opinion is that of the managing authority by delegation; its service may be named."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales={"instance": "Autorité de gestion déléguée"},
        resume=_demande(operation),
    )


@prepare("rendre_avis_plie")
def avis_plie(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """The opinion is usually that of the steering committee of the PLIE."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales={"instance": majuscule(INSTANCES["comite_pilotage_plie"])},
        resume=_demande(operation),
    )


# --- Programming ---------------------------------------------------------------------------------


@prepare("programmer_operation")
def programmer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """The amounts are those of the plan, set against what the enveloppe still has."""
    operation = _operation(lecture, operation_id)
    plan = operation.plan
    return Preparation(
        initiales={
            "instance": "comite_programmation_oi",
            "fse": decimales(plan.fse_centimes),
            "cout_total": decimales(plan.cout_total_centimes),
        },
        options={"instance": _INSTANCES_OI},
        resume=(*_du_plan(plan), *_disponible(lecture, operation)),
        avertissements=(
            "L’avis de l’instruction est défavorable : dites pourquoi le comité passe outre.",
        )
        if operation.avis == "defavorable"
        else (),
    )


def _disponible(lecture: LectureOuverte, operation: Operation) -> Resume:
    subvention_id = operation.cadre.subvention_globale_id
    for enveloppe in enveloppes_des_cellules(lecture.conn, lecture.perimetre, subvention_id):
        if enveloppe.est(operation.cellule):
            reste = euros(enveloppe.alloue - enveloppe.programme)
            return (
                ("Disponible dans l’enveloppe", f"{reste} ({operation.cellule.ligne.libelle})"),
            )
    return (("Disponible dans l’enveloppe", f"aucune enveloppe ({operation.cellule.libelle})"),)


@prepare("ajourner_operation", "refuser_operation", "deprogrammer_operation")
def decider_sans_programmer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Only a body of the OI decides."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales={"instance": "comite_programmation_oi"},
        options={"instance": _INSTANCES_OI},
        resume=_demande(operation),
    )


@prepare("notifier_decision")
def notifier_decision(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Recall what was decided."""
    operation = _operation(lecture, operation_id)
    programmee = operation.programmee_le
    return Preparation(
        resume=(
            ("Programmée le", "–" if programmee is None else jour(programmee)),
            ("FSE programmé", euros(operation.fse_programme)),
            ("Coût total", euros(operation.cout_total_programme)),
        )
    )


# --- The convention ------------------------------------------------------------------------------


@prepare("signer_convention")
def signer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """The plan that was programmed, what the grant and the fiche decide, a calendar of bilans."""
    operation = _operation(lecture, operation_id)
    subvention_id = operation.cadre.subvention_globale_id
    lus = lire_flux(lecture.conn, lecture.perimetre, [subvention_id]).get(subvention_id, ())
    subvention = SUBVENTION_GLOBALE.replay(lu.fait for lu in lus)
    return Preparation(
        initiales={
            "numero": operation.numero_mdfse,
            "bilans_prevus": calendrier(operation.periode, operation.cadre.reglement),
        },
        options={
            "plafonds_poste.code": [
                (p.code, p.libelle or poste(p.code))
                for p in operation.plan.postes
                if p.mode == "reel"
            ]
        },
        resume=(
            *_du_plan(operation.plan),
            ("Période", _periode(operation.periode)),
            ("Bilan final au plus tard le", jour(date_limite_bilan_final(operation.periode.fin))),
            *(() if subvention is None else _conditions(operation, subvention.parametres)),
        ),
    )


def _conditions(operation: Operation, parametres: Any) -> Resume:
    """Say what the convention says when its form decides nothing else."""
    en_vigueur = surcharger(parametres, operation.parametres, None)
    sans = operation.beneficiaire.type in en_vigueur.types_beneficiaires_sans_avance
    plafond = en_vigueur.avance_plafond_centimes
    avance = (
        "aucune, pour ce type de bénéficiaire"
        if sans
        else f"{nombre(en_vigueur.avance_pct)}\u00a0% du FSE"
        + ("" if plafond is None else f", au plus {euros(plafond)}")
    )
    avant_solde = en_vigueur.plafond_avant_solde_pct
    return (
        ("Avance", avance),
        (
            "Avant le solde",
            "sans plafond"
            if avant_solde is None
            else f"au plus {nombre(avant_solde)}\u00a0% du FSE",
        ),
        ("Réponse aux conclusions", f"{en_vigueur.delai_contradictoire_jours} jours"),
    )


def calendrier(periode: Periode, reglement: str) -> list[dict[str, Any]]:
    """Propose the bilans that the texts ask for: the intermediate ones share out the period."""
    attendus = bilans_attendus(periode, reglement)
    intermediaires = 0 if attendus is None else attendus.minimum - 1
    duree = (periode.fin - periode.debut).days + 1
    prevus = [
        {
            "numero": rang,
            "type": "intermediaire",
            "date_limite": (
                periode.debut + timedelta(days=duree * rang // (intermediaires + 1))
            ).isoformat(),
        }
        for rang in range(1, intermediaires + 1)
    ]
    final = {
        "numero": intermediaires + 1,
        "type": "final",
        "date_limite": date_limite_bilan_final(periode.fin).isoformat(),
    }
    return [*prevus, final]


@prepare("notifier_convention")
def notifier(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Recall what comes into force."""
    _, convention = _dossier(lecture, operation_id)
    return Preparation(
        resume=(
            ("Convention", f"n°\u00a0{convention.numero}, signée le {jour(convention.signee_le)}"),
            *_du_plan(convention.plan),
        )
    )


# --- Avenants ------------------------------------------------------------------------------------


@prepare("demander_avenant")
def demander_avenant(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Show the terms in force: what is left as it is stays, only the difference is asked."""
    _, convention = _dossier(lecture, operation_id)
    return Preparation(
        initiales={
            "numero": convention.avenants + 1,
            "objet": convention.objet,
            "periode": _bornes(convention.periode),
            "plan": plan_saisi(convention.plan),
        },
        inchanges=frozenset({"objet", "periode", "plan"}),
        options={"plan.postes.code": _POSTES},
        resume=(
            ("Avenant", f"n°\u00a0{convention.avenants + 1}"),
            *_du_plan(convention.plan),
            ("Déjà payé", euros(convention.paye)),
        ),
        avertissements=(
            "Changez seulement ce que l’avenant change : le reste n’en fera pas partie.",
            *_trop_tard(convention),
        ),
    )


def _trop_tard(convention: Convention) -> Iterable[str]:
    """Say beforehand that the signature of an avenant would be refused today."""
    if convention.periode.fin < today():
        yield (
            f"La période de réalisation a pris fin le {jour(convention.periode.fin)} : un avenant "
            "signé aujourd’hui serait refusé."
        )


@prepare("programmer_avenant", "signer_avenant", "abandonner_avenant")
def examiner_avenant(lecture: LectureOuverte, operation_id: UUID, numero: int) -> Preparation:
    """Show what the avenant changes, before and after."""
    _, convention = _dossier(lecture, operation_id)
    vue = fiche_convention(lecture.conn, lecture.perimetre, operation_id)
    avenant = next((a for a in vue.avenants if a.numero == numero), None)
    differences: Iterable[tuple[str, str]] = ()
    if avenant is not None:
        differences = (
            (majuscule(d.champ), phrase(f"{d.avant} → {d.apres}")) for d in avenant.differences
        )
    motif = () if avenant is None or avenant.motif is None else (("Motif", avenant.motif),)
    return Preparation(
        initiales={"instance": "comite_programmation_oi"},
        options={"instance": _INSTANCES_OI},
        resume=(("Avenant", f"n°\u00a0{numero}"), *motif, *differences),
        avertissements=tuple(_trop_tard(convention)),
    )


# --- Execution and end ---------------------------------------------------------------------------


@prepare("demarrer_operation", "abandonner_operation", "resilier_operation")
def en_execution(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Recall the convention."""
    operation, convention = _dossier(lecture, operation_id)
    return Preparation(
        resume=(
            ("Convention", f"n°\u00a0{convention.numero}"),
            ("Période", _periode(operation.periode)),
            ("FSE conventionné", euros(convention.fse_max)),
            ("Déjà payé", euros(convention.paye)),
        )
    )


@prepare("constater_fin_de_realisation")
def constater_fin(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """The end is seen on the day after the last one."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        initiales={"date_effet": (operation.periode.fin + timedelta(days=1)).isoformat()},
        resume=(("Période", _periode(operation.periode)),),
    )


@prepare("renseigner_indicateur")
def indicateur(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Offer the indicators that the operation promised, each with its target."""
    operation = _operation(lecture, operation_id)
    return Preparation(
        options={
            "indicateur": [
                (str(rang), f"{promis.libelle} ({_cible(promis.cible, promis.unite)})")
                for rang, promis in enumerate(operation.indicateurs, 1)
            ]
        },
        resume=tuple(
            (
                promis.libelle,
                f"cible {_cible(promis.cible, promis.unite)}, "
                + (
                    f"renseigné\u00a0: {nombre(operation.realise[rang])}"
                    if rang in operation.realise
                    else "rien de renseigné"
                ),
            )
            for rang, promis in enumerate(operation.indicateurs, 1)
        ),
    )


def _cible(cible: Any, unite: str) -> str:
    return f"{nombre(cible)} {unite}"


@prepare("solder_operation", "cloturer_operation", "clore_suites")
def solder(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Set what is due against what was paid: nothing is left either way."""
    operation, convention = _dossier(lecture, operation_id)
    reste = convention.fse_du - convention.paye + convention.perdu
    return Preparation(
        resume=(
            ("FSE programmé", euros(operation.fse_programme)),
            ("FSE dû", euros(convention.fse_du)),
            ("Payé, net des retours", euros(convention.paye)),
            ("Reste à verser" if reste >= 0 else "Trop versé", euros(abs(reste))),
        )
    )


@prepare("archiver_dossier")
def archiver(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Say from which day the law counts."""
    operation = _operation(lecture, operation_id)
    base = (
        "la déclaration des dépenses à la Commission"
        if operation.cadre.reglement == "2014-2020"
        else "le dernier paiement au bénéficiaire"
    )
    return Preparation(resume=(("La conservation se compte depuis", base),))


# --- Contreparties -------------------------------------------------------------------------------


@prepare("affecter_contrepartie", "annuler_affectation", "repartir_contrepartie")
def affecter(lecture: LectureOuverte, contrepartie_id: UUID) -> Preparation:
    """Offer the operations that it may back, and what is left of it."""
    ligne = contrepartie(lecture.conn, lecture.perimetre, contrepartie_id)
    lignes = operations(
        lecture.conn, lecture.perimetre, plie=ligne.plie_id, limite=LIMITE_MAXIMALE
    ).lignes
    choix = [(str(o.id), f"{o.numero_mdfse}, {o.beneficiaire}") for o in lignes]
    return Preparation(
        options={"operation_id": choix, "operations": choix},
        resume=(
            ("Financeur", ligne.financeur),
            ("Attribué", euros(ligne.attribue)),
            ("Affecté", euros(ligne.affecte)),
            ("Reste à affecter", euros(ligne.reste)),
        ),
    )


@prepare("attribuer_contrepartie")
def attribuer(lecture: LectureOuverte, _subvention_id: UUID) -> Preparation:
    """Offer the PLIE that it may be for; none, and the whole OI shares it."""
    return Preparation(
        options={"plie_id": tuple(noms_des_plies(lecture.conn, lecture.perimetre).items())}
    )


@prepare("percevoir_contrepartie")
def percevoir(lecture: LectureOuverte, contrepartie_id: UUID) -> Preparation:
    """Say what is still awaited of the funder."""
    ligne = contrepartie(lecture.conn, lecture.perimetre, contrepartie_id)
    attendu = max(0, ligne.attribue - ligne.percu)
    return Preparation(
        initiales={"montant": decimales(attendu)},
        resume=(
            ("Financeur", ligne.financeur),
            ("Attribué", euros(ligne.attribue)),
            ("Déjà perçu", euros(ligne.percu)),
        ),
    )
