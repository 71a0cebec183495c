"""A walk along the rack with events by hand, in no time at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio
import pytest

from benchd.cli.learning.lesson import CardsChanged, Heard, Known, Lesson, Typed
from benchd.cli.learning.new_plugs import NewPlugs
from benchd.config.slot_tables import SlotEntry
from benchd.devices.felica.readers.card_readers import CardSeen, CardsSeen
from benchd.devices.felica.readers.reader_assignment import ReaderAt, meant_by, wish_for
from benchd.domain.ids import ANDROID, DeviceAddress, PortPath, SlotName
from benchd.domain.port import Attached, Detached

pytestmark = [pytest.mark.asyncio]

A1, A2 = SlotName("A1"), SlotName("A2")
ENTER = Typed("")
Step = Heard | Callable[[], None]


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


class Rack:
    """What happens, step by step; a step may also change which cards lie where."""

    def __init__(self, *pcscds: Sequence[CardSeen], known: Known | None = None) -> None:
        self.now = 100.0
        self.pcscds = [CardsSeen(readers=tuple(readers)) for readers in pcscds]
        self.known = known or Known(ports={}, readers={})
        self.said: list[str] = []
        self._steps: list[Step] = []

    def say(self, key: str, **facts: str) -> None:
        self.said.append(key)

    def wait(self, seconds: float) -> Callable[[], None]:
        def later() -> None:
            self.now += seconds

        return later

    def lay(self, *readers: CardSeen, pcscd: int = 0) -> Callable[[], None]:
        def change() -> None:
            self.pcscds[pcscd] = CardsSeen(readers=readers)

        return change

    async def _hear(self) -> Heard:
        while True:
            if not self._steps:
                raise EOFError
            step = self._steps.pop(0)
            if not callable(step):
                return step
            step()

    async def walk(self, *steps: Step, slots: Sequence[SlotName] = (A1, A2)) -> dict:
        self._steps = list(steps)
        lesson = Lesson(
            known=self.known,
            plugs=NewPlugs(lambda: self.now, return_s=3.0),
            hear=self._hear,
            cards=lambda: self.pcscds,
            say=self.say,
        )
        with anyio.fail_after(30):
            return await lesson.learn(slots)


async def test_a_port_per_slot_where_there_are_no_readers() -> None:
    rack = Rack(())
    learned = await rack.walk(ENTER, plug("p1"), plug("p2"))
    assert learned == {A1: SlotEntry(port=PortPath("p1")), A2: SlotEntry(port=PortPath("p2"))}
    assert "learn.no_readers" in rack.said
    assert "learn.lay" not in rack.said


async def test_what_was_there_or_comes_back_at_once_is_no_plug() -> None:
    rack = Rack(())
    learned = await rack.walk(
        plug("old"),
        ENTER,
        plug("old"),  # more of its interfaces
        unplug("old"),
        rack.wait(1),
        plug("old"),  # in another mode
        plug("p1"),
        unplug("p1"),
        rack.wait(1),
        plug("p1"),  # the first slot's handset changes its mode
        unplug("old"),
        rack.wait(4),
        plug("old"),
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1")), A2: SlotEntry(port=PortPath("old"))}
    assert rack.said.count("learn.still_there") == 1
    assert rack.said.count("learn.too_soon") == 1
    assert "learn.port_taken" not in rack.said


async def test_another_slots_port_is_refused_and_a_card_reader_is_no_handset() -> None:
    rack = Rack((), known=Known(ports={PortPath("b1"): SlotName("B1")}, readers={}))
    learned = await rack.walk(
        ENTER,
        plug("b1"),
        plug("r", interfaces="0b0000"),
        plug("p1"),
        unplug("p1"),
        rack.wait(5),
        plug("p1"),
        ENTER,
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1"))}
    assert rack.said.count("learn.port_taken") == 2
    assert rack.said[-1] == "learn.skipped"


async def test_a_reader_per_slot_by_its_usb_port_before_its_name() -> None:
    one, two = reader("R 00 00", "1-1"), reader("Q 01 00")
    rack = Rack((one, two))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(reader("R 00 00", "1-1", card=True), two),
        CardsChanged(),
        plug("p2"),
        rack.lay(one, reader("Q 01 00", card=True)),
        CardsChanged(),
        ENTER,
    )
    assert learned == {
        A1: SlotEntry(port=PortPath("p1"), reader="usb:1-1"),
        A2: SlotEntry(port=PortPath("p2"), reader="Q"),
    }


async def test_a_handset_that_lies_down_as_it_is_plugged_in_is_enough() -> None:
    rack = Rack((reader("R 00 00"),))
    learned = await rack.walk(
        ENTER, rack.lay(reader("R 00 00", card=True)), CardsChanged(), plug("p1"), ENTER, slots=[A1]
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1"), reader="R")}


async def test_a_card_that_lay_there_before_shows_nothing_until_it_is_laid_anew() -> None:
    rack = Rack((reader("R 00 00", card=True),))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        CardsChanged(),
        rack.lay(reader("R 00 00")),
        CardsChanged(),
        rack.lay(reader("R 00 00", card=True)),
        CardsChanged(),
        ENTER,
        slots=[A1],
    )
    assert learned[A1].reader == "R"


async def test_two_cards_at_once_and_another_slots_reader_are_refused() -> None:
    known = Known(ports={}, readers={SlotName("B1"): "usb:1-9"})
    one, two, nine = reader("R 00 00"), reader("S 01 00"), reader("T 02 00", "1-9")
    laid_nine = reader("T 02 00", "1-9", card=True)
    rack = Rack((one, two, nine), known=known)
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(one, two, laid_nine),
        CardsChanged(),
        CardsChanged(),
        rack.lay(one, reader("S 01 00", card=True), laid_nine),
        CardsChanged(),
        rack.lay(one, reader("S 01 00", card=True), nine),
        CardsChanged(),
        ENTER,
        slots=[A1],
    )
    assert learned[A1].reader == "S"
    assert rack.said.count("learn.reader_taken") == 1
    assert rack.said.count("learn.several_readers") == 1


async def test_row_5_the_reader_is_tested_by_the_handset_on_the_slot_s_cable() -> None:
    silent, there = reader("R 00 00"), reader("R 00 00", card=True)
    rack = Rack((silent,))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(there),
        CardsChanged(),
        rack.lay(silent),  # its NFC is switched off
        CardsChanged(),
        slots=[A1],
    )
    assert learned[A1].reader == "R"
    assert rack.said[-1] == "learn.reader_tested"


async def test_row_5_a_reader_that_another_falls_silent_for_is_not_learned() -> None:
    """A card was laid on this one, and the handset on the slot's cable lies on the next."""
    one, two = reader("R 00 00"), reader("S 01 00")
    card, handset = reader("R 00 00", card=True), reader("S 01 00", card=True)
    rack = Rack((one, two))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(card, two),
        CardsChanged(),
        rack.lay(card, handset),
        CardsChanged(),
        rack.lay(card, two),  # NFC off on the handset of this slot
        CardsChanged(),
        rack.lay(one, two),
        CardsChanged(),
        rack.lay(one, handset),
        CardsChanged(),
        rack.lay(one, two),
        CardsChanged(),
        slots=[A1],
    )
    assert learned[A1].reader == "S"
    assert rack.said.count("learn.reader_exchanged") == 1
    assert rack.said[-1] == "learn.reader_tested"


