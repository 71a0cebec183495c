"""How fast the crowd's handsets are: latencies and their jitter, out of a file."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from benchd.domain.errors import UsageRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPace:
    """All times in s. The usual ones are of handsets that answer at once, and fill in a minute."""

    answer_s: float = 0.0
    """From a command to its answer."""
    jitter: float = 0.0
    """By which share each of these times may be longer or shorter, drawn evenly."""
    connect_s: float = 0.0
    """From the port to adb's "device"."""
    fill_s: float = 45.0
    check_s: float = 15.0
    """What filling and reading back the whole storage take."""
    chip_pass_s: float = 0.0
    """One look at a chip."""
    shutdown_s: float = 0.3
    """How long a handset still answers after it was asked to restart."""
    away_s: float = 1.0
    """How long a reset takes it off its port,"""
    reset_s: float = 40.0
    """and how long by the port's own clock."""
    seed: int = 20261127

    def __post_init__(self) -> None:
        wrong = [field.name for field in fields(self) if getattr(self, field.name) < 0]
        if wrong or self.jitter >= 1 or not self.fill_s or not self.check_s:
            raise ValueError(
                "times are 0 or more, fill_s and check_s more than 0, jitter less than 1"
            )


_PACE = TypeAdapter(CrowdPace)


def read_pace(path: Path) -> CrowdPace:
    """The paces of a TOML file; raises UsageRefused with what is wrong in it."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageRefused(f"{path}: {error.strerror}; name a file of times in TOML") from error
    except ValueError as error:
        raise UsageRefused(f"{path} is no TOML: {error}") from error
    known = {field.name for field in fields(CrowdPace)}
    unknown = sorted(set(told) - known)
    if unknown:
        raise UsageRefused(f"{path}: {unknown[0]} isn't among {', '.join(sorted(known))}")
    try:
        return _PACE.validate_python(told)
    except ValidationError as error:
        raise UsageRefused(f"{path}: {error.errors()[0]['msg']}") from error


class Drawn:
    """A crowd's own times, drawn around its pace; the same in each run of the same seed."""

    def __init__(self, pace: CrowdPace) -> None:
        self.pace = pace
        self._random = random.Random(pace.seed)  # noqa: S311 - jitter, nobody's secret

    def around(self, seconds: float) -> float:
        """This time, a little longer or shorter."""
        if not seconds or not self.pace.jitter:
            return seconds
        return seconds * self._random.uniform(1 - self.pace.jitter, 1 + self.pace.jitter)
