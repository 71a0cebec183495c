"""A walk along the rack with events by hand, in no time at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio
import pytest

from benchd.cli.learning.lesson import CardsChanged, Heard, Known, Lesson, Typed
from benchd.cli.learning.new_plugs import NewPlugs
from benchd.config.slot_config_edit import SlotEntry
from benchd.devices.felica.readers.card_readers import CardSeen, CardsSeen
from benchd.devices.felica.readers.reader_assignment import ReaderAt, meant_by, wish_for
from benchd.domain.ids import ANDROID, DeviceAddress, PortPath, SlotName
from benchd.domain.port import Attached, Detached

pytestmark = [pytest.mark.asyncio]

A1, A2, B1 = SlotName("A1"), SlotName("A2"), SlotName("B1")
ENTER = Typed("")
NOTHING = Known(ports={}, readers={})


@dataclass(frozen=True)
class Wait:
    """So much time passes."""

    seconds: float


@dataclass(frozen=True)
class Lay:
    """From now on cards lie, or don't, on the readers of the first service, which says so."""

    readers: tuple[CardSeen, ...]


Step = Heard | Wait | Lay


def plug(port: str, *, interfaces: str = "ff4201") -> Attached:
    return Attached(
        port_path=PortPath(port),
        kind=ANDROID,
        address=DeviceAddress("usb:1-1"),
        attachment=port,
        interfaces=frozenset({interfaces}),
        at_s=0.0,
    )


def unplug(port: str) -> Detached:
    return Detached(port_path=PortPath(port), at_s=0.0)


def reader(name: str, port: str | None = None, *, card: bool = False) -> CardSeen:
    return CardSeen(name=name, usb_port=port, card=card)


def lay(*readers: CardSeen) -> Lay:
    return Lay(readers)


R, S, T = reader("R 00 00"), reader("S 01 00"), reader("T 02 00", "1-9")
R_CARD, S_CARD = reader("R 00 00", card=True), reader("S 01 00", card=True)
T_CARD = reader("T 02 00", "1-9", card=True)


class Rack:
    """What happens, step by step."""

    def __init__(self, *readers: CardSeen, known: Known = NOTHING) -> None:
        self.now = 100.0
        self.cards = CardsSeen(readers=readers)
        self.known = known
        self.said: list[str] = []
        self._steps: list[Step] = []

    def say(self, key: str, **facts: str) -> None:
        self.said.append(key)

    async def _hear(self) -> Heard:
        while self._steps:
            match self._steps.pop(0):
                case Wait(seconds):
                    self.now += seconds
                case Lay(readers):
                    self.cards = CardsSeen(readers=readers)
                    return CardsChanged()
                case heard:
                    return heard
        raise EOFError

    async def walk(
        self, *steps: Step, slots: Sequence[SlotName] = (A1, A2)
    ) -> Mapping[SlotName, SlotEntry]:
        self._steps = list(steps)
        lesson = Lesson(
            known=self.known,
            plugs=NewPlugs(lambda: self.now, return_s=3.0),
            hear=self._hear,
            cards=lambda: [self.cards],
            say=self.say,
        )
        with anyio.fail_after(30):
            return await lesson.learn(slots)


async def test_a_port_per_slot_where_there_are_no_readers() -> None:
    rack = Rack()
    learned = await rack.walk(ENTER, plug("p1"), plug("p2"))
    assert learned == {A1: SlotEntry(port=PortPath("p1")), A2: SlotEntry(port=PortPath("p2"))}
    assert "learn.no_readers" in rack.said
    assert "learn.lay" not in rack.said


