"""In-memory twins that remember what they were told and let a test wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

import cv2
import numpy as np
import redis

from pipeline.clock import SystemClock
from pipeline.entities import Camera, CameraState, CameraStatus, Frame, Policy
from pipeline.ledger import Statement
from pipeline.mailbox import Offer
from producer.capture import Capture, Claim, Outcome
from producer.gate import Gate
from producer.preview import Audience
from producer.reader import Opener
from producer.sources import open_source
from tests.cameras.clips import read_stamp

BUSY = 4  # other tests run beside this one; how fast things are is measured in bench/


class Witness:
    """An outbox and a recipient of statuses; `answers` decides what becomes of each offer."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.frames: list[Frame] = []
        self.offers = 0
        self.statuses: list[CameraStatus] = []
        self.settled: list[Statement] = []
        self.answer: Callable[[Frame], Offer | redis.RedisError] = lambda _: Offer.REPLACED
        self.is_drained = True

    def offer(self, frame: Frame, statement: Statement, policy: Policy, fence: int | None = None) -> Offer:
        """Remember the frame, unless the answer is that it was not accepted."""
        answer = self.answer(frame)
        with self._changed:
            self.offers += 1
            if answer in (Offer.ENQUEUED, Offer.REPLACED):
                self.frames.append(frame)
            self._changed.notify_all()
        if isinstance(answer, redis.RedisError):
            raise answer
        return answer

    def settle(self, camera: str, statement: Statement) -> None:
        """Remember the statement."""
        with self._changed:
            self.settled.append(statement)
            self._changed.notify_all()

    def drained(self, camera: str) -> bool:
        """Answer as told."""
        return self.is_drained

    def report(self, status: CameraStatus) -> None:
        """Remember the status."""
        with self._changed:
            self.statuses.append(status)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[Witness], object], seconds: float) -> float:
        """Return the seconds after which the condition held; fails after `seconds`, or BUSY times as many on a busy machine."""
        seconds *= BUSY
        began = time.monotonic()
        with self._changed:
            if not self._changed.wait_for(lambda: bool(condition(self)), seconds):
                raise AssertionError(f"not within {seconds:g} s; last status {self.statuses[-1:]}")
        return time.monotonic() - began

    def wait_for_frames(self, more: int, seconds: float = 5.0) -> list[Frame]:
        """Wait for `more` further frames and return them."""
        before = len(self.frames)
        self.wait_for(lambda seen: len(seen.frames) >= before + more, seconds)
        return self.frames[before:]

    @property
    def state(self) -> CameraState | None:
        """The state last reported."""
        return self.statuses[-1].state if self.statuses else None

    @property
    def message(self) -> str:
        """The message last reported."""
        return self.statuses[-1].message if self.statuses else ""


class RunningCapture:
    """A capture on a thread of its own, with a witness to everything it does."""

    def __init__(
        self,
        camera: Camera,
        *,
        open_camera: Opener = open_source,
        claim: Claim | None = None,
        audience: Audience | None = None,
        gate: Gate | None = None,
        wall_clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.witness = Witness()
        self.stop = threading.Event()
        self.outcome: Outcome | None = None
        self.capture = Capture(
            camera,
            open_camera=open_camera,
            outbox=self.witness,
            clock=SystemClock(),
            report=self.witness.report,
            claim=claim,
            audience=audience,
            gate=gate,
            wall_clock=wall_clock,
        )
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Witness:
        self._thread.start()
        return self.witness

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> Outcome | None:
        """Stop the capture and return why it ended."""
        self.stop.set()
        self._thread.join()
        return self.outcome

    def wait(self, seconds: float) -> Outcome | None:
        """Wait until the capture ends by itself."""
        self._thread.join(seconds)
        return self.outcome

    def _run(self) -> None:
        self.outcome = self.capture.run(self.stop)


def stamp_of(frame: Frame) -> int | None:
    """Return the counter stamped into a frame of a 640 x 360 or larger clip."""
    return read_stamp(np.asarray(cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8))
