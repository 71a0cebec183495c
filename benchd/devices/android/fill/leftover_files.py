"""What a fill that was broken off has left on a handset: big files that nobody there deletes.

The program's guard does it where it outlives the cable; on handsets that end adbd with all that
it has started, it doesn't. docs/handsets.md says which.
"""

from __future__ import annotations

from typing import Final

from benchd.devices.android.fill.fill_messages import is_fill_name
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.shell.commands import Shell

LIST: Final = f"ls {FILL_DIRECTORY}"


async def leftovers(shell: Shell) -> tuple[str, ...]:
    """The fill files that are there; none where there is no such directory."""
    answer = await shell.run(LIST)
    return fill_names(answer.stdout) if answer.exit_code == 0 else ()


def fill_names(listed: bytes) -> tuple[str, ...]:
    """The names of fill files in such a list."""
    names = listed.decode(errors="replace").split()
    return tuple(name for name in names if is_fill_name(name))
