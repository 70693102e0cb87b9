"""The routes of the HTTP API; docs/api.md tells their shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from dashboard import events, route_list, uploads
from dashboard.answers import RefusedError
from dashboard.parts import Parts
from dashboard.stats import workers_as_json
from dashboard.stream import check_id
from pipeline.errors import BrokerError
from pipeline.presence import living

MOST_RESULTS = 1000
MOST_LISTENERS = 200

_EXAMPLE = {"id": "front_door", "url": "rtsp://user:password@10.0.0.7/main", "fps": 5, "attributes": "smile,emotions"}
CameraBody = Annotated[dict[str, Any], Body(examples=[_EXAMPLE])]


def routes(parts: Parts) -> APIRouter:
    """Return all routes over these parts."""
    router = APIRouter()
    for some in (_cameras, _results, _photos, _operation):
        some(router, parts)
    return router


def _cameras(router: APIRouter, parts: Parts) -> None:
    @router.get("/api/cameras")
    def list_cameras() -> JSONResponse:
        """List all cameras with their status, without passwords."""
        return JSONResponse({"cameras": parts.desk.all()})

    @router.post("/api/cameras", status_code=201)
    def add_camera(body: CameraBody) -> JSONResponse:
        """Add a camera; only `url` is needed."""
        camera = parts.desk.add(body)
        return JSONResponse(camera, 201, {"Location": f"/api/cameras/{camera['id']}"})

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


def _results(router: APIRouter, parts: Parts) -> None:
    @router.get("/api/results")
    def list_results(
        camera: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_RESULTS)] = 100,
    ) -> Response:
        """List results, oldest first: the newest ones, or those that came after an id."""
        stream = parts.stream
        found, following = stream.newest(limit, camera) if after is None else stream.after(check_id(after), limit, camera)
        body = f'{{"results":[{",".join(entry.text for entry in found)}],"next":"{following}"}}'
        return Response(body, media_type="application/json")

    @router.get("/api/events", response_class=StreamingResponse)
    async def listen(after: str | None = None, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """Stream server-sent events: result, camera, stats."""
        if parts.feed.listeners() >= MOST_LISTENERS:
            raise RefusedError(503, "Busy", f"{MOST_LISTENERS} listen already: close one of them")
        last = last_event_id or after
        return _event_stream(events.stream(parts, None if last is None else check_id(last)))

    @router.get("/api/stats")
    def stats() -> JSONResponse:
        """Tell frames, rates, ages, stages, limits, cost, workers and the bottleneck."""
        return JSONResponse(parts.stats.look())


def _photos(router: APIRouter, parts: Parts) -> None:
    @router.post("/api/photos", openapi_extra=uploads.OPENAPI)
    async def analyse_photo(request: Request) -> JSONResponse:
        """Analyse one picture: multipart, raw bytes, or JSON with a data URL."""
        upload = await uploads.read(request)
        result = await parts.photos.analyse(upload.data, upload.attributes)
        return JSONResponse(result.as_json())


def _operation(router: APIRouter, parts: Parts) -> None:
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


def _event_stream(text: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(text, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _readiness(parts: Parts) -> dict[str, Any]:
    if not parts.broker.ping():
        raise BrokerError(f"Redis at {parts.broker.address} does not answer: is it running?")
    workers = workers_as_json(living(parts.broker.scripts, "worker"))
    if not workers["alive"]:
        raise RefusedError(503, "NoWorkers", "no worker thread is alive: start `rekstream work`")
    return {"ready": True, "worker_threads": workers["alive"]}


def _targets(parts: Parts) -> list[dict[str, Any]]:
    return [
        {"targets": [process.metrics], "labels": {"role": process.role, "name": process.name}}
        for process in living(parts.broker.scripts)
        if process.metrics
    ]
