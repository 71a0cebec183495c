"""Log lines: fields for journald, JSON elsewhere, and nothing in them that names a handset."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from benchd.domain.ids import SlotName
from benchd.domain.log_level import LogLevel
from benchd.domain.record import Entry, EntryKind
from benchd.observe import logs
from benchd.observe.journald import JournalSocket, encode, journal_stream_is
from benchd.observe.log_events import message_ids
from benchd.observe.log_level_change import LogLevels
from benchd.observe.logs import configure_logs
from benchd.observe.private_words import MASK, PrivateWords

IMEI = "356938035643809"


SERIAL = "HQ633K0CQ8"


def go_wrong(secret: str, message: str = "what went wrong") -> None:
    if secret:
        raise ValueError(message)


class FakeJournald:
    """A fake of journald's end of its native socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(os.fspath(path))
        self._socket.settimeout(10)

    def next(self) -> dict[str, str]:
        data, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 20, 1)
        if descriptors:
            os.lseek(descriptors[0], 0, os.SEEK_SET)  # journald maps the file from its start
            with open(descriptors[0], "rb") as file:  # noqa: PTH123 - a descriptor
                data = file.read()
        return parse(data)

    def close(self) -> None:
        self._socket.close()


def parse(data: bytes) -> dict[str, str]:
    """Read one entry as systemd's documentation of the protocol describes it."""
    found: dict[str, str] = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, separator, value = line.partition(b"=")
        if not separator:
            (size,) = struct.unpack("<Q", data[:8])
            value, data = data[8 : 8 + size], data[9 + size :]
        found[name.decode()] = value.decode()
    return found


@pytest.fixture(autouse=True)
def own_configuration() -> Iterator[None]:
    """Logging is set up for the whole process; each test leaves it as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeJournald]:
    """What benchd's logs reach under systemd."""
    journald = FakeJournald(tmp_path / "journal.socket")
    sender = JournalSocket(journald.path)
    monkeypatch.setattr(logs, "JOURNAL_SOCKET", journald.path)
    monkeypatch.setattr(logs, "JournalSocket", lambda: sender)
    monkeypatch.setattr(logs, "journal_stream_is", lambda *_: True)
    configure_logs()
    yield journald
    sender.close()
    journald.close()


@pytest.fixture
def to_json(monkeypatch: pytest.MonkeyPatch) -> tuple[PrivateWords, io.StringIO]:
    """Benchd's logs as in a pipe."""
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    return configure_logs(), text


def test_journald_gets_fields_that_can_be_searched(journal: FakeJournald) -> None:
    structlog.contextvars.bind_contextvars(slot="A1", job="20261124-ab", occupancy=7)
    structlog.get_logger().warning("stage_attempt_ended", stage="inspect", detail="not = there")
    assert journal.next() == {
        "MESSAGE": "stage_attempt_ended slot=A1 job=20261124-ab occupancy=7 stage=inspect"
        ' detail="not = there"',
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "benchd",
        "BENCHD_EVENT": "stage_attempt_ended",
        "MESSAGE_ID": message_ids()["stage_attempt_ended"],
        "BENCHD_SLOT": "A1",
        "BENCHD_JOB": "20261124-ab",
        "BENCHD_OCCUPANCY": "7",
        "BENCHD_STAGE": "inspect",
        "BENCHD_DETAIL": "not = there",
    }


def test_a_hostile_value_adds_no_field_and_moves_no_cursor(journal: FakeJournald) -> None:
    structlog.get_logger().info("odd", detail="x\nPRIORITY=0\nBENCHD_SLOT=B1\x1b[2J" + "y" * 9000)
    told = journal.next()
    assert told["PRIORITY"] == "6"
    assert "BENCHD_SLOT" not in told
    assert told["BENCHD_DETAIL"].isprintable()
    assert len(told["BENCHD_DETAIL"]) == logs.LONGEST_TEXT


