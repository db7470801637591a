"""Facts and their bytes: there and back for every name, and every stored sample for ever."""

import json
import re
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
import psycopg
import pytest
from echantillons import DOSSIER, chemins, ecrire, exemple, lire, nom_de
from hypothesis import given, settings
from hypothesis import strategies as st

from oi_service.codec import REGISTRY, Evenement, Registry

NOMS = sorted(REGISTRY.classes)
FICHIERS = sorted(DOSSIER.glob("*.json"))

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.integers(-(10**16), 10**16),
    bool: st.booleans(),
    type(None): st.none(),
    msgspec.UnsetType: st.just(msgspec.UNSET),
    date: st.dates(),
    UUID: st.uuids(),
    Decimal: st.decimals(-(10**12), 10**12, places=4, allow_nan=False),
}


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type that facts use; another type fails the test by its name."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if origin is Literal:
        return st.sampled_from(args)
    if origin in {Union, types.UnionType}:
        return st.one_of([of_type(a) for a in args])
    if origin is tuple and args[1:] == (Ellipsis,):
        return st.lists(of_type(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of_type, args))
    if origin is dict:
        return st.dictionaries(of_type(args[0]), of_type(args[1]), max_size=3)
    assert issubclass(kind, msgspec.Struct), kind
    hints = get_type_hints(kind)
    return st.builds(kind, **{f: of_type(hints[f]) for f in kind.__struct_fields__})


def there_and_back(fact: Evenement, *, data: Callable[[str], str] = str) -> Evenement:
    name, text, date_effet, motif, pieces = REGISTRY.encode(fact)
    return REGISTRY.decode(name, data(text), date_effet.isoformat(), motif, pieces)


@pytest.mark.parametrize("name", NOMS)
def test_every_fact_comes_back_as_it_was(name: str) -> None:
    @settings(max_examples=15, database=None)
    @given(of_type(REGISTRY.classes[name]))
    def check(fact: Evenement) -> None:
        assert there_and_back(fact) == fact

    check()


def test_every_fact_comes_back_from_the_database_as_it_was(base: str) -> None:
    # jsonb orders keys and writes numbers in its own way; the codec must not mind.
    with psycopg.connect(base) as conn:

        def stored(text: str) -> str:
            row = conn.execute("SELECT %s::jsonb::text", (text,)).fetchone()
            assert row is not None
            return str(row[0])

        @settings(max_examples=300, deadline=None, database=None)
        @given(st.sampled_from(NOMS).flatmap(lambda name: of_type(REGISTRY.classes[name])))
        def check(fact: Evenement) -> None:
            name, text, date_effet, motif, pieces = REGISTRY.encode(fact)
            kept = None if pieces is None else stored(pieces)
            back = REGISTRY.decode(name, stored(text), date_effet.isoformat(), motif, kept)
            assert back == fact

        check()


@pytest.mark.parametrize("name", NOMS)
def test_names_are_literal_lower_case_and_versioned(name: str) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+\.v[1-9][0-9]*", name)


def _types_in(kind: Any) -> Iterator[Any]:
    yield kind
    for part in get_args(kind):
        if part is not Ellipsis:
            yield from _types_in(part)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for hint in typing.get_type_hints(kind).values():
            yield from _types_in(hint)


@pytest.mark.parametrize("name", NOMS)
def test_no_fact_holds_a_float_nor_an_open_type(name: str) -> None:
    found = set(map(str, _types_in(REGISTRY.classes[name])))
    assert found.isdisjoint({str(float), str(Any), str(object), str(list), str(set)})


@pytest.mark.parametrize("name", NOMS)
def test_amounts_say_their_unit(name: str) -> None:
    hints = get_type_hints(REGISTRY.classes[name])
    for field, kind in hints.items():
        if re.search(r"(^|_)(montant|fse|cout|reliquat)(_|$)", field) and int in _types_in(kind):
            assert field.endswith("_centimes"), field


@pytest.mark.parametrize("name", NOMS)
def test_facts_are_frozen_keyword_only_and_closed(name: str) -> None:
    for kind in _types_in(REGISTRY.classes[name]):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            config = kind.__struct_config__
            assert (config.frozen, config.forbid_unknown_fields) == (True, True), kind


# Stored samples.


def keeps(now: Any, stored: Any) -> bool:
    """Tell whether a payload still says all that was stored; it may say more, by defaults."""
    if isinstance(stored, dict):
        return isinstance(now, dict) and all(k in now and keeps(now[k], stored[k]) for k in stored)
    if isinstance(stored, list):
        return (
            isinstance(now, list)
            and len(now) == len(stored)
            and all(keeps(n, s) for n, s in zip(now, stored, strict=True))
        )
    return bool(now == stored)


