"""Photos: one picture, or two, analysed at once."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from dashboard import questions, uploads
from dashboard.guard import BEGAN_AT
from dashboard.parts import Parts
from dashboard.questions import Question


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of photos."""

    @router.post("/api/photos", openapi_extra=uploads.openapi_of_one(questions.ATTRIBUTES))
    async def find_faces(request: Request) -> JSONResponse:
        """Find the faces of a picture, with their attributes: multipart, raw bytes, JSON with a data URL or an S3 URL."""
        return await answered(request, questions.about_faces(await uploads.read_one(request)))

    @router.post("/api/photos/labels", openapi_extra=uploads.openapi_of_one(questions.LABELS))
    async def find_labels(request: Request) -> JSONResponse:
        """Name what a picture shows; sent as for faces."""
        return await answered(request, questions.about_labels(await uploads.read_one(request)))

    @router.post("/api/photos/compare", openapi_extra=uploads.openapi_of_two(questions.COMPARISON))
    async def compare(request: Request) -> JSONResponse:
        """Tell which faces of `target` are that of `source`: multipart or JSON with both."""
        return await answered(request, questions.about_likeness(await uploads.read_two(request)))

    async def answered(request: Request, question: Question) -> JSONResponse:
        answer = await parts.photos.answer(question, request.scope.get(BEGAN_AT, time.monotonic()))
        return JSONResponse(answer.as_json())
