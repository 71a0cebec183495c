"""What a dashboard is made of: panels with words in both languages, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FLEET: Final = 'site=~"$site",rack=~"$rack"'
"""Which racks: the variables that stand above each dashboard."""
SHOWN: Final = "$__range"
"""The time that the dashboard shows."""


class Kind(StrEnum):
    """How a panel shows what it has asked for."""

    NUMBER = "number"
    """One figure now, or over the time that is shown."""
    BARS = "bars"
    """One bar per series, the same."""
    LINES = "lines"
    """Over time."""
    STATES = "states"
    """The states of a slot over time, one row each."""


class Unit(StrEnum):
    """In the words of Grafana."""

    COUNT = "short"
    SHARE = "percentunit"
    """0 to 1, shown as per cent."""
    SECONDS = "s"
    BYTES = "decbytes"
    RATE = "Bps"
    """Bytes per second."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    ja: str
    en: str

    def __str__(self) -> str:
        """Both, Japanese first."""
        return f"{self.ja} / {self.en}"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of PromQL, and what its series are called (`{{label}}` is filled in)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture; its width is in 24ths of the page, its height in Grafana's rows."""

    title: Words
    says: Words
    """One sentence: what it shows, and what to do about it."""
    kind: Kind
    queries: tuple[Query, ...]
    unit: Unit = Unit.COUNT
    width: int = 12
    height: int = 8
    worse_from: float | None = None
    """From here on it is shown in red; None where no value is bad by itself."""
    is_alive: bool = False
    """Whether its values are 1 for what is well and 0 for what isn't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One dashboard."""

    uid: str
    """For ever the same: what other pages link to."""
    title: Words
    says: Words
    since: str
    """The time that is shown at first, from then until now (`now-12h`)."""
    panels: tuple[Panel, ...]


def of(name: str, matchers: str = "") -> str:
    """The series of this name of the chosen racks."""
    return f"{name}{{{FLEET}{',' if matchers else ''}{matchers}}}"


def total(name: str, matchers: str = "", *, by: str = "", within: str = SHOWN) -> str:
    """By how much a counter has grown within a time, over all the chosen racks."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (increase({of(name, matchers)}[{within}]))"


def share(part: str, whole: str) -> str:
    """What part has of whole; nothing where there is no whole."""
    return f"{part} / ({whole} > 0)"


def quantile(
    share_below: float, histogram: str, matchers: str = "", *, by: str = "", within: str = SHOWN
) -> str:
    """The value below which this share of all observations within a time lies."""
    labels = f"{by}, le" if by else "le"
    grown = total(f"{histogram}_bucket", matchers, by=labels, within=within)
    # Without observations it is NaN, which no comparison lets through.
    return f"histogram_quantile({share_below}, {grown}) >= 0"
