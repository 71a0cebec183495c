"""The handsets of the rack, as the core asks for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import TaskStatus

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.dossier.dossier_files import Recording
from benchd.devices.android.dossier.dossier_store import DossierShelf
from benchd.devices.android.dossier.questionnaire import ask_everything
from benchd.devices.android.facts.inspection import (
    read_battery_facts,
    read_facts,
    read_identity,
    read_nfc_facts,
    read_reset_facts,
    read_sim,
    read_standing,
    read_storage_twice,
)
from benchd.devices.android.fill.binaries import Binaries
from benchd.devices.android.fill.bus_turns import STREAMS_PER_BUS, BusTurn, BusTurns
from benchd.devices.android.fill.keep_awake import kept_awake
from benchd.devices.android.fill.program_install import NoRoomForProgram
from benchd.devices.android.fill.program_on_handset import TAKE_BACK
from benchd.devices.android.fill.program_or_host import Overwriter, WaysToOverwrite
from benchd.devices.android.filler import Program
from benchd.devices.android.handset_screens import leave_setup_out, open_page
from benchd.devices.android.server.tracker import Tracker
from benchd.devices.android.server.transports import AdbServerAccess, Transport, TransportOpener
from benchd.devices.android.shell.commands import (
    AdbShell,
    Completed,
    Shell,
    command_line,
    require_success,
)
from benchd.devices.android.shell.flow import Flows
from benchd.devices.android.shell.script import Answer
from benchd.devices.android.shell.text import printable
from benchd.domain.errors import HandsetGone, StageFailed, UnsupportedHandset
from benchd.domain.fill import (
    NOTHING_OF_THIS_JOB,
    CheckOrder,
    CheckReport,
    DropReport,
    FillOrder,
    FillReport,
)
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StandingFacts,
)
from benchd.domain.job import Reason
from benchd.domain.port import Liveness
from benchd.domain.ports import HostSamples, ProgressSink, Rest
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome

NEEDED_FEATURE: Final = "shell_v2"


class AdbAccess:
    """benchd's adb server as the core sees it: who is there, and handsets to work with."""

    def __init__(
        self,
        *,
        server: AdbServerAccess,
        program_path: Callable[[str, Program], Path],
        streams_per_bus: int = STREAMS_PER_BUS,
        shelf: DossierShelf | None = None,
    ) -> None:
        self._tracker = Tracker(server)
        self._opener = TransportOpener(server)
        self._binaries = Binaries(program_path)
        self._turns = BusTurns(streams_per_bus)
        self._flows = Flows()
        self._shelf = shelf

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the server's list of handsets until cancelled."""
        await self._tracker.run(task_status=task_status)

    def liveness(self, address: AdbAddress) -> AbstractAsyncContextManager[AsyncIterator[Liveness]]:
        """What the server says of the address now, then each change."""
        return self._tracker.liveness(address)

    async def open(self, address: AdbAddress) -> AdbHandset:
        """The handset that is READY at this address, bound to its present transport."""
        shell = await self._open_shell(address)
        return AdbHandset(shell, self._binaries, self._turns.of(address), self._shelf)

    async def ask_everything(self, address: AdbAddress) -> Recording:
        """All that the handset at this address answers, by reading only."""
        return await ask_everything(await self._open_shell(address))

    async def look_at(self, address: AdbAddress) -> tuple[HandsetFacts, ResetFacts]:
        """What the handset at this address is, and what its last reset left, by reading only."""
        shell = await self._open_shell(address)
        return await read_facts(shell), await read_reset_facts(shell)

    async def _open_shell(self, address: AdbAddress) -> Shell:
        transport = self._tracker.ready_transport(address)
        if transport is None:
            if self._tracker.serving:
                raise HandsetGone("no handset is ready there")
            raise AdbServerLost("the adb server is down")
        await self._confirm(address, transport)
        if NEEDED_FEATURE not in await self._opener.features(transport):
            raise UnsupportedHandset("its adb has no exit codes (Android 6 or older)")
        return AdbShell(self._opener, transport, self._flows.of(address))

    async def _confirm(self, address: AdbAddress, transport: Transport) -> None:
        # The list holds words that handsets choose; whom a transport leads to, only the server
        # itself can say.
        if address.startswith("usb:"):
            found = await self._opener.device_path(transport)
        else:
            found = await self._opener.serial(transport)
        if found != address:
            raise HandsetGone("the list of handsets names another transport")


