"""The watches of rekstream.yml, handed to the people process until it has taken all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from pipeline.broker import Broker
from pipeline.errors import RekstreamError
from pipeline.requests import Requests

AGAIN_SECONDS = 5.0
ASK_SECONDS = 5.0

Watches = Sequence[Mapping[str, Any]]


class GivenWatches:
    """Hands watches over; one that is refused (its person is not enrolled yet) is told of once, and tried again."""

    def __init__(self, broker: Broker, say: Callable[[str, str], None]) -> None:
        self._requests = Requests(broker)
        self._say = say
        self._watches: Watches | None = None
        self._next_at = 0.0
        self._told: set[str] = set()

    def set(self, watches: Watches) -> None:
        """Let these be the watches of the file from now on."""
        self._watches, self._next_at = watches, 0.0
        self._told.clear()

    def look(self) -> None:
        """Hand over what was not taken yet; called often."""
        if self._watches is None or time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + AGAIN_SECONDS
        try:
            answer = self._requests.ask("watches.give", {"watches": list(self._watches)}, "rekstream.yml", ASK_SECONDS)
        except (redis.RedisError, RekstreamError):
            return  # it starts, or starts again: the next look
        refused = [str(message) for message in answer["refused"]]
        for message in refused:
            if message not in self._told:
                self._say("watches", message)
        self._told.update(refused)
        if not refused:
            self._watches = None
