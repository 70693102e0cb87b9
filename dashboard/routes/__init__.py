"""The routes of the HTTP API, a file for each kind of thing; docs/api.md tells their shapes."""

from __future__ import annotations

from fastapi import APIRouter

from dashboard.parts import Parts
from dashboard.routes import (
    alerts,
    attendance,
    audience,
    browser_camera,
    cameras,
    charts,
    history,
    latency,
    live,
    money,
    notices,
    operation,
    pages,
    people,
    photos,
    replays,
    results,
    sessions,
    visits,
)

ROOMS = (
    cameras,
    results,
    live,
    charts,
    notices,
    photos,
    people,
    visits,
    alerts,
    history,
    replays,
    money,
    audience,
    attendance,
    latency,
    sessions,
    operation,
    browser_camera,
    pages,
)


def routes(parts: Parts) -> APIRouter:
    """Return all routes over these parts."""
    router = APIRouter()
    for room in ROOMS:
        room.add(router, parts)
    return router
