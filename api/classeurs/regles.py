"""What the decisions would say of each row, asked of them before anything is written."""

from collections.abc import Mapping
from datetime import date
from typing import cast
from uuid import UUID, uuid5

from aggregates.commande import Commande
from aggregates.contrepartie.affectation import (
    AttribuerContrepartie,
    MontantNul,
    PercevoirContrepartie,
    attribuer,
)
from aggregates.convention.bilans import BilanAvantConvention
from aggregates.depense import declaration
from aggregates.depense.declaration import DetailSaisi
from aggregates.depense.events import Detail
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation.execution import RenseignerIndicateur, renseigner_indicateur
from aggregates.plan import RessourceSaisie
from api.classeurs.cellules import cle_titre
from api.classeurs.contexte import (
    CleMetier,
    Contexte,
    ContrepartieConnue,
    DepenseConnue,
    OperationConnue,
    SubventionConnue,
    cle_texte,
)
from api.classeurs.examen import LigneExaminee, Regle
from oi_service.errors import Refusal, french_euros
from rules.eligibilite import anomalies_de_dates
from rules.nomenclature import POSTES, RESSOURCES

_RETIRER = "Retirez la ligne du fichier."


def regles(contexte: Contexte) -> Mapping[str, Regle]:
    """Return what looks at the rows of each kind of sheet, for one file."""
    return {
        "declarer_depense": _Depenses(contexte),
        "ressource": _Ressources(),
        "renseigner_indicateur": _Indicateurs(),
        "attribuer_contrepartie": _Attributions(contexte),
        "percevoir_contrepartie": _Perceptions(contexte),
    }


# --- Dépenses ------------------------------------------------------------------------------------

#: Where a refusal of the decision shows, and what to do about it.
_MONTANT = ("montant_impute", "Corrigez le montant imputé.")
_REGULARISE = ("@regularise", "Corrigez le numéro, ou le montant.")
_OU: Mapping[type[Refusal], tuple[str, str]] = {
    declaration.TempsEtCle: ("temps.methode", "Videz les cases du temps, ou celles de la clé."),
    declaration.TempsIncomplet: ("temps.methode", "Remplissez les cases que la méthode demande."),
    declaration.CleInvalide: ("cle.numerateur", "Corrigez la clé : 3 et 10 pour trois dixièmes."),
    declaration.MontantAbsent: _MONTANT,
    declaration.DepenseNulle: _MONTANT,
    declaration.RegularisationPositive: ("montant_impute", "Mettez le signe moins."),
    declaration.MontantNegatif: (
        "montant_impute",
        "Écrivez dans « Pièce régularisée » le numéro de la pièce qu’il reprend.",
    ),
}
#: Sentences that name a field of the API, said for a workbook.
_DIRE: Mapping[type[Refusal], str] = {
    declaration.MontantNegatif: "Ce montant est négatif et ne dit pas quelle pièce il reprend.",
    declaration.MontantAbsent: "Le montant imputé manque, et rien ne permet de le calculer.",
}


