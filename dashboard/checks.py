"""Sources checked before they become cameras: a producer opens them, wherever that runs."""

from __future__ import annotations

import redis

from dashboard.answers import RefusedError
from pipeline.broker import Broker
from pipeline.checks import REQUEST_SECONDS, Checks, SourceCheck, TooManyChecksError
from pipeline.entities import Polygon
from pipeline.presence import living


class CheckDesk:
    """Has sources checked; `check` blocks for up to REQUEST_SECONDS and may raise redis.RedisError."""

    def __init__(self, broker: Broker) -> None:
        self._connection: redis.Redis = broker.scripts
        self._checks = Checks(broker)

    def check(self, url: str, masks: tuple[Polygon, ...] = ()) -> SourceCheck:
        """Return what a producer found at `url`, nothing of it from below `masks`.

        Raises RefusedError when none is there, or none has time.
        """
        if not living(self._connection, "producer"):
            raise RefusedError(503, "NoProducers", "no producer is alive to look at it: start `rekstream produce`")
        try:
            found = self._checks.ask(url, REQUEST_SECONDS, masks)
        except TooManyChecksError:
            raise RefusedError(503, "Busy", "several sources are being checked already: try again in some seconds") from None
        if found is None:
            raise RefusedError(504, "NoAnswer", f"no producer looked at it within {REQUEST_SECONDS:g} s: try again")
        return found
