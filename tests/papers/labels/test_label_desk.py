"""From the end of a job to its label: automatic, once more, and only ever of what is so now."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import anyio
import pytest

from benchd.domain.errors import LabelRefused, NotFound
from benchd.domain.evidence_json import to_json
from benchd.domain.hook import Direction, NextAction, NotTaken, record_of_direction
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.job import Disposition
from benchd.domain.label import LabelEnd, PrinterTrouble
from benchd.domain.ports import Ledger
from benchd.domain.printer import LabelForm, Printer, Raw9100
from benchd.domain.record import Entry, EntryKind
from benchd.domain.wakeup import Wakeup
from benchd.domain.yielding_thread import YIELDS, in_yielding_thread
from benchd.ledger.records.records_access import Records
from benchd.observe.announcing_ledger import LedgerSubscriber, announcing
from benchd.papers.labels.label_content import words_of
from benchd.papers.labels.label_desk import LabelDesk
from benchd.papers.labels.label_source import LabelSource
from benchd.papers.labels.wanted_labels import WantedLabels
from benchd.proof.grade_book import GradeBook
from benchd.texts.catalogue import Catalogue
from tests import recorded
from tests.ledger.records.records_rack import INSPECT
from tests.papers.labels.virtual_printer import (
    PAPER_OUT,
    READY,
    Mood,
    VirtualPrinter,
    virtual_printer,
)
from tests.papers.labels.zpl_reader import read_zpl, scanned
from tests.web.web_fakes import BEGAN, FakeRack, Feed

pytestmark = pytest.mark.asyncio

ONE, TWO, RUNS = (JobId(f"20261124-00000000a{number}") for number in (1, 2, 3))
NONE = JobId("20261124-00000000ff")
HOLD = frozenset({Disposition.HOLD})
SELLABLE = frozenset({Disposition.SELLABLE})
EVENTS = count(1)


@dataclass
class Heard:
    ends: list[tuple[str, str, LabelEnd]] = field(default_factory=list)
    troubles: list[tuple[str, PrinterTrouble | None]] = field(default_factory=list)
    heard: Wakeup = field(default_factory=Wakeup)

    def label_ended(self, printer: str, job: str, end: LabelEnd) -> None:
        self.ends.append((printer, job, end))
        self.heard.fire()

    async def until(self, ends: int) -> None:
        await self.heard.until(lambda: len(self.ends) >= ends)

    def printer_reported(self, printer: str, trouble: PrinterTrouble | None) -> None:
        self.troubles.append((printer, trouble))
        self.heard.fire()

    def waits(self, printer: str, labels: int) -> None:
        pass


@dataclass
class Shop:
    rack: FakeRack
    desk: LabelDesk
    ledger: Ledger
    heard: Heard
    subscribers: Sequence[LedgerSubscriber]

    async def answers(self, told: Direction) -> None:
        """A hook's answer goes on record."""
        data = record_of_direction(told, "1-ab")
        entry = Entry(kind=EntryKind.HOOK_ANSWERED, at=BEGAN, data=data)
        await self.ledger.append(entry)

    async def ends(self, *jobs: JobId) -> None:
        """These jobs end: what is on disk already is told."""
        for job in jobs:
            for record in self.rack.ledger.stored:
                if record.entry.job == job and record.entry.kind is EntryKind.JOB_ENDED:
                    for subscriber in self.subscribers:
                        subscriber.stored(record.entry)


@asynccontextmanager
async def shop(folder: Path, *printers: Printer) -> AsyncGenerator[Shop]:
    rack = FakeRack()
    records = Records(folder / "records.sqlite", Feed(rack))
    wanted, heard, faults = WantedLabels(rack.held), Heard(), []
    grades = GradeBook()
    subscribers = [records.follower, rack.held, wanted]
    ledger = announcing(rack.ledger, subscribers, lambda: faults.append(1))
    desk = LabelDesk(
        printers,
        wanted,
        source=LabelSource(
            ledger=ledger, issuer=rack.issuer, files=records, held=rack.held, grades=grades
        ),
        catalogue=Catalogue.load(),
        sink=heard,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        group.start_soon(desk.run)
        with anyio.fail_after(30):
            yield Shop(rack, desk, ledger, heard, subscribers)
        group.cancel_scope.cancel()
    assert not faults


def printer(
    at: VirtualPrinter, name: str = "p1", auto: frozenset[Disposition] = HOLD, slot: str = ""
) -> Printer:
    return Printer(
        name=name,
        at=Raw9100(host="127.0.0.1", port=at.port),
        form=LabelForm(),
        auto=auto,
        slots=frozenset({SlotName(slot)} if slot else ()),
    )


def codes(at: VirtualPrinter, folder: Path) -> list[str]:
    return [
        code
        for number, sent in enumerate(at.labels)
        for code in scanned(read_zpl(sent).as_pbm(), folder, f"{number}.pbm")
    ]


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here")
async def test_jobs_that_end_at_once_have_a_label_each_though_one_was_never_inspected(
    tmp_path: Path,
) -> None:
    async with virtual_printer() as at, shop(tmp_path, printer(at)) as here:
        here.rack.ledger.keep_job(job=ONE)
        here.rack.ledger.keep_job(job=TWO, model="SO-52C")
        here.rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, RUNS)
        _end(here, RUNS, "hold", "unplugged", outcome="aborted")
        await here.ends(ONE, TWO, RUNS)
        await at.until(labels=3)
        assert codes(at, tmp_path) == [f"QR-Code:BD:J:{job}" for job in (ONE, TWO, RUNS)]
        await here.heard.until(ends=3)
    assert here.heard.ends == [("p1", job, LabelEnd.SENT) for job in (ONE, TWO, RUNS)]


