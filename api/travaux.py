"""Asking for long work, whichever the door: who may, and what is kept of what they asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from api.archive.demande import DemandeArchive, exiger_accordable, lire_accordee
from api.deps import ServiceOuvert, personne
from api.droits import DROITS
from api.porte import EN_TETE_ROLE, Personne, habiliter
from api.web import adresse_de
from oi_service.acces.identite import Identite
from oi_service.application import Service
from oi_service.travaux import NATURES, NatureDeTravailInconnue, Travail, TravailAbsent
from projections.journal import EvenementAbsent

#: Largest position that an address may name.
_POSITION_MAX = 10**12 - 1


class DemandeExport(BaseModel):
    """From which event the log is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depuis: int = Field(1, ge=1, le=_POSITION_MAX, description="Numéro du premier événement.")


@dataclass(frozen=True, slots=True)
class MesTravaux:
    """The works of whoever asks, on the service that does them."""

    service: Service
    request: Request
    qui: Personne

    @property
    def _identite(self) -> Identite:
        identite: Identite = self.request.state.identite
        return identite

    def lister(self, nature: str | None = None) -> list[Travail]:
        """Return those that may still be read, the last ones first."""
        found = self.service.travaux.lister(self.qui.acteur, nature=nature)
        return [t for t in found if self._lisible(t)]

    def lire(self, travail_id: UUID) -> Travail:
        """Read one. Raises: TravailAbsent, for those of others too."""
        travail = self.service.travaux.lire(travail_id)
        if not self._lisible(travail):
            raise TravailAbsent
        return travail

    def _lisible(self, travail: Travail) -> bool:
        """Tell whether who asked for it still holds the role and the territory that it had then."""
        return travail.identifiant == self.qui.acteur and any(
            a.role == travail.role
            and (not a.plies or (travail.plies is not None and travail.plies <= a.plies))
            for a in self._identite.attributions
        )

    def verifier(self) -> UUID:
        """Ask for a verification of everything."""
        return self._lancer("verification", {})

    def comparer(self) -> UUID:
        """Ask for the log to be played again and compared with what is shown."""
        return self._lancer("comparaison", {})

    def archiver(self, demandee: DemandeArchive) -> UUID:
        """Ask for an archive; what cannot be archived is refused at once."""
        exiger_accordable(demandee, self.qui.role, self.qui.perimetre)
        lue = lire_accordee(self.service, demandee)
        # A day is not over, the last event is not known: the archive is that of this instant.
        fixee = demandee.model_copy(update={"connu_le": str(lue.jusqu_a)})
        return self._lancer("archive", fixee.model_dump(mode="json", exclude_defaults=True))

    def exporter_journal(self, demandee: DemandeExport) -> UUID:
        """Ask for the whole log, as it is now."""
        with self.service.reads.connection() as conn:
            row = conn.execute("SELECT position FROM oi.head").fetchone()
        assert row is not None
        if demandee.depuis > row[0]:
            raise EvenementAbsent(position=demandee.depuis)
        return self._lancer("export_journal", {"depuis": demandee.depuis, "jusqua": row[0]})

    def annuler(self, travail_id: UUID) -> None:
        """Ask one to stop."""
        self.service.travaux.annuler(self.lire(travail_id).id)

    def relancer(self, travail_id: UUID) -> UUID:
        """Do one again, under the rule of the route that asks for it, and its trace."""
        travail = self.lire(travail_id)
        nature = NATURES.get(travail.nature)
        if nature is None:
            raise NatureDeTravailInconnue(nature=travail.nature)
        regle = DROITS[nature.route]
        demande = self.request.headers.get(EN_TETE_ROLE)
        qui = habiliter(self._identite, regle, demande, self.request.method)
        if regle.trace is not None:
            self.service.acces.tracer(
                regle.trace,
                identifiant=qui.acteur,
                role=qui.role,
                adresse=adresse_de(self.request),
                objet={"chemin": self.request.url.path, "requete": ""},
            )
        return self.service.travaux.relancer(travail, qui.acteur, qui.role, qui.plies)

    def _lancer(self, nature: str, demande: Mapping[str, Any]) -> UUID:
        return self.service.travaux.lancer(
            nature, demande, self.qui.acteur, self.qui.role, self.qui.plies
        )


def mes_travaux(
    request: Request,
    service: ServiceOuvert,
    qui: Annotated[Personne, Depends(personne)],
) -> MesTravaux:
    """Open the works of whoever asks."""
    return MesTravaux(service, request, qui)


MesTravauxOuverts = Annotated[MesTravaux, Depends(mes_travaux)]
