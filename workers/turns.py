"""Turns for jobs that may wait long: so many threads of a process may be at them, and the others serve what is quick."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pipeline.keys import camera_of_mailbox, labels_mailbox

LABELS_PLACES = 1  # nobody waits for labels

Job = tuple[str, str]
"""A mailbox and the token of its waiting job."""


class TurnsByKind:
    """Turns of searches and of labels, each for themselves: an operation that is held back stops no other."""

    def __init__(self, places: int) -> None:
        self._searches, self._labels = Turns(places), Turns(LABELS_PLACES)

    def of(self, mailbox: str) -> Turns:
        """Return the turns that jobs of a mailbox wait for."""
        return self._labels if mailbox == labels_mailbox(camera_of_mailbox(mailbox)) else self._searches

    def renew(self, hold: Callable[[str, str], object]) -> None:
        """Renew the lease of every job that waits, as `Turns.renew`."""
        for turns in (self._searches, self._labels):
            turns.renew(hold)

    def waiting(self) -> list[Job]:
        """Return the jobs that wait."""
        return self._searches.waiting() + self._labels.waiting()


class Turns:
    """Lets at most `places` threads be at jobs of one kind; what comes beyond waits in line, without a thread.

    The leases of those that wait are renewed with `renew`; after a kill they end by themselves, and the jobs are found again.
    The line is no longer than there are mailboxes, however long nothing moves.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._places = places
        self._waiting: dict[str, str] = {}  # by mailbox: a newer token takes the place of one that must be stale

    def enter(self, job: Job) -> bool:
        """Return whether it is the job's turn now; where it is not, the job waits for one that `leave`s."""
        with self._lock:
            if self._places > 0:
                self._places -= 1
                return True
            mailbox, token = job
            self._waiting[mailbox] = token
            return False

    def leave(self) -> Job | None:
        """Return the job whose turn it is now, for the same thread to do; None, and a free place, when none waits."""
        with self._lock:
            for mailbox in self._waiting:
                return mailbox, self._waiting.pop(mailbox)
            self._places += 1
            return None

    def renew(self, hold: Callable[[str, str], object]) -> None:
        """Renew the lease of every job that waits; `hold` returns None for one that is stale, which waits no more."""
        for mailbox, token in self.waiting():
            if hold(mailbox, token) is None:
                with self._lock:
                    if self._waiting.get(mailbox) == token:
                        del self._waiting[mailbox]

    def waiting(self) -> list[Job]:
        """Return the jobs that wait, the first one first."""
        with self._lock:
            return list(self._waiting.items())
