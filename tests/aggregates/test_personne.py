"""A person is recorded, rectified, tied to operations, erased once the law lets it."""

from datetime import date
from typing import Any

import pytest
from dsl import Given
from fabrique import (
    AUTRE_ID,
    CADRE,
    IDENTITE,
    OPERATION_ID,
    PERSONNE_ID,
    commande,
    fait,
    operation,
)
from pydantic import ValidationError

from aggregates.chronologie import ActeAvantLePrecedent
from aggregates.operation.contacts import (
    ContactNonDesigne,
    DesignerContact,
    RetirerContact,
    designer,
    retirer,
)
from aggregates.operation.events import ContactDesigne, ContactRetire, DossierArchive
from aggregates.operation.state import OPERATION, Operation
from aggregates.personne.effacement import ConservationEnCours, EffacerPersonne, effacer
from aggregates.personne.enregistrement import (
    EnregistrerPersonne,
    NatureDifferente,
    PersonneDejaEnregistree,
    PersonneEstEffacee,
    PersonneNonContact,
    PersonneNonSalariee,
    RectifierPersonne,
    enregistrer,
    exiger_contact,
    exiger_salarie,
    rattacher,
    rectifier,
)
from aggregates.personne.events import (
    PersonneEffacee,
    PersonneEnregistree,
    PersonneRattachee,
    PersonneRectifiee,
)
from aggregates.personne.state import PERSONNE, Personne, PersonneAbsente

CONTACT = {"nature": "contact_beneficiaire", "nom": "Contact fictif n° 07"}
SALARIE = {"nature": "salarie", "nom": "Salarié fictif n° 07", "reference": "MAT-07"}
ENREGISTREE = fait(PersonneEnregistree)
EMPLOYEE = fait(PersonneEnregistree, nature="salarie")
EFFACEE = fait(PersonneEffacee, date_effet=date(2022, 6, 1))


def personne(*facts: Any) -> Personne:
    state = PERSONNE.replay(facts)
    assert state is not None
    return state


def conservee(jusqu_au: date | None) -> Operation:
    archive = fait(DossierArchive, date_limite_conservation=jusqu_au) if jusqu_au else None
    return operation() if archive is None else OPERATION.evolve(operation(), archive)


def enregistrement(identite: dict[str, str]) -> EnregistrerPersonne:
    return EnregistrerPersonne.model_validate(
        {"date_effet": "2021-12-15", "subvention_globale_id": AUTRE_ID, "identite": identite}
    )


# Recording.


def test_a_person_is_recorded_ciphered() -> None:
    Given(PERSONNE).when(enregistrer, enregistrement(CONTACT), IDENTITE, CADRE).then(
        PersonneEnregistree(
            date_effet=date(2021, 12, 15),
            cadre=CADRE,
            nature="contact_beneficiaire",
            identite=IDENTITE,
        )
    )


def test_a_person_is_recorded_once() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(
        enregistrer, enregistrement(CONTACT), IDENTITE, CADRE
    ).refuses(PersonneDejaEnregistree, "rectifiez-la")


def test_nobody_takes_the_place_of_somebody_erased() -> None:
    Given(PERSONNE, [ENREGISTREE, EFFACEE]).when(
        enregistrer, enregistrement(CONTACT), IDENTITE, CADRE
    ).refuses(PersonneEstEffacee, "01/06/2022")


