"""Watches and alerts: what people want to hear of, and what they were told."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, Response

from dashboard.parts import Parts

MOST_ALERTS = 500

_WATCH = {"who": "Grace Hopper", "cameras": ["front_door"], "notify": ["https://example.com/hook"], "cooldown": 60}
WatchBody = Annotated[dict[str, Any], Body(examples=[_WATCH])]
VerdictBody = Annotated[dict[str, Any], Body(examples=[{"verdict": "confirmed"}])]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of watches and alerts."""

    @router.get("/api/watches")
    async def list_watches(request: Request) -> JSONResponse:
        """List the watches; of their notify URLs only what is no secret."""
        return JSONResponse(await parts.people.ask(request, "watches.list"))

    @router.post("/api/watches", status_code=201)
    async def add_watch(request: Request, body: WatchBody) -> JSONResponse:
        """Watch for a person, somebody unknown, an emotion or a label."""
        watch = await parts.people.ask(request, "watches.add", body)
        return JSONResponse(watch, 201)

    @router.delete("/api/watches/{watch_id}", status_code=204)
    async def remove_watch(request: Request, watch_id: str) -> Response:
        """Watch no longer; what of it was not delivered yet is dropped."""
        await parts.people.ask(request, "watches.remove", {"id": watch_id})
        return Response(status_code=204)

    @router.post("/api/watches/{watch_id}/test")
    async def test_watch(request: Request, watch_id: str) -> JSONResponse:
        """Send a test to each receiver of a watch and say what it answered."""
        return JSONResponse(await parts.people.ask(request, "watches.test", {"id": watch_id}))

    @router.get("/api/alerts")
    async def list_alerts(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MOST_ALERTS)] = 100,
        before: Annotated[float | None, Query(ge=0, le=2**53)] = None,
        watch: str | None = None,
    ) -> JSONResponse:
        """List the newest alerts, the newest first, with their verdicts and how their deliveries went."""
        members = {"limit": limit, "before": before, "watch": watch}
        return JSONResponse(await parts.people.ask(request, "alerts.list", members))

    @router.patch("/api/alerts/{alert_id}")
    async def judge_alert(request: Request, alert_id: str, body: VerdictBody) -> JSONResponse:
        """Call an alert confirmed or wrong, or take that back with null."""
        return JSONResponse(await parts.people.ask(request, "alerts.judge", {**body, "id": alert_id}))
