"""What administrators do to accounts, by both doors: facts for the log, and how persons come in.

The log and the accesses are written one after the other. Between the two, nothing is open that
should not be: an account without access lets nobody in, and what is suspended or closed in the log
opens nothing whatever its sessions say. The same demand sent again does what was left to do.
"""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from psycopg import Connection
from psycopg.rows import TupleRow
from pydantic import Field, StringConstraints

from aggregates.commande import Commande, Saisie
from aggregates.compte import ouverture, roles
from aggregates.compte.ouverture import exiger_autrui, exiger_non_ferme
from aggregates.compte.state import COMPTE, Compte
from api import actions_comptes
from api.deps import ActeOut, Creation, Ecriture, EcritureOuverte, ServiceOuvert, personne
from api.porte import Personne
from api.web import adresse_de
from oi_service import clock
from oi_service.acces.acces import Acces, Fiche, lire_courriel
from oi_service.acces.refus import CourrielDejaPris
from oi_service.application import Acte, Service, Unit
from oi_service.errors import IdempotencyKeyReused, RuleBroken
from oi_service.ids import compte_of
from projections import comptes as projection
from projections.comptes import CompteLu


class CompteNonFerme(RuleBroken):
    """Le compte « {identifiant} » n’est pas fermé : son nom et son courriel servent encore."""


#: Neither is ever written in the log.
Nom = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Courriel = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]


class OuvertureDeCompte(Commande):
    """Open an account for somebody."""

    nom: Nom
    courriel: Courriel = Field(examples=["prenom.nom@oi.example"])


class IdentiteDuCompte(Saisie):
    """Who an account belongs to."""

    nom: Nom
    courriel: Courriel


@dataclass(frozen=True, slots=True)
class FiltresComptes:
    """Which accounts; all of them by default. ``role``: held today."""

    recherche: str | None = None
    statut: str | None = None
    role: str | None = None

    def retient(self, compte: CompteLu, fiche: Fiche | None) -> bool:
        """Tell whether an account is one of them."""
        connus = [compte.identifiant, *((fiche.nom, fiche.courriel) if fiche else ())]
        cherche = (self.recherche or "").strip().casefold()
        jour = clock.today()
        tenus = {r.role for r in compte.roles if r.en_vigueur(jour)}
        return (
            any(cherche in connu.casefold() for connu in connus)
            and self.statut in {None, compte.statut}
            and (self.role is None or self.role in tenus)
        )


