"""What hooks are told: CloudEvents by the SDK's reader and the document, never unproven."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from benchd.domain.handset import BatteryMethod
from benchd.domain.hook import HookEventKind, NextAction
from benchd.domain.job import Disposition
from benchd.domain.record import EntryKind, StoredEntry
from benchd.outbound.hooks.hook_events import EVERY_LANE, MEDIA_TYPE, HookEvent, event_of, lane_of
from tests.ledger.records.records_rack import IMEI, Told
from tests.outbound.hooks.hook_rig import OURS, SOURCE, TERMS, FakeIssuer


def last_event(told: Told, job: str = "job-1") -> HookEvent:
    event = event_at(told.stored[-1], [r for r in told.stored if r.entry.job == job])
    assert event is not None
    return event


def event_at(record: StoredEntry, of_job: Sequence[StoredEntry]) -> HookEvent | None:
    return event_of(record, of_job, source=SOURCE, issuer=FakeIssuer())  # type: ignore[arg-type]


def data_of(event: HookEvent) -> dict[str, Any]:
    return json.loads(event.body)["data"]


def inspect(told: Told, **changes: object) -> None:
    told.tell(EntryKind.STAGE_STARTED, "job-1", {"stage": "inspect"})
    told.inspect("job-1", **changes)


def started() -> Told:
    told = Told()
    told.open("job-1")
    return told


def test_another_reader_finds_a_cloud_event_in_it() -> None:
    told = started()
    inspect(told, battery_health_percent=92, battery_health_method=BatteryMethod.SAMSUNG_ASOC)
    told.bind("job-1", "T-9")
    told.sell("job-1", OURS)
    event = last_event(told)
    message = HTTPMessage(headers={"content-type": MEDIA_TYPE}, body=event.body)
    read = from_structured(message, JSONFormat(), CloudEvent)
    assert read.get_id() == event.id
    assert read.get_type() == "benchd.job_ended"
    assert read.get_source() == f"urn:benchd:ledger:{'ab' * 16}"
    assert read.get_subject() == "job-1"
    assert read.get_time() == told.stored[-1].entry.at
    assert read.get_data() == {
        "site": "東京",
        "job": "job-1",
        "slot": "A1",
        "recipe": "overwrite",
        "lot": "L-1",
        "tag": "T-9",
        "handset": {
            "manufacturer": "Sony",
            "model": "SO-51B",
            "serial": "HQ61230001",
            "imei": IMEI,
            "second_imei": None,
            "battery": {
                "health_percent": 92,
                "health_method": "samsung_asoc",
                "cycles": None,
                "cycles_method": None,
            },
        },
        "outcome": "passed",
        "disposition": "sellable",
        "reason": None,
        "certificate": hashlib.sha256(OURS.encode()).hexdigest(),
    }


@pytest.mark.parametrize("certificate", [None, "", '{"payload":"signed by somebody else"}'])
def test_a_word_without_the_racks_own_certificate_sells_nothing(certificate: str | None) -> None:
    told = started()
    told.end("job-1", "passed", "sellable", None, certificate)
    event = last_event(told)
    assert event.disposition is Disposition.HOLD
    data = data_of(event)
    assert (data["outcome"], data["reason"]) == ("failed", "record_broken")
    assert data["certificate"] is None


@pytest.mark.parametrize("broken", [{}, {"outcome": 1}, {"outcome": "great", "disposition": "x"}])
def test_an_end_that_cant_be_read_is_told_as_a_hold(broken: dict[str, Any]) -> None:
    told = started()
    told.end("job-1")
    record = told.stored[-1]
    told.stored[-1] = replace(record, entry=replace(record.entry, data=broken))
    assert data_of(last_event(told))["disposition"] == "hold"


def test_what_comes_later_changes_no_event() -> None:
    told = started()
    first = last_event(told)
    inspect(told)
    told.end("job-1")
    again = event_at(told.stored[0], told.stored)
    assert again is not None
    assert again.body == first.body
    assert "disposition" not in data_of(first)


def test_questions_and_settlings() -> None:
    told = started()
    told.tell(EntryKind.QUESTION_ASKED, "job-1", {"gate": "jpki", "facts": {"imei": IMEI}})
    asked = last_event(told)
    assert (asked.kind, data_of(asked)["gate"]) == (HookEventKind.QUESTION_WAITING, "jpki")
    assert IMEI not in asked.body.decode()
    told.end("job-1", "failed", "return", "managed_device")
    told.settle("job-1", "to_return", "returned", note="佐藤様へ", number="R-7")
    event = last_event(told)
    assert event.kind is HookEventKind.DISPOSITION_SETTLED
    data = data_of(event)
    assert (data["before"], data["to"], data["number"]) == ("to_return", "returned", "R-7")
    assert "佐藤" not in event.body.decode()


def test_an_asset_that_cant_be_plugged_in() -> None:
    told = Told()
    told.dead("T-1")
    event = last_event(told, "case-T-1")
    assert event.kind is HookEventKind.DISPOSITION_SETTLED
    assert event.disposition is Disposition.DESTROY
    assert data_of(event)["to"] == "to_destroy"


def graded(told: Told, *, job: str | None = None, tag: str | None = None) -> HookEvent:
    told.grade("A+", job=job, tag=tag)
    event = event_at(told.stored[-1], [r for r in told.stored if job and r.entry.job == job])
    assert event is not None
    return event


def test_a_grade_is_told_beside_what_its_job_says_by_then() -> None:
    told = started()
    inspect(told)
    told.bind("job-1", "T-9")
    told.sell("job-1", OURS)
    sold = data_of(last_event(told))
    event = graded(told, job="job-1", tag="T-9")
    assert (event.kind, event.job) == (HookEventKind.HANDSET_GRADED, "job-1")
    grade = {"code": "A+", "ja": "A+の状態", "en": "state A+"}
    assert data_of(event) == {**sold, "grade": grade}
    assert event.disposition is Disposition.SELLABLE
    assert "佐藤" not in event.body.decode(), "whose word it is stays on the rack"
    again = event_at(told.stored[-1], [r for r in told.stored if r.entry.job == "job-1"])
    assert again == event


def test_an_asset_can_be_graded_before_it_was_ever_plugged_in() -> None:
    told = Told()
    event = graded(told, tag="T-9")
    read = json.loads(event.body)
    assert (read["subject"], event.job, event.lot, event.disposition) == ("T-9", None, "L-1", None)
    assert (read["data"]["tag"], read["data"]["handset"]) == ("T-9", None)
    assert lane_of(told.stored[-1], []) != EVERY_LANE
    assert not event.is_for(replace(TERMS, dispositions=frozenset({Disposition.SELLABLE})))


@pytest.mark.parametrize("broken", [{}, {"job": 1, "tag": None, "code": 7}])
def test_a_grade_that_cant_be_read_stops_no_hook(broken: dict[str, Any]) -> None:
    told = Told()
    told.tell(EntryKind.HANDSET_GRADED, None, broken)
    assert event_at(told.stored[-1], []) is None


def test_of_a_job_that_isnt_on_record_nothing_is_told() -> None:
    told = Told()
    told.end("job-1")
    assert event_at(told.stored[0], told.stored) is None
    assert event_at(told.stored[0], []) is None


def test_what_a_handset_says_stays_one_bounded_line() -> None:
    told = started()
    inspect(told, model="\x1b[2J" + "\u202e" + "x" * 5000 + "\ud800\n")
    told.end("job-1")
    model = data_of(last_event(told))["handset"]["model"]
    assert model.isprintable()
    assert len(model) <= 100


def test_filters_let_through_only_what_is_known_to_be_meant() -> None:
    told = started()
    opened = last_event(told)
    told.bind("job-1", "T-9", "L-1")
    told.end("job-1")
    ended = last_event(told)
    assert opened.is_for(TERMS)
    assert ended.is_for(replace(TERMS, lots=frozenset({"L-1"})))
    assert not ended.is_for(replace(TERMS, lots=frozenset({"L-2"})))
    assert not opened.is_for(replace(TERMS, lots=frozenset({"L-1"})))
    assert ended.is_for(replace(TERMS, dispositions=frozenset({Disposition.HOLD})))
    assert not ended.is_for(replace(TERMS, dispositions=frozenset({Disposition.SELLABLE})))
    assert not ended.is_for(replace(TERMS, events=frozenset({HookEventKind.JOB_STARTED})))


def test_lanes_are_by_the_serial_of_the_plug_and_tell_nothing_of_it() -> None:
    told = Told()
    told.open("job-1", usb_serial="HQ1")
    told.open("job-2", usb_serial="HQ1")
    told.open("job-3", usb_serial="")
    lanes = [lane_of(record, [record]) for record in told.stored]
    assert lanes[0] == lanes[1] != EVERY_LANE
    assert lanes[2] == EVERY_LANE
    assert "HQ1" not in lanes[0]


DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "docs/hooks.asyncapi.json").read_text()
)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def bodies() -> list[bytes]:
    told = started()
    found = [last_event(told).body]
    inspect(told)
    told.bind("job-1", "T-1")
    told.tell(EntryKind.QUESTION_ASKED, "job-1", {"gate": "jpki", "facts": {}})
    found.append(last_event(told).body)
    told.sell("job-1", OURS)
    found.append(last_event(told).body)
    other = started()
    other.end("job-1", "failed", "return", "managed_device")
    found.append(last_event(other).body)
    other.settle("job-1", "to_return", "returned")
    found.append(last_event(other).body)
    dead = Told()
    dead.dead("T-1")
    return [
        *found,
        last_event(dead, "case-T-1").body,
        graded(other, job="job-1").body,
        graded(Told(), tag="T-1").body,
    ]


@pytest.mark.parametrize("body", bodies())
def test_each_event_fits_its_schema_and_no_other(body: bytes) -> None:
    event = json.loads(body)
    fitting = [kind.value for kind in HookEventKind if jsonschema_rs.is_valid(SCHEMAS[kind], event)]
    assert fitting == [event["type"].removeprefix("benchd.")]
    event["data"]["password"] = "x"
    assert not jsonschema_rs.is_valid(SCHEMAS[fitting[0]], event)


def test_it_names_every_event_and_every_action() -> None:
    assert set(DOCUMENT["channels"]["events"]["messages"]) == set(HookEventKind)
    assert set(SCHEMAS["answer"]["properties"]["next_action"]["enum"]) == set(NextAction)
