"""One rate limit for all workers on all machines, and the budget that goes with it.

A slot is asked of Redis (workers/lua/reserve.lua: GCRA) by one thread of the process at a time, first come first served, and is
committed only when it is near: a process that is killed takes at most one slot with it. A token bucket of three at the quota is
never exceeded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import redis

from pipeline import keys
from pipeline.spending import MICROS

log = logging.getLogger(__name__)

RECHECK_SECONDS = 1.0
HELD_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Slot:
    """The permission for one call, now."""

    cost_micros: int = 0
    is_probe: bool = False  # the first call after calls were held back


class RateLimit:
    """The shared limit of one operation.

    `quota` is calls a second; `burst` how many slots may be used at once after a pause (1: evenly spaced); `dollars` what one
    call costs, 0 where nothing is paid. Every method may raise redis.RedisError.
    """

    def __init__(
        self,
        connection: redis.Redis,
        scope: str,
        operation: str,
        quota: float,
        *,
        burst: int = 1,
        dollars: float = 0.0,
        on_rate: Callable[[float], None] = lambda rate: None,
        on_blocked: Callable[[str], None] | None = None,
    ) -> None:
        self._connection: Any = connection
        self._quota = quota
        self._burst = burst
        self._cost_micros = round(dollars * MICROS)
        self._on_rate = on_rate
        self._on_blocked = on_blocked or _say_blocked
        self._blocked = ""
        self._key = keys.rate(scope, operation)
        self._turnstile = Turnstile()
        self._said: set[str] = set()
        self._said_lock = threading.Lock()
        self._stop = threading.Event()
        folder = files("workers") / "lua"
        self._reserve = connection.register_script((folder / "reserve.lua").read_text())
        self._cut = connection.register_script((folder / "cut.lua").read_text())

    def acquire(self, still_wanted: Callable[[], bool], *, is_wanted: bool = False) -> Slot | None:
        """Wait for a slot and return it when it is due; None when it is not wanted any more, or the process stops.

        `still_wanted` is asked first of all, unless the caller knows already that it `is_wanted`, and about every second
        while waiting: it renews the job's lease.
        """
        wanted = Remembered(still_wanted, is_known=is_wanted)
        if not self._turnstile.enter(wanted):
            return None
        try:
            return self._next_slot(wanted)
        finally:
            self._turnstile.leave()

    def give_back(self, slot: Slot) -> None:
        """Return the money of a slot that was not used; its time has passed."""
        if slot.cost_micros:
            self._connection.hincrby(keys.BUDGET, "spent", -slot.cost_micros)

    def throttled(self, sent_at: float) -> None:
        """Slow everybody down, once for all calls sent before the last cut; `sent_at` is on Redis's clock."""
        self._on_rate(float(self._cut(keys=[self._key], args=[self._quota, f"{sent_at:.6f}"])))

    def hold_back(self, now: float, why: str) -> None:
        """Let no call out for a while, because each would fail in the same way (credentials, permission); say so once."""
        with self._said_lock:
            if why not in self._said:
                log.error("%s; calls are held back, one is tried every %g s", why, HELD_SECONDS)
            self._said.add(why)
        until = f"{now + HELD_SECONDS:.6f}"
        self._connection.hset(self._key, mapping={"held_until": until, "held_why": why, "quota": self._quota})

    def stop(self) -> None:
        """Let every waiting thread return without a slot."""
        self._stop.set()

    def works_again(self) -> None:
        """Let calls out as before: the probe was answered."""
        self._connection.hdel(self._key, "held_until", "held_why")
        with self._said_lock:
            self._said.clear()
        log.error("calls are answered again")

    def _next_slot(self, still_wanted: Callable[[], bool]) -> Slot | None:
        while not self._stop.is_set() and still_wanted():
            what, seconds, rate = self._reserve(
                keys=[self._key, keys.BUDGET], args=[self._quota, self._burst, self._cost_micros, HELD_SECONDS]
            )
            self._on_rate(float(rate))
            if what in (b"go", b"probe"):
                self._note_blocked("")
                return self._when_due(Slot(self._cost_micros, what == b"probe"), float(seconds), still_wanted)
            if what != b"later":
                self._note_blocked(what.decode())
            self._stop.wait(min(float(seconds), RECHECK_SECONDS))
        return None

    def _when_due(self, slot: Slot, seconds: float, still_wanted: Callable[[], bool]) -> Slot | None:
        """Wait for the slot's moment, keeping the job's lease; None, and the money back, when it is not wanted any more."""
        due = time.monotonic() + seconds
        while (left := due - time.monotonic()) > 0:
            if self._stop.wait(min(left, RECHECK_SECONDS)) or not still_wanted():
                self.give_back(slot)
                return None
        return slot

    def _note_blocked(self, what: str) -> None:
        """Tell of it when calls begin to be blocked, not each time a caller meets it."""
        if what and what != self._blocked:
            self._on_blocked(what)
        self._blocked = what


class RateLimits:
    """The limits of all operations; `make` returns that of one, which happens when it is first asked for."""

    def __init__(self, make: Callable[[str], RateLimit]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._limits: dict[str, RateLimit] = {}
        self._is_stopped = False

    def of(self, operation: str) -> RateLimit:
        """Return the limit of an operation."""
        limit = self._limits.get(operation)
        return self._new(operation) if limit is None else limit

    def stop(self) -> None:
        """Let every waiting thread return without a slot, and those that come later, too."""
        with self._lock:
            self._is_stopped = True
            for limit in self._limits.values():
                limit.stop()

    def _new(self, operation: str) -> RateLimit:
        with self._lock:
            if operation not in self._limits:
                self._limits[operation] = self._make(operation)
                if self._is_stopped:
                    self._limits[operation].stop()
            return self._limits[operation]


def _say_blocked(what: str) -> None:
    sentences = {
        "unseeded": "no paid call is made, because no budget is set: is `rekstream dashboard` running?",
        "spent": "no paid call is made, because the budget is spent: raise it, or wait for the next period",
    }
    if what in sentences:
        log.error("%s", sentences[what])


class Remembered:
    """Asks a question at most once a second; in between, the last answer stands. A No stays."""

    def __init__(self, ask: Callable[[], bool], *, is_known: bool = False) -> None:
        self._ask = ask
        self._asked_at = time.monotonic() if is_known else 0.0
        self._answer = True

    def __call__(self) -> bool:
        """Return the answer."""
        now = time.monotonic()
        if self._answer and now - self._asked_at >= RECHECK_SECONDS:
            self._answer = self._ask()
            self._asked_at = now
        return self._answer


class Turnstile:
    """Lets one thread through at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._occupied = False

    def enter(self, still_wanted: Callable[[], bool]) -> bool:
        """Wait for one's turn; False, and no turn, when it is not wanted (asked at once, and about every second)."""
        if not still_wanted():
            return False
        with self._lock:
            if not self._occupied:
                self._occupied = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        while not turn.wait(RECHECK_SECONDS):
            if not self._keep_waiting(turn, still_wanted):
                return False
        return True

    def leave(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._occupied = False

    def _keep_waiting(self, turn: threading.Event, still_wanted: Callable[[], bool]) -> bool:
        try:
            if still_wanted():
                return True
        except redis.RedisError:
            self._give_up(turn)
            raise
        self._give_up(turn)
        return False

    def _give_up(self, turn: threading.Event) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self.leave()  # the turn came in between: pass it on
