"""The index tells where each slot stands."""

from __future__ import annotations

import pytest

from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.domain.wall_plan import WallPlan
from benchd.texts.catalogue import Catalogue
from benchd.web.service import PlanInEffect
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, port
from tests.web.web_running import SEES_ALL, browser

pytestmark = pytest.mark.asyncio


async def test_index_tells_where_each_slot_stands(rack: FakeRack, catalogue: Catalogue) -> None:
    for number, name in enumerate(("A1", "A2", "B1"), 1):
        rack.board.show(SlotView(slot=SlotName(name), port_path=port(number)))
    wall = PlanInEffect(WallPlan(rows=(("A2", "", "A1"),), scan_prefix="~"))
    app = app_of(rack, catalogue, callers=SEES_ALL, wall=wall)
    async with browser(app) as client:
        told = (await client.get("/api/v1")).json()["wall"]
        assert told == {"rows": [["A2", "", "A1"], ["B1"]], "scan_prefix": "~"}
        # Another one after a reload.
        wall.plan = WallPlan()
        told = (await client.get("/api/v1")).json()["wall"]
        assert told == {"rows": [["A1", "A2", "B1"]], "scan_prefix": ""}
