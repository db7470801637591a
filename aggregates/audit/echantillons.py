"""Drawing a sample from a frozen population, with a seed that is recorded."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from aggregates.audit.dossier import exiger_en_cours
from aggregates.audit.events import (
    EchantillonAuditTire,
    ParametresTirage,
    StrateTiree,
    UniteTiree,
)
from aggregates.audit.populations import exiger_intacte, population_de
from aggregates.audit.state import DossierAudit, Echantillon
from aggregates.chronologie import exiger_pas_avant
from aggregates.commande import Commande, Texte
from oi_service.errors import NotFound, RuleBroken
from oi_service.money import Montant
from rules.tirages import (
    Critere,
    Methode,
    Parametres,
    Repartition,
    Selection,
    Tirage,
    Unite,
    tirer,
)


class EchantillonAuditAbsent(NotFound):
    """Ce dossier de travail n’a tiré aucun échantillon d’identifiant {id}."""


class PopulationDejaTiree(RuleBroken):
    """Cette population a déjà été tirée {nombre} fois : un nouveau tirage étend le précédent, ou
    nomme celui qu’il remplace et dit pourquoi.
    """


class EchantillonDejaSuivi(RuleBroken):
    """L’échantillon {id} est déjà étendu ou remplacé par {suivi_par} : repartez de ce dernier."""


class ExtensionImpossible(RuleBroken):
    """Seul un tirage simple s’étend, sur la même population, avec la même graine et une taille
    supérieure à {taille}. Pour un autre tirage, dites qu’il remplace celui-ci et pourquoi.
    """


#: Printable ASCII: typed again as it is read, it has the same bytes.
Graine = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,198}[!-~])?$")]
#: A person looks at each of them.
TAILLE_MAX = 10_000


class TirerEchantillonAudit(Commande):
    """Draw a sample. Without a seed, its own identifier is the seed."""

    population_id: UUID
    methode: Methode
    taille: Annotated[int, Field(strict=True, ge=1, le=TAILLE_MAX)]
    critere: Critere | None = Field(None, description="Ce qui fait les strates.")
    bornes: tuple[Montant, ...] = Field(
        (), description="Montants où commencent les tranches, du plus petit au plus grand."
    )
    repartition: Repartition | None = Field(
        None, description="Ce que suit la taille de chaque strate ; le nombre à défaut."
    )
    selection: Selection | None = Field(
        None, description="Comment chaque strate est tirée ; simple à défaut."
    )
    graine: Graine | None = None
    graine_origine: Texte | None = Field(
        None, description="D’où vient la graine : un tirage public, daté, que chacun peut relire."
    )
    etend: UUID | None = None
    remplace: UUID | None = None
    motif: Texte | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse strata without a criterion, or a criterion without strata."""
        strates = (self.critere, self.bornes, self.repartition, self.selection)
        if self.methode != "stratifie" and any(strates):
            raise ValueError(
                "critere, bornes, repartition et selection ne valent que pour la méthode stratifie"
            )
        if self.methode == "stratifie" and self.critere is None:
            raise ValueError("la méthode stratifie demande un critere")
        if (self.critere == "montant") != bool(self.bornes):
            raise ValueError("les bornes se donnent avec le critere montant, et lui seul")
        if any(borne >= suivante for borne, suivante in pairwise((0, *self.bornes))):
            raise ValueError("les bornes sont positives et vont en croissant")
        if self.etend is not None and self.remplace is not None:
            raise ValueError("un tirage étend le précédent ou le remplace, pas les deux")
        if self.remplace is not None and self.motif is None:
            raise ValueError("un tirage qui en remplace un autre dit pourquoi : donnez le motif")
        if self.etend is not None and self.graine is not None:
            raise ValueError("un tirage qui en étend un autre garde sa graine")

    def demande(self) -> Parametres:
        """Return what the draw is asked for."""
        return Parametres(
            methode=self.methode,
            taille=self.taille,
            critere=self.critere or "poste",
            bornes=self.bornes,
            repartition=self.repartition or "nombre",
            selection=self.selection or "simple",
        )


