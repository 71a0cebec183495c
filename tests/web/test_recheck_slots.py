"""Where a certified handset is looked at again: told to whoever checks a pallet, or plugs it in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Reason, StageName
from benchd.domain.shipping import ShipCheck, ShipLine, ShipStanding
from benchd.domain.slot import EarlierEnd
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import A1, FakeRack, running_view, waiting_view
from tests.web.web_running import SEES_ALL, browser

pytestmark = pytest.mark.asyncio

AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
SOLD = EarlierEnd(
    job=JobId("job-9"), at=AT, disposition=Disposition.SELLABLE, reason=None, doomed=False
)


@dataclass
class Dock:
    """A fake that knows one handset which nobody has looked at since its certificate."""

    good_for_days: dict[str, float] = field(default_factory=lambda: {"recheck": 30.0})
    standing: ShipStanding = ShipStanding.NOT_RECHECKED

    async def check(self, *, lot: str | None, tags: tuple[str, ...]) -> ShipCheck:
        return ShipCheck(at=AT, lines=[ShipLine(tag=tag, standing=self.standing) for tag in tags])


def with_a_recheck_slot(rack: FakeRack) -> None:
    rack.board.show(replace(waiting_view(SlotName("R1"), 3), recipe="recheck"))
    rack.board.show(replace(waiting_view(SlotName("R2"), 4), recipe="recheck"))


async def checked(rack: FakeRack, catalogue: Catalogue, dock: Dock) -> dict[str, str]:
    """What is told of a handset of a pallet."""
    app = app_of(rack, catalogue, callers=SEES_ALL, shipping=dock)
    async with browser(app) as client:
        answer = await client.post("/api/v1/shipping", json={"tags": ["T-1"]})
        [line] = answer.json()["handsets"]
        return line


async def test_item_3_a_pallet_check_names_the_slots_that_recheck(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    rack.board.show(running_view())
    with_a_recheck_slot(rack)
    told = await checked(rack, catalogue, Dock())
    assert told["ja"].startswith("証明書のあとに再確認していません。スロット R1, R2（売却前の")
    assert "slot R1, R2" in told["en"]
    assert "A1" not in told["en"]
    # What no look puts right sends nobody to a slot.
    told = await checked(rack, catalogue, Dock(standing=ShipStanding.NOT_CERTIFIED))
    assert "R1" not in told["ja"]


@pytest.mark.parametrize("recipe", ["recheck", "before_sale"])
async def test_item_3_where_no_slot_rechecks_it_says_which_setting_makes_one(
    rack: FakeRack, catalogue: Catalogue, recipe: str
) -> None:
    rack.board.show(running_view())
    told = await checked(rack, catalogue, Dock({recipe: 30.0}))
    for language in ("ja", "en"):
        assert f'recipe = "{recipe}"' in told[language]
        assert "systemctl reload benchd" in told[language]
    # Nor has a rack that knows no such recipe one: it is that which benchd brings.
    told = await checked(rack, catalogue, Dock({}))
    assert 'recipe = "recheck"' in told["ja"]


async def earlier(rack: FakeRack, catalogue: Catalogue) -> dict[str, str] | None:
    """What is told of the handset in the slot, of its last time here."""
    app = app_of(rack, catalogue, callers=SEES_ALL, shipping=Dock())
    async with browser(app) as client:
        return (await client.get(f"/api/v1/slots/{A1}")).json()["earlier"]


async def test_item_3_a_certified_handset_in_a_slot_that_erases_is_told_where_it_is_only_looked_at(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    with_a_recheck_slot(rack)
    begun = replace(running_view(), earlier=SOLD, stage=StageName.INSPECT)
    for stage in (StageName.INSPECT, StageName.GATES, StageName.FELICA_CHECK):
        rack.board.show(replace(begun, stage=stage))
        told = await earlier(rack, catalogue)
        assert told is not None
        assert "前回: 販売可、11月24日" in told["ja"]
        assert "スロット R1, R2（売却前の再確認）" in told["ja"]
        assert "R1, R2" in told["en"]
    held = replace(SOLD, disposition=Disposition.HOLD, reason=Reason.COVERAGE_TOO_LOW)
    for other in (
        # Once something has been changed the way is back through an erasure.
        replace(begun, stage=StageName.OVERWRITE),
        replace(begun, recipe="recheck"),
        replace(begun, earlier=held),
    ):
        rack.board.show(other)
        told = await earlier(rack, catalogue)
        assert told is not None
        assert "R1" not in told["ja"]
    # One that was never here costs no word more than before.
    rack.board.show(replace(begun, earlier=None))
    assert await earlier(rack, catalogue) is None


async def test_item_3_without_such_a_slot_it_says_that_it_is_erased_once_more(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    rack.board.show(replace(running_view(), earlier=SOLD, stage=StageName.GATES))
    told = await earlier(rack, catalogue)
    assert told is not None
    assert "もう一度消去します" in told["ja"]
