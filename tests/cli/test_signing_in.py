"""What changes anything is done by a person, in a pasted line too: nothing comes by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.cli.tables.queue_table import decide_command
from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn, TriedTooOften
from benchd.domain.ids import JobId, JsonObject
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from tests.cli.shop import Shop
from tests.people.people_rig import BADGE, BY, PIN, Door
from tests.web.web_fakes import A1, HOSTILE, JOB, asking_view

pytestmark = pytest.mark.asyncio

Words = tuple[str, ...]

DECIDE = ("decide", JOB, "felica_check", "--approve")

LOT = ("lots", "add", "L-1", "purchase", "--consignor", "個人")
RETURNED = ("disposal", "settle", "job-1", "job-2", "--to", "returned", "--note", "持ち主")

MORI = ("--operator", "mori")

HERE = f"socket, uid {os.getuid()}"

each = pytest.mark.parametrize("words", [DECIDE, LOT, RETURNED], ids=lambda words: words[0])


@asynccontextmanager
async def asked(shop: Shop, gate: Gate = Gate.FELICA_CHECK) -> AsyncGenerator[Door]:
    """A daemon that asks something, and has two handsets to hand back."""
    for job in ("job-1", "job-2"):
        shop.rack.ledger.keep_job(job=JobId(job), disposition="return", reason="locked")
    async with shop.daemon(asks=gate) as door:
        yield door


def who(shop: Shop) -> list[tuple[str, str]]:
    """Who is on record for what was done, and what they have shown."""
    kinds = (EntryKind.DECISION, EntryKind.LOT_ADDED, EntryKind.HANDSET_SETTLED)
    told: list[Any] = [entry.data.get("by") or entry.data for entry in shop.kept(*kinds)]
    return [(one["person"], one["shown_by"]) for one in told]


def sources(shop: Shop) -> list[object]:
    return [entry.data["source"] for entry in shop.kept(EntryKind.DECISION)]


@each
async def test_nobody_in_particular_does_nothing(shop: Shop, words: Words) -> None:
    """Not even whoever owns the files, as the user of these tests does; and a name is no id."""
    async with asked(shop) as door:
        for more, typed in (
            ((), ""),
            (MORI, "551904\n"),
            (("--operator", "森 葵"), f"{PIN}\n"),
            (("--operator", "佐藤 健"), "730184\n"),
        ):
            refused = await shop.benchd(*words, *more, typed=typed)
            assert type(refused.exception) is NotSignedIn, more
        door.of_uid[os.getuid()] = PersonId("mori")
        await door.people.set_roles(BY, "mori", [Role.CONFIRMER, Role.AUDITOR])
        assert isinstance((await shop.benchd(*words)).exception, NotAllowed)
    assert who(shop) == []


async def test_who_has_tried_too_often_has_to_wait_even_with_the_right_pin(shop: Shop) -> None:
    async with asked(shop):
        for _ in range(3):
            await shop.benchd(*DECIDE, *MORI, typed="551904\n")
        paused = await shop.benchd(*DECIDE, *MORI, typed=f"{PIN}\n")
        assert isinstance(paused.exception, TriedTooOften)
    assert who(shop) == []


@each
async def test_the_user_of_the_machine_needs_no_pin(shop: Shop, words: Words) -> None:
    async with asked(shop) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await shop.done(*words)
        assert words is not DECIDE or told.stdout == f"{JOB} felica_check: yes (森 葵)\n"
    assert who(shop) == [("mori", "unix")] * (2 if words is RETURNED else 1)
    assert sources(shop) == [HERE] * (words is DECIDE)


@pytest.mark.parametrize(
    ("gate", "person", "typed", "shown_by"),
    [
        (Gate.CHIP_SEEN_BEFORE, "sato", "730184\n", "pin"),
        (Gate.FELICA_CHECK, "mori", f"{PIN}\n{BADGE}\n", "badge_and_pin"),
    ],
    ids=["another id than the user's", "pin, then badge where there is one"],
)
async def test_who_is_named_is_asked_for_what_they_have(
    shop: Shop, gate: Gate, person: str, typed: str, shown_by: str
) -> None:
    async with asked(shop, gate) as door:
        door.of_uid[os.getuid()] = PersonId("mori" if person == "sato" else "kato")
        told = await shop.done("decide", JOB, gate, "--approve", "--operator", person, typed=typed)
        assert "730184" not in told.output
        assert door.sessions._open == {}
    assert (who(shop), sources(shop)) == ([(person, shown_by)], [HERE])


@each
async def test_pin_and_badge_from_files_for_scripts(shop: Shop, words: Words) -> None:
    pin, badge = shop.secrets()
    async with asked(shop) as door:
        alone = await shop.benchd(*words, *MORI, *pin)
        assert isinstance(alone.exception, MoreToShow)
        await shop.done(*words, *MORI, *pin, *badge)
        assert door.sessions._open == {}
    assert who(shop) == [("mori", "badge_and_pin")] * (2 if words is RETURNED else 1)
    assert sources(shop) == [HERE] * (words is DECIDE)


async def test_an_operator_does_not_release(shop: Shop) -> None:
    released = ("disposal", "settle", "job-1", "--to", "rerun_due", "--note", "もう一度")
    async with asked(shop) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        assert isinstance((await shop.benchd(*released)).exception, NotAllowed)
        await door.people.set_roles(BY, "mori", [Role.SUPERVISOR])
        await shop.done(*released)
    assert len(who(shop)) == 1


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


@pytest.mark.parametrize(("typed", "approved"), [("y\n\n", True), ("いいえ\n棚3\n", False)])
async def test_the_printed_line_asks_and_records(shop: Shop, typed: str, approved: bool) -> None:
    async with shop.daemon(asks=Gate.FELICA_CHECK, as_mori=True):
        shop.rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
        told = await pasted(shop, LINE, typed)
    assert told.returncode == 0, told.stderr
    assert shop.catalogue.gate(Gate.FELICA_CHECK).ja in told.stdout
    assert f"{'はい' if approved else 'いいえ'}（森 葵）" in told.stdout
    assert answers(shop) == [(approved, "" if approved else "棚3")]


async def test_whoever_is_not_known_is_asked_who_they_are(shop: Shop) -> None:
    async with shop.daemon(asks=Gate.CHIP_SEEN_BEFORE):
        shop.rack.board.show(asking_view(A1, 1, Gate.CHIP_SEEN_BEFORE))
        line = f"benchd decide {JOB} chip_seen_before --pin-file /dev/fd/3 3<<<730184"
        told = await pasted(shop, line, "yes\n\nsato\n", "en_US.UTF-8")
    assert told.returncode == 0, told.stderr
    assert "chip_seen_before: yes" in told.stdout
    assert answers(shop) == [(True, "")]


GONE = (1, "いま出ていません")

NO_ANSWER = (2, "何も記録していません")


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
async def test_nothing_in_the_line_is_more_than_a_word(text: str, tmp_path: Path) -> None:
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
async def test_without_a_job_there_is_no_line(job: JsonObject) -> None:
    assert decide_command(job, "confirm") == []
