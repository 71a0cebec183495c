"""What Prometheus is told of each slot: how its jobs end, and what its cable and port do."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from prometheus_client import CollectorRegistry

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import FaultCode, Outcome
from benchd.observe.kept_samples import KeptCounter


class SlotMetrics:
    """Counters by slot; a slot that isn't configured is told of by none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> KeptCounter:
            return KeptCounter(f"benchd_slot_{name}", text, ("slot", *labels), registry=registry)

        self._slots: frozenset[SlotName] = frozenset()
        self._jobs = counter("jobs", "Jobs that ended, by slot", "outcome")
        self._faults = counter(
            "stage_faults", "Attempts that ended without ending their job, by why", "fault"
        )
        self._attempts = counter("stage_attempts", "Attempts of stages that were begun")
        self._resumes = counter(
            "overwrite_resumes", "Overwrites that went on where an earlier run had been cut off"
        )
        self._reenumerations = counter(
            "reenumerations", "How often a handset came back on its port as a new device"
        )
        self._stalls = counter("stalls", "Attempts that ended since the handset did nothing more")
        self._overwritten = KeptCounter(
            "benchd_overwritten_bytes",
            "Bytes that handsets have written and synced",
            ("slot",),
            registry=registry,
        )
        self._overwriting = counter(
            "overwrite_seconds", "How long the last runs of overwrites took, rests left out"
        )
        self._new_bytes = counter(
            "overwrite_new_bytes", "Bytes that those runs wrote; by their seconds it is the rate"
        )
        self._single = (
            self._attempts,
            self._resumes,
            self._reenumerations,
            self._stalls,
            self._overwritten,
            self._overwriting,
            self._new_bytes,
        )

    def configure(self, slots: Collection[SlotName]) -> None:
        """These slots there are: the series of new ones begin at zero, those of others end."""
        self._slots = frozenset(slots)
        for counter in self._single:
            counter.arrange((slot,) for slot in slots)
        self._jobs.arrange(product(slots, Outcome))
        self._faults.arrange(product(slots, FaultCode))

    def job_ended(self, slot: SlotName, outcome: Outcome, job: JobId | None) -> None:
        """A job ended in it."""
        if slot in self._slots:
            self._jobs.inc(slot, outcome, exemplar=exemplar_of(job))

    def attempt_began(self, slot: SlotName) -> None:
        """An attempt of a stage began."""
        self._count(self._attempts, slot)

    def attempt_failed(self, slot: SlotName, fault: FaultCode) -> None:
        """An attempt ended, and its job goes on."""
        if slot in self._slots:
            self._faults.inc(slot, fault)

    def stalled(self, slot: SlotName) -> None:
        """An attempt ended since the handset did nothing more."""
        self._count(self._stalls, slot)

    def resumed(self, slot: SlotName) -> None:
        """An overwrite went on where an earlier run had been cut off."""
        self._count(self._resumes, slot)

    def reenumerated(self, slot: SlotName) -> None:
        """A handset came back on its port as a new device, told to or not."""
        self._count(self._reenumerations, slot)

    def wrote(
        self, slot: SlotName, size_bytes: int, *, new_bytes: int = 0, worked_s: float = 0.0
    ) -> None:
        """A stage that overwrites passed, and its last run wrote so many in this time."""
        self._count(self._overwritten, slot, size_bytes)
        self._count(self._new_bytes, slot, new_bytes)
        self._count(self._overwriting, slot, worked_s)

    def _count(self, counter: KeptCounter, slot: SlotName, by: float = 1) -> None:
        if slot in self._slots:
            counter.inc(slot, by=by)


def exemplar_of(job: JobId | None) -> dict[str, str] | None:
    """What leads from a count to the job that was counted last; OpenMetrics only."""
    return None if job is None else {"job": job}
