"""Questions to the people process, and the pictures that go with them."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from starlette.concurrency import run_in_threadpool

from dashboard.pictures import fitted
from dashboard.process_desk import ProcessDesk
from dashboard.uploads import Upload
from pipeline.broker import Broker
from pipeline.errors import PictureError
from pipeline.requests import PEOPLE

ENROL_SECONDS = 120.0
_MOST_SIDE_BY_SIDE = 1  # pictures that are unpacked at a time, as of photos


class PeopleDesk(ProcessDesk):
    """Asks the people process; used on the event loop only."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker, PEOPLE)
        self._unpacking = asyncio.Semaphore(_MOST_SIDE_BY_SIDE)

    async def pictures(self, upload: Upload) -> list[dict[str, Any]]:
        """Return the pictures that were sent, checked and no larger than Rekognition takes; raises PictureError."""
        sent = [picture for picture in upload.pictures if isinstance(picture, bytes)]
        return [await self._picture(f"picture {n} of {len(sent)}", one) for n, one in enumerate(sent, 1)]

    async def _picture(self, which: str, picture: bytes) -> dict[str, Any]:
        async with self._unpacking:
            try:
                sent = await run_in_threadpool(fitted, picture)
            except PictureError as error:
                raise PictureError(f"{which}: {error}") from error
        return {"image": base64.b64encode(sent.data).decode(), "width": sent.width, "height": sent.height}
