"""Archives analysed frames in the background: analysis never waits for it, and a slow or refusing place costs bounded memory.

    finish ──keep──> waiting (MOST_FRAMES, MOST_BYTES) ──threads──> archive       what is dropped: counted by cause, and said

It is the worker that writes, not the history process: it has the picture in hand, while Redis keeps a camera's newest only;
it knows what may be kept of it (purpose, privacy, masks); and more workers write more. A worker that is killed takes along
what waits in it: seconds of pictures, none of their results. These are counted, too (`pipeline/archive_ledger.py`).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.archive import REFUSED, Archive, ArchiveError, Item
from pipeline.entities import Result
from pipeline.metrics import ArchiveMetrics

log = logging.getLogger(__name__)

MOST_FRAMES = 500
MOST_BYTES = 64 * 1024 * 1024
PATIENCE_SECONDS = 60.0  # after which a frame that cannot be written is given up
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
DRAIN_SECONDS = 2.0
SAY_SECONDS = 60.0
RESULT_BYTES = 8 * 1024  # what a result takes beside its picture, about

SLOW, RULES, STOPPED = "slow", "rules", "stopped"
"""Why a frame was dropped, beside the archive's causes: it takes fewer than come; the camera keeps none any more; the end."""

COVERED = "Covered"
"""Member of an archived result: whether its faces were made unrecognisable in the picture."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One frame that is to be archived: `since` is time.monotonic(), `sent` names its picture where S3 has it already."""

    item: Item
    jpeg: bytes
    result: Result
    is_covered: bool
    since: float
    sent: str = ""

    @property
    def size(self) -> int:
        """Bytes of memory that count."""
        return len(self.jpeg) + RESULT_BYTES

    @property
    def text(self) -> bytes:
        """The result as it is archived."""
        return json.dumps({**self.result.as_json(), COVERED: self.is_covered}, separators=(",", ":")).encode()


class Archiver:
    """Writes to `archive` on threads of its own; `may_keep` (camera, is it covered) is asked again before each write."""

    def __init__(self, archive: Archive, threads: int, may_keep: Callable[[str, bool], bool], metrics: ArchiveMetrics) -> None:
        self._archive = archive
        self._may_keep = may_keep
        self._metrics = metrics
        self._lock = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._in_hand = 0
        self._stopping = threading.Event()
        self._pause = FIRST_PAUSE
        self._dropped = 0
        self._said_slow_at = -SAY_SECONDS
        self._why = ""
        self._cause = SLOW
        metrics.waiting_bytes.set_function(lambda: self._bytes)
        self._threads = [threading.Thread(target=self._run, name=f"archiver {n}", daemon=True) for n in range(threads)]

    @property
    def waiting(self) -> int:
        """How many frames are neither written nor dropped yet."""
        with self._lock:
            return len(self._waiting) + self._in_hand

    @property
    def details(self) -> Mapping[str, Any]:
        """What others see of it: where, what waits, and why nothing is written, if nothing is."""
        with self._lock:
            why = self._why
        return {"place": self._archive.place, "identity": self._archive.identity, "waiting": self.waiting, "why": why}

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after up to DRAIN_SECONDS for what waits; the rest is dropped, and said."""
        deadline = time.monotonic() + DRAIN_SECONDS
        with self._lock:
            self._lock.wait_for(lambda: bool(self._why) or not (self._waiting or self._in_hand), DRAIN_SECONDS)
            self._stopping.set()
            left, self._bytes = len(self._waiting), 0
            self._waiting.clear()
            self._lock.notify_all()
        self._drop(STOPPED, left)
        if left:
            log.warning("%d frames were not archived any more: this worker ends", left)
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        self._archive.close()

    def keep(self, result: Result, jpeg: bytes, *, is_covered: bool, sent: str = "") -> None:
        """Take a frame over; returns at once, and drops it when too much waits already.

        `sent` is the whole name of its picture where that lies in the archive's S3 already.
        """
        try:
            item = Item(result.camera, result.captured_at, result.id)
        except ValueError as error:
            log.warning("%s", error)
            self._drop(REFUSED)
            return
        waiting = Waiting(item, jpeg, result, is_covered, time.monotonic(), sent)
        with self._lock:
            has_room = len(self._waiting) < MOST_FRAMES and self._bytes + waiting.size <= MOST_BYTES
            if has_room and not self._stopping.is_set():
                self._waiting.append(waiting)
                self._bytes += waiting.size
                self._lock.notify()
                return
            cause = self._cause if self._why else SLOW
        self._drop(cause)
        if cause == SLOW:
            self._say_slow()

    def _run(self) -> None:
        while (waiting := self._next()) is not None:
            try:
                self._store(waiting)
            except Exception:  # the thread's boundary: the next frame may be well
                log.exception("frame %s was not archived", waiting.item.name)
                self._drop(REFUSED)
            finally:
                self._done(waiting)

    def _next(self) -> Waiting | None:
        with self._lock:
            self._lock.wait_for(lambda: self._waiting or self._stopping.is_set())
            if self._stopping.is_set():
                return None
            self._in_hand += 1
            return self._waiting.popleft()

    def _done(self, waiting: Waiting) -> None:
        with self._lock:
            self._in_hand -= 1
            self._bytes = max(0, self._bytes - waiting.size)
            self._lock.notify_all()

    def _store(self, waiting: Waiting) -> None:
        """Write a frame, again and again while that may help, and for PATIENCE_SECONDS at most."""
        while True:
            if not self._may_keep(waiting.item.camera, waiting.is_covered):
                self._drop(RULES)
                return
            try:
                with self._metrics.write_seconds.time():
                    self._archive.write(waiting.item, waiting.jpeg, waiting.text, waiting.sent)
            except ArchiveError as error:
                self._failed(error)
                is_late = time.monotonic() - waiting.since > PATIENCE_SECONDS
                if error.cause == REFUSED or is_late or self._stopping.wait(self._pause):
                    self._drop(STOPPED if self._stopping.is_set() else error.cause)
                    return
            else:
                self._worked()
                return

    def _failed(self, error: ArchiveError) -> None:
        with self._lock:
            is_new, self._why, self._cause = str(error) != self._why, str(error), error.cause
            if error.cause != REFUSED:
                self._pause = FIRST_PAUSE if is_new else min(LONGEST_PAUSE, self._pause * 2)
            self._lock.notify_all()
        if is_new:
            log.warning("%s; live analysis goes on, and frames that cannot wait are dropped and counted", error)

    def _worked(self) -> None:
        self._metrics.written.inc()
        with self._lock:
            was_wrong, dropped = bool(self._why), self._dropped
            self._why, self._pause = "", FIRST_PAUSE
            if was_wrong:
                self._dropped = 0
        if was_wrong:
            log.warning("frames are archived again in %s; %d were not", self._archive.place, dropped)

    def _drop(self, cause: str, count: int = 1) -> None:
        with self._lock:
            self._dropped += count
        self._metrics.dropped.labels(cause).inc(count)

    def _say_slow(self) -> None:
        with self._lock:
            if time.monotonic() - self._said_slow_at < SAY_SECONDS:
                return
            self._said_slow_at = time.monotonic()
        log.warning(
            "the archive %s takes fewer frames than come: those that cannot wait are dropped and counted; "
            "lower fps, or start more workers",
            self._archive.place,
        )
