"""Puts benchd's own programs onto a handset, makes sure that they are whole, and tries them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from benchd.devices.android.fill.binaries import Binaries, Binary
from benchd.devices.android.fill.full_storage import QUOTA, takes_no_more
from benchd.devices.android.fill.processors import Processors
from benchd.devices.android.fill.program_on_handset import (
    FILL_DIRECTORY,
    has_run,
    is_whole,
    to_measure,
    to_start,
    to_write,
)
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.script import run_script
from benchd.domain.errors import StageFailed, StorageFault, TransientFault, UnsupportedHandset
from benchd.domain.fill import ENDED_BY_QUOTA
from benchd.domain.job import Reason

PUSH_DEADLINE_S: Final = 120.0
START_DEADLINE_S: Final = 60.0
"""A program's first start on a handset that is busy takes seconds, and isn't a stall."""

_MAKE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/tail-*"
_MAKE_MORE_ROOM: Final = f"rm -f {FILL_DIRECTORY}/fill-*"

_WRITTEN: Final = "written"
_MEASURED: Final = "measured"


class NoRoomForProgram(StorageFault):
    """Raised when the handset's storage is too full even for one of benchd's programs."""


class HandsetPrograms:
    """The programs of one handset, both at once: two shells where they are there already."""

    def __init__(self, shell: Shell, binaries: Binaries, processors: Processors) -> None:
        self._shell = shell
        self._binaries = binaries
        self._processors = processors

    async def that_run(self, *, may_make_room: bool) -> frozenset[Program]:
        """Those that are on the handset now, byte for byte, and that it lets run.

        Where one for the wider registers doesn't run, that for the narrower is tried. None where
        there is no program for this handset. Storage may still be full from a fill that was
        broken off; with `may_make_room` files of that fill are deleted if a program doesn't fit
        otherwise: those first that take the last room, since the others may still prove
        themselves. That another program can't be written is raised only once the fill program
        runs: without that one, nobody needs it.
        """
        try:
            abis = await self._processors.abis()
        except UnsupportedHandset:
            return frozenset()
        running = frozenset[Program]()
        for abi in abis:
            lacking = [program for program in Program if program not in running]
            running |= await self._try(abi, lacking, may_make_room=may_make_room)
            if len(running) == len(Program):
                break
        return running

    async def _try(
        self, abi: str, programs: Iterable[Program], *, may_make_room: bool
    ) -> frozenset[Program]:
        """Those of these programs for an ABI that run."""
        wanted = {program: await self._binaries.of(abi, program) for program in programs}
        there = await self._there(wanted)
        failure: StorageFault | None = None
        for program, binary in wanted.items():
            if program in there:
                continue
            try:
                await self._put(program, binary, may_make_room=may_make_room)
            except StorageFault as fault:
                if program is Program.FILL:
                    raise
                failure = fault
            else:
                there |= {program}
        running = await self._started(there)
        if failure is not None and (Program.FILL in running or Program.FILL not in wanted):
            raise failure
        return running

    async def _there(self, wanted: dict[Program, Binary]) -> frozenset[Program]:
        measured = await run_script(
            self._shell,
            {program: to_measure(program) for program in wanted},
            deadline_s=PUSH_DEADLINE_S,
        )
        return frozenset(
            program
            for program, binary in wanted.items()
            if is_whole(measured[program], binary, just_written=False)
        )

    async def _put(self, program: Program, binary: Binary, *, may_make_room: bool) -> None:
        rooms = [_MAKE_ROOM, _MAKE_MORE_ROOM] if may_make_room else []
        while True:
            # What counts is what is measured after it, in the same shell.
            answers = await run_script(
                self._shell,
                {_WRITTEN: to_write(program), _MEASURED: to_measure(program)},
                stdin=binary.packets,
                deadline_s=PUSH_DEADLINE_S,
            )
            written = answers[_WRITTEN]
            if written.status == 0:
                break
            complaint = written.text.encode()
            if not takes_no_more(complaint):
                raise StorageFault(f"{program} can't be written (code {written.status})")
            if not rooms and may_make_room and QUOTA in complaint:
                raise StageFailed(Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)
            if not rooms:
                raise NoRoomForProgram(f"there is no room for {program}")
            await self._shell.run(rooms.pop(0), deadline_s=PUSH_DEADLINE_S)
        if not is_whole(answers[_MEASURED], binary, just_written=True):
            raise TransientFault(f"{program} arrived damaged")

    async def _started(self, programs: frozenset[Program]) -> frozenset[Program]:
        """Start them one after the other, in their order: each has its own exit status."""
        if not programs:
            return programs
        commands = {program: to_start(program) for program in Program if program in programs}
        answers = await run_script(
            self._shell, commands, deadline_s=START_DEADLINE_S * len(commands)
        )
        return frozenset(program for program in programs if has_run(answers[program]))