@dataclass(frozen=True, slots=True)
class Ouvert:
    """An account that was opened; ``code`` is told once, ``None`` the next time."""

    acte: ActeOut
    identifiant: str
    code: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entrees:
    """How persons come in, as an administrator may change it: traces tell it, no event does."""

    service: Service
    par: Personne
    adresse: str

    @property
    def acces(self) -> Acces:
        """The facade."""
        return self.service.acces

    def fiche(self, identifiant: str) -> Fiche | None:
        """Return what is known of the access of an account."""
        return next(iter(self.acces.fiches([identifiant])), None)

    def comptes(
        self, conn: Connection[TupleRow], filtres: FiltresComptes
    ) -> list[tuple[CompteLu, Fiche | None]]:
        """Return accounts and how their persons come in, in the order of names."""
        fiches = {fiche.identifiant: fiche for fiche in self.acces.fiches()}
        lus = [(lu, fiches.get(lu.identifiant)) for lu in projection.comptes(conn)]
        retenus = [(lu, fiche) for lu, fiche in lus if filtres.retient(lu, fiche)]
        return sorted(retenus, key=_par_nom)

    def exiger_courriel_libre(self, courriel: str) -> None:
        """Refuse the address of somebody else.

        Raises: CourrielIllisible, CourrielDejaPris.
        """
        lu = lire_courriel(courriel)
        if any(fiche.courriel == lu for fiche in self.acces.fiches()):
            raise CourrielDejaPris

    def enregistrer(self, identifiant: str, nom: str, courriel: str) -> str | None:
        """Record an access that is not there yet; return the activation code, told once.

        Raises: CourrielDejaPris, IdempotencyKeyReused.
        """
        connue = self.fiche(identifiant)
        if connue is None:
            return self.acces.enregistrer(
                identifiant, courriel, nom, par=self.par.acteur, adresse=self.adresse
            )
        if (connue.nom, connue.courriel) != (nom, lire_courriel(courriel)):
            raise IdempotencyKeyReused
        return None

    def rectifier(self, identifiant: str, demande: IdentiteDuCompte) -> str | None:
        """Correct a name and an address; return an activation code when there was no access yet.

        Raises: CompteAbsent, CompteEstFerme, CourrielIllisible, CourrielDejaPris.
        """
        exiger_non_ferme(self._compte(identifiant))
        if self.fiche(identifiant) is None:
            return self.enregistrer(identifiant, demande.nom, demande.courriel)
        self.acces.rectifier(
            identifiant,
            courriel=demande.courriel,
            nom=demande.nom,
            par=self.par.acteur,
            adresse=self.adresse,
        )
        return None

    def reactiver(self, identifiant: str) -> str:
        """Forget a password, and return a new activation code.

        Raises: CompteAbsent, SonPropreCompte, CompteEstFerme, CompteSansAcces.
        """
        compte = self._compte(identifiant)
        exiger_autrui(compte, self.par.acteur)
        exiger_non_ferme(compte)
        return self.acces.reactiver(identifiant, par=self.par.acteur, adresse=self.adresse)

    def retirer_second_facteur(self, identifiant: str) -> None:
        """Take away a second factor that is lost.

        Raises: CompteAbsent, SonPropreCompte, CompteSansAcces.
        """
        exiger_autrui(self._compte(identifiant), self.par.acteur)
        self.acces.retirer_second_facteur(identifiant, par=self.par.acteur, adresse=self.adresse)

    def fermer_sessions(self, identifiant: str) -> None:
        """End the sessions of an account, that of whoever asks included; its tokens stay.

        Raises: CompteAbsent.
        """
        self._compte(identifiant)
        self.acces.fermer_toutes(identifiant, par=self.par.acteur, adresse=self.adresse)

    def effacer(self, identifiant: str) -> None:
        """Forget the person of an account that is closed.

        Raises: CompteAbsent, CompteNonFerme.
        """
        if self._compte(identifiant).statut != "ferme":
            raise CompteNonFerme(identifiant=identifiant)
        self.acces.effacer(identifiant, par=self.par.acteur, adresse=self.adresse)

    def couper(self, identifiant: str) -> None:
        """End the sessions and the tokens of an account."""
        self.acces.fermer_toutes(identifiant, par=self.par.acteur, adresse=self.adresse)
        for jeton in self.acces.jetons(identifiant):
            self.acces.revoquer_jeton(
                identifiant, jeton.id, par=self.par.acteur, adresse=self.adresse
            )

    def suspendu(self, identifiant: str) -> bool:
        """Tell whether an account is suspended.

        Raises: CompteAbsent.
        """
        return self._compte(identifiant).statut == "suspendu"

    def _compte(self, identifiant: str) -> Compte:
        lecture = Unit(self.service.journal, Acte(self.par.acteur, self.par.role))
        return lecture.get(COMPTE, compte_of(identifiant))


