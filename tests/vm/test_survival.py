"""Parts of the rack die or get stuck under load: every job settles, and nothing passes unproven."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import pytest

from benchd.ledger import export_lines, verify_ledger
from tests.vm.guest.rackvm.plan import READER_SLOTS
from tests.vm.rig import Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1500)]

KINDS = {"one": "same-serial-small", "two": "ext4", "three": "live-data", "four": "residue-ext4"}
SLOTS = dict(zip(KINDS, READER_SLOTS, strict=True))
UNDER_LOAD = ("overwrite", "read_back")
DROP_INS = "/run/systemd/system/benchd.service.d"
SCANNING = ("felica_check", "felica_recheck")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """What happens to a part of the rack, and while any handset is in which stages."""

    stages: Sequence[str]
    script: str
    wait: str = "true"


def kill(stages: Sequence[str], unit: str) -> Blow:
    """A crash of something that runs."""
    return Blow(stages=stages, script=f"systemctl is-active {unit}; systemctl kill -s KILL {unit}")


async def until_any(rig: Rig, stages: Sequence[str]) -> None:
    """Wait until some handset is in one of these stages."""
    with anyio.fail_after(300):
        while not any(slot["stage"] in stages for slot in rig.watch.slots.values()):
            await rig.watch.next_look()


async def every_job_is_settled(rig: Rig) -> None:
    """The ledger is whole, and what it opened has one end, with proof if it passed."""
    copy = rig.machine.results / "ledger-copy"
    # Stopped in its tracks, as a crash would leave it.
    await rig.shell(
        "rm -rf /results/ledger-copy; systemctl kill -s STOP benchd;"
        "trap 'systemctl kill -s CONT benchd' EXIT; cp -r /var/lib/benchd /results/ledger-copy",
        within_s=300,
    )
    key = (await rig.shell("cat /etc/benchd/certificate_key.pem.pub")).encode()
    verify_ledger(copy / "ledger.sqlite", key)
    bodies = [json.loads(line)["body"] for line in export_lines(copy / "ledger.sqlite")]
    opened = [body["job"] for body in bodies if body["kind"] == "job_opened"]
    ends = {body["job"]: body["data"] for body in bodies if body["kind"] == "job_ended"}
    assert sorted(opened) == sorted(ends)
    for job, end in ends.items():
        assert (end["certificate"] is not None) == (end["outcome"] == "passed"), (job, end)


async def must_all_pass(rig: Rig, *blows: Blow) -> None:
    """Strike again and again, then see every handset through to its end."""
    await rig.start_service()
    async with rig.operating():
        for blow in blows:
            await until_any(rig, blow.stages)
            await rig.shell(blow.script)
            await rig.shell(blow.wait, within_s=300)
            await rig.until_serving()
        ends = await rig.ends(SLOTS, within_s=800)
    assert {name: end.outcome for name, end in ends.items()} == dict.fromkeys(SLOTS, "passed"), ends
    await every_job_is_settled(rig)


async def test_handsets_are_there_first_then_daemon_adb_server_and_pcscd_are_killed(
    rig: Rig,
) -> None:
    await rig.shell("systemctl stop benchd", within_s=120)
    await rig.fill_table(KINDS)
    await rig.plug(SLOTS)
    await must_all_pass(
        rig,
        kill(UNDER_LOAD, "benchd"),
        kill(SCANNING, "pcscd"),
        kill(UNDER_LOAD, "benchd-adb"),
    )


@pytest.mark.nightly
async def test_adb_server_and_pcscd_die_again_and_again_under_load(rig: Rig) -> None:
    await rig.fill_table(KINDS)
    await rig.plug(SLOTS)
    await must_all_pass(
        rig,
        kill(SCANNING, "pcscd"),
        kill(UNDER_LOAD, "benchd-adb"),
        Blow(stages=UNDER_LOAD, script="systemctl restart benchd-adb pcscd"),
        kill(UNDER_LOAD, "benchd-adb"),
        kill(SCANNING, "pcscd"),
    )


@pytest.mark.nightly
@pytest.mark.parametrize(
    "end_it",
    ["systemctl kill --kill-whom=main -s USR2 benchd", "systemctl kill -s STOP benchd"],
    ids=["its loop is blocked", "it stands still"],
)
async def test_a_stuck_daemon_is_ended_by_the_watchdog_and_goes_on(rig: Rig, end_it: str) -> None:
    """A blocked loop dies of SIGABRT and says where it was; a stopped one needs SIGKILL."""
    await rig.shell(
        f"mkdir -p {DROP_INS}; printf '[Service]\\nTimeoutAbortSec=5s\\n"
        f"Environment=PYTHONPATH=/opt/rack-vm/blocked\\n' >{DROP_INS}/test.conf;"
        "systemctl daemon-reload; systemctl stop benchd"
    )
    try:
        await rig.fill_table(KINDS)
        await rig.plug(SLOTS)
        await must_all_pass(
            rig,
            Blow(
                stages=UNDER_LOAD,
                script=f"systemctl show -P InvocationID benchd >/run/before; {end_it}",
                wait="until [ $(systemctl show -P ActiveState benchd) = active ] &&"
                " ! cmp -s <(systemctl show -P InvocationID benchd) /run/before; do sleep 1; done",
            ),
        )
        told = await rig.shell(
            "journalctl INVOCATION_ID=$(cat /run/before)"
            " + _SYSTEMD_INVOCATION_ID=$(cat /run/before) --no-pager -o cat"
        )
        assert "Watchdog timeout" in told
        assert ("in never_return" in told) == ("USR2" in end_it), told
    finally:
        await rig.shell(f"rm {DROP_INS}/test.conf; systemctl daemon-reload")
