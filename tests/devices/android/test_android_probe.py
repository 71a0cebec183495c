"""Blocks of benchd's own by which a handset shows its reads: each fault of the one shell told."""

from __future__ import annotations

import pytest
from handset_fakes import Pause, Step, Unplug, said
from handset_fill_rig import Rig, framed, shown

from benchd.devices.android.fill.sample_stream import READ_EACH
from benchd.devices.android.fill.shown_reads import CONTENT, INNER_CONTENT, PROBE, REMOVE
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    UnsupportedHandset,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SHOWN = shown(INNER_CONTENT, pages=3)


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.shell.on(REMOVE, Exit(0))
    rig.shell.replies.append(SHOWN)
    return rig


def says(text: str) -> list[Step]:
    return [Output(text.encode(), is_error=False)]


async def required(rig: Rig) -> tuple[str, ...]:
    return await rig.reads.require(cache_program_runs=True)


async def test_they_are_read_as_samples_are_and_what_lies_beside_them_is_told(rig: Rig) -> None:
    rig.shell.probe_ends = said("fill-000000.dat\nlock\nprobe\ntail-000007.db\nfill-1.dat\n")
    assert await required(rig) == ("fill-000000.dat", "tail-000007.db")
    assert rig.shell.commands == [PROBE]
    _, name, *numbers = rig.shell.streams[-1].stdin.decode().split()
    assert (name, numbers) == ("probe", ["4096", "12288", "1", "3"])
    assert READ_EACH in PROBE


async def test_blocks_that_a_fault_kept_in_the_cache_are_read_again(rig: Rig) -> None:
    rig.shell.replies.insert(0, shown(INNER_CONTENT, pages=3, after=2))
    assert await required(rig) == ()
    assert rig.shell.streams[-1].stdin.count(b"\n") == 2


@pytest.mark.parametrize("code", [0, 1])
async def test_a_storage_too_full_for_them_is_passed(rig: Rig, code: int) -> None:
    rig.shell.probe_begins = says(f"cat: write: No space left on device\nwritten {code}\n")
    rig.shell.probe_ends = said("fill-000000.dat\n")
    assert await required(rig) == ("fill-000000.dat",)
    assert rig.shell.streams[-1].stdin == b""


@pytest.mark.parametrize(
    ("begins", "fault"),
    [
        (says("mkdir: Permission denied\nwritten 1\n"), UnsupportedHandset),
        (says("written x\n"), HandsetStalled),
        (says("written 0\nmore"), HandsetStalled),
        (says("x" * 5000), AnswerNotRecognised),
        ([Exit(127)], AnswerNotRecognised),
        ([Exit(0)], AnswerNotRecognised),
        ([Pause(1e6)], HandsetStalled),
        ([Unplug()], HandsetGone),
    ],
    ids=["refused", "no code", "more", "flood", "no shell", "silent", "hangs", "unplugged"],
)
async def test_without_having_been_written_none_is_read(
    rig: Rig, begins: list[Step], fault: type[BenchdError]
) -> None:
    rig.shell.probe_begins = begins
    with pytest.raises(fault):
        await required(rig)
    assert rig.shell.streams[-2].stdin == b""
    assert rig.shell.commands[-1] == REMOVE


@pytest.mark.parametrize(
    ("ends", "fault"),
    [
        ([Exit(1)], AnswerNotRecognised),
        (said("lock\n", 137), AnswerNotRecognised),
        (said("x" * (5 << 20)), AnswerNotRecognised),
        ([Output(b"x" * 2000, is_error=True), Exit(0)], AnswerNotRecognised),
        ([Pause(1e6)], HandsetStalled),
        ([Unplug()], HandsetGone),
    ],
    ids=["badly", "killed", "flood", "complaints", "hangs", "unplugged"],
)
async def test_a_shell_that_doesnt_end_well_has_shown_nothing(
    rig: Rig, ends: list[Step], fault: type[BenchdError]
) -> None:
    rig.shell.probe_ends = ends
    with pytest.raises(fault):
        await required(rig)
    assert rig.shell.commands[-1] == REMOVE


async def test_what_isnt_theirs_to_show_hides_no_fault_that_was_met_before(rig: Rig) -> None:
    rig.shell.replies[:] = [framed(2 * b"cache failed permission denied\n", code=4)]
    rig.shell.scripts[REMOVE] = [[Unplug()]]
    with pytest.raises(UnsupportedHandset, match="permission denied"):
        await required(rig)


async def test_no_two_of_the_blocks_are_the_same() -> None:
    blocks = [CONTENT[at : at + 4096] for at in range(0, len(CONTENT), 4096)]
    assert len(set(blocks)) == 5
