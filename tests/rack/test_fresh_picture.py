"""A maker's account and app: held without a picture, sold by one that two people have taken."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.domain.people import Role
from benchd.lab.demo.crew import SECOND, WORKER, Member
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack
from benchd.lab.simulator.addresses import adb_address
from tests.program import BENCHD
from tests.rack.working import at_work, certified, scenarios, until, until_slot

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

THIRD = Member(
    id="mori", name="森（仮想）", reading="もり", badge="", pin="161803", roles=(Role.SUPERVISOR,)
)


async def handset_command(rack: DemoRack, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `benchd handset …` where the rack's adb server is."""
    config = ("--config", str(rack.folder.config))
    return await anyio.run_process(
        rack.house.command(*BENCHD, "handset", *arguments, *config), check=False
    )


async def by_person(rack: DemoRack, by: Member, *arguments: str) -> tuple[int, str]:
    """The same as somebody who shows a PIN, and the badge if they have one."""
    pin, badge = (rack.folder.config.parent / name for name in ("pin", "badge"))
    pin.write_text(by.pin)
    badge.write_text(by.badge)
    shown = ("--by", by.id, "--pin-file", str(pin))
    if by.badge:
        shown = (*shown, "--badge-file", str(badge))
    done = await handset_command(rack, *arguments, *shown)
    return done.returncode, (done.stdout + done.stderr).decode()


async def learned(rack: DemoRack, number: int, by: Member) -> tuple[int, str]:
    return await by_person(rack, by, "learn-fresh", "--address", adb_address(number))


async def enrol(rack: DemoRack, one: Member) -> None:
    """One more person on record, as whoever owns the rack's files does it."""
    pin = rack.folder.config.parent / "pin"
    pin.write_text(one.pin)
    for arguments in (
        ("add", one.id, "--name", one.name, "--reading", one.reading, "--role", "supervisor"),
        ("pin", one.id, "--from-file", str(pin)),
    ):
        config = ("--config", str(rack.folder.config))
        await anyio.run_process(rack.house.command(*BENCHD, "people", *arguments, *config))


async def test_two_handsets_teach_the_rack_and_the_third_is_sold(tmp_path: Path) -> None:
    async with at_work(tmp_path, scenarios(["preinstalled-account"] * 3), started=False) as rack:
        await rack.hands.unplug("A3")
        await rack.start_daemon()
        held = [await until_slot(rack, name, ended) for name in ("A1", "A2")]
        assert [slot["reason"] for slot in held] == ["reset_not_proven"] * 2

        for shown in (replace(WORKER, pin="602214"), replace(WORKER, badge=SECOND.badge)):
            code, told = await learned(rack, 1, shown)
            assert (code, "nobody by that badge" in told) == (1, True), told
        code, told = await learned(rack, 1, WORKER)
        assert code == 0, told
        for number, by, refusal in (
            (1, SECOND, "one handset twice"),
            (2, WORKER, "the same person"),
        ):
            code, told = await learned(rack, number, by)
            assert (code, refusal in told) == (2, True), told
        code, told = await learned(rack, 2, SECOND)
        assert code == 0, told
        assert "com.android.localphone" in told
        file = told.partition(":")[0]
        code, told = await by_person(rack, WORKER, "approve-fresh", file)
        assert (code, "has reset one of its handsets" in told) == (2, True), told
        await enrol(rack, THIRD)
        code, told = await by_person(rack, THIRD, "approve-fresh", file)
        assert code == 0, told
        listed = await handset_command(rack, "list-fresh", "--json")
        (picture,) = json.loads(listed.stdout)["pictures"]
        assert (picture["state"], picture["taken_by"]) == (
            "counts",
            ["佐藤(仮想)", "鈴木(仮想)"],
        )

        assert rack.daemon is not None
        rack.daemon.send_signal(signal.SIGHUP)
        await until(rack, lambda: "config_reloaded" in rack.folder.log.read_text())
        await rack.hands.plug("A3", 3)
        third = await until_slot(rack, "A3", ended)
        assert (third["disposition"], third["reason"]) == ("sellable", None)
        fresh = certified(rack, "A3")["fresh_picture"]
        assert (fresh["accounts"], fresh["packages"]) == (1, 1)
        assert fresh["sha256"] == picture["sha256"]
        assert "1 accounts of its maker, 1 preinstalled apps" in fresh["excuses"]
