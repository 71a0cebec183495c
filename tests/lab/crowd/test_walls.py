"""Rows 1, 3 and 6 with the whole daemon: a rack at work on an old ledger, among strangers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchd.lab.benchmarks.walls_bench import broken_of
from tests.program import BENCHD

PACE = "fill_s = {fill_s}\ncheck_s = 5\naway_s = 0.2\n"
ANSWERED = {name: [0.1] for name in ("/healthz", "/metrics", "look", "stay", "answer")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "records", "neighbours", "fill_s"),
    [
        pytest.param(4, 10_000, 0, 10, marks=pytest.mark.timeout(600)),
        pytest.param(28, 1_000_000, 10, 45, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)]),
    ],
)
def test_a_rack_at_work_on_an_old_ledger_lives_through_strangers(
    short_path: Path,
    capsys: pytest.CaptureFixture[str],
    count: int,
    records: int,
    neighbours: int,
    fill_s: int,
) -> None:
    pace = short_path / "pace.toml"
    pace.write_text(PACE.format(fill_s=fill_s))
    command: Sequence[str | Path] = (
        *(*BENCHD, "bench", "walls", "--json", "--directory", short_path, "--pace", pace),
        *("--count", str(count), "--records", str(records), "--neighbours", str(neighbours)),
        # Whoever shares the processors decides how long an answer takes, so no test judges that.
        *("--patience", "100"),
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert told["records_before"] >= records
    assert set(told["strangers"]) == {"ask", "hold", "guess"}
    # Those who guess were let in nowhere, and somebody was heard at all.
    assert told["strangers"]["guess"].keys() <= {"401", "429", "503", "cut"}
    assert told["strangers"]["guess"]["401"]


@pytest.mark.parametrize("name", ["/healthz", "/metrics", "look", "stay", "answer"])
def test_what_is_late_or_never_answered_is_told(name: str) -> None:
    assert broken_of(ANSWERED, []) == []
    [late] = broken_of({**ANSWERED, name: [0.1, 2.5]}, [])
    assert late.startswith(f"{name} took 2.50 s")
    assert broken_of({**ANSWERED, name: [0.1, 2.5]}, [], patience=3) == []
    assert broken_of({**ANSWERED, name: []}, []) == [f"{name} was never answered"]
    assert broken_of(ANSWERED, ["sign in: HTTP/1.1 429"]) == ["sign in: HTTP/1.1 429"]