async def test_only_what_is_wanted_comes_out_by_itself_and_where(tmp_path: Path) -> None:
    destroy = frozenset({Disposition.DESTROY})
    async with (
        virtual_printer() as held,
        virtual_printer() as crushed,
        virtual_printer() as elsewhere,
        shop(
            tmp_path,
            printer(held, "p1"),
            printer(crushed, "p2", destroy),
            printer(elsewhere, "p3", HOLD | destroy, "B9"),
        ) as here,
    ):
        here.rack.ledger.keep_job(job=ONE)
        here.rack.ledger.keep_job(job=TWO, disposition="destroy", reason="felica_residue")
        await here.ends(ONE, TWO)
        await held.until(labels=1)
        await crushed.until(labels=1)
        await here.heard.until(ends=2)
    assert sorted(name for name, _, _ in here.heard.ends) == ["p1", "p2"]
    assert [len(p.labels) for p in (held, crushed, elsewhere)] == [1, 1, 0]


async def test_what_the_rack_doesnt_vouch_for_is_never_sellable_on_a_label(tmp_path: Path) -> None:
    async with (
        virtual_printer() as sold,
        virtual_printer() as held,
        shop(tmp_path, printer(sold, "p1", SELLABLE), printer(held, "p2")) as here,
    ):
        _sellable(here, ONE)
        _sellable(here, TWO, certificate=None)
        here.rack.issuer.doubts.add(ONE)
        await here.ends(ONE, TWO)
        await held.until(labels=2)
    assert sold.labels == []


async def test_a_printer_that_hangs_keeps_no_record_waiting_and_no_end(tmp_path: Path) -> None:
    async with virtual_printer(Mood.SILENT) as at, shop(tmp_path, printer(at)) as here:
        jobs = [JobId(f"20261124-00000000{number:02x}") for number in range(40)]
        for job in jobs:
            here.rack.ledger.keep_job(job=job, model=f"M{job}")
        await here.ends(*jobs)
        assert len(here.rack.ledger.stored) > len(jobs)
    # With a queue, and in the middle of a label: the daemon's end is through already.
    assert at.labels == []


async def test_a_label_is_printed_again_from_the_record(tmp_path: Path) -> None:
    async with virtual_printer() as at, shop(tmp_path, printer(at, auto=frozenset())) as here:
        here.rack.ledger.keep_job(job=ONE)
        await here.ends(ONE)
        await _filed(here, ONE)
        assert (await here.desk.print_again(ONE)).name == "p1"
        await at.until(labels=1)
        await here.desk.print_again(ONE, "p1")
        await at.until(labels=2)
        assert at.labels[0] == at.labels[1] == await here.desk.picture(ONE, "zpl")
        assert here.desk.printers[0].newest == ONE


async def test_no_label_of_a_job_that_isnt_the_handsets_last_or_that_runs(tmp_path: Path) -> None:
    async with virtual_printer() as at, shop(tmp_path, printer(at)) as here:
        _inspected(here, ONE, "hold", "felica_silent")
        _inspected(here, TWO, "destroy", "felica_residue")
        await here.ends(TWO)
        await _filed(here, TWO)
        with pytest.raises(LabelRefused, match=f"job {TWO} of the same handset is newer"):
            await here.desk.print_again(ONE)
        with pytest.raises(LabelRefused, match="newer"):
            await here.desk.picture(ONE, "png")
        begin = Entry(kind=EntryKind.JOB_OPENED, at=BEGAN, slot=SlotName("A1"), job=RUNS)
        await here.ledger.append(replace(begin, data={"recipe": "overwrite"}))
        with pytest.raises(LabelRefused, match="hasn't ended"):
            await here.desk.print_again(RUNS)
        with pytest.raises(NotFound, match="no job"):
            await here.desk.print_again(NONE)
        with pytest.raises(NotFound, match="no printer p9"):
            await here.desk.print_again(TWO, "p9")
        assert at.labels == []


