"""The standalone verifier: an archive as it was made is intact, whatever changes in it is said."""

import ast
import base64
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from archive_exemple import (
    Ecrit,
    Recette,
    cle_numero,
    coherence_de,
    faits,
    identifiant,
    manifester,
    publique,
    racine_de,
    signer,
    zipper,
)

from oi_service.preuve.archive import verifier

PIECES = {4: b"facture n\xc2\xb0 1", 9: b"facture n\xc2\xb0 2\r\n\x00"}
CHOISIS = (1, 4, 5, 9, 10, 20)
COMPLETE = Recette(ecrits=faits(21, PIECES), pieces=list(PIECES.values()), depuis=(7,))
PARTIELLE = replace(COMPLETE, choisis=CHOISIS)
RECETTES = pytest.mark.parametrize("recette", [COMPLETE, PARTIELLE], ids=["complete", "partielle"])

Altere = Callable[[Path], object]


def seul(*arguments: str, dossier: Path, **environnement: str) -> tuple[int, str]:
    """Run a verifier alone: no package of ours, none installed, from anywhere."""
    fini = subprocess.run(
        [sys.executable, "-I", "-S", *arguments],
        cwd=dossier,
        env={**os.environ, **environnement},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert fini.stderr == b""
    return fini.returncode, fini.stdout.decode("utf-8", "replace")


def juger(monkeypatch: pytest.MonkeyPatch, archive: Path, *options: str) -> tuple[int, str]:
    """Run the verifier in this process, which is quicker."""
    ecran = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["verifier.py", str(archive), *options])
    with contextlib.redirect_stdout(ecran):
        code = verifier.principal()
    ecran.flush()
    return code, ecran.buffer.getvalue().decode()  # type: ignore[attr-defined]


def refaire(dossier: Path, nom: str, change: Callable[[Any], Any]) -> None:
    """Rewrite a JSON file, the manifest of what is there included."""
    chemin = dossier / nom
    chemin.write_text(json.dumps(change(json.loads(chemin.read_text("utf-8")))), "utf-8")


