"""One virtual handset: outlives its cable and the daemon, and ends loudly or with the rack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.addresses import adb_address
from benchd.lab.simulator.android import AndroidState, after_reset, as_it_came_in
from benchd.lab.simulator.answers import answers, write_answers
from benchd.lab.simulator.auth_front import AuthFront
from benchd.lab.simulator.cable import Cable
from benchd.lab.simulator.chips.shelf import ReaderShelf
from benchd.lab.simulator.flash import Flash
from benchd.lab.simulator.lines.child import Child, Message, RackBroken
from benchd.lab.simulator.plan import Account, Act, HandsetPlan, Trigger, Wipe
from benchd.lab.simulator.plug_board import PlugBoard
from benchd.lab.simulator.sandbox import Sandbox
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.system_image import SystemImage
from benchd.lab.simulator.tool_service import ASK_SOCKET, CHARGES_FILE, ToolService

_log = structlog.get_logger()

START_DEADLINE_S: Final = 60.0
CHARGE_EVERY_S: Final = 0.5
FULL_PERCENT: Final = 100.0
LONGEST_WAIT_S: Final = 1.0
"""What somebody really waits for an absence; the rest of it goes by on the port's clock alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedParts:
    """What all handsets of a rack share."""

    image: SystemImage
    board: PlugBoard
    cable: Cable
    shelf: ReaderShelf
    log: Path


