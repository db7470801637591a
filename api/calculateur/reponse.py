"""What the Fund owes in a case: computed with what the CSF of a dossier computes with."""

from collections import Counter
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from api.calculateur.cas import (
    BilanDuCas,
    Cas,
    CasCouverture,
    CasMutualise,
    ConventionDuCas,
    Demande,
    PlanACouvrir,
    PosteDuCas,
    TousLesCas,
    tous,
)
from oi_service.money import MontantSigne, percent, round_cents
from rules.calcul import (
    Apports,
    Conditions,
    Echantillon,
    LignesMarche,
    LignesPoste,
    LivrableVu,
    PosteConvenu,
    Resultat,
    TauxDecide,
    Unites,
    service_fait,
)
from rules.fse_du import Contrainte, Entrees, calculer, taux_fse
from rules.mutualisation import besoin, couverture, repartir
from rules.paiement import Reglement, Versements, a_regler, plafond_avant_solde


class _Sortie(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ForfaitCalcule(_Sortie):
    """Un taux forfaitaire et ce sur quoi il porte."""

    assiette: MontantSigne
    montant: MontantSigne


class ExtrapolationDuBilan(_Sortie):
    """Ce que l’échantillon du bilan fait écarter au-delà de lui."""

    taux_irregularite: str = Field(examples=["3/148"])
    base_non_tiree: MontantSigne
    correction_extrapolee: MontantSigne


class CorrectionDeMarche(_Sortie):
    """La correction forfaitaire d’un marché, sur tout ce qui en est retenu."""

    marche: str
    base: MontantSigne
    correction: MontantSigne


class CsfCalcule(_Sortie):
    """Le FSE dû après un bilan. Les champs facultatifs sont absents quand ils n’ont pas d’objet."""

    numero: int
    type: Literal["intermediaire", "final"]
    montant_declare_periode: MontantSigne
    montant_ecarte_periode: MontantSigne
    postes_retenus_cumules: dict[str, MontantSigne]
    forfaits: dict[str, ForfaitCalcule]
    cout_total_retenu_brut: MontantSigne
    recettes_nettes_deduites: MontantSigne
    cout_total_retenu: MontantSigne
    ressources_externes_retenues: MontantSigne
    c1_plafond_conventionne: MontantSigne
    c2_taux: MontantSigne
    c3_besoin_de_financement: MontantSigne
    c4_hors_nature: MontantSigne | None = Field(
        default=None, description="Seulement avec des contributions en nature."
    )
    contrainte_active: Literal[
        "plafond_conventionne", "taux", "besoin_de_financement", "hors_nature"
    ]
    fse_du_avant_corrections: MontantSigne
    corrections_sur_fse: MontantSigne
    fse_du_cumule: MontantSigne
    fse_du_periode: MontantSigne
    fse_paye_avant: MontantSigne
    a_payer: MontantSigne
    a_reverser: MontantSigne
    autofinancement_constate: MontantSigne
    surfinancement_ecarte: MontantSigne
    variante_c2_round_down: MontantSigne = Field(
        description="Ce que c2 serait avec la troncature, sur le même coût."
    )
    avance_non_couverte: MontantSigne | None = Field(
        default=None, description="Seulement avant le bilan final."
    )
    retenu_jusqu_au_solde: MontantSigne | None = Field(
        default=None, description="Seulement quand le plafond avant solde retient quelque chose."
    )
    ecretement_postes: dict[str, MontantSigne] | None = Field(
        default=None, description="Seulement quand un poste passe son plafond."
    )
    extrapolation: ExtrapolationDuBilan | None = None
    corrections_marche: list[CorrectionDeMarche] | None = None


class PartDuneOperation(_Sortie):
    """Ce que le financement commun apporte à une opération."""

    operation: str
    besoin_contrepartie: MontantSigne
    contrepartie_mutualisee_affectee: MontantSigne
    fse_du: MontantSigne
    autofinancement_constate: MontantSigne


class RepartitionCalculee(_Sortie):
    """Un financement réparti au prorata des besoins."""

    operations: list[PartDuneOperation]
    pool_affecte: MontantSigne
    pool_restant: MontantSigne


class CouvertureCalculee(_Sortie):
    """Ce que les contreparties couvrent d’une opération ; sans besoin, aucun taux."""

    besoin_contrepartie: MontantSigne
    couverture_attestee_pct: str | None = Field(default=None, description="Absent sans besoin.")
    couverture_previsionnelle_pct: str | None = Field(
        default=None, description="Absent sans besoin."
    )
    autofinancement_previsionnel: MontantSigne


#: One answer a bilan for a case, one for a pool or a coverage; a list for a list of cases.
UneReponse: TypeAlias = list[CsfCalcule] | RepartitionCalculee | CouvertureCalculee
Reponse: TypeAlias = UneReponse | list[UneReponse]
_REPONSE: TypeAdapter[Any] = TypeAdapter(Reponse)


def en_json(reponse: Reponse) -> Any:
    """Return an answer as it is written: amounts are strings, what has no object is absent."""
    return _REPONSE.dump_python(reponse, mode="json", exclude_none=True)


# --- The calculation -----------------------------------------------------------------------------


def repondre(demande: Demande) -> Reponse:
    """Compute what was read: a list for a list or a file, one answer for one case."""
    if isinstance(demande, Cas | CasMutualise | CasCouverture):
        return un_cas(demande)
    return [un_cas(cas) for cas in tous(demande)]


def un_cas(cas: TousLesCas) -> UneReponse:
    """Compute one case."""
    if isinstance(cas, CasMutualise):
        return _mutualiser(cas)
    return _couvrir(cas.entree) if isinstance(cas, CasCouverture) else _bilans(cas)


def _bilans(cas: Cas) -> list[CsfCalcule]:
    """Compute each bilan on everything since the start, then settle it before the next."""
    conditions = _conditions(cas)
    parametres = cas.parametres
    net = sum(-p.montant if p.type == "reversement" else p.montant for p in cas.paiements_avant)
    avances = sum(p.montant for p in cas.paiements_avant if p.type == "avance")
    pct = parametres.plafond_avant_solde_pct or cas.convention.plafond_avant_solde_pct
    plafond = plafond_avant_solde(
        cas.convention.fse_max, None if pct is None else Decimal(pct), parametres.arrondi
    )
    vus: list[Apports] = []
    rendus: list[CsfCalcule] = []
    precedent: Resultat | None = None
    for bilan in cas.bilans:
        vus.append(_apports(bilan, cas.convention))
        resultat = service_fait(conditions, vus)
        regle = a_regler(
            resultat.fse_du_centimes,
            Versements(net_centimes=net, avances_centimes=avances),
            final=bilan.type == "final",
            plafond_avant_solde=plafond,
            imputation=parametres.imputation_avance,
        )
        tronque = round_cents(
            taux_fse(
                conditions.fse_max_centimes,
                conditions.cout_total_eligible_centimes,
                conditions.taux_mode,
            )
            * resultat.cout_net_centimes,
            "troncature",
        )
        rendus.append(_rendu(bilan, resultat, precedent, regle, net, tronque))
        net += regle.a_payer_centimes - regle.a_reverser_centimes
        precedent = resultat
    return rendus


def _conditions(cas: Cas) -> Conditions:
    convention, parametres = cas.convention, cas.parametres
    return Conditions(
        fse_max_centimes=convention.fse_max,
        cout_total_eligible_centimes=convention.cout_total_eligible,
        postes=tuple(_convenu(p, cas) for p in convention.postes),
        arrondi=parametres.arrondi,
        taux_mode=parametres.taux_mode,
        ressources_intermediaires=parametres.ressources_intermediaires,
        ressources_prevues=tuple((r.type, r.montant) for r in convention.ressources_prevues),
    )


def _convenu(poste: PosteDuCas, cas: Cas) -> PosteConvenu:
    """Return how a poste counts; the cap of the poste comes before the rule of the grant."""
    plafond, tolerance = None, Decimal(0)
    propre = cas.convention.plafonds_poste.get(poste.code)
    if propre is not None:
        plafond, tolerance = propre.montant, Decimal(propre.tolerance_pct)
    elif poste.mode == "reel" and cas.parametres.fongibilite != "libre":
        plafond = poste.montant_conventionne
        if cas.parametres.fongibilite == "tolerance":
            tolerance = Decimal(cas.parametres.tolerance_poste_pct)
    return PosteConvenu(
        code=poste.code,
        mode=poste.mode,
        taux_pct=None if poste.taux_pct is None else Decimal(poste.taux_pct),
        assiette=poste.assiette,
        cout_unite_centimes=poste.cout_unite,
        plafond_centimes=plafond,
        tolerance_pct=tolerance,
    )


def _apports(bilan: BilanDuCas, convention: ConventionDuCas) -> Apports:
    declares: Counter[str] = Counter()
    ecartes: Counter[str] = Counter()
    marches: Counter[tuple[str, str]] = Counter()
    for depense in bilan.depenses:
        declares[depense.poste] += depense.montant_declare
        ecartes[depense.poste] += depense.montant_ecarte
        if depense.marche is not None:
            retenu = depense.montant_declare - depense.montant_ecarte
            marches[depense.marche, depense.poste] += retenu
    lots = [p.code for p in convention.postes if p.mode == "montant_forfaitaire"]
    return Apports(
        final=bilan.type == "final",
        lignes=tuple(
            LignesPoste(code=code, declare_centimes=declare, ecarte_centimes=ecartes[code])
            for code, declare in declares.items()
        ),
        echantillons=_echantillons(bilan),
        marches=tuple(
            LignesMarche(marche=marche, poste=poste, retenu_centimes=retenu)
            for (marche, poste), retenu in marches.items()
        ),
        corrections_marche=tuple(
            TauxDecide(objet=c.marche, taux_pct=Decimal(c.taux_pct))
            for c in bilan.corrections_marche
        ),
        unites=tuple(
            Unites(
                poste=u.poste,
                declarees=Decimal(u.unites_declarees),
                retenues=Decimal(u.unites_retenues),
            )
            for u in bilan.unites
        ),
        livrables=tuple(
            LivrableVu(
                poste=x.poste or lots[0], id=x.id, montant_centimes=x.montant, atteint=x.atteint
            )
            for x in bilan.livrables
        ),
        recettes_nettes_centimes=bilan.recettes_nettes,
        ressources=tuple((r.type, r.montant_retenu) for r in bilan.ressources),
        corrections_fse=tuple(
            TauxDecide(objet=c.nature, taux_pct=Decimal(c.taux_pct)) for c in bilan.corrections_fse
        ),
    )


def _echantillons(bilan: BilanDuCas) -> tuple[Echantillon, ...]:
    choisi = bilan.extrapolation
    if choisi is None:
        return ()
    tirage = set(choisi.tirage)
    du_poste = [d for d in bilan.depenses if d.poste == choisi.poste]
    tirees = [d for d in du_poste if d.id in tirage]
    return (
        Echantillon(
            poste=choisi.poste,
            tirage_declare_centimes=sum(d.montant_declare for d in tirees),
            tirage_ecarte_centimes=sum(d.montant_ecarte for d in tirees),
            # A regularisation is controlled on its own: no rate of a sample applies to it.
            base_centimes=sum(
                d.montant_declare - d.montant_ecarte
                for d in du_poste
                if d.id not in tirage and d.montant_declare > 0
            ),
        ),
    )


_CONTRAINTES: dict[Contrainte, Any] = {
    "plafond": "plafond_conventionne",
    "taux": "taux",
    "besoin": "besoin_de_financement",
    "hors_nature": "hors_nature",
}


def _rendu(
    bilan: BilanDuCas,
    resultat: Resultat,
    precedent: Resultat | None,
    regle: Reglement,
    paye_avant: int,
    tronque: int,
) -> CsfCalcule:
    final = bilan.type == "final"
    ecretes = {p.code: p.ecrete_centimes for p in resultat.postes if p.ecrete_centimes}
    extrapole = resultat.extrapolations[-1] if bilan.extrapolation else None
    return CsfCalcule(
        numero=bilan.numero,
        type=bilan.type,
        montant_declare_periode=resultat.declare_centimes
        - (precedent.declare_centimes if precedent else 0),
        montant_ecarte_periode=resultat.ecarte_centimes
        - (precedent.ecarte_centimes if precedent else 0),
        postes_retenus_cumules={p.code: p.retenu_centimes for p in resultat.postes},
        forfaits={
            p.code: ForfaitCalcule(assiette=p.assiette_centimes or 0, montant=p.retenu_centimes)
            for p in resultat.postes
            if p.mode == "forfait"
        },
        cout_total_retenu_brut=resultat.cout_brut_centimes,
        recettes_nettes_deduites=resultat.recettes_nettes_centimes,
        cout_total_retenu=resultat.cout_net_centimes,
        ressources_externes_retenues=resultat.ressources_externes_centimes,
        c1_plafond_conventionne=resultat.c1_centimes,
        c2_taux=resultat.c2_centimes,
        c3_besoin_de_financement=resultat.c3_centimes,
        c4_hors_nature=resultat.c4_centimes,
        contrainte_active=_CONTRAINTES[resultat.contrainte_active],
        fse_du_avant_corrections=resultat.fse_brut_centimes,
        corrections_sur_fse=sum(c.correction_centimes for c in resultat.corrections_fse),
        fse_du_cumule=resultat.fse_du_centimes,
        fse_du_periode=resultat.fse_du_centimes - (precedent.fse_du_centimes if precedent else 0),
        fse_paye_avant=paye_avant,
        a_payer=regle.a_payer_centimes,
        a_reverser=regle.a_reverser_centimes,
        autofinancement_constate=resultat.autofinancement_constate_centimes,
        surfinancement_ecarte=resultat.surfinancement_ecarte_centimes,
        variante_c2_round_down=tronque,
        avance_non_couverte=None if final else regle.avance_non_couverte_centimes,
        retenu_jusqu_au_solde=regle.retenu_jusqu_au_solde_centimes or None,
        ecretement_postes=ecretes or None,
        extrapolation=None
        if extrapole is None
        else ExtrapolationDuBilan(
            taux_irregularite=extrapole.taux,
            base_non_tiree=extrapole.base_centimes,
            correction_extrapolee=extrapole.correction_centimes,
        ),
        corrections_marche=[
            CorrectionDeMarche(
                marche=m.marche, base=m.base_centimes, correction=m.correction_centimes
            )
            for m in resultat.marches
        ]
        or None,
    )


def _couvrir(plan: PlanACouvrir) -> CouvertureCalculee:
    """Tell what counterparts cover, attested then expected."""
    couvert = couverture(
        plan.cout_total,
        plan.fse,
        plan.contreparties_attestees,
        plan.contreparties_previsionnelles,
    )
    return CouvertureCalculee(
        besoin_contrepartie=couvert.besoin_centimes,
        couverture_attestee_pct=percent(couvert.attestee),
        couverture_previsionnelle_pct=percent(couvert.previsionnelle),
        autofinancement_previsionnel=couvert.autofinancement_previsionnel_centimes,
    )


def _mutualiser(cas: CasMutualise) -> RepartitionCalculee:
    """Share the pool by need: what neither the Fund nor the other resources pay."""
    parametres = cas.parametres
    du = {
        o.operation: calculer(
            Entrees(
                fse_max_centimes=o.fse_max,
                cout_total_eligible_centimes=o.cout_total_eligible,
                postes={"cout_total_retenu": o.cout_total_retenu},
                ressources=(("publique_autre", o.autres_ressources),),
                arrondi=parametres.arrondi,
                taux_mode=parametres.taux_mode,
            )
        ).fse_du_centimes
        for o in cas.operations
    }
    besoins = {
        o.operation: besoin(o.cout_total_retenu, du[o.operation], o.autres_ressources)
        for o in cas.operations
    }
    parts = repartir(cas.pool.montant, besoins)
    affecte = sum(parts.values())
    return RepartitionCalculee(
        operations=[
            PartDuneOperation(
                operation=nom,
                besoin_contrepartie=besoins[nom],
                contrepartie_mutualisee_affectee=parts[nom],
                fse_du=du[nom],
                autofinancement_constate=besoins[nom] - parts[nom],
            )
            for nom in du
        ],
        pool_affecte=affecte,
        pool_restant=cas.pool.montant - affecte,
    )
