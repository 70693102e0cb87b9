"""How late the frames of a live stream are read: a reader that falls behind must not sell old pictures as new."""

from __future__ import annotations

DRIFT = 0.0005  # clocks of cameras go wrong by a tenth of this
IDLE_SHARE = 0.5
WINDOW_SECONDS = 1.0
TRUSTED_SECONDS = 60.0


class Lateness:
    """Compares each frame's position with the best it ever was.

    A frame that came as fast as any before it is not late; one that waited in some buffer, ours or the network's, is late by
    that much. The best is forgotten slowly, as clocks drift, and at once when the reader idles while it seems to be behind:
    then it is the camera's time stamps that are wrong.
    """

    def __init__(self) -> None:
        self._best = 0.0
        self._last: float | None = None
        self._window_began = 0.0
        self._waited = 0.0

    def of(self, position: float, now: float, waited: float) -> float:
        """Return how many seconds late the frame at `position` is, that was read at `now` after having `waited` for data."""
        offset = now - position
        if self._last is None:
            self._last = self._window_began = now
            self._best = offset
        self._best = min(offset, self._best + DRIFT * (now - self._last))
        self._last = now
        if self._is_idle(now, waited) or offset - self._best > TRUSTED_SECONDS:
            self._best = offset
        return offset - self._best

    def _is_idle(self, now: float, waited: float) -> bool:
        """Say, at the end of each second, whether most of it was spent waiting for the camera."""
        self._waited += waited
        span = now - self._window_began
        if span < WINDOW_SECONDS:
            return False
        idle = self._waited > IDLE_SHARE * span
        self._window_began, self._waited = now, 0.0
        return idle
