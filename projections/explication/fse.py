"""Lines of the Fund's share: other funders, ceilings, corrections, what is to settle."""

from collections.abc import Iterable
from decimal import Decimal

from aggregates.convention.events import FseCorrige, RessourcesControlees
from oi_service.errors import french_euros
from projections.explication.lecture import Lecture
from projections.explication.mots import CUMUL, MINIMUM, article, pourcent
from projections.explication.valeurs import LigneCalcul, Operande
from rules.fse_du import taux_fse
from rules.nomenclature import RESSOURCES, RESSOURCES_EXTERNES
from rules.paiement import Versements, a_regler, plafond_avant_solde


def ressources(lecture: Lecture) -> Iterable[LigneCalcul]:
    """What other funders bring."""
    vues = [
        (numero, position, r)
        for numero, position, fait in lecture.decisions(RessourcesControlees)
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
                f"Bilan n° {numero}, {r.financeur} ({RESSOURCES.get(r.type, r.type)})",
                f"{french_euros(r.montant_retenu_centimes)} retenus sur "
                f"{french_euros(r.montant_declare_centimes)}",
                position,
            )
            for numero, position, r in vues
        ),
    )


def plafonds(lecture: Lecture) -> Iterable[LigneCalcul]:
    """Ceilings, and which one decides."""
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
        else pourcent(Decimal(taux.numerator * 100) / taux.denominator)
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
            article="Règlement (UE) n° 1303/2013, art. 69 §1 a)" if code == "c4" else MINIMUM,
            operandes=convention if code in {"c1", "c2"} else (),
            retenue=contrainte == du.contrainte_active,
        )


_NATURES = {
    "publicite": ("Défaut de publicité", "Règlement (UE) 2021/1060, art. 50 §3"),
    "refaction_indicateurs": ("Réfaction, indicateurs non atteints", "Clause de la convention"),
}


def du(lecture: Lecture) -> Iterable[LigneCalcul]:
    """What the Fund owes: corrected, since the start, for this control."""
    resultat, fait = lecture.resultat, lecture.fait
    yield LigneCalcul(
        code="fse_brut",
        libelle="FSE avant corrections : le plus petit plafond",
        centimes=resultat.fse_brut_centimes,
        article=MINIMUM,
    )
    for correction in resultat.corrections_fse:
        libelle, texte = _NATURES.get(correction.nature, (correction.nature, MINIMUM))
        yield LigneCalcul(
            code=f"correction.{correction.nature}",
            libelle=libelle,
            calcul=f"{pourcent(correction.taux_pct)} × {french_euros(resultat.fse_brut_centimes)}",
            centimes=-correction.correction_centimes,
            article=texte,
            operandes=tuple(
                Operande("Taux décidé", pourcent(decide.taux_pct), lu.position)
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
        article=CUMUL,
    )
    yield LigneCalcul(
        code="autofinancement",
        libelle="Autofinancement constaté",
        calcul=" − ".join(
            french_euros(m)
            for m in (
                resultat.cout_net_centimes,
                resultat.ressources_externes_centimes,
                resultat.fse_du_centimes,
            )
        ),
        centimes=resultat.autofinancement_constate_centimes,
    )
    if resultat.surfinancement_ecarte_centimes:
        yield LigneCalcul(
            code="surfinancement",
            libelle="Surfinancement écarté",
            calcul=f"{french_euros(resultat.ressources_externes_centimes)} + "
            f"{french_euros(resultat.fse_brut_centimes)} − "
            f"{french_euros(resultat.cout_net_centimes)}",
            centimes=resultat.surfinancement_ecarte_centimes,
        )


def reglement(lecture: Lecture) -> Iterable[LigneCalcul]:
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
        article=article("paiement", convention.cadre.reglement),
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
