"""Answers about what is in a handset: battery, features, NFC, SIM, memory card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.devices.android.shell.text import lines_of, printable
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import BatteryFacts, NfcFacts

_BATTERY_HEADING: Final = "Current Battery Service state:"
_COLDEST, _HOTTEST = -400, 1500  # tenths of a degree that a sensor may plausibly report


def read_battery(text: str) -> BatteryFacts:
    """Charge and temperature as the battery service measures them."""
    if _BATTERY_HEADING not in text:
        raise AnswerNotRecognised("dumpsys battery: no battery service")
    if "UPDATES STOPPED" in text:
        # Somebody has set the values by hand; they say nothing of the battery.
        raise AnswerNotRecognised("dumpsys battery: the values are set by hand")
    level, scale = _battery_number(text, "level"), _battery_number(text, "scale")
    tenths = _battery_number(text, "temperature")
    if not 0 < scale <= 10_000 or not 0 <= level <= scale:
        raise AnswerNotRecognised(f"dumpsys battery: level {level} of {scale}")
    if not _COLDEST <= tenths <= _HOTTEST:
        raise AnswerNotRecognised(f"dumpsys battery: temperature {tenths}")
    return BatteryFacts(percent=100 * level // scale, temperature_c=tenths / 10)


def _battery_number(text: str, key: str) -> int:
    # Whole lines only: makers add lines such as "Capacity level: 2".
    found = re.findall(rf"^ *{key}: (-?[0-9]{{1,6}})$", text, re.MULTILINE)
    if len(found) != 1:
        raise AnswerNotRecognised(f"dumpsys battery: {len(found)} lines with {key}")
    return int(found[0])


MOST_FEATURES: Final = 5_000

# A version may follow the name, and the version of OpenGL ES has no name of its own.
# No name has a colon: two lines in one would hide a feature.
_FEATURE: Final = re.compile(r"feature:([A-Za-z0-9_./+-]{1,255})(?:=(?:0x)?[0-9a-fA-F]{1,16})?")


def read_features(text: str) -> frozenset[str]:
    """The names of all features; empty where the package manager says nothing."""
    found: set[str] = set()
    for line in lines_of(text):
        if not line:
            continue
        match = _FEATURE.fullmatch(line)
        if match is None or match[1] in found:
            raise AnswerNotRecognised(
                "pm list features: a line that is no feature, or stands twice"
            )
        found.add(match[1])
        if len(found) > MOST_FEATURES:
            raise AnswerNotRecognised(f"pm list features: more than {MOST_FEATURES} features")
    return frozenset(found)


# Samsung's service writes the same words under names of its own: Galaxy A52s with Android 14.
_NFC_STATE: Final = re.compile(r"(?:mState=|State: )(.*)")
_SCREEN: Final = re.compile(r"(?:mScreenState=|Screen State: )(.*)")
_NFC_STATES: Final[Mapping[str, bool]] = {"on": True, "off": False}
_NFC_SETTINGS: Final[Mapping[str, bool]] = {"1": True, "0": False}
_SCREENS: Final[Mapping[str, tuple[bool, bool]]] = {
    "ON_UNLOCKED": (True, True),
    "ON_LOCKED": (True, False),
    "OFF_UNLOCKED": (False, True),
    "OFF_LOCKED": (False, False),
}
"""Whether the screen is on, and whether it is unlocked."""


def read_nfc(setting: str, dump: str) -> NfcFacts:
    """What `settings get global nfc_on` and `dumpsys nfc` say: why a chip may be silent.

    The dump tells both by `mState=` and `mScreenState=`, Samsung's by `State: ` and
    `Screen State: `, the latter in the words of AOSP's ScreenStateHelper. Lines that contradict
    each other and what reads otherwise are unknown, never fine; an empty text says nothing.
    """
    state = _NFC_STATES.get(_only_value(_NFC_STATE, dump))
    wanted = _NFC_SETTINGS.get(setting.strip())
    # The service knows best, but one that contradicts the setting isn't believed that it's on.
    on = wanted if state is None and wanted is False else state
    if state is True and wanted is False:
        on = None
    screen = _SCREENS.get(_only_value(_SCREEN, dump), (None, None))
    return NfcFacts(nfc_on=on, screen_on=screen[0], unlocked=screen[1])


def _only_value(pattern: re.Pattern[str], dump: str) -> str:
    """The one value of a line; empty where there is none, or more than one."""
    found = {match[1].strip() for line in lines_of(dump) if (match := pattern.fullmatch(line))}
    return found.pop() if len(found) == 1 else ""


_SIM_STATE: Final = "gsm.sim.state"
_NO_SIM: Final = "ABSENT"
_SIM_LOCKED: Final = "NETWORK_LOCKED"
_SIM_THERE: Final = frozenset(
    {
        "PIN_REQUIRED",
        "PUK_REQUIRED",
        _SIM_LOCKED,
        "READY",
        "LOADED",
        "PERM_DISABLED",
        "CARD_IO_ERROR",
        "CARD_RESTRICTED",
    }
)
_SIM_UNTOLD: Final = frozenset({"", "UNKNOWN", "NOT_READY"})
"""Source of the words: AOSP, com.android.internal.telephony.IccCardConstants.State."""


def has_sim(properties: Mapping[str, str]) -> bool | None:
    """Whether any slot holds a SIM or an active eSIM; None where the handset doesn't say."""
    states = set(properties.get(_SIM_STATE, "").split(","))
    unknown = states - _SIM_THERE - _SIM_UNTOLD - {_NO_SIM}
    if unknown:
        raise AnswerNotRecognised(f"getprop: {_SIM_STATE} has {printable(min(unknown))!r}")
    if states & _SIM_THERE:
        return True
    return False if states == {_NO_SIM} else None


