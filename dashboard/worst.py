"""The worst frames of the last hour: those that were oldest when their result came out, with their pictures."""

from __future__ import annotations

import heapq
import json
import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import redis

from pipeline.camera_spec import is_camera
from pipeline.entities import Result
from pipeline.faces import counted_faces

log = logging.getLogger(__name__)

HOUR = 3600.0
SHOWN = 5
SPELL_SECONDS = 300.0  # of each spell of the hour the worst are kept, so that the next worst are there when an hour is over
MOST_BYTES = 32 * 1024 * 1024
CLOCK_STEP_SECONDS = 1.0  # a frame so far from the future is from before Redis's clock was set back
GONE_SECONDS = 10.0  # a camera that is missing for longer was removed; Redis that was emptied has it back by then
BACKLOG = 1000


@dataclass(frozen=True, slots=True)
class WorstFrame:
    """One frame that was old: `row` is what lists show of it, `text` its whole result as JSON, `jpeg` its picture if kept."""

    id: str
    camera: str
    published_at: float
    age_seconds: float
    row: dict[str, Any]
    text: str
    jpeg: bytes | None

    @property
    def size(self) -> int:
        """Bytes of memory that count."""
        return len(self.text) + len(self.jpeg or b"")


class WorstFrames:
    """Keeps the oldest analysed frames of each five minutes of the last hour, of all cameras and of each.

    Pictures are copied by `picture_of` (camera, result id) on a thread of its own as soon as a result comes out, because Redis
    has them for moments only. All is in memory, at most 32 MB (the least old lose their pictures first), and is dropped
    after an hour or with its camera. `now` is seconds since 1970 on Redis's clock.
    """

    def __init__(self, picture_of: Callable[[str, str], bytes | None], now: Callable[[], float]) -> None:
        self._picture_of = picture_of
        self._now = now
        self._lock = threading.Lock()
        self._frames: dict[str, WorstFrame] = {}
        self._missing_since: dict[str, float] = {}
        self._arriving: queue.Queue[Result | None] = queue.Queue(BACKLOG)
        self._thread = threading.Thread(target=self._run, name="worst", daemon=True)

    def start(self) -> None:
        """Begin to take over what `add` was given."""
        self._thread.start()

    def stop(self) -> None:
        """End, and forget everything."""
        self._arriving.put(None)
        self._thread.join(timeout=5)
        with self._lock:
            self._frames.clear()

    def add(self, results: Iterable[Result]) -> None:
        """Look at results that came out; returns at once, and passes over some when far behind."""
        for result in results:
            if result.error is None and is_camera(result.camera):
                try:
                    self._arriving.put_nowait(result)
                except queue.Full:
                    log.debug("result %s was not looked at: too many at once", result.id)

    def expire(self) -> None:
        """Drop what is older than an hour, whether anything new comes or not; called each second."""
        with self._lock:
            self._frames = {name: frame for name, frame in self._frames.items() if self._is_of_the_hour(frame)}

    def keep_only(self, cameras: Collection[str]) -> None:
        """Drop the frames of cameras that were not among these for GONE_SECONDS; called each second."""
        now = self._now()
        with self._lock:
            missing = {frame.camera for frame in self._frames.values()} - set(cameras)
            self._missing_since = {camera: self._missing_since.get(camera, now) for camera in missing}
            gone = {camera for camera, since in self._missing_since.items() if now - since > GONE_SECONDS}
            self._frames = {name: frame for name, frame in self._frames.items() if frame.camera not in gone}

    def forget_pictures(self, cameras: Collection[str] | None = None) -> None:
        """Drop all pictures, or those of these cameras, and keep the rest."""
        with self._lock:
            self._frames = {
                name: _without_picture(frame) if cameras is None or frame.camera in cameras else frame
                for name, frame in self._frames.items()
            }

    def forget(self, results: Collection[str], tracks: Collection[str]) -> None:
        """Drop the frames of these results, and those that show these tracks."""
        named = [f'"{track}"' for track in tracks]
        with self._lock:
            self._frames = {
                name: frame
                for name, frame in self._frames.items()
                if name not in results and not any(track in frame.text for track in named)
            }

    def overall(self) -> list[WorstFrame]:
        """Return the worst of all cameras, the oldest first."""
        return heapq.nlargest(SHOWN, self._of_the_hour(), key=_age)

    def by_camera(self) -> list[WorstFrame]:
        """Return the worst frame of each camera, the oldest first."""
        worst: dict[str, WorstFrame] = {}
        for frame in self._of_the_hour():
            worst[frame.camera] = max(worst.get(frame.camera, frame), frame, key=_age)
        return sorted(worst.values(), key=_age, reverse=True)

    def get(self, result_id: str) -> WorstFrame | None:
        """Return one of the frames, None for one that is not kept (any more)."""
        return next((frame for frame in self._of_the_hour() if frame.id == result_id), None)

    def _of_the_hour(self) -> list[WorstFrame]:
        with self._lock:
            return [frame for frame in self._frames.values() if self._is_of_the_hour(frame)]

    def _is_of_the_hour(self, frame: WorstFrame) -> bool:
        return -CLOCK_STEP_SECONDS < self._now() - frame.published_at < HOUR

    def _run(self) -> None:
        while (result := self._arriving.get()) is not None:
            try:
                self._look_at(result)
            except Exception:  # the thread's boundary: the next result may be well
                log.exception("result %s was not looked at", result.id)
            finally:
                self._arriving.task_done()

    def _look_at(self, result: Result) -> None:
        if self._is_among_the_worst(result):
            frame = _frame(result, self._picture(result))
            with self._lock:
                self._frames[result.id] = frame
                self._frames = {kept.id: kept for kept in self._worth_keeping()}
                self._fit()

    def _is_among_the_worst(self, result: Result) -> bool:
        with self._lock:
            spell = [frame for frame in self._frames.values() if _spell(frame.published_at) == _spell(result.published_at)]
        older = [frame for frame in spell if frame.age_seconds >= result.age_seconds]
        return len(older) < SHOWN or all(frame.camera != result.camera for frame in older)

    def _picture(self, result: Result) -> bytes | None:
        try:
            return self._picture_of(result.camera, result.id)
        except redis.RedisError as error:
            log.debug("no picture of %s: %s", result.id, error)
            return None

    def _worth_keeping(self) -> Iterator[WorstFrame]:
        """Yield of each spell of the last hour the worst of all and of each camera; the oldest first."""
        taken: dict[int, int] = {}
        seen: set[tuple[int, str]] = set()
        for frame in sorted(self._frames.values(), key=_age, reverse=True):
            spell = _spell(frame.published_at)
            is_worst = taken.get(spell, 0) < SHOWN or (spell, frame.camera) not in seen
            if self._is_of_the_hour(frame) and is_worst:
                taken[spell] = taken.get(spell, 0) + 1
                seen.add((spell, frame.camera))
                yield frame

    def _fit(self) -> None:
        """Let the least old frames lose their pictures, and then go, until the rest fits."""
        size = sum(frame.size for frame in self._frames.values())
        least_old_first = sorted(self._frames.values(), key=_age)
        for frame in least_old_first:
            if size > MOST_BYTES and frame.jpeg:
                self._frames[frame.id] = _without_picture(frame)
                size -= len(frame.jpeg)
        for frame in least_old_first:
            if size > MOST_BYTES:
                size -= self._frames.pop(frame.id).size


def _without_picture(frame: WorstFrame) -> WorstFrame:
    if frame.jpeg is None:
        return frame
    text = _as_text({**json.loads(frame.text), "has_picture": False})
    return replace(frame, jpeg=None, row={**frame.row, "has_picture": False}, text=text)


def _age(frame: WorstFrame) -> float:
    return frame.age_seconds


def _spell(moment: float) -> int:
    return int(moment // SPELL_SECONDS)


def _frame(result: Result, jpeg: bytes | None) -> WorstFrame:
    whole = {**result.as_json(), "host": result.worker.rpartition(":")[0], "has_picture": jpeg is not None}
    row = {name: value for name, value in whole.items() if name not in result.response} | {
        "faces": len(counted_faces(result.response))
    }
    return WorstFrame(
        id=result.id,
        camera=result.camera,
        published_at=result.published_at,
        age_seconds=result.age_seconds,
        row=row,
        text=_as_text(whole),
        jpeg=jpeg,
    )


def _as_text(whole: dict[str, Any]) -> str:
    return json.dumps(whole, allow_nan=False, separators=(",", ":"))
