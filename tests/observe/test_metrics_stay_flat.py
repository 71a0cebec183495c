"""Ten thousand jobs of two hundred models leave as many series as one hundred models do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from metrics_rig import new_metrics, series_of

from benchd.domain.ids import JobId
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot_states import SlotState
from benchd.observe.model_metrics import MODELS_TOLD
from benchd.observe.record_metrics import RecordMetrics
from tests.core.catalogues import model
from tests.core.world import Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOBS, MODELS = 10_000, 200
EVERY = ModelCatalogue.of_entries(models=[model(f"C-{n}", name=f"M-{n}") for n in range(MODELS)])
TOLD = (EntryKind.JOB_OPENED, EntryKind.STAGE_ENDED, EntryKind.JOB_ENDED)


async def one_job() -> list[Entry]:
    """The records of a job that passed: its opening, its inspection and its end."""
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
    kept = [stored.entry for stored in world.ledger.stored if stored.entry.kind in TOLD]
    return [e for e in kept if e.kind is not EntryKind.STAGE_ENDED or e.data["stage"] == "inspect"]


def as_job(entries: list[Entry], number: int, code: str) -> Iterator[Entry]:
    for entry in entries:
        data = dict(entry.data)
        if "evidence" in data:
            data["evidence"] = {**dict(data["evidence"]), "model": code}  # type: ignore[arg-type, dict-item]
        yield replace(entry, job=JobId(f"20261124-{number:010x}"), data=data)


async def test_the_number_of_series_is_bounded_whatever_comes() -> None:
    metrics = new_metrics()
    metrics.models.catalogue = EVERY
    records = RecordMetrics(metrics, lambda: 0.0)
    before = len(await series_of(metrics))
    job = await one_job()
    after_first: int | None = None
    for number in range(JOBS):
        # Every tenth is of a model that nobody knows, each time another.
        code = f"X-{number}" if number % 10 == 9 else f"C-{number % MODELS}"
        for entry in as_job(job, number, code):
            records.stored(entry)
        if number == MODELS:
            after_first = len(await series_of(metrics))
    after = await series_of(metrics)
    assert len(after) == after_first == before + 4 * MODELS_TOLD
    passed = {
        dict(labels)["model"]: count
        for (name, labels), count in after.items()
        if name == "benchd_model_jobs_total" and dict(labels)["outcome"] == "passed"
    }
    assert sum(passed.values()) == JOBS
    assert passed["unknown"] == JOBS / 10
    assert passed["other"] > 0
    assert "benchd_metrics_faults_total" in {name for name, _ in after}


async def test_no_series_has_both_a_model_and_a_slot() -> None:
    metrics = new_metrics("A1", "B1")
    labels = [set(dict(found)) for _, found in await series_of(metrics)]
    assert not [found for found in labels if {"model", "slot"} <= found]
