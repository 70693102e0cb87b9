"""What the dashboard's tests share: the real app, a worker that answers without Rekognition."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

import cv2
import httpx
import numpy as np
import redis

from dashboard.app import run
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Frame, Policy
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.presence import Presence, living
from pipeline.provider import Provider

T = TypeVar("T")
LOCAL = Provider("local", "us-east-1")
PATIENCE = 30.0


def until(what: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return the first true value of `what`; a test that waits for nothing else may wait for this."""
    deadline = time.monotonic() + patience
    while not (value := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.01)
    return value


class Api:
    """A running dashboard with a client."""

    def __init__(self, broker: Broker, settings: DashboardSettings) -> None:
        self._stop = threading.Event()
        self._ready = threading.Event()
        self.url = ""
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(broker, settings))
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        if self.error:
            raise self.error
        headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=30)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self.url:
            self.http.close()

    def _run(self, broker: Broker, settings: DashboardSettings) -> None:
        try:
            run(broker, settings, self._stop, self._is_ready)
        except Exception as error:  # handed to the test
            self.error = error
        self._ready.set()

    def _is_ready(self, url: str) -> None:
        self.url = url
        self._ready.set()


@contextmanager
def dashboard(redis_url: str, settings: DashboardSettings) -> Iterator[Api]:
    broker = Broker(redis_url)
    api = None
    try:
        api = Api(broker, settings)
        yield api
    finally:
        if api:
            api.stop()
        broker.close()


class Producer:
    """Offers frames of one camera as a producer does."""

    def __init__(self, broker: Broker, camera: str, policy: Policy = Policy.LATEST) -> None:
        self.camera = camera
        self._policy = policy
        self._ledger = Ledger()
        self._clock = broker.scripts
        self._mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))

    def offer(self, jpeg: bytes = b"a picture") -> Offer:
        seconds, micros = self._clock.time()
        number = self._ledger.sample()
        frame = Frame(self.camera, number, seconds + micros / 1e6, jpeg, 1280, 720, encode_seconds=0.002)
        offer = self._mailbox.offer(frame, self._ledger.statement(number), self._policy)
        self._ledger.confirm(self._ledger.statement(number))
        return offer

    def drop(self, cause: str) -> None:
        self._ledger.sample()
        self._ledger.drop(cause)
        self._mailbox.settle(self.camera, self._ledger.statement())


FACE = {
    "BoundingBox": {"Width": 0.2, "Height": 0.4, "Left": 0.1, "Top": 0.2},
    "Smile": {"Value": True, "Confidence": 98.5},
    "Emotions": [{"Type": "HAPPY", "Confidence": 97.0}],
    "Confidence": 99.9,
}


class Worker:
    """Takes one job after the other from the queue and answers as Rekognition would, with one face."""

    def __init__(self, broker: Broker) -> None:
        self._connection = redis.Redis(connection_pool=broker.scripts.connection_pool)
        self._mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._presence = Presence(
            broker.scripts,
            "worker",
            "1",
            "127.0.0.1:9",
            lambda: {"threads": 2, "alive": 2, "waiting": 0, "calling": 1, "idle": 1},
        )
        self.error: dict[str, str] | None = None
        self.faces: list[dict[str, Any]] = [FACE]
        self.served: list[str] = []

    def __enter__(self) -> Worker:
        self.appear()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.vanish()

    def appear(self) -> None:
        """Be visible, without serving anything yet."""
        self._presence.start()
        until(lambda: living(self._connection, "worker"))

    def vanish(self) -> None:
        self._presence.stop()

    def wait_for(self, count: int) -> None:
        """Wait until so many frames were served."""
        until(lambda: len(self.served) >= count)

    def serve_next(self) -> bool:
        """Serve the first job of the queue; False when there is none."""
        job = self._connection.lpop(QUEUE_KEY)
        if job is None:
            return False
        camera, _, token = job.decode().rpartition("-")
        taken = self._mailbox.take(camera, token)
        if taken is not None:
            self._finish(taken, camera)
        return True

    def _finish(self, taken: Any, camera: str) -> None:
        frame = taken.frame
        result = {
            "seq": taken.seq,
            "captured_at": frame.captured_at,
            "answered_at": taken.taken_at,
            "width": frame.width,
            "height": frame.height,
            "provider": "local",
            "stages": {"encode": frame.encode_seconds, "queue": 0.01, "limit": 0.0, "upload": 0.02, "service": 0.1},
        }
        outcome = "failed:refused" if self.error else "analysed"
        self._mailbox.finish(taken, outcome, result | ({"error": self.error} if self.error else {"FaceDetails": self.faces}))
        self.served.append(camera)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(redis.RedisError):
                if self.serve_next():
                    continue
            self._stop.wait(0.005)


class Listener:
    """A client of /api/events that reads on a thread of its own."""

    def __init__(self, api: Api, **headers: str) -> None:
        self.events: list[tuple[str, dict[str, Any], str]] = []
        self.comments = 0
        self.ended = threading.Event()
        self._client = httpx.Client(base_url=api.url, timeout=None)
        self._headers = headers
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(PATIENCE)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data, _ in list(self.events) if name == kind]

    def close(self) -> None:
        self._response.close()
        self._thread.join(PATIENCE)
        self._client.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        request = self._client.build_request("GET", "/api/events", headers=self._headers)
        self._response = self._client.send(request, stream=True)
        self._open.set()
        block: dict[str, str] = {}
        with suppress(httpx.HTTPError, RuntimeError):
            for line in self._response.iter_lines():
                block = self._take(line, block)
        self.ended.set()

    def _take(self, line: str, block: dict[str, str]) -> dict[str, str]:
        if line.startswith(":"):
            self.comments += 1
        elif line:
            name, _, value = line.partition(": ")
            return block | {name: value}
        elif "data" in block:
            self.events.append((block["event"], json.loads(block["data"]), block.get("id", "")))
        return {}


def picture(suffix: str = ".jpg", width: int = 320, height: int = 240) -> bytes:
    """Return an encoded picture with something in it."""
    pixels = np.random.default_rng(7).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    _, data = cv2.imencode(suffix, cv2.resize(pixels, (width, height)))
    return data.tobytes()


def put_cameras(broker: Broker, *cameras: Camera) -> None:
    """Put cameras into Redis as the command line does."""
    CameraRegistry(broker.scripts).put(cameras)


def camera(camera_id: str, **changes: Any) -> Camera:
    """Return a camera that nobody opens."""
    return replace(Camera(camera_id, f"rtsp://10.0.0.7/{camera_id}", 5.0), **changes)
