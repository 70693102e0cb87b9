"""The list of cameras in Redis, who produces which, and what the producers say of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import redis

from pipeline import keys
from pipeline.entities import Camera, CameraState, CameraStatus, Gate, Policy, Polygon, Purpose
from pipeline.errors import CameraExists, UnknownCamera

log = logging.getLogger(__name__)

LEASE_SECONDS = 4.0

_LEASE = """
local held = redis.call('HGET', KEYS[1], 'owner')
if held and held ~= ARGV[1] then return nil end
if not held then  -- a number higher than any before, those of a Redis that was emptied included
  redis.call('SET', KEYS[2], math.max(tonumber(redis.call('GET', KEYS[2]) or 0) + 1, tonumber(redis.call('TIME')[1])))
end
local fence = held and redis.call('HGET', KEYS[1], 'fence') or redis.call('GET', KEYS[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fence', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return tonumber(fence)
"""
_RENEW = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""
_RELEASE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class CameraRegistry:
    """The cameras that are to be analysed; every method may raise redis.RedisError.

    Producers share them by lease: whoever has a camera's lease captures it, and each new lease has a higher fencing number,
    which `Mailbox.offer` checks, so that a producer that froze cannot offer into its successor's camera.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async
        self._lease = connection.register_script(_LEASE)
        self._renew = connection.register_script(_RENEW)
        self._release = connection.register_script(_RELEASE)

    def version(self) -> int:
        """Return a number that grows with every change of the list; 0 when Redis has never had one."""
        return int(self._connection.get(keys.CAMERAS_VERSION) or 0)

    def all(self) -> list[Camera]:
        """Return the cameras in the order of their ids."""
        stored = self._connection.hgetall(keys.CAMERAS)
        return sorted(_readable(stored.values()), key=lambda camera: camera.id)

    def get(self, camera_id: str) -> Camera:
        """Return one camera; raises UnknownCamera."""
        value = self._connection.hget(keys.CAMERAS, camera_id)
        if value is None:
            raise UnknownCamera(f"there is no camera {camera_id!r}: `rekstream camera list` names them")
        return camera_from_json(value)

    def add(self, camera: Camera) -> None:
        """Add a camera; raises CameraExists when its id is taken."""
        if not self._connection.hsetnx(keys.CAMERAS, camera.id, camera_as_json(camera)):
            raise CameraExists(f"there is a camera {camera.id!r} already: choose another id, or change that one")
        self._changed()

    def put(self, cameras: Iterable[Camera]) -> None:
        """Add the cameras, or replace those of the same ids."""
        mapping = {camera.id: camera_as_json(camera) for camera in cameras}
        if mapping:
            self._connection.hset(keys.CAMERAS, mapping=mapping)
            self._changed()

    def remove(self, camera_id: str) -> None:
        """Take a camera off the list; raises UnknownCamera."""
        if not self._connection.hdel(keys.CAMERAS, camera_id):
            raise UnknownCamera(f"there is no camera {camera_id!r}: `rekstream camera list` names them")
        self._changed()

    def lease(self, camera_id: str, owner: str, seconds: float) -> int | None:
        """Take a camera for `seconds` and return the fencing number; None while another producer has it."""
        number = self._lease(keys=[keys.lease(camera_id), keys.fence(camera_id)], args=[owner, int(seconds * 1000)])
        return None if number is None else int(number)

    def renew(self, camera_id: str, owner: str, fence: int, seconds: float) -> bool:
        """Keep a camera for another `seconds`; False when the lease is lost."""
        return bool(self._renew(keys=[keys.lease(camera_id)], args=[owner, fence, int(seconds * 1000)]))

    def release(self, camera_id: str, owner: str, fence: int) -> None:
        """Let others take the camera at once."""
        self._release(keys=[keys.lease(camera_id)], args=[owner, fence])

    def leased_by(self, camera_id: str) -> str | None:
        """Return who has the camera now, None when nobody has."""
        owner = self._connection.hget(keys.lease(camera_id), "owner")
        return None if owner is None else str(owner.decode())

    def ask_for_cameras(self, owner: str, seconds: float) -> None:
        """Let the other producers know for `seconds` that this one has fewer cameras than its share."""
        self._connection.set(keys.ASKING, owner, px=int(seconds * 1000), nx=True)

    def others_ask(self, owner: str) -> bool:
        """Say whether another producer has fewer cameras than its share."""
        asking = self._connection.get(keys.ASKING)
        return asking is not None and asking.decode() != owner

    def report(self, status: CameraStatus, seconds: float) -> None:
        """Say how a camera is; forgotten after `seconds`."""
        self._connection.set(keys.status(status.camera), json.dumps(asdict(status)), px=int(seconds * 1000))

    def forget_status(self, camera_id: str) -> None:
        """Take back what was said of a camera that is gone."""
        self._connection.delete(keys.status(camera_id))

    def statuses(self, camera_ids: Iterable[str]) -> dict[str, CameraStatus]:
        """Return what the producers last said; a camera that nobody reported of is CONNECTING."""
        wanted = list(camera_ids)
        values = self._connection.mget([keys.status(camera) for camera in wanted]) if wanted else []
        return {camera: _status(camera, value) for camera, value in zip(wanted, values, strict=True)}

    def _changed(self) -> None:
        self._connection.incr(keys.CAMERAS_VERSION)


class Lease:
    """A camera's lease, renewed by whoever captures it; Redis emptied in between gives it a new number."""

    def __init__(self, registry: CameraRegistry, camera: str, owner: str, fence: int) -> None:
        self._registry = registry
        self._camera = camera
        self._owner = owner
        self.fence: int | None = fence
        self.times_taken = 1  # the numbers alone do not tell: an emptied Redis may give the same one within a second

    def keep(self) -> bool:
        """Renew the lease, or take it anew; False when another producer has it. May raise redis.RedisError."""
        if self.fence is not None and self._registry.renew(self._camera, self._owner, self.fence, LEASE_SECONDS):
            return True
        fence = self._registry.lease(self._camera, self._owner, LEASE_SECONDS)
        if fence is not None:
            self.fence = fence
            self.times_taken += 1
        return fence is not None

    def release(self) -> None:
        """Let others have the camera at once."""
        if self.fence is not None:
            with suppress(redis.RedisError):
                self._registry.release(self._camera, self._owner, self.fence)


def camera_as_json(camera: Camera) -> str:
    """Return the JSON object that stands for a camera in Redis and in the state file; holds its password."""
    return json.dumps(asdict(camera))


def camera_from_json(text: str | bytes) -> Camera:
    """Return the camera that `camera_as_json` wrote; members of later versions are left aside."""
    values = json.loads(text)
    return Camera(
        id=values["id"],
        url=values["url"],
        fps=float(values["fps"]),
        attributes=tuple(values["attributes"]),
        policy=Policy(values["policy"]),
        preview_url=values.get("preview_url"),
        paused=bool(values.get("paused", False)),
        gate=Gate(values.get("gate", Gate.OFF)),
        labels=float(values.get("labels", 0.0)),
        purpose=Purpose(values.get("purpose", Purpose.TEST)),
        zones=_polygons(values.get("zones", ())),
        masks=_polygons(values.get("masks", ())),
        smallest_face=int(values.get("smallest_face", 0)),
        schedule=str(values.get("schedule", "")),
    )


def _polygons(values: Iterable[Iterable[Iterable[float]]]) -> tuple[Polygon, ...]:
    return tuple(tuple((float(x), float(y)) for x, y in corners) for corners in values)


def _readable(stored: Iterable[bytes]) -> Iterator[Camera]:
    """Yield the cameras that can be read; one that a program of another version wrote is logged and left out."""
    for text in stored:
        try:
            yield camera_from_json(text)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("a camera cannot be read and is left out: %s %s", type(error).__name__, error)


def _status(camera: str, text: bytes | None) -> CameraStatus:
    if text is None:
        return _unreported(camera)
    try:
        values = {name: value for name, value in json.loads(text).items() if name in CameraStatus.__dataclass_fields__}
        return CameraStatus(**{**values, "state": CameraState(values["state"])})
    except (AttributeError, KeyError, TypeError, ValueError):
        return CameraStatus(camera, CameraState.CONNECTING, "its producer is of another version, and cannot be understood")


def _unreported(camera: str) -> CameraStatus:
    return CameraStatus(camera, CameraState.CONNECTING, "no producer has this camera yet: is `rekstream produce` running?")
