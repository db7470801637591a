"""What the decisions and the rules would say of each row of a sheet of dépenses."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import cast
from uuid import UUID, uuid5

from aggregates.commande import Commande
from aggregates.convention.state import Convention
from aggregates.depense import declaration
from aggregates.depense.declaration import DetailSaisi, JourSaisi
from aggregates.depense.events import Detail
from aggregates.depense.state import DEPENSE, Depense
from api.classeurs.contexte import (
    CleMetier,
    Contexte,
    DepenseConnue,
    OperationConnue,
    cle_texte,
)
from api.classeurs.examen import LigneExaminee
from api.classeurs.modeles import JOURS_DU_MOIS
from oi_service.dates import Periode
from oi_service.errors import Refusal, french_euros
from rules.eligibilite import anomalies_de_dates
from rules.nomenclature import POSTES

RETIRER = "Retirez la ligne du fichier."

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


#: Columns, each with what a rule finds wrong in it.
Constats = tuple[tuple[str, str], ...]


class _Suivi:
    """What is known of one operation while its rows are read."""

    def __init__(self, connue: OperationConnue) -> None:
        self.connue = connue
        self.refus = _ouverture(connue)
        self.postes: dict[str, Constats] = {}
        #: First row of each dépense, and of each document.
        self.lignes: dict[tuple[str, date, int, str], int] = {}
        self.pieces: dict[str, int] = {}
        #: By column, days between which the rule finds nothing wrong.
        self.sans_reproche: dict[str, Periode] = {}
        if connue.convention is not None:
            # Rows mostly lie inside the convention: its ends are put to the rule first.
            convention = connue.convention
            for jour in (convention.periode.debut, convention.periode.fin):
                self.dates(convention, jour, jour, jour)
            limite = convention.date_limite_acquittement
            self.dates(convention, None, convention.periode.fin, limite)

    def poste(self, convention: Convention, code: str) -> Constats:
        """Return what is wrong with a poste."""
        if code not in self.postes:
            self.postes[code] = _poste(convention, code)
        return self.postes[code]

    def dates(
        self,
        convention: Convention,
        engagement: date | None,
        realisation: date,
        acquittement: date | None,
    ) -> Constats:
        """Return what the rule finds wrong in the dates of a row.

        The rule asks of each date, by itself, that it lies in a period: a day between two days
        without reproach has none. Only the others are put to it.
        """
        if (
            acquittement is not None
            and self._couvre("date_realisation", realisation)
            and self._couvre("date_acquittement", acquittement)
            and (engagement is None or self._couvre("date_engagement", engagement))
        ):
            return ()
        constats = _dates(convention, engagement, realisation, acquittement)
        fautives = {cle for cle, _ in constats}
        for cle, jour in (
            ("date_engagement", engagement),
            ("date_realisation", realisation),
            ("date_acquittement", acquittement),
        ):
            if jour is not None and cle not in fautives:
                connue = self.sans_reproche.get(cle, Periode(debut=jour, fin=jour))
                self.sans_reproche[cle] = Periode(
                    debut=min(connue.debut, jour), fin=max(connue.fin, jour)
                )
        return constats

    def _couvre(self, cle: str, jour: date) -> bool:
        connue = self.sans_reproche.get(cle)
        return connue is not None and connue.debut <= jour <= connue.fin


def _ouverture(connue: OperationConnue) -> Refusal | None:
    """Return why an operation takes no dépense now."""
    try:
        declaration.exiger_declaration(connue.operation, connue.convention)
    except Refusal as trouve:
        return trouve
    return None


class Depenses:
    """Looks at the rows of a sheet of dépenses, which know those above them."""

    def __init__(self, contexte: Contexte) -> None:
        """Start a file."""
        self._contexte = contexte
        self._suivis: dict[int, _Suivi] = {}
        self._etats: dict[UUID, Depense] = {}

    def __call__(self, ligne: LigneExaminee) -> None:
        """Look at a row."""
        if ligne.operation is None:
            return
        suivi = self._suivi(ligne.operation)
        if suivi.refus is not None:
            ligne.refuser("@dossier", suivi.refus, RETIRER)
        convention = ligne.operation.convention
        saisie = self._saisie(ligne, suivi)
        if saisie is None or convention is None or _calcul_illisible(ligne):
            return
        saisie = _avec_ses_jours(ligne, saisie)
        if saisie is None:
            return
        try:
            detail = saisie.detail(convention.arrondi)
        except Refusal as trouve:
            cle, remede = _OU[type(trouve)]
            ligne.refuser(cle, trouve, remede, _DIRE.get(type(trouve), ""))
            return
        self._regulariser(ligne, suivi.connue, detail)
        self._prevenir(ligne, suivi, convention, detail)
        self._comparer(ligne, suivi, detail)
        ligne.rendre(suivi.connue.id, detail.montant_impute_centimes)

    def _suivi(self, connue: OperationConnue) -> _Suivi:
        suivi = self._suivis.get(id(connue))
        if suivi is None:
            suivi = self._suivis[id(connue)] = _Suivi(connue)
        return suivi

    def _saisie(self, ligne: LigneExaminee, suivi: _Suivi) -> DetailSaisi | None:
        """Return what the row declares, with the dépense that it takes back from."""
        saisie = cast("DetailSaisi | None", ligne.commande)
        piece = ligne.textes.get("@regularise")
        if saisie is None or piece is None:
            return saisie
        reprise = self._reprise(ligne, suivi, piece, saisie.poste)
        if reprise is None:
            return None
        ligne.corps["regularise"] = str(reprise.id)
        return saisie.model_copy(update={"regularise": reprise.id})

    def _reprise(
        self, ligne: LigneExaminee, suivi: _Suivi, piece: str, poste: str
    ) -> DepenseConnue | None:
        """Find the dépense that a negative amount takes back from."""
        cle = cle_texte(piece)
        connues = self._contexte.depenses_par_piece.get((suivi.connue.id, cle), ())
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
        elif cle in suivi.pieces:
            ligne.dire(
                "@regularise",
                "piece_du_meme_fichier",
                f"Cette pièce est à la ligne {suivi.pieces[cle]} du même fichier : elle n’est pas "
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
        connue = self._contexte.depenses_par_id[detail.regularise]
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
            ligne.refuser(_REGULARISE[0], trouve, _REGULARISE[1])
            return
        for fait in faits:
            etat = DEPENSE.evolve(etat, fait)
        self._etats[connue.id] = etat

    def _prevenir(
        self, ligne: LigneExaminee, suivi: _Suivi, convention: Convention, detail: Detail
    ) -> None:
        """Say what a control will set aside: it informs, as it does once declared."""
        for cle, message in (
            *suivi.poste(convention, detail.poste),
            *suivi.dates(
                convention,
                detail.date_engagement,
                detail.date_realisation,
                detail.date_acquittement,
            ),
        ):
            ligne.avertir(
                cle,
                "ineligible",
                message,
                "Vérifiez la case ; telle quelle, le contrôle pourra écarter la dépense.",
            )
        for cle, jour in (
            ("date_piece", detail.date_piece),
            ("date_realisation", detail.date_realisation),
            ("date_acquittement", detail.date_acquittement),
        ):
            if jour is not None and jour > self._contexte.jour:
                ligne.avertir(
                    cle, "date_a_venir", "Cette date est à venir.", "Vérifiez l’année et le mois."
                )

    def _comparer(self, ligne: LigneExaminee, suivi: _Suivi, detail: Detail) -> None:
        """Say that the row, or its document, is already in the file or in the register."""
        piece = cle_texte(detail.piece_ref)
        cle = (piece, detail.date_piece, detail.montant_impute_centimes, detail.poste)
        connues: tuple[DepenseConnue, ...] = ()
        meme = None
        if self._contexte.depenses:
            connues = self._contexte.depenses_par_piece.get((suivi.connue.id, piece), ())
            meme = self._contexte.depenses_par_cle.get(CleMetier(suivi.connue.id, *cle))
        if meme is not None:
            lot = f", par le lot n° {meme.lot}" if meme.lot else ""
            ligne.doubler(
                "piece_ref",
                f"Cette dépense est déjà enregistrée{lot} : même pièce, même date, même montant, "
                "même poste.",
                depense_id=meme.id,
                lot=meme.lot,
            )
        elif cle in suivi.lignes:
            ligne.doubler(
                "piece_ref",
                f"La ligne {suivi.lignes[cle]} porte la même pièce, à la même date, pour le même "
                "montant et le même poste.",
                autre=suivi.lignes[cle],
            )
        elif piece in suivi.pieces:
            ligne.avertir(
                "piece_ref",
                "piece_repetee",
                f"La pièce figure aussi à la ligne {suivi.pieces[piece]}, pour un autre montant, "
                "une autre date ou un autre poste.",
                "Vérifiez que la pièce se partage bien entre ces lignes.",
            )
        elif connues:
            ligne.avertir(
                "piece_ref",
                "piece_connue",
                "La pièce est déjà enregistrée pour cette opération, pour "
                f"{french_euros(sum(d.montant for d in connues))} en tout.",
                "Vérifiez que la pièce se partage bien entre ces dépenses.",
            )
        suivi.lignes.setdefault(cle, ligne.numero)
        suivi.pieces.setdefault(piece, ligne.numero)


def _calcul_illisible(ligne: LigneExaminee) -> bool:
    """Tell whether a cell that the amount comes from could not be read: it was already said."""
    return any(
        cle.partition(".")[0] in {"montant_impute", "temps", "cle", "@jour"}
        for cle in ligne.en_erreur
    )


def _avec_ses_jours(ligne: LigneExaminee, saisie: DetailSaisi) -> DetailSaisi | None:
    """Return what the row declares, with the hours of each day; ``None`` when they have no place.

    A timesheet writes 0 on the days when nobody works: that says nothing.
    """
    heures = {
        rang: Decimal(str(ligne.textes[cle]))
        for rang, cle in JOURS_DU_MOIS.items()
        if cle in ligne.textes
    }
    heures = {rang: nombre for rang, nombre in heures.items() if nombre}
    if not heures:
        return saisie
    temps = saisie.temps
    if temps is None:
        ligne.dire(
            "temps.methode",
            "jours_sans_methode",
            "Des heures sont saisies jour par jour, sans méthode ni coût.",
            "Choisissez la méthode et écrivez le coût de la personne, ou videz les jours.",
        )
        return None
    if temps.mois is None:
        ligne.dire(
            "temps.mois",
            "jours_sans_mois",
            "Des heures sont saisies jour par jour, sans le mois.",
            "Écrivez le mois, de 1 à 12, ou videz les jours.",
        )
        return None
    annee = temps.annee or saisie.date_realisation.year
    jours = []
    for rang, nombre in heures.items():
        try:
            jour = date(annee, temps.mois, rang)
        except ValueError:
            ligne.dire(
                JOURS_DU_MOIS[rang],
                "jour_inexistant",
                f"Le mois {temps.mois:02}/{annee} n’a pas de jour {rang}.",
                "Videz la case, ou corrigez le mois.",
            )
        else:
            jours.append({"jour": jour.isoformat(), "heures": f"{nombre:f}"})
    if len(jours) < len(heures):
        return None
    total = sum(heures.values(), Decimal())
    if temps.heures_operation not in {None, total}:
        ligne.avertir(
            "temps.heures_operation",
            "total_des_jours",
            f"Les jours font {_heures(total)} heures, et non {_heures(temps.heures_operation)}.",
            "Corrigez un jour ou le total, ou videz le total : il sera calculé.",
        )
    ligne.corps["temps"]["jours"] = jours
    lus = tuple(map(JourSaisi.model_validate, jours))
    return saisie.model_copy(update={"temps": temps.model_copy(update={"jours": lus})})


def _heures(nombre: Decimal | None) -> str:
    return f"{(nombre or Decimal()).normalize():f}".replace(".", ",")


def _poste(convention: Convention, code: str) -> Constats:
    modes = {p.code: p.mode for p in convention.plan.postes}
    nom = POSTES.get(code, code)
    if code not in modes:
        return (("poste", f"Le poste « {nom} » n’est pas dans le plan de la convention."),)
    if modes[code] != "reel":
        return (
            (
                "poste",
                f"Le poste « {nom} » est à coût simplifié : la convention le paie sans pièce.",
            ),
        )
    return ()


def _dates(
    convention: Convention,
    engagement: date | None,
    realisation: date,
    acquittement: date | None,
) -> Constats:
    def trouvees(engagee: date | None) -> dict[str, str]:
        return {
            a.message: a.motif_code
            for a in anomalies_de_dates(
                reglement=convention.cadre.reglement,
                periode=convention.periode,
                realisation=realisation,
                acquittement=acquittement,
                engagement=engagee,
                limite_acquittement=convention.date_limite_acquittement,
            )
        }

    sans = trouvees(None)
    avec = trouvees(engagement) if engagement else sans
    ou = {"HORS_PERIODE": "date_realisation"}
    return (
        *(("date_engagement", message) for message in avec if message not in sans),
        *((ou.get(motif, "date_acquittement"), message) for message, motif in sans.items()),
    )
