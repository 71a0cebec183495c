"""Whether there is a SIM, and a lock on whose, from what the telephony service keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.android.shell.text import printable
from benchd.errors import AnswerNotRecognised

_STATE: Final = "gsm.sim.state"
_ABSENT: Final = "ABSENT"
_LOCKED: Final = "NETWORK_LOCKED"
_THERE: Final = frozenset(
    {
        "PIN_REQUIRED",
        "PUK_REQUIRED",
        _LOCKED,
        "READY",
        "LOADED",
        "PERM_DISABLED",
        "CARD_IO_ERROR",
        "CARD_RESTRICTED",
    }
)
_UNTOLD: Final = frozenset({"", "UNKNOWN", "NOT_READY"})
"""Source of the words: AOSP, com.android.internal.telephony.IccCardConstants.State."""


def has_sim(properties: Mapping[str, str]) -> bool | None:
    """Whether any slot holds a SIM or an active eSIM; None where the handset doesn't say."""
    states = set(properties.get(_STATE, "").split(","))
    unknown = states - _THERE - _UNTOLD - {_ABSENT}
    if unknown:
        raise AnswerNotRecognised(f"getprop: {_STATE} has {printable(min(unknown))!r}")
    if states & _THERE:
        return True
    return False if states == {_ABSENT} else None


def sim_slots(properties: Mapping[str, str]) -> int | None:
    """How many SIMs it can hold; None where the handset doesn't say.

    The telephony service keeps one state for each, with commas between them.
    """
    states = properties.get(_STATE, "")
    return len(states.split(",")) if states else None


def sim_lock(properties: Mapping[str, str]) -> bool | None:
    """Whether it refuses a SIM of another carrier.

    Only a SIM that is refused shows the lock: no other word says that there is none.
    """
    return True if _LOCKED in properties.get(_STATE, "").split(",") else None


def sim_lock_source(properties: Mapping[str, str]) -> str | None:
    """What told of that lock."""
    return f"{_STATE}={_LOCKED}" if sim_lock(properties) else None
