"""What `felica scan` and `trace` print: one language, nothing hostile, nothing too green."""

from __future__ import annotations

import json

import pytest

from benchd.cli.felica_commands import chips_view, exit_code
from benchd.cli.tables.trace import trace_view
from benchd.domain.plain_text import Language
from benchd.outbound.traces.otlp import encode
from benchd.texts.catalogue import Catalogue
from tests.cli.rack_told import printed
from tests.outbound.traces.job_told import SOURCE, JobTold

HOSTILE = "\x1b[2J[bold green]\u202eerased\x00" + "A" * 9999


def told(verdict: str | None, **more: object) -> dict[str, object]:
    return {
        "slots": [
            {
                "slot": "A1",
                "verdict": verdict,
                "detail": HOSTILE,
                "owners_en": ["Suica", HOSTILE],
                "owners_ja": ["交通系ICカード", HOSTILE],
                "text": {
                    "ja": "残っています",
                    "en": "left",
                    "what_to_do": {"ja": "消去", "en": "clear"},
                },
                **more,
            }
        ]
    }


def scanned(verdict: str | None, language: Language = "en", *, colour: bool = False) -> str:
    view = chips_view(told(verdict), Catalogue.load(), language)  # pyright: ignore[reportArgumentType]
    return printed(view, colour=colour)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_strings_from_a_chip_neither_steer_the_terminal_nor_fill_it(language: Language) -> None:
    text = scanned("in_use", language)
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert len(text.splitlines()) < 30
    assert ("残っています" in text) == (language == "ja")


def test_no_look_at_a_chip_is_green() -> None:
    for verdict in ("unused", "in_use", None):
        assert "\x1b[32m" not in scanned(verdict, colour=True)
        assert "1;32" not in scanned(verdict, colour=True)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["unused", "unused"], 0),
        (["unused", "in_use"], 1),
        (["silent"], 1),
        (["no_chip"], 1),
        (["unused", None], 3),
        ([], 1),
    ],
)
def test_only_chips_that_were_all_found_unused_exit_with_zero(
    verdicts: list[str | None], code: int
) -> None:
    assert exit_code({"slots": [{"verdict": verdict} for verdict in verdicts]}) == code


def tree(told: dict[str, object], language: Language = "en") -> str:
    return printed(trace_view(told, Catalogue.load(), language))  # type: ignore[arg-type]


def test_a_tree_with_the_time_of_each_part() -> None:
    told = JobTold.begun("gates")
    told.asked("consent", 1)
    told.answered("consent", 21)
    told.done("gates", 22)
    told.started("overwrite", 22)
    told.done("overwrite", 30, outcome="interrupted", because="adb_server_lost")
    told.started("overwrite", 31, attempt=2)
    told.ended(90, "aborted", reason="unplugged")
    sent = json.loads(encode(told.trace(), SOURCE))
    lines = [line.rstrip() for line in tree(sent).splitlines()]
    assert lines[0] == "Job 20261124-0123456789: took 1:30:00, of that 20:00 waiting for people."
    shown = [" ".join(line.split()) for line in lines[4:]]
    assert shown[1].startswith("waiting for a person: ")
    assert shown[1].endswith("20:00 yes")
    # The only attempt at a stage isn't told apart from it, each of several is.
    assert len([line for line in shown if "attempt" in line]) == 2
    assert any(line.startswith("attempt 1 8:00") for line in shown)
    assert any(line.startswith("attempt 2 59:00 cut short") for line in shown)
    indents = [len(line) - len(line.lstrip()) for line in lines[4:]]
    assert indents == [0, 2, 0, 2, 2]
    japanese = tree(sent, "ja")
    assert "人を待った時間" in japanese
    assert "2回目" in japanese


def test_item_10_each_wait_tells_how_it_ended() -> None:
    told = JobTold.begun("gates")
    told.asked("consent", 1)
    told.asked("consent", 2)
    told.answered("consent", 3)
    told.asked("jpki", 4)
    told.done("gates", 5)
    told.started("observe", 6)
    told.asked("observe", 7)
    told.ended(90, "aborted", reason="unplugged")
    sent = json.loads(encode(told.trace(), SOURCE))
    shown = [" ".join(line.split()) for line in tree(sent).splitlines()]
    waits = [line for line in shown if line.startswith("waiting for a person")]
    ends = ("asked again", "yes", "stage ended first", "job ended first")
    assert [wait.endswith(end) for wait, end in zip(waits, ends, strict=True)] == [True] * 4
    japanese = "".join(tree(sent, "ja").split())
    assert "先に作業が終了" in japanese


def spans(*told: object) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": [*told]}]}]}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"resourceSpans": 1},
        spans({"name": "\x1b[2J", "spanId": "a"}),
        spans({"spanId": "", "startTimeUnixNano": "x", "attributes": [{}]}),
    ],
)
def test_what_is_no_trace_is_shown_without_a_fault(told: dict[str, object]) -> None:
    assert "\x1b" not in tree(told)
