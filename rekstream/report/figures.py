"""All figures of a report, read from sums that the history keeps: never from results."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from history import money
from history.attendance import MOST_DAYS, attendance
from history.audience_views import audience_between
from history.days import Days
from history.latency import SLOT, Sketches, latency_between, merged
from history.rows import NO_CAMERA
from history.schema import EMOTIONS, gaps, minutes, streams, within
from pipeline.prices import Prices

HOUR, DAY, TWO_WEEKS = 3600, 86_400, 14 * 86_400
BUCKETS = (60, 300, 600, 1800, HOUR, 3 * HOUR, 6 * HOUR, DAY)
MOST_BUCKETS = 100
MOST_GAPS = 50
_FRESH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Period:
    """The time of a report: seconds since 1970, whole hours but for an end that is `now`; no cameras are all."""

    since: float
    until: float
    now: float
    cameras: tuple[str, ...] = ()

    @classmethod
    def around(cls, since: float, until: float, now: float, cameras: Sequence[str] = ()) -> Period:
        """Return the whole hours (of more than two weeks, days in UTC) around two moments, up to now: as sums are kept."""
        step = HOUR if until - since <= TWO_WEEKS else DAY
        return cls(since // step * step, min(math.ceil(until / step) * step, now), now, tuple(dict.fromkeys(cameras)))

    @property
    def bucket(self) -> int:
        """Seconds that are told together in charts."""
        return next((bucket for bucket in BUCKETS if (self.until - self.since) / bucket <= MOST_BUCKETS), DAY)

    @property
    def starts(self) -> range:
        """When each bucket begins."""
        return range(int(self.since) // self.bucket * self.bucket, math.ceil(self.until), self.bucket)


@dataclass(slots=True)
class Sums:
    """What results add up to: `active` are minutes of a camera with at least one result."""

    results: int = 0
    calls: int = 0
    errors: int = 0
    faces: int = 0
    smiling: int = 0
    female: int = 0
    male: int = 0
    active: int = 0
    age_sum: float = 0.0
    age_max: float = 0.0
    emotions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EMOTIONS, 0))

    def add(self, other: Sums) -> None:
        """Add others."""
        for name in _ADDED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.age_max = max(self.age_max, other.age_max)
        for emotion, many in other.emotions.items():
            self.emotions[emotion] += many


_ADDED = tuple(entry.name for entry in fields(Sums) if entry.name not in ("emotions", "age_max"))


@dataclass(frozen=True, slots=True)
class Gap:
    """Results that never got into the history: how many, None where nobody knows."""

    since: float
    until: float
    lost: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report tells. `series` and `presence` (the share of minutes with results, by camera) go by the period's buckets.

    `attendance` is what GET /api/attendance shows, `audience` is what audience_between gives, and `audience_of` the same by
    camera; `latency` goes by buckets of SLOT seconds at least. `written_until` is how far the history is, where that is before
    the end.
    """

    period: Period
    known_cameras: tuple[str, ...]
    total: Sums
    series: Mapping[int, Sums]
    cameras: Mapping[str, Sums]
    presence: Mapping[str, Mapping[int, float]]
    attendance: Sequence[Mapping[str, Any]]
    latency: Mapping[int, Sketches]
    latency_of_all: Sketches
    money: Mapping[str, Any]
    audience: Mapping[str, Any]
    audience_of: Mapping[str, Mapping[str, Any]]
    gaps: Sequence[Gap]
    written_until: float | None


