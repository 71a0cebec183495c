"""`benchd disposal`, `lots` and `assets`: done by a person, or not at all."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn
from benchd.domain.ids import JobId
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BADGE, BY, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, Feed
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

LOT = ("lots", "add", "L-1", "purchase", "--consignor", "個人")
RETURNED = ("disposal", "settle", "job-1", "job-2", "--to", "returned", "--note", "持ち主")
IN_PERSON = (LOT, RETURNED)


@asynccontextmanager
async def shop(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[Door]:
    """A daemon with real people, on the socket that commands use."""
    for job in ("job-1", "job-2"):
        rack.ledger.keep_job(job=JobId(job), disposition="return", reason="locked")
    async with door_in(folder) as door:
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            records=Records(folder / "records.sqlite", Feed(rack)),
        )
        await door.people.set_roles(BY, "mori", [Role.OPERATOR])
        async with running(app, folder / "benchd.sock"):
            yield door


async def benchd(folder: Path, *words: str, typed: str = "") -> Result:
    def run() -> Result:
        env = {"BENCHD_SOCKET": str(folder / "benchd.sock")}
        return CliRunner().invoke(command, list(words), input=typed, env=env)

    return await anyio.to_thread.run_sync(run)


def kept(rack: FakeRack) -> list[tuple[EntryKind, object]]:
    told = [s.entry for s in rack.ledger.stored]
    return [
        (one.kind, one.data.get("by") or (one.data["person"], one.data["shown_by"]))
        for one in told
        if one.kind in (EntryKind.LOT_ADDED, EntryKind.HANDSET_SETTLED)
    ]


@pytest.mark.parametrize("words", IN_PERSON, ids=lambda words: words[0])
async def test_nobody_in_particular_does_nothing(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Not even whoever owns the files, as the user of these tests does."""
    async with shop(tmp_path, rack, catalogue) as door:
        nobody = await benchd(tmp_path, *words)
        assert isinstance(nobody.exception, NotSignedIn)
        wrong = await benchd(tmp_path, *words, "--operator", "mori", typed="551904\n")
        assert isinstance(wrong.exception, NotSignedIn)
        a_name = await benchd(tmp_path, *words, "--operator", "森 葵", typed=f"{PIN}\n")
        assert isinstance(a_name.exception, NotSignedIn)
        door.of_uid[os.getuid()] = PersonId("mori")
        await door.people.set_roles(BY, "mori", [Role.CONFIRMER, Role.AUDITOR])
        refused = await benchd(tmp_path, *words)
        assert isinstance(refused.exception, NotAllowed)
    assert kept(rack) == []


async def test_the_user_of_the_machine_needs_no_pin(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        for words in IN_PERSON:
            done = await benchd(tmp_path, *words)
            assert (done.exit_code, done.exception) == (0, None)
    (_, lot), *settled = kept(rack)
    assert isinstance(lot, dict)
    assert (lot["person"], lot["shown_by"]) == ("mori", "unix")
    assert [who for _, who in settled] == [("mori", "unix")] * 2


async def test_pin_and_badge_from_files_for_scripts(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text(f"{PIN}\n")
    (tmp_path / "badge").write_text(BADGE)
    pin = ("--operator", "mori", "--pin-file", str(tmp_path / "pin"))
    async with shop(tmp_path, rack, catalogue) as door:
        for words in IN_PERSON:
            alone = await benchd(tmp_path, *words, *pin)
            assert isinstance(alone.exception, MoreToShow)
            whole = await benchd(tmp_path, *words, *pin, "--badge-file", str(tmp_path / "badge"))
            assert (whole.exit_code, whole.exception) == (0, None)
        assert door.sessions._open == {}
    (_, lot), *settled = kept(rack)
    assert isinstance(lot, dict)
    assert (lot["person"], lot["shown_by"]) == ("mori", "badge_and_pin")
    assert [who for _, who in settled] == [("mori", "badge_and_pin")] * 2


async def test_an_operator_does_not_release(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    released = ("disposal", "settle", "job-1", "--to", "rerun_due", "--note", "もう一度")
    async with shop(tmp_path, rack, catalogue) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        refused = await benchd(tmp_path, *released)
        assert isinstance(refused.exception, NotAllowed)
        await door.people.set_roles(BY, "mori", [Role.SUPERVISOR])
        assert (await benchd(tmp_path, *released)).exit_code == 0
    assert len(kept(rack)) == 1
