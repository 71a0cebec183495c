"""Handset file, report and disposal over the API and the commands' own client."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI
from rich.console import Console
from typer.testing import CliRunner

from benchd.cli.client import BenchdClient
from benchd.cli.main import app as commands
from benchd.cli.tables import View
from benchd.cli.tables.records_tables import (
    disposal_view,
    found_view,
    handset_file_view,
)
from benchd.cli.tables.report_table import report_view
from benchd.domain.errors import DecisionRefused, NotFound, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId, JsonObject
from benchd.domain.intake import BoundBy, Unerasable
from benchd.domain.job import Disposition
from benchd.domain.record import EntryKind
from benchd.domain.report import Figure
from benchd.ledger.records.records_access import Records
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.proof.evidence.intake_evidence import UnerasableRecord
from benchd.slots.disposal_desk import DisposalDesk
from benchd.texts.catalogue import Catalogue
from benchd.web.plots import MOST_ROWS, Bar, Legend, horizontal_bars, standing_bars
from benchd.web.shift_routes import shift_of
from tests import recorded
from tests.intake.lots import BY, lot_record
from tests.ledger.records.records_rack import INSPECT
from tests.web.fake_sessions import WORKER
from tests.web.served import app_of
from tests.web.web_fakes import BEGAN, FakeClock, FakeRack, Feed, bound_record
from tests.web.web_running import SEES_ALL, Running, browser, running

pytestmark = pytest.mark.asyncio


SERIAL = "HQ\x1b[31m612300"


PAPERS = {"recycler": "例示リサイクル", "number": "R-7", "batch": "B-1"}


@asynccontextmanager
async def served(
    rack: FakeRack, catalogue: Catalogue, path: Path
) -> AsyncGenerator[tuple[FastAPI, Records]]:
    """The application over a read model that follows the fake ledger."""
    records = Records(path / "records.sqlite", Feed(rack))
    ledger = AnnouncingLedger(rack.ledger, records.follower, lambda: None)
    desk = DisposalDesk(ledger, FakeClock())
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        with anyio.fail_after(30):
            await records.until(lambda: records.upto.sequence == len(rack.ledger.stored))
            yield (
                app_of(
                    rack,
                    catalogue,
                    callers=SEES_ALL,
                    records=records,
                    disposal=desk,
                ),
                records,
            )
        group.cancel_scope.cancel()


Followed = Callable[[], AbstractAsyncContextManager[tuple[FastAPI, Records]]]


@pytest.fixture
def followed(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> Followed:
    return partial(served, rack, catalogue, tmp_path)


async def ask(here: Running, what: Callable[[BenchdClient], JsonObject]) -> JsonObject:
    def run() -> JsonObject:
        with BenchdClient(here.path) as client:
            return what(client)

    return await anyio.to_thread.run_sync(run)


def shown(view: View, told: JsonObject, catalogue: Catalogue) -> str:
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(view(told, catalogue, "ja"))
    return out.getvalue()


async def test_a_handset_is_found_its_file_told_and_jobs_by_their_numbers(
    rack: FakeRack, catalogue: Catalogue, followed: Followed
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"))
    rack.ledger.keep(
        EntryKind.JOB_OPENED, {"recipe": "overwrite", "usb_serial": SERIAL}, JobId("job-2")
    )
    rack.ledger.keep_job(job=JobId("job-3"))
    async with followed() as (app, _):
        async with browser(app) as client:
            found = (await client.get("/api/v1/handsets", params={"find": "31M6123"})).json()
            assert found["handsets"][0]["newest"]["usb_serial"] == "HQ[31m612300"
            assert found["upto"]["sequence"] == len(rack.ledger.stored)
            file = (await client.get("/api/v1/handsets/job-1")).json()
            assert [job["reason"] for job in file["jobs"]] == ["coverage_too_low"]
            short = await client.get("/api/v1/handsets", params={"find": "abc"})
            assert (short.status_code, short.json()["error"]["code"]) == (422, "invalid_request")
            missing = await client.get("/api/v1/handsets/job-9")
            assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
            wanted = {"job": ["job-3", "job-1", "job-9"]}
            told = (await client.get("/api/v1/records/jobs", params=wanted)).json()
            assert [job["job"] for job in told["jobs"]] == ["job-1", "job-3"]
            assert told["upto"]["sequence"] == len(rack.ledger.stored)
            for number in (0, 101):
                wanted = {"job": ["job-1"] * number}
                refused = await client.get("/api/v1/records/jobs", params=wanted)
                assert refused.status_code == 422
        assert "job-2" in shown(found_view, found, catalogue)
        assert "保留" in shown(handset_file_view, file, catalogue)


async def test_nothing_is_made_anew_over_tcp(followed: Followed) -> None:
    async with followed() as (app, _), browser(app) as client:
        refused = await client.post("/api/v1/records/rebuild")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "socket_only")


async def test_a_handset_is_settled_over_tcp_by_who_is_signed_in(
    rack: FakeRack, followed: Followed
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    async with followed() as (app, _), browser(app) as client:
        [item] = (await client.get("/api/v1/disposal")).json()["items"]
        assert item["moves"] == ["run_again", "destroyed"]
        told = {"state": "destroyed", **PAPERS}
        assert (await client.post("/api/v1/disposal/job-1", json=told)).status_code == 200
    kept = rack.ledger.stored[-1].entry
    assert (kept.kind, kept.data["person"]) == (EntryKind.HANDSET_SETTLED, WORKER)


async def test_the_unsold_are_listed_settled_and_gone_from_the_list(
    rack: FakeRack, catalogue: Catalogue, followed: Followed, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    rack.ledger.keep_job(job=JobId("job-2"))
    rack.ledger.keep_job(job=JobId("job-3"), reason="rechecked")
    told: dict[str, object] = {"state": "destroyed", **PAPERS}
    async with (
        followed() as (app, records),
        running(app, tmp_path / "benchd.sock") as here,
    ):
        listed = await ask(here, lambda client: client.disposal())
        assert [item["job"]["job"] for item in listed["items"]] == ["job-1", "job-2", "job-3"]  # type: ignore[union-attr,index,call-overload]
        assert "破砕待ち" in shown(disposal_view, listed, catalogue)
        # Only what was rechecked may go back on sale.
        moves = [item["moves"] for item in listed["items"]]  # type: ignore[union-attr,index,call-overload]
        assert ["on_sale" in each for each in moves] == [False, False, True]
        with pytest.raises(DecisionRefused, match="it is held"):
            await ask(here, lambda client: client.settle("job-2", told))  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await ask(here, lambda client: client.settle("job-9", told))  # type: ignore[arg-type]
        with pytest.raises(UsageRefused, match=r"body\.state"):
            await ask(here, lambda client: client.settle("job-1", {**told, "state": "gone"}))  # type: ignore[arg-type,dict-item]
        settled = await ask(here, lambda client: client.settle("job-1", told))  # type: ignore[arg-type]
        assert settled["state"] == "destroyed"
        await records.reached(len(rack.ledger.stored))
        listed = await ask(here, lambda client: client.disposal())
        assert [item["job"]["job"] for item in listed["items"]] == ["job-2", "job-3"]  # type: ignore[union-attr,index,call-overload]
        batch = await ask(here, lambda client: client.disposal(batch="B-1"))
        assert [item["settled"]["number"] for item in batch["items"]] == ["R-7"]  # type: ignore[union-attr,index,call-overload]
    kept = rack.ledger.stored[-1].entry
    assert kept.kind is EntryKind.HANDSET_SETTLED
    assert (kept.data["person"], kept.data["shown_by"]) == (WORKER, "unix")


async def test_the_report_is_told_as_json_table_and_csv(
    rack: FakeRack, catalogue: Catalogue, followed: Followed, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    async with followed() as (app, _), running(app, tmp_path / "benchd.sock") as here:
        told = await ask(here, lambda client: client.report("2026-11-23", "2026-11-26"))
        empty = await ask(here, lambda client: client.report("2026-11-01", "2026-11-02"))
        with BenchdClient(here.path) as client:
            asked = partial(client.report_csv, "2026-11-23", "2026-11-26")
            data = await anyio.to_thread.run_sync(asked)
        with pytest.raises(UsageRefused, match="lies before"):
            await ask(here, lambda client: client.report("2026-11-02", "2026-11-01"))
        with pytest.raises(UsageRefused, match=r"query\.from"):
            await ask(here, lambda client: client.report("yesterday", "2026-11-01"))
    figures = {figure["figure"]: figure["values"] for figure in told["figures"]}  # type: ignore[union-attr,index,call-overload]
    assert [(v["value"], v["jobs"]) for v in figures["not_erasable"]] == [
        ("felica_residue", ["job-1"])
    ]
    assert all(not figure["values"] for figure in empty["figures"])  # type: ignore[union-attr,index,call-overload]
    assert "FeliCaにデータが残っています" in shown(report_view, told, catalogue)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert {"felica_residue"} == {row["value"] for row in rows if row["figure"] == "not_erasable"}
    assert {row["handsets"] for row in rows} == {"1"}
    assert {row["counted_by"] for row in rows} == {"all", "lot", "consignor"}


FORMULA = '=HYPERLINK("x")'


def lots_of_two(rack: FakeRack) -> None:
    """A handset of each, a dead one, and one of no lot."""
    for lot, consignor in (("L-1", "例示商事"), ("=L-2", FORMULA)):
        rack.ledger.keep(EntryKind.LOT_ADDED, to_json(lot_record(lot, consignor=consignor)))
    for number, lot in enumerate(("L-1", "=L-2"), start=1):
        job = JobId(f"job-{number}")
        rack.ledger.keep_job(job=job, disposition="destroy", reason="felica_residue")
        told = bound_record(lot, f"T{number}", BoundBy.SERIAL)
        rack.ledger.keep(EntryKind.ASSET_BOUND, to_json(told), job)
    dead = UnerasableRecord(
        lot="L-1",
        tag="T9",
        reason=Unerasable.NO_POWER,
        disposition=Disposition.DESTROY,
        note="",
        by=BY,
    )
    rack.ledger.keep(EntryKind.ASSET_UNERASABLE, to_json(dead))
    rack.ledger.keep_job(job=JobId("job-3"))


def handsets(share: JsonObject, figure: str) -> dict[str, int]:
    [found] = [f for f in share["figures"] if f["figure"] == figure]  # type: ignore[union-attr,index,call-overload]
    return {value["value"]: value["handsets"] for value in found["values"]}  # type: ignore[union-attr,index,call-overload,misc]


async def test_each_lot_and_consignor_has_its_figures_and_the_way_to_their_jobs(
    rack: FakeRack, catalogue: Catalogue, followed: Followed
) -> None:
    lots_of_two(rack)
    days = {"from": "2026-11-23", "to": "2026-11-26"}
    async with followed() as (app, _), browser(app) as client:
        told = (await client.get("/api/v1/report", params=days)).json()
        counted = (await client.get("/api/v1/report", params={**days, "jobs": "false"})).json()
        sheet = await client.get("/api/v1/report.csv", params=days)
        empty = {"from": "2026-11-01", "to": "2026-11-02"}
        figures = (await client.get("/api/v1/report", params=empty)).json()["figures"]
        assert all(not figure["values"] for figure in figures)
        for wrong, message in (
            ({"from": "2026-11-02", "to": "2026-11-01"}, "lies before"),
            ({"from": "yesterday", "to": "2026-11-01"}, "query.from"),
        ):
            refused = await client.get("/api/v1/report", params=wrong)
            assert refused.status_code == 422
            assert message in refused.json()["error"]["message"]
        assert [(one["lot"], one["consignor"]) for one in told["lots"]] == [
            ("=L-2", FORMULA),
            ("L-1", "例示商事"),
            (None, None),
        ]
        assert [one["consignor"] for one in told["consignors"]] == [FORMULA, "例示商事", None]
        assert [handsets(one, "came_in") for one in told["lots"]] == [{"all": n} for n in (1, 2, 1)]
        dead = {"felica_residue": 1, "no_power": 1}
        assert handsets(told["lots"][1], "not_erasable") == dead
        for share in (*told["lots"], *told["consignors"]):
            whole = (await client.get(share["with_jobs"])).json()
            assert [handsets(whole, f) for f in Figure] == [handsets(share, f) for f in Figure]
            for value in (v for figure in whole["figures"] for v in figure["values"]):
                assert len(value["jobs"]) + len(value["assets"]) == value["handsets"]
        of_lot = (await client.get(told["lots"][1]["with_jobs"])).json()
        [came_in] = of_lot["figures"][0]["values"]
        assert (came_in["jobs"], came_in["assets"], of_lot["lot"]) == (["job-1"], ["T9"], "L-1")
        none = (await client.get(told["lots"][2]["with_jobs"])).json()
        assert none["figures"][0]["values"][0]["jobs"] == ["job-3"]
    assert [handsets(counted, f) for f in Figure] == [handsets(told, f) for f in Figure]
    assert all(v["jobs"] == [] for figure in counted["figures"] for v in figure["values"])
    table = shown(report_view, told, catalogue)
    assert "例示商事" in table
    assert "電源が入らない 1" in table
    assert "FeliCaにデータが残っています" in table
    assert sheet.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    not_erasable = {row["value"] for row in rows if row["figure"] == "not_erasable"}
    assert not_erasable == {"coverage_too_low", "felica_residue", "no_power"}
    came_in = [row for row in rows if row["figure"] == "came_in"]
    assert [
        (row["counted_by"], row["lot"], row["consignor"], row["handsets"]) for row in came_in
    ] == [
        ("all", "", "", "4"),
        ("consignor", "", f"'{FORMULA}", "1"),
        ("consignor", "", "例示商事", "2"),
        ("consignor", "", "", "1"),
        ("lot", "'=L-2", f"'{FORMULA}", "1"),
        ("lot", "L-1", "例示商事", "2"),
        ("lot", "", "", "1"),
    ]


async def test_the_command_counts_one_lot_and_names_its_jobs_in_json(
    rack: FakeRack, followed: Followed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots_of_two(rack)
    socket = tmp_path / "benchd.sock"
    monkeypatch.setenv("BENCHD_SOCKET", str(socket))
    days = ["report", "--from", "2026-11-23", "--to", "2026-11-26"]

    async def say(*words: str) -> str:
        said = await anyio.to_thread.run_sync(CliRunner().invoke, commands, [*days, *words])
        assert said.exit_code == 0, said.output
        return said.output

    async with followed() as (served_app, _), running(served_app, socket):
        of_lot = json.loads(await say("--lot", "L-1", "--json"))
        assert of_lot["figures"][0]["values"][0]["jobs"] == ["job-1"]
        assert [one["lot"] for one in of_lot["lots"]] == ["L-1"]
        of_none = json.loads(await say("--consignor", "", "--json"))
        assert of_none["figures"][0]["values"][0]["jobs"] == ["job-3"]
        assert "例示商事" in await say()
        assert (await say("--csv")).startswith("\ufeff")


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
    rack: FakeRack, followed: Followed
) -> None:
    ended(rack, "job-1", "destroy", "felica_residue")
    ended(rack, "job-2", "hold", "coverage_too_low")
    here = BEGAN.astimezone()
    asked = {
        "day": here.date().isoformat(),
        "from": f"{here:%H:%M}",
        "to": f"{here + timedelta(hours=3):%H:%M}",
    }
    async with followed() as (app, _), browser(app) as client:
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


async def test_a_shift_and_a_report_tell_where_peoples_time_went(
    rack: FakeRack, followed: Followed
) -> None:
    rack.ledger.keep_questions()
    here = BEGAN.astimezone()
    day = here.date().isoformat()
    asked = {"day": day, "from": f"{here:%H:%M}", "to": f"{here + timedelta(hours=3):%H:%M}"}
    async with followed() as (app, _), browser(app) as client:
        shift = (await client.get(SHIFT, params=asked)).json()
        report = (await client.get("/api/v1/report", params={"from": day, "to": day})).json()
    told = [(one["step"], one["seconds"], one["seconds_each"]) for one in shift["attended"]]
    assert told == [("gates", 300, 300), ("confirm", 60, 60)]
    assert shift["attended"][0]["ja"] == "受入確認"
    assert report["attended"] == shift["attended"]
    [plot] = [one for one in shift["plots"] if one["name"] == "attended"]
    assert "受入確認 5" in plot["svg"]["ja"]
    table = shown(report_view, report, Catalogue.load())
    assert ["受入確認", "1", "5.0", "5.0", "0"] in [line.split() for line in table.splitlines()]


async def test_what_no_clock_shows_is_refused(followed: Followed) -> None:
    async with followed() as (app, _), browser(app) as client:
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
