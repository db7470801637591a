"""The vault: one key per person, durable, bound to what it opens, and gone when it is destroyed."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from oi_service.ids import new_id
from oi_service.personnes.coffre import CleAbsente, Coffre, DonneeIllisible
from oi_service.personnes.donnee import DonneeChiffree

FAIT, CHAMP = "personne.enregistree.v1", "identite"
NOM = "Contact fictif n° 07".encode()


@pytest.fixture
def coffre(tmp_path: Path) -> Coffre:
    return Coffre(tmp_path / "cles" / "personnes")


def octets(donnee: DonneeChiffree) -> bytes:
    return base64.urlsafe_b64decode(donnee.texte + "=" * (-len(donnee.texte) % 4))


def test_what_a_key_closes_it_opens(coffre: Coffre) -> None:
    personne = new_id()
    coffre.creer(personne)
    donnee = coffre.chiffrer(personne, FAIT, CHAMP, NOM)
    assert donnee.personne == personne
    assert NOM not in octets(donnee)
    assert coffre.dechiffrer(donnee, FAIT, CHAMP) == NOM


@given(st.binary(max_size=600))
def test_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, clair: bytes) -> None:
    coffre, personne = Coffre(tmp_path_factory.getbasetemp() / "proprietes"), new_id()
    coffre.creer(personne)
    assert coffre.dechiffrer(coffre.chiffrer(personne, FAIT, CHAMP, clair), FAIT, CHAMP) == clair


def test_only_the_account_of_the_service_reads_the_keys(coffre: Coffre) -> None:
    personne = new_id()
    coffre.creer(personne)
    [fichier] = coffre.dossier.iterdir()
    assert fichier.name == f"{personne}.cle"
    assert len(fichier.read_bytes()) == 32
    assert stat.S_IMODE(fichier.stat().st_mode) == 0o600
    assert stat.S_IMODE(coffre.dossier.stat().st_mode) == 0o700


def test_the_same_text_is_never_written_twice_the_same_and_its_length_says_little(
    coffre: Coffre,
) -> None:
    personne = new_id()
    coffre.creer(personne)
    ecrits = [coffre.chiffrer(personne, FAIT, CHAMP, clair) for clair in (b"a", b"a", b"b" * 120)]
    assert len({e.texte for e in ecrits}) == 3
    assert len({len(e.texte) for e in ecrits}) == 1


@pytest.mark.parametrize(
    ("fait", "champ"), [("personne.rectifiee.v1", CHAMP), (FAIT, "autre"), (FAIT + CHAMP, "")]
)
def test_a_datum_moved_to_another_fact_or_field_does_not_open(
    coffre: Coffre, fait: str, champ: str
) -> None:
    personne = new_id()
    coffre.creer(personne)
    donnee = coffre.chiffrer(personne, FAIT, CHAMP, NOM)
    with pytest.raises(DonneeIllisible):
        coffre.dechiffrer(donnee, fait, champ)


def test_a_datum_given_to_somebody_else_does_not_open(coffre: Coffre) -> None:
    personne, autre = new_id(), new_id()
    coffre.creer(personne)
    donnee = replace(coffre.chiffrer(personne, FAIT, CHAMP, NOM), personne=autre)
    with pytest.raises(CleAbsente):
        coffre.dechiffrer(donnee, FAIT, CHAMP)
    coffre.creer(autre)
    with pytest.raises(DonneeIllisible):
        coffre.dechiffrer(donnee, FAIT, CHAMP)
    # Not even under the same key: the person is part of what the seal of the datum covers.
    (coffre.dossier / f"{autre}.cle").write_bytes((coffre.dossier / f"{personne}.cle").read_bytes())
    with pytest.raises(DonneeIllisible):
        coffre.dechiffrer(donnee, FAIT, CHAMP)


def test_a_datum_altered_by_one_bit_does_not_open(coffre: Coffre) -> None:
    personne = new_id()
    coffre.creer(personne)
    donnee = coffre.chiffrer(personne, FAIT, CHAMP, NOM)
    bons = octets(donnee)
    for rang in (0, 1, 13, len(bons) - 1):
        faux = bytearray(bons)
        faux[rang] ^= 1
        texte = base64.urlsafe_b64encode(bytes(faux)).decode().rstrip("=")
        with pytest.raises(DonneeIllisible):
            coffre.dechiffrer(replace(donnee, texte=texte), FAIT, CHAMP)


def test_a_destroyed_key_opens_nothing_and_leaves_no_file(coffre: Coffre) -> None:
    personne = new_id()
    coffre.creer(personne)
    donnee = coffre.chiffrer(personne, FAIT, CHAMP, NOM)
    assert coffre.personnes() == {personne}
    assert coffre.detruire(personne)
    assert not coffre.detruire(personne)
    assert list(coffre.dossier.iterdir()) == []
    for demande in (
        lambda: coffre.dechiffrer(donnee, FAIT, CHAMP),
        lambda: coffre.chiffrer(personne, FAIT, CHAMP, NOM),
        lambda: coffre.secret(personne),
    ):
        with pytest.raises(CleAbsente, match=str(personne)):
            demande()


def test_the_bytes_of_a_destroyed_key_are_written_over(coffre: Coffre) -> None:
    # Another name of the same file, such as a hard-linked backup keeps, does not keep the key.
    personne = new_id()
    coffre.creer(personne)
    lien = coffre.dossier / "lien"
    os.link(coffre.dossier / f"{personne}.cle", lien)
    cle = lien.read_bytes()
    coffre.detruire(personne)
    assert len(lien.read_bytes()) == len(cle)
    assert lien.read_bytes() != cle


def test_a_key_is_never_replaced(coffre: Coffre) -> None:
    personne = new_id()
    coffre.creer(personne)
    cle = (coffre.dossier / f"{personne}.cle").read_bytes()
    coffre.creer(personne)
    # Even when both looked before either wrote.
    coffre._poser(personne, b"x" * 32)
    assert (coffre.dossier / f"{personne}.cle").read_bytes() == cle
    assert len(list(coffre.dossier.iterdir())) == 1


def test_many_who_begin_together_share_the_first_key(coffre: Coffre) -> None:
    personne = new_id()

    def chiffrer(_: int) -> DonneeChiffree:
        coffre.creer(personne)
        return coffre.chiffrer(personne, FAIT, CHAMP, NOM)

    with ThreadPoolExecutor(16) as pool:
        ecrits = list(pool.map(chiffrer, range(64)))
    assert {coffre.dechiffrer(e, FAIT, CHAMP) for e in ecrits} == {NOM}


def test_a_file_that_is_no_key_is_not_used_as_one(coffre: Coffre, tmp_path: Path) -> None:
    personne = new_id()
    coffre.creer(personne)
    place = coffre.dossier / f"{personne}.cle"
    place.write_bytes(b"court")
    with pytest.raises(DonneeIllisible):
        coffre.secret(personne)
    place.unlink()
    (tmp_path / "ailleurs").write_bytes(b"x" * 32)
    place.symlink_to(tmp_path / "ailleurs")
    with pytest.raises(OSError):
        coffre.secret(personne)


def test_the_vault_of_a_trial_reads_and_changes_nothing(coffre: Coffre) -> None:
    connue, nouvelle = new_id(), new_id()
    coffre.creer(connue)
    donnee = coffre.chiffrer(connue, FAIT, CHAMP, NOM)
    avant = {p.name: p.read_bytes() for p in coffre.dossier.iterdir()}
    essai = coffre.a_l_essai()
    essai.creer(nouvelle)
    autre = essai.chiffrer(nouvelle, FAIT, CHAMP, NOM)
    assert essai.dechiffrer(donnee, FAIT, CHAMP) == essai.dechiffrer(autre, FAIT, CHAMP) == NOM
    assert essai.detruire(connue)
    with pytest.raises(CleAbsente):
        essai.dechiffrer(donnee, FAIT, CHAMP)
    assert {p.name: p.read_bytes() for p in coffre.dossier.iterdir()} == avant


def test_a_trial_before_any_key_makes_no_folder(coffre: Coffre) -> None:
    coffre.a_l_essai().creer(new_id())
    assert coffre.personnes() == frozenset()
    assert not coffre.dossier.exists()


def test_the_secret_of_a_person_is_not_their_key_and_is_theirs_alone(coffre: Coffre) -> None:
    une, autre = new_id(), new_id()
    coffre.creer(une)
    coffre.creer(autre)
    cle = (coffre.dossier / f"{une}.cle").read_bytes()
    assert coffre.secret(une) == coffre.secret(une)
    assert len({coffre.secret(une), coffre.secret(autre), cle}) == 3
