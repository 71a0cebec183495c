from __future__ import annotations

import pytest
from chip_model import PHONE_PMM, SERIAL
from hypothesis import given
from hypothesis import strategies as st

from benchd.devices.felica.protocol.generation import (
    Generation,
    generation_of,
    is_handset_chip,
    lists_codes,
)
from benchd.devices.felica.protocol.node_facts import RequestService
from benchd.devices.felica.protocol.node_lists import SearchServiceCode
from benchd.devices.felica.protocol.polling import Polling
from benchd.devices.felica.protocol.timing import (
    LONGEST_TIMEOUT_S,
    OVERHEAD_S,
    TimingClass,
    command_timeout_s,
    response_time_s,
)


@pytest.mark.parametrize(
    ("timing", "units", "expected_ms"),
    [
        (TimingClass.VARIABLE, 0, 19.3),
        (TimingClass.VARIABLE, 1, 29.0),
        (TimingClass.FIXED, 0, 33.8),
        (TimingClass.READ, 1, 72.5),
        (TimingClass.READ, 15, 614),
        (TimingClass.OTHER, 0, 154.7),
    ],
)
def test_times_of_a_published_handset(timing: TimingClass, units: int, expected_ms: float) -> None:
    assert response_time_s(PHONE_PMM, timing, units) * 1000 == pytest.approx(expected_ms, rel=0.003)


def test_commands_wait_half_as_long_again_as_the_chip_may_take() -> None:
    asked = RequestService(idm=SERIAL, nodes=tuple(range(32)))
    longest = response_time_s(PHONE_PMM, TimingClass.VARIABLE, 32)
    assert asked.timeout_s(PHONE_PMM) == pytest.approx(1.5 * longest + OVERHEAD_S)
    assert SearchServiceCode(idm=SERIAL, index=0).timeout_s(PHONE_PMM) > 0.1


def test_polling_waits_for_all_its_slots() -> None:
    assert Polling(system=0xFFFF).timeout_s >= 0.005 + OVERHEAD_S
    assert Polling(system=0xFFFF, slots=16).timeout_s >= 0.022 + OVERHEAD_S


@given(
    pmm=st.binary(min_size=8, max_size=8),
    timing=st.sampled_from(TimingClass),
    units=st.integers(0, 120),
)
def test_no_pmm_asks_for_no_time_or_for_ever(pmm: bytes, timing: TimingClass, units: int) -> None:
    assert OVERHEAD_S + 0.0045 <= command_timeout_s(pmm, timing, units) <= LONGEST_TIMEOUT_S


def test_generations() -> None:
    assert {ic for ic in range(256) if is_handset_chip(ic)} == {0x06, 0x07, *range(0x10, 0x20)}
    assert generation_of(0x13) is Generation.MOBILE_2
    assert generation_of(0x15) is Generation.MOBILE_3
    assert generation_of(0x16) is Generation.MOBILE_4_APPLE
    assert generation_of(0x17) is Generation.MOBILE_4
    assert generation_of(0x20) is None
    assert {ic for ic in range(256) if lists_codes(ic)} == set(range(0x18, 0x20))
