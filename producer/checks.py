"""Sources looked at for whoever asks in Redis, each in a process of its own: one that hangs or crashes harms nothing."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import redis

from pipeline import logs
from pipeline.broker import Broker
from pipeline.checks import CheckRequest, Checks, SourceCheck
from pipeline.errors import RekstreamError, redact
from pipeline.heap import keep_heap_small
from pipeline.shared import Privacy
from producer import forks
from producer.probe import FindFaces, check
from producer.sources.base import Image

log = logging.getLogger(__name__)

AT_ONCE = 2
LONGEST_SECONDS = 15.0
WATCHED_SECONDS = 1.5
TAKE_SECONDS = 0.5
STEP_SECONDS = 0.1
PAUSE_SECONDS = 1.0
LARGEST_ANSWER = 1_000_000
PICTURE_SIDE, PICTURE_QUALITY = 480, 75
KINDNESS = 5  # of the check's process: captures go first


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How a source is looked at: `find_faces` makes, in the check's own process, what finds the heights of faces."""

    find_faces: Callable[[], FindFaces]
    demo_folder: Path | None = None
    longest_seconds: float = LONGEST_SECONDS
    privacy: bool = False


class Checker:
    """Takes requests on threads of its own, AT_ONCE at a time, until `stop` is set; Redis may come and go."""

    def __init__(self, broker: Broker, settings: CheckSettings, stop: threading.Event) -> None:
        self._checks = Checks(broker)
        self._privacy = Privacy(broker.scripts, told=settings.privacy)
        self._settings = settings
        self._stop = stop
        self._threads = [threading.Thread(target=self._run, name=f"checks {n}", daemon=True) for n in range(AT_ONCE)]

    def start(self) -> None:
        """Begin to take requests."""
        forks.prepare()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all threads have seen the stop; a check that is running is given up."""
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                request = self._checks.take(TAKE_SECONDS)
                if request is not None:
                    self._answer(request)
            except redis.RedisError as error:
                log.debug("checks: %s", type(error).__name__)
                self._stop.wait(PAUSE_SECONDS)

    def _answer(self, request: CheckRequest) -> None:
        found = look(request, self._settings, self._stop)
        self._privacy.look()
        self._checks.answer(request, replace(found, picture=b"") if self._privacy.is_on else found)


def look(request: CheckRequest, settings: CheckSettings, stop: threading.Event) -> SourceCheck:
    """Have a source checked by a child and return what it found; what goes wrong is said in its sentence."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = forks.process(_look_as_child, (request, settings, sender), "check")
    with receiver:
        try:
            with sender:
                forks.start(child)
        except (OSError, EOFError) as error:
            return SourceCheck(ok=False, sentence=f"the check could not be started ({error}): try again")
        try:
            _wait_for(receiver, settings.longest_seconds, stop)
            if stop.is_set() and not receiver.poll():
                return SourceCheck(ok=False, sentence="the producer ended before it had seen anything: try again")
            return _received(receiver, request, settings.longest_seconds)
        finally:
            child.kill()
            child.join()


def _wait_for(receiver: Connection, seconds: float, stop: threading.Event) -> None:
    deadline = time.monotonic() + seconds
    while not receiver.poll(STEP_SECONDS) and time.monotonic() < deadline and not stop.is_set():
        pass


def _received(receiver: Connection, request: CheckRequest, seconds: float) -> SourceCheck:
    shown = redact(request.url)
    if not receiver.poll():
        sentence = f"{shown} did not let itself be read within {seconds:g} s: check address, port and path"
        return SourceCheck(ok=False, sentence=sentence)
    try:
        return SourceCheck.from_json(json.loads(receiver.recv_bytes(LARGEST_ANSWER)))
    except (EOFError, OSError, ValueError) as error:
        log.warning("the check of %s ended without an answer (%s)", shown, type(error).__name__)
        return SourceCheck(ok=False, sentence=f"{shown} ended the check's own process: its stream is damaged, or unknown here")


# --- in the check's own process ---


def _look_as_child(request: CheckRequest, settings: CheckSettings, sender: Connection) -> None:
    """Send one answer and end, without waiting for threads that hang in a camera."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    forks.end_with_the_server()
    logs.set_up("error")
    keep_heap_small()
    os.nice(KINDNESS)
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(0)
    sender.send_bytes(json.dumps(_looked(request, settings).as_json()).encode())
    os._exit(0)


def _looked(request: CheckRequest, settings: CheckSettings) -> SourceCheck:
    album = _Album(settings.find_faces())
    try:
        found = check(
            request.url, seconds=WATCHED_SECONDS, faces=album.look, demo_folder=settings.demo_folder, masks=request.masks
        )
    except RekstreamError as error:
        return SourceCheck(ok=False, sentence=str(error))
    return SourceCheck(
        ok=True,
        sentence=found.sentence,
        width=found.width,
        height=found.height,
        fps=found.fps,
        faces=found.face_heights,
        picture=_small_jpeg(album.best) if album.best is not None else b"",
    )


class _Album:
    """Finds faces in pictures and keeps the picture with most of them, the last one of equals."""

    def __init__(self, find: FindFaces) -> None:
        self._find = find
        self._most = 0
        self.best: Image | None = None

    def look(self, rgb: Image) -> Sequence[int]:
        """Return the heights of the faces in an RGB picture."""
        heights = self._find(rgb)
        if len(heights) >= self._most:
            self._most, self.best = len(heights), rgb
        return heights


def _small_jpeg(rgb: Image) -> bytes:
    height, width = rgb.shape[:2]
    scale = min(1.0, PICTURE_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    encoded, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
    return data.tobytes() if encoded else b""
