"""What a spreadsheet would compute although it was typed as a text."""

import re

#: What makes a spreadsheet compute a cell, after what it does not see.
_FORMULE = re.compile(r"[\s\x00\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


def est_formule(texte: str) -> bool:
    """Tell whether a spreadsheet would take a text for a formula."""
    return _FORMULE.match(texte) is not None


def inerte(texte: str) -> str:
    """Return a text that no spreadsheet computes, for a file that cannot say that it is a text."""
    return f"'{texte}" if est_formule(texte) else texte
