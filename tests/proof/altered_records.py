"""Records of a good job with a lie in them, as a proof has to find it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.job import Gate, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry

Records = Sequence[StoredEntry]
Data = dict[str, Any]
Change = Callable[[Data], Data]


def stored(
    sequence: int,
    kind: EntryKind,
    data: Evidence | None = None,
    *,
    job: str = "j",
    at: datetime = datetime(2026, 11, 24, 9, tzinfo=UTC),
) -> StoredEntry:
    told = {} if data is None else data
    entry = Entry(kind=kind, at=at, slot=SlotName("A1"), occupancy=1, job=JobId(job), data=told)
    return StoredEntry(sequence=sequence, entry=entry, hash_hex=f"{sequence:064x}")


def with_data(record: StoredEntry, **values: Any) -> StoredEntry:  # noqa: ANN401 - JSON
    return replace(record, entry=replace(record.entry, data={**record.entry.data, **values}))


def altered(
    records: Records, kind: EntryKind, change: Change, **where: object
) -> list[StoredEntry]:
    """The same with each record of this kind altered that has these values."""
    result: list[StoredEntry] = []
    hits = 0
    for record in records:
        data = json.loads(json.dumps(dict(record.entry.data)))
        if record.entry.kind is kind and all(data.get(k) == v for k, v in where.items()):
            data, hits = change(data), hits + 1
        result.append(replace(record, entry=replace(record.entry, data=data)))
    assert hits, f"there is no {kind} like {where}"
    return result


def ended(records: Records, stage: StageName, change: Change) -> list[StoredEntry]:
    """The same with another end of this stage."""
    return altered(records, EntryKind.STAGE_ENDED, change, stage=stage)


def answered(records: Records, gate: Gate, change: Change) -> list[StoredEntry]:
    """The same with another answer at this gate."""
    return altered(records, EntryKind.DECISION, change, gate=gate)


def put(**values: object) -> Change:
    return lambda data: {**data, **values}


def seen(**values: object) -> Change:
    """In a stage's evidence."""
    return lambda data: {**data, "evidence": {**data["evidence"], **values}}


def back(**values: object) -> Change:
    """In what was seen of the handset once it was back."""
    return lambda data: {**data, "came_back": {**data["came_back"], **values}}
