"""What a receiver may ask for, and what it never gets, whatever it says."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.hook import NextAction, NotTaken, direction_in, record_of_direction
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.record import EntryKind
from benchd.outbound.hooks.hook_directions import (
    LARGEST_REPLY_BYTES,
    Asked,
    JobNow,
    direction_of,
    job_now,
    read_reply,
    refusal_of,
)
from tests.outbound.hooks.hook_rig import OURS, TERMS, FakeIssuer, rig

JOB = JobId("job-1")


def now(disposition: Disposition | None, holder: str | None = None) -> JobNow:
    return JobNow(job=JOB, ended=disposition is not None, disposition=disposition, holder=holder)


@given(st.binary(max_size=2000))
def test_no_bytes_break_it(body: bytes) -> None:
    asked = read_reply(body)
    assert asked is None or asked.action in (*NextAction, None)


WORDS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=80)
    | st.sampled_from(list(NextAction)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["next_action", "bin", "disposition", "x"]), WORDS))
def test_no_object_lets_a_handset_go_that_isnt_sellable(said: dict[str, object]) -> None:
    asked = read_reply(json.dumps(said).encode())
    if asked is None:
        return
    for disposition in (Disposition.HOLD, Disposition.RETURN, Disposition.DESTROY):
        refused = refusal_of(asked, now(disposition), TERMS)
        if asked.action is NextAction.ROUTE and refused is None:
            assert asked.bin not in TERMS.bins[Disposition.SELLABLE]


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b"", None),
        (b"ok", None),
        (b"{}", None),
        (b"[1]", None),
        (b"9" * 5000, None),
        (b"[" * 9000, None),
        (b'{"next_action":null}', None),
        (b'{"next_action":"hold"}' + b" " * LARGEST_REPLY_BYTES, Asked(action=None)),
        (b'{"next_action":"hold"}', Asked(action=NextAction.HOLD)),
        (b'{"next_action":"route","bin":"S1"}', Asked(action=NextAction.ROUTE, bin="S1")),
        (b'{"next_action":"route"}', Asked(action=None)),
        (b'{"next_action":"hold","bin":"H1"}', Asked(action=NextAction.HOLD)),
        (b'{"next_action":"hold","bin":""}', Asked(action=NextAction.HOLD)),
        (b'{"next_action":"hold","bin":7,"x":[]}', Asked(action=NextAction.HOLD)),
        (b'{"next_action":"reprint","bin":"S1"}', Asked(action=None)),
        (b'{"next_action":"release"}', Asked(action=None)),
        (b'{"next_action":"sellable"}', Asked(action=None)),
        (b'{"next_action":"approve","gate":"consent"}', Asked(action=None)),
    ],
)
def test_what_a_body_asks_for(body: bytes, asked: Asked | None) -> None:
    assert read_reply(body) == asked


def test_where_a_handset_may_be_put() -> None:
    bins = ["S1", "H1", "D1", "somewhere"]
    taken = {
        (disposition, place)
        for disposition, place in product(Disposition, bins)
        if refusal_of(Asked(action=NextAction.ROUTE, bin=place), now(disposition), TERMS) is None
    }
    assert taken == {
        (Disposition.SELLABLE, "S1"),
        (Disposition.HOLD, "H1"),
        (Disposition.DESTROY, "D1"),
    }
    sold = Asked(action=NextAction.ROUTE, bin="S1")
    assert refusal_of(sold, now(Disposition.HOLD), TERMS) is NotTaken.ON_HOLD
    assert refusal_of(sold, now(None), TERMS) is NotTaken.STILL_RUNS
    # What another hook holds isn't let go.
    held = now(Disposition.SELLABLE, "other")
    assert refusal_of(sold, held, TERMS) is NotTaken.ON_HOLD
    assert refusal_of(Asked(action=NextAction.ROUTE, bin="H1"), held, TERMS) is None
    # A running job is only held.
    refused = {each: refusal_of(Asked(action=each), now(None), TERMS) for each in NextAction}
    assert refused.pop(NextAction.HOLD) is None
    assert set(refused.values()) == {NotTaken.STILL_RUNS}


def test_the_record_and_back() -> None:
    asked = Asked(action=NextAction.ROUTE, bin="H1")
    told = direction_of(asked, now(Disposition.HOLD), TERMS, sequence=7)
    assert direction_in(record_of_direction(told, "7-ab")) == told
    for broken in ({}, {**record_of_direction(told, "7-ab"), "next_action": "sell"}):
        assert direction_in(broken) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("disposition", ["hold", "destroy", "return", "sellable"])
async def test_nothing_that_is_asked_for_touches_a_job(tmp_path: Path, disposition: str) -> None:
    """Every answer to every event, held against the job's own records before and after."""
    async with rig(tmp_path) as one:
        one.receiver.replies = (
            b'{"next_action":"free_slot"}',
            b'{"next_action":"route","bin":"S1"}',
            b'{"next_action":"route","bin":"H1"}',
            b'{"next_action":"hold"}',
            b'{"next_action":"reprint"}',
            b'{"next_action":"sellable","disposition":"sellable","approved":true}',
        )
        job = JobId(await one.shop.open("USB001"))
        await one.until_quiet()
        for _ in range(12):
            await one.shop.ask("USB001")
            await one.until_quiet()
        await one.shop.end("USB001", disposition, OURS if disposition == "sellable" else None)
        before = await one.ledger.entries(job)
        await one.until_quiet()
        assert await one.ledger.entries(job) == before
        told = job_now(job, before, FakeIssuer())  # type: ignore[arg-type]
        assert told.disposition == disposition
        answers = await one.answers()
        assert len(answers) == 14
        assert all(entry.job is None for entry in answers)
        assert not any(r.entry.kind is EntryKind.DECISION for r in before)
        kept = one.store.directions(job)
        assert len(kept) == 14
        for each in kept:
            if each.counts and each.action is NextAction.ROUTE:
                assert each.bin != "S1" or disposition == "sellable"
