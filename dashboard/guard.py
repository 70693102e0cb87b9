"""What stands before every request: who may ask, from where, and how much may be sent."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.answers import SECURITY_HEADERS, RefusedError, refuse
from dashboard.settings import DashboardSettings
from pipeline.broker import is_loopback

PHOTO_BYTES = 15 * 1024 * 1024
JSON_BYTES = 64 * 1024
PHOTOS_PATH = "/api/photos"
OPEN_PATHS = ("/healthz", "/readyz")  # probes know no token, and learn nothing but yes or no

DRAIN_BYTES, DRAIN_SECONDS = 32 * 1024 * 1024, 5.0
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")


class Guard:
    """Refuses a foreign host, a missing token, a foreign origin, and too large a body; adds the security headers.

    On loopback the Host header has to name this machine: a web page elsewhere whose name was made to point here (DNS
    rebinding) is thus turned away. Beyond loopback every request brings the token.
    """

    def __init__(self, app: ASGIApp, settings: DashboardSettings) -> None:
        self._app = app
        self._is_local = settings.is_local
        self._token = settings.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        incoming = _Incoming(receive)
        try:
            self._check(scope)
            if scope["type"] == "http" and scope["method"] in _CHANGING:
                receive = await _whole_body(scope, incoming)
        except RefusedError as refusal:
            await _turn_away(refusal, scope, incoming, send)
            return
        await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if self._is_local:
            _check_host(headers.get("host", ""))
        if self._token and scope["path"] not in OPEN_PATHS:
            _check_token(headers.get("authorization", ""), self._token)
        if scope["type"] == "websocket" or scope["method"] in _CHANGING:
            _check_origin(headers)


def _check_host(host: str) -> None:
    name = _hostname(host)
    if name is None or not is_loopback(name):
        raise RefusedError(421, "ForeignHost", f"host {host!r} is not this machine: ask for 127.0.0.1 or localhost")


def _check_token(authorization: str, token: str) -> None:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        what = "another token is needed" if authorization else "a token is needed"
        raise RefusedError(
            401, "Unauthorized", f"{what}: send it as `Authorization: Bearer TOKEN`", {"WWW-Authenticate": "Bearer"}
        )


def _check_origin(headers: Mapping[str, str]) -> None:
    origin, host = headers.get("origin"), headers.get("host", "")
    is_foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
    if is_foreign or headers.get("sec-fetch-site") == "cross-site":
        raise RefusedError(403, "ForeignOrigin", f"a page of {origin or 'another site'} may not change anything here")


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class _Incoming:
    """A request's body as it comes, and whether all of it has come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_whole = False

    async def __call__(self) -> Message:
        """Return the next part."""
        message = await self._receive()
        self.is_whole = not message.get("more_body", False)
        return message

    async def throw_away(self) -> None:
        """Read what is still coming, within bounds: a client that is cut off while it sends never sees the answer."""
        size = 0
        with anyio.move_on_after(DRAIN_SECONDS):
            while not self.is_whole and size < DRAIN_BYTES:
                size += len((await self()).get("body", b""))


async def _whole_body(scope: Scope, receive: Receive) -> Receive:
    """Read the body up to its bound, and return what hands it on; raises RefusedError."""
    most = PHOTO_BYTES if scope["path"] == PHOTOS_PATH else JSON_BYTES
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdigit() or int(announced) > most:
        raise _too_large(announced, most)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > most:
            raise _too_large(str(size), most)
    return _handing_on(b"".join(parts), receive)


def _handing_on(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def hand_on() -> Message:
        return waiting.pop() if waiting else await receive()

    return hand_on


def _too_large(size: str, most: int) -> RefusedError:
    return RefusedError(
        413, "TooLarge", f"a body of {size} bytes is too large: {most:,} are taken here", {"Connection": "close"}
    )


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return with_headers


async def _turn_away(refusal: RefusedError, scope: Scope, incoming: _Incoming, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)[:120]})
        return
    await incoming.throw_away()
    await refuse(refusal)(scope, incoming, _with_headers(send))
