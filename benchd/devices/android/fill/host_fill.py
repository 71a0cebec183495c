"""The overwrite of a handset on which no native program runs: the host makes the keystream.

The cable carries every byte twice, there and back, so this is for the few handsets that refuse
to run a program; the proof is the same: each byte is read past the cache and compared.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import anyio

from benchd.devices.android.facts.inspection import read_storage_facts
from benchd.devices.android.fill.bus_turns import BusTurn
from benchd.devices.android.fill.cable_streams import CableStreams, Meter
from benchd.devices.android.fill.comparison import Comparison
from benchd.devices.android.fill.counted_reads import CountedSamples
from benchd.devices.android.fill.fill_messages import (
    LONGEST_BAD_LIST,
    fill_index,
    fill_name,
    is_fill_name,
)
from benchd.devices.android.fill.full_storage import NO_SPACE, QUOTA
from benchd.devices.android.fill.keystream import AES_COUNTER
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.fill.stream_layout import StreamLayout
from benchd.devices.android.shell.commands import Shell, require_success
from benchd.domain.errors import AnswerNotRecognised, StageFailed, StorageFault, UnsupportedHandset
from benchd.domain.fill import (
    BLOCK_BYTES,
    ENDED_BY_QUOTA,
    MOST_FILES,
    NOTHING_OF_THIS_JOB,
    TAIL_PREFIX,
    BadRun,
    CheckOrder,
    CheckReport,
    DropReport,
    FileRange,
    FilledFile,
    FillOrder,
    FillReport,
    TransferProgress,
)
from benchd.domain.handset import StorageFacts
from benchd.domain.job import Reason
from benchd.domain.ports import Keystream, ProgressSink, Rest
from benchd.proof.floors import LEAST_FREE_AFTER_FILL_BYTES
from benchd.proof.storage_proof import NO_PROGRAM, STREAMED

SMALLEST_HEADROOM_SHARE: Final = 8
"""The headroom on a small storage is one part in so many at most."""
COMMAND_DEADLINE_S: Final = 120.0
MOST_DIGITS: Final = 15
MOST_TAILS: Final = 8
"""How often what the system gives back while its storage is full is filled again."""
PRIOR_ENOUGH_BYTES: Final = 1 << 20
"""So much of a keystream nobody else has; the whole is read again anyway."""

_IN_DIRECTORY: Final = f"mkdir -p {FILL_DIRECTORY} && cd {FILL_DIRECTORY} && ls"
_TAIL: Final = "tail-*"
_BESIDE: Final = "tail-* small-* dir-* probe"
_ALL: Final = f"fill-* {_BESIDE}"


class HostFill:
    """Fills, checks, samples and drops by the handset's own `cat`, `dd` and `rm`."""

    def __init__(self, shell: Shell, keystream: Keystream, turn: BusTurn) -> None:
        self._shell = shell
        self._keystream = keystream
        self._streams = CableStreams(shell, turn)

    async def fill(
        self, order: FillOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> FillReport:
        """Write the keystream file by file until the storage is full, and sync it."""
        begun = anyio.current_time()
        meter = Meter(progress, rest)
        prior_bytes_proven = await self._prior(order, rest)
        kept = await self._kept(order, meter)
        before = _without(await read_storage_facts(self._shell), kept)
        run = _Run(order, meter, before, kept)
        await self._fill_body(run)
        tail_begun = anyio.current_time()
        after = await self._fill_last_gaps(run)
        full_s = anyio.current_time() - tail_begun
        if not run.files:
            raise StorageFault("not a single block could be written")
        return FillReport(
            program_version=NO_PROGRAM,
            cipher=AES_COUNTER,
            mode=STREAMED,
            bytes_written=run.written,
            resumed_bytes=sum(file.size_bytes for file in kept),
            prior_bytes_proven=prior_bytes_proven,
            files=tuple(run.files),
            small_files=0,
            small_bytes=0,
            directories=0,
            logs="by_name" if run.layout.logs else "one",
            full_s=full_s,
            capacity_bytes=before.capacity_bytes,
            free_bytes_before=before.free_bytes,
            free_bytes_after=after.free_bytes,
            used_bytes_before=before.used_bytes,
            reserved_bytes=max(before.capacity_bytes - before.used_bytes - before.free_bytes, 0),
            elapsed_s=anyio.current_time() - begun,
        )

    async def check(
        self, order: CheckOrder, progress: ProgressSink, rest: Rest | None = None
    ) -> CheckReport:
        """Fetch what is ordered past the handset's cache and compare it with the keystream here."""
        if not order.ordered_bytes:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "there is no fill file to read back")
        if order.small_files:
            raise UnsupportedHandset("what a program has filled can't be checked without it")
        begun = anyio.current_time()
        meter = Meter(progress, rest)
        proven = bad = 0
        runs: list[BadRun] = []
        for part in _parts(order):
            meter.begin(proven + bad)
            found = await self._compare(order.files[part.file], part, order, meter)
            proven += found.proven
            bad += found.bad
            runs += found.runs[: LONGEST_BAD_LIST - len(runs)]
        return CheckReport(
            bytes_proven=proven,
            bytes_shown=proven + bad,
            bytes_bad=bad,
            bad_runs=tuple(runs),
            small_same=0,
            past_cache="o_direct",
            elapsed_s=anyio.current_time() - begun,
        )

    @asynccontextmanager
    async def samples(self) -> AsyncGenerator[CountedSamples]:
        """Samples of the fill files past the handset's cache."""
        yield CountedSamples(self._shell)

    async def drop(self, *, only_tail: bool = False) -> DropReport:
        """Delete all that the fill has made, or only what takes the last room, and sync."""
        names = await self._remove(_TAIL if only_tail else _ALL)
        storage = await read_storage_facts(self._shell)
        return DropReport(
            files_removed=sum(not only_tail or name.startswith(TAIL_PREFIX) for name in names),
            free_bytes=storage.free_bytes,
            trim="not_asked",
            trimmed_bytes=0,
        )

    async def _prior(self, order: FillOrder, rest: Rest | None) -> int:
        """How much of the first file that an earlier fill has left proves itself, a part of it."""
        if not order.prior_bytes:
            return 0
        meter = Meter(_tell_nobody, rest)
        before = 0
        for name in sorted(await self._listed()):
            place = (fill_index(name) or 0) * order.file_bytes
            size = await self._size_of(name)
            part = min(size, PRIOR_ENOUGH_BYTES, order.prior_bytes - before)
            before += size
            if name.startswith(TAIL_PREFIX) or part < BLOCK_BYTES:
                continue
            file = FilledFile(
                name=name, stream_offset=place, size_bytes=part // BLOCK_BYTES * BLOCK_BYTES
            )
            check = CheckOrder(fill=order, cipher=AES_COUNTER, files=(file,))
            found = await self._compare(file, _parts(check)[0], check, meter)
            if found.proven:
                return found.proven
        raise StageFailed(Reason.HANDSET_CHANGED, NOTHING_OF_THIS_JOB)

    async def _kept(self, order: FillOrder, meter: Meter) -> list[FilledFile]:
        """What an earlier fill has left and this one has read and proven; all else is deleted."""
        if not order.resume:
            await self._remove(_ALL)
            return []
        kept: list[FilledFile] = []
        proven = 0
        for name in sorted(await self._remove(_BESIDE)):
            if name.startswith(TAIL_PREFIX):
                continue
            file = FilledFile(
                name=name,
                stream_offset=(fill_index(name) or 0) * order.file_bytes,
                size_bytes=await self._size_of(name),
            )
            again = any(other.stream_offset == file.stream_offset for other in kept)
            if 0 < file.size_bytes <= order.file_bytes and not again:
                check = CheckOrder(fill=order, cipher=AES_COUNTER, files=(file,))
                meter.begin(proven)
                found = await self._compare(file, _parts(check)[0], check, meter)
                if found.bad == 0 and found.proven == file.size_bytes:
                    kept.append(file)
                    proven += found.proven
                    continue
            await self._remove(name)
        return kept

    async def _fill_body(self, run: _Run) -> None:
        full = False
        while not full:
            storage = await read_storage_facts(self._shell)
            room = (storage.free_bytes - run.headroom) // BLOCK_BYTES * BLOCK_BYTES
            if room <= 0:
                return
            end, most = run.layout.body(run.next_index, run.order.file_bytes)
            name = fill_name(run.next_index, end=end)
            _, full = await self._write_file(name, min(most, room), run)

    async def _fill_last_gaps(self, run: _Run) -> StorageFacts:
        """The tail, again while the system has given back more than gaps meanwhile."""
        tails = 0
        while True:
            await self._fill_tail(run)
            after = await read_storage_facts(self._shell)
            tails += 1
            if after.free_bytes <= LEAST_FREE_AFTER_FILL_BYTES or tails == MOST_TAILS:
                return after

    async def _fill_tail(self, run: _Run) -> None:
        """End when, right after a sync, no kind of file takes even one byte."""
        turn = dry = 0
        while dry < run.layout.kinds:
            end, most = run.layout.tail(turn, run.order.file_bytes)
            name = fill_name(run.next_index, tail=True, end=end)
            grown, _ = await self._write_file(name, most, run)
            turn += 1
            dry = 0 if grown else dry + 1

    async def _write_file(self, name: str, most_bytes: int, run: _Run) -> tuple[bool, bool]:
        """Write the next file; whether any byte of it fitted, and whether the storage is full."""
        order, path = run.order, f"{FILL_DIRECTORY}/{name}"
        offset = run.next_index * order.file_bytes
        run.begin_file()
        run.meter.begin(run.written)

        def source(place: int, size_bytes: int) -> bytes:
            return self._keystream(AES_COUNTER, order.key, offset + place, size_bytes)

        code, stderr = await self._streams.pour(
            f"exec cat > {path}", source, most_bytes, run.meter, stall_s=order.stall_s
        )
        full = code != 0
        if full and QUOTA in stderr:
            raise StageFailed(Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)
        if full and NO_SPACE not in stderr:
            raise StorageFault(f"the handset's cat ended with {code} while filling")
        # fsync of the file alone isn't everywhere; sync is, and ends when all is written.
        require_success(
            await self._shell.run("sync", deadline_s=max(COMMAND_DEADLINE_S, order.stall_s)), "sync"
        )
        size = await self._size_of(name)
        if size > most_bytes or not (full or size == most_bytes):
            raise StorageFault(f"{name} holds {size} bytes of {most_bytes}")
        if size == 0:
            await self._remove(name)
            return False, full
        run.add(FilledFile(name=name, stream_offset=offset, size_bytes=size))
        return True, full

    async def _compare(
        self, file: FilledFile, part: FileRange, order: CheckOrder, meter: Meter
    ) -> Comparison:
        comparison = Comparison(
            keystream=self._keystream,
            cipher=order.cipher,
            key=order.fill.key,
            file=file,
            offset=part.offset,
            size_bytes=part.size_bytes,
        )
        await self._streams.fetch(comparison, meter, stall_s=order.fill.stall_s)
        return comparison

    async def _remove(self, pattern: str) -> list[str]:
        """Delete what has such a name; the fill files that were there before."""
        listed = require_success(
            await self._shell.run(
                f"{_IN_DIRECTORY} && rm -rf {pattern} && sync", deadline_s=COMMAND_DEADLINE_S
            ),
            "rm",
        )
        return _fill_names(listed)

    async def _listed(self) -> list[str]:
        """The fill files that are there, before anything is deleted."""
        listed = require_success(
            await self._shell.run(_IN_DIRECTORY, deadline_s=COMMAND_DEADLINE_S), "ls"
        )
        return _fill_names(listed)

    async def _size_of(self, name: str) -> int:
        """How many bytes a fill file has; 0 where it couldn't even be made."""
        path = f"{FILL_DIRECTORY}/{name}"
        answer = await self._shell.run(f"if [ -e {path} ]; then wc -c < {path}; else echo 0; fi")
        text = require_success(answer, "wc").decode(errors="replace").strip()
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            raise AnswerNotRecognised("wc: no size")
        return int(text)


