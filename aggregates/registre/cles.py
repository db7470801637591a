"""The key that signs the points of the log: established once, then changed by a signed fact."""

from datetime import date

from aggregates.registre.events import CleChangee, CleEtablie
from aggregates.registre.state import Registre
from oi_service.errors import Conflict, RuleBroken


class CleDejaEtablie(Conflict):
    """Le journal a déjà une clé de signature, et ce n’est pas celle de ce dossier des clés : elle
    vient d’être établie d’ailleurs. Un seul dossier de clés sert un journal.
    """


class CleJamaisEtablie(Conflict):
    """Le journal n’a pas encore de clé à changer : « oi ancrer » établit la première."""


class MotifDeLaPerte(RuleBroken):
    """Une clé perdue se remplace sans signature de la précédente : dites pourquoi (--motif), un
    auditeur le lira.
    """


def message(origine: str, depuis: int, nouvelle: str) -> bytes:
    """Return what the key before signs to hand over to another one."""
    return f"oi_service/cle/1\n{origine}\n{depuis}\n{nouvelle}\n".encode()


def etablir(registre: Registre | None, cle: str, *, le: date) -> list[CleEtablie]:
    """Make a key the first one; nothing to do when it already is the one that signs."""
    if registre is None or registre.cle is None:
        return [CleEtablie(date_effet=le, cle=cle)]
    if registre.cle != cle:
        raise CleDejaEtablie
    return []


def changer(
    registre: Registre | None,
    cle: str,
    depuis: int,
    signature: str | None,
    motif: str | None,
    *,
    le: date,
) -> list[CleChangee]:
    """Hand over to another key; without a signature, somebody says why."""
    if registre is None or registre.cle is None:
        raise CleJamaisEtablie
    if signature is None and not motif:
        raise MotifDeLaPerte
    return [CleChangee(date_effet=le, motif=motif, cle=cle, depuis=depuis, signature=signature)]
