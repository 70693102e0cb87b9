"""Checks of sources: asked for by whoever talks to people, done where the cameras are, which may be another machine.

    ask ──> list of ids ──> take ──> (the source is opened) ──> answer ──> ask returns

A request is a key of its own that expires: one that nobody took in time is gone, its password with it.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Polygon

REQUEST_SECONDS = 20.0
ANSWER_SECONDS = 30.0
MOST_WAITING = 8
BLOCK_SECONDS = 5.0  # below the socket's timeout


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A source to be looked at; `url` may hold a password, what lies below `masks` is not to be seen."""

    id: str
    url: str = field(repr=False)
    masks: tuple[Polygon, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What is at a URL, or what is wrong with it.

    `sentence` is for people and without a password; `width` and `height` are pixels, `fps` frames a second as measured,
    `faces` the heights in pixels of those that were seen, `picture` a small JPEG. What is not known is 0 or empty.
    """

    ok: bool
    sentence: str
    width: int = 0
    height: int = 0
    fps: float = 0.0
    faces: tuple[int, ...] = ()
    picture: bytes = field(default=b"", repr=False)

    def as_json(self) -> dict[str, Any]:
        """Return the check as the API shows it: the picture in base64, or None."""
        picture = base64.b64encode(self.picture).decode() if self.picture else None
        return {**asdict(self), "faces": list(self.faces), "picture": picture}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SourceCheck:
        """Return what `as_json` wrote; raises ValueError for anything else."""
        try:
            known = {name: values[name] for name in ("ok", "sentence", "width", "height", "fps")}
            faces = tuple(int(height) for height in values["faces"])
            return cls(**known, faces=faces, picture=base64.b64decode(values["picture"] or ""))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise ValueError(f"not a check ({type(error).__name__})") from None


class TooManyChecksError(Exception):
    """As many sources as may wait for their check do so already."""


class Checks:
    """The requests for checks in Redis; every method may raise redis.RedisError."""

    def __init__(self, broker: Broker) -> None:
        self._quick: Any = broker.scripts
        self._blocking: Any = broker.jobs

    def ask(self, url: str, seconds: float = REQUEST_SECONDS, masks: tuple[Polygon, ...] = ()) -> SourceCheck | None:
        """Have a source checked and wait for it; None when nobody did it within `seconds`. Raises TooManyChecksError."""
        if self._quick.llen(keys.CHECKS) >= MOST_WAITING:
            raise TooManyChecksError
        request = CheckRequest(uuid.uuid4().hex, url, masks)
        self._put(request, seconds)
        try:
            return self._wait_for(request, time.monotonic() + seconds)
        finally:
            self._forget(request)

    def take(self, seconds: float) -> CheckRequest | None:
        """Return the oldest request that is not too old, waiting up to `seconds` for it."""
        found = self._blocking.blpop([keys.CHECKS], timeout=seconds)
        if found is None:
            return None
        name = found[1].decode()
        text = self._quick.getdel(keys.check(name))
        return None if text is None else _request(name, text)

    def answer(self, request: CheckRequest, check: SourceCheck) -> None:
        """Hand a check to whoever asked for it."""
        pipe = self._quick.pipeline()
        pipe.rpush(keys.checked(request.id), json.dumps(check.as_json()))
        pipe.pexpire(keys.checked(request.id), int(ANSWER_SECONDS * 1000))
        pipe.execute()

    def _put(self, request: CheckRequest, seconds: float) -> None:
        life = int(seconds * 1000)
        pipe = self._quick.pipeline()
        pipe.set(keys.check(request.id), json.dumps({"url": request.url, "masks": request.masks}), px=life)
        pipe.rpush(keys.CHECKS, request.id)
        pipe.pexpire(keys.CHECKS, life)
        pipe.execute()

    def _wait_for(self, request: CheckRequest, deadline: float) -> SourceCheck | None:
        while (left := deadline - time.monotonic()) > 0:
            found = self._blocking.blpop([keys.checked(request.id)], timeout=min(left, BLOCK_SECONDS))
            if found is not None:
                return SourceCheck.from_json(json.loads(found[1]))
        return None

    def _forget(self, request: CheckRequest) -> None:
        pipe = self._quick.pipeline()
        pipe.lrem(keys.CHECKS, 0, request.id)
        pipe.delete(keys.check(request.id), keys.checked(request.id))
        pipe.execute()


def _request(name: str, text: bytes) -> CheckRequest:
    values = json.loads(text)
    return CheckRequest(name, values["url"], tuple(tuple((x, y) for x, y in corners) for corners in values["masks"]))
