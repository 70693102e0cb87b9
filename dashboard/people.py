"""Questions to the people process, put on threads of their own: one of them may take a minute."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from dashboard.aside import Aside
from dashboard.callers import WHO
from dashboard.pictures import fitted
from dashboard.uploads import Upload
from pipeline.broker import Broker
from pipeline.errors import PictureError
from pipeline.requests import ASK_SECONDS, Requests

AT_ONCE, WAITING = 8, 32
BUSY = "too many questions about people wait for their answers already: ask again in a moment"
ENROL_SECONDS = 120.0
_MOST_SIDE_BY_SIDE = 1  # pictures that are unpacked at a time, as of photos


class PeopleDesk:
    """Asks the people process; used on the event loop only."""

    def __init__(self, broker: Broker) -> None:
        self._requests = Requests(broker)
        self._aside = Aside(AT_ONCE, WAITING, BUSY)
        self._unpacking = asyncio.Semaphore(_MOST_SIDE_BY_SIDE)

    async def ask(
        self, caller: HTTPConnection, what: str, members: Mapping[str, Any] | None = None, seconds: float = ASK_SECONDS
    ) -> dict[str, Any]:
        """Return the answer to the question `what` (people.list, …) that `caller`, a request of ours, leads to.

        Raises what the people process raises, PeopleAway when it is not there, RefusedError when too many wait.
        """
        who = str(caller.scope.get(WHO, ""))
        return await self._aside.run(self._requests.ask, what, members, who, seconds)

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
