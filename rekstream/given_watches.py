"""The watches of rekstream.yml, handed to the people process until it has taken all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from pipeline.broker import Broker
from pipeline.errors import RekstreamError
from pipeline.requests import Requests

AGAIN_SECONDS = 5.0

Watches = Sequence[Mapping[str, Any]]


class GivenWatches:
    """Hands watches over, on a thread of its own while there is something to hand over.

    One that is refused (its person is not enrolled yet) is told of once, and tried again.
    """

    def __init__(self, broker: Broker, say: Callable[[str, str], None]) -> None:
        self._requests = Requests(broker)
        self._say = say
        self._lock = threading.Lock()
        self._watches: Watches | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: set[str] = set()

    def set(self, watches: Watches) -> None:
        """Let these be the watches of the file from now on."""
        with self._lock:
            self._watches = watches
            self._told.clear()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="given watches", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Hand over no more; what is being asked just now is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            watches = self._watches
            taken = watches is not None and self._hand_over(watches)
            with self._lock:
                if taken and self._watches is watches:
                    self._thread = None
                    return
            if not taken:
                self._stop.wait(AGAIN_SECONDS)

    def _hand_over(self, watches: Watches) -> bool:
        """Say whether all were taken."""
        try:
            answer = self._requests.ask("watches.give", {"watches": list(watches)}, "rekstream.yml")
        except (redis.RedisError, RekstreamError):
            return False  # it starts, or starts again
        refused = [str(message) for message in answer["refused"]]
        for message in refused:
            if message not in self._told:
                self._say("watches", message)
        self._told.update(refused)
        return not refused