@pytest.mark.parametrize(
    "identite",
    [
        {"nom": "Contact fictif n° 07"},
        CONTACT | {"nature": "participant"},
        CONTACT | {"reference": "MAT-07"},
        {"nature": "salarie", "nom": "Salarié fictif n° 07"},
        SALARIE | {"courriel": "salarie-07@exemple.invalid"},
        CONTACT | {"courriel": "pas une adresse"},
        CONTACT | {"telephone": "appelez-moi"},
        CONTACT | {"telephone": "2 95 10 99 126 111 93"},
        CONTACT | {"fonction": "FR76 3000 6000 0112 3456 7890 189"},
        CONTACT | {"nom": "x" * 201},
    ],
)
def test_only_what_serves_is_asked_of_a_person(identite: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        enregistrement(identite)


def test_no_trace_shows_what_a_command_says_of_a_person() -> None:
    import rich.pretty  # noqa: PLC0415 - what a trace with local variables would use

    demande = enregistrement(CONTACT)
    for ecrit in (repr(demande), str(demande), f"{demande.identite}"):
        assert "Contact fictif" not in ecrit
    assert "Contact fictif" not in rich.pretty.pretty_repr(demande)
    assert b"Contact fictif" in demande.identite.clair()


# Rectifying.


def rectification(identite: dict[str, str] = CONTACT, jour: str = "2022-01-10") -> Any:
    return commande(RectifierPersonne, identite=identite, date_effet=jour)


def test_a_person_is_rectified() -> None:
    after = (
        Given(PERSONNE, [ENREGISTREE])
        .when(rectifier, rectification(), IDENTITE)
        .then_one(PersonneRectifiee, motif="Motif de l’essai", identite=IDENTITE)
    )
    state = personne(ENREGISTREE, after)
    assert (state.fait, state.connue_le) == ("personne.rectifiee.v1", date(2022, 1, 10))


def test_a_contact_is_not_rectified_into_an_employee() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(rectifier, rectification(SALARIE), IDENTITE).refuses(
        NatureDifferente, "ne se rectifie pas en salarié d’une opération"
    )


def test_somebody_erased_is_not_rectified() -> None:
    Given(PERSONNE, [ENREGISTREE, EFFACEE]).when(rectifier, rectification(), IDENTITE).refuses(
        PersonneEstEffacee, "enregistrez-la de nouveau"
    )


def test_nothing_is_rectified_before_it_was_recorded() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(
        rectifier, rectification(jour="2021-12-14"), IDENTITE
    ).refuses(ActeAvantLePrecedent, "Rectifier cette personne")


# Ties.


def test_a_tie_is_noted_once() -> None:
    jour = date(2022, 1, 20)
    lie = fait(PersonneRattachee, operation_id=OPERATION_ID, date_effet=jour)
    Given(PERSONNE, [ENREGISTREE]).when(rattacher, OPERATION_ID, jour).then(lie)
    Given(PERSONNE, [ENREGISTREE, lie]).when(rattacher, OPERATION_ID, jour).then()
    assert personne(ENREGISTREE, lie).operations == {OPERATION_ID}


def test_a_contact_is_the_contact_of_a_beneficiary() -> None:
    demande = commande(DesignerContact, personne_id=PERSONNE_ID)
    [designe] = designer(operation(), demande, personne(ENREGISTREE))
    assert designe == fait(ContactDesigne, date_effet=demande.date_effet)
    with pytest.raises(PersonneNonContact):
        designer(operation(), demande, personne(EMPLOYEE))
    with pytest.raises(PersonneEstEffacee):
        designer(operation(), demande, personne(ENREGISTREE, EFFACEE))


def test_a_contact_named_twice_is_named_once_and_taken_off_once() -> None:
    nomme = OPERATION.evolve(operation(), fait(ContactDesigne))
    assert (
        designer(nomme, commande(DesignerContact, personne_id=PERSONNE_ID), personne(ENREGISTREE))
        == []
    )
    retrait = commande(RetirerContact, personne_id=PERSONNE_ID)
    [retire] = retirer(nomme, retrait)
    assert retire == fait(ContactRetire, date_effet=retrait.date_effet, motif=retrait.motif)
    sans = OPERATION.evolve(nomme, retire)
    assert sans.contacts == {}
    with pytest.raises(ContactNonDesigne):
        retirer(sans, retrait)
    with pytest.raises(ActeAvantLePrecedent):
        retirer(nomme, commande(RetirerContact, personne_id=PERSONNE_ID, date_effet="2021-12-14"))


def test_a_depense_pays_an_employee_and_nobody_else() -> None:
    exiger_salarie(personne(EMPLOYEE))
    exiger_contact(personne(ENREGISTREE))
    with pytest.raises(PersonneNonSalariee, match="contact d’un bénéficiaire"):
        exiger_salarie(personne(ENREGISTREE))
    with pytest.raises(PersonneEstEffacee):
        exiger_salarie(personne(EMPLOYEE, EFFACEE))


# Erasing.


def effacement(jour: str, **champs: Any) -> EffacerPersonne:
    return commande(EffacerPersonne, demandeur="personne_concernee", date_effet=jour, **champs)


def test_somebody_who_documents_nothing_is_erased_at_once() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(effacer, effacement("2022-01-10"), []).then_one(
        PersonneEffacee, demandeur="personne_concernee", malgre_conservation=False
    )


@pytest.mark.parametrize(
    ("jusqu_au", "jour", "dit"),
    [
        (None, "2040-01-01", "à une date qui n’est pas fixée"),
        (date(2026, 12, 31), "2026-12-31", "jusqu’au 31/12/2026"),
        (date(2026, 12, 31), "2022-01-10", "jusqu’au 31/12/2026"),
    ],
)
def test_somebody_who_documents_what_must_be_kept_is_not_erased(
    jusqu_au: date | None, jour: str, dit: str
) -> None:
    Given(PERSONNE, [ENREGISTREE]).when(effacer, effacement(jour), [conservee(jusqu_au)]).refuses(
        ConservationEnCours, dit
    )


def test_the_day_after_the_retention_somebody_is_erased() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(
        effacer, effacement("2027-01-01"), [conservee(date(2026, 12, 31))]
    ).then_one(PersonneEffacee, malgre_conservation=False)


def test_one_operation_still_kept_is_enough_to_refuse() -> None:
    Given(PERSONNE, [ENREGISTREE]).when(
        effacer,
        effacement("2027-01-01"),
        [conservee(date(2026, 12, 31)), conservee(None)],
    ).refuses(ConservationEnCours, "n’est pas fixée")


def test_the_officer_may_decide_otherwise_and_the_fact_says_so() -> None:
    demande = effacement("2022-01-10", malgre_conservation=True)
    Given(PERSONNE, [ENREGISTREE]).when(effacer, demande, [conservee(None)]).then_one(
        PersonneEffacee, malgre_conservation=True, motif="Motif de l’essai"
    )
    # Nothing had to be overruled.
    Given(PERSONNE, [ENREGISTREE]).when(effacer, demande, []).then_one(
        PersonneEffacee, malgre_conservation=False
    )


def test_somebody_is_erased_once_and_not_before_they_were_known() -> None:
    Given(PERSONNE, [ENREGISTREE, EFFACEE]).when(effacer, effacement("2022-07-01"), []).refuses(
        PersonneEstEffacee, "01/06/2022"
    )
    Given(PERSONNE, [ENREGISTREE]).when(effacer, effacement("2021-12-14"), []).refuses(
        ActeAvantLePrecedent, "Effacer cette personne"
    )


def test_an_unknown_person_is_said_to_be_so() -> None:
    assert str(PERSONNE_ID) in str(PersonneAbsente(id=PERSONNE_ID))