async def test_a_rack_without_printers_shows_labels_and_prints_none(tmp_path: Path) -> None:
    async with shop(tmp_path) as here:
        here.rack.ledger.keep_job(job=ONE)
        await here.ends(ONE)
        await _filed(here, ONE)
        assert (await here.desk.picture(ONE, "png")).startswith(b"\x89PNG")
        with pytest.raises(LabelRefused, match="no printer is configured"):
            await here.desk.print_again(ONE)


async def test_a_label_that_breaks_off_is_told_and_comes_only_when_asked_for(
    tmp_path: Path,
) -> None:
    async with virtual_printer(Mood.LEAVES) as at, shop(tmp_path, printer(at)) as here:
        here.rack.ledger.keep_job(job=ONE)
        await here.ends(ONE)
        await _filed(here, ONE)
        await here.heard.until(ends=1)
        assert here.heard.ends == [("p1", ONE, LabelEnd.BROKE_OFF)]
        assert here.heard.troubles == [("p1", PrinterTrouble.BROKE_OFF)]
        at.mood = Mood.GOOD
        await here.desk.print_again(ONE)
        await at.until(labels=1)


def _asks(action: NextAction, job: JobId = ONE, refused: NotTaken | None = None) -> Direction:
    """Each is the answer to an event of its own."""
    number = next(EVENTS)
    return Direction(
        hook="stock", sequence=number, job=job, action=action, bin=None, refused=refused
    )


async def test_a_hook_has_the_label_of_an_ended_job_printed_again(tmp_path: Path) -> None:
    async with virtual_printer() as at, shop(tmp_path, printer(at, auto=frozenset())) as here:
        here.rack.ledger.keep_job(job=ONE)
        here.rack.ledger.keep_job(job=TWO, model="SO-52C")
        # None of them has been told to the read model: an answer can be as quick as that.
        await here.answers(_asks(NextAction.REPRINT, TWO, NotTaken.STILL_RUNS))
        await here.answers(_asks(NextAction.FREE_SLOT, TWO))
        await here.answers(_asks(NextAction.REPRINT))
        await at.until(labels=1)
        await here.answers(_asks(NextAction.REPRINT, NONE))
        await here.answers(_asks(NextAction.REPRINT))
        await at.until(labels=2)
        assert codes(at, tmp_path) == [f"QR-Code:BD:J:{ONE}"] * 2


async def test_whom_a_hook_holds_back_no_label_calls_sellable(tmp_path: Path) -> None:
    async with (
        virtual_printer() as sold,
        virtual_printer() as held,
        shop(tmp_path, printer(sold, "p1", SELLABLE), printer(held, "p2")) as here,
    ):
        here.rack.held.take(_asks(NextAction.HOLD))  # told at the begin of the job
        _sellable(here, ONE)
        _sellable(here, TWO)
        await here.ends(ONE, TWO)
        await held.until(labels=1)
        await sold.until(labels=1)
        assert codes(sold, tmp_path) == [f"QR-Code:BD:J:{TWO}"]
        content = await here.desk._source.of_job(ONE)
        words = words_of(content, Catalogue.load(), "en")
        assert (words.goes, words.reason) == ("Hold", "Another system holds it back (stock)")


async def test_a_hold_that_comes_after_the_label_prints_another_in_its_place(
    tmp_path: Path,
) -> None:
    async with virtual_printer() as at, shop(tmp_path, printer(at, auto=SELLABLE)) as here:
        _sellable(here, ONE)
        await here.ends(ONE)
        await at.until(labels=1)
        await here.answers(_asks(NextAction.HOLD))
        await at.until(labels=2)
        assert [_says_hold(sent) for sent in at.labels] == [False, True]
        # A second hold changes nothing, nor does one of what wasn't sellable or runs.
        await here.answers(_asks(NextAction.HOLD))
        here.rack.ledger.keep_job(job=TWO, model="SO-52C")
        await here.ends(TWO)
        await here.answers(_asks(NextAction.HOLD, TWO))
        here.rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, RUNS)
        await here.answers(_asks(NextAction.HOLD, RUNS))
        await here.answers(_asks(NextAction.REPRINT))
        await at.until(labels=3)
        assert at.labels[2] == at.labels[1]


@pytest.mark.parametrize("meanwhile", ["held back", "run again"])
async def test_a_label_that_waits_says_what_is_so_when_it_comes_out_or_is_dropped(
    tmp_path: Path, meanwhile: str
) -> None:
    async with (
        virtual_printer() as at,
        shop(tmp_path, printer(at, auto=SELLABLE)) as here,
    ):
        at.status = PAPER_OUT
        _inspected(here, ONE, "sellable", None)
        await here.ends(ONE)
        await here.heard.heard.until(lambda: bool(here.heard.troubles))
        if meanwhile == "held back":
            await here.answers(_asks(NextAction.HOLD))
        else:
            _inspected(here, TWO, "destroy", "felica_residue")
            await here.ends(TWO)
        at.status = READY
        await here.heard.until(ends=1)
        labels = [sent for sent in at.labels if sent]  # not what only asked
        if meanwhile == "held back":
            assert [_says_hold(label) for label in labels] == [True]
        else:
            assert here.heard.ends == [("p1", ONE, LabelEnd.REPLACED)]
            assert labels == []


