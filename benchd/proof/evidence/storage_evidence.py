"""What the overwrite wrote, and what reading it back has shown."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.evidence_values import Number, Seconds, Whole
from benchd.domain.fill import AwakeReport, FilledFile


@dataclass(frozen=True, slots=True, kw_only=True)
class OverwriteEvidence:
    """Stage `overwrite`: what the fill says it wrote, a claim until the read-back."""

    cipher: str
    program_version: str
    mode: str
    key_sha256: str
    file_bytes: Whole
    bytes_written: Whole
    resumed_bytes: Whole
    fill_runs: Whole
    files: tuple[FilledFile, ...]
    small_files: Whole
    small_bytes: Whole
    directories: Whole
    headroom_bytes: Whole
    full_s: Seconds
    capacity_bytes: Whole
    free_bytes_before: Whole
    free_bytes_after: Whole
    used_bytes_before: Whole
    reserved_bytes: Whole
    elapsed_s: Seconds
    rested_s: Seconds
    logs: str | None = None
    """How the logs of a file system that keeps hot and cold data apart were reached."""
    awake: AwakeReport | None = None
    """What was done so that the handset doesn't sleep; the proof doesn't look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackEvidence:
    """Stage `read_back`: how much was read, by which way, and what the host saw itself."""

    check_mode: str
    bytes_proven: Whole
    bytes_bad: Whole
    small_files_same: Whole
    tail_bytes_proven: Whole
    sample_subsections: Whole
    sample_places: Whole
    sampled_from_bytes: Whole
    capacity_bytes: Whole
    coverage: Number
    coverage_of_free: Number
    minimum_coverage: Number
    past_cache: str
    check_elapsed_s: Seconds
    host_samples: Whole
    host_sample_bytes: Whole
    host_mismatches: Whole
    host_past_cache: str
    seed: str
    files_removed: Whole | None = None
    """None, like all about the deletion, until the files are deleted."""
    free_bytes_after_drop: Whole | None = None
    trim: str | None = None
    trimmed_bytes: Whole | None = None
    bytes_shown: Whole | None = None
    """Of what was proven: read right after it was shown that no cache can answer."""
    awake: AwakeReport | None = None
    """As for the overwrite."""
