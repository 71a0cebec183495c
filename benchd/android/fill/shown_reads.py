"""Reads by a handset's own `dd` that are shown to have come from the medium.

The page cache is emptied and looked into by benchd's second program, which has nothing to do
with the one that fills; the bytes come by `dd` with options that every Android has. Before the
read none of the pages may be in the cache, and after it all of them have to be: that the
program sees the cache at all is shown with each read. docs/adr/0023-the-second-look.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from benchd.android.fill.program import CACHE_PATH, FILL_DIRECTORY, HandsetProgram
from benchd.android.fill.sample_blocks import (
    BLOCK_BYTES,
    SAMPLE_DEADLINE_S,
    SampleBlocks,
    sample_blocks,
)
from benchd.android.shell.commands import Completed, Shell
from benchd.android.shell.text import printable
from benchd.errors import AnswerNotRecognised, StorageFault, UnsupportedHandset
from benchd.proof.storage import EVICTION_SEEN
from benchd.words.fill import HostSample

PROBE_BLOCKS: Final = 5
_PROBE_NAME: Final = "probe"
_PROBE: Final = f"{FILL_DIRECTORY}/{_PROBE_NAME}"
_CONTENT: Final = b"".join(
    number.to_bytes(2, "big") * (BLOCK_BYTES // 2) for number in range(PROBE_BLOCKS)
)
_WRITE: Final = f"mkdir -p {FILL_DIRECTORY} && cat > {_PROBE}"
_REMOVE: Final = f"rm -f {_PROBE}"
_NO_SPACE: Final = b"No space left on device"
_CURE: Final = (
    "nothing on it can be shown to come from its storage, so no overwrite of it can be proven;"
    " it has to be erased in another way, or destroyed"
)

ATTEMPTS: Final = 3
"""A page may be let go of right after it was read, where memory is short."""
MOST_REPORT_BYTES: Final = 1024
_REPORT: Final = re.compile(
    rb"^cache (empty|count) page_bytes=(4096|16384|65536)"
    rb" pages=([0-9]{1,7}) resident=([0-9]{1,7})$",
    re.MULTILINE,
)
_FAILED: Final = re.compile(rb"^cache failed (.*)$", re.MULTILINE)


class CacheStays(UnsupportedHandset):
    """Raised when a handset's cache isn't shown to be empty before a read, or full after it."""


class ShownReads:
    """The host's own look at a handset's storage."""

    def __init__(self, shell: Shell, program: HandsetProgram) -> None:
        self._shell = shell
        self._program = program

    async def sample(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one fill file, exactly these or an error."""
        part = sample_blocks(name, offset, size_bytes)
        await self._program.install(may_make_room=False)
        answer = await self._read(part)
        return HostSample(data=part.cut(answer), past_cache=EVICTION_SEEN)

    async def require(self, *, may_make_room: bool) -> None:
        """Try it on some blocks of its own, and delete them; UnsupportedHandset if it fails.

        A storage that is too full for them is passed: what is read later proves itself.
        """
        if not await self._program.can_run(may_make_room=may_make_room):
            raise UnsupportedHandset(f"its cache can't be looked into: {_CURE}")
        written = await self._shell.run(_WRITE, stdin=_CONTENT)
        try:
            if _NO_SPACE in written.stderr:
                return
            await self._try(written)
        finally:
            await self._shell.run(_REMOVE)

    async def _try(self, written: Completed) -> None:
        if written.exit_code != 0:
            raise UnsupportedHandset(f"nothing can be written (code {written.exit_code}): {_CURE}")
        part = SampleBlocks(
            name=_PROBE_NAME,
            first=1,
            count=PROBE_BLOCKS - 2,
            skipped_bytes=0,
            size_bytes=(PROBE_BLOCKS - 2) * BLOCK_BYTES,
        )
        try:
            found = part.cut(await self._read(part))
        except (CacheStays, StorageFault) as fault:
            raise UnsupportedHandset(f"{fault.detail}: {_CURE}") from fault
        if found != _CONTENT[BLOCK_BYTES:-BLOCK_BYTES]:
            raise UnsupportedHandset(f"its dd doesn't read what was written: {_CURE}")

    async def _read(self, part: SampleBlocks) -> Completed:
        for attempt in range(ATTEMPTS):
            answer = await self._shell.run(
                shown(part),
                deadline_s=SAMPLE_DEADLINE_S,
                maximum_output_bytes=part.most_bytes + MOST_REPORT_BYTES,
            )
            try:
                require_shown(answer, part)
            except CacheStays:
                if attempt + 1 == ATTEMPTS:
                    raise
            else:
                return answer
        raise AssertionError


def shown(part: SampleBlocks) -> str:
    """A shell line that reads blocks, and tells on stderr what the cache held before and after."""
    look = f"{FILL_DIRECTORY}/{part.name} {part.first * BLOCK_BYTES} {part.most_bytes} >&2"
    return (
        f"{CACHE_PATH} empty {look} && {part.dd()} 2> /dev/null; code=$?;"
        f" {CACHE_PATH} count {look}; exit $code"
    )


def require_shown(answer: Completed, part: SampleBlocks) -> None:
    """Raise CacheStays unless the pages weren't in the cache before the read and were after it."""
    failed = _FAILED.search(answer.stderr)
    if failed is not None:
        raise StorageFault(f"{part.name}: {printable(failed[1].decode(errors='replace'))}")
    before, after = _Held.told(answer.stderr, "empty"), _Held.told(answer.stderr, "count")
    if not before.pages == after.pages or not before.covers(part):
        raise AnswerNotRecognised(f"{part.name}: what its cache held is told of other blocks")
    if before.resident:
        raise CacheStays(f"{before.resident} pages of {part.name} stay in the handset's cache")
    if answer.exit_code == 0 and after.resident != after.pages:
        message = f"only {after.resident} of {after.pages} pages that were read are in the cache"
        raise CacheStays(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What the program saw of some blocks in the cache."""

    page_bytes: int
    pages: int
    resident: int

    @classmethod
    def told(cls, stderr: bytes, word: str) -> _Held:
        found = [match for match in _REPORT.finditer(stderr) if match[1] == word.encode()]
        if len(found) != 1:
            raise AnswerNotRecognised(f"the cache program doesn't say what it was asked ({word})")
        page_bytes, pages, resident = (int(number) for number in found[0].groups()[1:])
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
