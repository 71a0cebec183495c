"""Schedules as text: a file to keep, and a test to paste."""

from __future__ import annotations

import json
from pathlib import Path

from benchd.domain.evidence_json import from_json, to_json
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.search import Found


def as_text(schedule: Schedule) -> str:
    """JSON with all that the schedule says."""
    return json.dumps(to_json(schedule), indent=1) + "\n"


def from_text(text: str) -> Schedule:
    """The schedule in such a text."""
    # What was kept before a field was there says nothing of it: then it is as it always was.
    return from_json(Schedule, json.loads(text), "schedule", exact=False)


def from_file(path: Path) -> Schedule:
    """The schedule in a file."""
    return from_text(path.read_text(encoding="utf-8"))


def as_test(found: Found) -> str:
    """A test that fails as long as the hole is open; the file beside it holds the same."""
    return (
        f"def test_seed_{found.seed}() -> None:\n"
        f'    schedule = from_text("""{as_text(found.schedule)}""")\n'
        f"    assert faults_of(schedule) == ()\n"
    )


def leave(found: Found, folder: Path) -> Path:
    """Put what was found where a person looks for it: the schedule, and the test to paste."""
    folder.mkdir(parents=True, exist_ok=True)
    schedule = folder / f"seed-{found.seed}.json"
    schedule.write_text(as_text(found.schedule), encoding="utf-8")
    faults = "".join(f"# {fault}\n" for fault in found.faults)
    schedule.with_suffix(".py").write_text(faults + as_test(found), encoding="utf-8")
    return schedule