def test_a_traceback_arrives_whole_and_without_local_variables(journal: FakeJournald) -> None:
    try:
        go_wrong("a local value")
    except ValueError:
        structlog.get_logger().error("slot_quarantined", exc_info=True)
    told = journal.next()
    assert told["MESSAGE"].startswith("slot_quarantined\nTraceback")
    assert "ValueError: what went wrong" in told["MESSAGE"]
    frames = told["MESSAGE"].split("in go_wrong", 1)[1]
    assert "a local value" not in frames


def test_an_entry_too_long_for_a_datagram_goes_as_a_sealed_file(journal: FakeJournald) -> None:
    sender = JournalSocket(journal.path)
    text = "long\n" * 200_000
    assert sender.send({"MESSAGE": text, "PRIORITY": "6"})
    assert journal.next() == {"MESSAGE": text, "PRIORITY": "6"}
    sender.close()


def test_a_journald_that_is_stuck_or_gone_loses_lines_and_says_how_many(
    journal: FakeJournald,
) -> None:
    log = structlog.get_logger()
    for number in range(500):  # more than the socket's queue takes
        log.info("line", number=number)
    first = journal.next()
    assert first["BENCHD_NUMBER"] == "0"
    log.info("after")
    taken = [first, journal.next()]
    while taken[-1]["BENCHD_EVENT"] != "after":
        taken.append(journal.next())
    last = int(taken[-2]["BENCHD_NUMBER"])
    assert int(taken[-1]["BENCHD_LOST_LINES"]) == 499 - last > 0
    journal.close()
    log.info("nobody is there")


def test_the_protocol_puts_a_length_before_a_line_break() -> None:
    assert encode({"A": "one", "B": "two\nlines"}) == (
        b"A=one\nB\n" + struct.pack("<Q", 9) + b"two\nlines\n"
    )
    assert parse(encode({"A": "one", "B": "\n\n", "C": ""})) == {"A": "one", "B": "\n\n", "C": ""}


def test_only_the_descriptor_that_systemd_named_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        found = os.fstat(file.fileno())
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert journal_stream_is(file.fileno(), named)
        assert not journal_stream_is(file.fileno(), {"JOURNAL_STREAM": "1:2"})
        assert not journal_stream_is(file.fileno(), {})


def entry(**data: object) -> Entry:
    return Entry(kind=EntryKind.STAGE_ENDED, at=datetime(2026, 11, 24, tzinfo=UTC), data=data)  # type: ignore[arg-type]


def test_what_a_record_told_is_masked_wherever_it_turns_up(
    to_json: tuple[PrivateWords, io.StringIO],
) -> None:
    words, written = to_json
    words.stored(entry(stage="inspect", evidence={"serial": SERIAL, "imei": IMEI}))
    log = structlog.get_logger()
    log.info("odd", detail=f"device '{SERIAL}' not found", also=[f"<{IMEI}>", {"at": SERIAL}])
    log.info("odd", serial="short", imei=IMEI, account="a@example.jp")
    log.info("odd", detail="IMEI 353871116120459, not 353871116120458")
    try:
        go_wrong(SERIAL, f"no {SERIAL} here")
    except ValueError:
        log.exception("odd")
    text = written.getvalue()
    assert SERIAL not in text
    assert IMEI not in text
    assert "a@example.jp" not in text
    assert "353871116120459" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["detail"] == f"device '{MASK}' not found"
    assert lines[0]["also"] == [f"<{MASK}>", {"at": MASK}]
    assert lines[1]["serial"] == MASK
    # A number that isn't an IMEI by its check digit stays readable.
    assert lines[2]["detail"] == f"IMEI {MASK}, not 353871116120458"
    assert f"no {MASK} here" in lines[3]["exception"]


