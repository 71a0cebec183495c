"""Whole jobs with chips, through pcscd: each story's end, and readers and chips that misbehave."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.domain.job import Reason, StageName
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ClearStory, ReaderFaults
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from tests.rack.working import (
    at_work,
    certified,
    must_end_as_expected,
    results,
    slow,
    until_slot,
)

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

STORIES = tuple(name for name in SCENARIOS if name.startswith("felica-"))
CLEAN = SCENARIOS["clean"]
GENERATIONS = ("14", "16", "1B")


def in_use(clear: ClearStory, ic_type: str) -> Scenario:
    chip = ChipPlan(ic_type=ic_type, profile="in_use", clear=clear)
    return replace(CLEAN, plan=replace(CLEAN.plan, chip=chip))


def untold(**plan: object) -> Scenario:
    """A handset that tells adb no IMEI, so that a person reads it at the gates."""
    model = replace(CLEAN.plan.model, android="14", sdk=34)
    return replace(CLEAN, plan=replace(CLEAN.plan, model=model, **plan))  # type: ignore[arg-type]


async def reasons(rack: DemoRack) -> list[object]:
    """Why each handset failed; None where it passed."""
    told = await results(rack)
    assert all(
        (result["outcome"] == "passed")
        == (result["certificate"] is not None)
        == (result["reason"] is None)
        for result in told
    ), told
    return [result["reason"] for result in told]


async def test_chips_of_every_generation_end_by_how_their_clear_went(tmp_path: Path) -> None:
    """The stories of the demo end as they must in test_demo.py, together with all others."""
    assert len(STORIES) == 7
    lies, works = ClearStory.LIES, ClearStory.WORKS
    again = (ClearStory.RETRY_ONCE, ClearStory.HALFWAY)
    told = {
        Reason.FELICA_RESIDUE: [in_use(lies, kind) for kind in GENERATIONS],
        Reason.FELICA_SILENT: [SCENARIOS["felica-silent"]],
        None: [
            SCENARIOS["felica-in-use"],
            *(in_use(works, kind) for kind in GENERATIONS),
            # A clear that fails once is tried again.
            *(in_use(story, "18") for story in again),
        ],
    }
    handsets = [one for each in told.values() for one in each]
    async with at_work(tmp_path, handsets) as rack:
        expected = [reason for reason, each in told.items() for _ in each]
        assert await reasons(rack) == expected
        assert "only simulated" in json.dumps(certified(rack, "A5"))
        profiles = {chip.name: chip.profile for chip in await rack.hands.chips.all()}
        cleared = [placed.slot for placed in rack.placed[len(GENERATIONS) + 1 :]]
        assert {profiles[slot] for slot in cleared} == {"cleared"}
        silent = await rack.watch.job(str(rack.watch.slots["A4"]["job"]))
        assert "NFC is off on this handset" in json.dumps(silent, default=str)


async def test_a_chip_is_tied_where_it_goes_off_and_on_with_its_handsets_nfc(
    tmp_path: Path,
) -> None:
    """And the jobs wait for a pcscd that is away at first."""
    three = [untold(), untold(chip=ChipPlan(profile="in_use")), untold(felica_apart=True)]
    async with at_work(tmp_path, three, started=False) as rack:
        await rack.hands.chips.kill_pcscd()
        await rack.start_daemon()
        for placed in rack.placed:
            await until_slot(rack, placed.slot, lambda seen: seen["problem"] is not None)
        await rack.hands.chips.start_pcscd()
        await must_end_as_expected(rack)
        ties = [
            {tie["tie"] for tie in certified(rack, placed.slot)["binding"]["bound_by"]}
            for placed in rack.placed
        ]
        both = {"chip", "screen_imei"}
        assert [found & both for found in ties] == [both, both, {"screen_imei"}]
        assert not any(chip.silent for chip in await rack.hands.chips.all())


@pytest.mark.nightly
async def test_pcscd_killed_again_and_again_changes_no_end(tmp_path: Path) -> None:
    async with at_work(tmp_path, [SCENARIOS[name] for name in STORIES]) as rack:
        for _ in range(3):
            await rack.hands.chips.kill_pcscd()
            await rack.hands.chips.start_pcscd()
            await rack.watch.next_look()
        await must_end_as_expected(rack)


async def in_mid_overwrite(rack: DemoRack, slots: Sequence[str]) -> None:
    """What happens to the chips of these slots when each has just been found well."""

    async def spoil(slot: str, fault: str) -> None:
        await until_slot(rack, slot, lambda seen: seen["stage"] == StageName.OVERWRITE)
        if fault == "leaves":
            # In the middle of the first list of nodes, when nothing of the owner's was seen yet.
            await rack.hands.chips.set_faults(int(slot[1]), ReaderFaults(leave_after=4))
        else:
            await getattr(rack.hands.chips, fault)(slot)

    async with anyio.create_task_group() as spoiling:
        for slot, fault in zip(slots, ("swap", "silence", "take_away", "leaves"), strict=True):
            spoiling.start_soon(spoil, slot, fault)


async def test_another_chip_or_none_at_the_recheck_never_passes_and_a_hung_reader_holds_nobody(
    tmp_path: Path,
) -> None:
    spoilt = ("A3", "A4", "A5", "A6")
    unhurried = [slow("clean", 8)] * 3 + [slow("felica-clear-lies", 8)]
    async with at_work(tmp_path, [CLEAN, CLEAN, *unhurried, CLEAN], started=False) as rack:
        await rack.hands.chips.set_faults(2, ReaderFaults(hang=True))
        await rack.start_daemon()
        await in_mid_overwrite(rack, spoilt)
        ends = [await until_slot(rack, slot, ended) for slot in ("A1", *spoilt)]
        assert [end["reason"] for end in ends[:-1]] == [
            None,
            Reason.FELICA_INCONSISTENT,
            Reason.FELICA_SILENT,
            Reason.FELICA_SILENT,
        ]
        assert ends[0]["outcome"] == "passed"
        assert ends[-1]["reason"] is not None
        for end in ends[1:]:
            assert end["outcome"] != "passed"
            assert not rack.folder.certificate(str(end["job"])).exists()
        assert (await until_slot(rack, "A7", ended))["outcome"] == "passed"
        assert rack.watch.slots["A2"]["outcome"] != "passed"
