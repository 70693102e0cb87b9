"""What people write instead: a loop per camera, fair or naive, and RQ with frames in the queue. Frames are 100 KB."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
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
    """One slot a camera: the moment of its newest frame, which a loop takes."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.changed = threading.Condition()

    def put(self) -> None:
        with self.changed:
            self.at = time.time()
            self.changed.notify()

    def take(self) -> float:
        with self.changed:
            while self.at is None:
                self.changed.wait(1)
            at, self.at = self.at, None
            return at


def looped(name: str, url: str, service: str, rates: tuple[float, ...], allowed: float, seconds: float) -> Outcome:
    connection = redis.Redis.from_url(url)
    client = client_of(service, retries=name == "naive")
    ages: list[tuple[float, float]] = []
    stop = threading.Event()

    def loop(slot: Newest, limit: RateLimit) -> None:
        while not stop.is_set():
            if name == "fair":
                limit.acquire(lambda: True)
            at = slot.take()
            if call(client):
                ages.append((time.time(), time.time() - at))

    for number, rate in enumerate(rates):
        slot = Newest()
        limit = RateLimit(connection, "bench", "DetectFaces", allowed)
        threading.Thread(target=loop, args=(slot, limit), daemon=True).start()
        threading.Thread(target=film, args=(slot.put, rate, number / len(rates), stop), daemon=True).start()
    time.sleep(WARM_UP)
    rig.figures(service, "/reset")
    start = time.time()
    time.sleep(seconds)
    stop.set()
    return Outcome(_ages([age for at, age in list(ages) if at >= start], seconds), "")


def queued(name: str, url: str, service: str, rates: tuple[float, ...], seconds: float) -> Outcome:
    connection = redis.Redis.from_url(url)
    queue = Queue("frames", connection=connection, serializer=JSONSerializer)
    kind = "rq.SimpleWorker" if name == "simple" else "rq.Worker"
    environment = {**os.environ, **rig.INVENTED, "BENCH_REDIS": url, "BENCH_SERVICE": service, "PYTHONPATH": str(rig.ROOT)}
    command = [f"{os.path.dirname(sys.executable)}/rq", "worker", "-u", url, "--serializer", "json", "-w", kind, "-q", "frames"]
    workers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(WORKERS[name])
    ]
    time.sleep(WARM_UP)
    stop = threading.Event()

    def enqueue() -> None:
        frame = os.urandom(8).hex()
        connection.set(f"frame:{frame}", FRAME, ex=60)
        queue.enqueue("bench.loops.job", frame, time.time(), result_ttl=0, job_timeout=-1)

    for number, rate in enumerate(rates):
        threading.Thread(target=film, args=(enqueue, rate, number / len(rates), stop), daemon=True).start()
    rig.figures(service, "/reset")
    time.sleep(seconds)
    ages = [float(age) for age in connection.lrange("ages", 0, -1)]
    memory = sum(psutil.Process(worker.pid).memory_full_info().pss for worker in workers) / 2**20
    stop.set()
    waiting = len(queue)
    for worker in workers:
        worker.kill()
        worker.wait()
    return Outcome(_ages(ages, seconds), f"{memory:.0f} MB; {waiting} frames wait")


def film(show: Callable[[], None], rate: float, phase: float, stop: threading.Event) -> None:
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
