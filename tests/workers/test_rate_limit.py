"""The shared limit: never above the quota, all of it used, first come first served, and the budget with it."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.synchronize import Event as ProcessEvent
from unittest import mock

import fakeredis
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import keys
from pipeline.broker import Broker
from pipeline.spending import Budget, Purse
from workers.rate_limit import RateLimit, Turnstile

BUCKET = 3.0


def tokens_needed(times: list[float], rate: float) -> float:
    """Return the capacity of the token bucket of `rate` that would have refused none of the calls."""
    level, last, most = 0.0, times[0], 0.0
    for now in sorted(times):
        level = max(0.0, level - (now - last) * rate) + 1
        last, most = now, max(most, level)
    return most


def limit_on(connection: redis.Redis, quota: float, **more: float) -> RateLimit:
    return RateLimit(connection, "test", "DetectFaces", quota, **more)  # type: ignore[arg-type]


@given(
    quota=st.floats(0.5, 200),
    burst=st.integers(1, 3),
    steps=st.lists(st.floats(0, 2.5), min_size=5, max_size=120),
    cuts=st.sets(st.integers(0, 119), max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_a_token_bucket_of_three_at_the_quota_is_never_exceeded(
    quota: float, burst: int, steps: list[float], cuts: set[int]
) -> None:
    """Whoever asks whenever: the moments of the committed slots fit the bucket. Redis's clock is the test's own."""
    sent: list[float] = []
    now = 1_000_000.0
    limit = limit_on(fakeredis.FakeRedis(), quota, burst=burst)
    with mock.patch("time.time", side_effect=lambda: now):
        for number, step in enumerate(steps):
            now += step / quota
            what, seconds, _ = limit._reserve(keys=[limit._key, keys.BUDGET], args=[quota, burst, 0, 30])
            if what == b"go":
                sent.append(now + float(seconds))
            if number in cuts:
                limit.throttled(now)
    assert tokens_needed(sent, quota) <= BUCKET + 1e-6 if sent else True


@given(quota=st.floats(1, 500))
@settings(max_examples=30, deadline=None)
def test_nearly_all_of_the_quota_is_used(quota: float) -> None:
    now = 1_000_000.0
    end, sent = now + 200 / quota, 0
    limit = limit_on(fakeredis.FakeRedis(), quota)
    with mock.patch("time.time", side_effect=lambda: now):
        while now < end:
            what, seconds, _ = limit._reserve(keys=[limit._key, keys.BUDGET], args=[quota, 1, 0, 30])
            sent += what == b"go"
            now += float(seconds) + 1e-6
    assert 0.985 * 200 <= sent <= 201


def _call_often(url: str, quota: float, ready: ProcessEvent, go: ProcessEvent, seconds: float, book: str) -> None:
    broker = Broker(url)
    limit = limit_on(broker.scripts, quota)

    def call() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if limit.acquire(lambda: True):
                broker.scripts.rpush(book, f"{time.time():.6f}")
            time.sleep(0.1)

    ready.set()
    go.wait()
    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_processes_share_one_limit(broker: Broker) -> None:
    """Real processes on a real server: together they stay within the bucket, and use what there is."""
    url, quota, seconds = broker._url, 40.0, 3.0
    context = multiprocessing.get_context("spawn")
    go = context.Event()
    readies = [context.Event() for _ in range(2)]
    book = "sent"
    processes = [context.Process(target=_call_often, args=(url, quota, ready, go, seconds, book)) for ready in readies]
    for process in processes:
        process.start()
    for ready in readies:
        assert ready.wait(30)
    go.set()
    for process in processes:
        process.join()
    sent = [float(moment) for moment in broker.scripts.lrange(book, 0, -1)]
    assert tokens_needed(sent, quota) <= BUCKET
    assert len(sent) >= 0.7 * quota * seconds  # a generous bound: this machine may be busy


def test_a_killed_process_takes_no_more_than_one_slot_with_it(broker: Broker) -> None:
    """Sixty-four threads that wait for a slot have one between them: the next caller waits two spacings at most."""
    quota = 5.0
    killed = limit_on(broker.scripts, quota)
    threads = [threading.Thread(target=killed.acquire, args=(lambda: True,), daemon=True) for _ in range(64)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    killed.stop()  # as a kill does, it lets go of nothing in Redis
    started = time.monotonic()
    assert limit_on(broker.scripts, quota).acquire(lambda: True)
    assert time.monotonic() - started < 12 / quota  # 64 / quota if each had one


def test_a_step_of_the_clock_freezes_nothing(broker: Broker) -> None:
    limit = limit_on(broker.scripts, 20)
    broker.scripts.hset(limit._key, "tat", time.time() + 3600)
    started = time.monotonic()
    assert limit.acquire(lambda: True)
    assert time.monotonic() - started < 10


def test_a_throttle_cuts_the_rate_once_for_all_calls_sent_before_it(broker: Broker) -> None:
    rates: list[float] = []
    limit = RateLimit(broker.scripts, "test", "DetectFaces", 100.0, on_rate=rates.append)
    sent_at = time.time()
    for _ in range(64):
        limit.throttled(sent_at)
    assert rates[0] == pytest.approx(70)
    assert min(rates) == pytest.approx(70, abs=0.1)
    limit.throttled(time.time() + 0.001)
    assert 48.9 < rates[-1] < 60


def test_the_rate_grows_back(broker: Broker) -> None:
    limit = limit_on(broker.scripts, 100.0)
    broker.scripts.hset(limit._key, mapping={"rate": 50, "cut_at": time.time() - 4})
    rates: list[float] = []
    RateLimit(broker.scripts, "test", "DetectFaces", 100.0, on_rate=rates.append).acquire(lambda: True)
    assert 69 < rates[-1] < 90


def test_a_caller_that_is_not_wanted_any_more_reserves_nothing(broker: Broker) -> None:
    limit = limit_on(broker.scripts, 10.0)
    assert limit.acquire(lambda: False) is None
    assert not broker.scripts.exists(limit._key)


def test_calls_are_held_back_while_each_would_fail(broker: Broker) -> None:
    reasons: list[str] = []
    limit = RateLimit(broker.scripts, "test", "DetectFaces", 10.0, on_blocked=reasons.append)
    limit.hold_back(time.time(), "AccessDeniedException")
    tries = iter([True, True, False])
    assert limit.acquire(lambda: next(tries)) is None
    assert reasons[0] == "held"


def test_one_call_goes_out_when_the_time_of_holding_back_is_over(broker: Broker) -> None:
    """The others wait until it was answered, or for another while."""
    limit = limit_on(broker.scripts, 1000.0)
    limit.hold_back(time.time() - 31, "AccessDeniedException")
    probe = limit.acquire(lambda: True)
    assert probe
    assert probe.is_probe
    tries = iter([True, False])
    assert limit.acquire(lambda: next(tries)) is None
    limit.works_again()
    slot = limit.acquire(lambda: True)
    assert slot
    assert not slot.is_probe


def test_a_slot_further_away_than_a_lease_keeps_the_jobs_lease(broker: Broker) -> None:
    """At a call each four seconds the wait for a slot is longer than three seconds without a sign of life."""
    limit = limit_on(broker.scripts, 0.25)
    assert limit.acquire(lambda: True)
    signs: list[float] = []

    def renew() -> bool:
        signs.append(time.monotonic())
        return True

    assert limit.acquire(renew)
    assert len(signs) >= 3


def test_a_step_of_the_clock_leaves_throttles_their_effect(broker: Broker) -> None:
    limit = limit_on(broker.scripts, 100.0)
    broker.scripts.hset(limit._key, mapping={"rate": 80, "cut_at": time.time() + 3600})
    limit.throttled(time.time())
    assert float(broker.scripts.hget(limit._key, "rate") or 100) < 80


def test_the_turnstile_is_first_come_first_served() -> None:
    turnstile, order, lock = Turnstile(), [], threading.Lock()
    turnstile.enter(lambda: True)

    def come(number: int) -> None:
        assert turnstile.enter(lambda: True)
        with lock:
            order.append(number)
        turnstile.leave()

    threads = []
    for number in range(20):
        thread = threading.Thread(target=come, args=(number,))
        thread.start()
        threads.append(thread)
        while len(turnstile._waiting) <= number:
            time.sleep(0.001)
    turnstile.leave()
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_who_gives_up_in_the_queue_lets_the_others_through() -> None:
    turnstile = Turnstile()
    turnstile.enter(lambda: True)
    assert not turnstile.enter(lambda: False)
    turnstile.leave()
    assert turnstile.enter(lambda: True)


# --- the budget ---


def paid(broker: Broker, dollars: float) -> tuple[RateLimit, list[str]]:
    reasons: list[str] = []
    limit = RateLimit(broker.scripts, "aws", "DetectFaces", 1000.0, dollars=dollars, on_blocked=reasons.append)
    return limit, reasons


def once() -> list[bool]:
    return [True, False]


def test_without_a_budget_in_redis_nothing_is_paid(broker: Broker) -> None:
    limit, reasons = paid(broker, 0.001)
    answers = iter(once())
    assert limit.acquire(lambda: next(answers)) is None
    assert reasons == ["unseeded"]


def test_a_budget_is_never_overshot(broker: Broker) -> None:
    limit, reasons = paid(broker, 0.001)
    purse = Purse(broker.scripts)
    purse.seed(Budget(0.005, "day"), time.time())
    granted = 0
    while True:
        answers = iter(once())
        if limit.acquire(lambda answers=answers: next(answers)) is None:
            break
        granted += 1
    assert granted == 5
    assert reasons == ["spent"]
    spending = purse.read()
    assert spending
    assert spending.spent_dollars == pytest.approx(0.005)


def test_an_unused_slot_gives_its_money_back(broker: Broker) -> None:
    limit, _ = paid(broker, 0.001)
    purse = Purse(broker.scripts)
    purse.seed(Budget(1, "day"), time.time())
    slot = limit.acquire(lambda: True)
    assert slot
    limit.give_back(slot)
    spending = purse.read()
    assert spending
    assert spending.spent_dollars == 0


def test_a_restart_of_the_books_never_lowers_what_was_spent(broker: Broker) -> None:
    purse, now = Purse(broker.scripts), time.time()
    purse.seed(Budget(1, "day"), now, spent_dollars=0.4)
    purse.seed(Budget(1, "day"), now, spent_dollars=0.1)
    spending = purse.read()
    assert spending
    assert spending.spent_dollars == pytest.approx(0.4)
