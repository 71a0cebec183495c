"""A crowd through the real daemon: every handset ends as it must. Figures are only printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.benchmarks.crowd.blows import deal_blows
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_rack import crowd_rack
from benchd.lab.benchmarks.crowd.measure import measure_crowd
from benchd.lab.benchmarks.crowd.places import plan_of
from benchd.lab.benchmarks.crowd.with_fleet import lines_with_fleet, measure_with_fleet

pytestmark = pytest.mark.asyncio

QUICK = CrowdPace(fill_s=0.5, check_s=0.1, away_s=0.2)


@pytest.mark.timeout(300)
async def test_64_handsets_are_certified_each_fourth_after_a_reset(
    short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # `measure_crowd` raises for any handset that ends otherwise, and for a command unplayed.
    plan = plan_of(64, QUICK, in_use_every=4)
    measured = await measure_crowd(plan, short_path / "r", viewers=False)
    with capsys.disabled():
        sys.stdout.write(f"\ncrowd of 64: {json.dumps(measured.figures)}\n")
    assert measured.figures["records"]


@pytest.mark.timeout(300)
async def test_a_crowd_with_a_fleets_centre_and_without(short_path: Path) -> None:
    measured = await measure_with_fleet(plan_of(2, QUICK), short_path / "r", rounds=1)
    told: dict[str, Any] = json.loads(json.dumps(measured))
    [records], [at_centre] = told["records"], told["records_at_centre"]
    # What its end adds is still on its way when it is counted.
    assert 0 < at_centre <= records
    assert {"off", "on", "ratio"} == set(told["wall_s"])
    lines = lines_with_fleet(2, told)
    assert [line.what for line in lines if "wall_s" in line.what]


@pytest.mark.nightly
@pytest.mark.timeout(300)
async def test_a_rack_goes_on_after_reload_server_death_storm_and_restart(short_path: Path) -> None:
    told = await deal_blows(plan_of(8, QUICK), short_path / "r")
    assert {"reload_s", "server_death_s", "storm_s", "restart_decided_s"} <= set(told)


async def test_adbs_own_client_finds_an_adb_server(short_path: Path) -> None:
    async with crowd_rack(short_path / "r", plan_of(2, QUICK)) as rack:
        await rack.hands.plug()

        async def adb(*arguments: str) -> tuple[int, bytes]:
            done = await anyio.run_process(
                ["adb", "-P", str(rack.adb_port), *arguments], check=False, stderr=None
            )
            return done.returncode, done.stdout

        assert (await adb("devices"))[1].count(b"\tdevice") == 2
        handset = ("-s", "127.0.0.1:16002")
        assert await adb(*handset, "shell", "settings get global adb_enabled") == (0, b"1\n")
        assert (await adb(*handset, "shell", "no-such-tool"))[0] == 127
        pushed = short_path / "pushed"
        pushed.write_bytes(b"x" * 100_000)
        assert (await adb(*handset, "push", str(pushed), "/data/local/tmp/pushed"))[0] == 0
        size = "wc -c < /data/local/tmp/pushed && if command -v sha256sum > /dev/null; then"
        told = await adb(*handset, "shell", f"{size} sha256sum < /data/local/tmp/pushed; fi")
        assert told[1].startswith(b"100000\n")
