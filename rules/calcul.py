"""The service fait of an operation: from what each control kept to what the Fund owes.

Everything is cumulated since the start, then differenced: a correction of an earlier bilan finds
its way without anybody touching that bilan.
Source: minimum rule, modalités de paiement du Doubs; order, cumulation and rounding, our choice.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from oi_service.errors import RuleBroken
from oi_service.money import Arrondi, round_cents
from rules.fse_du import Contrainte, Entrees, TauxMode, calculer
from rules.nomenclature import RESSOURCES_EXTERNES, RESSOURCES_PUBLIQUES

#: The form under which a cost is reimbursed; one cost has one form.
Mode = Literal["reel", "forfait", "cout_unitaire", "montant_forfaitaire"]


class AssietteInconnue(RuleBroken):
    """Le taux forfaitaire du poste « {poste} » porte sur le poste « {assiette} », qui n’est pas
    calculé avant lui : placez le poste de l’assiette plus haut dans le plan.
    """


class Valeur(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the values of the calculation."""


class PosteConvenu(Valeur, frozen=True, kw_only=True):
    """How the convention counts a poste. ``assiette``: the postes a flat rate applies to."""

    code: str
    mode: Mode = "reel"
    taux_pct: Decimal | None = None
    assiette: tuple[str, ...] = ()
    cout_unite_centimes: int | None = None
    plafond_centimes: int | None = None
    tolerance_pct: Decimal = Decimal(0)


class Conditions(Valeur, frozen=True, kw_only=True):
    """What the convention fixes; ``postes`` are in the order in which they are computed.

    ``ressources_prevues`` only serve intermediate bilans that count the other funders pro rata.
    """

    fse_max_centimes: int
    cout_total_eligible_centimes: int
    postes: tuple[PosteConvenu, ...]
    arrondi: Arrondi = "demi_superieur"
    taux_mode: TauxMode = "exact"
    ressources_intermediaires: Literal["percues", "prorata"] = "percues"
    ressources_prevues: tuple[tuple[str, int], ...] = ()


class LignesPoste(Valeur, frozen=True, kw_only=True):
    """What the lines of a poste come to in one bilan, before any correction of the whole."""

    code: str
    declare_centimes: int
    ecarte_centimes: int


class Echantillon(Valeur, frozen=True, kw_only=True):
    """What the drawn lines of a poste said, and what was not drawn: the base to extrapolate to."""

    poste: str
    tirage_declare_centimes: int
    tirage_ecarte_centimes: int
    base_centimes: int

    @property
    def taux(self) -> Fraction:
        """Exact rate of irregularity, over the declared amount of the drawn lines."""
        return Fraction(self.tirage_ecarte_centimes, self.tirage_declare_centimes or 1)


class LignesMarche(Valeur, frozen=True, kw_only=True):
    """What a public contract keeps in a poste, before its correction."""

    marche: str
    poste: str
    retenu_centimes: int


class TauxDecide(Valeur, frozen=True, kw_only=True):
    """A flat correction: of a contract (``objet`` is the contract) or of the Fund's share."""

    objet: str
    taux_pct: Decimal


class Unites(Valeur, frozen=True, kw_only=True):
    """Units of a poste, declared and proven, in one bilan."""

    poste: str
    declarees: Decimal
    retenues: Decimal


class LivrableVu(Valeur, frozen=True, kw_only=True):
    """A deliverable of a lump sum: reached, or nothing."""

    poste: str
    id: str
    montant_centimes: int
    atteint: bool


class Apports(Valeur, frozen=True, kw_only=True):
    """What the control of one bilan keeps: the inputs of the calculation, period by period.

    ``ressources``: type and amount retained. ``recettes_nettes_centimes`` are deducted from the
    cost; revenue that counts as a resource is among the resources instead.
    """

    final: bool
    lignes: tuple[LignesPoste, ...] = ()
    echantillons: tuple[Echantillon, ...] = ()
    marches: tuple[LignesMarche, ...] = ()
    corrections_marche: tuple[TauxDecide, ...] = ()
    unites: tuple[Unites, ...] = ()
    livrables: tuple[LivrableVu, ...] = ()
    recettes_nettes_centimes: int = 0
    ressources: tuple[tuple[str, int], ...] = ()
    corrections_fse: tuple[TauxDecide, ...] = ()


class PosteCalcule(Valeur, frozen=True, kw_only=True):
    """A poste and how it came to what is retained, cumulated.

    Real: declare - ecarte - extrapole - corrige_marche - ecrete = retenu. Flat rate: ``taux_pct``
    of ``assiette_centimes``. Unit cost: ``unites`` times the unit. Lump sum: deliverables reached.
    """

    code: str
    mode: Mode
    retenu_centimes: int
    declare_centimes: int = 0
    ecarte_centimes: int = 0
    extrapole_centimes: int = 0
    corrige_marche_centimes: int = 0
    ecrete_centimes: int = 0
    taux_pct: Decimal | None = None
    assiette: tuple[str, ...] = ()
    assiette_centimes: int | None = None
    unites: Decimal | None = None
    cout_unite_centimes: int | None = None


