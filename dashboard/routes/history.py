"""What was: asked of the history process."""

from __future__ import annotations

import base64

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from dashboard.parts import Parts

_ONLY_HERE = {"Cache-Control": "private, max-age=60"}  # so short, as somebody may be forgotten


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of the history."""

    @router.get("/api/history/status")
    async def history_status(request: Request) -> JSONResponse:
        """Tell where the history is kept, how far it is, what is missing of it, and why it stands still if it does."""
        return JSONResponse(await parts.history.ask(request, "history.status"))

    @router.get("/api/history/frame", response_class=Response)
    async def history_frame(request: Request, camera: str, id: str) -> Response:  # noqa: A002  # its name in the query
        """Return the archived picture of a result."""
        found = await parts.history.ask(request, "history.frame", {"camera": camera, "id": id})
        return Response(base64.b64decode(found["image"]), media_type="image/jpeg", headers=_ONLY_HERE)
