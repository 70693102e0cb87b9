"""Laughs: events with a start, an end and a peak, whatever the rate of the looks and the order in which they come."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.laugh_error import MEASURED, error_of
from history.laughs import BEGINS_AT, BREATH_SECONDS, ENDS_AT, SHORTEST_SECONDS, UNSEEN_SECONDS, Point, laughs_of


def hill(at: float, start: float, end: float) -> float:
    """Return a laugh that rises for 0.3 s, and dies away in the last 0.5 s."""
    return max(0.0, min(1.0, (at - start) / 0.3 + 0.2, (end - at) / 0.5 + 0.2)) if start - 1 < at < end + 1 else 0.0


def sampled(rate: float, seconds: float, *laughs: tuple[float, float], level: float = 0.1) -> list[Point]:
    """Return what is seen of laughs at so many looks a second."""
    times = [number / rate for number in range(int(seconds * rate))]
    return [(at, max([level, *(0.95 * hill(at, *laugh) for laugh in laughs)])) for at in times]


@pytest.mark.parametrize("rate", [2.0, 5.0, 10.0, 25.0])
def test_a_laugh_is_one_event_whatever_the_rate(rate: float) -> None:
    laugh, again = laughs_of(sampled(rate, 20.0, (4.0, 7.0), (12.0, 14.0)))
    assert (laugh.place, again.place) == (0, 1)
    assert laugh.start == pytest.approx(4.0, abs=0.6 / min(2.0, rate) + 0.2)
    assert laugh.end == pytest.approx(7.0, abs=0.6 / min(2.0, rate) + 0.2)
    assert 4.0 <= laugh.peak_at <= 7.0
    assert laugh.peak > 0.8


def test_at_one_look_a_second_a_laugh_of_three_seconds_is_seen() -> None:
    (laugh,) = laughs_of(sampled(1.0, 20.0, (5.2, 8.2)))
    assert abs(laugh.start - 5.2) < 1.0
    assert abs(laugh.end - 8.2) < 1.0


def test_a_face_that_laughs_from_its_first_look_has_not_begun_to() -> None:
    """A portrait never laughs; somebody who turns round laughing does so once they stopped and began again."""
    assert laughs_of([(number / 5, 0.97) for number in range(500)]) == []
    (laugh,) = laughs_of(sampled(5.0, 20.0, (-3.0, 4.0), (9.0, 11.0)))
    assert laugh.start > 8.0


def test_a_breath_does_not_make_two_of_one_laugh() -> None:
    assert len(laughs_of(sampled(10.0, 20.0, (3.0, 5.0), (5.0 + BREATH_SECONDS / 2, 8.0)))) == 1
    assert len(laughs_of(sampled(10.0, 20.0, (3.0, 5.0), (7.0, 9.0)))) == 2


def test_a_smile_below_the_line_and_a_flicker_are_none() -> None:
    assert laughs_of(sampled(5.0, 20.0, level=(ENDS_AT + BEGINS_AT) / 2)) == []
    assert laughs_of([(number / 10, 0.9 if number == 50 else 0.1) for number in range(200)]) == []


def test_nothing_is_told_of_a_time_in_which_nobody_looked() -> None:
    before = [(number / 5, 0.1) for number in range(10)]
    after = [(2.0 + UNSEEN_SECONDS + number / 5, 0.9) for number in range(20)]
    assert laughs_of([*before, *after]) == []


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.floats(0.0, 1.0)), max_size=80))
def test_laughs_follow_each_other_and_hold_their_peaks(steps: list[tuple[float, float]]) -> None:
    at, points = 0.0, []
    for seconds, score in steps:
        at += seconds
        points.append((at, score))
    found = laughs_of(points)
    for laugh in found:
        assert laugh.end - laugh.start >= SHORTEST_SECONDS
        assert laugh.start <= laugh.peak_at <= laugh.end
        assert BEGINS_AT <= laugh.peak <= 1.0
    for one, other in pairwise(found):
        assert other.start - one.end > BREATH_SECONDS or math.isclose(other.start - one.end, BREATH_SECONDS)
        assert other.place == one.place + 1


@given(st.lists(st.floats(0.0, ENDS_AT - 0.01), min_size=2, max_size=40), st.floats(0.5, 25.0))
def test_who_stays_below_the_lower_line_never_laughs(scores: list[float], rate: float) -> None:
    assert laughs_of([(number / rate, score) for number, score in enumerate(scores)]) == []


def test_the_error_on_a_receipt_is_what_the_bench_wrote() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    table = page.partition("## How well laughs are counted")[2].partition("\n## ")[0]
    rows = [re.findall(r"\d+(?:\.\d+)?", line) for line in table.splitlines() if re.match(r"\| \d", line)]
    written = [(float(r[0]), *map(float, r[2:6]), float(r[7]), float(r[9]) / 100) for r in rows]
    assert [(m.rate, m.precision, m.recall, m.f1, m.start_off, m.peak_off, m.count_off) for m in MEASURED] == written


@pytest.mark.parametrize(("rate", "measured"), [(0.2, 0.5), (0.95, 1), (4.9, 5), (7, 5), (25, 10)])
def test_an_error_is_told_of_the_nearest_rate_that_is_no_higher(rate: float, measured: float) -> None:
    told = error_of(rate)
    assert told is not None
    assert told["measured_at"] == measured
    assert ("nothing was measured at so few" in told["sentence"]) == (rate < 0.45)
    assert error_of(None) is None
