"""Anchors: signed only when the log continues the ones before, put in a folder that only grows."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from horodateur import serveur_horodatage
from messagerie import Boite, serveur_courriel
from rfc3161_client import decode_timestamp_response
from structlog.testing import capture_logs
from vie import Vie

from aggregates.registre.events import DestinationAncre
from oi_service.application import Service
from oi_service.errors import Refusal
from oi_service.preuve import cles
from oi_service.preuve.ancrage import (
    Ancrage,
    AncreDUnAutreJournal,
    AncreMalSignee,
    AncrePrecedenteAbsente,
    Destinations,
    JournalCoupe,
    JournalRefait,
    JournalTroue,
    TeteContredite,
    _signer,
    ancrer,
    destinations_de,
)
from oi_service.preuve.ancres import (
    AncreAbsente,
    AncreIllisible,
    DossierDesAncresInaccessible,
    ancres_du_dossier,
    ecrire_nouveau,
    lire_ancre,
    lister,
    mettre_de_cote,
    nom_de_fichier,
)
from oi_service.preuve.arbre import Niveaux
from oi_service.preuve.courriel import Messagerie
from oi_service.preuve.horodatage import Horodateur
from oi_service.preuve.point import lire_point, octets_de_cle
from oi_service.preuve.verrou import AncrageEnCours, seul
from oi_service.settings import Settings
from projections.journal import evenement
from projections.perimetre import OI_ENTIER

NULLE_PART = Destinations()


@pytest.fixture
def vie(service: Service) -> Vie:
    """Lend a log with something in it."""
    played = Vie(service)
    played.subvention()
    played.tranche("300000.00", "300000.00")
    played.enveloppe("A", "100000.00")
    played.enveloppe("B", "100000.00")
    return played


def acter(vie: Vie) -> None:
    vie.transfert("A", "B", "1.00")


def faire(service: Service, destinations: Destinations = NULLE_PART) -> Ancrage:
    fait = ancrer(service, a_la_demande=True, destinations=destinations)
    assert fait is not None
    return fait


def par_le_rythme(service: Service, destinations: Destinations = NULLE_PART) -> Ancrage | None:
    return ancrer(service, a_la_demande=False, destinations=destinations)


def noms(service: Service) -> list[str]:
    return sorted(p.name for p in service.lieux.ancres.iterdir())


def position(service: Service) -> int:
    with service.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def etats(service: Service) -> dict[str, str]:
    with service.reads.connection() as conn:
        return {a.nom: a.etat for a in lister(conn, service.lieux.ancres)}


@contextmanager
def hors_garde(base: str) -> Iterator[psycopg.Connection[Any]]:
    """Act as who has every right on the database."""
    with psycopg.connect(base) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


def sceaux(service: Service) -> list[bytes]:
    with service.reads.connection() as conn:
        return [s for (s,) in conn.execute("SELECT seal FROM oi.event ORDER BY position")]


# What an anchor is.


def test_an_anchor_signs_the_log_as_it_stands_and_the_log_says_so(
    vie: Vie, service: Service
) -> None:
    fait = faire(service)
    avant = position(service) - 1
    [lue] = ancres_du_dossier(service.lieux.ancres)
    assert lue.signe == fait.ancre
    assert lue.nom == nom_de_fichier(avant) == f"ancre-{avant:012d}.txt"
    tous = sceaux(service)
    assert lue.point.racine == Niveaux(tous[:avant]).racine()
    assert lue.point.sceau == tous[avant - 1]
    registre = cles.registre_de(service)
    assert registre.ancre is not None
    assert lue.signe.est_de(octets_de_cle(registre.ancre.cle))
    assert (registre.ancre.taille, registre.ancre.destinations) == (
        avant,
        (DestinationAncre(nature="fichier", ou=lue.nom, reussi=True, detail=None),),
    )
    assert [e.name for e in fait.outcome.events] == ["registre.journal_ancre.v1"]
    assert fait.complet
    assert etats(service) == {lue.nom: "presente"}


def test_the_first_anchor_of_an_empty_log_signs_its_key(service: Service) -> None:
    assert faire(service).ancre.point.taille == 1


def test_each_anchor_continues_the_ones_before(vie: Vie, service: Service) -> None:
    tailles = []
    for _ in range(3):
        tailles.append(faire(service).ancre.point.taille)
        acter(vie)
    assert tailles == sorted(set(tailles))
    niveaux = Niveaux(sceaux(service))
    for lue in ancres_du_dossier(service.lieux.ancres):
        assert niveaux.racine(lue.point.taille) == lue.point.racine


def test_the_folder_only_grows(vie: Vie, service: Service) -> None:
    faire(service)
    [premier] = service.lieux.ancres.iterdir()
    avant = (premier.read_bytes(), premier.stat().st_ino, premier.stat().st_mtime_ns)
    faire(service)
    assert (premier.read_bytes(), premier.stat().st_ino, premier.stat().st_mtime_ns) == avant
    assert len(noms(service)) == 2


def test_a_file_that_is_there_is_never_written_again(tmp_path: Path) -> None:
    assert ecrire_nouveau(tmp_path / "ancres", "ancre.txt", b"la vraie") is None
    assert ecrire_nouveau(tmp_path / "ancres", "ancre.txt", b"une autre") is None
    assert (tmp_path / "ancres" / "ancre.txt").read_bytes() == b"la vraie"


def test_a_change_of_key_between_two_anchors_is_followed(vie: Vie, service: Service) -> None:
    faire(service)
    cles.changer(service)
    faire(service)
    cles.changer(service)
    faire(service)
    ids = {lue.signe.cle_id for lue in ancres_du_dossier(service.lieux.ancres)}
    assert len(ids) == 3


# Rhythm.


def test_the_rhythm_makes_none_when_the_register_alone_wrote(vie: Vie, service: Service) -> None:
    assert par_le_rythme(service) is not None
    avant = position(service)
    assert par_le_rythme(service) is None
    assert position(service) == avant
    acter(vie)
    assert par_le_rythme(service) is not None
    cles.changer(service)
    assert par_le_rythme(service) is not None, "a new key is worth an anchor"
    assert par_le_rythme(service) is None
    faire(service)


def test_the_rhythm_tries_again_what_failed(vie: Vie, service: Service) -> None:
    muette = Destinations(courriel=Messagerie(None, None, ("auditeur-1@controle.example",)))
    premier = par_le_rythme(service, muette)
    assert premier is not None
    assert not premier.complet
    second = par_le_rythme(service)
    assert second is not None
    assert second.complet
    assert par_le_rythme(service) is None


def test_one_process_anchors_at_a_time(vie: Vie, service: Service) -> None:
    with seul(service), pytest.raises(AncrageEnCours):
        faire(service)
    faire(service)


def test_an_anchoring_cut_after_its_file_is_finished(vie: Vie, service: Service) -> None:
    # As a stop leaves it: the file is there, and its event is not.
    cle = cles.etablir(service)
    with seul(service) as conn:
        signe = _signer(conn, cles.registre_de(service), [], cle)
    nom = nom_de_fichier(signe.point.taille)
    ecrire_nouveau(service.lieux.ancres, nom, signe.texte.encode())
    assert etats(service) == {nom: "non_notee"}
    fait = par_le_rythme(service)
    assert fait is not None
    assert fait.ancre == signe
    assert etats(service) == {nom: "presente"}


def test_an_anchor_that_nobody_noted_is_kept_and_continued(vie: Vie, service: Service) -> None:
    cle = cles.etablir(service)
    with seul(service) as conn:
        signe = _signer(conn, cles.registre_de(service), [], cle)
    ecrire_nouveau(service.lieux.ancres, nom_de_fichier(signe.point.taille), signe.texte.encode())
    acter(vie)
    faire(service)
    assert sorted(etats(service).values()) == ["non_notee", "presente"]


# What is not signed.


def couper(base: str) -> None:
    with hors_garde(base) as conn:
        conn.execute("DELETE FROM oi.event WHERE position > 1")
        conn.execute(
            "UPDATE oi.head SET position = 1, seal = (SELECT seal FROM oi.event WHERE position = 1)"
        )


def couper_apres_l_ancre_d_avant(base: str) -> None:
    """Leave a log that seems to be in order: it ends with the note of an anchor."""
    with hors_garde(base) as conn:
        conn.execute(
            """
            DELETE FROM oi.event WHERE position >
                (SELECT min(position) FROM oi.event WHERE name = 'registre.journal_ancre.v1')
            """
        )
        conn.execute(
            """
            UPDATE oi.head SET (position, seal) =
                (SELECT position, seal FROM oi.event ORDER BY position DESC LIMIT 1)
            """
        )


def vider(base: str) -> None:
    with hors_garde(base) as conn:
        conn.execute("DELETE FROM oi.event")
        conn.execute("UPDATE oi.head SET position = 0, seal = decode(repeat('00', 32), 'hex')")


def trouer(base: str) -> None:
    with hors_garde(base) as conn:
        conn.execute("DELETE FROM oi.event WHERE position = 2")


def refaire(base: str) -> None:
    with hors_garde(base) as conn:
        conn.execute("UPDATE oi.event SET seal = sha256(seal) WHERE position = 2")


def refaire_la_tete(base: str) -> None:
    with hors_garde(base) as conn:
        conn.execute("UPDATE oi.head SET seal = sha256(seal)")


Tordre = Callable[[str], None]


@pytest.mark.parametrize(
    ("tordre", "refus", "dit"),
    [
        (couper, JournalCoupe, "n’en compte que 1"),
        (couper_apres_l_ancre_d_avant, JournalCoupe, "sa fin a été coupée"),
        (vider, JournalCoupe, "n’en compte que 0"),
        (trouer, JournalTroue, "il manque le n° 2"),
        (refaire, JournalRefait, "la racine"),
        (refaire_la_tete, TeteContredite, "ne porte pas le sceau"),
    ],
)
def test_a_log_that_was_altered_gets_no_anchor(
    vie: Vie, service: Service, base: str, tordre: Tordre, refus: type[Refusal], dit: str
) -> None:
    premier = nom_de_fichier(faire(service).ancre.point.taille)
    acter(vie)
    nom = nom_de_fichier(faire(service).ancre.point.taille)
    acter(vie)
    tordre(base)
    avant = position(service)
    for encore in (faire, par_le_rythme):
        with pytest.raises(refus) as refused:
            encore(service)
        assert dit in str(refused.value)
    if refus in {JournalCoupe, JournalRefait}:
        assert {premier, nom} & set(str(refused.value).split())
    assert noms(service) == [premier, nom], "nothing was signed"
    assert position(service) == avant


def test_an_alteration_after_the_last_anchor_is_what_an_anchor_cannot_show(
    vie: Vie, service: Service, base: str
) -> None:
    faire(service)
    acter(vie)
    with hors_garde(base) as conn:
        conn.execute("DELETE FROM oi.event WHERE position = (SELECT position FROM oi.head)")
        conn.execute(
            """
            UPDATE oi.head SET position = position - 1,
                seal = (SELECT seal FROM oi.event ORDER BY position DESC LIMIT 1)
            """
        )
    assert faire(service).complet


def changer_fichier(chemin: Path, ancien: bytes, nouveau: bytes) -> None:
    texte = chemin.read_bytes()
    assert ancien in texte
    chemin.write_bytes(texte.replace(ancien, nouveau))


def test_an_anchor_that_was_touched_stops_the_next(vie: Vie, service: Service) -> None:
    faire(service)
    [fichier] = service.lieux.ancres.iterdir()
    vrai = fichier.read_bytes()
    changer_fichier(fichier, b"instant 20", b"instant 19")
    with pytest.raises(AncreMalSignee, check=lambda r: fichier.name in str(r)):
        faire(service)
    assert etats(service) == {fichier.name: "differente"}
    changer_fichier(fichier, b"instant", b"Instant")
    with pytest.raises(AncreIllisible, check=lambda r: "la ligne 4" in str(r)):
        faire(service)
    fichier.write_bytes(b"")
    with pytest.raises(AncreIllisible):
        faire(service)
    assert etats(service) == {fichier.name: "differente"}
    fichier.write_bytes(vrai)
    copie = fichier.with_name("ancre-000000000001.txt")
    copie.write_bytes(vrai)
    with pytest.raises(AncreIllisible, check=lambda r: copie.name in str(r)):
        faire(service)
    assert etats(service)[copie.name] == "non_notee"
    copie.unlink()
    (fichier.parent / "LISEZMOI.txt").write_text("Ce dossier garde les ancres du journal.")
    assert faire(service).complet


def test_the_anchors_of_another_log_are_not_ours(
    vie: Vie, service: Service, serveur: str, modele: str, tmp_path: Path
) -> None:
    faire(service)
    [fichier] = service.lieux.ancres.iterdir()
    signe = lire_point(fichier.read_bytes())
    debut, _, fin = signe.point.origine.rpartition("-")
    autre = f"{debut}-{'0' * len(fin)}"
    fichier.write_bytes(fichier.read_bytes().replace(signe.point.origine.encode(), autre.encode()))
    with pytest.raises(AncreDUnAutreJournal) as refused:
        faire(service)
    assert autre in str(refused.value)
    assert signe.point.origine in str(refused.value)


def test_a_seal_that_is_not_that_of_its_size_is_seen(vie: Vie, service: Service) -> None:
    """The root says all, but the seal is what a reader compares first: both must hold."""
    faire(service)
    [fichier] = service.lieux.ancres.iterdir()
    signe = lire_point(fichier.read_bytes())
    faux = type(signe.point)(
        origine=signe.point.origine,
        taille=signe.point.taille,
        racine=signe.point.racine,
        instant=signe.point.instant,
        sceau=bytes(32),
    )
    fichier.write_bytes(faux.signe(cles.etablir(service)).texte.encode())
    with pytest.raises(JournalRefait, check=lambda r: "le sceau" in str(r)):
        faire(service)


def test_the_anchors_of_a_log_that_is_no_more_make_way(vie: Vie, service: Service) -> None:
    signe = faire(service).ancre
    [fichier] = service.lieux.ancres.iterdir()
    texte = fichier.read_bytes()
    jeton = fichier.with_suffix(".tsr")
    jeton.write_bytes(b"jeton")
    tronquee = fichier.with_name("ancre-000000000001.txt")
    tronquee.write_bytes(b"")
    mettre_de_cote(service.lieux.ancres)
    ancien = service.lieux.ancres / signe.point.origine.rpartition("/")[2]
    assert (ancien / fichier.name).read_bytes() == texte
    assert (ancien / jeton.name).read_bytes() == b"jeton"
    assert (service.lieux.ancres / "illisibles" / tronquee.name).exists()
    assert ancres_du_dossier(service.lieux.ancres) == []


# The folder of another machine.


def test_a_folder_that_cannot_be_reached_is_said_and_nothing_is_noted(
    vie: Vie, service: Service
) -> None:
    cles.etablir(service)
    avant = position(service)
    service.lieux.ancres.write_text("pas un dossier")
    with pytest.raises(DossierDesAncresInaccessible) as refused:
        faire(service)
    assert "ce n’est pas un dossier" in str(refused.value)
    service.lieux.ancres.unlink()
    service.lieux.ancres.symlink_to(service.lieux.ancres.parent / "partage-non-monte")
    with pytest.raises(DossierDesAncresInaccessible):
        faire(service)
    assert position(service) == avant
    service.lieux.ancres.unlink()
    assert faire(service).complet


def test_a_point_that_the_folder_refuses_still_goes_to_the_auditor(
    vie: Vie, service: Service
) -> None:
    plein = service.lieux.ancres.parent / "partage-non-monte"
    service.lieux.ancres.parent.mkdir(parents=True, exist_ok=True)
    service.lieux.ancres.symlink_to(plein)
    with serveur_courriel() as boite, capture_logs() as dits:
        courriel = Messagerie(
            f"smtp://127.0.0.1:{boite.port}", "registre@oi.example", ("un@controle.example",)
        )
        fait = par_le_rythme(service, Destinations(courriel=courriel))
    assert fait is not None
    assert [(d.nature, d.reussi) for d in fait.destinations] == [
        ("fichier", False),
        ("courriel", True),
    ]
    assert [d["log_level"] for d in dits if d["event"] == "ancrage_incomplet"] == ["error"]
    assert list(etats(service).values()) == ["non_ecrite"]
    plein.mkdir()
    suivant = par_le_rythme(service)
    assert suivant is not None, "what failed is tried again"
    assert len(noms(service)) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="the rights of files do not bind root")
def test_a_folder_that_may_not_be_written_is_said(vie: Vie, service: Service) -> None:
    service.lieux.ancres.mkdir(parents=True)
    service.lieux.ancres.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(DossierDesAncresInaccessible, check=lambda r: "pas le droit" in str(r)):
        faire(service)


def test_an_anchor_that_went_away_stops_the_rhythm_until_somebody_decides(
    vie: Vie, service: Service
) -> None:
    faire(service)
    [fichier] = service.lieux.ancres.iterdir()
    fichier.unlink()
    assert etats(service) == {fichier.name: "absente"}
    acter(vie)
    with pytest.raises(AncrePrecedenteAbsente, check=lambda r: fichier.name in str(r)):
        par_le_rythme(service)
    fait = faire(service)
    assert fait.destinations[0].detail == f"{fichier.name} n’y était plus"
    assert fait.complet
    with service.reads.connection() as conn:
        lu = evenement(conn, OI_ENTIER, fait.outcome.events[0].position)
    assert f"({fichier.name} n’y était plus)" in lu.phrase
    acter(vie)
    assert par_le_rythme(service) is not None


def test_one_anchor_is_read_by_its_size(vie: Vie, service: Service) -> None:
    fait = faire(service)
    taille = fait.ancre.point.taille
    assert lire_ancre(service.lieux.ancres, taille).signe == fait.ancre
    with pytest.raises(AncreAbsente):
        lire_ancre(service.lieux.ancres, taille + 1)


# The other destinations.


def test_a_point_is_dated_and_sent_with_its_date(vie: Vie, service: Service) -> None:
    auditeurs = ("prenom.nom@controle.example", "autre.nom@controle.example")
    with (
        serveur_horodatage() as horodatage,
        serveur_courriel(Boite(refuses=(auditeurs[1],))) as boite,
    ):
        fait = faire(
            service,
            Destinations(
                Messagerie(f"smtp://127.0.0.1:{boite.port}", "registre@oi.example", auditeurs),
                Horodateur(horodatage.url),
            ),
        )
    nom = nom_de_fichier(fait.ancre.point.taille)
    jeton = nom.replace(".txt", ".tsr")
    assert noms(service) == [jeton, nom]
    dossier = service.lieux.ancres
    dite = decode_timestamp_response((dossier / jeton).read_bytes()).tst_info
    assert dite.gen_time is not None
    joints = {p.get_filename(): p.get_content() for p in boite.message().iter_attachments()}
    assert joints == {n: (dossier / n).read_bytes() for n in (nom, jeton)}
    assert [(d.nature, d.ou, d.reussi) for d in fait.destinations] == [
        ("fichier", nom, True),
        ("horodatage", "127.0.0.1", True),
        ("courriel", "…@controle.example", True),
        ("courriel", "…@controle.example", False),
    ]
    with service.reads.connection() as conn:
        row = conn.execute("SELECT string_agg(to_jsonb(e)::text, '') FROM oi.event AS e").fetchone()
    assert row is not None
    assert "nom@" not in row[0], "who audits is not named in what is kept for ever"
    assert not fait.complet


def test_a_date_that_fails_does_not_keep_the_point(vie: Vie, service: Service) -> None:
    with serveur_horodatage() as horodatage:
        horodatage.statut = 500
        fait = faire(service, Destinations(horodatage=Horodateur(horodatage.url)))
    assert fait.destinations[1].detail == "il répond 500"
    assert fait.destinations[0].reussi
    assert len(noms(service)) == 1


def test_the_operator_chooses_the_destinations(tmp_path: Path) -> None:
    assert destinations_de(Settings(_env_file=None)) == NULLE_PART  # type: ignore[call-arg]
    choisies = destinations_de(
        Settings(
            ancre_courriels="un@controle.example, deux@controle.example,",
            smtp_url="smtp://relais",
            courriel_expediteur="registre@oi.example",
            horodatage_url="https://horodateur.example/",
            horodatage_ac=tmp_path / "ac.pem",
        )
    )
    assert choisies == Destinations(
        Messagerie(
            "smtp://relais", "registre@oi.example", ("un@controle.example", "deux@controle.example")
        ),
        Horodateur("https://horodateur.example/", tmp_path / "ac.pem"),
    )


@pytest.mark.parametrize("heures", ["", "24", "4,", "4;5", "quatre", "-1"])
def test_an_hour_that_is_none_is_refused(heures: str) -> None:
    with pytest.raises(ValueError, match="ancre_heures"):
        Settings(ancre_heures=heures)
