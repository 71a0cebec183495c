"""How worn a battery is, by whichever of its handset's services tells: never a default or a guess.

Android's health service comes first, then the maker's own, then the kernel. What nobody measures
stands in these places as -1, 0, 65535, or as the capacity that the battery was made for: all of
that is not told. So is a value that stands twice with two numbers, and a battery of more than
100 %.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from benchd.devices.android.shell.text import lines_of
from benchd.domain.handset import BatteryMethod, BatteryWear

_POWER_SUPPLY: Final = "/sys/class/power_supply"
_TYPE, _CYCLES, _FULL, _DESIGN = "type", "cycle_count", "charge_full", "charge_full_design"
_GAUGE_FILES: Final = (_TYPE, _CYCLES, _FULL, _DESIGN)

_END: Final = "looked everywhere"
LOOK_FOR_GAUGES: Final = (
    f"for s in {_POWER_SUPPLY}/*; do for f in {' '.join(_GAUGE_FILES)}; do"
    ' v=$(cat "$s/$f" 2>/dev/null) && echo "$s/$f=$v"; done; done; echo "looked everywhere"'
)
"""A shell command: what the shell may read of the kernel's supplies, which is often nothing."""

_GAUGE_LINE: Final = re.compile(
    rf"{_POWER_SUPPLY}/([A-Za-z0-9_.-]{{1,64}})/({'|'.join(_GAUGE_FILES)})=([!-~]{{1,32}})"
)
_GAUGES: Final = frozenset({"Battery", "BMS"})
"""Of a supply that measures the battery; Qualcomm's own gauge is beside it, and is a BMS."""

_MOST_CYCLES: Final = 9_999
"""Ten times what a battery lives for; 65535 is a gauge's word for none."""
_LEAST_UAH, _MOST_UAH = 500_000, 40_000_000
"""From a watch to a large tablet; whatever is told in mAh in place of µAh lies outside."""
_LEAST_SHARE: Final = 20
"""Percent of its capacity with which a handset still starts: less was measured wrongly."""
_STILL_NEW: Final = 100
"""Cycles below which a full charge may be exactly what the battery was made for."""
_PERCENT_OF_A_CYCLE: Final = 100
_LIKE_NEW: Final = 99
"""Percent of health that show a count of no cycles to be one."""


class _Health(NamedTuple):
    percent: int
    method: BatteryMethod


class _Cycles(NamedTuple):
    number: int
    method: BatteryMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReportedWear:
    """What one service says, as it stands there; None where it says nothing, or two things."""

    state_of_health: int | None = None
    cycles: int | None = None
    full_uah: int | None = None
    design_uah: int | None = None

    def health(self, direct: BatteryMethod, by_capacity: BatteryMethod) -> Iterator[_Health]:
        """Its own word for it, else by what a full charge holds."""
        if self.state_of_health is not None and 1 <= self.state_of_health <= 100:
            yield _Health(self.state_of_health, direct)
        if self.full_uah is None or self.design_uah is None:
            return
        known = all(_LEAST_UAH <= uah <= _MOST_UAH for uah in (self.full_uah, self.design_uah))
        # The same number twice is what a gauge says that hasn't learned another one.
        learned = self.full_uah < self.design_uah or 0 < (self.cycles or 0) < _STILL_NEW
        if known and learned and self.full_uah <= self.design_uah:
            percent = 100 * self.full_uah // self.design_uah
            if percent >= _LEAST_SHARE:
                yield _Health(percent, by_capacity)

    def counted(self, method: BatteryMethod) -> Iterator[_Cycles]:
        """Its count; none at all is one only of a battery that it measures to be like new."""
        if self.cycles is None or not 0 <= self.cycles <= _MOST_CYCLES:
            return
        if self.cycles > 0 or _LIKE_NEW <= (self.state_of_health or 0) <= 100:
            yield _Cycles(self.cycles, method)


def read_battery_wear(battery: str, health: str, health_before_9: str, gauges: str) -> BatteryWear:
    """What `dumpsys battery`, the health service and the kernel's gauges tell; blank is nothing."""
    service, before, kernel = _of_service(health), _of_service(health_before_9), _of_gauges(gauges)
    samsung = _of_samsung(battery)
    of_service = (BatteryMethod.HEALTH_SERVICE, BatteryMethod.HEALTH_SERVICE_CAPACITY)
    healths = (
        *service.health(*of_service),
        *samsung.health(),
        *before.health(*of_service),
        *kernel.health(BatteryMethod.KERNEL, BatteryMethod.KERNEL_CAPACITY),
    )
    counts = (
        *service.counted(BatteryMethod.HEALTH_SERVICE),
        *samsung.counted(),
        *before.counted(BatteryMethod.HEALTH_SERVICE),
        *kernel.counted(BatteryMethod.KERNEL),
    )
    found, cycles = next(iter(healths), None), next(iter(counts), None)
    return BatteryWear(
        health_percent=found.percent if found else None,
        health_method=found.method if found else None,
        cycles=cycles.number if cycles else None,
        cycles_method=cycles.method if cycles else None,
    )


