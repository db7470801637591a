"""What the controller finds beyond the lines: resources, units, deliverables, revenue, markets."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import (
    Code,
    Commande,
    CommandeMotivee,
    MotifIneligibilite,
    Pourcentage,
    Quantite,
    Saisie,
    Texte,
    TypeRessource,
)
from aggregates.convention.events import (
    FseCorrige,
    GrilleRemplie,
    LivrableControle,
    MarcheCorrige,
    PointControle,
    RealisationsControlees,
    RecettesControlees,
    RessourceRetenue,
    RessourcesControlees,
    UnitesControlees,
)
from aggregates.convention.service_fait import csf_de
from aggregates.convention.state import Bilan, Convention
from aggregates.depense.state import Depense
from aggregates.operation.state import Operation
from oi_service.errors import RuleBroken
from oi_service.money import Montant
from rules.grille import POINTS
from rules.parametres import ParametreHorsVigueur, parametre
from rules.recettes import TraitementRecettes, traitement_des_recettes


class RessourceOubliee(RuleBroken):
    """La ressource « {financeur} » a déclaré {montant:euros} dans ce bilan : décidez de toutes les
    ressources déclarées, une ressource non retenue se retient pour 0,00 €.
    """


class RessourceNonAcquise(RuleBroken):
    """La ressource « {financeur} » est retenue pour {retenu:euros}, au-delà des {declare:euros}
    perçus : au bilan final, indiquez l’attestation du financeur ; avant, seul le perçu compte.
    """


class UnitesOubliees(RuleBroken):
    """Le bilan déclare des unités ou des livrables que le contrôle laisse sans décision :
    {manquants}.
    """


class UnitesSuperieures(RuleBroken):
    """{retenues} unités ne peuvent pas être retenues pour « {poste} », déclaré pour {declarees}."""


class MotifDesRealisations(RuleBroken):
    """« {quoi} » n’est pas retenu en entier : indiquez un motif de la liste."""


class MarcheInconnu(RuleBroken):
    """Aucune dépense du bilan ne porte le marché « {marche} »."""


class TauxHorsBareme(RuleBroken):
    """Une correction de marché est de {bareme} % : {taux} % n’est pas du barème."""

    article = "Lignes directrices C(2019) 3452, corrections financières des marchés publics"


class CorrectionHorsRegime(RuleBroken):
    """La correction pour défaut de publicité n’existe pas sous le règlement {reglement}."""

    article = "Règlement (UE) 2021/1060, art. 50 §3"


class CorrectionAuDelaDuTexte(RuleBroken):
    """La correction pour défaut de publicité est d’au plus {maximum} % du soutien : {taux} % le
    dépasse.
    """

    article = "Règlement (UE) 2021/1060, art. 50 §3"


class RefactionNonPrevue(RuleBroken):
    """La convention ne contient pas de clause de réfaction : les indicateurs non atteints ne
    réduisent pas le FSE.
    """


class RefactionSansSousRealisation(RuleBroken):
    """Aucun indicateur n’est sous {seuil} % de sa cible : la clause de réfaction ne s’applique
    pas.
    """


class PointInconnu(RuleBroken):
    """La grille de contrôle compte {nombre} points : le point n° {numero} n’existe pas, ou il est
    rempli deux fois.
    """


class RessourceControlee(Saisie):
    """What is kept of a resource."""

    type: TypeRessource
    financeur: Texte
    montant_declare: Montant
    montant_retenu: Montant
    attestation_ref: Texte | None = None
    motif: Texte | None = None


class ControlerRessources(Commande):
    """Decide on the resources of the bilan, all of them at once."""

    ressources: Annotated[tuple[RessourceControlee, ...], Field(max_length=100)]


def controler_ressources(
    convention: Convention, commande: ControlerRessources, csf_id: UUID, controleur: str
) -> list[RessourcesControlees]:
    """Keep what is definitively acquired and affected to the operation.

    A funder that pays more than planned counts in full. One that has not paid yet counts at the
    final bilan on its attestation, unless the grant counts payments only; never before.
    """
    bilan, _ = csf_de(convention, csf_id)
    decidees = Counter((r.type, r.financeur, r.montant_declare) for r in commande.ressources)
    for ressource in bilan.ressources:
        declaree = (ressource.type, ressource.financeur, ressource.montant_centimes)
        if decidees[declaree] == 0:
            raise RessourceOubliee(
                financeur=ressource.financeur, montant=ressource.montant_centimes
            )
        decidees[declaree] -= 1
    for controlee in commande.ressources:
        _exiger_acquise(convention, bilan, controlee)
    return [
        RessourcesControlees(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            ressources=tuple(
                RessourceRetenue(
                    type=r.type,
                    financeur=r.financeur,
                    montant_declare_centimes=r.montant_declare,
                    montant_retenu_centimes=r.montant_retenu,
                    attestation_ref=r.attestation_ref,
                    motif=r.motif,
                )
                for r in commande.ressources
            ),
        )
    ]


def _exiger_acquise(convention: Convention, bilan: Bilan, ressource: RessourceControlee) -> None:
    if ressource.montant_retenu <= ressource.montant_declare:
        return
    if (ressource.type, ressource.financeur) not in {
        (r.type, r.financeur) for r in bilan.ressources
    }:
        return  # Found by the control: received, and not declared.
    attestee = (
        bilan.type == "final"
        and ressource.attestation_ref is not None
        and convention.parametres.contreparties_non_percues == "attestation"
    )
    if not attestee:
        raise RessourceNonAcquise(
            financeur=ressource.financeur,
            retenu=ressource.montant_retenu,
            declare=ressource.montant_declare,
        )


class UnitesRetenues(Saisie):
    """Units proven."""

    poste: Code
    retenues: Quantite
    motif_code: MotifIneligibilite | None = None


class LivrableRetenu(Saisie):
    """A deliverable, reached or not."""

    id: Code
    atteint: Annotated[bool, Field(strict=True)]
    motif_code: MotifIneligibilite | None = None


class ControlerRealisations(Commande):
    """Decide on the units and deliverables of the bilan, all of them at once."""

    unites: Annotated[tuple[UnitesRetenues, ...], Field(max_length=50)] = ()
    livrables: Annotated[tuple[LivrableRetenu, ...], Field(max_length=100)] = ()


def controler_realisations(
    convention: Convention, commande: ControlerRealisations, csf_id: UUID, controleur: str
) -> list[RealisationsControlees]:
    """Keep the units that are proven, and the deliverables that are reached: all or nothing.

    Source: règlement (UE) n° 1303/2013, art. 67 §1 b) et c); règlement (UE) 2021/1060, art. 53 §1
    b) et c).
    """
    bilan, _ = csf_de(convention, csf_id)
    declarees = {u.poste: u.quantite for u in bilan.unites}
    _exiger_toutes([*declarees, *bilan.livrables], [u.poste for u in commande.unites], commande)
    for unites in commande.unites:
        if Decimal(unites.retenues) > declarees[unites.poste]:
            raise UnitesSuperieures(
                poste=unites.poste,
                retenues=unites.retenues,
                declarees=declarees[unites.poste],
            )
        if Decimal(unites.retenues) < declarees[unites.poste] and unites.motif_code is None:
            raise MotifDesRealisations(quoi=unites.poste)
    for livrable in commande.livrables:
        if not livrable.atteint and livrable.motif_code is None:
            raise MotifDesRealisations(quoi=livrable.id)
    prevus = {x.id: (p.code, x) for p in convention.plan.postes for x in p.livrables}
    return [
        RealisationsControlees(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            unites=tuple(
                UnitesControlees(
                    poste=u.poste,
                    declarees=declarees[u.poste],
                    retenues=Decimal(u.retenues),
                    motif_code=u.motif_code,
                )
                for u in commande.unites
            ),
            livrables=tuple(
                LivrableControle(
                    poste=prevus[x.id][0],
                    id=x.id,
                    montant_centimes=prevus[x.id][1].montant_centimes,
                    atteint=x.atteint,
                    motif_code=x.motif_code,
                )
                for x in commande.livrables
            ),
        )
    ]


def _exiger_toutes(
    declares: Sequence[str], unites: Sequence[str], commande: ControlerRealisations
) -> None:
    """Refuse when what is decided is not exactly what is declared, once each."""
    decides = Counter([*unites, *(x.id for x in commande.livrables)])
    if decides != Counter(declares):
        ecart = (Counter(declares) - decides) + (decides - Counter(declares))
        raise UnitesOubliees(manquants=", ".join(f"« {nom} »" for nom in sorted(ecart)))


class ControlerRecettes(Commande):
    """Decide on net revenue; without a ``traitement``, the one that the texts give."""

    montant_retenu: Montant
    traitement: TraitementRecettes | None = None


def controler_recettes(
    convention: Convention, commande: ControlerRecettes, csf_id: UUID, controleur: str
) -> list[RecettesControlees]:
    """Keep net revenue, and say what becomes of it."""
    bilan, _ = csf_de(convention, csf_id)
    des_textes, fondement = traitement_des_recettes(
        reglement=convention.cadre.reglement,
        cout_total_eligible=convention.cout_total_eligible,
        au_reel=any(p.mode == "reel" for p in convention.plan.postes),
        le=convention.signee_le,
    )
    traitement = commande.traitement or des_textes
    if traitement != des_textes:
        fondement = "Décision du contrôleur"
    return [
        RecettesControlees(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            declarees_centimes=bilan.recettes_nettes,
            retenues_centimes=commande.montant_retenu,
            traitement=traitement,
            fondement=fondement,
        )
    ]


class CorrigerMarche(CommandeMotivee):
    """Correct the whole expenditure of a public contract at a rate of the scale; 0 lifts it."""

    marche_ref: Texte
    taux_pct: Pourcentage


def corriger_marche(
    convention: Convention,
    commande: CorrigerMarche,
    csf_id: UUID,
    depenses: Sequence[Depense],
    controleur: str,
) -> list[MarcheCorrige]:
    """Correct a contract of the bilan.

    Source: lignes directrices C(2019) 3452, barème.
    """
    csf_de(convention, csf_id)
    if commande.marche_ref not in {d.detail.marche_ref for d in depenses}:
        raise MarcheInconnu(marche=commande.marche_ref)
    bareme = parametre(
        "correction_marche_bareme", le=commande.date_effet, reglement=convention.cadre.reglement
    ).bareme
    taux = Decimal(commande.taux_pct)
    if taux and Fraction(taux) / 100 not in bareme:
        dits = ", ".join(f"{rate * 100}" for rate in bareme)
        raise TauxHorsBareme(taux=taux, bareme=dits)
    return [
        MarcheCorrige(
            date_effet=commande.date_effet,
            controleur=controleur,
            motif=commande.motif,
            pieces=commande.jointes(),
            csf_id=csf_id,
            marche_ref=commande.marche_ref,
            taux_pct=taux,
        )
    ]


class CorrigerFse(CommandeMotivee):
    """Correct the Fund's share itself, after the ceilings. A rate of 0 lifts the correction."""

    nature: Literal["publicite", "refaction_indicateurs"]
    taux_pct: Pourcentage | None = None


