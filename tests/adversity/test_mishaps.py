"""Racks on which somebody errs: what is drawn, what people scan, and which rows are still open."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import cast

import pytest

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.slot import QuestionView
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.drawing import draw
from benchd.lab.adversity.kinds import Kind, Numbers, Scan, Thing
from benchd.lab.adversity.mishaps import mishap_of
from benchd.lab.adversity.pasting import as_text, from_file, from_text
from benchd.lab.adversity.rows import ALL, OPEN, SHOWN_BY
from benchd.lab.adversity.scanning import Scanning
from benchd.lab.adversity.schedule import BayPlan, HandsetPlan, Schedule, Visit
from benchd.lab.adversity.schedule_run import run_schedule
from benchd.lab.adversity.search import faults_of, schedules_of
from benchd.lab.adversity.stories import OPEN_STORIES, STORIES
from benchd.lab.adversity.truth import make_truth
from benchd.lab.adversity.visits import change

OPEN_FOUND = sorted((Path(__file__).parent / "schedules" / "open").glob("*.json"))
CLOSED_FOUND = sorted((Path(__file__).parent / "schedules").glob("story-*.json"))
STORY = re.compile(r"story-(\d+)-.+")
DRAWN_BEFORE = "829f710db4f052b25fc3cf67d8bf118d08e05040457ce177fcd82b4ff0f631e4"
"""The digest of what the seeds below draw before anybody errs: another one with each new stage, at
which blows may fall, and with nothing else."""


def row_of(path: Path) -> int:
    match = STORY.fullmatch(path.stem)
    assert match is not None, path.stem
    return int(match[1])


def all_mishaps(seeds: int) -> list[Schedule]:
    drawn = (mishap_of(seed, share=1.0, open_too=True) for seed in range(seeds))
    return [schedule for schedule in drawn if schedule is not None]


@pytest.mark.parametrize("path", OPEN_FOUND, ids=lambda path: path.stem)
def test_an_open_row_is_still_broken(path: Path) -> None:
    """Once this fails its row is mended: move the file up, and take the row out of OPEN."""
    schedule, row = from_file(path), row_of(path)
    assert row in OPEN
    assert schedule.rows == (row,)
    assert {fault.rule for fault in faults_of(schedule)} & set(SHOWN_BY[row])


def test_each_open_row_has_a_schedule_and_each_row_keeps_its_own() -> None:
    assert {row_of(path) for path in OPEN_FOUND} == OPEN == {row for row, _ in OPEN_STORIES}
    assert {row_of(path) for path in CLOSED_FOUND} == ALL


def test_a_storm_is_drawn_as_it_was_before_anybody_erred() -> None:
    told = hashlib.sha256()
    for seed in range(300):
        told.update(json.dumps(before(json.loads(as_text(draw(seed)))), sort_keys=True).encode())
    assert told.hexdigest() == DRAWN_BEFORE


def before(schedule: dict[str, object]) -> dict[str, object]:
    """Only what a schedule had before."""
    bays, blows = schedule["bays"], schedule["blows"]
    assert isinstance(bays, list)
    assert isinstance(blows, list)
    plan = ("owner", "chip", "radio", "lie", "tells_imei", "hostile_words", "set_up")
    slot = ("slot", "visitor_is_twin", "twin_of_first", "reader", "waits", "picture", "lax_recipe")
    return {
        "seed": schedule["seed"],
        "bays": [
            {name: bay[name] for name in (*slot, "recheck_share")}
            | {whose: {n: bay[whose][n] for n in plan} for whose in ("handset", "visitor")}
            for bay in bays
        ],
        "blows": [{n: b[n] for n in ("slot", "point", "nth", "kind", "lasts_s")} for b in blows],
        "anchored": schedule["anchored"],
        "lot": schedule["lot"],
    }


def test_every_story_and_every_slip_is_drawn() -> None:
    drawn = all_mishaps(600)
    assert {row for schedule in drawn for row in schedule.rows} == ALL
    assert {row for row, _ in STORIES} == ALL
    scans = {b.what for s in drawn for b in s.blows if b.kind is Kind.WRONG_SCAN}
    assert scans == set(Scan)
    assert {b.what for s in drawn for b in s.blows if b.kind is Kind.APPEARS} == set(Thing)


def test_a_rack_with_a_mishap_is_the_same_after_it_was_written_down() -> None:
    for schedule in all_mishaps(60):
        assert from_text(as_text(schedule)) == schedule
        assert mishap_of(schedule.seed, share=1.0, open_too=True) == schedule


def test_what_is_open_is_drawn_only_where_it_is_asked_for() -> None:
    drawn = [s for seed in range(400) for s in schedules_of(seed)]
    assert Scan.VISITOR in scanned_for(12, all_mishaps(400))
    assert scanned_for(12, drawn) == {Scan.NEIGHBOUR}


def scanned_for(row: int, schedules: list[Schedule]) -> set[str]:
    of_row = (schedule for schedule in schedules if row in schedule.rows)
    return {blow.what for each in of_row for blow in each.blows if blow.kind is Kind.WRONG_SCAN}


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6, 7, 8])
def test_where_nothing_goes_wrong_all_is_sold(seed: int) -> None:
    schedule = mishap_of(seed, rows=frozenset(), share=1.0)
    assert schedule is not None
    verdict = run_schedule(schedule)
    assert verdict.faults == ()
    assert verdict.sellable == verdict.handsets
    assert verdict.doomed == 0


def test_a_truth_knows_all_its_numbers_whatever_adb_is_told() -> None:
    truth = make_truth(HandsetPlan(dual=True), name="one", like="one")
    first, second = truth.numbers
    assert first != second
    assert not truth.tells_second
    change(truth, Visit(handset="A1", into="A1", tells=Numbers.SECOND))
    assert (truth.tells_imei, truth.tells_second) == (False, True)
    assert truth.numbers == (first, second)
    change(truth, Visit(handset="A1", into="A1", board=True))
    assert not {first, second} & set(truth.numbers)


def test_an_account_at_a_reset_locks_a_handset_for_ever() -> None:
    truth = make_truth(HandsetPlan(), name="one", like="one")
    truth.gets(Thing.ACCOUNT)
    truth.reset(keeps_adb=False)
    assert truth.accounts == 0
    assert truth.bound


def asked(gate: str, **facts: str) -> QuestionView:
    """A question, also one that this core doesn't ask yet."""
    return QuestionView(gate=cast("Gate", gate), facts=facts)


