"""A drawn week in a Prometheus: what `promtool` makes blocks of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from subprocess import run
from typing import Final

from benchd.config.model_files import read_models, shipped_models
from benchd.lab.dashboards import week as drawn
from benchd.lab.dashboards.week.openmetrics import week

_METRIC: Final = re.compile(r"\b(?:(?:instance:)?benchd_[\w:]+|process_\w+|up(?=\{)|ALERTS)\b")


def metrics_of(dashboards: Iterable[Path]) -> frozenset[str]:
    """The metrics that these dashboards ask for."""
    expressions = (
        target["expr"]
        for file in dashboards
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    )
    return frozenset(name for expr in expressions for name in _METRIC.findall(expr))


def key_of(names: Collection[str]) -> str:
    """What a week with these metrics is kept by: it changes with whatever draws it."""
    sources = sorted(Path(drawn.__file__).parent.glob("*.py"))
    parts = [" ".join(sorted(names)), *(file.read_text() for file in sources)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def gather(folder: Path, names: Collection[str]) -> None:
    """Draw the week into `folder/series`; some minutes, and 30 MB of text at a time.

    Raises:
        subprocess.CalledProcessError: promtool doesn't take it; it has said why.
    """
    for file in week(folder, read_models([shipped_models()]), names):
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        run([*command, str(file), str(folder / "series")], check=True)
        file.unlink()