def _sellable(here: Shop, job: JobId, certificate: str | None = "{}") -> None:
    """Each is of a handset of its own."""
    here.rack.ledger.keep_job(
        job=job,
        outcome="passed",
        disposition="sellable",
        reason=None,
        certificate=certificate,
        model=f"M{job}",
    )


def _says_hold(sent: bytes) -> bool:
    """Whether its first line is white on black, as only that of what may be sold isn't."""
    label = read_zpl(sent)
    top = label.dots[: label.row_bytes * (label.rows // 3)]
    return sum(bits.bit_count() for bits in top) > len(top) * 4


def _inspected(here: Shop, job: JobId, disposition: str, reason: str | None) -> None:
    """A job of the one handset whose IMEI is known."""
    keep = here.rack.ledger.keep
    keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, job)
    keep(EntryKind.STAGE_STARTED, {"stage": "inspect"}, job)
    keep(EntryKind.STAGE_ENDED, recorded.stage_ended("inspect", to_json(INSPECT)), job)
    _end(here, job, disposition, reason, outcome="failed" if reason else "passed")


def _end(here: Shop, job: JobId, disposition: str, reason: str | None, *, outcome: str) -> None:
    end: Evidence = {"outcome": outcome, "disposition": disposition, "reason": reason}
    certificate = "{}" if outcome == "passed" else None
    end = {**end, "detail": "", "certificate": certificate}
    here.rack.ledger.keep(EntryKind.JOB_ENDED, end, job)


async def _filed(here: Shop, job: JobId) -> None:
    """Until the read model, which follows the ledger, has this job."""
    records = here.desk._source.files
    assert isinstance(records, Records)
    await records.reached(len(here.rack.ledger.stored))


async def test_row_1_the_sheet_of_cards_is_set_once_for_all_who_ask_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[SlotName, ...]] = []

    def sheet(slots: tuple[SlotName, ...], *_: object) -> bytes:
        made.append(slots)
        return b"%PDF"

    monkeypatch.setattr("benchd.papers.labels.label_desk.rack_sheet", sheet)
    slots = (SlotName("A1"), SlotName("A2"))
    async with shop(tmp_path) as here:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(here.desk.cards, slots, BEGAN)
        assert await here.desk.cards(slots[:1], BEGAN) == b"%PDF"
    assert made == [slots, slots[:1]]


async def test_anybodys_sheet_is_set_by_a_thread_that_yields_and_no_label_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()
    priorities: list[int] = []

    def sheet(*_: object) -> bytes:
        priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        begun.set()
        assert may_end.wait(20)
        return b"%PDF"

    monkeypatch.setattr("benchd.papers.labels.label_desk.rack_sheet", sheet)
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    async with shop(tmp_path) as here, anyio.create_task_group() as group:
        here.rack.ledger.keep_job(job=ONE)
        await here.ends(ONE)
        await _filed(here, ONE)
        group.start_soon(here.desk.cards, [SlotName("A1")], BEGAN)
        try:
            assert await anyio.to_thread.run_sync(begun.wait, 20)
            assert await here.desk.picture(ONE, "zpl")
        finally:
            may_end.set()
    assert priorities == [min(19, ours + YIELDS)]


async def test_a_sheet_that_came_too_late_for_one_is_kept_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that yields may take long where others want the processor."""
    may_end, made = threading.Event(), threading.Event()
    times = count(1)

    def sheet(*_: object) -> bytes:
        told = next(times)
        assert may_end.wait(20)
        return f"%PDF {told}".encode()

    def in_thread(call: Callable[[], bytes]) -> bytes:
        result = in_yielding_thread(call)
        made.set()
        return result

    monkeypatch.setattr("benchd.papers.labels.label_desk.rack_sheet", sheet)
    monkeypatch.setattr("benchd.papers.labels.label_desk.in_yielding_thread", in_thread)
    monkeypatch.setattr("benchd.papers.labels.label_desk.SET_S", 0.05)
    slots = [SlotName("A1")]
    async with shop(tmp_path) as here:
        try:
            with pytest.raises(LabelRefused, match="in time"):
                await here.desk.cards(slots, BEGAN)
        finally:
            may_end.set()
        assert await anyio.to_thread.run_sync(made.wait, 20)
        assert await here.desk.cards(slots, BEGAN) == b"%PDF 1"
