"""What screens are told costs once for all of them, and each screen all the same is told all."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest

from benchd.domain.errand import Errand
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.intake import BoundBy
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.texts.catalogue import Catalogue
from benchd.web.event_frames import SAME_MOMENT_S, Frames
from benchd.web.event_stream import PIECE_BYTES, rack_events
from benchd.web.objects import RackObject, WebObject
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.queue_view import QueueDesk, QueueObject
from benchd.web.slot_cache import KeptSlots
from tests.web.served import served_rack
from tests.web.web_fakes import (
    A1,
    JOB,
    FakeRack,
    asking_view,
    bound_record,
    port,
    running_view,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

A2 = SlotName("A2")
SILENT_AFTER_S = 10
"""For how long a page waits for its stream (`stream.js`)."""


@dataclass
class Looks:
    """Shipping check and sale of passed looks; the ledger has no answer on those in `silent`."""

    silent: set[JobId] = field(default_factory=set[JobId])
    head: int = 0
    asked: list[JobId] = field(default_factory=list[JobId])

    async def ready_under(self, look: JobId) -> JobId:
        self.asked.append(look)
        if look in self.silent:
            await anyio.sleep_forever()
        return JOB

    async def refuse_certificate(self, look: JobId, number: JobId) -> None:
        await anyio.lowlevel.checkpoint()


def looked_view(number: int) -> SlotView:
    return replace(
        running_view(),
        slot=SlotName(f"R{number}"),
        port_path=port(number),
        state=SlotState.FINISHED,
        job=JobId(f"look-{number}"),
        outcome=Outcome.PASSED,
        disposition=Disposition.HOLD,
        reason=Reason.RECHECKED,
    )


class Screens:
    """Frames that count how often a slot's object is made, and screens that read them."""

    def __init__(
        self,
        rack: FakeRack,
        catalogue: Catalogue,
        bound: Callable[[JobId], BoundRecord | None] = lambda _: None,
        **parts: object,
    ) -> None:
        self.made = 0
        self.stopping = anyio.Event()
        proofs = Proofs(served_rack(rack, catalogue, **parts))
        self.desk = QueueDesk(rack.board, catalogue, proofs)
        self._board = rack.board
        self._presenter = Presenter(catalogue, bound)
        self.queues_made = 0
        self.kept = KeptSlots(self._presenter, self._slot)
        self.frames = Frames(self._presenter, self.kept, self._queue)

    def _slot(self, view: SlotView) -> WebObject:
        self.made += 1
        return self._presenter.slot(view)

    def _queue(self, errands: tuple[Errand, ...]) -> QueueObject:
        self.queues_made += 1
        return self.desk.shown(errands, sees_all=True)

    def look(self, interval_s: float = 0.1) -> AsyncGenerator[bytes]:
        return rack_events(self._board, self.frames, self.desk, self.stopping, lambda: interval_s)


@pytest.fixture
def screens(rack: FakeRack, catalogue: Catalogue) -> Screens:
    return Screens(rack, catalogue)


def events_in(piece: bytes) -> list[tuple[str, dict[str, Any]]]:
    told: list[tuple[str, dict[str, Any]]] = []
    for block in piece.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            told.append((lines["event"], json.loads(lines["data"])))
    return told


async def test_twenty_screens_take_one_making_of_each_slot_and_a_turn_is_one_piece(
    rack: FakeRack, screens: Screens
) -> None:
    rack.board.show(running_view())
    rack.board.show(asking_view(A2, 2, Gate.NETWORK))
    looks = [screens.look() for _ in range(20)]
    assert [await anext(look) for look in looks] == [b": benchd\nretry: 2000\n\n"] * 20
    first = [await anext(look) for look in looks]
    assert screens.made == 2
    assert first == first[:1] * 20
    told = events_in(first[0])
    assert [event for event, _ in told] == ["slot", "slot", "unknown_ports", "queue", "alive"]
    # Whoever asks for all slots is told what screens are, and takes no making.
    listed = RackObject.model_validate_json(screens.kept.rack(rack.board), strict=True)
    assert screens.made == 2
    slots = [each.model_dump(mode="json") for each in listed.slots]
    assert slots == [slot for event, slot in told if event == "slot"]
    assert (listed.unknown_ports, listed.notices) == ([], [])
    rack.board.show(replace(running_view(), progress=0.5))
    second = [await anext(look) for look in looks]
    assert screens.made == 3
    assert second == second[:1] * 20
    [(event, slot)] = events_in(second[0])
    assert (event, slot["slot"], slot["progress"]) == ("slot", "A1", 0.5)


async def test_screens_that_look_one_after_the_other_have_nothing_made_for_each(
    rack: FakeRack, screens: Screens
) -> None:
    """While a rack changes all the time; each is told its last state all the same."""
    rack.board.show(running_view())
    looks = [screens.look(interval_s=2) for _ in range(20)]
    for look in looks:
        await anext(look)
    for number, look in enumerate(looks):
        rack.board.show(replace(running_view(), progress=number / 100))
        rack.board.show(replace(asking_view(A2, 2, Gate.NETWORK), occupancy=2 + number))
        told = dict(events_in(await anext(look)))
        assert told["queue"]["errands"][0]["occupancy"] == 2
        await anyio.sleep(0.02)
    assert (screens.made, screens.queues_made) == (2, 1)
    last: list[bytes] = []

    async def look_again(look: AsyncGenerator[bytes]) -> None:
        last.append(await anext(look))

    async with anyio.create_task_group() as group:
        for look in looks:
            group.start_soon(look_again, look)
            await anyio.sleep(0.02)
    assert last == last[:1] * 20
    told = events_in(last[0])
    assert told[0][1]["progress"] == 0.19
    assert dict(told)["queue"]["errands"][0]["occupancy"] == 21
    assert (screens.made, screens.queues_made) == (4, 2)


