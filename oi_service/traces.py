"""The technical log: where it failed, never what the variables held."""

import structlog
from structlog.typing import EventDict, WrappedLogger


def sans_variables() -> None:
    """Write traces without the local variables, among which the identity of a person may be."""
    *avant, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*avant, _lisible, renderer])


def _lisible(_journal: WrappedLogger, _niveau: str, evenement: EventDict) -> EventDict:
    """Show what a value holds that would write lines of its own, or move a terminal."""
    for nom, valeur in evenement.items():
        # The two texts of the frame that are made of lines.
        if isinstance(valeur, str) and nom not in {"exception", "stack"}:
            evenement[nom] = "".join(
                c if c.isprintable() else c.encode("unicode_escape").decode() for c in valeur
            )
    return evenement
