"""Turns for jobs that may wait long: so many threads of a process may be at them, and the others serve what is quick."""

from __future__ import annotations

import threading
from collections import deque

Job = tuple[str, str]


class Turns:
    """Lets at most `places` threads be at jobs of one kind; what comes beyond waits in line, without a thread.

    Whoever waits here has no lease renewed: after `mailbox`'s LOST_AFTER the job is enqueued anew, under another token, for any
    process, and this one's is found to be stale. So nothing is lost here by a kill, nor held back by a busy process.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._places = places
        self._waiting: deque[Job] = deque()

    def enter(self, job: Job) -> bool:
        """Return whether it is the job's turn now; where it is not, the job waits for one that `leave`s."""
        with self._lock:
            if self._places > 0:
                self._places -= 1
                return True
            self._waiting.append(job)
            return False

    def leave(self) -> Job | None:
        """Return the job whose turn it is now, for the same thread to do; None, and a free place, when none waits."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._places += 1
            return None
