"""The order of dates: what undoes, corrects or follows a fact never counts before it.

A fact that corrects another carries the difference between both. Dated before what it corrects, it
would count alone on the days between the two.
"""

from datetime import date

from oi_service.errors import RuleBroken


class ActeAvantLePrecedent(RuleBroken):
    """{acte} est impossible à la date du {jour} : {precedent} le {le}. Datez cet acte du {le} au
    plus tôt.
    """


def exiger_pas_avant(jour: date, acte: str, le: date | None, precedent: str) -> None:
    """Refuse an act dated before the one that it follows; ``None``: there is no such act.

    ``acte`` is an infinitive, ``precedent`` a clause that the day ends: « ce paiement a été
    effectué ».
    """
    if le is not None and jour < le:
        raise ActeAvantLePrecedent(acte=acte, jour=jour, precedent=precedent, le=le)
