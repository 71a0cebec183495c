"""The power is cut below ext4, and what wasn't flushed is gone: no ledger misses what was told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vm.machine import Machine

pytestmark = pytest.mark.timeout(1800)

RECORDS = 480
CUT = (
    "PYTHONPATH=/opt/rack-vm PYTHONDONTWRITEBYTECODE=1 /opt/benchd/current/bin/python3 -m powercut"
)


def cut(machine: Machine, *options: str) -> Any:  # noqa: ANN401 - JSON
    """What a start misses after so many cuts, as the guest tells it."""
    told = json.loads(machine.shell(f"{CUT} {' '.join(options)}", within_s=1700))
    # Many of them shared a commit, or nothing of that was tried.
    assert told["records"] == RECORDS, told
    assert told["commits"] < RECORDS / 2, told
    return told


def test_after_a_power_cut_nothing_is_missed_that_was_acknowledged_or_shown(
    machine: Machine,
) -> None:
    assert cut(machine, "8")["missed"] == []


def test_a_ledger_that_syncs_nothing_is_found_out(machine: Machine) -> None:
    assert cut(machine, "4", "--careless")["missed"]


@pytest.mark.nightly
def test_after_two_hundred_power_cuts_nothing_is_missed(machine: Machine) -> None:
    assert cut(machine, "200")["missed"] == []
