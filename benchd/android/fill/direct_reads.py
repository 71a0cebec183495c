"""Whether a handset's own `dd` is shown to read the medium: else no read-back proves anything."""

from __future__ import annotations

from typing import Final

from benchd.android.fill.counted_reads import MOST_COUNT_BYTES, counted, require_fetched
from benchd.android.fill.full_storage import takes_no_more
from benchd.android.fill.program import FILL_DIRECTORY
from benchd.android.shell.commands import Shell
from benchd.errors import UnsupportedHandset

PROBE_BYTES: Final = 4096
_PROBE: Final = f"{FILL_DIRECTORY}/probe"
_CONTENT: Final = bytes(range(256)) * (PROBE_BYTES // 256)
_WRITE: Final = f"mkdir -p {FILL_DIRECTORY} && cat > {_PROBE} && sync"
_READ: Final = counted(f"dd if={_PROBE} bs={PROBE_BYTES} count=1 iflag=direct 2> /dev/null")
_REMOVE: Final = f"rm -f {_PROBE}"


async def require_direct_reads(shell: Shell) -> None:
    """Write one block, read it past the cache and delete it; UnsupportedHandset if that fails.

    The block is in the cache when it is read: a `dd` that is answered from there shows itself.
    A storage that is too full for one block is passed: what is read later proves itself.
    """
    written = await shell.run(_WRITE, stdin=_CONTENT)
    if takes_no_more(written.stderr):
        await shell.run(_REMOVE)
        return
    if written.exit_code != 0:
        message = f"no program runs and nothing can be written either (code {written.exit_code})"
        raise UnsupportedHandset(message)
    read = await shell.run(_READ, maximum_output_bytes=PROBE_BYTES + MOST_COUNT_BYTES)
    await shell.run(_REMOVE)
    if read.exit_code != 0:
        message = f"no program runs and its dd can't bypass the cache (code {read.exit_code})"
        raise UnsupportedHandset(message)
    if read.stdout != _CONTENT:
        raise UnsupportedHandset("no program runs and its dd doesn't read what was written")
    require_fetched(read.stderr, PROBE_BYTES)
