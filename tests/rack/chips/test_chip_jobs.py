"""Whole jobs with chips, through pcscd: each story's end, and readers and chips that misbehave."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.certificate import verify_certificate
from benchd.domain.job import Reason, StageName
from benchd.lab.demo.demo_operators import SlotObject, ended
from benchd.lab.demo.demo_rack import DemoRack, demo_rack
from benchd.lab.demo.demo_run import as_expected, result_of, until_all_ended
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ClearStory, ReaderFaults
from benchd.lab.simulator.plan import MEBIBYTE
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

ENDS_WITHIN_S = 180
STORIES = tuple(name for name in SCENARIOS if name.startswith("felica-"))
BEFORE_OVERWRITE = {StageName.INSPECT, StageName.GATES, StageName.FELICA_CHECK}


def scenario(name: str = "clean", chip: ChipPlan | None = None) -> Scenario:
    found = SCENARIOS[name]
    return found if chip is None else replace(found, plan=replace(found.plan, chip=chip))


def unhurried(name: str = "clean") -> Scenario:
    """The same with a flash that takes seconds to fill: nobody who looks now and then misses it."""
    found = SCENARIOS[name]
    slow = replace(found.plan.faults, write_bytes_per_s=16 * MEBIBYTE)
    return replace(found, plan=replace(found.plan, faults=slow))


@asynccontextmanager
async def at_work(tmp_path: Path, *scenarios: Scenario) -> AsyncGenerator[DemoRack, None]:
    """A rack whose people answer; the daemon isn't started yet."""
    async with (
        demo_rack(tmp_path, scenarios, port=8420) as rack,
        anyio.create_task_group() as people,
    ):
        people.start_soon(rack.operators().work)
        yield rack
        people.cancel_scope.cancel()


async def until_slot(rack: DemoRack, slot: str, condition: Callable[[SlotObject], bool]) -> None:
    with anyio.fail_after(60):
        while slot not in rack.watch.slots or not condition(rack.watch.slots[slot]):
            await rack.watch.next_look()


async def reasons(rack: DemoRack) -> list[object]:
    """Why each handset failed; None where it passed."""
    with anyio.fail_after(ENDS_WITHIN_S):
        await until_all_ended(rack)
    results = [await result_of(rack, placed) for placed in rack.placed]
    assert all(
        (result["outcome"] == "passed")
        == (result["certificate"] is not None)
        == (result["reason"] is None)
        for result in results
    ), results
    return [result["reason"] for result in results]


async def must_end_as_expected(rack: DemoRack) -> None:
    with anyio.fail_after(ENDS_WITHIN_S):
        await until_all_ended(rack)
    for placed in rack.placed:
        result = await result_of(rack, placed)
        told = f"{result}\n{rack.folder.log.read_text()[-20000:]}"
        assert as_expected(result, placed.scenario), told


async def test_each_story_of_a_chip_ends_as_it_must(tmp_path: Path) -> None:
    assert len(STORIES) == 7
    async with at_work(tmp_path, *(scenario(name) for name in STORIES)) as rack:
        await rack.start_daemon()
        await must_end_as_expected(rack)
        (cleared,) = [p for p in rack.placed if p.scenario.name == "felica-in-use"]
        job = str(rack.watch.slots[cleared.slot]["job"])
        envelope = rack.folder.certificate(job).read_bytes()
        told = verify_certificate(envelope, rack.folder.public_key.read_bytes())
        felica = json.dumps(told, default=str)
        assert "only simulated" in felica
        truth = {state.name: state for state in await rack.hands.chips.all()}
        assert truth[cleared.slot].profile == "cleared"
        (silent,) = [p for p in rack.placed if p.scenario.name == "felica-silent"]
        assert "NFC is off on this handset" in json.dumps(
            await rack.watch.job(str(rack.watch.slots[silent.slot]["job"])), default=str
        )


async def test_a_clear_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    stories = (ClearStory.RETRY_ONCE, ClearStory.HALFWAY)
    chips = [ChipPlan(profile="in_use", clear=story) for story in stories]
    async with at_work(tmp_path, *(scenario(chip=chip) for chip in chips)) as rack:
        await rack.start_daemon()
        assert await reasons(rack) == [None, None]
        assert {state.profile for state in await rack.hands.chips.all()} == {"cleared"}


