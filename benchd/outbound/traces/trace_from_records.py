"""From the records of an ended job to its trace: a function of the ledger, and of nothing else.

The job is the root, below it its stages, their attempts, and what an attempt has waited for:
people, and the handset that was away. Codes and times; no note, number or name of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from benchd.domain.ids import Evidence
from benchd.domain.job import Outcome
from benchd.domain.plain_text import printable
from benchd.domain.record import EntryKind, StoredEntry
from benchd.outbound.traces.job_intervals import WAIT, Stretches
from benchd.outbound.traces.span import Span, Trace, Value, span_id_of, trace_id_of
from benchd.proof.attended_time import whole_time
from benchd.proof.job_history import JobHistory, fold_job
from benchd.proof.ports import CertificateIssuer

LONGEST_WORD: Final = 60
SHORTEST_NUMBER: Final = 4
"""A shorter serial is no one's: it would be found in every word."""
_MANY_DIGITS: Final = re.compile(r"\d{8}")
"""No model has so many in a row; an IMEI and many a serial have."""
MOST_SPANS: Final = 2000
"""More than any job has that people could still read; the rest is counted."""


def trace_of(records: Sequence[StoredEntry], issuer: CertificateIssuer) -> Trace | None:
    """The trace of a job by its records; None while it hasn't ended.

    How it ended is believed as everywhere: SELLABLE only with a certificate that `issuer` vouches
    for. Raises CertificateGap or ValueError for records that can't be read.
    """
    of_job = _up_to_end(records)
    if not of_job:
        return None
    history, opened = fold_job(of_job, issuer), of_job[0]
    root = span_id_of(history.job, "job", opened.sequence)
    stretches = Stretches(history.job, root)
    for record in of_job[1:]:
        stretches.see(record)
    start, last = opened.entry.at, of_job[-1].entry.at
    below, end = stretches.ended(last), max(start, last)
    left_out = len(below) - (MOST_SPANS - 1)
    job = Span(
        name=f"job {history.recipe}",
        span_id=root,
        parent_id=None,
        start=start,
        end=end,
        attributes={
            **_of_job(history, opened),
            **_of_time(below, start, end),
            **_of_clock(of_job),
            **({"benchd.spans.left_out": left_out} if left_out > 0 else {}),
        },
        events=stretches.beside,
        error=None if history.outcome is Outcome.PASSED else _why(history),
    )
    return Trace(trace_id=trace_id_of(history.job), spans=(job, *below[: MOST_SPANS - 1]))


def _up_to_end(records: Sequence[StoredEntry]) -> Sequence[StoredEntry]:
    """What came later of the handset is another story, and would change the trace each time."""
    for place, record in enumerate(records):
        if record.entry.kind is EntryKind.JOB_ENDED:
            return records[: place + 1]
    return ()


def _of_job(history: JobHistory, opened: StoredEntry) -> dict[str, Value]:
    told = history.handset or {}
    numbers = numbers_of(opened.entry.data, history.handset)
    found: dict[str, Value | None] = {
        "benchd.job": history.job,
        "benchd.slot": history.slot,
        "benchd.occupancy": history.occupancy,
        "benchd.recipe": history.recipe,
        "benchd.outcome": history.outcome,
        "benchd.disposition": history.disposition,
        "benchd.reason": history.reason,
        "benchd.certified": history.envelope is not None,
        "benchd.written.bytes": history.bytes_written,
        "benchd.questions": len(history.decisions),
        "device.manufacturer": make_of(told.get("manufacturer"), numbers),
        "device.model.identifier": make_of(told.get("model"), numbers),
        "error.type": None if history.outcome is Outcome.PASSED else _why(history),
    }
    return {name: value for name, value in found.items() if value is not None}


def _of_time(below: Iterable[Span], start: datetime, end: datetime) -> dict[str, Value]:
    """Seconds that people took, and those of everything else; waits that overlap count once."""
    waits = [(wait.start, min(wait.end, end)) for wait in below if wait.name == WAIT]
    people = whole_time(waits)
    return {
        "benchd.people.seconds": people.total_seconds(),
        "benchd.machine.seconds": (end - start - people).total_seconds(),
    }


def _of_clock(records: Sequence[StoredEntry]) -> dict[str, Value]:
    """Times of records are the wall clock's: one that was set back makes durations wrong."""
    back = any(later.entry.at < record.entry.at for record, later in pairwise(records))
    return {"benchd.clock.set_back": True} if back else {}


def _why(history: JobHistory) -> str:
    return history.reason or history.outcome or Outcome.FAILED


def numbers_of(opened: Evidence, inspected: Evidence | None) -> frozenset[str]:
    """All that tells this handset from others, in lower case."""
    told = [opened.get("usb_serial")]
    told += [(inspected or {}).get(name) for name in ("serial", "imei", "second_imei")]
    words = (word.strip().lower() for word in told if isinstance(word, str))
    return frozenset(word for word in words if len(word) >= SHORTEST_NUMBER)


def make_of(value: object, numbers: Collection[str]) -> str | None:
    """A maker or model in plain letters; None where it has one of the numbers in it."""
    if not isinstance(value, str):
        return None
    word = printable(value, LONGEST_WORD)
    told = word.lower()
    hidden = _MANY_DIGITS.search(word) or any(number in told for number in numbers)
    return None if hidden or not word else word
