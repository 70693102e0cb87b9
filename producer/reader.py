"""Reading one source: a thread of its own for what is live, frame by frame for files that lose nothing."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from pipeline.clock import Clock
from pipeline.entities import Camera, CameraState
from pipeline.errors import CameraError, CameraUnauthorized, CameraUnreachable, redact
from producer.masks import Masks
from producer.sampler import Newest, Pace, Sample, Sampler
from producer.sources import Source
from producer.status import StatusBoard

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 3.0  # with jitter and the opening, a camera that is back is seen within 5 s
LONGEST_REFUSED_PAUSE_SECONDS = 30.0  # cameras lock an account after a few wrong passwords
LIVE_SPEED = 1.03  # of bursts, so that a reader never stays behind by more than one

Opener = Callable[[Camera], Source]


class Feed(Protocol):
    """Samples of one camera, for the thread that encodes and offers them."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        ...

    def start(self) -> None:
        """Begin to read."""
        ...

    def take(self, timeout: float) -> Sample | None:
        """Return the next sample, None when there is none within `timeout` seconds."""
        ...

    def passed_over(self) -> int:
        """Return how many samples were replaced by newer ones since this was last asked."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class Tap(Protocol):
    """Where a reader may leave pictures for people who watch, besides those that are analysed; it never waits there."""

    def wants(self) -> bool:
        """Say whether the picture that was just read is wanted."""
        ...

    def put(self, sample: Sample) -> None:
        """Leave it."""
        ...


class NoTap:
    """Wants nothing."""

    def wants(self) -> bool:
        """Return False."""
        return False

    def put(self, sample: Sample) -> None:
        """Do nothing."""


class Backoff:
    """Seconds to wait between attempts: at least 1, growing by half each time to about 3, or 30 after a refused password.

    Each wait is up to a quarter longer by chance, so that cameras which went together do not come back together.
    """

    def __init__(self) -> None:
        self._failures = 0

    def pause(self, error: CameraError) -> float:
        """Return the seconds to wait after one more failure."""
        refused = isinstance(error, CameraUnauthorized)
        longest = LONGEST_REFUSED_PAUSE_SECONDS if refused else LONGEST_PAUSE_SECONDS
        seconds = min(longest, FIRST_PAUSE_SECONDS * 1.5**self._failures)
        self._failures = min(self._failures + 1, 20)
        return seconds * random.uniform(1.0, 1.25)

    def reset(self) -> None:
        """Begin anew: the camera is back."""
        self._failures = 0


class LiveReader(threading.Thread):
    """Keeps a source open and reads it at its own pace; only what is sampled is kept, and only the newest of it.

    When a live source fails it is opened again, at most once a second; a file (`is_live` False) is not. `ended` is True when
    nothing more will come.
    """

    def __init__(
        self, camera: Camera, open_camera: Opener, board: StatusBoard, clock: Clock, tap: Tap | None = None, *, is_live: bool
    ) -> None:
        super().__init__(name=f"reader of {camera.id}", daemon=True)
        self._camera = camera
        self._open = open_camera
        self._board = board
        self._clock = clock
        self._tap = tap or NoTap()
        self._is_live = is_live
        self._masks = Masks(camera.masks)
        self._sampler = Sampler(camera.fps)
        self._newest = Newest()
        self._backoff = Backoff()
        self._stop_reading = threading.Event()
        self.ended = False

    def take(self, timeout: float) -> Sample | None:
        """Wait for the newest sample."""
        return self._newest.take(timeout)

    def passed_over(self) -> int:
        """Return how many samples were replaced before anyone took them."""
        return self._newest.passed_over()

    def close(self) -> None:
        """Stop reading as soon as the source returns from what it does, and wait a moment for it."""
        self._stop_reading.set()
        if self.ident:
            self.join(timeout=0.5)

    def run(self) -> None:
        """Read until stopped, or until the source ends."""
        while not self._stop_reading.is_set() and not self.ended:
            error = self._session()
            if error is None:
                self.ended = not self._stop_reading.is_set()
            else:
                self._board.lost(error)
                self.ended = not self._is_live
                self._stop_reading.wait(self._backoff.pause(error) if self._is_live else 0)

    def _session(self) -> CameraError | None:
        """Open the source and follow it; return why it was lost, None at its end."""
        try:
            with closing(self._open(self._camera)) as source:
                self._board.opened(source.codec, source.patience)
                self._follow(source)
        except CameraError as error:
            return error
        except Exception as error:  # a library's surprise: the camera is tried again, the process lives on
            log.exception("camera %s: unexpected %s", self._camera.id, type(error).__name__)
            return CameraUnreachable(f"{redact(self._camera.url)} could not be read ({type(error).__name__}: {error})")
        return None

    def _follow(self, source: Source) -> None:
        pace = Pace(LIVE_SPEED if self._is_live else 1.0) if source.paced else None
        while not self._stop_reading.is_set():
            moment = source.advance()
            read_at = self._clock.now()
            if moment is None:
                return
            self._board.saw(moment)
            self._backoff.reset()
            if pace and self._stop_reading.wait(pace.delay(moment.position, time.monotonic())):
                return
            due = self._sampler.due(time.monotonic())
            sample = _sampled(source, read_at - moment.late, due, self._tap, self._masks)
            if sample is not None:
                self._newest.put(sample)


class FileReader:
    """Reads a file as fast as its samples are taken: `fps` frames of each of its seconds, every one of them.

    A file that cannot be read is not tried again: it ends with the reason in the status.
    """

    def __init__(self, camera: Camera, open_camera: Opener, board: StatusBoard, clock: Clock, tap: Tap | None = None) -> None:
        self._camera = camera
        self._open = open_camera
        self._board = board
        self._clock = clock
        self._tap = tap or NoTap()
        self._masks = Masks(camera.masks)
        self._sampler = Sampler(camera.fps, early=1e-6)
        self._source: Source | None = None
        self.ended = False

    def start(self) -> None:
        """Open the file."""
        try:
            self._source = self._open(self._camera)
            self._board.opened(self._source.codec, self._source.patience)
        except CameraError as error:
            self._give_up(error)

    def take(self, timeout: float) -> Sample | None:
        """Read on to the next frame that is due."""
        deadline = time.monotonic() + timeout
        while not self.ended and time.monotonic() < deadline:
            sample = self._read()
            if sample is not None:
                return sample
        return None

    def passed_over(self) -> int:
        """Return 0: nothing is passed over."""
        return 0

    def close(self) -> None:
        """Close the file."""
        if self._source:
            self._source.close()

    def _read(self) -> Sample | None:
        if self._source is None:
            return None
        try:
            moment = self._source.advance()
        except CameraError as error:
            self._give_up(error)
            return None
        if moment is None:
            self.ended = True
            return None
        self._board.saw(moment)
        due = moment.position is None or self._sampler.due(moment.position)
        return _sampled(self._source, self._clock.now(), due, self._tap, self._masks)

    def _give_up(self, error: CameraError) -> None:
        self._board.lost(error)
        self.ended = True


def _sampled(source: Source, captured_at: float, due: bool, tap: Tap, masks: Masks) -> Sample | None:
    """Return the picture that was just read if it is due, and leave it at the tap if it is wanted there, masked for both."""
    wanted = tap.wants()
    if not (due or wanted):
        return None
    sample = Sample(masks.over(source.picture()), captured_at)
    if wanted:
        tap.put(sample)
    return sample if due else None


def is_failure(state: CameraState) -> bool:
    """Say whether a feed that ended in this state never got to its end."""
    return state in (CameraState.NOT_FOUND, CameraState.UNAUTHORIZED)