def sim_slots(properties: Mapping[str, str]) -> int | None:
    """How many SIMs it can hold; None where the handset doesn't say.

    The telephony service keeps one state for each, with commas between them.
    """
    states = properties.get(_SIM_STATE, "")
    return len(states.split(",")) if states else None


def sim_lock(properties: Mapping[str, str]) -> bool | None:
    """Whether it refuses a SIM of another carrier.

    Only a SIM that is refused shows the lock: no other word says that there is none.
    """
    return True if _SIM_LOCKED in properties.get(_SIM_STATE, "").split(",") else None


def sim_lock_source(properties: Mapping[str, str]) -> str | None:
    """What told of that lock."""
    return f"{_SIM_STATE}={_SIM_LOCKED}" if sim_lock(properties) else None


# Nothing stands after the file system's id: two lines in one would hide a card.
_VOLUME: Final = re.compile(r"([!-~]{1,128}) [a-z_]{1,32}(?: [!-~]{1,64})?")
_BUILT_IN: Final = re.compile(r"private|emulated(?:;[0-9]{1,9})?|obb:[0-9]{1,9}")
_ON_A_DISK: Final = re.compile(r"(?:public|private|emulated|stub):[!-~]+")
_DISK: Final = re.compile(r"disk:[0-9]{1,9},[0-9]{1,9}")
_OWN_STORAGE: Final = "private"
"""The handset's own storage: a list without it isn't whole."""


def has_removable_media(volumes: str, disks: str) -> bool:
    """Whether there is a memory card or a USB drive, readable or not, or one adopted as storage.

    Android calls a disk only what can be taken out; one that it can't read has no volume.
    """
    names = [_volume(line.strip()) for line in lines_of(volumes) if line.strip()]
    if _OWN_STORAGE not in names:
        raise AnswerNotRecognised("sm list-volumes: the handset's own storage is missing")
    found = [line.strip() for line in lines_of(disks) if line.strip()]
    if not all(_DISK.fullmatch(line) for line in found):
        raise AnswerNotRecognised("sm list-disks: a line that is no disk")
    return bool(found) or any(_ON_A_DISK.fullmatch(name) for name in names)


def _volume(line: str) -> str:
    match = _VOLUME.fullmatch(line)
    if match is None or not (_BUILT_IN.fullmatch(match[1]) or _ON_A_DISK.fullmatch(match[1])):
        raise AnswerNotRecognised("sm list-volumes: a line that is no volume")
    return match[1]
