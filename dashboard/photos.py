"""One-shot photos: they take the way of every frame, in front of the queue, and are forgotten after their answer."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from starlette.concurrency import run_in_threadpool

from dashboard.answers import RefusedError
from dashboard.boto_lines import boto_lines
from dashboard.live import LiveFeed
from dashboard.pictures import CheckedPicture, fitted
from dashboard.questions import Question
from dashboard.refusals import refusal_of
from dashboard.stats import Stats, workers_as_json
from pipeline.broker import Broker
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.clock import Clock
from pipeline.entities import Frame, Operation, Policy, Result, S3Object
from pipeline.jobs import FrontQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.presence import living
from pipeline.provider import Provider

log = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
AT_ONCE = 32  # photos that may wait for their answers at a time
OTHERS_AT_ONCE = 4  # of those, calls whose quota is small: they must not hold all threads of the workers
UNPACKED_AT_ONCE = 1  # pictures that are unpacked at a time: each may take 300 MB


Sent = CheckedPicture | S3Object


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """What came out: the result, what was sent for it, how long each stage took in seconds, and the same in boto3's words."""

    result: Result
    sent: tuple[Sent, ...]
    timings: Mapping[str, float]
    python: str

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the API shows it: the result's members, and ours."""
        sent = [_sent_as_json(one) for one in self.sent]
        is_one = len(sent) == 1
        return self.result.as_json() | {
            "sent": sent[0] if is_one else dict(zip(("source", "target"), sent, strict=True)),
            "timings": {stage: round(seconds, 6) for stage, seconds in self.timings.items()},
            "python": self.python,
        }


class Photos:
    """Has pictures analysed one by one; `answer` may raise redis.RedisError."""

    def __init__(self, broker: Broker, clock: Clock, feed: LiveFeed, stats: Stats, provider: Provider) -> None:
        self._connection = broker.scripts
        self._mailbox = Mailbox(broker.scripts, FrontQueue(broker.jobs))
        self._clock = clock
        self._feed = feed
        self._stats = stats
        self._provider = provider
        self._waiting = 0
        self._unpacking = asyncio.Semaphore(UNPACKED_AT_ONCE)
        self._others = asyncio.Semaphore(OTHERS_AT_ONCE)

    async def answer(self, question: Question, began_at: float) -> PhotoAnswer:
        """Return the answer to a question; `began_at` is when its request began, by time.monotonic().

        Raises PictureError for a picture that Rekognition would refuse, RefusedError when it did refuse it (422), when nobody
        can answer (503), when the call failed (502), or when no answer came in time (504).
        """
        if self._waiting >= AT_ONCE:
            raise RefusedError(503, "Busy", f"{AT_ONCE} photos wait for their answers already: send this one again in a moment")
        self._waiting += 1
        try:
            watch = StopWatch(began_at)
            sent = await self._fitted(question, watch)
            result = await self._analysed(question, sent)
            timings = watch.timings(result)
        finally:
            self._waiting -= 1
        return PhotoAnswer(result, sent, timings, boto_lines(question, self._provider, reduced=any(map(_is_reduced, sent))))

    async def _fitted(self, question: Question, watch: StopWatch) -> tuple[Sent, ...]:
        """Check the pictures, and make those smaller that are too large."""
        found: list[Sent] = []
        for picture in question.pictures:
            watch.lap("received")
            if isinstance(picture, S3Object):
                found.append(picture)
                continue
            async with self._unpacking:
                found.append(await run_in_threadpool(fitted, picture))
            watch.lap("reduce" if _is_reduced(found[-1]) else "received")
        return tuple(found)

    async def _analysed(self, question: Question, sent: tuple[Sent, ...]) -> Result:
        if question.operation == Operation.DETECT_FACES:
            return await self._result(question, sent)
        async with self._others:
            return await self._result(question, sent)

    async def _result(self, question: Question, sent: tuple[Sent, ...]) -> Result:
        camera = f"{PHOTO_PREFIX}{uuid.uuid4().hex}"
        coming = self._feed.expect(camera)
        try:
            await run_in_threadpool(self._offer, camera, question, sent)
            result = await asyncio.wait_for(coming, ANSWER_SECONDS)
        except TimeoutError:
            why = await run_in_threadpool(self._stats.why_held, question.operation)
            why = why or "are the workers busy, or is Rekognition slow?"
            raise RefusedError(504, "NoAnswer", f"no answer within {ANSWER_SECONDS:g} s: {why}") from None
        finally:
            coming.cancel()
            await run_in_threadpool(self._forget, camera)
        if result.error is not None:
            raise refusal_of(result.error, question, self._provider)
        return result

    def _offer(self, camera: str, question: Question, sent: tuple[Sent, ...]) -> None:
        if not workers_as_json(living(self._connection, "worker"))["alive"]:
            raise RefusedError(503, "NoWorkers", "no worker is running, so nobody would analyse it: start `rekstream work`")
        ledger = Ledger()
        frame = _frame(camera, ledger.sample(), self._clock.now(), question, sent)
        offer = self._mailbox.offer(frame, ledger.statement(frame.number), Policy.EVERY)
        if offer is not Offer.ENQUEUED:
            raise RuntimeError(f"the new mailbox {camera} answered {offer}")

    def _forget(self, camera: str) -> None:
        try:
            self._mailbox.forget(camera)
        except redis.RedisError as error:
            log.debug("mailbox of %s left to Redis: %s", camera, error)


class StopWatch:
    """Says where the time went since `began_at`; both ends by time.monotonic(), the stages add up to the total."""

    def __init__(self, began_at: float) -> None:
        self._began_at = self._last = began_at
        self._laps: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Count the time since the last lap, or since the beginning, to a stage."""
        now = time.monotonic()
        self._laps[stage] = self._laps.get(stage, 0.0) + now - self._last
        self._last = now

    def timings(self, result: Result) -> dict[str, float]:
        """Return the seconds of all stages in their order, `answer` being what is left, and `total`."""
        stages = {stage: seconds for stage, seconds in result.stages.items() if stage != "encode"}
        total = time.monotonic() - self._began_at
        known = {"received": 0.0, **self._laps, **stages}
        return {**known, "answer": max(0.0, total - sum(known.values())), "total": total}


def _frame(camera: str, number: int, now: float, question: Question, sent: tuple[Sent, ...]) -> Frame:
    source, *rest = sent
    here = source if isinstance(source, CheckedPicture) else CheckedPicture(b"", 0, 0)
    return Frame(
        camera=camera,
        number=number,
        captured_at=now,
        jpeg=here.data,
        width=here.width,
        height=here.height,
        attributes=question.attributes,
        operation=question.operation,
        options=question.options,
        place=source if isinstance(source, S3Object) else None,
        target=next((one.data if isinstance(one, CheckedPicture) else one for one in rest), b""),
    )


def _is_reduced(sent: Sent) -> bool:
    return isinstance(sent, CheckedPicture) and sent.reduced


def _sent_as_json(sent: Sent) -> dict[str, Any]:
    if isinstance(sent, S3Object):
        return {"s3": str(sent)} | ({"version": sent.version} if sent.version else {})
    return {"bytes": len(sent.data), "width": sent.width, "height": sent.height, "reduced": sent.reduced}
