"""Results and figures: what came out, as a list and live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import JSONResponse, Response, StreamingResponse

from dashboard import events
from dashboard.answers import RefusedError
from dashboard.parts import Parts
from dashboard.stream import check_id

MOST_RESULTS = 1000
MOST_LISTENERS = 200


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of results."""

    @router.get("/api/results")
    def list_results(
        camera: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = 100,
    ) -> Response:
        """List results, oldest first: the newest ones, or those that came after an id."""
        stream = parts.stream
        found, following = stream.newest(limit, camera) if after is None else stream.after(check_id(after), limit, camera)
        body = f'{{"results":[{",".join(entry.text for entry in found)}],"next":"{following}"}}'
        return Response(body, media_type="application/json")

    @router.get("/api/events", response_class=StreamingResponse)
    async def listen(after: str | None = None, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Stream server-sent events: result, camera, stats."""
        if parts.feed.listeners() >= MOST_LISTENERS:
            raise RefusedError(503, "Busy", f"{MOST_LISTENERS} listen already: close one of them")
        last = last_event_id or after
        return _event_stream(events.stream(parts, None if last is None else check_id(last)))

    @router.get("/api/stats")
    def stats() -> JSONResponse:
        """Tell frames, rates, ages, stages, limits, cost, workers and the bottleneck."""
        return JSONResponse(parts.stats.look())


def _event_stream(text: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(text, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