def test_every_event_version_has_a_sample_and_every_sample_an_event() -> None:
    known = set(REGISTRY.classes) | set(REGISTRY.upcasts)
    assert {f.stem for f in FICHIERS if "~" not in f.stem} == known, (
        "run: python tests/echantillons.py"
    )
    assert {nom_de(f) for f in FICHIERS} == known


@pytest.mark.parametrize("fichier", FICHIERS, ids=lambda f: f.stem)
def test_a_stored_sample_reads_as_the_same_fact_for_ever(fichier: Any) -> None:
    sample = lire(fichier)
    assert sample.name == nom_de(fichier)
    fact = REGISTRY.decode(sample.name, sample.data, sample.date_effet, sample.motif, sample.pieces)
    again = REGISTRY.encode(fact)
    assert again.date_effet.isoformat() == sample.date_effet
    assert again.motif == sample.motif
    assert json.loads(again.pieces or "[]") == json.loads(sample.pieces or "[]")
    if sample.name not in REGISTRY.upcasts:
        # An old version says what it became in its own test, beside its upcast.
        assert again.name == sample.name
        assert keeps(json.loads(again.data), json.loads(sample.data))


@pytest.mark.parametrize("name", NOMS)
def test_the_samples_of_a_fact_show_every_field_that_it_has(name: str) -> None:
    kind = REGISTRY.classes[name]
    fields = set(kind.__struct_fields__) - set(Evenement.__struct_fields__)
    required = {f.name for f in msgspec.structs.fields(kind) if f.required}
    stored = [json.loads(lire(f).data) for f in FICHIERS if nom_de(f) == name]
    assert all(required - set(Evenement.__struct_fields__) <= set(s) <= fields for s in stored)
    assert set().union(*stored) == fields
    # The values in it too: a plan in every form, a bilan with all that it may declare.
    shown = {chemin for s in stored for chemin in chemins(s)}
    whole = json.loads(REGISTRY.encode(exemple(kind)).data)
    assert chemins(whole) <= shown, "run: python tests/echantillons.py"


def test_samples_are_written_for_what_is_new_only(tmp_path: Any) -> None:
    grown, new = "contrepartie.affectee.v1", "convention.signee.v1"
    assert set(ecrire(tmp_path)) == set(REGISTRY.classes)
    (tmp_path / f"{new}.json").unlink()
    old = tmp_path / f"{grown}.json"
    stored = json.loads(old.read_text("utf-8"))
    del stored["data"]["operation_id"]
    old.write_text(json.dumps(stored), "utf-8")
    before = old.read_text("utf-8")
    assert ecrire(tmp_path) == [f"{grown}~2", new]
    assert old.read_text("utf-8") == before
    assert ecrire(tmp_path) == []


# The registry itself.


class Compte(Evenement, frozen=True, kw_only=True):
    centimes: int


def test_a_name_and_a_class_are_registered_once() -> None:
    registry = Registry()
    registry.event("essai.compte.v1")(Compte)
    with pytest.raises(ValueError, match="already registered"):
        registry.event("essai.compte.v2")(Compte)
    with pytest.raises(ValueError, match="already registered"):
        registry.event("essai.compte.v1")(type("Autre", (Compte,), {}))


def test_an_unknown_field_or_a_missing_one_is_a_defect_that_shows() -> None:
    registry = Registry()
    registry.event("essai.compte.v1")(Compte)
    for data in ('{"centimes":1,"autre":2}', "{}", '{"centimes":1.5}', '{"centimes":"1"}'):
        with pytest.raises(msgspec.ValidationError):
            registry.decode("essai.compte.v1", data, "2021-12-31", None, None)


def test_a_name_that_nobody_knows_does_not_decode() -> None:
    with pytest.raises(KeyError):
        Registry().decode("essai.inconnu.v1", "{}", "2021-12-31", None, None)


def test_upcasts_chain_from_the_oldest_version() -> None:
    registry = Registry()
    registry.event("essai.compte.v3")(Compte)
    registry.upcast("essai.compte.v1", "essai.compte.v2")(lambda d: {"cents": d["euros"] * 100})
    registry.upcast("essai.compte.v2", "essai.compte.v3")(lambda d: {"centimes": d["cents"]})
    read = registry.decode("essai.compte.v1", '{"euros":12}', "2021-12-31", "Motif", None)
    assert read == Compte(date_effet=date(2021, 12, 31), motif="Motif", centimes=1200)
