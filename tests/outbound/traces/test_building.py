"""A job's trace: what took its time, and nothing of whose handset it was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.record import EntryKind
from benchd.outbound.traces.otlp import encode
from benchd.outbound.traces.span import Span
from benchd.outbound.traces.trace_from_records import MOST_SPANS, trace_of
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from tests import recorded
from tests.certificate.certificate_rack import JOB, records_of_an_erasure
from tests.ledger.records.records_rack import INSPECT, RESET
from tests.outbound.hooks.hook_rig import OURS, FakeIssuer
from tests.outbound.traces.job_told import SOURCE, JobTold, minutes
from tests.outbound.traces.otlp_reader import named, request_of, spans_of

SALE = {"disposition": "sellable", "reason": None, "certificate": OURS}


@pytest.fixture
def told() -> JobTold:
    """A job with a retry, two questions and a reboot; the first question waits for 20 minutes."""
    told = JobTold.begun("inspect")
    told.done("inspect", 1, to_json(INSPECT))
    told.started("gates", 1)
    told.asked("consent", 2)
    told.answered("consent", 22)
    told.done("gates", 23)
    told.started("overwrite", 23)
    told.done("overwrite", 30, outcome="interrupted", because="adb_server_lost")
    told.started("overwrite", 31, attempt=2)
    told.tell(EntryKind.ATTACHMENT_CHANGED, 40, attachment="7:2")
    told.done("overwrite", 90, recorded.overwrite(bytes_written=5000, resumed_bytes=1000))
    told.started("confirm", 90)
    told.asked("confirm", 90)
    told.answered("confirm", 95, approved=False)
    told.done("confirm", 95, outcome="failed", because="not_confirmed")
    return told


def by_name(told: JobTold) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for span in told.trace().spans:
        found.setdefault(span.name, []).append(span)
    return found


def test_stages_are_below_the_job_and_attempts_below_their_stage(told: JobTold) -> None:
    told.ended(96, reason="not_confirmed")
    root, *below = told.trace().spans
    assert (root.name, root.parent_id, minutes(root)) == ("job overwrite", None, (0, 96))
    stages = [span for span in below if span.name.startswith("stage ")]
    assert [(span.name, minutes(span)) for span in stages] == [
        ("stage inspect", (0, 1)),
        ("stage gates", (1, 23)),
        ("stage overwrite", (23, 90)),
        ("stage confirm", (90, 95)),
    ]
    assert {span.parent_id for span in stages} == {root.span_id}
    first, second = by_name(told)["attempt overwrite"]
    assert first.parent_id == second.parent_id == stages[2].span_id
    assert (first.error, first.attributes["error.type"]) == ("adb_server_lost", "adb_server_lost")
    assert (second.error, minutes(second)) == (None, (31, 90))
    assert second.attributes["benchd.resumed.bytes"] == 1000
    assert [event.name for event in second.events] == ["handset came back"]
    assert stages[2].error is None
    assert stages[2].attributes["benchd.attempts"] == 2
    assert stages[3].error == stages[3].attributes["benchd.because"] == "not_confirmed"
    assert "benchd.because" not in stages[2].attributes


def test_the_time_of_people_is_apart_from_the_machines(told: JobTold) -> None:
    told.ended(96, reason="not_confirmed")
    first, second = by_name(told)["wait for a person"]
    [gates] = by_name(told)["attempt gates"]
    assert first.parent_id == gates.span_id
    assert (minutes(first), minutes(second)) == ((2, 22), (90, 95))
    assert (first.attributes["benchd.gate"], first.attributes["benchd.approved"]) == (
        "consent",
        True,
    )
    assert second.attributes["benchd.approved"] is False
    root = told.trace().spans[0]
    assert root.attributes["benchd.people.seconds"] == 25 * 60
    assert root.attributes["benchd.machine.seconds"] == 71 * 60


def test_waits_that_overlap_are_counted_once() -> None:
    told = JobTold.begun("gates")
    told.asked("consent", 1)
    told.asked("jpki", 2)
    told.answered("consent", 4)
    told.answered("jpki", 6)
    told.done("gates", 7)
    told.ended(10)
    assert told.trace().spans[0].attributes["benchd.people.seconds"] == 5 * 60


RESET_AWAY = to_json(
    InitialiseEvidence(before=RESET, after=RESET, fresh_used_bytes=1, absent_s=61.5)
)


def test_a_handset_that_was_away_is_a_wait_of_its_own() -> None:
    told = JobTold.begun("initialise", 5)
    told.tell(EntryKind.ATTACHMENT_CHANGED, 8, attachment="7:2")
    told.done("initialise", 9, RESET_AWAY)
    told.ended(10)
    [away] = by_name(told)["wait for the handset"]
    [initialise] = by_name(told)["attempt initialise"]
    assert away.parent_id == initialise.span_id
    assert (away.end - away.start).total_seconds() == 61.5
    assert minutes(away)[1] == 8


def test_a_reset_that_the_port_has_told_of_ends_the_wait_for_whoever_began_it() -> None:
    told = JobTold.begun("initialise", 5)
    told.asked("guided_reset", 6)
    told.tell(EntryKind.ATTACHMENT_CHANGED, 8, attachment="7:2")
    told.done("initialise", 9, RESET_AWAY)
    told.ended(10)
    [away] = by_name(told)["wait for the handset"]
    [wait] = by_name(told)["wait for a person"]
    assert wait.end == away.start
    assert wait.attributes["benchd.answered"] is False
    assert told.trace().spans[0].attributes["benchd.people.seconds"] == 2 * 60 - 61.5


def test_an_absence_that_no_record_ends_is_told_by_its_length_alone() -> None:
    told = JobTold.begun("initialise", 5)
    told.done("initialise", 9, RESET_AWAY)
    told.ended(10)
    [initialise] = by_name(told)["attempt initialise"]
    assert initialise.attributes["benchd.away.seconds"] == 61.5
    assert "wait for the handset" not in by_name(told)


def test_a_job_that_is_cut_short_ends_all_that_is_open() -> None:
    told = JobTold.begun("overwrite", 1)
    told.asked("guided_reset", 2)
    told.ended(9, "aborted", reason="unplugged")
    root, stage, attempt, wait = told.trace().spans
    assert [minutes(span)[1] for span in (root, stage, attempt, wait)] == [9] * 4
    assert [span.error for span in (root, stage, attempt)] == ["unplugged", *["cut_short"] * 2]
    assert wait.attributes["benchd.answered"] is False


def test_the_same_job_has_the_same_trace_whatever_comes_later(told: JobTold) -> None:
    told.ended(96)
    body = encode(told.trace(), SOURCE)
    told.tell(EntryKind.HANDSET_SETTLED, 900, to="destroyed")
    told.ended(999)
    assert encode(told.trace(), SOURCE) == body
    other = JobTold(job=type(told.job)("20261124-ffffffffff"), records=[])
    other.opened()
    other.ended(1)
    ids = [{span.span_id for span in each.trace().spans} for each in (told, other)]
    assert not ids[0] & ids[1]
    assert len(ids[0]) == len(told.trace().spans)


def test_a_job_that_runs_has_no_trace_yet(told: JobTold) -> None:
    assert trace_of(told.records, FakeIssuer()) is None  # type: ignore[arg-type]
    assert trace_of([], FakeIssuer()) is None  # type: ignore[arg-type]


def test_sellable_is_told_only_with_the_racks_own_certificate(told: JobTold) -> None:
    before = list(told.records)
    told.ended(96, "passed", **SALE)
    root = told.trace().spans[0]
    assert (root.attributes["benchd.disposition"], root.error) == ("sellable", None)
    told.records = before
    told.ended(96, "passed", **{**SALE, "certificate": "{}"})
    root = told.trace().spans[0]
    assert (root.attributes["benchd.disposition"], root.error) == ("hold", "record_broken")


def test_the_published_messages_read_it(told: JobTold) -> None:
    told.ended(96)
    request = request_of(encode(told.trace(), SOURCE))
    [resource] = request.resource_spans
    assert named(resource.resource) == {
        "service.name": "benchd",
        "service.instance.id": "ab" * 16,
    }
    root, *below = resource.scope_spans[0].spans
    assert (len(root.trace_id), len(root.span_id), root.parent_span_id) == (16, 8, b"")
    assert {span.trace_id for span in below} == {root.trace_id}
    assert root.end_time_unix_nano - root.start_time_unix_nano == 96 * 60 * 10**9
    assert root.status.code == 2
    attributes = named(root)
    assert attributes["device.model.identifier"] == "SO-51B"
    assert attributes["device.manufacturer"] == "Sony"
    assert attributes["benchd.occupancy"] == 7
    assert attributes["benchd.certified"] is False


def test_a_whole_erasure_has_each_of_its_stages() -> None:
    told = JobTold(records=records_of_an_erasure(), job=JOB)
    told.ended(600, "passed", **SALE)
    stages = [name for name in by_name(told) if name.startswith("stage ")]
    assert len(stages) == len([r for r in told.records if r.entry.kind == "stage_ended"])
    assert len(spans_of(encode(told.trace(), SOURCE))) == 1 + 2 * len(stages)


def test_nothing_in_it_tells_whose_handset_it_was_or_who_has_answered(told: JobTold) -> None:
    told.ended(96)
    body = encode(told.trace(), SOURCE).decode()
    assert spans_of(body.encode())
    for private in ("R5CT10ABCDE", "HQ61230001", "3569380", "佐藤", "sato", "is bad"):
        assert private not in json.dumps(json.loads(body), ensure_ascii=False)


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("SO-51B", "SO-51B"),
        ("SO-51B r5ct10abcde", None),
        ("IMEI 356938035643809", None),
        ("hq61230001", None),
        ("a\x1b[31mb", "a[31mb"),
        ("x" * 500, "x" * 59 + "…"),
        ("", None),
    ],
)
def test_a_model_that_names_its_handset_is_left_out(model: str, shown: str | None) -> None:
    told = JobTold.begun("inspect")
    told.done("inspect", 1, to_json(replace(INSPECT, model=model)))
    told.ended(2)
    assert told.trace().spans[0].attributes.get("device.model.identifier") == shown


def test_a_clock_that_was_set_back_makes_no_span_end_before_it_begins() -> None:
    told = JobTold.begun("overwrite", 60)
    told.done("overwrite", 10)
    told.ended(-5)
    spans = told.trace().spans
    assert all(span.end >= span.start for span in spans)
    assert spans[0].attributes["benchd.clock.set_back"] is True


def test_a_trace_is_bounded_and_says_what_it_lacks() -> None:
    told = JobTold.begun()
    for number in range(MOST_SPANS):
        told.asked("consent", number)
        told.answered("consent", number)
    told.ended(MOST_SPANS)
    spans = told.trace().spans
    assert len(spans) == MOST_SPANS
    assert spans[0].attributes["benchd.spans.left_out"] == 1


@pytest.mark.parametrize("broken", [{"stage": 1}, {"stage": "Not A Name"}, {}])
def test_records_that_cannot_be_read_have_no_trace(broken: dict[str, Any]) -> None:
    told = JobTold.begun()
    told.tell(EntryKind.STAGE_STARTED, 1, **broken)
    told.ended(2)
    with pytest.raises((CertificateGap, ValueError)):
        told.trace()
