"""What a control under way would give: its totals, and the calculation line by line."""

from collections.abc import Iterable
from dataclasses import dataclass

from aggregates.convention.validation import calculer_csf, demande_du_bilan
from api.filters import euros
from api.pages.ecriture import poste
from oi_service.errors import french_euros
from projections.csf import ControleLu
from projections.explication import LigneCalcul, Section
from projections.histoire import CONTRAINTES, CORRECTIONS_FSE
from rules.calcul import PosteCalcule, Resultat


@dataclass(frozen=True, slots=True)
class Totaux:
    """What a bilan comes to so far; amounts are cents, of total cost but for ``fse_``.

    ``fse_demande`` and ``fse_du`` are cumulated since the start of the operation; ``fse_periode``
    is what this control would add to what is due already.
    """

    nombre: int
    decidees: int
    declare: int
    ecarte: int
    a_decider: int
    fse_demande: int
    fse_du: int
    fse_periode: int
    contrainte: str
    valide: bool

    @property
    def retenu(self) -> int:
        """What is kept, of what has a decision."""
        return self.declare - self.a_decider - self.ecarte

    @property
    def reste(self) -> int:
        """Dépenses without a decision."""
        return self.nombre - self.decidees

    @property
    def phrase(self) -> str:
        """What the Fund's share stands on."""
        if self.valide:
            return f"limité par : {self.contrainte}"
        if self.reste:
            return "si tout ce qui reste est retenu"
        return f"limité par : {self.contrainte}"


def projeter(lu: ControleLu) -> tuple[Totaux, Resultat]:
    """Compute what the control would give as it stands; what it gave, once validated."""
    etats = lu.etats
    valide = lu.valide
    if valide is not None and valide.resultat is not None:
        resultat = valide.resultat
    else:
        _, resultat = calculer_csf(lu.convention, lu.bilan, lu.csf, etats)
    decidees = [d for d in etats.values() if d.statut == "controlee"]
    demande = demande_du_bilan(lu.convention, lu.bilan, lu.csf, etats)
    periode = (
        resultat.fse_du_centimes - lu.convention.fse_du
        if valide is None
        else valide.fse_du_periode_centimes
    )
    return (
        Totaux(
            nombre=len(etats),
            decidees=len(decidees),
            declare=sum(d.montant for d in etats.values()),
            ecarte=sum(d.ecarte for d in etats.values()),
            a_decider=sum(d.montant for d in etats.values() if d.statut != "controlee"),
            fse_demande=demande.fse_du_centimes,
            fse_du=resultat.fse_du_centimes,
            fse_periode=periode,
            contrainte=CONTRAINTES.get(resultat.contrainte_active, resultat.contrainte_active),
            valide=valide is not None,
        ),
        resultat,
    )


def sections(lu: ControleLu, resultat: Resultat) -> tuple[Section, ...]:
    """Write the calculation of a control that is not validated yet."""
    return (
        Section("Coûts retenus", tuple(_couts(lu, resultat))),
        Section("Plafonds du FSE", tuple(_plafonds(lu, resultat))),
        Section("FSE dû", tuple(_du(lu, resultat))),
    )


def _couts(lu: ControleLu, resultat: Resultat) -> Iterable[LigneCalcul]:
    libelles = {p.code: p.libelle for p in lu.convention.plan.postes}
    for calcule in resultat.postes:
        yield LigneCalcul(
            code=calcule.code,
            libelle=libelles.get(calcule.code) or poste(calcule.code),
            calcul=_ecrire(calcule),
            centimes=calcule.retenu_centimes,
        )
    yield LigneCalcul(
        code="cout_net",
        libelle="Coût total retenu",
        calcul=f"{french_euros(resultat.cout_brut_centimes)} − "
        f"{french_euros(resultat.recettes_nettes_centimes)} de recettes nettes",
        centimes=resultat.cout_net_centimes,
    )
    yield LigneCalcul(
        code="Q",
        libelle="Ressources externes retenues (Q)",
        centimes=resultat.ressources_externes_centimes,
    )


def _ecrire(calcule: PosteCalcule) -> str:
    """Write what a poste comes to: declared, less each reason that lowers it; or its rate."""
    if calcule.mode == "forfait":
        return f"{calcule.taux_pct} % × {french_euros(calcule.assiette_centimes or 0)}"
    if calcule.mode == "cout_unitaire":
        return f"{calcule.unites} unités × {french_euros(calcule.cout_unite_centimes or 0)}"
    if calcule.mode == "montant_forfaitaire":
        return "livrables atteints"
    morceaux = [f"{french_euros(calcule.declare_centimes)} déclarés"]
    for montant, raison in (
        (calcule.ecarte_centimes, "écartés"),
        (calcule.extrapole_centimes, "extrapolés"),
        (calcule.corrige_marche_centimes, "de correction de marché"),
        (calcule.ecrete_centimes, "au-delà du plafond du poste"),
    ):
        if montant:
            morceaux.append(f"− {french_euros(montant)} {raison}")
    return " ".join(morceaux)


def _plafonds(lu: ControleLu, resultat: Resultat) -> Iterable[LigneCalcul]:
    net = french_euros(resultat.cout_net_centimes)
    externes = french_euros(resultat.ressources_externes_centimes)
    maximum = f"{euros(lu.convention.fse_max)} / {euros(lu.convention.cout_total_eligible)}"
    for contrainte, libelle, calcul, centimes in (
        ("plafond", "c1. Maximum de la convention", None, resultat.c1_centimes),
        ("taux", "c2. Taux de la convention", f"{maximum} × {net}", resultat.c2_centimes),
        ("besoin", "c3. Besoin de financement", f"{net} − {externes}", resultat.c3_centimes),
        ("hors_nature", "c4. Coût hors contributions en nature", None, resultat.c4_centimes),
    ):
        if centimes is not None:
            yield LigneCalcul(
                code=contrainte,
                libelle=libelle,
                calcul=calcul,
                centimes=centimes,
                retenue=contrainte == resultat.contrainte_active,
            )


def _du(lu: ControleLu, resultat: Resultat) -> Iterable[LigneCalcul]:
    for correction in resultat.corrections_fse:
        yield LigneCalcul(
            code=correction.nature,
            libelle=f"Correction : {CORRECTIONS_FSE.get(correction.nature, correction.nature)}",
            calcul=f"{correction.taux_pct} % × {french_euros(resultat.fse_brut_centimes)}",
            centimes=-correction.correction_centimes,
        )
    yield LigneCalcul(
        code="fse_du_cumule",
        libelle="FSE dû depuis le début de l’opération",
        centimes=resultat.fse_du_centimes,
    )
    yield LigneCalcul(
        code="fse_du_periode",
        libelle="FSE dû au titre de ce contrôle",
        calcul=f"{french_euros(resultat.fse_du_centimes)} − {french_euros(lu.convention.fse_du)}",
        centimes=resultat.fse_du_centimes - lu.convention.fse_du,
    )
