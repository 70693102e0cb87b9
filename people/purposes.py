"""Of which cameras people may be known: those whose purpose names them."""

from __future__ import annotations

import logging
import time

import redis

from pipeline.cameras import CameraRegistry
from pipeline.entities import Purpose

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class Purposes:
    """The cameras' purposes as they were a second ago at most; one that was removed keeps its own for what is under way."""

    def __init__(self, connection: redis.Redis) -> None:
        self._registry = CameraRegistry(connection)
        self._version = 0
        self._purposes: dict[str, Purpose] = {}
        self._looked = -LOOK_SECONDS

    def names_people(self, camera: str) -> bool:
        """Say whether people at a camera may be known; a camera that nobody ever listed is there for tests."""
        self._look(is_new=camera not in self._purposes)
        return self._purposes.get(camera, Purpose.TEST).names_people

    def _look(self, *, is_new: bool) -> None:
        if not is_new and time.monotonic() < self._looked + LOOK_SECONDS:
            return
        try:
            version = self._registry.version()
            if version != self._version:
                self._purposes |= {camera.id: camera.purpose for camera in self._registry.all()}
            self._version, self._looked = version, time.monotonic()
        except redis.RedisError as error:
            log.debug("purposes stay as they were: %s", error)