def _of_service(text: str) -> _ReportedWear:
    """HealthInfo as its own toString writes it, and the lines of BatteryMonitor above it.

    Source: AOSP, hardware/interfaces/health/aidl/default/Health.cpp and healthd/BatteryMonitor.cpp.
    """

    def told(field: str, line: str = "") -> int | None:
        found = re.findall(rf"\b{field}: (-?[0-9]{{1,18}})(?=[,}}\n])", text)
        if not found and line:
            # BatteryMonitor's own lines may be of the moment before.
            found = re.findall(rf"^{line}: (-?[0-9]{{1,18}})\r?\n", text, re.MULTILINE)
        return _only(map(int, found))

    return _ReportedWear(
        state_of_health=told("batteryStateOfHealth"),
        cycles=told("batteryCycleCount", "cycle count"),
        full_uah=told("batteryFullChargeUah", "Full charge"),
        design_uah=told("batteryFullChargeDesignCapacityUah"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samsung:
    """What Samsung's battery service has saved of this battery, where no reset reaches.

    One number for each key, and whether it stands in brackets, as it does since about Android 12.
    """

    asoc: _Saved | None
    bsoh: _Saved | None
    usage: _Saved | None

    def health(self) -> Iterator[_Health]:
        told = ((self.asoc, BatteryMethod.SAMSUNG_ASOC), (self.bsoh, BatteryMethod.SAMSUNG_BSOH))
        for saved, method in told:
            if saved is not None and 1 <= saved.number <= 100:
                yield _Health(saved.number, method)

    def counted(self) -> Iterator[_Cycles]:
        """Older firmware has counted something else in its place: 132, of a battery at 96 %."""
        if self.usage is None or not (self.usage.in_brackets or self.usage.number > _MOST_CYCLES):
            return
        cycles = self.usage.number // _PERCENT_OF_A_CYCLE
        if 0 < cycles <= _MOST_CYCLES:
            yield _Cycles(cycles, BatteryMethod.SAMSUNG_USAGE)


class _Saved(NamedTuple):
    number: int
    in_brackets: bool


def _of_samsung(text: str) -> _Samsung:
    def told(key: str) -> _Saved | None:
        found = re.findall(
            rf"^[ \t]*{key}: (?:\[(-?[0-9]{{1,12}})\]|(-?[0-9]{{1,12}}))[ \t]*\r?\n",
            text,
            re.MULTILINE,
        )
        number = _only(int(bracketed or plain) for bracketed, plain in found)
        return None if number is None else _Saved(number, any(of for of, _ in found))

    return _Samsung(
        asoc=told("mSavedBatteryAsoc"),
        bsoh=told("mSavedBatteryBsoh"),
        usage=told("mSavedBatteryUsage"),
    )


def _of_gauges(text: str) -> _ReportedWear:
    """What the kernel's supplies tell that measure the battery; where two do, what both say."""
    supplies: defaultdict[str, dict[str, str]] = defaultdict(dict)
    lines = lines_of(text)
    if not lines or lines[-1] != _END:
        return _ReportedWear()
    for line in lines:
        match = _GAUGE_LINE.fullmatch(line.strip())
        if match is not None:
            supplies[match[1]][match[2]] = match[3]
    gauges = [told for told in supplies.values() if told.get(_TYPE) in _GAUGES]
    read = _reader(gauges)
    return _ReportedWear(cycles=read(_CYCLES), full_uah=read(_FULL), design_uah=read(_DESIGN))


def _reader(gauges: Iterable[Mapping[str, str]]) -> Callable[[str], int | None]:
    def read(name: str) -> int | None:
        values = [
            told[name] for told in gauges if re.fullmatch(r"[1-9][0-9]{0,11}", told.get(name, ""))
        ]
        return _only(map(int, values))

    return read


def _only(values: Iterable[int]) -> int | None:
    """The one number that is told, however often; None where there is none, or more than one."""
    found = set(values)
    return found.pop() if len(found) == 1 else None
