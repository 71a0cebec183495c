"""`benchd trace`: a tree that a person can read, of what a collector is sent."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from benchd.cli.tables.trace import trace_view
from benchd.domain.plain_text import Language
from benchd.outbound.traces.otlp import encode
from benchd.texts.catalogue import Catalogue
from tests.outbound.traces.job_told import SOURCE, JobTold


def printed(told: dict[str, object], language: Language = "en") -> str:
    output = StringIO()
    view = trace_view(told, Catalogue.load(), language)  # type: ignore[arg-type]
    Console(file=output, width=100).print(view)
    return output.getvalue()


def a_job() -> JobTold:
    told = JobTold()
    told.opened()
    told.started("gates", 0)
    told.asked("consent", 1)
    told.answered("consent", 21)
    told.done("gates", 22)
    told.started("overwrite", 22)
    told.done("overwrite", 30, outcome="interrupted", because="adb_server_lost")
    told.started("overwrite", 31, attempt=2)
    told.ended(90, "aborted", reason="unplugged")
    return told


def test_a_tree_with_the_time_of_each_part() -> None:
    shown = printed(json.loads(encode(a_job().trace(), SOURCE)))
    lines = [line.rstrip() for line in shown.splitlines()]
    assert lines[0] == ("Job 20261124-0123456789: took 1:30:00, of that 20:00 waiting for people.")
    told = [" ".join(line.split()) for line in lines[4:]]
    assert told[1].startswith("waiting for a person: ")
    assert told[1].endswith("20:00 yes")
    # The only attempt at a stage isn't told apart from it, each of several is.
    assert len([line for line in told if "attempt" in line]) == 2
    assert any(line.startswith("attempt 1 8:00") for line in told)
    assert any(line.startswith("attempt 2 59:00 cut short") for line in told)
    indents = [len(line) - len(line.lstrip()) for line in lines[4:]]
    assert indents == [0, 2, 0, 2, 2]


def test_in_japanese_too() -> None:
    shown = printed(json.loads(encode(a_job().trace(), SOURCE)), "ja")
    assert "人を待った時間" in shown
    assert "2回目" in shown


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"resourceSpans": 1},
        {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\x1b[2J", "spanId": "a"}]}]}]},
        {
            "resourceSpans": [
                {
                    "scopeSpans": [
                        {
                            "spans": [
                                {"spanId": "", "startTimeUnixNano": "x", "attributes": [{}]},
                            ]
                        }
                    ]
                }
            ]
        },
    ],
)
def test_what_is_no_trace_is_shown_without_a_fault(told: dict[str, object]) -> None:
    assert "\x1b" not in printed(told)
