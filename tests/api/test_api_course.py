"""Fifty requests race for the last euros of an enveloppe."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from corps import instruire, ouvrir, plan, programmation
from httpx2 import Response
from porte import Api

CONCURRENTS = 50
PLACES = 10


def test_fifty_requests_never_pass_the_enveloppe(api: Api) -> None:
    _, appel = ouvrir(api, enveloppe=f"{PLACES * 1_000}.99")
    un_plan = plan("1000.00", "1000.00", "2000.00")
    dossiers = [instruire(api, appel, rang, un_plan) for rang in range(1, CONCURRENTS + 1)]
    together = Barrier(CONCURRENTS)

    def programmer(dossier: tuple[str, int]) -> Response:
        operation, version = dossier
        together.wait()
        corps = programmation("1000.00", "2000.00")
        return api.demander(f"/operations/{operation}/programmation", corps, version)

    with ThreadPoolExecutor(CONCURRENTS) as pool:
        answers = list(pool.map(programmer, dossiers))

    losers = [answer for answer in answers if answer.status_code != 200]
    assert len(losers) == CONCURRENTS - PLACES
    for answer in losers:
        assert answer.status_code == 409, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["code"] == "disponible_insuffisant"
        assert problem["details"]["disponible"] == "0.99"
        assert problem["detail"].startswith("1\u202f000,00\u00a0€ de FSE ne peuvent pas être")

    held = api.somme("SELECT programme_centimes FROM projection.enveloppe WHERE plie_id = 'A'")
    said = api.somme(
        "SELECT sum((data->>'fse_centimes')::bigint)::bigint FROM oi.event "
        "WHERE name = 'subvention_globale.enveloppe_reservee.v1'"
    )
    posted = api.somme(
        "SELECT sum(centimes)::bigint FROM projection.mouvement WHERE mesure = 'fse_programme'"
    )
    assert held == said == posted == PLACES * 100_000
