"""How old a picture was when its result was painted, as the pages say: what they cannot know is not believed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import Histogram

from dashboard.stream import is_later
from dashboard.viewers import Viewer
from dashboard.window import MINUTE, ResultWindow

EARLY_SECONDS = 0.05  # a page's clock may be off by so much
AHEAD_SECONDS = 0.5
MOST = 50_000


@dataclass(frozen=True, slots=True)
class Painted:
    """A page's word that it painted a result; `at` is seconds since 1970 on Redis's clock."""

    camera: str
    id: str
    at: float


@dataclass(frozen=True, slots=True)
class Shown:
    """One result on one screen: `at` as above, `age` of its picture then, and `way` from its publishing, in seconds."""

    camera: str
    at: float
    age: float
    way: float


class Displays:
    """Keeps what was painted in the last minute, at most MOST of it, and observes it; safe for several threads."""

    def __init__(self, window: ResultWindow, now: Callable[[], float], seconds: Histogram) -> None:
        self._window = window
        self._now = now
        self._seconds = seconds
        self._lock = threading.Lock()
        self._shown: deque[Shown] = deque(maxlen=MOST)
        self._cameras: set[str] = set()

    def note(self, viewer: Viewer, painted: Iterable[Painted]) -> None:
        """Take a viewer's word for each result of the last minute, once; count the rest as ignored."""
        for each in painted:
            shown = self._believed(viewer.painted, each)
            if shown is None:
                viewer.ignored += 1
                continue
            viewer.painted[each.camera] = each.id
            self._seconds.labels(each.camera).observe(shown.age)
            with self._lock:
                self._shown.append(shown)
                self._cameras.add(shown.camera)

    def last_minute(self) -> list[Shown]:
        """Return what was painted in the last minute."""
        since = self._now() - MINUTE
        with self._lock:
            while self._shown and self._shown[0].at < since:
                self._shown.popleft()
            return list(self._shown)

    def keep_only(self, cameras: Collection[str]) -> None:
        """Drop what is known of all other cameras: they are no more."""
        with self._lock:
            gone = self._cameras.difference(cameras)
            if gone:
                self._cameras -= gone
                self._shown = deque((shown for shown in self._shown if shown.camera not in gone), maxlen=MOST)
        for camera in gone:
            self._seconds.remove(camera)

    def _believed(self, before: Mapping[str, str], painted: Painted) -> Shown | None:
        """Return what is to be counted: of each camera only results after the last one that the viewer has told."""
        seen = self._window.find(painted.id)
        if seen is None or not seen.analysed or seen.camera != painted.camera:
            return None
        last = before.get(painted.camera)
        if last is not None and not is_later(painted.id, last):
            return None
        if not seen.published_at - EARLY_SECONDS <= painted.at <= self._now() + AHEAD_SECONDS:
            return None
        return Shown(painted.camera, painted.at, painted.at - seen.captured_at, painted.at - seen.published_at)
