"""Importing a workbook through the pages: drop, read, confirm, undo; nothing before the end."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bases import base_neuve
from fabrique import commande
from fastapi.testclient import TestClient
from fichiers import PDF
from imports_exemple import A, B, classeur, classeur_de, jouer, unique
from portier import PortierDEssai
from python_calamine import CalamineWorkbook
from vie import Vie

from aggregates.convention import bilans
from aggregates.lot.annulation import AnnulerLot, LotTenuParSonBilan
from aggregates.lot.importation import ImporterLot, TropDeRessources
from aggregates.lot.state import LotAbsent
from aggregates.territoire import HorsTerritoire
from api import actions, actions_lots
from api.actions_lots import LigneDuLotRefusee
from api.app import create_app
from api.classeurs import Nature
from api.imports import Demande, regarder
from api.pages import imports
from oi_service import clock
from oi_service.app import open_service
from oi_service.application import Acte, Service
from oi_service.brouillons import Brouillons
from oi_service.ids import new_id
from oi_service.lieux import Lieux
from oi_service.travaux import faire_un
from oi_service.verification import verifier
from projections.lots import histoire_du_lot, lignes_du_lot, lot, lot_du_fichier, lots
from projections.perimetre import OI_ENTIER, Perimetre, limiter

COMPTABLE = {"OI-Acteur": "comptable-1", "OI-Role": "comptable_oi"}
AUTRE_COMPTABLE = {"OI-Acteur": "comptable-2", "OI-Role": "comptable_oi"}
GESTIONNAIRE = {"OI-Acteur": "gestionnaire-1", "OI-Role": "gestionnaire_oi"}


@pytest.fixture(scope="module")
def base_des_imports(serveur: str, modele: str) -> Iterator[str]:
    with base_neuve(serveur, modele) as base:
        yield base


@pytest.fixture(scope="module")
def joue(base_des_imports: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    lieux = Lieux.sous(tmp_path_factory.mktemp("imports"))
    with open_service(base_des_imports, lieux) as service:
        jouer(service)
        yield service


@pytest.fixture(scope="module")
def http(joue: Service) -> Iterator[TestClient]:
    with TestClient(
        create_app(joue, PortierDEssai()), headers=COMPTABLE, follow_redirects=False
    ) as client:
        yield client


def position(http: TestClient) -> int:
    found: int = http.get("/sante/pret").json()["position"]
    return found


def deposer(http: TestClient, octets: bytes, nom: str = "depenses-T1.xlsx", **champs: str) -> Any:
    return http.post(
        "/depenses/import",
        data={"nature": "depenses", **champs},
        files={"fichier": (nom, octets)},
    )


def depose(http: TestClient, octets: bytes, **champs: str) -> str:
    """Drop a workbook that is accepted; return the address of its preview."""
    reponse = deposer(http, octets, **champs)
    assert reponse.status_code == 303, lisible(reponse.text)
    return str(reponse.headers["location"])


def lisible(html: str) -> str:
    nu = re.sub(r"<[^>]+>", " ", html.replace("&nbsp;", " ").replace("\u00a0", " "))
    return " ".join(nu.split())


def confirmer(http: TestClient, import_: str, **champs: Any) -> Any:
    return http.post(
        f"{import_}/confirmation", data={"date_effet": "2022-02-01", "total": "1204,50", **champs}
    )


def importe(http: TestClient, octets: bytes, **champs: Any) -> str:
    reponse = confirmer(http, depose(http, octets), **champs)
    assert reponse.status_code == 303, lisible(reponse.text)
    return str(reponse.headers["location"]).partition("?")[0]


def test_the_whole_way_of_an_accountant(http: TestClient, joue: Service) -> None:
    avant = position(http)
    octets = classeur({"N° de pièce": unique()}, {"N° de pièce": unique()})
    import_ = depose(http, octets)
    apercu = lisible(http.get(import_).text)
    assert "depenses-T1.xlsx" in apercu
    assert "Valides 2" in apercu
    assert "2 409,00 €" in apercu
    assert position(http) == avant  # Nothing is written before the last step.
    reponse = confirmer(http, import_, total="2 409,00 €")
    assert reponse.status_code == 303, lisible(reponse.text)
    lot = str(reponse.headers["location"])
    assert position(http) == avant + 3  # The lot and its two rows, in one act.
    html = lisible(http.get(lot).text)
    assert "toutes ses lignes retenues sont enregistrées" in html
    assert "Lignes enregistrées 2" in html
    assert "comptable-1 (comptable de l’OI)" in html
    # The draft leads to its lot from now on, and the file is evidence.
    assert http.get(import_).headers["location"] == lot.partition("?")[0]
    lu = http.get(f"/api/v1{lot.partition('?')[0]}").json()
    assert joue.pieces.etat(lu["fichier_sha256"]) == "presente"
    assert http.get(f"/api/v1/pieces/{lu['fichier_sha256']}").content == octets


def test_a_draft_survives_and_is_its_owner_s(http: TestClient) -> None:
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    assert import_ in http.get("/depenses/import").text
    assert http.get(import_, headers=AUTRE_COMPTABLE).status_code == 404
    assert http.post(f"{import_}/abandon").status_code == 303
    assert http.get(import_).status_code == 404
    assert import_ not in http.get("/depenses/import").text


def vieillir(service: Service, import_: str, jours: int) -> None:
    with service.journal.pool.connection() as conn:
        conn.execute(
            "UPDATE imports.brouillon SET depose_le = (depose_le AT TIME ZONE 'Europe/Paris' "
            "- make_interval(days => %s)) AT TIME ZONE 'Europe/Paris' WHERE id = %s",
            (jours, import_.rpartition("/")[2]),
        )


def test_a_draft_that_nobody_confirms_is_forgotten_in_time_and_says_when(
    http: TestClient, joue: Service
) -> None:
    frais, vieux = (depose(http, classeur({"N° de pièce": unique()})) for _ in range(2))
    pris = importe(http, octets := classeur({"N° de pièce": unique()}))
    jusque = clock.today() + timedelta(days=30)
    assert f"gardé jusqu’au {jusque:%d/%m/%Y}" in lisible(http.get(frais).text)
    assert f"{jusque:%d/%m/%Y}" in lisible(http.get("/depenses/import").text)
    vieillir(joue, frais, 29)
    vieillir(joue, vieux, 31)
    with joue.journal.pool.connection() as conn:
        conn.execute(
            "UPDATE imports.brouillon SET depose_le = depose_le - interval '90 days' "
            "WHERE lot_id = %s",
            (pris.rpartition("/")[2],),
        )
    assert Brouillons(joue.journal.pool).purger() == 1
    assert http.get(frais).status_code == 200
    assert http.get(vieux).status_code == 404
    assert "déposez de nouveau le classeur" in lisible(http.get(vieux).text)
    # What made a lot stays, and so does the file, which is evidence.
    assert "depenses-T1.xlsx" in http.get(pris).text
    lu = http.get(f"/api/v1{pris}").json()
    assert http.get(f"/api/v1/pieces/{lu['fichier_sha256']}").content == octets


def test_a_draft_is_kept_until_the_end_of_its_last_day(http: TestClient, joue: Service) -> None:
    """Whatever the hour at which it was dropped, and the one at which the night is cleaned."""
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    matin = datetime.combine(clock.today() - timedelta(days=30), time(0, 0, 1), clock.PARIS)
    with joue.journal.pool.connection() as conn:
        conn.execute(
            "UPDATE imports.brouillon SET depose_le = %s WHERE id = %s",
            (matin, import_.rpartition("/")[2]),
        )
    assert f"gardé jusqu’au {clock.today():%d/%m/%Y}" in lisible(http.get(import_).text)
    assert Brouillons(joue.journal.pool).purger() == 0


def test_the_operator_chooses_how_long_a_draft_is_kept(
    http: TestClient, joue: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OI_BROUILLONS_JOURS", "3")
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    vieillir(joue, import_, 4)
    assert f"{clock.today() - timedelta(days=1):%d/%m/%Y}" in lisible(http.get(import_).text)
    Brouillons(joue.journal.pool).purger()
    assert http.get(import_).status_code == 404


def test_a_draft_that_a_work_imports_is_kept(
    http: TestClient, joue: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "SEUIL", 0)
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    assert confirmer(http, import_).headers["location"].startswith("/travaux/")
    vieillir(joue, import_, 40)
    assert Brouillons(joue.journal.pool).purger() == 0
    assert faire_un(joue) is not None
    assert http.get(import_).headers["location"].startswith("/lots/")


def test_the_total_must_be_the_one_that_was_read(http: TestClient) -> None:
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    avant = position(http)
    faux = confirmer(http, import_, total="1204,49")
    assert faux.status_code == 409
    assert "l’écart est de −0,01 €" in lisible(faux.text)
    assert 'value="1204,49"' in faux.text
    assert "Saisissez le total de contrôle" in lisible(confirmer(http, import_, total="").text)
    assert "n’est pas un montant" in lisible(confirmer(http, import_, total="mille").text)
    assert position(http) == avant


def test_rows_in_error_are_shown_and_left_out_only_on_demand(http: TestClient) -> None:
    import_ = depose(
        http,
        classeur(
            {"N° de pièce": unique()},
            {"N° de pièce": unique(), "Date de la pièce": "31/11/2021"},
            {"N° de pièce": unique(), "Montant imputé": "1200,555"},
        ),
    )
    apercu = lisible(http.get(import_).text)
    assert "En erreur 2" in apercu
    fautives = lisible(http.get(f"{import_}?voir=erreurs").text)
    assert "31/11/2021" in fautives
    assert "1200,555" in fautives
    assert http.get(f"{import_}/annote").headers["content-type"].endswith("spreadsheetml.sheet")
    refuse = confirmer(http, import_)
    assert refuse.status_code == 409
    assert "Lignes en erreur dans le classeur : 2." in lisible(refuse.text)
    lot = confirmer(http, import_, partiel="oui")
    assert lot.status_code == 303, lisible(lot.text)
    html = lisible(http.get(lot.headers["location"]).text)
    assert "Laissées de côté 2" in html


def test_the_same_file_is_not_imported_twice(http: TestClient) -> None:
    octets = classeur({"N° de pièce": unique()})
    lot = importe(http, octets)
    import_ = depose(http, octets, nom="le-meme-autrement.xlsx")
    apercu = http.get(import_).text
    assert "Ce fichier est déjà importé" in lisible(apercu)
    assert f'href="{lot}"' in apercu
    refuse = confirmer(http, import_)
    assert refuse.status_code == 409
    assert "déjà importé" in lisible(refuse.text)


def test_a_known_row_is_a_warning_to_tick(http: TestClient) -> None:
    piece = unique()
    importe(http, classeur({"N° de pièce": piece}))
    octets = classeur({"N° de pièce": piece}, {"N° de pièce": unique()})
    import_ = depose(http, octets)
    assert "Dont déjà connues 1" in lisible(http.get(import_).text)
    place = re.findall(r'name="doublons" value="([^"]+)"', http.get(import_).text)
    assert len(place) == 1
    lot = confirmer(http, import_, total="2409,00", doublons=place)
    assert lot.status_code == 303, lisible(lot.text)
    assert "admise bien que déjà connue" in lisible(http.get(lot.headers["location"]).text)


def test_an_unticked_double_is_left_out(http: TestClient) -> None:
    piece = unique()
    importe(http, classeur({"N° de pièce": piece}))
    octets = classeur({"N° de pièce": piece}, {"N° de pièce": unique()})
    lot = importe(http, octets, total="2409,00")
    html = lisible(http.get(lot).text)
    assert "Laissées de côté 1" in html
    assert "déjà connue, non cochée" in html


def test_a_button_pressed_twice_imports_once(http: TestClient) -> None:
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    premier = confirmer(http, import_)
    apres = position(http)
    assert (
        confirmer(http, import_)
        .headers["location"]
        .startswith(premier.headers["location"].partition("?")[0])
    )
    assert position(http) == apres


@pytest.mark.parametrize(
    ("nom", "octets", "mots"),
    [
        ("facture.pdf", PDF, "ni un classeur .xlsx"),
        ("vide.xlsx", b"", "Le fichier est vide"),
        ("sans.xlsx", classeur(), "Aucune ligne n’est remplie"),
    ],
)
def test_what_is_no_workbook_of_ours_is_not_kept(
    http: TestClient, joue: Service, nom: str, octets: bytes, mots: str
) -> None:
    gardees = len(list(joue.pieces.rangees()))
    refuse = deposer(http, octets, nom)
    assert refuse.status_code == 409
    assert mots in lisible(refuse.text)
    assert len(list(joue.pieces.rangees())) == gardees


def test_who_declares_nothing_imports_nothing(http: TestClient) -> None:
    page = http.get("/depenses/import", headers=GESTIONNAIRE).text
    assert 'value="depenses"' not in page
    refuse = http.post(
        "/depenses/import",
        data={"nature": "depenses"},
        files={"fichier": ("a.xlsx", classeur({"N° de pièce": unique()}))},
        headers=GESTIONNAIRE,
    )
    assert refuse.status_code == 422
    auditeur = {"OI-Acteur": "auditeur-1", "OI-Role": "auditeur"}
    assert http.get("/depenses/import", headers=auditeur).status_code == 403


# --- In the background ---------------------------------------------------------------------------


def test_a_long_import_is_a_work_that_outlives_the_browser(
    http: TestClient, joue: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "SEUIL", 1)
    octets = classeur({"N° de pièce": unique()}, {"N° de pièce": unique()})
    import_ = depose(http, octets)
    # What can be refused at once is.
    assert "l’écart est de" in lisible(confirmer(http, import_, total="1").text)
    demande = confirmer(http, import_, total="2409,00")
    assert demande.status_code == 303, lisible(demande.text)
    travail = demande.headers["location"]
    assert travail.startswith("/travaux/")
    attente = http.get(import_).text
    assert f'href="{travail}"' in attente
    assert "titre-confirmer" not in attente
    avant = position(http)
    assert faire_un(joue) == UUID(travail.rpartition("/")[2])
    assert position(http) == avant + 3
    resultat = lisible(http.get(travail).text)
    assert "Le classeur est importé : lot n°" in resultat
    assert "Lignes enregistrées 2" in resultat
    lot_ = http.get(import_).headers["location"]
    assert "comptable-1 (comptable de l’OI)" in lisible(http.get(lot_).text)
    # Asked again, it is the same lot: nothing is recorded twice.
    encore = http.post(f"{travail}/relance").headers["location"]
    faire_un(joue)
    assert "Le classeur est importé" in lisible(http.get(encore).text)
    assert position(http) == avant + 3


# --- Undoing -------------------------------------------------------------------------------------


def annuler(http: TestClient, lot: str, version: int = 1) -> Any:
    return http.post(
        f"/api/v1/lots/depenses/{lot.rpartition('/')[2]}/annulation",
        json={"date_effet": "2022-02-02", "motif": "Mauvais trimestre"},
        headers={"Idempotency-Key": str(new_id()), "If-Match": f'"{version}"'},
    )


def test_a_lot_is_undone_as_one_and_may_be_imported_again(http: TestClient) -> None:
    octets = classeur({"N° de pièce": unique()}, {"N° de pièce": unique()})
    lot = importe(http, octets, total="2409,00")
    assert "/actes/annuler_lot_depenses/" in http.get(lot).text
    fait = annuler(http, lot)
    assert fait.status_code == 200, fait.text
    assert [e["nom"] for e in fait.json()["evenements"]] == [
        "depense.annulee.v1",
        "depense.annulee.v1",
        "lot.annule.v1",
    ]
    html = lisible(http.get(lot).text)
    assert "Annulé le 02/02/2022" in html
    assert "Motif : Mauvais trimestre" in html
    assert "déjà annulé" in annuler(http, lot, 2).json()["detail"]
    encore = importe(http, octets, total="2409,00")
    assert encore != lot


def test_a_bilan_that_carries_one_row_keeps_the_whole_lot(http: TestClient, joue: Service) -> None:
    prise, libre = unique(), unique()
    lot = importe(
        http,
        classeur(
            {"N° de pièce": libre, "N° de dossier": B}, {"N° de pièce": prise, "N° de dossier": B}
        ),
        total="2409,00",
    )
    lignes = http.get(f"/api/v1{lot}/lignes").json()["lignes"]
    portee = next(UUID(x["flux"]) for x in lignes if x["piece_ref"] == prise)
    depose_un_bilan(joue, portee)
    avant = position(http)
    refuse = annuler(http, lot)
    assert refuse.status_code == 409
    assert f"ligne 3, La dépense {prise} est dans un bilan déposé" in refuse.json()["detail"]
    assert position(http) == avant


def depose_un_bilan(service: Service, depense_id: UUID) -> None:
    vie = Vie(service)
    asked = commande(
        bilans.DeposerBilan,
        numero=1,
        type="intermediaire",
        depenses=[str(depense_id)],
        date_effet="2022-03-01",
        periode={"debut": "2021-01-01", "fin": "2021-06-30"},
    )
    vie.acte(actions.deposer_bilan, vie.id(B), asked)


@pytest.mark.parametrize("forme", ["xlsx", "csv", "rfc4180"])
def test_the_list_of_lots_leaves_as_a_file(http: TestClient, forme: str) -> None:
    lot_ = importe(http, classeur({"N° de pièce": unique()}))
    lu = http.get(f"/api/v1{lot_}").json()
    assert (
        f"/exports/lots?nature=depenses&amp;format={forme}"
        in http.get("/lots?nature=depenses").text
    )
    pris = http.get("/exports/lots", params={"nature": "depenses", "format": forme})
    assert pris.status_code == 200, pris.text
    if forme == "xlsx":
        lignes = CalamineWorkbook.from_filelike(io.BytesIO(pris.content)).get_sheet_by_name(
            "Lots importés"
        )
        rangees = [list(map(str, x)) for x in lignes.to_python()]
    else:
        separateur = ";" if forme == "csv" else ","
        rangees = list(
            csv.reader(io.StringIO(pris.content.decode("utf-8-sig")), delimiter=separateur)
        )
    assert any(lu["fichier_sha256"] in rangee for rangee in rangees)
    autres = http.get("/exports/lots", params={"nature": "indicateurs", "format": "rfc4180"}).text
    assert lu["fichier_sha256"] not in autres


@pytest.mark.parametrize("perimetre", [Perimetre(frozenset({"A"})), OI_ENTIER])
def test_who_directs_a_plie_sees_the_lots_of_that_plie_and_of_no_other(
    http: TestClient, joue: Service, perimetre: Perimetre
) -> None:
    chez_a = importe(http, classeur({"N° de pièce": unique()}))
    aux_deux = importe(
        http,
        classeur({"N° de pièce": unique()}, {"N° de pièce": unique(), "N° de dossier": B}),
        total="2409,00",
    )
    with joue.reads_limites.connection() as conn:
        # The database says it again of a query that forgot its perimeter.
        limiter(conn, Perimetre(frozenset({"A"})))
        vus = {f"/lots/{x.id}" for x in lots(conn, perimetre).lignes}
        assert chez_a in vus
        assert aux_deux not in vus
        assert histoire_du_lot(conn, perimetre, UUID(chez_a.rpartition("/")[2]))
        for lire in (lot, histoire_du_lot, lignes_du_lot):
            with pytest.raises(LotAbsent):
                lire(conn, perimetre, UUID(aux_deux.rpartition("/")[2]))


def test_the_books_agree_with_the_lots(joue: Service, base_des_imports: str) -> None:
    assert [str(c) for c in verifier(base_des_imports) if c.ecarts] == []


def test_nobody_undoes_the_lot_of_a_territory_that_is_not_theirs(
    http: TestClient, joue: Service
) -> None:
    chez_b = importe(http, classeur({"N° de pièce": unique(), "N° de dossier": B}))
    acte = Acte("comptable-3", "comptable_oi", plies=frozenset({"A"}))
    commande_ = commande(AnnulerLot, date_effet="2022-02-02", motif="Erreur")
    lot_id = UUID(chez_b.rpartition("/")[2])
    with pytest.raises(HorsTerritoire):
        joue.journal.execute(
            acte, lambda unit: actions_lots.annuler_lot(unit, lot_id, commande_, "depenses")
        )


def test_a_lot_is_undone_by_who_may_undo_what_it_holds(http: TestClient, joue: Service) -> None:
    fait = importe(http, classeur({"N° de pièce": unique()}))
    commande_ = commande(AnnulerLot, date_effet="2022-02-02", motif="Erreur")
    lot_id = UUID(fait.rpartition("/")[2])
    with pytest.raises(LotAbsent):
        joue.journal.execute(
            Acte("gestionnaire-1", "gestionnaire_oi"),
            lambda unit: actions_lots.annuler_lot(unit, lot_id, commande_, "indicateurs"),
        )


def test_a_row_refused_at_the_last_moment_is_named_and_nothing_is_recorded(
    http: TestClient, joue: Service
) -> None:
    import_ = depose(http, classeur({"N° de pièce": unique()}))
    brouillon = Brouillons(joue.journal.pool).lire("comptable-1", UUID(import_.rpartition("/")[2]))
    with joue.reads.connection() as conn:
        depot = regarder(
            joue.pieces,
            conn,
            OI_ENTIER,
            Demande("depenses", brouillon.fichier_sha256, brouillon.fichier_nom),
        )
        lot_id, _ = lot_du_fichier(conn, "depenses", brouillon.fichier_sha256)
    # What was looked at is not what stands any more: the amount became nothing.
    lue = depot.apercu.lignes[0]
    ligne = lue._replace(
        commande={cle: x for cle, x in lue.commande.items() if cle != "montant_impute"}
    )
    change = replace(depot, apercu=replace(depot.apercu, lignes=(ligne,)))
    avant = position(http)
    asked = commande(
        ImporterLot,
        date_effet="2022-02-01",
        fichier_sha256=brouillon.fichier_sha256,
        fichier_nom="a.xlsx",
        total_controle="1204.50",
    )
    with pytest.raises(LigneDuLotRefusee) as refuse:
        joue.journal.execute(
            Acte("comptable-1", "comptable_oi"),
            lambda unit: actions_lots.importer_lot(unit, lot_id, asked, "depenses", change),
        )
    assert "Ligne 2 de la feuille « Dépenses » : Le montant imputé" in str(refuse.value)
    assert position(http) == avant


# --- Indicators, contreparties -------------------------------------------------------------------


def importe_de(http: TestClient, nature: Nature, octets: bytes, **champs: Any) -> str:
    """Import a workbook as a gestionnaire; return the address of the lot."""
    reponse = http.post(
        "/depenses/import",
        data={"nature": nature},
        files={"fichier": (f"{nature}.xlsx", octets)},
        headers=GESTIONNAIRE,
    )
    assert reponse.status_code == 303, lisible(reponse.text)
    fait = http.post(
        f"{reponse.headers['location']}/confirmation",
        data={"date_effet": "2022-02-01", **champs},
        headers=GESTIONNAIRE,
    )
    assert fait.status_code == 303, lisible(fait.text)
    return str(fait.headers["location"]).partition("?")[0]


def annuler_de(http: TestClient, nature: Nature, lot_: str) -> Any:
    return http.post(
        f"/api/v1/lots/{nature}/{lot_.rpartition('/')[2]}/annulation",
        json={"date_effet": "2022-02-10", "motif": "Mauvais classeur"},
        headers={"Idempotency-Key": str(new_id()), "If-Match": '"1"', **GESTIONNAIRE},
    )


def indicateur(valeur: str, dossier: str = A) -> Mapping[str, Any]:
    return {
        "N° de dossier": dossier,
        "N° de l’indicateur": 1,
        "Valeur réalisée": valeur,
        "Valeur constatée le": "31/01/2022",
    }


def realise(service: Service, operation: str = A) -> Mapping[int, Decimal]:
    return Vie(service).operation(operation).realise


def test_a_lot_of_indicators_gives_the_former_values_back(http: TestClient, joue: Service) -> None:
    avant = classeur_de("indicateurs", Indicateurs=[indicateur("12")])
    importe_de(http, "indicateurs", avant)
    lot_ = importe_de(
        http, "indicateurs", classeur_de("indicateurs", Indicateurs=[indicateur("34,5")])
    )
    assert realise(joue) == {1: Decimal("34.5")}
    html = lisible(http.get(lot_, headers=GESTIONNAIRE).text)
    assert "Lignes enregistrées 1" in html
    assert "Total" not in html
    fait = annuler_de(http, "indicateurs", lot_)
    assert fait.status_code == 200, fait.text
    assert realise(joue) == {1: Decimal(12)}


def test_an_indicator_that_moved_since_keeps_its_lot(http: TestClient, joue: Service) -> None:
    premier = importe_de(
        http, "indicateurs", classeur_de("indicateurs", Indicateurs=[indicateur("7", B)])
    )
    importe_de(http, "indicateurs", classeur_de("indicateurs", Indicateurs=[indicateur("9", B)]))
    refuse = annuler_de(http, "indicateurs", premier)
    assert refuse.status_code == 409
    assert "L’indicateur n° 1 vaut 9 et non 7" in refuse.json()["detail"]
    assert realise(joue, B) == {1: Decimal(9)}


def attribution(financeur: str, montant: str = "30000,00") -> Mapping[str, Any]:
    return {
        "Type de financeur": "publique_epci",
        "Financeur": financeur,
        "PLIE": "A",
        "Année": 2021,
        "Montant attribué": montant,
        "Référence de l’attestation": f"ATT-{financeur[-4:]}",
        "Attribuée le": "15/01/2022",
    }


def perception(financeur: str, montant: str = "1000,00") -> Mapping[str, Any]:
    return {
        "Financeur": financeur,
        "Année": 2021,
        "Montant versé": montant,
        "Référence du versement": f"TITRE-{new_id().hex[:6]}",
        "Versé le": "20/01/2022",
    }


def contreparties(service: Service, financeur: str) -> tuple[int, int]:
    with service.reads.connection() as conn:
        row = conn.execute(
            "SELECT attribue_centimes, percu_centimes FROM projection.contrepartie "
            "WHERE financeur = %s",
            (financeur,),
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_lot_of_contreparties_is_undone_as_one(http: TestClient, joue: Service) -> None:
    financeur = f"EPCI fictif {new_id().hex[:6]}"
    octroi = importe_de(
        http,
        "contreparties",
        classeur_de("contreparties", Attributions=[attribution(financeur)]),
        total="30000,00",
    )
    versement = importe_de(
        http,
        "contreparties",
        classeur_de(
            "contreparties", Perceptions=[perception(financeur), perception(financeur, "250,50")]
        ),
        total="1250,50",
    )
    assert contreparties(joue, financeur) == (30_000_00, 1_250_50)
    refuse = annuler_de(http, "contreparties", octroi)
    assert refuse.status_code == 409
    assert "1 250,50 € en sont perçus" in lisible(refuse.json()["detail"]).replace("\u202f", " ")
    for lot_ in (versement, octroi):
        fait = annuler_de(http, "contreparties", lot_)
        assert fait.status_code == 200, fait.text
    assert contreparties(joue, financeur) == (0, 0)


def test_the_books_still_agree(base_des_imports: str, joue: Service) -> None:
    assert joue is not None
    assert [str(c) for c in verifier(base_des_imports) if c.ecarts] == []


# --- Ressources ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dossier_de_bilan(joue: Service) -> str:
    """An operation of its own: what its bilans say is seen by no other test."""
    Vie(joue).jusqu_au_demarrage("202100033")
    return "202100033"


def ressource(dossier: str, montant: str = "12 500,50", **champs: str) -> Mapping[str, Any]:
    return {
        "N° de dossier": dossier,
        "Type de ressource": "publique_epci",
        "Financeur": f"EPCI fictif {new_id().hex[:6]}",
        "Montant perçu": montant,
        **champs,
    }


def depose_ressources(http: TestClient, *lignes: Mapping[str, Any]) -> str:
    octets = classeur_de("ressources", Ressources=list(lignes))
    reponse = deposer(http, octets, "ressources.xlsx", nature="ressources")
    assert reponse.status_code == 303, lisible(reponse.text)
    return str(reponse.headers["location"])


def champs_du_bilan(html: str) -> dict[str, Any]:
    """Return what the form of a preview already says of the bilan."""
    dits: dict[str, Any] = {}
    for entree in re.findall(r"<input [^>]*>", html):
        nom = re.search(r'name="(bilan\.[^"]+)"', entree)
        valeur = re.search(r'value="([^"]*)"', entree)
        coche = "checkbox" not in entree or "checked" in entree
        if nom and valeur and coche:
            dits.setdefault(nom[1], []).append(valeur[1])
    for nom, options in re.findall(
        r'<select [^>]*name="(bilan\.[^"]+)"[^>]*>(.*?)</select>', html, re.DOTALL
    ):
        dits[nom] = re.findall(r'value="([^"]+)" selected', options)
    return dits


def renvoye(service: Service, dossier: str) -> list[str]:
    convention = Vie(service).convention(dossier)
    return [b.statut for b in convention.bilans.values()]


def test_ressources_are_a_lot_with_the_bilan_that_they_are_of(
    http: TestClient, joue: Service, dossier_de_bilan: str
) -> None:
    piece = unique()
    importe(http, classeur({"N° de pièce": piece, "N° de dossier": dossier_de_bilan}))
    import_ = depose_ressources(
        http, ressource(dossier_de_bilan), ressource(dossier_de_bilan, "499,50")
    )
    avant = position(http)
    apercu = http.get(import_).text
    bilan = champs_du_bilan(apercu)
    assert bilan["bilan.numero"] == ["1"]
    # As the convention expects it.
    assert bilan["bilan.type"] == ["final"]
    assert bilan["bilan.periode.debut"] == ["2021-01-01"]
    assert bilan["bilan.periode.fin"] == ["2021-12-31"]
    bilan |= {"bilan.type": "intermediaire", "bilan.periode.fin": ""}
    assert piece in apercu
    assert len(bilan["bilan.depenses"]) == 1
    # Nothing typed is lost, and what is wrong is said at its field.
    refuse = confirmer(
        http, import_, total="13 000,00", **{**bilan, "bilan.recettes_nettes": "cent"}
    )
    assert refuse.status_code == 422
    assert "« cent » n’est pas un montant" in lisible(refuse.text)
    assert 'value="cent"' in refuse.text
    sans_fin = confirmer(http, import_, total="13 000,00", **bilan)
    assert sans_fin.status_code == 422
    assert 'href="#bilan.periode.fin"' in sans_fin.text
    assert "Période du bilan, " in lisible(sans_fin.text)
    fin = {"bilan.periode.fin": "2021-06-30"}
    faux = confirmer(http, import_, total="1", **{**bilan, **fin})
    assert "l’écart est de" in lisible(faux.text)
    assert 'value="2021-06-30"' in faux.text
    assert position(http) == avant
    fait = confirmer(http, import_, total="13 000,00", **{**bilan, **fin})
    assert fait.status_code == 303, lisible(fait.text)
    assert position(http) == avant + 2  # The lot and the bilan, in one act.
    lot_ = str(fait.headers["location"]).partition("?")[0]
    page_ = lisible(http.get(lot_).text)
    assert "n° 1, intermédiaire, du 01/01/2021 au 30/06/2021, avec 1 dépense" in page_
    assert "EPCI fictif" in page_
    assert dossier_de_bilan in page_
    convention = Vie(joue).convention(dossier_de_bilan)
    [depose_] = convention.bilans.values()
    assert [r.montant_centimes for r in depose_.ressources] == [12_500_50, 499_50]
    # The file is evidence, and is not taken twice.
    lu = http.get(f"/api/v1{lot_}").json()
    assert joue.pieces.etat(lu["fichier_sha256"]) == "presente"
    assert http.get(import_).headers["location"] == lot_
    # Undone as one: the bilan goes back, its dépense is free again.
    fait = annuler_de(http, "ressources", lot_)
    assert fait.status_code == 200, fait.text
    assert [e["nom"] for e in fait.json()["evenements"]] == [
        "convention.bilan_renvoye.v1",
        "lot.annule.v1",
    ]
    assert renvoye(joue, dossier_de_bilan) == ["renvoye"]
    assert Vie(joue).convention(dossier_de_bilan).depenses_rattachees() == frozenset()
    assert "1 acte annulé" in lisible(http.get(lot_).text)


def importe_ressources(
    http: TestClient, dossier: str, *, numero: str, ligne: Mapping[str, Any] | None = None
) -> str:
    import_ = depose_ressources(http, ligne or ressource(dossier, "100,00"))
    bilan = {
        **champs_du_bilan(http.get(import_).text),
        "bilan.numero": numero,
        "bilan.type": "intermediaire",
        "bilan.periode.debut": "2021-07-01",
        "bilan.periode.fin": "2021-12-31",
    }
    fait = confirmer(http, import_, total="100,00", **bilan)
    assert fait.status_code == 303, lisible(fait.text)
    return str(fait.headers["location"]).partition("?")[0]


def test_a_bilan_sent_back_by_itself_leaves_its_lot_to_be_undone(
    http: TestClient, joue: Service, dossier_de_bilan: str
) -> None:
    lot_ = importe_ressources(http, dossier_de_bilan, numero="2")
    Vie(joue).renvoi(dossier_de_bilan, numero=2)
    fait = annuler_de(http, "ressources", lot_)
    assert fait.status_code == 200, fait.text
    assert [e["nom"] for e in fait.json()["evenements"]] == ["lot.annule.v1"]


def test_a_bilan_under_control_keeps_its_lot(
    http: TestClient, joue: Service, dossier_de_bilan: str
) -> None:
    lot_ = importe_ressources(http, dossier_de_bilan, numero="3")
    Vie(joue).ouverture_controle(dossier_de_bilan, numero=3)
    avant = position(http)
    refuse = annuler_de(http, "ressources", lot_)
    assert (refuse.status_code, refuse.json()["code"]) == (409, LotTenuParSonBilan.code())
    assert "Le bilan n° 3 est déjà en contrôle" in refuse.json()["detail"]
    assert "Rien n’est annulé" in refuse.json()["detail"]
    assert position(http) == avant


def test_who_files_a_bilan_does_not_send_it_back(http: TestClient, joue: Service) -> None:
    refuse = http.post(
        f"/api/v1/lots/ressources/{new_id()}/annulation",
        json={"date_effet": "2022-02-10", "motif": "Erreur"},
        headers={"Idempotency-Key": str(new_id()), "If-Match": '"1"'},
    )
    assert refuse.status_code == 403


def test_the_same_amount_in_two_bilans_is_said(http: TestClient, dossier_de_bilan: str) -> None:
    encore = ressource(dossier_de_bilan, "100,00", Financeur="EPCI fictif répété")
    importe_ressources(http, dossier_de_bilan, numero="4", ligne=encore)
    import_ = depose_ressources(http, encore, ressource(dossier_de_bilan, "1,00"))
    assert "Le bilan n° 4, du" in lisible(http.get(import_).text)
    assert "porte déjà ce montant de ce financeur" in lisible(http.get(import_).text)


def test_ressources_of_two_dossiers_are_of_two_bilans(
    http: TestClient, dossier_de_bilan: str
) -> None:
    import_ = depose_ressources(http, ressource(dossier_de_bilan), ressource(A))
    apercu = lisible(http.get(import_).text)
    assert "En erreur 1" in apercu
    assert f"la ligne 2 est du dossier {dossier_de_bilan}" in apercu
    assert "avec le bilan de son dossier" in apercu


def test_a_bilan_takes_a_hundred_ressources(http: TestClient, dossier_de_bilan: str) -> None:
    import_ = depose_ressources(http, *(ressource(dossier_de_bilan, "1,00") for _ in range(101)))
    bilan = {
        **champs_du_bilan(http.get(import_).text),
        "bilan.numero": "9",
        "bilan.type": "intermediaire",
        "bilan.periode.debut": "2021-07-01",
        "bilan.periode.fin": "2021-12-31",
    }
    refuse = confirmer(http, import_, total="101,00", **bilan)
    assert refuse.status_code == 409
    assert str(TropDeRessources(maximum=100, nombre=101)) in lisible(refuse.text)


def test_many_doubles_may_be_ticked(http: TestClient) -> None:
    pieces = [unique() for _ in range(80)]
    importe(http, classeur(*({"N° de pièce": p} for p in pieces)), total="96360,00")
    import_ = depose(
        http, classeur(*({"N° de pièce": p} for p in pieces), {"N° de pièce": unique()})
    )
    cochees = re.findall(r'name="doublons" value="([^"]+)"', http.get(import_).text)
    assert len(cochees) == 80
    fait = confirmer(http, import_, total="97564,50", doublons=cochees)
    assert fait.status_code == 303, lisible(fait.text)


def test_the_books_agree_after_all(base_des_imports: str, joue: Service) -> None:
    assert joue is not None
    assert [str(c) for c in verifier(base_des_imports) if c.ecarts] == []


def test_the_form_of_a_bilan_offers_the_depenses_that_wait_for_one(
    http: TestClient, joue: Service
) -> None:
    operation_id = Vie(joue).id("202100034")
    Vie(joue).jusqu_au_demarrage("202100034")
    formulaire = http.get(f"/actes/deposer_bilan/{operation_id}").text
    # Nobody types an identifier: without any dépense, none is asked.
    assert 'name="depenses"' not in formulaire
    assert 'name="livrables"' not in formulaire
    piece = unique()
    importe(http, classeur({"N° de pièce": piece, "N° de dossier": "202100034"}))
    formulaire = http.get(f"/actes/deposer_bilan/{operation_id}").text
    assert f"{piece} du 31/03/2021, Salaire chargé de mars" in lisible(formulaire)
    assert re.search(r'<input type="checkbox" name="depenses"[^>]* checked', formulaire)
