"""Accounts, for administrators: who may act as what, on which territory, and how they come in."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from aggregates.compte import ouverture, roles
from aggregates.compte.state import Statut
from api.deps import ActeOut, Lecture
from api.droits import Role
from api.errors import refus
from api.gestion_comptes import (
    EntreesOuvertes,
    FiltresComptes,
    GestionDuCompte,
    GestionNouvelle,
    IdentiteDuCompte,
    OuvertureDeCompte,
)
from api.porte import Acteur
from api.v1.actes import RACINE, ajoute, commande, cree
from api.v1.lectures import Mot
from api.v1.representations import Representation
from oi_service import clock
from oi_service.acces.acces import Fiche
from projections import comptes as projection
from projections.comptes import AttributionLue, CompteLu

router = APIRouter(tags=["Comptes"])

_COMPTES = f"{RACINE}/comptes"

Identifiant = Annotated[Acteur, Path(description="Comment le journal désigne la personne.")]


# --- What is shown -------------------------------------------------------------------------------


class AttributionOut(Representation):
    """Un rôle que personne n’a retiré."""

    id: UUID
    role: Role
    plies: list[str] = Field(description="Territoire ; vide pour l’OI entier.")
    du: date
    au: date | None
    en_vigueur: bool = Field(description="Aujourd’hui.")


class MiseADispositionOut(Representation):
    """Un PLIE qui emploie la personne."""

    id: UUID
    plie_id: str
    du: date
    au: date | None


class AccesDuCompteOut(Representation):
    """Comment la personne entre."""

    nom: str
    courriel: str
    actif: bool = Field(description="La personne a choisi son mot de passe.")
    activation_expire_le: datetime | None = Field(
        description="Jusqu’à quand son code d’activation sert, s’il y en a un."
    )
    second_facteur: bool
    codes_secours: int = Field(description="Codes de secours qui restent.")
    derniere_connexion: datetime | None


class CompteOut(Representation):
    """Un compte."""

    identifiant: str
    version: int = Field(description="À rappeler dans `If-Match`.")
    statut: Statut
    ouvert_le: date
    roles: list[AttributionOut]
    mises_a_disposition: list[MiseADispositionOut]
    acces: AccesDuCompteOut | None = Field(
        description="`null` quand la personne est effacée, ou n’a pas encore d’accès."
    )


class CompteOuvertOut(ActeOut):
    """Un compte ouvert, et de quoi y entrer."""

    identifiant: str = Field(description="Comment le journal désigne la personne.")
    code_activation: str | None = Field(
        description="À remettre à la personne, montré une seule fois ; `null` quand la demande "
        "avait déjà été reçue."
    )


class CodeActivationOut(Representation):
    """De quoi choisir un mot de passe."""

    code_activation: str | None = Field(
        description="À remettre à la personne, montré une seule fois ; `null` quand elle n’en a "
        "pas besoin."
    )


def _compte(lu: CompteLu, fiche: Fiche | None) -> CompteOut:
    jour = clock.today()
    return CompteOut(
        identifiant=lu.identifiant,
        version=lu.version,
        statut=lu.statut,
        ouvert_le=lu.ouvert_le,
        roles=[_attribution(attribution, jour) for attribution in lu.roles],
        mises_a_disposition=[
            MiseADispositionOut(id=m.mise_id, plie_id=m.plie_id, du=m.du, au=m.au) for m in lu.mises
        ],
        acces=None if fiche is None else AccesDuCompteOut.model_validate(fiche),
    )


def _attribution(lue: AttributionLue, jour: date) -> AttributionOut:
    return AttributionOut(
        id=lue.attribution_id,
        role=lue.role,
        plies=lue.plies,
        du=lue.du,
        au=lue.au,
        en_vigueur=lue.en_vigueur(jour),
    )


# --- Reading -------------------------------------------------------------------------------------


@router.get("/comptes", responses=refus(422))
def lister_comptes(
    lecture: Lecture,
    entrees: EntreesOuvertes,
    recherche: Annotated[
        Mot | None, Query(description="Dans l’identifiant, le nom ou le courriel.")
    ] = None,
    statut: Statut | None = None,
    role: Annotated[Role | None, Query(description="Tenu aujourd’hui.")] = None,
) -> list[CompteOut]:
    """Lister les comptes, fermés compris."""
    trouves = entrees.comptes(lecture.conn, FiltresComptes(recherche, statut, role))
    return [_compte(lu, fiche) for lu, fiche in trouves]


@router.get(
    "/comptes/{identifiant}",
    responses={
        200: {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}},
        **refus(404, 422),
    },
)
def lire_compte(
    identifiant: Identifiant, lecture: Lecture, entrees: EntreesOuvertes, response: Response
) -> CompteOut:
    """Lire un compte."""
    lu = projection.compte(lecture.conn, identifiant)
    response.headers["ETag"] = f'"{lu.version}"'
    return _compte(lu, entrees.fiche(identifiant))


# --- Opening, and the state ----------------------------------------------------------------------


@cree(router, "/comptes")
def ouvrir_compte(acte: OuvertureDeCompte, gestion: GestionNouvelle) -> CompteOuvertOut:
    """Ouvrir un compte à une personne.

    Le journal ne la désigne que par un identifiant tiré au hasard ; son nom et son courriel restent
    en dehors, où ils se rectifient et s’effacent.
    """
    ouvert = gestion.ouvrir(acte, _COMPTES)
    return CompteOuvertOut(
        **ouvert.acte.model_dump(), identifiant=ouvert.identifiant, code_activation=ouvert.code
    )


@commande(router, "/comptes/{identifiant}/suspension")
def suspendre_compte(
    identifiant: Identifiant, acte: ouverture.ChangerEtatCompte, gestion: GestionDuCompte
) -> ActeOut:
    """Suspendre un compte : ses sessions et ses jetons d’accès cessent aussitôt."""
    return gestion.suspendre(identifiant, acte)


@commande(router, "/comptes/{identifiant}/retablissement")
def retablir_compte(
    identifiant: Identifiant, acte: ouverture.ChangerEtatCompte, gestion: GestionDuCompte
) -> ActeOut:
    """Rétablir un compte suspendu, avec les rôles qu’il avait."""
    return gestion.retablir(identifiant, acte)


@commande(router, "/comptes/{identifiant}/fermeture")
def fermer_compte(
    identifiant: Identifiant, acte: ouverture.ChangerEtatCompte, gestion: GestionDuCompte
) -> ActeOut:
    """Fermer un compte pour toujours : son identifiant ne servira plus à personne."""
    return gestion.fermer(identifiant, acte)


# --- Roles and employers -------------------------------------------------------------------------


@ajoute(router, "/comptes/{identifiant}/roles")
def attribuer_role(
    identifiant: Identifiant, acte: roles.AttribuerRole, gestion: GestionDuCompte
) -> ActeOut:
    """Attribuer un rôle, sur un territoire et entre deux jours."""
    return gestion.attribuer_role(identifiant, acte, f"{_COMPTES}/{identifiant}")


@commande(router, "/comptes/{identifiant}/roles/{attribution_id}/retrait")
def retirer_role(
    identifiant: Identifiant,
    attribution_id: UUID,
    acte: roles.RetirerRole,
    gestion: GestionDuCompte,
) -> ActeOut:
    """Retirer un rôle, aussitôt ; ce qui fut fait dans ce rôle reste fait."""
    return gestion.retirer_role(identifiant, attribution_id, acte)


@ajoute(router, "/comptes/{identifiant}/mises-a-disposition")
def noter_mise_a_disposition(
    identifiant: Identifiant, acte: roles.NoterMiseADisposition, gestion: GestionDuCompte
) -> ActeOut:
    """Noter qu’un PLIE emploie la personne : elle n’en traite pas les opérations."""
    return gestion.noter_mise_a_disposition(identifiant, acte, f"{_COMPTES}/{identifiant}")


@commande(router, "/comptes/{identifiant}/mises-a-disposition/{mise_id}/levee")
def lever_mise_a_disposition(
    identifiant: Identifiant,
    mise_id: UUID,
    acte: roles.LeverMiseADisposition,
    gestion: GestionDuCompte,
) -> ActeOut:
    """Noter qu’un PLIE n’emploie plus la personne."""
    return gestion.lever_mise_a_disposition(identifiant, mise_id, acte)


# --- Ways in: traced, and no event ---------------------------------------------------------------


@router.post("/comptes/{identifiant}/identite", responses=refus(404, 409, 422, 503))
def rectifier_identite_compte(
    identifiant: Identifiant, demande: IdentiteDuCompte, entrees: EntreesOuvertes
) -> CodeActivationOut:
    """Rectifier le nom et le courriel de la personne d’un compte.

    Un compte qui n’a pas encore d’accès en reçoit un.
    """
    return CodeActivationOut(code_activation=entrees.rectifier(identifiant, demande))


@router.post("/comptes/{identifiant}/reactivation", responses=refus(404, 409, 422, 503))
def reactiver_compte(identifiant: Identifiant, entrees: EntreesOuvertes) -> CodeActivationOut:
    """Oublier le mot de passe d’un compte, fermer ses sessions, et donner un code d’activation."""
    return CodeActivationOut(code_activation=entrees.reactiver(identifiant))


@router.post(
    "/comptes/{identifiant}/second-facteur/retrait",
    status_code=204,
    responses=refus(404, 422, 503),
)
def retirer_second_facteur_compte(identifiant: Identifiant, entrees: EntreesOuvertes) -> None:
    """Retirer un second facteur perdu ; la personne en installera un autre."""
    entrees.retirer_second_facteur(identifiant)


@router.post(
    "/comptes/{identifiant}/sessions/fermeture", status_code=204, responses=refus(404, 422, 503)
)
def fermer_sessions_compte(identifiant: Identifiant, entrees: EntreesOuvertes) -> None:
    """Fermer toutes les sessions d’un compte ; la personne peut se reconnecter."""
    entrees.fermer_sessions(identifiant)


@router.post(
    "/comptes/{identifiant}/effacement", status_code=204, responses=refus(404, 409, 422, 503)
)
def effacer_compte(identifiant: Identifiant, entrees: EntreesOuvertes) -> None:
    """Effacer le nom, le courriel et les secrets d’un compte fermé.

    Le journal garde l’identifiant, dont plus personne ne sait qui il désignait.
    """
    entrees.effacer(identifiant)
