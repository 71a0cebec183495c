"""Making lot papers: few at once, in little memory, and who asks for one certificate has a turn."""

from __future__ import annotations

import gc
import random
import tracemalloc
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from benchd.domain.errors import NotFound, TriedTooOften
from benchd.domain.handset_file import Upto
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.papers.lots.lot_desk import LotPress
from benchd.papers.lots.lot_lines import Lines
from benchd.papers.press import Press
from benchd.proof.intake_book import IntakeBook
from tests.papers.lots.lot_rack import LOT, LotRack, job_id

pytestmark = pytest.mark.asyncio

NO_LOT = AskedPapers(of=PapersOf.LOT, name="L-9")
TAGS = [f"T-{number}" for number in range(1, 121)]
PDF_BYTES = 180_000


async def no_room(press: LotPress) -> None:
    with pytest.raises(TriedTooOften):
        await press.export(LOT)


@pytest.mark.parametrize("begun", [True, False])
async def test_only_so_many_are_made_at_once_and_who_leaves_makes_room(
    rack: LotRack, tmp_path: Path, begun: bool
) -> None:
    """It is one's turn before a first piece is taken, and whoever has never taken one goes too."""
    rack.sold_lot("T-1")
    async with rack.press(tmp_path) as press:
        running = [await press.export(LOT) for _ in range(2)]
        for made in running if begun else ():
            await anext(made)
        await no_room(press)
        await running[0].aclose()
        await (await press.export(LOT)).aclose()
        await running[1].aclose()


async def test_of_many_who_ask_at_once_so_many_have_a_turn_and_refused_or_forgotten_ones_none(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    running, refused = [], 0
    async with rack.press(tmp_path) as press:

        async def ask() -> None:
            nonlocal refused
            try:
                running.append(await press.export(LOT))
            except TriedTooOften:
                refused += 1

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(ask)
        assert (len(running), refused) == (2, 4)
        for made in running:
            await made.aclose()
        for _ in range(3):
            with pytest.raises(NotFound):
                await press.export(NO_LOT)
        for _ in range(3):
            with anyio.CancelScope() as scope:
                scope.cancel()
                await press.export(LOT)
        forgotten = [await press.export(LOT) for _ in range(2)]
        forgotten.clear()
        gc.collect()
        with anyio.fail_after(10):
            while press.has_no_room:
                await anyio.lowlevel.checkpoint()
        await (await press.export(LOT)).aclose()


async def test_no_more_than_a_piece_is_in_memory(
    rack: LotRack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(19)

    async def noise(_: Press, __: bytes) -> bytes:
        await anyio.lowlevel.checkpoint()
        return rng.randbytes(PDF_BYTES)

    monkeypatch.setattr(Press, "pdf", noise)
    rack.sold_lot(*TAGS)
    sent = 0
    async with rack.press(tmp_path) as press:
        made = await press.export(LOT)
        sent += len(await anext(made))
        tracemalloc.start()
        try:
            async for piece in made:
                sent += len(piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert sent > len(TAGS) * PDF_BYTES
    assert peak < sent / 4


async def test_a_single_certificate_is_printed_in_between(rack: LotRack, tmp_path: Path) -> None:
    rack.sold_lot(*TAGS[:8])
    pieces, before, single = 0, 0, b""
    async with rack.press(tmp_path) as press:

        async def count() -> None:
            nonlocal pieces
            async for _ in await press.export(LOT):
                pieces += 1

        async with anyio.create_task_group() as group:
            group.start_soon(count)
            await anyio.lowlevel.checkpoint()
            single = await press.press.pdf(rack.certificate(job_id(1)))
            before = pieces
    assert single.startswith(b"%PDF-")
    assert before < 8 < pieces


async def test_the_loop_has_its_turn_at_each_line(rack: LotRack) -> None:
    """Also at those that need nothing from anywhere: assets that never came."""
    rack.lot("L-1", *TAGS)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    book = IntakeBook.of(rack.told.stored)
    listed = Listed(jobs=(), upto=Upto(sequence=len(rack.told.stored), hash="0" * 64))
    lines = Lines(listed, rack.rack.ledger, rack.rack.issuer, book, rack.grades, lambda _: None)
    async with anyio.create_task_group() as group:
        group.start_soon(others)
        await lines.take_unseen(list(book.lots.values()))
        group.cancel_scope.cancel()
    assert len(lines.rows) == len(TAGS)
    assert turns >= len(TAGS)