def corriger_fse(
    convention: Convention,
    commande: CorrigerFse,
    csf_id: UUID,
    operation: Operation,
    controleur: str,
) -> list[FseCorrige]:
    """Correct for a lack of publicity, or by the clause of réfaction of the convention."""
    csf_de(convention, csf_id)
    if commande.nature == "publicite":
        taux = _taux_publicite(convention, commande)
    else:
        taux = _taux_refaction(convention, commande, operation)
    return [
        FseCorrige(
            date_effet=commande.date_effet,
            controleur=controleur,
            motif=commande.motif,
            pieces=commande.jointes(),
            csf_id=csf_id,
            nature=commande.nature,
            taux_pct=taux,
        )
    ]


def _taux_publicite(convention: Convention, commande: CorrigerFse) -> Decimal:
    reglement = convention.cadre.reglement
    try:
        maximum = parametre(
            "correction_publicite_taux_max", le=commande.date_effet, reglement=reglement
        ).pourcent
    except ParametreHorsVigueur:
        raise CorrectionHorsRegime(reglement=reglement) from None
    taux = maximum if commande.taux_pct is None else Decimal(commande.taux_pct)
    if taux > maximum:
        raise CorrectionAuDelaDuTexte(maximum=maximum, taux=taux)
    return taux


def _taux_refaction(convention: Convention, commande: CorrigerFse, operation: Operation) -> Decimal:
    clause = convention.parametres.refaction
    if clause is None:
        raise RefactionNonPrevue
    if commande.taux_pct is not None and Decimal(commande.taux_pct) == 0:
        return Decimal(0)
    seuil = Fraction(clause.seuil_pct) / 100
    sous_realise = any(
        operation.realise.get(rang, Decimal(0)) < seuil * Fraction(indicateur.cible)
        for rang, indicateur in enumerate(operation.indicateurs, start=1)
        if indicateur.comparateur != "<="
    )
    if not sous_realise:
        raise RefactionSansSousRealisation(seuil=clause.seuil_pct)
    return clause.taux_pct


class PointSaisi(Saisie):
    """An answer of the checklist."""

    numero: Annotated[int, Field(strict=True, ge=1, le=99)]
    reponse: Literal["conforme", "non_conforme", "sans_objet"]
    commentaire: Texte | None = None


class RemplirGrille(Commande):
    """Answer the checklist of the control; the last answers replace the former ones."""

    points: Annotated[tuple[PointSaisi, ...], Field(min_length=1, max_length=99)]


def remplir_grille(
    convention: Convention, commande: RemplirGrille, csf_id: UUID, controleur: str
) -> list[GrilleRemplie]:
    """Record the answers; which points exist is `rules.grille`."""
    csf_de(convention, csf_id)
    for numero, fois in Counter(p.numero for p in commande.points).items():
        if numero not in POINTS or fois > 1:
            raise PointInconnu(numero=numero, nombre=len(POINTS))
    return [
        GrilleRemplie(
            date_effet=commande.date_effet,
            controleur=controleur,
            pieces=commande.jointes(),
            csf_id=csf_id,
            points=tuple(
                PointControle(numero=p.numero, reponse=p.reponse, commentaire=p.commentaire)
                for p in commande.points
            ),
        )
    ]
