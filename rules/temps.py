"""The part of a cost that an operation bears, by the time spent or by a key; time is tested here.

The cost of a person is charged for the time spent on the operation: an hourly rate (annual cost
divided by the hours of the year), the hours of the operation over the hours worked, a percentage
fixed beforehand, or all of it. Only the product is rounded, never the rate.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec

from oi_service.money import Arrondi, round_cents
from rules.constat import Constat, Essai, Valeur, pourcentage
from rules.parametres import Parametre

Methode = Literal["taux_horaire", "temps_travaille", "pourcentage_fixe", "plein_temps"]

METHODES: Mapping[Methode, str] = {
    "taux_horaire": "Taux horaire : coût annuel divisé par les heures de l’année",
    "temps_travaille": "Heures de l’opération sur heures travaillées",
    "pourcentage_fixe": "Pourcentage fixe du temps, accepté d’avance",
    "plein_temps": "Temps plein sur l’opération",
}

#: What proves the time. Source: annexe de l'appel à projets AGAPE 2021, règles d'éligibilité.
JUSTIFICATIFS_TEMPS: Mapping[str, str] = {
    "contrat_travail": "Contrat de travail",
    "lettre_mission": "Lettre de mission",
    "fiche_poste": "Fiche de poste",
    "logiciel_temps": "Extrait, jour par jour, d’un logiciel de suivi du temps",
    "feuilles_emargement": "Feuilles d’émargement",
    "releve_signe": "Relevé journalier daté et signé, au moins chaque mois, par la personne et son "
    "responsable",
}
_AFFECTATION = ("contrat_travail", "lettre_mission")
_SUIVI = ("logiciel_temps", "feuilles_emargement", "releve_signe")

#: Which proofs each method accepts.
JUSTIFICATIFS_ACCEPTES: Mapping[Methode, tuple[str, ...]] = {
    "taux_horaire": _SUIVI,
    "temps_travaille": _SUIVI,
    "pourcentage_fixe": ("fiche_poste", *_AFFECTATION),
    "plein_temps": _AFFECTATION,
}

_ANNEXE = (
    "Règles nationales d’éligibilité (décrets 2016-279 et 2022-608) ; annexe de l’appel à projets "
    "AGAPE 2021 n° 3, dépenses de personnel"
)
_TAUX_HORAIRE: Mapping[str, str] = {
    "2014-2020": "Règlement (UE) n° 1303/2013, art. 68 bis §2 à §4",
    "2021-2027": "Règlement (UE) 2021/1060, art. 55 §2 à §4",
}
_MOIS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


class JourTravaille(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hours of one day on the operation."""

    jour: date
    heures: Decimal


class Temps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The time that charges the cost of a person to the operation.

    ``cout_centimes`` and ``heures_base`` are those of the month when ``mois`` says one, else of the
    whole year. ``accepte_le`` is the day on which the manager accepted a fixed percentage.
    """

    methode: Methode
    cout_centimes: int
    annee: int
    mois: int | None = None
    heures_operation: Decimal | None = None
    heures_base: Decimal | None = None
    pourcentage: Decimal | None = None
    jours: tuple[JourTravaille, ...] = ()
    justificatif: str | None = None
    accepte_le: date | None = None

    @property
    def part(self) -> Fraction:
        """The exact share of the cost that the operation bears; above one is a defect, shown."""
        match self.methode:
            case "plein_temps":
                return Fraction(1)
            case "pourcentage_fixe":
                return Fraction(self.pourcentage or 0) / 100
            case "taux_horaire" | "temps_travaille":
                if not self.heures_base:
                    return Fraction(0)
                return Fraction(self.heures_operation or 0) / Fraction(self.heures_base)


class Cle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The key that charges a part of a cost to the operation: 7,25 / 42,50 is 725 / 4250.

    ``assiette_centimes`` is the cost that the key shares, when the beneficiary declares it.
    """

    numerateur: int
    denominateur: int
    libelle: str
    assiette_centimes: int | None = None

    @property
    def part(self) -> Fraction:
        """The exact share."""
        return Fraction(self.numerateur, self.denominateur)


