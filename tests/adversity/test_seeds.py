"""A few hundred seeds of the machine; nightly and by hand it looks at many more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEDS_OF_A_TEST = 25
FIRST = range(0, 3000, 500)
LEAST_SELLABLE = 0.3


@pytest.mark.parametrize("first", FIRST)
def test_no_seed_breaks_a_rule(first: int) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "tests.adversity.play", str(first), str(SEEDS_OF_A_TEST)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
        check=True,
        capture_output=True,
        text=True,
    )
    said = json.loads(played.stdout)
    # Each can be played again: scripts/adversity --seed NUMBER
    assert said["faults"] == {}
    # A benchd that holds everything breaks no rule either.
    assert said["sellable"] >= LEAST_SELLABLE * said["handsets"]
    assert said["doomed"] == 0
