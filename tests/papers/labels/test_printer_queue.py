"""What waits for a printer: in order, not for ever, never sent twice by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import anyio
import pytest

from benchd.domain.errors import LabelRefused, LedgerFault, NotFound, RecordsUnavailable
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.label import LabelEnd, PrinterFault, PrinterTrouble
from benchd.papers.labels.label_content import LabelContent
from benchd.papers.labels.label_queue import LIVES_S, MOST_WAITING, PrinterQueue
from tests.papers.labels.label_samples import label

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

AWAY = PrinterFault(PrinterTrouble.UNREACHABLE)
BROKE_OFF = PrinterFault(PrinterTrouble.BROKE_OFF, begun=True)


@dataclass
class FakeWire:
    """Does with each label what it was told to, and takes the rest."""

    faults: list[PrinterFault] = field(default_factory=list[PrinterFault])
    tried: list[bytes] = field(default_factory=list[bytes])
    stuck: bool = False

    async def send(self, label: bytes) -> None:
        self.tried.append(label)
        if self.stuck:
            await anyio.sleep_forever()
        if self.faults:
            raise self.faults.pop(0)


@dataclass
class Heard:
    """What the daemon is told."""

    ends: list[tuple[str, LabelEnd]] = field(default_factory=list[tuple[str, LabelEnd]])
    troubles: list[PrinterTrouble | None] = field(default_factory=list[PrinterTrouble | None])
    waiting: int = 0

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        assert printer == "p1"
        self.ends.append((job, end))

    def printer_reported(self, printer: str, trouble: PrinterTrouble | None) -> None:
        self.troubles.append(trouble)

    def waits(self, printer: str, labels: int) -> None:
        self.waiting = labels


async def look(job: JobId) -> LabelContent:
    return one(job)


async def make(content: LabelContent) -> bytes:
    if content.job == "broken":
        raise RuntimeError(content.job)
    return content.job.encode()


@asynccontextmanager
async def working(
    wire: FakeWire, look: Callable[[JobId], Awaitable[LabelContent]] = look
) -> AsyncGenerator[tuple[PrinterQueue, Heard]]:
    heard = Heard()
    queue = PrinterQueue("p1", wire, look, make, heard)
    async with anyio.create_task_group() as group:
        group.start_soon(queue.run)
        yield queue, heard
        group.cancel_scope.cancel()


def one(job: str) -> LabelContent:
    return label(job, number=f"number of {job}")


async def test_labels_come_out_in_their_order() -> None:
    wire = FakeWire()
    async with working(wire) as (queue, heard):
        assert queue.put(one("a"))
        assert queue.put(one("b"))
        await anyio.sleep(1)
    assert wire.tried == [b"a", b"b"]
    assert heard.ends == [("a", LabelEnd.SENT), ("b", LabelEnd.SENT)]
    assert (queue.view.waiting, queue.view.newest, heard.waiting) == (0, "b", 0)


@pytest.mark.parametrize("fault", [NotFound("no job"), LedgerFault("away"), ValueError("odd")])
async def test_a_label_that_cant_be_looked_up_keeps_no_other_from_coming_out(
    fault: Exception,
) -> None:
    async def fails(job: JobId) -> LabelContent:
        if job == "a":
            raise fault
        return one(job)

    wire = FakeWire()
    async with working(wire, fails) as (queue, heard):
        queue.put(one("a"))
        queue.put(one("b"))
        await anyio.sleep(1)
        assert heard.ends == [("a", LabelEnd.NOT_MADE), ("b", LabelEnd.SENT)]
        assert queue.view.waiting == 0
    assert wire.tried == [b"b"]


async def test_what_nothing_has_got_of_is_tried_until_it_is_taken() -> None:
    wire = FakeWire(faults=[AWAY] * 4)
    async with working(wire) as (queue, heard):
        queue.put(one("a"))
        await anyio.sleep(1 + 2 + 4 + 0.5)
        assert queue.view.trouble is PrinterTrouble.UNREACHABLE
        await anyio.sleep(8)
    assert wire.tried == [b"a"] * 5
    assert heard.ends == [("a", LabelEnd.SENT)]
    assert heard.troubles == [PrinterTrouble.UNREACHABLE] * 4 + [None]
    assert queue.view.trouble is None


async def test_a_label_that_was_begun_is_never_sent_again_by_itself() -> None:
    wire = FakeWire(faults=[BROKE_OFF])
    async with working(wire) as (queue, heard):
        queue.put(one("a"))
        queue.put(one("b"))
        await anyio.sleep(LIVES_S)
    assert wire.tried == [b"a", b"b"]
    assert heard.ends == [("a", LabelEnd.BROKE_OFF), ("b", LabelEnd.SENT)]
    assert heard.troubles == [PrinterTrouble.BROKE_OFF, None]


async def test_a_label_that_nobody_waits_for_any_more_doesnt_come_out() -> None:
    wire = FakeWire(faults=[AWAY] * 1000)
    async with working(wire) as (queue, heard):
        queue.put(one("a"))
        queue.put(one("b"))
        await anyio.sleep(LIVES_S + 60)
        assert heard.ends == [("a", LabelEnd.TOO_LATE), ("b", LabelEnd.TOO_LATE)]
        wire.faults.clear()
        await anyio.sleep(LIVES_S)
        assert heard.ends[2:] == []
        # The next one shows that the printer is there again.
        queue.put(one("c"))
        await anyio.sleep(1)
    assert heard.ends[-1] == ("c", LabelEnd.SENT)
    assert heard.troubles[-1] is None


async def test_only_so_many_wait() -> None:
    wire = FakeWire(stuck=True)
    async with working(wire) as (queue, heard):
        taken = [queue.put(one(f"job {number}")) for number in range(MOST_WAITING + 2)]
        assert taken == [True] * MOST_WAITING + [False] * 2
        assert [end for _, end in heard.ends] == [LabelEnd.CROWDED_OUT] * 2
        assert queue.view.waiting == heard.waiting == MOST_WAITING


async def test_of_one_handset_only_the_newest_label_waits() -> None:
    wire = FakeWire(faults=[AWAY])
    async with working(wire) as (queue, heard):
        queue.put(one("a"))
        await anyio.sleep(0.5)
        queue.put(label("hold", number="356938035643809"))
        queue.put(label("sold", number="356938035643809"))
        queue.put(label("nameless", number=""))
        queue.put(label("nameless too", number=""))
        await anyio.sleep(5)
    assert wire.tried == [b"a", b"a", b"sold", b"nameless", b"nameless too"]
    assert heard.ends[0] == ("hold", LabelEnd.REPLACED)


async def test_one_that_cant_be_made_doesnt_keep_the_next_back() -> None:
    wire = FakeWire()
    async with working(wire) as (queue, heard):
        queue.put(one("broken"))
        queue.put(one("a"))
        await anyio.sleep(1)
    assert heard.ends == [("broken", LabelEnd.NOT_MADE), ("a", LabelEnd.SENT)]
    assert heard.troubles == [None]


async def test_it_ends_at_once_whatever_its_printer_does() -> None:
    wire = FakeWire(stuck=True)
    began = anyio.current_time()
    async with working(wire) as (queue, heard):
        queue.put(one("a"))
        queue.put(one("b"))
        await anyio.sleep(1)
    assert anyio.current_time() - began < 2
    assert wire.tried == [b"a"]
    assert heard.ends == []
    assert queue.view.waiting == 2


async def test_at_each_try_it_is_looked_at_what_the_label_says_now() -> None:
    says = [Disposition.SELLABLE, Disposition.SELLABLE, Disposition.HOLD]

    async def look(job: JobId) -> LabelContent:
        if not says:
            raise LabelRefused(job)
        return replace(one(job), job=JobId(says.pop(0)))

    wire = FakeWire(faults=[AWAY, AWAY])
    async with working(wire, look) as (queue, heard):
        queue.put(one("a"))
        queue.put(one("b"))
        await anyio.sleep(10)
    assert wire.tried == [b"sellable", b"sellable", b"hold"]
    assert heard.ends == [("a", LabelEnd.SENT), ("b", LabelEnd.REPLACED)]


async def test_while_nobody_knows_what_it_says_it_waits_and_not_for_ever() -> None:
    async def look(job: JobId) -> LabelContent:
        raise RecordsUnavailable(job)

    wire = FakeWire()
    async with working(wire, look) as (queue, heard):
        queue.put(one("a"))
        await anyio.sleep(LIVES_S - 60)
        assert heard.ends == []
        await anyio.sleep(120)
    assert heard.ends == [("a", LabelEnd.TOO_LATE)]
    # Which says nothing of the printer.
    assert wire.tried == heard.troubles == []
