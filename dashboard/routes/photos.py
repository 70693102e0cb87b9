"""Photos: one picture, analysed at once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from dashboard import uploads
from dashboard.parts import Parts


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of photos."""

    @router.post("/api/photos", openapi_extra=uploads.OPENAPI)
    async def analyse_photo(request: Request) -> JSONResponse:
        """Analyse one picture: multipart, raw bytes, or JSON with a data URL."""
        upload = await uploads.read(request)
        result = await parts.photos.analyse(upload.data, upload.attributes)
        return JSONResponse(result.as_json())
