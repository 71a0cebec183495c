"""Chips that lie: what is lost shows only to who reads past the page cache."""

from pathlib import Path

import anyio
import pytest
from simulator_rack import MEBIBYTE, TMP, one, until, virtual_rack

from benchd.lab.simulator.plan import Act, Trigger
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]

RANDOM = "dd if=/dev/urandom bs=1M count=4 2> /dev/null"
SLOW = StorageFaults(write_bytes_per_s=8 * MEBIBYTE)
SUM = f"sha256sum < {TMP}/f"
DD = "/system/bin/dd"
"""Not the handset's own, which knows no flags."""
DROP = f"{DD} if={TMP}/f iflag=nocache count=0 2> /dev/null"
DIRECT = f"{DD} if={TMP}/f iflag=direct bs=1M 2> /dev/null | sha256sum"


LIES = {
    "lost": StorageFaults(lost=0.05, seed=7),
    "torn": StorageFaults(torn=0.05, seed=7),
    "repeated": StorageFaults(repeated=0.05, seed=7),
    "stuck": StorageFaults(stuck=0.05, seed=7),
}


async def test_a_lie_shows_only_past_the_cache(tmp_path: Path) -> None:
    line = f"{RANDOM} | tee {TMP}/f | sha256sum; sync {TMP}/f"
    plans = [one("clean", slot, name=lie) for slot, lie in enumerate(LIES, 1)]
    async with virtual_rack(tmp_path, *plans) as rack:
        for slot, (lie, faults) in enumerate(LIES.items(), 1):
            await rack.hands.set_faults(lie, faults)
            meant = await rack.output(line, slot)
            assert await rack.output(SUM, slot) == meant
            past = await rack.output(DIRECT, slot)
            assert past != meant, lie
            assert await rack.output(SUM, slot) == meant
            assert await rack.output(f"{DROP}; {SUM}", slot) == past
            # Good again after the chip is; only a stuck block was never going to change.
            await rack.hands.set_faults(lie, StorageFaults())
            meant = await rack.output(line, slot)
            assert await rack.output(f"{DROP}; {SUM}", slot) == meant


async def test_a_chip_may_refuse_has_its_speed_and_may_stall(tmp_path: Path) -> None:
    write = f"dd if=/dev/urandom of={TMP}/f bs=1M count=4"
    slow = one("clean", 2, name="slow", faults=SLOW)
    async with virtual_rack(tmp_path, one("clean"), slow) as rack:
        for faults, line in (
            (StorageFaults(write_error=0.01), write),
            (StorageFaults(fsync_error=True), f"{write} conv=fsync"),
            (StorageFaults(read_error=0.01), f"{write} && {DROP} && cat {TMP}/f > /dev/null"),
        ):
            await rack.hands.set_faults("clean", StorageFaults())
            assert (await rack.shell(line)).returncode == 0
            await rack.hands.set_faults("clean", faults)
            refused = await rack.shell(line)
            assert refused.returncode == 1
            assert "Input/output error" in refused.stderr
        started = anyio.current_time()
        await rack.output(f"dd if=/dev/zero of={TMP}/f bs=1M count=4 2> /dev/null", 2)
        assert anyio.current_time() - started >= 0.45
        await rack.hands.set_faults("slow", StorageFaults(stalled=True))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rack.output, f"echo late > {TMP}/late", 2)

            async def waiting() -> bool:
                return await rack.output("pgrep -c sh", 2) != "1"

            # The file system answers all the while; only data has to wait.
            await until(waiting)
            assert await rack.output(f"stat -c %s {TMP}/late", 2) == "0"
            await rack.hands.set_faults("slow", StorageFaults())
        assert await rack.output(f"cat {TMP}/late", 2) == "late"


async def test_overwriting_reaches_what_a_reset_leaves(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("live-data")) as rack:
        assert await rack.hands.residue_blocks("live-data") > 1000
        await rack.shell("cmd testharness enable")

        async def reset() -> bool:
            return (await rack.hands.handset("live-data")).reset_count == 1

        await until(reset)
        await rack.until_state("device")
        assert await rack.hands.residue_blocks("live-data") > 1000
        await rack.shell(f"dd if=/dev/urandom of={TMP}/f bs=1M")
        left = await rack.hands.residue_blocks("live-data")
        # What the shell can't reach is the system's reserve.
        assert left <= 0.02 * (await rack.hands.handset("live-data")).capacity_bytes / 4096


async def test_triggers_fire_once_in_mid_fill(tmp_path: Path) -> None:
    triggers = (
        Trigger(at_fill_fraction=0.2, do=Act.UNPLUG, plug_back_after_s=0.2),
        Trigger(at_fill_fraction=0.5, do=Act.FAULT, faults=StorageFaults(fsync_error=True)),
    )
    plan = one("clean", triggers=triggers)
    async with virtual_rack(tmp_path, plan) as rack:
        # Without `exec` dd would outlive the cable: only the shell's own process gets SIGHUP.
        fill = f"mkdir -p {TMP}/benchd; exec dd if=/dev/urandom of={TMP}/benchd/f bs=64k count=%d"
        cut = await rack.shell(fill % 400)
        # adb's own status is 0 or 255, by its version; dd at its end would have said so.
        assert "records out" not in cut.stderr
        state = await rack.hands.handset("clean")
        assert 0.2 <= state.fill_bytes / state.capacity_bytes < 0.25
        await rack.until_state("device")
        assert (await rack.shell(f"{fill % 400} conv=fsync")).returncode == 1
        assert (await rack.hands.handset("clean")).attachment is not None
