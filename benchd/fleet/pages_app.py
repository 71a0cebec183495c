"""The centre's read side over HTTP: handsets over all racks, the racks, certificates for strangers.

It has an address of its own, beside the one that racks send to. All but the check of a certificate
is for whoever shows a token; what is shown of a handset is on record before it is shown.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import anyio
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.domain.errors import NotSignedIn, UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.visitor_source import machine_of
from benchd.fleet.fleet_database import FleetDatabase, NotAcknowledged
from benchd.fleet.fleet_report import (
    SITE_ZONE,
    AskedOfFleet,
    NoSuchDays,
    days_asked,
    fleet_report,
)
from benchd.fleet.handset_files import FiledHandset, FiledJob, FoundHandsets, find_handsets
from benchd.fleet.offices import holder, note_reading
from benchd.fleet.public_check import PublicCheck
from benchd.fleet.rack_states import ended_jobs, rack_lines
from benchd.fleet.record_follower import LinesNotFollowed, RecordFollower
from benchd.fleet.report_answers import line_json, report_json, yields_json
from benchd.texts.catalogue import Catalogue
from benchd.web.dashboard import HTML, STATIC
from benchd.web.error_answers import busy, refusal
from benchd.web.safe_headers import safe_headers
from benchd.web.visitor_shares import FILES, Shares, Visit, Who

PAGES: Final = Path(str(importlib.resources.files("benchd.fleet") / "pages"))
PLACES: Final = ("/", "/handsets", "/report", "/verify", "/VERIFY")
"""A certificate's QR code says all in capital letters."""
SECTIONS: Final = (
    *("fleet", "page", "nav", "wall", "word", "act", "find", "lots"),
    *("became", "disposition", "disposal_state", "report"),
)
"""Words of the catalogue that these pages say."""
LONGEST_NUMBER: Final = 400
CATCHES_UP_WITHIN_S: Final = 5.0
REPORTS_WAIT_S: Final = 20.0
"""One is made at a time: whoever sends records needs the processors, too."""
YIELD_DAYS: Final = timedelta(days=29)
"""Before today: thirty days in all."""
Name = Annotated[str | None, Query(max_length=LONGEST_NUMBER)]
Zone = Annotated[str, Query(max_length=64)]
_SHOWN: Final = (
    *("slot", "recipe", "ended_at", "outcome", "disposition", "reason", "manufacturer", "model"),
    *("serial", "usb_serial", "chip", "lot", "tag", "state", "held_by", "by_hand"),
)


