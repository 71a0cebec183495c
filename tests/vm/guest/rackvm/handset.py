"""One handset on a virtual USB port: outlives its cable and the daemon, and ends loudly."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import Process, TaskGroup

from benchd.errors import UsageRefused
from benchd.simulator.android import AndroidState, after_reset, as_it_came_in
from benchd.simulator.answers import answers, write_answers
from benchd.simulator.child import Message, RackBroken
from benchd.simulator.plan import HandsetPlan, Wipe
from benchd.simulator.system_image import SystemImage
from benchd.simulator.tool_desk import ASK_SOCKET, ToolDesk

from .chip import SHELL, HandsetChip
from .gadget import Gadget
from .plan import Chip, Mode, State, UsbHandset
from .sandbox import UsbSandbox

_log = structlog.get_logger()

START_WITHIN_S: Final = 120.0
# What phones of other functions call themselves; the vendor's own adb id stands in the model.
PRODUCT_IDS: Final = {"mtp": "4ee1", "charging": "4eef", "fastboot": "4ee0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all handsets of the machine share."""

    image: SystemImage
    chips: Path
    states: Path
    log: Path


class Together:
    """Lets several hands move in one instant: each waits until all are ready or have given up."""

    def __init__(self, names: Iterable[str]) -> None:
        self._missing = set(names)
        self._all = anyio.Event()

    def arrive(self, name: str) -> None:
        """This one is ready, or won't come."""
        self._missing.discard(name)
        if not self._missing:
            self._all.set()

    async def wait(self) -> None:
        """Until everybody is there."""
        await self._all.wait()


