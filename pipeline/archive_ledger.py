"""How many frames wait in each worker to be archived: what a killed one takes along is counted by whoever outlives it.

The figure is as old as a worker's last word (half a second); a worker that was only frozen may yet write what was counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from pipeline import keys

TELL_SECONDS = 0.5
COUNT_SECONDS = 2.0
KILLED = "killed"
"""Why a frame was not archived: the worker in which it waited was killed."""

_COUNT = """
local waiting = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0)
redis.call('HDEL', KEYS[1], ARGV[1])
if waiting > 0 then redis.call('INCRBY', KEYS[2], waiting) end
return waiting
"""


class ArchiveLedger:
    """What waits by worker, and how much was lost in all; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._count = connection.register_script(_COUNT)
        self._told = 0
        self._missing: set[str] = set()

    def tell(self, worker: str, waiting: int) -> None:
        """Say how many frames wait in a worker, if that changed; `worker` is the name of its heartbeat."""
        if waiting != self._told:
            self._connection.hset(keys.ARCHIVE_WAITING, worker, waiting)
            self._told = waiting

    def leave(self, worker: str) -> None:
        """Say that a worker ends, and has counted itself what waited."""
        self._connection.hdel(keys.ARCHIVE_WAITING, worker)

    def count_lost(self) -> Mapping[str, int]:
        """Count what workers took along that have had no heartbeat for two looks; return how much that was, by worker."""
        workers = [name.decode() for name in self._connection.hkeys(keys.ARCHIVE_WAITING)]
        missing = {name for name in workers if not self._connection.exists(keys.process("worker", name))}
        lost = {name: int(self._count([keys.ARCHIVE_WAITING, keys.ARCHIVE_LOST], [name])) for name in missing & self._missing}
        self._missing = missing
        return {name: count for name, count in lost.items() if count}

    def lost(self) -> int:
        """Return how many frames were lost in all."""
        return int(self._connection.get(keys.ARCHIVE_LOST) or 0)
