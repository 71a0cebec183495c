"""How worn a battery is: what services of real handsets say of it, and what they say for none."""

from __future__ import annotations

from random import Random

import pytest
from handset_fakes import SEEN, answer

from benchd.devices.android.facts.battery_wear import read_battery_wear
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.domain.handset import BatteryMethod, BatteryWear

UNTOLD = BatteryWear()

HEALTH = """\
Service host process PID: 2867
Threads in use: 1/1
Client PIDs: 3155, 1989, 2549, 1222
ac: 0 usb: 1 wireless: 0 dock: 0 current_max: 500000 voltage_max: 5000000
status: 2 health: 2 present: 1
level: 59 voltage: 4000 temp: 360
current now: -146
current avg: 0
charge counter: 4622
current now: -212
cycle count: {cycles}
Full charge: {full}

getHealthInfo -> HealthInfo{{chargerAcOnline: false, chargerUsbOnline: true, \
chargerWirelessOnline: false, chargerDockOnline: false, maxChargingCurrentMicroamps: 500000, \
maxChargingVoltageMicrovolts: 5000000, batteryStatus: CHARGING, batteryHealth: GOOD, \
batteryPresent: true, batteryLevel: 59, batteryVoltageMillivolts: 4003, \
batteryTemperatureTenthsCelsius: 360, batteryCurrentMicroamps: -146, batteryCycleCount: {cycles}, \
batteryFullChargeUah: {full}, batteryChargeCounterUah: 4622, batteryTechnology: Li-ion, \
batteryCurrentAverageMicroamps: 0, diskStats: [], storageInfos: [], batteryCapacityLevel: NORMAL, \
batteryChargeTimeToFullNowSeconds: -1, batteryFullChargeDesignCapacityUah: {design}, \
chargingState: INVALID, chargingPolicy: INVALID, batteryHealthData: {data}}}
"""
"""The form of a handset of 8000 mAh with Android 16, as a public parser's own test quotes it."""
DATA = (
    "BatteryHealthData{{batteryManufacturingDateSeconds: 0, batteryFirstUsageSeconds: 0,"
    " batteryStateOfHealth: {percent}, batterySerialNumber: (null),"
    " batteryPartStatus: UNSUPPORTED}}"
)
"""AOSP, android/hardware/health/BatteryHealthData.aidl, as its backend writes it."""
BEFORE_9 = """\
ac: 0 usb: 1 wireless: 0 current_max: 500000
status: 5 health: 2 present: 1
level: 100 voltage: 4312 temp: 309
current now: -6510
cycle count: {cycles}
Full charge: {full}
"""
"""AOSP, healthd/BatteryMonitor.cpp of Android 8, dumpState."""


def service(cycles: int = 316, full: int = 6_791_000, design: int = 7_000_000, soh: int = 0) -> str:
    data = DATA.format(percent=soh) if soh else "(null)"
    return HEALTH.format(cycles=cycles, full=full, design=design, data=data)


def read(battery: str = "", health: str = "", before: str = "", gauges: str = "") -> BatteryWear:
    return read_battery_wear(battery, health, before, gauges)


def wear(
    percent: int | None, how: str | None, cycles: int | None, counted: str | None
) -> BatteryWear:
    return BatteryWear(
        health_percent=percent,
        health_method=None if how is None else BatteryMethod(how),
        cycles=cycles,
        cycles_method=None if counted is None else BatteryMethod(counted),
    )


def supply(name: str, kind: str = "Battery", **files: object) -> str:
    told = {"type": kind, **files}
    return "".join(f"/sys/class/power_supply/{name}/{file}={told[file]}\n" for file in told)


END = "looked everywhere\n"
SERVICE, CAPACITY = "health_service", "health_service_capacity"
SAMSUNG = (
    "  mSavedBatteryAsoc: {asoc}\n  mSavedBatteryUsage: {usage}\n  mSavedBatteryBsoh: {bsoh}\n"
)


