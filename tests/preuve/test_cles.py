"""The key that signs: drawn once, never in the base, and replaced in steps that may be cut."""

import base64
import os
import stat
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from dsl import Given
from fabrique import fait
from psycopg.types.json import Jsonb

from aggregates.registre import cles as decisions
from aggregates.registre.cles import CleDejaEtablie, CleJamaisEtablie, MotifDeLaPerte
from aggregates.registre.events import CleChangee, CleEtablie, LivresVerifies
from aggregates.registre.state import REGISTRE, CleDuJournal, Registre
from oi_service.application import Service
from oi_service.ids import new_id
from oi_service.preuve import cles
from oi_service.preuve.cles import (
    FICHIER,
    SUIVANTE,
    CleDeSignatureAbsente,
    CleDeSignatureEtrangere,
    CleDeSignatureIllisible,
    CleEnPlace,
    CleNonEcrite,
    passations,
    publique,
)
from oi_service.preuve.examen import examiner
from oi_service.preuve.point import origine_de
from oi_service.preuve.verrou import AncrageEnCours, seul

_JOUR = fait(LivresVerifies).date_effet


def position(service: Service) -> int:
    with service.reads.connection() as conn:
        row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    return int(row[0])


def registre(service: Service) -> Registre:
    return cles.registre_de(service)


def dossier(service: Service) -> Path:
    return service.lieux.cles


def fichiers(service: Service) -> list[str]:
    return sorted(p.name for p in dossier(service).iterdir() if "signature" in p.name)


# Decisions.


def test_the_first_key_is_established_once() -> None:
    Given(REGISTRE, []).when(lambda r: decisions.etablir(r, "A", le=_JOUR)).then(
        CleEtablie(date_effet=_JOUR, cle="A")
    )
    connue = [fait(CleEtablie, cle="A")]
    Given(REGISTRE, connue).when(lambda r: decisions.etablir(r, "A", le=_JOUR)).then()
    Given(REGISTRE, connue).when(lambda r: decisions.etablir(r, "B", le=_JOUR)).refuses(
        CleDejaEtablie, "Un seul dossier de clés"
    )


def test_a_key_is_handed_over_or_its_loss_explained() -> None:
    connue = [fait(CleEtablie, cle="A")]

    def change(signature: str | None, motif: str | None) -> object:
        return lambda r: decisions.changer(r, "B", 12, signature, motif, le=_JOUR)

    Given(REGISTRE, connue).when(change("S", None)).then(
        CleChangee(date_effet=_JOUR, cle="B", depuis=12, signature="S")
    )
    Given(REGISTRE, connue).when(change(None, "Disque perdu")).then(
        CleChangee(date_effet=_JOUR, motif="Disque perdu", cle="B", depuis=12, signature=None)
    )
    Given(REGISTRE, connue).when(change(None, None)).refuses(MotifDeLaPerte, "dites pourquoi")
    Given(REGISTRE, []).when(change("S", None)).refuses(CleJamaisEtablie, "pas encore de clé")


def test_each_size_of_the_log_has_its_key() -> None:
    tenu = Registre(cles=(CleDuJournal(cle="A"), CleDuJournal(cle="B", depuis=12)))
    assert [tenu.cle_de(taille) for taille in (1, 12, 13, 99)] == ["A", "A", "B", "B"]
    assert (tenu.cle, Registre().cle_de(5)) == ("B", None)


# The first start.


def test_a_first_start_draws_a_key_that_the_log_knows_by_its_public_half(
    service: Service, base: str
) -> None:
    cle = cles.etablir(service)
    fichier = dossier(service) / FICHIER
    assert stat.S_IMODE(fichier.stat().st_mode) == 0o600
    assert stat.S_IMODE(dossier(service).stat().st_mode) == 0o700
    assert fichiers(service) == [FICHIER]
    assert registre(service).cle == publique(cle)
    assert publique(cles.etablir(service)) == publique(cle)
    assert position(service) == 1
    prive = cle.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    with psycopg.connect(base) as conn:
        [[tout]] = conn.execute(
            "SELECT string_agg(to_jsonb(e)::text, '') FROM oi.event AS e"
        ).fetchall()
    for forme in (prive.hex(), base64.b64encode(prive).decode()):
        assert forme not in tout


