"""Signals that ask a process to end, turned into an event that its main thread may be waiting for."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterable


def stop_event(numbers: Iterable[signal.Signals]) -> threading.Event:
    """Return an event that is set when one of these signals comes. Main thread only."""
    stop = threading.Event()
    for number in numbers:
        signal.signal(number, lambda *_: set_from_handler(stop))
    return stop


def set_from_handler(event: threading.Event) -> None:
    """Set an event from a signal handler.

    Not on the main thread: the handler may have come just where that holds the event's own lock, and would wait for itself
    for ever. A bare thread, because threading.Thread takes locks that the main thread may hold as well.
    """
    _thread.start_new_thread(event.set, ())
