"""The grid of samples, the pace of bursts, and the newest sample."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.sampler import Newest, Pace, Sample, Sampler
from producer.sources.base import Unreadable


def taken(fps: float, times: list[float], early: float = 0.010) -> list[float]:
    sampler = Sampler(fps, early)
    return [time for time in times if sampler.due(time)]


def test_every_fifth_frame_of_25_is_5_a_second() -> None:
    """The grid falls onto the frames where it can."""
    assert taken(5, [n / 25 for n in range(51)], early=1e-6) == pytest.approx([n / 5 for n in range(11)])


@given(st.floats(0.2, 25), st.integers(0, 2**32))
def test_jitter_does_not_change_the_rate(fps: float, seed: int) -> None:
    """Frames that come a few milliseconds early or late are sampled as often as they should be."""
    jitter = random.Random(seed)
    times = [n / 25 + 1 + jitter.uniform(-0.009, 0.009) for n in range(500)]
    assert len(taken(fps, times)) == pytest.approx(20 * fps, abs=max(2.0, 0.01 * 20 * fps))


def test_a_late_frame_does_not_delay_the_next() -> None:
    """The grid stays where it was."""
    assert taken(1, [0.0, 1.6, 2.0, 3.0]) == [0.0, 1.6, 2.0, 3.0]


def test_after_a_pause_there_is_no_burst() -> None:
    """What was missed is not made up for."""
    assert taken(10, [0.0, 60.0, 60.01, 60.02, 60.1]) == [0.0, 60.0, 60.1]


def test_slower_cameras_are_taken_whole() -> None:
    """Each frame of a camera that delivers less than is asked for is due."""
    times = [n / 3 for n in range(30)]
    assert taken(5, times) == times


def test_an_axis_that_begins_anew_is_followed() -> None:
    """A video that loops goes on being sampled."""
    assert taken(1, [10.0, 11.0, 0.0, 0.5, 1.0]) == [10.0, 11.0, 0.0, 1.0]


def test_a_burst_is_played_as_it_was_filmed() -> None:
    """Frames that came all at once are shown a frame's time apart."""
    pace = Pace()
    assert [pace.delay(n / 25, 100.0) for n in range(4)] == pytest.approx([0, 0.04, 0.08, 0.12])


def test_a_late_burst_is_not_hurried() -> None:
    """After a gap the axis begins anew at the first late frame."""
    pace = Pace()
    assert [pace.delay(0.0, 100.0), pace.delay(0.04, 103.0), pace.delay(0.08, 103.0)] == pytest.approx([0, 0, 0.04])


@pytest.mark.parametrize("position", [0.0, 3600.0, None])
def test_a_jump_of_the_axis_is_no_wait(position: float | None) -> None:
    """A stream that begins anew, or leaps, is shown at once."""
    pace = Pace()
    pace.delay(50.0, 100.0)
    assert pace.delay(position, 100.0) == 0


def test_faster_than_life_catches_up() -> None:
    """At 3 % more speed a second of film takes 0.97 s."""
    pace = Pace(1.03)
    pace.delay(0.0, 0.0)
    assert pace.delay(1.03, 0.0) == pytest.approx(1.0)


def sample(number: int) -> Sample:
    return Sample(Unreadable("not looked at"), float(number))


def test_the_newest_sample_wins_and_the_others_are_counted() -> None:
    """Only the last is taken; what it replaced is told once."""
    newest = Newest()
    for number in range(3):
        newest.put(sample(number))
    assert newest.take(0) == sample(2)
    assert newest.take(0) is None
    assert (newest.passed_over(), newest.passed_over()) == (2, 0)


def test_whoever_waits_is_woken() -> None:
    """A sample is handed over as soon as it is there."""
    newest = Newest()
    threading.Timer(0.05, newest.put, [sample(7)]).start()
    assert newest.take(5) == sample(7)
