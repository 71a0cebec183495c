"""How long each step of a crowd's jobs took, out of the daemon's own ledger."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchd.lab.benchmarks.crowd.crowd_hands import Told
from benchd.lab.benchmarks.crowd.places import slot_number

_KINDS: Final = (
    "occupancy_opened",
    "job_opened",
    "question_asked",
    "decision",
    "job_ended",
)


@dataclass(slots=True, kw_only=True)
class Steps:
    """The first job of one slot; wall time in s."""

    occupied: float = 0.0
    opened: float = 0.0
    ended: float = 0.0
    outcome: str = ""
    reason: str | None = None
    asked: list[float] = field(default_factory=list[float])
    decided: list[float] = field(default_factory=list[float])

    def waited_for_people_s(self, until: float) -> float:
        """How long questions were open before this moment."""
        return sum(
            min(decided, until) - asked
            for asked, decided in zip(self.asked, self.decided, strict=False)
            if asked < until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """One value per slot, in ms."""

    port_to_shown: Sequence[float]
    """From the plug to the record after which the slot is shown as taken, settling included."""
    ready_to_first_byte: Sequence[float]
    """From adb's "device" to the first byte, without the time that people were asked."""
    with_people: Sequence[float]
    """The same with it."""


def read_steps(ledger: Path, after: int = 0) -> dict[int, Steps]:
    """Each slot's first job, by the slot's number, of the records after this one."""
    found: dict[int, Steps] = defaultdict(Steps)
    for kind, slot, body in _records(ledger, after):
        steps, record = found[slot_number(slot)], json.loads(body)
        at = datetime.fromisoformat(record["at"]).timestamp()
        match kind:
            case "occupancy_opened":
                steps.occupied = steps.occupied or at
            case "job_opened":
                steps.opened = steps.opened or at
            case "question_asked":
                steps.asked.append(at)
            case "decision":
                steps.decided.append(at)
            case _ if not steps.ended:
                steps.ended = at
                data: Mapping[str, Any] = record["data"]
                steps.outcome, steps.reason = data["outcome"], data["reason"]
            case _:
                pass
    return dict(found)


def latencies_of(steps: Mapping[int, Steps], told: Iterable[Told]) -> Latencies:
    """What lies between the crowd's moments and the daemon's records."""
    shown: list[float] = []
    first: list[float] = []
    with_people: list[float] = []
    for one in told:
        own = steps.get(one.number)
        if own is None or not one.first_byte:
            continue
        shown.append(1000 * (own.occupied - one.attached))
        gross_s = one.first_byte - one.ready
        with_people.append(1000 * gross_s)
        first.append(1000 * (gross_s - own.waited_for_people_s(one.first_byte)))
    return Latencies(port_to_shown=shown, ready_to_first_byte=first, with_people=with_people)


def count_records(ledger: Path) -> int:
    """How many records it has."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM record").fetchone()[0])


def _records(ledger: Path, after: int) -> list[tuple[str, str, bytes]]:
    marks = ",".join("?" * len(_KINDS))
    query = f"SELECT kind, slot, body FROM record WHERE kind IN ({marks})"  # noqa: S608 - marks only
    query += " AND slot IS NOT NULL AND sequence > ? ORDER BY sequence"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return list(database.execute(query, (*_KINDS, after)))
