"""A way in for the measures that go through HTTP: an account and its token, as a program has."""

from datetime import date, timedelta

from oi_service.acces.identite import Attribution, Identite
from oi_service.application import Service
from oi_service.comptes import Attribue, ouvrir_au_journal

#: More requests than a measure sends.
SANS_LIMITE = {"OI_DEBIT": "100000000/minute"}


def en_tetes(service: Service, acteur: str, role: str) -> dict[str, str]:
    """Return the headers of a program that acts for a new account."""
    ouvrir_au_journal(service, acteur, [Attribue(role)], date(2022, 1, 1))
    service.acces.enregistrer(acteur, f"{acteur}@bench.example", acteur)
    qui = Identite(identifiant=acteur, nom=acteur, attributions=(Attribution(role),))
    jeton = service.acces.creer_jeton(qui, "mesure", [role], timedelta(days=1), lecture_seule=False)
    return {"Authorization": f"Bearer {jeton}"}
