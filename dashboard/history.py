"""The last hour of what the charts need, from the processes' own /metrics: charts with no Prometheus at hand.

Growth is kept instead of counters, and what no chart tells apart is put together at once, so that memory depends on cameras
and not on processes: some 720 samples of four bytes a row. docs/api.md says how much 40 cameras take.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashboard.queries import Floats, Groups, Need, Where
from dashboard.scraper import MOST_SERIES, Scrape, SeriesReader

log = logging.getLogger(__name__)

SCRAPE_SECONDS = 5.0
KEPT_SECONDS = 3600.0
SLOTS = int(KEPT_SECONDS / SCRAPE_SECONDS) + 5  # and what the first rate of the hour is taken from
ALL = "+Inf"  # the bucket that holds all observations: it tells when the histogram was seen
MOST_ROWS = 20_000  # 58 MB; 40 cameras need about 3,000

Row = NDArray[np.float32]
Key = tuple[str, ...]


class History:
    """Samples of the last hour, at most `slots`; safe for several threads.

    `needs` say which metrics and labels are kept. A counter's growth is that of all processes together; one that fell
    began anew in its process, and the first sample of a process only says where its counters stand.
    """

    def __init__(self, needs: Iterable[Need], slots: int = SLOTS) -> None:
        self._needs = _merged(needs)
        self._slots = slots
        self._lock = threading.RLock()
        self._reader = SeriesReader()
        self._times: Floats = np.full(slots, np.nan)
        self._column = -1
        self._rows: dict[str, dict[Key, Row]] = {metric: {} for metric in self._needs}
        self._bounds: dict[str, set[str]] = {}
        self._before: dict[str, Mapping[str, float]] = {}
        self._is_full = False
        self.unreached: list[str] = []

    @property
    def metrics(self) -> list[str]:
        """The names of the samples that are kept."""
        return list(self._needs)

    def add(self, now: float, scrapes: Iterable[Scrape]) -> None:
        """Take over what all processes said at `now`, seconds since 1970, later than before; nothing of one that babbles."""
        with self._lock:
            if self._column >= 0 and now <= self._times[self._column]:
                self._begin_anew()
            self._begin_column(now)
            living = {scrape.process: scrape.values if self._take(scrape) else None for scrape in scrapes}
            self._remember(living)
            self.unreached = [name for name, values in living.items() if values is None]
            if self._column == 0 and self._is_round():
                self._forget_what_stands_still()

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Let nothing be added inside the with-block, so that all answers in it are of the same times."""
        with self._lock:
            yield

    def times(self) -> Floats:
        """Return when samples were taken, rising, seconds since 1970."""
        with self._lock:
            return self._in_order(self._times)

    def grouped(self, metric: str, by: tuple[str, ...], where: Where, together: str = "sum") -> Groups:
        """Return by the values of the labels `by` one value for each time, NaN where nothing was measured."""
        labels = self._needs[metric].labels
        places = [labels.index(label) for label in by]
        conditions = [(labels.index(label), values) for label, values in where.items()]
        groups: dict[Key, Row] = {}
        with self._lock:
            for key, row in self._rows[metric].items():
                if all(key[place] in values for place, values in conditions):
                    group = tuple(key[place] for place in places)
                    groups[group] = _joined(groups[group], row, together) if group in groups else row
            return {group: self._in_order(row.astype(np.float64)) for group, row in groups.items()}

    def bounds(self, metric: str) -> list[str]:
        """Return the upper bounds of a histogram's buckets, rising."""
        with self._lock:
            return sorted(self._bounds.get(metric, ()), key=float)

    def rows(self) -> int:
        """Return how many rows are kept."""
        with self._lock:
            return sum(map(len, self._rows.values()))

    def _remember(self, living: Mapping[str, Mapping[str, float] | None]) -> None:
        """Keep where the counters of the living processes stand, also of series that are not told for a while."""
        is_hour_over = self._column == 0
        self._before = {
            name: _newer({} if is_hour_over and values else self._before.get(name, {}), values or {})
            for name, values in living.items()
            if values is not None or name in self._before
        }

    def _begin_anew(self) -> None:
        """Drop all samples: Redis's clock was set back, and they would stand in the future."""
        self._times[:] = np.nan
        self._column = -1
        for rows in self._rows.values():
            rows.clear()

    def _begin_column(self, now: float) -> None:
        self._column = (self._column + 1) % self._slots
        self._times[self._column] = now
        for rows in self._rows.values():
            for row in rows.values():
                row[self._column] = np.nan

    def _take(self, scrape: Scrape) -> bool:
        """Take over all that a process said; False when it said nothing, or something that is no series."""
        try:
            read = [(*self._reader.read(series), series, value) for series, value in (scrape.values or {}).items()]
        except ValueError as error:
            log.debug("%s: %s", scrape.process, error)
            return False
        before = self._before.get(scrape.process)
        for metric, labels, series, value in read:
            if metric in self._needs:
                is_counter = self._needs[metric].is_counter
                amount = _growth(value, before, series) if is_counter else value
                self._put(metric, labels, amount, began_at_nought=is_counter and before is not None)
        return scrape.values is not None

    def _put(self, metric: str, labels: Mapping[str, str], amount: float, *, began_at_nought: bool) -> None:
        need, bound = self._needs[metric], labels.get("le")
        if bound is not None:
            self._bounds.setdefault(metric, set()).add(bound)
        is_worth_a_row = amount != 0 or bound in (None, ALL)  # most other buckets stay empty
        key = tuple(labels.get(label, "") for label in need.labels)
        row = self._rows[metric].get(key)
        if row is None and is_worth_a_row and self._has_room():
            row = self._rows[metric][key] = self._new_row(began_at_nought=began_at_nought)
        if row is not None:
            _put(row, self._column, amount, need.together)

    def _new_row(self, *, began_at_nought: bool) -> Row:
        """Return a row of nothing; a counter that is new in a known process stood at 0 one sample before."""
        row = np.full(self._slots, np.nan, np.float32)
        if began_at_nought:
            row[self._column - 1] = 0
        return row

    def _has_room(self) -> bool:
        has_room = self.rows() < MOST_ROWS
        if not has_room and not self._is_full:
            log.warning("the charts keep %d series and no more: newer ones are left out", MOST_ROWS)
        self._is_full = not has_room
        return has_room

    def _forget_what_stands_still(self) -> None:
        """Drop, once in an hour, the rows of what is gone, and of buckets into which nothing fell."""
        for metric, rows in self._rows.items():
            is_bucket = metric in self._bounds
            for key in [key for key, row in rows.items() if _stands_still(row, is_bucket)]:
                del rows[key]

    def _in_order(self, row: Floats) -> Floats:
        """Return a row from the oldest sample on."""
        return np.roll(row, -(self._column + 1)) if self._is_round() else row[: self._column + 1].copy()

    def _is_round(self) -> bool:
        """Say whether the oldest samples are being overwritten."""
        return not np.isnan(self._times[-1])