async def test_the_list_of_slots_tells_ports_that_no_slot_has_and_what_is_wrong_with_the_rack(
    rack: FakeRack, screens: Screens
) -> None:
    rack.board.show_unknown_port(PortPath('1-9"'), attached=True)
    rack.board.show_notice(ProblemView(code=ProblemCode.DISK_FULL))
    listed = RackObject.model_validate_json(screens.kept.rack(rack.board), strict=True)
    assert [port.port_path for port in listed.unknown_ports] == ['1-9"']
    assert [notice.code for notice in listed.notices] == [ProblemCode.DISK_FULL]


async def test_a_rack_of_many_slots_comes_in_pieces_that_a_slow_screen_can_hold_back(
    rack: FakeRack, screens: Screens
) -> None:
    for number in range(256):
        rack.board.show(replace(running_view(), slot=SlotName(f"S{number}")))
    look = screens.look()
    pieces = [await anext(look)]
    while "alive" not in {event for event, _ in events_in(pieces[-1])}:
        pieces.append(await anext(look))
    assert len(pieces) > 2
    assert max(map(len, pieces)) < 2 * PIECE_BYTES
    told = [one for piece in pieces for one in events_in(piece)]
    shown = [slot["slot"] for event, slot in told if event == "slot"]
    assert shown == [f"S{number}" for number in range(256)]


async def test_a_slot_that_comes_or_goes_is_on_a_screen_at_once(
    rack: FakeRack, screens: Screens
) -> None:
    """A page lays its tiles by what `alive` says there is."""
    rack.board.show(running_view())
    look = screens.look()
    for _ in range(2):
        await anext(look)
    rack.board.show(replace(running_view(), slot=A2))
    told = events_in(await anext(look))
    assert [event for event, _ in told] == ["slot", "alive"]
    assert told[1][1] == {"slots": ["A1", "A2"]}
    rack.board.arrange([A2])
    assert events_in(await anext(look)) == [("alive", {"slots": ["A2"]})]


async def test_an_asset_that_is_bound_later_is_in_what_a_new_screen_sees(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    bound: dict[JobId, BoundRecord] = {}
    rack.board.show(running_view())
    screens = Screens(rack, catalogue, bound.get)
    earlier = screens.frames.slot(rack.board.views()[A1])
    bound[JOB] = bound_record("L-1", "T-7", BoundBy.IMEI)
    later = screens.frames.slot(rack.board.views()[A1])
    assert events_in(earlier)[0][1]["asset"] is None
    [(_, slot)] = events_in(later)
    assert slot["asset"]["tag"] == "T-7"


async def test_the_queue_is_made_anew_for_a_change_and_told_anew_for_a_later_moment(
    rack: FakeRack, screens: Screens
) -> None:
    assert await screens.desk.errands() == ()
    rack.board.show(asking_view(A2, 2, Gate.NETWORK))
    [errand] = errands = await screens.desk.errands()
    assert errand.slot == A2
    assert await screens.desk.errands() is errands
    frame = screens.frames.queue(errands)
    assert screens.frames.queue(errands) is frame
    await anyio.sleep(SAME_MOMENT_S)
    assert screens.frames.queue(errands) is not frame


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def at_looks(rack: FakeRack, catalogue: Catalogue, looks: Looks) -> Screens:
    return Screens(rack, catalogue, shipping=looks, disposal=looks)


async def test_no_screen_goes_silent_while_sixty_passed_looks_wait_for_the_read_model(
    rack: FakeRack, looks: Looks, at_looks: Screens
) -> None:
    for number in range(60):
        rack.board.show(looked_view(number))
        looks.silent.add(JobId(f"look-{number}"))
    screen = at_looks.look()
    await anext(screen)
    for _ in range(3):
        began = anyio.current_time()
        while "alive" not in {event for event, _ in events_in(await anext(screen))}:
            pass
        assert anyio.current_time() - began < SILENT_AFTER_S


async def test_a_look_that_gets_no_answer_keeps_none_of_the_others_from_theirs(
    rack: FakeRack, looks: Looks, at_looks: Screens
) -> None:
    for number in range(3):
        rack.board.show(looked_view(number))
    looks.silent = {JobId("look-0")}
    await at_looks.desk.errands()
    errands = await at_looks.desk.errands()
    goes = {errand.slot: errand.goes for errand in errands}
    assert goes == {"R0": "hold", "R1": "sellable", "R2": "sellable"}


async def test_a_passed_look_is_asked_about_anew_with_the_next_record_and_not_before(
    rack: FakeRack, looks: Looks, at_looks: Screens
) -> None:
    rack.board.show(looked_view(1))
    errands = await at_looks.desk.errands()
    assert await at_looks.desk.errands() is errands
    rack.board.show(running_view())
    await at_looks.desk.errands()
    assert looks.asked == ["look-1"]
    looks.head += 1
    await at_looks.desk.errands()
    assert looks.asked == ["look-1"] * 2


class GrowingLooks(Looks):
    """Each answer takes a while, in which the ledger grows."""

    async def ready_under(self, look: JobId) -> JobId:
        certified = await super().ready_under(look)
        await anyio.sleep(1)
        self.head += 1
        return certified


async def test_however_many_ask_about_a_look_while_the_ledger_grows_it_is_asked_twice(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    growing = GrowingLooks()
    proofs = Proofs(served_rack(rack, catalogue, shipping=growing, disposal=growing))
    rack.board.show(looked_view(1))
    view = rack.board.views()[SlotName("R1")]
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(proofs.proven, view)
    assert growing.asked == ["look-1"] * 2
