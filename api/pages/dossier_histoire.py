"""The history of a dossier: which of its acts are shown, by what they are about and by whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from projections.histoire import ROLES
from projections.journal import EvenementLu

#: What acts are about, by the beginning of the name of their facts; the first that fits counts.
_SUJETS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "programmation",
        "Programmation",
        (
            "operation.programmee",
            "operation.ajournee",
            "operation.refusee",
            "operation.deprogrammee",
            "operation.decision_notifiee",
            "operation.programmation_modifiee",
        ),
    ),
    ("dossier", "Dossier, instruction, exécution", ("operation.",)),
    ("avenants", "Avenants", ("convention.avenant_",)),
    ("convention", "Convention", ("convention.signee", "convention.notifiee")),
    (
        "paiements",
        "Paiements et reversements",
        (
            "convention.paiement_",
            "convention.ordre_",
            "convention.reversement_",
            "convention.compensation_",
            "convention.contestation_",
            "convention.creance_",
            "convention.delai_paiement_",
        ),
    ),
    ("bilans", "Bilans et contrôles", ("convention.",)),
    ("depenses", "Dépenses", ("depense.",)),
    ("contreparties", "Contreparties", ("contrepartie.",)),
    ("audits", "Contrôles d’opération et audits", ("controle_operation.",)),
)
_LIBELLES = {code: libelle for code, libelle, _ in _SUJETS}


def sujet_de(nom: str) -> str:
    """Return what a fact is about; nothing for what touches the dossier from elsewhere."""
    for code, _, debuts in _SUJETS:
        if nom.startswith(debuts):
            return code
    return ""


@dataclass(frozen=True, slots=True)
class DemandeDHistoire:
    """Which acts an address asks for; all by default."""

    sujet: str = ""
    acteur: str = ""

    @property
    def champs(self) -> tuple[tuple[str, str], ...]:
        """What is asked, as fields of a form."""
        dits = (("sujet", self.sujet), ("acteur", self.acteur))
        return tuple((nom, valeur) for nom, valeur in dits if valeur)

    def garde(self, lus: Iterable[EvenementLu]) -> bool:
        """Tell whether an act is shown."""
        return any(
            (not self.sujet or sujet_de(lu.name) == self.sujet)
            and (not self.acteur or lu.acteur == self.acteur)
            for lu in lus
        )


TOUT = DemandeDHistoire()


@dataclass(frozen=True, slots=True)
class FiltreHistoire:
    """The form that chooses acts."""

    sujets: tuple[tuple[str, str], ...]
    acteurs: tuple[tuple[str, str], ...]
    demande: DemandeDHistoire
    caches: tuple[tuple[str, str], ...]
    actif: bool


def demande_d_histoire(
    sujet: Annotated[str, Query(max_length=40)] = "",
    acteur: Annotated[str, Query(max_length=64)] = "",
) -> DemandeDHistoire:
    """Read which acts an address asks for; what does not exist asks for nothing."""
    return DemandeDHistoire(sujet if sujet in _LIBELLES else "", acteur)


def filtre_de_l_histoire(
    demande: DemandeDHistoire, lus: Sequence[EvenementLu], requete: Mapping[str, str]
) -> FiltreHistoire:
    """Offer what the history holds, and nothing else."""
    presents = {sujet_de(lu.name) for lu in lus}
    acteurs = {lu.acteur: ROLES.get(lu.role, lu.role) for lu in lus}
    return FiltreHistoire(
        sujets=tuple((code, libelle) for code, libelle in _LIBELLES.items() if code in presents),
        acteurs=tuple((qui, f"{qui} ({role})") for qui, role in sorted(acteurs.items())),
        demande=demande,
        caches=tuple(requete.items()),
        actif=demande != TOUT,
    )
