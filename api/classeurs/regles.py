"""What the decisions would say of each row, asked of them before anything is written."""

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from aggregates.contrepartie.affectation import (
    AttribuerContrepartie,
    MontantNul,
    PercevoirContrepartie,
    attribuer,
)
from aggregates.convention.bilans import BilanAvantConvention, exiger_attendu
from aggregates.convention.state import Convention
from aggregates.operation.execution import (
    INTERROMPUE,
    RenseignerIndicateur,
    renseigner_indicateur,
)
from aggregates.operation.transitions import exiger
from aggregates.plan import RessourceSaisie
from api.classeurs.cellules import cle_titre
from api.classeurs.contexte import (
    Contexte,
    ContrepartieConnue,
    OperationConnue,
    SubventionConnue,
    cle_texte,
)
from api.classeurs.examen import LigneExaminee, Regle
from api.classeurs.regles_depenses import RETIRER, Depenses
from oi_service.errors import Refusal
from rules.nomenclature import RESSOURCES


def regles(contexte: Contexte) -> Mapping[str, Regle]:
    """Return what looks at the rows of each kind of sheet, for one file."""
    return {
        "declarer_depense": Depenses(contexte),
        "ressource": _Ressources(),
        "renseigner_indicateur": _Indicateurs(),
        "attribuer_contrepartie": _Attributions(contexte),
        "percevoir_contrepartie": _Perceptions(contexte),
    }


# --- Ressources ----------------------------------------------------------------------------------


class _Ressources:
    """Looks at what other funders paid, as a bilan will say it: that of one operation."""

    def __init__(self) -> None:
        self._lignes: dict[tuple[object, ...], int] = {}
        self._premiere: tuple[int, OperationConnue] | None = None

    def __call__(self, ligne: LigneExaminee) -> None:
        operation, saisie = ligne.operation, cast("RessourceSaisie | None", ligne.commande)
        if operation is None or saisie is None:
            return
        try:
            convention = _convention_a_bilan(operation)
        except Refusal as trouve:
            ligne.refuser("@dossier", trouve, RETIRER)
            return
        if self._premiere is None:
            self._premiere = (ligne.numero, operation)
        numero, premiere = self._premiere
        if operation.id != premiere.id:
            ligne.dire(
                "@dossier",
                "autre_bilan",
                "Les ressources d’un classeur sont celles d’un seul bilan, et la ligne "
                f"{numero} est du dossier {premiere.numero}.",
                "Déposez cette ligne dans un autre classeur, avec le bilan de son dossier.",
            )
            return
        if saisie.type not in {r.type for r in convention.plan.ressources}:
            ligne.avertir(
                "type",
                "ressource_hors_plan",
                f"Le plan de la convention n’attend rien de « {RESSOURCES[saisie.type]} ».",
                "Vérifiez le type.",
            )
        _prevenir_des_bilans(ligne, convention, saisie)
        cle = (operation.id, saisie.type, cle_texte(saisie.financeur), saisie.montant)
        if cle in self._lignes:
            ligne.doubler(
                "financeur",
                f"La ligne {self._lignes[cle]} porte le même financeur, pour le même montant.",
                autre=self._lignes[cle],
            )
        self._lignes.setdefault(cle, ligne.numero)
        ligne.rendre(operation.id, saisie.montant)


def _convention_a_bilan(connue: OperationConnue) -> Convention:
    """Return the convention under which a bilan may be filed now.

    Raises: what the deposit of the bilan would be refused for.
    """
    if connue.convention is None:
        raise BilanAvantConvention
    exiger_attendu(connue.convention)
    if connue.operation.statut not in INTERROMPUE:
        exiger(connue.operation, "Déposer un bilan", "en_execution", "realisation_terminee")
    return connue.convention


def _prevenir_des_bilans(
    ligne: LigneExaminee, convention: Convention, saisie: RessourceSaisie
) -> None:
    """Say that a filed bilan carries the same amount: two periods may, or one was typed twice."""
    for bilan in convention.bilans.values():
        if bilan.statut == "renvoye":
            continue
        if any(
            (r.type, cle_texte(r.financeur), r.montant_centimes)
            == (saisie.type, cle_texte(saisie.financeur), saisie.montant)
            for r in bilan.ressources
        ):
            ligne.avertir(
                "financeur",
                "ressource_deja_au_bilan",
                f"Le bilan n° {bilan.numero}, du {bilan.periode.debut:%d/%m/%Y} au "
                f"{bilan.periode.fin:%d/%m/%Y}, porte déjà ce montant de ce financeur.",
                "Vérifiez que c’est un autre versement.",
            )


# --- Indicateurs ---------------------------------------------------------------------------------


class _Indicateurs:
    """Looks at what was reached on the indicators of operations."""

    def __init__(self) -> None:
        self._lignes: dict[tuple[UUID, int], int] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        operation, saisie = ligne.operation, cast("RenseignerIndicateur | None", ligne.commande)
        if operation is None or saisie is None:
            return
        try:
            renseigner_indicateur(operation.operation, saisie)
        except Refusal as trouve:
            hors_liste = saisie.indicateur > len(operation.operation.indicateurs)
            ligne.refuser("indicateur" if hors_liste else "@dossier", trouve, RETIRER)
            return
        prevu = operation.operation.indicateurs[saisie.indicateur - 1].libelle
        ecrit = ligne.textes.get("@libelle")
        if ecrit is not None and cle_titre(ecrit) != cle_titre(prevu):
            ligne.dire(
                "@libelle",
                "autre_indicateur",
                f"L’indicateur n° {saisie.indicateur} de la fiche est « {prevu} ».",
                "Corrigez le numéro, ou le libellé.",
            )
        cle = (operation.id, saisie.indicateur)
        if cle in self._lignes:
            ligne.dire(
                "indicateur",
                "indicateur_en_double",
                f"La ligne {self._lignes[cle]} renseigne déjà cet indicateur.",
                "Gardez une seule ligne par indicateur.",
            )
        self._lignes.setdefault(cle, ligne.numero)
        ligne.rendre(operation.id)


