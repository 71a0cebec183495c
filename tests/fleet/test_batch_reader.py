"""Large batches, which a process of their own reads: as small ones, and whatever happens to it."""

from __future__ import annotations

import os
import select
import signal
import threading
from pathlib import Path

import anyio
import pytest

from benchd.fleet import batch_reader
from benchd.fleet.batch_reader import LARGE_BYTES, BatchReader, rows_of
from benchd.fleet.fleet_database import NotAcknowledged
from benchd.ledger.fleet_batch import read_header
from benchd.signing.key_ring import KeyRing
from tests.fleet.centre_rig import centre
from tests.fleet.written_ledger import SERIAL, large_ledger

pytestmark = pytest.mark.asyncio


def reading_processes() -> list[int]:
    """Of this process, that live."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    names = {int(each): Path(f"/proc/{each}/cmdline").read_bytes() for each in children}
    return [each for each, name in names.items() if b"anyio.to_process" in name]


async def waits_for_its_answer(process: int) -> None:
    """Until it has something to read: it was stopped, and doesn't."""
    standard_input = os.open(f"/proc/{process}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while not select.select([standard_input], [], [], 0)[0]:  # noqa: ASYNC110 - another process
            await anyio.sleep(0.01)
    finally:
        os.close(standard_input)


async def test_a_large_batch_is_kept_and_noted_as_it_is_sent(conninfo: str) -> None:
    ledger = large_ledger()
    async with centre(conninfo) as here:
        await here.join(ledger)
        assert len(ledger.batch(0)) > LARGE_BYTES
        await here.send(ledger, 0)
        assert reading_processes()
        assert here.records() == ledger.records
        assert here.rows("SELECT job, sequence FROM job_record ORDER BY 2") == [
            ("job-1", 1),
            ("job-1", 20),
        ]
        told = here.rows("SELECT trait, value, job FROM handset_trait")
        assert told == [("serial", SERIAL, "job-1")]


async def test_a_large_batch_of_which_some_is_there(conninfo: str) -> None:
    ledger = large_ledger()
    async with centre(conninfo) as here:
        await here.join(ledger)
        await here.send(ledger, 0, 7)
        await here.send(ledger, 0)
        assert here.records() == ledger.records


async def test_a_process_reads_as_this_one_does() -> None:
    ledger = large_ledger()
    ledger.restore(kept=20, number=3_000_000)
    ring, data = KeyRing.of(ledger.key.public_key()), ledger.batch(0)
    read = await BatchReader().read(data, ring)
    assert reading_processes()
    assert read == rows_of(data, read_header(data, ring))
    assert [gap.stored.sequence for gap in read.gaps] == [3_000_000]
    assert [each.is_restore for each in read.records] == [False] * 20 + [True]


async def test_no_signature_is_checked_on_the_loop() -> None:
    checked: list[tuple[bytes, int]] = []

    class Watched(KeyRing):
        def has_signed_record(self, message: bytes, signature: bytes, *, sequence: int) -> bool:
            checked.append((message.partition(b"\n")[0], threading.get_ident()))
            return super().has_signed_record(message, signature, sequence=sequence)

    ledger = large_ledger()
    ledger.restore(kept=20, number=3_000_000)
    await BatchReader().read(ledger.batch(0), Watched.of(ledger.key.public_key()))
    assert {what for what, _ in checked} == {b"benchd ledger head v1", b"benchd ledger restored v1"}
    assert threading.get_ident() not in {thread for _, thread in checked}


async def test_a_reading_process_that_is_killed_costs_nothing(conninfo: str) -> None:
    ledger = large_ledger()
    statuses: list[int] = []
    async with centre(conninfo) as here:

        async def post() -> None:
            answer = await here.post(ledger.rack, "records", ledger.batch(0))
            statuses.append(answer.status_code)

        await here.join(ledger)
        await here.send(ledger, 0, 15)
        [reading] = reading_processes()
        os.kill(reading, signal.SIGSTOP)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                group.start_soon(post)
                await waits_for_its_answer(reading)
                os.kill(reading, signal.SIGKILL)
        assert statuses == [503]
        await here.send(ledger, 0)
        assert here.records() == ledger.records


async def test_a_reading_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, reader = large_ledger(), BatchReader()
    ring, data = KeyRing.of(ledger.key.public_key()), ledger.batch(0)
    await reader.read(data, ring)
    [hung] = reading_processes()
    os.kill(hung, signal.SIGSTOP)
    monkeypatch.setattr(batch_reader, "READ_WITHIN_S", 0.5)
    with anyio.fail_after(10), pytest.raises(NotAcknowledged):
        await reader.read(data, ring)
    assert not reading_processes()
    monkeypatch.undo()
    assert (await reader.read(data, ring)).header.end.sequence == 20
