"""The frame counters of all cameras and how fast they grow."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.camera_spec import is_camera
from pipeline.entities import Saved
from pipeline.mailbox import Balance, Mailbox

RATE_SECONDS = 5.0
COUNTED = ("sampled", "analysed", "superseded", "saved", "dropped", "failed")

Balances = dict[str, Balance]

_SAVED = frozenset(Saved)


def balances(mailbox: Mailbox, cameras: Iterable[str]) -> Balances:
    """Return the counters of the given cameras and of all that have a mailbox, photos left out; raises redis.RedisError."""
    with_mailbox = (camera for camera in mailbox.cameras() if is_camera(camera))
    return {camera: mailbox.balance(camera) for camera in sorted({*cameras, *with_mailbox})}


def total(parts: Iterable[Balance]) -> Balance:
    """Return the sum of counters."""
    parts = list(parts)
    dropped: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
        failed.update(part.failed)
    return Balance(
        sampled=sum(part.sampled for part in parts),
        analysed=sum(part.analysed for part in parts),
        superseded=sum(part.superseded for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        dropped=dict(dropped),
        failed=dict(failed),
        late=sum(part.late for part in parts),
        reenqueued=sum(part.reenqueued for part in parts),
        retried=sum(part.retried for part in parts),
    )


def as_json(balance: Balance) -> dict[str, Any]:
    """Return counters as the API shows them."""
    return {
        "sampled": balance.sampled,
        "analysed": balance.analysed,
        "superseded": balance.superseded,
        "dropped": dict(balance.dropped),
        "failed": dict(balance.failed),
        "in_flight": balance.in_flight,
    }


class FrameRates:
    """Remembers the counters of the last seconds and tells how fast they grow; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._past: deque[tuple[float, Balances]] = deque()

    def note(self, now: Balances) -> None:
        """Remember the counters as of this moment; called about once a second."""
        moment = time.monotonic()
        with self._lock:
            self._past.append((moment, now))
            while len(self._past) > 1 and self._past[1][0] <= moment - RATE_SECONDS:
                self._past.popleft()

    def per_second(self, now: Balances) -> dict[str, dict[str, float]]:
        """Return by camera how many frames a second were sampled, analysed, superseded, saved, dropped and failed lately.

        Saved are those that a gate did not let pass; they are not among the dropped here.
        """
        with self._lock:
            moment, before = self._past[0] if self._past else (time.monotonic(), now)
        seconds = time.monotonic() - moment
        return {camera: _growth(before.get(camera, Balance()), after, seconds) for camera, after in now.items()}


def sum_of_rates(rates: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the rates of all cameras together."""
    return {name: round(sum(rate[name] for rate in rates.values()), 3) for name in COUNTED}


def _growth(before: Balance, after: Balance, seconds: float) -> dict[str, float]:
    was, now = _counts(before), _counts(after)
    if seconds < _SHORTEST_SECONDS or now["sampled"] < was["sampled"]:  # Redis was emptied: wait for the next moment
        return dict.fromkeys(COUNTED, 0.0)
    return {name: round(max(0, now[name] - was[name]) / seconds, 3) for name in COUNTED}


_SHORTEST_SECONDS = 0.2


def _counts(balance: Balance) -> dict[str, int]:
    return {
        "sampled": balance.sampled,
        "analysed": balance.analysed,
        "superseded": balance.superseded,
        "saved": sum(count for cause, count in balance.dropped.items() if cause in _SAVED),
        "dropped": sum(count for cause, count in balance.dropped.items() if cause not in _SAVED),
        "failed": sum(balance.failed.values()),
    }