def _growth(value: float, before: Mapping[str, float] | None, series: str) -> float:
    if before is None:
        return 0.0
    was = before.get(series, 0.0)
    return value - was if value >= was else value


def _newer(before: Mapping[str, float], values: Mapping[str, float]) -> Mapping[str, float]:
    """Return where counters stand, also those that were not told this time, unless a process makes up ever new ones."""
    together = {**before, **values}
    return together if len(together) <= MOST_SERIES else values


def _stands_still(row: Row, is_bucket: bool) -> bool:
    return bool(np.isnan(row).all()) or (is_bucket and not (row > 0).any())


def _put(row: Row, column: int, amount: float, together: str) -> None:
    """Put another process's figure to those of this moment."""
    so_far = row.item(column)
    if so_far != so_far:  # NaN: it is the first  # noqa: PLR0124
        row[column] = amount
    else:
        row[column] = max(so_far, amount) if together == "max" else so_far + amount


def _joined(one: Row, other: Row, together: str) -> Row:
    if together == "max":
        return np.fmax(one, other)
    return np.where(np.isnan(one), other, one + np.nan_to_num(other))


def _merged(needs: Iterable[Need]) -> dict[str, Need]:
    """Return for each metric one need with the labels of all."""
    merged: dict[str, Need] = {}
    for need in needs:
        known = merged.get(need.metric, need)
        if known.together != need.together:
            raise ValueError(f"{need.metric} is put together as {known.together} and as {need.together}")
        merged[need.metric] = replace(known, labels=tuple(sorted({*known.labels, *need.labels})))
    return merged