CASES: dict[str, tuple[BatteryWear, BatteryWear]] = {
    "a full charge by what it was made for, cut and not rounded": (
        read(health=service()),
        wear(97, CAPACITY, 316, SERVICE),
    ),
    "the service's own word before that": (
        read(health=service(soh=88)),
        wear(88, SERVICE, 316, SERVICE),
    ),
    "more than it was made for": (
        read(health=service(60, 8_065_000, 8_000_000)),
        wear(None, None, 60, SERVICE),
    ),
    "exactly what it was made for, which an old gauge only repeats": (
        read(health=service(316, 5_000_000, 5_000_000)),
        wear(None, None, 316, SERVICE),
    ),
    "exactly that of a battery that was hardly used": (
        read(health=service(12, 5_000_000, 5_000_000)),
        wear(100, CAPACITY, 12, SERVICE),
    ),
    "nothing but zeros": (read(health=service(0, 0, 0)), UNTOLD),
    "no cycles and nothing else": (
        read(health=service(0, 4_500_000, 5_000_000)),
        wear(90, CAPACITY, None, None),
    ),
    "no cycles of what it measures to be new": (
        read(health=service(0, 0, 0, soh=100)),
        wear(100, SERVICE, 0, SERVICE),
    ),
    "no cycles of what it measures to be worn": (
        read(health=service(0, 0, 0, soh=84)),
        wear(84, SERVICE, None, None),
    ),
    "minus one": (read(health=service(-1, -1, -1)), UNTOLD),
    "a gauge's word for none": (read(health=service(65_535, 0, 0)), UNTOLD),
    "all that an int holds": (
        read(health=service(2_147_483_647, 2_147_483_647, 5_000_000)),
        UNTOLD,
    ),
    "milliampere-hours in place of micro": (
        read(health=service(316, 4_500, 5_000_000)),
        wear(None, None, 316, SERVICE),
    ),
    "what is in it just now in place of what fits in": (
        read(health=service(316, 800_000, 5_000_000)),
        wear(None, None, 316, SERVICE),
    ),
    "a state of health above a hundred": (
        read(health=service(316, 0, 0, soh=140)),
        wear(None, None, 316, SERVICE),
    ),
    "two states of health": (
        read(health=service(soh=88) + DATA.format(percent=91)),
        wear(97, CAPACITY, 316, SERVICE),
    ),
    "Android 8 counts and doesn't say what it was made for": (
        read(before=BEFORE_9.format(cycles=211, full=2_365_000)),
        wear(None, None, 211, SERVICE),
    ),
    "no such service": (
        read(health="Can't find service: android.hardware.health.IHealth/default\n"),
        UNTOLD,
    ),
    "Samsung": (
        read(SAMSUNG.format(asoc="[93]", usage="[80739]", bsoh="91")),
        wear(93, "samsung_asoc", 807, "samsung_usage"),
    ),
    "Samsung without the first of two": (
        read(SAMSUNG.format(asoc="-1", usage="103016", bsoh="87")),
        wear(87, "samsung_bsoh", 1030, "samsung_usage"),
    ),
    "Samsung of old, that counted something else": (
        read(SAMSUNG.format(asoc="96", usage="132", bsoh="-1")),
        wear(96, "samsung_asoc", None, None),
    ),
    "Samsung's own beside a service that repeats": (
        read(
            SAMSUNG.format(asoc="[93]", usage="[0]", bsoh="0"), service(201, 5_000_000, 5_000_000)
        ),
        wear(93, "samsung_asoc", 201, SERVICE),
    ),
    "Samsung of two minds": (
        read(
            SAMSUNG.format(asoc="[93]", usage="[0]", bsoh="0") * 2 + "  mSavedBatteryAsoc: [92]\n"
        ),
        UNTOLD,
    ),
    "the kernel": (
        read(
            gauges=supply(
                "battery", cycle_count=420, charge_full=3_630_000, charge_full_design=4_410_000
            )
            + END
        ),
        wear(82, "kernel_capacity", 420, "kernel"),
    ),
    "the kernel's own gauge beside a charger that knows nothing": (
        read(
            gauges=supply("battery", cycle_count=0)
            + supply(
                "bms", "BMS", cycle_count=20, charge_full=2_200_000, charge_full_design=2_960_000
            )
            + supply("usb", "USB", cycle_count=7)
            + END
        ),
        wear(74, "kernel_capacity", 20, "kernel"),
    ),
    "two batteries, one of them a pen's": (
        read(gauges=supply("battery", cycle_count=420) + supply("pen", cycle_count=3) + END),
        UNTOLD,
    ),
    "a supply that doesn't say what it is": (
        read(gauges="/sys/class/power_supply/battery/cycle_count=420\n" + END),
        UNTOLD,
    ),
    "the service before the kernel": (
        read(health=service(soh=88), gauges=supply("battery", cycle_count=999) + END),
        wear(88, SERVICE, 316, SERVICE),
    ),
    "an answer that broke off within a number": (
        read(
            SAMSUNG.format(asoc="93", usage="-1", bsoh="91")[:-2],
            "getHealthInfo -> HealthInfo{batteryCycleCount: 31",
            "cycle count: 21",
            supply("battery", cycle_count=42),
        ),
        wear(93, "samsung_asoc", None, None),
    ),
    "silence": (read(), UNTOLD),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_with_its_method_or_not_at_all(case: str) -> None:
    found, meant = CASES[case]
    assert found == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("battery-8-samsung", wear(96, "samsung_asoc", None, None)),
        ("battery-8-pixel-c", UNTOLD),
        ("battery-15-oplus", UNTOLD),
        ("battery-16-pixel-8-pro", UNTOLD),
    ],
)
def test_what_real_handsets_say(name: str, meant: BatteryWear) -> None:
    assert read(answer(name)) == meant


