"""A worker process as it is started for real: what it runs and refuses, and how it takes kills, restarts and stops."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.job import Callback
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy
from pipeline.jobs import ANALYZE, QUEUE, QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.presence import living
from pipeline.results import Results
from rekstream import environment
from tests.conftest import Valkey, wait_until
from tests.endpoint import Endpoint
from workers.rq_threads import ThreadWorker, is_ours


class WorkerProcess:
    """`rekstream work` against a Redis and an endpoint, with what it says on standard error."""

    def __init__(self, redis_url: str, endpoint: str, **told: object) -> None:
        ours = {"redis": redis_url, "endpoint_url": endpoint, "tps": 200, "threads": 8, **told}
        variables = {f"REKSTREAM_{name.upper()}": str(value) for name, value in ours.items()}
        without_aws = dict(environment.of_server()) | {"AWS_EC2_METADATA_DISABLED": "true"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rekstream", "work"],
            env={**without_aws, **variables},
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> str:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            _, said = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, said = self.process.communicate()
        return said


@contextlib.contextmanager
def worker(redis_url: str, endpoint: str, **told: object) -> Iterator[WorkerProcess]:
    started = WorkerProcess(redis_url, endpoint, **told)
    try:
        yield started
    finally:
        started.close()


class Cameras:
    """Cameras that offer a frame whenever they are asked."""

    def __init__(self, broker: Broker, count: int, policy: Policy = Policy.LATEST) -> None:
        self.mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self.policy = policy
        self.jpeg = b"jpeg"
        self.ledgers = {f"cam{number}": Ledger() for number in range(count)}

    def offer(self) -> None:
        for camera, ledger in self.ledgers.items():
            with contextlib.suppress(redis.RedisError):
                statement = ledger.statement(ledger.sample())
                frame = Frame(camera, statement.number, time.time(), self.jpeg, 640, 480)
                self.mailbox.offer(frame, statement, self.policy)
                ledger.confirm(statement)

    def offer_until(self, done: object, seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not done():  # type: ignore[operator]
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            self.offer()
            time.sleep(0.05)

    def analysed(self) -> dict[str, int]:
        return {camera: self.mailbox.balance(camera).analysed for camera in self.ledgers}

    def all_served_since(self, before: dict[str, int]) -> bool:
        return all(count > before[camera] for camera, count in self.analysed().items())

    def add_up(self) -> bool:
        return all(self.mailbox.balance(camera).adds_up for camera in self.ledgers)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(seconds=0.05) as server:
        yield server


def ready(broker: Broker, processes: int = 1) -> bool:
    alive = living(broker.scripts, "worker")
    return len(alive) >= processes and all(process.details.get("alive") for process in alive)


def test_frames_become_results(broker: Broker, endpoint: Endpoint) -> None:
    cameras = Cameras(broker, 3)
    with worker(broker._url, endpoint.url):
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 3)
    result = Results(broker.scripts).latest(1)[0]
    assert result.response["FaceDetails"][0]["Smile"]["Value"] is True
    assert result.error is None
    assert set(result.stages) == {"encode", "queue", "limit", "upload", "service", "publish"}
    assert sum(result.stages.values()) == pytest.approx(result.age_seconds, abs=0.01)
    assert cameras.add_up()


def test_a_job_that_names_another_function_is_not_run(broker: Broker, endpoint: Endpoint, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    job = {
        "data": json.dumps(["os.system", None, [f"touch {proof}"], {}]),
        "origin": QUEUE,
        "status": "queued",
        "created_at": "2026-11-22T00:00:00.000000Z",
    }
    broker.scripts.hset("rq:job:evil", mapping=job)
    broker.scripts.rpush(QUEUE_KEY, "evil")
    started = WorkerProcess(broker._url, endpoint.url)
    cameras = Cameras(broker, 1)
    cameras.offer_until(lambda: cameras.analysed()["cam0"] >= 1)
    said = started.close()
    assert not proof.exists()
    assert "job evil on the queue is not ours and was not run" in said
    assert not broker.scripts.exists("rq:job:evil")
    assert broker.scripts.llen(f"{QUEUE_KEY}:intermediate") == 0


def test_anything_attached_to_a_job_makes_it_foreign(broker: Broker) -> None:
    """Callbacks and webhooks run code or reach out, so a job of ours has none."""
    queue = Queue(QUEUE, connection=broker.jobs, serializer=JSONSerializer)
    plain = {"args": ("cam", "token"), "result_ttl": 0}
    assert is_ours(queue.enqueue_call(ANALYZE, **plain))
    foreign = [
        queue.enqueue_call(ANALYZE, **plain, on_success=Callback("os.getpid")),
        queue.enqueue_call(ANALYZE, **plain, on_failure=Callback("os.getpid")),
        queue.enqueue_call(ANALYZE, **plain, webhooks=[Webhook("http://127.0.0.1:1/", "finished")]),
        queue.enqueue_call(ANALYZE, args=("cam", {"a": 1})),
        queue.enqueue_call(ANALYZE, args=("cam", "token"), kwargs={"x": 1}),
        queue.enqueue_call("os.getpid"),
    ]
    assert [is_ours(job) for job in foreign] == [False] * len(foreign)


def test_the_hooks_of_rq_are_still_there() -> None:
    """Each name that `ThreadWorker` overrides or reads exists in RQ; a release that moves one fails here."""
    base = ThreadWorker.__mro__[1]
    overridden = (
        "dequeue_job_and_maintain_ttl",
        "execute_job",
        "subscribe",
        "unsubscribe",
        "procline",
        "_install_signal_handlers",
        "should_run_maintenance_tasks",
        "check_for_suspension",
        "heartbeat",
        "dequeue_timeout",
    )
    assert [name for name in overridden if not hasattr(base, name)] == []
    assert hasattr(Queue, "dequeue_any")
    assert Queue("x", connection=redis.Redis()).intermediate_queue_key == "rq:queue:x:intermediate"


def test_sigterm_ends_an_idle_worker_within_two_seconds(broker: Broker, endpoint: Endpoint) -> None:
    started = WorkerProcess(broker._url, endpoint.url, threads=32)
    wait_until(lambda: ready(broker), 20)
    began = time.monotonic()
    started.process.send_signal(signal.SIGTERM)
    assert started.process.wait(10) == 0
    assert time.monotonic() - began < 6  # a generous bound; the dequeue waits one second at most
    assert living(broker.scripts, "worker") == []
    started.close()


def test_killing_one_of_two_workers_stops_nothing(broker: Broker, endpoint: Endpoint) -> None:
    cameras = Cameras(broker, 4)
    first = WorkerProcess(broker._url, endpoint.url)
    with worker(broker._url, endpoint.url):
        cameras.offer_until(lambda: ready(broker, 2) and min(cameras.analysed().values()) >= 1)
        first.kill()
        before, killed_at = cameras.analysed(), time.monotonic()
        cameras.offer_until(lambda: cameras.all_served_since(before))
        assert time.monotonic() - killed_at < 12
        assert cameras.add_up()
    first.close()


def test_a_worker_killed_while_it_holds_a_job_silences_no_camera(broker: Broker) -> None:
    """All threads are in slow calls when the process dies; every camera has a result within five seconds of the next one."""
    cameras = Cameras(broker, 4)
    with Endpoint(seconds=3.0) as slow:
        doomed = WorkerProcess(broker._url, slow.url)
        cameras.offer_until(lambda: len(slow.calls) >= 4)
        doomed.kill()
    with Endpoint() as quick, worker(broker._url, quick.url):
        wait_until(lambda: ready(broker), 20)
        before, began = cameras.analysed(), time.monotonic()
        cameras.offer_until(lambda: cameras.all_served_since(before))
        assert time.monotonic() - began < 15
        assert cameras.add_up()
    doomed.close()


def test_a_restart_of_valkey_is_survived_by_every_thread(own_valkey: Valkey, endpoint: Endpoint) -> None:
    broker = Broker(own_valkey.url)
    cameras = Cameras(broker, 2)
    with worker(own_valkey.url, endpoint.url):
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 2)
        own_valkey.kill()
        own_valkey.start()
        began = time.monotonic()
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 2)
        assert time.monotonic() - began < 20
        wait_until(lambda: living(broker.scripts, "worker") and living(broker.scripts, "worker")[0].details["alive"] == 8)
        assert cameras.add_up()
    broker.close()


def test_a_frozen_valkey_is_survived(own_valkey: Valkey, endpoint: Endpoint) -> None:
    broker = Broker(own_valkey.url)
    cameras = Cameras(broker, 2)
    assert own_valkey.process
    with worker(own_valkey.url, endpoint.url):
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 2)
        own_valkey.process.send_signal(signal.SIGSTOP)
        cameras.offer()  # times out after two seconds, and is counted when Redis is back
        own_valkey.process.send_signal(signal.SIGCONT)
        before = cameras.analysed()
        cameras.offer_until(lambda: cameras.all_served_since(before))
        assert cameras.add_up()
    broker.close()


def test_a_frozen_worker_that_comes_back_late_counts_nothing_twice(broker: Broker, endpoint: Endpoint) -> None:
    cameras = Cameras(broker, 1)
    with worker(broker._url, endpoint.url) as frozen:
        cameras.offer_until(lambda: cameras.analysed()["cam0"] >= 1)
        os.kill(frozen.process.pid, signal.SIGSTOP)
        with worker(broker._url, endpoint.url):
            before = cameras.analysed()
            cameras.offer_until(lambda: cameras.all_served_since(before))
        os.kill(frozen.process.pid, signal.SIGCONT)
        before = cameras.analysed()
        cameras.offer_until(lambda: cameras.all_served_since(before))
        wait_until(lambda: cameras.mailbox.drained("cam0"))
    assert cameras.add_up()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [("throttled", "throttled"), ("server", "server"), ("malformed", "answer"), ("reset", "connection"), ("silent", "timeout")],
)
def test_each_failed_call_is_a_recorded_error_counted_by_cause(broker: Broker, behaviour: str, cause: str) -> None:
    cameras = Cameras(broker, 1)
    with Endpoint(lambda number: behaviour) as faulty, worker(broker._url, faulty.url, read_timeout=0.5):
        cameras.offer_until(lambda: cameras.mailbox.balance("cam0").failed.get(cause, 0) >= 1)
        faulty.released.set()
        assert cameras.add_up()
    assert any(result.error for result in Results(broker.scripts).latest())


def test_policy_every_loses_no_frame_when_workers_are_killed_and_calls_fail(broker: Broker) -> None:
    """Every second call fails, the worker is killed in the middle of many, and each frame still has its result."""
    cameras = Cameras(broker, 4, Policy.EVERY)
    for camera in cameras.ledgers:
        cameras.mailbox._connection.sadd(keys.MAILBOXES, camera)
    with Endpoint(lambda number: "malformed" if number % 2 else "ok", seconds=0.5) as endpoint:
        cameras.offer()
        doomed = WorkerProcess(broker._url, endpoint.url)
        wait_until(lambda: len(endpoint.calls) >= 2, 20)
        doomed.kill()
        for camera in cameras.ledgers:  # fifteen seconds pass
            for token in broker.scripts.zrange(keys.in_flight(camera), 0, -1):
                broker.scripts.zadd(keys.in_flight(camera), {token: 1})
        with worker(broker._url, endpoint.url):
            wait_until(lambda: all(count == 1 for count in cameras.analysed().values()), 30)
    doomed.close()
    assert cameras.add_up()
    assert all(cameras.mailbox.balance(camera).failed == {} for camera in cameras.ledgers)
    tries = [result.response.get("paid_before", 0) for result in Results(broker.scripts).latest()]
    assert 2 <= sum(tries) <= len(endpoint.calls)  # what a lost worker asked, or was answered nonsense to, may be paid


def test_a_refused_permission_is_said_once_and_calls_are_held_back(broker: Broker) -> None:
    cameras = Cameras(broker, 4)
    with Endpoint(lambda number: "denied") as endpoint:
        started = WorkerProcess(broker._url, endpoint.url, threads=4)
        cameras.offer_until(lambda: len(endpoint.calls) >= 1)
        until = time.monotonic() + 2
        cameras.offer_until(lambda: time.monotonic() > until)
        assert len(endpoint.calls) <= 8  # those that were under way with the first one
        said = started.close()
    assert said.count("AccessDeniedException") == 1
    assert cameras.add_up()
