"""Lines of the costs: real postes, simplified costs, what they come to."""

from collections.abc import Iterable
from decimal import Decimal

from aggregates.convention.events import MarcheCorrige, RealisationsControlees, RecettesControlees
from oi_service.errors import french_euros
from projections.explication.lecture import Lecture, bilans
from projections.explication.mots import (
    CUMUL,
    article,
    article_du_taux,
    nombre,
    pourcent,
)
from projections.explication.valeurs import LigneCalcul, Operande
from rules.calcul import PosteCalcule
from rules.eligibilite import MOTIFS


def reels(lecture: Lecture) -> Iterable[LigneCalcul]:
    """Postes at real cost, then what a sample and a contract took from them."""
    for poste in lecture.resultat.postes:
        if poste.mode == "reel":
            yield LigneCalcul(
                code=f"reel.{poste.code}",
                libelle=lecture.libelle(poste.code),
                calcul=_ecrire_reel(poste),
                centimes=poste.retenu_centimes,
                article=_article(lecture, poste),
                operandes=tuple(_operandes_du_poste(lecture, poste.code)),
            )
            yield from _extrapolations(lecture, poste.code)
    for marche in lecture.resultat.marches:
        yield LigneCalcul(
            code=f"marche.{marche.marche}",
            libelle=f"dont correction du marché {marche.marche}",
            calcul=f"{pourcent(marche.taux_pct)} × {french_euros(marche.base_centimes)}",
            centimes=-marche.correction_centimes,
            article="Lignes directrices C(2019) 3452",
            operandes=tuple(
                Operande("Taux décidé", pourcent(fait.taux_pct), lu.position)
                for lu in lecture.flux
                if isinstance(fait := lu.fait, MarcheCorrige) and fait.marche_ref == marche.marche
            ),
        )


def _extrapolations(lecture: Lecture, code: str) -> Iterable[LigneCalcul]:
    """What samples of a poste take from it, bilan after bilan."""
    for extrapolation in lecture.resultat.extrapolations:
        if extrapolation.poste != code:
            continue
        yield LigneCalcul(
            code=f"extrapolation.{extrapolation.poste}",
            libelle=f"dont extrapolation, {lecture.libelle(extrapolation.poste)}",
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


def _operandes_du_poste(lecture: Lecture, code: str) -> Iterable[Operande]:
    for numero, apports, position in bilans(lecture):
        for lignes in apports.lignes:
            if lignes.code == code:
                quoi = f"Bilan n° {numero}" if numero else CUMUL
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


def simplifies(lecture: Lecture) -> Iterable[LigneCalcul]:
    """Flat rates, unit costs, lump sums."""
    for poste in lecture.resultat.postes:
        if poste.mode == "reel":
            continue
        calcul, operandes = _ecrire_simplifie(lecture, poste)
        yield LigneCalcul(
            code=f"{poste.mode}.{poste.code}",
            libelle=lecture.libelle(poste.code),
            calcul=calcul,
            centimes=poste.retenu_centimes,
            article=_article(lecture, poste),
            operandes=operandes,
        )


def _article(lecture: Lecture, poste: PosteCalcule) -> str:
    """Return the article of a form of cost; a flat rate has that of its option."""
    convention = lecture.convention
    reglement = convention.cadre.reglement
    option = next((p.option for p in convention.plan.postes if p.code == poste.code), None)
    if option is not None:
        return article_du_taux(option, reglement, convention.signee_le)
    return article(poste.mode, reglement)


def _ecrire_simplifie(lecture: Lecture, poste: PosteCalcule) -> tuple[str, tuple[Operande, ...]]:
    if poste.mode == "forfait":
        return _ecrire_forfait(lecture, poste)
    if poste.mode == "cout_unitaire":
        return _ecrire_unites(lecture, poste)
    return _ecrire_livrables(lecture, poste)


def _ecrire_forfait(lecture: Lecture, poste: PosteCalcule) -> tuple[str, tuple[Operande, ...]]:
    taux = pourcent(poste.taux_pct or Decimal(0))
    noms = " + ".join(lecture.libelle(code) for code in poste.assiette)
    calcul = f"{taux} × ({noms}) = {taux} × {french_euros(poste.assiette_centimes or 0)}"
    convention = lecture.position_de_la_convention
    return calcul, (Operande("Taux et assiette figés par la convention", taux, convention),)


def _ecrire_unites(lecture: Lecture, poste: PosteCalcule) -> tuple[str, tuple[Operande, ...]]:
    cout = french_euros(poste.cout_unite_centimes or 0)
    operandes = [
        Operande("Coût d’une unité, dans la convention", cout, lecture.position_de_la_convention)
    ]
    for numero, position, fait in lecture.decisions(RealisationsControlees):
        operandes.extend(
            Operande(
                f"Bilan n° {numero}, unités justifiées sur {nombre(u.declarees)} déclarées",
                nombre(u.retenues),
                position,
            )
            for u in fait.unites
            if u.poste == poste.code
        )
    return f"{nombre(poste.unites or Decimal(0))} unités justifiées × {cout}", tuple(operandes)


def _ecrire_livrables(lecture: Lecture, poste: PosteCalcule) -> tuple[str, tuple[Operande, ...]]:
    vus = [
        (numero, position, x)
        for numero, position, fait in lecture.decisions(RealisationsControlees)
        for x in fait.livrables
        if x.poste == poste.code
    ]
    calcul = " + ".join(french_euros(x.montant_centimes if x.atteint else 0) for _, _, x in vus)
    return calcul or "aucun livrable déclaré", tuple(
        Operande(
            f"Bilan n° {numero}, livrable {x.id}",
            "atteint" if x.atteint else f"non atteint : {MOTIFS.get(x.motif_code or '', '')}",
            position,
        )
        for numero, position, x in vus
    )


def cout(lecture: Lecture) -> Iterable[LigneCalcul]:
    """Total cost, before and after net revenue."""
    du = lecture.resultat
    retenus = " + ".join(french_euros(p.retenu_centimes) for p in du.postes)
    yield LigneCalcul(
        code="cout_brut",
        libelle="Coût total retenu, brut",
        calcul=retenus or "aucune dépense retenue",
        centimes=du.cout_brut_centimes,
        article=CUMUL,
    )
    for numero, position, fait in lecture.decisions(RecettesControlees):
        yield LigneCalcul(
            code=f"recettes.{numero}",
            libelle=f"Recettes nettes du bilan n° {numero}, {_TRAITEMENTS[fait.traitement]}",
            centimes=-fait.retenues_centimes if fait.traitement == "deduites" else 0,
            article=fait.fondement,
            operandes=(
                Operande("Recettes retenues", french_euros(fait.retenues_centimes), position),
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
