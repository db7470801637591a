"""What French asks of a sentence: the words that a number counts agree with it."""

from decimal import Decimal


def compter(nombre: int | Decimal, mots: str) -> str:
    """Write a number and what it counts, « 1 pièce tirée » or « 2 pièces tirées ».

    Args:
        nombre: how many; French is plural from two on, « 1,5 unité ».
        mots: the words, ``(s)`` where a plural shows: « pièce(s) tirée(s) ».
    """
    exact = nombre.normalize() if isinstance(nombre, Decimal) else Decimal(nombre)
    ecrit = f"{exact:,f}".replace(",", "\u202f").replace(".", ",")
    return f"{ecrit} {mots.replace('(s)', 's' if abs(exact) >= 2 else '')}"
