"""Follows the results stream from where the last run ended, and lets every room hear each result once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

from people.database import Database
from people.house import Room
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.errors import RekstreamError, StorageError
from pipeline.results import BEGINNING, Results

log = logging.getLogger(__name__)

TABLES = (
    "CREATE TABLE IF NOT EXISTS cursors (server TEXT PRIMARY KEY, result TEXT NOT NULL, at REAL NOT NULL) STRICT",
)  # ids of results mean something on the Redis server that gave them only
BLOCK_SECONDS = 0.5
PAUSE_SECONDS = 0.5
_OLD_SECONDS = 24 * 3600.0


class Follower:
    """Reads on a thread of its own until `stop` is set; Redis may come and go."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        rooms: Sequence[Room],
        may_serve: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._may_serve = may_serve
        self._broker = broker
        self._database = database
        self._rooms = rooms
        self._stop = stop
        self._results = Results(broker.jobs)
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self.start, self.join = self._thread.start, self._thread.join

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._may_serve():
                self._stop.wait(PAUSE_SECONDS)
                continue
            try:
                self._follow(_server_of(self._broker))
            except (redis.RedisError, RekstreamError) as error:
                log.warning("results are not heard: %s", error)
                self._stop.wait(PAUSE_SECONDS)

    def _follow(self, server: str) -> None:
        """Hear results of one server until the stop, or until the connection breaks: another may be there then."""
        after = self._cursor(server)
        while not self._stop.is_set() and self._may_serve():
            results, after = self._results.follow(after, BLOCK_SECONDS)
            if results:
                self._hear(results, after, server)

    def _hear(self, results: Sequence[Result], after: str, server: str) -> None:
        with self._database.transaction():
            for room in self._rooms:
                self._let_hear(room, results)
            self._database.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)", server, after, time.time())
        for room in self._rooms:
            room.settle()

    def _let_hear(self, room: Room, results: Sequence[Result]) -> None:
        try:
            with self._database.transaction():
                room.hear(results)
        except (StorageError, redis.ConnectionError, redis.TimeoutError):  # that passes: the whole batch is heard again
            raise
        except Exception:  # the room's boundary: the others hear all the same
            log.exception("%s did not take in %d results", type(room).__name__, len(results))

    def _cursor(self, server: str) -> str:
        with self._database.transaction():
            self._database.execute("DELETE FROM cursors WHERE at < ?", time.time() - _OLD_SECONDS)
        found = self._database.rows("SELECT result FROM cursors WHERE server = ?", server)
        return str(found[0][0]) if found else BEGINNING


def _server_of(broker: Broker) -> str:
    """Return the id that a Redis server gave itself at its start."""
    about: Any = broker.scripts.info("server")
    return str(about["run_id"])
