"""A control explained: the calculation line by line, each operand with the event that says it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.convention.events import (
    CsfValide,
    EntreesCalcul,
    FseCorrige,
    MarcheCorrige,
    RecettesControlees,
    RessourcesControlees,
)
from aggregates.convention.state import CONVENTION, Convention
from aggregates.depense.events import DepenseControlee
from aggregates.depense.state import DEPENSE
from oi_service.errors import french_euros
from oi_service.ids import convention_of
from projections.dossiers import exiger_operation
from projections.journal import EvenementLu, lire_flux
from projections.perimetre import Perimetre
from projections.recalcul import csf_valide, entrees_de
from rules.calcul import Apports, PosteCalcule, Resultat
from rules.eligibilite import MOTIFS
from rules.fse_du import taux_fse
from rules.nomenclature import POSTES, RESSOURCES, RESSOURCES_EXTERNES
from rules.paiement import Versements, a_regler, plafond_avant_solde
from rules.versions import calcul_de


@dataclass(frozen=True, slots=True)
class Operande:
    """A figure that a line reads; ``position``: the event that says it."""

    libelle: str
    valeur: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class LigneCalcul:
    """A line of the calculation, as a controller would write it; ``centimes``: what it comes to.

    ``retenue``: among ceilings, the one that decides.
    """

    code: str
    libelle: str
    calcul: str | None = None
    centimes: int | None = None
    valeur: str | None = None
    article: str | None = None
    operandes: tuple[Operande, ...] = ()
    retenue: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the calculation."""

    titre: str
    lignes: tuple[LigneCalcul, ...]


@dataclass(frozen=True, slots=True)
class Explication:
    """A control and its calculation, from the lines to what is to pay."""

    csf_id: UUID
    bilan_numero: int
    version: int
    version_regles: str
    valide_le: date
    position: int
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Ecart:
    """What a line of the bilan loses, and the event that says so."""

    position: int
    poste: str
    piece: str
    centimes: int
    motif: str
    commentaire: str | None


@dataclass(frozen=True, slots=True)
class _Lecture:
    """What the explanation reads: the fact, its inputs, its result, and the log around it."""

    fait: CsfValide
    position: int
    entrees: EntreesCalcul
    resultat: Resultat
    convention: Convention
    flux: Sequence[EvenementLu]
    ecarts: Sequence[_Ecart]

    def positions(self, *noms: str) -> list[int]:
        return [lu.position for lu in self.flux if lu.name in noms]

    @property
    def position_de_la_convention(self) -> int | None:
        """The version in force: the last avenant, else the convention itself."""
        noms = ("convention.signee.v1", "convention.avenant_signe.v1")
        return max(self.positions(*noms), default=None)


_MINIMUM = "Règle du minimum : plafond, taux, besoin de financement"
_CUMUL = "Montants cumulés depuis le début de l’opération"


def expliquer(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, csf_id: UUID
) -> Explication:
    """Explain a validated control from what its fact carries.

    Raises: OperationAbsente, CsfNonValideEncore.
    """
    exiger_operation(conn, perimetre, operation_id)
    lu, fait = csf_valide(conn, perimetre, operation_id, csf_id)
    lecture = _lire(conn, perimetre, operation_id, lu, fait)
    bilan = lecture.convention.bilans[fait.bilan_id]
    sections = (
        Section("Dépenses au coût réel", tuple(_reels(lecture))),
        Section("Coûts simplifiés", tuple(_simplifies(lecture))),
        Section("Coût total", tuple(_cout(lecture))),
        Section("Ressources des autres financeurs", tuple(_ressources(lecture))),
        Section("Plafonds du FSE", tuple(_plafonds(lecture))),
        Section("FSE dû", tuple(_du(lecture))),
        Section("Règlement", tuple(_reglement(lecture))),
    )
    return Explication(
        csf_id=csf_id,
        bilan_numero=bilan.numero,
        version=fait.version,
        version_regles=fait.version_regles,
        valide_le=fait.date_effet,
        position=lu.position,
        sections=tuple(s for s in sections if s.lignes),
    )