class ExtrapolationCalculee(Valeur, frozen=True, kw_only=True):
    """An extrapolation; ``taux`` is the exact fraction, such as ``"3/148"``."""

    poste: str
    taux: str
    base_centimes: int
    correction_centimes: int


class MarcheCorrige(Valeur, frozen=True, kw_only=True):
    """The flat correction of a contract, over everything retained of it since the start."""

    marche: str
    taux_pct: Decimal
    base_centimes: int
    correction_centimes: int


class CorrectionFse(Valeur, frozen=True, kw_only=True):
    """A correction of the Fund's share, after the ceilings."""

    nature: str
    taux_pct: Decimal
    correction_centimes: int


class Resultat(Valeur, frozen=True, kw_only=True):
    """What the Fund owes since the start, with every operand; amounts are cents."""

    postes: tuple[PosteCalcule, ...]
    extrapolations: tuple[ExtrapolationCalculee, ...]
    marches: tuple[MarcheCorrige, ...]
    cout_brut_centimes: int
    recettes_nettes_centimes: int
    cout_net_centimes: int
    ressources_externes_centimes: int
    c1_centimes: int
    c2_centimes: int
    c3_centimes: int
    c4_centimes: int | None
    contrainte_active: Contrainte
    fse_brut_centimes: int
    corrections_fse: tuple[CorrectionFse, ...]
    fse_du_centimes: int
    autofinancement_constate_centimes: int
    surfinancement_ecarte_centimes: int

    @property
    def declare_centimes(self) -> int:
        """Everything declared at real cost since the start."""
        return sum(p.declare_centimes for p in self.postes)

    @property
    def ecarte_centimes(self) -> int:
        """Everything the control set aside at real cost, line by line or as a whole."""
        return sum(
            p.ecarte_centimes + p.extrapole_centimes + p.corrige_marche_centimes
            for p in self.postes
        )


def service_fait(conditions: Conditions, bilans: Sequence[Apports]) -> Resultat:
    """Compute what the Fund owes after the last of ``bilans``, all cumulated, in their order.

    Real lines give real postes, less what a sample extrapolates and what a contract loses, capped
    where the convention caps them; then flat rates in the order of the plan, unit costs and lump
    sums; then the smallest ceiling; then the corrections of the Fund's share.
    Raises: AssietteInconnue, CoutConventionneNul, RessourceHorsNomenclature,
    RecettesCompteesDeuxFois.
    """
    mode = conditions.arrondi
    extrapolations = [_extrapoler(e, mode) for b in bilans for e in b.echantillons]
    marches = _marches_corriges(bilans, mode)
    postes = _postes(conditions, bilans, extrapolations, marches)
    recettes = sum(b.recettes_nettes_centimes for b in bilans)
    retenus = {p.code: p.retenu_centimes for p in postes}
    minimum = calculer(
        Entrees(
            fse_max_centimes=conditions.fse_max_centimes,
            cout_total_eligible_centimes=conditions.cout_total_eligible_centimes,
            postes=retenus,
            ressources=_ressources(conditions, bilans, max(0, sum(retenus.values()) - recettes)),
            arrondi=mode,
            taux_mode=conditions.taux_mode,
            recettes_nettes_centimes=recettes,
        )
    )
    brut = minimum.fse_du_centimes
    corrections = _corrections_fse(bilans, brut, mode)
    du = brut - sum(c.correction_centimes for c in corrections)
    return Resultat(
        postes=postes,
        extrapolations=tuple(extrapolations),
        marches=_par_marche(marches),
        cout_brut_centimes=minimum.cout_brut_centimes,
        recettes_nettes_centimes=recettes,
        cout_net_centimes=minimum.cout_net_centimes,
        ressources_externes_centimes=minimum.ressources_externes_centimes,
        c1_centimes=minimum.c1_centimes,
        c2_centimes=minimum.c2_centimes,
        c3_centimes=minimum.c3_centimes,
        c4_centimes=minimum.c4_centimes,
        contrainte_active=minimum.contrainte_active,
        fse_brut_centimes=brut,
        corrections_fse=corrections,
        fse_du_centimes=du,
        autofinancement_constate_centimes=max(
            0, minimum.cout_net_centimes - minimum.ressources_externes_centimes - du
        ),
        surfinancement_ecarte_centimes=minimum.surfinancement_ecarte_centimes,
    )