def lignes(dossier: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Rewrite the lines of the events."""
    chemin = dossier / "evenements.jsonl"
    chemin.write_bytes(b"".join(change(chemin.read_bytes().splitlines(keepends=True))))


# --- What is intact -------------------------------------------------------------------------------


@RECETTES
def test_an_archive_as_it_was_made_is_intact(recette: Recette, tmp_path: Path) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    ailleurs = tmp_path / "ailleurs"
    ailleurs.mkdir()
    paquet = zipper(dossier, tmp_path / "archive.zip")
    programme = str(Path(verifier.__file__).resolve())
    attendu = (0, "VERDICT : l’archive est intacte")
    for arguments, ici in (
        ((str(dossier / "verifier.py"),), ailleurs),  # double-clicked in the folder
        ((programme,), dossier),  # the auditor's own copy, run from the folder
        ((programme, str(dossier)), ailleurs),
        ((programme, str(paquet)), ailleurs),
    ):
        code, dit = seul(*arguments, dossier=ici)
        assert (code, dit[dit.index("VERDICT") :][: len(attendu[1])]) == attendu
        assert "ANOMALIE" not in dit
    assert not list(ailleurs.iterdir())


@RECETTES
def test_what_it_does_not_prove_is_said(
    recette: Recette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    _, sans_rien = juger(monkeypatch, dossier)
    ancre = dossier / "points" / "ancre-000000000013.txt"
    cle = sha256(publique(cle_numero(1))).hexdigest()
    code, avec = juger(monkeypatch, dossier, "--ancre", str(ancre), "--cle", cle)
    assert code == 0
    assert "étaient vrais" in sans_rien
    assert "réécrit, à partir du n° 1, par" in sans_rien
    assert "réécrit, à partir du n° 14, par" in avec
    assert ("que la clé est celle du service" in sans_rien, "que la clé est celle" in avec) == (
        True,
        False,
    )
    assert ("que l’archive dit tout" in sans_rien) == (recette.choisis is not None)
    assert f"avant le sceau, jusqu’au n° {2 if recette.choisis is None else 1}" in sans_rien
    assert "LISEZMOI.txt, lecture, regles, verifier.py" in sans_rien
    assert sha256((dossier / "manifeste.json").read_bytes()).hexdigest() in sans_rien
    finale = dossier / "points" / "ancre-000000000021.txt"
    _, couverte = juger(monkeypatch, dossier, "--ancre", str(finale))
    assert "réécrit" not in couverte


def test_it_is_one_short_file_of_the_standard_library_for_python_3_8() -> None:
    source = Path(verifier.__file__).read_text("utf-8")
    assert len(source.splitlines()) < 500
    arbre = ast.parse(source, feature_version=(3, 8))
    importes = {
        alias.name.split(".")[0]
        for noeud in ast.walk(arbre)
        if isinstance(noeud, ast.Import)
        for alias in noeud.names
    } | {
        (noeud.module or "").split(".")[0]
        for noeud in ast.walk(arbre)
        if isinstance(noeud, ast.ImportFrom)
    }
    assert importes <= sys.stdlib_module_names


@pytest.mark.parametrize("console", ["ascii", "cp850", "cp1252"])
def test_a_console_without_accents_does_not_stop_it(console: str, tmp_path: Path) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    programme = str(Path(verifier.__file__).resolve())
    # -I ignores the environment: the encoding is given as a Windows console would.
    lancer = (
        "import io, runpy, sys; sys.argv = sys.argv[1:]; "
        f"sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding={console!r}); "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    code, dit = seul("-c", lancer, programme, str(dossier), dossier=tmp_path)
    assert code == 0
    assert "VERDICT" in dit


@pytest.mark.parametrize(
    "rendre",
    [
        lambda texte: texte.replace(b"\n", b"\r\n"),
        lambda texte: b"\xef\xbb\xbf" + texte,
        lambda texte: b"\n" + texte + b"\n\n",
    ],
    ids=["windows", "bom", "lignes-vides"],
)
def test_an_anchor_may_come_through_an_email(
    rendre: Callable[[bytes], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = PARTIELLE.ecrire(tmp_path / "archive")
    ancre = tmp_path / "ancre.txt"
    ancre.write_bytes(rendre(COMPLETE.point(13)))
    code, dit = juger(monkeypatch, dossier, "--ancre", str(ancre))
    assert (code, "dont 1 que vous détenez" in dit) == (0, True)


def test_a_key_is_known_by_its_digest_or_by_the_line_that_an_email_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    for numero, code in ((0, 0), (1, 0), (2, 1)):
        octets = publique(cle_numero(numero))
        cle_id = sha256(COMPLETE.origine.encode() + b"\n\x01" + octets).digest()[:4].hex()
        ligne = f"{COMPLETE.origine}+{cle_id}+{base64.b64encode(bytes([1]) + octets).decode()}"
        for cle in (sha256(octets).hexdigest(), ligne):
            assert juger(monkeypatch, dossier, "--cle", cle)[0] == code


# --- What was changed, where the manifest was not -------------------------------------------------


def _fichiers(recette: Recette) -> list[str]:
    points = [f"points/ancre-{taille:012d}.txt" for taille in recette.tailles]
    pieces = [f"pieces/{sha256(piece).hexdigest()}" for piece in recette.pieces]
    textes = ["LISEZMOI.txt", "verifier.py", "regles/taux.toml", "lecture/histoire.html"]
    textes += ["evenements.jsonl", "coherence.json", "cles.json"]
    return [*textes, *points, *pieces, *(["preuves.jsonl"] if recette.choisis else [])]


@pytest.mark.parametrize(
    ("recette", "nom"),
    [(recette, nom) for recette in (COMPLETE, PARTIELLE) for nom in _fichiers(recette)],
)
def test_a_byte_of_a_file_or_the_file_is_missed(
    recette: Recette, nom: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    octets = bytearray((dossier / nom).read_bytes())
    octets[len(octets) // 2] ^= 1
    (dossier / nom).write_bytes(octets)
    code, dit = juger(monkeypatch, zipper(dossier, tmp_path / "octet.zip"))
    assert (code, f"{nom} a changé" in dit) == (1, True)
    assert juger(monkeypatch, dossier) == (
        1,
        dit.replace(str(tmp_path / "octet.zip"), str(dossier)),
    )
    (dossier / nom).unlink()
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"{nom} manque" in dit) == (1, True)


# --- What was changed, and the manifest written again to agree ------------------------------------


def _autre(ecrit: Ecrit, champ: str) -> object:
    avant = getattr(ecrit, champ)
    match champ, avant:
        case "motif", None:
            return ""
        case "fingerprint", None:
            return b""
        case "pieces" | "data", _:
            return avant.replace("a", "\u00e0", 1) if "a" in avant else avant[:-1] + " " + avant[-1]
        case "date_effet", _:
            return avant + timedelta(days=1)
        case "enregistre_le", _:
            return avant + timedelta(microseconds=1)
        case "seal_scheme", _:
            return 1 - avant
        case _, None:
            return identifiant("autre")
        case _, int():
            return avant + 1
        case _, bytes():
            return avant[:-1] + b"\x00"
        case _, str():
            return avant + " "
        case _:
            return identifiant("autre")


@RECETTES
@pytest.mark.parametrize("champ", [*(f.name for f in fields(Ecrit)), "seal"])
@pytest.mark.parametrize("position", [1, 9])
def test_every_field_of_a_line_is_sealed(
    recette: Recette,
    champ: str,
    position: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    ecrit, sceau = recette.ecrits[position - 1], recette.sceaux()[position - 1]
    if champ == "seal":
        autre = ecrit.ligne(sceau[:-1] + bytes([sceau[-1] ^ 1]))
    else:
        autre = replace(ecrit, **{champ: _autre(ecrit, champ)}).ligne(sceau)
    lignes(dossier, lambda lues: [autre if x == ecrit.ligne(sceau) else x for x in lues])
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert code == 1
    if champ == "position":
        quoi = "on attendait le n°" if recette.choisis is None else "il n’est pas à sa place"
        assert re.search(rf"événement en cause : le n° {position + 1}, .* : {quoi}", dit)
    else:
        assert re.search(
            rf"événement en cause : le n° {position}, .* : "
            "le contenu scellé n’est plus celui de la ligne",
            dit,
        )


def _sur_la_ligne(numero: int, avant: bytes, apres: bytes) -> Altere:
    def altere(dossier: Path) -> None:
        def change(lues: list[bytes]) -> list[bytes]:
            assert avant in lues[numero - 1]
            lues[numero - 1] = lues[numero - 1].replace(avant, apres, 1)
            return lues

        lignes(dossier, change)

    return altere


def _lignes(change: Callable[[list[bytes]], list[bytes]]) -> Altere:
    return lambda dossier: lignes(dossier, change)


#: Two readings of a line would be two truths: only the form of the export is read.
FORMES: dict[str, Altere] = {
    "champ-absent": _sur_la_ligne(3, b'"role" : "gestionnaire", ', b""),
    "champ-en-double": _sur_la_ligne(3, b'"role"', b'"role" : "autre", "role"'),
    "champ-de-plus": _sur_la_ligne(3, b', "pieces"', b', "autre" : 1, "pieces"'),
    "champs-intervertis": _sur_la_ligne(
        3,
        b'"acteur" : "gestionnaire-1", "role" : "gestionnaire"',
        b'"role" : "gestionnaire", "acteur" : "gestionnaire-1"',
    ),
    "data-en-double": _sur_la_ligne(3, b"}\n", b', "data" : {}}\n'),
    "espace-en-moins": _sur_la_ligne(3, b'"acteur" : ', b'"acteur": '),
    "texte-apres-la-fin": _sur_la_ligne(3, b"}\n", b"} \n"),
    "fin-de-ligne-windows": _sur_la_ligne(3, b"\n", b"\r\n"),
    "uuid-en-capitales": _sur_la_ligne(3, b'"stream_id" : "', b'"stream_id" : "A'),
    "chiffre-non-latin": _sur_la_ligne(3, b'"position" : 3', '"position" : \u0663'.encode()),
    "zero-de-tete": _sur_la_ligne(3, b'"position" : 3', b'"position" : 03'),
    "jour-impossible": _sur_la_ligne(
        3, b'"date_effet" : "2023-02-03"', b'"date_effet" : "2023-02-30"'
    ),
    "pas-d-utf8": _sur_la_ligne(3, b"gestionnaire-1", b"gestionnaire-\xe9"),
    "data-n-est-pas-un-objet": _sur_la_ligne(3, b'"data" : {', b'"data" : [{'),
    "ligne-vide": _sur_la_ligne(3, b"{", b"\n{"),
    "marque-d-ordre": _sur_la_ligne(1, b"{", b"\xef\xbb\xbf{"),
    "objets-sans-fin": _sur_la_ligne(3, b'"data" : {', b'"data" : ' + b'{"a":' * 100_000),
}


@pytest.mark.parametrize("forme", FORMES)
def test_a_line_has_one_form(forme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    FORMES[forme](dossier)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert code == 1
    numero = 1 if forme == "marque-d-ordre" else 3
    assert f"événement en cause : la ligne {numero} de evenements.jsonl : " in dit


def _retirer(*rangs: int) -> Altere:
    return _lignes(lambda lues: [x for rang, x in enumerate(lues, 1) if rang not in rangs])


def _permuter(lues: list[bytes]) -> list[bytes]:
    lues[8], lues[9] = lues[9], lues[8]
    return lues


LIGNES: dict[str, tuple[Altere, str]] = {
    "permutees": (
        _lignes(_permuter),
        "le n° 10, convention.paiement_emis.v1 : on attendait le n° 9",
    ),
    "retiree": (_retirer(9), "le n° 10, convention.paiement_emis.v1 : on attendait le n° 9"),
    "la-premiere-retiree": (
        _retirer(1),
        "le n° 2, convention.paiement_emis.v1 : on attendait le n° 1",
    ),
    "doublee": (
        _lignes(lambda lues: [*lues[:9], *lues[8:]]),
        "le n° 9, convention.paiement_emis.v1 : on attendait le n° 10",
    ),
    "fin-coupee": (_retirer(19, 20, 21), "le n° 19, qui manque"),
    "coupee-au-milieu": (
        _lignes(lambda lues: [*lues[:20], lues[20][:100]]),
        "la ligne 21 de evenements.jsonl",
    ),
    "tout-retire": (_lignes(lambda _: []), "le n° 1, qui manque"),
}


@pytest.mark.parametrize("quoi", LIGNES)
def test_lines_are_all_there_in_their_order(
    quoi: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    altere, attendu = LIGNES[quoi]
    altere(dossier)
    restent = len((dossier / "evenements.jsonl").read_bytes().splitlines())
    refaire(dossier, "manifeste.json", lambda m: {**m, "evenements": restent})
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"Premier événement en cause : {attendu}" in dit) == (1, True), dit


def test_an_event_after_the_last_point_is_not_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longue = replace(COMPLETE, ecrits=faits(22, PIECES))
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    lignes(dossier, lambda lues: [*lues, longue.ecrits[21].ligne(longue.sceaux()[21])])
    refaire(dossier, "manifeste.json", lambda m: {**m, "evenements": 22})
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, "leur nombre n’est pas celui que dit l’archive" in dit) == (1, True)


# --- Sealed again ---------------------------------------------------------------------------------


def test_a_log_sealed_again_without_the_key_is_not_what_the_points_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.changee(9, data='{"montant_centimes": 1}').ecrire(tmp_path / "archive")
    for taille in COMPLETE.tailles:
        (dossier / "points" / f"ancre-{taille:012d}.txt").write_bytes(COMPLETE.point(taille))
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert code == 1
    assert (
        "Premier événement en cause : entre le n° 6 et le n° 13 : l’archive ne contient pas "
        "ce que points/ancre-000000000013.txt a signé" in dit
    )


def test_an_event_sealed_again_is_not_under_the_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refaite = COMPLETE.changee(9, data='{"montant_centimes": 1}')
    dossier = PARTIELLE.ecrire(tmp_path / "archive")
    vraie = COMPLETE.ecrits[8].ligne(COMPLETE.sceaux()[8])
    fausse = refaite.ecrits[8].ligne(refaite.sceaux()[8])
    lignes(dossier, lambda lues: [fausse if x == vraie else x for x in lues])
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert code == 1
    assert (
        "en cause : le n° 9, convention.paiement_emis.v1 : le point signé ne le couvre pas" in dit
    )


@pytest.mark.parametrize("choisis", [None, CHOISIS], ids=["complete", "partielle"])
def test_only_an_anchor_held_elsewhere_shows_what_the_key_signed_again(
    choisis: tuple[int, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refaite = replace(COMPLETE.changee(9, data='{"montant_centimes": 1}'), choisis=choisis)
    dossier = refaite.ecrire(tmp_path / "archive")
    ancre = tmp_path / "ancre.txt"
    ancre.write_bytes(COMPLETE.point(13))
    ancienne = tmp_path / "ancienne.txt"
    ancienne.write_bytes(COMPLETE.point(5))
    assert juger(monkeypatch, dossier)[0] == 0
    assert juger(monkeypatch, dossier, "--ancre", str(ancienne))[0] == 0
    code, dit = juger(monkeypatch, dossier, "--ancre", str(ancienne), "--ancre", str(ancre))
    assert code == 1
    assert (
        f"entre le n° 6 et le n° 13 : l’archive ne contient pas ce que votre ancre {ancre}" in dit
    )


def test_only_an_anchor_held_elsewhere_shows_that_the_tail_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupee = replace(COMPLETE, ecrits=COMPLETE.ecrits[:13], tailles=(5, 13))
    dossier = coupee.ecrire(tmp_path / "archive")
    ancre = tmp_path / "ancre.txt"
    ancre.write_bytes(COMPLETE.point(21))
    assert juger(monkeypatch, dossier)[0] == 0
    code, dit = juger(monkeypatch, dossier, "--ancre", str(ancre))
    # It may as well be the archive of an earlier day: what is asked next decides.
    assert code == 0
    assert "que la fin du journal, jusqu’au n° 21 de votre ancre, n’a pas été coupée" in dit
    assert "l’archive s’arrête avant ; exigez-en une qui y aille" in dit
    assert "VERDICT : l’archive est intacte, jusqu’au n° 13 du journal." in dit
    assert "à partir du n° 1, par quelqu’un qui a la main sur tout" in dit


@RECETTES
def test_only_a_key_known_from_elsewhere_shows_that_all_keys_were_changed(
    recette: Recette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = replace(recette, cles=lambda rang: cle_numero(rang + 10)).ecrire(tmp_path / "archive")
    assert juger(monkeypatch, dossier)[0] == 0
    connue = sha256(publique(cle_numero(1))).hexdigest()
    code, dit = juger(monkeypatch, dossier, "--cle", connue)
    assert (code, "celle que vous connaissez n’y est pas" in dit) == (1, True)
    ancre = tmp_path / "ancre.txt"
    ancre.write_bytes(COMPLETE.point(13))
    code, dit = juger(monkeypatch, dossier, "--ancre", str(ancre))
    assert (code, "n’est pas signé d’une clé en service à cette taille" in dit) == (1, True)


@pytest.mark.parametrize(
    ("position", "champs", "quoi"),
    [
        (9, {"version": 7}, "sa version ne suit pas"),
        (9, {"enregistre_le": COMPLETE.ecrits[6].enregistre_le}, "enregistré avant le précédent"),
        (9, {"seal_scheme": 0}, "son schéma de sceau recule"),
    ],
)
def test_what_no_service_writes_is_said_even_if_it_was_sealed(
    position: int,
    champs: dict[str, object],
    quoi: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dossier = COMPLETE.changee(position, **champs).ecrire(tmp_path / "archive")
    code, dit = juger(monkeypatch, dossier)
    assert code == 1
    assert re.search(rf"événement en cause : le n° {position}, .* : .*{quoi}", dit)


@pytest.mark.parametrize("champs", [{"data": "[]"}, {"pieces": "{}"}])
def test_what_no_column_holds_is_no_event_even_if_it_was_sealed(
    champs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, dit = juger(monkeypatch, COMPLETE.changee(9, **champs).ecrire(tmp_path / "archive"))
    assert (code, "la ligne 9 de evenements.jsonl : la ligne ne finit pas" in dit) == (1, True)


def test_a_log_is_known_by_its_first_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    autre = replace(COMPLETE.ecrits[0], event_id=identifiant("autre"))
    sceau = sha256(bytes(32) + autre.enregistrement()).digest()
    lignes(dossier, lambda lues: [autre.ligne(sceau), *lues[1:]])
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, "le n° 1, convention.paiement_emis.v1 : il n’est pas l’origine" in dit) == (
        1,
        True,
    )


# --- Points, keys, proofs -------------------------------------------------------------------------

TREIZE = "points/ancre-000000000013.txt"


def _dans_le_point(avant: bytes, apres: bytes) -> Altere:
    def altere(dossier: Path) -> None:
        texte = (dossier / TREIZE).read_bytes()
        assert avant in texte
        (dossier / TREIZE).write_bytes(texte.replace(avant, apres, 1))

    return altere


def _point_d_un_autre(**change: object) -> Altere:
    def altere(dossier: Path) -> None:
        sceaux = COMPLETE.sceaux()[:13]
        point: dict[str, Any] = {
            "origine": COMPLETE.origine,
            "taille": 13,
            "racine": racine_de(sceaux),
            "instant": COMPLETE.ecrits[12].enregistre_le,
            "sceau": sceaux[-1],
            "cle": cle_numero(1),
            **change,
        }
        (dossier / TREIZE).write_bytes(signer(**point))

    return altere


def _cles(change: Callable[[list[dict[str, Any]]], Any]) -> Altere:
    return lambda dossier: refaire(dossier, "cles.json", change)


def _autrement(ecrit: str) -> str:
    """Return another writing of the same bytes, that base64 readers accept."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return ecrit[:-2] + alphabet[alphabet.index(ecrit[-2]) + 1] + "="


def _seconde_cle(**change: object) -> Altere:
    return _cles(lambda cles: [cles[0], {**cles[1], **change}])


POINTS: dict[str, tuple[Altere, str]] = {
    "taille": (_dans_le_point(b"\n13\n", b"\n12\n"), f"la signature de {TREIZE} est fausse"),
    "racine": (
        _point_d_un_autre(racine=bytes(32)),
        "l’archive ne contient pas ce que points/ancre-000000000013.txt a signé",
    ),
    "instant": (_dans_le_point(b"instant 2023", b"instant 2022"), "la signature de"),
    "sceau": (_dans_le_point(b"sceau ", b"sceau 0"), f"{TREIZE} n’est pas un point signé"),
    "signature": (_dans_le_point(b"=\n", b"A=\n"), f"{TREIZE} n’est pas un point signé"),
    "une-ligne-de-plus": (_dans_le_point(b"\n\n", b"\nautre\n\n"), "n’est pas un point signé"),
    "une-signature-de-plus": (
        lambda dossier: (
            (dossier / TREIZE).write_bytes(
                (dossier / TREIZE).read_bytes() + b"\xe2\x80\x94 autre AAAA\n"
            )
            and None
        ),
        "n’est pas un point signé",
    ),
    "un-autre-journal": (
        _point_d_un_autre(origine=f"oi_service/journal/{identifiant('autre')}"),
        f"{TREIZE} vient d’un autre journal",
    ),
    "la-cle-d-avant": (
        _point_d_un_autre(cle=cle_numero(0)),
        "n’est pas signé d’une clé en service",
    ),
    "une-cle-inconnue": (
        _point_d_un_autre(cle=cle_numero(9)),
        "n’est pas signé d’une clé en service",
    ),
    "le-dernier-absent": (
        lambda dossier: (dossier / "points" / "ancre-000000000021.txt").unlink(),
        "il manque celui de la fin",
    ),
    "passation-fausse": (
        _cles(lambda cles: [{**cles[0], "cle": cles[1]["cle"]}, cles[1]]),
        "la clé n° 2 n’est pas annoncée par la précédente",
    ),
    "passation-avancee": (_seconde_cle(depuis=6), "la clé n° 2 n’est pas annoncée"),
    "cle-raccourcie": (_seconde_cle(cle="AAAA"), "n’est pas 32 octets en base64"),
    "cle-ecrite-autrement": (
        _cles(lambda cles: [{**cles[0], "cle": _autrement(cles[0]["cle"])}, cles[1]]),
        "n’est pas 32 octets en base64",
    ),
    "signature-ecrite-autrement": (
        lambda dossier: (dossier / TREIZE).write_text(
            _autrement((dossier / TREIZE).read_text("utf-8").strip()) + "\n", "utf-8"
        ),
        "n’est pas 68 octets en base64",
    ),
    "cle-perdue": (_seconde_cle(signature=None), "remplace une clé perdue"),
    "aucune-cle": (_cles(lambda _: []), "Clés : illisible"),
}


@RECETTES
@pytest.mark.parametrize("quoi", POINTS)
def test_points_and_keys(
    recette: Recette, quoi: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    altere, attendu = POINTS[quoi]
    altere(dossier)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    if (quoi, recette) == ("racine", PARTIELLE):
        attendu = "le point à 21 ne prolonge pas celui à 13"
    assert (code, attendu in dit) == (1, True), dit


def test_a_key_serves_after_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = replace(COMPLETE, depuis=(7, 7)).ecrire(tmp_path / "archive")
    code, dit = juger(monkeypatch, dossier)
    assert (code, "la clé n° 3 n’est pas annoncée par la précédente" in dit) == (1, True)


def test_a_key_that_replaces_a_lost_one_is_to_be_known_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    _seconde_cle(signature=None)(dossier)
    manifester(dossier)
    codes = [
        juger(monkeypatch, dossier, "--cle", sha256(publique(cle_numero(numero))).hexdigest())[0]
        for numero in (0, 1)
    ]
    assert codes == [1, 0]


def test_two_points_of_one_size_that_differ_are_two_stories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    autre = COMPLETE.changee(9, data="{}").point(13)
    (dossier / "points" / "ancre-000000000013-2.txt").write_bytes(autre)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    quoi = (
        "entre le n° 6 et le n° 13 : l’archive ne contient pas "
        "ce que points/ancre-000000000013-2.txt a signé"
    )
    assert (code, quoi in dit) == (
        1,
        True,
    )


def test_the_seal_that_a_point_names_is_that_of_its_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    _point_d_un_autre(sceau=bytes(32))(dossier)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"ne contient pas ce que {TREIZE} a signé" in dit) == (1, True)


PREUVES: dict[str, tuple[Altere, str]] = {
    "sceau-precedent": (
        lambda dossier: _preuve(dossier, 4, sceau_precedent="00" * 32),
        "le n° 9, convention.paiement_emis.v1 : le contenu scellé n’est plus",
    ),
    "sceau-precedent-voisin": (
        lambda dossier: _preuve(dossier, 5, sceau_precedent="00" * 32),
        "le n° 10, convention.paiement_emis.v1 : il ne suit pas le précédent",
    ),
    "sceau-precedent-ecrit-autrement": (
        lambda dossier: _preuve(dossier, 4, sceau_precedent=COMPLETE.sceaux()[7].hex().upper()),
        "n’est pas une empreinte",
    ),
    "inclusion-allongee": (
        lambda dossier: _preuve(dossier, 4, inclusion=["00" * 32] * 6),
        "le n° 9, convention.paiement_emis.v1 : preuve d’une autre longueur",
    ),
    "inclusion-d-un-autre": (
        lambda dossier: _preuve(dossier, 4, inclusion=["00" * 32] * 5),
        "le n° 9, convention.paiement_emis.v1 : le point signé ne le couvre pas",
    ),
    "position-d-un-autre": (
        lambda dossier: _preuve(dossier, 4, position=8),
        "le n° 9, convention.paiement_emis.v1 : il n’est pas à sa place",
    ),
    "preuve-retiree": (
        lambda dossier: _preuve(dossier, 6),
        "le n° 20, operation.dossier_depose.v1 : illisible",
    ),
    "preuve-de-trop": (
        lambda dossier: (dossier / "preuves.jsonl").write_text(
            (dossier / "preuves.jsonl").read_text("utf-8") + "{}\n", "utf-8"
        ),
        "leur nombre n’est pas celui que dit l’archive",
    ),
    "ligne-retiree": (
        _retirer(4),
        "le n° 10, convention.paiement_emis.v1 : il n’est pas à sa place",
    ),
    "ligne-ajoutee": (
        _lignes(lambda lues: [*lues, COMPLETE.ecrits[20].ligne(COMPLETE.sceaux()[20])]),
        "le n° 21, convention.paiement_emis.v1 : illisible",
    ),
    "coherence-fausse": (
        lambda dossier: refaire(
            dossier, "coherence.json", lambda c: [{**c[0], "preuve": c[0]["preuve"][::-1]}, c[1]]
        ),
        "le point à 13 ne prolonge pas celui à 5",
    ),
    "coherence-retiree": (
        lambda dossier: refaire(dossier, "coherence.json", lambda c: c[1:]),
        "l’archive ne relie pas points/ancre-000000000005.txt à sa fin",
    ),
}


def _preuve(dossier: Path, rang: int, **change: object) -> None:
    chemin = dossier / "preuves.jsonl"
    lues = [json.loads(ligne) for ligne in chemin.read_text("utf-8").splitlines()]
    lues[rang - 1] |= change
    if not change:
        del lues[rang - 1]
    chemin.write_text("".join(json.dumps(preuve) + "\n" for preuve in lues), "utf-8")


@pytest.mark.parametrize("quoi", PREUVES)
def test_proofs_of_a_part_of_the_log(
    quoi: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = PARTIELLE.ecrire(tmp_path / "archive")
    altere, attendu = PREUVES[quoi]
    altere(dossier)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, attendu in dit) == (1, True), dit


def test_points_after_the_end_may_be_linked_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    longue = replace(COMPLETE, ecrits=faits(30, PIECES))
    ancre = dossier / "points" / "ancre-000000000030.txt"
    ancre.write_bytes(longue.point(30))
    preuve = [h.hex() for h in coherence_de(21, longue.sceaux())]
    refaire(dossier, "coherence.json", lambda _: [{"de": 21, "a": 30, "preuve": preuve}])
    manifester(dossier)
    assert juger(monkeypatch, dossier, "--ancre", str(ancre))[0] == 0
    refaire(dossier, "coherence.json", lambda _: [])
    manifester(dossier)
    assert juger(monkeypatch, dossier, "--ancre", str(ancre))[0] == 1


@pytest.mark.parametrize("juste", [True, False])
def test_a_time_stamp_is_that_of_its_point(
    juste: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    empreinte = sha256((dossier / TREIZE).read_bytes()).digest()
    jeton = dossier / "points" / "ancre-000000000013.tsr"
    jeton.write_bytes(b"0\x82" + (empreinte if juste else empreinte[::-1]) + b"\x04")
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert code == (0 if juste else 1)
    assert ("openssl ts -verify -data points/ancre-000000000013.txt" in dit) == juste
    assert ("n’est pas l’horodatage de" in dit) != juste


# --- Pieces and the manifest ----------------------------------------------------------------------

UNE = f"pieces/{sha256(PIECES[4]).hexdigest()}"


def test_a_piece_is_what_its_event_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (dossier / UNE).write_bytes(b"autre facture")
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"{UNE} n’a pas le contenu que dit son nom" in dit) == (1, True)


@RECETTES
def test_a_piece_that_is_named_is_there_or_said_to_be_absent(
    recette: Recette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = recette.ecrire(tmp_path / "archive")
    (dossier / UNE).unlink()
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"Pièces : il manque {UNE[7:]}" in dit) == (1, True)
    refaire(dossier, "manifeste.json", lambda m: {**m, "pieces_absentes": [UNE[7:]]})
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"À NOTER   Pièces : {UNE[7:]} (n° 4) n’est pas jointe" in dit) == (0, True)
    refaire(
        dossier,
        "manifeste.json",
        lambda m: {**m, "pieces_absentes": [], "pieces_alterees": [UNE[7:]]},
    )
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"le service dit altérée {UNE[7:]}" in dit) == (1, True)


