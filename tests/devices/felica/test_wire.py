"""What passes between daemon and worker comes out as it went in, or not at all."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.devices.felica.worker.wire import (
    CaptureOrder,
    WorkerOrder,
    capture_of,
    decode,
    encode,
    failure_message,
    order_of,
    scan_message,
    scan_of,
    troubles_of,
)
from benchd.domain.chip import BaselineKind, ChipScan, ChipSystem, ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone, UsageRefused
from benchd.domain.ids import SlotName

TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SCANS = st.builds(
    ChipScan,
    verdict=st.sampled_from(ChipVerdict),
    detail=TEXT,
    chip=st.none() | TEXT,
    ic_type=st.none() | st.integers(0, 255),
    systems=st.lists(st.builds(ChipSystem, code=TEXT, nodes=TEXTS, residue=TEXTS), max_size=3).map(
        tuple
    ),
    polled=TEXTS,
    passes=st.integers(0, 9),
    power_cycled=st.booleans(),
    baseline=st.none() | TEXT,
    baseline_kind=st.none() | st.sampled_from(BaselineKind),
    owners_en=TEXTS,
    owners_ja=TEXTS,
    reader=TEXT,
    elapsed_s=st.floats(0, 1e6),
)
A1, A2 = SlotName("A1"), SlotName("A2")


@given(SCANS)
def test_a_scan_comes_out_as_it_went_in(scan: ChipScan) -> None:
    line = encode(scan_message(7, scan))
    assert line.count(b"\n") == 1
    assert scan_of(decode(line)) == scan


@pytest.mark.parametrize(
    "scan",
    [
        None,
        {},
        {"verdict": "unused"},
        {"verdict": "erased", "detail": ""},
        {"verdict": "unused", "detail": "", "passes": "many"},
        "unused",
    ],
)
def test_what_isnt_a_whole_scan_is_a_fault(scan: object) -> None:
    with pytest.raises(ReaderFault):
        scan_of({"id": 1, "scan": scan})


def test_orders_come_out_as_they_went_in() -> None:
    order = WorkerOrder(slots={A1: "usb:1-4"}, salt=bytes(range(32)), baselines=("/a b.toml",))
    assert order_of(decode(encode(order.as_message()))) == order
    capture = CaptureOrder(name="n", model="m", screen="未利用", seen_on=date(2026, 11, 24))
    assert capture_of(decode(encode({"capture": capture.as_message()}))) == capture


def test_a_slot_that_a_worker_doesnt_tell_of_is_no_good_one() -> None:
    assert troubles_of({"slots": {"A1": None}}, [A1, A2]) == {
        A1: None,
        A2: "the worker doesn't know the slot",
    }
    with pytest.raises(ValueError, match="dict"):
        troubles_of({"slots": None}, [A1])


def test_a_failure_keeps_its_class() -> None:
    assert failure_message(1, ReaderGone("g")) == {"id": 1, "gone": "g"}
    assert failure_message(1, ReaderFault("f")) == {"id": 1, "fault": "f"}
    assert failure_message(1, UsageRefused("u")) == {"id": 1, "refused": "u"}


@pytest.mark.parametrize("line", [b"", b"[]", b"7", b"{", b"\xff"])
def test_what_isnt_an_object_is_no_message(line: bytes) -> None:
    with pytest.raises(ValueError, match="valid"):
        decode(line)