class PagesApp:
    """What may be asked by people."""

    def __init__(
        self,
        database: FleetDatabase,
        filed: RecordFollower,
        counted: RecordFollower,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._filed = filed
        self._counted = counted
        self._now = now
        self._check = PublicCheck(database)
        self._words = Catalogue.load(checked=False)
        self._reporting = anyio.CapacityLimiter(1)

    async def texts(self) -> Response:
        """The words that the pages say, in both languages."""
        labels = self._words.labels()
        told = {
            section: {key: {"ja": said.ja, "en": said.en} for key, said in labels[section].items()}
            for section in SECTIONS
        }
        return JSONResponse({"labels": told})

    async def certificate(self, number: str, digest: str) -> Response:
        """What a certificate is worth, to anybody."""
        await self._catch_up()
        checked = await self._check.check(number[:LONGEST_NUMBER], digest)
        return JSONResponse({"standing": checked.standing, "model": checked.model})

    async def handsets(
        self, request: Request, number: Annotated[str, Query(max_length=LONGEST_NUMBER)]
    ) -> Response:
        """Handsets with this number, or one that begins or ends so, over all racks."""
        await self._catch_up()
        async with self._database.transaction() as connection:
            office = await holder(connection, _secret_of(request))
            found = await find_handsets(connection, number)
            await note_reading(connection, office, number, _read(found))
        # Only now: whoever read it is on record.
        return JSONResponse(
            {"handsets": [_handset(each) for each in found.handsets], "more": found.more}
        )

    async def fleet(self, request: Request) -> Response:
        """The racks: how far each line has come, which benchd it runs, and who waits there."""
        async with self._database.transaction() as connection:
            await holder(connection, _secret_of(request))
            told = [line_json(each) for each in await rack_lines(connection)]
        return JSONResponse({"racks": told, "at": self._now().isoformat(timespec="seconds")})

    async def yields(self, request: Request, zone: Zone = SITE_ZONE) -> Response:
        """Per rack the jobs that have ended today and in thirty days, and passed."""
        today = self._today(zone)
        async with self._database.transaction() as connection:
            await holder(connection, _secret_of(request))
            day, month = [
                await ended_jobs(connection, days_asked(first, today, zone)[0])
                for first in (today, today - YIELD_DAYS)
            ]
        return JSONResponse({"racks": yields_json(day, month), "zone": zone})

    async def report(
        self,
        request: Request,
        begin: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        rack: Name = None,
        lot: Name = None,
        consignor: Name = None,
        zone: Zone = SITE_ZONE,
    ) -> Response:
        """What came in on all racks from one day to another, both of them in it.

        Without days it's of this month until today. A blank lot or consignor asks for what is of
        none.
        """
        last = last or self._today(zone)
        begin = begin or last.replace(day=1)
        span = days_asked(begin, last, zone)
        asked = AskedOfFleet(begin=span[0], end=span[1], rack=rack, lot=lot, consignor=consignor)
        async with self._database.transaction() as connection:
            await holder(connection, _secret_of(request))
        # What isn't counted is told in the report.
        with suppress(LinesNotFollowed), anyio.move_on_after(CATCHES_UP_WITHIN_S):
            await self._counted.catch_up()
        try:
            with anyio.fail_after(REPORTS_WAIT_S):
                await self._reporting.acquire_on_behalf_of(request)
        except TimeoutError as error:
            raise NotAcknowledged("other reports are being made") from error
        try:
            async with self._database.transaction() as connection:
                office = await holder(connection, _secret_of(request))
                # It names consignors, who may be persons.
                await note_reading(connection, office, f"report {request.url.query}", ())
                made = await fleet_report(connection, asked)
                lines = await rack_lines(connection)
        finally:
            self._reporting.release_on_behalf_of(request)
        told = report_json(made, asked, (begin, last), zone, self._words)
        of = [line for line in lines if rack in (None, line.name)]
        told["uncounted"] = sum(line.uncounted for line in of)
        for why, name in (("fork", "forked"), ("restored", "restored")):
            told[name] = sorted({line.name for line in of if line.why == why})
        return JSONResponse(told)

    def _today(self, zone: str) -> date:
        now = self._now()
        return now.astimezone(days_asked(now.date(), now.date(), zone)[0].tzinfo).date()

    async def _catch_up(self) -> None:
        """What came in a moment ago counts; where there is too much of it, nothing is said."""
        try:
            with anyio.fail_after(CATCHES_UP_WITHIN_S):
                await self._filed.catch_up()
        except (TimeoutError, LinesNotFollowed) as error:
            raise NotAcknowledged("what has come in isn't filed yet") from error


def create_pages_app(
    database: FleetDatabase,
    filed: RecordFollower,
    counted: RecordFollower,
    stopping: anyio.Event,
    now: Callable[[], datetime],
) -> ASGIApp:
    """The application, behind the limits that strangers have at a rack."""
    app = FastAPI(
        title="benchd fleet pages",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        exception_handlers={
            NotSignedIn: _not_signed_in,
            UsageRefused: _too_short,
            NoSuchDays: _no_such_days,
            NotAcknowledged: _busy,
        },
    )
    pages = PagesApp(database, filed, counted, now)
    for path in PLACES:
        app.add_api_route(path, _page, methods=["GET"])
    app.add_api_route("/api/v1/texts", pages.texts, methods=["GET"])
    app.add_api_route("/v1/certificates/{number}/{digest}", pages.certificate, methods=["GET"])
    app.add_api_route("/v1/handsets", pages.handsets, methods=["GET"])
    app.add_api_route("/v1/fleet", pages.fleet, methods=["GET"])
    app.add_api_route("/v1/yields", pages.yields, methods=["GET"])
    app.add_api_route("/v1/report", pages.report, methods=["GET"])
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/fleet", StaticFiles(directory=PAGES))
    return _Limited(app, Shares(stopping))


class _Limited:
    """Serves everybody in a stranger's share, with the headers of the wall."""

    def __init__(self, app: ASGIApp, shares: Shares) -> None:
        self._app = app
        self._shares = shares

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it at once."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message.get("headers", []))
                more = [
                    (name.encode(), value.encode())
                    for name, value in safe_headers(scope).items()
                    if name.encode() not in headers
                ]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        path = str(scope["path"])
        client = scope.get("client")
        visit = Visit(
            who=Who.ANYBODY,
            whose=machine_of(str(client[0]) if client else ""),
            # Those who verify certificates take no place from an office's look-ups.
            route=FILES
            if path.startswith(("/static/", "/fleet/"))
            else "/".join(path.split("/")[:3]),
        )
        await self._shares.serve(visit, self._app, scope, receive, with_headers)


async def _page() -> Response:
    """Which of them it is, its script sees by the address."""
    return FileResponse(PAGES / "fleet.html", media_type=HTML)


def _secret_of(request: Request) -> str:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else ""


def _handset(handset: FiledHandset) -> Mapping[str, JsonValue]:
    return {
        "jobs": [_job(job) for job in handset.jobs],
        "perhaps": [_job(job) for job in handset.perhaps],
    }


def _job(job: FiledJob) -> Mapping[str, JsonValue]:
    return {
        "rack": job.rack_name,
        "job": job.job,
        "opened_at": job.opened_at.isoformat(timespec="seconds"),
        "certificate": job.certificate,
        "imeis": list(job.imeis),
        **{key: job.told.get(key) for key in _SHOWN},
    }


def _read(found: FoundHandsets) -> list[JsonValue]:
    """What is on record as read: which jobs, and no number of theirs."""
    return [
        {"rack": job.rack_name, "job": job.job}
        for handset in found.handsets
        for job in (*handset.jobs, *handset.perhaps)
    ]


async def _not_signed_in(_: Request, refused: Exception) -> Response:
    answer = refusal(401, "not_signed_in", str(refused))
    answer.headers["www-authenticate"] = 'Bearer realm="benchd"'
    return answer


async def _too_short(_: Request, refused: Exception) -> Response:
    return refusal(422, "too_short", str(refused))


async def _no_such_days(_: Request, refused: Exception) -> Response:
    return refusal(422, "no_such_days", str(refused))


async def _busy(_: Request, refused: Exception) -> Response:
    return busy("unreachable", str(refused))
