"""Another process that has the file locked for a moment: what stored nothing is tried again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from ledger_rack import RackKey, make_entry

from benchd.domain.errors import LedgerFault
from benchd.ledger import SqliteLedger, ledger_store, open_ledger, verify_ledger
from benchd.ledger.ledger_store import LedgerStore

pytestmark = pytest.mark.asyncio

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("let go", flush=True)
"""


class Holder:
    """A process without any of benchd's code that has the write lock."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def let_go(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "let go\n"


@contextmanager
def write_lock(path: Path) -> Generator[Holder]:
    """Another process has the write lock until it is told otherwise, or until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield Holder(process)
        finally:
            process.kill()


@contextmanager
def asked_in_vain(monkeypatch: pytest.MonkeyPatch) -> Generator[anyio.Event]:
    """Is set once the ledger has found the write lock taken."""
    found, waited = anyio.Event(), ledger_store.LedgerStore._wait_for_lock

    def wait(kept: LedgerStore, until: float) -> None:
        loop.call_soon_threadsafe(found.set)
        waited(kept, until)

    loop = asyncio.get_running_loop()
    with monkeypatch.context() as patched:
        patched.setattr(LedgerStore, "_wait_for_lock", wait)
        yield found


async def append(ledger: SqliteLedger, number: int, told: list[int]) -> None:
    told.append((await ledger.append(make_entry(number))).sequence)


async def test_row_10_a_write_lock_of_a_moment_costs_no_record_and_no_ledger(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "ledger.db", list[int]()
    async with open_ledger(path, head_key=key) as ledger:
        await append(ledger, 0, told)
        with write_lock(path) as holder, asked_in_vain(monkeypatch) as found:
            async with anyio.create_task_group() as group:
                group.start_soon(append, ledger, 1, told)
                with anyio.fail_after(20):
                    await found.wait()
                assert told == [1]
                await anyio.to_thread.run_sync(holder.let_go)
        await append(ledger, 2, told)
    assert told == [1, 2, 3]
    assert verify_ledger(path, key.public_key_pem).signed_records == 3


async def test_row_10_a_write_lock_without_end_is_told_in_time(
    tmp_path: Path, key: RackKey
) -> None:
    path = tmp_path / "ledger.db"
    async with open_ledger(path, head_key=key, deadline_s=0.3) as ledger:
        await ledger.append(make_entry(0))
        with write_lock(path), pytest.raises(LedgerFault, match="took longer than"):
            await ledger.append(make_entry(1))
    # Nobody was told of the second, and it isn't there.
    assert verify_ledger(path, key.public_key_pem).records == 1


async def test_row_10_who_has_no_deadline_of_their_own_hears_of_the_lock_and_may_ask_again(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_store, "LOCK_WITHIN_S", 0.05)
    path = tmp_path / "ledger.db"
    kept = LedgerStore(path, key)
    try:
        kept.append(make_entry(0))
        with write_lock(path) as holder:
            with pytest.raises(LedgerFault, match="another process"):
                kept.append(make_entry(1))
            holder.let_go()
            assert kept.append(make_entry(1)).sequence == 2
    finally:
        kept.close()
    assert verify_ledger(path, key.public_key_pem).records == 2
