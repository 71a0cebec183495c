"""`benchd decide` as it is pasted: it shows what it asks, and no answer comes by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from benchd.cli.tables.queue_table import decide_command
from benchd.cli.tables.table_cells import JsonObject
from benchd.domain.job import Gate
from benchd.domain.people import PersonId
from benchd.domain.record import EntryKind
from benchd.texts.catalogue import Catalogue
from tests.cli.test_signing_in import asked
from tests.web.web_fakes import A1, HOSTILE, JOB, FakeRack, asking_view

BIN = Path(sys.executable).parent
LINE = decide_command({"job": JOB}, Gate.FELICA_CHECK)[0].plain


async def pasted(
    folder: Path, line: str, typed: str, language: str = "ja_JP.UTF-8"
) -> subprocess.CompletedProcess[str]:
    """What a shell makes of the line, and of what is typed after it."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "-c", line],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{BIN}:/usr/bin:/bin",
                "LANG": language,
                "BENCHD_SOCKET": str(folder / "benchd.sock"),
            },
        )

    return await anyio.to_thread.run_sync(run)


def answers(rack: FakeRack) -> list[tuple[object, object]]:
    return [
        (s.entry.data["approved"], s.entry.data["note"])
        for s in rack.ledger.stored
        if s.entry.kind is EntryKind.DECISION
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(("typed", "approved"), [("y\n\n", True), ("いいえ\n棚3\n", False)])
async def test_the_printed_line_asks_and_records(
    typed: str, approved: bool, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK) as door:
        rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await pasted(tmp_path, LINE, typed)
    assert told.returncode == 0, told.stderr
    assert catalogue.gate(Gate.FELICA_CHECK).ja in told.stdout
    assert f"{'はい' if approved else 'いいえ'}（森 葵）" in told.stdout
    assert answers(rack) == [(approved, "" if approved else "棚3")]


@pytest.mark.asyncio
async def test_whoever_is_not_known_is_asked_who_they_are(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.CHIP_SEEN_BEFORE):
        rack.board.show(asking_view(A1, 1, Gate.CHIP_SEEN_BEFORE))
        line = f"benchd decide {JOB} chip_seen_before --pin-file /dev/fd/3 3<<<730184"
        told = await pasted(tmp_path, line, "yes\n\nsato\n", "en_US.UTF-8")
    assert told.returncode == 0, told.stderr
    assert "chip_seen_before: yes" in told.stdout
    assert answers(rack) == [(True, "")]


@pytest.mark.asyncio
@pytest.mark.parametrize("typed", ["", "\n", "maybe\n"])
async def test_no_answer_is_no_answer(
    typed: str, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK) as door:
        rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await pasted(tmp_path, LINE, typed)
    assert told.returncode == 2
    assert "何も記録していません" in told.stderr
    assert answers(rack) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("more", ["", " --approve"])
async def test_a_question_that_is_gone_says_so(
    more: str, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with asked(tmp_path, rack, catalogue, Gate.FELICA_CHECK) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await pasted(tmp_path, f"benchd decide {JOB} confirm{more}", "y\n\n")
    assert told.returncode == 1
    assert catalogue.gate(Gate.CONFIRM).ja in told.stderr
    assert "ほかの人が先に答えました" in told.stderr
    assert answers(rack) == []


SHELL = ["x; touch owned", "$(touch owned)", "`touch owned`", "a'b\"c", "--approve", HOSTILE]


@pytest.mark.parametrize("text", SHELL)
def test_nothing_in_the_line_is_more_than_a_word(text: str, tmp_path: Path) -> None:
    shown = tmp_path / "benchd"
    shown.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    shown.chmod(0o755)
    line = decide_command({"job": text}, text)[0].plain
    told = subprocess.run(
        ["/bin/bash", "-c", line],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    words = told.stdout.splitlines()
    options = ["--"] if text.startswith("-") else []
    assert words[: len(options) + 1] == ["decide", *options]
    job, gate = words[len(options) + 1 :]
    assert job == gate
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("job", [{}, {"job": None}, {"job": ""}, {"job": 7}, {"job": "\x1b"}])
def test_without_a_job_there_is_no_line(job: JsonObject) -> None:
    assert decide_command(job, "confirm") == []