def _extrapoler(echantillon: Echantillon, mode: Arrondi) -> ExtrapolationCalculee:
    """Apply the rate of the drawn lines to what was not drawn; drawn lines keep their own écart.

    Source: DGEFP, annexe « échantillonnage » de la convention type; arithmetic, our choice.
    """
    return ExtrapolationCalculee(
        poste=echantillon.poste,
        taux=str(echantillon.taux),
        base_centimes=echantillon.base_centimes,
        correction_centimes=_retire(echantillon.taux, echantillon.base_centimes, mode),
    )


def _retire(taux: Fraction, base: int, mode: Arrondi) -> int:
    """Return what a correction takes off: truncation cuts what is left, never what is taken."""
    if mode == "troncature":
        return base - round_cents((1 - taux) * base, mode)
    return round_cents(taux * base, mode)


def _dernier(decisions: Iterable[TauxDecide]) -> dict[str, Decimal]:
    """Keep the last rate decided on each object: a later bilan may raise it or lift it."""
    return {decision.objet: decision.taux_pct for decision in decisions}


def _marches_corriges(
    bilans: Sequence[Apports], mode: Arrondi
) -> dict[tuple[str, str], MarcheCorrige]:
    """Correct each contract, poste by poste, on all that is retained of it since the start.

    Source: lignes directrices C(2019) 3452, barème applied to the expenditure of the contract.
    """
    taux = _dernier(c for b in bilans for c in b.corrections_marche)
    bases: Counter[tuple[str, str]] = Counter()
    for lignes in (m for b in bilans for m in b.marches):
        bases[lignes.marche, lignes.poste] += lignes.retenu_centimes
    return {
        (marche, poste): MarcheCorrige(
            marche=marche,
            taux_pct=taux[marche],
            base_centimes=base,
            # A regularisation may leave less than nothing of a contract: no correction is then due.
            correction_centimes=_retire(Fraction(taux[marche]) / 100, max(0, base), mode),
        )
        for (marche, poste), base in sorted(bases.items())
        if marche in taux
    }


def _par_marche(marches: dict[tuple[str, str], MarcheCorrige]) -> tuple[MarcheCorrige, ...]:
    """Add up the postes of each contract."""
    totaux: dict[str, MarcheCorrige] = {}
    for (marche, _), corrige in marches.items():
        deja = totaux.get(marche)
        totaux[marche] = MarcheCorrige(
            marche=marche,
            taux_pct=corrige.taux_pct,
            base_centimes=corrige.base_centimes + (deja.base_centimes if deja else 0),
            correction_centimes=corrige.correction_centimes
            + (deja.correction_centimes if deja else 0),
        )
    return tuple(totaux.values())


def _postes(
    conditions: Conditions,
    bilans: Sequence[Apports],
    extrapolations: Sequence[ExtrapolationCalculee],
    marches: dict[tuple[str, str], MarcheCorrige],
) -> tuple[PosteCalcule, ...]:
    """Compute what is proven, then flat rates in the order of the plan, each after its base."""
    convenus = {p.code for p in conditions.postes}
    declares = {lignes.code for b in bilans for lignes in b.lignes}
    # A line on a poste that the convention does not know was set aside whole, and is still shown.
    inconnus = [PosteConvenu(code=code) for code in sorted(declares - convenus)]
    calcules: dict[str, PosteCalcule] = {}
    for poste in (*conditions.postes, *inconnus):
        if poste.mode == "cout_unitaire":
            calcules[poste.code] = _cout_unitaire(poste, bilans, conditions.arrondi)
        elif poste.mode == "montant_forfaitaire":
            calcules[poste.code] = _montant_forfaitaire(poste, bilans)
        elif poste.mode == "reel" and poste.code in declares:
            extrapole = sum(e.correction_centimes for e in extrapolations if e.poste == poste.code)
            corrige = sum(m.correction_centimes for (_, p), m in marches.items() if p == poste.code)
            calcules[poste.code] = _reel(poste, bilans, extrapole, corrige, conditions.arrondi)
    sans_ligne = {p.code for p in conditions.postes if p.mode == "reel"} - calcules.keys()
    for poste in conditions.postes:
        if poste.mode == "forfait":
            calcules[poste.code] = _forfait(poste, calcules, sans_ligne, conditions.arrondi)
    return tuple(calcules.values())


