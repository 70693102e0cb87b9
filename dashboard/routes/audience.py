"""The audience, shows and their receipts: asked of the history process."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, Response

from dashboard.parts import Parts
from pipeline.moments import moment

_SHOW = {"name": "Saturday, late", "cameras": ["stage"], "price": 0.3, "currency": "EUR", "gone_at": 1795064400}
ShowBody = Annotated[dict[str, Any], Body(examples=[_SHOW])]
DisputeBody = Annotated[dict[str, Any], Body(examples=[{"disputed": True}])]
Moment = Annotated[str, Query(max_length=60, description="24h, 7d (ago), 2026-11-23, or seconds since 1970")]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of the audience and of shows."""

    @router.get("/api/audience")
    async def audience(
        request: Request, camera: str | None = None, since: Moment | None = None, until: Moment | None = None
    ) -> JSONResponse:
        """Tell how many are there, how long, and how amused."""
        now = parts.clock.now()
        times = {name: moment(text, now) for name, text in (("since", since), ("until", until)) if text is not None}
        members = {"camera": camera, **times}
        return JSONResponse(await parts.history.ask(request, "history.audience", members))

    @router.get("/api/shows")
    async def list_shows(request: Request) -> JSONResponse:
        """List shows, the newest first."""
        return JSONResponse(await parts.history.ask(request, "history.shows"))

    @router.post("/api/shows", status_code=201)
    async def start_show(request: Request, body: ShowBody) -> JSONResponse:
        """Start a show."""
        return JSONResponse(await parts.history.ask(request, "history.show.start", body), 201)

    @router.post("/api/shows/{show}/stop")
    async def stop_show(request: Request, show: str) -> JSONResponse:
        """Stop a show and return its receipt."""
        return JSONResponse(await parts.history.ask(request, "history.show.stop", {"id": show}))

    @router.get("/api/shows/{show}")
    async def receipt(request: Request, show: str) -> JSONResponse:
        """Show the receipt as it is now."""
        return JSONResponse(await parts.history.ask(request, "history.show", {"id": show}))

    @router.delete("/api/shows/{show}", status_code=204)
    async def delete_show(request: Request, show: str) -> Response:
        """Delete a show with all data of its time and cameras."""
        await parts.history.ask(request, "history.show.delete", {"id": show})
        return Response(status_code=204)

    @router.get("/api/shows/{show}/laughs/{laugh}")
    async def laugh(request: Request, show: str, laugh: int) -> JSONResponse:
        """Show a laugh with the trace of two seconds around its peak."""
        return JSONResponse(await parts.history.ask(request, "history.laugh", {"id": show, "laugh": laugh}))

    @router.patch("/api/shows/{show}/laughs/{laugh}")
    async def dispute(request: Request, show: str, laugh: int, body: DisputeBody) -> JSONResponse:
        """Dispute a laugh, or take that back."""
        members = {"disputed": body.get("disputed"), "id": show, "laugh": laugh}
        return JSONResponse(await parts.history.ask(request, "history.laugh.dispute", members))
