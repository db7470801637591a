"""Why a cost is set aside: the closed list of motifs, and the tests of eligibility.

`examiner` puts one cost through every test and returns one finding per test, whatever its outcome:
conforming, defective, or for a person to judge. Findings inform; the controller decides.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec

from oi_service.dates import Periode
from oi_service.errors import french_euros
from oi_service.money import Arrondi
from rules.constat import Constat, Essai, Valeur, montant
from rules.delais import date_limite_bilan_final, operation_achevee_avant_depot
from rules.doubles import Presentation, constats_de_doubles
from rules.natures import natures_reconnues
from rules.nomenclature import POSTES
from rules.parametres import Parametre, ParametreHorsVigueur, parametre
from rules.temps import Cle, Temps, TempsAilleurs, constats_de_temps, heures, montant_calcule

#: Raised when a motif is added or reworded: a CSF says under which list it was written.
MOTIFS_VERSION = 1

#: Motifs d'inéligibilité. A code is never removed nor given another meaning: facts carry it.
MOTIFS: Mapping[str, str] = {
    "HORS_PERIODE": "Dépense hors de la période d’éligibilité",
    "NON_ACQUITTEE": "Dépense non acquittée",
    "ACQUITTEE_HORS_DELAI": "Dépense acquittée hors délai",
    "PIECE_ABSENTE": "Pièce justificative absente",
    "PIECE_NON_PROBANTE": "Pièce justificative non probante",
    "TEMPS_NON_JUSTIFIE": "Temps passé non justifié",
    "ASSIETTE_ERRONEE": "Assiette de calcul erronée",
    "CLE_NON_JUSTIFIEE": "Clé de répartition non justifiée",
    "SANS_LIEN_AVEC_OPERATION": "Dépense sans lien avec l’opération",
    "NON_SUPPORTEE_PAR_BENEFICIAIRE": "Dépense non supportée par le bénéficiaire",
    "INELIGIBLE_PAR_NATURE": "Dépense inéligible par nature",
    "POSTE_NON_CONVENTIONNE": "Poste de dépense non prévu par la convention",
    "PLAFOND_POSTE_DEPASSE": "Plafond du poste de dépense dépassé",
    "TVA_RECUPERABLE": "TVA récupérable",
    "AMENDE_PENALITE": "Amende, pénalité ou sanction",
    "DOUBLE_FINANCEMENT": "Dépense déjà financée par ailleurs",
    "COMMANDE_PUBLIQUE": "Règles de la commande publique non respectées",
    "MISE_EN_CONCURRENCE_NON_PROUVEE": "Mise en concurrence non prouvée",
    "AIDE_ETAT": "Règles des aides d’État non respectées",
    "PUBLICITE": "Obligations de publicité non respectées",
    "PARTICIPANT_INELIGIBLE": "Participant inéligible",
    "DONNEES_PARTICIPANT_INCOMPLETES": "Données du participant incomplètes",
    "LIVRABLE_NON_ATTEINT": "Livrable non atteint",
    "UNITE_NON_PROUVEE": "Unité d’œuvre non prouvée",
    "EXTRAPOLATION": "Extrapolation du taux d’erreur de l’échantillon",
    "COUT_DERAISONNABLE": "Coût déraisonnable",
    "CONFLIT_INTERETS": "Conflit d’intérêts",
    "OPERATION_ACHEVEE_AVANT_DEPOT": "Opération achevée avant le dépôt de la demande",
    "CORRECTION_AUDIT": "Correction à la suite d’un audit",
    "ERREUR_MATERIELLE": "Erreur matérielle",
    "REGULARISATION_BILAN_ANTERIEUR": "Régularisation d’un bilan antérieur",
    "RESSOURCE_NON_DECLAREE": "Ressource non déclarée",
    "CLOTURE_OFFICE": "Clôture d’office du dossier",
}

#: What proves that a cost was paid. Source: décrets 2016-279 et 2022-608, règles d'éligibilité.
PREUVES_ACQUITTEMENT: Mapping[str, str] = {
    "facture_acquittee": "Facture acquittée par le fournisseur",
    "releve_bancaire": "Relevé bancaire montrant le débit et sa date",
    "etat_vise_comptable_public": "État récapitulatif visé par le comptable public",
    "etat_vise_cac": "État récapitulatif visé par le commissaire aux comptes",
    "etat_vise_expert_comptable": "État récapitulatif visé par l’expert-comptable",
    "bulletin_paie_plus_releve": "Bulletin de paie et relevé bancaire",
}


#: Every test that a cost goes through, in the order of their findings.
TESTS: Mapping[str, str] = {
    "lien_operation": "Liée et nécessaire à l’opération",
    "supportee": "Supportée par le bénéficiaire",
    "engagement": "Engagée pendant la période de réalisation",
    "realisation": "Réalisée pendant la période de réalisation",
    "programme": "Réalisée pendant la période du programme",
    "acquittement": "Acquittée à temps",
    "preuve_acquittement": "Preuve de l’acquittement",
    "depot": "Opération non achevée au dépôt de la demande",
    "avenant": "Postérieure à la demande de l’avenant qui ajoute le poste",
    "piece_presente": "Pièce justificative présente",
    "piece_probante": "Pièce justificative probante",
    "nature": "Éligible par nature",
    "poste": "Poste prévu par la convention, au coût réel",
    "meme_fichier": "Document joint à cette seule dépense",
    "meme_piece": "Pièce présentée une seule fois",
    "mise_en_concurrence": "Mise en concurrence",
    "aide_etat": "Aides d’État",
    "participants": "Participants éligibles, données complètes",
    "cout_raisonnable": "Coût raisonnable",
    "temps_justifie": "Temps passé justifié",
    "temps_accepte": "Pourcentage fixe accepté d’avance",
    "temps_jour": "Heures de chaque jour",
    "temps_mois": "Temps imputé à plusieurs opérations",
    "temps_annee": "Heures de l’année",
    "calcul": "Montant égal au calcul",
    "cle": "Clé de répartition justifiée",
    "tva": "TVA récupérable exclue",
    "regularisation": "Régularisation dans la limite de la dépense corrigée",
}


class Anomalie(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A defect of a cost: a value, shown with all the others. ``motif_code`` is one of MOTIFS."""

    motif_code: str
    message: str