@dataclass(frozen=True, slots=True)
class Gestion:
    """What an administrator may do to an account, in one request."""

    plume: EcritureOuverte
    entrees: Entrees

    def ouvrir(self, demande: OuvertureDeCompte, racine: str) -> Ouvert:
        """Open an account, then record how its person comes in.

        Under a key that already served, the first account is answered, and its access recorded if
        the first time stopped before.

        Args:
            demande: who it is for.
            racine: address of the accounts, from which that of the new one is made.

        Raises: CourrielIllisible, CourrielDejaPris, IdempotencyKeyReused.
        """
        identifiant = self.entrees.acces.tirer_identifiant()

        def ouvrir(unit: Unit, flux: UUID, commande: Commande) -> None:
            self.entrees.exiger_courriel_libre(demande.courriel)
            actions_comptes.ouvrir(unit, flux, commande, identifiant)

        # Who it is for stays out of the digest that the log keeps of a demand.
        sans_nom = Commande(date_effet=demande.date_effet, pieces=demande.pieces)
        fait = self.plume.run(ouvrir, compte_of(identifiant), sans_nom)
        flux = fait.evenements[0].flux
        ouvert = self.plume.etat(COMPTE, flux)
        assert ouvert is not None
        self.plume.response.headers["Location"] = f"{racine}/{ouvert.identifiant}"
        self.plume.response.headers["ETag"] = '"1"'
        return Ouvert(
            acte=fait.model_copy(update={"id": flux, "version": 1}),
            identifiant=ouvert.identifiant,
            code=self.entrees.enregistrer(ouvert.identifiant, demande.nom, demande.courriel),
        )

    def attribuer_role(
        self, identifiant: str, commande: roles.AttribuerRole, location: str | None = None
    ) -> ActeOut:
        """Give a role."""
        return self.plume.run(
            actions_comptes.attribuer_role,
            compte_of(identifiant),
            commande,
            new=self.plume.new_id("attribution"),
            location=location,
        )

    def retirer_role(
        self, identifiant: str, attribution_id: UUID, commande: roles.RetirerRole
    ) -> ActeOut:
        """Take a role back."""
        return self.plume.run(
            actions_comptes.retirer_role, compte_of(identifiant), commande, attribution_id
        )

    def noter_mise_a_disposition(
        self, identifiant: str, commande: roles.NoterMiseADisposition, location: str | None = None
    ) -> ActeOut:
        """Note that a PLIE employs the person."""
        return self.plume.run(
            actions_comptes.noter_mise_a_disposition,
            compte_of(identifiant),
            commande,
            new=self.plume.new_id("mise_a_disposition"),
            location=location,
        )

    def lever_mise_a_disposition(
        self, identifiant: str, mise_id: UUID, commande: roles.LeverMiseADisposition
    ) -> ActeOut:
        """Note that a PLIE does not employ the person any more."""
        return self.plume.run(
            actions_comptes.lever_mise_a_disposition, compte_of(identifiant), commande, mise_id
        )

    def suspendre(self, identifiant: str, commande: ouverture.ChangerEtatCompte) -> ActeOut:
        """Suspend an account; its sessions and its tokens end."""
        fait = self.plume.run(actions_comptes.suspendre, compte_of(identifiant), commande)
        self.entrees.couper(identifiant)
        return fait

    def retablir(self, identifiant: str, commande: ouverture.ChangerEtatCompte) -> ActeOut:
        """Take an account back. What was open before it was suspended stays closed."""
        if self.entrees.suspendu(identifiant):
            # A suspension that was cut short may have left them.
            self.entrees.couper(identifiant)
        return self.plume.run(actions_comptes.retablir, compte_of(identifiant), commande)

    def fermer(self, identifiant: str, commande: ouverture.ChangerEtatCompte) -> ActeOut:
        """Close an account for good; its sessions and its tokens end."""
        fait = self.plume.run(actions_comptes.fermer, compte_of(identifiant), commande)
        self.entrees.couper(identifiant)
        return fait


def _par_nom(trouve: tuple[CompteLu, Fiche | None]) -> tuple[str, str]:
    compte, fiche = trouve
    return (fiche.nom.casefold() if fiche else "", compte.identifiant)


# --- What routes ask for -------------------------------------------------------------------------


async def entrees(
    request: Request, service: ServiceOuvert, par: Annotated[Personne, Depends(personne)]
) -> Entrees:
    """Lend the ways in to an administrator."""
    return Entrees(service, par, adresse_de(request))


EntreesOuvertes = Annotated[Entrees, Depends(entrees)]


# The pen is asked for one step away from the route: no trial can play an act on accounts, whose
# sessions would end for real.


async def nouvelle(plume: Creation, entrees: EntreesOuvertes) -> Gestion:
    """Open an act that makes an account."""
    return Gestion(plume, entrees)


async def sur_un_compte(plume: Ecriture, entrees: EntreesOuvertes) -> Gestion:
    """Open an act on an account, at the version that the person saw."""
    return Gestion(plume, entrees)


GestionNouvelle = Annotated[Gestion, Depends(nouvelle)]
GestionDuCompte = Annotated[Gestion, Depends(sur_un_compte)]
