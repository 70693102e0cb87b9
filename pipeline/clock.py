"""One clock for all machines: monotonic time, set by Redis's TIME."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import redis


class Clock(Protocol):
    """Tells seconds since 1970 the way every process of the system does."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...


class SystemClock:
    """This machine's own clock, for commands that run without Redis."""

    def now(self) -> float:
        """Return seconds since 1970 by this machine's clock."""
        return time.time()


@dataclass(frozen=True, slots=True)
class _Reading:
    offset: float  # to be added to time.monotonic()
    error: float  # half the round trip, in seconds


class RedisClock:
    """Monotonic time plus an offset to Redis's TIME; a step of the machine's clock does not move it.

    `synchronise` takes the best of `samples` readings: the one with the shortest round trip. `error_seconds` is the most by
    which it can be wrong, half of that round trip. Raises redis.RedisError when Redis does not answer.
    """

    def __init__(self, connection: redis.Redis, samples: int = 8) -> None:
        self._connection = connection
        self._samples = samples
        self._reading = self._best_reading()

    def now(self) -> float:
        """Return seconds since 1970 on Redis's clock."""
        return time.monotonic() + self._reading.offset

    @property
    def error_seconds(self) -> float:
        """The most by which `now` can differ from Redis's TIME, in seconds, when it was last set."""
        return self._reading.error

    def synchronise(self) -> None:
        """Set the clock by Redis again."""
        self._reading = self._best_reading()

    def _best_reading(self) -> _Reading:
        return min((self._read() for _ in range(self._samples)), key=lambda reading: reading.error)

    def _read(self) -> _Reading:
        before = time.monotonic()
        seconds, microseconds = self._connection.time()
        after = time.monotonic()
        return _Reading(offset=seconds + microseconds / 1e6 - (before + after) / 2, error=(after - before) / 2)
