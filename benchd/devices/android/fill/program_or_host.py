"""By which way a handset's storage is overwritten: its own program, or the host over the cable."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from benchd.devices.android.fill.binaries import Binaries
from benchd.devices.android.fill.bus_turns import BusTurn
from benchd.devices.android.fill.counted_reads import MOST_COUNT_BYTES, counted, require_fetched
from benchd.devices.android.fill.driver import FillDriver
from benchd.devices.android.fill.full_storage import takes_no_more
from benchd.devices.android.fill.host_fill import HostFill
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.fill.leftover_files import leftovers
from benchd.devices.android.fill.processors import Processors
from benchd.devices.android.fill.program_install import HandsetPrograms, NoRoomForProgram
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.fill.shown_reads import ShownReads
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import UnsupportedHandset
from benchd.domain.fill import CheckOrder, CheckReport, DropReport, FillOrder, FillReport
from benchd.domain.ports import HostSamples, ProgressSink, Rest

PROBE_BYTES: Final = 4096
_PROBE: Final = f"{FILL_DIRECTORY}/probe"
_PROBE_CONTENT: Final = bytes(range(256)) * (PROBE_BYTES // 256)
_WRITE_PROBE: Final = f"mkdir -p {FILL_DIRECTORY} && cat > {_PROBE} && sync"
_READ_PROBE: Final = counted(f"dd if={_PROBE} bs={PROBE_BYTES} count=1 iflag=direct 2> /dev/null")
_REMOVE_PROBE: Final = f"rm -f {_PROBE}"


async def require_direct_reads(shell: Shell) -> None:
    """Write one block, read it past the cache and delete it; UnsupportedHandset if that fails.

    The block is in the cache when it is read: a `dd` that is answered from there shows itself.
    A storage that is too full for one block is passed: what is read later proves itself.
    """
    written = await shell.run(_WRITE_PROBE, stdin=_PROBE_CONTENT)
    if takes_no_more(written.stderr):
        await shell.run(_REMOVE_PROBE)
        return
    if written.exit_code != 0:
        message = f"no program runs and nothing can be written either (code {written.exit_code})"
        raise UnsupportedHandset(message)
    read = await shell.run(_READ_PROBE, maximum_output_bytes=PROBE_BYTES + MOST_COUNT_BYTES)
    await shell.run(_REMOVE_PROBE)
    if read.exit_code != 0:
        message = f"no program runs and its dd can't bypass the cache (code {read.exit_code})"
        raise UnsupportedHandset(message)
    if read.stdout != _PROBE_CONTENT:
        raise UnsupportedHandset("no program runs and its dd doesn't read what was written")
    require_fetched(read.stderr, PROBE_BYTES)


class Overwriter(Protocol):
    """What either way does; see `benchd.pipelines.ports.Handset`."""

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Overwrite all the user storage that can be reached."""
        ...

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Read back what is ordered past the cache and compare it."""
        ...

    def samples(self) -> AbstractAsyncContextManager[HostSamples]:
        """Samples of the fill files past the cache."""
        ...

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete what the fill has made."""
        ...


class NativeFill:
    """The fill program on the handset, and the host's own look beside it."""

    def __init__(self, driver: FillDriver, reads: ShownReads) -> None:
        self.fill = driver.fill
        self.check = driver.check
        self.samples = reads.samples
        self.drop = driver.drop


class WaysToOverwrite:
    """Chooses once for as long as the transport lasts; after a reset it is chosen anew."""

    def __init__(
        self,
        shell: Shell,
        binaries: Binaries,
        turn: BusTurn,
        heard: Mapping[str, Answer],
    ) -> None:
        """`heard` is what the handset has answered over the same transport, as far as it goes."""
        self._shell = shell
        self._programs = HandsetPrograms(shell, binaries, Processors(shell, heard))
        self._reads = ShownReads(shell)
        self._turn = turn
        self._chosen: Overwriter | None = None

    async def look(self) -> bool:
        """Find out, before anything is lost, whether there is a way; UnsupportedHandset if not.

        What a fill that was broken off has left there is deleted, and True says so: nothing on
        the handset can be relied on to have done it. A handset that is too full even for the
        program is left for later: it may be asked only once what fills it has been reset away.
        """
        way, left = self._chosen, None
        if way is None:
            try:
                way, left = await self._choose(may_make_room=False)
            except NoRoomForProgram:
                return False
        if left is None:
            left = await leftovers(self._shell)
        if not left:
            return False
        await way.drop()
        return True

    async def chosen(self, *, may_make_room: bool) -> Overwriter:
        """The program where it runs; else the host. Either only if a read can prove anything."""
        if self._chosen is not None:
            return self._chosen
        way, _ = await self._choose(may_make_room=may_make_room)
        return way

    async def _choose(self, *, may_make_room: bool) -> tuple[Overwriter, tuple[str, ...] | None]:
        """The way, and what fills have left there; None where that wasn't found out beside it."""
        left: tuple[str, ...] | None = None
        running = await self._programs.that_run(may_make_room=may_make_room)
        if Program.FILL in running:
            left = await self._reads.require(cache_program_runs=Program.CACHE in running)
            self._chosen = NativeFill(FillDriver(self._shell), self._reads)
        else:
            await require_direct_reads(self._shell)
            self._chosen = HostFill(self._shell, HostKeystream(), self._turn)
        return self._chosen, left
