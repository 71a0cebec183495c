"""A daemon with people and records on the socket that commands use, and `benchd` beside it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.domain.record import Entry, EntryKind
from benchd.ledger.records.records_access import Records
from benchd.observe.log_level_change import LogLevels
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BADGE, BY, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeClock, FakeRack, Feed
from tests.web.web_running import running


@dataclass
class Shop:
    """A rack of fakes with real people; what it has on record is there before its daemon starts."""

    rack: FakeRack
    catalogue: Catalogue
    folder: Path
    before: int = 0
    """Records that a start has found."""

    @property
    def socket(self) -> Path:
        return self.folder / "benchd.sock"

    @asynccontextmanager
    async def daemon(
        self,
        *roles: Role,
        asks: Gate | None = None,
        as_mori: bool = False,
        logs: LogLevels | None = None,
    ) -> AsyncGenerator[Door]:
        """Mori, an operator if nothing else is said, may be the machine's user."""
        self.before = len(self.rack.ledger.stored)
        async with door_in(self.folder) as door, anyio.create_task_group() as group:
            self.rack.desk = Desk(self.rack.ledger, FakeClock(), door.people)
            records = Records(self.folder / "records.sqlite", Feed(self.rack))
            app = app_of(
                self.rack,
                self.catalogue,
                callers=door.callers(),
                people=door.people,
                sessions=door.sessions,
                records=records,
                logs=logs or LogLevels(lambda: 0.0),
            )
            if roles:
                await door.people.set_roles(BY, "mori", roles)
            if as_mori:
                door.of_uid[os.getuid()] = PersonId("mori")
            if asks is not None:
                group.start_soon(self.rack.ask, asks)
            group.start_soon(records.run)
            async with running(app, self.socket):
                with anyio.fail_after(30):
                    stored = self.rack.ledger.stored
                    await records.until(lambda: records.upto.sequence == len(stored))
                await anyio.wait_all_tasks_blocked()
                yield door
            group.cancel_scope.cancel()

    async def benchd(self, *words: str, typed: str = "", language: str = "en_US.UTF-8") -> Result:
        def run() -> Result:
            env = {"BENCHD_SOCKET": str(self.socket), "LC_ALL": language}
            return CliRunner().invoke(command, list(words), input=typed, env=env)

        return await anyio.to_thread.run_sync(run)

    async def done(self, *words: str, typed: str = "") -> Result:
        """A command that does what it is told."""
        result = await self.benchd(*words, typed=typed)
        assert (result.exit_code, result.exception) == (0, None), result.output
        return result

    def kept(self, *kinds: EntryKind) -> list[Entry]:
        """What was recorded of these kinds since the start."""
        entries = [record.entry for record in self.rack.ledger.stored[self.before :]]
        return [entry for entry in entries if entry.kind in kinds]

    def secrets(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Mori's PIN and badge in files, as options of a command."""
        (self.folder / "pin").write_text(f"{PIN}\n")
        (self.folder / "badge").write_text(BADGE)
        pin, badge = str(self.folder / "pin"), str(self.folder / "badge")
        return ("--pin-file", pin), ("--badge-file", badge)