def tirer_echantillon(
    dossier: DossierAudit,
    commande: TirerEchantillonAudit,
    echantillon_id: UUID,
    population: Sequence[Unite],
) -> list[EchantillonAuditTire]:
    """Draw from a population as it was frozen; a draw made again names the former."""
    exiger_en_cours(dossier, "Tirer un échantillon", commande.date_effet)
    figee = population_de(dossier, commande.population_id)
    exiger_pas_avant(
        commande.date_effet,
        "Tirer un échantillon",
        figee.figee_le,
        "cette population a été figée",
    )
    precedent = _precedent(dossier, commande)
    exiger_intacte(figee, population)
    graine = commande.graine or str(echantillon_id)
    if commande.etend is not None and precedent is not None:
        graine = precedent.graine
    tirage = tirer(population, graine, commande.demande())
    montants = {u.id: u.montant for u in population}
    return [
        EchantillonAuditTire(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            echantillon_id=echantillon_id,
            population_id=commande.population_id,
            rang=len(dossier.tirages_de(commande.population_id)) + 1,
            methode=commande.methode,
            algorithme=tirage.algorithme,
            parametres=_parametres(commande),
            graine=graine,
            graine_origine=commande.graine_origine,
            remplace=commande.remplace,
            etend=commande.etend,
            strates=_strates(tirage),
            tirage=_unites(tirage, montants),
            tirage_centimes=sum(montants[i] for i in tirage.ids),
        )
    ]


def _precedent(dossier: DossierAudit, commande: TirerEchantillonAudit) -> Echantillon | None:
    """Return the draw that this one extends or replaces; refuse one more that follows none."""
    suivi = commande.etend or commande.remplace
    deja = dossier.tirages_de(commande.population_id)
    if suivi is None:
        if deja:
            raise PopulationDejaTiree(nombre=len(deja))
        return None
    if suivi not in deja:
        raise EchantillonAuditAbsent(id=suivi)
    precedent = dossier.echantillons[suivi]
    if precedent.suivi_par is not None:
        raise EchantillonDejaSuivi(id=suivi, suivi_par=precedent.suivi_par)
    extensible = precedent.methode == commande.methode == "simple"
    if commande.etend is not None and not (extensible and commande.taille > precedent.taille):
        raise ExtensionImpossible(taille=precedent.taille)
    exiger_pas_avant(
        commande.date_effet, "Tirer un échantillon", precedent.tire_le, "le précédent a été tiré"
    )
    return precedent


def _parametres(commande: TirerEchantillonAudit) -> ParametresTirage:
    if commande.methode != "stratifie":
        return ParametresTirage(taille=commande.taille)
    demande = commande.demande()
    return ParametresTirage(
        taille=demande.taille,
        critere=demande.critere,
        bornes_centimes=demande.bornes,
        repartition=demande.repartition,
        selection=demande.selection,
    )


def _strates(tirage: Tirage) -> tuple[StrateTiree, ...]:
    return tuple(
        StrateTiree(
            code=s.code,
            selection=s.selection,
            nombre=s.nombre,
            total_centimes=s.centimes,
            exhaustives_nombre=len(s.exhaustives),
            tirees_nombre=len(s.tirees),
            base_centimes=s.base,
            depart=s.depart,
        )
        for s in tirage.strates
    )


def _unites(tirage: Tirage, montants: Mapping[str, int]) -> tuple[UniteTiree, ...]:
    return tuple(
        UniteTiree(
            depense_id=UUID(i), montant_centimes=montants[i], strate=s.code, exhaustive=exhaustive
        )
        for s in tirage.strates
        for exhaustive, ids in ((True, s.exhaustives), (False, s.tirees))
        for i in ids
    )


def echantillon_de(dossier: DossierAudit, echantillon_id: UUID) -> Echantillon:
    """Return a sample of the file. Raises: EchantillonAuditAbsent."""
    if echantillon_id not in dossier.echantillons:
        raise EchantillonAuditAbsent(id=echantillon_id)
    return dossier.echantillons[echantillon_id]