def somebody(*, dual: bool = True) -> tuple[Scanning, Bay]:
    plan = HandsetPlan(dual=dual)
    bays = [
        Bay(
            BayPlan(slot=slot, handset=plan),
            number,
            make_truth(plan, name=f"own of {slot}", like=slot),
            make_truth(plan, name=f"visitor of {slot}", like=slot),
        )
        for number, slot in enumerate(("A1", "A2"), start=1)
    ]
    for bay in bays:
        bay.handset = bay.own
    jobs = {JobId("20261124-aaaaaaaaaa"): "own of A1", JobId("20261124-bbbbbbbbbb"): "own of A2"}
    return Scanning({bay.slot: bay for bay in bays}, None, jobs.get), bays[0]


def test_who_is_asked_for_a_number_scans_both_and_then_one_alone() -> None:
    scanning, bay = somebody()
    first, second = bay.own.numbers
    both = (f"{first} {second}", first)
    for gate in (Gate.IMEI, Gate.CONFIRM, "some_gate_to_come"):
        assert scanning.notes(bay, asked(gate), None) == both
    assert scanning.notes(bay, asked(Gate.CONSENT), None) == ("",)
    assert scanning.notes(bay, asked(Gate.IMEI), Scan.OTHER_CODE) == (second, *both)


def test_a_wrong_scan_is_the_neighbours_and_the_next_is_right() -> None:
    scanning, bay = somebody(dual=False)
    wrong, right = scanning.notes(bay, asked(Gate.IMEI), Scan.NEIGHBOUR)
    assert right == bay.own.imei
    assert wrong == make_truth(HandsetPlan(), name="own of A2", like="A2").imei
    [visitors, _] = scanning.notes(bay, asked(Gate.IMEI), Scan.VISITOR)
    assert visitors == bay.visitor.imei


@pytest.mark.parametrize("gate", ["same_handset", "same_handset_held"])
def test_whose_an_earlier_job_was_is_told_as_it_is(gate: str) -> None:
    scanning, bay = somebody()
    same, other = "20261124-aaaaaaaaaa", "20261124-bbbbbbbbbb"
    assert scanning.notes(bay, asked(gate, earlier_job=same), None) == ("same",)
    assert scanning.notes(bay, asked(gate, earlier_job=other), None) == ("other",)
    assert scanning.knows_whose(asked(gate, earlier_job=other))
    assert not scanning.knows_whose(asked(gate, earlier_job="20261124-cccccccccc"))
    assert scanning.notes(bay, asked(gate, number=bay.own.imei), None) == ("same",)


def test_a_reader_under_the_neighbour_sees_the_neighbours_chip() -> None:
    _, bay = somebody()
    _, other = somebody()
    bay.read_from = other
    assert bay.chip() is other.own.chip
    other.handset = None
    assert bay.chip() is None