async def test_what_was_there_or_comes_back_at_once_is_no_plug() -> None:
    rack = Rack()
    learned = await rack.walk(
        plug("old"),
        ENTER,
        plug("old"),  # more of its interfaces
        unplug("old"),
        Wait(1),
        plug("old"),  # in another mode
        plug("p1"),
        unplug("p1"),
        Wait(1),
        plug("p1"),  # the first slot's handset changes its mode
        unplug("old"),
        Wait(4),
        plug("old"),
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1")), A2: SlotEntry(port=PortPath("old"))}
    assert rack.said.count("learn.still_there") == 1
    assert rack.said.count("learn.too_soon") == 1
    assert "learn.port_taken" not in rack.said


async def test_another_slots_port_is_refused_and_a_card_reader_is_no_handset() -> None:
    rack = Rack(known=Known(ports={PortPath("b1"): B1}, readers={}))
    learned = await rack.walk(
        ENTER,
        plug("b1"),
        plug("r", interfaces="0b0000"),
        plug("p1"),
        unplug("p1"),
        Wait(5),
        plug("p1"),
        ENTER,
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1"))}
    assert rack.said.count("learn.port_taken") == 2
    assert rack.said[-1] == "learn.skipped"


async def test_a_reader_per_slot_by_its_usb_port_before_its_name() -> None:
    one, two = reader("R 00 00", "1-1"), reader("Q 01 00")
    learned = await Rack(one, two).walk(
        ENTER,
        plug("p1"),
        lay(reader("R 00 00", "1-1", card=True), two),
        plug("p2"),
        lay(one, reader("Q 01 00", card=True)),
        ENTER,
    )
    assert learned == {
        A1: SlotEntry(port=PortPath("p1"), reader="usb:1-1"),
        A2: SlotEntry(port=PortPath("p2"), reader="Q"),
    }


P1 = plug("p1")
EXCHANGED = (
    # A card was laid on this one, and the handset on the slot's cable lies on the next.
    *(P1, lay(R_CARD, S), lay(R_CARD, S_CARD)),
    lay(R_CARD, S),  # NFC off on the handset of this slot
    *(lay(R, S), lay(R, S_CARD), lay(R, S)),
)


@pytest.mark.parametrize(
    ("readers", "steps", "learned", "said", "last"),
    [
        pytest.param(
            (R,), (lay(R_CARD), P1, ENTER), "R", {}, None, id="laid down as it is plugged in"
        ),
        pytest.param(
            (R_CARD,),
            (P1, CardsChanged(), lay(R), lay(R_CARD), ENTER),
            *("R", {}, None),
            id="a card that lay there before shows nothing until it is laid anew",
        ),
        pytest.param(
            (R, S, T),
            (
                P1,
                lay(R, S, T_CARD),
                CardsChanged(),
                lay(R, S_CARD, T_CARD),
                lay(R, S_CARD, T),
                ENTER,
            ),
            *("S", {"learn.reader_taken": 1, "learn.several_readers": 1}, None),
            id="two cards at once and another slot's reader are refused",
        ),
        pytest.param(
            (R,),
            (P1, lay(R_CARD), lay(R)),  # its NFC is switched off
            *("R", {}, "learn.reader_tested"),
            id="row 5: tested by the handset on the slot's cable",
        ),
        pytest.param(
            (R, S),
            EXCHANGED,
            *("S", {"learn.reader_exchanged": 1}, "learn.reader_tested"),
            id="row 5: a reader that another falls silent for is not learned",
        ),
        pytest.param(
            (R, reader("R 01 00")),
            (P1, lay(R_CARD, reader("R 01 00")), ENTER),
            *(None, {"learn.reader_nameless": 1}, None),
            id="readers that can't be told apart are never written down",
        ),
    ],
)
async def test_the_reader_of_a_slot(
    readers: Sequence[CardSeen],
    steps: Sequence[Step],
    learned: str | None,
    said: Mapping[str, int],
    last: str | None,
) -> None:
    rack = Rack(*readers, known=Known(ports={}, readers={B1: "usb:1-9"}))
    found = await rack.walk(ENTER, *steps, slots=[A1])
    assert found == {A1: SlotEntry(port=PortPath("p1"), reader=learned)}
    assert {key: rack.said.count(key) for key in said} == said
    assert last in {None, rack.said[-1]}


async def test_row_5_a_plug_at_the_next_slot_ends_the_test_and_counts() -> None:
    learned = await Rack(R).walk(ENTER, P1, lay(R_CARD), unplug("p1"), plug("p2"), ENTER)
    assert learned == {
        A1: SlotEntry(port=PortPath("p1"), reader="R"),
        A2: SlotEntry(port=PortPath("p2")),
    }


async def test_all_skipped_is_nothing_learned() -> None:
    assert await Rack(R).walk(ENTER, ENTER, ENTER, ENTER, ENTER) == {}


async def test_readers_of_two_services_have_entries_that_mean_one_only() -> None:
    listed = (
        (reader("R 00 00", "1-1"), reader("R 01 00", "1-2")),
        (R, reader("Same 01 00"), reader("Two 02 00"), reader("Two 02 01")),
        (reader("Same 00 00"),),
    )
    assert wish_for(ReaderAt(0, "R 00 00"), listed) == "usb:1-1"
    # The first service can't tell by name which of its two is meant, the second has one.
    assert wish_for(ReaderAt(1, "R 00 00"), listed) == "R"
    assert wish_for(ReaderAt(1, "Same 01 00"), listed) is None
    assert wish_for(ReaderAt(1, "Two 02 01"), listed) == "Two 02 01"
    assert wish_for(ReaderAt(2, "Gone"), listed) is None
    for place, seen in enumerate(listed):
        for one in seen:
            wish = wish_for(ReaderAt(place, one.name), listed)
            assert wish is None or meant_by(wish, listed) == ReaderAt(place, one.name)
