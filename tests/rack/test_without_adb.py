"""Handsets in hand and a pallet on the dock, by the real daemon on the virtual rack.

A chip without its handset on an empty slot's reader is one that is never switched on: it answers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.demo.crew import SECOND, WORKER, Member
from benchd.lab.demo.demo_rack import DemoRack, demo_rack
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan
from tests.rack.working import WITHIN_S, bodies, scenarios, until_slot

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(400)]

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
COLLECTED, RESET = "collected", "reset-by-owner"
CARDS = (
    CardPlan(name=COLLECTED, chip=ChipPlan(profile="in_use")),
    CardPlan(name=RESET, chip=ChipPlan(profile="cleared")),
)
LIST = "管理番号,IMEI\nT-1,{0}\nT-2,{1}\nC-1,\nC-2,\nS-1,\n"
LAST = {"A1": "A3", "A2": "A4"}
"""Where each of the two that are erased is looked at before it goes out."""


async def post(
    rack: DemoRack, path: str, told: Mapping[str, object] | bytes, who: Member = WORKER
) -> tuple[int, Any]:
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    kind = "text/csv" if isinstance(told, bytes) else "application/json"
    answer = await rack.watch.door.post(who, f"/api/v1/{path}", content, kind=kind)
    return answer.status_code, answer.json()


async def done(rack: DemoRack, path: str, told: Mapping[str, object] | bytes) -> Any:  # noqa: ANN401
    status, answer = await post(rack, path, told)
    assert status == 200, answer
    return answer


def recipes_of(rack: DemoRack) -> None:
    """A3 looks with a recipe that is good for long, A4 with one that isn't."""
    config = rack.folder.config.read_text(encoding="utf-8")
    for slot, recipe in (("A3", "recheck"), ("A4", "recheck_short")):
        config = config.replace(f"[slots.{slot}]\n", f'[slots.{slot}]\nrecipe = "{recipe}"\n')
    rack.folder.config.write_text(config, encoding="utf-8")
    for recipe in ("recheck", "recycle"):
        shutil.copy(RECIPES / f"{recipe}.toml", rack.folder.path / "recipes")
    text = (RECIPES / "recheck.toml").read_text(encoding="utf-8")
    text = text.replace('name = "recheck"', 'name = "recheck_short"')
    text = text.replace("good_for_days = 30", "good_for_days = 0.000001")
    (rack.folder.path / "recipes" / "recheck_short.toml").write_text(text, encoding="utf-8")


async def take_in(rack: DemoRack) -> None:
    numbers = [(await rack.hands.screen(slot)).imei for slot in LAST]
    lot = {"lot": "L-1", "consignor": "仮想回収", "kind": "collection"}
    await done(rack, "lots", lot)
    taken = await done(rack, "lots/L-1/assets.csv", LIST.format(*numbers).encode())
    assert taken["taken"], taken
    told = {"kinds": ["consent", "jpki"], "tags": ["T-1", "T-2"]}
    await done(rack, "lots/L-1/attestations", told)


async def looked_at_again(rack: DemoRack, slot: str, tag: str) -> None:
    """The handset of one slot, taken to the one where it's looked at, its label scanned there."""
    await rack.hands.unplug(slot)
    await until_slot(rack, slot, lambda each: each["state"] == "empty")
    there = LAST[slot]
    await rack.hands.plug(slot, int(there[1:]))
    await until_slot(rack, there, lambda each: each["job"] is not None)
    await done(rack, f"slots/{there}/asset", {"tag": tag})


async def test_each_path_without_adb_goes_through_to_report_and_dock(tmp_path: Path) -> None:
    async with (
        demo_rack(
            tmp_path, scenarios(["clean"] * 4), port=8420, plugged=False, cards=CARDS
        ) as rack,
        anyio.create_task_group() as people,
    ):
        recipes_of(rack)
        await rack.start_daemon()
        people.start_soon(rack.must_live)
        await take_in(rack)
        await in_hand(rack)
        for slot in LAST:
            await rack.hands.plug(slot, int(slot[1:]))
        working = replace(rack.operators(), answers={})
        people.start_soon(working.work)
        for slot in LAST:
            ended = await until_slot(rack, slot, lambda each: each["state"] == "finished")
            assert ended["disposition"] == "sellable", ended
        await on_the_dock(rack)
        people.cancel_scope.cancel()
    told = bodies(rack.folder.ledger)
    # What was in hand never was a job, and nothing of it was certified.
    assert [each["data"]["tag"] for each in told if each["kind"] == "asset_unerasable"] == ["C-1"]
    [shipped] = [each["data"] for each in told if each["kind"] == "shipped"]
    assert [each["tag"] for each in shipped["handsets"]] == ["T-1"]


