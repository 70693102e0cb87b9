"""Signing in and out, for people with a browser; programs bring the token."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response

from dashboard import pages
from dashboard.answers import RefusedError
from dashboard.callers import COOKIE, LOGIN_PATH, SESSION_PATH
from dashboard.parts import Parts
from dashboard.sessions import LIFETIME_SECONDS
from pipeline.errors import SettingsError

LONGEST_PASSWORD = 1024

PasswordBody = Annotated[dict[str, Any], Body(examples=[{"password": "…"}])]


def add(router: APIRouter, parts: Parts) -> None:
    """Add the routes of sessions."""
    page = pages.login()

    @router.get(SESSION_PATH)
    async def tell_session(request: Request) -> JSONResponse:
        """Say whether a password is asked for here, and whether this browser has signed in."""
        signed_in = parts.sessions.find(request.cookies.get(COOKIE)) is not None
        return JSONResponse({"needed": parts.settings.needs_login, "signed_in": signed_in})

    @router.post(SESSION_PATH)
    async def sign_in(request: Request, body: PasswordBody) -> JSONResponse:
        """Sign in with the password, or the token: the answer's cookie is the session."""
        await _check_password(parts, _password_in(body), request)
        parts.sessions.end(request.cookies.get(COOKIE))
        answer = JSONResponse({"needed": parts.settings.needs_login, "signed_in": True})
        _give(answer, parts.sessions.begin(), request)
        return answer

    @router.delete(SESSION_PATH, status_code=204)
    async def sign_out(request: Request) -> Response:
        """Sign out: what the session has open ends."""
        parts.sessions.end(request.cookies.get(COOKIE))
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @router.get(LOGIN_PATH, include_in_schema=False, response_class=HTMLResponse)
    def login_page() -> HTMLResponse:
        """Ask for the password."""
        return HTMLResponse(page)


async def _check_password(parts: Parts, password: str, request: Request) -> None:
    """Make sure that it is the password or the token; raises RefusedError: 401, or 429 after too many wrong ones."""
    if not parts.settings.needs_login:
        raise RefusedError(409, "NoPassword", "there is no password here: this machine is served without one")
    attempt = parts.attempts.begin(request.client.host if request.client else "")
    if not await run_in_threadpool(_is_right, parts, password):
        raise RefusedError(401, "WrongPassword", "that is not the password")
    parts.attempts.forgive(attempt)


def _is_right(parts: Parts, given: str) -> bool:
    token, password = parts.settings.token, parts.settings.password
    is_token = bool(token) and hmac.compare_digest(_bytes(given), _bytes(token or ""))
    return (password is not None and password.fits(given)) or is_token


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _password_in(body: dict[str, Any]) -> str:
    password = body.get("password")
    if not isinstance(password, str) or not 0 < len(password) <= LONGEST_PASSWORD:
        raise SettingsError(f'a password of 1 to {LONGEST_PASSWORD:,} characters is needed: send {{"password": "…"}}')
    return password


def _give(answer: Response, value: str, request: Request) -> None:
    """Put the session's cookie into an answer; over https it is never sent over plain http again.

    That the page came by https is told by the browser (Origin) or by a proxy. Neither needs to be trusted: who lies there only
    makes the own cookie stricter.
    """
    told = (request.headers.get("origin", ""), request.headers.get("x-forwarded-proto", ""), request.url.scheme)
    answer.set_cookie(
        COOKIE,
        value,
        max_age=LIFETIME_SECONDS,
        httponly=True,
        samesite="strict",
        secure=any(word.lower().startswith("https") for word in told),
    )
