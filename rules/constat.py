"""What a test says of a cost: conforming, defective, or for a person to judge. Never silence."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import msgspec

from oi_service.errors import french_euros

Statut = Literal["conforme", "anomalie", "a_apprecier"]

#: How each outcome is said to a person.
STATUTS: Mapping[Statut, str] = {
    "conforme": "Conforme",
    "anomalie": "Anomalie",
    "a_apprecier": "À apprécier",
}


class Valeur(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the values that a test compared, written for a reader."""

    nom: str
    valeur: str


class Constat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The outcome of one test on one cost. It informs; the controller decides.

    ``motif_code`` is the motif of the closed list under which the cost would be set aside, were the
    controller to do so; it is there whatever the outcome.
    """

    test: str
    statut: Statut
    motif_code: str
    message: str
    article: str
    valeurs: tuple[Valeur, ...] = ()


class Essai(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test about to give its outcome: what it is, and the text that it applies."""

    test: str
    motif_code: str
    article: str

    def conforme(self, message: str, *valeurs: Valeur) -> Constat:
        """Say that nothing is wrong, and why."""
        return self._constat("conforme", message, valeurs)

    def sans_objet(self, pourquoi: str) -> Constat:
        """Say that the test has nothing to look at here."""
        return self._constat("conforme", f"Sans objet : {pourquoi}.", ())

    def anomalie(self, message: str, *valeurs: Valeur, motif_code: str | None = None) -> Constat:
        """Say what is wrong, where, and what to do."""
        return self._constat("anomalie", message, valeurs, motif_code)

    def a_apprecier(self, message: str, *valeurs: Valeur, motif_code: str | None = None) -> Constat:
        """Say what only a person can judge, and what to look at."""
        return self._constat("a_apprecier", message, valeurs, motif_code)

    def _constat(
        self,
        statut: Statut,
        message: str,
        valeurs: tuple[Valeur, ...],
        motif_code: str | None = None,
    ) -> Constat:
        return Constat(
            test=self.test,
            statut=statut,
            motif_code=motif_code or self.motif_code,
            message=message,
            article=self.article,
            valeurs=valeurs,
        )


def montant(nom: str, centimes: int) -> Valeur:
    """Return an amount compared."""
    return Valeur(nom, french_euros(centimes))


def pourcentage(part: Fraction) -> str:
    """Write an exact share for a French reader: ``104,5 %``, at most two decimals, half up."""
    centiemes = (abs(part) * 10_000 + Fraction(1, 2)).__floor__()
    entier, reste = divmod(centiemes, 100)
    decimales = f",{reste:02d}".rstrip("0").rstrip(",")
    return f"{'-' if part < 0 else ''}{entier}{decimales}\u00a0%"
