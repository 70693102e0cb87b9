"""Who watches which cameras, and the newest picture of each that every viewer still has to get.

previews (Redis's channels) ──╮
├──> Viewers ──> a slot per viewer and camera ──> its socket
analysed frames (Redis) ──────╯
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import redis
from starlette.concurrency import run_in_threadpool

from pipeline.entities import Preview, Result
from pipeline.previews import about, pack
from pipeline.results import NewestFrame

log = logging.getLogger(__name__)

MOST_VIEWERS = 200
NO_PREVIEW_SECONDS = 1.0
SOON_ENOUGH = 0.9  # of the time between two previews: they do not come evenly
CLOCK_STEP_SECONDS = 1.0  # a picture so far from the future tells that Redis's clock was set back


class Mode(StrEnum):
    """What a viewer wants of a camera."""

    PREVIEW = "preview"  # previews, and analysed frames while none come
    FRAME = "frame"  # analysed frames


class Viewer:
    """One viewer: what is watched, and for each camera the newest picture that was not sent yet; newer ones replace it.

    Used on the event loop only. The camera that has waited longest is sent first, so that none is left out where the
    network carries less than all of them. `rate` is how many previews a second of each camera it takes at most. `painted`
    is the newest result that the viewer said it had painted, by camera, and `ignored` counts what it said in vain.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.wanted: Mapping[str, Mode] = {}
        self.rate = float("inf")
        self.painted: dict[str, str] = {}
        self.ignored = 0
        self._now = now
        self._slots: dict[str, bytes] = {}
        self._newest: dict[str, float] = {}
        self._filled = asyncio.Event()

    def want(self, wanted: Mapping[str, Mode]) -> set[str]:
        """Watch these cameras and no others; return those that are watched anew or in another way."""
        fresh = {camera for camera, mode in wanted.items() if self.wanted.get(camera) is not mode}
        kept = wanted.keys() - fresh
        self._slots = {camera: message for camera, message in self._slots.items() if camera in kept}
        self._newest = {camera: moment for camera, moment in self._newest.items() if camera in kept}
        self.wanted = wanted
        return fresh

    def has_time_for(self, camera: str, captured_at: float) -> bool:
        """Say whether a preview is wanted so soon after the one before it."""
        since = captured_at - self._newest.get(camera, 0.0)
        return since < 0 or since >= SOON_ENOUGH / self.rate

    def hand(self, camera: str, captured_at: float, message: bytes) -> None:
        """Let the viewer have a picture, unless it was handed one that is as new."""
        if captured_at <= self._newest.get(camera, 0.0) <= self._now() + CLOCK_STEP_SECONDS:
            return
        self._newest[camera] = captured_at
        self._slots[camera] = message
        self._filled.set()

    async def next(self) -> bytes:
        """Return the message that is to be sent next."""
        while not self._slots:
            self._filled.clear()
            await self._filled.wait()
        return self._slots.pop(next(iter(self._slots)))


