"""Log lines: fields for journald, JSON elsewhere, and nothing in them that names a handset."""

from __future__ import annotations

import io
import json
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from benchd.domain.record import Entry, EntryKind
from benchd.observe import logs
from benchd.observe.journald import JournalSocket, encode, journal_stream_is
from benchd.observe.log_events import message_ids
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


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[FakeJournald]:
    journald = FakeJournald(tmp_path / "journal.socket")
    yield journald
    journald.close()


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
def to_journal(
    journald: FakeJournald, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], PrivateWords]]:
    """Set benchd's logs up as under systemd."""
    sender = JournalSocket(journald.path)

    def configure() -> PrivateWords:
        monkeypatch.setattr(logs, "JOURNAL_SOCKET", journald.path)
        monkeypatch.setattr(logs, "JournalSocket", lambda: sender)
        monkeypatch.setattr(logs, "journal_stream_is", lambda *_: True)
        return configure_logs()

    yield configure
    sender.close()


@pytest.fixture
def to_json(monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[PrivateWords, io.StringIO]]:
    """Set benchd's logs up as in a pipe."""

    def configure() -> tuple[PrivateWords, io.StringIO]:
        written = io.StringIO()
        monkeypatch.setattr(sys, "stderr", written)
        return configure_logs(), written

    return configure


def test_journald_gets_fields_that_can_be_searched(
    journald: FakeJournald, to_journal: Callable[[], PrivateWords]
) -> None:
    to_journal()
    structlog.contextvars.bind_contextvars(slot="A1", job="20261124-ab", occupancy=7)
    structlog.get_logger().warning("stage_attempt_ended", stage="inspect", detail="not = there")
    assert journald.next() == {
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


def test_a_hostile_value_adds_no_field_and_moves_no_cursor(
    journald: FakeJournald, to_journal: Callable[[], PrivateWords]
) -> None:
    to_journal()
    structlog.get_logger().info("odd", detail="x\nPRIORITY=0\nBENCHD_SLOT=B1\x1b[2J" + "y" * 9000)
    told = journald.next()
    assert told["PRIORITY"] == "6"
    assert "BENCHD_SLOT" not in told
    assert told["BENCHD_DETAIL"].isprintable()
    assert len(told["BENCHD_DETAIL"]) == logs.LONGEST_TEXT


def test_a_traceback_arrives_whole_and_without_local_variables(
    journald: FakeJournald, to_journal: Callable[[], PrivateWords]
) -> None:
    to_journal()
    try:
        go_wrong("a local value")
    except ValueError:
        structlog.get_logger().error("slot_quarantined", exc_info=True)
    told = journald.next()
    assert told["MESSAGE"].startswith("slot_quarantined\nTraceback")
    assert "ValueError: what went wrong" in told["MESSAGE"]
    frames = told["MESSAGE"].split("in go_wrong", 1)[1]
    assert "a local value" not in frames


def test_an_entry_too_long_for_a_datagram_goes_as_a_sealed_file(journald: FakeJournald) -> None:
    sender = JournalSocket(journald.path)
    text = "long\n" * 200_000
    assert sender.send({"MESSAGE": text, "PRIORITY": "6"})
    assert journald.next() == {"MESSAGE": text, "PRIORITY": "6"}
    sender.close()


def test_a_journald_that_is_stuck_or_gone_loses_lines_and_says_how_many(
    journald: FakeJournald, to_journal: Callable[[], PrivateWords]
) -> None:
    to_journal()
    log = structlog.get_logger()
    for number in range(500):  # more than the socket's queue takes
        log.info("line", number=number)
    first = journald.next()
    assert first["BENCHD_NUMBER"] == "0"
    log.info("after")
    taken = [first, journald.next()]
    while taken[-1]["BENCHD_EVENT"] != "after":
        taken.append(journald.next())
    last = int(taken[-2]["BENCHD_NUMBER"])
    assert int(taken[-1]["BENCHD_LOST_LINES"]) == 499 - last > 0
    journald.close()
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
    to_json: Callable[[], tuple[PrivateWords, io.StringIO]],
) -> None:
    words, written = to_json()
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
    to_json: Callable[[], tuple[PrivateWords, io.StringIO]],
) -> None:
    words, written = to_json()
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
    to_json: Callable[[], tuple[PrivateWords, io.StringIO]],
) -> None:
    _, written = to_json()
    structlog.get_logger().info("ready", slots=3)
    with structlog.contextvars.bound_contextvars(slot="A1", job="j1"):
        logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI")
    ready, library = (json.loads(line) for line in written.getvalue().splitlines())
    assert (ready["slot"], ready["job"], ready["level"]) == (None, None, "info")
    assert (library["slot"], library["job"], library["level"]) == ("A1", "j1", "error")
    assert (library["event"], library["logger"]) == ("Exception in ASGI", "uvicorn.error")