def test_a_start_cut_before_the_log_knew_the_key_goes_on_with_it(service: Service) -> None:
    tiree = cles._tirer(dossier(service) / FICHIER)
    assert registre(service).cle is None
    assert publique(cles.etablir(service)) == publique(tiree)


def test_two_draws_at_once_keep_one_key(service: Service) -> None:
    chemin = dossier(service) / FICHIER
    une, autre = cles._tirer(chemin), cles._tirer(chemin)
    assert publique(une) == publique(autre)


def test_a_folder_that_takes_no_file_is_named(service: Service) -> None:
    dossier(service).parent.mkdir(parents=True, exist_ok=True)
    dossier(service).write_text("pas un dossier")
    with pytest.raises(CleDeSignatureIllisible):
        cles.etablir(service)
    dossier(service).unlink()
    dossier(service).symlink_to(dossier(service).parent / "partage-non-monte")
    with pytest.raises(CleNonEcrite) as refused:
        cles.etablir(service)
    assert str(dossier(service)) in str(refused.value)
    assert position(service) == 0


# What the disk no longer holds, or holds wrongly.


def test_a_missing_key_is_asked_for_by_name(service: Service) -> None:
    cles.etablir(service)
    (dossier(service) / FICHIER).unlink()
    with pytest.raises(CleDeSignatureAbsente) as refused:
        cles.etablir(service)
    assert str(dossier(service) / FICHIER) in str(refused.value)
    assert "oi changer-cle --perdue" in str(refused.value)
    assert position(service) == 1, "no other key took its place"


def test_the_key_of_another_log_is_refused(service: Service) -> None:
    cles.etablir(service)
    fichier = dossier(service) / FICHIER
    fichier.unlink()
    cles._tirer(fichier)
    for essai in (cles.etablir, lambda s: cles.changer(s, perdue=True, motif="Perdue")):
        with pytest.raises(CleDeSignatureEtrangere):
            essai(service)
    assert fichier.exists()
    assert position(service) == 1