class Viewers:
    """All viewers of this dashboard; lives on one event loop, but for `know`, `show` and `hear`, which any thread may call.

    `newest_frame` reads a camera's newest analysed frame and may raise redis.RedisError; it is asked once for all viewers
    that want a result's picture. `watch` is told which cameras' previews are wanted, whenever that changes. A camera that
    is not known is shown from the moment it is.
    """

    def __init__(
        self,
        newest_frame: Callable[[str], NewestFrame | None],
        watch: Callable[[frozenset[str]], None],
        now: Callable[[], float],
    ) -> None:
        self._newest_frame = newest_frame
        self._watch = watch
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._known = frozenset[str]()
        self._viewers: set[Viewer] = set()
        self._by_camera: Mapping[str, list[Viewer]] = {}
        self._previews = frozenset[str]()
        self._preview_at: dict[str, float] = {}
        self._fetching: dict[str, asyncio.Task[None]] = {}
        self._fetch_again: set[str] = set()

    def __len__(self) -> int:
        """How many watch."""
        return len(self._viewers)

    def join(self) -> Viewer | None:
        """Return a new viewer, which watches nothing yet; None when there are too many."""
        self._loop = asyncio.get_running_loop()
        if len(self._viewers) >= MOST_VIEWERS:
            return None
        viewer = Viewer(self._now)
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        log.debug("a viewer left; %d of its reports of painted results were not believed", viewer.ignored)
        self._viewers.discard(viewer)
        viewer.want({})
        self._count()

    def want(self, viewer: Viewer, wanted: Mapping[str, Mode]) -> None:
        """Let a viewer watch these cameras and no others; it is handed the newest analysed frame of each new one at once."""
        self._begin(viewer.want(wanted))

    def know(self, cameras: Iterable[str]) -> None:
        """Say which cameras there are."""
        known = frozenset(cameras)
        if known != self._known:
            fresh, self._known = known - self._known, known
            self._on_loop(lambda: self._begin(fresh))

    def show(self, preview: Preview) -> None:
        """Hand a preview to those who want it."""
        message = pack({"kind": "preview", **about(preview)}, preview.jpeg)
        self._on_loop(lambda: self._spread_preview(preview, message))

    def hear(self, results: Iterable[Result]) -> None:
        """Fetch the analysed frames of these results for those who want them."""
        watched = self._by_camera
        cameras = {result.camera for result in results if result.error is None and result.camera in watched}
        if cameras:
            self._on_loop(lambda: self._fetch_where_wanted(cameras))

    def _begin(self, fresh: Iterable[str]) -> None:
        """Count anew who watches what, and fetch a first picture of cameras that somebody may have begun to watch."""
        self._count()
        for camera in fresh:
            if camera in self._by_camera:
                self._fetch(camera)

    def _count(self) -> None:
        by_camera: defaultdict[str, list[Viewer]] = defaultdict(list)
        for viewer in self._viewers:
            for camera in viewer.wanted.keys() & self._known:
                by_camera[camera].append(viewer)
        self._by_camera = dict(by_camera)
        self._preview_at = {camera: moment for camera, moment in self._preview_at.items() if camera in by_camera}
        previews = frozenset(
            camera for camera, viewers in by_camera.items() if any(viewer.wanted[camera] is Mode.PREVIEW for viewer in viewers)
        )
        if previews != self._previews:
            self._previews = previews
            self._watch(previews)

    def _spread_preview(self, preview: Preview, message: bytes) -> None:
        self._preview_at[preview.camera] = self._time()
        for viewer in self._by_camera.get(preview.camera, ()):
            if viewer.wanted[preview.camera] is Mode.PREVIEW and viewer.has_time_for(preview.camera, preview.captured_at):
                viewer.hand(preview.camera, preview.captured_at, message)

    def _fetch_where_wanted(self, cameras: Iterable[str]) -> None:
        for camera in cameras:
            if any(self._wants_frame(viewer, camera) for viewer in self._by_camera.get(camera, ())):
                self._fetch(camera)

    def _wants_frame(self, viewer: Viewer, camera: str) -> bool:
        if viewer.wanted[camera] is Mode.FRAME:
            return True
        return self._time() - self._preview_at.get(camera, float("-inf")) > NO_PREVIEW_SECONDS

    def _fetch(self, camera: str) -> None:
        """Fetch a camera's newest analysed frame; once more after a fetch that is under way, however often it is asked for."""
        if camera in self._fetching:
            self._fetch_again.add(camera)
            return
        task = asyncio.get_running_loop().create_task(self._fetch_and_spread(camera))
        self._fetching[camera] = task
        task.add_done_callback(lambda _: self._fetched(camera))

    def _fetched(self, camera: str) -> None:
        del self._fetching[camera]
        if camera in self._fetch_again:
            self._fetch_again.discard(camera)
            self._fetch(camera)

    async def _fetch_and_spread(self, camera: str) -> None:
        try:
            frame = await run_in_threadpool(self._newest_frame, camera)
        except redis.RedisError as error:
            log.debug("no frame of camera %s for those who watch: %s", camera, error)
            return
        if frame is None:
            return
        message = pack(_about_frame(camera, frame), frame.jpeg)
        for viewer in self._by_camera.get(camera, ()):
            if self._wants_frame(viewer, camera):
                viewer.hand(camera, frame.captured_at, message)

    def _time(self) -> float:
        return asyncio.get_running_loop().time()

    def _on_loop(self, action: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)


def _about_frame(camera: str, frame: NewestFrame) -> dict[str, str | float | int]:
    return {
        "kind": "frame",
        "camera": camera,
        "captured_at": round(frame.captured_at, 6),
        "width": frame.width,
        "height": frame.height,
        "result_id": frame.result_id,
    }
