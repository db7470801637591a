"""The forms under which a cost is reimbursed, and what each asks of a plan de financement."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol

import msgspec

from oi_service.dates import Periode
from oi_service.errors import RuleBroken
from rules.calcul import Mode
from rules.nomenclature import POSTES
from rules.parametres import Parametre, ParametreHorsVigueur, parametre

#: What a plan is excused for, when simplified costs are mandatory.
Derogation = Literal["aide_etat", "commande_publique"]


class Poste(Protocol):
    """What these rules read of a line of expenditure of a plan; amounts are cents."""

    @property
    def code(self) -> str:
        """The poste."""

    @property
    def montant_centimes(self) -> int:
        """Its amount in the plan."""

    @property
    def mode(self) -> Mode:
        """Its form."""

    @property
    def option(self) -> str | None:
        """One of OPTIONS, for a flat rate."""

    @property
    def taux_pct(self) -> Decimal | None:
        """The rate, frozen by the convention."""

    @property
    def assiette(self) -> tuple[str, ...]:
        """The postes a flat rate applies to."""

    @property
    def methode_ref(self) -> str | None:
        """The document of the calculation method, where the texts ask for one."""

    @property
    def couvre(self) -> tuple[str, ...]:
        """The postes that a unit cost or a lump sum covers."""

    @property
    def cout_unite_centimes(self) -> int | None:
        """Cost of a unit."""

    @property
    def unites(self) -> Decimal | None:
        """Units planned."""

    @property
    def livrables(self) -> "Sequence[Livrable]":
        """Deliverables of a lump sum."""


class Livrable(Protocol):
    """A deliverable of a lump sum."""

    @property
    def id(self) -> str:
        """Its code in the plan."""

    @property
    def montant_centimes(self) -> int:
        """What it is worth."""


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flat rate of the texts. ``plafond`` names its highest rate in the parameters.

    ``base``: the postes it may apply to. ``seules``: the only other postes that the plan
    may have beside it, when it covers the rest. ``base_reelle``: the base is no flat rate itself.
    """

    libelle: str
    poste: str
    plafond: str
    base: frozenset[str]
    seules: frozenset[str] | None = None
    base_reelle: bool = False
    methode: bool = False


_DIRECTES = frozenset(POSTES) - {"indirectes", "autres_couts"}

OPTIONS: Mapping[str, Option] = {
    "forfait_15_personnel": Option(
        libelle="Dépenses indirectes, jusqu’à 15 % des dépenses directes de personnel",
        poste="indirectes",
        plafond="forfait_15_personnel_taux_max",
        base=frozenset(("personnel",)),
    ),
    "forfait_20_national": Option(
        libelle="Dépenses indirectes, 20 % des dépenses directes hors prestations",
        poste="indirectes",
        plafond="forfait_20_national_taux_max",
        base=_DIRECTES - {"prestations"},
    ),
    "forfait_40": Option(
        libelle="Autres coûts, jusqu’à 40 % des dépenses directes de personnel",
        poste="autres_couts",
        plafond="forfait_40_taux_max",
        base=frozenset(("personnel",)),
        seules=frozenset(("personnel", "participants")),
        base_reelle=True,
    ),
    "forfait_7": Option(
        libelle="Dépenses indirectes, jusqu’à 7 % des dépenses directes",
        poste="indirectes",
        plafond="forfait_7_taux_max",
        base=_DIRECTES,
    ),
    "forfait_25": Option(
        libelle="Dépenses indirectes, jusqu’à 25 % des dépenses directes, selon une méthode",
        poste="indirectes",
        plafond="forfait_25_taux_max",
        base=_DIRECTES,
        methode=True,
    ),
    "forfait_personnel_20": Option(
        libelle="Dépenses de personnel, jusqu’à 20 % des autres dépenses directes",
        poste="personnel",
        plafond="forfait_personnel_20_taux_max",
        base=_DIRECTES - {"personnel"},
    ),
}


class FormeIncomplete(RuleBroken):
    """Le poste « {poste} » est « {mode} » : {manque}."""


class MontantDuPosteInexact(RuleBroken):
    """Le poste « {poste} » est prévu pour {prevu:euros}, alors que {calcul}, soit {exact:euros}."""


class LivrableEnDouble(RuleBroken):
    """Le livrable « {id} » figure deux fois dans le plan : un livrable ne se paie qu’une fois."""


class PosteReelInconnu(RuleBroken):
    """Le poste « {poste} » n’est pas de la nomenclature : seul un coût unitaire ou un montant
    forfaitaire porte un nom propre à la convention.
    """


class OptionHorsRegime(RuleBroken):
    """L’option « {option} » n’existe pas sous le règlement {reglement} au {le}."""


