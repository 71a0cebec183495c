"""Parts of the rack die or get stuck under load: every job settles, and nothing passes unproven."""

from __future__ import annotations

import json
from collections.abc import Sequence

import anyio
import pytest

from benchd.ledger import export_lines, verify_ledger
from tests.vm.bench import Bench

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

KINDS = {"one": "same-serial-small", "two": "ext4", "three": "live-data", "four": "residue-ext4"}
SLOTS = {name: number for number, name in enumerate(KINDS, start=1)}
UNDER_LOAD = ("overwrite", "read_back")


async def until_under_load(bench: Bench) -> None:
    """Wait until some handset is being overwritten or read back."""
    with anyio.fail_after(300):
        while not any(slot["stage"] in UNDER_LOAD for slot in bench.watch.slots.values()):
            await bench.watch.next_look()


async def every_job_is_settled(bench: Bench) -> None:
    """The ledger is whole, and what it opened has one end, with proof if it passed."""
    copy = bench.machine.results / "ledger-copy"
    await bench.shell(
        "rm -rf /results/ledger-copy; systemctl stop benchd;"
        "cp -r /var/lib/benchd /results/ledger-copy; systemctl start benchd",
        within_s=300,
    )
    key = (await bench.shell("cat /etc/benchd/certificate_key.pem.pub")).encode()
    verify_ledger(copy / "ledger.sqlite", key)
    bodies = [json.loads(line)["body"] for line in export_lines(copy / "ledger.sqlite")]
    opened = [body["job"] for body in bodies if body["kind"] == "job_opened"]
    ends = {body["job"]: body["data"] for body in bodies if body["kind"] == "job_ended"}
    assert sorted(opened) == sorted(ends)
    for job, end in ends.items():
        assert (end["certificate"] is not None) == (end["outcome"] == "passed"), (job, end)


async def must_all_pass(bench: Bench, blows: Sequence[str], *, wait: str = "") -> None:
    """Strike under load, then see every handset through to its end."""
    await bench.start_service()
    async with bench.operating():
        for blow in blows:
            await until_under_load(bench)
            await bench.shell(blow)
            if wait:
                await bench.shell(wait, within_s=300)
            await bench.until_serving()
        ends = await bench.ends(SLOTS, within_s=800)
        # adbd on a handset can miss for good that its server was started anew; the wall says
        # then what mends it.
        lost = {n: SLOTS[n] for n, end in ends.items() if end.reason == "handset_lost"}
        if lost:
            await bench.plug_in_again(lost)
            ends |= await bench.ends(lost)
    assert {name: end.outcome for name, end in ends.items()} == dict.fromkeys(SLOTS, "passed"), ends
    await every_job_is_settled(bench)


async def test_handsets_are_there_first_then_daemon_adb_server_and_pcscd_are_killed(
    bench: Bench,
) -> None:
    await bench.shell("systemctl stop benchd", within_s=120)
    await bench.fill_table(KINDS)
    await bench.plug(SLOTS)
    services = "systemctl kill -s KILL benchd-adb; systemctl kill -s KILL pcscd || true"
    await must_all_pass(bench, ["systemctl kill -s KILL benchd", services])


@pytest.mark.slow
async def test_adb_server_and_pcscd_die_again_and_again_under_load(bench: Bench) -> None:
    await bench.fill_table(KINDS)
    await bench.plug(SLOTS)
    blow = "systemctl kill -s KILL benchd-adb; systemctl kill -s KILL pcscd || true"
    await must_all_pass(bench, [blow, "systemctl restart benchd-adb pcscd", blow])


@pytest.mark.slow
async def test_a_stuck_daemon_is_ended_by_the_watchdog_and_goes_on(bench: Bench) -> None:
    """Stopped, it answers to nothing, the watchdog's SIGABRT included: only SIGKILL is left."""
    await bench.shell(
        "mkdir -p /run/systemd/system/benchd.service.d;"
        "printf '[Service]\\nTimeoutAbortSec=5s\\n'"
        " >/run/systemd/system/benchd.service.d/test.conf; systemctl daemon-reload"
    )
    await bench.fill_table(KINDS)
    await bench.plug(SLOTS)
    await must_all_pass(
        bench,
        ["systemctl show -P InvocationID benchd >/run/before; systemctl kill -s STOP benchd"],
        wait="until [ $(systemctl show -P ActiveState benchd) = active ] &&"
        " ! cmp -s <(systemctl show -P InvocationID benchd) /run/before; do sleep 1; done",
    )
    told = await bench.shell("journalctl -u benchd --no-pager -o cat | grep -i watchdog")
    assert "Watchdog timeout" in told
