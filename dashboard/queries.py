"""What charts ask of metrics, in five words: each says itself as PromQL, and computes itself from samples that are kept here.

Both mean the same: rates are extrapolated to their window, counters that fall began anew, and quantiles are interpolated within
a bucket, all as Prometheus does (https://prometheus.io/docs/prometheus/latest/querying/functions/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Groups = dict[tuple[str, ...], Floats]
Where = Mapping[str, tuple[str, ...]]

EXTRAPOLATED_GAPS = 1.1  # of the usual distance between samples: a window's edge that is nearer is reached


@dataclass(frozen=True, slots=True)
class Need:
    """What a query needs of a metric: these labels, and how the series that differ in others are put together."""

    metric: str
    labels: tuple[str, ...]
    is_counter: bool
    together: str = "sum"


@dataclass(frozen=True, slots=True)
class Grid:
    """At which times a query is answered (seconds since 1970, rising), and over how many seconds a rate is taken."""

    times: Floats
    window: float


@dataclass(frozen=True, slots=True)
class Line:
    """One answer: what tells it from the others, and a value for each time of the grid, NaN where there is none."""

    labels: Mapping[str, str]
    values: Floats


class Samples(Protocol):
    """What was measured: for counters their growth since the sample before, for gauges their value."""

    def times(self) -> Floats:
        """Return when samples were taken, rising."""
        ...

    def grouped(self, metric: str, by: tuple[str, ...], where: Where, together: str = "sum") -> Groups:
        """Return by the values of the labels `by` one value for each time, NaN where nothing was measured."""
        ...

    def bounds(self, metric: str) -> list[str]:
        """Return the upper bounds (label `le`) of a histogram's buckets, rising."""
        ...


class Query(Protocol):
    """A question to metrics."""

    def promql(self, matchers: Mapping[str, str], window: str) -> str:
        """Return the question as PromQL; `matchers` are added to each selector, written as ``{"camera": '="door"'}``."""
        ...

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return the answer from samples kept here, those only whose labels are as `where` says."""
        ...

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield what has to be kept for it; `labels` are kept besides its own."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a counter grows in a second."""

    metric: str
    by: tuple[str, ...] = ()
    where: Where = field(default_factory=dict)

    def promql(self, matchers: Mapping[str, str], window: str) -> str:
        """Return it as PromQL."""
        return f"{_aggregated('sum', self.by)} (rate({_selector(self.metric, self.where, matchers)}[{window}]))"

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return a line for each value of `by`."""
        times = samples.times()
        found = samples.grouped(self.metric, self.by, {**self.where, **where})
        return [Line(_named(self.by, key), _rate(times, growth, grid)) for key, growth in found.items()]

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield the counter."""
        yield Need(self.metric, _union(self.by, self.where, labels), is_counter=True)


@dataclass(frozen=True, slots=True)
class Level:
    """What a gauge stands at: the `together` (sum or max) of its series."""

    metric: str
    by: tuple[str, ...] = ()
    where: Where = field(default_factory=dict)
    together: str = "sum"

    def promql(self, matchers: Mapping[str, str], window: str) -> str:  # noqa: ARG002  # a level has no window
        """Return it as PromQL."""
        return f"{_aggregated(self.together, self.by)} ({_selector(self.metric, self.where, matchers)})"

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return a line for each value of `by`."""
        times = samples.times()
        found = samples.grouped(self.metric, self.by, {**self.where, **where}, self.together)
        return [Line(_named(self.by, key), _newest(times, values, grid)) for key, values in found.items()]

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield the gauge."""
        yield Need(self.metric, _union(self.by, self.where, labels), is_counter=False, together=self.together)


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value below which the share `q` of a histogram's observations lies."""

    q: float
    metric: str
    by: tuple[str, ...] = ()
    where: Where = field(default_factory=dict)

    def promql(self, matchers: Mapping[str, str], window: str) -> str:
        """Return it as PromQL."""
        buckets = Rate(f"{self.metric}_bucket", ("le", *self.by), self.where)
        return f"histogram_quantile({self.q:g}, {buckets.promql(matchers, window)})"

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return a line for each value of `by`."""
        metric = f"{self.metric}_bucket"
        bounds = samples.bounds(metric)
        found = samples.grouped(metric, (*self.by, "le"), {**self.where, **where})
        times = samples.times()
        return [
            Line(_named(self.by, key), self._quantile(_bucket_rates(times, found, key, bounds, grid), bounds))
            for key in dict.fromkeys(key[:-1] for key in found)
        ]

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield the buckets."""
        yield Need(f"{self.metric}_bucket", _union(self.by, self.where, (*labels, "le")), is_counter=True)

    def _quantile(self, rates: Floats, bounds: list[str]) -> Floats:
        """Return the quantile for each time, from the rates of the buckets (rows, counted from below)."""
        uppers = np.array([float(bound) for bound in bounds])
        counted = np.maximum.accumulate(rates, axis=0)
        rank = self.q * counted[-1]
        bucket = np.argmax(counted >= rank, axis=0)
        inside = np.minimum(bucket, len(uppers) - 2)  # beyond the last bound nothing is known but that bound
        lower, below = np.append(0.0, uppers)[inside], np.vstack([np.zeros_like(rank), counted])[inside, np.arange(rank.size)]
        height = counted[inside, np.arange(rank.size)] - below
        with np.errstate(divide="ignore", invalid="ignore"):
            value = lower + (uppers[inside] - lower) * (rank - below) / height
        value = np.where(bucket > inside, uppers[-2], value)
        return np.where(counted[-1] > 0, value, np.nan)


