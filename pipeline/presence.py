"""Which processes are alive: each renews a heartbeat of its own, which says where its /metrics can be read."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import redis

from pipeline import keys

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 2.0
ALIVE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Process:
    """One living process: `role` is producer, worker, people, history, dashboard or local-rekognition.

    `metrics` is HOST:PORT or ''.
    """

    role: str
    name: str
    host: str
    pid: int
    version: str
    metrics: str
    started_at: float
    details: dict[str, Any] = field(default_factory=dict)


class Presence:
    """Keeps this process's heartbeat in Redis until it is stopped; Redis may come and go."""

    def __init__(
        self,
        connection: redis.Redis,
        role: str,
        version: str,
        metrics: str = "",
        details: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._connection: Any = connection
        self._details = details
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._process = Process(role, uuid.uuid4().hex[:12], socket.gethostname(), os.getpid(), version, metrics, time.time())
        self._key = keys.process(role, self._process.name)

    @property
    def name(self) -> str:
        """This process's own name, which no other ever has."""
        return self._process.name

    @property
    def label(self) -> str:
        """Where this process runs and its own name: HOST:NAME, as it stands in each result."""
        return f"{self._process.host}:{self._process.name}"

    def start(self) -> None:
        """Begin to be visible."""
        self._thread.start()

    def stop(self) -> None:
        """Be gone at once."""
        self._stop.set()
        self._thread.join(timeout=HEARTBEAT_SECONDS + 3)
        try:
            self._connection.delete(self._key)
        except redis.RedisError as error:
            log.debug("heartbeat of %s left to expire: %s", self._process.name, error)

    def _run(self) -> None:
        while True:
            try:
                beat = {**asdict(self._process), "details": self._details()}
                self._connection.set(self._key, json.dumps(beat), px=int(ALIVE_SECONDS * 1000))
            except redis.RedisError as error:
                log.debug("no heartbeat: %s", error)
            if self._stop.wait(HEARTBEAT_SECONDS):
                return


def living(connection: redis.Redis, role: str = "*") -> list[Process]:
    """Return the processes whose heartbeat is fresh, by role and name; raises redis.RedisError."""
    client: Any = connection
    found = sorted(client.scan_iter(match=keys.process(role, "*"), count=500))
    values = client.mget(found) if found else []
    return [process for value in values if value and (process := _process(value))]


def _process(text: bytes) -> Process | None:
    """Return what a heartbeat says, None for one of another version."""
    try:
        known = {name: value for name, value in json.loads(text).items() if name in Process.__dataclass_fields__}
        return Process(**known)
    except (AttributeError, TypeError, ValueError):
        return None
