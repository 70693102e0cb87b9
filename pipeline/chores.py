"""What a process does again and again: each chore on a thread of its own, a failure logged, the next round tried."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import redis

from pipeline.errors import RekstreamError
from pipeline.periodic import Periodic

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done again and again, every `seconds`, on a thread of its own."""

    name: str
    seconds: float
    action: Callable[[], None]

    def only_while(self, may: Callable[[], bool]) -> Chore:
        """Return the chore that is left undone in the rounds in which it may not be done."""

        def act() -> None:
            if may():
                self.action()

        return replace(self, action=act)

    def periodic(self) -> Periodic:
        """Return what does it, once that is started."""
        return Periodic(self.name, self.seconds, self.action, self._failed)

    def _failed(self, error: Exception) -> None:
        """Tell that a round failed: the next one may succeed."""
        if isinstance(error, redis.RedisError):
            log.debug("%s: %s", self.name, error)
        elif isinstance(error, RekstreamError):
            log.warning("%s: %s", self.name, error)
        else:
            log.error("%s failed", self.name, exc_info=error)
