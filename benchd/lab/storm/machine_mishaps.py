"""What goes wrong with the machine under the daemon, and puts itself right again."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import apsw

from benchd.config import Settings
from benchd.domain.sql_statements import query
from benchd.lab.storm.descriptors import ENOUGH_DESCRIPTORS
from benchd.lab.storm.machine import ENOUGH, NONE_LEFT, Machine
from benchd.lab.storm.storm_folder import House
from benchd.lab.storm.storm_rack import StormRack
from benchd.lab.storm.storm_schedule import Kind, Strike

LOOKS_S: Final = 5.0
"""How often the daemon looks at the clock."""


class Mishaps:
    """The machine's own troubles."""

    def __init__(self, rack: StormRack, machine: Machine, house: House) -> None:
        self._rack = rack
        self._machine = machine
        self._house = house
        self.set_back_s = 0.0
        """By how much the clock was set back, as far as the daemon has had time to see it."""
        self._do: dict[Kind, Callable[[Strike], Awaitable[None]]] = {
            Kind.RELOAD: self._reload,
            Kind.BAD_RELOAD: self._reload_badly,
            Kind.LOCK: self._lock,
            Kind.SLOW_DISK: self._read_slowly,
            Kind.FULL_DISK: self._fill_disk,
            Kind.DESCRIPTORS: self._take_descriptors,
            Kind.CLOCK: self._set_clock,
            Kind.CLOCK_CREEPS: self._creep,
        }

    def does(self, kind: Kind) -> bool:
        """Whether it's one of these."""
        return kind in self._do

    async def happen(self, strike: Strike) -> None:
        """One of them, until it's over."""
        await self._do[strike.kind](strike)

    async def _reload(self, strike: Strike) -> None:
        for _ in range(strike.count):
            self._machine.loop.deliver(signal.SIGHUP)
            await anyio.sleep(0.01)

    async def _reload_badly(self, strike: Strike) -> None:
        del strike
        good = self._rack.reread

        def raises() -> Settings:
            raise RuntimeError("a plug-in's factory")

        self._rack.reread = raises
        self._machine.loop.deliver(signal.SIGHUP)
        await anyio.sleep(LOOKS_S)
        self._rack.reread = good

    async def _lock(self, strike: Strike) -> None:
        other = apsw.Connection(str(self._house.settings.ledger.path))
        try:
            for _ in range(100):
                try:
                    list(query(other, "BEGIN IMMEDIATE"))
                except apsw.BusyError:
                    await anyio.sleep(0.01)
                else:
                    await anyio.sleep(strike.lasts_s)
                    list(query(other, "ROLLBACK"))
                    return
        finally:
            other.close()

    async def _read_slowly(self, strike: Strike) -> None:
        self._machine.read_s = strike.much
        await anyio.sleep(strike.lasts_s)
        self._machine.read_s = 0.0

    async def _fill_disk(self, strike: Strike) -> None:
        self._machine.room = NONE_LEFT
        await anyio.sleep(strike.lasts_s)
        self._machine.room = ENOUGH

    async def _take_descriptors(self, strike: Strike) -> None:
        loop = self._machine.loop
        loop.descriptors = loop.open_connections
        await anyio.sleep(strike.lasts_s)
        loop.descriptors = ENOUGH_DESCRIPTORS

    async def _set_clock(self, strike: Strike) -> None:
        self._machine.chance.behind_s += strike.much
        await anyio.sleep(2 * LOOKS_S)
        self.set_back_s += strike.much

    async def _creep(self, strike: Strike) -> None:
        for _ in range(strike.count):
            self._machine.chance.behind_s += strike.much
            await anyio.sleep(LOOKS_S)
        await anyio.sleep(LOOKS_S)
        self.set_back_s += strike.count * strike.much
