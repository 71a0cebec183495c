"""A rack in figures: something of everything that a dashboard asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, FaultCode, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.slot import QuestionView, SlotView, TransferView
from benchd.domain.slot_states import SlotState
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder
from benchd.pipelines.stages import STAGE_CLASSES
from tests.core.catalogues import model

WRITES, ASKS, OUT_OF_USE = SlotName("A1"), SlotName("A2"), SlotName("A3")
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def rack_in_figures(directory: Path) -> RackMetrics:
    """A rack at its start: three slots, two readers, a hook, and nothing counted yet."""
    metrics = RackMetrics(
        slots=[WRITES, ASKS, OUT_OF_USE],
        recipes=["overwrite"],
        stages=STAGE_CLASSES,
        version="1",
        hooks=["erp"],
    )
    metrics.models.catalogue = ModelCatalogue.of_entries(models=[model("SO-51C", name="Xperia")])
    metrics.models.seen("SO-51C")
    metrics.storage.ledger = directory / "ledger.sqlite"
    metrics.storage.ledger.touch()
    metrics.storage.folders = dict.fromkeys(Folder, directory)
    metrics.key_created(NOW)
    metrics.ledger.sound(NOW)
    metrics.ledger.anchors.is_used = True
    metrics.ledger.anchors.anchored(7, NOW)
    metrics.ledger.read_from(last_backup=NOW.timestamp, last_verification=NOW.timestamp)
    metrics.clock.read_from(lambda: 0.001, lambda: 0.02)
    metrics.read_from(
        views=lambda: {WRITES: _writes(), ASKS: _asks(), OUT_OF_USE: _out_of_use()},
        adb_up=lambda: True,
        readers=[WRITES, ASKS],
        readers_up=lambda: [WRITES],
        open_items=lambda: {DisposalState.HELD: 2},
    )
    return metrics


def _writes() -> SlotView:
    return SlotView(
        slot=WRITES,
        port_path=PortPath("1-1"),
        state=SlotState.RUNNING,
        transfer=TransferView(bytes_done=5_000_000, bytes_per_s=90e6),
    )


def _asks() -> SlotView:
    question = QuestionView(gate=Gate.CONFIRM, facts={})
    state = SlotState.AWAITING_OPERATOR
    return SlotView(slot=ASKS, port_path=PortPath("1-2"), state=state, since=NOW, question=question)


def _out_of_use() -> SlotView:
    return SlotView(
        slot=OUT_OF_USE, port_path=PortPath("1-3"), state=SlotState.QUARANTINED, since=NOW
    )


def a_shift_goes_by(metrics: RackMetrics) -> None:
    """One handset has passed, one is held for its chip, cables and readers had their moods.

    And of each fault of the record there was one.
    """
    passed, held = JobId("20261127-aaaaaaaaaa"), JobId("20261127-bbbbbbbbbb")
    metrics.job_ended("overwrite", Outcome.PASSED, Disposition.SELLABLE, None, passed)
    reason = Reason.FELICA_RESIDUE
    metrics.job_ended("overwrite", Outcome.FAILED, Disposition.DESTROY, reason, held)
    metrics.residue_found()
    metrics.ledger.broken()
    metrics.storage.certified(passed)
    metrics.fault()
    metrics.job_began(4.0)
    metrics.commit_took(0.002)
    metrics.loop_lagged(0.001)
    for stage in (StageName.OVERWRITE, StageName.FELICA_CHECK):
        metrics.time.stage_took(stage, Outcome.PASSED, 60.0, people_s=20.0)
    metrics.time.answered(Gate.CONFIRM, 20.0)
    slots = metrics.slots
    slots.job_ended(WRITES, Outcome.PASSED, passed)
    slots.job_ended(ASKS, Outcome.FAILED, held)
    for slot in (WRITES, ASKS):
        slots.attempt_began(slot)
        for fault in FaultCode:
            slots.attempt_failed(slot, fault)
        slots.reenumerated(slot)
        slots.stalled(slot)
        slots.resumed(slot)
        slots.wrote(slot, 64_000_000, new_bytes=64_000_000, worked_s=0.7)
    metrics.models.overwritten("Xperia", 64_000_000, 8.0)
    for outcome in (Outcome.PASSED, Outcome.FAILED):
        metrics.models.job_ended("Xperia", outcome)
