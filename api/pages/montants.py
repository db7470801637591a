"""An amount as people type it: « 1 234,56 € »."""

import re

#: 13 digits of euros, as in `oi_service.money`; what could mean two things is none of them.
_ECRIT = re.compile(r"([-\u2212]?)([0-9]{1,13})(?:[.,]([0-9]{1,2}))?")


def lire_centimes(tape: str, *, negatif: bool = False) -> int:
    """Read an amount that somebody typed, as whole cents.

    Args:
        tape: with or without spaces, « € » and decimals, after a comma or a point.
        negatif: whether it may be less than zero.

    Raises: ValueError, with the French sentence shown to the person.
    """
    lu = _ECRIT.fullmatch("".join(tape.split()).removesuffix("€"))
    if lu is None or (lu[1] and not negatif):
        raise ValueError(
            f"« {tape} » n’est pas un montant : écrivez-le en euros, deux décimales au plus, par "
            "exemple 1\u00a0234,56"
        )
    centimes = int(lu[2]) * 100 + int((lu[3] or "").ljust(2, "0"))
    return -centimes if lu[1] else centimes
