"""The machine around the daemon: each place at which benchd takes hold of one is replaced here."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import patch

import anyio
from anyio import CancelScope, CapacityLimiter, to_thread

from benchd.daemon.disk_space import DiskSpace
from benchd.domain.errors import ReadCutShort
from benchd.lab.adversity.chance import Chance
from benchd.lab.storm.loop import StormLoop
from benchd.lab.storm.threads import Threads, VirtualThread
from benchd.ledger.reader import LedgerReader
from benchd.papers.press import Press
from benchd.people.person_secrets import Argon2Cost, Secrets
from benchd.texts.catalogue import Catalogue

T = TypeVar("T")

ENOUGH: DiskSpace = DiskSpace(1 << 40, None)
NONE_LEFT: DiskSpace = DiskSpace(0, None)
PIN_S = 0.2
"""What comparing a PIN costs on a rack's PC; here it is waited for, not computed."""
CHEAP = Argon2Cost(iterations=1, memory_kib=8)
SLICE_S = 0.05
MAY_WAIT = frozenset(
    {
        *("is_pin", "is_pin_patiently", "join", "close", "_open"),
        *("select", "slow_select", "follow", "restores", "check_witness"),
    }
)
"""Calls that are made on a thread because they may sleep or wait for another one; all others are
made on the spot."""
PAGE_BYTES = 300_000
WALK = "slow_select"
"""How a thread is called that walks along the ledger for whoever follows it."""
BEGAN = datetime(2026, 11, 24, tzinfo=UTC)


_catalogue = cache(Catalogue.load)
"""Read once in a process, not for each seed."""


def _signed_page(*_: object) -> bytes:
    """A page, without the second that setting and signing it takes."""
    return b"%PDF-" + bytes(PAGE_BYTES)


class QuickSecrets(Secrets):
    """The real ones, at next to no cost: their price is slept."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key, CHEAP)

    def is_pin(self, kept: bytes | None, pin: str) -> bool:
        """In the time that it takes."""
        time.sleep(PIN_S)
        return super().is_pin(kept, pin)

    def is_pin_patiently(self, kept: bytes | None, pin: str) -> bool:
        """On the machine's own thread: here nothing has a priority."""
        return self.is_pin(kept, pin)


class StormChance(Chance):
    """The machine's wall clock and randomness, also for its threads."""

    def __init__(self, seed: int, loop: StormLoop) -> None:
        super().__init__(seed)
        self._loop = loop

    def true_now(self) -> datetime:
        """The time by a clock that nobody sets."""
        return BEGAN + timedelta(seconds=self._loop.time() + self.ahead_s)


class Machine:
    """What can happen to the daemon's machine."""

    def __init__(self, loop: StormLoop, seed: int) -> None:
        self.loop = loop
        self.chance = StormChance(seed, loop)
        self.room = ENOUGH
        self.read_s = 0.0
        """What each read of the ledger takes."""
        self.walk_hangs = False
        """Whether whoever walks along the ledger's chain hangs in the disk."""
        self._hung: deque[VirtualThread] = deque()
        self._interrupted: set[int] = set()

    @contextmanager
    def in_place(self) -> Generator[None]:
        """While this is held, benchd runs on this machine."""
        threads, loop = self.loop.threads, self.loop
        threading = SimpleNamespace(Thread=threads.thread_class(), Lock=threads.lock_class())
        with ExitStack() as stack:

            def put(module: str, **names: object) -> None:
                place = importlib.import_module(module)
                for name, value in names.items():
                    stack.enter_context(patch.object(place, name, value))

            put("time", monotonic=loop.time, perf_counter=loop.time, sleep=threads.sleep)
            put("anyio.to_thread", run_sync=partial(_run_sync, threads))
            for module in ("read_turns", "group_commit"):
                put(
                    f"benchd.ledger.{module}",
                    threading=threading,
                    SimpleQueue=threads.queue_class(),
                )
            put("benchd.ledger.group_commit", sleep=threads.sleep)
            put("benchd.ledger.reader", threading=threading)
            put("benchd.ledger.ledger_store", threading=threading)
            put("benchd.ledger.records.read_model", threading=threading)
            put("benchd.daemon.disk_space", disk_space_in=self._disk_space_in)
            clock = {"SystemClock": lambda: self.chance, "SystemEntropy": lambda: self.chance}
            put("benchd.daemon.composition", **clock, keep_responsive=lambda: None)
            put(
                "benchd.daemon.composition",
                is_synchronised=lambda: True,
                require_programs=lambda: (),
            )
            stack.enter_context(patch.object(Catalogue, "load", _catalogue))
            stack.enter_context(patch.object(Press, "_sign", _signed_page))
            put("benchd.daemon.rack_people", **clock, Secrets=QuickSecrets)
            select, interrupt = LedgerReader.select, LedgerReader.interrupt

            def slow_select(reader: LedgerReader, *asked: object) -> object:
                self._take_time(reader)
                here = threads.mine.thread
                if self.walk_hangs and here is not None and here.name == WALK:
                    threads.wait_in(self._hung)
                return select(reader, *asked)  # type: ignore[arg-type]

            def heard(reader: LedgerReader) -> None:
                self._interrupted.add(id(reader))
                interrupt(reader)

            stack.enter_context(patch.object(LedgerReader, "select", slow_select))
            stack.enter_context(patch.object(LedgerReader, "interrupt", heard))
            yield

    def _disk_space_in(self, _folder: Path) -> DiskSpace:
        return self.room

    def free_the_hung(self) -> None:
        """The disk answers again."""
        self.walk_hangs = False
        self.loop.threads.wake(self._hung)

    def _take_time(self, reader: LedgerReader) -> None:
        if self.loop.threads.mine.thread is None or not self.read_s:
            return
        self._interrupted.discard(id(reader))
        until = self.loop.time() + self.read_s
        while (left := until - self.loop.time()) > 0:
            time.sleep(min(SLICE_S, left) if self.read_s < 1 else min(0.25, left))
            if id(reader) in self._interrupted:
                raise ReadCutShort("a read of the ledger was cut short: interrupted")


async def _run_sync(
    threads: Threads,
    call: Callable[..., T],
    *args: object,
    abandon_on_cancel: bool = False,
    cancellable: bool | None = None,
    limiter: CapacityLimiter | None = None,
) -> T:
    """What `anyio.to_thread.run_sync` does, on a thread of this machine."""
    del cancellable
    await anyio.lowlevel.checkpoint()
    limit = limiter or to_thread.current_default_thread_limiter()
    if _name_of(call) not in MAY_WAIT:
        # It takes no time; one that waits all the same is told of by whoever it would hold.
        async with limit:
            return call(*args)
    done = anyio.Event()
    found: list[T] = []
    failed: list[BaseException] = []
    running = asyncio.get_running_loop()

    def run() -> None:
        try:
            found.append(call(*args))
        except BaseException as error:  # noqa: BLE001 - it's raised where it was asked for
            failed.append(error)
        if not running.is_closed():
            running.call_soon_threadsafe(done.set)

    async with limit:
        with CancelScope(shield=not abandon_on_cancel):
            threads.start(run, _name_of(call))
            await done.wait()
    if failed:
        raise failed[0]
    return found[0]


def _name_of(call: Callable[..., object]) -> str:
    while isinstance(call, partial):
        call = call.func
    return getattr(call, "__name__", "")
