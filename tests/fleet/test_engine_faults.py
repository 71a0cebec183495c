"""Faults by the seed against the engine of configs/fleet/, each machine in a network namespace.

Another seed, or many: scripts/fleet-faults --engine. At night there are twelve, each night others.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fleet.faults.engine_play import FleetOnEngine
from tests.fleet.faults.engine_schedule import FROM_ANY_BATCH, EngineFault, draw
from tests.fleet.faults.rack import ENVIRONMENT, ROOT

STRICT = "synchronous_mode_strict: true"


@pytest.mark.parametrize("first", [0, 6, 1200])
def test_six_seeds_have_every_fault(first: int) -> None:
    drawn = [fault for seed in range(first, first + FROM_ANY_BATCH) for fault in draw(seed)]
    assert sorted(drawn) == sorted(EngineFault)
    assert draw(first) == draw(first)
    assert draw(first) != draw(first + FROM_ANY_BATCH)


@pytest.mark.parametrize("fault", EngineFault)
def test_every_fault_can_be_played(fault: EngineFault) -> None:
    assert hasattr(FleetOnEngine, f"_{fault.name.lower()}")


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_an_engine_that_acknowledges_with_one_database_alone_is_noticed() -> None:
    words = ["--engine", "--seed=1", f"--fault={EngineFault.SILENT_STANDBY.name}"]
    words.append(f"--planted={STRICT}=>{STRICT[:-4]}false")
    played = subprocess.run(
        [sys.executable, "-m", "tests.fleet.faults", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=ENVIRONMENT,
        timeout=800,
    )
    assert played.returncode == 1, played.stdout + played.stderr
    assert "acknowledged by one database alone" in played.stdout, played.stdout
