"""The host's own look at the medium: the handset's `dd`, past the cache, not the fill program."""

from __future__ import annotations

from benchd.android.fill.driver import FillDriver
from benchd.android.fill.sample_blocks import SAMPLE_DEADLINE_S, SampleBlocks, sample_blocks
from benchd.android.shell.commands import Completed, Shell
from benchd.words.fill import HostSample


class HostSampler:
    """Fetches blocks of fill files that the program has shown to be out of the handset's cache.

    `iflag=direct` alone proves nothing: file systems take it and answer out of memory all the
    same. So the cache is emptied by the program, which sees in the kernel that nothing is left,
    and whatever `dd` then brings comes from the medium.
    """

    def __init__(self, shell: Shell, driver: FillDriver) -> None:
        self._shell = shell
        self._driver = driver
        self._direct: bool | None = None
        """Whether this handset's `dd` has O_DIRECT; tried only once."""

    async def sample(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one fill file, exactly these or an error."""
        part = sample_blocks(name, offset, size_bytes)
        await self._driver.evict(name)
        return HostSample(data=part.cut(await self._read(part)), past_cache="evicted_by_program")

    async def _read(self, part: SampleBlocks) -> Completed:
        """By O_DIRECT where `dd` has it: it leaves nothing behind that has to be emptied again."""
        if self._direct is not False:
            answer = await self._dd(part, "iflag=direct")
            if answer.exit_code == 0 or self._direct:
                self._direct = True
                return answer
            self._direct = False
        return await self._dd(part)

    async def _dd(self, part: SampleBlocks, *flags: str) -> Completed:
        return await self._shell.run(
            f"exec {part.dd(*flags)} 2> /dev/null",
            deadline_s=SAMPLE_DEADLINE_S,
            maximum_output_bytes=part.most_bytes,
        )
