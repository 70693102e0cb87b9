"""Small pictures for people who watch: made while somebody does, published, and kept by nobody.

reader thread     every picture of the camera ──(ten a second, the newest)──╮
                                                                            ├──> previews thread: shrink, encode, publish
preview_url's own reader, where the camera has one, while somebody watches ─╯
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import redis

from pipeline.clock import Clock
from pipeline.entities import Camera, CameraState, Preview
from pipeline.errors import CameraError, PictureError
from pipeline.previews import LONGEST_SIDE, PREVIEWS_PER_SECOND
from producer.encoder import as_jpeg, fit
from producer.reader import LiveReader, NoTap, Opener, Tap
from producer.sampler import Newest, Sample, Sampler
from producer.sources import kind_of
from producer.status import StatusBoard

log = logging.getLogger(__name__)

QUALITY = 70
TAKE_SECONDS = 0.25
FRESH_SECONDS = 1.0  # without a picture of preview_url, the camera's main picture is shown
TELL_SECONDS = 3.0
CLOSE_SECONDS = 0.3  # a capture has 1.5 s to end, frozen cameras included
AGAIN_SECONDS, REFUSED_AGAIN_SECONDS = 2.0, 30.0  # between two openings of preview_url, whoever comes and goes


class Channel(Protocol):
    """Where previews go: `pipeline.previews.PreviewPublisher`; its methods raise redis.RedisError."""

    def watchers(self, camera: str) -> int:
        """Return how many want the camera's previews now."""
        ...

    def publish(self, preview: Preview) -> int:
        """Hand a preview on, and return to how many; raises PictureError when it is too large."""
        ...


class Audience(Tap, Protocol):
    """Those who watch a camera, as its capture knows them."""

    def look(self) -> None:
        """Ask whether somebody watches; may raise redis.RedisError."""
        ...

    def close(self) -> None:
        """End."""
        ...