class TauxForfaitaireTropEleve(RuleBroken):
    """Le poste « {poste} » applique {taux} %, au-delà des {maximum} % de l’option « {option} »
    ({article_du_taux}).
    """


class AssietteNonConforme(RuleBroken):
    """Le taux forfaitaire du poste « {poste} » porte sur « {assiette} » : l’option « {option} »
    ne porte que sur « {attendue} »{forme}.
    """


class MethodeAbsente(RuleBroken):
    """L’option « {option} » demande une méthode de calcul juste, équitable et vérifiable : indiquez
    sa référence.
    """

    article = "Règlement (UE) n° 1303/2013, art. 68 §1 a) ; règlement (UE) 2021/1060, art. 54 c)"


class FormesIncompatibles(RuleBroken):
    """Le poste « {poste} » couvre déjà ce que compte le poste « {autre} » : un coût ne se présente
    que sous une forme.
    """

    article = "Règlement (UE) 2021/1060, art. 53 §1 e)"


class PlafondAnnuelDuForfaitNational(RuleBroken):
    """Le coût programmé de {annee} est de {cout:euros}, au-delà des {plafond:euros} par année
    civile sous lesquels le taux de 20 % s’applique.
    """

    article = "Arrêté du 1er avril 2016 relatif à la forfaitisation des dépenses indirectes, art. 2"


class CoutsSimplifiesObligatoires(RuleBroken):
    """{base} est de {montant:euros}, dans la limite de {seuil:euros} : les coûts simplifiés sont
    obligatoires, et {postes} restent au coût réel hors de toute assiette. Choisissez une option, ou
    indiquez la dérogation qui s’applique (aide d’État, commande publique).
    """

    article = "Règlement (UE) n° 1304/2013, art. 14 §4 ; règlement (UE) 2021/1060, art. 53 §2"


def verifier_montants(postes: Sequence[Poste]) -> None:
    """Refuse a poste that does not come to its amount, or that its form leaves incomplete.

    A computed amount may be rounded either way: less than a cent of difference passes.
    Raises: FormeIncomplete, LivrableEnDouble, MontantDuPosteInexact, PosteReelInconnu.
    """
    montants = {p.code: p.montant_centimes for p in postes}
    for livrable, fois in Counter(x.id for p in postes for x in p.livrables).items():
        if fois > 1:
            raise LivrableEnDouble(id=livrable)
    for poste in postes:
        if poste.mode in {"reel", "forfait"} and poste.code not in POSTES:
            raise PosteReelInconnu(poste=poste.code)
        if poste.mode == "reel":
            continue
        exact, calcul = _montant(poste, montants)
        if abs(exact - poste.montant_centimes) >= 1:
            raise MontantDuPosteInexact(
                poste=poste.code, prevu=poste.montant_centimes, calcul=calcul, exact=round(exact)
            )


def _montant(poste: Poste, montants: Mapping[str, int]) -> tuple[Fraction, str]:
    """Return what a simplified cost comes to in the plan, and how a person would say it."""
    if poste.mode == "forfait":
        if poste.option is None or poste.taux_pct is None or not poste.assiette:
            raise _incomplet(poste, "indiquez l’option, le taux et l’assiette")
        absents = [code for code in poste.assiette if code not in montants]
        if absents or poste.code in poste.assiette:
            raise _incomplet(poste, "son assiette nomme d’autres postes du plan")
        assiette = sum(montants[code] for code in poste.assiette)
        return (
            Fraction(poste.taux_pct) / 100 * assiette,
            f"{poste.taux_pct} % de l’assiette « {', '.join(poste.assiette)} »",
        )
    if poste.mode == "cout_unitaire":
        if poste.cout_unite_centimes is None or poste.unites is None or not poste.couvre:
            raise _incomplet(poste, "indiquez le coût d’une unité, leur nombre et ce qu’il couvre")
        return (
            Fraction(poste.unites) * poste.cout_unite_centimes,
            f"{poste.unites} unités sont prévues",
        )
    if not poste.livrables or not poste.couvre:
        raise _incomplet(poste, "indiquez les livrables et ce que le montant couvre")
    return Fraction(sum(x.montant_centimes for x in poste.livrables)), "ses livrables s’ajoutent"


#: How a form is said to a person.
MODES: Mapping[Mode, str] = {
    "reel": "au coût réel",
    "forfait": "à taux forfaitaire",
    "cout_unitaire": "au coût unitaire",
    "montant_forfaitaire": "au montant forfaitaire",
}


def _incomplet(poste: Poste, manque: str) -> FormeIncomplete:
    return FormeIncomplete(poste=poste.code, mode=MODES[poste.mode], manque=manque)


