"""What a capture says of its camera: the state, in legal moves only, and what has been seen."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Protocol

from pipeline.clock import Clock
from pipeline.entities import CameraState, CameraStatus
from pipeline.errors import CameraError, CameraNotFound, CameraUnauthorized, UnsupportedSource, redact
from producer.sources.base import CameraFroze, Moment

log = logging.getLogger(__name__)

_FPS_WINDOW_SECONDS = 5.0


class CaptureMetrics(Protocol):
    """Where a capture counts what it does; prometheus-client or nothing."""

    def reconnect(self, camera: str) -> None:
        """Count a camera that came back."""
        ...

    def stall(self, camera: str) -> None:
        """Count a freeze."""
        ...

    def encoded(self, camera: str, seconds: float, size: int) -> None:
        """Observe one encoded frame: its time and its bytes."""
        ...


class NoMetrics:
    """Counts nothing."""

    def reconnect(self, camera: str) -> None:
        """Do nothing."""

    def stall(self, camera: str) -> None:
        """Do nothing."""

    def encoded(self, camera: str, seconds: float, size: int) -> None:
        """Do nothing."""


class IllegalMoveError(RuntimeError):
    """A state that may not follow the one before: an error of this program."""


class StatusBoard:
    """One camera's status, written by the threads of its capture; begins as OFF.

    `changed` is set with every new state, for whoever reports it to clear.
    """

    def __init__(self, camera: str, clock: Clock, producer: str = "", metrics: CaptureMetrics | None = None) -> None:
        self._clock = clock
        self._metrics = metrics or NoMetrics()
        self._lock = threading.Lock()
        self._status = CameraStatus(camera, CameraState.OFF, since=clock.now(), producer=producer)
        self._frames = 0
        self._seen: deque[tuple[float, int]] = deque()
        self._last_frame = time.monotonic()
        self._was_live = False
        self._reopened = False
        self._patience = float("inf")
        self._is_closed = False
        self.changed = threading.Event()

    @property
    def state(self) -> CameraState:
        """The state now."""
        return self._status.state

    def become(self, state: CameraState, message: str = "") -> None:
        """Move to `state`, or stay there with another message; raises IllegalMoveError."""
        with self._lock:
            self._become(state, message)

    def opened(self, codec: str, patience: float) -> None:
        """Note that a connection is there, though no frame yet; without one for `patience` seconds it counts as frozen."""
        with self._lock:
            self._reopened = True
            self._patience = patience
            self._last_frame = time.monotonic()
            self._status = replace(self._status, codec=codec)

    def saw(self, moment: Moment) -> None:
        """Note a frame: the camera is live."""
        with self._lock:
            if self._is_left_alone:
                return
            self._frames += 1
            self._last_frame = time.monotonic()
            if (moment.width, moment.height) != (self._status.width, self._status.height):
                self._status = replace(self._status, width=moment.width, height=moment.height)
            if self._status.state is not CameraState.LIVE:
                self._came_back()
                self._become(CameraState.LIVE, "")
                self._seen.append((self._last_frame, self._frames))

    def lost(self, error: CameraError) -> None:
        """Note why there is no connection, or no more."""
        state = _state_after(error)
        with self._lock:
            if self._is_left_alone:
                return
            if self._status.state is CameraState.LIVE and state is not CameraState.STALLED:
                self._become(CameraState.CONNECTING, str(error))
            if state is CameraState.STALLED and self._status.state not in (CameraState.LIVE, state):
                state = CameraState.CONNECTING  # it never sent anything, so it cannot have stopped
            self._stall_if_new(state)
            self._become(state, str(error))

    def close(self) -> None:
        """Say that the camera is off; what a reading thread may still notice, stuck in some library, no longer counts."""
        with self._lock:
            self._become(CameraState.OFF, "")
            self._is_closed = True

    def rest(self, message: str) -> None:
        """Say that the camera is left alone for a while; until it is connected to anew, nothing else counts."""
        with self._lock:
            self._become(CameraState.OFF, message)
            self._was_live = False

    def check_frozen(self) -> None:
        """Notice a freeze of which the reading thread, stuck in some library, cannot tell."""
        with self._lock:
            silence = time.monotonic() - self._last_frame
            if self._status.state is CameraState.LIVE and silence > self._patience:
                self._stall_if_new(CameraState.STALLED)
                self._become(CameraState.STALLED, f"no picture for {silence:.0f} s: is the camera hanging?")

    def snapshot(self) -> CameraStatus:
        """Return the status as of now."""
        with self._lock:
            return replace(self._status, capture_fps=round(self._measured_fps(), 2), reported_at=self._clock.now())

    @property
    def _is_left_alone(self) -> bool:
        """Whether what a reading thread notices, stuck in some library since before, no longer counts."""
        return self._is_closed or self._status.state is CameraState.OFF

    def _become(self, state: CameraState, message: str) -> None:
        now = self._status.state
        if state is now:
            self._status = replace(self._status, message=redact(message))
            return
        if not now.may_become(state):
            raise IllegalMoveError(f"{self._status.camera}: {now} may not become {state}")
        log.info("camera %s is %s%s", self._status.camera, state, f": {redact(message)}" if message else "")
        self._status = replace(self._status, state=state, message=redact(message), since=self._clock.now())
        self._seen.clear()
        self.changed.set()

    def _came_back(self) -> None:
        if self._was_live and self._reopened:
            self._status = replace(self._status, reconnects=self._status.reconnects + 1)
            self._metrics.reconnect(self._status.camera)
        self._was_live, self._reopened = True, False

    def _stall_if_new(self, state: CameraState) -> None:
        if state is CameraState.STALLED and self._status.state is not state:
            self._status = replace(self._status, stalls=self._status.stalls + 1)
            self._metrics.stall(self._status.camera)

    def _measured_fps(self) -> float:
        """Return frames a second over the last few seconds in this state, 0 when it is not live."""
        if self._status.state is not CameraState.LIVE:
            return 0.0
        now = time.monotonic()
        self._seen.append((now, self._frames))
        while now - self._seen[0][0] > _FPS_WINDOW_SECONDS:
            self._seen.popleft()
        began, frames = self._seen[0]
        return (self._frames - frames) / (now - began) if now > began else 0.0


def _state_after(error: CameraError) -> CameraState:
    if isinstance(error, CameraFroze):
        return CameraState.STALLED
    if isinstance(error, CameraUnauthorized):
        return CameraState.UNAUTHORIZED
    if isinstance(error, CameraNotFound | UnsupportedSource):
        return CameraState.NOT_FOUND
    return CameraState.CONNECTING
