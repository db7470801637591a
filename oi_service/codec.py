"""Facts and their bytes: literal names with a version, typed decoding, upcasts of old versions."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec


class Piece(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A supporting document, known by the SHA-256 of its bytes (64 hexadecimal digits).

    ``octets``: the size of its file, when the service held it as the event was recorded; the log
    then says that it was here, and that it is missed if it goes.
    """

    sha256: str
    libelle: str
    type: str
    date_piece: date | None = None
    octets: int | msgspec.UnsetType = msgspec.UNSET


class Evenement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact of the business. ``date_effet`` is the day on which it counts, in Paris.

    These three fields are columns of the log, beside the payload; who did it, in which role and
    when we knew are added by the store.
    """

    date_effet: date
    motif: str | None = None
    pieces: tuple[Piece, ...] = ()


E = TypeVar("E", bound=type[Evenement])
Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class Encoded(NamedTuple):
    """What the log stores of a fact."""

    name: str
    data: str
    date_effet: date
    motif: str | None
    pieces: str | None


_COLUMNS = frozenset(Evenement.__struct_fields__)


class Registry:
    """The vocabulary: stored names to classes. A name, once stored, is for ever."""

    def __init__(self) -> None:
        self.classes: dict[str, type[Evenement]] = {}
        self.names: dict[type[Evenement], str] = {}
        self.upcasts: dict[str, tuple[str, Upcast]] = {}
        self._decoders: dict[str, msgspec.json.Decoder[Evenement]] = {}

    def event(self, name: str) -> Callable[[E], E]:
        """Give a class its stored name, such as ``"operation.dossier_depose.v1"``."""

        def register(cls: E) -> E:
            if name in self.classes or cls in self.names:
                raise ValueError(f"{name} or {cls.__name__} is already registered")
            self.classes[name] = cls
            self.names[cls] = name
            return cls

        return register

    def upcast(self, old: str, new: str) -> Callable[[Upcast], Upcast]:
        """Declare how the stored payload of ``old`` reads as the payload of ``new``.

        The function is pure and sees the payload only; the stored event is never rewritten.
        """

        def register(function: Upcast) -> Upcast:
            self.upcasts[old] = (new, function)
            return function

        return register

    def encode(self, fact: Evenement) -> Encoded:
        """Return the stored form of a fact."""
        payload = {f: getattr(fact, f) for f in fact.__struct_fields__ if f not in _COLUMNS}
        pieces = msgspec.json.encode(fact.pieces).decode() if fact.pieces else None
        return Encoded(
            self.names[type(fact)],
            msgspec.json.encode(payload).decode(),
            fact.date_effet,
            fact.motif,
            pieces,
        )

    def decode(
        self, name: str, data: str, date_effet: str, motif: str | None, pieces: str | None
    ) -> Evenement:
        """Rebuild a fact from its columns; ``date_effet`` is ISO text, as PostgreSQL writes it."""
        while name in self.upcasts:
            name, function = self.upcasts[name]
            data = msgspec.json.encode(function(msgspec.json.decode(data))).decode()
        decoder = self._decoders.get(name)
        if decoder is None:
            decoder = self._decoders[name] = msgspec.json.Decoder(self.classes[name])
        # One typed pass over one JSON text is several times faster than building a dict first.
        head = f'{{"date_effet":"{date_effet}"'
        if motif is not None:
            head += f',"motif":{msgspec.json.encode(motif).decode()}'
        if pieces is not None and pieces != "[]":
            head += f',"pieces":{pieces}'
        return decoder.decode(head + ("}" if data == "{}" else "," + data[1:]))


#: The vocabulary of the service.
REGISTRY = Registry()
event = REGISTRY.event
upcast = REGISTRY.upcast
