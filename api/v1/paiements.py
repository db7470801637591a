"""Payments, orders to pay back and certification, over all the dossiers of the perimeter."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from aggregates.convention.events import TypePaiement
from api.deps import Lecture, SituationDemandee
from api.errors import refus
from api.v1.lectures import FiltresSitues, Mot
from api.v1.representations import PageOut, Representation, SituationOut
from oi_service.money import MontantSigne
from projections import paiements as projection
from projections import reversements as projection_reversements

router = APIRouter(tags=["Paiements et reversements"])


class PaiementDeListeOut(Representation):
    """Un paiement, du contrôle qui le fonde à la banque."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    beneficiaire: str
    plie_id: str
    type: TypePaiement
    statut: projection.StatutPaiement
    statut_libelle: str
    montant: MontantSigne = Field(description="En euros.")
    compense: MontantSigne = Field(description="Part réglée par compensation, en euros.")
    csf_id: UUID | None = Field(description="Contrôle qui le fonde ; aucun pour une avance.")
    bilan_numero: int | None
    fse_du: MontantSigne | None = Field(
        description="FSE dû depuis le début, quand il a été ordonnancé, ou préparé."
    )
    paye_avant: MontantSigne | None = Field(description="Déjà payé ce jour-là, net des retours.")
    avances_avant: MontantSigne = Field(description="Dont avances.")
    prepare_par: str | None
    prepare_le: date | None
    ordonnance_par: str | None
    ordonnance_le: date | None
    effectue_le: date | None
    reference: str | None = Field(description="Référence du virement.")
    acquitte_le: date | None
    rejete_le: date | None
    motif: str | None = Field(description="Motif du rejet ou de l’annulation.")
    remplace: UUID | None = Field(description="Paiement rejeté que celui-ci paie de nouveau.")
    remplace_depuis: bool = Field(description="Un rejet qu’un autre paiement a remplacé.")
    position: int = Field(description="Dernier événement.")


class FiltresPaiements(FiltresSitues):
    """Which payments."""

    statut: list[projection.StatutPaiement] = Field([], description="Tous à défaut.")
    plie: Mot | None = None
    type: TypePaiement | None = None
    recherche: Mot | None = Field(
        None, description="Dans les numéros, le bénéficiaire et la référence du virement."
    )
    tri: projection.Tri = "le"
    ordre: projection.Ordre = "desc"