async def test_row_5_a_plug_at_the_next_slot_ends_the_test_and_counts() -> None:
    rack = Rack((reader("R 00 00"),))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(reader("R 00 00", card=True)),
        CardsChanged(),
        unplug("p1"),
        plug("p2"),
        ENTER,
    )
    assert learned == {
        A1: SlotEntry(port=PortPath("p1"), reader="R"),
        A2: SlotEntry(port=PortPath("p2")),
    }


async def test_readers_that_cannot_be_told_apart_are_never_written_down() -> None:
    rack = Rack((reader("R 00 00"), reader("R 01 00")))
    learned = await rack.walk(
        ENTER,
        plug("p1"),
        rack.lay(reader("R 00 00", card=True), reader("R 01 00")),
        CardsChanged(),
        ENTER,
        slots=[A1],
    )
    assert learned == {A1: SlotEntry(port=PortPath("p1"))}
    assert "learn.reader_nameless" in rack.said


async def test_all_skipped_is_nothing_learned() -> None:
    rack = Rack((reader("R 00 00"),))
    assert await rack.walk(ENTER, ENTER, ENTER, ENTER, ENTER) == {}


async def test_readers_of_two_services_have_entries_that_mean_one_only() -> None:
    listed = (
        (reader("R 00 00", "1-1"), reader("R 01 00", "1-2")),
        (reader("R 00 00"), reader("Same 01 00"), reader("Two 02 00"), reader("Two 02 01")),
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
