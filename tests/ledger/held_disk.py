"""A disk that is busy for as long as a test wants: what comes meanwhile is committed next."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio import to_thread
from ledger_rack import RackKey

from benchd.domain.errors import BenchdError
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, Receipt
from benchd.ledger import SqliteLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey(RackKey):
    """Signs when it may: each commit of a ledger signs its head."""

    free: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        RackKey.__post_init__(self)
        self.free.set()

    def sign(self, message: bytes) -> bytes:
        self.reached.set()
        self.free.wait()
        return self.private.sign(message)

    @contextmanager
    def held(self) -> Generator[None]:
        """Whoever signs inside of the block waits until its end."""
        self.free.clear()
        self.reached.clear()
        try:
            yield
        finally:
            self.free.set()

    async def until_reached(self) -> None:
        """Return once a commit is held."""
        await to_thread.run_sync(self.reached.wait)


Answers = list[Receipt | BenchdError]


async def ask(ledger: Ledger | SqliteLedger, entry: Entry, answers: Answers) -> None:
    """Append, and keep the answer in the order in which answers come."""
    try:
        answers.append(await ledger.append(entry))
    except BenchdError as fault:
        answers.append(fault)


async def together(
    ledger: Ledger | SqliteLedger, key: HeldKey, entries: Sequence[Entry]
) -> Answers:
    """Append the first entry, and while the disk is busy with it all others; the answers."""
    answers: Answers = []
    async with anyio.create_task_group() as group:
        with key.held():
            group.start_soon(partial(ask, ledger, entries[0], answers))
            await key.until_reached()
            for entry in entries[1:]:
                group.start_soon(partial(ask, ledger, entry, answers))
            await anyio.wait_all_tasks_blocked()
    return answers
