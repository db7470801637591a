"""``oi personnes`` and ``oi effacer-personne``: who is known, and forgetting them."""

from uuid import UUID

import pytest
from fabrique import commande
from terminal import Oi, ligne_de_commande
from vie import Vie

from aggregates.personne.enregistrement import EnregistrerPersonne
from api import actions
from oi_service.application import Acte, Service
from oi_service.ids import new_id

OPTIONS = ("--motif", "Demande écrite", "--demandeur", "personne_concernee")


@pytest.fixture
def personne(service: Service) -> UUID:
    vie = Vie(service)
    vie.subvention()
    demande = commande(
        EnregistrerPersonne,
        subvention_globale_id=vie.id("SG"),
        identite={
            "nature": "contact_beneficiaire",
            "nom": "Contact fictif n° 07",
            "courriel": "contact-07@beneficiaire.example",
        },
    )
    personne_id = new_id()
    service.journal.execute(
        Acte("gestionnaire-1", "gestionnaire_oi"),
        lambda unit: actions.enregistrer_personne(unit, personne_id, demande),
    )
    return personne_id


@pytest.fixture
def oi(
    base: str,
    service: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Oi:
    """Lend the command line on the base and the folders of the service."""
    monkeypatch.setenv("OI_CLES_DIR", str(service.lieux.cles))
    return ligne_de_commande(base, capsys, monkeypatch, 100)


def test_persons_are_shown_then_erased(oi: Oi, service: Service, personne: UUID) -> None:
    code, dit = oi("personnes")
    assert code == 0
    assert (
        f"{personne}  contact d’un bénéficiaire : "
        "Contact fictif n° 07, contact-07@beneficiaire.example" in dit
    )
    assert "opérations : aucune" in dit

    code, dit = oi("effacer-personne", str(personne), *OPTIONS, "--acteur", "gestionnaire-1")
    assert code == 0
    assert "sa clé est détruite" in dit
    assert service.coffre.personnes() == frozenset()
    code, dit = oi("personnes")
    assert "effacée le" in dit
    assert "Contact fictif" not in dit

    code, dit = oi("effacer-personne", str(personne), *OPTIONS, "--acteur", "gestionnaire-1")
    assert code == 2
    assert "sont effacées depuis le" in dit


def test_a_lost_key_is_said(oi: Oi, service: Service, personne: UUID) -> None:
    service.coffre.detruire(personne)
    assert "illisible : sa clé manque au coffre" in oi("personnes")[1]


def test_what_the_log_must_not_hold_is_refused_and_not_repeated(
    oi: Oi, service: Service, personne: UUID
) -> None:
    iban = "FR76 3000 6000 0112 3456 7890 189"
    for options, phrase in (
        (("--motif", iban, *OPTIONS[2:], "--acteur", "gestionnaire-1"), "un IBAN entier"),
        ((*OPTIONS, "--acteur", "dpo@exemple.invalid"), "n’est pas l’identifiant d’un acteur"),
    ):
        code, dit = oi("effacer-personne", str(personne), *options)
        assert code == 2
        assert phrase in dit
        assert iban not in dit
    assert service.coffre.contient(personne)
