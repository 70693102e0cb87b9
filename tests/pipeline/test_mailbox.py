"""Late binding: the newest frame is served, and the accounts add up through anything."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace

import fakeredis
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Frame, Operation, Policy, S3Object, TakenFrame
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.results import Results
from pipeline.spending import charged_calls

AWS = "aws us-east-1"
CAMERA = "door"


class Producer:
    """A capture, as small as can be."""

    def __init__(self, mailbox: Mailbox, policy: Policy = Policy.LATEST, fence: int | None = None) -> None:
        self.mailbox, self.policy, self.fence = mailbox, policy, fence
        self.ledger = Ledger()

    def sample(self) -> Offer:
        number = self.ledger.sample()
        return self.offer(number)

    def offer(self, number: int) -> Offer:
        statement = self.ledger.statement(number)
        frame = Frame(CAMERA, number, time.time(), b"jpeg %d" % number, 640, 480)
        offered = self.mailbox.offer(frame, statement, self.policy, self.fence)
        if offered not in (Offer.FULL, Offer.FENCED):
            self.ledger.confirm(statement)
        return offered


class Worker:
    """Takes jobs off RQ's list as RQ does, without RQ."""

    def __init__(self, mailbox: Mailbox, connection: redis.Redis) -> None:
        self.mailbox, self.connection = mailbox, connection

    def next_token(self) -> str | None:
        job = self.connection.lpop(QUEUE_KEY)
        return None if job is None else job.decode().removeprefix(f"{CAMERA}-")

    def take(self, seconds: float = 15.0) -> TakenFrame | None:
        token = self.next_token()
        return None if token is None or not self.mailbox.hold(CAMERA, token) else self.mailbox.take(CAMERA, token, seconds, AWS)


@pytest.fixture(params=["valkey", "fakeredis"])
def connection(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """The real server and its in-memory twin keep the same contract."""
    if request.param == "valkey":
        broker: Broker = request.getfixturevalue("broker")
        yield broker.scripts
    else:
        yield fakeredis.FakeRedis()


@pytest.fixture
def mailbox(connection: redis.Redis) -> Mailbox:
    return Mailbox(connection, JobQueue(connection))


@pytest.fixture
def worker(mailbox: Mailbox, connection: redis.Redis) -> Worker:
    return Worker(mailbox, connection)


def result_of(taken: TakenFrame) -> dict[str, object]:
    frame = taken.frame
    return {"seq": taken.seq, "captured_at": frame.captured_at, "width": 1, "height": 1, "FaceDetails": []}


def test_an_empty_mailbox_enqueues_one_job_and_a_full_one_none(mailbox: Mailbox, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    assert [producer.sample() for _ in range(3)] == [Offer.ENQUEUED, Offer.REPLACED, Offer.REPLACED]
    assert connection.llen(QUEUE_KEY) == 1
    assert mailbox.balance(CAMERA).superseded == 2


def test_a_call_gets_the_newest_frame_there_is_when_it_takes(mailbox: Mailbox, worker: Worker) -> None:
    producer = Producer(mailbox)
    producer.sample()
    token = worker.next_token()
    assert token
    assert mailbox.hold(CAMERA, token)
    producer.sample()
    taken = mailbox.take(CAMERA, token)
    assert taken
    assert taken.frame.jpeg == b"jpeg 2"
    assert taken.frame.attributes == ("ALL",)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"operation": Operation.DETECT_LABELS, "options": {"MinConfidence": 70.5, "MaxLabels": 3}},
        {"operation": Operation.DETECT_FACES, "jpeg": b"", "place": S3Object("photos", "a b/c.jpg", "v1")},
        {"operation": Operation.COMPARE_FACES, "target": b"\xff\xd8 another", "options": {"SimilarityThreshold": 80}},
        {"operation": Operation.COMPARE_FACES, "target": S3Object("photos", "d.png")},
    ],
)
def test_what_is_asked_of_a_frame_reaches_the_worker(mailbox: Mailbox, worker: Worker, asked: dict[str, object]) -> None:
    """The job hears the operation before it takes the frame: each has a rate limit of its own."""
    ledger = Ledger()
    frame = replace(Frame(CAMERA, ledger.sample(), time.time(), b"jpeg", 640, 480), **asked)  # type: ignore[arg-type]
    mailbox.offer(frame, ledger.statement(1), Policy.EVERY)
    token = worker.next_token()
    assert token
    assert mailbox.hold(CAMERA, token) == frame.operation
    taken = mailbox.take(CAMERA, token)
    assert taken
    assert taken.frame == frame


