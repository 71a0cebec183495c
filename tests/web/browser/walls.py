"""The wall of a rack in memory, served by the real application and seen by the browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from chromium import Visit, Visits
from parts_kept import PartsKept
from starlette.types import ASGIApp

from benchd.domain.job import Disposition, Outcome
from benchd.domain.slot_states import SlotState
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from tests.web.fake_sessions import believing
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, Feed, running_view
from tests.web.web_running import Running, running

SELLABLE = replace(
    running_view(),
    state=SlotState.FINISHED,
    outcome=Outcome.PASSED,
    disposition=Disposition.SELLABLE,
)
CERTIFIED: dict[str, Any] = {
    "outcome": "passed",
    "disposition": "sellable",
    "reason": None,
    "certificate": '{"payload": ""}',
}
"""What the ledger keeps of such a handset's job."""

Middleware = Callable[[ASGIApp], ASGIApp]
"""What stands before the application, given what it stands before."""


@dataclass
class Wall:
    """Serves `rack`, and opens its pages."""

    rack: FakeRack
    catalogue: Catalogue
    folder: Path
    visit: Visits

    def served(
        self,
        shown: AccessLevel = AccessLevel.READ,
        parts: Mapping[str, Any] | None = None,
        port: int = 0,
        before: Middleware | None = None,
    ) -> AbstractAsyncContextManager[Running]:
        """The rack's server, which shows this much to whoever hasn't signed in."""
        told: dict[str, Any] = {"callers": believing(shown), **(parts or {})}
        app = app_of(self.rack, self.catalogue, **told)
        if before is not None:
            app.add_middleware(before)
        app.add_middleware(PartsKept)
        return running(app, self.folder / f"{shown.name}.sock", port)

    @asynccontextmanager
    async def __call__(
        self,
        path: str = "",
        *,
        shown: AccessLevel = AccessLevel.READ,
        parts: Mapping[str, Any] | None = None,
        before: Middleware | None = None,
        **how: Any,  # noqa: ANN401 - as `visited` takes it
    ) -> AsyncGenerator[Visit]:
        """A page of the rack: the wall, if it isn't told which."""
        serving = self.served(shown, parts, before=before)
        async with serving as here, self.open(here, path, **how) as seen:
            yield seen

    def open(
        self,
        here: Running,
        path: str = "",
        **how: Any,  # noqa: ANN401 - as above
    ) -> AbstractAsyncContextManager[Visit]:
        return self.visit(f"http://127.0.0.1:{here.port}/{path.removeprefix('/')}", **how)

    @asynccontextmanager
    async def records(self) -> AsyncGenerator[Records]:
        """A read model that has caught up with the rack's ledger."""
        records = Records(self.folder / "records.sqlite", Feed(self.rack))
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            await records.reached(len(self.rack.ledger.stored))
            yield records
            group.cancel_scope.cancel()