def _lire(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    lu: EvenementLu,
    fait: CsfValide,
) -> _Lecture:
    convention_id = convention_of(operation_id)
    flux = [
        e
        for e in lire_flux(conn, perimetre, [convention_id])[convention_id]
        if e.position <= lu.position
    ]
    convention = CONVENTION.replay(e.fait for e in flux)
    assert convention is not None
    entrees = entrees_de(fait)
    return _Lecture(
        fait=fait,
        position=lu.position,
        entrees=entrees,
        resultat=fait.resultat
        or calcul_de(fait.version_regles)(entrees.conditions, entrees.bilans),
        convention=convention,
        flux=flux,
        ecarts=_ecarts(conn, perimetre, convention.bilans[fait.bilan_id].depenses, lu.position),
    )


def _ecarts(
    conn: Connection[TupleRow], perimetre: Perimetre, depenses: Iterable[UUID], jusqu_a: int
) -> tuple[_Ecart, ...]:
    """Return what the lines of the bilan lose, by the last decision taken on each."""
    ecarts = []
    for lus in lire_flux(conn, perimetre, depenses).values():
        connus = [(lu.position, lu.fait) for lu in lus if lu.position <= jusqu_a]
        depense = DEPENSE.replay(fait for _, fait in connus)
        decisions = [(p, fait) for p, fait in connus if isinstance(fait, DepenseControlee)]
        if depense is None or not depense.ecarte or not decisions:
            continue
        position, decision = decisions[-1]
        ecarts.append(
            _Ecart(
                position=position,
                poste=depense.detail.poste,
                piece=depense.detail.piece_ref,
                centimes=depense.ecarte,
                motif=MOTIFS.get(decision.motif_code or "", ""),
                commentaire=decision.commentaire,
            )
        )
    return tuple(sorted(ecarts, key=lambda e: e.position))


def _pourcent(taux: Decimal) -> str:
    return f"{taux.normalize():f}".replace(".", ",") + "\u00a0%"


def _libelle(code: str) -> str:
    return POSTES.get(code, code)


def _bilans(lecture: _Lecture) -> list[tuple[int, Apports, int | None]]:
    """Return each bilan of the calculation with its number and the event that fixed it."""
    rangs = sorted(
        {
            fait.bilan_id: (lecture.convention.bilans[fait.bilan_id].numero, lu.position)
            for lu in lecture.flux
            if isinstance(fait := lu.fait, CsfValide)
        }.values()
    )
    if len(rangs) != len(lecture.entrees.bilans):  # a control under rules 2026.1 cumulates at once
        return [(0, apports, lecture.position) for apports in lecture.entrees.bilans]
    return [
        (numero, apports, position)
        for (numero, position), apports in zip(rangs, lecture.entrees.bilans, strict=True)
    ]


def _reels(lecture: _Lecture) -> Iterable[LigneCalcul]:
    for poste in lecture.resultat.postes:
        if poste.mode == "reel":
            yield LigneCalcul(
                code=f"reel.{poste.code}",
                libelle=_libelle(poste.code),
                calcul=_ecrire_reel(poste),
                centimes=poste.retenu_centimes,
                article=_FORMES["reel"],
                operandes=tuple(_operandes_du_poste(lecture, poste.code)),
            )
    for extrapolation in lecture.resultat.extrapolations:
        yield LigneCalcul(
            code=f"extrapolation.{extrapolation.poste}",
            libelle=f"dont extrapolation, {_libelle(extrapolation.poste)}",
            calcul=f"{extrapolation.taux} × {french_euros(extrapolation.base_centimes)} non tirés",
            centimes=-extrapolation.correction_centimes,
            article="Annexe « échantillonnage » de la convention type DGEFP",
            operandes=tuple(
                Operande("Tirage et décision", extrapolation.taux, position)
                for position in lecture.positions(
                    "convention.echantillon_tire.v1", "convention.extrapolation_decidee.v1"
                )
            ),
        )
    for marche in lecture.resultat.marches:
        yield LigneCalcul(
            code=f"marche.{marche.marche}",
            libelle=f"dont correction du marché {marche.marche}",
            calcul=f"{_pourcent(marche.taux_pct)} × {french_euros(marche.base_centimes)}",
            centimes=-marche.correction_centimes,
            article="Lignes directrices C(2019) 3452",
            operandes=tuple(
                Operande("Taux décidé", _pourcent(fait.taux_pct), lu.position)
                for lu in lecture.flux
                if isinstance(fait := lu.fait, MarcheCorrige) and fait.marche_ref == marche.marche
            ),
        )


