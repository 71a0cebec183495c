"""The shipped Prometheus configuration, judged by Prometheus' own tool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from metrics_rig import new_metrics, series_of

SHIPPED = Path(__file__).parents[2] / "configs" / "prometheus"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "benchd.rules.yml"),
        ("test", "rules", "benchd.rules.test.yml"),
    ],
)
def test_promtool_accepts_it(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=SHIPPED, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.asyncio
async def test_alerts_name_only_metrics_that_there_are() -> None:
    named = set(re.findall(r"\bbenchd_\w+", (SHIPPED / "benchd.rules.yml").read_text()))
    assert named
    assert named <= {name for name, _ in await series_of(new_metrics())}
