"""How errors become HTTP answers: one shape, one sentence, no password in it.

{"error": {"code": "UnknownCamera", "message": "there is no camera 'porch': …"}}
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import redis
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from pipeline import errors
from pipeline.errors import RekstreamError, redact

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_STATUS: tuple[tuple[type[RekstreamError], int], ...] = (
    (errors.SettingsError, 422),
    (errors.CameraError, 422),
    (errors.PictureError, 422),
    (errors.UnknownCamera, 404),
    (errors.CameraExists, 409),
    (errors.UnknownPerson, 404),
    (errors.UnknownTrack, 404),
    (errors.PersonExists, 409),
    (errors.UnknownWatch, 404),
    (errors.UnknownAlert, 404),
    (errors.UnknownFrame, 404),
    (errors.UnknownShow, 404),
    (errors.UnknownLaugh, 404),
    (errors.PartAway, 503),
    (errors.StorageError, 503),
    (errors.BrokerError, 503),
    (errors.ProviderError, 502),
)


class RefusedError(RekstreamError):
    """An answer with an HTTP status and a code of its own, for what only HTTP knows."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}


class Problem(BaseModel):
    """What went wrong: a name for programs, a sentence for people."""

    code: str
    message: str


class ProblemAnswer(BaseModel):
    """The one shape of errors."""

    error: Problem


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ProblemAnswer, "description": "Refused: one sentence says why"},
    "5XX": {"model": ProblemAnswer, "description": "Not possible now: one sentence says why"},
}
"""What every route may answer instead, for the OpenAPI."""


def install(app: FastAPI, broker_address: str) -> None:
    """Make `app` answer every error in the one shape; `broker_address` is named when Redis is away."""

    def redis_away(_: Request, error: Exception) -> JSONResponse:
        log.debug("redis: %s", error)
        is_away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
        what = "does not answer: is it running?" if is_away else f"refuses: {error}"
        return answer(503, "BrokerError", f"Redis at {broker_address} {what}")

    app.add_exception_handler(redis.RedisError, redis_away)
    app.add_exception_handler(RekstreamError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_accident)


def answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the one shape of errors."""
    return JSONResponse({"error": {"code": code, "message": redact(message)}}, status, headers)


def refuse(refusal: RefusedError) -> JSONResponse:
    """Return a refusal as an answer."""
    return answer(refusal.status, refusal.code, str(refusal), refusal.headers)


def _of_ours(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, RefusedError):
        return refuse(error)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return answer(status, type(error).__name__, str(error))


def _of_validation(_: Request, error: Exception) -> JSONResponse:
    first: dict[str, Any] = dict(error.errors()[0]) if isinstance(error, RequestValidationError) else {}
    field = ".".join(str(part) for part in first.get("loc", ())[1:]) or "the body"
    value = first.get("input")
    shown = "" if value is None or isinstance(value, dict | bytes) else f" {str(value)[:200]!r}"
    reason = str(first.get("msg", "is not understood")).lower()
    return answer(422, "SettingsError", f"{field}{shown}: {reason}")


def _of_http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = HTTPStatus(status).phrase.replace(" ", "")
    messages = {
        404: f"there is nothing at {request.url.path}: /docs lists the routes",
        405: f"{request.url.path} does not know {request.method}: /docs lists the routes",
    }
    detail = error.detail if isinstance(error, HTTPException) else ""
    return answer(status, code, messages.get(status, str(detail)), dict(getattr(error, "headers", None) or {}))


def _of_accident(request: Request, _: Exception) -> JSONResponse:
    what = f"{request.method} {request.url.path} failed by a fault of this program: see its log"
    return answer(500, "InternalError", what, SECURITY_HEADERS)  # this answer does not pass the guard
