"""A rack leaves nothing behind, and a handset whose insides died never passes for a blank one."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from simulator_rack import one, until, virtual_rack

from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults

pytestmark = [pytest.mark.rack, pytest.mark.asyncio]


def inhabitants(network: str) -> list[str]:
    """Every process in this network namespace."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and str((folder / "ns" / "net").readlink()) == network:
                found.append((folder / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


async def test_nothing_is_left_after_the_house_is_closed(tmp_path: Path) -> None:
    async with virtual_rack(tmp_path, one("clean", 1), one("live-data", 2)) as rack:
        network = rack.house._network
        directory = rack.house.plug_socket.parent
        assert len(inhabitants(network)) >= 8
        # A stalled chip keeps nobody from closing.
        await rack.hands.set_faults("clean", StorageFaults(stalled=True))
        await rack.output("(echo stuck > /data/local/tmp/f) > /dev/null 2>&1 &")

        async def stuck() -> bool:
            return (await rack.shell("test -e /data/local/tmp/f")).returncode == 0

        await until(stuck)
        # A server that turned itself into a daemon is in the rack's network all the same.
        await rack.kill_server()
        assert (await rack.adb("start-server")).returncode == 0
    assert inhabitants(network) == []
    assert not directory.exists()
    assert str(directory) not in Path("/proc/mounts").read_text()


HOUSE = """
import pathlib, sys, anyio
from benchd.lab.simulator.virtual_house import RackHouse
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults
async def main():
    plan = RackPlan(handsets=(SCENARIOS["clean"].handset(name="clean", slot=1),))
    async with RackHouse(plan, directory=pathlib.Path(sys.argv[1])) as house:
        print(house._network, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


async def test_nothing_is_left_after_the_house_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOUSE, str(tmp_path)]
    async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as owner:
        assert owner.stdout is not None
        lines = BufferedByteReceiveStream(owner.stdout)
        network = (await lines.receive_until(b"\n", 100)).decode()
        assert inhabitants(network)
        owner.send_signal(signal.SIGKILL)
        await owner.wait()

    async def empty() -> bool:
        return not inhabitants(network)

    await until(empty)


async def test_a_sandbox_that_dies_is_a_broken_handset_and_never_a_blank_one(
    tmp_path: Path,
) -> None:
    async with virtual_rack(tmp_path, one("live-data", 1), one("clean", 2)) as rack:
        await rack.shell("kill -9 $(pgrep -f supervisor)")
        await rack.until_state("absent")
        assert (await rack.hands.handset("live-data")).broken is not None
        assert (await rack.hands.handset("live-data")).attachment is None
        with pytest.raises(RackBroken):
            await rack.hands.hang("live-data")
        # Its neighbour doesn't notice, but whoever closes the rack does.
        assert await rack.output("echo here", 2) == "here"
        with pytest.raises(RackBroken, match="a virtual handset broke"):
            await rack.house.aclose()


async def test_a_handset_that_cant_be_built_is_no_rack(tmp_path: Path) -> None:
    with pytest.raises(RackBroken, match="broken: storage of clean ended"):
        async with virtual_rack(tmp_path, one("clean", capacity_bytes=4096)):
            pass


async def test_twenty_four_handsets_at_once(tmp_path: Path) -> None:
    clean = SCENARIOS["clean"]
    handsets = [clean.handset(name=f"clean-{slot}", slot=slot, copy=slot) for slot in range(1, 25)]
    async with virtual_rack(tmp_path, *handsets) as rack:
        serials = set()
        for slot in (1, 12, 24):
            serials.add(await rack.output("getprop ro.serialno", slot))
        assert len(serials) == 3
