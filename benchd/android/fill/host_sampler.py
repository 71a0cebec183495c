"""The host's own look at the medium: the handset's `dd`, past the cache, not the fill program."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from benchd.android.fill.driver import FillDriver
from benchd.android.fill.messages import is_fill_name
from benchd.android.fill.program import FILL_DIRECTORY
from benchd.android.shell.commands import Completed, Shell, command_line
from benchd.errors import AnswerNotRecognised, StorageFault, UnsupportedHandset
from benchd.words.fill import BLOCK_BYTES, HostSample

SAMPLE_DEADLINE_S: Final = 60.0
LARGEST_SAMPLE_BYTES: Final = 16 << 20


class _Way(Enum):
    """How `dd` gets past the cache."""

    DIRECT = auto()
    NOCACHE = auto()
    PROGRAM = auto()


class HostSampler:
    """Fetches blocks of fill files. The ways that this handset's `dd` has are tried only once."""

    def __init__(self, shell: Shell, driver: FillDriver | None) -> None:
        """Without a driver, so without a program, O_DIRECT is the only way."""
        self._shell = shell
        self._driver = driver
        self._way = _Way.DIRECT if driver is None else None

    async def sample(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one fill file, exactly these or an error."""
        if not is_fill_name(name):
            raise AnswerNotRecognised("a sample of something else than a fill file")
        if offset < 0 or not 0 < size_bytes <= LARGEST_SAMPLE_BYTES:
            raise ValueError("a sample of no or of too many bytes")
        first, skipped = divmod(offset, BLOCK_BYTES)
        blocks = -(-(skipped + size_bytes) // BLOCK_BYTES)
        answer, past_cache = await self._read(name, first, blocks)
        if answer.exit_code != 0:
            raise StorageFault(f"the handset's dd can't read {name} (code {answer.exit_code})")
        taken = answer.stdout[skipped : skipped + size_bytes]
        if len(taken) != size_bytes:
            raise StorageFault(f"{name} ends before {offset + size_bytes} bytes")
        return HostSample(data=taken, past_cache=past_cache)

    async def _read(self, name: str, first: int, blocks: int) -> tuple[Completed, str]:
        """The answer of the best way that works; the last one's failure is the medium's."""
        if self._way in (None, _Way.DIRECT):
            answer = await self._dd(name, first, blocks, "iflag=direct")
            if answer.exit_code == 0 or self._way is _Way.DIRECT:
                self._way = _Way.DIRECT
                return answer, "o_direct"
        # GNU's dd drops a whole file from the cache when it is to copy none of it.
        if self._way in (None, _Way.NOCACHE):
            emptied = await self._dd(name, 0, 0, "iflag=nocache")
            if emptied.exit_code == 0:
                self._way = _Way.NOCACHE
                return await self._dd(name, first, blocks), "evicted"
        if self._driver is None:
            raise UnsupportedHandset("without a program only O_DIRECT gets past the cache")
        self._way = _Way.PROGRAM
        await self._driver.evict(name)
        return await self._dd(name, first, blocks), "evicted_by_program"

    async def _dd(self, name: str, first: int, blocks: int, *flags: str) -> Completed:
        # Beside the flags only options that BSD, toybox and GNU understand in the same way.
        command = command_line(
            "dd",
            f"if={FILL_DIRECTORY}/{name}",
            f"bs={BLOCK_BYTES}",
            f"skip={first}",
            f"count={blocks}",
            *flags,
        )
        return await self._shell.run(
            f"exec {command} 2> /dev/null",
            deadline_s=SAMPLE_DEADLINE_S,
            maximum_output_bytes=blocks * BLOCK_BYTES,
        )
