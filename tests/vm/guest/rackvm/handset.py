"""One handset on a virtual USB port: outlives its cable and the daemon, and ends loudly."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import TaskGroup

from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.android import AndroidState, after_reset, as_it_came_in
from benchd.lab.simulator.answers import answers, write_answers
from benchd.lab.simulator.chips.shelf import ReaderShelf
from benchd.lab.simulator.lines.child import Message, RackBroken
from benchd.lab.simulator.plan import HandsetPlan, Wipe
from benchd.lab.simulator.system_image import SystemImage
from benchd.lab.simulator.tool_service import ASK_SOCKET, ToolService

from .chip import SHELL, HandsetChip
from .plan import Mode, State, UsbHandset
from .sandbox import UsbSandbox
from .together import Together
from .usb_side import UsbSide

_log = structlog.get_logger()

START_WITHIN_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all handsets of the machine share."""

    image: SystemImage
    chips: Path
    states: Path
    shelf: ReaderShelf
    log: Path


class Handset:
    """Everything that can be done to one handset; `alive` is the group that its tasks live in."""

    def __init__(self, given: UsbHandset, shared: Shared, alive: TaskGroup) -> None:
        self.given = given
        self.plan: HandsetPlan = given.android
        self.android: AndroidState = as_it_came_in(given.android)
        self.slot: int | None = None
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
        directory = shared.chips / given.name
        directory.mkdir()
        self._state.mkdir()
        self.chip = HandsetChip(
            name=given.name,
            directory=directory,
            capacity_bytes=given.android.capacity_bytes,
            file_system=given.file_system,
            active_logs=given.active_logs,
            quota_share=given.quota_share,
        )
        self.usb = UsbSide(given.android, given.mode, directory)

    async def make(self) -> None:
        """Build it; afterwards it lies on the table."""
        await self.chip.make()
        if self.given.markers:
            await self.chip.plant(self.given.markers)
            if self.given.arrives_reset:
                await self.chip.reset()
        await self.chip.become(self.given.chip)
        self._show_android()
        asked = await anyio.create_unix_listener(self._state / ASK_SOCKET, mode=0o666)
        self._alive.start_soon(asked.serve, ToolService(self).serve)
        await self.usb.make()
        await self._boot()

    def state(self) -> State:
        """As it is now."""
        return State(
            name=self.given.name,
            slot=self.slot,
            mode=self.usb.mode,
            adb_enabled=self.usb.adb_enabled,
            enumerated=self.usb.enumerated,
            restarting=self.restarting,
            broken=self.broken,
            serial=self.plan.serial,
            imei=self.plan.imei,
            android_id=self.android.android_id,
            boot_count=self.android.boot_count,
            reset_count=self.reset_count,
            test_harness=self.android.test_harness,
        )

    def stay_on(self, chargers: int) -> None:
        """Leave the screen on while one of these charges it."""
        self.android = replace(self.android, stay_on=chargers)
        self._show_android()

    def begin_charging(self) -> None:
        """Nothing to do: none of its batteries fills."""

    async def fetched_bytes(self) -> int:
        """Nothing to add: its chip is a block device, which the machine's own kernel counts."""
        return 0

    async def switch_nfc(self, *, on: bool) -> None:
        """Switch its NFC, and its chip with it unless that is one of its own."""
        self.android = replace(self.android, nfc_on=on)
        self._show_android()

    async def plug(self, slot: int, together: Together) -> None:
        """Put the cable in, in the same instant as the others."""
        try:
            async with self._turn:
                self._require_whole()
                if self.slot is not None:
                    raise UsageRefused(f"{self.given.name} is plugged in already")
                self.slot = slot
                self._shared.shelf.come(self.given.name, slot)
                await self._appear(together)
        finally:
            together.arrive(self.given.name)

    async def unplug(self) -> None:
        """Pull the cable."""
        async with self._turn:
            if self.slot is None:
                raise UsageRefused(f"{self.given.name} isn't plugged in")
            await self.usb.vanish()
            self._shared.shelf.leave(self.given.name)
            self.slot = None

    async def blink(self) -> None:
        """Lose the port and get it back."""
        async with self._turn:
            await self.usb.blink()

    async def stay_in(self) -> None:
        """Come back onto the bus if adbd has left it by itself and no hand is on it."""
        if self.usb.was_taken_off() and not self._turn.locked():
            async with self._turn:
                try:
                    await self.usb.return_by_itself()
                except (RackBroken, OSError) as cause:
                    self._break(f"{type(cause).__name__}: {cause}")

    async def set_adb(self, *, enabled: bool) -> None:
        """Switch debugging on or off on its screen; it enumerates anew for it."""
        await self._change(self.usb.mode, adb=enabled)

    async def set_mode(self, mode: Mode) -> None:
        """Show something else on USB."""
        await self._change(mode, adb=self.usb.adb_enabled)

    async def allow(self, key: str) -> None:
        """Tap Allow on its screen for this computer's key, and remember it."""
        async with self._turn:
            self._keys += key.strip() + "\n"
            self._write_keys()
            await self.usb.vanish()
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
            await self.usb.vanish()
            self.slot = None
            await self._end_inside()
            await self.usb.destroy()
            await self.chip.destroy()

    async def _change(self, mode: Mode, *, adb: bool) -> None:
        async with self._turn:
            self._require_whole()
            if (mode, adb) != (self.usb.mode, self.usb.adb_enabled):
                await self.usb.vanish()
                await self.usb.become(mode, adb=adb, inside=self._sandbox)
                await self._appear()

    async def _restart(self, wipe: Wipe, after_s: float) -> None:
        try:
            await self._go_down_and_up(wipe, after_s)
        except (RackBroken, OSError) as cause:  # TimeoutError is one too
            self._break(f"{type(cause).__name__}: {cause}")

    async def _go_down_and_up(self, wipe: Wipe, after_s: float) -> None:
        await anyio.sleep(after_s)
        async with self._turn:
            await self.usb.vanish()
            await self._end_inside()
            adb = self.usb.adb_enabled if wipe is Wipe.NONE else wipe is Wipe.TEST_HARNESS
            await self.usb.become(Mode.ANDROID, adb=adb, inside=None)
            if wipe is Wipe.NONE:
                self.android = self.android.restarted()
            else:
                await self.chip.reset()
                self.android = after_reset(test_harness=wipe is Wipe.TEST_HARNESS)
                if wipe is Wipe.BY_HAND:
                    self._keys = ""  # Test Harness Mode keeps them
                self.reset_count += 1
            self._show_android()
            await self._boot()
        await anyio.sleep(self.plan.restart_s if wipe is Wipe.NONE else self.plan.reset_s)
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
            endpoints=self.usb.adb_endpoints,
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
        if self.slot is None or self._sandbox is None or self.restarting:
            return
        if not self.usb.enumerated:
            await self.usb.appear(self.slot, self._sandbox, together)

    async def _end_inside(self) -> None:
        self._ending = True
        if self._sandbox is not None:
            await self._sandbox.end()
            self._sandbox = None

    def _show_android(self) -> None:
        self._answer_sets += 1
        audible = self.android.nfc_on or self.plan.felica_apart
        self._shared.shelf.switch(self.given.name, on=audible)
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
            self._alive.start_soon(self.usb.vanish)

    def _require_whole(self) -> None:
        if self.broken is not None:
            raise RackBroken(self.broken)
