"""Archived frames, shown again as a camera."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from dashboard import uploads
from dashboard.parts import Parts
from pipeline.errors import SettingsError

_FORM = {"type": "object", "properties": {"image": {"type": "string", "format": "binary"}, "result": {"type": "string"}}}
_BODY = {"requestBody": {"content": {"multipart/form-data": {"schema": _FORM}}}}


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of replays."""

    @router.post("/api/replays/{camera}", openapi_extra=_BODY)
    async def show_again(request: Request, camera: str) -> JSONResponse:
        """Show an archived frame and its result on the pages that are open, as a camera of its own."""
        upload = await uploads.read_one(request)
        (picture,) = upload.pictures
        if not isinstance(picture, bytes):
            raise SettingsError("a picture that lies on S3 is not fetched for a replay: send it as `image`")
        return JSONResponse(await run_in_threadpool(parts.replays.show, camera, _result(upload.asked), picture))

    @router.delete("/api/replays/{camera}", status_code=204)
    async def end_replay(camera: str) -> Response:
        """End a replay: its camera goes."""
        await run_in_threadpool(parts.replays.end, camera)
        return Response(status_code=204)


def _result(asked: Any) -> object:
    told = asked.get("result")
    try:
        return json.loads(told) if isinstance(told, str) else told
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"result is no JSON ({error}): send what is archived beside the picture") from error
