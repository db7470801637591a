"""Which facts of a stream count on a day, so that its state can be told as it stood then."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol, TypeVar

from aggregates.convention import events as ce
from oi_service.codec import Evenement


class _Lu(Protocol):
    @property
    def fait(self) -> Evenement: ...

    @property
    def date_effet(self) -> date: ...


L = TypeVar("L", bound=_Lu)

#: What a fact is about: the name of a field and its value.
_Chose = tuple[str, object]

#: Fields that name something that an earlier fact of the same stream made.
_CHAMPS = ("bilan_id", "csf_id", "paiement_id", "ordre_id")
_FONDATIONS: dict[type[Evenement], str] = {
    ce.BilanDepose: "bilan_id",
    ce.CsfOuvert: "csf_id",
    ce.PaiementPrepare: "paiement_id",
    ce.PaiementOrdonnance: "paiement_id",
    ce.OrdreReversementEmis: "ordre_id",
    ce.AvenantDemande: "numero",
}
#: Facts about an avenant, which has a number and no identifier.
_SUITES_D_AVENANT = (ce.AvenantProgramme, ce.AvenantSigne, ce.AvenantAbandonne)


def en_effet(lus: Sequence[L], effet_au: date) -> list[L]:
    """Keep the facts of a stream that count on a day, and those that they rest on.

    Days of effect need not follow the order of the facts: an order typed with the date of the 5th
    may have been paid on the 4th. On the 4th the order is kept, or nobody could say what was paid.
    What does not exist yet on that day has no fact at all.
    """
    if not lus or lus[0].date_effet > effet_au:
        return []
    gardes: list[L] = []
    attendues: set[_Chose] = set()
    for lu in reversed(lus):
        fait = lu.fait
        if lu.date_effet <= effet_au or _fonde(fait) in attendues:
            gardes.append(lu)
            attendues.update(_repose_sur(fait))
    return gardes[::-1]


def _fonde(fait: Evenement) -> _Chose | None:
    """Return what a fact makes."""
    champ = _FONDATIONS.get(type(fait))
    return None if champ is None else (champ, getattr(fait, champ))


def _repose_sur(fait: Evenement) -> Iterator[_Chose]:
    """Yield everything that a fact names."""
    if isinstance(fait, _SUITES_D_AVENANT):
        yield "numero", fait.numero
    for champ in _CHAMPS:
        if (valeur := getattr(fait, champ, None)) is not None:
            yield champ, valeur
