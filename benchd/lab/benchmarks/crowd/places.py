"""What the crowd is told, and where in its folder it is reached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import TypeAdapter

from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.simulator.handset_models import XPERIA_ACE_III
from benchd.lab.simulator.plan import HandsetPlan
from benchd.lab.simulator.scenario import freshly_reset, in_use

PLUG_SOCKET: Final = "plug.sock"
CONTROL_SOCKET: Final = "control.sock"
CHIP_SOCKET: Final = "chips.sock"
ADB_SOCKET: Final = "adb.sock"
_OTHER_PROPERTIES: Final = "properties"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPlan:
    """The handsets, the first in slot 1, and their pace."""

    handsets: tuple[HandsetPlan, ...]
    pace: CrowdPace = field(default_factory=CrowdPace)


PLAN_JSON: Final = TypeAdapter(CrowdPlan)


def plan_of(
    count: int, pace: CrowdPace, *, in_use_every: int = 0, like: HandsetPlan | None = None
) -> CrowdPlan:
    """So many handsets of one model, each with numbers of its own.

    Every so many-th comes in with its owner's data, so that it has to be reset; `like` is the
    handset of a dossier, whose answers all of them give.
    """
    handsets: list[HandsetPlan] = []
    for number in range(1, count + 1):
        used = bool(in_use_every) and number % in_use_every == 0
        make = in_use if used else freshly_reset
        serial, imei = f"CROWD{number:05d}", _imei(number)
        if like is None:
            handsets.append(make(slot_name(number), XPERIA_ACE_III, serial, imei))
        else:
            own = {key: answer for key, answer in like.given.items() if key != _OTHER_PROPERTIES}
            handsets.append(
                replace(like, name=slot_name(number), serial=serial, imei=imei, given=own)
            )
    return CrowdPlan(handsets=tuple(handsets), pace=pace)


def slot_name(number: int) -> str:
    """What the configuration calls the slot of a number."""
    return f"S{number:04d}"


def slot_number(name: str) -> int:
    """The number of a slot."""
    return int(name.removeprefix("S"))


def _imei(number: int) -> str:
    """Fifteen digits of a range that is for tests, with Luhn's check digit (ISO/IEC 7812-1)."""
    body = f"001000{number:08d}"
    doubled = [int(digit) * (2 - (place % 2)) for place, digit in enumerate(reversed(body))]
    total = sum(digit // 10 + digit % 10 for digit in doubled)
    return f"{body}{-total % 10}"
