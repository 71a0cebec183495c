"""What a Japanese operator reads from end to end: every command, over the socket of a real app."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.ledger.records.records_access import Records
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text
from tests.people.people_rig import BY, door_in
from tests.web.served import app_of
from tests.web.web_fakes import A1, JOB, FakeClock, FakeRack, Feed, asking_view, waiting_view
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
ENGLISH = re.compile(r"[A-Za-z]{2,} +[A-Za-z]{2,} +[a-z]{2,}")
"""Three words in a row: a sentence, not a name, an option or a command in brackets."""
COMMAND = re.compile(r"「[ -~]+」|benchd decide .*")
RETURNED = JobId("20261124-00112233ff")
LOT = ("lots", "add", "L-1", "purchase", "--consignor", "個人", "--attest", "consent")


@asynccontextmanager
async def shop(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[None]:
    """A daemon with people, records and lots, whose user is Mori; slot A1 asks, A2 is stuck."""
    rack.ledger.keep_job(job=RETURNED, disposition="return", reason="locked")
    records = Records(folder / "records.sqlite", Feed(rack))
    async with door_in(folder) as door:
        rack.desk = Desk(rack.ledger, FakeClock(), door.people)
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            records=records,
        )
        await door.people.set_roles(BY, "mori", [Role.OPERATOR, Role.AUDITOR])
        door.of_uid[os.getuid()] = PersonId("mori")
        rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        rack.board.show(waiting_view(SlotName("A2"), 2))
        async with running(app, folder / "benchd.sock"), anyio.create_task_group() as group:
            group.start_soon(rack.ask, Gate.FELICA_CHECK)
            group.start_soon(records.run)
            with anyio.fail_after(30):
                await records.until(lambda: records.upto.sequence == len(rack.ledger.stored))
            await anyio.wait_all_tasks_blocked()
            yield
            group.cancel_scope.cancel()


async def benchd(folder: Path, *words: str, typed: str = "") -> Result:
    def run() -> Result:
        env = {"BENCHD_SOCKET": str(folder / "benchd.sock"), "LC_ALL": "ja_JP.UTF-8"}
        return CliRunner().invoke(command, list(words), input=typed, env=env)

    return await anyio.to_thread.run_sync(run)


def english_in(text: str) -> list[str]:
    return ENGLISH.findall(COMMAND.sub("", text))


async def test_nothing_that_is_read_is_english(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "assets.csv").write_text("管理番号,機種\nT1,SO-51B\nT2,SC-51A\n")
    assets = ("assets", "import", str(tmp_path / "assets.csv"), "--lot", "L-1")
    async with shop(tmp_path, rack, catalogue):
        for words in (
            ("status",),
            ("queue",),
            ("jobs",),
            ("job", RETURNED),
            ("decide", JOB, "felica_check", "--approve"),
            LOT,
            ("lots", "list"),
            ("lots", "show", "L-1"),
            ("lots", "attest", "L-1", "jpki"),
            (*assets, "--dry-run"),
            assets,
            ("assets", "list"),
            ("assets", "show", "T1"),
            ("assets", "add", "T3", "--lot", "L-1"),
            ("assets", "dead", "T2", "--reason", "no_power"),
            ("records", "find", RETURNED),
            ("records", "show", RETURNED),
            ("disposal", "list"),
            ("disposal", "settle", RETURNED, "--to", "returned", "--note", "窓口"),
            ("report", "--from", "2026-11-01", "--to", "2026-11-30"),
        ):
            told = await benchd(tmp_path, *words)
            assert (told.exit_code, told.exception) == (0, None), (words, told.output)
            assert JAPANESE.search(told.stdout) or words[1:] == ("list",), words
            # What a job's stage has said is technical detail, of which there is one line.
            lines = [line for line in told.stdout.splitlines() if not line.startswith("詳細")]
            assert english_in("\n".join(lines)) == [], (words, told.stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("job", "Z9999"), "に当たるスロット、作業、端末はありません"),
        (("decide", JOB, "confirm", "--approve"), "いま出ていません"),
        (("decide", JOB, "felica_check", "--approve", "--operator", "sato"), "確認できません"),
        (("lots", "show", "L-9"), "指定したものはありません"),
        (("certificate", "show", RETURNED), "指定したものはありません"),
        (("report", "--from", "x", "--to", "y"), "この指定では処理できません"),
    ],
)
async def test_what_goes_wrong_is_said_in_japanese_first(
    words: tuple[str, ...],
    says: str,
    rack: FakeRack,
    catalogue: Catalogue,
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, rack, catalogue):
        told = await benchd(tmp_path, *words, typed="551904\n")
    assert told.exit_code != 0
    assert told.exception is not None
    said = failure_text(told.exception, catalogue, "ja")  # type: ignore[arg-type]
    assert says in said.splitlines()[0]


async def test_status_gives_the_queue_to_machines(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue):
        status = json.loads((await benchd(tmp_path, "status", "--json")).stdout)
        queue = json.loads((await benchd(tmp_path, "queue", "--json")).stdout)
    assert [errand["kind"] for errand in status["queue"]["errands"]] == ["question", "put_right"]
    assert status["queue"] == {**queue, "now": status["queue"]["now"]}
    assert {slot["slot"] for slot in status["slots"]} == {"A1", "A2"}