def test_no_handset_blots_out_where_a_line_belongs(
    to_json: tuple[PrivateWords, io.StringIO],
) -> None:
    words, written = to_json
    words.stored(entry(usb_serial="RACK1-A1"))
    words.stored(entry(usb_serial="ended"))  # too short to be anyone's
    structlog.get_logger().info("job_ended", slot="RACK1-A1", job="j1", outcome="passed")
    told = json.loads(written.getvalue())
    assert (told["event"], told["slot"], told["outcome"]) == ("job_ended", "RACK1-A1", "passed")


def test_the_memory_for_private_words_is_bounded() -> None:
    words = PrivateWords()
    for number in range(5000):
        words.recalled(entry(serial=f"SERIAL{number:06}"))
    assert len(words._words) == 1024
    assert words.mask({"detail": "SERIAL004999 SERIAL000000"}) == {"detail": f"{MASK} SERIAL000000"}


def test_every_line_has_slot_and_job_and_libraries_speak_the_same_way(
    to_json: tuple[PrivateWords, io.StringIO],
) -> None:
    _, written = to_json
    structlog.get_logger().info("ready", slots=3)
    with structlog.contextvars.bound_contextvars(slot="A1", job="j1"):
        logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI")
    ready, library = (json.loads(line) for line in written.getvalue().splitlines())
    assert (ready["slot"], ready["job"], ready["level"]) == (None, None, "info")
    assert (library["slot"], library["job"], library["level"]) == ("A1", "j1", "error")
    assert (library["event"], library["logger"]) == ("Exception in ASGI", "uvicorn.error")


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
def written(levels: LogLevels, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logs of this process write, set up as by the daemon in a pipe."""
    text = io.StringIO()
    monkeypatch.setattr(sys, "stderr", text)
    configure_logs(levels)
    return text


def told(written: io.StringIO) -> list[tuple[str, str | None]]:
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return [(line["event"], line["slot"]) for line in lines]


@pytest.mark.parametrize(
    ("change", "after_s", "more"),
    [
        (None, 0, []),
        ((A1, 60), 0, [("fine", "A1")]),
        ((None, 60), 0, [("fine", "A1"), ("fine", "B1"), ("fine", None)]),
        ((None, 60), 60, []),
    ],
    ids=["as usual", "of one slot", "of the rack", "its time is over"],
)
def test_for_a_while_everything_is_logged_of_a_slot_or_of_the_rack(
    written: io.StringIO,
    levels: LogLevels,
    watch: HandWatch,
    change: tuple[SlotName | None, float] | None,
    after_s: float,
    more: list[tuple[str, str | None]],
) -> None:
    if change is not None:
        levels.change(LogLevel.DEBUG, *change)
    watch.now_s += after_s
    log = structlog.get_logger()
    log.debug("fine", slot="A1")
    log.debug("fine", slot="B1")
    log.debug("fine")
    log.info("usual", slot="B1")
    assert told(written) == [*more, ("usual", "B1")]
    assert bool(levels.in_effect()) == bool(more)


def test_a_line_belongs_to_the_slot_whose_task_writes_it_and_no_library_speaks_in_detail(
    written: io.StringIO, levels: LogLevels
) -> None:
    levels.change(LogLevel.DEBUG, A1, 60)
    with structlog.contextvars.bound_contextvars(slot="A1"):
        structlog.get_logger().debug("fine")
    levels.change(LogLevel.DEBUG, None, 60)
    logging.getLogger("uvicorn.access").info("GET /api/v1/handsets?find=356938035643809")
    assert told(written) == [("fine", "A1")]


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


COMMAND = """
import structlog
from benchd.observe.command_logs import configure_command_logs
configure_command_logs()
log = structlog.get_logger()
log.debug("command_ended")
log.info("job_opened")
log.warning("reader_gone", slot="A1")
log.error("ledger_broken")
print("the answer")
"""


def test_only_what_is_worth_a_warning_is_told_and_not_among_the_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True
    )
    assert done.stdout == "the answer\n"
    assert [line for line in done.stderr.splitlines() if "reader_gone" in line]
    assert "ledger_broken" in done.stderr
    assert "command_ended" not in done.stderr
    assert "job_opened" not in done.stderr
