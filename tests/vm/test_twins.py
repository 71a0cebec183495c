"""Handsets of one serial and vendor that change places while one is away in its final reset."""

from __future__ import annotations

import anyio
import pytest

from tests.vm.guest.rackvm.plan import READER_SLOTS
from tests.vm.rig import LOOK_EVERY_S, End, Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

UP_WITHIN_S = 300.0


async def until_up(rig: Rig, handset: str) -> None:
    """Wait until its reset has taken all of its time."""
    with anyio.fail_after(UP_WITHIN_S):
        while (await rig.states())[handset].restarting:  # noqa: ASYNC110 - only looking tells
            await anyio.sleep(LOOK_EVERY_S)


async def reset_into(rig: Rig, slot: int, other: str) -> None:
    """Reset the handset in this slot; when it would be back, the other comes up in its place."""
    leaves = rig.handset_in[slot_name(slot)]
    await rig.reset_by_hand(slot_name(slot))
    await rig.unplug(leaves)
    await until_up(rig, leaves)
    await rig.plug({other: slot})


async def certified_as_itself(rig: Rig, handset: str, end: End) -> None:
    """An honest one of the same serial is nobody's twin: not everything is held."""
    assert end.disposition == "sellable", end
    assert end.proven()["handset"]["imei"] == (await rig.states())[handset].imei


def must_not_pass(end: End, detail: str) -> None:
    """Held as another handset, and not for what a port shows of any reset."""
    end.must_not_pass("hold", "handset_changed")
    assert end.told["detail"] == detail, end


@pytest.mark.parametrize(
    ("slots", "detail"),
    [
        (READER_SLOTS[:2], "after the reset another chip lies there"),
        (range(1, 3), "the number on its own screen is another"),
    ],
    ids=["with a reader", "without one"],
)
async def test_row_2_a_twin_that_was_never_erased_at_the_final_reset(
    rig: Rig, slots: range, detail: str
) -> None:
    kinds = dict.fromkeys(("erased", "honest"), "same-serial-small")
    await rig.fill_table({**kinds, "twin": "same-serial-owned"})
    planted = set(await rig.residue("twin"))
    assert len(planted) > 300
    await rig.start_service()
    erased, honest = slots

    async def reset(slot: str) -> None:
        if slot == slot_name(erased):
            await reset_into(rig, erased, "twin")
        else:
            await rig.reset_by_hand(slot)

    async with rig.operating(reset=reset):
        await rig.plug({"erased": erased, "honest": honest})
        ends = await rig.ends({"twin": erased, "honest": honest})
    must_not_pass(ends["twin"], detail)
    await certified_as_itself(rig, "honest", ends["honest"])
    # What a false pass would have sold.
    assert planted <= set(await rig.residue("twin"))
    states = await rig.states()
    assert {name: state.reset_count for name, state in states.items()} == {
        "erased": 1,
        "honest": 1,
        "twin": 0,
    }


@pytest.mark.nightly
async def test_row_2_twins_and_neighbours_exchanged_at_the_final_reset(rig: Rig) -> None:
    """The one moment in which a handset may leave: both of a pair are away in their resets."""
    pairs = {
        ("twin-a", "twin-b"): "the number on its own screen is another",
        ("left", "right"): "another handset came back: USB serial or vendor differ",
    }
    slots = {"twin-a": 1, "twin-b": 2, "left": 3, "right": 4, "honest": 5}
    neighbours = dict.fromkeys(("left", "right"), "ext4")
    await rig.fill_table(dict.fromkeys(slots, "same-serial-small") | neighbours)
    await rig.start_service()
    asked: set[str] = set()
    exchanged = {pair: anyio.Event() for pair in pairs}

    async def reset(slot: str) -> None:
        leaves = rig.handset_in[slot]
        pair = next((pair for pair in pairs if leaves in pair), None)
        if pair is None:
            await rig.reset_by_hand(slot)
            return
        asked.add(leaves)
        if asked.issuperset(pair):
            # At once: on a busy machine the first would be back before the second is away.
            await rig.rack("reset", handsets=[*pair])
            await rig.swap(*pair)
            exchanged[pair].set()
        await exchanged[pair].wait()

    places = dict(slots)
    for one, other in pairs:
        places |= {one: slots[other], other: slots[one]}
    async with rig.operating(reset=reset):
        await rig.plug(slots)
        ends = await rig.ends(places)
    for pair, detail in pairs.items():
        for name in pair:
            must_not_pass(ends[name], detail)
    await certified_as_itself(rig, "honest", ends["honest"])
    assert {state.reset_count for state in (await rig.states()).values()} == {1}
