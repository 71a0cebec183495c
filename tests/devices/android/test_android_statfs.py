"""The storage by two programs: both must agree, and who has only one is inspected all the same."""

from __future__ import annotations

import asyncio

import pytest
from handset_fixtures import answer, names
from test_android_inspection import aquos

from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.facts.inspection import (
    STORAGE_LOOK_EVERY_S,
    read_facts,
    read_reset_facts,
)
from benchd.devices.android.facts.statfs import read_statfs
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised, StorageContradicts
from benchd.domain.job import Reason
from benchd.proof.floors import LEAST_FREE_DRIFT_BYTES, MOST_FREE_DRIFT

ASKED = QUESTIONS["statfs"]
HONEST = answer("statfs-16-pixel-8-pro")
CAPACITY, FREE = 114982996 * 1024, 20007384 * 1024
MORE = 40_000_000
"""Blocks of 1 KiB."""
DRIFT = int(MOST_FREE_DRIFT * CAPACITY)


def told(capacity: int = CAPACITY, free: int = FREE, unit: int = 4096) -> str:
    return f"{unit} {unit} {capacity // unit} {free // unit + 3} {free // unit}\n"


@pytest.mark.parametrize("name", names("statfs"))
def test_it_is_read_in_bytes(name: str) -> None:
    found = read_statfs(answer(name))
    assert found.capacity_bytes in (CAPACITY, 53487616 * 1024)
    assert found.free_bytes in (FREE, 43242248 * 1024)


@pytest.mark.parametrize(
    "text",
    [
        f"0 4096 {CAPACITY // 4096} {FREE // 4096} {FREE // 4096}\n",
        f"4096 0 {CAPACITY // 4096} {FREE // 4096} {FREE // 4096}\n",
        # Older toybox and newer name the two sizes the other way round; blocks are the smaller's.
        f"4096 131072 {CAPACITY // 4096} {FREE // 4096} {FREE // 4096}\n",
        f"131072 4096 {CAPACITY // 4096} {FREE // 4096} {FREE // 4096}\n",
    ],
)
def test_blocks_are_counted_in_fragments_whichever_letter_tells_them(text: str) -> None:
    found = read_statfs(text)
    assert (found.capacity_bytes, found.free_bytes) == (CAPACITY, FREE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "garbage\n",
        "? ? ? ? ?\n",
        "4096 4096 10 5\n",
        "4096 4096 10 5 5 5\n",
        "4096 4096 10 -5 5\n",
        "4096 4096 0x10 5 5\n",
        "0 0 10 5 5\n",
        "4096 4096 0 0 0\n",
        "4096 4096 10 11 5\n",
        "4096 4096 10 5 6\n",
        "4096 4096 9999999999999999 5 5\n",
        f"{HONEST}{HONEST}",
        '  File: "/data"\n    ID: 0 Namelen: 255    Type: f2f52010\n',
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised, match="stat"):
        read_statfs(text)


@pytest.mark.asyncio
async def test_both_stand_in_the_facts() -> None:
    facts = await read_facts(aquos(**{ASKED: HONEST}))
    assert (facts.capacity_bytes, facts.free_bytes) == (CAPACITY, FREE)
    assert (facts.statfs_capacity_bytes, facts.statfs_free_bytes) == (CAPACITY, FREE)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "refused",
    [(1, "stat: Unknown option f\n"), (127, "sh: stat: not found\n"), (1, "Permission denied\n")],
)
async def test_a_handset_without_it_is_inspected_and_the_second_source_is_unknown(
    refused: tuple[int, str],
) -> None:
    facts = await read_facts(aquos(**{ASKED: refused}))
    assert facts.capacity_bytes == CAPACITY
    assert facts.statfs_capacity_bytes is facts.statfs_free_bytes is None


@pytest.mark.asyncio
@pytest.mark.parametrize("garbage", ["", "garbage\n", "4096 4096 1 2 3\n"])
async def test_an_answer_that_is_none_is_no_missing_one(garbage: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        await read_facts(aquos(**{ASKED: garbage}))


@pytest.mark.asyncio
@pytest.mark.looptime
@pytest.mark.parametrize(
    "other",
    [
        told(CAPACITY // 2),
        told(CAPACITY * 2),
        told(CAPACITY + 4096),
        told(CAPACITY - 4096),
        told(free=FREE - DRIFT - LEAST_FREE_DRIFT_BYTES),
        told(free=FREE + DRIFT + LEAST_FREE_DRIFT_BYTES),
        f"512 512 {CAPACITY // 4096} {FREE // 4096 + 3} {FREE // 4096}\n",
    ],
)
async def test_two_sizes_of_one_storage_are_a_named_refusal(other: str) -> None:
    with pytest.raises(StorageContradicts, match="df and stat") as caught:
        await read_facts(aquos(**{ASKED: other}))
    assert caught.value.reason is Reason.STORAGE_CONTRADICTS


@pytest.mark.asyncio
@pytest.mark.parametrize("drift", [-DRIFT // 2, DRIFT // 2, 4096])
async def test_what_apps_write_between_both_is_no_contradiction(drift: int) -> None:
    facts = await read_facts(aquos(**{ASKED: told(free=FREE + drift)}))
    assert facts.statfs_free_bytes is not None


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_still_comes_free_is_waited_for() -> None:
    """The files of a broken fill are being deleted, as after an unplug in the middle of one."""
    shell = aquos(**{ASKED: told(free=FREE // 2)})
    reading = asyncio.create_task(read_facts(shell))
    await asyncio.sleep(1.5 * STORAGE_LOOK_EVERY_S)
    shell.answers[ASKED] = HONEST
    assert (await reading).statfs_free_bytes == FREE


@pytest.mark.asyncio
async def test_what_was_told_before_a_reset_is_not_held_against_what_is_told_after_it() -> None:
    heard: dict[str, Answer] = {}
    await read_facts(aquos(**{ASKED: HONEST}), heard)
    row = answer("df-16-pixel-8-pro")
    used, free = row.splitlines()[1].split()[2:4]
    emptied = row.replace(used, str(int(used) - MORE)).replace(free, str(int(free) + MORE))
    emptied = emptied.replace("83%", "48%")
    after = aquos(**{"df -k /data": emptied})
    facts = await read_reset_facts(after, heard)
    assert facts.used_bytes == (int(used) - MORE) * 1024
    assert heard["statfs"].text == HONEST
