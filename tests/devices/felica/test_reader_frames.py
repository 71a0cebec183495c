"""The dialects of readers, and a session with an RC-S300, which no virtual reader can stand in for.

The vectors are constructed from the makers' manuals and the PC/SC specification: see
reader_frames.py.
None was recorded from a reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from benchd.devices.felica.readers.pcsc import Connection, Context, NoChip, Taken
from benchd.devices.felica.readers.reader_frames import WRAPPINGS, Channel, parse_tlv
from benchd.devices.felica.readers.reader_models import model_of
from benchd.devices.felica.readers.session import CHIP_LEFT, ReaderSession
from benchd.domain.errors import ReaderFault, ReaderGone

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


SONY = "SONY FeliCa RC-S300/P 00 00"
ACS = "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 00 00"
START, FIELD_ON, FELICA = "FFC2000002810000", "FFC2000002840000", "FFC20002048F02030000"
FIELD_OFF, END = "FFC2000002830000", "FFC2000002820000"
OK = bytes.fromhex("C0030090009000")
FOUND = bytes.fromhex("C003009000 920100 96020000 9714") + ANSWER + b"\x90\x00"


@dataclass
class FakeContext:
    """Stands where pcscd and a reader would: notes what is sent, answers from a script."""

    replies: dict[str, bytes] = field(default_factory=dict)
    found: bytes = FOUND
    chips: list[bool] = field(default_factory=list)
    """Whether each connect finds a chip; all that follow do."""
    sent: list[str] = field(default_factory=list)
    fail: dict[int, Exception] = field(default_factory=dict)
    """What happens at the n-th command instead of an answer."""

    taken: int = 0
    """How many connects find that another program has the reader."""

    def connect(self, reader: str, channel: Channel) -> Connection:
        if self.taken:
            self.taken -= 1
            raise Taken("taken")
        if self.chips and not self.chips.pop(0):
            raise NoChip("none")
        self.sent.append(f"connect {channel}")
        return Connection(1, 2, channel)

    def wait_for_chip(self, reader: str, timeout_s: float) -> None:
        pass

    def call(self, connection: Connection, command: bytes) -> bytes:
        number = len([one for one in self.sent if " " not in one])
        if number in self.fail:
            raise self.fail[number]
        self.sent.append(command.hex().upper())
        if command.startswith(bytes.fromhex("FFC20001")):
            return self.found
        if command.startswith(bytes.fromhex("FF000000")):
            return ANSWER + b"\x90\x00"
        return self.replies.get(command.hex().upper(), OK)

    def disconnect(self, connection: Connection) -> None:
        self.sent.append("let go")


def session(context: FakeContext, reader: str = SONY, *, meant: bool = True) -> ReaderSession:
    return ReaderSession(
        cast("Context", context),
        reader,
        model_of(reader).wrapping,
        calling=lambda _: None,
        is_meant=lambda _context, _connection: meant,
    )


@pytest.mark.parametrize("reader", [SONY, ACS])
def test_another_reader_that_has_got_the_name_is_never_talked_to(reader: str) -> None:
    context = FakeContext()
    with pytest.raises(ReaderGone, match="another reader"):
        session(context, reader, meant=False).exchange(POLL, 0.05)
    assert context.sent[1:] == ["let go"]


def test_a_session_is_begun_once_anew_after_a_power_cycle_and_ended_with_the_field_off() -> None:
    context = FakeContext()
    sony = session(context)
    assert sony.exchange(POLL, 0.05) == ANSWER
    assert sony.exchange(POLL, 0.05) == ANSWER
    sony.power_cycle()
    sony.close()
    frame = "FFC200010F5F460450C30000" + "95060600FFFF0100" + "00"
    begun = ["connect escape", START, FIELD_ON, FELICA]
    again = [FIELD_OFF, "let go", *begun]
    assert context.sent == [*begun, frame, frame, *again, FIELD_OFF, END, "let go"]


def test_the_field_can_be_switched_off_from_the_start() -> None:
    context = FakeContext()
    sony = session(context)
    sony.field_off()
    sony.close()
    assert context.sent[-2:] == [FIELD_OFF, "let go"]


def test_a_program_that_has_just_let_go_of_the_reader_is_waited_for() -> None:
    context = FakeContext(taken=3)
    assert session(context).exchange(POLL, 0.05) == ANSWER
    with pytest.raises(ReaderFault, match="taken"):
        session(FakeContext(taken=10_000)).exchange(POLL, 0.05)


def test_a_reader_that_refuses_felica_is_a_fault_and_a_silent_chip_is_none() -> None:
    sony = session(FakeContext(replies={FELICA: bytes.fromhex("C0030069859000")}))
    with pytest.raises(ReaderFault):
        sony.exchange(POLL, 0.05)
    sony = session(FakeContext(found=bytes.fromhex("C0030064019000")))
    assert [sony.exchange(POLL, 0.05) for _ in range(3)] == [None] * 3, "again and again"


def test_a_reader_without_a_chip_is_silent_until_the_field_was_off() -> None:
    context = FakeContext(chips=[False, False])
    acs = session(context, ACS)
    assert acs.exchange(POLL, 0.05) is None
    # One that is laid down now would be there for half of the look.
    assert acs.exchange(POLL, 0.05) is None
    acs.power_cycle()
    assert acs.exchange(POLL, 0.05) == ANSWER


def test_a_chip_that_leaves_is_a_fault_even_if_it_comes_back() -> None:
    acs = session(FakeContext(fail={1: NoChip("removed")}), ACS)
    assert acs.exchange(POLL, 0.05) == ANSWER
    with pytest.raises(ReaderFault, match=CHIP_LEFT):
        acs.exchange(POLL, 0.05)
    acs = session(FakeContext(chips=[True, False, False]), ACS)
    acs.exchange(POLL, 0.05)
    with pytest.raises(ReaderFault, match=CHIP_LEFT):
        acs.power_cycle()


@pytest.mark.parametrize("failure", [ReaderGone("away"), ReaderFault("broken")])
def test_a_failure_of_the_reader_is_passed_on_and_the_reader_let_go(failure: Exception) -> None:
    context = FakeContext(fail={3: failure})
    sony = session(context)
    with pytest.raises(type(failure)):
        sony.exchange(POLL, 0.05)
    sony.close()
    assert context.sent[-1] == "let go"
    assert context.sent.count("let go") == 1