@pytest.mark.parametrize("texte", [b"", b"rien", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_refused(service: Service, texte: bytes) -> None:
    cles.etablir(service)
    (dossier(service) / FICHIER).write_bytes(texte)
    with pytest.raises(CleDeSignatureIllisible):
        cles.etablir(service)


def test_a_key_of_another_kind_is_refused(service: Service) -> None:
    dossier(service).mkdir(parents=True)
    (dossier(service) / FICHIER).write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    with pytest.raises(CleDeSignatureIllisible, check=lambda r: "Ed25519" in str(r)):
        cles.etablir(service)


# Changing.


def test_a_new_key_is_signed_by_the_one_before(service: Service) -> None:
    avant = publique(cles.etablir(service))
    apres = cles.changer(service)
    assert apres != avant
    assert publique(cles.etablir(service)) == apres
    assert fichiers(service) == [FICHIER], "the one before is on the disk no more"
    assert registre(service).cles == (
        CleDuJournal(cle=avant),
        CleDuJournal(cle=apres, depuis=1),
    )
    with service.reads.connection() as conn:
        [(premier, _), (_, dit)] = conn.execute(
            "SELECT event_id, data FROM oi.event ORDER BY position"
        ).fetchall()
    origine = origine_de(premier)
    # As anybody would, with the format at hand and nothing of ours.
    Ed25519PublicKey.from_public_bytes(base64.b64decode(avant)).verify(
        base64.b64decode(dit["signature"]), f"oi_service/cle/1\n{origine}\n1\n{apres}\n".encode()
    )


def changements(service: Service) -> list[bool | None]:
    with service.reads.connection() as conn:
        return [p.signee for p in passations(conn)]


@pytest.mark.parametrize("champ", ["cle", "depuis", "signature"])
def test_a_change_that_the_key_before_did_not_sign_is_seen(
    service: Service, base: str, champ: str
) -> None:
    cles.etablir(service)
    autre = cles.changer(service)
    cles.changer(service)
    assert changements(service) == [True, True]
    faux: dict[str, object] = {"cle": autre, "depuis": 7, "signature": "A" * 86 + "=="}
    with psycopg.connect(base) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute(
            "UPDATE oi.event SET data = jsonb_set(data, %s, %s) "
            "WHERE position = (SELECT position FROM oi.head)",
            ([champ], Jsonb(faux[champ])),
        )
    assert changements(service) == [True, False]
    assert [c.code for c in examiner(service).controles if c.ecarts] == ["S1", "S6"]


def test_a_change_waits_for_nobody(service: Service) -> None:
    cles.etablir(service)
    with seul(service), pytest.raises(AncrageEnCours):
        cles.changer(service)
    cles.changer(service)


def test_a_change_before_any_key_is_refused(service: Service) -> None:
    with pytest.raises(CleJamaisEtablie):
        cles.changer(service)


def test_a_lost_key_is_replaced_with_its_reason_and_no_signature(service: Service) -> None:
    avant = publique(cles.etablir(service))
    with pytest.raises(CleEnPlace):
        cles.changer(service, perdue=True, motif="Perdue ?")
    (dossier(service) / FICHIER).unlink()
    with pytest.raises(CleDeSignatureAbsente):
        cles.changer(service)
    with pytest.raises(MotifDeLaPerte):
        cles.changer(service, perdue=True)
    apres = cles.changer(service, perdue=True, motif="Disque des clés détruit")
    assert apres != avant
    assert publique(cles.etablir(service)) == apres
    with service.reads.connection() as conn:
        row = conn.execute(
            "SELECT motif, data ->> 'signature' FROM oi.event ORDER BY position DESC LIMIT 1"
        ).fetchone()
    assert row == ("Disque des clés détruit", None)
    assert changements(service) == [None]
    [dit] = [c for c in examiner(service).controles if c.code == "S6"]
    assert "perte à expliquer (événement n° 2, « Disque des clés détruit »)" in dit.enonce
    assert dit.ecarts == []


@pytest.fixture(params=["signed", "lost"])
def perdue(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "lost")


def _pas(service: Service, nombre: int, *, perdue: bool) -> None:
    """Change the key, up to a step."""
    with seul(service) as conn:
        ancienne = None if perdue else cles.etablir(service)
        nouvelle = cles.preparer(dossier(service))
        if nombre >= 2:
            cles.noter_le_changement(service, conn, ancienne, nouvelle, "Perdue")
        if nombre >= 3:
            cles.installer(dossier(service))


@pytest.mark.parametrize("nombre", [1, 2, 3])
def test_a_change_cut_at_any_step_leaves_a_key_that_signs(
    service: Service, nombre: int, *, perdue: bool
) -> None:
    avant = publique(cles.etablir(service))
    if perdue:
        (dossier(service) / FICHIER).unlink()
    _pas(service, nombre, perdue=perdue)

    if nombre == 1 and perdue:
        with pytest.raises(CleDeSignatureAbsente):
            cles.etablir(service)
    else:
        cle = publique(cles.etablir(service))
        assert cle == registre(service).cle
        assert (cle == avant) == (nombre == 1)
    # And the key can be changed (again).
    encore = cles.changer(service, perdue=nombre == 1 and perdue, motif="Perdue")
    assert publique(cles.etablir(service)) == registre(service).cle == encore
    assert fichiers(service) == [FICHIER]


def test_a_key_prepared_and_never_used_serves_the_next_change(service: Service) -> None:
    cles.etablir(service)
    prete = publique(cles.preparer(dossier(service)))
    assert cles.changer(service) == prete


def test_a_stop_leaves_no_copy_of_a_key(service: Service) -> None:
    cles.etablir(service)
    reste = dossier(service) / f".{FICHIER}.{new_id().hex}"
    os.link(dossier(service) / FICHIER, reste)
    cles.changer(service)
    assert fichiers(service) == [FICHIER]


def test_the_next_key_never_replaces_one_of_another_log(service: Service) -> None:
    cles.etablir(service)
    _pas(service, 2, perdue=False)
    fichier = dossier(service) / FICHIER
    fichier.unlink()
    autre = cles._tirer(fichier)
    with pytest.raises(CleDeSignatureEtrangere):
        cles.etablir(service)
    garde = load_pem_private_key(fichier.read_bytes(), None)
    assert publique(garde) == publique(autre)  # type: ignore[arg-type]
    assert (dossier(service) / SUIVANTE).exists()
