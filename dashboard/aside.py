"""Work that may take seconds, on threads of its own: all other requests share some forty, and must never wait for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread

from dashboard.answers import RefusedError

P = ParamSpec("P")
T = TypeVar("T")


class Aside:
    """Runs `at_once` pieces of work at a time and lets `waiting` more wait; who comes then is told `busy` (503).

    Used on the event loop only.
    """

    def __init__(self, at_once: int, waiting: int, busy: str) -> None:
        self._limiter = anyio.CapacityLimiter(at_once)
        self._left = at_once + waiting
        self._busy = busy

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns, or raise what it raises; raises RefusedError when too many wait."""
        if not self._left:
            raise RefusedError(503, "Busy", self._busy)
        self._left -= 1
        try:
            return await anyio.to_thread.run_sync(partial(work, *args, **kwargs), limiter=self._limiter)
        finally:
            self._left += 1
