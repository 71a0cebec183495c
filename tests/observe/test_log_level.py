"""More is logged for a while: of a slot or of the rack, and as usual again by itself."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from benchd.domain.ids import SlotName
from benchd.domain.log_level import LogLevel
from benchd.observe.log_level_change import LogLevels
from benchd.observe.logs import configure_logs

A1 = SlotName("A1")
B1 = SlotName("B1")


class HandWatch:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> HandWatch:
    return HandWatch()


@pytest.fixture
def levels(watch: HandWatch) -> LogLevels:
    return LogLevels(watch)


@pytest.fixture
def written(levels: LogLevels, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the logs of this process write, set up as by the daemon in a pipe."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    configure_logs(levels)
    yield text
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def told(written: io.StringIO) -> list[tuple[str, str | None]]:
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return [(line["event"], line["slot"]) for line in lines]


def say_something() -> None:
    log = structlog.get_logger()
    log.debug("fine", slot="A1")
    log.debug("fine", slot="B1")
    log.debug("fine")
    log.info("usual", slot="B1")


USUAL = [("usual", "B1")]


def test_without_a_change_only_what_is_usual_is_logged(written: io.StringIO) -> None:
    say_something()
    assert told(written) == USUAL


def test_of_one_slot_everything_is_logged_and_of_its_neighbours_nothing_more(
    written: io.StringIO, levels: LogLevels
) -> None:
    levels.change(LogLevel.DEBUG, A1, 60)
    say_something()
    assert told(written) == [("fine", "A1"), *USUAL]


def test_a_line_belongs_to_the_slot_whose_task_writes_it(
    written: io.StringIO, levels: LogLevels
) -> None:
    levels.change(LogLevel.DEBUG, A1, 60)
    with structlog.contextvars.bound_contextvars(slot="A1"):
        structlog.get_logger().debug("fine")
    assert told(written) == [("fine", "A1")]


def test_of_the_rack_everything_is_logged(written: io.StringIO, levels: LogLevels) -> None:
    levels.change(LogLevel.DEBUG, None, 60)
    say_something()
    assert told(written) == [("fine", "A1"), ("fine", "B1"), ("fine", None), *USUAL]


def test_once_its_time_is_over_as_much_is_logged_as_before(
    written: io.StringIO, levels: LogLevels, watch: HandWatch
) -> None:
    levels.change(LogLevel.DEBUG, None, 60)
    watch.now_s += 60
    say_something()
    assert told(written) == USUAL
    assert levels.in_effect() == []


def test_a_slots_longer_time_outlasts_the_racks(levels: LogLevels, watch: HandWatch) -> None:
    levels.change(LogLevel.DEBUG, None, 60)
    levels.change(LogLevel.DEBUG, A1, 120)
    watch.now_s += 90
    assert levels.lets_through("debug", A1)
    assert not levels.lets_through("debug", B1)


def test_it_can_be_taken_back_for_one_slot_or_for_all(levels: LogLevels) -> None:
    for slot in (A1, B1, None):
        levels.change(LogLevel.DEBUG, slot, 60)
    levels.change(LogLevel.INFO, A1, 60)
    assert [one.slot for one in levels.in_effect()] == [None, B1]
    levels.change(LogLevel.INFO, None, 60)
    assert levels.in_effect() == []


def test_what_libraries_say_in_detail_is_never_logged(
    written: io.StringIO, levels: LogLevels
) -> None:
    levels.change(LogLevel.DEBUG, None, 60)
    logging.getLogger("uvicorn.access").info("GET /api/v1/handsets?find=356938035643809")
    assert told(written) == []


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_it_is_told_when_each_has_fallen_back() -> None:
    levels = LogLevels(asyncio.get_running_loop().time)
    with capture_logs() as lines:
        async with anyio.create_task_group() as group:
            group.start_soon(levels.run)
            await anyio.sleep(1)
            levels.change(LogLevel.DEBUG, A1, 600)
            levels.change(LogLevel.DEBUG, None, 30)
            await anyio.sleep(599.5)
            assert [line["slot"] for line in lines] == [None]
            await anyio.sleep(1)
            group.cancel_scope.cancel()
    assert [(line["event"], line["slot"]) for line in lines] == [
        ("log_level_back", None),
        ("log_level_back", "A1"),
    ]