def periode_programme(reglement: str, *, le: date) -> Periode:
    """Return the window in which the programming period takes costs, as known on a day.

    Source: Règlement (UE) n° 1303/2013, art. 65 §2; règlement (UE) 2021/1060, art. 63 §2.
    """
    return Periode(
        debut=parametre("eligibilite_debut", le=le, reglement=reglement).jour,
        fin=parametre("eligibilite_fin", le=le, reglement=reglement).jour,
    )


# What a cost is, and what it is looked at against.


class DepenseExaminee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cost as the beneficiary declared it. ``documents`` are the SHA-256 of what is attached."""

    poste: str
    nature: str
    tiers_ref: str
    piece_ref: str
    realisation: date
    engagement: date | None = None
    acquittement: date | None = None
    preuve_acquittement: str | None = None
    montant_ht_centimes: int | None = None
    montant_ttc_centimes: int | None = None
    tva_recuperable_centimes: int | None = None
    montant_centimes: int
    cle: Cle | None = None
    temps: Temps | None = None
    marche_ref: str | None = None
    mise_en_concurrence_ref: str | None = None
    regularisation: bool = False
    documents: tuple[str, ...] = ()

    @property
    def part(self) -> Fraction | None:
        """The share of the piece that is charged; ``None`` when nothing shares it."""
        if self.cle is not None:
            return self.cle.part
        return None if self.temps is None else self.temps.part

    def presentation(self, operation: str = "Cette dépense", *, ici: bool = True) -> Presentation:
        """Return how the piece is presented: where, as a reader says it, and for how much."""
        return Presentation(
            operation=operation,
            ici=ici,
            piece_ref=self.piece_ref,
            montant_centimes=self.montant_centimes,
            montant_piece_centimes=self.montant_de_la_piece,
            part=self.part,
        )

    @property
    def montant_de_la_piece(self) -> int | None:
        """What the piece amounts to before it is shared, as far as the beneficiary says."""
        if self.montant_ttc_centimes or self.montant_ht_centimes:
            return self.montant_ttc_centimes or self.montant_ht_centimes
        if self.temps is not None:
            return self.temps.cout_centimes
        return None if self.cle is None else self.cle.assiette_centimes


class DepenseCorrigee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cost that a régularisation takes back from: all that was taken back of it is negative."""

    piece_ref: str
    plafond_centimes: int
    regularise_centimes: int


