"""How a fill can fail, and what each failure is taken for."""

from __future__ import annotations

import anyio
import pytest
from handset_fakes import Pause, Step, Unplug, line
from handset_fill_rig import (
    FILL_DONE,
    MIB,
    STARTED,
    Rig,
    progress,
)

from benchd.devices.android.shell.packets import Exit
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)
from benchd.domain.fill import ENDED_BY_QUOTA
from benchd.domain.job import Reason

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("code", "exit_code", "fault"),
    [
        ("io", 4, StorageFault),
        ("cache_not_evicted", 4, UnsupportedHandset),
        ("usage", 2, AnswerNotRecognised),
        ("host_gone", 5, HandsetGone),
        ("quota", 1, AnswerNotRecognised),
        ("io", 0, AnswerNotRecognised),
        ("busy", 0, AnswerNotRecognised),
        ("io", 3, AnswerNotRecognised),
        ("cake", 4, AnswerNotRecognised),
    ],
)
async def test_the_programs_own_faults(
    rig: Rig, code: str, exit_code: int, fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await rig.fill(
            line("started", **STARTED), line("error", code=code, message="m"), Exit(exit_code)
        )


async def test_row_4_a_quota_is_told_apart_from_a_faulty_storage(rig: Rig) -> None:
    said = line("error", code="quota", message="write fill-000001.dat: disk quota exceeded")
    with pytest.raises(StageFailed) as refused:
        await rig.fill(line("started", **STARTED), said, Exit(4))
    assert (refused.value.reason, refused.value.detail) == (Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)


@pytest.mark.parametrize(
    ("exit_code", "fault"),
    [
        (126, UnsupportedHandset),
        (127, UnsupportedHandset),
        (137, TransientFault),
        (143, TransientFault),
        (5, HandsetGone),
        (4, AnswerNotRecognised),
        (0, AnswerNotRecognised),
        (255, AnswerNotRecognised),
    ],
)
async def test_an_end_without_a_word(rig: Rig, exit_code: int, fault: type[BenchdError]) -> None:
    with pytest.raises(fault):
        await rig.fill(Exit(exit_code))


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [line("started", **STARTED)],
        [line("started", **STARTED), progress(7 * MIB)],
        [line("started", **STARTED), line("done", **FILL_DONE)],
    ],
)
async def test_a_cable_pulled_at_any_moment_is_a_handset_gone(rig: Rig, steps: list[Step]) -> None:
    with pytest.raises(HandsetGone):
        await rig.fill(*steps, Unplug())


async def test_two_handsets_that_make_the_same_files_share_what_is_kept_of_them(rig: Rig) -> None:
    said = (line("started", **STARTED), line("done", **FILL_DONE), Exit(0))
    one, other = await rig.fill(*said), await rig.fill(*said)
    assert one.files
    assert all(mine is yours for mine, yours in zip(one.files, other.files, strict=True))


async def test_a_busy_directory_is_waited_for(rig: Rig) -> None:
    busy = [line("error", code="busy", message="another one"), Exit(3)]
    rig.says("fill", *busy)
    rig.says("fill", *busy)
    began = anyio.current_time()
    await rig.fill(line("started", **STARTED), line("done", **FILL_DONE), Exit(0))
    assert 1 <= anyio.current_time() - began < 5


async def test_a_directory_that_stays_busy_is_a_transient_fault(rig: Rig) -> None:
    began = anyio.current_time()
    with pytest.raises(TransientFault, match="another one"):
        await rig.fill(line("error", code="busy", message="another one"), Exit(3))
    assert 25 < anyio.current_time() - began < 35


async def test_silence_is_a_stall(rig: Rig) -> None:
    began = anyio.current_time()
    with pytest.raises(HandsetStalled, match="no line"):
        await rig.fill(line("started", **STARTED), Pause(1000))
    assert anyio.current_time() - began == pytest.approx(30, abs=1)


async def test_lines_without_growth_are_a_stall(rig: Rig) -> None:
    beats: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(MIB))]
    began = anyio.current_time()
    with pytest.raises(HandsetStalled, match="no growth"):
        await rig.fill(line("started", **STARTED), *beats)
    assert anyio.current_time() - began == pytest.approx(31, abs=1)


async def test_a_check_without_growth_is_a_stall(rig: Rig) -> None:
    beats: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(0))]
    with pytest.raises(HandsetStalled, match="no growth"):
        await rig.check(*beats)


async def test_slow_growth_is_none(rig: Rig) -> None:
    steps: list[Step] = [
        step for number in range(1, 20) for step in (Pause(25), progress(number, 25 * number))
    ]
    report = await rig.fill(line("started", **STARTED), *steps, line("done", **FILL_DONE), Exit(0))
    assert report is not None
