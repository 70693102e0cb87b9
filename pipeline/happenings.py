"""What happens with people, told live: Redis hands it on to whoever listens at that moment, and keeps nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys

log = logging.getLogger(__name__)

FORGOTTEN = "forgotten"  # a person was: whoever keeps anything of these tracks drops it; no page hears of it
KINDS = ("person", "visit", "alert", FORGOTTEN)
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: its kind, and what is told of it."""

    kind: str
    what: Mapping[str, Any]


class Happenings:
    """Tells what happens; nobody has to listen, and a Redis that is away is no fault: pages ask again when it is back."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async

    def tell(self, kind: str, what: Mapping[str, Any]) -> None:
        """Tell those who listen now; `kind` is one of KINDS."""
        try:
            self._connection.publish(keys.HAPPENINGS, json.dumps({"kind": kind, "what": what}, separators=(",", ":")))
        except redis.RedisError as error:
            log.debug("a happening (%s) was told to nobody: %s", kind, error)


class HappeningListener:
    """Hears what happens; used by one thread. `next` may raise redis.RedisError, and subscribes anew after that."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._pubsub: Any = None

    def next(self, seconds: float) -> Happening | None:
        """Return what happened next; None when nothing does within `seconds`, or what comes is not understood."""
        try:
            if self._pubsub is None:
                self._pubsub = self._connection.pubsub(ignore_subscribe_messages=True)
                self._pubsub.subscribe(keys.HAPPENINGS)
            message = self._pubsub.get_message(timeout=seconds)
        except redis.RedisError:
            self.close()
            raise
        return None if message is None else _heard(message["data"])

    def close(self) -> None:
        """Listen no more, and give the connection back; harmless when repeated."""
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            pubsub.close()


def _heard(data: bytes) -> Happening | None:
    if len(data) > MOST_BYTES:
        return None
    try:
        told = json.loads(data)
        kind, what = told["kind"], told["what"]
    except (KeyError, TypeError, ValueError):
        return None
    return Happening(kind, what) if kind in KINDS and isinstance(what, dict) else None
