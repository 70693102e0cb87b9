"""Who was there: visits, unknown people who come again, the faces of tracks, and what people say of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from dashboard.answers import RefusedError
from dashboard.parts import Parts
from pipeline import keys
from pipeline.errors import SettingsError

MOST = 1000
NAMING_SECONDS = 60.0  # enrolling a face takes some calls of Rekognition


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of visits and tracks."""

    @router.get("/api/visits")
    async def list_visits(
        request: Request,
        camera: str | None = None,
        person: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> JSONResponse:
        """List visits, newest first."""
        members = {"camera": camera, "person": person, "limit": limit}
        return JSONResponse(await parts.people.ask(request, "visits.list", members))

    @router.get("/api/unknowns")
    async def list_unknowns(request: Request, limit: Annotated[int, Query(ge=1, le=MOST)] = 100) -> JSONResponse:
        """List unknown people who would be recognised again, the last seen first."""
        return JSONResponse(await parts.people.ask(request, "unknowns.list", {"limit": limit}))

    @router.post("/api/tracks/{track}/person")
    async def name(request: Request, track: str, body: Annotated[dict[str, Any], Body()]) -> JSONResponse:
        """Say who a track is; the face that was seen is enrolled unless `enrol` is false."""
        unknown = body.keys() - {"person", "enrol"}
        if unknown:
            raise SettingsError(f"there is no member {sorted(unknown)[0]!r}: write person, and enrol")
        return JSONResponse(await parts.people.ask(request, "tracks.name", {**body, "track": track}, NAMING_SECONDS))

    @router.delete("/api/tracks/{track}/person")
    async def unname(request: Request, track: str) -> JSONResponse:
        """Say that a track is not the person whose name it has; that sticks."""
        return JSONResponse(await parts.people.ask(request, "tracks.unname", {"track": track}))

    @router.get("/api/tracks/{track}/face.jpg", response_class=Response)
    async def face(request: Request, track: str) -> Response:
        """Show the best view of a track's face; none in privacy."""
        jpeg = b"" if parts.privacy.is_on else await run_in_threadpool(_picture, parts, track)
        if not jpeg:
            why = "in privacy none is kept" if parts.privacy.is_on else "one is kept for 15 minutes, where pictures are"
            raise RefusedError(404, "NoPicture", f"there is no picture of track {track[:100]!r}: {why}")
        await parts.people.ask(request, "audit.viewed", {"what": "view face"})
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _picture(parts: Parts, track: str) -> bytes:
    connection: Any = parts.broker.scripts  # redis-py types every command as sync-or-async
    return connection.hget(keys.face(track), "jpeg") or b""
