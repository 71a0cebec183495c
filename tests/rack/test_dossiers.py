"""From a handset to its dossier, to a virtual handset, to a dossier: benchd reads the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.domain.ids import JsonValue
from benchd.lab.demo.demo_rack import demo_rack
from benchd.lab.demo.demo_run import as_expected, result_of, until_all_ended
from benchd.lab.demo.from_dossier import scenario_of
from benchd.lab.simulator.addresses import adb_address
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from tests.rack.test_demo import free_port

pytestmark = [pytest.mark.rack, pytest.mark.timeout(240)]

BENCHD = Path(sys.executable).with_name("benchd")
OF_THE_STORAGE = ("used_bytes", "free_bytes", "statfs_free_bytes", "owner_files")
"""A virtual handset's storage is its own, about as full."""


def benchd(*arguments: str, socket: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"BENCHD_SOCKET": str(socket)} if socket else {})}
    return subprocess.run(
        [BENCHD, *arguments], capture_output=True, text=True, check=False, env=environment
    )


async def recorded(
    scenario: Scenario, rack_folder: Path, folder: Path
) -> tuple[Mapping[str, JsonValue], str]:
    """How its job ended, and what recording the handset afterwards has said."""
    ended: Mapping[str, JsonValue] = {}
    async with demo_rack(rack_folder, [scenario], port=free_port()) as rack:
        await rack.start_daemon()
        async with anyio.create_task_group() as group:
            group.start_soon(rack.operators().work)
            with anyio.fail_after(120):
                await until_all_ended(rack)
            ended = await result_of(rack, rack.placed[0])
            group.cancel_scope.cancel()
        said = await anyio.to_thread.run_sync(
            lambda: benchd(
                "handset", "record", "--slot", "A1", str(folder), socket=rack.folder.socket
            )
        )
        assert said.returncode == 0, said.stderr
        nobody = await anyio.to_thread.run_sync(
            lambda: benchd("handset", "record", "--slot", "Z9", "x", socket=rack.folder.socket)
        )
        assert nobody.returncode == 1
    return ended, said.stdout


def facts_of(folder: Path) -> dict[str, Any]:
    read = benchd("handset", "read", str(folder), "--json")
    told: dict[str, Any] = json.loads(read.stdout)
    assert (told["missing"], told["refused"], read.returncode) == ([], [], 0)
    return {name: fact for name, fact in told.items() if name not in OF_THE_STORAGE}


def test_record_read_demo_record_read(tmp_path: Path) -> None:
    scenario = SCENARIOS["account-and-lock"]
    first, again = tmp_path / "first", tmp_path / "again"
    _, said = anyio.run(recorded, scenario, tmp_path / "rack", first)
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

    remade = scenario_of(read_folder(first))
    ended, _ = anyio.run(recorded, remade, tmp_path / "rack-again", again)
    assert as_expected(ended, remade)
    assert facts_of(again) == facts


def test_an_answer_that_is_not_known_leaves_its_dossier(tmp_path: Path) -> None:
    scenario = SCENARIOS["unknown-answer"]

    async def run() -> tuple[Mapping[str, JsonValue], str, str, Path]:
        async with demo_rack(tmp_path / "rack", [scenario], port=free_port()) as rack:
            await rack.start_daemon()
            with anyio.fail_after(120):
                await rack.watch.until_there()
                async with anyio.create_task_group() as group:
                    group.start_soon(rack.operators().work)
                    await until_all_ended(rack)
                    group.cancel_scope.cancel()
            by_address = ["handset", "record", "--address", adb_address(1)]
            by_address += ["--config", str(rack.folder.config), str(tmp_path / "by-address")]
            inside = await anyio.run_process(
                rack.house.command(str(BENCHD), *by_address), check=False
            )
            assert inside.returncode == 0, inside.stderr
            slot = rack.watch.slots["A1"]
            socket = rack.folder.socket
            listed, status = [
                await anyio.to_thread.run_sync(lambda words=words: benchd(*words, socket=socket))
                for words in (("handset", "list", "--json"), ("status",))
            ]
            return slot, listed.stdout, status.stdout, rack.folder.path

    slot, listed, status, folder = anyio.run(run)
    assert (slot["disposition"], slot["reason"]) == ("hold", "answer_not_recognised")
    assert slot["dossier"] == slot["job"]
    assert str(slot["job"]) in status
    (kept,) = json.loads(listed)["dossiers"]
    assert kept["name"] == slot["job"]
    assert kept["model"] == "SH-53D"
    assert kept["path"] == str(folder / "dossiers" / str(slot["job"]))
    assert "trust" in kept["why"]
    everything = "".join(file.read_text() for file in Path(kept["path"]).iterdir())
    assert "suzuki" not in everything
    assert set(read_folder(Path(kept["path"]))) == set(QUESTIONS)
    assert read_folder(tmp_path / "by-address").keys() == set(QUESTIONS)
    read = benchd("handset", "read", kept["path"], "--json")
    assert read.returncode == 1
    assert [one["command"] for one in json.loads(read.stdout)["refused"]] == ["trust"]
