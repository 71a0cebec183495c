"""A gate that is settled at the very moment in which somebody is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.pipelines import gate_waiver
from benchd.pipelines.contract import JobContext
from benchd.pipelines.waiting import ask_until
from benchd.proof.evidence.intake_evidence import CitedAttestation, WaivedGate

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


@pytest.mark.asyncio
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