def verifier_formes(postes: Sequence[Poste], *, reglement: str, le: date, periode: Periode) -> None:
    """Refuse a form that the texts do not open, a wrong base, a cost under two forms.

    Raises: OptionHorsRegime, TauxForfaitaireTropEleve, AssietteNonConforme, MethodeAbsente,
    FormesIncompatibles, PlafondAnnuelDuForfaitNational.
    Source: règlement (UE) n° 1303/2013, art. 67 à 68 ter; règlement (UE) 2021/1060, art. 53 à 56.
    """
    for poste in postes:
        if poste.mode == "forfait" and poste.option is not None:
            _verifier_option(poste, postes, reglement, le)
            if poste.option == "forfait_20_national":
                _verifier_plafond_annuel(postes, reglement, le, periode)
        for autre in postes:
            if autre is not poste and {autre.code, *autre.couvre} & set(poste.couvre):
                raise FormesIncompatibles(poste=poste.code, autre=autre.code)


def _verifier_option(poste: Poste, postes: Sequence[Poste], reglement: str, le: date) -> None:
    assert poste.option is not None
    option = OPTIONS[poste.option]
    try:
        maximum = parametre(option.plafond, le=le, reglement=reglement)
    except ParametreHorsVigueur:
        raise OptionHorsRegime(option=option.libelle, reglement=reglement, le=le) from None
    taux = poste.taux_pct or Decimal(0)
    if Fraction(taux) / 100 > maximum.taux:
        raise TauxForfaitaireTropEleve(
            poste=poste.code,
            taux=taux,
            maximum=maximum.pourcent,
            option=option.libelle,
            article_du_taux=maximum.reference,
        )
    reelle = all(p.mode == "reel" for p in postes if p.code in poste.assiette)
    conforme = poste.code == option.poste and set(poste.assiette) <= option.base
    if not conforme or (option.base_reelle and not reelle):
        raise AssietteNonConforme(
            poste=poste.code,
            assiette=", ".join(poste.assiette),
            option=option.libelle,
            attendue=", ".join(sorted(option.base)),
            forme=" au coût réel" if option.base_reelle else "",
        )
    if option.methode and poste.methode_ref is None:
        raise MethodeAbsente(option=option.libelle)
    if option.seules is not None:
        for autre in postes:
            if autre is not poste and autre.code not in option.seules:
                raise FormesIncompatibles(poste=poste.code, autre=autre.code)


def _verifier_plafond_annuel(
    postes: Sequence[Poste], reglement: str, le: date, periode: Periode
) -> None:
    """Refuse the national rate when a civil year costs too much, shared by days of the period."""
    plafond = parametre("forfait_20_national_plafond_annuel", le=le, reglement=reglement).centimes
    total = sum(p.montant_centimes for p in postes)
    jours = (periode.fin - periode.debut).days + 1
    for annee in range(periode.debut.year, periode.fin.year + 1):
        debut, fin = max(periode.debut, date(annee, 1, 1)), min(periode.fin, date(annee, 12, 31))
        cout = Fraction(total * ((fin - debut).days + 1), jours)
        if cout > plafond:
            raise PlafondAnnuelDuForfaitNational(annee=annee, cout=round(cout), plafond=plafond)


def couts_simplifies_manquants(
    postes: Sequence[Poste], *, cout_total: int, soutien_public: int, reglement: str, le: date
) -> tuple[CoutsSimplifiesObligatoires, Parametre] | None:
    """Return what is missing where simplified costs are mandatory, with the threshold applied.

    Only the base of a flat rate and the participants' allowances may then stay at real cost. The
    caller refuses when the threshold was read at its source, and informs otherwise.
    Source: règlement (UE) n° 1304/2013, art. 14 §4, then règlement (UE) n° 1303/2013, art. 67
    §2 bis; règlement (UE) 2021/1060, art. 53 §2.
    """
    if reglement == "2014-2020":
        base, montant = "Le soutien public", soutien_public
        seuil = parametre("couts_simplifies_soutien_public_max", le=le, reglement=reglement)
    else:
        base, montant = "Le coût total", cout_total
        seuil = parametre("couts_simplifies_cout_total_max", le=le, reglement=reglement)
    reels = _reels_hors_assiette(postes)
    if montant > seuil.centimes or not reels:
        return None
    manque = CoutsSimplifiesObligatoires(
        base=base,
        montant=montant,
        seuil=seuil.centimes,
        postes=", ".join(f"« {POSTES.get(code, code)} »" for code in reels),
    )
    return manque, seuil


def _reels_hors_assiette(postes: Iterable[Poste]) -> list[str]:
    tous = list(postes)
    assiettes = {code for p in tous if p.mode == "forfait" for code in p.assiette}
    admis = assiettes | {"participants", "nature", "tiers"}
    return [p.code for p in tous if p.mode == "reel" and p.code not in admis]