async def lay(rack: DemoRack, card: str) -> None:
    """On A3's reader, until pcscd has found it: before, it would look as if none lay there."""
    await rack.hands.chips.lay_card(card, 3)
    with anyio.fail_after(WITHIN_S):
        while not (await rack.hands.chips.state(card)).powered:  # noqa: ASYNC110 - only asking tells
            await anyio.sleep(0.02)


async def in_hand(rack: DemoRack) -> None:
    """Collected with a balance in it, and one that its owner has reset."""
    hands = rack.hands.chips
    await lay(rack, COLLECTED)
    crush = {"reason": "collected", "slot": "A3"}
    status, answer = await post(rack, "assets/C-1/unerasable", crush)
    assert status == 409, answer
    assert "consent isn't attested of C-1" in answer["error"]["message"], answer
    await done(rack, "lots/L-1/attestations", {"kinds": ["consent"], "tags": ["C-1"]})
    told = await done(rack, "assets/C-1/unerasable", crush)
    assert (told["unerasable"], told["disposition"]) == ("collected", "destroy")
    assert (told["chip"]["verdict"], told["chip"]["slot"]) == ("in_use", "A3")
    # Its neighbour's label, with the same handset still on the reader.
    status, answer = await post(rack, "assets/C-2/unerasable", crush)
    assert (status, "was seen in C-1" in answer["error"]["message"]) == (409, True), answer
    await hands.lift_card(COLLECTED)
    await lay(rack, RESET)
    told = await done(rack, "assets/S-1/assessments", {"seen": "welcome", "slot": "A3"})
    assert (told["assessed"]["seen"], told["disposition"]) == ("welcome", None)
    assert told["assessed"]["chip"]["verdict"] == "unused"
    findings = {each["code"] for each in told["assessed"]["findings"]}
    assert findings == {"jpki", "overwrite_unknown"}
    await hands.lift_card(RESET)
    # A reader that hears nothing.
    told = await done(rack, "assets/S-1/assessments", {"seen": "lock_screen", "slot": "A3"})
    assert told["assessed"]["chip"]["verdict"] == "silent"
    assert "chip_unknown" in {each["code"] for each in told["assessed"]["findings"]}


async def on_the_dock(rack: DemoRack) -> None:
    """The report counts them, and the pallet waits for the one whose look is too old."""
    for slot, tag in (("A1", "T-1"), ("A2", "T-2")):
        await looked_at_again(rack, slot, tag)
    for slot in LAST.values():
        ended = await until_slot(rack, slot, lambda each: each["state"] == "finished")
        assert ended["reason"] == "rechecked", ended
    counts = await figures(rack)
    assert counts["came_in"] == {"all": 4}
    assert counts["not_erasable"] == {"collected": 1}
    # Both that passed their look count by their certificate.
    assert counts["disposition"] == {"destroy": 1, "hold": 1, "sellable": 2}
    assert counts["felica"]["in_use"] == 1
    pallet = {"tags": ["T-1", "T-2", "C-1", "S-1"]}
    found = await done(rack, "shipping", pallet)
    assert (found["ready"], found["kept_back"]) == (False, 3)
    assert {each["tag"]: each["standing"] for each in found["handsets"]} == {
        "T-1": "ready",
        "T-2": "too_old",
        "C-1": "spoken_against",
        "S-1": "spoken_against",
    }
    status, answer = await post(rack, "shipments", {**pallet, "name": "P-1"})
    assert (status, answer["error"]["code"]) == (409, "shipping_refused"), answer
    assert "go out: T-2, C-1, S-1. " in answer["error"]["message"]
    assert "T-1" not in answer["error"]["message"]
    status, answer = await post(rack, "shipments", {"tags": ["T-1"], "name": "P-1"}, SECOND)
    assert status == 200, answer


async def figures(rack: DemoRack) -> dict[str, dict[str, int]]:
    today = datetime.now(UTC).astimezone().date()
    asked = {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))}
    answer = (await rack.watch.http.get("/api/v1/report", params=asked)).json()
    found: Sequence[Any] = answer["figures"]
    return {
        each["figure"]: {value["value"]: value["handsets"] for value in each["values"]}
        for each in found
    }
