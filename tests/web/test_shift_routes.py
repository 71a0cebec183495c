"""The shift board over the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.record import EntryKind
from benchd.texts.catalogue import Catalogue
from benchd.web.plots import MOST_ROWS, Bar, Legend, horizontal_bars, standing_bars
from benchd.web.shift_routes import shift_of
from tests import recorded
from tests.ledger.records.records_rack import INSPECT
from tests.web.test_records_routes import served
from tests.web.web_fakes import BEGAN, FakeRack
from tests.web.web_running import browser

pytestmark = pytest.mark.asyncio

SHIFT = "/api/v1/shift"
NAME = "<script>\"&'</title>"
LEGEND = Legend(title=NAME, part="失敗", all="作業", others="ほか")
OF_SVG = "{http://www.w3.org/2000/svg}"


def ended(rack: FakeRack, job: str, disposition: str, reason: str) -> None:
    """A job of the one handset of these tests."""
    keep, name = rack.ledger.keep, JobId(job)
    keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, name)
    inspected = to_json(replace(INSPECT, model=NAME))
    keep(EntryKind.STAGE_ENDED, recorded.stage_ended("inspect", inspected), name)
    end: Evidence = {"outcome": "failed", "disposition": disposition, "reason": reason}
    keep(EntryKind.JOB_ENDED, end, name)


async def test_a_shift_is_told_with_its_jobs_plots_and_bins(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    ended(rack, "job-1", "destroy", "felica_residue")
    ended(rack, "job-2", "hold", "coverage_too_low")
    here = BEGAN.astimezone()
    asked = {
        "day": here.date().isoformat(),
        "from": f"{here:%H:%M}",
        "to": f"{here + timedelta(hours=3):%H:%M}",
    }
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        told = (await client.get(SHIFT, params=asked)).json()
        assert (await client.get(SHIFT)).json()["handsets"] == 0
    # One IMEI in both: one handset, by its last job.
    assert (told["handsets"], told["ended"], told["share_sold"]) == (1, 2, 0.0)
    went = {one["value"]: one["jobs"] for one in told["went"]}
    assert (went["held"], went["to_destroy"], went["sold"]) == (["job-2"], [], [])
    assert told["went"][0]["ja"] == "販売可"
    failures = {one["by"]: one["values"] for one in told["failures"]}
    assert {one["value"]: one["jobs"] for one in failures["reason"]} == {
        "coverage_too_low": ["job-2"],
        "felica_residue": ["job-1"],
    }
    assert [one["ja"] for one in failures["slot"]] == ["A1"]
    assert [(one["value"], one["ended"]) for one in failures["model"]] == [(f"Sony {NAME}", 2)]
    assert len(told["hours"]) == 3
    assert datetime.fromisoformat(told["begin"]) == BEGAN
    bins = {one["state"]: one for one in told["bins"]}
    assert (bins["to_destroy"]["handsets"], bins["to_destroy"]["oldest"]["job"]) == (1, "job-1")
    assert told["upto"]["sequence"] == len(rack.ledger.stored)
    assert [plot["name"] for plot in told["plots"]] == ["hours", "model", "slot", "reason"]
    for plot in told["plots"]:
        for language in ("ja", "en"):
            picture = ET.fromstring(plot["svg"][language])  # noqa: S314 - of our own making
            assert {one.tag for one in picture.iter()} <= {
                f"{OF_SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "text", "line")
            }


async def test_what_no_clock_shows_is_refused(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        for asked in (
            {"day": "9999-12-31"},
            {"day": "today"},
            {"from": "25:00"},
            {"from": "08:00+09:00"},
            {"to": "noon"},
        ):
            refused = await client.get(SHIFT, params=asked)
            assert refused.status_code == 422, asked


NIGHT, MORNING = time(20), time(5)


@pytest.mark.parametrize(
    ("day", "begin", "end", "hour", "begins"),
    [
        (None, time(0), time(0), 13, (0, 0)),
        (None, time(8), time(17), 13, (0, 8)),
        (None, time(8), time(17), 3, (0, 8)),
        (None, NIGHT, MORNING, 21, (0, 20)),
        (None, NIGHT, MORNING, 4, (-1, 20)),
        (None, NIGHT, MORNING, 5, (0, 20)),
        (date(2026, 11, 20), NIGHT, MORNING, 4, (-4, 20)),
    ],
)
async def test_a_shift_is_of_the_racks_calendar_and_a_night_shift_goes_over_midnight(
    day: date | None, begin: time, end: time, hour: int, begins: tuple[int, int]
) -> None:
    now = datetime(2026, 11, 24, hour).astimezone()
    shift = shift_of(day, begin, end, now.astimezone(UTC))
    first = shift.begin.astimezone()
    assert ((first.date() - now.date()).days, first.hour) == begins
    long = (datetime.combine(now, end) - datetime.combine(now, begin)) % timedelta(days=1)
    assert shift.end - shift.begin == (long or timedelta(days=1))


def texts_in(svg: str) -> list[str]:
    picture = ET.fromstring(svg)  # noqa: S314 - of our own making
    return [one.text or "" for one in picture.iter(f"{OF_SVG}text")]


def widths(svg: str, kind: str) -> list[float]:
    picture = ET.fromstring(svg)  # noqa: S314 - of our own making
    return [
        float(one.get("width") or 0)
        for one in picture.iter(f"{OF_SVG}rect")
        if one.get("class") == kind
    ]


async def test_lying_bars_have_their_lengths_and_all_in_words() -> None:
    bars = [Bar(label=NAME, part=6, all=12), Bar(label="あ" * 50, part=3, all=3)]
    svg = horizontal_bars("model", LEGEND, bars)
    assert NAME not in svg
    [whole, small], [half, as_small] = widths(svg, "all"), widths(svg, "part")
    assert (half / whole, small / whole, as_small) == pytest.approx((0.5, 0.25, small), abs=1e-3)
    assert texts_in(svg) == [NAME, "6 / 12", "あ" * 30 + "…", "3 / 3"]
    picture = ET.fromstring(svg)  # noqa: S314 - of our own making
    assert picture.findtext(f"{OF_SVG}title") == NAME
    assert picture.findtext(f"{OF_SVG}desc") == f"失敗 / 作業: {NAME} 6 / 12, {'あ' * 50} 3 / 3"
    many = horizontal_bars("slot", LEGEND, [Bar(label="A", part=1, all=1)] * (MOST_ROWS + 3))
    assert texts_in(many)[-1] == "ほか 3"
    assert "rect" not in horizontal_bars("slot", LEGEND, [])


async def test_standing_bars_stand_for_each_hour() -> None:
    bars = [Bar(label=f"{hour:02}:00", part=hour // 2, all=hour) for hour in range(24)]
    svg = standing_bars("hours", LEGEND, bars)
    assert len(widths(svg, "all")) == 23
    labels = [text for text in texts_in(svg) if ":" in text]
    assert labels[0] == "00:00"
    assert 8 <= len(labels) <= 12
    assert "rect" not in standing_bars("hours", LEGEND, [Bar(label="00:00", part=0, all=0)])