class _Run:
    """One fill as far as it has come."""

    def __init__(
        self,
        order: FillOrder,
        meter: Meter,
        before: StorageFacts,
        kept: list[FilledFile],
    ) -> None:
        self.order = order
        self.files = list(kept)
        self.written = sum(file.size_bytes for file in kept)
        self.headroom = min(order.headroom_bytes, before.free_bytes // SMALLEST_HEADROOM_SHARE)
        self.layout = StreamLayout.of(before.file_system)
        self.next_index = max((fill_index(file.name) or 0 for file in kept), default=-1) + 1
        self.meter = meter
        self._most = before.capacity_bytes

    def begin_file(self) -> None:
        """Take the next number; a number is used once."""
        self.next_index += 1
        # A storage that is never full isn't believed.
        if self.next_index > MOST_FILES:
            raise StorageFault("the storage is never full")

    def add(self, file: FilledFile) -> None:
        """One more file is written and synced."""
        self.files.append(file)
        self.written += file.size_bytes
        if self.written > self._most:
            raise StorageFault("the storage takes more than it has room for")


def _parts(order: CheckOrder) -> list[FileRange]:
    if order.ranges is not None:
        return list(order.ranges)
    return [
        FileRange(file=number, offset=0, size_bytes=file.size_bytes)
        for number, file in enumerate(order.files)
    ]


def _fill_names(listed: bytes) -> list[str]:
    return [name for name in listed.decode(errors="replace").split() if is_fill_name(name)]


def _tell_nobody(_: TransferProgress) -> None:
    """What is read again isn't progress."""


def _without(found: StorageFacts, kept: list[FilledFile]) -> StorageFacts:
    """The storage as it would be without these files."""
    held = sum(file.size_bytes for file in kept)
    return replace(
        found,
        used_bytes=max(found.used_bytes - held, 0),
        free_bytes=min(found.free_bytes + held, found.capacity_bytes),
    )
