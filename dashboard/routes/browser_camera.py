"""A browser becomes a camera: one WebSocket, pictures up, what became of them down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import redis
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketState

from dashboard.answers import RefusedError
from dashboard.browser_camera import TEND_SECONDS, BrowserCamera, Wishes
from dashboard.parts import Parts
from dashboard.sockets import Allowance, close_reason
from pipeline.errors import RekstreamError, SettingsError, redact

HELLO_SECONDS = 10.0
MESSAGES_A_SECOND = 30.0
LONGEST_TEXT = 4096
REFUSED, TRY_AGAIN = 1008, 1013  # close codes of RFC 6455 and its registry


def add(router: APIRouter, parts: Parts) -> None:
    """Add the door for browsers."""

    @router.websocket("/api/browser-camera")
    async def be_a_camera(socket: WebSocket) -> None:
        """Take a browser's webcam as a camera until the socket ends."""
        await socket.accept()
        try:
            await _serve(socket, parts)
        except WebSocketDisconnect:
            return
        except RekstreamError as error:
            code = error.code if isinstance(error, RefusedError) else type(error).__name__
            await _end(socket, REFUSED, code, str(error))
        except redis.RedisError:
            await _end(socket, TRY_AGAIN, "BrokerError", f"Redis at {parts.broker.address} does not answer: is it running?")


async def _serve(socket: WebSocket, parts: Parts) -> None:
    wishes = Wishes.of(await _hello(socket))
    camera = await run_in_threadpool(parts.browser_cameras.admit, wishes)
    try:
        await _Talk(socket, camera, parts.clock.now).run()
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(_dismiss, parts, camera)


def _dismiss(parts: Parts, camera: BrowserCamera) -> None:
    try:
        parts.browser_cameras.dismiss(camera)
    except redis.RedisError:
        return  # the lease expires, and the sweep takes the camera away


async def _hello(socket: WebSocket) -> object:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            return _read(await socket.receive_text())
    except TimeoutError:
        raise SettingsError(f"no first message within {HELLO_SECONDS:g} s") from None
    except KeyError:
        raise SettingsError("the first message has to be text, not bytes") from None


class _Talk:
    """The talk with one browser: its pictures in order, and once a second what has changed."""

    def __init__(self, socket: WebSocket, camera: BrowserCamera, now: Callable[[], float]) -> None:
        self._socket = socket
        self._camera = camera
        self._now = now
        self._pictures = 0
        self._allowance = Allowance(MESSAGES_A_SECOND, at_once=MESSAGES_A_SECOND)

    async def run(self) -> None:
        """Talk until the browser goes; raises WebSocketDisconnect, or RekstreamError when it has to go."""
        await self._socket.send_json(self._camera.terms)
        await _first_of(self._listen, self._tend)

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000), message.get("reason"))
            self._allowance.spend()
            if message.get("bytes") is not None:
                await self._take(message["bytes"])
            else:
                await self._hear(_read(message.get("text") or ""))

    async def _take(self, picture: bytes) -> None:
        self._pictures += 1
        answer = await run_in_threadpool(self._camera.offer, picture)
        await self._socket.send_json({"ack": self._pictures, **answer})

    async def _hear(self, said: object) -> None:
        if not isinstance(said, dict):
            raise SettingsError("a message has to be a JSON object, or bytes")
        if "ping" in said:
            await self._socket.send_json({"pong": said["ping"], "now": self._now()})
        if "dropped" in said:
            await run_in_threadpool(self._camera.skip, _number(said["dropped"]))
        if "hidden" in said:
            self._camera.hide(bool(said["hidden"]))

    async def _tend(self) -> None:
        told = self._camera.terms
        while True:
            await run_in_threadpool(self._camera.tend)
            if self._camera.terms != told:
                told = self._camera.terms
                await self._socket.send_json(told)
            await asyncio.sleep(TEND_SECONDS)


async def _first_of(*talks: Callable[[], Awaitable[None]]) -> None:
    """Run all until the first of them ends, and raise what it raised."""
    tasks = [asyncio.ensure_future(talk()) for talk in talks]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(socket: WebSocket, close_code: int, code: str, sentence: str) -> None:
    """Say why, in full and in the close frame, and close; a browser that is gone already hears nothing."""
    if socket.application_state is not WebSocketState.CONNECTED or socket.client_state is not WebSocketState.CONNECTED:
        return
    shown: dict[str, Any] = {"error": {"code": code, "message": redact(sentence)}}
    try:
        await socket.send_json(shown)
        await socket.close(close_code, close_reason(sentence))
    except (WebSocketDisconnect, RuntimeError):
        return


def _read(text: str) -> object:
    if len(text) > LONGEST_TEXT:
        raise SettingsError(f"a message of {len(text)} characters is too long: {LONGEST_TEXT} are taken")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError(f"a message is not JSON: {text[:80]!r}") from None


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SettingsError(f"dropped {value!r} is not a number of frames")
    return value
