"""The preview says what the rules and the decisions say, and gives what the commands take."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from corpus import PIECE
from fabrique import convention
from hypothesis import given
from hypothesis import strategies as st
from monde_importe import DEPENSE, OI, OPERATION, classeur_depenses, fichier_csv

from aggregates.depense.declaration import DeclarerDepenses, DetailSaisi
from api.classeurs import MODELES, apercu, lire
from api.classeurs.regles_depenses import _Suivi
from rules.eligibilite import anomalies_de_dates

JOURS = st.dates(min_value=date(2020, 10, 1), max_value=date(2022, 12, 31))


@given(st.lists(st.tuples(st.none() | JOURS, JOURS, st.none() | JOURS), max_size=6))
def test_dates_are_found_wrong_exactly_when_the_rule_does(
    rangees: list[tuple[date | None, date, date | None]],
) -> None:
    """A day between two days without reproach is not put to the rule: it would say the same."""
    suivi, signee = _Suivi(OPERATION), convention()
    for engagement, realisation, acquittement in rangees:
        attendues = anomalies_de_dates(
            reglement=signee.cadre.reglement,
            periode=signee.periode,
            realisation=realisation,
            acquittement=acquittement,
            engagement=engagement,
            limite_acquittement=signee.date_limite_acquittement,
        )
        trouvees = suivi.dates(signee, engagement, realisation, acquittement)
        assert {m for _, m in trouvees} == {a.message for a in attendues}


def test_rows_are_the_bodies_of_a_command() -> None:
    octets = classeur_depenses({}, {PIECE: "BP-04", "Temps : mois": None})
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    commande = DeclarerDepenses.model_validate(
        {"date_effet": "2022-01-31", "depenses": [ligne.commande for ligne in vu.lignes]}
    )
    assert [d.piece_ref for d in commande.depenses] == ["BP-03", "BP-04"]
    assert {ligne.cible for ligne in vu.lignes} == {OPERATION.id}
    assert vu.total == sum(ligne.montant for ligne in vu.lignes) == 246912
    assert isinstance(commande.depenses[0], DetailSaisi)


def test_the_hours_of_each_day_are_those_of_the_command() -> None:
    """A zero of a timesheet says nothing, and the total is that of the days."""
    octets = classeur_depenses(
        {
            "Montant imputé": None,
            "Temps : méthode": "temps_travaille",
            "Temps : coût de la personne": 3000,
            "Temps : heures de base": 150,
            "Temps : mois": 3,
            "Temps : jour 1": 7,
            "Temps : jour 2": 0,
            "Temps : jour 31": "0,5",
        }
    )
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    assert vu.defauts == ()
    [ligne] = vu.lignes
    temps = DetailSaisi.model_validate(ligne.commande).temps
    assert temps is not None
    assert [(j.jour, j.heures) for j in temps.jours] == [
        (date(2021, 3, 1), Decimal(7)),
        (date(2021, 3, 31), Decimal("0.5")),
    ]
    assert temps.heures_operation is None
    assert ligne.montant == 150_00  # 3 000 € × 7,5 ÷ 150


@pytest.mark.parametrize("version", MODELES["depenses"].versions)
def test_a_workbook_without_identity_is_read_in_each_version(version: int) -> None:
    """As a CSV of an old template: only its titles say which it is."""
    [modele] = MODELES["depenses"].feuilles
    titres = [c.titre_en(version) for c in modele.colonnes_en(version)]
    rangee = {t: v for t, v in DEPENSE.items() if t in titres}
    montant = "Montant déclaré" if version == 1 else "Montant imputé"
    rangee[montant] = 1234.56
    octets = fichier_csv([titres, [rangee.get(t) for t in titres]])
    vu = apercu(lire("x.csv", octets), "depenses", OI)
    assert (vu.defauts, vu.nb, vu.total) == ((), 1, 123456)


def test_twenty_thousand_rows_are_looked_at() -> None:
    debut = date(2021, 1, 1)
    octets = classeur_depenses(
        *(
            {PIECE: f"P-{n}", "Date de la pièce": debut + timedelta(days=n % 300)}
            for n in range(20_000)
        )
    )
    vu = apercu(lire("x.xlsx", octets), "depenses", OI)
    assert (vu.nb, vu.defauts) == (20_000, ())
