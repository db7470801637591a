"""Trials: what decisions would do, and nothing of it kept."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
import pytest
from corps import (
    ENVELOPPE,
    LIGNE,
    PERIODE,
    SUBVENTION,
    TRANCHE,
    conventionner,
    depense,
    dossier,
    instruire,
    ouvrir,
    plan,
)
from corps import programmation as seance
from httpx2 import Response
from porte import Api
from psycopg import sql
from vie import Vie

from api import essai
from api.essai import COMMANDES_MAX, CommandeVisee, EssaiInterrompu
from oi_service.ids import new_id
from projections.rebuild import digests

#: Who tries, when nobody is named.
LE_MEME = {"acteur": "gestionnaire-1", "role": "valideur_oi"}
VALIDEUR = {"acteur": "valideur-1", "role": "valideur_oi"}
PLIE = ("1", "2", "3", "4")
MAQUETTES = ("900000.00", "700000.00", "600000.00", "400000.00")
PROGRAMMES = ("860000.00", "700000.00", "420000.00", "400000.00")


# --- Trying, and doing ---------------------------------------------------------------------------


def demander(api: Api, *commandes: Any, **demande: Any) -> Response:
    corps = {"commandes": commandes, **demande}
    return api.http.post("/api/v1/essais", json=corps)


def essayer(api: Api, *commandes: Any, **demande: Any) -> Any:
    """Try commands, and check that nothing is left of them."""
    before = contenu(api)
    answer = demander(api, *commandes, **demande)
    assert answer.status_code == 200, answer.text
    assert contenu(api) == before
    found = answer.json()
    assert found["position_avant"] == found["position_apres"] == api.position
    refused = [c["rang"] for c in found["commandes"] if c["refus"] is not None]
    assert [c["rang"] for c in found["regles_enfreintes"]] == refused
    return found


def contenu(api: Api) -> dict[str, str]:
    """Digest every table of the service: the projections, the log, its keys, its head."""
    with api.service.reads.connection() as conn:
        found = digests(conn)
        for table in ("event", "command", "head", "projection_state"):
            query = sql.SQL("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} AS t")
            row = conn.execute(query.format(sql.Identifier("oi", table))).fetchone()
            assert row is not None
            found[f"oi.{table}"] = row[0]
    return found


def executer(api: Api, commandes: Any) -> list[Any]:
    """Really do what a trial accepted, one command after the other; return the answers."""
    answers: list[Any] = []
    for commande in commandes:
        text = re.sub(
            r"\$(\d+)\.([a-z]+)(?:\.(\d+)\.flux)?",
            lambda m: (
                answers[int(m[1]) - 1]["evenements"][int(m[3])]["flux"]
                if m[3]
                else answers[int(m[1]) - 1]["id"]
            ),
            json.dumps(commande),
        )
        asked = json.loads(text)
        who = asked.get("personne")
        headers = {"OI-Acteur": who["acteur"], "OI-Role": who["role"]} if who else None
        chemin = asked["chemin"].removeprefix("/api/v1")
        answer = api.demander(chemin, asked["corps"], 999_999, headers)
        if answer.status_code == 412:
            version = answer.json()["details"]["actuelle"]
            answer = api.demander(chemin, asked["corps"], version, headers)
        assert answer.is_success, (answer.text, asked)
        answers.append(answer.json())
    return answers


def maquette(api: Api) -> Any:
    return api.http.get("/api/v1/maquette").json()


def tenir(api: Api, found: Any, *commandes: Any) -> list[Any]:
    """Do for real what was tried: the maquette moves from what was said to what was said."""
    assert not found["regles_enfreintes"], found["regles_enfreintes"]
    [tried] = found["maquettes"]
    assert maquette(api)["total"] == tried["total"]["avant"]
    done = executer(api, commandes)
    now = maquette(api)
    assert now["total"] == tried["total"]["apres"]
    shown = {p["plie_id"]: p["chiffres"]["apres"] for p in tried["par_plie"]}
    assert {p["plie_id"]: p["chiffres"] for p in now["par_plie"]} == shown
    for said, acte in zip(found["commandes"], done, strict=True):
        names = [e["nom"] for e in acte["evenements"]]
        assert [e["nom"] for e in said["evenements"]] == names
    return done


def de(found: Any, plie: str) -> Any:
    [tried] = found["maquettes"]
    [chiffres] = [p["chiffres"] for p in tried["par_plie"] if p["plie_id"] == plie]
    return chiffres


def commande(chemin: str, corps: Any, personne: Any = None) -> Any:
    said = {"chemin": f"/api/v1{chemin}", "corps": corps}
    return said if personne is None else said | {"personne": personne}


def transfert(sg: object, de: str, vers: str, fse: str) -> Any:
    corps = {
        "date_effet": "2022-02-01",
        "motif": "Gestion dynamique",
        "de": {"ligne": LIGNE, "plie_id": de},
        "vers": {"ligne": LIGNE, "plie_id": vers},
        "fse": fse,
        "cout_total": fse,
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-3",
    }
    return commande(f"/subventions-globales/{sg}/transferts", corps)


# --- Gestion dynamique ---------------------------------------------------------------------------


def quatre_plie(api: Api) -> str:
    """Play four PLIE, their enveloppes and what they programmed."""
    vie = Vie(api.service)
    vie.subvention(plie=PLIE, fse_total="2600000.00")
    vie.tranche("2600000.00", "2600000.00")
    vie.appel(fiches=[{"code": f"F{p}", "plie": p} for p in PLIE])
    for plie, fse, programme in zip(PLIE, MAQUETTES, PROGRAMMES, strict=True):
        vie.enveloppe(plie, fse)
        operation = f"OP-{plie}"
        total = f"{2 * int(programme[:-3])}.00"
        vie.depot(operation, fiche=f"F{plie}", fse=programme, cout_total=total)
        vie.instruction(operation)
        vie.programmation(operation)
    return str(vie.id("SG"))


def test_three_transfers_share_the_money_again_and_a_fourth_is_refused(api: Api, base: str) -> None:
    sg = quatre_plie(api)
    trois = [
        transfert(sg, "3", "1", "90000.00"),
        transfert(sg, "3", "reserve", "60000.00"),
        transfert(sg, "reserve", "2", "25000.00"),
    ]
    with psycopg.connect(base, autocommit=True) as listener:
        listener.execute("LISTEN oi_event")
        found = essayer(api, *trois, transfert(sg, "3", "4", "31000.00"))
        assert list(listener.notifies(timeout=0.3)) == []

    apres = {p["plie_id"]: p["chiffres"]["apres"] for p in found["maquettes"][0]["par_plie"]}
    assert {plie: c["fse_maquette"] for plie, c in apres.items()} == {
        "1": "990000.00",
        "2": "725000.00",
        "3": "450000.00",
        "4": "400000.00",
        "reserve": "35000.00",
    }
    for plie, fse in zip(PLIE, MAQUETTES, strict=True):
        assert de(found, plie)["avant"]["fse_maquette"] == fse
    assert de(found, "reserve")["avant"]["fse_maquette"] == "0.00"
    assert de(found, "3")["ecarts"]["fse_maquette"] == "-150000.00"
    assert de(found, "3")["ecarts"]["disponible_a_programmer"] == "-150000.00"
    assert de(found, "3")["apres"]["disponible_a_programmer"] == "30000.00"
    assert de(found, "4")["ecarts"] == {}
    total = found["maquettes"][0]["total"]
    assert total["avant"]["fse_maquette"] == total["apres"]["fse_maquette"] == "2600000.00"
    assert total["avant"]["fse_programme"] == "2380000.00"
    assert (total["ecarts"], total["ecart_operations"]) == ({}, 0)

    [refused] = found["regles_enfreintes"]
    assert (refused["rang"], refused["statut"], refused["id"]) == (4, 409, None)
    assert refused["refus"]["code"] == "transfert_sous_le_programme"
    assert refused["refus"]["details"]["disponible"] == "30000.00"
    assert "au plus 30\u202f000,00\u00a0€ peuvent en partir" in refused["refus"]["detail"]
    [fait] = found["commandes"][0]["evenements"]
    assert fait["nom"] == "subvention_globale.transfert_enveloppe_decide.v1"
    assert (fait["flux"], fait["date_effet"]) == (sg, "2022-02-01")
    assert "90\u202f000,00\u00a0€" in fait["phrase"]

    # Asked again, the same; done for real, the same.
    again = essayer(api, *trois)
    assert again["maquettes"] == found["maquettes"]
    tenir(api, again, *trois)
    refused_now = executer_refus(api, transfert(sg, "3", "4", "31000.00"))
    said = {name: value for name, value in refused["refus"].items() if value is not None}
    assert refused_now == said


def executer_refus(api: Api, asked: Any) -> Any:
    """Really ask for what must be refused by a rule; return the problem."""
    chemin = asked["chemin"].removeprefix("/api/v1")
    version = api.demander(chemin, asked["corps"], 999_999).json()["details"]["actuelle"]
    answer = api.demander(chemin, asked["corps"], version)
    assert answer.status_code == 409
    return answer.json()


def test_a_tranche_an_enveloppe_and_a_reserve_in_a_grant_that_the_trial_makes(api: Api) -> None:
    commandes = [
        commande("/subventions-globales", SUBVENTION),
        commande("/subventions-globales/$1.id/tranches", TRANCHE),
        commande("/subventions-globales/$1.id/enveloppes", ENVELOPPE),
        transfert("$1.id", "A", "B", "1000.00"),
    ]
    found = essayer(api, *commandes)
    assert found["position_avant"] == 0
    assert de(found, "A")["avant"]["fse_maquette"] == "0.00"
    assert de(found, "A")["apres"]["fse_maquette"] == "99000.00"
    assert de(found, "non_reparti")["apres"]["fse_maquette"] == "400000.00"
    assert re.fullmatch(
        r"/api/v1/subventions-globales/[0-9a-f-]{36}/tranches", found["commandes"][1]["chemin"]
    )
    assert not found["regles_enfreintes"]
    executer(api, commandes)
    assert maquette(api)["total"] == found["maquettes"][0]["total"]["apres"]


# --- Operations ----------------------------------------------------------------------------------


def test_a_programming_and_a_deprogramming(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    chemin = f"/operations/{operation}"
    programmer = commande(f"{chemin}/programmation", seance())
    found = essayer(api, programmer)
    assert de(found, "A")["ecarts"] == {
        "fse_programme": "50000.00",
        "fse_programme_ajuste": "50000.00",
        "ct_programme": "100000.00",
        "ct_programme_ajuste": "100000.00",
        "cp_programmee": "50000.00",
        "disponible_a_programmer": "-50000.00",
    }
    assert de(found, "A")["ecart_operations"] == 1
    assert de(found, "A")["apres"]["taux_programmation"] == "50.00"
    tenir(api, found, programmer)

    corps = {
        "date_effet": "2022-01-22",
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-2",
        "motif": "Le porteur y renonce",
    }
    deprogrammer = commande(f"{chemin}/deprogrammation", corps)
    found = essayer(api, deprogrammer)
    assert de(found, "A")["ecarts"]["disponible_a_programmer"] == "50000.00"
    assert found["maquettes"][0]["total"]["ecart_operations"] == -1
    tenir(api, found, deprogrammer)


def test_an_avenant_asked_examined_and_signed_in_one_trial(api: Api) -> None:
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    conventionner(api, operation, version, date_effet="2021-12-20")
    chemin = f"/operations/{operation}/convention/avenants"
    demande = {
        "date_effet": "2021-12-21",
        "motif": "Une entrée de plus",
        "numero": 1,
        "plan": plan("60000.00", "40000.00"),
    }
    examen = {
        "date_effet": "2021-12-22",
        "numero": 1,
        "instance": "conseil_administration_oi",
        "pv_ref": "pv-2",
    }
    signature = {"date_effet": "2021-12-23", "numero": 1}
    commandes = [
        commande(chemin, demande),
        commande(f"{chemin}/1/programmation", examen),
        commande(f"{chemin}/1/signature", signature),
    ]
    found = essayer(api, *commandes)
    assert de(found, "A")["ecarts"]["fse_programme"] == "10000.00"
    assert de(found, "A")["ecarts"]["fse_conventionne"] == "10000.00"
    # The first command alone moves no euro: its maquette is shown all the same.
    seule = essayer(api, commandes[0])
    assert seule["maquettes"][0]["total"]["ecarts"] == {}
    # An avenant that costs more than the enveloppe has is refused; what follows it too.
    trop = commande(chemin, demande | {"plan": plan("100000.01", "40000.00", "140000.01")})
    found_trop = essayer(api, trop, *commandes[1:])
    codes = [c["refus"]["code"] for c in found_trop["regles_enfreintes"]]
    assert codes[0] == "disponible_insuffisant"
    tenir(api, found, *commandes)


def test_a_late_control_and_its_correction(api: Api) -> None:
    """Dépenses, bilan, control, decisions, validation: one trial, by two persons."""
    _, appel = ouvrir(api)
    operation, version = instruire(api, appel)
    conventionner(api, operation, version)
    chemin = f"/operations/{operation}"
    jour = {"date_effet": "2022-04-01"}
    depenses = [f"$1.evenements.{rang}.flux" for rang in range(8)]
    bilan = {
        "numero": 1,
        "type": "final",
        "periode": PERIODE,
        "depenses": depenses,
        "ressources": plan()["ressources"],
    }
    lignes = [{"depense_id": d, "montant_ecarte": "0.00"} for d in depenses]
    ressources = [
        {
            "type": "publique_epci",
            "financeur": "EPCI",
            "montant_declare": "50000.00",
            "montant_retenu": "40000.00",
        }
    ]
    commandes = [
        commande(f"{chemin}/depenses/lots", jour | {"depenses": [depense(r) for r in range(8)]}),
        commande(f"{chemin}/bilans", jour | bilan),
        commande(f"{chemin}/bilans/$2.id/recevabilite", jour),
        commande(f"{chemin}/csf", jour | {"bilan_id": "$2.id"}),
        commande(f"{chemin}/csf/$4.id/lignes", jour | {"lignes": lignes}),
        commande(f"{chemin}/csf/$4.id/ressources", jour | {"ressources": ressources}),
        commande(f"{chemin}/csf/$4.id/validation", jour, VALIDEUR),
    ]
    seul = essayer(api, *commandes[:-1], commande(f"{chemin}/csf/$4.id/validation", jour, LE_MEME))
    [refused] = seul["regles_enfreintes"]
    assert (refused["rang"], refused["refus"]["code"]) == (7, "controleur_egal_valideur")

    found = essayer(api, *commandes)
    ecarts = de(found, "A")["ecarts"]
    assert (ecarts["fse_declare"], ecarts["fse_retenu_csf"]) == ("40000.00", "40000.00")
    assert ecarts["reste_a_consommer"] == "-40000.00"
    assert ecarts["depenses_declarees"] == "80000.00"
    phrases = [e["phrase"] for c in found["commandes"] for e in c["evenements"]]
    assert len(found["commandes"][0]["evenements"]) == 8
    assert all(phrase.endswith(".") for phrase in phrases)
    done = tenir(api, found, *commandes)

    # The control is taken up again, and a dépense of 10 000,00 € falls.
    jour = {"date_effet": "2022-09-01"}
    reouverture = jour | {"motif": "Contrôle d’opération", "controle_ref": "CICC-12"}
    ecartee = {
        "depense_id": done[0]["evenements"][0]["flux"],
        "montant_ecarte": "10000.00",
        "motif_code": "CORRECTION_AUDIT",
    }
    csf = f"{chemin}/csf/$2.id"
    commandes = [
        commande(f"{chemin}/csf/{done[3]['id']}/reouverture", reouverture),
        commande(f"{chemin}/csf", jour | {"bilan_id": done[1]["id"]}),
        commande(f"{csf}/lignes", jour | {"lignes": [ecartee]}),
        commande(f"{csf}/conclusions", jour),
        commande(f"{csf}/observations", jour),
        commande(f"{csf}/conclusions-finales", jour),
        commande(f"{csf}/validation", jour, VALIDEUR),
    ]
    found = essayer(api, *commandes)
    assert not found["regles_enfreintes"], found["regles_enfreintes"]
    ecarts = de(found, "A")["ecarts"]
    assert ecarts["fse_retenu_csf"] == "-10000.00"
    assert ecarts["depenses_ecartees"] == "10000.00"
    tenir(api, found, *commandes)


# --- What is not tried ---------------------------------------------------------------------------


def defauts(answer: Response) -> dict[str, str]:
    assert (answer.status_code, answer.json()["code"]) == (422, "saisie_invalide"), answer.text
    return {e["pointer"]: e["message"] for e in answer.json()["errors"]}


def test_only_commands_are_tried(api: Api) -> None:
    rien = {"date_effet": "2022-01-01"}
    absent = new_id()
    found = defauts(
        demander(
            api,
            commande("/essais", {"commandes": []}),
            commande("/calculs/fse-du", {}),
            commande("/maquette", {}),
            commande(f"/operations/{absent}/inconnue", rien),
            commande(f"/operations/{absent}/solde", rien),
        )
    )
    assert set(found) == {f"#/commandes/{rang}/chemin" for rang in range(4)}
    assert all("n’enregistre rien" in message for message in found.values())
    for chemin in (
        "/sante/pret",
        "/api/v1/../v1/essais",
        "/api/v1/essais?x=1",
        "http://x/api/v1/a",
    ):
        found = defauts(demander(api, {"chemin": chemin, "corps": {}}))
        assert list(found) == ["#/commandes/0/chemin"], chemin
    assert set(defauts(demander(api))) == {"#/commandes"}
    trop = [commande(f"/operations/{absent}/solde", rien)] * (COMMANDES_MAX + 1)
    assert defauts(demander(api, *trop))["#/commandes"].startswith("il en faut au plus 20")
    assert set(defauts(demander(api, trop[0] | {"version": 3}))) == {"#/commandes/0/version"}


def test_a_reference_designates_a_command_played_before(api: Api) -> None:
    absent = new_id()
    found = defauts(
        demander(
            api,
            commande(f"/operations/{absent}/csf", {"a": [{"b": "$1.id"}]}),
            commande("/operations/$2.id/solde", {"c": "$1.evenements.0.flux"}),
        )
    )
    assert found == {
        "#/commandes/0/corps/a/0/b": "une référence désigne une commande qui précède celle-ci",
        "#/commandes/1/chemin": "une référence désigne une commande qui précède celle-ci",
    }


def test_each_refusal_is_told_and_the_next_commands_are_tried(api: Api) -> None:
    sg, appel = ouvrir(api)
    operation, _ = instruire(api, appel)
    absent = new_id()
    found = essayer(
        api,
        commande(f"/subventions-globales/{sg}/transferts", {"fse": 12.5}),
        commande(f"/operations/{absent}/solde", {"date_effet": "2022-01-01"}),
        commande("/operations/$2.id/bilans", {"depenses": "$1.evenements.3.flux"}),
        # Two dossiers under one number: the database itself refuses, in the transaction of all.
        commande("/operations", dossier(appel, 1)),
        commande("/operations", dossier(appel, 2)),
        commande("/operations", dossier(appel, 2)),
        commande(f"/operations/{operation}/programmation", seance()),
        commande("/operations/$5.id/recevabilite", {"date_effet": "$5.evenements.1.flux"}),
    )
    told = [(c["statut"], c["refus"] and c["refus"]["code"]) for c in found["commandes"]]
    assert told == [
        (422, "saisie_invalide"),
        (404, "operation_absente"),
        (404, CommandeVisee.code()),
        (409, "numero_mdfse_deja_pris"),
        (201, None),
        (409, "numero_mdfse_deja_pris"),
        (200, None),
        (404, CommandeVisee.code()),
    ]
    malformed = {e["pointer"] for e in found["commandes"][0]["refus"]["errors"]}
    assert {"#/fse", "#/date_effet", "#/pv_ref"} <= malformed
    absente = found["commandes"][2]
    assert absente["chemin"].endswith("/operations/$2.id/bilans")
    assert absente["refus"]["detail"].startswith("« $2.id » désigne ce que ferait la commande n° 2")
    assert "« $5.evenements.1.flux »" in found["commandes"][7]["refus"]["detail"]
    assert de(found, "A")["ecarts"]["fse_programme"] == "50000.00"
    assert de(found, "A")["ecarts"]["fse_depose"] == "50000.00"


def test_a_maquette_that_is_not_touched_is_shown_when_it_is_named(api: Api) -> None:
    sg, _ = ouvrir(api)
    refusee = transfert(sg, "A", "B", "100000.01")
    assert essayer(api, refusee)["maquettes"] == []
    found = essayer(api, refusee, subvention_globale_id=sg)
    assert de(found, "A")["ecarts"] == {}
    assert de(found, "A")["avant"]["fse_maquette"] == "100000.00"
    autre = demander(api, refusee, subvention_globale_id=str(new_id()))
    assert (autre.status_code, autre.json()["code"]) == (404, "subvention_globale_absente")


# --- Meanwhile -----------------------------------------------------------------------------------


ENVELOPPES_FIGEES: LiteralString = "LOCK TABLE projection.enveloppe IN SHARE ROW EXCLUSIVE MODE"
JOURNAL_ILLISIBLE: LiteralString = "LOCK TABLE oi.event IN ACCESS EXCLUSIVE MODE"


@contextmanager
def essai_en_cours(
    api: Api, base: str, *commandes: Any, verrou: LiteralString = ENVELOPPES_FIGEES
) -> Iterator[Callable[[], Response]]:
    """Stop a trial where a lock stops it: by default, in the append of its first transfer.

    Yields what waits for its answer; the trial goes on when the block ends.
    """
    answers: list[Response] = []
    trial = threading.Thread(target=lambda: answers.append(demander(api, *commandes)))

    def answer() -> Response:
        trial.join(timeout=60)
        return answers[0]

    with psycopg.connect(base) as blocker:
        blocker.execute(verrou)
        trial.start()
        attendre(lambda: en_attente(base, "relation") == 1)
        yield answer
    trial.join(timeout=60)


def en_attente(base: str, verrou: str) -> int:
    with psycopg.connect(base, autocommit=True) as conn:
        row = conn.execute(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = %s
            """,
            (verrou,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def attendre(vrai: Callable[[], bool]) -> None:
    for _ in range(500):
        if vrai():
            return
        time.sleep(0.02)
    raise AssertionError("never")


#: More than the threads of the service: a trial must not wait for one of them.
ECRIVAINS = 45


def test_writers_wait_for_the_trial_and_lose_nothing(
    api: Api, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(essai, "DUREE_MAXIMALE", timedelta(seconds=60))
    sg, appel = ouvrir(api)
    before = api.position
    un, deux = (transfert(sg, "A", "B", fse) for fse in ("1000.00", "2000.00"))
    with ThreadPoolExecutor(ECRIVAINS) as pool:
        with essai_en_cours(api, base, un, deux) as answer:
            writers = [
                pool.submit(api.demander, "/operations", dossier(appel, rang))
                for rang in range(1, ECRIVAINS + 1)
            ]
            attendre(lambda: en_attente(base, "tuple") + en_attente(base, "transactionid") == 7)
            time.sleep(0.5)  # Long enough for the others to hold every thread.
            assert not any(writer.done() for writer in writers)
        deposes = [writer.result(timeout=60) for writer in writers]
    assert [d.status_code for d in deposes] == [201] * ECRIVAINS
    positions = sorted(e["position"] for d in deposes for e in d.json()["evenements"])
    assert positions == list(range(before + 1, before + ECRIVAINS + 1))
    tried = answer().json()
    assert tried["position_avant"] == before <= tried["position_apres"]
    assert de(tried, "B")["ecarts"]["fse_maquette"] == "3000.00"
    assert de(tried, "A")["ecarts"].keys() == {
        "fse_maquette",
        "ct_maquette",
        "disponible_a_programmer",
        "reste_a_consommer",
    }
    assert maquette(api)["total"]["fse_depose"] == f"{ECRIVAINS * 50_000}.00"


def test_the_log_is_held_before_anything_is_read(api: Api, base: str) -> None:
    sg, _ = ouvrir(api)
    with (
        essai_en_cours(api, base, transfert(sg, "A", "B", "1000.00"), verrou=JOURNAL_ILLISIBLE),
        psycopg.connect(base) as conn,
        pytest.raises(psycopg.errors.LockNotAvailable),
    ):
        conn.execute("SELECT FROM oi.head FOR UPDATE NOWAIT")


def test_one_trial_at_a_time(api: Api, base: str) -> None:
    sg, _ = ouvrir(api)
    with ThreadPoolExecutor(1) as pool:
        with essai_en_cours(api, base, transfert(sg, "A", "B", "1000.00")) as answer:
            second = pool.submit(demander, api, transfert(sg, "A", "B", "2000.00"))
            time.sleep(0.5)
            # It waits for its turn outside the database, where it holds nobody up.
            assert en_attente(base, "tuple") + en_attente(base, "transactionid") == 0
            assert not second.done()
        found = second.result(timeout=60).json()
    assert de(found, "B")["ecarts"]["fse_maquette"] == "2000.00"
    assert de(answer().json(), "B")["ecarts"]["fse_maquette"] == "1000.00"


def test_a_trial_that_lasts_is_ended_and_the_writers_go_on(
    api: Api, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(essai, "DUREE_MAXIMALE", timedelta(seconds=1))
    sg, appel = ouvrir(api)
    before = contenu(api)
    with essai_en_cours(api, base, transfert(sg, "A", "B", "1000.00")) as answer:
        # The trial is not let go: it is the database that ends it.
        assert answer().status_code == 503, answer().text
        assert contenu(api) == before
        api.faire("/operations", dossier(appel))
    problem = answer().json()
    assert problem["code"] == EssaiInterrompu.code()
    assert problem["detail"].startswith("L’essai n’est pas allé à son terme")
    assert answer().headers["Retry-After"] == "1"
    assert essayer(api, transfert(sg, "A", "B", "1000.00"))["regles_enfreintes"] == []


def test_a_trial_cut_in_the_middle_leaves_nothing(api: Api, base: str) -> None:
    sg, appel = ouvrir(api)
    before = contenu(api)
    with essai_en_cours(api, base, transfert(sg, "A", "B", "1000.00")) as answer:
        with psycopg.connect(base, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event = 'relation'"
            )
        assert answer().status_code == 503
        assert contenu(api) == before
    api.faire("/operations", dossier(appel))


def test_a_bug_in_a_command_leaves_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sg, _ = ouvrir(api)
    before = contenu(api)

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("aggregates.subvention_globale.maquette.exiger_en_vigueur", bug)
    with pytest.raises(ZeroDivisionError):
        demander(api, transfert(sg, "A", "B", "1000.00"))
    assert contenu(api) == before
