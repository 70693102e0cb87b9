"""Who has signed in: sessions in memory, each known by the hash of what its browser's cookie holds."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable

import anyio

LIFETIME_SECONDS = 7 * 24 * 3600
IDLE_SECONDS = 24 * 3600
MOST = 1000
LOOK_SECONDS = 5.0  # an open stream looks this often whether its session has run out
_RANDOM_BYTES = 32


class Session:
    """One browser that has signed in; `over` is set when it signs out or has to make room."""

    __slots__ = ("began", "over", "used")

    def __init__(self, now: float) -> None:
        self.began = now
        self.used = now
        self.over = asyncio.Event()


class Sessions:
    """The sessions of one dashboard; they end with it, after a week, a day without use, or a sign-out.

    Beyond MOST of them the one that was not used for longest makes room. Used on the event loop only.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[bytes, Session] = {}

    def begin(self) -> str:
        """Start a session and return what its cookie has to hold, which is kept nowhere here."""
        for key in [key for key, session in self._known.items() if not self._is_good(session)]:
            self._close(key)
        while len(self._known) >= MOST:
            self._close(min(self._known, key=lambda key: self._known[key].used))
        value = secrets.token_urlsafe(_RANDOM_BYTES)
        self._known[_hash(value)] = Session(self._clock())
        return value

    def find(self, value: str | None) -> Session | None:
        """Return the session of a cookie if it still lasts; that counts as using it."""
        session = self._known.get(_hash(value)) if value else None
        if session is None or not self._is_good(session):
            return None
        session.used = self._clock()
        return session

    def end(self, value: str | None) -> None:
        """Sign out, wherever the session is in use."""
        if value:
            self._close(_hash(value))

    async def wait_for_end(self, session: Session) -> None:
        """Return once a session is over; to wait for it counts as using it."""
        while self._is_good(session):
            session.used = self._clock()
            with anyio.move_on_after(LOOK_SECONDS):
                await session.over.wait()

    def _is_good(self, session: Session) -> bool:
        now = self._clock()
        return not session.over.is_set() and now < session.began + LIFETIME_SECONDS and now < session.used + IDLE_SECONDS

    def _close(self, key: bytes) -> None:
        session = self._known.pop(key, None)
        if session is not None:
            session.over.set()


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
