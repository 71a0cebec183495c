"""What happens in the drawn week: who works when, which handsets come, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from benchd.domain.ids import SlotName

SEED: Final = 20261127
JAPAN: Final = timezone(timedelta(hours=9))
ENDS: Final = datetime(2026, 11, 27, 16, 0, tzinfo=JAPAN).astimezone(UTC)
"""On a Friday afternoon, so that a shift is at work in what is shown as now."""
BEGINS: Final = ENDS - timedelta(days=7)
SCRAPED_EVERY: Final = timedelta(minutes=4)
"""Within the five minutes for which Prometheus takes a sample as the present one."""
SITE: Final = "site-1"


class Alert(StrEnum):
    """The alerts that such a week would have set off, by the names of the rules."""

    DOWN = "BenchdDown"
    READER_DOWN = "BenchdReaderDown"
    SLOT_QUARANTINED = "BenchdSlotQuarantined"


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it comes into the shop, by a code of the catalogue."""

    code: str
    size_gb: int
    mb_per_s: float
    """How fast its flash takes an overwrite."""
    often: int
    fails: float = 0.02


MODELS: Final = (
    Model("SO-51C", 64, 92, 5),
    Model("SH-54D", 128, 124, 4),
    Model("SO-52C", 128, 131, 4),
    Model("SCG15", 256, 178, 4),
    Model("SC-51C", 256, 190, 3),
    Model("SH-53C", 128, 118, 3),
    # Its flash is slow, and some of it is worn out.
    Model("F-51B", 64, 31, 4, fails=0.3),
    Model("not in the catalogue", 128, 84, 1, fails=0.06),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rack:
    """One rack and what it suffers; times are Japan's."""

    name: str
    slots: tuple[SlotName, ...]
    until_hour: int
    """When its last shift goes home; the first begins at nine."""
    bad_cable: tuple[SlotName, datetime] | None = None
    dead_reader: tuple[SlotName, datetime] | None = None
    out_of_use: tuple[SlotName, datetime] | None = None
    outage: tuple[datetime, datetime] | None = None


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=JAPAN).astimezone(UTC)


def _slots(rows: str, columns: int) -> tuple[SlotName, ...]:
    return tuple(SlotName(f"{row}{column}") for row in rows for column in range(1, columns + 1))


RACKS: Final = (
    Rack(
        name="rack-1",
        slots=_slots("AB", 8),
        until_hour=22,
        bad_cable=(SlotName("A6"), _at(23, 11)),
        out_of_use=(SlotName("B5"), _at(27, 14, 20)),
    ),
    Rack(
        name="rack-2",
        slots=_slots("AB", 6),
        until_hour=18,
        dead_reader=(SlotName("B2"), _at(26, 10, 40)),
        outage=(_at(25, 13, 20), _at(25, 15, 12)),
    ),
)


def at_work(rack: Rack, now: datetime) -> bool:
    """Whether anybody stands at the rack: from Monday to Friday, and on Saturday till two."""
    local = now.astimezone(JAPAN)
    ends = {5: 14, 6: 0}.get(local.weekday(), rack.until_hour)
    return 9 <= local.hour < ends and local.hour != 12
