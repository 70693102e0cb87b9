"""The picture that goes with an alert: the best view of the face, or the frame, while Redis keeps it; never from a disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import redis

from people.alert_book import Alert
from people.house import House
from people.watches import Kind
from pipeline import keys
from pipeline.entities import Camera, Purpose
from pipeline.results import Results
from pipeline.shared import Privacy

log = logging.getLogger(__name__)

FRAME_SECONDS = 5.0  # how far a camera's newest picture may be from the alert's, when that itself is gone
MOST_BYTES = 2_000_000


class AlertPictures:
    """Finds pictures; none in privacy, and none of cameras of purpose audience, or of cameras that are gone."""

    def __init__(self, house: House, camera: Callable[[str], Camera | None]) -> None:
        self._connection: Any = house.broker.scripts
        self._results = Results(house.broker.scripts)
        self._privacy = Privacy(house.broker.scripts, told=house.settings.privacy)
        self._camera = camera

    def of(self, alert: Alert) -> bytes:
        """Return the JPEG that belongs to an alert, empty where there is none, or Redis is away."""
        camera = self._camera(alert.camera)
        if camera is None or camera.purpose is Purpose.AUDIENCE:
            return b""
        try:
            self._privacy.look()
            found = b"" if self._privacy.is_on else self._face(alert) or self._frame(alert)
        except redis.RedisError as error:
            log.debug("an alert goes without its picture: %s", error)
            return b""
        return found if len(found) <= MOST_BYTES else b""

    def _face(self, alert: Alert) -> bytes:
        return (self._connection.hget(keys.face(alert.track), "jpeg") or b"") if alert.track else b""

    def _frame(self, alert: Alert) -> bytes:
        """Return the frame as it was analysed; of somebody who is named or unknown only that very one."""
        exact = self._results.picture_of(alert.camera, alert.result) if alert.result else None
        if exact or alert.kind in (Kind.PERSON, Kind.UNKNOWN):
            return exact or b""
        newest = self._results.newest_frame(alert.camera)
        is_near = newest is not None and abs(newest.captured_at - alert.captured_at) <= FRAME_SECONDS
        return newest.jpeg if newest is not None and is_near else b""
