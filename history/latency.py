"""How old results were, and in which stages the time went: by ten minutes and camera, as counts of times about as long.

A sketch counts each time in a bucket 4 % wide, so that percentiles of any range and any cameras are right within 2 %, without
a look at results; counts, sums and the longest time are exact.
"""

from __future__ import annotations

import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, Text, delete, insert, select

from history.house import Recorder
from history.rows import NO_CAMERA, camera_of
from history.schema import METADATA, Number, within
from pipeline.entities import Operation, Result

SLOT = 600
AGE = "age"
STAGES = ("encode", "queue", "limit", "upload", "service", "publish")
"""Where the time goes between the camera's picture and its result, in order; together they are its age."""

_WIDTH = math.log(1.04)
_LEAST = 1e-6  # seconds; what is shorter counts as so long

latency = Table(
    "latency",
    METADATA,
    Column("slot", Number, primary_key=True, autoincrement=False),
    Column("camera", Text, primary_key=True),
    Column("sketches", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Sketches by stage (`Sketches.packed`) of the results of a camera whose pictures were taken in SLOT seconds from `slot` on."""


@dataclass(slots=True)
class Sketch:
    """Many times: how many, their sum, the longest, and how many lie in each bucket."""

    count: int = 0
    sum: float = 0.0
    longest: float = 0.0
    buckets: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.count += 1
        self.sum += seconds
        self.longest = max(self.longest, seconds)
        self.buckets[math.ceil(math.log(max(seconds, _LEAST)) / _WIDTH)] += 1

    def merge(self, other: Sketch) -> None:
        """Count what another has counted."""
        self.count += other.count
        self.sum += other.sum
        self.longest = max(self.longest, other.longest)
        for bucket, many in other.buckets.items():
            self.buckets[bucket] += many

    @property
    def mean(self) -> float | None:
        """The mean, None of nothing."""
        return self.sum / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Return the time that so great a share (0 to 1) does not exceed, within 2 %; None of nothing."""
        rank, seen = math.ceil(share * self.count), 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= max(1, rank):
                middle = math.exp(bucket * _WIDTH) * 2 / (math.exp(_WIDTH) + 1)
                return min(middle, self.longest)
        return None


class Sketches(defaultdict[str, Sketch]):
    """A sketch for AGE, and one for each of STAGES."""

    def __init__(self) -> None:
        super().__init__(Sketch)

    def hear(self, result: Result) -> None:
        """Count a result."""
        self[AGE].add(_seconds(result.age_seconds))
        for stage in STAGES:
            if stage in result.stages:
                self[stage].add(_seconds(result.stages[stage]))

    def merge(self, other: Mapping[str, Sketch]) -> None:
        """Count what others have counted."""
        for name, sketch in other.items():
            self[name].merge(sketch)

    def packed(self) -> bytes:
        """Return all of it, as small as it gets."""
        written = {name: [sketch.count, round(sketch.sum, 6), sketch.longest, sketch.buckets] for name, sketch in self.items()}
        return zlib.compress(json.dumps(written, separators=(",", ":")).encode(), 1)

    @classmethod
    def unpacked(cls, packed: bytes) -> Sketches:
        """Return what `packed` gave."""
        found = cls()
        for name, (count, total, longest, buckets) in json.loads(zlib.decompress(packed)).items():
            counted = defaultdict(int, {int(bucket): int(many) for bucket, many in buckets.items()})
            found[name] = Sketch(int(count), float(total), float(longest), counted)
        return found


class Latency(Recorder):
    """Writes down how old results were."""

    ages: ClassVar[tuple[ColumnElement[float], ...]] = (latency.c.slot,)

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Count what was analysed."""
        for (slot, camera), sketches in _sketched(results).items():
            here = (latency.c.slot == slot, latency.c.camera == camera)
            known = connection.execute(select(latency.c.sketches).where(*here)).scalar()
            if known is not None:
                sketches.merge(Sketches.unpacked(known))
                connection.execute(delete(latency).where(*here))
            connection.execute(insert(latency), {"slot": slot, "camera": camera, "sketches": sketches.packed()})


def latency_between(
    connection: Connection, since: float, until: float, cameras: Sequence[str] = (), bucket: int = SLOT
) -> dict[int, Sketches]:
    """Return the sketches of these cameras (all, if none is named) together, by so many seconds: a multiple of SLOT."""
    where = [*within(latency.c.slot, since, until)]
    if cameras:
        where.append(latency.c.camera.in_(cameras))
    found: dict[int, Sketches] = {}
    for slot, packed in connection.execute(select(latency.c.slot, latency.c.sketches).where(*where).order_by(latency.c.slot)):
        found.setdefault(slot // bucket * bucket, Sketches()).merge(Sketches.unpacked(packed))
    return found


def merged(found: Iterable[Mapping[str, Sketch]]) -> Sketches:
    """Return several together."""
    together = Sketches()
    for sketches in found:
        together.merge(sketches)
    return together


def _sketched(results: Iterable[Result]) -> dict[tuple[int, str], Sketches]:
    found: dict[tuple[int, str], Sketches] = {}
    for slot, camera, result in _counted(results):
        found.setdefault((slot, camera), Sketches()).hear(result)
    return found


def _counted(results: Iterable[Result]) -> Iterator[tuple[int, str, Result]]:
    """Yield the results that are told of: pictures of cameras whose faces were found."""
    for result in results:
        camera = camera_of(result)
        if result.operation == Operation.DETECT_FACES and not result.error and camera != NO_CAMERA:
            at = result.captured_at if math.isfinite(result.captured_at) else result.published_at
            if math.isfinite(at):
                yield int(at // SLOT) * SLOT, camera, result


def _seconds(value: Any) -> float:
    is_one = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return max(0.0, float(value)) if is_one else 0.0
