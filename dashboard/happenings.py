"""What happens with people, handed on to the pages as events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import redis

from pipeline.happenings import HappeningListener

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.5
PAUSE_SECONDS = 0.2


class HappeningReader:
    """Reads, on a thread of its own, what the people process tells, and hands each to `publish`; Redis may come and go."""

    def __init__(self, listener: HappeningListener, publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._listener = listener
        self._publish = publish
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="happenings", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the reading."""
        self._stop.set()
        self._thread.join(timeout=WAIT_SECONDS + 5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                happening = self._listener.next(WAIT_SECONDS)
                if happening is not None:
                    self._publish(happening.kind, happening.what)
            except redis.RedisError as error:
                log.debug("nothing is heard for now: %s", error)
                self._stop.wait(PAUSE_SECONDS)
            except Exception:  # the thread's boundary: without it nobody would hear of anything again
                log.exception("a happening was passed over")
                self._stop.wait(PAUSE_SECONDS)
        self._listener.close()