async def test_every_generation_of_chips_is_seen_in_use_and_seen_cleared(tmp_path: Path) -> None:
    chips = [
        ChipPlan(ic_type=ic_type, profile="in_use", clear=clear)
        for ic_type in ("14", "16", "1B")
        for clear in (ClearStory.LIES, ClearStory.WORKS)
    ]
    async with at_work(tmp_path, *(scenario(chip=chip) for chip in chips)) as rack:
        await rack.start_daemon()
        assert await reasons(rack) == [Reason.FELICA_RESIDUE, None] * 3


async def test_jobs_wait_for_a_pcscd_that_is_away(tmp_path: Path) -> None:
    async with at_work(tmp_path, scenario(), scenario("felica-in-use")) as rack:
        await rack.hands.chips.kill_pcscd()
        await rack.start_daemon()
        for slot in ("A1", "A2"):
            await until_slot(rack, slot, lambda seen: seen["problem"] is not None)
        await rack.hands.chips.start_pcscd()
        await must_end_as_expected(rack)


@pytest.mark.nightly
async def test_pcscd_killed_again_and_again_changes_no_end(tmp_path: Path) -> None:
    async with at_work(tmp_path, *(scenario(name) for name in STORIES)) as rack:
        await rack.start_daemon()
        for _ in range(3):
            await rack.hands.chips.kill_pcscd()
            await rack.hands.chips.start_pcscd()
            await rack.watch.next_look()
        await must_end_as_expected(rack)


async def test_a_hanging_reader_holds_nobody_but_its_own_slot(tmp_path: Path) -> None:
    async with at_work(tmp_path, scenario(), scenario(), scenario()) as rack:
        await rack.hands.chips.set_faults(2, ReaderFaults(hang=True))
        await rack.start_daemon()
        for slot in ("A1", "A3"):
            await until_slot(rack, slot, ended)
        assert rack.watch.slots["A1"]["outcome"] == "passed"
        assert rack.watch.slots["A3"]["outcome"] == "passed"
        assert rack.watch.slots["A2"]["outcome"] != "passed"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("swap", Reason.FELICA_INCONSISTENT),
        ("silence", Reason.FELICA_SILENT),
        ("take_away", Reason.FELICA_SILENT),
    ],
)
async def test_another_chip_or_none_at_the_recheck_never_passes(
    tmp_path: Path, fault: str, reason: Reason
) -> None:
    async with at_work(tmp_path, unhurried()) as rack:
        await rack.start_daemon()
        await until_slot(rack, "A1", lambda seen: seen["stage"] == StageName.OVERWRITE)
        await getattr(rack.hands.chips, fault)("A1")
        assert await reasons(rack) == [reason]


async def test_a_chip_that_leaves_in_mid_scan_never_passes_by_what_was_read_before(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, unhurried("felica-clear-lies")) as rack:
        await rack.start_daemon()
        await until_slot(rack, "A1", lambda seen: seen["stage"] == StageName.OVERWRITE)
        # In the middle of the first list of nodes, when nothing of the owner's was seen yet.
        await rack.hands.chips.set_faults(1, ReaderFaults(leave_after=4))
        assert await reasons(rack) != [None]


def newer(**plan: object) -> Scenario:
    """A handset that tells adb no IMEI, so that a person reads it at the gates."""
    found = SCENARIOS["clean"]
    model = replace(found.plan.model, android="14", sdk=34)
    return replace(found, plan=replace(found.plan, model=model, **plan))  # type: ignore[arg-type]


async def test_a_chip_is_tied_where_it_goes_off_and_on_with_its_handsets_nfc(
    tmp_path: Path,
) -> None:
    scenarios = (newer(), newer(chip=ChipPlan(profile="in_use")), newer(felica_apart=True))
    async with at_work(tmp_path, *scenarios) as rack:
        await rack.start_daemon()
        await must_end_as_expected(rack)
        ties: list[set[str]] = []
        for placed in rack.placed:
            job = str(rack.watch.slots[placed.slot]["job"])
            envelope = rack.folder.certificate(job).read_bytes()
            told = verify_certificate(envelope, rack.folder.public_key.read_bytes())
            binding = json.loads(json.dumps(told))["predicate"]["binding"]
            ties.append({tie["tie"] for tie in binding["bound_by"]})
        truth = await rack.hands.chips.all()
        tied, cleared, apart = (found & {"chip", "screen_imei"} for found in ties)
        both = {"chip", "screen_imei"}
        assert (tied, cleared, apart) == (both, both, {"screen_imei"})
        assert not any(chip.silent for chip in truth)