class Handset:
    """Everything that can be done to one handset; `alive` is the group that its tasks live in."""

    def __init__(self, given: UsbHandset, shared: Shared, alive: TaskGroup) -> None:
        self.given = given
        self.plan: HandsetPlan = given.android
        self.mode = given.mode
        self.android: AndroidState = as_it_came_in(given.android)
        self.adb_enabled = given.android.adb_enabled
        self.slot: int | None = None
        self.enumerated = False
        self.restarting = False
        self.reset_count = 0
        self.broken: str | None = None
        self._shared = shared
        self._alive = alive
        self._state = shared.states / given.name
        self._keys = ""
        self._answer_sets = 0
        self._turn = anyio.Lock()
        self._up = anyio.Event()
        self._sandbox: UsbSandbox | None = None
        self._ending = False
        self._other: Process | None = None
        directory = shared.chips / given.name
        directory.mkdir()
        self._state.mkdir()
        self.chip = HandsetChip(
            name=given.name,
            directory=directory,
            capacity_bytes=given.android.capacity_bytes,
            file_system=given.file_system,
        )
        self._gadget = Gadget(given.android, directory)

    async def make(self) -> None:
        """Build it; afterwards it lies on the table."""
        await self.chip.make()
        if self.given.markers:
            await self.chip.plant(self.given.markers)
            if self.given.arrives_reset:
                await self.chip.reset()
        await self.chip.become(self.given.chip)
        self._show_android()
        listener = await anyio.create_unix_listener(self._state / ASK_SOCKET, mode=0o666)
        self._alive.start_soon(listener.serve, ToolDesk(self).serve)
        await self._gadget.make()
        await self._boot()

    def state(self) -> State:
        """As it is now."""
        return State(
            name=self.given.name,
            slot=self.slot,
            mode=self.mode,
            adb_enabled=self.adb_enabled,
            enumerated=self.enumerated,
            restarting=self.restarting,
            broken=self.broken,
            serial=self.plan.serial,
            android_id=self.android.android_id,
            boot_count=self.android.boot_count,
            reset_count=self.reset_count,
            test_harness=self.android.test_harness,
        )

    async def plug(self, slot: int, together: Together) -> None:
        """Put the cable in, in the same instant as the others."""
        try:
            async with self._turn:
                self._require_whole()
                if self.slot is not None:
                    raise UsageRefused(f"{self.given.name} is plugged in already")
                self.slot = slot
                if not self.restarting:
                    await self._appear(together)
        finally:
            together.arrive(self.given.name)

    async def unplug(self) -> None:
        """Pull the cable."""
        async with self._turn:
            if self.slot is None:
                raise UsageRefused(f"{self.given.name} isn't plugged in")
            await self._vanish()
            self.slot = None

    async def blink(self) -> None:
        """Lose the port and get it back, as when a hub stumbles; adbd notices both."""
        async with self._turn:
            if self.slot is not None and not self.restarting:
                await self._vanish()
                await self._appear()

    async def set_adb(self, *, enabled: bool) -> None:
        """Switch debugging on or off on its screen; it enumerates anew for it."""
        await self._change(self.mode, adb=enabled)

    async def set_mode(self, mode: Mode) -> None:
        """Show something else on USB."""
        await self._change(mode, adb=self.adb_enabled)

    async def allow(self, key: str) -> None:
        """Tap Allow on its screen for this computer's key, and remember it."""
        async with self._turn:
            self._keys += key.strip() + "\n"
            self._write_keys()
            await self._vanish()
            await self._appear()

    async def reset_by_hand(self) -> None:
        """Reset it in its settings; returns when it has begun."""
        await self.restart(Wipe.BY_HAND)

    async def restart(self, wipe: Wipe, *, after_s: float = 0.0) -> None:
        """Begin a restart, with or without a reset; returns when it's on its way."""
        async with self._turn:
            self._require_whole()
            if self.restarting:
                raise UsageRefused(f"{self.given.name} is restarting already")
            self.restarting = True
        self._alive.start_soon(self._restart, wipe, after_s)

    async def destroy(self) -> None:
        """Take it apart, whatever is plugged in or running."""
        async with self._turn:
            await self._vanish()
            self.slot = None
            await self._end_inside()
            await self._gadget.destroy()
            await self.chip.destroy()

    async def _change(self, mode: Mode, *, adb: bool) -> None:
        async with self._turn:
            self._require_whole()
            if (mode, adb) != (self.mode, self.adb_enabled):
                await self._vanish()
                self.mode, self.adb_enabled = mode, adb
                if not self.restarting:
                    await self._appear()

    async def _restart(self, wipe: Wipe, after_s: float) -> None:
        try:
            await self._go_down_and_up(wipe, after_s)
        except (RackBroken, OSError) as cause:  # TimeoutError is one too
            self._break(f"{type(cause).__name__}: {cause}")

    async def _go_down_and_up(self, wipe: Wipe, after_s: float) -> None:
        await anyio.sleep(after_s)
        async with self._turn:
            await self._vanish()
            await self._end_inside()
            if wipe is Wipe.NONE:
                self.android = self.android.restarted()
            else:
                await self.chip.reset()
                self.android = after_reset(test_harness=wipe is Wipe.TEST_HARNESS)
                self.adb_enabled = wipe is Wipe.TEST_HARNESS
                if wipe is Wipe.BY_HAND:
                    self._keys = ""  # Test Harness Mode keeps them
                self.reset_count += 1
            self.mode = Mode.ANDROID
            self._show_android()
            await self._boot()
        await anyio.sleep(self.plan.reset_s)
        async with self._turn:
            self.restarting = False
            await self._appear()

    async def _boot(self) -> None:
        """Start the inside; the cable doesn't matter to it."""
        self._write_keys()
        self._up = anyio.Event()
        self._ending = False
        self._sandbox = UsbSandbox(
            name=self.given.name,
            image=self._shared.image,
            data=self.chip.data,
            state=self._state,
            endpoints=self._gadget.functions["adb"],
            log=self._shared.log,
            superuser=self.plan.superuser,
            asks_for_key=self.given.asks_for_key,
            on_event=self._on_event,
        )
        await self._sandbox.child.start()
        self._alive.start_soon(self._until_end, self._sandbox)
        with anyio.fail_after(START_WITHIN_S):
            await self._up.wait()
        self._require_whole()

    async def _appear(self, together: Together | None = None) -> None:
        if self.slot is None or self.enumerated:
            return
        function = self._function
        if function == "adb" and self._sandbox is not None:
            state = "recovery" if self.mode is Mode.RECOVERY else "device"
            await self._sandbox.start_adbd(self.plan.model, state=state)
            self._gadget.choose("adb", self.plan.model.product_id)
            await self._gadget.until_described("adb")
        else:
            self._other = await anyio.open_process(
                (
                    *(sys.executable, "-ISE", str(Path(__file__).with_name("function.py"))),
                    *(str(self._gadget.functions["other"]), function),
                ),
                stdin=None,
                stdout=None,
                stderr=None,
            )
            self._gadget.choose("other", PRODUCT_IDS[function])
            await self._gadget.until_described("other")
        if together is not None:
            together.arrive(self.given.name)
            await together.wait()
        await self._gadget.plug(self.slot)
        self.enumerated = True

    async def _vanish(self) -> None:
        if self.enumerated:
            self._gadget.unplug()
            self.enumerated = False
        if self._other is not None:
            self._other.kill()
            await self._other.wait()
            await self._other.aclose()
            self._other = None
        elif self._sandbox is not None and self.broken is None and not self._ending:
            # The same adbd would stay offline for ever after it is bound again.
            await self._sandbox.stop_adbd()

    @property
    def _function(self) -> str:
        if self.mode is Mode.ANDROID:
            return "adb" if self.adb_enabled else "mtp"
        return "adb" if self.mode is Mode.RECOVERY else self.mode.value

    async def _end_inside(self) -> None:
        self._ending = True
        if self._sandbox is not None:
            await self._sandbox.end()
            self._sandbox = None

    def _show_android(self) -> None:
        self._answer_sets += 1
        write_answers(self._state, self._answer_sets, answers(self.plan, self.android))

    def _write_keys(self) -> None:
        file = self.chip.data / "misc" / "adb" / "adb_keys"
        with suppress(OSError):
            file.write_text(self._keys)
            os.chown(file, SHELL, SHELL)

    def _on_event(self, message: Message) -> None:
        if message.get("event") == "ready":
            self._up.set()
        else:
            self._break(f"{self.given.name}: {message}")

    async def _until_end(self, sandbox: UsbSandbox) -> None:
        ended = await sandbox.child.run()
        if sandbox is self._sandbox and not self._ending:
            self._break(ended)
        self._up.set()

    def _break(self, cause: str) -> None:
        """Never let a handset whose insides died pass for a blank one."""
        if self.broken is None:
            self.broken = cause
            _log.error("handset_broken", handset=self.given.name, cause=cause)
            self._gadget.unplug()
            self.enumerated = False

    def _require_whole(self) -> None:
        if self.broken is not None:
            raise RackBroken(self.broken)


def as_chip(word: str) -> Chip:
    """The chip's behaviour by its name; raises UsageRefused."""
    try:
        return Chip(word)
    except ValueError:
        raise UsageRefused(f"no such chip: {word}; there are {', '.join(Chip)}") from None
