"""`benchd label`, `cards` and `people badges`: a file, or a printer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.errors import DecisionRefused, NotFound
from benchd.domain.people import Role
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from tests.papers.labels.zpl_reader import read_zpl
from tests.people.people_rig import BADGE, BY, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import A1, JOB, FakeRack, Feed, waiting_view
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def daemon(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[Door]:
    """A daemon without printers, with one job on record, on the socket that commands use."""
    rack.ledger.keep_job()
    rack.board.show(waiting_view(A1, 1))
    records = Records(folder / "records.sqlite", Feed(rack))
    async with door_in(folder) as door, anyio.create_task_group() as group:
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            records=records,
        )
        group.start_soon(records.run)
        await records.reached(len(rack.ledger.stored))
        await door.people.set_roles(BY, "mori", [Role.OPERATOR])
        async with running(app, folder / "benchd.sock"):
            yield door
        group.cancel_scope.cancel()


async def benchd(folder: Path, *words: str, typed: str = "") -> Result:
    def run() -> Result:
        env = {"BENCHD_SOCKET": str(folder / "benchd.sock"), "LANG": "en_US.UTF-8"}
        return CliRunner().invoke(command, list(words), input=typed, env=env)

    return await anyio.to_thread.run_sync(run)


async def test_a_label_is_written_to_a_new_file(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with daemon(tmp_path, rack, catalogue):
        for name in ("a.png", "a.SVG", "a.zpl"):
            made = await benchd(tmp_path, "label", JOB, "--to", str(tmp_path / name))
            assert (made.exit_code, made.exception) == (0, None)
        again = await benchd(tmp_path, "label", JOB, "--to", str(tmp_path / "a.png"))
        assert again.exit_code != 0
        gone = await benchd(
            tmp_path, "label", "20261124-00000000ff", "--to", str(tmp_path / "b.png")
        )
        assert isinstance(gone.exception, NotFound)
        assert not (tmp_path / "b.png").exists()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.SVG").read_bytes().startswith(b"<svg")
    assert read_zpl((tmp_path / "a.zpl").read_bytes()).width == 495


@pytest.mark.parametrize("words", [(), ("--to", "a.pdf"), ("--to", "a.png", "--print")])
async def test_one_of_file_and_printer(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, words: tuple[str, ...]
) -> None:
    async with daemon(tmp_path, rack, catalogue):
        told = await benchd(tmp_path, "label", JOB, *words)
    assert told.exit_code == 2


async def test_printing_takes_a_printer(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with daemon(tmp_path, rack, catalogue):
        (tmp_path / "pin").write_text(PIN)
        (tmp_path / "badge").write_text(BADGE)
        shown = ("--pin-file", str(tmp_path / "pin"), "--badge-file", str(tmp_path / "badge"))
        told = await benchd(tmp_path, "label", JOB, "--print", "--operator", "mori", *shown)
    assert isinstance(told.exception, DecisionRefused)
    assert "no printer is configured for slot A1" in str(told.exception)


async def test_the_racks_sheet(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with daemon(tmp_path, rack, catalogue):
        made = await benchd(tmp_path, "cards", "--to", str(tmp_path / "cards.pdf"))
    assert (made.exit_code, made.exception) == (0, None)
    assert (tmp_path / "cards.pdf").read_bytes().startswith(b"%PDF-")


async def test_new_badges_are_the_files_and_nobody_elses(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "ab" * size)
    file = tmp_path / "badges.pdf"
    async with daemon(tmp_path, rack, catalogue) as door:
        made = await benchd(tmp_path, "people", "badges", "mori", "--to", str(file))
        assert (made.exit_code, made.exception) == (0, None)
        of_badge = door.people.of_badge("AB" * 10)
        assert of_badge is not None
        assert of_badge.id == "mori"
        assert door.people.of_badge(BADGE) is None
        assert "AB" * 10 not in made.output
        again = await benchd(tmp_path, "people", "badges", "mori", "--to", str(file))
        assert again.exit_code == 2
    assert file.read_bytes().startswith(b"%PDF-")
    assert file.stat().st_mode & 0o077 == 0
