"""One-shot photos: they take the way of every frame, in front of the queue, and are forgotten after their answer."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import redis
from starlette.concurrency import run_in_threadpool

from dashboard.answers import RefusedError
from dashboard.live import LiveFeed
from dashboard.pictures import CheckedPicture, check
from dashboard.stats import Stats, workers_as_json
from pipeline.broker import Broker
from pipeline.camera_spec import PHOTO_PREFIX
from pipeline.clock import Clock
from pipeline.entities import Frame, Policy, Result
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox, Offer
from pipeline.presence import living

log = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
AT_ONCE = 32  # photos that may wait for their answers at a time

# https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectFaces.html: what is wrong with the picture itself
_PICTURE_FAULTS = ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")


class FrontQueue(JobQueue):
    """The job queue, with every job put in front of those that wait."""

    def enqueue(self, camera: str, token: str, *, at_front: bool = True) -> None:
        """Put one job in front of the queue; raises redis.RedisError."""
        super().enqueue(camera, token, at_front=at_front)


@dataclass(frozen=True, slots=True)
class _Photo:
    camera: str
    picture: CheckedPicture
    attributes: tuple[str, ...]


class Photos:
    """Has pictures analysed one by one; `analyse` may raise redis.RedisError."""

    def __init__(self, broker: Broker, clock: Clock, feed: LiveFeed, stats: Stats) -> None:
        self._connection = broker.scripts
        self._mailbox = Mailbox(broker.scripts, FrontQueue(broker.jobs))
        self._clock = clock
        self._feed = feed
        self._stats = stats
        self._waiting = 0

    async def analyse(self, data: bytes, attributes: Sequence[str]) -> Result:
        """Return the result of one picture.

        Raises PictureError for one that Rekognition would refuse, RefusedError when it did refuse it (422), when nobody can
        answer (503), when the call failed (502), or when no answer came in time (504).
        """
        if self._waiting >= AT_ONCE:
            raise RefusedError(503, "Busy", f"{AT_ONCE} photos wait for their answers already: send this one again in a moment")
        self._waiting += 1
        try:
            picture = await run_in_threadpool(check, data)
            return await self._answer(_Photo(f"{PHOTO_PREFIX}{uuid.uuid4().hex}", picture, tuple(attributes)))
        finally:
            self._waiting -= 1

    async def _answer(self, photo: _Photo) -> Result:
        answer = self._feed.expect(photo.camera)
        try:
            await run_in_threadpool(self._offer, photo)
            return _worth_showing(await asyncio.wait_for(answer, ANSWER_SECONDS))
        except TimeoutError:
            why = await run_in_threadpool(self._stats.why_held) or "are the workers busy, or is Rekognition slow?"
            raise RefusedError(504, "NoAnswer", f"no answer within {ANSWER_SECONDS:g} s: {why}") from None
        finally:
            answer.cancel()
            await run_in_threadpool(self._forget, photo.camera)

    def _offer(self, photo: _Photo) -> None:
        if not workers_as_json(living(self._connection, "worker"))["alive"]:
            raise RefusedError(503, "NoWorkers", "no worker is running, so nobody would analyse it: start `rekstream work`")
        ledger = Ledger()
        frame = Frame(
            camera=photo.camera,
            number=ledger.sample(),
            captured_at=self._clock.now(),
            jpeg=photo.picture.data,
            width=photo.picture.width,
            height=photo.picture.height,
            attributes=photo.attributes,
        )
        offer = self._mailbox.offer(frame, ledger.statement(frame.number), Policy.EVERY)
        if offer is not Offer.ENQUEUED:
            raise RuntimeError(f"the new mailbox {photo.camera} answered {offer}")

    def _forget(self, camera: str) -> None:
        try:
            self._mailbox.forget(camera)
        except redis.RedisError as error:
            log.debug("mailbox of %s left to Redis: %s", camera, error)


def _worth_showing(result: Result) -> Result:
    """Return a result that has faces to show; raises PictureError or RefusedError for one that ended in an error."""
    if result.error is None:
        return result
    code, message = result.error.get("Code", "Unknown"), result.error.get("Message", "")
    if code in _PICTURE_FAULTS:
        raise RefusedError(422, "PictureError", f"Rekognition refused the picture ({code}): {message}")
    raise RefusedError(502, code, f"the analysis failed ({code}): {message}")
