"""The budget: what may be spent in a period, and what was. Redis holds the running figure, the state file keeps it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis

from pipeline import keys
from pipeline.entities import Result
from pipeline.errors import SettingsError

MICROS = 1_000_000  # of a dollar; money is counted in whole ones
UNPAID = frozenset({"throttled", "denied", "connection", "server", "absent", "exists", "conflict"})
"""Kinds of failed calls in which no picture was analysed; after a time-out or a lost worker, perhaps."""
_MOST_TRIES = 10_000
MOST, ALL = 80, 100
"""The steps of a budget of which people are told, in percent."""
_A_TRIFLE = 1e-9  # dollars; sums of fractions are not exact
PAID_BEFORE = "paid_before"
"""The member of a result that counts the calls for its frame that failed before and are paid all the same."""
_FORM = re.compile(r"^\s*\$?\s*(?P<dollars>\d+(?:\.\d+)?)\s*/\s*(?P<period>hour|day|month)\s*$")


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `dollars` in each `period` (hour, day or month, in UTC)."""

    dollars: float
    period: str

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``1/day``, ``0.50/hour`` or ``$20/month``; raises SettingsError."""
        match = _FORM.match(text)
        if not match:
            raise SettingsError(f"budget {text!r} is not an amount of dollars in a period: write for example 1/day or 20/month")
        return cls(float(match["dollars"]), match["period"])

    def __str__(self) -> str:
        return f"{self.dollars:g}/{self.period}"

    def bounds(self, now: float) -> tuple[float, float]:
        """Return the start and the end of the period that `now` lies in, in seconds since 1970."""
        moment = datetime.fromtimestamp(now, UTC)
        if self.period == "hour":
            start = moment.replace(minute=0, second=0, microsecond=0)
            return start.timestamp(), (start + timedelta(hours=1)).timestamp()
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "day":
            return start.timestamp(), (start + timedelta(days=1)).timestamp()
        first = start.replace(day=1)
        return first.timestamp(), (first + timedelta(days=32)).replace(day=1).timestamp()


def charged_calls(result: Result) -> int:
    """Return how many calls AWS charges, or may charge, for what ended in this result: as the budget counts them."""
    before = result.response.get(PAID_BEFORE, 0)
    is_charged = not result.error or result.error.get("Kind") not in UNPAID
    return int(is_charged) + (min(before, _MOST_TRIES) if isinstance(before, int) and before > 0 else 0)


def step_of(spent: float, limit: float, price: float) -> int:
    """Return which step of a budget is reached: 80 or 100 percent, or 0; it is spent where no call of `price` dollars fits."""
    if price and spent + price > limit + _A_TRIFLE:
        return ALL
    return MOST if spent > 0 and spent >= MOST / 100 * limit else 0


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent of what in the period from `start` to `end` (seconds since 1970)."""

    start: float
    end: float
    limit_dollars: float
    spent_dollars: float


_SEED = """
local start, limit, spent = ARGV[1], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', KEYS[1], 'start') == start then
  spent = math.max(spent, tonumber(redis.call('HGET', KEYS[1], 'spent')))
end
redis.call('HSET', KEYS[1], 'start', start, 'end', ARGV[2], 'limit', limit, 'spent', string.format('%.0f', spent))
return 1
"""


class Purse:
    """The budget's figures in Redis; without them no paid call is made. Every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._seed = connection.register_script(_SEED)

    def seed(self, budget: Budget, now: float, spent_dollars: float = 0.0) -> None:
        """Allow paid calls for the period that `now` lies in; what was spent already is never lowered."""
        start, end = budget.bounds(now)
        amounts = [round(budget.dollars * MICROS), round(spent_dollars * MICROS)]
        self._seed(keys=[keys.BUDGET], args=[f"{start:.0f}", f"{end:.0f}", *amounts])

    def read(self) -> Spending | None:
        """Return the figures, or None when there is no budget."""
        start, end, limit, spent = self._connection.hmget(keys.BUDGET, "start", "end", "limit", "spent")
        if start is None:
            return None
        return Spending(float(start), float(end), int(limit) / MICROS, int(spent) / MICROS)
