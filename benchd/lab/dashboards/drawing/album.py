"""Which pictures are kept, and of which dashboards they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

DASHBOARDS: Final = Path(__file__).parents[4] / "configs" / "grafana" / "dashboards"
DRAWN_FROM: Final = "grafana-drawn-from.json"
"""Beside the pictures: the SHA-256 of each dashboard as it was when they were drawn."""
_TEN_MINUTES_S: Final = 600
_HALF_A_DAY_S: Final = 12 * 3600
_WEEK_S: Final = 7 * 86400


class Source(StrEnum):
    """Whose figures."""

    DEMO = "demo"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Picture:
    """One dashboard with one source's figures."""

    uid: str
    source: Source
    range_s: int
    """The time that it shows, up to the source's end."""
    mode: str = "dark"

    @property
    def name(self) -> str:
        """The picture's file."""
        light = "-light" if self.mode == "light" else ""
        return f"grafana-{self.uid.removeprefix('benchd-')}-{self.source}{light}.png"


ALBUM: Final = (
    Picture("benchd-rack-today", Source.WEEK, _HALF_A_DAY_S),
    Picture("benchd-rack-today", Source.WEEK, _HALF_A_DAY_S, "light"),
    Picture("benchd-cables", Source.WEEK, _WEEK_S),
    Picture("benchd-models", Source.WEEK, _WEEK_S),
    Picture("benchd-felica", Source.WEEK, _WEEK_S),
    Picture("benchd-service", Source.WEEK, _WEEK_S),
    Picture("benchd-rack-today", Source.DEMO, _TEN_MINUTES_S),
    Picture("benchd-cables", Source.DEMO, _TEN_MINUTES_S),
    Picture("benchd-models", Source.DEMO, _TEN_MINUTES_S),
    Picture("benchd-felica", Source.DEMO, _TEN_MINUTES_S),
    Picture("benchd-service", Source.DEMO, _TEN_MINUTES_S, "light"),
)


def digests(dashboards: Iterable[Path]) -> str:
    """What `DRAWN_FROM` says when the pictures are of these files."""
    told = {file.stem: hashlib.sha256(file.read_bytes()).hexdigest() for file in dashboards}
    return json.dumps(told, indent=1, sort_keys=True) + "\n"
