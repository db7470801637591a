"""The convention of subvention globale and its avenants."""

from collections import Counter
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from aggregates.cadre import CODES_RESERVES, NON_REPARTI, RESERVE, Cadre, Reglement
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Code, Commande, Numero, PeriodeSaisie, Saisie, Texte
from aggregates.parametres import ParametresSaisis, parametres_des_textes, surcharger
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    EcartCellule,
    ObjectifSpecifique,
    Plie,
    SubventionGlobaleConventionnee,
)
from aggregates.subvention_globale.maquette import CelluleSaisie, exiger_plie
from aggregates.subvention_globale.state import SubventionGlobale, redistribuer
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Difference, Montant


class SubventionGlobaleDejaConventionnee(Conflict):
    """La subvention globale {numero} est déjà enregistrée : elle évolue par avenant."""


class PlieEnDouble(RuleBroken):
    """Le PLIE « {plie_id} » figure deux fois dans la subvention globale."""


class NumeroAvenantInattendu(RuleBroken):
    """L’avenant n° {attendu} est attendu, et non le n° {recu} : les avenants se suivent."""


class AvenantSousLeReparti(RuleBroken):
    """L’avenant ramènerait le FSE de la subvention globale à {demande:euros}, alors que
    {ouvert:euros} sont déjà ouverts en tranches.
    """


def _plie(code: str) -> str:
    if code in CODES_RESERVES:
        raise ValueError(f"« {code} » est réservé : il désigne ce qu’aucun PLIE ne détient")
    return code


class CelluleEnDouble(RuleBroken):
    """L’avenant modifie deux fois {cellule} : regroupez les deux montants sur une seule ligne."""


class AvenantSansCellule(RuleBroken):
    """L’avenant ne change rien sur {cellule} : retirez cette ligne, ou donnez-lui un montant."""


class AvenantSousLAlloue(RuleBroken):
    """L’avenant retirerait de la ligne {ligne} plus que ce qui n’y est pas encore réparti : il y
    manquerait {manque:euros}. Retirez-les d’abord aux PLIE ou à la réserve, dans le même avenant.
    """


class AvenantSousLeProgramme(RuleBroken):
    """L’avenant laisserait {cellule} avec {alloue:euros}, alors que {programme:euros} y sont déjà
    programmés.
    """


class PlieSaisi(Saisie):
    """A PLIE that the OI serves."""

    plie_id: Annotated[Code, AfterValidator(_plie)]
    nom: Texte


class ObjectifSaisi(Saisie):
    """A specific objective of the programme."""

    code: Code
    libelle: Texte


class ConventionnerSubventionGlobale(Commande):
    """Record the convention signed with the State. ``date_effet`` is the signature."""

    oi_id: Code
    oi_nom: Texte
    reglement: Reglement
    numero: Code
    agd: Texte
    programme_cci: Code
    programme: Texte
    programmation: PeriodeSaisie
    realisation: PeriodeSaisie
    fse_total: Montant
    plie: tuple[PlieSaisi, ...] = Field(min_length=1, max_length=200)
    objectifs_specifiques: tuple[ObjectifSaisi, ...] = Field(min_length=1, max_length=50)
    parametres: ParametresSaisis = ParametresSaisis()
    nature_des_donnees: Literal["reelles", "fictives"] = "reelles"


def conventionner(
    subvention: SubventionGlobale | None,
    commande: ConventionnerSubventionGlobale,
    subvention_globale_id: UUID,
) -> list[SubventionGlobaleConventionnee]:
    """Record the grant."""
    if subvention is not None:
        raise SubventionGlobaleDejaConventionnee(numero=subvention.numero)
    for plie_id, fois in Counter(p.plie_id for p in commande.plie).items():
        if fois > 1:
            raise PlieEnDouble(plie_id=plie_id)
    return [
        SubventionGlobaleConventionnee(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=Cadre(
                subvention_globale_id=subvention_globale_id,
                oi_id=commande.oi_id,
                reglement=commande.reglement,
            ),
            numero=commande.numero,
            oi_nom=commande.oi_nom,
            agd=commande.agd,
            programme_cci=commande.programme_cci,
            programme=commande.programme,
            programmation=commande.programmation.periode(),
            realisation=commande.realisation.periode(),
            fse_total_centimes=commande.fse_total,
            plie=tuple(Plie(plie_id=p.plie_id, nom=p.nom) for p in commande.plie),
            objectifs_specifiques=tuple(
                ObjectifSpecifique(code=o.code, libelle=o.libelle)
                for o in commande.objectifs_specifiques
            ),
            parametres=surcharger(
                parametres_des_textes(commande.reglement, commande.date_effet),
                commande.parametres.surcharge(),
            ),
            fictive=commande.nature_des_donnees == "fictives",
        )
    ]