class AdbHandset:
    """One handset, for as long as its transport lasts."""

    def __init__(
        self, shell: Shell, binaries: Binaries, turn: BusTurn, shelf: DossierShelf | None = None
    ) -> None:
        self._open_shell: Shell | None = shell
        self._shelf = shelf
        self._heard: dict[str, Answer] = {}
        """Its last answers, for a dossier and for whoever else would ask the same."""
        self._ways = WaysToOverwrite(shell, binaries, turn, self._heard)

    @property
    def _shell(self) -> Shell:
        if self._open_shell is None:
            raise HandsetGone("this handset was let go of")
        return self._open_shell

    async def identity(self) -> HandsetIdentity:
        """Who this handset says it is."""
        return await read_identity(self._shell)

    async def inspect(self) -> HandsetFacts:
        """Everything that the gates and the certificate need to know."""
        facts = await read_facts(self._shell, self._heard)
        # Found out after the reset it would be too late.
        if await self._ways.look():
            return replace(facts, **asdict(await read_storage_twice(self._shell)))
        return facts

    async def standing(self) -> StandingFacts:
        """Who it is and what the gates refuse by, read afresh."""
        return await read_standing(self._shell, self._heard)

    async def sim(self) -> bool | None:
        """Whether a SIM is in it now."""
        return await read_sim(self._shell)

    async def battery(self) -> BatteryFacts:
        """How full and how warm the battery is now."""
        return await read_battery_facts(self._shell)

    async def nfc_facts(self) -> NfcFacts:
        """Whether its radio and its screen are on."""
        return await read_nfc_facts(self._shell)

    async def switch_nfc(self, *, on: bool) -> None:
        """Ask for its radio to be switched; its answer proves nothing."""
        await switch_nfc(self._shell, on=on)

    async def reset_facts(self) -> ResetFacts:
        """The facts that only a reset changes, read afresh."""
        return await read_reset_facts(self._shell, self._heard)

    async def enable_test_harness(self) -> None:
        """Ask for the reset that keeps adb; its answer proves nothing."""
        await enable_test_harness(self._shell)

    async def open_page(self, page: Page) -> OpenedPage:
        """Wake the screen and open a page of the settings, for a person's eyes only."""
        return await open_page(self._shell, page)

    async def leave_setup_out(self) -> ScreenOutcome:
        """Tell the system that its first setup is over, if it isn't."""
        return await leave_setup_out(self._shell)

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Overwrite all the user storage that can be reached."""
        way = await self._way_to_fill(order)
        async with kept_awake(self._shell) as awake:
            report = await way.fill(order, progress, rest)
        return replace(report, awake=awake.report)

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Read back what is ordered past the handset's cache and compare it with the keystream."""
        way = await self._way()
        async with kept_awake(self._shell) as awake:
            report = await way.check(order, progress, rest)
        return replace(report, awake=awake.report)

    @asynccontextmanager
    async def samples(self) -> AsyncGenerator[HostSamples]:
        """Samples of the fill past the handset's cache, read by the handset's own `dd`."""
        async with (await self._way()).samples() as samples:
            yield samples

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete all that the fill has made, or only what takes the last room."""
        return await (await self._way(may_make_room=True)).drop(only_tail=only_tail)

    async def take_back(self) -> None:
        """Remove benchd's programs, and their directory unless something else is in it."""
        require_success(await self._shell.run(TAKE_BACK), "rm")

    async def leave_dossier(self, name: str, why: str) -> str | None:
        """Keep on the rack what it has answered and still answers, without what is personal."""
        if self._shelf is None or self._open_shell is None:
            return None
        return await self._shelf.keep(name, self._open_shell, self._heard, why)

    async def aclose(self) -> None:
        """Let go of the transport: no command is started on it any more."""
        self._open_shell = None

    async def _way_to_fill(self, order: FillOrder) -> Overwriter:
        """Room is made of files of a fill, which on another handset may be another job's."""
        try:
            return await self._way(may_make_room=not order.prior_bytes)
        except NoRoomForProgram:
            if not order.prior_bytes:
                raise
            # The program was on the handset that has left.
            raise StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB) from None

    async def _way(self, *, may_make_room: bool = False) -> Overwriter:
        if self._open_shell is None:
            raise HandsetGone("this handset was let go of")
        return await self._ways.chosen(may_make_room=may_make_room)


