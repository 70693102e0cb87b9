"""The job: get a slot, only then take the newest frame, call, finish."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import redis

from pipeline.camera_spec import is_camera
from pipeline.clock import Clock
from pipeline.entities import OURS, Frame, Operation, Policy, TakenFrame
from pipeline.keys import is_derived
from pipeline.mailbox import Finished, Mailbox
from pipeline.metrics import WorkerMetrics
from pipeline.provider import Provider
from pipeline.results import made_result
from pipeline.shared import Privacy
from pipeline.spending import PAID_BEFORE, UNPAID
from workers.archiver import Archiver
from workers.privacy import kept_instead
from workers.rate_limit import RateLimits, Slot
from workers.rekognition import RETRYABLE, Answer, CallFailed, Rekognition, request_of
from workers.rules import KnownCameras, Rules
from workers.through_s3 import UNREADABLE, ThroughS3
from workers.tracking import Tracking
from workers.turns import Job, TurnsByKind

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0  # how long a frame of policy `every` is tried again
FINISH_TRIES = 4


class ThreadStates(Protocol):
    """Shows what this process's threads do."""

    def doing(self, state: str) -> AbstractContextManager[None]:
        """Be in `state` (waiting or calling) inside the with-block."""
        ...


class Uplink(Protocol):
    """Hears how long uploads take."""

    def uploaded(self, seconds: float) -> None:
        """Note one upload."""
        ...