class _Depenses:
    """Looks at the rows of a sheet of dépenses, which know those above them."""

    def __init__(self, contexte: Contexte) -> None:
        self._contexte = contexte
        self._ouvertures: dict[UUID, Refusal | None] = {}
        self._dates: dict[tuple[object, ...], tuple[tuple[str, str], ...]] = {}
        self._lignes: dict[CleMetier, int] = {}
        self._pieces: dict[tuple[UUID, str], int] = {}
        self._etats: dict[UUID, Depense] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        operation = ligne.operation
        if operation is None:
            return
        refus = self._ouverture(operation)
        if refus is not None:
            ligne.refuser("@dossier", refus, _RETIRER)
        saisie = self._saisie(ligne, operation)
        if saisie is None or operation.convention is None or _calcul_illisible(ligne):
            return
        try:
            detail = saisie.detail(operation.convention.arrondi)
        except Refusal as trouve:
            cle, remede = _OU[type(trouve)]
            ligne.refuser(cle, trouve, remede, _DIRE.get(type(trouve), ""))
            return
        self._regulariser(ligne, operation, detail)
        self._prevenir(ligne, operation, detail)
        self._comparer(ligne, operation, detail)
        ligne.rendre(operation.id, detail.montant_impute_centimes)

    def _ouverture(self, operation: OperationConnue) -> Refusal | None:
        """Return why an operation takes no dépense now, asked once."""
        if operation.id not in self._ouvertures:
            refus = None
            try:
                declaration.exiger_declaration(operation.operation, operation.convention)
            except Refusal as trouve:
                refus = trouve
            self._ouvertures[operation.id] = refus
        return self._ouvertures[operation.id]

    def _saisie(self, ligne: LigneExaminee, operation: OperationConnue) -> DetailSaisi | None:
        """Return what the row declares, with the dépense that it takes back from."""
        saisie = cast("DetailSaisi | None", ligne.commande)
        piece = ligne.textes.get("@regularise")
        if saisie is None or piece is None:
            return saisie
        reprise = self._reprise(ligne, operation, piece, saisie.poste)
        if reprise is None:
            return None
        ligne.corps["regularise"] = str(reprise.id)
        return saisie.model_copy(update={"regularise": reprise.id})

    def _reprise(
        self, ligne: LigneExaminee, operation: OperationConnue, piece: str, poste: str
    ) -> DepenseConnue | None:
        """Find the dépense that a negative amount takes back from."""
        cle = (operation.id, cle_texte(piece))
        connues = self._contexte.depenses_par_piece.get(cle, ())
        choisies = tuple(d for d in connues if d.poste == poste) or connues
        if len(choisies) == 1:
            return choisies[0]
        if choisies:
            ligne.dire(
                "@regularise",
                "piece_ambigue",
                f"{len(choisies)} dépenses de cette opération portent ce numéro de pièce.",
                "Déclarez cette régularisation depuis la page de la dépense.",
            )
        elif cle in self._pieces:
            ligne.dire(
                "@regularise",
                "piece_du_meme_fichier",
                f"Cette pièce est à la ligne {self._pieces[cle]} du même fichier : elle n’est pas "
                "encore enregistrée.",
                "Importez d’abord la dépense, puis sa régularisation.",
            )
        else:
            ligne.dire(
                "@regularise",
                "piece_inconnue",
                "Aucune dépense enregistrée de cette opération ne porte ce numéro de pièce.",
                "Recopiez le numéro de la pièce reprise.",
            )
        return None

    def _regulariser(
        self, ligne: LigneExaminee, operation: OperationConnue, detail: Detail
    ) -> None:
        """Ask the decision whether so much may be taken back, after the rows above."""
        if detail.regularise is None:
            return
        connue = next(d for d in self._contexte.depenses if d.id == detail.regularise)
        etat = self._etats.get(connue.id, connue.etat)
        if etat is None:
            return
        nouvelle = Depense(cadre=etat.cadre, operation_id=operation.id, detail=detail)
        try:
            faits = declaration.regulariser(
                etat,
                Commande(date_effet=self._contexte.jour),
                connue.id,
                nouvelle,
                uuid5(connue.id, str(ligne.numero)),
            )
        except Refusal as trouve:
            ligne.refuser(*_REGULARISE[:1], trouve, _REGULARISE[1])
            return
        for fait in faits:
            etat = DEPENSE.evolve(etat, fait)
        self._etats[connue.id] = etat

    def _prevenir(self, ligne: LigneExaminee, operation: OperationConnue, detail: Detail) -> None:
        """Say what a control will set aside: it informs, as it does once declared."""
        for cle, message in self._constats(operation, detail):
            ligne.avertir(
                cle,
                "ineligible",
                message,
                "Vérifiez la case ; telle quelle, le contrôle pourra écarter la dépense.",
            )
        for cle in ("date_piece", "date_realisation", "date_acquittement"):
            jour: date | None = getattr(detail, cle)
            if jour is not None and jour > self._contexte.jour:
                ligne.avertir(
                    cle, "date_a_venir", "Cette date est à venir.", "Vérifiez l’année et le mois."
                )

    def _constats(self, operation: OperationConnue, detail: Detail) -> tuple[tuple[str, str], ...]:
        """Return what the rules find wrong in the poste and the dates, and in which column."""
        cle = (
            operation.id,
            detail.poste,
            detail.date_realisation,
            detail.date_engagement,
            detail.date_acquittement,
        )
        if cle not in self._dates:
            self._dates[cle] = (*_poste(operation, detail), *_dates(operation, detail))
        return self._dates[cle]

    def _comparer(self, ligne: LigneExaminee, operation: OperationConnue, detail: Detail) -> None:
        """Say that the row, or its document, is already in the file or in the register."""
        piece = cle_texte(detail.piece_ref)
        cle = CleMetier(
            operation.id, piece, detail.date_piece, detail.montant_impute_centimes, detail.poste
        )
        meme = self._contexte.depenses_par_cle.get(cle)
        lieu = (operation.id, piece)
        if meme is not None:
            lot = f", par le lot n° {meme.lot}" if meme.lot else ""
            ligne.doubler(
                "piece_ref",
                f"Cette dépense est déjà enregistrée{lot} : même pièce, même date, même montant, "
                "même poste.",
                depense_id=meme.id,
                lot=meme.lot,
            )
        elif cle in self._lignes:
            ligne.doubler(
                "piece_ref",
                f"La ligne {self._lignes[cle]} porte la même pièce, à la même date, pour le même "
                "montant et le même poste.",
                autre=self._lignes[cle],
            )
        elif lieu in self._pieces:
            ligne.avertir(
                "piece_ref",
                "piece_repetee",
                f"La pièce figure aussi à la ligne {self._pieces[lieu]}, pour un autre montant, "
                "une autre date ou un autre poste.",
                "Vérifiez que la pièce se partage bien entre ces lignes.",
            )
        elif connues := self._contexte.depenses_par_piece.get(lieu):
            ligne.avertir(
                "piece_ref",
                "piece_connue",
                "La pièce est déjà enregistrée pour cette opération, pour "
                f"{french_euros(sum(d.montant for d in connues))} en tout.",
                "Vérifiez que la pièce se partage bien entre ces dépenses.",
            )
        self._lignes.setdefault(cle, ligne.numero)
        self._pieces.setdefault(lieu, ligne.numero)


