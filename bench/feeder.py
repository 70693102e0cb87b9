"""Cameras out of nothing, for measurements of the page: previews, frames and results as producers and workers make them.

    python -m bench.feeder REDIS_URL CAMERAS PREVIEWS_A_SECOND RESULTS_A_SECOND FOLDER_OF_JPEGS

The pictures are made beforehand; previews are published only while somebody watches, as producers do.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.clock import RedisClock
from pipeline.entities import Camera, CameraState, CameraStatus, Preview
from pipeline.previews import PreviewPublisher
from tests.dashboard.support import Producer, Worker

WIDTH, HEIGHT = 640, 360
STATUS_SECONDS = 2.0
LOOK_SECONDS = 0.5


def main() -> None:
    url, cameras, previews, results, folder = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:5]), Path(sys.argv[5])
    names = [f"camera-{number:02}" for number in range(cameras)]
    pictures = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    broker = Broker(url)
    CameraRegistry(broker.scripts).put(Camera(name, "demo", results) for name in names)
    threading.Thread(target=_report, args=(Broker(url), names), daemon=True).start()
    threading.Thread(target=_publish, args=(Broker(url), names, previews, pictures), daemon=True).start()
    with Worker(broker):
        _offer(broker, names, results, pictures)


def _report(broker: Broker, names: list[str]) -> None:
    registry, clock = CameraRegistry(broker.scripts), RedisClock(broker.scripts)
    while True:
        now = clock.now()
        for name in names:
            registry.report(CameraStatus(name, CameraState.LIVE, "", now, now, WIDTH, HEIGHT, "h264", 25.0), 3 * STATUS_SECONDS)
        time.sleep(STATUS_SECONDS)


def _publish(broker: Broker, names: list[str], rate: float, pictures: list[bytes]) -> None:
    """Publish in turn, evenly over time, for those who are watched."""
    publisher, clock = PreviewPublisher(broker.scripts), RedisClock(broker.scripts)
    watched, looked_at, number = names, 0.0, 0
    step = 1 / rate / len(names)
    due = time.monotonic()
    while True:
        if time.monotonic() - looked_at > LOOK_SECONDS:
            watched, looked_at = [name for name in names if publisher.watchers(name)], time.monotonic()
        name = names[number % len(names)]
        if name in watched:
            jpeg = pictures[(number // len(names) + number) % len(pictures)]
            publisher.publish(Preview(name, clock.now(), WIDTH, HEIGHT, jpeg))
        number, due = number + 1, max(due + step, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))


def _offer(broker: Broker, names: list[str], rate: float, pictures: list[bytes]) -> None:
    producers = [Producer(broker, name) for name in names]
    due = time.monotonic()
    while True:
        for number, producer in enumerate(producers):
            producer.offer(pictures[number % len(pictures)])
            due += 1 / rate / len(names)
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