class VirtualHandset:
    """Everything that can be done to one handset. `run` keeps it alive."""

    def __init__(self, *, plan: HandsetPlan, directory: Path, rack: SharedParts) -> None:
        self.plan = plan
        self.slot: int | None = None
        self.attachment: str | None = None
        self.adb_enabled = plan.adb_enabled
        self.authorized = plan.authorized
        self.hung = False
        self.restarting = False
        self.broken: str | None = None
        self.reset_count = 0
        self.android: AndroidState = as_it_came_in(plan)
        self.state_directory = directory / "state"
        self._rack = rack
        self._answer_sets = 0
        self._triggers = sorted(plan.triggers, key=lambda trigger: trigger.at_fill_fraction)
        self._hands = anyio.Lock()
        self._mounted = anyio.Event()
        self._sandbox_up = anyio.Event()
        self._tasks: TaskGroup | None = None
        self._front: AuthFront | None = None
        self._charged_percent = float(plan.battery_percent)
        data = directory / "data"
        self.flash = Flash(
            plan=plan,
            mountpoint=data,
            directory=directory,
            log=rack.log,
            on_event=self._on_storage_event,
        )
        self._sandbox = Sandbox(
            plan=plan,
            image=rack.image,
            data=data,
            state=self.state_directory,
            log=rack.log,
            on_event=self._on_sandbox_event,
        )

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Build the handset, report started when it works, keep it until cancelled."""
        self.state_directory.mkdir(parents=True)
        if self.plan.charges_percent_per_s:
            (self.state_directory / CHARGES_FILE).touch()
        self._show_android()
        async with anyio.create_task_group() as self._tasks:
            await self.flash.start()
            self._tasks.start_soon(self._until_end, self.flash.child, self._mounted)
            with anyio.fail_after(START_DEADLINE_S):
                await self._mounted.wait()
            self._require_whole()
            await self._sandbox.child.start()
            self._tasks.start_soon(self._until_end, self._sandbox.child, self._sandbox_up)
            with anyio.fail_after(START_DEADLINE_S):
                await self._sandbox_up.wait()
            self._require_whole()
            listener = await anyio.create_unix_listener(self.state_directory / ASK_SOCKET)
            self._tasks.start_soon(listener.serve, ToolService(self).serve)
            if self.plan.slot is not None:
                await self.plug(self.plan.slot)
            task_status.started()

    async def plug(self, slot: int) -> None:
        """Put the cable in."""
        async with self._hands:
            self._require_whole()
            if self.slot is not None:
                raise UsageRefused(f"{self.plan.name} is plugged in already")
            self._rack.shelf.come(self.plan.name, slot)
            self.slot = slot
            if not self.restarting:
                await self._appear()

    async def unplug(self) -> None:
        """Pull the cable out."""
        async with self._hands:
            if self.slot is None:
                raise UsageRefused(f"{self.plan.name} isn't plugged in")
            self._rack.shelf.leave(self.plan.name)
            await self._vanish()
            self.slot = None

    async def set_adb(self, *, enabled: bool) -> None:
        """Switch debugging on or off on the screen; a handset enumerates anew for it."""
        async with self._hands:
            self._require_whole()
            if enabled != self.adb_enabled:
                present = self.attachment is not None
                await self._vanish()
                self.adb_enabled = enabled
                if present:
                    await self._appear()

    async def allow(self) -> None:
        """Tap "always allow from this computer" on its screen."""
        async with self._hands:
            self._require_adb()
            if not self.authorized:
                self.authorized = True
                await self._stop_adb()
                await self._start_adb()

    async def hang(self) -> None:
        """Stop answering, without leaving the bus; a new cable begins anew."""
        async with self._hands:
            self._require_adb()
            await self._sandbox.freeze_adbd()
            self._set_hung(hung=True)

    async def resume(self) -> None:
        """Answer again."""
        async with self._hands:
            self._require_adb()
            await self._sandbox.thaw_adbd()
            self._set_hung(hung=False)

    def stay_on(self, chargers: int) -> None:
        """Leave the screen on while one of these charges it."""
        self.android = replace(self.android, stay_on=chargers)
        self._show_android()

    def begin_charging(self) -> None:
        """Fill the battery from now on, where the plan says that it fills."""
        file = self.state_directory / CHARGES_FILE
        if self._tasks is not None and file.exists():
            file.unlink()
            self._tasks.start_soon(self._charge)

    def set_tray(self, *, memory_card: bool, sim: bool) -> None:
        """Have these lie in its tray from now on, and nothing else; it notices at once."""
        self.plan = replace(self.plan, memory_card=memory_card, sim=sim)
        self._show_android()

    def sign_in(self) -> None:
        """Add an account that somebody signs in to."""
        accounts = (*self.android.accounts, Account(name="somebody@example.com"))
        self.android = replace(self.android, accounts=accounts)
        self._show_android()

    async def fetched_bytes(self) -> int:
        """What was read from its chip so far, past every cache."""
        return (await self.flash.facts()).read_bytes

    async def switch_nfc(self, *, on: bool) -> None:
        """Switch its NFC, and its chip with it unless that is one of its own.

        What comes in with it off is broken and stays so.
        """
        self.android = replace(self.android, nfc_on=on and self.plan.nfc_on)
        self._show_android()

    async def restart(self, wipe: Wipe, *, after_s: float = 0.0) -> None:
        """Begin a restart, with or without a reset; returns when it's on its way."""
        if self._tasks is None:
            raise RackBroken(f"{self.plan.name} isn't running")
        async with self._hands:
            self._require_whole()
            if self.restarting:
                raise UsageRefused(f"{self.plan.name} is restarting already")
            self.restarting = True
        self._tasks.start_soon(self._restart, wipe, after_s)

    def _set_hung(self, *, hung: bool) -> None:
        self.hung = hung
        if self.slot is not None:
            self._rack.cable.silence(adb_address(self.slot), silent=hung)

    async def _restart(self, wipe: Wipe, after_s: float) -> None:
        try:
            await self._go_down_and_up(wipe, after_s)
        except RackBroken as cause:
            self._break(str(cause))

    async def _go_down_and_up(self, wipe: Wipe, after_s: float) -> None:
        await anyio.sleep(after_s)
        async with self._hands:
            await self._vanish()
            await self._sandbox.end_everything()
            if wipe is Wipe.NONE:
                self.android = self.android.restarted()
            else:
                await self.flash.reset()
                self.android = after_reset(test_harness=wipe is Wipe.TEST_HARNESS)
                self.adb_enabled = wipe is Wipe.TEST_HARNESS
                self.reset_count += 1
            self._show_android()
        absence_s = self.plan.restart_s if wipe is Wipe.NONE else self.plan.reset_s
        waited_s = min(absence_s, LONGEST_WAIT_S)
        await anyio.sleep(waited_s)
        async with self._hands:
            self.restarting = False
            if self.slot is not None:
                self._rack.board.skip(self.slot, absence_s - waited_s)
                await self._appear()

    async def _appear(self) -> None:
        if self.slot is None or self.attachment is not None:
            return
        if self.adb_enabled:
            await self._start_adb()
            self._rack.cable.hold(adb_address(self.slot))
        attached = self._rack.board.attach(self.plan, self.slot, adb=self.adb_enabled)
        self.attachment = attached.attachment

    async def _vanish(self) -> None:
        if self.slot is None or self.attachment is None:
            return
        self._rack.cable.release(adb_address(self.slot))
        self._rack.board.detach(self.slot)
        self.attachment = None
        self.hung = False  # whatever comes next is a new adbd
        if self.adb_enabled and self.broken is None:
            await self._stop_adb()

    async def _start_adb(self) -> None:
        if self.slot is None:
            return
        if self.authorized:
            await self._sandbox.start_adbd(self.slot, self.plan.model)
        else:
            if self._tasks is None:
                raise RackBroken(f"{self.plan.name} isn't running")
            self._front = AuthFront()
            await self._tasks.start(self._front.run, self.slot)

    async def _stop_adb(self) -> None:
        if self._front is not None:
            front, self._front = self._front, None
            await front.stop()
        else:
            await self._sandbox.stop_adbd()

    async def _charge(self) -> None:
        """Fill the battery for as long as the handset sits in a slot."""
        while self._charged_percent < FULL_PERCENT:
            await anyio.sleep(CHARGE_EVERY_S)
            if self.slot is not None:
                gained = self.plan.charges_percent_per_s * CHARGE_EVERY_S
                self._charged_percent = min(FULL_PERCENT, self._charged_percent + gained)
                self._show_android()

    def _show_android(self) -> None:
        self._answer_sets += 1
        audible = self.android.nfc_on or self.plan.felica_apart
        self._rack.shelf.switch(self.plan.name, on=audible)
        found = answers(self.plan, self.android, battery_percent=int(self._charged_percent))
        write_answers(self.state_directory, self._answer_sets, found)

    def _on_storage_event(self, message: Message) -> None:
        match message:
            case {"event": "mounted"}:
                self._mounted.set()
            case {"event": "fill_mark"} if self._tasks is not None:
                self._tasks.start_soon(self._pull, self._triggers.pop(0))
            case _:
                _log.error("storage_event_unknown", handset=self.plan.name, message=message)

    def _on_sandbox_event(self, message: Message) -> None:
        match message:
            case {"event": "ready"}:
                self._sandbox_up.set()
            case _:
                # adbd may only end because the rack stops it.
                self._break(f"{self.plan.name}: {message}")

    async def _pull(self, trigger: Trigger) -> None:
        """Do what a trigger says, and let the fill go on."""
        slot = self.slot
        acts: dict[Act, Callable[[], Awaitable[None]]] = {
            Act.UNPLUG: self.unplug,
            Act.HANG: self.hang,
            Act.FAULT: lambda: self.flash.set_faults(trigger.faults or StorageFaults()),
        }
        try:
            await acts[trigger.do]()
            await self.flash.answer_mark()
            if trigger.plug_back_after_s is not None and slot is not None:
                await anyio.sleep(trigger.plug_back_after_s)
                await self.plug(slot)
        except UsageRefused as refused:
            # Somebody's hands were faster.
            _log.warning("trigger_refused", handset=self.plan.name, cause=str(refused))
            await self.flash.answer_mark()
        except RackBroken as cause:
            self._break(str(cause))

    async def _until_end(self, child: Child, awaited: anyio.Event) -> None:
        try:
            self._break(await child.run())
            awaited.set()
        finally:
            with anyio.CancelScope(shield=True):
                await child.kill()

    def _break(self, cause: str) -> None:
        """Never let a handset whose insides died pass for a blank one."""
        if self.broken is not None:
            return
        self.broken = cause
        _log.error("virtual_handset_broken", handset=self.plan.name, cause=cause)
        if self.slot is not None and self.attachment is not None:
            self._rack.cable.release(adb_address(self.slot))
            self._rack.board.detach(self.slot)
            self.attachment = None

    def _require_whole(self) -> None:
        if self.broken is not None:
            raise RackBroken(self.broken)

    def _require_adb(self) -> None:
        self._require_whole()
        if self.attachment is None or not self.adb_enabled:
            raise UsageRefused(f"{self.plan.name} has no adb at present")
