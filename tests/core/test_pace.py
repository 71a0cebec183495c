"""How long a handset still takes: held against a clock that the forecast doesn't see."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Disposition, Outcome, StageName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.slots.pace import Forecast, Pace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

GB = 1_000_000_000
STAGES = (
    StageName.INSPECT,
    StageName.INITIALISE,
    StageName.OVERWRITE,
    StageName.READ_BACK,
    StageName.CONFIRM,
    StageName.CERTIFY,
)
TAKES_S = {StageName.INSPECT: 3, StageName.INITIALISE: 70, StageName.CERTIFY: 1}
WRITE_S_PER_GB, READ_S_PER_GB = 8.0, 3.0


def shown(
    stage: StageName | None,
    state: SlotState = SlotState.RUNNING,
    outcome: Outcome | None = None,
) -> SlotView:
    ended = None if outcome is None else Disposition.HOLD
    return SlotView(
        slot=SlotName("A1"),
        port_path=PortPath("p"),
        state=state,
        stage=stage,
        outcome=outcome,
        disposition=ended,
    )


async def whole_job(
    pace: Pace, gigabytes: float, *, person_s: float = 0.0
) -> list[tuple[float | None, float]]:
    """What was foretold at each stage's begin, and what machines really took from there on."""
    forecast = Forecast(pace, STAGES)
    forecast.turned(shown(None))
    told: list[tuple[float | None, float]] = []
    machines_s = 0.0
    for stage in STAGES:
        forecast.turned(shown(stage))
        if stage is StageName.INITIALISE:
            forecast.capacity_bytes = round(gigabytes * GB)
        told.append((forecast.left_s(None), machines_s))
        seconds = {
            **TAKES_S,
            StageName.OVERWRITE: gigabytes * WRITE_S_PER_GB,
            StageName.READ_BACK: gigabytes * READ_S_PER_GB,
        }.get(stage, 0.0)
        await anyio.sleep(seconds)
        machines_s += seconds
        if stage is StageName.CONFIRM:
            forecast.turned(shown(stage, SlotState.AWAITING_OPERATOR))
            await anyio.sleep(person_s)
            forecast.turned(shown(stage))
    forecast.turned(shown(StageName.CERTIFY, SlotState.FINISHED, Outcome.PASSED))
    return [(foretold, machines_s - before) for foretold, before in told]


async def test_nothing_is_foretold_that_the_rack_has_never_seen() -> None:
    told = await whole_job(Pace(), 64)
    by_stage = dict(zip(STAGES, (foretold for foretold, _ in told), strict=True))
    assert [by_stage[stage] for stage in STAGES[:3]] == [None, None, None]


async def test_the_second_handset_is_foretold_by_the_first_whatever_its_size() -> None:
    pace = Pace()
    await whole_job(pace, 64, person_s=3000)
    told = await whole_job(pace, 256, person_s=12)
    assert told[0][0] is None  # before the inspection nobody knows how large it is
    for foretold, really in told[1:]:
        assert foretold == pytest.approx(really, abs=0.01)


async def test_what_people_take_is_not_in_it() -> None:
    pace = Pace()
    await whole_job(pace, 64, person_s=0)
    once = await whole_job(pace, 64, person_s=7200)
    again = await whole_job(pace, 64, person_s=7200)
    assert [foretold for foretold, _ in once] == [foretold for foretold, _ in again]


async def test_a_stage_that_failed_says_nothing_of_how_long_it_takes() -> None:
    pace = Pace()
    await whole_job(pace, 64)
    before = pace.expects(StageName.OVERWRITE, GB)
    forecast = Forecast(pace, STAGES)
    forecast.capacity_bytes = 64 * GB
    forecast.turned(shown(StageName.OVERWRITE))
    await anyio.sleep(50_000)
    forecast.turned(shown(StageName.OVERWRITE, SlotState.FINISHED, Outcome.FAILED))
    assert pace.expects(StageName.OVERWRITE, GB) == before


async def test_the_time_left_in_a_stage_is_its_own_and_then_what_comes() -> None:
    pace = Pace()
    await whole_job(pace, 64)
    forecast = Forecast(pace, STAGES)
    forecast.capacity_bytes = 64 * GB
    forecast.turned(shown(StageName.OVERWRITE))
    assert forecast.left_s(100.0) == pytest.approx(100 + 64 * READ_S_PER_GB + 1)
