"""What a text may never hold in clear: the number of a bank account, that of a person.

Both are recognised by their check digits, whatever the spaces. A name is not: no program tells one
from another word.
"""

import re
import unicodedata

from stdnum import iban
from stdnum.fr import nir

#: A text is read as a machine would print it: wide digits, no-break spaces, invisible marks.
_INVISIBLE = "Cf"
_DEBUT_IBAN = re.compile(r"(?=([A-Za-z]{2}[0-9]{2}))")
#: What neither number does without, looked for first: most texts stop there.
_CLE_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}")
_NAISSANCE = re.compile(r"[1-478](?:[ .-]?[0-9]){5}")
_IBAN_MIN, _IBAN_MAX = 15, 34
_NIR_MIN = 15
#: Sex (3, 4, 7 and 8 wait for a final number), year and month of birth, département (Corsica has a
#: letter) and the rest; people write spaces, points or hyphens between groups.
_NIR = re.compile(
    r"""(?<![0-9])
    (?=([1-478](?:[\ .-]?[0-9]){5}[\ .-]?[0-9ABab](?:[\ .-]?[0-9]){8})(?![0-9]))""",
    re.VERBOSE,
)


def contient_un_iban(texte: str) -> bool:
    """Tell whether a text holds a whole IBAN of any country."""
    lu = _lu(texte)
    if len(lu) < _IBAN_MIN or not _CLE_IBAN.search(lu):
        return False
    for debut in _DEBUT_IBAN.finditer(lu):
        suite = "".join(c for c in lu[debut.start() :] if c.isascii() and c.isalnum())[:_IBAN_MAX]
        longueurs = range(_IBAN_MIN, len(suite) + 1)
        if any(iban.is_valid(suite[:n], check_country=False) for n in longueurs):
            return True
    return False


def contient_un_nir(texte: str) -> bool:
    """Tell whether a text holds a whole French social security number, with its key."""
    lu = _lu(texte)
    if len(lu) < _NIR_MIN or not _NAISSANCE.search(lu):
        return False
    return any(nir.is_valid(re.sub(r"[ .-]", "", trouve[1])) for trouve in _NIR.finditer(lu))


def _lu(texte: str) -> str:
    if texte.isascii():
        return texte
    normal = unicodedata.normalize("NFKC", texte)
    if normal.isprintable():  # An invisible mark is not: most texts stop here.
        return normal
    return "".join(c for c in normal if unicodedata.category(c) != _INVISIBLE)
