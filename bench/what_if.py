"""What if, foretold and then done: what the dashboard answers, beside what the change brings when it is really made.

The first three rows have a strict Rekognition of an assumed service time and 100 KB frames out of nothing, the others the
local server and demo cameras. Each runs on a Redis of its own; the worker is started anew with the change.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from bench import loops, rig
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from rekstream.local import free_port, wait_until_healthy
from tests.dashboard.support import Producer

HEAD = [
    "what runs",
    "change",
    "results/s: now, foretold, came",
    "age p50 ms: now, foretold, came",
    "p95",
    "misses what is now by",
]
SETTLE_SECONDS = 6.0
FRAME = loops.FRAME


@dataclass(frozen=True, slots=True)
class System:
    """`cameras` sampled `fps` times a second each; `allowed` calls a second, None for the local server's own."""

    cameras: int
    fps: float
    threads: int
    allowed: float | None = None

    def __str__(self) -> str:
        limit = f", {self.allowed:g} calls/s allowed" if self.allowed else ", local server"
        return f"{self.cameras} x {self.fps:g}/s, {self.threads} threads{limit}"


SCENARIOS = (
    (System(8, 15.0, 4, 200.0), {"threads": 6.0}, System(8, 15.0, 24, 200.0)),
    (System(8, 15.0, 24, 20.0), {"quota": 2.0}, System(8, 15.0, 24, 40.0)),
    (System(8, 15.0, 24, 20.0), {"fps": 0.1}, System(8, 1.5, 24, 20.0)),
    (System(3, 8.0, 2), {"threads": 4.0}, System(3, 8.0, 8)),
    (System(3, 8.0, 4), {"fps": 0.25}, System(3, 2.0, 4)),
)


def main(seconds: float = 20.0) -> None:
    print(rig.head(HEAD), flush=True)
    for before, change, after in SCENARIOS:
        rig.wait_until_quiet()
        print(rig.row(compared(before, change, after, seconds)), flush=True)


def compared(before: System, change: dict[str, float], after: System, seconds: float) -> list[str]:
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(rig.valkey())
        service = stack.enter_context(rig.strict(1000.0)) if before.allowed else None
        broker = stack.enter_context(contextlib.closing(Broker(url)))
        api = stack.enter_context(dashboard(url, service, before))
        with running(broker, url, service, before):
            rig.wait_for_results(broker, 1)
            time.sleep(SETTLE_SECONDS + seconds)
            answer = api(change)
        with running(broker, url, service, after):
            rig.wait_for_results(broker, 1)
            time.sleep(SETTLE_SECONDS)
            start = rig.redis_now(broker)
            time.sleep(seconds)
            came = rig.ages_of(rig.results_between(broker, start, start + seconds), seconds)
    return row(before, change, answer, came)


def row(before: System, change: dict[str, float], answer: dict[str, Any], came: rig.Ages) -> list[str]:
    if not answer["cards"]:
        raise SystemExit(answer["why"])
    now, then = answer["now"], answer["cards"][0]["then"]
    words = ", ".join(f"{name} x {factor:g}" for name, factor in change.items())
    milliseconds = [
        f"{now[name] * 1e3:.0f}, {then[name] * 1e3:.0f}, {really * 1e3:.0f}"
        for name, really in (("age_p50", came.p50), ("age_p95", came.p95))
    ]
    results = f"{now['results_per_second']:.1f}, {then['results_per_second']:.1f}, {came.per_second:.1f}"
    return [str(before), words, results, *milliseconds, f"{answer['error']['largest'] * 100:.0f} %"]


@contextlib.contextmanager
def dashboard(url: str, service: str | None, system: System) -> Iterator[Callable[[dict[str, float]], dict[str, Any]]]:
    """Run the dashboard; yield what asks it."""
    port = free_port("127.0.0.1", 0)
    told = {"redis": url, "endpoint_url": service, "tps": system.allowed, "port": port}
    with tempfile.TemporaryDirectory() as data, rig.part("dashboard", data=data, **told):
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(address, lambda: None)
        yield lambda change: dict(httpx.get(f"{address}/api/what-if", params=change, timeout=30).json())


@contextlib.contextmanager
def running(broker: Broker, url: str, service: str | None, system: System) -> Iterator[None]:
    """Let the system's cameras and one worker run until the block ends."""
    cameras = [Camera(f"cam{number}", "demo", system.fps) for number in range(system.cameras)]
    CameraRegistry(broker.scripts).put(cameras)
    with (
        filming(broker, cameras) if service else producing(url),
        rig.part("work", redis=url, endpoint_url=service, tps=system.allowed, threads=system.threads),
    ):
        yield


def producing(url: str) -> AbstractContextManager[object]:
    return rig.part("produce", redis=url)


@contextlib.contextmanager
def filming(broker: Broker, cameras: list[Camera]) -> Iterator[None]:
    """Offer 100 KB as frames of all cameras until the block ends."""
    stop = threading.Event()
    threads = []
    for number, camera in enumerate(cameras):
        producer = Producer(broker, camera.id)
        told = (partial(producer.offer, FRAME), camera.fps, number / len(cameras), stop)
        threads.append(threading.Thread(target=loops.film, args=told, daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    rig.run(main)
