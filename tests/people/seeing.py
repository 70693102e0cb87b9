"""Results as workers publish them, without workers: who was seen when, whom searches found, and the views of faces."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import numpy as np

from pipeline import keys
from pipeline.broker import Broker
from vision.embedding import VECTOR_SIZE

BOX = {"Left": 0.1, "Top": 0.2, "Width": 0.2, "Height": 0.4}


class Seeing:
    """Publishes what workers would; times are seconds from now on, `at` 0."""

    def __init__(self, broker: Broker) -> None:
        self._connection: Any = broker.scripts
        self._seq = itertools.count(1)
        self.began = time.time()

    def frame(self, at: float, *tracks: str, camera: str = "door") -> str:
        """Publish a frame of a camera in which these tracks are."""
        faces = [{"BoundingBox": BOX, "Confidence": 99.9, "Track": track} for track in tracks]
        return self._publish(camera, at, {"FaceDetails": faces})

    def stay(self, track: str, began: float, ended: float, camera: str = "door") -> None:
        """Publish a frame each half second from one time to another."""
        for step in range(int((ended - began) * 2) + 1):
            self.frame(began + step / 2, track, camera=camera)

    def search(self, at: float, track: str, weight: float = 1.0, **similarities: float) -> str:
        """Publish what a search of a track's face found: percent by the id of a face."""
        matches = [{"Similarity": value, "Face": {"FaceId": face}} for face, value in similarities.items()]
        camera, _, number = track.rpartition("-")
        about = {"operation": "SearchFacesByImage", "FaceMatches": matches, "Track": track, "Weight": weight}
        return self._publish(f"{camera}:{number}", at, about)

    def view(self, track: str, who: int, weight: float = 1.0, jpeg: bytes = b"") -> None:
        """Keep the view of a track's face: `who` is the same for faces that are alike."""
        camera = track.rpartition("-")[0]
        about = {"camera": camera, "captured_at": time.time(), "weight": weight, "height": 200, "box": json.dumps(BOX)}
        kept = about | {"vector": vector(who, weight).tobytes()} | ({"jpeg": jpeg} if jpeg else {})
        self._connection.delete(keys.face(track))
        self._connection.hset(keys.face(track), mapping=kept)

    def publish_again(self) -> None:
        """Put all results into the stream once more, as other entries."""
        for _, values in self._connection.xrange(keys.RESULTS):
            self._connection.xadd(keys.RESULTS, values)

    def _publish(self, camera: str, at: float, members: dict[str, Any]) -> str:
        captured = self.began + at
        result = {"seq": next(self._seq), "captured_at": captured, "width": 1280, "height": 720, "provider": "local"} | members
        entry = {"camera": camera, "published_at": repr(captured + 0.1), "result": json.dumps(result)}
        return str(self._connection.xadd(keys.RESULTS, entry).decode())


def vector(who: int, weight: float = 1.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the vector of somebody's face, a little different in each view."""
    base = np.random.default_rng(who).normal(size=VECTOR_SIZE)
    noise = np.random.default_rng(int(weight * 1000)).normal(size=VECTOR_SIZE)
    return np.asarray(base / np.linalg.norm(base) + 0.1 * noise / np.linalg.norm(noise), np.float32)
