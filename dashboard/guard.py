"""What stands before every request: who may ask, how much may be sent, and what every answer says to the browser."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.answers import SECURITY_HEADERS, RefusedError, refuse
from dashboard.callers import CHANGING, Callers
from dashboard.sessions import Session, Sessions
from dashboard.settings import DashboardSettings

PHOTO_BYTES = 15 * 1024 * 1024
JSON_BYTES = 64 * 1024
HELD_BYTES = 128 * 1024 * 1024  # of all bodies that are here at a time
BODY_SECONDS = 120.0  # for a body to come whole
PHOTOS_PATH = "/api/photos"
PEOPLE_PATH = "/api/people"
REPLAYS_PATH = "/api/replays"
TWO_PHOTOS_PATH = "/api/photos/compare"
BEGAN_AT = "rekstream.began_at"  # in a request's scope: when it began, by time.monotonic()

DRAIN_BYTES, DRAIN_SECONDS = 32 * 1024 * 1024, 5.0
_SIGNED_OUT = 4401  # the code with which a socket of ours closes when its session is over


class Guard:
    """Refuses whom `Callers` refuses, and too large a body; adds the security headers; ends what a session's end ends."""

    def __init__(self, app: ASGIApp, settings: DashboardSettings, sessions: Sessions) -> None:
        self._app = app
        self._callers = Callers(settings, sessions)
        self._sessions = sessions
        self._hands = _Hands()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope[BEGAN_AT] = time.monotonic()
        incoming = _Incoming(receive)
        with self._hands.holding() as hold:
            try:
                session = self._callers.check(scope)
                if scope["type"] == "http" and scope["method"] in CHANGING:
                    receive = await _whole_body(scope, incoming, hold)
            except RefusedError as refusal:
                await _turn_away(refusal, scope, incoming, send)
                return
            await self._serve(session, scope, receive, send)

    async def _serve(self, session: Session | None, scope: Scope, receive: Receive, send: Send) -> None:
        outgoing = _Outgoing(_with_headers(send) if scope["type"] == "http" else send)
        if session is None or (scope["type"] == "http" and scope["method"] in CHANGING):
            await self._app(scope, receive, outgoing)
        else:
            await self._serve_while(session, scope, receive, outgoing)

    async def _serve_while(self, session: Session, scope: Scope, receive: Receive, outgoing: _Outgoing) -> None:
        """Serve what may be a stream until its session is over."""

        async def watch() -> None:
            await self._sessions.wait_for_end(session)
            serving.cancel()

        with anyio.CancelScope() as serving:
            watcher = asyncio.create_task(watch())
            try:
                await self._app(scope, receive, outgoing)
            finally:
                watcher.cancel()
        if serving.cancelled_caught:
            await outgoing.end(scope)


class _Hands:
    """Bounds the bytes of all bodies that are read, or waited with, at a time: each may be a picture of 15 MB."""

    def __init__(self) -> None:
        self._size = 0

    @contextlib.contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Give what takes so many more bytes into hand, or raises RefusedError; all are let go at the end."""
        own = 0

        def hold(size: int) -> None:
            nonlocal own
            if self._size + size > HELD_BYTES:
                raise RefusedError(503, "Busy", "too many pictures are being sent at once: send this one again in a moment")
            self._size, own = self._size + size, own + size

        try:
            yield hold
        finally:
            self._size -= own


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


class _Outgoing:
    """An answer as it goes, and how far it has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = self._is_done = False

    async def __call__(self, message: Message) -> None:
        """Send the next part."""
        kind = message["type"]
        self._has_begun = self._has_begun or kind == "http.response.start"
        self._is_done = kind == "websocket.close" or (kind == "http.response.body" and not message.get("more_body", False))
        await self._send(message)

    async def end(self, scope: Scope) -> None:
        """End what is under way because its session is over."""
        if self._is_done:
            return
        with contextlib.suppress(OSError, RuntimeError):  # the other side went away in the same moment
            if scope["type"] == "websocket":
                await self._send({"type": "websocket.close", "code": _SIGNED_OUT, "reason": "signed out"})
            elif self._has_begun:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                await refuse(RefusedError(401, "Unauthorized", "signed out meanwhile"))(scope, _nothing, self._send)


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _whole_body(scope: Scope, receive: Receive, hold: Callable[[int], None]) -> Receive:
    """Read the body up to its bounds, and return what hands it on; raises RefusedError."""
    most = _most_bytes(scope["path"])
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdigit() or int(announced) > most:
        raise _too_large(announced, most)
    try:
        with anyio.fail_after(BODY_SECONDS):
            return _handing_on(await _read(receive, most, hold), receive)
    except TimeoutError:
        why = f"the body did not come whole within {BODY_SECONDS:g} s: send less, or over a faster network"
        raise RefusedError(408, "TooSlow", why, {"Connection": "close"}) from None


async def _read(receive: Receive, most: int, hold: Callable[[int], None]) -> bytes:
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
        hold(len(parts[-1]))
    return b"".join(parts)


def _most_bytes(path: str) -> int:
    if path == TWO_PHOTOS_PATH:
        return 2 * PHOTO_BYTES
    return PHOTO_BYTES if path.startswith((PHOTOS_PATH, PEOPLE_PATH, REPLAYS_PATH)) else JSON_BYTES


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
