"""The shared rate limits as they stand in Redis, for people to see; the workers keep them (workers/lua)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys

REGROWTH = 0.05  # of the quota a second, after a throttle cut the rate


@dataclass(frozen=True, slots=True)
class Limit:
    """One operation's limit: `quota` and `rate` (what is left of it after throttles) are calls a second.

    `held_seconds` is how long no call is let out yet, 0 when they are, and `held_why` the reason.
    """

    scope: str
    operation: str
    quota: float
    rate: float
    cuts: int
    held_seconds: float
    held_why: str


def limits(connection: redis.Redis, now: float) -> list[Limit]:
    """Return the limits in use, by scope and operation, as of `now` on Redis's clock; raises redis.RedisError."""
    client: Any = connection
    names = sorted(client.scan_iter(match=keys.rate("*", "*"), count=500))
    together = client.pipeline(transaction=False)
    for name in names:
        together.hmget(name, "quota", "rate", "cut_at", "cuts", "held_until", "held_why")
    return list(_read(names, together.execute(), now)) if names else []


def _read(names: Iterable[bytes], rows: Iterable[list[bytes | None]], now: float) -> Iterable[Limit]:
    for name, row in zip(names, rows, strict=True):
        quota, rate, cut_at, cuts, held_until, why = row
        if quota is None:
            continue
        scope, _, operation = name.decode().removeprefix(keys.rate("", "").rstrip(":") + ":").rpartition(":")
        held = max(0.0, float(held_until or 0) - now)
        yield Limit(
            scope=scope,
            operation=operation,
            quota=float(quota),
            rate=_regrown(float(quota), rate, cut_at, now),
            cuts=int(cuts or 0),
            held_seconds=held if held < _LONGEST_HELD else 0.0,
            held_why=(why or b"").decode(errors="replace") if 0 < held < _LONGEST_HELD else "",
        )


_LONGEST_HELD = 3600.0  # what is further ahead is from before a step of the clock


def _regrown(quota: float, rate: bytes | None, cut_at: bytes | None, now: float) -> float:
    if rate is None:
        return quota
    return min(quota, float(rate) + quota * REGROWTH * max(0.0, now - float(cut_at or 0)))
