"""The demo's rack: virtual handsets in named slots, and the daemon that looks after them."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchd.domain.errors import DependencyMissing
from benchd.lab.demo.crew import enrol
from benchd.lab.demo.demo_folder import (
    LEARNERS_DEADLINE_S,
    STAGE_DEADLINE_S,
    DemoFolder,
    DemoSlot,
    make_folder,
)
from benchd.lab.demo.demo_operators import LOOK_EVERY_S, Operators
from benchd.lab.demo.rack_daemon import RackDaemon
from benchd.lab.simulator.chips.chip_plan import CardPlan
from benchd.lab.simulator.hands import RackHands, Screen
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.scenarios import Scenario
from benchd.lab.simulator.virtual_house import RackHouse

SLOTS_IN_A_ROW = 8
RECHECK_SLOT = "R1"
RECHECK = "recheck"
"""The recipe by which a certified handset is looked at once more before it goes out."""
LOOK_PER_SLOT_S = 0.02
"""More slots take longer to be told of, and to be looked at by two people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A scenario's handset in its slot."""

    slot: str
    number: int
    scenario: Scenario


def place(scenarios: Sequence[Scenario]) -> list[Placed]:
    """Slots A1 to A8, B1 to B8 and so on, as shelves are labelled."""
    return [
        Placed(
            slot=f"{chr(ord('A') + index // SLOTS_IN_A_ROW)}{index % SLOTS_IN_A_ROW + 1}",
            number=index + 1,
            scenario=scenario,
        )
        for index, scenario in enumerate(scenarios)
    ]


class SlotHands:
    """The operators' hands by slot: in this rack a handset is called after its slot."""

    def __init__(self, hands: RackHands) -> None:
        self._hands = hands

    async def reset_by_hand(self, slot: str) -> None:
        """Reset what is in the slot from its settings."""
        await self._hands.reset_by_hand(slot)

    async def enable_adb(self, slot: str) -> None:
        """Switch USB debugging on, on the handset's own screen."""
        await self._hands.enable_adb(slot)

    async def screen(self, slot: str) -> Screen:
        """Type *#06# and read what the handset's own screen shows."""
        return await self._hands.screen(slot)

    async def allow_adb(self, slot: str) -> None:
        """Allow this computer, on the handset's own screen."""
        await self._hands.allow_adb(slot)


class DemoRack(RackDaemon):
    """A running virtual rack; the daemon on it may be started and killed at will."""

    def __init__(
        self,
        *,
        house: RackHouse,
        folder: DemoFolder,
        placed: Sequence[Placed],
        hands: RackHands,
        by_hand: bool,
    ) -> None:
        """With `by_hand` its wall has a panel that plugs handsets in and takes them out."""
        super().__init__(folder)
        self.by_hand = by_hand
        self.house = house
        self.placed = tuple(placed)
        self.hands = hands

    async def start_daemon(self, listener: socket.socket | None = None) -> None:
        """Start the daemon and wait until its API answers; a listening socket is handed over."""
        # A hang-up only makes it read its configuration anew, so it is told of its parent's end.
        inner = ["setpriv", "--pdeathsig", "TERM"]
        inner += [sys.executable, "-m", "benchd.lab.demo.demo_daemon"]
        inner += [str(self.folder.config), str(self.house.plug_socket)]
        descriptors = () if listener is None else (listener.fileno(),)
        inner += [f"--listener={descriptor}" for descriptor in descriptors]
        if self.by_hand:
            inner.append(f"--hands={self.house.control_socket}")
        await self.begin(self.house.command(*inner), descriptors=descriptors)

    def operators(self, *, resets_without_a_word: bool = False) -> Operators:
        """The people of this rack; what the port tells of a reset they needn't say too."""
        return Operators(
            watch=self.watch,
            hands=SlotHands(self.hands),
            answers={placed.slot: placed.scenario.answers for placed in self.placed},
            resets_without_a_word=resets_without_a_word,
            look_every_s=max(LOOK_EVERY_S, LOOK_PER_SLOT_S * len(self.placed)),
        )


@asynccontextmanager
async def demo_rack(
    directory: Path,
    scenarios: Sequence[Scenario],
    *,
    port: int,
    make_way: bool = False,
    plugged: bool = True,
    by_hand: bool = False,
    cards: Sequence[CardPlan] = (),
    copies: Sequence[int] = (),
) -> AsyncGenerator[DemoRack, None]:
    """A virtual rack with these handsets, `plugged` in or beside it; nothing is left of it.

    `cards` are chips without a handset, as of one that is never switched on. With `make_way` the
    handsets, though not the daemon, run only when nobody else wants to. With `by_hand` it waits
    for a person who is learning, and its wall has their hands; a slot more, in which nothing is,
    looks at what they have erased once more before they send it out. Each has the numbers of
    its place, or of the copy that stands for it in `copies`.
    """
    placed = place(scenarios)
    numbers = {p.slot: p.number for p in placed} | (
        {RECHECK_SLOT: len(placed) + 1} if by_hand else {}
    )
    plan = RackPlan(
        handsets=tuple(
            p.scenario.handset(
                name=p.slot,
                slot=p.number if plugged else None,
                copy=copies[p.number - 1] if copies else p.number,
            )
            for p in placed
        ),
        readers=len(numbers),
        cards=tuple(cards),
    )
    async with (
        RackHouse(plan, makes_way=make_way) as house,
        RackHands.connect(house.control_socket) as hands,
    ):
        slots = [
            DemoSlot(
                name=name,
                number=number,
                reader=house.readers[number],
                recipe=RECHECK if name == RECHECK_SLOT else None,
            )
            for name, number in numbers.items()
        ]
        folder = make_folder(
            directory,
            slots,
            port=port,
            control_socket=house.control_socket,
            adb_socket=house.adb_socket,
            deadline_s=LEARNERS_DEADLINE_S if by_hand else STAGE_DEADLINE_S,
        )
        await enrol(folder.config)
        rack = DemoRack(house=house, folder=folder, placed=placed, hands=hands, by_hand=by_hand)
        try:
            yield rack
        finally:
            with anyio.CancelScope(shield=True):
                await rack.stop_daemon()
                await rack.watch.aclose()


def loopback_listener(port: int) -> socket.socket:
    """A listening socket on this machine's loopback, outside of the rack's own network."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        message = f"port {port} on 127.0.0.1 is taken ({error.strerror})"
        raise DependencyMissing(message, cure="Take another one: --port NUMBER") from error
    listener.listen()
    return listener
