"""For those who run it: health, readiness, metrics, and the list of routes."""

from __future__ import annotations

from typing import Any

import redis
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response

from dashboard import route_list
from dashboard.answers import RefusedError
from dashboard.parts import Parts
from dashboard.stats import workers_as_json
from pipeline.errors import BrokerError
from pipeline.presence import living


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of operation."""

    @router.get("/metrics", response_class=Response)
    def metrics() -> Response:
        """Tell Prometheus the counters that stand in Redis."""
        return Response(generate_latest(parts.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @router.get("/healthz")
    async def healthy() -> JSONResponse:
        """Say that this process is up."""
        return JSONResponse({"ok": True, "version": parts.settings.version})

    @router.get("/readyz")
    def ready() -> JSONResponse:
        """Say whether Redis answers and worker threads are alive."""
        return JSONResponse(_readiness(parts))

    @router.get("/prometheus/targets")
    def targets() -> JSONResponse:
        """List where every living process serves /metrics, as Prometheus's http_sd_configs reads it."""
        return JSONResponse(_targets(parts))

    @router.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs(request: Request) -> HTMLResponse:
        """List the routes for people."""
        return HTMLResponse(route_list.page(request.app.openapi()))


def _readiness(parts: Parts) -> dict[str, Any]:
    """Say it to strangers, too, who learn no address."""
    try:
        workers = workers_as_json(living(parts.broker.scripts, "worker"))
    except redis.RedisError:
        raise BrokerError("Redis does not answer: is it running?") from None
    if not workers["alive"]:
        raise RefusedError(503, "NoWorkers", "no worker thread is alive: start `rekstream work`")
    return {"ready": True, "worker_threads": workers["alive"]}


def _targets(parts: Parts) -> list[dict[str, Any]]:
    return [
        {"targets": [process.metrics], "labels": {"role": process.role, "name": process.name}}
        for process in living(parts.broker.scripts)
        if process.metrics
    ]
