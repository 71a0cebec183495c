"""Reads by a handset's own `dd` that its kernel has counted as fetched from the medium.

Where no program runs, nobody on the handset can say what is in its page cache; but the kernel
counts for each process the bytes that it made the storage fetch (`read_bytes`,
Documentation/filesystems/proc.rst), and what a cache answers isn't among them.
"""

from __future__ import annotations

import re
from typing import Final

from benchd.devices.android.fill.sample_blocks import SAMPLE_DEADLINE_S, SampleBlocks, sample_blocks
from benchd.devices.android.shell.commands import Shell
from benchd.domain.errors import UnsupportedHandset
from benchd.domain.fill import HostSample

_TELL: Final = "cat /proc/$$/io >&2"
# Once before anything is counted, so that the programs' own pages are in memory: they would have
# to be fetched, and be counted, themselves.
_WARM_UP: Final = "dd if=/dev/null of=/dev/null 2> /dev/null; cat /proc/$$/io > /dev/null 2>&1"
_COUNT: Final = re.compile(rb"^read_bytes: ([0-9]{1,19})\r?$", re.MULTILINE)
_COUNTS: Final = 2
MOST_COUNT_BYTES: Final = 1024
"""What the two counts take beside what was read."""


def counted(command: str) -> str:
    """A shell line that runs the command and tells on stderr what was fetched before and after."""
    return f"{_WARM_UP}; {_TELL}; {command}; code=$?; {_TELL}; exit $code"


def require_fetched(stderr: bytes, size_bytes: int) -> None:
    """Raise UnsupportedHandset unless so many bytes were fetched between the two counts."""
    counts = [int(count) for count in _COUNT.findall(stderr)]
    if len(counts) != _COUNTS:
        raise UnsupportedHandset("no program runs and nothing shows what its dd reads from")
    if counts[1] - counts[0] < size_bytes:
        message = (
            f"no program runs and its dd answers from memory: {counts[1] - counts[0]} bytes"
            f" of {size_bytes} were fetched from the medium"
        )
        raise UnsupportedHandset(message)


class CountedSamples:
    """Samples of fill files, all of whose blocks were fetched from the medium."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def take(self, name: str, offset: int, size_bytes: int) -> HostSample:
        """Bytes of one fill file, exactly these or an error; a shell for each."""
        return await _counted_sample(self._shell, sample_blocks(name, offset, size_bytes))


async def _counted_sample(shell: Shell, part: SampleBlocks) -> HostSample:
    answer = await shell.run(
        counted(f"{part.dd('iflag=direct')} 2> /dev/null"),
        deadline_s=SAMPLE_DEADLINE_S,
        maximum_output_bytes=part.most_bytes + MOST_COUNT_BYTES,
    )
    taken = part.cut(answer.stdout, answer.exit_code)
    require_fetched(answer.stderr, len(answer.stdout))
    return HostSample(data=taken, past_cache="o_direct")
