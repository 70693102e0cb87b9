"""What people write instead: a loop per camera, fair or naive, and RQ with frames in the queue. Frames are 100 KB."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import psutil
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rq import Queue
from rq.serializers import JSONSerializer

from bench import rig
from workers.rate_limit import RateLimit

TITLES = {
    "fair": "a thread per camera, the same shared limiter, SDK retries off",
    "naive": "a thread per camera, boto3 defaults, no limiter",
    "simple": "RQ SimpleWorker x8, frames queued",
    "fork": "RQ default Worker x4, frames queued",
}
FRAME = os.urandom(100_000)
WARM_UP = 5.0
END_SECONDS = 10.0
WORKERS = {"simple": 8, "fork": 4}


@dataclass(frozen=True, slots=True)
class Outcome:
    ages: rig.Ages
    note: str


def run(name: str, url: str, service: str, rates: tuple[float, ...], allowed: float, seconds: float) -> Outcome:
    if name in WORKERS:
        return queued(name, url, service, rates, seconds)
    return looped(name, url, service, rates, allowed, seconds)


class Newest:
    """Room for a camera's newest frame, or for the moment of it: which bytes it holds makes no difference here."""

    def __init__(self) -> None:
        self._at = 0.0
        self._there = threading.Event()

    def put(self) -> None:
        self._at = time.time()
        self._there.set()

    def wait(self, seconds: float) -> bool:
        return self._there.wait(seconds)

    def take(self) -> float:
        self._there.clear()
        return self._at


def looped(name: str, url: str, service: str, rates: tuple[float, ...], allowed: float, seconds: float) -> Outcome:
    connection = redis.Redis.from_url(url)
    client = client_of(service, retries=name == "naive")
    ages: list[tuple[float, float]] = []
    stop = threading.Event()

    def loop(slot: Newest, limit: RateLimit) -> None:
        while not stop.is_set():
            if not slot.wait(0.5) or (name == "fair" and limit.acquire(lambda: not stop.is_set()) is None):
                continue
            at = slot.take()
            if call(client):
                ages.append((time.time(), time.time() - at))

    threads = []
    for number, rate in enumerate(rates):
        slot = Newest()
        limit = RateLimit(connection, "bench", "DetectFaces", allowed)
        threads.append(threading.Thread(target=loop, args=(slot, limit), daemon=True))
        threads.append(threading.Thread(target=film, args=(slot.put, rate, number / len(rates), stop), daemon=True))
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP)
    rig.figures(service, "/reset")
    start = time.time()
    time.sleep(seconds)
    end = time.time()
    stop.set()
    for thread in threads:
        thread.join(END_SECONDS)
    return Outcome(_ages([age for at, age in ages if start <= at < end], end - start), "")


def queued(name: str, url: str, service: str, rates: tuple[float, ...], seconds: float) -> Outcome:
    connection: redis.Redis = redis.Redis.from_url(url)
    queue = Queue("frames", connection=connection, serializer=JSONSerializer)
    stop = threading.Event()

    def enqueue() -> None:
        frame = os.urandom(8).hex()
        connection.set(f"frame:{frame}", FRAME)
        queue.enqueue("bench.loops.job", frame, time.time(), result_ttl=0, job_timeout=-1)

    with rq_workers(name, url, service) as workers:
        for _ in range(4 * len(workers)):  # each worker has imported what it needs before it is measured
            enqueue()
        rig.wait_until(lambda: not len(queue) and connection.llen("ages"), 30)
        time.sleep(WARM_UP)
        connection.delete("ages")
        rig.figures(service, "/reset")
        for number, rate in enumerate(rates):
            threading.Thread(target=film, args=(enqueue, rate, number / len(rates), stop), daemon=True).start()
        time.sleep(seconds)
        answer: Any = connection.lrange("ages", 0, -1)
        waiting, server = len(queue), connection.info("memory")["used_memory"] / 2**20
        memory = sum(rig.megabytes(part) for worker in workers for part in rig.family(worker))
        stop.set()
    return Outcome(_ages([float(age) for age in answer], seconds), f"{memory:.0f} MB, Redis {server:.0f} MB; {waiting} wait")


@contextlib.contextmanager
def rq_workers(name: str, url: str, service: str) -> Iterator[Sequence[psutil.Process]]:
    """Run RQ's own workers as its documentation starts them."""
    environment = os.environ | rig.INVENTED | {"BENCH_REDIS": url, "BENCH_SERVICE": service, "PYTHONPATH": str(rig.ROOT)}
    kind = "rq.SimpleWorker" if name == "simple" else "rq.Worker"
    program = [sys.executable, "-c", "from rq.cli import main; main()", "worker", "frames", "-q"]
    options = ["-u", url, "-S", "rq.serializers.JSONSerializer", "-w", kind]
    started = [
        psutil.Popen([*program, *options], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(WORKERS[name])
    ]
    try:
        yield started
    finally:
        for worker in started:
            for part in rig.family(worker):
                part.kill()
            worker.wait()


def film(show: Callable[[], object], rate: float, phase: float, stop: threading.Event) -> None:
    """Call `show` `rate` times a second until `stop`, beginning at `phase` of a frame's time."""
    start, number = time.monotonic() + phase / rate, 0
    while not stop.wait(max(0.0, start + number / rate - time.monotonic())):
        show()
        number += 1


def call(client: Any) -> bool:
    try:
        client.detect_faces(Image={"Bytes": FRAME}, Attributes=["ALL"])
    except (BotoCoreError, ClientError):
        return False
    return True


def client_of(service: str, *, retries: bool) -> Any:
    config = Config(max_pool_connections=64) if retries else Config(max_pool_connections=64, retries={"total_max_attempts": 1})
    return boto3.client(
        "rekognition",
        region_name="us-east-1",
        endpoint_url=service,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=config,
    )


_here: dict[str, Any] = {}


def job(frame: str, at: float) -> None:
    """Be the job of the queued ways: fetch the frame, call, note its age."""
    if not _here:
        _here["redis"] = redis.Redis.from_url(os.environ["BENCH_REDIS"])
        _here["client"] = client_of(os.environ["BENCH_SERVICE"], retries=True)
    if _here["redis"].get(f"frame:{frame}") and call(_here["client"]):
        _here["redis"].rpush("ages", time.time() - at)


def _ages(ages: list[float], seconds: float) -> rig.Ages:
    ordered = sorted(ages) or [0.0]
    return rig.Ages(len(ages), len(ages) / seconds, rig.quantile(ordered, 0.5), rig.quantile(ordered, 0.95), ordered[-1])
