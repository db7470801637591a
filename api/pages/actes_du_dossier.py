"""What may be done on a dossier now: the next act first, whose turn it is, then everything else.

The order of a life is that of `aggregates.operation.transitions` and of the convention; decisions
alone refuse. Here, an act is offered when its time has come, to whoever holds its role.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from aggregates.operation.state import Statut
from api.droits import DROITS
from api.pages.ecriture import phrase
from api.pages.liens_actes import TITRES, lien_acte
from projections.fiche_operation import BilanVu, ConventionVue, FicheOperation
from projections.histoire import ROLES

#: Tells whether whoever reads may do an act.
Permis = Callable[[str], bool]

_AVANT_CONVENTION: frozenset[Statut] = frozenset(
    (
        "depose",
        "complement_demande",
        "recevable",
        "en_instruction",
        "instruit_favorable",
        "instruit_defavorable",
        "ajourne",
        "programme",
    )
)
_INSTRUITS: frozenset[Statut] = frozenset(("instruit_favorable", "instruit_defavorable"))
_EN_COURS: frozenset[Statut] = frozenset(
    ("conventionne", "en_execution", "realisation_terminee", "bilan_final_depose")
)
_DEPENSES: frozenset[Statut] = frozenset(
    ("conventionne", "en_execution", "realisation_terminee", "abandonne", "resilie")
)
_INDICATEURS: frozenset[Statut] = frozenset(
    ("en_execution", "realisation_terminee", "bilan_final_depose")
)
_BILANS: frozenset[Statut] = frozenset(
    ("en_execution", "realisation_terminee", "abandonne", "resilie")
)
_AVENANTS: frozenset[Statut] = frozenset(("conventionne", "en_execution", "realisation_terminee"))


@dataclass(frozen=True, slots=True)
class ActePossible:
    """An act, and its form when it is for whoever reads; otherwise, whose turn it is."""

    nom: str
    titre: str
    lien: str | None
    qui: str
    precision: str | None = None


@dataclass(frozen=True, slots=True)
class ActesDuDossier:
    """The next acts, in order, and the others that may be done now."""

    suivants: tuple[ActePossible, ...]
    autres: tuple[ActePossible, ...]


AUCUN = ActesDuDossier((), ())


@dataclass(frozen=True, slots=True)
class _Temps:
    """An act whose time has come."""

    nom: str
    cibles: tuple[UUID | int, ...]
    precision: str | None = None
    valeurs: tuple[tuple[str, str], ...] = ()
    lien: str | None = None  #: a page of its own, instead of a form
    titre: str | None = None


def actes_du_dossier(fiche: FicheOperation, permis: Permis, le: date) -> ActesDuDossier:
    """Return what may be done on a dossier on a day."""
    retour = f"/dossiers/{fiche.resume.numero_mdfse}"
    suivants = [_acte(temps, permis, retour) for temps in _suivants(fiche, le)]
    deja = {(acte.nom, acte.lien) for acte in suivants}
    autres = [
        acte
        for temps in _autres(fiche, le)
        if (acte := _acte(temps, permis, retour)).lien and (acte.nom, acte.lien) not in deja
    ]
    return ActesDuDossier(tuple(suivants), tuple(autres))


def _acte(temps: _Temps, permis: Permis, retour: str) -> ActePossible:
    lien = temps.lien or lien_acte(temps.nom, *temps.cibles, retour=retour, **dict(temps.valeurs))
    return ActePossible(
        nom=temps.nom,
        titre=temps.titre or TITRES[temps.nom],
        lien=lien if permis(temps.nom) else None,
        qui=", ".join(ROLES[role] for role in DROITS[temps.nom].roles or ()),
        precision=None if temps.precision is None else phrase(temps.precision),
    )


# --- The next act --------------------------------------------------------------------------------


def _suivants(fiche: FicheOperation, le: date) -> Iterator[_Temps]:
    """Yield what the dossier waits for, the first thing first."""
    ici = (fiche.resume.id,)
    statut = cast("Statut", fiche.resume.statut)
    if fiche.convention is not None:
        yield from _avenant_en_cours(fiche, fiche.convention)
    match statut:
        case "depose":
            yield _Temps("prononcer_recevabilite", ici)
        case "complement_demande":
            yield _Temps("recevoir_complement", ici)
        case "recevable":
            yield _Temps("ouvrir_instruction", ici)
        case "en_instruction":
            yield from _instruction(fiche)
        case "instruit_favorable" | "instruit_defavorable" | "ajourne":
            if statut == "ajourne":
                yield _Temps("rouvrir_instruction", ici)
            yield _Temps("tenir_seance", (), lien="/comite", titre="Passer en séance de comité")
        case "programme":
            yield from _programme(fiche)
        case "conventionne":
            yield _Temps("demarrer_operation", ici)
        case "en_execution" | "realisation_terminee" | "bilan_final_depose":
            yield from _en_execution(fiche, statut, le)
        case "abandonne" | "resilie":
            yield from _bilans(fiche)
            yield _Temps("solder_operation", ici, "Quand tout est réglé, dans les deux sens.")
        case "solde":
            if fiche.suites_en_cours:
                yield from _bilans(fiche)
                yield _Temps("clore_suites", ici)
            else:
                yield _Temps("cloturer_operation", ici)
        case "cloture":
            if fiche.suites_en_cours:
                yield _Temps("clore_suites", ici)
            else:
                yield _Temps("archiver_dossier", ici)
        case _:
            return


def _instruction(fiche: FicheOperation) -> Iterator[_Temps]:
    ici = (fiche.resume.id,)
    instruit = any(v.origine == "instruction" for v in fiche.versions_du_plan)
    if instruit:
        yield _Temps("valider_rapport", ici, "Une autre personne que celle qui a instruit.")
    else:
        yield _Temps("instruire_plan", ici)


def _programme(fiche: FicheOperation) -> Iterator[_Temps]:
    ici = (fiche.resume.id,)
    if fiche.convention is None:
        yield _Temps("signer_convention", ici)
    elif fiche.convention.notifiee_le is None:
        yield _Temps("notifier_convention", ici)


def _avenant_en_cours(fiche: FicheOperation, convention: ConventionVue) -> Iterator[_Temps]:
    for avenant in convention.avenants:
        cible = (fiche.resume.id, avenant.numero)
        if avenant.statut == "demande":
            yield _Temps("programmer_avenant", cible, f"Avenant n° {avenant.numero} demandé.")
        elif avenant.statut == "programme":
            yield _Temps("signer_avenant", cible, f"Avenant n° {avenant.numero} programmé.")


def _en_execution(fiche: FicheOperation, statut: Statut, le: date) -> Iterator[_Temps]:
    ici = (fiche.resume.id,)
    convention = fiche.convention
    assert convention is not None
    if statut == "en_execution" and le > convention.periode.fin:
        yield _Temps("constater_fin_de_realisation", ici)
    yield from _bilans(fiche)
    for attendu in convention.bilans_attendus:
        if attendu.etat == "en_retard":
            yield _Temps(
                "reclamer_bilan",
                ici,
                f"Bilan n° {attendu.numero}, attendu le {attendu.date_limite:%d/%m/%Y}.",
                (("numero", str(attendu.numero)),),
            )
    if statut == "bilan_final_depose":
        yield _Temps("solder_operation", ici, "Quand tout est réglé, dans les deux sens.")
    elif all(bilan.statut in {"controle", "renvoye"} for bilan in convention.bilans):
        yield _Temps("deposer_bilan", ici)


def _bilans(fiche: FicheOperation) -> Iterator[_Temps]:
    """Yield what each bilan waits for."""
    convention = fiche.convention
    assert convention is not None
    for bilan in convention.bilans:
        yield from _bilan(fiche, bilan)


def _bilan(fiche: FicheOperation, bilan: BilanVu) -> Iterator[_Temps]:
    operation_id, numero = fiche.resume.id, fiche.resume.numero_mdfse
    quoi = f"Bilan n° {bilan.numero}, déposé le {bilan.depose_le:%d/%m/%Y}."
    if bilan.statut == "depose":
        yield _Temps("juger_recevable", (operation_id, bilan.bilan_id), quoi)
    elif bilan.statut == "recevable":
        valeurs = (("bilan_id", str(bilan.bilan_id)),)
        yield _Temps("ouvrir_csf", (operation_id,), quoi, valeurs)
    elif bilan.statut == "en_controle":
        csf = bilan.csf[-1]
        yield _Temps(
            "controler_depenses",
            (operation_id, csf.csf_id),
            quoi,
            lien=f"/dossiers/{numero}/csf/{csf.csf_id}",
            titre=f"Contrôler le bilan n°\u00a0{bilan.numero}",
        )


# --- Everything else -----------------------------------------------------------------------------


def _autres(fiche: FicheOperation, le: date) -> Iterator[_Temps]:
    """Yield every act whose time has come, in the order of a life."""
    ici = (fiche.resume.id,)
    statut = cast("Statut", fiche.resume.statut)
    if statut in _AVANT_CONVENTION:
        for nom in _avant_convention(statut, signee=fiche.convention is not None):
            yield _Temps(nom, ici)
    if fiche.convention is not None:
        yield from _sous_convention(fiche, fiche.convention, statut, le)


def _avant_convention(statut: Statut, *, signee: bool) -> Iterator[str]:
    match statut:
        case "depose":
            yield from ("demander_complement", "prononcer_irrecevabilite")
        case "complement_demande":
            yield "prononcer_irrecevabilite"
        case "en_instruction":
            yield from ("instruire_plan", "rectifier_dossier")
        case "programme":
            yield "notifier_decision"
            if not signee:
                yield "deprogrammer_operation"
        case _:
            pass
    if statut in _INSTRUITS:
        yield from ("rendre_avis_plie", "rendre_avis_agd")
        yield from ("programmer_operation", "ajourner_operation", "refuser_operation")
    if statut == "ajourne":
        yield "programmer_operation"
    if not signee:
        yield "retirer_dossier"


def _sous_convention(
    fiche: FicheOperation, convention: ConventionVue, statut: Statut, le: date
) -> Iterator[_Temps]:
    ici = (fiche.resume.id,)
    numero = fiche.resume.numero_mdfse
    if convention.notifiee_le is None:
        return
    if statut in _DEPENSES:
        yield _Temps("declarer_depense", ici)
        demande = urlencode({"dossier": numero})
        yield _Temps(
            "declarer_depenses",
            ici,
            lien=f"/depenses/import?{demande}",
            titre="Importer des dépenses",
        )
    if statut in _BILANS:
        yield _Temps("deposer_bilan", ici)
    if statut in _INDICATEURS and fiche.indicateurs:
        yield _Temps("renseigner_indicateur", ici)
    yield _Temps("preparer_paiement", ici)
    if statut in _AVENANTS and not any(
        a.statut in {"demande", "programme"} for a in convention.avenants
    ):
        yield _Temps("demander_avenant", ici)
    for avenant in convention.avenants:
        if avenant.statut in {"demande", "programme"}:
            yield _Temps("abandonner_avenant", (fiche.resume.id, avenant.numero))
    for bilan in convention.bilans:
        if bilan.statut in {"depose", "recevable"}:
            cible = (fiche.resume.id, bilan.bilan_id)
            yield _Temps("renvoyer_bilan", cible, f"Bilan n° {bilan.numero}.")
    for attendu in convention.bilans_attendus:
        if attendu.reponse_depassee:
            valeurs = (("numero", str(attendu.numero)),)
            yield _Temps("clore_office", ici, f"Bilan n° {attendu.numero}.", valeurs)
    if statut == "en_execution" and le > convention.periode.fin:
        yield _Temps("constater_fin_de_realisation", ici)
    if convention.paye > convention.fse_du - convention.a_encaisser:
        yield _Temps("emettre_ordre_reversement", ici)
    if statut in _EN_COURS:
        yield from (_Temps("abandonner_operation", ici), _Temps("resilier_operation", ici))
