"""One camera's life: its newest samples, encoded, offered, and accounted for, whatever the camera or Redis do.

reader thread      source -> sampler -> newest sample
capture thread     newest sample -> gate -> encoder -> ledger and mailbox, and now and then the labels' mailbox
reporter thread    once a second, and with every new state: lease, status, quality; twice a second: does somebody watch?
previews thread    while somebody watches (producer/preview.py)
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Protocol

import redis

from pipeline.clock import Clock
from pipeline.entities import Camera, CameraState, CameraStatus, Frame, Policy
from pipeline.errors import CameraError, PictureError
from pipeline.ledger import Ledger, Statement
from pipeline.mailbox import Offer
from pipeline.schedule import Schedule
from producer.encoder import Encoder, TooSmallError
from producer.gate import Gate, OpenGate, Tally
from producer.labels import LabelClock
from producer.outbox import Outbox
from producer.preview import Audience, Nobody
from producer.reader import Feed, FileReader, LiveReader, Opener, is_failure
from producer.sampler import Sample
from producer.sources import Kind, kind_of
from producer.sources.base import Kept
from producer.status import CaptureMetrics, NoMetrics, StatusBoard

log = logging.getLogger(__name__)

TAKE_SECONDS = 0.25
OFFER_AGAIN_SECONDS = 0.03
REPORT_SECONDS = 1.0
SETTLE_SECONDS = 1.0  # what no offer carries to Redis is told there after this long


class Claim(Protocol):
    """The right to capture a camera, kept by asking again and again."""

    @property
    def fence(self) -> int | None:
        """The number that `Outbox.offer` checks."""
        ...

    def keep(self) -> bool:
        """Renew the claim; False when another producer has the camera. May raise redis.RedisError."""
        ...


class NoClaim:
    """A camera that nobody else would want."""

    fence = None

    def keep(self) -> bool:
        """Return True."""
        return True


class Outcome(Enum):
    """Why a capture ended."""

    STOPPED = "stopped"
    LOST = "another producer has the camera"


class Capture:
    """Captures one camera until it is stopped or another producer has the camera.

    `report` is called with the status once a second and when the state changes, `uplink` for the median seconds of the workers'
    uploads (None while unknown); both may raise redis.RedisError. `gate` says which frames are worth a call. `wall_clock` is
    the local time, by which the camera's schedule goes.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        open_camera: Opener,
        outbox: Outbox,
        clock: Clock,
        report: Callable[[CameraStatus], None],
        claim: Claim | None = None,
        uplink: Callable[[], float | None] = lambda: None,
        metrics: CaptureMetrics | None = None,
        audience: Audience | None = None,
        gate: Gate | None = None,
        wall_clock: Callable[[], datetime] = datetime.now,
        producer: str = "",
    ) -> None:
        self._camera = camera
        self._gate = gate or OpenGate()
        self._tally = Tally()
        self._schedule = Schedule.parse(camera.schedule)
        self._wall_clock = wall_clock
        self._audience = audience or Nobody()
        self._outbox = outbox
        self._clock = clock
        self._report = report
        self._claim = claim or NoClaim()
        self._uplink = uplink
        self._metrics = metrics or NoMetrics()
        self.board = StatusBoard(camera.id, clock, producer, metrics)
        self.ledger = Ledger()
        self._encoder = Encoder()
        self._labels = LabelClock(camera, outbox, self._encoder)
        self._open = open_camera
        self._over = threading.Event()
        self._lost = False
        self._ended = False
        self._is_resting = False
        self._redis_away = False
        self._offer_seconds = 0.0
        self._settled_at = 0.0

    def run(self, stop: threading.Event) -> Outcome:
        """Capture until `stop` is set; a file that has ended stays, and says so, until then."""
        reporter = threading.Thread(target=self._keep_reporting, name=f"reporter of {self._camera.id}", daemon=True)
        kind = self._kind()
        rests = kind is None or not kind.ends
        self._is_resting = self._must_rest()
        if not self._is_resting:
            self.board.become(CameraState.CONNECTING)
        reporter.start()
        try:
            while not stop.is_set() and not self._lost and not self._ended:
                self._rest(stop)
                self._watch(stop, rests=rests)
        finally:
            self._over.set()
            self.board.changed.set()
            self._audience.close()
            self._wind_up(reporter)
        return Outcome.LOST if self._lost else Outcome.STOPPED

    def _watch(self, stop: threading.Event, *, rests: bool) -> None:
        """Read the camera until `stop`, its end or, where it `rests`, the end of its time."""
        if stop.is_set() or self._lost:
            return
        feed = self._feed()
        self.board.become(CameraState.CONNECTING)
        feed.start()
        try:
            while not stop.is_set() and not self._lost and not feed.ended and not (rests and self._must_rest()):
                self._step(feed, stop)
            self._ended = feed.ended
            if feed.ended:
                self._finish(feed, stop)
        finally:
            feed.close()

    # --- times ---

    def _must_rest(self) -> bool:
        return not self._schedule.is_on(self._wall_clock())

    def _rest(self, stop: threading.Event) -> None:
        """Leave the camera alone, and say until when, for as long as its schedule wants that."""
        if not self._must_rest():
            return
        self._is_resting = True
        self.board.rest(self._until())
        self._audience.close()
        while not stop.is_set() and not self._lost and self._must_rest():
            if self.ledger.unsettled:
                self._settle()
            stop.wait(TAKE_SECONDS)
        self._is_resting = False

    def _until(self) -> str:
        change = self._schedule.next_change(self._wall_clock())
        return "resting" if change is None else f"resting until {change:%a %H:%M}"

    def _feed(self) -> Feed:
        kind = self._kind()
        if kind is None or (kind.ends and self._camera.policy is Policy.EVERY):
            return FileReader(self._camera, self._open, self.board, self._clock, self._audience)
        return LiveReader(self._camera, self._open, self.board, self._clock, self._audience, is_live=not kind.ends)

    def _kind(self) -> Kind | None:
        """Return what the URL names; None for nothing there is, of which opening it will tell."""
        with suppress(CameraError):
            return kind_of(self._camera.url)
        return None

    # --- frames ---

    def _step(self, feed: Feed, stop: threading.Event) -> None:
        sample = feed.take(TAKE_SECONDS)
        self._count_passed_over(feed)
        if sample is not None:
            self._deliver(sample, stop)
        if not self._lost and self.ledger.unsettled and time.monotonic() - self._settled_at >= SETTLE_SECONDS:
            self._settle()

    def _count_passed_over(self, feed: Feed) -> None:
        for _ in range(feed.passed_over()):
            self.ledger.sample()
            self.ledger.drop("late")

    def _deliver(self, sample: Sample, stop: threading.Event) -> None:
        number = self.ledger.sample()
        at = number / self._camera.fps if self._camera.policy is Policy.EVERY else sample.captured_at
        sample = replace(sample, picture=Kept(sample.picture))
        frame = self._encoded(sample, number) if self._passes(sample, at) else None
        if frame is not None:
            self._offer(frame, stop)
        if not self._lost:
            self._labels.tick(sample, at, self._gate.moved_at, frame, self._claim.fence)

    def _passes(self, sample: Sample, at: float) -> bool:
        """Say whether the sample is worth a call, or count why it is not."""
        try:
            saved = self._gate.look(sample.picture, at)
        except PictureError:  # encoding it says the same, and counts it
            return True
        self._tally.note(time.monotonic(), passed=saved is None)
        if saved is not None:
            self.ledger.drop(saved)
        return saved is None

    def _encoded(self, sample: Sample, number: int) -> Frame | None:
        """Return the sample as a frame, or count it as dropped."""
        began = time.perf_counter()
        try:
            jpeg = self._encoder.encode(sample.picture.bgr())
        except TooSmallError as error:
            self._drop("too_small", error)
            return None
        except PictureError as error:
            self._drop("encode", error)
            return None
        seconds = time.perf_counter() - began
        self._metrics.encoded(self._camera.id, seconds, len(jpeg.data))
        return Frame(
            camera=self._camera.id,
            number=number,
            captured_at=sample.captured_at,
            jpeg=jpeg.data,
            width=jpeg.width,
            height=jpeg.height,
            encode_seconds=seconds,
            attributes=self._camera.attributes,
        )

    def _drop(self, cause: str, error: PictureError) -> None:
        self.ledger.drop(cause)
        log.debug("camera %s: %s", self._camera.id, error)

    def _offer(self, frame: Frame, stop: threading.Event) -> None:
        """Offer the frame: once at policy `latest`, until it is accepted at policy `every`."""
        statement = self.ledger.statement(frame.number)
        while not self._lost:
            answer = self._try_to_offer(frame, statement)
            self._lost = self._lost or answer is Offer.FENCED
            if answer in (Offer.ENQUEUED, Offer.REPLACED, Offer.DUPLICATE):
                self._confirm(statement)
                return
            if self._camera.policy is not Policy.EVERY:
                return
            if stop.wait(OFFER_AGAIN_SECONDS):
                self._give_back(answer)
                return

    def _give_back(self, answer: Offer | None) -> None:
        """Count the frame that the stop came before; one whose offer had no answer explains itself."""
        if answer is Offer.FULL:
            self.ledger.drop("stopped")

    def _try_to_offer(self, frame: Frame, statement: Statement) -> Offer | None:
        """Return the mailbox's answer, None when Redis is away: whether it has the frame, its next answer will tell."""
        began = time.monotonic()
        try:
            answer = self._outbox.offer(frame, statement, self._camera.policy, self._claim.fence)
        except redis.RedisError as error:
            self._note_redis(error)
            return None
        self._note_redis(None)
        self._offer_seconds += 0.2 * (time.monotonic() - began - self._offer_seconds)
        return answer

    def _settle(self) -> None:
        statement = self.ledger.statement()
        try:
            self._outbox.settle(self._camera.id, statement)
        except redis.RedisError as error:
            self._note_redis(error)
        else:
            self._confirm(statement)

    def _settle_all(self) -> None:
        if self.ledger.unsettled:
            self._settle()
        with suppress(redis.RedisError):
            self._labels.settle()

    def _confirm(self, statement: Statement) -> None:
        self.ledger.confirm(statement)
        self._settled_at = time.monotonic()

    def _finish(self, feed: Feed, stop: threading.Event) -> None:
        """Wait until all frames are analysed, say that the file has ended, and stay."""
        self._count_passed_over(feed)
        while not stop.is_set() and not self._lost and not self._is_drained():
            stop.wait(TAKE_SECONDS)
        if not is_failure(self.board.state):
            self.board.become(CameraState.ENDED, self.board.snapshot().message)
        while not stop.is_set() and not self._lost:
            stop.wait(TAKE_SECONDS)

    def _is_drained(self) -> bool:
        if self.ledger.unsettled:
            self._settle()
        try:
            return self._outbox.drained(self._camera.id)
        except redis.RedisError as error:
            self._note_redis(error)
            return False

    def _note_redis(self, error: redis.RedisError | None) -> None:
        """Say once that Redis is away, and once that it is back."""
        if error is not None and not self._redis_away:
            log.warning("camera %s: Redis is away (%s); frames are dropped and counted", self._camera.id, type(error).__name__)
        if error is None and self._redis_away:
            log.info("camera %s: Redis is back", self._camera.id)
        self._redis_away = error is not None

    # --- once a second, and with every new state ---

    def _keep_reporting(self) -> None:
        while not self._over.is_set():
            self.board.changed.clear()
            self._tick()
            self._look()
            if not self.board.changed.wait(REPORT_SECONDS / 2):
                self._look()
                self.board.changed.wait(REPORT_SECONDS / 2)

    def _look(self) -> None:
        """Learn whether somebody watches the camera."""
        if self._is_resting:
            return
        with suppress(redis.RedisError):
            self._audience.look()

    def _tick(self) -> None:
        self.board.check_frozen()
        try:
            self._lost = self._lost or not self._claim.keep()
            self._report(self._status())
            self._encoder.yield_to(max(self._offer_seconds, self._uplink() or 0.0), time.monotonic())
        except redis.RedisError as error:
            log.debug("camera %s: not reported (%s)", self._camera.id, type(error).__name__)

    def _status(self) -> CameraStatus:
        """Return how the camera is, and what its gate does."""
        status = self.board.snapshot()
        if status.state is not CameraState.LIVE or not self._gate.sees:
            return status
        passed, saved = self._tally.per_second(time.monotonic())
        return replace(status, gate_passed=passed, gate_saved=saved, gate_sees=self._gate.sees)

    def _wind_up(self, reporter: threading.Thread) -> None:
        """Count what is not counted yet, and say that the camera is off."""
        reporter.join(timeout=REPORT_SECONDS)
        if not self._lost:
            self._settle_all()
        self.board.close()
        if not self._lost:
            with suppress(redis.RedisError):
                self._report(self._status())
