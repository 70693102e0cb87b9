"""What was: asked of the history process."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from dashboard.parts import Parts
from dashboard.views import note_view
from pipeline.moments import moment

MOST_RESULTS = 500

Moment = Annotated[str, Query(max_length=60, description="24h, 7d (ago), 2026-11-23, or seconds since 1970")]

_ONLY_HERE = {"Cache-Control": "private, max-age=60"}  # so short, as somebody may be forgotten


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of the history."""

    @router.get("/api/history")
    async def search_history(
        request: Request,
        since: Moment | None = None,
        until: Moment | None = None,
        camera: str | None = None,
        person: str | None = None,
        emotion: str | None = None,
        faces: bool = False,
        limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = 50,
        before: str | None = None,
    ) -> JSONResponse:
        """List results of before, newest first: of a time, a camera, a person, an emotion, or only those with faces."""
        who = {"camera": camera, "person": person, "emotion": emotion}
        asked = {**_times(since, until), **who, "faces": faces, "limit": limit, "before": before}
        return await _shown(request, "history.search", asked)

    @router.get("/api/history/timeline")
    async def show_timeline(
        request: Request,
        since: Moment | None = None,
        until: Moment | None = None,
        camera: str | None = None,
        person: str | None = None,
        emotion: str | None = None,
    ) -> JSONResponse:
        """Tell how much was seen in each stretch of time, and who was there; of the last day, if no time is said."""
        who = {"camera": camera, "person": person, "emotion": emotion}
        return await _shown(request, "history.timeline", {**_times(since, until), **who})

    @router.get("/api/history/status")
    async def history_status(request: Request) -> JSONResponse:
        """Tell where the history is kept, how far it is, what is missing of it, and why it stands still if it does."""
        return JSONResponse(await parts.history.ask(request, "history.status"))

    @router.get("/api/history/frame", response_class=Response)
    async def history_frame(request: Request, camera: str, id: str) -> Response:  # noqa: A002  # its name in the query
        """Return the archived picture of a result."""
        found = await parts.history.ask(request, "history.frame", {"camera": camera, "id": id})
        return Response(base64.b64decode(found["image"]), media_type="image/jpeg", headers=_ONLY_HERE)

    def _times(since: str | None, until: str | None) -> dict[str, float]:
        now = parts.clock.now()
        return {name: moment(text, now) for name, text in (("since", since), ("until", until)) if text is not None}

    async def _shown(request: Request, what: str, members: dict[str, Any]) -> JSONResponse:
        found = await parts.history.ask(request, what, members)
        await note_view(parts.people, request, "history", found["Person"])
        return JSONResponse(found)
