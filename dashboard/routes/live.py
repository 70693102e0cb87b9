"""The smooth picture: a socket for each viewer, binary pictures out, wishes in; docs/api.md tells the messages."""

from __future__ import annotations

import json

import anyio
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard import viewer_messages
from dashboard.parts import Parts
from dashboard.sockets import Allowance, close_reason
from dashboard.viewers import MOST_VIEWERS, Viewer
from pipeline.errors import SettingsError

BAD_MESSAGE, TRY_LATER = 1008, 1013  # RFC 6455, section 7.4.1, and IANA's list after it
MESSAGES_PER_SECOND, MESSAGES_AT_ONCE = 50.0, 100


def add(router: APIRouter, parts: Parts) -> None:
    """Add the route of viewers."""

    @router.websocket("/api/live")
    async def watch(socket: WebSocket) -> None:
        """Send each viewer the newest pictures of the cameras that it watches."""
        await socket.accept()
        viewer = parts.viewers.join()
        if viewer is None:
            await socket.close(TRY_LATER, f"{MOST_VIEWERS} watch already: close one of them")
            return
        try:
            await _serve(socket, viewer, parts)
        finally:
            parts.viewers.leave(viewer)


async def _serve(socket: WebSocket, viewer: Viewer, parts: Parts) -> None:
    """Send and listen until the viewer leaves, or says what nobody understands."""
    async with anyio.create_task_group() as both:
        both.start_soon(_send, socket, viewer)
        try:
            await _listen(socket, viewer, parts)
        except WebSocketDisconnect:
            pass
        except SettingsError as error:
            await socket.close(BAD_MESSAGE, close_reason(str(error)))
        both.cancel_scope.cancel()


async def _send(socket: WebSocket, viewer: Viewer) -> None:
    """Send what is newest, as fast as the network takes it: what it does not take is replaced meanwhile."""
    try:
        while True:
            await socket.send_bytes(await viewer.next())
    except (WebSocketDisconnect, RuntimeError):  # it left; the listening side ends the rest
        return


async def _listen(socket: WebSocket, viewer: Viewer, parts: Parts) -> None:
    allowance = Allowance(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE)
    while True:
        received = await socket.receive()
        if received["type"] == "websocket.disconnect":
            return
        allowance.spend()
        message = viewer_messages.read(_text(received.get("text")))
        if message.watch is not None:
            parts.viewers.want(viewer, message.watch)
        viewer.rate = message.rate or viewer.rate
        if message.ping is not None:
            await socket.send_text(json.dumps({"pong": message.ping, "now": parts.clock.now()}))
        parts.displays.note(viewer, message.painted)


def _text(received: str | None) -> str:
    if received is None:
        raise SettingsError("messages are JSON in text, not bytes")
    return received
