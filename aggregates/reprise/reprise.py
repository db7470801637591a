"""Taking over a past operation from a list, and undoing it.

What is taken over is not programmed here: no committee of this OI decided it, and it takes nothing
from an enveloppe.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aggregates.cadre import Cadre
from aggregates.commande import CommandeMotivee, Empreinte, Saisie, Texte
from aggregates.reprise.events import OperationReprise, RepriseAnnulee, SourceReprise
from aggregates.reprise.state import Reprise
from oi_service.dates import Jour, Periode
from oi_service.errors import RuleBroken
from oi_service.money import Montant
from rules.reprise import LIBELLES, Ligne, examiner


class RepriseRefusee(RuleBroken):
    """La ligne {ligne} de la liste n’est pas reprise : {anomalies}."""


class RepriseDejaAnnulee(RuleBroken):
    """Cette reprise est déjà annulée, depuis le {annulee_le}."""


class AnnulationAvantProgrammation(RuleBroken):
    """La reprise ne s’annule pas au {date_effet} : l’opération n’est programmée, et ne compte, que
    depuis le {date_programmation}.
    """


class SourceSaisie(Saisie):
    """The list and the line."""

    fichier: Texte
    sha256: Empreinte
    ligne: Annotated[int, Field(ge=1)]
    reference: Texte | None = None


#: What its identifier is made of: never another, nor in another order, or a list that was already
#: taken over would be taken over twice.
_CONTENU = (
    "programme",
    "intitule",
    "beneficiaire",
    "code_postal",
    "date_debut",
    "date_fin",
    "date_programmation",
    "cout_total_eligible",
    "fse",
    "pays",
    "categorie_intervention",
    "fonds",
)


def _court(programme: str) -> str:
    # It is a key of the ledger: an index holds no long text.
    if len(programme) > 200:
        raise ValueError("un programme s’écrit en 200 caractères au plus : donnez son code")
    return programme


class OperationListee(Saisie):
    """A line of a list of operations, as it was read; lists come by the command line."""

    source: SourceSaisie
    programme: Annotated[Texte, AfterValidator(_court)]
    intitule: Texte
    beneficiaire: Texte
    code_postal: Texte | None = None
    date_debut: Jour
    date_fin: Jour
    date_programmation: Jour
    cout_total_eligible: Montant
    fse: Montant
    pays: Texte
    categorie_intervention: Texte | None = None
    #: Money of another fund is never counted with the Fund's.
    fonds: Literal["FSE", "FSE+"]

    @property
    def contenu(self) -> tuple[str, ...]:
        """What makes it this operation and no other, wherever and however it is written."""
        return tuple(str(_ecrit(getattr(self, champ))) for champ in _CONTENU)

    def ligne(self) -> Ligne:
        """Return what the rules look at."""
        return Ligne(
            date_debut=self.date_debut,
            date_fin=self.date_fin,
            date_programmation=self.date_programmation,
            cout_total_eligible_centimes=self.cout_total_eligible,
            fse_centimes=self.fse,
        )


def _ecrit(valeur: object) -> str:
    return "" if valeur is None else str(valeur)


def reprendre(
    reprise: Reprise | None, operation: OperationListee, cadre: Cadre
) -> list[OperationReprise]:
    """Take over an operation on its day of programming; what is improbable is marked or refused.

    One that is already there is left as it is, annulled or not.
    """
    if reprise is not None:
        return []
    anomalies = examiner(operation.ligne())
    refusees = [LIBELLES[a.code] for a in anomalies if a.mode == "refuser"]
    if refusees:
        raise RepriseRefusee(ligne=operation.source.ligne, anomalies=", ".join(refusees))
    return [
        OperationReprise(
            date_effet=operation.date_programmation,
            cadre=cadre,
            source=SourceReprise(**operation.source.model_dump()),
            programme=operation.programme,
            intitule=operation.intitule,
            beneficiaire=operation.beneficiaire,
            code_postal=operation.code_postal,
            periode=Periode(debut=operation.date_debut, fin=operation.date_fin),
            date_programmation=operation.date_programmation,
            cout_total_eligible_centimes=operation.cout_total_eligible,
            fse_centimes=operation.fse,
            pays=operation.pays,
            categorie_intervention=operation.categorie_intervention,
            fonds=operation.fonds,
            anomalies=anomalies,
        )
    ]


class AnnulerReprise(CommandeMotivee):
    """Undo a reprise: from ``date_effet`` on it does not count, which may be from the start."""


def annuler(reprise: Reprise, commande: AnnulerReprise) -> list[RepriseAnnulee]:
    """Undo a reprise made by mistake: its amounts leave the ledger on the day that is said."""
    if reprise.annulee_le is not None:
        raise RepriseDejaAnnulee(annulee_le=reprise.annulee_le)
    if commande.date_effet < reprise.date_programmation:
        raise AnnulationAvantProgrammation(
            date_effet=commande.date_effet, date_programmation=reprise.date_programmation
        )
    return [
        RepriseAnnulee(
            date_effet=commande.date_effet,
            motif=commande.motif,
            pieces=commande.jointes(),
            cout_total_eligible_centimes=reprise.cout_total_eligible,
            fse_centimes=reprise.fse,
        )
    ]
