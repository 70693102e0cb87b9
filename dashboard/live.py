"""One reader of the result stream for everybody who listens."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from dashboard.stream import BEGINNING, Entry, ResultStream
from pipeline.camera_spec import is_camera
from pipeline.entities import Result

log = logging.getLogger(__name__)

BLOCK_SECONDS = 0.5
PAUSE_SECONDS = 0.2
LISTENER_EVENTS = 2000  # that a slow listener may be behind before it is sent away, to come back and catch up


@dataclass(frozen=True, slots=True)
class Event:
    """One event as listeners get it: `kind` is result, camera or stats; `data` JSON; `id` only results have."""

    kind: str
    data: str
    id: str = ""


class Listener:
    """One listener's own queue of events; used on the event loop only."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def next(self, seconds: float) -> Event | None:
        """Return the next event, None when it is over; raises TimeoutError when there is none for `seconds`."""
        return await asyncio.wait_for(self._events.get(), seconds)

    @property
    def is_behind(self) -> bool:
        """Whether more waits for this listener than it is granted."""
        return self._events.qsize() >= LISTENER_EVENTS

    def hand(self, event: Event | None) -> None:
        """Let the listener have an event; None ends it."""
        self._events.put_nowait(event)


class LiveFeed:
    """Reads the stream on a thread of its own and hands each result to `on_results` and to all listeners.

    It begins `history_seconds` before now, so that `on_results` sees the recent past, and goes on when Redis comes back,
    from the beginning of the new stream if that is another one. Listeners and waiters live on one event loop.
    """

    def __init__(
        self,
        stream: ResultStream,
        now: Callable[[], float],
        on_results: Callable[[list[Result]], None],
        history_seconds: float,
    ) -> None:
        self._stream = stream
        self._on_results = on_results
        self._last = f"{max(0, int((now() - history_seconds) * 1000))}-0"
        self._is_from_stream = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[Listener] = set()
        self._waiters: dict[str, asyncio.Future[Result]] = {}

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def dismiss(self) -> None:
        """End every listener, and take no more."""
        self._stop.set()
        self._on_loop(self._end_listeners)

    def stop(self) -> None:
        """End the reading, after `dismiss`."""
        self._stop.set()
        self._thread.join(timeout=BLOCK_SECONDS + 5)

    def listen(self) -> Listener:
        """Return a listener that gets every event from now on; to be called on the event loop, as `leave` is."""
        self._loop = asyncio.get_running_loop()
        listener = Listener()
        self._listeners.add(listener)
        if self._stop.is_set():
            listener.hand(None)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def listeners(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def expect(self, camera: str) -> asyncio.Future[Result]:
        """Return a future of the next result of one camera; to be called on the event loop, and cancelled when unused."""
        self._loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = self._loop.create_future()
        self._waiters[camera] = waiter
        waiter.add_done_callback(lambda _: self._waiters.pop(camera, None))
        return waiter

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Hand an event that is no result to all listeners, from any thread."""
        if self._listeners:
            event = Event(kind, json.dumps(data, separators=(",", ":")))
            self._on_loop(lambda: self._spread([event]))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except redis.RedisError as error:
                log.debug("no results for now: %s", error)
                self._stop.wait(PAUSE_SECONDS)
            except Exception:  # the thread's boundary: without it nobody would hear of any result again
                log.exception("a batch of results was passed over")
                self._stop.wait(PAUSE_SECONDS)

    def _read(self) -> None:
        entries, last = self._stream.follow(self._last, BLOCK_SECONDS)
        if last != self._last:
            self._last, self._is_from_stream = last, True
            self._on_results([entry.result for entry in entries])
            self._on_loop(lambda: self._deliver(entries))
        elif self._is_from_stream and self._stream.is_behind(last):
            self._last = BEGINNING

    def _deliver(self, entries: list[Entry]) -> None:
        for entry in entries:
            waiter = self._waiters.get(entry.result.camera)
            if waiter is not None and not waiter.done():
                waiter.set_result(entry.result)
        self._spread(_event(entry) for entry in entries if is_camera(entry.result.camera))

    def _spread(self, events: Iterable[Event]) -> None:
        if not self._listeners:
            return
        for event in events:
            for listener in list(self._listeners):
                listener.hand(event)
                if listener.is_behind:
                    listener.hand(None)
                    self._listeners.discard(listener)

    def _end_listeners(self) -> None:
        for listener in self._listeners:
            listener.hand(None)
        self._listeners.clear()

    def _on_loop(self, action: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)


def _event(entry: Entry) -> Event:
    return Event("result", entry.text, entry.result.id)