def test_a_frame_of_an_older_producer_asks_for_faces(mailbox: Mailbox, worker: Worker, connection: redis.Redis) -> None:
    Producer(mailbox).sample()
    connection.hdel(keys.box(CAMERA), "operation", "target")
    token = worker.next_token()
    assert token
    assert mailbox.hold(CAMERA, token) == "DetectFaces"
    taken = mailbox.take(CAMERA, token)
    assert taken
    assert (taken.frame.operation, taken.frame.target) == ("DetectFaces", b"")


def test_several_frames_of_one_camera_are_in_flight_at_once(mailbox: Mailbox, worker: Worker) -> None:
    producer = Producer(mailbox)
    taken = []
    for _ in range(3):
        producer.sample()
        taken.append(worker.take())
    assert [frame.frame.number for frame in taken if frame] == [1, 2, 3]
    assert mailbox.balance(CAMERA).in_flight == 3


def test_a_second_take_with_the_same_token_returns_the_same_frame(mailbox: Mailbox, worker: Worker) -> None:
    producer = Producer(mailbox)
    producer.sample()
    taken = worker.take()
    producer.sample()
    assert taken
    assert mailbox.take(CAMERA, taken.token) == taken
    assert mailbox.balance(CAMERA).adds_up


def test_a_second_finish_counts_nothing_and_says_the_same(mailbox: Mailbox, worker: Worker) -> None:
    Producer(mailbox).sample()
    taken = worker.take()
    assert taken
    first = mailbox.finish(taken, "analysed", result_of(taken))
    assert first.counted
    assert mailbox.finish(taken, "analysed", result_of(taken)) == first
    assert mailbox.balance(CAMERA).analysed == 1


def test_an_offer_whose_reply_was_lost_is_counted_once(mailbox: Mailbox) -> None:
    producer = Producer(mailbox)
    number = producer.ledger.sample()
    statement = producer.ledger.statement(number)
    frame = Frame(CAMERA, number, time.time(), b"jpeg", 640, 480)
    mailbox.offer(frame, statement, Policy.LATEST)  # nobody reads the reply: the ledger does not know
    assert mailbox.offer(frame, statement, Policy.LATEST) is Offer.DUPLICATE
    producer.sample()
    balance = mailbox.balance(CAMERA)
    assert (balance.sampled, balance.superseded, balance.adds_up) == (2, 1, True)


def test_frames_dropped_before_the_offer_travel_with_the_next_one(mailbox: Mailbox) -> None:
    producer = Producer(mailbox)
    producer.sample()
    for cause in ("encode", "encode", "too_small"):
        producer.ledger.sample()
        producer.ledger.drop(cause)
    producer.ledger.sample()  # an offer that never arrived
    producer.sample()
    balance = mailbox.balance(CAMERA)
    assert balance.dropped == {"encode": 2, "too_small": 1, "redis": 1}
    assert balance.sampled == 6
    assert balance.adds_up


def test_what_is_dropped_last_is_settled_without_a_frame(mailbox: Mailbox) -> None:
    producer = Producer(mailbox)
    producer.sample()
    producer.ledger.sample()
    producer.ledger.drop("encode")
    mailbox.settle(CAMERA, producer.ledger.statement())
    mailbox.settle(CAMERA, producer.ledger.statement())
    balance = mailbox.balance(CAMERA)
    assert (balance.sampled, balance.dropped, balance.adds_up) == (2, {"encode": 1}, True)


