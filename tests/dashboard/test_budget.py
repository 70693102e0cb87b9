"""The budget is seeded whenever Redis lacks it, and no restart forgets what was spent."""

from __future__ import annotations

import dataclasses
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.budget import BudgetKeeper
from dashboard.settings import DashboardSettings
from dashboard.state import StateFile
from pipeline import keys
from pipeline.broker import Broker
from pipeline.provider import Provider
from pipeline.spending import Budget, Purse
from tests.conftest import Valkey
from tests.dashboard.support import Producer, Worker, camera, dashboard, put_cameras, until

AWS = Provider("aws", "us-east-1")
DAY = 86_400.0
START = 20_000 * DAY


class HandClock:
    """A clock that a test sets by hand."""

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    file = StateFile(tmp_path)
    yield file
    file.close()


def spend(broker: Broker, dollars: float) -> None:
    broker.scripts.hincrby(keys.BUDGET, "spent", round(dollars * 1e6))


def spent(broker: Broker) -> float:
    spending = Purse(broker.scripts).read()
    assert spending is not None
    return spending.spent_dollars


def test_it_is_seeded_at_once_and_again_after_a_loss(broker: Broker, state: StateFile) -> None:
    """After a restart of Redis, of this process, or of both, the figure goes on where it was."""
    clock = HandClock(START + 100)
    keeper = BudgetKeeper(broker.scripts, state, clock, Budget(1, "day"))
    keeper.look()
    assert spent(broker) == 0
    spend(broker, 0.25)
    keeper.look()
    broker.scripts.flushall()
    keeper.look()
    assert spent(broker) == 0.25
    broker.scripts.flushall()
    BudgetKeeper(broker.scripts, state, clock, Budget(2, "day")).look()
    found = Purse(broker.scripts).read()
    assert found is not None
    assert (found.spent_dollars, found.limit_dollars, found.start) == (0.25, 2, START)


def test_a_new_period_begins_with_nothing(broker: Broker, state: StateFile) -> None:
    """What was spent yesterday does not count today, and is remembered."""
    clock = HandClock(START + 100)
    keeper = BudgetKeeper(broker.scripts, state, clock, Budget(1, "day"))
    keeper.look()
    spend(broker, 0.9)
    keeper.look()
    clock.time += DAY
    keeper.look()
    assert spent(broker) == 0
    assert state.spent("day", START) == 0.9


def test_the_most_that_is_known_counts(broker: Broker, state: StateFile) -> None:
    """A Redis that was restored from an older copy does not give money back to a new process."""
    clock = HandClock(START + 100)
    Purse(broker.scripts).seed(Budget(1, "day"), clock.now(), 0.1)
    state.spend("day", START, 0.7)
    BudgetKeeper(broker.scripts, state, clock, Budget(1, "day")).look()
    assert spent(broker) == 0.7
    broker.scripts.hset(keys.BUDGET, "spent", 800_000)
    BudgetKeeper(broker.scripts, state, clock, Budget(1, "day")).look()
    assert spent(broker) == 0.8


def test_what_may_have_been_spent_unseen_counts_after_redis_was_emptied(broker: Broker, state: StateFile) -> None:
    """Calls between the last look and the loss of Redis are paid for, however many they were: the most is assumed."""
    clock = HandClock(START)
    keeper = BudgetKeeper(broker.scripts, state, clock, Budget(1, "day"), dollars_per_second=0.1)
    keeper.look()
    spend(broker, 0.25)
    keeper.look()
    broker.scripts.flushall()
    clock.time += 600  # Redis was away for long, and nothing is spent without it
    keeper.look()
    assert spent(broker) == 0.35


def test_a_changed_budget_is_taken_over(broker: Broker, state: StateFile) -> None:
    """Another limit for the same period is written at the next look."""
    clock = HandClock(START)
    BudgetKeeper(broker.scripts, state, clock, Budget(1, "day")).look()
    spend(broker, 0.5)
    BudgetKeeper(broker.scripts, state, clock, Budget(5, "day")).look()
    found = Purse(broker.scripts).read()
    assert found is not None
    assert (found.limit_dollars, found.spent_dollars) == (5, 0.5)


def test_an_unwritable_file_is_logged_once(broker: Broker, state: StateFile, caplog: pytest.LogCaptureFixture) -> None:
    """Spending goes on by Redis and by what this process has seen."""
    keeper = BudgetKeeper(broker.scripts, state, HandClock(START), Budget(1, "day"))
    keeper.look()
    state._database.execute("PRAGMA query_only = ON")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            spend(broker, 0.1)
            keeper.look()
    assert caplog.text.count("cannot be written") == 1
    broker.scripts.flushall()
    keeper.look()
    assert spent(broker) == pytest.approx(0.3)


def test_a_running_dashboard_keeps_the_budget(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """Seeded at the start, shown with its cost, remembered through a kill of Redis, named when it is spent."""
    broker = Broker(own_valkey.url)
    settings = dataclasses.replace(settings, provider=AWS, budget=Budget(0.5, "month"))
    with dashboard(own_valkey.url, settings) as api:
        put_cameras(broker, camera("a"))
        budget = until(lambda: api.get("/api/stats")["cost"]["budget"])
        assert (budget["limit_dollars"], budget["spent_dollars"], budget["left_dollars"]) == (0.5, 0, 0.5)
        with Worker(broker):
            Producer(broker, "a").offer()
            cost = until(lambda: (found := api.get("/api/stats")["cost"])["dollars_per_hour"] and found)
        assert 0 < cost["dollars_per_hour"] <= 3.6 / 0.2
        assert cost["dollars_per_month"] == pytest.approx(cost["dollars_per_hour"] * 730, abs=0.05)
        assert cost["cameras"]["a"] == {name: cost[name] for name in ("dollars_per_hour", "dollars_per_month")}
        spend(broker, 0.4995)
        assert "the budget of 0.5 dollars is spent" in api.get("/api/stats")["bottleneck"]["why"]
        database = settings.data / "state.sqlite"
        until(lambda: _stored(database) == 0.4995)
        own_valkey.kill()
        own_valkey.start()
        until(lambda: api.http.get("/api/stats").is_success and api.get("/api/stats")["cost"]["budget"])
        spent_now = api.get("/api/stats")["cost"]["budget"]["spent_dollars"]
        assert 0.4995 <= spent_now <= 0.4995 + 0.251  # and what a second's calls of all kinds cost, which nobody saw
    broker.close()


def test_nothing_is_seeded_where_nothing_is_paid(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> None:
    """A local provider has no budget."""
    with dashboard(session_valkey.url, dataclasses.replace(settings, budget=Budget(1, "day"))) as api:
        assert api.get("/api/stats")["cost"]["budget"] is None


def _stored(path: Path) -> float:
    database = sqlite3.connect(path)
    try:
        row = database.execute("SELECT dollars FROM spending").fetchone()
        return float(row[0]) if row else 0.0
    finally:
        database.close()
