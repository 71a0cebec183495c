"""A power cut that takes what wasn't synced: no acknowledged record is missed, none is half.

Records are written alone and many at once; both are told as the daemon tells them, by a
subscriber and by the receipt.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from held_disk import HeldKey, together
from ledger_rack import RackKey, make_entry

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.record import Entry, Receipt
from benchd.ledger import ledger_database, ledger_store, open_ledger, verify_ledger
from benchd.ledger.head_file import HeadFile
from benchd.observe.announcing_ledger import announcing
from tests.lossy_disk import Cut, LossyDisk, Sync, lossy_disk

pytestmark = pytest.mark.asyncio

ROUNDS = 6
MOST_AT_ONCE = 11
CUTS_OF_A_MUTANT = 12
SEED = 20261127


@dataclass(frozen=True, slots=True)
class Published:
    """Somebody has been shown this."""

    entry: Entry


class Wall:
    """Shows records as soon as it hears of them."""

    def __init__(self, disk: LossyDisk) -> None:
        self._disk = disk

    def stored(self, entry: Entry) -> None:
        self._disk.told(Published(entry))

    def recalled(self, entry: Entry) -> None:
        raise AssertionError(entry)


async def written(folder: Path, patch: pytest.MonkeyPatch) -> LossyDisk:
    """A ledger that grows until its power is cut, over several checkpoints."""
    patch.setattr(ledger_store, "CHECKPOINT_PAGES", 20)
    chance, key, commits, number = random.Random(SEED), HeldKey(), list[int](), 0
    with lossy_disk(folder, patch) as disk:
        async with open_ledger(
            folder / "ledger.db", head_key=key, committed=commits.append
        ) as ledger:
            told = announcing(ledger, [Wall(disk)], lambda: pytest.fail("shown in vain"))
            for _ in range(ROUNDS):
                disk.told(await told.append(make_entry(number)))
                count = 1 + chance.randint(1, MOST_AT_ONCE)
                entries = [make_entry(number + place) for place in range(1, 1 + count)]
                for answer in await together(told, key, entries):
                    disk.told(answer)
                number += 1 + count
    assert max(commits) > MOST_AT_ONCE // 2
    return disk


async def check(cut: Cut, key: RackKey) -> None:
    """Raise unless a start after the cut finds all that anybody has heard of, and goes on."""
    path = cut.folder / "ledger.db"
    receipts = [told for told in cut.promised if isinstance(told, Receipt)]
    published = [told.entry for told in cut.promised if isinstance(told, Published)]
    async with open_ledger(path, head_key=key) as ledger:
        found = await ledger.entries_after(0, 1000)
        hashes = {stored.sequence: stored.hash_hex for stored in found}
        assert all(hashes.get(receipt.sequence) == receipt.hash_hex for receipt in receipts)
        assert [stored.entry for stored in found][: len(published)] == published
        assert len(published) <= len(found) <= len(published) + ledger_store.MOST_RECORDS
        assert (await ledger.append(make_entry(0))).sequence == len(found) + 1
    assert verify_ledger(path, key.public_key_pem).records == len(found) + 1


@pytest.mark.parametrize("cuts", [25, pytest.param(200, marks=pytest.mark.nightly)])
async def test_whatever_was_acknowledged_or_shown_is_there_after_a_power_cut(
    tmp_path: Path, key: RackKey, monkeypatch: pytest.MonkeyPatch, cuts: int
) -> None:
    (here := tmp_path / "here").mkdir()
    disk = await written(here, monkeypatch)
    drawn = disk.cuts(cuts, random.Random(SEED), tmp_path / "cuts")
    for cut in chain(drawn, after_each_sync(disk, tmp_path / "syncs")):
        await check(cut, key)


def without_log_syncs(disk: LossyDisk) -> None:
    """`xSync` does nothing for the log."""
    disk.steps = [step for step in disk.steps if step != Sync("ledger.db-wal")]


def without_head_syncs(disk: LossyDisk) -> None:
    """`fdatasync` does nothing for the head."""
    disk.steps = [step for step in disk.steps if step != Sync("ledger.db.head")]


def synchronous_off(patch: pytest.MonkeyPatch) -> None:
    """SQLite is told to sync nothing."""
    real: Callable[..., Any] = ledger_database.query

    def careless(connection: Any, sql: str, *values: Any) -> Any:  # noqa: ANN401 - as the real one
        return real(connection, sql.replace("synchronous = full", "synchronous = off"), *values)

    patch.setattr(ledger_database, "query", careless)


def nothing_prepared(patch: pytest.MonkeyPatch) -> None:
    """Nobody signs before the commit of many."""
    patch.setattr(HeadFile, "prepare", lambda *_: None)


def after_each_sync(disk: LossyDisk, into: Path) -> Iterator[Cut]:
    """A cut right behind each sync of the log: between a commit and the head over it."""
    into.mkdir()
    chance = random.Random(SEED)
    for at, step in enumerate(disk.steps, start=1):
        if step == Sync("ledger.db-wal"):
            yield Cut(folder=(place := into / f"sync{at}"), promised=disk.cut(at, chance, place))


@pytest.mark.parametrize(
    ("mutate", "forget"),
    [
        (None, without_log_syncs),
        (None, without_head_syncs),
        (synchronous_off, None),
        (nothing_prepared, None),
    ],
    ids=["log syncs do nothing", "head syncs do nothing", "no syncs", "nothing prepared"],
)
async def test_a_sync_or_a_signature_that_is_left_out_is_found_out(
    tmp_path: Path,
    key: RackKey,
    monkeypatch: pytest.MonkeyPatch,
    mutate: Callable[[pytest.MonkeyPatch], None] | None,
    forget: Callable[[LossyDisk], None] | None,
) -> None:
    (here := tmp_path / "here").mkdir()
    with monkeypatch.context() as mutated:
        if mutate is not None:
            mutate(mutated)
        disk = await written(here, mutated)
    if forget is not None:
        forget(disk)
    short = 0
    drawn = disk.cuts(CUTS_OF_A_MUTANT, random.Random(SEED), tmp_path / "cuts")
    for cut in chain(drawn, after_each_sync(disk, tmp_path / "syncs")):
        try:
            await check(cut, key)
        except (LedgerBroken, LedgerFault, AssertionError):
            short += 1
    assert short > 0
