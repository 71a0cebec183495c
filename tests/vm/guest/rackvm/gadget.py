"""One USB device as configfs and FunctionFS make it, and the cable between it and a port."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio

from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.plan import HandsetPlan

from .tools import call

GADGETS: Final = Path("/sys/kernel/config/usb_gadget")
HOST_DEVICES: Final = Path("/sys/bus/usb/devices")
ENGLISH: Final = "0x409"
DESCRIPTORS_WITHIN_S: Final = 60.0
FREE_WITHIN_S: Final = 30.0
SHELL: Final = 2000


class Gadget:
    """A device with one function at a time; FunctionFS lets a program be that function."""

    def __init__(self, plan: HandsetPlan, directory: Path) -> None:
        self._plan = plan
        self._folder = GADGETS / plan.name
        self.functions = {
            "adb": directory / "usb-adb",
            "other": directory / "usb-other",
        }
        """Where the program of each function finds its endpoints."""
        self._last_of_adbd: int | None = None
        """The endpoint of adbd's last plug."""

    async def make(self) -> None:
        """Describe the device to the kernel."""
        model = self._plan.model
        self._folder.mkdir()
        self._write("idVendor", f"0x{model.vendor_id}")
        self._write("idProduct", f"0x{model.product_id}")
        self._write("bcdDevice", "0x0612")
        strings = self._folder / "strings" / ENGLISH
        strings.mkdir()
        self._write(f"strings/{ENGLISH}/serialnumber", self._plan.serial)
        self._write(f"strings/{ENGLISH}/manufacturer", model.manufacturer)
        self._write(f"strings/{ENGLISH}/product", model.model)
        (self._folder / "configs" / "c.1").mkdir()
        for function, place in self.functions.items():
            name = self._instance(function)
            (self._folder / "functions" / f"ffs.{name}").mkdir()
            place.mkdir()
            await call(
                *("mount", "-t", "functionfs", name, str(place)),
                *("-o", f"uid={SHELL},gid={SHELL},rmode=0770,fmode=0660"),
            )

    def choose(self, function: str, product_id: str) -> None:
        """Have this function and no other, from the next plug on."""
        for link in self._links():
            link.unlink()
        self._write("idProduct", f"0x{product_id}")
        name = f"ffs.{self._instance(function)}"
        (self._folder / "configs" / "c.1" / name).symlink_to(self._folder / "functions" / name)

    async def until_described(self, function: str) -> None:
        """Wait until the function's program has told the kernel its endpoints, for a new plug.

        adbd does so anew after each: those of the last are there until it has noticed its end.
        """
        endpoint = self.functions[function] / "ep1"
        last = self._last_of_adbd if function == "adb" else None
        try:
            with anyio.fail_after(DESCRIPTORS_WITHIN_S):
                while (found := _inode(endpoint)) is None or found == last:  # noqa: ASYNC110 - the kernel tells nobody
                    await anyio.sleep(0.02)
        except TimeoutError as late:
            raise RackBroken(f"{self._plan.name}: nobody became its {function}") from late

    async def plug(self, slot: int, function: str) -> None:
        """Put the cable into a port; slots count from 1, controllers from 0.

        A controller that has just been let go of is busy for a moment, and adbd that waits for a
        cable describes its endpoints anew every second.
        """
        controller = f"dummy_udc.{slot - 1}"
        deadline = anyio.current_time() + FREE_WITHIN_S
        while True:
            await self.until_described(function)
            described = _inode(self.functions[function] / "ep1")
            try:
                await self._bind(controller)
            except OSError as error:
                if error.errno not in (errno.EBUSY, errno.ENODEV):
                    raise
                if anyio.current_time() > deadline:
                    raise RackBroken(f"{self._plan.name}: {controller} doesn't take it") from error
                await anyio.sleep(0.05)
            else:
                if function == "adb":
                    self._last_of_adbd = described
                return

    async def unplug(self) -> None:
        """Pull the cable."""
        with suppress(OSError):  # ENODEV: it isn't plugged in
            await self._bind("")

    def is_bound(self) -> bool:
        """Whether it is at a port: the kernel takes a device off whose program closes it."""
        return bool((self._folder / "UDC").read_text().strip())

    async def destroy(self) -> None:
        """Take the device apart."""
        await self.unplug()
        for link in self._links():
            link.unlink()
        for function, place in self.functions.items():
            with suppress(RackBroken):
                await call("umount", "--lazy", str(place))
            (self._folder / "functions" / f"ffs.{self._instance(function)}").rmdir()
        (self._folder / "configs" / "c.1").rmdir()
        (self._folder / "strings" / ENGLISH).rmdir()
        self._folder.rmdir()

    async def _bind(self, controller: str) -> None:
        # The kernel takes a tenth of a second, in which hands elsewhere can move as well.
        await anyio.to_thread.run_sync(self._write, "UDC", f"{controller}\n")

    def _instance(self, function: str) -> str:
        return f"{self._plan.name}-{function}"

    def _links(self) -> list[Path]:
        return [path for path in (self._folder / "configs" / "c.1").iterdir() if path.is_symlink()]

    def _write(self, name: str, value: str) -> None:
        (self._folder / name).write_text(value)


def host_sees(slot: int) -> bool:
    """Whether the host has configured the device in this slot."""
    with suppress(OSError):
        device = HOST_DEVICES / f"{slot}-1" / "bConfigurationValue"
        return bool(device.read_text().strip())
    return False


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
