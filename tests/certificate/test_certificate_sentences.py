"""A certificate of each kind, read against docs/certificate.md, and the page against the code."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

import benchd.proof.evidence
from benchd.certificate import gaps_of
from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.schema import schema_text
from benchd.certificate.trust_section import BindingSection
from benchd.domain import record as record_words
from benchd.domain.evidence_json import from_json, to_json
from benchd.proof import job_records as proof_records
from tests.certificate.certificate_kinds import ALWAYS, KINDS, run, statement_on
from tests.certificate.certificate_rack import IMEI, proven_erasure

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

Json = Any
PAGE = Path(__file__).parents[2] / "docs" / "certificate.md"
_QUOTED = re.compile(r"`([^`]+)`")
_GAP = re.compile(r"\\\{[^{}]*\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table: what is said, by which records, held by which checks, and not more."""

    said: tuple[str, ...]
    records: str
    checks: str
    not_proven: str


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(_QUOTED.findall(cell))


def rows_under(heading: str) -> list[Row]:
    """The rows of the one table under a heading."""
    part = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [_row(line) for line in lines]


def _row(line: str) -> Row:
    said, records, checks, not_proven = line.strip("| ").split(" | ")
    return Row(said=quoted(said), records=records, checks=checks, not_proven=not_proven)


@cache
def sentences() -> dict[str, re.Pattern[str]]:
    """Each sentence of the page with the pattern that finds it filled in."""
    said = [text for row in rows_under("Sentences") for text in row.said]
    return {text: re.compile(_GAP.sub(r"\\S+", re.escape(text))) for text in said}


def read(text: str) -> list[str]:
    """The sentences that a text is made of, without a word left over."""
    found = _read(text)
    assert found is not None, f"not on the page: {text}"
    return found


def _read(text: str) -> list[str] | None:
    for sentence, pattern in sentences().items():
        match = pattern.match(text)
        if match is None:
            continue
        left = text[match.end() :]
        if not left:
            return [sentence]
        rest = _read(left.removeprefix(", ")) if left.startswith(", ") else None
        if rest is not None:
            return [sentence, *rest]
    return None


def texts_of(predicate: dict[str, Any]) -> list[str]:
    """Every text of a certificate that is a sentence and no name, number or word of a list."""
    felica = predicate["felica"]
    return [
        predicate["method"],
        predicate["technique"],
        predicate["standard"],
        predicate["medium"]["type"],
        predicate["trusted"]["read_by"],
        predicate["nominal_capacity_bytes"],
        *predicate["not_reached"],
        *predicate["bound_by"],
        *predicate["final_reset"]["kinds"],
        felica["basis"],
        felica["clear"],
        *felica["sources"],
        *filter(None, [predicate["fresh_picture"]["excuses"], predicate["clock"]["says"]]),
        predicate["other_racks"]["says"],
        *filter(None, [predicate["handset"]["imei_known_by"], predicate["trusted"]["number"]]),
    ]


def fields_of(value: Json, path: str = "") -> set[str]:
    """Every field of a statement, without the predicate that most of them stand in."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {field for each in value for field in fields_of(each, path)}
    if value == []:
        return set()
    if not isinstance(value, dict):
        return {path.removeprefix("predicate.")}
    return {
        field
        for name, inner in value.items()
        for field in fields_of(inner, f"{path}.{name}" if path else name)
    }


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


async def test_it_names_every_tie_and_no_number() -> None:
    section = BindingSection.of(proven_erasure())
    told = to_json(section)
    assert [(tie["tie"], tie["strong"]) for tie in told["bound_by"]] == [
        ("imei", True),
        ("screen_imei", True),
        ("serial", False),
    ]
    assert told["returns"] == 2
    assert IMEI not in str(told)
    assert from_json(BindingSection, told, "binding") == section
