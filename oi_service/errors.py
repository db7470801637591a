"""Refusals: a class per reason, its docstring the French sentence that a person reads."""

import re
from datetime import date
from string import Formatter
from typing import Any, ClassVar

from oi_service.francais import compter
from oi_service.money import euros


def french_euros(cents: int) -> str:
    """Write cents for a French reader: ``1 234,56 €``, no-break spaces, a true minus sign."""
    whole, decimals = euros(cents).split(".")
    sign, digits = ("\u2212", whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(digits):,}".replace(",", "\u202f")
    return f"{sign}{grouped},{decimals}\u00a0€"


class _Sentence(Formatter):
    """Understands ``{x:euros}`` (cents) and ``{x:pièce(s)}``; writes days as JJ/MM/AAAA."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "euros":
            return french_euros(value)
        if "(s)" in format_spec:
            return compter(value, format_spec)
        if isinstance(value, date):
            return value.strftime("%d/%m/%Y")
        return str(super().format_field(value, format_spec))


class Refusal(Exception):
    """La demande est refusée."""

    #: The text that the refusal applies, as a reader would look it up.
    article: ClassVar[str | None] = None
    #: Of a refusal made of several: where each is in what was asked, and its sentence.
    defauts: tuple[tuple[str, str], ...] = ()

    def __init__(self, **details: Any) -> None:
        """Keep the facts of the refusal; they fill the braces of the docstring."""
        super().__init__(type(self).__name__)
        self.details = details

    @classmethod
    def code(cls) -> str:
        """Return the stable code of the refusal: the class name in snake case."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __str__(self) -> str:
        return _Sentence().vformat(" ".join((self.__doc__ or "").split()), (), self.details)


class NotFound(Refusal):
    """L’élément demandé n’existe pas."""


class Conflict(Refusal):
    """La demande contredit un fait enregistré."""


class RuleBroken(Refusal):
    """Une règle de gestion s’oppose à la demande."""


class Forbidden(Refusal):
    """Ce rôle n’a pas accès à ce qui est demandé."""


class Unauthenticated(Refusal):
    """Connectez-vous d’abord : cette adresse demande de savoir qui vous êtes."""


class TooManyRequests(Refusal):
    """Trop de demandes en peu de temps : recommencez dans {secondes} secondes."""


class StaleVersion(Refusal):
    """La page que vous aviez sous les yeux n’est plus à jour : le dossier est passé de la version
    {attendue} à la version {actuelle}. Rechargez-le et recommencez.
    """


class IdempotencyKeyReused(Refusal):
    """Cette clé d’idempotence a déjà servi pour une autre demande : prenez une nouvelle clé pour
    une nouvelle demande.
    """


class Busy(Refusal):
    """Trop de demandes simultanées portent sur les mêmes données : rien n’a été enregistré,
    renvoyez la demande avec la même clé d’idempotence.
    """
