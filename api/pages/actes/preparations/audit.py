"""What the forms of controls of operations and of working files know before anything is typed."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from api.deps import LectureOuverte
from api.filters import entier, euros, jour
from api.pages.actes.preparations import Preparation, prepare
from api.pages.actes.sujets import Sujet
from api.pages.ecriture import majuscule, phrase
from oi_service.clock import today
from oi_service.money import euros as decimales
from projections.audit import DossierAudite, EchantillonAudite, dossier_audit
from projections.comptes import plies_connus
from projections.controles_operation import (
    ConstatDuControle,
    ControleVu,
    SuiteDuControle,
    controle,
)
from projections.depenses_tirees import depenses_tirees
from projections.fiche_operation import FicheOperation, fiche_operation
from projections.subventions_globales import exiger_subvention

Options = list[tuple[str, str]]


# --- Choices -------------------------------------------------------------------------------------


def _operations(lecture: LectureOuverte, parmi: Iterable[UUID] | None = None) -> Options:
    """Return the operations to choose from, by number."""
    rows = lecture.conn.execute(
        """
        SELECT o.id, o.numero_mdfse, o.beneficiaire FROM projection.operation AS o
        WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (%(parmi)s::uuid[] IS NULL OR o.id = ANY(%(parmi)s))
        ORDER BY o.numero_mdfse
        """,
        {
            "plies": lecture.perimetre.liste,
            "parmi": None if parmi is None else list(parmi),
        },
    )
    return [(str(row[0]), f"{row[1]}, {row[2]}") for row in rows]


def _etats(lecture: LectureOuverte) -> Options:
    """Return the états de dépenses that were sent."""
    rows = lecture.conn.execute(
        """
        SELECT DISTINCT e.data ->> 'etat_no' AS etat_no FROM oi.event AS e
        WHERE e.name = 'convention.etat_depenses_transmis.v1' AND e.data ->> 'etat_no' IS NOT NULL
        ORDER BY 1
        """
    )
    return [(row[0], row[0]) for row in rows]


# --- Controls of operations ----------------------------------------------------------------------


@prepare("notifier_controle")
def annoncer(lecture: LectureOuverte) -> Preparation:
    """Offer the operations that may be controlled."""
    return Preparation(
        sujet=Sujet("Contrôles d’opération", "/audit/controles"),
        options={"perimetre.operations.operation_id": _operations(lecture)},
        resume=(
            ("Un contrôle ne change aucun montant", "ce qu’il fait corriger l’est par la suite"),
        ),
    )


def _lire(lecture: LectureOuverte, controle_id: UUID) -> ControleVu:
    return controle(lecture.conn, lecture.perimetre, controle_id, le=today())


def _sujet(vu: ControleVu) -> Sujet:
    ligne = vu.ligne
    return Sujet(
        f"Contrôle {ligne.reference}",
        f"/audit/controles/{ligne.id}",
        f"{ligne.organisme_libelle}, {ligne.statut_libelle}",
    )


@prepare(
    "commencer_controle",
    "annuler_controle",
    "prolonger_delai_reponse",
    "clore_suites_controle",
    "clore_controle",
)
def suivre(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Recall the control: on what, up to when."""
    vu = _lire(lecture, controle_id)
    return Preparation(sujet=_sujet(vu), resume=tuple(_resume(vu)))


def _resume(vu: ControleVu) -> Iterable[tuple[str, str]]:
    ligne = vu.ligne
    yield "Opérations", ", ".join(o.numero_mdfse for o in vu.operations)
    yield "Coût total contrôlé", euros(ligne.cout_total_controle)
    if ligne.date_annoncee:
        yield "Annoncé pour le", jour(ligne.date_annoncee)
    if vu.constats:
        yield "Constats", entier(len(vu.constats))
    if ligne.date_limite_reponse:
        yield "Réponse attendue jusqu’au", jour(ligne.date_limite_reponse)
    if ligne.date_limite_suites:
        yield "Suites attendues jusqu’au", jour(ligne.date_limite_suites)


