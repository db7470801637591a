"""What decisions on an audit of operations ask of its past."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal, assert_never, cast
from uuid import UUID

import msgspec

from aggregates.cadre import Cadre
from aggregates.controle_operation.events import (
    ConstatRectifie,
    ControleAnnule,
    ControleClos,
    ControleCommence,
    ControleNotifie,
    DelaiReponseProlonge,
    DelaiSuiteProlonge,
    Fait,
    Issue,
    LienSuite,
    Mesure,
    PerimetreControle,
    PerimetreRectifie,
    RapportDefinitifRecu,
    RapportProvisoireRecu,
    ReponseFaite,
    Resultat,
    SuiteAnnulee,
    SuiteDecidee,
    SuiteExecutee,
    SuitesDuControleCloses,
)
from oi_service.aggregate import Aggregate
from oi_service.codec import Evenement
from oi_service.errors import NotFound

Statut = Literal[
    "notifie",
    "en_cours",
    "rapport_provisoire",
    "contradictoire",
    "rapport_definitif",
    "suites_a_donner",
    "suites_closes",
    "clos",
    "annule",
]
#: Where a control stands, as people say it, in the order of its life.
LIBELLES: Mapping[Statut, str] = {
    "notifie": "notifié",
    "en_cours": "en cours",
    "rapport_provisoire": "rapport provisoire reçu",
    "contradictoire": "en phase contradictoire",
    "rapport_definitif": "rapport définitif reçu",
    "suites_a_donner": "suites à donner",
    "suites_closes": "suites closes",
    "clos": "clos",
    "annule": "annulé",
}
StatutSuite = Literal["a_faire", "executee", "annulee"]
LIBELLES_SUITE: Mapping[StatutSuite, str] = {
    "a_faire": "à faire",
    "executee": "exécutée",
    "annulee": "annulée",
}


class ControleOperationAbsent(NotFound):
    """Aucun contrôle d’opération ne porte l’identifiant {id}."""


class Constat(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: what the provisional report proposes, what the final one keeps. In cents.

    ``le``: the day of the last report or letter that fixed its amounts.
    """

    numero: int
    operation_id: UUID
    cout_total_propose: int
    fse_propose: int
    extrapole: bool
    le: date
    issue: Issue | None = None
    cout_total_retenu: int = 0
    fse_retenu: int = 0

    @property
    def retenu_ou_propose(self) -> tuple[int, int]:
        """Its total cost and FSE as they now stand: what is proposed, until the final report."""
        if self.issue is None:
            return self.cout_total_propose, self.fse_propose
        return self.cout_total_retenu, self.fse_retenu

    @property
    def retenu(self) -> bool:
        """Tell whether the final report keeps it, with or without an amount."""
        return self.issue in {"maintenu", "reduit"}

    @property
    def corrige(self) -> bool:
        """Tell whether it takes something away."""
        return self.retenu and (self.cout_total_retenu > 0 or self.fse_retenu > 0)


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A follow-up of a finding; ``liens``: what its execution names."""

    constat_numero: int
    mesure: Mesure
    echeance: date
    le: date  #: when it was decided, or its deadline last moved
    statut: StatutSuite = "a_faire"
    executee_le: date | None = None
    liens: tuple[LienSuite, ...] = ()


class ControleOperation(msgspec.Struct, frozen=True, kw_only=True):
    """An audit of operations by a controlling body. Amounts are cents."""

    cadre: Cadre
    reference: str
    perimetre: PerimetreControle
    notifie_le: date
    dernier_le: date  #: the latest day of all its acts
    statut: Statut = "notifie"
    provisoire_le: date | None = None
    prolonge_le: date | None = None
    definitif_le: date | None = None
    date_limite_reponse: date | None = None
    date_limite_suites: date | None = None
    resultat: Resultat | None = None
    constats: dict[int, Constat] = {}
    suites: dict[UUID, Suite] = {}

    @property
    def cout_total_controle(self) -> int:
        """Total cost under control, all operations together."""
        return sum(o.cout_total_controle_centimes for o in self.perimetre.operations)

    @property
    def retenu(self) -> tuple[int, int]:
        """What the final report keeps: total cost, then FSE."""
        constats = self.constats.values()
        return sum(c.cout_total_retenu for c in constats), sum(c.fse_retenu for c in constats)

    def propose(self, operation_id: UUID, *, sauf: int | None = None) -> int:
        """What findings propose to take of what was looked at, of its cost or of the Fund alone."""
        return sum(
            c.cout_total_propose or c.fse_propose
            for c in self.constats.values()
            if c.operation_id == operation_id and c.numero != sauf and not c.extrapole
        )

    def suites_du(self, constat_numero: int) -> Iterator[Suite]:
        """Yield the follow-ups of a finding that stand."""
        for suite in self.suites.values():
            if suite.constat_numero == constat_numero and suite.statut != "annulee":
                yield suite


def _with_constat(state: ControleOperation, numero: int, **changes: object) -> ControleOperation:
    constat = msgspec.structs.replace(state.constats[numero], **changes)
    return msgspec.structs.replace(state, constats={**state.constats, numero: constat})


def _with_suite(state: ControleOperation, suite_id: UUID, **changes: object) -> ControleOperation:
    suite = msgspec.structs.replace(state.suites[suite_id], **changes)
    return msgspec.structs.replace(state, suites={**state.suites, suite_id: suite})


def evolve(state: ControleOperation | None, fact: Evenement) -> ControleOperation:
    """Apply a fact; never refuses."""
    fait = cast("Fait", fact)
    if isinstance(fait, ControleNotifie):
        return ControleOperation(
            cadre=fait.cadre,
            reference=fait.reference,
            perimetre=fait.perimetre,
            notifie_le=fait.date_effet,
            dernier_le=fait.date_effet,
        )
    assert state is not None
    replace = msgspec.structs.replace
    state = replace(state, dernier_le=max(state.dernier_le, fait.date_effet))
    match fait:
        case PerimetreRectifie():
            return replace(state, perimetre=fait.apres)
        case ControleCommence():
            return replace(state, statut="en_cours")
        case RapportProvisoireRecu():
            return replace(
                state,
                statut="rapport_provisoire",
                provisoire_le=fait.date_effet,
                date_limite_reponse=fait.date_limite_reponse,
                constats={
                    c.numero: Constat(
                        numero=c.numero,
                        operation_id=c.operation_id,
                        cout_total_propose=c.cout_total_centimes,
                        fse_propose=c.fse_centimes,
                        extrapole=c.extrapole,
                        le=fait.date_effet,
                    )
                    for c in fait.constats
                },
            )
        case ReponseFaite():
            return replace(state, statut="contradictoire")
        case DelaiReponseProlonge():
            return replace(
                state, prolonge_le=fait.date_effet, date_limite_reponse=fait.date_limite_apres
            )
        case RapportDefinitifRecu():
            for tranche in fait.constats:
                state = _with_constat(
                    state,
                    tranche.numero,
                    issue=tranche.issue,
                    cout_total_retenu=tranche.cout_total_centimes,
                    fse_retenu=tranche.fse_centimes,
                    le=fait.date_effet,
                )
            return replace(
                state,
                statut="rapport_definitif",
                definitif_le=fait.date_effet,
                resultat=fait.resultat,
                date_limite_suites=fait.date_limite_suites,
            )
        case ConstatRectifie():
            phase = "propose" if fait.issue_apres is None else "retenu"
            montants = {
                f"cout_total_{phase}": fait.cout_total_apres_centimes,
                f"fse_{phase}": fait.fse_apres_centimes,
            }
            state = _with_constat(
                state,
                fait.constat_numero,
                issue=fait.issue_apres,
                le=fait.date_effet,
                **montants,
            )
            return replace(state, resultat=fait.resultat_apres)
        case SuiteDecidee():
            suite = Suite(
                constat_numero=fait.constat_numero,
                mesure=fait.mesure,
                echeance=fait.echeance,
                le=fait.date_effet,
            )
            suites = {**state.suites, fait.suite_id: suite}
            return replace(state, statut="suites_a_donner", suites=suites)
        case DelaiSuiteProlonge():
            return _with_suite(
                state, fait.suite_id, echeance=fait.echeance_apres, le=fait.date_effet
            )
        case SuiteExecutee():
            return _with_suite(
                state,
                fait.suite_id,
                statut="executee",
                executee_le=fait.date_effet,
                liens=fait.liens,
            )
        case SuiteAnnulee():
            return _with_suite(state, fait.suite_id, statut="annulee")
        case SuitesDuControleCloses():
            return replace(state, statut="suites_closes")
        case ControleClos():
            return replace(state, statut="clos")
        case ControleAnnule():
            return replace(state, statut="annule")
        case _:
            assert_never(fait)


CONTROLE_OPERATION = Aggregate("controle_operation", evolve, ControleOperationAbsent)
