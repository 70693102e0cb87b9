"""Of which cameras people may be known, those whose purpose names them; and how often they are looked at."""

from __future__ import annotations

import logging
import time

import redis

from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from pipeline.settings import MAX_FPS

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Purposes:
    """The cameras as they were a second ago at most; one that was removed keeps its own for what is under way."""

    def __init__(self, connection: redis.Redis) -> None:
        self._registry = CameraRegistry(connection)
        self._version = 0
        self._cameras: dict[str, Camera] = {}
        self._looked = -LOOK_SECONDS

    def names_people(self, camera: str) -> bool:
        """Say whether people at a camera may be known; a camera that nobody ever listed is there for tests."""
        self._look(is_new=camera not in self._cameras)
        known = self._cameras.get(camera)
        return known is None or known.purpose.names_people

    def fps(self, camera: str) -> float:
        """Return how many frames a second are sampled of a camera, at most."""
        self._look(is_new=camera not in self._cameras)
        known = self._cameras.get(camera)
        return MAX_FPS if known is None else known.fps

    def _look(self, *, is_new: bool) -> None:
        if not is_new and time.monotonic() < self._looked + LOOK_SECONDS:
            return
        try:
            version = self._registry.version()
            if version != self._version:
                self._cameras |= {camera.id: camera for camera in self._registry.all()}
            self._version, self._looked = version, time.monotonic()
        except redis.RedisError as error:
            log.debug("purposes stay as they were: %s", error)
