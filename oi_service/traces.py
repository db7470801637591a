"""The technical log: where it failed, never what the variables held."""

import structlog


def sans_variables() -> None:
    """Write traces without the local variables, among which the identity of a person may be."""
    *avant, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*avant, renderer])
