"""What was spent: asked of the history process."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.responses import JSONResponse

from dashboard.parts import Parts
from pipeline.moments import moment

MOST_CAMERAS = 100
Moment = Annotated[str, Query(max_length=60, description="24h, 7d (ago), 2026-11-23, or seconds since 1970")]
Camera = Annotated[str, StringConstraints(max_length=64)]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the route."""

    @router.get("/api/money")
    async def money(
        request: Request,
        since: Moment | None = None,
        until: Moment | None = None,
        camera: Annotated[list[Camera], Query(max_length=MOST_CAMERAS)] = [],  # noqa: B006  # FastAPI copies it
    ) -> JSONResponse:
        """Tell what was spent, since the month's start if not said: by operation, camera and day, and how it goes on."""
        now = parts.clock.now()
        times = {name: moment(text, now) for name, text in (("since", since), ("until", until)) if text is not None}
        return JSONResponse(await parts.history.ask(request, "history.money", {**times, "cameras": camera}))
