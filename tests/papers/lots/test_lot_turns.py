"""So many lot papers are made at once: from the moment of asking until however they end."""

from __future__ import annotations

import gc
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from benchd.domain.errors import NotFound, TriedTooOften
from benchd.domain.lot_papers import AskedPapers, PapersOf
from benchd.papers.lots.lot_desk import LotPress
from tests.papers.lots.lot_rack import LOT, LotRack

pytestmark = pytest.mark.asyncio

NO_LOT = AskedPapers(of=PapersOf.LOT, name="L-9")


async def no_room(press: LotPress) -> None:
    with pytest.raises(TriedTooOften):
        await press.export(LOT)


async def test_only_so_many_are_made_at_once_and_who_leaves_makes_room(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    async with rack.press(tmp_path) as press:
        running = [await press.export(LOT) for _ in range(2)]
        for made in running:
            await anext(made)
        await no_room(press)
        await running[0].aclose()
        await (await press.export(LOT)).aclose()
        await running[1].aclose()


async def test_it_is_ones_turn_before_the_first_piece_is_taken(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    async with rack.press(tmp_path) as press:
        running = [await press.export(LOT) for _ in range(2)]
        await no_room(press)
        # Whoever has never taken a piece has had a turn too.
        for made in running:
            await made.aclose()
        await (await press.export(LOT)).aclose()


async def test_of_many_who_ask_in_one_moment_only_so_many_have_a_turn(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    async with rack.press(tmp_path) as press:
        running, refused = [], 0

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


async def test_what_is_refused_or_forgotten_gives_its_turn_back(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    async with rack.press(tmp_path) as press:
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