def figures_of(
    connection: Connection,
    period: Period,
    prices: Prices,
    region: str,
    time_zone: str = "",
    may_name: Callable[[str], bool] = lambda _: True,
) -> Figures:
    """Return the figures of a period.

    `region` is where calls would be paid that cost nothing; `time_zone` that of attendance's days, of the last MOST_DAYS of
    them; `may_name` says of which cameras people may be named.
    """
    found = _sums(connection, period)
    latency = latency_between(connection, period.since, period.until, period.cameras, max(period.bucket, SLOT))
    question = money.Question(period.since, period.until, period.now, period.cameras)
    return Figures(
        period,
        _known_cameras(connection),
        _together(found.values()),
        {start: _together(sums for (_, at), sums in found.items() if at == start) for start in period.starts},
        {name: _together(sums for (camera, _), sums in found.items() if camera == name) for name in _names(found)},
        _presence(found, period),
        _attendance(connection, period, time_zone, may_name),
        latency,
        merged(latency.values()),
        money.answer(connection, prices, region, question),
        audience_between(connection, period.since, period.until, period.cameras),
        {name: audience_between(connection, period.since, period.until, [name]) for name in _names(found)},
        _gaps(connection, period),
        _written_until(connection, period),
    )


def _sums(connection: Connection, period: Period) -> dict[tuple[str, int], Sums]:
    """Return the sums by camera and bucket."""
    table = minutes.c
    at = table.minute - table.minute % period.bucket
    names = [name for name in _ADDED if name != "active"]
    sums = [func.sum(table[name]) for name in (*names, *EMOTIONS)]
    asked = select(table.camera, at, func.count(), func.max(table.age_max), *sums).group_by(table.camera, at)
    asked = asked.where(*within(table.minute, period.since, period.until), table.camera != NO_CAMERA)
    if period.cameras:
        asked = asked.where(table.camera.in_(period.cameras))
    found = {}
    for camera, start, active, longest, *values in connection.execute(asked):
        emotions = {name: int(value) for name, value in zip(EMOTIONS, values[len(names) :], strict=True)}
        members = dict(zip(names, values, strict=False))
        found[camera, int(start)] = Sums(**members, active=int(active), age_max=longest, emotions=emotions)
    return found


def _together(found: Iterable[Sums]) -> Sums:
    total = Sums()
    for sums in found:
        total.add(sums)
    return total


def _names(found: Iterable[tuple[str, int]]) -> list[str]:
    return sorted({camera for camera, _ in found})


def _presence(found: Mapping[tuple[str, int], Sums], period: Period) -> dict[str, dict[int, float]]:
    shares: defaultdict[str, dict[int, float]] = defaultdict(dict)
    for (camera, start), sums in found.items():
        begin, end = max(start, period.since), min(start + period.bucket, period.until)
        shares[camera][start] = min(1.0, sums.active / max(1, math.ceil((end - begin) / 60)))
    return dict(sorted(shares.items()))


def _known_cameras(connection: Connection) -> tuple[str, ...]:
    """Return every camera that there are sums of, jumping from one to the next in their index."""
    found: list[str] = []
    while True:
        asked = select(func.min(minutes.c.camera)).where(minutes.c.camera > found[-1] if found else minutes.c.camera != "")
        following = connection.execute(asked).scalar()
        if following is None:
            return tuple(name for name in found if name != NO_CAMERA)
        found.append(following)


def _attendance(
    connection: Connection, period: Period, time_zone: str, may_name: Callable[[str], bool]
) -> list[dict[str, Any]]:
    """Return who came and went, by day: whole days, also where the period begins or ends within one."""
    days = Days(time_zone)
    last = days.day_of(period.until - 1)
    first = max(days.day_of(period.since), last - timedelta(days=MOST_DAYS - 1))

    def is_told(camera: str) -> bool:
        return (not period.cameras or camera in period.cameras) and may_name(camera)

    return attendance(connection, days, first, last, may_name=is_told, now=period.now)


def _gaps(connection: Connection, period: Period) -> list[Gap]:
    table = gaps.c
    asked = select(table.since, table.till, table.lost, table.why).where(table.till >= period.since, table.since < period.until)
    return [Gap(*row) for row in connection.execute(asked.order_by(table.since).limit(MOST_GAPS))]


def _written_until(connection: Connection, period: Period) -> float | None:
    """Return how far the history is, where its writer may not have written all of the period yet."""
    at = connection.execute(select(func.max(streams.c.at))).scalar()
    return None if at is not None and at >= min(period.until, time.time() - _FRESH_SECONDS) else float(at or 0.0)
