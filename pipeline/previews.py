"""Small pictures for people who watch: Redis hands them on to whoever listens at that moment, and keeps none.

A message is the length of a header (4 bytes, big-endian), the header (a JSON object), and a JPEG. On the channel
`keys.preview(camera)` the header has the members camera, captured_at, width and height.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from typing import Any

import redis

from pipeline import keys
from pipeline.entities import Preview
from pipeline.errors import PictureError
from pipeline.shared import Privacy

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000  # of a message; a preview has about 30,000
MOST_HEADER_BYTES = 512
PREVIEWS_PER_SECOND = 10.0
LONGEST_SIDE = 640
_LENGTH_BYTES = 4
_JPEG_BEGINS = b"\xff\xd8"


class PreviewPublisher:
    """Publishes previews; every method may raise redis.RedisError.

    In privacy, which `privacy` turns on for this process, there are no watchers, because no face in a preview is covered.
    """

    def __init__(self, connection: redis.Redis, *, privacy: bool = False) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async
        self._privacy = Privacy(connection, told=privacy)

    def watchers(self, camera: str) -> int:
        """Return how many dashboards want the camera's previews now; 0 in privacy."""
        self._privacy.look()
        if self._privacy.is_on:
            return 0
        answer = self._connection.pubsub_numsub(keys.preview(camera))
        return int(answer[0][1])

    def publish(self, preview: Preview) -> int:
        """Hand a preview to those who listen, and return how many did; raises PictureError when it is over 1 MB."""
        message = as_message(preview)
        if len(message) > MOST_BYTES:
            raise PictureError(f"a preview of {len(message):,} bytes is not published: {MOST_BYTES:,} are the most")
        return int(self._connection.publish(keys.preview(preview.camera), message))


class PreviewListener:
    """Hears the previews of the cameras that are watched; used by one thread.

    Methods may raise redis.RedisError; the connection is then given up, and the next `watch` makes another.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._pubsub: Any = None
        self._channels: frozenset[str] = frozenset()

    def watch(self, cameras: frozenset[str]) -> None:
        """Listen to exactly these cameras from now on."""
        wanted = frozenset(keys.preview(camera) for camera in cameras)
        if wanted == self._channels:
            return
        try:
            self._pubsub = self._pubsub or self._connection.pubsub(ignore_subscribe_messages=True)
            if wanted - self._channels:
                self._pubsub.subscribe(*sorted(wanted - self._channels))
            if self._channels - wanted:
                self._pubsub.unsubscribe(*sorted(self._channels - wanted))
        except redis.RedisError:
            self.close()
            raise
        self._channels = wanted

    def next(self, seconds: float) -> Preview | None:
        """Return the next preview; None when none comes within `seconds`, or what comes is none."""
        if self._pubsub is None:
            return None
        try:
            message = self._pubsub.get_message(timeout=seconds)
        except redis.RedisError:
            self.close()
            raise
        return None if message is None else _heard(message)

    def close(self) -> None:
        """Listen to nothing, and give the connection back; harmless when repeated."""
        pubsub, self._pubsub, self._channels = self._pubsub, None, frozenset()
        if pubsub is not None:
            pubsub.close()


def pack(header: Mapping[str, Any], jpeg: bytes) -> bytes:
    """Return a header and a JPEG as one message."""
    about = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((len(about).to_bytes(_LENGTH_BYTES), about, jpeg))


def unpack(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the header and the JPEG of a message; raises ValueError for anything else."""
    length = int.from_bytes(message[:_LENGTH_BYTES])
    end = _LENGTH_BYTES + length
    if len(message) > MOST_BYTES or not 0 < length <= MOST_HEADER_BYTES or message[end : end + 2] != _JPEG_BEGINS:
        raise ValueError(f"{len(message):,} bytes are no message of a header and a JPEG")
    header = json.loads(message[_LENGTH_BYTES:end])
    if not isinstance(header, dict):
        raise ValueError(f"the header is a {type(header).__name__}, no object")
    return header, message[end:]


def as_message(preview: Preview) -> bytes:
    """Return the message that stands for a preview."""
    return pack(about(preview), preview.jpeg)


def about(preview: Preview) -> dict[str, Any]:
    """Return what a header says of a preview."""
    return {
        "camera": preview.camera,
        "captured_at": round(preview.captured_at, 6),
        "width": preview.width,
        "height": preview.height,
    }


def preview_of(message: bytes) -> Preview:
    """Return the preview that a message holds; raises ValueError for anything else."""
    header, jpeg = unpack(message)
    try:
        preview = Preview(
            str(header["camera"]), float(header["captured_at"]), int(header["width"]), int(header["height"]), jpeg
        )
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"the header of a preview is not complete ({type(error).__name__} {error})") from error
    if not math.isfinite(preview.captured_at):
        raise ValueError("a preview was captured at no time")
    return preview


def _heard(message: Mapping[str, Any]) -> Preview | None:
    """Return the preview that came; what is none, or belongs on another channel, is dropped."""
    channel = message["channel"].decode(errors="replace")
    try:
        preview = preview_of(message["data"])
    except ValueError as error:
        log.debug("%s: %s", channel, error)
        return None
    return preview if keys.preview(preview.camera) == channel else None