def _calcul_illisible(ligne: LigneExaminee) -> bool:
    """Tell whether a cell that the amount comes from could not be read: it was already said."""
    return any(
        cle.partition(".")[0] in {"montant_impute", "temps", "cle"} for cle in ligne.en_erreur
    )


def _poste(operation: OperationConnue, detail: Detail) -> tuple[tuple[str, str], ...]:
    assert operation.convention is not None
    modes = {p.code: p.mode for p in operation.convention.plan.postes}
    nom = POSTES.get(detail.poste, detail.poste)
    if detail.poste not in modes:
        return (("poste", f"Le poste « {nom} » n’est pas dans le plan de la convention."),)
    if modes[detail.poste] != "reel":
        return (
            (
                "poste",
                f"Le poste « {nom} » est à coût simplifié : la convention le paie sans pièce.",
            ),
        )
    return ()


def _dates(operation: OperationConnue, detail: Detail) -> tuple[tuple[str, str], ...]:
    convention = operation.convention
    assert convention is not None

    def trouvees(engagement: date | None) -> dict[str, str]:
        return {
            a.message: a.motif_code
            for a in anomalies_de_dates(
                reglement=convention.cadre.reglement,
                periode=convention.periode,
                realisation=detail.date_realisation,
                acquittement=detail.date_acquittement,
                engagement=engagement,
                limite_acquittement=convention.date_limite_acquittement,
            )
        }

    sans = trouvees(None)
    avec = trouvees(detail.date_engagement)
    ou = {"HORS_PERIODE": "date_realisation"}
    return (
        *(("date_engagement", message) for message in avec if message not in sans),
        *((ou.get(motif, "date_acquittement"), message) for message, motif in sans.items()),
    )


# --- Ressources ----------------------------------------------------------------------------------


class _Ressources:
    """Looks at what other funders paid, as a bilan will say it."""

    def __init__(self) -> None:
        self._lignes: dict[tuple[object, ...], int] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        operation, saisie = ligne.operation, cast("RessourceSaisie | None", ligne.commande)
        if operation is None or saisie is None:
            return
        convention = operation.convention
        if convention is None or convention.notifiee_le is None:
            ligne.refuser("@dossier", BilanAvantConvention(), _RETIRER)
            return
        if saisie.type not in {r.type for r in convention.plan.ressources}:
            ligne.avertir(
                "type",
                "ressource_hors_plan",
                f"Le plan de la convention n’attend rien de « {RESSOURCES[saisie.type]} ».",
                "Vérifiez le type.",
            )
        cle = (operation.id, saisie.type, cle_texte(saisie.financeur), saisie.montant)
        if cle in self._lignes:
            ligne.doubler(
                "financeur",
                f"La ligne {self._lignes[cle]} porte le même financeur, pour le même montant.",
                autre=self._lignes[cle],
            )
        self._lignes.setdefault(cle, ligne.numero)
        ligne.rendre(operation.id, saisie.montant)


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
            ligne.refuser("indicateur" if hors_liste else "@dossier", trouve, _RETIRER)
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
        connues = {_reference(c) for c in self._contexte.contreparties}
        if cle in connues:
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
