"""One reader of previews for everybody who watches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import redis

from pipeline.entities import Preview
from pipeline.previews import PreviewListener

log = logging.getLogger(__name__)

WAIT_SECONDS = 0.1  # until a change of what is watched is seen, where no previews come
PAUSE_SECONDS = 0.2
SILENT_SECONDS = 10.0  # a connection may have died without a word: then it is made anew


class PreviewReader:
    """Listens, on a thread of its own, to exactly the cameras that are watched; Redis may come and go.

    While nobody watches nothing is asked of it.
    """

    def __init__(self, listener: PreviewListener) -> None:
        self._listener = listener
        self._cameras: frozenset[str] = frozenset()
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._heard_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self, on_preview: Callable[[Preview], None]) -> None:
        """Begin to read; each preview goes to `on_preview`, on the thread that reads."""
        self._thread = threading.Thread(target=self._run, args=(on_preview,), name="previews", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the reading."""
        self._stop.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def watch(self, cameras: frozenset[str]) -> None:
        """Say which cameras somebody watches now, from any thread."""
        self._cameras = cameras
        self._changed.set()

    def _run(self, on_preview: Callable[[Preview], None]) -> None:
        while not self._stop.is_set():
            try:
                self._read(on_preview)
            except redis.RedisError as error:
                log.debug("no previews for now: %s", error)
                self._stop.wait(PAUSE_SECONDS)
            except Exception:  # the thread's boundary: without it nobody would see a preview again
                log.exception("a preview was passed over")
                self._stop.wait(PAUSE_SECONDS)
        self._listener.close()

    def _read(self, on_preview: Callable[[Preview], None]) -> None:
        self._changed.clear()
        cameras = self._cameras
        if not cameras:
            self._listener.close()
            self._changed.wait()
            self._heard_at = time.monotonic()
            return
        self._listener.watch(cameras)
        preview = self._listener.next(WAIT_SECONDS)
        if preview is not None:
            self._heard_at = time.monotonic()
            on_preview(preview)
        elif time.monotonic() - self._heard_at > SILENT_SECONDS:
            self._heard_at = time.monotonic()
            self._listener.close()