ENABLE_DEADLINE_S: Final = 120.0

_LOCK_IS_SET: Final = 2
"""Exit code of TestHarnessModeService's shell command (AOSP, frameworks/base)."""

_ENDED_BY_A_SIGNAL: Final = range(129, 129 + 64)
"""A shell's exit codes for a command that died of signal 1 to 64."""


async def enable_test_harness(shell: Shell) -> None:
    """Ask for the reset that keeps adb; that it returns proves nothing.

    The handset may reboot before its answer is through: HandsetGone then says that it can't be
    known whether it was even asked, and what became of it shows on the port.
    """
    completed = await shell.run(
        command_line("cmd", "testharness", "enable"), deadline_s=ENABLE_DEADLINE_S
    )
    if completed.exit_code == _LOCK_IS_SET:
        raise StageFailed(Reason.LOCKED, "a screen lock forbids Test Harness Mode")
    if completed.exit_code in _ENDED_BY_A_SIGNAL:
        # The handset ends what runs on it when it goes down, this command too.
        raise HandsetGone("the command was ended by a signal, perhaps by the reset it asked for")
    if completed.exit_code != 0:
        # 1: the maker left out what it needs; 20: this Android has no such service.
        raise UnsupportedHandset(
            f"no Test Harness Mode (code {completed.exit_code}): {_said(completed)}"
        )


def _said(completed: Completed) -> str:
    return printable((completed.stderr or completed.stdout).decode(errors="replace"))


SWITCH_DEADLINE_S: Final = 20.0
BACK_ON_AFTER_S: Final = 60
"""The system keeps what it was switched to over a restart. Should benchd or the cable go in the
meantime, nobody else would switch it on again: so the handset does that itself."""

_NFC_ON: Final = "svc nfc enable"


async def switch_nfc(shell: Shell, *, on: bool) -> None:
    """Ask for it; that it returns proves nothing.

    `svc nfc` (AOSP, frameworks/base, cmds/svc: NfcCommand) calls INfcAdapter.enable and .disable,
    for which NfcService wants WRITE_SECURE_SETTINGS (packages/apps/Nfc: NfcPermissions); the
    manifest of packages/Shell holds it. So shell may do it from Android 8 on, unless the maker or
    an administrator forbids it. It ends with 0 whatever became of it, and `cmd nfc` is no way
    round: it isn't there before Android 15, and a maker's has been seen to take the NFC service
    down.

    What it switches is the NFC controller. A FeliCa chip behind it falls silent; older Japanese
    models have one beside it that answers on.
    """
    command = _NFC_ON if on else off_command(BACK_ON_AFTER_S)
    await shell.run(command, deadline_s=SWITCH_DEADLINE_S)


def off_command(back_on_after_s: float) -> str:
    """Switches it off once it's certain that it goes on again, whatever becomes of this shell."""
    back_on = f"(sleep {back_on_after_s:g}; {_NFC_ON}) </dev/null >/dev/null 2>&1 &"
    return f"trap '' HUP; {back_on} svc nfc disable"
