"""What was: asked of the history process."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of the history."""

    @router.get("/api/history/status")
    async def history_status(request: Request) -> JSONResponse:
        """Tell where the history is kept, how far it is, what is missing of it, and why it stands still if it does."""
        return JSONResponse(await parts.history.ask(request, "history.status"))
