"""Labels of the scene on a slower clock: now and then a sampled frame also asks DetectLabels, from a mailbox of its own.

What stands in that mailbox, waits for its own limit and is counted in its own accounts never holds up a face. An unchanged
scene has the labels that it had: where the camera has a gate, none are asked before something has moved, or for ten minutes.
"""

from __future__ import annotations

import math
from dataclasses import replace

import redis

from pipeline.entities import Camera, Frame, Operation, Policy
from pipeline.errors import PictureError
from pipeline.keys import labels_mailbox
from pipeline.ledger import Ledger
from pipeline.mailbox import Offer
from producer.encoder import Encoder, TooSmallError
from producer.outbox import Outbox
from producer.sampler import Sample

UNMOVED_SECONDS = 600.0
MOST_LABELS, LEAST_CONFIDENCE = 20, 55
_ACCEPTED = (Offer.ENQUEUED, Offer.REPLACED, Offer.DUPLICATE)
_A_TRIFLE = 1e-6


class LabelClock:
    """Offers a frame of one camera to its labels' mailbox each `camera.labels` seconds; never, when that is 0."""

    def __init__(self, camera: Camera, outbox: Outbox, encoder: Encoder) -> None:
        self._mailbox = labels_mailbox(camera.id)
        self._every = camera.labels
        self._outbox = outbox
        self._encoder = encoder
        self._asked_at = -math.inf
        self.ledger = Ledger()

    def tick(self, sample: Sample, at: float, moved_at: float, sent: Frame | None, fence: int | None) -> None:
        """Offer the sample where it is time for that; `sent` is the frame that was made of it for its faces, if one was.

        `at` and `moved_at`, when something last moved, are on the gate's axis. May raise redis.RedisError.
        """
        if not self._is_due(at, moved_at):
            return
        self._asked_at = at
        number = self.ledger.sample()
        frame = self._frame(sample, sent, number)
        if frame is not None:
            self._offer(frame, fence)

    def settle(self) -> None:
        """Let Redis count what no offer carried there; may raise redis.RedisError."""
        if self.ledger.unsettled:
            statement = self.ledger.statement()
            self._outbox.settle(self._mailbox, statement)
            self.ledger.confirm(statement)

    def _is_due(self, at: float, moved_at: float) -> bool:
        if not self._every or 0 <= at - self._asked_at < self._every - _A_TRIFLE:
            return False
        return moved_at >= self._asked_at or not 0 <= at - self._asked_at < UNMOVED_SECONDS

    def _frame(self, sample: Sample, sent: Frame | None, number: int) -> Frame | None:
        """Return what is to be asked, None where the picture cannot be sent, which is counted."""
        try:
            frame = sent or self._encoded(sample)
        except PictureError as error:
            self.ledger.drop("too_small" if isinstance(error, TooSmallError) else "encode")
            return None
        options = {"MaxLabels": MOST_LABELS, "MinConfidence": LEAST_CONFIDENCE}
        operation = Operation.DETECT_LABELS
        return replace(frame, camera=self._mailbox, number=number, operation=operation, options=options, attributes=())

    def _encoded(self, sample: Sample) -> Frame:
        jpeg = self._encoder.encode(sample.picture.bgr())
        return Frame(self._mailbox, 0, sample.captured_at, jpeg.data, jpeg.width, jpeg.height)

    def _offer(self, frame: Frame, fence: int | None) -> None:
        statement = self.ledger.statement(frame.number)
        try:
            if self._outbox.offer(frame, statement, Policy.LATEST, fence) in _ACCEPTED:
                self.ledger.confirm(statement)
        except redis.RedisError:
            return  # the next statement counts it
