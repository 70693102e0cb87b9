"""Previews are made while somebody watches, and cost nothing while nobody does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis

from pipeline.broker import Broker
from pipeline.clock import SystemClock
from pipeline.entities import Camera, Policy, Preview
from pipeline.errors import CameraUnauthorized
from pipeline.previews import PreviewListener, PreviewPublisher
from producer.preview import Previews, SideReader
from producer.reader import Opener
from producer.sampler import Sample
from producer.sources import Source, open_source
from producer.sources.base import Pixels, Unreadable
from tests.cameras.clips import Clips, read_stamp
from tests.cameras.process import CameraProcess
from tests.conftest import Valkey, wait_until
from tests.producer.witness import RunningCapture, Witness

DOOR = Camera("door", "demo", fps=5.0)


class Screen:
    """Those who watch: remembers what they were shown; `error` is raised instead of an answer."""

    def __init__(self, watchers: int = 0) -> None:
        self.watching = watchers
        self.error: redis.RedisError | None = None
        self.looks = 0
        self._changed = threading.Condition()
        self.shown: list[Preview] = []

    def watchers(self, camera: str) -> int:
        self.looks += 1
        if self.error:
            raise self.error
        return self.watching

    def publish(self, preview: Preview) -> int:
        if self.error:
            raise self.error
        with self._changed:
            self.shown.append(preview)
            self._changed.notify_all()
        return self.watching

    def wait_for(self, condition: Callable[[list[Preview]], object], seconds: float = 20.0) -> list[Preview]:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(condition(self.shown)), seconds), f"{len(self.shown)} previews"
            return list(self.shown)

    def wait_for_more(self, count: int, seconds: float = 20.0) -> list[Preview]:
        before = len(self.shown)
        return self.wait_for(lambda shown: len(shown) >= before + count, seconds)[before:]


@pytest.fixture
def open_demo(portraits: Path) -> Opener:
    return partial(open_source, demo_folder=portraits)


@contextmanager
def watched(camera: Camera, open_camera: Opener, screen: Screen) -> Iterator[Witness]:
    """Run a capture of the camera whose previews go to the screen."""
    previews = Previews(camera, open_camera=open_camera, channel=screen, clock=SystemClock())
    with RunningCapture(camera, open_camera=open_camera, audience=previews) as seen:
        yield seen


def stamp_of(preview: Preview) -> int | None:
    return read_stamp(np.asarray(cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8))


def is_stamped(shown: list[Preview]) -> bool:
    return bool(shown) and stamp_of(shown[-1]) is not None


# --- when, and how many ---


def test_previews_come_while_somebody_watches(open_demo: Opener) -> None:
    """Ten a second, 640 pixels long, small and fresh; none before; the analysed frames are not disturbed."""
    screen = Screen()
    with watched(DOOR, open_demo, screen) as seen:
        seen.wait_for_frames(3)
        assert screen.shown == []
        screen.watching = 1
        began = time.monotonic()
        first = screen.wait_for_more(1)[0]
        assert time.monotonic() - began < 4.0
        shown = screen.wait_for_more(16)
        frames = seen.wait_for_frames(3)
    steps = np.diff([preview.captured_at for preview in shown])
    assert 0.08 < np.mean(steps) < 0.4
    assert (first.camera, first.width, first.height) == ("door", 640, 360)
    image = cv2.imdecode(np.frombuffer(first.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (360, 640, 3)
    assert len(first.jpeg) < 60_000
    assert [frame.number for frame in frames] == list(range(frames[0].number, frames[0].number + 3))
    assert 0.15 < np.mean(np.diff([frame.captured_at for frame in frames])) < 0.8


def test_previews_end_when_nobody_watches_any_more(open_demo: Opener) -> None:
    """The answer to a preview tells it, so that hardly another is made; and they come again when somebody looks again."""
    screen = Screen(watchers=1)
    with watched(DOOR, open_demo, screen) as seen:
        screen.wait_for_more(2)
        screen.watching = 0
        before = len(screen.shown)
        seen.wait_for_frames(4)
        assert len(screen.shown) <= before + 2
        assert "previews of door" not in {thread.name for thread in threading.enumerate()}
        screen.watching = 1
        again = screen.wait_for_more(1)[0]
        assert time.time() - again.captured_at < 4.0
    assert "previews of door" not in {thread.name for thread in threading.enumerate()}


def test_files_that_lose_nothing_are_shown_too(clips: Clips, open_demo: Opener) -> None:
    """What is analysed of a file is what is seen of it."""
    screen = Screen(watchers=1)
    film = Camera("film", str(clips.video("360")), fps=25.0, policy=Policy.EVERY)
    with watched(film, open_demo, screen) as seen:
        seen.wait_for_frames(50, 10)
        shown = screen.wait_for(is_stamped)
    assert {(preview.width, preview.height) for preview in shown} == {(640, 360)}


# --- what may go wrong ---


def test_redis_goes_and_comes_back(open_demo: Opener) -> None:
    """Previews end quietly, the capture goes on, and they are there again when Redis is."""
    screen = Screen(watchers=1)
    with watched(DOOR, open_demo, screen) as seen:
        screen.wait_for_more(1)
        screen.error = redis.ConnectionError("away")
        before, looks = len(screen.shown), screen.looks
        seen.wait_for_frames(3)
        wait_until(lambda: screen.looks > looks + 1)
        assert len(screen.shown) <= before + 1
        screen.error = None
        screen.wait_for_more(2)


def test_a_picture_that_cannot_be_converted_is_passed_over() -> None:
    """Those after it are shown."""
    screen = Screen(watchers=1)
    previews = Previews(DOOR, open_camera=open_source, channel=screen, clock=SystemClock())
    previews.look()
    previews.put(Sample(Unreadable("broken"), 1.0))
    wait_until(lambda: previews._newest._sample is None)
    previews.put(Sample(Pixels(np.zeros((3000, 2000, 3), np.uint8)), 2.0))
    shown = screen.wait_for_more(1)
    previews.close()
    assert [(preview.captured_at, preview.width, preview.height) for preview in shown] == [(2.0, 427, 640)]


def test_over_a_real_redis(session_valkey: Valkey, broker: Broker, open_demo: Opener) -> None:
    """What the publisher hands on is what a listener hears, from its first word to its last."""
    listener = PreviewListener(broker.jobs)
    previews = Previews(DOOR, open_camera=open_demo, channel=PreviewPublisher(broker.scripts), clock=SystemClock())
    with RunningCapture(DOOR, open_camera=open_demo, audience=previews):
        listener.watch(frozenset({"door"}))
        heard: list[Preview] = []
        wait_until(lambda: heard.extend(filter(None, [listener.next(0.5)])) or len(heard) >= 5)
        listener.close()
        wait_until(lambda: not previews._is_watched, 1.0)
    assert {(preview.camera, preview.width, preview.height) for preview in heard} == {("door", 640, 360)}
    assert abs(heard[-1].captured_at - time.time()) < 3
    assert broker.scripts.keys() == []


# --- the other address ---


def test_preview_url_is_read_while_somebody_watches(
    fragile: CameraProcess, open_demo: Opener, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pictures are shown; the main ones while it is away, told once; its own again when it is back; none after."""
    monkeypatch.setattr("producer.preview.TELL_SECONDS", 1.0)
    screen = Screen(watchers=1)
    camera = replace(DOOR, preview_url=fragile.url("360"))
    with caplog.at_level(logging.WARNING), watched(camera, open_demo, screen) as seen:
        screen.wait_for(is_stamped)
        assert all(stamp_of(preview) is not None for preview in screen.wait_for_more(5))
        fragile.kill()
        screen.wait_for(lambda shown: not is_stamped(shown))
        screen.wait_for_more(15)  # more than a second
        fragile.start()
        screen.wait_for(is_stamped, 8)
        screen.watching = 0
        seen.wait_for_frames(3)
        wait_until(lambda: [thread.name for thread in threading.enumerate()].count("reader of door") == 1)
    moments = [preview.captured_at for preview in screen.shown]
    assert moments == sorted(moments)
    told = [record.getMessage() for record in caplog.records if "preview_url" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("camera door: preview_url gives no pictures (")
    assert "rtsp://127.0.0.1" in told[0]


def test_a_refused_password_is_not_tried_with_every_new_viewer() -> None:
    """Cameras lock an account after a few: who comes and goes does not matter for half a minute."""
    tried: list[float] = []

    def refuse(camera: Camera) -> Source:
        tried.append(time.monotonic())
        raise CameraUnauthorized("no")

    side = SideReader(DOOR, "rtsp://10.0.0.7/small", refuse, SystemClock())
    for _ in range(3):
        side.take(0)
        wait_until(lambda: tried)
        wait_until(lambda: side._board.state != "connecting")
        side.end()
    assert len(tried) == 1
