"""The way to chips: which worker has a slot's reader, and that reader and clear never meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import anyio
import structlog
from anyio.abc import TaskStatus

from benchd.devices.felica.clearing import clear_with
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.devices.felica.worker.process import NOT_RUNNING, ReaderWorker
from benchd.devices.felica.worker.wire import STUCK, CaptureOrder, WorkerOrder
from benchd.domain.chip import ChipScan
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import ReaderFault, ReaderGone, ReaderStuck
from benchd.domain.ids import SlotName
from benchd.domain.wakeup import Wakeup

PASS_WITHIN_S: Final = 60.0
"""A pass takes one to three seconds on a good reader; a chip that answers slowly is given up by
the scan itself before this."""
FIELD_OFF_WITHIN_S: Final = 15.0
FIELD_ON: Final = "the reader's field can't be switched off"

_log = structlog.get_logger()


class PcscChipAccess:
    """Implements the port `ChipAccess`; `run` must be running for a reader to be there."""

    def __init__(
        self,
        settings: FelicaSettings,
        *,
        salt: bytes,
        fleet_secret: bytes | None = None,
        clock: Callable[[], float],
        signer: str | None = None,
    ) -> None:
        """`salt` is what IDms are hashed with; `clock` counts seconds and never goes back.

        `fleet_secret` is what all racks of a dealer hash them with besides, where they do.
        `signer` tells the rack's keys (`signing.paper_keys`); without it no baseline counts as
        observed.
        """
        self._settings = settings
        self._clock = clock
        order = WorkerOrder(
            slots=settings.readers,
            salt=salt,
            fleet_secret=fleet_secret,
            baselines=tuple(str(file.absolute()) for file in settings.baselines),
            signer=signer,
        )
        self._workers = tuple(
            ReaderWorker(pcscd=socket, order=order, changed=self._look_again)
            for socket in (settings.pcscd if settings.readers else ())
        )
        self._locks: dict[SlotName, anyio.Lock] = {}
        self._down_since: dict[SlotName, float] = {}
        self._up = frozenset[SlotName]()
        self._changed = Wakeup()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep the workers up until cancelled; a reader that isn't there doesn't keep it down."""
        async with anyio.create_task_group() as tasks:
            for worker in self._workers:
                await tasks.start(worker.run)
            task_status.started()
            await anyio.sleep_forever()

    def readers_up(self) -> frozenset[SlotName]:
        """The slots whose reader answers; may be called from any thread."""
        return self._up

    def readers_seen(self) -> frozenset[SlotName] | None:
        """The same; None before anybody has looked, when none answers and none is silent."""
        return self._up if self.settled else None

    def workers_answer(self) -> bool:
        """Whether the worker of each pcscd does; may be called from any thread."""
        return all(worker.answers for worker in self._workers)

    @property
    def settled(self) -> bool:
        """Whether every pcscd was asked once which readers it has."""
        return all(worker.troubles for worker in self._workers)

    def trouble(self, slot: SlotName) -> str | None:
        """Why the slot's reader can't be used, in English; None where it can."""
        return None if slot in self._up else self._trouble_of(slot)

    def reader(self, slot: SlotName) -> str | None:
        """What the configuration calls the slot's reader."""
        return self._settings.readers.get(slot)

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:
        """Look at the chip so many times. See `benchd.domain.ports.ChipAccess`."""
        async with self._lock(slot):
            worker, began = self._worker_of(slot), self._clock()
            scan = await worker.scan(
                slot, passes=passes, power_cycle=power_cycle, within_s=PASS_WITHIN_S * passes
            )
            seconds = round(self._clock() - began, 3)
            _log.debug("chip_looked_at", slot=slot, passes=passes, seconds=seconds)
            return scan

    async def capture(self, slot: SlotName, order: CaptureOrder) -> str:
        """The text of a baseline made from the chip in this slot.

        Raises UsageRefused where the chip or the order doesn't carry one, ReaderGone, ReaderFault.
        """
        async with self._lock(slot):
            within_s = PASS_WITHIN_S * order.passes
            return await self._worker_of(slot).capture(slot, order, within_s=within_s)

    async def until_there(self, slot: SlotName) -> None:
        """Returns once the slot's reader answers; ReaderGone where none is configured."""
        if slot not in self._settings.readers:
            raise ReaderGone(f"slot {slot} has no reader")
        await self._changed.until(lambda: slot in self._up)

    async def field_off(self, slot: SlotName) -> None:
        """Switch the field off. See `benchd.domain.ports.ChipAccess`."""
        async with self._lock(slot):
            await self._free_reader(slot)

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """Have the provider of the first rule that fits clear the chip, with the field off."""
        began = self._clock()
        async with self._lock(order.slot):
            try:
                await self._free_reader(order.slot)
            except ReaderFault as fault:
                claim = ClearClaim(
                    provider="", outcome=ClearOutcome.RETRYABLE, detail=f"{FIELD_ON}: {fault}"
                )
            else:
                claim = await clear_with(self._settings, order)
        return replace(claim, elapsed_s=self._clock() - began)

    async def _free_reader(self, slot: SlotName) -> None:
        """Returns once the field is off; a reader that is away has none. Raises ReaderFault."""
        if slot in self._settings.readers:
            try:
                await self._worker_of(slot).field_off(slot, within_s=FIELD_OFF_WITHIN_S)
            except ReaderStuck as stuck:
                raise ReaderFault(str(stuck)) from stuck
            except ReaderGone:
                return

    def _worker_of(self, slot: SlotName) -> ReaderWorker:
        having = [worker for worker in self._workers if _has(worker, slot)]
        if len(having) == 1:
            return having[0]
        for worker in self._workers:
            # The one that has it, but doesn't get through to it, knows best what is wrong.
            if worker.troubles.get(slot) == STUCK:
                return worker
        raise ReaderGone(self._trouble_of(slot))

    def _trouble_of(self, slot: SlotName) -> str:
        if slot not in self._settings.readers:
            return f"slot {slot} has no reader"
        if sum(_has(worker, slot) for worker in self._workers) > 1:
            return "more than one pcscd has a reader of that name; name the USB port instead"
        troubles = [worker.troubles.get(slot) or NOT_RUNNING for worker in self._workers]
        return "; ".join(dict.fromkeys(troubles))

    def _lock(self, slot: SlotName) -> anyio.Lock:
        return self._locks.setdefault(slot, anyio.Lock())

    def _look_again(self) -> None:
        """Take over what the workers say, and log what has changed."""
        up = frozenset(
            slot
            for slot in self._settings.readers
            if sum(_has(worker, slot) for worker in self._workers) == 1
        )
        if self.settled:
            self._log_changes(up)
        self._up = up
        self._changed.fire()

    def _log_changes(self, up: frozenset[SlotName]) -> None:
        now = self._clock()
        for slot in self._settings.readers:
            if slot in up:
                broke = self._down_since.pop(slot, None)
                if broke is not None:
                    _log.info("reader_back", slot=slot, down_s=round(now - broke, 3))
            elif slot not in self._down_since:
                self._down_since[slot] = now
                _log.error("reader_down", slot=slot, cause=self._trouble_of(slot))


def _has(worker: ReaderWorker, slot: SlotName) -> bool:
    return slot in worker.troubles and worker.troubles[slot] is None