# --- Contreparties -------------------------------------------------------------------------------


class _Attributions:
    """Looks at what funders grant."""

    def __init__(self, contexte: Contexte) -> None:
        self._contexte = contexte
        self._connues = {_reference(c) for c in contexte.contreparties}
        self._lignes: dict[tuple[str, int, str], int] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        saisie = cast("AttribuerContrepartie | None", ligne.commande)
        subvention = self._subvention(ligne)
        if saisie is None or subvention is None:
            return
        if saisie.plie_id is not None and saisie.plie_id not in self._contexte.plies:
            ligne.dire(
                "plie_id",
                "plie_inconnu",
                "Aucun PLIE que vous voyez ne porte ce code.",
                "Choisissez un code de la liste, ou videz la case.",
            )
        try:
            attribuer(None, saisie, subvention.cadre)
        except Refusal as trouve:
            cle = "montant" if isinstance(trouve, MontantNul) else "type"
            ligne.refuser(cle, trouve, "Corrigez cette case.")
        self._comparer(ligne, saisie)
        ligne.rendre(subvention.id, saisie.montant)

    def _subvention(self, ligne: LigneExaminee) -> SubventionConnue | None:
        numero = ligne.textes.get("@subvention")
        connues = self._contexte.subventions
        if numero is None and len(connues) == 1:
            return connues[0]
        trouvee = next((s for s in connues if cle_texte(s.numero) == cle_texte(numero or "")), None)
        if trouvee is None:
            ligne.dire(
                "@subvention",
                "subvention_inconnue",
                "Aucune subvention globale que vous voyez ne porte ce numéro."
                if numero
                else "Il y a plusieurs subventions globales : dites laquelle.",
                "Recopiez le numéro affiché par l’application.",
            )
        return trouvee

    def _comparer(self, ligne: LigneExaminee, saisie: AttribuerContrepartie) -> None:
        cle = (cle_texte(saisie.financeur), saisie.annee, cle_texte(saisie.attestation_ref))
        if cle in self._connues:
            ligne.doubler(
                "attestation_ref",
                "Cette contrepartie est déjà enregistrée : même financeur, même année, même "
                "attestation.",
            )
        elif cle in self._lignes:
            ligne.doubler(
                "attestation_ref",
                f"La ligne {self._lignes[cle]} porte le même financeur, la même année et la même "
                "attestation.",
                autre=self._lignes[cle],
            )
        self._lignes.setdefault(cle, ligne.numero)


def _reference(connue: ContrepartieConnue) -> tuple[str, int, str]:
    return cle_texte(connue.financeur), connue.annee, cle_texte(connue.attestation_ref)


class _Perceptions:
    """Looks at what funders pay of what they granted."""

    def __init__(self, contexte: Contexte) -> None:
        self._contexte = contexte
        self._lignes: dict[tuple[UUID, str], int] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        saisie = cast("PercevoirContrepartie | None", ligne.commande)
        connue = self._contrepartie(ligne)
        if saisie is None or connue is None:
            return
        if saisie.montant == 0:
            ligne.refuser("montant", MontantNul(), "Corrigez cette case.")
        cle = (connue.id, cle_texte(saisie.ref))
        if cle[1] in map(cle_texte, connue.perceptions):
            ligne.doubler("ref", "Ce versement est déjà enregistré, sous la même référence.")
        elif cle in self._lignes:
            ligne.doubler(
                "ref",
                f"La ligne {self._lignes[cle]} porte la même référence de versement.",
                autre=self._lignes[cle],
            )
        self._lignes.setdefault(cle, ligne.numero)
        ligne.rendre(connue.id, saisie.montant)

    def _contrepartie(self, ligne: LigneExaminee) -> ContrepartieConnue | None:
        financeur, annee = ligne.textes.get("@financeur"), ligne.textes.get("@annee")
        attestation = ligne.textes.get("@attestation_ref")
        if financeur is None or annee is None:
            return None
        trouvees = [
            c
            for c in self._contexte.contreparties
            if cle_texte(c.financeur) == cle_texte(financeur)
            and c.annee == annee
            and (attestation is None or cle_texte(c.attestation_ref) == cle_texte(attestation))
        ]
        if len(trouvees) == 1:
            return trouvees[0]
        if trouvees:
            ligne.dire(
                "@attestation_ref",
                "contrepartie_ambigue",
                f"Ce financeur a attribué {len(trouvees)} contreparties cette année-là.",
                "Écrivez la référence de l’attestation.",
            )
        else:
            ligne.dire(
                "@financeur",
                "contrepartie_inconnue",
                "Aucune contrepartie enregistrée ne porte ce financeur, cette année et cette "
                "attestation.",
                "Enregistrez d’abord l’attribution, ou recopiez-en le financeur.",
            )
        return None
