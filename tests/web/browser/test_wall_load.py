"""The page under a rack's full load; scripts/bench-wall prints the figures."""

from __future__ import annotations

import os
import statistics

import pytest
from chromium import needs_chromium
from wall_load import WATCHED, fill, load_of, plugs, updating
from walls import Wall

from tests.web.web_fakes import FakeRack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300), needs_chromium]

SECONDS = float(os.environ.get("BENCHD_BENCH_SECONDS", "1"))


async def test_sixty_four_live_slots(rack: FakeRack, wall: Wall) -> None:
    views = fill(rack, 64)
    async with wall() as seen, updating(rack, views):
        await seen.page.add_init_script(WATCHED)
        for query in ("", "?kiosk"):
            await seen.go(query)
            await seen.live()
            await seen.fonts()
            load = await load_of(seen, SECONDS)
            print(f"\n64 slots {query}: {load}")  # noqa: T201 - the bench's figures
            assert load.updates_per_s > 0
            assert 0 < load.busy < 1


async def test_plugs_reach_their_tiles(rack: FakeRack, wall: Wall) -> None:
    views = fill(rack, 28)
    rounds = 28 if SECONDS <= 1 else 280
    async with wall() as seen, updating(rack, views[1:]):
        await seen.page.add_init_script(WATCHED)
        await seen.page.reload()
        await seen.live()
        took = await plugs(rack, seen, views[:1], rounds)
        ordered = sorted(took)
        print(  # noqa: T201 - the bench's figures
            f"\nplug to tile, 28 slots: median {statistics.median(took):.0f} ms,"
            f" p99 {ordered[int(len(ordered) * 0.99)]:.0f} ms, of {len(took)}"
        )
        assert len(took) == rounds