def test_an_emptied_redis_does_not_count_old_frames_as_dropped(mailbox: Mailbox, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    for _ in range(5):
        producer.sample()
    connection.flushall()
    producer.sample()
    balance = mailbox.balance(CAMERA)
    assert (balance.sampled, balance.dropped, balance.adds_up) == (1, {}, True)


def test_another_capture_of_the_same_camera_goes_on_counting(mailbox: Mailbox) -> None:
    first, second = Producer(mailbox), Producer(mailbox)
    first.ledger.sample()
    first.ledger.drop("encode")
    first.sample()
    second.ledger.sample()
    second.ledger.drop("encode")
    second.sample()
    balance = mailbox.balance(CAMERA)
    assert (balance.sampled, balance.dropped, balance.adds_up) == (4, {"encode": 2}, True)


def test_a_producer_that_lost_its_lease_is_fenced_off(mailbox: Mailbox, connection: redis.Redis) -> None:
    connection.set(keys.fence(CAMERA), 7)
    assert Producer(mailbox, fence=6).sample() is Offer.FENCED
    assert Producer(mailbox, fence=7).sample() is Offer.ENQUEUED
    assert mailbox.balance(CAMERA).sampled == 1


def test_a_lost_job_is_enqueued_anew_and_its_old_token_is_stale(
    mailbox: Mailbox, worker: Worker, connection: redis.Redis
) -> None:
    producer = Producer(mailbox)
    producer.sample()
    lost = worker.next_token()  # popped by a worker that is killed now
    connection.hset(keys.box(CAMERA), "since", time.time() - 3.5)
    producer.sample()
    assert lost
    assert not mailbox.hold(CAMERA, lost)
    assert mailbox.take(CAMERA, lost) is None
    assert worker.take()
    assert mailbox.balance(CAMERA).reenqueued == 1


def test_a_job_that_waits_in_the_queue_is_not_lost_however_long(mailbox: Mailbox, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    producer.sample()
    for _ in range(3):
        connection.hset(keys.box(CAMERA), "since", time.time() - 100)
        producer.sample()
    assert connection.llen(QUEUE_KEY) == 1
    assert mailbox.balance(CAMERA).reenqueued == 0


def test_a_held_job_is_not_lost_while_its_thread_renews_it(mailbox: Mailbox, worker: Worker, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    producer.sample()
    token = worker.next_token()
    connection.hset(keys.box(CAMERA), "since", time.time() - 100)
    assert token
    assert mailbox.hold(CAMERA, token)
    producer.sample()
    assert connection.llen(QUEUE_KEY) == 0


def test_a_sweep_finds_a_lost_job_of_a_camera_that_offers_nothing_more(
    mailbox: Mailbox, worker: Worker, connection: redis.Redis
) -> None:
    Producer(mailbox).sample()
    worker.next_token()
    connection.hset(keys.box(CAMERA), "since", time.time() - 3.5)
    mailbox.sweep()
    assert worker.take()


def test_a_job_given_back_is_enqueued_again_at_once(mailbox: Mailbox, worker: Worker) -> None:
    Producer(mailbox).sample()
    token = worker.next_token()
    assert token
    mailbox.release(CAMERA, token)
    mailbox.sweep()
    assert worker.take()


def test_a_frame_whose_worker_was_lost_has_failed_and_says_so_in_the_results(
    mailbox: Mailbox, worker: Worker, connection: redis.Redis
) -> None:
    Producer(mailbox).sample()
    taken = worker.take(seconds=-1)
    assert taken
    mailbox.sweep()
    balance = mailbox.balance(CAMERA)
    assert (balance.failed, balance.in_flight, balance.adds_up) == ({"lost": 1}, 0, True)
    (result,) = Results(connection).latest()
    assert result.error
    assert result.error["Code"] == "WorkerLost"
    assert (result.provider, result.operation, charged_calls(result)) == (AWS, "DetectFaces", 1)
    assert not mailbox.finish(taken, "analysed", result_of(taken)).counted
    assert mailbox.balance(CAMERA).late == 1
    assert mailbox.balance(CAMERA).adds_up


def test_policy_every_waits_until_the_mailbox_is_empty(mailbox: Mailbox, worker: Worker) -> None:
    producer = Producer(mailbox, Policy.EVERY)
    producer.sample()
    number = producer.ledger.sample()
    assert producer.offer(number) is Offer.FULL
    assert mailbox.balance(CAMERA).sampled == 1
    worker.take()
    assert producer.offer(number) is Offer.ENQUEUED
    assert mailbox.balance(CAMERA).adds_up


def test_policy_every_tries_a_frame_again_whose_worker_was_lost(mailbox: Mailbox, worker: Worker) -> None:
    Producer(mailbox, Policy.EVERY).sample()
    first = worker.take(seconds=-1)
    mailbox.sweep()
    mailbox.sweep()
    second = worker.take()
    assert first
    assert second
    assert (second.frame, second.seq, second.attempt) == (first.frame, first.seq, 2)
    assert not mailbox.finish(first, "analysed", result_of(first)).counted
    assert mailbox.finish(second, "analysed", result_of(second)).counted
    balance = mailbox.balance(CAMERA)
    assert (balance.analysed, balance.failed, balance.adds_up) == (1, {}, True)
    assert mailbox.drained(CAMERA)


def test_a_frame_that_loses_five_workers_has_failed(mailbox: Mailbox, worker: Worker, connection: redis.Redis) -> None:
    Producer(mailbox, Policy.EVERY).sample()
    for _ in range(5):
        assert worker.take(seconds=-1)
        mailbox.sweep()
    assert worker.take() is None
    assert mailbox.balance(CAMERA).failed == {"lost": 1}
    assert mailbox.balance(CAMERA).adds_up
    (result,) = Results(connection).latest()
    assert charged_calls(result) == 5  # nobody knows whether they were made: the budget counted each


def test_the_newest_picture_is_never_replaced_by_an_older_one(
    mailbox: Mailbox, worker: Worker, connection: redis.Redis
) -> None:
    producer = Producer(mailbox)
    producer.sample()
    older = worker.take()
    producer.sample()
    newer = worker.take()
    assert older
    assert newer
    mailbox.finish(newer, "analysed", result_of(newer))
    mailbox.finish(older, "analysed", result_of(older))
    kept = Results(connection).newest_frame(CAMERA)
    assert kept
    assert kept.jpeg == b"jpeg 2"
    assert 0 < connection.ttl(keys.newest(CAMERA)) <= 60


def test_a_removed_cameras_waiting_frame_is_dropped_and_counted(mailbox: Mailbox, connection: redis.Redis) -> None:
    Producer(mailbox).sample()
    mailbox.forget(CAMERA)
    balance = mailbox.balance(CAMERA)
    assert (balance.dropped, balance.in_flight, balance.adds_up) == ({"removed": 1}, 0, True)
    assert mailbox.cameras() == []


def test_a_waiting_picture_expires_and_is_counted(mailbox: Mailbox, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    producer.sample()
    assert 0 < connection.ttl(keys.box(CAMERA)) <= 600
    connection.delete(keys.box(CAMERA))  # ten minutes pass
    assert mailbox.balance(CAMERA).adds_up
    producer.sample()
    balance = mailbox.balance(CAMERA)
    assert (balance.dropped, balance.in_flight, balance.adds_up) == ({"expired": 1}, 1, True)


def test_a_clock_that_was_set_back_silences_no_camera(mailbox: Mailbox, worker: Worker, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    producer.sample()
    worker.next_token()  # popped by a worker that is killed now
    connection.hset(keys.box(CAMERA), "since", time.time() + 3600)
    mailbox.sweep()
    assert worker.take(seconds=3600)
    mailbox.sweep()
    assert mailbox.balance(CAMERA).failed == {"lost": 1}


def test_a_frame_in_flight_of_a_removed_camera_is_still_looked_after(mailbox: Mailbox, worker: Worker) -> None:
    Producer(mailbox).sample()
    assert worker.take(seconds=-1)
    mailbox.forget(CAMERA)
    mailbox.sweep()
    balance = mailbox.balance(CAMERA)
    assert (balance.failed, balance.in_flight, balance.adds_up) == ({"lost": 1}, 0, True)


def test_no_frame_stays_in_redis_after_all_were_finished(mailbox: Mailbox, worker: Worker, connection: redis.Redis) -> None:
    producer = Producer(mailbox)
    for _ in range(5):
        producer.sample()
        taken = worker.take()
        assert taken
        mailbox.finish(taken, "failed:timeout", result_of(taken))
    left = [key for key in connection.scan_iter() if connection.type(key) == b"hash" and connection.hexists(key, "jpeg")]
    assert left == []


class AnyInterleaving(RuleBasedStateMachine):
    """Producers, workers, kills and lost replies in any order: the sum holds, and no camera falls silent."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = fakeredis.FakeRedis()
        self.mailbox = Mailbox(self.connection, JobQueue(self.connection))
        self.producers = [Producer(self.mailbox), Producer(self.mailbox, Policy.EVERY)]
        self.worker = Worker(self.mailbox, self.connection)
        self.held: list[str] = []
        self.taken: list[TakenFrame] = []
        self.numbers = itertools.count(1)

    @rule(which=st.integers(0, 1), reply_lost=st.booleans())
    def offer(self, which: int, reply_lost: bool) -> None:
        producer = self.producers[which]
        number = producer.ledger.sample()
        statement = producer.ledger.statement(number)
        frame = Frame(CAMERA, number, time.time(), b"x", 640, 480)
        offered = self.mailbox.offer(frame, statement, producer.policy)
        if offered is Offer.FULL:
            producer.ledger.drop("gave_up")
        elif not reply_lost:
            producer.ledger.confirm(statement)

    @rule(which=st.integers(0, 1), cause=st.sampled_from(["encode", "too_small"]))
    def drop(self, which: int, cause: str) -> None:
        self.producers[which].ledger.sample()
        self.producers[which].ledger.drop(cause)

    @rule()
    def restart_producer(self) -> None:
        self.mailbox.settle(CAMERA, self.producers[0].ledger.statement())
        self.producers[0] = Producer(self.mailbox)

    @rule()
    def pop(self) -> None:
        if token := self.worker.next_token():
            self.held.append(token)

    @precondition(lambda self: self.held)
    @rule(index=st.integers(0, 20), seconds=st.sampled_from([-1.0, 15.0]), keep=st.booleans())
    def take(self, index: int, seconds: float, keep: bool) -> None:
        token = self.held[index % len(self.held)]
        if not keep:
            self.held.remove(token)
        if self.mailbox.hold(CAMERA, token) and (taken := self.mailbox.take(CAMERA, token, seconds)):
            self.taken.append(taken)

    @precondition(lambda self: self.taken)
    @rule(index=st.integers(0, 20), outcome=st.sampled_from(["analysed", "failed:timeout"]), again=st.booleans())
    def finish(self, index: int, outcome: str, again: bool) -> None:
        taken = self.taken[index % len(self.taken)]
        self.mailbox.finish(taken, outcome, result_of(taken))
        if not again:
            self.taken.remove(taken)

    @rule()
    def kill_workers(self) -> None:
        self.held.clear()
        self.taken.clear()

    @rule()
    def time_passes(self) -> None:
        if self.connection.exists(keys.box(CAMERA)):
            self.connection.hset(keys.box(CAMERA), "since", time.time() - 4)

    @rule()
    def box_expires(self) -> None:
        self.connection.delete(keys.box(CAMERA))

    @rule()
    def clock_steps_back(self) -> None:
        if self.connection.exists(keys.box(CAMERA)):
            self.connection.hset(keys.box(CAMERA), "since", time.time() + 3600)

    @rule()
    def forget(self) -> None:
        self.mailbox.forget(CAMERA)

    @rule()
    def sweep(self) -> None:
        self.mailbox.sweep()

    @invariant()
    def the_accounts_add_up(self) -> None:
        balance = self.mailbox.balance(CAMERA)
        assert balance.adds_up, balance
        assert balance.in_flight >= 0

    @invariant()
    def a_waiting_frame_is_served_after_a_sweep(self) -> None:
        box = self.connection.hgetall(keys.box(CAMERA))
        if not box:
            return
        self.connection.hset(keys.box(CAMERA), "since", time.time() - 4)
        self.mailbox.sweep()
        token = self.connection.hget(keys.box(CAMERA), "token").decode()
        queued = [job.decode() for job in self.connection.lrange(QUEUE_KEY, 0, -1)]
        assert f"{CAMERA}-{token}" in queued


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)


@given(st.lists(st.sampled_from(["offer", "encode", "nothing"]), max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_ledger_counts_each_frame_once(steps: list[str]) -> None:
    connection = fakeredis.FakeRedis()
    mailbox = Mailbox(connection, JobQueue(connection))
    producer = Producer(mailbox)
    for step in steps:
        if step == "offer":
            producer.sample()
        else:
            producer.ledger.sample()
            if step == "encode":
                producer.ledger.drop("encode")
    mailbox.settle(CAMERA, producer.ledger.statement())
    balance = mailbox.balance(CAMERA)
    assert balance.sampled == len(steps)
    assert balance.dropped == {
        cause: count for cause, count in (("encode", steps.count("encode")), ("redis", steps.count("nothing"))) if count
    }
    assert balance.adds_up
