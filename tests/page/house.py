"""An API of a test's own, with cameras that do what the test says."""

from __future__ import annotations

import json
from typing import Any

from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus, Preview
from pipeline.previews import PreviewPublisher
from tests.dashboard.support import Api, Producer, Worker, camera, picture, put_cameras, until

SMALL = picture(width=320, height=180)


class House:
    """An API of the test's own, with cameras that do what the test says."""

    def __init__(self, broker: Broker, api: Api) -> None:
        self.broker = broker
        self.api = api
        self.registry = CameraRegistry(broker.scripts)
        self.previews = PreviewPublisher(broker.scripts)

    def put(self, *names: str, state: CameraState = CameraState.LIVE, message: str = "") -> None:
        """Let these cameras be there, in a state."""
        put_cameras(self.broker, *(camera(name) for name in names))
        for name in names:
            self.registry.report(CameraStatus(name, state, message, self.now(), self.now(), 320, 180, "h264", 25.0), 60)

    def now(self) -> float:
        seconds, micros = self.broker.scripts.time()
        return float(seconds + micros / 1e6)

    def show(self, name: str, age: float = 0.0) -> None:
        """Publish a preview of that age, as soon as somebody watches."""
        until(lambda: self.is_watched(name))
        self.previews.publish(Preview(name, self.now() - age, 320, 180, SMALL))

    def see(self, name: str, *faces: dict[str, Any], jpeg: bytes = SMALL) -> None:
        """Let a picture of a camera be analysed, with these faces in it."""
        with Worker(self.broker) as worker:
            worker.faces = list(faces)
            Producer(self.broker, name).offer(jpeg)
            worker.wait_for(1)

    def see_labels(self, name: str, *labels: str) -> None:
        """Let the scene of a camera be labelled."""
        found = [{"Name": label, "Confidence": 99.0 - number} for number, label in enumerate(labels)]
        about = {"seq": 1, "captured_at": self.now(), "width": 320, "height": 180, "operation": "DetectLabels", "Labels": found}
        entry = {"camera": keys.labels_mailbox(name), "published_at": repr(self.now()), "result": json.dumps(about)}
        self.broker.scripts.xadd(keys.RESULTS, entry)  # type: ignore[arg-type]  # redis-py's fields are invariant

    def is_watched(self, name: str) -> bool:
        return self.previews.watchers(name) > 0
