"""What the Latency page asks: the worst frames of the hour, what a change would bring, and the rehearsal."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.responses import JSONResponse, Response

from dashboard.answers import RefusedError
from dashboard.aside import Aside
from dashboard.parts import Parts
from dashboard.what_if import Change
from dashboard.worst import WorstFrame

MOST_WAITING = 20

Factor = Annotated[float | None, Query(ge=0.05, le=20)]
RehearsalBody = Annotated[dict[str, Any], Body(examples=[{"latency": 0.5, "latency_sigma": 0.2, "tps": {"DetectFaces": 10}}])]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of the Latency page."""
    computing = Aside(1, MOST_WAITING, "too many changes are being computed already: ask again in some seconds")
    rehearsing = Aside(2, MOST_WAITING, "the local server is being asked too often: ask again in some seconds")

    @router.get("/api/worst")
    def worst_frames() -> JSONResponse:
        """List the frames of the last hour that were oldest when their results came out: of all, and of each camera."""
        return JSONResponse({"worst": _rows(parts.worst.overall()), "by_camera": _rows(parts.worst.by_camera())})

    @router.get("/api/worst/{result_id}")
    def worst_frame(result_id: str) -> Response:
        """Return one of them whole, with what Rekognition said."""
        return Response(_kept(parts, result_id).text, media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.get("/api/worst/{result_id}/frame.jpg", response_class=Response)
    def worst_picture(result_id: str) -> Response:
        """Return its picture."""
        jpeg = _kept(parts, result_id).jpeg
        if jpeg is None:
            raise RefusedError(404, "NoFrame", f"the picture of result {result_id!r} was gone before it could be kept")
        return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.get("/api/what-if")
    async def what_if(
        threads: Factor = None,
        quota: Factor = None,
        machines: Factor = None,
        fps: Factor = None,
        pixels: Annotated[int | None, Query(ge=80, le=1920)] = None,
    ) -> JSONResponse:
        """Compute what a change would bring: factors, and the longest side in pixels; without parameters the usual changes."""
        factors = {"threads": threads, "quota": quota, "machines": machines, "fps": fps}
        said = {name: value for name, value in factors.items() if value is not None}
        return JSONResponse(await computing.run(parts.what_if.look, Change(**said, pixels=pixels) if said or pixels else None))

    @router.get("/api/rehearsal")
    async def rehearsal() -> JSONResponse:
        """Tell what the local Rekognition server rehearses."""
        return JSONResponse(await rehearsing.run(parts.rehearsal.read))

    @router.put("/api/rehearsal")
    async def rehearse(body: RehearsalBody) -> JSONResponse:
        """Let it rehearse this instead; {"off": true} ends it."""
        return JSONResponse(await rehearsing.run(parts.rehearsal.change, body))


def _rows(frames: list[WorstFrame]) -> list[dict[str, Any]]:
    return [frame.row for frame in frames]


def _kept(parts: Parts, result_id: str) -> WorstFrame:
    frame = parts.worst.get(result_id)
    if frame is None:
        raise RefusedError(404, "UnknownResult", f"result {result_id!r} is not among the worst of the last hour")
    return frame
