"""Each event at least once, in order per handset, none lost, none of a job that isn't on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from benchd.domain.errors import LedgerFault
from benchd.domain.record import EntryKind, Place, StoredEntry
from benchd.domain.wakeup import Wakeup
from benchd.ledger import follower
from benchd.outbound.hooks import outbox
from benchd.outbound.hooks.hook_delivery import HookSettings, Taken, Target
from benchd.outbound.hooks.hook_dispatcher import MANY_FAULTS, Hooks
from benchd.outbound.hooks.hook_store import HookStore
from benchd.outbound.http_post import Failure
from benchd.signing.webhook_signature import secret_of
from tests.outbound.hooks.hook_daemon import SECRET
from tests.outbound.hooks.hook_rig import START, TERMS, WEEK_S, Rig, Sink, rig

pytestmark = pytest.mark.asyncio

HOSTILE = (
    b"",
    b"ok",
    b"{",
    b"[" * 5000,
    b"\xff\xfe",
    b'{"next_action":"sell"}',
    b'{"next_action":"hold"}',
    b'{"next_action":"free_slot"}',
    b'{"next_action":"reprint","bin":7}',
    b'{"next_action":"route","bin":"S1"}',
    b'{"next_action":["route"],"bin":{"a":1}}',
    b'{"next_action":"route","bin":"' + b"x" * 15_000 + b'"}',
)


@pytest.fixture(autouse=True)
def looked_at_when_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LOOK_EVERY_S", 1e9)


def hold_against_the_truth(one: Rig) -> None:
    """What has arrived, held against what was written down beside the ledger."""
    truth, got = one.shop.truth, one.receiver.got
    assert one.told() == set(truth.due)
    for handset, came in one.by_handset().items():
        assert came == sorted(came), handset
    bodies: dict[str, bytes] = {}
    for each in got:
        assert each.told["subject"] in truth.jobs
        assert each.told["data"]["job"] == each.told["subject"]
        assert each.id == each.told["id"]
        assert each.id == f"{each.sequence}-{truth.hashes[each.sequence][:16]}"
        assert bodies.setdefault(each.id, each.body) == each.body


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
async def test_whatever_the_receiver_does_and_whenever_the_daemon_is_killed(
    tmp_path: Path, seed: int
) -> None:
    async with rig(tmp_path, seed) as one:
        one.receiver.trouble, one.receiver.replies, one.blows.chance = 0.5, HOSTILE, 0.04
        for _ in range(120):
            await one.shop.go_on()
            if one.draw.random() < 0.6:
                one.clock.pass_by(min(await one.step(), one.draw.uniform(0, 600)))
        one.receiver.trouble = 0.2
        await one.until_quiet()
        assert one.blows.count > 5
        assert len(one.receiver.got) > len(one.shop.truth.due)
        hold_against_the_truth(one)
        assert one.sink.dead == 0


@pytest.mark.slow
async def test_a_receiver_that_is_away_for_a_week_gets_everything_afterwards(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as one:
        one.receiver.away_until = START + timedelta(seconds=WEEK_S)
        one.blows.chance = 0.002
        for _ in range(60):
            await one.shop.go_on()
            one.clock.pass_by(min(await one.step(), 3600))
        await one.until_quiet()
        assert one.clock.at > one.receiver.away_until
        assert one.clock.at < one.receiver.away_until + timedelta(hours=8)
        # An hour between tries, so a week costs some 5 x 24 x 7 of them and not a flood.
        assert 300 < one.receiver.tries < 3000
        hold_against_the_truth(one)
        assert one.sink.dead == 0


async def test_more_than_it_keeps_out_of_the_ledger_stays_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_KEPT", 7)
    async with rig(tmp_path) as one:
        one.receiver.away_until = START + timedelta(days=1)
        for _ in range(100):
            await one.shop.go_on()
        while one.clock.at < one.receiver.away_until:
            one.clock.pass_by(await one.step())
            assert one.sink.waiting <= 7
        await one.until_quiet()
        hold_against_the_truth(one)


async def test_what_is_refused_for_good_waits_for_a_person_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as one:
        await one.shop.open("USB001")
        await one.shop.ask("USB001")
        ended = await one.shop.end("USB001", "hold")
        one.receiver.poison = frozenset({ended - 1})
        await one.until_quiet()
        assert [each.sequence for each in one.receiver.got] == [ended - 2, ended]
        assert [(each.sequence, each.why) for each in one.store.dead_letters("stock", 9)] == [
            (ended - 1, "http_422")
        ]
        assert one.sink.dead == 1
        one.receiver.poison = frozenset()
        other = HookStore(tmp_path / "hooks.sqlite")  # as the command does, beside the daemon
        assert other.revive("stock") == 1
        other.close()
        await one.until_quiet()
        assert one.receiver.got[-1].sequence == ended - 1
        assert one.sink.dead == 0


async def test_days_of_failures_end_and_a_clock_that_jumps_ends_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path, terms=replace(TERMS, give_up_s=3 * 86_400)) as one:
        one.receiver.away_until = START + timedelta(days=30_000)
        await one.shop.open("USB001")
        await one.step()
        one.clock.pass_by(20 * 365 * 86_400)  # the battery of the clock was empty until now
        await one.step()
        await one.step()
        assert (one.sink.waiting, one.sink.dead) == (1, 0)
        one.clock.pass_by(-20 * 365 * 86_400)
        before = one.receiver.tries
        await one.step()
        assert one.receiver.tries == before + 1
        began = one.clock.at
        await one.until_quiet()
        assert one.sink.dead == 1
        assert timedelta(days=2.9) < one.clock.at - began < timedelta(days=3.1)


async def test_it_begins_at_now_and_a_lost_file_costs_repetition_and_no_event(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, begun=False) as one:
        await one.shop.open("USB000")  # before anybody wanted to hear of it
        old = set(one.shop.truth.due)
        await one.until_quiet()
        assert one.receiver.got == []
        await one.shop.open("USB001")
        await one.until_quiet()
        await one.shop.end("USB001", "hold")
        one.lose_file()
        await one.until_quiet()
        one.shop.truth.due = {k: v for k, v in one.shop.truth.due.items() if k not in old}
        assert one.told() == set(one.shop.truth.due)
        assert len(one.receiver.got) == 3


async def test_a_sound_file_is_kept_at_a_start_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        await one.shop.open("USB001")
        await one.until_quiet()
        before = one.store.place("stock")
        one.store.close()
        one.start()
        assert one.store.place("stock") == before
        await one.until_quiet()
        assert len(one.receiver.got) == 1
        one.store.close()
        (tmp_path / "hooks.sqlite").write_bytes(b"not a database at all" * 1000)
        one.start()
        await one.shop.end("USB001", "hold")
        await one.until_quiet()
        assert one.told() == set(one.shop.truth.due)


async def test_the_file_of_another_ledger_says_nothing_of_this_one(tmp_path: Path) -> None:
    async with rig(tmp_path, begun=False) as one:
        await one.shop.open("USB001")
        one.store.begin("stock", Place(sequence=1, hash="f" * 64))
        await one.until_quiet()
        assert one.receiver.got == []
        kinds = [r.entry.kind for r in await one.ledger.entries_after(0, 9)]
        assert kinds == [EntryKind.JOB_OPENED, EntryKind.HOOK_BEGUN]


async def test_a_person_may_have_it_told_again_from_a_record_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        await one.shop.open("USB001")
        ended = await one.shop.end("USB001", "hold")
        await one.until_quiet()
        one.store.rewind("stock", Place(sequence=ended - 1))
        await one.until_quiet()
        assert [each.sequence for each in one.receiver.got] == [ended - 1, ended, ended]


async def test_a_handset_without_a_serial_keeps_everybody_in_order(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        one.receiver.trouble = 0.6
        for _ in range(6):
            for handset in ("USB001", "", "USB002"):
                await one.shop.open(handset)
                await one.shop.end(handset, "hold")
        await one.until_quiet()
        hold_against_the_truth(one)


async def test_events_that_fail_keep_none_of_the_others_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_WAITING", 5)
    async with rig(tmp_path) as one:
        jobs = [f"USB{number:03}" for number in range(10)]
        for handset in jobs:
            await one.shop.open(handset)
        one.receiver.failing = frozenset(one.shop.truth.due)
        for handset in jobs:
            await one.shop.ask(handset)  # waits for the first one of its handset
        good = await one.shop.open("USB999")
        for _ in range(60):
            one.clock.pass_by(min(await one.step(), 5))
        assert [each.told["subject"] for each in one.receiver.got] == [good]
        assert not one.sink.behind
        for _ in range(200):
            one.clock.pass_by(await one.step())
        assert one.sink.behind
        one.receiver.failing = frozenset()
        await one.until_quiet()
        assert not one.sink.behind
        hold_against_the_truth(one)


async def test_a_400_is_tried_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as one:
        send, said = one.receiver.send, [Failure(why="http_400", status=400)] * 3

        async def by_a_wrong_clock(event_id: str, body: bytes) -> Taken | Failure:
            return said.pop() if said else await send(event_id, body)

        one.receiver.send = by_a_wrong_clock  # type: ignore[method-assign]
        await one.shop.open("USB001")
        await one.until_quiet()
        hold_against_the_truth(one)
        assert one.sink.dead == 0


class Watched(Sink):
    """Hears whether a hook is faulty."""

    def __init__(self) -> None:
        super().__init__()
        self.told = [False]
        self.changed = Wakeup()

    def faulty(self, hook: str, *, is_so: bool) -> None:
        if is_so is not self.told[-1]:
            self.told.append(is_so)
            self.changed.fire()


async def test_faults_that_come_again_and_again_are_told_until_they_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "AFTER_FAULT_S", 0.001)
    target = Target(url="http://127.0.0.1:1/", secrets=(secret_of(SECRET),), timeout_s=1)
    async with rig(tmp_path, begun=False) as one:
        feed, faults = one.parts.feed, []
        read = feed.entries_after

        async def entries_after(sequence: int, most: int) -> Sequence[StoredEntry]:
            if len(faults) < MANY_FAULTS:
                faults.append(sequence)
                raise LedgerFault
            return await read(sequence, most)

        monkeypatch.setattr(feed, "entries_after", entries_after)
        sink = Watched()
        hooks = Hooks([HookSettings(terms=TERMS, target=target)])
        async with anyio.create_task_group() as group:
            group.start_soon(hooks.run, replace(one.parts, sink=sink))
            with anyio.fail_after(30):
                await sink.changed.until(lambda: len(sink.told) == 3)
            group.cancel_scope.cancel()
        assert sink.told == [False, True, False]
