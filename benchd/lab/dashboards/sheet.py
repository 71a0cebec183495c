"""What a dashboard is made of: panels with words in both languages, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

FLEET: Final = 'site=~"$site",rack=~"$rack"'
"""Which racks: the variables that stand above each dashboard."""
SHOWN: Final = "$__range"
"""The time that the dashboard shows."""
STEP: Final = "$__interval"
"""How finely Grafana asks, so that a panel has a value for each pixel."""


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
    NAMES = "names"
    """One tile per series, with its name alone: what there is, not how much of it."""


class Unit(StrEnum):
    """In the words of Grafana."""

    COUNT = "short"
    """Whole things: Prometheus makes 11.1 of eleven where it has to guess at the edges."""
    RATIO = "none"
    """How many times as much, or how often per job."""
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


@dataclass(frozen=True, slots=True)
class Shown:
    """What a series or a number is called, and its colour; None leaves that to Grafana."""

    words: Words
    colour: str | None = None


NONE: Final = Words("なし", "none")
ALL_RACKS: Final = Words("全ラック", "all racks")
NO_DATA: Final = Words("データなし", "no data")
NEVER: Final = Words("未実施", "never")
ALIVE: Final[Mapping[int, Shown]] = {
    0: Shown(Words("応答なし", "silent"), "red"),
    1: Shown(Words("応答", "answers"), "green"),
}


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
    good_from: float | None = None
    """Below this it is shown in red, from here on in green."""
    states: Mapping[int, Shown] = field(default_factory=dict[int, Shown])
    """Of `STATES`: what each number stands for."""
    series: Mapping[str, Shown] = field(default_factory=dict[str, Shown])
    """By what its query calls a series: what people are shown instead."""
    colour: str = "blue"
    """Of a value that nothing else gives one; of `NAMES`, where there are any."""
    long_names: bool = False
    """Of `BARS`: names stand above their bars, where they have the whole width."""
    is_age: bool = False
    """Of `BARS`: how long ago, and less than 0 where it never was."""
    known: str = ""
    """What each rack that can tell tells; one that doesn't is shown by name, as `NO_DATA`."""
    may_be_empty: bool = False
    """Whether nothing to show is an answer, `NONE`, once every rack is `known`."""


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


def most(vector: str, count: int) -> str:
    """The largest of them, the largest first: more bars than that nobody reads."""
    return f"sort_desc (topk ({count}, {vector}))"
