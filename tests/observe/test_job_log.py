"""The log tells what becomes of a job, and nobody's data."""

from __future__ import annotations

from datetime import UTC, datetime

from structlog.testing import capture_logs

from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.observe.job_log import JobLog

IMEI = "356938035643809"
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class Watch:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def entry(kind: EntryKind, data: Evidence | None = None) -> Entry:
    return Entry(
        kind=kind, at=NOW, slot=SlotName("A1"), occupancy=4, job=JobId("j1"), data=data or {}
    )


def stage_ended(stage: str, outcome: str = "passed", **evidence: str | int) -> Entry:
    told: Evidence = {"stage": stage, "outcome": outcome, "because": "no_reader"}
    return entry(EntryKind.STAGE_ENDED, {**told, "evidence": evidence})


def logged(*entries: Entry, recalled: Entry | None = None) -> list[dict[str, object]]:
    log = JobLog(Watch())
    with capture_logs() as lines:
        if recalled is not None:
            log.recalled(recalled)
        for each in entries:
            log.stored(each)
    return [dict(line) for line in lines if line["log_level"] != "debug"]


OPENED = entry(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
ENDED = entry(
    EntryKind.JOB_ENDED,
    {"outcome": "failed", "disposition": "hold", "reason": "locked", "detail": f"of {IMEI}"},
)


def test_a_question_and_its_answer_tell_the_gate_whose_it_was_and_how_long_it_took() -> None:
    facts: Evidence = {"gate": "imei", "facts": {"serial": "HQ633K0CQ8", "imei": IMEI}}
    answer: Evidence = {
        "gate": "imei",
        "approved": True,
        "note": IMEI,
        "operator": "佐藤",
        "person": "sato",
        "shown_by": "badge",
    }
    # What was typed or asked about the handset is in no line.
    log = JobLog(Watch())
    with capture_logs() as lines:
        for each in (
            OPENED,
            entry(EntryKind.QUESTION_ASKED, facts),
            entry(EntryKind.DECISION, answer),
            ENDED,
        ):
            log.stored(each)
    assert IMEI not in repr(lines)
    asked, answered = (line for line in lines if line["event"].startswith("question_"))
    where = {"log_level": "info", "slot": "A1", "job": "j1", "occupancy": 4, "gate": "imei"}
    assert asked == {"event": "question_asked", **where}
    said = {"approved": True, "person": "sato", "shown_by": "badge", "seconds": 1.0}
    assert answered == {"event": "question_answered", **where, **said}


def test_a_stage_tells_that_it_began_passed_or_was_skipped() -> None:
    started = entry(EntryKind.STAGE_STARTED, {"stage": "inspect", "attempt": 2})
    told = logged(
        OPENED, started, stage_ended("inspect"), started, stage_ended("felica_check", "skipped")
    )[1:]
    assert [(line["event"], line["stage"]) for line in told] == [
        ("stage_started", "inspect"),
        ("stage_passed", "inspect"),
        ("stage_started", "inspect"),
        ("stage_skipped", "felica_check"),
    ]
    assert told[0]["attempt"] == 2
    assert told[1]["seconds"] == 1.0
    assert told[3]["because"] == "no_reader"


def test_an_attempt_that_failed_is_told_by_whoever_knows_why_and_not_again() -> None:
    assert logged(stage_ended("inspect", "failed")) == []


def test_the_end_of_a_job_tells_model_duration_and_what_was_written() -> None:
    told = logged(
        OPENED,
        stage_ended("inspect", model="SO-52C"),
        stage_ended("overwrite", "failed", bytes_written=3),
        stage_ended("overwrite", bytes_written=118_000_000_000),
        ENDED,
    )
    assert told[-1] == {
        "event": "job_ended",
        "log_level": "info",
        "slot": "A1",
        "job": "j1",
        "occupancy": 4,
        "outcome": "failed",
        "disposition": "hold",
        "reason": "locked",
        "recipe": "overwrite",
        "model": "SO-52C",
        "seconds": told[-1]["seconds"],
        "bytes": 118_000_000_000,
    }
    assert isinstance(told[-1]["seconds"], float)
    assert told[-1]["seconds"] > 0


def test_a_former_daemons_job_ends_without_a_duration_that_nobody_has_measured() -> None:
    [told] = logged(ENDED, recalled=OPENED)
    assert (told["recipe"], told["seconds"], told["model"]) == ("overwrite", None, None)


def test_what_becomes_of_a_handset_after_its_job_is_kept_in_no_memory() -> None:
    log = JobLog(Watch())
    for each in (OPENED, ENDED, entry(EntryKind.HANDSET_SETTLED)):
        log.stored(each)
    assert log._jobs == {}
