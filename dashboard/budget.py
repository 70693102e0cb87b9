"""The budget's running figure, which Redis holds and may lose, and the state file remembers."""

from __future__ import annotations

import logging
import sqlite3

import redis

from dashboard.state import StateFile
from pipeline.clock import Clock
from pipeline.spending import Budget, Purse, Spending

log = logging.getLogger(__name__)

BUDGET_SECONDS = 0.5


class BudgetKeeper:
    """Seeds the budget at the start, in an emptied Redis and in a new period, and writes down what was spent.

    Until it has done so no paid call is made anywhere. Spending is never lowered: what counts is the most of what Redis, the
    state file and this process know; in an emptied Redis, what may have been spent since the last look (`dollars_per_second` at
    most) is added. A state file that cannot be written is logged once a fault.
    """

    def __init__(
        self, connection: redis.Redis, state: StateFile, clock: Clock, budget: Budget, dollars_per_second: float = 0.0
    ) -> None:
        self._purse = Purse(connection)
        self._state = state
        self._clock = clock
        self._budget = budget
        self._dollars_per_second = dollars_per_second
        self._looked_at = clock.now()
        self._seen = Spending(0.0, 0.0, 0.0, 0.0)
        self._written = self._seen
        self._writable = True

    def look(self) -> None:
        """Seed if that is due, and write down what was spent; may raise redis.RedisError. Called every BUDGET_SECONDS."""
        now = self._clock.now()
        start, _ = self._budget.bounds(now)
        spending = self._purse.read()
        is_seeded = spending is not None and spending.start == start and spending.limit_dollars == self._budget.dollars
        if not is_seeded or self._seen.start != start:
            unseen = self._unseen(now) if spending is None and self._seen.start == start else 0.0
            self._purse.seed(self._budget, now, self._known(start) + unseen)
            spending = self._purse.read()
        self._looked_at = now
        if spending is not None:
            self._seen = spending
            self._write(spending)

    def _unseen(self, now: float) -> float:
        """Return what may have been spent between the last look and the loss of Redis, without which nothing is spent."""
        return self._dollars_per_second * min(2 * BUDGET_SECONDS, max(0.0, now - self._looked_at))

    def _known(self, start: float) -> float:
        """Return what is known of the spending in the period from `start`, without Redis."""
        seen = self._seen.spent_dollars if self._seen.start == start else 0.0
        try:
            return max(seen, self._state.spent(self._budget.period, start))
        except sqlite3.Error as error:
            log.warning("the state file cannot be read (%s): the budget goes on from the last figure seen", error)
            return seen

    def _write(self, spending: Spending) -> None:
        if spending == self._written:
            return
        try:
            self._state.spend(self._budget.period, spending.start, spending.spent_dollars)
            self._written, self._writable = spending, True
        except sqlite3.Error as error:
            if self._writable:
                log.warning("spending cannot be written into the state file (%s); trying again", error)
            self._writable = False
