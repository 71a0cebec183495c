"""A large lot costs one PDF's worth of memory, and who asks for one certificate has a turn."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from benchd.domain.handset_file import Upto
from benchd.domain.lot_papers import Listed
from benchd.papers.lots.lot_lines import Lines
from benchd.papers.press import Press
from benchd.proof.intake_book import IntakeBook
from tests.papers.lots.lot_rack import LOT, LotRack, job_id

pytestmark = pytest.mark.asyncio

HANDSETS = 120
PDF_BYTES = 180_000


def tags() -> list[str]:
    return [f"T-{number}" for number in range(1, HANDSETS + 1)]


async def test_no_more_than_a_piece_is_in_memory(
    rack: LotRack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(19)

    async def noise(_: Press, __: bytes) -> bytes:
        await anyio.lowlevel.checkpoint()
        return rng.randbytes(PDF_BYTES)

    monkeypatch.setattr(Press, "pdf", noise)
    rack.lot("L-1", *tags())
    for number, tag in enumerate(tags(), start=1):
        rack.sell(number, tag)
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
    assert sent > HANDSETS * PDF_BYTES
    assert peak < sent / 4


async def test_a_single_certificate_is_printed_in_between(rack: LotRack, tmp_path: Path) -> None:
    rack.lot("L-1", *tags()[:8])
    for number, tag in enumerate(tags()[:8], start=1):
        rack.sell(number, tag)
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
    rack.lot("L-1", *tags())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    book = IntakeBook.of(rack.told.stored)
    listed = Listed(jobs=(), upto=Upto(sequence=len(rack.told.stored), hash="0" * 64))
    lines = Lines(listed, rack.rack.ledger, rack.rack.issuer, book, lambda _: None)
    async with anyio.create_task_group() as group:
        group.start_soon(others)
        await lines.take_unseen(list(book.lots.values()))
        group.cancel_scope.cancel()
    assert len(lines.rows) == HANDSETS
    assert turns >= HANDSETS