class Contexte(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the cost is looked at against: its operation, its convention, what is elsewhere.

    ``modes`` gives how each poste of the plan is counted; ``postes_ajoutes`` the day on which the
    avenant that added a poste was asked for. ``fournisseur_centimes`` is all that the operation
    buys from the same supplier.
    """

    reglement: str
    periode: Periode
    limite_acquittement: date | None = None
    depose_le: date
    fin_materielle: date | None = None
    cout_total_centimes: int
    type_beneficiaire: str
    regime_tva: str | None = None
    arrondi: Arrondi = "demi_superieur"
    modes: dict[str, str]
    postes_ajoutes: dict[str, date] = {}
    fournisseur_centimes: int | None = None
    temps_ailleurs: tuple[TempsAilleurs, ...] = ()
    memes_fichiers: tuple[Presentation, ...] = ()
    memes_pieces: tuple[Presentation, ...] = ()
    corrigee: DepenseCorrigee | None = None

    def seuil(self, nom: str, jour: date) -> Parametre | None:
        """Return a parameter on a day of the operation, or ``None`` when the texts set none."""
        le = min(max(jour, self.periode.debut), self.periode.fin)
        try:
            return parametre(nom, le=le, reglement=self.reglement)
        except ParametreHorsVigueur:
            return None

    def texte(self, avant: str, apres: str) -> str:
        """Return the article of the regulation of the operation."""
        return avant if self.reglement == "2014-2020" else apres


def examiner(depense: DepenseExaminee, contexte: Contexte) -> tuple[Constat, ...]:
    """Return the outcome of every test of TESTS, each exactly once, in their order."""
    personnel = depense.poste == "personnel"
    trouves = (
        _lien(depense),
        _supportee(depense),
        *_dates(depense, contexte),
        _preuve(depense, contexte),
        _depot(contexte),
        _avenant(depense, contexte),
        *_pieces(depense),
        _nature(depense),
        _poste(depense, contexte),
        *constats_de_doubles(
            depense.presentation(), contexte.memes_fichiers, contexte.memes_pieces
        ),
        _concurrence(depense, contexte),
        _aide_etat(contexte),
        _participants(depense),
        _raisonnable(depense),
        *constats_de_temps(
            depense.temps,
            contexte.temps_ailleurs,
            reglement=contexte.reglement,
            periode_debut=contexte.periode.debut,
            personnel=personnel,
            regularisation=depense.regularisation,
            heures_par_jour_max=contexte.seuil("heures_par_jour_max", depense.realisation),
            heures_annuelles=contexte.seuil("heures_annuelles", depense.realisation),
        ),
        _calcul(depense, contexte),
        _cle(depense),
        _tva(depense, contexte),
        _regularisation(depense, contexte),
    )
    rang = {test: i for i, test in enumerate(TESTS)}
    return tuple(sorted(trouves, key=lambda constat: rang[constat.test]))


# E1, E2, E4, E9, E11: a person judges; the finding says what to look at.

_CUMUL = "Obligations liées à un cofinancement par le FSE, annexe de l’appel à projets AGAPE 2021"


def _lien(depense: DepenseExaminee) -> Constat:
    return Essai(
        test="lien_operation", motif_code="SANS_LIEN_AVEC_OPERATION", article=_CUMUL
    ).a_apprecier(
        f"Vérifiez que « {depense.nature} » est liée et nécessaire à l’opération : comparez la "
        "pièce à l’objet de la convention et aux actions du bilan.",
        Valeur("Nature", depense.nature),
        Valeur("Poste", POSTES.get(depense.poste, depense.poste)),
    )


def _supportee(depense: DepenseExaminee) -> Constat:
    essai = Essai(test="supportee", motif_code="NON_SUPPORTEE_PAR_BENEFICIAIRE", article=_CUMUL)
    if depense.poste in {"tiers", "nature"}:
        return essai.a_apprecier(
            "La dépense est portée par un tiers ou valorisée : vérifiez son attestation et la "
            "ressource du même montant qui lui fait face."
        )
    return essai.a_apprecier(
        "Vérifiez que la dépense figure dans la comptabilité séparée du bénéficiaire, à son nom : "
        "extrait de compte et pièce."
    )


def _pieces(depense: DepenseExaminee) -> tuple[Constat, Constat]:
    presente = Essai(test="piece_presente", motif_code="PIECE_ABSENTE", article=_CUMUL)
    probante = Essai(test="piece_probante", motif_code="PIECE_NON_PROBANTE", article=_CUMUL)
    nombre = Valeur("Documents joints", str(len(depense.documents)))
    return (
        presente.conforme("Au moins un document est joint.", nombre)
        if depense.documents
        else presente.a_apprecier(
            f"Aucun document n’est joint au service. Cherchez la pièce {depense.piece_ref} dans le "
            "dossier, ou demandez-la.",
            nombre,
        ),
        probante.a_apprecier(
            f"Vérifiez que la pièce {depense.piece_ref} est probante : identité du tiers, objet, "
            "date, montant, lien avec l’opération.",
            Valeur("Pièce", depense.piece_ref),
            Valeur("Tiers", depense.tiers_ref),
            montant("Montant imputé", depense.montant_centimes),
        ),
    )


def _aide_etat(contexte: Contexte) -> Constat:
    return Essai(
        test="aide_etat",
        motif_code="AIDE_ETAT",
        article="Règlements de minimis et d’exemption applicables à l’opération",
    ).a_apprecier(
        "Vérifiez le régime d’aide d’État retenu à l’instruction et, s’il y en a un, ses plafonds "
        "et ses coûts admissibles.",
        Valeur("Type de bénéficiaire", contexte.type_beneficiaire),
    )


def _participants(depense: DepenseExaminee) -> Constat:
    essai = Essai(
        test="participants",
        motif_code="PARTICIPANT_INELIGIBLE",
        article="Suivi des participants, annexe de l’appel à projets AGAPE 2021 n° 3",
    )
    if depense.poste != "participants":
        return essai.sans_objet("la dépense ne se rattache pas à des participants nommés")
    return essai.a_apprecier(
        "Vérifiez que chaque participant concerné est éligible et que ses données d’entrée sont "
        "complètes ; sinon, écartez la part qui lui revient (participant inéligible, ou données "
        "incomplètes)."
    )


def _raisonnable(depense: DepenseExaminee) -> Constat:
    return Essai(
        test="cout_raisonnable",
        motif_code="COUT_DERAISONNABLE",
        article="Usage des gestionnaires : bonne gestion financière",
    ).a_apprecier(
        "Vérifiez que le coût est raisonnable : comparez-le aux prix pratiqués, à la grille de "
        "salaires ou au budget conventionné.",
        montant("Montant imputé", depense.montant_centimes),
    )


# E3: dates, and the proof of payment.


def _dates(depense: DepenseExaminee, contexte: Contexte) -> tuple[Constat, ...]:
    return _constats_de_dates(
        reglement=contexte.reglement,
        periode=contexte.periode,
        realisation=depense.realisation,
        acquittement=depense.acquittement,
        engagement=depense.engagement,
        limite_acquittement=contexte.limite_acquittement,
        sans_acquittement=_sans_acquittement(depense, contexte),
    )


def _sans_acquittement(depense: DepenseExaminee, contexte: Contexte) -> str | None:
    """Return why nothing has to be paid, or ``None``.

    Source: règlement (UE) n° 1303/2013, art. 131 §2; règlement (UE) 2021/1060, art. 53 §1.
    """
    if depense.regularisation:
        return "la dépense est une régularisation"
    if depense.poste == "nature":
        return "une contribution en nature ne se paie pas"
    if contexte.modes.get(depense.poste, "reel") != "reel":
        return "le poste est à coût simplifié, aucun paiement n’est à prouver"
    return None


def anomalies_de_dates(
    *,
    reglement: str,
    periode: Periode,
    realisation: date,
    acquittement: date | None,
    engagement: date | None = None,
    limite_acquittement: date | None = None,
) -> tuple[Anomalie, ...]:
    """Return every defect of the dates of a cost, in the order of its life.

    ``periode`` is the période de réalisation of the convention. A cost may be paid after it, until
    ``limite_acquittement``: the day the convention fixes, else the deadline of the final bilan.
    Source: Règlement (UE) n° 1303/2013, art. 65 §2; règlement (UE) 2021/1060, art. 63 §2.
    """
    constats = _constats_de_dates(
        reglement=reglement,
        periode=periode,
        realisation=realisation,
        acquittement=acquittement,
        engagement=engagement,
        limite_acquittement=limite_acquittement,
    )
    return tuple(
        Anomalie(motif_code=constat.motif_code, message=constat.message)
        for constat in constats
        if constat.statut == "anomalie"
    )


def _constats_de_dates(
    *,
    reglement: str,
    periode: Periode,
    realisation: date,
    acquittement: date | None,
    engagement: date | None,
    limite_acquittement: date | None,
    sans_acquittement: str | None = None,
) -> tuple[Constat, ...]:
    programme = periode_programme(reglement, le=periode.fin)
    article = (
        "Règlement (UE) n° 1303/2013, art. 65 §2"
        if reglement == "2014-2020"
        else "Règlement (UE) 2021/1060, art. 63 §2"
    )
    engage, realise, dans_le_programme = (
        Essai(test=test, motif_code="HORS_PERIODE", article=article)
        for test in ("engagement", "realisation", "programme")
    )
    acquitte = Essai(test="acquittement", motif_code="ACQUITTEE_HORS_DELAI", article=article)
    fenetre = Periode(
        debut=max(periode.debut, programme.debut),
        fin=min(limite_acquittement or date_limite_bilan_final(periode.fin), programme.fin),
    )
    return (
        engage.sans_objet("aucune date d’engagement n’est déclarée")
        if engagement is None
        else _dans(engage, periode, "engagée", engagement, "de réalisation"),
        _dans(realise, periode, "réalisée", realisation, "de réalisation"),
        _dans(dans_le_programme, programme, "réalisée", realisation, f"du programme {reglement}"),
        acquitte.sans_objet(sans_acquittement)
        if sans_acquittement
        else _acquittement(acquitte, fenetre, acquittement),
    )


def _dans(essai: Essai, fenetre: Periode, etape: str, jour: date, nom: str) -> Constat:
    bornes = f"du {fenetre.debut:%d/%m/%Y} au {fenetre.fin:%d/%m/%Y}"
    valeurs = (
        Valeur(f"Dépense {etape} le", f"{jour:%d/%m/%Y}"),
        Valeur(f"Période {nom}", bornes),
    )
    if fenetre.contient(jour):
        return essai.conforme(
            f"La dépense est {etape} le {jour:%d/%m/%Y}, dans la période {nom}.", *valeurs
        )
    return essai.anomalie(
        f"La dépense est {etape} le {jour:%d/%m/%Y}, hors de la période {nom}, {bornes}.", *valeurs
    )


def _acquittement(essai: Essai, fenetre: Periode, acquittement: date | None) -> Constat:
    bornes = f"du {fenetre.debut:%d/%m/%Y} au {fenetre.fin:%d/%m/%Y}"
    attendu = Valeur("À acquitter", bornes)
    if acquittement is None:
        return essai.anomalie(
            "Aucune date d’acquittement n’est connue.", attendu, motif_code="NON_ACQUITTEE"
        )
    paye = Valeur("Acquittée le", f"{acquittement:%d/%m/%Y}")
    if fenetre.contient(acquittement):
        return essai.conforme(
            f"La dépense est acquittée le {acquittement:%d/%m/%Y}, à temps.", paye, attendu
        )
    return essai.anomalie(
        f"La dépense est acquittée le {acquittement:%d/%m/%Y} ; elle devait l’être {bornes}.",
        paye,
        attendu,
    )


#: Who may use which proof: the accountant who signs is not the same in a public body.
_BENEFICIAIRES_PUBLICS = frozenset(("collectivite", "etat"))
_PREUVES_PUBLIQUES = frozenset(("etat_vise_comptable_public",))
_PREUVES_PRIVEES = frozenset(("etat_vise_cac", "etat_vise_expert_comptable"))


def _preuve(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    essai = Essai(
        test="preuve_acquittement",
        motif_code="NON_ACQUITTEE",
        article="Règles nationales d’éligibilité, décrets 2016-279 et 2022-608, annexe ; "
        + contexte.texte(
            "règlement (UE) n° 1303/2013, art. 131 §2", "règlement (UE) 2021/1060, art. 53"
        ),
    )
    pourquoi = _sans_acquittement(depense, contexte)
    if pourquoi is not None:
        return essai.sans_objet(pourquoi)
    code = depense.preuve_acquittement
    if code is None:
        return essai.anomalie(
            "Aucune preuve d’acquittement n’est indiquée. Demandez-en une : "
            f"{' ; '.join(PREUVES_ACQUITTEMENT.values())}."
        )
    libelle = PREUVES_ACQUITTEMENT.get(code, code)
    valeurs = (
        Valeur("Preuve", libelle),
        Valeur("Type de bénéficiaire", contexte.type_beneficiaire),
    )
    public = contexte.type_beneficiaire in _BENEFICIAIRES_PUBLICS
    if code in (_PREUVES_PRIVEES if public else _PREUVES_PUBLIQUES):
        return essai.anomalie(
            f"« {libelle} » ne vaut pas pour ce bénéficiaire : un organisme public fait viser son "
            "état par le comptable public, un autre par un commissaire aux comptes ou un "
            "expert-comptable. Demandez l’état visé par la bonne personne.",
            *valeurs,
            motif_code="PIECE_NON_PROBANTE",
        )
    if code == "bulletin_paie_plus_releve" and depense.poste != "personnel":
        return essai.anomalie(
            "Un bulletin de paie ne prouve que le paiement d’un salaire. Demandez la facture "
            "acquittée ou le relevé bancaire.",
            *valeurs,
            motif_code="PIECE_NON_PROBANTE",
        )
    return essai.conforme("La preuve d’acquittement est d’une forme admise.", *valeurs)


def _depot(contexte: Contexte) -> Constat:
    essai = Essai(
        test="depot",
        motif_code="OPERATION_ACHEVEE_AVANT_DEPOT",
        article=contexte.texte(
            "Règlement (UE) n° 1303/2013, art. 65 §6", "Règlement (UE) 2021/1060, art. 63 §6"
        ),
    )
    fin = contexte.fin_materielle or contexte.periode.fin
    valeurs = (
        Valeur("Fin de l’opération", f"{fin:%d/%m/%Y}"),
        Valeur("Dépôt de la demande", f"{contexte.depose_le:%d/%m/%Y}"),
    )
    if operation_achevee_avant_depot(fin, contexte.depose_le):
        return essai.anomalie(
            f"L’opération s’est achevée le {fin:%d/%m/%Y}, avant le dépôt de la demande, le "
            f"{contexte.depose_le:%d/%m/%Y} : elle ne pouvait pas être soutenue. Écartez toutes "
            "ses dépenses.",
            *valeurs,
        )
    return essai.conforme(
        "L’opération n’était pas achevée quand la demande a été déposée.", *valeurs
    )


def _avenant(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    essai = Essai(
        test="avenant",
        motif_code="HORS_PERIODE",
        article=contexte.texte(
            "Règlement (UE) n° 1303/2013, art. 65 §9, étendu aux avenants par choix, à confirmer",
            "Règlement (UE) 2021/1060, art. 63 §7, étendu aux avenants par choix, à confirmer",
        ),
    )
    demande = contexte.postes_ajoutes.get(depense.poste)
    if demande is None:
        return essai.sans_objet("aucun avenant n’a ajouté ce poste")
    valeurs = (
        Valeur("Avenant demandé le", f"{demande:%d/%m/%Y}"),
        Valeur("Dépense réalisée le", f"{depense.realisation:%d/%m/%Y}"),
    )
    if depense.realisation < demande:
        return essai.anomalie(
            f"Le poste n’est dans la convention que par un avenant demandé le {demande:%d/%m/%Y} ; "
            f"la dépense est réalisée avant, le {depense.realisation:%d/%m/%Y}. Écartez-la.",
            *valeurs,
        )
    return essai.conforme("La dépense suit la demande de l’avenant qui ajoute son poste.", *valeurs)


# E5, E6, E8: nature, poste, competition.


def _nature(depense: DepenseExaminee) -> Constat:
    reconnues = natures_reconnues(depense.nature)
    if not reconnues:
        return Essai(
            test="nature",
            motif_code="INELIGIBLE_PAR_NATURE",
            article="Règles nationales d’éligibilité, décrets 2016-279 et 2022-608, annexe",
        ).conforme(
            "Aucun mot de la liste des dépenses inéligibles ne figure dans la nature déclarée.",
            Valeur("Nature", depense.nature),
        )
    # The most certain word speaks; all of them are listed.
    pire = min(reconnues, key=lambda nature: nature.statut != "anomalie")
    essai = Essai(test="nature", motif_code=pire.motif_code, article=pire.article)
    valeurs = (
        Valeur("Nature", depense.nature),
        *(Valeur("Reconnu", nature.libelle) for nature in reconnues),
    )
    if pire.statut == "anomalie":
        return essai.anomalie(
            f"« {depense.nature} » désigne une dépense inéligible par nature ({pire.libelle}). "
            "Écartez-la, ou corrigez la nature si le mot trompe.",
            *valeurs,
        )
    return essai.a_apprecier(
        f"« {depense.nature} » évoque une dépense souvent inéligible ({pire.libelle}). Regardez la "
        "pièce avant de la retenir.",
        *valeurs,
    )


def _poste(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    essai = Essai(
        test="poste",
        motif_code="POSTE_NON_CONVENTIONNE",
        article=contexte.texte(
            "Convention, plan de financement ; règlement (UE) n° 1303/2013, art. 67 §1",
            "Convention, plan de financement ; règlement (UE) 2021/1060, art. 53 §1",
        ),
    )
    nom = POSTES.get(depense.poste, depense.poste)
    mode = contexte.modes.get(depense.poste)
    valeurs = (
        Valeur("Poste", nom),
        Valeur("Forme au plan", mode or "absent du plan"),
    )
    if mode is None:
        return essai.anomalie(
            f"Le poste « {nom} » n’est pas dans le plan de la convention. Écartez la dépense en "
            "entier, ou faites d’abord signer un avenant qui ajoute le poste.",
            *valeurs,
        )
    if mode != "reel":
        return essai.anomalie(
            f"Le poste « {nom} » est à coût simplifié : la convention le paie déjà sans pièce. "
            "Écartez la dépense en entier.",
            *valeurs,
            motif_code="DOUBLE_FINANCEMENT",
        )
    return essai.conforme(f"Le poste « {nom} » est prévu au coût réel.", *valeurs)


#: Postes under which something is bought from a supplier.
ACHATS = frozenset(
    ("fonctionnement", "prestations", "participants", "indirectes", "indirectes_reelles")
)


def _concurrence(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    public = contexte.type_beneficiaire in _BENEFICIAIRES_PUBLICS
    essai = Essai(
        test="mise_en_concurrence",
        motif_code="COMMANDE_PUBLIQUE" if public else "MISE_EN_CONCURRENCE_NON_PROUVEE",
        article="Code de la commande publique"
        if public
        else "Obligations du bénéficiaire, annexe de l’appel à projets AGAPE 2021 n° 3",
    )
    if depense.poste not in ACHATS or depense.regularisation:
        return essai.sans_objet("la dépense n’est pas un achat")
    ligne = depense.montant_ht_centimes or depense.montant_ttc_centimes or depense.montant_centimes
    achete = max(ligne, contexte.fournisseur_centimes or 0)
    valeurs = [montant("Acheté à ce fournisseur dans l’opération", achete)]
    dossier = depense.marche_ref or depense.mise_en_concurrence_ref
    if dossier is not None:
        return essai.a_apprecier(
            f"Vérifiez la procédure dans le dossier {dossier} : publicité, devis ou marché, choix "
            "motivé, absence de conflit d’intérêts.",
            *valeurs,
            Valeur("Dossier", dossier),
        )
    seuil = None if public else contexte.seuil("mise_en_concurrence_seuil", depense.realisation)
    if seuil is None:
        return essai.a_apprecier(
            "Aucune référence de marché ni de mise en concurrence n’est indiquée. Demandez la "
            "procédure suivie pour cet achat.",
            *valeurs,
        )
    valeurs.append(_repere("Seuil", seuil))
    essai = msgspec.structs.replace(essai, article=seuil.reference)
    if achete >= seuil.centimes:
        return essai.anomalie(
            f"{french_euros(achete)} sont achetés à ce fournisseur dans l’opération, au moins le "
            f"seuil de {french_euros(seuil.centimes)}, sans référence de marché ni de mise en "
            "concurrence. Demandez les devis ou le marché, et indiquez leur référence.",
            *valeurs,
        )
    return essai.conforme(
        "Les achats à ce fournisseur dans l’opération restent sous le seuil.", *valeurs
    )


def _repere(nom: str, seuil: Parametre) -> Valeur:
    """Return the amount of a text, with who says it until somebody read it at its source."""
    reserve = "" if seuil.verifie_le else f" ({seuil.etiquette}, à confirmer)"
    return Valeur(nom, f"{french_euros(seuil.centimes)}{reserve}")


# Calculation, VAT, régularisation.


def _calcul(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    essai = Essai(
        test="calcul",
        motif_code="ASSIETTE_ERRONEE",
        article=contexte.texte(
            "Règlement (UE) n° 1303/2013, art. 68 bis §2 ; clé : usage des gestionnaires",
            "Règlement (UE) 2021/1060, art. 55 §2 ; clé : usage des gestionnaires",
        ),
    )
    attendu = montant_calcule(
        depense.temps, depense.cle, contexte.arrondi, regularisation=depense.regularisation
    )
    if attendu is None:
        return essai.sans_objet("rien ne permet de calculer le montant (temps, ou clé et assiette)")
    valeurs = (
        *_operandes(depense),
        montant("Montant calculé", attendu),
        montant("Montant imputé", depense.montant_centimes),
    )
    ecart = depense.montant_centimes - attendu
    if ecart:
        return essai.anomalie(
            f"Le montant imputé, {french_euros(depense.montant_centimes)}, n’est pas celui du "
            f"calcul, {french_euros(attendu)} : l’écart est de {french_euros(ecart)}. Corrigez le "
            "montant ou les éléments du calcul, sinon écartez l’excédent.",
            *valeurs,
        )
    return essai.conforme("Le montant imputé est celui du calcul.", *valeurs)


def _operandes(depense: DepenseExaminee) -> tuple[Valeur, ...]:
    temps, cle = depense.temps, depense.cle
    if temps is not None:
        operandes = [montant("Coût", temps.cout_centimes)]
        if temps.heures_operation is not None and temps.heures_base is not None:
            operandes.append(Valeur("Heures de l’opération", heures(temps.heures_operation)))
            operandes.append(Valeur("Heures de base", heures(temps.heures_base)))
        if temps.pourcentage is not None:
            operandes.append(Valeur("Pourcentage", _nombre(temps.pourcentage)))
        return tuple(operandes)
    assert cle is not None
    assert cle.assiette_centimes is not None
    return (
        montant("Assiette de la clé", cle.assiette_centimes),
        _valeur_de_la_cle(cle),
    )


def _nombre(valeur: Decimal) -> str:
    return f"{valeur:f}".replace(".", ",")


def _valeur_de_la_cle(cle: Cle) -> Valeur:
    return Valeur("Clé", f"{cle.numerateur}/{cle.denominateur} ({cle.libelle})")


def _cle(depense: DepenseExaminee) -> Constat:
    essai = Essai(
        test="cle",
        motif_code="CLE_NON_JUSTIFIEE",
        article="Annexe de l’appel à projets AGAPE 2021 n° 3, dépenses indirectes au coût réel",
    )
    cle = depense.cle
    if cle is None:
        return essai.sans_objet("aucune clé ne répartit la dépense")
    valeur = _valeur_de_la_cle(cle)
    if cle.assiette_centimes is None:
        return essai.a_apprecier(
            "La clé est déclarée sans le coût qu’elle répartit. Demandez l’assiette, puis vérifiez "
            "le calcul et la justification de la clé.",
            valeur,
        )
    return essai.a_apprecier(
        "Vérifiez la justification de la clé : unité choisie, source des deux termes, même "
        "périmètre et même période que le coût réparti.",
        valeur,
        montant("Assiette", cle.assiette_centimes),
    )


def _tva(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    seuil = contexte.seuil("tva_eligible_cout_max", depense.realisation)
    essai = Essai(
        test="tva",
        motif_code="TVA_RECUPERABLE",
        article=contexte.texte(
            "Règlement (UE) n° 1303/2013, art. 69 §3 c)",
            "Règlement (UE) 2021/1060, art. 64 §1 c)",
        ),
    )
    if depense.poste in {"personnel", "nature"} or depense.regularisation:
        return essai.sans_objet("la dépense ne porte pas de TVA")
    cout = montant("Coût total de l’opération", contexte.cout_total_centimes)
    if (
        contexte.reglement != "2014-2020"
        and seuil is not None
        and contexte.cout_total_centimes < seuil.centimes
    ):
        return essai.conforme(
            "La TVA est éligible : le coût total de l’opération est sous le seuil.",
            cout,
            _repere("Seuil", seuil),
        )
    recuperable = depense.tva_recuperable_centimes
    if contexte.regime_tva == "non_recuperable":
        if recuperable:
            return essai.a_apprecier(
                "La ligne déclare de la TVA récupérable alors que le bénéficiaire n’en récupère "
                "pas. Comparez à son attestation de TVA.",
                montant("TVA récupérable déclarée", recuperable),
            )
        return essai.conforme("Le bénéficiaire ne récupère pas la TVA : elle est éligible.")
    maximum = _hors_tva_recuperable(depense, contexte)
    if maximum is None:
        return essai.a_apprecier(
            "Le montant hors TVA récupérable n’est pas connu. Demandez le montant hors taxes et "
            "l’attestation de TVA du bénéficiaire.",
            cout,
        )
    impute = _impute_sur_la_piece(depense)
    valeurs = (
        Valeur("Imputé, avant partage", french_euros(impute)),
        montant("Au plus, hors TVA récupérable", maximum),
    )
    if impute > maximum:
        return essai.anomalie(
            f"{french_euros(impute)} sont imputés pour {french_euros(maximum)} hors TVA "
            "récupérable. Écartez la TVA que le bénéficiaire récupère.",
            *valeurs,
        )
    return essai.conforme("La TVA récupérable n’est pas imputée.", *valeurs)


def _hors_tva_recuperable(depense: DepenseExaminee, contexte: Contexte) -> int | None:
    """Return the most that the piece can charge, or ``None`` when its amounts do not say."""
    if contexte.regime_tva == "recuperable" and depense.montant_ht_centimes is not None:
        return depense.montant_ht_centimes
    if depense.montant_ttc_centimes is None or depense.tva_recuperable_centimes is None:
        return None
    return depense.montant_ttc_centimes - depense.tva_recuperable_centimes


def _impute_sur_la_piece(depense: DepenseExaminee) -> int:
    """Return what is charged of the piece before a key shares it: never more than it was."""
    cle = depense.cle
    if cle is None:
        return depense.montant_centimes
    if cle.assiette_centimes is not None:
        return cle.assiette_centimes
    return (depense.montant_centimes * cle.denominateur) // cle.numerateur


def _regularisation(depense: DepenseExaminee, contexte: Contexte) -> Constat:
    essai = Essai(
        test="regularisation",
        motif_code="REGULARISATION_BILAN_ANTERIEUR",
        article="Usage des gestionnaires : calcul cumulé depuis le début de l’opération",
    )
    corrigee = contexte.corrigee
    if not depense.regularisation or corrigee is None:
        return essai.sans_objet("la dépense n’en corrige pas une autre")
    valeurs = (
        montant(f"Pièce {corrigee.piece_ref}, déclarée ou retenue", corrigee.plafond_centimes),
        montant("Repris au total", corrigee.regularise_centimes),
    )
    if corrigee.plafond_centimes + corrigee.regularise_centimes < 0:
        return essai.anomalie(
            f"Les régularisations de la pièce {corrigee.piece_ref} reprennent "
            f"{french_euros(-corrigee.regularise_centimes)}, plus que "
            f"{french_euros(corrigee.plafond_centimes)}. Corrigez la régularisation.",
            *valeurs,
        )
    return essai.conforme(
        f"La régularisation tient dans ce que la pièce {corrigee.piece_ref} a apporté.", *valeurs
    )
