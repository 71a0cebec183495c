"""Killed as a process, at drawn moments of its sending: nothing is lost and nothing is made up."""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from pathlib import Path

import anyio
import pytest

from benchd.certificate import create_key
from benchd.domain.record import EntryKind
from benchd.ledger import open_ledger
from tests.outbound.hooks.http_receiver import OK, receiving
from tests.outbound.hooks.test_hook_life import configuration

ROOT = Path(__file__).parents[3]
KILLS = 5
TOLD = {EntryKind.JOB_OPENED: "benchd.job_started", EntryKind.JOB_ENDED: "benchd.job_ended"}

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120), pytest.mark.slow]


async def test_each_event_arrives_in_order_however_often_its_daemon_is_killed(
    on_disk: Path,
) -> None:
    draw = random.Random(20_261_126)
    key = create_key(on_disk / "key.pem")
    cut_short = 0
    async with receiving() as receiver:
        configuration(on_disk, receiver.url)

        def program(seed: int, jobs: int) -> list[str]:
            module = "tests.outbound.hooks.killed_daemon"
            return [sys.executable, "-m", module, str(on_disk), str(seed), str(jobs)]

        for seed in range(KILLS):
            # Half of them die while their receiver has the event and hasn't said so.
            silent, enough = draw.random() < 0.5, len(receiver.got) + draw.randrange(1, 25)
            receiver.answer = OK
            async with await anyio.open_process(
                program(seed, 10_000), cwd=ROOT, stdout=None
            ) as one:
                while len(receiver.got) < enough:
                    if len(receiver.got) == enough - 1 and silent:
                        receiver.answer = None
                    receiver.arrived = anyio.Event()
                    await receiver.arrived.wait()
                one.kill()
                assert await one.wait() < 0
            cut_short += silent
        async with open_ledger(on_disk / "ledger.sqlite", head_key=key) as ledger:
            records = await ledger.entries_after(0, 100_000)
        begun = next(r.sequence for r in records if r.entry.kind is EntryKind.HOOK_BEGUN)
        due = {r.sequence: r for r in records if r.entry.kind in TOLD and r.sequence > begun}
        receiver.answer = OK
        async with await anyio.open_process(program(KILLS, 0), cwd=ROOT, stdout=None) as last:
            while due.keys() - {number(body) for _, body in receiver.got}:
                receiver.arrived = anyio.Event()
                await receiver.arrived.wait()
            last.terminate()
            await last.wait()
    assert 0 < cut_short < KILLS
    came, lanes = [json.loads(body) for _, body in receiver.got], defaultdict[str, list[int]](list)
    for event in came:
        # What isn't in the ledger is a KeyError here.
        record = due[int(event["sequence"])]
        assert event["type"] == TOLD[record.entry.kind]
        assert event["subject"] == record.entry.job
        assert event["id"] == f"{record.sequence}-{record.hash_hex[:16]}"
        lanes[str(record.entry.slot)].append(record.sequence)
    for lane in lanes.values():
        assert lane == sorted(lane)
    assert len(came) > len(due) > 20


def number(body: bytes) -> int:
    return int(json.loads(body)["sequence"])
