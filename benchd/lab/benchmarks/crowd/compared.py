"""One figure of a crowd in several ways of running it, over rounds in which these took turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.crowd.measure import Measured

Ratio = Callable[[Sequence[float], Sequence[float]], float | None]


def compared(
    name: str,
    found: Mapping[str, Sequence[Measured]],
    *,
    base: str,
    ratios: Mapping[str, str],
    ratio: Ratio,
) -> dict[str, JsonValue]:
    """Each way's median, and by the key in `ratios` what its figures are of those of `base`."""
    values = {way: [float(str(one.figures[name])) for one in runs] for way, runs in found.items()}
    return {
        **{way: round(median(each), 4) for way, each in values.items()},
        **{key: ratio(values[way], values[base]) for way, key in ratios.items()},
    }


def median_of_ratios(these: Sequence[float], base: Sequence[float]) -> float | None:
    """The median of each round's own ratio."""
    ratios = [one / other for one, other in zip(these, base, strict=True) if other]
    return round(median(ratios), 3) if ratios else None


def ratio_of_medians(these: Sequence[float], base: Sequence[float]) -> float | None:
    """Whichever rounds the medians are of."""
    other = median(base)
    return round(median(these) / other, 3) if other else None
