"""What a handset of the crowd says to each of benchd's commands; what isn't known it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from benchd.devices.android.facts.battery_wear import LOOK_FOR_GAUGES
from benchd.devices.android.facts.capability import LOOK_FOR_FELICA
from benchd.devices.android.facts.owner import COUNT_FILES
from benchd.devices.android.facts.statfs import ASK_STATFS
from benchd.devices.android.facts.superuser import LOOK_FOR_SUPERUSER
from benchd.devices.android.fill.keep_awake import HOLD
from benchd.devices.android.fill.leftover_files import LIST
from benchd.devices.android.fill.program_on_handset import CACHE_PATH, FILL_DIRECTORY, PROGRAM_PATH
from benchd.devices.android.handset_access import BACK_ON_AFTER_S, off_command
from benchd.devices.android.handset_screens import UNCOVER
from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.floods import Flood, padded

NOT_FOUND: Final = 127
_SCRIPT: Final = re.compile(
    r'\((.*?)\)\nstatus=\$\?\necho\necho "([0-9a-f]{16} [0-9]+) \$status"(?:\n|$)', re.DOTALL
)
_ROWS: Final = re.compile(r"content query --uri content://([\w.]+)(?:/\w+)? --projection _id .*")
_READ_STAY_ON: Final = "settings get global stay_on_while_plugged_in"
_ANY_CHARGER: Final = 7
_PUT: Final = re.compile(
    rf"settings put global stay_on_while_plugged_in ([0-9]{{1,2}}); {_READ_STAY_ON}"
)
TAKE_PROGRAM: Final = r"rm -rf (\S+)\.new && cat > \1\.new && chmod 700 \1\.new && mv -f \S+ \1"
"""What takes a program from standard input; its bytes are gone by then."""
_PAGE: Final = re.compile(r"am start -a (\S+) --activity-clear-task")
_MEASURE: Final = re.compile(r"wc -c < (\S+) && if command -v sha256sum .*")
_VERSIONS: Final = {
    "cat /proc/uptime": "214.07 803.51\n",
    f"exec {PROGRAM_PATH} version": ('{"event":"version","version":"3","cipher":"aes-128-ctr"}\n'),
    f"exec {CACHE_PATH} version": "cache version=1\n",
}
_MOUNTS: Final = "/dev/block/dm-5 /data ext4 rw,seclabel,nosuid,nodev,noatime 0 0\n"
_UNSET: Final = (
    ("settings get ", "null\n"),
    (
        "service call iphonesubinfo ",
        'Result: Parcel(Error: 0xffffffffffffffb6 "Not a data message")\n',
    ),
)
"""What is answered to questions that this handset has no answer of its own for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command wrote, and its exit code."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0
    understood: bool = True
    """Whether the crowd knows the command at all; a figure without that is worth nothing."""


def said(handset: CrowdHandset, command: str) -> Said:
    """The answer to a command that doesn't read its input: a script of several, or one."""
    parts = _SCRIPT.findall(command)
    if not parts:
        return _one(handset, command)
    stdout, stderr, understood = bytearray(), bytearray(), True
    handset.scripts += 1
    for place, (asked, mark) in enumerate(parts):
        part = _one(handset, asked)
        # Each time another question's.
        floods = handset.flood is Flood.ANSWERS and place == handset.scripts % len(parts)
        stdout += padded(part.stdout) if floods else part.stdout
        stdout += f"\n{mark} {part.code}\n".encode()
        stderr += part.stderr
        understood = understood and part.understood
    return Said(stdout=bytes(stdout), stderr=bytes(stderr), understood=understood)


def _one(handset: CrowdHandset, command: str) -> Said:
    known = handset.answer(command)
    if known is not None:
        text, code = known
        return Said(stdout=text.encode()) if code == 0 else Said(stderr=text.encode(), code=code)
    text = (
        _of_storage(handset, command)
        or _of_screen(handset, command)
        or _of_system(handset, command)
    )
    if text is not None:
        return Said(stdout=text.encode())
    return _of_programs(handset, command)


def _of_storage(handset: CrowdHandset, command: str) -> str | None:
    match command:
        case "df -k /data":
            return handset.storage.df()
        case "cat /proc/mounts":
            return _MOUNTS
        case _ if command == ASK_STATFS:
            return handset.storage.statfs()
        case _ if command == COUNT_FILES:
            # What an owner has left, and the line that ends the list.
            return (
                f"/whole\n{1 + bool(handset.plan.owner_share and not handset.android.was_reset)}\n"
            )
        case _ if command in (LOOK_FOR_FELICA, LOOK_FOR_GAUGES, LOOK_FOR_SUPERUSER):
            return "looked everywhere\n"
        case _:
            return None


def _of_system(handset: CrowdHandset, command: str) -> str | None:
    if re.fullmatch(TAKE_PROGRAM, command) or _changed(handset, command):
        return ""
    if found := _ROWS.fullmatch(command):
        return (handset.answer(f"content {found[1]}") or ("", 0))[0]
    if command.startswith("getprop ") and "; " in command:
        asked = command.split("; ")
        return "".join((handset.answer(one) or ("\n", 0))[0] for one in asked)
    unset = next((text for start, text in _UNSET if command.startswith(start)), None)
    return unset or _VERSIONS.get(command)


def _of_screen(handset: CrowdHandset, command: str) -> str | None:
    if command == HOLD:
        return _held(handset)
    if found := _PUT.fullmatch(command):
        handset.change(stay_on=int(found[1]))
        return f"{handset.android.stay_on}\n"
    if found := _PAGE.fullmatch(command.removeprefix(UNCOVER)):
        woken = "woken 0\n" if command.startswith(UNCOVER) else ""
        return f"{woken}Starting: Intent {{ act={found[1]} }}\n"
    return None


def _held(handset: CrowdHandset) -> str:
    """What is said where the screen is to stay on, and it does."""
    before = handset.android.stay_on
    told = f"before {before}\n"
    if before | _ANY_CHARGER != before:
        handset.change(stay_on=before | _ANY_CHARGER)
        told += f"after {handset.android.stay_on}\n"
    return told + "woken 0\n"


def _changed(handset: CrowdHandset, command: str) -> bool:
    """Whether it is one of those that change what the system remembers."""
    if command in ("svc nfc enable", off_command(BACK_ON_AFTER_S)):
        handset.change(nfc_on=command == "svc nfc enable")
        return True
    return False


def _of_programs(handset: CrowdHandset, command: str) -> Said:
    storage = handset.storage
    if found := _MEASURE.fullmatch(command):
        held = storage.programs.get(found[1])
        if held is None:
            return Said(stderr=f"/bin/sh: can't open {found[1]}\n".encode(), code=1)
        return Said(stdout=f"{held[0]}\n{held[1]}  -\n".encode())
    if command == LIST:
        return Said(stdout="".join(f"{name}\n" for name in storage.written).encode())
    for end in ("tail", "fill"):
        if command == f"rm -f {FILL_DIRECTORY}/{end}-*":
            for name in [name for name in storage.written if name.startswith(end)]:
                del storage.written[name]
            return Said()
    return Said(
        stderr=f"{command.split(' ', maxsplit=1)[0]}: inaccessible or not found\n".encode(),
        code=NOT_FOUND,
        understood=False,
    )