class InHand:
    """The frames that this process has taken and not finished: their deadlines are moved on while it lives."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lock = threading.Lock()
        self._tokens: dict[str, str] = {}

    @contextmanager
    def holding(self, taken: TakenFrame) -> Iterator[None]:
        """Have the frame in hand inside the with-block."""
        with self._lock:
            self._tokens[taken.token] = taken.frame.camera
        try:
            yield
        finally:
            with self._lock:
                del self._tokens[taken.token]

    def extend(self) -> None:
        """Move the deadlines on; may raise redis.RedisError. To be called well within mailbox.FLIGHT_SECONDS."""
        with self._lock:
            tokens = list(self._tokens.items())
        for token, camera in tokens:
            self._mailbox.extend(camera, token)


@dataclass(slots=True)
class Attempts:
    """How many calls for one frame failed before the last and may be paid all the same: time-outs, and lost workers."""

    paid_before: int = 0

    def members(self) -> dict[str, int]:
        """Return what the result tells of it."""
        return {PAID_BEFORE: self.paid_before} if self.paid_before else {}


@dataclass(frozen=True, slots=True)
class Analyzer:
    """Everything that one process needs for its jobs; shared by its threads."""

    mailbox: Mailbox
    limits: RateLimits
    rekognition: Rekognition
    provider: Provider
    worker: str
    clock: Clock
    metrics: WorkerMetrics
    threads: ThreadStates
    uplink: Uplink
    in_hand: InHand
    privacy: Privacy
    cameras: KnownCameras
    tracking: Tracking
    turns: TurnsByKind
    stop: threading.Event
    archiver: Archiver | None = None
    through_s3: ThroughS3 | None = None

    def analyze(self, camera: str, token: str) -> None:
        """Serve one waiting mailbox; ends in a result, a recorded error, or, for a stale job, in nothing.

        What was derived from a camera (searches, labels) has limits of its own, mostly small ones: few threads wait for them.
        """
        if not is_derived(camera):
            self._analyze(camera, token)
            return
        turns = self.turns.of(camera)
        job: Job | None = (camera, token) if turns.enter((camera, token)) else None
        while job is not None:
            _safely(self._analyze, *job)
            job = turns.leave()

    def _analyze(self, camera: str, token: str) -> None:
        asked_at = self.clock.now()
        operation = self.mailbox.hold(camera, token)
        if operation is None:
            return
        limit = self.limits.of(operation)
        with self.threads.doing("waiting"):
            slot = limit.acquire(lambda: self.mailbox.hold(camera, token) is not None, is_wanted=True)
        if slot is None:
            self.mailbox.release(camera, token)
            return
        taken = self._take(camera, token)
        if taken is None:
            limit.give_back(slot)
            return
        with self.in_hand.holding(taken):
            self._serve(taken, slot, asked_at)

    def _take(self, camera: str, token: str) -> TakenFrame | None:
        """Take the frame, once more when the reply was lost: the same token gets the same frame."""
        try:
            return self.mailbox.take(camera, token, provider=self.provider.label)
        except (redis.ConnectionError, redis.TimeoutError):
            return self.mailbox.take(camera, token, provider=self.provider.label)

    def _serve(self, taken: TakenFrame, slot: Slot, asked_at: float) -> None:
        rules = self.cameras.rules_of(taken.frame.camera)
        taken = replace(taken, frame=self._sent(rules.asked(taken.frame), taken.token, rules))
        stages = _stages_before_the_call(taken, asked_at)
        attempts = Attempts(taken.attempt - 1)
        try:
            answer = self._call_while_worth_it(taken, slot, attempts)
        except CallFailed as failure:
            self._finish_failed(taken, failure, stages, attempts)
            self._take_back(taken.frame, failure)
            return
        answered_at = self.clock.now()
        stages["service"] = answer.service_seconds
        stages["upload"] = max(0.0, answered_at - taken.taken_at - answer.service_seconds)
        self.uplink.uploaded(stages["upload"])
        seen = self.tracking.follow(taken.frame, rules, rules.told(taken.frame, answer.response))
        own = _own_members(taken.frame) | attempts.members()
        result = own | self._envelope(taken, stages, answered_at) | dict(seen.told)
        kept = kept_instead(self.privacy, rules.purpose, taken.frame, seen.response)
        finished = self._finish(taken, "analysed", result, kept)
        if finished is not None and finished.counted:
            self._observe(taken, stages, answered_at, finished)
            self._archive(taken.frame, result, kept, finished)
            self.tracking.look_closer(seen)

    def _sent(self, frame: Frame, token: str, rules: Rules) -> Frame:
        """Put the picture into S3 where that was chosen and it may lie there: of a camera that keeps pictures, bare ones."""
        may_lie_there = is_camera(frame.camera) and rules.purpose.keeps_pictures and not self.privacy.is_on
        if self.through_s3 is None or frame.operation != Operation.DETECT_FACES or not may_lie_there:
            return frame
        return replace(frame, place=self.through_s3.put(token, frame.jpeg))

    def _take_back(self, frame: Frame, failure: CallFailed) -> None:
        """Take a picture that was not analysed out of S3; what cannot be read there goes as bytes from now on."""
        if self.through_s3 is not None and frame.place is not None:
            self.through_s3.take_back(frame.place)
            if failure.code == UNREADABLE:
                self.through_s3.failed(failure.message)

    def _call_while_worth_it(self, taken: TakenFrame, slot: Slot, attempts: Attempts) -> Answer:
        """Call once; for policy `every`, again in new slots until the frame's time is over."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return self._call(taken, slot)
            except CallFailed as failure:
                worth_it = taken.policy is Policy.EVERY and failure.kind in RETRYABLE and time.monotonic() < deadline
                another = self._new_slot(taken) if worth_it else None
                if another is None:
                    raise
                attempts.paid_before += failure.kind not in UNPAID
                slot = another

    def _call(self, taken: TakenFrame, slot: Slot) -> Answer:
        operation, sent_at, outcome, paid = taken.frame.operation, self.clock.now(), "ok", True
        request, sent_bytes = request_of(taken.frame)
        try:
            with self.threads.doing("calling"):
                answer = self.rekognition.call(operation, request)
        except CallFailed as failure:
            outcome, paid = failure.code, failure.kind not in UNPAID
            self._react(operation, failure, slot, sent_at)
            raise
        finally:
            self.metrics.api_calls.labels(operation, self.provider.region, outcome).inc()
            self.metrics.api_bytes.labels(operation).inc(sent_bytes)
            self.metrics.api_cost_dollars.labels(operation).inc(self.provider.dollars_per_call(operation) * paid)
        if slot.is_probe:
            self.limits.of(operation).works_again()
        return answer

    def _react(self, operation: str, failure: CallFailed, slot: Slot, sent_at: float) -> None:
        limit = self.limits.of(operation)
        if failure.kind in UNPAID:
            limit.give_back(slot)
        if failure.kind == "throttled":
            limit.throttled(sent_at)
        if failure.kind == "denied":
            what_to_do = f"check the credentials and their right to rekognition:{operation}"
            limit.hold_back(self.clock.now(), f"Rekognition refuses the call ({failure.code}): {what_to_do}")

    def _new_slot(self, taken: TakenFrame) -> Slot | None:
        camera, token = taken.frame.camera, taken.token
        with self.threads.doing("waiting"):
            return self.limits.of(taken.frame.operation).acquire(lambda: self.mailbox.extend(camera, token))

    def _finish_failed(self, taken: TakenFrame, failure: CallFailed, stages: dict[str, float], attempts: Attempts) -> None:
        error = {"Code": failure.code, "Message": failure.message, "Kind": failure.kind}
        own = _own_members(taken.frame) | attempts.members()
        result = own | self._envelope(taken, stages, self.clock.now()) | {"error": error}
        self._finish(taken, f"failed:{failure.kind}", result)

    def _finish(self, taken: TakenFrame, outcome: str, result: dict[str, Any], instead: bytes | None = None) -> Finished | None:
        """Publish, repeating the call while Redis is away for a moment: a repeated finish counts nothing twice."""
        for attempt in range(FINISH_TRIES):
            try:
                return self.mailbox.finish(taken, outcome, result, instead)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                log.warning("result of %s not published yet: %s", taken.frame.camera, error)
                self.stop.wait(0.2 * 2**attempt)
        return None

    def _archive(self, frame: Frame, result: dict[str, Any], kept: bytes | None, finished: Finished) -> None:
        """Let the picture be archived as it is kept: as it is, covered, or not at all; photos never are."""
        jpeg = frame.jpeg if kept is None else kept
        if frame.place is not None and kept is not None and self.through_s3 is not None:
            self.through_s3.take_back(frame.place)  # rules have changed meanwhile
        if self.archiver is not None and jpeg and is_camera(frame.camera):
            found = made_result(finished.id, frame.camera, finished.published_at, result)
            self.archiver.keep(found, jpeg, is_covered=kept is not None, sent=_name_in_s3(frame, kept))

    def _envelope(self, taken: TakenFrame, stages: dict[str, float], answered_at: float) -> dict[str, Any]:
        frame = taken.frame
        envelope = {
            "seq": taken.seq,
            "captured_at": frame.captured_at,
            "answered_at": answered_at,
            "width": frame.width,
            "height": frame.height,
            "provider": self.provider.label,
            "worker": self.worker,
            "stages": {name: round(seconds, 6) for name, seconds in stages.items()},
        }
        return envelope if frame.operation == Operation.DETECT_FACES else envelope | {"operation": frame.operation}

    def _observe(self, taken: TakenFrame, stages: dict[str, float], answered_at: float, finished: Finished) -> None:
        camera = taken.frame.camera
        if not is_camera(camera):
            return  # photos and tracks have ids of their own: there would be new series without end
        for stage, seconds in stages.items():
            self.metrics.stage_seconds.labels(camera, stage).observe(seconds)
        self.metrics.stage_seconds.labels(camera, "publish").observe(max(0.0, finished.published_at - answered_at))
        self.metrics.result_age_seconds.labels(camera).observe(finished.published_at - taken.frame.captured_at)


