"""Reads by a handset's own `dd` that are shown to have come from the medium.

The page cache is emptied and looked into by benchd's second program, which has nothing to do
with the one that fills; the bytes come by `dd` with options that every Android has. Before the
read none of the pages may be in the cache, and after it all of them have to be: that the
program sees the cache at all is shown with each read. docs/adr/0023-the-second-look.md.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from benchd.devices.android.fill.full_storage import takes_no_more
from benchd.devices.android.fill.leftover_files import LIST, fill_names
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.fill.sample_blocks import BLOCK_BYTES, SampleBlocks, sample_blocks
from benchd.devices.android.fill.sample_stream import READ_EACH, SampleStream, sample_stream
from benchd.devices.android.shell.commands import (
    COMMAND_DEADLINE_S,
    MAXIMUM_OUTPUT_BYTES,
    Completed,
    Shell,
)
from benchd.devices.android.shell.text import printable
from benchd.domain.errors import AnswerNotRecognised, BenchdError, StorageFault, UnsupportedHandset
from benchd.domain.fill import HostSample
from benchd.proof.storage_proof import EVICTION_SEEN

PROBE_BLOCKS: Final = 5
_PROBE_NAME: Final = "probe"
_PROBE_PATH: Final = f"{FILL_DIRECTORY}/{_PROBE_NAME}"
_PROBE_NUMBERS: Final = " ".join(str(number) for number in range(PROBE_BLOCKS))
_DOUBLINGS: Final = " ".join(map(str, range(BLOCK_BYTES.bit_length() - 1)))
_MAKE_PROBE: Final = (
    f"for digit in {_PROBE_NUMBERS}; do block=$digit;"
    f" for doubling in {_DOUBLINGS}; do block=$block$block; done;"
    ' echo "${block#?}"; done'
)
CONTENT: Final = b"".join(
    b"%d" % number * (BLOCK_BYTES - 1) + b"\n" for number in range(PROBE_BLOCKS)
)
"""Each block is full of its number, and of one end of line."""

PROBE: Final = f"""\
{{ mkdir -p {FILL_DIRECTORY} && {_MAKE_PROBE} | cat > {_PROBE_PATH}; }} 2>&1
echo "written $?"
{READ_EACH}rm -f {_PROBE_PATH}
{LIST} 2> /dev/null
exit 0"""
"""Blocks of benchd's own: written, read as samples are, and deleted, in one shell.

The handset's shell makes them itself, of text that the host knows, so that its standard input is
free for requests: they go in one by one, as later for samples. What a fill has left beside them is
listed at the end, since the shell is there.
"""
WRITTEN: Final = b"written "
MOST_COMPLAINT_BYTES: Final = 4096
REMOVE: Final = f"rm -f {_PROBE_PATH}"

INNER_BLOCKS: Final = SampleBlocks(
    name=_PROBE_NAME,
    first=1,
    count=PROBE_BLOCKS - 2,
    skipped_bytes=0,
    size_bytes=(PROBE_BLOCKS - 2) * BLOCK_BYTES,
)
INNER_CONTENT: Final = CONTENT[BLOCK_BYTES:-BLOCK_BYTES]


_CURE: Final = (
    "nothing on it can be shown to come from its storage, so no overwrite of it can be proven;"
    " it has to be erased in another way, or destroyed"
)

ATTEMPTS: Final = 3
"""A page may be let go of right after it was read, where memory is short."""
_HELD: Final = rb"page_bytes=(4096|16384|65536) pages=([0-9]{1,7}) resident=([0-9]{1,7})\n"
_BEFORE: Final = re.compile(rb"cache empty " + _HELD)
_AFTER: Final = re.compile(rb"cache count " + _HELD + rb"\Z")
_FAILED: Final = re.compile(rb"cache failed ([^\n]*)\n")
_FAILED_AFTER: Final = re.compile(_FAILED.pattern + rb"\Z")


class CacheStays(UnsupportedHandset):
    """Raised when a handset's cache isn't shown to be empty before a read, or full after it."""


class ShownSamples:
    """Samples out of one shell, each shown."""

    def __init__(self, stream: SampleStream) -> None:
        self._stream = stream

    async def take(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one fill file, exactly these or an error."""
        part = sample_blocks(name, offset, size_bytes)
        return HostSample(data=await self.read(part), past_cache=EVICTION_SEEN)

    async def read(self, part: SampleBlocks) -> bytes:
        """The sample of these blocks; CacheStays where it isn't shown to come from the medium."""
        for attempt in range(ATTEMPTS):
            answer = await self._stream.read(part)
            try:
                return shown(answer, part)
            except CacheStays:
                if attempt + 1 == ATTEMPTS:
                    raise
        raise AssertionError


