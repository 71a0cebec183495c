"""The daemon's own adapters, inside the rack, read of each handset what its plan says."""

from dataclasses import replace
from pathlib import Path

import pytest
from simulator_rack import one, virtual_rack

from benchd.lab.simulator.plan import Account, Dd, User
from benchd.lab.simulator.scenarios import SCENARIOS

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(240)]

COMPANY = replace(
    one("live-data"),
    name="company",
    accounts=(Account(name="a, type=b}"), Account(name="x@example.jp", type="jp.line")),
    users=(User(number=10, name="Work profile"),),
    device_owner="com.example.mdm/com.example.mdm.AdminReceiver",
    battery_temperature_c=-3.5,
    boot_count=3,
    battery_percent=17,
    felica=False,
    memory_card=True,
    asleep=True,
)
OLDEST_SDK = 26


async def test_the_daemon_reads_what_the_plan_says(tmp_path: Path) -> None:
    plans = [COMPANY, *(scenario.plan for scenario in SCENARIOS.values())]
    plans = [
        replace(plan, adb_enabled=True, authorized=True, charges_percent_per_s=0.0)
        for plan in plans
        if plan.model.sdk >= OLDEST_SDK and (plan.runs_programs or plan.dd is Dd.DIRECT)
        # Its story is an answer that the daemon doesn't read.
        if not plan.given
    ]
    plans = [replace(plan, slot=slot) for slot, plan in enumerate(plans, start=1)]
    slots = [plan.slot for plan in plans]
    async with virtual_rack(tmp_path, *plans, server=False) as rack:
        found = await rack.run_inside("daemon_side.py", tmp_path, rack.house.adb_socket, *slots)
    for plan in plans:
        facts = found[str(plan.slot)]
        modified = plan.verified_boot_state.lower() != "green" or bool(plan.properties)
        assert facts["serial"] == plan.serial
        assert facts["model"] == plan.model.model
        assert facts["imei"] == (plan.imei if plan.model.sdk <= 33 else None)
        reported_bytes = facts["capacity_bytes"], facts["statfs_capacity_bytes"]
        assert reported_bytes == (plan.capacity_bytes, plan.capacity_bytes)
        assert (facts["used_bytes"] > 0.4 * plan.capacity_bytes) == (plan.owner_share > 0.4)
        assert facts["battery_temperature_c"] == plan.battery_temperature_c
        assert facts["account_count"] == len(plan.accounts)
        assert facts["maker_accounts"] == len(plan.maker_accounts)
        assert facts["user_ids"] == [0, *(user.number for user in plan.users)]
        assert facts["battery_percent"] == facts["percent_again"] == plan.battery_percent
        # From Android 14 on; before, nothing of it tells.
        worn = plan.model.sdk >= 34
        assert facts["battery_cycles"] == (plan.battery_cycles if worn else None)
        assert facts["battery_health_percent"] == (92 if worn else None)
        assert facts["felica_capable"] is plan.felica
        assert facts["jpki_capable"] is (True if plan.felica else None)
        assert facts["removable_media"] is plan.memory_card
        assert facts["sim"] is False
        assert facts["nfc_on"] is plan.nfc_on
        assert facts["screen_on"] is facts["unlocked"] is not plan.asleep
        assert facts["device_owner"] == bool(plan.device_owner)
        assert facts["screen_lock"] is (True if plan.screen_lock else None)
        assert bool(facts["modification_signs"]) == modified
        assert facts["third_party_packages"] == len((*plan.packages, *plan.maker_packages))
        assert facts["boot_count"] == plan.boot_count
        assert facts["test_harness"] is False
        assert (facts["owner_files"] > 0) == (plan.owner_share > 0)
        assert facts["call_count"] == plan.calls
        assert facts["contact_count"] == plan.contacts
        assert facts["message_count"] == plan.messages
    ids = {facts["android_id"] for facts in found.values()}
    assert len(ids) == len(plans)
