"""The virtual reader of one slot: holds the chip that lies on it out to vpcd, with its faults."""

from __future__ import annotations

from typing import Final

import anyio
import anyio.lowlevel

from benchd.domain.wakeup import Wakeup
from benchd.lab.simulator.chips import firmware, vpcd
from benchd.lab.simulator.chips.chip import VirtualChip
from benchd.lab.simulator.chips.chip_plan import ReaderFaults
from benchd.lab.simulator.chips.reader_addresses import vpcd_port
from benchd.lab.simulator.chips.vpcd import VpcdLine

RETRY_S: Final = 0.05
"""How soon a card knocks again where no vpcd listens."""


class VirtualReader:
    """`run` serves the slot for as long as the rack lives."""

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.chip: VirtualChip | None = None
        self.faults = ReaderFaults()
        self.powered = False
        """Whether pcscd has seen the chip that lies here and switched it on."""
        self.waiting = False
        """Whether a frame waits for it to stop hanging."""
        self.exchanges = 0
        self._exchanges_before_faults = 0
        self._changed = Wakeup()
        self._visit = anyio.CancelScope()

    def lay(self, chip: VirtualChip) -> None:
        """Put a chip on it."""
        self.chip = chip
        self._tell()

    def take(self) -> None:
        """Take the chip away, in the middle of whatever it does."""
        self.chip = None
        self._visit.cancel()
        self._tell()

    def again(self) -> None:
        """The chip that lies here has become another one, or fallen silent, or found its voice."""
        self._visit.cancel()
        self._tell()

    def set_faults(self, faults: ReaderFaults) -> None:
        """From now on it does this wrong, and nothing else; what hangs goes on."""
        self.faults = faults
        self._exchanges_before_faults = self.exchanges
        self._tell()

    async def run(self) -> None:
        """Show vpcd what lies here, whenever there is something that answers."""
        port = vpcd_port(self.slot)
        while True:
            chip = await self._until_audible()
            try:
                async with VpcdLine.connect(port) as line:
                    noticed = await self._stay(chip, line)
                while not noticed:
                    async with VpcdLine.connect(port) as line:
                        noticed = await line.leave_open()
            except vpcd.LOST:
                await anyio.sleep(RETRY_S)

    async def _stay(self, chip: VirtualChip, line: VpcdLine) -> bool:
        """Be there until the chip is taken away; whether pcscd has found the reader empty.

        When a card leaves in mid-exchange, vpcd hangs up at once, and takes up the next one when
        pcscd looks again. If that is there already, pcscd has never seen the reader empty: to it
        the card is the old one, whose session it has just lost, and it stays "no card" for good.
        So a look has to go unanswered before anything is laid on the reader again.
        """
        with anyio.CancelScope() as self._visit:
            try:
                if self.chip is chip and not chip.silent and await self._introduced(line):
                    await self._serve(chip, line)
            finally:
                self.powered = False
        return await line.leave_open()

    async def _until_audible(self) -> VirtualChip:
        while self.chip is None or self.chip.silent:
            await self._next_change()
        return self.chip

    async def _introduced(self, line: VpcdLine) -> bool:
        """Whether pcscd looks for the card and switches it on, as one that was just laid down.

        Just before it switches on it looks once more. A third look shows that it takes the card
        for one that has been there all the time.
        """
        for look in range(3):
            body = await line.receive()
            if body != vpcd.GET_ATR:
                return look > 0 and body == vpcd.POWER_ON
            if look < 2:
                await line.send(firmware.ATR)
        return False

    async def _serve(self, chip: VirtualChip, line: VpcdLine) -> None:
        chip.power_up()
        self.powered = True
        while True:
            body = await line.receive()
            match body:
                case vpcd.GET_ATR:
                    await line.send(firmware.ATR)
                case vpcd.POWER_ON | vpcd.RESET:
                    chip.power_up()
                case vpcd.POWER_OFF:
                    pass
                case _:
                    await self._exchange(chip, line, body)

    async def _exchange(self, chip: VirtualChip, line: VpcdLine, apdu: bytes) -> None:
        frame = firmware.passed_through(apdu)
        if frame is None:
            await line.send(firmware.answer(chip, apdu))
            return
        await self._until_free()
        faults = self.faults
        done = self.exchanges - self._exchanges_before_faults
        if faults.leave_after is not None and done >= faults.leave_after:
            self.faults = ReaderFaults()
            self.take()
            await anyio.lowlevel.checkpoint()
        await anyio.sleep(chip.answer_s(frame) + faults.slow_s)
        self.exchanges += 1
        if faults.status_word is not None:
            await line.send(bytes.fromhex(faults.status_word))
        elif faults.swallows(done):
            await line.send(firmware.NOTHING_SAID)
        else:
            await line.send(firmware.answer(chip, apdu))

    async def _until_free(self) -> None:
        self.waiting = True
        try:
            while self.faults.hang:
                await self._next_change()
        finally:
            self.waiting = False

    async def _next_change(self) -> None:
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.fire()
