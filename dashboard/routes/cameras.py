"""Cameras: list, add, change, remove, look."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import HTMLResponse, JSONResponse, Response

from dashboard.answers import RefusedError
from dashboard.aside import Aside
from dashboard.notice import NoticeFacts, notice
from dashboard.parts import Parts
from pipeline.export import export

CHECKS_AT_ONCE = 8  # a check takes up to 20 s

_EXAMPLE = {"id": "front_door", "url": "rtsp://user:password@10.0.0.7/main", "fps": 5, "attributes": "smile,emotions"}
CameraBody = Annotated[dict[str, Any], Body(examples=[_EXAMPLE])]
SourceBody = Annotated[dict[str, Any], Body(examples=[{"url": "rtsp://user:password@10.0.0.7/main"}])]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of cameras."""
    checks = Aside(CHECKS_AT_ONCE, 0, "several sources are being checked already: try again in some seconds")

    @router.get("/api/cameras")
    def list_cameras() -> JSONResponse:
        """List all cameras with their status, without passwords."""
        return JSONResponse({"cameras": parts.desk.all()})

    @router.post("/api/cameras", status_code=201)
    def add_camera(body: CameraBody) -> JSONResponse:
        """Add a camera; only `url` is needed."""
        camera = parts.desk.add(body)
        return JSONResponse(camera, 201, {"Location": f"/api/cameras/{camera['id']}"})

    @router.post("/api/cameras/check")
    async def check_source(body: SourceBody) -> JSONResponse:
        """Open a source and say what it is, or what is wrong with it; nothing is added."""
        found = await checks.run(lambda: parts.checks.check(parts.desk.source(body), parts.desk.masks(body)))
        return JSONResponse(found.as_json())

    @router.get("/api/cameras.yml", response_class=Response)
    def export_cameras() -> Response:
        """Write the cameras as a rekstream.yml, passwords as variables of the environment."""
        headers = {"Content-Disposition": 'attachment; filename="rekstream.yml"'}
        return Response(export(parts.desk.all()), media_type="application/yaml", headers=headers)

    @router.patch("/api/cameras/{camera_id}")
    def change_camera(camera_id: str, body: CameraBody) -> JSONResponse:
        """Change what is named; a password sent as *** stays what it is."""
        return JSONResponse(parts.desk.change(camera_id, body))

    @router.delete("/api/cameras/{camera_id}", status_code=204)
    def remove_camera(camera_id: str) -> Response:
        """Remove a camera and drop what waits for it."""
        parts.desk.remove(camera_id)
        return Response(status_code=204)

    @router.get("/api/cameras/{camera_id}/frame.jpg", response_class=Response)
    def newest_frame(camera_id: str) -> Response:
        """Return the newest analysed picture, its age in X-Frame-Age-Seconds."""
        return _frame(parts, camera_id)

    @router.get("/api/cameras/{camera_id}/notice", response_class=Response)
    def printable_notice(camera_id: str) -> HTMLResponse:
        """Return a page to print and hang up beside the camera: what it does, what is kept, who answers questions."""
        today = datetime.fromtimestamp(parts.clock.now()).astimezone()
        return HTMLResponse(notice(parts.desk.require(camera_id), _facts(parts), today), headers={"Cache-Control": "no-store"})


def _facts(parts: Parts) -> NoticeFacts:
    settings = parts.settings
    return NoticeFacts(
        settings.provider,
        settings.contact,
        parts.privacy.is_on,
        settings.visit_days,
        settings.unknown_hours,
        settings.keep_days,
        settings.archive,
    )


def _frame(parts: Parts, camera_id: str) -> Response:
    parts.desk.require(camera_id)
    frame = parts.results.newest_frame(camera_id)
    if frame is None:
        raise RefusedError(404, "NoFrame", f"no picture of camera {camera_id!r} was analysed in the last minute")
    age = max(0.0, parts.clock.now() - frame.captured_at)
    headers = {
        "Cache-Control": "no-store",
        "X-Frame-Age-Seconds": f"{age:.3f}",
        "X-Frame-Captured-At": f"{frame.captured_at:.6f}",
        "X-Result-Id": frame.result_id,
    }
    return Response(frame.jpeg, media_type="image/jpeg", headers=headers)
