"""How late frames are, told from their positions and from how long one waited for them."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from producer.sources.lateness import Lateness
from producer.sources.stream import open_stream
from tests.cameras.clips import read_stamp
from tests.cameras.process import CameraProcess

WAITED = 0.038  # of the 0.040 s between two frames, by a reader that keeps up


def test_a_reader_that_keeps_up_is_not_late() -> None:
    """Jitter is late by itself, nothing more."""
    lateness = Lateness()
    jitter = [0.0, 0.004, 0.001, 0.006, 0.0] * 100
    late = [lateness.of(n / 25, 100 + n / 25 + extra, WAITED) for n, extra in enumerate(jitter)]
    assert max(late) < 0.007


def test_a_reader_that_falls_behind_knows_by_how_much() -> None:
    """Frames read at half their speed are late by half the time that went by."""
    lateness = Lateness()
    late = [lateness.of(n / 25, 100 + 2 * n / 25, 0.0) for n in range(250)]
    assert late[-1] == pytest.approx(10, abs=0.1)


def test_a_slow_clock_in_the_camera_is_no_lateness() -> None:
    """Time stamps that lose 10 ms a second are seen through: the reader waits for every frame."""
    lateness = Lateness()
    late = [lateness.of(n / 25 * 0.99, 100 + n / 25, WAITED) for n in range(25 * 300)]
    assert max(late) < 0.05


def test_drifting_clocks_are_followed() -> None:
    """A tenth of a millisecond a second does not add up, even for a reader that never waits."""
    lateness = Lateness()
    late = [lateness.of(n / 25 * 0.9999, 100 + n / 25, 0.0) for n in range(25 * 300)]
    assert max(late) < 0.01


def test_time_stamps_that_jump_are_begun_anew() -> None:
    """An hour's leap is not an hour of lateness."""
    lateness = Lateness()
    lateness.of(3600.0, 100.0, WAITED)
    assert lateness.of(0.0, 100.04, WAITED) == 0.0


def test_old_frames_are_known_to_be_old_and_caught_up_with(rtsp: CameraProcess) -> None:
    """After 1.6 s without reading, the next frame is that late by its own stamp too; soon after, frames are fresh."""
    with closing(open_stream(rtsp.url("360"))) as source:
        for _ in range(10):
            source.advance()
        time.sleep(1.6)
        seen = []
        for _ in range(25):
            moment = source.advance()
            now = time.time()
            number = read_stamp(source.picture().bgr())
            assert moment is not None
            assert number is not None
            age = (now - rtsp.started - number / 25) % 2.0
            seen.append((moment.late, age))
    assert seen[0][0] == pytest.approx(1.6, abs=0.2)
    assert all(age - late < 0.15 for late, age in seen)
    assert seen[-1][0] < 0.1