@dataclass(frozen=True, slots=True)
class Total:
    """All lines of a query in one."""

    of: Query

    def promql(self, matchers: Mapping[str, str], window: str) -> str:
        """Return it as PromQL."""
        return f"sum ({self.of.promql(matchers, window)})"

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return one line, or none."""
        parts = self.of.lines(samples, where, grid)
        return [Line({}, np.sum([part.values for part in parts], axis=0))] if parts else []

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield what the query needs."""
        return self.of.needs(labels)


@dataclass(frozen=True, slots=True)
class Times:
    """A query's lines, multiplied: another unit."""

    factor: float
    of: Query

    def promql(self, matchers: Mapping[str, str], window: str) -> str:
        """Return it as PromQL."""
        return f"{self.factor:g} * {self.of.promql(matchers, window)}"

    def lines(self, samples: Samples, where: Where, grid: Grid) -> list[Line]:
        """Return the query's lines."""
        return [Line(line.labels, self.factor * line.values) for line in self.of.lines(samples, where, grid)]

    def needs(self, labels: tuple[str, ...]) -> Iterator[Need]:
        """Yield what the query needs."""
        return self.of.needs(labels)


def duration(seconds: float) -> str:
    """Return a time as PromQL writes it: in whole units, of which milliseconds are the smallest."""
    return f"{seconds:.0f}s" if seconds == round(seconds) else f"{seconds * 1000:.0f}ms"


def quoted(value: str) -> str:
    """Return a string as PromQL writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _selector(metric: str, where: Where, matchers: Mapping[str, str]) -> str:
    own = {label: f"=~{quoted('|'.join(values))}" for label, values in where.items()}
    conditions = ", ".join(f"{label}{condition}" for label, condition in {**own, **matchers}.items())
    return f"{metric}{{{conditions}}}" if conditions else metric


def _aggregated(how: str, by: tuple[str, ...]) -> str:
    return f"{how} by ({', '.join(by)})" if by else how


def _union(by: tuple[str, ...], where: Where, labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*by, *where, *labels}))


def _named(by: tuple[str, ...], key: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(by, key, strict=True))


def _bucket_rates(times: Floats, found: Groups, key: tuple[str, ...], bounds: list[str], grid: Grid) -> NDArray[Any]:
    """Return the rate of each bucket; one that nothing ever fell into, or below, stands at 0 wherever the others are known."""
    nothing = np.full(times.size, np.nan)
    rows = np.stack([found.get((*key, bound), nothing) for bound in bounds])
    known = ~np.isnan(rows).all(axis=0)
    rows = np.where(known & np.isnan(rows), 0.0, rows)
    return np.stack([_rate(times, row, grid) for row in rows])


def _newest(times: Floats, values: Floats, grid: Grid) -> Floats:
    """Return for each time the newest value that is not older than the window."""
    if not times.size:
        return np.full(grid.times.size, np.nan)
    index = np.searchsorted(times, grid.times, side="right") - 1
    is_fresh = (index >= 0) & (grid.times - times[index] <= grid.window)
    return np.where(is_fresh, values[index], np.nan)


def _rate(times: Floats, growth: Floats, grid: Grid) -> Floats:
    """Return for each time the growth a second over the window before it, NaN where fewer than two samples lie in it."""
    known = ~np.isnan(growth)
    times, total = times[known], np.cumsum(growth[known])
    if times.size < _FEWEST:
        return np.full(grid.times.size, np.nan)
    start = grid.times - grid.window
    first = np.minimum(np.searchsorted(times, start, side="left"), times.size - 1)
    last = np.searchsorted(times, grid.times, side="right") - 1
    is_enough = last > first
    covered = np.where(is_enough, times[last] - times[first], 1.0)
    usual = covered / np.where(is_enough, last - first, 1)
    before, after = times[first] - start, grid.times - times[last]
    reached = covered + sum(np.where(edge < usual * EXTRAPOLATED_GAPS, edge, usual / 2) for edge in (before, after))
    return np.where(is_enough, (total[last] - total[first]) * reached / covered / grid.window, np.nan)


_FEWEST = 2
