"""What is left of the last owner on the raw chip after a certificate was signed."""

from __future__ import annotations

import re

import anyio
import pytest

from tests.vm.bench import Bench, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]


BLOCK_BYTES = 4096
REACHED = "find {root}/local/tmp -type f -size +0 -exec filefrag -e -b1 {{}} +"
_EXTENT = re.compile(r"^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):", re.MULTILINE)


async def look(bench: Bench, handset: str) -> tuple[int, list[int]]:
    """How many bytes of the chip the fill's files cover, and the markers inside of those.

    The daemon stands still meanwhile, since it deletes the files as soon as they are proven.
    """
    root = f"/run/rack-vm/chips/{handset}/data"
    await bench.shell("systemctl kill -s STOP benchd")
    try:
        text = await bench.shell(f"sync; {REACHED.format(root=root)}")
        markers = await bench.residue(handset)
    finally:
        await bench.shell("systemctl kill -s CONT benchd")
    blocks = [(int(first), int(last) + 1) for first, last in _EXTENT.findall(text)]
    inside = [place for place in markers if any(first <= place < last for first, last in blocks)]
    return sum(last - first for first, last in blocks), inside


async def test_no_marker_is_left_in_a_reached_block_and_the_rest_is_named(bench: Bench) -> None:
    kinds = {"f2fs": "residue", "live": "live-data", "plain": "residue-ext4"}
    slots = {name: number for number, name in enumerate(kinds, start=1)}
    await bench.fill_table(kinds)
    planted = {name: len(await bench.residue(name)) for name in kinds}
    # A mere reset leaves them, or the search below would prove nothing.
    assert all(count > 300 for count in planted.values()), planted
    await bench.start_service()
    looks: dict[str, tuple[int, list[int]]] = {}

    async def look_at(name: str) -> None:
        await bench.until_slot(slot_name(slots[name]), "read_back")
        looks[name] = await look(bench, name)

    async with bench.operating():
        await bench.plug(slots)
        async with anyio.create_task_group() as tasks:
            for name in kinds:
                tasks.start_soon(look_at, name)
        ends = await bench.ends(slots)
    for name, end in ends.items():
        assert end.outcome == "passed", end
        assert end.statement is not None
        covered, inside = looks[name]
        assert covered > 0, name
        assert inside == [], (name, inside)
        # Those that are left lie in what the certificate says wasn't reached, and fit into it.
        survivors = await bench.residue(name)
        unreached = end.statement["predicate"]["not_reached"][0]
        found = re.match(r"(\d+) bytes of the user storage", unreached)
        assert found, unreached
        assert len({place // BLOCK_BYTES for place in survivors}) * BLOCK_BYTES <= int(found[1])
        await bench.note(
            f"{name}: {planted[name]} markers on the chip, {len(survivors)} left,"
            f" {covered} bytes of it covered by the fill"
        )


async def test_an_unencrypted_handset_with_survivors_possible_is_held(bench: Bench) -> None:
    await bench.fill_table({"plain": "unencrypted"})
    await bench.start_service()
    ends = await bench.run_to_the_end({"plain": 1})
    slot = bench.watch.slots[slot_name(1)]
    assert (slot["disposition"], slot["reason"]) == ("hold", "storage_unencrypted"), ends
    assert ends["plain"].statement is None