def _ecrire_reel(poste: PosteCalcule) -> str:
    """Write what a real poste comes to: declared, less each reason that lowers it."""
    morceaux = [f"{french_euros(poste.declare_centimes)} déclarés"]
    for montant, raison in (
        (poste.ecarte_centimes, "écartés"),
        (poste.extrapole_centimes, "extrapolés"),
        (poste.corrige_marche_centimes, "de correction de marché"),
        (poste.ecrete_centimes, "au-delà du plafond du poste"),
    ):
        if montant:
            morceaux.append(f"− {french_euros(montant)} {raison}")
    return " ".join(morceaux)


def _operandes_du_poste(lecture: _Lecture, code: str) -> Iterable[Operande]:
    for numero, apports, position in _bilans(lecture):
        for lignes in apports.lignes:
            if lignes.code == code:
                quoi = f"Bilan n° {numero}" if numero else _CUMUL
                yield Operande(
                    f"{quoi} : déclaré, moins écarté",
                    f"{french_euros(lignes.declare_centimes)} − "
                    f"{french_euros(lignes.ecarte_centimes)}",
                    position,
                )
    for ecart in lecture.ecarts:
        if ecart.poste == code:
            dit = f" ({ecart.commentaire})" if ecart.commentaire else ""
            yield Operande(
                f"{ecart.piece} : {ecart.motif}{dit}",
                f"− {french_euros(ecart.centimes)}",
                ecart.position,
            )


#: How each form of cost is founded.
_FORMES = {
    "reel": "Règlement (UE) n° 1303/2013, art. 67 §1 a) ; (UE) 2021/1060, art. 53 §1 a)",
    "forfait": "Règlement (UE) n° 1303/2013, art. 68 à 68 ter ; (UE) 2021/1060, art. 54 à 56",
    "cout_unitaire": "Règlement (UE) n° 1303/2013, art. 67 §1 b) ; (UE) 2021/1060, art. 53 §1 b)",
    "montant_forfaitaire": (
        "Règlement (UE) n° 1303/2013, art. 67 §1 c) ; (UE) 2021/1060, art. 53 §1 c)"
    ),
}


def _simplifies(lecture: _Lecture) -> Iterable[LigneCalcul]:
    convention = lecture.position_de_la_convention
    realisations = lecture.positions("convention.realisations_controlees.v1")
    for poste in lecture.resultat.postes:
        if poste.mode == "reel":
            continue
        calcul, operandes = _ecrire_simplifie(lecture, poste, convention, realisations)
        yield LigneCalcul(
            code=f"{poste.mode}.{poste.code}",
            libelle=_libelle(poste.code),
            calcul=calcul,
            centimes=poste.retenu_centimes,
            article=_FORMES[poste.mode],
            operandes=operandes,
        )


def _ecrire_simplifie(
    lecture: _Lecture, poste: PosteCalcule, convention: int | None, realisations: list[int]
) -> tuple[str, tuple[Operande, ...]]:
    if poste.mode == "forfait":
        taux = _pourcent(poste.taux_pct or Decimal(0))
        assiette = french_euros(poste.assiette_centimes or 0)
        noms = " + ".join(_libelle(code) for code in poste.assiette)
        return f"{taux} × ({noms}) = {taux} × {assiette}", (
            Operande("Taux et assiette figés par la convention", taux, convention),
        )
    if poste.mode == "cout_unitaire":
        unites = f"{(poste.unites or Decimal(0)).normalize():f}".replace(".", ",")
        cout = french_euros(poste.cout_unite_centimes or 0)
        return f"{unites} unités justifiées × {cout}", (
            Operande("Coût d’une unité, dans la convention", cout, convention),
            *(Operande("Unités contrôlées", unites, position) for position in realisations),
        )
    vus = {x.id: x for b in lecture.entrees.bilans for x in b.livrables if x.poste == poste.code}
    dits = [
        f"{x.id} {'atteint' if x.atteint else 'non atteint'} : "
        f"{french_euros(x.montant_centimes if x.atteint else 0)}"
        for x in vus.values()
    ]
    return " ; ".join(dits) or "aucun livrable déclaré", tuple(
        Operande("Livrables contrôlés", str(len(vus)), position) for position in realisations
    )


