"""The list of cameras, in Redis and in the state file at once: puts back what an emptied Redis has lost."""

from __future__ import annotations

import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import redis

from dashboard.state import StateFile
from pipeline import keys
from pipeline.camera_spec import is_browser
from pipeline.cameras import CameraRegistry, camera_as_json, camera_from_json
from pipeline.entities import Camera

log = logging.getLogger(__name__)

KEEP_SECONDS = 0.5
MARKER_SECONDS = 3600


class Keeper:
    """Keeps the cameras.

    Those added through the API are stored; all others that Redis holds (of the command line, of rekstream.yml; not
    browsers) are remembered as they were last seen. A marker of this process in Redis tells when Redis was emptied: then
    both are put back, without what was removed. Methods may raise redis.RedisError. A state file that cannot be written
    any more is logged and tried again; nothing else is disturbed.
    """

    def __init__(self, connection: redis.Redis, state: StateFile, given: Iterable[Camera] = ()) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async
        self._registry = CameraRegistry(connection)
        self._state = state
        self._lock = threading.RLock()
        self._marker = f"{keys.PREFIX}keeper:{uuid.uuid4().hex}"
        self._given = {camera.id: camera for camera in given}
        self._stored = {camera.id: camera for camera in state.cameras()}
        self._seen_version = -1
        self._unwritten: dict[str, Callable[[], None]] = {}
        self._told = False

    def look(self) -> None:
        """Put back what is missing, remember what is new, write what is unwritten; called every KEEP_SECONDS."""
        with self._lock:
            self._look_at_redis()
            self._write()

    def set_given(self, cameras: Iterable[Camera]) -> None:
        """Say which cameras, besides the stored ones, are to be put back; Redis itself is not changed."""
        with self._lock:
            self._given = {camera.id: camera for camera in cameras}

    def add(self, camera: Camera) -> None:
        """Add a camera and store it; raises CameraExists."""
        with self._lock:
            self._look_at_redis()
            self._registry.add(camera)
            self._store(camera)

    def change(self, camera: Camera) -> None:
        """Replace the camera of the same id; the change of one that was given lasts as long as this process.

        Raises UnknownCamera.
        """
        with self._lock:
            self._look_at_redis()
            self._registry.get(camera.id)
            self._registry.put([camera])
            if camera.id in self._stored:
                self._store(camera)
            elif not is_browser(camera.url):
                self._given[camera.id] = camera

    def remove(self, camera_id: str) -> None:
        """Take a camera off the list, never to be put back; raises UnknownCamera."""
        with self._lock:
            self._look_at_redis()
            self._registry.remove(camera_id)
            self._given.pop(camera_id, None)
            if self._stored.pop(camera_id, None):
                self._unwritten[camera_id] = lambda: self._state.drop(camera_id)
                self._write()

    def _look_at_redis(self) -> None:
        """See marker, version and list of one moment (a restart may come in between), and act on what is there."""
        together = self._connection.pipeline(transaction=True)
        together.expire(self._marker, MARKER_SECONDS).get(keys.CAMERAS_VERSION).hvals(keys.CAMERAS)
        marked, version, stored = together.execute()
        if not marked or not version:
            self._put_back()
        elif int(version) != self._seen_version:
            self._given = {camera.id: camera for camera in _readable(stored) if self._is_given(camera)}
            self._seen_version = int(version)

    def _is_given(self, camera: Camera) -> bool:
        """Say whether a camera of Redis is to be remembered; a browser comes back by itself, or not at all."""
        return camera.id not in self._stored and not is_browser(camera.url)

    def _put_back(self) -> None:
        """Add what is missing and the marker in one step; a camera that is there already was put by somebody who knows."""
        together = self._connection.pipeline(transaction=True)
        for camera in {**self._stored, **self._given}.values():
            together.hsetnx(keys.CAMERAS, camera.id, camera_as_json(camera))
        added = sum(together.incr(keys.CAMERAS_VERSION).set(self._marker, "1", ex=MARKER_SECONDS).execute()[:-2])
        if added:
            log.info("%d cameras were put into Redis", added)

    def _store(self, camera: Camera) -> None:
        self._stored[camera.id] = camera
        self._unwritten[camera.id] = lambda: self._state.keep(camera)
        self._write()

    def _write(self) -> None:
        try:
            for camera_id, action in list(self._unwritten.items()):
                action()
                del self._unwritten[camera_id]
            self._told = False
        except sqlite3.Error as error:
            if not self._told:
                names = ", ".join(self._unwritten)
                log.warning("cameras %s cannot be written into the state file (%s); trying again", names, error)
            self._told = True


def _readable(stored: Iterable[bytes]) -> list[Camera]:
    cameras = []
    for text in stored:
        try:
            cameras.append(camera_from_json(text))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("a camera in Redis cannot be read and is passed over: %s", type(error).__name__)
    return cameras
