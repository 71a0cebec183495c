"""A trace as OpenTelemetry has it, as far as benchd needs it, and the numbers of its parts.

Source: OpenTelemetry specification, trace/api.md; W3C Trace Context, level 2, 3.2.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchd.domain.ids import JobId

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8

Value = str | bool | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of time, and what it was spent on."""

    name: str
    """Of a closed list, the same for all jobs: backends group by it."""
    span_id: str
    parent_id: str | None
    start: datetime
    end: datetime
    """Never before its start."""
    attributes: Mapping[str, Value] = field(default_factory=dict[str, Value])
    events: tuple[SpanEvent, ...] = ()
    error: str | None = None
    """A code for why it didn't end well; None where it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All spans of one job: the job itself first, each other after its parent."""

    trace_id: str
    spans: tuple[Span, ...]


def trace_id_of(job: JobId) -> str:
    """32 hex digits: the same for a job whenever and by whomever it is asked for."""
    return _digest(f"benchd trace v1\n{job}", TRACE_ID_BYTES)


def span_id_of(job: JobId, kind: str, sequence: int) -> str:
    """16 hex digits for what begins with this record of the ledger."""
    return _digest(f"benchd span v1\n{job}\n{kind}\n{sequence}", SPAN_ID_BYTES)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[: 2 * length]
