"""`benchd decide`: as the user of the process, else by PIN, and by badge where there is one."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.errors import MoreToShow, NotSignedIn, SecondPersonNeeded, TriedTooOften
from benchd.domain.job import Gate
from benchd.domain.people import PersonId
from benchd.domain.record import EntryKind
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BADGE, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeClock, FakeRack
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def asked(
    folder: Path, rack: FakeRack, catalogue: Catalogue, gate: Gate
) -> AsyncGenerator[Door]:
    """A daemon that asks something, on the socket that commands use."""
    async with door_in(folder) as door:
        rack.desk = Desk(rack.ledger, FakeClock(), door.people)
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
        )
        async with running(app, folder / "benchd.sock"), anyio.create_task_group() as group:
            group.start_soon(rack.ask, gate)
            await anyio.wait_all_tasks_blocked()
            yield door
            group.cancel_scope.cancel()


async def decide(folder: Path, gate: Gate, *words: str, typed: str = "") -> Result:
    def run() -> Result:
        return CliRunner().invoke(
            command,
            ["decide", JOB, gate, "--approve", *words],
            input=typed,
            env={"BENCHD_SOCKET": str(folder / "benchd.sock")},
        )

    return await anyio.to_thread.run_sync(run)


def answered(rack: FakeRack) -> list[tuple[object, object, object]]:
    return [
        (s.entry.data["person"], s.entry.data["shown_by"], s.entry.data["source"])
        for s in rack.ledger.stored
        if s.entry.kind is EntryKind.DECISION
    ]


HERE = f"socket, uid {os.getuid()}"
Case = Callable[[Path], tuple[tuple[str, ...], str]]


async def test_the_user_of_the_machine_needs_no_pin(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await decide(tmp_path, Gate.FELICA_CHECK)
        assert told.stdout == f"{JOB} felica_check: yes (森 葵)\n"
    assert answered(rack) == [("mori", "unix", HERE)]


async def test_another_id_than_the_users_asks_for_its_pin(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.CHIP_SEEN_BEFORE) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await decide(tmp_path, Gate.CHIP_SEEN_BEFORE, "--operator", "sato", typed="730184\n")
        assert (told.exit_code, told.exception) == (0, None)
        assert "730184" not in told.output
        assert door.sessions._open == {}
    assert answered(rack) == [("sato", "pin", HERE)]


async def test_pin_then_badge_where_there_is_one(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK):
        told = await decide(
            tmp_path, Gate.FELICA_CHECK, "--operator", "mori", typed=f"{PIN}\n{BADGE}\n"
        )
        assert (told.exit_code, told.exception) == (0, None)
    assert answered(rack) == [("mori", "badge_and_pin", HERE)]


async def test_from_files_for_scripts(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(f"{PIN}\n")
    (tmp_path / "badge").write_text(BADGE)
    pin, badge = ("--pin-file", str(tmp_path / "pin")), ("--badge-file", str(tmp_path / "badge"))
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK):
        alone = await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "mori", *pin)
        assert isinstance(alone.exception, MoreToShow)
        whole = await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "mori", *pin, *badge)
        assert (whole.exit_code, whole.exception) == (0, None)
    assert answered(rack) == [("mori", "badge_and_pin", HERE)]


async def test_nobody_in_particular_answers_nothing(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK):
        nobody = await decide(tmp_path, Gate.FELICA_CHECK)
        assert isinstance(nobody.exception, NotSignedIn)
        wrong = await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "mori", typed="551904\n")
        assert isinstance(wrong.exception, NotSignedIn)
        for _ in range(2):
            await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "mori", typed="551904\n")
        paused = await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "mori", typed=f"{PIN}\n")
        assert isinstance(paused.exception, TriedTooOften)
    assert answered(rack) == []


async def test_an_old_name_is_no_id(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK):
        told = await decide(tmp_path, Gate.FELICA_CHECK, "--operator", "佐藤 健", typed="730184\n")
        assert isinstance(told.exception, NotSignedIn)
        assert not isinstance(told.exception, SecondPersonNeeded)
    assert answered(rack) == []
