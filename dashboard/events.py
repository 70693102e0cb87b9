"""Server-sent events: everything at the beginning, then what changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import redis
from starlette.concurrency import run_in_threadpool

from dashboard.live import Event, Listener
from dashboard.parts import Parts
from dashboard.stream import is_later

HEARTBEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 1000
CATCH_UP = 500  # results read at a time

_HEARTBEAT = ": alive\n\n"


async def stream(parts: Parts, last: str | None) -> AsyncIterator[str]:
    """Yield the text of the event stream; with `last`, the results that came after that id go first."""
    listener = parts.feed.listen()
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        for event in await _beginning(parts):
            yield _text(event)
        async for event in _missed(parts, last):
            last = event.id
            yield _text(event)
        async for text in _following(listener, last):
            yield text
    finally:
        parts.feed.leave(listener)


async def _beginning(parts: Parts) -> list[Event]:
    """Return all cameras and the figures, or nothing while Redis is away."""
    try:
        cameras = await run_in_threadpool(parts.desk.all)
        figures = await run_in_threadpool(parts.stats.look)
    except redis.RedisError:
        return []
    return [*(Event("camera", json.dumps(camera)) for camera in cameras), Event("stats", json.dumps(figures))]


async def _missed(parts: Parts, last: str | None) -> AsyncIterator[Event]:
    while last is not None:
        try:
            entries, following = await run_in_threadpool(parts.stream.after, last, CATCH_UP)
        except redis.RedisError:
            return
        for entry in entries:
            yield Event("result", entry.text, entry.result.id)
        last = following if len(entries) == CATCH_UP else None


async def _following(listener: Listener, last: str | None) -> AsyncIterator[str]:
    while True:
        try:
            event = await listener.next(HEARTBEAT_SECONDS)
        except TimeoutError:
            yield _HEARTBEAT
            continue
        if event is None:
            return
        if event.id and last is not None and not is_later(event.id, last):
            continue  # it was among those that were missed
        yield _text(event)


def _text(event: Event) -> str:
    identity = f"id: {event.id}\n" if event.id else ""
    return f"event: {event.kind}\n{identity}data: {event.data}\n\n"
