"""`benchd decide` as it is pasted: it shows what it asks, and no answer comes by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from benchd.cli.tables.queue_table import decide_command
from benchd.cli.tables.table_cells import JsonObject
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from tests.cli.shop import Shop
from tests.web.web_fakes import A1, HOSTILE, JOB, asking_view

LINE = decide_command({"job": JOB}, Gate.FELICA_CHECK)[0].plain


async def pasted(
    shop: Shop, line: str, typed: str, language: str = "ja_JP.UTF-8"
) -> subprocess.CompletedProcess[str]:
    """What a shell makes of the line, and of what is typed after it."""
    return await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            ["/bin/bash", "-c", line],
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "LANG": language,
                "BENCHD_SOCKET": str(shop.socket),
            },
        )
    )


def answers(shop: Shop) -> list[tuple[object, object]]:
    return [(kept.data["approved"], kept.data["note"]) for kept in shop.kept(EntryKind.DECISION)]


@pytest.mark.asyncio
@pytest.mark.parametrize(("typed", "approved"), [("y\n\n", True), ("いいえ\n棚3\n", False)])
async def test_the_printed_line_asks_and_records(shop: Shop, typed: str, approved: bool) -> None:
    async with shop.daemon(asks=Gate.FELICA_CHECK, as_mori=True):
        shop.rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        told = await pasted(shop, LINE, typed)
    assert told.returncode == 0, told.stderr
    assert shop.catalogue.gate(Gate.FELICA_CHECK).ja in told.stdout
    assert f"{'はい' if approved else 'いいえ'}（森 葵）" in told.stdout
    assert answers(shop) == [(approved, "" if approved else "棚3")]


@pytest.mark.asyncio
async def test_whoever_is_not_known_is_asked_who_they_are(shop: Shop) -> None:
    async with shop.daemon(asks=Gate.CHIP_SEEN_BEFORE):
        shop.rack.board.show(asking_view(A1, 1, Gate.CHIP_SEEN_BEFORE))
        line = f"benchd decide {JOB} chip_seen_before --pin-file /dev/fd/3 3<<<730184"
        told = await pasted(shop, line, "yes\n\nsato\n", "en_US.UTF-8")
    assert told.returncode == 0, told.stderr
    assert "chip_seen_before: yes" in told.stdout
    assert answers(shop) == [(True, "")]


GONE = (1, "ほかの人が先に答えました")
NO_ANSWER = (2, "何も記録していません")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("line", "typed", "ends"),
    [
        *((LINE, typed, NO_ANSWER) for typed in ("", "\n", "maybe\n")),
        (f"benchd decide {JOB} confirm", "y\n\n", GONE),
        (f"benchd decide {JOB} confirm --approve", "y\n\n", GONE),
    ],
)
async def test_no_answer_is_none_and_a_question_that_is_gone_says_so(
    shop: Shop, line: str, typed: str, ends: tuple[int, str]
) -> None:
    async with shop.daemon(asks=Gate.FELICA_CHECK, as_mori=True):
        shop.rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        told = await pasted(shop, line, typed)
    assert (told.returncode, ends[1] in told.stderr) == (ends[0], True)
    assert (shop.catalogue.gate(Gate.CONFIRM).ja in told.stderr) == (ends is GONE)
    assert answers(shop) == []


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
