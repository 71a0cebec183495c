"""A session with an RC-S300, which no virtual reader can stand in for.

Its answers are constructed from the documents named in wrapping.py, not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from benchd.devices.felica.readers.pcsc import Connection, Context, NoChip, Taken
from benchd.devices.felica.readers.reader_models import model_of
from benchd.devices.felica.readers.session import CHIP_LEFT, ReaderSession
from benchd.devices.felica.readers.wrapping import Channel
from benchd.domain.errors import ReaderFault, ReaderGone

SONY = "SONY FeliCa RC-S300/P 00 00"
ACS = "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 00 00"
POLL = bytes.fromhex("0600FFFF0100")
ANSWER = bytes.fromhex("14010140B75803955EDD01188B868FBECBFFFE00")
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
