"""A hook is sent back, wherever and whenever, and its file goes bad: no event is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchd.domain.errors import HooksUnavailable
from benchd.domain.hook import Direction, NextAction, NotTaken
from benchd.domain.ids import JobId
from benchd.domain.record import Place, StoredEntry
from benchd.outbound.hooks.hook_store import HookStore, Waiting
from benchd.outbound.hooks.outbox import Outbox
from tests.outbound.hooks.hook_rig import START, Rig, rig

pytestmark = pytest.mark.asyncio


async def test_it_takes_over_from_where_it_stood_or_not_at_all(tmp_path: Path) -> None:
    store = HookStore(tmp_path / "hooks.sqlite")
    begun, upto = Place(sequence=1, hash="a"), Place(sequence=2, hash="b")
    store.begin("stock", begun)
    event = [Waiting(sequence=2, lane="x")]
    for other in (Place(sequence=1, hash="b"), Place(sequence=3, hash="a")):
        assert not store.take_over("stock", event, upto, after=other)
    assert (store.place("stock"), store.waiting("stock")) == (begun, 0)
    assert store.take_over("stock", event, upto, after=begun)
    assert (store.place("stock"), store.waiting("stock")) == (upto, 1)
    store.close()


async def test_a_replay_beside_a_daemon_that_catches_up_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as one:
        for number in range(20):
            await one.shop.open(f"USB{number:03}")
        one.receiver.away_until = START.replace(year=2027)
        for _ in range(30):
            await one.step()
        feed = one.parts.feed
        read, person = feed.entries_after, HookStore(tmp_path / "hooks.sqlite", mends=False)
        asked: list[int] = []

        async def meanwhile(sequence: int, most: int) -> list[StoredEntry]:
            found = await read(sequence, most)
            if not asked:
                asked.append(sequence)
                person.rewind("stock", Place(sequence=0))
            return list(found)

        monkeypatch.setattr(feed, "entries_after", meanwhile)
        await one.shop.open("USB999")
        await one.step()
        person.close()
        one.receiver.away_until = START
        await one.until_quiet()
        assert one.told() == set(one.shop.truth.due)
        assert one.sink.dead == 0


@pytest.mark.parametrize("works", [True, False])
async def test_a_place_that_the_ledger_hasnt_reached_is_none(
    tmp_path: Path, *, works: bool
) -> None:
    """Named by a person, while the daemon works or before it starts."""
    async with rig(tmp_path) as one:
        await one.shop.open("USB001")
        await one.until_quiet()
        one.store.rewind("stock", Place(sequence=4710))
        if not works:
            one.store.close()
            one.start()
        for number in range(5):
            await one.shop.open(f"USB01{number}")
        await one.until_quiet()
        assert one.told() == set(one.shop.truth.due)


def go_bad(path: Path, has: bytes) -> None:
    """One bit of one page of many."""
    raw = bytearray(path.read_bytes())
    size = int.from_bytes(raw[16:18], "big")
    pages = [
        page
        for page in range(1, len(raw) // size)
        if raw[page * size] == 0x0A and has in raw[page * size : (page + 1) * size]
    ]
    raw[pages[len(pages) // 2] * size + size // 2] ^= 1
    path.write_bytes(raw)


def read_all(store: HookStore) -> None:
    for number in range(300):
        store.directions(f"old-{number}")


async def patiently(one: Rig, until: Callable[[], bool], most: int = 50) -> int:
    """Step on as the room does; how many faults there were."""
    faults = 0
    for _ in range(most):
        try:
            one.clock.pass_by(await one.step())
        except HooksUnavailable:
            faults += 1
            one.outbox = Outbox(one.terms, one.receiver, one.parts)
        if until():
            break
    return faults


async def test_a_page_that_goes_bad_costs_a_repetition_and_one_fault(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        for number in range(300):
            refused = Direction(
                hook="old",
                sequence=number,
                job=JobId(f"old-{number}"),
                action=None,
                bin=None,
                refused=NotTaken.NOT_UNDERSTOOD,
            )
            one.store.keep_direction(refused, number - 5000)
        one.store.close()
        go_bad(tmp_path / "hooks.sqlite", b"not_understood")
        one.start()
        person = HookStore(tmp_path / "hooks.sqlite", mends=False)
        for _ in range(2):  # it isn't the command's to throw away
            with pytest.raises(HooksUnavailable):
                read_all(person)
        person.close()
        with pytest.raises(HooksUnavailable):
            read_all(one.store)
        one.receiver.replies = (b'{"next_action":"reprint"}',)
        await one.shop.open("USB001")
        await one.shop.end("USB001", "hold")
        faults = await patiently(one, lambda: one.told() == set(one.shop.truth.due))
        await one.until_quiet()
        assert faults <= 1
        assert one.told() == set(one.shop.truth.due)
        answers = [answer.data["next_action"] for answer in await one.answers()]
        assert answers == [NextAction.REPRINT] * 2
