"""What the results of the last minute tell: ages, stages, rates of calls, faces."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.entities import Operation, Result
from pipeline.faces import counted_faces
from pipeline.metrics import STAGES

MINUTE = 60.0
PERCENTILES = (50, 95, 99)
LOST = "WorkerLost"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of one result; seconds, times since 1970 on Redis's clock. `stages` in the order of STAGES.

    `called` is the operation that was called, '' for a frame whose worker was lost.
    """

    id: str
    camera: str
    captured_at: float
    published_at: float
    analysed: bool
    called: str
    stages: tuple[float | None, ...]
    faces: int


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest analysed result of a camera."""

    captured_at: float
    faces: int


class ResultWindow:
    """Keeps what matters of the results of the last minute, at most `most` of them; safe for several threads."""

    def __init__(self, now: Callable[[], float], most: int = 50_000) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._most = most
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._newest: dict[str, Newest] = {}

    def add(self, results: Iterable[Result]) -> None:
        """Take over results, in the order in which they came out."""
        with self._lock:
            for result in results:
                seen = _seen(result)
                self._seen[seen.id] = seen
                before = self._newest.get(seen.camera)
                if seen.analysed and (before is None or before.captured_at <= seen.captured_at):
                    self._newest[seen.camera] = Newest(seen.captured_at, seen.faces)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)

    def last_minute(self) -> list[Seen]:
        """Return what came out in the last minute; older newest results are kept, and forgotten with `forget`."""
        since = self._now() - MINUTE
        with self._lock:
            while self._seen and next(iter(self._seen.values())).published_at < since:
                self._seen.popitem(last=False)
            return list(self._seen.values())

    def find(self, result_id: str) -> Seen | None:
        """Return a result of the last minute, None when there is none of that id."""
        with self._lock:
            seen = self._seen.get(result_id)
        return seen if seen is not None and seen.published_at >= self._now() - MINUTE else None

    def newest(self) -> Mapping[str, Newest]:
        """Return the newest analysed result by camera."""
        with self._lock:
            return dict(self._newest)

    def forget_all_but(self, cameras: Iterable[str]) -> None:
        """Drop what is known of the newest results of other cameras."""
        with self._lock:
            self._newest = {camera: self._newest[camera] for camera in cameras if camera in self._newest}


def ages_and_stages(seen: Iterable[Seen]) -> dict[str, Any]:
    """Return the percentiles of age and of each stage of the analysed results, in seconds, None where there are none.

    What else than faces people ask of a photo says nothing about cameras, and is left out.
    """
    analysed = [entry for entry in seen if entry.analysed and entry.called == Operation.DETECT_FACES]
    columns: dict[str, list[float]] = defaultdict(list)
    for entry in analysed:
        for stage, seconds in zip(STAGES, entry.stages, strict=True):
            if seconds is not None:
                columns[stage].append(seconds)
    return {
        "age": percentiles([entry.published_at - entry.captured_at for entry in analysed]),
        "stages": {stage: percentiles(columns[stage]) for stage in STAGES},
    }


def made_of(seen: Iterable[Seen]) -> dict[str, dict[str, float] | None]:
    """Return what an average and a slow frame are made of: by stage the means of the frames around p50 and p95 of the ages.

    The stages of such a frame add up to its age, which percentiles of single stages do not. None where there are no results.
    """
    whole = [entry for entry in seen if entry.analysed and entry.called == Operation.DETECT_FACES and None not in entry.stages]
    whole.sort(key=lambda entry: entry.published_at - entry.captured_at)
    return {f"p{percent}": _mean_stages(_around(whole, percent)) for percent in PERCENTILES[:2]}


def _around(ordered: Sequence[Seen], percent: int) -> Sequence[Seen]:
    """Return the 5 % of the entries, at least one, in whose middle the percentile lies."""
    half = len(ordered) // 40
    middle = nearest_rank(len(ordered), percent)
    return ordered[max(0, middle - half) : middle + half + 1]


def _mean_stages(entries: Sequence[Seen]) -> dict[str, float] | None:
    if not entries:
        return None
    columns = zip(*(entry.stages for entry in entries), strict=True)
    return {
        stage: round(sum(seconds or 0.0 for seconds in column) / len(entries), 6)
        for stage, column in zip(STAGES, columns, strict=True)
    }


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Return p50, p95 and p99 by nearest rank; each is one of the values, None when there are none."""
    ordered = sorted(values)
    if not ordered:
        return {f"p{percent}": None for percent in PERCENTILES}
    return {f"p{percent}": round(ordered[nearest_rank(len(ordered), percent)], 6) for percent in PERCENTILES}


def nearest_rank(count: int, percent: int) -> int:
    """Return which of so many values in order is a percentile of them; of none there is none."""
    return max(0, -(-percent * count // 100) - 1)


def _seen(result: Result) -> Seen:
    error = result.error or {}
    return Seen(
        id=result.id,
        camera=result.camera,
        captured_at=result.captured_at,
        published_at=result.published_at,
        analysed=result.error is None,
        called="" if error.get("Code") == LOST else result.operation,
        stages=tuple(_seconds(result.stages.get(stage)) for stage in STAGES),
        faces=len(counted_faces(result.response)),
    )


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
