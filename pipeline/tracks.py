"""Who is followed at each camera, and the best view of each face: what workers keep of people in Redis, all of it for minutes.

The state of a camera is changed by compare-and-set: of two workers that finish frames of one camera together, one looks again
at what the other made of it. What it holds is the workers' business (vision/tracks.py).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from pipeline import keys
from pipeline.camera_spec import ID

STATE_SECONDS = 900
"""How long the state of a camera is kept after its last face: boxes and times, no faces."""

FACE_SECONDS = 900
"""How long a face is kept after it was last worth a look: a little longer than results are."""

NUMBERS_SINCE, NUMBERS_A_SECOND = 1_735_689_600, 10
"""How vision/tracks.py numbers tracks: at least by so many a second since 2025."""
_DIGITS = 12

TRIES = 50
"""How often others may be first before a frame is given up; of 64 threads that finish together few share a camera."""

_CHANGE = """
if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return redis.call('HMGET', KEYS[1], 'version', 'state') end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {}
"""


class Contended(Exception):
    """Other workers were first, again and again."""


def track_id(camera: str, number: int) -> str:
    """Return the id of a track, as results have it."""
    return f"{camera}-{number}"


def camera_of_track(track: str) -> str:
    """Return the camera of a track."""
    return track.rpartition("-")[0]


def began_about(track: str) -> float | None:
    """Return when a track began, as its number tells, in seconds since 1970 (a little late at most); None for no track's id."""
    camera, _, number = track.rpartition("-")
    if not ID.fullmatch(camera) or not number.isdecimal() or len(number) > _DIGITS:
        return None
    return NUMBERS_SINCE + int(number) / NUMBERS_A_SECOND


class TrackStates:
    """The state of each camera's tracks; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async
        self._change = connection.register_script(_CHANGE)

    def change(self, camera: str, step: Callable[[str | None], str | None]) -> None:
        """Put what `step` makes of the state in its place; None from it changes nothing.

        `step` gets None where there is no state, and is called again whenever another worker was first. Raises Contended.
        """
        version, state = self._connection.hmget(keys.tracks(camera), "version", "state")
        for _ in range(TRIES):
            after = step(None if state is None else state.decode())
            if after is None:
                return
            newer = self._change(keys=[keys.tracks(camera)], args=[version or b"", uuid.uuid4().hex, after, STATE_SECONDS])
            if not newer:
                return
            version, state = newer
        raise Contended(f"the tracks of {camera} were changed {TRIES} times by others")


@dataclass(frozen=True, slots=True)
class FaceView:
    """The best view so far of one track's face.

    `box` is Rekognition's BoundingBox in the frame taken at `captured_at`, `height` the face's there in pixels. `jpeg` is the
    face with a margin, empty where no pictures are kept; `vector` the local embedding (128 float32), empty where the face
    could not be read.
    """

    camera: str
    captured_at: float
    weight: float
    height: float
    box: Mapping[str, float] = field(default_factory=dict)
    jpeg: bytes = b""
    vector: bytes = b""


class Faces:
    """The best views of tracks; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection

    def keep(self, track: str, view: FaceView) -> None:
        """Keep a view in place of the one before."""
        members = {
            "camera": view.camera,
            "captured_at": view.captured_at,
            "weight": view.weight,
            "height": view.height,
            "box": json.dumps(dict(view.box)),
            **({"jpeg": view.jpeg} if view.jpeg else {}),
            **({"vector": view.vector} if view.vector else {}),
        }
        pipe = self._connection.pipeline(transaction=True)
        pipe.delete(keys.face(track))
        pipe.hset(keys.face(track), mapping=members)
        pipe.expire(keys.face(track), FACE_SECONDS)
        pipe.execute()

    def keep_on(self, track: str) -> None:
        """Keep what is known for as long again."""
        self._connection.expire(keys.face(track), FACE_SECONDS)

    def of(self, track: str) -> FaceView | None:
        """Return the best view of a track while it is kept."""
        members = {name.decode(): value for name, value in self._connection.hgetall(keys.face(track)).items()}
        if "captured_at" not in members:
            return None
        return FaceView(
            camera=members["camera"].decode(),
            captured_at=float(members["captured_at"]),
            weight=float(members["weight"]),
            height=float(members["height"]),
            box=json.loads(members["box"]),
            jpeg=members.get("jpeg", b""),
            vector=members.get("vector", b""),
        )

    def vector_of(self, track: str) -> bytes:
        """Return the vector of a track's best view, empty while there is none."""
        return self._connection.hget(keys.face(track), "vector") or b""

    def forget(self, track: str) -> None:
        """Keep nothing of a track's face."""
        self._connection.delete(keys.face(track))


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Who can be found now: `people` in a collection, those shown that are alike by `show` percent.

    `changed` is when somebody was enrolled or forgotten last, 0 if that is not known.
    """

    collection: str
    people: int
    show: float
    changed: float = 0.0


def enrolled(connection: redis.Redis) -> Enrolled | None:
    """Return whom the people process knows, None when nobody is, or nobody told; may raise redis.RedisError."""
    client: Any = connection
    text = client.get(keys.PEOPLE)
    try:
        told = json.loads(text or b"{}")
        known = Enrolled(str(told["collection"]), int(told["people"]), float(told["show"]), float(told.get("changed", 0.0)))
    except (KeyError, TypeError, ValueError):
        return None
    return known if known.people > 0 else None
