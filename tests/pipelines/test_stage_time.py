"""How long an attempt at a stage has, and a gate that is settled as somebody is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.pipelines import gate_waiver
from benchd.pipelines.stage_contract import JobContext
from benchd.pipelines.stage_waits import StageTime, ask_until
from benchd.proof.evidence.intake_evidence import CitedAttestation, WaivedGate

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def spend(before_s: float, still_s: float, after_s: float) -> None:
    """An attempt of 10 s, part of which stands still."""
    time = StageTime()
    with time.limited(10):
        await anyio.sleep(before_s)
        with time.stands_still():
            await anyio.sleep(still_s)
        await anyio.sleep(after_s)


async def test_what_stands_still_costs_nothing_and_gives_nothing() -> None:
    """Of 10 s, 4 are gone before and 6 are left after, however long it was in between."""
    await spend(4, 1000, 5.9)
    began = anyio.current_time()
    with pytest.raises(TimeoutError):
        await spend(4, 1000, 3600)
    assert anyio.current_time() - began == pytest.approx(1010)


async def test_the_time_goes_on_also_after_what_was_waited_for_has_failed() -> None:
    time, began = StageTime(), anyio.current_time()
    with pytest.raises(TimeoutError), time.limited(10):  # noqa: PT012 - how an attempt goes on
        with suppress(RuntimeError), time.stands_still():
            await anyio.sleep(100)
            raise RuntimeError
        await anyio.sleep_forever()
    assert anyio.current_time() - began == pytest.approx(110)


async def test_without_an_attempt_nothing_has_to_stand_still() -> None:
    with StageTime().stands_still():
        await anyio.sleep(1)
    assert anyio.current_time() == pytest.approx(1)


CITED = CitedAttestation(
    sequence=7,
    hash="00" * 32,
    lot="L1",
    tag="T1",
    whole_lot=True,
    operator="Ito",
    at=datetime(2026, 11, 26, tzinfo=UTC),
    limit_s=60.0,
)


async def never(*_: object) -> Any:  # noqa: ANN401 - it doesn't return
    await anyio.sleep_forever()


async def test_what_was_attested_before_anybody_waits_for_it_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cited = WaivedGate(gate=Gate.CONSENT, cited=CITED)
    looks: Iterator[WaivedGate | None] = iter((None, cited))
    monkeypatch.setattr(gate_waiver, "_found", lambda *_: next(looks))
    monkeypatch.setattr(gate_waiver, "numbers_known", lambda *_: None)

    async def asked(
        _gate: Gate, _facts: object, told: Callable[[], Awaitable[None]], _vet: object
    ) -> None:
        assert await ask_until(never, told) is None

    book = SimpleNamespace(of_job={})
    intake = SimpleNamespace(changed=never, book=book, time_basis=lambda: None)
    context = SimpleNamespace(job=JobId("job"), handset_facts=dict, ask_until=asked, intake=intake)
    with anyio.fail_after(5):
        settled = await gate_waiver.waive_or_ask(cast("JobContext", context), Gate.CONSENT, 60.0)
    assert settled is cited
