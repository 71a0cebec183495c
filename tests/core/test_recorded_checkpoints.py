"""No checkpoint on record changes what becomes of a handset, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as some

from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.lab.usual_handset import USUAL

from .world import MIB, Phone, World, ending

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

PHONES: dict[str, dict[str, Any]] = {
    "sold": {"used_bytes": 30 * MIB},
    "locked": {"frp_armed": True},
    "changed": {"signs": ("x",)},
    "with a card in it": {"removable_media": True},
}
KINDS = (EntryKind.CHECKPOINT_RECEIVED, EntryKind.CENTRE_LACKED)
SAYS: list[dict[str, Any]] = [
    {},
    {"checkpoint": {"type": "urn:benchd:fleet-checkpoint:v1"}, "centre": "00"},
    {"disposition": "sellable", "outcome": "passed", "reason": None},
    {"stage": "certify", "outcome": "passed", "evidence": {"imei": USUAL.imei}},
]


End = tuple[tuple[Outcome | None, Disposition | None, Reason | None], int]
Told = list[tuple[EntryKind, dict[str, Any]] | None]


async def end_of(phone: dict[str, Any], told: Told) -> End:
    """How its job ends where such records come in after its own, one after the other."""
    world, left = World(), list(told)
    ledger = world.ledger

    def beside(entry: Entry) -> None:
        put = left.pop() if left else None
        if put is not None:
            kind, data = put
            made = Entry(kind=kind, at=entry.at, data=data)
            ledger.stored.append(
                StoredEntry(sequence=len(ledger.stored) + 1, entry=made, hash_hex="0" * 64)
            )

    ledger.told = beside
    view = await world.end_of(Phone(**phone))
    return ending(view), len(world.issuer.kept)


@settings(max_examples=25, deadline=None)
@given(
    phone=some.sampled_from(sorted(PHONES)),
    told=some.lists(
        some.one_of(some.none(), some.tuples(some.sampled_from(KINDS), some.sampled_from(SAYS))),
        min_size=10,
        max_size=60,
    ),
)
async def test_no_checkpoint_changes_what_becomes_of_a_handset(phone: str, told: Told) -> None:
    alone = await end_of(PHONES[phone], [])
    event(str(alone))
    assert (alone[0][1] is Disposition.SELLABLE) is (phone == "sold")
    assert await end_of(PHONES[phone], told) == alone
