"""A lot: what the person counted is what is taken, and what is undone is undone whole."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from dsl import Given
from fabrique import (
    AUTRE_DEPENSE_ID,
    CADRE,
    DEPENSE_ID,
    OPERATION_ID,
    SUBVENTION_ID,
    euros,
    fait,
)
from msgspec.structs import replace as autrement

from aggregates.lot.annulation import (
    AnnulationAvantImport,
    AnnulerLot,
    LotDejaAnnule,
    LotNonAnnulable,
    Obstacle,
    annuler,
)
from aggregates.lot.events import LigneDuLot, LigneEcartee, LotAnnule, LotImporte
from aggregates.lot.importation import (
    Contenu,
    DoublonInconnu,
    ImporterLot,
    LigneAPrendre,
    LotAvecErreurs,
    LotDeDeuxSubventions,
    LotDejaImporte,
    LotVide,
    TotalDeControleAbsent,
    TotalDeControleFaux,
    importer,
)
from aggregates.lot.state import LOT
from aggregates.territoire import HorsTerritoire, HorsTerritoireEntier, exiger_libre
from oi_service.aggregate import Touche
from oi_service.application import Acte
from oi_service.errors import Refusal

_FEUILLE = "Dépenses"
_ERREUR = LigneEcartee(feuille=_FEUILLE, ligne=9, raisons=("date_inexistante",))


def _ligne(ligne: int, montant: int, *, doublon: bool = False) -> LigneAPrendre:
    flux = AUTRE_DEPENSE_ID if doublon else DEPENSE_ID
    return LigneAPrendre(_FEUILLE, ligne, flux, montant, doublon)


CONTENU = Contenu(
    nature="depenses",
    modele_version=3,
    format="xlsx",
    octets=18_442,
    nb_lignes=2,
    lues=(_ligne(7, euros("120,50")), _ligne(8, euros(40), doublon=True)),
    en_erreur=(),
    cadres=frozenset((CADRE,)),
    operations=(OPERATION_ID,),
    plies=("A",),
)


def _importer(**champs: Any) -> ImporterLot:
    return ImporterLot.model_validate(
        {
            "date_effet": "2022-06-01",
            "fichier_sha256": "cd" * 32,
            "fichier_nom": "depenses.xlsx",
            "total_controle": "160.50",
        }
        | champs
    )


def _annuler(**champs: Any) -> AnnulerLot:
    return AnnulerLot.model_validate(
        {"date_effet": "2022-06-02", "motif": "Mauvais classeur"} | champs
    )


def test_a_lot_takes_what_was_counted_and_keeps_its_workbook_as_its_piece() -> None:
    [pris] = Given(LOT).when(importer, _importer(), CONTENU).facts()
    assert isinstance(pris, LotImporte)
    assert [(x.ligne, x.montant_centimes) for x in pris.lignes] == [(7, euros("120,50"))]
    assert pris.total_centimes == euros("120,50")
    assert pris.total_controle_centimes == euros("160,50")
    assert [(p.sha256, p.type) for p in pris.pieces] == [("cd" * 32, "classeur_importe")]


def test_the_name_of_the_file_is_nowhere_in_the_fact() -> None:
    nomme = _importer(fichier_nom="depenses de la salariée fictive n° 3.xlsx")
    [pris] = Given(LOT).when(importer, nomme, CONTENU).facts()
    assert "salariée" not in repr(pris)


def test_a_double_is_left_out_unless_it_is_ticked() -> None:
    sans = Given(LOT).when(importer, _importer(), CONTENU).then_one(LotImporte)
    assert sans.ecartees == (LigneEcartee(feuille=_FEUILLE, ligne=8, raisons=("doublon",)),)
    coche = _importer(doublons=[{"feuille": _FEUILLE, "ligne": 8}])
    avec = Given(LOT).when(importer, coche, CONTENU).then_one(LotImporte, ecartees=())
    assert avec.lignes[1] == LigneDuLot(
        feuille=_FEUILLE,
        ligne=8,
        flux=AUTRE_DEPENSE_ID,
        montant_centimes=euros(40),
        doublon=True,
    )


def test_rows_in_error_are_left_out_only_on_demand() -> None:
    fautif = replace(CONTENU, nb_lignes=3, en_erreur=(_ERREUR,))
    pris = Given(LOT).when(importer, _importer(partiel=True), fautif).then_one(LotImporte)
    assert _ERREUR in pris.ecartees
    assert pris.lignes_lues == 3


def test_indicators_have_no_total_to_count() -> None:
    sans = replace(CONTENU, nature="indicateurs", lues=(_ligne(7, 0),))
    pris = Given(LOT).when(importer, _importer(total_controle=None), sans).then_one(LotImporte)
    assert pris.total_controle_centimes is None


@pytest.mark.parametrize(
    ("refusal", "change", "champs", "words"),
    [
        (TotalDeControleAbsent, {}, {"total_controle": None}, "Saisissez le total"),
        (TotalDeControleFaux, {}, {"total_controle": "160.49"}, "l’écart est de −0,01 €"),
        (LotAvecErreurs, {"en_erreur": (_ERREUR,)}, {}, "Lignes en erreur dans le classeur : 1."),
        (
            DoublonInconnu,
            {},
            {"doublons": [{"feuille": _FEUILLE, "ligne": 7}]},
            "La ligne 7 de la feuille « Dépenses »",
        ),
        (
            LotVide,
            {"lues": (_ligne(8, euros(40), doublon=True),)},
            {"total_controle": "40.00"},
            "Aucune ligne n’est à importer",
        ),
        (
            LotDeDeuxSubventions,
            {"cadres": frozenset((CADRE, autrement(CADRE, subvention_globale_id=OPERATION_ID)))},
            {},
            "plusieurs subventions globales",
        ),
    ],
)
def test_what_cannot_be_taken(
    refusal: type[Refusal], change: dict[str, Any], champs: dict[str, Any], words: str
) -> None:
    assert CADRE.subvention_globale_id == SUBVENTION_ID
    Given(LOT).when(importer, _importer(**champs), replace(CONTENU, **change)).refuses(
        refusal, words
    )


def test_a_file_is_not_taken_twice() -> None:
    Given(LOT, [fait(LotImporte)]).when(importer, _importer(), CONTENU).refuses(
        LotDejaImporte, "déjà importé, depuis le"
    )


def test_a_lot_is_undone_with_what_it_undoes() -> None:
    Given(LOT, [fait(LotImporte)]).when(annuler, _annuler(), [DEPENSE_ID], [], []).then(
        LotAnnule(
            date_effet=date(2022, 6, 2),
            motif="Mauvais classeur",
            nature="depenses",
            total_centimes=euros("120,50"),
            annulees=(DEPENSE_ID,),
            deja_annulees=(),
        )
    )


_PRIS: Callable[[], list[Any]] = lambda: [fait(LotImporte, date_effet=date(2022, 6, 1))]  # noqa: E731


def test_a_lot_is_undone_once() -> None:
    passe = [*_PRIS(), fait(LotAnnule, date_effet=date(2022, 6, 2))]
    Given(LOT, passe).when(annuler, _annuler(), [], [], []).refuses(
        LotDejaAnnule, "depuis le 02/06/2022"
    )


def test_a_lot_is_not_undone_before_it_was_taken() -> None:
    Given(LOT, _PRIS()).when(annuler, _annuler(date_effet="2022-05-31"), [], [], []).refuses(
        AnnulationAvantImport, "ne s’annule pas au 31/05/2022"
    )


def test_one_row_that_stands_in_the_way_keeps_the_whole_lot() -> None:
    obstacles = [Obstacle(n, "La dépense est dans un bilan déposé.") for n in range(7, 30)]
    Given(LOT, _PRIS()).when(annuler, _annuler(), [DEPENSE_ID], [], obstacles).refuses(
        LotNonAnnulable, "ligne 7, La dépense est dans un bilan déposé ; ligne 8"
    )
    Given(LOT, _PRIS()).when(annuler, _annuler(), [], [], obstacles).refuses(
        LotNonAnnulable, "; et 3 autres"
    )


class _SansOperation:
    """Reads nothing: what a lot says of itself is enough to refuse it."""

    def find_all(self, _aggregate: object, ids: Iterable[UUID], *, pinned: bool = True) -> Any:
        del pinned
        return [None for _ in ids]


def _touche(plies: tuple[str, ...]) -> Touche:
    pris = fait(LotImporte, plies=plies)
    return Touche(AUTRE_DEPENSE_ID, LOT.evolve(None, pris), [pris])


@pytest.mark.parametrize(
    ("plies", "refusal"), [(("A", "B"), HorsTerritoire), ((), HorsTerritoireEntier)]
)
def test_a_lot_is_of_the_territory_of_every_row(
    plies: tuple[str, ...], refusal: type[Refusal]
) -> None:
    chez_a = Acte("comptable-1", "comptable_oi", plies=frozenset({"A"}))
    exiger_libre(chez_a, [_touche(("A",))], _SansOperation())
    with pytest.raises(refusal):
        exiger_libre(chez_a, [_touche(plies)], _SansOperation())