class Nobody(NoTap):
    """The audience of a camera without previews."""

    def look(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Previews:
    """Makes the previews of one camera while somebody watches: at most 640 pixels long, JPEG quality 70, ten a second.

    `look`, called twice a second, learns that somebody watches; that nobody does any more, each preview's answer tells. In
    between nothing is converted, encoded or opened. `wants` and `put` are called by the thread that reads the camera. A
    camera's `preview_url` is read while somebody watches; while it gives no picture, the main one is shown.
    """

    def __init__(self, camera: Camera, *, open_camera: Opener, channel: Channel, clock: Clock) -> None:
        self._camera = camera
        self._channel = channel
        self._side = SideReader(camera, camera.preview_url, open_camera, clock) if camera.preview_url else None
        self._sampler = Sampler(PREVIEWS_PER_SECOND)
        self._newest = Newest()
        self._is_watched = False
        self._shown_at = float("-inf")
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Ask whether somebody watches, and begin or end; may raise redis.RedisError."""
        self._is_watched = self._channel.watchers(self._camera.id) > 0
        if self._is_watched and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name=f"previews of {self._camera.id}", daemon=True)
            self._thread.start()

    def wants(self) -> bool:
        """Say whether the picture that was just read is to be put here."""
        if not self._is_watched or (self._side and self._side.is_fresh):
            return False
        return self._sampler.due(time.monotonic())

    def put(self, sample: Sample) -> None:
        """Leave a picture here; a newer one takes its place."""
        self._newest.put(sample)

    def close(self) -> None:
        """End, and wait a moment for it."""
        self._is_watched = False
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        try:
            while self._is_watched:
                sample = self._next()
                if sample is not None and not self._publish(sample):
                    self._is_watched = False
        except redis.RedisError as error:
            self._is_watched = False
            log.debug("camera %s: no previews for now (%s)", self._camera.id, type(error).__name__)
        except Exception:  # the thread's boundary: the capture goes on, and `look` tries again
            self._is_watched = False
            log.exception("camera %s: its previews ended", self._camera.id)
        finally:
            if self._side:
                self._side.end()
            self._newest.take(0)  # it would be old when somebody looks again

    def _next(self) -> Sample | None:
        sample = self._side.take(TAKE_SECONDS) if self._side else None
        if sample is not None:
            self._newest.take(0)  # what the main picture left here would be old when it is wanted again
            return sample
        return self._newest.take(0 if self._side and self._side.is_fresh else TAKE_SECONDS)

    def _publish(self, sample: Sample) -> bool:
        """Publish a picture; False when nobody listened. One that is no newer, or cannot be converted, is passed over."""
        if 0 <= self._shown_at - sample.captured_at < FRESH_SECONDS:  # preview_url may lag behind the main picture
            return True
        self._shown_at = sample.captured_at
        try:
            return self._channel.publish(self._preview(sample)) > 0
        except PictureError as error:
            log.debug("camera %s: a preview was passed over: %s", self._camera.id, error)
            return True

    def _preview(self, sample: Sample) -> Preview:
        image = fit(sample.picture.bgr(LONGEST_SIDE), LONGEST_SIDE, shortest=1)
        height, width = image.shape[:2]
        return Preview(self._camera.id, sample.captured_at, width, height, as_jpeg(image, QUALITY))


class SideReader:
    """Reads a camera's preview_url from the first `take` to `end`; what goes wrong there is told once, and tried again."""

    def __init__(self, camera: Camera, url: str, open_camera: Opener, clock: Clock) -> None:
        self._camera = replace(camera, url=url, fps=PREVIEWS_PER_SECOND)
        self._open = open_camera
        self._clock = clock
        self._board = self._new_board()
        self._reader: LiveReader | None = None
        self._is_over = True
        self._not_before = 0.0
        self._sample_at = self._silent_since = float("-inf")
        self._told = False

    @property
    def is_fresh(self) -> bool:
        """Whether there was a picture in the last second."""
        return time.monotonic() - self._sample_at < FRESH_SECONDS

    def take(self, timeout: float) -> Sample | None:
        """Return the next picture; None when there is none within `timeout` seconds, at once when there was none lately."""
        if self._is_over:
            self._begin()
        sample = self._reader.take(timeout if self.is_fresh else 0) if self._reader else None
        if sample is not None:
            self._sample_at = self._silent_since = time.monotonic()
        self._tell()
        return sample

    def end(self) -> None:
        """Close the connection; the next one waits a moment, and longer where the camera refused the password."""
        if self._reader is None or self._is_over:
            return
        refused = self._board.state is CameraState.UNAUTHORIZED
        self._not_before = time.monotonic() + (REFUSED_AGAIN_SECONDS if refused else AGAIN_SECONDS)
        self._sample_at = float("-inf")
        self._is_over = True
        self._board.close()
        self._reader.close()

    def _begin(self) -> None:
        """Open the connection, unless one was open just now, or still hangs in some library."""
        if time.monotonic() < self._not_before or (self._reader and self._reader.is_alive()):
            return
        self._board = self._new_board()
        self._board.become(CameraState.CONNECTING)
        self._reader = LiveReader(self._camera, self._open, self._board, self._clock, is_live=self._is_live())
        self._reader.start()
        self._is_over = False
        self._silent_since = time.monotonic()

    def _new_board(self) -> StatusBoard:
        return StatusBoard(f"{self._camera.id} (preview)", self._clock)

    def _is_live(self) -> bool:
        with suppress(CameraError):  # opening it will tell
            return not kind_of(self._camera.url).ends
        return True

    def _tell(self) -> None:
        """Say once that the main picture stands in, and once that it need not any more."""
        if self._is_over or (not self._told and time.monotonic() - self._silent_since < TELL_SECONDS):
            return
        if not self._told:
            why = self._board.snapshot().message or "nothing came yet"
            log.warning("camera %s: preview_url gives no pictures (%s); those of url are shown", self._camera.id, why)
        elif self.is_fresh:
            log.info("camera %s: preview_url gives pictures again", self._camera.id)
        self._told = not self.is_fresh