def _cout(lecture: _Lecture) -> Iterable[LigneCalcul]:
    du = lecture.resultat
    retenus = " + ".join(french_euros(p.retenu_centimes) for p in du.postes)
    yield LigneCalcul(
        code="cout_brut",
        libelle="Coût total retenu, brut",
        calcul=retenus or "aucune dépense retenue",
        centimes=du.cout_brut_centimes,
        article=_CUMUL,
    )
    for lu in lecture.flux:
        fait = lu.fait
        if isinstance(fait, RecettesControlees):
            yield LigneCalcul(
                code="recettes",
                libelle=f"Recettes nettes, {_TRAITEMENTS[fait.traitement]}",
                centimes=-fait.retenues_centimes if fait.traitement == "deduites" else 0,
                article=fait.fondement,
                operandes=(
                    Operande(
                        "Recettes retenues", french_euros(fait.retenues_centimes), lu.position
                    ),
                ),
            )
    yield LigneCalcul(
        code="cout_net",
        libelle="Coût total retenu",
        calcul=f"{french_euros(du.cout_brut_centimes)} − "
        f"{french_euros(du.recettes_nettes_centimes)}",
        centimes=du.cout_net_centimes,
    )


_TRAITEMENTS = {
    "deduites": "déduites du coût",
    "ressource": "comptées parmi les ressources",
    "exemptees": "exemptées",
}


def _ressources(lecture: _Lecture) -> Iterable[LigneCalcul]:
    vues = [
        (lu.position, r)
        for lu in lecture.flux
        if isinstance(fait := lu.fait, RessourcesControlees)
        for r in fait.ressources
    ]
    montants = [
        m for b in lecture.entrees.bilans for t, m in b.ressources if t in RESSOURCES_EXTERNES
    ]
    yield LigneCalcul(
        code="Q",
        libelle="Ressources externes retenues (Q)",
        calcul=" + ".join(french_euros(m) for m in montants) or "aucune",
        centimes=lecture.resultat.ressources_externes_centimes,
        article="Hors FSE et hors autofinancement, qui est le solde du plan",
        operandes=tuple(
            Operande(
                f"{r.financeur} ({RESSOURCES.get(r.type, r.type)})",
                f"{french_euros(r.montant_retenu_centimes)} retenus sur "
                f"{french_euros(r.montant_declare_centimes)}",
                position,
            )
            for position, r in vues
        ),
    )


def _plafonds(lecture: _Lecture) -> Iterable[LigneCalcul]:
    du, conditions = lecture.resultat, lecture.entrees.conditions
    taux = taux_fse(
        conditions.fse_max_centimes, conditions.cout_total_eligible_centimes, conditions.taux_mode
    )
    net = french_euros(du.cout_net_centimes)
    maximum = french_euros(conditions.fse_max_centimes)
    cout = french_euros(conditions.cout_total_eligible_centimes)
    convention = (
        Operande(
            "FSE maximal et coût total conventionnés",
            f"{maximum} / {cout}",
            lecture.position_de_la_convention,
        ),
    )
    fraction = (
        f"{maximum} / {cout}"
        if conditions.taux_mode == "exact"
        else _pourcent(Decimal(taux.numerator * 100) / taux.denominator)
    )
    for code, contrainte, libelle, calcul, centimes in (
        ("c1", "plafond", "c1. Maximum de la convention", None, du.c1_centimes),
        ("c2", "taux", "c2. Taux de la convention", f"{fraction} × {net}", du.c2_centimes),
        (
            "c3",
            "besoin",
            "c3. Besoin de financement",
            f"{net} − {french_euros(du.ressources_externes_centimes)}",
            du.c3_centimes,
        ),
        (
            "c4",
            "hors_nature",
            "c4. Coût hors contributions en nature, moins le public en numéraire",
            None,
            du.c4_centimes,
        ),
    ):
        if centimes is None:
            continue
        yield LigneCalcul(
            code=code,
            libelle=libelle,
            calcul=calcul,
            centimes=centimes,
            article="Règlement (UE) n° 1303/2013, art. 69 §1 a)" if code == "c4" else _MINIMUM,
            operandes=convention if code in {"c1", "c2"} else (),
            retenue=contrainte == du.contrainte_active,
        )


_NATURES = {
    "publicite": ("Défaut de publicité", "Règlement (UE) 2021/1060, art. 50 §3"),
    "refaction_indicateurs": ("Réfaction, indicateurs non atteints", "Clause de la convention"),
}