@prepare("rectifier_perimetre_controle")
def rectifier_perimetre(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Start from what is controlled now: the whole perimeter is given again."""
    vu = _lire(lecture, controle_id)
    perimetre: dict[str, Any] = {
        "operations": [
            {
                "operation_id": str(o.operation_id),
                "cout_total_controle": decimales(o.cout_total_controle),
                "depenses": [str(d) for d in o.depenses],
            }
            for o in vu.operations
        ]
    }
    if vu.ligne.etat_no:
        perimetre["etat_no"] = vu.ligne.etat_no
    if vu.ligne.echantillon_id:
        perimetre["echantillon_id"] = str(vu.ligne.echantillon_id)
    return Preparation(
        sujet=_sujet(vu),
        initiales={"perimetre": perimetre},
        options={"perimetre.operations.operation_id": _operations(lecture)},
        resume=tuple(_resume(vu)),
    )


@prepare("recevoir_rapport_provisoire")
def rapport_provisoire(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Offer the operations under control, and the first number of a finding."""
    vu = _lire(lecture, controle_id)
    return Preparation(
        sujet=_sujet(vu),
        initiales={"constats": [{"numero": 1}]},
        options={
            "constats.operation_id": _operations(lecture, (o.operation_id for o in vu.operations))
        },
        resume=tuple(_resume(vu)),
    )


def _constats(constats: Sequence[ConstatDuControle]) -> Options:
    return [
        (
            str(k.numero),
            phrase(f"n° {k.numero}, {k.nature_libelle}, dossier {k.numero_mdfse}"),
        )
        for k in constats
    ]


@prepare("recevoir_rapport_definitif")
def rapport_definitif(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Put a line for each finding of the provisional report: it says what becomes of each."""
    vu = _lire(lecture, controle_id)
    return Preparation(
        sujet=_sujet(vu),
        initiales={"constats": [{"numero": k.numero, "issue": "maintenu"} for k in vu.constats]},
        options={"constats.numero": _constats(vu.constats)},
        resume=(*_resume(vu), *_proposes(vu)),
    )


def _proposes(vu: ControleVu) -> Iterable[tuple[str, str]]:
    for k in vu.constats:
        yield (
            phrase(f"Constat n° {k.numero}, proposé"),
            f"{euros(k.cout_total_propose)} de coût total, {euros(k.fse_propose)} de FSE",
        )


@prepare("repondre_constat")
def repondre(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Offer the findings that wait for an answer, all of them by their number."""
    vu = _lire(lecture, controle_id)
    return Preparation(
        sujet=_sujet(vu),
        options={"constat_numero": _constats(vu.constats)},
        resume=(*_resume(vu), *_proposes(vu)),
    )


@prepare("rectifier_constat")
def rectifier(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Offer the findings, with their amounts of now."""
    vu = _lire(lecture, controle_id)
    return Preparation(
        sujet=_sujet(vu),
        options={"constat_numero": _constats(vu.constats)},
        resume=tuple(_proposes(vu)),
    )


@prepare("decider_suite_controle")
def decider(lecture: LectureOuverte, controle_id: UUID) -> Preparation:
    """Offer the findings that are kept."""
    vu = _lire(lecture, controle_id)
    retenus = [k for k in vu.constats if k.issue in {"maintenu", "reduit"}]
    return Preparation(
        sujet=_sujet(vu),
        initiales={"responsable": "oi"},
        options={"constat_numero": _constats(retenus)},
        resume=tuple(
            (
                phrase(f"Constat n° {k.numero}, retenu"),
                (
                    f"{euros(k.cout_total_retenu or 0)} de coût total, "
                    f"{euros(k.fse_retenu or 0)} de FSE"
                ),
            )
            for k in retenus
        ),
    )


@prepare("prolonger_suite_controle", "annuler_suite_controle")
def suivre_une_suite(lecture: LectureOuverte, controle_id: UUID, suite_id: UUID) -> Preparation:
    """Recall a follow-up."""
    vu = _lire(lecture, controle_id)
    return Preparation(sujet=_sujet(vu), resume=tuple(_la_suite(vu, suite_id)))


def _la_suite(vu: ControleVu, suite_id: UUID) -> Iterable[tuple[str, str]]:
    for s in vu.suites:
        if s.suite_id == suite_id:
            yield "Suite", phrase(f"{majuscule(s.mesure_libelle)} : {s.action}")
            yield "Constat", phrase(f"n° {s.constat_numero}")
            yield "Responsable", s.responsable_libelle
            yield "Échéance", jour(s.echeance)


@prepare("executer_suite_controle")
def executer(lecture: LectureOuverte, controle_id: UUID, suite_id: UUID) -> Preparation:
    """Offer the facts of the convention that may do it, by its measure."""
    vu = _lire(lecture, controle_id)
    suite = next((s for s in vu.suites if s.suite_id == suite_id), None)
    if suite is None:
        return Preparation(sujet=_sujet(vu))
    constat = next(k for k in vu.constats if k.numero == suite.constat_numero)
    fiche = fiche_operation(lecture.conn, lecture.perimetre, constat.operation_id)
    champs = _EXECUTION[suite.mesure]
    return Preparation(
        sujet=_sujet(vu),
        options=_executants(fiche, suite),
        # What another measure would name has nothing to do here.
        caches=frozenset({"csf", "ordres", "appels_de_fonds"} - champs),
        resume=(
            *_la_suite(vu, suite_id),
            ("Dossier", constat.numero_mdfse),
            (
                "À retirer",
                (
                    f"{euros(constat.cout_total_retenu or 0)} de coût total, "
                    f"{euros(constat.fse_retenu or 0)} de FSE"
                ),
            ),
        ),
    )


#: The field that an execution names, by its measure; a report alone for an administrative one.
_EXECUTION: dict[str, set[str]] = {
    "recalcul_csf": {"csf"},
    "ordre_reversement": {"ordres"},
    "retrait_certification": {"appels_de_fonds"},
    "mesure_administrative": set(),
}


def _executants(fiche: FicheOperation, suite: SuiteDuControle) -> dict[str, Options]:
    convention = fiche.convention
    if convention is None:
        return {}
    if suite.mesure == "recalcul_csf":
        return {
            "csf": [
                (
                    str(csf.csf_id),
                    phrase(f"Bilan n° {b.numero}, contrôle version {csf.version}"),
                )
                for b in convention.bilans
                for csf in b.csf
                if csf.resultat is not None and csf.version > 1
            ]
        }
    if suite.mesure == "ordre_reversement":
        return {
            "ordres": [
                (str(o.ordre_id), f"Ordre du {jour(o.emis_le)}, {euros(o.montant)}")
                for o in convention.reversements
            ]
        }
    if suite.mesure == "retrait_certification":
        return {
            "appels_de_fonds": [
                (c.ref, f"{c.ref}, {euros(c.fse)} de FSE")
                for c in convention.certifications
                if c.acte == "retiree"
            ]
        }
    return {}


# --- Working files -------------------------------------------------------------------------------


@prepare("ouvrir_dossier_audit")
def ouvrir(lecture: LectureOuverte, subvention_globale_id: UUID) -> Preparation:
    """Name the grant."""
    sg = exiger_subvention(lecture.conn, lecture.perimetre, subvention_globale_id)
    return Preparation(
        sujet=Sujet(f"Subvention globale {sg.numero}", "/audit/dossiers", sg.oi_nom),
        avertissements=(_SANS_NOM,),
    )


_SANS_NOM = (
    "N’écrivez le nom d’aucune personne : le journal garde ces textes pour toujours, et ils "
    "partent avec l’archive de tout."
)


def _dossier(lecture: LectureOuverte, dossier_id: UUID) -> tuple[DossierAudite, Sujet]:
    lu = dossier_audit(lecture.conn, lecture.perimetre, dossier_id)
    sujet = Sujet(f"Dossier d’audit {lu.reference}", f"/audit/dossiers/{lu.id}", lu.mission)
    return lu, sujet


@prepare("figer_population")
def figer(lecture: LectureOuverte, dossier_id: UUID) -> Preparation:
    """Offer what a population may be made of."""
    _, sujet = _dossier(lecture, dossier_id)
    return Preparation(
        sujet=sujet,
        initiales={"definition": {"portee": "toutes"}, "montant": "retenu"},
        options={
            "definition.operation_id": _operations(lecture),
            "definition.plie_id": [(p.plie_id, p.nom) for p in plies_connus(lecture.conn)],
            "definition.etat_no": _etats(lecture),
        },
        resume=(
            (
                "Ce qui est figé",
                (
                    "la liste des dépenses, telle que le journal la connaît à un événement ; son "
                    "empreinte prouve qu’elle n’a pas changé"
                ),
            ),
        ),
    )


@prepare("tirer_echantillon_audit")
def tirer(lecture: LectureOuverte, dossier_id: UUID) -> Preparation:
    """Offer the populations of the file, and its draws to extend or replace."""
    lu, sujet = _dossier(lecture, dossier_id)
    populations = [
        (
            str(p.id),
            phrase(
                f"{entier(p.nombre)} dépenses, {euros(p.total)}, figée le {jour(p.figee_le)}, "
                f"tirée {entier(p.tirages)} fois"
            ),
        )
        for p in lu.populations
    ]
    tirages = [(str(e.id), _titre(e)) for e in lu.echantillons if e.suivi_par is None]
    return Preparation(
        sujet=sujet,
        initiales={"methode": "mus", "taille": 30},
        options={"population_id": populations, "etend": tirages, "remplace": tirages},
        resume=(
            ("Tous les tirages sont conservés", "un second étend le précédent, ou le remplace"),
            ("Graine", "sans elle, l’identifiant du tirage en tient lieu ; il peut être refait"),
        ),
        impossible=None if populations else "Figez d’abord une population.",
    )


def _titre(e: EchantillonAudite) -> str:
    return phrase(f"Tirage n° {e.rang}, {entier(len(e.tirage))} dépenses, du {jour(e.tire_le)}")


@prepare("corriger_constat")
def corriger(
    lecture: LectureOuverte, dossier_id: UUID, echantillon_id: UUID, depense_id: UUID
) -> Preparation:
    """Start from what is noted."""
    lu, sujet = _dossier(lecture, dossier_id)
    unite = next(
        (u for u in lu.echantillon(echantillon_id).tirage if u.depense_id == depense_id), None
    )
    if unite is None or unite.erreur is None:
        return Preparation(sujet=sujet)
    depense = depenses_tirees(lecture.conn, lecture.perimetre, [depense_id]).get(depense_id)
    return Preparation(
        sujet=sujet,
        initiales={"erreur": decimales(unite.erreur), "commentaire": unite.commentaire or ""},
        resume=(
            *(
                ()
                if depense is None
                else (
                    ("Pièce", f"{depense.piece_ref}, {depense.nature}"),
                    ("Dossier", f"{depense.numero_mdfse}, {depense.beneficiaire}"),
                )
            ),
            ("Montant", euros(unite.montant)),
            ("Erreur notée", euros(unite.erreur)),
        ),
        avertissements=(_SANS_NOM,),
    )


@prepare("arreter_resultat")
def arreter(lecture: LectureOuverte, dossier_id: UUID, echantillon_id: UUID) -> Preparation:
    """Recall what was found."""
    lu, sujet = _dossier(lecture, dossier_id)
    e = lu.echantillon(echantillon_id)
    notees = [u.erreur for u in e.tirage if u.erreur is not None]
    return Preparation(
        sujet=sujet,
        resume=(
            ("Tirage", _titre(e)),
            ("Constats notés", f"{entier(len(notees))} sur {entier(len(e.tirage))}"),
            ("Erreur constatée", euros(sum(notees))),
            ("Ce que vaut le résultat", "une information, jamais une correction"),
        ),
    )


@prepare("clore_dossier_audit")
def clore(lecture: LectureOuverte, dossier_id: UUID) -> Preparation:
    """Recall what the file holds."""
    lu, sujet = _dossier(lecture, dossier_id)
    resultats = [e.resultat for e in lu.echantillons if e.resultat is not None]
    return Preparation(
        sujet=sujet,
        resume=(
            ("Populations", entier(len(lu.populations))),
            ("Tirages", entier(len(lu.echantillons))),
            *(
                ("Erreur projetée", f"{euros(r.erreur_projetee)} sur {euros(r.total)}")
                for r in resultats
            ),
        ),
        avertissements=(_SANS_NOM,),
    )
