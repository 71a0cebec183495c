"""Metrics whose samples are made when they change, instead of all of them at each scrape.

The library makes every sample of every series anew for each scrape: on a rack of 256 slots that
are ten thousand, most of which say the same as a minute before. These say by `changes` whether
they do. They are changed by one thread and read by another, which sees each sample whole.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample

Values = tuple[str, ...]
"""Of a series' labels, in their order."""


class KeptFamily(Metric):
    """One metric's samples; those of a series stand one after the other, all series alike."""

    def __init__(self, name: str, text: str, kind: str, labels: Sequence[str]) -> None:
        """`kind` is the type in the words of the library."""
        super().__init__(name, text, kind)
        self.labels = tuple(labels)
        self.changes = 0
        """Grows after each change: who has read at the same number has read the same."""
        self._places: dict[Values, int] = {}

    def arrange(self, series: Mapping[Values, Sequence[Sample]]) -> None:
        """These there are from now on."""
        samples: list[Sample] = []
        self._places.clear()
        for values, own in series.items():
            self._places[values] = len(samples)
            samples.extend(own)
        # A new list: somebody may be reading the old one.
        self.samples = samples
        self.changes += 1

    def replace(self, values: Values, own: Sequence[Sample]) -> None:
        """What a series says from now on; one that isn't arranged yet comes last."""
        at = self._places.get(values)
        if at is None:
            self._places[values] = len(self.samples)
            self.samples.extend(own)
        else:
            self.samples[at : at + len(own)] = own
        self.changes += 1


class KeptCounter(Collector):
    """Counts from zero, by its labels."""

    def __init__(
        self, name: str, text: str, labels: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        """`name` without `_total`, which the samples get."""
        self._family = KeptFamily(name, text, "counter", labels)
        self._counts: dict[Values, float] = {}
        self._exemplars: dict[Values, Exemplar] = {}
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The one family."""
        yield self._family

    def arrange(self, series: Iterable[Sequence[str]]) -> None:
        """There are these series: new ones begin at zero, others end."""
        arranged = [tuple(map(str, values)) for values in series]
        self._counts = {values: self._counts.get(values, 0.0) for values in arranged}
        self._exemplars = {v: told for v, told in self._exemplars.items() if v in self._counts}
        self._family.arrange({values: [self._sample(values)] for values in arranged})

    def inc(self, *values: str, by: float = 1, exemplar: Mapping[str, str] | None = None) -> None:
        """So many more; raises ValueError for fewer."""
        if by < 0:
            message = "a counter only grows"
            raise ValueError(message)
        key = tuple(map(str, values))
        self._counts[key] = self._counts.get(key, 0.0) + by
        if exemplar is not None:
            self._exemplars[key] = _exemplar(exemplar, by)
        self._family.replace(key, [self._sample(key)])

    def _sample(self, values: Values) -> Sample:
        labels = dict(zip(self._family.labels, values, strict=True))
        total, last = f"{self._family.name}_total", self._exemplars.get(values)
        return Sample(total, labels, self._counts[values], exemplar=last)


class KeptGauge:
    """What is so now, by its labels; the family of whoever collects it."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.family = KeptFamily(name, text, "gauge", labels)
        self._numbers: dict[Values, float] = {}

    def arrange(self, series: Iterable[Sequence[str]]) -> None:
        """There are these series, all of them at zero."""
        arranged = [tuple(map(str, values)) for values in series]
        self._numbers = dict.fromkeys(arranged, 0.0)
        self.family.arrange({values: [self._sample(values)] for values in arranged})

    def set(self, number: float, *values: str) -> None:
        """It is so much now."""
        if self._numbers.get(values) != number:
            self._numbers[values] = number
            self.family.replace(values, [self._sample(values)])

    def _sample(self, values: Values) -> Sample:
        labels = dict(zip(self.family.labels, values, strict=True))
        return Sample(self.family.name, labels, self._numbers[values])


@dataclass(slots=True)
class _Observed:
    """One series of a histogram: how many fell into each bucket alone."""

    counts: list[int]
    exemplars: list[Exemplar | None]
    total: float = field(default=0.0)


class KeptHistogram(Collector):
    """Counts by size, by its labels."""

    def __init__(
        self,
        name: str,
        text: str,
        labels: Sequence[str],
        *,
        registry: CollectorRegistry,
        buckets: Sequence[float],
    ) -> None:
        """`buckets` are upper bounds, growing, below a million; the one without bound is added."""
        self._family = KeptFamily(name, text, "histogram", labels)
        self._bounds = (*map(float, buckets), math.inf)
        self._edges = (*(repr(bound) for bound in self._bounds[:-1]), "+Inf")
        self._observed: dict[Values, _Observed] = {}
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The one family."""
        yield self._family

    def begin(self, *values: str) -> None:
        """There is this series, with nothing in it."""
        key = tuple(map(str, values))
        self._family.replace(key, self._samples(key, self._series(key)))

    def observe(
        self, seconds: float, *values: str, exemplar: Mapping[str, str] | None = None
    ) -> None:
        """One more of this size."""
        key = tuple(map(str, values))
        series, bucket = self._series(key), bisect_left(self._bounds, seconds)
        series.counts[bucket] += 1
        series.total += seconds
        if exemplar is not None:
            series.exemplars[bucket] = _exemplar(exemplar, seconds)
        self._family.replace(key, self._samples(key, series))

    def _series(self, values: Values) -> _Observed:
        size = len(self._bounds)
        return self._observed.setdefault(values, _Observed([0] * size, [None] * size))

    def _samples(self, values: Values, series: _Observed) -> Sequence[Sample]:
        name, labels = self._family.name, dict(zip(self._family.labels, values, strict=True))
        samples: list[Sample] = []
        counted = 0.0
        for edge, count, last in zip(self._edges, series.counts, series.exemplars, strict=True):
            counted += count
            samples.append(Sample(f"{name}_bucket", {**labels, "le": edge}, counted, exemplar=last))
        samples.append(Sample(f"{name}_count", labels, counted))
        samples.append(Sample(f"{name}_sum", labels, series.total))
        return samples


def _exemplar(labels: Mapping[str, str], value: float) -> Exemplar:
    return Exemplar(dict(labels), value, time.time())
