"""What is left of the last owner on the raw chip after a certificate was signed."""

from __future__ import annotations

import re

import pytest

from tests.vm.bench import Bench, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]


REACHED = "find {root}/local/tmp -type f -size +0 -exec filefrag -e -b1 {{}} +"
_EXTENT = re.compile(r"^\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):", re.MULTILINE)


async def reached(bench: Bench, handset: str) -> list[tuple[int, int]]:
    """The bytes of the chip that the fill's files cover, as the file system itself says."""
    root = f"/run/rack-vm/chips/{handset}/data"
    text = await bench.shell(f"sync; {REACHED.format(root=root)}")
    return [(int(first), int(last) + 1) for first, last in _EXTENT.findall(text)]


async def test_no_marker_is_left_in_a_reached_block_and_the_rest_is_named(bench: Bench) -> None:
    kinds = {"f2fs": "residue", "live": "live-data", "plain": "residue-ext4"}
    slots = {name: number for number, name in enumerate(kinds, start=1)}
    await bench.fill_table(kinds)
    planted = {name: len(await bench.residue(name)) for name in kinds}
    # A mere reset leaves them all, or the search below would prove nothing.
    assert all(count > 300 for count in planted.values()), planted
    await bench.start_service()
    seen: dict[str, tuple[list[tuple[int, int]], list[int]]] = {}

    async def look_first(slot: str) -> None:
        # The final reset is due: the fill is on the chip, proven, and not yet deleted.
        name = bench.handset_in[slot]
        if bench.watch.slots[slot]["stage"] == "final_reset":
            seen[name] = await reached(bench, name), list(await bench.residue(name))
        await bench.reset_by_hand(slot)

    async with bench.operating(reset=look_first):
        await bench.plug(slots)
        ends = await bench.ends(slots)
    for name, end in ends.items():
        assert end.outcome == "passed", end
        assert end.statement is not None
        survivors = list(await bench.residue(name))
        blocks, before_reset = seen[name]
        covered = sum(last - first for first, last in blocks)
        assert covered > 0, name
        inside = [
            place for place in before_reset if any(first <= place < last for first, last in blocks)
        ]
        assert inside == [], (name, inside)
        # Those that are left lie in what the certificate says wasn't reached, and fit into it.
        unreached = end.statement["predicate"]["not_reached"][0]
        found = re.match(r"(\d+) bytes of the user storage", unreached)
        assert found, unreached
        assert len({place // 4096 for place in survivors}) * 4096 <= int(found.group(1))
        await bench.shell(
            f"echo '{name}: {planted[name]} markers planted, {len(survivors)} left,"
            f" {covered} bytes reached' >>/results/forensics.txt"
        )


async def test_an_unencrypted_handset_with_survivors_possible_is_held(bench: Bench) -> None:
    await bench.fill_table({"plain": "unencrypted"})
    await bench.start_service()
    ends = await bench.run_to_the_end({"plain": 1})
    assert bench.watch.slots[slot_name(1)]["disposition"] == "hold", ends
    assert ends["plain"].statement is None