def _own_members(frame: Frame) -> dict[str, Any]:
    """Return what a frame carries for its result alone, without the mark."""
    return {name.removeprefix(OURS): value for name, value in frame.options.items() if name.startswith(OURS)}


def _name_in_s3(frame: Frame, kept: bytes | None) -> str:
    """Return the name under which S3 has the very picture that is kept, '' where it has not."""
    return frame.place.name if frame.place is not None and kept is None else ""


def _stages_before_the_call(taken: TakenFrame, asked_at: float) -> dict[str, float]:
    """Split the time from the lens to the take, so that all stages together are the age of the result."""
    frame = taken.frame
    waited = max(0.0, taken.taken_at - frame.captured_at - frame.encode_seconds)
    limit = min(waited, max(0.0, taken.taken_at - asked_at))
    return {"encode": frame.encode_seconds, "queue": waited - limit, "limit": limit}


_installed: list[Callable[[str, str], None]] = []


def install(job: Callable[[str, str], None]) -> None:
    """Make `job` what `analyze` runs in this process: RQ finds functions by name only."""
    _installed[:] = [job]


def analyze(camera: str, token: str) -> None:
    """Run one job; never raises, so that RQ keeps nothing of it."""
    _safely(_installed[0], camera, token)


def _safely(job: Callable[[str, str], None], camera: str, token: str) -> None:
    """Run one job; what it raises is told, and goes no further."""
    try:
        job(camera, token)
    except redis.RedisError as error:
        log.warning("job of %s broken off, it is found again within seconds: %s", camera, error)
    except Exception:  # the job's boundary: a thread that died would take its slot along
        log.exception("job of %s failed", camera)
