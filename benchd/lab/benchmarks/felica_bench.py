"""`benchd bench felica`: chips through real pcscd's, one reader beside many, insert to verdict.

The chips are virtual and answer after at least 5 ms, old ones after the share of their PMm's
times that the virtual rack gives them. Readers over USB have their own times, which no figure
here knows.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import anyio

from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import BenchdError, ReaderFault
from benchd.domain.ids import JsonValue, SlotName
from benchd.lab.benchmarks.bench_report import Line, ratio, say, tell
from benchd.lab.benchmarks.percentiles import percentile
from benchd.lab.simulator.chips import BASELINE
from benchd.lab.simulator.chips.chip_hands import ChipHands
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.virtual_house import RackHouse

AT_ONCE = 15
ALL_READERS = 32
CURRENT_IC, OLD_IC = "18", "14"
SALT = bytes(32)
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 300.0
EXPECTED = {"in_use": ChipVerdict.IN_USE, "cleared": ChipVerdict.UNUSED}


class WrongVerdict(BenchdError):
    """Raised when a scan that is being timed says something else of a chip than is true."""


def bench_felica(*, rounds: int, inserts: int, as_json: bool) -> None:
    """Measure, and print medians and percentiles."""
    figures = anyio.run(_measure, rounds, inserts)
    tell("FeliCa: virtual chips through pcscd", figures, _lines(figures), as_json=as_json)


async def _measure(rounds: int, inserts: int) -> dict[str, JsonValue]:
    cards = [_card(slot, CURRENT_IC, "in_use") for slot in range(1, ALL_READERS + 1)]
    spare = [
        CardPlan(name=f"{profile}-{ic}", chip=ChipPlan(ic_type=ic, profile=profile))
        for ic in (CURRENT_IC, OLD_IC)
        for profile in EXPECTED
    ]
    figures: dict[str, JsonValue] = {}
    plan = RackPlan(handsets=(), readers=ALL_READERS, cards=(*cards, *spare))
    async with RackHouse(plan) as house, RackHands.connect(house.control_socket) as hands:
        settings = FelicaSettings(
            readers={_slot(number): at.name for number, at in house.readers.items()},
            pcscd=tuple(dict.fromkeys(at.socket for at in house.readers.values())),
            baselines=(BASELINE,),
        )
        bench = PcscChipAccess(settings, salt=SALT, clock=time.monotonic)
        async with anyio.create_task_group() as tasks:
            await tasks.start(bench.run)
            with anyio.fail_after(READY_WITHIN_S):
                for number in house.readers:
                    await bench.until_there(_slot(number))
            with anyio.fail_after(ENDS_WITHIN_S):
                figures = await _figures(bench, hands.chips, rounds, inserts)
            figures["pcscds"] = len(settings.pcscd)
            tasks.cancel_scope.cancel()
    return figures


async def _figures(
    bench: PcscChipAccess, chips: ChipHands, rounds: int, inserts: int
) -> dict[str, JsonValue]:
    one: list[float] = []
    fifteen: list[float] = []
    thirty_two: list[float] = []
    rates: list[float] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        one.append(await _scan_at_once(bench, [1]))
        before = await _exchanges(chips)
        fifteen.append(await _scan_at_once(bench, range(1, AT_ONCE + 1)))
        rates.append((await _exchanges(chips) - before) / fifteen[-1])
        thirty_two.append(await _scan_at_once(bench, range(1, ALL_READERS + 1)))
    say("inserts")
    current = await _inserts(bench, chips, CURRENT_IC, inserts)
    old = await _inserts(bench, chips, OLD_IC, max(2, inserts // 3))
    return {
        "one_s": statistics.median(one),
        "fifteen_s": statistics.median(fifteen),
        "thirty_two_s": statistics.median(thirty_two),
        "insert_to_verdict_p50_ms": 1000 * percentile(current, 0.50),
        "insert_to_verdict_p99_ms": 1000 * percentile(current, 0.99),
        "old_chip_p50_ms": 1000 * percentile(old, 0.50),
        "old_chip_p99_ms": 1000 * percentile(old, 0.99),
        "exchanges_per_s": statistics.median(rates),
        "inserts": len(current),
        "rounds": rounds,
    }


def _slot(number: int) -> SlotName:
    return SlotName(f"S{number}")


def _card(slot: int, ic: str, profile: str) -> CardPlan:
    return CardPlan(name=f"card-{slot}", slot=slot, chip=ChipPlan(ic_type=ic, profile=profile))


async def _scan_at_once(bench: PcscChipAccess, slots: Sequence[int]) -> float:
    """Seconds for a re-check's scan, twice and power-cycled, on all these readers at once."""
    begun = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for slot in slots:
            tasks.start_soon(_recheck, bench, slot)
    return time.monotonic() - begun


