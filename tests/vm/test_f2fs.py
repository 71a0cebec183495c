"""Nothing of the last owner is left on f2fs: with fewer logs, on a small chip, after a resume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import anyio
import pytest

from tests.vm.guest.rackvm.plan import MEBIBYTE, UsbHandset
from tests.vm.rig import Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(1200)]

SMALL_BYTES = 128 * MEBIBYTE
MID_FILL = 0.4
NEAR_THE_END = 0.9
AWAY_S = 2.0


def with_logs(rig: Rig, logs: int, *, name: str) -> UsbHandset:
    """A handset with f2fs of so many logs, reset by its last owner."""
    return replace(rig.kind("residue", name=name), active_logs=logs)


def small(handset: UsbHandset) -> UsbHandset:
    """The same with a chip on which f2fs keeps too much to itself for any certificate."""
    return replace(handset, android=replace(handset.android, capacity_bytes=SMALL_BYTES))


async def planted(rig: Rig, handsets: Mapping[str, UsbHandset]) -> dict[str, int]:
    """Make them; how many markers a mere reset has left on each."""
    await rig.make(*handsets.values())
    found = {name: len(await rig.residue(name)) for name in handsets}
    assert all(count > 300 for count in found.values()), found
    return found


async def mounted_with(rig: Rig, handset: str) -> str:
    """The options that the kernel has taken."""
    return await rig.shell(f"findmnt -n -o OPTIONS /run/rack-vm/chips/{handset}/data")


async def pull_at(rig: Rig, slot: int, share: float) -> None:
    """Once so much of it is written, pull the cable and put it back."""
    with anyio.fail_after(600):
        while True:
            seen = rig.watch.slots.get(slot_name(slot), {})
            if seen.get("stage") == "overwrite" and float(str(seen["progress"] or 0)) >= share:
                break
            await rig.watch.next_look()
    await rig.rack("replug", handsets=[rig.handset_in[slot_name(slot)]], after_s=AWAY_S)


@pytest.mark.parametrize(
    "pulled_at",
    [
        pytest.param(None, marks=pytest.mark.nightly),
        MID_FILL,
        pytest.param(NEAR_THE_END, marks=pytest.mark.nightly),
    ],
    ids=["in one run", "resumed", "resumed near its end"],
)
async def test_each_log_of_a_small_f2fs_is_reached(rig: Rig, pulled_at: float | None) -> None:
    """By benchd's program alone: at 128 MiB no recipe has so low a coverage."""
    logs = {f"logs-{count}": count for count in (2, 4, 6)}
    made = {name: small(with_logs(rig, count, name=name)) for name, count in logs.items()}
    found = await planted(rig, made)
    done: dict[str, Mapping[str, int]] = {}

    async def fill(name: str) -> None:
        done[name] = await rig.rack("fill", handset=name, pulled_at=pulled_at, within_s=900)

    async with anyio.create_task_group() as tasks:
        for name in made:
            tasks.start_soon(fill, name)
    left = {name: len(await rig.residue(name)) for name in made}
    for name, said in done.items():
        assert f"active_logs={logs[name]}" in await mounted_with(rig, name)
        assert (0 < said["resumed_bytes"] < said["bytes"]) == (pulled_at is not None), said
        await rig.note(
            f"f2fs of 128 MiB, {name}, pulled at {pulled_at}: {found[name]} markers,"
            f" {left[name]} left, {said['bytes']} of {said['capacity_bytes']} bytes filled,"
            f" {said['resumed_bytes']} of them found again"
        )
    assert not any(left.values()), left


@pytest.mark.nightly
@pytest.mark.parametrize("logs", [(2, 4), (6,)], ids=["2 and 4", "6"])
async def test_nothing_is_left_where_the_cable_was_pulled_in_mid_overwrite(
    rig: Rig, logs: tuple[int, ...]
) -> None:
    slots = {f"logs-{count}": number for number, count in enumerate(logs, start=1)}
    found = await planted(
        rig,
        {name: with_logs(rig, count, name=name) for name, count in zip(slots, logs, strict=True)},
    )
    await rig.start_service()
    async with rig.operating():
        await rig.plug(slots)
        async with anyio.create_task_group() as pulls:
            for slot, share in zip(slots.values(), (MID_FILL, NEAR_THE_END), strict=False):
                pulls.start_soon(pull_at, rig, slot, share)
        ends = await rig.ends(slots, within_s=900)
    for name, end in ends.items():
        overwrite = end.proven()["overwrite"]
        assert 0 < overwrite["resumed_bytes"] < overwrite["bytes_written"], overwrite
        left = await rig.residue(name)
        await rig.note(
            f"f2fs of 1 GiB, {name}, resumed: {found[name]} markers, {len(left)} left,"
            f" {overwrite['resumed_bytes']} of {overwrite['bytes_written']} bytes resumed"
        )
        assert not left, (name, left)