def mutants(text: str, count: int, seed: int) -> list[str]:
    """Whatever a lossy cable or another maker's service may make of an answer."""
    draw, lines = Random(seed), text.split("\n")
    found: list[str] = []
    for _ in range(count):
        changed, place = list(lines), draw.randrange(len(lines))
        match draw.randrange(5):
            case 0:
                changed[place] = changed[place][: draw.randrange(len(changed[place]) + 1)]
            case 1:
                del changed[place]
            case 2:
                changed.insert(place, draw.choice(lines))
            case 3:
                number = draw.choice(("-1", "0", "101", "65535", "2147483647", "NaN", ""))
                changed[place] = "".join(number if c.isdigit() else c for c in changed[place])
            case _:
                cut = draw.randrange(len(text) + 1)
                changed = (text[:cut] + draw.choice("\0}{,: \r\n") + text[cut:]).split("\n")
        found.append("\n".join(changed))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_no_mutant_is_refused_or_told_beyond_its_bounds(seed: int) -> None:
    whole = (
        SAMSUNG.format(asoc="[93]", usage="[80739]", bsoh="91"),
        service(soh=88),
        BEFORE_9.format(cycles=211, full=2_365_000),
        supply("battery", cycle_count=420, charge_full=3_630_000, charge_full_design=4_410_000)
        + END,
    )
    seen = [told["told"]["battery"] for told in SEEN if "battery" in told["told"]]
    for place, text in enumerate((*whole, *seen)):
        for mutant in mutants(text, 300, seed):
            given = ["", "", "", ""]
            given[place if place < len(whole) else 0] = mutant
            told = read_battery_wear(*given)
            assert (told.health_percent is None) is (told.health_method is None)
            assert (told.cycles is None) is (told.cycles_method is None)
            assert told.health_percent is None or 1 <= told.health_percent <= 100
            assert told.cycles is None or 0 <= told.cycles <= 9_999


def test_only_what_reads_is_asked() -> None:
    asked = " ".join(QUESTIONS[name] for name in ("battery", "health", "health_before_9", "gauges"))
    for word in ("set", "reset", "unplug", "suspend", ">/sys", "rm "):
        assert word not in asked.split()
