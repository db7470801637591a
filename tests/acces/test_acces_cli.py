"""Accounts from the command line: the first administrator, a new code, the demonstration."""

import re
from datetime import date

import pytest
from comptes_joues import AGENT, ICI, LEGER, PHRASE, Horloge, Maison
from terminal import Oi, ligne_de_commande
from vie import Vie

from oi_service import comptes
from oi_service.acces.identite import Attribution
from oi_service.acces.mots_de_passe import MotsDePasse
from oi_service.acces.refus import IdentifiantsRefuses
from oi_service.application import Acte, Service
from oi_service.codec import REGISTRY
from oi_service.ids import new_id

JOUR = date(2018, 2, 12)
REFUSEE = (
    "02/03/2026 à 09:00  connexion refusée  compte-1  192.0.2.7  raison : mot_de_passe, attente : 0"
)
CODE = re.compile(r"(?:\w{6}-){3}\w{6}")


@pytest.fixture
def oi(
    base: str,
    service: Service,
    horloge: Horloge,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    """Lend the command line on the base and the folders of the service."""
    monkeypatch.setenv("OI_CLES_DIR", str(service.lieux.cles))
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def test_the_first_administrator_is_created_once(oi: Oi, maison: Maison) -> None:
    who = ("--courriel", "Admin@oi.example", "--nom", "Administration fictive")
    code, dit = oi("creer-administrateur", *who)
    assert code == 0
    [activation] = CODE.findall(dit)
    assert "avant 72 heures" in dit
    maison.acces.activer("admin@oi.example", activation, PHRASE)
    identite = maison.identite(maison.entrer("admin@oi.example"))
    assert identite.attributions == (Attribution("administrateur"),)
    assert re.fullmatch(r"agent-\w{8}", identite.identifiant)
    # What names the person is not in the log.
    with maison.service.reads.connection() as conn:
        [journal] = conn.execute("SELECT string_agg(e::text, '') FROM oi.event AS e").fetchall()
    assert "fictive" not in journal[0]

    autre = ("--courriel", "autre@oi.example", "--nom", "Autre")
    code, dit = oi("creer-administrateur", *autre)
    assert code == 2
    assert f"déjà en fonction ({identite.identifiant})" in dit
    assert oi("creer-administrateur", *who, "--malgre")[0] == 2  # One address, one account.
    assert oi("creer-administrateur", *autre, "--malgre")[0] == 0
    code, dit = oi("comptes")
    assert f"{identite.identifiant}  Administration fictive, admin@oi.example" in dit
    assert "ouvert ; administrateur ; second facteur : non ; entré le 02/03/2026 à 09:00" in dit
    assert "ouvert, à activer avant le 05/03/2026 à 09:00 ; administrateur" in dit
    assert "2 comptes." in dit


def test_a_creation_that_was_cut_is_done_again(oi: Oi, maison: Maison) -> None:
    maison.acces.enregistrer("agent-perdu", "admin@oi.example", "Coupé avant le journal")
    assert "absent du journal" in oi("comptes")[1]
    who = ("--courriel", "admin@oi.example", "--nom", "Administration fictive")
    assert oi("creer-administrateur", *who)[0] == 0
    assert "agent-perdu" not in oi("comptes")[1]


def test_somebody_who_lost_everything_gets_a_new_code(oi: Oi, maison: Maison) -> None:
    courriel = maison.compte("compte-1", "ordonnateur_oi")
    maison.installer(courriel)
    code, dit = oi("reactiver", courriel.upper(), "--second-facteur")
    assert code == 0
    assert "Compte compte-1" in dit
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel)
    maison.acces.activer(courriel, CODE.findall(dit)[0], PHRASE)
    assert maison.identite(maison.entrer(courriel)).second_facteur_a_installer
    assert oi("reactiver", "compte-1")[0] == 0
    code, dit = oi("reactiver", "personne")
    assert code == 2
    assert "Aucun accès n’est enregistré pour le compte « personne »" in dit


def test_traces_are_read_in_the_terminal(oi: Oi, maison: Maison) -> None:
    courriel = maison.compte("compte-1")
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.connecter(courriel, "faux", adresse=ICI, agent=AGENT)
    maison.acces.tracer("export", "compte-1", role="auditeur", adresse=ICI, objet={"de": "a"})
    code, dit = oi("traces")
    assert code == 0
    assert dit.splitlines() == [
        "02/03/2026 à 09:00  export  compte-1  auditeur  192.0.2.7  de : a",
        REFUSEE,
        "02/03/2026 à 09:00  compte activé  compte-1  192.0.2.7",
        "02/03/2026 à 09:00  accès enregistré  compte-1  compte : compte-1",
    ]
    assert len(oi("traces", "--nature", "export", "--compte", courriel)[1].splitlines()) == 1
    assert "Les traces d’avant : --avant" in oi("traces", "--nombre", "1")[1]
    assert oi("traces", "--nature", "archive")[1] == "Aucune trace.\n"
    code, dit = oi("traces", "--nature", "bruit")
    assert code == 2
    assert "« bruit » n’est pas une nature de trace" in dit


def test_the_demonstration_has_an_account_of_each_kind(maison: Maison) -> None:
    maison.acces._mots = MotsDePasse(LEGER)
    vie = Vie(maison.service)
    vie.subvention()
    with maison.service.reads.connection() as conn:
        plies = [p.plie_id for p in comptes.projection.plies_connus(conn)]
    maison.service.journal.execute(
        Acte(f"directeur-{plies[0]}", "directeur_plie", command_id=new_id()),
        lambda unit: comptes._ouvrir(unit, "temoin-1", [comptes.Attribue("auditeur")], JOUR),
    )
    entree = comptes.ouvrir_comptes_de_demonstration(maison.service)
    assert entree.mot_de_passe not in repr(entree)

    def roles(courriel: str) -> tuple[Attribution, ...]:
        ouverte = maison.acces.connecter(courriel, entree.mot_de_passe, adresse=ICI, agent=AGENT)
        return maison.identite(ouverte).attributions

    tenus = {courriel.split("@")[0]: roles(courriel) for courriel, _ in entree.types}
    assert {nom: [a.role for a in attributions] for nom, attributions in tenus.items()} == {
        "gestionnaire-1": ["gestionnaire_oi"],
        "valideur-1": ["valideur_oi"],
        "comptable-1": ["comptable_oi"],
        "ordonnateur-1": ["ordonnateur_oi"],
        "directeur-1": ["directeur_plie"],
        "directeur-2": ["directeur_plie"],
        "auditeur-1": ["auditeur"],
        "administrateur-1": ["administrateur"],
    }
    assert tenus["directeur-1"][0].plies == frozenset(plies[:1])
    assert tenus["directeur-2"][0].plies == frozenset(plies[:2])
    sien = f"directeur-{plies[0]}@demo.example"
    assert sien in entree.autres
    assert roles(sien) == (Attribution("directeur_plie", frozenset(plies[:1])),)
    with maison.service.reads.connection() as conn:
        rows = conn.execute("SELECT DISTINCT name FROM oi.event WHERE name ~ '^compte[.]'")
        assert {name for (name,) in rows} == {
            n for n in REGISTRY.classes if n.startswith("compte.")
        }
    # Run again: the same accounts, another password.
    encore = comptes.ouvrir_comptes_de_demonstration(maison.service)
    assert (encore.types, encore.autres) == (entree.types, entree.autres)
    with pytest.raises(IdentifiantsRefuses):
        roles(sien)
    entree = encore
    assert roles(sien)
