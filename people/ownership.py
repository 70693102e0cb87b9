"""One people process serves a system at a time; another one waits until it is gone, so that nothing is told or paid twice."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
import uuid
from typing import Any

import redis

from pipeline import keys

log = logging.getLogger(__name__)

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0


class Ownership:
    """Whether this process is the one; `look` renews it each second and may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._key = keys.owner("people")
        self._me = {"name": uuid.uuid4().hex, "host": socket.gethostname(), "pid": os.getpid()}
        self._until = 0.0
        self._has_warned = False

    @property
    def is_ours(self) -> bool:
        """Whether this process is to serve now."""
        return time.monotonic() < self._until

    def look(self) -> None:
        """Be the one, if no other is."""
        asked_at, life = time.monotonic(), int(LEASE_SECONDS * 1000)
        text = json.dumps(self._me)
        if self._connection.set(self._key, text, nx=True, px=life) or self._may_take_over():
            self._connection.set(self._key, text, px=life)
            self._until = asked_at + LEASE_SECONDS
            self._has_warned = False
            return
        self._until = 0.0
        if not self._has_warned:
            self._has_warned = True
            log.warning("%s serves this system as `rekstream people` already: this one waits until it is gone", self._holder())

    def give_up(self) -> None:
        """Let another one serve at once."""
        holder = self._read()
        if holder == self._me:
            self._connection.delete(self._key)
        self._until = 0.0

    def _may_take_over(self) -> bool:
        """Say whether the holder is this process, or one of this machine that has died."""
        holder = self._read()
        if holder is None or holder == self._me:
            return True
        return holder.get("host") == self._me["host"] and not _is_alive(int(holder.get("pid", 0)))

    def _holder(self) -> str:
        holder = self._read() or {}
        return f"process {holder.get('pid')} on {holder.get('host')}"

    def _read(self) -> dict[str, Any] | None:
        text = self._connection.get(self._key)
        return None if text is None else dict(json.loads(text))


def _is_alive(pid: int) -> bool:
    """Say whether another process of this machine lives; a container that started again has its own number once more."""
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
