"""A certificate of each kind, read against docs/certificate.md, and the page against the code."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from importlib import import_module
from pkgutil import iter_modules

import pytest

import benchd.proof.evidence
from benchd.certificate import gaps_of
from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.schema import schema_text
from benchd.domain import record as record_words
from benchd.proof import job_records as proof_records
from tests.certificate.certificate_kinds import ALWAYS, KINDS, run, statement_on
from tests.certificate.certificate_page import (
    PAGE,
    Json,
    Row,
    fields_of,
    quoted,
    read,
    rows_under,
    texts_of,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_read_sentence_by_sentence(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, expected = KINDS[kind]
    statement = statement_on(await make(monkeypatch))
    assert gaps_of(statement) == ()

    said = {sentence for text in texts_of(statement["predicate"]) for sentence in read(text)}

    assert said == {str(sentence) for sentence in ALWAYS | expected}
    assert fields_of(statement) <= {name for row in rows_under("Fields") for name in row.said}


async def test_there_is_no_sentence_that_no_kind_says() -> None:
    said = ALWAYS.union(*(expected for _, expected in KINDS.values()))
    assert said == set(Sentence)


async def test_the_table_has_each_sentence_once_and_no_other() -> None:
    written = [text for row in rows_under("Sentences") for text in row.said]
    assert sorted(written) == sorted(map(str, Sentence))


async def test_the_table_has_each_field_once_and_no_other() -> None:
    written = [name for row in rows_under("Fields") for name in row.said]
    schema = json.loads(schema_text())
    assert sorted(written) == sorted(
        name.removeprefix("predicate.") for name in _named_in(schema, schema["$defs"])
    )


def _named_in(schema: Json, parts: dict[str, Json], path: str = "") -> list[str]:
    """The fields of a schema, as far down as they are named."""
    schema = schema.get("items", schema)
    schema = parts[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    if "properties" not in schema:
        return [path]
    return [
        field
        for name, inner in schema["properties"].items()
        for field in _named_in(inner, parts, f"{path}.{name}" if path else name)
    ]


ROWS = [*rows_under("Sentences"), *rows_under("Fields")]


def _types() -> dict[str, set[str]]:
    """The fields of every type that a record of the table may be, by the type's name."""
    modules = [
        import_module(f"benchd.proof.evidence.{module.name}")
        for module in iter_modules(benchd.proof.evidence.__path__)
    ]
    kinds = [kind for m in [*modules, proof_records, record_words] for kind in vars(m).values()]
    return {
        k.__name__: {f.name for f in fields(k)}
        for k in kinds
        if is_dataclass(k) and isinstance(k, type)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.said[0])
async def test_each_row_names_records_and_checks_that_there_are(row: Row) -> None:
    types = _types()
    assert quoted(row.records) or row.records.startswith("none: ")
    for record in quoted(row.records):
        kind, field = record.split(".")
        assert field in types[kind], record
    assert quoted(row.checks) or row.checks.startswith("none: ")
    for check in quoted(row.checks):
        assert callable(_found(check)), check
    assert row.not_proven


def _found(path: str) -> object:
    """What stands at a place below `benchd`."""
    parts = path.split(".")
    depth = next(n for n in range(len(parts), 0, -1) if _is_module(parts[:n]))
    found: object = import_module(".".join(["benchd", *parts[:depth]]))
    for name in parts[depth:]:
        found = getattr(found, name)
    return found


def _is_module(parts: list[str]) -> bool:
    try:
        import_module(".".join(["benchd", *parts]))
    except ModuleNotFoundError:
        return False
    return True


async def test_the_schema_is_as_its_script_makes_it() -> None:
    assert (PAGE.parent / "certificate.schema.json").read_text() == schema_text()


async def test_row_5_the_whole_of_the_lie_that_cannot_be_caught_is_named_last() -> None:
    statement = statement_on(await run())
    assert statement["predicate"]["not_reached"][-1] == Sentence.SYSTEM_TRUSTED
    assert "trusted to have answered truthfully" in Sentence.SYSTEM_TRUSTED


async def test_a_chip_that_nothing_ties_to_the_handset_is_said_to_be_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind, trusted in (("chip scanned", True), ("chip tied", False), ("no chip", False)):
        statement = statement_on(await KINDS[kind][0](monkeypatch))
        assert (Sentence.READER_TRUSTED in statement["predicate"]["not_reached"]) is trusted, kind


async def test_one_that_leaves_that_sentence_out_or_says_it_in_vain_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = statement_on(await KINDS["chip scanned"][0](monkeypatch))
    silent["predicate"]["not_reached"].remove(Sentence.READER_TRUSTED)
    assert gaps_of(silent) == ("not_reached isn't what the rest of it says",)
    in_vain = statement_on(await KINDS["chip tied"][0](monkeypatch))
    in_vain["predicate"]["not_reached"].insert(-1, Sentence.READER_TRUSTED)
    assert gaps_of(in_vain) == ("not_reached isn't what the rest of it says",)


async def test_no_word_of_it_rests_on_a_trim() -> None:
    assert "trim" not in json.dumps(statement_on(await run()))