def test_a_piece_that_nothing_names_is_not_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (dossier / "pieces" / sha256(b"x").hexdigest()).write_bytes(b"x")
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"pieces/{sha256(b'x').hexdigest()} a été ajouté" in dit) == (1, True)
    manifester(dossier)
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"rien ne cite {sha256(b'x').hexdigest()}" in dit) == (1, True)


@pytest.mark.parametrize(
    ("nom", "code"),
    [
        ("Thumbs.db", 0),
        ("lecture/.DS_Store", 0),
        ("pieces/notes.txt", 1),
        ("points/ancre.txt", 1),
        ("preuves.jsonl", 1),
    ],
)
def test_a_file_that_the_manifest_does_not_name(
    nom: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (dossier / nom).write_bytes(b"x")
    rendu, dit = juger(monkeypatch, dossier)
    assert rendu == code
    assert (f"À NOTER   Fichiers : {nom} n’est pas dans le manifeste" in dit) == (code == 0)
    assert (f"{nom} a été ajouté" in dit) == (code == 1)


@pytest.mark.parametrize(
    "chemin",
    [
        "../secret.txt",
        "lecture/../../secret.txt",
        "/etc/hostname",
        "C:/secret.txt",
        "lecture\\secret.txt",
        "./lecture/histoire.html",
        "lecture//histoire.html",
        "",
    ],
)
def test_a_path_that_leaves_the_archive_is_refused(
    chemin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    fichier = {"chemin": chemin, "octets": 6, "sha256": sha256(b"secret").hexdigest()}
    refaire(dossier, "manifeste.json", lambda m: {**m, "fichiers": [*m["fichiers"], fichier]})
    code, dit = juger(monkeypatch, dossier)
    assert (code, f"{chemin} est un chemin refusé" in dit) == (1, True)


def test_a_file_named_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    refaire(
        dossier, "manifeste.json", lambda m: {**m, "fichiers": [*m["fichiers"], m["fichiers"][0]]}
    )
    assert juger(monkeypatch, dossier)[0] == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evenements": 20}, 1),
        ({"complet": False}, 1),
        ({"complet": 1}, 1),
        ({"pieces_absentes": None}, 1),
        ({"fichiers": []}, 1),
        ({"journal": {"origine": COMPLETE.origine, "taille": 13, "point": TREIZE}}, 1),
        ({"journal": {"origine": COMPLETE.origine, "taille": 22, "point": TREIZE}}, 1),
        ({"journal": {"origine": "autre", "taille": 21, "point": TREIZE}}, 1),
        ({"journal": None}, 2),
        ({"format": "oi-archive/2"}, 2),
    ],
)
def test_what_the_manifest_says_is_checked(
    change: dict[str, object], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    refaire(dossier, "manifeste.json", lambda m: {**m, **change})
    assert juger(monkeypatch, dossier)[0] == code


@pytest.mark.parametrize(
    ("nom", "dit"), [(UNE, f"{UNE} manque"), ("cles.json", "Clés : le fichier cles.json manque")]
)
def test_a_link_is_not_a_file(
    nom: str, dit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (dossier / nom).replace(tmp_path / "ailleurs")
    (dossier / nom).symlink_to(tmp_path / "ailleurs")
    code, rendu = juger(monkeypatch, dossier)
    assert (code, dit in rendu) == (1, True)


def test_a_name_cannot_act_on_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (dossier / "\x1b[2J\x1b[1;1Hintacte").write_bytes(b"x")
    code, dit = juger(monkeypatch, dossier)
    assert (code, "\x1b" in dit, "?[2J?[1;1Hintacte n’est pas" in dit) == (0, False, True)


# --- What is not an archive -----------------------------------------------------------------------


def test_what_is_not_an_archive_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vide = tmp_path / "vide"
    vide.mkdir()
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    paquet = zipper(dossier, tmp_path / "archive.zip").read_bytes()
    (tmp_path / "coupe.zip").write_bytes(paquet[: len(paquet) // 2])
    (tmp_path / "texte.zip").write_text("bonjour")
    with zipfile.ZipFile(tmp_path / "double.zip", "w") as double:
        double.write(dossier / "manifeste.json", "manifeste.json")
        with pytest.warns(UserWarning, match="Duplicate name"):
            double.write(dossier / "manifeste.json", "manifeste.json")
    (dossier / "manifeste.json").write_text("{")
    for chemin in (
        vide,
        tmp_path / "rien",
        tmp_path / "coupe.zip",
        tmp_path / "texte.zip",
        tmp_path / "double.zip",
        dossier,
    ):
        code, dit = juger(monkeypatch, chemin)
        assert (code, dit.startswith("Ce n’est pas une archive : ")) == (2, True)


def test_a_zip_whose_bytes_were_changed_is_not_read_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    paquet = bytearray(zipper(dossier, tmp_path / "archive.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "archive.zip") as lu:
        debut = lu.getinfo("evenements.jsonl").header_offset + 100
    paquet[debut] ^= 0xFF
    (tmp_path / "abime.zip").write_bytes(paquet)
    code, dit = juger(monkeypatch, tmp_path / "abime.zip")
    assert (code, "ANOMALIE" in dit) == (1, True)


@pytest.mark.parametrize("ancre", ["absente.txt", "texte.txt"])
def test_an_anchor_that_is_none_is_said(
    ancre: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = COMPLETE.ecrire(tmp_path / "archive")
    (tmp_path / "texte.txt").write_text("bonjour")
    assert juger(monkeypatch, dossier, "--ancre", str(tmp_path / ancre))[0] == 1


def test_the_days_of_the_calendar_are_all_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for jour in (date.min, date(1999, 12, 31), date(2000, 2, 29), date.max):
        ecrit = replace(COMPLETE.ecrits[0], date_effet=jour)
        assert verifier.lire_ligne(ecrit.ligne(bytes(32)))[1] == ecrit.enregistrement()
