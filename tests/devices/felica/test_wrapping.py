"""The dialects of readers.

The vectors are constructed from the makers' manuals and the PC/SC specification (see wrapping.py).
None was recorded from a reader.
"""

from __future__ import annotations

import pytest

from benchd.devices.felica.readers.wrapping import WRAPPINGS, Channel, parse_tlv
from benchd.domain.errors import ReaderFault

POLL = bytes.fromhex("0600FFFF0100")
ANSWER = bytes.fromhex("1401" + "0140B75803955EDD" + "01188B868FBECBFF" + "FE00")

SENT = {
    "acs_direct": "FF000000 06 0600FFFF0100",
    "acr122": "FF000000 08 D442 0600FFFF0100",
    "identiv": "FFFE0000 06 0600FFFF0100",
    # 5F46: 100 ms in microseconds, little-endian; 95: the frame; Le 00.
    "transparent": "FFC20001 0F 5F4604A0860100 95060600FFFF0100 00",
    "transparent_escape": "FFC20001 0F 5F4604A0860100 95060600FFFF0100 00",
}
RECEIVED = {
    "acs_direct": ANSWER.hex() + "9000",
    "acr122": "D54300" + ANSWER.hex() + "9000",
    "identiv": ANSWER.hex() + "9000",
    "transparent": "C003009000 920100 96020000 9714" + ANSWER.hex() + "9000",
    "transparent_escape": "C003009000 920100 96020000 9714" + ANSWER.hex() + "9000",
}
SILENT = {
    "acs_direct": ["6300", "9000", "6401"],
    "acr122": ["6300", "D543019000", "D543009000"],
    "identiv": ["6400", "6401"],
    "transparent": ["C003006401 9000", "C003006400 9000", "C003009000 920100 96020000 9700 9000"],
    "transparent_escape": ["C003006401 9000", "6401"],
}
FAULTY = {
    "acs_direct": ["", "90", "6A81", "6F00", "140191"],
    "acr122": ["D543029000", "D541009000", "D5439000", "9000", "6A81"],
    "identiv": ["6A81", "6D00"],
    "transparent": [
        "9000",  # no status
        "C0029000 9000",
        "C00300698A 9000",  # no access right
        "C003009000 9714" + ANSWER.hex()[:-2] + "9000",  # ends in the middle
        "C003009000 C003009000 9000",
        "C003009000 96020200 9000",
        "97",
    ],
    "transparent_escape": ["6A81", "C003006A81 9000"],
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_frame_is_wrapped_and_its_answer_unwrapped_as_the_manual_says(name: str) -> None:
    wrapping = WRAPPINGS[name]
    assert wrapping.wrap(POLL, 0.1) == bytes.fromhex(SENT[name])
    assert wrapping.unwrap(bytes.fromhex(RECEIVED[name])) == ANSWER
    for reply in SILENT[name]:
        assert wrapping.unwrap(bytes.fromhex(reply)) is None, reply
    for reply in FAULTY[name]:  # whatever else it answers is its fault and never silence
        with pytest.raises(ReaderFault):
            wrapping.unwrap(bytes.fromhex(reply))


@pytest.mark.parametrize("name", WRAPPINGS)
def test_the_longest_frame_that_fits_is_sent_whole_and_nothing_else_is(name: str) -> None:
    frame = bytes([200]) + bytes(199)
    sent = WRAPPINGS[name].wrap(frame, 0.1)
    assert frame in sent
    # Lc counts all that follows it, but for Le where there is one.
    assert len(sent) - 5 - sent[4] in {0, 1}
    for none in (b"", b"\x01", b"\x07\x00\xff", bytes(300)):
        with pytest.raises(ValueError, match="begins with its own length"):
            WRAPPINGS[name].wrap(none, 0.1)


def test_a_timer_stays_within_what_readers_take() -> None:
    transparent = WRAPPINGS["transparent"]
    assert transparent.wrap(POLL, 0.0)[8:12] == (3_000).to_bytes(4, "little")
    assert transparent.wrap(POLL, 1e9)[8:12] == (10_000_000).to_bytes(4, "little")


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_refused_command_is_a_fault(name: str) -> None:
    wrapping = WRAPPINGS[name]
    for reply in ("6300", "6A81", "C003006300 9000", "C003006A81 9000"):
        if name.startswith("transparent") or not reply.startswith("C0"):
            with pytest.raises(ReaderFault):
                wrapping.acknowledge(bytes.fromhex(reply))
    wrapping.acknowledge(bytes.fromhex("C003009000 9000"))


def test_the_escape_dialect_needs_no_chip_and_the_others_do() -> None:
    escaping = {name for name, dialect in WRAPPINGS.items() if dialect.channel is Channel.ESCAPE}
    assert escaping == {"transparent_escape"}


def test_fields_are_read_with_one_and_two_byte_tags_and_lengths() -> None:
    long = bytes(200)
    data = bytes.fromhex("5F46 02 AABB 97 81C8") + long + bytes.fromhex("7F21 820001 CC")
    assert parse_tlv(data) == {0x5F46: b"\xaa\xbb", 0x97: long, 0x7F21: b"\xcc"}


@pytest.mark.parametrize("data", ["97", "9705AA", "5F", "5F46", "9780", "9783000001AA", "978201"])
def test_fields_that_are_cut_off_are_a_fault(data: str) -> None:
    with pytest.raises(ReaderFault):
        parse_tlv(bytes.fromhex(data))