def _du(lecture: _Lecture) -> Iterable[LigneCalcul]:
    du, fait = lecture.resultat, lecture.fait
    yield LigneCalcul(
        code="fse_brut",
        libelle="FSE avant corrections : le plus petit plafond",
        centimes=du.fse_brut_centimes,
        article=_MINIMUM,
    )
    for correction in du.corrections_fse:
        libelle, article = _NATURES.get(correction.nature, (correction.nature, _MINIMUM))
        yield LigneCalcul(
            code=f"correction.{correction.nature}",
            libelle=libelle,
            calcul=f"{_pourcent(correction.taux_pct)} × {french_euros(du.fse_brut_centimes)}",
            centimes=-correction.correction_centimes,
            article=article,
            operandes=tuple(
                Operande("Taux décidé", _pourcent(decide.taux_pct), lu.position)
                for lu in lecture.flux
                if isinstance(decide := lu.fait, FseCorrige) and decide.nature == correction.nature
            ),
        )
    avant = fait.fse_du_cumule_centimes - fait.fse_du_periode_centimes
    yield LigneCalcul(
        code="fse_du_cumule",
        libelle="FSE dû depuis le début de l’opération",
        centimes=fait.fse_du_cumule_centimes,
        operandes=(Operande("Validation du contrôle", fait.valideur, lecture.position),),
    )
    yield LigneCalcul(
        code="fse_du_periode",
        libelle="FSE dû au titre de ce contrôle",
        calcul=f"{french_euros(fait.fse_du_cumule_centimes)} − {french_euros(avant)}",
        centimes=fait.fse_du_periode_centimes,
        article=_CUMUL,
    )
    yield LigneCalcul(
        code="autofinancement",
        libelle="Autofinancement constaté",
        calcul=f"{french_euros(du.cout_net_centimes)} − "
        f"{french_euros(du.ressources_externes_centimes)} − {french_euros(du.fse_du_centimes)}",
        centimes=du.autofinancement_constate_centimes,
    )
    if du.surfinancement_ecarte_centimes:
        yield LigneCalcul(
            code="surfinancement",
            libelle="Surfinancement écarté",
            calcul=f"{french_euros(du.ressources_externes_centimes)} + "
            f"{french_euros(du.fse_brut_centimes)} − {french_euros(du.cout_net_centimes)}",
            centimes=du.surfinancement_ecarte_centimes,
        )


def _reglement(lecture: _Lecture) -> Iterable[LigneCalcul]:
    """Settle as the control was validated: what came later is in the payments of the dossier."""
    convention = lecture.convention
    parametres = convention.parametres
    versements = Versements(net_centimes=convention.paye, avances_centimes=convention.avances)
    final = lecture.fait.type == "final"
    regle = a_regler(
        lecture.fait.fse_du_cumule_centimes,
        versements,
        final=final,
        plafond_avant_solde=plafond_avant_solde(
            convention.fse_max, parametres.plafond_avant_solde_pct, convention.arrondi
        ),
        imputation=parametres.imputation_avance,
    )
    yield LigneCalcul(
        code="paye_avant",
        libelle="Déjà versé, net des reversements",
        centimes=convention.paye,
        operandes=tuple(
            Operande("Versement ou retour", lu.phrase, lu.position)
            for lu in lecture.flux
            if lu.name in _VERSEMENTS
        ),
    )
    for code, libelle, centimes in (
        ("avance_non_couverte", "Avance pas encore couverte", regle.avance_non_couverte_centimes),
        ("retenu", "Retenu jusqu’au solde", regle.retenu_jusqu_au_solde_centimes),
    ):
        if centimes:
            yield LigneCalcul(code=code, libelle=libelle, centimes=centimes)
    yield LigneCalcul(
        code="a_payer",
        libelle="À payer",
        centimes=regle.a_payer_centimes,
        article="Règlement (UE) n° 1303/2013, art. 132 §1 ; (UE) 2021/1060, art. 74 §1 b)",
    )
    yield LigneCalcul(code="a_reverser", libelle="À reverser", centimes=regle.a_reverser_centimes)


_VERSEMENTS = frozenset(
    (
        "convention.paiement_effectue.v1",
        "convention.paiement_rejete.v1",
        "convention.reversement_encaisse.v1",
        "convention.compensation_operee.v1",
        "convention.compensation_imputee.v1",
    )
)
