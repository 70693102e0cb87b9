"""People: who is known."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of people."""

    @router.get("/api/people")
    async def list_people(request: Request) -> JSONResponse:
        """List who is known, by name."""
        return JSONResponse(await parts.people.ask(request, "people.list"))
