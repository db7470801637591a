"""What an operator may set: the provider, its secret, and what becomes of passwords."""

from pathlib import Path
from typing import Any

import pytest
from comptes_joues import AGENT, ICI, PHRASE, Maison, acces_leger
from terminal import ligne_de_commande

from oi_service.acces.acces import Reglages
from oi_service.acces.oidc import OidcMalRegle, reglages_de
from oi_service.acces.refus import IdentifiantsRefuses
from oi_service.acces.traces import FiltresTraces
from oi_service.settings import Settings

DONNES: dict[str, Any] = {
    "oidc_emetteur": "https://fi.example",
    "oidc_client": "pivot-fse",
    "oidc_secret": "secret fictif",
}


def test_without_a_provider_nothing_changes() -> None:
    assert reglages_de(Settings()) is None
    assert Reglages.de(Settings(connexion_locale="non")).connexion_locale


def test_a_provider_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for nom, valeur in {**DONNES, "oidc_nom": "ProConnect"}.items():
        monkeypatch.setenv(f"OI_{nom.upper()}", valeur)
    lus = reglages_de(Settings())
    assert lus is not None
    assert (lus.emetteur, lus.client, lus.nom) == ("https://fi.example", "pivot-fse", "ProConnect")
    assert lus.secret == "secret fictif"  # noqa: S105
    assert not lus.courriels_verifies
    # What is printed by mistake does not hold it.
    assert "secret fictif" not in f"{lus!r}{Settings()!r}"


def test_the_secret_may_be_in_a_file(tmp_path: Path) -> None:
    fichier = tmp_path / "secret"
    fichier.write_text("secret fictif\n", encoding="utf-8")
    lus = reglages_de(Settings(**{**DONNES, "oidc_secret": None, "oidc_secret_fichier": fichier}))
    assert lus is not None
    assert lus.secret == "secret fictif"  # noqa: S105


@pytest.mark.parametrize(
    ("change", "raison"),
    [
        ({"oidc_emetteur": "http://fi.example"}, "OI_OIDC_EMETTEUR"),
        ({"oidc_client": None}, "OI_OIDC_CLIENT"),
        ({"oidc_portees": "email"}, "OI_OIDC_PORTEES"),
        ({"oidc_secret": None}, "OI_OIDC_SECRET"),
        ({"oidc_secret": None, "oidc_secret_fichier": Path("/nulle/part")}, "/nulle/part"),
    ],
)
def test_a_half_set_provider_is_refused_at_once(change: dict[str, Any], raison: str) -> None:
    with pytest.raises(OidcMalRegle, match=raison):
        reglages_de(Settings(**{**DONNES, **change}))


def test_an_administrator_of_the_machine_undoes_a_link(
    base: str,
    maison: Maison,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    maison.compte("gestionnaire-1")
    with maison.service.journal.pool.connection() as conn:
        conn.execute(
            "INSERT INTO acces.oidc_lien "
            "VALUES ('https://fi.example', 's', 'gestionnaire-1', now())"
        )
    oi = ligne_de_commande(base, capsys, monkeypatch, 100)
    code, dit = oi("delier-identite", "gestionnaire-1")
    assert code == 2
    assert "OI_OIDC_EMETTEUR n’est pas donné" in dit
    for nom, valeur in DONNES.items():
        monkeypatch.setenv(f"OI_{nom.upper()}", valeur)
    assert oi("delier-identite", "gestionnaire-1@oi.example") == (0, "Lien défait.\n")
    assert oi("delier-identite", "gestionnaire-1") == (0, "Ce compte n’avait pas de lien.\n")
    [trace] = maison.acces.traces(FiltresTraces(nature="identite_deliee")).traces
    assert trace.identifiant == "gestionnaire-1"


def test_passwords_may_be_left_to_administrators(maison: Maison) -> None:
    agent = maison.compte("gestionnaire-1", "gestionnaire_oi")
    secours = maison.compte("administrateur-1", "administrateur")
    reglages = Reglages.de(Settings(**DONNES, connexion_locale="non"))
    acces = acces_leger(
        maison.service, maison.service.lieux.cles, connexion_locale=reglages.connexion_locale
    )
    with pytest.raises(IdentifiantsRefuses):
        acces.connecter(agent, PHRASE, adresse=ICI, agent=AGENT)
    # The provider may be down for days: who opens accounts still comes in.
    assert acces.connecter(secours, PHRASE, adresse=ICI, agent=AGENT).jeton
    with pytest.raises(IdentifiantsRefuses):
        acces.connecter(secours, "une autre phrase", adresse=ICI, agent=AGENT)
    raisons = [trace.objet.get("raison") for trace in acces.traces().traces]
    assert raisons[0] == "mot_de_passe"
    assert "connexion_locale_fermee" in raisons
