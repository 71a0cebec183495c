"""Evidence as a ledger holds it, for tests that need some and don't care for most of it."""

from __future__ import annotations

from dataclasses import replace

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import FORM, to_json
from benchd.domain.ids import Evidence
from benchd.domain.intake import BoundBy
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence

OVERWRITE = OverwriteEvidence(
    cipher="aes-128-ctr",
    program_version="1",
    mode="o_direct",
    key_sha256="0" * 64,
    file_bytes=1 << 30,
    bytes_written=0,
    resumed_bytes=0,
    fill_runs=1,
    files=(),
    small_files=0,
    small_bytes=0,
    directories=0,
    headroom_bytes=0,
    full_s=0.0,
    capacity_bytes=0,
    free_bytes_before=0,
    free_bytes_after=0,
    used_bytes_before=0,
    reserved_bytes=0,
    elapsed_s=0.0,
    rested_s=0.0,
)
READ_BACK = ReadBackEvidence(
    check_mode="whole",
    bytes_proven=0,
    bytes_bad=0,
    small_files_same=0,
    tail_bytes_proven=0,
    sample_subsections=0,
    sample_places=0,
    sampled_from_bytes=0,
    capacity_bytes=0,
    coverage=0.0,
    coverage_of_free=0.0,
    minimum_coverage=0.9,
    past_cache="o_direct",
    check_elapsed_s=0.0,
    host_samples=64,
    host_sample_bytes=4096,
    host_mismatches=0,
    host_past_cache="o_direct",
    seed="00" * 16,
)
CHIP = ChipEvidence(source="reader", verdict=ChipVerdict.UNUSED)
BOUND = BoundRecord(
    lot="L-1",
    lot_sequence=1,
    tag="",
    bound_by=BoundBy.TAG,
    imeis=(),
    serial=None,
    model=None,
    differs="",
    by=None,
)


def overwrite(**told: object) -> Evidence:
    """What an overwrite saw."""
    return to_json(replace(OVERWRITE, **told))


def read_back(**told: object) -> Evidence:
    """What a read-back saw."""
    return to_json(replace(READ_BACK, **told))


def chip(**told: object) -> Evidence:
    """What a look at a chip saw."""
    return to_json(replace(CHIP, **told))


def bound(tag: str, **told: object) -> BoundRecord:
    """Which asset of lot L-1 a handset is."""
    return replace(BOUND, tag=tag, **told)


def stage_ended(
    stage: str, evidence: Evidence, *, outcome: str = "passed", because: str | None = None
) -> Evidence:
    """A whole record."""
    return {
        "stage": stage,
        "outcome": outcome,
        "because": because,
        "form": FORM,
        "evidence": evidence,
    }
