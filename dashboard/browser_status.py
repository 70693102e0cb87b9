"""How a browser's camera is: live while pictures come, stalled when they do not, off while it is paused."""

from __future__ import annotations

import time
from collections import deque

from pipeline.clock import Clock
from pipeline.entities import CameraState, CameraStatus

STALLED_SECONDS = 4.0
_WINDOW_SECONDS = 5.0


class BrowserStatus:
    """Sees a browser's pictures come; `snapshot` says how the camera is."""

    def __init__(self, camera: str, clock: Clock) -> None:
        self._camera = camera
        self._clock = clock
        self._state = CameraState.CONNECTING
        self._since = clock.now()
        self._began = time.monotonic()
        self._last: float | None = None
        self._seen: deque[float] = deque(maxlen=1000)
        self._size = (0, 0)
        self._stalls = 0
        self.is_hidden = False

    def saw(self, width: int, height: int) -> None:
        """Note a picture."""
        self._size = width, height
        self._last = time.monotonic()
        self._seen.append(self._last)

    def saw_nothing(self) -> None:
        """Note a frame that was taken and is not to be seen here: the browser delivers, if not to us."""
        self._seen.append(time.monotonic())

    def snapshot(self, *, is_paused: bool) -> CameraStatus:
        """Return the status as of now."""
        state, message = self._verdict(is_paused)
        if state is not self._state:
            self._stalls += state is CameraState.STALLED
            self._state, self._since = state, self._clock.now()
        return CameraStatus(
            camera=self._camera,
            state=state,
            message=message,
            since=self._since,
            reported_at=self._clock.now(),
            width=self._size[0],
            height=self._size[1],
            codec="jpeg",
            capture_fps=round(self._fps(), 2) if state is CameraState.LIVE else 0.0,
            stalls=self._stalls,
            producer="browser",
        )

    def _verdict(self, is_paused: bool) -> tuple[CameraState, str]:
        if is_paused:
            return CameraState.OFF, "paused"
        if self._last is None and time.monotonic() - self._began <= STALLED_SECONDS:
            return CameraState.CONNECTING, "the browser is connected, its first picture has yet to come"
        silence = time.monotonic() - (self._began if self._last is None else self._last)
        if silence <= STALLED_SECONDS:
            return CameraState.LIVE, ""
        if self.is_hidden:
            return CameraState.STALLED, "the page of this camera is hidden: bring its tab to the front"
        return CameraState.STALLED, f"no picture for {silence:.0f} s: is the page of this camera still open and its network up?"

    def _fps(self) -> float:
        """Return frames a second over the last few seconds."""
        now = time.monotonic()
        while self._seen and now - self._seen[0] > _WINDOW_SECONDS:
            self._seen.popleft()
        seconds = min(_WINDOW_SECONDS, max(1.0, now - self._began))
        return len(self._seen) / seconds
