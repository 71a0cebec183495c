"""What a handset shows on USB: its function, the program that is it, and the plug in a port."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import Process

from benchd.lab.simulator.plan import HandsetPlan

from .gadget import Gadget, host_sees
from .plan import Mode
from .sandbox import UsbSandbox
from .together import Together

SEEN_WITHIN_S: Final = 30.0
FUNCTION: Final = Path(__file__).with_name("function.py")
# What phones of other functions call themselves; the vendor's own adb id stands in the model.
PRODUCT_IDS: Final = {"mtp": "4ee1", "charging": "4eef", "fastboot": "4ee0"}


class UsbSide:
    """Callers take turns: no two of these at the same time."""

    def __init__(self, plan: HandsetPlan, mode: Mode, directory: Path) -> None:
        self.mode = mode
        self.adb_enabled = plan.adb_enabled
        self._plan = plan
        self._gadget = Gadget(plan, directory)
        self._slot: int | None = None
        """The port that it shows itself at."""
        self._other: Process | None = None
        self._adbd_runs = False

    @property
    def enumerated(self) -> bool:
        """Whether it is on the bus, as far as it knows."""
        return self._slot is not None

    @property
    def adb_endpoints(self) -> Path:
        """Where adbd finds its endpoints."""
        return self._gadget.functions["adb"]

    async def make(self) -> None:
        """Describe the device to the kernel."""
        await self._gadget.make()

    async def destroy(self) -> None:
        """Take it apart."""
        await self._gadget.destroy()

    async def appear(self, slot: int, inside: UsbSandbox, together: Together | None = None) -> None:
        """Show what it is at a port, in the same instant as the others."""
        if self._function == "adb":
            if not self._adbd_runs:
                state = "recovery" if self.mode is Mode.RECOVERY else "device"
                await inside.start_adbd(self._plan.model, state=state)
                self._adbd_runs = True
            self._gadget.choose("adb", self._plan.model.product_id)
        else:
            self._other = await anyio.open_process(
                (
                    *(sys.executable, "-ISE", str(FUNCTION)),
                    *(str(self._gadget.functions["other"]), self._function),
                ),
                stdin=None,
                stdout=None,
                stderr=None,
            )
            self._gadget.choose("other", PRODUCT_IDS[self._function])
        await self._gadget.until_described(self._endpoints)
        if together is not None:
            together.arrive(self._plan.name)
            await together.wait()
        await self._gadget.plug(slot, self._endpoints)
        self._slot = slot

    async def vanish(self) -> None:
        """Off the bus; adbd lives on, as on a phone whose cable is pulled."""
        if self.enumerated:
            self._slot = None
            await self._gadget.unplug()
        if self._other is not None:
            self._other.kill()
            await self._other.wait()
            await self._other.aclose()
            self._other = None

    async def become(self, mode: Mode, *, adb: bool, inside: UsbSandbox | None) -> None:
        """Show something else from the next time on; it must have vanished."""
        self.mode, self.adb_enabled = mode, adb
        if inside is not None and self._adbd_runs:
            await inside.stop_adbd()
        self._adbd_runs = False

    async def blink(self) -> None:
        """Lose the port and get it back, as when a hub stumbles; adbd notices both."""
        if self._slot is not None:
            await self._gadget.unplug()
            await self._gadget.plug(self._slot, self._endpoints)

    def was_taken_off(self) -> bool:
        """Whether the kernel has taken it off the bus because adbd closed its endpoints."""
        return self.enumerated and not self._gadget.is_bound()

    async def return_by_itself(self) -> None:
        """What Android's init does when adbd has described its endpoints again."""
        if self._slot is not None and self.was_taken_off():
            await self._gadget.plug(self._slot, self._endpoints)

    async def until_seen(self) -> None:
        """Wait until the host has enumerated it, unless it leaves by itself."""
        with anyio.move_on_after(SEEN_WITHIN_S):
            while self._slot is not None and not host_sees(self._slot):  # noqa: ASYNC110 - udev tells benchd, not us
                await anyio.sleep(0.05)

    @property
    def _function(self) -> str:
        if self.mode is Mode.ANDROID:
            return "adb" if self.adb_enabled else "mtp"
        return "adb" if self.mode is Mode.RECOVERY else self.mode.value

    @property
    def _endpoints(self) -> str:
        return "adb" if self._function == "adb" else "other"