@router.get("/paiements", responses=refus(422))
def lister_paiements(
    filtres: Annotated[FiltresPaiements, Query()], lecture: Lecture
) -> PageOut[PaiementDeListeOut]:
    """Lister les paiements de tous les dossiers, de leur préparation à l’avis de la banque."""
    page = projection.paiements(
        lecture.conn,
        lecture.perimetre,
        filtres.situation(lecture),
        statuts=filtres.statut,
        plie=filtres.plie,
        type_paiement=filtres.type,
        recherche=filtres.recherche,
        tri=filtres.tri,
        ordre=filtres.ordre,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    return PageOut[PaiementDeListeOut].model_validate(_page(page, PaiementDeListeOut))


def _page(page: Any, sortie: type[Representation]) -> dict[str, Any]:
    """Keep of each line what is shown of it."""
    champs = sortie.model_fields
    return {
        "lignes": [{nom: getattr(x, nom) for nom in champs} for x in page.lignes],
        "suivant": page.suivant,
    }


class TermeOut(Representation):
    """Une part d’une somme, avec son signe."""

    code: str
    montant: MontantSigne


class ARefaireOut(Representation):
    """Un paiement que la banque a rejeté, et que rien ne remplace encore."""

    paiement_id: UUID
    type: TypePaiement
    montant: MontantSigne
    csf_id: UUID | None


class PaiementAPreparerOut(Representation):
    """Une opération à laquelle il est dû quelque chose."""

    operation_id: UUID
    numero_mdfse: str
    numero_convention: str | None
    beneficiaire: str
    plie_id: str
    type: TypePaiement
    csf_id: UUID
    csf_version: int
    bilan_id: UUID
    bilan_numero: int
    valide_le: date
    valide_par: str
    position: int = Field(description="Événement de la validation.")
    termes: list[TermeOut] = Field(description="Leur somme est `montant`.")
    montant: MontantSigne = Field(description="Ce qui peut être préparé, en euros.")
    a_refaire: list[ARefaireOut]


class PaiementsAPreparerOut(Representation):
    """Ce qui est dû et n’est ni préparé, ni ordonnancé, ni versé."""

    situation: SituationOut
    total: MontantSigne
    lignes: list[PaiementAPreparerOut]


@router.get("/paiements/a-preparer", responses=refus(422))
def lister_paiements_a_preparer(
    lecture: Lecture, situation: SituationDemandee
) -> PaiementsAPreparerOut:
    """Lister ce qui est dû après contrôle, le plus ancien contrôle d’abord.

    FSE dû − ce qui est versé, ordonnancé ou préparé, sous le plafond d’avant solde.
    """
    lignes = projection.a_preparer(lecture.conn, lecture.perimetre, situation)
    champs = PaiementAPreparerOut.model_fields
    return PaiementsAPreparerOut.model_validate(
        {
            "situation": situation,
            "total": sum(x.montant for x in lignes),
            "lignes": [{nom: getattr(x, nom) for nom in champs} for x in lignes],
        }
    )


class OrdreDeListeOut(Representation):
    """Un ordre de reversement."""

    id: UUID
    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    etat: projection_reversements.EtatOrdre
    etat_libelle: str
    montant: MontantSigne
    encaisse: MontantSigne
    compense: MontantSigne
    perdu: MontantSigne = Field(description="Irrécouvrable, rétablissements déduits.")
    reste: MontantSigne = Field(description="Encore réclamé.")
    echeance: date
    motif: str | None
    emis_par: str
    emis_le: date
    notifie_le: date | None
    conteste_le: date | None
    position: int = Field(description="Événement de son émission.")


class FiltresOrdres(FiltresSitues):
    """Which orders."""

    etat: list[projection_reversements.EtatOrdre] = Field([], description="Tous à défaut.")
    plie: Mot | None = None
    recherche: Mot | None = None


@router.get("/paiements/ordres-de-reversement", responses=refus(422))
def lister_ordres_reversement(
    filtres: Annotated[FiltresOrdres, Query()], lecture: Lecture
) -> PageOut[OrdreDeListeOut]:
    """Lister les ordres de reversement, la première échéance d’abord."""
    page = projection_reversements.ordres(
        lecture.conn,
        lecture.perimetre,
        filtres.situation(lecture),
        etats=tuple(filtres.etat),
        plie=filtres.plie,
        recherche=filtres.recherche,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    return PageOut[OrdreDeListeOut].model_validate(_page(page, OrdreDeListeOut))


class CertificationDeListeOut(Representation):
    """Ce qu’une opération donne à certifier."""

    operation_id: UUID
    numero_mdfse: str
    beneficiaire: str
    plie_id: str
    fse_retenu: MontantSigne
    fse_transmis: MontantSigne
    fse_certifie: MontantSigne
    ct_retenu: MontantSigne
    ct_transmis: MontantSigne
    ct_certifie: MontantSigne
    a_transmettre: MontantSigne
    a_certifier: MontantSigne
    a_retirer: MontantSigne


class FiltresCertifications(FiltresSitues):
    """Which operations."""

    plie: Mot | None = None
    recherche: Mot | None = None
    tout: bool = Field(default=False, description="Aussi celles dont tout est certifié.")


@router.get("/paiements/certifications", responses=refus(422))
def lister_certifications(
    filtres: Annotated[FiltresCertifications, Query()], lecture: Lecture
) -> PageOut[CertificationDeListeOut]:
    """Lister, par opération, le retenu, le transmis et le certifié."""
    page = projection_reversements.certifications(
        lecture.conn,
        lecture.perimetre,
        filtres.situation(lecture),
        plie=filtres.plie,
        recherche=filtres.recherche,
        tout=filtres.tout,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    return PageOut[CertificationDeListeOut].model_validate(_page(page, CertificationDeListeOut))
