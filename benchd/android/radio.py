"""Switches a handset's NFC over adb.

`svc nfc` (AOSP, frameworks/base, cmds/svc: NfcCommand) calls INfcAdapter.enable and .disable, for
which NfcService wants WRITE_SECURE_SETTINGS (packages/apps/Nfc: NfcPermissions); the manifest of
packages/Shell holds it. So shell may do it from Android 8 on, unless the maker or an administrator
forbids it. It ends with 0 whatever became of it, and `cmd nfc` is no way round: it isn't there
before Android 15, and a maker's has been seen to take the NFC service down.

What it switches is the NFC controller. A FeliCa chip behind it falls silent; older Japanese
models have one beside it that answers on.
"""

from __future__ import annotations

from typing import Final

from benchd.android.shell.commands import Shell

SWITCH_DEADLINE_S: Final = 20.0
BACK_ON_AFTER_S: Final = 60
"""The system keeps what it was switched to over a restart. Should benchd or the cable go in the
meantime, nobody else would switch it on again: so the handset does that itself."""

_ON: Final = "svc nfc enable"


async def switch_nfc(shell: Shell, *, on: bool) -> None:
    """Ask for it; that it returns proves nothing."""
    command = _ON if on else off_command(BACK_ON_AFTER_S)
    await shell.run(command, deadline_s=SWITCH_DEADLINE_S)


def off_command(back_on_after_s: float) -> str:
    """Switches it off once it's certain that it goes on again, whatever becomes of this shell."""
    back_on = f"(sleep {back_on_after_s:g}; {_ON}) </dev/null >/dev/null 2>&1 &"
    return f"trap '' HUP; {back_on} svc nfc disable"
