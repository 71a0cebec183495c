"""Kill -9 and a power cut in mid-change: everybody is as before it or as after it, and whole."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
import pytest

from benchd.domain.people import Role
from benchd.domain.record import EntryKind
from benchd.ledger import ledger_store, open_ledger
from benchd.people.person_register import People
from tests.lossy_disk import lossy_disk

from .people_rig import BY, RackKey, people_in, secrets_file

CHANGES, ROUNDS = 24, 50
DEADLINE_S = 60.0
OF = "mori"


@dataclass(slots=True)
class Known:
    """What somebody was told of one person."""

    roles: frozenset[Role] = frozenset({Role.OPERATOR})
    badge: str | None = None
    pin: str | None = None
    old: set[str] = field(default_factory=set[str])
    """PINs and badges that they had before."""


def pin(number: int) -> str:
    return f"{902716 + 7919 * number % 90_000:06}"


async def change(people: People, number: int) -> None:
    """The change of this number: always the same."""
    if number == 0:
        await people.add(BY, OF, name="森 葵", roles=[Role.OPERATOR])
        return
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: people.set_pin(BY, OF, pin(number)),
        lambda: people.set_badge(BY, OF, f"B-{number:06}"),
        lambda: people.set_roles(BY, OF, [list(Role)[number % len(Role)], Role.AUDITOR]),
        lambda: people.set_pin(BY, OF, pin(number)),
        lambda: people.set_badge(BY, OF, None),
    ]
    await ways[number % len(ways)]()


def after(changes: int) -> Known:
    """The same by hand."""
    known = Known()
    for number in range(1, changes):
        match number % 5:
            case 0 | 3:
                known.old |= {known.pin} if known.pin else set()
                known.pin = pin(number)
            case 1:
                known.old |= {known.badge} if known.badge else set()
                known.badge = f"B-{number:06}"
            case 2:
                known.roles = frozenset({list(Role)[number % len(Role)], Role.AUDITOR})
            case _:
                known.old |= {known.badge} if known.badge else set()
                known.badge = None
    return known


async def made(folder: Path) -> int:
    """How many changes a start finds; whatever it finds is whole, and as it was told."""
    async with open_ledger(folder / "ledger.sqlite", head_key=RackKey()) as ledger:
        records = await ledger.of_kind(EntryKind.PERSON_CHANGED)
    assert {record.entry.kind for record in records} <= {EntryKind.PERSON_CHANGED}
    async with people_in(folder) as people:
        assert [str(person.id) for person in people.everybody] == [OF][: len(records)]
        if records:
            known, person = after(len(records)), people.person(OF)
            assert not people.has_lost_secrets(person)
            assert person.roles == known.roles
            assert (person.badge is None, person.pin is None) == (
                known.badge is None,
                known.pin is None,
            )
            assert known.badge is None or people.of_badge(known.badge) == person
            assert known.pin is None or await people.is_pin(person, known.pin)
            for old in known.old:
                assert people.of_badge(old) is None
                assert not await people.is_pin(person, old)
    return len(records)


@pytest.mark.asyncio
async def test_a_power_cut_in_mid_change_leaves_the_old_or_the_new_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what wasn't synced the disk keeps what it likes."""
    monkeypatch.setattr(ledger_store, "CHECKPOINT_PAGES", 20)
    (here := tmp_path / "here").mkdir()
    with lossy_disk(here, monkeypatch) as disk:
        async with people_in(here) as people:
            for number in range(CHANGES):
                await change(people, number)
                disk.told(number)
    found: set[int] = set()
    for cut in disk.cuts(ROUNDS, random.Random(20261126), tmp_path / "cuts"):
        found.add(of_it := await made(cut.folder))
        assert of_it - len(cut.promised) in {0, 1}
    assert len(found) > CHANGES // 4, "the cuts fell on the same few moments"


async def changing(folder: Path, telling: Connection) -> None:
    """Change after change, each told before it and after it, until somebody kills it."""
    ledger_store.CHECKPOINT_PAGES = 20
    async with open_ledger(folder / "ledger.sqlite", head_key=RackKey()) as ledger:
        begun = len(await ledger.of_kind(EntryKind.PERSON_CHANGED))
    async with people_in(folder) as people:
        for number in count(begun):
            telling.send(number)
            await change(people, number)
            telling.send(number + 1)


def change_until_killed(folder: Path, telling: Connection) -> None:
    anyio.run(changing, folder, telling)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_9_in_mid_change_leaves_the_old_or_the_new_whole(on_disk: Path) -> None:
    chance, processes, unknown, before = random.Random(20261126), get_context("forkserver"), 0, 0
    processes.set_forkserver_preload([__name__])
    for _ in range(ROUNDS):
        ours, theirs = processes.Pipe(duplex=False)
        child = processes.Process(target=change_until_killed, args=(on_disk, theirs))
        child.start()
        theirs.close()
        told: list[int] = []
        for _ in range(chance.randint(1, 9)):
            assert ours.poll(DEADLINE_S), "it changes nothing"
            told.append(ours.recv())
        for _ in range(chance.randrange(3000)):
            secrets_file(on_disk).stat()
        child.kill()
        child.join()
        while ours.poll():
            try:
                told.append(ours.recv())
            except EOFError:
                break
        ours.close()
        found = anyio.run(made, on_disk)
        assert max(before, told[-1]) <= found <= told[-1] + 1
        unknown, before = unknown + (found > told[-1]), found
    assert unknown > 0, "no kill fell between a record and its word, so this shows less"
