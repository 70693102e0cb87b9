"""Laughs of one face as events with a start, an end and a peak: pure, and in seconds, whatever the rate of results.

    looks ──> smoothed (each with its neighbours, so that nothing comes late) ──> two lines ──> events

A laugh begins where laughter rises over the lower line, if it then reaches the upper one, and ends where it falls under the
lower one for longer than a breath. Between two looks it is taken to change evenly. A face that shows it from its first moment
(a portrait, somebody who turns round) has not begun to laugh before our eyes: that is no event.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

BEGINS_AT, ENDS_AT = 0.6, 0.45
SHORTEST_SECONDS = 0.5
BREATH_SECONDS = 0.8
"""Between two laughs that are one."""

UNSEEN_SECONDS = 6.0
"""After so long between two looks nobody knows whether it was one laugh: nothing is told of what was between."""

SMOOTHING_SECONDS = 0.75
"""How far the neighbours of a look may be that have a say in it, the less the farther."""

Point = tuple[float, float]
"""When, and how much it looked like laughing, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Laugh:
    """One laugh of one face; `place` counts its laughs, `peak` is the most it looked like laughing."""

    place: int
    start: float
    end: float
    peak: float
    peak_at: float


@dataclass(frozen=True, slots=True)
class Laughing:
    """What has to be known of a face to go on: its last point, and the laugh that may be under way.

    `start` is None while it is under the lower line, or its beginning was not seen; `fell` is when it fell under that line.
    """

    at: float | None = None
    score: float = 0.0
    start: float | None = None
    fell: float | None = None
    end: float = 0.0
    peak: float = 0.0
    peak_at: float = 0.0
    is_counted: bool = False
    count: int = 0

    @property
    def laugh(self) -> Laugh | None:
        """The laugh that is under way or just over, if it counts."""
        if not self.is_counted or self.start is None:
            return None
        return Laugh(self.count - 1, self.start, self.end, self.peak, self.peak_at)

    def after(self, at: float, score: float) -> Laughing:
        """Return what is known after the next point."""
        if self.at is None or at - self.at > UNSEEN_SECONDS:
            return Laughing(at, score, count=self.count)
        if score >= ENDS_AT:
            return self._above(at, score)
        if self.score >= ENDS_AT:
            fell = self._crossing(at, score)
            return replace(self, at=at, score=score, fell=fell, end=fell)._counted()
        if self.fell is not None and at - self.fell > BREATH_SECONDS:
            return Laughing(at, score, count=self.count)
        return replace(self, at=at, score=score)

    def _above(self, at: float, score: float) -> Laughing:
        state = self
        if self.score < ENDS_AT:
            rose = self._crossing(at, score)
            if self.start is None or self.fell is None or rose - self.fell > BREATH_SECONDS:
                state = Laughing(start=rose, peak_at=rose, count=self.count)
        if state.start is None:
            return replace(state, at=at, score=score)
        peak, peak_at = max((state.peak, state.peak_at), (score, at), key=lambda point: point[0])
        return replace(state, at=at, score=score, fell=None, end=at, peak=peak, peak_at=peak_at)._counted()

    def _counted(self) -> Laughing:
        if self.is_counted or self.start is None or self.peak < BEGINS_AT or self.end - self.start < SHORTEST_SECONDS:
            return self
        return replace(self, is_counted=True, count=self.count + 1)

    def _crossing(self, at: float, score: float) -> float:
        """Return when it crossed the lower line, on its way from the last point."""
        before = self.at if self.at is not None else at
        return before + (at - before) * (ENDS_AT - self.score) / (score - self.score)


def smoothed(points: Sequence[Point], first: int = 0) -> Iterator[Point]:
    """Yield the points from the place `first` on, each averaged with its neighbours; `points` are in the order of time."""
    times = [at for at, _ in points]
    for at in times[first:]:
        low = bisect.bisect_right(times, at - SMOOTHING_SECONDS)
        high = bisect.bisect_left(times, at + SMOOTHING_SECONDS)
        weights = [SMOOTHING_SECONDS - abs(other - at) for other in times[low:high]]
        yield at, sum(weight * score for weight, (_, score) in zip(weights, points[low:high], strict=True)) / sum(weights)


def laughs_of(points: Sequence[Point]) -> list[Laugh]:
    """Return the laughs in all the points of a face."""
    found: dict[int, Laugh] = {}
    state = Laughing()
    for at, score in smoothed(points):
        state = state.after(at, score)
        if state.laugh:
            found[state.laugh.place] = state.laugh
    return list(found.values())
