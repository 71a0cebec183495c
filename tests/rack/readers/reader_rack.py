"""A virtual rack of chips, and the access that looks at them from the daemon's side."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.devices.felica.providers import ClearProvider, ClearRule
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.chip import ChipScan
from benchd.domain.ids import SlotName
from benchd.lab.simulator.chips.chip_hands import ChipHands, ChipState
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.virtual_house import RackHouse

SALT = bytes(range(32))
DEADLINE_S = 60.0


def chip(slot: int, plan: ChipPlan) -> CardPlan:
    return CardPlan(name=f"card-{slot}", slot=slot, chip=plan)


def card(slot: int, profile: str = "in_use", *, silent: bool = False) -> CardPlan:
    return chip(slot, ChipPlan(profile=profile, silent=silent))


def slot_name(number: int) -> SlotName:
    return SlotName(f"S{number}")


@dataclass(kw_only=True)
class ReaderRack:
    house: RackHouse
    chips: ChipHands
    access: PcscChipAccess

    async def scan(self, slot: int, *, passes: int = 2, power_cycle: bool = True) -> ChipScan:
        with anyio.fail_after(DEADLINE_S):
            return await self.access.scan(slot_name(slot), passes=passes, power_cycle=power_cycle)

    async def until_there(self, *slots: int) -> None:
        with anyio.fail_after(DEADLINE_S):
            for slot in slots:
                await self.access.until_there(slot_name(slot))

    async def until_gone(self, slot: int) -> None:
        await until(lambda: slot_name(slot) not in self.access.readers_up())

    async def truth(self, slot: int) -> ChipState:
        return await self.chips.state(f"card-{slot}")

    async def until_exchanging(self, slot: int) -> None:
        """Nobody announces that a reader has handed a frame through."""
        before = (await self.truth(slot)).exchanges
        with anyio.fail_after(DEADLINE_S):
            while (await self.truth(slot)).exchanges == before:  # noqa: ASYNC110
                await anyio.sleep(0.01)

    def worker_pid(self, number: int = 0) -> int:
        pid = self.access._workers[number].pid
        assert pid is not None
        return pid


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    with anyio.fail_after(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.02)


@asynccontextmanager
async def reader_rack(
    *cards: CardPlan,
    readers: int = 2,
    providers: Mapping[str, Callable[[], ClearProvider]] | None = None,
    wishes: Mapping[SlotName, str] | None = None,
    baselines: Sequence[Path] = (),
) -> AsyncGenerator[ReaderRack, None]:
    plan = RackPlan(handsets=(), readers=readers, cards=cards)
    async with RackHouse(plan) as house, RackHands.connect(house.control_socket) as hands:
        settings = FelicaSettings(
            readers=wishes or {slot_name(slot): at.name for slot, at in house.readers.items()},
            pcscd=tuple(dict.fromkeys(at.socket for at in house.readers.values())),
            providers=providers or {},
            baselines=tuple(baselines),
            rules=tuple(ClearRule(provider=name) for name in providers or {}),
        )
        access = PcscChipAccess(settings, salt=SALT, clock=time.monotonic)
        async with anyio.create_task_group() as tasks:
            await tasks.start(access.run)
            rack = ReaderRack(house=house, chips=hands.chips, access=access)
            if wishes is None:
                await rack.until_there(*house.readers)
            try:
                yield rack
            finally:
                tasks.cancel_scope.cancel()