class EcartSaisi(Saisie):
    """What the avenant adds to a cell, or takes from it; ``plie_id`` may also be ``"reserve"``, or
    ``"non_reparti"`` for what no PLIE holds yet.
    """

    cellule: CelluleSaisie
    fse: Difference
    cout_total: Difference


class SignerAvenantSubventionGlobale(Commande):
    """Change the amount, the periods or the maquette of the grant. What is left out stays.

    ``ecarts`` moves money between lines, or brings what the amount gained: a transfer cannot.
    """

    numero_avenant: Numero
    objet: Texte
    fse_total: Montant | None = None
    programmation: PeriodeSaisie | None = None
    realisation: PeriodeSaisie | None = None
    ecarts: tuple[EcartSaisi, ...] = Field((), max_length=500)


def signer_avenant(
    subvention: SubventionGlobale, commande: SignerAvenantSubventionGlobale
) -> list[AvenantSubventionGlobaleSigne]:
    """Record an avenant of the grant.

    No cell goes under what it has programmed, no line under what it has shared, nothing above the
    grant.
    """
    if commande.numero_avenant != subvention.avenants + 1:
        raise NumeroAvenantInattendu(attendu=subvention.avenants + 1, recu=commande.numero_avenant)
    exiger_pas_avant(
        commande.date_effet,
        f"Signer l’avenant n° {commande.numero_avenant}",
        subvention.signee_le,
        f"l’avenant n° {subvention.avenants} a été signé"
        if subvention.avenants
        else "la subvention globale a été conventionnée",
    )
    fse_total = subvention.fse_total if commande.fse_total is None else commande.fse_total
    ecarts = tuple(
        EcartCellule(
            cellule=saisie.cellule.cellule(),
            fse_centimes=saisie.fse,
            cout_total_centimes=saisie.cout_total,
        )
        for saisie in commande.ecarts
    )
    _exiger_cellules(subvention, ecarts)
    _exiger_maquette(subvention, ecarts, fse_total)
    avant_p, avant_r = subvention.programmation, subvention.realisation
    return [
        AvenantSubventionGlobaleSigne(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            numero_avenant=commande.numero_avenant,
            objet=commande.objet,
            fse_total_avant_centimes=subvention.fse_total,
            fse_total_apres_centimes=fse_total,
            programmation_avant=avant_p,
            programmation_apres=(
                avant_p if commande.programmation is None else commande.programmation.periode()
            ),
            realisation_avant=avant_r,
            realisation_apres=(
                avant_r if commande.realisation is None else commande.realisation.periode()
            ),
            ecarts=ecarts,
        )
    ]


def _exiger_cellules(subvention: SubventionGlobale, ecarts: tuple[EcartCellule, ...]) -> None:
    for cellule, fois in Counter(e.cellule for e in ecarts).items():
        if fois > 1:
            raise CelluleEnDouble(cellule=cellule.libelle)
        if cellule.plie_id not in {RESERVE, NON_REPARTI}:
            exiger_plie(subvention, cellule.plie_id)
    for ecart in ecarts:
        if ecart.fse_centimes == ecart.cout_total_centimes == 0:
            raise AvenantSansCellule(cellule=ecart.cellule.libelle)


def _exiger_maquette(
    subvention: SubventionGlobale, ecarts: tuple[EcartCellule, ...], fse_total: int
) -> None:
    """Look at the maquette as the avenant leaves it: every cell together, whatever their order."""
    apres = redistribuer(subvention, ecarts)
    ouvert = sum(apres.tranches.values())
    if fse_total < ouvert:
        raise AvenantSousLeReparti(demande=fse_total, ouvert=ouvert)
    for ecart in ecarts:
        cellule, ligne = ecart.cellule, ecart.cellule.ligne
        if apres.disponible(cellule) < 0:
            raise AvenantSousLeProgramme(
                cellule=cellule.libelle,
                alloue=apres.alloue.get(cellule, 0),
                programme=apres.programme.get(cellule, 0),
            )
        manque = apres.reparti(ligne) - apres.tranches[ligne]
        if manque > 0:
            raise AvenantSousLAlloue(ligne=ligne.libelle, manque=manque)
