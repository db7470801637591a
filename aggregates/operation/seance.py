"""A session of the programming committee: one record of what it decided on several dossiers."""

from collections import Counter
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from aggregates.commande import Code, Commande, Instance, Numero, Saisie, Texte
from aggregates.operation.programmation import DeciderSansProgrammer, Programmer
from oi_service.errors import Refusal, RuleBroken
from oi_service.money import Montant, euros


class SeanceRefusee(RuleBroken):
    """{refusees} des {total} décisions de la séance sont refusées : rien n’est enregistré."""

    def __init__(self, *, parties: tuple[tuple[int, Refusal], ...], **details: int) -> None:
        """Keep each refusal with the rank of its decision."""
        super().__init__(**details)
        self.parties = parties
        self.defauts = tuple((f"#/decisions/{rang}", str(refus)) for rang, refus in parties)


class DossierDecideDeuxFois(RuleBroken):
    """La séance porte deux décisions sur le même dossier : n’en gardez qu’une."""


class SeanceDePlusieursSubventions(RuleBroken):
    """Le dossier {numero} relève d’une autre subvention globale que les précédents : tenez une
    séance par subvention globale.
    """


class DecisionDeSeance(Saisie):
    """What the committee decided on a dossier, or on the avenant that it names."""

    operation_id: UUID
    decision: Literal["programmer", "ajourner", "refuser"]
    avenant: Numero | None = Field(
        default=None, description="Numéro de l’avenant examiné ; absent, le dossier lui-même."
    )
    fse: Montant | None = Field(default=None, description="FSE programmé, pour un dossier.")
    cout_total: Montant | None = Field(
        default=None, description="Coût total programmé, pour un dossier."
    )
    motif: Texte | None = None
    deports: tuple[Code, ...] = Field(
        default=(), max_length=30, description="Qui s’est retiré de la décision."
    )

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a decision that says too little, or what does not go with it."""
        if self.decision != "programmer" and self.motif is None:
            raise ValueError("ajourner ou refuser demande un motif")
        if self.avenant is not None:
            if self.decision == "ajourner":
                raise ValueError("un avenant est programmé, ou refusé : il ne s’ajourne pas")
            if (self.fse, self.cout_total, self.deports) != (None, None, ()):
                raise ValueError("un avenant ne porte ni montant ni déport : il a son propre plan")
        elif self.decision == "programmer" and (self.fse is None or self.cout_total is None):
            raise ValueError("programmer un dossier demande son FSE et son coût total")


class TenirSeance(Commande):
    """Record a session. ``date_effet`` is its day; ``pieces``, its minutes."""

    instance: Instance
    pv_ref: Texte
    decisions: Annotated[tuple[DecisionDeSeance, ...], Field(min_length=1, max_length=200)]


def exiger_une_decision_par_dossier(commande: TenirSeance) -> None:
    """Refuse a session that decides twice on one thing."""
    fois = Counter((d.operation_id, d.avenant) for d in commande.decisions)
    if max(fois.values()) > 1:
        raise DossierDecideDeuxFois


def programmation_de(seance: TenirSeance, decision: DecisionDeSeance) -> Programmer:
    """Return the command that programmes a dossier."""
    assert decision.fse is not None
    assert decision.cout_total is not None
    return Programmer(
        date_effet=seance.date_effet,
        pieces=seance.pieces,
        instance=seance.instance,
        pv_ref=seance.pv_ref,
        fse=euros(decision.fse),
        cout_total=euros(decision.cout_total),
        deports=decision.deports,
        motif=decision.motif,
    )


def refus_de(seance: TenirSeance, decision: DecisionDeSeance) -> DeciderSansProgrammer:
    """Return the command that adjourns or refuses a dossier."""
    assert decision.motif is not None
    return DeciderSansProgrammer(
        date_effet=seance.date_effet,
        pieces=seance.pieces,
        instance=seance.instance,
        pv_ref=seance.pv_ref,
        deports=decision.deports,
        motif=decision.motif,
    )
