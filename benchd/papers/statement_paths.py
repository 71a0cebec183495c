"""Looks into a statement that has verified by dotted paths: what isn't there is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, cast

_JAPAN: Final = timezone(timedelta(hours=9))
"""Racks stand in Japan, which knows no summer time; a page of any machine tells the same."""


class StatementPaths:
    """A part of a statement."""

    def __init__(self, value: object) -> None:
        """Any JSON value."""
        self.value = value

    def at(self, path: str) -> StatementPaths:
        """What stands at a dotted path of names; a part that is None where it leads nowhere."""
        value = self.value
        for name in path.split("."):
            value = (
                cast("Mapping[str, object]", value).get(name)
                if isinstance(value, Mapping)
                else None
            )
        return StatementPaths(value)

    def parts(self, path: str) -> tuple[StatementPaths, ...]:
        """Each part of a list."""
        value = self.at(path).value
        if isinstance(value, str) or not isinstance(value, Sequence):
            return ()
        return tuple(StatementPaths(each) for each in cast("Sequence[object]", value))

    def text(self, path: str = "") -> str:
        """A text or number as it stands; empty where there is none."""
        value = self.at(path).value if path else self.value
        return str(value) if isinstance(value, str | int | float) else ""

    def number(self, path: str) -> float:
        """A number; 0 where there is none."""
        value = self.at(path).value
        return float(value) if isinstance(value, int | float) else 0.0

    def day_and_time(self, path: str) -> str:
        """A time as Japan's clocks show it, to the minute; empty where there is none."""
        told = self.text(path)
        return japanese_time(datetime.fromisoformat(told)) if told else ""


def japanese_time(at: datetime) -> str:
    """A time as Japan's clocks show it, to the minute."""
    return at.astimezone(_JAPAN).strftime("%Y-%m-%d %H:%M JST")


def moment_of(told: StatementPaths, path: str) -> datetime:
    """A time that the statement always has."""
    return datetime.fromisoformat(told.text(path)).astimezone(UTC)
