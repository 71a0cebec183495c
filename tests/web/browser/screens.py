"""A page at which somebody answers, with the answers caught on their way to the daemon."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chromium import Visit
from playwright.async_api import Locator, Page, expect
from scanner import scan
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from walls import Wall

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.slot import SlotView
from tests.web.web_fakes import A1, FakeRack, asking_view, identity

A2 = SlotName("A2")
NUMBER = {A1: 1, A2: 2}
IMEI = {A1: "356938030000013", A2: "356938030000021"}
BADGE = "SATO-1001"


@dataclass
class Screen:
    """A page whose answers are caught on their way to the daemon."""

    seen: Visit
    rack: FakeRack
    answers: list[tuple[str, str, bool, str]] = field(default_factory=list)
    given_as: list[str] = field(default_factory=list)
    given_to: list[int] = field(default_factory=list)
    refusing: str | None = None

    @property
    def page(self) -> Page:
        return self.seen.page

    def catch(self, job: str, told: dict[str, Any]) -> JSONResponse:
        self.answers.append((job, told["gate"], told["approved"], told["note"]))
        # Else an answer that waits is that of whoever has signed in elsewhere since.
        self.given_as.append(told["operator"])
        # Else it may be taken for the same gate, asked anew.
        self.given_to.append(told["asking"])
        if self.refusing:
            return JSONResponse({"error": {"code": self.refusing, "message": "no"}}, 409)
        return JSONResponse({}, 201)

    def ask(self, slot: SlotName, job: str, gate: Gate = Gate.CONSENT) -> SlotView:
        asked = asking_view(slot, NUMBER[slot], gate)
        told = replace(identity(), serial=f"S-{job}", imei=IMEI[slot])
        assert asked.question is not None
        question = replace(asked.question, asking=int(job.rsplit("-", maxsplit=1)[-1]))
        view = replace(asked, job=JobId(job), identity=told, question=question)
        self.rack.board.show(view)
        return view

    async def shows(self, job: str) -> None:
        await expect(self.seen.panel(".identity")).to_contain_text(f"S-{job}")
        await expect(self.seen.panel(".yes")).to_be_visible()

    async def may_be_read(self) -> None:
        """What has come by itself is on the screen for long enough."""
        await expect(self.seen.panel(".yes")).to_be_enabled()

    @property
    def said(self) -> Locator:
        return self.page.locator("#given .said")

    @property
    def waiting(self) -> Locator:
        return self.page.locator("#given li")


NO_STORY: dict[str, object] = {
    "job": "job",
    "recipe": "overwrite",
    "stages": [],
    "decisions": [],
    "bytes_written": None,
    "coverage": None,
}
"""What is told of a job of which there is nothing to tell."""


class AnswersCaught:
    """Stands before the application: no answer gets there, and no job has a story.

    A route in the browser would do the same, but switches its cache off: each load of a page then
    asks for forty files anew, which costs half of it.
    """

    by: Screen

    def before(self, app: ASGIApp) -> ASGIApp:
        """The application behind it."""

        async def caught(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if re.search(r"/api/v1/jobs/job-\d+$", path):
                await JSONResponse(NO_STORY)(scope, receive, send)
            elif path.endswith("/decisions"):
                told = await Request(scope, receive).json()
                await self.by.catch(path.split("/")[-2], told)(scope, receive, send)
            else:
                await app(scope, receive, send)

        return caught


Screens = Callable[..., AbstractAsyncContextManager[Screen]]
"""`screen` of the test's own wall."""


@asynccontextmanager
async def screen(
    wall: Wall, parts: Mapping[str, object] | None = None, *, may_be_away: bool = False
) -> AsyncGenerator[Screen]:
    """Somebody has signed in by badge, unless the rack has parts of its own for that."""
    caught = AnswersCaught()
    seeing = wall(parts=parts, before=caught.before, refused=True, may_be_away=may_be_away)
    async with seeing as seen:
        one = caught.by = Screen(seen, wall.rack)
        await seen.live()
        if parts is None:
            await scan(seen, BADGE)
            await expect(seen.page.locator("#operator .who")).to_have_text(BADGE)
        yield one