class ShownReads:
    """The host's own look at a handset's storage, by `dd` and the cache program, which is there."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @asynccontextmanager
    async def samples(self) -> AsyncGenerator[ShownSamples]:
        """One shell for all of them; docs/adr/0023-the-second-look.md says why that's as good."""
        async with sample_stream(self._shell) as stream:
            yield ShownSamples(stream)

    async def require(self, *, cache_program_runs: bool) -> tuple[str, ...]:
        """Try it on some blocks of its own, and delete them; UnsupportedHandset if it fails.

        A storage that is too full for them is passed: what is read later proves itself. It is
        the fill files that lie beside them.
        """
        if not cache_program_runs:
            raise UnsupportedHandset(f"its cache can't be looked into: {_CURE}")
        try:
            return await self._probe()
        except BenchdError:
            with suppress(BenchdError):
                await self._shell.run(REMOVE)
            raise

    async def _probe(self) -> tuple[str, ...]:
        async with self._shell.stream(PROBE) as running:
            stream = SampleStream(running)
            written = await stream.first(WRITTEN, MOST_COMPLAINT_BYTES, COMMAND_DEADLINE_S)
            if not takes_no_more(written.stdout):
                await self._try(stream, written)
            return fill_names(await stream.end(MAXIMUM_OUTPUT_BYTES))

    async def _try(self, stream: SampleStream, written: Completed) -> None:
        if written.exit_code != 0:
            raise UnsupportedHandset(f"nothing can be written (code {written.exit_code}): {_CURE}")
        try:
            found = await ShownSamples(stream).read(INNER_BLOCKS)
        except (CacheStays, StorageFault) as fault:
            raise UnsupportedHandset(f"{fault.detail}: {_CURE}") from fault
        if found != INNER_CONTENT:
            raise UnsupportedHandset(f"its dd doesn't read what was written: {_CURE}")


def shown(answer: Completed, part: SampleBlocks) -> bytes:
    """The sample in an answer whose cache was seen to be empty before it and full after it.

    Raises CacheStays for one whose cache wasn't, StorageFault for what can't be read.
    """
    said = answer.stdout
    # Only at the edges are they words: between them lies what was read.
    if failed := _FAILED.match(said) or _FAILED_AFTER.search(said):
        raise StorageFault(f"{part.name}: {printable(failed[1].decode(errors='replace'))}")
    first = _BEFORE.match(said)
    last = None if first is None else _AFTER.search(said, first.end())
    if first is None or last is None:
        raise AnswerNotRecognised("the cache program doesn't say what it was asked")
    before, after = _Held.parse(first), _Held.parse(last)
    if not before.pages == after.pages or not before.covers(part):
        raise AnswerNotRecognised(f"{part.name}: what its cache held is told of other blocks")
    if before.resident:
        raise CacheStays(f"{before.resident} pages of {part.name} stay in the handset's cache")
    if answer.exit_code == 0 and after.resident != after.pages:
        message = f"only {after.resident} of {after.pages} pages that were read are in the cache"
        raise CacheStays(message)
    return part.cut(said[first.end() : last.start()], answer.exit_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What the program saw of some blocks in the cache."""

    page_bytes: int
    pages: int
    resident: int

    @classmethod
    def parse(cls, found: re.Match[bytes]) -> _Held:
        page_bytes, pages, resident = map(int, found.groups())
        if resident > pages:
            raise AnswerNotRecognised("the cache program counts more pages than there are")
        return cls(page_bytes=page_bytes, pages=pages, resident=resident)

    def covers(self, part: SampleBlocks) -> bool:
        """Whether these are the pages of these blocks; a file may end before its last block."""
        begin = part.first * BLOCK_BYTES
        first = begin // self.page_bytes
        least = -(-(begin + part.skipped_bytes + part.size_bytes) // self.page_bytes) - first
        most = -(-(begin + part.most_bytes) // self.page_bytes) - first
        return least <= self.pages <= most
