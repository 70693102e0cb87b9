"""A capture's own book of the frames it sampled: what it numbers here is what Redis counts, once, whatever replies get lost."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter


class Ledger:
    """Number the frames of one capture, and count by cause those that were dropped before they were offered.

    Numbers and drops travel as running totals of one `epoch` (one life of one capture), together with the totals that Redis
    had confirmed before. So an offer may be repeated, or its reply lost, or Redis be emptied: no frame is counted twice, and
    none is missing. Safe for several threads.
    """

    def __init__(self) -> None:
        self.epoch = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._number = 0
        self._drops: Counter[str] = Counter()
        self._confirmed_number = 0
        self._confirmed_drops: Counter[str] = Counter()

    def sample(self) -> int:
        """Count one more sampled frame and return its number."""
        with self._lock:
            self._number += 1
            return self._number

    def drop(self, cause: str) -> None:
        """Count one sampled frame as dropped for `cause` (a short word: encode, redis, too_small)."""
        with self._lock:
            self._drops[cause] += 1

    @property
    def unsettled(self) -> bool:
        """Whether frames were sampled that Redis has not confirmed yet."""
        with self._lock:
            return self._number > self._confirmed_number

    def statement(self, number: int | None = None) -> Statement:
        """Return the running totals up to frame `number` (by default all that were sampled) for one script call."""
        with self._lock:
            return Statement(
                epoch=self.epoch,
                number=self._number if number is None else number,
                drops=dict(self._drops),
                confirmed_number=self._confirmed_number,
                confirmed_drops=dict(self._confirmed_drops),
            )

    def confirm(self, statement: Statement) -> None:
        """Remember that Redis has counted `statement`."""
        with self._lock:
            self._confirmed_number = max(self._confirmed_number, statement.number)
            for cause, count in statement.drops.items():
                self._confirmed_drops[cause] = max(self._confirmed_drops[cause], count)


class Statement:
    """The totals of a ledger at one moment, as the mailbox's scripts read them."""

    def __init__(
        self,
        epoch: str,
        number: int,
        drops: dict[str, int],
        confirmed_number: int,
        confirmed_drops: dict[str, int],
    ) -> None:
        self.epoch = epoch
        self.number = number
        self.drops = drops
        self.confirmed_number = confirmed_number
        self.confirmed_drops = confirmed_drops

    def as_json(self) -> str:
        """Return the JSON object that the scripts `offer` and `settle` take."""
        return json.dumps(
            {
                "epoch": self.epoch,
                "number": self.number,
                "drops": self.drops,
                "base": self.confirmed_number,
                "base_drops": self.confirmed_drops,
            }
        )
