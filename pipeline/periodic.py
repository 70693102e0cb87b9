"""Something done again and again on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Periodic:
    """Calls `action` every `seconds` on a thread of its own until it is stopped; what it raises goes to `on_error`."""

    def __init__(self, name: str, seconds: float, action: Callable[[], None], on_error: Callable[[Exception], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._on_error = on_error
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first call comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the call that is running."""
        self._stop.set()
        self._thread.join(timeout=self._seconds + 5)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._action()
            except Exception as error:  # a thread's boundary: the next round may succeed
                self._on_error(error)
            self._stop.wait(self._seconds)