async def _recheck(bench: PcscChipAccess, slot: int) -> None:
    scan = await bench.scan(_slot(slot), passes=2, power_cycle=True)
    if scan.verdict is not ChipVerdict.IN_USE:
        raise WrongVerdict(f"a chip in use was found {scan.verdict}: {scan.detail}")


async def _exchanges(chips: ChipHands) -> int:
    return sum(state.exchanges for state in await chips.all())


async def _inserts(bench: PcscChipAccess, chips: ChipHands, ic: str, count: int) -> list[float]:
    """Seconds from laying a chip onto an empty reader to the verdict of a check, one by one."""
    await chips.take_away("card-1")
    await _until_empty(bench)
    found: list[float] = []
    for number in range(count):
        profile, verdict = list(EXPECTED.items())[number % len(EXPECTED)]
        name = f"{profile}-{ic}"
        begun = time.monotonic()
        await chips.lay_card(name, 1)
        scan = await bench.scan(_slot(1), passes=1, power_cycle=False)
        found.append(time.monotonic() - begun)
        if scan.verdict is not verdict:
            raise WrongVerdict(f"{name} was found {scan.verdict}: {scan.detail}")
        await chips.lift_card(name)
        await _until_empty(bench)
    await chips.lay_back("card-1")
    return found


async def _until_empty(bench: PcscChipAccess) -> None:
    """Until the reader itself has noticed that nothing lies on it; pcscd looks now and then."""
    while True:
        try:
            scan = await bench.scan(_slot(1), passes=1, power_cycle=False)
        except ReaderFault:
            continue  # the chip left in the middle of this look
        if scan.verdict is ChipVerdict.SILENT:
            return


def _lines(figures: dict[str, JsonValue]) -> list[Line]:
    def number(name: str) -> float:
        value = figures[name]
        return float(value) if isinstance(value, int | float) else 0.0

    one, fifteen = number("one_s"), number("fifteen_s")
    return [
        Line(what="one reader, two passes", figure=f"{one:.2f} s"),
        Line(
            what=f"{AT_ONCE} readers at once",
            figure=f"{fifteen:.2f} s",
            beside=f"{ratio(fifteen, one)} the time of one",
        ),
        Line(
            what=f"{ALL_READERS} readers at once, {figures['pcscds']} pcscd's",
            figure=f"{number('thirty_two_s'):.2f} s",
            beside=f"{ratio(number('thirty_two_s'), one)} the time of one",
        ),
        Line(
            what=f"insert to verdict, IC type {CURRENT_IC}",
            figure=f"p50 {number('insert_to_verdict_p50_ms'):.0f} ms,"
            f" p99 {number('insert_to_verdict_p99_ms'):.0f} ms",
        ),
        Line(
            what=f"insert to verdict, IC type {OLD_IC}",
            figure=f"p50 {number('old_chip_p50_ms'):.0f} ms,"
            f" p99 {number('old_chip_p99_ms'):.0f} ms",
        ),
        Line(what="exchanges", figure=f"{number('exchanges_per_s'):.0f} a second"),
    ]
