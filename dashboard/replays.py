"""Archived frames shown again: on the page as a camera of its own, and nowhere else.

    POST /api/replays/door ──> Replays ──> newest picture of replay-door, an event for pages that are open

What is shown never enters the stream of results: so nobody counts it, tells of it, pays for it or keeps it again. The camera
is one like a browser's: it lives while pictures come, and is never stored.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import redis

from dashboard.browser_camera import BrowserCamera, BrowserCameras, CameraOverError, Wishes
from dashboard.pictures import check
from pipeline.broker import Broker
from pipeline.camera_spec import check_id
from pipeline.clock import Clock
from pipeline.entities import Operation, Result
from pipeline.errors import PictureError, SettingsError
from pipeline.names import Names
from pipeline.results import NewestFrame, Results, result_from_json
from pipeline.shared import Privacy
from vision.disguise import disguise
from vision.pictures import PictureError as UnreadablePicture

PREFIX = "replay-"
REPLAYED = "Replayed"
SILENT_SECONDS = 30.0  # after which a replay that nobody ended is over
OLDEST_SECONDS = 60.0
TEND_SECONDS = 1.0
_STEP = 1e-3


@dataclass(slots=True)
class Replay:
    """One camera's frames that are shown again: as which camera, when the last one came, and how new it was said to be."""

    camera: BrowserCamera
    heard_at: float
    newest: float = 0.0


class Replays:
    """Shows archived frames; `tell` is handed each result as JSON, `hear` the result itself. May raise redis.RedisError."""

    def __init__(
        self,
        broker: Broker,
        cameras: BrowserCameras,
        clock: Clock,
        privacy: Privacy,
        tell: Callable[[str, Mapping[str, Any]], None],
        hear: Callable[[Iterable[Result]], None],
    ) -> None:
        self._cameras = cameras
        self._clock = clock
        self._privacy = privacy
        self._results = Results(broker.scripts)
        self._names = Names(broker.scripts)
        self._tell = tell
        self._hear = hear
        self._lock = threading.Lock()
        self._running: dict[str, Replay] = {}

    def show(self, camera: str, about: object, jpeg: bytes) -> dict[str, Any]:
        """Show a frame of a camera and its archived result (the JSON beside it), and return as which camera.

        Times are moved to the present, by as much as the result was old when it came out; the real ones stand in
        ``Replayed``. Raises SettingsError, PictureError, or RefusedError where there are too many cameras.
        """
        check_id(camera)
        result = _read(about)
        picture = check(self._covered(result, jpeg) if self._privacy.is_on else jpeg)
        with self._lock:
            is_new = camera not in self._running
            running = self._running_of(camera)
            shown = self._moved(result, running)
            frame = NewestFrame(picture.data, result.seq, shown.captured_at, shown.id, picture.width, picture.height)
            self._results.show(shown.camera, frame)
            running.camera.saw(picture.width, picture.height)
            if is_new:
                running.camera.tend()
        (named,) = self._names.into([shown])
        self._tell("result", named.as_json())
        self._hear([shown])
        return {"camera": shown.camera}

    def end(self, camera: str) -> None:
        """Take the camera of a replay away; nothing happens when it is gone already."""
        with self._lock:
            self._end(camera)

    def tend(self) -> None:
        """Keep the cameras of replays while frames come; called each second."""
        with self._lock:
            for camera, running in list(self._running.items()):
                try:
                    running.camera.tend()
                except CameraOverError:
                    self._end(camera)
                if time.monotonic() - running.heard_at > SILENT_SECONDS:
                    self._end(camera)

    def _running_of(self, camera: str) -> Replay:
        running = self._running.get(camera)
        if running is None:
            running = self._running[camera] = Replay(self._cameras.admit(Wishes(f"{PREFIX}{camera}"[:40])), 0.0)
        running.heard_at = time.monotonic()
        return running

    def _end(self, camera: str) -> None:
        running = self._running.pop(camera, None)
        if running is not None:
            with suppress(redis.RedisError):  # the lease expires, and the sweep takes the camera away
                self._cameras.dismiss(running.camera)

    def _moved(self, result: Result, running: Replay) -> Result:
        now = self._clock.now()
        age = max(0.0, min(result.age_seconds, OLDEST_SECONDS))
        running.newest = max(running.newest + _STEP, now - age)
        real = {"camera": result.camera, "captured_at": result.captured_at, "published_at": result.published_at}
        response = {**result.response, REPLAYED: real}
        return replace(
            result,
            camera=running.camera.id,
            captured_at=running.newest,
            published_at=max(now, running.newest),
            response=response,
        )

    def _covered(self, result: Result, jpeg: bytes) -> bytes:
        """Return the picture with bands over the faces that were found; raises PictureError where that cannot be done."""
        try:
            boxes = [face["BoundingBox"] for face in result.response["FaceDetails"]]
            return disguise(jpeg, [(box["Left"], box["Top"], box["Width"], box["Height"]) for box in boxes])
        except (KeyError, TypeError, UnreadablePicture) as error:
            raise PictureError(f"the faces of result {result.id!r} cannot be covered, so it is not shown in privacy") from error


def _read(about: object) -> Result:
    try:
        result = result_from_json(about)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"result is not one that was archived ({type(error).__name__}: {error})") from error
    if result.operation != Operation.DETECT_FACES or result.error is not None:
        raise SettingsError(f"result {result.id!r} is no frame whose faces were found: only these are shown again")
    return result
