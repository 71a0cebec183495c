"""The live book of what came in: read from the ledger at the start, then kept up by every record.

One at a time takes things in: what a record is checked against can't change before it's on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import anyio
import anyio.lowlevel
import structlog

from benchd.domain.errors import CertificateGap, IntakeRefused
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.intake import LotId, Tag, TimeDoubt
from benchd.domain.ports import Clock, Ledger
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.wakeup import Wakeup
from benchd.intake.rack_clock_trust import RackTime, never_set
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import AssetsRecord, BoundRecord, Who
from benchd.proof.intake_book import IntakeBook, Lot, read_record

_log = structlog.get_logger()


class LiveBook(IntakeBook):
    """The book that the rack goes by, with what no proof needs: which lots systems send into."""

    def __init__(self) -> None:
        super().__init__()
        self._of_systems: set[LotId] = set()

    def take(self, record: StoredEntry) -> None:
        """Follow one record; CertificateGap if it isn't of its form, and then nothing changes."""
        super().take(record)
        if record.entry.kind is EntryKind.ASSETS_ADDED:
            told = read_record(AssetsRecord, record)
            if told.by.is_system:
                self._of_systems.add(LotId(told.lot))

    def check_seen(self, lot: Lot, seen: int | None) -> None:
        """Raise IntakeRefused where the whole lot isn't what somebody has seen who speaks for it.

        `seen` is how many had ever come into it then, struck ones too. Who doesn't say it may
        speak for what people have put in, but not for what a system may have just sent.
        """
        name, there = lot.told.lot, len(lot.came_in.ever)
        if seen is None and LotId(name) in self._of_systems:
            raise IntakeRefused(
                f"other systems send into lot {name}: look what is in it, and say with `seen` how"
                " many assets there were"
            )
        if seen is not None and seen != there:
            raise IntakeRefused(
                f"lot {name} has {there} assets by now and not {seen}: look at it again"
            )


class IntakeStore:
    """Implements `benchd.proof.ports.Intake` over the ledger."""

    def __init__(self, ledger: Ledger, clock: Clock, time: RackTime | None = None) -> None:
        """Without `time` nobody knows whether the clock is right: nothing is cited."""
        self.time = time or RackTime(clock, boot="-", is_synchronised=never_set, head=lambda: 1)
        self._ledger = ledger
        self._clock = clock
        self._turn = anyio.Lock()
        self._kept = Wakeup()
        self.being_bound = WeakValueDictionary[JobId, anyio.Lock]()
        """The turn of each job whose handset somebody binds just now."""
        self.tags_being_bound = Counter[Tag]()
        self.tags_being_struck = set[Tag]()
        """No line that is just being bound is struck, nor one bound that is just being struck."""
        self.book = LiveBook()
        self.ask_again: Callable[[Who], None] = _anybody
        """Raises where a sender doesn't count any more whose turn has come at last."""

    @property
    def clock(self) -> Clock:
        """Which time its records bear."""
        return self._clock

    async def recall(self) -> None:
        """Read all that the ledger has of it."""
        book = LiveBook()
        for record in await self._ledger.intake(since=1):
            _follow(book, record)
        self.book = book
        for batch, parts in book.unfinished.items():
            _log.warning("import_cut_short", batch=batch, parts=parts)

    async def recalled(self) -> IntakeStore:
        """The same, once it has read all of that."""
        await self.recall()
        return self

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Writer, None]:
        """Nobody else writes inside of this block."""
        async with self._turn:
            try:
                yield Writer(self._ledger, self._clock, self.book)
            finally:
                self._kept.fire()

    def time_basis(self) -> TimeBasis | TimeDoubt:
        """By which time something with an age may be cited now, or why nothing may."""
        return self.time.basis(self.book)

    def time_changed(self) -> None:
        """It may be another than whoever waits has been told."""
        self._kept.fire()

    async def changed(self) -> None:
        """Wait until somebody has written."""
        await self._kept.wait()

    async def bind(self, told: BoundRecord, *, job: JobId, slot: SlotName) -> None:
        """Put on record which asset the handset of a job is.

        What a machine has found out gives way to a label that somebody has scanned meanwhile.
        """
        async with self.binding(job, slot) as keep:
            if told.by is not None or job not in self.book.of_job:
                await keep(told)

    @asynccontextmanager
    async def binding(
        self, job: JobId, slot: SlotName
    ) -> AsyncGenerator[Callable[[BoundRecord], Awaitable[None]], None]:
        """Nobody else says inside of this block which asset the handset of this job is.

        It takes no turn with all others: nothing that they write is checked against it, and a slot
        mustn't wait until a file of thousands is in. A line that somebody has just struck is bound
        to nothing, and nothing is kept then.
        """
        writer = Writer(self._ledger, self._clock, self.book)

        async def keep(told: BoundRecord) -> None:
            tag = Tag(told.tag)
            if tag in self.tags_being_struck or self.book.is_struck(tag):
                return
            self.tags_being_bound[tag] += 1
            try:
                # What a handset says of itself: a job isn't stopped for it, and the proof judges.
                await writer.put(EntryKind.ASSET_BOUND, told, job=job, slot=slot)
            finally:
                self.tags_being_bound[tag] -= 1
                self._kept.fire()

        async with self.being_bound.setdefault(job, anyio.Lock()):
            yield keep


class Writer:
    """Puts records into the ledger, then into the book."""

    def __init__(self, ledger: Ledger, clock: Clock, book: LiveBook) -> None:
        self._ledger = ledger
        self._clock = clock
        self.book = book

    async def keep(
        self,
        kind: EntryKind,
        told: object,
        *,
        job: JobId | None = None,
        slot: SlotName | None = None,
    ) -> int:
        """Keep one record; returns its number once it is on disk.

        Raises IntakeRefused for one that nobody could read again: nothing is kept then.
        """
        _check_readable(type(told), to_json(told))
        return await self.put(kind, told, job=job, slot=slot)

    async def put(
        self,
        kind: EntryKind,
        told: object,
        *,
        job: JobId | None = None,
        slot: SlotName | None = None,
    ) -> int:
        """The same for what has been looked at before."""
        entry = Entry(kind=kind, at=self._clock.now(), slot=slot, job=job, data=to_json(told))
        # Shielded: whoever waits may give up, but what is on disk is in the book at once.
        receipt = await self._ledger.append(entry)
        stored = StoredEntry(sequence=receipt.sequence, entry=entry, hash_hex=receipt.hash_hex)
        _follow(self.book, stored)
        return receipt.sequence

    async def keep_all(self, kind: EntryKind, parts: Sequence[object]) -> None:
        """Keep the parts of an import; shielded, so that only a crash can cut it short.

        Raises IntakeRefused before the first where nobody could read one of them again.
        """
        for part in parts:
            _check_readable(type(part), to_json(part))
            await anyio.lowlevel.checkpoint()
        with anyio.CancelScope(shield=True):
            for part in parts:
                await self.put(kind, part)


def _anybody(_: Who) -> None:
    """Where no tokens are known, nobody comes by one."""


def _check_readable(form: type[object], data: JsonValue) -> None:
    try:
        from_json(form, data, "it")
    except CertificateGap as gap:
        raise IntakeRefused(f"this can't be taken in as it stands: {gap}") from gap


def _follow(book: LiveBook, record: StoredEntry) -> None:
    try:
        book.take(record)
    except CertificateGap as gap:
        # The proof refuses it too; one record that can't be read stops no rack.
        _log.error("intake_record_unreadable", sequence=record.sequence, detail=str(gap))
