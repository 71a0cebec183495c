"""From a handset to its dossier, to a virtual handset, to a dossier: benchd reads the same."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.domain.ids import JsonValue
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack
from benchd.lab.demo.from_dossier import scenario_of
from benchd.lab.simulator.addresses import adb_address
from benchd.lab.simulator.scenarios import SCENARIOS
from tests.program import BENCHD
from tests.rack.working import at_work, must_end_as_expected, until_slot

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

OF_THE_STORAGE = ("used_bytes", "free_bytes", "statfs_free_bytes", "owner_files")
"""A virtual handset's storage is its own, about as full."""


def benchd(*arguments: str, socket: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"BENCHD_SOCKET": str(socket)} if socket else {})}
    return subprocess.run(
        [*BENCHD, *arguments], capture_output=True, text=True, check=False, env=environment
    )


async def benchd_beside(*arguments: str, socket: Path) -> subprocess.CompletedProcess[str]:
    """The same while the rack goes on."""
    return await anyio.to_thread.run_sync(lambda: benchd(*arguments, socket=socket))


def facts_of(folder: Path) -> dict[str, Any]:
    read = benchd("handset", "read", str(folder), "--json")
    told: dict[str, Any] = json.loads(read.stdout)
    assert (told["missing"], told["refused"], read.returncode) == ([], [], 0)
    return {name: fact for name, fact in told.items() if name not in OF_THE_STORAGE}


async def recorded(rack: DemoRack, folder: Path) -> str:
    """What recording A1's handset after its job has said."""
    await until_slot(rack, "A1", ended)
    socket = rack.folder.socket
    said = await benchd_beside("handset", "record", "--slot", "A1", str(folder), socket=socket)
    assert said.returncode == 0, said.stderr
    nobody = await benchd_beside("handset", "record", "--slot", "Z9", "x", socket=socket)
    assert nobody.returncode == 1
    return said.stdout


async def test_record_read_demo_record_read_and_an_unknown_answer_leaves_its_dossier(
    tmp_path: Path,
) -> None:
    first, again, by_address = (tmp_path / name for name in ("first", "again", "by-address"))
    scenario = SCENARIOS["account-and-lock"]
    two = [scenario, SCENARIOS["unknown-answer"]]
    async with at_work(tmp_path / "rack", two) as rack:
        said = await recorded(rack, first)
        slot = await until_slot(rack, "A2", ended)
        place = ("--address", adb_address(2), "--config", str(rack.folder.config))
        command = rack.house.command(*BENCHD, "handset", "record", *place, str(by_address))
        inside = await anyio.run_process(command, check=False)
        assert inside.returncode == 0, inside.stderr
        listed = await benchd_beside("handset", "list", "--json", socket=rack.folder.socket)
        status = await benchd_beside("status", socket=rack.folder.socket)
        kept_at = rack.folder.path / "dossiers" / str(slot["job"])
    assert "serial" in said
    assert "Read every file" in said
    plan = scenario.handset(name="A1", slot=1, copy=1)
    everything = "".join(file.read_text() for file in first.iterdir())
    own = (plan.serial, plan.imei, plan.accounts[0].name, "3.5.0.4")
    assert [value for value in own if value in everything] == []
    facts = facts_of(first)
    assert facts["account_count"] == 1
    assert facts["screen_lock"] is True
    assert facts["imei"].startswith("00")
    leaves_its_dossier(slot, listed.stdout, kept_at)
    assert str(slot["job"]) in status.stdout
    assert read_folder(by_address).keys() == set(QUESTIONS)

    # A virtual handset made of the dossier is the same to benchd.
    async with at_work(tmp_path / "rack-again", [scenario_of(read_folder(first))]) as rack:
        await must_end_as_expected(rack)
        await recorded(rack, again)
    assert facts_of(again) == facts


def leaves_its_dossier(slot: Mapping[str, JsonValue], listed: str, folder: Path) -> None:
    """What the daemon has kept by itself of a handset whose answer it doesn't know."""
    assert (slot["disposition"], slot["reason"]) == ("hold", "answer_not_recognised")
    assert slot["dossier"] == slot["job"]
    (kept,) = json.loads(listed)["dossiers"]
    assert (kept["name"], kept["model"], kept["path"]) == (slot["job"], "SH-53D", str(folder))
    assert "trust" in kept["why"]
    assert "suzuki" not in "".join(file.read_text() for file in folder.iterdir())
    assert set(read_folder(folder)) == set(QUESTIONS)
    read = benchd("handset", "read", str(folder), "--json")
    assert read.returncode == 1
    assert [one["command"] for one in json.loads(read.stdout)["refused"]] == ["trust"]