def _reel(
    poste: PosteConvenu, bilans: Sequence[Apports], extrapole: int, corrige: int, mode: Arrondi
) -> PosteCalcule:
    lignes = [x for b in bilans for x in b.lignes if x.code == poste.code]
    declare = sum(x.declare_centimes for x in lignes)
    ecarte = sum(x.ecarte_centimes for x in lignes)
    reel = max(0, declare - ecarte - extrapole - corrige)
    retenu = reel
    if poste.plafond_centimes is not None:
        marge = 1 + Fraction(poste.tolerance_pct) / 100
        retenu = min(reel, round_cents(marge * poste.plafond_centimes, mode))
    return PosteCalcule(
        code=poste.code,
        mode="reel",
        retenu_centimes=retenu,
        declare_centimes=declare,
        ecarte_centimes=ecarte,
        extrapole_centimes=extrapole,
        corrige_marche_centimes=corrige,
        ecrete_centimes=reel - retenu,
    )


def _forfait(
    poste: PosteConvenu, calcules: dict[str, PosteCalcule], sans_ligne: set[str], mode: Arrondi
) -> PosteCalcule:
    """Apply the rate frozen in the convention to what is retained of its base.

    ``sans_ligne``: postes at real cost of which nothing is declared yet; they weigh nothing.
    """
    for code in poste.assiette:
        if code not in calcules and code not in sans_ligne:
            raise AssietteInconnue(poste=poste.code, assiette=code)
    assiette = sum(calcules[code].retenu_centimes for code in poste.assiette if code in calcules)
    taux = poste.taux_pct or Decimal(0)
    return PosteCalcule(
        code=poste.code,
        mode="forfait",
        retenu_centimes=round_cents(Fraction(taux) / 100 * assiette, mode),
        taux_pct=taux,
        assiette=poste.assiette,
        assiette_centimes=assiette,
    )


def _cout_unitaire(poste: PosteConvenu, bilans: Sequence[Apports], mode: Arrondi) -> PosteCalcule:
    unites = sum(
        (u.retenues for b in bilans for u in b.unites if u.poste == poste.code), Decimal(0)
    )
    cout = poste.cout_unite_centimes or 0
    return PosteCalcule(
        code=poste.code,
        mode="cout_unitaire",
        retenu_centimes=round_cents(Fraction(unites) * cout, mode),
        unites=unites,
        cout_unite_centimes=cout,
    )


def _montant_forfaitaire(poste: PosteConvenu, bilans: Sequence[Apports]) -> PosteCalcule:
    """All or nothing; a deliverable counts once, as the last control saw it."""
    vus = {x.id: x for b in bilans for x in b.livrables if x.poste == poste.code}
    return PosteCalcule(
        code=poste.code,
        mode="montant_forfaitaire",
        retenu_centimes=sum(x.montant_centimes for x in vus.values() if x.atteint),
    )


def _ressources(
    conditions: Conditions, bilans: Sequence[Apports], cout_net: int
) -> tuple[tuple[str, int], ...]:
    """Return what other funders bring: what was retained, or a share of the plan before the end."""
    intermediaire = not any(b.final for b in bilans)
    if intermediaire and conditions.ressources_intermediaires == "prorata":
        return _prorata(conditions, cout_net)
    return tuple(r for b in bilans for r in b.ressources)


def _prorata(conditions: Conditions, cout_net: int) -> tuple[tuple[str, int], ...]:
    """Count the planned resources for the share of the plan that is executed, at most whole.

    Each is rounded on the running total, public money first, then the rest of what is external:
    rounded one by one, several would gain a cent for one cent of cost, and an écart raise what is
    due.
    """
    execution = Fraction(cout_net, conditions.cout_total_eligible_centimes or 1)
    parts = []
    cumul, deja = 0, 0
    for type_ressource, montant in sorted(conditions.ressources_prevues, key=_rang):
        cumul += montant
        jusque_la = round_cents(min(execution, Fraction(1)) * cumul, conditions.arrondi)
        parts.append((type_ressource, jusque_la - deja))
        deja = jusque_la
    return tuple(parts)


def _rang(ressource: tuple[str, int]) -> int:
    type_ressource, _ = ressource
    if type_ressource in RESSOURCES_PUBLIQUES:
        return 0
    return 1 if type_ressource in RESSOURCES_EXTERNES else 2


def _corrections_fse(
    bilans: Sequence[Apports], brut: int, mode: Arrondi
) -> tuple[CorrectionFse, ...]:
    """Correct the Fund's share: publicity, réfaction.

    Each is rounded on what the earlier ones left to correct of the whole, so that together they
    never pass the share itself and an écart more never raises what is due.
    Source: règlement (UE) 2021/1060, art. 50 §3; réfaction, clause of the convention.
    """
    corrections = []
    cumul, deja = Fraction(0), 0
    for nature, taux in _dernier(c for b in bilans for c in b.corrections_fse).items():
        cumul = min(Fraction(1), cumul + Fraction(taux) / 100)
        jusque_la = _retire(cumul, brut, mode)
        corrections.append(
            CorrectionFse(nature=nature, taux_pct=taux, correction_centimes=jusque_la - deja)
        )
        deja = jusque_la
    return tuple(corrections)
