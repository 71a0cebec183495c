"""The document for programs: what is sent fits it, and what isn't doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from benchd.domain.hook import HookEventKind, NextAction
from benchd.domain.record import EntryKind
from tests.ledger.records.records_rack import Told
from tests.outbound.hooks.hook_rig import OURS
from tests.outbound.hooks.test_events import inspect, last_event, started

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
    return [*found, last_event(dead, "case-T-1").body]


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
