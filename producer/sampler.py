"""Which frames are taken, and where the newest of them waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from producer.sources.base import Picture

EARLY_SECONDS = 0.010  # frames of a live camera come a few milliseconds before or after their time
_JUMP_SECONDS = 5.0


class Sampler:
    """A grid of `fps` points a second; the first frame at or after each point is due.

    The grid does not drift: a late frame does not delay those after it. After a pause of more than a point it begins anew.
    `early` is how many seconds before its point a frame may come.
    """

    def __init__(self, fps: float, early: float = EARLY_SECONDS) -> None:
        self._period = 1.0 / fps
        self._early = min(early, self._period / 4)
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Say whether the frame at `now` (seconds on any steady axis) is to be taken."""
        if self._next is None or self._next - now > 2 * self._period:  # the axis begins, or began anew
            self._next = now
        if now + self._early < self._next:
            return False
        self._next += self._period
        if self._next < now - self._period:
            self._next = now + self._period
        return True


class Pace:
    """Plays frames that come in bursts as they were filmed, by their positions.

    A frame that comes late moves the whole axis: nothing is hurried afterwards. `speed` a little above 1 keeps a live source
    from falling behind by more than it sends at once.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._origin: float | None = None

    def delay(self, position: float | None, now: float) -> float:
        """Return how many seconds after `now` the frame at `position` is to be shown; 0 at once."""
        if position is None:
            return 0.0
        played = position / self._speed
        wait = 0.0 if self._origin is None else self._origin + played - now
        if self._origin is None or not 0.0 <= wait <= _JUMP_SECONDS:
            self._origin = now - played
            return 0.0
        return wait


@dataclass(frozen=True, slots=True)
class Sample:
    """A sampled picture and when it was captured (seconds since 1970 on Redis's clock)."""

    picture: Picture
    captured_at: float


class Newest:
    """Room for one sample between the thread that reads and the one that encodes: a newer one takes its place."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sample: Sample | None = None
        self._passed_over = 0

    def put(self, sample: Sample) -> None:
        """Leave a sample here in place of one that nobody took in time."""
        with self._changed:
            self._passed_over += self._sample is not None
            self._sample = sample
            self._changed.notify()

    def take(self, timeout: float) -> Sample | None:
        """Wait up to `timeout` seconds for a sample."""
        with self._changed:
            self._changed.wait_for(lambda: self._sample is not None, timeout)
            sample, self._sample = self._sample, None
            return sample

    def passed_over(self) -> int:
        """Return how many samples were replaced since this was last asked."""
        with self._changed:
            count, self._passed_over = self._passed_over, 0
            return count