class TempsAilleurs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The time of the same person on another line of the same employer.

    ``operation`` is how that operation is said to the reader. A régularisation takes its time back.
    """

    operation: str
    temps: Temps
    regularisation: bool = False


def montant_calcule(
    temps: Temps | None,
    cle: Cle | None,
    arrondi: Arrondi = "demi_superieur",
    *,
    regularisation: bool = False,
) -> int | None:
    """Return what the time or the key charges, in cents; ``None`` when neither says it.

    43 215,60 € / 1 720 h × 612,5 h is 15 389,28 €: only the product is rounded. A régularisation
    takes the amount back: it is negative.
    Source: règlement (UE) n° 1303/2013, art. 68 bis §2; règlement (UE) 2021/1060, art. 55 §2.
    """
    if temps is not None:
        exact = temps.cout_centimes * temps.part
    elif cle is not None and cle.assiette_centimes is not None:
        exact = cle.assiette_centimes * cle.part
    else:
        return None
    return round_cents(-exact if regularisation else exact, arrondi)


def heures(valeur: Decimal) -> str:
    """Write hours for a French reader: ``1 720 h``, ``612,5 h``."""
    entier, _, decimales = f"{valeur:f}".partition(".")
    groupe = f"{int(entier):,}".replace(",", "\u202f")
    decimales = decimales.rstrip("0")
    return f"{groupe}{',' if decimales else ''}{decimales}\u00a0h"


class _Ligne(NamedTuple):
    """A time to add up, and what it is counted for: one, or minus one when it is taken back."""

    operation: str
    temps: Temps
    sens: int


def _sans_repetition(lignes: Iterable[_Ligne]) -> list[_Ligne]:
    """Keep one line where an operation charges several costs for the very same time.

    A salary and its employer charges are two costs and one time; two lines of one cost are two
    times. What is kept is the least that was worked, all the lines the most.
    """
    groupes: dict[tuple[str, Temps, int], list[_Ligne]] = defaultdict(list)
    for ligne in lignes:
        sans_cout = msgspec.structs.replace(
            ligne.temps, cout_centimes=0, justificatif=None, accepte_le=None
        )
        groupes[(ligne.operation, sans_cout, ligne.sens)].append(ligne)
    gardees: list[_Ligne] = []
    for groupe in groupes.values():
        [(cout, _)] = Counter(ligne.temps.cout_centimes for ligne in groupe).most_common(1)
        gardees += (ligne for ligne in groupe if ligne.temps.cout_centimes == cout)
    return gardees


def constats_de_temps(
    temps: Temps | None,
    ailleurs: Iterable[TempsAilleurs],
    *,
    reglement: str,
    periode_debut: date,
    personnel: bool,
    regularisation: bool,
    heures_par_jour_max: Parametre | None,
    heures_annuelles: Parametre | None,
) -> tuple[Constat, ...]:
    """Return the outcome of every test of time, always the same tests in the same order.

    ``ailleurs``: the other lines of the same person, whatever the operation, for one employer.
    """
    if temps is None:
        return _sans_temps(personnel=personnel, reglement=reglement)
    lignes = [_Ligne(ICI, temps, -1 if regularisation else 1)]
    lignes += (_Ligne(a.operation, a.temps, -1 if a.regularisation else 1) for a in ailleurs)
    return (
        _justification(temps),
        _pourcentage_fixe(temps, periode_debut),
        _jours(temps, lignes, heures_par_jour_max),
        _mois(temps, lignes),
        _annee(temps, lignes, heures_annuelles, reglement),
    )


#: How the operation of the examined cost is said in the values compared.
ICI = "Cette opération"

_JUSTIFICATION = Essai(test="temps_justifie", motif_code="TEMPS_NON_JUSTIFIE", article=_ANNEXE)
_ACCEPTATION = Essai(test="temps_accepte", motif_code="TEMPS_NON_JUSTIFIE", article=_ANNEXE)
_PAR_JOUR = Essai(test="temps_jour", motif_code="TEMPS_NON_JUSTIFIE", article=_ANNEXE)
_PAR_MOIS = Essai(test="temps_mois", motif_code="TEMPS_NON_JUSTIFIE", article=_ANNEXE)


def _par_annee(reglement: str) -> Essai:
    return Essai(
        test="temps_annee",
        motif_code="TEMPS_NON_JUSTIFIE",
        article=_TAUX_HORAIRE.get(reglement, _ANNEXE),
    )


def _sans_temps(*, personnel: bool, reglement: str) -> tuple[Constat, ...]:
    pourquoi = "aucun temps n’est déclaré"
    essais = (_ACCEPTATION, _PAR_JOUR, _PAR_MOIS, _par_annee(reglement))
    premier = (
        _JUSTIFICATION.a_apprecier(
            "Aucun temps n’est déclaré. Vérifiez que la personne travaille à plein temps sur "
            "l’opération (contrat de travail ou lettre de mission) ; sinon, demandez son temps."
        )
        if personnel
        else _JUSTIFICATION.sans_objet(pourquoi)
    )
    return (premier, *(essai.sans_objet(pourquoi) for essai in essais))


def _justification(temps: Temps) -> Constat:
    acceptes = JUSTIFICATIFS_ACCEPTES[temps.methode]
    attendus = " ; ".join(JUSTIFICATIFS_TEMPS[code] for code in acceptes)
    methode = Valeur("Méthode", METHODES[temps.methode])
    if temps.justificatif is None:
        return _JUSTIFICATION.anomalie(
            f"Aucun justificatif du temps n’est indiqué. Demandez-en un parmi : {attendus}.",
            methode,
        )
    presente = JUSTIFICATIFS_TEMPS.get(temps.justificatif, temps.justificatif)
    fourni = Valeur("Justificatif", presente)
    if temps.justificatif not in acceptes:
        return _JUSTIFICATION.anomalie(
            f"« {presente} » ne justifie pas le temps selon cette méthode. Demandez un "
            f"justificatif de cette liste : {attendus}.",
            methode,
            fourni,
        )
    return _JUSTIFICATION.conforme(
        "Le justificatif du temps convient à la méthode.", methode, fourni
    )


def _pourcentage_fixe(temps: Temps, periode_debut: date) -> Constat:
    if temps.methode != "pourcentage_fixe":
        return _ACCEPTATION.sans_objet("le temps ne se compte pas en pourcentage fixe")
    part = Valeur("Pourcentage", pourcentage(temps.part))
    if temps.accepte_le is None:
        return _ACCEPTATION.anomalie(
            "Le pourcentage fixe n’a pas été accepté d’avance par le gestionnaire. Retrouvez son "
            "accord, ou demandez le temps passé jour par jour.",
            part,
        )
    debut = max(periode_debut, date(temps.annee, temps.mois or 1, 1))
    accord = Valeur("Accord du gestionnaire", f"{temps.accepte_le:%d/%m/%Y}")
    if temps.accepte_le > debut:
        return _ACCEPTATION.a_apprecier(
            f"Le pourcentage fixe est accepté le {temps.accepte_le:%d/%m/%Y}, après le "
            f"{debut:%d/%m/%Y} où il commence à compter. Vérifiez que le dossier le prévoyait.",
            part,
            accord,
        )
    return _ACCEPTATION.conforme("Le pourcentage fixe est accepté d’avance.", part, accord)


def _par_jour(lignes: Iterable[_Ligne]) -> dict[date, Decimal]:
    totaux: dict[date, Decimal] = defaultdict(Decimal)
    for ligne in lignes:
        for jour in ligne.temps.jours:
            totaux[jour.jour] += ligne.sens * jour.heures
    return totaux


def _jours(temps: Temps, lignes: list[_Ligne], maximum: Parametre | None) -> Constat:
    if not temps.jours:
        if temps.methode in {"pourcentage_fixe", "plein_temps"}:
            return _PAR_JOUR.sans_objet("cette méthode ne compte pas les heures")
        return _PAR_JOUR.a_apprecier(
            "Les heures ne sont pas saisies jour par jour. Vérifiez sur le relevé qu’aucune ne "
            "tombe un jour de congé ni au-delà de la journée de travail."
        )
    hors = [j.jour for j in temps.jours if not _dans_la_periode(temps, j.jour)]
    if hors:
        return _PAR_JOUR.anomalie(
            f"Des heures sont saisies hors de la période du temps déclaré : {_des_jours(hors)}. "
            "Corrigez le mois, l’année ou le relevé.",
        )
    saisies = sum((j.heures for j in temps.jours), Decimal())
    if temps.heures_operation is not None and saisies != temps.heures_operation:
        return _PAR_JOUR.anomalie(
            "Le total des heures par jour n’est pas celui des heures de l’opération. Corrigez l’un "
            "ou l’autre.",
            Valeur("Total des jours", heures(saisies)),
            Valeur("Heures de l’opération", heures(temps.heures_operation)),
        )
    if maximum is None:
        return _PAR_JOUR.a_apprecier(
            "Aucun maximum d’heures par jour n’est en vigueur. Vérifiez les journées du relevé."
        )
    limite = Decimal(maximum.entier)
    mes_jours = {j.jour for j in temps.jours}
    au_moins, au_plus = _par_jour(_sans_repetition(lignes)), _par_jour(lignes)
    depasses = sorted(jour for jour in mes_jours if au_moins[jour] > limite)
    douteux = sorted(jour for jour in mes_jours if au_plus[jour] > limite)
    essai = msgspec.structs.replace(_PAR_JOUR, article=maximum.reference)
    repere = Valeur("Maximum par jour", heures(limite))
    if depasses:
        return essai.anomalie(
            f"Les heures de la personne dépassent {heures(limite)} par jour, toutes opérations de "
            f"l’employeur réunies : {_des_jours(depasses)}. Comparez les relevés et écartez les "
            "heures en trop.",
            repere,
            *(Valeur(f"{jour:%d/%m/%Y}", heures(au_moins[jour])) for jour in depasses),
        )
    if douteux:
        return essai.a_apprecier(
            f"Plusieurs dépenses de la même opération portent les mêmes heures ; si elles "
            f"s’ajoutent, {heures(limite)} par jour sont dépassées : {_des_jours(douteux)}. "
            "Vérifiez qu’il s’agit bien du même temps (salaire et charges, par exemple).",
            repere,
            *(Valeur(f"{jour:%d/%m/%Y}", heures(au_plus[jour])) for jour in douteux),
        )
    return essai.conforme("Aucune journée ne dépasse le maximum d’heures.", repere)


def _dans_la_periode(temps: Temps, jour: date) -> bool:
    return jour.year == temps.annee and temps.mois in {None, jour.month}


def _des_jours(jours: list[date]) -> str:
    return ", ".join(f"{jour:%d/%m/%Y}" for jour in jours)


def _charge(lignes: Iterable[_Ligne], annee: int, mois: int | None) -> Fraction:
    """Add up the shares of one month, or of the lines counted over the whole year."""
    return sum(
        (
            ligne.sens * ligne.temps.part
            for ligne in lignes
            if (ligne.temps.annee, ligne.temps.mois) == (annee, mois)
        ),
        Fraction(0),
    )


def _mois(temps: Temps, lignes: list[_Ligne]) -> Constat:
    distinctes = _sans_repetition(lignes)
    nom = f"l’année {temps.annee}" if temps.mois is None else _nom_du_mois(temps)
    charge = _charge(distinctes, temps.annee, temps.mois)
    detail = [
        Valeur(operation, pourcentage(part))
        for operation, part in _parts(distinctes, temps.annee, temps.mois).items()
    ]
    if charge > 1:
        return _PAR_MOIS.anomalie(
            f"Pour {nom}, la personne est imputée à {pourcentage(charge)} de son temps, toutes "
            "opérations de l’employeur réunies. Comparez les relevés et écartez ce qui dépasse "
            f"{pourcentage(Fraction(1))}.",
            *detail,
        )
    autres_mois = range(1, 13) if temps.mois is None else (temps.mois,)
    possible = max(
        _charge(lignes, temps.annee, None) + _charge(lignes, temps.annee, mois)
        for mois in autres_mois
    )
    if possible > 1:
        return _PAR_MOIS.a_apprecier(
            f"Pour {nom}, le temps imputé peut atteindre {pourcentage(possible)} si les dépenses "
            "comptées à l’année et au mois, ou plusieurs dépenses du même temps, s’ajoutent. "
            "Comparez les relevés de la personne.",
            *detail,
        )
    return _PAR_MOIS.conforme(
        f"Pour {nom}, le temps imputé ne dépasse pas {pourcentage(Fraction(1))}.", *detail
    )


def _nom_du_mois(temps: Temps) -> str:
    assert temps.mois is not None
    return f"{_MOIS[temps.mois - 1]} {temps.annee}"


def _parts(lignes: Iterable[_Ligne], annee: int, mois: int | None) -> dict[str, Fraction]:
    """Return the share of each operation, this one first."""
    parts: dict[str, Fraction] = defaultdict(Fraction)
    for ligne in lignes:
        if (ligne.temps.annee, ligne.temps.mois) == (annee, mois):
            parts[ligne.operation] += ligne.sens * ligne.temps.part
    return parts


def _annee(
    temps: Temps, lignes: list[_Ligne], maximum: Parametre | None, reglement: str
) -> Constat:
    essai = _par_annee(reglement)
    if temps.heures_operation is None:
        return essai.sans_objet("cette méthode ne compte pas les heures")
    if maximum is None:
        return essai.a_apprecier(
            "Aucun maximum d’heures par an n’est en vigueur. Vérifiez les heures de la personne."
        )
    essai = msgspec.structs.replace(essai, article=maximum.reference)
    de_l_annee = [ligne for ligne in lignes if ligne.temps.annee == temps.annee]
    limite = min([Decimal(maximum.entier), *_bases_annuelles(de_l_annee)])
    au_moins = _heures_par_operation(_sans_repetition(de_l_annee))
    au_plus = sum(_heures_par_operation(de_l_annee).values(), Decimal())
    total = sum(au_moins.values(), Decimal())
    valeurs = (
        Valeur("Maximum de l’année", heures(limite)),
        Valeur(f"Total {temps.annee}", heures(total)),
        *(Valeur(operation, heures(somme)) for operation, somme in au_moins.items()),
    )
    if total > limite:
        return essai.anomalie(
            f"En {temps.annee}, {heures(total)} sont déclarées pour la personne, toutes opérations "
            f"de l’employeur réunies, pour {heures(limite)} au plus. Écartez les heures en trop.",
            *valeurs,
        )
    if au_plus > limite:
        return essai.a_apprecier(
            f"En {temps.annee}, les heures de la personne atteignent {heures(au_plus)} si toutes "
            f"ses dépenses s’ajoutent, pour {heures(limite)} au plus. Vérifiez lesquelles portent "
            "le même temps.",
            *valeurs,
        )
    return essai.conforme(
        f"En {temps.annee}, les heures de la personne tiennent dans le maximum de l’année.",
        *valeurs,
    )


def _bases_annuelles(lignes: Iterable[_Ligne]) -> list[Decimal]:
    """Return the hours that divide the annual cost of the person: no more can be declared."""
    return [
        ligne.temps.heures_base
        for ligne in lignes
        if ligne.temps.methode == "taux_horaire"
        and ligne.temps.mois is None
        and ligne.temps.heures_base
    ]


def _heures_par_operation(lignes: Iterable[_Ligne]) -> dict[str, Decimal]:
    totaux: dict[str, Decimal] = defaultdict(Decimal)
    for ligne in lignes:
        totaux[ligne.operation] += ligne.sens * (ligne.temps.heures_operation or Decimal())
    return totaux
