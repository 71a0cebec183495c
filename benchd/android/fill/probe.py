"""Blocks of benchd's own on a handset: written, read as samples are, and deleted, in one shell.

The handset's shell makes them itself, of text that the host knows, so that its standard input is
free for requests: they go in one by one, as later for samples. What a fill has left beside them is
listed at the end, since the shell is there.
"""

from __future__ import annotations

from typing import Final

from benchd.android.fill.leftovers import LIST
from benchd.android.fill.program import FILL_DIRECTORY
from benchd.android.fill.sample_blocks import BLOCK_BYTES, SampleBlocks
from benchd.android.fill.sample_stream import READ_EACH

PROBE_BLOCKS: Final = 5
_NAME: Final = "probe"
_PATH: Final = f"{FILL_DIRECTORY}/{_NAME}"
_NUMBERS: Final = " ".join(str(number) for number in range(PROBE_BLOCKS))
_DOUBLINGS: Final = " ".join(map(str, range(BLOCK_BYTES.bit_length() - 1)))
_MAKE: Final = (
    f"for digit in {_NUMBERS}; do block=$digit;"
    f" for doubling in {_DOUBLINGS}; do block=$block$block; done;"
    ' echo "${block#?}"; done'
)
CONTENT: Final = b"".join(
    b"%d" % number * (BLOCK_BYTES - 1) + b"\n" for number in range(PROBE_BLOCKS)
)
"""Each block is full of its number, and of one end of line."""

PROBE: Final = f"""\
{{ mkdir -p {FILL_DIRECTORY} && {_MAKE} | cat > {_PATH}; }} 2>&1
echo "written $?"
{READ_EACH}rm -f {_PATH}
{LIST} 2> /dev/null
exit 0"""
WRITTEN: Final = b"written "
MOST_COMPLAINT_BYTES: Final = 4096
REMOVE: Final = f"rm -f {_PATH}"

INNER_BLOCKS: Final = SampleBlocks(
    name=_NAME,
    first=1,
    count=PROBE_BLOCKS - 2,
    skipped_bytes=0,
    size_bytes=(PROBE_BLOCKS - 2) * BLOCK_BYTES,
)
INNER_CONTENT: Final = CONTENT[BLOCK_BYTES:-BLOCK_BYTES]
