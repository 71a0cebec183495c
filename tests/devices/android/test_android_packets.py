"""The shell packets, however the bytes are cut, and what is logged of a command."""

from __future__ import annotations

import struct
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from structlog.testing import capture_logs

from benchd.devices.android.shell.commands import Completed, _tell
from benchd.devices.android.shell.packets import (
    LONGEST_PAYLOAD_BYTES,
    Exit,
    Output,
    PacketReader,
    ShellEvent,
    close_stdin_packet,
    stdin_packets,
)
from benchd.domain.errors import AnswerNotRecognised


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<BI", number, len(payload)) + payload


def read(reader: PacketReader, pieces: list[bytes]) -> list[ShellEvent]:
    return [event for piece in pieces for event in reader.feed(piece)]


@given(
    payloads=some.lists(some.tuples(some.sampled_from([1, 2]), some.binary(max_size=50))),
    code=some.integers(0, 255),
    cuts=some.lists(some.integers(0, 500)),
)
def test_the_cuts_of_the_stream_make_no_difference(
    payloads: list[tuple[int, bytes]], code: int, cuts: list[int]
) -> None:
    stream = b"".join(packet(number, payload) for number, payload in payloads)
    stream += packet(3, bytes([code]))
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(places)]
    events = read(PacketReader(), pieces)
    for number in (1, 2):
        heard = [e.data for e in events if isinstance(e, Output) and e.is_error == (number == 2)]
        assert b"".join(heard) == b"".join(data for stream, data in payloads if stream == number)
    assert [event.code for event in events if isinstance(event, Exit)] == [code]


@given(data=some.binary(max_size=200))
def test_any_bytes_are_events_or_refused(data: bytes) -> None:
    with suppress(AnswerNotRecognised):
        PacketReader().feed(data)


@pytest.mark.parametrize(
    ("number", "payload"),
    [(0, b"x"), (4, b""), (5, b"1x1"), (255, b""), (3, b""), (3, b"12"), (3, bytes(4))],
)
def test_packets_that_no_handset_sends_are_refused(number: int, payload: bytes) -> None:
    with pytest.raises(AnswerNotRecognised):
        PacketReader().feed(packet(number, payload))
    assert PacketReader().feed(b"\x03\x01\x00\x00\x00") == [], "a header alone is no exit"


def test_a_packet_of_four_gigabytes_costs_nothing() -> None:
    reader = PacketReader()
    assert reader.feed(struct.pack("<BI", 1, 0xFFFFFFFF) + b"abc") == [
        Output(b"abc", is_error=False)
    ]
    assert len(reader._header) == 0


@given(data=some.binary(max_size=3 * LONGEST_PAYLOAD_BYTES))
def test_input_is_cut_into_packets_that_add_up(data: bytes) -> None:
    packets, found = stdin_packets(data), b""
    while packets:
        number, length = struct.unpack_from("<BI", packets)
        assert number == 0
        assert 0 < length <= LONGEST_PAYLOAD_BYTES
        found += packets[5 : 5 + length]
        packets = packets[5 + length :]
    assert found == data
    assert close_stdin_packet() == b"\x04\x00\x00\x00\x00"


def test_a_read_of_many_packets_is_one_event_of_each_output() -> None:
    both = packet(1, b"x") + packet(2, b"y")
    assert PacketReader().feed(both * 1000 + packet(3, b"\x07")) == [
        Output(b"x" * 1000, is_error=False),
        Output(b"y" * 1000, is_error=True),
        Exit(7),
    ]


IMEI = "356938035643809"
ANSWERED = Completed(exit_code=0, stdout=IMEI.encode(), stderr=IMEI.encode())


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (f"am broadcast --es imei {IMEI}", "am"),
        (f"(getprop)\nstatus=$?\necho {IMEI}", "getprop"),
        ("/data/local/tmp/benchd-fill", "/data/local/tmp/benchd-fill"),
        ("", None),
    ],
)
def test_neither_arguments_nor_answers_are_logged(command: str, program: str | None) -> None:
    with capture_logs() as lines:
        _tell(command, ANSWERED, 0.25)
    [line] = lines
    assert (line["program"], line["exit_code"], line["answered_bytes"]) == (program, 0, len(IMEI))
    assert IMEI not in repr(line)


def test_a_command_that_broke_off_has_no_exit_code() -> None:
    with capture_logs() as lines:
        _tell("pm list users", None, 20.0)
    assert (lines[0]["exit_code"], lines[0]["answered_bytes"]) == (None, None)
